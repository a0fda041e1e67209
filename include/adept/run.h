/*
 * Run configuration: what is done with a network (batch, precision, optimizer, ...), the same for
 * every command. Defaults: design.md section 12 (ADEPT_RUN_INIT). Plain values; strings are borrowed.
 */
#ifndef ADEPT_RUN_H
#define ADEPT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adept/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every choice: enum name, option text. One list each, so that parser, help and JSON agree. */
#define ADEPT_MODE_LIST(X) X(MODE_TRAIN, "train") X(MODE_INFERENCE, "inference")
#define ADEPT_PRECISION_LIST(X)                                                                              \
    X(PRECISION_FP32, "fp32")                                                                                \
    X(PRECISION_TF32, "tf32")                                                                                \
    X(PRECISION_FP16, "fp16")                                                                                \
    X(PRECISION_BF16, "bf16")                                                                                \
    X(PRECISION_FP16_AMP, "fp16-amp")                                                                        \
    X(PRECISION_BF16_AMP, "bf16-amp")                                                                        \
    X(PRECISION_INT8, "int8")
#define ADEPT_OPTIMIZER_LIST(X)                                                                              \
    X(OPTIMIZER_NONE, "none")                                                                                \
    X(OPTIMIZER_SGD, "sgd")                                                                                  \
    X(OPTIMIZER_SGD_MOMENTUM, "sgd-momentum")                                                                \
    X(OPTIMIZER_ADAM, "adam")                                                                                \
    X(OPTIMIZER_ADAMW, "adamw")
#define ADEPT_OPTIMIZER_IMPL_LIST(X)                                                                         \
    X(IMPL_FOREACH, "foreach") X(IMPL_FOR_LOOP, "for-loop") X(IMPL_FUSED, "fused")
#define ADEPT_ATTENTION_LIST(X) X(ATTENTION_EAGER, "eager") X(ATTENTION_FLASH, "flash")
#define ADEPT_FUSION_LIST(X) X(FUSION_EAGER, "eager") X(FUSION_COMPILED, "compiled")
#define ADEPT_LAYOUT_LIST(X) X(LAYOUT_NCHW, "nchw") X(LAYOUT_NHWC, "nhwc")
#define ADEPT_AMP_LEVEL_LIST(X) X(AMP_AUTOCAST, "autocast") X(AMP_O2, "o2")
#define ADEPT_VARIANT_LIST(X) X(VARIANT_OPERATOR, "operator") X(VARIANT_THESIS, "thesis")
#define ADEPT_BATCHNORM_LIST(X)                                                                              \
    X(BATCHNORM_AUTO, "auto") X(BATCHNORM_RESTORE, "restore") X(BATCHNORM_AS_IS, "as-is")

#define ADEPT_RUN_ENUM(code, text) ADEPT_##code,
typedef enum adept_mode { ADEPT_MODE_LIST(ADEPT_RUN_ENUM) ADEPT_MODE_COUNT } adept_mode;
typedef enum adept_precision { ADEPT_PRECISION_LIST(ADEPT_RUN_ENUM) ADEPT_PRECISION_COUNT } adept_precision;
typedef enum adept_optimizer { ADEPT_OPTIMIZER_LIST(ADEPT_RUN_ENUM) ADEPT_OPTIMIZER_COUNT } adept_optimizer;
typedef enum adept_optimizer_impl {
    ADEPT_OPTIMIZER_IMPL_LIST(ADEPT_RUN_ENUM) ADEPT_OPTIMIZER_IMPL_COUNT
} adept_optimizer_impl;
typedef enum adept_attention { ADEPT_ATTENTION_LIST(ADEPT_RUN_ENUM) ADEPT_ATTENTION_COUNT } adept_attention;
typedef enum adept_fusion { ADEPT_FUSION_LIST(ADEPT_RUN_ENUM) ADEPT_FUSION_COUNT } adept_fusion;
typedef enum adept_layout { ADEPT_LAYOUT_LIST(ADEPT_RUN_ENUM) ADEPT_LAYOUT_COUNT } adept_layout;
typedef enum adept_amp_level { ADEPT_AMP_LEVEL_LIST(ADEPT_RUN_ENUM) ADEPT_AMP_LEVEL_COUNT } adept_amp_level;
typedef enum adept_variant { ADEPT_VARIANT_LIST(ADEPT_RUN_ENUM) ADEPT_VARIANT_COUNT } adept_variant;
typedef enum adept_batchnorm { ADEPT_BATCHNORM_LIST(ADEPT_RUN_ENUM) ADEPT_BATCHNORM_COUNT } adept_batchnorm;
#undef ADEPT_RUN_ENUM

