#include "gradients.h"

#include <fnmatch.h>
#include <string.h>

#include "fail.h"

/*
 * Operators whose floating-point output carries no gradient to (some of) their inputs: bit i set, input
 * i gets none. Outputs of other types (integers, booleans) stop gradients by themselves.
 */
typedef struct no_gradient_row {
    const char *op_type;
    uint32_t inputs;
} no_gradient_row;

#define ALL_INPUTS UINT32_MAX
static const no_gradient_row no_gradient[] = {
    {"Bernoulli",          ALL_INPUTS                 },
    {"ConstantOfShape",    ALL_INPUTS                 },
    {"DequantizeLinear",   ALL_INPUTS                 },
    {"EyeLike",            ALL_INPUTS                 },
    {"OneHot",             ALL_INPUTS                 },
    {"RandomNormalLike",   ALL_INPUTS                 },
    {"RandomUniformLike",  ALL_INPUTS                 },
    {"Range",              ALL_INPUTS                 },
    {"BatchNormalization", 1u << 3 | 1u << 4          }, /* running mean and variance */
    {"Clip",               1u << 1 | 1u << 2          },
    {"Dropout",            1u << 1 | 1u << 2          },
    {"Resize",             1u << 1 | 1u << 2 | 1u << 3},
    {"RotaryEmbedding",    1u << 1 | 1u << 2 | 1u << 3}, /* caches are buffers */
};

static uint32_t no_gradient_inputs(const adept_op *op) {
    for (size_t i = 0; i < sizeof no_gradient / sizeof no_gradient[0]; i++) {
        if (strcmp(no_gradient[i].op_type, op->node->op_type) == 0)
            return no_gradient[i].inputs;
    }
    return 0;
}

static bool is_skipped(uint32_t mask, int32_t input) {
    return mask == ALL_INPUTS || (input < 32 && (mask >> input & 1));
}

/* An initializer seen through views of it: Transpose, Identity, Cast, Reshape of a constant is that constant.
 */
static bool is_view_of_constant(const adept_op *op) {
    static const char *const views[] = {"Transpose", "Identity", "Cast",    "CastLike",
                                        "Reshape",   "Squeeze",  "Flatten", "Unsqueeze"};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        if (strcmp(views[i], op->node->op_type) == 0)
            return true;
    }
    return false;
}

/*
 * Buffers of well-known modules: floating-point initializers that no framework trains. A file cannot tell
 * a buffer from a parameter otherwise (--freeze PATTERN names others).
 */
static const char *const buffer_names[] = {
    "*inv_freq", /* rotary embedding, transformers */
};

static bool is_buffer(const char *name) {
    for (size_t i = 0; i < sizeof buffer_names / sizeof buffer_names[0]; i++) {
        if (fnmatch(buffer_names[i], name, 0) == 0)
            return true;
    }
    return false;
}

static bool could_be_parameter(const adept_tensor *tensor, const adept_shape *shape) {
    return tensor->is_initializer && tensor->constant && tensor->constant->elements > 1 &&
           !is_buffer(tensor->name) &&
           adept_dtype_is_float(shape->dtype != ADEPT_DTYPE_UNDEFINED ? shape->dtype
                                                                      : tensor->constant->dtype);
}

static bool is_frozen(const adept_run *run, const char *name) {
    for (size_t i = 0; i < run->freeze_count; i++) {
        if (fnmatch(run->freeze[i], name, 0) == 0)
            return true;
    }
    return false;
}

static void find_parameters(adept_gradients *g, const adept_network *network, const adept_run *run,
                            adept_tensor_id *origin) {
    const adept_graph *graph = &network->graph;
    for (int32_t t = 0; t < graph->tensor_count; t++)
        origin[t] = could_be_parameter(&graph->tensors[t], &network->shapes.tensors[t]) ? t : ADEPT_NO_TENSOR;
    for (int32_t i = 0; i < network->ops.count; i++) {
        const adept_op *op = &network->ops.items[i];
        if (op->part_of >= 0)
            continue;
        if (is_view_of_constant(op) && op->node->input_count && op->node->output_count &&
            op->node->inputs[0] != ADEPT_NO_TENSOR && origin[op->node->inputs[0]] != ADEPT_NO_TENSOR) {
            if (op->node->outputs[0] != ADEPT_NO_TENSOR)
                origin[op->node->outputs[0]] = origin[op->node->inputs[0]];
            continue;
        }
        uint32_t skipped = no_gradient_inputs(op) | (op->handler ? op->handler->shape_inputs : 0);
        for (int32_t k = 0; k < op->node->input_count; k++) {
            adept_tensor_id t = op->node->inputs[k];
            if (t == ADEPT_NO_TENSOR || origin[t] == ADEPT_NO_TENSOR || is_skipped(skipped, k))
                continue;
            g->is_parameter[origin[t]] = true;
            g->uses[origin[t]]++;
        }
    }
    for (int32_t t = 0; t < graph->tensor_count; t++) {
        g->trainable[t] =
            g->is_parameter[t] && run->mode == ADEPT_MODE_TRAIN && !is_frozen(run, graph->tensors[t].name);
    }
}

