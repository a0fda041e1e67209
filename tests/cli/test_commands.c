/* What holds of every command: help, wrong usage, exit codes, and which stream says what. */
#include "program.h"

#define GRAPH ADEPT_SOURCE_DIR "/data/graphs/resnet50.onnx"

static const char *const commands[] = {"profile", "predict", "hw", "calibrate", "validate", "measure"};

typedef struct usage {
    int code;
    const char *says; /* in the message */
    const char *arguments[8];
} usage;

/* Results on stdout, messages on stderr; a message is one line that names the program. */
static void assert_message(const program_result *r, const usage *u) {
    if (r->code != u->code || r->out_B != 0 || program_lines(r->err) != 1 ||
        strncmp(r->err, "adept", 5) != 0 || !strstr(r->err, u->says))
        fail_msg("'%s %s %s': exit code %d (expected %d), stdout %zu B, stderr: %s", u->arguments[0],
                 u->arguments[1] ? u->arguments[1] : "", u->arguments[2] ? u->arguments[2] : "", r->code,
                 u->code, r->out_B, r->err);
}

static void assert_messages(const usage *table, size_t count) {
    for (size_t i = 0; i < count; i++) {
        program_result r = program_run(table[i].arguments);
        assert_message(&r, &table[i]);
        program_free(&r);
    }
}

static void every_command_explains_itself_on_stdout(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        for (int form = 0; form < 2; form++) {
            program_result r = program_run((const char *[]){commands[i], form ? "-h" : "--help", NULL});
            char head[64];
            snprintf(head, sizeof head, "adept %s", commands[i]);
            if (r.code != 0 || r.err_B || strncmp(r.out, head, strlen(head)) != 0 || program_lines(r.out) < 5)
                fail_msg("adept %s %s: exit code %d, %zu lines, stderr '%s'", commands[i],
                         form ? "-h" : "--help", r.code, program_lines(r.out), r.err);
            program_free(&r);
        }
    }
}

