/* Random numbers. Types: the attribute, else what the operator defaults to. */
#include "infer_functions.h"

#include <inttypes.h>

#include "infer_dims.h"

adept_status infer_random(adept_infer *ctx) {
    const int64_t *dims;
    adept_dtype dtype;
    int32_t rank;
    INFER_TRY(dims_type_attribute(ctx, "dtype", ADEPT_DTYPE_FLOAT, &dtype));
    INFER_TRY(dims_need_ints(ctx, "shape", &dims, &rank));
    for (int32_t i = 0; i < rank; i++)
        if (dims[i] < 0)
            return adept_infer_fail(ctx, "attribute 'shape' has the size %" PRId64, dims[i]);
    return adept_infer_out(ctx, 0, dtype, rank, dims);
}

adept_status infer_random_like(adept_infer *ctx) {
    adept_dtype dtype;
    INFER_TRY(dims_type_attribute(ctx, "dtype", dims_type(ctx, 0), &dtype));
    return dims_out_typed(ctx, 0, 0, dtype);
}

adept_status infer_bernoulli(adept_infer *ctx) {
    return infer_random_like(ctx);
}

/* [batch, classes] to [batch, sample_size] */
adept_status infer_multinomial(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    adept_dtype dtype;
    INFER_TRY(dims_type_attribute(ctx, "dtype", ADEPT_DTYPE_INT32, &dtype));
    INFER_TRY(dims_want_rank(ctx, 0, 2, "[batch, classes]"));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    int64_t dims[2] = {x->dims[0], adept_infer_int(ctx, "sample_size", 1)};
    return adept_infer_out(ctx, 0, dtype, 2, dims);
}
