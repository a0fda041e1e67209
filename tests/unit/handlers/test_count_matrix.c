/* Matrix products: FLOP, geometry, bytes and gradients against closed formulas (design.md section 2). */
#include "count_fixture.h"
#include "test_support.h"

#define F ADEPT_DTYPE_FLOAT
#define FORWARD ADEPT_PASS_FORWARD
#define BACKWARD ADEPT_PASS_BACKWARD
#define GEMM ADEPT_KERNEL_GEMM

static fixture *linear(int x_facts, int w_facts, int b_facts) {
    fixture *f = fixture_new("", "Gemm", 13); /* y [B,N] = x [B,K] A^T [N,K] + b [N] */
    fixture_in(f, F, "32 100", x_facts);
    fixture_in(f, F, "50 100", w_facts);
    fixture_in(f, F, "50", b_facts);
    fixture_out(f, F, "32 50");
    fixture_int(f, "transB", 1);
    fixture_count(f);
    return f;
}

static void assert_dims(const adept_kernel *kernel, int64_t batch, int64_t m, int64_t n, int64_t k) {
    assert_int_equal(kernel->gemm.batch, batch);
    assert_int_equal(kernel->gemm.m, m);
    assert_int_equal(kernel->gemm.n, n);
    assert_int_equal(kernel->gemm.k, k);
}

static void gemm_counts_two_flop_per_multiply_add(void **state) {
    (void)state;
    fixture *f = linear(GRAD, TRAINED, TRAINED);
    adept_work forward = fixture_work(f, FORWARD), backward = fixture_work(f, BACKWARD);
    assert_close(forward.gemm_flop, 2.0 * 32 * 100 * 50, 0);
    assert_close(forward.alu_flop, 32.0 * 50, 0);
    assert_close(forward.read_B, (32 * 100 + 50 * 100 + 50) * 4.0, 0);
    assert_close(forward.write_B, 32 * 50 * 4.0, 0);
    assert_close(forward.kernels, 1, 0);
    assert_close(backward.gemm_flop, 2 * forward.gemm_flop, 0);
    assert_int_equal(fixture_kernels(f, BACKWARD, GEMM), 2);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_REDUCE), 1); /* bias */
    fixture_free(f);
}

static void gemm_products_have_the_dimensions_of_their_results(void **state) {
    (void)state;
    fixture *f = linear(GRAD, TRAINED, TRAINED);
    assert_dims(fixture_kernel(f, FORWARD, GEMM, 0), 1, 32, 50, 100);
    assert_dims(fixture_kernel(f, BACKWARD, GEMM, 0), 1, 32, 100, 50); /* d_x [B,K] */
    assert_dims(fixture_kernel(f, BACKWARD, GEMM, 1), 1, 50, 100, 32); /* d_A [N,K] */
    fixture_free(f);
}

static void first_layer_has_no_data_gradient(void **state) {
    (void)state;
    fixture *f = linear(PLAIN, TRAINED, TRAINED);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, 2.0 * 32 * 100 * 50, 0);
    assert_true(f->counted.saves_inputs == 1); /* x, for the weight's gradient */
    fixture_free(f);
}

static void frozen_layer_has_no_weight_gradient(void **state) {
    (void)state;
    fixture *f = linear(GRAD, WEIGHT, WEIGHT);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, 2.0 * 32 * 100 * 50, 0);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_REDUCE), 0);
    assert_true(f->counted.saves_inputs == 2); /* the weight, for x's gradient; x is not needed */
    fixture_free(f);
}

static void inference_has_no_backward_pass(void **state) {
    (void)state;
    fixture *f = linear(PLAIN, WEIGHT, WEIGHT);
    assert_close(fixture_work(f, BACKWARD).kernels, 0, 0);
    assert_true(f->counted.saves_inputs == 0);
    fixture_free(f);
}

