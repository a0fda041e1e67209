/*
 * Runs the program as a user does: arguments in; exit code, both streams, time and memory out.
 *
 *   program_result r = program_run((const char *[]){"profile", path, "--json", NULL});
 *   assert_int_equal(r.code, 0);
 *   program_free(&r);
 */
#ifndef ADEPT_TEST_PROGRAM_H
#define ADEPT_TEST_PROGRAM_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_support.h"

#define PROGRAM ADEPT_BINARY_DIR "/adept"

typedef struct program_result {
    int code; /* exit code, or minus the signal that ended it */
    char *out, *err;
    size_t out_B, err_B;
    double cpu_s; /* processor time of it and what it waited for: a busy machine does not lengthen it */
} program_result;

static inline char *program_slurp(int file, size_t *size_B) {
    off_t size = lseek(file, 0, SEEK_END);
    assert_true(size >= 0);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, (size_t)size, 0), size);
    close(file);
    *size_B = (size_t)size;
    return text;
}

static inline int program_scratch(void) {
    char path[] = "/tmp/adept-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    unlink(path);
    return file;
}

static inline double program_children_s(void) {
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

/* argv: command line with the program itself first. memory_B: most address space, 0: any. */
static inline program_result program_run_limited(const char *const *argv, size_t memory_B) {
    int out = program_scratch(), err = program_scratch();
    double before_s = program_children_s();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {memory_B, memory_B};
        int nothing = open("/dev/null", O_RDONLY);
        if ((memory_B && setrlimit(RLIMIT_AS, &limit) != 0) || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 ||
            dup2(err, 2) < 0)
            _exit(125);
        execvp(argv[0], (char *const *)(size_t)argv);
        _exit(126);
    }
    program_result result = {0};
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    result.cpu_s = program_children_s() - before_s;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    result.out = program_slurp(out, &result.out_B);
    result.err = program_slurp(err, &result.err_B);
    return result;
}

/* arguments: without the program, NULL at the end. */
static inline program_result program_run(const char *const *arguments) {
    const char *argv[64] = {PROGRAM};
    size_t count = 1;
    for (; arguments[count - 1]; count++) {
        assert_true(count < 63);
        argv[count] = arguments[count - 1];
    }
    return program_run_limited(argv, 0);
}

static inline void program_free(program_result *result) {
    free(result->out);
    free(result->err);
    *result = (program_result){0};
}

static inline size_t program_lines(const char *text) {
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

#endif
