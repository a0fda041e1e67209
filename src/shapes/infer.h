/*
 * What an inference function of an operator sees and says. One call: shapes, types and known values of
 * the inputs in, those of the outputs out.
 *
 * Every symbolic dimension is bound to a number before inference starts, so dimensions are plain
 * numbers. Where a size depends on computed data, a number is taken all the same, marked by the
 * certainty of the tensor and listed among the assumptions, and --dim NAME=N can change it.
 */
#ifndef ADEPT_INFER_H
#define ADEPT_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adept/dtype.h"
#include "adept/error.h"
#include "model_graph.h"

/* Ordered: what follows from several inputs is as uncertain as the worst of them. */
typedef enum adept_certainty {
    ADEPT_EXACT,   /* follows from the file and the bound symbols */
    ADEPT_BOUND,   /* an upper bound of a size that depends on computed data */
    ADEPT_ASSUMED, /* a size that data decides and nothing bounds: taken from an assumption */
    ADEPT_UNKNOWN  /* not even the rank is known (rank is -1) */
} adept_certainty;

/* Numbers of a small tensor, known without running the network. */
typedef struct adept_value {
    int64_t count;
    const int64_t *ints; /* [count] integers and booleans, or NULL */
    const double *reals; /* [count] floating point, or NULL */
    const bool *known;   /* [count] which elements are known; NULL: all */
    adept_certainty certainty;
} adept_value;
#define ADEPT_VALUE_LIMIT 65536 /* larger tensors carry no value */

typedef struct adept_shape {
    adept_type_kind kind;
    adept_dtype dtype;
    int32_t rank;        /* -1: unknown */
    const int64_t *dims; /* [rank], each at least 0 */
    adept_certainty certainty;
    const adept_value *value; /* NULL: not known */
    const struct adept_shape
        *element;   /* sequence, optional: of one element (largest one seen); NULL: unknown */
    int64_t length; /* sequence: number of elements; -1: unknown */
} adept_shape;

typedef struct adept_infer adept_infer; /* one node under inference, and where its results go */
typedef adept_status adept_infer_fn(adept_infer *ctx);

/* --- the node --- */
const adept_node *adept_infer_node(const adept_infer *ctx);
int32_t adept_infer_opset(const adept_infer *ctx); /* of the node's own domain */
int32_t adept_infer_inputs(const adept_infer *ctx);
int32_t adept_infer_outputs(const adept_infer *ctx);
bool adept_infer_has_output(const adept_infer *ctx, int32_t output); /* listed and not left out */
adept_arena *adept_infer_arena(adept_infer *ctx);                    /* for dims and values of outputs */
adept_error *adept_infer_error(adept_infer *ctx);

/* --- attributes; a wrong attribute type is an error that adept_infer_run reports after the call --- */
bool adept_infer_has(const adept_infer *ctx, const char *name);
int64_t adept_infer_int(adept_infer *ctx, const char *name, int64_t missing);
double adept_infer_float(adept_infer *ctx, const char *name, double missing);
const char *adept_infer_string(adept_infer *ctx, const char *name, const char *missing);
const int64_t *adept_infer_ints(adept_infer *ctx, const char *name, int32_t *count); /* NULL, 0: absent */
const double *adept_infer_floats(adept_infer *ctx, const char *name, int32_t *count);
const adept_body *adept_infer_body(adept_infer *ctx, const char *name);

/* --- inputs --- */
/* NULL if the input is left out. Never NULL for inputs that the row's minimum count demands. */
const adept_shape *adept_infer_in(const adept_infer *ctx, int32_t input);
/* Rank, -1 unknown or left out. */
int32_t adept_infer_rank(const adept_infer *ctx, int32_t input);
/*
 * Integer values of an input (also from float values that are whole), all known; NULL if not known or
 * left out. Asking reads a constant from the file if need be.
 */
const int64_t *adept_infer_in_ints(adept_infer *ctx, int32_t input, int64_t *count);
const double *adept_infer_in_reals(adept_infer *ctx, int32_t input, int64_t *count); /* integers converted */
/* The value with holes, for shape arithmetic on partly known tensors; NULL if nothing is known. */
const adept_value *adept_infer_in_value(adept_infer *ctx, int32_t input);
/* The worst certainty among all inputs' shapes. */
adept_certainty adept_infer_certainty(const adept_infer *ctx);

/* --- outputs: an output that is never set stays unknown --- */
/* dims are copied. certainty is worsened to that of all inputs' shapes. */
adept_status adept_infer_out(adept_infer *ctx, int32_t output, adept_dtype dtype, int32_t rank,
                             const int64_t *dims);
/* A copy of a shape (kind, dtype, dims, element), without its value. */
adept_status adept_infer_out_like(adept_infer *ctx, int32_t output, const adept_shape *shape);
/* The output's dtype is known, its rank is not. */
adept_status adept_infer_out_unknown(adept_infer *ctx, int32_t output, adept_dtype dtype);
/* A sequence of such elements (NULL: unknown); optional likewise with kind ADEPT_TYPE_OPTIONAL. */
adept_status adept_infer_out_sequence(adept_infer *ctx, int32_t output, const adept_shape *element,
                                      int64_t length);
adept_status adept_infer_out_optional(adept_infer *ctx, int32_t output, const adept_shape *element);
/* Known numbers of an output whose shape has been set; count must equal its elements. Copied. */
adept_status adept_infer_out_ints(adept_infer *ctx, int32_t output, const int64_t *ints, const bool *known);
adept_status adept_infer_out_reals(adept_infer *ctx, int32_t output, const double *reals, const bool *known);
/* Marks an output's shape as no better than this. */
void adept_infer_out_certainty(adept_infer *ctx, int32_t output, adept_certainty certainty);

/*
 * A size that computed data decides. what: short word for the symbol ("nonzero", "k", "trips"); the
 * symbol becomes what_NODE and can be bound with --dim. value: the bound or assumption taken if the
 * user binds nothing; certainty: ADEPT_BOUND or ADEPT_ASSUMED. Recorded for the report.
 * Returns the number to use. Outputs set after this call are marked by themselves (EXACT if the user
 * bound the symbol), so set those that do not hang on it before. Likewise for values: what
 * adept_infer_in_ints, _in_reals and _in_value gave so far decides the certainty of outputs set later.
 */
int64_t adept_infer_assume(adept_infer *ctx, const char *what, int64_t value, adept_certainty certainty,
                           const char *reason);

/* --- subgraphs: infers a body once with these input shapes; results borrowed from the context --- */
adept_status adept_infer_run_body(adept_infer *ctx, const adept_body *body, const adept_shape *const *inputs,
                                  int32_t input_count,
                                  const adept_shape **outputs /* [body->output_count] */);
/* How many times the body runs per run of this node (trip count); multiplies the work of its nodes. */
void adept_infer_body_repeats(adept_infer *ctx, const adept_body *body, double repeats);

/* --- errors --- */
/* SHAPE error that names the node: `return adept_infer_fail(ctx, "input has %lld channels, ...", ...)`. */
adept_status adept_infer_fail(adept_infer *ctx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* RANGE error: a product of dimensions overflows. */
adept_status adept_infer_overflow(adept_infer *ctx);
/* Axis in [-rank, rank) to [0, rank); fails otherwise. */
adept_status adept_infer_axis(adept_infer *ctx, int64_t axis, int32_t rank, int32_t *out);

#endif
