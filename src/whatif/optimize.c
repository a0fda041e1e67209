#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adept/explain.h"
#include "fail.h"
#include "number.h"
#include "sweep_object.h"

struct adept_optimum {
    adept_sweep *sweep;
    adept_optimize_options options;
    adept_optimum_point best, present;
    bool found;
    adept_optimum_counts counts;
    adept_optimum_point *front; /* by rising time, falling energy */
    size_t front_count, front_capacity;
    bool out_of_memory; /* of this program */
};

#define GOAL_NAME(code, name, unit) name,
#define GOAL_UNIT(code, name, unit) unit,
static const char *const goal_names[] = {ADEPT_GOAL_LIST(GOAL_NAME)};
static const char *const goal_units[] = {ADEPT_GOAL_LIST(GOAL_UNIT)};
#undef GOAL_NAME
#undef GOAL_UNIT

const char *adept_goal_name(adept_goal goal) {
    return goal_names[goal];
}

const char *adept_goal_unit(adept_goal goal) {
    return goal_units[goal];
}

bool adept_goal_find(adept_goal *out, const char *name) {
    for (int i = 0; i < ADEPT_GOAL_COUNT; i++) {
        if (strcmp(goal_names[i], name) == 0) {
            *out = (adept_goal)i;
            return true;
        }
    }
    return false;
}

/* ---- one point ---- */

/* Money of one sample: rent of the GPUs, and energy where its price is given. */
static double cost_of(const adept_price *price, const adept_optimum_point *p, double gpus) {
    double rent = isnan(price->gpu_hour) ? 0 : price->gpu_hour * gpus * p->time_per_sample_s / 3600;
    double energy = isnan(price->kWh) ? 0 : price->kWh * price->pue * p->energy_per_sample_J / 3.6e6;
    return rent + energy;
}

static double goal_of(const adept_optimize_options *o, const adept_optimum_point *p, double gpus) {
    double t = p->time_per_sample_s, e = p->energy_per_sample_J;
    switch (o->goal) {
    case ADEPT_GOAL_TIME:
        return t;
    case ADEPT_GOAL_EDP:
        return e * t;
    case ADEPT_GOAL_ED2P:
        return e * t * t;
    case ADEPT_GOAL_COST:
        return cost_of(&o->price, p, gpus);
    default:
        return e;
    }
}

static adept_optimum_point point_of(const adept_optimum *o, const adept_sweep_row *row,
                                    const double *values) {
    const adept_prediction *p = &row->prediction;
    adept_optimum_point point = {.step_time_s = p->step_time_s,
                                 .average_power_W = p->average_power_W,
                                 .energy_per_step_J = p->energy_per_step_J,
                                 .samples = row->samples,
                                 .time_per_sample_s = p->step_time_s / row->samples,
                                 .energy_per_sample_J = p->energy_per_step_J / row->samples,
                                 .extrapolation = row->extrapolation,
                                 .fits_in_memory = p->fits_in_memory};
    double gpus = p->energy_per_step_J / (p->average_power_W * p->step_time_s);
    for (size_t i = 0; i < o->sweep->axis_count; i++)
        point.values[i] = values[i];
    point.goal_per_sample = goal_of(&o->options, &point, gpus);
    return point;
}

static bool needs_power(const adept_optimize_options *options) {
    return options->goal != ADEPT_GOAL_TIME || options->max_power_W > 0;
}

/* Kernels outside the fitted range are those of the network: they do not tell its points apart. */
static bool is_refused(const adept_prediction *p) {
    for (size_t i = 0; i < p->note_count; i++) {
        adept_note_code code = p->notes[i].code;
        if (code != ADEPT_NOTE_OUTSIDE_FITTED_RANGE && adept_note_refused(code))
            return true;
    }
    return false;
}

/* Why a point does not count, as the counter to raise; NULL: it counts. */
static uint64_t *fault_of(adept_optimum *o, const adept_sweep_row *row) {
    const adept_prediction *p = &row->prediction;
    if (row->status != ADEPT_OK || is_refused(p))
        return &o->counts.failed;
    if (needs_power(&o->options) && p->power_evidence == ADEPT_EVIDENCE_NONE)
        return &o->counts.withheld;
    if (!p->fits_in_memory)
        return &o->counts.out_of_memory;
    if (o->options.max_step_time_s > 0 && p->step_time_s > o->options.max_step_time_s)
        return &o->counts.too_slow;
    if (o->options.max_power_W > 0 && p->average_power_W > o->options.max_power_W)
        return &o->counts.too_much_power;
    return NULL;
}

/* ---- the points that no other beats in both ---- */

