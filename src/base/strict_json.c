#include "strict_json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "number.h"
#include "string_map.h"
#include "text_file.h"
#include "utf8.h"

#define DEPTH_LIMIT 64
#define NUMBER_LIMIT 60 /* characters; cJSON cuts longer ones */
#define PATH_SIZE 256

struct adept_json {
    cJSON *root;
    char *name;
};

/* adept_json_value is cJSON by another name, so that the header stays free of it. */
static const cJSON *inside(const adept_json_value *value) {
    return (const cJSON *)value;
}

static const adept_json_value *outside(const cJSON *item) {
    return (const adept_json_value *)item;
}

/* ---- what cJSON lets through: checked on the text before it is parsed ---- */

typedef struct scan {
    const char *name, *text, *at;
    int32_t depth;
} scan;

static adept_status fail_in_text(adept_error *err, adept_status status, const char *name, const char *text,
                                 const char *at, const char *what) {
    size_t line = 1;
    const char *line_start = text;
    for (const char *c = text; c < at; c++) {
        if (*c == '\n') {
            line++;
            line_start = c + 1;
        }
    }
    return adept_fail(err, status, "%s: line %zu, column %td: %s", name, line, at - line_start + 1, what);
}

/* The problem with the string whose opening quote is at s->at, or NULL; moves behind its closing quote. */
static const char *scan_string(scan *s) {
    for (s->at++; *s->at != '"'; s->at++) {
        if ((unsigned char)*s->at < 0x20)
            return *s->at ? "control character inside a string" : "the text ends inside a string";
        if (strncmp(s->at, "\\u0000", 6) == 0)
            return "NUL character inside a string";
        if (*s->at == '\\' && s->at[1]) {
            s->at++;
            continue;
        }
        size_t length = adept_utf8_length(s->at);
        if (length == 0)
            return "not UTF-8";
        s->at += length - 1;
    }
    s->at++;
    return NULL;
}

static const char *skip_digits(const char *c) {
    while (*c >= '0' && *c <= '9')
        c++;
    return c;
}

static const char *scan_number(scan *s) {
    const char *start = s->at;
    const char *c = start + (*start == '-');
    const char *end = *c == '0' ? c + 1 : skip_digits(c);
    bool good = end != c;
    if (*end == '.') {
        c = end + 1;
        end = skip_digits(c);
        good = good && end != c;
    }
    if (*end == 'e' || *end == 'E') {
        c = end + 1 + (end[1] == '+' || end[1] == '-');
        end = skip_digits(c);
        good = good && end != c;
    }
    if (!good || *skip_digits(end) != *end)
        return "not a JSON number";
    if (end - start > NUMBER_LIMIT)
        return "a number of more than 60 characters";
    s->at = end;
    return NULL;
}

static adept_status scan_text(scan *s, adept_error *err) {
    while (*s->at) {
        const char *start = s->at;
        const char *problem = NULL;
        adept_status status = ADEPT_FORMAT;
        char c = *s->at;
        if (c == '"') {
            problem = scan_string(s);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            problem = scan_number(s);
        } else {
            s->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            s->at++;
            if (s->depth > DEPTH_LIMIT) {
                status = ADEPT_LIMIT;
                problem = "nested deeper than 64 levels";
            } else if ((unsigned char)c < 0x20 && c != '\n' && c != '\r' && c != '\t') {
                problem = "control character";
            }
        }
        if (problem)
            return fail_in_text(err, status, s->name, s->text, s->at > start ? s->at : start, problem);
    }
    return ADEPT_OK;
}

/* ---- what cJSON keeps although it should not: checked on the parsed tree ---- */

static adept_status check_members(const adept_json *json, const cJSON *object, adept_error *err) {
    adept_string_map seen = ADEPT_STRING_MAP_INIT;
    adept_status status = ADEPT_OK;
    for (const cJSON *item = object->child; item && status == ADEPT_OK; item = item->next) {
        if (adept_string_map_get(&seen, item->string, 0))
            status = adept_json_fail(err, ADEPT_FORMAT, json, outside(item), "the key appears twice");
        else if (!adept_string_map_put(&seen, item->string, 1))
            status = adept_fail_memory(err);
    }
    adept_string_map_clear(&seen);
    return status;
}

static adept_status check_tree(const adept_json *json, const cJSON *item, adept_error *err) {
    adept_status status = ADEPT_OK;
    if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
        return adept_json_fail(err, ADEPT_RANGE, json, outside(item), "the number is too large for a double");
    if (cJSON_IsObject(item))
        status = check_members(json, item, err);
    for (const cJSON *child = item->child; child && status == ADEPT_OK; child = child->next)
        status = check_tree(json, child, err);
    return status;
}

