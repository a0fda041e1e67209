#include "test_support.h"

#include <stdatomic.h>

#include "de.h"
#include "fail.h"

enum { N = 4 };
static const adept_bounds box[N] = {
    {-5,  10 },
    {-5,  10 },
    {2.5, 2.5},
    {-5,  10 }
};

/* Distance from (1, 1, *, 1), a point inside the box, and a wavy ground. */
static double bowl(void *user, const double *x) {
    (void)user;
    double sum = 0;
    for (size_t p = 0; p < N; p++)
        sum += p == 2 ? 0 : (x[p] - 1) * (x[p] - 1) + 0.1 * sin(20 * x[p]);
    return sum;
}

static adept_scalar bowl_scalar = {bowl, NULL, N};
static const adept_objective bowl_objective = {adept_scalar_evaluate, &bowl_scalar};

static adept_de *new_de(const char *strategy, size_t threads, uint64_t seed) {
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    settings.strategy = strategy;
    settings.threads = threads;
    settings.block = 4;
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    assert_ok(adept_de_new(&de, box, N, &settings, seed, &err), err);
    return de;
}

static void run(adept_de *de, int generations) {
    adept_error err = ADEPT_ERROR_INIT;
    for (int g = 0; g < generations; g++)
        assert_ok(adept_de_step(de, &bowl_objective, &err), err);
}

static void assert_same_state(const adept_de *a, const adept_de *b) {
    assert_int_equal(adept_de_population(a), adept_de_population(b));
    for (size_t i = 0; i < adept_de_population(a); i++) {
        double x[N], y[N];
        const double loss_a = adept_de_member(a, i, x), loss_b = adept_de_member(b, i, y);
        assert_memory_equal(&loss_a, &loss_b, sizeof loss_a);
        assert_memory_equal(x, y, sizeof x);
    }
    assert_true(adept_de_generation(a) == adept_de_generation(b));
    assert_true(adept_de_evaluations(a) == adept_de_evaluations(b));
    assert_true(adept_de_non_finite(a) == adept_de_non_finite(b));
    assert_true(adept_de_best(a, NULL) == adept_de_best(b, NULL));
}

static void population_is_fifteen_per_free_parameter_and_fixed_ones_stay(void **state) {
    (void)state;
    adept_de *de = new_de("best1bin", 1, 1);
    assert_int_equal(adept_de_population(de), 45);
    run(de, 30);
    for (size_t i = 0; i < 45; i++) {
        double x[N];
        adept_de_member(de, i, x);
        assert_true(x[2] == 2.5);
    }
    assert_true(adept_de_generation(de) == 30);
    assert_true(adept_de_evaluations(de) == 45 * 31); /* the start too */
    adept_de_free(de);
}

static void every_candidate_is_within_the_bounds_and_best_never_gets_worse(void **state) {
    (void)state;
    for (size_t row = 0; adept_de_strategy_name(row); row++) {
        adept_de *de = new_de(adept_de_strategy_name(row), 1, 5);
        double best = HUGE_VAL;
        for (int g = 0; g < 200; g++) {
            run(de, 1);
            assert_true(adept_de_best(de, NULL) <= best);
            best = adept_de_best(de, NULL);
            for (size_t i = 0; i < adept_de_population(de); i++) {
                double x[N];
                assert_true(adept_de_member(de, i, x) == bowl(NULL, x));
                for (size_t p = 0; p < N; p++)
                    assert_true(x[p] >= box[p].lower && x[p] <= box[p].upper);
            }
        }
        adept_de_free(de);
    }
}

/* x[0] clipped or redrawn: the loss pulls it out of the box. */
static double outwards(void *user, const double *x) {
    (void)user;
    return -x[0] - x[1];
}

static size_t members_on_the_bound(const char *strategy) {
    adept_scalar scalar = {outwards, NULL, N};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de = new_de(strategy, 1, 5);
    size_t count = 0;
    for (int g = 0; g < 20; g++)
        assert_ok(adept_de_step(de, &objective, &err), err);
    for (size_t i = 0; i < adept_de_population(de); i++) {
        double x[N];
        adept_de_member(de, i, x);
        count += x[0] == box[0].upper;
    }
    adept_de_free(de);
    return count;
}

static void best1bin_redraws_and_rand1bin_clips_what_leaves_the_bounds(void **state) {
    (void)state;
    assert_int_equal(members_on_the_bound("best1bin"), 0);
    assert_true(members_on_the_bound("rand1bin") > 0);
}

