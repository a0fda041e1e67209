#include "infer_engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "checked.h"
#include "control_flow.h"

bool adept_grow(adept_arena *arena, void **items, int32_t count, int32_t *capacity, size_t size_B) {
    int32_t larger = *capacity ? *capacity * 2 : 16;
    void *copy = adept_arena_array(arena, (size_t)larger, size_B);
    if (!copy)
        return false;
    if (count)
        memcpy(copy, *items, (size_t)count * size_B);
    *items = copy;
    *capacity = larger;
    return true;
}

int64_t adept_shape_elements(const adept_shape *shape) {
    int64_t elements;
    if (!shape || shape->rank < 0 || !adept_elements(shape->dims, shape->rank, &elements))
        return 0;
    return elements;
}

bool adept_engine_same_shape(const adept_shape *a, const adept_shape *b) {
    for (;;) {
        if (a->kind != b->kind || a->dtype != b->dtype || a->rank != b->rank || a->length != b->length)
            return false;
        for (int32_t i = 0; i < a->rank; i++) {
            if (a->dims[i] != b->dims[i])
                return false;
        }
        if (!a->element || !b->element)
            return a->element == b->element;
        a = a->element;
        b = b->element;
    }
}

/* --- notes, assumptions, trials --- */

void adept_engine_note(adept_engine *engine, const char *format, ...) {
    if (engine->note_count >= ADEPT_NOTE_LIMIT) {
        engine->notes_left_out++;
        return;
    }
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    for (char *c = message; *c; c++) { /* names come from the file */
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    }
    const char *note = adept_arena_string(engine->arena, message);
    if (note && ADEPT_GROW(engine, engine->notes, engine->note_count, engine->note_capacity))
        engine->notes[engine->note_count++] = note;
}

static int32_t recorded_assumption(const adept_engine *engine, const char *symbol) {
    int32_t index = adept_string_map_get(&engine->assumption_by_symbol, symbol, -1);
    bool valid = index >= 0 && index < engine->assumption_count &&
                 strcmp(engine->assumptions[index].symbol, symbol) == 0;
    return valid ? index : -1;
}

/* Index of the assumption to replace, -1 for a new one; the symbol may get a number behind it. */
static int32_t assumption_slot(adept_engine *engine, const char **symbol, const void *owner) {
    enum { NAMESAKES = 64 }; /* more nodes of one name share a symbol */
    const char *base = *symbol;
    int32_t index = recorded_assumption(engine, base);
    for (int number = 2; index >= 0 && owner && engine->assumption_owners[index] != owner; number++) {
        if (number > NAMESAKES)
            return index;
        *symbol = adept_arena_format(engine->arena, "%s_%d", base, number);
        if (!*symbol)
            return -1;
        index = recorded_assumption(engine, *symbol);
    }
    return index;
}

adept_status adept_engine_assume(adept_engine *engine, adept_assumption *assumption, const void *owner) {
    int32_t index = assumption_slot(engine, &assumption->symbol, owner);
    if (!assumption->symbol)
        return adept_fail_memory(engine->err);
    if (adept_symbols_given(&engine->symbols, assumption->symbol, &assumption->value))
        assumption->certainty = ADEPT_EXACT;
    if (index < 0) {
        index = engine->assumption_count;
        if (!ADEPT_GROW(engine, engine->assumptions, index, engine->assumption_capacity) ||
            !ADEPT_GROW(engine, engine->assumption_owners, index, engine->owner_capacity) ||
            !adept_string_map_put(&engine->assumption_by_symbol, assumption->symbol, index))
            return adept_fail_memory(engine->err);
        engine->assumption_count++;
    }
    engine->assumptions[index] = *assumption;
    engine->assumption_owners[index] = owner;
    return ADEPT_OK;
}

adept_trial adept_engine_trial(adept_engine *engine) {
    engine->trials++;
    return (adept_trial){engine->assumption_count, engine->note_count, engine->notes_left_out,
                         engine->undo_count, engine->inexact};
}

