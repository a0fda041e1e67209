/*
 * NVIDIA GPUs through NVML, opened at run time: the only file that knows NVML.
 *
 * Declarations are our own, of the few functions used, after NVIDIA's NVML API reference
 * (docs.nvidia.com/deploy/nvml-api): total energy in mJ since the driver was loaded (Volta and later), power
 * in mW, which nvmlDeviceGetPowerUsage averages over 1 s on Ampere and later except GA100, clocks in MHz,
 * temperature in degrees Celsius. Field 186 (NVML_FI_DEV_POWER_INSTANT) is the power of now on drivers that
 * have it.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "sensor.h"

enum {
    NVML_OK = 0,
    NVML_NOT_SUPPORTED = 3,
    NVML_NO_PERMISSION = 4,
    NVML_DRIVER_NOT_LOADED = 9,
    NVML_GPU_IS_LOST = 15,
    NVML_CLOCK_SM = 1,
    NVML_CLOCK_MEMORY = 2,
    NVML_TEMPERATURE_GPU = 0,
    NVML_FIELD_POWER_INSTANT = 186,
    NVML_TEXT_B = 96 /* names, UUIDs and versions are at most this long */
};

typedef struct nvml_handle *nvml_device;

typedef struct nvml_field {
    unsigned id, scope;
    long long timestamp_us, latency_us;
    unsigned value_type; /* an enum in NVML */
    int result;
    union {
        double f64;
        unsigned u32;
        unsigned long ulong;
        unsigned long long u64;
        long long i64;
        int i32;
        unsigned short u16;
    } value;
} nvml_field;

/* Layout of the _v2 and _v3 process functions. */
typedef struct nvml_process {
    unsigned pid;
    unsigned long long used_B;
    unsigned gpu_instance, compute_instance;
} nvml_process;

typedef struct nvml_api {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    const char *(*error_text)(int);
    int (*driver_version)(char *, unsigned);
    int (*count)(unsigned *);
    int (*device)(unsigned, nvml_device *);
    int (*name)(nvml_device, char *, unsigned);
    int (*uuid)(nvml_device, char *, unsigned);
    int (*energy)(nvml_device, unsigned long long *);
    int (*power)(nvml_device, unsigned *);
    int (*fields)(nvml_device, int, nvml_field *);
    int (*clock)(nvml_device, int, unsigned *);
    int (*temperature)(nvml_device, int, unsigned *);
    int (*throttle)(nvml_device, unsigned long long *);
    int (*power_limit)(nvml_device, unsigned *);
    int (*capability)(nvml_device, int *, int *);
    int (*processes)(nvml_device, unsigned *, nvml_process *);
    int (*mig_mode)(nvml_device, unsigned *, unsigned *);
} nvml_api;

typedef struct symbol_row {
    const char *name, *older; /* older: name in earlier drivers, or NULL */
    size_t offset;
    bool required;
} symbol_row;

#define SYMBOL(field, name, older, required)                                                                 \
    { name, older, offsetof(nvml_api, field), required }

