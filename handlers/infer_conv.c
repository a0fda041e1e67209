/* Convolutions. x [N, C, spatial..], w [M, C / group, kernel..], y [N, M, spatial..]. */
#include "infer_functions.h"

#include <inttypes.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"
#include "infer_window.h"

/* Group and extents of the kernel, checked against the weight's dimensions. */
static adept_status read_kernel(adept_infer *ctx, const adept_shape *w, int32_t spatial, int64_t *group,
                                const int64_t **kernel) {
    int32_t listed;
    const int64_t *stated = adept_infer_ints(ctx, "kernel_shape", &listed);
    *group = adept_infer_int(ctx, "group", 1);
    *kernel = w->dims + 2;
    if (*group < 1)
        return adept_infer_fail(ctx, "attribute 'group' is %" PRId64 ", expected at least 1", *group);
    if (!stated || listed == 0)
        return ADEPT_OK;
    if (listed != spatial)
        return adept_infer_fail(ctx,
                                "attribute 'kernel_shape' has %d numbers, the weight %s has %d spatial axes",
                                (int)listed, dims_text(ctx, w->rank, w->dims), (int)spatial);
    for (int32_t i = 0; i < spatial; i++)
        if (stated[i] != w->dims[2 + i] && dims_exact(ctx))
            return adept_infer_fail(
                ctx, "attribute 'kernel_shape' says %" PRId64 " on spatial axis %d, the weight has %" PRId64,
                stated[i], (int)i, w->dims[2 + i]);
    return ADEPT_OK;
}

static adept_status check_ranks(adept_infer *ctx, const adept_shape *x, const adept_shape *w) {
    if (x->rank < 3 || w->rank != x->rank)
        return adept_infer_fail(ctx,
                                "input %s and weight %s must have the same number of dimensions, at least 3",
                                dims_text(ctx, x->rank, x->dims), dims_text(ctx, w->rank, w->dims));
    return ADEPT_OK;
}

static adept_status check_channels(adept_infer *ctx, const adept_shape *x, const adept_shape *w,
                                   int64_t group) {
    int64_t expected;
    if (!adept_mul_i64(w->dims[1], group, &expected))
        return adept_infer_overflow(ctx);
    if (x->dims[1] != expected && dims_exact(ctx))
        return adept_infer_fail(
            ctx, "input has %" PRId64 " channels, weight expects %" PRId64 "%s; re-export the model",
            x->dims[1], expected, group > 1 ? " (its own times group)" : "");
    if (w->dims[0] % group != 0 && dims_exact(ctx))
        return adept_infer_fail(ctx, "%" PRId64 " output channels are not divisible by group %" PRId64,
                                w->dims[0], group);
    return ADEPT_OK;
}

/* The vector of one number for each output channel, if it is there. */
static adept_status check_bias(adept_infer *ctx, int32_t input, int64_t channels) {
    int64_t count = fold_elements(adept_infer_in(ctx, input));
    if (count >= 0 && count != channels && dims_exact(ctx))
        return adept_infer_fail(ctx, "the bias has %" PRId64 " elements for %" PRId64 " output channels",
                                count, channels);
    return ADEPT_OK;
}

