/* Operators that cut tensors, put them together, or pad them. */
#include "infer_functions.h"

#include <inttypes.h>
#include <string.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* --- Slice --- */

/* One list of Slice: an attribute in opset 1, an input since. */
typedef struct slice_list {
    bool given;
    int64_t count;            /* -1: not known */
    const adept_value *value; /* NULL: computed data */
    adept_value of_attribute;
} slice_list;

static void read_slice_list(adept_infer *ctx, int32_t input, const char *attribute, slice_list *list) {
    *list = (slice_list){.count = -1};
    if (adept_infer_opset(ctx) < 10) {
        int32_t count;
        const int64_t *ints = adept_infer_ints(ctx, attribute, &count);
        list->of_attribute = (adept_value){.count = count, .ints = ints};
        list->given = ints != NULL;
        list->count = count;
        list->value = ints ? &list->of_attribute : NULL;
        return;
    }
    const adept_shape *shape = adept_infer_in(ctx, input);
    list->given = shape != NULL;
    list->value = adept_infer_in_value(ctx, input);
    list->count = fold_elements(shape);
}

typedef struct slice_axis {
    bool cut, open; /* open: what is cut depends on computed data */
    int64_t start, step, size;
} slice_axis;

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/* Numbers beyond the ends are clamped; negative ones count from the back. */
static adept_status cut_axis(adept_infer *ctx, int64_t dim, int64_t start, int64_t end, int64_t step,
                             slice_axis *axis) {
    if (step == 0)
        return adept_infer_fail(ctx, "the step of a slice is 0");
    if (start < 0)
        start = start < -dim ? -1 : start + dim; /* -1: before the first */
    if (end < 0)
        end = end < -dim ? -1 : end + dim;
    uint64_t distance = 0, size;
    if (step > 0) {
        start = clamp(start, 0, dim);
        end = clamp(end, 0, dim);
        size = (uint64_t)step;
        if (end > start)
            distance = (uint64_t)(end - start);
    } else {
        start = clamp(start, dim ? 0 : -1, dim - 1);
        end = clamp(end, -1, dim - 1);
        size = 0 - (uint64_t)step;
        if (start > end)
            distance = (uint64_t)(start - end);
    }
    axis->start = start;
    axis->step = step;
    axis->size = (int64_t)(distance / size + (distance % size != 0));
    return ADEPT_OK;
}

typedef struct slice {
    slice_list starts, ends, axes, steps;
    slice_axis *cuts; /* [rank] */
    bool any_open;
} slice;

static adept_status cut_listed(adept_infer *ctx, slice *s, const adept_shape *x, int64_t i) {
    int64_t step = 1;
    int32_t axis = (int32_t)i;
    if (s->axes.given)
        INFER_TRY(adept_infer_axis(ctx, fold_int(s->axes.value, i), x->rank, &axis));
    else if (i >= x->rank)
        return adept_infer_fail(ctx, "%" PRId64 " starts for an input of %d dimensions", s->starts.count,
                                (int)x->rank);
    slice_axis *cut = &s->cuts[axis];
    bool known = fold_known(s->starts.value, i) && fold_known(s->ends.value, i);
    if (s->steps.given) {
        known = known && fold_known(s->steps.value, i);
        step = known ? fold_int(s->steps.value, i) : 1;
    }
    cut->cut = true;
    if (known)
        return cut_axis(ctx, x->dims[axis], fold_int(s->starts.value, i), fold_int(s->ends.value, i), step,
                        cut);
    cut->open = s->any_open = true;
    return ADEPT_OK;
}

/* All axes known? Then one after the other; else any axis may be cut. */
static adept_status cut_all(adept_infer *ctx, slice *s, const adept_shape *x) {
    bool axes_known = s->starts.count >= 0;
    for (int64_t i = 0; s->axes.given && axes_known && i < s->starts.count; i++)
        axes_known = fold_known(s->axes.value, i);
    for (int64_t i = 0; axes_known && i < s->starts.count; i++)
        INFER_TRY(cut_listed(ctx, s, x, i));
    for (int32_t i = 0; !axes_known && i < x->rank; i++)
        s->cuts[i].open = s->any_open = true;
    return ADEPT_OK;
}

