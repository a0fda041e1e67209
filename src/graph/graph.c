#include <string.h>

#include "mapping.h"
#include "model_graph.h"

void adept_graph_free(adept_graph *graph) {
    if (!graph)
        return;
    adept_mapping_close(graph->mapping);
    adept_arena_free(graph->arena); /* the graph itself lies in it */
}

const char *adept_graph_path(const adept_graph *graph) {
    return graph->path;
}

const char *adept_graph_producer(const adept_graph *graph) {
    return graph->producer;
}

int64_t adept_graph_ir_version(const adept_graph *graph) {
    return graph->ir_version;
}

int32_t adept_graph_opset(const adept_graph *graph, const char *domain) {
    const char *wanted = strcmp(domain, "ai.onnx") == 0 ? "" : domain;
    for (int32_t i = 0; i < graph->opset_count; i++) {
        if (strcmp(graph->opsets[i].domain, wanted) == 0)
            return graph->opsets[i].version;
    }
    return -1;
}

size_t adept_graph_node_count(const adept_graph *graph) {
    return (size_t)adept_graph_main(graph)->node_count;
}

size_t adept_graph_input_count(const adept_graph *graph) {
    return (size_t)adept_graph_main(graph)->input_count;
}

static const adept_tensor *input_tensor(const adept_graph *graph, size_t input) {
    return &graph->tensors[adept_graph_main(graph)->inputs[input]];
}

const char *adept_graph_input_name(const adept_graph *graph, size_t input) {
    return input_tensor(graph, input)->name;
}

adept_dtype adept_graph_input_dtype(const adept_graph *graph, size_t input) {
    const adept_type *type = input_tensor(graph, input)->declared;
    return type ? type->dtype : ADEPT_DTYPE_UNDEFINED;
}

const char *adept_graph_input_shape(const adept_graph *graph, size_t input) {
    return graph->input_shapes[input];
}

size_t adept_graph_warning_count(const adept_graph *graph) {
    return (size_t)graph->warning_count;
}

const char *adept_graph_warning(const adept_graph *graph, size_t warning) {
    return graph->warnings[warning];
}

const adept_attribute *adept_node_attribute(const adept_node *node, const char *name) {
    for (int32_t i = 0; i < node->attribute_count; i++) {
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    }
    return NULL;
}
