/* Local functions: checked for recursion and growth first, then inlined call by call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "fail.h"

/* --- the list --- */

/* Writes domain, name and overload, with lengths so that no two keys agree by chance, to b->key. */
static adept_status make_key(builder *b, const char *domain, const char *name, const char *overload) {
    size_t needed = strlen(domain) + strlen(name) + strlen(overload) + 48;
    if (needed > b->key_capacity) {
        char *key = realloc(b->key, 2 * needed);
        if (!key)
            return adept_fail_memory(b->err);
        b->key = key;
        b->key_capacity = 2 * needed;
    }
    snprintf(b->key, b->key_capacity, "%zu %zu %s%s%s", strlen(domain), strlen(name), domain, name, overload);
    return ADEPT_OK;
}

static adept_status find_entry(builder *b, const char *domain, const char *name, const char *overload,
                               function_entry **out) {
    adept_status status = make_key(b, domain, name, overload);
    int32_t index = status == ADEPT_OK ? adept_string_map_get(&b->function_index, b->key, -1) : -1;
    *out = index >= 0 ? &b->functions[index] : NULL;
    return status;
}

adept_status adept_build_find_function(builder *b, const pb_node *node, function_entry **out) {
    *out = NULL;
    if (b->function_count == 0)
        return ADEPT_OK;
    return find_entry(b, adept_build_domain(node->domain), text_or_empty(node->op_type),
                      text_or_empty(node->overload), out);
}

static adept_status list_function(builder *b, const pb_function *function) {
    const char *name = text_or_empty(function->name), *domain = adept_build_domain(function->domain);
    function_entry *entry;
    adept_status status = find_entry(b, domain, name, text_or_empty(function->overload), &entry);
    if (status != ADEPT_OK)
        return status;
    if (entry)
        return adept_fail(b->err, ADEPT_FORMAT, "defines local function '%s::%s' twice", domain, name);
    entry = &b->functions[b->function_count];
    *entry = (function_entry){.function = function, .domain = domain};
    entry->opsets.parent = &b->opsets;
    const char *key = adept_arena_string(b->arena, b->key);
    if (!key || !adept_string_map_put(&b->function_index, key, b->function_count++) ||
        !adept_string_map_put(&b->function_domains, domain, 1))
        return adept_fail_memory(b->err);
    status = adept_build_opsets(b, &entry->opsets, (const pb_opset_import *const *)function->opset_import,
                                function->n_opset_import);
    return status == ADEPT_OK ? status
                              : adept_fail_at(b->err, status, "local function '%s::%s'", domain, name);
}

