/*
 * A meter makes energy of one sensor's readings: differences of a counter with its wrap-around, or sampled
 * power by the trapezoid rule, and says what is doubtful about it. Times are seconds of a monotonic clock;
 * nothing here reads a clock or a sensor.
 */
#ifndef ADEPT_METER_H
#define ADEPT_METER_H

#include "sensor.h"

typedef struct meter_range {
    adept_range range;
    double sum;
} meter_range;

typedef struct meter {
    double begin_s; /* start of the measurement */

    /* counter */
    size_t counter_reads;
    double counter_first_s, counter_last_s, counter_last_J, counter_energy_J;
    double counter_change_s;      /* when it last showed another value */
    double integral_at_counter_J; /* the power integral at the last counter reading */
    double integral_at_change_J;  /* and at its last change */
    double longest_stall_s;       /* standing still although power was drawn */
    double longest_counter_gap_s;
    size_t wraps, resets;

    /* power sensor, or the counter's differences */
    size_t power_reads;
    double power_first_s, power_last_s, power_last_W, integral_J;
    double steady_s, steady_J;             /* after the ramp */
    double derived_from_s, derived_from_J; /* counter sensors: start of the present difference */
    meter_range power;

    size_t samples, failed;
    double last_good_s, longest_gap_s;
    bool lost;
    double lost_s;
    meter_range clock, memory_clock, temperature;
    double temperature_now_C;
    size_t throttle_counts[ADEPT_THROTTLE_COUNT], throttle_samples;

    bool seen_own, process_list_known; /* GPU: the command's processes, and whether there was a list at all */
    size_t most_others;
} meter;

void meter_begin(meter *m, double begin_s);
void meter_add(meter *m, const sensor *of, double t_s, sensor_result result, const sensor_reading *reading);
/* Energy so far by the better way. */
double meter_energy_J(const meter *m, const sensor *of);
double meter_power_W(const meter *m); /* last; 0: none */
/* Figures and notes, in the arena. False when memory is short. */
bool meter_report(const meter *m, const sensor *of, double end_s, adept_arena *arena,
                  adept_measured_device *out);

#endif
