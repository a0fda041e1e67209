/* The figures of the HTML report, one function each. */
#ifndef ADEPT_HTML_CHARTS_H
#define ADEPT_HTML_CHARTS_H

#include "adept/whatif_report.h"

void html_chart_waterfall(FILE *out, const adept_prediction *p);
void html_chart_roofline(FILE *out, const adept_predicted *predicted);
void html_chart_modules(FILE *out, const adept_predicted *predicted);
void html_chart_sweep(FILE *out, const adept_whatif_report *report);
void html_chart_front(FILE *out, const adept_optimum *optimum);
void html_chart_sensitivity(FILE *out, const adept_sensitivity *sensitivity);

#endif
