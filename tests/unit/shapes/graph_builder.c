#include "graph_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_flow.h"

enum { TENSORS = 4096, BODIES = 256, NODES = 64, PORTS = 64, ATTRIBUTES = 4 };

struct builder {
    adept_arena *arena;
    adept_graph graph;
    adept_tensor tensors[TENSORS];
    adept_body *bodies[BODIES];
    adept_node *nodes[BODIES];
    adept_tensor_id *inputs[BODIES], *outputs[BODIES];
};

builder *builder_new(void) {
    builder *b = calloc(1, sizeof *b);
    b->arena = adept_arena_new(0);
    b->graph.arena = b->arena;
    b->graph.tensors = b->tensors;
    b->graph.bodies = (const adept_body *const *)b->bodies;
    add_body(b, "main");
    return b;
}

void builder_free(builder *b) {
    if (b)
        adept_arena_free(b->arena);
    free(b);
}

int32_t add_body(builder *b, const char *name) {
    int32_t index = b->graph.body_count++;
    b->bodies[index] = adept_arena_alloc(b->arena, sizeof(adept_body));
    b->nodes[index] = adept_arena_array(b->arena, NODES, sizeof(adept_node));
    b->inputs[index] = adept_arena_array(b->arena, PORTS, sizeof(adept_tensor_id));
    b->outputs[index] = adept_arena_array(b->arena, PORTS, sizeof(adept_tensor_id));
    *b->bodies[index] = (adept_body){.name = name,
                                     .index = index,
                                     .nodes = b->nodes[index],
                                     .inputs = b->inputs[index],
                                     .outputs = b->outputs[index]};
    return index;
}

adept_tensor_id add_tensor(builder *b, int32_t body, const char *name) {
    adept_tensor_id id = b->graph.tensor_count++;
    b->tensors[id] = (adept_tensor){.name = name, .body = body, .producer = -1};
    return id;
}

static adept_dim parse_dim(builder *b, const char *text, size_t length) {
    while (length && *text == ' ') {
        text++;
        length--;
    }
    char *copy = adept_arena_string_n(b->arena, text, length);
    if (strcmp(copy, "?") == 0)
        return (adept_dim){-1, NULL};
    char *end;
    long long number = strtoll(copy, &end, 10);
    return *end == '\0' ? (adept_dim){number, NULL} : (adept_dim){-1, copy};
}

void declare(builder *b, adept_tensor_id tensor, adept_dtype dtype, const char *dims) {
    adept_type *type = adept_arena_alloc(b->arena, sizeof *type);
    adept_dim *parsed = adept_arena_array(b->arena, PORTS, sizeof *parsed);
    *type = (adept_type){.kind = ADEPT_TYPE_TENSOR, .dtype = dtype, .rank = dims ? 0 : -1, .dims = parsed};
    while (dims && *dims) {
        size_t length = strcspn(dims, ",");
        parsed[type->rank++] = parse_dim(b, dims, length);
        dims += length + (dims[length] == ',');
    }
    b->tensors[tensor].declared = type;
}

adept_tensor_id add_input(builder *b, int32_t body, const char *name, adept_dtype dtype, const char *dims) {
    adept_tensor_id id = add_tensor(b, body, name);
    declare(b, id, dtype, dims);
    b->tensors[id].is_input = true;
    b->inputs[body][b->bodies[body]->input_count++] = id;
    return id;
}

adept_tensor_id add_ints(builder *b, int32_t body, const char *name, int32_t count, const int64_t *values) {
    adept_tensor_id id = add_tensor(b, body, name);
    adept_constant *constant = adept_arena_alloc(b->arena, sizeof *constant);
    int64_t *dims = adept_arena_array(b->arena, 1, sizeof *dims);
    dims[0] = count;
    *constant = (adept_constant){.dtype = ADEPT_DTYPE_INT64,
                                 .rank = 1,
                                 .dims = dims,
                                 .elements = count,
                                 .payload = ADEPT_PAYLOAD_INLINE,
                                 .field = 9,
                                 .length_B = (uint64_t)count * 8};
    constant->bytes = adept_arena_copy(b->arena, values, (size_t)count * 8);
    b->tensors[id].constant = constant;
    b->tensors[id].is_initializer = true;
    return id;
}

void add_output(builder *b, int32_t body, adept_tensor_id tensor) {
    b->outputs[body][b->bodies[body]->output_count++] = tensor;
}

static adept_node *last_node(builder *b, int32_t body) {
    return &b->nodes[body][b->bodies[body]->node_count - 1];
}

adept_tensor_id add_node(builder *b, int32_t body, const char *op_type, const char *name,
                         const adept_tensor_id *inputs) {
    b->bodies[body]->node_count++;
    adept_node *node = last_node(b, body);
    adept_tensor_id *outputs = adept_arena_array(b->arena, PORTS, sizeof *outputs);
    outputs[0] = add_tensor(b, body, name);
    int32_t count = 0;
    while (inputs[count] != -2)
        count++;
    *node = (adept_node){.name = name,
                         .op_type = op_type,
                         .domain = "",
                         .module = "",
                         .opset = 17,
                         .input_count = count,
                         .output_count = 1,
                         .outputs = outputs,
                         .attributes = adept_arena_array(b->arena, ATTRIBUTES, sizeof(adept_attribute))};
    node->inputs = adept_arena_copy(b->arena, inputs, (size_t)count * sizeof *inputs);
    b->tensors[outputs[0]].producer = b->bodies[body]->node_count - 1;
    return outputs[0];
}

