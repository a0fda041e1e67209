/*
 * What an optimizer minimises: a loss of n parameters within bounds, evaluated for many candidates at once.
 */
#ifndef ADEPT_OBJECTIVE_H
#define ADEPT_OBJECTIVE_H

#include <stddef.h>

#include "adept/error.h"

/* A parameter is fixed where lower == upper. Both finite, and upper - lower finite too. */
typedef struct adept_bounds {
    double lower, upper;
} adept_bounds;

enum { ADEPT_PARAMETERS_MAX = 1024 };

typedef struct adept_objective {
    /*
     * Loss of `count` candidates at once.
     * Shapes    candidates [parameter][count] (parameter p of candidate i at p * count + i), each within the
     *           bounds; loss [count]
     * Threads   called by several threads at the same time; `thread` (below the number of threads) selects
     *           scratch memory. A candidate's loss must not depend on `thread`.
     * Errors    any status ends the optimizer's step with that status and the message in err. A candidate
     *           that is merely bad costs a finite penalty instead
     */
    adept_status (*evaluate)(void *user, size_t thread, const double *candidates, size_t count, double *loss,
                             adept_error *err);
    void *user;
} adept_objective;

/* A loss of one vector, made an objective: {adept_scalar_evaluate, &scalar}. Called by several threads. */
typedef struct adept_scalar {
    double (*loss)(void *user, const double *x); /* x [parameters] */
    void *user;
    size_t parameters; /* at most ADEPT_PARAMETERS_MAX */
} adept_scalar;

adept_status adept_scalar_evaluate(void *scalar, size_t thread, const double *candidates, size_t count,
                                   double *loss, adept_error *err);

/* Errors    ARGUMENT for no bounds, more than ADEPT_PARAMETERS_MAX, crossed or non-finite ones */
adept_status adept_bounds_check(const adept_bounds *bounds, size_t parameters, adept_error *err);

#endif
