#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "hardware_names.h"
#include "hardware_object.h"
#include "hardware_search.h"
#include "number.h"
#include "strict_json.h"

#define INHERITANCE_LIMIT 8

/* One file being read into a hardware. */
typedef struct reading {
    adept_hardware *hardware;
    const adept_json *json;
    adept_error *err;
} reading;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- strings and lists ---- */

/* Copies the string member over *out; an absent one leaves it alone. */
static adept_status read_text(const reading *r, const adept_json_value *object, const char *key,
                              const char **out) {
    const char *text;
    adept_status status = adept_json_read_string(r->json, object, key, false, &text, r->err);
    if (status != ADEPT_OK || !text)
        return status;
    *out = adept_arena_string(r->hardware->arena, text);
    return *out ? ADEPT_OK : adept_fail_memory(r->err);
}

/* A string member that is one of count names, as its number. */
static adept_status read_choice(const reading *r, const adept_json_value *object, const char *key,
                                const char *const *names, size_t count, int *out) {
    const char *text;
    adept_status status = adept_json_read_string(r->json, object, key, false, &text, r->err);
    if (status != ADEPT_OK || !text)
        return status;
    char allowed[400] = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (int)i;
            return ADEPT_OK;
        }
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof allowed - used, "%s%s", i ? ", " : "", names[i]);
    }
    return adept_json_fail(r->err, ADEPT_FORMAT, r->json, adept_json_member(object, key),
                           "'%s' is not one of %s", text, allowed);
}

/* Appends the strings of a list member. */
static adept_status read_list(const reading *r, const adept_json_value *root, const char *key,
                              const char ***list, size_t *count) {
    const adept_json_value *array;
    adept_status status = adept_json_read_value(r->json, root, key, ADEPT_JSON_ARRAY, false, &array, r->err);
    if (status != ADEPT_OK || !array)
        return status;
    size_t total = *count;
    for (const adept_json_value *item = adept_json_first(array); item; item = adept_json_next(item)) {
        if (adept_json_kind_of(item) != ADEPT_JSON_STRING)
            return adept_json_fail(r->err, ADEPT_FORMAT, r->json, item, "expected a string");
        total++;
    }
    const char **larger = adept_arena_array(r->hardware->arena, total, sizeof *larger);
    if (!larger)
        return adept_fail_memory(r->err);
    for (size_t i = 0; i < *count; i++)
        larger[i] = (*list)[i];
    for (const adept_json_value *item = adept_json_first(array); item; item = adept_json_next(item)) {
        larger[*count] = adept_arena_string(r->hardware->arena, adept_json_text(item));
        if (!larger[(*count)++])
            return adept_fail_memory(r->err);
    }
    *list = larger;
    return ADEPT_OK;
}

static bool is_field_or_section(const char *path) {
    size_t count;
    size_t length = strlen(path);
    const adept_field_row *rows = adept_field_rows(&count);
    if (strcmp(path, "memory_type") == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        const char *field = rows[i].field.path;
        if (strncmp(field, path, length) == 0 && (field[length] == '\0' || field[length] == '.'))
            return true;
    }
    return false;
}

static adept_status read_sources(const reading *r, const adept_json_value *root) {
    const adept_json_value *sources;
    adept_hardware *hardware = r->hardware;
    adept_status status =
        adept_json_read_value(r->json, root, "sources", ADEPT_JSON_OBJECT, false, &sources, r->err);
    if (status != ADEPT_OK || !sources)
        return status;
    size_t total = hardware->citation_count;
    for (const adept_json_value *item = adept_json_first(sources); item; item = adept_json_next(item))
        total++;
    adept_hardware_citation *larger = adept_arena_array(hardware->arena, total, sizeof *larger);
    if (!larger)
        return adept_fail_memory(r->err);
    /* later files first, so that their citation is the one found */
    size_t kept = hardware->citation_count;
    size_t own = total - kept;
    for (size_t i = 0; i < kept; i++)
        larger[own + i] = hardware->citations[i];
    own = 0;
    for (const adept_json_value *item = adept_json_first(sources); item; item = adept_json_next(item)) {
        if (!is_field_or_section(adept_json_key(item)))
            return adept_json_fail(r->err, ADEPT_FORMAT, r->json, item,
                                   "a source for a figure that is not known");
        if (adept_json_kind_of(item) != ADEPT_JSON_STRING)
            return adept_json_fail(r->err, ADEPT_FORMAT, r->json, item, "expected a string");
        larger[own].path = adept_arena_string(hardware->arena, adept_json_key(item));
        larger[own].text = adept_arena_string(hardware->arena, adept_json_text(item));
        if (!larger[own].path || !larger[own].text)
            return adept_fail_memory(r->err);
        own++;
    }
    hardware->citations = larger;
    hardware->citation_count = total;
    return ADEPT_OK;
}

