/*
 * Which parameters a fit may change, and how the optimizer sees them: one coordinate for each free
 * parameter, its logarithm where the table says that it spans decades, else the value itself.
 */
#ifndef ADEPT_SEARCH_SPACE_H
#define ADEPT_SEARCH_SPACE_H

#include "adept/calibration.h"
#include "objective.h"

typedef struct adept_search_space {
    adept_theta base;                     /* values of the parameters that stay */
    size_t count;                         /* free ones */
    size_t slots;                         /* parameters of the table, and launch costs of hosts behind them */
    size_t parameter[ADEPT_THETA_MAX];    /* of each coordinate */
    bool logarithmic[ADEPT_THETA_MAX];    /* of each coordinate */
    adept_bounds bounds[ADEPT_THETA_MAX]; /* of each coordinate */
    double limit[ADEPT_THETA_MAX];        /* upper bound of the parameter behind each coordinate */
} adept_search_space;

/*
 * The space of a fit around base: free and fixed names of the options, else the table's.
 * Errors    ARGUMENT: unknown name (with the closest), one both free and fixed, value outside its bounds
 */
adept_status adept_search_space_new(adept_search_space *out, const adept_theta *base,
                                    const adept_fit_options *options, adept_error *err);

/* Frees the launch costs of so many hosts, which stand behind the parameters of the base. */
void adept_search_space_add_hosts(adept_search_space *space, size_t hosts);

/* Takes the coordinates out that are marked; their parameters keep the base's value. */
void adept_search_space_drop(adept_search_space *space, const bool *drop);

/* Coordinates of the base, cut at the bounds. x [count] */
void adept_search_space_start(const adept_search_space *space, double *x);

/* Parameters at a point x [count]. */
void adept_search_space_theta(const adept_search_space *space, const double *x, adept_theta *out);

/*
 * The same for many candidates side by side.
 * Shapes    x [space->count][stride]; theta [slots][count]
 */
void adept_search_space_theta_many(const adept_search_space *space, const double *x, size_t stride,
                                   size_t count, double *theta);

#endif
