/* Inner loops of the loss, over candidates side by side. */
#ifndef ADEPT_LOSS_KERNELS_H
#define ADEPT_LOSS_KERNELS_H

#include <stddef.h>

/* sum[i] += share * |predicted[i] * inverse - 1|, at most share * ADEPT_LOSS_ERROR_MAX, also for NaN. */
void adept_add_relative_errors(double *restrict sum, const double *restrict predicted, double inverse,
                               double share, size_t count);

/* sum[i] += share * e(ln(predicted[i] * inverse)) with the threshold d, see loss.h. */
void adept_add_log_errors(double *restrict sum, const double *restrict predicted, double inverse,
                          double share, double d, size_t count);

#endif