void adept_engine_keep(adept_engine *engine, const adept_trial *trial) {
    engine->trials--;
    if (engine->trials == 0)
        engine->undo_count = 0;
    (void)trial;
}

void adept_engine_rollback(adept_engine *engine, const adept_trial *trial) {
    engine->trials--;
    engine->assumption_count = trial->assumption_count;
    engine->note_count = trial->note_count;
    engine->notes_left_out = trial->notes_left_out;
    engine->inexact = trial->inexact;
    while (engine->undo_count > trial->undo_count) {
        const adept_visit_undo *undo = &engine->undo[--engine->undo_count];
        engine->bodies[undo->body].visits = undo->visits;
        engine->bodies[undo->body].repeats = undo->repeats;
    }
}

static bool remember_visits(adept_engine *engine, int32_t body) {
    if (engine->trials == 0)
        return true;
    if (!ADEPT_GROW(engine, engine->undo, engine->undo_count, engine->undo_capacity))
        return false;
    engine->undo[engine->undo_count++] =
        (adept_visit_undo){body, engine->bodies[body].visits, engine->bodies[body].repeats};
    return true;
}

/* Bodies are listed when first reached, so that parents come before children. */
static void reach_body(adept_engine *engine, int32_t body, int32_t parent) {
    if (engine->bodies[body].parent >= 0)
        return;
    engine->bodies[body].parent = parent;
    engine->body_order[engine->body_order_count++] = body;
}

/* --- values --- */

adept_status adept_engine_value(adept_engine *engine, adept_tensor_id id, const adept_value **value) {
    adept_shape *shape = &engine->shapes->tensors[id];
    const adept_constant *constant = engine->graph->tensors[id].constant;
    *value = shape->value;
    if (shape->value || !constant || (engine->tensor_flags[id] & ADEPT_TENSOR_VALUE_TRIED))
        return ADEPT_OK;
    engine->tensor_flags[id] |= ADEPT_TENSOR_VALUE_TRIED;
    if (constant->elements > ADEPT_VALUE_LIMIT || constant->payload == ADEPT_PAYLOAD_SPARSE ||
        constant->dtype == ADEPT_DTYPE_STRING)
        return ADEPT_OK;
    adept_value *read = adept_arena_alloc(engine->arena, sizeof *read);
    if (!read)
        return adept_fail_memory(engine->err);
    adept_error why = ADEPT_ERROR_INIT;
    adept_status status =
        adept_constant_read(engine->graph, constant, engine->arena, &read->ints, &read->reals, &why);
    if (status == ADEPT_FORMAT || status == ADEPT_NOMEM)
        return adept_fail(engine->err, status, "%s", why.message);
    if (status != ADEPT_OK) {
        engine->unreadable = adept_arena_format(engine->arena, "the numbers of '%s' cannot be read: %s",
                                                engine->graph->tensors[id].name, why.message);
        return ADEPT_OK;
    }
    read->count = constant->elements;
    if (!read->ints && !read->reals && read->count > 0)
        return ADEPT_OK;
    static const int64_t nothing[1] = {0};
    if (!read->ints && !read->reals)
        read->ints = nothing;
    shape->value = *value = read;
    return ADEPT_OK;
}

/* --- declared types --- */

static adept_status resolve_dim(adept_engine *engine, const adept_dim *dim, const char *tensor, int32_t axis,
                                const char *node, int64_t *value, adept_certainty *certainty) {
    adept_evaluation evaluation = adept_symbols_dim(&engine->symbols, dim, tensor, axis, value);
    if (evaluation == ADEPT_EVALUATED)
        return ADEPT_OK;
    const char *name = evaluation == ADEPT_EVALUATION_FREE
                           ? adept_symbols_free_name(&engine->symbols, dim, tensor, axis)
                           : dim->symbol;
    if (!name)
        return adept_fail_memory(engine->err);
    adept_assumption assumption = {
        .symbol = name,
        .value = 1,
        .certainty = ADEPT_ASSUMED,
        .node = node,
        .reason = "nothing tells the size of this dimension of the file's own shape information"};
    adept_status status = adept_engine_assume(engine, &assumption, NULL);
    *value = assumption.value;
    *certainty = adept_worst(*certainty, assumption.certainty);
    return status;
}

