/*
 * Softmax and losses.
 *
 * Softmax: one kernel, read x, write y; saves y; backward by the traffic policy.
 * Losses: log-softmax, then the picked terms; PyTorch keeps the log-probabilities and the labels.
 */
#include "count_functions.h"
#include "count_work.h"

#include <string.h>

adept_status count_softmax(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SOFTMAX, elements, adept_work_inputs_B(ctx),
                    adept_count_out_B(ctx, 0), adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_output(ctx, 0);
    adept_work_backward(ctx, ADEPT_KERNEL_SOFTMAX, ADEPT_TRAFFIC_SOFTMAX, elements,
                        adept_count_out_element_B(ctx, 0),
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    return ADEPT_OK;
}

adept_status count_loss(adept_count *ctx) {
    bool with_softmax = strcmp(adept_count_node(ctx)->op_type, "SoftmaxCrossEntropyLoss") == 0;
    double elements = adept_count_in_elements(ctx, 0), bytes = adept_count_in_B(ctx, 0);
    double picked = adept_count_in_elements(ctx, 1), element_B = adept_count_in_element_B(ctx, 0);
    if (with_softmax)
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SOFTMAX, elements, bytes, bytes,
                        adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_REDUCE, picked,
                    picked * element_B + adept_count_in_B(ctx, 1), adept_count_out_B(ctx, 0), picked);
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_input(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements, adept_count_in_B(ctx, 1),
                    bytes + picked * element_B, picked)
        ->launches = 2;
    if (with_softmax) {
        adept_count_save_extra(ctx, bytes);
        adept_work_backward(ctx, ADEPT_KERNEL_SOFTMAX, ADEPT_TRAFFIC_SOFTMAX, elements, element_B,
                            adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    }
    return ADEPT_OK;
}
