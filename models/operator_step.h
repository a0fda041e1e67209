/*
 * The step of the operator variant (docs/model.md): limits of the distinct kernels, the clock that the power
 * limit leaves them, the queue between host and GPU, gradient exchange, energy. Allocates nothing.
 */
#ifndef ADEPT_OPERATOR_STEP_H
#define ADEPT_OPERATOR_STEP_H

#include "adept/prediction.h"

/* As adept_predict_with, for the variant `operator`. */
adept_status adept_operator_predict(adept_prediction *out, adept_kernel_cost *kernels,
                                    const adept_workload *workload, const adept_hardware_spec *spec,
                                    const adept_theta *theta, const adept_run *run, adept_error *err);

#endif
