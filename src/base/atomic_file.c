#define _XOPEN_SOURCE 700 /* glibc: realpath is X/Open, not POSIX */
#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

static adept_status fail_system(adept_error *err, const char *path, const char *what, int reason) {
    return adept_fail(err, ADEPT_IO, "%s: cannot %s: %s", path, what, strerror(reason));
}

/* Writes, flushes and closes file in any case; sync for regular files. */
static adept_status fill(FILE *file, bool sync, const char *path, adept_file_writer *write, void *user,
                         adept_error *err) {
    errno = 0;
    adept_status status = write(user, file, err);
    if (status == ADEPT_OK && (ferror(file) || fflush(file) || (sync && fsync(fileno(file)))))
        status = fail_system(err, path, "write", errno ? errno : EIO);
    if (fclose(file) && status == ADEPT_OK)
        status = fail_system(err, path, "write", errno);
    return status;
}

/* A new file of its own name in the folder of path; its name in *name (to be freed), -1 if none. */
static int create_beside(const char *path, char **name) {
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path + 1) : 0;
    const size_t size = (size_t)folder + 64;
    *name = malloc(size);
    if (!*name) {
        errno = ENOMEM;
        return -1;
    }
    int fd = -1;
    for (int attempt = 0; attempt < 1000 && fd < 0; attempt++) {
        snprintf(*name, size, "%.*s.adept-%ld-%d.tmp", folder, path, (long)getpid(), attempt);
        fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd;
}

/* A rename is on disk once its folder is. Some file systems refuse to synchronise folders: no error. */
static void sync_folder_of(char *name) {
    char *slash = strrchr(name, '/');
    if (slash)
        slash[1] = '\0';
    const int fd = open(slash ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* old: what lies at path now, NULL if nothing does. */
static adept_status replace(const char *path, const struct stat *old, adept_file_writer *write, void *user,
                            adept_error *err) {
    char *name = NULL;
    const int fd = create_beside(path, &name);
    FILE *file = NULL;
    adept_status status = ADEPT_OK;
    if (fd < 0) {
        status = fail_system(err, path, "create a new file beside it", errno);
        goto done;
    }
    if (!(file = fdopen(fd, "w"))) {
        status = fail_system(err, path, "open", errno);
        close(fd);
        goto remove;
    }
    if (old && fchmod(fd, old->st_mode & 0777)) {
        status = fail_system(err, path, "keep its permissions", errno);
        fclose(file);
        goto remove;
    }
    status = fill(file, true, path, write, user, err);
    if (status == ADEPT_OK && rename(name, path))
        status = fail_system(err, path, "replace", errno);
    if (status == ADEPT_OK) {
        sync_folder_of(name);
        goto done;
    }
remove:
    unlink(name);
done:
    free(name);
    return status;
}

static adept_status write_directly(const char *path, adept_file_writer *write, void *user, adept_error *err) {
    FILE *file = fopen(path, "w");
    if (!file)
        return fail_system(err, path, "open", errno);
    return fill(file, false, path, write, user, err);
}

adept_status adept_atomic_write(const char *path, adept_file_writer *write, void *user, adept_error *err) {
    struct stat old;
    if (stat(path, &old)) {
        if (errno != ENOENT)
            return fail_system(err, path, "write", errno);
        return replace(path, NULL, write, user, err);
    }
    if (S_ISDIR(old.st_mode))
        return fail_system(err, path, "write", EISDIR);
    if (!S_ISREG(old.st_mode))
        return write_directly(path, write, user, err);
    char *target = realpath(path, NULL);
    if (!target)
        return fail_system(err, path, "find", errno);
    const adept_status status = replace(target, &old, write, user, err);
    free(target);
    return status;
}
