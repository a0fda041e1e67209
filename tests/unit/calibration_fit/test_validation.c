#include "synthetic.h"

#include <unistd.h>

static adept_theta initial_theta(void) {
    adept_theta theta;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
    return theta;
}

/* A few cheap parameters: the fits of these tests are about folds, not about minima. */
static adept_fit_options quick_options(void) {
    static const char *const names[] = {"C_mem", "t_kern", "P_static"};
    static adept_theta start; /* the table's values, whatever is shipped for the GPU */
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    start = initial_theta();
    o.start = &start;
    o.free = names;
    o.free_count = 3;
    o.generations = 30;
    o.polish = 5;
    o.threads = 2;
    return o;
}

static void perfect_parameters_have_no_error(void **state) {
    (void)state;
    adept_theta theta = initial_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_validation *v;
    synthetic s;
    synthetic_load(&s, "a100", &theta, 0);
    assert_ok(adept_validation_of(&v, s.dataset, &theta, 2, &err), err);
    const adept_score_group *total = adept_validation_total(v);
    assert_int_equal(total->scores.time.n, SYNTHETIC_ROWS);
    assert_true(total->scores.time.mape < 1e-9 && total->scores.power.mape < 1e-9);
    assert_true(total->scores.energy.mape < 1e-9 && total->scores.combined < 1e-9);
    assert_true(total->baseline[ADEPT_BASELINE_ROOFLINE].mape > 1);
    assert_int_equal(adept_validation_group_count(v, ADEPT_GROUPING_MODEL), 3);
    assert_int_equal(adept_validation_group_count(v, ADEPT_GROUPING_GPUS), 2);
    adept_validation_free(v);
    synthetic_free(&s);
}

static void groups_are_a_partition_of_the_rows(void **state) {
    (void)state;
    adept_theta theta = initial_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_validation *v;
    synthetic s;
    synthetic_load(&s, "a100", &theta, 0.1);
    assert_ok(adept_validation_of(&v, s.dataset, &theta, 1, &err), err);
    for (int g = 0; g < ADEPT_GROUPING_COUNT; g++) {
        size_t rows = 0;
        for (size_t i = 0; i < adept_validation_group_count(v, (adept_grouping)g); i++)
            rows += adept_validation_group(v, (adept_grouping)g, i)->rows;
        assert_int_equal(rows, SYNTHETIC_ROWS);
    }
    adept_validation_free(v);
    synthetic_free(&s);
}

/*
 * Folds never leak: the measurements of a held-out fold do not change its own predictions. Those of bert-base
 * are made three times as long; with bert-base left out, its predictions must stay as they were.
 */
static void held_out_measurements_do_not_reach_their_predictions(void **state) {
    (void)state;
    adept_theta theta = initial_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = quick_options();
    double step_s[2][SYNTHETIC_ROWS], power_W[SYNTHETIC_ROWS];
    synthetic s;
    adept_validation *v[2];
    synthetic_load(&s, "a100", &theta, 0.1);
    for (size_t i = 0; i < SYNTHETIC_ROWS; i++) {
        const adept_dataset_row *row = adept_dataset_at(s.dataset, i);
        step_s[0][i] = row->step_time_s;
        step_s[1][i] = strcmp(row->model, "bert-base") == 0 ? 3 * row->step_time_s : row->step_time_s;
        power_W[i] = row->average_power_W;
    }
    synthetic_free(&s);
    synthetic set[2];
    for (int k = 0; k < 2; k++) {
        char *rows = synthetic_rows("a100", step_s[k], power_W);
        assert_ok(synthetic_load_text(&set[k], rows, NULL, &err), err);
        assert_ok(adept_validation_cross(&v[k], set[k].dataset, "model", &o, &err), err);
        assert_int_equal(adept_validation_count(v[k]), SYNTHETIC_ROWS);
        free(rows);
    }
    size_t same = 0, changed = 0;
    for (size_t i = 0; i < SYNTHETIC_ROWS; i++) {
        const adept_validation_row *a = adept_validation_at(v[0], i), *b = adept_validation_at(v[1], i);
        assert_int_equal(a->data->trace->line, b->data->trace->line);
        bool equal = a->step_time_s == b->step_time_s && a->baseline[ADEPT_BASELINE_ROOFLINE_FITTED] ==
                                                             b->baseline[ADEPT_BASELINE_ROOFLINE_FITTED];
        if (strcmp(a->data->model, "bert-base") == 0)
            same += equal;
        else
            changed += !equal;
    }
    assert_int_equal(same, SYNTHETIC_ROWS / 3);
    assert_true(changed > 0); /* the change did reach the folds that were fitted to it */
    for (int k = 0; k < 2; k++) {
        adept_validation_free(v[k]);
        synthetic_free(&set[k]);
    }
}

