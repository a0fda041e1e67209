/*
 * A sensor: one device's energy counter, power sensor, or both. Each source (nvml.c, amdgpu.c, rapl.c,
 * dram.c) opens the sensors it finds; meter.c makes energy of their readings.
 */
#ifndef ADEPT_SENSOR_H
#define ADEPT_SENSOR_H

#include "adept/measure.h"
#include "arena.h"

typedef enum sensor_result {
    SENSOR_OK,
    SENSOR_FAILED, /* no answer this time */
    SENSOR_LOST    /* the device is gone, do not ask again */
} sensor_result;

enum {
    READ_COUNTER = 1,
    READ_POWER = 2,
    READ_CLOCK = 4,
    READ_MEMORY_CLOCK = 8,
    READ_TEMPERATURE = 16,
    READ_THROTTLE = 32
};

typedef struct sensor_reading {
    unsigned has;     /* READ_...: which of the fields below are filled */
    double counter_J; /* energy since some time in the past */
    double power_W, clock_Hz, memory_clock_Hz, temperature_C;
    unsigned throttle; /* bit i: adept_throttle i */
} sensor_reading;

typedef struct sensor sensor;
struct sensor {
    adept_device_kind kind;
    const char *name, *id;
    const char *counter_method; /* NULL: no energy counter */
    const char *power_method;   /* NULL: no power sensor */
    const char *caveat;         /* NULL: none */
    double counter_range_J;     /* value at which the counter starts again from 0; 0: never */
    double counter_period_s;    /* reading the counter is slow: not more often than this */
    double refresh_s;           /* how often the sensor makes a new value */
    double window_s;            /* over which power_W is an average; 0: instantaneous */
    double power_limit_W;       /* 0: unknown */
    bool modelled;
    sensor_result (*read)(sensor *self, bool with_counter, sensor_reading *out);
    /* Process ids on the device, at most capacity; the count, or -1 if unknown. NULL: cannot say. */
    int (*processes)(sensor *self, uint32_t *pids, size_t capacity);
    void *state; /* in the arena */
};

/* Everything the sources found and did not find. Texts live in the arena. */
typedef struct sensor_list {
    adept_arena *arena;
    sensor *items;
    size_t count, capacity;
    adept_missing *missing;
    size_t missing_count, missing_capacity;
    const char *driver; /* NVIDIA driver version or "" */
    void *nvml;         /* opened library, closed by nvml_close */
    int *files;         /* descriptors to close */
    size_t file_count, file_capacity;
    bool out_of_memory;
} sensor_list;

/* A new zeroed sensor at the end of the list; NULL when memory is short (out_of_memory is set). */
sensor *sensor_list_add(sensor_list *list);
void sensor_list_miss(sensor_list *list, const char *source, bool denied, const char *what,
                      const char *remedy);
/* Opens a file for repeated reading and remembers it for closing; -1 with errno. */
int sensor_list_open(sensor_list *list, const char *path);
void sensor_list_close(sensor_list *list); /* files and libraries, not the arena */

typedef struct process_tree process_tree;

void nvml_find(sensor_list *list, const char *library);
void nvml_close(void *nvml);
void amdgpu_find(sensor_list *list, const char *sysfs_root);
/* True if a DRAM domain can be read. */
bool rapl_find(sensor_list *list, const char *sysfs_root);
/* The model of eqs 4.1-4.2 on dimm_count modules of dimm_B, or on the firmware's table if dimm_count is 0. */
void dram_find(sensor_list *list, const char *sysfs_root, const process_tree *tree, size_t dimm_count,
               double dimm_B);

/* eq 4.1 for one module and eq 4.2's share; exposed for tests. */
double dram_dimm_power_W(double capacity_B);
double dram_memory_use(double share);

#endif
