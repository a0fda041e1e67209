#include "sensor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for one more item of size_B in a malloc'd array. */
static bool grow(void **items, size_t count, size_t *capacity, size_t size_B) {
    if (count < *capacity)
        return true;
    size_t more = *capacity ? *capacity * 2 : 8;
    void *moved = realloc(*items, more * size_B);
    if (!moved)
        return false;
    *items = moved;
    *capacity = more;
    return true;
}

sensor *sensor_list_add(sensor_list *list) {
    void *items = list->items;
    if (!grow(&items, list->count, &list->capacity, sizeof *list->items)) {
        list->out_of_memory = true;
        return NULL;
    }
    list->items = items;
    sensor *added = &list->items[list->count++];
    memset(added, 0, sizeof *added);
    return added;
}

void sensor_list_miss(sensor_list *list, const char *source, bool denied, const char *what,
                      const char *remedy) {
    void *items = list->missing;
    if (!what || !remedy ||
        !grow(&items, list->missing_count, &list->missing_capacity, sizeof *list->missing)) {
        list->out_of_memory = true;
        return;
    }
    list->missing = items;
    list->missing[list->missing_count++] =
        (adept_missing){.source = source, .denied = denied, .what = what, .remedy = remedy};
}

int sensor_list_open(sensor_list *list, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    void *files = list->files;
    if (!grow(&files, list->file_count, &list->file_capacity, sizeof *list->files)) {
        close(fd);
        list->out_of_memory = true;
        return -1;
    }
    list->files = files;
    list->files[list->file_count++] = fd;
    return fd;
}

void sensor_list_close(sensor_list *list) {
    for (size_t i = 0; i < list->file_count; i++)
        close(list->files[i]);
    free(list->files);
    free(list->items);
    free(list->missing);
    nvml_close(list->nvml);
    list->files = NULL;
    list->items = NULL;
    list->missing = NULL;
    list->nvml = NULL;
}
