/*
 * Calibration: parameters theta_H from measured runs, and how far to trust them (docs/calibration.md).
 *
 *   traces + graphs + hardware -> adept_dataset -> adept_fit -> adept_validation -> hardware files
 *
 * Everything is read-only once made and borrowed from the object that made it.
 */
#ifndef ADEPT_CALIBRATION_H
#define ADEPT_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/trace.h"
#include "adept/workload.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- data: trace rows tied to their workload and GPU ---- */

typedef struct adept_dataset adept_dataset; /* opaque: owns workloads and hardware; traces are borrowed */

typedef struct adept_dataset_options {
    const char *graphs;   /* folder of the graphs; NULL: that of each trace file */
    const char *hardware; /* id or file for all rows; NULL: each row's column gpu */
    const char *hosts;    /* file of what hosts are known for (docs/calibration.md, Hosts); NULL:
                             data/hosts.json, if there is one */
    size_t threads;       /* 0: one per processor */
} adept_dataset_options;

typedef struct adept_dataset_row {
    const adept_trace_row *trace;
    adept_run run; /* of the trace, with what its host is known for where the trace does not say */
    size_t file;   /* which of the traces */
    const adept_workload *workload;
    const adept_hardware *hardware;
    size_t gpu;                          /* number of its GPU in this data */
    ptrdiff_t host;                      /* number of its host; -1: none named, or the row states the cost */
    const char *model;                   /* the network, whatever file it was exported to */
    const char *family;                  /* of networks */
    const char *gpu_family;              /* architecture */
    double step_time_s, average_power_W; /* NaN: not measured, or not usable */
    double power_limit_W;                /* in force */
    double roofline_s;                   /* at datasheet peaks: work, optimizer, communication */
} adept_dataset_row;

/* A row, or the power of a row, that is not used. */
typedef struct adept_dataset_skip {
    size_t file, line;
    const char *reason;
    bool power_only; /* the row's time is used */
} adept_dataset_skip;

/*
 * Errors    FORMAT: no usable row (with the first reason); what adept_hardware_load returns; NOMEM. Rows
 *           that cannot be used are no error but listed.
 */
adept_status adept_dataset_load(adept_dataset **out, const adept_trace *const *traces, size_t trace_count,
                                const adept_dataset_options *options, adept_error *err);
void adept_dataset_free(adept_dataset *dataset); /* NULL is fine */

size_t adept_dataset_count(const adept_dataset *dataset);
const adept_dataset_row *adept_dataset_at(const adept_dataset *dataset, size_t row);
size_t adept_dataset_skip_count(const adept_dataset *dataset);
const adept_dataset_skip *adept_dataset_skip_at(const adept_dataset *dataset, size_t index);
size_t adept_dataset_gpu_count(const adept_dataset *dataset);
const adept_hardware *adept_dataset_gpu(const adept_dataset *dataset, size_t gpu);
size_t adept_dataset_file_count(const adept_dataset *dataset);
const char *adept_dataset_file(const adept_dataset *dataset, size_t file);
/* Hosts: the CPU time of a kernel launch is theirs, whatever the GPU. launch_s 0: not known. */
size_t adept_dataset_host_count(const adept_dataset *dataset);
const char *adept_dataset_host(const adept_dataset *dataset, size_t host);
double adept_dataset_host_launch_s(const adept_dataset *dataset, size_t host);
size_t adept_dataset_workload_count(const adept_dataset *dataset); /* distinct ones */

/* ---- fit ---- */

typedef struct adept_fixed_parameter {
    const char *name;
    double value; /* NaN: as the hardware has it */
} adept_fixed_parameter;

/* Where a fit stands; written by the fit, read by the callback. */
typedef struct adept_fit_progress {
    const char *what;   /* GPU, "shared", or a fold's name */
    size_t part, parts; /* fits done before this one, and of all */
    uint64_t generation, generations;
    double best, spread;      /* loss, percent; standard deviation over mean of the population */
    double elapsed_s, left_s; /* of this fit; left: until convergence at the present pace, NaN: unknown */
} adept_fit_progress;

