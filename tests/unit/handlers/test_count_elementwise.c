/* Elementwise operators, normalisations, reductions, pools: bytes, kernels and what is kept. */
#include "count_fixture.h"
#include "test_support.h"

#define F ADEPT_DTYPE_FLOAT
#define FORWARD ADEPT_PASS_FORWARD
#define BACKWARD ADEPT_PASS_BACKWARD
enum { N = 24000 }; /* elements of the tensors "20 30 40" */

static double moved_B(const fixture *f, adept_pass pass) {
    adept_work work = fixture_work(f, pass);
    return work.read_B + work.write_B;
}

/* Bits of saves_inputs and saves_outputs, extra bytes per element; measured with PyTorch's saved-tensor
 * hooks. */
static void autograd_keeps_what_pytorch_keeps(void **state) {
    (void)state;
    static const struct {
        const char *op_type;
        uint64_t inputs, outputs;
    } rows[] = {
        {"Relu",       0, 1},
        {"Sigmoid",    0, 1},
        {"Tanh",       0, 1},
        {"Exp",        0, 1},
        {"Sqrt",       0, 1},
        {"Reciprocal", 0, 1},
        {"Softmax",    0, 1},
        {"LogSoftmax", 0, 1},
        {"Gelu",       1, 0},
        {"Swish",      1, 0},
        {"Erf",        1, 0},
        {"Abs",        1, 0},
        {"Log",        1, 0},
        {"Sin",        1, 0},
        {"Cos",        1, 0},
        {"HardSwish",  1, 0},
        {"LeakyRelu",  1, 0},
        {"Clip",       1, 0},
        {"Elu",        1, 0},
        {"Mish",       1, 0},
        {"Neg",        0, 0}
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture *f = fixture_new("", rows[i].op_type, 24);
        fixture_in(f, F, "20 30 40", GRAD);
        fixture_out(f, F, "20 30 40");
        fixture_count(f);
        if (f->counted.saves_inputs != rows[i].inputs || f->counted.saves_outputs != rows[i].outputs)
            fail_msg("%s keeps inputs %llx, outputs %llx", rows[i].op_type,
                     (unsigned long long)f->counted.saves_inputs,
                     (unsigned long long)f->counted.saves_outputs);
        assert_close(f->counted.saved_extra_B, 0, 0);
        fixture_free(f);
    }
}

static void activation_moves_two_passes_forward_and_three_backward(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Relu", 14);
    fixture_in(f, F, "20 30 40", GRAD);
    fixture_out(f, F, "20 30 40");
    fixture_count(f);
    assert_close(moved_B(f, FORWARD), 2 * N * 4.0, 0);
    assert_close(moved_B(f, BACKWARD), 3 * N * 4.0, 0);
    assert_close(fixture_work(f, FORWARD).kernels, 1, 0);
    assert_close(fixture_work(f, BACKWARD).kernels, 1, 0);
    fixture_free(f);
}

static fixture *binary(const char *op_type, const char *b, int a_facts, int b_facts) {
    fixture *f = fixture_new("", op_type, 14);
    fixture_in(f, F, "20 30 40", a_facts);
    fixture_in(f, F, b, b_facts);
    fixture_out(f, F, "20 30 40");
    fixture_count(f);
    return f;
}

static void sum_has_no_backward_kernel_unless_an_operand_was_broadcast(void **state) {
    (void)state;
    fixture *f = binary("Add", "20 30 40", GRAD, GRAD);
    assert_close(moved_B(f, FORWARD), 3 * N * 4.0, 0);
    assert_close(fixture_work(f, BACKWARD).kernels, 0, 0);
    assert_true(f->counted.saves_inputs == 0);
    fixture_free(f);
    f = binary("Add", "40", GRAD, TRAINED);
    const adept_kernel *sum = fixture_kernel(f, BACKWARD, ADEPT_KERNEL_REDUCE, 0);
    assert_close(sum->read_B, N * 4.0, 0);
    assert_close(sum->write_B, 40 * 4.0, 0);
    fixture_free(f);
}

static void product_keeps_the_operand_that_the_other_gradient_needs(void **state) {
    (void)state;
    fixture *f = binary("Mul", "20 30 40", GRAD, GRAD);
    assert_true(f->counted.saves_inputs == 3);
    assert_close(moved_B(f, BACKWARD), 2 * 3 * N * 4.0, 0);
    fixture_free(f);
    f = binary("Mul", "20 30 40", GRAD, PLAIN);
    assert_true(f->counted.saves_inputs == 2);
    assert_close(moved_B(f, BACKWARD), 3 * N * 4.0, 0);
    fixture_free(f);
    f = binary("Mul", "", GRAD, CONSTANT); /* scaling */
    assert_true(f->counted.saves_inputs == 0);
    assert_close(moved_B(f, BACKWARD), 2 * N * 4.0, 0);
    fixture_free(f);
}

