#include "test_support.h"

#include "random.h"

/* First outputs of Vigna's splitmix64.c for seed 1234567, as published on Rosetta Code. */
static void numbers_are_those_of_splitmix64(void **state) {
    (void)state;
    const uint64_t expected[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                 UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                 UINT64_C(16408922859458223821)};
    for (uint64_t k = 0; k < 5; k++)
        assert_true(adept_random_at(1234567, k) == expected[k]);
}

static void stream_is_the_numbers_at_its_counter(void **state) {
    (void)state;
    adept_random random = adept_random_new(7, 0);
    for (uint64_t k = 0; k < 100; k++)
        assert_true(adept_random_next(&random) == adept_random_at(random.key, k));
    assert_true(adept_random_new(7, 0).key == random.key);
    assert_true(adept_random_new(7, 1).key != random.key);
    assert_true(adept_random_new(8, 0).key != random.key);
}

/* chi^2 of 99 degrees of freedom exceeds 148.2 with probability 0.001. */
static double chi_squared(const int *seen, int cells, int draws) {
    const double expected = (double)draws / cells;
    double sum = 0;
    for (int c = 0; c < cells; c++)
        sum += (seen[c] - expected) * (seen[c] - expected) / expected;
    return sum;
}

static void draws_are_uniform(void **state) {
    (void)state;
    int uniform[100] = {0}, below[100] = {0}, scaled[100] = {0};
    adept_random random = adept_random_new(1, 0);
    for (int i = 0; i < 100000; i++) {
        const double u = adept_random_uniform(&random);
        assert_true(u >= 0 && u < 1);
        uniform[(int)(u * 100)]++;
        below[adept_random_below(&random, 100)]++;
        scaled[adept_random_scale((uint32_t)adept_random_next(&random), 100)]++;
    }
    assert_true(chi_squared(uniform, 100, 100000) < 148.2);
    assert_true(chi_squared(below, 100, 100000) < 148.2);
    assert_true(chi_squared(scaled, 100, 100000) < 148.2);
}

static void extremes_stay_below_one_and_below_the_bound(void **state) {
    (void)state;
    assert_true(adept_random_unit(UINT64_MAX) < 1);
    assert_true(adept_random_unit(0) == 0);
    assert_int_equal(adept_random_scale(UINT32_MAX, 5), 4);
    adept_random random = adept_random_new(1, 0);
    assert_int_equal(adept_random_below(&random, 1), 0);
}

/* Each of the 24 orders of four things equally often: chi^2 of 23 degrees exceeds 49.7 with 0.001. */
static void shuffle_draws_every_permutation_equally(void **state) {
    (void)state;
    int seen[256] = {0};
    adept_random random = adept_random_new(3, 0);
    for (int i = 0; i < 24000; i++) {
        size_t order[4] = {0, 1, 2, 3};
        adept_random_shuffle(&random, order, 4);
        seen[order[0] * 64 + order[1] * 16 + order[2] * 4 + order[3]]++;
    }
    double sum = 0;
    int orders = 0;
    for (int c = 0; c < 256; c++) {
        orders += seen[c] > 0;
        sum += seen[c] ? (seen[c] - 1000.0) * (seen[c] - 1000.0) / 1000.0 : 0;
    }
    assert_int_equal(orders, 24);
    assert_true(sum < 49.7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_splitmix64),
        cmocka_unit_test(stream_is_the_numbers_at_its_counter),
        cmocka_unit_test(draws_are_uniform),
        cmocka_unit_test(extremes_stay_below_one_and_below_the_bound),
        cmocka_unit_test(shuffle_draws_every_permutation_equally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
