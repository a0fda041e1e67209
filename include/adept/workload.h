/*
 * Workload: what a run computes, moves and stores, in numbers only. It is all that the time and power
 * models see of a network: no graph, no operator names, no hardware.
 *
 * Symbols of design.md section 2. One multiply-add is 2 FLOP. Bytes are device memory traffic.
 * Totals are those of one micro-batch on one GPU; the optimizer's of one step.
 */
#ifndef ADEPT_WORKLOAD_H
#define ADEPT_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adept/run.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum adept_pass {
    ADEPT_PASS_FORWARD,
    ADEPT_PASS_BACKWARD,
    ADEPT_PASS_OPTIMIZER,
    ADEPT_PASS_COUNT
} adept_pass;

/* What kind of kernel runs; decides which limits of the hardware apply. enum name, JSON name */
#define ADEPT_KERNEL_KIND_LIST(X)                                                                            \
    X(GEMM, "gemm")               /* matrix product, gemm dims filled */                                     \
    X(CONV, "conv")               /* convolution forward, conv dims filled */                                \
    X(CONV_DATA, "conv_data")     /* its data gradient */                                                    \
    X(CONV_WEIGHT, "conv_weight") /* its weight gradient */                                                  \
    X(ATTENTION, "attention")     /* fused (flash) attention, gemm dims of one product filled */             \
    X(RECURRENT, "recurrent")     /* fused recurrent layer, gemm dims of one time step filled */             \
    X(ELEMENTWISE, "elementwise") /* one pass over elements */                                               \
    X(NORM, "norm")               /* layer, RMS normalisation: statistics of a row */                        \
    X(BATCH_NORM, "batch_norm")   /* batch, group, instance: statistics of a channel */                      \
    X(SOFTMAX, "softmax")                                                                                    \
    X(REDUCE, "reduce") /* sums, means, maxima, bias gradients */                                            \
    X(POOL, "pool")                                                                                          \
    X(COPY, "copy")       /* transpose, concat, pad, expand: data moved, nothing computed */                 \
    X(GATHER, "gather")   /* indexed reads: embedding, gather */                                             \
    X(SCATTER, "scatter") /* indexed writes: embedding gradient, scatter */                                  \
    X(CAST, "cast")       /* change of type */                                                               \
    X(RANDOM, "random")   /* random numbers, dropout */                                                      \
    X(SORT, "sort")       /* top-k, sort, unique */                                                          \
    X(FFT, "fft")                                                                                            \
    X(OPTIMIZER, "optimizer")                                                                                \
    X(OTHER, "other")

typedef enum adept_kernel_kind {
#define ADEPT_KERNEL_ENUM(code, name) ADEPT_KERNEL_##code,
    ADEPT_KERNEL_KIND_LIST(ADEPT_KERNEL_ENUM)
#undef ADEPT_KERNEL_ENUM
        ADEPT_KERNEL_KIND_COUNT
} adept_kernel_kind;

/* Arithmetic of a kernel; which unit of a GPU runs it is the hardware's matter. enum name, JSON name */
#define ADEPT_MATH_LIST(X)                                                                                   \
    X(FP32, "fp32")                                                                                          \
    X(TF32, "tf32")                                                                                          \
    X(FP16, "fp16") X(BF16, "bf16") X(FP64, "fp64") X(FP8, "fp8") X(INT8, "int8") X(INT4, "int4")            \
        X(FP4, "fp4")

typedef enum adept_math {
#define ADEPT_MATH_ENUM(code, name) ADEPT_MATH_##code,
    ADEPT_MATH_LIST(ADEPT_MATH_ENUM)
#undef ADEPT_MATH_ENUM
        ADEPT_MATH_COUNT
} adept_math;

/* Work of one pass of one operator, or a total. */
typedef struct adept_work {
    double gemm_flop, conv_flop; /* on matrix units: GEMM-shaped, convolution-shaped */
    double alu_flop;             /* on general cores; estimates, see docs/operators.md */
    double read_B, write_B;      /* device memory */
    double kernels;              /* launched by the framework */
} adept_work;

/*
 * One kernel (or `launches` kernels that share the figures: work fields are the sum over all of them).
 *
 * GEMM         gemm = {batch, m, n, k}: out [m,n] += a [m,k] b [k,n], `batch` times
 * CONV*        conv dims of the forward convolution in all three kinds
 * ATTENTION    gemm = {batch*heads, query length, key length, head size}
 * RECURRENT    gemm = {directions, batch, gates*hidden, hidden}, steps time steps one after another
 */
typedef struct adept_kernel {
    adept_pass pass;
    adept_kernel_kind kind;
    adept_math math;
    double gemm_flop, conv_flop, alu_flop, read_B, write_B;
    double launches;  /* kernels launched; at least 1 */
    double elements;  /* of the main output */
    double element_B; /* storage bytes per element of the main operand */
    double steps;     /* RECURRENT: sequential time steps; else 1 */
    struct {
        int64_t batch, m, n, k;
    } gemm;
    struct {
        int64_t images, c_in, c_out, groups;
        int64_t pixels_in, pixels_out; /* spatial elements of one image and channel */
        int64_t kernel;                /* product of the kernel's extents */
        int64_t stride;                /* product of the strides */
        int32_t spatial_rank;          /* 1, 2, 3 */
        bool winograd;                 /* 3x3, stride 1, dilation 1, groups 1 */
        bool nhwc;                     /* channels-last storage; also of batch normalisation */
    } conv;
} adept_kernel;

/* FLOP-weighted means over forward operators (eq 4.6); 0 where the class has no work. */
typedef struct adept_structure {
    struct {
        double batch, m, n, k;
    } gemm;
    struct {
        double c_in, c_out, pixels, kernel;
    } conv;
    double elements;      /* total elements processed by the other operators */
    double working_set_B; /* largest working set of a forward operator */
} adept_structure;

/* Device memory of one GPU, bytes. */
typedef struct adept_memory {
    double parameters_B, gradients_B, optimizer_B, saved_activations_B, workspace_B, peak_B;
} adept_memory;

/* A stretch of the step: kernel `kernel` launched `count` times by operator `op`. */
typedef struct adept_launch {
    uint32_t kernel; /* index into kernels */
    uint32_t op;     /* index of the operator in the profile; UINT32_MAX: the optimizer */
    double count;    /* repetitions (trip count of a loop around it) */
} adept_launch;

typedef struct adept_workload {
    adept_mode mode;
    adept_precision precision;
    adept_optimizer optimizer;
    adept_optimizer_impl optimizer_impl;
    int32_t gpus, grad_accum;
    double samples; /* of one GPU and micro-batch */
    adept_work forward, backward, optimizer_work;
    adept_structure structure;
    adept_memory memory;
    double parameters, trainable_parameters; /* elements */
    double parameter_tensors;                /* trainable tensors */
    double reduced_gradients_B;              /* what data parallelism reduces per step */
    double weight_sharing;                   /* uses of parameter tensors / distinct tensors */
    double host_launch_s;                    /* CPU time of one launch; 0: unknown */
    double fused_elementwise;                /* factor on elementwise bytes by a fusing framework; 1: none */

    const adept_kernel *kernels; /* distinct kernels: identical ones are stored once */
    size_t kernel_count;
    const adept_launch *launches; /* in order of execution: forward, backward, optimizer */
    size_t launch_count;
} adept_workload;

const char *adept_kernel_kind_name(adept_kernel_kind kind); /* never NULL */
const char *adept_math_name(adept_math math);               /* never NULL */

#ifdef __cplusplus
}
#endif
#endif
