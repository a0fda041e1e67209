#include <math.h>

#include "adept/hardware.h"

/*
 * Units that can do a kind of arithmetic on matrices, best first; those from `native` on are fallbacks.
 * FP16 without tensor cores: the faster of FP16 and FP32 cores, as libraries choose (P4: FP16 at 1/64).
 * BF16 without tensor cores is computed in FP32. TF32 where there is none is plain FP32.
 */
#define NO_UNIT ADEPT_PEAK_COUNT
static const struct {
    adept_peak units[4];
    int native;
} matrix_units[ADEPT_MATH_COUNT] = {
    [ADEPT_MATH_FP32] = {{ADEPT_PEAK_FP32_MATRIX, ADEPT_PEAK_FP32, NO_UNIT},                                 2},
    [ADEPT_MATH_TF32] = {{ADEPT_PEAK_TF32, ADEPT_PEAK_FP32_MATRIX, ADEPT_PEAK_FP32, NO_UNIT},                1},
    [ADEPT_MATH_FP16] = {{ADEPT_PEAK_FP16_TENSOR, ADEPT_PEAK_FP16, ADEPT_PEAK_FP32, NO_UNIT},                2},
    [ADEPT_MATH_BF16] = {{ADEPT_PEAK_BF16_TENSOR, ADEPT_PEAK_FP32_MATRIX, ADEPT_PEAK_FP32, NO_UNIT},         1},
    [ADEPT_MATH_FP64] = {{ADEPT_PEAK_FP64_TENSOR, ADEPT_PEAK_FP64, NO_UNIT},                                 2},
    [ADEPT_MATH_FP8] = {{ADEPT_PEAK_FP8_TENSOR, ADEPT_PEAK_FP16_TENSOR, ADEPT_PEAK_FP32, NO_UNIT},          1},
    [ADEPT_MATH_INT8] = {{ADEPT_PEAK_INT8_TENSOR, ADEPT_PEAK_INT8, ADEPT_PEAK_FP32, NO_UNIT},                2},
    [ADEPT_MATH_INT4] = {{ADEPT_PEAK_INT4_TENSOR, ADEPT_PEAK_INT8_TENSOR, ADEPT_PEAK_INT8, ADEPT_PEAK_FP32},
                         1                                                                                    },
    [ADEPT_MATH_FP4] = {{ADEPT_PEAK_FP4_TENSOR, ADEPT_PEAK_FP8_TENSOR, ADEPT_PEAK_FP16_TENSOR,
                         ADEPT_PEAK_FP32},
                         1                                                                                    },
};

static adept_peak_choice choose(const adept_hardware_spec *spec, adept_peak unit, bool fallback) {
    return (adept_peak_choice){unit, spec->peak_flop_per_s[unit], fallback};
}

adept_peak_choice adept_peak_for_matrix(const adept_hardware_spec *spec, adept_math math) {
    const double *peaks = spec->peak_flop_per_s;
    for (int i = 0; i < 4 && matrix_units[math].units[i] != NO_UNIT; i++) {
        adept_peak unit = matrix_units[math].units[i];
        if (isnan(peaks[unit]) || (unit == ADEPT_PEAK_FP16 && peaks[unit] < peaks[ADEPT_PEAK_FP32]))
            continue;
        return choose(spec, unit, i >= matrix_units[math].native);
    }
    return choose(spec, ADEPT_PEAK_FP32, true);
}

adept_peak_choice adept_peak_for_general(const adept_hardware_spec *spec, adept_math math) {
    /* frameworks compute elementwise work on 16-bit tensors in FP32 registers */
    return choose(spec, math == ADEPT_MATH_FP64 ? ADEPT_PEAK_FP64 : ADEPT_PEAK_FP32, false);
}
