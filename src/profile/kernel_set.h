/* Distinct kernels: identical ones are stored once, so that a model evaluates each of them once. */
#ifndef ADEPT_KERNEL_SET_H
#define ADEPT_KERNEL_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "adept/workload.h"
#include "arena.h"

typedef struct adept_kernel_set {
    adept_arena *arena;
    adept_kernel *kernels;
    uint32_t count, capacity;
    uint32_t *slots; /* hash table of indices, UINT32_MAX: empty */
    uint32_t slot_count;
} adept_kernel_set;

/* False: out of memory. The set's arrays live in arena. */
bool adept_kernel_set_init(adept_kernel_set *set, adept_arena *arena);

/* Number of the kernel equal to *kernel, which is added if there is none. UINT32_MAX: out of memory. */
uint32_t adept_kernel_set_add(adept_kernel_set *set, const adept_kernel *kernel);

#endif
