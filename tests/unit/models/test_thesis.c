/* One hand-computed example per equation of the thesis variant. Numbers of the toy: toy.h. */
#include "toy.h"

#include "thesis.h"

static adept_thesis_row row_of(const adept_workload *workload) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware_spec spec = toy_spec();
    adept_thesis_row row;
    assert_ok(adept_thesis_row_init(&row, workload, &spec, spec.tdp_W, &err), err);
    return row;
}

static adept_thesis_times times_of(const adept_workload *workload, const adept_theta *theta) {
    adept_thesis_row row = row_of(workload);
    return adept_thesis_time(&row, theta->value, ADEPT_SATURATION_SIGMOID);
}

/* 3e12 GEMM + 6e12 conv + 3e11 ALU FLOP at 10 TFLOP/s: 0.3 + 0.6 + 0.03 s. */
static void eq_4_9_time_is_flop_over_peak_times_efficiency(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    assert_close(times_of(&w, &theta).compute_s, 0.93, 1e-12);
    theta.value[ADEPT_THESIS_BETA_GEMM] = 0.5;
    theta.value[ADEPT_THESIS_C_CONV] = 2;
    assert_close(times_of(&w, &theta).compute_s, 0.3 / 0.5 + 0.6 * 2 + 0.03, 1e-12);
}

/* TF32: matrix work at 40, the rest at 10 TFLOP/s. BF16: 80. */
static void eq_4_9_the_peak_is_that_of_class_and_precision(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    w.precision = ADEPT_PRECISION_TF32;
    assert_close(times_of(&w, &theta).compute_s, 9e12 / 40e12 + 0.03, 1e-12);
    w.precision = ADEPT_PRECISION_BF16_AMP;
    assert_close(times_of(&w, &theta).compute_s, 9e12 / 80e12 + 0.03, 1e-12);
}

/* M 512 / 8 = 64 tiles with R 64: S = 1/(1+e^-1); beta 0.8, N and K saturated. */
static void eq_4_10_and_4_11_efficiency_is_a_product_of_saturations(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    adept_thesis_row row = row_of(&w);
    theta.value[ADEPT_THESIS_BETA_GEMM] = 0.8;
    theta.value[ADEPT_THESIS_R_GEMM_M] = 64;
    double e = adept_thesis_efficiency(&row, ADEPT_TERM_GEMM, theta.value, ADEPT_SATURATION_SIGMOID);
    assert_close(e, 0.8 * 0.7310585786300049, 1e-12);
    /* channels (64 + 128)/2 / 32 = 3 blocks, 3136 pixels, 9 kernel elements, each at x = 1, softsign 1/2 */
    theta.value[ADEPT_THESIS_R_CONV_CHANNEL] = 3;
    theta.value[ADEPT_THESIS_R_CONV_SPATIAL] = 3136;
    theta.value[ADEPT_THESIS_R_CONV_FILTER] = 9;
    e = adept_thesis_efficiency(&row, ADEPT_TERM_CONV, theta.value, ADEPT_SATURATION_SOFTSIGN);
    assert_close(e, 0.125, 1e-12);
    theta.value[ADEPT_THESIS_R_ELEM] = 1e6;
    e = adept_thesis_efficiency(&row, ADEPT_TERM_ALU, theta.value, ADEPT_SATURATION_TANH);
    assert_close(e, 0.7615941559557649, 1e-12);
}

/* Ideal tiles: m16 n8 k8 and 64 channels for 16 bits, m16 n8 k4 for TF32, m8 n8 k8 and 32 channels for FP32.
 */
static void dimensions_are_counted_in_ideal_tiles(void **state) {
    (void)state;
    static const struct {
        adept_precision precision;
        double m, n, k, channel;
    } cases[] = {
        {ADEPT_PRECISION_FP32,     64, 128, 256, 3  },
        {ADEPT_PRECISION_TF32,     32, 128, 512, 3  },
        {ADEPT_PRECISION_BF16_AMP, 32, 128, 256, 1.5},
    };
    for (size_t i = 0; i < 3; i++) {
        adept_workload w = toy_workload();
        w.precision = cases[i].precision;
        adept_thesis_row row = row_of(&w);
        assert_close(row.dimensions[ADEPT_DIMENSION_M], cases[i].m, 1e-12);
        assert_close(row.dimensions[ADEPT_DIMENSION_N], cases[i].n, 1e-12);
        assert_close(row.dimensions[ADEPT_DIMENSION_K], cases[i].k, 1e-12);
        assert_close(row.dimensions[ADEPT_DIMENSION_CHANNEL], cases[i].channel, 1e-12);
        assert_close(row.dimensions[ADEPT_DIMENSION_SPATIAL], 3136, 1e-12);
    }
}

