/* Bytes as a file, for parsers that take a path. The file is this process's own and made anew each time. */
#ifndef ADEPT_FUZZ_FILE_H
#define ADEPT_FUZZ_FILE_H

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline const char *fuzz_file(const char *suffix, const unsigned char *bytes, size_t size_B) {
    static char path[64];
    snprintf(path, sizeof path, "/tmp/adept-fuzz-%ld%s", (long)getpid(), suffix);
    FILE *file = fopen(path, "wb");
    assert(file);
    assert(fwrite(bytes, 1, size_B, file) == size_B);
    assert(fclose(file) == 0);
    return path;
}

#endif