static void same_seed_gives_the_same_bits_on_any_number_of_threads(void **state) {
    (void)state;
    const size_t threads[] = {2, 3, 7};
    for (size_t row = 0; adept_de_strategy_name(row); row++) {
        adept_de *one = new_de(adept_de_strategy_name(row), 1, 11);
        run(one, 60);
        for (size_t t = 0; t < 3; t++) {
            adept_de *many = new_de(adept_de_strategy_name(row), threads[t], 11);
            run(many, 60);
            assert_same_state(one, many);
            adept_de_free(many);
        }
        adept_de_free(one);
    }
}

static void another_seed_gives_another_population(void **state) {
    (void)state;
    adept_de *a = new_de("best1bin", 1, 1), *b = new_de("best1bin", 1, 2);
    double x[N], y[N];
    adept_de_member(a, 0, x);
    adept_de_member(b, 0, y);
    assert_true(x[0] != y[0]);
    adept_de_free(a);
    adept_de_free(b);
}

static void given_start_is_a_member_of_the_first_population(void **state) {
    (void)state;
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    const double start[N] = {1, 2, 2.5, 3}, outside[N] = {1, 11, 2.5, 3};
    settings.start = start;
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    assert_ok(adept_de_new(&de, box, N, &settings, 1, &err), err);
    double x[N];
    adept_de_member(de, 0, x);
    assert_memory_equal(x, start, sizeof x);
    adept_de_free(de);
    settings.start = outside;
    assert_int_equal(adept_de_new(&de, box, N, &settings, 1, &err), ADEPT_ARGUMENT);
    assert_string_equal(err.message, "parameter 1: start 11 is outside its bounds [-5, 10]");
}

static double holes(void *user, const double *x) {
    (void)user;
    return x[0] < 0 ? (x[1] < 0 ? (double)NAN : (double)-INFINITY) : bowl(NULL, x);
}

static void losses_that_are_not_finite_cost_the_penalty_and_are_counted(void **state) {
    (void)state;
    adept_scalar scalar = {holes, NULL, N};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de = new_de("best1bin", 1, 1);
    assert_ok(adept_de_step(de, &objective, &err), err);
    assert_true(adept_de_non_finite(de) >= 10); /* a third of 45 at the start */
    size_t penalised = 0;
    for (size_t i = 0; i < adept_de_population(de); i++)
        penalised += adept_de_member(de, i, NULL) == ADEPT_DE_PENALTY;
    assert_true(penalised > 0);
    assert_false(adept_de_converged(de));
    assert_true(isfinite(adept_de_spread(de).stddev) && isfinite(adept_de_spread(de).mean));
    for (int g = 0; g < 300; g++)
        assert_ok(adept_de_step(de, &objective, &err), err);
    double x[N];
    assert_true(adept_de_best(de, x) < 0.5);
    assert_true(x[0] >= 0);
    adept_de_free(de);
}

static double nowhere(void *user, const double *x) {
    (void)user, (void)x;
    return (double)NAN;
}

static void population_without_a_single_finite_loss_never_converges(void **state) {
    (void)state;
    adept_scalar scalar = {nowhere, NULL, N};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de = new_de("best1bin", 1, 1);
    assert_ok(adept_de_step(de, &objective, &err), err);
    assert_false(adept_de_converged(de));
    assert_true(adept_de_non_finite(de) == 90);
    adept_de_free(de);
}

static adept_status fail_from(void *user, size_t thread, const double *candidates, size_t count, double *loss,
                              adept_error *err) {
    atomic_int *calls_left = user;
    if (atomic_fetch_sub(calls_left, 1) <= 0)
        return adept_fail(err, ADEPT_RANGE, "row 7 overflows");
    return adept_scalar_evaluate(&bowl_scalar, thread, candidates, count, loss, err);
}

static void error_of_the_objective_comes_back_and_leaves_the_population(void **state) {
    (void)state;
    for (size_t threads = 1; threads <= 3; threads++) {
        adept_de *de = new_de("best1bin", threads, 3), *same = new_de("best1bin", 1, 3);
        run(de, 5);
        run(same, 5);
        atomic_int calls_left = 6;
        const adept_objective objective = {fail_from, &calls_left};
        adept_error err = ADEPT_ERROR_INIT;
        assert_int_equal(adept_de_step(de, &objective, &err), ADEPT_RANGE);
        assert_string_equal(err.message, "row 7 overflows");
        assert_same_state(de, same);
        run(de, 5);
        run(same, 5);
        assert_same_state(de, same);
        adept_de_free(de);
        adept_de_free(same);
    }
}

