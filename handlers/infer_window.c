#include "infer_window.h"

#include <inttypes.h>
#include <string.h>

#include "checked.h"
#include "infer_dims.h"

/* A list attribute of `count` numbers, each at least `lowest`; filled with `missing` if absent. */
static adept_status read_list(adept_infer *ctx, const char *name, int32_t count, int64_t missing,
                              int64_t lowest, const int64_t **out) {
    int32_t listed;
    const int64_t *ints = adept_infer_ints(ctx, name, &listed);
    if (!ints || listed == 0) {
        int64_t *filled = dims_new(ctx, count);
        if (!filled)
            return dims_no_memory(ctx);
        for (int32_t i = 0; i < count; i++)
            filled[i] = missing;
        *out = filled;
        return ADEPT_OK;
    }
    if (listed != count)
        return adept_infer_fail(ctx, "attribute '%s' has %d numbers, expected %d", name, (int)listed,
                                (int)count);
    for (int32_t i = 0; i < count; i++)
        if (ints[i] < lowest)
            return adept_infer_fail(ctx,
                                    "attribute '%s' has %" PRId64 " for axis %d, expected at least %" PRId64,
                                    name, ints[i], (int)i, lowest);
    *out = ints;
    return ADEPT_OK;
}

static adept_status read_padding(adept_infer *ctx, window *w) {
    const char *automatic = adept_infer_string(ctx, "auto_pad", "NOTSET");
    if (strcmp(automatic, "SAME_UPPER") == 0 || strcmp(automatic, "SAME_LOWER") == 0)
        w->padding = PADDING_SAME;
    else if (strcmp(automatic, "VALID") == 0)
        w->padding = PADDING_VALID;
    else if (automatic[0] == '\0' || strcmp(automatic, "NOTSET") == 0)
        w->padding = PADDING_EXPLICIT;
    else
        return adept_infer_fail(
            ctx, "attribute 'auto_pad' is '%s', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID", automatic);
    INFER_TRY(read_list(ctx, "pads", 2 * w->rank, 0, INT32_MIN, &w->begin));
    w->end = w->begin + w->rank;
    return ADEPT_OK;
}

adept_status window_read(adept_infer *ctx, int32_t rank, const int64_t *kernel, window *w) {
    *w = (window){.rank = rank, .kernel = kernel};
    for (int32_t i = 0; i < rank; i++)
        if (kernel[i] < 1)
            return adept_infer_fail(ctx, "the kernel has the extent %" PRId64 " on spatial axis %d",
                                    kernel[i], (int)i);
    INFER_TRY(read_list(ctx, "strides", rank, 1, 1, &w->strides));
    INFER_TRY(read_list(ctx, "dilations", rank, 1, 1, &w->dilations));
    w->ceil = adept_infer_int(ctx, "ceil_mode", 0) != 0;
    return read_padding(ctx, w);
}

bool window_extent(const window *w, int32_t axis, int64_t *extent) {
    return adept_mul_i64(w->kernel[axis] - 1, w->dilations[axis], extent) &&
           adept_add_i64(*extent, 1, extent);
}

static int64_t ceil_divide(int64_t a, int64_t b) {
    return a / b + (a % b != 0);
}

/* Steps of a window over a padded axis; in: without padding. */
static int64_t explicit_size(const window *w, int32_t axis, int64_t in, int64_t room) {
    int64_t stride = w->strides[axis], steps = w->ceil ? ceil_divide(room, stride) : room / stride;
    if (w->ceil && steps > 0 && steps >= ceil_divide(in + w->begin[axis], stride))
        steps--; /* the last window would start in the right padding */
    return steps + 1;
}

adept_status window_sizes(adept_infer *ctx, const window *w, const int64_t *in, int64_t *out) {
    for (int32_t i = 0; i < w->rank; i++) {
        int64_t extent, padded = in[i];
        if (w->padding == PADDING_SAME) {
            out[i] = ceil_divide(in[i], w->strides[i]);
            continue;
        }
        if (!window_extent(w, i, &extent) ||
            (w->padding == PADDING_EXPLICIT &&
             (!adept_add_i64(padded, w->begin[i], &padded) || !adept_add_i64(padded, w->end[i], &padded))))
            return adept_infer_overflow(ctx);
        if (extent > padded) {
            if (dims_exact(ctx))
                return adept_infer_fail(ctx,
                                        "the kernel covers %" PRId64
                                        " on spatial axis %d, the padded input has only %" PRId64
                                        "; use a larger input",
                                        extent, (int)i, padded);
            out[i] = 0;
            continue;
        }
        if (w->padding == PADDING_VALID)
            out[i] = (padded - extent) / w->strides[i] + 1;
        else
            out[i] = explicit_size(w, i, in[i], padded - extent);
    }
    return ADEPT_OK;
}