static void eq_4_13_cache_factor_lies_between_miss_rate_and_one(void **state) {
    (void)state;
    assert_close(adept_thesis_l2_factor(0.3, 0.4), 0.4, 1e-12);
    assert_close(adept_thesis_l2_factor(0.5, 0.4), 0.5, 1e-12);
    assert_close(adept_thesis_l2_factor(0.5, 7), 1, 1e-12);
}

/* 120 GB at 1 TB/s, working set 4 of 10 MB, lambda 0.3, C_mem 1.5: 0.12 * 0.4 * 1.5. */
static void eq_4_13_memory_time_is_traffic_over_bandwidth(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    theta.value[ADEPT_THESIS_LAMBDA_MISS] = 0.3;
    theta.value[ADEPT_THESIS_C_MEM] = 1.5;
    assert_close(times_of(&w, &theta).memory_s, 0.12 * 0.4 * 1.5, 1e-12);
}

/* Optimizer: max(18e8 / 10e12, 2.8e9 / 1e12) = 2.8 ms, times C_opt 2. */
static void optimizer_time_is_its_own_roofline(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    theta.value[ADEPT_THESIS_C_OPT] = 2;
    assert_close(times_of(&w, &theta).optimizer_s, 5.6e-3, 1e-12);
    w.optimizer_work.alu_flop = 1e12;
    assert_close(times_of(&w, &theta).optimizer_s, 0.2, 1e-12);
}

/* 4 GPUs, 0.4 GB of gradients, 100 GB/s of which half is reached, 10 us per hop: 6 * 10 us + 1.5 * 8 ms. */
static void eq_4_8_communication_is_a_ring_all_reduce(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    w.gpus = 4;
    theta.value[ADEPT_THESIS_L_HOP] = 10e-6;
    theta.value[ADEPT_THESIS_BW_EFF] = 0.5;
    assert_close(times_of(&w, &theta).communication_s, 60e-6 + 1.5 * 4e8 / 50e9, 1e-12);
    w.mode = ADEPT_MODE_INFERENCE;
    assert_true(times_of(&w, &theta).communication_s == 0);
}

/* 2 micro-batches of max(0.93, 0.12 * f_L2) s, 2.8 ms, (300 * 2 + 10) kernels of 1 us, 5 ms. */
static void eq_4_7_step_is_the_sum_of_its_parts(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    w.grad_accum = 2;
    theta.value[ADEPT_THESIS_T_KERN] = 1e-6;
    theta.value[ADEPT_THESIS_T_FIXED] = 5e-3;
    adept_thesis_times t = times_of(&w, &theta);
    assert_close(t.passes_s, 1.86, 1e-12);
    assert_close(t.launch_s, 610e-6, 1e-12);
    assert_close(t.step_s, 1.86 + 2.8e-3 + 610e-6 + 5e-3, 1e-12);
    theta.value[ADEPT_THESIS_C_MEM] = 20; /* 0.12 * 20 s: now memory is the longer one */
    theta.value[ADEPT_THESIS_LAMBDA_MISS] = 1;
    assert_close(times_of(&w, &theta).passes_s, 4.8, 1e-12);
}

/* Every scalar alone, as 3, on the two runs where its condition holds and does not. */
static void targeted_scalars_act_where_their_condition_holds(void **state) {
    (void)state;
    size_t count;
    const adept_targeted_scalar *scalars = adept_targeted_scalars(&count);
    assert_int_equal(count, 6);
    for (size_t i = 0; i < count; i++) {
        for (int holds = 0; holds < 2; holds++) {
            adept_workload w = toy_workload();
            adept_theta theta = plain_theta();
            if (holds && scalars[i].condition == ADEPT_NEEDS_16_BIT)
                w.precision = ADEPT_PRECISION_BF16_AMP;
            if (holds && scalars[i].condition == ADEPT_NEEDS_SHARING)
                w.weight_sharing = 12;
            adept_thesis_row row = row_of(&w);
            adept_thesis_times before = times_of(&w, &theta);
            theta.value[scalars[i].parameter] = 3;
            adept_thesis_times after = times_of(&w, &theta);
            double more = holds ? 2 : 0;
            bool memory = scalars[i].target == ADEPT_TARGET_MEMORY;
            double term_s = memory ? 0 : row.peak_s[scalars[i].target];
            assert_close(after.compute_s, before.compute_s + more * term_s, 1e-12);
            assert_close(after.memory_s, before.memory_s * (memory ? 1 + more : 1), 1e-12);
        }
    }
}

