/*
 * Prediction: time, power, energy and memory of one step from a workload and a GPU's numbers.
 *
 * Two model variants behind one interface (docs/equations.md, docs/model.md). Units of a run: design
 * section 12: the step is one optimizer step of all micro-batches; power is of one GPU; energy is of all
 * GPUs, so energy_per_step_J = gpus * average_power_W * step_time_s; throughput counts all samples.
 */
#ifndef ADEPT_PREDICTION_H
#define ADEPT_PREDICTION_H

#include <stdbool.h>
#include <stddef.h>

#include "adept/error.h"
#include "adept/hardware.h"
#include "adept/run.h"
#include "adept/workload.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters (theta_H) ---- */

/* One row of a variant's parameter table: the only place that says any of this. */
typedef struct adept_parameter {
    const char *name; /* as in hardware files: theta.VARIANT.NAME */
    const char *unit; /* "1" for a pure number */
    double lower, upper, initial;
    bool free;        /* fitted unless fixed by the user; else fixed unless freed */
    bool logarithmic; /* spans decades: searched and shown on a logarithmic scale */
    bool time;        /* changes predicted time */
    bool power;       /* changes predicted power at a given time */
    const char *meaning;
} adept_parameter;

size_t adept_parameter_count(adept_variant variant);
const adept_parameter *adept_parameter_at(adept_variant variant, size_t index);
ptrdiff_t adept_parameter_index(adept_variant variant, const char *name); /* -1: no such parameter */

/* Values of all parameters of a variant, in the table's order. */
#define ADEPT_THETA_MAX 80
typedef struct adept_theta {
    adept_variant variant;
    adept_saturation saturation; /* of the thesis variant */
    size_t count;
    double value[ADEPT_THETA_MAX];
    adept_provenance provenance[ADEPT_THETA_MAX];
} adept_theta;

/*
 * The parameters of a variant for this hardware: the file's values, initial ones elsewhere. hardware NULL:
 * initial values.
 * Errors    ARGUMENT: the hardware has a parameter that the variant does not know, with the closest name;
 *           RANGE: a value outside the row's bounds
 */
adept_status adept_theta_init(adept_theta *out, adept_variant variant, const adept_hardware *hardware,
                              adept_error *err);

/* ---- results ---- */

#define ADEPT_PHASE_LIST(X)                                                                                  \
    X(FORWARD, "forward")                                                                                    \
    X(BACKWARD, "backward")                                                                                  \
    X(OPTIMIZER, "optimizer")                                                                                \
    X(COMMUNICATION, "communication")                                                                        \
    X(LAUNCH, "launch")                                                                                      \
    X(FIXED, "fixed")
typedef enum adept_phase {
#define ADEPT_PHASE_ENUM(code, name) ADEPT_PHASE_##code,
    ADEPT_PHASE_LIST(ADEPT_PHASE_ENUM)
#undef ADEPT_PHASE_ENUM
        ADEPT_PHASE_COUNT
} adept_phase;

typedef struct adept_phase_cost {
    double time_s;
    double power_W;  /* of one GPU */
    double energy_J; /* of all GPUs */
} adept_phase_cost;

/* What holds a kernel or a step back. */
#define ADEPT_BOUND_LIST(X)                                                                                  \
    X(COMPUTE, "compute")                                                                                    \
    X(MEMORY, "memory")                                                                                      \
    X(LAUNCH, "launch")                                                                                      \
    X(COMMUNICATION, "communication")                                                                        \
    X(POWER, "power")                                                                                        \
    X(FIXED, "fixed")
typedef enum adept_bound {
#define ADEPT_BOUND_ENUM(code, name) ADEPT_BOUND_##code,
    ADEPT_BOUND_LIST(ADEPT_BOUND_ENUM)
#undef ADEPT_BOUND_ENUM
        ADEPT_BOUND_COUNT
} adept_bound;

/* From the ideal (peak) time to the predicted one: parts of step_time_s, in this order, summing to it. */
#define ADEPT_LOSS_LIST(X)                                                                                   \
    X(IDEAL, "arithmetic at datasheet peak")                                                                 \
    X(SATURATION, "units not saturated")                                                                     \
    X(QUANTISATION, "partial tiles and waves")                                                               \
    X(MEMORY, "waiting for memory")                                                                          \
    X(CLOCK, "clock below boost")                                                                            \
    X(LAUNCH, "waiting for launches")                                                                        \
    X(COMMUNICATION, "communication not hidden")                                                             \
    X(OPTIMIZER, "optimizer")                                                                                \
    X(FIXED, "fixed")
