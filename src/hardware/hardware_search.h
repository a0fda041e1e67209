/* Where hardware files lie, and which file an id or alias means. */
#ifndef ADEPT_HARDWARE_SEARCH_H
#define ADEPT_HARDWARE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "adept/error.h"

#define ADEPT_PATH_SIZE 4096

/* An argument that names a file rather than an id: it holds a '/' or ends in ".json". */
bool adept_hardware_is_path(const char *id_or_path);

/*
 * The file of an id or alias, the first of the search path.
 * Errors    ARGUMENT: none; the message names the closest id or alias
 */
adept_status adept_hardware_find(char path[ADEPT_PATH_SIZE], const char *id_or_alias, adept_error *err);

/* Calls each(path, context) for every hardware file on the search path, until it returns false. */
void adept_hardware_each_file(bool (*each)(const char *path, void *context), void *context);

#endif
