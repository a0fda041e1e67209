/* Graphs built by hand, and a handful of operators with the least that a test of the engine needs. */
#ifndef ADEPT_GRAPH_BUILDER_H
#define ADEPT_GRAPH_BUILDER_H

#include "arena.h"
#include "model_graph.h"
#include "shapes.h"

typedef struct builder builder;

builder *builder_new(void);
void builder_free(builder *b);

/* Bodies: 0 is the main graph. */
int32_t add_body(builder *b, const char *name);

/* dims: "2, batch, 2*seq, ?" ; NULL: no shape stated. */
adept_tensor_id add_input(builder *b, int32_t body, const char *name, adept_dtype dtype, const char *dims);
adept_tensor_id add_tensor(builder *b, int32_t body, const char *name);
void declare(builder *b, adept_tensor_id tensor, adept_dtype dtype, const char *dims);
adept_tensor_id add_ints(builder *b, int32_t body, const char *name, int32_t count, const int64_t *values);
void add_output(builder *b, int32_t body, adept_tensor_id tensor);

/* inputs ended by -2; one output, which is returned. name: of node and output. */
adept_tensor_id add_node(builder *b, int32_t body, const char *op_type, const char *name,
                         const adept_tensor_id *inputs);
void add_more_output(builder *b, int32_t body, const char *name);        /* of the last node of the body */
void set_int(builder *b, int32_t body, const char *name, int64_t value); /* attribute of the last node */
void set_body(builder *b, int32_t body, const char *name, int32_t subgraph);

const adept_graph *built(builder *b);
adept_tensor_id find_tensor(const adept_graph *graph, const char *name);

/*
 * Same        output = input
 * Append      concatenation along axis 0
 * Fold        output = input, its integers too
 * Increment   integers plus one
 * Below       bool: integer input < attribute limit
 * Truth       bool scalar, attribute value
 * Count       data decides: [assumed "count" 10 (BOUND)], float
 * Guess       data decides: [assumed "count" 3 (ASSUMED)], float
 * Fill        shape given by the integers of input 0
 * Strict      fails unless input 0 has rank 2
 * If, Loop, Scan, SequenceMap of the engine
 */
adept_infer_row test_lookup(const char *domain, const char *op_type, int32_t opset);

#endif
