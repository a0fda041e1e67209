/*
 * Fusion by a compiler (--fusion compiled): chains of elementwise, normalisation and softmax operators run
 * as one kernel per pass, and what passes between them never reaches device memory.
 */
#ifndef ADEPT_FUSION_H
#define ADEPT_FUSION_H

#include "count.h"
#include "gradients.h"
#include "network.h"

/*
 * Rewrites the kernels in counted: bytes of tensors that stay inside a group are taken out, a group is
 * launched once per pass. *groups: how many were formed.
 * Errors    NOMEM
 */
adept_status adept_fuse(adept_counted *counted, int32_t *groups, const adept_network *network,
                        const adept_gradients *gradients, const adept_dtype *storage, adept_arena *arena,
                        adept_error *err);

#endif
