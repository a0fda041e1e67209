/* Operators of one input whose output has its shape, and those that change only its type. */
#include "infer_functions.h"

#include <math.h>
#include <string.h>

#include "infer_dims.h"
#include "infer_fold.h"

adept_status infer_same(adept_infer *ctx) {
    return adept_infer_out_like(ctx, 0, adept_infer_in(ctx, 0));
}

typedef bool int_rule(int64_t x, int64_t *y); /* false: not known */
typedef double real_rule(double x);

static adept_status fold_unary(adept_infer *ctx, adept_dtype dtype, int_rule *ints, real_rule *reals) {
    const adept_value *x = adept_infer_in_value(ctx, 0);
    fold f;
    if (!x || !fold_begin(&f, ctx, dtype, x->count))
        return ADEPT_OK;
    for (int64_t i = 0; i < x->count; i++) {
        int64_t y;
        if (!fold_known(x, i))
            continue;
        if (!x->ints)
            fold_put_real(&f, i, reals ? reals(x->reals[i]) : NAN);
        else if (ints && ints(x->ints[i], &y))
            fold_put_int(&f, i, y);
    }
    return fold_end(&f, 0);
}

static adept_status same_folded(adept_infer *ctx, int_rule *ints, real_rule *reals) {
    INFER_TRY(infer_same(ctx));
    return fold_unary(ctx, dims_type(ctx, 0), ints, reals);
}

static bool int_identity(int64_t x, int64_t *y) {
    *y = x;
    return true;
}

static bool int_neg(int64_t x, int64_t *y) {
    return !__builtin_sub_overflow((int64_t)0, x, y);
}

static double real_neg(double x) {
    return -x;
}

static bool int_abs(int64_t x, int64_t *y) {
    *y = x;
    return x >= 0 || int_neg(x, y);
}

static bool int_sign(int64_t x, int64_t *y) {
    *y = (x > 0) - (x < 0);
    return true;
}

static double real_sign(double x) {
    return (double)((x > 0) - (x < 0));
}

static bool int_relu(int64_t x, int64_t *y) {
    *y = x > 0 ? x : 0;
    return true;
}

static double real_relu(double x) {
    return x > 0 ? x : 0;
}

static bool int_not(int64_t x, int64_t *y) {
    *y = !x;
    return true;
}

static bool int_bitwise_not(int64_t x, int64_t *y) {
    *y = ~x;
    return true;
}

static double real_reciprocal(double x) {
    return x != 0 ? 1 / x : (double)NAN;
}

/* nearest, halves to even (the default rounding mode of the C environment). */
static double real_round(double x) {
    return nearbyint(x);
}

adept_status infer_abs(adept_infer *ctx) {
    return same_folded(ctx, int_abs, fabs);
}

adept_status infer_neg(adept_infer *ctx) {
    return same_folded(ctx, int_neg, real_neg);
}

adept_status infer_floor(adept_infer *ctx) {
    return same_folded(ctx, int_identity, floor);
}

adept_status infer_ceil(adept_infer *ctx) {
    return same_folded(ctx, int_identity, ceil);
}

adept_status infer_round(adept_infer *ctx) {
    return same_folded(ctx, int_identity, real_round);
}

adept_status infer_sqrt(adept_infer *ctx) {
    return same_folded(ctx, NULL, sqrt);
}

adept_status infer_reciprocal(adept_infer *ctx) {
    return same_folded(ctx, NULL, real_reciprocal);
}

adept_status infer_sign(adept_infer *ctx) {
    return same_folded(ctx, int_sign, real_sign);
}

adept_status infer_relu(adept_infer *ctx) {
    return same_folded(ctx, int_relu, real_relu);
}

adept_status infer_not(adept_infer *ctx) {
    adept_dtype dtype = dims_type(ctx, 0);
    if (dtype != ADEPT_DTYPE_BOOL && dtype != ADEPT_DTYPE_UNDEFINED)
        return adept_infer_fail(ctx, "input is %s, expected bool; insert a Cast", adept_dtype_name(dtype));
    return same_folded(ctx, int_not, NULL);
}

adept_status infer_bitwise_not(adept_infer *ctx) {
    /* Of an unsigned type the complement is not ~x of int64: it falls out of range and stays unknown. */
    return same_folded(ctx, int_bitwise_not, NULL);
}

/* IsNaN, IsInf: bool of the input's shape. */
adept_status infer_predicate(adept_infer *ctx) {
    return dims_out_typed(ctx, 0, 0, ADEPT_DTYPE_BOOL);
}

/* A limit of Clip: false if it is given but not known. */
static bool clip_limit(adept_infer *ctx, int32_t input, const char *attribute, double missing,
                       double *limit) {
    *limit = missing;
    if (adept_infer_opset(ctx) < 11) {
        *limit = adept_infer_float(ctx, attribute, missing);
        return true;
    }
    if (!adept_infer_in(ctx, input))
        return true;
    const adept_value *value = adept_infer_in_value(ctx, input);
    if (!value || value->count != 1 || !fold_known(value, 0))
        return false;
    *limit = fold_real(value, 0);
    return true;
}

