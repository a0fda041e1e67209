#include "test_support.h"

#include "scores.h"

static void errors_are_those_computed_by_hand(void **state) {
    (void)state;
    adept_pair pairs[] = {
        {1.1, 1.0, 1.0 },
        {0.8, 1.0, 0.5 },
        {3.0, 2.0, 1.0 },
        {9.0, 1.0, 0.25},
        {NAN, 1.0, 1.0 },
        {1.0, NAN, 1.0 },
    };
    adept_error_summary s = adept_summarise(pairs, 6);
    assert_int_equal(s.n, 3);
    assert_close(s.mape, 100 * (0.1 + 0.2 + 0.5) / 3, 1e-12);
    assert_close(s.median, 20, 1e-12);
    assert_close(s.bias, 100 * (0.1 - 0.2 + 0.5) / 3, 1e-12);
    assert_close(s.mape_weighted, 100 * (0.1 + 0.5 * 0.2 + 0.5 + 0.25 * 8) / 2.75, 1e-12);
}

static void without_rows_errors_are_unknown_not_zero(void **state) {
    (void)state;
    adept_pair pair = {1, 2, 0.25};
    adept_error_summary s = adept_summarise(&pair, 1);
    assert_int_equal(s.n, 0);
    assert_true(isnan(s.mape) && isnan(s.median) && isnan(s.bias));
    assert_close(s.mape_weighted, 50, 1e-12);
    assert_true(isnan(adept_summarise(NULL, 0).mape_weighted));
}

static void median_of_an_even_number_is_the_middle(void **state) {
    (void)state;
    adept_pair pairs[] = {
        {1.1, 1, 1},
        {1.4, 1, 1},
        {1.2, 1, 1},
        {1.3, 1, 1}
    };
    assert_close(adept_summarise(pairs, 4).median, 25, 1e-9);
}

static void combined_error_takes_the_part_that_exists(void **state) {
    (void)state;
    assert_close(adept_combined(10, 20, 0.6, 0.4), 14, 1e-12);
    assert_close(adept_combined(10, NAN, 0.6, 0.4), 10, 1e-12);
    assert_close(adept_combined(NAN, 20, 0.6, 0.4), 20, 1e-12);
}

/* Against a search over a fine grid. */
static void best_factor_minimises_the_mean_relative_error(void **state) {
    (void)state;
    adept_pair pairs[] = {
        {1, 2,   1  },
        {2, 3,   1  },
        {1, 9,   0.5},
        {4, 5,   1  },
        {3, 3.3, 1  }
    };
    double least = HUGE_VAL, found = 0;
    for (double c = 0.5; c < 10; c += 1e-4) {
        double sum = 0;
        for (size_t i = 0; i < 5; i++)
            sum += pairs[i].weight * fabs(c * pairs[i].predicted / pairs[i].measured - 1);
        if (sum < least) {
            least = sum;
            found = c;
        }
    }
    assert_close(adept_best_factor(pairs, 5), found, 1e-3);
}

static void quantiles_are_linear_between_values(void **state) {
    (void)state;
    const double sorted[] = {1, 2, 4, 8};
    assert_close(adept_quantile(sorted, 4, 0), 1, 1e-12);
    assert_close(adept_quantile(sorted, 4, 0.5), 3, 1e-12);
    assert_close(adept_quantile(sorted, 4, 1), 8, 1e-12);
    assert_true(isnan(adept_quantile(sorted, 0, 0.5)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_those_computed_by_hand),
        cmocka_unit_test(without_rows_errors_are_unknown_not_zero),
        cmocka_unit_test(median_of_an_even_number_is_the_middle),
        cmocka_unit_test(combined_error_takes_the_part_that_exists),
        cmocka_unit_test(best_factor_minimises_the_mean_relative_error),
        cmocka_unit_test(quantiles_are_linear_between_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
