#include "test_support.h"

#include "pattern_search.h"
#include "singular_values.h"

/* A = U diag(5, 2, 0.1) V^T put together from known rotations. */
static void singular_values_of_a_known_matrix_are_found(void **state) {
    (void)state;
    enum { ROWS = 5, COLUMNS = 3 };
    const double sigma[] = {5, 2, 0.1}, c = cos(0.7), s = sin(0.7);
    const double v[3][3] = {
        {c,  s, 0},
        {-s, c, 0},
        {0,  0, 1}
    }; /* [column][row] */
    const double u[3][5] = {
        {0.6,  0.8, 0,    0,    0},
        {-0.8, 0.6, 0,    0,    0},
        {0,    0,   0.28, 0.96, 0}
    };
    double a[COLUMNS * ROWS] = {0}, out_v[9], found[3], rebuilt[COLUMNS * ROWS] = {0},
                       original[COLUMNS * ROWS];
    for (int k = 0; k < 3; k++) {
        for (int j = 0; j < COLUMNS; j++) {
            for (int i = 0; i < ROWS; i++)
                a[j * ROWS + i] += sigma[k] * u[k][i] * v[k][j];
        }
    }
    memcpy(original, a, sizeof a);
    adept_singular_values(a, ROWS, COLUMNS, out_v, found);
    for (int k = 0; k < 3; k++) {
        assert_close(found[k], sigma[k], 1e-12);
        for (int j = 0; j < COLUMNS; j++) {
            for (int i = 0; i < ROWS; i++)
                rebuilt[j * ROWS + i] += a[k * ROWS + i] * out_v[k * COLUMNS + j];
        }
    }
    for (int i = 0; i < COLUMNS * ROWS; i++)
        assert_true(fabs(rebuilt[i] - original[i]) < 1e-12);
}

static void equal_columns_have_rank_one(void **state) {
    (void)state;
    double a[] = {1, 2, 3, 1, 2, 3}, v[4], sigma[2];
    adept_singular_values(a, 3, 2, v, sigma);
    assert_close(sigma[0], sqrt(28), 1e-12);
    assert_true(sigma[1] < 1e-12);
}

/* |x - 1| + 3 |y + 0.5|: a gradient is of no use at its kinks. */
static adept_status kinked(void *user, size_t thread, const double *x, size_t count, double *loss,
                           adept_error *err) {
    (void)user, (void)thread, (void)err;
    for (size_t i = 0; i < count; i++)
        loss[i] = fabs(x[i] - 1) + 3 * fabs(x[count + i] + 0.5) + 0.1;
    return ADEPT_OK;
}

static void pattern_search_walks_into_a_kink(void **state) {
    (void)state;
    const adept_bounds bounds[] = {
        {-5, 5},
        {-5, 5}
    };
    const adept_objective objective = {kinked, NULL};
    adept_pattern_settings settings = ADEPT_PATTERN_SETTINGS_INIT;
    adept_pattern_result result;
    adept_error err = ADEPT_ERROR_INIT;
    double x[] = {-4, 4};
    assert_ok(adept_pattern_search(&result, x, &objective, bounds, 2, &settings, &err), err);
    assert_true(fabs(x[0] - 1) < 2e-3 && fabs(x[1] + 0.5) < 2e-3);
    assert_true(result.after < result.before);
    double bound_x[] = {5, -5};
    const adept_bounds tight[] = {
        {2,  5 },
        {-5, -1}
    };
    assert_ok(adept_pattern_search(&result, bound_x, &objective, tight, 2, &settings, &err), err);
    assert_close(bound_x[0], 2, 1e-12);
    assert_close(bound_x[1], -1, 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(singular_values_of_a_known_matrix_are_found),
        cmocka_unit_test(equal_columns_have_rank_one),
        cmocka_unit_test(pattern_search_walks_into_a_kink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