typedef enum adept_loss {
#define ADEPT_LOSS_ENUM(code, text) ADEPT_LOSS_##code,
    ADEPT_LOSS_LIST(ADEPT_LOSS_ENUM)
#undef ADEPT_LOSS_ENUM
        ADEPT_LOSS_COUNT
} adept_loss;

/* On what a figure rests. NONE: withheld, the figure is NaN and a note says why. */
#define ADEPT_EVIDENCE_LIST(X)                                                                               \
    X(NONE, "none")                                                                                          \
    X(DATASHEET, "datasheet")                                                                                \
    X(TRANSFERRED, "transferred")                                                                            \
    X(FITTED, "fitted")
typedef enum adept_evidence {
#define ADEPT_EVIDENCE_ENUM(code, name) ADEPT_EVIDENCE_##code,
    ADEPT_EVIDENCE_LIST(ADEPT_EVIDENCE_ENUM)
#undef ADEPT_EVIDENCE_ENUM
        ADEPT_EVIDENCE_COUNT
} adept_evidence;

/* Remarks of a prediction. code, text (its value, where it has one, follows in the unit named). refused:
 * --strict does not accept a prediction with it. */
#define ADEPT_NOTE_LIST(X)                                                                                   \
    X(PRECISION_FALLBACK, true, "the GPU has no unit for this precision; other units run it")                \
    X(OUT_OF_MEMORY, false,                                                                                  \
      "does not fit in device memory; each GPU holds the whole network: sharding, tensor and pipeline "      \
      "parallelism are not modelled")                                                                        \
    X(POWER_LIMIT_NOT_HELD, false, "power stays above its limit even at the lowest clock; W above")          \
    X(POWER_LIMIT_OUT_OF_RANGE, true, "the board does not accept this power limit; W of the nearest one")    \
    X(POWER_CUT_NOT_TIME, false, "power is cut at the limit; this variant does not slow the clock for it")   \
    X(CLOCK_LIMIT_IGNORED, false, "this variant has no clock; the clock limit has no effect")                \
    X(LINK_IS_PCIE, false, "no direct links between this many GPUs; gradients go over PCIe")                 \
    X(LINK_IS_NETWORK, false, "more GPUs than one node holds; gradients go over the network; GPUs per node") \
    X(NETWORK_ASSUMED, false, "the network's bandwidth is assumed; bytes per second per GPU")                \
    X(PARAMETERS_DEFAULT, false, "parameters without a fit: initial values; count")                          \
    X(IDLE_POWER_DERIVED, false, "idle power is not known and derived from TDP; W")                          \
    X(OUTSIDE_FITTED_RANGE, true, "kernels of kinds that were in no measurement; share of the busy time")    \
    X(GPU_NOT_MEASURED, false,                                                                               \
      "time: this GPU's family was not measured at this precision; from datasheet and other families")       \
    X(POWER_NOT_MEASURED, false,                                                                             \
      "power: none was measured on this GPU's family; the scale of its die is computed or transferred")      \
    X(POWER_WITHHELD, false,                                                                                 \
      "power and energy are withheld: no measurement, and no rule compared with any, gives the scale of "    \
      "this die, theta.operator.g; calibrate, or give it in a hardware file of your own")
typedef enum adept_note_code {
#define ADEPT_NOTE_ENUM(code, refused, text) ADEPT_NOTE_##code,
    ADEPT_NOTE_LIST(ADEPT_NOTE_ENUM)
#undef ADEPT_NOTE_ENUM
        ADEPT_NOTE_COUNT
} adept_note_code;

typedef struct adept_note {
    adept_note_code code;
    double value; /* NaN: the note has none */
} adept_note;

/*
 * Share of the busy time (all kernels, optimizer included) from which on kernels outside the fitted range
 * are noted.
 */
#define ADEPT_OUTSIDE_SHARE 0.01

typedef struct adept_interval {
    double lower, upper; /* NaN: not known */
} adept_interval;

typedef struct adept_prediction {
    adept_variant variant;
    double step_time_s, average_power_W, energy_per_step_J, throughput_per_s;
    double clock_Hz;                            /* mean SM clock; boost where the variant has no clock */
    double power_limit_W;                       /* that held */
    adept_phase_cost phases[ADEPT_PHASE_COUNT]; /* sum of time: step; of energy: energy of the step */
    double losses_s[ADEPT_LOSS_COUNT];
    adept_bound bound; /* what most of the step waits for */

    bool fits_in_memory;
    double memory_B;          /* of the GPU */
    double peak_memory_B;     /* of the workload, with the overhead */
    double memory_overhead_B; /* context and allocator: stated, not modelled (ADEPT_CONTEXT_B, ..) */

    double interval_level;
    adept_interval step_time_interval_s, average_power_interval_W;
    adept_evidence time_evidence, power_evidence;
    adept_note notes[ADEPT_NOTE_COUNT]; /* each code at most once */
    size_t note_count;
} adept_prediction;

