/* UTF-8 sequences (RFC 3629). */
#ifndef ADEPT_UTF8_H
#define ADEPT_UTF8_H

#include <stddef.h>

/* Bytes of the well-formed sequence at text (NUL-terminated), 0 if it is none: overlong, surrogate, cut off.
 */
static inline size_t adept_utf8_length(const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] < 0x80)
        return 1;
    if (c[0] < 0xc2 || c[0] > 0xf4 || (c[1] & 0xc0) != 0x80)
        return 0;
    if (c[0] < 0xe0)
        return 2;
    if ((c[2] & 0xc0) != 0x80)
        return 0;
    if (c[0] < 0xf0)
        return (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ? 0 : 3;
    if ((c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return (c[3] & 0xc0) == 0x80 ? 4 : 0;
}

#endif
