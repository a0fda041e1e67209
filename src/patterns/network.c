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

bool adept_network_append(adept_network *network, const adept_op *op) {
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

typedef struct adept_pending {
    adept_op op;
    int32_t after;
    int32_t next;  /* pending operator behind the same one; -1: none */
    int32_t index; /* in the merged list */
} adept_pending;

int32_t adept_network_pend(adept_network *network, int32_t after, const adept_op *op) {
    if (network->pending_count == network->pending_capacity) {
        adept_pending *grown_list = grown(network->arena, network->pending, network->pending_count,
                                          &network->pending_capacity, sizeof *grown_list);
        if (!grown_list)
            return -1;
        network->pending = grown_list;
    }
    network->pending[network->pending_count] = (adept_pending){.op = *op, .after = after, .next = -1};
    return network->pending_count++;
}

/* Part numbers of the old list, pending ones included, to places in the new one. */
static void renumber(const adept_network *network, adept_op *items, int32_t count, const int32_t *moved_to) {
    for (int32_t i = 0; i < count; i++) {
        int32_t part_of = items[i].part_of;
        if (part_of >= 0)
            items[i].part_of = moved_to[part_of];
        else if (part_of <= ADEPT_PENDING(0))
            items[i].part_of = network->pending[ADEPT_PENDING(0) - part_of].index;
    }
}

adept_status adept_network_merge(adept_network *network, adept_error *err) {
    int32_t old_count = network->ops.count, pending_count = network->pending_count;
    if (!pending_count)
        return ADEPT_OK;
    adept_op *items =
        adept_arena_array(network->arena, (size_t)old_count + (size_t)pending_count, sizeof *items);
    int32_t *moved_to = adept_arena_array(network->arena, (size_t)old_count, sizeof *moved_to);
    int32_t *first = adept_arena_array(network->arena, (size_t)old_count, sizeof *first);
    if (!items || !moved_to || !first)
        return adept_fail_memory(err);
    for (int32_t p = pending_count - 1; p >= 0; p--) { /* so that they stand in the order they were pended */
        network->pending[p].next = first[network->pending[p].after] - 1;
        first[network->pending[p].after] = p + 1;
    }
    int32_t count = 0;
    for (int32_t i = 0; i < old_count; i++) {
        moved_to[i] = count;
        items[count++] = network->ops.items[i];
        for (int32_t p = first[i] - 1; p >= 0; p = network->pending[p].next) {
            network->pending[p].index = count;
            items[count++] = network->pending[p].op;
        }
    }
    renumber(network, items, count, moved_to);
    network->ops = (adept_ops){.count = count, .items = items};
    network->op_capacity = count;
    network->pending_count = 0;
    return ADEPT_OK;
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
