#include "units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "plain_text.h"

static char *scaled(char *text, double value, double step, const char *const *prefixes, int count,
                    const char *unit) {
    if (isnan(value))
        return snprintf(text, ADEPT_UNITS_SIZE, "-"), text;
    int prefix = 0;
    double magnitude = fabs(value);
    while (magnitude >= 0.9995 * step && prefix + 1 < count) {
        magnitude /= step;
        value /= step;
        prefix++;
    }
    int decimals = prefix == 0 && value == floor(value) ? 0 : magnitude < 10 ? 2 : magnitude < 100 ? 1 : 0;
    const char *space = unit[0] || prefixes[prefix][0] ? " " : "";
    snprintf(text, ADEPT_UNITS_SIZE, "%.*f%s%s%s", decimals, value, space, prefixes[prefix], unit);
    return text;
}

char *adept_units_si(char text[ADEPT_UNITS_SIZE], double value, const char *unit) {
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E", "Z"};
    return scaled(text, value, 1000, prefixes, 8, unit);
}

char *adept_units_time(char text[ADEPT_UNITS_SIZE], double time_s) {
    if (!(fabs(time_s) < 0.9995))
        return snprintf(text, ADEPT_UNITS_SIZE, isnan(time_s) ? "-" : "%.*f s", time_s < 100 ? 2 : 0, time_s),
               text;
    bool milli = fabs(time_s) >= 0.9995e-3;
    double value = time_s * (milli ? 1e3 : 1e6), magnitude = fabs(value);
    int decimals = value == 0 ? 0 : magnitude < 10 ? 2 : magnitude < 100 ? 1 : 0;
    snprintf(text, ADEPT_UNITS_SIZE, "%.*f %s", decimals, value, milli ? "ms" : "us");
    return text;
}

char *adept_units_memory(char text[ADEPT_UNITS_SIZE], double bytes) {
    static const char *const prefixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
    return scaled(text, bytes, 1024, prefixes, 6, "B");
}

const char *adept_units_tail(const char *name, char *text, size_t size) {
    size_t length = strlen(name);
    if (length < size)
        return adept_plain_copy(text, size, name);
    const char *tail = name + length - (size - 4);
    while (((unsigned char)*tail & 0xc0) == 0x80)
        tail++;
    memcpy(text, "...", 3);
    adept_plain_copy(text + 3, size - 3, tail);
    return text;
}
