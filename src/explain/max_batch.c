#include "adept/explain.h"
#include "fail.h"

static adept_status fits(bool *out, const adept_graph *graph, const adept_hardware *hardware,
                         const adept_run *run, int64_t batch, adept_error *err) {
    adept_run tried = *run;
    adept_profile *profile = NULL;
    adept_prediction prediction;
    tried.batch = batch;
    adept_status status = adept_profile_build(&profile, graph, &tried, err);
    if (status == ADEPT_RANGE) { /* sizes beyond int64 do not fit anywhere */
        *out = false;
        return ADEPT_OK;
    }
    if (status == ADEPT_OK)
        status = adept_predict(&prediction, adept_profile_workload(profile), hardware, &tried, err);
    if (status == ADEPT_OK)
        *out = prediction.fits_in_memory;
    adept_profile_free(profile);
    return status;
}

#define LARGEST_BATCH (INT64_C(1) << 40)

adept_status adept_max_batch(int64_t *out, const adept_graph *graph, const adept_hardware *hardware,
                             const adept_run *run, adept_error *err) {
    int64_t lower = 0, upper = 1;
    bool ok = true;
    adept_status status = ADEPT_OK;
    while (status == ADEPT_OK && ok && upper < LARGEST_BATCH) {
        status = fits(&ok, graph, hardware, run, upper, err);
        if (status == ADEPT_OK && ok) {
            lower = upper;
            upper *= 2;
        }
    }
    while (status == ADEPT_OK && upper - lower > 1) {
        int64_t middle = lower + (upper - lower) / 2;
        status = fits(&ok, graph, hardware, run, middle, err);
        *(ok ? &lower : &upper) = middle;
    }
    if (status == ADEPT_OK)
        *out = lower > 0 ? lower : -1;
    return status;
}
