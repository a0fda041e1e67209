#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "hardware_object.h"
#include "number.h"

adept_hardware *adept_hardware_new(void) {
    adept_hardware *hardware = calloc(1, sizeof *hardware);
    adept_arena *arena = adept_arena_new(0);
    if (!hardware || !arena) {
        free(hardware);
        adept_arena_free(arena);
        return NULL;
    }
    hardware->arena = arena;
    hardware->id = hardware->name = hardware->vendor = hardware->architecture = "";
    hardware->link = hardware->file = "";
    adept_spec_clear(&hardware->given);
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        hardware->fits[v] = "";
        hardware->intervals[v] = (adept_hardware_interval){NAN, NAN, NAN, NAN, NAN};
    }
    return hardware;
}

void adept_hardware_free(adept_hardware *hardware) {
    if (!hardware)
        return;
    adept_arena_free(hardware->arena);
    free(hardware);
}

void adept_hardware_complete(adept_hardware *hardware) {
    hardware->spec = hardware->given;
    adept_spec_complete(&hardware->spec, hardware->derived);
}

/* ---- copies ---- */

/* Copies strings from one arena to another and remembers whether all succeeded. */
typedef struct string_copier {
    adept_arena *arena;
    bool failed;
} string_copier;

static void copy_text(string_copier *copier, const char **text) {
    *text = adept_arena_string(copier->arena, *text);
    copier->failed = copier->failed || !*text;
}

static void copy_list(string_copier *copier, const char ***list, size_t count) {
    const char **copy = adept_arena_array(copier->arena, count, sizeof *copy);
    copier->failed = copier->failed || !copy;
    for (size_t i = 0; i < count && copy; i++) {
        copy[i] = (*list)[i];
        copy_text(copier, &copy[i]);
    }
    *list = copy;
}

static void copy_strings(string_copier *copier, adept_hardware *copy) {
    const char **const texts[] = {&copy->id,           &copy->name, &copy->vendor,
                                  &copy->architecture, &copy->link, &copy->file};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        copy_text(copier, texts[i]);
    copy_list(copier, &copy->aliases, copy->alias_count);
    copy_list(copier, &copy->notes, copy->note_count);
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        copy_text(copier, &copy->fits[v]);
        for (size_t i = 0; i < copy->parameter_counts[v]; i++) {
            copy_text(copier, &copy->parameters[v][i].name);
            copy_text(copier, &copy->parameters[v][i].detail);
        }
    }
    const adept_hardware_citation *citations = copy->citations;
    copy->citations = adept_arena_array(copier->arena, copy->citation_count, sizeof *copy->citations);
    copier->failed = copier->failed || !copy->citations;
    for (size_t i = 0; i < copy->citation_count && copy->citations; i++) {
        copy->citations[i] = citations[i];
        copy_text(copier, &copy->citations[i].path);
        copy_text(copier, &copy->citations[i].text);
    }
}

adept_status adept_hardware_copy(adept_hardware **out, const adept_hardware *hardware, adept_error *err) {
    adept_hardware *copy = adept_hardware_new();
    *out = NULL;
    if (!copy)
        return adept_fail_memory(err);
    string_copier copier = {copy->arena, false};
    *copy = *hardware;
    copy->arena = copier.arena;
    copy_strings(&copier, copy);
    if (copier.failed) {
        adept_hardware_free(copy);
        return adept_fail_memory(err);
    }
    *out = copy;
    return ADEPT_OK;
}

/* ---- what a file says ---- */

const char *adept_hardware_id(const adept_hardware *hardware) {
    return hardware->id;
}

const char *adept_hardware_name(const adept_hardware *hardware) {
    return *hardware->name ? hardware->name : hardware->id;
}

const char *adept_hardware_vendor(const adept_hardware *hardware) {
    return hardware->vendor;
}

const char *adept_hardware_architecture(const adept_hardware *hardware) {
    return hardware->architecture;
}

const char *adept_hardware_link(const adept_hardware *hardware) {
    return hardware->link;
}

