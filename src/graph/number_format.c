#include "number_format.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What the patterns with the largest exponent mean. */
typedef enum special_values {
    SPECIAL_IEEE,       /* infinities and NaN */
    SPECIAL_ALL_ONES,   /* only S.1111.111 is NaN, no infinities (FN) */
    SPECIAL_MINUS_ZERO, /* only 1.0000.000 is NaN, no infinities, one zero (FNUZ) */
    SPECIAL_NONE        /* every pattern is a number */
} special_values;

typedef struct small_float {
    adept_dtype dtype;
    int exponent_bits, mantissa_bits, bias;
    special_values special;
} small_float;

/*
 * Source    IEEE 754-2019 (float16); OCP 8-bit Floating Point Specification 1.0 (E4M3, E5M2);
 *           ONNX documentation "Float stored in 8 bits" (FNUZ); OCP Microscaling Formats 1.0 (E2M1)
 */
static const small_float small_floats[] = {
    {ADEPT_DTYPE_FLOAT16,        5, 10, 15,  SPECIAL_IEEE      },
    {ADEPT_DTYPE_BFLOAT16,       8, 7,  127, SPECIAL_IEEE      },
    {ADEPT_DTYPE_FLOAT8E4M3FN,   4, 3,  7,   SPECIAL_ALL_ONES  },
    {ADEPT_DTYPE_FLOAT8E4M3FNUZ, 4, 3,  8,   SPECIAL_MINUS_ZERO},
    {ADEPT_DTYPE_FLOAT8E5M2,     5, 2,  15,  SPECIAL_IEEE      },
    {ADEPT_DTYPE_FLOAT8E5M2FNUZ, 5, 2,  16,  SPECIAL_MINUS_ZERO},
    {ADEPT_DTYPE_FLOAT4E2M1,     2, 1,  1,   SPECIAL_NONE      },
};

static double small_float_value(const small_float *format, uint64_t bits) {
    uint64_t mantissa = bits & ((1U << format->mantissa_bits) - 1);
    uint64_t exponent = (bits >> format->mantissa_bits) & ((1U << format->exponent_bits) - 1);
    bool negative = (bits >> (format->mantissa_bits + format->exponent_bits)) & 1;
    uint64_t largest_exponent = (1U << format->exponent_bits) - 1;
    uint64_t largest_mantissa = (1U << format->mantissa_bits) - 1;
    if (format->special == SPECIAL_IEEE && exponent == largest_exponent)
        return mantissa ? (double)NAN : (double)(negative ? -INFINITY : INFINITY);
    if (format->special == SPECIAL_ALL_ONES && exponent == largest_exponent && mantissa == largest_mantissa)
        return (double)NAN;
    if (format->special == SPECIAL_MINUS_ZERO && negative && exponent == 0 && mantissa == 0)
        return (double)NAN;
    double value = exponent == 0 ? ldexp((double)mantissa, 1 - format->bias - format->mantissa_bits)
                                 : ldexp((double)(mantissa + largest_mantissa + 1),
                                         (int)exponent - format->bias - format->mantissa_bits);
    return negative ? -value : value;
}

/* A power of two alone, 0xff is NaN. Source: OCP Microscaling Formats 1.0, E8M0. */
static double power_of_two(uint64_t bits) {
    return bits == 0xff ? (double)NAN : ldexp(1.0, (int)bits - 127);
}

static double float_value(uint64_t bits) {
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return (double)value;
}

static double double_value(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double adept_float_from_bits(adept_dtype dtype, uint64_t bits) {
    if (dtype == ADEPT_DTYPE_FLOAT)
        return float_value(bits);
    if (dtype == ADEPT_DTYPE_DOUBLE)
        return double_value(bits);
    if (dtype == ADEPT_DTYPE_FLOAT8E8M0)
        return power_of_two(bits & 0xff);
    for (size_t i = 0; i < sizeof small_floats / sizeof small_floats[0]; i++) {
        if (small_floats[i].dtype == dtype)
            return small_float_value(&small_floats[i], bits);
    }
    return 0.0;
}
