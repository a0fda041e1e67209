/* Text from files on its way to a terminal. */
#ifndef ADEPT_PLAIN_TEXT_H
#define ADEPT_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Replaces what a terminal might obey or what would break a line by '?', in place: control characters of
 * ASCII and of Latin-1 (U+0080 to U+009F), direction overrides (U+202A to U+202E, U+2066 to U+2069), line
 * separators, and bytes that are not UTF-8. Returns text.
 */
char *adept_plain_text(char *text);

/* The same with a copy, cut to size - 1 bytes at a character's border. Returns copy. */
char *adept_plain_copy(char *copy, size_t size, const char *text);

/* Whether the UTF-8 sequence of this length (adept_utf8_length; 0: none) at text is left as it is. */
bool adept_plain_character(const char *text, size_t length);

/* For use inside of a call: fprintf(out, "%s", ADEPT_PLAIN(name)). Lives until the end of the block. */
#define ADEPT_PLAIN(text) adept_plain_copy((char[1024]){0}, 1024, (text))

#endif