static adept_status fold_slice(adept_infer *ctx, const slice *s, const adept_shape *x, const int64_t *dims) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    int64_t *strides = value ? fold_strides(ctx, x->rank, x->dims) : NULL, offset = 0;
    adept_shape out = {.rank = x->rank, .dims = dims};
    fold_walk walk;
    fold f;
    if (!strides || !fold_begin(&f, ctx, x->dtype, fold_elements(&out)) ||
        !fold_walk_begin(&walk, ctx, x->rank, dims) || f.count == 0)
        return ADEPT_OK;
    for (int32_t i = 0; i < x->rank; i++) {
        if (!s->cuts[i].cut)
            continue;
        offset += s->cuts[i].start * strides[i];
        if (dims[i] > 1)
            strides[i] *= s->cuts[i].step; /* of a single element the step may be beyond any size */
    }
    fold_walk_follow(&walk, strides, offset);
    for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk))
        fold_take(&f, at, value, walk.offset[0]);
    return fold_end(&f, 0);
}

static adept_status read_slice(adept_infer *ctx, slice *s) {
    read_slice_list(ctx, 1, "starts", &s->starts);
    read_slice_list(ctx, 2, "ends", &s->ends);
    read_slice_list(ctx, 3, "axes", &s->axes);
    read_slice_list(ctx, 4, "steps", &s->steps);
    if (!s->starts.given || !s->ends.given)
        return adept_infer_fail(ctx, "starts or ends are missing; re-export the model");
    if (s->starts.count >= 0 && s->ends.count >= 0 && s->starts.count != s->ends.count)
        return adept_infer_fail(ctx, "%" PRId64 " starts but %" PRId64 " ends", s->starts.count,
                                s->ends.count);
    if (s->axes.given && s->axes.count >= 0 && s->starts.count >= 0 && s->axes.count != s->starts.count)
        return adept_infer_fail(ctx, "%" PRId64 " starts but %" PRId64 " axes", s->starts.count,
                                s->axes.count);
    return ADEPT_OK;
}

adept_status infer_slice(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    slice s = {.any_open = false};
    INFER_TRY(read_slice(ctx, &s));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    s.cuts = adept_arena_array(adept_infer_arena(ctx), (size_t)x->rank, sizeof *s.cuts);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!s.cuts || !dims)
        return dims_no_memory(ctx);
    INFER_TRY(cut_all(ctx, &s, x));
    for (int32_t i = 0; i < x->rank; i++) {
        if (s.cuts[i].open)
            dims[i] = dims_assume_axis(ctx, "slice", i, x->dims[i], ADEPT_BOUND,
                                       "the ends of the slice are computed data");
        else if (s.cuts[i].cut)
            dims[i] = s.cuts[i].size;
    }
    INFER_TRY(dims_out(ctx, 0, x->dtype, x->rank, dims, s.any_open ? ADEPT_BOUND : ADEPT_EXACT));
    return s.any_open ? ADEPT_OK : fold_slice(ctx, &s, x, dims);
}

/* --- Split --- */

/* Sizes of the parts: listed, or equal with a smaller last one. */
static adept_status equal_parts(adept_infer *ctx, int64_t dim, int32_t parts, int64_t *sizes) {
    bool may_be_uneven = adept_infer_opset(ctx) >= 18;
    int64_t size = dim / parts + (dim % parts != 0);
    if (dim % parts != 0 && !may_be_uneven && dims_exact(ctx))
        return adept_infer_fail(ctx, "cannot split %" PRId64 " into %d equal parts", dim, (int)parts);
    for (int32_t i = 0; i < parts; i++, dim -= sizes[i - 1])
        sizes[i] = dim < size ? dim : size;
    return ADEPT_OK;
}

