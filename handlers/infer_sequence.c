/* Sequences and optionals. The element of a sequence is its largest one; differing elements are bounds. */
#include "infer_functions.h"

#include <inttypes.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* An element that covers both: sizes that differ become the larger one, as a bound. NULL: unknown. */
static const adept_shape *cover(adept_infer *ctx, const adept_shape *a, const adept_shape *b) {
    if (!a || !b)
        return a ? a : b;
    adept_shape *both = adept_arena_copy(adept_infer_arena(ctx), a, sizeof *a);
    if (!both)
        return NULL;
    both->value = NULL;
    if (a->rank != b->rank || a->rank < 0) {
        both->rank = -1;
        both->certainty = ADEPT_UNKNOWN;
        return both;
    }
    int64_t *dims = dims_copy(ctx, a->rank, a->dims);
    if (!dims)
        return NULL;
    for (int32_t i = 0; i < a->rank; i++) {
        if (a->dims[i] != b->dims[i] && both->certainty < ADEPT_BOUND)
            both->certainty = ADEPT_BOUND;
        if (b->dims[i] > dims[i])
            dims[i] = b->dims[i];
    }
    both->dims = dims;
    if (b->certainty > both->certainty)
        both->certainty = b->certainty;
    return both;
}

adept_status infer_sequence_empty(adept_infer *ctx) {
    adept_shape element = {.kind = ADEPT_TYPE_TENSOR, .rank = -1, .certainty = ADEPT_UNKNOWN, .length = -1};
    INFER_TRY(dims_type_attribute(ctx, "dtype", ADEPT_DTYPE_FLOAT, &element.dtype));
    return adept_infer_out_sequence(ctx, 0, &element, 0);
}

adept_status infer_sequence_construct(adept_infer *ctx) {
    const adept_shape *element = NULL;
    for (int32_t i = 0; i < adept_infer_inputs(ctx); i++) {
        INFER_TRY(dims_same_type(ctx, 0, i));
        element = cover(ctx, element, adept_infer_in(ctx, i));
    }
    return adept_infer_out_sequence(ctx, 0, element, adept_infer_inputs(ctx));
}

adept_status infer_sequence_insert(adept_infer *ctx) {
    const adept_shape *sequence = adept_infer_in(ctx, 0), *x = adept_infer_in(ctx, 1);
    if (sequence->length == 0)
        return adept_infer_out_sequence(ctx, 0, x, 1);
    return adept_infer_out_sequence(ctx, 0, cover(ctx, sequence->element, x),
                                    sequence->length < 0 ? -1 : sequence->length + 1);
}

adept_status infer_sequence_erase(adept_infer *ctx) {
    const adept_shape *sequence = adept_infer_in(ctx, 0);
    if (sequence->length == 0)
        return adept_infer_fail(ctx, "nothing can be erased from an empty sequence");
    return adept_infer_out_sequence(ctx, 0, sequence->element,
                                    sequence->length < 0 ? -1 : sequence->length - 1);
}

adept_status infer_sequence_at(adept_infer *ctx) {
    const adept_shape *sequence = adept_infer_in(ctx, 0);
    int64_t at;
    if (sequence->length >= 0 && fold_scalar(ctx, 1, &at) &&
        (at < -sequence->length || at >= sequence->length) && dims_exact(ctx))
        return adept_infer_fail(ctx, "position %" PRId64 " is out of range for a sequence of %" PRId64, at,
                                sequence->length);
    if (!sequence->element)
        return adept_infer_out_unknown(ctx, 0, sequence->dtype);
    return adept_infer_out_like(ctx, 0, sequence->element);
}

adept_status infer_sequence_length(adept_infer *ctx) {
    int64_t length = adept_infer_in(ctx, 0)->length;
    INFER_TRY(adept_infer_out(ctx, 0, ADEPT_DTYPE_INT64, 0, NULL));
    return length < 0 ? ADEPT_OK : adept_infer_out_ints(ctx, 0, &length, NULL);
}

/* Joined along an axis, or stacked along a new one. */
adept_status infer_concat_from_sequence(adept_infer *ctx) {
    const adept_shape *sequence = adept_infer_in(ctx, 0), *element = sequence->element;
    bool stack = adept_infer_int(ctx, "new_axis", 0) != 0;
    int64_t listed, length = sequence->length;
    int32_t axis;
    INFER_TRY(dims_need_int(ctx, "axis", &listed));
    if (!element || element->rank < 0)
        return adept_infer_out_unknown(ctx, 0, sequence->dtype);
    adept_certainty certainty = element->certainty;
    if (length < 0) {
        length = dims_assume(ctx, "length", ASSUMED_LENGTH, "the length of the sequence is computed data");
        certainty = ADEPT_ASSUMED;
    }
    int32_t rank = element->rank + stack;
    INFER_TRY(adept_infer_axis(ctx, listed, rank, &axis));
    int64_t *dims = dims_new(ctx, rank);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < rank; i++)
        dims[i] = stack && i >= axis ? (i == axis ? 1 : element->dims[i - 1]) : element->dims[i];
    if (!adept_mul_i64(dims[axis], length, &dims[axis]))
        return adept_infer_overflow(ctx);
    return dims_out(ctx, 0, element->dtype, rank, dims, certainty);
}

