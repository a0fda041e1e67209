/* Fourier transforms, windows, filter banks. Complex numbers are a last axis of size 2. */
#include "infer_functions.h"

#include <inttypes.h>

#include "adept/dtype.h"
#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* The axis: an attribute in opset 17 (default 1), the third input since 20 (default -2). */
static adept_status dft_axis(adept_infer *ctx, int32_t rank, int32_t *axis, bool *known) {
    int64_t listed = -2;
    *known = true;
    if (adept_infer_opset(ctx) < 20)
        listed = adept_infer_int(ctx, "axis", 1);
    else if (adept_infer_in(ctx, 2))
        *known = fold_scalar(ctx, 2, &listed);
    if (!*known)
        listed = -2;
    INFER_TRY(adept_infer_axis(ctx, listed, rank, axis));
    if (*axis == rank - 1)
        return adept_infer_fail(ctx,
                                "the last axis holds the parts of complex numbers and is not transformed");
    return ADEPT_OK;
}

/*
 * x [.., n, .., 1 or 2] to [.., length, .., 2]; one-sided [.., length / 2 + 1, .., 2]; one-sided inverse
 * back to [.., length, .., 1].
 */
adept_status infer_dft(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    bool inverse = adept_infer_int(ctx, "inverse", 0) != 0,
         onesided = adept_infer_int(ctx, "onesided", 0) != 0;
    bool axis_known;
    int64_t length;
    int32_t axis;
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank < 2)
        return adept_infer_fail(ctx, "input has shape %s, expected [signal axes, 1 or 2]",
                                dims_input_text(ctx, 0));
    INFER_TRY(dft_axis(ctx, x->rank, &axis, &axis_known));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    adept_certainty certainty = axis_known ? ADEPT_EXACT : ADEPT_ASSUMED;
    length = dims[axis];
    if (onesided && inverse && length > 0 && !adept_mul_i64(2, length - 1, &length))
        return adept_infer_overflow(ctx);
    if (adept_infer_in(ctx, 1) && !fold_scalar(ctx, 1, &length)) {
        length = dims_assume(ctx, "dft", length, "the length of the transform is computed data");
        certainty = ADEPT_ASSUMED;
    }
    if (length < 0)
        return adept_infer_fail(ctx, "the length of the transform is %" PRId64, length);
    dims[axis] = onesided && !inverse ? length / 2 + 1 : length;
    dims[x->rank - 1] = onesided && inverse ? 1 : 2;
    return dims_out(ctx, 0, x->dtype, x->rank, dims, certainty);
}

/* signal [B, L, 1 or 2] to [B, frames, bins, 2]; frames = (L - frame length) / step + 1 */
adept_status infer_stft(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *window = adept_infer_in(ctx, 2);
    bool onesided = adept_infer_int(ctx, "onesided", 1) != 0, known = true;
    int64_t step, length;
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank < 2)
        return adept_infer_fail(ctx, "signal has shape %s, expected [batch, length, 1 or 2]",
                                dims_input_text(ctx, 0));
    length = x->dims[1];
    if (adept_infer_in(ctx, 3))
        known = fold_scalar(ctx, 3, &length);
    else if (window && window->rank == 1)
        length = window->dims[0];
    known = fold_scalar(ctx, 1, &step) && known;
    int64_t dims[4] = {x->dims[0], 1, onesided ? length / 2 + 1 : length, 2};
    if (!known) {
        dims[1] =
            dims_assume(ctx, "frames", ASSUMED_LENGTH, "the step or length of the frames is computed data");
        return dims_out(ctx, 0, x->dtype, 4, dims, ADEPT_ASSUMED);
    }
    if (step < 1 || length < 1)
        return adept_infer_fail(ctx, "frames of %" PRId64 " samples every %" PRId64, length, step);
    if (length > x->dims[1] && dims_exact(ctx))
        return adept_infer_fail(ctx, "frames of %" PRId64 " samples do not fit into a signal of %" PRId64,
                                length, x->dims[1]);
    dims[1] = length > x->dims[1] ? 0 : (x->dims[1] - length) / step + 1;
    return adept_infer_out(ctx, 0, x->dtype, 4, dims);
}

/* Hann, Hamming, Blackman: [size] */
adept_status infer_window(adept_infer *ctx) {
    adept_dtype dtype;
    int64_t size;
    INFER_TRY(dims_type_attribute(ctx, "output_datatype", ADEPT_DTYPE_FLOAT, &dtype));
    if (fold_scalar(ctx, 0, &size)) {
        if (size < 0)
            return adept_infer_fail(ctx, "the window has the size %" PRId64, size);
        return adept_infer_out(ctx, 0, dtype, 1, &size);
    }
    size = dims_assume(ctx, "window", ASSUMED_LENGTH, "the size of the window is computed data");
    return dims_out(ctx, 0, dtype, 1, &size, ADEPT_ASSUMED);
}

/* number of bands, DFT length, .. to [length / 2 + 1, bands] */
adept_status infer_mel_weight_matrix(adept_infer *ctx) {
    adept_dtype dtype;
    int64_t bands, length;
    INFER_TRY(dims_type_attribute(ctx, "output_datatype", ADEPT_DTYPE_FLOAT, &dtype));
    if (!fold_scalar(ctx, 0, &bands) || !fold_scalar(ctx, 1, &length))
        return adept_infer_out_unknown(ctx, 0, dtype);
    if (bands < 0 || length < 0)
        return adept_infer_fail(ctx, "%" PRId64 " bands of a transform of %" PRId64, bands, length);
    int64_t dims[2] = {length / 2 + 1, bands};
    return adept_infer_out(ctx, 0, dtype, 2, dims);
}

/* com.microsoft: the last signal_ndim axes; real [.., n] to [.., n / 2 + 1, 2] (onesided). */
adept_status infer_rfft(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank < 1)
        return adept_infer_fail(ctx, "a scalar has no signal axis");
    int64_t *dims = dims_new(ctx, x->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, x->dims, x->rank);
    if (adept_infer_int(ctx, "onesided", 1))
        dims[x->rank - 1] = dims[x->rank - 1] / 2 + 1;
    dims[x->rank] = 2;
    return adept_infer_out(ctx, 0, x->dtype, x->rank + 1, dims);
}

/* [.., n / 2 + 1, 2] to [.., n] */
adept_status infer_irfft(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank < 2)
        return adept_infer_fail(ctx, "input has shape %s, expected [.., frequencies, 2]",
                                dims_input_text(ctx, 0));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    int64_t *last = &dims[x->rank - 2];
    if (adept_infer_int(ctx, "onesided", 1) && *last > 0 && !adept_mul_i64(2, *last - 1, last))
        return adept_infer_overflow(ctx);
    return adept_infer_out(ctx, 0, x->dtype, x->rank - 1, dims);
}

/* com.microsoft: products of complex numbers [.., 2]. */
adept_status infer_complex_mul(adept_infer *ctx) {
    return dims_broadcast(ctx, 0, dims_type(ctx, 0), 0, 2);
}
