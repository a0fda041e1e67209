#include "string_map.h"

#include <stdlib.h>
#include <string.h>

struct adept_string_slot {
    const char *key; /* NULL: empty */
    uint64_t hash;
    int32_t value;
};

/* FNV-1a, 64 bit (Fowler, Noll, Vo), finished with a multiply-shift so that the low bits are mixed too. */
static uint64_t hash_of(const char *key) {
    uint64_t hash = 14695981039346656037U;
    for (const unsigned char *c = (const unsigned char *)key; *c; c++)
        hash = (hash ^ *c) * 1099511628211U;
    hash ^= hash >> 32;
    return hash * 0x9E3779B97F4A7C15U;
}

static struct adept_string_slot *slot_of(struct adept_string_slot *slots, size_t capacity, const char *key,
                                         uint64_t hash) {
    size_t index = (size_t)(hash >> 20) & (capacity - 1);
    while (slots[index].key && (slots[index].hash != hash || strcmp(slots[index].key, key) != 0))
        index = (index + 1) & (capacity - 1);
    return &slots[index];
}

static bool grow(adept_string_map *map) {
    size_t capacity = map->capacity ? map->capacity * 2 : 64;
    struct adept_string_slot *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].key)
            *slot_of(slots, capacity, map->slots[i].key, map->slots[i].hash) = map->slots[i];
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return true;
}

bool adept_string_map_put(adept_string_map *map, const char *key, int32_t value) {
    if (map->count * 4 >= map->capacity * 3 && !grow(map))
        return false;
    uint64_t hash = hash_of(key);
    struct adept_string_slot *slot = slot_of(map->slots, map->capacity, key, hash);
    if (!slot->key)
        map->count++;
    *slot = (struct adept_string_slot){key, hash, value};
    return true;
}

int32_t adept_string_map_get(const adept_string_map *map, const char *key, int32_t missing) {
    if (!map->capacity)
        return missing;
    const struct adept_string_slot *slot = slot_of(map->slots, map->capacity, key, hash_of(key));
    return slot->key ? slot->value : missing;
}

void adept_string_map_clear(adept_string_map *map) {
    free(map->slots);
    *map = (adept_string_map)ADEPT_STRING_MAP_INIT;
}
