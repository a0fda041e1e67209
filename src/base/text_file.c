#include "text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

/* Reads until end of file or until more than limit_B bytes came. */
static adept_status read_all(char **text, size_t *length, FILE *file, const char *path, size_t limit_B,
                             adept_error *err) {
    size_t used = 0;
    size_t size = 1 << 14;
    char *buffer = malloc(size);
    while (buffer) {
        used += fread(buffer + used, 1, size - 1 - used, file);
        if (used < size - 1 || used > limit_B)
            break;
        size *= 2;
        char *larger = realloc(buffer, size);
        if (!larger)
            free(buffer);
        buffer = larger;
    }
    if (!buffer)
        return adept_fail_memory(err);
    adept_status status = ADEPT_OK;
    if (ferror(file))
        status = adept_fail(err, ADEPT_IO, "%s: cannot read: %s", path, strerror(errno));
    else if (used > limit_B)
        status = adept_fail(err, ADEPT_LIMIT, "%s: larger than the limit of %zu bytes for such a file", path,
                            limit_B);
    if (status != ADEPT_OK) {
        free(buffer);
        return status;
    }
    buffer[used] = '\0';
    *text = buffer;
    *length = used;
    return ADEPT_OK;
}

adept_status adept_text_file_read(char **text, size_t *length, const char *path, size_t limit_B,
                                  adept_error *err) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    FILE *file = fopen(path, "rb");
    if (!file)
        return adept_fail(err, ADEPT_IO, "%s: cannot open: %s", path, strerror(errno));
    adept_status status = read_all(text, length, file, path, limit_B, err);
    fclose(file);
    if (status != ADEPT_OK)
        return status;
    if (strlen(*text) != *length) {
        status = adept_fail(err, ADEPT_FORMAT, "%s: byte %zu is NUL; this is not a text file", path,
                            strlen(*text));
        free(*text);
        *text = NULL;
        return status;
    }
    if (strncmp(*text, byte_order_mark, 3) == 0) {
        *length -= 3;
        memmove(*text, *text + 3, *length + 1);
    }
    return ADEPT_OK;
}
