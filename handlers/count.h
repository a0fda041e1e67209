/*
 * What a count function of an operator sees and says: shapes, storage types and gradients in; kernels,
 * saved activations and workspace out.
 *
 * A count function emits kernels (adept/workload.h). Work of an operator is the sum over its kernels,
 * so totals, tables and models cannot disagree.
 */
#ifndef ADEPT_COUNT_H
#define ADEPT_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "adept/workload.h"
#include "infer.h"
#include "model_graph.h"
#include "shapes.h"

struct adept_handler;

/* One operator to count: a node of the graph or a recognised composite. */
typedef struct adept_op {
    const adept_node *node; /* of the graph, or made up for a composite in the row's vocabulary */
    const struct adept_handler *handler; /* NULL: no row knows it */
    int32_t body;                        /* body it stands in */
    int32_t node_index;                  /* position in the body (a composite: of its last part) */
    int32_t part_of; /* index of the composite it is a part of, whose row counts it; -1: counted itself */
    bool composite;
    bool restored; /* not in the file: what its export removed */
} adept_op;

/* All operators in order of execution, bodies nested in place. A composite stands after its last part. */
typedef struct adept_ops {
    int32_t count;
    adept_op *items;
} adept_ops;

/* Facts about tensors, by tensor number; made by src/profile before counting. */
typedef struct adept_facts {
    const adept_graph *graph;
    const adept_shapes *shapes;
    const adept_run *run;
    const adept_dtype *storage; /* type a tensor is stored in under the precision policy */
    const bool *needs_grad;     /* a trainable parameter lies upstream; all false in inference */
    const bool *is_parameter;   /* trainable or frozen weight */
    const bool *is_constant; /* costs nothing to have: see adept_count_mark_constants; NULL: judge by node */
    const bool *is_attended; /* read by fused attention alone, or written by it; NULL: none is */
    const bool *is_operand; /* read by batched products alone: see adept_count_mark_operands; NULL: none is */
} adept_facts;

typedef struct adept_alias {
    int32_t output, input; /* output shares the storage of input */
    bool as_matrices;      /* a batched product takes this view as it is, without a copy */
} adept_alias;

/* What counting an operator yields; arrays live in the arena given. */
typedef struct adept_counted {
    int32_t kernel_count;
    adept_kernel *kernels;
    uint64_t saves_inputs, saves_outputs; /* bit i: the backward pass needs this tensor */
    double saved_extra_B;                 /* masks, statistics, ... that are no tensors of the graph */
    double workspace_B;                   /* beyond inputs and outputs, while it runs */
    int32_t alias_count;
    adept_alias *aliases;
} adept_counted;

typedef struct adept_count adept_count; /* one operator being counted */
typedef adept_status adept_count_fn(adept_count *ctx);

/*
 * Counts one operator, forward and (where facts say so) backward.
 * Errors    RANGE if a product overflows; NOMEM
 */
adept_status adept_count_operator(adept_counted *out, const adept_op *op, const adept_facts *facts,
                                  adept_arena *arena, adept_error *err);

/*
 * Which tensors cost nothing to have when the step runs: constants of the file, tensors whose numbers
 * inference knows (shape arithmetic), what follows from such tensors alone, and another layout or type of
 * a weight (the transpose of a tied weight). Arithmetic on weights (weight norm) is real work.
 */
void adept_count_mark_constants(bool *is_constant, const adept_ops *ops, const adept_graph *graph,
                                const adept_shapes *shapes, const bool *is_parameter);

/*
 * Which tensors are read by nothing but batched matrix products. Those take their operands' matrices with any
 * row stride and either way round (cuBLAS's lda and transa), so that a Transpose of matrices before them
 * stays a view.
 */
void adept_count_mark_operands(bool *is_operand, const adept_ops *ops, const adept_graph *graph,
                               const adept_shapes *shapes);

/*
 * Marks tensors that only fused attention reads, or that it writes (run's attention flash). Its kernels take
 * strides: a Transpose of heads and positions beside it stays a view (PyTorch's
 * scaled_dot_product_attention).
 */
void adept_count_mark_attended(bool *is_attended, const adept_ops *ops, const adept_graph *graph,
                               const adept_shapes *shapes, const adept_run *run);

