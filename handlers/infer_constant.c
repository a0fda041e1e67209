/* Operators whose output comes from attributes, shapes or a few numbers: nothing large is read. */
#include "infer_functions.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* --- Constant --- */

static adept_status constant_tensor(adept_infer *ctx, const adept_constant *tensor) {
    return adept_infer_out(ctx, 0, tensor->dtype, tensor->rank, tensor->dims);
}

static adept_status constant_list(adept_infer *ctx, adept_dtype dtype, int32_t rank, int64_t count,
                                  const int64_t *ints, const double *reals) {
    INFER_TRY(adept_infer_out(ctx, 0, dtype, rank, &count));
    if (count > ADEPT_VALUE_LIMIT)
        return ADEPT_OK;
    if (ints)
        return adept_infer_out_ints(ctx, 0, ints, NULL);
    return reals ? adept_infer_out_reals(ctx, 0, reals, NULL) : ADEPT_OK;
}

/* One of value, sparse_value, value_int(s), value_float(s), value_string(s). */
adept_status infer_constant(adept_infer *ctx) {
    const adept_node *node = adept_infer_node(ctx);
    for (int32_t i = 0; i < node->attribute_count; i++) {
        const adept_attribute *a = &node->attributes[i];
        if (strncmp(a->name, "value", 5) != 0 && strcmp(a->name, "sparse_value") != 0)
            continue;
        switch (a->type) {
        case ADEPT_ATTRIBUTE_TENSOR:
        case ADEPT_ATTRIBUTE_SPARSE_TENSOR:
            if (a->tensor)
                return constant_tensor(ctx, a->tensor);
            break;
        case ADEPT_ATTRIBUTE_INT:
            return constant_list(ctx, ADEPT_DTYPE_INT64, 0, 1, &a->i, NULL);
        case ADEPT_ATTRIBUTE_INTS:
            return constant_list(ctx, ADEPT_DTYPE_INT64, 1, a->count, a->ints, NULL);
        case ADEPT_ATTRIBUTE_FLOAT:
            return constant_list(ctx, ADEPT_DTYPE_FLOAT, 0, 1, NULL, &a->f);
        case ADEPT_ATTRIBUTE_FLOATS:
            return constant_list(ctx, ADEPT_DTYPE_FLOAT, 1, a->count, NULL, a->floats);
        case ADEPT_ATTRIBUTE_STRING:
            return constant_list(ctx, ADEPT_DTYPE_STRING, 0, 1, NULL, NULL);
        case ADEPT_ATTRIBUTE_STRINGS:
            return constant_list(ctx, ADEPT_DTYPE_STRING, 1, a->count, NULL, NULL);
        default:
            break;
        }
    }
    return adept_infer_fail(ctx, "no attribute gives a value (value, value_int, value_floats, ...)");
}

/* --- ConstantOfShape --- */

/* The fill value: zero of FLOAT unless the attribute says otherwise. false: its number is not known. */
static bool read_fill(adept_infer *ctx, adept_dtype *dtype, const int64_t **ints, const double **reals) {
    static const double zero = 0;
    const adept_attribute *a = adept_node_attribute(adept_infer_node(ctx), "value");
    *dtype = ADEPT_DTYPE_FLOAT;
    *ints = NULL;
    *reals = &zero;
    if (!a || !a->tensor)
        return true;
    *dtype = a->tensor->dtype;
    adept_error ignored = ADEPT_ERROR_INIT;
    return a->tensor->elements == 1 && a->tensor->payload == ADEPT_PAYLOAD_INLINE &&
           adept_constant_read(NULL, a->tensor, adept_infer_arena(ctx), ints, reals, &ignored) == ADEPT_OK &&
           (*ints || *reals);
}

