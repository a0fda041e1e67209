/* Error statistics of predictions, in percent. */
#ifndef ADEPT_SCORES_H
#define ADEPT_SCORES_H

#include "adept/calibration.h"

/* Rows below this weight count in mape_weighted alone. */
#define ADEPT_HEADLINE_WEIGHT 0.5

/* A predicted and a measured figure of one row. */
typedef struct adept_pair {
    double predicted, measured, weight;
} adept_pair;

/*
 * mape = mean |p/m - 1|, median of the same, bias = mean (p/m - 1), over rows of weight 0.5 and more;
 * mape_weighted = sum w |p/m - 1| / sum w over all. Pairs with NaN are left out. pairs is reordered.
 */
adept_error_summary adept_summarise(adept_pair *pairs, size_t count);

/* w_t time + w_p power; the one there is where the other is NaN. */
double adept_combined(double time, double power, double time_weight, double power_weight);

/*
 * The c for which sum w |c p / m - 1| is least: the weighted median of m/p with weights w p/m. NaN without
 * rows. pairs is reordered.
 */
double adept_best_factor(adept_pair *pairs, size_t count);

/* Quantile q of sorted values, linear between them; NaN without values. */
double adept_quantile(const double *sorted, size_t count, double q);

int adept_compare_doubles(const void *a, const void *b);

#endif
