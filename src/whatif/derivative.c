#include "derivative.h"

#include <math.h>

/* Steps agree when they differ by less than this: a tenth of what is promised (1e-6). */
#define AGREEMENT 1e-7
/* A limit further from the value than this is a jump: far above the rounding of the functions. */
#define JUMP 1e-10
enum { STEPS = 7, POINTS = 4 };
#define LARGEST_STEP (1.0 / 1024)

/* y at h times 0 (unused), 1, .. POINTS in one direction. */
typedef struct side {
    bool defined;
    double y[POINTS + 1][DERIVATIVE_OUTPUTS];
} side;

static side sample(derivative_function *function, void *user, double h) {
    side s = {.defined = true};
    for (int i = 1; i <= POINTS && s.defined; i++)
        s.defined = function(i * h, s.y[i], user);
    return s;
}

/* The cubic through the four points, at 0. */
static double limit_of(const side *s, int o) {
    return 4 * s->y[1][o] - 6 * s->y[2][o] + 4 * s->y[3][o] - s->y[4][o];
}

static double slope_of(const side *s, int o, double h) {
    return (-13.0 / 3 * s->y[1][o] + 9.5 * s->y[2][o] - 7 * s->y[3][o] + 11.0 / 6 * s->y[4][o]) / h;
}

static double central_of(const side *below, const side *above, int o, double h) {
    return (8 * (above->y[1][o] - below->y[1][o]) - (above->y[2][o] - below->y[2][o])) / (12 * h);
}

/* Estimates of one output at every step of the ladder. */
typedef struct ladder {
    double h[STEPS], below[STEPS], above[STEPS], central[STEPS], below_limit[STEPS], above_limit[STEPS];
} ladder;

/* Estimates of one side count only where their cubic meets the side's limit: else a kink lies in between. */
#define MEETS 1e-9

static void drop_strangers(double *estimates, const double *limits, double limit) {
    for (int i = 0; i < STEPS; i++) {
        if (!(fabs(limits[i] - limit) <= MEETS))
            estimates[i] = NAN;
    }
}

/* The step whose estimate differs least from its neighbour's; the last one if none has a neighbour. */
static double steadiest(const double *estimates, double *difference) {
    double best = estimates[STEPS - 1];
    *difference = INFINITY;
    for (int i = 1; i < STEPS; i++) {
        double d = fabs(estimates[i] - estimates[i - 1]);
        if (d < *difference) {
            *difference = d;
            best = estimates[i];
        }
        if (d < AGREEMENT / 100)
            break; /* smaller steps only add rounding */
    }
    return best;
}

/* The side's own limit: the value, or where it jumps what the smallest step sees. */
static double limit_at(const double *limits, double y0, bool *jump) {
    double last = limits[STEPS - 1];
    bool jumps = fabs(last - y0) > JUMP;
    *jump = *jump || jumps;
    return jumps ? last : y0;
}

static derivative conclude(ladder *l, double y0) {
    double below_error, above_error, central_error;
    derivative d = {0};
    drop_strangers(l->below, l->below_limit, limit_at(l->below_limit, y0, &d.jump));
    drop_strangers(l->above, l->above_limit, limit_at(l->above_limit, y0, &d.jump));
    for (int i = 0; i < STEPS; i++) {
        if (isnan(l->below[i]) || isnan(l->above[i]))
            l->central[i] = NAN;
    }
    d.below = steadiest(l->below, &below_error);
    d.above = steadiest(l->above, &above_error);
    double central = steadiest(l->central, &central_error);
    d.error = fmax(below_error, above_error);
    if (isnan(d.below) || isnan(d.above)) {
        d.error = isnan(d.below) ? above_error : below_error;
        return d;
    }
    double tolerance = AGREEMENT * (1 + fabs(d.below)) + (isfinite(d.error) ? 10 * d.error : 0);
    d.kink = d.jump || fabs(d.above - d.below) > tolerance;
    if (!d.kink && central_error < AGREEMENT) {
        d.below = d.above = central;
        d.error = central_error;
    } else if (!d.kink) {
        d.below = d.above = (d.below + d.above) / 2;
    }
    return d;
}

void derivative_make(derivative out[DERIVATIVE_OUTPUTS], derivative_function *function, void *user) {
    ladder ladders[DERIVATIVE_OUTPUTS];
    double y0[DERIVATIVE_OUTPUTS], h = LARGEST_STEP;
    bool defined = function(0, y0, user);
    for (int i = 0; i < STEPS; i++) {
        side below = sample(function, user, -h), above = sample(function, user, h);
        for (int o = 0; o < DERIVATIVE_OUTPUTS; o++) {
            ladder *l = &ladders[o];
            l->h[i] = h;
            l->below[i] = below.defined && defined ? slope_of(&below, o, -h) : NAN;
            l->above[i] = above.defined && defined ? slope_of(&above, o, h) : NAN;
            l->central[i] = below.defined && above.defined ? central_of(&below, &above, o, h) : NAN;
            l->below_limit[i] = below.defined ? limit_of(&below, o) : NAN;
            l->above_limit[i] = above.defined ? limit_of(&above, o) : NAN;
        }
        h /= 4;
    }
    for (int o = 0; o < DERIVATIVE_OUTPUTS; o++)
        out[o] = conclude(&ladders[o], y0[o]);
}