/* ---- documents ---- */

static adept_status parse(adept_json *json, const char *text, size_t length, adept_error *err) {
    scan s = {.name = json->name, .text = text, .at = text};
    const char *end = text;
    adept_status status = scan_text(&s, err);
    if (status != ADEPT_OK)
        return status;
    json->root = cJSON_ParseWithLengthOpts(text, length + 1, &end, 1);
    if (!json->root)
        return fail_in_text(err, ADEPT_FORMAT, json->name, text, end, "not JSON from here on");
    return check_tree(json, json->root, err);
}

adept_status adept_json_parse(adept_json **out, const char *name, const char *text, size_t length,
                              adept_error *err) {
    *out = NULL;
    if (length > ADEPT_TEXT_LIMIT_B)
        return adept_fail(err, ADEPT_LIMIT, "%s: larger than %zu bytes", name, ADEPT_TEXT_LIMIT_B);
    if (memchr(text, '\0', length))
        return adept_fail(err, ADEPT_FORMAT, "%s: a NUL byte; this is not a text file", name);
    adept_json *json = calloc(1, sizeof *json);
    char *terminated = malloc(length + 1);
    if (json)
        json->name = strdup(name);
    if (!json || !terminated || !json->name) {
        free(terminated);
        adept_json_free(json);
        return adept_fail_memory(err);
    }
    memcpy(terminated, text, length);
    terminated[length] = '\0';
    adept_status status = parse(json, terminated, length, err);
    free(terminated);
    if (status == ADEPT_OK)
        *out = json;
    else
        adept_json_free(json);
    return status;
}

adept_status adept_json_load(adept_json **out, const char *path, adept_error *err) {
    char *text;
    size_t length;
    *out = NULL;
    adept_status status = adept_text_file_read(&text, &length, path, ADEPT_TEXT_LIMIT_B, err);
    if (status != ADEPT_OK)
        return status;
    status = adept_json_parse(out, path, text, length, err);
    free(text);
    return status;
}

void adept_json_free(adept_json *json) {
    if (!json)
        return;
    cJSON_Delete(json->root);
    free(json->name);
    free(json);
}

/* ---- walking ---- */

const adept_json_value *adept_json_root(const adept_json *json) {
    return outside(json->root);
}

const char *adept_json_name(const adept_json *json) {
    return json->name;
}

adept_json_kind adept_json_kind_of(const adept_json_value *value) {
    const cJSON *item = inside(value);
    return cJSON_IsObject(item)   ? ADEPT_JSON_OBJECT
           : cJSON_IsArray(item)  ? ADEPT_JSON_ARRAY
           : cJSON_IsString(item) ? ADEPT_JSON_STRING
           : cJSON_IsNumber(item) ? ADEPT_JSON_NUMBER
           : cJSON_IsBool(item)   ? ADEPT_JSON_BOOL
                                  : ADEPT_JSON_NULL;
}

const adept_json_value *adept_json_member(const adept_json_value *object, const char *key) {
    return outside(cJSON_GetObjectItemCaseSensitive(inside(object), key));
}

const adept_json_value *adept_json_first(const adept_json_value *array_or_object) {
    return outside(inside(array_or_object)->child);
}

const adept_json_value *adept_json_next(const adept_json_value *value) {
    return outside(inside(value)->next);
}

const char *adept_json_key(const adept_json_value *value) {
    return inside(value)->string ? inside(value)->string : "";
}

double adept_json_number(const adept_json_value *value) {
    return inside(value)->valuedouble;
}

const char *adept_json_text(const adept_json_value *value) {
    return inside(value)->valuestring;
}

bool adept_json_truth(const adept_json_value *value) {
    return cJSON_IsTrue(inside(value));
}

/* ---- messages ---- */

/* Appends the way from item down to wanted as ".key[3].key"; false if wanted is not below item. */
static bool find_path(char path[PATH_SIZE], const cJSON *item, const cJSON *wanted) {
    if (item == wanted)
        return true;
    size_t used = strlen(path);
    size_t index = 0;
    for (const cJSON *child = item->child; child; child = child->next, index++) {
        if (child->string)
            snprintf(path + used, PATH_SIZE - used, "%s%s", used ? "." : "", child->string);
        else
            snprintf(path + used, PATH_SIZE - used, "[%zu]", index);
        if (find_path(path, child, wanted))
            return true;
        path[used] = '\0';
    }
    return false;
}

