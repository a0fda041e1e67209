/* Driver of the count functions: autocast's casts, folded operators, and what count functions may ask. */
#include "count.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "checked.h"
#include "fail.h"
#include "handler.h"

struct adept_count {
    const adept_op *op;
    const adept_facts *facts;
    adept_arena *arena;
    adept_error *err;
    adept_counted *out;
    int32_t kernel_capacity, alias_capacity;
    adept_dtype compute;  /* type that autocast converts floating-point inputs to; UNDEFINED: none */
    bool short_of_memory; /* an emit failed; kernels went to scratch */
    adept_kernel scratch;
};

/* --- tensors --- */

static adept_tensor_id in_id(const adept_count *ctx, int32_t input) {
    const adept_node *node = ctx->op->node;
    return input >= 0 && input < node->input_count ? node->inputs[input] : ADEPT_NO_TENSOR;
}

static adept_tensor_id out_id(const adept_count *ctx, int32_t output) {
    const adept_node *node = ctx->op->node;
    return output >= 0 && output < node->output_count ? node->outputs[output] : ADEPT_NO_TENSOR;
}

static const adept_shape *known_shape(const adept_shapes *shapes, adept_tensor_id id) {
    if (id == ADEPT_NO_TENSOR)
        return NULL;
    const adept_shape *shape = &shapes->tensors[id];
    bool container = shape->kind == ADEPT_TYPE_SEQUENCE || shape->kind == ADEPT_TYPE_OPTIONAL;
    return container || shape->rank >= 0 ? shape : NULL;
}

/* Elements as a double: sizes are checked when shapes are set, sums over sequences cannot overflow this. */
static double shape_elements(const adept_shape *shape) {
    if (!shape)
        return 0;
    if (shape->kind == ADEPT_TYPE_OPTIONAL)
        return shape->element ? shape_elements(shape->element) : 0;
    if (shape->kind == ADEPT_TYPE_SEQUENCE)
        return shape->element && shape->length > 0 ? shape_elements(shape->element) * (double)shape->length
                                                   : 0;
    double elements = shape->rank < 0 ? 0 : 1;
    for (int32_t i = 0; i < shape->rank; i++)
        elements *= (double)shape->dims[i];
    return elements;
}

static double dtype_B(adept_dtype dtype) {
    return adept_dtype_bits(dtype) / 8.0;
}

static adept_dtype storage_of(const adept_count *ctx, adept_tensor_id id) {
    return id == ADEPT_NO_TENSOR ? ADEPT_DTYPE_UNDEFINED : ctx->facts->storage[id];
}

/* Autocast converts this input before the kernel reads it. */
static bool is_cast(const adept_count *ctx, int32_t input) {
    adept_dtype stored = storage_of(ctx, in_id(ctx, input));
    return ctx->compute != ADEPT_DTYPE_UNDEFINED && adept_dtype_is_float(stored) && stored != ctx->compute;
}

const adept_node *adept_count_node(const adept_count *ctx) {
    return ctx->op->node;
}

const struct adept_handler *adept_count_handler(const adept_count *ctx) {
    return ctx->op->handler;
}

const adept_run *adept_count_run(const adept_count *ctx) {
    return ctx->facts->run;
}

const adept_facts *adept_count_facts(const adept_count *ctx) {
    return ctx->facts;
}

bool adept_count_in_parts(const adept_count *ctx) {
    return ctx->facts->run->fusion == ADEPT_FUSION_EAGER && !ctx->op->handler->domain[0];
}

bool adept_count_trains(const adept_count *ctx) {
    return ctx->facts->run->mode == ADEPT_MODE_TRAIN;
}

int32_t adept_count_inputs(const adept_count *ctx) {
    return ctx->op->node->input_count;
}

int32_t adept_count_outputs(const adept_count *ctx) {
    return ctx->op->node->output_count;
}

const adept_shape *adept_count_in(const adept_count *ctx, int32_t input) {
    return known_shape(ctx->facts->shapes, in_id(ctx, input));
}

const adept_shape *adept_count_out(const adept_count *ctx, int32_t output) {
    return known_shape(ctx->facts->shapes, out_id(ctx, output));
}

double adept_count_in_elements(const adept_count *ctx, int32_t input) {
    return shape_elements(adept_count_in(ctx, input));
}

