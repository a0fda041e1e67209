/* Overflow-checked arithmetic on sizes and dimensions. Each returns false on overflow and leaves *out alone.
 */
#ifndef ADEPT_CHECKED_H
#define ADEPT_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool adept_mul_i64(int64_t a, int64_t b, int64_t *out) {
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

static inline bool adept_add_i64(int64_t a, int64_t b, int64_t *out) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

static inline bool adept_sub_i64(int64_t a, int64_t b, int64_t *out) {
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return false;
    *out = difference;
    return true;
}

/* Product of rank dimensions (1 for rank 0); a zero dimension gives 0 even where the others overflow. */
static inline bool adept_elements(const int64_t *dims, int32_t rank, int64_t *out) {
    int64_t product = 1;
    bool fits = true;
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] == 0) {
            *out = 0;
            return true;
        }
        fits = fits && adept_mul_i64(product, dims[i], &product);
    }
    if (fits)
        *out = product;
    return fits;
}

#endif
