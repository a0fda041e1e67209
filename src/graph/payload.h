/* How TensorProto stores the elements of each type. Source: ONNX specification, onnx.proto, TensorProto. */
#ifndef ADEPT_PAYLOAD_H
#define ADEPT_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "adept/dtype.h"

enum {
    ADEPT_FIELD_FLOAT_DATA = 4,
    ADEPT_FIELD_INT32_DATA = 5,
    ADEPT_FIELD_STRING_DATA = 6,
    ADEPT_FIELD_INT64_DATA = 7,
    ADEPT_FIELD_RAW_DATA = 9,
    ADEPT_FIELD_DOUBLE_DATA = 10,
    ADEPT_FIELD_UINT64_DATA = 11
};

/* Number of the typed field for a type; 0 for types that ONNX does not know. */
int32_t adept_payload_field(adept_dtype dtype);

/* Entries of that field, or bytes of raw_data (field 9), that so many elements fill; false on overflow. */
bool adept_payload_entries(adept_dtype dtype, int32_t field, int64_t elements, uint64_t *out);

#endif