static void help_lists_every_command_and_exit_code(void **state) {
    (void)state;
    program_result r = program_run((const char *[]){"--help", NULL});
    assert_int_equal(r.code, 0);
    assert_int_equal(r.err_B, 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        assert_non_null(strstr(r.out, commands[i]));
    assert_non_null(strstr(r.out, "0 done, 1 failed, 2 wrong usage, 3 refused by --strict"));
    program_free(&r);
}

/* Every run option of the list stands in the help of the commands that take a model. */
static void run_options_stand_in_the_help(void **state) {
    (void)state;
    static const char *const options[] = {
        "--batch",          "--seq",         "--dim",         "--mode",   "--precision", "--optimizer",
        "--optimizer-impl", "--gpus",        "--grad-accum",  "--freeze", "--attention", "--fusion",
        "--variant",        "--power-limit", "--clock-limit", "--layout", "--amp-level", "--launch-us",
        "--framework",      "--batchnorm",   "--dropout",
    };
    static const char *const models[] = {"profile", "predict"};
    for (size_t m = 0; m < 2; m++) {
        program_result r = program_run((const char *[]){models[m], "--help", NULL});
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
            if (!strstr(r.out, options[i]))
                fail_msg("adept %s --help does not mention %s", models[m], options[i]);
        program_free(&r);
    }
}

static void no_command_is_wrong_usage(void **state) {
    (void)state;
    program_result r = program_run((const char *[]){NULL});
    assert_int_equal(r.code, 2);
    assert_int_equal(r.out_B, 0);
    assert_true(program_lines(r.err) > 5);
    program_free(&r);
}

static void version_is_one_line(void **state) {
    (void)state;
    program_result r = program_run((const char *[]){"--version", NULL});
    assert_int_equal(r.code, 0);
    assert_int_equal(program_lines(r.out), 1);
    assert_memory_equal(r.out, "adept ", 6);
    program_free(&r);
}

static void wrong_usage_is_exit_code_2(void **state) {
    (void)state;
    static const usage table[] = {
        {2, "no command 'fly'",       {"fly"}                                           },
        {2, "which model?",           {"profile"}                                       },
        {2, "unknown option --wings", {"profile", "--wings", GRAPH}                     },
        {2, "one model at a time",    {"profile", GRAPH, GRAPH}                         },
        {2, "not both",               {"profile", GRAPH, "--json", "--csv"}             },
        {2, "needs a value",          {"profile", GRAPH, "--batch"}                     },
        {2, "batch",                  {"profile", GRAPH, "--batch", "0"}                },
        {2, "batch",                  {"profile", GRAPH, "--batch", "-4"}               },
        {2, "batch",                  {"profile", GRAPH, "--batch", "many"}             },
        {2, "batch",                  {"profile", GRAPH, "--batch=99999999999999999999"}},
        {2, "tf32",                   {"profile", GRAPH, "--precision", "fp31"}         },
        {2, "NAME=N",                 {"profile", GRAPH, "--dim", "seq"}                },
        {2, "NAME=N",                 {"profile", GRAPH, "--dim", "seq=ten"}            },
        {2, "seq",                    {"profile", GRAPH, "--seq", "128"}                },
        {2, "nosuch",                 {"profile", GRAPH, "--dim", "nosuch=3"}           },
        {2, "mode",                   {"profile", GRAPH, "--mode", "sleep"}             },
        {2, "--hw",                   {"predict", GRAPH}                                },
        {2, "unknown option --wings", {"predict", GRAPH, "--hw", "a100", "--wings"}     },
        {2, "adept hw",               {"hw", "fly"}                                     },
    };
    assert_messages(table, sizeof table / sizeof table[0]);
}

static void failure_is_exit_code_1(void **state) {
    (void)state;
    static const usage table[] = {
        {1, "/nonexistent/x.onnx",  {"profile", "/nonexistent/x.onnx"}                                    },
        {1, "directory",            {"profile", ADEPT_SOURCE_DIR}                                         },
        {1, "README.md",            {"profile", ADEPT_SOURCE_DIR "/README.md"}                            },
        {1, "/nonexistent/x.onnx",  {"predict", "/nonexistent/x.onnx", "--hw", "a100"}                    },
        {1, "/nonexistent/hw.json", {"predict", GRAPH, "--hw", "/nonexistent/hw.json"}                    },
        {1, "/nonexistent/c.json",  {"predict", GRAPH, "--hw", "a100", "--cluster", "/nonexistent/c.json"}},
        {1, "/nonexistent/c.json",  {"compare", GRAPH, "--hw", "a100", "--cluster", "/nonexistent/c.json"}},
        {1,
         "not known",               {"predict", GRAPH, "--hw", "a100", "--cluster",
          ADEPT_SOURCE_DIR "/data/hardware/a100-sxm4-80gb.json"}                     },
        {1, "/nonexistent/t.csv",   {"validate", "/nonexistent/t.csv"}                                    },
        {1, "/nonexistent/t.csv",   {"calibrate", "/nonexistent/t.csv"}                                   },
        {2, "--free",               {"calibrate", "t.csv", "--free", ","}                                 },
        {2, "--refine",             {"calibrate", "t.csv", "--refine", ""}                                },
    };
    assert_messages(table, sizeof table / sizeof table[0]);
}

/* Two nodes of DGX H100: the network's figure is known then, else assumed and said so. */
static void a_cluster_file_replaces_the_assumed_network(void **state) {
    (void)state;
    const char *const assumed[] = {"predict", GRAPH, "--hw", "h100", "--gpus", "16", NULL};
    const char *const given[] = {
        "predict", GRAPH, "--hw",      "h100",
        "--gpus",  "16",  "--cluster", ADEPT_SOURCE_DIR "/data/clusters/dgx-h100.json",
        NULL};
    program_result a = program_run(assumed), g = program_run(given);
    assert_int_equal(a.code, 0);
    assert_int_equal(g.code, 0);
    assert_non_null(strstr(a.out, "bandwidth is assumed"));
    assert_null(strstr(g.out, "bandwidth is assumed"));
    assert_non_null(strstr(g.out, "GPUs per node: 8"));
    program_free(&a);
    program_free(&g);
}

/* Names of files and of dimensions may begin with a dash. */
static void words_behind_two_dashes_are_no_options(void **state) {
    (void)state;
    static const usage table[] = {
        {1, "--json",  {"profile", "--", "--json"} },
        {1, "-x.onnx", {"profile", "--", "-x.onnx"}},
        {1, "-: ",     {"profile", "-"}            },
    };
    assert_messages(table, sizeof table / sizeof table[0]);
    program_result r = program_run((const char *[]){"profile", "--json", "--", GRAPH, NULL});
    assert_int_equal(r.code, 0);
    program_free(&r);
}

static void a_full_disk_is_a_failure(void **state) {
    (void)state;
    static const char *const forms[] = {"", "--json", "--csv", "--per-op", "--by-module"};
    if (access("/dev/full", W_OK) != 0) {
        print_message("skipped: no /dev/full\n");
        skip();
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char line[512];
        snprintf(line, sizeof line, "exec '%s' profile '%s' %s >/dev/full", PROGRAM, GRAPH, forms[i]);
        program_result r = program_run_limited((const char *[]){"/bin/sh", "-c", line, NULL}, 0);
        if (r.code != 1 || program_lines(r.err) != 1)
            fail_msg("profile %s to a full disk: exit code %d, %s", forms[i], r.code, r.err);
        program_free(&r);
    }
}

/* As in predict: the output stands, the exit code is 3 and stderr says why. */
static void strict_refuses_units_that_are_not_there(void **state) {
    (void)state;
    static const struct {
        int code;
        const char *arguments[12];
    } calls[] = {
        {0, {"predict", GRAPH, "--hw", "a100", "--precision", "bf16-amp", "--strict"}                     },
        {3, {"predict", GRAPH, "--hw", "v100", "--precision", "bf16-amp", "--strict"}                     },
        {0,
         {"whatif", GRAPH, "--hw", "a100", "--precision", "bf16-amp", "--set", "spec.l2_B=*2", "--strict"}},
        {3,
         {"whatif", GRAPH, "--hw", "v100", "--precision", "bf16-amp", "--set", "spec.l2_B=*2", "--strict"}},
        {0, {"whatif", GRAPH, "--hw", "v100", "--sweep", "precision=fp32,fp16-amp", "--csv", "--strict"}  },
        {3, {"whatif", GRAPH, "--hw", "v100", "--sweep", "precision=fp32,bf16-amp", "--csv", "--strict"}  },
        {0, {"whatif", GRAPH, "--hw", "v100", "--sweep", "precision=fp32,bf16-amp", "--csv"}              },
        {0, {"compare", GRAPH, "--hw", "a100,h100", "--precision", "bf16-amp", "--strict"}                },
        {3, {"compare", GRAPH, "--hw", "a100,v100", "--precision", "bf16-amp", "--strict"}                },
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        program_result r = program_run(calls[i].arguments);
        if (r.code != calls[i].code || r.out_B == 0 || (r.code == 3) != (strstr(r.err, "refused") != NULL))
            fail_msg("%s on %s: exit code %d, expected %d; stderr: %s", calls[i].arguments[0],
                     calls[i].arguments[3], r.code, calls[i].code, r.err);
        program_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_explains_itself_on_stdout),
        cmocka_unit_test(help_lists_every_command_and_exit_code),
        cmocka_unit_test(run_options_stand_in_the_help),
        cmocka_unit_test(no_command_is_wrong_usage),
        cmocka_unit_test(version_is_one_line),
        cmocka_unit_test(wrong_usage_is_exit_code_2),
        cmocka_unit_test(failure_is_exit_code_1),
        cmocka_unit_test(a_cluster_file_replaces_the_assumed_network),
        cmocka_unit_test(words_behind_two_dashes_are_no_options),
        cmocka_unit_test(strict_refuses_units_that_are_not_there),
        cmocka_unit_test(a_full_disk_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
