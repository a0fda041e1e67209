/* The main graph and subgraphs: inputs, initializers, nodes in order, outputs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "fail.h"
#include "topological_order.h"

/* --- names --- */

static void warn_of_negative_dims(builder *b, const pb_value_info *info, adept_status *status) {
    const AdeptOnnx__Shape *shape =
        info->type && info->type->tensor_type ? info->type->tensor_type->shape : NULL;
    for (size_t i = 0; shape && i < shape->n_dim && *status == ADEPT_OK; i++) {
        if (shape->dim[i]->has_dim_value && shape->dim[i]->dim_value < 0)
            *status = adept_builder_warn(b, "input '%s': dimension %zu is %lld, taken as unknown", info->name,
                                         i, (long long)shape->dim[i]->dim_value);
    }
}

static adept_status declare_input(builder *b, scope *where, const pb_value_info *info, adept_tensor_id *id) {
    const char *name = text_or_empty(info->name);
    if (!name[0])
        return adept_fail(b->err, ADEPT_FORMAT, "an input has no name; re-export the model");
    if (adept_scope_own(b, where, name) != UNDECLARED)
        return adept_fail(b->err, ADEPT_FORMAT, "two inputs have the name '%s'; re-export the model", name);
    adept_status status = adept_builder_tensor(b, where, name, id);
    if (status != ADEPT_OK)
        return status;
    b->tensors[*id].is_input = true;
    status = adept_scope_declare(b, where, name, *id);
    if (status == ADEPT_OK && info->type)
        status = adept_build_type(b, info->type, &b->tensors[*id].declared);
    if (status != ADEPT_OK)
        return adept_fail_at(b->err, status, "input '%s'", name);
    warn_of_negative_dims(b, info, &status);
    return status;
}

/* An initializer may stand for an input of the same name (before IR version 4 it had to). */
static adept_status declare_initializer(builder *b, scope *where, const char *name,
                                        const adept_constant *constant) {
    if (!name[0])
        return adept_fail(b->err, ADEPT_FORMAT, "an initializer has no name; re-export the model");
    adept_tensor_id id = adept_scope_own(b, where, name);
    if (id != UNDECLARED && b->tensors[id].is_initializer)
        return adept_fail(b->err, ADEPT_FORMAT, "two initializers have the name '%s'; re-export the model",
                          name);
    if (id == UNDECLARED) {
        adept_status status = adept_builder_tensor(b, where, name, &id);
        if (status != ADEPT_OK)
            return status;
        if ((status = adept_scope_declare(b, where, name, id)) != ADEPT_OK)
            return status;
    }
    b->tensors[id].constant = constant;
    b->tensors[id].is_initializer = true;
    return ADEPT_OK;
}

static adept_status declare_initializers(builder *b, scope *where, const pb_graph *graph) {
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const adept_constant *constant;
        const char *name = text_or_empty(graph->initializer[i]->name);
        adept_status status = adept_build_constant(b, graph->initializer[i], &constant);
        if (status != ADEPT_OK)
            return adept_fail_at(b->err, status, "initializer '%s'", name);
        if ((status = declare_initializer(b, where, name, constant)) != ADEPT_OK)
            return status;
    }
    for (size_t i = 0; i < graph->n_sparse_initializer; i++) {
        const adept_constant *constant;
        const pb_sparse_tensor *sparse = graph->sparse_initializer[i];
        const char *name = text_or_empty(sparse->values ? sparse->values->name : NULL);
        adept_status status = adept_build_sparse_constant(b, sparse, &constant);
        if (status != ADEPT_OK)
            return adept_fail_at(b->err, status, "sparse initializer '%s'", name);
        if ((status = declare_initializer(b, where, name, constant)) != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

/* value_info of names that nothing writes is a leftover of some optimizer: ignored. */
static adept_status declare_types(builder *b, const scope *where, pb_value_info *const *infos, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *name = text_or_empty(infos[i]->name);
        adept_tensor_id id = adept_scope_own(b, where, name);
        if (id < 0 || !infos[i]->type || b->tensors[id].declared)
            continue;
        adept_status status = adept_build_type(b, infos[i]->type, &b->tensors[id].declared);
        if (status != ADEPT_OK)
            return adept_fail_at(b->err, status, "tensor '%s'", name);
    }
    return ADEPT_OK;
}

static adept_status find_inputs(builder *b, scope *where, const pb_graph *graph, adept_body *body) {
    adept_tensor_id *inputs = adept_arena_array(b->arena, graph->n_input, sizeof *inputs);
    if (!inputs)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < graph->n_input; i++) {
        adept_status status = declare_input(b, where, graph->input[i], &inputs[i]);
        if (status != ADEPT_OK)
            return status;
    }
    body->inputs = inputs;
    body->input_count = (int32_t)graph->n_input;
    return ADEPT_OK;
}

