#include <math.h>
#include <string.h>

#include "fail.h"
#include "number.h"
#include "sweep_object.h"

adept_status sweep_run_of(const adept_sweep *sweep, const double *values, adept_run *run, adept_error *err) {
    adept_status status = ADEPT_OK;
    *run = *sweep->job.run;
    for (size_t i = 0; i < sweep->axis_count && status == ADEPT_OK; i++) {
        const sweep_axis *axis = &sweep->axes[i];
        char number[ADEPT_NUMBER_SIZE];
        if (!axis->slow)
            continue;
        const char *text = axis->key.kind == WHATIF_CHOICE ? axis->texts[(size_t)values[i]]
                           : axis->key.kind == WHATIF_WHOLE
                               ? (snprintf(number, sizeof number, "%.0f", values[i]), number)
                               : adept_number_format(number, values[i]);
        status = adept_run_set(run, axis->key.name, text, err);
    }
    return status == ADEPT_OK ? adept_run_check(run, err) : status;
}

/* Run options that the profile does not know of. */
static adept_status set_late(const adept_sweep *sweep, const double *values, adept_run *run,
                             adept_error *err) {
    adept_status status = ADEPT_OK;
    for (size_t i = 0; i < sweep->axis_count && status == ADEPT_OK; i++) {
        const sweep_axis *axis = &sweep->axes[i];
        if (axis->key.late == WHATIF_POWER_LIMIT)
            run->power_limit_W = values[i];
        else if (axis->key.late == WHATIF_CLOCK_LIMIT)
            run->clock_limit_Hz = values[i];
        else if (axis->key.late == WHATIF_VARIANT)
            status = adept_run_set(run, axis->key.name, axis->texts[(size_t)values[i]], err);
    }
    return status;
}

static adept_status set_figures(const adept_sweep *sweep, size_t thread, const double *values,
                                adept_variant variant, adept_error *err) {
    whatif_key keys[ADEPT_AXES_MAX];
    double numbers[ADEPT_AXES_MAX];
    size_t count = 0;
    sweep_scratch *scratch = &sweep->scratch[thread];
    for (size_t i = 0; i < sweep->axis_count; i++) {
        const whatif_key *key = &sweep->axes[i].key;
        if (key->kind != WHATIF_FIELD && key->kind != WHATIF_PARAMETER)
            continue;
        keys[count] = *key;
        numbers[count++] = values[i];
    }
    if (count == 0)
        return ADEPT_OK;
    adept_status status = whatif_apply(scratch->hardware, &scratch->theta[variant], sweep->job.hardware, keys,
                                       numbers, count, err);
    if (status != ADEPT_OK)
        return status;
    return adept_whatif_check(adept_hardware_spec_of(scratch->hardware), err);
}

static double octaves_of(const adept_sweep *sweep, const adept_hardware_spec *spec, const double *values,
                         adept_variant variant) {
    const whatif_ranges *ranges = &sweep->ranges[variant];
    double octaves = sweep->base_octaves[variant];
    for (size_t i = 0; i < sweep->axis_count; i++) {
        if (sweep->axes[i].key.kind == WHATIF_FIELD)
            octaves = fmax(octaves, whatif_octaves_of(ranges, sweep->axes[i].key.index, values[i]));
    }
    for (int i = 0; sweep->rates_follow && i < ADEPT_PEAK_COUNT; i++)
        octaves = fmax(octaves, whatif_octaves_of(ranges, sweep->peak_fields[i], spec->peak_flop_per_s[i]));
    return octaves;
}

void sweep_forget(const adept_sweep *sweep) {
    for (size_t i = 0; i < adept_worker_pool_threads(sweep->pool); i++)
        sweep->scratch[i].group = SWEEP_ALONE;
}

/* What all points of a group share: figures, and what no power limit changes. */
static adept_status enter_group(const adept_sweep *sweep, size_t thread, sweep_group group,
                                const adept_workload *w, const adept_run *run, const double *values,
                                adept_error *err) {
    sweep_scratch *scratch = &sweep->scratch[thread];
    if (group != SWEEP_ALONE && group == scratch->group)
        return ADEPT_OK;
    scratch->group = SWEEP_ALONE;
    adept_status status = set_figures(sweep, thread, values, run->variant, err);
    if (status != ADEPT_OK || group == SWEEP_ALONE || !scratch->prepared)
        return status;
    status = adept_prepare(scratch->prepared, w, adept_hardware_spec_of(scratch->hardware),
                           &scratch->theta[run->variant], run, err);
    if (status == ADEPT_OK)
        scratch->group = group;
    return status;
}

void sweep_predict(const adept_sweep *sweep, size_t thread, sweep_group group, const adept_profile *profile,
                   const adept_run *run, const double *values, adept_sweep_row *row) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_run here = *run;
    const adept_workload *w = adept_profile_workload(profile);
    const sweep_scratch *scratch = &sweep->scratch[thread];
    const adept_hardware_spec *spec = adept_hardware_spec_of(scratch->hardware);
    row->message[0] = '\0';
    row->refused = false;
    row->samples = w->samples * w->grad_accum * w->gpus;
    row->status = set_late(sweep, values, &here, &err);
    if (row->status == ADEPT_OK)
        row->status = enter_group(sweep, thread, group, w, &here, values, &err);
    if (row->status == ADEPT_OK && scratch->group != SWEEP_ALONE)
        row->status = adept_predict_prepared(&row->prediction, scratch->prepared, here.power_limit_W, &err);
    else if (row->status == ADEPT_OK)
        row->status =
            adept_predict_with(&row->prediction, NULL, w, spec, &scratch->theta[here.variant], &here, &err);
    if (row->status != ADEPT_OK) {
        snprintf(row->message, sizeof row->message, "%.199s", err.message);
        return;
    }
    adept_prediction_qualify(&row->prediction, w, scratch->hardware, &scratch->theta[here.variant]);
    row->extrapolation = octaves_of(sweep, spec, values, here.variant);
    adept_whatif_widen(&row->prediction, row->extrapolation);
    for (size_t i = 0; i < row->prediction.note_count; i++)
        row->refused = row->refused || adept_note_refused(row->prediction.notes[i].code);
}

adept_status adept_sweep_evaluate(adept_sweep *sweep, const double *values, adept_sweep_row *out,
                                  adept_error *err) {
    adept_run run;
    adept_profile *profile = NULL;
    adept_status status = sweep_run_of(sweep, values, &run, err);
    memset(out, 0, sizeof *out);
    if (status == ADEPT_OK)
        status = adept_profile_build(&profile, sweep->job.graph, &run, err);
    if (status == ADEPT_OK) {
        sweep_predict(sweep, 0, SWEEP_ALONE, profile, &run, values, out);
        if (out->status != ADEPT_OK)
            status = adept_fail(err, out->status, "%s", out->message);
    }
    adept_profile_free(profile);
    return status;
}
