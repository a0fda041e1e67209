#include "loss_kernels.h"

#include <math.h>

#include "loss.h"
#include "vector_clones.h"

ADEPT_VECTOR_CLONES
void adept_add_relative_errors(double *restrict sum, const double *restrict predicted, double inverse,
                               double share, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double error = fabs(predicted[i] * inverse - 1);
        sum[i] += share * (error < ADEPT_LOSS_ERROR_MAX ? error : ADEPT_LOSS_ERROR_MAX);
    }
}

void adept_add_log_errors(double *restrict sum, const double *restrict predicted, double inverse,
                          double share, double d, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double ratio = predicted[i] * inverse;
        double l = ratio > 0 ? fabs(log(ratio)) : HUGE_VAL;
        double error = l <= d ? l * l / (2 * d) : l - d / 2;
        sum[i] += share * (error < ADEPT_LOSS_ERROR_MAX ? error : ADEPT_LOSS_ERROR_MAX);
    }
}