static adept_status fail_at_key(adept_error *err, adept_status status, const adept_json *json,
                                const cJSON *item, const char *member, const char *what) {
    char path[PATH_SIZE] = "";
    find_path(path, json->root, item);
    const char *dot = *path && member ? "." : "";
    if (!*path && !member)
        return adept_fail(err, status, "%s: %s", json->name, what);
    return adept_fail(err, status, "%s: %s%s%s: %s", json->name, path, dot, member ? member : "", what);
}

adept_status adept_json_fail(adept_error *err, adept_status status, const adept_json *json,
                             const adept_json_value *value, const char *format, ...) {
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fail_at_key(err, status, json, inside(value), NULL, what);
}

static const char *const kind_names[] = {"null",     "true or false", "a number",
                                         "a string", "a list",        "an object"};

/*
 * The member of the wanted kind; *out is NULL where an optional one is absent or null.
 */
static adept_status member_of_kind(const adept_json *json, const adept_json_value *object, const char *key,
                                   adept_json_kind kind, const char *unit, bool required, const cJSON **out,
                                   adept_error *err) {
    char what[256];
    const char *colon = *unit ? " in " : "";
    const adept_json_value *value = adept_json_member(object, key);
    *out = NULL;
    if ((!value || adept_json_kind_of(value) == ADEPT_JSON_NULL) && !required)
        return ADEPT_OK;
    if (!value) {
        snprintf(what, sizeof what, "missing; give %s%s%s", kind_names[kind], colon, unit);
        return fail_at_key(err, ADEPT_FORMAT, json, inside(object), key, what);
    }
    if (adept_json_kind_of(value) != kind) {
        snprintf(what, sizeof what, "is %s, expected %s%s%s", kind_names[adept_json_kind_of(value)],
                 kind_names[kind], colon, unit);
        return fail_at_key(err, ADEPT_FORMAT, json, inside(value), NULL, what);
    }
    *out = inside(value);
    return ADEPT_OK;
}

adept_status adept_json_read_double(const adept_json *json, const adept_json_value *object, const char *key,
                                    const adept_json_bounds *bounds, double *out, adept_error *err) {
    const cJSON *item;
    adept_status status =
        member_of_kind(json, object, key, ADEPT_JSON_NUMBER, bounds->unit, bounds->required, &item, err);
    *out = NAN;
    if (status != ADEPT_OK || !item)
        return status;
    double value = item->valuedouble;
    if (!(value >= bounds->lower && value <= bounds->upper)) {
        bool low = value < bounds->lower;
        return adept_json_fail(err, ADEPT_RANGE, json, outside(item), "%.10g is %s %.10g; give %s", value,
                               low ? "below" : "above", low ? bounds->lower : bounds->upper,
                               *bounds->unit ? bounds->unit : "a number inside the range");
    }
    *out = value;
    return ADEPT_OK;
}

adept_status adept_json_read_string(const adept_json *json, const adept_json_value *object, const char *key,
                                    bool required, const char **out, adept_error *err) {
    const cJSON *item;
    adept_status status = member_of_kind(json, object, key, ADEPT_JSON_STRING, "", required, &item, err);
    *out = item ? item->valuestring : NULL;
    return status;
}

adept_status adept_json_read_bool(const adept_json *json, const adept_json_value *object, const char *key,
                                  bool *out, adept_error *err) {
    const cJSON *item;
    adept_status status = member_of_kind(json, object, key, ADEPT_JSON_BOOL, "", false, &item, err);
    if (item)
        *out = cJSON_IsTrue(item);
    return status;
}

adept_status adept_json_read_value(const adept_json *json, const adept_json_value *object, const char *key,
                                   adept_json_kind kind, bool required, const adept_json_value **out,
                                   adept_error *err) {
    const cJSON *item;
    adept_status status = member_of_kind(json, object, key, kind, "", required, &item, err);
    *out = outside(item);
    return status;
}

adept_status adept_json_check_keys(const adept_json *json, const adept_json_value *value,
                                   const char *const *keys, size_t count, adept_error *err) {
    adept_json_kind kind = adept_json_kind_of(value);
    if (kind != ADEPT_JSON_OBJECT)
        return adept_json_fail(err, ADEPT_FORMAT, json, value, "is %s, expected an object", kind_names[kind]);
    for (const adept_json_value *member = adept_json_first(value); member; member = adept_json_next(member)) {
        const char *key = adept_json_key(member);
        size_t i = 0;
        while (i < count && strcmp(keys[i], key) != 0)
            i++;
        if (i < count)
            continue;
        const char *near = adept_nearest_name(key, keys, count);
        if (near)
            return adept_json_fail(err, ADEPT_FORMAT, json, member,
                                   "this key is not known; did you mean '%s'?", near);
        return adept_json_fail(err, ADEPT_FORMAT, json, member, "this key is not known");
    }
    return ADEPT_OK;
}
