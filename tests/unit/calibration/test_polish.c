#include "test_support.h"

#include "fail.h"
#include "polish.h"

enum { N = 3 };

typedef struct quadratic {
    double centre[N];
    const adept_bounds *bounds;
    int left_bounds; /* points seen outside the bounds */
} quadratic;

static const double weight[N] = {1, 100, 0.01};

static double quadratic_loss(void *user, const double *x) {
    quadratic *q = user;
    double sum = 0;
    for (size_t p = 0; p < N; p++) {
        q->left_bounds += !(x[p] >= q->bounds[p].lower && x[p] <= q->bounds[p].upper);
        sum += weight[p] * (x[p] - q->centre[p]) * (x[p] - q->centre[p]);
    }
    return sum;
}

static double quadratic_gradient(void *user, const double *x, double *gradient) {
    quadratic *q = user;
    for (size_t p = 0; p < N; p++)
        gradient[p] = 2 * weight[p] * (x[p] - q->centre[p]);
    return quadratic_loss(user, x);
}

/* Polishes from x; checks that no point was outside the bounds. */
static adept_polish_result polish(quadratic *q, double *x, bool by_gradient) {
    adept_scalar scalar = {quadratic_loss, q, N};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    adept_polish_settings settings = ADEPT_POLISH_SETTINGS_INIT;
    if (by_gradient) {
        settings.gradient = quadratic_gradient;
        settings.user = q;
    }
    adept_polish_result result;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_polish(&result, x, &objective, q->bounds, N, &settings, &err), err);
    assert_int_equal(q->left_bounds, 0);
    assert_true(result.after <= result.before);
    assert_true(result.after == quadratic_loss(q, x));
    return result;
}

static const adept_bounds wide[N] = {
    {-10, 10  },
    {-1,  4   },
    {0,   1000}
};

static void inner_minimum_is_reached_with_and_without_a_gradient(void **state) {
    (void)state;
    for (int by_gradient = 0; by_gradient < 2; by_gradient++) {
        quadratic q = {
            {3, 0.5, 700},
            wide, 0
        };
        double x[N] = {-9, 3.9, 0};
        const adept_polish_result result = polish(&q, x, by_gradient);
        assert_true(result.after < 1e-8);
        assert_close(x[0], 3, 1e-5);
        assert_close(x[1], 0.5, 1e-5);
        assert_close(x[2], 700, 1e-5);
    }
}

static void minimum_on_bounds_is_reached_exactly(void **state) {
    (void)state;
    for (int by_gradient = 0; by_gradient < 2; by_gradient++) {
        quadratic q = {
            {30, -5, 700},
            wide, 0
        };
        double x[N] = {0, 2, 10};
        const adept_polish_result result = polish(&q, x, by_gradient);
        assert_true(x[0] == 10 && x[1] == -1);
        assert_close(x[2], 700, 1e-5);
        assert_close(result.after, 400 + 1600, 1e-9);
    }
}

static void start_on_the_wrong_bound_is_left(void **state) {
    (void)state;
    quadratic q = {
        {3, 0.5, 700},
        wide, 0
    };
    double x[N] = {10, -1, 0};
    assert_true(polish(&q, x, false).after < 1e-8);
}

static void fixed_parameters_stay(void **state) {
    (void)state;
    const adept_bounds bounds[N] = {
        {-10, 10  },
        {2,   2   },
        {0,   1000}
    };
    for (int by_gradient = 0; by_gradient < 2; by_gradient++) {
        quadratic q = {
            {3, 0.5, 700},
            bounds, 0
        };
        double x[N] = {0, 2, 10};
        assert_close(polish(&q, x, by_gradient).after, 100 * 1.5 * 1.5, 1e-9);
        assert_true(x[1] == 2);
    }
    const adept_bounds all[N] = {
        {1, 1},
        {2, 2},
        {3, 3}
    };
    quadratic q = {
        {3, 0.5, 700},
        all, 0
    };
    double x[N] = {1, 2, 3};
    assert_string_equal(polish(&q, x, false).stopped_by, "all parameters are fixed");
}

/* |x - 1| summed: no gradient at the minimum, as in a mean absolute percentage error. */
static double kinks(void *user, const double *x) {
    (void)user;
    return fabs(x[0] - 1) + 3 * fabs(x[1] - 1) + fabs(x[2] - x[0]);
}

