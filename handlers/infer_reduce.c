/* Reductions, arg-reductions and cumulative sums. */
#include "infer_functions.h"

#include <math.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* The axes of a reduction, and the shape of what remains. */
typedef struct reduction {
    const adept_shape *x;
    bool *reduced; /* [rank] */
    bool keep, open;
    bool nothing; /* no axes and noop_with_empty_axes: the input comes out */
    int32_t rank;
    int64_t *dims; /* [rank] of the output */
} reduction;

/* axes: an attribute, or the second input (ReduceSum since 13, the others since 18). */
static adept_status read_reduction(adept_infer *ctx, reduction *r) {
    bool noop = adept_infer_int(ctx, "noop_with_empty_axes", 0) != 0;
    int32_t listed = 0, *list;
    int64_t count = 0;
    const int64_t *axes = NULL;
    r->keep = adept_infer_int(ctx, "keepdims", 1) == 1;
    if (adept_infer_in(ctx, 1)) {
        axes = adept_infer_in_ints(ctx, 1, &count);
        r->open = !axes && fold_elements(adept_infer_in(ctx, 1)) != 0;
    } else {
        axes = adept_infer_ints(ctx, "axes", &listed);
        count = listed;
    }
    r->reduced = adept_arena_array(adept_infer_arena(ctx), (size_t)r->x->rank, sizeof *r->reduced);
    if (!r->reduced)
        return dims_no_memory(ctx);
    if (r->open)
        return ADEPT_OK;
    if (!axes || count == 0) {
        r->nothing = noop;
        for (int32_t i = 0; i < r->x->rank; i++)
            r->reduced[i] = !noop;
        return ADEPT_OK;
    }
    if (r->x->rank == 0) { /* some exporters reduce scalars over axis 0 or -1 */
        for (int64_t i = 0; i < count; i++)
            if (axes[i] != 0 && axes[i] != -1)
                return adept_infer_axis(ctx, axes[i], 0, &listed);
        return ADEPT_OK;
    }
    INFER_TRY(dims_axes(ctx, r->x->rank, axes, count, &list));
    for (int64_t i = 0; i < count; i++)
        r->reduced[list[i]] = true;
    return ADEPT_OK;
}

static adept_status remaining_dims(adept_infer *ctx, reduction *r) {
    r->dims = dims_new(ctx, r->x->rank);
    if (!r->dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < r->x->rank; i++) {
        if (!r->reduced[i])
            r->dims[r->rank++] = r->x->dims[i];
        else if (r->keep)
            r->dims[r->rank++] = 1;
    }
    return ADEPT_OK;
}

/* Which axes are reduced is computed data: with keepdims the rank stays and the sizes are bounds. */
static adept_status open_reduction(adept_infer *ctx, const reduction *r) {
    if (!r->keep)
        return adept_infer_out_unknown(ctx, 0, r->x->dtype);
    return dims_out(ctx, 0, r->x->dtype, r->x->rank, r->x->dims, ADEPT_BOUND);
}

typedef bool int_rule(int64_t total, int64_t x, int64_t *y);
typedef double real_rule(double total, double x);

typedef struct reduce_rule {
    int_rule *ints;
    real_rule *reals;
    bool mean;
} reduce_rule;

static void fold_step(fold *f, const reduce_rule *rule, int64_t to, const adept_value *value, int64_t from,
                      bool first) {
    int64_t y;
    if (!fold_known(value, from) || (!first && !f->known[to])) {
        f->known[to] = false;
        return;
    }
    if (first) {
        fold_take(f, to, value, from);
    } else if (f->reals) {
        f->reals[to] = rule->reals(f->reals[to], fold_real(value, from));
    } else {
        f->known[to] = rule->ints(f->ints[to], fold_int(value, from), &y);
        if (f->known[to])
            fold_put_int(f, to, y);
    }
}

/* Means of integers are truncated like the division they end with. */
static void divide(fold *f, int64_t by) {
    for (int64_t i = 0; i < f->count && by; i++) {
        if (f->reals)
            fold_put_real(f, i, f->reals[i] / (double)by);
        else
            f->ints[i] /= by;
    }
}