double adept_count_out_elements(const adept_count *ctx, int32_t output) {
    return shape_elements(adept_count_out(ctx, output));
}

double adept_count_in_element_B(const adept_count *ctx, int32_t input) {
    return dtype_B(is_cast(ctx, input) ? ctx->compute : storage_of(ctx, in_id(ctx, input)));
}

double adept_count_out_element_B(const adept_count *ctx, int32_t output) {
    return dtype_B(storage_of(ctx, out_id(ctx, output)));
}

double adept_count_in_B(const adept_count *ctx, int32_t input) {
    return adept_count_in_elements(ctx, input) * adept_count_in_element_B(ctx, input);
}

double adept_count_out_B(const adept_count *ctx, int32_t output) {
    return adept_count_out_elements(ctx, output) * adept_count_out_element_B(ctx, output);
}

bool adept_count_needs_grad(const adept_count *ctx, int32_t input) {
    adept_tensor_id id = in_id(ctx, input);
    return id != ADEPT_NO_TENSOR && ctx->facts->needs_grad[id];
}

bool adept_count_any_grad(const adept_count *ctx) {
    for (int32_t i = 0; i < ctx->op->node->input_count; i++)
        if (adept_count_needs_grad(ctx, i))
            return true;
    return false;
}

bool adept_count_is_parameter(const adept_count *ctx, int32_t input) {
    adept_tensor_id id = in_id(ctx, input);
    return id != ADEPT_NO_TENSOR && ctx->facts->is_parameter[id];
}

/* --- what costs nothing --- */

/* Integers only: known floating-point numbers may follow from weights, which training changes. */
static bool value_is_known(const adept_shape *shape) {
    if (!shape || !shape->value || !shape->value->ints || !adept_dtype_is_integer(shape->dtype))
        return false;
    const adept_value *value = shape->value;
    for (int64_t i = 0; value->known && i < value->count; i++)
        if (!value->known[i])
            return false;
    return true;
}

static bool tensor_is_constant(const adept_facts *facts, adept_tensor_id id) {
    if (facts->is_constant)
        return facts->is_constant[id];
    return facts->graph->tensors[id].constant || value_is_known(known_shape(facts->shapes, id));
}

bool adept_count_is_constant(const adept_count *ctx, int32_t input) {
    adept_tensor_id id = in_id(ctx, input);
    return id != ADEPT_NO_TENSOR && tensor_is_constant(ctx->facts, id);
}

static bool is_attended(const adept_count *ctx, adept_tensor_id id) {
    return id != ADEPT_NO_TENSOR && ctx->facts->is_attended && ctx->facts->is_attended[id];
}

bool adept_count_is_attended(const adept_count *ctx) {
    return is_attended(ctx, in_id(ctx, 0)) || is_attended(ctx, out_id(ctx, 0));
}

bool adept_count_is_operand(const adept_count *ctx, int32_t output) {
    adept_tensor_id id = out_id(ctx, output);
    return id != ADEPT_NO_TENSOR && ctx->facts->is_operand && ctx->facts->is_operand[id];
}

