#include "payload.h"

int32_t adept_payload_field(adept_dtype dtype) {
    switch (dtype) {
    case ADEPT_DTYPE_UNDEFINED:
    case ADEPT_DTYPE_COUNT:
        return 0;
    case ADEPT_DTYPE_FLOAT:
    case ADEPT_DTYPE_COMPLEX64:
        return ADEPT_FIELD_FLOAT_DATA;
    case ADEPT_DTYPE_DOUBLE:
    case ADEPT_DTYPE_COMPLEX128:
        return ADEPT_FIELD_DOUBLE_DATA;
    case ADEPT_DTYPE_INT64:
        return ADEPT_FIELD_INT64_DATA;
    case ADEPT_DTYPE_UINT32:
    case ADEPT_DTYPE_UINT64:
        return ADEPT_FIELD_UINT64_DATA;
    case ADEPT_DTYPE_STRING:
        return ADEPT_FIELD_STRING_DATA;
    default: /* small integers, 16-bit floats and narrower, bit patterns of bytes with packed elements */
        return ADEPT_FIELD_INT32_DATA;
    }
}

/* Complex numbers fill two entries each; elements below a byte share the entry, which holds one byte. */
static int64_t entries_per_element(adept_dtype dtype) {
    return dtype == ADEPT_DTYPE_COMPLEX64 || dtype == ADEPT_DTYPE_COMPLEX128 ? 2 : 1;
}

bool adept_payload_entries(adept_dtype dtype, int32_t field, int64_t elements, uint64_t *out) {
    uint64_t bits = (uint64_t)adept_dtype_bits(dtype), count = (uint64_t)elements, product;
    if (field == ADEPT_FIELD_RAW_DATA || (bits > 0 && bits < 8)) {
        if (__builtin_mul_overflow(count, bits, &product) || product > UINT64_MAX - 7)
            return false;
        *out = (product + 7) / 8;
        return true;
    }
    if (__builtin_mul_overflow(count, (uint64_t)entries_per_element(dtype), &product))
        return false;
    *out = product;
    return true;
}
