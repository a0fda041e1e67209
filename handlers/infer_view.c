/* Operators whose output holds the input's elements in another shape or order. */
#include "infer_functions.h"

#include <inttypes.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

adept_status infer_identity(adept_infer *ctx) {
    INFER_TRY(infer_same(ctx));
    const adept_shape *x = adept_infer_in(ctx, 0);
    return x->kind == ADEPT_TYPE_TENSOR ? fold_pass(ctx, 0, 0) : ADEPT_OK;
}

/* --- Reshape --- */

enum { FROM_REST = -1, FROM_INPUT = 0 }; /* Reshape's special sizes */

typedef struct target {
    int32_t rank;
    int64_t *dims; /* sizes as asked for; HOLE: not known */
    int32_t holes, rests;
} target;
#define HOLE INT64_MIN

/* Sizes that Reshape asks for, from the attribute (opset 1) or the second input. rank -1: not known. */
static adept_status read_target(adept_infer *ctx, target *t) {
    const adept_shape *shape = adept_infer_in(ctx, 1);
    int32_t count;
    *t = (target){.rank = -1};
    if (!shape) {
        const int64_t *ints;
        INFER_TRY(dims_need_ints(ctx, "shape", &ints, &count));
        t->dims = dims_copy(ctx, count, ints);
    } else {
        const adept_value *value = adept_infer_in_value(ctx, 1);
        if (shape->rank > 1)
            return adept_infer_fail(ctx, "the target shape has %d dimensions, expected a list",
                                    (int)shape->rank);
        if (!value || value->count > INT32_MAX)
            return ADEPT_OK;
        count = (int32_t)value->count;
        t->dims = dims_new(ctx, count);
        for (int32_t i = 0; t->dims && i < count; i++)
            t->dims[i] = fold_known(value, i) ? fold_int(value, i) : HOLE;
    }
    if (!t->dims)
        return dims_no_memory(ctx);
    t->rank = count;
    return ADEPT_OK;
}

/* Replaces sizes taken from the input and counts what is still open. */
static adept_status resolve_target(adept_infer *ctx, target *t, const adept_shape *x) {
    bool allow_zero = adept_infer_int(ctx, "allowzero", 0) != 0;
    for (int32_t i = 0; i < t->rank; i++) {
        if (t->dims[i] == HOLE) {
            t->holes++;
        } else if (t->dims[i] == FROM_REST) {
            t->rests++;
        } else if (t->dims[i] == FROM_INPUT && !allow_zero) {
            if (x->rank >= 0 && i >= x->rank)
                return adept_infer_fail(ctx, "target shape copies axis %d, the input %s has only %d", (int)i,
                                        dims_input_text(ctx, 0), (int)x->rank);
            t->dims[i] = x->rank >= 0 ? x->dims[i] : HOLE;
            t->holes += x->rank < 0;
        } else if (t->dims[i] < 0) {
            return adept_infer_fail(ctx, "target shape has the size %" PRId64, t->dims[i]);
        }
    }
    if (t->rests > 1)
        return adept_infer_fail(ctx, "target shape %s has %d sizes of -1; only one can be computed",
                                dims_text(ctx, t->rank, t->dims), (int)t->rests);
    return ADEPT_OK;
}

/* Fills the single open size at axis `open` so that the elements agree. */
static adept_status fill_rest(adept_infer *ctx, target *t, int32_t open, int64_t elements) {
    int64_t asked = t->dims[open], others;
    t->dims[open] = 1;
    INFER_TRY(dims_product(ctx, t->dims, 0, t->rank, &others));
    if (others == 0) {
        t->dims[open] = 0;
        return ADEPT_OK;
    }
    if (elements % others != 0 && dims_exact(ctx)) {
        t->dims[open] = asked == HOLE ? -1 : asked;
        return adept_infer_fail(ctx,
                                "cannot reshape %s (%" PRId64 " elements) into %s: not divisible by %" PRId64,
                                dims_input_text(ctx, 0), elements, dims_text(ctx, t->rank, t->dims), others);
    }
    t->dims[open] = elements / others;
    return ADEPT_OK;
}

static int32_t find_open(const target *t) {
    for (int32_t i = 0; i < t->rank; i++)
        if (t->dims[i] == HOLE || t->dims[i] == FROM_REST)
            return i;
    return -1;
}

/*
 * Several sizes depend on computed data. The first ones are assumed to be the input's own, the last open
 * one follows from the number of elements.
 */
static void assume_holes(adept_infer *ctx, target *t, const adept_shape *x) {
    int32_t keep = t->rests ? 0 : 1; /* holes left for fill_rest */
    for (int32_t i = 0; i < t->rank && t->holes > keep; i++) {
        if (t->dims[i] != HOLE)
            continue;
        t->dims[i] = dims_assume_axis(ctx, "dim", i, i < x->rank ? x->dims[i] : 1, ADEPT_ASSUMED,
                                      "the target shape depends on computed data");
        t->holes--;
    }
}

