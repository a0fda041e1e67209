#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "atomic_file.h"
#include "de.h"
#include "fail.h"
#include "fit_object.h"
#include "pattern_search.h"
#include "polish.h"
#include "random.h"
#include "row_run.h"

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one fit going on ---- */

typedef struct fit_run {
    adept_fit *fit;
    fit_part *part;
    adept_worker_pool *pool;
    adept_fit_progress progress;
    double start_s, told_s;
    adept_spread_objective spread;
    adept_de *de; /* kept until the polish is over, which may be stopped too; NULL: no search */
    bool stop;
} fit_run;

/* Tells the watch how far the fit is; sets stop if it wants so. */
static void tell(fit_run *r, double time_s) {
    if (!r->fit->options.watch || time_s - r->told_s < r->fit->options.watch_period_s)
        return;
    r->told_s = time_s;
    r->progress.elapsed_s = time_s - r->start_s;
    if (!r->fit->options.watch(r->fit->options.watch_user, &r->progress))
        r->stop = r->fit->stopped = true;
}

/* The spread shrinks about exponentially: time left until it is tol. */
static double left_s(const fit_run *r, double spread, double first_spread) {
    double tol = r->fit->options.tol;
    if (!(spread > tol) || !(first_spread > spread))
        return NAN;
    return r->progress.elapsed_s * log(spread / tol) / log(first_spread / spread);
}

/* An objective that can be interrupted: while stop is set it fails with LIMIT. */
static adept_status watched_evaluate(void *user, size_t thread, const double *candidates, size_t count,
                                     double *loss, adept_error *err) {
    fit_run *r = user;
    tell(r, now_s());
    if (r->stop)
        return adept_fail(err, ADEPT_LIMIT, "stopped");
    return adept_spread_evaluate(&r->spread, thread, candidates, count, loss, err);
}

/* ---- checkpoints ---- */

static uint64_t mix(uint64_t hash, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return adept_random_at(hash ^ bits, 1);
}

/* Of data and options: a saved state fits only the same problem. */
static uint64_t fingerprint(const fit_part *part, const adept_fit_options *o) {
    double start[ADEPT_THETA_MAX], step_s, power_W;
    uint64_t hash =
        mix(mix(mix((uint64_t)part->theta.saturation, o->time_weight), o->power_weight), o->huber);
    for (size_t i = 0; i < adept_loss_rows(part->loss); i++) {
        adept_loss_measured(part->loss, i, &step_s, &power_W);
        hash = mix(mix(hash, step_s), power_W);
    }
    adept_search_space_start(&part->space, start);
    for (size_t i = 0; i < part->space.base.count; i++)
        hash = mix(hash, part->space.base.value[i]);
    for (size_t i = 0; i < part->space.count; i++)
        hash = mix(hash, (double)part->space.parameter[i]);
    return hash;
}

static adept_status save_state(void *user, FILE *out, adept_error *err) {
    return adept_de_save(user, out, err);
}

static adept_status resume(adept_de *de, const char *path, adept_error *err) {
    FILE *in = fopen(path, "r");
    if (!in)
        return ADEPT_OK; /* nothing to resume from */
    adept_status status = adept_de_restore(de, in, err);
    fclose(in);
    return status == ADEPT_OK ? status : adept_fail_at(err, status, "%s", path);
}

/* ---- search and polish ---- */

static adept_status search(fit_run *r, adept_de *de, adept_error *err) {
    const adept_fit_options *o = &r->fit->options;
    adept_objective objective = adept_loss_objective(r->part->loss);
    adept_status status = ADEPT_OK;
    double first_spread = NAN;
    while (status == ADEPT_OK && !r->stop && !adept_de_converged(de) &&
           adept_de_generation(de) < o->generations) {
        status = adept_de_step(de, &objective, err);
        adept_de_losses losses = adept_de_spread(de);
        double spread = losses.stddev / fabs(losses.mean);
        if (isnan(first_spread) && spread > 0)
            first_spread = spread;
        r->progress.generation = adept_de_generation(de);
        r->progress.best = adept_de_best(de, NULL);
        r->progress.spread = spread;
        r->progress.left_s = left_s(r, spread, first_spread);
        tell(r, now_s());
    }
    return status;
}

