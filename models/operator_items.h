/* The distinct kernels of a step with their limits, time and energy. */
#ifndef ADEPT_OPERATOR_ITEMS_H
#define ADEPT_OPERATOR_ITEMS_H

#include <stdint.h>

#include "operator_kernel.h"

/* Clocks from the lowest a power limit can force (first) to the highest allowed (last), then the free one. */
enum { OPERATOR_CLOCKS = 33, OPERATOR_FREE = OPERATOR_CLOCKS };

/* What a kernel takes at each clock, as far as it was asked for: no limit of power changes it. */
typedef struct operator_memo {
    uint64_t known; /* bit i: clock i */
    double time_s[OPERATOR_CLOCKS + 1], energy_J[OPERATOR_CLOCKS + 1];
} operator_memo;

/* Distinct kernels whose figures are kept on the stack; those beyond are computed again at every launch. */
enum { OPERATOR_ITEMS_KEPT = 1024 };

typedef struct operator_item {
    operator_limits limits;
    double count;    /* launches of it in one micro-batch (optimizer: in the step) */
    double launches; /* kernels of one launch */
    adept_pass pass;
    bool measured;       /* adept_kernel_in_fitted_range */
    operator_memo *memo; /* NULL: none is kept */
    double free_s;       /* time at the clock without limits */
    double time_s, phi;  /* at the clock it gets */
    double energy_J;
} operator_item;

typedef struct operator_clocks {
    operator_clock free; /* of a board that nothing limits */
    operator_clock at[OPERATOR_CLOCKS];
    int last;     /* index of the highest */
    bool filled;  /* those between the lowest and the highest */
    bool limited; /* some kernel would exceed the limit at the highest clock: the rest is filled */
    double limit_W;
    /* slow limiter: between clocks slow and slow + 1; share: how far towards the upper one */
    int slow;
    double slow_share;
    double fast_weight; /* of the fast limiter's result, rest the slow one's */
    double base_W;      /* while nothing runs */
} operator_clocks;

typedef struct operator_items {
    operator_gpu gpu;
    const adept_workload *workload;
    double fused;
    operator_clocks clocks;
    size_t kept;
    operator_item kept_items[OPERATOR_ITEMS_KEPT];
} operator_items;

/* Fills limits and counts. memos: for the first kernels, as many as there are. */
void operator_items_init(operator_items *items, operator_memo *memos, size_t memo_count);

/* Time and energy of a kernel at a clock (an index), computed once where a memo is kept. */
typedef struct operator_cost {
    double time_s, energy_J;
} operator_cost;
operator_cost operator_items_cost(const operator_items *items, const operator_item *item, int clock);

/* The figures of a kernel: kept, or computed into scratch. */
const operator_item *operator_items_at(const operator_items *items, size_t kernel, operator_item *scratch);

/* Calls visit for every kernel with its number of launches in a micro-batch. */
typedef void operator_visit(const operator_item *item, double count, void *user);
void operator_items_visit(const operator_items *items, operator_visit *visit, void *user);

/* Once the clocks are settled: time, clock and energy of all kernels. */
void operator_items_settle(operator_items *items);

#endif
