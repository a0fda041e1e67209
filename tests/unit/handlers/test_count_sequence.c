/* Einsum, attention and recurrent layers: FLOP as PyTorch's counter gives them. */
#include "count_fixture.h"
#include "test_support.h"

#define F ADEPT_DTYPE_FLOAT
#define FORWARD ADEPT_PASS_FORWARD
#define BACKWARD ADEPT_PASS_BACKWARD
#define GEMM ADEPT_KERNEL_GEMM

static fixture *einsum(const char *equation, const char *a, const char *b, const char *y, int a_facts,
                       int b_facts) {
    fixture *f = fixture_new("", "Einsum", 12);
    fixture_in(f, F, a, a_facts);
    fixture_in(f, F, b, b_facts);
    fixture_out(f, F, y);
    fixture_string(f, "equation", equation);
    fixture_count(f);
    return f;
}

static void einsum_sorts_labels_into_batch_rows_columns_and_sum(void **state) {
    (void)state;
    /* ibnd,jbnd->bnij: batch b n, rows i, columns j, summed d */
    fixture *f = einsum("ibnd,jbnd->bnij", "5 2 3 7", "6 2 3 7", "2 3 5 6", GRAD, GRAD);
    const adept_kernel *kernel = fixture_kernel(f, FORWARD, GEMM, 0);
    assert_int_equal(kernel->gemm.batch, 6);
    assert_int_equal(kernel->gemm.m, 5);
    assert_int_equal(kernel->gemm.n, 6);
    assert_int_equal(kernel->gemm.k, 7);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, 2 * kernel->gemm_flop, 0);
    fixture_free(f);
}

static void einsum_understands_ellipsis_blanks_and_no_arrow(void **state) {
    (void)state;
    fixture *f = einsum("...ij, ...jk -> ...ik", "4 2 5 7", "4 2 7 6", "4 2 5 6", PLAIN, PLAIN);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 2.0 * 8 * 5 * 6 * 7, 0);
    fixture_free(f);
    f = einsum("ij,jk", "5 7", "7 6", "5 6", PLAIN, PLAIN);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 2.0 * 5 * 6 * 7, 0);
    fixture_free(f);
}

static void einsum_without_a_sum_has_no_matrix_work(void **state) {
    (void)state;
    fixture *f = einsum("bi,bj->bij", "4 5", "4 6", "4 5 6", GRAD, GRAD);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 0, 0);
    assert_int_equal(fixture_kernels(f, FORWARD, ADEPT_KERNEL_ELEMENTWISE), 1);
    fixture_free(f);
}

static fixture *attention(adept_attention kind, int facts) {
    fixture *f = fixture_new("", "Attention", 23);
    f->run.attention = kind;
    fixture_in(f, F, "2 12 10 64", facts);
    fixture_in(f, F, "2 12 20 64", facts);
    fixture_in(f, F, "2 12 20 64", facts);
    fixture_out(f, F, "2 12 10 64");
    fixture_count(f);
    return f;
}

static void eager_attention_is_two_products_and_four_backward(void **state) {
    (void)state;
    fixture *f = attention(ADEPT_ATTENTION_EAGER, GRAD);
    double product = 2.0 * 24 * 10 * 20 * 64;
    assert_close(fixture_work(f, FORWARD).gemm_flop, 2 * product, 0);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, 4 * product, 0);
    assert_int_equal(fixture_kernels(f, FORWARD, GEMM), 2);
    assert_int_equal(fixture_kernels(f, BACKWARD, GEMM), 4);
    assert_int_equal(fixture_kernels(f, FORWARD, ADEPT_KERNEL_SOFTMAX), 1);
    assert_true(f->counted.saves_inputs == 7);
    assert_close(f->counted.saved_extra_B, 24 * 10 * 20 * 4.0, 0); /* the probabilities */
    fixture_free(f);
}

static void flash_attention_moves_no_scores_and_recomputes_them(void **state) {
    (void)state;
    fixture *f = attention(ADEPT_ATTENTION_FLASH, GRAD);
    double product = 2.0 * 24 * 10 * 20 * 64, q_B = 24 * 10 * 64 * 4.0, k_B = 24 * 20 * 64 * 4.0;
    const adept_kernel *forward = fixture_kernel(f, FORWARD, ADEPT_KERNEL_ATTENTION, 0);
    assert_close(forward->gemm_flop, 2 * product, 0);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, 5 * product, 0);
    assert_close(forward->read_B, q_B + 2 * k_B, 0);
    assert_close(forward->write_B, q_B + 24 * 10 * 4.0, 0);
    assert_int_equal(forward->gemm.batch, 24);
    assert_int_equal(forward->gemm.m, 10);
    assert_int_equal(forward->gemm.n, 20);
    assert_int_equal(forward->gemm.k, 64);
    fixture_free(f);
}

