/* Element types of tensors, with the numbers of the ONNX specification (TensorProto.DataType). */
#ifndef ADEPT_DTYPE_H
#define ADEPT_DTYPE_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* name, ONNX number, JSON name, bits per element (0: no fixed size) */
#define ADEPT_DTYPE_LIST(X)                                                                                  \
    X(UNDEFINED, 0, "undefined", 0)                                                                          \
    X(FLOAT, 1, "float32", 32)                                                                               \
    X(UINT8, 2, "uint8", 8)                                                                                  \
    X(INT8, 3, "int8", 8)                                                                                    \
    X(UINT16, 4, "uint16", 16)                                                                               \
    X(INT16, 5, "int16", 16)                                                                                 \
    X(INT32, 6, "int32", 32)                                                                                 \
    X(INT64, 7, "int64", 64)                                                                                 \
    X(STRING, 8, "string", 0)                                                                                \
    X(BOOL, 9, "bool", 8)                                                                                    \
    X(FLOAT16, 10, "float16", 16)                                                                            \
    X(DOUBLE, 11, "float64", 64)                                                                             \
    X(UINT32, 12, "uint32", 32)                                                                              \
    X(UINT64, 13, "uint64", 64)                                                                              \
    X(COMPLEX64, 14, "complex64", 64)                                                                        \
    X(COMPLEX128, 15, "complex128", 128)                                                                     \
    X(BFLOAT16, 16, "bfloat16", 16)                                                                          \
    X(FLOAT8E4M3FN, 17, "float8e4m3fn", 8)                                                                   \
    X(FLOAT8E4M3FNUZ, 18, "float8e4m3fnuz", 8)                                                               \
    X(FLOAT8E5M2, 19, "float8e5m2", 8)                                                                       \
    X(FLOAT8E5M2FNUZ, 20, "float8e5m2fnuz", 8)                                                               \
    X(UINT4, 21, "uint4", 4)                                                                                 \
    X(INT4, 22, "int4", 4)                                                                                   \
    X(FLOAT4E2M1, 23, "float4e2m1", 4)                                                                       \
    X(FLOAT8E8M0, 24, "float8e8m0", 8)                                                                       \
    X(UINT2, 25, "uint2", 2)                                                                                 \
    X(INT2, 26, "int2", 2)

typedef enum adept_dtype {
#define ADEPT_DTYPE_ENUM(code, number, name, bits) ADEPT_DTYPE_##code = number,
    ADEPT_DTYPE_LIST(ADEPT_DTYPE_ENUM)
#undef ADEPT_DTYPE_ENUM
        ADEPT_DTYPE_COUNT
} adept_dtype;

const char *adept_dtype_name(adept_dtype dtype); /* never NULL; "undefined" for unknown numbers */
int adept_dtype_bits(adept_dtype dtype);         /* bits of one element as stored; 0 for strings */
bool adept_dtype_is_float(adept_dtype dtype); /* floating point of any width (what gradients flow through) */
bool adept_dtype_is_integer(adept_dtype dtype); /* signed, unsigned or bool */

#ifdef __cplusplus
}
#endif
#endif
