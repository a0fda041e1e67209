/*
 * Why a prediction is what it is: cost of every operator, and what would help most.
 */
#ifndef ADEPT_EXPLAIN_H
#define ADEPT_EXPLAIN_H

#include <stddef.h>

#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/profile.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Cost of one operator of the profile, one GPU, one micro-batch, forward and backward. */
typedef struct adept_operator_cost {
    double time_s, energy_J;
    adept_bound bound; /* of its longest kernel */
} adept_operator_cost;

typedef struct adept_module_cost {
    double time_s, energy_J;
} adept_module_cost;

/* A change of one figure and what it does to the step. */
typedef struct adept_remedy {
    const char *what;   /* "twice the memory bandwidth" */
    double step_time_s; /* with it */
    double energy_per_step_J;
} adept_remedy;

typedef struct adept_explanation adept_explanation; /* opaque: owns memory */

/*
 * Explains the prediction that adept_predict makes of the same arguments.
 * Errors    as adept_predict; UNSUPPORTED: the variant has no costs of single kernels (costs are then 0 and
 *           adept_explanation_has_costs is false, which is no error here)
 */
adept_status adept_explain(adept_explanation **out, const adept_profile *profile,
                           const adept_hardware *hardware, const adept_run *run, adept_error *err);
void adept_explanation_free(adept_explanation *explanation); /* NULL is fine */

bool adept_explanation_has_costs(const adept_explanation *explanation);
/* By row of the profile's operators, and by its modules. */
adept_operator_cost adept_explanation_operator(const adept_explanation *explanation, size_t row);
adept_module_cost adept_explanation_module(const adept_explanation *explanation, size_t index);
/* Sorted by step time, the most helpful first. */
size_t adept_explanation_remedy_count(const adept_explanation *explanation);
const adept_remedy *adept_explanation_remedy(const adept_explanation *explanation, size_t index);

/* Kernels that were in no measurement (adept_kernel_in_fitted_range), by the operators that launch them. */
typedef struct adept_outside_row {
    adept_kernel_kind kind;
    adept_math math;
    const char *op_type; /* of the profile; "optimizer" */
    double share;        /* of the busy time of the step */
} adept_outside_row;

typedef struct adept_outside adept_outside; /* opaque: owns memory; op_type is borrowed from the profile */

/*
 * The rows behind ADEPT_NOTE_OUTSIDE_FITTED_RANGE, largest share first; none for a variant without costs of
 * kernels.
 * Errors    as adept_predict
 */
adept_status adept_outside_range(adept_outside **out, const adept_profile *profile,
                                 const adept_hardware *hardware, const adept_run *run, adept_error *err);
void adept_outside_free(adept_outside *outside); /* NULL is fine, here and below */
size_t adept_outside_count(const adept_outside *outside);
const adept_outside_row *adept_outside_at(const adept_outside *outside, size_t index);

/*
 * The largest batch per GPU whose step fits in device memory, overhead included; -1 if not even one sample
 * does. Memory grows with the batch, so the border is found by doubling and halving.
 * Errors    those of adept_profile_build and adept_predict; ARGUMENT: the graph has a fixed batch
 */
adept_status adept_max_batch(int64_t *out, const adept_graph *graph, const adept_hardware *hardware,
                             const adept_run *run, adept_error *err);

#ifdef __cplusplus
}
#endif
#endif