static void mark(bool *flags, adept_tensor_id tensor) {
    if (tensor != ADEPT_NO_TENSOR)
        flags[tensor] = true;
}

/* Connects the formal inputs and outputs of a body with the actual tensors of the node that runs it. */
static void pass_through_bodies(bool *flags, const adept_node *node, bool forward) {
    for (int32_t a = 0; a < node->attribute_count; a++) {
        const adept_body *body = node->attributes[a].body;
        if (!body)
            continue;
        bool any = false;
        int32_t count = forward ? body->output_count : node->output_count;
        const adept_tensor_id *from = forward ? body->outputs : node->outputs;
        for (int32_t i = 0; i < count; i++)
            any = any || (from[i] != ADEPT_NO_TENSOR && flags[from[i]]);
        int32_t targets = forward ? node->output_count : body->output_count;
        const adept_tensor_id *to = forward ? node->outputs : body->outputs;
        for (int32_t i = 0; any && i < targets; i++)
            mark(flags, to[i]);
    }
}

static bool carries_gradient(const adept_network *network, adept_tensor_id t) {
    return t != ADEPT_NO_TENSOR && adept_dtype_is_float(network->shapes.tensors[t].dtype);
}

static bool any_marked(const bool *flags, const adept_tensor_id *tensors, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        if (tensors[i] != ADEPT_NO_TENSOR && flags[tensors[i]])
            return true;
    }
    return false;
}

static void mark_upstream(bool *flags, const adept_network *network) {
    for (int32_t i = 0; i < network->ops.count; i++) {
        const adept_op *op = &network->ops.items[i];
        if (op->part_of >= 0)
            continue;
        const adept_node *node = op->node;
        uint32_t skipped = no_gradient_inputs(op);
        bool any = false;
        for (int32_t k = 0; k < node->input_count; k++)
            any = any ||
                  (!is_skipped(skipped, k) && node->inputs[k] != ADEPT_NO_TENSOR && flags[node->inputs[k]]);
        for (int32_t k = 0; any && k < node->output_count; k++) {
            if (carries_gradient(network, node->outputs[k]))
                mark(flags, node->outputs[k]);
        }
        pass_through_bodies(flags, node, true);
    }
}

static void mark_downstream(bool *flags, const adept_network *network) {
    const adept_body *main_body = adept_graph_main(&network->graph);
    for (int32_t i = 0; i < main_body->output_count; i++) {
        if (carries_gradient(network, main_body->outputs[i]))
            mark(flags, main_body->outputs[i]);
    }
    for (int32_t i = network->ops.count - 1; i >= 0; i--) {
        const adept_op *op = &network->ops.items[i];
        if (op->part_of >= 0)
            continue;
        const adept_node *node = op->node;
        pass_through_bodies(flags, node, false);
        if (!any_marked(flags, node->outputs, node->output_count))
            continue;
        uint32_t skipped = no_gradient_inputs(op);
        for (int32_t k = 0; k < node->input_count; k++) {
            if (!is_skipped(skipped, k) && carries_gradient(network, node->inputs[k]))
                mark(flags, node->inputs[k]);
        }
    }
}

adept_status adept_gradients_find(adept_gradients *out, const adept_network *network, const adept_run *run,
                                  adept_arena *arena, adept_error *err) {
    size_t count = (size_t)network->graph.tensor_count;
    adept_gradients g = {
        .is_parameter = adept_arena_array(arena, count, sizeof(bool)),
        .trainable = adept_arena_array(arena, count, sizeof(bool)),
        .needs_grad = adept_arena_array(arena, count, sizeof(bool)),
        .uses = adept_arena_array(arena, count, sizeof(int32_t)),
    };
    bool *reaches_output = adept_arena_array(arena, count, sizeof(bool));
    adept_tensor_id *origin = adept_arena_array(arena, count, sizeof *origin);
    if (!g.is_parameter || !g.trainable || !g.needs_grad || !g.uses || !reaches_output || !origin)
        return adept_fail_memory(err);
    find_parameters(&g, network, run, origin);
    if (run->mode == ADEPT_MODE_TRAIN) {
        memcpy(g.needs_grad, g.trainable, count * sizeof(bool));
        mark_upstream(g.needs_grad, network);
        mark_downstream(reaches_output, network);
        for (size_t t = 0; t < count; t++)
            g.needs_grad[t] = g.needs_grad[t] && reaches_output[t];
    }
    *out = g;
    return ADEPT_OK;
}
