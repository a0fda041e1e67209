/* Loading what an onnx_writer wrote, and finding things in the result. */
#ifndef ADEPT_TEST_LOAD_SUPPORT_H
#define ADEPT_TEST_LOAD_SUPPORT_H

#include "model_graph.h"
#include "onnx_writer.h"
#include "test_support.h"

/* Loads and expects success. The writer keeps the bytes, as the graph borrows them. */
static inline adept_graph *load_written(const onnx_writer *w) {
    adept_graph *graph;
    adept_error error = ADEPT_ERROR_INIT;
    assert_ok(adept_graph_load_memory(&graph, w->bytes, w->size_B, "test.onnx", NULL, &error), error);
    return graph;
}

/* Loads, expects the status and that the message holds both texts; releases the writer. */
static inline void expect_failure(onnx_writer *w, adept_status status, const char *first,
                                  const char *second) {
    adept_graph *graph;
    adept_error error = ADEPT_ERROR_INIT;
    adept_status got = adept_graph_load_memory(&graph, w->bytes, w->size_B, "test.onnx", NULL, &error);
    if (got != status || !strstr(error.message, first) || !strstr(error.message, second) ||
        strncmp(error.message, "test.onnx: ", 11) != 0)
        fail_msg("status %d, expected %d with '%s' and '%s': %s", (int)got, (int)status, first, second,
                 error.message);
    assert_null(graph);
    onnx_writer_free(w);
}

static inline void release(adept_graph *graph, onnx_writer *w) {
    adept_graph_free(graph);
    onnx_writer_free(w);
}

static inline const adept_node *node_at(const adept_graph *graph, int32_t body, int32_t node) {
    return &graph->bodies[body]->nodes[node];
}

static inline const char *input_name(const adept_graph *graph, const adept_node *node, int32_t input) {
    return node->inputs[input] < 0 ? "" : graph->tensors[node->inputs[input]].name;
}

static inline const char *output_name(const adept_graph *graph, const adept_node *node, int32_t output) {
    return node->outputs[output] < 0 ? "" : graph->tensors[node->outputs[output]].name;
}

/* The tensor of a name; the test fails if there is none. */
static inline const adept_tensor *tensor_named(const adept_graph *graph, const char *name) {
    for (int32_t i = 0; i < graph->tensor_count; i++) {
        if (strcmp(graph->tensors[i].name, name) == 0)
            return &graph->tensors[i];
    }
    fail_msg("no tensor '%s'", name);
    return NULL;
}

#endif
