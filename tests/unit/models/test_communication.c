#include "toy.h"

#include "communication.h"

/* Eq 4.8 by hand: 4 GPUs, 1 GB, 100 GB/s, 10 us: 6 hops 60 us, 6/4 of 1 GB over 100 GB/s 15 ms. */
static void ring_takes_latency_per_hop_and_its_share_of_the_data(void **state) {
    (void)state;
    assert_close(adept_ring_allreduce_s(4, 10e-6, 1e9, 100e9), 60e-6 + 15e-3, 1e-12);
    assert_close(adept_ring_allreduce_s(2, 10e-6, 1e9, 100e9), 20e-6 + 10e-3, 1e-12);
    assert_true(adept_ring_allreduce_s(1, 10e-6, 1e9, 100e9) == 0);
}

static void a_large_ring_sends_the_data_twice(void **state) {
    (void)state;
    assert_close(adept_ring_share(1000000), 2, 1e-5);
}

static void the_link_follows_topology_and_number_of_gpus(void **state) {
    (void)state;
    adept_hardware_spec spec = toy_spec();
    static const struct {
        adept_link_topology topology;
        int32_t gpus;
        adept_link_kind kind;
        double B_per_s;
    } cases[] = {
        {ADEPT_LINK_NVSWITCH, 8,  ADEPT_LINK_KIND_DIRECT,  100e9},
        {ADEPT_LINK_MESH,     4,  ADEPT_LINK_KIND_DIRECT,  100e9},
        {ADEPT_LINK_BRIDGE,   2,  ADEPT_LINK_KIND_DIRECT,  100e9},
        {ADEPT_LINK_BRIDGE,   3,  ADEPT_LINK_KIND_PCIE,    10e9 },
        {ADEPT_LINK_NONE,     2,  ADEPT_LINK_KIND_PCIE,    10e9 },
        {ADEPT_LINK_NVSWITCH, 16, ADEPT_LINK_KIND_NETWORK, 100e9}, /* 8 shares of 25 GB/s are more */
        {ADEPT_LINK_NONE,     16, ADEPT_LINK_KIND_NETWORK, 10e9 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        spec.link_topology = cases[i].topology;
        adept_link_choice link = adept_link_for(&spec, cases[i].gpus);
        assert_int_equal(link.kind, cases[i].kind);
        assert_close(link.B_per_s, cases[i].B_per_s, 1e-12);
    }
    assert_int_equal(adept_link_for(&spec, 1).kind, ADEPT_LINK_KIND_NONE);
}

static void an_assumed_network_says_so_and_a_given_one_is_used(void **state) {
    (void)state;
    adept_hardware_spec spec = toy_spec();
    assert_true(adept_link_for(&spec, 16).assumed);
    spec.internode_B_per_s = 5e9;
    assert_false(adept_link_for(&spec, 16).assumed);
    assert_close(adept_link_for(&spec, 16).B_per_s, 8 * 5e9, 1e-12);
}

/* Rings side by side: the network shares of the GPUs that a node holds; two nodes of 5 hold 5 each. */
static void a_ring_over_nodes_has_all_network_cards_of_a_node(void **state) {
    (void)state;
    adept_hardware_spec spec = toy_spec();
    spec.internode_B_per_s = 1e9;
    assert_close(adept_link_for(&spec, 64).B_per_s, 8e9, 1e-12);
    assert_close(adept_link_for(&spec, 10).B_per_s, 5e9, 1e-12);
    spec.gpus_per_node = 1;
    assert_close(adept_link_for(&spec, 64).B_per_s, 1e9, 1e-12);
}

/* 8 GPUs: 14 hops of 3 us; 64 GPUs in 8 nodes: the same and 2 x 3 levels of 5 us. */
static void latency_is_of_a_ring_inside_and_of_a_tree_between_nodes(void **state) {
    (void)state;
    adept_hardware_spec spec = toy_spec();
    spec.internode_latency_s = 5e-6;
    assert_close(adept_allreduce_latency_s(&spec, 8, 3e-6), 42e-6, 1e-12);
    assert_close(adept_allreduce_latency_s(&spec, 64, 3e-6), 42e-6 + 30e-6, 1e-12);
    spec.internode_latency_s = NAN; /* then a hop's */
    assert_close(adept_allreduce_latency_s(&spec, 64, 3e-6), 42e-6 + 18e-6, 1e-12);
    for (int32_t n = 1; n < 300; n++)
        assert_true(adept_allreduce_latency_s(&spec, n + 1, 3e-6) >=
                    adept_allreduce_latency_s(&spec, n, 3e-6));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_takes_latency_per_hop_and_its_share_of_the_data),
        cmocka_unit_test(a_large_ring_sends_the_data_twice),
        cmocka_unit_test(the_link_follows_topology_and_number_of_gpus),
        cmocka_unit_test(an_assumed_network_says_so_and_a_given_one_is_used),
        cmocka_unit_test(a_ring_over_nodes_has_all_network_cards_of_a_node),
        cmocka_unit_test(latency_is_of_a_ring_inside_and_of_a_tree_between_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
