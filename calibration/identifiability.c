/* What the data says about each parameter of a fit: sensitivities, correlations, spread of refits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "fit_object.h"
#include "random.h"
#include "scores.h"
#include "singular_values.h"

/* Finite difference, as a share of the range. */
#define STEP 1e-4
/* Singular values below this share of the largest count as 0. */
#define SINGULAR 1e-6
/* A parameter is determined if its standard deviation is below this share of its range. */
#define DETERMINED 0.1
/* Closer to a bound than this share of the range is at it. */
#define AT_BOUND 1e-3

enum { BOOTSTRAP_PURPOSE = 13, BOOTSTRAP_ROUNDS = 30 };

typedef struct jacobian {
    const fit_part *part;
    size_t n, rows, residuals;
    double *a;          /* [n][residuals]: d log(prediction) over one range of the coordinate */
    double *v, *sigma;  /* [n][n], [n] */
    double *figures[4]; /* [rows]: time and power, a step down and a step up */
    double variance;    /* of the log residuals */
} jacobian;

static double range(const fit_part *part, size_t c) {
    return part->space.bounds[c].upper - part->space.bounds[c].lower;
}

static void predict_at(const jacobian *j, const double *x, double *step_s, double *power_W) {
    adept_theta theta;
    adept_search_space_theta(&j->part->space, x, &theta);
    adept_loss_predict(j->part->loss, &theta, step_s, power_W);
}

static double slope(double low, double high, double width) {
    double value = (log(high) - log(low)) / width;
    return isfinite(value) ? value : 0;
}

static void fill_column(jacobian *j, size_t c) {
    double down[ADEPT_THETA_MAX], up[ADEPT_THETA_MAX], measured_s, measured_W;
    const adept_bounds *bounds = &j->part->space.bounds[c];
    memcpy(down, j->part->x, sizeof down);
    memcpy(up, j->part->x, sizeof up);
    down[c] = fmax(down[c] - STEP * range(j->part, c), bounds->lower);
    up[c] = fmin(up[c] + STEP * range(j->part, c), bounds->upper);
    double width = (up[c] - down[c]) / range(j->part, c);
    predict_at(j, down, j->figures[0], j->figures[1]);
    predict_at(j, up, j->figures[2], j->figures[3]);
    double *column = j->a + c * j->residuals;
    for (size_t r = 0; r < j->rows; r++) {
        adept_loss_measured(j->part->loss, r, &measured_s, &measured_W);
        if (!isnan(measured_s))
            *column++ = slope(j->figures[0][r], j->figures[2][r], width);
        if (!isnan(measured_W))
            *column++ = slope(j->figures[1][r], j->figures[3][r], width);
    }
}

/* Of log(predicted/measured), with a degree of freedom less for each parameter. */
static void set_variance(jacobian *j) {
    double sum = 0, measured_s, measured_W;
    predict_at(j, j->part->x, j->figures[0], j->figures[1]);
    for (size_t r = 0; r < j->rows; r++) {
        adept_loss_measured(j->part->loss, r, &measured_s, &measured_W);
        double time = log(j->figures[0][r] / measured_s), power = log(j->figures[1][r] / measured_W);
        sum += isfinite(time) ? time * time : 0;
        sum += isfinite(power) ? power * power : 0;
    }
    size_t freedom = j->residuals > j->n ? j->residuals - j->n : 1;
    j->variance = sum / (double)freedom;
}

/* Entry of the covariance, (J^T J)^-1 of the directions that matter times the variance. */
static double covariance(const jacobian *j, size_t p, size_t q) {
    double sum = 0;
    for (size_t k = 0; k < j->n; k++) {
        double sigma = fmax(j->sigma[k], SINGULAR * j->sigma[0]);
        if (sigma > 0)
            sum += j->v[k * j->n + p] * j->v[k * j->n + q] / (sigma * sigma);
    }
    return sum * j->variance;
}

static void judge(adept_identifiability *out, const jacobian *j, size_t p) {
    const adept_search_space *space = &j->part->space;
    adept_parameter_evidence *e = &out->evidence[p];
    double own = covariance(j, p, p), x = j->part->x[p];
    e->parameter = space->parameter[p];
    e->value = j->part->theta.value[e->parameter];
    e->partner = e->parameter;
    e->lower = e->upper = NAN;
    e->deviation = fmin(1, sqrt(own));
    for (size_t q = 0; q < j->n; q++) {
        double other = covariance(j, q, q);
        double correlation = own > 0 && other > 0 ? covariance(j, p, q) / sqrt(own * other) : 0;
        if (q != p && fabs(correlation) > fabs(e->correlation)) {
            e->correlation = correlation;
            e->partner = space->parameter[q];
        }
    }
    e->at_bound = fmin(x - space->bounds[p].lower, space->bounds[p].upper - x) < AT_BOUND * range(j->part, p);
    e->determined = e->sensitivity > 0 && e->deviation < DETERMINED;
}

