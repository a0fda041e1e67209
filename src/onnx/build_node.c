/* Nodes of a body or of an inlined function. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "fail.h"
#include "module_path.h"

/* "'conv1' (Conv)", or "'Conv_3' (Conv)" of a node without name, for messages. */
typedef struct node_title {
    char text[240];
} node_title;

static node_title title_of(const pb_node *const *nodes, int32_t ordinal) {
    node_title title;
    const pb_node *node = nodes[ordinal];
    const char *name = text_or_empty(node->name), *op_type = text_or_empty(node->op_type);
    if (name[0])
        snprintf(title.text, sizeof title.text, "'%.160s' (%.60s)", name, op_type);
    else
        snprintf(title.text, sizeof title.text, "'%.80s_%d' (%.60s)", op_type, (int)ordinal, op_type);
    return title;
}

/* --- outputs --- */

/* A name that is there already: fine only for an output of the function, written for the first time. */
static adept_status claim_existing(builder *b, scope *where, const pb_node *const *nodes, int32_t ordinal,
                                   const char *name, adept_tensor_id existing) {
    int32_t output = adept_string_map_get(&where->outputs, name, -1);
    if (output >= 0 && !where->output_written[output]) {
        where->output_written[output] = true;
        b->tensors[existing].producer = PENDING(ordinal);
        return ADEPT_OK;
    }
    /* Inside of functions the number may be that of a node of the caller. */
    int32_t producer = existing >= 0 && !where->function ? b->tensors[existing].producer : -1;
    if (IS_PENDING(producer))
        return adept_fail(b->err, ADEPT_FORMAT, "nodes %s and %s both write tensor '%s'; re-export the model",
                          title_of(nodes, PENDING_ORDINAL(producer)).text, title_of(nodes, ordinal).text,
                          name);
    return adept_fail(b->err, ADEPT_FORMAT,
                      "node %s writes '%s', which is an input or initializer; re-export the model",
                      title_of(nodes, ordinal).text, name);
}

static adept_status declare_output(builder *b, scope *where, const pb_node *const *nodes, int32_t ordinal,
                                   const char *name, adept_tensor_id *id) {
    *id = ADEPT_NO_TENSOR;
    if (!name[0])
        return ADEPT_OK;
    *id = adept_scope_own(b, where, name);
    if (*id != UNDECLARED)
        return claim_existing(b, where, nodes, ordinal, name, *id);
    adept_status status = adept_builder_tensor(b, where, name, id);
    if (status != ADEPT_OK)
        return status;
    b->tensors[*id].producer = PENDING(ordinal);
    return adept_scope_declare(b, where, name, *id);
}

/* outputs: the numbers of the tensors that the node writes. */
static adept_status declare_outputs(builder *b, scope *where, const pb_node *const *nodes, int32_t ordinal,
                                    const adept_tensor_id **outputs) {
    const pb_node *node = nodes[ordinal];
    adept_tensor_id *ids = adept_arena_array(b->arena, node->n_output, sizeof *ids);
    *outputs = ids;
    if (!ids)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < node->n_output; i++) {
        adept_status status = declare_output(b, where, nodes, ordinal, node->output[i], &ids[i]);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

/* --- the node itself --- */

static adept_status resolve_inputs(builder *b, const scope *where, const pb_node *node, adept_node *built) {
    adept_tensor_id *inputs = adept_arena_array(b->arena, node->n_input, sizeof *inputs);
    if (!inputs)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < node->n_input; i++) {
        adept_tensor_id id;
        inputs[i] = ADEPT_NO_TENSOR;
        if (!node->input[i][0])
            continue;
        adept_status status = adept_scope_lookup(b, where, node->input[i], &id);
        if (status != ADEPT_OK)
            return status;
        if (id == UNDECLARED)
            return adept_fail(b->err, ADEPT_FORMAT,
                              "input '%s' is written by no node and is no input or initializer; re-export "
                              "the model",
                              node->input[i]);
        inputs[i] = id == ABSENT ? ADEPT_NO_TENSOR : id;
    }
    built->inputs = inputs;
    built->input_count = (int32_t)node->n_input;
    return ADEPT_OK;
}