static adept_status list_functions(builder *b, const pb_model *model) {
    if (model->n_functions > INT32_MAX / 2)
        return adept_fail(b->err, ADEPT_LIMIT, "has %zu local functions", model->n_functions);
    b->functions = calloc(model->n_functions + 1, sizeof *b->functions);
    if (!b->functions)
        return adept_fail_memory(b->err);
    for (size_t i = 0; i < model->n_functions; i++) {
        adept_status status = list_function(b, model->functions[i]);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

/* --- how many nodes come out, before a single one is made --- */

typedef struct extent {
    int64_t nodes, inlined; /* inlined: those inside of calls */
    int32_t height;         /* levels of calls and subgraphs */
} extent;

static adept_status count_nodes(builder *b, const pb_node *const *nodes, size_t count, int32_t caller,
                                int32_t depth, extent *total);

/* "l::h -> l::f -> l::h", following the callers back from the function that closes the circle. */
static adept_status fail_recursive(builder *b, int32_t from, int32_t to) {
    char chain[600] = "", longer[600];
    int32_t length = 0;
    for (int32_t i = from; i >= 0 && length < 8; i = b->functions[i].caller, length++) {
        const function_entry *entry = &b->functions[i];
        snprintf(longer, sizeof longer, "%.40s::%.60s -> %.480s", entry->domain,
                 text_or_empty(entry->function->name), chain);
        memcpy(chain, longer, sizeof chain);
        if (i == to)
            break;
    }
    return adept_fail(b->err, ADEPT_FORMAT, "local functions call each other in a circle: %s%s::%s", chain,
                      b->functions[to].domain, text_or_empty(b->functions[to].function->name));
}

static adept_status fail_depth(builder *b) {
    return adept_fail(b->err, ADEPT_LIMIT, "calls of local functions and subgraphs nest more than %d deep",
                      CALL_DEPTH_LIMIT);
}

static adept_status count_function(builder *b, function_entry *entry, int32_t caller, int32_t depth) {
    int32_t index = (int32_t)(entry - b->functions);
    if (entry->state == BEING_COUNTED)
        return fail_recursive(b, caller, index);
    if (entry->state == COUNTED)
        return depth + entry->height > CALL_DEPTH_LIMIT ? fail_depth(b) : ADEPT_OK;
    entry->state = BEING_COUNTED;
    entry->caller = caller;
    extent inside = {0, 0, 0};
    adept_status status = count_nodes(b, (const pb_node *const *)entry->function->node,
                                      entry->function->n_node, index, depth, &inside);
    entry->state = COUNTED;
    entry->nodes = inside.nodes;
    entry->height = inside.height;
    return status;
}

static adept_status count_subgraph(builder *b, const pb_graph *graph, int32_t caller, int32_t depth,
                                   extent *total) {
    extent inside = {0, 0, 0};
    adept_status status =
        count_nodes(b, (const pb_node *const *)graph->node, graph->n_node, caller, depth, &inside);
    total->nodes += inside.nodes;
    total->inlined += inside.inlined;
    if (total->height < inside.height + 1)
        total->height = inside.height + 1;
    return status;
}

static adept_status count_call(builder *b, function_entry *entry, int32_t caller, int32_t depth,
                               extent *total) {
    adept_status status = count_function(b, entry, caller, depth);
    if (status != ADEPT_OK)
        return status;
    total->nodes += entry->nodes;
    total->inlined += entry->nodes + 1;
    if (total->height < entry->height + 1)
        total->height = entry->height + 1;
    if (total->inlined > INLINED_LIMIT || total->nodes > INT32_MAX / 4)
        return adept_fail(b->err, ADEPT_LIMIT, "local function '%s::%s' and others make more than %d nodes",
                          entry->domain, text_or_empty(entry->function->name), INLINED_LIMIT);
    return ADEPT_OK;
}

static adept_status count_nodes(builder *b, const pb_node *const *nodes, size_t count, int32_t caller,
                                int32_t depth, extent *total) {
    if (depth >= CALL_DEPTH_LIMIT)
        return fail_depth(b);
    for (size_t i = 0; i < count; i++) {
        function_entry *entry;
        adept_status status = adept_build_find_function(b, nodes[i], &entry);
        total->nodes++;
        if (entry)
            status = count_call(b, entry, caller, depth + 1, total);
        for (size_t a = 0; a < nodes[i]->n_attribute && status == ADEPT_OK; a++) {
            const pb_attribute *attribute = nodes[i]->attribute[a];
            if (attribute->g)
                status = count_subgraph(b, attribute->g, caller, depth + 1, total);
        }
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

adept_status adept_build_functions(builder *b, const pb_model *model, int64_t *inlined_nodes) {
    *inlined_nodes = 0;
    if (model->n_functions == 0)
        return ADEPT_OK;
    adept_status status = list_functions(b, model);
    extent total = {0, 0, 0};
    if (status == ADEPT_OK)
        status =
            count_nodes(b, (const pb_node *const *)model->graph->node, model->graph->n_node, -1, 0, &total);
    *inlined_nodes = total.inlined;
    return status;
}

/* --- inlining --- */

/* The attributes of the call, then the defaults of those it leaves out. */
static adept_status bind_arguments(builder *b, scope *inside, const pb_function *function,
                                   const adept_node *call) {
    size_t count = (size_t)call->attribute_count + function->n_attribute_proto;
    adept_attribute *arguments = adept_arena_array(b->arena, count, sizeof *arguments);
    const adept_attribute *defaults;
    int32_t default_count;
    adept_status status =
        adept_build_attributes(b, inside, (const pb_attribute *const *)function->attribute_proto,
                               function->n_attribute_proto, &defaults, &default_count);
    if (status != ADEPT_OK || !arguments)
        return status != ADEPT_OK ? status : adept_fail_memory(b->err);
    int32_t bound = 0;
    for (int32_t i = 0; i < call->attribute_count; i++)
        arguments[bound++] = call->attributes[i];
    for (int32_t i = 0; i < default_count; i++) {
        if (!adept_node_attribute(call, defaults[i].name))
            arguments[bound++] = defaults[i];
    }
    inside->arguments = arguments;
    inside->argument_count = bound;
    return ADEPT_OK;
}

/* Formal inputs become other names of the call's tensors; those left out are known to be absent. */
static adept_status bind_inputs(builder *b, scope *inside, const pb_function *function,
                                const adept_node *call) {
    adept_status status = ADEPT_OK;
    for (size_t i = 0; i < function->n_input && status == ADEPT_OK; i++) {
        if (adept_scope_own(b, inside, function->input[i]) != UNDECLARED)
            return adept_fail(b->err, ADEPT_FORMAT, "local function '%s' has two inputs '%s'",
                              text_or_empty(function->name), function->input[i]);
        adept_tensor_id actual = i < (size_t)call->input_count ? call->inputs[i] : ADEPT_NO_TENSOR;
        status = adept_scope_declare(b, inside, function->input[i], actual < 0 ? ABSENT : actual);
    }
    return status;
}

/* Formal outputs too, unless they are inputs handed through or the call does not want them. */
static adept_status bind_outputs(builder *b, scope *inside, const pb_function *function,
                                 const adept_node *call) {
    inside->output_written = calloc(function->n_output + 1, sizeof *inside->output_written);
    if (!inside->output_written)
        return adept_fail_memory(b->err);
    adept_status status = ADEPT_OK;
    for (int32_t i = 0; i < call->output_count && status == ADEPT_OK; i++) {
        const char *name = function->output[i];
        if (call->outputs[i] < 0 || adept_scope_own(b, inside, name) != UNDECLARED)
            continue;
        if (!adept_string_map_put(&inside->outputs, name, i))
            return adept_fail_memory(b->err);
        status = adept_scope_declare(b, inside, name, call->outputs[i]);
    }
    return status;
}

static adept_status bind_tensors(builder *b, scope *inside, const pb_function *function,
                                 const adept_node *call) {
    if ((size_t)call->input_count > function->n_input || (size_t)call->output_count > function->n_output)
        return adept_fail(b->err, ADEPT_FORMAT,
                          "has %d inputs and %d outputs, local function '%s' has %zu and %zu",
                          (int)call->input_count, (int)call->output_count, text_or_empty(function->name),
                          function->n_input, function->n_output);
    adept_status status = bind_inputs(b, inside, function, call);
    return status == ADEPT_OK ? bind_outputs(b, inside, function, call) : status;
}

/* An output that no node writes is an input handed through, or a fault. */
static adept_status finish_outputs(builder *b, const scope *inside, const pb_function *function,
                                   const adept_node *call) {
    for (int32_t i = 0; i < call->output_count; i++) {
        if (call->outputs[i] == ADEPT_NO_TENSOR || inside->output_written[i])
            continue;
        adept_tensor_id source = adept_scope_own(b, inside, function->output[i]);
        if (source < 0 || source == call->outputs[i])
            return adept_fail(b->err, ADEPT_FORMAT, "local function '%s' never writes its output '%s'",
                              text_or_empty(function->name), function->output[i]);
        adept_node identity = *call;
        adept_tensor_id *ends = adept_arena_array(b->arena, 2, sizeof *ends);
        identity.op_type = adept_builder_intern(b, "Identity");
        identity.domain = adept_builder_intern(b, "");
        if (!ends || !identity.op_type || !identity.domain)
            return adept_fail_memory(b->err);
        ends[0] = source;
        ends[1] = call->outputs[i];
        identity.opset = adept_build_opset_version(inside->opsets, "");
        identity.inputs = &ends[0];
        identity.outputs = &ends[1];
        identity.input_count = identity.output_count = 1;
        identity.attribute_count = 0;
        adept_status status = adept_build_append(b, inside, &identity);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

/* Types that the function declares for its inner tensors. */
static adept_status declare_types(builder *b, const scope *inside, const pb_function *function) {
    for (size_t i = 0; i < function->n_value_info; i++) {
        const pb_value_info *info = function->value_info[i];
        adept_tensor_id id = adept_scope_own(b, inside, text_or_empty(info->name));
        if (id < 0 || !info->type || b->tensors[id].declared)
            continue;
        adept_status status = adept_build_type(b, info->type, &b->tensors[id].declared);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

/* Module of the nodes inside: that of the call if the file tells one, else the call itself. */
static const char *module_inside(builder *b, const scope *where, const adept_node *call, const char *label) {
    if (strcmp(call->module, where->module) != 0)
        return call->module;
    return adept_builder_join(b, where->module, '.', label);
}

adept_status adept_build_call(builder *b, const scope *where, function_entry *entry, const adept_node *call,
                              const char *label) {
    const pb_function *function = entry->function;
    scope inside = {.frame = where->frame, .opsets = &entry->opsets, .function = function};
    adept_scope_open(b, &inside, where, true);
    inside.path = call->name;
    inside.module = module_inside(b, where, call, label);
    if (!inside.module)
        return adept_fail_memory(b->err);
    adept_status status = bind_tensors(b, &inside, function, call);
    if (status == ADEPT_OK)
        status = bind_arguments(b, &inside, function, call);
    if (status == ADEPT_OK)
        status = adept_build_nodes(b, &inside, (const pb_node *const *)function->node, function->n_node);
    if (status == ADEPT_OK)
        status = declare_types(b, &inside, function);
    if (status == ADEPT_OK)
        status = finish_outputs(b, &inside, function, call);
    free(inside.output_written);
    adept_string_map_clear(&inside.outputs);
    adept_scope_close(b, &inside);
    return status;
}
