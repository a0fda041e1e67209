/*
 * Dropout that an export for inference removed. No trace of it is left in the file, so it is put where
 * networks have it: on the weights of attention, at the end of a residual branch (the linear layer before
 * the sum), on the sum of the embeddings, and on the activations of a classifier's hidden layers. That is
 * where BERT, GPT-2, T5, ViT and VGG drop (transformers 4, torchvision 0.20); a network that drops at fewer
 * places gets too many, which the note makes visible.
 */
#include "restore.h"

#include <stdio.h>
#include <string.h>

#include "fail.h"

enum { DROPOUT_OPSET = 13 };

/* Who writes and reads each tensor: operators by number, -1: none; a tensor with several readers names one.
 */
typedef struct flow {
    const adept_network *network;
    int32_t *producer, *reader, *readers;
} flow;

static adept_status find_flow(flow *f, const adept_network *network, adept_error *err) {
    size_t tensors = (size_t)network->graph.tensor_count;
    *f = (flow){.network = network,
                .producer = adept_arena_array(network->arena, tensors, sizeof *f->producer),
                .reader = adept_arena_array(network->arena, tensors, sizeof *f->reader),
                .readers = adept_arena_array(network->arena, tensors, sizeof *f->readers)};
    if (!f->producer || !f->reader || !f->readers)
        return adept_fail_memory(err);
    for (size_t t = 0; t < tensors; t++)
        f->producer[t] = f->reader[t] = -1;
    for (int32_t i = 0; i < network->ops.count; i++) {
        const adept_node *node = network->ops.items[i].node;
        for (int32_t k = 0; k < node->input_count; k++) {
            if (node->inputs[k] == ADEPT_NO_TENSOR)
                continue;
            f->reader[node->inputs[k]] = i;
            f->readers[node->inputs[k]]++;
        }
        for (int32_t k = 0; k < node->output_count; k++) {
            if (node->outputs[k] != ADEPT_NO_TENSOR)
                f->producer[node->outputs[k]] = i;
        }
    }
    return ADEPT_OK;
}

static bool is_type(const adept_node *node, const char *op_type) {
    return node && !node->domain[0] && strcmp(node->op_type, op_type) == 0;
}

/* NULL: an input, a weight, or nothing. */
static const adept_node *writer_of(const flow *f, adept_tensor_id t) {
    int32_t op = t == ADEPT_NO_TENSOR ? -1 : f->producer[t];
    return op < 0 ? NULL : f->network->ops.items[op].node;
}

/* The one reader of the operator's output, NULL: several or none. */
static const adept_node *only_reader(const flow *f, const adept_node *node) {
    adept_tensor_id t = node->outputs[0];
    return t != ADEPT_NO_TENSOR && f->readers[t] == 1 ? f->network->ops.items[f->reader[t]].node : NULL;
}

/* A weight, also behind Transpose or Identity. */
static bool is_weight(const flow *f, adept_tensor_id t) {
    const adept_node *writer = writer_of(f, t);
    if (writer && (is_type(writer, "Transpose") || is_type(writer, "Identity")))
        t = writer->inputs[0];
    return t != ADEPT_NO_TENSOR && f->network->graph.tensors[t].is_initializer;
}

static bool is_product_with_weight(const flow *f, const adept_node *node) {
    return node && node->input_count >= 2 && (is_type(node, "MatMul") || is_type(node, "Gemm")) &&
           is_weight(f, node->inputs[1]);
}

/* The last operator of a linear layer: Gemm, MatMul, or the sum of MatMul and a bias. */
static bool ends_linear(const flow *f, const adept_node *node) {
    if (is_product_with_weight(f, node)) {
        const adept_node *next = only_reader(f, node);
        return !is_type(next, "Add") || (!is_weight(f, next->inputs[0]) && !is_weight(f, next->inputs[1]));
    }
    if (!is_type(node, "Add"))
        return false;
    for (int k = 0; k < 2; k++) {
        if (is_weight(f, node->inputs[k]) && is_product_with_weight(f, writer_of(f, node->inputs[1 - k])))
            return true;
    }
    return false;
}

static int32_t rank_of(const flow *f, const adept_node *node) {
    return f->network->shapes.tensors[node->outputs[0]].rank;
}

/* --- the places --- */

static bool is_attention_weights(const flow *f, const adept_node *node) {
    return is_type(node, "Softmax") && is_type(only_reader(f, node), "MatMul");
}

/* The linear layer before the sum with the stream that goes around it; views may lie between. */
static bool ends_branch(const flow *f, const adept_node *node) {
    if (!ends_linear(f, node))
        return false;
    const adept_node *next = only_reader(f, node);
    while (is_type(next, "Reshape") || is_type(next, "Transpose") || is_type(next, "Identity"))
        next = only_reader(f, next);
    return is_type(next, "Add") && !is_weight(f, next->inputs[0]) && !is_weight(f, next->inputs[1]);
}

enum { MAX_SUMMANDS = 8 };

