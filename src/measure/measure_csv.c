/* A measurement as CSV: a row per device, then the total. */
#include <errno.h>
#include <string.h>

#include "adept/measure.h"
#include "fail.h"
#include "strict_csv.h"

static void csv_number(FILE *out, bool known, double value) {
    if (known)
        fprintf(out, ",%.10g", value);
    else
        fputc(',', out);
}

static void csv_text(FILE *out, const char *text) {
    fputc(',', out);
    adept_csv_write_field(out, text);
}

static void csv_range(FILE *out, adept_range range) {
    csv_number(out, range.count > 0, range.min);
    csv_number(out, range.count > 0, range.max);
    csv_number(out, range.count > 0, range.mean);
}

/* Texts joined with "; " in one quoted field. */
static void csv_notes(FILE *out, const char *const *notes, size_t count) {
    char text[4096] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof text; i++) {
        int more = snprintf(text + used, sizeof text - used, "%s%s", i ? "; " : "", notes[i]);
        used += more > 0 ? (size_t)more : 0;
    }
    csv_text(out, text);
}

static void csv_throttle(FILE *out, const adept_measured_device *device) {
    char text[512] = "";
    for (int i = 0; i < ADEPT_THROTTLE_COUNT; i++) {
        size_t used = strlen(text);
        if (device->throttle_share[i] > 0)
            snprintf(text + used, sizeof text - used, "%s%s=%.4g", used ? " " : "",
                     adept_throttle_name((adept_throttle)i), device->throttle_share[i]);
    }
    csv_text(out, text);
}

static void csv_device(FILE *out, const adept_measured_device *device) {
    fputs(adept_device_kind_name(device->kind), out);
    csv_text(out, device->name);
    csv_text(out, device->id);
    csv_text(out, device->method);
    csv_number(out, device->measured, device->energy_J);
    csv_number(out, device->measured, device->average_power_W);
    csv_number(out, device->power_W.count > 0, device->power_W.max);
    csv_number(out, device->steady_power_W > 0, device->steady_power_W);
    csv_number(out, device->power_limit_W > 0, device->power_limit_W);
    csv_number(out, device->measured, device->duration_s);
    fprintf(out, ",%zu,%zu", device->samples, device->failed_samples);
    csv_number(out, true, device->longest_gap_s);
    csv_number(out, true, device->refresh_s);
    csv_number(out, true, device->window_s);
    csv_range(out, device->clock_Hz);
    csv_range(out, device->memory_clock_Hz);
    csv_range(out, device->temperature_C);
    csv_throttle(out, device);
    fprintf(out, ",%s,%s,%s", device->measured ? "yes" : "no", device->trusted ? "yes" : "no",
            device->modelled ? "yes" : "no");
    csv_notes(out, device->notes, device->note_count);
    fputc('\n', out);
}

adept_status adept_measure_write_csv(FILE *out, const adept_measure_summary *s, adept_error *err) {
    fputs(
        "device,name,id,method,energy_J,average_power_W,peak_power_W,steady_power_W,power_limit_W,duration_s,"
        "samples,failed_samples,longest_gap_s,sensor_period_s,sensor_window_s,clock_min_Hz,clock_max_Hz,"
        "clock_mean_Hz,memory_clock_min_Hz,memory_clock_max_Hz,memory_clock_mean_Hz,temperature_min_C,"
        "temperature_max_C,temperature_mean_C,throttle_share,measured,trusted,modelled,notes\n",
        out);
    for (size_t i = 0; i < s->device_count; i++)
        csv_device(out, &s->devices[i]);
    fputs("total,,,", out);
    csv_number(out, s->measured_count > 0, s->energy_J);
    csv_number(out, s->measured_count > 0, s->average_power_W);
    csv_number(out, s->measured_count > 0, s->peak_power_W);
    fprintf(out, ",,,%.10g,%zu,,,,,,,,,,,,,,,%s,%s,", s->duration_s, s->samples, s->complete ? "yes" : "no",
            s->trusted ? "yes" : "no");
    csv_notes(out, s->notes, s->note_count);
    fputc('\n', out);
    if (fflush(out) || ferror(out))
        return adept_fail(err, ADEPT_IO, "cannot write the measurement: %s", strerror(errno));
    return ADEPT_OK;
}