static adept_status listed_parts(adept_infer *ctx, int64_t dim, int32_t parts, const int64_t *listed,
                                 int64_t count, int64_t *sizes) {
    int64_t sum = 0;
    if (count != parts)
        return adept_infer_fail(ctx, "%" PRId64 " sizes for %d outputs", count, (int)parts);
    for (int32_t i = 0; i < parts; i++) {
        sizes[i] = listed[i];
        if (listed[i] < 0 || !adept_add_i64(sum, listed[i], &sum))
            return adept_infer_fail(ctx, "part %d has the size %" PRId64, (int)i, listed[i]);
    }
    if (sum != dim && dims_exact(ctx))
        return adept_infer_fail(ctx, "the parts add up to %" PRId64 ", the axis has %" PRId64, sum, dim);
    return ADEPT_OK;
}

static adept_status assumed_parts(adept_infer *ctx, int64_t dim, int32_t parts, int64_t *sizes) {
    for (int32_t i = 0; i < parts; i++) {
        sizes[i] =
            dims_assume_axis(ctx, "part", i, dim, ADEPT_BOUND, "the sizes of the parts are computed data");
    }
    return ADEPT_OK;
}

static adept_status fold_part(adept_infer *ctx, int32_t output, const adept_shape *x, int32_t axis,
                              int64_t start, int64_t size) {
    const adept_value *value = adept_infer_in_value(ctx, 0);
    int64_t inner, outer;
    fold f;
    if (!value || !adept_elements(x->dims + axis + 1, x->rank - axis - 1, &inner) ||
        !adept_elements(x->dims, axis, &outer) || outer == 0 || inner == 0 ||
        !fold_begin(&f, ctx, x->dtype, outer * size * inner))
        return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++) {
        int64_t row = at / (size * inner), within = at % (size * inner);
        fold_take(&f, at, value, row * x->dims[axis] * inner + start * inner + within);
    }
    return fold_end(&f, output);
}

static adept_status split_sizes(adept_infer *ctx, int64_t dim, int32_t parts, int64_t *sizes,
                                adept_certainty *certainty) {
    int64_t count = 0;
    int32_t listed = 0;
    *certainty = ADEPT_EXACT;
    const adept_shape *input = adept_infer_in(ctx, 1);
    const int64_t *ints =
        input ? adept_infer_in_ints(ctx, 1, &count) : adept_infer_ints(ctx, "split", &listed);
    int64_t outputs = adept_infer_int(ctx, "num_outputs", parts);
    if (outputs != parts)
        return adept_infer_fail(ctx, "num_outputs is %" PRId64 ", the node has %d outputs", outputs,
                                (int)parts);
    if (ints && (input || listed > 0))
        return listed_parts(ctx, dim, parts, ints, input ? count : listed, sizes);
    if (!input)
        return equal_parts(ctx, dim, parts, sizes);
    *certainty = ADEPT_BOUND;
    return assumed_parts(ctx, dim, parts, sizes);
}

adept_status infer_split(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int32_t axis, parts = adept_infer_outputs(ctx);
    adept_certainty certainty;
    if (x->rank < 0) {
        for (int32_t i = 0; i < parts; i++)
            INFER_TRY(adept_infer_out_unknown(ctx, i, x->dtype));
        return ADEPT_OK;
    }
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "axis", 0), x->rank, &axis));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims), *sizes = dims_new(ctx, parts), start = 0;
    if (!dims || !sizes)
        return dims_no_memory(ctx);
    INFER_TRY(split_sizes(ctx, x->dims[axis], parts, sizes, &certainty));
    for (int32_t i = 0; i < parts; i++) {
        dims[axis] = sizes[i];
        INFER_TRY(dims_out(ctx, i, x->dtype, x->rank, dims, certainty));
        if (certainty != ADEPT_EXACT)
            continue; /* assumed parts need not add up to the axis, nor to anything that fits 64 bits */
        INFER_TRY(fold_part(ctx, i, x, axis, start, sizes[i]));
        start += sizes[i];
    }
    return ADEPT_OK;
}