/* T_comp 3, T_mem 1, u_mem 0.4: (3 + 0.4) / 4. */
static void utilisation_rises_with_compute_over_memory_time(void **state) {
    (void)state;
    assert_close(adept_thesis_utilisation(3, 1, 0.4), 0.85, 1e-12);
    assert_close(adept_thesis_utilisation(1, 0, 0.4), 1, 1e-12);
    assert_close(adept_thesis_utilisation(0, 1, 0.4), 0.4, 1e-12);
    assert_true(adept_thesis_utilisation(0, 0, 0.4) == 0);
}

/* P_static 0.2 * 200 = 40 W, U 0.5, C_P 0.9: 40 + 0.5 * 160 * 0.9 = 112 W. */
static void eq_4_14_phase_power_rises_from_static_with_utilisation(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    adept_thesis_row row = row_of(&w);
    theta.value[ADEPT_THESIS_C_P] = 0.9;
    assert_close(adept_thesis_phase_power_W(&row, 0.5, theta.value), 112, 1e-12);
    assert_close(adept_thesis_phase_power_W(&row, 0, theta.value), 40, 1e-12);
    row.limit_W = 100;
    assert_close(adept_thesis_phase_power_W(&row, 0.5, theta.value), 100, 1e-12);
    row.limit_W = 30; /* below what a waiting GPU draws: cannot be held */
    assert_close(adept_thesis_phase_power_W(&row, 0.5, theta.value), 40, 1e-12);
}

/* 1 s at U 0.85, 0.5 s of optimizer at u_mem 0.4, 0.25 s of ring at u_comm 0.1, 0.25 s waiting; static 40 W.
 */
static void eq_4_15_average_power_is_weighted_by_time(void **state) {
    (void)state;
    adept_workload w = toy_workload();
    adept_theta theta = plain_theta();
    adept_thesis_row row = row_of(&w);
    theta.value[ADEPT_THESIS_U_MEM] = 0.4;
    theta.value[ADEPT_THESIS_U_COMM] = 0.1;
    const adept_thesis_times t = {.compute_s = 3,
                                  .memory_s = 1,
                                  .passes_s = 1,
                                  .optimizer_s = 0.5,
                                  .communication_s = 0.25,
                                  .launch_s = 0.2,
                                  .fixed_s = 0.05,
                                  .step_s = 2};
    double energy_J = (40 + 160 * 0.85) * 1 + (40 + 160 * 0.4) * 0.5 + (40 + 160 * 0.1) * 0.25 + 40 * 0.25;
    assert_close(adept_thesis_average_power_W(&row, &t, theta.value), energy_J / 2, 1e-12);
}

static void figures_that_are_no_amounts_are_refused(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware_spec spec = toy_spec();
    adept_thesis_row row;
    adept_workload w = toy_workload();
    w.forward.gemm_flop = NAN;
    assert_int_equal(adept_thesis_row_init(&row, &w, &spec, 200, &err), ADEPT_RANGE);
    w = toy_workload();
    w.backward.read_B = -1e30;
    assert_int_equal(adept_thesis_row_init(&row, &w, &spec, 200, &err), ADEPT_RANGE);
    w = toy_workload();
    w.structure.elements = INFINITY;
    assert_int_equal(adept_thesis_row_init(&row, &w, &spec, 200, &err), ADEPT_RANGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eq_4_9_time_is_flop_over_peak_times_efficiency),
        cmocka_unit_test(eq_4_9_the_peak_is_that_of_class_and_precision),
        cmocka_unit_test(eq_4_10_and_4_11_efficiency_is_a_product_of_saturations),
        cmocka_unit_test(dimensions_are_counted_in_ideal_tiles),
        cmocka_unit_test(eq_4_13_cache_factor_lies_between_miss_rate_and_one),
        cmocka_unit_test(eq_4_13_memory_time_is_traffic_over_bandwidth),
        cmocka_unit_test(optimizer_time_is_its_own_roofline),
        cmocka_unit_test(eq_4_8_communication_is_a_ring_all_reduce),
        cmocka_unit_test(eq_4_7_step_is_the_sum_of_its_parts),
        cmocka_unit_test(targeted_scalars_act_where_their_condition_holds),
        cmocka_unit_test(utilisation_rises_with_compute_over_memory_time),
        cmocka_unit_test(eq_4_14_phase_power_rises_from_static_with_utilisation),
        cmocka_unit_test(eq_4_15_average_power_is_weighted_by_time),
        cmocka_unit_test(figures_that_are_no_amounts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
