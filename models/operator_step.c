#include "operator_step.h"

#include <math.h>

#include "fail.h"
#include "model.h"
#include "operator_clocks.h"
#include "operator_communication.h"
#include "operator_parameters.h"
#include "operator_range.h"

/* Share of the SMs that a collective occupies: its channels, at most some 20 of 100 (NCCL_MAX_NCHANNELS, 32).
 */
#define COLLECTIVE_OCCUPANCY 0.2

/* ---- host and GPU: a queue between them ---- */

typedef struct queue {
    double host_s, gpu_s; /* when the host is free, when the GPU is */
    double launch_s[ADEPT_PASS_COUNT];
} queue;

static queue queue_make(const adept_workload *w, const adept_hardware_spec *spec, const double *theta,
                        const adept_run *run) {
    double launch_s = w->host_launch_s > 0         ? w->host_launch_s
                      : run->launch_s > 0          ? run->launch_s
                      : isnan(spec->host_launch_s) ? theta[OP_LAUNCH]
                                                   : spec->host_launch_s;
    if (run->fusion == ADEPT_FUSION_COMPILED)
        launch_s *= theta[OP_FUSED_LAUNCH];
    double back_s = launch_s * theta[OP_LAUNCH_BACK];
    return (queue){
        .launch_s = {launch_s, back_s, back_s}
    };
}

/*
 * The host needs launch_s for each of n kernels, the GPU time_s for all. The j-th kernel begins when it is
 * launched and the GPU is free; all being alike, the last one ends at the latest of: the work from now on,
 * the work from the first launch on, one kernel after the last launch.
 */
static void enqueue(queue *q, double n, double launch_s, double time_s) {
    double first_s = q->host_s + launch_s + time_s, last_s = q->host_s + n * launch_s + time_s / fmax(n, 1);
    q->gpu_s = fmax(q->gpu_s + time_s, fmax(first_s, last_s));
    q->host_s += n * launch_s;
}

/* Launches from `begin` until those of another sort (optimizer or not) begin; returns where they do. */
static size_t run_launches(queue *q, const operator_items *items, size_t begin, bool optimizer) {
    const adept_workload *w = items->workload;
    size_t i = begin;
    for (; i < w->launch_count; i++) {
        operator_item scratch;
        const operator_item *item = operator_items_at(items, w->launches[i].kernel, &scratch);
        if ((item->pass == ADEPT_PASS_OPTIMIZER) != optimizer)
            break;
        double count = w->launches[i].count;
        enqueue(q, count * item->launches, q->launch_s[item->pass], count * item->time_s);
    }
    return i;
}

/* All micro-batches; from the second on each takes as long as the one before. Returns the first launch
 * behind. */
static size_t run_passes(queue *q, const operator_items *items) {
    int32_t count = items->workload->grad_accum;
    size_t end = run_launches(q, items, 0, false);
    if (count > 1) {
        double before_s = q->gpu_s;
        run_launches(q, items, 0, false);
        double repeat_s = (count - 2) * (q->gpu_s - before_s);
        q->gpu_s += repeat_s;
        q->host_s += repeat_s;
    }
    return end;
}

/* ---- sums over kernels ---- */

typedef struct step_sums {
    const operator_items *items;
    double time_s[ADEPT_PASS_COUNT], energy_J[ADEPT_PASS_COUNT]; /* of the step on one GPU */
    double cycles;                                               /* time times phi */
    double losses_s[ADEPT_LOSS_COUNT];                           /* of forward and backward */
    double bounds_s[ADEPT_BOUND_COUNT];
    double outside_s; /* in kernels without measurements */
} step_sums;

/* Parts of a kernel's time, from the ideal one on; each at most what the ones before leave. */
static void add_losses(double *losses_s, const operator_item *item, double repeats) {
    const operator_limits *l = &item->limits;
    const struct {
        adept_loss loss;
        double time_s;
    } parts[] = {
        {ADEPT_LOSS_CLOCK,        item->time_s - item->free_s                                           },
        {ADEPT_LOSS_IDEAL,        l->ideal_s                                                            },
        {ADEPT_LOSS_QUANTISATION, l->quantised_s                                                        },
        {ADEPT_LOSS_SATURATION,   l->compute_s - l->quantised_s - l->ideal_s + l->latency_s + l->start_s},
        {ADEPT_LOSS_MEMORY,       INFINITY                                                              },
    };
    double left_s = item->time_s;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        double part_s = fmin(fmax(parts[i].time_s, 0), left_s);
        losses_s[parts[i].loss] += repeats * part_s;
        left_s -= part_s;
    }
}