static adept_status global_search(fit_run *r, adept_error *err) {
    const adept_fit_options *o = &r->fit->options;
    fit_part *part = r->part;
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    settings.strategy = o->strategy;
    settings.members_per_parameter = o->members_per_parameter;
    settings.tol = o->tol;
    settings.threads = adept_worker_pool_threads(r->pool);
    settings.block = adept_loss_block(part->loss);
    settings.start = part->x;
    settings.fingerprint = fingerprint(part, o);
    adept_status status =
        adept_de_new(&r->de, part->space.bounds, part->space.count, &settings, o->seed, err);
    if (status == ADEPT_OK && o->checkpoint)
        status = resume(r->de, o->checkpoint, err);
    if (status == ADEPT_OK)
        status = search(r, r->de, err);
    if (status == ADEPT_OK) {
        part->report.loss_search = part->report.loss = adept_de_best(r->de, part->x);
        part->report.converged = adept_de_converged(r->de);
        part->report.generations = adept_de_generation(r->de);
        part->report.evaluations += adept_de_evaluations(r->de);
    }
    return status;
}

/* L-BFGS is worth its evaluations where they cost microseconds, not where they cost a tenth of a second. */
static adept_status polish_smooth(double *x, double *loss, uint64_t *evaluations,
                                  const adept_objective *objective, const adept_search_space *space,
                                  const adept_fit_options *options, adept_error *err) {
    adept_polish_settings settings = ADEPT_POLISH_SETTINGS_INIT;
    adept_polish_result result;
    if (options->variant != ADEPT_VARIANT_THESIS)
        return ADEPT_OK;
    settings.evaluations = options->polish;
    adept_status status = adept_polish(&result, x, objective, space->bounds, space->count, &settings, err);
    if (status != ADEPT_OK)
        return status;
    *evaluations += result.evaluations;
    *loss = fmin(*loss, result.after);
    return ADEPT_OK;
}

adept_status fit_polish(double *x, double *loss, uint64_t *evaluations, const adept_objective *objective,
                        const adept_search_space *space, const adept_fit_options *options, adept_error *err) {
    adept_pattern_settings pattern = ADEPT_PATTERN_SETTINGS_INIT;
    adept_status status = ADEPT_OK;
    pattern.rounds = options->polish;
    for (int turn = 0; turn < 4 && status == ADEPT_OK; turn++) {
        double before = *loss;
        adept_pattern_result kinks;
        status = polish_smooth(x, loss, evaluations, objective, space, options, err);
        if (status != ADEPT_OK)
            break;
        status = adept_pattern_search(&kinks, x, objective, space->bounds, space->count, &pattern, err);
        *evaluations += kinks.evaluations;
        if (!isnan(kinks.after))
            *loss = fmin(*loss, kinks.after);
        if (options->variant != ADEPT_VARIANT_THESIS || before - *loss < 1e-4 * before)
            break;
    }
    return status;
}

static adept_status polish(fit_run *r, adept_error *err) {
    adept_fit_part *report = &r->part->report;
    adept_objective objective = {watched_evaluate, r};
    if (r->stop || r->fit->options.polish == 0)
        return ADEPT_OK;
    adept_status status = fit_polish(r->part->x, &report->loss, &report->evaluations, &objective,
                                     &r->part->space, &r->fit->options, err);
    return r->stop && status == ADEPT_LIMIT ? ADEPT_OK : status;
}

/* ---- which parameters the rows depend on ---- */

typedef struct dependence {
    const fit_part *part;
    const double *points;           /* [POINTS][coordinates] */
    const double *step_s, *power_W; /* [POINTS][rows], predictions there */
    bool *drop;                     /* [coordinates] */
} dependence;

static const size_t POINTS = 3;

/* Task: one coordinate, moved to its ends from a few points. */
static void probe(void *user, size_t task, size_t thread) {
    dependence *d = user;
    const adept_search_space *space = &d->part->space;
    size_t rows = adept_loss_rows(d->part->loss);
    double x[ADEPT_THETA_MAX];
    adept_theta theta;
    (void)thread;
    d->drop[task] = true;
    for (size_t p = 0; p < POINTS && d->drop[task]; p++) {
        for (int end = 0; end < 2 && d->drop[task]; end++) {
            memcpy(x, d->points + p * space->count, space->count * sizeof *x);
            x[task] = end ? space->bounds[task].upper : space->bounds[task].lower;
            adept_search_space_theta(space, x, &theta);
            d->drop[task] =
                !adept_loss_moves(d->part->loss, &theta, d->step_s + p * rows, d->power_W + p * rows);
        }
    }
}

static void drop_idle(fit_part *part, const bool *drop) {
    for (size_t c = 0; c < part->space.count; c++) {
        if (drop[c])
            part->dropped[part->space.parameter[c]] = true;
        part->report.dropped_count += drop[c];
    }
    adept_search_space_drop(&part->space, drop);
    part->report.free_count = part->space.count;
}

