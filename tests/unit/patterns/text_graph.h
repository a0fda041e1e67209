/*
 * Graphs written as text: "Mul a x w; Add y a b". Each statement is operator, output, inputs.
 *
 * x, y0, z    inputs of [4, 8]            q, k, v     inputs of [2, 4, 16, 8]
 * w..., b...  weights of [8]              =0.5        a constant of one element
 * -           an input that is left out   :axis=1     an integer attribute of the statement
 * *name       an output that is also an output of the graph
 */
#ifndef ADEPT_TEXT_GRAPH_H
#define ADEPT_TEXT_GRAPH_H

#include <stdbool.h>

#include "onnx_writer.h"
#include "test_support.h"

#include "adept/graph.h"

enum { TEXT_GRAPH_NAMES = 128 };

typedef struct text_graph {
    onnx_writer w;
    char names[TEXT_GRAPH_NAMES][32]; /* declared so far */
    int name_count;
} text_graph;

static inline void text_graph_declare(text_graph *g, const char *name) {
    for (int i = 0; i < g->name_count; i++) {
        if (strcmp(g->names[i], name) == 0)
            return;
    }
    assert_true(g->name_count < TEXT_GRAPH_NAMES);
    snprintf(g->names[g->name_count++], sizeof g->names[0], "%s", name);
    float value = strtof(name + 1, NULL);
    if (name[0] == '=')
        onnx_initializer(&g->w, name, 1, "", &value, sizeof value);
    else if (name[0] == 'w' || name[0] == 'b')
        onnx_initializer_external(&g->w, name, 1, "8", "weights.bin");
    else if (name[0] == 'q' || name[0] == 'k' || name[0] == 'v')
        onnx_input(&g->w, name, 1, name[1] == 't' ? "2,4,8,16" : "2,4,16,8");
    else
        onnx_input(&g->w, name, 1, "4,8");
}

static inline void text_graph_statement(text_graph *g, char *statement) {
    char inputs[512] = "", *rest = NULL;
    char *op_type = strtok_r(statement, " ", &rest), *output = strtok_r(NULL, " ", &rest);
    const char *attributes[4];
    int attribute_count = 0;
    assert_non_null(output);
    bool is_output = output[0] == '*';
    output += is_output;
    for (char *word; (word = strtok_r(NULL, " ", &rest));) {
        if (word[0] == ':') {
            assert_true(attribute_count < 4);
            attributes[attribute_count++] = word + 1;
            continue;
        }
        bool computed = false;
        for (int i = 0; i < g->name_count; i++)
            computed = computed || strcmp(g->names[i], word) == 0;
        if (!computed && word[0] != '-')
            text_graph_declare(g, word);
        size_t length = strlen(inputs);
        snprintf(inputs + length, sizeof inputs - length, "%s%s", length ? "," : "",
                 word[0] == '-' ? "" : word);
    }
    onnx_node_begin(&g->w, 1, op_type, "", output, inputs, output);
    for (int i = 0; i < attribute_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(attributes[i], "="), attributes[i]);
        const char *value = strchr(attributes[i], '=') + 1;
        int64_t number = strtoll(value, NULL, 10);
        if (value[0] == '[')
            onnx_attribute_ints(&g->w, name, (number = strtoll(value + 1, NULL, 10), &number), 1);
        else
            onnx_attribute_int(&g->w, name, number);
    }
    onnx_end(&g->w);
    assert_true(g->name_count < TEXT_GRAPH_NAMES);
    snprintf(g->names[g->name_count++], sizeof g->names[0], "%s", output);
    if (is_output)
        onnx_output(&g->w, output, 0, NULL);
}

/* The graph borrows the bytes of g->w: free it first, then onnx_writer_free(&g->w). */
static inline adept_graph *text_graph_load(text_graph *g, const char *text, int opset) {
    char copy[4096], *rest = NULL;
    assert_true(strlen(text) < sizeof copy);
    snprintf(copy, sizeof copy, "%s", text);
    memset(g, 0, sizeof *g);
    onnx_model_begin(&g->w, 8, opset);
    for (char *s = strtok_r(copy, ";", &rest); s; s = strtok_r(NULL, ";", &rest))
        text_graph_statement(g, s);
    onnx_model_end(&g->w);
    adept_graph *graph = NULL;
    adept_error err = ADEPT_ERROR_INIT;
    if (adept_graph_load_memory(&graph, g->w.bytes, g->w.size_B, "text", NULL, &err) != ADEPT_OK)
        fail_msg("%s: %s", text, err.message);
    return graph;
}

#endif
