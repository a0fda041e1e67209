/* Bit patterns of floating-point formats that C does not have, as doubles (exact). */
#ifndef ADEPT_NUMBER_FORMAT_H
#define ADEPT_NUMBER_FORMAT_H

#include <stdint.h>

#include "adept/dtype.h"

/* bits: the pattern in the low bits, of the width of dtype. 0 for types that are not floating point. */
double adept_float_from_bits(adept_dtype dtype, uint64_t bits);

#endif
