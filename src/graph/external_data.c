/* realpath is XSI; POSIX.1-2008 alone leaves it out of the headers. */
#define _XOPEN_SOURCE 700 // NOLINT(bugprone-reserved-identifier)
#include "external_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

bool adept_external_location_allowed(const char *location) {
    if (location[0] == '\0' || location[0] == '/')
        return false;
    for (const char *part = location; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

static bool lies_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static adept_status read_at(int descriptor, const char *path, uint64_t offset_B, uint64_t size_B,
                            unsigned char *bytes, adept_error *err) {
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return adept_fail(err, ADEPT_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return adept_fail(err, ADEPT_IO, "%s: not a regular file", path);
    uint64_t file_B = (uint64_t)about.st_size;
    if (offset_B > file_B || size_B > file_B - offset_B)
        return adept_fail(err, ADEPT_IO, "%s: has %llu B, but %llu B at offset %llu are needed", path,
                          (unsigned long long)file_B, (unsigned long long)size_B,
                          (unsigned long long)offset_B);
    for (uint64_t done_B = 0; done_B < size_B;) {
        ssize_t got =
            pread(descriptor, bytes + done_B, (size_t)(size_B - done_B), (off_t)(offset_B + done_B));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return adept_fail(err, ADEPT_IO, "%s: %s", path, got < 0 ? strerror(errno) : "ends too early");
        done_B += (uint64_t)got;
    }
    return ADEPT_OK;
}

static adept_status open_below(const char *folder, const char *location, adept_arena *arena, int *descriptor,
                               const char **path, adept_error *err) {
    char *joined = adept_arena_format(arena, "%s/%s", folder, location);
    if (!joined)
        return adept_fail_memory(err);
    *path = joined;
    char *real_folder = realpath(folder, NULL), *real_path = realpath(joined, NULL);
    adept_status status = ADEPT_OK;
    if (!real_folder || !real_path)
        status = adept_fail(err, ADEPT_IO, "%s: %s", joined, strerror(errno));
    else if (!lies_below(real_path, real_folder))
        status = adept_fail(err, ADEPT_IO, "%s: leads out of the model's folder to %s; copy the file there",
                            joined, real_path);
    else {
        /* The resolved path has no links left; if one appears meanwhile, O_NOFOLLOW refuses it. */
        *descriptor = open(real_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
        if (*descriptor < 0)
            status = adept_fail(err, ADEPT_IO, "%s: %s", joined, strerror(errno));
    }
    free(real_folder);
    free(real_path);
    return status;
}

adept_status adept_external_read(const char *folder, const char *location, uint64_t offset_B, uint64_t size_B,
                                 adept_arena *arena, const unsigned char **bytes, adept_error *err) {
    if (!folder)
        return adept_fail(err, ADEPT_IO, "%s: external data of a model without a folder", location);
    if (!adept_external_location_allowed(location))
        return adept_fail(err, ADEPT_FORMAT, "external data at '%s' lies outside of the model's folder",
                          location);
    int descriptor = -1;
    const char *path = location;
    adept_status status = open_below(folder, location, arena, &descriptor, &path, err);
    if (status != ADEPT_OK)
        return status;
    unsigned char *buffer = adept_arena_alloc(arena, (size_t)size_B);
    status = buffer ? read_at(descriptor, path, offset_B, size_B, buffer, err) : adept_fail_memory(err);
    close(descriptor);
    *bytes = buffer;
    return status;
}