adept_status adept_engine_resolve(adept_engine *engine, const adept_type *type, const char *tensor,
                                  const char *node, adept_shape *out) {
    *out = (adept_shape){.kind = type->kind, .dtype = type->dtype, .rank = -1, .length = -1};
    if (type->element && type->kind != ADEPT_TYPE_MAP) {
        adept_shape *element = adept_arena_alloc(engine->arena, sizeof *element);
        if (!element)
            return adept_fail_memory(engine->err);
        adept_status status = adept_engine_resolve(engine, type->element, tensor, node, element);
        out->element = element;
        out->dtype = element->dtype;
        out->certainty = element->certainty;
        return status;
    }
    bool tensor_kind = type->kind == ADEPT_TYPE_TENSOR || type->kind == ADEPT_TYPE_SPARSE_TENSOR;
    if (!tensor_kind || type->rank < 0) {
        out->certainty = tensor_kind || type->kind == ADEPT_TYPE_UNKNOWN ? ADEPT_UNKNOWN : ADEPT_EXACT;
        return ADEPT_OK;
    }
    int64_t *dims = adept_arena_array(engine->arena, (size_t)type->rank, sizeof *dims);
    if (!dims)
        return adept_fail_memory(engine->err);
    for (int32_t axis = 0; axis < type->rank; axis++) {
        adept_status status =
            resolve_dim(engine, &type->dims[axis], tensor, axis, node, &dims[axis], &out->certainty);
        if (status != ADEPT_OK)
            return status;
    }
    int64_t elements;
    if (!adept_elements(dims, type->rank, &elements))
        return adept_fail(engine->err, ADEPT_RANGE,
                          "tensor '%s': its dimensions multiply to more than a 64-bit number holds", tensor);
    out->rank = type->rank;
    out->dims = dims;
    return ADEPT_OK;
}

/* "[2, 9]" for a message. */
static const char *declared_text(adept_engine *engine, const adept_type *type) {
    const char *words = "";
    for (int32_t i = 0; words && i < type->rank; i++) {
        const adept_dim *dim = &type->dims[i];
        const char *between = i ? ", " : "";
        int64_t value;
        if (dim->value >= 0)
            words = adept_arena_format(engine->arena, "%s%s%lld", words, between, (long long)dim->value);
        else if (dim->symbol && adept_symbols_dim(&engine->symbols, dim, "", i, &value) == ADEPT_EVALUATED)
            words = adept_arena_format(engine->arena, "%s%s%s = %lld", words, between, dim->symbol,
                                       (long long)value);
        else
            words =
                adept_arena_format(engine->arena, "%s%s%s", words, between, dim->symbol ? dim->symbol : "?");
    }
    return words ? words : "";
}

static const char *shape_text(adept_engine *engine, const adept_shape *shape) {
    const char *words = "";
    for (int32_t i = 0; words && i < shape->rank; i++)
        words =
            adept_arena_format(engine->arena, "%s%s%lld", words, i ? ", " : "", (long long)shape->dims[i]);
    return words ? words : "";
}

static void note_disagreement(adept_engine *engine, adept_tensor_id id, const adept_shape *shape) {
    if (engine->tensor_flags[id] & ADEPT_TENSOR_NOTED)
        return;
    engine->tensor_flags[id] |= ADEPT_TENSOR_NOTED;
    const adept_tensor *tensor = &engine->graph->tensors[id];
    adept_engine_note(
        engine, "tensor '%s': the file declares %s [%s], inference finds %s [%s], which is used",
        tensor->name, adept_dtype_name(tensor->declared->dtype), declared_text(engine, tensor->declared),
        adept_dtype_name(shape->dtype), shape_text(engine, shape));
}

/*
 * How the declared dimensions fit a shape of known rank. Symbols that only the file's shape information
 * has are learnt on the way, from exact shapes.
 */
