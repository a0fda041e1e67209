#include "adept/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "string_map.h"

struct adept_explanation {
    adept_arena *arena;
    bool has_costs;
    adept_operator_cost *operators;
    adept_module_cost *modules;
    size_t remedy_count;
    adept_remedy *remedies;
};

/* --- costs of operators --- */

/* Kernels are costed once for all their launches: each launch takes its share. */
static adept_status cost_operators(adept_explanation *e, const adept_profile *profile,
                                   const adept_kernel_cost *costs, adept_error *err) {
    const adept_workload *w = adept_profile_workload(profile);
    size_t rows = adept_profile_operator_count(profile);
    double *launched = adept_arena_array(e->arena, w->kernel_count, sizeof *launched);
    double *longest = adept_arena_array(e->arena, rows, sizeof *longest);
    e->operators = adept_arena_array(e->arena, rows, sizeof *e->operators);
    if (!launched || !longest || !e->operators)
        return adept_fail_memory(err);
    for (size_t i = 0; i < w->launch_count; i++)
        launched[w->launches[i].kernel] += w->launches[i].count;
    for (size_t i = 0; i < w->launch_count; i++) {
        const adept_launch *launch = &w->launches[i];
        if (launch->op >= rows || !(launched[launch->kernel] > 0))
            continue;
        double share = launch->count / launched[launch->kernel];
        double time_s = costs[launch->kernel].time_s * share;
        adept_operator_cost *op = &e->operators[launch->op];
        op->time_s += time_s;
        op->energy_J += costs[launch->kernel].energy_J * share;
        if (time_s >= longest[launch->op]) {
            longest[launch->op] = time_s;
            op->bound = costs[launch->kernel].bound;
        }
    }
    return ADEPT_OK;
}

enum { MAX_PATH = 1024 };

/* An operator counts for its module and for all that contain it. */
static adept_status cost_modules(adept_explanation *e, const adept_profile *profile, adept_error *err) {
    size_t modules = adept_profile_module_count(profile);
    adept_string_map rows = ADEPT_STRING_MAP_INIT;
    bool ok = true;
    e->modules = adept_arena_array(e->arena, modules, sizeof *e->modules);
    for (size_t i = 0; ok && i < modules; i++)
        ok = adept_string_map_put(&rows, adept_profile_module(profile, i)->path, (int32_t)i);
    for (size_t i = 0; ok && e->modules && i < adept_profile_operator_count(profile); i++) {
        char path[MAX_PATH];
        const adept_operator *op = adept_profile_operator(profile, i);
        if (op->part_of >= 0 || strlen(op->module) >= sizeof path)
            continue;
        memcpy(path, op->module, strlen(op->module) + 1);
        for (char *end = path + strlen(path);; end = strrchr(path, '.')) {
            if (!end)
                end = path;
            *end = '\0';
            int32_t row = adept_string_map_get(&rows, path, -1);
            if (row >= 0) {
                e->modules[row].time_s += e->operators[i].time_s;
                e->modules[row].energy_J += e->operators[i].energy_J;
            }
            if (end == path)
                break;
        }
    }
    adept_string_map_clear(&rows);
    return ok && e->modules ? ADEPT_OK : adept_fail_memory(err);
}

/* No energies where adept_predict withholds power. */
static void withhold_energies(adept_kernel_cost *costs, adept_prediction *prediction, const adept_workload *w,
                              const adept_hardware *hardware, const adept_theta *theta) {
    adept_prediction_qualify(prediction, w, hardware, theta);
    if (prediction->power_evidence != ADEPT_EVIDENCE_NONE)
        return;
    for (size_t i = 0; i < w->kernel_count; i++)
        costs[i].energy_J = NAN;
}

static adept_status cost(adept_explanation *e, const adept_profile *profile, const adept_hardware *hardware,
                         const adept_theta *theta, const adept_run *run, adept_error *err) {
    const adept_workload *w = adept_profile_workload(profile);
    adept_prediction prediction;
    adept_kernel_cost *costs = adept_arena_array(e->arena, w->kernel_count, sizeof *costs);
    if (!costs)
        return adept_fail_memory(err);
    adept_status status =
        adept_predict_with(&prediction, costs, w, adept_hardware_spec_of(hardware), theta, run, err);
    if (status == ADEPT_UNSUPPORTED)
        return ADEPT_OK;
    e->has_costs = status == ADEPT_OK;
    if (status == ADEPT_OK)
        withhold_energies(costs, &prediction, w, hardware, theta);
    if (status == ADEPT_OK)
        status = cost_operators(e, profile, costs, err);
    return status == ADEPT_OK ? cost_modules(e, profile, err) : status;
}

/* --- what would help --- */

