#include "derivative.h"
#include "test_support.h"

static bool smooth(double h, double y[DERIVATIVE_OUTPUTS], void *user) {
    (void)user;
    y[0] = sin(3 * h + 0.4);
    y[1] = log(2 + exp(-5 * h));
    return true;
}

static bool broken(double h, double y[DERIVATIVE_OUTPUTS], void *user) {
    (void)user;
    y[0] = h < 0 ? -2 * h + h * h : 3 * h + sin(h) * h; /* kink */
    y[1] = h < 0 ? 1 + h : 1.001 - 0.5 * h;             /* jump */
    return true;
}

/* A kink close by is none here. */
static bool nearly_broken(double h, double y[DERIVATIVE_OUTPUTS], void *user) {
    double at = *(const double *)user;
    y[0] = fmax(2 * h, 5 * h - 3 * at);
    y[1] = fabs(h + at);
    return true;
}

static bool one_sided(double h, double y[DERIVATIVE_OUTPUTS], void *user) {
    (void)user;
    y[0] = exp(h);
    y[1] = h;
    return h <= 0;
}

static void smooth_functions_are_exact(void **state) {
    (void)state;
    derivative d[DERIVATIVE_OUTPUTS];
    derivative_make(d, smooth, NULL);
    assert_false(d[0].kink || d[1].kink);
    assert_close(d[0].above, 3 * cos(0.4), 1e-9);
    assert_close(d[1].below, -5.0 / 3, 1e-9);
    assert_true(d[0].above == d[0].below);
}

static void kinks_give_both_sides(void **state) {
    (void)state;
    derivative d[DERIVATIVE_OUTPUTS];
    derivative_make(d, broken, NULL);
    assert_true(d[0].kink && !d[0].jump);
    assert_close(d[0].below, -2, 1e-8);
    assert_close(d[0].above, 3, 1e-8);
    assert_true(d[1].kink && d[1].jump);
    assert_close(d[1].below, 1, 1e-7);
    assert_close(d[1].above, -0.5, 1e-7);
}

static void kinks_close_by_do_not_disturb(void **state) {
    (void)state;
    derivative d[DERIVATIVE_OUTPUTS];
    for (double at = 0.1; at > 3e-6; at /= 7) {
        derivative_make(d, nearly_broken, &at);
        assert_false(d[0].kink || d[1].kink);
        assert_close(d[0].above, 2, 1e-7);
        assert_close(d[1].below, 1, 1e-7);
    }
}

static void a_side_that_does_not_exist_is_nan(void **state) {
    (void)state;
    derivative d[DERIVATIVE_OUTPUTS];
    derivative_make(d, one_sided, NULL);
    assert_close(d[0].below, 1, 1e-8);
    assert_true(isnan(d[0].above));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smooth_functions_are_exact),
        cmocka_unit_test(kinks_give_both_sides),
        cmocka_unit_test(kinks_close_by_do_not_disturb),
        cmocka_unit_test(a_side_that_does_not_exist_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
