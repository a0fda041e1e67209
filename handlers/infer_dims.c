#include "infer_dims.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checked.h"
#include "fail.h"

bool dims_exact(const adept_infer *ctx) {
    return adept_infer_certainty(ctx) == ADEPT_EXACT;
}

bool dims_known(const adept_infer *ctx, int32_t input) {
    return adept_infer_rank(ctx, input) >= 0;
}

adept_dtype dims_type(const adept_infer *ctx, int32_t input) {
    const adept_shape *shape = adept_infer_in(ctx, input);
    return shape ? shape->dtype : ADEPT_DTYPE_UNDEFINED;
}

const char *dims_text(adept_infer *ctx, int32_t rank, const int64_t *dims) {
    char text[256];
    size_t used = 1;
    text[0] = '[';
    for (int32_t i = 0; i < rank && used < sizeof text - 32; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRId64, i ? ", " : "", dims[i]);
    snprintf(text + used, sizeof text - used, "]");
    const char *copy = adept_arena_string(adept_infer_arena(ctx), text);
    return copy ? copy : "?";
}

const char *dims_input_text(adept_infer *ctx, int32_t input) {
    const adept_shape *shape = adept_infer_in(ctx, input);
    if (!shape || shape->rank < 0)
        return "of unknown rank";
    return dims_text(ctx, shape->rank, shape->dims);
}

int64_t *dims_new(adept_infer *ctx, int32_t rank) {
    return adept_arena_array(adept_infer_arena(ctx), (size_t)rank, sizeof(int64_t));
}

int64_t *dims_copy(adept_infer *ctx, int32_t rank, const int64_t *dims) {
    return adept_arena_copy(adept_infer_arena(ctx), dims, (size_t)rank * sizeof *dims);
}

adept_status dims_no_memory(adept_infer *ctx) {
    return adept_fail_memory(adept_infer_error(ctx));
}

adept_status dims_product(adept_infer *ctx, const int64_t *dims, int32_t from, int32_t to, int64_t *out) {
    return adept_elements(dims + from, to - from, out) ? ADEPT_OK : adept_infer_overflow(ctx);
}

adept_status dims_same_type(adept_infer *ctx, int32_t first, int32_t second) {
    adept_dtype a = dims_type(ctx, first), b = dims_type(ctx, second);
    if (a == b || a == ADEPT_DTYPE_UNDEFINED || b == ADEPT_DTYPE_UNDEFINED)
        return ADEPT_OK;
    return adept_infer_fail(ctx, "input %d is %s, input %d is %s; both must have one type, insert a Cast",
                            (int)first, adept_dtype_name(a), (int)second, adept_dtype_name(b));
}

adept_status dims_want_rank(adept_infer *ctx, int32_t input, int32_t wanted, const char *what) {
    int32_t rank = adept_infer_rank(ctx, input);
    if (rank < 0 || rank == wanted)
        return ADEPT_OK;
    return adept_infer_fail(ctx, "input %d has shape %s, expected %d dimensions (%s)", (int)input,
                            dims_input_text(ctx, input), (int)wanted, what);
}

/* One axis of a broadcast. false: the sizes disagree (then *out is the larger one). */
static bool broadcast_axis(int64_t a, int64_t b, int64_t *out) {
    if (a == b || b == 1)
        *out = a;
    else if (a == 1)
        *out = b;
    else {
        *out = a > b ? a : b;
        return false;
    }
    return true;
}

adept_status dims_broadcast_pair(adept_infer *ctx, int32_t rank_a, const int64_t *a, int32_t rank_b,
                                 const int64_t *b, int32_t *rank, int64_t **dims) {
    int32_t wide = rank_a > rank_b ? rank_a : rank_b;
    int64_t *out = dims_new(ctx, wide);
    if (!out)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < wide; i++) {
        int64_t size_a = i < wide - rank_a ? 1 : a[i - (wide - rank_a)];
        int64_t size_b = i < wide - rank_b ? 1 : b[i - (wide - rank_b)];
        if (!broadcast_axis(size_a, size_b, &out[i]) && dims_exact(ctx))
            return adept_infer_fail(ctx,
                                    "shapes %s and %s do not broadcast: axis %d is %" PRId64
                                    " against %" PRId64 "; sizes must be equal or 1",
                                    dims_text(ctx, rank_a, a), dims_text(ctx, rank_b, b), (int)(i - wide),
                                    size_a, size_b);
    }
    *rank = wide;
    *dims = out;
    return ADEPT_OK;
}

