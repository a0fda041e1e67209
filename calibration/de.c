#include "de.h"

#include <math.h>
#include <string.h>

#include "de_kernels.h"
#include "de_object.h"
#include "fail.h"
#include "latin_hypercube.h"
#include "random.h"

/* ---- strategies ---------------------------------------------------------------------------------------- */

/* A mutated value outside its bounds; u is uniform in [0, 1). */
typedef double repair_function(double value, adept_bounds bounds, double u);

static double repair_by_redraw(double value, adept_bounds bounds, double u) {
    (void)value;
    const double drawn = bounds.lower + u * (bounds.upper - bounds.lower);
    return drawn < bounds.upper ? drawn : bounds.upper;
}

static double repair_by_clipping(double value, adept_bounds bounds, double u) {
    (void)u;
    return value < bounds.lower ? bounds.lower : bounds.upper;
}

/* Mutant v = base + F (plus - minus), plus and minus drawn at random; "bin": binomial crossover. */
struct de_strategy {
    const char *name;
    bool base_is_best; /* else drawn at random */
    repair_function *repair;
};

static const de_strategy strategies[] = {
    {"best1bin", true,  repair_by_redraw  }, /* as SciPy */
    {"rand1bin", false, repair_by_clipping}, /* thesis, algorithm 2 */
};

enum { STRATEGIES = sizeof strategies / sizeof strategies[0] };

const char *adept_de_strategy_name(size_t row) {
    return row < STRATEGIES ? strategies[row].name : NULL;
}

const char *de_strategy_name(const de_strategy *strategy) {
    return strategy->name;
}

static const de_strategy *find_strategy(const char *name) {
    for (size_t i = 0; name && i < STRATEGIES; i++) {
        if (strcmp(strategies[i].name, name) == 0)
            return &strategies[i];
    }
    return NULL;
}

/* ---- random numbers: a fixed range of counters per generation and candidate ---------------------------- */

enum { STREAM_START, STREAM_TRIAL, STREAM_DITHER };

/* Within a candidate's range: two numbers for the picks, two crossover draws in each of the next, then one
 * redraw per free parameter. */
enum { DRAW_PICKS, DRAW_CROSSOVER = 2 };

static size_t crossover_draws(const adept_de *de) {
    return (de->free_count + 1) / 2;
}

static uint64_t first_counter(const adept_de *de, size_t candidate) {
    const uint64_t range = DRAW_CROSSOVER + crossover_draws(de) + de->free_count;
    return (de->generation * de->members + candidate) * range;
}

/* A member other than those in `taken` (ascending), each of the rest equally likely. */
static uint32_t pick_other(const adept_de *de, uint32_t bits, const uint32_t *taken, uint32_t taken_count) {
    uint32_t member = adept_random_scale(bits, (uint32_t)de->members - taken_count);
    for (uint32_t i = 0; i < taken_count; i++)
        member += member >= taken[i];
    return member;
}

static void insert_ascending(uint32_t *taken, uint32_t count, uint32_t member) {
    for (; count > 0 && taken[count - 1] > member; count--)
        taken[count] = taken[count - 1];
    taken[count] = member;
}

/* plus, minus and a random base differ from one another and from the candidate. */
static void pick_members(const adept_de *de, de_scratch *s, size_t first, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint64_t counter = s->counter[i] = first_counter(de, first + i);
        const uint64_t a = adept_random_at(de->trial_key, counter + DRAW_PICKS);
        const uint64_t b = adept_random_at(de->trial_key, counter + DRAW_PICKS + 1);
        uint32_t taken[3] = {(uint32_t)(first + i)};
        s->plus[i] = pick_other(de, (uint32_t)a, taken, 1);
        insert_ascending(taken, 1, s->plus[i]);
        s->minus[i] = pick_other(de, (uint32_t)(a >> 32), taken, 2);
        insert_ascending(taken, 2, s->minus[i]);
        s->base[i] = de->strategy->base_is_best ? (uint32_t)de->best : pick_other(de, (uint32_t)b, taken, 3);
        s->forced[i] = adept_random_scale((uint32_t)(b >> 32), (uint32_t)de->free_count);
    }
}

/* ---- one block of candidates --------------------------------------------------------------------------- */

