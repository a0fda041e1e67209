#include "adept/whatif_report.h"
adept_status adept_report_html(FILE *out, const adept_predicted *predicted, const adept_whatif_report *whatif, adept_error *err) { (void)out; (void)predicted; (void)whatif; (void)err; return ADEPT_UNSUPPORTED; }
