/* Elementwise operators of several inputs, which are broadcast against one another. */
#include "infer_functions.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer_dims.h"
#include "infer_fold.h"

typedef bool int_rule(int64_t a, int64_t b, int64_t *y); /* false: not known */
typedef double real_rule(double a, double b);            /* NAN: not known */

typedef struct binary_rule {
    int_rule *ints;
    real_rule *reals;
} binary_rule;

/* Folds y = rule(a, b) over the broadcast dims; a, b: values of these shapes. Into a fold begun already. */
static void fold_pair(fold *f, const binary_rule *rule, fold_walk *walk, const adept_value *a,
                      const adept_value *b) {
    bool both_ints = a->ints && b->ints;
    for (int64_t i = 0; i < f->count; i++, fold_walk_next(walk)) {
        int64_t y, at_a = walk->offset[0], at_b = walk->offset[1];
        bool known = fold_known(a, at_a) && fold_known(b, at_b);
        f->known[i] = false; /* only now: a may be the fold itself */
        if (!known)
            continue;
        if (!both_ints)
            fold_put_real(f, i, rule->reals ? rule->reals(fold_real(a, at_a), fold_real(b, at_b)) : NAN);
        else if (rule->ints && rule->ints(a->ints[at_a], b->ints[at_b], &y))
            fold_put_int(f, i, y);
    }
}

static adept_status fold_binary(adept_infer *ctx, adept_dtype dtype, const binary_rule *rule, int32_t rank,
                                const int64_t *dims) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    const adept_value *value_a = adept_infer_in_value(ctx, 0);
    const adept_value *value_b = value_a ? adept_infer_in_value(ctx, 1) : NULL;
    adept_shape out = {.rank = rank, .dims = dims};
    fold_walk walk;
    fold f;
    if (!value_a || !value_b || !fold_begin(&f, ctx, dtype, fold_elements(&out)) ||
        !fold_walk_begin(&walk, ctx, rank, dims) ||
        !fold_walk_follow(&walk, fold_broadcast_strides(ctx, a, rank), 0) ||
        !fold_walk_follow(&walk, fold_broadcast_strides(ctx, b, rank), 0))
        return ADEPT_OK;
    fold_pair(&f, rule, &walk, value_a, value_b);
    return fold_end(&f, 0);
}

/*
 * Before opset 7 the second input is laid over the first one's axes from `axis` on (default: the last
 * ones), and only if `broadcast` says so; the output has the first input's shape.
 */
static adept_status legacy_broadcast(adept_infer *ctx, adept_dtype dtype, const binary_rule *rule) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    INFER_TRY(dims_out_typed(ctx, 0, 0, dtype));
    if (a->rank < 0 || b->rank < 0)
        return ADEPT_OK;
    bool broadcast = adept_infer_int(ctx, "broadcast", 0) != 0;
    int64_t suffix = a->rank - b->rank, axis = broadcast ? adept_infer_int(ctx, "axis", suffix) : suffix;
    if (axis < 0)
        axis += a->rank;
    bool agree = b->rank <= a->rank && axis >= 0 && axis <= a->rank - b->rank;
    for (int32_t i = 0; agree && i < b->rank; i++)
        agree = a->dims[axis + i] == b->dims[i] || (broadcast && b->dims[i] == 1);
    bool scalar = fold_elements(b) == 1;
    if (!broadcast && a->rank != b->rank)
        agree = false;
    if (!agree && !(broadcast && scalar) && dims_exact(ctx))
        return adept_infer_fail(ctx, "shape %s cannot be laid over %s at axis %" PRId64 "%s",
                                dims_input_text(ctx, 1), dims_input_text(ctx, 0), axis,
                                broadcast ? "" : "; attribute 'broadcast' is not set");
    if (scalar || axis + b->rank == a->rank)
        return fold_binary(ctx, dtype, rule, a->rank, a->dims);
    return ADEPT_OK;
}

static adept_status broadcast_pair(adept_infer *ctx, adept_dtype dtype, const binary_rule *rule) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    if (adept_infer_opset(ctx) < 7 && !adept_infer_node(ctx)->domain[0])
        return legacy_broadcast(ctx, dtype, rule);
    if (a->rank < 0 || b->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    int32_t rank;
    int64_t *dims;
    INFER_TRY(dims_broadcast_pair(ctx, a->rank, a->dims, b->rank, b->dims, &rank, &dims));
    INFER_TRY(adept_infer_out(ctx, 0, dtype, rank, dims));
    return fold_binary(ctx, dtype, rule, rank, dims);
}