static fixture *matmul(const char *a, const char *b, const char *y, int a_facts, int b_facts) {
    fixture *f = fixture_new("", "MatMul", 13);
    fixture_in(f, F, a, a_facts);
    fixture_in(f, F, b, b_facts);
    fixture_out(f, F, y);
    fixture_count(f);
    return f;
}

static void matmul_flattens_the_batch_into_the_rows_of_a_linear_layer(void **state) {
    (void)state;
    fixture *f = matmul("8 128 768", "768 3072", "8 128 3072", GRAD, TRAINED);
    assert_dims(fixture_kernel(f, FORWARD, GEMM, 0), 1, 8 * 128, 3072, 768);
    assert_dims(fixture_kernel(f, BACKWARD, GEMM, 0), 1, 8 * 128, 768, 3072);
    assert_dims(fixture_kernel(f, BACKWARD, GEMM, 1), 1, 768, 3072, 8 * 128);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_REDUCE), 0);
    fixture_free(f);
}

static void matmul_of_two_batches_is_a_batched_product(void **state) {
    (void)state;
    fixture *f = matmul("2 12 128 64", "2 12 64 128", "2 12 128 128", GRAD, GRAD);
    assert_dims(fixture_kernel(f, FORWARD, GEMM, 0), 24, 128, 128, 64);
    assert_dims(fixture_kernel(f, BACKWARD, GEMM, 0), 24, 128, 64, 128);
    assert_dims(fixture_kernel(f, BACKWARD, GEMM, 1), 24, 64, 128, 128);
    assert_true(f->counted.saves_inputs == 3);
    fixture_free(f);
}

static void gradient_of_a_broadcast_operand_is_summed_over_the_batch(void **state) {
    (void)state;
    fixture *f = matmul("6 10 20", "1 20 30", "6 10 30", PLAIN, GRAD);
    assert_dims(fixture_kernel(f, BACKWARD, GEMM, 0), 6, 20, 30, 10);
    const adept_kernel *sum = fixture_kernel(f, BACKWARD, ADEPT_KERNEL_REDUCE, 0);
    assert_close(sum->read_B, 6 * 20 * 30 * 4.0, 0);
    assert_close(sum->write_B, 20 * 30 * 4.0, 0);
    fixture_free(f);
}

static void matrix_times_batch_counts_the_whole_batch(void **state) {
    (void)state;
    fixture *f = matmul("10 20", "6 20 30", "6 10 30", TRAINED, GRAD);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 2.0 * 6 * 10 * 20 * 30, 0);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, 4.0 * 6 * 10 * 20 * 30, 0);
    fixture_free(f);
}

static void vectors_are_rows_or_columns(void **state) {
    (void)state;
    fixture *f = matmul("20", "20 30", "30", PLAIN, PLAIN);
    assert_dims(fixture_kernel(f, FORWARD, GEMM, 0), 1, 1, 30, 20);
    fixture_free(f);
    f = matmul("5 10 20", "20", "5 10", PLAIN, PLAIN);
    assert_dims(fixture_kernel(f, FORWARD, GEMM, 0), 1, 50, 1, 20);
    fixture_free(f);
}

static void unknown_shape_counts_nothing_and_is_no_error(void **state) {
    (void)state;
    fixture *f = matmul("?", "20 30", "?", GRAD, TRAINED);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 0, 0);
    fixture_free(f);
}

static void product_of_dimensions_beyond_64_bits_is_a_range_error(void **state) {
    (void)state;
    fixture *f = fixture_new("", "MatMul", 13);
    fixture_in(f, F, "4611686018427387904 4 2 3", PLAIN);
    fixture_in(f, F, "4611686018427387904 4 3 2", PLAIN);
    fixture_out(f, F, "4611686018427387904 4 2 2");
    assert_int_equal(fixture_try(f), ADEPT_RANGE);
    assert_non_null(strstr(f->err.message, "node 'node' (MatMul)"));
    fixture_free(f);
}