/* Sizes of a shape input; open ones are assumed. *rank -1: not even their number is known. */
static adept_status read_sizes(adept_infer *ctx, int32_t input, int32_t *rank, int64_t **dims,
                               adept_certainty *certainty) {
    const adept_shape *shape = adept_infer_in(ctx, input);
    const adept_value *value = adept_infer_in_value(ctx, input);
    *rank = -1;
    *certainty = ADEPT_EXACT;
    if (shape->rank > 1)
        return adept_infer_fail(ctx, "the shape input has %d dimensions, expected a list", (int)shape->rank);
    if (shape->rank < 0 || fold_elements(shape) > INT16_MAX)
        return ADEPT_OK;
    *rank = (int32_t)fold_elements(shape);
    *dims = dims_new(ctx, *rank);
    if (!*dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < *rank; i++) {
        if (!fold_known(value, i)) {
            (*dims)[i] = dims_assume_axis(ctx, "dim", i, ASSUMED_LENGTH, ADEPT_ASSUMED,
                                          "the size depends on computed data");
            *certainty = ADEPT_ASSUMED;
        } else if (((*dims)[i] = fold_int(value, i)) < 0) {
            return adept_infer_fail(ctx, "size %d of the shape is %" PRId64, (int)i, (*dims)[i]);
        }
    }
    return ADEPT_OK;
}

adept_status infer_constant_of_shape(adept_infer *ctx) {
    const double *reals;
    const int64_t *ints;
    adept_certainty certainty;
    adept_dtype dtype;
    int32_t rank;
    int64_t *dims = NULL;
    fold f;
    bool known = read_fill(ctx, &dtype, &ints, &reals);
    INFER_TRY(read_sizes(ctx, 0, &rank, &dims, &certainty));
    if (rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    INFER_TRY(dims_out(ctx, 0, dtype, rank, dims, certainty));
    adept_shape out = {.rank = rank, .dims = dims};
    if (!known || certainty != ADEPT_EXACT || !fold_begin(&f, ctx, dtype, fold_elements(&out)))
        return ADEPT_OK;
    for (int64_t i = 0; i < f.count; i++) {
        if (ints)
            fold_put_int(&f, i, ints[0]);
        else
            fold_put_real(&f, i, reals[0]);
    }
    return fold_end(&f, 0);
}

/* --- Shape, Size --- */

/* start and end (opset 15) count from the back if negative and are clamped to the rank. */
static int32_t clamp_axis(int64_t axis, int32_t rank) {
    if (axis < 0)
        axis += rank;
    return axis < 0 ? 0 : axis > rank ? rank : (int32_t)axis;
}

adept_status infer_shape(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT64);
    int32_t start = clamp_axis(adept_infer_int(ctx, "start", 0), x->rank);
    int32_t end = clamp_axis(adept_infer_int(ctx, "end", x->rank), x->rank);
    int64_t count = end > start ? end - start : 0;
    INFER_TRY(adept_infer_out(ctx, 0, ADEPT_DTYPE_INT64, 1, &count));
    return adept_infer_out_ints(ctx, 0, x->dims + (count ? start : 0), NULL);
}

adept_status infer_size(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    INFER_TRY(adept_infer_out(ctx, 0, ADEPT_DTYPE_INT64, 0, NULL));
    int64_t count = fold_elements(x);
    return count < 0 ? ADEPT_OK : adept_infer_out_ints(ctx, 0, &count, NULL);
}

/* --- Range --- */

/* A scalar of Range: false if its number is not known. */
static bool range_number(adept_infer *ctx, int32_t input, int64_t *whole, double *real) {
    const adept_value *value = adept_infer_in_value(ctx, input);
    if (!fold_known(value, 0))
        return false;
    *whole = fold_int(value, 0);
    *real = fold_real(value, 0);
    return true;
}

/* max(ceil((limit - start) / step), 0); false: beyond int64. */
static bool range_count(int64_t start, int64_t limit, int64_t step, int64_t *count) {
    uint64_t distance, size;
    if (step > 0 ? limit <= start : limit >= start) {
        *count = 0;
        return true;
    }
    distance = step > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    size = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    uint64_t steps = distance / size + (distance % size != 0);
    *count = (int64_t)steps;
    return steps <= INT64_MAX;
}

