#include "adept/measure.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "fail.h"
#include "sampler.h"

static const double default_interval_s = 0.1;
static const double live_period_s = 0.5;

struct adept_measurement {
    adept_arena *arena;
    adept_measure_summary summary;
};

const adept_measure_summary *adept_measurement_summary(const adept_measurement *measurement) {
    return &measurement->summary;
}

void adept_measurement_free(adept_measurement *measurement) {
    if (measurement)
        adept_arena_free(measurement->arena);
}

const char *adept_device_kind_name(adept_device_kind kind) {
#define KIND_NAME(code, name) name,
    static const char *const names[] = {ADEPT_DEVICE_KIND_LIST(KIND_NAME)};
#undef KIND_NAME
    return (size_t)kind < ADEPT_DEVICE_KIND_COUNT ? names[kind] : "?";
}

const char *adept_throttle_name(adept_throttle reason) {
#define REASON_NAME(code, name, alarm) name,
    static const char *const names[] = {ADEPT_THROTTLE_LIST(REASON_NAME)};
#undef REASON_NAME
    return (size_t)reason < ADEPT_THROTTLE_COUNT ? names[reason] : "?";
}

/* What one measurement works with; the summary is made of it at the end. */
typedef struct session {
    adept_measurement *result;
    const adept_measure_options *options;
    sensor_list sensors;
    process_tree tree;
    sampler sampler;
    child child;
    double begin_cpu_s, started_cpu_s, children_cpu_s;
} session;

static const char *setting(const char *given, const char *variable, const char *standard) {
    const char *environment = getenv(variable);
    return given ? given : environment && *environment ? environment : standard;
}

