#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "derivative.h"
#include "fail.h"
#include "whatif_keys.h"
#include "worker_pool.h"

/* Elasticities below this are rounding. */
#define NO_EFFECT 1e-9
/* Where a figure stops to matter is looked for up to this factor, on a grid, then by halving. */
#define FARTHEST 64.0
enum { GRID_PER_OCTAVE = 8, GRID = 6 * GRID_PER_OCTAVE, HALVINGS = 40 };

struct adept_sensitivity {
    adept_arena *arena;
    size_t count, without_effect;
    adept_sensitivity_row *rows;
    adept_bound bound;
    bool power_withheld;
};

/* One figure varied on one thread. */
typedef struct variation {
    const adept_whatif *job;
    const adept_workload *workload;
    adept_hardware *hardware; /* the thread's own */
    adept_theta theta;
    const whatif_key *key;
    double value;
    adept_bound bound; /* of the last evaluation */
} variation;

/* ln T and ln P with the figure times exp(h). */
static bool evaluate(double h, double y[DERIVATIVE_OUTPUTS], void *user) {
    variation *v = user;
    adept_prediction p;
    double value = h == 0 ? v->value : v->value * exp(h);
    if (whatif_apply(v->hardware, &v->theta, v->job->hardware, v->key, &value, 1, NULL) != ADEPT_OK)
        return false;
    if (adept_predict_with(&p, NULL, v->workload, adept_hardware_spec_of(v->hardware), &v->theta, v->job->run,
                           NULL) != ADEPT_OK)
        return false;
    v->bound = p.bound;
    y[0] = log(p.step_time_s);
    y[1] = log(p.average_power_W);
    return true;
}

static adept_elasticity elasticity_of(const derivative *d) {
    return (adept_elasticity){d->below, d->above, d->kink, d->jump};
}

static adept_elasticity sum_of(const adept_elasticity *a, const adept_elasticity *b) {
    return (adept_elasticity){a->below + b->below, a->above + b->above, a->kink || b->kink,
                              a->jump || b->jump};
}

static double slope_at(variation *v, double h) {
    const double step = 1e-3;
    double above[DERIVATIVE_OUTPUTS], below[DERIVATIVE_OUTPUTS];
    if (!evaluate(h + step, above, v) || !evaluate(h - step, below, v))
        return NAN;
    return (above[0] - below[0]) / (2 * step);
}

/* Has what is looked for happened at h? */
typedef bool turning(variation *v, double h, double reference);

static bool other_bound(variation *v, double h, double reference) {
    double y[DERIVATIVE_OUTPUTS];
    return evaluate(h, y, v) && v->bound != (adept_bound)reference;
}

static bool half_slope(variation *v, double h, double reference) {
    return fabs(slope_at(v, h)) < fabs(reference) / 2;
}

/* Outside its table's bounds a parameter means nothing. */
static bool means_something(const variation *v, double h) {
    double value = v->value * exp(h);
    if (v->key->kind != WHATIF_PARAMETER)
        return true;
    const adept_parameter *p = adept_parameter_at(v->key->variant, v->key->index);
    return value >= p->lower && value <= p->upper;
}

/* The first h on the grid in a direction where it has happened, then halved down; NaN: nowhere. */
static double find_turning(variation *v, turning *happened, double reference, double direction) {
    const double step = direction * log(2) / GRID_PER_OCTAVE;
    for (int i = 1; i <= GRID && means_something(v, i * step); i++) {
        if (!happened(v, i * step, reference))
            continue;
        double before = (i - 1) * step, after = i * step;
        for (int k = 0; k < HALVINGS; k++) {
            double middle = (before + after) / 2;
            *(happened(v, middle, reference) ? &after : &before) = middle;
        }
        return after;
    }
    return NAN;
}

