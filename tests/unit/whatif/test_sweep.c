#include "job.h"

enum { ROWS_MAX = 4096 };
typedef struct rows {
    adept_sweep_row row[ROWS_MAX];
    size_t count;
} rows;

static bool keep(const adept_sweep_row *row, void *user) {
    rows *r = user;
    assert_int_equal(row->point, r->count);
    assert_true(r->count < ROWS_MAX);
    r->row[r->count++] = *row;
    return true;
}

static adept_sweep *plan(const test_job *t, const char *const *specs, size_t count) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_sweep *sweep;
    assert_ok(adept_sweep_new(&sweep, &t->job, specs, count, &err), err);
    return sweep;
}

static rows *collect(adept_sweep *sweep) {
    adept_error err = ADEPT_ERROR_INIT;
    rows *r = calloc(1, sizeof *r);
    assert_ok(adept_sweep_run(sweep, keep, r, &err), err);
    assert_int_equal(r->count, adept_sweep_points(sweep));
    return r;
}

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* The point predicted alone: the values as text, as a user would give them. */
static adept_prediction predict_alone(const test_job *t, const adept_sweep *sweep,
                                      const adept_sweep_row *row) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *hardware;
    adept_profile *profile;
    adept_prediction p;
    adept_run run = t->run;
    char settings[ADEPT_AXES_MAX][160];
    const char *list[ADEPT_AXES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < adept_sweep_axis_count(sweep); i++) {
        const char *key = adept_sweep_key(sweep, i), *text = adept_sweep_value_text(sweep, i, row->at[i]);
        if (strchr(key, '.')) {
            snprintf(settings[count], sizeof settings[count], "%s=%s", key, text);
            list[count] = settings[count];
            count++;
        } else {
            assert_ok(adept_run_set(&run, key, text, &err), err);
        }
    }
    assert_ok(adept_hardware_copy(&hardware, t->hardware, &err), err);
    assert_ok(adept_whatif_set(hardware, list, count, &err), err);
    assert_ok(adept_profile_build(&profile, t->graph, &run, &err), err);
    assert_ok(adept_predict(&p, adept_profile_workload(profile), hardware, &run, &err), err);
    adept_profile_free(profile);
    adept_hardware_free(hardware);
    return p;
}

static void check_against_single_predictions(adept_variant variant) {
    static const char *const specs[] = {"spec.memory_bandwidth_B_per_s=*0.5:*2:3:log", "batch=4,16",
                                        "spec.boost_clock_Hz=1e9:1.7e9:3", "power-limit=150:400:2",
                                        "precision=fp32,bf16-amp"};
    test_job t;
    job_open(&t, "resnet50", "a100", variant);
    adept_sweep *sweep = plan(&t, specs, 5);
    rows *r = collect(sweep);
    assert_int_equal(r->count, 3 * 2 * 3 * 2 * 2);
    for (size_t i = 0; i < r->count; i++) {
        assert_int_equal(r->row[i].status, ADEPT_OK);
        adept_prediction alone = predict_alone(&t, sweep, &r->row[i]);
        const adept_prediction *p = &r->row[i].prediction;
        assert_true(same_bits(p->step_time_s, alone.step_time_s));
        assert_true(same_bits(p->average_power_W, alone.average_power_W));
        assert_true(same_bits(p->energy_per_step_J, alone.energy_per_step_J));
        assert_true(same_bits(p->clock_Hz, alone.clock_Hz));
        assert_int_equal(p->bound, alone.bound);
    }
    free(r);
    adept_sweep_free(sweep);
    job_close(&t);
}

static void values_equal_single_predictions_to_the_last_bit(void **state) {
    (void)state;
    check_against_single_predictions(ADEPT_VARIANT_OPERATOR);
    check_against_single_predictions(ADEPT_VARIANT_THESIS);
}

