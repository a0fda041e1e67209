/* Normalisations, softmax and dropout: outputs of the input's shape, and statistics. */
#include "infer_functions.h"

#include <inttypes.h>

#include "infer_dims.h"
#include "infer_fold.h"

/* Softmax and its kin, LpNormalization: an axis that must exist. */
adept_status infer_softmax(adept_infer *ctx) {
    int32_t rank = adept_infer_rank(ctx, 0), axis, opset = adept_infer_opset(ctx);
    bool flattens = opset < 13; /* coerced to a matrix at the axis; the rank itself is allowed */
    int64_t listed = adept_infer_int(ctx, "axis", flattens ? 1 : -1);
    bool whole = flattens && (listed == rank || (listed == 1 && rank == 0));
    if (rank > 0 && !whole)
        INFER_TRY(adept_infer_axis(ctx, listed, rank, &axis));
    return infer_same(ctx);
}

adept_status infer_along_axis(adept_infer *ctx) {
    int32_t rank = adept_infer_rank(ctx, 0), axis;
    if (rank > 0)
        INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", -1), rank, &axis));
    return infer_same(ctx);
}

/* Output and mask; the mask is bool since opset 10, of the data's type before. */
adept_status infer_dropout(adept_infer *ctx) {
    INFER_TRY(infer_same(ctx));
    adept_dtype mask = adept_infer_opset(ctx) < 10 ? dims_type(ctx, 0) : ADEPT_DTYPE_BOOL;
    return dims_out_typed(ctx, 1, 0, mask);
}

/* Channels of x [N, C, ..]; -1: unknown. A tensor of one axis has one channel. */
static int64_t channels_of(const adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return -1;
    return x->rank > 1 ? x->dims[1] : 1;
}

static adept_status check_vector(adept_infer *ctx, int32_t input, int64_t channels) {
    const adept_shape *v = adept_infer_in(ctx, input);
    if (!v || v->rank < 0 || channels < 0 || !dims_exact(ctx))
        return ADEPT_OK;
    if (fold_elements(v) != channels)
        return adept_infer_fail(
            ctx, "input %d has shape %s, expected one number for each of the %" PRId64 " channels",
            (int)input, dims_input_text(ctx, input), channels);
    return ADEPT_OK;
}

/*
 * x, scale, bias, mean, variance. Outputs: y; since opset 14 in training mode the running mean and
 * variance; before, running and saved mean and variance.
 */
adept_status infer_batch_normalization(adept_infer *ctx) {
    bool spatial = adept_infer_int(ctx, "spatial", 1) != 0;
    INFER_TRY(infer_same(ctx));
    for (int32_t i = 1; i < 5 && spatial; i++)
        INFER_TRY(check_vector(ctx, i, channels_of(ctx)));
    for (int32_t i = 1; i < adept_infer_outputs(ctx); i++) {
        const adept_shape *statistic = adept_infer_in(ctx, i % 2 ? 3 : 4);
        INFER_TRY(adept_infer_out_like(ctx, i, statistic));
    }
    return ADEPT_OK;
}

adept_status infer_instance_normalization(adept_infer *ctx) {
    int32_t rank = adept_infer_rank(ctx, 0);
    if (rank >= 0 && rank < 3)
        return adept_infer_fail(ctx, "input has shape %s, expected [N, C, spatial axes]",
                                dims_input_text(ctx, 0));
    INFER_TRY(check_vector(ctx, 1, channels_of(ctx)));
    INFER_TRY(check_vector(ctx, 2, channels_of(ctx)));
    return infer_same(ctx);
}

/* scale and bias: one number for each group (opset 18) or channel (21). */
adept_status infer_group_normalization(adept_infer *ctx) {
    int64_t groups, channels = channels_of(ctx);
    INFER_TRY(dims_need_int(ctx, "num_groups", &groups));
    if (groups < 1)
        return adept_infer_fail(ctx, "attribute 'num_groups' is %" PRId64, groups);
    if (channels >= 0 && channels % groups != 0 && dims_exact(ctx))
        return adept_infer_fail(ctx, "%" PRId64 " channels are not divisible by %" PRId64 " groups", channels,
                                groups);
    int64_t expected = adept_infer_opset(ctx) < 21 ? groups : channels;
    INFER_TRY(check_vector(ctx, 1, expected));
    INFER_TRY(check_vector(ctx, 2, expected));
    return infer_same(ctx);
}

/* The scale must be laid over x without changing its shape. */
static adept_status check_scale(adept_infer *ctx, const adept_shape *x, int32_t input) {
    const adept_shape *scale = adept_infer_in(ctx, input);
    int32_t rank;
    int64_t *dims;
    if (!scale || scale->rank < 0)
        return ADEPT_OK;
    INFER_TRY(dims_broadcast_pair(ctx, x->rank, x->dims, scale->rank, scale->dims, &rank, &dims));
    bool same = rank == x->rank;
    for (int32_t i = 0; i < x->rank && same; i++)
        same = dims[i] == x->dims[i];
    if (!same && dims_exact(ctx))
        return adept_infer_fail(ctx, "input %d of shape %s does not fit over %s", (int)input,
                                dims_input_text(ctx, input), dims_input_text(ctx, 0));
    return ADEPT_OK;
}

/* x's shape with the axes from `axis` on shrunk to 1: mean and inverse deviation. */
static adept_status statistics_dims(adept_infer *ctx, const adept_shape *x, int64_t listed, int64_t **out) {
    int32_t axis;
    INFER_TRY(adept_infer_axis(ctx, listed, x->rank, &axis));
    *out = dims_copy(ctx, x->rank, x->dims);
    if (!*out)
        return dims_no_memory(ctx);
    for (int32_t i = axis; i < x->rank; i++)
        (*out)[i] = 1;
    return ADEPT_OK;
}

/* y, mean, 1 / standard deviation; statistics in the type of stash_type. */
adept_status infer_layer_normalization(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    adept_dtype stash;
    int64_t *dims;
    INFER_TRY(dims_type_attribute(ctx, "stash_type", ADEPT_DTYPE_FLOAT, &stash));
    INFER_TRY(infer_same(ctx));
    if (x->rank < 0)
        return ADEPT_OK;
    INFER_TRY(statistics_dims(ctx, x, adept_infer_int(ctx, "axis", -1), &dims));
    INFER_TRY(check_scale(ctx, x, 1));
    INFER_TRY(check_scale(ctx, x, 2));
    INFER_TRY(adept_infer_out(ctx, 1, stash, x->rank, dims));
    return adept_infer_out(ctx, 2, stash, x->rank, dims);
}

/* y and (onnxruntime) 1 / root mean square. */
adept_status infer_simplified_layer_normalization(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    adept_dtype stash;
    int64_t *dims;
    INFER_TRY(dims_type_attribute(ctx, "stash_type", ADEPT_DTYPE_FLOAT, &stash));
    INFER_TRY(dims_out_typed(ctx, 0, 0, dims_type(ctx, 1)));
    if (x->rank < 0)
        return ADEPT_OK;
    INFER_TRY(statistics_dims(ctx, x, adept_infer_int(ctx, "axis", -1), &dims));
    INFER_TRY(check_scale(ctx, x, 1));
    return adept_infer_out(ctx, 1, stash, x->rank, dims);
}

adept_status infer_rms_normalization(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t *dims;
    INFER_TRY(dims_out_typed(ctx, 0, 0, dims_type(ctx, 1)));
    if (x->rank < 0)
        return ADEPT_OK;
    INFER_TRY(statistics_dims(ctx, x, adept_infer_int(ctx, "axis", -1), &dims));
    return check_scale(ctx, x, 1);
}
