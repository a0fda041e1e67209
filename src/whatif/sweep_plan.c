#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "number.h"
#include "sweep_object.h"

/* ---- values of an axis ---- */

typedef struct range {
    double from, to;
    size_t count;
    bool logarithmic;
} range;

static adept_status parse_end(double *out, const char *spec, const char *text, double now, adept_error *err) {
    bool factor = *text == '*';
    if (!adept_number_parse(text + factor, out))
        return adept_fail(err, ADEPT_ARGUMENT, "%s: '%s' is not a number, nor * and a number", spec, text);
    if (factor && isnan(now))
        return adept_fail(err, ADEPT_ARGUMENT, "%s: the present value is not known; give numbers", spec);
    *out = factor ? *out * now : *out;
    return ADEPT_OK;
}

/* "A:B:N[:log]", taken apart in place. */
static adept_status parse_range(range *out, const char *spec, char *text, double now, adept_error *err) {
    char *parts[5];
    size_t count = 0;
    int64_t points;
    for (char *part = text; part && count < 5; count++) {
        parts[count] = part;
        part = strchr(part, ':');
        if (part)
            *part++ = '\0';
    }
    bool logarithmic = count == 4 && strcmp(parts[3], "log") == 0;
    if (!(count == 3 || logarithmic) || !adept_number_parse_i64(parts[2], &points) || points < 1)
        return adept_fail(err, ADEPT_ARGUMENT, "%s: give KEY=A:B:N, KEY=A:B:N:log or KEY=V1,V2,..", spec);
    if (points > ADEPT_AXIS_POINTS_MAX)
        return adept_fail(err, ADEPT_LIMIT, "%s: at most %d values on one axis", spec, ADEPT_AXIS_POINTS_MAX);
    adept_status status = parse_end(&out->from, spec, parts[0], now, err);
    if (status == ADEPT_OK)
        status = parse_end(&out->to, spec, parts[1], now, err);
    if (status == ADEPT_OK && logarithmic && !(out->from > 0 && out->to > 0))
        status = adept_fail(err, ADEPT_ARGUMENT, "%s: equal ratios need ends above 0", spec);
    out->count = (size_t)points;
    out->logarithmic = logarithmic;
    return status;
}

/* Both ends exact. */
static double range_value(const range *r, size_t index) {
    double share = r->count > 1 ? (double)index / (double)(r->count - 1) : 0;
    if (index == 0)
        return r->from;
    if (index == r->count - 1)
        return r->to;
    return r->logarithmic ? r->from * pow(r->to / r->from, share) : r->from + (r->to - r->from) * share;
}

static bool allocate_values(adept_sweep *sweep, sweep_axis *axis, size_t count) {
    axis->values = adept_arena_array(sweep->arena, count, sizeof *axis->values);
    axis->texts = adept_arena_array(sweep->arena, count, sizeof *axis->texts);
    return axis->values && axis->texts;
}

static adept_status add_value(adept_sweep *sweep, sweep_axis *axis, double value, adept_error *err) {
    char text[ADEPT_NUMBER_SIZE];
    if (axis->key.kind == WHATIF_WHOLE) {
        value = round(value);
        for (size_t i = axis->count; i-- > 0;) { /* values rise or fall: the last ones suffice */
            if (axis->values[i] == value)
                return ADEPT_OK;
            if (!axis->whole_list)
                break;
        }
    }
    adept_number_format(text, value);
    const char *copy = adept_arena_string(sweep->arena, text);
    if (!copy)
        return adept_fail_memory(err);
    axis->values[axis->count] = value;
    axis->texts[axis->count++] = copy;
    return ADEPT_OK;
}

static adept_status fill_range(adept_sweep *sweep, sweep_axis *axis, const char *spec, char *text,
                               adept_error *err) {
    range r;
    double now = whatif_key_value(&axis->key, sweep->job.hardware, sweep->job.run);
    if (axis->key.kind == WHATIF_CHOICE)
        return adept_fail(err, ADEPT_ARGUMENT, "%s: %s is no number; give its values, KEY=V1,V2,..", spec,
                          axis->key.name);
    adept_status status = parse_range(&r, spec, text, now, err);
    if (status == ADEPT_OK && !allocate_values(sweep, axis, r.count))
        return adept_fail_memory(err);
    for (size_t i = 0; status == ADEPT_OK && i < r.count; i++)
        status = add_value(sweep, axis, range_value(&r, i), err);
    return status;
}

