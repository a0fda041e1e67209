/* Bytes of constants that lie in other files beside the model. */
#ifndef ADEPT_EXTERNAL_DATA_H
#define ADEPT_EXTERNAL_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "adept/error.h"
#include "arena.h"

/* True if a location may be opened at all: relative, not empty, without "..". */
bool adept_external_location_allowed(const char *location);

/*
 * Reads size_B bytes at offset_B of the file location in folder into memory from arena.
 * Errors    IO (missing, too short, not a regular file, outside of the folder by a symbolic link),
 *           FORMAT (a location that is not allowed), NOMEM
 */
adept_status adept_external_read(const char *folder, const char *location, uint64_t offset_B, uint64_t size_B,
                                 adept_arena *arena, const unsigned char **bytes, adept_error *err);

#endif
