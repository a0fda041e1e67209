#include "loss.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "loss_kernels.h"
#include "row_run.h"
#include "thesis.h"

/* Candidates of a block, and rows that are evaluated at once: their figures stay in the nearest cache. */
enum { BLOCK = 64, ROWS_AT_ONCE = 8 };
#define NO_GROUP SIZE_MAX

/* What of a row the loss needs. Weights are shares: w_t w_r 100 / sum w_r, 0 where nothing was measured. */
typedef struct loss_row {
    const adept_dataset_row *data;
    double inverse_time, inverse_power; /* 1 / measured; 0 where nothing was */
    double time_share, power_share;
    size_t group; /* rows of one group stand together and differ in the power limit alone */
} loss_row;

typedef struct loss_scratch {
    double theta[ADEPT_THETA_MAX * BLOCK];
    double step_s[ROWS_AT_ONCE * BLOCK], power_W[ROWS_AT_ONCE * BLOCK];
    adept_prepared *prepared; /* of a group; NULL: not needed so far */
    size_t group;             /* that is prepared; NO_GROUP: none */
} loss_scratch;

struct adept_row_loss {
    adept_arena *arena;
    const adept_search_space *space;
    adept_loss_settings settings;
    size_t count, times, powers;
    loss_row *rows;
    adept_thesis_row *thesis; /* [count]; NULL for the operator variant */
    loss_scratch *scratch;    /* [threads] */
};

/* ---- making ---- */

static bool has_figure(double measured, double weight) {
    return weight > 0 && measured > 0;
}

static void add_row(adept_row_loss *loss, const adept_dataset_row *data, double weight) {
    loss_row *row = &loss->rows[loss->count++];
    *row = (loss_row){.data = data};
    if (has_figure(data->step_time_s, weight)) {
        row->inverse_time = 1 / data->step_time_s;
        row->time_share = weight;
        loss->times++;
    }
    if (has_figure(data->average_power_W, weight)) {
        row->inverse_power = 1 / data->average_power_W;
        row->power_share = weight;
        loss->powers++;
    }
}

/* From weights to shares of the loss. */
static void normalise(adept_row_loss *loss) {
    double time_sum = 0, power_sum = 0;
    double w_t = loss->powers ? loss->settings.time_weight : 1;
    double w_p = loss->times ? loss->settings.power_weight : 1;
    for (size_t i = 0; i < loss->count; i++) {
        time_sum += loss->rows[i].time_share;
        power_sum += loss->rows[i].power_share;
    }
    for (size_t i = 0; i < loss->count; i++) {
        if (time_sum > 0)
            loss->rows[i].time_share *= 100 * w_t / time_sum;
        if (power_sum > 0)
            loss->rows[i].power_share *= 100 * w_p / power_sum;
    }
}

/* ---- rows that differ in the power limit alone: the operator variant prepares them once ---- */

static int by_number(double a, double b) {
    return (a > b) - (a < b);
}

