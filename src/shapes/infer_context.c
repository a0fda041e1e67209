/* infer.h: what an operator's inference function sees of its node, and how it states its results. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "checked.h"
#include "infer_engine.h"

/* --- the node --- */

const adept_node *adept_infer_node(const adept_infer *ctx) {
    return ctx->node;
}

int32_t adept_infer_opset(const adept_infer *ctx) {
    return ctx->node->opset;
}

int32_t adept_infer_inputs(const adept_infer *ctx) {
    return ctx->node->input_count;
}

int32_t adept_infer_outputs(const adept_infer *ctx) {
    return ctx->node->output_count;
}

bool adept_infer_has_output(const adept_infer *ctx, int32_t output) {
    return output >= 0 && output < ctx->node->output_count && ctx->node->outputs[output] != ADEPT_NO_TENSOR;
}

adept_arena *adept_infer_arena(adept_infer *ctx) {
    return ctx->engine->arena;
}

adept_error *adept_infer_error(adept_infer *ctx) {
    return ctx->engine->err;
}

/* --- attributes --- */

static const char *attribute_type_name(adept_attribute_type type) {
    static const char *const names[] = {"UNDEFINED",      "FLOAT",      "INT",        "STRING",
                                        "TENSOR",         "GRAPH",      "FLOATS",     "INTS",
                                        "STRINGS",        "TENSORS",    "GRAPHS",     "SPARSE_TENSOR",
                                        "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
    size_t index = (size_t)type;
    return index < sizeof names / sizeof names[0] ? names[index] : "of an unknown type";
}

/* The attribute if it has one of two types (files before IR 3 need not state the type). */
static const adept_attribute *attribute_of(adept_infer *ctx, const char *name, adept_attribute_type type,
                                           adept_attribute_type also) {
    const adept_attribute *attribute = adept_node_attribute(ctx->node, name);
    if (!attribute || attribute->type == type || attribute->type == also ||
        attribute->type == ADEPT_ATTRIBUTE_UNDEFINED)
        return attribute;
    if (ctx->attribute_status == ADEPT_OK)
        ctx->attribute_status =
            adept_infer_fail(ctx, "attribute '%s' is %s, the operator wants %s", name,
                             attribute_type_name(attribute->type), attribute_type_name(type));
    return NULL;
}

bool adept_infer_has(const adept_infer *ctx, const char *name) {
    return adept_node_attribute(ctx->node, name) != NULL;
}

int64_t adept_infer_int(adept_infer *ctx, const char *name, int64_t missing) {
    const adept_attribute *a = attribute_of(ctx, name, ADEPT_ATTRIBUTE_INT, ADEPT_ATTRIBUTE_INT);
    return a ? a->i : missing;
}

double adept_infer_float(adept_infer *ctx, const char *name, double missing) {
    const adept_attribute *a = attribute_of(ctx, name, ADEPT_ATTRIBUTE_FLOAT, ADEPT_ATTRIBUTE_INT);
    if (!a)
        return missing;
    return a->type == ADEPT_ATTRIBUTE_INT ? (double)a->i : a->f;
}

const char *adept_infer_string(adept_infer *ctx, const char *name, const char *missing) {
    const adept_attribute *a = attribute_of(ctx, name, ADEPT_ATTRIBUTE_STRING, ADEPT_ATTRIBUTE_STRING);
    return a && a->s ? a->s : missing;
}

const int64_t *adept_infer_ints(adept_infer *ctx, const char *name, int32_t *count) {
    static const int64_t none[1] = {0};
    *count = 0;
    const adept_attribute *a = attribute_of(ctx, name, ADEPT_ATTRIBUTE_INTS, ADEPT_ATTRIBUTE_INT);
    if (!a)
        return NULL;
    if (a->type == ADEPT_ATTRIBUTE_INT) {
        *count = 1;
        return &a->i;
    }
    *count = a->ints ? a->count : 0;
    return *count ? a->ints : none;
}

const double *adept_infer_floats(adept_infer *ctx, const char *name, int32_t *count) {
    static const double none[1] = {0};
    *count = 0;
    const adept_attribute *a = attribute_of(ctx, name, ADEPT_ATTRIBUTE_FLOATS, ADEPT_ATTRIBUTE_FLOAT);
    if (!a)
        return NULL;
    if (a->type == ADEPT_ATTRIBUTE_FLOAT) {
        *count = 1;
        return &a->f;
    }
    *count = a->floats ? a->count : 0;
    return *count ? a->floats : none;
}

const adept_body *adept_infer_body(adept_infer *ctx, const char *name) {
    const adept_attribute *a = attribute_of(ctx, name, ADEPT_ATTRIBUTE_GRAPH, ADEPT_ATTRIBUTE_GRAPH);
    return a ? a->body : NULL;
}

/* --- inputs --- */

static adept_tensor_id input_id(const adept_infer *ctx, int32_t input) {
    return input >= 0 && input < ctx->node->input_count ? ctx->node->inputs[input] : ADEPT_NO_TENSOR;
}

const adept_shape *adept_infer_in(const adept_infer *ctx, int32_t input) {
    adept_tensor_id id = input_id(ctx, input);
    return id == ADEPT_NO_TENSOR ? NULL : &ctx->engine->shapes->tensors[id];
}

int32_t adept_infer_rank(const adept_infer *ctx, int32_t input) {
    const adept_shape *shape = adept_infer_in(ctx, input);
    return shape ? shape->rank : -1;
}

adept_certainty adept_infer_certainty(const adept_infer *ctx) {
    adept_certainty worst = ADEPT_EXACT;
    for (int32_t i = 0; i < ctx->node->input_count; i++) {
        const adept_shape *shape = adept_infer_in(ctx, i);
        if (shape)
            worst = adept_worst(worst, shape->certainty);
    }
    return worst;
}

/*
 * A floating-point constant of any size worth mentioning is a weight, never read; a middling one is read
 * only where all inputs of the node are numbers, that is, where something can be folded.
 */
static bool may_read(const adept_infer *ctx, adept_tensor_id id) {
    enum { SMALL = 64, WEIGHT = 1024 };
    const adept_constant *constant = ctx->engine->graph->tensors[id].constant;
    if (!constant || constant->elements <= SMALL)
        return true;
    int bits = adept_dtype_bits(constant->dtype);
    if (adept_dtype_is_integer(constant->dtype) && constant->dtype != ADEPT_DTYPE_BOOL && bits <= 8)
        return constant->elements <= WEIGHT;
    if (!adept_dtype_is_float(constant->dtype))
        return true;
    if (constant->elements > WEIGHT)
        return false;
    for (int32_t i = 0; i < ctx->node->input_count; i++) {
        adept_tensor_id other = input_id(ctx, i);
        if (other != ADEPT_NO_TENSOR && !ctx->engine->graph->tensors[other].constant &&
            !ctx->engine->shapes->tensors[other].value)
            return false;
    }
    return true;
}

const adept_value *adept_infer_in_value(adept_infer *ctx, int32_t input) {
    adept_tensor_id id = input_id(ctx, input);
    if (id == ADEPT_NO_TENSOR)
        return NULL;
    const adept_value *value = ctx->engine->shapes->tensors[id].value;
    if (!value && may_read(ctx, id)) {
        adept_status status = adept_engine_value(ctx->engine, id, &value);
        if (status != ADEPT_OK) {
            if (ctx->attribute_status == ADEPT_OK)
                ctx->attribute_status = adept_fail_at(ctx->engine->err, status, "node '%s' (%s)",
                                                      ctx->node->name, ctx->node->op_type);
            return NULL;
        }
    }
    if (value)
        ctx->asked = adept_worst(ctx->asked, value->certainty);
    return value;
}

static bool all_known(const adept_value *value) {
    for (int64_t i = 0; value->known && i < value->count; i++) {
        if (!value->known[i])
            return false;
    }
    return true;
}

/* A value that can be used whole. What is not used does not count for the certainty of the outputs. */
static const adept_value *whole_value(adept_infer *ctx, int32_t input) {
    adept_certainty before = ctx->asked;
    const adept_value *value = adept_infer_in_value(ctx, input);
    if (value && all_known(value))
        return value;
    ctx->asked = before;
    return NULL;
}

const int64_t *adept_infer_in_ints(adept_infer *ctx, int32_t input, int64_t *count) {
    const adept_value *value = whole_value(ctx, input);
    *count = value ? value->count : 0;
    if (!value || value->ints)
        return value ? value->ints : NULL;
    int64_t *ints = adept_arena_array(ctx->engine->arena, (size_t)value->count, sizeof *ints);
    for (int64_t i = 0; ints && i < value->count; i++) {
        double real = value->reals[i];
        if (!(fabs(real) <= 9007199254740992.0) || real != floor(real)) {
            ints = NULL;
            break;
        }
        ints[i] = (int64_t)real;
    }
    *count = ints ? value->count : 0;
    return ints;
}

const double *adept_infer_in_reals(adept_infer *ctx, int32_t input, int64_t *count) {
    const adept_value *value = whole_value(ctx, input);
    *count = value ? value->count : 0;
    if (!value || value->reals)
        return value ? value->reals : NULL;
    double *reals = adept_arena_array(ctx->engine->arena, (size_t)value->count, sizeof *reals);
    for (int64_t i = 0; reals && i < value->count; i++)
        reals[i] = (double)value->ints[i];
    *count = reals ? value->count : 0;
    return reals;
}

/* --- outputs --- */

static adept_shape *output_of(adept_infer *ctx, int32_t output) {
    return adept_infer_has_output(ctx, output) ? &ctx->engine->shapes->tensors[ctx->node->outputs[output]]
                                               : NULL;
}

/* Certainty of what follows from the inputs. An input of unknown rank that a shape does not hang on counts
 * for nothing: an operator that needs it says "unknown" itself. */
static adept_certainty derived_certainty(const adept_infer *ctx) {
    adept_certainty worst = ctx->asked;
    for (int32_t i = 0; i < ctx->node->input_count; i++) {
        const adept_shape *shape = adept_infer_in(ctx, i);
        if (shape && shape->certainty != ADEPT_UNKNOWN)
            worst = adept_worst(worst, shape->certainty);
    }
    return worst;
}

static const char *dims_text(adept_infer *ctx, int32_t rank, const int64_t *dims) {
    enum { SHOWN = 8 };
    const char *words = "";
    for (int32_t i = 0; words && i < rank && i < SHOWN; i++)
        words = adept_arena_format(ctx->engine->arena, "%s%s%lld", words, i ? ", " : "", (long long)dims[i]);
    return words ? words : "";
}

static adept_status check_dims(adept_infer *ctx, int32_t output, int32_t rank, const int64_t *dims) {
    int64_t elements;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return adept_infer_fail(ctx,
                                    "dimension %d of output %d would be %lld; check the sizes of its inputs "
                                    "and attributes",
                                    i, output, (long long)dims[i]);
    }
    if (adept_elements(dims, rank, &elements))
        return ADEPT_OK;
    return adept_fail(ctx->engine->err, ADEPT_RANGE,
                      "node '%s' (%s): output %d of [%s%s] has more elements than a 64-bit number holds; use "
                      "smaller dimensions",
                      ctx->node->name, ctx->node->op_type, output, dims_text(ctx, rank, dims),
                      rank > 8 ? ", .." : "");
}

