#include "operator_range.h"

#include <math.h>

#include "model.h"
#include "operator_parameters.h"

#define MATH(name) (1u << ADEPT_MATH_##name)
/* BF16 runs on the units of FP16 at their rate, so a measurement of one covers the other. */
#define HALF (MATH(FP16) | MATH(BF16))
#define FLOATS (MATH(FP32) | MATH(TF32) | HALF)

/* ---- kernels ---- */

/*
 * Kernels of the rows that the shipped values were fitted on: weight 0.5 and more, up to 8 GPUs
 * (docs/model.md, Range). A kind without a row was in none: fused recurrent layers, sort, FFT, others.
 */
/* clang-format off */
static const struct kernel_range {
    uint32_t maths;
    bool only_2d;
} kernel_ranges[ADEPT_KERNEL_KIND_COUNT] = {
    [ADEPT_KERNEL_GEMM] = {FLOATS, false},
    [ADEPT_KERNEL_CONV] = {FLOATS, true },
    [ADEPT_KERNEL_CONV_DATA] = {FLOATS, true }, /* also transposed convolution */
    [ADEPT_KERNEL_CONV_WEIGHT] = {FLOATS, true },
    [ADEPT_KERNEL_ELEMENTWISE] = {FLOATS, false},
    [ADEPT_KERNEL_NORM] = {FLOATS, false},
    [ADEPT_KERNEL_BATCH_NORM] = {FLOATS, false},
    [ADEPT_KERNEL_SOFTMAX] = {FLOATS, false},
    [ADEPT_KERNEL_REDUCE] = {FLOATS, false},
    [ADEPT_KERNEL_POOL] = {FLOATS, false},
    [ADEPT_KERNEL_COPY] = {FLOATS, false},
    [ADEPT_KERNEL_GATHER] = {FLOATS, false}, /* embeddings of transformers, NCF, DLRM */
    [ADEPT_KERNEL_SCATTER] = {FLOATS, false},
    [ADEPT_KERNEL_CAST] = {FLOATS, false},
    [ADEPT_KERNEL_RANDOM] = {FLOATS, false},
    [ADEPT_KERNEL_OPTIMIZER] = {FLOATS, false},
};
/* clang-format on */

/* Fused attention only in diffusion, 16-bit inference. */
static bool is_measured_attention(const adept_kernel *k) {
    return k->kind == ADEPT_KERNEL_ATTENTION && k->pass == ADEPT_PASS_FORWARD && HALF >> k->math & 1;
}

/* The only 1-D convolutions are those of Jasper's inference on matrix units. */
static bool is_measured_1d(const adept_kernel *k) {
    return k->kind == ADEPT_KERNEL_CONV && k->conv.spatial_rank == 1 && k->pass == ADEPT_PASS_FORWARD &&
           (MATH(TF32) | HALF) >> k->math & 1;
}

bool adept_kernel_in_fitted_range(const adept_kernel *kernel) {
    const struct kernel_range *range = &kernel_ranges[kernel->kind];
    if (!(range->maths >> kernel->math & 1))
        return is_measured_attention(kernel);
    return !range->only_2d || kernel->conv.spatial_rank == 2 || is_measured_1d(kernel);
}

/* ---- GPUs ---- */

/* clang-format off */
/* What was measured on a family: time of matrix kernels by arithmetic; power. */
static const struct family_range {
    uint32_t maths;
    bool power;
    bool rule; /* the datasheet rule for theta.operator.g may stand in for power measurements */
} family_ranges[ADEPT_GPU_FAMILY_COUNT] = {
    [ADEPT_GPU_FAMILY_PASCAL] = {MATH(FP32),        true,  true }, /* P100: power of training, FP32 */
    [ADEPT_GPU_FAMILY_VOLTA] = {MATH(FP32) | HALF, true,  true }, /* V100, V100S: power in FP32 */
    [ADEPT_GPU_FAMILY_TURING] = {MATH(FP32) | HALF, false, true }, /* T4: times under its 70 W limit */
    [ADEPT_GPU_FAMILY_AMPERE] = {FLOATS,            true,  true }, /* A100: power of inference */
    [ADEPT_GPU_FAMILY_AMPERE_GA10X] = {FLOATS,            true,  true }, /* A10, A40, RTX 3090 */
    [ADEPT_GPU_FAMILY_ADA] = {0,                 false, true },
    [ADEPT_GPU_FAMILY_HOPPER] = {0,                 false, true },
    [ADEPT_GPU_FAMILY_BLACKWELL] = {0,                 false, true },
    [ADEPT_GPU_FAMILY_CDNA] = {MATH(FP32),        false, false}, /* MI100, MI210: the rule is untested */
};
/* clang-format on */

/* Whether all matrix kernels of the workload run in arithmetic that was measured on this family. */
static bool is_time_measured(const adept_workload *w, const adept_hardware_spec *spec) {
    uint32_t maths = family_ranges[spec->family].maths;
    for (size_t i = 0; maths && i < w->kernel_count; i++) {
        const adept_kernel *k = &w->kernels[i];
        bool matrix = k->gemm_flop + k->conv_flop > 0 && adept_kernel_in_fitted_range(k);
        adept_math math = k->math;
        if (matrix && adept_peak_for_matrix(spec, math).unit == ADEPT_PEAK_FP32)
            math = ADEPT_MATH_FP32; /* falls back to general cores */
        if (matrix && !(maths >> math & 1))
            return false;
    }
    return maths != 0;
}

/*
 * Power rests on theta.operator.g, the power scale of the die. Own values (fitted, given) and those of
 * another die of the family are taken; the datasheet's rule only where it was ever compared with
 * measurements, which no AMD die allows; a mere default never.
 */
static bool is_power_supported(const adept_hardware_spec *spec, adept_provenance g) {
    if (g == ADEPT_PROVENANCE_DATASHEET)
        return family_ranges[spec->family].rule;
    return g != ADEPT_PROVENANCE_DEFAULT;
}

static void withhold_power(adept_prediction *out) {
    out->average_power_W = out->energy_per_step_J = NAN;
    out->average_power_interval_W = (adept_interval){NAN, NAN};
    for (int i = 0; i < ADEPT_PHASE_COUNT; i++)
        out->phases[i].power_W = out->phases[i].energy_J = NAN;
    for (size_t i = 0; i < out->note_count; i++) {
        if (out->notes[i].code == ADEPT_NOTE_POWER_LIMIT_NOT_HELD)
            out->notes[i].value = NAN;
    }
    out->power_evidence = ADEPT_EVIDENCE_NONE;
}

void operator_range_judge(adept_prediction *out, const adept_workload *workload,
                          const adept_hardware_spec *spec, const adept_theta *theta) {
    adept_provenance g = theta->provenance[OP_G];
    bool own = g == ADEPT_PROVENANCE_FITTED || g == ADEPT_PROVENANCE_GIVEN;
    if (!is_time_measured(workload, spec))
        adept_prediction_note(out, ADEPT_NOTE_GPU_NOT_MEASURED, NAN);
    if (!is_power_supported(spec, g)) {
        adept_prediction_note(out, ADEPT_NOTE_POWER_WITHHELD, NAN);
        withhold_power(out);
    } else if (!family_ranges[spec->family].power && !own) {
        adept_prediction_note(out, ADEPT_NOTE_POWER_NOT_MEASURED, theta->value[OP_G]);
    }
}
