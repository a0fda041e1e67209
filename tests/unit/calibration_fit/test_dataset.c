#include "synthetic.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "families.h"

#define GOOD "bert-base.onnx,8,128,fp32,inference,none,1,,0.02,150,gpu,a100,1\n"

static const adept_dataset_skip *skip_at(const synthetic *s, size_t line) {
    for (size_t i = 0; i < adept_dataset_skip_count(s->dataset); i++) {
        if (adept_dataset_skip_at(s->dataset, i)->line == line)
            return adept_dataset_skip_at(s->dataset, i);
    }
    return NULL;
}

static void unusable_rows_are_listed_with_line_and_reason(void **state) {
    (void)state;
    synthetic s;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(
        synthetic_load_text(&s,
                            GOOD                                                             /* line 2 */
                            "no-such.onnx,8,,fp32,inference,none,1,,0.02,,,a100,1\n"         /* 3 */
                            "bert-base.onnx,8,128,fp32,inference,none,1,,0.02,,,a101,1\n"    /* 4 */
                            "bert-base.onnx,8,128,fp32,inference,none,1,,nan,,,a100,1\n"     /* 5 */
                            "bert-base.onnx,8,128,fp32,inference,none,1,,-1,,,a100,1\n"      /* 6 */
                            "bert-base.onnx,8,128,fp99,inference,none,1,,0.02,,,a100,1\n"    /* 7 */
                            "bert-base.onnx,8,128,fp32,inference,none,1,,,,,a100,1\n"        /* 8 */
                            "bert-base.onnx,8,128,fp32,inference,none,1,,0.02,,,,1\n"        /* 9 */
                            "bert-base.onnx,8,128,fp32,inference,none,1,,,900,node,a100,1\n" /* 10 */
                            "bert-base.onnx,8,128,fp32,inference,none,1,,0.02,900,node,a100,1\n" /* 11 */,
                            NULL, &err),
        err);
    assert_int_equal(adept_dataset_count(s.dataset), 2);
    static const struct {
        size_t line;
        const char *reason;
    } expected[] = {
        {3,  "no-such.onnx"},
        {4,  "a101"        },
        {5,  "step_time_s" },
        {6,  "step_time_s" },
        {7,  "precision"   },
        {8,  "neither"     },
        {9,  "--hw"        },
        {10, "node"        },
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const adept_dataset_skip *skip = skip_at(&s, expected[i].line);
        assert_non_null(skip);
        assert_false(skip->power_only);
        if (!strstr(skip->reason, expected[i].reason))
            fail_msg("line %zu: '%s' does not mention %s", skip->line, skip->reason, expected[i].reason);
    }
    for (size_t i = 0; i < adept_dataset_skip_count(s.dataset); i++) {
        const adept_dataset_skip *skip = adept_dataset_skip_at(s.dataset, i);
        assert_true(i == 0 || skip->line > adept_dataset_skip_at(s.dataset, i - 1)->line); /* in order */
        assert_null(strstr(skip->reason, s.path)); /* file and line stand beside the reason */
    }
    assert_true(skip_at(&s, 11)->power_only);
    assert_true(isnan(adept_dataset_at(s.dataset, 1)->average_power_W));
    assert_close(adept_dataset_at(s.dataset, 1)->step_time_s, 0.02, 1e-12);
    assert_int_equal(adept_dataset_count(s.dataset) + adept_dataset_skip_count(s.dataset),
                     11); /* none lost */
    synthetic_free(&s);
}

static void no_usable_row_is_an_error_that_says_why(void **state) {
    (void)state;
    synthetic s;
    adept_error err = ADEPT_ERROR_INIT;
    assert_int_equal(
        synthetic_load_text(&s, "gone.onnx,8,,fp32,inference,none,1,,0.02,,,a100,1\n", NULL, &err),
        ADEPT_FORMAT);
    assert_non_null(strstr(err.message, "no usable row"));
    assert_non_null(strstr(err.message, "gone.onnx"));
    assert_non_null(strstr(err.message, "line 2"));
    synthetic_free(&s);
}

