/* The command as a user sees it: exit codes, signals, streams, files. */
#include "fake_tree.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "strict_csv.h"
#include "strict_json.h"

typedef struct outcome {
    int code;
    char out[65536], err[65536];
} outcome;

static const char *root; /* empty /sys, and the place of all files */

static int set_up(void **state) {
    (void)state;
    root = fake_root(0);
    setenv("ADEPT_SYSFS_ROOT", root, 1);
    setenv("ADEPT_NVML_LIBRARY", FAKE_NVML, 1);
    setenv("ADEPT_FAKE_NVML", "power_W=200", 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fake_remove(root);
    return 0;
}

static const char *at(const char *name) {
    static char paths[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", root, name);
    return paths[next];
}

static void slurp(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void pause_s(double s) {
    struct timespec t = {.tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9)};
    nanosleep(&t, NULL);
}

/* Runs `measure arguments`, and sends it a signal after some time if number is not 0. */
static outcome *measure_signalled(const char *arguments, int number, double after_s) {
    static outcome result;
    char shell[4096];
    snprintf(shell, sizeof shell, "exec '%s' %s", MEASURE_MAIN, arguments);
    pid_t pid = fork();
    if (pid == 0) {
        int out = open(at("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int err = open(at("err"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(out, 1);
        dup2(err, 2);
        execl("/bin/sh", "sh", "-c", shell, (char *)NULL);
        _exit(99);
    }
    if (number) {
        pause_s(after_s);
        kill(pid, number);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    slurp(at("out"), result.out, sizeof result.out);
    slurp(at("err"), result.err, sizeof result.err);
    return &result;
}

static outcome *measure(const char *arguments) {
    return measure_signalled(arguments, 0, 0);
}

static double json_number(const char *text, const char *first, const char *second) {
    adept_json *json = NULL;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_json_parse(&json, "output", text, strlen(text), &err), err);
    const adept_json_value *value = adept_json_member(adept_json_root(json), first);
    if (value && second)
        value = adept_json_member(value, second);
    assert_non_null(value);
    assert_int_equal(adept_json_kind_of(value), ADEPT_JSON_NUMBER);
    double number = adept_json_number(value);
    adept_json_free(json);
    return number;
}

static void exit_code_of_the_command_is_passed_through(void **state) {
    (void)state;
    assert_int_equal(measure("-- true")->code, 0);
    assert_int_equal(measure("-- false")->code, 1);
    assert_int_equal(measure("-- sh -c 'exit 42'")->code, 42);
    assert_int_equal(measure("sh -c 'exit 43'")->code, 43);
    assert_int_equal(measure("-- sh -c 'kill -9 $$'")->code, 128 + SIGKILL);
    assert_int_equal(measure("-- /nonexistent")->code, 127);
    assert_int_equal(measure("-- /tmp")->code, 126);
}

static void wrong_usage_exits_with_two_and_says_why(void **state) {
    (void)state;
    const char *const wrong[] = {"",
                                 "--bogus -- true",
                                 "--interval 0 -- true",
                                 "--interval x -- true",
                                 "--json --csv -- true",
                                 "--dimms 8 -- true",
                                 "--steps -1 -- true",
                                 "--graph m.onnx -- true",
                                 "--precision fp99 -- true",
                                 "-o"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        outcome *o = measure(wrong[i]);
        if (o->code != 2 || strlen(o->err) < 10)
            fail_msg("'%s' exits with %d: %s", wrong[i], o->code, o->err);
    }
    outcome *help = measure("--help");
    assert_int_equal(help->code, 0);
    assert_non_null(strstr(help->out, "--steps"));
}

static void signals_reach_the_command_and_the_result_is_still_written(void **state) {
    (void)state;
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        outcome *o = measure_signalled("--json -- sleep 20", numbers[i], 0.6);
        assert_int_equal(o->code, 128 + numbers[i]);
        assert_int_equal((int)json_number(o->out, "signal", NULL), numbers[i]);
        assert_true(json_number(o->out, "total", "energy_J") > 50);
    }
    outcome *o = measure_signalled("--json -- sh -c 'trap \"exit 7\" TERM; while :; do sleep 0.05; done'",
                                   SIGTERM, 0.6);
    assert_int_equal(o->code, 7);
    assert_true(json_number(o->out, "total", "energy_J") > 50);
}

static void ignored_hangup_stays_ignored(void **state) {
    (void)state;
    signal(SIGHUP, SIG_IGN);
    outcome *o = measure_signalled("--json -- sleep 1", SIGHUP, 0.4);
    signal(SIGHUP, SIG_DFL);
    assert_int_equal(o->code, 0);
    assert_true(json_number(o->out, "duration_s", NULL) > 0.9);
}

static void json_has_standard_output_to_itself(void **state) {
    (void)state;
    outcome *o = measure("--json -- sh -c 'echo to-out; echo to-err >&2; exit 3'");
    assert_int_equal(o->code, 3);
    assert_int_equal((int)json_number(o->out, "exit_code", NULL), 3);
    assert_non_null(strstr(o->err, "to-out"));
    assert_non_null(strstr(o->err, "to-err"));
    assert_true(json_number(o->out, "measurer", "cpu_s") >= 0);
    assert_true(json_number(o->out, "measurer", "core_share") >= 0);
}

static void text_report_leaves_standard_output_to_the_command(void **state) {
    (void)state;
    outcome *o = measure("-- echo one line");
    assert_string_equal(o->out, "one line\n");
    assert_non_null(strstr(o->err, "total: "));
    assert_non_null(strstr(o->err, " W"));
    assert_non_null(strstr(o->err, "% of a core"));
    assert_null(strchr(o->err, '\r')); /* no live line into a file */
    assert_null(strchr(o->err, '\033'));
}

static void csv_has_one_row_per_device_and_the_total(void **state) {
    (void)state;
    setenv("ADEPT_FAKE_NVML", "gpus=3 power_W=200", 1);
    outcome *o = measure("--csv --dimms 2x16 -- sleep 0.3");
    setenv("ADEPT_FAKE_NVML", "power_W=200", 1);
    adept_csv *csv = NULL;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_csv_parse(&csv, "output", o->out, strlen(o->out), &err), err);
    assert_int_equal(adept_csv_rows(csv), 5);
    ptrdiff_t energy = adept_csv_column(csv, "energy_J"), trusted = adept_csv_column(csv, "trusted");
    double sum = 0;
    for (size_t row = 0; row < 5; row++) {
        double value;
        assert_int_equal(adept_csv_row_fields(csv, row), adept_csv_columns(csv));
        assert_ok(adept_csv_double(csv, row, energy, "J", &value, &err), err);
        assert_true(strlen(adept_csv_field(csv, row, trusted)) >= 2);
        if (row < 4)
            sum += value;
        else
            assert_close(value, sum, 1e-6);
    }
    assert_string_equal(adept_csv_field(csv, 4, 0), "total");
    adept_csv_free(csv);
    assert_int_equal(measure("-o \"$ADEPT_SYSFS_ROOT/run.csv\" -- true")->code, 0);
    assert_ok(adept_csv_load(&csv, at("run.csv"), &err), err);
    adept_csv_free(csv);
}

static const char *field(const adept_csv *csv, size_t row, const char *column) {
    ptrdiff_t index = adept_csv_column(csv, column);
    assert_true(index >= 0);
    return adept_csv_field(csv, row, index);
}

static void trace_rows_follow_the_schema_and_append(void **state) {
    (void)state;
    fake_file(root, "graphs/m.onnx", "");
    char arguments[2048];
    snprintf(
        arguments, sizeof arguments,
        "-o %s --steps 4 --graph %s --batch 32 --dim seq=128 --dim n=2 --precision bf16-amp --optimizer sgd "
        "--source 'a \"quoted\", text' --host set-up -- sleep 1.2",
        at("trace.csv"), at("graphs/m.onnx"));
    outcome *o = measure(arguments);
    assert_int_equal(o->code, 0);
    assert_non_null(strstr(o->err, "step: "));
    snprintf(arguments, sizeof arguments, "-o %s --steps 2 --mode inference --hw h200 -- sleep 0.1",
             at("trace.csv"));
    assert_int_equal(measure(arguments)->code, 0);
    adept_csv *csv = NULL;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_csv_load(&csv, at("trace.csv"), &err), err);
    const char *const schema[] = {"graph",       "batch",         "seq",         "dims",
                                  "precision",   "mode",          "optimizer",   "gpus",
                                  "grad_accum",  "power_limit_W", "step_time_s", "average_power_W",
                                  "power_scope", "gpu",           "weight",      "source"};
    for (size_t i = 0; i < 16; i++)
        assert_string_equal(adept_csv_column_name(csv, i), schema[i]);
    assert_int_equal(adept_csv_rows(csv), 2);
    const char *const first[][2] = {
        {"graph",         "graphs/m.onnx"},
        {"batch",         "32"           },
        {"dims",          "seq=128 n=2"  },
        {"precision",     "bf16-amp"     },
        {"optimizer",     "sgd"          },
        {"power_scope",   "gpu"          },
        {"gpu",           "fake-9000"    },
        {"weight",        "1"            },
        {"host",          "set-up"       },
        {"seq",           ""             },
        {"power_limit_W", "300"          }
    };
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        assert_string_equal(field(csv, 0, first[i][0]), first[i][1]);
    assert_non_null(strstr(field(csv, 0, "source"), "a \"quoted\", text"));
    assert_close(atof(field(csv, 0, "average_power_W")), 200, 0.01);
    assert_true(atof(field(csv, 0, "step_time_s")) > 0.3 && atof(field(csv, 0, "step_time_s")) < 0.6);
    assert_string_equal(field(csv, 1, "gpu"), "h200");
    assert_string_equal(field(csv, 1, "optimizer"), "none");
    assert_string_equal(field(csv, 1, "weight"), "0.25"); /* too short to be trusted */
    assert_non_null(strstr(field(csv, 1, "source"), "shorter than 10 sensor periods"));
    adept_csv_free(csv);
}

static void trace_with_other_columns_keeps_its_order(void **state) {
    (void)state;
    const char *header =
        "mine,source,weight,gpu,power_scope,average_power_W,step_time_s,power_limit_W,grad_accum,gpus,"
        "optimizer,mode,precision,dims,seq,batch,graph";
    char text[512], arguments[1024];
    snprintf(text, sizeof text, "%s\nx,,,,,,,,,,,,,,,,old.onnx", header); /* and no line end */
    fake_file(root, "other.csv", text);
    snprintf(arguments, sizeof arguments, "-o %s --steps 2 --batch 8 -- true", at("other.csv"));
    assert_int_equal(measure(arguments)->code, 0);
    adept_csv *csv = NULL;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_csv_load(&csv, at("other.csv"), &err), err);
    assert_int_equal(adept_csv_rows(csv), 2);
    assert_string_equal(field(csv, 0, "graph"), "old.onnx");
    assert_string_equal(field(csv, 1, "mine"), "");
    assert_string_equal(field(csv, 1, "batch"), "8");
    assert_int_equal(adept_csv_row_fields(csv, 1), 17);
    adept_csv_free(csv);
    fake_file(root, "notrace.csv", "a,b\n1,2\n");
    snprintf(arguments, sizeof arguments, "-o %s --steps 2 -- true", at("notrace.csv"));
    outcome *o = measure(arguments);
    assert_int_equal(o->code, 1);
    assert_non_null(strstr(o->err, "no column 'graph'"));
    snprintf(arguments, sizeof arguments, "-o /nonexistent/t.csv --steps 2 -- sh -c 'exit 6'");
    assert_int_equal(measure(arguments)->code, 6); /* the command's own failure comes first */
}

