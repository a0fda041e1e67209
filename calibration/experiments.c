/* The thesis's experiments: the staged fit of its table 4.2, and the choice of the saturation function. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "fit_object.h"
#include "thesis.h"

static const char *scalar_name(size_t i) {
    size_t count;
    const adept_targeted_scalar *scalars = adept_targeted_scalars(&count);
    return adept_parameter_at(ADEPT_VARIANT_THESIS, (size_t)scalars[i].parameter)->name;
}

/* Names of the parameters that are free with the first `scalars` targeted ones, and the others fixed at 1. */
typedef struct stage_choice {
    const char *free[ADEPT_THETA_MAX];
    adept_fixed_parameter fixed[2 * ADEPT_THETA_MAX];
} stage_choice;

static bool is_free_by_user(const adept_fit_options *o, const char *name, bool by_table) {
    bool is_free = o->free_count == 0 && by_table;
    for (size_t i = 0; i < o->free_count; i++)
        is_free |= strcmp(o->free[i], name) == 0;
    for (size_t i = 0; i < o->fixed_count; i++)
        is_free &= strcmp(o->fixed[i].name, name) != 0;
    return is_free;
}

/* Number of the targeted scalar with this name, or the count of them. */
static size_t scalar_of(const char *name) {
    size_t count, i = 0;
    adept_targeted_scalars(&count);
    while (i < count && strcmp(scalar_name(i), name) != 0)
        i++;
    return i;
}

static adept_fit_options choose(const adept_fit_options *o, size_t scalars, stage_choice *choice) {
    adept_fit_options out = *o;
    size_t all;
    adept_targeted_scalars(&all);
    out.free_count = out.fixed_count = 0;
    for (size_t i = 0; i < o->fixed_count && i < ADEPT_THETA_MAX; i++)
        choice->fixed[out.fixed_count++] = o->fixed[i];
    for (size_t i = 0; i < adept_parameter_count(ADEPT_VARIANT_THESIS); i++) {
        const adept_parameter *row = adept_parameter_at(ADEPT_VARIANT_THESIS, i);
        size_t scalar = scalar_of(row->name);
        if (!is_free_by_user(o, row->name, row->free))
            continue;
        if (scalar == all || scalar < scalars)
            choice->free[out.free_count++] = row->name;
        else
            choice->fixed[out.fixed_count++] = (adept_fixed_parameter){row->name, 1};
    }
    out.free = choice->free;
    out.fixed = choice->fixed;
    return out;
}

/* Fits, scores in-sample, fills the row. */
static adept_status run(adept_stage *row, adept_fit **fit, const adept_dataset *dataset,
                        const adept_fit_options *options, adept_error *err) {
    adept_validation *v = NULL;
    adept_status status = adept_fit_run(fit, dataset, NULL, options, err);
    if (status == ADEPT_OK)
        status = adept_validation_of(&v, dataset, (*fit)->thetas, options->threads, err);
    if (status != ADEPT_OK)
        return status;
    row->scores = adept_validation_total(v)->scores;
    row->free_count = 0;
    row->loss = row->seconds = 0;
    for (size_t i = 0; i < (*fit)->part_count; i++) {
        const adept_fit_part *part = &(*fit)->parts[i].report;
        row->free_count += part->free_count;
        row->loss += part->loss * (double)part->rows;
        row->seconds += part->seconds;
    }
    row->loss /= (double)adept_validation_count(v);
    adept_validation_free(v);
    return ADEPT_OK;
}

static adept_status check_variant(const adept_fit_options *options, adept_error *err) {
    if (options->variant == ADEPT_VARIANT_THESIS)
        return ADEPT_OK;
    return adept_fail(err, ADEPT_ARGUMENT,
                      "the thesis's experiments are about its own equations: --variant thesis");
}

adept_status adept_fit_stages(adept_stage *stages, adept_fit **last, const adept_dataset *dataset,
                              const adept_fit_options *options, adept_error *err) {
    adept_status status = check_variant(options, err);
    adept_fit *previous = NULL;
    stage_choice choice;
    *last = NULL;
    for (size_t i = 0; status == ADEPT_OK && i < ADEPT_STAGE_COUNT; i++) {
        adept_fit_options stage = choose(options, i, &choice);
        stage.start = previous ? previous->thetas : options->start;
        stage.checkpoint = NULL;
        snprintf(stages[i].name, sizeof stages[i].name, "S%zu %s%s", i + 1, i ? "+ " : "base parameters",
                 i ? scalar_name(i - 1) : "");
        status = run(&stages[i], last, dataset, &stage, err);
        adept_fit_free(previous);
        previous = *last;
    }
    if (status != ADEPT_OK) {
        adept_fit_free(previous);
        *last = NULL;
    }
    return status;
}

adept_status adept_fit_ablation(adept_stage *rows, const adept_dataset *dataset,
                                const adept_fit_options *options, adept_error *err) {
    adept_status status = check_variant(options, err);
    stage_choice choice;
    size_t scalars;
    adept_targeted_scalars(&scalars);
    for (size_t i = 0; status == ADEPT_OK && i < ADEPT_ABLATION_COUNT; i++) {
        adept_fit *fit = NULL;
        adept_fit_options one = choose(options, i % 2 ? scalars : 0, &choice);
        one.saturation = (int)(i / 2);
        one.checkpoint = NULL;
        snprintf(rows[i].name, sizeof rows[i].name, "%s, %s targeted scalars",
                 adept_saturation_name((adept_saturation)(i / 2)), i % 2 ? "with" : "without");
        status = run(&rows[i], &fit, dataset, &one, err);
        adept_fit_free(fit);
    }
    return status;
}
