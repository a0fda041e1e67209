#include "kernel_set.h"

#include <string.h>

enum { FIRST_CAPACITY = 256 };

/* Every field on its own: padding bytes must not make equal kernels differ. */
#define FIELDS(X)                                                                                            \
    X(gemm_flop)                                                                                             \
    X(conv_flop)                                                                                             \
    X(alu_flop)                                                                                              \
    X(read_B)                                                                                                \
    X(write_B)                                                                                               \
    X(launches)                                                                                              \
    X(elements) X(element_B) X(steps) X(gemm.batch) X(gemm.m) X(gemm.n) X(gemm.k) X(conv.images)             \
        X(conv.c_in) X(conv.c_out) X(conv.groups) X(conv.pixels_in) X(conv.pixels_out) X(conv.kernel)        \
            X(conv.stride) X(conv.spatial_rank) X(conv.winograd) X(conv.nhwc) X(pass) X(kind) X(math)

static bool same(const adept_kernel *a, const adept_kernel *b) {
#define SAME(field) &&a->field == b->field
    return true FIELDS(SAME);
#undef SAME
}

static uint64_t mixed(uint64_t hash, const void *bytes, size_t size_B) {
    uint64_t word = 0;
    memcpy(&word, bytes, size_B);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 29;
}

static uint64_t hash_of(const adept_kernel *k) {
    uint64_t hash = 1;
#define MIX(field) hash = mixed(hash, &k->field, sizeof k->field);
    FIELDS(MIX)
#undef MIX
    return hash;
}

static uint32_t *slot_of(const adept_kernel_set *set, const adept_kernel *kernel) {
    uint32_t index = (uint32_t)(hash_of(kernel) >> 17) & (set->slot_count - 1);
    while (set->slots[index] != UINT32_MAX && !same(&set->kernels[set->slots[index]], kernel))
        index = (index + 1) & (set->slot_count - 1);
    return &set->slots[index];
}

static bool resize(adept_kernel_set *set, uint32_t capacity) {
    if (capacity > UINT32_MAX / 4)
        return false;
    adept_kernel *kernels = adept_arena_array(set->arena, capacity, sizeof *kernels);
    uint32_t *slots = adept_arena_array(set->arena, (size_t)capacity * 2, sizeof *slots);
    if (!kernels || !slots)
        return false;
    if (set->count)
        memcpy(kernels, set->kernels, set->count * sizeof *kernels);
    memset(slots, 0xff, (size_t)capacity * 2 * sizeof *slots);
    set->kernels = kernels;
    set->slots = slots;
    set->capacity = capacity;
    set->slot_count = capacity * 2;
    for (uint32_t i = 0; i < set->count; i++)
        *slot_of(set, &kernels[i]) = i;
    return true;
}

bool adept_kernel_set_init(adept_kernel_set *set, adept_arena *arena) {
    *set = (adept_kernel_set){.arena = arena};
    return resize(set, FIRST_CAPACITY);
}

uint32_t adept_kernel_set_add(adept_kernel_set *set, const adept_kernel *kernel) {
    uint32_t *slot = slot_of(set, kernel);
    if (*slot != UINT32_MAX)
        return *slot;
    if (set->count == set->capacity) {
        if (!resize(set, set->capacity * 2))
            return UINT32_MAX;
        slot = slot_of(set, kernel);
    }
    set->kernels[set->count] = *kernel;
    *slot = set->count;
    return set->count++;
}