/* ---- numbers ---- */

/* The object at a section's dotted name; NULL where the file has none. */
static adept_status find_section(const reading *r, const adept_json_value *root, const char *section,
                                 const adept_json_value **out) {
    const char *dot = strchr(section, '.');
    char outer[64];
    snprintf(outer, sizeof outer, "%.*s", dot ? (int)(dot - section) : (int)strlen(section), section);
    adept_status status = adept_json_read_value(r->json, root, outer, ADEPT_JSON_OBJECT, false, out, r->err);
    if (status == ADEPT_OK && *out && dot)
        status = adept_json_read_value(r->json, *out, dot + 1, ADEPT_JSON_OBJECT, false, out, r->err);
    return status;
}

/* Keys of a section that are not numbers. */
static size_t other_keys(const char *section, const char **keys) {
    size_t count = 0;
    if (strcmp(section, "link") == 0) {
        keys[count++] = "type";
        keys[count++] = "topology";
    }
    if (strcmp(section, "measured") == 0)
        keys[count++] = "gemm_flop_per_s";
    return count;
}

/* Reads rows[first..] of one section; returns the number of rows it has. */
static adept_status read_section(const reading *r, const adept_json_value *root, size_t first,
                                 size_t *rows_read) {
    size_t count;
    const adept_field_row *rows = adept_field_rows(&count);
    const char *section = rows[first].section;
    const char *keys[ADEPT_FIELD_MAX + 4];
    size_t key_count = other_keys(section, keys);
    size_t end = first;
    while (end < count && strcmp(rows[end].section, section) == 0)
        keys[key_count++] = rows[end++].key;
    *rows_read = end - first;

    const adept_json_value *object;
    adept_status status = find_section(r, root, section, &object);
    if (status != ADEPT_OK || !object)
        return status;
    status = adept_json_check_keys(r->json, object, keys, key_count, r->err);
    for (size_t i = first; i < end && status == ADEPT_OK; i++) {
        const adept_hardware_field *field = &rows[i].field;
        const adept_json_bounds bounds = {field->unit, field->lower, field->upper, false};
        double value;
        if (!adept_json_member(object, rows[i].key))
            continue;
        status = adept_json_read_double(r->json, object, rows[i].key, &bounds, &value, r->err);
        if (status == ADEPT_OK)
            adept_field_assign(&r->hardware->given, i, value);
    }
    return status;
}

