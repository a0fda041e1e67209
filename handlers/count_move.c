/*
 * Operators that move numbers or only rename them.
 *
 * Views (Reshape, Slice, Split, Expand, ...) launch nothing and move nothing forward; their output is the
 * input's storage. Backward a Slice is a copy into zeros and a Split a concatenation (model-time section 1).
 * A Transpose of an activation is a copy, unless all it does is hand matrices to batched products; that of a
 * weight is folded before counting.
 */
#include "count_functions.h"
#include "count_work.h"

#include <string.h>

adept_status count_nothing(adept_count *ctx) {
    (void)ctx;
    return ADEPT_OK;
}

adept_status count_view(adept_count *ctx) {
    adept_count_alias(ctx, 0, 0);
    return ADEPT_OK;
}

static void copy_pass(adept_count *ctx, adept_pass pass, double elements, double read_B, double write_B) {
    adept_work_pass(ctx, pass, ADEPT_KERNEL_COPY, elements, read_B, write_B, 0);
}

/* The tensor is an Expand's output that is larger than what was expanded. */
static bool is_expanded(const adept_count *ctx, int32_t input) {
    const adept_node *node = adept_count_node(ctx);
    const adept_graph *graph = adept_count_facts(ctx)->graph;
    if (input >= node->input_count || node->inputs[input] == ADEPT_NO_TENSOR)
        return false;
    const adept_tensor *tensor = &graph->tensors[node->inputs[input]];
    if (tensor->producer < 0)
        return false;
    const adept_node *producer = &graph->bodies[tensor->body]->nodes[tensor->producer];
    if (strcmp(producer->op_type, "Expand") != 0 || producer->input_count < 1 ||
        producer->inputs[0] == ADEPT_NO_TENSOR)
        return false;
    const adept_shape *before = &adept_count_facts(ctx)->shapes->tensors[producer->inputs[0]];
    double elements = before->rank < 0 ? 0 : 1;
    for (int32_t i = 0; i < before->rank; i++)
        elements *= (double)before->dims[i];
    return elements < adept_count_in_elements(ctx, input);
}

/* A view, unless it has to give an expanded tensor real storage (repeated key and value heads). */
adept_status count_reshape(adept_count *ctx) {
    if (!is_expanded(ctx, 0))
        return count_view(ctx);
    double bytes = adept_count_out_B(ctx, 0);
    copy_pass(ctx, ADEPT_PASS_FORWARD, adept_count_out_elements(ctx, 0), bytes, bytes);
    return ADEPT_OK;
}

/* A view; its gradient is a sum. */
adept_status count_expand(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0);
    adept_count_alias(ctx, 0, 0);
    if (adept_count_needs_grad(ctx, 0) && adept_count_in_elements(ctx, 0) < elements)
        adept_work_reduce(ctx, ADEPT_PASS_BACKWARD, elements, adept_count_out_B(ctx, 0),
                          adept_count_in_B(ctx, 0));
    return ADEPT_OK;
}

adept_status count_slice(adept_count *ctx) {
    double in_B = adept_count_in_B(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    adept_count_alias(ctx, 0, 0);
    if (adept_count_needs_grad(ctx, 0) && out_B < in_B)
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_COPY, adept_count_in_elements(ctx, 0), out_B,
                        in_B + out_B, 0)
            ->launches = 2;
    return ADEPT_OK;
}

adept_status count_split(adept_count *ctx) {
    for (int32_t i = 0; i < adept_count_outputs(ctx); i++)
        adept_count_alias(ctx, i, 0);
    if (adept_count_needs_grad(ctx, 0))
        copy_pass(ctx, ADEPT_PASS_BACKWARD, adept_count_in_elements(ctx, 0), adept_work_outputs_B(ctx),
                  adept_count_in_B(ctx, 0));
    return ADEPT_OK;
}

adept_status count_copy(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    copy_pass(ctx, ADEPT_PASS_FORWARD, elements, adept_count_in_B(ctx, 0), out_B);
    if (adept_count_needs_grad(ctx, 0))
        copy_pass(ctx, ADEPT_PASS_BACKWARD, elements, out_B, adept_count_in_B(ctx, 0));
    return ADEPT_OK;
}