adept_status adept_infer_out(adept_infer *ctx, int32_t output, adept_dtype dtype, int32_t rank,
                             const int64_t *dims) {
    adept_shape *shape = output_of(ctx, output);
    if (!shape)
        return ADEPT_OK;
    if (rank < 0)
        return adept_infer_out_unknown(ctx, output, dtype);
    adept_status status = check_dims(ctx, output, rank, dims);
    if (status != ADEPT_OK)
        return status;
    int64_t *copy = adept_arena_copy(ctx->engine->arena, dims, sizeof *dims * (size_t)rank);
    if (!copy)
        return adept_fail_memory(ctx->engine->err);
    *shape = (adept_shape){.kind = ADEPT_TYPE_TENSOR,
                           .dtype = dtype,
                           .rank = rank,
                           .dims = copy,
                           .certainty = derived_certainty(ctx),
                           .length = -1};
    return ADEPT_OK;
}

adept_status adept_infer_out_like(adept_infer *ctx, int32_t output, const adept_shape *like) {
    adept_shape *shape = output_of(ctx, output);
    if (!shape)
        return ADEPT_OK;
    *shape = *like;
    shape->value = NULL;
    shape->certainty = adept_worst(like->certainty, derived_certainty(ctx));
    return ADEPT_OK;
}