static adept_status fold_range(adept_infer *ctx, adept_dtype dtype, int64_t count, const int64_t *whole,
                               const double *real) {
    fold f;
    if (!fold_begin(&f, ctx, dtype, count))
        return ADEPT_OK;
    for (int64_t i = 0; i < count; i++) {
        if (f.ints)
            fold_put_int(&f, i, (int64_t)((uint64_t)whole[0] + (uint64_t)i * (uint64_t)whole[2]));
        else
            fold_put_real(&f, i, real[0] + (double)i * real[2]);
    }
    return fold_end(&f, 0);
}

/* start, limit, step (com.microsoft: step 1 if left out); [ceil((limit - start) / step)] numbers. */
adept_status infer_range(adept_infer *ctx) {
    adept_dtype dtype = dims_type(ctx, 0);
    int64_t whole[3] = {0, 0, 1}, count;
    double real[3] = {0, 0, 1};
    bool known[3] = {false, false, true};
    for (int32_t i = 0; i < 3; i++)
        if (adept_infer_in(ctx, i))
            known[i] = range_number(ctx, i, &whole[i], &real[i]);
    INFER_TRY(dims_same_type(ctx, 0, 1));
    if (known[2] && real[2] == 0)
        return adept_infer_fail(ctx, "the step is 0: the range never ends");
    if (!known[0] || !known[1] || !known[2]) {
        count = dims_assume(ctx, "range", ASSUMED_LENGTH, "limits of the range are computed data");
        return dims_out(ctx, 0, dtype, 1, &count, ADEPT_ASSUMED);
    }
    if (adept_dtype_is_float(dtype)) {
        double steps = ceil((real[1] - real[0]) / real[2]);
        if (!(steps < 9e18))
            return adept_infer_overflow(ctx);
        count = steps > 0 ? (int64_t)steps : 0;
    } else if (!range_count(whole[0], whole[1], whole[2], &count)) {
        return adept_infer_overflow(ctx);
    }
    INFER_TRY(adept_infer_out(ctx, 0, dtype, 1, &count));
    return fold_range(ctx, dtype, count, whole, real);
}

/* --- EyeLike, OneHot, Trilu --- */

/* Rows and columns of a matrix at `at`; predicate tells where the ones stand. */
adept_status infer_eye_like(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    adept_dtype dtype;
    int64_t k = adept_infer_int(ctx, "k", 0);
    fold f;
    INFER_TRY(dims_want_rank(ctx, 0, 2, "a matrix"));
    INFER_TRY(dims_type_attribute(ctx, "dtype", x->dtype, &dtype));
    INFER_TRY(dims_out_typed(ctx, 0, 0, dtype));
    if (x->rank < 0 || !fold_begin(&f, ctx, dtype, fold_elements(x)))
        return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++)
        fold_put_int(&f, at, at % x->dims[1] - at / x->dims[1] == k);
    return fold_end(&f, 0);
}

static adept_status fold_one_hot(adept_infer *ctx, int64_t outer, int64_t depth, int64_t inner) {
    const adept_value *index = adept_infer_in_value(ctx, 0), *values = adept_infer_in_value(ctx, 2);
    int64_t count;
    fold f;
    if (!index || !values || values->count != 2 || !adept_mul_i64(index->count, depth, &count) ||
        !fold_begin(&f, ctx, dims_type(ctx, 2), count))
        return ADEPT_OK;
    for (int64_t at = 0; at < count; at++) {
        int64_t from = at / (depth * inner) * inner + at % inner, hot;
        if (!fold_known(index, from))
            continue;
        hot = fold_int(index, from);
        fold_take(&f, at, values, (hot < 0 ? hot + depth : hot) == at / inner % depth);
    }
    (void)outer;
    return fold_end(&f, 0);
}