adept_status dims_broadcast(adept_infer *ctx, int32_t output, adept_dtype dtype, int32_t first,
                            int32_t count) {
    int32_t rank = 0;
    int64_t *dims = NULL;
    for (int32_t i = first; i < first + count; i++) {
        const adept_shape *shape = adept_infer_in(ctx, i);
        if (!shape)
            continue;
        if (shape->rank < 0)
            return adept_infer_out_unknown(ctx, output, dtype);
        INFER_TRY(dims_broadcast_pair(ctx, rank, dims, shape->rank, shape->dims, &rank, &dims));
    }
    return adept_infer_out(ctx, output, dtype, rank, dims);
}

int64_t dims_assume_bound(adept_infer *ctx, const char *what, int64_t bound, const char *reason) {
    return adept_infer_assume(ctx, what, bound, ADEPT_BOUND, reason);
}

int64_t dims_assume(adept_infer *ctx, const char *what, int64_t value, const char *reason) {
    return adept_infer_assume(ctx, what, value, ADEPT_ASSUMED, reason);
}

int64_t dims_assume_axis(adept_infer *ctx, const char *what, int32_t axis, int64_t value,
                         adept_certainty certainty, const char *reason) {
    const char *word = adept_arena_format(adept_infer_arena(ctx), "%s%d", what, (int)axis);
    return adept_infer_assume(ctx, word ? word : what, value, certainty, reason);
}

adept_status dims_axes(adept_infer *ctx, int32_t rank, const int64_t *axes, int64_t count, int32_t **out) {
    if (count > rank)
        return adept_infer_fail(ctx, "%" PRId64 " axes for a tensor of %d dimensions", count, (int)rank);
    adept_arena *arena = adept_infer_arena(ctx);
    int32_t *list = adept_arena_array(arena, (size_t)count, sizeof *list);
    bool *seen = adept_arena_array(arena, (size_t)rank, sizeof *seen);
    if (!list || !seen)
        return dims_no_memory(ctx);
    for (int64_t i = 0; i < count; i++) {
        INFER_TRY(adept_infer_axis(ctx, axes[i], rank, &list[i]));
        if (seen[list[i]])
            return adept_infer_fail(ctx, "axis %d is listed twice", (int)list[i]);
        seen[list[i]] = true;
    }
    *out = list;
    return ADEPT_OK;
}

adept_status dims_out(adept_infer *ctx, int32_t output, adept_dtype dtype, int32_t rank, const int64_t *dims,
                      adept_certainty certainty) {
    INFER_TRY(adept_infer_out(ctx, output, dtype, rank, dims));
    adept_infer_out_certainty(ctx, output, certainty);
    return ADEPT_OK;
}

adept_status dims_out_typed(adept_infer *ctx, int32_t output, int32_t input, adept_dtype dtype) {
    const adept_shape *shape = adept_infer_in(ctx, input);
    if (!shape || shape->rank < 0)
        return adept_infer_out_unknown(ctx, output, dtype);
    return adept_infer_out(ctx, output, dtype, shape->rank, shape->dims);
}

adept_status dims_need_int(adept_infer *ctx, const char *name, int64_t *out) {
    if (!adept_infer_has(ctx, name))
        return adept_infer_fail(ctx, "required attribute '%s' is missing; re-export the model", name);
    *out = adept_infer_int(ctx, name, 0);
    return ADEPT_OK;
}

adept_status dims_need_ints(adept_infer *ctx, const char *name, const int64_t **out, int32_t *count) {
    if (!adept_infer_has(ctx, name))
        return adept_infer_fail(ctx, "required attribute '%s' is missing; re-export the model", name);
    *out = adept_infer_ints(ctx, name, count);
    return ADEPT_OK;
}

adept_status dims_type_attribute(adept_infer *ctx, const char *name, adept_dtype missing, adept_dtype *out) {
    int64_t number = adept_infer_int(ctx, name, missing);
    *out = missing;
    if (number == missing)
        return ADEPT_OK;
    if (number <= ADEPT_DTYPE_UNDEFINED || number >= ADEPT_DTYPE_COUNT)
        return adept_infer_fail(ctx, "attribute '%s' is %" PRId64 ", which is no element type", name, number);
    *out = (adept_dtype)number;
    return ADEPT_OK;
}
