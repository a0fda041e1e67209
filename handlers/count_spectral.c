/*
 * Fourier transforms: 5 N log2 N FLOP for N complex points (the usual convention of FFT benchmarks, FFTW's
 * "mflops"); two passes over memory; the gradient is another transform.
 */
#include "count_functions.h"
#include "count_work.h"

#include <math.h>

static void transform(adept_count *ctx, adept_pass pass, double transforms, double points, double read_B,
                      double write_B) {
    double flop = points > 1 ? 5 * transforms * points * log2(points) : 0;
    adept_work_pass(ctx, pass, ADEPT_KERNEL_FFT, transforms * points, read_B, write_B, flop);
}

static void both_passes(adept_count *ctx, double transforms, double points, double read_B, double write_B) {
    transform(ctx, ADEPT_PASS_FORWARD, transforms, points, read_B, write_B);
    if (adept_count_needs_grad(ctx, 0))
        transform(ctx, ADEPT_PASS_BACKWARD, transforms, points, write_B, read_B);
}

/* DFT, Rfft, Irfft. Shapes    x [.., points, .., 1 or 2]; the axis is an attribute or the third input. */
adept_status count_dft(adept_count *ctx) {
    const adept_shape *x = adept_count_in(ctx, 0);
    double elements = adept_count_out_elements(ctx, 0) / 2;
    if (!x || x->rank < 2)
        return ADEPT_OK;
    double given =
        adept_count_scalar(ctx, 2, (double)adept_count_attr_int(ctx, "axis", x->rank > 2 ? -2 : -1));
    int32_t axis = (int32_t)(given < 0 ? given + x->rank : given);
    double points = axis >= 0 && axis < x->rank ? (double)x->dims[axis] : 1;
    both_passes(ctx, points > 0 ? elements / points : 0, points, adept_count_in_B(ctx, 0),
                adept_count_out_B(ctx, 0));
    return ADEPT_OK;
}

/* STFT. Shapes    y [B, frames, bins, 2]; frame length from the window or the fourth input. */
adept_status count_stft(adept_count *ctx) {
    const adept_shape *y = adept_count_out(ctx, 0);
    if (!y || y->rank < 3)
        return ADEPT_OK;
    double window = adept_count_in_elements(ctx, 2);
    double points = adept_count_scalar(ctx, 3, window > 0 ? window : 2.0 * (double)(y->dims[2] - 1));
    both_passes(ctx, (double)y->dims[0] * (double)y->dims[1], points,
                (double)y->dims[0] * (double)y->dims[1] * points * adept_count_in_element_B(ctx, 0),
                adept_count_out_B(ctx, 0));
    return ADEPT_OK;
}