/*
 * Storage type of every tensor under the run's precision policy (fp32, tf32: as in the file; fp16, bf16:
 * all floating point in that type; amp: autocast rules of the rows). See docs/work.md.
 */
adept_status adept_precision_assign(adept_dtype *storage, const adept_ops *ops, const adept_graph *graph,
                                    const adept_shapes *shapes, const adept_run *run, adept_error *err);

/*
 * Frameworks whose mixed precision rewrites the graph (--framework tensorflow, mxnet, paddle, jax) keep 16
 * bits between matrix operators, also through normalisations and activations, and convert FP32 weights at
 * each use; PyTorch's autocast decides operator by operator.
 */
bool adept_precision_rewrites_graph(const adept_run *run);

/*
 * Whether a trained embedding table is large enough that its gradient is taken as sparse: only the rows
 * looked up have one, and only they are updated, as recommendation networks are trained (an assumption, which
 * the profile's notes say). Vocabularies of language models stay dense.
 */
#define ADEPT_SPARSE_TABLE_ROWS 300000
bool adept_is_sparse_table(const adept_shape *table);

/* --- for count functions --- */
const adept_node *adept_count_node(const adept_count *ctx);
const struct adept_handler *adept_count_handler(const adept_count *ctx);
const adept_run *adept_count_run(const adept_count *ctx);
const adept_facts *adept_count_facts(const adept_count *ctx);
bool adept_count_trains(const adept_count *ctx); /* mode train: dropout active, batch statistics */
/* The framework has no kernel for this operator of ai.onnx and runs its parts one by one. */
bool adept_count_in_parts(const adept_count *ctx);
int32_t adept_count_inputs(const adept_count *ctx);
int32_t adept_count_outputs(const adept_count *ctx);
/* NULL: left out, or shape unknown. */
const adept_shape *adept_count_in(const adept_count *ctx, int32_t input);
const adept_shape *adept_count_out(const adept_count *ctx, int32_t output);
double adept_count_in_elements(const adept_count *ctx, int32_t input);
double adept_count_out_elements(const adept_count *ctx, int32_t output);
double adept_count_in_element_B(const adept_count *ctx, int32_t input); /* after any autocast cast */
double adept_count_out_element_B(const adept_count *ctx, int32_t output);
double adept_count_in_B(const adept_count *ctx, int32_t input); /* elements * element_B, 0 if left out */
double adept_count_out_B(const adept_count *ctx, int32_t output);
bool adept_count_needs_grad(const adept_count *ctx, int32_t input); /* its gradient has to be computed */
bool adept_count_any_grad(const adept_count *ctx);                  /* of any input: a backward pass exists */
bool adept_count_is_parameter(const adept_count *ctx, int32_t input);
bool adept_count_is_constant(const adept_count *ctx, int32_t input); /* folded: costs nothing to produce */
bool adept_count_is_attended(const adept_count *ctx); /* first input or output is fused attention's alone */
bool adept_count_is_operand(const adept_count *ctx, int32_t output); /* read by batched products alone */
/* The only number of a known scalar input, read from the file if need be; missing otherwise. */
double adept_count_scalar(const adept_count *ctx, int32_t input, double missing);
int64_t adept_count_attr_int(const adept_count *ctx, const char *name, int64_t missing);
double adept_count_attr_float(const adept_count *ctx, const char *name, double missing);
const char *adept_count_attr_string(const adept_count *ctx, const char *name, const char *missing);
const int64_t *adept_count_attr_ints(const adept_count *ctx, const char *name, int32_t *count);

/*
 * Appends a kernel of this pass and kind: launches 1, steps 1, math and element_B by the policy, elements of
 * output 0. Never NULL: when memory is short a scratch kernel is returned and adept_count_operator fails.
 */
adept_kernel *adept_count_emit(adept_count *ctx, adept_pass pass, adept_kernel_kind kind);
void adept_count_save_input(adept_count *ctx, int32_t input);
void adept_count_save_output(adept_count *ctx, int32_t output);
void adept_count_save_extra(adept_count *ctx, double bytes);
void adept_count_workspace(adept_count *ctx, double bytes);
void adept_count_alias(adept_count *ctx, int32_t output, int32_t input);
void adept_count_alias_as_matrices(adept_count *ctx, int32_t output, int32_t input);
adept_status adept_count_fail(adept_count *ctx, adept_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
