#include <math.h>
#include <string.h>

#include "adept/whatif.h"
#include "fail.h"
#include "whatif_keys.h"

/* Transistors of no process switch usefully faster; the highest boost clock of a GPU is about 3.2 GHz. */
#define HIGHEST_CLOCK_HZ 5e9
/* The widest matrix units (FP4 of 2025) do about 3e4 FLOP per SM and cycle. */
#define MOST_FLOP_PER_CYCLE 131072.0

static adept_status check_peaks(const adept_hardware_spec *s, adept_error *err) {
    for (int i = 0; i < ADEPT_PEAK_COUNT; i++) {
        double flop = s->peak_flop_per_s[i] / (s->sm_count * s->boost_clock_Hz);
        if (flop > MOST_FLOP_PER_CYCLE)
            return adept_fail(err, ADEPT_RANGE,
                              "impossible hardware: peak_flop_per_s.%s is %.0f FLOP per SM and cycle, above "
                              "%.0f; lower it, or raise spec.sm_count or spec.boost_clock_Hz",
                              adept_peak_name((adept_peak)i), flop, MOST_FLOP_PER_CYCLE);
    }
    return ADEPT_OK;
}

adept_status adept_whatif_check(const adept_hardware_spec *s, adept_error *err) {
    /* lower key, its value, upper key, its value, may they be equal */
    const struct {
        const char *small;
        double small_value;
        const char *large;
        double large_value;
        bool equal;
    } orders[] = {
        {"spec.l2_B",              s->l2_B,              "spec.memory_B",          s->memory_B,          false},
        {"spec.base_clock_Hz",     s->base_clock_Hz,     "spec.boost_clock_Hz",    s->boost_clock_Hz,    true },
        {"spec.idle_power_W",      s->idle_power_W,      "spec.tdp_W",             s->tdp_W,             false},
        {"spec.min_power_limit_W", s->min_power_limit_W, "spec.max_power_limit_W", s->max_power_limit_W,
         true                                                                                                 },
        {"spec.min_power_limit_W", s->min_power_limit_W, "spec.tdp_W",             s->tdp_W,             true },
    };
    if (!(s->memory_bandwidth_B_per_s > 0))
        return adept_fail(err, ADEPT_RANGE, "impossible hardware: spec.memory_bandwidth_B_per_s is %g",
                          s->memory_bandwidth_B_per_s);
    if (s->max_clock_Hz > HIGHEST_CLOCK_HZ)
        return adept_fail(err, ADEPT_RANGE,
                          "impossible hardware: %s = %g is beyond %g, which no process reaches "
                          "at the power of a GPU; give hertz",
                          s->boost_clock_Hz > HIGHEST_CLOCK_HZ ? "spec.boost_clock_Hz" : "spec.max_clock_Hz",
                          s->max_clock_Hz, HIGHEST_CLOCK_HZ);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        bool holds = orders[i].equal ? orders[i].small_value <= orders[i].large_value
                                     : orders[i].small_value < orders[i].large_value;
        if (!holds && !isnan(orders[i].small_value) && !isnan(orders[i].large_value))
            return adept_fail(err, ADEPT_RANGE,
                              "impossible hardware: %s = %.10g is not below %s = %.10g; change one of them",
                              orders[i].small, orders[i].small_value, orders[i].large, orders[i].large_value);
    }
    return check_peaks(s, err);
}

/* ---- distance from what is known ---- */

static void take(whatif_ranges *r, const adept_hardware *hardware) {
    for (size_t i = 0; i < r->count; i++) {
        double value;
        adept_hardware_get(hardware, adept_hardware_field_at(i)->path, &value, NULL, NULL);
        if (!(value > 0))
            continue;
        r->lower[i] = fmin(r->lower[i], value); /* fmin and fmax drop a NaN */
        r->upper[i] = fmax(r->upper[i], value);
    }
}

/* No precision of a run computes in FP64: those peaks change nothing, however far they lie outside. */
static void forget_fp64(whatif_ranges *out) {
    for (size_t i = 0; i < out->count; i++) {
        if (strncmp(adept_hardware_field_at(i)->path, "peak_flop_per_s.fp64", 20) == 0)
            out->lower[i] = out->upper[i] = NAN;
    }
}

adept_status whatif_ranges_make(whatif_ranges *out, const adept_whatif *job, adept_variant variant,
                                adept_error *err) {
    adept_hardware_list *list = NULL;
    out->count = adept_hardware_field_count();
    for (size_t i = 0; i < out->count; i++)
        out->lower[i] = out->upper[i] = NAN;
    take(out, job->original);
    adept_status status = variant == ADEPT_VARIANT_THESIS ? ADEPT_OK : adept_hardware_list_load(&list, err);
    for (size_t i = 0; list && i < adept_hardware_list_count(list); i++)
        take(out, adept_hardware_list_at(list, i));
    forget_fp64(out);
    adept_hardware_list_free(list);
    return status;
}

double whatif_octaves_of(const whatif_ranges *r, size_t field, double value) {
    if (!(value > 0) || isnan(r->lower[field]))
        return 0;
    return fmax(0, fmax(log2(value / r->upper[field]), log2(r->lower[field] / value)));
}

double whatif_octaves(const whatif_ranges *r, const adept_hardware *hardware, const char **key) {
    double furthest = 0;
    *key = NULL;
    for (size_t i = 0; i < r->count; i++) {
        double value;
        adept_hardware_origin origin;
        const char *path = adept_hardware_field_at(i)->path;
        adept_hardware_get(hardware, path, &value, &origin, NULL);
        double octaves = origin == ADEPT_ORIGIN_SET ? whatif_octaves_of(r, i, value) : 0;
        if (octaves > furthest) {
            furthest = octaves;
            *key = path;
        }
    }
    return furthest;
}

adept_status adept_whatif_extrapolation(double *octaves, const char **key, const adept_whatif *job,
                                        adept_error *err) {
    whatif_ranges ranges;
    adept_status status = whatif_ranges_make(&ranges, job, job->run->variant, err);
    if (status == ADEPT_OK)
        *octaves = whatif_octaves(&ranges, job->hardware, key);
    return status;
}

static void widen(adept_interval *interval, double value, double octaves) {
    interval->lower = value * pow(interval->lower / value, 1 + octaves);
    interval->upper = value * pow(interval->upper / value, 1 + octaves);
}

void adept_whatif_widen(adept_prediction *p, double octaves) {
    if (!(octaves > 0))
        return;
    widen(&p->step_time_interval_s, p->step_time_s, octaves);
    widen(&p->average_power_interval_W, p->average_power_W, octaves);
}