/* Called every watch_period_s; false: stop with the best so far. */
typedef bool adept_fit_watch(void *user, const adept_fit_progress *progress);

typedef struct adept_fit_options {
    adept_variant variant;
    int saturation;          /* adept_saturation; -1: as the hardware has it */
    const char *const *free; /* names; none: those that the parameter table frees */
    size_t free_count;
    const adept_fixed_parameter *fixed;
    size_t fixed_count;
    bool shared; /* one set of parameters for all GPUs */
    /* After a shared fit: fitted again for each GPU that has at least ADEPT_REFINE_ROWS rows for each. */
    const char *const *refine;
    size_t refine_count;
    bool hosts; /* the cost of a launch is fitted for each host too; see adept_fit_name */
    bool local; /* no global search: polish the values that the hardware has */
    uint64_t seed;
    const char *strategy; /* of differential evolution */
    size_t members_per_parameter, generations, threads;
    size_t polish;                    /* evaluations with gradient at most; 0: none */
    double tol;                       /* convergence by the population's spread */
    double time_weight, power_weight; /* w_t, w_p of eq 4.16 */
    double huber;                     /* 0: relative errors; else threshold of log ratios */
    const adept_theta *start;         /* [GPUs of the data], values before the fit; NULL: the hardware\'s */
    const char *checkpoint; /* file to resume from and to save to when stopped; NULL: none. One fit only */
    adept_fit_watch *watch;
    void *watch_user;
    double watch_period_s; /* 0: at every generation and evaluation of the polish */
} adept_fit_options;

#define ADEPT_REFINE_ROWS 3
#define ADEPT_FIT_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        .variant = ADEPT_VARIANT_THESIS, .saturation = -1, .seed = 1, .strategy = "best1bin",                \
        .members_per_parameter = 15, .generations = 50000, .polish = 500, .tol = 0.01, .time_weight = 0.6,   \
        .power_weight = 0.4, .watch_period_s = 0.1                                                           \
    }

typedef struct adept_fit adept_fit; /* opaque */

/* One parameter vector that was fitted. */
typedef struct adept_fit_part {
    const char *name; /* GPU id, or "shared" */
    ptrdiff_t gpu;    /* -1: shared */
    size_t rows, time_rows, power_rows;
    size_t free_count;                    /* parameters fitted */
    size_t dropped_count;                 /* freed, but no row depends on them: they keep their value */
    double loss_start, loss_search, loss; /* percent: at the start, after the search, after the polish */
    uint64_t generations, evaluations;
    double seconds;
    bool converged, stopped; /* stopped: by the watch */
    const char *stopped_by;  /* English text */
} adept_fit_part;

/*
 * Minimises the loss over rows (eqs 4.16 to 4.18). use: rows to fit to, [rows of the data]; NULL: all.
 * Errors    ARGUMENT: unknown parameter (with the closest), value out of bounds, bounds crossed, no usable
 *           row; IO and FORMAT of a checkpoint; NOMEM
 */
adept_status adept_fit_run(adept_fit **out, const adept_dataset *dataset, const bool *use,
                           const adept_fit_options *options, adept_error *err);
void adept_fit_free(adept_fit *fit); /* NULL is fine */

bool adept_fit_stopped(const adept_fit *fit);
size_t adept_fit_part_count(const adept_fit *fit);
const adept_fit_part *adept_fit_part_at(const adept_fit *fit, size_t part);
const adept_theta *adept_fit_theta(const adept_fit *fit, size_t gpu); /* for a GPU of the data */
/*
 * Name of a parameter by number. Behind those of the table stand the launch costs of the data's hosts, in
 * seconds: value[count + host] of a theta; 0: as the model has it.
 */