static void precision_chooses_arithmetic_and_bytes(void **state) {
    (void)state;
    static const struct {
        adept_precision precision;
        adept_math math;
        double element_B;
    } cases[] = {
        {ADEPT_PRECISION_FP32, ADEPT_MATH_FP32, 4},
        {ADEPT_PRECISION_TF32, ADEPT_MATH_TF32, 4},
        {ADEPT_PRECISION_FP16, ADEPT_MATH_FP16, 2},
        {ADEPT_PRECISION_BF16, ADEPT_MATH_BF16, 2}
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture *f = fixture_new("", "MatMul", 13);
        f->run.precision = cases[i].precision;
        fixture_in(f, F, "8 16", PLAIN);
        fixture_in(f, F, "16 4", WEIGHT);
        fixture_out(f, F, "8 4");
        fixture_count(f);
        const adept_kernel *kernel = fixture_kernel(f, FORWARD, GEMM, 0);
        assert_int_equal(kernel->math, cases[i].math);
        assert_close(kernel->write_B, 8 * 4 * cases[i].element_B, 0);
        fixture_free(f);
    }
}

static void autocast_converts_both_operands_and_their_gradients(void **state) {
    (void)state;
    fixture *f = fixture_new("", "MatMul", 13);
    f->run.precision = ADEPT_PRECISION_FP16_AMP;
    fixture_in(f, F, "8 16", GRAD);
    fixture_in(f, F, "16 4", TRAINED);
    fixture_out(f, F, "8 4");
    fixture_count(f);
    assert_int_equal(fixture_kernels(f, FORWARD, ADEPT_KERNEL_CAST), 2);
    assert_int_equal(fixture_kernels(f, BACKWARD, ADEPT_KERNEL_CAST), 2);
    const adept_kernel *cast = fixture_kernel(f, FORWARD, ADEPT_KERNEL_CAST, 0);
    assert_close(cast->read_B + cast->write_B, 8 * 16 * 6.0, 0); /* 6 bytes an element */
    const adept_kernel *product = fixture_kernel(f, FORWARD, GEMM, 0);
    assert_int_equal(product->math, ADEPT_MATH_FP16);
    assert_close(product->read_B, (8 * 16 + 16 * 4) * 2.0, 0);
    assert_close(product->write_B, 8 * 4 * 2.0, 0);
    assert_close(f->counted.saved_extra_B, (8 * 16 + 16 * 4) * 2.0, 0); /* the converted copies */
    assert_true(f->counted.saves_inputs == 0);
    fixture_free(f);
}

static void integer_product_counts_on_the_int8_rate(void **state) {
    (void)state;
    fixture *f = fixture_new("", "MatMulInteger", 10);
    fixture_in(f, ADEPT_DTYPE_UINT8, "8 16", PLAIN);
    fixture_in(f, ADEPT_DTYPE_INT8, "16 4", WEIGHT);
    fixture_out(f, ADEPT_DTYPE_INT32, "8 4");
    fixture_count(f);
    const adept_kernel *kernel = fixture_kernel(f, FORWARD, GEMM, 0);
    assert_int_equal(kernel->math, ADEPT_MATH_INT8);
    assert_close(kernel->gemm_flop, 2.0 * 8 * 16 * 4, 0);
    assert_close(kernel->read_B, 8 * 16 + 16 * 4, 0);
    fixture_free(f);
}

static void second_operand_is_found_among_scales(void **state) {
    (void)state;
    fixture *f = fixture_new("", "QLinearMatMul", 10);
    fixture_in(f, ADEPT_DTYPE_UINT8, "8 16", PLAIN);
    fixture_in(f, F, "", CONSTANT);
    fixture_in(f, ADEPT_DTYPE_UINT8, "", CONSTANT);
    fixture_in(f, ADEPT_DTYPE_UINT8, "16 4", WEIGHT);
    fixture_in(f, F, "", CONSTANT);
    fixture_in(f, ADEPT_DTYPE_UINT8, "", CONSTANT);
    fixture_in(f, F, "", CONSTANT);
    fixture_in(f, ADEPT_DTYPE_UINT8, "", CONSTANT);
    fixture_out(f, ADEPT_DTYPE_UINT8, "8 4");
    fixture_count(f);
    assert_dims(fixture_kernel(f, FORWARD, GEMM, 0), 1, 8, 4, 16);
    fixture_free(f);
}

