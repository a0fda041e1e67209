/*
 * What-if: hardware that does not exist, sweeps over figures and run options, what matters, what is best.
 *
 * Keys are those of hardware files ("spec.tdp_W", "theta.operator.g") and names of run options ("batch",
 * "gpus", "precision", "power-limit", ...). Semantics, formulas, limits: docs/whatif.md. SI units.
 */
#ifndef ADEPT_WHATIF_H
#define ADEPT_WHATIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adept/error.h"
#include "adept/graph.h"
#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/profile.h"
#include "adept/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- hardware that does not exist ---- */

/*
 * Applies "KEY=VALUE", "KEY=*F" (times F) or "KEY=+P%" / "KEY=-P%" to hardware, all of them in one go: the
 * result does not depend on their order. spec.boost_clock_Hz and spec.sm_count carry the peaks of all units
 * with them (a rate is units times clock), except peaks that are given themselves; spec.tdp_W above
 * spec.max_power_limit_W lifts that limit (adept_whatif_consequence says so in words).
 * Errors    ARGUMENT: no such key, the same key twice, not an assignment; RANGE: outside the figure's
 *           bounds, or impossible (adept_whatif_check)
 */
adept_status adept_whatif_set(adept_hardware *hardware, const char *const *assignments, size_t count,
                              adept_error *err);

/* What else changes with a figure, in words for people; NULL: nothing. */
const char *adept_whatif_consequence(const char *key);

/*
 * Refuses figures that cannot belong to one GPU, with the reason: L2 not below memory, clocks beyond reason
 * or out of order, power limits out of order, more arithmetic per SM and cycle than any unit does.
 * Errors    RANGE
 */
adept_status adept_whatif_check(const adept_hardware_spec *spec, adept_error *err);

/* ---- a job on a GPU: what the functions below ask about ---- */

typedef struct adept_whatif {
    const adept_graph *graph;
    const adept_hardware *original; /* as its file has it */
    const adept_hardware *hardware; /* with the settings */
    const adept_run *run;
    size_t threads; /* 0: one per processor */
} adept_whatif;

/*
 * How far hardware lies outside what its parameters were fitted on, in octaves (factors of two) of the
 * figure that lies furthest out; *key names it (NULL: none). Operator variant: parameters are shared by all
 * GPUs, so the range of a figure is that of all known GPUs. Thesis variant: parameters belong to one GPU, so
 * every change counts.
 */
adept_status adept_whatif_extrapolation(double *octaves, const char **key, const adept_whatif *job,
                                        adept_error *err);

/* Widens the intervals of a prediction so far outside: their logarithms times 1 + octaves (an assumption). */
void adept_whatif_widen(adept_prediction *prediction, double octaves);

/* ---- sweeps ---- */

enum { ADEPT_AXES_MAX = 8, ADEPT_AXIS_POINTS_MAX = 4000000 };

typedef struct adept_sweep adept_sweep; /* opaque: owns memory; borrows the job's objects */

/*
 * Plans a grid. Each spec is "KEY=A:B:N[:log]" or "KEY=V1,V2,..": N values from A to B, both included, evenly
 * or (log) in equal ratios; *A, *B: times the present value. Whole numbers (batch, seq, gpus, grad-accum)
 * are rounded and each taken once. Axes that need a profile of their own (all run options but power-limit,
 * clock-limit, variant) vary slowest, power limits fastest, each group in the order given.
 * Errors    ARGUMENT: unknown or repeated key, malformed range; RANGE: an end of a range is impossible;
 *           LIMIT: more than ADEPT_AXES_MAX axes or ADEPT_AXIS_POINTS_MAX values on one
 */
adept_status adept_sweep_new(adept_sweep **out, const adept_whatif *job, const char *const *specs,
                             size_t count, adept_error *err);
void adept_sweep_free(adept_sweep *sweep); /* NULL is fine */

uint64_t adept_sweep_points(const adept_sweep *sweep);
uint64_t adept_sweep_profiles(const adept_sweep *sweep); /* distinct run configurations */
size_t adept_sweep_axis_count(const adept_sweep *sweep);
const char *adept_sweep_key(const adept_sweep *sweep, size_t axis);
const char *adept_sweep_unit(const adept_sweep *sweep, size_t axis); /* "" for a pure number or a choice */
size_t adept_sweep_axis_points(const adept_sweep *sweep, size_t axis);
bool adept_sweep_is_choice(const adept_sweep *sweep, size_t axis); /* names instead of numbers */
bool adept_sweep_is_continuous(const adept_sweep *sweep, size_t axis);
double adept_sweep_value(const adept_sweep *sweep, size_t axis, size_t index); /* of a choice: index */
/* The value as text that reads back the same; lives as long as the sweep. */
const char *adept_sweep_value_text(const adept_sweep *sweep, size_t axis, size_t index);

