/*
 * Rotary embedding: y = x cos + rotate_half(x) sin.
 *
 * Fused: one kernel. Eager: slice, slice, neg, concat, mul, mul, add: neg of half, a concat, two products,
 * a sum; autograd keeps cos and sin only, which are shared by all layers.
 * Sources   RoFormer (Su et al. 2021); the kernels of the usual eager form, derivatives.yaml
 */
#include "count_functions.h"
#include "count_work.h"

adept_status count_rotary(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 0), bytes = adept_count_in_B(ctx, 0);
    double alu = adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements;
    bool eager = adept_count_in_parts(ctx);
    double read_B = eager ? 5.5 * bytes : adept_work_inputs_B(ctx);
    double write_B = eager ? 4.5 * bytes : bytes;
    adept_kernel *forward =
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements, read_B, write_B, alu);
    forward->launches = eager ? 5 : 1;
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    for (int32_t i = 1; i < adept_count_inputs(ctx); i++)
        if (adept_count_in_elements(ctx, i) > 1)
            adept_count_save_input(ctx, i);
    /* Backward: two products, neg of half, two zero-filled slices, two accumulations. */
    adept_kernel *backward = adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_ELEMENTWISE, elements,
                                             eager ? 7.5 * bytes : read_B, eager ? 7.5 * bytes : bytes, alu);
    backward->launches = eager ? 9 : 1;
    return ADEPT_OK;
}