typedef struct declared_fit {
    bool agrees;   /* no dimension contradicts */
    bool complete; /* every dimension is a number or follows from bound symbols */
} declared_fit;

static declared_fit compare_declared(adept_engine *engine, adept_tensor_id id, const adept_shape *shape) {
    const adept_tensor *tensor = &engine->graph->tensors[id];
    const adept_type *declared = tensor->declared;
    declared_fit fit = {declared->rank == shape->rank, true};
    for (int32_t i = 0; i < declared->rank; i++) {
        const adept_dim *dim = &declared->dims[i];
        if (dim->value < 0 && !dim->symbol) {
            fit.complete = false;
            continue;
        }
        int64_t value;
        if (fit.agrees && shape->certainty == ADEPT_EXACT && tensor->body == 0)
            adept_symbols_learn(&engine->symbols, dim, tensor->name, shape->dims[i]);
        if (adept_symbols_dim(&engine->symbols, dim, tensor->name, i, &value) != ADEPT_EVALUATED)
            fit.complete = false;
        else if (fit.agrees && value != shape->dims[i])
            fit.agrees = false;
    }
    return fit;
}

static adept_status take_declared(adept_engine *engine, adept_tensor_id id, const char *node) {
    const adept_tensor *tensor = &engine->graph->tensors[id];
    adept_shape *shape = &engine->shapes->tensors[id];
    adept_shape resolved;
    adept_status status = adept_engine_resolve(engine, tensor->declared, tensor->name, node, &resolved);
    if (status != ADEPT_OK)
        return status;
    if (shape->dtype != ADEPT_DTYPE_UNDEFINED)
        resolved.dtype = shape->dtype;
    if (shape->kind == ADEPT_TYPE_SEQUENCE)
        resolved.length = shape->length;
    *shape = resolved;
    return ADEPT_OK;
}

adept_status adept_engine_merge_declared(adept_engine *engine, adept_tensor_id id, const char *node) {
    const adept_type *declared = engine->graph->tensors[id].declared;
    adept_shape *shape = &engine->shapes->tensors[id];
    if (!declared || declared->kind == ADEPT_TYPE_UNKNOWN)
        return ADEPT_OK;
    bool container = shape->kind == ADEPT_TYPE_SEQUENCE || shape->kind == ADEPT_TYPE_OPTIONAL;
    if (shape->kind == ADEPT_TYPE_UNKNOWN ||
        (container && declared->kind == shape->kind && !shape->element && declared->element))
        return take_declared(engine, id, node);
    if (shape->kind != ADEPT_TYPE_TENSOR || declared->kind != ADEPT_TYPE_TENSOR)
        return ADEPT_OK;
    if (shape->dtype == ADEPT_DTYPE_UNDEFINED)
        shape->dtype = declared->dtype;
    bool other_type = declared->dtype != ADEPT_DTYPE_UNDEFINED && declared->dtype != shape->dtype;
    if (shape->rank < 0 && declared->rank >= 0)
        return take_declared(engine, id, node);
    declared_fit fit = {true, false};
    if (declared->rank >= 0)
        fit = compare_declared(engine, id, shape);
    if (shape->certainty != ADEPT_EXACT && fit.complete)
        return take_declared(engine, id, node);
    if (other_type || (!fit.agrees && shape->certainty == ADEPT_EXACT))
        note_disagreement(engine, id, shape);
    return ADEPT_OK;
}

/* --- nodes --- */

static adept_status unknown_operator(adept_engine *engine, const adept_node *node) {
    const char *name =
        adept_arena_format(engine->arena, "%s%s%s", node->domain, *node->domain ? "." : "", node->op_type);
    if (!name)
        return adept_fail_memory(engine->err);
    int32_t index = adept_string_map_get(&engine->unknown_ops, name, -1);
    if (index < 0) {
        index = engine->unknown_op_count;
        if (!ADEPT_GROW(engine, engine->unknown_op_list, engine->unknown_op_count,
                        engine->unknown_op_capacity) ||
            !adept_string_map_put(&engine->unknown_ops, name, index))
            return adept_fail_memory(engine->err);
        engine->unknown_op_list[index] = (struct adept_unknown_op){name, 0};
        engine->unknown_op_count++;
    }
    engine->unknown_op_list[index].nodes++;
    return ADEPT_OK;
}

