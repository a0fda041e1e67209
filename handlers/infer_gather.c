/* Operators that read or write at computed positions. */
#include "infer_functions.h"

#include <inttypes.h>
#include <string.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* Known indices must lie within [-size, size). */
static adept_status check_indices(adept_infer *ctx, int32_t input, int64_t size) {
    const adept_value *index = adept_infer_in_value(ctx, input);
    for (int64_t i = 0; index && i < index->count; i++) {
        if (!fold_known(index, i))
            continue;
        int64_t at = fold_int(index, i);
        if ((at < -size || at >= size) && dims_exact(ctx))
            return adept_infer_fail(ctx, "index %" PRId64 " is out of range for an axis of %" PRId64, at,
                                    size);
    }
    return ADEPT_OK;
}

static int64_t from_back(int64_t index, int64_t size) {
    return index < 0 ? index + size : index;
}

/* --- Gather --- */

static adept_status fold_gather(adept_infer *ctx, const adept_shape *x, int32_t axis, int64_t outer,
                                int64_t inner) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    const adept_value *index = value ? adept_infer_in_value(ctx, 1) : NULL;
    int64_t size = x->dims[axis], count;
    fold f;
    if (!value || !index || !adept_mul_i64(outer * inner, index->count, &count) ||
        !fold_begin(&f, ctx, x->dtype, count))
        return ADEPT_OK;
    for (int64_t at = 0; at < count; at++) {
        int64_t which = at / inner % index->count, row = at / inner / index->count;
        if (fold_known(index, which))
            fold_take(&f, at, value,
                      (row * size + from_back(fold_int(index, which), size)) * inner + at % inner);
    }
    return fold_end(&f, 0);
}

/* data [.., d_axis, ..], indices [i..] to [.., i.., ..] */
adept_status infer_gather(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *indices = adept_infer_in(ctx, 1);
    int64_t outer, inner;
    int32_t axis;
    if (x->rank < 0 || indices->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank == 0)
        return adept_infer_fail(ctx, "nothing can be gathered from a scalar");
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", 0), x->rank, &axis));
    INFER_TRY(check_indices(ctx, 1, x->dims[axis]));
    int32_t rank = x->rank - 1 + indices->rank;
    int64_t *dims = dims_new(ctx, rank);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, x->dims, axis);
    dims_put(dims + axis, indices->dims, indices->rank);
    dims_put(dims + axis + indices->rank, x->dims + axis + 1, x->rank - axis - 1);
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, rank, dims));
    if (!adept_elements(x->dims, axis, &outer) ||
        !adept_elements(x->dims + axis + 1, x->rank - axis - 1, &inner) || inner == 0 ||
        outer > ADEPT_VALUE_LIMIT || inner > ADEPT_VALUE_LIMIT)
        return ADEPT_OK;
    return fold_gather(ctx, x, axis, outer, inner);
}

/* The output has the shape of the indices. */
adept_status infer_gather_elements(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *indices = adept_infer_in(ctx, 1);
    int32_t axis;
    fold_walk walk;
    fold f;
    INFER_TRY(dims_out_typed(ctx, 0, 1, x->dtype));
    if (x->rank < 0 || indices->rank < 0)
        return ADEPT_OK;
    if (x->rank != indices->rank)
        return adept_infer_fail(ctx, "data %s and indices %s have different numbers of dimensions",
                                dims_input_text(ctx, 0), dims_input_text(ctx, 1));
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", 0), x->rank, &axis));
    INFER_TRY(check_indices(ctx, 1, x->dims[axis]));
    const adept_value *value = adept_infer_in_value(ctx, 0);
    const adept_value *index = value ? adept_infer_in_value(ctx, 1) : NULL;
    if (!index || !fold_begin(&f, ctx, x->dtype, index->count) ||
        !fold_walk_begin(&walk, ctx, x->rank, indices->dims) ||
        !fold_walk_follow(&walk, fold_strides(ctx, x->rank, x->dims), 0))
        return ADEPT_OK;
    int64_t stride = walk.strides[0][axis];
    for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk))
        if (fold_known(index, at))
            fold_take(&f, at, value,
                      walk.offset[0] +
                          (from_back(fold_int(index, at), x->dims[axis]) - walk.position[axis]) * stride);
    return fold_end(&f, 0);
}

