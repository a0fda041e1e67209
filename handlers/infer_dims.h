/*
 * Dimensions of inputs, as the inference functions of all operators need them: compared, broadcast,
 * printed in messages.
 *
 * Two numbers that disagree are an error only where both are exact: where a size was assumed, the
 * disagreement is the assumption's fault, not the file's.
 */
#ifndef ADEPT_INFER_DIMS_H
#define ADEPT_INFER_DIMS_H

#include "infer.h"

/* Taken for the length of something that data decides and nothing bounds (as for an unbound sequence). */
#define ASSUMED_LENGTH 128

/* No input's shape rests on an assumption. */
bool dims_exact(const adept_infer *ctx);
/* The input is there and its rank is known. */
bool dims_known(const adept_infer *ctx, int32_t input);
/* Element type of an input, UNDEFINED if left out or not known. */
adept_dtype dims_type(const adept_infer *ctx, int32_t input);

/* "[2, 3]", for messages; lives in the context's arena. */
const char *dims_text(adept_infer *ctx, int32_t rank, const int64_t *dims);
const char *dims_input_text(adept_infer *ctx, int32_t input);

/* rank zeroed dimensions, or a copy, in the context's arena. NULL when memory is short. */
int64_t *dims_new(adept_infer *ctx, int32_t rank);
int64_t *dims_copy(adept_infer *ctx, int32_t rank, const int64_t *dims);
adept_status dims_no_memory(adept_infer *ctx);

/* Writes count dimensions from one list into another. */
static inline void dims_put(int64_t *to, const int64_t *from, int32_t count) {
    for (int32_t i = 0; i < count; i++)
        to[i] = from[i];
}

/* Product of dims[from..to); RANGE error on overflow. */
adept_status dims_product(adept_infer *ctx, const int64_t *dims, int32_t from, int32_t to, int64_t *out);

/* SHAPE error unless the inputs have one element type (unknown types agree with everything). */
adept_status dims_same_type(adept_infer *ctx, int32_t first, int32_t second);
/* SHAPE error unless the input's rank is wanted or unknown; what: "a matrix", "[N, C, ...]". */
adept_status dims_want_rank(adept_infer *ctx, int32_t input, int32_t wanted, const char *what);

/* Two shapes by numpy's rule; *dims (in the arena) and *rank are the result. */
adept_status dims_broadcast_pair(adept_infer *ctx, int32_t rank_a, const int64_t *a, int32_t rank_b,
                                 const int64_t *b, int32_t *rank, int64_t **dims);
/* Sets the output to the common shape of inputs first..first+count-1 (those that are not left out). */
adept_status dims_broadcast(adept_infer *ctx, int32_t output, adept_dtype dtype, int32_t first,
                            int32_t count);

/* A size that data decides, recorded among the assumptions; the output must be marked with *certainty. */
int64_t dims_assume_bound(adept_infer *ctx, const char *what, int64_t bound, const char *reason);
int64_t dims_assume(adept_infer *ctx, const char *what, int64_t value, const char *reason);
/* One of several such sizes of a node: the symbol's word is what followed by the axis. */
int64_t dims_assume_axis(adept_infer *ctx, const char *what, int32_t axis, int64_t value,
                         adept_certainty certainty, const char *reason);

/* An axes list (attribute or input) normalised to [0, rank), in the arena; fails on an axis twice. */
adept_status dims_axes(adept_infer *ctx, int32_t rank, const int64_t *axes, int64_t count, int32_t **out);

/* Output of known type and dims, marked with a certainty; the usual end of a function. */
adept_status dims_out(adept_infer *ctx, int32_t output, adept_dtype dtype, int32_t rank, const int64_t *dims,
                      adept_certainty certainty);
/* Output of the same dims as an input, another type. */
adept_status dims_out_typed(adept_infer *ctx, int32_t output, int32_t input, adept_dtype dtype);

/* Required attributes; fail with the attribute's name if absent. */
adept_status dims_need_int(adept_infer *ctx, const char *name, int64_t *out);
adept_status dims_need_ints(adept_infer *ctx, const char *name, const int64_t **out, int32_t *count);

/* An attribute that names an element type; fails if there is no such type. */
adept_status dims_type_attribute(adept_infer *ctx, const char *name, adept_dtype missing, adept_dtype *out);

#define INFER_TRY(call)                                                                                      \
    do {                                                                                                     \
        adept_status status_ = (call);                                                                       \
        if (status_ != ADEPT_OK)                                                                             \
            return status_;                                                                                  \
    } while (0)

#endif
