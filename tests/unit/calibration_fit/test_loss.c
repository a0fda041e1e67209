#include "synthetic.h"

#include "loss.h"

typedef struct made_loss {
    synthetic data;
    adept_theta theta;
    adept_search_space space;
    adept_row_loss *loss;
} made_loss;

static void make_with(made_loss *m, const char *rows, double huber) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options options = ADEPT_FIT_OPTIONS_INIT;
    adept_loss_settings settings = {0.6, 0.4, huber, 2};
    assert_ok(synthetic_load_text(&m->data, rows, "a100", &err), err);
    assert_ok(adept_theta_init(&m->theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
    assert_ok(adept_search_space_new(&m->space, &m->theta, &options, &err), err);
    assert_ok(adept_loss_new(&m->loss, m->data.dataset, NULL, -1, NULL, &m->space, &settings, &err), err);
}

static void unmake(made_loss *m) {
    adept_loss_free(m->loss);
    synthetic_free(&m->data);
}

#define ROW_A "bert-base.onnx,8,128,fp32,inference,none,1,,0.02,150,gpu,,1\n"
#define ROW_B "resnet50.onnx,16,,fp32,inference,none,1,,0.03,,,,0.5\n"
#define ROW_C "resnet50.onnx,64,,fp32,inference,none,1,,,220,gpu,,0.25\n"

/* L = 0.6 MAPE_time + 0.4 MAPE_power with weights, rows used for what they have (eqs 4.16 to 4.18). */
static void loss_is_the_formula(void **state) {
    (void)state;
    made_loss m;
    double t[3], p[3];
    make_with(&m, ROW_A ROW_B ROW_C, 0);
    adept_loss_predict(m.loss, &m.theta, t, p);
    double time = (1.0 * fabs(t[0] / 0.02 - 1) + 0.5 * fabs(t[1] / 0.03 - 1)) / 1.5;
    double power = (1.0 * fabs(p[0] / 150 - 1) + 0.25 * fabs(p[2] / 220 - 1)) / 1.25;
    assert_close(adept_loss_of(m.loss, &m.theta), 100 * (0.6 * time + 0.4 * power), 1e-12);
    assert_int_equal(adept_loss_times(m.loss), 2);
    assert_int_equal(adept_loss_powers(m.loss), 2);
    unmake(&m);
}

static void without_power_the_loss_is_the_error_of_time(void **state) {
    (void)state;
    made_loss m;
    double t[1], p[1];
    make_with(&m, ROW_B, 0);
    adept_loss_predict(m.loss, &m.theta, t, p);
    assert_close(adept_loss_of(m.loss, &m.theta), 100 * fabs(t[0] / 0.03 - 1), 1e-12);
    unmake(&m);
}

static double huber(double ratio, double d) {
    double l = fabs(log(ratio));
    return l <= d ? l * l / (2 * d) : l - d / 2;
}

static void robust_loss_is_linear_in_the_log_ratio_above_its_threshold(void **state) {
    (void)state;
    made_loss m;
    double t[2], p[2];
    make_with(&m, ROW_A ROW_B, 0.05);
    adept_loss_predict(m.loss, &m.theta, t, p);
    double time = (huber(t[0] / 0.02, 0.05) + 0.5 * huber(t[1] / 0.03, 0.05)) / 1.5;
    assert_close(adept_loss_of(m.loss, &m.theta), 100 * (0.6 * time + 0.4 * huber(p[0] / 150, 0.05)), 1e-12);
    unmake(&m);
}

/* What the optimizer calls, for many candidates, against one prediction after the other. */
static void candidates_side_by_side_agree_with_single_predictions(void **state) {
    (void)state;
    enum { COUNT = 150 };
    made_loss m;
    make_with(&m, ROW_A ROW_B ROW_C, 0);
    adept_error err = ADEPT_ERROR_INIT;
    adept_objective objective = adept_loss_objective(m.loss);
    size_t n = m.space.count;
    double *x = malloc(n * COUNT * sizeof *x), losses[COUNT];
    srand(1);
    for (size_t c = 0; c < n; c++) {
        for (size_t i = 0; i < COUNT; i++)
            x[c * COUNT + i] =
                m.space.bounds[c].lower +
                rand() / (double)RAND_MAX * (m.space.bounds[c].upper - m.space.bounds[c].lower);
    }
    assert_ok(objective.evaluate(objective.user, 1, x, COUNT, losses, &err), err);
    for (size_t i = 0; i < COUNT; i++) {
        double one[ADEPT_THETA_MAX];
        adept_theta theta;
        for (size_t c = 0; c < n; c++)
            one[c] = x[c * COUNT + i];
        adept_search_space_theta(&m.space, one, &theta);
        double t[3], p[3];
        adept_loss_predict(m.loss, &theta, t, p);
        double time = (fmin(fabs(t[0] / 0.02 - 1), 1e6) + 0.5 * fmin(fabs(t[1] / 0.03 - 1), 1e6)) / 1.5;
        double power = (fabs(p[0] / 150 - 1) + 0.25 * fabs(p[2] / 220 - 1)) / 1.25;
        assert_close(losses[i], 100 * (0.6 * time + 0.4 * power), 1e-9);
    }
    free(x);
    unmake(&m);
}

/* The operator variant prepares such rows once; hosts and clocks keep them apart. */
static void rows_that_differ_in_the_power_limit_are_predicted_as_if_alone(void **state) {
    (void)state;
#define LIMITED(limit, host) "resnet50.onnx,16,,fp32,train,adamw,1," limit ",0.1,200,gpu,,1," host "\n"
    static const char rows[] = LIMITED("150", "a") LIMITED("400", "b") LIMITED("250", "a")
        ROW_A LIMITED("400", "a") LIMITED("150", "b") LIMITED("", "a");
    enum { ROWS = 7, COUNT = 3 };
    made_loss m;
    adept_error err = ADEPT_ERROR_INIT;
    adept_fit_options options = ADEPT_FIT_OPTIONS_INIT;
    adept_loss_settings settings = {0.6, 0.4, 0, 1};
    options.variant = ADEPT_VARIANT_OPERATOR;
    assert_ok(synthetic_load_text(&m.data, rows, "a100", &err), err);
    assert_ok(adept_theta_init(&m.theta, options.variant, NULL, &err), err);
    m.theta.value[m.theta.count] = 1e-6; /* cost of a launch on host a, on host b */
    m.theta.value[m.theta.count + 1] = 1e-3;
    assert_ok(adept_search_space_new(&m.space, &m.theta, &options, &err), err);
    m.space.slots += 2;
    assert_ok(adept_loss_new(&m.loss, m.data.dataset, NULL, -1, NULL, &m.space, &settings, &err), err);
    adept_objective objective = adept_loss_objective(m.loss);
    double x[ADEPT_THETA_MAX * COUNT], losses[COUNT], low_W = HUGE_VAL, high_W = 0;
    for (size_t c = 0; c < m.space.count; c++) {
        double start[ADEPT_THETA_MAX];
        adept_search_space_start(&m.space, start);
        for (size_t i = 0; i < COUNT; i++)
            x[c * COUNT + i] = start[c] + 0.05 * (double)i * (m.space.bounds[c].upper - start[c]);
    }
    assert_ok(objective.evaluate(objective.user, 0, x, COUNT, losses, &err), err);
    for (size_t i = 0; i < COUNT; i++) {
        double one[ADEPT_THETA_MAX], t[ROWS], p[ROWS], measured_s, measured_W, time = 0, power = 0;
        adept_theta theta;
        for (size_t c = 0; c < m.space.count; c++)
            one[c] = x[c * COUNT + i];
        adept_search_space_theta(&m.space, one, &theta);
        adept_loss_predict(m.loss, &theta, t, p);
        for (size_t r = 0; r < ROWS; r++) {
            adept_loss_measured(m.loss, r, &measured_s, &measured_W);
            time += fabs(t[r] / measured_s - 1) / ROWS;
            power += fabs(p[r] / measured_W - 1) / ROWS;
            low_W = fmin(low_W, p[r]);
            high_W = fmax(high_W, p[r]);
        }
        assert_close(losses[i], 100 * (0.6 * time + 0.4 * power), 1e-12);
    }
    assert_true(low_W < 160 && high_W > 200); /* the limits bind */
    unmake(&m);
}

/* The worst corner of the bounds still has a finite loss. */
static void loss_is_finite_at_the_bounds(void **state) {
    (void)state;
    made_loss m;
    make_with(&m, ROW_A ROW_C, 0);
    adept_error err = ADEPT_ERROR_INIT;
    adept_objective objective = adept_loss_objective(m.loss);
    double x[ADEPT_THETA_MAX], loss;
    for (int end = 0; end < 2; end++) {
        for (size_t c = 0; c < m.space.count; c++)
            x[c] = end ? m.space.bounds[c].upper : m.space.bounds[c].lower;
        assert_ok(objective.evaluate(objective.user, 0, x, 1, &loss, &err), err);
        assert_true(isfinite(loss) && loss >= 0);
    }
    unmake(&m);
}

static void parameters_keep_within_their_bounds(void **state) {
    (void)state;
    made_loss m;
    adept_theta theta;
    double x[ADEPT_THETA_MAX];
    make_with(&m, ROW_A, 0);
    for (int end = 0; end < 2; end++) {
        for (size_t c = 0; c < m.space.count; c++)
            x[c] = end ? m.space.bounds[c].upper : m.space.bounds[c].lower;
        adept_search_space_theta(&m.space, x, &theta);
        for (size_t c = 0; c < m.space.count; c++) {
            const adept_parameter *row = adept_parameter_at(ADEPT_VARIANT_THESIS, m.space.parameter[c]);
            double value = theta.value[m.space.parameter[c]], bound = end ? row->upper : row->lower;
            assert_true(value >= row->lower && value <= row->upper);
            assert_close(value, bound, 1e-10);
        }
    }
    unmake(&m);
}

static void unknown_and_impossible_parameters_are_refused_by_name(void **state) {
    (void)state;
    const char *free_name[] = {"beta_gem"};
    const adept_fixed_parameter fixed[] = {
        {"beta_gemm", 2  },
        {"beta_gemm", NAN}
    };
    const char *both[] = {"beta_gemm"};
    adept_error err = ADEPT_ERROR_INIT;
    adept_theta theta;
    adept_search_space space;
    assert_ok(adept_theta_init(&theta, ADEPT_VARIANT_THESIS, NULL, &err), err);
    adept_fit_options o = ADEPT_FIT_OPTIONS_INIT;
    o.free = free_name;
    o.free_count = 1;
    assert_int_equal(adept_search_space_new(&space, &theta, &o, &err), ADEPT_ARGUMENT);
    assert_non_null(strstr(err.message, "beta_gemm"));
    o = (adept_fit_options)ADEPT_FIT_OPTIONS_INIT;
    o.fixed = fixed;
    o.fixed_count = 1;
    assert_int_equal(adept_search_space_new(&space, &theta, &o, &err), ADEPT_ARGUMENT);
    assert_non_null(strstr(err.message, "beta_gemm = 2 is outside"));
    o.free = both;
    o.free_count = 1;
    o.fixed = &fixed[1];
    assert_int_equal(adept_search_space_new(&space, &theta, &o, &err), ADEPT_ARGUMENT);
    assert_non_null(strstr(err.message, "both free and fixed"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_is_the_formula),
        cmocka_unit_test(without_power_the_loss_is_the_error_of_time),
        cmocka_unit_test(robust_loss_is_linear_in_the_log_ratio_above_its_threshold),
        cmocka_unit_test(candidates_side_by_side_agree_with_single_predictions),
        cmocka_unit_test(rows_that_differ_in_the_power_limit_are_predicted_as_if_alone),
        cmocka_unit_test(loss_is_finite_at_the_bounds),
        cmocka_unit_test(parameters_keep_within_their_bounds),
        cmocka_unit_test(unknown_and_impossible_parameters_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
