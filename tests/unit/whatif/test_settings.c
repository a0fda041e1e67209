#include "job.h"

static double get(const adept_hardware *h, const char *path) {
    double value;
    assert_int_equal(adept_hardware_get(h, path, &value, NULL, NULL), ADEPT_OK);
    return value;
}

static adept_hardware *changed(const char *id, const char *const *settings, size_t count) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *h;
    assert_ok(adept_hardware_load(&h, id, &err), err);
    assert_ok(adept_whatif_set(h, settings, count, &err), err);
    return h;
}

static void relative_settings_refer_to_the_present_value(void **state) {
    (void)state;
    const char *const settings[] = {"spec.memory_bandwidth_B_per_s=*2", "spec.tdp_W=-25%",
                                    "theta.operator.g=+10%"};
    adept_hardware *base = changed("a100", NULL, 0), *h = changed("a100", settings, 3);
    adept_theta theta;
    adept_error err = ADEPT_ERROR_INIT;
    assert_close(get(h, "spec.memory_bandwidth_B_per_s"), 2 * get(base, "spec.memory_bandwidth_B_per_s"),
                 1e-15);
    assert_close(get(h, "spec.tdp_W"), 300, 1e-15);
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_OPERATOR, base, &err), err);
    double g = theta.value[adept_parameter_index(ADEPT_VARIANT_OPERATOR, "g")];
    assert_close(get(h, "theta.operator.g"), 1.1 * g, 1e-15);
    adept_hardware_free(base);
    adept_hardware_free(h);
}

static void clock_carries_the_peaks_but_not_those_given(void **state) {
    (void)state;
    const char *const settings[] = {"peak_flop_per_s.tf32=1e14", "spec.boost_clock_Hz=*1.5"};
    const char *const reversed[] = {"spec.boost_clock_Hz=*1.5", "peak_flop_per_s.tf32=1e14"};
    adept_hardware *base = changed("a100", NULL, 0);
    adept_hardware *h = changed("a100", settings, 2), *r = changed("a100", reversed, 2);
    assert_close(get(h, "peak_flop_per_s.bf16_tensor"), 1.5 * get(base, "peak_flop_per_s.bf16_tensor"),
                 1e-15);
    assert_close(get(h, "peak_flop_per_s.fp32"), 1.5 * get(base, "peak_flop_per_s.fp32"), 1e-15);
    assert_close(get(h, "spec.base_clock_Hz"), 1.5 * get(base, "spec.base_clock_Hz"), 1e-15);
    assert_true(get(h, "peak_flop_per_s.tf32") == 1e14);
    assert_memory_equal(adept_hardware_spec_of(h), adept_hardware_spec_of(r), sizeof(adept_hardware_spec));
    adept_hardware_free(base);
    adept_hardware_free(h);
    adept_hardware_free(r);
}

static void more_sms_carry_the_peaks(void **state) {
    (void)state;
    const char *const settings[] = {"spec.sm_count=*2"};
    adept_hardware *base = changed("h100", NULL, 0), *h = changed("h100", settings, 1);
    assert_close(get(h, "peak_flop_per_s.fp16_tensor"), 2 * get(base, "peak_flop_per_s.fp16_tensor"), 1e-15);
    assert_true(get(h, "spec.boost_clock_Hz") == get(base, "spec.boost_clock_Hz"));
    adept_hardware_free(base);
    adept_hardware_free(h);
}

static void written_hardware_reads_back_the_same(void **state) {
    (void)state;
    const char *const settings[] = {"spec.l2_B=1e8", "spec.boost_clock_Hz=+7%", "spec.tdp_W=500"};
    adept_hardware *h = changed("a100", settings, 3), *again;
    adept_error err = ADEPT_ERROR_INIT;
    char path[] = "/tmp/adept-whatif-XXXXXX.json";
    int file = mkstemps(path, 5);
    assert_true(file >= 0);
    FILE *out = fdopen(file, "w");
    assert_ok(adept_hardware_write(h, out, &err), err);
    fclose(out);
    assert_ok(adept_hardware_load(&again, path, &err), err);
    assert_memory_equal(adept_hardware_spec_of(h), adept_hardware_spec_of(again),
                        sizeof(adept_hardware_spec));
    remove(path);
    adept_hardware_free(h);
    adept_hardware_free(again);
}

