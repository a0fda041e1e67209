/*
 * Shape and type inference of a whole graph: adept_graph + bindings -> adept_shapes.
 *
 * The inference functions of the operators are the caller's (handlers/), reached by a lookup function:
 * this room knows no operator but the control flow that it drives.
 */
#ifndef ADEPT_SHAPES_H
#define ADEPT_SHAPES_H

#include "adept/run.h"
#include "infer.h"
#include "model_graph.h"

/* What the engine needs of an operator's row. */
typedef struct adept_infer_row {
    adept_infer_fn *infer;          /* NULL: unknown operator */
    int32_t min_inputs, max_inputs; /* max -1: any number */
} adept_infer_row;

/* Finds the row; infer is NULL if there is none. */
typedef adept_infer_row adept_infer_lookup(const char *domain, const char *op_type, int32_t opset);

typedef struct adept_assumption {
    const char *symbol;        /* bindable with --dim */
    int64_t value;             /* taken */
    adept_certainty certainty; /* EXACT when the user bound it */
    const char *node;          /* that needs it; NULL: an input dimension of the graph */
    const char *reason;
} adept_assumption;

/* A symbol of the graph's inputs and what it was bound to. */
typedef struct adept_symbol {
    const char *name;
    int64_t value;
    bool given; /* by --batch, --seq or --dim; else a default was taken */
    bool is_batch, is_seq;
} adept_symbol;

typedef struct adept_shapes {
    adept_arena *arena;
    const adept_graph *graph;
    adept_shape *tensors; /* [graph->tensor_count] */
    double *body_repeats; /* [graph->body_count] runs of each body per run of the main graph; 0: never */
    int32_t symbol_count;
    const adept_symbol *symbols;
    int32_t assumption_count;
    const adept_assumption *assumptions;
    int32_t note_count; /* disagreements between the file's value_info and inference, ... */
    const char *const *notes;
    double batch; /* samples of the run; 1 where the graph has no batch */
} adept_shapes;

/* Numbers to take as known for inputs of the main graph, for tests (stored inputs of a model case). */
typedef struct adept_fed_value {
    const char *input;
    adept_shape shape; /* its dims replace the declared ones; value may be NULL */
} adept_fed_value;

/*
 * Infers everything. run: batch, seq, dims are used, nothing else.
 * Errors    ARGUMENT (a binding that no symbol takes, a --batch that a static graph contradicts, with what
 *           the file has), SHAPE (inputs of an operator disagree), RANGE (sizes beyond int64), NOMEM
 */
adept_status adept_shapes_infer(adept_shapes **out, const adept_graph *graph, const adept_run *run,
                                adept_infer_lookup *lookup, const adept_fed_value *fed, size_t fed_count,
                                adept_error *err);
void adept_shapes_free(adept_shapes *shapes);

/* Elements of a tensor's shape, 0 if unknown; never overflows (checked when the shape was set). */
int64_t adept_shape_elements(const adept_shape *shape);

#endif