typedef struct adept_sweep_row {
    uint64_t point;
    uint32_t at[ADEPT_AXES_MAX]; /* index of the value on each axis */
    adept_status status;         /* other than OK: no prediction, message says why */
    char message[200];
    double samples;       /* of a step, all GPUs */
    double extrapolation; /* octaves, see adept_whatif_extrapolation; the intervals are widened by it */
    bool refused;         /* has a note that --strict does not accept */
    adept_prediction prediction;
} adept_sweep_row;

/* Called in the order of points on the calling thread; false stops the sweep. */
typedef bool adept_sweep_visit(const adept_sweep_row *row, void *user);

/*
 * Evaluates all points, profiles once per distinct run, with bounded memory. The same rows for any number of
 * threads, each equal to the single prediction of its point to the last bit.
 * Errors    those of every point if none succeeds (of the first one); NOMEM
 */
adept_status adept_sweep_run(adept_sweep *sweep, adept_sweep_visit *visit, void *user, adept_error *err);

typedef enum adept_sweep_format { ADEPT_SWEEP_CSV, ADEPT_SWEEP_JSON_LINES } adept_sweep_format;
/* The same, as a CSV table with a header or as one JSON object a line; also visits (visit NULL: nobody). */
adept_status adept_sweep_write(adept_sweep *sweep, FILE *out, adept_sweep_format format,
                               adept_sweep_visit *visit, void *user, adept_error *err);

/* One point with values of one's own (numbers; of choices: indices), as a sweep would evaluate it. */
adept_status adept_sweep_evaluate(adept_sweep *sweep, const double *values, adept_sweep_row *out,
                                  adept_error *err);

/* ---- what matters ---- */

/* d ln y / d ln x: percent per percent. NaN where a side does not exist (a bound of the figure), and where y
 * is withheld. */
typedef struct adept_elasticity {
    double below, above; /* one-sided; equal away from kinks */
    bool kink;           /* the sides differ */
    bool jump;           /* the quantity itself is discontinuous here (a change of tile or wave) */
} adept_elasticity;

typedef struct adept_sensitivity_row {
    const char *key, *unit;
    double value;
    adept_elasticity time, power, energy;
    double error; /* estimate of the largest error of the elasticities, away from kinks */
    /* where it stops to matter, seen in the direction that shortens the step; NaN: not within a factor 64 */
    double takeover_value; /* another bound takes over */
    adept_bound takeover_bound;
    double half_value;  /* the elasticity of time has halved */
    double gain_at_end; /* step time at factor 64 (or the figure's bound) over the present one */
} adept_sensitivity_row;

typedef struct adept_sensitivity adept_sensitivity; /* opaque: owns memory */

/*
 * Elasticities of time, power and energy with respect to every figure and parameter, largest effect first.
 * By five-point differences in ln x on ladders of steps, one-sided and central, which must agree
 * (docs/whatif.md says why not by dual numbers, and how exact they are).
 * Errors    as adept_predict
 */
adept_status adept_sensitivity_new(adept_sensitivity **out, const adept_whatif *job, adept_error *err);
void adept_sensitivity_free(adept_sensitivity *sensitivity); /* NULL is fine */
size_t adept_sensitivity_count(const adept_sensitivity *sensitivity);
const adept_sensitivity_row *adept_sensitivity_at(const adept_sensitivity *sensitivity, size_t index);
adept_bound adept_sensitivity_bound(const adept_sensitivity *sensitivity); /* of the job as it is */
/* Figures whose change changes nothing, within a billionth. */
size_t adept_sensitivity_without_effect(const adept_sensitivity *sensitivity);

/* ---- what is best ---- */

/* enum name, option text, unit of one sample's figure */
#define ADEPT_GOAL_LIST(X)                                                                                   \
    X(ENERGY, "energy", "J")                                                                                 \
    X(TIME, "time", "s")                                                                                     \
    X(EDP, "edp", "J s")                                                                                     \
    X(ED2P, "ed2p", "J s2")                                                                                  \
    X(COST, "cost", "money")
typedef enum adept_goal {
#define ADEPT_GOAL_ENUM(code, name, unit) ADEPT_GOAL_##code,
    ADEPT_GOAL_LIST(ADEPT_GOAL_ENUM)
#undef ADEPT_GOAL_ENUM
        ADEPT_GOAL_COUNT
} adept_goal;
const char *adept_goal_name(adept_goal goal);
const char *adept_goal_unit(adept_goal goal);
bool adept_goal_find(adept_goal *out, const char *name);