adept_status adept_infer_out_unknown(adept_infer *ctx, int32_t output, adept_dtype dtype) {
    adept_shape *shape = output_of(ctx, output);
    if (shape)
        *shape = (adept_shape){
            .kind = ADEPT_TYPE_TENSOR, .dtype = dtype, .rank = -1, .certainty = ADEPT_UNKNOWN, .length = -1};
    return ADEPT_OK;
}

static adept_status out_container(adept_infer *ctx, int32_t output, adept_type_kind kind,
                                  const adept_shape *element, int64_t length) {
    adept_shape *shape = output_of(ctx, output);
    if (!shape)
        return ADEPT_OK;
    adept_shape *copy = NULL;
    if (element) {
        copy = adept_arena_copy(ctx->engine->arena, element, sizeof *element);
        if (!copy)
            return adept_fail_memory(ctx->engine->err);
        copy->value = NULL;
    }
    adept_certainty derived = derived_certainty(ctx);
    *shape = (adept_shape){.kind = kind,
                           .dtype = element ? element->dtype : ADEPT_DTYPE_UNDEFINED,
                           .rank = -1,
                           .certainty = element ? adept_worst(derived, element->certainty) : derived,
                           .element = copy,
                           .length = length};
    return ADEPT_OK;
}

adept_status adept_infer_out_sequence(adept_infer *ctx, int32_t output, const adept_shape *element,
                                      int64_t length) {
    return out_container(ctx, output, ADEPT_TYPE_SEQUENCE, element, length);
}

