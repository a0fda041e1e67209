/* Convolutions: FLOP of all three passes, geometry and kinds against closed formulas. */
#include "count_fixture.h"
#include "test_support.h"

#define F ADEPT_DTYPE_FLOAT
#define FORWARD ADEPT_PASS_FORWARD
#define BACKWARD ADEPT_PASS_BACKWARD

static fixture *conv(const char *w, int64_t groups, const char *y, int x_facts) {
    fixture *f = fixture_new("", "Conv", 11);
    fixture_in(f, F, "2 32 14 14", x_facts);
    fixture_in(f, F, w, TRAINED);
    fixture_out(f, F, y);
    fixture_int(f, "group", groups);
    fixture_count(f);
    return f;
}

static void conv_counts_two_flop_per_multiply_add(void **state) {
    (void)state;
    fixture *f = conv("64 32 3 3", 1, "2 64 12 12", GRAD);
    double flop = 2.0 * 2 * 64 * 144 * 32 * 9;
    assert_close(fixture_work(f, FORWARD).conv_flop, flop, 0);
    assert_close(fixture_work(f, BACKWARD).conv_flop, 2 * flop, 0);
    assert_close(fixture_work(f, FORWARD).read_B, (2 * 32 * 196 + 64 * 32 * 9) * 4.0, 0);
    assert_close(fixture_work(f, FORWARD).write_B, 2 * 64 * 144 * 4.0, 0);
    fixture_free(f);
}

static void gradients_of_grouped_convolution_cost_as_much_as_forward(void **state) {
    (void)state;
    fixture *f = conv("64 8 3 3", 4, "2 64 12 12", GRAD);
    double flop = 2.0 * 2 * 64 * 144 * 8 * 9;
    assert_close(fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV, 0)->conv_flop, flop, 0);
    assert_close(fixture_kernel(f, BACKWARD, ADEPT_KERNEL_CONV_DATA, 0)->conv_flop, flop, 0);
    assert_close(fixture_kernel(f, BACKWARD, ADEPT_KERNEL_CONV_WEIGHT, 0)->conv_flop, flop, 0);
    fixture_free(f);
}

static void first_convolution_has_no_data_gradient(void **state) {
    (void)state;
    fixture *f = conv("64 32 3 3", 1, "2 64 12 12", PLAIN);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_CONV_DATA), 0);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_CONV_WEIGHT), 1);
    fixture_free(f);
}

static void geometry_is_that_of_the_forward_convolution_in_all_passes(void **state) {
    (void)state;
    fixture *f = conv("32 1 3 3", 32, "2 32 12 12", GRAD);
    static const adept_kernel_kind kinds[] = {ADEPT_KERNEL_CONV, ADEPT_KERNEL_CONV_DATA,
                                              ADEPT_KERNEL_CONV_WEIGHT};
    for (int i = 0; i < 3; i++) {
        const adept_kernel *kernel = fixture_kernel(f, i ? BACKWARD : FORWARD, kinds[i], 0);
        assert_int_equal(kernel->conv.images, 2);
        assert_int_equal(kernel->conv.groups, 32); /* depthwise */
        assert_int_equal(kernel->conv.c_in, 32);
        assert_int_equal(kernel->conv.c_out, 32);
        assert_int_equal(kernel->conv.pixels_in, 196);
        assert_int_equal(kernel->conv.pixels_out, 144);
        assert_int_equal(kernel->conv.kernel, 9);
        assert_int_equal(kernel->conv.spatial_rank, 2);
        assert_false(kernel->conv.winograd);
    }
    fixture_free(f);
}

static void winograd_needs_three_by_three_stride_one(void **state) {
    (void)state;
    fixture *f = conv("64 32 3 3", 1, "2 64 12 12", PLAIN);
    assert_true(fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV, 0)->conv.winograd);
    fixture_free(f);
    f = fixture_new("", "Conv", 11);
    static const int64_t strides[] = {2, 2};
    fixture_in(f, F, "2 32 14 14", PLAIN);
    fixture_in(f, F, "64 32 3 3", WEIGHT);
    fixture_out(f, F, "2 64 6 6");
    fixture_ints(f, "strides", strides, 2);
    fixture_count(f);
    assert_false(fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV, 0)->conv.winograd);
    assert_int_equal(fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV, 0)->conv.stride, 4);
    fixture_free(f);
}