static void quotient_by_a_constant_keeps_nothing(void **state) {
    (void)state;
    fixture *f = binary("Div", "", GRAD, CONSTANT);
    assert_true(f->counted.saves_inputs == 0);
    fixture_free(f);
    f = binary("Div", "20 30 40", GRAD, GRAD);
    assert_true(f->counted.saves_inputs == 3);
    fixture_free(f);
}

static void square_is_one_product_an_element(void **state) {
    (void)state;
    static const double exponents[] = {2};
    adept_value value = {.count = 1, .reals = exponents};
    fixture *f = fixture_new("", "Pow", 15);
    fixture_in(f, F, "20 30 40", GRAD);
    adept_tensor_id exponent = fixture_in(f, F, "", CONSTANT);
    fixture_out(f, F, "20 30 40");
    fixture_count(f);
    assert_true(fixture_work(f, FORWARD).alu_flop > N); /* exponent not known */
    f->all_shapes[exponent].value = &value;
    fixture_count(f);
    assert_close(fixture_work(f, FORWARD).alu_flop, N, 0);
    assert_true(f->counted.saves_inputs == 1);
    fixture_free(f);
}

static void where_keeps_its_condition_at_one_byte(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Where", 16);
    fixture_in(f, ADEPT_DTYPE_BOOL, "20 30 40", PLAIN);
    fixture_in(f, F, "20 30 40", GRAD);
    fixture_in(f, F, "", CONSTANT);
    fixture_out(f, F, "20 30 40");
    fixture_count(f);
    assert_true(f->counted.saves_inputs == 1);
    assert_close(moved_B(f, BACKWARD), N * (4.0 + 1 + 4), 0);
    fixture_free(f);
}

static void folded_operator_costs_nothing(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Add", 14);
    fixture_in(f, ADEPT_DTYPE_INT64, "3", CONSTANT);
    fixture_in(f, ADEPT_DTYPE_INT64, "3", CONSTANT);
    adept_tensor_id out = fixture_out(f, ADEPT_DTYPE_INT64, "3");
    f->is_constant[out] = true;
    fixture_count(f);
    assert_int_equal(f->counted.kernel_count, 0);
    fixture_free(f);
}

static void integers_that_depend_on_data_are_real_work(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Add", 14);
    fixture_in(f, ADEPT_DTYPE_INT64, "16 128", PLAIN);
    fixture_in(f, ADEPT_DTYPE_INT64, "", CONSTANT);
    fixture_out(f, ADEPT_DTYPE_INT64, "16 128");
    fixture_count(f);
    assert_close(moved_B(f, FORWARD), 2 * 16 * 128 * 8.0, 0);
    fixture_free(f);
}

static void cast_is_free_where_both_types_are_stored_alike(void **state) {
    (void)state;
    for (int same = 0; same < 2; same++) {
        fixture *f = fixture_new("", "Cast", 13);
        fixture_in(f, F, "100", GRAD);
        fixture_out(f, same ? F : ADEPT_DTYPE_FLOAT16, "100");
        fixture_int(f, "to", same ? 1 : 10);
        fixture_count(f);
        assert_close(moved_B(f, FORWARD), same ? 0 : 600, 0);
        assert_close(moved_B(f, BACKWARD), same ? 0 : 600, 0);
        assert_int_equal(f->counted.alias_count, same);
        fixture_free(f);
    }
}

/* --- normalisation --- */

static void layer_norm_keeps_its_input_and_two_statistics_a_row(void **state) {
    (void)state;
    fixture *f = fixture_new("", "LayerNormalization", 17);
    fixture_in(f, F, "20 30 40", GRAD);
    fixture_in(f, F, "40", TRAINED);
    fixture_in(f, F, "40", TRAINED);
    fixture_out(f, F, "20 30 40");
    fixture_count(f);
    assert_true(f->counted.saves_inputs == 1);
    assert_close(f->counted.saved_extra_B, 2 * 600 * 4.0, 0);
    assert_close(moved_B(f, FORWARD), (2 * N + 2 * 40 + 2 * 600) * 4.0, 0);
    assert_close(moved_B(f, BACKWARD), 5 * N * 4.0, 0);
    assert_close(fixture_work(f, BACKWARD).kernels, 2, 0);
    fixture_free(f);
}

