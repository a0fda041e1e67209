/* A planned grid: its axes, what each thread works on. */
#ifndef ADEPT_SWEEP_OBJECT_H
#define ADEPT_SWEEP_OBJECT_H

#include "adept/whatif.h"
#include "arena.h"
#include "whatif_keys.h"
#include "worker_pool.h"

typedef struct sweep_axis {
    whatif_key key;
    size_t count;
    double *values;
    const char **texts; /* of the values */
    bool whole_list;    /* given one by one, or choices: no values in between */
    bool slow;          /* its values need profiles of their own */
} sweep_axis;

/* Points of one group differ in their power limit alone. */
typedef uint64_t sweep_group;
#define SWEEP_ALONE UINT64_MAX

/* What one thread changes from point to point. */
typedef struct sweep_scratch {
    adept_hardware *hardware;
    adept_theta theta[ADEPT_VARIANT_COUNT];
    adept_prepared *prepared; /* NULL: no axis of power limits */
    sweep_group group;        /* for which hardware, theta and prepared are ready; SWEEP_ALONE: for none */
} sweep_scratch;

struct adept_sweep {
    adept_arena *arena;
    adept_whatif job;
    size_t axis_count;
    sweep_axis axes[ADEPT_AXES_MAX];
    uint64_t profiles, fast_points; /* points = profiles * fast_points */
    uint64_t limits;                /* power limits, the fastest axis; 1 without one */
    whatif_ranges ranges[ADEPT_VARIANT_COUNT];
    double base_octaves[ADEPT_VARIANT_COUNT]; /* of the figures that no axis changes */
    size_t peak_fields[ADEPT_PEAK_COUNT];     /* their rows in the table of fields */
    bool rates_follow;                        /* an axis carries the peaks with it */
    adept_worker_pool *pool;
    sweep_scratch *scratch; /* one per thread */
};

/* The run of a point: text options through slow axes. */
adept_status sweep_run_of(const adept_sweep *sweep, const double *values, adept_run *run, adept_error *err);

/*
 * One point on a profile. values by axis. Fills all of row but point and at. A group's profile must live
 * until the thread's next group, or sweep_forget.
 */
void sweep_predict(const adept_sweep *sweep, size_t thread, sweep_group group, const adept_profile *profile,
                   const adept_run *run, const double *values, adept_sweep_row *row);

/* Lets go of what the threads keep of their last group. */
void sweep_forget(const adept_sweep *sweep);

#endif
