/*
 * Storage type of every tensor under the precision policy. The rules and their reasons: docs/work.md.
 *
 * fp32, tf32   as in the file
 * fp16, bf16   all floating point in that type; a file that already is 16-bit keeps its FP32 islands
 * fp16-amp,..  autocast: weights as in the file, results by the row's class; level o2: all in 16 bits
 * int8         results of matrix operators and their weights one byte, normalisations in 16 bits
 *
 * In every policy what stands between a DequantizeLinear and the next QuantizeLinear runs on the integers
 * themselves (QDQ groups are one kernel to a runtime).
 */
#include "count.h"
#include "handler.h"

#include <string.h>

typedef struct policy {
    adept_dtype low;   /* 16-bit type of the run; UNDEFINED: the file's own types */
    bool everything;   /* all floating point is stored in low */
    bool wide_weights; /* but weights, which are converted at each use */
    bool autocast;     /* by class of the row */
    bool integer;      /* int8 */
    bool low_in_file;  /* the file's weights are 16-bit already */
} policy;

static const struct {
    adept_precision precision;
    adept_dtype low;
    bool mixed;
} low_types[] = {
    {ADEPT_PRECISION_FP16,     ADEPT_DTYPE_FLOAT16,  false},
    {ADEPT_PRECISION_BF16,     ADEPT_DTYPE_BFLOAT16, false},
    {ADEPT_PRECISION_FP16_AMP, ADEPT_DTYPE_FLOAT16,  true },
    {ADEPT_PRECISION_BF16_AMP, ADEPT_DTYPE_BFLOAT16, true },
};

/* More 16-bit than 32-bit elements among the file's weights. */
static bool is_low_file(const adept_graph *graph) {
    double low = 0, high = 0;
    for (int32_t i = 0; i < graph->tensor_count; i++) {
        const adept_constant *constant = graph->tensors[i].constant;
        if (!constant || !adept_dtype_is_float(constant->dtype))
            continue;
        if (adept_dtype_bits(constant->dtype) == 16)
            low += (double)constant->elements;
        else if (adept_dtype_bits(constant->dtype) > 16)
            high += (double)constant->elements;
    }
    return low > high;
}

bool adept_precision_rewrites_graph(const adept_run *run) {
    static const char *const names[] = {"tensorflow", "mxnet", "paddle", "jax"};
    for (size_t i = 0; run->framework && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(run->framework, names[i]) == 0)
            return true;
    return false;
}

static policy policy_of(const adept_graph *graph, const adept_run *run) {
    policy p = {.low = ADEPT_DTYPE_UNDEFINED, .integer = run->precision == ADEPT_PRECISION_INT8};
    for (size_t i = 0; i < sizeof low_types / sizeof low_types[0]; i++) {
        if (low_types[i].precision != run->precision)
            continue;
        p.low = low_types[i].low;
        bool mixed = low_types[i].mixed && run->amp_level == ADEPT_AMP_AUTOCAST;
        p.wide_weights = mixed && adept_precision_rewrites_graph(run);
        p.autocast = mixed && !p.wide_weights;
        p.everything = !p.autocast;
    }
    p.low_in_file = is_low_file(graph);
    return p;
}

/* Type of a tensor that no rule of an operator decides: the declared one, moved to the policy's. */
static adept_dtype plain_type(const policy *p, adept_dtype declared) {
    int bits = adept_dtype_bits(declared);
    if (!p->everything || !adept_dtype_is_float(declared) || bits < 16)
        return declared;
    return p->low_in_file && bits > 16 ? declared : p->low;
}

static bool is_wider(adept_dtype a, adept_dtype b) {
    return adept_dtype_bits(a) > adept_dtype_bits(b) ||
           (a == ADEPT_DTYPE_BFLOAT16 && b == ADEPT_DTYPE_FLOAT16);
}

/* Widest floating-point type among the inputs; scalars do not widen a tensor (PyTorch's promotion). */
static adept_dtype widest_input(const adept_dtype *storage, const adept_node *node,
                                const adept_shapes *shapes) {
    adept_dtype widest = ADEPT_DTYPE_UNDEFINED, widest_scalar = ADEPT_DTYPE_UNDEFINED;
    for (int32_t i = 0; i < node->input_count; i++) {
        adept_tensor_id id = node->inputs[i];
        if (id == ADEPT_NO_TENSOR || !adept_dtype_is_float(storage[id]))
            continue;
        adept_dtype *best = shapes->tensors[id].rank == 0 ? &widest_scalar : &widest;
        if (*best == ADEPT_DTYPE_UNDEFINED || is_wider(storage[id], *best))
            *best = storage[id];
    }
    return widest != ADEPT_DTYPE_UNDEFINED ? widest : widest_scalar;
}

static adept_dtype first_input(const adept_dtype *storage, const adept_node *node) {
    for (int32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] != ADEPT_NO_TENSOR && adept_dtype_is_float(storage[node->inputs[i]]))
            return storage[node->inputs[i]];
    return ADEPT_DTYPE_UNDEFINED;
}

/* Operators that name the type of their result themselves. */
static bool names_its_type(const adept_node *node) {
    return adept_node_attribute(node, "to") || adept_node_attribute(node, "dtype");
}