adept_status infer_reshape(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t elements, wanted;
    target t;
    INFER_TRY(read_target(ctx, &t));
    if (t.rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(resolve_target(ctx, &t, x));
    bool assumed = t.holes + t.rests > 1;
    if (x->rank < 0 && t.holes + t.rests > 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank >= 0) {
        INFER_TRY(dims_product(ctx, x->dims, 0, x->rank, &elements));
        if (assumed)
            assume_holes(ctx, &t, x);
        int32_t open = find_open(&t);
        if (open >= 0 && assumed) { /* sizes assumed need not divide */
            t.dims[open] = 1;
            INFER_TRY(dims_product(ctx, t.dims, 0, t.rank, &wanted));
            t.dims[open] = wanted ? elements / wanted : 0;
        } else if (open >= 0) {
            INFER_TRY(fill_rest(ctx, &t, open, elements));
        } else {
            INFER_TRY(dims_product(ctx, t.dims, 0, t.rank, &wanted));
            if (wanted != elements && dims_exact(ctx))
                return adept_infer_fail(
                    ctx, "cannot reshape %s (%" PRId64 " elements) into %s (%" PRId64 " elements)",
                    dims_input_text(ctx, 0), elements, dims_text(ctx, t.rank, t.dims), wanted);
        }
    }
    INFER_TRY(dims_out(ctx, 0, x->dtype, t.rank, t.dims, assumed ? ADEPT_ASSUMED : ADEPT_EXACT));
    return assumed ? ADEPT_OK : fold_pass(ctx, 0, 0);
}

/* [d_0 .. d_axis-1 | d_axis ..] to a matrix. */
adept_status infer_flatten(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t dims[2], axis = adept_infer_int(ctx, "axis", 1);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (axis < -x->rank || axis > x->rank)
        return adept_infer_fail(ctx, "axis %" PRId64 " is out of range for %d dimensions", axis,
                                (int)x->rank);
    int32_t split = (int32_t)(axis < 0 ? axis + x->rank : axis);
    INFER_TRY(dims_product(ctx, x->dims, 0, split, &dims[0]));
    INFER_TRY(dims_product(ctx, x->dims, split, x->rank, &dims[1]));
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, 2, dims));
    return fold_pass(ctx, 0, 0);
}

/*
 * The axes of Squeeze, Unsqueeze, ...: an attribute before an opset, an input since.
 * *given: there is a list; *axes NULL although given: it depends on computed data.
 */
static const int64_t *read_axes(adept_infer *ctx, int64_t *count, bool *given) {
    int32_t listed = 0;
    if (adept_infer_in(ctx, 1)) {
        *given = true;
        return adept_infer_in_ints(ctx, 1, count);
    }
    const int64_t *axes = adept_infer_ints(ctx, "axes", &listed);
    *given = axes != NULL;
    *count = listed;
    return axes;
}

static adept_status squeeze_axes(adept_infer *ctx, const adept_shape *x, const int64_t *axes, int64_t count,
                                 bool *drop) {
    int32_t *list;
    INFER_TRY(dims_axes(ctx, x->rank, axes, count, &list));
    for (int64_t i = 0; i < count; i++) {
        if (x->dims[list[i]] != 1 && dims_exact(ctx))
            return adept_infer_fail(ctx, "cannot squeeze axis %d of %s: its size is %" PRId64 ", not 1",
                                    (int)list[i], dims_input_text(ctx, 0), x->dims[list[i]]);
        drop[list[i]] = true;
    }
    return ADEPT_OK;
}

adept_status infer_squeeze(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t count = 0;
    bool given;
    const int64_t *axes = read_axes(ctx, &count, &given);
    if (x->rank < 0 || (given && !axes))
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    bool *drop = adept_arena_array(adept_infer_arena(ctx), (size_t)x->rank, sizeof *drop);
    int64_t *dims = dims_new(ctx, x->rank);
    if (!drop || !dims)
        return dims_no_memory(ctx);
    if (given)
        INFER_TRY(squeeze_axes(ctx, x, axes, count, drop));
    int32_t rank = 0;
    for (int32_t i = 0; i < x->rank; i++)
        if (given ? !drop[i] : x->dims[i] != 1)
            dims[rank++] = x->dims[i];
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, rank, dims));
    return fold_pass(ctx, 0, 0);
}

