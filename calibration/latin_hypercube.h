/* Latin hypercube: a start population that covers every parameter's range evenly. */
#ifndef ADEPT_LATIN_HYPERCUBE_H
#define ADEPT_LATIN_HYPERCUBE_H

#include "random.h"

/*
 * Points of the unit cube: along each dimension, every one of `count` equal segments holds exactly one
 * point, placed uniformly inside its segment; the segments are paired at random between dimensions.
 * Shapes    points [dims][stride], of which [.][0..count) is written, stride >= count; order [count], scratch
 * Source    M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21 (1979) 239-245
 */
void adept_latin_hypercube(double *points, size_t dims, size_t count, size_t stride, size_t *order,
                           adept_random *random);

#endif
