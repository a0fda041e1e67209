#include "whatif_keys.h"

#include <math.h>
#include <string.h>

#include "fail.h"
#include "number.h"

static const struct {
    const char *name;
    whatif_kind kind;
    whatif_late late;
    const char *unit;
} run_keys[] = {
    {"batch",       WHATIF_WHOLE,  WHATIF_NOT_LATE,    "samples per GPU"},
    {"seq",         WHATIF_WHOLE,  WHATIF_NOT_LATE,    "tokens"         },
    {"gpus",        WHATIF_WHOLE,  WHATIF_NOT_LATE,    ""               },
    {"grad-accum",  WHATIF_WHOLE,  WHATIF_NOT_LATE,    ""               },
    {"launch-us",   WHATIF_REAL,   WHATIF_NOT_LATE,    "us"             },
    {"power-limit", WHATIF_REAL,   WHATIF_POWER_LIMIT, "W"              },
    {"clock-limit", WHATIF_REAL,   WHATIF_CLOCK_LIMIT, "Hz"             },
    {"variant",     WHATIF_CHOICE, WHATIF_VARIANT,     ""               },
};

/* Options that no grid can vary: lists, and the names of policies. */
static bool is_choice_option(const char *name) {
    adept_run_option_info info;
    for (size_t i = 0; adept_run_option(i, &info); i++) {
        if (strcmp(info.name, name) == 0)
            return !info.list;
    }
    return false;
}

static bool find_run_key(whatif_key *out, const char *name) {
    for (size_t i = 0; i < sizeof run_keys / sizeof run_keys[0]; i++) {
        if (strcmp(run_keys[i].name, name) == 0) {
            out->kind = run_keys[i].kind;
            out->late = run_keys[i].late;
            out->unit = run_keys[i].unit;
            return true;
        }
    }
    out->kind = WHATIF_CHOICE;
    out->unit = "";
    return is_choice_option(name);
}

static bool find_field(whatif_key *out, const char *name) {
    for (size_t i = 0; i < adept_hardware_field_count(); i++) {
        const adept_hardware_field *field = adept_hardware_field_at(i);
        if (strcmp(field->path, name) == 0) {
            out->kind = WHATIF_FIELD;
            out->index = i;
            out->unit = field->unit;
            return true;
        }
    }
    return false;
}

/* "theta.VARIANT.NAME"; *known: it is such a path at all. */
static adept_status find_parameter(whatif_key *out, const char *name, bool *known, adept_error *err) {
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        char prefix[32];
        size_t length = strlen("theta..") + strlen(adept_variant_name((adept_variant)v));
        snprintf(prefix, sizeof prefix, "theta.%s.", adept_variant_name((adept_variant)v));
        if (strncmp(name, prefix, length) != 0)
            continue;
        *known = true;
        ptrdiff_t index = adept_parameter_index((adept_variant)v, name + length);
        if (index < 0)
            return adept_fail(err, ADEPT_ARGUMENT, "%s is not a parameter; docs/parameters.md lists them",
                              name);
        out->kind = WHATIF_PARAMETER;
        out->variant = (adept_variant)v;
        out->index = (size_t)index;
        out->unit = adept_parameter_at((adept_variant)v, (size_t)index)->unit;
    }
    return ADEPT_OK;
}

static adept_status unknown_key(const char *name, bool run_options, adept_error *err) {
    const char *names[256];
    size_t count = 0;
    adept_run_option_info info;
    for (size_t i = 0; i < adept_hardware_field_count() && count < 200; i++)
        names[count++] = adept_hardware_field_at(i)->path;
    for (size_t i = 0; run_options && adept_run_option(i, &info) && count < 256; i++)
        names[count++] = info.name;
    const char *near = adept_nearest_name(name, names, count);
    for (size_t i = 0; !near && i < count; i++) { /* the section left out */
        const char *dot = strrchr(names[i], '.');
        if (dot && strcmp(dot + 1, name) == 0)
            near = names[i];
    }
    if (near)
        return adept_fail(err, ADEPT_ARGUMENT, "'%s' is not known; did you mean '%s'?", name, near);
    return adept_fail(err, ADEPT_ARGUMENT,
                      "'%s' is neither a figure of a hardware file%s; 'adept hw show ID --json' prints the "
                      "figures, docs/parameters.md the parameters",
                      name, run_options ? " nor a run option" : " nor a parameter");
}

adept_status whatif_key_find(whatif_key *out, const char *name, bool run_options, adept_error *err) {
    bool known = false;
    *out = (whatif_key){.unit = ""};
    if (strlen(name) >= sizeof out->name)
        return adept_fail(err, ADEPT_ARGUMENT, "'%.40s...' is not a key", name);
    memcpy(out->name, name, strlen(name) + 1);
    adept_status status = find_parameter(out, name, &known, err);
    if (status != ADEPT_OK || known || find_field(out, name))
        return status;
    if (find_run_key(out, name)) {
        if (run_options)
            return ADEPT_OK;
        return adept_fail(err, ADEPT_ARGUMENT, "%s is a run option, no figure of the hardware: give --%s",
                          name, name);
    }
    return unknown_key(name, run_options, err);
}