static void every_row_is_held_out_exactly_once(void **state) {
    (void)state;
    static const char *const ways[] = {"5", "model", "model-family"};
    adept_theta theta = initial_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = quick_options();
    synthetic s;
    synthetic_load(&s, "a100", &theta, 0.1);
    o.generations = 2;
    o.polish = 0;
    for (size_t w = 0; w < 3; w++) {
        adept_validation *v;
        int seen[1000] = {0};
        assert_ok(adept_validation_cross(&v, s.dataset, ways[w], &o, &err), err);
        for (size_t i = 0; i < adept_validation_count(v); i++)
            seen[adept_validation_at(v, i)->data->trace->line]++;
        for (size_t i = 0; i < SYNTHETIC_ROWS; i++)
            assert_int_equal(seen[adept_dataset_at(s.dataset, i)->trace->line], 1);
        adept_validation_free(v);
    }
    synthetic_free(&s);
}

static void impossible_folds_are_refused(void **state) {
    (void)state;
    static const char *const ways[] = {"1", "61", "gpu", "gpu-family", "colour", "-3", ""};
    adept_theta theta = initial_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = quick_options();
    synthetic s;
    adept_validation *v;
    synthetic_load(&s, "a100", &theta, 0.1);
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        assert_int_equal(adept_validation_cross(&v, s.dataset, ways[w], &o, &err), ADEPT_ARGUMENT);
        assert_null(v);
        assert_int_equal(adept_validation_check_cross(s.dataset, ways[w], &err), ADEPT_ARGUMENT);
    }
    assert_ok(adept_validation_check_cross(s.dataset, "model", &err), err);
    synthetic_free(&s);
}

/* Residuals are uniform in +-10 % of the truth: intervals of 80 % cover about that. */
static void intervals_cover_what_they_promise(void **state) {
    (void)state;
    adept_theta theta = initial_theta();
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options o = quick_options();
    synthetic s;
    adept_validation *v;
    synthetic_load(&s, "a100", &theta, 0.1);
    assert_ok(adept_validation_cross(&v, s.dataset, "6", &o, &err), err);
    adept_hardware_interval i = adept_validation_interval(v, -1, 0.8);
    assert_true(i.time_lower > 0.85 && i.time_lower < 0.96 && i.time_upper > 1.04 && i.time_upper < 1.15);
    adept_coverage_rate rate = adept_validation_coverage(v);
    assert_int_equal(rate.time_rows, SYNTHETIC_ROWS);
    assert_true(rate.time > 0.6 && rate.time < 0.95);
    adept_validation_free(v);
    synthetic_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect_parameters_have_no_error),
        cmocka_unit_test(groups_are_a_partition_of_the_rows),
        cmocka_unit_test(held_out_measurements_do_not_reach_their_predictions),
        cmocka_unit_test(every_row_is_held_out_exactly_once),
        cmocka_unit_test(impossible_folds_are_refused),
        cmocka_unit_test(intervals_cover_what_they_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