static void rows_of_another_gpu_are_not_used_for_the_chosen_one(void **state) {
    (void)state;
    synthetic s;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(
        synthetic_load_text(&s,
                            GOOD "bert-base.onnx,8,128,fp32,inference,none,1,,0.02,150,gpu,a100-sxm4-80gb,1\n"
                                 "bert-base.onnx,8,128,fp32,inference,none,1,,0.05,150,gpu,v100,1\n"
                                 "bert-base.onnx,8,128,fp32,inference,none,1,,0.05,150,gpu,,1\n",
                            "a100", &err),
        err);
    assert_int_equal(adept_dataset_count(s.dataset), 3); /* alias, id, and the row that names none */
    assert_non_null(skip_at(&s, 4));
    assert_int_equal(adept_dataset_gpu_count(s.dataset), 1);
    synthetic_free(&s);
}

static void a_workload_is_computed_once_whatever_the_power_limit(void **state) {
    (void)state;
    synthetic s;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(synthetic_load_text(&s,
                                  GOOD "bert-base.onnx,8,128,fp32,inference,none,1,200,0.03,150,gpu,a100,1\n"
                                       "bert-base.onnx,16,128,fp32,inference,none,1,,0.05,150,gpu,v100,1\n",
                                  NULL, &err),
              err);
    assert_int_equal(adept_dataset_workload_count(s.dataset), 2);
    assert_ptr_equal(adept_dataset_at(s.dataset, 0)->workload, adept_dataset_at(s.dataset, 1)->workload);
    assert_close(adept_dataset_at(s.dataset, 1)->power_limit_W, 200, 1e-12);
    synthetic_free(&s);
}

static void names_of_exports_are_one_network(void **state) {
    (void)state;
    char name[ADEPT_MODEL_NAME_SIZE];
    adept_workload none = {.samples = 1};
    assert_string_equal(adept_model_name(name, "bert-base-qa-train.onnx"), "bert-base");
    assert_string_equal(adept_model_name(name, "some/where/resnet50-train.onnx"), "resnet50");
    assert_string_equal(adept_model_name(name, "train.onnx"), "train");
    assert_string_equal(adept_model_family("resnet50", &none), "residual convolutional");
    assert_string_equal(adept_model_family("mobilevit-s", &none), "vision transformer");
    assert_string_equal(adept_model_family("mobilenetv2", &none), "depthwise convolutional");
    assert_string_equal(adept_model_family("gpt2-small", &none), "decoder transformer");
    assert_string_equal(adept_model_family("never-heard-of", &none), "other");
}

/* ---- output ---- */

static adept_fit *quick_fit(synthetic *s) {
    static const char *const names[] = {"C_mem"};
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit *fit;
    o.free = names;
    o.free_count = 1;
    o.generations = 5;
    assert_ok(synthetic_load_text(s, GOOD, NULL, &err), err);
    assert_ok(adept_fit_run(&fit, s->dataset, NULL, &o, &err), err);
    return fit;
}

static const adept_fit_record record = {.command = "adept calibrate", .version = "test"};

static void written_parameters_read_back_the_same(void **state) {
    (void)state;
    synthetic s;
    adept_fit *fit = quick_fit(&s);
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *back;
    adept_theta theta;
    char path[] = "/tmp/adept-out-XXXXXX.json";
    close(mkstemps(path, 5));
    assert_ok(adept_fit_write(fit, path, &record, &err), err);
    assert_ok(adept_hardware_load(&back, path, &err), err);
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, back, &err), err);
    size_t p = (size_t)adept_parameter_index(ADEPT_VARIANT_THESIS, "C_mem");
    assert_true(theta.value[p] == adept_fit_theta(fit, 0)->value[p]);
    assert_int_equal(theta.provenance[p], ADEPT_PROVENANCE_FITTED);
    assert_non_null(strstr(adept_hardware_fit(back, ADEPT_VARIANT_THESIS), "1 rows"));
    assert_string_equal(adept_hardware_id(back), "a100-sxm4-80gb");
    adept_hardware_free(back);
    adept_fit_free(fit);
    synthetic_free(&s);
    remove(path);
}