const char *adept_fit_name(const adept_fit *fit, size_t parameter);
/* Parameters that were fitted in a part, by number, and those that no row depends on. */
bool adept_fit_is_free(const adept_fit *fit, size_t part, size_t parameter);
bool adept_fit_is_dropped(const adept_fit *fit, size_t part, size_t parameter);

/* ---- errors ---- */

/* Relative errors in percent. mape, median, bias: rows of weight 0.5 and more; mape_weighted: all rows. */
typedef struct adept_error_summary {
    double mape, median, bias, mape_weighted; /* NaN without rows */
    size_t n;
} adept_error_summary;

typedef struct adept_scores {
    adept_error_summary time, power, energy;
    double combined; /* 0.6 time + 0.4 power; the one that exists where the other does not */
} adept_scores;

/* What a prediction must beat. The fitted ones have one constant each, from the rows used for the fit. */
#define ADEPT_BASELINE_LIST(X)                                                                               \
    X(ROOFLINE, "roofline", time, "datasheet roofline")                                                      \
    X(ROOFLINE_FITTED, "roofline_fitted", time, "roofline, one fitted efficiency")                           \
    X(TDP, "tdp", power, "TDP x fitted constant")                                                            \
    X(LIMIT, "limit", power, "power limit x fitted constant")
typedef enum adept_baseline {
#define ADEPT_BASELINE_ENUM(code, name, quantity, text) ADEPT_BASELINE_##code,
    ADEPT_BASELINE_LIST(ADEPT_BASELINE_ENUM)
#undef ADEPT_BASELINE_ENUM
        ADEPT_BASELINE_COUNT
} adept_baseline;
const char *adept_baseline_name(adept_baseline baseline); /* these never return NULL */
const char *adept_baseline_text(adept_baseline baseline);

/* What rows are grouped by in tables. enum name, JSON name, heading */
#define ADEPT_GROUPING_LIST(X)                                                                               \
    X(GPU, "gpu", "GPU")                                                                                     \
    X(MODEL, "model", "network")                                                                             \
    X(PRECISION, "precision", "precision")                                                                   \
    X(MODE, "mode", "mode")                                                                                  \
    X(BATCH, "batch", "batch")                                                                               \
    X(GPUS, "gpus", "GPUs")                                                                                  \
    X(MODEL_FAMILY, "model_family", "network family")                                                        \
    X(GPU_FAMILY, "gpu_family", "GPU family")                                                                \
    X(FILE, "file", "file")
typedef enum adept_grouping {
#define ADEPT_GROUPING_ENUM(code, name, heading) ADEPT_GROUPING_##code,
    ADEPT_GROUPING_LIST(ADEPT_GROUPING_ENUM)
#undef ADEPT_GROUPING_ENUM
        ADEPT_GROUPING_COUNT
} adept_grouping;
const char *adept_grouping_name(adept_grouping grouping);
const char *adept_grouping_heading(adept_grouping grouping);

typedef struct adept_score_group {
    const char *name;
    size_t rows;
    adept_scores scores;
    adept_error_summary baseline[ADEPT_BASELINE_COUNT];
} adept_score_group;

typedef struct adept_validation_row {
    const adept_dataset_row *data;
    double step_time_s, average_power_W; /* predicted; power NaN: withheld */
    double baseline[ADEPT_BASELINE_COUNT];
    size_t fold;
    adept_interval step_time_interval_s, average_power_interval_W; /* NaN: not known */
} adept_validation_row;

/* How often measurements lie inside the intervals; only of rows that the fit has not seen. */
typedef struct adept_coverage_rate {
    double level;       /* asked for */
    double time, power; /* share of rows inside; NaN: no rows */
    size_t time_rows, power_rows;
} adept_coverage_rate;

typedef struct adept_validation adept_validation; /* opaque */

/*
 * Predicts every row with given parameters, thetas [GPUs of the data].
 * Errors    what adept_predict_with returns, with file and line
 */
