/*
 * A stand-in for libnvidia-ml.so.1 with GPUs whose power is constant, so that energy is power times time.
 * ADEPT_FAKE_NVML scripts it, for all GPUs or (N.key) one of them; times count from nvmlInit:
 *
 *   gpus=2 power_W=200 start_J=5 major=9 minor=0 pid=1234 throttle=4 limit_W=300
 *   no_counter no_instant no_power       the driver does not offer it
 *   still_s=1                            the energy counter stands still from then on
 *   reset_s=1                            the energy counter starts again from 0
 *   lost_s=1                             the GPU falls off the bus
 *   gap_from_s=1 gap_to_s=2              the sensors time out meanwhile
 *   init_error=9                         nvmlInit fails with this code
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK = 0, NOT_SUPPORTED = 3, TIMEOUT = 10, GPU_IS_LOST = 15 };

typedef struct fake_field {
    unsigned id, scope;
    long long timestamp_us, latency_us;
    unsigned value_type;
    int result;
    union {
        double f64;
        unsigned long long u64;
        unsigned u32;
    } value;
} fake_field;

typedef struct fake_process {
    unsigned pid;
    unsigned long long used_B;
    unsigned gpu_instance, compute_instance;
} fake_process;

static double began_s;
static int handles[16];

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The value of "key" or "N.key" in the script; a bare key counts as 1. */
static double script(long gpu, const char *key, double standard) {
    const char *text = getenv("ADEPT_FAKE_NVML");
    char special[64];
    snprintf(special, sizeof special, "%ld.%s", gpu, key);
    while (text && *text) {
        size_t word = strcspn(text, " "), name = strcspn(text, " =");
        int all = name == strlen(key) && strncmp(text, key, name) == 0;
        int one = name == strlen(special) && strncmp(text, special, name) == 0;
        if (all || one)
            standard = text[name] == '=' ? strtod(text + name + 1, NULL) : 1;
        text += word + (text[word] == ' ');
    }
    return standard;
}

static long index_of(const void *device) {
    return (const int *)device - handles;
}

/* What any call about this GPU returns now. */
static int state(long gpu) {
    double t = now_s() - began_s;
    return t >= script(gpu, "lost_s", 1e9) ? GPU_IS_LOST : OK;
}

static int sensor_state(long gpu) {
    double t = now_s() - began_s;
    if (t >= script(gpu, "gap_from_s", 1e9) && t < script(gpu, "gap_to_s", 0))
        return TIMEOUT;
    return state(gpu);
}

static double power_W(long gpu) {
    return script(gpu, "power_W", 200);
}

#define FAKE(declaration)                                                                                    \
    int declaration;                                                                                         \
    int declaration

FAKE(nvmlInit_v2(void)) {
    began_s = now_s();
    return (int)script(-1, "init_error", OK);
}
FAKE(nvmlShutdown(void)) {
    return OK;
}
const char *nvmlErrorString(int code);
const char *nvmlErrorString(int code) {
    return code == 9 ? "Driver Not Loaded" : code == GPU_IS_LOST ? "GPU is lost" : "fake error";
}
FAKE(nvmlSystemGetDriverVersion(char *text, unsigned size)) {
    snprintf(text, size, "999.42");
    return OK;
}
FAKE(nvmlDeviceGetCount_v2(unsigned *count)) {
    *count = (unsigned)script(-1, "gpus", 1);
    return OK;
}
FAKE(nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)) {
    *device = &handles[index];
    return OK;
}
FAKE(nvmlDeviceGetName(void *device, char *text, unsigned size)) {
    (void)device;
    snprintf(text, size, "NVIDIA Fake 9000");
    return OK;
}
FAKE(nvmlDeviceGetUUID(void *device, char *text, unsigned size)) {
    snprintf(text, size, "GPU-fake-%ld", index_of(device));
    return OK;
}
FAKE(nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *energy_mJ)) {
    long gpu = index_of(device);
    double t = now_s() - began_s, still_s = script(gpu, "still_s", 1e9),
           reset_s = script(gpu, "reset_s", 1e9);
    if (script(gpu, "no_counter", 0) > 0)
        return NOT_SUPPORTED;
    double counted_s = t > still_s ? still_s : t;
    double energy_J =
        t >= reset_s ? power_W(gpu) * (t - reset_s) : script(gpu, "start_J", 1000) + power_W(gpu) * counted_s;
    *energy_mJ = (unsigned long long)(energy_J * 1000);
    return sensor_state(gpu);
}
FAKE(nvmlDeviceGetPowerUsage(void *device, unsigned *power_mW)) {
    if (script(index_of(device), "no_power", 0) > 0)
        return NOT_SUPPORTED;
    *power_mW = (unsigned)(power_W(index_of(device)) * 1000);
    return sensor_state(index_of(device));
}
FAKE(nvmlDeviceGetFieldValues(void *device, int count, fake_field *fields)) {
    for (int i = 0; i < count; i++) {
        int known = fields[i].id == 186 && script(index_of(device), "no_instant", 0) <= 0;
        fields[i].result = known ? sensor_state(index_of(device)) : NOT_SUPPORTED;
        fields[i].value.u32 = (unsigned)(power_W(index_of(device)) * 1000);
    }
    return state(index_of(device));
}
FAKE(nvmlDeviceGetClockInfo(void *device, int kind, unsigned *clock_MHz)) {
    *clock_MHz = kind == 1 ? 1500 : 2600;
    return state(index_of(device));
}
FAKE(nvmlDeviceGetTemperature(void *device, int sensor, unsigned *temperature_C)) {
    (void)sensor;
    *temperature_C = 61;
    return state(index_of(device));
}
FAKE(nvmlDeviceGetCurrentClocksThrottleReasons(void *device, unsigned long long *reasons)) {
    *reasons = (unsigned long long)script(index_of(device), "throttle", 0);
    return state(index_of(device));
}
FAKE(nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *limit_mW)) {
    *limit_mW = (unsigned)(script(index_of(device), "limit_W", 300) * 1000);
    return OK;
}
FAKE(nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor)) {
    *major = (int)script(index_of(device), "major", 9);
    *minor = (int)script(index_of(device), "minor", 0);
    return OK;
}
FAKE(nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, fake_process *processes)) {
    double pid = script(index_of(device), "pid", 0);
    *count = pid > 0;
    processes[0] = (fake_process){.pid = (unsigned)pid};
    return state(index_of(device));
}
