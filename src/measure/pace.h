/*
 * A pace: something done every period_s, but less often if its CPU time would take more than `share` of
 * one core. Measuring must not change what is measured.
 */
#ifndef ADEPT_PACE_H
#define ADEPT_PACE_H

#include <stdbool.h>

typedef struct pace {
    double period_s, share; /* wanted period; most CPU time per second of time */
    double cost_s;          /* CPU time of one go, smoothed */
    double due_s;           /* next time */
} pace;

static inline bool pace_due(const pace *p, double now_s) {
    return now_s >= p->due_s;
}

static inline void pace_done(pace *p, double now_s, double cpu_s) {
    p->cost_s = p->cost_s > 0 ? 0.8 * p->cost_s + 0.2 * cpu_s : cpu_s;
    double affordable_s = p->cost_s / p->share;
    double step_s = affordable_s > p->period_s ? affordable_s : p->period_s;
    p->due_s = p->due_s + step_s > now_s ? p->due_s + step_s : now_s + step_s;
}

#endif
