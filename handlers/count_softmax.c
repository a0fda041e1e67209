/*
 * Softmax and losses.
 *
 * Softmax: one kernel, read x, write y; saves y; backward by the traffic policy. Attention of the decoder
 * families of Hugging Face transformers asks for FP32 (softmax(.., dtype=float32).to(dtype) in OPT, Llama,
 * Qwen, Mistral, ...): in a 16-bit network that is a conversion before (FP16: inside the kernel) and after.
 * Losses: log-softmax, then the picked terms; PyTorch keeps the log-probabilities and the labels.
 */
#include "count_functions.h"
#include "count_work.h"

#include <string.h>

/* Those families name the module self_attn; encoders (BERT: attention.self, GPT-2: attn) stay in their type.
 */
static bool asks_for_fp32(const adept_count *ctx) {
    const char *module = adept_count_node(ctx)->module;
    adept_precision precision = adept_count_run(ctx)->precision;
    bool sixteen_bit = precision == ADEPT_PRECISION_FP16 || precision == ADEPT_PRECISION_BF16;
    return sixteen_bit && adept_count_run(ctx)->fusion == ADEPT_FUSION_EAGER && module &&
           strstr(module, "self_attn") && adept_count_out_element_B(ctx, 0) < 4;
}

static void fp32_softmax(adept_count *ctx, double elements) {
    const double wide_B = 4 * elements, narrow_B = adept_count_out_B(ctx, 0);
    double alu_flop = adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements;
    bool inside = adept_count_run(ctx)->precision == ADEPT_PRECISION_FP16;
    if (!inside)
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_CAST, elements, narrow_B, wide_B, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SOFTMAX, elements, inside ? narrow_B : wide_B,
                    wide_B, alu_flop);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_CAST, elements, wide_B, narrow_B, 0);
}

adept_status count_softmax(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    if (asks_for_fp32(ctx))
        fp32_softmax(ctx, elements);
    else
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