/* --- Concat --- */

/* Input `input` must agree with dims but for the axis; adds its size there. */
static adept_status join(adept_infer *ctx, int32_t input, int32_t first, int32_t axis, int64_t *dims) {
    const adept_shape *x = adept_infer_in(ctx, input), *start = adept_infer_in(ctx, first);
    if (x->rank != start->rank)
        return adept_infer_fail(ctx, "inputs %s and %s have different numbers of dimensions",
                                dims_input_text(ctx, first), dims_input_text(ctx, input));
    for (int32_t i = 0; i < x->rank; i++) {
        if (i == axis) {
            if (!adept_add_i64(dims[i], x->dims[i], &dims[i]))
                return adept_infer_overflow(ctx);
        } else if (x->dims[i] != dims[i]) {
            if (dims_exact(ctx))
                return adept_infer_fail(ctx,
                                        "inputs %s and %s differ on axis %d (%" PRId64 " against %" PRId64
                                        "), which is not the axis of concatenation %d",
                                        dims_input_text(ctx, first), dims_input_text(ctx, input), (int)i,
                                        dims[i], x->dims[i], (int)axis);
            dims[i] = x->dims[i] > dims[i] ? x->dims[i] : dims[i];
        }
    }
    return ADEPT_OK;
}

static adept_status fold_concat(adept_infer *ctx, int32_t first, int32_t axis, int32_t rank,
                                const int64_t *dims) {
    int64_t inner, outer, start = 0;
    fold f;
    if (!adept_elements(dims + axis + 1, rank - axis - 1, &inner) || !adept_elements(dims, axis, &outer) ||
        inner == 0 || outer == 0 || outer * inner > ADEPT_VALUE_LIMIT || dims[axis] > ADEPT_VALUE_LIMIT ||
        !fold_begin(&f, ctx, dims_type(ctx, first), outer * inner * dims[axis]))
        return ADEPT_OK;
    for (int32_t i = first; i < adept_infer_inputs(ctx); i++) {
        const adept_value *value = adept_infer_in_value(ctx, i);
        int64_t size = adept_infer_in(ctx, i)->dims[axis] * inner;
        for (int64_t row = 0; row < outer; row++)
            for (int64_t at = 0; at < size; at++)
                fold_take(&f, row * dims[axis] * inner + start + at, value, row * size + at);
        start += size;
    }
    return fold_end(&f, 0);
}

adept_status infer_concat(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int32_t axis, count = adept_infer_inputs(ctx);
    int64_t listed = adept_infer_int(ctx, "axis", 1);
    if (!adept_infer_has(ctx, "axis") && adept_infer_opset(ctx) >= 4)
        return adept_infer_fail(ctx, "required attribute 'axis' is missing; re-export the model");
    for (int32_t i = 0; i < count; i++) {
        const adept_shape *part = adept_infer_in(ctx, i);
        if (!part)
            return adept_infer_fail(ctx, "input %d is left out", (int)i);
        INFER_TRY(dims_same_type(ctx, 0, i));
        if (part->rank < 0)
            return adept_infer_out_unknown(ctx, 0, x->dtype);
    }
    if (x->rank == 0)
        return adept_infer_fail(ctx, "scalars cannot be concatenated; unsqueeze them first");
    INFER_TRY(adept_infer_axis(ctx, listed, x->rank, &axis));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 1; i < count; i++)
        INFER_TRY(join(ctx, i, 0, axis, dims));
    INFER_TRY(adept_infer_out(ctx, 0, x->dtype, x->rank, dims));
    return dims_exact(ctx) ? fold_concat(ctx, 0, axis, x->rank, dims) : ADEPT_OK;
}

/* --- Pad --- */

typedef struct padding {
    int64_t *begin, *end; /* [rank] */
    bool open;            /* computed data */
} padding;

