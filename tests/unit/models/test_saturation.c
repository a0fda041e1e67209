#include "test_support.h"

#include "saturation.h"
#include "vector_math.h"

/* Values by hand: 1/(1+e^-1), (2/pi) atan(pi/2), 1/2, 1/sqrt 2, tanh 1. */
static void functions_have_their_known_values_at_one(void **state) {
    (void)state;
    static const double at_one[ADEPT_SATURATION_COUNT] = {
        [ADEPT_SATURATION_SIGMOID] = 0.7310585786300049,
        [ADEPT_SATURATION_ARCTAN] = 0.6390929267718917,
        [ADEPT_SATURATION_SOFTSIGN] = 0.5,
        [ADEPT_SATURATION_ALGEBRAIC] = 0.7071067811865476,
        [ADEPT_SATURATION_TANH] = 0.7615941559557649,
    };
    for (int s = 0; s < ADEPT_SATURATION_COUNT; s++)
        assert_close(adept_saturate((adept_saturation)s, 1), at_one[s], 1e-9);
}

static void the_sigmoid_starts_at_one_half_and_the_others_at_zero(void **state) {
    (void)state;
    assert_true(adept_saturate(ADEPT_SATURATION_SIGMOID, 0) == 0.5);
    for (int s = ADEPT_SATURATION_SIGMOID + 1; s < ADEPT_SATURATION_COUNT; s++) {
        double start = adept_saturate((adept_saturation)s, 0);
        assert_true(start > 0 && start < 1e-8);
    }
}

static void functions_rise_towards_one(void **state) {
    (void)state;
    for (int s = 0; s < ADEPT_SATURATION_COUNT; s++) {
        double last = 0;
        for (double x = 1e-6; x < 1e7; x *= 1.5) {
            double value = adept_saturate((adept_saturation)s, x);
            assert_true(value >= last && value <= 1);
            last = value;
        }
        assert_true(last > 0.9999);
    }
}

static void inverses_of_many_agree_with_the_c_library(void **state) {
    (void)state;
    enum { N = 4000 };
    static double x[N];
    static double inverse[N];
    for (int i = 0; i < N; i++)
        x[i] = 1e-7 * pow(1e13, i / (double)N); /* 1e-7 to 1e6 */
    for (int s = 0; s < ADEPT_SATURATION_COUNT; s++) {
        adept_saturate_inverse_many((adept_saturation)s, inverse, x, N);
        for (int i = 0; i < N; i++)
            assert_close(inverse[i], 1 / adept_saturate((adept_saturation)s, x[i]), 1e-14);
    }
}

static void own_exponential_and_arctangent_keep_their_stated_errors(void **state) {
    (void)state;
    for (int i = 0; i <= 200000; i++) {
        double y = -700.0 * i / 200000;
        double small = -pow(10, -12 + 12.0 * i / 200000);
        assert_close(adept_vector_expm1(y), expm1(y), 1e-15);
        assert_close(adept_vector_expm1(small), expm1(small), 1e-15);
        assert_true(fabs(adept_vector_exp(y) - exp(y)) < 3e-16);
    }
    for (double x = 1e-9; x < 1e9; x *= 1.001)
        assert_close(adept_vector_atan(x), atan(x), 1e-15);
    assert_true(adept_vector_exp(-1e6) >= 0 && adept_vector_exp(-1e6) < 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_have_their_known_values_at_one),
        cmocka_unit_test(the_sigmoid_starts_at_one_half_and_the_others_at_zero),
        cmocka_unit_test(functions_rise_towards_one),
        cmocka_unit_test(inverses_of_many_agree_with_the_c_library),
        cmocka_unit_test(own_exponential_and_arctangent_keep_their_stated_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
