/*
 * Elementary functions without branches or calls, so that a compiler keeps a loop of them in vector
 * registers. Accuracy is tested against the C library (tests/unit/models/test_saturation.c).
 */
#ifndef ADEPT_VECTOR_MATH_H
#define ADEPT_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

/*
 * e^y - 1 for -700 <= y <= 0 (smaller y count as -700); relative error below 4e-16 near 0, 1e-15 elsewhere.
 * y = k ln 2 + r with |r| <= ln 2 / 2; e^r - 1 by its Taylor series to r^13, whose rest is below 5e-18.
 * The splitting of ln 2 into a part with 21 zero bits and a rest is that of Cody and Waite (1980).
 */
static inline double adept_vector_expm1(double y) {
    const double shift =
        6755399441055744.0; /* 1.5 * 2^52: rounds to an integer and leaves it in the low bits */
    y = y > -700 ? y : -700;
    const double shifted = y * 1.44269504088896340736 + shift;
    const double k = shifted - shift;
    const double r = (y - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double tail = 1.0 / 6227020800;
    tail = tail * r + 1.0 / 479001600;
    tail = tail * r + 1.0 / 39916800;
    tail = tail * r + 1.0 / 3628800;
    tail = tail * r + 1.0 / 362880;
    tail = tail * r + 1.0 / 40320;
    tail = tail * r + 1.0 / 5040;
    tail = tail * r + 1.0 / 720;
    tail = tail * r + 1.0 / 120;
    tail = tail * r + 1.0 / 24;
    tail = tail * r + 1.0 / 6;
    tail = tail * r + 1.0 / 2;
    const double grown = r + r * r * tail;
    uint64_t bits;
    double power; /* 2^k */
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&power, &bits, sizeof power);
    return power * grown + (power - 1);
}

/* e^y for y <= 0; absolute error below 3e-16. */
static inline double adept_vector_exp(double y) {
    return 1 + adept_vector_expm1(y);
}

/*
 * atan(x) for x >= 0; relative error below 1e-15. Reduced to |t| <= tan(pi/8) by atan x = pi/2 - atan(1/x)
 * above 1 + sqrt 2 and atan x = pi/4 + atan((x-1)/(x+1)) above sqrt 2 - 1, then the Taylor series to t^41.
 */
static inline double adept_vector_atan(double x) {
    const int large = x > 2.41421356237309504880;
    const int middle = x > 0.41421356237309504880;
    const double above = large ? -1 : middle ? x - 1 : x;
    const double below = large ? x : middle ? x + 1 : 1;
    const double base = large ? 1.57079632679489661923 : middle ? 0.78539816339744830962 : 0;
    const double t = above / below;
    const double s = -t * t;
    double sum = 1.0 / 41;
    sum = sum * s + 1.0 / 39;
    sum = sum * s + 1.0 / 37;
    sum = sum * s + 1.0 / 35;
    sum = sum * s + 1.0 / 33;
    sum = sum * s + 1.0 / 31;
    sum = sum * s + 1.0 / 29;
    sum = sum * s + 1.0 / 27;
    sum = sum * s + 1.0 / 25;
    sum = sum * s + 1.0 / 23;
    sum = sum * s + 1.0 / 21;
    sum = sum * s + 1.0 / 19;
    sum = sum * s + 1.0 / 17;
    sum = sum * s + 1.0 / 15;
    sum = sum * s + 1.0 / 13;
    sum = sum * s + 1.0 / 11;
    sum = sum * s + 1.0 / 9;
    sum = sum * s + 1.0 / 7;
    sum = sum * s + 1.0 / 5;
    sum = sum * s + 1.0 / 3;
    return base + (t + t * s * sum);
}

#endif
