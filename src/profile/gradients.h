/* Which tensors are parameters, and which need a gradient (design.md sections 2 and 12). */
#ifndef ADEPT_GRADIENTS_H
#define ADEPT_GRADIENTS_H

#include <stdbool.h>

#include "network.h"

typedef struct adept_gradients {
    bool *is_parameter; /* [tensors] floating-point initializer of more than one element, read as a weight */
    bool *trainable;    /* [tensors] parameter that no --freeze pattern names */
    bool *needs_grad;   /* [tensors] a trainable parameter lies upstream and a graph output downstream */
    int32_t *uses;      /* [tensors] operators that read a parameter, also through a view of it */
} adept_gradients;

/* Arrays live in arena; needs_grad is all false in inference. */
adept_status adept_gradients_find(adept_gradients *out, const adept_network *network, const adept_run *run,
                                  adept_arena *arena, adept_error *err);

#endif