static adept_status fill_list(adept_sweep *sweep, sweep_axis *axis, const char *spec, char *text,
                              adept_error *err) {
    size_t count = 1;
    adept_status status = ADEPT_OK;
    double now = whatif_key_value(&axis->key, sweep->job.hardware, sweep->job.run), value;
    for (const char *c = text; *c; c++)
        count += *c == ',';
    axis->whole_list = true;
    if (!allocate_values(sweep, axis, count))
        return adept_fail_memory(err);
    for (char *item = text; status == ADEPT_OK && item;) {
        char *comma = strchr(item, ',');
        if (comma)
            *comma++ = '\0';
        if (axis->key.kind == WHATIF_CHOICE) {
            adept_run probe = *sweep->job.run;
            status = adept_run_set(&probe, axis->key.name, item, err);
            axis->values[axis->count] = (double)axis->count;
            axis->texts[axis->count++] = item;
        } else {
            status = parse_end(&value, spec, item, now, err);
            if (status == ADEPT_OK)
                status = add_value(sweep, axis, value, err);
        }
        item = comma;
    }
    return status;
}

/* ---- an axis ---- */

/* An end of the range on the hardware as it is: impossible ones are refused before anything is computed. */
static adept_status check_value(const adept_sweep *sweep, const sweep_axis *axis, double value,
                                adept_error *err) {
    const whatif_key *key = &axis->key;
    if (key->kind == WHATIF_CHOICE)
        return ADEPT_OK;
    if (key->kind == WHATIF_WHOLE || key->kind == WHATIF_REAL) {
        if (value > 0 && value < 1e15)
            return ADEPT_OK;
        return adept_fail(err, ADEPT_RANGE, "--sweep %s: %g is not above 0", key->name, value);
    }
    if (key->kind == WHATIF_PARAMETER) {
        const adept_parameter *p = adept_parameter_at(key->variant, key->index);
        if (value >= p->lower && value <= p->upper)
            return ADEPT_OK;
        return adept_fail(err, ADEPT_RANGE, "%s = %.10g is outside %g..%g (unit: %s)", key->name, value,
                          p->lower, p->upper, p->unit);
    }
    adept_hardware *hardware = NULL;
    adept_status status = adept_hardware_copy(&hardware, sweep->job.hardware, err);
    if (status == ADEPT_OK)
        status = whatif_apply(hardware, NULL, sweep->job.hardware, key, &value, 1, err);
    if (status == ADEPT_OK && sweep->axis_count == 1)
        status = adept_whatif_check(adept_hardware_spec_of(hardware), err);
    adept_hardware_free(hardware);
    return status;
}

static adept_status make_axis(adept_sweep *sweep, sweep_axis *axis, const char *spec, adept_error *err) {
    char *text = adept_arena_string(sweep->arena, spec);
    char *equals = text ? strchr(text, '=') : NULL;
    if (!text)
        return adept_fail_memory(err);
    if (!equals || !equals[1])
        return adept_fail(err, ADEPT_ARGUMENT, "'%s': give KEY=A:B:N[:log] or KEY=V1,V2,..", spec);
    *equals = '\0';
    adept_status status = whatif_key_find(&axis->key, text, true, err);
    if (status != ADEPT_OK)
        return status;
    for (const sweep_axis *other = sweep->axes; other < axis; other++) {
        if (strcmp(other->key.name, axis->key.name) == 0)
            return adept_fail(err, ADEPT_ARGUMENT, "%s is swept twice", text);
    }
    axis->slow = axis->key.kind >= WHATIF_REAL && axis->key.late == WHATIF_NOT_LATE;
    status = strchr(equals + 1, ':') ? fill_range(sweep, axis, spec, equals + 1, err)
                                     : fill_list(sweep, axis, spec, equals + 1, err);
    return status;
}