/* What an hour of a GPU and energy cost, summed: rent that includes energy has no kWh. NaN: not known. */
typedef struct adept_price {
    double gpu_hour, kWh; /* in `currency` */
    double pue;           /* energy of the building over energy of the machines, at least 1 */
    char currency[8];
} adept_price;

typedef struct adept_optimize_options {
    adept_goal goal;
    const char *const *over; /* keys; their ranges are those of `sweeps`, or the natural ones */
    size_t over_count;
    const char *const *sweeps; /* as in adept_sweep_new */
    size_t sweep_count;
    double max_step_time_s, max_power_W; /* 0: no limit */
    adept_price price;                   /* for COST */
} adept_optimize_options;

/* Everything per sample, so that batch sizes and numbers of GPUs compare. */
typedef struct adept_optimum_point {
    double values[ADEPT_AXES_MAX];
    double step_time_s, average_power_W, energy_per_step_J, samples;
    double time_per_sample_s, energy_per_sample_J, goal_per_sample;
    double extrapolation;
    bool fits_in_memory;
} adept_optimum_point;

typedef struct adept_optimum adept_optimum; /* opaque: owns memory */

/*
 * The best point of the grid, refined between its neighbours on continuous axes by golden sections, and the
 * points that no other beats in both time and energy. A point must fit in memory and hold the constraints.
 * Errors    RANGE: no point holds the constraints, with how many failed at which; ARGUMENT, as
 *           adept_sweep_new
 */
adept_status adept_optimize(adept_optimum **out, const adept_whatif *job,
                            const adept_optimize_options *options, adept_error *err);
void adept_optimum_free(adept_optimum *optimum);                      /* NULL is fine */
const adept_sweep *adept_optimum_sweep(const adept_optimum *optimum); /* its axes */
adept_goal adept_optimum_goal(const adept_optimum *optimum);
const adept_optimum_point *adept_optimum_best(const adept_optimum *optimum);
const adept_optimum_point *adept_optimum_present(const adept_optimum *optimum); /* the job as it is */
size_t adept_optimum_front_count(const adept_optimum *optimum);                 /* by rising time */
const adept_optimum_point *adept_optimum_front(const adept_optimum *optimum, size_t index);

typedef struct adept_optimum_counts {
    /* failed: no prediction, or one that --strict refuses; withheld: power that the goal or a constraint
     * needs */
    uint64_t evaluated, failed, withheld, out_of_memory, too_slow, too_much_power;
} adept_optimum_counts;
adept_optimum_counts adept_optimum_counts_of(const adept_optimum *optimum);
/* A value of an axis as text, valid until the next call with the same buffer. */
const char *adept_optimum_text(const adept_optimum *optimum, const adept_optimum_point *point, size_t axis,
                               char buffer[40]);

/* ---- totals of a run, and what they cost ---- */

typedef struct adept_carbon_region {
    double g_per_kWh;
    int year;
    const char *region, *name, *source; /* borrowed from the economics */
} adept_carbon_region;

typedef struct adept_economics adept_economics; /* opaque: owns memory */

/*
 * data/economics/carbon.csv, and prices of prices_file or, if NULL, of data/economics/prices.csv (searched
 * like hardware files). Columns: docs/whatif.md.
 * Errors    IO, FORMAT with file and line
 */
adept_status adept_economics_load(adept_economics **out, const char *prices_file, adept_error *err);
void adept_economics_free(adept_economics *economics); /* NULL is fine */
/* Errors    ARGUMENT: no such region, with the closest one */
adept_status adept_economics_carbon(const adept_economics *economics, const char *region,
                                    adept_carbon_region *out, adept_error *err);
size_t adept_economics_region_count(const adept_economics *economics);
adept_carbon_region adept_economics_region(const adept_economics *economics, size_t index);
/* Price of a GPU by id or alias; figures without a row are NaN. pue is 1. */
adept_price adept_economics_price(const adept_economics *economics, const adept_hardware *hardware);

/* A job of so many samples or steps. */
typedef struct adept_total_options {
    double samples, steps;   /* one of them above 0; else one step */
    double carbon_g_per_kWh; /* NaN: not asked for */
    adept_price price;
} adept_total_options;

typedef struct adept_total {
    double steps, hours;
    double energy_kWh; /* all GPUs, times pue */
    bool node_scope;   /* the rest of the nodes is included (host figures are known) */
    double carbon_g;   /* NaN: no intensity */
    double money;      /* NaN: no price; else the sum of what is priced: hours of GPUs, energy */
} adept_total;

adept_total adept_total_of(const adept_prediction *prediction, const adept_workload *workload,
                           const adept_hardware_spec *spec, const adept_total_options *options);

#ifdef __cplusplus
}
#endif
#endif
