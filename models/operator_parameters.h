/*
 * Parameters of the operator variant: one list, from which the table (help, JSON, bounds, docs) and the
 * indices into adept_theta.value are made. Orientation values: docs/model.md says where each comes from.
 */
#ifndef ADEPT_OPERATOR_PARAMETERS_H
#define ADEPT_OPERATOR_PARAMETERS_H

#include "adept/prediction.h"

/* id, name, unit, lower, upper, initial, free, acts on time, acts on power, meaning */
#define OPERATOR_PARAMETER_LIST(X)                                                                           \
    X(E_CORE, "e_core", "1", 0.5, 1.3, 1.25, true, true, false,                                              \
      "share of the general cores' peak that matrix kernels can reach")                                      \
    X(E_TENSOR, "e_tensor", "1", 0.4, 1.6, 1.51, true, true, false,                                          \
      "share of the matrix units' peak that matrix kernels can reach, before limits combine")                \
    X(E_VOLTA, "e_volta", "1", 0.4, 1.2, 0.877, true, true, false,                                           \
      "that share on Volta's matrix units, relative to later ones")                                          \
    X(E_CONV, "e_conv", "1", 0.4, 1.2, 0.778, true, true, false,                                             \
      "rate of convolutions on matrix units relative to matrix products")                                    \
    X(E_GROUPED, "e_grouped", "1", 0.4, 3, 1.93, true, true, false,                                          \
      "rate of grouped convolutions relative to products of the same shape")                                 \
    X(E_MATRIX_FP32, "e_matrix_fp32", "1", 0.3, 1.2, 0.692, true, true, false,                               \
      "rate of FP32 matrix units (AMD) relative to general cores")                                           \
    X(H0, "h0", "elements", 0, 60, 17.8, true, true, false,                                                  \
      "tile height at which general cores reach half their rate: h/(h+h0), h = mn/(m+n)")                    \
    X(OVERLAP, "overlap", "1", 1, 8, 1.41, true, true, false,                                                \
      "exponent with which limits of one kernel combine; large: the largest alone")                          \
    X(WAVE, "wave", "1", 0, 1, 0.225, true, true, false,                                                     \
      "how far waves of tiles are whole: 0 smooth, 1 steps")                                                 \
    X(SINGLE_TILE, "single_tile", "1", 0.4, 1, 0.667, true, true, false,                                     \
      "rate of a SM that has only one tile to work on")                                                      \
    X(LATENCY, "latency", "cycles", 0, 30000, 21800, true, true, false, "start and end of a matrix product") \
    X(LATENCY_CONV, "latency_conv", "cycles", 0, 60000, 35700, true, true, false,                            \
      "start and end of a convolution, its helper kernels included")                                         \
    X(KERNEL, "kernel", "s", 0, 2e-5, 2.5e-06, false, true, false, "start and end of any kernel")            \
    X(BW_HBM, "bw_hbm", "1", 0.4, 1, 0.915, true, true, false, "share of datasheet bandwidth reached, HBM")  \
    X(BW_GDDR, "bw_gddr", "1", 0.4, 1, 0.892, true, true, false,                                             \
      "share of datasheet bandwidth reached, GDDR")                                                          \
    X(BW_ECC, "bw_ecc", "1", 0.6, 1, 0.904, true, true, false,                                               \
      "share of that left by ECC words among the data")                                                      \
    X(FEED, "feed", "B per cycle and SM", 5, 300, 48.9, true, true, false,                                   \
      "operands that L2 delivers to matrix units")                                                           \
    X(NCHW, "nchw", "1", 0, 4, 0.461, true, true, false,                                                     \
      "extra passes over a convolution's bytes for channels-first layout on matrix units")                   \
    X(NCHW_TF32, "nchw_tf32", "1", 0.05, 1.5, 0.135, true, true, false,                                      \
      "those passes for TF32 relative to 16-bit")                                                            \
    X(DEPTHWISE, "depthwise", "taps per cycle and SM", 0.2, 64, 4.34, true, true, false,                     \
      "multiply-adds of depthwise convolution, forward and data gradient")                                   \
    X(DEPTHWISE_BACK, "depthwise_back", "taps per cycle and SM", 0.1, 64, 3.39, true, true, false,           \
      "the same, weight gradient")                                                                           \
    X(DEPTHWISE_SMALL, "depthwise_small", "pixels", 0, 2000, 542, true, true, false,                         \
      "image size at which the depthwise weight gradient runs at half its rate")                             \
    X(DEPTHWISE_NHWC, "depthwise_nhwc", "1", 0.02, 1, 0.173, true, true, false,                              \
      "share of bandwidth that 16-bit channels-last depthwise convolution reaches")                          \
    X(CONV_1D, "conv_1d", "1", 0.3, 1.2, 0.585, true, true, false,                                           \
      "rate of 1-D convolutions relative to 2-D ones on matrix units")                                       \
    X(BATCH_RATE, "batch_rate", "B per cycle and SM", 1, 100, 6.57, true, true, false,                       \
      "limit of batch normalisation kernels")                                                                \
    X(BATCH_NHWC, "batch_nhwc", "1", 0.5, 4, 2.36, true, true, false,                                        \
      "that limit for 16-bit channels-last storage, relative")                                               \
    X(NORM_RATE, "norm_rate", "B per cycle and SM", 1, 100, 10.7, true, true, false,                         \
      "limit of normalisation, softmax, reduction, pooling kernels")                                         \
    X(COPY_RATE, "copy_rate", "B per cycle and SM", 1, 100, 6.01, true, true, false,                         \
      "limit of transpose, concat, gather kernels of 4-byte elements; narrower ones as fast per element")    \
    X(ELEMENT_RATE, "element_rate", "B per cycle and SM", 5, 400, 33.3, false, true, false,                  \
      "limit of elementwise kernels")                                                                        \
    X(SM_PASCAL, "sm_pascal", "1", 0.3, 1.2, 0.584, true, true, false,                                       \
      "limits per SM (copies, normalisation, depthwise convolution) on Pascal, relative to later ones")      \
    X(WINOGRAD, "winograd", "1", 1, 2.25, 2.25, false, true, false,                                          \
      "reduction of 3x3 FP32 convolutions, F(2x2,3x3)")                                                      \
    X(FILL, "fill", "1", 0.2, 0.9, 0.34, true, true, false,                                                  \
      "clock over boost clock below which the SMs no longer fill the memory bandwidth")                      \
    X(FLASH, "flash", "1", 0.1, 1, 0.357, true, true, false, "share of peak reached by fused attention")     \
    X(FUSED, "fused", "1", 0.3, 1, 1, true, true, false,                                                     \
      "elementwise traffic left by a compiler that fuses kernels")                                           \
    X(FUSED_LAUNCH, "fused_launch", "1", 0.05, 1, 0.859, true, true, false,                                  \
      "host time of launches left by such a compiler")                                                       \
    X(OPTIMIZER, "optimizer", "1", 1, 8, 4.36, true, true, false,                                            \
      "passes over an optimizer's bytes when it is not fused")                                               \
    X(LAUNCH, "launch", "s", 1e-6, 2e-4, 1.2e-5, true, true, false,                                          \
      "host time of one kernel launch where the run does not say")                                           \
    X(LAUNCH_BACK, "launch_back", "1", 0.1, 1.5, 0.5, true, true, false,                                     \
      "backward launches relative to forward ones")                                                          \
    X(GAP, "gap", "1", 0, 0.4, 0, true, true, true,                                                          \
      "idle time of a training loop as a share of the uncapped step")                                        \
    X(LINK, "link", "1", 0.1, 1, 0.62, false, true, false,                                                   \
      "share of direct links' bandwidth reached by ring all-reduce")                                         \
    X(PCIE, "pcie", "1", 0.1, 1, 0.518, true, true, false,                                                   \
      "share of PCIe bandwidth reached by ring all-reduce")                                                  \
    X(NETWORK, "network", "1", 0.1, 1, 0.7, true, true, false,                                               \
      "share of the network's bandwidth reached by ring all-reduce")                                         \
    X(COLLECTIVE, "collective", "s", 0, 2e-4, 3e-05, false, true, false, "start of one all-reduce")          \
    X(HOP, "hop", "s", 0, 2e-4, 3e-06, false, true, false, "latency of one step of the ring")                \
    X(HIDDEN, "hidden", "1", 0, 1, 0.806, true, true, false,                                                 \
      "share of the backward pass that communication can hide behind")                                       \
    X(SYNC, "sync", "1", 0, 0.3, 0.0161, true, true, false,                                                  \
      "stretch of a data-parallel step by waiting for the slowest GPU")                                      \
    X(V_KNEE, "v_knee", "1", 0.5, 0.95, 0.797, true, true, true,                                             \
      "clock over boost clock at which voltage starts to rise")                                              \
    X(V_SLOPE, "v_slope", "1", 0.3, 3, 2.05, true, true, true,                                               \
      "rise of voltage over its floor per clock over boost clock")                                           \
    X(K_BUSY, "k_busy", "nJ per SM-cycle", 0.2, 1.5, 0.456, true, true, true,                                \
      "a SM that has work, whatever it does")                                                                \
    X(K_FP32, "k_fp32", "nJ per 128 FLOP", 0, 1.5, 0.649, true, true, true, "FP32 on general cores")         \
    X(K_TF32, "k_tf32", "nJ per SM-cycle", 0, 2.5, 1.19, true, true, true, "TF32 matrix unit at full rate")  \
    X(K_16, "k_16", "nJ per SM-cycle", 0, 2.5, 1.08, true, true, true,                                       \
      "16-bit and narrower matrix unit at full rate")                                                        \
    X(E_ON, "e_on", "pJ per B", 0, 100, 31.9, true, true, true,                                              \
      "crossbar and L2 per byte of device memory traffic")                                                   \
    X(E_HBM, "e_hbm", "pJ per B", 10, 120, 52.2, true, true, true, "HBM and its interface")                  \
    X(E_GDDR, "e_gddr", "pJ per B", 10, 150, 30.8, true, true, true, "GDDR and its interface")               \
    X(C_BOARD, "c_board", "1", 0, 0.6, 0.138, true, true, true,                                              \
      "draw of an active board without HBM, beside idle: share of its TDP")                                  \
    X(C_MEMORY, "c_memory", "W per GB", 0, 3, 0.62, false, true, true, "the same: GDDR chips, by capacity")  \
    X(C_CLOCK, "c_clock", "W per 1e9 transistors and GHz", 0, 0.6, 0.124, true, true, true, "clock tree")    \
    X(G, "g", "1", 0.4, 2, 1, true, true, true, "power scale of this die, GA100 is 1")                       \
    X(CONTROL, "control", "s", 0.001, 1, 0.023, true, true, true, "time constant of the power limiter")      \
    X(FLOOR_CLOCK, "floor_clock", "1", 0.1, 0.6, 0.175, false, true, true,                                   \
      "lowest clock over boost clock under a power limit")                                                   \
    X(LIMIT_SHARE, "limit_share", "1", 0.8, 1.05, 1, true, true, true,                                       \
      "share of the power limit that the limiter lets through")

enum {
#define OPERATOR_PARAMETER_ENUM(id, name, unit, lower, upper, initial, free, time, power, meaning) OP_##id,
    OPERATOR_PARAMETER_LIST(OPERATOR_PARAMETER_ENUM)
#undef OPERATOR_PARAMETER_ENUM
        OP_PARAMETER_COUNT
};
_Static_assert((int)OP_PARAMETER_COUNT <= ADEPT_THETA_MAX, "adept_theta has room for all parameters");

extern const adept_parameter adept_operator_parameters[OP_PARAMETER_COUNT];

#endif
