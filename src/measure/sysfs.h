/* Reading the small one-value files of /sys and /proc. */
#ifndef ADEPT_SYSFS_H
#define ADEPT_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

/* Reads at most size-1 bytes and ends them with NUL, trailing white space cut; bytes read, or -1 with errno.
 */
long sysfs_read(const char *path, char *text, size_t size);

/* The number at the start of the file behind fd, read again from its beginning. */
bool sysfs_read_number(int fd, double *out);
bool sysfs_read_number_at(const char *path, double *out);

#endif