static const char *metadata(const pb_node *node, const char *key) {
    for (size_t i = 0; i < node->n_metadata_props; i++) {
        if (strcmp(text_or_empty(node->metadata_props[i]->key), key) == 0)
            return text_or_empty(node->metadata_props[i]->value);
    }
    return NULL;
}

/* label: the name within this list of nodes. */
static adept_status name_node(builder *b, const scope *where, const pb_node *node, int32_t ordinal,
                              adept_node *built, const char **label) {
    const char *own = text_or_empty(node->name);
    *label = own[0] ? own : adept_arena_format(b->arena, "%s_%d", built->op_type, (int)ordinal);
    if (!*label)
        return adept_fail_memory(b->err);
    built->name = adept_builder_join(b, where->path, '/', *label);
    const char *module = adept_module_path(b->arena, metadata(node, "pkg.torch.onnx.name_scopes"),
                                           metadata(node, "namespace"), own);
    built->module = module && where->module[0] ? adept_builder_join(b, where->module, '.', module) : module;
    const char *classes = metadata(node, "pkg.torch.onnx.class_hierarchy");
    const char *rules = metadata(node, "pkg.onnxscript.rewriter.rule_name");
    built->class_hierarchy = classes ? adept_arena_string(b->arena, classes) : NULL;
    built->rule_names = rules ? adept_arena_string(b->arena, rules) : NULL;
    bool complete =
        built->name && built->module && (!classes || built->class_hierarchy) && (!rules || built->rule_names);
    return complete ? ADEPT_OK : adept_fail_memory(b->err);
}

/*
 * Operators of unknown domains are left to the later rooms, which list them as unknown. A call of a
 * function that the file lacks looks the same; it is told by its domain: one of the file's own
 * functions, or one that no operator library would bear (the standard asks those for reverse domain
 * names such as com.example).
 */
static bool is_missing_function(const builder *b, const char *domain) {
    static const char *const libraries[] = {"custom", "custom_domain", "mmcv", "mmdeploy", "TRT", "trt"};
    if (!domain[0])
        return false;
    if (adept_string_map_get(&b->function_domains, domain, 0))
        return true;
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        if (strcmp(domain, libraries[i]) == 0)
            return false;
    }
    return strchr(domain, '.') == NULL;
}

static adept_status check_operator(builder *b, const function_entry *called, const adept_node *built) {
    if (called)
        return ADEPT_OK;
    if (!built->opset)
        return adept_fail(b->err, ADEPT_FORMAT,
                          "belongs to domain '%s', of which the file imports no version; re-export the model",
                          built->domain[0] ? built->domain : "ai.onnx");
    if (is_missing_function(b, built->domain))
        return adept_fail(
            b->err, ADEPT_FORMAT,
            "calls local function '%s::%s', which the file does not define; re-export the model",
            built->domain, built->op_type);
    return ADEPT_OK;
}

static adept_status build_node(builder *b, const scope *where, const pb_node *node, int32_t ordinal,
                               const adept_tensor_id *outputs) {
    adept_node built = {.op_type = adept_builder_intern(b, text_or_empty(node->op_type)),
                        .domain = adept_builder_intern(b, adept_build_domain(node->domain)),
                        .outputs = outputs,
                        .output_count = (int32_t)node->n_output};
    if (!built.op_type || !built.domain)
        return adept_fail_memory(b->err);
    if (!built.op_type[0])
        return adept_fail(b->err, ADEPT_FORMAT, "has no operator type; re-export the model");
    const char *label = "";
    function_entry *called;
    adept_status status = adept_build_find_function(b, node, &called);
    built.opset = adept_build_opset_version(where->opsets, built.domain);
    if (status == ADEPT_OK)
        status = check_operator(b, called, &built);
    if (status == ADEPT_OK)
        status = name_node(b, where, node, ordinal, &built, &label);
    if (status == ADEPT_OK)
        status = resolve_inputs(b, where, node, &built);
    if (status == ADEPT_OK)
        status = adept_build_attributes(b, where, (const pb_attribute *const *)node->attribute,
                                        node->n_attribute, &built.attributes, &built.attribute_count);
    if (status != ADEPT_OK)
        return status;
    return called ? adept_build_call(b, where, called, &built, label) : adept_build_append(b, where, &built);
}

