/* ai.onnx.preview.training: optimizer steps and gradients inside a graph. */
#include "infer_functions.h"

#include <string.h>

#include "infer_dims.h"

/*
 * Adagrad, Momentum: rate, count, then n tensors, n gradients, n states; Adam has two states each. Outputs:
 * n new tensors, then the new states, each of its tensor's shape.
 */
adept_status infer_training_optimizer(adept_infer *ctx) {
    int32_t kinds = strcmp(adept_infer_node(ctx)->op_type, "Adam") == 0 ? 4 : 3;
    int32_t tensors = (adept_infer_inputs(ctx) - 2) / kinds;
    if (tensors < 1 || tensors * kinds + 2 != adept_infer_inputs(ctx))
        return adept_infer_fail(ctx, "%d inputs are not 2 and %d for each tensor",
                                (int)adept_infer_inputs(ctx), (int)kinds);
    for (int32_t i = 0; i < adept_infer_outputs(ctx); i++) {
        const adept_shape *x = adept_infer_in(ctx, 2 + i % tensors);
        if (x)
            INFER_TRY(adept_infer_out_like(ctx, i, x));
    }
    return ADEPT_OK;
}

/* One gradient for each tensor named by xs, the first inputs. */
adept_status infer_gradient(adept_infer *ctx) {
    for (int32_t i = 0; i < adept_infer_outputs(ctx); i++) {
        const adept_shape *x = adept_infer_in(ctx, i);
        if (x)
            INFER_TRY(adept_infer_out_like(ctx, i, x));
    }
    return ADEPT_OK;
}