static void repair(const adept_de *de, const de_scratch *s, size_t k, double *value, size_t candidate) {
    const uint64_t draw = DRAW_CROSSOVER + crossover_draws(de) + k;
    const double u = adept_random_unit(adept_random_at(de->trial_key, s->counter[candidate] + draw));
    *value = de->strategy->repair(*value, de->bounds[de->free[k]], u);
}

/* Free parameter k of the block; those outside are listed first, which costs no mispredicted branches. */
static void repair_outside(const adept_de *de, const de_scratch *s, size_t k, double *trial, size_t count) {
    const adept_bounds bounds = de->bounds[de->free[k]];
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        s->outside[found] = (uint32_t)i;
        found += (trial[i] < bounds.lower) | (trial[i] > bounds.upper);
    }
    for (size_t i = 0; i < found; i++)
        repair(de, s, k, &trial[s->outside[i]], s->outside[i]);
}

/* One parameter of each candidate always comes from the mutant, so that no candidate repeats its parent. */
static void cross_forced(const adept_de *de, const de_scratch *s, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const size_t k = s->forced[i], p = de->free[k];
        const double *x = de->now.x + p * de->stride;
        double *trial = &s->trial[p * count + i];
        *trial = x[s->base[i]] + de->F * (x[s->plus[i]] - x[s->minus[i]]);
        if (*trial < de->bounds[p].lower || *trial > de->bounds[p].upper)
            repair(de, s, k, trial, i);
    }
}

static void fill_fixed(const adept_de *de, double *trial, size_t count) {
    for (size_t p = 0, k = 0; p < de->parameters; p++) {
        if (k < de->free_count && de->free[k] == p) {
            k++;
            continue;
        }
        for (size_t i = 0; i < count; i++)
            trial[p * count + i] = de->bounds[p].lower;
    }
}

static void make_trials(const adept_de *de, de_scratch *s, size_t first, size_t count) {
    fill_fixed(de, s->trial, count);
    if (de->free_count == 0)
        return;
    pick_members(de, s, first, count);
    for (size_t k = 0; k < de->free_count; k++) {
        const size_t p = de->free[k];
        const double *x = de->now.x + p * de->stride;
        double *trial = s->trial + p * count;
        if (k % 2 == 0) /* one number has the draws of two parameters */
            de_draw(s->bits, s->counter, de->trial_key, DRAW_CROSSOVER + k / 2, count);
        de_mutate(s->mutant, x, de->F, s->base, s->plus, s->minus, count);
        if (de_cross(trial, s->mutant, x + first, s->bits, k % 2 ? 32 : 0, de->threshold, de->bounds[p],
                     count))
            repair_outside(de, s, k, trial, count);
    }
    cross_forced(de, s, count);
}

/* Losses of the block's candidates, made finite. */
static de_outcome evaluate_block(adept_de *de, size_t block, size_t thread, size_t count, double *loss) {
    de_outcome outcome = {ADEPT_OK, 0};
    adept_error err = ADEPT_ERROR_INIT;
    outcome.status =
        de->objective->evaluate(de->objective->user, thread, de->scratch[thread].trial, count, loss, &err);
    if (outcome.status != ADEPT_OK) {
        if (block < de->failed_block[thread]) {
            de->failed_block[thread] = block;
            de->errors[thread] = err;
        }
        return outcome;
    }
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(loss[i])) {
            loss[i] = ADEPT_DE_PENALTY;
            outcome.non_finite++;
        }
    }
    return outcome;
}

/* A candidate that is not worse than its parent takes its place in `next`. */
static void select_survivors(adept_de *de, const de_scratch *s, size_t first, size_t count) {
    const double *old_loss = de->now.loss + first, *loss = s->loss;
    for (size_t i = 0; i < count; i++)
        de->next.loss[first + i] = loss[i] <= old_loss[i] ? loss[i] : old_loss[i];
    for (size_t k = 0; k < de->free_count; k++) {
        const size_t p = de->free[k], at = p * de->stride + first;
        de_select(de->next.x + at, s->trial + p * count, de->now.x + at, loss, old_loss, count);
    }
}

static size_t block_size(const adept_de *de, size_t block) {
    const size_t first = block * de->settings.block;
    return de->members - first < de->settings.block ? de->members - first : de->settings.block;
}

