#define _XOPEN_SOURCE 700 /* mkdtemp, symlink */
#include "test_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomic_file.h"
#include "fail.h"

static char folder[64], path[128];

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/adept-atomic-XXXXXX");
    snprintf(path, sizeof path, "%s/out.json", mkdtemp(folder));
    return 0;
}

/* Files in the folder; with `remove`, they go. */
static int files(int remove_them) {
    int count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d));) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            count++;
            if (remove_them)
                unlink(name);
        }
    }
    closedir(d);
    return count;
}

static int remove_folder(void **state) {
    (void)state;
    files(1);
    return rmdir(folder);
}

static const char *read_path(const char *name) {
    static char text[64];
    FILE *f = fopen(name, "r");
    text[f ? fread(text, 1, sizeof text - 1, f) : 0] = '\0';
    if (f)
        fclose(f);
    return text;
}

static adept_status write_text(void *user, FILE *out, adept_error *err) {
    (void)err;
    fputs(user, out);
    return ADEPT_OK;
}

static void put(char *text) {
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_atomic_write(path, write_text, text, &err), err);
}

static void file_is_created_and_replaced_and_nothing_else_is_left(void **state) {
    (void)state;
    put("old");
    assert_string_equal(read_path(path), "old");
    put("new, longer");
    assert_string_equal(read_path(path), "new, longer");
    assert_int_equal(files(0), 1);
}

static void permissions_are_kept_and_links_followed(void **state) {
    (void)state;
    char link[160];
    struct stat s;
    put("old");
    assert_int_equal(chmod(path, 0640), 0);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink("out.json", link), 0);
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_atomic_write(link, write_text, "new", &err), err);
    assert_string_equal(read_path(path), "new");
    assert_int_equal(lstat(link, &s), 0);
    assert_true(S_ISLNK(s.st_mode));
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0640);
}

static adept_status write_and_fail(void *user, FILE *out, adept_error *err) {
    (void)user;
    fputs("half", out);
    fflush(out);
    return adept_fail(err, ADEPT_RANGE, "no more");
}

static void failing_writer_leaves_the_old_file(void **state) {
    (void)state;
    put("old");
    adept_error err = ADEPT_ERROR_INIT;
    assert_int_equal(adept_atomic_write(path, write_and_fail, NULL, &err), ADEPT_RANGE);
    assert_string_equal(err.message, "no more");
    assert_string_equal(read_path(path), "old");
    assert_int_equal(files(0), 1);
}

static adept_status write_much(void *user, FILE *out, adept_error *err) {
    (void)user, (void)err;
    for (int i = 0; i < 100000; i++)
        fputs("0123456789", out);
    return ADEPT_OK;
}

/* A disk that takes 4096 bytes more, by the limit on file sizes. */
static void full_disk_leaves_the_old_file(void **state) {
    (void)state;
    put("old");
    struct rlimit limit, before;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &limit);
    adept_error err = ADEPT_ERROR_INIT;
    const adept_status status = adept_atomic_write(path, write_much, NULL, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, ADEPT_IO);
    assert_non_null(strstr(err.message, "out.json: cannot write"));
    assert_string_equal(read_path(path), "old");
    assert_int_equal(files(0), 1);
}

static void full_device_is_an_error_and_stays_a_device(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    struct stat s;
    assert_int_equal(adept_atomic_write("/dev/full", write_text, "x", &err), ADEPT_IO);
    assert_string_equal(err.message, "/dev/full: cannot write: No space left on device");
    assert_int_equal(stat("/dev/full", &s), 0);
    assert_true(S_ISCHR(s.st_mode));
    assert_ok(adept_atomic_write("/dev/null", write_much, NULL, &err), err);
}

static adept_status write_and_die(void *user, FILE *out, adept_error *err) {
    (void)user, (void)err;
    fputs("half", out);
    fflush(out);
    raise(SIGKILL);
    return ADEPT_OK;
}

static void killed_writer_leaves_the_old_file(void **state) {
    (void)state;
    put("old");
    const pid_t child = fork();
    if (child == 0) {
        adept_atomic_write(path, write_and_die, NULL, NULL);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_string_equal(read_path(path), "old");
}

static void missing_folder_and_folder_as_file_are_named(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    assert_int_equal(adept_atomic_write("/nowhere/at/all", write_text, "x", &err), ADEPT_IO);
    assert_non_null(strstr(err.message, "/nowhere/at/all: cannot"));
    assert_int_equal(adept_atomic_write(folder, write_text, "x", &err), ADEPT_IO);
    assert_non_null(strstr(err.message, "Is a directory"));
}

static void bare_file_name_is_written_in_the_working_folder(void **state) {
    (void)state;
    char before[512];
    adept_error err = ADEPT_ERROR_INIT;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    const adept_status status = adept_atomic_write("out.json", write_text, "here", &err);
    assert_int_equal(chdir(before), 0);
    assert_ok(status, err);
    assert_string_equal(read_path(path), "here");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(file_is_created_and_replaced_and_nothing_else_is_left),
        IN_FOLDER(permissions_are_kept_and_links_followed),
        IN_FOLDER(failing_writer_leaves_the_old_file),
        IN_FOLDER(full_disk_leaves_the_old_file),
        IN_FOLDER(full_device_is_an_error_and_stays_a_device),
        IN_FOLDER(killed_writer_leaves_the_old_file),
        IN_FOLDER(missing_folder_and_folder_as_file_are_named),
        IN_FOLDER(bare_file_name_is_written_in_the_working_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
