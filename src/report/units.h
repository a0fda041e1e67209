/* Numbers for people: three or four digits, SI prefix, unit. */
#ifndef ADEPT_UNITS_H
#define ADEPT_UNITS_H

#define ADEPT_UNITS_SIZE 32

/* "16.36 GFLOP", "25.56 M" (unit ""); "0" for zero, "-" for NaN. Returns text. */
char *adept_units_si(char text[ADEPT_UNITS_SIZE], double value, const char *unit);

/* Memory in binary units as GPU memory is sold: "1.25 GiB". Returns text. */
char *adept_units_memory(char text[ADEPT_UNITS_SIZE], double bytes);

#endif