static adept_status fold_reduce(adept_infer *ctx, const reduction *r, const reduce_rule *rule) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    adept_shape out = {.rank = r->rank, .dims = r->dims};
    int64_t *strides = dims_new(ctx, r->x->rank), stride = 1;
    fold_walk walk;
    fold f;
    if (!value || !value->count || !strides || !fold_begin(&f, ctx, r->x->dtype, fold_elements(&out)) ||
        !fold_walk_begin(&walk, ctx, r->x->rank, r->x->dims))
        return ADEPT_OK;
    for (int32_t i = r->x->rank - 1; i >= 0; i--) {
        strides[i] = r->reduced[i] ? 0 : stride;
        stride *= r->reduced[i] ? 1 : r->x->dims[i];
    }
    fold_walk_follow(&walk, strides, 0);
    for (int64_t at = 0; at < value->count; at++, fold_walk_next(&walk)) {
        bool first = true;
        for (int32_t i = 0; i < r->x->rank && first; i++)
            first = !r->reduced[i] || walk.position[i] == 0;
        fold_step(&f, rule, walk.offset[0], value, at, first);
    }
    if (rule->mean)
        divide(&f, value->count / f.count);
    return fold_end(&f, 0);
}

static adept_status reduce(adept_infer *ctx, const reduce_rule *rule) {
    reduction r = {.x = adept_infer_in(ctx, 0)};
    if (r.x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, r.x->dtype);
    INFER_TRY(read_reduction(ctx, &r));
    if (r.open)
        return open_reduction(ctx, &r);
    INFER_TRY(remaining_dims(ctx, &r));
    INFER_TRY(adept_infer_out(ctx, 0, r.x->dtype, r.rank, r.dims));
    if (r.nothing && rule)
        return fold_pass(ctx, 0, 0);
    return rule ? fold_reduce(ctx, &r, rule) : ADEPT_OK;
}

static bool int_add(int64_t total, int64_t x, int64_t *y) {
    return !__builtin_add_overflow(total, x, y);
}

static bool int_mul(int64_t total, int64_t x, int64_t *y) {
    return !__builtin_mul_overflow(total, x, y);
}

static bool int_max(int64_t total, int64_t x, int64_t *y) {
    *y = total > x ? total : x;
    return true;
}

static bool int_min(int64_t total, int64_t x, int64_t *y) {
    *y = total < x ? total : x;
    return true;
}

static double real_add(double total, double x) {
    return total + x;
}

static double real_mul(double total, double x) {
    return total * x;
}

/* Norms and logarithms: no size is ever made of them. */
adept_status infer_reduce(adept_infer *ctx) {
    return reduce(ctx, NULL);
}

adept_status infer_reduce_sum(adept_infer *ctx) {
    return reduce(ctx, &(reduce_rule){int_add, real_add, false});
}

adept_status infer_reduce_mean(adept_infer *ctx) {
    return reduce(ctx, &(reduce_rule){int_add, real_add, true});
}

adept_status infer_reduce_max(adept_infer *ctx) {
    return reduce(ctx, &(reduce_rule){int_max, fmax, false});
}

adept_status infer_reduce_min(adept_infer *ctx) {
    return reduce(ctx, &(reduce_rule){int_min, fmin, false});
}

adept_status infer_reduce_prod(adept_infer *ctx) {
    return reduce(ctx, &(reduce_rule){int_mul, real_mul, false});
}

/* com.microsoft: int8/uint8 to int32. */
adept_status infer_reduce_sum_integer(adept_infer *ctx) {
    reduction r = {.x = adept_infer_in(ctx, 0)};
    if (r.x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT32);
    INFER_TRY(read_reduction(ctx, &r));
    INFER_TRY(remaining_dims(ctx, &r));
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_INT32, r.rank, r.dims);
}

/* com.microsoft: data, scale, zero point, ..; axes and keepdims are attributes. */
adept_status infer_qlinear_reduce_mean(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int32_t count = 0, *list;
    const int64_t *axes = adept_infer_ints(ctx, "axes", &count);
    reduction r = {.x = x, .keep = adept_infer_int(ctx, "keepdims", 1) == 1};
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    r.reduced = adept_arena_array(adept_infer_arena(ctx), (size_t)x->rank, sizeof *r.reduced);
    if (!r.reduced)
        return dims_no_memory(ctx);
    INFER_TRY(dims_axes(ctx, x->rank, axes, count, &list));
    for (int32_t i = 0; i < x->rank; i++)
        r.reduced[i] = count == 0;
    for (int32_t i = 0; i < count; i++)
        r.reduced[list[i]] = true;
    INFER_TRY(remaining_dims(ctx, &r));
    return adept_infer_out(ctx, 0, x->dtype, r.rank, r.dims);
}

/* --- ArgMax, ArgMin --- */