static void drop_inputs_with_values(const builder *b, adept_body *body) {
    adept_tensor_id *inputs = (adept_tensor_id *)(uintptr_t)body->inputs; /* still ours */
    int32_t kept = 0;
    for (int32_t i = 0; i < body->input_count; i++) {
        if (!b->tensors[inputs[i]].is_initializer)
            inputs[kept++] = inputs[i];
    }
    body->input_count = kept;
}

static adept_status find_outputs(builder *b, const scope *where, const pb_graph *graph, adept_body *body) {
    adept_tensor_id *outputs = adept_arena_array(b->arena, graph->n_output, sizeof *outputs);
    if (!outputs)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < graph->n_output; i++) {
        const char *name = text_or_empty(graph->output[i]->name);
        adept_status status = adept_scope_lookup(b, where, name, &outputs[i]);
        if (status != ADEPT_OK)
            return status;
        if (outputs[i] == UNDECLARED)
            return adept_fail(b->err, ADEPT_FORMAT,
                              "graph '%s': output '%s' is written by no node; re-export the model",
                              body->name, name);
    }
    body->outputs = outputs;
    body->output_count = (int32_t)graph->n_output;
    return ADEPT_OK;
}

/* --- order --- */

typedef struct dependencies {
    size_t *offsets; /* [node_count + 1] */
    int32_t *predecessors;
} dependencies;

static bool is_inner(const builder *b, const body_frame *frame, adept_tensor_id tensor) {
    return tensor >= 0 && b->tensors[tensor].body == frame->index && b->tensors[tensor].producer >= 0;
}

static bool list_dependencies(const builder *b, const body_frame *frame, dependencies *list) {
    size_t edges = (size_t)frame->edge_count, at = 0;
    int32_t captured = 0;
    for (int32_t i = 0; i < frame->node_count; i++)
        edges += (size_t)frame->nodes[i].input_count;
    list->offsets = calloc((size_t)frame->node_count + 1, sizeof *list->offsets);
    list->predecessors = calloc(edges + 1, sizeof *list->predecessors);
    if (!list->offsets || !list->predecessors)
        return false;
    for (int32_t i = 0; i < frame->node_count; i++) {
        const adept_node *node = &frame->nodes[i];
        for (int32_t k = 0; k < node->input_count; k++) {
            if (is_inner(b, frame, node->inputs[k]))
                list->predecessors[at++] = b->tensors[node->inputs[k]].producer;
        }
        for (; captured < frame->edge_count && frame->edges[captured].node == i; captured++) {
            if (is_inner(b, frame, frame->edges[captured].tensor))
                list->predecessors[at++] = b->tensors[frame->edges[captured].tensor].producer;
        }
        list->offsets[i + 1] = at;
    }
    return true;
}

static adept_status fail_cycle(builder *b, const body_frame *frame, const int32_t *cycle, int32_t length) {
    enum { SHOWN = 6 };
    char text[640];
    size_t at = 0;
    for (int32_t i = 0; i < length && i < SHOWN; i++) {
        const adept_node *node = &frame->nodes[cycle[i]];
        at += (size_t)snprintf(text + at, sizeof text - at, "'%.60s' (%.20s) -> ", node->name, node->op_type);
    }
    const char *gap = length > SHOWN ? "... -> " : "";
    return adept_fail(b->err, ADEPT_FORMAT, "%d node%s in a cycle: %s%s'%s'; re-export the model",
                      (int)length, length == 1 ? "" : "s", text, gap, frame->nodes[cycle[0]].name);
}

