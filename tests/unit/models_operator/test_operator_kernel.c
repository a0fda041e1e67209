/* Time and energy of single kernels, computed by hand. */
#include "operator_kernel.h"
#include "operator_toy.h"

typedef struct one_kernel {
    adept_hardware_spec spec;
    adept_theta theta;
    operator_gpu gpu;
    operator_limits limits;
} one_kernel;

static void compute(one_kernel *f, const adept_kernel *kernel) {
    f->gpu = operator_gpu_make(&f->spec, f->theta.value);
    f->limits = operator_kernel_limits(&f->gpu, kernel, 1);
}

static one_kernel plain(const adept_kernel *kernel) {
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    compute(&f, kernel);
    return f;
}

static double time_at(const one_kernel *f, double phi) {
    operator_gpu gpu = f->gpu;
    gpu.spec = &f->spec;
    gpu.theta = f->theta.value;
    operator_clock clock = operator_clock_at(&gpu, phi);
    return operator_kernel_time(&gpu, &f->limits, &clock);
}

static double energy_at(const one_kernel *f, double phi) {
    operator_gpu gpu = f->gpu;
    gpu.spec = &f->spec;
    gpu.theta = f->theta.value;
    operator_clock clock = operator_clock_at(&gpu, phi);
    return operator_kernel_energy(&gpu, &f->limits, &clock, operator_kernel_time(&gpu, &f->limits, &clock));
}

static void elementwise_kernel_takes_its_bytes_over_bandwidth(void **state) {
    (void)state;
    adept_kernel kernel = elementwise_kernel(ADEPT_PASS_FORWARD, 1e9);
    one_kernel f = plain(&kernel);
    assert_close(time_at(&f, 1), 1e9 / 1e12, 1e-4);
    assert_int_equal(operator_kernel_bound(&f.limits), ADEPT_BOUND_MEMORY);
}

static void memory_time_does_not_follow_the_clock_until_the_sms_ask_for_too_little(void **state) {
    (void)state;
    adept_kernel kernel = elementwise_kernel(ADEPT_PASS_FORWARD, 1e9);
    one_kernel f = plain(&kernel);
    assert_close(time_at(&f, 0.5), time_at(&f, 1), 1e-4);
    f.theta.value[OP_FILL] = 0.5;
    compute(&f, &kernel);
    assert_close(time_at(&f, 0.5) / 1e-3, pow(2, 0.25), 1e-4);       /* (1 + 1^4)^(1/4) */
    assert_close(time_at(&f, 0.25) / 1e-3, pow(1 + 16, 0.25), 1e-4); /* (1 + 2^4)^(1/4) */
}

/* 10 x 10 tiles of 128 x 128 on 100 SMs: one wave, no SM idle, arithmetic at the peak. */
static void product_of_one_full_wave_computes_at_the_peak(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 1280, 1280, 1024);
    one_kernel f = plain(&kernel);
    assert_close(f.limits.compute_s, kernel.gemm_flop / 10e12, 1e-12);
    assert_close(f.limits.ideal_s, kernel.gemm_flop / 10e12, 1e-12);
    assert_close(f.limits.quantised_s, 0, 1e-12);
    assert_close(f.limits.occupancy, 1, 0);
    assert_int_equal(operator_kernel_bound(&f.limits), ADEPT_BOUND_COMPUTE);
}

static void compute_time_is_inverse_to_the_clock(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 1280, 1280, 1024);
    one_kernel f = plain(&kernel);
    assert_close(time_at(&f, 0.5) - f.limits.memory_s, 2 * f.limits.compute_s, 1e-12);
}

/* 128 x 128 results on one SM, or more SMs by splitting k: never at the peak of 100. */
static void small_product_cannot_fill_the_gpu(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 32, 32, 64);
    one_kernel f = plain(&kernel);
    assert_true(f.limits.compute_s > 5 * f.limits.ideal_s);
    assert_true(f.limits.occupancy < 0.2);
}

static void ragged_edges_cost_whole_tiles(void **state) {
    (void)state;
    adept_kernel even = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 1280, 1280, 1024);
    adept_kernel ragged = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 1281, 1281, 1024);
    one_kernel a = plain(&even), b = plain(&ragged);
    assert_true(b.limits.compute_s > 1.02 * a.limits.compute_s);
    assert_true(b.limits.quantised_s > 0);
}

/* 40 bytes per cycle and SM: 100 SMs at 1 GHz are fed 4 TB/s. A 256 x 128 tile of k = 1024 wants
 * (384 * 1024 + 256 * 128) * 2 B. */
static void matrix_units_wait_for_operands_from_l2(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_BF16, 2560, 1280, 1024);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_FEED] = 40;
    compute(&f, &kernel);
    assert_close(f.limits.feed_s, (384.0 * 1024 + 256 * 128) * 2 / (40 * 1e9), 1e-12);
}