static void loss_with_kinks_gets_no_worse(void **state) {
    (void)state;
    adept_scalar scalar = {kinks, NULL, N};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    const adept_polish_settings settings = ADEPT_POLISH_SETTINGS_INIT;
    adept_polish_result result;
    adept_error err = ADEPT_ERROR_INIT;
    double x[N] = {1.1, 1.2, 1.3};
    assert_ok(adept_polish(&result, x, &objective, wide, N, &settings, &err), err);
    assert_true(result.after < result.before);
    assert_true(result.after == kinks(NULL, x));
}

static double cliff(void *user, const double *x) {
    (void)user;
    return x[0] > 2 ? (double)NAN : (x[0] - 3) * (x[0] - 3) + x[1] * x[1] + x[2] * x[2];
}

static void points_without_a_finite_loss_are_never_returned(void **state) {
    (void)state;
    adept_scalar scalar = {cliff, NULL, N};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    const adept_polish_settings settings = ADEPT_POLISH_SETTINGS_INIT;
    adept_polish_result result;
    adept_error err = ADEPT_ERROR_INIT;
    double x[N] = {0, 1, 1}, bad[N] = {5, 1, 1};
    assert_ok(adept_polish(&result, x, &objective, wide, N, &settings, &err), err);
    assert_true(x[0] <= 2 && result.after < result.before && result.after == cliff(NULL, x));
    assert_int_equal(adept_polish(&result, bad, &objective, wide, N, &settings, &err), ADEPT_ARGUMENT);
    assert_string_equal(err.message, "the loss at the point to be polished is not finite");
}

static adept_status fail_later(void *user, size_t thread, const double *candidates, size_t count,
                               double *loss, adept_error *err) {
    static const adept_bounds *const bounds = wide;
    quadratic q = {
        {3, 0.5, 700},
        bounds, 0
    };
    adept_scalar scalar = {quadratic_loss, &q, N};
    if ((*(int *)user)-- == 0)
        return adept_fail(err, ADEPT_RANGE, "row 3 overflows");
    return adept_scalar_evaluate(&scalar, thread, candidates, count, loss, err);
}

static void errors_of_the_objective_come_back(void **state) {
    (void)state;
    for (int calls = 0; calls < 8; calls++) {
        int calls_left = calls;
        const adept_objective objective = {fail_later, &calls_left};
        const adept_polish_settings settings = ADEPT_POLISH_SETTINGS_INIT;
        adept_polish_result result;
        adept_error err = ADEPT_ERROR_INIT;
        double x[N] = {0, 2, 10};
        assert_int_equal(adept_polish(&result, x, &objective, wide, N, &settings, &err), ADEPT_RANGE);
        assert_string_equal(err.message, "row 3 overflows");
    }
}

static void start_outside_the_bounds_is_named(void **state) {
    (void)state;
    quadratic q = {
        {3, 0.5, 700},
        wide, 0
    };
    adept_scalar scalar = {quadratic_loss, &q, N};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    adept_polish_settings settings = ADEPT_POLISH_SETTINGS_INIT;
    adept_polish_result result;
    adept_error err = ADEPT_ERROR_INIT;
    double x[N] = {0, 5, 10};
    assert_int_equal(adept_polish(&result, x, &objective, wide, N, &settings, &err), ADEPT_ARGUMENT);
    assert_string_equal(err.message, "parameter 1: start 5 is outside its bounds [-1, 4]");
    settings.evaluations = 0;
    assert_int_equal(adept_polish(&result, x, &objective, wide, N, &settings, &err), ADEPT_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inner_minimum_is_reached_with_and_without_a_gradient),
        cmocka_unit_test(minimum_on_bounds_is_reached_exactly),
        cmocka_unit_test(start_on_the_wrong_bound_is_left),
        cmocka_unit_test(fixed_parameters_stay),
        cmocka_unit_test(loss_with_kinks_gets_no_worse),
        cmocka_unit_test(points_without_a_finite_loss_are_never_returned),
        cmocka_unit_test(errors_of_the_objective_come_back),
        cmocka_unit_test(start_outside_the_bounds_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
