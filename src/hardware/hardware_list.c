#include <stdlib.h>
#include <string.h>

#include "adept/hardware.h"
#include "fail.h"
#include "hardware_search.h"
#include "strict_json.h"

#define LIST_LIMIT 4096

struct adept_hardware_list {
    adept_hardware **items;
    size_t count;
    adept_error *err; /* while loading */
    adept_status status;
};

static bool has_id(const adept_hardware_list *list, const char *id) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(adept_hardware_id(list->items[i]), id) == 0)
            return true;
    }
    return false;
}

/* A file of shared parameters has neither a GPU's figures nor a base. */
static bool is_hardware(const char *path) {
    adept_json *json;
    if (adept_json_load(&json, path, NULL) != ADEPT_OK)
        return true; /* let loading it report why */
    const adept_json_value *root = adept_json_root(json);
    bool object = adept_json_kind_of(root) == ADEPT_JSON_OBJECT;
    bool hardware = !object || adept_json_member(root, "spec") || adept_json_member(root, "inherits");
    adept_json_free(json);
    return hardware;
}

static bool load_one(const char *path, void *context) {
    adept_hardware_list *list = context;
    adept_hardware *hardware;
    if (!is_hardware(path))
        return true;
    list->status = adept_hardware_load(&hardware, path, list->err);
    if (list->status != ADEPT_OK)
        return false;
    if (has_id(list, adept_hardware_id(hardware)) || list->count == LIST_LIMIT)
        adept_hardware_free(hardware); /* an earlier folder's file stands before it */
    else
        list->items[list->count++] = hardware;
    return true;
}

static int by_id(const void *a, const void *b) {
    return strcmp(adept_hardware_id(*(adept_hardware *const *)a),
                  adept_hardware_id(*(adept_hardware *const *)b));
}

adept_status adept_hardware_list_load(adept_hardware_list **out, adept_error *err) {
    *out = NULL;
    adept_hardware_list *list = calloc(1, sizeof *list);
    if (list)
        list->items = calloc(LIST_LIMIT, sizeof(adept_hardware *));
    if (!list || !list->items) {
        adept_hardware_list_free(list);
        return adept_fail_memory(err);
    }
    list->err = err;
    adept_hardware_each_file(load_one, list);
    adept_status status = list->status;
    if (status == ADEPT_OK && list->count == 0)
        status = adept_fail(err, ADEPT_IO, "no hardware files found; set ADEPT_DATA to the data folder");
    if (status != ADEPT_OK) {
        adept_hardware_list_free(list);
        return status;
    }
    qsort(list->items, list->count, sizeof(adept_hardware *), by_id);
    list->err = NULL;
    *out = list;
    return ADEPT_OK;
}

size_t adept_hardware_list_count(const adept_hardware_list *list) {
    return list->count;
}

const adept_hardware *adept_hardware_list_at(const adept_hardware_list *list, size_t index) {
    return list->items[index];
}

void adept_hardware_list_free(adept_hardware_list *list) {
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        adept_hardware_free(list->items[i]);
    free(list->items);
    free(list);
}