static adept_status read_numbers(const reading *r, const adept_json_value *root) {
    size_t count;
    adept_field_rows(&count);
    for (size_t first = 0, rows_read = 0; first < count; first += rows_read) {
        adept_status status = read_section(r, root, first, &rows_read);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

static adept_status read_kinds(const reading *r, const adept_json_value *root) {
    adept_hardware_spec *spec = &r->hardware->given;
    const adept_json_value *link = adept_json_member(root, "link");
    int family = (int)spec->family;
    int memory_type = (int)spec->memory_type;
    int topology = (int)spec->link_topology;
    adept_status status =
        read_choice(r, root, "family", adept_gpu_family_names, ADEPT_GPU_FAMILY_COUNT, &family);
    if (status == ADEPT_OK)
        status = read_choice(r, root, "memory_type", adept_memory_type_names, ADEPT_MEMORY_TYPE_COUNT,
                             &memory_type);
    if (status == ADEPT_OK && link)
        status =
            read_choice(r, link, "topology", adept_link_topology_names, ADEPT_LINK_TOPOLOGY_COUNT, &topology);
    if (status == ADEPT_OK && link)
        status = read_text(r, link, "type", &r->hardware->link);
    spec->family = (adept_gpu_family)family;
    spec->memory_type = (adept_memory_type)memory_type;
    spec->link_topology = (adept_link_topology)topology;
    return status;
}

/* ---- theta ---- */

/* "fitted: zeus.csv, 280 rows" into its kind and the rest. */
static adept_status split_provenance(const reading *r, const adept_json_value *entry, adept_provenance *kind,
                                     const char **detail) {
    const char *text;
    adept_status status = adept_json_read_string(r->json, entry, "provenance", true, &text, r->err);
    if (status != ADEPT_OK)
        return status;
    size_t length = strcspn(text, ":");
    for (size_t i = 0; i < ADEPT_PROVENANCE_COUNT; i++) {
        if (strlen(adept_provenance_names[i]) != length ||
            strncmp(adept_provenance_names[i], text, length) != 0)
            continue;
        *kind = (adept_provenance)i;
        *detail = text[length] ? text + length + 1 + strspn(text + length + 1, " ") : "";
        return ADEPT_OK;
    }
    return adept_json_fail(r->err, ADEPT_FORMAT, r->json, adept_json_member(entry, "provenance"),
                           "must begin with default, datasheet, given, transferred or fitted and a colon");
}

static adept_status read_parameters(const reading *r, const adept_json_value *theta, adept_variant variant) {
    static const char *const keys[] = {"value", "provenance"};
    static const adept_json_bounds any = {"", -1e300, 1e300, true};
    const adept_json_value *values;
    adept_status status = adept_json_read_value(r->json, theta, adept_variant_name(variant),
                                                ADEPT_JSON_OBJECT, false, &values, r->err);
    if (status != ADEPT_OK || !values)
        return status;
    for (const adept_json_value *entry = adept_json_first(values); entry; entry = adept_json_next(entry)) {
        double value = NAN;
        adept_provenance kind = ADEPT_PROVENANCE_DEFAULT;
        const char *detail = "";
        status = adept_json_check_keys(r->json, entry, keys, COUNT(keys), r->err);
        if (status == ADEPT_OK)
            status = adept_json_read_double(r->json, entry, "value", &any, &value, r->err);
        if (status == ADEPT_OK)
            status = split_provenance(r, entry, &kind, &detail);
        if (status == ADEPT_OK)
            status = adept_hardware_set_parameter(r->hardware, variant, adept_json_key(entry), value, kind,
                                                  detail, r->err);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

static adept_status read_interval(const reading *r, const adept_json_value *intervals,
                                  adept_variant variant) {
    static const char *const keys[] = {"level", "time_lower", "time_upper", "power_lower", "power_upper"};
    static const adept_json_bounds level = {"a share", 0.01, 0.999, true};
    static const adept_json_bounds ratio = {"measured over predicted", 1e-3, 1e3, false};
    const adept_json_value *object;
    adept_status status = adept_json_read_value(r->json, intervals, adept_variant_name(variant),
                                                ADEPT_JSON_OBJECT, false, &object, r->err);
    if (status != ADEPT_OK || !object)
        return status;
    double values[COUNT(keys)];
    status = adept_json_check_keys(r->json, object, keys, COUNT(keys), r->err);
    for (size_t i = 0; i < COUNT(keys) && status == ADEPT_OK; i++)
        status = adept_json_read_double(r->json, object, keys[i], i ? &ratio : &level, &values[i], r->err);
    if (status == ADEPT_OK)
        r->hardware->intervals[variant] =
            (adept_hardware_interval){values[0], values[1], values[2], values[3], values[4]};
    return status;
}

static adept_status read_theta(const reading *r, const adept_json_value *root) {
    const char *keys[ADEPT_VARIANT_COUNT + 3] = {"saturation", "intervals", "fits"};
    const char *variants[ADEPT_VARIANT_COUNT];
    const adept_json_value *theta;
    const adept_json_value *intervals = NULL;
    const adept_json_value *fits = NULL;
    for (int v = 0; v < ADEPT_VARIANT_COUNT; v++)
        keys[3 + v] = variants[v] = adept_variant_name((adept_variant)v);
    adept_status status =
        adept_json_read_value(r->json, root, "theta", ADEPT_JSON_OBJECT, false, &theta, r->err);
    if (status != ADEPT_OK || !theta)
        return status;
    int saturation = (int)r->hardware->saturation;
    status = adept_json_check_keys(r->json, theta, keys, COUNT(keys), r->err);
    if (status == ADEPT_OK)
        status =
            read_choice(r, theta, "saturation", adept_saturation_names, ADEPT_SATURATION_COUNT, &saturation);
    if (status == ADEPT_OK)
        status =
            adept_json_read_value(r->json, theta, "intervals", ADEPT_JSON_OBJECT, false, &intervals, r->err);
    if (status == ADEPT_OK)
        status = adept_json_read_value(r->json, theta, "fits", ADEPT_JSON_OBJECT, false, &fits, r->err);
    if (status == ADEPT_OK && intervals)
        status = adept_json_check_keys(r->json, intervals, variants, COUNT(variants), r->err);
    if (status == ADEPT_OK && fits)
        status = adept_json_check_keys(r->json, fits, variants, COUNT(variants), r->err);
    for (int v = 0; v < ADEPT_VARIANT_COUNT && status == ADEPT_OK; v++) {
        status = read_parameters(r, theta, (adept_variant)v);
        if (status == ADEPT_OK && intervals)
            status = read_interval(r, intervals, (adept_variant)v);
        if (status == ADEPT_OK && fits)
            status = read_text(r, fits, variants[v], &r->hardware->fits[v]);
    }
    r->hardware->saturation = (adept_saturation)saturation;
    return status;
}

/* ---- files ---- */

static adept_status read_document(const reading *r) {
    static const char *const keys[] = {
        "id",          "name",  "inherits", "aliases",         "vendor", "architecture", "family",
        "memory_type", "die",   "spec",     "peak_flop_per_s", "link",   "measured",     "host",
        "sources",     "notes", "theta"};
    const adept_json_value *root = adept_json_root(r->json);
    adept_hardware *hardware = r->hardware;
    adept_status status = adept_json_check_keys(r->json, root, keys, COUNT(keys), r->err);
    hardware->alias_count = 0; /* an alias means the file that says it, not those that inherit */
    const struct {
        const char *key;
        const char **out;
    } texts[] = {
        {"id",           &hardware->id          },
        {"name",         &hardware->name        },
        {"vendor",       &hardware->vendor      },
        {"architecture", &hardware->architecture}
    };
    for (size_t i = 0; i < COUNT(texts) && status == ADEPT_OK; i++)
        status = read_text(r, root, texts[i].key, texts[i].out);
    if (status == ADEPT_OK)
        status = read_list(r, root, "aliases", &hardware->aliases, &hardware->alias_count);
    if (status == ADEPT_OK)
        status = read_list(r, root, "notes", &hardware->notes, &hardware->note_count);
    if (status == ADEPT_OK)
        status = read_numbers(r, root);
    if (status == ADEPT_OK)
        status = read_kinds(r, root);
    if (status == ADEPT_OK)
        status = read_sources(r, root);
    return status == ADEPT_OK ? read_theta(r, root) : status;
}

/* The file that "inherits" means: an id, an alias, or a path beside the file that says it. */
static adept_status resolve_base(char path[ADEPT_PATH_SIZE], const char *base, const char *from,
                                 adept_error *err) {
    const char *slash = strrchr(from, '/');
    if (!adept_hardware_is_path(base))
        return adept_hardware_find(path, base, err);
    if (*base == '/' || !slash)
        snprintf(path, ADEPT_PATH_SIZE, "%s", base);
    else
        snprintf(path, ADEPT_PATH_SIZE, "%.*s/%s", (int)(slash - from), from, base);
    return ADEPT_OK;
}

static adept_status load_chain(adept_hardware *hardware, const char *path, int depth, adept_error *err) {
    adept_json *json;
    const char *base = NULL;
    if (depth > INHERITANCE_LIMIT)
        return adept_fail(err, ADEPT_LIMIT, "%s: inherits from more than %d files, or from itself", path,
                          INHERITANCE_LIMIT);
    adept_status status = adept_json_load(&json, path, err);
    if (status != ADEPT_OK)
        return status;
    if (adept_json_kind_of(adept_json_root(json)) != ADEPT_JSON_OBJECT)
        status = adept_json_fail(err, ADEPT_FORMAT, json, adept_json_root(json), "expected an object");
    if (status == ADEPT_OK)
        status = adept_json_read_string(json, adept_json_root(json), "inherits", false, &base, err);
    if (status == ADEPT_OK && base) {
        char base_path[ADEPT_PATH_SIZE];
        status = resolve_base(base_path, base, path, err);
        if (status == ADEPT_OK)
            status = load_chain(hardware, base_path, depth + 1, err);
        if (status != ADEPT_OK && depth == 0)
            adept_fail_at(err, status, "%s: inherits '%s'", path, base);
    }
    if (status == ADEPT_OK)
        status = read_document(&(reading){hardware, json, err});
    adept_json_free(json);
    return status;
}

/* What only the whole chain can tell. */
static adept_status check_whole(const adept_hardware *hardware, const char *path, adept_error *err) {
    const adept_hardware_spec *given = &hardware->given;
    size_t count;
    const adept_field_row *rows = adept_field_rows(&count);
    for (size_t i = 0; i < count; i++) {
        const adept_hardware_field *field = &rows[i].field;
        if (field->required && isnan(adept_field_value(given, i)))
            return adept_fail(err, ADEPT_FORMAT, "%s: %s: missing; give %s%s%s", path, field->path,
                              *field->unit ? field->unit : "a number", *field->unit ? ": " : " of ",
                              field->meaning);
    }
    if (!*hardware->id)
        return adept_fail(err, ADEPT_FORMAT, "%s: id: missing; give a name, or inherit from an id", path);
    if (given->link_topology != ADEPT_LINK_NONE && isnan(given->link_B_per_s))
        return adept_fail(err, ADEPT_FORMAT,
                          "%s: link.bandwidth_B_per_s: missing although link.topology is %s; give bytes per "
                          "second in one direction",
                          path, adept_link_topology_name(given->link_topology));
    const adept_hardware_spec *spec = &hardware->spec;
    if (spec->min_power_limit_W > spec->max_power_limit_W || spec->base_clock_Hz > spec->boost_clock_Hz ||
        spec->boost_clock_Hz > spec->max_clock_Hz)
        return adept_fail(
            err, ADEPT_RANGE,
            "%s: spec: a lower figure above its upper one: power limits %g..%g W, clocks base %g, boost %g, "
            "max %g Hz",
            path, spec->min_power_limit_W, spec->max_power_limit_W, spec->base_clock_Hz, spec->boost_clock_Hz,
            spec->max_clock_Hz);
    return ADEPT_OK;
}

adept_status adept_hardware_load(adept_hardware **out, const char *id_or_path, adept_error *err) {
    char path[ADEPT_PATH_SIZE];
    *out = NULL;
    if (strlen(id_or_path) >= ADEPT_PATH_SIZE || !*id_or_path)
        return adept_fail(err, ADEPT_ARGUMENT, "hardware: give an id, an alias or the path of a .json file");
    if (adept_hardware_is_path(id_or_path)) {
        snprintf(path, sizeof path, "%s", id_or_path);
    } else {
        adept_status found = adept_hardware_find(path, id_or_path, err);
        if (found != ADEPT_OK)
            return found;
    }
    adept_hardware *hardware = adept_hardware_new();
    if (!hardware)
        return adept_fail_memory(err);
    adept_status status = load_chain(hardware, path, 0, err);
    hardware->file = adept_arena_string(hardware->arena, path);
    if (status == ADEPT_OK && !hardware->file)
        status = adept_fail_memory(err);
    adept_hardware_complete(hardware);
    if (status == ADEPT_OK)
        status = check_whole(hardware, path, err);
    if (status == ADEPT_OK)
        *out = hardware;
    else
        adept_hardware_free(hardware);
    return status;
}