static const symbol_row symbols[] = {
    SYMBOL(init, "nvmlInit_v2", "nvmlInit", true),
    SYMBOL(shutdown, "nvmlShutdown", NULL, true),
    SYMBOL(error_text, "nvmlErrorString", NULL, true),
    SYMBOL(count, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount", true),
    SYMBOL(device, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex", true),
    SYMBOL(driver_version, "nvmlSystemGetDriverVersion", NULL, false),
    SYMBOL(name, "nvmlDeviceGetName", NULL, false),
    SYMBOL(uuid, "nvmlDeviceGetUUID", NULL, false),
    SYMBOL(energy, "nvmlDeviceGetTotalEnergyConsumption", NULL, false),
    SYMBOL(power, "nvmlDeviceGetPowerUsage", NULL, false),
    SYMBOL(fields, "nvmlDeviceGetFieldValues", NULL, false),
    SYMBOL(clock, "nvmlDeviceGetClockInfo", NULL, false),
    SYMBOL(temperature, "nvmlDeviceGetTemperature", NULL, false),
    SYMBOL(throttle, "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons",
           false),
    SYMBOL(power_limit, "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit", false),
    SYMBOL(capability, "nvmlDeviceGetCudaComputeCapability", NULL, false),
    SYMBOL(processes, "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2",
           false),
    SYMBOL(mig_mode, "nvmlDeviceGetMigMode", NULL, false),
};

/* NVML's bit i is adept_throttle i: both follow the order of nvmlClocksEventReason*. */
_Static_assert(ADEPT_THROTTLE_POWER_CAP == 2 && ADEPT_THROTTLE_SW_THERMAL == 5 &&
                   ADEPT_THROTTLE_POWER_BRAKE == 7 && ADEPT_THROTTLE_COUNT == 9,
               "throttle reasons in NVML's bit order");

typedef struct nvml_gpu {
    const nvml_api *api;
    nvml_device device;
    bool has_counter, has_instant, has_power;
} nvml_gpu;

/* Name of the first required function that is missing, or NULL. */
static const char *load_symbols(nvml_api *api) {
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *address = dlsym(api->library, symbols[i].name);
        if (!address && symbols[i].older)
            address = dlsym(api->library, symbols[i].older);
        if (!address && symbols[i].required)
            return symbols[i].name;
        memcpy((char *)api + symbols[i].offset, &address, sizeof address);
    }
    return NULL;
}

static bool read_instant(const nvml_gpu *gpu, double *power_W, int *result) {
    nvml_field field = {.id = NVML_FIELD_POWER_INSTANT};
    *result = gpu->api->fields(gpu->device, 1, &field);
    if (*result == NVML_OK)
        *result = field.result;
    *power_W = field.value.u32 / 1000.0;
    return *result == NVML_OK;
}

static bool read_power(const nvml_gpu *gpu, double *power_W, int *result) {
    unsigned power_mW = 0;
    *result = gpu->api->power(gpu->device, &power_mW);
    *power_W = power_mW / 1000.0;
    return *result == NVML_OK;
}

static bool lost(int result) {
    return result == NVML_GPU_IS_LOST || result == NVML_DRIVER_NOT_LOADED;
}

/* Clocks, temperature and throttle reasons: nice to have, so an error only leaves them out. */
static void read_state(const nvml_gpu *gpu, sensor_reading *out) {
    unsigned value;
    unsigned long long bits;
    if (gpu->api->clock && gpu->api->clock(gpu->device, NVML_CLOCK_SM, &value) == NVML_OK) {
        out->clock_Hz = value * 1e6;
        out->has |= READ_CLOCK;
    }
    if (gpu->api->clock && gpu->api->clock(gpu->device, NVML_CLOCK_MEMORY, &value) == NVML_OK) {
        out->memory_clock_Hz = value * 1e6;
        out->has |= READ_MEMORY_CLOCK;
    }
    if (gpu->api->temperature &&
        gpu->api->temperature(gpu->device, NVML_TEMPERATURE_GPU, &value) == NVML_OK) {
        out->temperature_C = value;
        out->has |= READ_TEMPERATURE;
    }
    if (gpu->api->throttle && gpu->api->throttle(gpu->device, &bits) == NVML_OK) {
        out->throttle = (unsigned)(bits & ((1U << ADEPT_THROTTLE_COUNT) - 1));
        out->has |= READ_THROTTLE;
    }
}

static sensor_result nvml_read(sensor *self, bool with_counter, sensor_reading *out) {
    const nvml_gpu *gpu = self->state;
    int result = NVML_OK;
    unsigned long long energy_mJ;
    out->has = 0;
    if (gpu->has_counter && with_counter) {
        result = gpu->api->energy(gpu->device, &energy_mJ);
        if (lost(result))
            return SENSOR_LOST;
        if (result == NVML_OK) {
            out->counter_J = (double)energy_mJ / 1000.0;
            out->has |= READ_COUNTER;
        }
    }
    bool good = gpu->has_instant ? read_instant(gpu, &out->power_W, &result)
                                 : gpu->has_power && read_power(gpu, &out->power_W, &result);
    if (lost(result))
        return SENSOR_LOST;
    if (good)
        out->has |= READ_POWER;
    if (!out->has && !(gpu->has_counter && !with_counter && !gpu->has_instant && !gpu->has_power))
        return SENSOR_FAILED;
    read_state(gpu, out);
    return SENSOR_OK;
}

static int nvml_processes(sensor *self, uint32_t *pids, size_t capacity) {
    const nvml_gpu *gpu = self->state;
    nvml_process found[256];
    unsigned count = sizeof found / sizeof found[0];
    if (gpu->api->processes(gpu->device, &count, found) != NVML_OK)
        return -1;
    size_t taken = count < capacity ? count : capacity;
    for (size_t i = 0; i < taken; i++)
        pids[i] = found[i].pid;
    return (int)taken;
}

/* Which of the three ways of reading a GPU work, and what that says about the sensor. */
static void probe(nvml_gpu *gpu, sensor *added) {
    const nvml_api *api = gpu->api;
    unsigned long long energy_mJ;
    double power_W;
    int result, major = 0, minor = 0;
    gpu->has_counter = api->energy && api->energy(gpu->device, &energy_mJ) == NVML_OK;
    gpu->has_instant = api->fields && read_instant(gpu, &power_W, &result);
    gpu->has_power = api->power && read_power(gpu, &power_W, &result);
    if (gpu->has_counter)
        added->counter_method = "NVML total energy counter";
    /* NVML does not state its period; 0.1 s is taken as the slow end of what is seen. Reading the counter
     * can take milliseconds. */
    added->refresh_s = 0.1;
    added->counter_period_s = 1.0;
    if (api->capability)
        api->capability(gpu->device, &major, &minor);
    bool averaged = major > 8 || (major == 8 && minor > 0);
    if (gpu->has_instant) {
        added->power_method = "NVML instantaneous power, trapezoid rule";
    } else if (gpu->has_power) {
        added->power_method =
            averaged ? "NVML power averaged over 1 s, trapezoid rule" : "NVML power, trapezoid rule";
        added->window_s = averaged ? 1.0 : 0.0;
    }
}

static void find_gpu(sensor_list *list, const nvml_api *api, unsigned index) {
    nvml_device device;
    char name[NVML_TEXT_B] = "NVIDIA GPU", uuid[NVML_TEXT_B] = "", label[32];
    snprintf(label, sizeof label, "GPU %u", index);
    int result = api->device(index, &device);
    if (result != NVML_OK) {
        sensor_list_miss(list, "nvml", result == NVML_NO_PERMISSION,
                         adept_arena_format(list->arena, "%s: %s", label, api->error_text(result)),
                         result == NVML_NO_PERMISSION
                             ? "ask for access to this GPU (cgroup, MIG or container)"
                             : "see nvidia-smi; the GPU may have to be reset");
        return;
    }
    if (api->name)
        api->name(device, name, sizeof name);
    if (api->uuid)
        api->uuid(device, uuid, sizeof uuid);
    nvml_gpu *gpu = adept_arena_alloc(list->arena, sizeof *gpu);
    sensor *added = sensor_list_add(list);
    if (!gpu || !added) {
        list->out_of_memory = true;
        return;
    }
    *gpu = (nvml_gpu){.api = api, .device = device};
    probe(gpu, added);
    if (!added->counter_method && !added->power_method) {
        list->count--;
        sensor_list_miss(list, "nvml", false,
                         adept_arena_format(list->arena,
                                            "%s (%s): the driver reports neither energy nor power", label,
                                            name),
                         "virtual GPUs and some mobile ones have no sensor: measure on the host");
        return;
    }
    added->kind = ADEPT_DEVICE_GPU;
    added->name = adept_arena_string(list->arena, name);
    added->id = adept_arena_string(list->arena, uuid[0] ? uuid : label);
    added->read = nvml_read;
    added->processes = api->processes ? nvml_processes : NULL;
    added->state = gpu;
    unsigned limit_mW, mode = 0, pending;
    if (api->power_limit && api->power_limit(device, &limit_mW) == NVML_OK)
        added->power_limit_W = limit_mW / 1000.0;
    if (api->mig_mode && api->mig_mode(device, &mode, &pending) == NVML_OK && mode)
        added->caveat = "MIG is on: figures are of the whole board, all instances together";
    if (!added->name || !added->id)
        list->out_of_memory = true;
}

static void find_gpus(sensor_list *list, const nvml_api *api) {
    unsigned count = 0;
    char version[NVML_TEXT_B] = "";
    if (api->driver_version && api->driver_version(version, sizeof version) == NVML_OK)
        list->driver = adept_arena_string(list->arena, version);
    int result = api->count(&count);
    if (result != NVML_OK || count == 0)
        sensor_list_miss(list, "nvml", false,
                         adept_arena_format(list->arena, "NVIDIA driver %s: %s", version,
                                            result ? api->error_text(result) : "no GPU visible"),
                         "check nvidia-smi, and the container's access to /dev/nvidia*");
    for (unsigned i = 0; i < count && !list->out_of_memory; i++)
        find_gpu(list, api, i);
}

void nvml_find(sensor_list *list, const char *library) {
    nvml_api *api = calloc(1, sizeof *api);
    if (!api) {
        list->out_of_memory = true;
        return;
    }
    api->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!api->library) {
        const char *why = dlerror();
        sensor_list_miss(list, "nvml", false, adept_arena_format(list->arena, "%s", why ? why : library),
                         "NVIDIA GPUs need the driver's library (package libnvidia-ml1 or nvidia-utils)");
        free(api);
        return;
    }
    const char *absent = load_symbols(api);
    int result = absent ? NVML_OK : api->init();
    if (absent || result != NVML_OK) {
        sensor_list_miss(list, "nvml", result == NVML_NO_PERMISSION,
                         adept_arena_format(list->arena, "%s: %s%s", library, absent ? "lacks " : "",
                                            absent ? absent : api->error_text(result)),
                         "load the NVIDIA kernel driver (modprobe nvidia), or give access to /dev/nvidia*");
        dlclose(api->library);
        free(api);
        return;
    }
    list->nvml = api;
    find_gpus(list, api);
}

void nvml_close(void *nvml) {
    nvml_api *api = nvml;
    if (!api)
        return;
    api->shutdown();
    dlclose(api->library);
    free(api);
}