static void add_item(const operator_item *item, double count, void *user) {
    step_sums *sums = user;
    bool optimizer = item->pass == ADEPT_PASS_OPTIMIZER;
    double repeats = optimizer ? count : count * sums->items->workload->grad_accum;
    double slowed_s = item->time_s - item->free_s;
    sums->time_s[item->pass] += repeats * item->time_s;
    sums->energy_J[item->pass] += repeats * item->energy_J;
    sums->cycles += repeats * item->time_s * item->phi;
    sums->outside_s += item->measured ? 0 : repeats * item->time_s;
    sums->bounds_s[operator_kernel_bound(&item->limits)] += repeats * (item->time_s - slowed_s);
    sums->bounds_s[ADEPT_BOUND_POWER] += repeats * slowed_s;
    if (!optimizer)
        add_losses(sums->losses_s, item, repeats);
}

/* ---- results ---- */

static void set_phase(adept_prediction *out, adept_phase phase, double time_s, double energy_J, double gpus) {
    double power_W = time_s > 0 ? energy_J / time_s : 0;
    out->phases[phase] = (adept_phase_cost){time_s, power_W, gpus * energy_J};
}

static adept_bound largest_bound(const double *bounds_s) {
    int bound = ADEPT_BOUND_COMPUTE;
    for (int i = 0; i < ADEPT_BOUND_COUNT; i++)
        bound = bounds_s[i] > bounds_s[bound] ? i : bound;
    return (adept_bound)bound;
}

static void set_waits(adept_prediction *out, step_sums *sums, adept_loss loss, adept_bound bound,
                      double time_s) {
    out->losses_s[loss] = time_s;
    sums->bounds_s[bound] += time_s;
}

static void set_results(adept_prediction *out, step_sums *sums, double communication_s, double launch_s,
                        double gap_s) {
    const operator_items *items = sums->items;
    const operator_clocks *clocks = &items->clocks;
    double gpus = items->workload->gpus, base_W = clocks->base_W;
    double communication_W = base_W + COLLECTIVE_OCCUPANCY * clocks->at[clocks->last].busy_W;
    double energy_J = 0, busy_s = 0;
    for (int i = 0; i < ADEPT_LOSS_COUNT; i++)
        out->losses_s[i] = sums->losses_s[i];
    out->losses_s[ADEPT_LOSS_OPTIMIZER] = sums->time_s[ADEPT_PASS_OPTIMIZER];
    set_waits(out, sums, ADEPT_LOSS_LAUNCH, ADEPT_BOUND_LAUNCH, launch_s);
    set_waits(out, sums, ADEPT_LOSS_COMMUNICATION, ADEPT_BOUND_COMMUNICATION, communication_s);
    set_waits(out, sums, ADEPT_LOSS_FIXED, ADEPT_BOUND_FIXED, gap_s);
    const adept_phase phases[] = {
        [ADEPT_PASS_FORWARD] = ADEPT_PHASE_FORWARD,
        [ADEPT_PASS_BACKWARD] = ADEPT_PHASE_BACKWARD,
        [ADEPT_PASS_OPTIMIZER] = ADEPT_PHASE_OPTIMIZER,
    };
    for (int i = 0; i < ADEPT_PASS_COUNT; i++) {
        set_phase(out, phases[i], sums->time_s[i], sums->energy_J[i], gpus);
        busy_s += sums->time_s[i];
        energy_J += sums->energy_J[i];
    }
    set_phase(out, ADEPT_PHASE_COMMUNICATION, communication_s, communication_s * communication_W, gpus);
    set_phase(out, ADEPT_PHASE_LAUNCH, launch_s, launch_s * base_W, gpus);
    set_phase(out, ADEPT_PHASE_FIXED, gap_s, gap_s * base_W, gpus);
    energy_J += communication_s * communication_W + (launch_s + gap_s) * base_W;
    out->step_time_s = busy_s + communication_s + launch_s + gap_s;
    out->average_power_W = energy_J / out->step_time_s;
    out->clock_Hz = items->gpu.clock_Hz * (busy_s > 0 ? sums->cycles / busy_s : clocks->at[clocks->last].phi);
    out->bound = largest_bound(sums->bounds_s);
}