void add_more_output(builder *b, int32_t body, const char *name) {
    adept_node *node = last_node(b, body);
    ((adept_tensor_id *)(uintptr_t)node->outputs)[node->output_count++] = add_tensor(b, body, name);
}

static adept_attribute *add_attribute(builder *b, int32_t body, const char *name, adept_attribute_type type) {
    adept_node *node = last_node(b, body);
    adept_attribute *attribute = (adept_attribute *)(uintptr_t)&node->attributes[node->attribute_count++];
    attribute->name = name;
    attribute->type = type;
    return attribute;
}

void set_int(builder *b, int32_t body, const char *name, int64_t value) {
    add_attribute(b, body, name, ADEPT_ATTRIBUTE_INT)->i = value;
}

void set_body(builder *b, int32_t body, const char *name, int32_t subgraph) {
    add_attribute(b, body, name, ADEPT_ATTRIBUTE_GRAPH)->body = b->bodies[subgraph];
}

const adept_graph *built(builder *b) {
    return &b->graph;
}

adept_tensor_id find_tensor(const adept_graph *graph, const char *name) {
    for (adept_tensor_id i = 0; i < graph->tensor_count; i++) {
        if (strcmp(graph->tensors[i].name, name) == 0)
            return i;
    }
    return ADEPT_NO_TENSOR;
}

/* --- operators --- */

static adept_status infer_same(adept_infer *ctx) {
    return adept_infer_out_like(ctx, 0, adept_infer_in(ctx, 0));
}

static adept_status infer_append(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    if (a->rank < 1 || b->rank < 1)
        return adept_infer_out_unknown(ctx, 0, a->dtype);
    int64_t dims[PORTS];
    memcpy(dims, a->dims, (size_t)a->rank * sizeof *dims);
    if (__builtin_add_overflow(a->dims[0], b->dims[0], &dims[0]))
        return adept_infer_overflow(ctx);
    return adept_infer_out(ctx, 0, a->dtype, a->rank, dims);
}

static adept_status copy_ints(adept_infer *ctx, int64_t plus) {
    adept_status status = infer_same(ctx);
    int64_t count;
    const int64_t *ints = adept_infer_in_ints(ctx, 0, &count);
    if (status != ADEPT_OK || !ints || count > PORTS)
        return status;
    int64_t sums[PORTS];
    for (int64_t i = 0; i < count; i++)
        sums[i] = ints[i] + plus;
    return adept_infer_out_ints(ctx, 0, sums, NULL);
}

static adept_status infer_fold(adept_infer *ctx) {
    return copy_ints(ctx, 0);
}

static adept_status infer_increment(adept_infer *ctx) {
    return copy_ints(ctx, 1);
}

static adept_status infer_below(adept_infer *ctx) {
    int64_t count, limit = adept_infer_int(ctx, "limit", 0), below;
    adept_status status = adept_infer_out(ctx, 0, ADEPT_DTYPE_BOOL, 0, NULL);
    const int64_t *ints = adept_infer_in_ints(ctx, 0, &count);
    if (status != ADEPT_OK || !ints)
        return status;
    below = ints[0] < limit;
    return adept_infer_out_ints(ctx, 0, &below, NULL);
}

static adept_status infer_truth(adept_infer *ctx) {
    int64_t value = adept_infer_int(ctx, "value", 1);
    adept_status status = adept_infer_out(ctx, 0, ADEPT_DTYPE_BOOL, 0, NULL);
    return status == ADEPT_OK ? adept_infer_out_ints(ctx, 0, &value, NULL) : status;
}

static adept_status infer_count(adept_infer *ctx) {
    int64_t count = adept_infer_assume(ctx, "count", 10, ADEPT_BOUND, "a test decides");
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, 1, &count);
}

static adept_status infer_guess(adept_infer *ctx) {
    int64_t count = adept_infer_assume(ctx, "count", 3, ADEPT_ASSUMED, "a test guesses");
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, 1, &count);
}

static adept_status infer_fill(adept_infer *ctx) {
    int64_t count;
    const int64_t *dims = adept_infer_in_ints(ctx, 0, &count);
    if (!dims)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_FLOAT);
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_FLOAT, (int32_t)count, dims);
}

static adept_status infer_strict(adept_infer *ctx) {
    if (adept_infer_rank(ctx, 0) != 2)
        return adept_infer_fail(ctx, "input has rank %d, needs 2; reshape it", adept_infer_rank(ctx, 0));
    return infer_same(ctx);
}

adept_infer_row test_lookup(const char *domain, const char *op_type, int32_t opset) {
    static const struct {
        const char *op_type;
        adept_infer_row row;
    } rows[] = {
        {"Append",      {infer_append, 2, 2}       },
        {"Below",       {infer_below, 1, 1}        },
        {"Count",       {infer_count, 1, 1}        },
        {"Fill",        {infer_fill, 1, 1}         },
        {"Fold",        {infer_fold, 1, 1}         },
        {"Guess",       {infer_guess, 1, 1}        },
        {"If",          {infer_if, 1, 1}           },
        {"Increment",   {infer_increment, 1, 1}    },
        {"Loop",        {infer_loop, 0, -1}        },
        {"Same",        {infer_same, 1, 1}         },
        {"Scan",        {infer_scan, 0, -1}        },
        {"SequenceMap", {infer_sequence_map, 1, -1}},
        {"Strict",      {infer_strict, 1, 1}       },
        {"Truth",       {infer_truth, 0, 0}        },
    };
    (void)opset;
    for (size_t i = 0; !*domain && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].op_type, op_type) == 0)
            return rows[i].row;
    }
    return (adept_infer_row){NULL, 0, 0};
}