static int by_pointer(const void *a, const void *b) {
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

/* Groups stay together, otherwise rows keep their order: that of the data set's array. */
static int by_workload(const void *a, const void *b) {
    const loss_row *x = a, *y = b;
    int order = by_pointer(x->data->workload, y->data->workload);
    if (order == 0)
        order = by_pointer(x->data->hardware, y->data->hardware);
    if (order == 0)
        order = by_number(x->data->run.clock_limit_Hz, y->data->run.clock_limit_Hz);
    return order ? order : by_pointer(x->data, y->data);
}

/* The run as a number of bytes: without the limit, and without the pointers, whose text is the workload's. */
static adept_run without_limit(const adept_dataset_row *row) {
    adept_run run = row->run;
    run.power_limit_W = 0;
    run.dims = NULL;
    run.freeze = NULL;
    run.framework = NULL;
    return run;
}

/* Bytes may differ where values do not (padding, -0): such rows are prepared twice, and no row wrongly once.
 */
static bool in_one_group(const adept_dataset_row *a, const adept_dataset_row *b) {
    adept_run x = without_limit(a), y = without_limit(b);
    return a->workload == b->workload && a->hardware == b->hardware && a->host == b->host &&
           memcmp(&x, &y, sizeof x) == 0; /* NOLINT(bugprone-suspicious-memory-comparison,cert-*) */
}

static adept_status make_groups(adept_row_loss *loss, adept_error *err) {
    qsort(loss->rows, loss->count, sizeof *loss->rows, by_workload);
    for (size_t i = 1; i < loss->count; i++)
        loss->rows[i].group =
            loss->rows[i - 1].group + !in_one_group(loss->rows[i - 1].data, loss->rows[i].data);
    for (size_t t = 0; t < loss->settings.threads; t++) {
        adept_status status = adept_prepared_new(&loss->scratch[t].prepared, err);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

static adept_status make_thesis_rows(adept_row_loss *loss, adept_error *err) {
    loss->thesis = adept_arena_array(loss->arena, loss->count, sizeof *loss->thesis);
    if (!loss->thesis)
        return adept_fail_memory(err);
    for (size_t i = 0; i < loss->count; i++) {
        const adept_dataset_row *data = loss->rows[i].data;
        adept_status status =
            adept_thesis_row_init(&loss->thesis[i], data->workload, adept_hardware_spec_of(data->hardware),
                                  data->power_limit_W, err);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

static adept_status check_settings(const adept_loss_settings *s, adept_error *err) {
    bool ok = s->time_weight >= 0 && s->power_weight >= 0 && s->huber >= 0 && isfinite(s->time_weight) &&
              isfinite(s->power_weight) && isfinite(s->huber) && s->time_weight + s->power_weight > 0;
    if (ok)
        return ADEPT_OK;
    return adept_fail(
        err, ADEPT_ARGUMENT,
        "weights of the loss %g and %g, threshold %g: give numbers of at least 0, not both weights 0",
        s->time_weight, s->power_weight, s->huber);
}

static adept_status fill(adept_row_loss *loss, const adept_dataset *dataset, const bool *use, ptrdiff_t gpu,
                         const double *factors, adept_error *err) {
    size_t count = adept_dataset_count(dataset);
    loss->rows = adept_arena_array(loss->arena, count, sizeof *loss->rows);
    loss->scratch = adept_arena_array(loss->arena, loss->settings.threads, sizeof *loss->scratch);
    if (!loss->rows || !loss->scratch)
        return adept_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const adept_dataset_row *data = adept_dataset_at(dataset, i);
        double weight = data->trace->weight * (factors ? factors[i] : 1);
        if ((!use || use[i]) && (gpu < 0 || data->gpu == (size_t)gpu) && weight > 0)
            add_row(loss, data, weight);
    }
    if (loss->times + loss->powers == 0)
        return adept_fail(err, ADEPT_ARGUMENT, "nothing to fit to: no row with a weight above 0");
    normalise(loss);
    return loss->space->base.variant == ADEPT_VARIANT_THESIS ? make_thesis_rows(loss, err)
                                                             : make_groups(loss, err);
}

adept_status adept_loss_new(adept_row_loss **out, const adept_dataset *dataset, const bool *use,
                            ptrdiff_t gpu, const double *factors, const adept_search_space *space,
                            const adept_loss_settings *settings, adept_error *err) {
    *out = NULL;
    adept_status status = check_settings(settings, err);
    if (status != ADEPT_OK)
        return status;
    adept_arena *arena = adept_arena_new(0);
    adept_row_loss *loss = arena ? adept_arena_alloc(arena, sizeof *loss) : NULL;
    if (!loss) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    *loss = (adept_row_loss){.arena = arena, .space = space, .settings = *settings};
    status = fill(loss, dataset, use, gpu, factors, err);
    if (status == ADEPT_OK)
        *out = loss;
    else
        adept_loss_free(loss);
    return status;
}

void adept_loss_free(adept_row_loss *loss) {
    if (!loss)
        return;
    for (size_t t = 0; loss->scratch && t < loss->settings.threads; t++)
        adept_prepared_free(loss->scratch[t].prepared);
    adept_arena_free(loss->arena);
}

/* ---- evaluating ---- */

/* One candidate on one row by the general interface; NaN where there is no prediction. */
static void predict(const adept_row_loss *loss, size_t row, const adept_theta *theta, double *step_s,
                    double *power_W) {
    const adept_dataset_row *data = loss->rows[row].data;
    adept_prediction prediction;
    adept_run run = adept_row_run(data, theta);
    *step_s = *power_W = NAN;
    if (adept_predict_with(&prediction, NULL, data->workload, adept_hardware_spec_of(data->hardware), theta,
                           &run, NULL) != ADEPT_OK)
        return;
    *step_s = prediction.step_time_s;
    *power_W = prediction.average_power_W;
}

/* The same to the last bit as predict, for a row of a group of several. */
static void predict_in_group(const adept_row_loss *loss, loss_scratch *s, size_t row,
                             const adept_theta *theta, double *step_s, double *power_W) {
    const adept_dataset_row *data = loss->rows[row].data;
    adept_prediction prediction;
    *step_s = *power_W = NAN;
    if (s->group != loss->rows[row].group) {
        adept_run run = adept_row_run(data, theta);
        s->group = NO_GROUP;
        if (adept_prepare(s->prepared, data->workload, adept_hardware_spec_of(data->hardware), theta, &run,
                          NULL) != ADEPT_OK)
            return;
        s->group = loss->rows[row].group;
    }
    if (adept_predict_prepared(&prediction, s->prepared, data->run.power_limit_W, NULL) != ADEPT_OK)
        return;
    *step_s = prediction.step_time_s;
    *power_W = prediction.average_power_W;
}

static bool is_alone(const adept_row_loss *loss, size_t row) {
    const loss_row *r = &loss->rows[row];
    return (row == 0 || r[-1].group != r->group) && (row + 1 == loss->count || r[1].group != r->group);
}

static void evaluate_rows(const adept_row_loss *loss, loss_scratch *s, size_t first, size_t rows,
                          size_t count) {
    if (loss->thesis) {
        adept_thesis_evaluate_many(s->step_s, s->power_W, s->theta, count, count, loss->thesis + first, rows,
                                   loss->space->base.saturation);
        return;
    }
    adept_theta theta = loss->space->base;
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < loss->space->slots; p++)
            theta.value[p] = s->theta[p * count + i];
        if (count > 1)
            s->group = NO_GROUP; /* was another candidate's */
        for (size_t r = 0; r < rows; r++) {
            double *step_s = &s->step_s[r * count + i], *power_W = &s->power_W[r * count + i];
            if (is_alone(loss, first + r))
                predict(loss, first + r, &theta, step_s, power_W);
            else
                predict_in_group(loss, s, first + r, &theta, step_s, power_W);
        }
    }
}

static void add_errors(const adept_row_loss *loss, const loss_row *row, const double *step_s,
                       const double *power_W, double *sum, size_t count) {
    double d = loss->settings.huber;
    if (row->time_share > 0 && d > 0)
        adept_add_log_errors(sum, step_s, row->inverse_time, row->time_share, d, count);
    else if (row->time_share > 0)
        adept_add_relative_errors(sum, step_s, row->inverse_time, row->time_share, count);
    if (row->power_share > 0 && d > 0)
        adept_add_log_errors(sum, power_W, row->inverse_power, row->power_share, d, count);
    else if (row->power_share > 0)
        adept_add_relative_errors(sum, power_W, row->inverse_power, row->power_share, count);
}

/* Loss of the candidates whose parameters stand in the scratch memory. */
static void sum_errors(const adept_row_loss *loss, loss_scratch *s, double *sum, size_t count) {
    for (size_t i = 0; i < count; i++)
        sum[i] = 0;
    s->group = NO_GROUP;
    for (size_t first = 0; first < loss->count; first += ROWS_AT_ONCE) {
        size_t rows = loss->count - first < ROWS_AT_ONCE ? loss->count - first : ROWS_AT_ONCE;
        evaluate_rows(loss, s, first, rows, count);
        for (size_t r = 0; r < rows; r++)
            add_errors(loss, &loss->rows[first + r], s->step_s + r * count, s->power_W + r * count, sum,
                       count);
    }
}

static adept_status evaluate(void *user, size_t thread, const double *candidates, size_t count, double *out,
                             adept_error *err) {
    adept_row_loss *loss = user;
    loss_scratch *s = &loss->scratch[thread];
    (void)err;
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t some = count - first < BLOCK ? count - first : BLOCK;
        adept_search_space_theta_many(loss->space, candidates + first, count, some, s->theta);
        sum_errors(loss, s, out + first, some);
    }
    return ADEPT_OK;
}

adept_objective adept_loss_objective(adept_row_loss *loss) {
    return (adept_objective){evaluate, loss};
}

double adept_loss_of(adept_row_loss *loss, const adept_theta *theta) {
    loss_scratch *s = &loss->scratch[0];
    double sum;
    memcpy(s->theta, theta->value, loss->space->slots * sizeof *theta->value);
    sum_errors(loss, s, &sum, 1);
    return sum;
}

size_t adept_loss_rows(const adept_row_loss *loss) {
    return loss->count;
}

size_t adept_loss_times(const adept_row_loss *loss) {
    return loss->times;
}

size_t adept_loss_powers(const adept_row_loss *loss) {
    return loss->powers;
}

size_t adept_loss_block(const adept_row_loss *loss) {
    return loss->thesis ? BLOCK : 1;
}

void adept_loss_predict(const adept_row_loss *loss, const adept_theta *theta, double *step_s,
                        double *power_W) {
    for (size_t r = 0; r < loss->count; r++)
        predict(loss, r, theta, &step_s[r], &power_W[r]);
}

static bool differs(double now, double before) {
    return !(fabs(now - before) <= 1e-9 * before);
}

bool adept_loss_moves(const adept_row_loss *loss, const adept_theta *theta, const double *step_s,
                      const double *power_W) {
    for (size_t r = 0; r < loss->count; r++) {
        double now_s, now_W;
        predict(loss, r, theta, &now_s, &now_W);
        if (loss->rows[r].time_share > 0 && differs(now_s, step_s[r]))
            return true;
        if (loss->rows[r].power_share > 0 && differs(now_W, power_W[r]))
            return true;
    }
    return false;
}

void adept_loss_measured(const adept_row_loss *loss, size_t row, double *step_s, double *power_W) {
    const loss_row *r = &loss->rows[row];
    *step_s = r->time_share > 0 ? r->data->step_time_s : NAN;
    *power_W = r->power_share > 0 ? r->data->average_power_W : NAN;
}

/* ---- spread over threads ---- */

/* Task: one candidate. */
static void evaluate_one(void *user, size_t task, size_t thread) {
    adept_spread_objective *s = user;
    double *x = s->scratch + thread * s->parameters;
    adept_status status;
    for (size_t p = 0; p < s->parameters; p++)
        x[p] = s->candidates[p * s->count + task];
    if (s->statuses[thread] != ADEPT_OK)
        return;
    status = s->inner.evaluate(s->inner.user, thread, x, 1, &s->loss[task], &s->errors[thread]);
    s->statuses[thread] = status;
}

adept_status adept_spread_evaluate(void *spread, size_t thread, const double *candidates, size_t count,
                                   double *loss, adept_error *err) {
    adept_spread_objective *s = spread;
    size_t threads = adept_worker_pool_threads(s->pool);
    (void)thread;
    s->candidates = candidates;
    s->loss = loss;
    s->count = count;
    adept_worker_pool_run(s->pool, count, evaluate_one, s);
    for (size_t t = 0; t < threads; t++) {
        if (s->statuses[t] != ADEPT_OK) {
            if (err)
                *err = s->errors[t];
            return s->statuses[t];
        }
    }
    return ADEPT_OK;
}
