#include <stdlib.h>
#include <string.h>

#include "adept/explain.h"
#include "arena.h"
#include "fail.h"

struct adept_outside {
    adept_arena *arena;
    adept_outside_row *rows;
    size_t count;
};

/* The row of this kernel and operator type; a new one if there is none. */
static adept_outside_row *row_of(adept_outside *o, const adept_kernel *kernel, const char *op_type) {
    for (size_t i = 0; i < o->count; i++) {
        adept_outside_row *row = &o->rows[i];
        if (row->kind == kernel->kind && row->math == kernel->math && strcmp(row->op_type, op_type) == 0)
            return row;
    }
    o->rows[o->count] = (adept_outside_row){.kind = kernel->kind, .math = kernel->math, .op_type = op_type};
    return &o->rows[o->count++];
}

static int by_share(const void *a, const void *b) {
    const adept_outside_row *x = a, *y = b;
    return x->share > y->share ? -1 : x->share < y->share;
}

/* Time of all launches of a kernel in the step: the optimizer runs once, the passes once per micro-batch. */
static double step_time_s(const adept_workload *w, const adept_kernel_cost *costs, size_t kernel) {
    bool optimizer = w->kernels[kernel].pass == ADEPT_PASS_OPTIMIZER;
    return costs[kernel].time_s * (optimizer ? 1 : w->grad_accum);
}

static adept_status collect(adept_outside *o, const adept_profile *profile, const adept_kernel_cost *costs,
                            adept_error *err) {
    const adept_workload *w = adept_profile_workload(profile);
    double busy_s = 0;
    double *launched = adept_arena_array(o->arena, w->kernel_count, sizeof *launched);
    o->rows = adept_arena_array(o->arena, w->launch_count, sizeof *o->rows);
    if (!launched || !o->rows)
        return adept_fail_memory(err);
    for (size_t i = 0; i < w->kernel_count; i++)
        busy_s += step_time_s(w, costs, i);
    for (size_t i = 0; i < w->launch_count; i++)
        launched[w->launches[i].kernel] += w->launches[i].count;
    for (size_t i = 0; i < w->launch_count; i++) {
        const adept_launch *launch = &w->launches[i];
        const adept_kernel *kernel = &w->kernels[launch->kernel];
        if (adept_kernel_in_fitted_range(kernel) || !(launched[launch->kernel] > 0))
            continue;
        bool known = launch->op < adept_profile_operator_count(profile);
        adept_outside_row *row =
            row_of(o, kernel, known ? adept_profile_operator(profile, launch->op)->op_type : "optimizer");
        row->share +=
            step_time_s(w, costs, launch->kernel) / busy_s * launch->count / launched[launch->kernel];
    }
    if (o->count > 0)
        qsort(o->rows, o->count, sizeof *o->rows, by_share);
    return ADEPT_OK;
}

adept_status adept_outside_range(adept_outside **out, const adept_profile *profile,
                                 const adept_hardware *hardware, const adept_run *run, adept_error *err) {
    const adept_workload *w = adept_profile_workload(profile);
    adept_arena *arena = adept_arena_new(0);
    adept_outside *o = arena ? adept_arena_alloc(arena, sizeof *o) : NULL;
    adept_kernel_cost *costs = o ? adept_arena_array(arena, w->kernel_count, sizeof *costs) : NULL;
    adept_theta theta;
    adept_prediction prediction;
    *out = NULL;
    if (!costs) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    o->arena = arena;
    adept_status status = adept_theta_init(&theta, run->variant, hardware, err);
    if (status == ADEPT_OK)
        status =
            adept_predict_with(&prediction, costs, w, adept_hardware_spec_of(hardware), &theta, run, err);
    if (status == ADEPT_OK)
        status = collect(o, profile, costs, err);
    if (status == ADEPT_OK || status == ADEPT_UNSUPPORTED) {
        *out = o; /* a variant without costs of kernels: no rows */
        return ADEPT_OK;
    }
    adept_arena_free(arena);
    return status;
}

void adept_outside_free(adept_outside *outside) {
    if (outside)
        adept_arena_free(outside->arena);
}

size_t adept_outside_count(const adept_outside *outside) {
    return outside ? outside->count : 0;
}

const adept_outside_row *adept_outside_at(const adept_outside *outside, size_t index) {
    return index < adept_outside_count(outside) ? &outside->rows[index] : NULL;
}
