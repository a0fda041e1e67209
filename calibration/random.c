#include "random.h"

adept_random adept_random_new(uint64_t seed, uint64_t purpose) {
    /* Mixed twice, so that neighbouring seeds and purposes start at unrelated places of the sequence. */
    return (adept_random){.key = adept_random_at(adept_random_at(seed, 0), purpose)};
}

uint64_t adept_random_next(adept_random *random) {
    return adept_random_at(random->key, random->counter++);
}

double adept_random_uniform(adept_random *random) {
    return adept_random_unit(adept_random_next(random));
}

size_t adept_random_below(adept_random *random, size_t bound) {
    /* The lowest 2^64 mod bound values are drawn again: what is left is a multiple of bound. */
    const uint64_t surplus = (0 - (uint64_t)bound) % bound;
    uint64_t bits;
    do
        bits = adept_random_next(random);
    while (bits < surplus);
    return (size_t)(bits % bound);
}

void adept_random_shuffle(adept_random *random, size_t *order, size_t count) {
    for (size_t i = count; i > 1; i--) {
        const size_t j = adept_random_below(random, i);
        const size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}