adept_status adept_infer_out_optional(adept_infer *ctx, int32_t output, const adept_shape *element) {
    return out_container(ctx, output, ADEPT_TYPE_OPTIONAL, element, -1);
}

/* Room for an output's value, NULL where none is to be kept. */
static adept_value *new_value(adept_infer *ctx, int32_t output, adept_shape **shape) {
    enum { ALWAYS_KEPT = 64 };
    *shape = output_of(ctx, output);
    if (!*shape || (*shape)->rank < 0)
        return NULL;
    int64_t count = adept_shape_elements(*shape);
    if (count > ADEPT_VALUE_LIMIT || (count > ALWAYS_KEPT && ctx->engine->value_B > ADEPT_VALUE_BUDGET_B))
        return NULL;
    adept_value *value = adept_arena_alloc(ctx->engine->arena, sizeof *value);
    if (value) {
        value->count = count;
        value->certainty = adept_worst((*shape)->certainty, ctx->asked);
    }
    return value;
}

static bool any_known(const bool *known, int64_t count) {
    for (int64_t i = 0; known && i < count; i++) {
        if (known[i])
            return true;
    }
    return !known || count == 0;
}

static adept_status keep_value(adept_infer *ctx, adept_shape *shape, adept_value *value, const void *numbers,
                               bool real, const bool *known) {
    if (!any_known(known, value->count))
        return ADEPT_OK;
    adept_arena *arena = ctx->engine->arena;
    size_t size_B = (size_t)value->count * 8;
    void *copy = adept_arena_copy(arena, numbers, size_B);
    bool *holes = known ? adept_arena_copy(arena, known, (size_t)value->count) : NULL;
    if (!copy || (known && !holes))
        return adept_fail_memory(ctx->engine->err);
    if (real)
        value->reals = copy;
    else
        value->ints = copy;
    value->known = holes;
    if (holes && all_known(value))
        value->known = NULL;
    ctx->engine->value_B += (double)size_B;
    shape->value = value;
    return ADEPT_OK;
}