static int pace(const sweep_axis *axis) {
    return axis->slow ? 0 : axis->key.late == WHATIF_POWER_LIMIT ? 2 : 1;
}

/* Slow axes first, power limits last: they share most of the work. Each group in the order given. */
static void order_axes(adept_sweep *sweep) {
    sweep_axis sorted[ADEPT_AXES_MAX];
    size_t count = 0;
    for (int group = 0; group <= 2; group++) {
        for (size_t i = 0; i < sweep->axis_count; i++) {
            if (pace(&sweep->axes[i]) == group)
                sorted[count++] = sweep->axes[i];
        }
    }
    memcpy(sweep->axes, sorted, count * sizeof *sorted);
}

static adept_status count_points(adept_sweep *sweep, adept_error *err) {
    sweep->profiles = sweep->fast_points = sweep->limits = 1;
    for (size_t i = 0; i < sweep->axis_count; i++) {
        if (pace(&sweep->axes[i]) == 2)
            sweep->limits = sweep->axes[i].count;
        uint64_t *count = sweep->axes[i].slow ? &sweep->profiles : &sweep->fast_points;
        if (__builtin_mul_overflow(*count, (uint64_t)sweep->axes[i].count, count) || *count > UINT64_C(1)
                                                                                                  << 31)
            return adept_fail(err, ADEPT_LIMIT, "the grid has more points than any run could evaluate");
    }
    return ADEPT_OK;
}

/* ---- distances ---- */

static bool is_axis(const adept_sweep *sweep, const char *path) {
    for (size_t i = 0; i < sweep->axis_count; i++) {
        if (strcmp(sweep->axes[i].key.name, path) == 0)
            return true;
    }
    return sweep->rates_follow && strncmp(path, "peak_flop_per_s.", 16) == 0;
}

static adept_status measure_distances(adept_sweep *sweep, adept_error *err) {
    adept_status status = ADEPT_OK;
    for (size_t i = 0; i < sweep->axis_count; i++)
        sweep->rates_follow = sweep->rates_follow || strcmp(sweep->axes[i].key.name, "spec.sm_count") == 0 ||
                              strcmp(sweep->axes[i].key.name, "spec.boost_clock_Hz") == 0;
    for (size_t i = 0, peak = 0; i < adept_hardware_field_count() && peak < ADEPT_PEAK_COUNT; i++) {
        if (strncmp(adept_hardware_field_at(i)->path, "peak_flop_per_s.", 16) == 0)
            sweep->peak_fields[peak++] = i;
    }
    for (int v = 0; v < ADEPT_VARIANT_COUNT && status == ADEPT_OK; v++) {
        status = whatif_ranges_make(&sweep->ranges[v], &sweep->job, (adept_variant)v, err);
        for (size_t i = 0; status == ADEPT_OK && i < adept_hardware_field_count(); i++) {
            double value;
            adept_hardware_origin origin;
            const char *path = adept_hardware_field_at(i)->path;
            adept_hardware_get(sweep->job.hardware, path, &value, &origin, NULL);
            if (origin == ADEPT_ORIGIN_SET && !is_axis(sweep, path))
                sweep->base_octaves[v] =
                    fmax(sweep->base_octaves[v], whatif_octaves_of(&sweep->ranges[v], i, value));
        }
    }
    return status;
}

/* ---- the plan ---- */

static adept_status make_scratch(adept_sweep *sweep, adept_error *err) {
    adept_status status = adept_worker_pool_new(&sweep->pool, sweep->job.threads, err);
    size_t threads = status == ADEPT_OK ? adept_worker_pool_threads(sweep->pool) : 0;
    sweep->scratch = adept_arena_array(sweep->arena, threads, sizeof *sweep->scratch);
    if (status == ADEPT_OK && !sweep->scratch)
        status = adept_fail_memory(err);
    for (size_t i = 0; status == ADEPT_OK && i < threads; i++) {
        sweep->scratch[i].group = SWEEP_ALONE;
        status = adept_hardware_copy(&sweep->scratch[i].hardware, sweep->job.hardware, err);
        if (status == ADEPT_OK && sweep->limits > 1)
            status = adept_prepared_new(&sweep->scratch[i].prepared, err);
        for (int v = 0; status == ADEPT_OK && v < ADEPT_VARIANT_COUNT; v++)
            status =
                adept_theta_init(&sweep->scratch[i].theta[v], (adept_variant)v, sweep->job.hardware, err);
    }
    return status;
}

