#include "activations.h"

#include <string.h>

#include "fail.h"

double adept_tensor_B(const adept_shape *shape, adept_dtype storage) {
    double elements = (double)adept_shape_elements(shape);
    adept_dtype dtype = storage != ADEPT_DTYPE_UNDEFINED ? storage : shape->dtype;
    return elements * adept_dtype_bits(dtype) / 8;
}

/* A storage is a tensor and all views of it; it is known by its root, the tensor that owns the bytes. */
typedef struct liveness {
    const adept_network *network;
    const adept_counted *counted;
    const adept_gradients *gradients;
    const adept_dtype *storage;
    const bool *is_constant;
    int32_t *root;      /* [tensors] */
    int32_t *last_use;  /* [tensors] by root: last operator of the forward pass that reads it; -1: none */
    int32_t *saved_at;  /* [tensors] by root: first operator that saves it; -1: not saved */
    bool *counted_once; /* [tensors] by root: its bytes are in the sum */
    bool *as_matrices;  /* [tensors] a view that a batched product takes as it is */
} liveness;

static bool is_activation(const liveness *live, int32_t tensor) {
    const adept_tensor *t = &live->network->graph.tensors[tensor];
    return !t->is_initializer && !t->constant && !live->is_constant[tensor];
}

static double bytes_of(const liveness *live, int32_t tensor) {
    return adept_tensor_B(&live->network->shapes.tensors[tensor], live->storage[tensor]);
}

static void find_roots(liveness *live) {
    const adept_network *network = live->network;
    for (int32_t t = 0; t < network->graph.tensor_count; t++) {
        live->root[t] = t;
        live->last_use[t] = live->saved_at[t] = -1;
    }
    for (int32_t i = 0; i < network->ops.count; i++) {
        const adept_node *node = network->ops.items[i].node;
        for (int32_t a = 0; a < live->counted[i].alias_count; a++) {
            adept_alias alias = live->counted[i].aliases[a];
            if (alias.output >= node->output_count || alias.input >= node->input_count)
                continue;
            adept_tensor_id out = node->outputs[alias.output], in = node->inputs[alias.input];
            if (out == ADEPT_NO_TENSOR || in == ADEPT_NO_TENSOR)
                continue;
            live->root[out] = live->root[in];
            live->as_matrices[out] = live->as_matrices[in] || alias.as_matrices;
        }
    }
}

static bool is_batched_product(const adept_counted *counted) {
    for (int32_t i = 0; i < counted->kernel_count; i++) {
        if (counted->kernels[i].kind == ADEPT_KERNEL_GEMM && counted->kernels[i].gemm.batch > 1)
            return true;
    }
    return false;
}

/*
 * The storage that an operator keeps of a tensor: that of which it is a view, as in PyTorch, where keeping
 * a view keeps the whole. A batched product first copies an operand that is a part (Split, Slice) of a
 * larger one to make it contiguous, and keeps the copy, unless its matrices have one stride between them.
 */
static int32_t kept_storage(const liveness *live, adept_tensor_id tensor, int32_t op) {
    int32_t root = live->root[tensor];
    bool part = adept_shape_elements(&live->network->shapes.tensors[tensor]) <
                adept_shape_elements(&live->network->shapes.tensors[root]);
    bool copied = part && !live->as_matrices[tensor] && is_batched_product(&live->counted[op]);
    return copied ? tensor : root;
}

static void save(liveness *live, adept_tensor_id tensor, int32_t op) {
    if (tensor == ADEPT_NO_TENSOR || !is_activation(live, live->root[tensor]))
        return;
    int32_t kept = kept_storage(live, tensor, op);
    if (live->saved_at[kept] < 0)
        live->saved_at[kept] = op;
}

static void find_uses(liveness *live) {
    const adept_ops *ops = &live->network->ops;
    for (int32_t i = 0; i < ops->count; i++) {
        if (ops->items[i].part_of >= 0)
            continue;
        const adept_node *node = ops->items[i].node;
        const adept_counted *counted = &live->counted[i];
        for (int32_t k = 0; k < node->input_count; k++) {
            if (node->inputs[k] != ADEPT_NO_TENSOR)
                live->last_use[live->root[node->inputs[k]]] = i;
            if (k < 64 && (counted->saves_inputs >> k & 1))
                save(live, node->inputs[k], i);
        }
        for (int32_t k = 0; k < node->output_count && k < 64; k++) {
            if (counted->saves_outputs >> k & 1)
                save(live, node->outputs[k], i);
        }
    }
    const adept_body *body = adept_graph_main(&live->network->graph);
    for (int32_t k = 0; k < body->output_count; k++) {
        if (body->outputs[k] != ADEPT_NO_TENSOR)
            live->last_use[live->root[body->outputs[k]]] = ops->count;
    }
}

static double saved_of_op(const liveness *live, int32_t op) {
    const adept_node *node = live->network->ops.items[op].node;
    const adept_counted *counted = &live->counted[op];
    double saved_B = counted->saved_extra_B;
    for (int32_t side = 0; side < 2; side++) {
        const adept_tensor_id *tensors = side ? node->outputs : node->inputs;
        int32_t count = side ? node->output_count : node->input_count;
        uint64_t mask = side ? counted->saves_outputs : counted->saves_inputs;
        for (int32_t k = 0; k < count && k < 64; k++) {
            if (!(mask >> k & 1) || tensors[k] == ADEPT_NO_TENSOR)
                continue;
            int32_t kept = kept_storage(live, tensors[k], op);
            if (live->saved_at[kept] == op && !live->counted_once[kept]) {
                saved_B += bytes_of(live, kept);
                live->counted_once[kept] = true;
            }
        }
    }
    return saved_B;
}