static adept_status check_input_count(adept_infer *ctx, const adept_infer_row *row) {
    const adept_node *node = ctx->node;
    int32_t count = node->input_count;
    while (count > 0 && node->inputs[count - 1] == ADEPT_NO_TENSOR)
        count--;
    if (row->max_inputs >= 0 && count > row->max_inputs)
        return adept_infer_fail(
            ctx, "has %d inputs, the operator takes at most %d in opset %d; re-export the model", count,
            row->max_inputs, node->opset);
    for (int32_t i = 0; i < row->min_inputs; i++) {
        if (i >= node->input_count || node->inputs[i] == ADEPT_NO_TENSOR)
            return adept_infer_fail(
                ctx, "input %d is missing, the operator needs at least %d; re-export the model", i,
                row->min_inputs);
    }
    return ADEPT_OK;
}

static bool is_constant_node(const adept_engine *engine, const adept_node *node) {
    return node->output_count == 1 && node->outputs[0] != ADEPT_NO_TENSOR &&
           engine->graph->tensors[node->outputs[0]].constant;
}

static const adept_shape unknown_shape = {.rank = -1, .certainty = ADEPT_UNKNOWN, .length = -1};

/* A tensor without elements has no number that is not known. */
static void know_emptiness(adept_shape *shape) {
    static const int64_t nothing[1] = {0};
    static const adept_value empty = {.ints = nothing};
    if (!shape->value && shape->rank >= 1 && shape->certainty == ADEPT_EXACT &&
        adept_dtype_is_integer(shape->dtype) && adept_shape_elements(shape) == 0)
        shape->value = &empty;
}

/* A size that the file's own shape information decides is no assumption any more. */
static adept_status finish_outputs(adept_engine *engine, const adept_node *node, int32_t assumptions_before) {
    bool improved = false, inexact = false;
    int32_t assumptions_after = engine->assumption_count;
    for (int32_t i = 0; i < node->output_count; i++) {
        adept_tensor_id id = node->outputs[i];
        if (id == ADEPT_NO_TENSOR)
            continue;
        adept_shape *shape = &engine->shapes->tensors[id];
        bool was_inexact = shape->certainty != ADEPT_EXACT;
        adept_status status = adept_engine_merge_declared(engine, id, node->name);
        if (status != ADEPT_OK)
            return status;
        know_emptiness(shape);
        improved = improved || (was_inexact && shape->certainty == ADEPT_EXACT);
        inexact = inexact || shape->certainty != ADEPT_EXACT;
        engine->inexact += shape->certainty != ADEPT_EXACT;
    }
    if (inexact && engine->unreadable)
        adept_engine_note(engine, "node '%s' (%s): %s", node->name, node->op_type, engine->unreadable);
    if (improved && !inexact && engine->assumption_count == assumptions_after)
        engine->assumption_count = assumptions_before;
    return ADEPT_OK;
}

static adept_status infer_node(adept_engine *engine, const adept_body *body, const adept_node *node) {
    if (is_constant_node(engine, node))
        return ADEPT_OK;
    adept_infer ctx = {.engine = engine, .node = node, .body = body};
    engine->unreadable = NULL;
    adept_infer_row row = engine->lookup(node->domain, node->op_type, node->opset);
    int32_t assumptions = engine->assumption_count;
    adept_status status = row.infer ? check_input_count(&ctx, &row) : unknown_operator(engine, node);
    if (status != ADEPT_OK)
        return status;
    for (int32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] != ADEPT_NO_TENSOR)
            engine->shapes->tensors[node->outputs[i]] = unknown_shape;
    }
    if (row.infer)
        status = row.infer(&ctx);
    if (ctx.attribute_status != ADEPT_OK)
        return ctx.attribute_status;
    return status == ADEPT_OK ? finish_outputs(engine, node, assumptions) : status;
}