/* min and max are attributes before opset 11. */
adept_status infer_clip(adept_infer *ctx) {
    double low, high;
    fold f;
    INFER_TRY(infer_same(ctx));
    if (adept_infer_opset(ctx) >= 11) {
        INFER_TRY(dims_same_type(ctx, 0, 1));
        INFER_TRY(dims_same_type(ctx, 0, 2));
    }
    const adept_value *x = adept_infer_in_value(ctx, 0);
    if (!x || !clip_limit(ctx, 1, "min", -INFINITY, &low) || !clip_limit(ctx, 2, "max", INFINITY, &high) ||
        !fold_begin(&f, ctx, dims_type(ctx, 0), x->count))
        return ADEPT_OK;
    for (int64_t i = 0; i < x->count; i++) {
        if (!fold_known(x, i))
            continue;
        double number = fold_real(x, i);
        if (number >= low && number <= high)
            fold_take(&f, i, x, i);
        else /* min(max(x, low), high): the upper limit wins */
            fold_put_real(&f, i, number > high || low > high ? high : low);
    }
    return fold_end(&f, 0);
}

/* --- change of type --- */

/* Before opset 6 Cast's `to` is a name. */
static int64_t type_by_name(const char *name) {
    static const struct {
        const char *name;
        adept_dtype dtype;
    } types[] = {
        {"FLOAT",     ADEPT_DTYPE_FLOAT    },
        {"UINT8",     ADEPT_DTYPE_UINT8    },
        {"INT8",      ADEPT_DTYPE_INT8     },
        {"UINT16",    ADEPT_DTYPE_UINT16   },
        {"INT16",     ADEPT_DTYPE_INT16    },
        {"INT32",     ADEPT_DTYPE_INT32    },
        {"INT64",     ADEPT_DTYPE_INT64    },
        {"STRING",    ADEPT_DTYPE_STRING   },
        {"BOOL",      ADEPT_DTYPE_BOOL     },
        {"FLOAT16",   ADEPT_DTYPE_FLOAT16  },
        {"DOUBLE",    ADEPT_DTYPE_DOUBLE   },
        {"UINT32",    ADEPT_DTYPE_UINT32   },
        {"UINT64",    ADEPT_DTYPE_UINT64   },
        {"COMPLEX64", ADEPT_DTYPE_COMPLEX64},
    };
    for (size_t i = 0; name && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].dtype;
    return ADEPT_DTYPE_UNDEFINED;
}

static adept_status read_target_type(adept_infer *ctx, adept_dtype *out) {
    int64_t to;
    if (!adept_infer_has(ctx, "to"))
        return adept_infer_fail(ctx, "required attribute 'to' is missing; re-export the model");
    if (adept_infer_opset(ctx) < 6)
        to = type_by_name(adept_infer_string(ctx, "to", NULL));
    else
        to = adept_infer_int(ctx, "to", 0);
    if (to <= ADEPT_DTYPE_UNDEFINED || to >= ADEPT_DTYPE_COUNT)
        return adept_infer_fail(ctx, "attribute 'to' is %lld, which is no element type", (long long)to);
    *out = (adept_dtype)to;
    return ADEPT_OK;
}

static bool int_is_true(int64_t x, int64_t *y) {
    *y = x != 0;
    return true;
}

static double real_is_true(double x) {
    return x != 0;
}

static double real_identity(double x) {
    return x;
}

static adept_status cast_to(adept_infer *ctx, adept_dtype dtype) {
    INFER_TRY(dims_out_typed(ctx, 0, 0, dtype));
    if (dtype == ADEPT_DTYPE_BOOL)
        return fold_unary(ctx, dtype, int_is_true, real_is_true);
    return fold_unary(ctx, dtype, int_identity, real_identity);
}

/* Reals are truncated toward zero; numbers that the target cannot hold become unknown. */
adept_status infer_cast(adept_infer *ctx) {
    adept_dtype dtype = ADEPT_DTYPE_UNDEFINED;
    INFER_TRY(read_target_type(ctx, &dtype));
    return cast_to(ctx, dtype);
}

adept_status infer_cast_like(adept_infer *ctx) {
    return cast_to(ctx, dims_type(ctx, 1));
}

adept_status infer_bit_cast(adept_infer *ctx) {
    adept_dtype from = dims_type(ctx, 0), to = ADEPT_DTYPE_UNDEFINED;
    INFER_TRY(read_target_type(ctx, &to));
    if (from != ADEPT_DTYPE_UNDEFINED && adept_dtype_bits(from) != adept_dtype_bits(to))
        return adept_infer_fail(ctx, "cannot reinterpret %s (%d bits) as %s (%d bits)",
                                adept_dtype_name(from), adept_dtype_bits(from), adept_dtype_name(to),
                                adept_dtype_bits(to));
    return dims_out_typed(ctx, 0, 0, to);
}