/* indices [..] and a depth to [.., depth, ..] at axis; values holds [off, on]. */
adept_status infer_one_hot(adept_infer *ctx) {
    const adept_shape *indices = adept_infer_in(ctx, 0);
    adept_dtype dtype = dims_type(ctx, 2);
    int64_t depth = 0, outer, inner;
    bool known = fold_scalar(ctx, 1, &depth);
    int32_t axis;
    if (known && depth < 0)
        return adept_infer_fail(ctx, "depth is %" PRId64, depth);
    if (indices->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    if (!known)
        depth = dims_assume(ctx, "depth", ASSUMED_LENGTH, "the depth is computed data");
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", -1), indices->rank + 1, &axis));
    int64_t *dims = dims_new(ctx, indices->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i <= indices->rank; i++)
        dims[i] = i < axis ? indices->dims[i] : i == axis ? depth : indices->dims[i - 1];
    INFER_TRY(dims_out(ctx, 0, dtype, indices->rank + 1, dims, known ? ADEPT_EXACT : ADEPT_ASSUMED));
    INFER_TRY(dims_product(ctx, dims, 0, axis, &outer));
    INFER_TRY(dims_product(ctx, dims, axis + 1, indices->rank + 1, &inner));
    return known ? fold_one_hot(ctx, outer, depth, inner) : ADEPT_OK;
}

adept_status infer_trilu(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    bool upper = adept_infer_int(ctx, "upper", 1) != 0;
    int64_t k = 0;
    fold f;
    if (x->rank >= 0 && x->rank < 2)
        return adept_infer_fail(ctx, "input has shape %s, expected at least two dimensions",
                                dims_input_text(ctx, 0));
    INFER_TRY(infer_same(ctx));
    const adept_value *value = adept_infer_in_value(ctx, 0);
    if (!value || (adept_infer_in(ctx, 1) && !fold_scalar(ctx, 1, &k)) ||
        !fold_begin(&f, ctx, x->dtype, value->count))
        return ADEPT_OK;
    int64_t rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
    for (int64_t at = 0; at < f.count; at++) {
        int64_t diagonal = at % columns - at / columns % rows;
        if (upper ? diagonal >= k : diagonal <= k)
            fold_take(&f, at, value, at);
        else
            fold_put_int(&f, at, 0);
    }
    return fold_end(&f, 0);
}

/* --- Expand, Tile --- */

static adept_status fold_expand(adept_infer *ctx, int32_t rank, const int64_t *dims) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    adept_shape out = {.rank = rank, .dims = dims};
    fold_walk walk;
    fold f;
    if (!value || !fold_begin(&f, ctx, dims_type(ctx, 0), fold_elements(&out)) ||
        !fold_walk_begin(&walk, ctx, rank, dims) ||
        !fold_walk_follow(&walk, fold_broadcast_strides(ctx, adept_infer_in(ctx, 0), rank), 0))
        return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk))
        fold_take(&f, at, value, walk.offset[0]);
    return fold_end(&f, 0);
}

/* Open sizes of Expand: an input axis beyond 1 decides, else the size is assumed. */
static adept_status expand_sizes(adept_infer *ctx, int32_t *rank, int64_t **sizes,
                                 adept_certainty *certainty) {
    const adept_shape *x = adept_infer_in(ctx, 0), *shape = adept_infer_in(ctx, 1);
    const adept_value *value = adept_infer_in_value(ctx, 1);
    *certainty = ADEPT_EXACT;
    *rank = (int32_t)fold_elements(shape);
    *sizes = dims_new(ctx, *rank);
    if (!*sizes)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < *rank; i++) {
        int32_t axis = i - *rank + x->rank; /* of the input */
        if (fold_known(value, i)) {
            (*sizes)[i] = fold_int(value, i);
            if ((*sizes)[i] < 0)
                return adept_infer_fail(ctx, "size %d of the shape is %" PRId64, (int)i, (*sizes)[i]);
        } else if (axis >= 0 && x->dims[axis] != 1) {
            (*sizes)[i] = x->dims[axis];
        } else {
            (*sizes)[i] = dims_assume_axis(ctx, "dim", i, ASSUMED_LENGTH, ADEPT_ASSUMED,
                                           "the size depends on computed data");
            *certainty = ADEPT_ASSUMED;
        }
    }
    return ADEPT_OK;
}

