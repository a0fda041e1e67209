#include "de_kernels.h"

#include <string.h>

#include "random.h"
#include "vector_clones.h"

ADEPT_VECTOR_CLONES
void de_draw(uint64_t *restrict bits, const uint64_t *restrict counter, uint64_t key, uint64_t offset,
             size_t count) {
    for (size_t i = 0; i < count; i++)
        bits[i] = adept_random_at(key, counter[i] + offset);
}

ADEPT_VECTOR_CLONES
void de_mutate(double *restrict mutant, const double *restrict x, double F, const uint32_t *restrict base,
               const uint32_t *restrict plus, const uint32_t *restrict minus, size_t count) {
    for (size_t i = 0; i < count; i++)
        mutant[i] = x[base[i]] + F * (x[plus[i]] - x[minus[i]]);
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A coin whose probability is CR defeats branch prediction, hence the choice by bits. */
ADEPT_VECTOR_CLONES
uint64_t de_cross(double *restrict trial, const double *restrict mutant, const double *restrict parent,
                  const uint64_t *restrict bits, unsigned shift, uint64_t threshold, adept_bounds bounds,
                  size_t count) {
    uint64_t outside = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t draw = bits[i] >> shift & UINT32_MAX;
        const uint64_t crossed = 0 - ((draw - threshold) >> 63); /* all ones where draw < threshold */
        const uint64_t chosen = (bits_of(mutant[i]) & crossed) | (bits_of(parent[i]) & ~crossed);
        memcpy(&trial[i], &chosen, sizeof chosen);
    }
    for (size_t i = 0; i < count; i++)
        outside |= (uint64_t)(trial[i] < bounds.lower) | (uint64_t)(trial[i] > bounds.upper);
    return outside;
}

ADEPT_VECTOR_CLONES
void de_select(double *restrict survivor, const double *restrict trial, const double *restrict old,
               const double *restrict loss, const double *restrict old_loss, size_t count) {
    for (size_t i = 0; i < count; i++)
        survivor[i] = loss[i] <= old_loss[i] ? trial[i] : old[i];
}
