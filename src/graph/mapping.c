/* madvise: POSIX's own form of "don't need" does nothing in glibc. */
#define _DEFAULT_SOURCE // NOLINT(bugprone-reserved-identifier)
#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

static adept_status map_descriptor(adept_mapping *mapping, int descriptor, const char *path,
                                   adept_error *err) {
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return adept_fail(err, ADEPT_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return adept_fail(err, ADEPT_IO, "%s: %s; give the path of an ONNX file", path,
                          S_ISDIR(about.st_mode) ? "is a directory" : "not a regular file");
    if (about.st_size == 0)
        return ADEPT_OK; /* mmap refuses empty files */
    if ((uintmax_t)about.st_size > SIZE_MAX)
        return adept_fail(err, ADEPT_LIMIT, "%s: too large to map", path);
    void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return adept_fail(err, ADEPT_IO, "%s: cannot map: %s", path, strerror(errno));
    mapping->bytes = bytes;
    mapping->size_B = (size_t)about.st_size;
    /* No read-ahead: between two headers lie megabytes of weights. Advice only, so failing is harmless. */
    (void)madvise(bytes, mapping->size_B, MADV_RANDOM);
    return ADEPT_OK;
}

adept_status adept_mapping_open(adept_mapping **out, const char *path, adept_error *err) {
    *out = NULL;
    /* O_NONBLOCK: opening a named pipe must not wait for its writer. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return adept_fail(err, ADEPT_IO, "%s: %s", path, strerror(errno));
    adept_mapping *mapping = calloc(1, sizeof *mapping);
    adept_status status = mapping ? map_descriptor(mapping, descriptor, path, err) : adept_fail_memory(err);
    close(descriptor);
    if (status != ADEPT_OK) {
        free(mapping);
        return status;
    }
    *out = mapping;
    return ADEPT_OK;
}

static size_t page_start(size_t offset_B) {
    long page_B = sysconf(_SC_PAGESIZE);
    return page_B > 0 ? offset_B - offset_B % (size_t)page_B : 0;
}

static void advise(const adept_mapping *mapping, size_t start_B, size_t end_B, int advice) {
    if (start_B < end_B && end_B <= mapping->size_B)
        (void)madvise((void *)(uintptr_t)(mapping->bytes + start_B), end_B - start_B, advice);
}

void adept_mapping_release(const adept_mapping *mapping, size_t from_B, size_t to_B) {
    advise(mapping, page_start(from_B), page_start(to_B), MADV_DONTNEED);
}

void adept_mapping_prefetch(const adept_mapping *mapping, size_t from_B, size_t to_B) {
    advise(mapping, page_start(from_B), to_B, MADV_WILLNEED);
}

void adept_mapping_close(adept_mapping *mapping) {
    if (!mapping)
        return;
    if (mapping->bytes)
        munmap((void *)(uintptr_t)mapping->bytes, mapping->size_B);
    free(mapping);
}
