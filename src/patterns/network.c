#include "network.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"

/* Doubles an arena array when it is full; the old one stays in the arena. */
static void *grown(adept_arena *arena, const void *items, int32_t count, int32_t *capacity, size_t item_B) {
    int32_t wanted = *capacity < 16 ? 16 : *capacity;
    if (wanted > INT32_MAX / 2)
        return NULL;
    wanted *= 2;
    void *copy = adept_arena_array(arena, (size_t)wanted, item_B);
    if (copy && count)
        memcpy(copy, items, (size_t)count * item_B);
    if (copy)
        *capacity = wanted;
    return copy;
}

static bool add_op(adept_network *network, const adept_op *op) {
    adept_ops *ops = &network->ops;
    if (ops->count == network->op_capacity) {
        adept_op *items =
            grown(network->arena, ops->items, ops->count, &network->op_capacity, sizeof *ops->items);
        if (!items)
            return false;
        ops->items = items;
    }
    ops->items[ops->count++] = *op;
    return true;
}

enum { MAX_BODY_DEPTH = 256 };

/* A body's nodes in order; the bodies of a control-flow node stand right before the node itself. */
static bool add_body(adept_network *network, const adept_body *body, int depth) {
    if (depth > MAX_BODY_DEPTH)
        return false;
    for (int32_t n = 0; n < body->node_count; n++) {
        const adept_node *node = &body->nodes[n];
        for (int32_t a = 0; a < node->attribute_count; a++) {
            const adept_body *inner = node->attributes[a].body;
            if (inner && network->shapes.body_repeats[inner->index] > 0 &&
                !add_body(network, inner, depth + 1))
                return false;
        }
        adept_op op = {.node = node,
                       .handler = adept_handler_find(node->domain, node->op_type, node->opset),
                       .body = body->index,
                       .node_index = n,
                       .part_of = -1};
        if (!add_op(network, &op))
            return false;
    }
    return true;
}

adept_status adept_network_build(adept_network **out, const adept_graph *graph, const adept_shapes *shapes,
                                 const adept_run *run, adept_arena *arena, adept_error *err) {
    (void)run;
    adept_network *network = adept_arena_alloc(arena, sizeof *network);
    if (!network)
        return adept_fail_memory(err);
    network->arena = arena;
    network->graph = *graph;
    network->shapes = *shapes;
    network->tensor_capacity = graph->tensor_count;
    if (!add_body(network, adept_graph_main(graph), 0))
        return adept_fail_memory(err);
    *out = network;
    return ADEPT_OK;
}

adept_tensor_id adept_network_add_tensor(adept_network *network, const char *name, const adept_shape *shape,
                                         int32_t body) {
    int32_t count = network->graph.tensor_count;
    if (count == network->tensor_capacity) {
        int32_t capacity = network->tensor_capacity, same = capacity;
        adept_tensor *tensors =
            grown(network->arena, network->graph.tensors, count, &capacity, sizeof *tensors);
        adept_shape *shapes = grown(network->arena, network->shapes.tensors, count, &same, sizeof *shapes);
        if (!tensors || !shapes)
            return ADEPT_NO_TENSOR;
        network->graph.tensors = tensors;
        network->shapes.tensors = shapes;
        network->tensor_capacity = capacity;
    }
    const char *copy = adept_arena_string(network->arena, name);
    if (!copy)
        return ADEPT_NO_TENSOR;
    network->graph.tensors[count] = (adept_tensor){.name = copy, .body = body, .producer = -1};
    network->shapes.tensors[count] = *shape;
    network->graph.tensor_count = count + 1;
    return count;
}

adept_tensor_id adept_network_add_parameter(adept_network *network, const char *name, adept_dtype dtype,
                                            int32_t rank, const int64_t *dims) {
    adept_constant *constant = adept_arena_alloc(network->arena, sizeof *constant);
    int64_t *copy = adept_arena_copy(network->arena, dims, (size_t)rank * sizeof *dims);
    if (!constant || !copy)
        return ADEPT_NO_TENSOR;
    *constant = (adept_constant){.dtype = dtype, .rank = rank, .dims = copy};
    adept_shape shape = {.kind = ADEPT_TYPE_TENSOR, .dtype = dtype, .rank = rank, .dims = copy};
    constant->elements = adept_shape_elements(&shape);
    adept_tensor_id id = adept_network_add_tensor(network, name, &shape, 0);
    if (id != ADEPT_NO_TENSOR) {
        network->graph.tensors[id].constant = constant;
        network->graph.tensors[id].is_initializer = true;
    }
    return id;
}

bool adept_network_insert(adept_network *network, int32_t at, const adept_op *op) {
    if (!add_op(network, op))
        return false;
    adept_ops *ops = &network->ops;
    memmove(&ops->items[at + 1], &ops->items[at], (size_t)(ops->count - 1 - at) * sizeof *ops->items);
    ops->items[at] = *op;
    for (int32_t i = 0; i < ops->count; i++) {
        if (i != at && ops->items[i].part_of >= at)
            ops->items[i].part_of++;
    }
    return true;
}

adept_node *adept_network_make_node(adept_network *network, const char *op_type, const char *name,
                                    const char *module, int32_t opset, int32_t input_count,
                                    const adept_tensor_id *inputs, int32_t output_count,
                                    const adept_tensor_id *outputs) {
    adept_arena *arena = network->arena;
    adept_node *node = adept_arena_alloc(arena, sizeof *node);
    if (!node)
        return NULL;
    *node = (adept_node){.name = adept_arena_string(arena, name),
                         .op_type = adept_arena_string(arena, op_type),
                         .domain = "",
                         .module = adept_arena_string(arena, module),
                         .opset = opset,
                         .input_count = input_count,
                         .output_count = output_count,
                         .inputs = adept_arena_copy(arena, inputs, (size_t)input_count * sizeof *inputs),
                         .outputs = adept_arena_copy(arena, outputs, (size_t)output_count * sizeof *outputs)};
    return node->name && node->op_type && node->module && node->inputs && node->outputs ? node : NULL;
}

bool adept_network_note(adept_network *network, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (network->note_count == network->note_capacity) {
        const char **notes = grown(network->arena, network->notes, network->note_count,
                                   &network->note_capacity, sizeof *notes);
        if (!notes)
            return false;
        network->notes = notes;
    }
    const char *copy = adept_arena_string(network->arena, text);
    if (copy)
        network->notes[network->note_count++] = copy;
    return copy != NULL;
}