/* Step time over the present one as far out as the figure's bounds allow. */
static double gain_at_end(variation *v, double direction) {
    double now[DERIVATIVE_OUTPUTS], there[DERIVATIVE_OUTPUTS];
    if (!evaluate(0, now, v))
        return 1;
    for (int i = GRID; i > 0; i--) {
        double h = direction * i * log(2) / GRID_PER_OCTAVE;
        if (means_something(v, h) && evaluate(h, there, v))
            return exp(there[0] - now[0]);
    }
    return 1;
}

static void find_ends(variation *v, adept_sensitivity_row *row, adept_bound bound) {
    double slope = isnan(row->time.above) ? row->time.below : row->time.above;
    double direction = slope < 0 ? 1 : -1;
    row->takeover_value = row->half_value = NAN;
    row->gain_at_end = 1;
    if (!(fabs(slope) > 1e-3))
        return;
    double h = find_turning(v, other_bound, bound, direction), y[DERIVATIVE_OUTPUTS];
    if (!isnan(h) && evaluate(h, y, v)) {
        row->takeover_value = v->value * exp(h);
        row->takeover_bound = v->bound;
    }
    row->half_value = v->value * exp(find_turning(v, half_slope, slope, direction));
    row->gain_at_end = gain_at_end(v, direction);
}

typedef struct sensitivity_job {
    const adept_whatif *job;
    const adept_workload *workload;
    const whatif_key *keys;
    adept_sensitivity_row *rows;
    adept_status *statuses;
    adept_bound bound;
} sensitivity_job;

static void differentiate(void *user, size_t task, size_t thread) {
    sensitivity_job *job = user;
    adept_sensitivity_row *row = &job->rows[task];
    variation v = {.job = job->job, .workload = job->workload, .key = &job->keys[task]};
    derivative d[DERIVATIVE_OUTPUTS];
    (void)thread;
    adept_status status = adept_hardware_copy(&v.hardware, job->job->hardware, NULL);
    if (status == ADEPT_OK)
        status = adept_theta_init(&v.theta, job->job->run->variant, job->job->hardware, NULL);
    job->statuses[task] = status;
    if (status != ADEPT_OK)
        return;
    v.value = whatif_key_value(v.key, job->job->hardware, job->job->run);
    derivative_make(d, evaluate, &v);
    *row = (adept_sensitivity_row){.key = v.key->name, .unit = v.key->unit, .value = v.value};
    row->time = elasticity_of(&d[0]);
    row->power = elasticity_of(&d[1]);
    row->energy = sum_of(&row->time, &row->power); /* E = N_g P T */
    row->error = fmax(d[0].error, d[1].error);
    find_ends(&v, row, job->bound);
    adept_hardware_free(v.hardware);
}

/* ---- which figures ---- */

/* A logarithmic derivative needs a value above 0. */
static size_t collect_keys(whatif_key *keys, const adept_whatif *job) {
    size_t count = 0;
    char name[128];
    adept_variant variant = job->run->variant;
    for (size_t i = 0; i < adept_hardware_field_count() + adept_parameter_count(variant); i++) {
        size_t fields = adept_hardware_field_count();
        if (i < fields)
            snprintf(name, sizeof name, "%s", adept_hardware_field_at(i)->path);
        else
            snprintf(name, sizeof name, "theta.%s.%s", adept_variant_name(variant),
                     adept_parameter_at(variant, i - fields)->name);
        if (whatif_key_find(&keys[count], name, false, NULL) == ADEPT_OK &&
            whatif_key_value(&keys[count], job->hardware, job->run) > 0)
            count++;
    }
    return count;
}

static double effect_of(const adept_elasticity *e) {
    return fmax(isnan(e->below) ? 0 : fabs(e->below), isnan(e->above) ? 0 : fabs(e->above));
}

static double weight_of(const adept_sensitivity_row *row) {
    return fmax(effect_of(&row->time), fmax(effect_of(&row->power), effect_of(&row->energy)));
}

