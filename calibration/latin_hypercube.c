#include "latin_hypercube.h"

void adept_latin_hypercube(double *points, size_t dims, size_t count, size_t stride, size_t *order,
                           adept_random *random) {
    for (size_t d = 0; d < dims; d++) {
        for (size_t i = 0; i < count; i++)
            order[i] = i;
        adept_random_shuffle(random, order, count);
        for (size_t i = 0; i < count; i++) {
            const double point = ((double)order[i] + adept_random_uniform(random)) / (double)count;
            /* Rounding up may reach 1, which belongs to no segment. */
            points[d * stride + i] = point < 1.0 ? point : 0x1.fffffffffffffp-1;
        }
    }
}
