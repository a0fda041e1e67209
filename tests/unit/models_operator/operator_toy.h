/* A GPU of round numbers and parameters that leave the equations of the operator variant plain. */
#ifndef ADEPT_OPERATOR_TOY_H
#define ADEPT_OPERATOR_TOY_H

#include "test_support.h"

#include "adept/prediction.h"
#include "operator_parameters.h"

/* 100 SMs at 1 GHz, 10 TFLOP/s FP32, 100 BF16, 1 TB/s HBM, 300 W, 20 W idle, NVSwitch at 100 GB/s. */
static inline adept_hardware_spec toy_spec(void) {
    adept_hardware_spec spec;
    memset(&spec, 0, sizeof spec);
    for (int i = 0; i < ADEPT_PEAK_COUNT; i++)
        spec.peak_flop_per_s[i] = NAN;
    spec.memory_type = ADEPT_MEMORY_TYPE_HBM2;
    spec.link_topology = ADEPT_LINK_NVSWITCH;
    spec.transistors = 50e9;
    spec.sm_count = 100;
    spec.boost_clock_Hz = 1e9;
    spec.memory_bandwidth_B_per_s = 1e12;
    spec.memory_B = 16e9;
    spec.l2_B = 10e6;
    spec.tdp_W = spec.max_power_limit_W = 300;
    spec.min_power_limit_W = 50;
    spec.idle_power_W = 20;
    spec.peak_flop_per_s[ADEPT_PEAK_FP32] = 10e12;
    spec.peak_flop_per_s[ADEPT_PEAK_BF16_TENSOR] = 100e12;
    spec.link_B_per_s = 100e9;
    spec.pcie_B_per_s = 10e9;
    spec.gpus_per_node = 8;
    spec.internode_B_per_s = spec.host_launch_s = NAN;
    return spec;
}

static inline adept_theta initial_theta(void) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_theta theta;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_OPERATOR, NULL, &err), err);
    return theta;
}

/* Limits add up (exponent 1), every efficiency is 1, nothing costs time but arithmetic and bytes. */
static inline adept_theta plain_theta(void) {
    static const struct {
        int parameter;
        double value;
    } plain[] = {
        {OP_E_CORE,       1  },
        {OP_E_TENSOR,     1  },
        {OP_H0,           0  },
        {OP_OVERLAP,      1  },
        {OP_WAVE,         1  },
        {OP_SINGLE_TILE,  1  },
        {OP_LATENCY,      0  },
        {OP_LATENCY_CONV, 0  },
        {OP_KERNEL,       0  },
        {OP_BW_HBM,       1  },
        {OP_FILL,         0  },
        {OP_ELEMENT_RATE, 1e9},
        {OP_COPY_RATE,    1e9},
        {OP_NORM_RATE,    1e9},
        {OP_GAP,          0  },
        {OP_SYNC,         0  },
    };
    adept_theta theta = initial_theta();
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        theta.value[plain[i].parameter] = plain[i].value;
    return theta;
}

static inline adept_kernel elementwise_kernel(adept_pass pass, double bytes) {
    return (adept_kernel){.pass = pass,
                          .kind = ADEPT_KERNEL_ELEMENTWISE,
                          .math = ADEPT_MATH_FP32,
                          .read_B = bytes / 2,
                          .write_B = bytes / 2,
                          .launches = 1,
                          .elements = bytes / 8,
                          .element_B = 4,
                          .steps = 1};
}

static inline adept_kernel gemm_kernel(adept_pass pass, adept_math math, int64_t m, int64_t n, int64_t k) {
    double element_B = math == ADEPT_MATH_FP32 ? 4 : 2;
    adept_kernel kernel = elementwise_kernel(pass, 0);
    kernel.kind = ADEPT_KERNEL_GEMM;
    kernel.math = math;
    kernel.gemm.batch = 1;
    kernel.gemm.m = m;
    kernel.gemm.n = n;
    kernel.gemm.k = k;
    kernel.gemm_flop = 2.0 * (double)m * (double)n * (double)k;
    kernel.read_B = element_B * (double)(m * k + k * n);
    kernel.write_B = element_B * (double)(m * n);
    kernel.elements = (double)(m * n);
    kernel.element_B = element_B;
    return kernel;
}

#endif
