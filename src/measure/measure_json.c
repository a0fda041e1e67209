/* A measurement as one JSON object. */
#include "adept/measure.h"
#include "strict_json.h"
#include "trace_row.h"

typedef adept_json_writer writer;

static void put_range(writer *w, const char *key, adept_range range) {
    if (!range.count) {
        adept_json_put_null(w, key);
        return;
    }
    adept_json_begin_object(w, key);
    adept_json_put_number(w, "min", range.min);
    adept_json_put_number(w, "max", range.max);
    adept_json_put_number(w, "mean", range.mean);
    adept_json_put_integer(w, "samples", (int64_t)range.count);
    adept_json_end(w);
}

static void put_list(writer *w, const char *key, const char *const *texts, size_t count) {
    adept_json_begin_array(w, key);
    for (size_t i = 0; i < count; i++)
        adept_json_put_string(w, NULL, texts[i]);
    adept_json_end(w);
}

/* null where it was not measured: missing is not zero. */
static void put_optional(writer *w, const char *key, bool known, double value) {
    if (known)
        adept_json_put_number(w, key, value);
    else
        adept_json_put_null(w, key);
}

static void put_energy(writer *w, const adept_measured_device *device) {
    put_optional(w, "energy_J", device->measured, device->energy_J);
    put_optional(w, "average_power_W", device->measured, device->average_power_W);
    put_optional(w, "peak_power_W", device->power_W.count > 0, device->power_W.max);
    put_optional(w, "steady_power_W", device->steady_power_W > 0, device->steady_power_W);
    put_optional(w, "power_limit_W", device->power_limit_W > 0, device->power_limit_W);
    put_optional(w, "duration_s", device->measured, device->duration_s);
}

static void put_sensor(writer *w, const adept_measured_device *device) {
    adept_json_put_integer(w, "samples", (int64_t)device->samples);
    adept_json_put_integer(w, "failed_samples", (int64_t)device->failed_samples);
    adept_json_put_number(w, "longest_gap_s", device->longest_gap_s);
    adept_json_put_number(w, "sensor_period_s", device->refresh_s);
    adept_json_put_number(w, "sensor_window_s", device->window_s);
    put_range(w, "power_W", device->power_W);
    put_range(w, "clock_Hz", device->clock_Hz);
    put_range(w, "memory_clock_Hz", device->memory_clock_Hz);
    put_range(w, "temperature_C", device->temperature_C);
}

static void put_use(writer *w, const adept_measured_device *device) {
    if (device->used == ADEPT_USE_UNKNOWN)
        adept_json_put_null(w, "used_by_command");
    else
        adept_json_put_bool(w, "used_by_command", device->used == ADEPT_USE_YES);
    adept_json_put_integer(w, "other_processes", (int64_t)device->other_processes);
}

static void put_device(writer *w, const adept_measured_device *device) {
    adept_json_begin_object(w, NULL);
    adept_json_put_string(w, "kind", adept_device_kind_name(device->kind));
    adept_json_put_string(w, "name", device->name);
    adept_json_put_string(w, "id", device->id);
    adept_json_put_string(w, "method", device->method);
    adept_json_put_bool(w, "measured", device->measured);
    adept_json_put_bool(w, "trusted", device->trusted);
    adept_json_put_bool(w, "modelled", device->modelled);
    put_energy(w, device);
    put_sensor(w, device);
    adept_json_begin_object(w, "throttle_share");
    for (int i = 0; i < ADEPT_THROTTLE_COUNT && device->throttle_samples; i++)
        adept_json_put_number(w, adept_throttle_name((adept_throttle)i), device->throttle_share[i]);
    adept_json_end(w);
    if (device->kind == ADEPT_DEVICE_GPU)
        put_use(w, device);
    put_list(w, "notes", device->notes, device->note_count);
    adept_json_end(w);
}

