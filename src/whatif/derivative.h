/* One-sided and central derivatives of functions that are smooth in pieces. */
#ifndef ADEPT_DERIVATIVE_H
#define ADEPT_DERIVATIVE_H

#include <stdbool.h>

enum { DERIVATIVE_OUTPUTS = 2 };

/* y of x0 + h for every output; false: not defined there. */
typedef bool derivative_function(double h, double y[DERIVATIVE_OUTPUTS], void *user);

typedef struct derivative {
    double below, above; /* NaN: the function is not defined on that side */
    bool kink, jump;
    double error; /* estimate for the side less well known */
} derivative;

/*
 * Derivatives at h = 0. On each side a cubic through four points (h, 2h, 3h, 4h) gives the side's limit and
 * slope, error O(h^3); where both sides agree, the central five-point formula, error O(h^4), replaces both.
 * h runs down a ladder from 2^-10 to 2^-22 until two neighbouring steps agree.
 */
void derivative_make(derivative out[DERIVATIVE_OUTPUTS], derivative_function *function, void *user);

#endif
