/* Gradient exchange of the operator variant: buckets, overlapped with the backward pass (docs/model.md). */
#ifndef ADEPT_OPERATOR_COMMUNICATION_H
#define ADEPT_OPERATOR_COMMUNICATION_H

#include "adept/prediction.h"

/* Seconds of one ring all-reduce of size_B over this many GPUs: at run's measured rate, or at the links'. */
double operator_allreduce_s(const adept_hardware_spec *spec, const double *theta, const adept_run *run,
                            int32_t gpus, double size_B);

/*
 * Seconds by which the exchange outlasts the last backward pass of backward_s seconds. Buckets fill evenly
 * along it and are reduced one after another while it runs.
 */
double operator_exposed_s(const adept_hardware_spec *spec, const double *theta, const adept_run *run,
                          int32_t gpus, double gradients_B, double backward_s);

#endif
