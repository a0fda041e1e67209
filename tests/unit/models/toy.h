/* A workload and a GPU of round numbers, and theta_H that leaves every equation plain, to be varied by tests.
 */
#ifndef ADEPT_TOY_H
#define ADEPT_TOY_H

#include "test_support.h"

#include "adept/prediction.h"
#include "thesis_parameters.h"

/* 10 TFLOP/s FP32, 40 TF32, 80 BF16; 1 TB/s; 10 MB of L2; 200 W; 8 GPUs to a node, 100 GB/s links. */
static inline adept_hardware_spec toy_spec(void) {
    adept_hardware_spec spec;
    memset(&spec, 0, sizeof spec);
    double *numbers = &spec.process_node_nm;
    for (size_t i = 0; i < (sizeof spec - offsetof(adept_hardware_spec, process_node_nm)) / sizeof(double);
         i++)
        numbers[i] = NAN;
    spec.link_topology = ADEPT_LINK_NVSWITCH;
    spec.sm_count = 100;
    spec.boost_clock_Hz = 1e9;
    spec.memory_bandwidth_B_per_s = 1e12;
    spec.memory_B = 16e9;
    spec.l2_B = 10e6;
    spec.tdp_W = 200;
    spec.min_power_limit_W = 50;
    spec.max_power_limit_W = 250;
    spec.idle_power_W = 20;
    spec.peak_flop_per_s[ADEPT_PEAK_FP32] = 10e12;
    spec.peak_flop_per_s[ADEPT_PEAK_TF32] = 40e12;
    spec.peak_flop_per_s[ADEPT_PEAK_BF16_TENSOR] = 80e12;
    spec.link_B_per_s = 100e9;
    spec.pcie_B_per_s = 10e9;
    spec.gpus_per_node = 8;
    return spec;
}

/* Forward 1e12 GEMM, 2e12 conv, 1e11 ALU FLOP, 40 GB; backward twice that; AdamW of 1e8 parameters. */
static inline adept_workload toy_workload(void) {
    adept_workload w;
    memset(&w, 0, sizeof w);
    w.mode = ADEPT_MODE_TRAIN;
    w.precision = ADEPT_PRECISION_FP32;
    w.optimizer = ADEPT_OPTIMIZER_ADAMW;
    w.gpus = 1;
    w.grad_accum = 1;
    w.samples = 32;
    w.forward = (adept_work){1e12, 2e12, 1e11, 30e9, 10e9, 100};
    w.backward = (adept_work){2e12, 4e12, 2e11, 60e9, 20e9, 200};
    w.optimizer_work = (adept_work){0, 0, 18e8, 1.6e9, 1.2e9, 10};
    w.structure.gemm.m = 512;
    w.structure.gemm.n = 1024;
    w.structure.gemm.k = 2048;
    w.structure.conv.c_in = 64;
    w.structure.conv.c_out = 128;
    w.structure.conv.pixels = 3136;
    w.structure.conv.kernel = 9;
    w.structure.elements = 1e6;
    w.structure.working_set_B = 4e6;
    w.memory.peak_B = 4e9;
    w.reduced_gradients_B = 4e8;
    w.weight_sharing = 1;
    return w;
}

/* All efficiencies 1 and all factors 1; R so small that every dimension is saturated; no constant times. */
static inline adept_theta plain_theta(void) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_theta theta;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
    for (size_t i = 0; i < theta.count; i++)
        theta.value[i] = 1;
    for (int r = ADEPT_THESIS_R_GEMM_M; r <= ADEPT_THESIS_R_ELEM; r++)
        theta.value[r] = 1e-6;
    theta.value[ADEPT_THESIS_T_KERN] = 0;
    theta.value[ADEPT_THESIS_T_FIXED] = 0;
    theta.value[ADEPT_THESIS_L_HOP] = 0;
    theta.value[ADEPT_THESIS_P_STATIC] = 0.2;
    return theta;
}

#endif
