/*
 * Every file of the shared folders `bad` and `stress`: exit code, exit code under --strict, one line on
 * stderr that names the file, below one second and 256 MB. What each file is stands in the folder's README;
 * files that the standard forbids but that can be meant in one way only are read and said to be odd.
 */
#include "program.h"

#include <dirent.h>
#include <sys/stat.h>

enum { MEMORY_LIMIT_B = 256000000 };

typedef struct answer {
    const char *file;
    int code, strict_code;
    const char *note; /* in the report, or in the message */
} answer;

/* All others of `bad` fail. */
static const answer read_on[] = {
    {"constant-of-shape-huge.onnx",   0, 0, NULL                    },
    {"empty-everything.onnx",         0, 0, NULL                    },
    {"empty-graph-with-outputs.onnx", 0, 0, NULL                    },
    {"external-shape-tensor.onnx",    0, 0, NULL                    },
    {"negative-dim.onnx",             0, 0, "dimension 0 is -1"     },
    {"output-without-type.onnx",      0, 0, "output 'y' has no type"},
    {"range-huge.onnx",               0, 0, NULL                    },
    {"unknown-attribute.onnx",        0, 3, "attribute 'sideways'"  },
    {"wrong-value-info.onnx",         0, 0, "the file declares"     },
    {"diamond-1000.onnx",             0, 0, NULL                    },
    {"functions-depth-200.onnx",      0, 0, NULL                    },
    {"many-constants.onnx",           0, 0, NULL                    },
    {"nested-if-20.onnx",             0, 0, NULL                    },
    {"nested-if-30.onnx",             0, 0, NULL                    },
    {"rank-64.onnx",                  0, 0, NULL                    },
};

/* Messages that must tell more than the file. */
static const answer says[] = {
    {"overflow-weight.onnx",     1, 1, "1099511627776 x 1099511627776"},
    {"tile-huge.onnx",           1, 1, "'Tile_0'"                     },
    {"doubling-64.onnx",         1, 1, "'Concat_59'"                  },
    {"self-cycle.onnx",          1, 1, "'Add_0' (Add)"                },
    {"shape-mismatch-conv.onnx", 1, 1, "3 channels, weight expects 4" },
    {"function-recursive.onnx",  1, 1, "l::f -> l::f"                 },
    {"gzip.onnx",                1, 1, "unpack it first"              },
};

static const answer *find(const answer *rows, size_t count, const char *file) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].file, file) == 0)
            return &rows[i];
    }
    return NULL;
}
#define FIND(rows, file) find(rows, sizeof(rows) / sizeof(rows)[0], file)

/* The sanitizers' own memory and slowness are not the program's. */
#ifdef ADEPT_ARENA_MALLOC
static const size_t memory_B = 0;
static const double limit_s = 20;
#else
static const size_t memory_B = MEMORY_LIMIT_B;
static const double limit_s = 1;
#endif

static void try_file(const char *folder, const char *file, int *failed) {
    const answer *expected = FIND(read_on, file), *wording = FIND(says, file);
    char path[4600];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    for (int strict = 0; strict < 2; strict++) {
        const char *const argv[] = {PROGRAM, "profile", path, strict ? "--strict" : NULL, NULL};
        program_result r = program_run_limited(argv, memory_B);
        int code = !expected ? 1 : strict ? expected->strict_code : expected->code;
        const char *note = wording ? wording->note : expected ? expected->note : NULL;
        bool ok = r.code == code && program_lines(r.err) == (code != 0) && r.cpu_s < limit_s;
        ok = ok && (code == 0 || (strstr(r.err, file) && strncmp(r.err, "adept profile: ", 15) == 0));
        ok = ok && (code != 1 || r.out_B == 0) && (!note || strstr(code == 1 ? r.err : r.out, note));
        if (!ok) {
            print_message("  WRONG %s%s: exit code %d, expected %d; %.2f s of processor time; stderr: %s\n", file,
                          strict ? " --strict" : "", r.code, code, r.cpu_s, r.err);
            ++*failed;
        }
        program_free(&r);
    }
}

static void try_folder(const char *name, int least) {
    const char *shared = shared_folder();
    if (!shared)
        skip();
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/graphs/%s", shared, name);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int files = 0, failed = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".onnx") != 0)
            continue;
        try_file(folder, entry->d_name, &failed);
        files++;
    }
    closedir(dir);
    print_message("%s: %d files, %d wrong\n", folder, files, failed);
    assert_int_equal(failed, 0);
    assert_true(files >= least);
}

static void bad_files_fail_with_one_line(void **state) {
    (void)state;
    try_folder("bad", 40);
}

static void extreme_files_take_bounded_time_and_memory(void **state) {
    (void)state;
    try_folder("stress", 7);
}

static void a_file_that_may_not_be_read_is_a_failure(void **state) {
    (void)state;
    char path[] = "/tmp/adept-unreadable-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(fchmod(file, 0), 0);
    close(file);
    bool root = geteuid() == 0; /* may read everything: then the file is merely empty */
    program_result r = program_run((const char *[]){"profile", path, NULL});
    unlink(path);
    assert_int_equal(r.code, 1);
    assert_int_equal(program_lines(r.err), 1);
    assert_non_null(strstr(r.err, path));
    assert_non_null(strstr(r.err, root ? "empty" : "ermission"));
    program_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_fail_with_one_line),
        cmocka_unit_test(extreme_files_take_bounded_time_and_memory),
        cmocka_unit_test(a_file_that_may_not_be_read_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
