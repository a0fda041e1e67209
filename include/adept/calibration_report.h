/*
 * Calibration results as text for people, JSON for programs (design.md section 10) and a plot. In-sample
 * and held-out errors always stand apart.
 */
#ifndef ADEPT_CALIBRATION_REPORT_H
#define ADEPT_CALIBRATION_REPORT_H

#include "adept/calibration.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adept_validation_report {
    const adept_validation *in_sample;            /* with the parameters at hand */
    const adept_validation *held_out;             /* NULL: no cross-validation */
    const char *in_sample_title;                  /* whose parameters; for people */
    const adept_fit *fit;                         /* NULL: nothing was fitted */
    const adept_identifiability *identifiability; /* [parts of the fit], or NULL */
    const adept_stage *stages;                    /* [ADEPT_STAGE_COUNT], or NULL */
    const adept_stage *ablation;                  /* [ADEPT_ABLATION_COUNT], or NULL */
    bool every_row;                               /* text: one line per row too */
} adept_validation_report;

/* Errors    IO: the stream did not take it all */
adept_status adept_report_validation_text(FILE *out, const adept_validation_report *report, adept_error *err);
adept_status adept_report_validation_json(FILE *out, const adept_validation_report *report, adept_error *err);

/* Predicted against measured, logarithmic, time and power side by side, as SVG. */
adept_status adept_plot_validation(FILE *out, const adept_validation *validation, adept_error *err);
/*
 * The same as a file, whole or not at all.
 * Errors    ARGUMENT: path is a file of the data; IO
 */
adept_status adept_plot_write(const char *path, const adept_validation *validation, adept_error *err);

adept_status adept_report_diagnosis_text(FILE *out, const adept_diagnosis *diagnosis, const char *path,
                                         adept_error *err);
adept_status adept_report_diagnosis_json(FILE *out, const adept_diagnosis *diagnosis, adept_error *err);

#ifdef __cplusplus
}
#endif
#endif
