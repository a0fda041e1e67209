#include "operator_clocks.h"

#include "operator_parameters.h"

/* Phases of different power in an inference: layers, of which networks have some two dozen (power study). */
#define INFERENCE_PHASES 24.0

operator_clocks operator_clocks_make(const operator_gpu *gpu, double clock_limit_Hz) {
    double free = gpu->spec->max_clock_Hz > gpu->clock_Hz ? gpu->spec->max_clock_Hz / gpu->clock_Hz : 1;
    operator_clocks clocks = {
        .free = operator_clock_at(gpu, free),
        .last = OPERATOR_CLOCKS - 1,
    };
    double locked = clock_limit_Hz / gpu->clock_Hz;
    double highest = locked > 0 && locked < free ? locked : free;
    double lowest = gpu->theta[OP_FLOOR_CLOCK] < highest ? gpu->theta[OP_FLOOR_CLOCK] : highest;
    /* The highest is all that a step below its limit needs; `limited` fills the rest. */
    clocks.at[0].phi = lowest;
    clocks.at[clocks.last] = highest < free ? operator_clock_at(gpu, highest) : clocks.free;
    return clocks;
}

typedef struct clock_sums {
    const operator_items *items;
    int clock;
    double limit_W;
    double time_s, energy_J; /* of the step's kernels */
    bool exceeded;
} clock_sums;

static void add_kernel(const operator_item *item, double count, void *user) {
    clock_sums *sums = user;
    operator_cost cost = operator_items_cost(sums->items, item, sums->clock);
    double repeats = item->pass == ADEPT_PASS_OPTIMIZER ? count : count * sums->items->workload->grad_accum;
    sums->time_s += repeats * cost.time_s;
    sums->energy_J += repeats * cost.energy_J;
    sums->exceeded = sums->exceeded || (count > 0 && cost.energy_J > sums->limit_W * cost.time_s);
}

static clock_sums sums_at(const operator_items *items, int clock) {
    clock_sums sums = {.items = items, .clock = clock, .limit_W = items->clocks.limit_W};
    operator_items_visit(items, add_kernel, &sums);
    return sums;
}

/* Energy that the limit still allows over the step at a clock. *step_s: its length. */
static double step_spare_J(const operator_items *items, int clock, double host_s, double gap_s,
                           double *step_s) {
    const operator_clock *c = &items->clocks.at[clock];
    clock_sums sums = sums_at(items, clock);
    *step_s = (sums.time_s > host_s ? sums.time_s : host_s) + gap_s;
    return items->clocks.limit_W * *step_s - sums.energy_J - (*step_s - sums.time_s) * c->base_W;
}

static void fill_clocks(const operator_gpu *gpu, operator_clocks *clocks) {
    double lowest = clocks->at[0].phi, highest = clocks->at[clocks->last].phi;
    if (clocks->filled)
        return;
    clocks->filled = true;
    for (int i = 0; i < clocks->last; i++)
        clocks->at[i] = operator_clock_at(gpu, lowest + (highest - lowest) * i / clocks->last);
}

/* The slow limiter's clock, and the length of the step at it. */
static double settle_slow(operator_items *items, double host_s, double gap_s) {
    operator_clocks *clocks = &items->clocks;
    int low = 0, high = clocks->last;
    double high_s, low_s, middle_s;
    double high_J = step_spare_J(items, high, host_s, gap_s, &high_s);
    clocks->slow = high;
    if (high_J >= 0)
        return high_s;
    double low_J = step_spare_J(items, low, host_s, gap_s, &low_s);
    clocks->slow = low;
    clocks->slow_share = 0;
    if (low_J <= 0)
        return low_s;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        double middle_J = step_spare_J(items, middle, host_s, gap_s, &middle_s);
        if (middle_J >= 0)
            low = middle, low_J = middle_J, low_s = middle_s;
        else
            high = middle, high_J = middle_J, high_s = middle_s;
    }
    clocks->slow = low;
    clocks->slow_share = low_J / (low_J - high_J);
    return low_s + clocks->slow_share * (high_s - low_s);
}

/* While nothing runs, at the clock of each limiter. */
static double idle_W(const operator_clocks *clocks) {
    int slow = clocks->slow, above = slow < clocks->last ? slow + 1 : slow;
    double slow_W =
        clocks->at[slow].base_W + clocks->slow_share * (clocks->at[above].base_W - clocks->at[slow].base_W);
    int fast = clocks->last;
    while (fast > 0 && clocks->at[fast].base_W > clocks->limit_W)
        fast--;
    return clocks->fast_weight * clocks->at[fast].base_W + (1 - clocks->fast_weight) * slow_W;
}

double operator_clocks_settle(operator_items *items, double limit_W, double host_s, double gap) {
    operator_clocks *clocks = &items->clocks;
    const operator_clock *highest = &clocks->at[clocks->last];
    clocks->limit_W = limit_W * items->gpu.theta[OP_LIMIT_SHARE];
    clocks->slow = 0;
    clocks->slow_share = 0;
    clocks->fast_weight = 1;
    clocks->base_W = highest->base_W;
    clock_sums top = sums_at(items, clocks->last);
    clock_sums uncapped = highest->phi < clocks->free.phi ? sums_at(items, OPERATOR_FREE) : top;
    double gap_s = gap * (uncapped.time_s > host_s ? uncapped.time_s : host_s);
    clocks->limited = top.exceeded || highest->base_W > clocks->limit_W;
    if (clocks->limited) {
        fill_clocks(&items->gpu, clocks);
        double step_s = settle_slow(items, host_s, gap_s);
        double period_s = items->workload->mode == ADEPT_MODE_TRAIN ? step_s : step_s / INFERENCE_PHASES;
        clocks->fast_weight = period_s / (period_s + items->gpu.theta[OP_CONTROL]);
        clocks->base_W = idle_W(clocks);
    }
    return gap_s;
}
