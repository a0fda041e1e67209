/* The inside of adept_fit, seen by fit.c, identifiability.c and fit_write.c alone. */
#ifndef ADEPT_FIT_OBJECT_H
#define ADEPT_FIT_OBJECT_H

#include "arena.h"
#include "loss.h"
#include "search_space.h"

typedef struct fit_part {
    adept_fit_part report;
    adept_search_space space;
    adept_row_loss *loss;
    bool dropped[ADEPT_THETA_MAX]; /* by parameter */
    double x[ADEPT_THETA_MAX];     /* best point, coordinates of the space */
    adept_theta theta;
} fit_part;

struct adept_fit {
    adept_arena *arena;
    const adept_dataset *dataset;
    adept_fit_options options; /* names and strings borrowed during the run alone */
    const bool *use;           /* a copy, [rows of the data]; NULL: all */
    fit_part *parts;
    size_t part_count;
    adept_theta *thetas; /* [GPUs] */
    bool stopped;
};

/* Parameters before a fit: those of the GPU's file; shared: values that files transfer, else initial ones. */
adept_status fit_base(adept_theta *out, const adept_dataset *dataset, const adept_fit_options *options,
                      ptrdiff_t gpu, adept_error *err);

/* Improves x [space] by pattern search and L-BFGS in turn, until neither helps. */
adept_status fit_polish(double *x, double *loss, uint64_t *evaluations, const adept_objective *objective,
                        const adept_search_space *space, const adept_fit_options *options, adept_error *err);

#endif