static double cpu_s(int who) {
    struct rusage usage;
    if (getrusage(who, &usage))
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* Whether the list ("0,2" or beginnings of UUIDs) names the GPU. */
static bool selected(const char *list, size_t index, const char *id) {
    while (*list) {
        size_t length = strcspn(list, ",");
        char *end;
        unsigned long number = strtoul(list, &end, 10);
        bool by_number = isdigit((unsigned char)*list) && end == list + length && number == index;
        if (by_number || (length && strncmp(list, id, length) == 0))
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

/* Leaves only the GPUs asked for; the numbers are those of the whole list. */
static adept_status select_gpus(sensor_list *list, const char *gpus, adept_error *err) {
    size_t kept = 0, gpu = 0, chosen = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool is_gpu = list->items[i].kind == ADEPT_DEVICE_GPU;
        bool keep = !is_gpu || selected(gpus, gpu, list->items[i].id);
        gpu += is_gpu;
        chosen += is_gpu && keep;
        if (keep)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
    return chosen
               ? ADEPT_OK
               : adept_fail(err, ADEPT_ARGUMENT, "no GPU is '%s': there are %zu, counted from 0", gpus, gpu);
}

static adept_status find_sensors(session *s, adept_error *err) {
    const adept_measure_options *options = s->options;
    sensor_list *list = &s->sensors;
    const char *sysfs_root = setting(options->sysfs_root, "ADEPT_SYSFS_ROOT", "/sys");
    *list = (sensor_list){.arena = s->result->arena, .driver = ""};
    process_tree_init(&s->tree, setting(options->proc_root, "ADEPT_PROC_ROOT", "/proc"), getpid());
    nvml_find(list, setting(options->nvml_library, "ADEPT_NVML_LIBRARY", "libnvidia-ml.so.1"));
    amdgpu_find(list, sysfs_root);
    if (!rapl_find(list, sysfs_root))
        dram_find(list, sysfs_root, &s->tree, options->dimm_count, options->dimm_B);
    if (list->out_of_memory)
        return adept_fail_memory(err);
    adept_status status = options->gpus ? select_gpus(list, options->gpus, err) : ADEPT_OK;
    s->sampler.sensors = list->items;
    s->sampler.count = list->count;
    s->sampler.tree = &s->tree;
    s->sampler.meters = adept_arena_array(s->result->arena, list->count, sizeof *s->sampler.meters);
    return status || s->sampler.meters ? status : adept_fail_memory(err);
}

static void tell_live(session *s) {
    if (!s->options->live)
        return;
    adept_measure_live now = {.command_ended = s->child.ended};
    sampler_snapshot(&s->sampler, &now);
    s->options->live(s->options->live_context, &now);
}

/* To the end of the tree, of the command, or to a signal after the command's end. */
static child_event wait_for_end(session *s) {
    for (;;) {
        child_event event = child_wait(&s->child, live_period_s);
        if (event != CHILD_TICK || (s->child.ended && s->options->leave_descendants))
            return event;
        tell_live(s);
    }
}

static adept_status run_command(session *s, adept_error *err) {
    double wanted_s = s->options->interval_s > 0 ? s->options->interval_s : default_interval_s;
    adept_status status = sampler_begin(&s->sampler, wanted_s, err);
    if (status)
        return status;
    child_prepare(&s->child);
    s->started_cpu_s = cpu_s(RUSAGE_SELF);
    s->children_cpu_s = cpu_s(RUSAGE_CHILDREN);
    status = child_start(&s->child, s->options->command, s->options->output_to_stderr, err);
    if (status == ADEPT_OK) {
        /* Without the thread the first and last sample still make a measurement. */
        bool sampled = sampler_start(&s->sampler, NULL) == ADEPT_OK;
        child_event event = wait_for_end(s);
        sampler_end(&s->sampler);
        process_tree_update(&s->tree);
        s->result->summary.left_running = event == CHILD_ALL_GONE ? 0 : s->tree.processes;
        s->result->summary.complete = sampled;
    }
    child_release(&s->child);
    return status;
}

static bool copy_command(session *s) {
    const char *const *command = s->options->command;
    size_t count = 0;
    while (command[count])
        count++;
    const char **copy = adept_arena_array(s->result->arena, count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        if (!(copy[i] = adept_arena_string(s->result->arena, command[i])))
            return false;
    s->result->summary.command = copy;
    return copy != NULL;
}

static bool report_devices(session *s) {
    adept_measure_summary *out = &s->result->summary;
    adept_measured_device *devices = adept_arena_array(s->result->arena, s->sensors.count, sizeof *devices);
    if (!devices)
        return false;
    out->devices = devices;
    out->device_count = s->sensors.count;
    out->trusted = s->sensors.count > 0;
    for (size_t i = 0; i < s->sensors.count; i++) {
        if (!meter_report(&s->sampler.meters[i], &s->sensors.items[i], s->sampler.last_s, s->result->arena,
                          &devices[i]))
            return false;
        out->energy_J += devices[i].energy_J;
        out->measured_count += devices[i].measured;
        out->complete = out->complete && devices[i].measured && !s->sampler.meters[i].lost;
        out->trusted = out->trusted && devices[i].trusted;
    }
    return true;
}

static void report_measurer(session *s, double self_cpu_s) {
    adept_measure_summary *out = &s->result->summary;
    double elapsed_s = s->sampler.last_s - s->sampler.begin_s;
    out->duration_s = elapsed_s;
    out->command_s = (s->child.ended ? s->child.ended_s : s->sampler.last_s) - s->sampler.begin_s;
    out->samples = s->sampler.ticks;
    out->requested_interval_s = s->options->interval_s > 0 ? s->options->interval_s : default_interval_s;
    out->interval_s = s->sampler.ticks > 1 ? elapsed_s / (double)(s->sampler.ticks - 1) : elapsed_s;
    out->measurer_cpu_s = self_cpu_s - s->started_cpu_s;
    out->measurer_share = elapsed_s > 0 ? out->measurer_cpu_s / elapsed_s : 0;
    out->average_power_W = elapsed_s > 0 ? out->energy_J / elapsed_s : 0;
    out->peak_power_W = s->sampler.peak_power_W;
    out->processes = s->tree.peak_processes;
    out->peak_resident_B = s->tree.peak_resident_B;
    out->memory_share = s->tree.total_B > 0 ? s->tree.peak_resident_B / s->tree.total_B : 0;
    out->command_cpu_s = cpu_s(RUSAGE_CHILDREN) - s->children_cpu_s;
}

/* At most three notes of the run as a whole. */
static bool report_notes(session *s) {
    adept_measure_summary *out = &s->result->summary;
    const char **notes = adept_arena_array(s->result->arena, 3, sizeof *notes);
    if (!notes)
        return false;
    if (out->left_running)
        notes[out->note_count++] = adept_arena_format(
            s->result->arena, "%zu process(es) of the command were left running: their energy is not counted",
            out->left_running);
    if (out->samples > 20 && out->interval_s > 1.5 * out->requested_interval_s)
        notes[out->note_count++] = adept_arena_format(
            s->result->arena, "sampled every %.3g s instead of %.3g s, to stay below 1 %% of a core",
            out->interval_s, out->requested_interval_s);
    if (!out->device_count)
        notes[out->note_count++] = adept_arena_string(
            s->result->arena,
            "no energy sensor on this machine that this user may read: only time was measured");
    for (size_t i = 0; i < out->note_count; i++)
        if (!notes[i])
            return false;
    out->notes = notes;
    return true;
}

static adept_status report(session *s, adept_error *err) {
    adept_measure_summary *out = &s->result->summary;
    double self_cpu_s = cpu_s(RUSAGE_SELF);
    out->startup_cpu_s = s->started_cpu_s - s->begin_cpu_s;
    out->exit_code = child_exit_code(&s->child, &out->signal);
    out->driver = s->sensors.driver;
    out->missing_count = s->sensors.missing_count;
    out->missing = adept_arena_copy(s->result->arena, s->sensors.missing,
                                    s->sensors.missing_count * sizeof *s->sensors.missing);
    bool good = out->missing && copy_command(s) && report_devices(s);
    report_measurer(s, self_cpu_s);
    return good && report_notes(s) ? ADEPT_OK : adept_fail_memory(err);
}

static void note_start(adept_measure_summary *summary) {
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc))
        strftime(summary->started, sizeof summary->started, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

adept_status adept_measure_run(adept_measurement **out, const adept_measure_options *options,
                               adept_error *err) {
    *out = NULL;
    if (!options->command || !options->command[0])
        return adept_fail(err, ADEPT_ARGUMENT, "no command to measure");
    adept_arena *arena = adept_arena_new(0);
    session s = {.options = options,
                 .begin_cpu_s = cpu_s(RUSAGE_SELF),
                 .result = arena ? adept_arena_alloc(arena, sizeof *s.result) : NULL};
    if (!s.result) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    s.result->arena = arena;
    note_start(&s.result->summary);
    adept_status status = find_sensors(&s, err);
    if (status == ADEPT_OK) {
        status = run_command(&s, err);
        if (status == ADEPT_OK)
            status = report(&s, err);
        sampler_free(&s.sampler);
    }
    process_tree_free(&s.tree);
    sensor_list_close(&s.sensors);
    if (status == ADEPT_OK)
        *out = s.result;
    else
        adept_arena_free(arena);
    return status;
}