/* Type of a floating-point result under autocast. */
static adept_dtype autocast_result(const policy *p, adept_autocast class, const adept_dtype *storage,
                                   const adept_node *node, const adept_shapes *shapes, adept_dtype declared) {
    adept_dtype type = declared;
    if (class == ADEPT_AUTOCAST_LOW)
        return p->low;
    if (class == ADEPT_AUTOCAST_FP32)
        return ADEPT_DTYPE_FLOAT;
    if (class == ADEPT_AUTOCAST_WIDEST)
        type = widest_input(storage, node, shapes);
    else if (!names_its_type(node))
        type = first_input(storage, node);
    return type == ADEPT_DTYPE_UNDEFINED ? declared : type;
}

static adept_dtype integer_result(adept_autocast class, const adept_dtype *storage, const adept_node *node,
                                  const adept_shapes *shapes, adept_dtype declared) {
    if (class == ADEPT_AUTOCAST_LOW)
        return ADEPT_DTYPE_INT8;
    if (class == ADEPT_AUTOCAST_FP32)
        return ADEPT_DTYPE_FLOAT16;
    for (int32_t i = 0; i < node->input_count; i++) /* an operand already in one byte carries it on */
        if (node->inputs[i] != ADEPT_NO_TENSOR && storage[node->inputs[i]] == ADEPT_DTYPE_INT8 &&
            adept_dtype_is_float(shapes->tensors[node->inputs[i]].dtype))
            return ADEPT_DTYPE_INT8;
    adept_dtype first = first_input(storage, node);
    return first == ADEPT_DTYPE_UNDEFINED ? declared : first;
}

/* Weights of matrix operators are stored in the operators' one byte. */
static void store_weights_as_integers(adept_dtype *storage, const adept_op *op, const adept_graph *graph) {
    if (op->handler->autocast != ADEPT_AUTOCAST_LOW)
        return;
    for (int32_t i = 0; i < op->node->input_count; i++) {
        adept_tensor_id id = op->node->inputs[i];
        if (id != ADEPT_NO_TENSOR && graph->tensors[id].constant && graph->tensors[id].constant->rank > 1 &&
            adept_dtype_is_float(storage[id]))
            storage[id] = ADEPT_DTYPE_INT8;
    }
}

/* Integer type that all floating-point tensors among the inputs are stored in; UNDEFINED: there is none. */
static adept_dtype integers_in(const adept_dtype *storage, const adept_node *node,
                               const adept_shapes *shapes) {
    adept_dtype found = ADEPT_DTYPE_UNDEFINED;
    for (int32_t i = 0; i < node->input_count; i++) {
        adept_tensor_id id = node->inputs[i];
        if (id == ADEPT_NO_TENSOR || !adept_dtype_is_float(shapes->tensors[id].dtype) ||
            shapes->tensors[id].rank == 0)
            continue;
        if (!adept_dtype_is_integer(storage[id]))
            return ADEPT_DTYPE_UNDEFINED;
        found = found == ADEPT_DTYPE_UNDEFINED ? storage[id] : found;
    }
    return adept_dtype_bits(found) <= 16 ? found : ADEPT_DTYPE_UNDEFINED;
}

static adept_dtype quantized_result(const adept_op *op, const adept_dtype *storage,
                                    const adept_shapes *shapes) {
    const adept_node *node = op->node;
    if (strcmp(node->op_type, "DequantizeLinear") == 0 && node->inputs[0] != ADEPT_NO_TENSOR)
        return storage[node->inputs[0]];
    if (op->handler->autocast == ADEPT_AUTOCAST_FP32)
        return ADEPT_DTYPE_UNDEFINED;
    return integers_in(storage, node, shapes);
}

static adept_dtype result_type(const policy *p, const adept_op *op, const adept_dtype *storage,
                               const adept_shapes *shapes, adept_dtype declared) {
    if (!op->handler || !adept_dtype_is_float(declared))
        return declared;
    adept_dtype quantized = quantized_result(op, storage, shapes);
    if (quantized != ADEPT_DTYPE_UNDEFINED)
        return quantized;
    if (p->autocast)
        return autocast_result(p, op->handler->autocast, storage, op->node, shapes, declared);
    if (p->integer)
        return integer_result(op->handler->autocast, storage, op->node, shapes, declared);
    return plain_type(p, declared);
}

adept_status adept_precision_assign(adept_dtype *storage, const adept_ops *ops, const adept_graph *graph,
                                    const adept_shapes *shapes, const adept_run *run, adept_error *err) {
    (void)err;
    policy p = policy_of(graph, run);
    for (int32_t i = 0; i < graph->tensor_count; i++)
        storage[i] = p.wide_weights && graph->tensors[i].constant ? shapes->tensors[i].dtype
                                                                  : plain_type(&p, shapes->tensors[i].dtype);
    for (int32_t i = 0; i < ops->count; i++) {
        const adept_op *op = &ops->items[i];
        if (p.integer && op->handler)
            store_weights_as_integers(storage, op, graph);
        for (int32_t k = 0; k < op->node->output_count; k++) {
            adept_tensor_id id = op->node->outputs[k];
            if (id != ADEPT_NO_TENSOR && !graph->tensors[id].constant)
                storage[id] = result_type(&p, op, storage, shapes, shapes->tensors[id].dtype);
        }
    }
    return ADEPT_OK;
}