adept_status adept_engine_body(adept_engine *engine, const adept_body *body) {
    engine->nodes_done += body->node_count;
    for (int32_t i = 0; i < body->node_count; i++) {
        adept_status status = infer_node(engine, body, &body->nodes[i]);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

/* --- bodies --- */

adept_status adept_infer_run_body(adept_infer *ctx, const adept_body *body, const adept_shape *const *inputs,
                                  int32_t input_count, const adept_shape **outputs) {
    adept_engine *engine = ctx->engine;
    if (input_count != body->input_count)
        return adept_infer_fail(ctx,
                                "gives %d inputs to its subgraph '%s', which has %d; re-export the model",
                                input_count, body->name, body->input_count);
    if (engine->depth >= ADEPT_NESTING_LIMIT)
        return adept_fail(engine->err, ADEPT_LIMIT, "node '%s' (%s): subgraphs are nested more than %d deep",
                          ctx->node->name, ctx->node->op_type, ADEPT_NESTING_LIMIT);
    if (!remember_visits(engine, body->index))
        return adept_fail_memory(engine->err);
    reach_body(engine, body->index, ctx->body->index);
    engine->bodies[body->index].visits += 1;
    for (int32_t i = 0; i < input_count; i++) {
        engine->shapes->tensors[body->inputs[i]] = inputs[i] ? *inputs[i] : unknown_shape;
        adept_status status = adept_engine_merge_declared(engine, body->inputs[i], ctx->node->name);
        if (status != ADEPT_OK)
            return status;
    }
    engine->depth++;
    adept_status status = adept_engine_body(engine, body);
    engine->depth--;
    adept_shape *results = adept_arena_array(engine->arena, (size_t)body->output_count, sizeof *results);
    if (!results)
        return adept_fail_memory(engine->err);
    for (int32_t i = 0; status == ADEPT_OK && i < body->output_count; i++) {
        results[i] =
            body->outputs[i] == ADEPT_NO_TENSOR ? unknown_shape : engine->shapes->tensors[body->outputs[i]];
        outputs[i] = &results[i];
        const adept_value *value;
        if (body->outputs[i] != ADEPT_NO_TENSOR && adept_shape_elements(&results[i]) <= 64)
            status = adept_engine_value(engine, body->outputs[i], &value);
        if (body->outputs[i] != ADEPT_NO_TENSOR)
            results[i].value = engine->shapes->tensors[body->outputs[i]].value;
    }
    return status;
}

void adept_infer_body_repeats(adept_infer *ctx, const adept_body *body, double repeats) {
    adept_engine *engine = ctx->engine;
    if (!remember_visits(engine, body->index)) {
        ctx->attribute_status = ADEPT_NOMEM;
        return;
    }
    reach_body(engine, body->index, ctx->body->index);
    engine->bodies[body->index].repeats += repeats;
}

/* Runs per run of the main graph: the mean of what was stated per inference of the parent, times its own. */
static void multiply_repeats(adept_engine *engine) {
    double *repeats = engine->shapes->body_repeats;
    repeats[0] = 1;
    for (int32_t i = 0; i < engine->body_order_count; i++) {
        int32_t body = engine->body_order[i];
        int32_t parent = engine->bodies[body].parent;
        double visits = parent >= 0 ? engine->bodies[parent].visits : 0;
        repeats[body] = visits > 0 ? repeats[parent] * engine->bodies[body].repeats / visits : 0;
    }
}

/* --- the whole graph --- */

static adept_status set_constants(adept_engine *engine) {
    for (int32_t id = 0; id < engine->graph->tensor_count; id++) {
        const adept_tensor *tensor = &engine->graph->tensors[id];
        const adept_constant *constant = tensor->constant;
        engine->shapes->tensors[id] = unknown_shape;
        if (!constant)
            continue;
        int64_t elements;
        if (!adept_elements(constant->dims, constant->rank, &elements))
            return adept_fail(engine->err, ADEPT_RANGE,
                              "initializer '%s': its dimensions multiply to more than a 64-bit number holds",
                              tensor->name);
        engine->shapes->tensors[id] = (adept_shape){
            .kind = constant->payload == ADEPT_PAYLOAD_SPARSE ? ADEPT_TYPE_SPARSE_TENSOR : ADEPT_TYPE_TENSOR,
            .dtype = constant->dtype,
            .rank = constant->rank,
            .dims = constant->dims,
            .length = -1};
    }
    return ADEPT_OK;
}

static const adept_fed_value *fed_value(const adept_fed_value *fed, size_t fed_count, const char *name) {
    for (size_t i = 0; i < fed_count; i++) {
        if (strcmp(fed[i].input, name) == 0)
            return &fed[i];
    }
    return NULL;
}

static adept_status set_inputs(adept_engine *engine, const adept_fed_value *fed, size_t fed_count) {
    const adept_body *body = adept_graph_main(engine->graph);
    for (int32_t i = 0; i < body->input_count; i++) {
        adept_tensor_id id = body->inputs[i];
        const adept_tensor *tensor = &engine->graph->tensors[id];
        const adept_fed_value *given = fed_value(fed, fed_count, tensor->name);
        if (given) {
            engine->shapes->tensors[id] = given->shape;
            continue;
        }
        if (!tensor->declared)
            continue;
        adept_status status =
            adept_engine_resolve(engine, tensor->declared, tensor->name, NULL, &engine->shapes->tensors[id]);
        if (status != ADEPT_OK)
            return status;
        if (tensor->declared->kind == ADEPT_TYPE_TENSOR && tensor->declared->rank < 0)
            adept_engine_note(engine, "input '%s' has no shape in the file: what depends on it is unknown",
                              tensor->name);
    }
    return ADEPT_OK;
}

/* Outputs of the graph whose type or shape the file leaves out: harmless, but said. */
static void note_undeclared_outputs(adept_engine *engine) {
    const adept_body *body = adept_graph_main(engine->graph);
    for (int32_t i = 0; i < body->output_count; i++) {
        const adept_tensor *tensor =
            body->outputs[i] == ADEPT_NO_TENSOR ? NULL : &engine->graph->tensors[body->outputs[i]];
        if (!tensor || tensor->constant || tensor->is_input)
            continue;
        if (!tensor->declared || tensor->declared->kind == ADEPT_TYPE_UNKNOWN)
            adept_engine_note(engine, "output '%s' has no type in the file: inferred", tensor->name);
        else if (tensor->declared->kind == ADEPT_TYPE_TENSOR && tensor->declared->rank < 0)
            adept_engine_note(engine, "output '%s' has no shape in the file: inferred", tensor->name);
    }
}

static void note_unknown_operators(adept_engine *engine) {
    for (int32_t i = 0; i < engine->unknown_op_count; i++) {
        const struct adept_unknown_op *op = &engine->unknown_op_list[i];
        adept_engine_note(
            engine,
            "no row knows operator %s (%lld node%s): its outputs are as the file declares them, "
            "else unknown",
            op->name, (long long)op->nodes, op->nodes == 1 ? "" : "s");
    }
    if (engine->notes_left_out == 0)
        return;
    const char *more = adept_arena_format(engine->arena, "and %d more notes", engine->notes_left_out);
    if (more && ADEPT_GROW(engine, engine->notes, engine->note_count, engine->note_capacity))
        engine->notes[engine->note_count++] = more;
}

static adept_status infer_all(adept_engine *engine, const adept_fed_value *fed, size_t fed_count) {
    adept_shapes *shapes = engine->shapes;
    adept_status status = adept_symbols_bind(&engine->symbols, engine->arena, engine->graph, engine->run, fed,
                                             fed_count, engine->err);
    if (status == ADEPT_OK)
        status = set_constants(engine);
    if (status == ADEPT_OK)
        status = set_inputs(engine, fed, fed_count);
    if (status == ADEPT_OK)
        status = adept_engine_body(engine, adept_graph_main(engine->graph));
    if (status == ADEPT_OK)
        status = adept_symbols_check_used(&engine->symbols, engine->assumptions, engine->assumption_count,
                                          engine->err);
    if (status != ADEPT_OK)
        return status;
    multiply_repeats(engine);
    note_undeclared_outputs(engine);
    note_unknown_operators(engine);
    shapes->assumptions = engine->assumptions;
    shapes->assumption_count = engine->assumption_count;
    shapes->notes = engine->notes;
    shapes->note_count = engine->note_count;
    status = adept_symbols_list(&engine->symbols, &shapes->symbols, &shapes->symbol_count, &shapes->batch);
    return status == ADEPT_OK ? ADEPT_OK : adept_fail_memory(engine->err);
}

static bool allocate(adept_engine *engine) {
    size_t tensors = (size_t)engine->graph->tensor_count, bodies = (size_t)engine->graph->body_count;
    adept_arena *arena = engine->arena;
    engine->shapes = adept_arena_alloc(arena, sizeof *engine->shapes);
    if (!engine->shapes)
        return false;
    engine->shapes->arena = arena;
    engine->shapes->graph = engine->graph;
    engine->shapes->tensors = adept_arena_array(arena, tensors, sizeof *engine->shapes->tensors);
    engine->shapes->body_repeats = adept_arena_array(arena, bodies, sizeof *engine->shapes->body_repeats);
    engine->tensor_flags = adept_arena_array(arena, tensors, sizeof *engine->tensor_flags);
    engine->bodies = adept_arena_array(arena, bodies, sizeof *engine->bodies);
    engine->body_order = adept_arena_array(arena, bodies, sizeof *engine->body_order);
    for (size_t i = 0; engine->bodies && i < bodies; i++) {
        engine->bodies[i].parent = -1;
        engine->nodes_budget += 20 * (int64_t)engine->graph->bodies[i]->node_count;
    }
    engine->nodes_budget += 200000;
    if (engine->bodies)
        engine->bodies[0].visits = 1;
    return engine->shapes->tensors && engine->shapes->body_repeats && engine->tensor_flags &&
           engine->bodies && engine->body_order;
}

/* Sizes may disagree only because of the defaults that unbound symbols got. */
static void mention_defaults(const adept_engine *engine) {
    const char *defaults = adept_symbols_defaults(&engine->symbols);
    if (!engine->err || !defaults)
        return;
    const adept_error found = *engine->err;
    (void)adept_fail(engine->err, found.status,
                     "%s (with %s by default; --batch, --seq and --dim NAME=N change that)", found.message,
                     defaults);
}

adept_status adept_shapes_infer(adept_shapes **out, const adept_graph *graph, const adept_run *run,
                                adept_infer_lookup *lookup, const adept_fed_value *fed, size_t fed_count,
                                adept_error *err) {
    *out = NULL;
    adept_engine engine = {.graph = graph, .run = run, .lookup = lookup, .err = err};
    engine.arena = adept_arena_new(0);
    adept_status status = ADEPT_NOMEM;
    if (engine.arena && allocate(&engine))
        status = infer_all(&engine, fed, fed_count);
    else
        (void)adept_fail_memory(err);
    if (status == ADEPT_SHAPE || status == ADEPT_RANGE)
        mention_defaults(&engine);
    adept_symbols_clear(&engine.symbols);
    adept_string_map_clear(&engine.assumption_by_symbol);
    adept_string_map_clear(&engine.unknown_ops);
    if (status == ADEPT_OK) {
        *out = engine.shapes;
        return ADEPT_OK;
    }
    adept_arena_free(engine.arena);
    const char *path = graph->path ? graph->path : "";
    const char *slash = strrchr(path, '/');
    return *path ? adept_fail_at(err, status, "%s", slash ? slash + 1 : path) : status;
}

void adept_shapes_free(adept_shapes *shapes) {
    if (shapes)
        adept_arena_free(shapes->arena);
}