/* The weakest provenance among the free parameters of time, or of power. */
static adept_provenance weakest(const adept_theta *theta, bool power) {
    adept_provenance found = ADEPT_PROVENANCE_FITTED;
    for (size_t i = 0; i < OP_PARAMETER_COUNT; i++) {
        const adept_parameter *p = &adept_operator_parameters[i];
        if (p->free && (power ? p->power : p->time) && theta->provenance[i] < found)
            found = theta->provenance[i];
    }
    return found;
}

static void set_evidence(adept_prediction *out, const adept_theta *theta) {
    double defaults = 0;
    for (size_t i = 0; i < OP_PARAMETER_COUNT; i++)
        defaults += adept_operator_parameters[i].free && theta->provenance[i] == ADEPT_PROVENANCE_DEFAULT;
    out->time_evidence = adept_evidence_of(weakest(theta, false));
    out->power_evidence = adept_evidence_of(weakest(theta, true));
    if (defaults > 0)
        adept_prediction_note(out, ADEPT_NOTE_PARAMETERS_DEFAULT, defaults);
}

static void set_notes(adept_prediction *out, const adept_workload *w, const adept_hardware_spec *spec) {
    const double tolerance = 1e-6;
    for (size_t i = 0; i < w->kernel_count; i++) {
        const adept_kernel *k = &w->kernels[i];
        if (k->gemm_flop + k->conv_flop > 0 && adept_peak_for_matrix(spec, k->math).fallback) {
            adept_prediction_note(out, ADEPT_NOTE_PRECISION_FALLBACK, NAN);
            break;
        }
    }
    if (out->average_power_W > out->power_limit_W * (1 + tolerance))
        adept_prediction_note(out, ADEPT_NOTE_POWER_LIMIT_NOT_HELD,
                              out->average_power_W - out->power_limit_W);
    if (w->gpus > 1 && w->mode == ADEPT_MODE_TRAIN)
        adept_note_link(out, spec, w->gpus);
}

static void set_kernel_costs(adept_kernel_cost *costs, const operator_items *items) {
    const adept_workload *w = items->workload;
    for (size_t i = 0; i < w->kernel_count; i++)
        costs[i] = (adept_kernel_cost){0};
    for (size_t i = 0; i < w->launch_count; i++) {
        operator_item scratch;
        const operator_item *item = operator_items_at(items, w->launches[i].kernel, &scratch);
        adept_kernel_cost *cost = &costs[w->launches[i].kernel];
        bool slowed = item->time_s > 1.05 * item->free_s;
        cost->time_s += w->launches[i].count * item->time_s;
        cost->energy_J += w->launches[i].count * item->energy_J;
        cost->bound = slowed ? ADEPT_BOUND_POWER : operator_kernel_bound(&item->limits);
    }
}

/* Host time of all launches of the step. */
static double host_time_s(const queue *q, const adept_workload *w) {
    double passes_s = w->forward.kernels * q->launch_s[ADEPT_PASS_FORWARD] +
                      w->backward.kernels * q->launch_s[ADEPT_PASS_BACKWARD];
    return passes_s * w->grad_accum + w->optimizer_work.kernels * q->launch_s[ADEPT_PASS_OPTIMIZER];
}

/* The GPU waits for the first batch of an epoch, which one worker loads; a step's share of that. */
static double loader_wait_s(const adept_workload *w, const adept_run *run) {
    if (!(run->loader_s > 0) || run->epoch_samples <= 0)
        return 0;
    double steps = (double)run->epoch_samples / (w->samples * w->grad_accum * w->gpus);
    return w->samples * run->loader_s / fmax(steps, 1);
}

