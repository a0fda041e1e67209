/* Random numbers. Types: the attribute, else what the operator defaults to. */
#include "infer_functions.h"

#include <inttypes.h>

#include "infer_dims.h"

static adept_dtype attribute_type(adept_infer *ctx, adept_dtype missing) {
    int64_t dtype = adept_infer_int(ctx, "dtype", missing);
    return dtype > 0 && dtype < ADEPT_DTYPE_COUNT ? (adept_dtype)dtype : missing;
}

adept_status infer_random(adept_infer *ctx) {
    const int64_t *dims;
    int32_t rank;
    INFER_TRY(dims_need_ints(ctx, "shape", &dims, &rank));
    for (int32_t i = 0; i < rank; i++)
        if (dims[i] < 0)
            return adept_infer_fail(ctx, "attribute 'shape' has the size %" PRId64, dims[i]);
    return adept_infer_out(ctx, 0, attribute_type(ctx, ADEPT_DTYPE_FLOAT), rank, dims);
}

adept_status infer_random_like(adept_infer *ctx) {
    return dims_out_typed(ctx, 0, 0, attribute_type(ctx, dims_type(ctx, 0)));
}

adept_status infer_bernoulli(adept_infer *ctx) {
    return infer_random_like(ctx);
}

/* [batch, classes] to [batch, sample_size] */
adept_status infer_multinomial(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    adept_dtype dtype = attribute_type(ctx, ADEPT_DTYPE_INT32);
    INFER_TRY(dims_want_rank(ctx, 0, 2, "[batch, classes]"));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    int64_t dims[2] = {x->dims[0], adept_infer_int(ctx, "sample_size", 1)};
    return adept_infer_out(ctx, 0, dtype, 2, dims);
}
