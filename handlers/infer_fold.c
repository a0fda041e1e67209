#include "infer_fold.h"

#include <math.h>

#include "checked.h"

/* Integers a type can hold; those of 64 bits are held as int64. */
static bool fits(adept_dtype dtype, int64_t number) {
    static const struct {
        adept_dtype dtype;
        int64_t low, high;
    } ranges[] = {
        {ADEPT_DTYPE_BOOL,   0,         1         },
        {ADEPT_DTYPE_UINT8,  0,         UINT8_MAX },
        {ADEPT_DTYPE_INT8,   INT8_MIN,  INT8_MAX  },
        {ADEPT_DTYPE_UINT16, 0,         UINT16_MAX},
        {ADEPT_DTYPE_INT16,  INT16_MIN, INT16_MAX },
        {ADEPT_DTYPE_UINT32, 0,         UINT32_MAX},
        {ADEPT_DTYPE_INT32,  INT32_MIN, INT32_MAX },
        {ADEPT_DTYPE_UINT64, 0,         INT64_MAX },
        {ADEPT_DTYPE_UINT4,  0,         15        },
        {ADEPT_DTYPE_INT4,   -8,        7         },
        {ADEPT_DTYPE_UINT2,  0,         3         },
        {ADEPT_DTYPE_INT2,   -2,        1         },
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (ranges[i].dtype == dtype)
            return number >= ranges[i].low && number <= ranges[i].high;
    return true;
}

bool fold_begin(fold *f, adept_infer *ctx, adept_dtype dtype, int64_t count) {
    bool real = adept_dtype_is_float(dtype);
    if (count < 0 || count > ADEPT_VALUE_LIMIT || (!real && !adept_dtype_is_integer(dtype)))
        return false;
    adept_arena *arena = adept_infer_arena(ctx);
    *f = (fold){.ctx = ctx, .dtype = dtype, .count = count};
    f->known = adept_arena_array(arena, (size_t)count, sizeof *f->known);
    if (real)
        f->reals = adept_arena_array(arena, (size_t)count, sizeof *f->reals);
    else
        f->ints = adept_arena_array(arena, (size_t)count, sizeof *f->ints);
    return f->known && (f->reals || f->ints);
}

adept_status fold_end(fold *f, int32_t output) {
    bool any = f->count == 0, all = true;
    for (int64_t i = 0; i < f->count; i++) {
        any = any || f->known[i];
        all = all && f->known[i];
    }
    if (!any)
        return ADEPT_OK;
    const bool *known = all ? NULL : f->known;
    return f->ints ? adept_infer_out_ints(f->ctx, output, f->ints, known)
                   : adept_infer_out_reals(f->ctx, output, f->reals, known);
}

void fold_put_int(fold *f, int64_t at, int64_t number) {
    if (f->reals) {
        fold_put_real(f, at, (double)number);
        return;
    }
    f->known[at] = fits(f->dtype, number);
    f->ints[at] = f->known[at] ? number : 0;
}

void fold_put_real(fold *f, int64_t at, double number) {
    if (isnan(number))
        return;
    if (f->reals) {
        f->known[at] = true;
        f->reals[at] = f->dtype == ADEPT_DTYPE_DOUBLE ? number : (double)(float)number;
    } else if (number > -9.2e18 && number < 9.2e18) {
        fold_put_int(f, at, (int64_t)number);
    }
}

void fold_take(fold *f, int64_t at, const adept_value *value, int64_t from) {
    if (!fold_known(value, from))
        f->known[at] = false;
    else if (value->ints)
        fold_put_int(f, at, value->ints[from]);
    else
        fold_put_real(f, at, value->reals[from]);
}

bool fold_known(const adept_value *value, int64_t at) {
    return value && at >= 0 && at < value->count && (value->ints || value->reals) &&
           (!value->known || value->known[at]);
}

int64_t fold_int(const adept_value *value, int64_t at) {
    if (value->ints)
        return value->ints[at];
    double number = value->reals[at];
    return number > -9.2e18 && number < 9.2e18 ? (int64_t)number : 0;
}

double fold_real(const adept_value *value, int64_t at) {
    return value->ints ? (double)value->ints[at] : value->reals[at];
}

bool fold_scalar(adept_infer *ctx, int32_t input, int64_t *out) {
    const adept_value *value = adept_infer_in_value(ctx, input);
    if (!value || value->count != 1 || !fold_known(value, 0))
        return false;
    *out = fold_int(value, 0);
    return true;
}

int64_t fold_elements(const adept_shape *shape) {
    int64_t count;
    if (!shape || shape->rank < 0 || !adept_elements(shape->dims, shape->rank, &count))
        return -1;
    return count;
}

adept_status fold_pass(adept_infer *ctx, int32_t output, int32_t input) {
    const adept_value *value = adept_infer_in_value(ctx, input);
    const adept_shape *shape = adept_infer_in(ctx, input);
    if (!value || value->count != fold_elements(shape))
        return ADEPT_OK;
    if (value->ints)
        return adept_infer_out_ints(ctx, output, value->ints, value->known);
    if (value->reals)
        return adept_infer_out_reals(ctx, output, value->reals, value->known);
    return ADEPT_OK;
}

bool fold_walk_begin(fold_walk *walk, adept_infer *ctx, int32_t rank, const int64_t *dims) {
    *walk = (fold_walk){.rank = rank, .dims = dims};
    walk->position = adept_arena_array(adept_infer_arena(ctx), (size_t)rank, sizeof *walk->position);
    return walk->position;
}

bool fold_walk_follow(fold_walk *walk, const int64_t *strides, int64_t offset) {
    walk->strides[walk->streams] = strides;
    walk->offset[walk->streams++] = offset;
    return strides;
}

void fold_walk_next(fold_walk *walk) {
    for (int32_t axis = walk->rank - 1; axis >= 0; axis--) {
        walk->position[axis]++;
        for (int32_t s = 0; s < walk->streams; s++)
            walk->offset[s] += walk->strides[s][axis];
        if (walk->position[axis] < walk->dims[axis])
            return;
        for (int32_t s = 0; s < walk->streams; s++)
            walk->offset[s] -= walk->strides[s][axis] * walk->dims[axis];
        walk->position[axis] = 0;
    }
}

/* Only tensors of few elements are walked; one without any may have dimensions whose product overflows. */
static int64_t wrapping_product(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

int64_t *fold_broadcast_strides(adept_infer *ctx, const adept_shape *shape, int32_t rank) {
    int64_t *strides = adept_arena_array(adept_infer_arena(ctx), (size_t)rank, sizeof *strides);
    int64_t stride = 1;
    if (!strides)
        return NULL;
    for (int32_t i = shape->rank - 1; i >= 0; i--) {
        strides[rank - shape->rank + i] = shape->dims[i] == 1 ? 0 : stride;
        stride = wrapping_product(stride, shape->dims[i]);
    }
    return strides;
}

int64_t *fold_strides(adept_infer *ctx, int32_t rank, const int64_t *dims) {
    int64_t *strides = adept_arena_array(adept_infer_arena(ctx), (size_t)rank, sizeof *strides);
    int64_t stride = 1;
    if (!strides)
        return NULL;
    for (int32_t i = rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride = wrapping_product(stride, dims[i]);
    }
    return strides;
}