/* Sizes of the parts: `split` is one size for all or a list; left out, parts of size 1. */
static adept_status part_sizes(adept_infer *ctx, int64_t dim, int64_t *largest, int64_t *length,
                               adept_certainty *certainty) {
    const adept_shape *split = adept_infer_in(ctx, 1);
    int64_t count, sum = 0;
    const int64_t *sizes = adept_infer_in_ints(ctx, 1, &count);
    *largest = 1;
    *length = dim;
    *certainty = ADEPT_EXACT;
    if (!split)
        return ADEPT_OK;
    if (!sizes) {
        *largest = dims_assume_bound(ctx, "part", dim, "the sizes of the parts are computed data");
        *length = split->rank == 1 ? split->dims[0] : -1;
        *certainty = ADEPT_BOUND;
        return ADEPT_OK;
    }
    if (split->rank == 0) {
        if (sizes[0] < 1)
            return adept_infer_fail(ctx, "the parts have the size %" PRId64, sizes[0]);
        *largest = sizes[0] < dim ? sizes[0] : dim;
        *length = dim / sizes[0] + (dim % sizes[0] != 0);
        *certainty = dim % sizes[0] != 0 && dim > sizes[0] ? ADEPT_BOUND : ADEPT_EXACT;
        return ADEPT_OK;
    }
    *largest = 0;
    *length = count;
    for (int64_t i = 0; i < count; i++) {
        if (sizes[i] < 0 || !adept_add_i64(sum, sizes[i], &sum))
            return adept_infer_fail(ctx, "part %" PRId64 " has the size %" PRId64, i, sizes[i]);
        *largest = sizes[i] > *largest ? sizes[i] : *largest;
        if (sizes[i] != sizes[0])
            *certainty = ADEPT_BOUND;
    }
    if (sum != dim && dims_exact(ctx))
        return adept_infer_fail(ctx, "the parts add up to %" PRId64 ", the axis has %" PRId64, sum, dim);
    return ADEPT_OK;
}

adept_status infer_split_to_sequence(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    bool drop_axis = !adept_infer_in(ctx, 1) && adept_infer_int(ctx, "keepdims", 1) == 0;
    int64_t largest, length;
    int32_t axis, rank = 0;
    adept_shape element = {.kind = ADEPT_TYPE_TENSOR, .dtype = x->dtype, .length = -1};
    if (x->rank < 0) {
        element.rank = -1;
        element.certainty = ADEPT_UNKNOWN;
        return adept_infer_out_sequence(ctx, 0, &element, -1);
    }
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", 0), x->rank, &axis));
    INFER_TRY(part_sizes(ctx, x->dims[axis], &largest, &length, &element.certainty));
    int64_t *dims = dims_new(ctx, x->rank);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < x->rank; i++)
        if (i != axis || !drop_axis)
            dims[rank++] = i == axis ? largest : x->dims[i];
    element.rank = rank;
    element.dims = dims;
    return adept_infer_out_sequence(ctx, 0, &element, length);
}

/* --- optionals --- */

static adept_status empty_optional(adept_infer *ctx) {
    const adept_attribute *type = adept_node_attribute(adept_infer_node(ctx), "type");
    if (!type)
        return adept_infer_fail(ctx, "an optional without an element needs the attribute 'type'");
    adept_shape element = {.kind = ADEPT_TYPE_TENSOR, .rank = -1, .certainty = ADEPT_UNKNOWN, .length = -1};
    if (type->type_proto) {
        element.kind = type->type_proto->kind;
        element.dtype = type->type_proto->dtype;
    }
    return adept_infer_out_optional(ctx, 0, &element);
}

adept_status infer_optional(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    return x ? adept_infer_out_optional(ctx, 0, x) : empty_optional(ctx);
}

/* Since opset 18 the input may be the element itself. */
adept_status infer_optional_get_element(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->kind != ADEPT_TYPE_OPTIONAL)
        return adept_infer_out_like(ctx, 0, x);
    if (!x->element)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    return adept_infer_out_like(ctx, 0, x->element);
}

adept_status infer_optional_has_element(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    INFER_TRY(adept_infer_out(ctx, 0, ADEPT_DTYPE_BOOL, 0, NULL));
    int64_t there = x != NULL;
    if (!x || x->kind != ADEPT_TYPE_OPTIONAL) /* left out: false; an element itself: true */
        return adept_infer_out_ints(ctx, 0, &there, NULL);
    return ADEPT_OK;
}