static adept_status plan(adept_sweep *sweep, const char *const *specs, size_t count, adept_error *err) {
    adept_status status = ADEPT_OK;
    if (count > ADEPT_AXES_MAX)
        return adept_fail(err, ADEPT_LIMIT, "%zu axes, at most %d are possible", count, ADEPT_AXES_MAX);
    for (size_t i = 0; i < count && status == ADEPT_OK; i++)
        status = make_axis(sweep, &sweep->axes[i], specs[i], err);
    sweep->axis_count = count;
    for (size_t i = 0; i < count && status == ADEPT_OK; i++) {
        const sweep_axis *axis = &sweep->axes[i];
        status = check_value(sweep, axis, axis->values[0], err);
        if (status == ADEPT_OK)
            status = check_value(sweep, axis, axis->values[axis->count - 1], err);
    }
    if (status != ADEPT_OK)
        return status;
    order_axes(sweep);
    status = count_points(sweep, err);
    if (status == ADEPT_OK)
        status = measure_distances(sweep, err);
    return status == ADEPT_OK ? make_scratch(sweep, err) : status;
}

adept_status adept_sweep_new(adept_sweep **out, const adept_whatif *job, const char *const *specs,
                             size_t count, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_sweep *sweep = arena ? adept_arena_alloc(arena, sizeof *sweep) : NULL;
    if (!sweep) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    sweep->arena = arena;
    sweep->job = *job;
    adept_status status = plan(sweep, specs, count, err);
    if (status != ADEPT_OK) {
        adept_sweep_free(sweep);
        return status;
    }
    *out = sweep;
    return ADEPT_OK;
}

void adept_sweep_free(adept_sweep *sweep) {
    if (!sweep)
        return;
    size_t threads = sweep->pool && sweep->scratch ? adept_worker_pool_threads(sweep->pool) : 0;
    for (size_t i = 0; i < threads; i++) {
        adept_hardware_free(sweep->scratch[i].hardware);
        adept_prepared_free(sweep->scratch[i].prepared);
    }
    adept_worker_pool_free(sweep->pool);
    adept_arena_free(sweep->arena);
}

/* ---- what it is ---- */

uint64_t adept_sweep_points(const adept_sweep *sweep) {
    return sweep->profiles * sweep->fast_points;
}

uint64_t adept_sweep_profiles(const adept_sweep *sweep) {
    return sweep->profiles;
}

size_t adept_sweep_axis_count(const adept_sweep *sweep) {
    return sweep->axis_count;
}

const char *adept_sweep_key(const adept_sweep *sweep, size_t axis) {
    return sweep->axes[axis].key.name;
}

const char *adept_sweep_unit(const adept_sweep *sweep, size_t axis) {
    return sweep->axes[axis].key.unit;
}

size_t adept_sweep_axis_points(const adept_sweep *sweep, size_t axis) {
    return sweep->axes[axis].count;
}

bool adept_sweep_is_choice(const adept_sweep *sweep, size_t axis) {
    return sweep->axes[axis].key.kind == WHATIF_CHOICE;
}

bool adept_sweep_is_continuous(const adept_sweep *sweep, size_t axis) {
    const sweep_axis *a = &sweep->axes[axis];
    return !a->slow && !a->whole_list && a->key.kind != WHATIF_CHOICE;
}

double adept_sweep_value(const adept_sweep *sweep, size_t axis, size_t index) {
    return sweep->axes[axis].values[index];
}

const char *adept_sweep_value_text(const adept_sweep *sweep, size_t axis, size_t index) {
    return sweep->axes[axis].texts[index];
}