static double parameter_value(const whatif_key *key, const adept_hardware *hardware) {
    adept_theta theta;
    if (adept_theta_init(&theta, key->variant, hardware, NULL) != ADEPT_OK)
        return NAN;
    return theta.value[key->index];
}

double whatif_key_value(const whatif_key *key, const adept_hardware *hardware, const adept_run *run) {
    const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
    double value = NAN;
    switch (key->kind) {
    case WHATIF_FIELD:
        adept_hardware_get(hardware, key->name, &value, NULL, NULL);
        return value;
    case WHATIF_PARAMETER:
        return parameter_value(key, hardware);
    case WHATIF_CHOICE:
        return NAN;
    default:
        break;
    }
    if (!run)
        return NAN;
    if (key->late == WHATIF_POWER_LIMIT)
        return run->power_limit_W > 0 ? run->power_limit_W : spec->tdp_W;
    if (key->late == WHATIF_CLOCK_LIMIT)
        return run->clock_limit_Hz > 0 ? run->clock_limit_Hz : spec->max_clock_Hz;
    const struct {
        const char *name;
        double value;
    } values[] = {
        {"batch",      (double)run->batch },
        {"seq",        (double)run->seq   },
        {"gpus",       run->gpus          },
        {"grad-accum", run->grad_accum    },
        {"launch-us",  run->launch_s * 1e6},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(values[i].name, key->name) == 0)
            value = values[i].value > 0 ? values[i].value : NAN;
    }
    return value;
}

/* ---- figures that follow others ---- */

#define PEAK_PATH(code, name, meaning) "peak_flop_per_s." name,
static const char *const peak_paths[] = {ADEPT_PEAK_LIST(PEAK_PATH)};
#undef PEAK_PATH

static const struct {
    const char *key, *text;
} consequences[] = {
    {"spec.boost_clock_Hz", "the peaks of all units, the base and highest clock and the clock of the matrix "
     "units change in proportion"},
    {"spec.sm_count",      "the peaks of all units change in proportion; caches, memory and transistors stay"},
    {"spec.tdp_W",         "the range of power limits is widened to hold it"},
};

const char *adept_whatif_consequence(const char *key) {
    for (size_t i = 0; i < sizeof consequences / sizeof consequences[0]; i++) {
        if (strcmp(consequences[i].key, key) == 0)
            return consequences[i].text;
    }
    return NULL;
}

typedef struct figures {
    const whatif_key *keys;
    const double *values;
    size_t count;
    adept_hardware *hardware;
    const adept_hardware *base;
} figures;

static double given(const figures *f, const char *key) {
    for (size_t i = 0; i < f->count; i++) {
        if (f->keys[i].kind == WHATIF_FIELD && strcmp(f->keys[i].name, key) == 0)
            return f->values[i];
    }
    return NAN;
}

/* Sets path to value, unless it is given itself, or derived from the others anyway. */
static adept_status follow(const figures *f, const char *path, double value, adept_error *err) {
    double present;
    adept_hardware_origin origin;
    if (!isnan(given(f, path)))
        return ADEPT_OK;
    adept_hardware_get(f->base, path, &present, &origin, NULL);
    if (origin != ADEPT_ORIGIN_FILE && origin != ADEPT_ORIGIN_SET)
        return ADEPT_OK;
    return adept_hardware_set(f->hardware, path, value, err);
}

static adept_status follow_rates(const figures *f, adept_error *err) {
    const adept_hardware_spec *base = adept_hardware_spec_of(f->base);
    double clock_Hz = given(f, "spec.boost_clock_Hz"), sm = given(f, "spec.sm_count");
    double clocks = isnan(clock_Hz) ? 1 : clock_Hz / base->boost_clock_Hz;
    double factor = clocks * (isnan(sm) ? 1 : sm / base->sm_count);
    adept_status status = ADEPT_OK;
    if (isnan(clock_Hz) && isnan(sm))
        return ADEPT_OK;
    for (int i = 0; i < ADEPT_PEAK_COUNT && status == ADEPT_OK; i++) {
        if (!isnan(base->peak_flop_per_s[i]))
            status = follow(f, peak_paths[i], base->peak_flop_per_s[i] * factor, err);
    }
    if (status == ADEPT_OK && !isnan(clock_Hz))
        status = follow(f, "spec.base_clock_Hz", base->base_clock_Hz * clocks, err);
    if (status == ADEPT_OK && !isnan(clock_Hz))
        status = follow(f, "spec.max_clock_Hz", base->max_clock_Hz * clocks, err);
    if (status == ADEPT_OK && !isnan(clock_Hz))
        status = follow(f, "spec.tensor_clock_Hz", base->tensor_clock_Hz * clocks, err);
    return status;
}