static int by_effect(const void *a, const void *b) {
    const adept_sensitivity_row *x = a, *y = b;
    double wx = effect_of(&x->time), wy = effect_of(&y->time);
    if (wx < NO_EFFECT && wy < NO_EFFECT) {
        wx = effect_of(&x->power);
        wy = effect_of(&y->power);
    }
    return wx > wy ? -1 : wx < wy ? 1 : strcmp(x->key, y->key);
}

/* Where no measurement supports a figure of power, none supports its slope. */
static void withhold_power(adept_sensitivity *s) {
    const adept_elasticity unknown = {NAN, NAN, false, false};
    for (size_t i = 0; i < s->count; i++)
        s->rows[i].power = s->rows[i].energy = unknown;
}

static void drop_without_effect(adept_sensitivity *s) {
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (weight_of(&s->rows[i]) > NO_EFFECT)
            s->rows[kept++] = s->rows[i];
    }
    s->without_effect = s->count - kept;
    s->count = kept;
    qsort(s->rows, s->count, sizeof *s->rows, by_effect);
}

static adept_status run_all(adept_sensitivity *s, const adept_whatif *job, const adept_workload *workload,
                            adept_error *err) {
    size_t most = adept_hardware_field_count() + adept_parameter_count(job->run->variant);
    whatif_key *keys = adept_arena_array(s->arena, most, sizeof *keys);
    sensitivity_job all = {.job = job, .workload = workload, .keys = keys, .bound = s->bound};
    adept_worker_pool *pool = NULL;
    all.rows = s->rows = adept_arena_array(s->arena, most, sizeof *s->rows);
    all.statuses = adept_arena_array(s->arena, most, sizeof *all.statuses);
    if (!keys || !s->rows || !all.statuses)
        return adept_fail_memory(err);
    s->count = collect_keys(keys, job);
    adept_status status = adept_worker_pool_new(&pool, job->threads, err);
    if (status != ADEPT_OK)
        return status;
    adept_worker_pool_run(pool, s->count, differentiate, &all);
    adept_worker_pool_free(pool);
    for (size_t i = 0; i < s->count && status == ADEPT_OK; i++)
        status = all.statuses[i] == ADEPT_OK ? ADEPT_OK : adept_fail_memory(err);
    if (s->power_withheld)
        withhold_power(s);
    drop_without_effect(s);
    return status;
}

adept_status adept_sensitivity_new(adept_sensitivity **out, const adept_whatif *job, adept_error *err) {
    adept_profile *profile = NULL;
    adept_prediction now;
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_sensitivity *s = arena ? adept_arena_alloc(arena, sizeof *s) : NULL;
    if (!s) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    s->arena = arena;
    adept_status status = adept_profile_build(&profile, job->graph, job->run, err);
    if (status == ADEPT_OK)
        status = adept_predict(&now, adept_profile_workload(profile), job->hardware, job->run, err);
    if (status == ADEPT_OK) {
        s->bound = now.bound;
        s->power_withheld = now.power_evidence == ADEPT_EVIDENCE_NONE;
        status = run_all(s, job, adept_profile_workload(profile), err);
    }
    adept_profile_free(profile);
    if (status != ADEPT_OK)
        adept_sensitivity_free(s);
    else
        *out = s;
    return status;
}

void adept_sensitivity_free(adept_sensitivity *sensitivity) {
    if (sensitivity)
        adept_arena_free(sensitivity->arena);
}

size_t adept_sensitivity_count(const adept_sensitivity *sensitivity) {
    return sensitivity->count;
}

const adept_sensitivity_row *adept_sensitivity_at(const adept_sensitivity *sensitivity, size_t index) {
    return &sensitivity->rows[index];
}

adept_bound adept_sensitivity_bound(const adept_sensitivity *sensitivity) {
    return sensitivity->bound;
}

size_t adept_sensitivity_without_effect(const adept_sensitivity *sensitivity) {
    return sensitivity->without_effect;
}
