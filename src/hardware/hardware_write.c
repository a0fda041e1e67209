#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hardware_object.h"
#include "hardware_search.h"
#include "strict_json.h"

static bool any_set(const adept_hardware *hardware, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        if (hardware->set[i])
            return true;
    }
    return false;
}

/* Rows [first, end) of one section as the object `key`, and inside it those up to inner_end as one more. */
static void write_section(adept_json_writer *w, const adept_hardware *hardware, const char *key, size_t first,
                          size_t end, size_t inner_end) {
    size_t count;
    const adept_field_row *rows = adept_field_rows(&count);
    if (!any_set(hardware, first, inner_end))
        return;
    adept_json_begin_object(w, key);
    for (size_t i = first; i < end; i++) {
        if (hardware->set[i])
            adept_json_put_number(w, rows[i].key, adept_field_value(&hardware->given, i));
    }
    if (end < inner_end)
        write_section(w, hardware, strchr(rows[end].section, '.') + 1, end, inner_end, inner_end);
    adept_json_end(w);
}

static size_t section_end(size_t first) {
    size_t count;
    const adept_field_row *rows = adept_field_rows(&count);
    size_t end = first;
    while (end < count && strcmp(rows[end].section, rows[first].section) == 0)
        end++;
    return end;
}

static void write_fields(adept_json_writer *w, const adept_hardware *hardware) {
    size_t count;
    const adept_field_row *rows = adept_field_rows(&count);
    for (size_t first = 0; first < count;) {
        size_t end = section_end(first);
        bool nested = end < count && strchr(rows[end].section, '.');
        size_t inner_end = nested ? section_end(end) : end;
        write_section(w, hardware, rows[first].section, first, end, inner_end);
        first = inner_end;
    }
}

static void write_parameters(adept_json_writer *w, const adept_hardware *hardware, adept_variant variant) {
    char provenance[1024];
    adept_json_begin_object(w, adept_variant_name(variant));
    for (size_t i = 0; i < hardware->parameter_counts[variant]; i++) {
        const adept_hardware_parameter *parameter = &hardware->parameters[variant][i];
        snprintf(provenance, sizeof provenance, "%s%s%s", adept_provenance_name(parameter->provenance),
                 *parameter->detail ? ": " : "", parameter->detail);
        adept_json_begin_object(w, parameter->name);
        adept_json_put_number(w, "value", parameter->value);
        adept_json_put_string(w, "provenance", provenance);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void write_interval(adept_json_writer *w, const char *key, const adept_hardware_interval *interval) {
    if (isnan(interval->level))
        return;
    adept_json_begin_object(w, key);
    adept_json_put_number(w, "level", interval->level);
    adept_json_put_number(w, "time_lower", interval->time_lower);
    adept_json_put_number(w, "time_upper", interval->time_upper);
    adept_json_put_number(w, "power_lower", interval->power_lower);
    adept_json_put_number(w, "power_upper", interval->power_upper);
    adept_json_end(w);
}

static void write_theta(adept_json_writer *w, const adept_hardware *hardware) {
    adept_json_begin_object(w, "theta");
    adept_json_put_string(w, "saturation", adept_saturation_name(hardware->saturation));
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++)
        write_parameters(w, hardware, (adept_variant)v);
    adept_json_begin_object(w, "intervals");
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++)
        write_interval(w, adept_variant_name((adept_variant)v), &hardware->intervals[v]);
    adept_json_end(w);
    adept_json_begin_object(w, "fits");
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        if (*hardware->fits[v])
            adept_json_put_string(w, adept_variant_name((adept_variant)v), hardware->fits[v]);
    }
    adept_json_end(w);
    adept_json_end(w);
}

/* The id where it leads to the very file this came from, else that file's full path. */
static void write_base(adept_json_writer *w, const adept_hardware *hardware) {
    char by_id[ADEPT_PATH_SIZE];
    char *full = realpath(hardware->file, NULL);
    bool same = adept_hardware_find(by_id, hardware->id, NULL) == ADEPT_OK;
    char *full_by_id = same ? realpath(by_id, NULL) : NULL;
    same = full && full_by_id && strcmp(full, full_by_id) == 0;
    adept_json_put_string(w, "inherits", same || !full ? hardware->id : full);
    free(full);
    free(full_by_id);
}

adept_status adept_hardware_write(const adept_hardware *hardware, FILE *out, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    write_base(&w, hardware);
    write_fields(&w, hardware);
    write_theta(&w, hardware);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}