static bool is_one_of(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Another layout or type of a weight is made once, not in every step. */
static bool is_layout_change(const adept_node *node) {
    static const char *const layout[] = {"Cast",    "CastLike",  "DequantizeLinear", "ExpandDims",
                                         "Flatten", "Identity",  "QuantizeLinear",   "Reshape",
                                         "Squeeze", "Transpose", "Unsqueeze"};
    return is_one_of(node->op_type, layout, sizeof layout / sizeof layout[0]);
}

/* Runs anew in every step although its inputs never change, or is no operator of its own. */
static bool is_never_folded(const adept_node *node) {
    static const char *const live[] = {"Bernoulli",
                                       "Dropout",
                                       "If",
                                       "Loop",
                                       "Multinomial",
                                       "RandomNormal",
                                       "RandomNormalLike",
                                       "RandomUniform",
                                       "RandomUniformLike",
                                       "Scan",
                                       "SequenceMap"};
    return is_one_of(node->op_type, live, sizeof live / sizeof live[0]);
}

/* A weight, or a weight in another layout. */
static bool stems_from_parameter(const adept_graph *graph, const bool *is_parameter, adept_tensor_id id) {
    enum { LAYOUT_CHANGES = 16 };
    for (int32_t i = 0; i < LAYOUT_CHANGES && id != ADEPT_NO_TENSOR && !is_parameter[id]; i++) {
        const adept_tensor *tensor = &graph->tensors[id];
        if (tensor->producer < 0)
            return false;
        const adept_node *node = &graph->bodies[tensor->body]->nodes[tensor->producer];
        if (!is_layout_change(node) || node->input_count < 1)
            return false;
        id = node->inputs[0];
    }
    return id != ADEPT_NO_TENSOR && is_parameter[id];
}

static bool follows_from_constants(const bool *is_constant, const adept_node *node, const adept_graph *graph,
                                   const bool *is_parameter) {
    if (is_never_folded(node))
        return false;
    bool layout = is_layout_change(node);
    for (int32_t i = 0; i < node->input_count; i++) {
        adept_tensor_id id = node->inputs[i];
        if (id != ADEPT_NO_TENSOR &&
            (!is_constant[id] || (!layout && stems_from_parameter(graph, is_parameter, id))))
            return false;
    }
    return true;
}

void adept_count_mark_constants(bool *is_constant, const adept_ops *ops, const adept_graph *graph,
                                const adept_shapes *shapes, const bool *is_parameter) {
    for (int32_t i = 0; i < graph->tensor_count; i++)
        is_constant[i] = graph->tensors[i].constant || value_is_known(known_shape(shapes, i));
    for (int32_t i = 0; i < ops->count; i++) {
        const adept_node *node = ops->items[i].node;
        if (ops->items[i].composite || !follows_from_constants(is_constant, node, graph, is_parameter))
            continue;
        for (int32_t k = 0; k < node->output_count; k++)
            if (node->outputs[k] != ADEPT_NO_TENSOR)
                is_constant[node->outputs[k]] = true;
    }
}

static int32_t rank_of(const adept_shapes *shapes, adept_tensor_id id) {
    return id == ADEPT_NO_TENSOR ? -1 : shapes->tensors[id].rank;
}

/* Whether an operator reads its inputs by strides, so that views before it need no copy. */
typedef bool takes_views(const adept_op *op, const adept_shapes *shapes, const bool *marked);

/* Both operands have batch dimensions: against a matrix without, rows are gathered into one product first. */
static bool is_batched_product(const adept_op *op, const adept_shapes *shapes, const bool *marked) {
    const adept_node *node = op->node;
    (void)marked;
    return strcmp(node->op_type, "MatMul") == 0 && node->input_count == 2 &&
           rank_of(shapes, node->inputs[0]) >= 3 && rank_of(shapes, node->inputs[1]) >= 3;
}

static bool is_attention(const adept_op *op) {
    return op->part_of < 0 && strcmp(op->node->op_type, "Attention") == 0 && !op->node->domain[0];
}

static adept_tensor_id first_output(const adept_node *node) {
    return node->output_count > 0 ? node->outputs[0] : ADEPT_NO_TENSOR;
}

/* Attention itself, or a view for it: strides of strides are strides. */
static bool is_attending(const adept_op *op, const adept_shapes *shapes, const bool *marked) {
    const adept_node *node = op->node;
    adept_tensor_id out = first_output(node);
    bool view = strcmp(node->op_type, "Transpose") == 0 || strcmp(node->op_type, "Identity") == 0;
    (void)shapes;
    return is_attention(op) || (view && out != ADEPT_NO_TENSOR && marked[out]);
}

/* From the last operator on, so that a reader is known before what it reads. */
static void mark_inputs(bool *marked, const adept_ops *ops, const adept_shapes *shapes, takes_views *takes,
                        bool mark) {
    for (int32_t i = ops->count; i-- > 0;) {
        const adept_node *node = ops->items[i].node;
        if (ops->items[i].part_of >= 0 || takes(&ops->items[i], shapes, marked) != mark)
            continue;
        for (int32_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] != ADEPT_NO_TENSOR)
                marked[node->inputs[k]] = mark;
    }
}

/* Marks what such operators alone read. */
static void mark_views(bool *marked, const adept_ops *ops, const adept_graph *graph,
                       const adept_shapes *shapes, takes_views *takes) {
    mark_inputs(marked, ops, shapes, takes, true);
    mark_inputs(marked, ops, shapes, takes, false);
    for (int32_t b = 0; b < graph->body_count; b++) {
        const adept_body *body = graph->bodies[b];
        for (int32_t k = 0; k < body->output_count; k++)
            if (body->outputs[k] != ADEPT_NO_TENSOR)
                marked[body->outputs[k]] = false;
    }
}

