/*
 * Policy of an eager framework (PyTorch): device memory traffic and kernels of the backward pass, as data.
 *
 * elements: bytes read and written by the backward kernels, in units of elements times element size, where
 * an element is one of the larger side (the output of elementwise operators, the input of reductions).
 */
#ifndef ADEPT_COUNT_TRAFFIC_H
#define ADEPT_COUNT_TRAFFIC_H

/* code, elements, kernels, source */
#define ADEPT_TRAFFIC_LIST(X)                                                                                \
    X(NONE, 0, 0, "the gradient is the same storage, or there is none")                                      \
    X(SCALED, 2, 1, "model-time: scaling by a constant costs backward what it costs forward")                \
    X(ACTIVATION, 3, 1, "model-time: read gradient and saved tensor, write gradient")                        \
    X(CHAIN2, 5, 2, "derivatives.yaml: one unary kernel of the saved tensor, then a product")                \
    X(CHAIN3, 7, 3, "derivatives.yaml: two unary kernels, then a product")                                   \
    X(CHAIN5, 11, 5, "derivatives.yaml: four unary kernels, then a product")                                 \
    X(DIVISOR, 11, 4, "derivatives.yaml: -grad * ((a / b) / b)")                                             \
    X(EXTREMUM, 9.8, 5, "model-time: max measured at 4.9 times its forward pass")                            \
    X(MASKED, 2, 1, "where(condition, grad, 0); the condition is counted apart")                             \
    X(SOFTMAX, 5.2, 1, "model-time: measured backward/forward 2.6")                                          \
    X(DROPOUT, 5.6, 1, "model-time: measured backward/forward 2.5, the mask included")                       \
    X(BATCH_NORM, 5, 1, "model-time: statistics pass and gradient pass over x and dy, write dx")             \
    X(LAYER_NORM, 5, 2, "model-time: dx kernel, then gamma and beta gradients")                              \
    X(GROUP_NORM, 5, 5, "group_norm_kernel.cu: two sums over x and dy, dx; parameters of both between them") \
    X(RMS_NORM, 21, 9, "derivatives.yaml, part by part of pow, mean, add, rsqrt, mul, mul")                  \
    X(MEAN, 1, 1, "the gradient is expanded and divided: one write")                                         \
    X(REDUCE_EXTREMUM, 8, 4, "derivatives.yaml: compare, count, divide, product")                            \
    X(LOG_SUM_EXP, 7, 3, "derivatives.yaml: grad * exp(x - result)")                                         \
    X(REDUCE_SQUARE, 5, 2, "derivatives.yaml: 2 x grad")                                                     \
    X(SCAN, 6, 3, "derivatives.yaml: flip, cumulative sum, flip")

typedef enum adept_traffic_code {
#define ADEPT_TRAFFIC_ENUM(code, elements, kernels, source) ADEPT_TRAFFIC_##code,
    ADEPT_TRAFFIC_LIST(ADEPT_TRAFFIC_ENUM)
#undef ADEPT_TRAFFIC_ENUM
        ADEPT_TRAFFIC_COUNT
} adept_traffic_code;

typedef struct adept_traffic {
    const char *name;
    double elements, kernels;
    const char *source;
} adept_traffic;

const adept_traffic *adept_traffic_of(adept_traffic_code code);

#endif
