#include "polish.h"

#include <float.h>
#include <math.h>
#include <nlopt.h>
#include <string.h>

#include "arena.h"
#include "fail.h"

/*
 * Step of the central difference, in units of a parameter's range: the cube root of the machine epsilon
 * balances truncation (step^2) and rounding (epsilon / step).
 */
static const double DIFFERENCE = 6.055454452393343e-06;

/* NLopt takes any finite number for a value; a line search that meets this one backs up. */
static const double PENALTY = 1e100;

/* A line search that failed by rounding often succeeds from where it stopped, with a fresh memory. */
enum { RESTARTS = 5 };

/* One polish; NLopt works on the free parameters, each scaled to [0, 1]. */
typedef struct polish_run {
    const adept_objective *objective;
    const adept_bounds *bounds;
    const adept_polish_settings *settings;
    size_t parameters, free_count;
    size_t *free;              /* [free_count] */
    double *best_x;            /* [parameters], the caller's */
    double best;               /* its loss */
    double *x, *derivative;    /* [parameters] point of the current call */
    double *u;                 /* [free_count] */
    double *candidates, *loss; /* [parameters][1 + 2 free_count], [1 + 2 free_count] */
    double *width; /* [free_count] distance of the two points of a difference, in units of the range */
    size_t evaluations;
    nlopt_opt solver;
    adept_status status;
    adept_error *err;
} polish_run;

static double range_of(adept_bounds bounds) {
    return bounds.upper - bounds.lower;
}

static double unscale(adept_bounds bounds, double u) {
    const double x = bounds.lower + (u < 0 ? 0 : u) * range_of(bounds);
    return x < bounds.upper ? x : bounds.upper;
}

static double finite_loss(double loss) {
    return isfinite(loss) ? loss : PENALTY;
}

static void keep_if_better(polish_run *run, double loss, const double *candidates, size_t stride) {
    if (!(loss < run->best))
        return;
    run->best = loss;
    for (size_t p = 0; p < run->parameters; p++)
        run->best_x[p] = candidates[p * stride];
}

/* Loss at run->x, and with `with_gradient` at the points before and behind it along every free parameter. */
static bool evaluate(polish_run *run, bool with_gradient) {
    const size_t count = with_gradient ? 1 + 2 * run->free_count : 1;
    for (size_t p = 0; p < run->parameters; p++) {
        for (size_t i = 0; i < count; i++)
            run->candidates[p * count + i] = run->x[p];
    }
    for (size_t k = 0; with_gradient && k < run->free_count; k++) {
        const adept_bounds bounds = run->bounds[run->free[k]];
        double *row = run->candidates + run->free[k] * count + 1 + 2 * k;
        const double u = (run->x[run->free[k]] - bounds.lower) / range_of(bounds);
        row[0] = unscale(bounds, u - DIFFERENCE);
        row[1] = unscale(bounds, u + DIFFERENCE);
        run->width[k] = (row[1] - row[0]) / range_of(bounds);
    }
    run->status =
        run->objective->evaluate(run->objective->user, 0, run->candidates, count, run->loss, run->err);
    if (run->status != ADEPT_OK)
        return false;
    run->evaluations += count;
    for (size_t i = 0; i < count; i++) {
        run->loss[i] = finite_loss(run->loss[i]);
        keep_if_better(run, run->loss[i], run->candidates + i, count);
    }
    return true;
}

/* A difference that met a non-finite point, or has no width, says nothing: that parameter rests. */
static void difference_gradient(const polish_run *run, double *gradient) {
    for (size_t k = 0; k < run->free_count; k++) {
        const double behind = run->loss[1 + 2 * k], ahead = run->loss[2 + 2 * k];
        const bool usable = run->width[k] > 0 && behind < PENALTY && ahead < PENALTY;
        gradient[k] = usable ? (ahead - behind) / run->width[k] : 0;
    }
}

static double call_gradient(polish_run *run, double *gradient) {
    const double loss = finite_loss(run->settings->gradient(run->settings->user, run->x, run->derivative));
    run->evaluations++;
    keep_if_better(run, loss, run->x, 1);
    for (size_t k = 0; gradient && k < run->free_count; k++) {
        const double g = run->derivative[run->free[k]] * range_of(run->bounds[run->free[k]]);
        gradient[k] = isfinite(g) ? g : 0;
    }
    return loss;
}

/* NLopt's objective: loss at u, and the gradient unless NULL. */
static double loss_at(unsigned n, const double *u, double *gradient, void *user) {
    polish_run *run = user;
    if (run->status != ADEPT_OK) /* a line search may ask on after the stop */
        return PENALTY;
    for (size_t k = 0; k < n; k++)
        run->x[run->free[k]] = unscale(run->bounds[run->free[k]], u[k]);
    if (run->settings->gradient)
        return call_gradient(run, gradient);
    if (!evaluate(run, gradient != NULL)) {
        nlopt_force_stop(run->solver);
        return PENALTY;
    }
    if (gradient)
        difference_gradient(run, gradient);
    return run->loss[0];
}