static adept_status convolve(adept_infer *ctx, const adept_shape *x, const adept_shape *w, int32_t bias,
                             adept_dtype dtype, bool blocked) {
    const int64_t *kernel;
    int64_t group;
    window win;
    if (x->rank < 0 || w->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    INFER_TRY(check_ranks(ctx, x, w));
    INFER_TRY(read_kernel(ctx, w, x->rank - 2, &group, &kernel));
    if (!blocked)
        INFER_TRY(check_channels(ctx, x, w, group));
    if (bias >= 0 && !blocked)
        INFER_TRY(check_bias(ctx, bias, w->dims[0]));
    INFER_TRY(window_read(ctx, x->rank - 2, kernel, &win));
    int64_t *dims = dims_new(ctx, x->rank);
    if (!dims)
        return dims_no_memory(ctx);
    dims[0] = x->dims[0];
    dims[1] = w->dims[0];
    INFER_TRY(window_sizes(ctx, &win, x->dims + 2, dims + 2));
    return adept_infer_out(ctx, 0, dtype, x->rank, dims);
}

/* Also com.microsoft's FusedConv, whose fourth input is added to the output. */
adept_status infer_conv(adept_infer *ctx) {
    INFER_TRY(dims_same_type(ctx, 0, 1));
    return convolve(ctx, adept_infer_in(ctx, 0), adept_infer_in(ctx, 1), 2, dims_type(ctx, 0), false);
}

adept_status infer_conv_integer(adept_infer *ctx) {
    return convolve(ctx, adept_infer_in(ctx, 0), adept_infer_in(ctx, 1), -1, ADEPT_DTYPE_INT32, false);
}

/* x, w, offset, bias, mask */
adept_status infer_deform_conv(adept_infer *ctx) {
    return convolve(ctx, adept_infer_in(ctx, 0), adept_infer_in(ctx, 1), 3, dims_type(ctx, 0), false);
}

/* com.microsoft.nchwc: channels in blocks, weights padded to them; sizes as without blocks. */
adept_status infer_nchwc_conv(adept_infer *ctx) {
    return convolve(ctx, adept_infer_in(ctx, 0), adept_infer_in(ctx, 1), 2, dims_type(ctx, 0), true);
}

/* --- channels last --- */

/* [N, spatial.., C] to [N, C, spatial..] (forward) or back. */
static int64_t *move_channels(adept_infer *ctx, int32_t rank, const int64_t *dims, bool to_first) {
    int64_t *moved = dims_new(ctx, rank);
    for (int32_t i = 0; moved && i < rank; i++) {
        int32_t last_order = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1; /* where axis i of NC.. stands in N..C */
        if (to_first)
            moved[i] = dims[last_order];
        else
            moved[last_order] = dims[i];
    }
    return moved;
}

/* The weight of a channels-last convolution is stored either way: the axis with C / group tells. */
static adept_status weight_channels_first(adept_infer *ctx, const adept_shape *w, int64_t channels,
                                          adept_shape *out) {
    int64_t group = adept_infer_int(ctx, "group", 1);
    *out = *w;
    if (w->rank < 3 || group < 1 || w->dims[1] == channels / group ||
        w->dims[w->rank - 1] != channels / group)
        return ADEPT_OK;
    out->dims = move_channels(ctx, w->rank, w->dims, true);
    return out->dims ? ADEPT_OK : dims_no_memory(ctx);
}

/* convolve() writes N, M, spatial; this puts M last. */
static adept_status convolve_channels_last(adept_infer *ctx, const adept_shape *x, const adept_shape *w,
                                           adept_dtype dtype) {
    const int64_t *kernel;
    int64_t group;
    window win;
    adept_shape first = *x, weight;
    if (x->rank < 3 || w->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    int64_t *dims = dims_new(ctx, x->rank);
    first.dims = move_channels(ctx, x->rank, x->dims, true);
    if (!first.dims || !dims)
        return dims_no_memory(ctx);
    INFER_TRY(weight_channels_first(ctx, w, first.dims[1], &weight));
    INFER_TRY(check_ranks(ctx, &first, &weight));
    INFER_TRY(read_kernel(ctx, &weight, x->rank - 2, &group, &kernel));
    INFER_TRY(check_channels(ctx, &first, &weight, group));
    INFER_TRY(window_read(ctx, x->rank - 2, kernel, &win));
    dims[0] = first.dims[0];
    dims[1] = weight.dims[0];
    INFER_TRY(window_sizes(ctx, &win, first.dims + 2, dims + 2));
    int64_t *moved = move_channels(ctx, x->rank, dims, false);
    return moved ? adept_infer_out(ctx, 0, dtype, x->rank, moved) : dims_no_memory(ctx);
}

adept_status infer_nhwc_conv(adept_infer *ctx) {
    return convolve_channels_last(ctx, adept_infer_in(ctx, 0), adept_infer_in(ctx, 1), dims_type(ctx, 0));
}

/* x, scale, zero point, w, scale, zero point, y scale, y zero point, bias */
adept_status infer_qlinear_conv(adept_infer *ctx) {
    adept_dtype dtype = dims_type(ctx, 7);
    if (adept_infer_int(ctx, "channels_last", 0)) /* com.microsoft */
        return convolve_channels_last(ctx, adept_infer_in(ctx, 0), adept_infer_in(ctx, 3), dtype);
    return convolve(ctx, adept_infer_in(ctx, 0), adept_infer_in(ctx, 3), 8, dtype, false);
}

/* --- ConvTranspose: w [C, M / group, kernel..] --- */

/*
 * stride * (in - 1) + output_padding + extent - pads; with auto_pad SAME stride * in. output_shape names
 * the spatial sizes (older files: all sizes).
 */
static adept_status transposed_sizes(adept_infer *ctx, const window *w, const int64_t *in, int64_t *out) {
    int32_t asked_count, added_count;
    const int64_t *asked = adept_infer_ints(ctx, "output_shape", &asked_count);
    const int64_t *added = adept_infer_ints(ctx, "output_padding", &added_count);
    if (added && added_count != w->rank)
        return adept_infer_fail(ctx, "attribute 'output_padding' has %d numbers, expected %d",
                                (int)added_count, (int)w->rank);
    if (asked && asked_count != w->rank && asked_count != w->rank + 2)
        return adept_infer_fail(ctx, "attribute 'output_shape' has %d numbers, expected %d", (int)asked_count,
                                (int)w->rank);
    for (int32_t i = 0; i < w->rank; i++) {
        int64_t extent, size;
        if (asked) {
            out[i] = asked[asked_count - w->rank + i];
            continue;
        }
        if (!window_extent(w, i, &extent) ||
            !adept_mul_i64(w->strides[i], w->padding == PADDING_SAME ? in[i] : in[i] - 1, &size))
            return adept_infer_overflow(ctx);
        if (w->padding != PADDING_SAME &&
            (!adept_add_i64(size, extent, &size) || !adept_add_i64(size, added ? added[i] : 0, &size)))
            return adept_infer_overflow(ctx);
        if (w->padding == PADDING_EXPLICIT &&
            (!adept_sub_i64(size, w->begin[i], &size) || !adept_sub_i64(size, w->end[i], &size)))
            return adept_infer_overflow(ctx);
        if (size < 0 && dims_exact(ctx))
            return adept_infer_fail(ctx,
                                    "the output would have the size %" PRId64
                                    " on spatial axis %d: the padding cuts more than there is",
                                    size, (int)i);
        out[i] = size < 0 ? 0 : size;
    }
    return ADEPT_OK;
}

adept_status infer_conv_transpose(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 1);
    const int64_t *kernel;
    int64_t group;
    window win;
    INFER_TRY(dims_same_type(ctx, 0, 1));
    if (x->rank < 0 || w->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(check_ranks(ctx, x, w));
    INFER_TRY(read_kernel(ctx, w, x->rank - 2, &group, &kernel));
    if (x->dims[1] != w->dims[0] && dims_exact(ctx))
        return adept_infer_fail(
            ctx, "input has %" PRId64 " channels, weight expects %" PRId64 "; re-export the model",
            x->dims[1], w->dims[0]);
    INFER_TRY(window_read(ctx, x->rank - 2, kernel, &win));
    int64_t *dims = dims_new(ctx, x->rank);
    if (!dims)
        return dims_no_memory(ctx);
    dims[0] = x->dims[0];
    if (!adept_mul_i64(w->dims[1], group, &dims[1]))
        return adept_infer_overflow(ctx);
    INFER_TRY(check_bias(ctx, 2, dims[1]));
    INFER_TRY(transposed_sizes(ctx, &win, x->dims + 2, dims + 2));
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

/* com.microsoft: the padding is the third input. */
adept_status infer_conv_transpose_dynamic_pads(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 1);
    const int64_t *kernel, *pads;
    int64_t group, count;
    window win;
    if (x->rank < 0 || w->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(check_ranks(ctx, x, w));
    INFER_TRY(read_kernel(ctx, w, x->rank - 2, &group, &kernel));
    INFER_TRY(window_read(ctx, x->rank - 2, kernel, &win));
    int64_t *dims = dims_new(ctx, x->rank);
    if (!dims)
        return dims_no_memory(ctx);
    pads = adept_infer_in_ints(ctx, 2, &count);
    bool open = adept_infer_in(ctx, 2) && (!pads || count != 2 * (int64_t)win.rank);
    if (pads && !open) {
        win.begin = pads;
        win.end = pads + win.rank;
    }
    dims[0] = x->dims[0];
    if (!adept_mul_i64(w->dims[1], group, &dims[1]))
        return adept_infer_overflow(ctx);
    INFER_TRY(transposed_sizes(ctx, &win, x->dims + 2, dims + 2));
    for (int32_t i = 2; open && i < x->rank; i++)
        dims[i] = dims_assume_axis(ctx, "dim", i, dims[i], ADEPT_BOUND, "the padding is computed data");
    return dims_out(ctx, 0, x->dtype, x->rank, dims, open ? ADEPT_BOUND : ADEPT_EXACT);
}

/* Depthwise, causal: y like x [B, C, L]; the state holds the last k - 1 positions. */
adept_status infer_causal_conv_with_state(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 1);
    INFER_TRY(infer_same(ctx));
    if (x->rank != 3 || w->rank != 3)
        return x->rank < 0 || w->rank < 0
                   ? ADEPT_OK
                   : adept_infer_fail(ctx, "input %s and weight %s must have 3 dimensions",
                                      dims_input_text(ctx, 0), dims_input_text(ctx, 1));
    if (x->dims[1] != w->dims[0] && dims_exact(ctx))
        return adept_infer_fail(ctx, "input has %" PRId64 " channels, weight expects %" PRId64, x->dims[1],
                                w->dims[0]);
    int64_t dims[3] = {x->dims[0], x->dims[1], w->dims[2] > 0 ? w->dims[2] - 1 : 0};
    return adept_infer_out(ctx, 1, x->dtype, 3, dims);
}

/*
 * com.microsoft: x [B, C, spatial..] or, channels last, [B, L, C..]. The state has (k - 1) * dilation
 * positions on the causal axis (the last spatial one); a window of W states has a leading axis.
 */
adept_status infer_ms_causal_conv_with_state(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 1);
    bool channels_last = adept_infer_int(ctx, "channels_last", 0) != 0;
    int64_t states = adept_infer_int(ctx, "state_window", 0), length;
    INFER_TRY(infer_same(ctx));
    if (x->rank < 3 || w->rank < 3)
        return ADEPT_OK;
    int64_t *dims = dims_new(ctx, x->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    int64_t taps = w->dims[w->rank - 1];
    if (!adept_mul_i64(taps > 0 ? taps - 1 : 0, adept_infer_int(ctx, "dilation", 1), &length))
        return adept_infer_overflow(ctx);
    dims[0] = states;
    dims_put(dims + 1, x->dims, x->rank);
    dims[channels_last ? 2 : x->rank] = length;
    bool windowed = states > 0;
    return adept_infer_out(ctx, 1, x->dtype, x->rank + windowed, windowed ? dims : dims + 1);
}