static void impossible_hardware_is_refused_with_a_reason(void **state) {
    (void)state;
    static const struct {
        const char *setting, *reason;
    } cases[] = {
        {"spec.memory_bandwidth_B_per_s=0",  "spec.memory_bandwidth_B_per_s = 0 is below"},
        {"spec.l2_B=9e9",                    NULL                                        },
        {"spec.boost_clock_Hz=8e9",          "beyond"                                    },
        {"spec.idle_power_W=450",            "spec.idle_power_W"                         },
        {"spec.base_clock_Hz=2e9",           "spec.base_clock_Hz"                        },
        {"spec.min_power_limit_W=450",       "spec.min_power_limit_W"                    },
        {"peak_flop_per_s.int8_tensor=9e16", "per SM and cycle"                          },
        {"spec.tdp_W=abc",                   "give a number"                             },
        {"tdp_W=300",                        "spec.tdp_W"                                },
        {"batch=300",                        "run option"                                },
        {"theta.operator.overlap=1000",      "outside"                                   },
        {"theta.operator.nonsense=1",        "not a parameter"                           },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_hardware *h;
        assert_ok(adept_hardware_load(&h, "a100", &err), err);
        adept_status status = adept_whatif_set(h, &cases[i].setting, 1, &err);
        if (cases[i].reason) {
            assert_int_not_equal(status, ADEPT_OK);
            if (!strstr(err.message, cases[i].reason))
                fail_msg("%s: %s", cases[i].setting, err.message);
        } else {
            assert_int_equal(status, ADEPT_OK); /* large, but below memory */
        }
        adept_hardware_free(h);
    }
}

static void l2_larger_than_memory_is_refused(void **state) {
    (void)state;
    const char *const settings[] = {"spec.memory_B=5e9", "spec.l2_B=6e9"};
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *h;
    assert_ok(adept_hardware_load(&h, "a100", &err), err);
    assert_int_equal(adept_whatif_set(h, settings, 2, &err), ADEPT_RANGE);
    assert_non_null(strstr(err.message, "spec.l2_B"));
    adept_hardware_free(h);
}

static void every_known_gpu_is_possible(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware_list *list;
    assert_ok(adept_hardware_list_load(&list, &err), err);
    for (size_t i = 0; i < adept_hardware_list_count(list); i++) {
        const adept_hardware *h = adept_hardware_list_at(list, i);
        if (adept_whatif_check(adept_hardware_spec_of(h), &err) != ADEPT_OK)
            fail_msg("%s: %s", adept_hardware_id(h), err.message);
    }
    adept_hardware_list_free(list);
}

static void distance_counts_octaves_outside_all_gpus(void **state) {
    (void)state;
    test_job t;
    adept_error err = ADEPT_ERROR_INIT;
    double octaves;
    const char *key, *setting = "spec.l2_B=4e9";
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_hardware *h;
    assert_ok(adept_hardware_copy(&h, t.hardware, &err), err);
    t.job.hardware = h;
    assert_ok(adept_whatif_extrapolation(&octaves, &key, &t.job, &err), err);
    assert_true(octaves == 0 && key == NULL);
    assert_ok(adept_whatif_set(h, &setting, 1, &err), err);
    assert_ok(adept_whatif_extrapolation(&octaves, &key, &t.job, &err), err);
    assert_string_equal(key, "spec.l2_B");
    assert_true(octaves > 2 && octaves < 8);
    t.run.variant = ADEPT_VARIANT_THESIS; /* one GPU: every change counts */
    assert_ok(adept_whatif_extrapolation(&octaves, &key, &t.job, &err), err);
    assert_close(octaves, log2(4e9 / 41943040), 1e-12);
    adept_hardware_free(h);
    job_close(&t);
}

static void peaks_that_no_precision_uses_are_no_distance(void **state) {
    (void)state;
    static const struct {
        const char *setting;
        bool counts;
    } cases[] = {
        {"peak_flop_per_s.fp64_tensor=1e12", false},
        {"peak_flop_per_s.fp64=1e10",        false},
        {"peak_flop_per_s.fp32=1e11",        true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_job t;
        adept_error err = ADEPT_ERROR_INIT;
        double octaves;
        const char *key;
        job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
        adept_hardware *h;
        assert_ok(adept_hardware_copy(&h, t.hardware, &err), err);
        t.job.hardware = h;
        assert_ok(adept_whatif_set(h, &cases[i].setting, 1, &err), err);
        assert_ok(adept_whatif_extrapolation(&octaves, &key, &t.job, &err), err);
        assert_true((octaves > 0) == cases[i].counts);
        adept_hardware_free(h);
        job_close(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_settings_refer_to_the_present_value),
        cmocka_unit_test(clock_carries_the_peaks_but_not_those_given),
        cmocka_unit_test(more_sms_carry_the_peaks),
        cmocka_unit_test(written_hardware_reads_back_the_same),
        cmocka_unit_test(impossible_hardware_is_refused_with_a_reason),
        cmocka_unit_test(l2_larger_than_memory_is_refused),
        cmocka_unit_test(every_known_gpu_is_possible),
        cmocka_unit_test(distance_counts_octaves_outside_all_gpus),
        cmocka_unit_test(peaks_that_no_precision_uses_are_no_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