static const char *text_of(nlopt_result result) {
    static const struct {
        nlopt_result result;
        const char *text;
    } rows[] = {
        {NLOPT_SUCCESS,          "the gradient vanishes"                  },
        {NLOPT_FTOL_REACHED,     "the loss changes no more"               },
        {NLOPT_XTOL_REACHED,     "the parameters change no more"          },
        {NLOPT_MAXEVAL_REACHED,  "the number of evaluations"              },
        {NLOPT_ROUNDOFF_LIMITED, "rounding errors"                        },
        {NLOPT_FAILURE,          "a line search that found nothing better"},
        {NLOPT_OUT_OF_MEMORY,    "lack of memory"                         },
        {NLOPT_FORCED_STOP,      "an error of the objective"              },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].result == result)
            return rows[i].text;
    }
    return "an unknown reason";
}

static bool allocate(polish_run *run, adept_arena *arena) {
    run->free = adept_arena_array(arena, run->parameters, sizeof *run->free);
    if (!run->free)
        return false;
    for (size_t p = 0; p < run->parameters; p++) {
        if (run->bounds[p].lower < run->bounds[p].upper)
            run->free[run->free_count++] = p;
    }
    const size_t points = 1 + 2 * run->free_count;
    run->x = adept_arena_array(arena, run->parameters, sizeof(double));
    run->derivative = adept_arena_array(arena, run->parameters, sizeof(double));
    run->u = adept_arena_array(arena, run->parameters, sizeof(double));
    run->width = adept_arena_array(arena, run->parameters, sizeof(double));
    run->candidates = adept_arena_array(arena, run->parameters * points, sizeof(double));
    run->loss = adept_arena_array(arena, points, sizeof(double));
    return run->x && run->derivative && run->u && run->width && run->candidates && run->loss;
}

static bool set_up_solver(polish_run *run) {
    run->solver = nlopt_create(NLOPT_LD_LBFGS, (unsigned)run->free_count);
    return run->solver && nlopt_set_lower_bounds1(run->solver, 0.0) > 0 &&
           nlopt_set_upper_bounds1(run->solver, 1.0) > 0 &&
           nlopt_set_min_objective(run->solver, loss_at, run) > 0 &&
           nlopt_set_xtol_abs1(run->solver, run->settings->tol) > 0 &&
           nlopt_set_maxeval(run->solver, (int)run->settings->evaluations) > 0;
}

static nlopt_result descend(polish_run *run) {
    for (size_t k = 0; k < run->free_count; k++) {
        const adept_bounds bounds = run->bounds[run->free[k]];
        const double u = (run->best_x[run->free[k]] - bounds.lower) / range_of(bounds);
        run->u[k] = u < 1 ? u : 1;
    }
    double loss;
    return nlopt_optimize(run->solver, run->u, &loss);
}

static adept_status check(const double *x, const adept_bounds *bounds, size_t parameters,
                          const adept_polish_settings *settings, adept_error *err) {
    const adept_status status = adept_bounds_check(bounds, parameters, err);
    if (status != ADEPT_OK)
        return status;
    if (settings->evaluations < 1 || settings->evaluations > 1000000000 || !(settings->tol >= 0))
        return adept_fail(err, ADEPT_ARGUMENT,
                          "polish with %zu evaluations and tolerance %g; 1 to 1e9 and 0 or more are possible",
                          settings->evaluations, settings->tol);
    for (size_t p = 0; p < parameters; p++) {
        if (!(x[p] >= bounds[p].lower && x[p] <= bounds[p].upper))
            return adept_fail(err, ADEPT_ARGUMENT,
                              "parameter %zu: start %.17g is outside its bounds [%.17g, %.17g]", p, x[p],
                              bounds[p].lower, bounds[p].upper);
    }
    return ADEPT_OK;
}

static adept_status polish(polish_run *run, adept_polish_result *result) {
    memcpy(run->x, run->best_x, run->parameters * sizeof *run->x);
    run->best = PENALTY;
    if (!evaluate(run, false))
        return run->status;
    if (!(run->best < PENALTY))
        return adept_fail(run->err, ADEPT_ARGUMENT, "the loss at the point to be polished is not finite");
    result->before = run->best;
    result->stopped_by = "all parameters are fixed";
    if (run->free_count == 0)
        return ADEPT_OK;
    if (!set_up_solver(run))
        return adept_fail_memory(run->err);
    for (int attempt = 0; attempt <= RESTARTS; attempt++) {
        const double from = run->best;
        result->stopped_by = text_of(descend(run));
        if (run->status != ADEPT_OK || !(run->best < from))
            break;
    }
    return run->status;
}

adept_status adept_polish(adept_polish_result *result, double *x, const adept_objective *objective,
                          const adept_bounds *bounds, size_t parameters,
                          const adept_polish_settings *settings, adept_error *err) {
    *result = (adept_polish_result){.before = PENALTY, .after = PENALTY, .stopped_by = "an error"};
    adept_status status = check(x, bounds, parameters, settings, err);
    if (status != ADEPT_OK)
        return status;
    adept_arena *arena = adept_arena_new(0);
    polish_run run = {.objective = objective, .bounds = bounds, .settings = settings};
    run.parameters = parameters;
    run.best_x = x;
    run.err = err;
    status = arena && allocate(&run, arena) ? polish(&run, result) : adept_fail_memory(err);
    result->after = run.best;
    result->evaluations = run.evaluations;
    nlopt_destroy(run.solver);
    adept_arena_free(arena);
    return status;
}