adept_status adept_validation_of(adept_validation **out, const adept_dataset *dataset,
                                 const adept_theta *thetas, size_t threads, adept_error *err);
/* The same with the parameters and intervals that the hardware of each row carries. */
adept_status adept_validation_of_hardware(adept_validation **out, const adept_dataset *dataset,
                                          adept_variant variant, size_t threads, adept_error *err);

/*
 * Held-out errors: for each fold, fits to the other rows and predicts its own. by: a number of folds k (at
 * random by the seed), or what to leave out: "model", "model-family", "gpu", "gpu-family". A GPU left out
 * gets the parameters fitted to all others together.
 * Errors    ARGUMENT: by is none of these, or leaves nothing to fit or to predict; what adept_fit_run returns
 */
adept_status adept_validation_cross(adept_validation **out, const adept_dataset *dataset, const char *by,
                                    const adept_fit_options *options, adept_error *err);
/* What adept_validation_cross would refuse for its folds, before any fit. */
adept_status adept_validation_check_cross(const adept_dataset *dataset, const char *by, adept_error *err);
void adept_validation_free(adept_validation *validation); /* NULL is fine */

size_t adept_validation_count(const adept_validation *validation);
const adept_validation_row *adept_validation_at(const adept_validation *validation, size_t row);
const adept_dataset *adept_validation_dataset(const adept_validation *validation);
adept_variant adept_validation_variant(const adept_validation *validation);
const char *adept_validation_by(const adept_validation *validation); /* "" for in-sample */
size_t adept_validation_fold_count(const adept_validation *validation);
const char *adept_validation_fold(const adept_validation *validation, size_t fold);
bool adept_validation_stopped(const adept_validation *validation); /* folds are missing */
const adept_score_group *adept_validation_total(const adept_validation *validation);
size_t adept_validation_group_count(const adept_validation *validation, adept_grouping grouping);
const adept_score_group *adept_validation_group(const adept_validation *validation, adept_grouping grouping,
                                                size_t group);

/* Measured over predicted between which level of the held-out rows lie; NaN with fewer than 10 rows. */
adept_hardware_interval adept_validation_interval(const adept_validation *validation, ptrdiff_t gpu,
                                                  double level); /* gpu -1: all */
/* Rows of each fold against the interval of the other folds' rows. */
adept_coverage_rate adept_validation_coverage(const adept_validation *validation);

/* ---- what the data determines ---- */

typedef struct adept_parameter_evidence {
    size_t parameter; /* number in the table */
    double value;
    double sensitivity;  /* root mean square change of log predictions over the parameter's whole range */
    double deviation;    /* standard deviation as a share of its range; at most 1 */
    double lower, upper; /* spread of bootstrap refits, 10 and 90 %; NaN without */
    size_t partner;      /* parameter that it is most correlated with */
    double correlation;
    bool at_bound, determined;
} adept_parameter_evidence;

typedef struct adept_identifiability {
    size_t parameters, rank;
    double condition; /* largest over smallest singular value of the scaled Jacobian; infinite: singular */
    size_t residuals;
    adept_parameter_evidence evidence[ADEPT_THETA_MAX];
} adept_identifiability;

/*
 * Of one part of a fit: singular values of the Jacobian of log predictions, correlations, and the spread of
 * refits to rows drawn with replacement (0: none).
 */
adept_status adept_identify(adept_identifiability *out, const adept_fit *fit, size_t part, size_t refits,
                            adept_error *err);

/* ---- the thesis's experiments ---- */

typedef struct adept_stage {
    char name[64];
    size_t free_count;
    adept_scores scores; /* in-sample */
    double loss;
    double seconds;
} adept_stage;

/* Table 4.2: the base parameters, then each targeted scalar in turn. Room for ADEPT_STAGE_COUNT rows. */
#define ADEPT_STAGE_COUNT 7
adept_status adept_fit_stages(adept_stage *stages, adept_fit **last, const adept_dataset *dataset,
                              const adept_fit_options *options, adept_error *err);

