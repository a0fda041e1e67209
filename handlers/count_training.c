/*
 * Optimizer steps that stand in the graph as operators (ai.onnx.preview.training): one pass over parameters,
 * gradients and states. The step that --optimizer adds is counted elsewhere.
 */
#include "count_functions.h"
#include "count_work.h"

adept_status count_optimizer_node(adept_count *ctx) {
    double elements = 0;
    for (int32_t i = 0; i < adept_count_outputs(ctx); i++)
        elements += adept_count_out_elements(ctx, i);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_OPTIMIZER, elements, adept_work_inputs_B(ctx),
                    adept_work_outputs_B(ctx), adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    return ADEPT_OK;
}
