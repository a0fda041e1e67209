/*
 * Time and power of one kernel as functions of the clock (operator variant; docs/model.md).
 *
 * phi is SM clock over boost clock. A kernel's limits are computed once at phi = 1; those that follow
 * the clock are divided by phi.
 */
#ifndef ADEPT_OPERATOR_KERNEL_H
#define ADEPT_OPERATOR_KERNEL_H

#include "adept/prediction.h"

/* Figures of one GPU under one parameter set that all kernels share. */
typedef struct operator_gpu {
    const adept_hardware_spec *spec;
    const double *theta;
    double sm, clock_Hz;      /* boost */
    double bandwidth_B_per_s; /* achieved */
    double memory_J_per_B;    /* chips and interface */
    double sm_rate;           /* limits per SM, relative to a Volta or later one */
    double base_static_W;     /* idle and active board */
    double optimizer_passes;  /* over an optimizer's bytes: 1 where one kernel does it all */
    double base_clock_W;      /* clock tree at boost and floor voltage */
} operator_gpu;

operator_gpu operator_gpu_make(const adept_hardware_spec *spec, const double *theta);

/* Voltage over its floor value: v = 1 + s softplus((phi - knee) 25) / 25 (power study). */
double operator_voltage(const operator_gpu *gpu, double phi);

/* Power of the board while nothing runs but clocks are up. W */
double operator_base_W(const operator_gpu *gpu, double phi, double voltage);

/* What depends on the clock alone. */
typedef struct operator_clock {
    double phi;
    double stretch; /* phi^-overlap: of what follows the clock */
    /* of memory time, to the power overlap: at low clocks the SMs do not ask for enough, (1 +
     * (fill/phi)^4)^(1/4) */
    double memory_stretch;
    double voltage2; /* square of the voltage over its floor */
    double base_W;   /* operator_base_W */
    double busy_W;   /* all SMs busy, beside base_W */
    double on_chip_J_per_B;
} operator_clock;

operator_clock operator_clock_at(const operator_gpu *gpu, double phi);

typedef struct operator_limits {
    double compute_s, feed_s, sm_s; /* follow the clock */
    double memory_s;                /* does not */
    double latency_s;               /* follows the clock, added */
    double start_s;                 /* added */
    double ideal_s;                 /* arithmetic at datasheet peak */
    double quantised_s;             /* compute_s without partial tiles and waves would be compute_s - this */
    double occupancy;               /* share of the SMs that have work */
    double unit_J;                  /* arithmetic at floor voltage */
    double bytes;

    /* made from the above: time = largest_s (clocked stretch + steady)^(1/overlap) + .. */
    double largest_s, clocked, steady;
    double roofline_s; /* bytes at datasheet bandwidth; never faster than this or ideal_s / phi */
} operator_limits;

/* Limits of one kernel (all its launches) at boost clock. fused: factor on elementwise bytes, 1: none. */
operator_limits operator_kernel_limits(const operator_gpu *gpu, const adept_kernel *kernel, double fused);

/* Seconds at a clock. */
double operator_kernel_time(const operator_gpu *gpu, const operator_limits *limits,
                            const operator_clock *clock);

/* Joules at a clock, for the time that it takes there. */
double operator_kernel_energy(const operator_gpu *gpu, const operator_limits *limits,
                              const operator_clock *clock, double time_s);

/* What binds it at boost clock: compute or memory. */
adept_bound operator_kernel_bound(const operator_limits *limits);

#endif
