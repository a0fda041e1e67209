/* Losses. scores [N, C, d..], labels [N, d..]. */
#include "infer_functions.h"

#include <inttypes.h>
#include <string.h>

#include "infer_dims.h"

static adept_status check_labels(adept_infer *ctx, const adept_shape *scores, const adept_shape *labels) {
    if (scores->rank < 2 || labels->rank != scores->rank - 1)
        return adept_infer_fail(ctx, "scores %s and labels %s do not fit: labels lack the class axis",
                                dims_input_text(ctx, 0), dims_input_text(ctx, 1));
    for (int32_t i = 0; i < labels->rank; i++) {
        int64_t expected = scores->dims[i == 0 ? 0 : i + 1];
        if (labels->dims[i] != expected && dims_exact(ctx))
            return adept_infer_fail(ctx, "labels have %" PRId64 " on axis %d, scores %" PRId64,
                                    labels->dims[i], (int)i, expected);
    }
    const adept_shape *weight = adept_infer_in(ctx, 2);
    if (weight && weight->rank == 1 && weight->dims[0] != scores->dims[1] && dims_exact(ctx))
        return adept_infer_fail(ctx, "%" PRId64 " class weights for %" PRId64 " classes", weight->dims[0],
                                scores->dims[1]);
    return ADEPT_OK;
}

/* The labels' shape without reduction, else one number. */
adept_status infer_nll_loss(adept_infer *ctx) {
    const adept_shape *scores = adept_infer_in(ctx, 0), *labels = adept_infer_in(ctx, 1);
    if (scores->rank >= 0 && labels->rank >= 0)
        INFER_TRY(check_labels(ctx, scores, labels));
    if (strcmp(adept_infer_string(ctx, "reduction", "mean"), "none") == 0)
        return dims_out_typed(ctx, 0, 1, scores->dtype);
    return adept_infer_out(ctx, 0, scores->dtype, 0, NULL);
}

/* Loss and logarithms of the probabilities. */
adept_status infer_softmax_cross_entropy_loss(adept_infer *ctx) {
    INFER_TRY(infer_nll_loss(ctx));
    return adept_infer_out_like(ctx, 1, adept_infer_in(ctx, 0));
}
