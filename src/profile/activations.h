/* Device memory of a step: what is alive when (design.md section 2, last rule). */
#ifndef ADEPT_ACTIVATIONS_H
#define ADEPT_ACTIVATIONS_H

#include "count.h"
#include "gradients.h"
#include "network.h"

typedef struct adept_activations {
    double saved_B;         /* kept from the forward for the backward pass */
    double forward_peak_B;  /* activations alive at the worst point of the forward pass */
    double backward_peak_B; /* saved activations, gradients and workspace at the worst point of the backward
                               pass */
    double workspace_B;     /* largest workspace of one operator */
    double *saved_by_op;    /* [ops] each storage at the first operator that keeps it */
    double *working_set_by_op; /* [ops] inputs, outputs and workspace of the forward pass */
} adept_activations;

/* counted: [network->ops.count]; is_constant: [tensors] weights and what is folded from them. */
adept_status adept_activations_find(adept_activations *out, const adept_network *network,
                                    const adept_counted *counted, const adept_gradients *gradients,
                                    const adept_dtype *storage, const bool *is_constant, adept_arena *arena,
                                    adept_error *err);

/* Bytes of a tensor as stored under the precision policy; sub-byte types packed. 0: unknown shape. */
double adept_tensor_B(const adept_shape *shape, adept_dtype storage);

#endif
