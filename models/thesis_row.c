#include <math.h>

#include "communication.h"
#include "fail.h"
#include "thesis.h"

/*
 * Ideal tile m x n x k of a matrix instruction and channel block of a convolution by arithmetic (design
 * section 3 and 12). 16-bit and TF32 from the thesis; FP32 and the others are our choice.
 */
static const struct {
    double m, n, k, channels;
} ideal_blocks[ADEPT_MATH_COUNT] = {
    [ADEPT_MATH_FP32] = {8,  8, 8,  32 },
      [ADEPT_MATH_TF32] = {16, 8, 4,  32 },
    [ADEPT_MATH_FP16] = {16, 8, 8,  64 },
      [ADEPT_MATH_BF16] = {16, 8, 8,  64 },
    [ADEPT_MATH_FP64] = {8,  8, 4,  32 },
      [ADEPT_MATH_FP8] = {16, 8, 32, 128},
    [ADEPT_MATH_INT8] = {16, 8, 32, 128},
      [ADEPT_MATH_INT4] = {16, 8, 64, 256},
    [ADEPT_MATH_FP4] = {16, 8, 64, 256},
};

/* Arithmetic of matrix operators under a precision policy, and whether it is a 16-bit one. */
static const struct {
    adept_math math;
    bool sixteen_bit;
} policies[ADEPT_PRECISION_COUNT] = {
    [ADEPT_PRECISION_FP32] = {ADEPT_MATH_FP32, false},
    [ADEPT_PRECISION_TF32] = {ADEPT_MATH_TF32, false},
    [ADEPT_PRECISION_FP16] = {ADEPT_MATH_FP16, true },
    [ADEPT_PRECISION_BF16] = {ADEPT_MATH_BF16, true },
    [ADEPT_PRECISION_FP16_AMP] = {ADEPT_MATH_FP16, true },
    [ADEPT_PRECISION_BF16_AMP] = {ADEPT_MATH_BF16, true },
    [ADEPT_PRECISION_INT8] = {ADEPT_MATH_INT8, false},
};

/* Weights count as shared above this many uses per tensor (design section 12). */
#define SHARING_ABOVE 1.5

static void set_dimensions(adept_thesis_row *row, const adept_structure *structure, adept_math math) {
    double *d = row->dimensions;
    d[ADEPT_DIMENSION_M] = structure->gemm.m / ideal_blocks[math].m;
    d[ADEPT_DIMENSION_N] = structure->gemm.n / ideal_blocks[math].n;
    d[ADEPT_DIMENSION_K] = structure->gemm.k / ideal_blocks[math].k;
    /* one channel dimension for one parameter: the mean of input and output channels */
    d[ADEPT_DIMENSION_CHANNEL] =
        (structure->conv.c_in + structure->conv.c_out) / 2 / ideal_blocks[math].channels;
    d[ADEPT_DIMENSION_SPATIAL] = structure->conv.pixels;
    d[ADEPT_DIMENSION_FILTER] = structure->conv.kernel;
    d[ADEPT_DIMENSION_ELEMENTS] = structure->elements;
}

static void set_pass(adept_thesis_row *row, int pass, const adept_work *work, double matrix_peak,
                     double general_peak, double bandwidth) {
    double *peak_s = row->pass_peak_s[pass];
    peak_s[ADEPT_TERM_GEMM] = work->gemm_flop / matrix_peak;
    peak_s[ADEPT_TERM_CONV] = work->conv_flop / matrix_peak;
    peak_s[ADEPT_TERM_ALU] = work->alu_flop / general_peak;
    row->pass_memory_s[pass] = (work->read_B + work->write_B) / bandwidth;
    for (int term = 0; term < ADEPT_TERM_COUNT; term++)
        row->peak_s[term] += peak_s[term];
    row->memory_s += row->pass_memory_s[pass];
}

static unsigned conditions_of(const adept_thesis_row *row, const adept_workload *workload) {
    const struct {
        bool holds;
        unsigned condition;
    } rows[] = {
        {row->peak_s[ADEPT_TERM_GEMM] > 0,          ADEPT_NEEDS_GEMM     },
        {row->peak_s[ADEPT_TERM_CONV] > 0,          ADEPT_NEEDS_CONV     },
        {row->peak_s[ADEPT_TERM_ALU] > 0,           ADEPT_NEEDS_ALU      },
        {row->optimizer_s > 0,                      ADEPT_NEEDS_OPTIMIZER},
        {row->ring_hops > 0,                        ADEPT_NEEDS_GPUS     },
        {policies[workload->precision].sixteen_bit, ADEPT_NEEDS_16_BIT   },
        {workload->weight_sharing > SHARING_ABOVE,  ADEPT_NEEDS_SHARING  },
    };
    unsigned conditions = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        conditions |= rows[i].holds ? rows[i].condition : 0;
    return conditions;
}

static bool is_amount(double value) {
    return isfinite(value) && value >= 0;
}

/* All figures from `first` to `last`, which are members of one struct of doubles. */
static bool are_amounts(const double *first, const double *last) {
    for (const double *value = first; value <= last; value++) {
        if (!is_amount(*value))
            return false;
    }
    return true;
}

adept_status adept_thesis_row_init(adept_thesis_row *row, const adept_workload *workload,
                                   const adept_hardware_spec *spec, double power_limit_W, adept_error *err) {
    adept_math math = policies[workload->precision].math;
    adept_peak_choice matrix = adept_peak_for_matrix(spec, math);
    double general = adept_peak_for_general(spec, ADEPT_MATH_FP32).flop_per_s;
    double bandwidth = spec->memory_bandwidth_B_per_s;
    const adept_work *optimizer = &workload->optimizer_work;
    bool train = workload->mode == ADEPT_MODE_TRAIN;
    adept_link_choice link = adept_link_for(spec, workload->gpus);

    *row = (adept_thesis_row){.grad_accum = workload->grad_accum, .fallback = matrix.fallback};
    set_pass(row, 0, &workload->forward, matrix.flop_per_s, general, bandwidth);
    set_pass(row, 1, &workload->backward, matrix.flop_per_s, general, bandwidth);
    set_dimensions(row, &workload->structure, math);
    row->l2_ratio = workload->structure.working_set_B / spec->l2_B;
    row->optimizer_s =
        fmax(optimizer->alu_flop / general, (optimizer->read_B + optimizer->write_B) / bandwidth);
    if (train && workload->gpus > 1) {
        row->ring_hops = adept_ring_hops(workload->gpus);
        row->ring_s = adept_ring_share(workload->gpus) * workload->reduced_gradients_B / link.B_per_s;
    }
    row->kernels =
        (workload->forward.kernels + workload->backward.kernels) * row->grad_accum + optimizer->kernels;
    row->tdp_W = spec->tdp_W;
    row->limit_W = power_limit_W;
    row->conditions = conditions_of(row, workload);
    if (!are_amounts(row->peak_s, &row->limit_W))
        return adept_fail(
            err, ADEPT_RANGE,
            "a figure of the workload or the hardware is negative or not finite; profile the model "
            "again");
    return ADEPT_OK;
}