static void grouped_queries_cost_the_flop_of_all_query_heads(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Attention", 23); /* 8 query heads on 2 key heads, [B, S, H*D] */
    fixture_in(f, F, "2 10 128", GRAD);
    fixture_in(f, F, "2 10 32", GRAD);
    fixture_in(f, F, "2 10 32", GRAD);
    fixture_out(f, F, "2 10 128");
    fixture_int(f, "q_num_heads", 8);
    fixture_int(f, "kv_num_heads", 2);
    fixture_count(f);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 2 * 2.0 * 16 * 10 * 10 * 16, 0);
    assert_int_equal(fixture_kernels(f, FORWARD, ADEPT_KERNEL_COPY), 2); /* repeated keys and values */
    fixture_free(f);
}

static void projected_attention_counts_its_projection(void **state) {
    (void)state;
    fixture *f = fixture_new("com.microsoft", "Attention", 1);
    fixture_in(f, F, "2 10 48", PLAIN);
    fixture_in(f, F, "48 144", WEIGHT);
    fixture_in(f, F, "144", WEIGHT);
    fixture_out(f, F, "2 10 48");
    fixture_int(f, "num_heads", 4);
    fixture_count(f);
    assert_close(fixture_work(f, FORWARD).gemm_flop, 2.0 * 20 * 48 * 144 + 2 * 2.0 * 8 * 10 * 10 * 12, 0);
    fixture_free(f);
}

static fixture *lstm(int x_facts, bool bidirectional, bool initial_grad) {
    fixture *f = fixture_new("", "LSTM", 14);
    fixture_in(f, F, "40 2 128", x_facts);
    fixture_in(f, F, bidirectional ? "2 1024 128" : "1 1024 128", TRAINED);
    fixture_in(f, F, bidirectional ? "2 1024 256" : "1 1024 256", TRAINED);
    fixture_in(f, F, bidirectional ? "2 2048" : "1 2048", TRAINED);
    fixture_in_missing(f);
    fixture_in(f, F, bidirectional ? "2 2 256" : "1 2 256", initial_grad ? GRAD : PLAIN);
    fixture_in(f, F, bidirectional ? "2 2 256" : "1 2 256", PLAIN);
    fixture_out(f, F, bidirectional ? "40 2 2 256" : "40 1 2 256");
    fixture_int(f, "hidden_size", 256);
    fixture_count(f);
    return f;
}

static void lstm_counts_the_products_of_its_decomposition(void **state) {
    (void)state;
    double input = 2.0 * 40 * 2 * 128 * 1024, state_step = 2.0 * 2 * 256 * 1024;
    for (int directions = 1; directions <= 2; directions++) {
        fixture *f = lstm(GRAD, directions == 2, false);
        assert_close(fixture_work(f, FORWARD).gemm_flop, directions * (input + 40 * state_step), 0);
        /* the first step's state gradient is nobody's */
        assert_close(fixture_work(f, BACKWARD).gemm_flop, directions * (2 * input + (40 + 39) * state_step),
                     0);
        const adept_kernel *kernel = fixture_kernel(f, FORWARD, ADEPT_KERNEL_RECURRENT, 0);
        assert_close(kernel->steps, 40, 0);
        assert_int_equal(kernel->gemm.batch, directions);
        assert_int_equal(kernel->gemm.m, 2);
        assert_int_equal(kernel->gemm.n, 1024);
        assert_int_equal(kernel->gemm.k, 256);
        fixture_free(f);
    }
}

static void recurrent_gradients_follow_their_inputs(void **state) {
    (void)state;
    double input = 2.0 * 40 * 2 * 128 * 1024, state_step = 2.0 * 2 * 256 * 1024;
    fixture *f = lstm(PLAIN, false, false);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, input + 79 * state_step, 0);
    fixture_free(f);
    f = lstm(GRAD, false, true);
    assert_close(fixture_work(f, BACKWARD).gemm_flop, 2 * input + 80 * state_step, 0);
    fixture_free(f);
}

static void lstm_keeps_seven_states_a_step(void **state) {
    (void)state;
    fixture *f = lstm(GRAD, false, false);
    assert_close(f->counted.saved_extra_B, 7 * 40 * 2 * 256 * 4.0, 0); /* measured with PyTorch's hooks */
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(einsum_sorts_labels_into_batch_rows_columns_and_sum),
        cmocka_unit_test(einsum_understands_ellipsis_blanks_and_no_arrow),
        cmocka_unit_test(einsum_without_a_sum_has_no_matrix_work),
        cmocka_unit_test(eager_attention_is_two_products_and_four_backward),
        cmocka_unit_test(flash_attention_moves_no_scores_and_recomputes_them),
        cmocka_unit_test(grouped_queries_cost_the_flop_of_all_query_heads),
        cmocka_unit_test(projected_attention_counts_its_projection),
        cmocka_unit_test(lstm_counts_the_products_of_its_decomposition),
        cmocka_unit_test(recurrent_gradients_follow_their_inputs),
        cmocka_unit_test(lstm_keeps_seven_states_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