/* Offset of the tuple of indices at `tuple`, k wide, in a tensor of these dims and strides; -1: unknown. */
static int64_t tuple_offset(const adept_value *index, int64_t tuple, int64_t k, const int64_t *dims,
                            const int64_t *strides) {
    int64_t offset = 0;
    for (int64_t j = 0; j < k; j++) {
        if (!fold_known(index, tuple * k + j))
            return -1;
        int64_t at = from_back(fold_int(index, tuple * k + j), dims[j]);
        if (at < 0 || at >= dims[j])
            return -1;
        offset += at * strides[j];
    }
    return offset;
}

static adept_status fold_gather_nd(adept_infer *ctx, const adept_shape *x, int64_t k) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    const adept_value *index = value ? adept_infer_in_value(ctx, 1) : NULL;
    int64_t *strides = index ? fold_strides(ctx, x->rank, x->dims) : NULL, inner;
    fold f;
    if (!strides || k == 0 || !adept_elements(x->dims + k, x->rank - (int32_t)k, &inner) ||
        !fold_begin(&f, ctx, x->dtype, index->count / k * inner))
        return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++) {
        int64_t offset = tuple_offset(index, at / inner, k, x->dims, strides);
        fold_take(&f, at, offset < 0 ? NULL : value, offset + at % inner);
    }
    return fold_end(&f, 0);
}

/* data [b.., d..], indices [b.., i.., k] to [b.., i.., d_k..] */
adept_status infer_gather_nd(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *indices = adept_infer_in(ctx, 1);
    int64_t batch = adept_infer_int(ctx, "batch_dims", 0);
    if (x->rank < 0 || indices->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (indices->rank < 1 || x->rank < 1)
        return adept_infer_fail(ctx, "data %s and indices %s need at least one dimension",
                                dims_input_text(ctx, 0), dims_input_text(ctx, 1));
    int64_t k = indices->dims[indices->rank - 1];
    if (batch < 0 || batch >= indices->rank || k > x->rank - batch)
        return adept_infer_fail(ctx,
                                "indices %s pick %" PRId64 " axes after %" PRId64 " batch axes, data is %s",
                                dims_input_text(ctx, 1), k, batch, dims_input_text(ctx, 0));
    int32_t rest = (int32_t)(batch + k), rank = indices->rank - 1 + x->rank - rest;
    int64_t *dims = dims_new(ctx, rank);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, indices->dims, indices->rank - 1);
    dims_put(dims + indices->rank - 1, x->dims + rest, x->rank - rest);
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, rank, dims));
    return batch == 0 ? fold_gather_nd(ctx, x, k) : ADEPT_OK;
}

/* --- Scatter --- */

/* What happens where an update meets an element; only "none" is folded. */
static bool plain_write(adept_infer *ctx) {
    return strcmp(adept_infer_string(ctx, "reduction", "none"), "none") == 0;
}

/* Starts a fold with the data's numbers. false: nothing to fold. */
static bool fold_data(fold *f, adept_infer *ctx, const adept_shape *x, const adept_value **index,
                      const adept_value **updates) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    *index = value ? adept_infer_in_value(ctx, 1) : NULL;
    *updates = *index ? adept_infer_in_value(ctx, 2) : NULL;
    if (!*index || !plain_write(ctx) || !fold_begin(f, ctx, x->dtype, value->count))
        return false;
    for (int64_t at = 0; at < f->count; at++)
        fold_take(f, at, value, at);
    for (int64_t at = 0; at < (*index)->count; at++)
        if (!fold_known(*index, at))
            return false;
    return true;
}

static adept_status fold_scatter_elements(adept_infer *ctx, const adept_shape *x, int32_t axis) {
    const adept_shape *indices = adept_infer_in(ctx, 1);
    const adept_value *index, *updates;
    fold_walk walk;
    fold f;
    if (!fold_data(&f, ctx, x, &index, &updates) || !fold_walk_begin(&walk, ctx, x->rank, indices->dims) ||
        !fold_walk_follow(&walk, fold_strides(ctx, x->rank, x->dims), 0))
        return ADEPT_OK;
    int64_t stride = walk.strides[0][axis];
    for (int64_t at = 0; at < index->count; at++, fold_walk_next(&walk)) {
        int64_t to = from_back(fold_int(index, at), x->dims[axis]);
        if (to < 0 || to >= x->dims[axis])
            continue;
        fold_take(&f, walk.offset[0] + (to - walk.position[axis]) * stride, updates, at);
    }
    return fold_end(&f, 0);
}