static void packed_weights_are_read_at_their_width(void **state) {
    (void)state;
    fixture *f = fixture_new("com.microsoft", "MatMulNBits", 1);
    fixture_in(f, F, "2 8 64", PLAIN);
    fixture_in(f, ADEPT_DTYPE_UINT8, "32 2 16", WEIGHT); /* 32 columns, 2 blocks of 32 numbers of 4 bits */
    fixture_in(f, F, "64", WEIGHT);
    fixture_out(f, F, "2 8 32");
    fixture_int(f, "K", 64);
    fixture_int(f, "N", 32);
    fixture_count(f);
    const adept_kernel *kernel = fixture_kernel(f, FORWARD, GEMM, 0);
    assert_dims(kernel, 1, 16, 32, 64);
    assert_int_equal(kernel->math, ADEPT_MATH_FP16);
    assert_close(kernel->read_B, 2 * 8 * 64 * 4 + 32 * 64 / 2 + 64 * 4, 0);
    fixture_free(f);
}

static void every_token_goes_through_k_experts(void **state) {
    (void)state;
    fixture *f = fixture_new("com.microsoft", "MoE", 1);
    fixture_in(f, F, "10 64", PLAIN);
    fixture_in(f, F, "10 4", PLAIN);
    fixture_in(f, F, "4 128 64", WEIGHT);
    fixture_in_missing(f);
    fixture_in(f, F, "4 64 128", WEIGHT);
    fixture_out(f, F, "10 64");
    fixture_int(f, "k", 2);
    fixture_count(f);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 2 * (2.0 * 10 * 2 * 128 * 64), 0);
    fixture_free(f);
}

static void twice_the_batch_is_twice_the_flop(void **state) {
    (void)state;
    fixture *one = matmul("4 10 20", "20 30", "4 10 30", GRAD, TRAINED);
    fixture *two = matmul("8 10 20", "20 30", "8 10 30", GRAD, TRAINED);
    for (int pass = FORWARD; pass <= BACKWARD; pass++)
        assert_close(fixture_work(two, (adept_pass)pass).gemm_flop,
                     2 * fixture_work(one, (adept_pass)pass).gemm_flop, 0);
    fixture_free(one);
    fixture_free(two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_counts_two_flop_per_multiply_add),
        cmocka_unit_test(gemm_products_have_the_dimensions_of_their_results),
        cmocka_unit_test(first_layer_has_no_data_gradient),
        cmocka_unit_test(frozen_layer_has_no_weight_gradient),
        cmocka_unit_test(inference_has_no_backward_pass),
        cmocka_unit_test(matmul_flattens_the_batch_into_the_rows_of_a_linear_layer),
        cmocka_unit_test(matmul_of_two_batches_is_a_batched_product),
        cmocka_unit_test(gradient_of_a_broadcast_operand_is_summed_over_the_batch),
        cmocka_unit_test(matrix_times_batch_counts_the_whole_batch),
        cmocka_unit_test(vectors_are_rows_or_columns),
        cmocka_unit_test(unknown_shape_counts_nothing_and_is_no_error),
        cmocka_unit_test(product_of_dimensions_beyond_64_bits_is_a_range_error),
        cmocka_unit_test(precision_chooses_arithmetic_and_bytes),
        cmocka_unit_test(autocast_converts_both_operands_and_their_gradients),
        cmocka_unit_test(integer_product_counts_on_the_int8_rate),
        cmocka_unit_test(second_operand_is_found_among_scales),
        cmocka_unit_test(packed_weights_are_read_at_their_width),
        cmocka_unit_test(every_token_goes_through_k_experts),
        cmocka_unit_test(twice_the_batch_is_twice_the_flop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