static adept_status assign_pads(adept_infer *ctx, const int64_t *pads, int64_t count, const int64_t *axes,
                                int64_t axis_count, int32_t rank, padding *p) {
    int32_t *list;
    if (count != 2 * axis_count)
        return adept_infer_fail(ctx, "%" PRId64 " pads for %" PRId64 " axes, expected two for each", count,
                                axis_count);
    INFER_TRY(dims_axes(ctx, rank, axes, axis_count, &list));
    for (int64_t i = 0; i < axis_count; i++) {
        p->begin[list[i]] = pads[i];
        p->end[list[i]] = pads[i + axis_count];
    }
    return ADEPT_OK;
}

/* Attribute `paddings` (opset 1), `pads` (2), input 1 since 11, on the axes of input 3 since 18. */
static adept_status read_padding(adept_infer *ctx, int32_t rank, padding *p) {
    const char *attribute = adept_infer_opset(ctx) < 2 ? "paddings" : "pads";
    bool by_attribute = !adept_infer_in(ctx, 1);
    int64_t count, axis_count = rank;
    const int64_t *pads, *axes;
    p->begin = dims_new(ctx, rank);
    p->end = dims_new(ctx, rank);
    int64_t *all = dims_new(ctx, rank);
    if (!p->begin || !p->end || !all)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < rank; i++)
        all[i] = i;
    axes = all;
    if (by_attribute) {
        int32_t listed;
        INFER_TRY(dims_need_ints(ctx, attribute, &pads, &listed));
        count = listed;
    } else {
        pads = adept_infer_in_ints(ctx, 1, &count);
        if (adept_infer_in(ctx, 3))
            axes = adept_infer_in_ints(ctx, 3, &axis_count);
    }
    p->open = !pads || !axes;
    return p->open ? ADEPT_OK : assign_pads(ctx, pads, count, axes, axis_count, rank, p);
}

/* Where output position `at` of an axis comes from; -1: the fill value. */
static int64_t pad_source(const char *mode, int64_t at, int64_t dim) {
    if (at >= 0 && at < dim)
        return at;
    if (strcmp(mode, "edge") == 0)
        return at < 0 ? 0 : dim - 1;
    if (strcmp(mode, "wrap") == 0)
        return ((at % dim) + dim) % dim;
    if (strcmp(mode, "reflect") != 0)
        return -1;
    if (dim == 1)
        return 0;
    int64_t period = 2 * (dim - 1), within = ((at % period) + period) % period;
    return within < dim ? within : period - within;
}

static adept_status fold_pad(adept_infer *ctx, const padding *p, const adept_shape *x, const int64_t *dims) {
    const adept_value *value = adept_infer_in_value(ctx, 0), *fill = adept_infer_in_value(ctx, 2);
    const char *mode = adept_infer_string(ctx, "mode", "constant");
    int64_t *strides = value && value->count ? fold_strides(ctx, x->rank, x->dims) : NULL;
    adept_shape out = {.rank = x->rank, .dims = dims};
    fold_walk walk;
    fold f;
    if (!strides || !fold_begin(&f, ctx, x->dtype, fold_elements(&out)) ||
        !fold_walk_begin(&walk, ctx, x->rank, dims))
        return ADEPT_OK;
    for (int64_t at = 0; at < f.count; at++, fold_walk_next(&walk)) {
        int64_t from = 0;
        for (int32_t i = 0; i < x->rank && from >= 0; i++) {
            int64_t source = pad_source(mode, walk.position[i] - p->begin[i], x->dims[i]);
            from = source < 0 ? -1 : from + source * strides[i];
        }
        if (from >= 0)
            fold_take(&f, at, value, from);
        else if (adept_infer_in(ctx, 2))
            fold_take(&f, at, fill, 0);
        else
            fold_put_real(&f, at, adept_infer_float(ctx, "value", 0));
    }
    return fold_end(&f, 0);
}

