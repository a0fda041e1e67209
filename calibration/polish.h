/*
 * Polishing: bounded L-BFGS from a good point to the nearest minimum.
 * Source    NLopt's NLOPT_LD_LBFGS (code by L. Luksan; J. Nocedal, Math. Comp. 35 (1980) 773-782)
 */
#ifndef ADEPT_POLISH_H
#define ADEPT_POLISH_H

#include <stdbool.h>

#include "objective.h"

typedef struct adept_polish_settings {
    /*
     * Gradient by the caller: loss at x [parameters], and its derivatives into gradient [parameters].
     * NULL: central differences of the objective, all 2 n points in one call.
     */
    double (*gradient)(void *user, const double *x, double *gradient);
    void *user;
    size_t evaluations; /* at most so many points at which loss and gradient are taken, per restart */
    double tol;         /* stop where a step changes no parameter by more than tol times its range */
} adept_polish_settings;

#define ADEPT_POLISH_SETTINGS_INIT                                                                           \
    { .evaluations = 2000, .tol = 1e-12 }

typedef struct adept_polish_result {
    double before, after;   /* loss; after <= before */
    size_t evaluations;     /* candidates evaluated */
    const char *stopped_by; /* English text, static */
} adept_polish_result;

/*
 * Improves x [parameters], which keeps its value where nothing better was found and never leaves the bounds.
 * Fixed parameters (lower == upper) stay. The objective is called with thread 0.
 * Errors    ARGUMENT if x is outside the bounds, its loss is not finite, or settings are out of range; NOMEM;
 *           what the objective returned (x then is the best point so far)
 */
adept_status adept_polish(adept_polish_result *result, double *x, const adept_objective *objective,
                          const adept_bounds *bounds, size_t parameters,
                          const adept_polish_settings *settings, adept_error *err);

#endif