static void parameters_are_swept_like_figures(void **state) {
    (void)state;
    static const char *const specs[] = {"theta.operator.g=0.8:1.2:3", "theta.operator.overlap=1.2:2:3"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_sweep *sweep = plan(&t, specs, 2);
    rows *r = collect(sweep);
    for (size_t i = 0; i < r->count; i++) {
        adept_prediction alone = predict_alone(&t, sweep, &r->row[i]);
        assert_true(same_bits(r->row[i].prediction.average_power_W, alone.average_power_W));
        assert_true(same_bits(r->row[i].prediction.step_time_s, alone.step_time_s));
    }
    assert_true(r->row[0].prediction.average_power_W < r->row[8].prediction.average_power_W);
    free(r);
    adept_sweep_free(sweep);
    job_close(&t);
}

/* The grid walked backwards and with its axes swapped: the same numbers at the same places. */
static void order_of_points_changes_nothing(void **state) {
    (void)state;
    static const char *const forward[] = {"spec.l2_B=1e7:4e7:4", "power-limit=100:400:7",
                                          "spec.sm_count=54:108:3"};
    static const char *const backward[] = {"spec.sm_count=108:54:3", "spec.l2_B=4e7:1e7:4",
                                           "power-limit=400:100:7"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_sweep *f = plan(&t, forward, 3), *b = plan(&t, backward, 3);
    rows *x = collect(f), *y = collect(b);
    for (size_t i = 0; i < x->count; i++) {
        const uint32_t *at = x->row[i].at;
        size_t other = ((2 - at[1]) * 4 + (3 - at[0])) * 7 + (6 - at[2]);
        assert_true(same_bits(x->row[i].prediction.step_time_s, y->row[other].prediction.step_time_s));
        assert_true(
            same_bits(x->row[i].prediction.average_power_W, y->row[other].prediction.average_power_W));
    }
    free(x);
    free(y);
    adept_sweep_free(f);
    adept_sweep_free(b);
    job_close(&t);
}

/* Also where power limits, given first, share what does not depend on them; and when it runs again. */
static void power_limits_share_work_and_change_no_bit(void **state) {
    (void)state;
    static const char *const specs[] = {"power-limit=60:420:37", "variant=operator,thesis",
                                        "clock-limit=9e8,1.2e9,2e9", "spec.l2_B=2e7,4e7"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_sweep *sweep = plan(&t, specs, 4);
    assert_string_equal(adept_sweep_key(sweep, 3), "power-limit");
    rows *first = collect(sweep), *second = collect(sweep);
    for (size_t i = 0; i < first->count; i++) {
        adept_prediction alone = predict_alone(&t, sweep, &first->row[i]);
        const adept_prediction *p = &first->row[i].prediction, *q = &second->row[i].prediction;
        assert_true(same_bits(p->step_time_s, alone.step_time_s));
        assert_true(same_bits(p->average_power_W, alone.average_power_W));
        assert_true(same_bits(p->step_time_s, q->step_time_s));
        assert_true(same_bits(p->average_power_W, q->average_power_W));
    }
    free(first);
    free(second);
    adept_sweep_free(sweep);
    job_close(&t);
}

static char *written(const test_job *t, adept_sweep_format format) {
    static const char *const specs[] = {"batch=1:64:9", "power-limit=100:400:31",
                                        "spec.memory_B=1e9:8e10:40:log"};
    adept_error err = ADEPT_ERROR_INIT;
    adept_sweep *sweep = plan(t, specs, 3);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_ok(adept_sweep_write(sweep, out, format, NULL, NULL, &err), err);
    fclose(out);
    adept_sweep_free(sweep);
    return text;
}

static void output_is_the_same_for_any_number_of_threads(void **state) {
    (void)state;
    test_job t;
    job_open(&t, "resnet50", "l4", ADEPT_VARIANT_THESIS);
    for (int format = 0; format < 2; format++) {
        t.job.threads = 1;
        char *one = written(&t, (adept_sweep_format)format);
        for (size_t threads = 2; threads <= 5; threads += 3) {
            t.job.threads = threads;
            char *many = written(&t, (adept_sweep_format)format);
            assert_string_equal(one, many);
            free(many);
        }
        free(one);
    }
    job_close(&t);
}

static void whole_numbers_are_taken_once(void **state) {
    (void)state;
    static const char *const specs[] = {"batch=1:4:20"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_THESIS);
    adept_sweep *sweep = plan(&t, specs, 1);
    assert_int_equal(adept_sweep_points(sweep), 4);
    assert_int_equal(adept_sweep_profiles(sweep), 4);
    adept_sweep_free(sweep);
    job_close(&t);
}

/* A grid may hold impossible points: they carry the reason, the others are predicted. */
static void impossible_points_say_why(void **state) {
    (void)state;
    static const char *const specs[] = {"spec.l2_B=1e7:9e9:2", "spec.memory_B=4e9:4e10:2"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_THESIS);
    adept_sweep *sweep = plan(&t, specs, 2);
    rows *r = collect(sweep);
    assert_int_equal(r->row[0].status, ADEPT_OK);
    assert_int_equal(r->row[2].status, ADEPT_RANGE);
    assert_non_null(strstr(r->row[2].message, "spec.l2_B"));
    assert_int_equal(r->row[3].status, ADEPT_OK);
    free(r);
    adept_sweep_free(sweep);
    job_close(&t);
}

/* The A100 takes 100 to 400 W. */
static void rows_say_what_strict_does_not_accept(void **state) {
    (void)state;
    static const char *const specs[] = {"power-limit=50,300"};
    static const char *const expected[2][2] = {
        {",true,\n",             ",false,\n"            },
        {"\"refused\": true}\n", "\"refused\": false}\n"}
    };
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    for (int json = 0; json < 2; json++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_sweep *sweep = plan(&t, specs, 1);
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        assert_ok(
            adept_sweep_write(sweep, out, json ? ADEPT_SWEEP_JSON_LINES : ADEPT_SWEEP_CSV, NULL, NULL, &err),
            err);
        fclose(out);
        const char *refused = strstr(text, expected[json][0]), *accepted = strstr(text, expected[json][1]);
        assert_non_null(refused);
        assert_non_null(accepted);
        assert_true(refused < accepted);
        assert_true((strstr(text, "bound,refused,error\n") != NULL) == !json);
        free(text);
        adept_sweep_free(sweep);
    }
    job_close(&t);
}

static void impossible_ranges_and_unknown_keys_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *spec, *reason;
    } cases[] = {
        {"spec.memory_bandwidth_B_per_s=0:1e12:5", "below"      },
        {"spec.boost_clock_Hz=1e9:9e9:5",          "beyond"     },
        {"spec.l2_B=1e6:9e10:4",                   "above"      },
        {"power-limit=0:400:5",                    "not above 0"},
        {"bath=1:4:4",                             "batch"      },
        {"precision=fp32,fp31",                    "fp31"       },
        {"precision=1:2:3",                        "no number"  },
        {"batch=1:4",                              "KEY=A:B:N"  },
        {"spec.tdp_W=-1:5:3:log",                  "above 0"    },
        {"batch=",                                 "KEY=A:B:N"  },
        {"spec.tdp_W=100:400:5000000000",          "at most"    },
    };
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_THESIS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_sweep *sweep;
        if (adept_sweep_new(&sweep, &t.job, &cases[i].spec, 1, &err) == ADEPT_OK)
            fail_msg("%s is accepted", cases[i].spec);
        if (!strstr(err.message, cases[i].reason))
            fail_msg("%s: %s", cases[i].spec, err.message);
    }
    job_close(&t);
}

