/* Operators that pick elements by value: how many is computed data unless the values are known. */
#include "infer_functions.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* All elements of the value known. */
static bool all_known(const adept_value *value) {
    for (int64_t i = 0; value && i < value->count; i++)
        if (!fold_known(value, i))
            return false;
    return value != NULL;
}

/* --- NonZero --- */

static adept_status fold_nonzero(adept_infer *ctx, const adept_shape *x, const adept_value *value,
                                 int64_t found, int32_t rank) {
    fold_walk walk;
    fold f;
    int64_t to = 0;
    if (x->rank == 0 || !fold_begin(&f, ctx, ADEPT_DTYPE_INT64, found * rank) ||
        !fold_walk_begin(&walk, ctx, x->rank, x->dims))
        return ADEPT_OK;
    for (int64_t at = 0; at < value->count; at++, fold_walk_next(&walk)) {
        if (fold_real(value, at) == 0)
            continue;
        for (int32_t i = 0; i < rank; i++)
            fold_put_int(&f, i * found + to, walk.position[i]);
        to++;
    }
    return fold_end(&f, 0);
}

/* [rank, number of elements that are not 0] */
adept_status infer_nonzero(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    const adept_value *value = adept_infer_in_value(ctx, 0);
    int64_t dims[2] = {x->rank > 1 ? x->rank : 1, 0}, elements;
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT64);
    if (!all_known(value)) {
        INFER_TRY(dims_product(ctx, x->dims, 0, x->rank, &elements));
        dims[1] = dims_assume_bound(ctx, "nonzero", elements, "how many elements are not 0 is computed data");
        return dims_out(ctx, 0, ADEPT_DTYPE_INT64, 2, dims, ADEPT_BOUND);
    }
    for (int64_t i = 0; i < value->count; i++)
        dims[1] += fold_real(value, i) != 0;
    INFER_TRY(adept_infer_out(ctx, 0, ADEPT_DTYPE_INT64, 2, dims));
    return fold_nonzero(ctx, x, value, dims[1], (int32_t)dims[0]);
}

/* --- Compress --- */