static fixture *batch_norm(adept_mode mode) {
    fixture *f = fixture_new("", "BatchNormalization", 15);
    int facts = mode == ADEPT_MODE_TRAIN ? GRAD : PLAIN;
    f->run.mode = mode;
    fixture_in(f, F, "2 10 50 24", facts);
    for (int i = 0; i < 4; i++)
        fixture_in(f, F, "10", i < 2 ? (facts ? TRAINED : WEIGHT) : CONSTANT);
    fixture_out(f, F, "2 10 50 24");
    fixture_count(f);
    return f;
}

static void batch_norm_reads_its_input_twice_in_training(void **state) {
    (void)state;
    fixture *f = batch_norm(ADEPT_MODE_TRAIN);
    const adept_kernel *kernel = fixture_kernel(f, FORWARD, ADEPT_KERNEL_BATCH_NORM, 0);
    assert_close(kernel->read_B + kernel->write_B, (3 * N + 40 + 20) * 4.0, 0);
    assert_close(moved_B(f, BACKWARD), 5 * N * 4.0, 0);
    assert_close(f->counted.saved_extra_B, 2 * 10 * 4.0, 0);
    fixture_free(f);
    f = batch_norm(ADEPT_MODE_INFERENCE);
    assert_close(moved_B(f, FORWARD), (2 * N + 40) * 4.0, 0);
    assert_close(fixture_work(f, FORWARD).kernels, 1, 0);
    fixture_free(f);
}

static void softmax_backward_moves_as_much_as_measured(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Softmax", 13);
    fixture_in(f, F, "20 30 40", GRAD);
    fixture_out(f, F, "20 30 40");
    fixture_count(f);
    assert_close(moved_B(f, FORWARD), 2 * N * 4.0, 0);
    assert_close(moved_B(f, BACKWARD), 5.2 * N * 4, 1e-15);
    fixture_free(f);
}

static fixture *dropout(adept_mode mode, double probability, double ratio_in_file) {
    fixture *f = fixture_new("", "Dropout", 7);
    f->run.mode = mode;
    f->run.dropout = probability;
    fixture_in(f, F, "20 30 40", mode == ADEPT_MODE_TRAIN ? GRAD : PLAIN);
    fixture_out(f, F, "20 30 40");
    fixture_float(f, "ratio", ratio_in_file);
    fixture_count(f);
    return f;
}

static void dropout_keeps_a_byte_an_element_in_training_only(void **state) {
    (void)state;
    fixture *f = dropout(ADEPT_MODE_TRAIN, ADEPT_DROPOUT_AUTO, 0.1);
    assert_close(f->counted.saved_extra_B, N, 0);
    assert_close(moved_B(f, FORWARD), N * (4.0 + 4 + 1), 0);
    assert_close(moved_B(f, BACKWARD), 5.6 * N * 4, 1e-15);
    fixture_free(f);
    f = dropout(ADEPT_MODE_INFERENCE, ADEPT_DROPOUT_AUTO, 0.1);
    assert_int_equal(f->counted.kernel_count, 0);
    assert_int_equal(f->counted.alias_count, 1);
    fixture_free(f);
    f = dropout(ADEPT_MODE_TRAIN, 0, 0.1); /* --dropout none */
    assert_int_equal(f->counted.kernel_count, 0);
    fixture_free(f);
    f = dropout(ADEPT_MODE_TRAIN, ADEPT_DROPOUT_AUTO, 0);
    assert_int_equal(f->counted.kernel_count, 0);
    fixture_free(f);
}

static void group_norm_reads_its_input_twice_and_has_statistics_per_group(void **state) {
    (void)state;
    const double n = 2 * 6 * 4 * 5;
    for (int fused = 0; fused < 2; fused++) {
        fixture *f = fixture_new("", "GroupNormalization", 21);
        f->run.fusion = fused ? ADEPT_FUSION_COMPILED : ADEPT_FUSION_EAGER;
        fixture_in(f, F, "2 6 4 5", GRAD);
        fixture_in(f, F, "6", TRAINED);
        fixture_in(f, F, "6", TRAINED);
        fixture_int(f, "num_groups", 3);
        fixture_out(f, F, "2 6 4 5");
        fixture_count(f);
        const double statistics_B = 2 * 3 * 2 * 4.0; /* mean and deviation of each group of each image */
        adept_work forward = fixture_work(f, FORWARD), backward = fixture_work(f, BACKWARD);
        assert_close(forward.read_B, (2 * n + 12) * 4, 0);
        assert_close(forward.write_B, n * 4 + statistics_B, 0);
        assert_close(forward.kernels, fused ? 1 : 3, 0);
        assert_close(backward.read_B + backward.write_B, 5 * n * 4, 0); /* x, dy; x, dy, dx */
        assert_close(backward.write_B, n * 4, 0);
        assert_close(f->counted.saved_extra_B, statistics_B, 0);
        fixture_free(f);
    }
}