static void start_block(void *user, size_t block, size_t thread) {
    adept_de *de = user;
    de_scratch *s = &de->scratch[thread];
    const size_t first = block * de->settings.block, count = block_size(de, block);
    for (size_t p = 0; p < de->parameters; p++)
        memcpy(s->trial + p * count, de->now.x + p * de->stride + first, count * sizeof *s->trial);
    de->outcomes[block] = evaluate_block(de, block, thread, count, s->loss);
    memcpy(de->next.loss + first, s->loss, count * sizeof *s->loss);
}

static void evolve_block(void *user, size_t block, size_t thread) {
    adept_de *de = user;
    de_scratch *s = &de->scratch[thread];
    const size_t first = block * de->settings.block, count = block_size(de, block);
    make_trials(de, s, first, count);
    de->outcomes[block] = evaluate_block(de, block, thread, count, s->loss);
    if (de->outcomes[block].status == ADEPT_OK)
        select_survivors(de, s, first, count);
}

/* ---- one generation ------------------------------------------------------------------------------------ */

size_t de_lowest(const double *loss, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        best = loss[i] < loss[best] ? i : best;
    return best;
}

/* Runs every block; the error of the first one that failed, whichever thread it ran on. */
static adept_status run_blocks(adept_de *de, adept_worker_task *task, adept_error *err) {
    const size_t threads = adept_worker_pool_threads(de->pool);
    for (size_t t = 0; t < threads; t++)
        de->failed_block[t] = SIZE_MAX;
    adept_worker_pool_run(de->pool, de->blocks, task, de);
    size_t non_finite = 0;
    for (size_t b = 0; b < de->blocks; b++) {
        if (de->outcomes[b].status != ADEPT_OK) {
            for (size_t t = 0; err && t < threads; t++) {
                if (de->failed_block[t] == b)
                    *err = de->errors[t];
            }
            return de->outcomes[b].status;
        }
        non_finite += de->outcomes[b].non_finite;
    }
    de->evaluations += de->members;
    de->non_finite += non_finite;
    return ADEPT_OK;
}

static adept_status evaluate_start(adept_de *de, adept_error *err) {
    const adept_status status = run_blocks(de, start_block, err);
    if (status != ADEPT_OK)
        return status;
    memcpy(de->now.loss, de->next.loss, de->members * sizeof *de->now.loss);
    de->best = de_lowest(de->now.loss, de->members);
    de->evaluated = true;
    return ADEPT_OK;
}

adept_status adept_de_step(adept_de *de, const adept_objective *objective, adept_error *err) {
    de->objective = objective;
    adept_status status = de->evaluated ? ADEPT_OK : evaluate_start(de, err);
    if (status != ADEPT_OK)
        return status;
    const double u = adept_random_unit(adept_random_at(de->dither_key, de->generation));
    de->F = de->settings.F_lower + u * (de->settings.F_upper - de->settings.F_lower);
    status = run_blocks(de, evolve_block, err);
    if (status != ADEPT_OK)
        return status;
    const de_population old = de->now;
    de->now = de->next;
    de->next = old;
    de->best = de_lowest(de->now.loss, de->members);
    de->generation++;
    return ADEPT_OK;
}

/* ---- creation ------------------------------------------------------------------------------------------ */

static adept_status check_settings(const adept_de_settings *s, adept_error *err) {
    if (!find_strategy(s->strategy))
        return adept_fail(err, ADEPT_ARGUMENT, "strategy '%s' is unknown; best1bin and rand1bin are possible",
                          s->strategy ? s->strategy : "");
    if (!(s->F_lower >= 0 && s->F_lower <= s->F_upper && s->F_upper <= 2))
        return adept_fail(err, ADEPT_ARGUMENT,
                          "mutation factor from %g to %g; 0 <= lower <= upper <= 2 is needed", s->F_lower,
                          s->F_upper);
    if (!(s->CR >= 0 && s->CR <= 1))
        return adept_fail(err, ADEPT_ARGUMENT, "crossover probability %g is not in [0, 1]", s->CR);
    if (!(s->tol >= 0 && s->atol >= 0))
        return adept_fail(err, ADEPT_ARGUMENT, "tolerances %g and %g must be at least 0", s->tol, s->atol);
    if (s->members_per_parameter < 1 || s->members_per_parameter > 10000)
        return adept_fail(err, ADEPT_ARGUMENT, "population of %zu per parameter; 1 to 10000 are possible",
                          s->members_per_parameter);
    if (s->block < 1)
        return adept_fail(err, ADEPT_ARGUMENT, "blocks of 0 candidates; at least 1 is needed");
    return ADEPT_OK;
}

