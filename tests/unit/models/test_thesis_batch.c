/* Many candidates at once give what one at a time gives. */
#include "toy.h"

#include "thesis.h"

enum { CANDIDATES = 150, ROWS = 5, PARAMETERS = ADEPT_THESIS_PARAMETER_COUNT };

static double theta[PARAMETERS * CANDIDATES]; /* [parameter][candidate] */
static adept_thesis_row rows[ROWS];

/* Candidates all over the bounds, from a fixed linear congruential sequence (Knuth's MMIX constants). */
static int fill(void **state) {
    (void)state;
    uint64_t random = 1;
    for (size_t i = 0; i < PARAMETERS * CANDIDATES; i++) {
        const adept_parameter *p = &adept_thesis_parameters[i / CANDIDATES];
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double u = (double)(random >> 11) / 9007199254740992.0;
        theta[i] =
            p->logarithmic ? p->lower * pow(p->upper / p->lower, u) : p->lower + u * (p->upper - p->lower);
    }
    for (int r = 0; r < ROWS; r++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_hardware_spec spec = toy_spec();
        adept_workload w = toy_workload();
        w.precision = r % 2 ? ADEPT_PRECISION_BF16_AMP : ADEPT_PRECISION_FP32;
        w.gpus = r + 1;
        w.weight_sharing = r == 3 ? 12 : 1;
        w.forward.conv_flop = r == 1 ? 0 : 2e12;
        w.backward.conv_flop = r == 1 ? 0 : 4e12;
        assert_ok(adept_thesis_row_init(&rows[r], &w, &spec, r == 4 ? 120 : 200, &err), err);
    }
    return 0;
}

static void both_paths_agree_for_every_saturation_function(void **state) {
    (void)state;
    static double step_s[ROWS * CANDIDATES];
    static double power_W[ROWS * CANDIDATES];
    for (int s = 0; s < ADEPT_SATURATION_COUNT; s++) {
        adept_saturation saturation = (adept_saturation)s;
        adept_thesis_evaluate_many(step_s, power_W, theta, CANDIDATES, CANDIDATES, rows, ROWS, saturation);
        for (size_t i = 0; i < ROWS * CANDIDATES; i++) {
            const adept_thesis_row *row = &rows[i / CANDIDATES];
            double one[PARAMETERS];
            for (size_t p = 0; p < PARAMETERS; p++)
                one[p] = theta[p * CANDIDATES + i % CANDIDATES];
            adept_thesis_times times = adept_thesis_time(row, one, saturation);
            assert_close(step_s[i], times.step_s, 1e-12);
            assert_close(power_W[i], adept_thesis_average_power_W(row, &times, one), 1e-12);
        }
    }
}

static void a_candidate_does_not_depend_on_its_neighbours(void **state) {
    (void)state;
    static double all_s[ROWS * CANDIDATES];
    static double all_W[ROWS * CANDIDATES];
    adept_thesis_evaluate_many(all_s, all_W, theta, CANDIDATES, CANDIDATES, rows, ROWS,
                               ADEPT_SATURATION_SIGMOID);
    for (size_t first = 0; first < CANDIDATES; first += 7) {
        double few_s[ROWS * 3];
        double few_W[ROWS * 3];
        size_t count = CANDIDATES - first < 3 ? CANDIDATES - first : 3;
        adept_thesis_evaluate_many(few_s, few_W, theta + first, CANDIDATES, count, rows, ROWS,
                                   ADEPT_SATURATION_SIGMOID);
        for (size_t r = 0; r < ROWS; r++) {
            for (size_t i = 0; i < count; i++) {
                assert_true(few_s[r * count + i] == all_s[r * CANDIDATES + first + i]);
                assert_true(few_W[r * count + i] == all_W[r * CANDIDATES + first + i]);
            }
        }
    }
}

static void no_candidate_within_the_bounds_gives_a_number_that_is_not_finite(void **state) {
    (void)state;
    double corner[PARAMETERS * 2];
    double step_s[ROWS * 2];
    double power_W[ROWS * 2];
    for (size_t p = 0; p < PARAMETERS; p++) {
        corner[p * 2] = adept_thesis_parameters[p].lower;
        corner[p * 2 + 1] = adept_thesis_parameters[p].upper;
    }
    for (int s = 0; s < ADEPT_SATURATION_COUNT; s++) {
        adept_thesis_evaluate_many(step_s, power_W, corner, 2, 2, rows, ROWS, (adept_saturation)s);
        for (size_t i = 0; i < ROWS * 2; i++)
            assert_true(isfinite(step_s[i]) && step_s[i] > 0 && isfinite(power_W[i]) && power_W[i] > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_paths_agree_for_every_saturation_function),
        cmocka_unit_test(a_candidate_does_not_depend_on_its_neighbours),
        cmocka_unit_test(no_candidate_within_the_bounds_gives_a_number_that_is_not_finite),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