void adept_count_mark_operands(bool *is_operand, const adept_ops *ops, const adept_graph *graph,
                               const adept_shapes *shapes) {
    memset(is_operand, 0, (size_t)graph->tensor_count * sizeof *is_operand);
    mark_views(is_operand, ops, graph, shapes, is_batched_product);
}

void adept_count_mark_attended(bool *is_attended, const adept_ops *ops, const adept_graph *graph,
                               const adept_shapes *shapes, const adept_run *run) {
    memset(is_attended, 0, (size_t)graph->tensor_count * sizeof *is_attended);
    if (run->attention != ADEPT_ATTENTION_FLASH)
        return;
    mark_views(is_attended, ops, graph, shapes, is_attending);
    for (int32_t i = 0; i < ops->count; i++) {
        adept_tensor_id out = first_output(ops->items[i].node);
        if (is_attention(&ops->items[i]) && out != ADEPT_NO_TENSOR)
            is_attended[out] = true;
    }
}

/* Every output is known before the step runs. */
static bool is_folded(const adept_count *ctx) {
    bool any = false;
    for (int32_t i = 0; i < ctx->op->node->output_count; i++) {
        adept_tensor_id id = out_id(ctx, i);
        if (id == ADEPT_NO_TENSOR)
            continue;
        if (!tensor_is_constant(ctx->facts, id))
            return false;
        any = true;
    }
    return any;
}

/* First number of a constant of the file; missing if it has none that can be read. */
static double first_number(const adept_count *ctx, const adept_constant *constant, double missing) {
    const int64_t *ints = NULL;
    const double *reals = NULL;
    if (constant->elements != 1 ||
        adept_constant_read(ctx->facts->graph, constant, ctx->arena, &ints, &reals, NULL) != ADEPT_OK)
        return missing;
    return reals ? reals[0] : ints ? (double)ints[0] : missing;
}

double adept_count_scalar(const adept_count *ctx, int32_t input, double missing) {
    adept_tensor_id id = in_id(ctx, input);
    if (id == ADEPT_NO_TENSOR)
        return missing;
    const adept_value *value = ctx->facts->shapes->tensors[id].value;
    if (value && value->count > 0 && (!value->known || value->known[0])) {
        if (value->reals)
            return value->reals[0];
        if (value->ints)
            return (double)value->ints[0];
    }
    const adept_constant *constant = ctx->facts->graph->tensors[id].constant;
    return constant ? first_number(ctx, constant, missing) : missing;
}

/* --- attributes --- */

int64_t adept_count_attr_int(const adept_count *ctx, const char *name, int64_t missing) {
    const adept_attribute *attribute = adept_node_attribute(ctx->op->node, name);
    return attribute && attribute->type == ADEPT_ATTRIBUTE_INT ? attribute->i : missing;
}

double adept_count_attr_float(const adept_count *ctx, const char *name, double missing) {
    const adept_attribute *attribute = adept_node_attribute(ctx->op->node, name);
    return attribute && attribute->type == ADEPT_ATTRIBUTE_FLOAT ? attribute->f : missing;
}

const char *adept_count_attr_string(const adept_count *ctx, const char *name, const char *missing) {
    const adept_attribute *attribute = adept_node_attribute(ctx->op->node, name);
    return attribute && attribute->type == ADEPT_ATTRIBUTE_STRING && attribute->s ? attribute->s : missing;
}

const int64_t *adept_count_attr_ints(const adept_count *ctx, const char *name, int32_t *count) {
    const adept_attribute *attribute = adept_node_attribute(ctx->op->node, name);
    bool found = attribute && attribute->type == ADEPT_ATTRIBUTE_INTS;
    *count = found ? attribute->count : 0;
    return found ? attribute->ints : NULL;
}

/* --- results --- */

/* Doubles an array in the arena (the old one stays there until the arena goes). */
static void *grown(adept_arena *arena, void *items, int32_t count, int32_t *capacity, size_t size_B) {
    if (count < *capacity)
        return items;
    int32_t larger = *capacity ? *capacity * 2 : 4;
    void *bigger = adept_arena_array(arena, (size_t)larger, size_B);
    if (!bigger)
        return NULL;
    if (count)
        memcpy(bigger, items, (size_t)count * size_B);
    *capacity = larger;
    return bigger;
}

