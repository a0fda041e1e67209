/* What the parameters of the operator variant were fitted on: kernels and GPU families with measurements. */
#ifndef ADEPT_OPERATOR_RANGE_H
#define ADEPT_OPERATOR_RANGE_H

#include "adept/prediction.h"

/*
 * Notes what no measurement supports on this GPU, and withholds power where nothing does. The provenance of
 * theta must be that of the values, so fits, whose values are under way, do not call this.
 */
void operator_range_judge(adept_prediction *out, const adept_workload *workload,
                          const adept_hardware_spec *spec, const adept_theta *theta);

#endif
