/* Pools over windows, over everything, and over regions. x [N, C, spatial..]. */
#include "infer_functions.h"

#include <inttypes.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"
#include "infer_window.h"

static adept_status want_spatial(adept_infer *ctx, int32_t input) {
    int32_t rank = adept_infer_rank(ctx, input);
    if (rank >= 0 && rank < 2)
        return adept_infer_fail(ctx, "input has shape %s, expected [N, C, spatial axes]",
                                dims_input_text(ctx, input));
    return ADEPT_OK;
}

/* kernel_shape, one number for each spatial axis. */
static adept_status read_pool(adept_infer *ctx, int32_t spatial, window *w) {
    const int64_t *kernel;
    int32_t count;
    INFER_TRY(dims_need_ints(ctx, "kernel_shape", &kernel, &count));
    if (count != spatial)
        return adept_infer_fail(ctx,
                                "attribute 'kernel_shape' has %d numbers, the input %s has %d spatial axes",
                                (int)count, dims_input_text(ctx, 0), (int)spatial);
    return window_read(ctx, spatial, kernel, w);
}

static adept_status pool(adept_infer *ctx, int64_t **out) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    window w = {0};
    INFER_TRY(want_spatial(ctx, 0));
    INFER_TRY(read_pool(ctx, x->rank - 2, &w));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    *out = dims;
    return window_sizes(ctx, &w, x->dims + 2, dims + 2);
}

adept_status infer_average_pool(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t *dims = NULL;
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(pool(ctx, &dims));
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

adept_status infer_lp_pool(adept_infer *ctx) {
    return infer_average_pool(ctx);
}

/* Values and, if asked for, where each came from. */
adept_status infer_max_pool(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t *dims = NULL;
    if (x->rank < 0) {
        INFER_TRY(adept_infer_out_unknown(ctx, 0, x->dtype));
        return adept_infer_out_unknown(ctx, 1, ADEPT_DTYPE_INT64);
    }
    INFER_TRY(pool(ctx, &dims));
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, x->rank, dims));
    return adept_infer_out(ctx, 1, ADEPT_DTYPE_INT64, x->rank, dims);
}

adept_status infer_nchwc_pool(adept_infer *ctx) {
    return infer_average_pool(ctx);
}