/* --- collecting --- */

static void note_order(const builder *b, body_frame *frame, adept_tensor_id used) {
    if (used >= 0 && b->tensors[used].body == frame->index && IS_PENDING(b->tensors[used].producer))
        frame->unsorted = true;
}

static adept_status add_captured(builder *b, body_frame *frame, adept_tensor_id tensor) {
    if (b->tensors[tensor].body != frame->index)
        return adept_builder_capture(b, frame, tensor); /* belongs further out */
    note_order(b, frame, tensor);
    if (frame->edge_count >= EDGE_LIMIT)
        return adept_fail(b->err, ADEPT_LIMIT, "subgraphs use outer tensors more than %d times", EDGE_LIMIT);
    if (!adept_builder_grow((void **)&frame->edges, frame->edge_count, &frame->edge_capacity,
                            sizeof *frame->edges))
        return adept_fail_memory(b->err);
    frame->edges[frame->edge_count++] = (captured_edge){frame->node_count, tensor};
    return ADEPT_OK;
}

/* Outer tensors that a subgraph of the next node uses; body NULL: the attribute is no graph. */
static adept_status add_captures(builder *b, body_frame *frame, const adept_body *body) {
    adept_status status = ADEPT_OK;
    for (int32_t i = 0; body && i < body->capture_count && status == ADEPT_OK; i++)
        status = add_captured(b, frame, body->captures[i]);
    return status;
}

static adept_status find_value(builder *b, const adept_node *node) {
    if (node->output_count < 1 || node->outputs[0] < 0 || node->domain[0] ||
        strcmp(node->op_type, "Constant") != 0)
        return ADEPT_OK;
    return adept_build_node_constant(b, node, &b->tensors[node->outputs[0]].constant);
}

adept_status adept_build_append(builder *b, const scope *where, const adept_node *node) {
    body_frame *frame = where->frame;
    if (!adept_builder_grow((void **)&frame->nodes, frame->node_count, &frame->node_capacity,
                            sizeof *frame->nodes))
        return adept_fail_memory(b->err);
    for (int32_t i = 0; i < node->input_count; i++)
        note_order(b, frame, node->inputs[i]);
    for (int32_t i = 0; i < node->attribute_count; i++) {
        adept_status status = add_captures(b, frame, node->attributes[i].body);
        if (status != ADEPT_OK)
            return status;
    }
    for (int32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] >= 0)
            b->tensors[node->outputs[i]].producer = frame->node_count;
    }
    frame->nodes[frame->node_count++] = *node;
    return find_value(b, node);
}

/* Names the node, and those around it, but not so many that the reason itself is cut off. */
static adept_status fail_in_node(const builder *b, adept_status status, const pb_node *const *nodes,
                                 int32_t ordinal) {
    if (!b->err || strlen(b->err->message) > 500)
        return status;
    return adept_fail_at(b->err, status, "node %s", title_of(nodes, ordinal).text);
}

/* Names first, so that a node may stand before the one whose output it reads. */
static adept_status build_all(builder *b, scope *where, const pb_node *const *nodes, int32_t count,
                              const adept_tensor_id **outputs) {
    for (int32_t i = 0; i < count; i++) {
        adept_status status = declare_outputs(b, where, nodes, i, &outputs[i]);
        if (status != ADEPT_OK)
            return status;
    }
    for (int32_t i = 0; i < count; i++) {
        adept_status status = build_node(b, where, nodes[i], i, outputs[i]);
        if (status != ADEPT_OK)
            return fail_in_node(b, status, nodes, i);
    }
    return ADEPT_OK;
}

adept_status adept_build_nodes(builder *b, scope *where, const pb_node *const *nodes, size_t count) {
    if (count > INT32_MAX / 4)
        return adept_fail(b->err, ADEPT_LIMIT, "has %zu nodes", count);
    const adept_tensor_id **outputs = calloc(count + 1, sizeof *outputs);
    if (!outputs)
        return adept_fail_memory(b->err);
    adept_status status = build_all(b, where, nodes, (int32_t)count, outputs);
    free((void *)outputs);
    return status;
}
