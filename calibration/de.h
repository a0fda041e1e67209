/*
 * Differential evolution: a population of parameter vectors, improved by differences of its own members.
 *
 * Create it, call adept_de_step once per generation, read the best; the caller owns budget, log and
 * stopping. All random numbers are functions of seed, generation and candidate, and a whole generation is
 * drawn from the one before it: the same seed gives the same result, to the bit, on any number of threads.
 * Source    R. Storn, K. Price, "Differential evolution", J. Global Optimization 11 (1997) 341-359;
 *           behaviour as scipy.optimize.differential_evolution with updating='deferred' (docs/optimizer.md)
 */
#ifndef ADEPT_DE_H
#define ADEPT_DE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "objective.h"

typedef struct adept_de adept_de; /* opaque: owns population and threads */

/* Cost of a candidate whose loss is not finite; its square still is. */
#define ADEPT_DE_PENALTY 1e100

enum { ADEPT_DE_GENERATIONS = 50000 }; /* customary budget of callers */

typedef struct adept_de_settings {
    const char *strategy;         /* row of the table, see adept_de_strategy_name; borrowed during new */
    size_t members_per_parameter; /* population size = this times the free parameters, at least 5 */
    double F_lower, F_upper; /* mutation factor, drawn anew per generation: 0 <= F_lower <= F_upper <= 2 */
    double CR;               /* probability that a parameter comes from the mutant: [0, 1] */
    double tol, atol;        /* converged: stddev(loss) <= atol + tol * |mean(loss)| */
    size_t threads;          /* 0: one per processor online */
    size_t block;            /* candidates handed to one call of the objective, at most */
    const double *start;     /* one member of the start population, [parameters], or NULL; borrowed */
    uint64_t fingerprint;    /* of the objective (data, options): a saved state fits only the same one */
} adept_de_settings;

#define ADEPT_DE_SETTINGS_INIT                                                                               \
    {                                                                                                        \
        .strategy = "best1bin", .members_per_parameter = 15, .F_lower = 0.5, .F_upper = 1.5, .CR = 0.7,      \
        .tol = 0.01, .atol = 0.0, .threads = 1, .block = 32                                                  \
    }

/* Losses of the population. */
typedef struct adept_de_losses {
    double lowest, mean, stddev; /* ADEPT_DE_PENALTY, the same, 0 before the first step */
} adept_de_losses;

/*
 * Draws the start population (Latin hypercube over the bounds) and starts the threads.
 * Errors    ARGUMENT for bounds, settings or start out of range; NOMEM; LIMIT for too many threads
 */
adept_status adept_de_new(adept_de **out, const adept_bounds *bounds, size_t parameters,
                          const adept_de_settings *settings, uint64_t seed, adept_error *err);
void adept_de_free(adept_de *de); /* NULL is fine */

/*
 * One generation; the first call evaluates the start population before it. After an error the population is
 * as before the call, or, if only the start was evaluated, that.
 * Errors    what the objective returned, of the first block that failed
 */
adept_status adept_de_step(adept_de *de, const adept_objective *objective, adept_error *err);

/* Lowest loss so far; its parameters go to x [parameters] unless NULL. */
double adept_de_best(const adept_de *de, double *x);
adept_de_losses adept_de_spread(const adept_de *de);

/* SciPy's test, with tol and atol of the settings; false as long as a member costs the penalty. */
bool adept_de_converged(const adept_de *de);

size_t adept_de_population(const adept_de *de);
size_t adept_de_parameters(const adept_de *de);
uint64_t adept_de_generation(const adept_de *de);  /* generations done */
uint64_t adept_de_evaluations(const adept_de *de); /* candidates evaluated */
uint64_t adept_de_non_finite(const adept_de *de);  /* of those, replaced by the penalty */

/* Parameters of one member, [parameters], and its loss. */
double adept_de_member(const adept_de *de, size_t member, double *x);

/* Name of a row of the strategy table, NULL past its end. */
const char *adept_de_strategy_name(size_t row);

/*
 * State as text, exact to the bit, with a checksum; see adept_atomic_write for a safe file.
 * Restoring needs an engine created with the same bounds, settings, seed and fingerprint (threads, block,
 * tol and atol may differ) and continues as if never interrupted; a failure leaves the engine unchanged.
 * Errors    IO; FORMAT for a damaged file; ARGUMENT for a state of another problem, with what differs
 */
adept_status adept_de_save(const adept_de *de, FILE *out, adept_error *err);
adept_status adept_de_restore(adept_de *de, FILE *in, adept_error *err);

#endif
