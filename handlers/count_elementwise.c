/*
 * Elementwise operators: one pass over the output's elements.
 *
 * N elements, S bytes each. Forward reads every operand once and writes N*S. Backward by the traffic policy
 * (count_traffic.h); the gradient of an operand that was broadcast is summed down to its size. What autograd
 * saves follows PyTorch's derivatives.yaml.
 */
#include "count_functions.h"
#include "count_work.h"

typedef enum kept { KEPT_NOTHING, KEPT_INPUT, KEPT_OUTPUT } kept;

static void forward_pass(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    double alu = adept_work_alu(ctx, ADEPT_PASS_FORWARD);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements, adept_work_inputs_B(ctx),
                    adept_work_outputs_B(ctx), alu * elements);
}

static void backward_pass(adept_count *ctx, adept_traffic_code code) {
    double elements = adept_count_out_elements(ctx, 0);
    double alu = adept_work_alu(ctx, ADEPT_PASS_BACKWARD);
    adept_work_backward(ctx, ADEPT_KERNEL_ELEMENTWISE, code, elements, adept_count_out_element_B(ctx, 0),
                        alu * elements);
}

/* The gradient of a broadcast operand is a reduction of the output's gradient. */
static void reduce_broadcast(adept_count *ctx, int32_t input) {
    double elements = adept_count_out_elements(ctx, 0);
    if (adept_count_in_elements(ctx, input) < elements)
        adept_work_reduce(ctx, ADEPT_PASS_BACKWARD, elements, adept_count_out_B(ctx, 0),
                          adept_count_in_B(ctx, input));
}

static adept_status unary(adept_count *ctx, kept keep, adept_traffic_code code) {
    forward_pass(ctx);
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    if (keep == KEPT_INPUT)
        adept_count_save_input(ctx, 0);
    if (keep == KEPT_OUTPUT)
        adept_count_save_output(ctx, 0);
    backward_pass(ctx, code);
    return ADEPT_OK;
}

adept_status count_unary(adept_count *ctx) {
    return unary(ctx, KEPT_INPUT, ADEPT_TRAFFIC_ACTIVATION);
}

adept_status count_unary_result(adept_count *ctx) {
    return unary(ctx, KEPT_OUTPUT, ADEPT_TRAFFIC_ACTIVATION);
}

adept_status count_unary_linear(adept_count *ctx) {
    return unary(ctx, KEPT_NOTHING, ADEPT_TRAFFIC_SCALED);
}

adept_status count_unary_chain2(adept_count *ctx) {
    return unary(ctx, KEPT_INPUT, ADEPT_TRAFFIC_CHAIN2);
}

adept_status count_unary_chain3(adept_count *ctx) {
    return unary(ctx, KEPT_INPUT, ADEPT_TRAFFIC_CHAIN3);
}

adept_status count_unary_chain5(adept_count *ctx) {
    return unary(ctx, KEPT_INPUT, ADEPT_TRAFFIC_CHAIN5);
}

adept_status count_unary_result_chain2(adept_count *ctx) {
    return unary(ctx, KEPT_OUTPUT, ADEPT_TRAFFIC_CHAIN2);
}

adept_status count_unary_result_chain3(adept_count *ctx) {
    return unary(ctx, KEPT_OUTPUT, ADEPT_TRAFFIC_CHAIN3);
}

adept_status count_predicate(adept_count *ctx) {
    forward_pass(ctx);
    return ADEPT_OK;
}

adept_status count_fill(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements, 0, adept_work_outputs_B(ctx),
                    adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    return ADEPT_OK;
}

/* y = a + b (+ ...): k operands are k - 1 kernels; gradients pass through unless broadcast. */
static void sum_forward(adept_count *ctx) {
    int32_t operands = adept_count_inputs(ctx);
    double elements = adept_count_out_elements(ctx, 0), between = operands > 2 ? operands - 2 : 0;
    double between_B = between * adept_count_out_B(ctx, 0); /* partial sums written and read back */
    adept_kernel *kernel =
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements,
                        adept_work_inputs_B(ctx) + between_B, adept_count_out_B(ctx, 0) + between_B,
                        adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements * (between + 1));
    kernel->launches = between + 1;
}