/* [N, spatial.., C] */
static adept_status pool_channels_last(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    window w = {0};
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(want_spatial(ctx, 0));
    INFER_TRY(read_pool(ctx, x->rank - 2, &w));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    INFER_TRY(window_sizes(ctx, &w, x->dims + 1, dims + 1));
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

adept_status infer_nhwc_max_pool(adept_infer *ctx) {
    return pool_channels_last(ctx);
}

adept_status infer_qlinear_average_pool(adept_infer *ctx) {
    return adept_infer_int(ctx, "channels_last", 0) ? pool_channels_last(ctx) : infer_average_pool(ctx);
}

/* One number for each channel: spatial axes shrink to 1. */
adept_status infer_global_pool(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(want_spatial(ctx, 0));
    bool channels_last = adept_infer_int(ctx, "channels_last", 0) != 0;
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = channels_last ? 1 : 2; i < x->rank - channels_last; i++)
        dims[i] = 1;
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

adept_status infer_qlinear_global_average_pool(adept_infer *ctx) {
    return infer_global_pool(ctx);
}

/* Undoes a MaxPool: the sizes of its input, or those of the third input. */
adept_status infer_max_unpool(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t count;
    window w = {0};
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(want_spatial(ctx, 0));
    INFER_TRY(read_pool(ctx, x->rank - 2, &w));
    const int64_t *asked = adept_infer_in_ints(ctx, 2, &count);
    if (asked) {
        if (count != x->rank)
            return adept_infer_fail(ctx,
                                    "the output shape has %" PRId64 " sizes, the input %s has %d dimensions",
                                    count, dims_input_text(ctx, 0), (int)x->rank);
        return adept_infer_out(ctx, 0, x->dtype, x->rank, asked);
    }
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    bool open = adept_infer_in(ctx, 2) != NULL;
    for (int32_t i = 0; i < w.rank; i++) {
        int64_t size;
        if (!adept_mul_i64(x->dims[2 + i] - 1, w.strides[i], &size) ||
            !adept_add_i64(size, w.kernel[i], &size))
            return adept_infer_overflow(ctx);
        if (!adept_sub_i64(size, w.begin[i], &size) || !adept_sub_i64(size, w.end[i], &dims[2 + i]))
            return adept_infer_overflow(ctx);
        if (open)
            dims[2 + i] = dims_assume_axis(ctx, "dim", 2 + i, dims[2 + i], ADEPT_ASSUMED,
                                           "the output shape is computed data");
    }
    return dims_out(ctx, 0, x->dtype, x->rank, dims, open ? ADEPT_ASSUMED : ADEPT_EXACT);
}

/* --- regions --- */

static adept_status region_out(adept_infer *ctx, int64_t height, int64_t width) {
    const adept_shape *x = adept_infer_in(ctx, 0), *rois = adept_infer_in(ctx, 1);
    INFER_TRY(dims_want_rank(ctx, 0, 4, "[N, C, H, W]"));
    INFER_TRY(dims_want_rank(ctx, 1, 2, "[regions, coordinates]"));
    if (x->rank < 0 || rois->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    int64_t dims[4] = {rois->dims[0], x->dims[1], height, width};
    return adept_infer_out(ctx, 0, x->dtype, 4, dims);
}

adept_status infer_roi_align(adept_infer *ctx) {
    return region_out(ctx, adept_infer_int(ctx, "output_height", 1), adept_infer_int(ctx, "output_width", 1));
}

adept_status infer_max_roi_pool(adept_infer *ctx) {
    const int64_t *size;
    int32_t count;
    INFER_TRY(dims_need_ints(ctx, "pooled_shape", &size, &count));
    if (count != 2)
        return adept_infer_fail(ctx, "attribute 'pooled_shape' has %d numbers, expected 2", (int)count);
    return region_out(ctx, size[0], size[1]);
}

/* com.microsoft: x, rois, batch indices, crop size [height, width]. */
adept_status infer_crop_and_resize(adept_infer *ctx) {
    const adept_value *size = adept_infer_in_value(ctx, 3);
    int64_t height = 1, width = 1;
    if (fold_known(size, 0) && fold_known(size, 1)) {
        height = fold_int(size, 0);
        width = fold_int(size, 1);
        return region_out(ctx, height, width);
    }
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank == 4) {
        height = dims_assume(ctx, "height", x->dims[2], "the size of the crop is computed data");
        width = dims_assume(ctx, "width", x->dims[3], "the size of the crop is computed data");
    }
    INFER_TRY(region_out(ctx, height, width));
    adept_infer_out_certainty(ctx, 0, ADEPT_ASSUMED);
    return ADEPT_OK;
}

/* --- blocks of channels (com.microsoft.nchwc): sizes as without blocks --- */

/* channels_last: the input is [N, spatial.., C]. */
adept_status infer_nchwc_reorder_input(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 3 || !adept_infer_int(ctx, "channels_last", 0))
        return infer_same(ctx);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    dims[1] = x->dims[x->rank - 1];
    dims_put(dims + 2, x->dims + 1, x->rank - 2);
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

/* `channels` is their true number, without the padding to whole blocks. */
adept_status infer_nchwc_reorder_output(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t channels;
    if (x->rank < 2)
        return infer_same(ctx);
    INFER_TRY(dims_need_int(ctx, "channels", &channels));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    dims[1] = channels;
    if (adept_infer_int(ctx, "channels_last", 0)) {
        dims_put(dims + 1, x->dims + 2, x->rank - 2);
        dims[x->rank - 1] = channels;
    }
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

adept_status infer_nchwc_upsample(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int32_t count;
    const int64_t *scales = adept_infer_ints(ctx, "scales", &count);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (!scales || count != x->rank)
        return adept_infer_fail(ctx, "attribute 'scales' has %d numbers for %d dimensions", (int)count,
                                (int)x->rank);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < x->rank; i++)
        if (!adept_mul_i64(dims[i], scales[i], &dims[i]))
            return adept_infer_overflow(ctx);
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}
