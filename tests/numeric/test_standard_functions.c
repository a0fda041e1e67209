/* The optimizers find the known minima: {function, bounds, minimizer, minimum} x strategy. */
#include "test_support.h"

#include "de.h"
#include "polish.h"
#include "standard_functions.h"

enum { MAX_N = 16 };

static double loss(void *user, const double *x) {
    const standard_row *row = user;
    return row->value(x, row->n);
}

static void fill_bounds(const standard_row *row, adept_bounds *bounds) {
    for (size_t p = 0; p < row->n; p++)
        bounds[p] = (adept_bounds){row->lower, row->upper};
}

static void published_minimizers_have_the_published_minima(void **state) {
    (void)state;
    for (size_t f = 0; f < standard_function_count; f++) {
        const standard_row *row = &standard_functions[f];
        double x[MAX_N];
        standard_minimizer(row, x);
        if (fabs(row->value(x, row->n) - row->minimum) > 1e-9)
            fail_msg("%s in %zu dimensions is %g at its minimizer", row->name, row->n, row->value(x, row->n));
    }
}

/* Until the population has converged; the best point in x, polished if asked. */
static double optimise(const standard_row *row, const char *strategy, size_t threads, uint64_t seed,
                       bool polished, double *x) {
    adept_bounds bounds[MAX_N];
    fill_bounds(row, bounds);
    adept_scalar scalar = {loss, (void *)row, row->n};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    settings.strategy = strategy;
    settings.threads = threads;
    settings.atol = 1e-6;
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    assert_ok(adept_de_new(&de, bounds, row->n, &settings, seed, &err), err);
    while (!adept_de_converged(de) && adept_de_generation(de) < 20000)
        assert_ok(adept_de_step(de, &objective, &err), err);
    double best = adept_de_best(de, x);
    adept_de_free(de);
    if (polished) {
        const adept_polish_settings polish = ADEPT_POLISH_SETTINGS_INIT;
        adept_polish_result result;
        assert_ok(adept_polish(&result, x, &objective, bounds, row->n, &polish, &err), err);
        best = result.after;
    }
    return best;
}

/* Evolution may end in a local minimum: several seeds, as a user would try. */
static void assert_found(const standard_row *row, const char *strategy) {
    double lowest = HUGE_VAL;
    for (int seed = 0; seed < row->attempts && fabs(lowest - row->minimum) > 1e-8; seed++) {
        double x[MAX_N];
        lowest = fmin(lowest, optimise(row, strategy, 1, (uint64_t)seed, true, x));
        for (size_t p = 0; p < row->n; p++)
            assert_true(x[p] >= row->lower && x[p] <= row->upper);
    }
    if (fabs(lowest - row->minimum) > 1e-8)
        fail_msg("%s: %s in %zu dimensions: %.3g instead of %g", strategy, row->name, row->n, lowest,
                 row->minimum);
}

static void evolution_and_polish_find_every_minimum(void **state) {
    (void)state;
    for (size_t s = 0; adept_de_strategy_name(s); s++) {
        for (size_t f = 0; f < standard_function_count; f++)
            assert_found(&standard_functions[f], adept_de_strategy_name(s));
    }
}

static void threads_do_not_change_a_bit(void **state) {
    (void)state;
    const size_t threads[] = {2, 3, 7};
    const standard_row *row = &standard_functions[5]; /* Rastrigin: 90 members, three blocks */
    double one[MAX_N], many[MAX_N];
    const double expected = optimise(row, "best1bin", 1, 1, false, one);
    for (size_t t = 0; t < 3; t++) {
        const double best = optimise(row, "best1bin", threads[t], 1, false, many);
        assert_memory_equal(&best, &expected, sizeof best);
        assert_memory_equal(many, one, row->n * sizeof one[0]);
    }
}

/* Bounds that cut the minimizer off: the minimum of Rosenbrock's valley then lies on the bound y = 0.25. */
static void polish_finds_the_minimum_on_a_bound(void **state) {
    (void)state;
    adept_scalar scalar = {loss, (void *)&standard_functions[2], 2};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    const adept_bounds bounds[2] = {
        {-2, 2   },
        {-1, 0.25}
    };
    const adept_polish_settings settings = ADEPT_POLISH_SETTINGS_INIT;
    /* d/dx of 100 (c - x^2)^2 + (1 - x)^2 with c = 0.25: 400 x^3 - 98 x - 2 = 0, by Newton from 0.5 */
    double x = 0.5;
    for (int i = 0; i < 50; i++)
        x -= (400 * x * x * x - 98 * x - 2) / (1200 * x * x - 98);
    const double expected = 100 * (0.25 - x * x) * (0.25 - x * x) + (1 - x) * (1 - x);
    double point[2] = {-1, -0.5};
    adept_polish_result result;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_polish(&result, point, &objective, bounds, 2, &settings, &err), err);
    assert_true(point[1] == 0.25);
    assert_true(fabs(result.after - expected) < 1e-8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_minimizers_have_the_published_minima),
        cmocka_unit_test(evolution_and_polish_find_every_minimum),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(polish_finds_the_minimum_on_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