static void twice_compute(adept_hardware_spec *spec, adept_run *run) {
    (void)run;
    for (int i = 0; i < ADEPT_PEAK_COUNT; i++)
        spec->peak_flop_per_s[i] *= 2;
}

static void twice_bandwidth(adept_hardware_spec *spec, adept_run *run) {
    (void)run;
    spec->memory_bandwidth_B_per_s *= 2;
}

static void half_launch(adept_hardware_spec *spec, adept_run *run) {
    (void)spec;
    run->launch_s /= 2;
}

static void twice_link(adept_hardware_spec *spec, adept_run *run) {
    (void)run;
    spec->link_B_per_s *= 2;
    spec->pcie_B_per_s *= 2;
    spec->internode_B_per_s =
        2 * (isnan(spec->internode_B_per_s) ? ADEPT_NETWORK_B_PER_S : spec->internode_B_per_s);
}

static void more_power(adept_hardware_spec *spec, adept_run *run) {
    run->power_limit_W = 0;
    spec->tdp_W *= 1.25;
    spec->max_power_limit_W *= 1.25;
}

static const struct {
    const char *what;
    void (*change)(adept_hardware_spec *spec, adept_run *run);
    bool several_gpus;
} changes[] = {
    {"twice the peak arithmetic rates",  twice_compute,   false},
    {"twice the memory bandwidth",       twice_bandwidth, false},
    {"kernel launches at half the cost", half_launch,     false},
    {"a quarter more power",             more_power,      false},
    {"twice the bandwidth between GPUs", twice_link,      true },
};
enum { CHANGE_COUNT = sizeof changes / sizeof changes[0] };

static int by_time(const void *a, const void *b) {
    const adept_remedy *x = a, *y = b;
    return x->step_time_s < y->step_time_s ? -1 : x->step_time_s > y->step_time_s;
}

static adept_status find_remedies(adept_explanation *e, const adept_profile *profile,
                                  const adept_hardware *hardware, const adept_theta *theta,
                                  const adept_run *run, adept_error *err) {
    e->remedies = adept_arena_array(e->arena, CHANGE_COUNT, sizeof *e->remedies);
    if (!e->remedies)
        return adept_fail_memory(err);
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        adept_hardware_spec spec = *adept_hardware_spec_of(hardware);
        adept_run changed = *run;
        adept_prediction prediction;
        if (changes[i].several_gpus && run->gpus < 2)
            continue;
        if (changes[i].change == half_launch && !(run->launch_s > 0))
            continue;
        changes[i].change(&spec, &changed);
        adept_status status = adept_predict_with(&prediction, NULL, adept_profile_workload(profile), &spec,
                                                 theta, &changed, err);
        if (status != ADEPT_OK)
            return status;
        adept_prediction_qualify(&prediction, adept_profile_workload(profile), hardware, theta);
        e->remedies[e->remedy_count++] =
            (adept_remedy){changes[i].what, prediction.step_time_s, prediction.energy_per_step_J};
    }
    qsort(e->remedies, e->remedy_count, sizeof *e->remedies, by_time);
    return ADEPT_OK;
}

adept_status adept_explain(adept_explanation **out, const adept_profile *profile,
                           const adept_hardware *hardware, const adept_run *run, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_explanation *e = arena ? adept_arena_alloc(arena, sizeof *e) : NULL;
    if (!e) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    e->arena = arena;
    adept_theta theta;
    adept_status status = adept_theta_init(&theta, run->variant, hardware, err);
    if (status == ADEPT_OK)
        status = cost(e, profile, hardware, &theta, run, err);
    if (status == ADEPT_OK)
        status = find_remedies(e, profile, hardware, &theta, run, err);
    if (status != ADEPT_OK) {
        adept_explanation_free(e);
        return status;
    }
    *out = e;
    return ADEPT_OK;
}

void adept_explanation_free(adept_explanation *explanation) {
    if (explanation)
        adept_arena_free(explanation->arena);
}

bool adept_explanation_has_costs(const adept_explanation *explanation) {
    return explanation->has_costs;
}

adept_operator_cost adept_explanation_operator(const adept_explanation *explanation, size_t row) {
    return explanation->operators ? explanation->operators[row] : (adept_operator_cost){0};
}

adept_module_cost adept_explanation_module(const adept_explanation *explanation, size_t index) {
    return explanation->modules ? explanation->modules[index] : (adept_module_cost){0};
}

size_t adept_explanation_remedy_count(const adept_explanation *explanation) {
    return explanation->remedy_count;
}

const adept_remedy *adept_explanation_remedy(const adept_explanation *explanation, size_t index) {
    return index < explanation->remedy_count ? &explanation->remedies[index] : NULL;
}