/* Saturation functions, each with and without targeted scalars: rows 2 i and 2 i + 1 of function i. */
#define ADEPT_ABLATION_COUNT (2 * ADEPT_SATURATION_COUNT)
adept_status adept_fit_ablation(adept_stage *rows, const adept_dataset *dataset,
                                const adept_fit_options *options, adept_error *err);

/* ---- output ---- */

typedef struct adept_fit_record {
    const char *command, *version;                /* what made the fit */
    const adept_validation *in_sample, *held_out; /* NULL: not known */
    const adept_identifiability *evidence;        /* [parts]; NULL: not known */
} adept_fit_record;

/*
 * Writes hardware files that inherit the GPUs of the data and carry the fitted parameters, each whole or not
 * at all. One GPU: path is a file; several, or shared: a folder (made where missing) with ID.json for each,
 * and shared.json for a shared fit.
 * Errors    ARGUMENT: path is an input file; IO
 */
adept_status adept_fit_write(const adept_fit *fit, const char *path, const adept_fit_record *record,
                             adept_error *err);

/*
 * Refuses a path that is one of the files of the data: measurements or hardware.
 * Errors    ARGUMENT
 */
adept_status adept_dataset_check_output(const adept_dataset *dataset, const char *path, adept_error *err);

/* What adept_fit_write would refuse for its path, before any fit: nothing is written. */
adept_status adept_fit_check_output(const adept_dataset *dataset, const adept_fit_options *options,
                                    const char *path, adept_error *err);

/* ---- trace doctor ---- */

#define ADEPT_FINDING_LIST(X)                                                                                \
    X(UNUSABLE, "unusable", "row cannot be used")                                                            \
    X(ABOVE_PEAK, "above-peak", "rate above the datasheet peak")                                             \
    X(ABOVE_BANDWIDTH, "above-bandwidth", "traffic above the datasheet bandwidth")                           \
    X(ABOVE_LIMIT, "above-limit", "power above its limit")                                                   \
    X(BELOW_IDLE, "below-idle", "power at or below idle")                                                    \
    X(ENERGY, "energy", "energy is not power x time")                                                        \
    X(DUPLICATE, "duplicate", "same run, other measurement")                                                 \
    X(SHORT, "short", "step shorter than a power sensor resolves")                                           \
    X(UNIT, "unit", "looks like another unit")                                                               \
    X(PASSES, "passes", "forward, backward and step do not go together")                                     \
    X(FAST_CONVOLUTION, "fast-convolution", "above the peak of direct convolution")
typedef enum adept_finding_kind {
#define ADEPT_FINDING_ENUM(code, name, text) ADEPT_FINDING_##code,
    ADEPT_FINDING_LIST(ADEPT_FINDING_ENUM)
#undef ADEPT_FINDING_ENUM
        ADEPT_FINDING_COUNT
} adept_finding_kind;
const char *adept_finding_name(adept_finding_kind kind);
const char *adept_finding_text(adept_finding_kind kind);

typedef struct adept_finding {
    adept_finding_kind kind;
    size_t file, line;
    const char *message; /* with the numbers */
} adept_finding;

typedef struct adept_diagnosis adept_diagnosis; /* opaque */
/* Looks at every row; dataset may be NULL (no graphs): then only what needs none is checked. */
adept_status adept_diagnosis_new(adept_diagnosis **out, const adept_trace *trace,
                                 const adept_dataset *dataset, adept_error *err);
void adept_diagnosis_free(adept_diagnosis *diagnosis); /* NULL is fine */
size_t adept_diagnosis_count(const adept_diagnosis *diagnosis);
const adept_finding *adept_diagnosis_at(const adept_diagnosis *diagnosis, size_t index);

#ifdef __cplusplus
}
#endif
#endif
