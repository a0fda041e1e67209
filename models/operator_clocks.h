/*
 * The clock under a power limit. A board holds its limit in two ways, and steps lie between them:
 * a fast limiter gives every kernel the highest clock at which its own power keeps the limit; a slow one
 * gives one clock to all, at which the mean power does. The share of the fast one is T/(T + control), T the
 * time over which power changes: a training step, or a layer of an inference (power study).
 */
#ifndef ADEPT_OPERATOR_CLOCKS_H
#define ADEPT_OPERATOR_CLOCKS_H

#include "operator_items.h"

/* Clocks allowed by board and run; limits of the kernels are not needed yet. */
operator_clocks operator_clocks_make(const operator_gpu *gpu, double clock_limit_Hz);

/*
 * Settles items->clocks, which may have been settled before at another limit. host_s: host time of the step's
 * launches, it cannot be shorter. Returns the seconds per step in which the GPU is left idle by the loop
 * around it (gap: a share of the uncapped step), which no clock changes.
 */
double operator_clocks_settle(operator_items *items, double limit_W, double host_s, double gap);

#endif
