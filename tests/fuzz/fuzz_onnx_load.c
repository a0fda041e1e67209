/* Fuzz target: any bytes either load, and then every small constant can be asked for, or give one line. */
#include <assert.h>
#include <string.h>

#include "model_graph.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

static void read_constants(const adept_graph *graph) {
    adept_arena *arena = adept_arena_new(0);
    for (int32_t i = 0; arena && i < graph->tensor_count && i < 1000; i++) {
        const adept_constant *constant = graph->tensors[i].constant;
        const int64_t *ints;
        const double *reals;
        const char *const *strings;
        if (!constant)
            continue;
        (void)adept_constant_read(graph, constant, arena, &ints, &reals, NULL);
        (void)adept_constant_read_strings(graph, constant, arena, &strings, NULL);
    }
    adept_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B) {
    adept_graph *graph;
    adept_error error = ADEPT_ERROR_INIT;
    adept_status status = adept_graph_load_memory(&graph, bytes, size_B, "fuzz", NULL, &error);
    assert((status == ADEPT_OK) == (graph != NULL));
    if (status == ADEPT_OK)
        read_constants(graph);
    else
        assert(error.message[0] && !strchr(error.message, '\n'));
    adept_graph_free(graph);
    return 0;
}