static void a_full_disk_leaves_the_old_file_whole(void **state) {
    (void)state;
    synthetic s;
    adept_fit *fit = quick_fit(&s);
    adept_error err = ADEPT_ERROR_INIT;
    char path[] = "/tmp/adept-out-XXXXXX.json", text[16] = "";
    int fd = mkstemps(path, 5);
    assert_int_equal(write(fd, "old", 3), 3);
    close(fd);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 100; /* stands for a disk with 100 bytes left */
    void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    adept_status status = adept_fit_write(fit, path, &record, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, old_handler);
    assert_int_equal(status, ADEPT_IO);
    assert_non_null(strstr(err.message, path));
    FILE *in = fopen(path, "r");
    assert_non_null(fgets(text, sizeof text, in));
    fclose(in);
    assert_string_equal(text, "old");
    adept_fit_free(fit);
    synthetic_free(&s);
    remove(path);
}

static void the_input_file_is_never_written_to(void **state) {
    (void)state;
    synthetic s;
    adept_fit *fit = quick_fit(&s);
    adept_error err = ADEPT_ERROR_INIT;
    assert_int_equal(adept_fit_write(fit, s.path, &record, &err), ADEPT_ARGUMENT);
    assert_int_equal(
        adept_fit_write(fit, adept_hardware_file(adept_dataset_gpu(s.dataset, 0)), &record, &err),
        ADEPT_ARGUMENT);
    adept_fit_free(fit);
    synthetic_free(&s);
}

/* A fit can take hours: what its output cannot be is said before. */
static void an_impossible_output_is_refused_before_the_fit(void **state) {
    (void)state;
    adept_fit_options one = ADEPT_FIT_OPTIONS_INIT, shared = ADEPT_FIT_OPTIONS_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    char folder[] = "/tmp/adept-out-XXXXXX", file[64], missing[64];
    synthetic s;
    shared.shared = true;
    assert_ok(synthetic_load_text(&s, GOOD, NULL, &err), err);
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/out.json", folder);
    snprintf(missing, sizeof missing, "%s/no/out.json", folder);
    const struct {
        const adept_fit_options *options;
        const char *path;
        adept_status status;
    } cases[] = {
        {&one, file,                                            ADEPT_OK      },
        {&one, folder,                                          ADEPT_ARGUMENT},
        {&one, missing,                                         ADEPT_IO      },
        {&one, s.path,                                          ADEPT_ARGUMENT},
        {&one, adept_hardware_file(adept_dataset_gpu(s.dataset, 0)),            ADEPT_ARGUMENT},
        {&shared,    folder,                                             ADEPT_OK                                                 },
        {&shared,    file,                                             ADEPT_OK  },
        {&shared,    missing,                                             ADEPT_IO                                              },
        {&shared,    s.path,                                             ADEPT_ARGUMENT   },
        {&shared,    ADEPT_SOURCE_DIR "/data/hardware",                                             ADEPT_ARGUMENT                   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adept_status status = adept_fit_check_output(s.dataset, cases[i].options, cases[i].path, &err);
        if (status != cases[i].status || (status != ADEPT_OK && !strstr(err.message, cases[i].path)))
            fail_msg("case %zu: %d, %s", i, (int)status, err.message);
    }
    synthetic_free(&s);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unusable_rows_are_listed_with_line_and_reason),
        cmocka_unit_test(no_usable_row_is_an_error_that_says_why),
        cmocka_unit_test(rows_of_another_gpu_are_not_used_for_the_chosen_one),
        cmocka_unit_test(a_workload_is_computed_once_whatever_the_power_limit),
        cmocka_unit_test(names_of_exports_are_one_network),
        cmocka_unit_test(written_parameters_read_back_the_same),
        cmocka_unit_test(a_full_disk_leaves_the_old_file_whole),
        cmocka_unit_test(the_input_file_is_never_written_to),
        cmocka_unit_test(an_impossible_output_is_refused_before_the_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
