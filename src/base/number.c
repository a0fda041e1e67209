#include "number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char decimal_point(void) {
    const struct lconv *locale = localeconv();
    const char *point = locale ? locale->decimal_point : NULL;
    if (point && *point)
        return *point;
    return '.';
}

static const char *skip_digits(const char *c) {
    while (*c >= '0' && *c <= '9')
        c++;
    return c;
}

static bool is_decimal(const char *text) {
    const char *c = text + (*text == '-' || *text == '+');
    const char *whole = c;
    c = skip_digits(c);
    size_t digits = (size_t)(c - whole);
    if (*c == '.') {
        const char *fraction = ++c;
        c = skip_digits(c);
        digits += (size_t)(c - fraction);
    }
    if (digits && (*c == 'e' || *c == 'E')) {
        c++;
        c += *c == '-' || *c == '+';
        const char *exponent = c;
        c = skip_digits(c);
        if (c == exponent)
            return false;
    }
    return digits && *c == '\0';
}

bool adept_number_parse(const char *text, double *out) {
    char local[512];
    size_t length = strlen(text);
    if (length >= sizeof local || !is_decimal(text))
        return false;
    memcpy(local, text, length + 1);
    char *point = strchr(local, '.');
    if (point)
        *point = decimal_point();
    double value = strtod(local, NULL);
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}

bool adept_number_parse_i64(const char *text, int64_t *out) {
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits < '0' || *digits > '9' || *skip_digits(digits))
        return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno)
        return false;
    *out = value;
    return true;
}

char *adept_number_format(char text[ADEPT_NUMBER_SIZE], double value) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, ADEPT_NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    char *point = strchr(text, decimal_point());
    if (point)
        *point = '.';
    return text;
}

/*
 * Levenshtein distance of a and b, both shorter than NAME_LENGTH; one more than that of a and a beginning
 * of b where this is less, because a forgotten unit ("tdp" for "tdp_W") is the commonest slip.
 */
#define NAME_LENGTH 64
static size_t edit_distance(const char *a, const char *b) {
    size_t row[NAME_LENGTH];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t change = diagonal + (a[i] != b[j]);
            size_t one_side = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < one_side ? change : one_side;
        }
    }
    size_t best = row[length];
    for (size_t j = 1; j < length; j++)
        best = row[j] + 1 < best ? row[j] + 1 : best;
    return best;
}

const char *adept_nearest_name(const char *word, const char *const *names, size_t count) {
    size_t length = strlen(word);
    const char *nearest = NULL;
    size_t best = length / 3 > 2 ? length / 3 + 1 : 3;
    if (length >= NAME_LENGTH)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) >= NAME_LENGTH)
            continue;
        size_t distance = edit_distance(word, names[i]);
        if (distance < best && distance < length) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
