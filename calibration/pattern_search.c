#include "pattern_search.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

typedef struct pattern {
    const adept_objective *objective;
    const adept_bounds *bounds;
    size_t n, count;                        /* coordinates, candidates of a round */
    double *x, *step, *candidates, *losses; /* [n], [n], [n][count], [count] */
    double best;
} pattern;

static double clip(const pattern *p, size_t c, double value) {
    return fmin(fmax(value, p->bounds[c].lower), p->bounds[c].upper);
}

static double range(const pattern *p, size_t c) {
    return p->bounds[c].upper - p->bounds[c].lower;
}

/* Candidate 2 c is a step down along c, 2 c + 1 a step up. */
static void propose(pattern *p) {
    for (size_t c = 0; c < p->n; c++) {
        for (size_t i = 0; i < p->count; i++)
            p->candidates[c * p->count + i] = p->x[c];
        p->candidates[c * p->count + 2 * c] = clip(p, c, p->x[c] - p->step[c]);
        p->candidates[c * p->count + 2 * c + 1] = clip(p, c, p->x[c] + p->step[c]);
    }
}

static adept_status take(pattern *p, const double *x, double loss) {
    if (!(loss < p->best))
        return ADEPT_OK;
    p->best = loss;
    memcpy(p->x, x, p->n * sizeof *x);
    return ADEPT_OK;
}

/* All improving steps together often beat the best one alone; otherwise that one is taken. */
static adept_status move(pattern *p, double *together, adept_error *err) {
    size_t best = p->count;
    double loss, least = p->best;
    memcpy(together, p->x, p->n * sizeof *together);
    for (size_t c = 0; c < p->n; c++) {
        double down = p->losses[2 * c], up = p->losses[2 * c + 1];
        size_t better = down < up ? 2 * c : 2 * c + 1;
        if (!(p->losses[better] < p->best)) {
            p->step[c] *= 0.5;
            continue;
        }
        together[c] = p->candidates[c * p->count + better];
        p->step[c] = fmin(1.6 * p->step[c], 0.25 * range(p, c));
        if (p->losses[better] < least) {
            least = p->losses[better];
            best = better;
        }
    }
    if (best == p->count)
        return ADEPT_OK;
    adept_status status = p->objective->evaluate(p->objective->user, 0, together, 1, &loss, err);
    if (status != ADEPT_OK)
        return status;
    if (loss < least)
        return take(p, together, loss);
    memcpy(together, p->x, p->n * sizeof *together);
    together[best / 2] = p->candidates[best / 2 * p->count + best];
    return take(p, together, least);
}

static bool done(const pattern *p, double last_step) {
    for (size_t c = 0; c < p->n; c++) {
        if (p->step[c] > last_step * range(p, c))
            return false;
    }
    return true;
}

static adept_status search(pattern *p, adept_pattern_result *result, const adept_pattern_settings *settings,
                           double *together, adept_error *err) {
    adept_status status = p->objective->evaluate(p->objective->user, 0, p->x, 1, &p->best, err);
    result->before = result->after = p->best;
    for (size_t c = 0; c < p->n; c++)
        p->step[c] = settings->first_step * range(p, c);
    while (status == ADEPT_OK && result->rounds < settings->rounds && !done(p, settings->last_step)) {
        propose(p);
        status = p->objective->evaluate(p->objective->user, 0, p->candidates, p->count, p->losses, err);
        if (status == ADEPT_OK)
            status = move(p, together, err);
        result->rounds++;
        result->evaluations += p->count + 1;
        result->after = p->best;
    }
    return status;
}

adept_status adept_pattern_search(adept_pattern_result *result, double *x, const adept_objective *objective,
                                  const adept_bounds *bounds, size_t parameters,
                                  const adept_pattern_settings *settings, adept_error *err) {
    pattern p = {.objective = objective, .bounds = bounds, .n = parameters, .count = 2 * parameters, .x = x};
    double *memory = malloc((parameters * (2 + p.count) + p.count + 1) * sizeof *memory);
    *result = (adept_pattern_result){NAN, NAN, 0, 0};
    if (!memory)
        return adept_fail_memory(err);
    p.step = memory;
    double *together = p.step + parameters;
    p.candidates = together + parameters;
    p.losses = p.candidates + parameters * p.count;
    adept_status status = search(&p, result, settings, together, err);
    free(memory);
    return status;
}
