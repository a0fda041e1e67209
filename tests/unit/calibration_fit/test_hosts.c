/* What a measuring set-up is known for completes the runs of its rows, and nothing that a row states. */
#include "hosts.h"

#include <math.h>
#include <unistd.h>

#include "test_support.h"

static char path[64];

static adept_status load(adept_hosts **hosts, const char *text, adept_error *err) {
    snprintf(path, sizeof path, "/tmp/adept-hosts-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    adept_status status = adept_hosts_load(hosts, path, err);
    unlink(path);
    return status;
}

static const char *const two_hosts =
    "{\"hosts\": {\"lab\": {\"launch_s\": 2e-5, \"idle_gap\": 0.1, \"optimizer_impl\": \"for-loop\", "
    "\"collective_bandwidth_B_per_s\": 8e9, \"overlap\": 0, \"graphs\": {"
    "\"bert*\": {\"longest_of_one\": 0.5, \"longest_per_ln_batch\": 0.1}, \"ncf*\": {\"amp_level\": \"o2\"}, "
    "\"*cifar*\": {\"loader_s\": 0.001, \"epoch_samples\": 50000}}}, "
    "\"lab/t4\": {\"launch_s\": 9e-5}}}";

static adept_trace_row row_of(const char *graph, const char *gpu) {
    return (adept_trace_row){.graph = graph, .gpu = gpu, .host = "lab", .run = ADEPT_RUN_INIT};
}

static void machine_completes_what_the_row_leaves_open(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hosts *hosts;
    adept_run run;
    double launch_s;
    assert_ok(load(&hosts, two_hosts, &err), err);
    adept_trace_row row = row_of("resnet50.onnx", "a100");
    assert_ok(adept_hosts_resolve(hosts, &row, &run, &err), err);
    assert_close(run.idle_gap, 0.1, 0);
    assert_close(run.collective_B_per_s, 8e9, 0);
    assert_close(run.overlap, 0, 0);
    assert_int_equal(run.optimizer_impl, ADEPT_IMPL_FOR_LOOP);
    assert_true(run.loader_s <= 0 && run.epoch_samples == 0);
    assert_string_equal(adept_hosts_name(hosts, &row), "lab");
    assert_ok(adept_hosts_launch_s(hosts, "lab/t4", &launch_s, &err), err);
    assert_close(launch_s, 9e-5, 0);
    assert_ok(adept_hosts_launch_s(hosts, "elsewhere", &launch_s, &err), err);
    assert_true(isnan(launch_s));
    adept_hosts_free(hosts);
}

static void row_that_states_a_figure_keeps_it(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hosts *hosts;
    adept_run run;
    assert_ok(load(&hosts, two_hosts, &err), err);
    adept_trace_row row = row_of("x-cifar.onnx", "a100");
    row.run.idle_gap = 0.3;
    row.run.overlap = 0.5;
    row.run.collective_B_per_s = 1e11;
    row.run.loader_s = 5;
    row.states_optimizer_impl = true;
    assert_ok(adept_hosts_resolve(hosts, &row, &run, &err), err);
    assert_close(run.idle_gap, 0.3, 0);
    assert_close(run.overlap, 0.5, 0);
    assert_close(run.collective_B_per_s, 1e11, 0);
    assert_close(run.loader_s, 5, 0);
    assert_int_equal(run.epoch_samples, 50000);
    assert_int_equal(run.optimizer_impl, ADEPT_IMPL_FOREACH);
    adept_hosts_free(hosts);
}

static void level_of_mixed_precision_is_that_of_the_training_code(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hosts *hosts;
    adept_run run;
    assert_ok(load(&hosts, two_hosts, &err), err);
    adept_trace_row row = row_of("ncf.onnx", "a100");
    row.run.precision = ADEPT_PRECISION_FP16_AMP;
    assert_ok(adept_hosts_resolve(hosts, &row, &run, &err), err);
    assert_int_equal(run.amp_level, ADEPT_AMP_O2);
    row.run.framework = "tensorflow";
    assert_ok(adept_hosts_resolve(hosts, &row, &run, &err), err);
    assert_int_equal(run.amp_level, ADEPT_AMP_AUTOCAST);
    row.run.framework = "pytorch";
    row.run.mode = ADEPT_MODE_INFERENCE;
    assert_ok(adept_hosts_resolve(hosts, &row, &run, &err), err);
    assert_int_equal(run.amp_level, ADEPT_AMP_AUTOCAST);
    adept_hosts_free(hosts);
}

static void machine_with_an_entry_of_its_own_keeps_the_loops(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hosts *hosts;
    adept_run run;
    assert_ok(load(&hosts, two_hosts, &err), err);
    adept_trace_row row = row_of("x-cifar.onnx", "t4");
    assert_string_equal(adept_hosts_name(hosts, &row), "lab/t4");
    assert_ok(adept_hosts_resolve(hosts, &row, &run, &err), err);
    assert_true(run.idle_gap < 0);
    assert_close(run.loader_s, 0.001, 0);
    assert_int_equal(run.epoch_samples, 50000);
    adept_hosts_free(hosts);
}

/* Length of the longest of b: half of 400, and a tenth more for each factor e, at most all. */
static void sequences_are_as_long_as_the_longest_of_the_batch(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hosts *hosts;
    adept_run run;
    assert_ok(load(&hosts, two_hosts, &err), err);
    adept_trace_row row = row_of("bert-base.onnx", "a100");
    row.run.seq = 400;
    static const int64_t expected[][2] = {
        {1,    200},
        {8,    283},
        {1000, 400}
    };
    for (size_t i = 0; i < 3; i++) {
        row.run.batch = expected[i][0];
        assert_ok(adept_hosts_resolve(hosts, &row, &run, &err), err);
        assert_int_equal(run.seq, expected[i][1]);
    }
    adept_hosts_free(hosts);
}

static void unknown_keys_and_values_out_of_range_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"{\"hosts\": {\"lab\": {\"launch\": 1}}}",                           "launch_s"},
        {"{\"hosts\": {\"lab\": {\"graphs\": {\"*\": {\"epochs\": 1}}}}}",    "epochs"  },
        {"{\"hosts\": {\"lab\": {\"overlap\": 2}}}",                          "overlap" },
        {"{\"hosts\": {\"lab\": {\"optimizer_impl\": \"fast\"}}}",            "fast"    },
        {"{\"hosts\": {\"lab\": {\"graphs\": {\"*\": {\"loader_s\": -1}}}}}", "loader_s"},
        {"{}",                                                                "hosts"   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_hosts *hosts;
        adept_run run;
        adept_trace_row row = row_of("resnet50.onnx", "a100");
        adept_status status = load(&hosts, cases[i][0], &err);
        if (status == ADEPT_OK)
            status = adept_hosts_resolve(hosts, &row, &run, &err);
        assert_int_not_equal(status, ADEPT_OK);
        if (!strstr(err.message, cases[i][1]))
            fail_msg("'%s' does not mention %s", err.message, cases[i][1]);
        adept_hosts_free(hosts);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_completes_what_the_row_leaves_open),
        cmocka_unit_test(row_that_states_a_figure_keeps_it),
        cmocka_unit_test(level_of_mixed_precision_is_that_of_the_training_code),
        cmocka_unit_test(machine_with_an_entry_of_its_own_keeps_the_loops),
        cmocka_unit_test(sequences_are_as_long_as_the_longest_of_the_batch),
        cmocka_unit_test(unknown_keys_and_values_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
