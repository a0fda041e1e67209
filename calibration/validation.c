#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "number.h"
#include "row_run.h"
#include "scores.h"
#include "validation_object.h"
#include "worker_pool.h"

static const struct {
    const char *name, *text;
} baselines[] = {
#define ROW(code, name, quantity, text) {name, text},
    ADEPT_BASELINE_LIST(ROW)
#undef ROW
};

static const struct {
    const char *name, *heading;
} groupings[] = {
#define ROW(code, name, heading) {name, heading},
    ADEPT_GROUPING_LIST(ROW)
#undef ROW
};

const char *adept_baseline_name(adept_baseline baseline) {
    return baselines[baseline].name;
}

const char *adept_baseline_text(adept_baseline baseline) {
    return baselines[baseline].text;
}

const char *adept_grouping_name(adept_grouping grouping) {
    return groupings[grouping].name;
}

const char *adept_grouping_heading(adept_grouping grouping) {
    return groupings[grouping].heading;
}

adept_validation *validation_new(const adept_dataset *dataset, adept_variant variant) {
    adept_arena *arena = adept_arena_new(0);
    adept_validation *v = arena ? adept_arena_alloc(arena, sizeof *v) : NULL;
    if (!v) {
        adept_arena_free(arena);
        return NULL;
    }
    *v = (adept_validation){.arena = arena, .dataset = dataset, .variant = variant, .by = ""};
    v->rows = adept_arena_array(arena, adept_dataset_count(dataset), sizeof *v->rows);
    if (v->rows)
        return v;
    adept_arena_free(arena);
    return NULL;
}

void adept_validation_free(adept_validation *validation) {
    if (validation)
        adept_arena_free(validation->arena);
}

/* ---- predictions ---- */

typedef struct prediction_job {
    adept_validation *v;
    const adept_theta *thetas;
    adept_validation_row *rows;
    adept_status *statuses; /* [rows] */
    adept_error *errors;    /* [threads], of the lowest row that failed there */
    size_t *failed;         /* [threads] */
} prediction_job;

static const adept_interval unknown_interval = {NAN, NAN};

static void predict_row(void *user, size_t task, size_t thread) {
    prediction_job *job = user;
    adept_validation_row *row = &job->rows[task];
    adept_prediction prediction;
    adept_error err = ADEPT_ERROR_INIT;
    adept_run run = adept_row_run(row->data, &job->thetas[row->data->gpu]);
    job->statuses[task] = adept_predict_with(&prediction, NULL, row->data->workload,
                                             adept_hardware_spec_of(row->data->hardware),
                                             &job->thetas[row->data->gpu], &run, &err);
    row->step_time_s = row->average_power_W = NAN;
    if (job->statuses[task] == ADEPT_OK) {
        row->step_time_s = prediction.step_time_s;
        row->average_power_W =
            prediction.power_evidence == ADEPT_EVIDENCE_NONE ? NAN : prediction.average_power_W;
    } else if (task < job->failed[thread]) {
        job->failed[thread] = task;
        job->errors[thread] = err;
    }
}

static adept_status first_failure(const prediction_job *job, size_t threads, adept_error *err) {
    size_t first = threads;
    for (size_t t = 0; t < threads; t++) {
        if (job->failed[t] != SIZE_MAX && (first == threads || job->failed[t] < job->failed[first]))
            first = t;
    }
    if (first == threads)
        return ADEPT_OK;
    const adept_dataset_row *row = job->rows[job->failed[first]].data;
    adept_fail(err, job->errors[first].status, "%s", job->errors[first].message);
    return adept_fail_at(err, job->errors[first].status, "%s line %zu",
                         adept_dataset_file(job->v->dataset, row->file), row->trace->line);
}

adept_status validation_predict(adept_validation *v, const adept_theta *thetas, const bool *which,
                                size_t fold, size_t threads, adept_error *err) {
    adept_worker_pool *pool;
    adept_status status = adept_worker_pool_new(&pool, threads, err);
    if (status != ADEPT_OK)
        return status;
    threads = adept_worker_pool_threads(pool);
    prediction_job job = {.v = v, .thetas = thetas, .rows = v->rows + v->count};
    size_t count = 0;
    for (size_t i = 0; i < adept_dataset_count(v->dataset); i++) {
        if (which && !which[i])
            continue;
        job.rows[count++] = (adept_validation_row){
            .data = adept_dataset_at(v->dataset, i),
            .fold = fold,
            .step_time_interval_s = unknown_interval,
            .average_power_interval_W = unknown_interval,
        };
    }
    job.statuses = calloc(count + 1, sizeof *job.statuses);
    job.errors = calloc(threads, sizeof *job.errors);
    job.failed = malloc(threads * sizeof *job.failed);
    if (job.statuses && job.errors && job.failed) {
        memset(job.failed, 0xff, threads * sizeof *job.failed);
        adept_worker_pool_run(pool, count, predict_row, &job);
        v->count += count;
        status = first_failure(&job, threads, err);
    } else {
        status = adept_fail_memory(err);
    }
    free(job.statuses);
    free(job.errors);
    free(job.failed);
    adept_worker_pool_free(pool);
    return status;
}

