/*
 * The schema of hardware files: every number is one row (path, unit, bounds, place in the struct), every
 * default of a missing number is one row. Reading, get/set, listing and documentation all come from here.
 */
#ifndef ADEPT_HARDWARE_FIELDS_H
#define ADEPT_HARDWARE_FIELDS_H

#include "adept/hardware.h"

typedef struct adept_field_row {
    const char
        *section; /* object of the file; "" for the top level, "measured.gemm_flop_per_s" for a nested one */
    const char *key;
    size_t offset; /* of a double in adept_hardware_spec */
    adept_hardware_field field;
} adept_field_row;

/* All rows, sections together, in the order in which they are written. */
const adept_field_row *adept_field_rows(size_t *count);

/* Index of the row with this dotted path, or -1. */
ptrdiff_t adept_field_index(const char *path);

double adept_field_value(const adept_hardware_spec *spec, size_t index);
void adept_field_assign(adept_hardware_spec *spec, size_t index, double value);

/* All numbers NaN, all kinds "other" or "none". */
void adept_spec_clear(adept_hardware_spec *spec);

/* Fills what is NaN from the documented defaults; derived[index] says where that happened. */
void adept_spec_complete(adept_hardware_spec *spec, bool *derived);

#define ADEPT_FIELD_MAX 96

#endif
