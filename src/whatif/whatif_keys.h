/* What can be set or swept: figures of a hardware file, parameters, run options. */
#ifndef ADEPT_WHATIF_KEYS_H
#define ADEPT_WHATIF_KEYS_H

#include "adept/whatif.h"

typedef enum whatif_kind {
    WHATIF_FIELD,
    WHATIF_PARAMETER,
    WHATIF_REAL,   /* run option, a number */
    WHATIF_WHOLE,  /* run option, a whole number */
    WHATIF_CHOICE, /* run option, one of some names */
} whatif_kind;

/* Run options that only the prediction reads; all others need a profile of their own. */
typedef enum whatif_late {
    WHATIF_NOT_LATE,
    WHATIF_POWER_LIMIT,
    WHATIF_CLOCK_LIMIT,
    WHATIF_VARIANT
} whatif_late;

typedef struct whatif_key {
    char name[96];
    whatif_kind kind;
    whatif_late late;
    adept_variant variant; /* PARAMETER */
    size_t index;          /* of the field, or of the parameter */
    const char *unit;      /* "" for a pure number */
} whatif_key;

/* Errors    ARGUMENT: no such key, with the closest one; run options only where allowed */
adept_status whatif_key_find(whatif_key *out, const char *name, bool run_options, adept_error *err);

/* The present value of a numeric key; NaN: unknown. run NULL: figures and parameters only. */
double whatif_key_value(const whatif_key *key, const adept_hardware *hardware, const adept_run *run);

/*
 * Puts values on the figures among keys; parameters go into theta (NULL: into the hardware file's). What
 * follows from clocks, SMs and TDP (adept_whatif_consequence) is computed from base, so that hardware may be
 * used again and again.
 * Errors    RANGE, with the figure's unit
 */
adept_status whatif_apply(adept_hardware *hardware, adept_theta *theta, const adept_hardware *base,
                          const whatif_key *keys, const double *values, size_t count, adept_error *err);

/* Ranges of all figures over the known GPUs (operator variant) or of one GPU (thesis variant). */
typedef struct whatif_ranges {
    size_t count;
    double lower[128], upper[128];
} whatif_ranges;
adept_status whatif_ranges_make(whatif_ranges *out, const adept_whatif *job, adept_variant variant,
                                adept_error *err);
/* Octaves of a figure's value outside its range; 0 inside, or where no range is known. */
double whatif_octaves_of(const whatif_ranges *ranges, size_t field, double value);
/* Octaves outside, of the figure furthest out among those that hardware has set; *key names it. */
double whatif_octaves(const whatif_ranges *ranges, const adept_hardware *hardware, const char **key);

#endif
