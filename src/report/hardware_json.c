#include <math.h>
#include <string.h>

#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/report.h"
#include "strict_json.h"

static void put_identity(adept_json_writer *w, const adept_hardware *hardware) {
    const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
    adept_json_put_string(w, "id", adept_hardware_id(hardware));
    adept_json_put_string(w, "name", adept_hardware_name(hardware));
    adept_json_begin_array(w, "aliases");
    for (size_t i = 0; i < adept_hardware_alias_count(hardware); i++)
        adept_json_put_string(w, NULL, adept_hardware_alias(hardware, i));
    adept_json_end(w);
    adept_json_put_string(w, "vendor", adept_hardware_vendor(hardware));
    adept_json_put_string(w, "architecture", adept_hardware_architecture(hardware));
    adept_json_put_string(w, "family", adept_gpu_family_name(spec->family));
    adept_json_put_string(w, "memory_type", adept_memory_type_name(spec->memory_type));
    adept_json_put_string(w, "file", adept_hardware_file(hardware));
}

/* Length of the path without its last part. */
static size_t section_length(const char *path) {
    return (size_t)(strrchr(path, '.') - path);
}

/* All numbers as in a hardware file, null where unknown: rows [first, ..) of one section; returns its end. */
static size_t put_section(adept_json_writer *w, const adept_hardware *hardware, size_t first, size_t depth) {
    const char *section = adept_hardware_field_at(first)->path;
    size_t length = section_length(section);
    char key[64];
    size_t i = first;
    snprintf(key, sizeof key, "%.*s", (int)(length - depth), section + depth);
    adept_json_begin_object(w, key);
    if (strcmp(key, "link") == 0) {
        adept_json_put_string(w, "type",
                              *adept_hardware_link(hardware) ? adept_hardware_link(hardware) : NULL);
        adept_json_put_string(w, "topology",
                              adept_link_topology_name(adept_hardware_spec_of(hardware)->link_topology));
    }
    while (i < adept_hardware_field_count()) {
        const char *path = adept_hardware_field_at(i)->path;
        double value;
        if (strncmp(path, section, length) != 0 || path[length] != '.')
            break;
        if (section_length(path) > length) { /* a nested section */
            i = put_section(w, hardware, i, length + 1);
            continue;
        }
        adept_hardware_get(hardware, path, &value, NULL, NULL);
        adept_json_put_number(w, path + length + 1, value);
        i++;
    }
    adept_json_end(w);
    return i;
}

static void put_origins(adept_json_writer *w, const adept_hardware *hardware) {
    adept_json_begin_array(w, "derived");
    for (size_t i = 0; i < adept_hardware_field_count(); i++) {
        const char *path = adept_hardware_field_at(i)->path;
        adept_hardware_origin origin;
        double value;
        adept_hardware_get(hardware, path, &value, &origin, NULL);
        if (origin == ADEPT_ORIGIN_DERIVED)
            adept_json_put_string(w, NULL, path);
    }
    adept_json_end(w);
    adept_json_begin_object(w, "sources");
    for (size_t i = 0; i < adept_hardware_field_count(); i++) {
        const char *path = adept_hardware_field_at(i)->path;
        adept_hardware_origin origin;
        double value;
        adept_hardware_get(hardware, path, &value, &origin, NULL);
        if (origin == ADEPT_ORIGIN_FILE && adept_hardware_source(hardware, path))
            adept_json_put_string(w, path, adept_hardware_source(hardware, path));
    }
    adept_json_end(w);
}

static void put_parameter(adept_json_writer *w, const adept_hardware *hardware, adept_variant variant,
                          const adept_parameter *row) {
    double value = row->initial;
    adept_provenance provenance = ADEPT_PROVENANCE_DEFAULT;
    char text[1024] = "";
    for (size_t i = 0; i < adept_hardware_parameter_count(hardware, variant); i++) {
        const adept_hardware_parameter *given = adept_hardware_parameter_at(hardware, variant, i);
        if (strcmp(given->name, row->name) != 0)
            continue;
        value = given->value;
        provenance = given->provenance;
        snprintf(text, sizeof text, "%s%s", *given->detail ? ": " : "", given->detail);
    }
    char whole[1100];
    snprintf(whole, sizeof whole, "%s%s", adept_provenance_name(provenance), text);
    adept_json_begin_object(w, row->name);
    adept_json_put_number(w, "value", value);
    adept_json_put_string(w, "unit", row->unit);
    adept_json_put_string(w, "provenance", whole);
    adept_json_end(w);
}

static void put_theta(adept_json_writer *w, const adept_hardware *hardware) {
    adept_json_begin_object(w, "theta");
    adept_json_put_string(w, "saturation", adept_saturation_name(adept_hardware_saturation(hardware)));
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        adept_variant variant = (adept_variant)v;
        adept_json_begin_object(w, adept_variant_name(variant));
        for (size_t i = 0; i < adept_parameter_count(variant); i++)
            put_parameter(w, hardware, variant, adept_parameter_at(variant, i));
        adept_json_end(w);
    }
    adept_json_end(w);
}

adept_status adept_report_hardware_json(FILE *out, const adept_hardware *hardware, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    put_identity(&w, hardware);
    for (size_t i = 0; i < adept_hardware_field_count();)
        i = put_section(&w, hardware, i, 0);
    put_origins(&w, hardware);
    adept_json_begin_array(&w, "notes");
    for (size_t i = 0; i < adept_hardware_note_count(hardware); i++)
        adept_json_put_string(&w, NULL, adept_hardware_note(hardware, i));
    adept_json_end(&w);
    put_theta(&w, hardware);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}

adept_status adept_report_hardware_list_json(FILE *out, const adept_hardware_list *list, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    adept_json_begin_array(&w, "hardware");
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *hardware = adept_hardware_list_at(list, i);
        const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
        adept_json_begin_object(&w, NULL);
        put_identity(&w, hardware);
        adept_json_put_number(&w, "sm_count", spec->sm_count);
        adept_json_put_number(&w, "memory_B", spec->memory_B);
        adept_json_put_number(&w, "memory_bandwidth_B_per_s", spec->memory_bandwidth_B_per_s);
        adept_json_put_number(&w, "tdp_W", spec->tdp_W);
        adept_json_begin_object(&w, "peak_flop_per_s");
        for (int peak = 0; peak < ADEPT_PEAK_COUNT; peak++) {
            if (!isnan(spec->peak_flop_per_s[peak]))
                adept_json_put_number(&w, adept_peak_name((adept_peak)peak), spec->peak_flop_per_s[peak]);
        }
        adept_json_end(&w);
        adept_json_end(&w);
    }
    adept_json_end(&w);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}