adept_status infer_scatter_elements(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *indices = adept_infer_in(ctx, 1);
    const adept_shape *updates = adept_infer_in(ctx, 2);
    int32_t axis;
    INFER_TRY(dims_same_type(ctx, 0, 2));
    INFER_TRY(infer_same(ctx));
    if (x->rank < 0 || indices->rank < 0 || updates->rank < 0)
        return ADEPT_OK;
    if (x->rank != indices->rank || indices->rank != updates->rank)
        return adept_infer_fail(ctx,
                                "data %s, indices %s and updates %s have different numbers of dimensions",
                                dims_input_text(ctx, 0), dims_input_text(ctx, 1), dims_input_text(ctx, 2));
    if (x->rank == 0)
        return ADEPT_OK;
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", 0), x->rank, &axis));
    INFER_TRY(check_indices(ctx, 1, x->dims[axis]));
    for (int32_t i = 0; i < x->rank; i++) {
        if (indices->dims[i] != updates->dims[i] && dims_exact(ctx))
            return adept_infer_fail(ctx, "indices %s and updates %s have different shapes",
                                    dims_input_text(ctx, 1), dims_input_text(ctx, 2));
        if (indices->dims[i] != updates->dims[i] || (i != axis && indices->dims[i] > x->dims[i]))
            return ADEPT_OK;
    }
    return fold_scatter_elements(ctx, x, axis);
}

adept_status infer_scatter_nd(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *indices = adept_infer_in(ctx, 1);
    const adept_value *index, *updates;
    int64_t inner;
    fold f;
    INFER_TRY(dims_same_type(ctx, 0, 2));
    INFER_TRY(infer_same(ctx));
    if (x->rank < 0 || indices->rank < 0)
        return ADEPT_OK;
    int64_t k = indices->rank ? indices->dims[indices->rank - 1] : 0;
    if (indices->rank < 1 || k > x->rank)
        return adept_infer_fail(ctx, "indices %s do not fit data %s: the last dimension counts axes",
                                dims_input_text(ctx, 1), dims_input_text(ctx, 0));
    int64_t *strides = fold_strides(ctx, x->rank, x->dims);
    if (!strides || k == 0 || !adept_elements(x->dims + k, x->rank - (int32_t)k, &inner) ||
        !fold_data(&f, ctx, x, &index, &updates))
        return ADEPT_OK;
    for (int64_t tuple = 0; tuple < index->count / k; tuple++) {
        int64_t offset = tuple_offset(index, tuple, k, x->dims, strides);
        for (int64_t at = 0; at < inner && offset >= 0; at++)
            fold_take(&f, offset + at, updates, tuple * inner + at);
    }
    return fold_end(&f, 0);
}

/* A cache [B, .., max, .., d] updated in place by [B, .., s, .., d]. */
adept_status infer_tensor_scatter(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *update = adept_infer_in(ctx, 1);
    int32_t axis;
    INFER_TRY(infer_same(ctx));
    if (x->rank < 0 || update->rank < 0)
        return ADEPT_OK;
    if (x->rank != update->rank)
        return adept_infer_fail(ctx, "cache %s and update %s have different numbers of dimensions",
                                dims_input_text(ctx, 0), dims_input_text(ctx, 1));
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", -2), x->rank, &axis));
    for (int32_t i = 0; i < x->rank; i++)
        if ((i == axis ? update->dims[i] > x->dims[i] : update->dims[i] != x->dims[i]) && dims_exact(ctx))
            return adept_infer_fail(ctx, "update %s does not fit into cache %s", dims_input_text(ctx, 1),
                                    dims_input_text(ctx, 0));
    return ADEPT_OK;
}

/* ai.onnx.ml: [.., n] and k positions to [.., k]. */
adept_status infer_array_feature_extractor(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t positions = fold_elements(adept_infer_in(ctx, 1));
    if (x->rank < 0 || positions < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank <= 1) {
        int64_t dims[2] = {1, positions};
        return adept_infer_out(ctx, 0, x->dtype, 2, dims);
    }
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    dims[x->rank - 1] = positions;
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}