static void normalisation_runs_in_fp32_under_autocast(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Softmax", 13);
    f->run.precision = ADEPT_PRECISION_BF16_AMP;
    adept_tensor_id x = fixture_in(f, ADEPT_DTYPE_BFLOAT16, "20 30 40", GRAD);
    adept_tensor_id y = fixture_out(f, ADEPT_DTYPE_BFLOAT16, "20 30 40");
    fixture_count(f);
    assert_int_equal(f->storage[x], ADEPT_DTYPE_BFLOAT16);
    assert_int_equal(f->storage[y], ADEPT_DTYPE_FLOAT);
    const adept_kernel *cast = fixture_kernel(f, FORWARD, ADEPT_KERNEL_CAST, 0);
    assert_close(cast->read_B + cast->write_B, 6.0 * N, 0);
    const adept_kernel *softmax = fixture_kernel(f, FORWARD, ADEPT_KERNEL_SOFTMAX, 0);
    assert_close(softmax->read_B + softmax->write_B, 8.0 * N, 0);
    fixture_free(f);
}

/* --- reductions and pools --- */

static void mean_keeps_nothing_and_writes_its_gradient_once(void **state) {
    (void)state;
    fixture *f = fixture_new("", "ReduceMean", 13);
    fixture_in(f, F, "20 30 40", GRAD);
    fixture_out(f, F, "20 30 1");
    fixture_count(f);
    assert_close(moved_B(f, FORWARD), (N + 600) * 4.0, 0);
    assert_close(moved_B(f, BACKWARD), N * 4.0, 0);
    assert_true(f->counted.saves_inputs == 0 && f->counted.saves_outputs == 0);
    fixture_free(f);
}

static void max_pool_keeps_its_input_and_64_bit_indices(void **state) {
    (void)state;
    static const int64_t window[] = {2, 2};
    fixture *f = fixture_new("", "MaxPool", 12);
    fixture_in(f, F, "2 4 8 8", GRAD);
    fixture_out(f, F, "2 4 4 4");
    fixture_ints(f, "kernel_shape", window, 2);
    fixture_count(f);
    assert_true(f->counted.saves_inputs == 1);
    assert_close(f->counted.saved_extra_B, 2 * 4 * 16 * 8.0, 0);
    assert_close(fixture_work(f, FORWARD).alu_flop, 2 * 4 * 16 * 4.0, 0);
    fixture_free(f);
}

static void global_average_pool_is_a_mean_and_keeps_nothing(void **state) {
    (void)state;
    fixture *f = fixture_new("", "GlobalAveragePool", 1);
    fixture_in(f, F, "2 4 8 8", GRAD);
    fixture_out(f, F, "2 4 1 1");
    fixture_count(f);
    assert_true(f->counted.saves_inputs == 0);
    assert_close(f->counted.saved_extra_B, 0, 0);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(autograd_keeps_what_pytorch_keeps),
        cmocka_unit_test(activation_moves_two_passes_forward_and_three_backward),
        cmocka_unit_test(sum_has_no_backward_kernel_unless_an_operand_was_broadcast),
        cmocka_unit_test(product_keeps_the_operand_that_the_other_gradient_needs),
        cmocka_unit_test(quotient_by_a_constant_keeps_nothing),
        cmocka_unit_test(square_is_one_product_an_element),
        cmocka_unit_test(where_keeps_its_condition_at_one_byte),
        cmocka_unit_test(folded_operator_costs_nothing),
        cmocka_unit_test(integers_that_depend_on_data_are_real_work),
        cmocka_unit_test(cast_is_free_where_both_types_are_stored_alike),
        cmocka_unit_test(layer_norm_keeps_its_input_and_two_statistics_a_row),
        cmocka_unit_test(batch_norm_reads_its_input_twice_in_training),
        cmocka_unit_test(softmax_backward_moves_as_much_as_measured),
        cmocka_unit_test(dropout_keeps_a_byte_an_element_in_training_only),
        cmocka_unit_test(group_norm_reads_its_input_twice_and_has_statistics_per_group),
        cmocka_unit_test(normalisation_runs_in_fp32_under_autocast),
        cmocka_unit_test(mean_keeps_nothing_and_writes_its_gradient_once),
        cmocka_unit_test(max_pool_keeps_its_input_and_64_bit_indices),
        cmocka_unit_test(global_average_pool_is_a_mean_and_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