adept_status infer_unsqueeze(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t count = 0;
    bool given;
    const int64_t *axes = read_axes(ctx, &count, &given);
    if (!given)
        return adept_infer_fail(ctx, "the list of axes is missing; re-export the model");
    if (x->rank < 0 || !axes)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (count > INT16_MAX)
        return adept_infer_fail(ctx, "%" PRId64 " axes are too many", count);
    int32_t rank = x->rank + (int32_t)count, *list;
    INFER_TRY(dims_axes(ctx, rank, axes, count, &list));
    int64_t *dims = dims_new(ctx, rank);
    if (!dims)
        return dims_no_memory(ctx);
    for (int64_t i = 0; i < count; i++)
        dims[list[i]] = 1;
    for (int32_t i = 0, from = 0; i < rank; i++)
        if (!dims[i])
            dims[i] = -1 - from++; /* marks axis `from` of the input: sizes may be 0 or 1 themselves */
    for (int32_t i = 0; i < rank; i++)
        if (dims[i] < 0)
            dims[i] = x->dims[-1 - dims[i]];
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, rank, dims));
    return fold_pass(ctx, 0, 0);
}

/* com.microsoft: one axis as a scalar input. */
adept_status infer_expand_dims(adept_infer *ctx) {
    return infer_unsqueeze(ctx);
}

/* --- Transpose --- */

static adept_status fold_transpose(adept_infer *ctx, const adept_shape *x, const int32_t *perm,
                                   const int64_t *dims) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    int64_t *from = value ? fold_strides(ctx, x->rank, x->dims) : NULL;
    int64_t *strides = dims_new(ctx, x->rank);
    fold_walk walk;
    fold f;
    if (!from || !strides || !fold_begin(&f, ctx, x->dtype, value->count) ||
        !fold_walk_begin(&walk, ctx, x->rank, dims))
        return ADEPT_OK;
    for (int32_t i = 0; i < x->rank; i++)
        strides[i] = from[perm[i]];
    fold_walk_follow(&walk, strides, 0);
    for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk))
        fold_take(&f, at, value, walk.offset[0]);
    return fold_end(&f, 0);
}

adept_status infer_transpose(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int32_t count, *perm;
    const int64_t *listed = adept_infer_ints(ctx, "perm", &count);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (count == 0)
        listed = NULL; /* an empty list is as good as none */
    if (listed && count != x->rank)
        return adept_infer_fail(ctx, "perm has %d axes, the input %s has %d", (int)count,
                                dims_input_text(ctx, 0), (int)x->rank);
    int64_t *dims = dims_new(ctx, x->rank), *reversed = dims_new(ctx, x->rank);
    if (!dims || !reversed)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < x->rank; i++)
        reversed[i] = x->rank - 1 - i;
    INFER_TRY(dims_axes(ctx, x->rank, listed ? listed : reversed, x->rank, &perm));
    for (int32_t i = 0; i < x->rank; i++)
        dims[i] = x->dims[perm[i]];
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, x->rank, dims));
    return fold_transpose(ctx, x, perm, dims);
}

/* --- blocks --- */

static adept_status read_block(adept_infer *ctx, int64_t *block) {
    INFER_TRY(dims_need_int(ctx, "blocksize", block));
    if (*block < 1)
        return adept_infer_fail(ctx, "blocksize is %" PRId64 ", expected at least 1", *block);
    return dims_want_rank(ctx, 0, 4, "[N, C, H, W]");
}

/* [N, C, H, W] to [N, C / b^2, H b, W b] */
adept_status infer_depth_to_space(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t block, square, dims[4];
    INFER_TRY(read_block(ctx, &block));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (!adept_mul_i64(block, block, &square) || !adept_mul_i64(x->dims[2], block, &dims[2]) ||
        !adept_mul_i64(x->dims[3], block, &dims[3]))
        return adept_infer_overflow(ctx);
    if (x->dims[1] % square && dims_exact(ctx))
        return adept_infer_fail(ctx, "%" PRId64 " channels are not divisible by blocksize^2 = %" PRId64,
                                x->dims[1], square);
    dims[0] = x->dims[0];
    dims[1] = x->dims[1] / square;
    return adept_infer_out(ctx, 0, x->dtype, 4, dims);
}

/* [N, C, H, W] to [N, C b^2, H / b, W / b] */
adept_status infer_space_to_depth(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t block, square, dims[4];
    INFER_TRY(read_block(ctx, &block));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (!adept_mul_i64(block, block, &square) || !adept_mul_i64(x->dims[1], square, &dims[1]))
        return adept_infer_overflow(ctx);
    for (int32_t i = 2; i < 4; i++) {
        if (x->dims[i] % block && dims_exact(ctx))
            return adept_infer_fail(ctx, "size %" PRId64 " of axis %d is not divisible by blocksize %" PRId64,
                                    x->dims[i], (int)i, block);
        dims[i] = x->dims[i] / block;
    }
    dims[0] = x->dims[0];
    return adept_infer_out(ctx, 0, x->dtype, 4, dims);
}
