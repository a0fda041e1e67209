#include "test_support.h"

#include <unistd.h>

#include "adept/calibration.h"
#include "adept/trace_import.h"

static char path[64];

static const char *file_of(const char *text) {
    snprintf(path, sizeof path, "/tmp/adept-import-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

/* What comes out, read back as a trace. */
static adept_trace *round_trip(const char *text, adept_trace_format format, double steps, size_t skips) {
    adept_run run = ADEPT_RUN_INIT;
    adept_trace_import_options options = {format, "net.onnx", "a100", &run, steps};
    adept_trace_import *import;
    adept_trace *trace;
    adept_error err = ADEPT_ERROR_INIT;
    char out_path[] = "/tmp/adept-imported-XXXXXX";
    run.batch = 32;
    run.precision = ADEPT_PRECISION_TF32;
    assert_ok(adept_trace_import_load(&import, file_of(text), &options, &err), err);
    assert_int_equal(adept_trace_import_skip_count(import), skips);
    FILE *out = fdopen(mkstemp(out_path), "w");
    assert_ok(adept_trace_import_write(import, out, &err), err);
    fclose(out);
    assert_ok(adept_trace_load(&trace, out_path, &err), err);
    adept_trace_import_free(import);
    remove(path);
    remove(out_path);
    return trace;
}

static void zeus_windows_become_steps_of_one_gpu(void **state) {
    (void)state;
    adept_trace *t = round_trip("start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy\n"
                                "1.5,epoch,10.0,2500.0,2600.0\n"
                                "2.5,epoch,bad,1,1\n",
                                ADEPT_TRACE_FORMAT_ZEUS, 100, 1);
    assert_int_equal(adept_trace_count(t), 1);
    const adept_trace_row *row = adept_trace_at(t, 0);
    assert_close(row->step_time_s, 0.1, 1e-9);
    assert_close(row->average_power_W, 5100.0 / 10 / 2, 1e-9);
    assert_int_equal(row->run.gpus, 2);
    assert_int_equal(row->run.batch, 32);
    assert_int_equal(row->run.precision, ADEPT_PRECISION_TF32);
    assert_string_equal(row->graph, "net.onnx");
    adept_trace_free(t);
}

/* Trapezoid rule over 1 s at 100-200 W and 2 s at 200 W, across midnight and the end of February. */
static void samples_of_nvidia_smi_are_integrated(void **state) {
    (void)state;
    adept_trace *t = round_trip("timestamp, index, power.draw [W], utilization.gpu [%]\n"
                                "2028/02/28 23:59:59.500, 0, 100.00 W, 42 %\n"
                                "2028/02/29 00:00:00.500, 0, 200.00 W, 42 %\n"
                                "2028/02/29 00:00:01.500, 0, [N/A], 42 %\n"
                                "2028/02/29 00:00:02.500, 0, 200 W, 42 %\n",
                                ADEPT_TRACE_FORMAT_NVIDIA_SMI, 30, 1);
    assert_int_equal(adept_trace_count(t), 1);
    assert_close(adept_trace_at(t, 0)->average_power_W, (150.0 + 2 * 200) / 3, 1e-7);
    assert_close(adept_trace_at(t, 0)->step_time_s, 0.1, 1e-7);
    adept_trace_free(t);
}

static void ea2p_energies_are_wh_or_j_or_kwh_whichever_can_be(void **state) {
    (void)state;
    adept_trace *t = round_trip("Project Name,GPU 0,DRAM energy (Wh),Total Elapsed CPU Time (sec)\n"
                                "a,0.5,0.1,18\nb,1800,0.1,18\nc,0.0005,0.1,18\n",
                                ADEPT_TRACE_FORMAT_EA2P, 0, 0);
    assert_int_equal(adept_trace_count(t), 3);
    assert_close(adept_trace_at(t, 2)->average_power_W, 100, 1e-9);
    assert_close(adept_trace_at(t, 0)->average_power_W, 100, 1e-9);
    assert_close(adept_trace_at(t, 1)->average_power_W, 100, 1e-9);
    assert_true(isnan(adept_trace_at(t, 0)->step_time_s)); /* steps unknown */
    adept_trace_free(t);
}

/* GPU 10 is not a second GPU 1. */
static void only_the_gpus_that_were_watched_count(void **state) {
    (void)state;
    adept_trace *t = round_trip("start_time,window_name,elapsed_time,gpu1_energy,gpu10_energy\n"
                                "1.5,epoch,10.0,2500.0,2600.0\n",
                                ADEPT_TRACE_FORMAT_ZEUS, 100, 0);
    assert_int_equal(adept_trace_at(t, 0)->run.gpus, 2);
    adept_trace_free(t);
    t = round_trip("GPU 0,GPU 10,Total Elapsed CPU Time (sec)\n0.5,0.5,18\n", ADEPT_TRACE_FORMAT_EA2P, 100,
                   0);
    assert_int_equal(adept_trace_at(t, 0)->run.gpus, 2);
    assert_close(adept_trace_at(t, 0)->average_power_W, 100, 1e-9);
    adept_trace_free(t);
}

/* A window shorter than the period of the energy counter: its time is good, its energy is none. */
static void an_energy_of_zero_is_no_power(void **state) {
    (void)state;
    adept_trace *t = round_trip("start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy\n"
                                "1.5,step,0.01,0.0,2.5\n",
                                ADEPT_TRACE_FORMAT_ZEUS, 1, 0);
    assert_close(adept_trace_at(t, 0)->step_time_s, 0.01, 1e-9);
    assert_true(isnan(adept_trace_at(t, 0)->average_power_W));
    adept_trace_free(t);
}

/* Zeus writes names of windows as they are. */
static void a_comma_in_a_name_does_not_move_the_numbers(void **state) {
    (void)state;
    adept_trace *t = round_trip("start_time,window_name,elapsed_time,gpu0_energy\n"
                                "1.5,layer 3,4,10.0,2500.0\n"
                                "1.5,layer 4,10.0,2500.0\n",
                                ADEPT_TRACE_FORMAT_ZEUS, 100, 1);
    assert_int_equal(adept_trace_count(t), 1);
    assert_close(adept_trace_at(t, 0)->average_power_W, 250, 1e-9);
    adept_trace_free(t);
}

static void a_log_of_another_tool_is_refused_with_the_columns_it_lacks(void **state) {
    (void)state;
    adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    adept_trace_import *import;
    static const char *const expected[] = {"elapsed_time", "power.draw", "GPU 0"};
    for (int f = 0; f < ADEPT_TRACE_FORMAT_COUNT; f++) {
        adept_trace_import_options options = {(adept_trace_format)f, "", "", &run, 0};
        assert_int_equal(adept_trace_import_load(&import, file_of("a,b\n1,2\n"), &options, &err),
                         ADEPT_FORMAT);
        assert_null(import);
        assert_non_null(strstr(err.message, expected[f]));
        remove(path);
    }
}

/* ---- doctor ---- */

static size_t findings_of(const char *rows, adept_finding_kind kind, size_t *line) {
    char text[4096];
    adept_error err = ADEPT_ERROR_INIT;
    adept_dataset_options options = {.graphs = ADEPT_SOURCE_DIR "/data/graphs", .threads = 1};
    adept_trace *trace;
    adept_dataset *dataset = NULL;
    adept_diagnosis *d;
    snprintf(text, sizeof text,
             "graph,batch,seq,precision,mode,optimizer,power_limit_W,step_time_s,average_power_W,gpu,clock_"
             "limit_Hz,"
             "forward_time_s,energy_J,backward_time_s\n%s",
             rows);
    assert_ok(adept_trace_load(&trace, file_of(text), &err), err);
    const adept_trace *const traces[] = {trace};
    assert_ok(adept_dataset_load(&dataset, traces, 1, &options, &err), err);
    assert_ok(adept_diagnosis_new(&d, trace, dataset, &err), err);
    size_t count = 0;
    for (size_t i = 0; i < adept_diagnosis_count(d); i++) {
        if (adept_diagnosis_at(d, i)->kind != kind)
            continue;
        *line = adept_diagnosis_at(d, i)->line;
        count++;
    }
    adept_diagnosis_free(d);
    adept_dataset_free(dataset);
    adept_trace_free(trace);
    remove(path);
    return count;
}

#define SOUND                                                                                                \
    "bert-base.onnx,32,128,fp32,inference,none,,0.08,250,a100,,,\n" /* line 2; 13 of 19.5 TFLOP/s            \
                                                                     */

static void each_kind_of_nonsense_is_found_where_it_is(void **state) {
    (void)state;
    static const struct {
        adept_finding_kind kind;
        const char *rows;
    } cases[] = {
        {ADEPT_FINDING_ABOVE_PEAK,       SOUND "bert-base.onnx,32,128,fp32,inference,none,,0.03,250,a100,,,\n"   },
        {ADEPT_FINDING_ABOVE_BANDWIDTH,  SOUND "gpt2-small.onnx,1,8,fp32,inference,none,,0.0001,,a100,,,\n"      },
        {ADEPT_FINDING_ABOVE_LIMIT,      SOUND "bert-base.onnx,32,128,fp32,inference,none,200,0.08,250,a100,,,\n"},
        {ADEPT_FINDING_BELOW_IDLE,       SOUND "bert-base.onnx,32,128,fp32,inference,none,,0.09,20,a100,,,\n"    },
        {ADEPT_FINDING_ENERGY,           SOUND "bert-base.onnx,16,128,fp32,inference,none,,0.08,250,a100,,,30\n" },
        {ADEPT_FINDING_DUPLICATE,        SOUND "bert-base.onnx,32,128,fp32,inference,none,,0.09,250,a100,,,\n"   },
        {ADEPT_FINDING_SHORT,            SOUND "gpt2-small.onnx,1,8,fp32,inference,none,,0.0009,90,a100,,,\n"    },
        {ADEPT_FINDING_UNIT,             SOUND "bert-base.onnx,32,128,fp32,inference,none,,80,,a100,,,\n"        },
        {ADEPT_FINDING_UNIT,             SOUND "bert-base.onnx,32,128,fp32,inference,none,,0.1,250,a100,1410,,\n"},
        {ADEPT_FINDING_UNIT,             SOUND "bert-base.onnx,32,128,fp32,inference,none,,0.1,250000,a100,,,\n" },
        {ADEPT_FINDING_PASSES,           SOUND "bert-base.onnx,32,128,fp32,train,none,,0.3,250,a100,,0.4,\n"     },
        {ADEPT_FINDING_PASSES,           SOUND "bert-base.onnx,32,128,fp32,train,none,,0.5,250,a100,,0.2,,0.25\n"},
        {ADEPT_FINDING_PASSES,           SOUND "bert-base.onnx,32,128,fp32,train,none,,0.6,250,a100,,0.1,,0.5\n" },
        {ADEPT_FINDING_FAST_CONVOLUTION, SOUND "resnet50.onnx,32,,fp32,inference,none,,0.01,250,a100,,,\n"       },
        {ADEPT_FINDING_UNUSABLE,         SOUND "lost.onnx,32,128,fp32,train,none,,0.3,250,a100,,,\n"             },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t line = 0;
        if (findings_of(cases[i].rows, cases[i].kind, &line) != 1 || line != 3)
            fail_msg("case %zu: %s not found once in line 3", i, adept_finding_name(cases[i].kind));
    }
}

static void sound_rows_are_left_alone(void **state) {
    (void)state;
    size_t line;
    for (int kind = 0; kind < ADEPT_FINDING_COUNT; kind++)
        assert_int_equal(findings_of(SOUND
                                     "bert-base.onnx,16,128,fp32,inference,none,,0.04,250,a100,,,10\n"
                                     "bert-base.onnx,16,128,fp32,train,none,,0.15,250,a100,,0.05,,0.1\n",
                                     (adept_finding_kind)kind, &line),
                         0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeus_windows_become_steps_of_one_gpu),
        cmocka_unit_test(samples_of_nvidia_smi_are_integrated),
        cmocka_unit_test(ea2p_energies_are_wh_or_j_or_kwh_whichever_can_be),
        cmocka_unit_test(only_the_gpus_that_were_watched_count),
        cmocka_unit_test(an_energy_of_zero_is_no_power),
        cmocka_unit_test(a_comma_in_a_name_does_not_move_the_numbers),
        cmocka_unit_test(a_log_of_another_tool_is_refused_with_the_columns_it_lacks),
        cmocka_unit_test(each_kind_of_nonsense_is_found_where_it_is),
        cmocka_unit_test(sound_rows_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
