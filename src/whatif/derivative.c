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

/* The step whose estimate differs least from its neighbour's. */
static int steadiest(const double *estimates, double *difference) {
    int best = STEPS - 1;
    *difference = INFINITY;
    for (int i = 1; i < STEPS; i++) {
        double d = fabs(estimates[i] - estimates[i - 1]);
        if (d < *difference) {
            *difference = d;
            best = i;
        }
        if (d < AGREEMENT / 100)
            break; /* smaller steps only add rounding */
    }
    return best;
}

static derivative conclude(const ladder *l, double y0) {
    double below_error, above_error, central_error;
    int b = steadiest(l->below, &below_error), a = steadiest(l->above, &above_error);
    int c = steadiest(l->central, &central_error);
    derivative d = {l->below[b], l->above[a], false, false, fmax(below_error, above_error)};
    if (isnan(d.below) || isnan(d.above)) {
        d.error = isnan(d.below) ? above_error : below_error;
        return d;
    }
    bool jump_below = fabs(l->below_limit[STEPS - 1] - y0) > JUMP;
    bool jump_above = fabs(l->above_limit[STEPS - 1] - y0) > JUMP;
    d.jump = jump_below || jump_above;
    double apart = fabs(d.above - d.below), tolerance = AGREEMENT * (1 + fabs(d.below)) + 10 * d.error;
    d.kink = d.jump || apart > tolerance;
    if (!d.kink && central_error < AGREEMENT) {
        d.below = d.above = l->central[c];
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
    for (int i = 0; i < STEPS; i++, h /= 4) {
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
    }
    for (int o = 0; o < DERIVATIVE_OUTPUTS; o++)
        out[o] = conclude(&ladders[o], y0[o]);
}
