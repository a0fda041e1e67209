/*
 * Pattern search: tries a step up and down along every coordinate at once, keeps the best point, and adapts
 * each step. Slow near a smooth minimum, but it does not stop at the kinks that absolute errors have, where a
 * gradient points nowhere useful.
 * Source    compass search as in T. G. Kolda, R. M. Lewis, V. Torczon, SIAM Review 45 (2003) 385-482
 */
#ifndef ADEPT_PATTERN_SEARCH_H
#define ADEPT_PATTERN_SEARCH_H

#include "objective.h"

typedef struct adept_pattern_settings {
    double first_step, last_step; /* shares of a coordinate's range */
    size_t rounds;                /* at most; each costs 2 n + 1 evaluations */
} adept_pattern_settings;

#define ADEPT_PATTERN_SETTINGS_INIT                                                                          \
    { .first_step = 0.05, .last_step = 1e-4, .rounds = 200 }

typedef struct adept_pattern_result {
    double before, after; /* loss; after <= before */
    size_t evaluations, rounds;
} adept_pattern_result;

/*
 * Improves x [parameters], within the bounds.
 * Errors    NOMEM; what the objective returned (x is then the best point so far)
 */
adept_status adept_pattern_search(adept_pattern_result *result, double *x, const adept_objective *objective,
                                  const adept_bounds *bounds, size_t parameters,
                                  const adept_pattern_settings *settings, adept_error *err);

#endif