/* Inside the range of known GPUs as held out; each octave outside widens the logarithm by as much again. */
static void intervals_widen_with_the_distance(void **state) {
    (void)state;
    static const char *const specs[] = {"spec.l2_B=2e7,4e9"};
    const adept_hardware_interval held_out = {0.8, 0.9, 1.2, 0.95, 1.1};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_OPERATOR);
    adept_hardware_set_interval(t.hardware, ADEPT_VARIANT_OPERATOR, &held_out);
    adept_sweep *sweep = plan(&t, specs, 1);
    rows *r = collect(sweep);
    assert_true(r->row[0].extrapolation == 0 && r->row[1].extrapolation > 2);
    for (int i = 0; i < 2; i++) {
        const adept_prediction *p = &r->row[i].prediction;
        double power = 1 + r->row[i].extrapolation;
        assert_true(p->interval_level == 0.8);
        assert_close(p->step_time_interval_s.lower, p->step_time_s * pow(0.9, power), 1e-13);
        assert_close(p->step_time_interval_s.upper, p->step_time_s * pow(1.2, power), 1e-13);
        assert_close(p->average_power_interval_W.upper, p->average_power_W * pow(1.1, power), 1e-13);
    }
    free(r);
    adept_sweep_free(sweep);
    job_close(&t);
}

static void ends_of_a_range_are_exact(void **state) {
    (void)state;
    static const char *const specs[] = {"spec.tdp_W=123.4:399.9:7:log", "power-limit=100.1:377.7:13"};
    test_job t;
    job_open(&t, "resnet50", "a100", ADEPT_VARIANT_THESIS);
    adept_sweep *sweep = plan(&t, specs, 2);
    assert_true(adept_sweep_value(sweep, 0, 0) == 123.4 && adept_sweep_value(sweep, 0, 6) == 399.9);
    assert_true(adept_sweep_value(sweep, 1, 0) == 100.1 && adept_sweep_value(sweep, 1, 12) == 377.7);
    assert_close(adept_sweep_value(sweep, 0, 3), sqrt(123.4 * 399.9), 1e-14);
    adept_sweep_free(sweep);
    job_close(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_single_predictions_to_the_last_bit),
        cmocka_unit_test(parameters_are_swept_like_figures),
        cmocka_unit_test(power_limits_share_work_and_change_no_bit),
        cmocka_unit_test(order_of_points_changes_nothing),
        cmocka_unit_test(output_is_the_same_for_any_number_of_threads),
        cmocka_unit_test(whole_numbers_are_taken_once),
        cmocka_unit_test(impossible_points_say_why),
        cmocka_unit_test(rows_say_what_strict_does_not_accept),
        cmocka_unit_test(impossible_ranges_and_unknown_keys_are_refused),
        cmocka_unit_test(intervals_widen_with_the_distance),
        cmocka_unit_test(ends_of_a_range_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
