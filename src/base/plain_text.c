#include "plain_text.h"

#include <string.h>

#include "utf8.h"

bool adept_plain_character(const char *text, size_t length) {
    const unsigned char *c = (const unsigned char *)text;
    switch (length) {
    case 0:
        return false;
    case 1:
        return c[0] >= 0x20 && c[0] != 0x7f;
    case 2:
        return !(c[0] == 0xc2 && c[1] < 0xa0);
    case 3:
        return !(c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) &&
               !(c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
    default:
        return true;
    }
}

char *adept_plain_text(char *text) {
    for (char *c = text; *c;) {
        size_t length = adept_utf8_length(c), width = length ? length : 1;
        if (!adept_plain_character(c, length))
            memset(c, '?', width);
        c += width;
    }
    return text;
}

char *adept_plain_copy(char *copy, size_t size, const char *text) {
    size_t length = strlen(text);
    if (length >= size) {
        length = size - 1;
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    return adept_plain_text(copy);
}