static adept_status fold_arg(adept_infer *ctx, const adept_shape *x, int32_t axis, double sign) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    bool last = adept_infer_int(ctx, "select_last_index", 0) != 0;
    int64_t inner, size = x->dims[axis];
    fold f;
    if (!value || !value->count || !adept_elements(x->dims + axis + 1, x->rank - axis - 1, &inner) ||
        !fold_begin(&f, ctx, ADEPT_DTYPE_INT64, value->count / size))
        return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++) {
        int64_t start = at / inner * size * inner + at % inner, best = 0;
        bool known = true;
        for (int64_t i = 0; i < size && known; i++) {
            known = fold_known(value, start + i * inner);
            if (!known)
                break;
            double ahead =
                sign * (fold_real(value, start + i * inner) - fold_real(value, start + best * inner));
            if (ahead > 0 || (last && ahead == 0))
                best = i;
        }
        if (known)
            fold_put_int(&f, at, best);
    }
    return fold_end(&f, 0);
}

static adept_status arg_reduce(adept_infer *ctx, double sign) {
    reduction r = {.x = adept_infer_in(ctx, 0), .keep = adept_infer_int(ctx, "keepdims", 1) == 1};
    int32_t axis;
    if (r.x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT64);
    r.reduced = adept_arena_array(adept_infer_arena(ctx), (size_t)r.x->rank, sizeof *r.reduced);
    if (!r.reduced)
        return dims_no_memory(ctx);
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", 0), r.x->rank, &axis));
    r.reduced[axis] = true;
    INFER_TRY(remaining_dims(ctx, &r));
    INFER_TRY(adept_infer_out(ctx, 0, ADEPT_DTYPE_INT64, r.rank, r.dims));
    return fold_arg(ctx, r.x, axis, sign);
}

adept_status infer_arg_max(adept_infer *ctx) {
    return arg_reduce(ctx, 1);
}

adept_status infer_arg_min(adept_infer *ctx) {
    return arg_reduce(ctx, -1);
}

/* --- CumSum, CumProd --- */

static adept_status fold_cumulative(adept_infer *ctx, const adept_shape *x, int32_t axis,
                                    const reduce_rule *rule, int64_t neutral) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    bool exclusive = adept_infer_int(ctx, "exclusive", 0) != 0;
    bool reverse = adept_infer_int(ctx, "reverse", 0) != 0;
    int64_t inner, size = x->dims[axis];
    fold f;
    if (!value || !value->count || !adept_elements(x->dims + axis + 1, x->rank - axis - 1, &inner) ||
        size < 1 || inner < 1 || !fold_begin(&f, ctx, x->dtype, value->count))
        return ADEPT_OK;
    for (int64_t row = 0; row < value->count / size; row++) {
        int64_t start = row / inner * size * inner + row % inner, previous = -1;
        for (int64_t i = 0; i < size; i++) {
            int64_t at = start + (reverse ? size - 1 - i : i) * inner;
            if (i == 0 && exclusive) {
                fold_put_int(&f, at, neutral);
            } else if (i == 0) {
                fold_take(&f, at, value, at);
            } else {
                adept_value sums = {.count = f.count, .ints = f.ints, .reals = f.reals, .known = f.known};
                fold_take(&f, at, &sums, previous);
                fold_step(&f, rule, at, value, exclusive ? previous : at, false);
            }
            previous = at;
        }
    }
    return fold_end(&f, 0);
}

static adept_status cumulative(adept_infer *ctx, const reduce_rule *rule, int64_t neutral) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t listed;
    int32_t axis;
    INFER_TRY(infer_same(ctx));
    if (x->rank < 0 || !fold_scalar(ctx, 1, &listed))
        return ADEPT_OK;
    INFER_TRY(adept_infer_axis(ctx, listed, x->rank, &axis));
    return fold_cumulative(ctx, x, axis, rule, neutral);
}

adept_status infer_cumsum(adept_infer *ctx) {
    return cumulative(ctx, &(reduce_rule){int_add, real_add, false}, 0);
}

adept_status infer_cumprod(adept_infer *ctx) {
    return cumulative(ctx, &(reduce_rule){int_mul, real_mul, false}, 1);
}

/* [.., M, M] to [..] */
adept_status infer_det(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (x->rank < 2 || (x->dims[x->rank - 1] != x->dims[x->rank - 2] && dims_exact(ctx)))
        return adept_infer_fail(ctx, "input has shape %s, expected square matrices", dims_input_text(ctx, 0));
    return adept_infer_out(ctx, 0, x->dtype, x->rank - 2, x->dims);
}
