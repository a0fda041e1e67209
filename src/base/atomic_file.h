/* Writing a file whole or not at all. */
#ifndef ADEPT_ATOMIC_FILE_H
#define ADEPT_ATOMIC_FILE_H

#include <stdio.h>

#include "adept/error.h"

/* Writes the contents to out. A failed write need not be noticed here: the stream is checked afterwards. */
typedef adept_status adept_file_writer(void *user, FILE *out, adept_error *err);

/*
 * Replaces path by what `write` writes: into a new file in the same folder, synchronised to disk, then
 * renamed. If anything fails (or the process is killed), the file that was there stays as it was; a kill may
 * leave a file `.adept-<process>-<n>.tmp` behind. Permissions of an existing file are kept, symbolic links
 * are followed. A path that is no regular file (a pipe, a device) is written to directly.
 * Errors    IO with the path and the system's reason, or what `write` returned. A file-size limit
 *           (RLIMIT_FSIZE) is an IO error only in programs that ignore SIGXFSZ
 */
adept_status adept_atomic_write(const char *path, adept_file_writer *write, void *user, adept_error *err);

#endif
