#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "fail.h"
#include "number.h"
#include "plain_text.h"
#include "strict_json.h"
#include "utf8.h"

adept_json_writer adept_json_writer_to(FILE *out, int32_t indent) {
    return (adept_json_writer){.out = out, .indent = indent};
}

static uint64_t level_bit(const adept_json_writer *w) {
    return UINT64_C(1) << w->depth;
}

static void new_line(adept_json_writer *w) {
    if (w->indent)
        fprintf(w->out, "\n%*s", w->depth * w->indent, "");
}

/* Of a sequence of up to three bytes, which all characters that are not plain are. */
static unsigned code_point(const unsigned char *c, size_t length) {
    if (length == 1)
        return c[0];
    if (length == 2)
        return (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
    return (c[0] & 0x0fu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
}

static void put_text(FILE *out, const char *text) {
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    fputc('"', out);
    while (*text) {
        size_t length = adept_utf8_length(text);
        const char *escape = escapes;
        while (*escape && *escape != *text)
            escape += 2;
        if (length == 0)
            fputs("\\ufffd", out); /* the replacement character, for bytes that are not UTF-8 */
        else if (*escape)
            fprintf(out, "\\%c", escape[1]);
        else if (!adept_plain_character(text, length))
            fprintf(out, "\\u%04x", code_point((const unsigned char *)text, length));
        else
            fwrite(text, 1, length, out);
        text += length ? length : 1;
    }
    fputc('"', out);
}

/* What stands before a value: comma, new line, key. */
static void begin_value(adept_json_writer *w, const char *key) {
    assert(w->depth == 0 || (key != NULL) == !(w->arrays & level_bit(w)));
    if (w->occupied & level_bit(w))
        fputc(',', w->out);
    if (w->depth)
        new_line(w);
    w->occupied |= level_bit(w);
    if (key) {
        put_text(w->out, key);
        fputs(w->indent ? ": " : ":", w->out);
    }
}

static void begin(adept_json_writer *w, const char *key, bool array) {
    assert(w->depth < 62);
    begin_value(w, key);
    fputc(array ? '[' : '{', w->out);
    w->depth++;
    w->occupied &= ~level_bit(w);
    w->arrays = array ? w->arrays | level_bit(w) : w->arrays & ~level_bit(w);
}

void adept_json_begin_object(adept_json_writer *w, const char *key) {
    begin(w, key, false);
}

void adept_json_begin_array(adept_json_writer *w, const char *key) {
    begin(w, key, true);
}

void adept_json_end(adept_json_writer *w) {
    assert(w->depth > 0);
    bool array = w->arrays & level_bit(w);
    bool occupied = w->occupied & level_bit(w);
    w->depth--;
    if (occupied)
        new_line(w);
    fputc(array ? ']' : '}', w->out);
}

void adept_json_put_number(adept_json_writer *w, const char *key, double value) {
    char text[ADEPT_NUMBER_SIZE];
    begin_value(w, key);
    fputs(isfinite(value) ? adept_number_format(text, value) : "null", w->out);
}

void adept_json_put_integer(adept_json_writer *w, const char *key, int64_t value) {
    begin_value(w, key);
    fprintf(w->out, "%" PRId64, value);
}

void adept_json_put_string(adept_json_writer *w, const char *key, const char *text) {
    begin_value(w, key);
    if (text)
        put_text(w->out, text);
    else
        fputs("null", w->out);
}

void adept_json_put_bool(adept_json_writer *w, const char *key, bool value) {
    begin_value(w, key);
    fputs(value ? "true" : "false", w->out);
}

void adept_json_put_null(adept_json_writer *w, const char *key) {
    adept_json_put_string(w, key, NULL);
}

void adept_json_put_value(adept_json_writer *w, const char *key, const adept_json_value *value) {
    adept_json_kind kind = adept_json_kind_of(value);
    switch (kind) {
    case ADEPT_JSON_NULL:
        adept_json_put_null(w, key);
        return;
    case ADEPT_JSON_BOOL:
        adept_json_put_bool(w, key, adept_json_truth(value));
        return;
    case ADEPT_JSON_NUMBER:
        adept_json_put_number(w, key, adept_json_number(value));
        return;
    case ADEPT_JSON_STRING:
        adept_json_put_string(w, key, adept_json_text(value));
        return;
    case ADEPT_JSON_ARRAY:
    case ADEPT_JSON_OBJECT:
        break;
    }
    begin(w, key, kind == ADEPT_JSON_ARRAY);
    for (const adept_json_value *child = adept_json_first(value); child; child = adept_json_next(child))
        adept_json_put_value(w, kind == ADEPT_JSON_OBJECT ? adept_json_key(child) : NULL, child);
    adept_json_end(w);
}

adept_status adept_json_finish(adept_json_writer *w, adept_error *err) {
    assert(w->depth == 0);
    fputc('\n', w->out);
    errno = 0;
    if (fflush(w->out) != 0 || ferror(w->out))
        return adept_fail(err, ADEPT_IO, "cannot write: %s", errno ? strerror(errno) : "the stream failed");
    return ADEPT_OK;
}