adept_status count_sum(adept_count *ctx) {
    sum_forward(ctx);
    for (int32_t i = 0; i < adept_count_inputs(ctx); i++)
        if (adept_count_needs_grad(ctx, i))
            reduce_broadcast(ctx, i);
    return ADEPT_OK;
}

/* y = a - b: the gradient of b is negated. */
adept_status count_difference(adept_count *ctx) {
    adept_status status = count_sum(ctx);
    if (status == ADEPT_OK && adept_count_needs_grad(ctx, 1))
        backward_pass(ctx, ADEPT_TRAFFIC_SCALED);
    return status;
}

/* y = a * b: each gradient is the output's times the other operand, which is therefore saved. */
adept_status count_product(adept_count *ctx) {
    forward_pass(ctx);
    for (int32_t i = 0; i < 2; i++) {
        if (!adept_count_needs_grad(ctx, i))
            continue;
        int32_t other = 1 - i;
        bool scaled = adept_work_is_scalar_constant(ctx, other);
        if (!scaled)
            adept_count_save_input(ctx, other);
        backward_pass(ctx, scaled ? ADEPT_TRAFFIC_SCALED : ADEPT_TRAFFIC_ACTIVATION);
        reduce_broadcast(ctx, i);
    }
    return ADEPT_OK;
}

/* y = a / b: da = dy / b, db = -dy ((a / b) / b). */
adept_status count_quotient(adept_count *ctx) {
    forward_pass(ctx);
    bool scaled = adept_work_is_scalar_constant(ctx, 1);
    if (!scaled && adept_count_any_grad(ctx))
        adept_count_save_input(ctx, 1);
    if (adept_count_needs_grad(ctx, 0)) {
        backward_pass(ctx, scaled ? ADEPT_TRAFFIC_SCALED : ADEPT_TRAFFIC_ACTIVATION);
        reduce_broadcast(ctx, 0);
    }
    if (adept_count_needs_grad(ctx, 1)) {
        adept_count_save_input(ctx, 0);
        backward_pass(ctx, ADEPT_TRAFFIC_DIVISOR);
        reduce_broadcast(ctx, 1);
    }
    return ADEPT_OK;
}

/* A whole power from 2 to 4 is that many products less one. */
static double power_alu(const adept_count *ctx) {
    double exponent = adept_count_scalar(ctx, 1, 0);
    bool whole = exponent == 2 || exponent == 3 || exponent == 4;
    return whole ? exponent - 1 : adept_work_alu(ctx, ADEPT_PASS_FORWARD);
}

/* y = a ^ b: da = dy b a^(b-1), db = dy y log a. */
adept_status count_power(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements, adept_work_inputs_B(ctx),
                    adept_count_out_B(ctx, 0), power_alu(ctx) * elements);
    if (adept_count_needs_grad(ctx, 0)) {
        adept_count_save_input(ctx, 0);
        if (!adept_work_is_scalar_constant(ctx, 1))
            adept_count_save_input(ctx, 1);
        backward_pass(ctx, ADEPT_TRAFFIC_CHAIN3);
        reduce_broadcast(ctx, 0);
    }
    if (adept_count_needs_grad(ctx, 1)) {
        adept_count_save_input(ctx, 0);
        adept_count_save_output(ctx, 0);
        backward_pass(ctx, ADEPT_TRAFFIC_CHAIN5);
        reduce_broadcast(ctx, 1);
    }
    return ADEPT_OK;
}

