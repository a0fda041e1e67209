/* The inside of adept_de, seen by de.c and de_checkpoint.c alone. */
#ifndef ADEPT_DE_OBJECT_H
#define ADEPT_DE_OBJECT_H

#include "arena.h"
#include "de.h"
#include "worker_pool.h"

typedef struct de_strategy de_strategy;

/* x [parameters][stride], loss [members]: parameter by parameter, so that candidates lie side by side. */
typedef struct de_population {
    double *x, *loss;
} de_population;

/* One thread's memory for one block of candidates. */
typedef struct de_scratch {
    double *trial, *loss;                   /* [parameters][count of the block]; [block] */
    uint64_t *counter, *bits;               /* [block] first random number of a candidate; current draws */
    uint32_t *base, *plus, *minus, *forced; /* [block] members, and the parameter that is always crossed */
    uint32_t *outside; /* [block] candidates that left the bounds of the current parameter */
    double *mutant;    /* [block] current parameter of the mutants */
} de_scratch;

/* What became of one block. */
typedef struct de_outcome {
    adept_status status;
    size_t non_finite;
} de_outcome;

struct adept_de {
    adept_arena *arena;
    adept_worker_pool *pool;
    const de_strategy *strategy;
    adept_de_settings settings;
    adept_bounds *bounds; /* [parameters] */
    size_t *free;         /* [free_count] parameters that are not fixed */
    size_t parameters, free_count, members, stride, blocks;
    uint64_t seed, trial_key, dither_key;
    uint64_t threshold; /* CR * 2^32 */
    de_population now, next;
    de_scratch *scratch;  /* [threads] */
    de_outcome *outcomes; /* [blocks] */
    adept_error *errors;  /* [threads] */
    size_t *failed_block; /* [threads] block that errors[thread] is about */

    uint64_t generation, evaluations, non_finite;
    size_t best;
    bool evaluated; /* losses of `now` are known */

    /* Of the step going on. */
    const adept_objective *objective;
    double F;
};

const char *de_strategy_name(const de_strategy *strategy);
size_t de_lowest(const double *loss, size_t count); /* index of the lowest, the first of equals */

#endif
