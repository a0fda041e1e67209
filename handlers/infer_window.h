/* Sliding windows of convolutions and pools: attributes read once, output sizes computed once. */
#ifndef ADEPT_INFER_WINDOW_H
#define ADEPT_INFER_WINDOW_H

#include "infer.h"

typedef enum window_padding { PADDING_EXPLICIT, PADDING_SAME, PADDING_VALID } window_padding;

typedef struct window {
    int32_t rank; /* spatial axes; all lists are that long */
    const int64_t *kernel, *strides, *dilations;
    const int64_t *begin, *end; /* explicit padding */
    window_padding padding;
    bool ceil; /* the output size is rounded up */
} window;

/*
 * strides, dilations, pads, auto_pad and ceil_mode of the node; kernel: [rank] extents.
 * Errors    SHAPE: a list of the wrong length, stride or dilation below 1, kernel below 1
 */
adept_status window_read(adept_infer *ctx, int32_t rank, const int64_t *kernel, window *w);

/*
 * Output sizes from input sizes. Rounded up, the last window must still start inside the input or its
 * left padding.
 * Errors    SHAPE: the kernel is larger than the padded input; RANGE
 */
adept_status window_sizes(adept_infer *ctx, const window *w, const int64_t *in, int64_t *out);

/* (kernel - 1) * dilation + 1; false on overflow. */
bool window_extent(const window *w, int32_t axis, int64_t *extent);

#endif