static adept_status check_start(const adept_bounds *bounds, size_t parameters, const double *start,
                                adept_error *err) {
    for (size_t p = 0; start && p < parameters; p++) {
        if (!(start[p] >= bounds[p].lower && start[p] <= bounds[p].upper))
            return adept_fail(err, ADEPT_ARGUMENT,
                              "parameter %zu: start %.17g is outside its bounds [%.17g, %.17g]", p, start[p],
                              bounds[p].lower, bounds[p].upper);
    }
    return ADEPT_OK;
}

static bool allocate_population(adept_de *de, de_population *population) {
    const size_t n = de->parameters * de->stride; /* at most 2^10 * 2^24 */
    population->x = adept_arena_array(de->arena, n, sizeof(double));
    population->loss = adept_arena_array(de->arena, de->members, sizeof(double));
    return population->x && population->loss;
}

static bool allocate_scratch(adept_de *de, de_scratch *s) {
    const size_t block = de->settings.block;
    s->trial = adept_arena_array(de->arena, de->parameters * block, sizeof *s->trial);
    s->loss = adept_arena_array(de->arena, block, sizeof *s->loss);
    s->counter = adept_arena_array(de->arena, block, sizeof *s->counter);
    s->bits = adept_arena_array(de->arena, block, sizeof *s->bits);
    s->base = adept_arena_array(de->arena, block, sizeof *s->base);
    s->plus = adept_arena_array(de->arena, block, sizeof *s->plus);
    s->minus = adept_arena_array(de->arena, block, sizeof *s->minus);
    s->forced = adept_arena_array(de->arena, block, sizeof *s->forced);
    s->outside = adept_arena_array(de->arena, block, sizeof *s->outside);
    s->mutant = adept_arena_array(de->arena, block, sizeof *s->mutant);
    return s->trial && s->loss && s->counter && s->bits && s->base && s->plus && s->minus && s->forced &&
           s->outside && s->mutant;
}

static bool allocate(adept_de *de) {
    const size_t threads = adept_worker_pool_threads(de->pool);
    de->scratch = adept_arena_array(de->arena, threads, sizeof *de->scratch);
    de->outcomes = adept_arena_array(de->arena, de->blocks, sizeof *de->outcomes);
    de->errors = adept_arena_array(de->arena, threads, sizeof *de->errors);
    de->failed_block = adept_arena_array(de->arena, threads, sizeof *de->failed_block);
    bool got = de->scratch && de->outcomes && de->errors && de->failed_block;
    got = got && allocate_population(de, &de->now) && allocate_population(de, &de->next);
    for (size_t t = 0; got && t < threads; t++)
        got = allocate_scratch(de, &de->scratch[t]);
    return got;
}

/* Sizes that follow from bounds and settings. */
static bool lay_out(adept_de *de, const adept_bounds *bounds) {
    de->bounds = adept_arena_copy(de->arena, bounds, de->parameters * sizeof *bounds);
    de->free = adept_arena_array(de->arena, de->parameters, sizeof *de->free);
    if (!de->bounds || !de->free)
        return false;
    for (size_t p = 0; p < de->parameters; p++) {
        if (bounds[p].lower < bounds[p].upper)
            de->free[de->free_count++] = p;
    }
    de->members = de->settings.members_per_parameter * (de->free_count ? de->free_count : 1);
    de->members = de->members < 5 ? 5 : de->members;
    de->stride = (de->members + 7) / 8 * 8; /* rows start at whole cache lines of the first */
    if (de->settings.block > de->members)
        de->settings.block = de->members;
    de->blocks = (de->members + de->settings.block - 1) / de->settings.block;
    return true;
}

