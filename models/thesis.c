#include <math.h>
#include <string.h>

#include "fail.h"
#include "model.h"
#include "thesis.h"

/* Forward and backward share T_pass in proportion to their own max(T_comp, T_mem) (design section 12). */
static double forward_share(const adept_thesis_row *row, const adept_thesis_slowdown *slowdown) {
    double own_s[2];
    for (int pass = 0; pass < 2; pass++)
        own_s[pass] = fmax(adept_thesis_compute_s(row->pass_peak_s[pass], slowdown),
                           row->pass_memory_s[pass] * slowdown->memory);
    double both_s = own_s[0] + own_s[1];
    return both_s > 0 ? own_s[0] / both_s : 1;
}

static void set_phases(adept_prediction *out, const adept_thesis_row *row, const adept_thesis_times *t,
                       const adept_theta *theta, double forward, double gpus) {
    const double *v = theta->value;
    double u_mem = v[ADEPT_THESIS_U_MEM];
    double u_passes = adept_thesis_utilisation(t->compute_s, t->memory_s, u_mem);
    const struct {
        double time_s, utilisation;
    } phases[ADEPT_PHASE_COUNT] = {
        [ADEPT_PHASE_FORWARD] = {t->passes_s * forward,       u_passes              },
        [ADEPT_PHASE_BACKWARD] = {t->passes_s * (1 - forward), u_passes              },
        [ADEPT_PHASE_OPTIMIZER] = {t->optimizer_s,              u_mem                 },
        [ADEPT_PHASE_COMMUNICATION] = {t->communication_s,          v[ADEPT_THESIS_U_COMM]},
        [ADEPT_PHASE_LAUNCH] = {t->launch_s,                 0                     },
        [ADEPT_PHASE_FIXED] = {t->fixed_s,                  0                     },
    };
    for (int i = 0; i < ADEPT_PHASE_COUNT; i++) {
        double power_W = adept_thesis_phase_power_W(row, phases[i].utilisation, v);
        out->phases[i] = (adept_phase_cost){phases[i].time_s, power_W, gpus * power_W * phases[i].time_s};
    }
}

static void set_losses(adept_prediction *out, const adept_thesis_row *row, const adept_thesis_times *t) {
    double ideal_s = 0;
    for (int term = 0; term < ADEPT_TERM_COUNT; term++)
        ideal_s += row->peak_s[term] * row->grad_accum;
    double compute_s = t->compute_s * row->grad_accum;
    out->losses_s[ADEPT_LOSS_IDEAL] = ideal_s;
    out->losses_s[ADEPT_LOSS_SATURATION] = compute_s - ideal_s;
    out->losses_s[ADEPT_LOSS_MEMORY] = t->passes_s - compute_s;
    out->losses_s[ADEPT_LOSS_LAUNCH] = t->launch_s;
    out->losses_s[ADEPT_LOSS_COMMUNICATION] = t->communication_s;
    out->losses_s[ADEPT_LOSS_OPTIMIZER] = t->optimizer_s;
    out->losses_s[ADEPT_LOSS_FIXED] = t->fixed_s;
}

static adept_bound heaviest(const adept_thesis_times *t) {
    const double waits_s[ADEPT_BOUND_COUNT] = {
        [ADEPT_BOUND_COMPUTE] = t->compute_s >= t->memory_s ? t->passes_s : 0,
        [ADEPT_BOUND_MEMORY] = t->optimizer_s + (t->compute_s < t->memory_s ? t->passes_s : 0),
        [ADEPT_BOUND_LAUNCH] = t->launch_s,
        [ADEPT_BOUND_COMMUNICATION] = t->communication_s,
        [ADEPT_BOUND_FIXED] = t->fixed_s,
    };
    adept_bound bound = ADEPT_BOUND_COMPUTE;
    for (int i = 0; i < ADEPT_BOUND_COUNT; i++)
        bound = waits_s[i] > waits_s[bound] ? (adept_bound)i : bound;
    return bound;
}

/* Evidence: the weakest provenance among the free parameters that matter here, for time and for power. */
static void set_evidence(adept_prediction *out, const adept_thesis_row *row, const adept_theta *theta) {
    adept_provenance time = ADEPT_PROVENANCE_FITTED;
    adept_provenance power = ADEPT_PROVENANCE_FITTED;
    int defaults = 0;
    for (size_t i = 0; i < ADEPT_THESIS_PARAMETER_COUNT; i++) {
        const adept_parameter *parameter = &adept_thesis_parameters[i];
        adept_provenance own = theta->provenance[i];
        if (!parameter->free || (adept_thesis_needs[i] & ~row->conditions))
            continue;
        defaults += own == ADEPT_PROVENANCE_DEFAULT;
        time = parameter->time && own < time ? own : time;
        power = parameter->power && own < power ? own : power;
    }
    out->time_evidence = adept_evidence_of(time);
    out->power_evidence = adept_evidence_of(power);
    if (defaults > 0)
        adept_prediction_note(out, ADEPT_NOTE_PARAMETERS_DEFAULT, defaults);
}

static void set_notes(adept_prediction *out, const adept_thesis_row *row, const adept_theta *theta,
                      const adept_run *run) {
    double static_W = theta->value[ADEPT_THESIS_P_STATIC] * row->tdp_W;
    adept_thesis_row free_row = *row;
    free_row.limit_W = INFINITY;
    double uncut_W = adept_thesis_phase_power_W(&free_row, 1, theta->value);
    if (row->fallback)
        adept_prediction_note(out, ADEPT_NOTE_PRECISION_FALLBACK, NAN);
    if (static_W > row->limit_W)
        adept_prediction_note(out, ADEPT_NOTE_POWER_LIMIT_NOT_HELD, static_W - row->limit_W);
    else if (run->power_limit_W > 0 && uncut_W > row->limit_W)
        adept_prediction_note(out, ADEPT_NOTE_POWER_CUT_NOT_TIME, NAN);
    if (run->clock_limit_Hz > 0)
        adept_prediction_note(out, ADEPT_NOTE_CLOCK_LIMIT_IGNORED, NAN);
}

static adept_status predict(adept_prediction *out, adept_kernel_cost *kernels, const adept_workload *workload,
                            const adept_hardware_spec *spec, const adept_theta *theta, const adept_run *run,
                            adept_error *err) {
    adept_thesis_row row;
    if (kernels)
        return adept_fail(err, ADEPT_UNSUPPORTED,
                          "the thesis variant works on totals and has no time per kernel");
    adept_status status =
        adept_thesis_row_init(&row, workload, spec, adept_power_limit_W(out, spec, run), err);
    if (status != ADEPT_OK)
        return status;
    adept_thesis_slowdown slowdown = adept_thesis_slow(&row, theta->value, theta->saturation);
    adept_thesis_times times = adept_thesis_time_of(&row, theta->value, &slowdown);
    out->step_time_s = times.step_s;
    out->average_power_W = adept_thesis_average_power_W(&row, &times, theta->value);
    out->clock_Hz = spec->boost_clock_Hz;
    out->bound = heaviest(&times);
    set_phases(out, &row, &times, theta, forward_share(&row, &slowdown), workload->gpus);
    set_losses(out, &row, &times);
    set_evidence(out, &row, theta);
    set_notes(out, &row, theta, run);
    if (row.ring_hops > 0)
        adept_note_link(out, spec, workload->gpus);
    return ADEPT_OK;
}

const adept_model adept_model_thesis = {
    .parameters = adept_thesis_parameters,
    .parameter_count = ADEPT_THESIS_PARAMETER_COUNT,
    .predict = predict,
};