adept_status infer_pad(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    padding p = {0};
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(read_padding(ctx, x->rank, &p));
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < x->rank; i++) {
        if (p.open) {
            dims[i] =
                dims_assume_axis(ctx, "dim", i, x->dims[i], ADEPT_ASSUMED, "the padding is computed data");
        } else if (!adept_add_i64(dims[i], p.begin[i], &dims[i]) ||
                   !adept_add_i64(dims[i], p.end[i], &dims[i])) {
            return adept_infer_overflow(ctx);
        } else if (dims[i] < 0) {
            if (dims_exact(ctx))
                return adept_infer_fail(
                    ctx, "padding by %" PRId64 " and %" PRId64 " cuts more than axis %d has (%" PRId64 ")",
                    p.begin[i], p.end[i], (int)i, x->dims[i]);
            dims[i] = 0;
        }
    }
    INFER_TRY(dims_out(ctx, 0, x->dtype, x->rank, dims, p.open ? ADEPT_ASSUMED : ADEPT_EXACT));
    return p.open ? ADEPT_OK : fold_pad(ctx, &p, x, dims);
}

/* Cuts or pads the listed axes (default: all) to the sizes of the second input. */
adept_status infer_center_crop_pad(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    const adept_value *sizes = adept_infer_in_value(ctx, 1);
    adept_certainty certainty = ADEPT_EXACT;
    int32_t listed, *axes;
    const int64_t *ints = adept_infer_ints(ctx, "axes", &listed);
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims), *all = dims_new(ctx, x->rank);
    if (!dims || !all)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < x->rank; i++)
        all[i] = i;
    int64_t count = ints ? listed : x->rank;
    INFER_TRY(dims_axes(ctx, x->rank, ints ? ints : all, count, &axes));
    if (sizes && sizes->count != count)
        return adept_infer_fail(ctx, "%" PRId64 " sizes for %" PRId64 " axes", sizes->count, count);
    for (int64_t i = 0; i < count; i++) {
        if (fold_known(sizes, i)) {
            dims[axes[i]] = fold_int(sizes, i);
        } else {
            dims[axes[i]] = dims_assume_axis(ctx, "dim", axes[i], dims[axes[i]], ADEPT_ASSUMED,
                                             "the size is computed data");
            certainty = ADEPT_ASSUMED;
        }
    }
    return dims_out(ctx, 0, x->dtype, x->rank, dims, certainty);
}

adept_status infer_reverse_sequence(adept_infer *ctx) {
    int32_t rank = adept_infer_rank(ctx, 0), axis;
    if (rank >= 0 && rank < 2)
        return adept_infer_fail(ctx, "input has shape %s, expected at least two dimensions",
                                dims_input_text(ctx, 0));
    if (rank >= 0) {
        INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "time_axis", 0), rank, &axis));
        INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "batch_axis", 1), rank, &axis));
    }
    return infer_same(ctx);
}

/* Crop of the first opsets: border [left, top, right, bottom], scale [height, width]. */
adept_status infer_crop(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int32_t border_count, scale_count;
    const int64_t *border = adept_infer_ints(ctx, "border", &border_count);
    const int64_t *scale = adept_infer_ints(ctx, "scale", &scale_count);
    INFER_TRY(dims_want_rank(ctx, 0, 4, "[N, C, H, W]"));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    int64_t dims[4] = {x->dims[0], x->dims[1], x->dims[2], x->dims[3]};
    if (scale && scale_count == 2) {
        dims[2] = scale[0];
        dims[3] = scale[1];
    } else if (border && border_count == 4) {
        for (int32_t i = 0; i < 4; i++)
            if (!adept_sub_i64(dims[2 + (i % 2 == 0)], border[i], &dims[2 + (i % 2 == 0)]))
                return adept_infer_overflow(ctx);
    }
    if (dims[2] < 0 || dims[3] < 0)
        return adept_infer_fail(ctx, "the crop of %s leaves %s", dims_input_text(ctx, 0),
                                dims_text(ctx, 4, dims));
    return adept_infer_out(ctx, 0, x->dtype, 4, dims);
}