static double working_set_of_op(const liveness *live, int32_t op) {
    const adept_node *node = live->network->ops.items[op].node;
    double total_B = live->counted[op].workspace_B;
    for (int32_t k = 0; k < node->input_count; k++)
        total_B += node->inputs[k] == ADEPT_NO_TENSOR ? 0 : bytes_of(live, node->inputs[k]);
    for (int32_t k = 0; k < node->output_count; k++)
        total_B += node->outputs[k] == ADEPT_NO_TENSOR ? 0 : bytes_of(live, node->outputs[k]);
    return total_B;
}

/* Storages born at an operator: its outputs that own their bytes. */
static double born_at(const liveness *live, int32_t op) {
    const adept_node *node = live->network->ops.items[op].node;
    double born_B = 0;
    for (int32_t k = 0; k < node->output_count; k++) {
        adept_tensor_id t = node->outputs[k];
        if (t != ADEPT_NO_TENSOR && live->root[t] == t && is_activation(live, t))
            born_B += bytes_of(live, t);
    }
    return born_B;
}

/* Storages not saved whose last reader is this operator. */
static double dead_after(const liveness *live, int32_t op, bool *dead) {
    const adept_node *node = live->network->ops.items[op].node;
    double dead_B = 0;
    for (int32_t side = 0; side < 2; side++) {
        const adept_tensor_id *tensors = side ? node->outputs : node->inputs;
        int32_t count = side ? node->output_count : node->input_count;
        for (int32_t k = 0; k < count; k++) {
            if (tensors[k] == ADEPT_NO_TENSOR)
                continue;
            int32_t root = live->root[tensors[k]];
            bool read_later = live->last_use[root] > op;
            if (!read_later && !dead[root] && live->saved_at[root] < 0 && is_activation(live, root)) {
                dead[root] = true;
                dead_B += bytes_of(live, root);
            }
        }
    }
    return dead_B;
}

/* Gradients alive while an operator's backward pass runs: those of its outputs and of its inputs. */
static double gradients_at(const liveness *live, int32_t op) {
    const adept_node *node = live->network->ops.items[op].node;
    double total_B = 0;
    for (int32_t side = 0; side < 2; side++) {
        const adept_tensor_id *tensors = side ? node->outputs : node->inputs;
        int32_t count = side ? node->output_count : node->input_count;
        for (int32_t k = 0; k < count; k++) {
            if (tensors[k] != ADEPT_NO_TENSOR && live->gradients->needs_grad[tensors[k]] &&
                is_activation(live, tensors[k]))
                total_B += bytes_of(live, tensors[k]);
        }
    }
    return total_B;
}

static void walk(adept_activations *out, const liveness *live, bool *dead) {
    const adept_ops *ops = &live->network->ops;
    const adept_body *body = adept_graph_main(&live->network->graph);
    double alive_B = 0;
    for (int32_t k = 0; k < body->input_count; k++)
        alive_B += body->inputs[k] == ADEPT_NO_TENSOR ? 0 : bytes_of(live, body->inputs[k]);
    for (int32_t i = 0; i < ops->count; i++) {
        if (ops->items[i].part_of >= 0)
            continue;
        double workspace_B = live->counted[i].workspace_B;
        out->saved_by_op[i] = saved_of_op(live, i);
        out->working_set_by_op[i] = working_set_of_op(live, i);
        out->saved_B += out->saved_by_op[i];
        alive_B += born_at(live, i) + live->counted[i].saved_extra_B;
        out->workspace_B = workspace_B > out->workspace_B ? workspace_B : out->workspace_B;
        if (alive_B + workspace_B > out->forward_peak_B)
            out->forward_peak_B = alive_B + workspace_B;
        alive_B -= dead_after(live, i, dead);
    }
    double saved_B = out->saved_B;
    for (int32_t i = ops->count - 1; i >= 0; i--) {
        if (ops->items[i].part_of >= 0)
            continue;
        double now_B = saved_B + gradients_at(live, i) + live->counted[i].workspace_B;
        out->backward_peak_B = now_B > out->backward_peak_B ? now_B : out->backward_peak_B;
        saved_B -= out->saved_by_op[i];
    }
}

adept_status adept_activations_find(adept_activations *out, const adept_network *network,
                                    const adept_counted *counted, const adept_gradients *gradients,
                                    const adept_dtype *storage, const bool *is_constant, adept_arena *arena,
                                    adept_error *err) {
    size_t tensors = (size_t)network->graph.tensor_count, ops = (size_t)network->ops.count;
    liveness live = {.network = network,
                     .counted = counted,
                     .gradients = gradients,
                     .storage = storage,
                     .is_constant = is_constant,
                     .root = adept_arena_array(arena, tensors, sizeof(int32_t)),
                     .last_use = adept_arena_array(arena, tensors, sizeof(int32_t)),
                     .saved_at = adept_arena_array(arena, tensors, sizeof(int32_t)),
                     .counted_once = adept_arena_array(arena, tensors, sizeof(bool)),
                     .as_matrices = adept_arena_array(arena, tensors, sizeof(bool))};
    bool *dead = adept_arena_array(arena, tensors, sizeof(bool));
    *out = (adept_activations){.saved_by_op = adept_arena_array(arena, ops, sizeof(double)),
                               .working_set_by_op = adept_arena_array(arena, ops, sizeof(double))};
    if (!live.root || !live.last_use || !live.saved_at || !live.counted_once || !live.as_matrices || !dead ||
        !out->saved_by_op || !out->working_set_by_op)
        return adept_fail_memory(err);
    find_roots(&live);
    find_uses(&live);
    walk(out, &live, dead);
    return ADEPT_OK;
}