static void machine_without_any_sensor_still_measures_time(void **state) {
    (void)state;
    setenv("ADEPT_NVML_LIBRARY", "/nonexistent/libnvidia-ml.so.1", 1);
    outcome *o = measure("--steps 10 -- sleep 0.5");
    setenv("ADEPT_NVML_LIBRARY", FAKE_NVML, 1);
    assert_int_equal(o->code, 0);
    assert_non_null(strstr(o->err, "not measured:"));
    assert_non_null(strstr(o->err, "nvml: /nonexistent/libnvidia-ml.so.1"));
    assert_non_null(strstr(o->err, "rapl: "));
    assert_non_null(strstr(o->err, "dram: "));
    assert_non_null(strstr(o->err, "step: 0.05"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_code_of_the_command_is_passed_through),
        cmocka_unit_test(wrong_usage_exits_with_two_and_says_why),
        cmocka_unit_test(signals_reach_the_command_and_the_result_is_still_written),
        cmocka_unit_test(ignored_hangup_stays_ignored),
        cmocka_unit_test(json_has_standard_output_to_itself),
        cmocka_unit_test(text_report_leaves_standard_output_to_the_command),
        cmocka_unit_test(csv_has_one_row_per_device_and_the_total),
        cmocka_unit_test(trace_rows_follow_the_schema_and_append),
        cmocka_unit_test(trace_with_other_columns_keeps_its_order),
        cmocka_unit_test(machine_without_any_sensor_still_measures_time),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