/* ---- baselines ---- */

/* What a baseline predicts before its constant. */
static double baseline_figure(const adept_dataset_row *row, adept_baseline baseline) {
    switch (baseline) {
    case ADEPT_BASELINE_TDP:
        return adept_hardware_spec_of(row->hardware)->tdp_W;
    case ADEPT_BASELINE_LIMIT:
        return row->power_limit_W;
    default:
        return row->roofline_s;
    }
}

static bool is_time(adept_baseline baseline) {
    return baseline == ADEPT_BASELINE_ROOFLINE || baseline == ADEPT_BASELINE_ROOFLINE_FITTED;
}

static double measured(const adept_dataset_row *row, bool time) {
    return time ? row->step_time_s : row->average_power_W;
}

adept_status validation_baselines(adept_validation *v, const bool *fit, size_t fold, adept_error *err) {
    size_t count = adept_dataset_count(v->dataset);
    adept_pair *pairs = malloc((count + 1) * sizeof *pairs);
    if (!pairs)
        return adept_fail_memory(err);
    for (int b = 0; b < ADEPT_BASELINE_COUNT; b++) {
        size_t used = 0;
        for (size_t i = 0; i < count; i++) {
            const adept_dataset_row *row = adept_dataset_at(v->dataset, i);
            if (!fit || fit[i])
                pairs[used++] = (adept_pair){baseline_figure(row, (adept_baseline)b),
                                             measured(row, is_time((adept_baseline)b)), row->trace->weight};
        }
        double factor = b == ADEPT_BASELINE_ROOFLINE ? 1 : adept_best_factor(pairs, used);
        for (size_t i = 0; i < v->count; i++) {
            if (v->rows[i].fold == fold)
                v->rows[i].baseline[b] = factor * baseline_figure(v->rows[i].data, (adept_baseline)b);
        }
    }
    free(pairs);
    return ADEPT_OK;
}

/* ---- tables ---- */

const char *validation_group_name(const adept_dataset *dataset, const adept_dataset_row *row,
                                  adept_grouping grouping, char text[GROUP_NAME_SIZE]) {
    const adept_run *run = &row->run;
    switch (grouping) {
    case ADEPT_GROUPING_GPU:
        return adept_hardware_id(row->hardware);
    case ADEPT_GROUPING_MODEL:
        return row->model;
    case ADEPT_GROUPING_PRECISION:
        return adept_precision_name(run->precision);
    case ADEPT_GROUPING_MODE:
        return adept_mode_name(run->mode);
    case ADEPT_GROUPING_MODEL_FAMILY:
        return row->family;
    case ADEPT_GROUPING_GPU_FAMILY:
        return row->gpu_family;
    case ADEPT_GROUPING_FILE:
        return adept_dataset_file(dataset, row->file);
    case ADEPT_GROUPING_BATCH:
        snprintf(text, GROUP_NAME_SIZE, "%lld", (long long)run->batch);
        break;
    default:
        snprintf(text, GROUP_NAME_SIZE, "%d", (int)run->gpus);
        break;
    }
    return text;
}

static bool belongs(const adept_validation *v, const adept_validation_row *row, ptrdiff_t grouping,
                    const char *name) {
    char text[GROUP_NAME_SIZE];
    if (grouping < 0)
        return true;
    return strcmp(validation_group_name(v->dataset, row->data, (adept_grouping)grouping, text), name) == 0;
}

static double predicted_of(const adept_validation_row *row, int which) {
    if (which == 2)
        return row->step_time_s * row->average_power_W;
    return which ? row->average_power_W : row->step_time_s;
}

static double measured_of(const adept_validation_row *row, int which) {
    if (which == 2)
        return row->data->step_time_s * row->data->average_power_W;
    return which ? row->data->average_power_W : row->data->step_time_s;
}

/* Fills scores and baselines of the rows that belong to the group. */
static void score(const adept_validation *v, adept_score_group *group, ptrdiff_t grouping,
                  adept_pair *pairs) {
    adept_error_summary *summaries[] = {&group->scores.time, &group->scores.power, &group->scores.energy};
    for (int which = 0; which < 3 + ADEPT_BASELINE_COUNT; which++) {
        size_t count = 0;
        for (size_t i = 0; i < v->count; i++) {
            const adept_validation_row *row = &v->rows[i];
            if (!belongs(v, row, grouping, group->name))
                continue;
            int quantity = which < 3 ? which : !is_time((adept_baseline)(which - 3));
            double predicted = which < 3 ? predicted_of(row, which) : row->baseline[which - 3];
            pairs[count++] = (adept_pair){predicted, measured_of(row, quantity), row->data->trace->weight};
        }
        group->rows = count;
        *(which < 3 ? summaries[which] : &group->baseline[which - 3]) = adept_summarise(pairs, count);
    }
    group->scores.combined = adept_combined(group->scores.time.mape, group->scores.power.mape, 0.6, 0.4);
}

/* Numbers by size, names by letters. */
static int by_name(const void *a, const void *b) {
    const char *x = ((const adept_score_group *)a)->name, *y = ((const adept_score_group *)b)->name;
    double p, q;
    if (adept_number_parse(x, &p) && adept_number_parse(y, &q))
        return (p > q) - (p < q);
    return strcmp(x, y);
}