/* 4096 FLOP per SM and cycle, twice A100's: operands arrive twice as fast. */
static void faster_matrix_units_have_wider_paths(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_BF16, 2560, 1280, 1024);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_FEED] = 40;
    f.spec.peak_flop_per_s[ADEPT_PEAK_BF16_TENSOR] = 409.6e12;
    compute(&f, &kernel);
    assert_close(f.limits.feed_s, (384.0 * 1024 + 256 * 128) * 2 / (80 * 1e9), 1e-12);
}

static adept_kernel bf16_convolution(void) {
    adept_kernel kernel = elementwise_kernel(ADEPT_PASS_FORWARD, 2e8);
    kernel.kind = ADEPT_KERNEL_CONV;
    kernel.math = ADEPT_MATH_BF16;
    kernel.element_B = 2;
    kernel.conv.images = 32;
    kernel.conv.c_in = kernel.conv.c_out = 128;
    kernel.conv.groups = 1;
    kernel.conv.pixels_in = kernel.conv.pixels_out = 3136;
    kernel.conv.kernel = 9;
    kernel.conv.stride = 1;
    kernel.conv.spatial_rank = 2;
    kernel.conv.nhwc = true;
    kernel.conv_flop = 2.0 * 32 * 3136 * 128 * 128 * 9;
    return kernel;
}

static double convolution_s(const adept_kernel *kernel, int parameter, double value) {
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[parameter] = value;
    compute(&f, kernel);
    return f.limits.compute_s;
}

static void rates_of_convolutions_are_relative_to_products(void **state) {
    (void)state;
    adept_kernel kernel = bf16_convolution();
    assert_close(convolution_s(&kernel, OP_E_CONV, 0.5), 2 * convolution_s(&kernel, OP_E_CONV, 1), 1e-9);
    kernel.conv.groups = 4;
    assert_close(convolution_s(&kernel, OP_E_GROUPED, 2), 0.5 * convolution_s(&kernel, OP_E_GROUPED, 1),
                 1e-9);
    kernel.math = ADEPT_MATH_FP32; /* general cores run convolutions at the rate of products */
    assert_close(convolution_s(&kernel, OP_E_CONV, 0.5), convolution_s(&kernel, OP_E_CONV, 1), 0);
}

static void tf32_convolutions_pay_less_for_channels_first_storage(void **state) {
    (void)state;
    adept_kernel kernel = bf16_convolution();
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.spec.peak_flop_per_s[ADEPT_PEAK_TF32] = 50e12;
    f.theta.value[OP_NCHW_TF32] = 0.25;
    f.theta.value[OP_COPY_RATE] = 10;
    kernel.conv.nhwc = false;
    kernel.element_B = 4;
    compute(&f, &kernel);
    double bf16_s = f.limits.latency_s;
    kernel.math = ADEPT_MATH_TF32;
    compute(&f, &kernel);
    assert_close(f.limits.latency_s, 0.25 * bf16_s, 1e-12);
}

/* 16-bit channels-last statistics run in kernels of their own. */
static void batch_normalisation_of_channels_last_storage_has_its_own_limit(void **state) {
    (void)state;
    adept_kernel kernel = elementwise_kernel(ADEPT_PASS_FORWARD, 1e8);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    kernel.kind = ADEPT_KERNEL_BATCH_NORM;
    kernel.element_B = 2;
    f.theta.value[OP_BATCH_RATE] = 5;
    f.theta.value[OP_BATCH_NHWC] = 2;
    compute(&f, &kernel);
    assert_close(f.limits.sm_s, 1e8 / (5 * 100 * 1e9), 1e-12);
    kernel.conv.nhwc = true;
    compute(&f, &kernel);
    assert_close(f.limits.sm_s, 1e8 / (10 * 100 * 1e9), 1e-12);
    f.spec.family = ADEPT_GPU_FAMILY_PASCAL;
    f.theta.value[OP_SM_PASCAL] = 0.5;
    compute(&f, &kernel);
    assert_close(f.limits.sm_s, 1e8 / (5 * 100 * 1e9), 1e-12);
}

/* A tenth of 300 W and 0.5 W per GB beside 20 W idle; boards with HBM draw what their dies do. */
static void active_board_without_hbm_draws_a_share_of_its_tdp_and_gddr_by_capacity(void **state) {
    (void)state;
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_C_BOARD] = 0.1;
    f.theta.value[OP_C_MEMORY] = 0.5;
    f.spec.memory_B = 16.0 * 1024 * 1024 * 1024;
    assert_close(operator_gpu_make(&f.spec, f.theta.value).base_static_W, 20, 0);
    f.spec.memory_type = ADEPT_MEMORY_TYPE_LPDDR5;
    assert_close(operator_gpu_make(&f.spec, f.theta.value).base_static_W, 50, 1e-12);
    f.spec.memory_type = ADEPT_MEMORY_TYPE_GDDR6;
    assert_close(operator_gpu_make(&f.spec, f.theta.value).base_static_W, 58, 1e-12);
}