/* Index of the first point of the front that is slower. */
static size_t place_in_front(const adept_optimum *o, double time_s) {
    size_t low = 0, high = o->front_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (o->front[middle].time_per_sample_s <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_to_front(adept_optimum *o, const adept_optimum_point *p) {
    if (isnan(p->energy_per_sample_J)) /* withheld: nothing to weigh time against */
        return;
    size_t at = place_in_front(o, p->time_per_sample_s), end;
    if (at > 0 && o->front[at - 1].energy_per_sample_J <= p->energy_per_sample_J)
        return;
    if (at > 0 && o->front[at - 1].time_per_sample_s == p->time_per_sample_s)
        at--;
    for (end = at; end < o->front_count && o->front[end].energy_per_sample_J >= p->energy_per_sample_J;)
        end++;
    if (end == at && o->front_count == o->front_capacity) {
        size_t capacity = o->front_capacity ? 2 * o->front_capacity : 64;
        adept_optimum_point *grown = realloc(o->front, capacity * sizeof *grown);
        if (!grown) {
            o->out_of_memory = true;
            return;
        }
        o->front = grown;
        o->front_capacity = capacity;
    }
    memmove(&o->front[at + 1], &o->front[end], (o->front_count - end) * sizeof *o->front);
    o->front[at] = *p;
    o->front_count = o->front_count + 1 - (end - at);
}

static void consider(adept_optimum *o, const adept_sweep_row *row, const double *values, bool grid) {
    o->counts.evaluated++;
    uint64_t *fault = fault_of(o, row);
    if (fault) {
        ++*fault;
        return;
    }
    adept_optimum_point p = point_of(o, row, values);
    if (!o->found || p.goal_per_sample < o->best.goal_per_sample)
        o->best = p;
    o->found = true;
    if (grid)
        add_to_front(o, &p);
}

static bool visit(const adept_sweep_row *row, void *user) {
    adept_optimum *o = user;
    double values[ADEPT_AXES_MAX];
    for (size_t i = 0; i < o->sweep->axis_count; i++)
        values[i] = o->sweep->axes[i].values[row->at[i]];
    consider(o, row, values, true);
    return !o->out_of_memory;
}

/* ---- between the points of the grid ---- */

/* Profile of the best point, kept while axes that need no other are refined. */
typedef struct refinement {
    adept_optimum *optimum;
    adept_profile *profile;
    adept_run run;
} refinement;

/* The goal at values; infinite where a constraint fails. */
static double goal_at(refinement *r, const double *values) {
    adept_sweep_row row = {0};
    adept_optimum *o = r->optimum;
    sweep_predict(o->sweep, 0, SWEEP_ALONE, r->profile, &r->run, values, &row);
    consider(o, &row, values, false);
    if (fault_of(o, &row))
        return INFINITY;
    return point_of(o, &row, values).goal_per_sample;
}

/* Golden sections between the neighbours of the best value on one axis; where constraints leave neither
 * point, towards the best one. */
static void refine_axis(refinement *r, size_t a) {
    const double golden = 0.6180339887498949;
    adept_optimum *o = r->optimum;
    const sweep_axis *axis = &o->sweep->axes[a];
    double low = -INFINITY, high = INFINITY, now = o->best.values[a], values[ADEPT_AXES_MAX];
    for (size_t i = 0; i < axis->count; i++) {
        if (axis->values[i] < now)
            low = fmax(low, axis->values[i]);
        if (axis->values[i] > now)
            high = fmin(high, axis->values[i]);
    }
    low = isinf(low) ? now : low;
    high = isinf(high) ? now : high;
    memcpy(values, o->best.values, sizeof values);
    double x1 = high - golden * (high - low), x2 = low + golden * (high - low);
    double y1 = (values[a] = x1, goal_at(r, values)), y2 = (values[a] = x2, goal_at(r, values));
    for (int i = 0; i < 40 && high - low > 1e-6 * fabs(high); i++) {
        bool lower = isinf(y1) && isinf(y2) ? o->best.values[a] < x1 : y1 <= y2;
        if (lower) {
            high = x2, x2 = x1, y2 = y1;
            values[a] = x1 = high - golden * (high - low);
            y1 = goal_at(r, values);
        } else {
            low = x1, x1 = x2, y1 = y2;
            values[a] = x2 = low + golden * (high - low);
            y2 = goal_at(r, values);
        }
    }
}

static adept_status refine(adept_optimum *o, adept_error *err) {
    refinement r = {.optimum = o};
    adept_status status = sweep_run_of(o->sweep, o->best.values, &r.run, err);
    if (status == ADEPT_OK)
        status = adept_profile_build(&r.profile, o->sweep->job.graph, &r.run, err);
    for (int round = 0; status == ADEPT_OK && round < 3; round++) {
        for (size_t i = 0; i < o->sweep->axis_count; i++) {
            if (adept_sweep_is_continuous(o->sweep, i) && o->sweep->axes[i].count > 2)
                refine_axis(&r, i);
        }
    }
    adept_profile_free(r.profile);
    add_to_front(o, &o->best);
    return status;
}

/* ---- natural ranges ---- */

static adept_status batch_range(char *spec, size_t size, const adept_whatif *job, adept_error *err) {
    int64_t largest = 1;
    adept_status status = adept_max_batch(&largest, job->graph, job->hardware, job->run, err);
    if (status != ADEPT_OK)
        return status;
    if (largest < 1)
        return adept_fail(err, ADEPT_RANGE, "not even one sample fits in memory");
    size_t used = (size_t)snprintf(spec, size, "batch=1");
    for (int64_t batch = 2; batch <= largest && used + 24 < size; batch *= 2)
        used += (size_t)snprintf(spec + used, size - used, ",%lld", (long long)batch);
    if (used + 24 < size && (largest & (largest - 1)))
        snprintf(spec + used, size - used, ",%lld", (long long)largest);
    return ADEPT_OK;
}

static void gpus_range(char *spec, size_t size, const adept_hardware_spec *s) {
    size_t used = (size_t)snprintf(spec, size, "gpus=1");
    for (int gpus = 2; gpus <= s->gpus_per_node && used + 12 < size; gpus *= 2)
        used += (size_t)snprintf(spec + used, size - used, ",%d", gpus);
}

/* The range of a key that the user gives none for. */
static adept_status natural_range(char *spec, size_t size, const char *key, const adept_whatif *job,
                                  adept_error *err) {
    const adept_hardware_spec *s = adept_hardware_spec_of(job->hardware);
    if (strcmp(key, "batch") == 0)
        return batch_range(spec, size, job, err);
    if (strcmp(key, "gpus") == 0)
        gpus_range(spec, size, s);
    else if (strcmp(key, "power-limit") == 0)
        snprintf(spec, size, "power-limit=%.17g:%.17g:61", s->min_power_limit_W, s->max_power_limit_W);
    else if (strcmp(key, "clock-limit") == 0)
        snprintf(spec, size, "clock-limit=%.17g:%.17g:36", 0.3 * s->boost_clock_Hz, s->max_clock_Hz);
    else if (strcmp(key, "precision") == 0)
        snprintf(spec, size, "precision=%s",
                 job->run->mode == ADEPT_MODE_TRAIN ? "fp32,tf32,fp16-amp,bf16-amp" : "fp32,tf32,fp16,bf16");
    else if (strcmp(key, "grad-accum") == 0)
        snprintf(spec, size, "grad-accum=1,2,4,8,16");
    else
        return adept_fail(err, ADEPT_ARGUMENT,
                          "--over %s: give its range with --sweep %s=A:B:N or %s=V1,V2,..", key, key, key);
    return ADEPT_OK;
}

enum { SPEC_SIZE = 1024 };

static adept_status plan_axes(adept_optimum *o, const adept_whatif *job, adept_error *err) {
    char natural[ADEPT_AXES_MAX][SPEC_SIZE];
    const char *specs[ADEPT_AXES_MAX];
    const adept_optimize_options *options = &o->options;
    adept_status status = ADEPT_OK;
    if (options->over_count == 0 || options->over_count > ADEPT_AXES_MAX)
        return adept_fail(err, ADEPT_ARGUMENT, "--over: give 1 to %d keys, for example power-limit,batch",
                          ADEPT_AXES_MAX);
    for (size_t i = 0; i < options->over_count && status == ADEPT_OK; i++) {
        size_t length = strlen(options->over[i]);
        specs[i] = natural[i];
        bool given = false;
        for (size_t j = 0; j < options->sweep_count; j++) {
            if (strncmp(options->sweeps[j], options->over[i], length) == 0 &&
                options->sweeps[j][length] == '=') {
                specs[i] = options->sweeps[j];
                given = true;
            }
        }
        if (!given)
            status = natural_range(natural[i], SPEC_SIZE, options->over[i], job, err);
    }
    return status == ADEPT_OK ? adept_sweep_new(&o->sweep, job, specs, options->over_count, err) : status;
}

/* The run's own value of an axis; of a choice: its index in the list, NaN if it is not among them. A batch
 * size that the run leaves open is the network's. */
static double present_value(const sweep_axis *axis, const adept_whatif *job, const adept_profile *profile) {
    if (axis->key.kind != WHATIF_CHOICE) {
        double value = whatif_key_value(&axis->key, job->hardware, adept_profile_run(profile));
        bool open = isnan(value) && strcmp(axis->key.name, "batch") == 0;
        return open ? adept_profile_workload(profile)->samples : value;
    }
    for (size_t i = 0; i < axis->count; i++) {
        adept_run probe = *job->run;
        if (adept_run_set(&probe, axis->key.name, axis->texts[i], NULL) == ADEPT_OK &&
            adept_run_same(&probe, job->run, axis->key.name))
            return (double)i;
    }
    return NAN;
}

/* The job without any of it, for comparison. */
static adept_status evaluate_present(adept_optimum *o, const adept_whatif *job, adept_error *err) {
    adept_profile *profile = NULL;
    adept_sweep_row row = {0};
    const double none[ADEPT_AXES_MAX] = {0};
    adept_status status = adept_profile_build(&profile, job->graph, job->run, err);
    if (status == ADEPT_OK)
        status =
            adept_predict(&row.prediction, adept_profile_workload(profile), job->hardware, job->run, err);
    if (status == ADEPT_OK) {
        const adept_workload *w = adept_profile_workload(profile);
        row.samples = w->samples * w->grad_accum * w->gpus;
        o->present = point_of(o, &row, none);
        for (size_t i = 0; i < o->sweep->axis_count; i++)
            o->present.values[i] = present_value(&o->sweep->axes[i], job, profile);
    }
    adept_profile_free(profile);
    return status;
}

static void add_reason(char *text, size_t size, uint64_t points, const char *format, double limit) {
    size_t used = strlen(text);
    if (points == 0)
        return;
    used += (size_t)snprintf(text + used, size - used, ", %llu ", (unsigned long long)points);
    if (used < size)
        snprintf(text + used, size - used, format, limit);
}

static adept_status nothing_found(const adept_optimum *o, adept_error *err) {
    const adept_optimum_counts *c = &o->counts;
    char reasons[512] = "";
    add_reason(reasons, sizeof reasons, c->out_of_memory, "do not fit in memory", 0);
    add_reason(reasons, sizeof reasons, c->too_slow, "are slower than %g s", o->options.max_step_time_s);
    add_reason(reasons, sizeof reasons, c->too_much_power, "draw more than %g W", o->options.max_power_W);
    add_reason(reasons, sizeof reasons, c->withheld,
               "have no power, which is withheld on this GPU (--optimize time does without)", 0);
    add_reason(reasons, sizeof reasons, c->failed, "have no prediction or one that --strict refuses", 0);
    return adept_fail(err, ADEPT_RANGE, "no point holds the constraints: of %llu%s",
                      (unsigned long long)c->evaluated, reasons);
}

adept_status adept_optimize(adept_optimum **out, const adept_whatif *job,
                            const adept_optimize_options *options, adept_error *err) {
    *out = NULL;
    if (options->goal == ADEPT_GOAL_COST && isnan(options->price.gpu_hour) && isnan(options->price.kWh))
        return adept_fail(err, ADEPT_ARGUMENT,
                          "--optimize cost: no price is known for this GPU; give --prices");
    adept_optimum *o = calloc(1, sizeof *o);
    if (!o)
        return adept_fail_memory(err);
    o->options = *options;
    adept_status status = plan_axes(o, job, err);
    if (status == ADEPT_OK)
        status = evaluate_present(o, job, err);
    if (status == ADEPT_OK)
        status = adept_sweep_run(o->sweep, visit, o, err);
    if (status == ADEPT_OK && !o->found)
        status = nothing_found(o, err);
    if (status == ADEPT_OK)
        status = refine(o, err);
    if (status == ADEPT_OK && o->out_of_memory)
        status = adept_fail_memory(err);
    if (status != ADEPT_OK)
        adept_optimum_free(o);
    else
        *out = o;
    return status;
}

void adept_optimum_free(adept_optimum *o) {
    if (!o)
        return;
    adept_sweep_free(o->sweep);
    free(o->front);
    free(o);
}

const adept_sweep *adept_optimum_sweep(const adept_optimum *o) {
    return o->sweep;
}

adept_goal adept_optimum_goal(const adept_optimum *o) {
    return o->options.goal;
}

const adept_optimum_point *adept_optimum_best(const adept_optimum *o) {
    return &o->best;
}

const adept_optimum_point *adept_optimum_present(const adept_optimum *o) {
    return &o->present;
}

size_t adept_optimum_front_count(const adept_optimum *o) {
    return o->front_count;
}

const adept_optimum_point *adept_optimum_front(const adept_optimum *o, size_t index) {
    return &o->front[index];
}

adept_optimum_counts adept_optimum_counts_of(const adept_optimum *o) {
    return o->counts;
}

const char *adept_optimum_text(const adept_optimum *o, const adept_optimum_point *point, size_t axis,
                               char buffer[40]) {
    const sweep_axis *a = &o->sweep->axes[axis];
    double value = point->values[axis];
    if (isnan(value))
        return "-";
    if (a->key.kind == WHATIF_CHOICE)
        return a->texts[(size_t)value];
    return adept_number_format(buffer, value);
}
