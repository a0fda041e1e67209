#include "operator_items.h"

/* ---- one kernel at a clock ---- */

operator_cost operator_items_cost(const operator_items *items, const operator_item *item, int clock) {
    operator_memo *memo = item->memo;
    if (memo && (memo->known >> clock & 1))
        return (operator_cost){memo->time_s[clock], memo->energy_J[clock]};
    const operator_clock *c = clock == OPERATOR_FREE ? &items->clocks.free : &items->clocks.at[clock];
    double time_s = operator_kernel_time(&items->gpu, &item->limits, c);
    double energy_J = operator_kernel_energy(&items->gpu, &item->limits, c, time_s);
    if (memo) {
        memo->known |= UINT64_C(1) << clock;
        memo->time_s[clock] = time_s;
        memo->energy_J[clock] = energy_J;
    }
    return (operator_cost){time_s, energy_J};
}

/* ---- one kernel under the limiters ---- */

typedef struct outcome {
    double time_s, energy_J, phi;
} outcome;

static outcome at_clock(const operator_items *items, const operator_item *item, int clock) {
    operator_cost cost = operator_items_cost(items, item, clock);
    return (outcome){cost.time_s, cost.energy_J, items->clocks.at[clock].phi};
}

static outcome between(outcome low, outcome high, double share) {
    return (outcome){low.time_s + share * (high.time_s - low.time_s),
                     low.energy_J + share * (high.energy_J - low.energy_J),
                     low.phi + share * (high.phi - low.phi)};
}

/* Energy that the limit would still allow: falls with the clock, zero where power equals the limit. */
static double spare_J(const operator_items *items, outcome o) {
    return items->clocks.limit_W * o.time_s - o.energy_J;
}

/* The highest clock at which this kernel's power keeps the limit, at least the lowest. */
static outcome fast_limited(const operator_items *items, const operator_item *item, outcome top) {
    int low = 0, high = items->clocks.last;
    if (spare_J(items, top) >= 0)
        return top;
    outcome below = at_clock(items, item, low), above = top;
    if (spare_J(items, below) <= 0)
        return below;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        outcome o = at_clock(items, item, middle);
        bool holds = spare_J(items, o) >= 0;
        *(holds ? &low : &high) = middle;
        *(holds ? &below : &above) = o;
    }
    double spare = spare_J(items, below);
    return between(below, above, spare / (spare - spare_J(items, above)));
}

static outcome slow_limited(const operator_items *items, const operator_item *item, outcome top) {
    const operator_clocks *clocks = &items->clocks;
    if (clocks->slow >= clocks->last)
        return top;
    outcome below = at_clock(items, item, clocks->slow);
    return clocks->slow_share > 0
               ? between(below, at_clock(items, item, clocks->slow + 1), clocks->slow_share)
               : below;
}

static void settle(const operator_items *items, operator_item *item) {
    const operator_clocks *clocks = &items->clocks;
    outcome o = at_clock(items, item, clocks->last);
    item->free_s =
        clocks->free.phi > o.phi ? operator_items_cost(items, item, OPERATOR_FREE).time_s : o.time_s;
    if (clocks->limited)
        o = between(slow_limited(items, item, o), fast_limited(items, item, o), clocks->fast_weight);
    item->time_s = o.time_s;
    item->energy_J = o.energy_J;
    item->phi = o.phi;
}

/* ---- all kernels ---- */

static operator_item make(const operator_items *items, size_t kernel) {
    const adept_kernel *k = &items->workload->kernels[kernel];
    return (operator_item){
        .limits = operator_kernel_limits(&items->gpu, k, items->fused),
        .launches = k->launches,
        .pass = k->pass,
        .measured = adept_kernel_in_fitted_range(k),
    };
}

void operator_items_init(operator_items *items, operator_memo *memos, size_t memo_count) {
    const adept_workload *w = items->workload;
    items->kept = w->kernel_count < OPERATOR_ITEMS_KEPT ? w->kernel_count : OPERATOR_ITEMS_KEPT;
    for (size_t i = 0; i < items->kept; i++) {
        items->kept_items[i] = make(items, i);
        if (i >= memo_count)
            continue;
        items->kept_items[i].memo = &memos[i];
        memos[i].known = 0;
    }
    for (size_t i = 0; i < w->launch_count; i++) {
        if (w->launches[i].kernel < items->kept)
            items->kept_items[w->launches[i].kernel].count += w->launches[i].count;
    }
}

void operator_items_settle(operator_items *items) {
    for (size_t i = 0; i < items->kept; i++)
        settle(items, &items->kept_items[i]);
}

const operator_item *operator_items_at(const operator_items *items, size_t kernel, operator_item *scratch) {
    if (kernel < items->kept)
        return &items->kept_items[kernel];
    *scratch = make(items, kernel);
    settle(items, scratch);
    return scratch;
}

void operator_items_visit(const operator_items *items, operator_visit *visit, void *user) {
    const adept_workload *w = items->workload;
    for (size_t i = 0; i < items->kept; i++)
        visit(&items->kept_items[i], items->kept_items[i].count, user);
    if (items->kept == w->kernel_count)
        return;
    for (size_t i = 0; i < w->launch_count; i++) {
        operator_item scratch;
        if (w->launches[i].kernel >= items->kept)
            visit(operator_items_at(items, w->launches[i].kernel, &scratch), w->launches[i].count, user);
    }
}
