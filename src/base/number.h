/* Numbers as text, the same in every locale: a decimal point, no digit grouping. */
#ifndef ADEPT_NUMBER_H
#define ADEPT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for any text of adept_number_format. */
#define ADEPT_NUMBER_SIZE 40

/*
 * The whole text as one finite decimal number ([+-]digits[.digits][e[+-]digits]); no blanks, hexadecimal,
 * inf or nan. False (and *out untouched) for anything else.
 */
bool adept_number_parse(const char *text, double *out);
bool adept_number_parse_i64(const char *text, int64_t *out);

/* Shortest decimal text of a finite value that reads back as the same double. Returns text. */
char *adept_number_format(char text[ADEPT_NUMBER_SIZE], double value);

/*
 * The name closest to word (edit distance at most 2, or a third of its length; a missing end such
 * as "_W" counts 1), or NULL: for messages
 * that end in "did you mean".
 */
const char *adept_nearest_name(const char *word, const char *const *names, size_t count);

#endif