adept_status adept_infer_out_ints(adept_infer *ctx, int32_t output, const int64_t *ints, const bool *known) {
    adept_shape *shape;
    adept_value *value = new_value(ctx, output, &shape);
    return value ? keep_value(ctx, shape, value, ints, false, known) : ADEPT_OK;
}

adept_status adept_infer_out_reals(adept_infer *ctx, int32_t output, const double *reals, const bool *known) {
    adept_shape *shape;
    adept_value *value = new_value(ctx, output, &shape);
    return value ? keep_value(ctx, shape, value, reals, true, known) : ADEPT_OK;
}

void adept_infer_out_certainty(adept_infer *ctx, int32_t output, adept_certainty certainty) {
    adept_shape *shape = output_of(ctx, output);
    if (shape)
        shape->certainty = adept_worst(shape->certainty, certainty);
}

void adept_engine_set(adept_infer *ctx, int32_t output, const adept_shape *shape, adept_certainty at_best) {
    adept_shape *out = output_of(ctx, output);
    if (!out)
        return;
    *out = *shape;
    if (out->certainty != ADEPT_UNKNOWN)
        out->certainty = adept_worst(out->certainty, at_best);
}

int64_t adept_infer_assume(adept_infer *ctx, const char *what, int64_t value, adept_certainty certainty,
                           const char *reason) {
    adept_assumption assumption = {
        .value = value, .certainty = certainty, .node = ctx->node->name, .reason = reason};
    assumption.symbol = adept_arena_format(ctx->engine->arena, "%s_%s", what, ctx->node->name);
    adept_status status = assumption.symbol ? adept_engine_assume(ctx->engine, &assumption, ctx->node)
                                            : adept_fail_memory(ctx->engine->err);
    if (status != ADEPT_OK && ctx->attribute_status == ADEPT_OK)
        ctx->attribute_status = status;
    ctx->asked = adept_worst(ctx->asked, assumption.certainty);
    return assumption.value;
}

/* --- errors --- */

adept_status adept_infer_fail(adept_infer *ctx, const char *format, ...) {
    char message[sizeof((adept_error *)0)->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return adept_fail(ctx->engine->err, ADEPT_SHAPE, "node '%s' (%s): %s", ctx->node->name,
                      ctx->node->op_type, message);
}

adept_status adept_infer_overflow(adept_infer *ctx) {
    const char *inputs = "";
    for (int32_t i = 0; inputs && i < ctx->node->input_count && i < 4; i++) {
        const adept_shape *shape = adept_infer_in(ctx, i);
        if (shape && shape->rank >= 0)
            inputs = adept_arena_format(ctx->engine->arena, "%s%s[%s]", inputs, *inputs ? ", " : "",
                                        dims_text(ctx, shape->rank, shape->dims));
    }
    return adept_fail(
        ctx->engine->err, ADEPT_RANGE,
        "node '%s' (%s): a product of dimensions exceeds 64 bits (inputs %s); use smaller dimensions",
        ctx->node->name, ctx->node->op_type, inputs && *inputs ? inputs : "of unknown shape");
}

adept_status adept_infer_axis(adept_infer *ctx, int64_t axis, int32_t rank, int32_t *out) {
    if (axis < -(int64_t)rank || axis >= rank)
        return adept_infer_fail(ctx, "axis %lld does not exist in a tensor of rank %d", (long long)axis,
                                rank);
    *out = (int32_t)(axis < 0 ? axis + rank : axis);
    return ADEPT_OK;
}
