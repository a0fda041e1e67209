#include "strict_csv.h"

#include <csv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "number.h"
#include "string_map.h"
#include "text_file.h"

typedef struct csv_row {
    size_t line;        /* where the row starts */
    size_t first_field; /* index into fields */
    size_t field_count;
} csv_row;

struct adept_csv {
    adept_arena *arena;
    const char *name;
    const char **fields; /* malloc'd: all rows one after another, the header first */
    size_t field_count, field_capacity;
    csv_row *rows; /* malloc'd: the header is row 0 */
    size_t row_count, row_capacity;
};

/* State of one reading: libcsv tells of fields and row ends but not where they are. */
typedef struct csv_reading {
    adept_csv *csv;
    size_t line;              /* the physical line being fed */
    size_t newlines;          /* inside quoted fields of the open row */
    size_t first_field;       /* of the open row */
    size_t rows_on_this_line; /* more than one: a bare carriage return */
    bool out_of_memory;
} csv_reading;

/* Room for one more item of size_B in a growing array. */
static bool grow(void **items, size_t count, size_t *capacity, size_t size_B) {
    if (count < *capacity)
        return true;
    size_t larger = *capacity ? *capacity * 2 : 256;
    void *moved = larger < SIZE_MAX / size_B ? realloc(*items, larger * size_B) : NULL;
    if (!moved)
        return false;
    *items = moved;
    *capacity = larger;
    return true;
}

static void take_field(void *bytes, size_t length, void *state) {
    csv_reading *reading = state;
    adept_csv *csv = reading->csv;
    const char *text = adept_arena_string_n(csv->arena, bytes, length);
    void *fields = (void *)csv->fields;
    if (!text || !grow(&fields, csv->field_count, &csv->field_capacity, sizeof *csv->fields)) {
        reading->out_of_memory = true;
        return;
    }
    csv->fields = fields;
    csv->fields[csv->field_count++] = text;
    for (const char *c = text; *c; c++)
        reading->newlines += *c == '\n';
}

static void end_row(int terminator, void *state) {
    (void)terminator;
    csv_reading *reading = state;
    adept_csv *csv = reading->csv;
    void *rows = csv->rows;
    if (reading->out_of_memory || !grow(&rows, csv->row_count, &csv->row_capacity, sizeof *csv->rows)) {
        reading->out_of_memory = true;
        return;
    }
    csv->rows = rows;
    csv->rows[csv->row_count++] = (csv_row){
        .line = reading->line - reading->newlines,
        .first_field = reading->first_field,
        .field_count = csv->field_count - reading->first_field,
    };
    reading->first_field = csv->field_count;
    reading->newlines = 0;
    reading->rows_on_this_line++;
}

/* libcsv would trim blanks around unquoted fields; RFC 4180 counts them as part of the field. */
static int never_blank(unsigned char c) {
    (void)c;
    return 0;
}

static adept_status fail_bare_return(const csv_reading *reading, adept_error *err) {
    return adept_fail(err, ADEPT_FORMAT,
                      "%s: line %zu: carriage return without a line feed; lines end with LF or CRLF",
                      reading->csv->name, reading->line);
}

/* Feeds the text line by line, so that every row knows its line. */
static adept_status read_rows(struct csv_parser *parser, csv_reading *reading, const char *text,
                              size_t length, adept_error *err) {
    const char *name = reading->csv->name;
    for (size_t start = 0; start < length && !reading->out_of_memory;) {
        const char *newline = memchr(text + start, '\n', length - start);
        size_t count = newline ? (size_t)(newline - text) + 1 - start : length - start;
        reading->line++;
        reading->rows_on_this_line = 0;
        if (csv_parse(parser, text + start, count, take_field, end_row, reading) != count)
            return adept_fail(
                err, ADEPT_FORMAT,
                "%s: line %zu: quoting is broken; a field that holds a quote or a comma must be "
                "wrapped in quotes and the quotes inside doubled",
                name, reading->line);
        if (reading->rows_on_this_line > 1)
            return fail_bare_return(reading, err);
        start += count;
    }
    if (csv_fini(parser, take_field, end_row, reading) != 0)
        return adept_fail(err, ADEPT_FORMAT, "%s: line %zu: the file ends inside a quoted field", name,
                          reading->line);
    if (reading->rows_on_this_line > 1) /* the last row needs no line end */
        return fail_bare_return(reading, err);
    return reading->out_of_memory ? adept_fail_memory(err) : ADEPT_OK;
}

/* The header must name every column once. */
static adept_status check_header(const adept_csv *csv, adept_error *err) {
    adept_string_map seen = ADEPT_STRING_MAP_INIT;
    adept_status status = ADEPT_OK;
    if (csv->row_count == 0)
        return adept_fail(err, ADEPT_FORMAT, "%s: empty; the first line must name the columns", csv->name);
    for (size_t i = 0; i < adept_csv_columns(csv) && status == ADEPT_OK; i++) {
        const char *column = csv->fields[i];
        int32_t before = adept_string_map_get(&seen, column, -1);
        if (*column == '\0')
            status = adept_fail(err, ADEPT_FORMAT, "%s: line %zu: column %zu has no name", csv->name,
                                csv->rows[0].line, i + 1);
        else if (before >= 0)
            status = adept_fail(err, ADEPT_FORMAT, "%s: line %zu: columns %d and %zu are both named '%s'",
                                csv->name, csv->rows[0].line, before + 1, i + 1, column);
        else if (!adept_string_map_put(&seen, column, (int32_t)i))
            status = adept_fail_memory(err);
    }
    adept_string_map_clear(&seen);
    return status;
}

