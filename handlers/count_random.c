/*
 * Dropout and random numbers.
 *
 * Dropout is active in mode train with a ratio above 0 (the file's, or --dropout); the mask is one byte an
 * element and is kept for the backward pass. Otherwise it is the identity.
 */
#include "count_functions.h"
#include "count_work.h"

enum { DROPOUT_FLOP = 10 }; /* Philox4x32-10: about 40 integer operations for four numbers */

/* Ratio of the first operator of the chain: attribute before opset 12, input 1 since, --dropout above both.
 */
static double ratio_of(const adept_count *ctx) {
    double given = adept_count_run(ctx)->dropout;
    if (given >= 0)
        return given;
    return adept_count_scalar(ctx, 1, adept_count_attr_float(ctx, "ratio", 0.5));
}

adept_status count_dropout(adept_count *ctx) {
    if (!adept_count_trains(ctx) || ratio_of(ctx) <= 0) {
        adept_count_alias(ctx, 0, 0);
        return ADEPT_OK;
    }
    double elements = adept_count_in_elements(ctx, 0), mask_B = elements;
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_RANDOM, elements, adept_work_inputs_B(ctx),
                    adept_count_out_B(ctx, 0) + mask_B, DROPOUT_FLOP * elements);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_extra(ctx, mask_B);
    adept_work_backward(ctx, ADEPT_KERNEL_ELEMENTWISE, ADEPT_TRAFFIC_DROPOUT, elements,
                        adept_count_in_element_B(ctx, 0), 2 * elements);
    return ADEPT_OK;
}

adept_status count_random(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_RANDOM, elements, 0, adept_work_outputs_B(ctx),
                    DROPOUT_FLOP * elements);
    return ADEPT_OK;
}
