/* A file mapped read-only: pages are read when touched, so weights that nobody looks at cost nothing. */
#ifndef ADEPT_MAPPING_H
#define ADEPT_MAPPING_H

#include <stddef.h>

#include "adept/error.h"

typedef struct adept_mapping {
    const unsigned char *bytes; /* NULL when size_B is 0 */
    size_t size_B;
} adept_mapping;

/* Errors    IO (no such file, not a regular file, permission), NOMEM */
adept_status adept_mapping_open(adept_mapping **out, const char *path, adept_error *err);
/*
 * Lets go of the pages of [from_B, to_B): they no longer count as this process's memory and come back from
 * the file when touched again. Only whole pages; failing is harmless.
 */
void adept_mapping_release(const adept_mapping *mapping, size_t from_B, size_t to_B);
/* Starts reading the pages of [from_B, to_B), since they will be touched soon. Failing is harmless. */
void adept_mapping_prefetch(const adept_mapping *mapping, size_t from_B, size_t to_B);
void adept_mapping_close(adept_mapping *mapping); /* NULL is fine */

#endif
