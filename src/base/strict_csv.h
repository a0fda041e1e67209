/*
 * Strict reader of CSV files (RFC 4180): a header row, comma, double quotes, LF or CRLF, at most 16 MB.
 * The only file that touches libcsv is strict_csv.c.
 *
 * An empty field means "not measured", which is not zero. Rows may be shorter or longer than the header:
 * that is the caller's to report (adept_csv_row_fields), because a file of measurements is not worthless
 * for one broken row.
 */
#ifndef ADEPT_STRICT_CSV_H
#define ADEPT_STRICT_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "adept/error.h"

typedef struct adept_csv adept_csv; /* opaque: owns memory; strings below are borrowed from it */

/*
 * Reads a whole file, or length bytes of text that messages call name.
 * Errors    IO, LIMIT (size), NOMEM; FORMAT with the line: broken quoting, NUL byte, bare carriage return,
 *           no header, an empty or repeated column name
 */
adept_status adept_csv_load(adept_csv **out, const char *path, adept_error *err);
adept_status adept_csv_parse(adept_csv **out, const char *name, const char *text, size_t length,
                             adept_error *err);
void adept_csv_free(adept_csv *csv); /* NULL is fine */

size_t adept_csv_columns(const adept_csv *csv);
const char *adept_csv_column_name(const adept_csv *csv, size_t column);
ptrdiff_t adept_csv_column(const adept_csv *csv, const char *name); /* -1: no such column */

size_t adept_csv_rows(const adept_csv *csv);                   /* without the header and blank lines */
size_t adept_csv_row_line(const adept_csv *csv, size_t row);   /* line of the file, the header's is 1 */
size_t adept_csv_row_fields(const adept_csv *csv, size_t row); /* fields as written */

/* The field's text; "" where the row is shorter or column is -1. */
const char *adept_csv_field(const adept_csv *csv, size_t row, ptrdiff_t column);

/*
 * The field as a number; NaN (or missing) for an empty field or an absent column. unit is for the message.
 * Errors    FORMAT: not a finite decimal number, with line and column name
 */
adept_status adept_csv_double(const adept_csv *csv, size_t row, ptrdiff_t column, const char *unit,
                              double *out, adept_error *err);
adept_status adept_csv_i64(const adept_csv *csv, size_t row, ptrdiff_t column, int64_t missing, int64_t *out,
                           adept_error *err);

/* Writes one field, quoted where RFC 4180 asks for it. The caller writes commas and line ends. */
void adept_csv_write_field(FILE *out, const char *text);

#endif