static void convolution_bias_is_one_more_pass(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Conv", 11);
    fixture_in(f, F, "2 32 14 14", GRAD);
    fixture_in(f, F, "64 32 1 1", TRAINED);
    fixture_in(f, F, "64", TRAINED);
    fixture_out(f, F, "2 64 14 14");
    fixture_count(f);
    const adept_kernel *bias = fixture_kernel(f, FORWARD, ADEPT_KERNEL_ELEMENTWISE, 0);
    assert_close(bias->read_B + bias->write_B, (2 * 2 * 64 * 196 + 64) * 4.0, 0);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_REDUCE), 1);
    fixture_free(f);
}

static void channels_last_is_said_by_the_run(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Conv", 11);
    f->run.layout = ADEPT_LAYOUT_NHWC;
    fixture_in(f, F, "2 32 14 14", PLAIN);
    fixture_in(f, F, "64 32 1 1", WEIGHT);
    fixture_out(f, F, "2 64 14 14");
    fixture_count(f);
    assert_true(fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV, 0)->conv.nhwc);
    fixture_free(f);
}

static void transposed_convolution_runs_a_data_gradient(void **state) {
    (void)state;
    fixture *f = fixture_new("", "ConvTranspose", 11);
    fixture_in(f, F, "2 32 14 14", GRAD);
    fixture_in(f, F, "32 16 2 2", TRAINED);
    fixture_out(f, F, "2 16 28 28");
    fixture_count(f);
    double flop = 2.0 * 2 * 32 * 196 * 16 * 4; /* 2 N C_in pixels_in C_out kernel */
    const adept_kernel *forward = fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV_DATA, 0);
    assert_close(forward->conv_flop, flop, 0);
    assert_int_equal(forward->conv.c_in, 16);
    assert_int_equal(forward->conv.c_out, 32);
    assert_int_equal(forward->conv.pixels_in, 28 * 28);
    assert_int_equal(forward->conv.pixels_out, 196);
    assert_close(fixture_work(f, BACKWARD).conv_flop, 2 * flop, 0);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_CONV), 1);
    fixture_free(f);
}

static void convolution_of_integers_counts_on_the_int8_rate(void **state) {
    (void)state;
    fixture *f = fixture_new("", "ConvInteger", 10);
    fixture_in(f, ADEPT_DTYPE_UINT8, "1 3 8 8", PLAIN);
    fixture_in(f, ADEPT_DTYPE_INT8, "4 3 1 1", WEIGHT);
    fixture_out(f, ADEPT_DTYPE_INT32, "1 4 8 8");
    fixture_count(f);
    const adept_kernel *kernel = fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV, 0);
    assert_int_equal(kernel->math, ADEPT_MATH_INT8);
    assert_close(kernel->conv_flop, 2.0 * 4 * 64 * 3, 0);
    fixture_free(f);
}

static void one_and_three_dimensional_convolutions_use_the_same_formula(void **state) {
    (void)state;
    static const struct {
        const char *x, *w, *y;
        double flop;
        int rank;
    } cases[] = {
        {"2 8 100",   "16 8 5",    "2 16 96",   2.0 * 2 * 16 * 96 * 8 * 5,  1},
        {"2 4 8 8 8", "6 4 3 3 3", "2 6 6 6 6", 2.0 * 2 * 6 * 216 * 4 * 27, 3}
    };
    for (size_t i = 0; i < 2; i++) {
        fixture *f = fixture_new("", "Conv", 11);
        fixture_in(f, F, cases[i].x, GRAD);
        fixture_in(f, F, cases[i].w, TRAINED);
        fixture_out(f, F, cases[i].y);
        fixture_count(f);
        assert_close(fixture_work(f, FORWARD).conv_flop, cases[i].flop, 0);
        assert_close(fixture_work(f, BACKWARD).conv_flop, 2 * cases[i].flop, 0);
        assert_int_equal(fixture_kernel(f, FORWARD, ADEPT_KERNEL_CONV, 0)->conv.spatial_rank, cases[i].rank);
        fixture_free(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_counts_two_flop_per_multiply_add),
        cmocka_unit_test(gradients_of_grouped_convolution_cost_as_much_as_forward),
        cmocka_unit_test(first_convolution_has_no_data_gradient),
        cmocka_unit_test(geometry_is_that_of_the_forward_convolution_in_all_passes),
        cmocka_unit_test(winograd_needs_three_by_three_stride_one),
        cmocka_unit_test(convolution_bias_is_one_more_pass),
        cmocka_unit_test(channels_last_is_said_by_the_run),
        cmocka_unit_test(transposed_convolution_runs_a_data_gradient),
        cmocka_unit_test(convolution_of_integers_counts_on_the_int8_rate),
        cmocka_unit_test(one_and_three_dimensional_convolutions_use_the_same_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