static void ecc_among_the_data_takes_bandwidth(void **state) {
    (void)state;
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_BW_ECC] = 0.8;
    double full = operator_gpu_make(&f.spec, f.theta.value).bandwidth_B_per_s;
    f.spec.memory_ecc = 1;
    assert_close(operator_gpu_make(&f.spec, f.theta.value).bandwidth_B_per_s, 0.8 * full, 1e-12);
}

static void convolutions_start_slower_than_products(void **state) {
    (void)state;
    adept_kernel conv = bf16_convolution(),
                 gemm = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_BF16, 512, 512, 512);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_LATENCY] = 1e4;
    f.theta.value[OP_LATENCY_CONV] = 3e4;
    compute(&f, &gemm);
    assert_close(f.limits.latency_s, 1e4 / f.spec.boost_clock_Hz, 1e-12);
    conv.conv.nhwc = true;
    compute(&f, &conv);
    assert_close(f.limits.latency_s, 3e4 / f.spec.boost_clock_Hz, 1e-12);
}

/* Half the rate with FP32 sums, as GeForce boards have it: the same energy a FLOP as at full rate. */
static void halved_matrix_units_cost_what_whole_ones_do(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP16, 4096, 4096, 4096);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.spec.peak_flop_per_s[ADEPT_PEAK_FP16_TENSOR] = 100e12;
    f.spec.peak_flop_per_s[ADEPT_PEAK_FP16_TENSOR_FP16ACC] = NAN;
    compute(&f, &kernel);
    double whole_J = f.limits.unit_J;
    f.spec.peak_flop_per_s[ADEPT_PEAK_FP16_TENSOR] = 50e12;
    f.spec.peak_flop_per_s[ADEPT_PEAK_FP16_TENSOR_FP16ACC] = 100e12;
    compute(&f, &kernel);
    assert_close(f.limits.unit_J, whole_J, 1e-12);
}

/* FP32 matrix units reach what general cores do, times their own factor. */
static void rate_of_fp32_matrix_units_is_relative_to_general_cores(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 8192, 8192, 8192);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.spec.peak_flop_per_s[ADEPT_PEAK_FP32_MATRIX] = 4 * f.spec.peak_flop_per_s[ADEPT_PEAK_FP32];
    f.theta.value[OP_E_MATRIX_FP32] = 0.5;
    compute(&f, &kernel);
    double one_s = f.limits.compute_s;
    f.theta.value[OP_E_CORE] *= 0.5;
    compute(&f, &kernel);
    assert_close(f.limits.compute_s, 2 * one_s, 1e-9);
    f.theta.value[OP_E_MATRIX_FP32] = 1;
    compute(&f, &kernel);
    assert_close(f.limits.compute_s, one_s, 1e-9);
}

static void winograd_divides_arithmetic_but_not_bytes(void **state) {
    (void)state;
    adept_kernel kernel = bf16_convolution();
    kernel.math = ADEPT_MATH_FP32;
    kernel.element_B = 4;
    one_kernel direct = plain(&kernel);
    kernel.conv.winograd = true;
    one_kernel winograd = plain(&kernel);
    assert_close(direct.limits.compute_s / winograd.limits.compute_s, 2.25, 1e-12);
    assert_close(winograd.limits.ideal_s, kernel.conv_flop / 2.25 / 10e12, 1e-12);
    assert_close(direct.limits.memory_s, winograd.limits.memory_s, 0);
}

static void depthwise_convolution_counts_taps(void **state) {
    (void)state;
    adept_kernel kernel = elementwise_kernel(ADEPT_PASS_FORWARD, 1e6);
    kernel.kind = ADEPT_KERNEL_CONV;
    kernel.conv.images = 10;
    kernel.conv.c_in = kernel.conv.c_out = kernel.conv.groups = 100;
    kernel.conv.pixels_in = kernel.conv.pixels_out = 1000;
    kernel.conv.kernel = 9;
    kernel.conv.spatial_rank = 2;
    kernel.conv_flop = 2.0 * 10 * 100 * 1000 * 9;
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_DEPTHWISE] = 3;
    compute(&f, &kernel);
    assert_close(f.limits.sm_s, 9e6 / (3 * 100 * 1e9), 1e-12);
}

