#include "restore.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"

enum { BATCHNORM_OPSET = 15 };

static const char *tensor_name(const adept_network *network, const adept_node *node, int32_t input) {
    adept_tensor_id t = input < node->input_count ? node->inputs[input] : ADEPT_NO_TENSOR;
    return t == ADEPT_NO_TENSOR ? "" : network->graph.tensors[t].name;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* PyTorch's older exporter renames a weight into which it folded something: onnx::Conv_123. */
static bool is_renamed(const char *name) {
    static const char prefix[] = "onnx::Conv_";
    return strncmp(name, prefix, sizeof prefix - 1) == 0 && isdigit((unsigned char)name[sizeof prefix - 1]);
}

/* The traces that folding leaves: the rewriter's rule, the name of the new bias, the unnamed weight. */
static bool shows_folding(const adept_network *network, const adept_node *node) {
    if (node->rule_names && strstr(node->rule_names, "FuseBatchNormIntoConv"))
        return true;
    if (node->class_hierarchy && strstr(node->class_hierarchy, "BatchNorm"))
        return true;
    const char *weight = tensor_name(network, node, 1), *bias = tensor_name(network, node, 2);
    return ends_with(bias, ".weight_bias") || (is_renamed(weight) && is_renamed(bias));
}

static bool is_convolution(const adept_node *node) {
    return !node->domain[0] &&
           (strcmp(node->op_type, "Conv") == 0 || strcmp(node->op_type, "ConvTranspose") == 0);
}

static bool was_folded(const adept_network *network, const adept_op *op, const adept_run *run) {
    const adept_node *node = op->node;
    if (!is_convolution(node) || node->input_count < 3 || node->inputs[2] == ADEPT_NO_TENSOR ||
        node->outputs[0] == ADEPT_NO_TENSOR)
        return false;
    const adept_tensor *bias = &network->graph.tensors[node->inputs[2]];
    if (!bias->is_initializer || !bias->constant || network->shapes.tensors[node->outputs[0]].rank < 2)
        return false;
    return run->batchnorm == ADEPT_BATCHNORM_RESTORE || shows_folding(network, node);
}

/* conv + bias -> conv without bias, then a normalisation whose shift is the old bias. */
static bool restore_batchnorm(adept_network *network, int32_t index) {
    const adept_op op = network->ops.items[index];
    const adept_node *node = op.node;
    const adept_shape out = network->shapes.tensors[node->outputs[0]];
    int64_t channels = out.dims[1];
    char name[512];
    snprintf(name, sizeof name, "%s before BatchNormalization (restored)",
             network->graph.tensors[node->outputs[0]].name);
    adept_tensor_id plain = adept_network_add_tensor(network, name, &out, op.body);
    snprintf(name, sizeof name, "%s.scale (restored)", node->name);
    adept_tensor_id scale = adept_network_add_parameter(network, name, out.dtype, 1, &channels);
    snprintf(name, sizeof name, "%s.mean (restored)", node->name);
    adept_tensor_id mean = adept_network_add_parameter(network, name, out.dtype, 1, &channels);
    snprintf(name, sizeof name, "%s.var (restored)", node->name);
    adept_tensor_id var = adept_network_add_parameter(network, name, out.dtype, 1, &channels);
    if (plain == ADEPT_NO_TENSOR || scale == ADEPT_NO_TENSOR || mean == ADEPT_NO_TENSOR ||
        var == ADEPT_NO_TENSOR)
        return false;
    adept_node *conv = adept_network_make_node(network, node->op_type, node->name, node->module, node->opset,
                                               2, node->inputs, 1, &plain);
    snprintf(name, sizeof name, "%s (BatchNormalization restored)", node->name);
    adept_node *norm = adept_network_make_node(
        network, "BatchNormalization", name, node->module, BATCHNORM_OPSET, 5,
        (adept_tensor_id[]){plain, scale, node->inputs[2], mean, var}, 1, node->outputs);
    if (!conv || !norm)
        return false;
    conv->attribute_count = node->attribute_count;
    conv->attributes = node->attributes;
    network->ops.items[index].node = conv;
    adept_op restored = {.node = norm,
                         .handler = adept_handler_find("", "BatchNormalization", BATCHNORM_OPSET),
                         .body = op.body,
                         .node_index = op.node_index,
                         .part_of = -1,
                         .restored = true};
    return adept_network_pend(network, index, &restored) >= 0;
}

static adept_status restore_batchnorms(adept_network *network, const adept_run *run, adept_error *err) {
    int64_t restored = 0;
    for (int32_t i = 0; i < network->ops.count; i++) {
        if (!was_folded(network, &network->ops.items[i], run))
            continue;
        if (!restore_batchnorm(network, i))
            return adept_fail_memory(err);
        restored++;
    }
    if (restored &&
        !adept_network_note(network,
                            "%lld BatchNormalization restored that the export folded into convolutions "
                            "(--batchnorm as-is: count the file as it is)",
                            (long long)restored))
        return adept_fail_memory(err);
    return adept_network_merge(network, err);
}

adept_status adept_restore(adept_network *network, const adept_run *run, adept_error *err) {
    adept_status status = ADEPT_OK;
    if (run->mode != ADEPT_MODE_TRAIN)
        return ADEPT_OK;
    if (run->batchnorm != ADEPT_BATCHNORM_AS_IS)
        status = restore_batchnorms(network, run, err);
    if (status == ADEPT_OK && run->dropout > 0)
        status = adept_restore_dropouts(network, run, err);
    return status;
}
