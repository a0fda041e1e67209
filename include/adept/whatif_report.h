/* What-if results as text, JSON, CSV and as one page of HTML. */
#ifndef ADEPT_WHATIF_REPORT_H
#define ADEPT_WHATIF_REPORT_H

#include <stdio.h>

#include "adept/report.h"
#include "adept/whatif.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of a sweep kept for a table or a figure: at most `limit`, evenly thinned (every stride-th point). */
typedef struct adept_sweep_sample {
    adept_sweep_row *rows;
    size_t count, limit;
    uint64_t stride;
} adept_sweep_sample;

adept_status adept_sweep_sample_init(adept_sweep_sample *sample, const adept_sweep *sweep, size_t limit,
                                     adept_error *err);
void adept_sweep_sample_free(adept_sweep_sample *sample);
bool adept_sweep_sample_visit(const adept_sweep_row *row, void *sample); /* an adept_sweep_visit */

/* All that one call of `adept whatif` found out; parts that were not asked for are NULL. */
typedef struct adept_whatif_report {
    const adept_whatif *job;
    const char *hardware_asked;
    const char *const *settings;
    size_t setting_count;
    const adept_profile *profile;
    const adept_prediction *before, *after; /* without and with the settings */
    double extrapolation;                   /* octaves of the settings */
    const char *extrapolation_key;
    const adept_sweep *sweep;
    const adept_sweep_sample *sample;
    const adept_sensitivity *sensitivity;
    const adept_optimum *optimum;
} adept_whatif_report;

/* Errors    IO: the stream did not take it all */
adept_status adept_report_whatif_text(FILE *out, const adept_whatif_report *report, adept_error *err);
adept_status adept_report_whatif_json(FILE *out, const adept_whatif_report *report, adept_error *err);
/* Sensitivities or the Pareto front as a table (sweeps write theirs themselves). */
adept_status adept_report_whatif_csv(FILE *out, const adept_whatif_report *report, adept_error *err);

/* One model on one GPU in a comparison. */
typedef struct adept_compared {
    adept_predicted predicted;
    adept_price price;
    adept_total total;
} adept_compared;

typedef struct adept_compare_options {
    bool totals;             /* of a run of samples or steps */
    const char *carbon_from; /* region and source of the intensity; NULL: none asked for */
    const char *prices_from; /* file; NULL: that of data/economics */
    double carbon_g_per_kWh, pue;
} adept_compare_options;

adept_status adept_report_compare_text(FILE *out, const adept_compared *items, size_t count,
                                       const adept_compare_options *options, adept_error *err);
adept_status adept_report_compare_json(FILE *out, const adept_compared *items, size_t count,
                                       const adept_compare_options *options, adept_error *err);
adept_status adept_report_compare_csv(FILE *out, const adept_compared *items, size_t count,
                                      const adept_compare_options *options, adept_error *err);

/* As one page, like adept_report_html; at least one item. */
adept_status adept_report_compare_html(FILE *out, const adept_compared *items, size_t count,
                                       const adept_compare_options *options, adept_error *err);

/*
 * One self-contained page: no script, no network, readable in light and dark, on paper, by keyboard and by
 * screen readers. predicted needs its explanation; whatif may be NULL.
 */
adept_status adept_report_html(FILE *out, const adept_predicted *predicted, const adept_whatif_report *whatif,
                               adept_error *err);

#ifdef __cplusplus
}
#endif
#endif