/* Arithmetic: output of the inputs' type. */
static adept_status arithmetic(adept_infer *ctx, int_rule *ints, real_rule *reals) {
    INFER_TRY(dims_same_type(ctx, 0, 1));
    adept_dtype dtype = dims_type(ctx, 0);
    if (dtype == ADEPT_DTYPE_UNDEFINED)
        dtype = dims_type(ctx, 1);
    return broadcast_pair(ctx, dtype, &(binary_rule){ints, reals});
}

/* Comparison or logic: bool output. */
static adept_status relation(adept_infer *ctx, int_rule *ints, real_rule *reals) {
    INFER_TRY(dims_same_type(ctx, 0, 1));
    return broadcast_pair(ctx, ADEPT_DTYPE_BOOL, &(binary_rule){ints, reals});
}

static bool int_add(int64_t a, int64_t b, int64_t *y) {
    return !__builtin_add_overflow(a, b, y);
}

static bool int_sub(int64_t a, int64_t b, int64_t *y) {
    return !__builtin_sub_overflow(a, b, y);
}

static bool int_mul(int64_t a, int64_t b, int64_t *y) {
    return !__builtin_mul_overflow(a, b, y);
}

/* Integer division truncates toward zero, as in C. */
static bool int_div(int64_t a, int64_t b, int64_t *y) {
    if (b == 0 || (a == INT64_MIN && b == -1))
        return false;
    *y = a / b;
    return true;
}

/* Sign of the divisor, as in Python (fmod = 0). */
static bool int_mod(int64_t a, int64_t b, int64_t *y) {
    if (b == 0 || b == -1) {
        *y = 0;
        return b != 0;
    }
    *y = a % b;
    if (*y != 0 && (*y < 0) != (b < 0))
        *y += b;
    return true;
}

/* Sign of the dividend, as in C (fmod = 1). */
static bool int_fmod(int64_t a, int64_t b, int64_t *y) {
    if (b == 0)
        return false;
    *y = b == -1 ? 0 : a % b;
    return true;
}

static bool int_pow(int64_t a, int64_t b, int64_t *y) {
    int64_t product = 1;
    if (b < 0 || b > 63) {
        *y = a == 1;
        return b >= 0 && (a == 0 || a == 1);
    }
    for (int64_t i = 0; i < b; i++)
        if (__builtin_mul_overflow(product, a, &product))
            return false;
    *y = product;
    return true;
}

static bool int_min(int64_t a, int64_t b, int64_t *y) {
    *y = a < b ? a : b;
    return true;
}

static bool int_max(int64_t a, int64_t b, int64_t *y) {
    *y = a > b ? a : b;
    return true;
}

static bool int_and(int64_t a, int64_t b, int64_t *y) {
    *y = a && b;
    return true;
}

static bool int_or(int64_t a, int64_t b, int64_t *y) {
    *y = a || b;
    return true;
}

static bool int_xor(int64_t a, int64_t b, int64_t *y) {
    *y = !a != !b;
    return true;
}

static bool int_bitwise_and(int64_t a, int64_t b, int64_t *y) {
    *y = a & b;
    return true;
}

static bool int_bitwise_or(int64_t a, int64_t b, int64_t *y) {
    *y = a | b;
    return true;
}

static bool int_bitwise_xor(int64_t a, int64_t b, int64_t *y) {
    *y = a ^ b;
    return true;
}

static bool int_equal(int64_t a, int64_t b, int64_t *y) {
    *y = a == b;
    return true;
}

static bool int_greater(int64_t a, int64_t b, int64_t *y) {
    *y = a > b;
    return true;
}

static bool int_less(int64_t a, int64_t b, int64_t *y) {
    *y = a < b;
    return true;
}

static bool int_greater_or_equal(int64_t a, int64_t b, int64_t *y) {
    *y = a >= b;
    return true;
}

static bool int_less_or_equal(int64_t a, int64_t b, int64_t *y) {
    *y = a <= b;
    return true;
}

static bool int_shift_left(int64_t a, int64_t b, int64_t *y) {
    if (a < 0 || b < 0 || b > 62 || a > INT64_MAX >> b)
        return false;
    *y = a << b;
    return true;
}

static bool int_shift_right(int64_t a, int64_t b, int64_t *y) {
    if (a < 0 || b < 0)
        return false;
    *y = b > 62 ? 0 : a >> b;
    return true;
}

static double real_add(double a, double b) {
    return a + b;
}

static double real_sub(double a, double b) {
    return a - b;
}

static double real_mul(double a, double b) {
    return a * b;
}

static double real_div(double a, double b) {
    return b != 0 ? a / b : (double)NAN;
}

static double real_fmod(double a, double b) {
    return b != 0 ? fmod(a, b) : (double)NAN;
}

