/*
 * The loss of a calibration (eqs 4.16 to 4.18), in percent:
 *
 *   L = w_t MAPE_time + w_p MAPE_power,   MAPE = 100 sum_r w_r |predicted/measured - 1| / sum_r w_r
 *
 * over the rows that have the figure, w_r the row's weight. Where no row has a time (or a power), L is the
 * other MAPE alone. With huber = d > 0 the relative error is replaced by e(l), l = ln(predicted/measured):
 * l^2/(2d) below d, |l| - d/2 above.
 */
#ifndef ADEPT_LOSS_H
#define ADEPT_LOSS_H

#include "adept/calibration.h"
#include "objective.h"
#include "search_space.h"
#include "worker_pool.h"

/* An error of one row counts at most so much, so that no candidate has an infinite loss. */
#define ADEPT_LOSS_ERROR_MAX 1e6

typedef struct adept_row_loss adept_row_loss; /* opaque */

typedef struct adept_loss_settings {
    double time_weight, power_weight, huber;
    size_t threads; /* that may evaluate at the same time */
} adept_loss_settings;

/*
 * Loss over rows of the data: those of use [rows of the data] (NULL: all) and of one GPU (-1: all).
 * factors [rows of the data] multiply the weights (NULL: 1).
 * Errors    ARGUMENT: no row with a weight above 0, negative or non-finite settings; NOMEM
 */
adept_status adept_loss_new(adept_row_loss **out, const adept_dataset *dataset, const bool *use,
                            ptrdiff_t gpu, const double *factors, const adept_search_space *space,
                            const adept_loss_settings *settings, adept_error *err);
void adept_loss_free(adept_row_loss *loss); /* NULL is fine */

/* The space may change (fewer coordinates) between evaluations; it is borrowed. */
adept_objective adept_loss_objective(adept_row_loss *loss);

/* The same, its candidates spread over the threads of a pool: for optimizers that call from one thread. */
typedef struct adept_spread_objective {
    adept_objective inner;
    adept_worker_pool *pool;
    size_t parameters;
    double *scratch;     /* [threads][parameters] */
    adept_error *errors; /* [threads] */
    adept_status *statuses;
    const double *candidates;
    double *loss;
    size_t count;
} adept_spread_objective;
adept_status adept_spread_evaluate(void *spread, size_t thread, const double *candidates, size_t count,
                                   double *loss, adept_error *err);

/* Loss of given parameters (not through the space). */
double adept_loss_of(adept_row_loss *loss, const adept_theta *theta);

size_t adept_loss_rows(const adept_row_loss *loss);
size_t adept_loss_times(const adept_row_loss *loss);
size_t adept_loss_powers(const adept_row_loss *loss);

/*
 * Predicted step time and power of every row at given parameters, NaN where a prediction fails.
 * step_s, power_W [adept_loss_rows]
 */
void adept_loss_predict(const adept_row_loss *loss, const adept_theta *theta, double *step_s,
                        double *power_W);
/*
 * Whether some measured figure is predicted otherwise than by the predictions given, by more than 1e-9 of
 * them; ends at the first.
 */
bool adept_loss_moves(const adept_row_loss *loss, const adept_theta *theta, const double *step_s,
                      const double *power_W);
/* What was measured of a row: NaN where nothing was, or its weight is 0. */
void adept_loss_measured(const adept_row_loss *loss, size_t row, double *step_s, double *power_W);

/* Candidates that the objective should get at once. */
size_t adept_loss_block(const adept_row_loss *loss);

#endif
