#include "test_support.h"

#include "latin_hypercube.h"

enum { DIMS = 5, COUNT = 37, STRIDE = 40 };

static void draw(double *points, uint64_t seed) {
    size_t order[COUNT];
    adept_random random = adept_random_new(seed, 0);
    adept_latin_hypercube(points, DIMS, COUNT, STRIDE, order, &random);
}

static void every_segment_of_every_dimension_holds_one_point(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        double points[DIMS * STRIDE];
        draw(points, seed);
        for (size_t d = 0; d < DIMS; d++) {
            int seen[COUNT] = {0};
            for (size_t i = 0; i < COUNT; i++) {
                assert_true(points[d * STRIDE + i] >= 0 && points[d * STRIDE + i] < 1);
                seen[(size_t)(points[d * STRIDE + i] * COUNT)]++;
            }
            for (size_t s = 0; s < COUNT; s++)
                assert_int_equal(seen[s], 1);
        }
    }
}

static void nothing_is_written_beyond_the_count(void **state) {
    (void)state;
    double points[DIMS * STRIDE];
    for (size_t i = 0; i < DIMS * STRIDE; i++)
        points[i] = -1;
    draw(points, 0);
    for (size_t d = 0; d < DIMS; d++) {
        for (size_t i = COUNT; i < STRIDE; i++)
            assert_true(points[d * STRIDE + i] == -1);
    }
}

static void dimensions_are_paired_at_random(void **state) {
    (void)state;
    double mean =
        0; /* correlation of the first two dimensions, averaged: its deviation is 1/sqrt(36 * 200) */
    for (uint64_t seed = 0; seed < 200; seed++) {
        double points[DIMS * STRIDE], product = 0;
        draw(points, seed);
        for (size_t i = 0; i < COUNT; i++)
            product += (points[i] - 0.5) * (points[STRIDE + i] - 0.5);
        mean += product / COUNT * 12 / 200;
    }
    assert_true(fabs(mean) < 4 / sqrt(36.0 * 200));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_segment_of_every_dimension_holds_one_point),
        cmocka_unit_test(nothing_is_written_beyond_the_count),
        cmocka_unit_test(dimensions_are_paired_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
