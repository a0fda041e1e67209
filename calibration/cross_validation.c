/* Held-out errors: fits without some rows, predictions of these. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "number.h"
#include "random.h"
#include "validation_object.h"

/* Which column of the groupings a word leaves out. */
static const struct {
    const char *by;
    adept_grouping grouping;
    bool shared; /* a GPU without rows can only get the parameters of the others */
} leave_out[] = {
    {"model",        ADEPT_GROUPING_MODEL,        false},
    {"model-family", ADEPT_GROUPING_MODEL_FAMILY, false},
    {"gpu",          ADEPT_GROUPING_GPU,          true },
    {"gpu-family",   ADEPT_GROUPING_GPU_FAMILY,   true },
};

typedef struct folds {
    size_t count;
    size_t *of_row; /* [rows of the data] */
    bool shared;
} folds;

enum { FOLD_PURPOSE = 11 }; /* stream of random numbers */

static adept_status random_folds(adept_validation *v, folds *f, size_t k, uint64_t seed, adept_error *err) {
    size_t rows = adept_dataset_count(v->dataset);
    size_t *order = malloc((rows + 1) * sizeof *order);
    adept_random random = adept_random_new(seed, FOLD_PURPOSE);
    if (!order)
        return adept_fail_memory(err);
    for (size_t i = 0; i < rows; i++)
        order[i] = i;
    adept_random_shuffle(&random, order, rows);
    for (size_t i = 0; i < rows; i++)
        f->of_row[order[i]] = i % k;
    free(order);
    f->count = k;
    for (size_t i = 0; i < k; i++) {
        v->folds[i] = adept_arena_format(v->arena, "%zu", i + 1);
        if (!v->folds[i])
            return adept_fail_memory(err);
    }
    return ADEPT_OK;
}

static adept_status named_folds(adept_validation *v, folds *f, adept_grouping grouping, adept_error *err) {
    char text[GROUP_NAME_SIZE];
    for (size_t i = 0; i < adept_dataset_count(v->dataset); i++) {
        const char *name = validation_group_name(v->dataset, adept_dataset_at(v->dataset, i), grouping, text);
        size_t at = 0;
        while (at < f->count && strcmp(v->folds[at], name) != 0)
            at++;
        f->of_row[i] = at;
        if (at < f->count)
            continue;
        v->folds[f->count] = adept_arena_string(v->arena, name);
        if (!v->folds[f->count++])
            return adept_fail_memory(err);
    }
    return ADEPT_OK;
}

static adept_status make_folds(adept_validation *v, folds *f, const char *by, uint64_t seed,
                               adept_error *err) {
    int64_t k;
    size_t rows = adept_dataset_count(v->dataset);
    v->folds = adept_arena_array(v->arena, rows, sizeof *v->folds);
    f->of_row = adept_arena_array(v->arena, rows, sizeof *f->of_row);
    v->by = adept_arena_string(v->arena, by);
    if (!v->folds || !f->of_row || !v->by)
        return adept_fail_memory(err);
    if (adept_number_parse_i64(by, &k)) {
        if (k < 2 || (uint64_t)k > rows)
            return adept_fail(err, ADEPT_ARGUMENT, "%s folds of %zu rows: give 2 to the number of rows", by,
                              rows);
        return random_folds(v, f, (size_t)k, seed, err);
    }
    for (size_t i = 0; i < sizeof leave_out / sizeof leave_out[0]; i++) {
        if (strcmp(by, leave_out[i].by) != 0)
            continue;
        f->shared = leave_out[i].shared;
        adept_status status = named_folds(v, f, leave_out[i].grouping, err);
        if (status == ADEPT_OK && f->count < 2)
            return adept_fail(err, ADEPT_ARGUMENT,
                              "all rows have the same %s (%s): nothing is left to fit to; cross-validate by "
                              "something else",
                              by, v->folds[0]);
        return status;
    }
    return adept_fail(
        err, ADEPT_ARGUMENT,
        "'%s' cannot be left out: give a number of folds, model, model-family, gpu or gpu-family", by);
}

/* Whether a held-out row's GPU has no row to fit to. */
static bool any_unfitted(const adept_dataset *dataset, const bool *fit, size_t gpu) {
    for (size_t i = 0; i < adept_dataset_count(dataset); i++) {
        const adept_dataset_row *row = adept_dataset_at(dataset, i);
        if (row->gpu == gpu && fit[i] && row->trace->weight > 0)
            return false;
    }
    return true;
}