const char *adept_hardware_file(const adept_hardware *hardware) {
    return hardware->file;
}

size_t adept_hardware_alias_count(const adept_hardware *hardware) {
    return hardware->alias_count;
}

const char *adept_hardware_alias(const adept_hardware *hardware, size_t index) {
    return hardware->aliases[index];
}

size_t adept_hardware_note_count(const adept_hardware *hardware) {
    return hardware->note_count;
}

const char *adept_hardware_note(const adept_hardware *hardware, size_t index) {
    return hardware->notes[index];
}

const adept_hardware_spec *adept_hardware_spec_of(const adept_hardware *hardware) {
    return &hardware->spec;
}

const char *adept_hardware_source(const adept_hardware *hardware, const char *path) {
    const char *section = NULL;
    for (size_t i = 0; i < hardware->citation_count; i++) {
        const adept_hardware_citation *citation = &hardware->citations[i];
        size_t length = strlen(citation->path);
        if (strcmp(citation->path, path) == 0)
            return citation->text;
        if (!section && strncmp(citation->path, path, length) == 0 && path[length] == '.')
            section = citation->text;
    }
    return section;
}

/* ---- numbers by path ---- */

/* The variant and the name in "theta.VARIANT.NAME"; NULL for any other path. */
static const char *parameter_path(const char *path, adept_variant *variant) {
    if (strncmp(path, "theta.", 6) != 0)
        return NULL;
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++) {
        const char *name = adept_variant_name((adept_variant)v);
        size_t length = strlen(name);
        if (strncmp(path + 6, name, length) == 0 && path[6 + length] == '.' && path[7 + length]) {
            *variant = (adept_variant)v;
            return path + 7 + length;
        }
    }
    return NULL;
}

const char *adept_hardware_nearest_path(const char *path) {
    const char *paths[ADEPT_FIELD_MAX];
    const char *keys[ADEPT_FIELD_MAX];
    size_t count;
    const adept_field_row *rows = adept_field_rows(&count);
    for (size_t i = 0; i < count; i++) {
        paths[i] = rows[i].field.path;
        keys[i] = rows[i].key;
        if (strcmp(keys[i], path) == 0)
            return paths[i];
    }
    const char *key = adept_nearest_name(path, keys, count);
    for (size_t i = 0; i < count && key; i++) {
        if (keys[i] == key)
            return paths[i];
    }
    return adept_nearest_name(path, paths, count);
}

static adept_status unknown_path(const char *path, adept_error *err) {
    const char *near = adept_hardware_nearest_path(path);
    if (near)
        return adept_fail(err, ADEPT_ARGUMENT, "hardware key '%s' is not known; did you mean '%s'?", path,
                          near);
    return adept_fail(err, ADEPT_ARGUMENT,
                      "hardware key '%s' is not known; give SECTION.KEY as 'adept hw show' prints them",
                      path);
}

adept_status adept_hardware_get(const adept_hardware *hardware, const char *path, double *value,
                                adept_hardware_origin *origin, adept_error *err) {
    adept_variant variant;
    adept_hardware_origin ignored;
    ptrdiff_t index = adept_field_index(path);
    const char *name = index < 0 ? parameter_path(path, &variant) : NULL;
    if (!origin)
        origin = &ignored;
    *value = NAN;
    *origin = ADEPT_ORIGIN_UNKNOWN;
    if (index >= 0) {
        *value = adept_field_value(&hardware->spec, (size_t)index);
        *origin = isnan(*value)              ? ADEPT_ORIGIN_UNKNOWN
                  : hardware->derived[index] ? ADEPT_ORIGIN_DERIVED
                  : hardware->set[index]     ? ADEPT_ORIGIN_SET
                                             : ADEPT_ORIGIN_FILE;
        return ADEPT_OK;
    }
    if (!name)
        return unknown_path(path, err);
    for (size_t i = 0; i < hardware->parameter_counts[variant]; i++) {
        const adept_hardware_parameter *parameter = &hardware->parameters[variant][i];
        if (strcmp(parameter->name, name) == 0) {
            *value = parameter->value;
            *origin = parameter->provenance == ADEPT_PROVENANCE_GIVEN ? ADEPT_ORIGIN_SET : ADEPT_ORIGIN_FILE;
        }
    }
    return ADEPT_OK;
}