static void spread_and_convergence_follow_the_losses(void **state) {
    (void)state;
    adept_de *de = new_de("best1bin", 1, 3);
    assert_false(adept_de_converged(de));
    assert_true(adept_de_best(de, NULL) == ADEPT_DE_PENALTY);
    run(de, 10);
    double sum = 0, squares = 0, lowest = HUGE_VAL;
    for (size_t i = 0; i < 45; i++) {
        const double loss = adept_de_member(de, i, NULL);
        sum += loss;
        squares += loss * loss;
        lowest = loss < lowest ? loss : lowest;
    }
    const adept_de_losses losses = adept_de_spread(de);
    assert_close(losses.mean, sum / 45, 1e-12);
    assert_close(losses.stddev, sqrt(squares / 45 - sum / 45 * sum / 45), 1e-9);
    assert_true(losses.lowest == lowest && lowest == adept_de_best(de, NULL));
    int generations = 10;
    for (; !adept_de_converged(de) && generations < 5000; generations++)
        run(de, 1);
    assert_true(generations > 20 && generations < 1000);
    const adept_de_losses last = adept_de_spread(de);
    assert_true(last.stddev <= 0.01 * fabs(last.mean));
    adept_de_free(de);
}

static void all_parameters_fixed_is_one_point_and_converged(void **state) {
    (void)state;
    const adept_bounds point[N] = {
        {1, 1},
        {2, 2},
        {3, 3},
        {4, 4}
    };
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    assert_ok(adept_de_new(&de, point, N, &settings, 1, &err), err);
    run(de, 2);
    double x[N];
    const double expected[N] = {1, 2, 3, 4};
    adept_de_best(de, x);
    assert_memory_equal(x, expected, sizeof x);
    assert_true(adept_de_converged(de));
    adept_de_free(de);
}

static void assert_refused(adept_de_settings settings, const char *text) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    assert_int_not_equal(adept_de_new(&de, box, N, &settings, 1, &err), ADEPT_OK);
    assert_null(de);
    if (!strstr(err.message, text))
        fail_msg("'%s' does not say '%s'", err.message, text);
}

#define assert_setting_refused(field, value, text)                                                           \
    do {                                                                                                     \
        adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;                                                 \
        settings.field = (value);                                                                            \
        assert_refused(settings, text);                                                                      \
    } while (0)

static void wrong_settings_are_named(void **state) {
    (void)state;
    assert_setting_refused(strategy, "best2exp", "strategy 'best2exp' is unknown");
    assert_setting_refused(strategy, NULL, "strategy '' is unknown");
    assert_setting_refused(F_upper, 0.4, "mutation factor from 0.5 to 0.4");
    assert_setting_refused(F_lower, (double)NAN, "mutation factor from nan");
    assert_setting_refused(F_upper, 3, "mutation factor from 0.5 to 3");
    assert_setting_refused(CR, 1.5, "crossover probability 1.5");
    assert_setting_refused(tol, -1, "tolerances -1");
    assert_setting_refused(members_per_parameter, 0, "population of 0 per parameter");
    assert_setting_refused(block, 0, "blocks of 0 candidates");
    assert_setting_refused(threads, 100000, "100000 threads");
}

static void wrong_bounds_are_named(void **state) {
    (void)state;
    const struct {
        adept_bounds bounds;
        const char *text;
    } rows[] = {
        {{2, 1},              "parameter 1: lower bound 2 is above upper bound 1"       },
        {{(double)NAN, 1},    "parameter 1: bounds [nan, 1] are not finite"             },
        {{0, HUGE_VAL},       "parameter 1: bounds [0, inf] are not finite"             },
        {{-1.7e308, 1.7e308}, "parameter 1: bounds [-1.7e+308, 1.7e+308] are not finite"},
    };
    const adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const adept_bounds bounds[2] = {
            {0, 1},
            rows[i].bounds
        };
        assert_int_equal(adept_de_new(&de, bounds, 2, &settings, 1, &err), ADEPT_ARGUMENT);
        assert_string_equal(err.message, rows[i].text);
    }
    assert_int_equal(adept_de_new(&de, box, 0, &settings, 1, &err), ADEPT_ARGUMENT);
}

/* ---- saved states -------------------------------------------------------------------------------------- */