/* Coordinates that change no prediction are taken out: a search cannot find their values. */
static adept_status find_idle(fit_run *r, adept_error *err) {
    fit_part *part = r->part;
    size_t n = part->space.count, rows = adept_loss_rows(part->loss);
    bool drop[ADEPT_THETA_MAX];
    double *memory = malloc((POINTS * n + 2 * POINTS * rows + 1) * sizeof *memory);
    if (!memory)
        return adept_fail_memory(err);
    double *step_s = memory + POINTS * n, *power_W = step_s + POINTS * rows;
    dependence d = {part, memory, step_s, power_W, drop};
    adept_random random = adept_random_new(7, 7);
    adept_theta theta;
    for (size_t p = 0; p < POINTS; p++) {
        double *x = memory + p * n;
        adept_search_space_start(&part->space, x);
        for (size_t c = 0; p > 0 && c < n; c++) {
            adept_bounds b = part->space.bounds[c];
            x[c] = b.lower + adept_random_uniform(&random) * (b.upper - b.lower);
        }
        adept_search_space_theta(&part->space, x, &theta);
        adept_loss_predict(part->loss, &theta, step_s + p * rows, power_W + p * rows);
    }
    adept_worker_pool_run(r->pool, n, probe, &d);
    free(memory);
    drop_idle(part, drop);
    return ADEPT_OK;
}

/* ---- one part ---- */

adept_status fit_base(adept_theta *out, const adept_dataset *dataset, const adept_fit_options *options,
                      ptrdiff_t gpu, adept_error *err) {
    adept_theta initial;
    const adept_hardware *hardware = adept_dataset_gpu(dataset, gpu < 0 ? 0 : (size_t)gpu);
    if (options->start) {
        *out = options->start[gpu < 0 ? 0 : gpu];
        return ADEPT_OK;
    }
    adept_status status = adept_theta_init(out, options->variant, hardware, err);
    if (status == ADEPT_OK && gpu < 0)
        status = adept_theta_init(&initial, options->variant, NULL, err);
    if (status != ADEPT_OK)
        return status;
    for (size_t i = 0; gpu < 0 && i < out->count; i++) {
        if (out->provenance[i] != ADEPT_PROVENANCE_TRANSFERRED) {
            out->value[i] = initial.value[i];
            out->provenance[i] = initial.provenance[i];
        }
    }
    adept_theta_add_hosts(out, dataset);
    if (options->saturation >= 0)
        out->saturation = (adept_saturation)options->saturation;
    return ADEPT_OK;
}

/* Parameters, and the hosts that there is room for. */
static size_t slots_of(const adept_fit *fit) {
    size_t slots = adept_parameter_count(fit->options.variant) + adept_dataset_host_count(fit->dataset);
    return slots < ADEPT_THETA_MAX ? slots : ADEPT_THETA_MAX;
}

static adept_status prepare(fit_run *r, adept_error *err) {
    adept_fit *fit = r->fit;
    fit_part *part = r->part;
    adept_theta base;
    adept_loss_settings settings = {fit->options.time_weight, fit->options.power_weight, fit->options.huber,
                                    adept_worker_pool_threads(r->pool)};
    adept_status status = fit_base(&base, fit->dataset, &fit->options, part->report.gpu, err);
    if (status == ADEPT_OK)
        status = adept_search_space_new(&part->space, &base, &fit->options, err);
    if (status == ADEPT_OK && fit->options.hosts)
        adept_search_space_add_hosts(&part->space, adept_dataset_host_count(fit->dataset));
    else if (status == ADEPT_OK)
        part->space.slots = slots_of(fit);
    if (status == ADEPT_OK)
        status = adept_loss_new(&part->loss, fit->dataset, fit->use, part->report.gpu, NULL, &part->space,
                                &settings, err);
    if (status != ADEPT_OK)
        return status;
    part->report.rows = adept_loss_rows(part->loss);
    part->report.time_rows = adept_loss_times(part->loss);
    part->report.power_rows = adept_loss_powers(part->loss);
    part->theta = part->space.base;
    return find_idle(r, err);
}

static void describe(fit_part *part, bool stopped, const adept_fit_options *o) {
    adept_fit_part *p = &part->report;
    p->stopped = stopped;
    if (p->stopped)
        p->stopped_by = "interrupted: the best so far";
    else if (p->free_count == 0)
        p->stopped_by = "nothing to fit";
    else if (o->local)
        p->stopped_by = "local search from the values at hand";
    else
        p->stopped_by = p->converged ? "the population has converged" : "all generations done, not converged";
}