static bool draw_start(adept_de *de) {
    size_t *order = adept_arena_array(de->arena, de->members, sizeof *order);
    if (!order)
        return false;
    adept_random random = adept_random_new(de->seed, STREAM_START);
    adept_latin_hypercube(de->now.x, de->parameters, de->members, de->stride, order, &random);
    for (size_t p = 0; p < de->parameters; p++) {
        double *x = de->now.x + p * de->stride;
        for (size_t i = 0; i < de->members; i++)
            x[i] = repair_by_redraw(0, de->bounds[p], x[i]);
        if (de->settings.start)
            x[0] = de->settings.start[p];
    }
    memcpy(de->next.x, de->now.x, de->parameters * de->stride * sizeof *de->now.x);
    for (size_t i = 0; i < de->members; i++)
        de->now.loss[i] = ADEPT_DE_PENALTY;
    return true;
}

static adept_status build(adept_de *de, const adept_bounds *bounds, adept_error *err) {
    if (!lay_out(de, bounds))
        return adept_fail_memory(err);
    adept_status status = adept_worker_pool_new(&de->pool, de->settings.threads, err);
    if (status != ADEPT_OK)
        return status;
    return allocate(de) && draw_start(de) ? ADEPT_OK : adept_fail_memory(err);
}

adept_status adept_de_new(adept_de **out, const adept_bounds *bounds, size_t parameters,
                          const adept_de_settings *settings, uint64_t seed, adept_error *err) {
    *out = NULL;
    adept_status status = adept_bounds_check(bounds, parameters, err);
    if (status == ADEPT_OK)
        status = check_settings(settings, err);
    if (status == ADEPT_OK)
        status = check_start(bounds, parameters, settings->start, err);
    if (status != ADEPT_OK)
        return status;
    adept_arena *arena = adept_arena_new(0);
    adept_de *de = arena ? adept_arena_alloc(arena, sizeof *de) : NULL;
    if (!de) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    *de = (adept_de){.arena = arena, .settings = *settings, .parameters = parameters, .seed = seed};
    de->strategy = find_strategy(settings->strategy);
    de->trial_key = adept_random_new(seed, STREAM_TRIAL).key;
    de->dither_key = adept_random_new(seed, STREAM_DITHER).key;
    de->threshold = (uint64_t)ldexp(settings->CR, 32);
    status = build(de, bounds, err);
    de->settings.strategy = de->strategy->name;
    de->settings.start = NULL; /* borrowed until here */
    if (status != ADEPT_OK) {
        adept_de_free(de);
        return status;
    }
    *out = de;
    return ADEPT_OK;
}

void adept_de_free(adept_de *de) {
    if (!de)
        return;
    adept_worker_pool_free(de->pool);
    adept_arena_free(de->arena); /* de lies in it */
}

/* ---- reading ------------------------------------------------------------------------------------------- */

double adept_de_member(const adept_de *de, size_t member, double *x) {
    for (size_t p = 0; x && p < de->parameters; p++)
        x[p] = de->now.x[p * de->stride + member];
    return de->now.loss[member];
}

double adept_de_best(const adept_de *de, double *x) {
    return adept_de_member(de, de->best, x);
}

adept_de_losses adept_de_spread(const adept_de *de) {
    const double *loss = de->now.loss, n = (double)de->members, lowest = loss[de->best];
    double sum = 0, squares = 0; /* of the distances from the lowest, which keeps sums of equals exact */
    for (size_t i = 0; i < de->members; i++)
        sum += loss[i] - lowest;
    for (size_t i = 0; i < de->members; i++)
        squares += (loss[i] - lowest - sum / n) * (loss[i] - lowest - sum / n);
    return (adept_de_losses){.lowest = lowest, .mean = lowest + sum / n, .stddev = sqrt(squares / n)};
}

bool adept_de_converged(const adept_de *de) {
    bool finite = de->evaluated;
    for (size_t i = 0; i < de->members; i++)
        finite &= de->now.loss[i] < ADEPT_DE_PENALTY;
    const adept_de_losses losses = adept_de_spread(de);
    return finite && losses.stddev <= de->settings.atol + de->settings.tol * fabs(losses.mean);
}

size_t adept_de_population(const adept_de *de) {
    return de->members;
}

size_t adept_de_parameters(const adept_de *de) {
    return de->parameters;
}

uint64_t adept_de_generation(const adept_de *de) {
    return de->generation;
}

uint64_t adept_de_evaluations(const adept_de *de) {
    return de->evaluations;
}

uint64_t adept_de_non_finite(const adept_de *de) {
    return de->non_finite;
}
