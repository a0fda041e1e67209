/* Numbers for people: three or four digits, SI prefix, unit. */
#ifndef ADEPT_UNITS_H
#define ADEPT_UNITS_H

#include <stddef.h>

#define ADEPT_UNITS_SIZE 32

/* "16.36 GFLOP", "25.56 M" (unit ""); "0" for zero, "-" for NaN. Returns text. */
char *adept_units_si(char text[ADEPT_UNITS_SIZE], double value, const char *unit);

/* Seconds with the prefix that fits: "12.3 ms", "1.20 s", "5.00 us". Returns text. */
char *adept_units_time(char text[ADEPT_UNITS_SIZE], double time_s);

/* Memory in binary units as GPU memory is sold: "1.25 GiB". Returns text. */
char *adept_units_memory(char text[ADEPT_UNITS_SIZE], double bytes);

/*
 * The name, or its end behind "..." where it is longer than size - 1: the end of a path says more than its
 * beginning. Always plain (plain_text.h). Returns text.
 */
const char *adept_units_tail(const char *name, char *text, size_t size);

#endif