static void put_missing(writer *w, const adept_missing *missing) {
    adept_json_begin_object(w, NULL);
    adept_json_put_string(w, "source", missing->source);
    adept_json_put_bool(w, "permission_denied", missing->denied);
    adept_json_put_string(w, "what", missing->what);
    adept_json_put_string(w, "remedy", missing->remedy);
    adept_json_end(w);
}

static void put_command(writer *w, const adept_measure_summary *s) {
    size_t count = 0;
    while (s->command[count])
        count++;
    put_list(w, "command", s->command, count);
    adept_json_put_integer(w, "exit_code", s->exit_code);
    if (s->signal)
        adept_json_put_integer(w, "signal", s->signal);
    else
        adept_json_put_null(w, "signal");
    adept_json_put_string(w, "started", s->started);
    adept_json_put_number(w, "duration_s", s->duration_s);
    adept_json_put_number(w, "command_s", s->command_s);
    adept_json_put_bool(w, "complete", s->complete);
    adept_json_put_bool(w, "trusted", s->trusted);
    adept_json_begin_object(w, "total");
    put_optional(w, "energy_J", s->measured_count > 0, s->energy_J);
    put_optional(w, "average_power_W", s->measured_count > 0, s->average_power_W);
    put_optional(w, "peak_power_W", s->measured_count > 0, s->peak_power_W);
    adept_json_put_integer(w, "devices", (int64_t)s->measured_count);
    adept_json_end(w);
}

static void put_processes(writer *w, const adept_measure_summary *s) {
    adept_json_begin_object(w, "process_tree");
    adept_json_put_integer(w, "processes", (int64_t)s->processes);
    adept_json_put_number(w, "peak_resident_B", s->peak_resident_B);
    adept_json_put_number(w, "memory_share", s->memory_share);
    adept_json_put_number(w, "cpu_s", s->command_cpu_s);
    adept_json_put_integer(w, "left_running", (int64_t)s->left_running);
    adept_json_end(w);
    adept_json_begin_object(w, "measurer");
    adept_json_put_number(w, "requested_interval_s", s->requested_interval_s);
    adept_json_put_number(w, "interval_s", s->interval_s);
    adept_json_put_integer(w, "samples", (int64_t)s->samples);
    adept_json_put_number(w, "cpu_s", s->measurer_cpu_s);
    adept_json_put_number(w, "core_share", s->measurer_share);
    adept_json_put_number(w, "startup_cpu_s", s->startup_cpu_s);
    adept_json_end(w);
    adept_json_put_string(w, "driver", *s->driver ? s->driver : NULL);
}

/* Energy of the GPUs that the step time and the trace row are about. */
static void put_step(writer *w, const adept_measure_summary *s, const adept_measured_run *run) {
    trace_values values;
    trace_values_fill(&values, s, run);
    adept_json_begin_object(w, "step");
    adept_json_put_number(w, "steps", run->steps);
    adept_json_put_number(w, "step_time_s", values.step_time_s);
    adept_json_put_integer(w, "gpus", (int64_t)values.gpus);
    put_optional(w, "average_power_W", values.gpus > 0, values.gpu_power_W);
    put_optional(w, "energy_per_step_J", values.gpus > 0, values.gpu_energy_J / run->steps);
    adept_json_end(w);
}

adept_status adept_measure_write_json(FILE *out, const adept_measure_summary *s,
                                      const adept_measured_run *run, adept_error *err) {
    writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    put_command(&w, s);
    adept_json_begin_array(&w, "devices");
    for (size_t i = 0; i < s->device_count; i++)
        put_device(&w, &s->devices[i]);
    adept_json_end(&w);
    adept_json_begin_array(&w, "missing");
    for (size_t i = 0; i < s->missing_count; i++)
        put_missing(&w, &s->missing[i]);
    adept_json_end(&w);
    put_processes(&w, s);
    if (run)
        put_step(&w, s, run);
    put_list(&w, "notes", s->notes, s->note_count);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}