/* The permutation leaves all axes in place but `first` and the one behind it. */
static bool swaps_pair(const int64_t *perm, int32_t count, int32_t first) {
    for (int32_t i = 0; i < count; i++)
        if (perm[i] != (i == first ? first + 1 : i == first + 1 ? first : i))
            return false;
    return count > 1 && first >= 0;
}

/* [B, S, H, D] to [B, H, S, D] or back, or to the [B, H, D, S] of keys. */
static bool moves_heads(const int64_t *perm, int32_t count) {
    return count == 4 && perm[0] == 0 && perm[1] == 2 &&
           ((perm[2] == 1 && perm[3] == 3) || (perm[2] == 3 && perm[3] == 1));
}

/*
 * A batched product takes a transposed matrix as it is, and time-major attention ([S, B*H, D] to [B*H, S, D])
 * as matrices of any row stride (PyTorch's prepare_batch_matrix_for_cublas): where nothing else reads it, no
 * copy is made, and its gradient comes in that layout too. Otherwise it is one, but what autograd keeps may
 * be the original all the same.
 */
adept_status count_transpose(adept_count *ctx) {
    int32_t count = 0;
    const int64_t *perm = adept_count_attr_ints(ctx, "perm", &count);
    if (moves_heads(perm, count) && adept_count_is_attended(ctx)) {
        adept_count_alias(ctx, 0, 0);
        return ADEPT_OK;
    }
    bool time_major = count == 3 && swaps_pair(perm, count, 0);
    bool matrices = count > 2 && swaps_pair(perm, count, count - 2);
    if (time_major)
        adept_count_alias_as_matrices(ctx, 0, 0);
    else if (matrices)
        adept_count_alias(ctx, 0, 0);
    return (time_major || matrices) && adept_count_is_operand(ctx, 0) ? ADEPT_OK : count_copy(ctx);
}

/* The gradients are views of the output's gradient. */
adept_status count_concat(adept_count *ctx) {
    copy_pass(ctx, ADEPT_PASS_FORWARD, adept_count_out_elements(ctx, 0), adept_work_inputs_B(ctx),
              adept_count_out_B(ctx, 0));
    return ADEPT_OK;
}

/* Fill, then copy into it; the gradient is a slice that is given storage. Nothing where nothing is added. */
adept_status count_pad(adept_count *ctx) {
    double in_B = adept_count_in_B(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    if (adept_count_in_elements(ctx, 0) == adept_count_out_elements(ctx, 0))
        return count_view(ctx);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_COPY, adept_count_out_elements(ctx, 0), in_B,
                    out_B + in_B, 0)
        ->launches = 2;
    if (adept_count_needs_grad(ctx, 0))
        copy_pass(ctx, ADEPT_PASS_BACKWARD, adept_count_in_elements(ctx, 0), in_B, in_B);
    return ADEPT_OK;
}

adept_status count_tile(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    copy_pass(ctx, ADEPT_PASS_FORWARD, elements, adept_count_in_B(ctx, 0), out_B);
    if (adept_count_needs_grad(ctx, 0))
        adept_work_reduce(ctx, ADEPT_PASS_BACKWARD, elements, out_B, adept_count_in_B(ctx, 0));
    return ADEPT_OK;
}

/* Every output element is a weighted sum of neighbours; the gradient is added into a zeroed image. */
adept_status count_resize(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    double in_B = adept_count_in_B(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements, in_B, out_B,
                    adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    if (adept_count_needs_grad(ctx, 0))
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_ELEMENTWISE, elements, out_B, 2 * in_B,
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements)
            ->launches = 2;
    return ADEPT_OK;
}

/* GridSample, CropAndResize: interpolation at computed places; autograd keeps image and grid. */
adept_status count_sample(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    double grid_B = adept_work_inputs_B(ctx) - adept_count_in_B(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_GATHER, elements, 4 * out_B + grid_B, out_B,
                    adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    adept_count_save_input(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements, 5 * out_B + grid_B,
                    adept_count_in_B(ctx, 0) + 4 * out_B + grid_B,
                    adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements)
        ->launches = 2;
    return ADEPT_OK;
}