adept_status adept_hardware_set(adept_hardware *hardware, const char *path, double value, adept_error *err) {
    adept_variant variant;
    ptrdiff_t index = adept_field_index(path);
    const char *name = index < 0 ? parameter_path(path, &variant) : NULL;
    if (!isfinite(value))
        return adept_fail(err, ADEPT_RANGE, "%s: not a finite number", path);
    if (name)
        return adept_hardware_set_parameter(hardware, variant, name, value, ADEPT_PROVENANCE_GIVEN, "", err);
    if (index < 0)
        return unknown_path(path, err);
    const adept_hardware_field *field = adept_hardware_field_at((size_t)index);
    if (value < field->lower || value > field->upper)
        return adept_fail(err, ADEPT_RANGE, "%s = %.10g is %s %.10g; give %s", path, value,
                          value < field->lower ? "below" : "above",
                          value < field->lower ? field->lower : field->upper,
                          *field->unit ? field->unit : "a number inside the range");
    adept_field_assign(&hardware->given, (size_t)index, value);
    hardware->set[index] = true;
    adept_hardware_complete(hardware);
    return ADEPT_OK;
}

/* ---- theta ---- */

adept_saturation adept_hardware_saturation(const adept_hardware *hardware) {
    return hardware->saturation;
}

void adept_hardware_set_saturation(adept_hardware *hardware, adept_saturation saturation) {
    hardware->saturation = saturation;
}

const char *adept_hardware_fit(const adept_hardware *hardware, adept_variant variant) {
    return hardware->fits[variant];
}

adept_status adept_hardware_set_fit(adept_hardware *hardware, adept_variant variant, const char *text,
                                    adept_error *err) {
    const char *copy = adept_arena_string(hardware->arena, text);
    if (!copy)
        return adept_fail_memory(err);
    hardware->fits[variant] = copy;
    return ADEPT_OK;
}

size_t adept_hardware_parameter_count(const adept_hardware *hardware, adept_variant variant) {
    return hardware->parameter_counts[variant];
}

const adept_hardware_parameter *adept_hardware_parameter_at(const adept_hardware *hardware,
                                                            adept_variant variant, size_t index) {
    return &hardware->parameters[variant][index];
}

adept_status adept_hardware_set_parameter(adept_hardware *hardware, adept_variant variant, const char *name,
                                          double value, adept_provenance provenance, const char *detail,
                                          adept_error *err) {
    adept_hardware_parameter *list = hardware->parameters[variant];
    size_t *count = &hardware->parameter_counts[variant];
    size_t i = 0;
    while (i < *count && strcmp(list[i].name, name) != 0)
        i++;
    if (i == ADEPT_HARDWARE_PARAMETERS_MAX)
        return adept_fail(err, ADEPT_LIMIT, "%s: more than %d parameters", hardware->id,
                          ADEPT_HARDWARE_PARAMETERS_MAX);
    /* a sweep sets the same parameter many times: strings that did not change are kept */
    const char *kept_name = i < *count ? list[i].name : adept_arena_string(hardware->arena, name);
    bool same = i < *count && strcmp(list[i].detail, detail) == 0;
    const char *kept_detail = same ? list[i].detail : adept_arena_string(hardware->arena, detail);
    if (!kept_name || !kept_detail)
        return adept_fail_memory(err);
    list[i] = (adept_hardware_parameter){kept_name, value, provenance, kept_detail};
    *count += i == *count;
    return ADEPT_OK;
}

adept_hardware_interval adept_hardware_interval_of(const adept_hardware *hardware, adept_variant variant) {
    return hardware->intervals[variant];
}

void adept_hardware_set_interval(adept_hardware *hardware, adept_variant variant,
                                 const adept_hardware_interval *interval) {
    hardware->intervals[variant] = *interval;
}
