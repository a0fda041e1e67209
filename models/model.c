#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "communication.h"
#include "fail.h"
#include "number.h"

/* The only list of variants. */
static const adept_model *const models[ADEPT_VARIANT_COUNT] = {
    [ADEPT_VARIANT_OPERATOR] = &adept_model_operator,
    [ADEPT_VARIANT_THESIS] = &adept_model_thesis,
};

const adept_model *adept_model_of(adept_variant variant) {
    return models[variant];
}

/* ---- names ---- */

#define NAME(code, name) name,
static const char *const phase_names[] = {ADEPT_PHASE_LIST(NAME)};
static const char *const bound_names[] = {ADEPT_BOUND_LIST(NAME)};
static const char *const loss_texts[] = {ADEPT_LOSS_LIST(NAME)};
static const char *const evidence_names[] = {ADEPT_EVIDENCE_LIST(NAME)};
#undef NAME

static const struct {
    bool refused;
    const char *text;
} notes[] = {
#define NOTE(code, refused, text) {refused, text},
    ADEPT_NOTE_LIST(NOTE)
#undef NOTE
};

const char *adept_phase_name(adept_phase phase) {
    return phase_names[phase];
}

const char *adept_bound_name(adept_bound bound) {
    return bound_names[bound];
}

const char *adept_loss_text(adept_loss loss) {
    return loss_texts[loss];
}

const char *adept_evidence_name(adept_evidence evidence) {
    return evidence_names[evidence];
}

const char *adept_note_text(adept_note_code code) {
    return notes[code].text;
}

bool adept_note_refused(adept_note_code code) {
    return notes[code].refused;
}

/* ---- parameters ---- */

size_t adept_parameter_count(adept_variant variant) {
    return models[variant]->parameter_count;
}

const adept_parameter *adept_parameter_at(adept_variant variant, size_t index) {
    return &models[variant]->parameters[index];
}

