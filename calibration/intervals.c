/* Prediction intervals from held-out residuals, and how often measurements lie in them. */
#include <math.h>
#include <stdlib.h>

#include "scores.h"
#include "validation_object.h"

/* Fewer residuals than this make no interval. */
enum { RESIDUALS_MIN = 10 };

#define LEVEL 0.8

/* Which rows: of one GPU (-1: all), without one fold (SIZE_MAX: none). */
typedef struct residual_choice {
    ptrdiff_t gpu;
    size_t left_out;
    bool power;
} residual_choice;

/* Ratios measured over predicted of headline rows; returns how many. */
static size_t gather(const adept_validation *v, residual_choice choice, double *ratios) {
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++) {
        const adept_validation_row *row = &v->rows[i];
        double measured = choice.power ? row->data->average_power_W : row->data->step_time_s;
        double predicted = choice.power ? row->average_power_W : row->step_time_s;
        if (row->fold != choice.left_out && (choice.gpu < 0 || (size_t)choice.gpu == row->data->gpu) &&
            row->data->trace->weight >= ADEPT_HEADLINE_WEIGHT && measured > 0 && predicted > 0)
            ratios[count++] = measured / predicted;
    }
    if (count)
        qsort(ratios, count, sizeof *ratios, adept_compare_doubles);
    return count;
}

/* Bounds between which `level` of the ratios lie, the same share beyond either; NaN for too few. */
static adept_interval bounds_of(const adept_validation *v, residual_choice choice, double level,
                                double *ratios) {
    size_t count = gather(v, choice, ratios);
    if (count < RESIDUALS_MIN)
        return (adept_interval){NAN, NAN};
    return (adept_interval){adept_quantile(ratios, count, (1 - level) / 2),
                            adept_quantile(ratios, count, (1 + level) / 2)};
}

adept_hardware_interval adept_validation_interval(const adept_validation *v, ptrdiff_t gpu, double level) {
    adept_hardware_interval out = {level, NAN, NAN, NAN, NAN};
    double *ratios = malloc((v->count + 1) * sizeof *ratios);
    if (!ratios)
        return out;
    adept_interval time = bounds_of(v, (residual_choice){gpu, SIZE_MAX, false}, level, ratios);
    adept_interval power = bounds_of(v, (residual_choice){gpu, SIZE_MAX, true}, level, ratios);
    free(ratios);
    return (adept_hardware_interval){level, time.lower, time.upper, power.lower, power.upper};
}

/* Counts rows of a fold and those inside the interval of the other folds. */
static void count_inside(const adept_validation *v, bool power, size_t fold, adept_interval bounds,
                         size_t *rows, size_t *inside) {
    for (size_t i = 0; i < v->count; i++) {
        const adept_validation_row *row = &v->rows[i];
        double measured = power ? row->data->average_power_W : row->data->step_time_s;
        double predicted = power ? row->average_power_W : row->step_time_s;
        if (row->fold != fold || row->data->trace->weight < ADEPT_HEADLINE_WEIGHT || !(measured > 0) ||
            !(predicted > 0))
            continue;
        (*rows)++;
        *inside += measured >= predicted * bounds.lower && measured <= predicted * bounds.upper;
    }
}

adept_coverage_rate adept_validation_coverage(const adept_validation *v) {
    adept_coverage_rate out = {LEVEL, NAN, NAN, 0, 0};
    double *ratios = malloc((v->count + 1) * sizeof *ratios);
    size_t inside[2] = {0, 0}, rows[2] = {0, 0};
    for (size_t fold = 0; ratios && fold < v->fold_count; fold++) {
        for (int power = 0; power < 2; power++) {
            adept_interval bounds = bounds_of(v, (residual_choice){-1, fold, power}, LEVEL, ratios);
            if (!isnan(bounds.lower))
                count_inside(v, power, fold, bounds, &rows[power], &inside[power]);
        }
    }
    free(ratios);
    out.time_rows = rows[0];
    out.power_rows = rows[1];
    if (rows[0])
        out.time = (double)inside[0] / (double)rows[0];
    if (rows[1])
        out.power = (double)inside[1] / (double)rows[1];
    return out;
}