/* Picks the slices of the axis (default: of the flattened input) where the condition holds. */
adept_status infer_compress(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t listed = adept_infer_int(ctx, "axis", 0), flat, most, conditions;
    int32_t rank = x->rank, axis = 0;
    const int64_t *from = x->dims;
    adept_certainty certainty = ADEPT_EXACT;
    if (rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (!adept_infer_has(ctx, "axis")) {
        INFER_TRY(dims_product(ctx, x->dims, 0, rank, &flat));
        from = &flat;
        rank = 1;
    } else {
        INFER_TRY(adept_infer_axis(ctx, listed, rank, &axis));
    }
    int64_t *dims = dims_copy(ctx, rank, from);
    if (!dims)
        return dims_no_memory(ctx);
    const adept_value *condition = adept_infer_in_value(ctx, 1);
    most = dims[axis];
    conditions = fold_elements(adept_infer_in(ctx, 1));
    if (conditions >= 0 && conditions < most)
        most = conditions;
    if (all_known(condition)) {
        dims[axis] = 0;
        for (int64_t i = 0; i < most; i++)
            dims[axis] += fold_int(condition, i) != 0;
    } else {
        dims[axis] = dims_assume_bound(ctx, "kept", most, "the condition is computed data");
        certainty = ADEPT_BOUND;
    }
    INFER_TRY(dims_out(ctx, 0, x->dtype, rank, dims, certainty));
    const adept_value *value = adept_infer_in_value(ctx, 0);
    fold f;
    if (certainty != ADEPT_EXACT || rank != 1 || !value || !fold_begin(&f, ctx, x->dtype, dims[0]))
        return ADEPT_OK;
    for (int64_t i = 0, to = 0; i < most; i++)
        if (fold_int(condition, i) != 0)
            fold_take(&f, to++, value, i);
    return fold_end(&f, 0);
}

/* --- Unique --- */

/* A number and where it came from, for sorting. */
typedef struct sortable {
    double real;
    int64_t whole, from;
} sortable;

static int compare_numbers(const sortable *a, const sortable *b) {
    if (a->real != b->real)
        return a->real < b->real ? -1 : 1;
    return (a->whole > b->whole) - (a->whole < b->whole);
}

static int compare_up(const void *a, const void *b) {
    const sortable *left = a, *right = b;
    int order = compare_numbers(left, right);
    return order ? order : (left->from > right->from) - (left->from < right->from);
}

static int compare_down(const void *a, const void *b) {
    const sortable *left = a, *right = b;
    int order = compare_numbers(right, left);
    return order ? order : (left->from > right->from) - (left->from < right->from);
}

static int compare_from(const void *a, const void *b) {
    const sortable *left = a, *right = b;
    return (left->from > right->from) - (left->from < right->from);
}

/* count numbers of the value, stride apart. NULL when memory is short. */
static sortable *sortables(adept_infer *ctx, const adept_value *value, int64_t offset, int64_t stride,
                           int64_t count) {
    sortable *items = adept_arena_array(adept_infer_arena(ctx), (size_t)count, sizeof *items);
    for (int64_t i = 0; items && i < count; i++)
        items[i] = (sortable){fold_real(value, offset + i * stride), fold_int(value, offset + i * stride), i};
    return items;
}

/* Distinct numbers of a known value, in the order that `sorted` asks for; -1: no memory. */
static int64_t distinct(adept_infer *ctx, const adept_value *value, bool sorted, sortable **out) {
    sortable *items = sortables(ctx, value, 0, 1, value->count);
    int64_t found = 0;
    if (!items)
        return -1;
    if (value->count)
        qsort(items, (size_t)value->count, sizeof *items, compare_up);
    for (int64_t i = 0; i < value->count; i++)
        if (i == 0 || compare_numbers(&items[found - 1], &items[i]) != 0)
            items[found++] = items[i];
    if (!sorted && found)
        qsort(items, (size_t)found, sizeof *items, compare_from);
    *out = items;
    return found;
}

static adept_status unique_outputs(adept_infer *ctx, int32_t rank, const int64_t *dims, int64_t found,
                                   adept_certainty certainty) {
    INFER_TRY(dims_out(ctx, 0, dims_type(ctx, 0), rank, dims, certainty));
    INFER_TRY(dims_out(ctx, 1, ADEPT_DTYPE_INT64, 1, &found, certainty));
    return dims_out(ctx, 3, ADEPT_DTYPE_INT64, 1, &found, certainty);
}

/* Y, first indices [u], inverse indices, counts [u]: u distinct elements, or slices along an axis. */
adept_status infer_unique(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    const adept_value *value = adept_infer_in_value(ctx, 0);
    bool by_axis = adept_infer_has(ctx, "axis");
    int64_t elements, found = -1;
    int32_t axis;
    sortable *items = NULL;
    fold f;
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(dims_product(ctx, x->dims, 0, x->rank, &elements));
    if (by_axis)
        INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", 0), x->rank, &axis));
    int64_t *dims = by_axis ? dims_copy(ctx, x->rank, x->dims) : &elements, all;
    if (!dims)
        return dims_no_memory(ctx);
    all = by_axis ? x->dims[axis] : elements;
    if ((!by_axis || x->rank == 1) && all_known(value))
        found = distinct(ctx, value, adept_infer_int(ctx, "sorted", 1) != 0, &items);
    INFER_TRY(adept_infer_out(ctx, 2, ADEPT_DTYPE_INT64, 1, &all));
    bool exact = found >= 0;
    if (!exact)
        found = dims_assume_bound(ctx, "unique", all, "how many elements differ is computed data");
    dims[by_axis ? axis : 0] = found;
    INFER_TRY(unique_outputs(ctx, by_axis ? x->rank : 1, dims, found, exact ? ADEPT_EXACT : ADEPT_BOUND));
    if (!exact || !fold_begin(&f, ctx, x->dtype, found))
        return ADEPT_OK;
    for (int64_t i = 0; i < found; i++)
        fold_take(&f, i, value, items[i].from);
    return fold_end(&f, 0);
}

/* com.microsoft: flat input; outputs y, idx (of each input), counts. */
adept_status infer_ms_unique(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    const adept_value *value = adept_infer_in_value(ctx, 0);
    int64_t elements = fold_elements(x), found = -1;
    sortable *items;
    if (elements < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    if (all_known(value))
        found = distinct(ctx, value, false, &items);
    INFER_TRY(adept_infer_out(ctx, 1, ADEPT_DTYPE_INT64, 1, &elements));
    adept_certainty certainty = found >= 0 ? ADEPT_EXACT : ADEPT_BOUND;
    if (found < 0)
        found = dims_assume_bound(ctx, "unique", elements, "how many elements differ is computed data");
    INFER_TRY(dims_out(ctx, 0, x->dtype, 1, &found, certainty));
    return dims_out(ctx, 2, ADEPT_DTYPE_INT64, 1, &found, certainty);
}

/* --- TopK --- */

static adept_status fold_topk(adept_infer *ctx, const adept_shape *x, int32_t axis, int64_t k) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    bool largest = adept_infer_int(ctx, "largest", 1) != 0;
    int64_t inner, outer, size = x->dims[axis];
    fold values, indices;
    if (!all_known(value) || adept_infer_int(ctx, "sorted", 1) == 0 || size == 0 ||
        !adept_elements(x->dims + axis + 1, x->rank - axis - 1, &inner) || inner == 0)
        return ADEPT_OK;
    outer = value->count / inner / size;
    if (!fold_begin(&values, ctx, x->dtype, outer * k * inner) ||
        !fold_begin(&indices, ctx, ADEPT_DTYPE_INT64, outer * k * inner))
        return ADEPT_OK;
    for (int64_t row = 0; row < outer * inner; row++) {
        int64_t start = row / inner * size * inner + row % inner;
        sortable *items = sortables(ctx, value, start, inner, size);
        if (!items)
            return ADEPT_OK;
        qsort(items, (size_t)size, sizeof *items, largest ? compare_down : compare_up);
        for (int64_t i = 0; i < k; i++) {
            int64_t to = row / inner * k * inner + i * inner + row % inner;
            fold_take(&values, to, value, start + items[i].from * inner);
            fold_put_int(&indices, to, items[i].from);
        }
    }
    INFER_TRY(fold_end(&values, 0));
    return fold_end(&indices, 1);
}

/* values and indices: the axis (default the last) shrinks to k. */
adept_status infer_topk(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t k;
    int32_t axis;
    bool known = true;
    if (adept_infer_opset(ctx) < 10)
        INFER_TRY(dims_need_int(ctx, "k", &k));
    else
        known = fold_scalar(ctx, 1, &k);
    if (x->rank < 0) {
        INFER_TRY(adept_infer_out_unknown(ctx, 0, x->dtype));
        return adept_infer_out_unknown(ctx, 1, ADEPT_DTYPE_INT64);
    }
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", -1), x->rank, &axis));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    if (!known)
        k = dims_assume_bound(ctx, "k", dims[axis], "k is computed data");
    if ((k < 0 || k > dims[axis]) && known && dims_exact(ctx))
        return adept_infer_fail(ctx, "k is %" PRId64 ", axis %d has only %" PRId64 " elements", k, (int)axis,
                                dims[axis]);
    dims[axis] = k < 0 ? 0 : k;
    adept_certainty certainty = known ? ADEPT_EXACT : ADEPT_BOUND;
    INFER_TRY(dims_out(ctx, 0, x->dtype, x->rank, dims, certainty));
    INFER_TRY(dims_out(ctx, 1, ADEPT_DTYPE_INT64, x->rank, dims, certainty));
    return known && k <= x->dims[axis] && k >= 0 ? fold_topk(ctx, x, axis, k) : ADEPT_OK;
}

/* --- NonMaxSuppression --- */

/* boxes [B, n, 4], scores [B, classes, n] to [selected, 3]; at most min(max_output, n) of each class. */
adept_status infer_non_max_suppression(adept_infer *ctx) {
    const adept_shape *boxes = adept_infer_in(ctx, 0), *scores = adept_infer_in(ctx, 1);
    int64_t dims[2] = {0, 3}, most = 0;
    INFER_TRY(dims_want_rank(ctx, 0, 3, "[batch, boxes, 4]"));
    INFER_TRY(dims_want_rank(ctx, 1, 3, "[batch, classes, boxes]"));
    if (boxes->rank < 0 || scores->rank < 0)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT64);
    if (boxes->dims[1] != scores->dims[2] && dims_exact(ctx))
        return adept_infer_fail(ctx, "%" PRId64 " boxes but scores for %" PRId64, boxes->dims[1],
                                scores->dims[2]);
    bool known = !adept_infer_in(ctx, 2) || fold_scalar(ctx, 2, &most);
    if (!known || most > boxes->dims[1])
        most = boxes->dims[1];
    if (most < 0)
        most = 0;
    if (!adept_mul_i64(scores->dims[0], scores->dims[1], &dims[0]) || !adept_mul_i64(dims[0], most, &dims[0]))
        return adept_infer_overflow(ctx);
    if (dims[0] > 0)
        dims[0] = dims_assume_bound(ctx, "selected", dims[0], "how many boxes are kept is computed data");
    return dims_out(ctx, 0, ADEPT_DTYPE_INT64, 2, dims, dims[0] ? ADEPT_BOUND : ADEPT_EXACT);
}
