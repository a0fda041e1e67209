/*
 * Measuring: runs a command and measures the energy of the machine's GPUs, CPUs and memory meanwhile
 * (design.md section 11; docs/measuring.md says how each number comes about and when not to trust it).
 *
 * What a machine lacks (no driver, no permission, no sensor) is no error: it is listed, with the file and
 * the remedy, and the rest is measured. Figures are of whole devices, not of the command's part of them.
 */
#ifndef ADEPT_MEASURE_H
#define ADEPT_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adept/error.h"
#include "adept/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* enum name, JSON name */
#define ADEPT_DEVICE_KIND_LIST(X) X(GPU, "gpu") X(CPU, "cpu") X(MEMORY, "memory")

typedef enum adept_device_kind {
#define ADEPT_DEVICE_ENUM(code, name) ADEPT_DEVICE_##code,
    ADEPT_DEVICE_KIND_LIST(ADEPT_DEVICE_ENUM)
#undef ADEPT_DEVICE_ENUM
        ADEPT_DEVICE_KIND_COUNT
} adept_device_kind;

/* Why a GPU ran below its highest clock. enum name, JSON name; `alarm` ones make a run doubtful. */
#define ADEPT_THROTTLE_LIST(X)                                                                               \
    X(IDLE, "idle", false)                                                                                   \
    X(APPLICATION_CLOCKS, "application_clocks", false)                                                       \
    X(POWER_CAP, "power_cap", false)                                                                         \
    X(HW_SLOWDOWN, "hardware_slowdown", true)                                                                \
    X(SYNC_BOOST, "sync_boost", false)                                                                       \
    X(SW_THERMAL, "software_thermal", true)                                                                  \
    X(HW_THERMAL, "hardware_thermal", true)                                                                  \
    X(POWER_BRAKE, "power_brake", true)                                                                      \
    X(DISPLAY_CLOCK, "display_clock", false)

typedef enum adept_throttle {
#define ADEPT_THROTTLE_ENUM(code, name, alarm) ADEPT_THROTTLE_##code,
    ADEPT_THROTTLE_LIST(ADEPT_THROTTLE_ENUM)
#undef ADEPT_THROTTLE_ENUM
        ADEPT_THROTTLE_COUNT
} adept_throttle;

/* Values seen in the samples; count 0: not measured, the rest is 0 then. */
typedef struct adept_range {
    double min, max, mean;
    size_t count;
} adept_range;

/* Whether the command's processes were seen on a GPU. */
typedef enum adept_use { ADEPT_USE_UNKNOWN, ADEPT_USE_NO, ADEPT_USE_YES } adept_use;

typedef struct adept_measured_device {
    adept_device_kind kind;
    const char *name;   /* as the driver calls it */
    const char *id;     /* UUID or file */
    const char *method; /* how the energy was obtained */
    bool measured;      /* false: no energy; the notes say why */
    bool trusted;       /* false: the notes say why */
    bool modelled;      /* an estimate (DRAM by eqs 4.1-4.2), nothing was measured */
    double energy_J, average_power_W;
    double steady_power_W;      /* mean after the sensor's ramp; 0: run too short or no power sensor */
    double duration_s;          /* that energy_J covers */
    adept_range power_W;        /* max is the peak, of the sensor's averages */
    size_t samples;             /* good ones */
    size_t failed_samples;      /* the sensor did not answer */
    double longest_gap_s;       /* between two good samples */
    double refresh_s, window_s; /* the sensor's period and averaging window; 0: none */
    double power_limit_W;       /* in force; 0: unknown */
    adept_range clock_Hz, memory_clock_Hz, temperature_C;
    double throttle_share[ADEPT_THROTTLE_COUNT]; /* of the samples that had reasons */
    size_t throttle_samples;
    adept_use used;
    size_t other_processes; /* most foreign processes seen on the GPU at once */
    const char *const *notes;
    size_t note_count;
} adept_measured_device;

/* A source of figures that this machine does not offer, or not to this user. */
typedef struct adept_missing {
    const char *source; /* "nvml", "amdgpu", "rapl", "dram" */
    const char *what;   /* file or library, and why */
    const char *remedy; /* "" where there is none */
    bool denied;        /* it is there, and only permission is lacking */
} adept_missing;

