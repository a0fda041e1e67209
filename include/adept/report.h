/*
 * Results as text for people, as JSON and as CSV for programs (design.md section 10), written to a
 * stream that the caller opens. Numbers are converted from SI only here, and every one carries its unit.
 */
#ifndef ADEPT_REPORT_H
#define ADEPT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "adept/error.h"
#include "adept/explain.h"
#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/profile.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adept_profile_report {
    bool per_op;    /* one row per operator */
    bool by_module; /* one row per module of the network */
    size_t rows;    /* text: rows of the table of heaviest operators; 0: 12 */
} adept_profile_report;

/* Errors    IO: the stream did not take it all */
adept_status adept_report_profile_text(FILE *out, const adept_graph *graph, const adept_profile *profile,
                                       const adept_profile_report *options, adept_error *err);
adept_status adept_report_profile_json(FILE *out, const adept_graph *graph, const adept_profile *profile,
                                       const adept_profile_report *options, adept_error *err);
/* One row per operator, or per module with by_module. */
adept_status adept_report_profile_csv(FILE *out, const adept_profile *profile,
                                      const adept_profile_report *options, adept_error *err);

typedef struct adept_hardware_report {
    bool sources; /* text: the citation of every figure */
} adept_hardware_report;

/* One GPU: its figures, where they come from, its parameters. JSON: the keys of a hardware file. */
adept_status adept_report_hardware_text(FILE *out, const adept_hardware *hardware,
                                        const adept_hardware_report *options, adept_error *err);
adept_status adept_report_hardware_json(FILE *out, const adept_hardware *hardware, adept_error *err);
adept_status adept_report_hardware_list_text(FILE *out, const adept_hardware_list *list, adept_error *err);
adept_status adept_report_hardware_list_json(FILE *out, const adept_hardware_list *list, adept_error *err);

/* One prediction with all that it came from. */
typedef struct adept_predicted {
    const adept_graph *graph;
    const adept_profile *profile;
    const adept_hardware *hardware;
    const char *hardware_asked; /* as the user named it: an alias is said to be one */
    const adept_run *run;
    const adept_prediction *prediction;
    const adept_explanation *explanation; /* NULL: not asked for */
    const adept_outside *outside;         /* NULL: nothing is outside the fitted range, or not asked for */
    int64_t max_batch; /* largest batch that fits; 0: not asked for, -1: not even one sample */
} adept_predicted;

adept_status adept_report_prediction_text(FILE *out, const adept_predicted *predicted, adept_error *err);
adept_status adept_report_prediction_json(FILE *out, const adept_predicted *predicted, adept_error *err);

/* Several predictions as one table; one JSON object with an array "predictions"; one CSV row each. */
adept_status adept_report_predictions_text(FILE *out, const adept_predicted *predicted, size_t count,
                                           adept_error *err);
adept_status adept_report_predictions_json(FILE *out, const adept_predicted *predicted, size_t count,
                                           adept_error *err);
adept_status adept_report_predictions_csv(FILE *out, const adept_predicted *predicted, size_t count,
                                          adept_error *err);

#ifdef __cplusplus
}
#endif
#endif