static adept_status fill_jacobian(jacobian *j, adept_identifiability *out, adept_error *err) {
    size_t words = j->n * (j->residuals + j->n + 1) + 4 * j->rows;
    double *memory = calloc(words + 1, sizeof *memory);
    if (!memory)
        return adept_fail_memory(err);
    j->a = memory;
    j->v = j->a + j->n * j->residuals;
    j->sigma = j->v + j->n * j->n;
    for (size_t i = 0; i < 4; i++)
        j->figures[i] = j->sigma + j->n + i * j->rows;
    for (size_t c = 0; c < j->n; c++) {
        double sum = 0;
        fill_column(j, c);
        for (size_t r = 0; r < j->residuals; r++)
            sum += j->a[c * j->residuals + r] * j->a[c * j->residuals + r];
        out->evidence[c].sensitivity = sqrt(sum / (double)j->residuals);
    }
    set_variance(j);
    adept_singular_values(j->a, j->residuals, j->n, j->v, j->sigma);
    return ADEPT_OK;
}

/* ---- bootstrap ---- */

typedef struct bootstrap {
    const adept_fit *fit;
    fit_part part;   /* a copy, with its own loss */
    size_t *rows;    /* rows of the data that the part was fitted to */
    double *factors; /* [rows of the data] */
    double *values;  /* [n][refits] */
    size_t row_count, refits;
} bootstrap;

static void draw(bootstrap *b, uint64_t refit) {
    adept_random random = adept_random_new(b->fit->options.seed + refit, BOOTSTRAP_PURPOSE);
    memset(b->factors, 0, adept_dataset_count(b->fit->dataset) * sizeof *b->factors);
    for (size_t i = 0; i < b->row_count; i++)
        b->factors[b->rows[adept_random_below(&random, b->row_count)]] += 1;
}

static adept_status refit(bootstrap *b, size_t number, adept_error *err) {
    const adept_fit *fit = b->fit;
    adept_fit_options options = fit->options;
    adept_loss_settings settings = {options.time_weight, options.power_weight, options.huber, 1};
    uint64_t evaluations = 0;
    adept_theta theta;
    draw(b, number);
    adept_status status = adept_loss_new(&b->part.loss, fit->dataset, fit->use, b->part.report.gpu,
                                         b->factors, &b->part.space, &settings, err);
    if (status != ADEPT_OK)
        return status;
    double x[ADEPT_THETA_MAX];
    memcpy(x, b->part.x, sizeof x);
    double loss = adept_loss_of(b->part.loss, &b->part.theta);
    adept_objective objective = adept_loss_objective(b->part.loss);
    options.polish = BOOTSTRAP_ROUNDS;
    status = fit_polish(x, &loss, &evaluations, &objective, &b->part.space, &options, err);
    adept_search_space_theta(&b->part.space, x, &theta);
    for (size_t c = 0; c < b->part.space.count; c++)
        b->values[c * b->refits + number] = theta.value[b->part.space.parameter[c]];
    adept_loss_free(b->part.loss);
    return status;
}

static void list_rows(bootstrap *b) {
    for (size_t i = 0; i < adept_dataset_count(b->fit->dataset); i++) {
        const adept_dataset_row *row = adept_dataset_at(b->fit->dataset, i);
        if ((!b->fit->use || b->fit->use[i]) && row->trace->weight > 0 &&
            (b->part.report.gpu < 0 || (size_t)b->part.report.gpu == row->gpu))
            b->rows[b->row_count++] = i;
    }
}

static adept_status spread_of_refits(adept_identifiability *out, const adept_fit *fit, size_t part,
                                     size_t refits, adept_error *err) {
    size_t rows = adept_dataset_count(fit->dataset);
    bootstrap b = {.fit = fit, .part = fit->parts[part], .refits = refits};
    b.rows = malloc(rows * sizeof *b.rows);
    b.factors = malloc(rows * sizeof *b.factors);
    b.values = malloc((b.part.space.count * refits + 1) * sizeof *b.values);
    adept_status status = b.rows && b.factors && b.values ? ADEPT_OK : adept_fail_memory(err);
    if (status == ADEPT_OK)
        list_rows(&b);
    for (size_t i = 0; status == ADEPT_OK && i < refits; i++)
        status = refit(&b, i, err);
    for (size_t c = 0; status == ADEPT_OK && c < b.part.space.count; c++) {
        double *values = b.values + c * refits;
        qsort(values, refits, sizeof *values, adept_compare_doubles);
        out->evidence[c].lower = adept_quantile(values, refits, 0.1);
        out->evidence[c].upper = adept_quantile(values, refits, 0.9);
    }
    free(b.rows);
    free(b.factors);
    free(b.values);
    return status;
}

adept_status adept_identify(adept_identifiability *out, const adept_fit *fit, size_t part, size_t refits,
                            adept_error *err) {
    const fit_part *p = &fit->parts[part];
    jacobian j = {.part = p, .n = p->space.count, .rows = adept_loss_rows(p->loss)};
    j.residuals = p->report.time_rows + p->report.power_rows;
    memset(out, 0, sizeof *out);
    out->parameters = j.n;
    out->residuals = j.residuals;
    if (j.n == 0)
        return ADEPT_OK;
    adept_status status = fill_jacobian(&j, out, err);
    if (status != ADEPT_OK)
        return status;
    for (size_t k = 0; k < j.n; k++)
        out->rank += j.sigma[k] > SINGULAR * j.sigma[0];
    out->condition = j.sigma[0] / j.sigma[j.n - 1];
    for (size_t c = 0; c < j.n; c++)
        judge(out, &j, c);
    free(j.a);
    return refits > 1 ? spread_of_refits(out, fit, part, refits, err) : ADEPT_OK;
}