typedef struct adept_measure_summary {
    const char *const *command; /* NULL-terminated */
    int exit_code;              /* the command's; 128 + signal if a signal ended it */
    int signal;                 /* that ended it; 0: none */
    char started[32];           /* UTC, ISO 8601 */
    double duration_s; /* of the measurement: to the end of the last process, unless told otherwise */
    double command_s;  /* of the command's first process */
    double energy_J;   /* of all measured devices */
    double average_power_W, peak_power_W; /* peak: of the sum at one time */
    bool complete;                        /* false: a device was lost or not measured */
    bool trusted;
    const adept_measured_device *devices;
    size_t device_count, measured_count; /* sensors found; those that gave energy */
    const adept_missing *missing;
    size_t missing_count;
    double requested_interval_s, interval_s; /* as asked; mean of what was done */
    size_t samples;
    double measurer_cpu_s;                /* CPU time of measuring, without starting */
    double measurer_share;                /* of one core */
    double startup_cpu_s;                 /* CPU time of finding the sensors, before the command started */
    size_t processes;                     /* most at once, in the command's tree */
    double peak_resident_B, memory_share; /* of the tree: peak, and its share of the machine's memory */
    double command_cpu_s;                 /* user and system time of the tree */
    size_t left_running;                  /* processes of the tree that were not waited for */
    const char *driver;                   /* NVIDIA driver version, "" if unknown */
    const char *const *notes;
    size_t note_count;
} adept_measure_summary;

/* What a live line shows. */
typedef struct adept_measure_live {
    double elapsed_s, energy_J, power_W; /* measured devices, so far and now */
    double gpu_power_W, temperature_C;   /* GPUs: sum and hottest; 0: none */
    size_t processes;
    bool command_ended; /* the command is over, processes that it left are not */
} adept_measure_live;

typedef struct adept_measure_options {
    const char *const *command; /* NULL-terminated, looked up in PATH */
    double interval_s;          /* between samples; 0: 0.1 s. Stretched where sampling costs too much */
    const char *gpus;           /* "0,2" or UUID beginnings: only these GPUs; NULL: all */
    size_t dimm_count;          /* memory modules, where the firmware's table cannot be read; 0: read it */
    double dimm_B;              /* capacity of each */
    bool leave_descendants;     /* end with the command, do not wait for processes it leaves behind */
    bool output_to_stderr;      /* the command's standard output goes to standard error */
    void (*live)(void *context, const adept_measure_live *now); /* about twice a second; NULL: none */
    void *live_context;
    /* NULL: environment variable (ADEPT_NVML_LIBRARY, ADEPT_SYSFS_ROOT, ADEPT_PROC_ROOT), then
     * libnvidia-ml.so.1, /sys, /proc */
    const char *nvml_library, *sysfs_root, *proc_root;
} adept_measure_options;

typedef struct adept_measurement adept_measurement; /* opaque: owns memory */

/*
 * Runs the command to its end, measuring. SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 sent to this
 * process meanwhile are handed on to the command (those typed at a terminal reach it anyway), and the
 * measurement is returned however the command ends.
 *
 * The calling process becomes the reaper of the command's orphans and reaps all its children while this
 * runs: call it from a process without other children, and with the signals above blocked in any other
 * thread. Signal mask and dispositions are as before afterwards.
 * Errors    ARGUMENT: the command was not found; IO: it could not be started; NOMEM
 */
adept_status adept_measure_run(adept_measurement **out, const adept_measure_options *options,
                               adept_error *err);
const adept_measure_summary *adept_measurement_summary(const adept_measurement *measurement); /* borrowed */
void adept_measurement_free(adept_measurement *measurement); /* NULL is fine */

const char *adept_device_kind_name(adept_device_kind kind); /* never NULL */
const char *adept_throttle_name(adept_throttle reason);     /* never NULL */

/* What the command did, for a row of a trace (design.md section 10). Strings are borrowed. */
typedef struct adept_measured_run {
    const char *graph; /* ONNX file, written relative to the trace's folder; "" if not given */
    const adept_run *run;
    double steps;       /* optimizer steps (training) or batches (inference) the command made */
    const char *gpu;    /* hardware id; NULL: made from the GPU's name */
    const char *source; /* free text; NULL: none */
    const char *host;   /* name of the measuring set-up; NULL: the host's name */
} adept_measured_run;

/*
 * Appends one row to the trace file, which gets its header if it is new; columns of an existing header are
 * kept in their order. The step time is command_s / steps; power is the mean of the GPUs that the command
 * used (all where that is unknown) and stays empty without a GPU.
 * Errors    ARGUMENT: steps not above 0, more GPUs in the run than measured; FORMAT: the existing file lacks
 *           a column that a trace needs; IO
 */
adept_status adept_measure_append_trace(const adept_measure_summary *summary, const adept_measured_run *run,
                                        const char *path, adept_error *err);

/* Writers. run may be NULL (no step). Errors    IO: the stream did not take it all. */
adept_status adept_measure_write_text(FILE *out, const adept_measure_summary *summary,
                                      const adept_measured_run *run, adept_error *err);
adept_status adept_measure_write_json(FILE *out, const adept_measure_summary *summary,
                                      const adept_measured_run *run, adept_error *err);
/* A row per device, then the total. */
adept_status adept_measure_write_csv(FILE *out, const adept_measure_summary *summary, adept_error *err);

#ifdef __cplusplus
}
#endif
#endif
