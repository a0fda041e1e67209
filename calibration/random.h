/*
 * Pseudo-random numbers whose whole state is a key and a counter.
 *
 * Number k of a stream is a pure function of (key, k): SplitMix64, that is the k-th multiple of the golden
 * gamma, added to the key and sent through a finaliser. So threads draw the same numbers in any order, and
 * a saved counter is a saved generator.
 * Source    G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA
 *           2014, doi 10.1145/2660193.2660195; finaliser: variant 13 of D. Stafford, "Better bit mixing",
 *           2011. Reference values: see test_random.c
 */
#ifndef ADEPT_RANDOM_H
#define ADEPT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define ADEPT_RANDOM_GAMMA UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, made odd */

/* Number `counter` (from 0) of the stream of key: 64 uniform bits. */
static inline uint64_t adept_random_at(uint64_t key, uint64_t counter) {
    uint64_t z = key + (counter + 1) * ADEPT_RANDOM_GAMMA;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 64 bits to a double in [0, 1): multiples of 2^-53. */
static inline double adept_random_unit(uint64_t bits) {
    return (double)(bits >> 11) * 0x1p-53;
}

/*
 * 32 bits to an integer in [0, bound), bound at least 1 and below 2^32, by multiplication instead of
 * division; the probabilities differ from 1/bound by at most 2^-32.
 * Source    D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019)
 */
static inline uint32_t adept_random_scale(uint32_t bits, uint32_t bound) {
    return (uint32_t)(((uint64_t)bits * bound) >> 32);
}

/* A stream read in order. */
typedef struct adept_random {
    uint64_t key, counter;
} adept_random;

/* The stream `purpose` of a seed: streams of the same seed and another purpose are unrelated. */
adept_random adept_random_new(uint64_t seed, uint64_t purpose);

uint64_t adept_random_next(adept_random *random);  /* 64 uniform bits */
double adept_random_uniform(adept_random *random); /* [0, 1) */
size_t adept_random_below(adept_random *random,
                          size_t bound); /* [0, bound), exactly uniform; bound at least 1 */

/* Order[0..count) becomes a uniformly drawn permutation of its contents (Fisher and Yates). */
void adept_random_shuffle(adept_random *random, size_t *order, size_t count);

#endif