/* y = max(a, b, ...): the backward pass compares again. */
adept_status count_extremum(adept_count *ctx) {
    sum_forward(ctx);
    for (int32_t i = 0; i < adept_count_inputs(ctx); i++) {
        if (!adept_count_needs_grad(ctx, i))
            continue;
        for (int32_t k = 0; k < adept_count_inputs(ctx); k++)
            adept_count_save_input(ctx, k);
        backward_pass(ctx, ADEPT_TRAFFIC_EXTREMUM);
        reduce_broadcast(ctx, i);
    }
    return ADEPT_OK;
}

/* y = c ? a : b: the condition is saved, one byte an element. */
adept_status count_where(adept_count *ctx) {
    forward_pass(ctx);
    for (int32_t i = 1; i < 3; i++) {
        if (!adept_count_needs_grad(ctx, i))
            continue;
        adept_count_save_input(ctx, 0);
        double elements = adept_count_out_elements(ctx, 0), bytes = adept_count_out_B(ctx, 0);
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_ELEMENTWISE, elements,
                        bytes + adept_count_in_B(ctx, 0), bytes, elements);
        reduce_broadcast(ctx, i);
    }
    return ADEPT_OK;
}

/* y = x > 0 ? x : slope x; one kernel gives both gradients, the slope's is then summed. */
adept_status count_prelu(adept_count *ctx) {
    forward_pass(ctx);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    backward_pass(ctx, ADEPT_TRAFFIC_ACTIVATION);
    if (adept_count_needs_grad(ctx, 1))
        reduce_broadcast(ctx, 1);
    return ADEPT_OK;
}

/* Both sides are stored alike under the precision policy: there is nothing to do. */
static bool is_stored_alike(const adept_count *ctx) {
    const adept_dtype *storage = adept_count_facts(ctx)->storage;
    const adept_node *node = adept_count_node(ctx);
    return node->input_count > 0 && node->output_count > 0 && node->inputs[0] != ADEPT_NO_TENSOR &&
           node->outputs[0] != ADEPT_NO_TENSOR && storage[node->inputs[0]] == storage[node->outputs[0]];
}

/* Change of type. */
adept_status count_cast(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    if (is_stored_alike(ctx)) {
        adept_count_alias(ctx, 0, 0);
        return ADEPT_OK;
    }
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_CAST, elements, adept_count_in_B(ctx, 0),
                    adept_count_out_B(ctx, 0), 0);
    if (adept_count_needs_grad(ctx, 0))
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_CAST, elements, adept_count_out_B(ctx, 0),
                        adept_count_in_B(ctx, 0), 0);
    return ADEPT_OK;
}

/* One pass, unless precision.c fused it with the operators around it (stored alike). */
adept_status count_quantize(adept_count *ctx) {
    if (!is_stored_alike(ctx))
        return count_predicate(ctx);
    adept_count_alias(ctx, 0, 0);
    return ADEPT_OK;
}

/* y = f(x + bias) in one kernel; backward one kernel for x, a sum for the bias. */
adept_status count_bias_activation(adept_count *ctx) {
    forward_pass(ctx);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    if (adept_count_in_elements(ctx, 1) > 1)
        adept_count_save_input(ctx, 1);
    backward_pass(ctx, ADEPT_TRAFFIC_ACTIVATION);
    for (int32_t i = 1; i < adept_count_inputs(ctx); i++)
        if (adept_count_needs_grad(ctx, i))
            reduce_broadcast(ctx, i);
    return ADEPT_OK;
}

/* y = f(a) * b from operands of twice the output's size: an activation and a product in one kernel. */
adept_status count_gated(adept_count *ctx) {
    forward_pass(ctx);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    double inputs_B = adept_work_inputs_B(ctx), elements = adept_count_out_elements(ctx, 0);
    for (int32_t i = 0; i < adept_count_inputs(ctx); i++)
        adept_count_save_input(ctx, i);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_ELEMENTWISE, elements,
                    adept_count_out_B(ctx, 0) + inputs_B, inputs_B,
                    adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    return ADEPT_OK;
}