/* Parameters of every GPU from the rows `fit`: its own, or the shared ones where it has no row. */
static adept_status fit_fold(adept_validation *v, const bool *fit, const bool *held,
                             const adept_fit_options *options, adept_theta *thetas, adept_error *err) {
    adept_fit *own = NULL, *shared = NULL;
    size_t gpus = adept_dataset_gpu_count(v->dataset);
    adept_fit_options shared_options = *options;
    shared_options.shared = true;
    adept_status status = adept_fit_run(&own, v->dataset, fit, options, err);
    for (size_t g = 0; status == ADEPT_OK && g < gpus; g++) {
        bool needed = false;
        for (size_t i = 0; i < adept_dataset_count(v->dataset); i++)
            needed |= held[i] && adept_dataset_at(v->dataset, i)->gpu == g;
        bool lacking = needed && !options->shared && any_unfitted(v->dataset, fit, g);
        if (lacking && !shared)
            status = adept_fit_run(&shared, v->dataset, fit, &shared_options, err);
        if (status == ADEPT_OK)
            thetas[g] = *adept_fit_theta(lacking ? shared : own, g);
    }
    if (status == ADEPT_OK)
        v->stopped = adept_fit_stopped(own) || (shared && adept_fit_stopped(shared));
    adept_fit_free(own);
    adept_fit_free(shared);
    return status;
}

/* Tells the caller's watch which fold is being fitted. */
typedef struct fold_watch {
    const adept_fit_options *outer;
    const char *fold;
    size_t part, parts;
} fold_watch;

static bool watch_fold(void *user, const adept_fit_progress *progress) {
    const fold_watch *w = user;
    adept_fit_progress p = *progress;
    p.what = w->fold;
    p.part = w->part;
    p.parts = w->parts;
    return w->outer->watch(w->outer->watch_user, &p);
}

static adept_status run_fold(adept_validation *v, const folds *f, size_t fold,
                             const adept_fit_options *options, bool *fit, bool *held, adept_theta *thetas,
                             adept_error *err) {
    fold_watch w = {options, v->folds[fold], fold, f->count};
    adept_fit_options inner = *options;
    inner.shared |= f->shared;
    inner.checkpoint = NULL;
    inner.watch_user = &w;
    inner.watch = options->watch ? watch_fold : NULL;
    for (size_t i = 0; i < adept_dataset_count(v->dataset); i++) {
        held[i] = f->of_row[i] == fold;
        fit[i] = !held[i];
    }
    adept_status status = fit_fold(v, fit, held, &inner, thetas, err);
    if (status != ADEPT_OK)
        return adept_fail_at(err, status, "without %s", v->folds[fold]);
    if (v->stopped)
        return ADEPT_OK; /* a fit that was cut short would be judged unfairly */
    status = validation_predict(v, thetas, held, fold, options->threads, err);
    return status == ADEPT_OK ? validation_baselines(v, fit, fold, err) : status;
}

adept_status adept_validation_check_cross(const adept_dataset *dataset, const char *by, adept_error *err) {
    folds f = {0};
    adept_validation *v = validation_new(dataset, ADEPT_VARIANT_THESIS);
    adept_status status = v ? make_folds(v, &f, by, 1, err) : adept_fail_memory(err);
    adept_validation_free(v);
    return status;
}

adept_status adept_validation_cross(adept_validation **out, const adept_dataset *dataset, const char *by,
                                    const adept_fit_options *options, adept_error *err) {
    size_t rows = adept_dataset_count(dataset), gpus = adept_dataset_gpu_count(dataset);
    folds f = {0};
    *out = NULL;
    adept_validation *v = validation_new(dataset, options->variant);
    bool *masks = malloc(2 * rows * sizeof *masks + 1);
    adept_theta *thetas = malloc(gpus * sizeof *thetas);
    adept_status status =
        v && masks && thetas ? make_folds(v, &f, by, options->seed, err) : adept_fail_memory(err);
    for (size_t i = 0; status == ADEPT_OK && i < f.count && !v->stopped; i++) {
        status = run_fold(v, &f, i, options, masks, masks + rows, thetas, err);
        v->fold_count = i + !v->stopped;
    }
    if (status == ADEPT_OK)
        status = validation_finish(v, err);
    free(masks);
    free(thetas);
    if (status == ADEPT_OK)
        *out = v;
    else
        adept_validation_free(v);
    return status;
}
