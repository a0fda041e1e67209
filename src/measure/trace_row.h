/* What a measurement says about one step. */
#ifndef ADEPT_TRACE_ROW_H
#define ADEPT_TRACE_ROW_H

#include "adept/measure.h"

typedef struct trace_values {
    double step_time_s;
    size_t gpus;                      /* GPUs counted: those the command used, or all where unknown */
    double gpu_power_W, gpu_energy_J; /* mean power of one of them; energy of all */
    const adept_measured_device *gpu; /* the first of them; NULL: none */
    bool trusted;
} trace_values;

void trace_values_fill(trace_values *values, const adept_measure_summary *s, const adept_measured_run *run);
#endif