/* What no power limit changes: the GPU's figures, the kernels' limits, the clocks. */
static adept_status prepare(operator_items *items, operator_memo *memos, size_t memo_count,
                            const adept_workload *w, const adept_hardware_spec *spec,
                            const adept_theta *theta, const adept_run *run, adept_error *err) {
    const double *t = theta->value;
    if (w->launch_count == 0)
        return adept_fail(err, ADEPT_RANGE, "the workload launches no kernel: nothing to predict");
    items->gpu = operator_gpu_make(spec, t);
    if (w->optimizer_impl == ADEPT_IMPL_FUSED)
        items->gpu.optimizer_passes = 1;
    items->workload = w;
    items->fused = (w->fused_elementwise > 0 ? w->fused_elementwise : 1) *
                   (run->fusion == ADEPT_FUSION_COMPILED ? t[OP_FUSED] : 1);
    items->clocks = operator_clocks_make(&items->gpu, run->clock_limit_Hz);
    operator_items_init(items, memos, memo_count);
    return ADEPT_OK;
}

static void predict(adept_prediction *out, adept_kernel_cost *kernels, operator_items *items,
                    const adept_theta *theta, const adept_run *run) {
    const adept_workload *w = items->workload;
    const adept_hardware_spec *spec = items->gpu.spec;
    const double *t = theta->value;
    queue q = queue_make(w, spec, t, run);
    double gap_s = operator_clocks_settle(items, adept_power_limit_W(out, spec, run), host_time_s(&q, w),
                                          run->idle_gap >= 0 ? run->idle_gap : t[OP_GAP]);
    gap_s += loader_wait_s(w, run);
    operator_items_settle(items);

    step_sums sums = {.items = items};
    operator_items_visit(items, add_item, &sums);
    size_t optimizer = run_passes(&q, items);
    double communication_s = 0;
    if (w->mode == ADEPT_MODE_TRAIN && w->gpus > 1) {
        double stretch =
            q.gpu_s / fmax(sums.time_s[ADEPT_PASS_FORWARD] + sums.time_s[ADEPT_PASS_BACKWARD], 1e-30);
        double backward_s = sums.time_s[ADEPT_PASS_BACKWARD] / w->grad_accum * stretch;
        communication_s = operator_exposed_s(spec, t, run, w->gpus, w->reduced_gradients_B, backward_s) +
                          t[OP_SYNC] * q.gpu_s;
        q.gpu_s += communication_s;
    }
    run_launches(&q, items, optimizer, true);
    double busy_s = sums.time_s[0] + sums.time_s[1] + sums.time_s[2];
    set_results(out, &sums, communication_s, fmax(q.gpu_s - busy_s - communication_s, 0), gap_s);
    set_evidence(out, theta);
    set_notes(out, w, spec);
    if (sums.outside_s >= ADEPT_OUTSIDE_SHARE * busy_s && sums.outside_s > 0)
        adept_prediction_note(out, ADEPT_NOTE_OUTSIDE_FITTED_RANGE, sums.outside_s / busy_s);
    if (kernels)
        set_kernel_costs(kernels, items);
}

adept_status adept_operator_predict(adept_prediction *out, adept_kernel_cost *kernels,
                                    const adept_workload *w, const adept_hardware_spec *spec,
                                    const adept_theta *theta, const adept_run *run, adept_error *err) {
    enum { MEMOS = 256 }; /* on the stack, 140 kB */
    operator_items items;
    operator_memo memos[MEMOS];
    adept_status status = prepare(&items, memos, MEMOS, w, spec, theta, run, err);
    if (status == ADEPT_OK)
        predict(out, kernels, &items, theta, run);
    return status;
}

/* ---- many power limits ---- */

typedef struct operator_prepared {
    operator_items items;
    operator_memo memos[OPERATOR_ITEMS_KEPT];
} operator_prepared;

static adept_status prepare_many(void *memory, const adept_workload *w, const adept_hardware_spec *spec,
                                 const adept_theta *theta, const adept_run *run, adept_error *err) {
    operator_prepared *prepared = memory;
    return prepare(&prepared->items, prepared->memos, OPERATOR_ITEMS_KEPT, w, spec, theta, run, err);
}

static void predict_prepared(adept_prediction *out, void *memory, const adept_theta *theta,
                             const adept_run *run) {
    operator_prepared *prepared = memory;
    predict(out, NULL, &prepared->items, theta, run);
}

const adept_model adept_model_operator = {
    .parameters = adept_operator_parameters,
    .parameter_count = OP_PARAMETER_COUNT,
    .predict = adept_operator_predict,
    .prepared_B = sizeof(operator_prepared),
    .prepare = prepare_many,
    .predict_prepared = predict_prepared,
    .qualify = operator_range_judge,
};