/* Sign of the divisor, as int_mod. */
static double real_mod(double a, double b) {
    double rest = real_fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static double real_equal(double a, double b) {
    return a == b;
}

static double real_greater(double a, double b) {
    return a > b;
}

static double real_less(double a, double b) {
    return a < b;
}

static double real_greater_or_equal(double a, double b) {
    return a >= b;
}

static double real_less_or_equal(double a, double b) {
    return a <= b;
}

adept_status infer_add(adept_infer *ctx) {
    return arithmetic(ctx, int_add, real_add);
}

adept_status infer_sub(adept_infer *ctx) {
    return arithmetic(ctx, int_sub, real_sub);
}

adept_status infer_mul(adept_infer *ctx) {
    return arithmetic(ctx, int_mul, real_mul);
}

adept_status infer_div(adept_infer *ctx) {
    return arithmetic(ctx, int_div, real_div);
}

adept_status infer_mod(adept_infer *ctx) {
    bool fmod_sign = adept_infer_int(ctx, "fmod", 0) != 0;
    return arithmetic(ctx, fmod_sign ? int_fmod : int_mod, fmod_sign ? real_fmod : real_mod);
}

/* The exponent may have another type than the base; the output has the base's. */
adept_status infer_pow(adept_infer *ctx) {
    return broadcast_pair(ctx, dims_type(ctx, 0), &(binary_rule){int_pow, pow});
}

adept_status infer_and(adept_infer *ctx) {
    return relation(ctx, int_and, NULL);
}

adept_status infer_or(adept_infer *ctx) {
    return relation(ctx, int_or, NULL);
}

adept_status infer_xor(adept_infer *ctx) {
    return relation(ctx, int_xor, NULL);
}

adept_status infer_equal(adept_infer *ctx) {
    return relation(ctx, int_equal, real_equal);
}

adept_status infer_greater(adept_infer *ctx) {
    return relation(ctx, int_greater, real_greater);
}

adept_status infer_less(adept_infer *ctx) {
    return relation(ctx, int_less, real_less);
}

adept_status infer_greater_or_equal(adept_infer *ctx) {
    return relation(ctx, int_greater_or_equal, real_greater_or_equal);
}

adept_status infer_less_or_equal(adept_infer *ctx) {
    return relation(ctx, int_less_or_equal, real_less_or_equal);
}

adept_status infer_bit_shift(adept_infer *ctx) {
    const char *direction = adept_infer_string(ctx, "direction", NULL);
    if (!direction || (strcmp(direction, "LEFT") != 0 && strcmp(direction, "RIGHT") != 0))
        return adept_infer_fail(ctx, "attribute 'direction' is '%s', expected LEFT or RIGHT",
                                direction ? direction : "missing");
    return arithmetic(ctx, direction[0] == 'L' ? int_shift_left : int_shift_right, NULL);
}

adept_status infer_bitwise_and(adept_infer *ctx) {
    return arithmetic(ctx, int_bitwise_and, NULL);
}

adept_status infer_bitwise_or(adept_infer *ctx) {
    return arithmetic(ctx, int_bitwise_or, NULL);
}

adept_status infer_bitwise_xor(adept_infer *ctx) {
    return arithmetic(ctx, int_bitwise_xor, NULL);
}

/* The slope is laid over x: the output has x's shape. Before opset 7 the slope is one number or [C]. */
adept_status infer_prelu(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *slope = adept_infer_in(ctx, 1);
    INFER_TRY(dims_same_type(ctx, 0, 1));
    if (x->rank >= 0 && slope->rank >= 0 && adept_infer_opset(ctx) >= 7) {
        int32_t rank;
        int64_t *dims;
        INFER_TRY(dims_broadcast_pair(ctx, x->rank, x->dims, slope->rank, slope->dims, &rank, &dims));
        if (dims_exact(ctx) &&
            (rank != x->rank || (rank && memcmp(dims, x->dims, (size_t)rank * sizeof *dims) != 0)))
            return adept_infer_fail(ctx, "slope of shape %s does not fit over x of shape %s",
                                    dims_input_text(ctx, 1), dims_input_text(ctx, 0));
    }
    return adept_infer_out_like(ctx, 0, x);
}

/* Gate and value of one shape, nothing is broadcast. */
adept_status infer_swiglu(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    INFER_TRY(dims_same_type(ctx, 0, 1));
    if (a->rank >= 0 && b->rank >= 0 && dims_exact(ctx) &&
        (a->rank != b->rank || (a->rank && memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) != 0)))
        return adept_infer_fail(ctx, "gate has shape %s, value %s; both must be equal",
                                dims_input_text(ctx, 0), dims_input_text(ctx, 1));
    return adept_infer_out_like(ctx, 0, a->rank >= 0 ? a : b);
}

/* --- any number of inputs --- */

