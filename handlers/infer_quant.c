/* Quantization, and quantized operators that are no matrix product or convolution. */
#include "infer_functions.h"

#include <inttypes.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* Integers of the zero point's type, else output_dtype, else uint8. */
adept_status infer_quantize_linear(adept_infer *ctx) {
    int64_t attribute = adept_infer_int(ctx, "output_dtype", 0);
    adept_dtype dtype = dims_type(ctx, 2);
    if (dtype == ADEPT_DTYPE_UNDEFINED)
        dtype = attribute > 0 && attribute < ADEPT_DTYPE_COUNT ? (adept_dtype)attribute : ADEPT_DTYPE_UINT8;
    return dims_out_typed(ctx, 0, 0, dtype);
}

/* Reals of the scale's type, or what output_dtype says (com.microsoft.DequantizeWithOrder: to). */
adept_status infer_dequantize_linear(adept_infer *ctx) {
    int64_t attribute = adept_infer_int(ctx, "output_dtype", adept_infer_int(ctx, "to", 0));
    adept_dtype dtype =
        attribute > 0 && attribute < ADEPT_DTYPE_COUNT ? (adept_dtype)attribute : dims_type(ctx, 1);
    return dims_out_typed(ctx, 0, 0, dtype);
}

/* y, scale, zero point */
adept_status infer_dynamic_quantize_linear(adept_infer *ctx) {
    INFER_TRY(dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_UINT8));
    INFER_TRY(adept_infer_out(ctx, 1, ADEPT_DTYPE_FLOAT, 0, NULL));
    return adept_infer_out(ctx, 2, ADEPT_DTYPE_UINT8, 0, NULL);
}

/* com.microsoft: int8 in cuBLAS's orders. */
adept_status infer_quantize_with_order(adept_infer *ctx) {
    return dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_INT8);
}

/* a, scale, zero point, b, scale, zero point, .. */
adept_status infer_qlinear_binary(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 3);
    int32_t rank;
    int64_t *dims;
    if (!b || a->rank < 0 || b->rank < 0)
        return adept_infer_out_unknown(ctx, 0, a->dtype);
    INFER_TRY(dims_broadcast_pair(ctx, a->rank, a->dims, b->rank, b->dims, &rank, &dims));
    return adept_infer_out(ctx, 0, a->dtype, rank, dims);
}

/* condition, x, scale, zero point, y, scale, zero point, .. */
adept_status infer_qlinear_where(adept_infer *ctx) {
    const adept_shape *c = adept_infer_in(ctx, 0), *x = adept_infer_in(ctx, 1), *y = adept_infer_in(ctx, 4);
    int32_t rank;
    int64_t *dims;
    if (c->rank < 0 || x->rank < 0 || y->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(dims_broadcast_pair(ctx, x->rank, x->dims, y->rank, y->dims, &rank, &dims));
    INFER_TRY(dims_broadcast_pair(ctx, rank, dims, c->rank, c->dims, &rank, &dims));
    return adept_infer_out(ctx, 0, x->dtype, rank, dims);
}

/* y scale, y zero point, then (x, scale, zero point) for each part. */
adept_status infer_qlinear_concat(adept_infer *ctx) {
    const adept_shape *first = adept_infer_in(ctx, 2);
    adept_dtype dtype = dims_type(ctx, 1);
    int64_t listed;
    int32_t axis;
    INFER_TRY(dims_need_int(ctx, "axis", &listed));
    if (first->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    INFER_TRY(adept_infer_axis(ctx, listed, first->rank, &axis));
    int64_t *dims = dims_copy(ctx, first->rank, first->dims);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 5; i < adept_infer_inputs(ctx); i += 3) {
        const adept_shape *x = adept_infer_in(ctx, i);
        if (!x || x->rank < 0)
            return adept_infer_out_unknown(ctx, 0, dtype);
        if (x->rank != first->rank)
            return adept_infer_fail(ctx, "inputs %s and %s have different numbers of dimensions",
                                    dims_input_text(ctx, 2), dims_input_text(ctx, i));
        for (int32_t d = 0; d < x->rank; d++)
            if (d != axis && x->dims[d] != dims[d] && dims_exact(ctx))
                return adept_infer_fail(ctx, "inputs %s and %s differ on axis %d", dims_input_text(ctx, 2),
                                        dims_input_text(ctx, i), (int)d);
        if (!adept_add_i64(dims[axis], x->dims[axis], &dims[axis]))
            return adept_infer_overflow(ctx);
    }
    return adept_infer_out(ctx, 0, dtype, first->rank, dims);
}

/* com.microsoft: a, zero point, b, zero point to int32. */
adept_status infer_mul_integer(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0);
    const adept_shape *b = adept_infer_in(ctx, adept_infer_inputs(ctx) > 2 ? 2 : 1);
    int32_t rank;
    int64_t *dims;
    if (!b || a->rank < 0 || b->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT32);
    INFER_TRY(dims_broadcast_pair(ctx, a->rank, a->dims, b->rank, b->dims, &rank, &dims));
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_INT32, rank, dims);
}

/* Block floating point: the layout of the bytes is the device's. */
adept_status infer_quantize_bfp(adept_infer *ctx) {
    INFER_TRY(adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_UINT8));
    int64_t rank = adept_infer_rank(ctx, 0);
    if (rank < 0)
        return ADEPT_OK;
    INFER_TRY(adept_infer_out(ctx, 1, ADEPT_DTYPE_INT64, 1, &rank));
    return adept_infer_out(ctx, 2, ADEPT_DTYPE_INT64, 1, &rank);
}

adept_status infer_dequantize_bfp(adept_infer *ctx) {
    adept_dtype dtype;
    INFER_TRY(dims_type_attribute(ctx, "dtype", ADEPT_DTYPE_FLOAT, &dtype));
    const adept_shape *shape = adept_infer_in(ctx, 1);
    int64_t count;
    const int64_t *dims = shape ? adept_infer_in_ints(ctx, 1, &count) : NULL;
    if (!dims || count > INT16_MAX)
        return adept_infer_out_unknown(ctx, 0, dtype);
    return adept_infer_out(ctx, 0, dtype, (int32_t)count, dims);
}

/*
 * com.microsoft: rows of a matrix stored in blocks of few bits. Bytes hold several numbers each, packed
 * along the last axis, which is as many times longer.
 */
adept_status infer_gather_block_quantized(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *indices = adept_infer_in(ctx, 1);
    adept_dtype dtype = dims_type(ctx, 2);
    int32_t axis;
    if (x->rank < 0 || indices->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "gather_axis", 0), x->rank, &axis));
    int32_t packed = x->rank - 1;
    int64_t bits = adept_infer_int(ctx, "bits", 4);
    int64_t per_entry = x->dtype == ADEPT_DTYPE_UINT8 && bits > 0 && bits < 8 ? 8 / bits : 1;
    int64_t *from = dims_copy(ctx, x->rank, x->dims), *dims = dims_new(ctx, x->rank - 1 + indices->rank);
    if (!from || !dims)
        return dims_no_memory(ctx);
    if (!adept_mul_i64(from[packed], per_entry, &from[packed]))
        return adept_infer_overflow(ctx);
    dims_put(dims, from, axis);
    dims_put(dims + axis, indices->dims, indices->rank);
    dims_put(dims + axis + indices->rank, from + axis + 1, x->rank - axis - 1);
    return adept_infer_out(ctx, 0, dtype, x->rank - 1 + indices->rank, dims);
}
