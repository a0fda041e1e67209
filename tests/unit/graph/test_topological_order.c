#include "test_support.h"
#include "topological_order.h"

enum { MOST = 8 };

static void sorted_nodes_keep_their_order(void **state) {
    (void)state;
    const size_t offsets[] = {0, 0, 1, 1, 3};
    const int32_t predecessors[] = {0, 1, 2};
    int32_t order[MOST], cycle[MOST], cycle_length;
    assert_int_equal(adept_topological_order(4, offsets, predecessors, order, cycle, &cycle_length),
                     ADEPT_OK);
    for (int32_t i = 0; i < 4; i++)
        assert_int_equal(order[i], i);
}

/* 0 needs 3, 3 needs 2; 1 is free. Ready from the start: 1, 2; smallest number first. */
static void ready_nodes_come_in_order_of_their_numbers(void **state) {
    (void)state;
    const size_t offsets[] = {0, 1, 1, 1, 2};
    const int32_t predecessors[] = {3, 2}, expected[] = {1, 2, 3, 0};
    int32_t order[MOST], cycle[MOST], cycle_length;
    assert_int_equal(adept_topological_order(4, offsets, predecessors, order, cycle, &cycle_length),
                     ADEPT_OK);
    assert_memory_equal(order, expected, sizeof expected);
}

static void an_edge_given_twice_counts_once(void **state) {
    (void)state;
    const size_t offsets[] = {0, 2, 2};
    const int32_t predecessors[] = {1, 1}, expected[] = {1, 0};
    int32_t order[MOST], cycle[MOST], cycle_length;
    assert_int_equal(adept_topological_order(2, offsets, predecessors, order, cycle, &cycle_length),
                     ADEPT_OK);
    assert_memory_equal(order, expected, sizeof expected);
}

/* 0 -> 1 -> 2 -> 0 with 3 fed by it and 4 free: only the circle is reported, each before its successor. */
static void a_cycle_is_reported_without_its_surroundings(void **state) {
    (void)state;
    const size_t offsets[] = {0, 1, 2, 3, 4, 4};
    const int32_t predecessors[] = {2, 0, 1, 2};
    int32_t order[MOST], cycle[MOST], cycle_length;
    assert_int_equal(adept_topological_order(5, offsets, predecessors, order, cycle, &cycle_length),
                     ADEPT_FORMAT);
    assert_int_equal(cycle_length, 3);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(cycle[i], i);
}

static void a_node_that_needs_itself_is_a_cycle_of_one(void **state) {
    (void)state;
    const size_t offsets[] = {0, 0, 1};
    const int32_t predecessors[] = {1};
    int32_t order[MOST], cycle[MOST], cycle_length;
    assert_int_equal(adept_topological_order(2, offsets, predecessors, order, cycle, &cycle_length),
                     ADEPT_FORMAT);
    assert_int_equal(cycle_length, 1);
    assert_int_equal(cycle[0], 1);
}

/* A reversed chain: the worst case of the sort, and each node exactly once. */
static void a_long_reversed_chain_is_turned_round(void **state) {
    (void)state;
    enum { N = 100000 };
    size_t *offsets = calloc(N + 1, sizeof *offsets);
    int32_t *predecessors = calloc(N, sizeof *predecessors), *order = calloc(N, sizeof *order);
    int32_t *cycle = calloc(N, sizeof *cycle), cycle_length;
    for (int32_t i = 0; i < N; i++) {
        offsets[i + 1] = (size_t)(i < N - 1 ? i + 1 : N - 1);
        predecessors[i] = i + 1;
    }
    assert_int_equal(adept_topological_order(N, offsets, predecessors, order, cycle, &cycle_length),
                     ADEPT_OK);
    for (int32_t i = 0; i < N; i++)
        assert_int_equal(order[i], N - 1 - i);
    free(offsets);
    free(predecessors);
    free(order);
    free(cycle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_nodes_keep_their_order),
        cmocka_unit_test(ready_nodes_come_in_order_of_their_numbers),
        cmocka_unit_test(an_edge_given_twice_counts_once),
        cmocka_unit_test(a_cycle_is_reported_without_its_surroundings),
        cmocka_unit_test(a_node_that_needs_itself_is_a_cycle_of_one),
        cmocka_unit_test(a_long_reversed_chain_is_turned_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
