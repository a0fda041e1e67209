/*
 * Pooling. Forward reads x and writes y; a maximum also writes where it was (64-bit indices), whether or not
 * anybody trains, as PyTorch does. Saved: x, and the indices of a maximum.
 * ALU FLOP: one per element of the window.
 */
#include "count_functions.h"
#include "count_work.h"

enum { INDEX_B = 8 };

static double window_of(const adept_count *ctx) {
    int32_t count = 0;
    const int64_t *kernel = adept_count_attr_ints(ctx, "kernel_shape", &count);
    double window = 1;
    for (int32_t i = 0; i < count; i++)
        window *= kernel[i] > 0 ? (double)kernel[i] : 1;
    if (count > 0)
        return window;
    double out = adept_count_out_elements(ctx, 0); /* global: the whole image */
    return out > 0 ? adept_count_in_elements(ctx, 0) / out : 0;
}

adept_status count_max_pool(adept_count *ctx) {
    double in_B = adept_count_in_B(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    double elements = adept_count_out_elements(ctx, 0), indices_B = INDEX_B * elements;
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_POOL, elements, in_B, out_B + indices_B,
                    window_of(ctx) * elements);
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    adept_count_save_extra(ctx, indices_B);
    /* The gradient is zeroed, then filled by index. */
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_POOL, elements, out_B + indices_B, 2 * in_B,
                    elements)
        ->launches = 2;
    return ADEPT_OK;
}

adept_status count_average_pool(adept_count *ctx) {
    double in_B = adept_count_in_B(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    double elements = adept_count_out_elements(ctx, 0), alu = window_of(ctx) * elements;
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_POOL, elements, in_B, out_B, alu);
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_POOL, elements, out_B, in_B, alu);
    return ADEPT_OK;
}

/* A mean over the image: PyTorch's adaptive pooling to one pixel runs mean, which keeps nothing. */
adept_status count_global_average_pool(adept_count *ctx) {
    double in_B = adept_count_in_B(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    double elements = adept_count_in_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_REDUCE, elements, in_B, out_B, elements);
    if (adept_count_needs_grad(ctx, 0))
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_ELEMENTWISE, elements, out_B, in_B, elements);
    return ADEPT_OK;
}

/* MaxRoiPool, RoiAlign: regions read from the image; the gradient is added back into a zeroed image. */
adept_status count_roi_pool(adept_count *ctx) {
    double out_B = adept_count_out_B(ctx, 0), elements = adept_count_out_elements(ctx, 0);
    double alu = adept_work_alu(ctx, ADEPT_PASS_FORWARD);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_GATHER, elements,
                    4 * out_B + adept_work_inputs_B(ctx) - adept_count_in_B(ctx, 0), out_B, alu * elements);
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_input(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements, 5 * out_B,
                    adept_count_in_B(ctx, 0) + 4 * out_B, alu * elements)
        ->launches = 2;
    return ADEPT_OK;
}

/* MaxUnpool: values put back where the indices say, into zeros. */
adept_status count_max_unpool(adept_count *ctx) {
    double in_B = adept_count_in_B(ctx, 0), indices_B = adept_count_in_B(ctx, 1);
    double elements = adept_count_in_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SCATTER, elements, in_B + indices_B,
                    adept_count_out_B(ctx, 0) + in_B, 0)
        ->launches = 2;
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_input(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_GATHER, elements, in_B + indices_B, in_B, 0);
    return ADEPT_OK;
}