static adept_status start_spread(fit_run *r, adept_error *err) {
    size_t threads = adept_worker_pool_threads(r->pool), n = r->part->space.count;
    adept_arena *arena = r->fit->arena;
    r->spread = (adept_spread_objective){
        .inner = adept_loss_objective(r->part->loss), .pool = r->pool, .parameters = n};
    r->spread.scratch = adept_arena_array(arena, threads * n, sizeof *r->spread.scratch);
    r->spread.errors = adept_arena_array(arena, threads, sizeof *r->spread.errors);
    r->spread.statuses = adept_arena_array(arena, threads, sizeof *r->spread.statuses);
    bool ok = r->spread.scratch && r->spread.errors && r->spread.statuses;
    return ok ? ADEPT_OK : adept_fail_memory(err);
}

static adept_status run_part(fit_run *r, adept_error *err) {
    fit_part *part = r->part;
    adept_fit_part *report = &part->report;
    r->start_s = now_s();
    r->progress.what = report->name;
    r->progress.generation = 0;
    r->progress.generations = r->fit->options.generations;
    r->progress.left_s = NAN;
    adept_status status = prepare(r, err);
    if (status == ADEPT_OK)
        status = start_spread(r, err);
    if (status != ADEPT_OK)
        return status;
    adept_search_space_start(&part->space, part->x);
    adept_search_space_theta(&part->space, part->x, &part->theta);
    report->loss_start = report->loss_search = report->loss = r->progress.best =
        adept_loss_of(part->loss, &part->theta);
    if (report->free_count > 0 && !r->fit->options.local && !r->stop)
        status = global_search(r, err);
    if (status == ADEPT_OK && report->free_count > 0)
        status = polish(r, err);
    if (status == ADEPT_OK && r->de && r->stop && r->fit->options.checkpoint)
        status = adept_atomic_write(r->fit->options.checkpoint, save_state, r->de, err);
    adept_de_free(r->de);
    r->de = NULL;
    adept_search_space_theta(&part->space, part->x, &part->theta);
    report->seconds = now_s() - r->start_s;
    describe(part, r->stop, &r->fit->options);
    return status;
}

/* ---- all parts ---- */

static size_t rows_of(const adept_fit *fit, size_t gpu) {
    size_t rows = 0;
    for (size_t i = 0; i < adept_dataset_count(fit->dataset); i++) {
        const adept_dataset_row *row = adept_dataset_at(fit->dataset, i);
        rows += row->gpu == gpu && (!fit->use || fit->use[i]) && row->trace->weight > 0;
    }
    return rows;
}

static adept_status list_parts(adept_fit *fit, adept_error *err) {
    size_t gpus = adept_dataset_gpu_count(fit->dataset);
    fit->parts = adept_arena_array(fit->arena, gpus + 1, sizeof *fit->parts);
    fit->thetas = adept_arena_array(fit->arena, gpus, sizeof *fit->thetas);
    if (!fit->parts || !fit->thetas)
        return adept_fail_memory(err);
    if (fit->options.shared) {
        fit->parts[fit->part_count++].report = (adept_fit_part){.name = "shared", .gpu = -1};
    } else {
        for (size_t g = 0; g < gpus; g++) {
            if (rows_of(fit, g) > 0)
                fit->parts[fit->part_count++].report = (adept_fit_part){
                    .name = adept_hardware_id(adept_dataset_gpu(fit->dataset, g)), .gpu = (ptrdiff_t)g};
        }
    }
    if (fit->part_count == 0)
        return adept_fail(err, ADEPT_ARGUMENT, "nothing to fit to: no row with a weight above 0");
    if (fit->options.checkpoint && fit->part_count > 1)
        return adept_fail(err, ADEPT_ARGUMENT,
                          "%s: one file cannot hold the state of %zu fits; choose a GPU or fit them together",
                          fit->options.checkpoint, fit->part_count);
    return ADEPT_OK;
}