static char *saved_text(const adept_de *de) {
    static char text[1 << 16];
    adept_error err = ADEPT_ERROR_INIT;
    FILE *file = tmpfile();
    assert_ok(adept_de_save(de, file, &err), err);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static adept_status restore_text(adept_de *de, const char *text, adept_error *err) {
    FILE *file = tmpfile();
    fputs(text, file);
    rewind(file);
    const adept_status status = adept_de_restore(de, file, err);
    fclose(file);
    return status;
}

static void restored_run_continues_bit_by_bit(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    for (int before = 0; before <= 40; before += 20) { /* 0: saved before the first step */
        adept_de *whole = new_de("best1bin", 1, 9), *first = new_de("best1bin", 1, 9);
        adept_de *second = new_de("best1bin", 3, 9);
        run(whole, before + 40);
        run(first, before);
        run(second, 7);
        assert_ok(restore_text(second, saved_text(first), &err), err);
        assert_same_state(first, second);
        run(second, 40);
        assert_same_state(whole, second);
        adept_de_free(whole);
        adept_de_free(first);
        adept_de_free(second);
    }
}

static void damaged_state_is_refused_and_changes_nothing(void **state) {
    (void)state;
    adept_de *de = new_de("best1bin", 1, 9), *same = new_de("best1bin", 1, 9);
    run(de, 20);
    char *text = saved_text(de);
    const size_t length = strlen(text);
    run(de, 1);
    run(same, 21);
    for (size_t at = 0; at + 1 < length; at += 97) {
        adept_error err = ADEPT_ERROR_INIT;
        const char kept = text[at];
        text[at] = '\0';
        assert_int_not_equal(restore_text(de, text, &err), ADEPT_OK); /* cut short */
        text[at] = kept == '0' ? '1' : '0';
        const adept_status status = restore_text(de, text, &err); /* one character wrong */
        text[at] = kept;
        if (kept != ' ' && kept != '\n')
            assert_int_not_equal(status, ADEPT_OK);
        else
            assert_int_equal(status, ADEPT_FORMAT);
    }
    assert_same_state(de, same);
    run(de, 10);
    run(same, 10);
    assert_same_state(de, same);
    adept_de_free(de);
    adept_de_free(same);
}

static void state_of_another_problem_is_refused_by_name(void **state) {
    (void)state;
    const adept_de_settings usual = ADEPT_DE_SETTINGS_INIT;
    adept_bounds wider[N], fewer_fixed[N];
    memcpy(wider, box, sizeof box);
    memcpy(fewer_fixed, box, sizeof box);
    wider[3].upper = 11;
    fewer_fixed[2].upper = 3;
    adept_de_settings rand1 = usual, other_data = usual, other_CR = usual;
    rand1.strategy = "rand1bin";
    other_data.fingerprint = 5;
    other_CR.CR = 0.5;
    const struct {
        const adept_bounds *bounds;
        size_t parameters;
        const adept_de_settings *settings;
        uint64_t seed;
        const char *text;
    } rows[] = {
        {box,         N, &rand1,      1, "state saved with strategy best1bin, this run uses rand1bin"            },
        {box,         N, &usual,      2, "state saved with seed 1, this run has 2"                               },
        {box,         N, &other_data, 1, "state saved with fingerprint of the objective 0, this run has 5"       },
        {box,         3, &usual,      1, "state saved with number of parameters 4, this run has 3"               },
        {fewer_fixed, N, &usual,      1, "state saved with number of free parameters 3, this run has 4"          },
        {box,         N, &other_CR,   1,
         "state saved with crossover probability 0.69999999999999996, this run has 0.5"                          },
        {wider,       N, &usual,      1, "state saved with bounds [-5, 10] of parameter 3, this run has [-5, 11]"},
    };
    adept_de *saved = new_de("best1bin", 1, 1);
    run(saved, 3);
    const char *text = saved_text(saved);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_de *de;
        assert_ok(adept_de_new(&de, rows[i].bounds, rows[i].parameters, rows[i].settings, rows[i].seed, &err),
                  err);
        assert_int_equal(restore_text(de, text, &err), ADEPT_ARGUMENT);
        assert_string_equal(err.message, rows[i].text);
        adept_de_free(de);
    }
    adept_de_free(saved);
}

static void state_does_not_fit_on_a_full_device(void **state) {
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    setvbuf(full, NULL, _IONBF, 0);
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de = new_de("best1bin", 1, 1);
    assert_int_equal(adept_de_save(de, full, &err), ADEPT_IO);
    fclose(full);
    adept_de_free(de);
    adept_de_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(population_is_fifteen_per_free_parameter_and_fixed_ones_stay),
        cmocka_unit_test(every_candidate_is_within_the_bounds_and_best_never_gets_worse),
        cmocka_unit_test(best1bin_redraws_and_rand1bin_clips_what_leaves_the_bounds),
        cmocka_unit_test(same_seed_gives_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(another_seed_gives_another_population),
        cmocka_unit_test(given_start_is_a_member_of_the_first_population),
        cmocka_unit_test(losses_that_are_not_finite_cost_the_penalty_and_are_counted),
        cmocka_unit_test(population_without_a_single_finite_loss_never_converges),
        cmocka_unit_test(error_of_the_objective_comes_back_and_leaves_the_population),
        cmocka_unit_test(spread_and_convergence_follow_the_losses),
        cmocka_unit_test(all_parameters_fixed_is_one_point_and_converged),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(wrong_bounds_are_named),
        cmocka_unit_test(restored_run_continues_bit_by_bit),
        cmocka_unit_test(damaged_state_is_refused_and_changes_nothing),
        cmocka_unit_test(state_of_another_problem_is_refused_by_name),
        cmocka_unit_test(state_does_not_fit_on_a_full_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