typedef struct adept_dim_binding {
    const char *name;
    int64_t value; /* at least 0 */
} adept_dim_binding;

/* How --dropout was given: as the graph shows it, a probability, or none. */
#define ADEPT_DROPOUT_AUTO (-1.0)

typedef struct adept_run {
    int64_t batch;                 /* samples per GPU and micro-batch; 0: not given */
    int64_t seq;                   /* sequence length; 0: not given */
    const adept_dim_binding *dims; /* --dim NAME=N, also for assumed data-dependent sizes */
    size_t dim_count;
    adept_mode mode;
    adept_precision precision;
    adept_optimizer optimizer;
    adept_optimizer_impl optimizer_impl;
    int32_t gpus;              /* data-parallel GPUs */
    int32_t grad_accum;        /* micro-batches of one optimizer step */
    const char *const *freeze; /* shell patterns of parameter names that get no gradient */
    size_t freeze_count;
    adept_attention attention;
    adept_fusion fusion;
    adept_layout layout;
    adept_amp_level amp_level;
    adept_variant variant;
    adept_batchnorm batchnorm;
    double dropout;            /* probability, 0: none, ADEPT_DROPOUT_AUTO */
    double power_limit_W;      /* 0: the board's default limit */
    double clock_limit_Hz;     /* 0: boost clock */
    double launch_s;           /* CPU time of a kernel launch on the host; 0: the framework's default */
    double idle_gap;           /* share of the uncapped step in which the training loop leaves the GPU idle;
                                  negative: the model's own */
    double collective_B_per_s; /* bus bandwidth of all-reduce measured on the machine (nccl-tests' busbw); 0:
                                  from the links */
    double overlap;            /* share of the backward pass that communication can hide behind; negative: the
                                  model's own */
    double loader_s;           /* time in which one worker loads a sample: the first batch of an epoch waits
                                  for it; 0: no wait */
    int64_t epoch_samples;     /* samples of an epoch; 0: not given */
    const char *framework;     /* policy of what is one kernel; NULL: "pytorch" */
} adept_run;

#define ADEPT_RUN_INIT                                                                                       \
    {                                                                                                        \
        .mode = ADEPT_MODE_TRAIN, .precision = ADEPT_PRECISION_FP32, .optimizer = ADEPT_OPTIMIZER_ADAMW,     \
        .optimizer_impl = ADEPT_IMPL_FOREACH, .gpus = 1, .grad_accum = 1, .variant = ADEPT_VARIANT_OPERATOR, \
        .dropout = ADEPT_DROPOUT_AUTO, .idle_gap = -1, .overlap = -1                                         \
    }

/*
 * Sets one option by its command-line name without the dashes ("batch", "precision", "dim", ...).
 * Strings are borrowed; "dim" and "freeze" are not handled here (the caller owns those lists).
 * Errors    ARGUMENT for an unknown name or a value out of range, with the values allowed
 */
adept_status adept_run_set(adept_run *run, const char *name, const char *value, adept_error *err);

typedef struct adept_run_option_info {
    const char *name;     /* without the dashes */
    const char *argument; /* what to write behind it */
    const char *help;
    bool list; /* repeatable, kept by the caller: "dim" and "freeze" */
} adept_run_option_info;

/* The run options one by one, for parsers and help texts. False behind the last one. */
bool adept_run_option(size_t index, adept_run_option_info *out);

/* Whether one option is the same in two runs (a list: the same list). False for an unknown name. */
bool adept_run_same(const adept_run *a, const adept_run *b, const char *name);

/* Checks what single options cannot (frozen parts in inference, optimizer in inference, ...). */
adept_status adept_run_check(const adept_run *run, adept_error *err);

const char *adept_mode_name(adept_mode value);
const char *adept_precision_name(adept_precision value);
const char *adept_optimizer_name(adept_optimizer value);
const char *adept_optimizer_impl_name(adept_optimizer_impl value);
const char *adept_attention_name(adept_attention value);
const char *adept_fusion_name(adept_fusion value);
const char *adept_layout_name(adept_layout value);
const char *adept_amp_level_name(adept_amp_level value);
const char *adept_variant_name(adept_variant value);
const char *adept_batchnorm_name(adept_batchnorm value);

#ifdef __cplusplus
}
#endif
#endif