static void copies_of_narrow_elements_are_as_fast_per_element(void **state) {
    (void)state;
    adept_kernel wide = elementwise_kernel(ADEPT_PASS_FORWARD, 8e6);
    wide.kind = ADEPT_KERNEL_COPY;
    adept_kernel narrow = wide;
    narrow.read_B = narrow.write_B = 2e6;
    narrow.element_B = 2;
    one_kernel a = {.spec = toy_spec(), .theta = initial_theta()}, b = a;
    compute(&a, &wide);
    compute(&b, &narrow);
    assert_close(a.limits.sm_s, b.limits.sm_s, 1e-12);
    assert_close(a.limits.memory_s, 2 * b.limits.memory_s, 1e-12);
}

/*
 * Far below the knee voltage is 1. Elementwise kernel of 1 GB, 1 ms: base 20 W idle + 0.2 W * 50 * 0.25 GHz;
 * busy 1 nJ * 100 SMs * 0.25 GHz = 25 W; 60 pJ a byte = 60 mJ.
 */
static void energy_is_held_power_and_bytes(void **state) {
    (void)state;
    adept_kernel kernel = elementwise_kernel(ADEPT_PASS_FORWARD, 1e9);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_C_CLOCK] = 0.2;
    f.theta.value[OP_K_BUSY] = 1;
    f.theta.value[OP_E_HBM] = 40;
    f.theta.value[OP_E_ON] = 20;
    f.theta.value[OP_G] = 1;
    compute(&f, &kernel);
    assert_close(energy_at(&f, 0.25), 1e-3 * (20 + 2.5 + 25) + 0.06, 1e-3);
}

/* 0.5 nJ per 128 FLOP on general cores, at floor voltage, beside what is held. */
static void arithmetic_costs_energy_by_unit(void **state) {
    (void)state;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 1280, 1280, 1024);
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_K_FP32] = 0;
    compute(&f, &kernel);
    double without_J = energy_at(&f, 0.25);
    f.theta.value[OP_K_FP32] = 0.5;
    compute(&f, &kernel);
    assert_close(energy_at(&f, 0.25) - without_J, kernel.gemm_flop * 0.5e-9 / 128, 1e-6);
}

static void voltage_is_flat_below_the_knee_and_rises_linearly_above(void **state) {
    (void)state;
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_V_KNEE] = 0.7;
    f.theta.value[OP_V_SLOPE] = 1.2;
    operator_gpu gpu = operator_gpu_make(&f.spec, f.theta.value);
    assert_close(operator_voltage(&gpu, 0.3), 1, 1e-4);
    assert_close(operator_voltage(&gpu, 1), 1 + 1.2 * 0.3, 1e-3);
}

static void no_kernel_beats_the_roofline_whatever_the_parameters(void **state) {
    (void)state;
    one_kernel f = {.spec = toy_spec(), .theta = plain_theta()};
    f.theta.value[OP_E_CORE] = 1.3;
    adept_kernel kernel = gemm_kernel(ADEPT_PASS_FORWARD, ADEPT_MATH_FP32, 12800, 12800, 10240);
    f.theta.value[OP_OVERLAP] = 8;
    compute(&f, &kernel);
    assert_true(time_at(&f, 1) >= kernel.gemm_flop / 10e12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise_kernel_takes_its_bytes_over_bandwidth),
        cmocka_unit_test(memory_time_does_not_follow_the_clock_until_the_sms_ask_for_too_little),
        cmocka_unit_test(product_of_one_full_wave_computes_at_the_peak),
        cmocka_unit_test(compute_time_is_inverse_to_the_clock),
        cmocka_unit_test(small_product_cannot_fill_the_gpu),
        cmocka_unit_test(ragged_edges_cost_whole_tiles),
        cmocka_unit_test(matrix_units_wait_for_operands_from_l2),
        cmocka_unit_test(faster_matrix_units_have_wider_paths),
        cmocka_unit_test(rates_of_convolutions_are_relative_to_products),
        cmocka_unit_test(tf32_convolutions_pay_less_for_channels_first_storage),
        cmocka_unit_test(batch_normalisation_of_channels_last_storage_has_its_own_limit),
        cmocka_unit_test(active_board_without_hbm_draws_a_share_of_its_tdp_and_gddr_by_capacity),
        cmocka_unit_test(ecc_among_the_data_takes_bandwidth),
        cmocka_unit_test(convolutions_start_slower_than_products),
        cmocka_unit_test(halved_matrix_units_cost_what_whole_ones_do),
        cmocka_unit_test(rate_of_fp32_matrix_units_is_relative_to_general_cores),
        cmocka_unit_test(winograd_divides_arithmetic_but_not_bytes),
        cmocka_unit_test(depthwise_convolution_counts_taps),
        cmocka_unit_test(copies_of_narrow_elements_are_as_fast_per_element),
        cmocka_unit_test(energy_is_held_power_and_bytes),
        cmocka_unit_test(arithmetic_costs_energy_by_unit),
        cmocka_unit_test(voltage_is_flat_below_the_knee_and_rises_linearly_above),
        cmocka_unit_test(no_kernel_beats_the_roofline_whatever_the_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
