/* Parameters theta_H of the thesis variant by number (design section 6). */
#ifndef ADEPT_THESIS_PARAMETERS_H
#define ADEPT_THESIS_PARAMETERS_H

#include "adept/prediction.h"

/* What of a workload a parameter needs to matter. */
enum {
    ADEPT_NEEDS_NOTHING = 0,
    ADEPT_NEEDS_GEMM = 1 << 0,
    ADEPT_NEEDS_CONV = 1 << 1,
    ADEPT_NEEDS_ALU = 1 << 2,
    ADEPT_NEEDS_OPTIMIZER = 1 << 3,
    ADEPT_NEEDS_GPUS = 1 << 4,
    ADEPT_NEEDS_16_BIT = 1 << 5,
    ADEPT_NEEDS_SHARING = 1 << 6
};

/*
 * code, name, unit, lower, upper, initial, free, logarithmic, time, power, needs, meaning.
 * Initial values make the model a roofline with usual efficiencies; they are not fitted. Bounds: design
 * section 6; those of R reach from "always full" to far beyond the values that the thesis reports.
 */
#define ADEPT_THESIS_PARAMETER_LIST(X)                                                                       \
    X(BETA_GEMM, "beta_gemm", "1", 1e-3, 1, 0.75, true, true, true, false, GEMM,                             \
      "share of peak that saturated matrix products reach")                                                  \
    X(BETA_CONV, "beta_conv", "1", 1e-3, 1, 0.6, true, true, true, false, CONV,                              \
      "share of peak that saturated convolutions reach")                                                     \
    X(BETA_ALU, "beta_alu", "1", 1e-3, 1, 0.5, true, true, true, false, ALU,                                 \
      "share of peak that saturated general work reaches")                                                   \
    X(R_GEMM_M, "R_gemm_M", "tiles", 1e-3, 1e5, 2, true, true, true, false, GEMM,                            \
      "tiles in M at which matrix units are full")                                                           \
    X(R_GEMM_N, "R_gemm_N", "tiles", 1e-3, 1e5, 4, true, true, true, false, GEMM,                            \
      "tiles in N at which matrix units are full")                                                           \
    X(R_GEMM_K, "R_gemm_K", "tiles", 1e-3, 1e5, 4, true, true, true, false, GEMM,                            \
      "tiles in K at which matrix units are full")                                                           \
    X(R_CONV_CHANNEL, "R_conv_channel", "blocks", 1e-3, 1e5, 1, true, true, true, false, CONV,               \
      "channel blocks at which convolutions are full")                                                       \
    X(R_CONV_SPATIAL, "R_conv_spatial", "pixels", 1e-2, 1e7, 100, true, true, true, false, CONV,             \
      "output pixels at which convolutions are full")                                                        \
    X(R_CONV_FILTER, "R_conv_filter", "elements", 1e-3, 1e4, 1, true, true, true, false, CONV,               \
      "kernel elements at which convolutions are full")                                                      \
    X(R_ELEM, "R_elem", "elements", 1, 1e12, 1e5, true, true, true, false, ALU,                              \
      "elements at which general work fills the GPU")                                                        \
    X(C_GEMM, "C_gemm", "1", 1e-4, 50, 1, false, true, true, false, GEMM,                                    \
      "time factor of matrix products; only C/beta shows in time")                                           \
    X(C_CONV, "C_conv", "1", 1e-4, 50, 1, false, true, true, false, CONV,                                    \
      "time factor of convolutions; only C/beta shows in time")                                              \
    X(C_ALU, "C_alu", "1", 1e-4, 50, 1, false, true, true, false, ALU,                                       \
      "time factor of general work; only C/beta shows in time")                                              \
    X(C_MEM, "C_mem", "1", 1e-4, 50, 1.2, true, true, true, false, NOTHING,                                  \
      "time factor of memory traffic over datasheet bandwidth")                                              \
    X(C_OPT, "C_opt", "1", 1e-4, 50, 1.2, true, true, true, false, OPTIMIZER,                                \
      "time factor of the optimizer's roofline")                                                             \
    X(LAMBDA_MISS, "lambda_miss", "1", 1e-3, 1, 0.5, true, true, true, false, NOTHING,                       \
      "least share of traffic that misses the L2 cache")                                                     \
    X(T_KERN, "t_kern", "s", 0, 1e-3, 1.5e-6, true, false, true, false, NOTHING,                             \
      "time of one kernel launch that is not hidden")                                                        \
    X(T_FIXED, "T_fixed", "s", 0, 1, 1e-4, true, false, true, false, NOTHING, "constant time of a step")     \
    X(L_HOP, "L_hop", "s", 0, 1e-2, 5e-6, true, false, true, false, GPUS, "latency of one hop of the ring")  \
    X(BW_EFF, "BW_eff", "of link", 0.01, 1, 0.75, true, false, true, false, GPUS,                            \
      "effective bandwidth of the ring over the link's datasheet bandwidth")                                 \
    X(P_STATIC, "P_static", "of TDP", 0.02, 0.9, 0.2, true, false, false, true, NOTHING,                     \
      "power of a GPU that waits, over TDP")                                                                 \
    X(C_P, "C_P", "1", 0.1, 2, 0.9, true, false, false, true, NOTHING, "factor on dynamic power")            \
    X(U_MEM, "u_mem", "1", 0, 1, 0.55, true, false, false, true, NOTHING,                                    \
      "utilisation while memory is the limit")                                                               \
    X(U_COMM, "u_comm", "1", 0, 1, 0.25, true, false, false, true, GPUS, "utilisation while communicating")  \
    X(S_GEMM_BF16, "S_gemm_bf16", "1", 1e-4, 50, 1, true, true, true, false, GEMM | ADEPT_NEEDS_16_BIT,      \
      "time factor of matrix products in 16-bit precisions")                                                 \
    X(S_CONV_BF16, "S_conv_bf16", "1", 1e-4, 50, 1, true, true, true, false, CONV | ADEPT_NEEDS_16_BIT,      \
      "time factor of convolutions in 16-bit precisions")                                                    \
    X(S_ALU_BF16, "S_alu_bf16", "1", 1e-4, 50, 1, true, true, true, false, ALU | ADEPT_NEEDS_16_BIT,         \
      "time factor of general work in 16-bit precisions")                                                    \
    X(S_GEMM_SHARED, "S_gemm_shared", "1", 1e-4, 50, 1, true, true, true, false, GEMM | ADEPT_NEEDS_SHARING, \
      "time factor of matrix products where weights are shared")                                             \
    X(S_ALU_SHARED, "S_alu_shared", "1", 1e-4, 50, 1, true, true, true, false, ALU | ADEPT_NEEDS_SHARING,    \
      "time factor of general work where weights are shared")                                                \
    X(S_MEM_SHARED, "S_mem_shared", "1", 1e-4, 50, 1, true, true, true, false,                               \
      NOTHING | ADEPT_NEEDS_SHARING, "time factor of memory traffic where weights are shared")

typedef enum adept_thesis_parameter {
#define ADEPT_THESIS_ENUM(code, ...) ADEPT_THESIS_##code,
    ADEPT_THESIS_PARAMETER_LIST(ADEPT_THESIS_ENUM)
#undef ADEPT_THESIS_ENUM
        ADEPT_THESIS_PARAMETER_COUNT
} adept_thesis_parameter;

extern const adept_parameter adept_thesis_parameters[ADEPT_THESIS_PARAMETER_COUNT];

/* ADEPT_NEEDS_* of each parameter: all must hold for it to change the prediction. */
extern const unsigned adept_thesis_needs[ADEPT_THESIS_PARAMETER_COUNT];

#endif