static adept_status find_groups(adept_validation *v, adept_grouping grouping, adept_error *err) {
    validation_groups *g = &v->groups[grouping];
    char text[GROUP_NAME_SIZE];
    g->groups = adept_arena_array(v->arena, v->count, sizeof *g->groups);
    if (!g->groups)
        return adept_fail_memory(err);
    for (size_t i = 0; i < v->count; i++) {
        const char *name = validation_group_name(v->dataset, v->rows[i].data, grouping, text);
        size_t at = 0;
        while (at < g->count && strcmp(g->groups[at].name, name) != 0)
            at++;
        if (at < g->count)
            continue;
        g->groups[g->count].name = adept_arena_string(v->arena, name);
        if (!g->groups[g->count++].name)
            return adept_fail_memory(err);
    }
    if (g->count)
        qsort(g->groups, g->count, sizeof *g->groups, by_name);
    return ADEPT_OK;
}

adept_status validation_finish(adept_validation *v, adept_error *err) {
    adept_pair *pairs = malloc((v->count + 1) * sizeof *pairs);
    adept_status status = pairs ? ADEPT_OK : adept_fail_memory(err);
    if (status == ADEPT_OK) {
        v->total.name = "all";
        score(v, &v->total, -1, pairs);
    }
    for (int grouping = 0; status == ADEPT_OK && grouping < ADEPT_GROUPING_COUNT; grouping++) {
        status = find_groups(v, (adept_grouping)grouping, err);
        for (size_t i = 0; status == ADEPT_OK && i < v->groups[grouping].count; i++)
            score(v, &v->groups[grouping].groups[i], grouping, pairs);
    }
    free(pairs);
    return status;
}

/* ---- with given parameters ---- */

adept_status adept_validation_of(adept_validation **out, const adept_dataset *dataset,
                                 const adept_theta *thetas, size_t threads, adept_error *err) {
    adept_validation *v = validation_new(dataset, thetas[0].variant);
    *out = NULL;
    adept_status status = v ? validation_predict(v, thetas, NULL, 0, threads, err) : adept_fail_memory(err);
    if (status == ADEPT_OK)
        status = validation_baselines(v, NULL, 0, err);
    if (status == ADEPT_OK)
        status = validation_finish(v, err);
    if (status == ADEPT_OK)
        *out = v;
    else
        adept_validation_free(v);
    return status;
}

static void set_interval(adept_validation_row *row, adept_variant variant) {
    adept_hardware_interval ratio = adept_hardware_interval_of(row->data->hardware, variant);
    row->step_time_interval_s =
        (adept_interval){row->step_time_s * ratio.time_lower, row->step_time_s * ratio.time_upper};
    row->average_power_interval_W =
        (adept_interval){row->average_power_W * ratio.power_lower, row->average_power_W * ratio.power_upper};
}

adept_status adept_validation_of_hardware(adept_validation **out, const adept_dataset *dataset,
                                          adept_variant variant, size_t threads, adept_error *err) {
    size_t gpus = adept_dataset_gpu_count(dataset);
    adept_theta *thetas = calloc(gpus, sizeof *thetas);
    *out = NULL;
    adept_status status = thetas ? ADEPT_OK : adept_fail_memory(err);
    for (size_t i = 0; status == ADEPT_OK && i < gpus; i++)
        status = adept_theta_init(&thetas[i], variant, adept_dataset_gpu(dataset, i), err);
    for (size_t i = 0; status == ADEPT_OK && i < gpus; i++)
        adept_theta_add_hosts(&thetas[i], dataset);
    if (status == ADEPT_OK)
        status = adept_validation_of(out, dataset, thetas, threads, err);
    for (size_t i = 0; status == ADEPT_OK && i < (*out)->count; i++)
        set_interval(&(*out)->rows[i], variant);
    free(thetas);
    return status;
}

size_t adept_validation_count(const adept_validation *validation) {
    return validation->count;
}

const adept_validation_row *adept_validation_at(const adept_validation *validation, size_t row) {
    return &validation->rows[row];
}

const adept_dataset *adept_validation_dataset(const adept_validation *validation) {
    return validation->dataset;
}

adept_variant adept_validation_variant(const adept_validation *validation) {
    return validation->variant;
}

const char *adept_validation_by(const adept_validation *validation) {
    return validation->by;
}

size_t adept_validation_fold_count(const adept_validation *validation) {
    return validation->fold_count;
}

const char *adept_validation_fold(const adept_validation *validation, size_t fold) {
    return validation->folds[fold];
}

bool adept_validation_stopped(const adept_validation *validation) {
    return validation->stopped;
}

const adept_score_group *adept_validation_total(const adept_validation *validation) {
    return &validation->total;
}

size_t adept_validation_group_count(const adept_validation *validation, adept_grouping grouping) {
    return validation->groups[grouping].count;
}

const adept_score_group *adept_validation_group(const adept_validation *validation, adept_grouping grouping,
                                                size_t group) {
    return &validation->groups[grouping].groups[group];
}