/* Folds input after input into the output: y = rule(y, x_i). */
static adept_status fold_variadic(adept_infer *ctx, adept_dtype dtype, const binary_rule *rule, int32_t rank,
                                  const int64_t *dims, double factor) {
    adept_shape out = {.rank = rank, .dims = dims};
    fold f;
    for (int32_t i = 0; i < adept_infer_inputs(ctx); i++)
        if (!adept_infer_in_value(ctx, i))
            return ADEPT_OK;
    if (!fold_begin(&f, ctx, dtype, fold_elements(&out)))
        return ADEPT_OK;
    for (int32_t i = 0; i < adept_infer_inputs(ctx); i++) {
        const adept_value *x = adept_infer_in_value(ctx, i);
        adept_value sum = {.count = f.count, .ints = f.ints, .reals = f.reals, .known = f.known};
        fold_walk walk;
        if (!fold_walk_begin(&walk, ctx, rank, dims) ||
            !fold_walk_follow(&walk, fold_strides(ctx, rank, dims), 0) ||
            !fold_walk_follow(&walk, fold_broadcast_strides(ctx, adept_infer_in(ctx, i), rank), 0))
            return ADEPT_OK;
        if (i > 0) {
            fold_pair(&f, rule, &walk, &sum, x);
            continue;
        }
        for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk))
            fold_take(&f, at, x, walk.offset[1]);
    }
    for (int64_t at = 0; f.reals && at < f.count; at++)
        f.reals[at] *= factor;
    return fold_end(&f, 0);
}

static adept_status variadic(adept_infer *ctx, int_rule *ints, real_rule *reals, bool mean) {
    int32_t count = adept_infer_inputs(ctx), rank = 0;
    int64_t *dims = NULL;
    for (int32_t i = 1; i < count; i++)
        INFER_TRY(dims_same_type(ctx, 0, i));
    for (int32_t i = 0; i < count; i++) {
        const adept_shape *x = adept_infer_in(ctx, i);
        if (!x || x->rank < 0)
            return adept_infer_out_unknown(ctx, 0, dims_type(ctx, 0));
        INFER_TRY(dims_broadcast_pair(ctx, rank, dims, x->rank, x->dims, &rank, &dims));
    }
    INFER_TRY(adept_infer_out(ctx, 0, dims_type(ctx, 0), rank, dims));
    return fold_variadic(ctx, dims_type(ctx, 0), &(binary_rule){ints, reals}, rank, dims,
                         mean ? 1.0 / count : 1.0);
}

adept_status infer_max(adept_infer *ctx) {
    return variadic(ctx, int_max, fmax, false);
}

adept_status infer_min(adept_infer *ctx) {
    return variadic(ctx, int_min, fmin, false);
}

adept_status infer_sum(adept_infer *ctx) {
    return variadic(ctx, int_add, real_add, false);
}

adept_status infer_mean(adept_infer *ctx) {
    return variadic(ctx, NULL, real_add, true);
}

static adept_status fold_where(adept_infer *ctx, int32_t rank, const int64_t *dims) {
    const adept_value *condition = adept_infer_in_value(ctx, 0);
    const adept_value *x = adept_infer_in_value(ctx, 1), *y = adept_infer_in_value(ctx, 2);
    adept_shape out = {.rank = rank, .dims = dims};
    fold_walk walk;
    fold f;
    if (!condition || (!x && !y) || !fold_begin(&f, ctx, dims_type(ctx, 1), fold_elements(&out)) ||
        !fold_walk_begin(&walk, ctx, rank, dims))
        return ADEPT_OK;
    for (int32_t i = 0; i < 3; i++)
        if (!fold_walk_follow(&walk, fold_broadcast_strides(ctx, adept_infer_in(ctx, i), rank), 0))
            return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk)) {
        if (!fold_known(condition, walk.offset[0]))
            continue;
        if (fold_int(condition, walk.offset[0]))
            fold_take(&f, at, x, walk.offset[1]);
        else
            fold_take(&f, at, y, walk.offset[2]);
    }
    return fold_end(&f, 0);
}

adept_status infer_where(adept_infer *ctx) {
    INFER_TRY(dims_same_type(ctx, 1, 2));
    int32_t rank = 0;
    int64_t *dims = NULL;
    for (int32_t i = 0; i < 3; i++) {
        const adept_shape *in = adept_infer_in(ctx, i);
        if (in->rank < 0)
            return adept_infer_out_unknown(ctx, 0, dims_type(ctx, 1));
        INFER_TRY(dims_broadcast_pair(ctx, rank, dims, in->rank, in->dims, &rank, &dims));
    }
    INFER_TRY(adept_infer_out(ctx, 0, dims_type(ctx, 1), rank, dims));
    return fold_where(ctx, rank, dims);
}