/* The type that matrix units work in: what autocast chose, else the widest floating-point input. */
static adept_dtype working_type(const adept_count *ctx) {
    if (ctx->compute != ADEPT_DTYPE_UNDEFINED)
        return ctx->compute;
    for (int32_t i = 0; i < ctx->op->node->input_count; i++) {
        adept_dtype stored = storage_of(ctx, in_id(ctx, i));
        if (adept_dtype_is_float(stored))
            return stored;
    }
    return storage_of(ctx, in_id(ctx, 0));
}

static bool on_matrix_units(adept_kernel_kind kind) {
    return kind <= ADEPT_KERNEL_RECURRENT;
}

/* General cores compute 16-bit elements in FP32 registers (PyTorch's opmath type). */
static adept_math math_of(adept_dtype type, adept_kernel_kind kind, const adept_run *run) {
    static const struct {
        adept_dtype type;
        adept_math math;
    } matrix_math[] = {
        {ADEPT_DTYPE_FLOAT16,        ADEPT_MATH_FP16},
        {ADEPT_DTYPE_BFLOAT16,       ADEPT_MATH_BF16},
        {ADEPT_DTYPE_INT8,           ADEPT_MATH_INT8},
        {ADEPT_DTYPE_UINT8,          ADEPT_MATH_INT8},
        {ADEPT_DTYPE_INT4,           ADEPT_MATH_INT4},
        {ADEPT_DTYPE_UINT4,          ADEPT_MATH_INT4},
        {ADEPT_DTYPE_FLOAT8E4M3FN,   ADEPT_MATH_FP8 },
        {ADEPT_DTYPE_FLOAT8E5M2,     ADEPT_MATH_FP8 },
        {ADEPT_DTYPE_FLOAT8E4M3FNUZ, ADEPT_MATH_FP8 },
        {ADEPT_DTYPE_FLOAT8E5M2FNUZ, ADEPT_MATH_FP8 },
        {ADEPT_DTYPE_FLOAT4E2M1,     ADEPT_MATH_FP4 },
    };
    if (type == ADEPT_DTYPE_DOUBLE)
        return ADEPT_MATH_FP64;
    if (!on_matrix_units(kind))
        return ADEPT_MATH_FP32;
    for (size_t i = 0; i < sizeof matrix_math / sizeof matrix_math[0]; i++)
        if (matrix_math[i].type == type)
            return matrix_math[i].math;
    return run->precision == ADEPT_PRECISION_TF32 ? ADEPT_MATH_TF32 : ADEPT_MATH_FP32;
}

adept_kernel *adept_count_emit(adept_count *ctx, adept_pass pass, adept_kernel_kind kind) {
    adept_counted *out = ctx->out;
    adept_kernel *kernel = &ctx->scratch;
    adept_kernel *kernels =
        grown(ctx->arena, out->kernels, out->kernel_count, &ctx->kernel_capacity, sizeof *kernels);
    if (kernels) {
        out->kernels = kernels;
        kernel = &kernels[out->kernel_count++];
    } else {
        ctx->short_of_memory = true;
    }
    adept_dtype type = working_type(ctx);
    *kernel = (adept_kernel){.pass = pass,
                             .kind = kind,
                             .math = math_of(type, kind, ctx->facts->run),
                             .launches = 1,
                             .steps = 1,
                             .elements = adept_count_out_elements(ctx, 0),
                             .element_B = dtype_B(type)};
    return kernel;
}

void adept_count_save_extra(adept_count *ctx, double bytes) {
    ctx->out->saved_extra_B += bytes;
}

/* What autograd keeps of a converted input is the converted copy. */
void adept_count_save_input(adept_count *ctx, int32_t input) {
    if (is_cast(ctx, input) || input >= 64)
        adept_count_save_extra(ctx, adept_count_in_B(ctx, input));
    else if (in_id(ctx, input) != ADEPT_NO_TENSOR)
        ctx->out->saves_inputs |= UINT64_C(1) << input;
}

void adept_count_save_output(adept_count *ctx, int32_t output) {
    if (out_id(ctx, output) != ADEPT_NO_TENSOR && output < 64)
        ctx->out->saves_outputs |= UINT64_C(1) << output;
}

void adept_count_workspace(adept_count *ctx, double bytes) {
    ctx->out->workspace_B += bytes;
}