static adept_status permute_nodes(builder *b, body_frame *frame, const int32_t *order) {
    adept_node *sorted = malloc((size_t)frame->node_count * sizeof *sorted);
    if (!sorted)
        return adept_fail_memory(b->err);
    for (int32_t i = 0; i < frame->node_count; i++) {
        sorted[i] = frame->nodes[order[i]];
        for (int32_t k = 0; k < sorted[i].output_count; k++) {
            if (sorted[i].outputs[k] >= 0)
                b->tensors[sorted[i].outputs[k]].producer = i;
        }
    }
    free(frame->nodes);
    frame->nodes = sorted;
    frame->node_capacity = frame->node_count;
    return adept_builder_warn(b, "nodes are not in topological order; sorted");
}

static adept_status sort_nodes(builder *b, body_frame *frame) {
    if (!frame->unsorted)
        return ADEPT_OK;
    dependencies list = {NULL, NULL};
    int32_t *order = calloc((size_t)frame->node_count, sizeof *order);
    int32_t *cycle = calloc((size_t)frame->node_count, sizeof *cycle), cycle_length = 0;
    adept_status status = ADEPT_NOMEM;
    if (order && cycle && list_dependencies(b, frame, &list))
        status = adept_topological_order(frame->node_count, list.offsets, list.predecessors, order, cycle,
                                         &cycle_length);
    if (status == ADEPT_OK)
        status = permute_nodes(b, frame, order);
    else if (status == ADEPT_FORMAT)
        status = fail_cycle(b, frame, cycle, cycle_length);
    else
        status = adept_fail_memory(b->err);
    free(list.offsets);
    free(list.predecessors);
    free(order);
    free(cycle);
    return status;
}

/* --- the whole --- */

static adept_status fill_body(builder *b, scope *where, const pb_graph *graph, adept_body *body) {
    adept_status status = find_inputs(b, where, graph, body);
    if (status == ADEPT_OK)
        status = declare_initializers(b, where, graph);
    if (status == ADEPT_OK)
        status = adept_build_nodes(b, where, (const pb_node *const *)graph->node, graph->n_node);
    if (status == ADEPT_OK)
        status = declare_types(b, where, graph->output, graph->n_output);
    if (status == ADEPT_OK)
        status = declare_types(b, where, graph->value_info, graph->n_value_info);
    if (status == ADEPT_OK)
        status = find_outputs(b, where, graph, body);
    if (status == ADEPT_OK)
        status = sort_nodes(b, where->frame);
    if (status == ADEPT_OK && where->is_main)
        drop_inputs_with_values(b, body);
    return status;
}

static adept_status keep_frame(builder *b, const body_frame *frame, adept_body *body) {
    body->node_count = frame->node_count;
    body->nodes = adept_arena_copy(b->arena, frame->nodes, (size_t)frame->node_count * sizeof *frame->nodes);
    body->capture_count = frame->capture_count;
    body->captures =
        adept_arena_copy(b->arena, frame->captures, (size_t)frame->capture_count * sizeof *frame->captures);
    return body->nodes && body->captures ? ADEPT_OK : adept_fail_memory(b->err);
}

adept_status adept_build_body(builder *b, const scope *parent, const pb_graph *graph,
                              const adept_body **out) {
    adept_body *body = adept_arena_alloc(b->arena, sizeof *body);
    if (!body ||
        !adept_builder_grow((void **)&b->bodies, b->body_count, &b->body_capacity, sizeof *b->bodies))
        return adept_fail_memory(b->err);
    body->index = b->body_count;
    body->name = adept_arena_string(b->arena, text_or_empty(graph->name));
    b->bodies[b->body_count++] = body;
    body_frame collected = {.index = body->index, .serial = ++b->next_serial};
    scope inside = {.is_main = !parent, .frame = &collected, .opsets = &b->opsets, .path = "", .module = ""};
    adept_scope_open(b, &inside, parent, false);
    if (parent) {
        inside.opsets = parent->opsets;
        inside.arguments = parent->arguments;
        inside.argument_count = parent->argument_count;
        inside.path = parent->path;
        inside.module = parent->module;
    }
    adept_status status = body->name ? fill_body(b, &inside, graph, body) : adept_fail_memory(b->err);
    if (status == ADEPT_OK)
        status = keep_frame(b, &collected, body);
    adept_scope_close(b, &inside);
    free(collected.nodes);
    free(collected.edges);
    free(collected.captures);
    *out = body;
    return status;
}
