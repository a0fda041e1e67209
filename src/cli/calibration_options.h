/* Options and steps that calibrate and validate share. */
#ifndef ADEPT_CALIBRATION_OPTIONS_H
#define ADEPT_CALIBRATION_OPTIONS_H

#include "adept/calibration_report.h"
#include "cli.h"

enum { CALIBRATION_NAMES_MAX = 2 * ADEPT_THETA_MAX, CALIBRATION_FILES_MAX = 64 };

typedef struct calibration_options {
    const char *command; /* "calibrate", for messages */
    const char *files[CALIBRATION_FILES_MAX];
    size_t file_count;
    adept_dataset_options data;
    adept_fit_options fit;
    const char *free[CALIBRATION_NAMES_MAX], *refine[CALIBRATION_NAMES_MAX];
    adept_fixed_parameter fixed[CALIBRATION_NAMES_MAX];
    const char *cv, *plot, *output;
    size_t bootstrap;
    bool json, rows, help, stages, ablation, evidence, quiet;
    bool search;                        /* a global search was asked for, by name or by one of its settings */
    bool states_variant, states_polish; /* else the defaults below the table of options hold */
} calibration_options;

/* What has been loaded; freed with calibration_close. */
typedef struct calibration_data {
    adept_trace *traces[CALIBRATION_FILES_MAX];
    adept_dataset *dataset;
} calibration_data;

/* 0, or the exit code of wrong usage. fitting: whether options of calibrate alone are allowed. */
int calibration_parse(calibration_options *o, bool fitting, int argc, char **argv);
void calibration_help(void); /* of the shared options */

adept_status calibration_open(calibration_data *data, const calibration_options *o, adept_error *err);
void calibration_close(calibration_data *data);

/* Progress on a terminal and stopping at an interrupt: set as watch of the fit options. */
void calibration_watch_begin(calibration_options *o);
void calibration_watch_end(void);
bool calibration_interrupted(void);

/* The plot, where one is asked for. */
adept_status calibration_plot(const calibration_options *o, const adept_validation *v, adept_error *err);
adept_status calibration_print(const calibration_options *o, const adept_validation_report *report,
                               adept_error *err);

#endif