static adept_status parse(adept_csv *csv, const char *text, size_t length, adept_error *err) {
    struct csv_parser parser;
    csv_reading reading = {.csv = csv};
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return adept_fail_memory(err);
    csv_set_space_func(&parser, never_blank);
    adept_status status = read_rows(&parser, &reading, text, length, err);
    csv_free(&parser);
    return status == ADEPT_OK ? check_header(csv, err) : status;
}

adept_status adept_csv_parse(adept_csv **out, const char *name, const char *text, size_t length,
                             adept_error *err) {
    *out = NULL;
    if (length > ADEPT_TEXT_LIMIT_B)
        return adept_fail(err, ADEPT_LIMIT, "%s: larger than %zu bytes", name, ADEPT_TEXT_LIMIT_B);
    if (memchr(text, '\0', length))
        return adept_fail(err, ADEPT_FORMAT, "%s: a NUL byte; this is not a text file", name);
    adept_csv *csv = calloc(1, sizeof *csv);
    adept_arena *arena = adept_arena_new(0);
    const char *kept_name = arena ? adept_arena_string(arena, name) : NULL;
    if (!csv || !kept_name) {
        adept_arena_free(arena);
        free(csv);
        return adept_fail_memory(err);
    }
    csv->arena = arena;
    csv->name = kept_name;
    adept_status status = parse(csv, text, length, err);
    if (status == ADEPT_OK)
        *out = csv;
    else
        adept_csv_free(csv);
    return status;
}

adept_status adept_csv_load(adept_csv **out, const char *path, adept_error *err) {
    char *text;
    size_t length;
    *out = NULL;
    adept_status status = adept_text_file_read(&text, &length, path, ADEPT_TEXT_LIMIT_B, err);
    if (status != ADEPT_OK)
        return status;
    status = adept_csv_parse(out, path, text, length, err);
    free(text);
    return status;
}

void adept_csv_free(adept_csv *csv) {
    if (!csv)
        return;
    adept_arena_free(csv->arena);
    free((void *)csv->fields);
    free(csv->rows);
    free(csv);
}

size_t adept_csv_columns(const adept_csv *csv) {
    return csv->rows[0].field_count;
}

const char *adept_csv_column_name(const adept_csv *csv, size_t column) {
    return csv->fields[column];
}

ptrdiff_t adept_csv_column(const adept_csv *csv, const char *name) {
    for (size_t i = 0; i < adept_csv_columns(csv); i++) {
        if (strcmp(csv->fields[i], name) == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

size_t adept_csv_rows(const adept_csv *csv) {
    return csv->row_count - 1;
}

size_t adept_csv_row_line(const adept_csv *csv, size_t row) {
    return csv->rows[row + 1].line;
}

size_t adept_csv_row_fields(const adept_csv *csv, size_t row) {
    return csv->rows[row + 1].field_count;
}

const char *adept_csv_field(const adept_csv *csv, size_t row, ptrdiff_t column) {
    const csv_row *at = &csv->rows[row + 1];
    if (column < 0 || (size_t)column >= at->field_count)
        return "";
    return csv->fields[at->first_field + (size_t)column];
}

adept_status adept_csv_double(const adept_csv *csv, size_t row, ptrdiff_t column, const char *unit,
                              double *out, adept_error *err) {
    const char *text = adept_csv_field(csv, row, column);
    *out = NAN;
    if (*text == '\0' || adept_number_parse(text, out))
        return ADEPT_OK;
    return adept_fail(err, ADEPT_FORMAT, "%s: line %zu: %s = '%s' is not a number; give %s", csv->name,
                      adept_csv_row_line(csv, row), adept_csv_column_name(csv, (size_t)column), text,
                      unit && *unit ? unit : "a number");
}

adept_status adept_csv_i64(const adept_csv *csv, size_t row, ptrdiff_t column, int64_t missing, int64_t *out,
                           adept_error *err) {
    const char *text = adept_csv_field(csv, row, column);
    *out = missing;
    if (*text == '\0' || adept_number_parse_i64(text, out))
        return ADEPT_OK;
    return adept_fail(err, ADEPT_FORMAT, "%s: line %zu: %s = '%s' is not a whole number", csv->name,
                      adept_csv_row_line(csv, row), adept_csv_column_name(csv, (size_t)column), text);
}

void adept_csv_write_field(FILE *out, const char *text) {
    size_t length = strlen(text);
    if (strcspn(text, ",\"\r\n") == length && text[0] != ' ' && (length == 0 || text[length - 1] != ' '))
        fwrite(text, 1, length, out);
    else
        csv_fwrite(out, text, length);
}
