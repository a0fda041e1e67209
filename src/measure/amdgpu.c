/*
 * AMD GPUs through the kernel's hwmon files (Documentation/gpu/amdgpu and Documentation/hwmon of Linux):
 * energy1_input in uJ where there is one, power1_average or power1_input and power1_cap in uW, freq1_input
 * (shader clock) and freq2_input (memory clock) in Hz, temp1_input in thousandths of a degree Celsius.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor.h"
#include "sysfs.h"

enum { ENERGY, POWER, CLOCK, MEMORY_CLOCK, TEMPERATURE, AMD_FILE_COUNT };

typedef struct file_row {
    const char *name, *other; /* other: tried if name is not there */
    unsigned has;
    double unit; /* SI per unit of the file */
    size_t offset;
} file_row;

static const file_row rows[AMD_FILE_COUNT] = {
    [ENERGY] = {"energy1_input",  NULL,           READ_COUNTER,      1e-6, offsetof(sensor_reading, counter_J)      },
    [POWER] = {"power1_average", "power1_input", READ_POWER,        1e-6, offsetof(sensor_reading, power_W)        },
    [CLOCK] = {"freq1_input",    NULL,           READ_CLOCK,        1.0,  offsetof(sensor_reading, clock_Hz)       },
    [MEMORY_CLOCK] = {"freq2_input",    NULL,           READ_MEMORY_CLOCK, 1.0,  offsetof(sensor_reading, memory_clock_Hz)},
    [TEMPERATURE] = {"temp1_input",    NULL,           READ_TEMPERATURE,  1e-3, offsetof(sensor_reading, temperature_C)  },
};

typedef struct amd_gpu {
    int files[AMD_FILE_COUNT]; /* -1: not there */
} amd_gpu;

static sensor_result amd_read(sensor *self, bool with_counter, sensor_reading *out) {
    const amd_gpu *gpu = self->state;
    (void)with_counter;
    out->has = 0;
    for (int i = 0; i < AMD_FILE_COUNT; i++) {
        double value;
        errno = 0;
        if (gpu->files[i] >= 0 && sysfs_read_number(gpu->files[i], &value)) {
            value *= rows[i].unit;
            memcpy((char *)out + rows[i].offset, &value, sizeof value);
            out->has |= rows[i].has;
        } else if (gpu->files[i] >= 0 && errno == ENODEV) {
            return SENSOR_LOST;
        }
    }
    return out->has & (READ_COUNTER | READ_POWER) ? SENSOR_OK : SENSOR_FAILED;
}

static const char *gpu_name(sensor_list *list, const char *folder) {
    char text[128];
    const char *path = adept_arena_format(list->arena, "%s/device/product_name", folder);
    if (path && sysfs_read(path, text, sizeof text) > 0)
        return adept_arena_string(list->arena, text);
    path = adept_arena_format(list->arena, "%s/device/device", folder);
    if (path && sysfs_read(path, text, sizeof text) > 0)
        return adept_arena_format(list->arena, "AMD GPU %s", text);
    return "AMD GPU";
}

static void open_gpu(sensor_list *list, const char *folder) {
    amd_gpu *gpu = adept_arena_alloc(list->arena, sizeof *gpu);
    if (!gpu) {
        list->out_of_memory = true;
        return;
    }
    for (int i = 0; i < AMD_FILE_COUNT; i++) {
        const char *path = adept_arena_format(list->arena, "%s/%s", folder, rows[i].name);
        gpu->files[i] = path ? sensor_list_open(list, path) : -1;
        path = adept_arena_format(list->arena, "%s/%s", folder, rows[i].other ? rows[i].other : "");
        if (gpu->files[i] < 0 && rows[i].other && path)
            gpu->files[i] = sensor_list_open(list, path);
    }
    double value;
    bool energy = gpu->files[ENERGY] >= 0 && sysfs_read_number(gpu->files[ENERGY], &value);
    bool power = gpu->files[POWER] >= 0 && sysfs_read_number(gpu->files[POWER], &value);
    if (!energy && !power) {
        sensor_list_miss(
            list, "amdgpu", false,
            adept_arena_format(list->arena, "%s: no power1_average, power1_input or energy1_input", folder),
            "needs a kernel whose amdgpu driver reports power for this GPU");
        return;
    }
    const char *name = gpu_name(list, folder);
    const char *id = adept_arena_string(list->arena, folder);
    const char *cap = adept_arena_format(list->arena, "%s/power1_cap", folder);
    sensor *added = sensor_list_add(list);
    if (!added || !name || !id || !cap) {
        list->out_of_memory = true;
        return;
    }
    added->kind = ADEPT_DEVICE_GPU;
    added->name = name;
    added->id = id;
    added->counter_method = energy ? "amdgpu energy counter" : NULL;
    added->power_method = power ? "amdgpu power, trapezoid rule" : NULL;
    /* The driver asks the firmware, which averages over some tens of milliseconds and up to a second
     * (power1_average_interval where it says so). */
    added->refresh_s = 0.1;
    added->read = amd_read;
    added->state = gpu;
    if (sysfs_read_number_at(cap, &value))
        added->power_limit_W = value * 1e-6;
}

void amdgpu_find(sensor_list *list, const char *sysfs_root) {
    struct dirent **entries = NULL;
    const char *parent = adept_arena_format(list->arena, "%s/class/hwmon", sysfs_root);
    int count = parent ? scandir(parent, &entries, NULL, alphasort) : -1;
    size_t before = list->count + list->missing_count;
    for (int i = 0; i < count; i++) {
        char name[32];
        const char *path = adept_arena_format(list->arena, "%s/%s/name", parent, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && path && sysfs_read(path, name, sizeof name) > 0 &&
            strcmp(name, "amdgpu") == 0)
            open_gpu(list, adept_arena_format(list->arena, "%s/%s", parent, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    /* With another maker's GPUs found, the lack of AMD's is no news. */
    if (list->count == 0 && list->missing_count + list->count == before)
        sensor_list_miss(list, "amdgpu", false,
                         adept_arena_format(list->arena, "%s/class/hwmon: no amdgpu device", sysfs_root),
                         "AMD GPUs need the kernel's amdgpu driver");
}