/* Every GPU's parameters: fitted, or where no row was its own, as its file has them. */
static adept_status collect(adept_fit *fit, adept_error *err) {
    adept_status status = ADEPT_OK;
    for (size_t g = 0; status == ADEPT_OK && g < adept_dataset_gpu_count(fit->dataset); g++)
        status = fit_base(&fit->thetas[g], fit->dataset, &fit->options, (ptrdiff_t)g, err);
    for (size_t i = 0; status == ADEPT_OK && i < fit->part_count; i++) {
        fit_part *part = &fit->parts[i];
        for (size_t c = 0; c < part->space.count; c++)
            part->theta.provenance[part->space.parameter[c]] = ADEPT_PROVENANCE_FITTED;
        for (size_t g = 0; g < adept_dataset_gpu_count(fit->dataset); g++) {
            if (part->report.gpu < 0 || part->report.gpu == (ptrdiff_t)g)
                fit->thetas[g] = part->theta;
        }
    }
    return status;
}

/* Runs parts [first, part_count). */
static adept_status run_parts(adept_fit *fit, size_t first, adept_error *err) {
    fit_run r = {.fit = fit};
    adept_status status = adept_worker_pool_new(&r.pool, fit->options.threads, err);
    for (size_t i = first; status == ADEPT_OK && i < fit->part_count; i++) {
        r.part = &fit->parts[i];
        r.progress.part = i;
        r.progress.parts = fit->part_count;
        status = run_part(&r, err);
        if (status != ADEPT_OK)
            adept_fail_at(err, status, "%s", r.part->report.name);
    }
    adept_worker_pool_free(r.pool);
    return status == ADEPT_OK ? collect(fit, err) : status;
}

/* Second level: some parameters once more for each GPU with enough rows, from the shared values. */
static adept_status refine(adept_fit *fit, adept_error *err) {
    size_t first = fit->part_count;
    adept_fit_options whole = fit->options;
    if (!fit->options.shared || fit->options.refine_count == 0 || fit->stopped)
        return ADEPT_OK;
    for (size_t g = 0; g < adept_dataset_gpu_count(fit->dataset); g++) {
        if (rows_of(fit, g) >= ADEPT_REFINE_ROWS * fit->options.refine_count)
            fit->parts[fit->part_count++].report = (adept_fit_part){
                .name = adept_hardware_id(adept_dataset_gpu(fit->dataset, g)), .gpu = (ptrdiff_t)g};
    }
    fit->options.free = fit->options.refine;
    fit->options.free_count = fit->options.refine_count;
    fit->options.fixed_count = 0;
    fit->options.hosts = false;
    fit->options.checkpoint = NULL;
    fit->options.start = fit->thetas;
    adept_status status = run_parts(fit, first, err);
    fit->options = whole;
    return status;
}

adept_status adept_fit_run(adept_fit **out, const adept_dataset *dataset, const bool *use,
                           const adept_fit_options *options, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_fit *fit = arena ? adept_arena_alloc(arena, sizeof *fit) : NULL;
    if (!fit) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    *fit = (adept_fit){.arena = arena, .dataset = dataset, .options = *options};
    if (use)
        fit->use = adept_arena_copy(arena, use, adept_dataset_count(dataset) * sizeof *use);
    adept_status status = use && !fit->use ? adept_fail_memory(err) : list_parts(fit, err);
    if (status == ADEPT_OK)
        status = run_parts(fit, 0, err);
    if (status == ADEPT_OK)
        status = refine(fit, err);
    if (status == ADEPT_OK)
        *out = fit;
    else
        adept_fit_free(fit);
    return status;
}

void adept_fit_free(adept_fit *fit) {
    if (!fit)
        return;
    for (size_t i = 0; i < fit->part_count; i++)
        adept_loss_free(fit->parts[i].loss);
    adept_arena_free(fit->arena);
}

bool adept_fit_stopped(const adept_fit *fit) {
    return fit->stopped;
}

size_t adept_fit_part_count(const adept_fit *fit) {
    return fit->part_count;
}

const adept_fit_part *adept_fit_part_at(const adept_fit *fit, size_t part) {
    return &fit->parts[part].report;
}

const adept_theta *adept_fit_theta(const adept_fit *fit, size_t gpu) {
    return &fit->thetas[gpu];
}

const char *adept_fit_name(const adept_fit *fit, size_t parameter) {
    size_t count = adept_parameter_count(fit->options.variant);
    if (parameter < count)
        return adept_parameter_at(fit->options.variant, parameter)->name;
    return adept_dataset_host(fit->dataset, parameter - count);
}

bool adept_fit_is_free(const adept_fit *fit, size_t part, size_t parameter) {
    const adept_search_space *space = &fit->parts[part].space;
    for (size_t c = 0; c < space->count; c++) {
        if (space->parameter[c] == parameter)
            return true;
    }
    return false;
}

bool adept_fit_is_dropped(const adept_fit *fit, size_t part, size_t parameter) {
    return fit->parts[part].dropped[parameter];
}