static void add_alias(adept_count *ctx, int32_t output, int32_t input, bool as_matrices) {
    adept_counted *out = ctx->out;
    if (out_id(ctx, output) == ADEPT_NO_TENSOR || in_id(ctx, input) == ADEPT_NO_TENSOR)
        return;
    adept_alias *aliases =
        grown(ctx->arena, out->aliases, out->alias_count, &ctx->alias_capacity, sizeof *aliases);
    if (!aliases) {
        ctx->short_of_memory = true;
        return;
    }
    out->aliases = aliases;
    aliases[out->alias_count++] = (adept_alias){output, input, as_matrices};
}

void adept_count_alias(adept_count *ctx, int32_t output, int32_t input) {
    add_alias(ctx, output, input, false);
}

void adept_count_alias_as_matrices(adept_count *ctx, int32_t output, int32_t input) {
    add_alias(ctx, output, input, true);
}

adept_status adept_count_fail(adept_count *ctx, adept_status status, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const adept_node *node = ctx->op->node;
    return adept_fail(ctx->err, status, "node '%s' (%s): %s", node->name, node->op_type, text);
}

/* --- autocast --- */

static bool is_weight(const adept_count *ctx, int32_t input) {
    return ctx->facts->graph->tensors[in_id(ctx, input)].constant;
}

/*
 * Conversions before the operator and, for gradients, after it: read one type, write the other. Who rewrites
 * the graph converts all weights in a few kernels: their bytes count, not their launches.
 */
static void emit_casts(adept_count *ctx, adept_pass pass) {
    bool batched = adept_precision_rewrites_graph(adept_count_run(ctx));
    for (int32_t i = 0; i < ctx->op->node->input_count; i++) {
        double elements = adept_count_in_elements(ctx, i);
        if (!is_cast(ctx, i) || elements <= 1 ||
            (pass == ADEPT_PASS_BACKWARD && !adept_count_needs_grad(ctx, i)))
            continue;
        double stored_B = elements * dtype_B(storage_of(ctx, in_id(ctx, i)));
        double computed_B = elements * dtype_B(ctx->compute);
        adept_kernel *kernel = adept_count_emit(ctx, pass, ADEPT_KERNEL_CAST);
        kernel->elements = elements;
        kernel->read_B = pass == ADEPT_PASS_FORWARD ? stored_B : computed_B;
        kernel->write_B = pass == ADEPT_PASS_FORWARD ? computed_B : stored_B;
        if (batched && is_weight(ctx, i))
            kernel->launches = 0;
    }
}

static adept_dtype autocast_type(const adept_op *op, const adept_run *run) {
    bool amp = run->precision == ADEPT_PRECISION_FP16_AMP || run->precision == ADEPT_PRECISION_BF16_AMP;
    if (run->precision == ADEPT_PRECISION_INT8 && op->handler->autocast == ADEPT_AUTOCAST_LOW)
        return ADEPT_DTYPE_INT8;
    if (!amp || run->amp_level == ADEPT_AMP_O2)
        return ADEPT_DTYPE_UNDEFINED;
    if (op->handler->autocast == ADEPT_AUTOCAST_LOW)
        return run->precision == ADEPT_PRECISION_FP16_AMP ? ADEPT_DTYPE_FLOAT16 : ADEPT_DTYPE_BFLOAT16;
    return op->handler->autocast == ADEPT_AUTOCAST_FP32 ? ADEPT_DTYPE_FLOAT : ADEPT_DTYPE_UNDEFINED;
}

adept_status adept_count_operator(adept_counted *out, const adept_op *op, const adept_facts *facts,
                                  adept_arena *arena, adept_error *err) {
    *out = (adept_counted){0};
    if (!op->handler || !op->handler->count || op->part_of >= 0)
        return ADEPT_OK;
    adept_count ctx = {.op = op, .facts = facts, .arena = arena, .err = err, .out = out};
    if (is_folded(&ctx))
        return ADEPT_OK;
    ctx.compute = autocast_type(op, facts->run);
    emit_casts(&ctx, ADEPT_PASS_FORWARD);
    adept_status status = op->handler->count(&ctx);
    if (status != ADEPT_OK)
        return status;
    emit_casts(&ctx, ADEPT_PASS_BACKWARD);
    return ctx.short_of_memory ? adept_fail_memory(err) : ADEPT_OK;
}