/* Whether a tensor is a sum of looked-up rows (and weights), at least one of them a row. */
static bool is_embedding(const flow *f, adept_tensor_id t, int depth) {
    const adept_node *writer = writer_of(f, t);
    if (is_type(writer, "Gather"))
        return is_weight(f, writer->inputs[0]);
    if (!is_type(writer, "Add") || depth == MAX_SUMMANDS)
        return false;
    bool a = is_embedding(f, writer->inputs[0], depth + 1), b = is_embedding(f, writer->inputs[1], depth + 1);
    return (a && b) || (a && is_weight(f, writer->inputs[1])) || (b && is_weight(f, writer->inputs[0]));
}

/* The whole sum, or the normalisation right behind it. */
static bool ends_embedding(const flow *f, const adept_node *node) {
    if (is_type(node, "LayerNormalization"))
        return is_embedding(f, node->inputs[0], 0) && f->readers[node->inputs[0]] == 1;
    if (!is_type(node, "Add") || !is_embedding(f, node->outputs[0], 0))
        return false;
    const adept_node *next = only_reader(f, node);
    return !is_type(next, "Add") && !is_type(next, "LayerNormalization");
}

/* A classifier works on one row a sample; elsewhere activations between linear layers are not dropped. */
static bool is_hidden_activation(const flow *f, const adept_node *node) {
    static const char *const activations[] = {"Relu", "Tanh", "Gelu", "HardSwish"};
    bool found = false;
    for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++)
        found = found || is_type(node, activations[i]);
    return found && rank_of(f, node) == 2 && ends_linear(f, writer_of(f, node->inputs[0])) &&
           is_product_with_weight(f, only_reader(f, node));
}

typedef struct place {
    const char *what;
    bool (*is_here)(const flow *f, const adept_node *node);
} place;

static const place places[] = {
    {"attention weights",         is_attention_weights},
    {"ends of residual branches", ends_branch         },
    {"embeddings",                ends_embedding      },
    {"hidden layers",             is_hidden_activation},
};
enum { PLACE_COUNT = sizeof places / sizeof places[0] };

/* --- putting it there --- */

static bool restore(adept_network *network, int32_t index) {
    const adept_op op = network->ops.items[index];
    adept_tensor_id out = op.node->outputs[0];
    char name[512];
    snprintf(name, sizeof name, "%s before Dropout (restored)", network->graph.tensors[out].name);
    const adept_shape shape = network->shapes.tensors[out];
    adept_tensor_id plain = adept_network_add_tensor(network, name, &shape, op.body);
    if (plain == ADEPT_NO_TENSOR)
        return false;
    adept_node *node =
        adept_network_make_node(network, op.node->op_type, op.node->name, op.node->module, op.node->opset,
                                op.node->input_count, op.node->inputs, 1, &plain);
    snprintf(name, sizeof name, "%s (Dropout restored)", op.node->name);
    adept_node *drop =
        adept_network_make_node(network, "Dropout", name, op.node->module, DROPOUT_OPSET, 1, &plain, 1, &out);
    if (!node || !drop)
        return false;
    node->attribute_count = op.node->attribute_count;
    node->attributes = op.node->attributes;
    network->ops.items[index].node = node;
    adept_op restored = {.node = drop,
                         .handler = adept_handler_find("", "Dropout", DROPOUT_OPSET),
                         .body = op.body,
                         .node_index = op.node_index,
                         .part_of = -1,
                         .restored = true};
    return adept_network_pend(network, index, &restored) >= 0;
}

static bool exports_dropout(const adept_network *network) {
    for (int32_t i = 0; i < network->ops.count; i++) {
        if (strcmp(network->ops.items[i].node->op_type, "Dropout") == 0)
            return true;
    }
    return false;
}

/* The place that an operator is, PLACE_COUNT: none. */
static size_t place_of(const flow *f, const adept_node *node) {
    size_t p = PLACE_COUNT;
    if (node->output_count >= 1 && node->outputs[0] != ADEPT_NO_TENSOR && node->input_count >= 1 &&
        node->inputs[0] != ADEPT_NO_TENSOR && rank_of(f, node) >= 0) {
        for (p = 0; p < PLACE_COUNT && !places[p].is_here(f, node); p++)
            continue;
    }
    return p;
}

static bool note(adept_network *network, const adept_run *run, const int64_t found[PLACE_COUNT]) {
    char list[256] = "none: no place found where networks have it";
    size_t length = 0;
    for (size_t p = 0; p < PLACE_COUNT; p++) {
        if (found[p])
            length += (size_t)snprintf(list + length, sizeof list - length, "%s%lld on %s",
                                       length ? ", " : "", (long long)found[p], places[p].what);
    }
    return adept_network_note(network, "Dropout restored (--dropout %g): %s", run->dropout, list);
}

adept_status adept_restore_dropouts(adept_network *network, const adept_run *run, adept_error *err) {
    flow f;
    int64_t found[PLACE_COUNT] = {0};
    if (exports_dropout(network))
        return ADEPT_OK;
    adept_status status = find_flow(&f, network, err);
    /* All places are found on the graph as it is; what is put in comes behind each operator. */
    for (int32_t i = 0; status == ADEPT_OK && i < network->ops.count; i++) {
        size_t p = place_of(&f, network->ops.items[i].node);
        if (p == PLACE_COUNT)
            continue;
        found[p]++;
        if (!restore(network, i))
            status = adept_fail_memory(err);
    }
    if (status == ADEPT_OK && !note(network, run, found))
        status = adept_fail_memory(err);
    return status == ADEPT_OK ? adept_network_merge(network, err) : status;
}
