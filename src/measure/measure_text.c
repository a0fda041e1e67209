/* A measurement in words. */
#include <errno.h>
#include <string.h>

#include "adept/measure.h"
#include "fail.h"
#include "trace_row.h"

/* Control characters would move the cursor, or worse. */
static void print_plain(FILE *out, const char *text) {
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, out);
}

static void print_range(FILE *out, const char *label, adept_range range, double unit, const char *unit_name) {
    if (range.count)
        fprintf(out, "    %s %.0f to %.0f %s, mean %.0f\n", label, range.min / unit, range.max / unit,
                unit_name, range.mean / unit);
}

static void print_throttle(FILE *out, const adept_measured_device *device) {
    const char *separator = "    clock limits (share of samples): ";
    for (int i = 0; i < ADEPT_THROTTLE_COUNT; i++) {
        if (device->throttle_share[i] <= 0)
            continue;
        fprintf(out, "%s%s %.0f %%", separator, adept_throttle_name((adept_throttle)i),
                100 * device->throttle_share[i]);
        separator = ", ";
    }
    if (separator[0] == ',')
        fputc('\n', out);
}

static void print_device(FILE *out, const adept_measured_device *device) {
    fprintf(out, "\n%s: %s (%s)\n", adept_device_kind_name(device->kind), device->name, device->id);
    if (device->measured) {
        fprintf(out, "    energy %.6g J over %.3f s, average %.2f W", device->energy_J, device->duration_s,
                device->average_power_W);
        if (device->power_W.count)
            fprintf(out, ", peak %.2f W", device->power_W.max);
        if (device->steady_power_W > 0)
            fprintf(out, ", without the ramp %.2f W", device->steady_power_W);
        if (device->power_limit_W > 0)
            fprintf(out, ", limit %.0f W", device->power_limit_W);
        fprintf(out, "%s\n", device->trusted ? "" : "  [not to be trusted, see below]");
    }
    fprintf(out, "    by %s; %zu samples", device->method, device->samples);
    if (device->failed_samples)
        fprintf(out, ", %zu failed", device->failed_samples);
    fputc('\n', out);
    print_range(out, "clock", device->clock_Hz, 1e6, "MHz");
    print_range(out, "memory clock", device->memory_clock_Hz, 1e6, "MHz");
    print_range(out, "temperature", device->temperature_C, 1, "degrees C");
    print_throttle(out, device);
    for (size_t i = 0; i < device->note_count; i++)
        fprintf(out, "    note: %s\n", device->notes[i]);
}

static void print_step(FILE *out, const adept_measure_summary *s, const adept_measured_run *run) {
    trace_values values;
    trace_values_fill(&values, s, run);
    fprintf(out, "step: %.6g s (%.0f steps in %.3f s)", values.step_time_s, run->steps, s->command_s);
    if (values.gpus)
        fprintf(out, ", %.2f W per GPU, %.6g J per step on %zu GPU%s", values.gpu_power_W,
                values.gpu_energy_J / run->steps, values.gpus, values.gpus > 1 ? "s" : "");
    fprintf(out, "; start-up is included\n");
}

adept_status adept_measure_write_text(FILE *out, const adept_measure_summary *s,
                                      const adept_measured_run *run, adept_error *err) {
    fprintf(out, "command: ");
    for (size_t i = 0; s->command[i]; i++) {
        fputs(i ? " " : "", out);
        print_plain(out, s->command[i]);
    }
    if (s->signal)
        fprintf(out, "\nended by signal %d (%s)", s->signal, strsignal(s->signal));
    else
        fprintf(out, "\nexit code %d", s->exit_code);
    fprintf(out, ", %.3f s (measured %.3f s), %.2f s of CPU time, up to %zu process%s, %.1f MiB resident\n",
            s->command_s, s->duration_s, s->command_cpu_s, s->processes, s->processes == 1 ? "" : "es",
            s->peak_resident_B / 1048576);
    if (s->measured_count)
        fprintf(out, "total: %.6g J, average %.2f W, peak %.2f W, of %zu device%s%s%s\n", s->energy_J,
                s->average_power_W, s->peak_power_W, s->measured_count, s->measured_count > 1 ? "s" : "",
                s->complete ? "" : ", incomplete", s->trusted ? "" : " [not to be trusted, see the notes]");
    if (run)
        print_step(out, s, run);
    for (size_t i = 0; i < s->note_count; i++)
        fprintf(out, "note: %s\n", s->notes[i]);
    for (size_t i = 0; i < s->device_count; i++)
        print_device(out, &s->devices[i]);
    if (s->missing_count)
        fprintf(out, "\nnot measured:\n");
    for (size_t i = 0; i < s->missing_count; i++)
        fprintf(out, "    %s: %s\n        %s\n", s->missing[i].source, s->missing[i].what,
                s->missing[i].remedy);
    fprintf(
        out,
        "\nmeasuring took %.4f s of CPU time, %.3f %% of a core (%zu samples, one every %.3g s), and %.3f s "
        "before the start\n",
        s->measurer_cpu_s, 100 * s->measurer_share, s->samples, s->interval_s, s->startup_cpu_s);
    if (fflush(out) || ferror(out))
        return adept_fail(err, ADEPT_IO, "cannot write the measurement: %s", strerror(errno));
    return ADEPT_OK;
}
