#include "sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

long sysfs_read(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t used = 0;
    ssize_t got = 0;
    while (used + 1 < size && (got = read(fd, text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    int saved = errno;
    close(fd);
    errno = saved;
    if (got < 0)
        return -1;
    while (used && isspace((unsigned char)text[used - 1]))
        used--;
    text[used] = '\0';
    return (long)used;
}

bool sysfs_read_number(int fd, double *out) {
    char text[64];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    if (got <= 0)
        return false;
    text[got] = '\0';
    char *end;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool sysfs_read_number_at(const char *path, double *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = sysfs_read_number(fd, out);
    close(fd);
    return good;
}
