#include "adept/dtype.h"

#include <stddef.h>

static const struct {
    const char *name;
    int bits;
} rows[ADEPT_DTYPE_COUNT] = {
#define ADEPT_DTYPE_ROW(code, number, name, bits) [number] = {name, bits},
    ADEPT_DTYPE_LIST(ADEPT_DTYPE_ROW)
#undef ADEPT_DTYPE_ROW
};

static size_t row_of(adept_dtype dtype) {
    return (size_t)dtype < ADEPT_DTYPE_COUNT ? (size_t)dtype : 0;
}

const char *adept_dtype_name(adept_dtype dtype) {
    return rows[row_of(dtype)].name;
}

int adept_dtype_bits(adept_dtype dtype) {
    return rows[row_of(dtype)].bits;
}

bool adept_dtype_is_float(adept_dtype dtype) {
    switch (dtype) {
    case ADEPT_DTYPE_FLOAT:
    case ADEPT_DTYPE_FLOAT16:
    case ADEPT_DTYPE_DOUBLE:
    case ADEPT_DTYPE_BFLOAT16:
    case ADEPT_DTYPE_COMPLEX64:
    case ADEPT_DTYPE_COMPLEX128:
    case ADEPT_DTYPE_FLOAT8E4M3FN:
    case ADEPT_DTYPE_FLOAT8E4M3FNUZ:
    case ADEPT_DTYPE_FLOAT8E5M2:
    case ADEPT_DTYPE_FLOAT8E5M2FNUZ:
    case ADEPT_DTYPE_FLOAT4E2M1:
    case ADEPT_DTYPE_FLOAT8E8M0:
        return true;
    default:
        return false;
    }
}

bool adept_dtype_is_integer(adept_dtype dtype) {
    return dtype != ADEPT_DTYPE_UNDEFINED && dtype != ADEPT_DTYPE_STRING && !adept_dtype_is_float(dtype) &&
           (size_t)dtype < ADEPT_DTYPE_COUNT;
}
