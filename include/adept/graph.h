/*
 * A network as read from an ONNX file: nodes, tensors, constants; no batch size, no hardware.
 *
 * The graph owns all it hands out; names and messages are borrowed and live until adept_graph_free.
 */
#ifndef ADEPT_GRAPH_H
#define ADEPT_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "adept/dtype.h"
#include "adept/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adept_graph adept_graph;

/*
 * Reads path. Weights are not read: the file is mapped and their bytes are skipped.
 * Errors    IO (no such file, directory, permission), FORMAT (not ONNX, truncated, inconsistent; cycles),
 *           UNSUPPORTED (needs a newer specification), LIMIT (nesting, size), NOMEM
 */
adept_status adept_graph_load(adept_graph **out, const char *path, adept_error *err);

/* The same from memory; folder: where external data may lie, NULL: nowhere. bytes must outlive the graph. */
adept_status adept_graph_load_memory(adept_graph **out, const void *bytes, size_t size_B, const char *name,
                                     const char *folder, adept_error *err);
void adept_graph_free(adept_graph *graph); /* NULL is fine */

const char *adept_graph_path(const adept_graph *graph);     /* as given */
const char *adept_graph_producer(const adept_graph *graph); /* "pytorch 2.9.1", "" if not stated */
int64_t adept_graph_ir_version(const adept_graph *graph);
int32_t adept_graph_opset(const adept_graph *graph,
                          const char *domain);           /* "" or "ai.onnx"; -1: not imported */
size_t adept_graph_node_count(const adept_graph *graph); /* of the main graph, after inlining functions */

size_t adept_graph_input_count(const adept_graph *graph); /* without initializers */
const char *adept_graph_input_name(const adept_graph *graph, size_t input);
adept_dtype adept_graph_input_dtype(const adept_graph *graph, size_t input);
/* Dimensions as text, "[batch, 3, 224, 224]"; "?" where neither size nor symbol is given. */
const char *adept_graph_input_shape(const adept_graph *graph, size_t input);

/* Things found odd while reading and repaired or ignored (unsorted nodes, ...), one line each. */
size_t adept_graph_warning_count(const adept_graph *graph);
const char *adept_graph_warning(const adept_graph *graph, size_t warning);

#ifdef __cplusplus
}
#endif
#endif
