/* The inner loops of a generation, over the candidates of one block. */
#ifndef ADEPT_DE_KERNELS_H
#define ADEPT_DE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "objective.h"

/* bits[i] = random number counter[i] + offset of the stream. */
void de_draw(uint64_t *restrict bits, const uint64_t *restrict counter, uint64_t key, uint64_t offset,
             size_t count);

/* mutant[i] = x[base[i]] + F * (x[plus[i]] - x[minus[i]]) */
void de_mutate(double *restrict mutant, const double *restrict x, double F, const uint32_t *restrict base,
               const uint32_t *restrict plus, const uint32_t *restrict minus, size_t count);

/*
 * trial[i] = mutant[i] where 32 bits of bits[i], from `shift` on, are below threshold (at most 2^32), else
 * parent[i]; returns whether a trial is outside the bounds.
 */
uint64_t de_cross(double *restrict trial, const double *restrict mutant, const double *restrict parent,
                  const uint64_t *restrict bits, unsigned shift, uint64_t threshold, adept_bounds bounds,
                  size_t count);

/* survivor[i] = trial[i] where loss[i] <= old_loss[i], else old[i]. */
void de_select(double *restrict survivor, const double *restrict trial, const double *restrict old,
               const double *restrict loss, const double *restrict old_loss, size_t count);

#endif
