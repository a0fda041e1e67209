#include "saturation.h"

#include <math.h>

#include "vector_clones.h"
#include "vector_math.h"

#define PI 3.14159265358979323846

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double arctan(double x) {
    return 2 / PI * atan(PI / 2 * x);
}

static double softsign(double x) {
    return x / (1 + x);
}

static double algebraic(double x) {
    return x / sqrt(1 + x * x);
}

static double (*const functions[ADEPT_SATURATION_COUNT])(double x) = {
    [ADEPT_SATURATION_SIGMOID] = sigmoid,   [ADEPT_SATURATION_ARCTAN] = arctan,
    [ADEPT_SATURATION_SOFTSIGN] = softsign, [ADEPT_SATURATION_ALGEBRAIC] = algebraic,
    [ADEPT_SATURATION_TANH] = tanh,
};

/* Where S_sat starts at 0, x = 0 (no work in this dimension) would make the time endless. */
#define SMALLEST 1e-9

double adept_saturate(adept_saturation function, double x) {
    bool floor = function != ADEPT_SATURATION_SIGMOID && x < SMALLEST;
    return functions[function](floor ? SMALLEST : x);
}

ADEPT_VECTOR_CLONES
static void sigmoid_inverse(double *inverse, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        inverse[i] = 1 + adept_vector_exp(-x[i]);
}

ADEPT_VECTOR_CLONES
static void arctan_inverse(double *inverse, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        inverse[i] = PI / 2 / adept_vector_atan(PI / 2 * x[i]);
}

ADEPT_VECTOR_CLONES
static void softsign_inverse(double *inverse, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        inverse[i] = (1 + x[i]) / x[i];
}

ADEPT_VECTOR_CLONES
static void algebraic_inverse(double *inverse, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        inverse[i] = sqrt(1 + x[i] * x[i]) / x[i];
}

ADEPT_VECTOR_CLONES
static void tanh_inverse(double *inverse, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double grown = -adept_vector_expm1(-2 * x[i]); /* 1 - e^-2x without cancellation */
        inverse[i] = (2 - grown) / grown;
    }
}

static void (*const inverses[ADEPT_SATURATION_COUNT])(double *inverse, const double *x, size_t count) = {
    [ADEPT_SATURATION_SIGMOID] = sigmoid_inverse,   [ADEPT_SATURATION_ARCTAN] = arctan_inverse,
    [ADEPT_SATURATION_SOFTSIGN] = softsign_inverse, [ADEPT_SATURATION_ALGEBRAIC] = algebraic_inverse,
    [ADEPT_SATURATION_TANH] = tanh_inverse,
};

void adept_saturate_inverse_many(adept_saturation function, double *inverse, const double *x, size_t count) {
    if (function == ADEPT_SATURATION_SIGMOID) {
        sigmoid_inverse(inverse, x, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        inverse[i] = x[i] > SMALLEST ? x[i] : SMALLEST;
    inverses[function](inverse, inverse, count);
}