static adept_status follow_tdp(const figures *f, adept_error *err) {
    const adept_hardware_spec *base = adept_hardware_spec_of(f->base);
    double tdp_W = given(f, "spec.tdp_W");
    adept_status status = ADEPT_OK;
    if (isnan(tdp_W))
        return ADEPT_OK;
    status = follow(f, "spec.max_power_limit_W", fmax(base->max_power_limit_W, tdp_W), err);
    if (status == ADEPT_OK)
        status = follow(f, "spec.min_power_limit_W", fmin(base->min_power_limit_W, tdp_W), err);
    return status;
}

adept_status whatif_apply(adept_hardware *hardware, adept_theta *theta, const adept_hardware *base,
                          const whatif_key *keys, const double *values, size_t count, adept_error *err) {
    figures f = {keys, values, count, hardware, base};
    adept_status status = ADEPT_OK;
    for (size_t i = 0; i < count && status == ADEPT_OK; i++) {
        if (keys[i].kind == WHATIF_FIELD || (keys[i].kind == WHATIF_PARAMETER && !theta)) {
            status = adept_hardware_set(hardware, keys[i].name, values[i], err);
        } else if (keys[i].kind == WHATIF_PARAMETER && theta->variant == keys[i].variant) {
            theta->value[keys[i].index] = values[i];
            theta->provenance[keys[i].index] = ADEPT_PROVENANCE_GIVEN;
        }
    }
    if (status == ADEPT_OK)
        status = follow_rates(&f, err);
    return status == ADEPT_OK ? follow_tdp(&f, err) : status;
}

/* ---- --set ---- */

/* "VALUE", "*F", "+P%", "-P%" on top of now. */
static adept_status parse_value(double *out, const char *key, const char *text, double now,
                                adept_error *err) {
    char number[64];
    size_t length = strlen(text);
    double value;
    bool factor = *text == '*', percent = length > 1 && text[length - 1] == '%';
    const char *digits = text + factor;
    snprintf(number, sizeof number, "%.*s", (int)(strlen(digits) - percent), digits);
    if (!adept_number_parse(number, &value) || strlen(digits) >= sizeof number || (factor && percent))
        return adept_fail(err, ADEPT_ARGUMENT, "%s=%s: give a number, *F or +P%%", key, text);
    if ((factor || percent) && isnan(now))
        return adept_fail(err, ADEPT_ARGUMENT, "%s=%s: its value is not known; give a number", key, text);
    *out = factor ? now * value : percent ? now * (1 + value / 100) : value;
    return ADEPT_OK;
}

static adept_status parse_assignment(whatif_key *key, double *value, const adept_hardware *hardware,
                                     const char *text, adept_error *err) {
    char name[96];
    const char *equals = strchr(text, '=');
    if (!equals || (size_t)(equals - text) >= sizeof name)
        return adept_fail(err, ADEPT_ARGUMENT, "'%s': give KEY=VALUE, KEY=*F or KEY=+P%%", text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    adept_status status = whatif_key_find(key, name, false, err);
    if (status != ADEPT_OK)
        return status;
    status = parse_value(value, name, equals + 1, whatif_key_value(key, hardware, NULL), err);
    if (status != ADEPT_OK || key->kind != WHATIF_PARAMETER)
        return status;
    const adept_parameter *p = adept_parameter_at(key->variant, key->index);
    if (!(*value >= p->lower && *value <= p->upper))
        return adept_fail(err, ADEPT_RANGE, "%s = %.10g is outside %g..%g (unit: %s)", name, *value, p->lower,
                          p->upper, p->unit);
    return ADEPT_OK;
}

enum { SETTINGS_MAX = 64 };

adept_status adept_whatif_set(adept_hardware *hardware, const char *const *assignments, size_t count,
                              adept_error *err) {
    whatif_key keys[SETTINGS_MAX];
    double values[SETTINGS_MAX];
    adept_hardware *base = NULL;
    if (count > SETTINGS_MAX)
        return adept_fail(err, ADEPT_LIMIT, "%zu settings, at most %d are possible", count, SETTINGS_MAX);
    adept_status status = adept_hardware_copy(&base, hardware, err);
    for (size_t i = 0; i < count && status == ADEPT_OK; i++) {
        status = parse_assignment(&keys[i], &values[i], base, assignments[i], err);
        for (size_t j = 0; j < i && status == ADEPT_OK; j++) {
            if (strcmp(keys[i].name, keys[j].name) == 0)
                status = adept_fail(err, ADEPT_ARGUMENT, "%s is set twice", keys[i].name);
        }
    }
    if (status == ADEPT_OK)
        status = whatif_apply(hardware, NULL, base, keys, values, count, err);
    if (status == ADEPT_OK)
        status = adept_whatif_check(adept_hardware_spec_of(hardware), err);
    adept_hardware_free(base);
    return status;
}