/* One launch of a kernel of the workload. */
typedef struct adept_kernel_cost {
    double time_s, energy_J; /* of all its launches in one micro-batch on one GPU */
    adept_bound bound;
} adept_kernel_cost;

/* One GPU's share of the network between nodes where neither hardware nor cluster file gives it: assumed. */
#define ADEPT_NETWORK_B_PER_S 25e9

/*
 * What the framework takes beside tensors: the CUDA context with its loaded kernels (about half a GB on
 * recent drivers) and what the caching allocator loses to rounding and fragments. Both are assumptions.
 */
#define ADEPT_CONTEXT_B 5e8
#define ADEPT_ALLOCATOR_SHARE 0.03

/*
 * Predicts with the parameters of the hardware; run gives variant, power and clock limit (the rest was
 * used when the workload was made). Allocates nothing.
 * Errors    ARGUMENT: as adept_theta_init, or a limit that is no number; UNSUPPORTED: the variant is not
 *           built in; RANGE: a workload or hardware figure leads to a number that is not finite
 */
adept_status adept_predict(adept_prediction *out, const adept_workload *workload,
                           const adept_hardware *hardware, const adept_run *run, adept_error *err);

/*
 * The same with given numbers: what calibration and sweeps call. kernels is NULL or has room for
 * workload->kernel_count costs (the thesis variant has none to give: UNSUPPORTED).
 */
adept_status adept_predict_with(adept_prediction *out, adept_kernel_cost *kernels,
                                const adept_workload *workload, const adept_hardware_spec *spec,
                                const adept_theta *theta, const adept_run *run, adept_error *err);

/*
 * What adept_predict adds to adept_predict_with: intervals, what no measurement supports on this hardware,
 * power withheld. theta must carry the provenance of its values.
 */
void adept_prediction_qualify(adept_prediction *prediction, const adept_workload *workload,
                              const adept_hardware *hardware, const adept_theta *theta);

/* Whether kernels of this kind and arithmetic were among the measurements that the shipped values rest on. */
bool adept_kernel_in_fitted_range(const adept_kernel *kernel);

/*
 * The same job at many power limits: prepare once what no limit changes, then predict at each. The result is
 * that of adept_predict_with to the last bit. One object serves one thread, for any number of jobs.
 */
typedef struct adept_prepared adept_prepared; /* opaque: owns memory */
adept_status adept_prepared_new(adept_prepared **out, adept_error *err);
void adept_prepared_free(adept_prepared *prepared); /* NULL is fine */

/* Borrows workload until the next adept_prepare; copies the rest. If it fails, prepare again before use. */
adept_status adept_prepare(adept_prepared *prepared, const adept_workload *workload,
                           const adept_hardware_spec *spec, const adept_theta *theta, const adept_run *run,
                           adept_error *err);

/* power_limit_W 0: the board's default. Errors: as adept_predict_with */
adept_status adept_predict_prepared(adept_prediction *out, adept_prepared *prepared, double power_limit_W,
                                    adept_error *err);

/* Power of all nodes of a run, watts: GPUs, and what `host` of the hardware file says of the rest. */
typedef struct adept_node_power {
    double gpus_W, cpu_W, dram_W, fan_W;
    double supply_W; /* lost in power supplies */
    double total_W;  /* sum of these, at the wall */
    double nodes;
} adept_node_power;

/*
 * P_node = (N_g P_gpu + nodes (P_cpu + P_fan + P_RAM)) / efficiency, P_RAM = P_base nb_slots mem_use
 * (eq 4.1). False, and everything NaN, if a host figure is missing: GPU and node scope are never mixed.
 */
bool adept_node_power_of(adept_node_power *out, const adept_hardware_spec *spec, int32_t gpus,
                         double gpu_power_W);

const char *adept_phase_name(adept_phase phase); /* these never return NULL */
const char *adept_bound_name(adept_bound bound);
const char *adept_loss_text(adept_loss loss);
const char *adept_evidence_name(adept_evidence evidence);
const char *adept_note_text(adept_note_code code);
bool adept_note_refused(adept_note_code code); /* by --strict */

#ifdef __cplusplus
}
#endif
#endif
