/* Hash map from strings to int32 numbers: open addressing, insertion keeps no order, keys are borrowed. */
#ifndef ADEPT_STRING_MAP_H
#define ADEPT_STRING_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct adept_string_map {
    struct adept_string_slot *slots; /* malloc'd */
    size_t capacity, count;
} adept_string_map;

#define ADEPT_STRING_MAP_INIT                                                                                \
    { NULL, 0, 0 }

/* Puts key -> value, replacing an old value. The key must outlive the map. False when memory is short. */
bool adept_string_map_put(adept_string_map *map, const char *key, int32_t value);

/* The value of key, or missing. */
int32_t adept_string_map_get(const adept_string_map *map, const char *key, int32_t missing);

/* Releases the slots; the map is empty afterwards and may be used again. */
void adept_string_map_clear(adept_string_map *map);

#endif