ptrdiff_t adept_parameter_index(adept_variant variant, const char *name) {
    for (size_t i = 0; i < models[variant]->parameter_count; i++) {
        if (strcmp(models[variant]->parameters[i].name, name) == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

static adept_status unknown_parameter(adept_variant variant, const char *name, adept_error *err) {
    const adept_model *model = models[variant];
    const char *names[ADEPT_THETA_MAX];
    for (size_t i = 0; i < model->parameter_count; i++)
        names[i] = model->parameters[i].name;
    const char *near = adept_nearest_name(name, names, model->parameter_count);
    if (near)
        return adept_fail(err, ADEPT_ARGUMENT, "theta.%s.%s is not a parameter; did you mean '%s'?",
                          adept_variant_name(variant), name, near);
    return adept_fail(err, ADEPT_ARGUMENT, "theta.%s.%s is not a parameter; docs/parameters.md lists them",
                      adept_variant_name(variant), name);
}

adept_status adept_theta_init(adept_theta *out, adept_variant variant, const adept_hardware *hardware,
                              adept_error *err) {
    const adept_model *model = models[variant];
    *out = (adept_theta){.variant = variant, .count = model->parameter_count};
    for (size_t i = 0; i < model->parameter_count; i++)
        out->value[i] = model->parameters[i].initial;
    if (!hardware)
        return ADEPT_OK;
    out->saturation = adept_hardware_saturation(hardware);
    for (size_t i = 0; i < adept_hardware_parameter_count(hardware, variant); i++) {
        const adept_hardware_parameter *given = adept_hardware_parameter_at(hardware, variant, i);
        ptrdiff_t index = adept_parameter_index(variant, given->name);
        if (index < 0)
            return adept_fail_at(err, unknown_parameter(variant, given->name, err), "%s",
                                 adept_hardware_file(hardware));
        const adept_parameter *parameter = &model->parameters[index];
        if (!(given->value >= parameter->lower && given->value <= parameter->upper))
            return adept_fail(err, ADEPT_RANGE, "%s: theta.%s.%s = %.10g is outside %g..%g (unit: %s)",
                              adept_hardware_file(hardware), adept_variant_name(variant), given->name,
                              given->value, parameter->lower, parameter->upper, parameter->unit);
        out->value[index] = given->value;
        out->provenance[index] = given->provenance;
    }
    return ADEPT_OK;
}

/* ---- what the variants share ---- */

void adept_prediction_note(adept_prediction *out, adept_note_code code, double value) {
    for (size_t i = 0; i < out->note_count; i++) {
        if (out->notes[i].code == code)
            return;
    }
    out->notes[out->note_count++] = (adept_note){code, value};
}

double adept_power_limit_W(adept_prediction *out, const adept_hardware_spec *spec, const adept_run *run) {
    double limit_W = run->power_limit_W > 0 ? run->power_limit_W : spec->tdp_W;
    if (run->power_limit_W > 0 && (limit_W < spec->min_power_limit_W || limit_W > spec->max_power_limit_W))
        adept_prediction_note(out, ADEPT_NOTE_POWER_LIMIT_OUT_OF_RANGE,
                              fmin(fmax(limit_W, spec->min_power_limit_W), spec->max_power_limit_W));
    out->power_limit_W = limit_W;
    return limit_W;
}

void adept_note_link(adept_prediction *out, const adept_hardware_spec *spec, int32_t gpus) {
    adept_link_choice link = adept_link_for(spec, gpus);
    if (link.kind == ADEPT_LINK_KIND_PCIE)
        adept_prediction_note(out, ADEPT_NOTE_LINK_IS_PCIE, NAN);
    if (link.kind == ADEPT_LINK_KIND_NETWORK)
        adept_prediction_note(out, ADEPT_NOTE_LINK_IS_NETWORK, spec->gpus_per_node);
    if (link.assumed)
        adept_prediction_note(out, ADEPT_NOTE_NETWORK_ASSUMED, ADEPT_NETWORK_B_PER_S);
}

adept_evidence adept_evidence_of(adept_provenance provenance) {
    static const adept_evidence evidence[ADEPT_PROVENANCE_COUNT] = {
        [ADEPT_PROVENANCE_DEFAULT] = ADEPT_EVIDENCE_DATASHEET,
        [ADEPT_PROVENANCE_DATASHEET] = ADEPT_EVIDENCE_DATASHEET,
        [ADEPT_PROVENANCE_GIVEN] = ADEPT_EVIDENCE_DATASHEET,
        [ADEPT_PROVENANCE_TRANSFERRED] = ADEPT_EVIDENCE_TRANSFERRED,
        [ADEPT_PROVENANCE_FITTED] = ADEPT_EVIDENCE_FITTED,
    };
    return evidence[provenance];
}

/* ---- prediction ---- */

static void set_memory(adept_prediction *out, const adept_workload *workload,
                       const adept_hardware_spec *spec) {
    double tensors_B = workload->memory.peak_B;
    out->memory_B = spec->memory_B * (spec->memory_ecc > 0 ? 15.0 / 16 : 1);
    out->memory_overhead_B = ADEPT_CONTEXT_B + ADEPT_ALLOCATOR_SHARE * tensors_B;
    out->peak_memory_B = tensors_B + out->memory_overhead_B;
    out->fits_in_memory = out->peak_memory_B <= out->memory_B;
    if (!out->fits_in_memory)
        adept_prediction_note(out, ADEPT_NOTE_OUT_OF_MEMORY, NAN);
}

static adept_status check_result(const adept_prediction *out, adept_error *err) {
    bool finite = isfinite(out->step_time_s) && out->step_time_s > 0;
    if (out->power_evidence != ADEPT_EVIDENCE_NONE)
        finite = finite && isfinite(out->average_power_W) && out->average_power_W > 0;
    if (finite)
        return ADEPT_OK;
    return adept_fail(
        err, ADEPT_RANGE,
        "no prediction: step time %g s, power %g W; a figure of the workload, the hardware or theta is "
        "out of range",
        out->step_time_s, out->average_power_W);
}

static adept_status check_run(const adept_workload *workload, const adept_run *run, adept_error *err) {
    if (!(run->power_limit_W >= 0 && run->power_limit_W < 1e5))
        return adept_fail(err, ADEPT_ARGUMENT, "power limit %g W: give watts above 0", run->power_limit_W);
    if (!(run->clock_limit_Hz >= 0 && run->clock_limit_Hz < 1e11))
        return adept_fail(err, ADEPT_ARGUMENT, "clock limit %g Hz: give hertz above 0", run->clock_limit_Hz);
    if (workload->gpus < 1 || workload->grad_accum < 1)
        return adept_fail(err, ADEPT_ARGUMENT, "%d GPUs, %d micro-batches: both must be at least 1",
                          (int)workload->gpus, (int)workload->grad_accum);
    return ADEPT_OK;
}

static void begin(adept_prediction *out, adept_variant variant) {
    memset(out, 0, sizeof *out);
    out->variant = variant;
    out->interval_level = NAN;
    out->step_time_interval_s = out->average_power_interval_W = (adept_interval){NAN, NAN};
}

/* What follows from time and power. */
static adept_status complete(adept_prediction *out, const adept_workload *workload,
                             const adept_hardware_spec *spec, adept_error *err) {
    out->energy_per_step_J = workload->gpus * out->average_power_W * out->step_time_s;
    out->throughput_per_s = workload->samples * workload->grad_accum * workload->gpus / out->step_time_s;
    set_memory(out, workload, spec);
    return check_result(out, err);
}

adept_status adept_predict_with(adept_prediction *out, adept_kernel_cost *kernels,
                                const adept_workload *workload, const adept_hardware_spec *spec,
                                const adept_theta *theta, const adept_run *run, adept_error *err) {
    const adept_model *model = models[theta->variant];
    if (!model->predict)
        return adept_fail(err, ADEPT_UNSUPPORTED, "variant '%s' is not built in; use --variant thesis",
                          adept_variant_name(theta->variant));
    adept_status status = check_run(workload, run, err);
    if (status != ADEPT_OK)
        return status;
    begin(out, theta->variant);
    status = model->predict(out, kernels, workload, spec, theta, run, err);
    return status == ADEPT_OK ? complete(out, workload, spec, err) : status;
}

/* ---- many power limits ---- */

struct adept_prepared {
    const adept_workload *workload;
    adept_hardware_spec spec;
    adept_theta theta;
    adept_run run;
    void *memory[ADEPT_VARIANT_COUNT]; /* NULL: not needed so far */
};

adept_status adept_prepared_new(adept_prepared **out, adept_error *err) {
    *out = calloc(1, sizeof **out);
    return *out ? ADEPT_OK : adept_fail_memory(err);
}

void adept_prepared_free(adept_prepared *prepared) {
    for (int i = 0; prepared && i < ADEPT_VARIANT_COUNT; i++)
        free(prepared->memory[i]);
    free(prepared);
}

adept_status adept_prepare(adept_prepared *prepared, const adept_workload *workload,
                           const adept_hardware_spec *spec, const adept_theta *theta, const adept_run *run,
                           adept_error *err) {
    const adept_model *model = models[theta->variant];
    void **memory = &prepared->memory[theta->variant];
    prepared->workload = workload;
    prepared->spec = *spec;
    prepared->theta = *theta;
    prepared->run = *run;
    if (!model->prepare)
        return ADEPT_OK;
    if (!*memory)
        *memory = malloc(model->prepared_B);
    if (!*memory)
        return adept_fail_memory(err);
    return model->prepare(*memory, workload, &prepared->spec, &prepared->theta, run, err);
}

adept_status adept_predict_prepared(adept_prediction *out, adept_prepared *prepared, double power_limit_W,
                                    adept_error *err) {
    adept_variant variant = prepared->theta.variant;
    prepared->run.power_limit_W = power_limit_W;
    if (!models[variant]->prepare)
        return adept_predict_with(out, NULL, prepared->workload, &prepared->spec, &prepared->theta,
                                  &prepared->run, err);
    adept_status status = check_run(prepared->workload, &prepared->run, err);
    if (status != ADEPT_OK)
        return status;
    begin(out, variant);
    models[variant]->predict_prepared(out, prepared->memory[variant], &prepared->theta, &prepared->run);
    return complete(out, prepared->workload, &prepared->spec, err);
}

static double outside_share(const adept_prediction *p) {
    for (size_t i = 0; i < p->note_count; i++) {
        if (p->notes[i].code == ADEPT_NOTE_OUTSIDE_FITTED_RANGE)
            return p->notes[i].value;
    }
    return 0;
}

/*
 * Residuals of held-out data, as ratios, around the predicted value; their logarithms times 1 + the share of
 * the busy time in kernels without measurements (an assumption, docs/model.md).
 */
static adept_interval interval_around(double value, double lower, double upper, double outside) {
    return (adept_interval){value * pow(lower, 1 + outside), value * pow(upper, 1 + outside)};
}

void adept_prediction_qualify(adept_prediction *out, const adept_workload *workload,
                              const adept_hardware *hardware, const adept_theta *theta) {
    adept_hardware_interval ratio = adept_hardware_interval_of(hardware, out->variant);
    double outside = outside_share(out);
    out->interval_level = ratio.level;
    out->step_time_interval_s =
        interval_around(out->step_time_s, ratio.time_lower, ratio.time_upper, outside);
    out->average_power_interval_W =
        interval_around(out->average_power_W, ratio.power_lower, ratio.power_upper, outside);
    if (models[out->variant]->qualify)
        models[out->variant]->qualify(out, workload, adept_hardware_spec_of(hardware), theta);
}

adept_status adept_predict(adept_prediction *out, const adept_workload *workload,
                           const adept_hardware *hardware, const adept_run *run, adept_error *err) {
    adept_theta theta;
    double idle_W;
    adept_hardware_origin origin = ADEPT_ORIGIN_UNKNOWN;
    adept_status status = adept_theta_init(&theta, run->variant, hardware, err);
    if (status == ADEPT_OK)
        status = adept_predict_with(out, NULL, workload, adept_hardware_spec_of(hardware), &theta, run, err);
    if (status != ADEPT_OK)
        return status;
    adept_prediction_qualify(out, workload, hardware, &theta);
    adept_hardware_get(hardware, "spec.idle_power_W", &idle_W, &origin, NULL);
    if (origin == ADEPT_ORIGIN_DERIVED)
        adept_prediction_note(out, ADEPT_NOTE_IDLE_POWER_DERIVED, idle_W);
    return ADEPT_OK;
}