adept_status infer_expand(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *shape = adept_infer_in(ctx, 1);
    adept_certainty certainty;
    int32_t size_count, rank;
    int64_t *sizes, *dims;
    if (shape->rank > 1)
        return adept_infer_fail(ctx, "the shape input has %d dimensions, expected a list", (int)shape->rank);
    if (x->rank < 0 || shape->rank < 0 || fold_elements(shape) > INT16_MAX)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(expand_sizes(ctx, &size_count, &sizes, &certainty));
    INFER_TRY(dims_broadcast_pair(ctx, x->rank, x->dims, size_count, sizes, &rank, &dims));
    INFER_TRY(dims_out(ctx, 0, x->dtype, rank, dims, certainty));
    return certainty == ADEPT_EXACT ? fold_expand(ctx, rank, dims) : ADEPT_OK;
}

static adept_status fold_tile(adept_infer *ctx, const adept_shape *x, const int64_t *dims) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    adept_shape out = {.rank = x->rank, .dims = dims};
    int64_t *strides = value ? fold_strides(ctx, x->rank, x->dims) : NULL;
    fold_walk walk;
    fold f;
    if (!strides || !fold_begin(&f, ctx, x->dtype, fold_elements(&out)) ||
        !fold_walk_begin(&walk, ctx, x->rank, dims))
        return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk)) {
        int64_t from = 0;
        for (int32_t i = 0; i < x->rank; i++)
            from += walk.position[i] % x->dims[i] * strides[i];
        fold_take(&f, at, value, from);
    }
    return fold_end(&f, 0);
}

/* Tile-1: one axis, `tiles` times, both scalar inputs. */
static adept_status tile_one_axis(adept_infer *ctx, const adept_shape *x) {
    int64_t tiles, listed;
    int32_t axis;
    if (x->rank < 0 || !fold_scalar(ctx, 1, &tiles) || !fold_scalar(ctx, 2, &listed))
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(adept_infer_axis(ctx, listed, x->rank, &axis));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    if (tiles < 0 || !adept_mul_i64(dims[axis], tiles, &dims[axis]))
        return adept_infer_overflow(ctx);
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

adept_status infer_tile(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *repeats = adept_infer_in(ctx, 1);
    adept_certainty certainty = ADEPT_EXACT;
    if (adept_infer_opset(ctx) < 6)
        return tile_one_axis(ctx, x);
    const adept_value *value = adept_infer_in_value(ctx, 1);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (repeats->rank >= 0 && fold_elements(repeats) != x->rank && dims_exact(ctx))
        return adept_infer_fail(ctx, "%" PRId64 " repeats for an input of %d dimensions",
                                fold_elements(repeats), (int)x->rank);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < x->rank; i++) {
        int64_t times = 1;
        if (fold_known(value, i)) {
            times = fold_int(value, i);
        } else {
            times = dims_assume_axis(ctx, "repeat", i, 1, ADEPT_ASSUMED,
                                     "the number of repeats is computed data");
            certainty = ADEPT_ASSUMED;
        }
        if (times < 0)
            return adept_infer_fail(ctx, "axis %d is repeated %" PRId64 " times", (int)i, times);
        if (!adept_mul_i64(dims[i], times, &dims[i]))
            return adept_infer_overflow(ctx);
    }
    INFER_TRY(dims_out(ctx, 0, x->dtype, x->rank, dims, certainty));
    return certainty == ADEPT_EXACT ? fold_tile(ctx, x, dims) : ADEPT_OK;
}
