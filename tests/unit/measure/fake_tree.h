/* Temporary folders with files, for stand-ins of /sys and /proc. */
#ifndef ADEPT_FAKE_TREE_H
#define ADEPT_FAKE_TREE_H

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_support.h"

/* A new empty folder; static storage, good until the next call with the same slot. */
static inline const char *fake_root(int slot) {
    static char roots[4][64];
    const char *parent = getenv("TMPDIR");
    snprintf(roots[slot], sizeof roots[slot], "%s/adept-measure-XXXXXX",
             parent && strlen(parent) < 30 ? parent : "/tmp");
    assert_non_null(mkdtemp(roots[slot]));
    return roots[slot];
}

static inline void fake_remove(const char *root) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    assert_int_equal(system(command), 0);
}

/* Writes length bytes to root/path, making the folders above. */
static inline void fake_bytes(const char *root, const char *path, const void *bytes, size_t length) {
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
    }
    FILE *file = fopen(full, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void fake_file(const char *root, const char *path, const char *text) {
    fake_bytes(root, path, text, strlen(text));
}

#endif
