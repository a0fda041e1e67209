/*
 * Strict JSON: reading with limits and messages that name file, key and unit, and writing to a stream.
 * The only file that touches cJSON is strict_json.c.
 *
 * Reading refuses what RFC 8259 refuses and also: more than 16 MB, nesting deeper than 64, a repeated key,
 * a number that is not finite as a double, a NUL character in a string.
 */
#ifndef ADEPT_STRICT_JSON_H
#define ADEPT_STRICT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adept/error.h"

typedef struct adept_json adept_json;             /* a document; owns memory */
typedef struct adept_json_value adept_json_value; /* a value inside it, borrowed */

typedef enum adept_json_kind {
    ADEPT_JSON_NULL,
    ADEPT_JSON_BOOL,
    ADEPT_JSON_NUMBER,
    ADEPT_JSON_STRING,
    ADEPT_JSON_ARRAY,
    ADEPT_JSON_OBJECT
} adept_json_kind;

/*
 * Reads a file, or length bytes of text that messages call name.
 * Errors    IO, NOMEM, LIMIT (size, depth), FORMAT with line and column
 */
adept_status adept_json_load(adept_json **out, const char *path, adept_error *err);
adept_status adept_json_parse(adept_json **out, const char *name, const char *text, size_t length,
                              adept_error *err);
void adept_json_free(adept_json *json); /* NULL is fine */

const adept_json_value *adept_json_root(const adept_json *json);
const char *adept_json_name(const adept_json *json); /* the path, or the name given */

/* Walking. member: NULL where there is no such key; first and next: NULL at the end. */
adept_json_kind adept_json_kind_of(const adept_json_value *value);
const adept_json_value *adept_json_member(const adept_json_value *object, const char *key);
const adept_json_value *adept_json_first(const adept_json_value *array_or_object);
const adept_json_value *adept_json_next(const adept_json_value *value);
const char *adept_json_key(const adept_json_value *value);  /* "" for array items and the root */
double adept_json_number(const adept_json_value *value);    /* of a NUMBER */
const char *adept_json_text(const adept_json_value *value); /* of a STRING */
bool adept_json_truth(const adept_json_value *value);       /* of a BOOL */

/* What a number must be. */
typedef struct adept_json_bounds {
    const char *unit; /* in words, for messages: "watts", "bytes per second"; "" for a pure number */
    double lower, upper;
    bool required; /* else absent and null read as NaN */
} adept_json_bounds;

/*
 * Members of object by key. Optional ones that are absent (or null) give NaN, NULL or the value already in
 * *out (bool). Messages: file: dotted key = value, what is wrong, the unit expected.
 * Errors    FORMAT: missing or of another kind; RANGE: outside its bounds
 */
adept_status adept_json_read_double(const adept_json *json, const adept_json_value *object, const char *key,
                                    const adept_json_bounds *bounds, double *out, adept_error *err);
adept_status adept_json_read_string(const adept_json *json, const adept_json_value *object, const char *key,
                                    bool required, const char **out, adept_error *err);
adept_status adept_json_read_bool(const adept_json *json, const adept_json_value *object, const char *key,
                                  bool *out, adept_error *err);
/* kind is ADEPT_JSON_ARRAY or ADEPT_JSON_OBJECT. */
adept_status adept_json_read_value(const adept_json *json, const adept_json_value *object, const char *key,
                                   adept_json_kind kind, bool required, const adept_json_value **out,
                                   adept_error *err);

/* Errors    FORMAT: value is not an object, or has a key that is not among keys ("did you mean ..."). */
adept_status adept_json_check_keys(const adept_json *json, const adept_json_value *value,
                                   const char *const *keys, size_t count, adept_error *err);

/* A message of one's own about a value: "file: dotted.key: message". */
adept_status adept_json_fail(adept_error *err, adept_status status, const adept_json *json,
                             const adept_json_value *value, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Writer: members in order, commas and escapes by themselves, numbers in the shortest form that reads
 * back the same. A number that is not finite is written as null: unknown is not a figure.
 *
 *   adept_json_writer w = adept_json_writer_to(out, 2);
 *   adept_json_begin_object(&w, NULL);
 *   adept_json_put_number(&w, "step_time_s", 0.25);
 *   adept_json_end(&w);
 *   status = adept_json_finish(&w, err);
 */
typedef struct adept_json_writer {
    FILE *out;
    int32_t indent; /* blanks per level; 0: one line */
    int32_t depth;
    uint64_t arrays;   /* bit per level: an array */
    uint64_t occupied; /* bit per level: has a member already */
} adept_json_writer;

adept_json_writer adept_json_writer_to(FILE *out, int32_t indent);
/* key is NULL inside arrays and at the top. At most 62 levels. */
void adept_json_begin_object(adept_json_writer *w, const char *key);
void adept_json_begin_array(adept_json_writer *w, const char *key);
void adept_json_end(adept_json_writer *w); /* the innermost open object or array */
void adept_json_put_number(adept_json_writer *w, const char *key, double value);
void adept_json_put_integer(adept_json_writer *w, const char *key, int64_t value);
void adept_json_put_string(adept_json_writer *w, const char *key, const char *text); /* NULL: null */
void adept_json_put_bool(adept_json_writer *w, const char *key, bool value);
void adept_json_put_null(adept_json_writer *w, const char *key);
void adept_json_put_value(adept_json_writer *w, const char *key, const adept_json_value *value); /* a copy */

/* Ends the line and flushes. Errors    IO: the stream did not take it all (disk full, pipe closed). */
adept_status adept_json_finish(adept_json_writer *w, adept_error *err);

#endif
