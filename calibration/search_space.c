#include "search_space.h"

#include <math.h>
#include <string.h>

#include "fail.h"
#include "number.h"
#include "vector_clones.h"
#include "vector_math.h"

static adept_status find(adept_variant variant, const char *name, size_t *out, adept_error *err) {
    ptrdiff_t index = adept_parameter_index(variant, name);
    if (index >= 0) {
        *out = (size_t)index;
        return ADEPT_OK;
    }
    const char *names[ADEPT_THETA_MAX];
    size_t count = adept_parameter_count(variant);
    for (size_t i = 0; i < count; i++)
        names[i] = adept_parameter_at(variant, i)->name;
    const char *near = adept_nearest_name(name, names, count);
    return adept_fail(err, ADEPT_ARGUMENT, "'%s' is not a parameter of the variant %s%s%s%s", name,
                      adept_variant_name(variant),
                      near ? "; did you mean '" : "; docs/parameters.md lists them", near ? near : "",
                      near ? "'?" : "");
}

static adept_status fix(adept_search_space *space, bool *is_free, const bool *named,
                        const adept_fixed_parameter *fixed, adept_error *err) {
    size_t p = 0;
    adept_status status = find(space->base.variant, fixed->name, &p, err);
    if (status != ADEPT_OK)
        return status;
    const adept_parameter *row = adept_parameter_at(space->base.variant, p);
    if (named[p])
        return adept_fail(err, ADEPT_ARGUMENT, "%s: both free and fixed", fixed->name);
    is_free[p] = false;
    if (isnan(fixed->value))
        return ADEPT_OK;
    if (!(fixed->value >= row->lower && fixed->value <= row->upper))
        return adept_fail(err, ADEPT_ARGUMENT, "%s = %g is outside %g..%g (unit: %s)", fixed->name,
                          fixed->value, row->lower, row->upper, row->unit);
    space->base.value[p] = fixed->value;
    space->base.provenance[p] = ADEPT_PROVENANCE_GIVEN;
    return ADEPT_OK;
}

static void add_coordinate(adept_search_space *space, size_t p) {
    const adept_parameter *row = adept_parameter_at(space->base.variant, p);
    size_t c = space->count++;
    space->parameter[c] = p;
    space->logarithmic[c] = row->logarithmic && row->lower > 0;
    space->limit[c] = row->upper;
    space->bounds[c] = (adept_bounds){row->lower, row->upper};
    if (space->logarithmic[c])
        space->bounds[c] = (adept_bounds){log(row->lower), log(row->upper)};
}

adept_status adept_search_space_new(adept_search_space *out, const adept_theta *base,
                                    const adept_fit_options *options, adept_error *err) {
    bool is_free[ADEPT_THETA_MAX] = {false}, named[ADEPT_THETA_MAX] = {false};
    memset(out, 0, sizeof *out);
    out->base = *base;
    out->slots = base->count;
    for (size_t i = 0; i < base->count && options->free_count == 0; i++)
        is_free[i] = adept_parameter_at(base->variant, i)->free;
    for (size_t i = 0; i < options->free_count; i++) {
        size_t p = 0;
        adept_status status = find(base->variant, options->free[i], &p, err);
        if (status != ADEPT_OK)
            return status;
        is_free[p] = named[p] = true;
    }
    for (size_t i = 0; i < options->fixed_count; i++) {
        adept_status status = fix(out, is_free, named, &options->fixed[i], err);
        if (status != ADEPT_OK)
            return status;
    }
    for (size_t i = 0; i < base->count; i++) {
        if (is_free[i])
            add_coordinate(out, i);
    }
    return ADEPT_OK;
}

void adept_search_space_add_hosts(adept_search_space *space, size_t hosts) {
    ptrdiff_t launch = adept_parameter_index(space->base.variant, "launch");
    if (launch < 0)
        return; /* the variant knows no launch cost of a host */
    const adept_parameter *row = adept_parameter_at(space->base.variant, (size_t)launch);
    for (size_t h = 0; h < hosts && space->slots < ADEPT_THETA_MAX; h++) {
        size_t c = space->count++;
        if (!(space->base.value[space->slots] > 0))
            space->base.value[space->slots] = space->base.value[launch];
        space->parameter[c] = space->slots++;
        space->limit[c] = row->upper;
        space->bounds[c] = (adept_bounds){log(row->lower), log(row->upper)};
        space->logarithmic[c] = true;
    }
}

void adept_search_space_drop(adept_search_space *space, const bool *drop) {
    size_t kept = 0;
    for (size_t c = 0; c < space->count; c++) {
        if (drop[c])
            continue;
        space->parameter[kept] = space->parameter[c];
        space->logarithmic[kept] = space->logarithmic[c];
        space->bounds[kept] = space->bounds[c];
        space->limit[kept++] = space->limit[c];
    }
    space->count = kept;
}

void adept_search_space_start(const adept_search_space *space, double *x) {
    for (size_t c = 0; c < space->count; c++) {
        double value = space->base.value[space->parameter[c]];
        x[c] = space->logarithmic[c] ? log(value) : value;
        x[c] = fmin(fmax(x[c], space->bounds[c].lower), space->bounds[c].upper);
    }
}

/*
 * limit e^(x - ln limit), at most limit. The exponential is exact to an absolute error; by quarters its
 * fourth power keeps a relative one of 1e-11 over twelve decades.
 */
ADEPT_VECTOR_CLONES
static void raise(double *restrict value, const double *restrict x, double log_limit, double limit,
                  size_t count) {
    for (size_t i = 0; i < count; i++) {
        double below = x[i] - log_limit;
        double root = adept_vector_exp(0.25 * (below < 0 ? below : 0));
        value[i] = limit * (root * root) * (root * root);
    }
}

void adept_search_space_theta_many(const adept_search_space *space, const double *x, size_t stride,
                                   size_t count, double *theta) {
    for (size_t p = 0; p < space->slots; p++) {
        for (size_t i = 0; i < count; i++)
            theta[p * count + i] = space->base.value[p];
    }
    for (size_t c = 0; c < space->count; c++) {
        double *value = theta + space->parameter[c] * count;
        if (space->logarithmic[c])
            raise(value, x + c * stride, space->bounds[c].upper, space->limit[c], count);
        else
            memcpy(value, x + c * stride, count * sizeof *value);
    }
}

void adept_search_space_theta(const adept_search_space *space, const double *x, adept_theta *out) {
    double value;
    *out = space->base;
    for (size_t c = 0; c < space->count; c++) {
        value = x[c];
        if (space->logarithmic[c])
            raise(&value, &x[c], space->bounds[c].upper, space->limit[c], 1);
        /* e^(ln bound) is the bound only to the last digit */
        double lower = space->logarithmic[c] ? exp(space->bounds[c].lower) : space->bounds[c].lower;
        if (space->parameter[c] < out->count)
            lower = adept_parameter_at(out->variant, space->parameter[c])->lower;
        value = fmin(fmax(value, lower), space->limit[c]);
        out->value[space->parameter[c]] = value;
    }
}
