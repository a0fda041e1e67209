/* What holds of every row of the table of operators. */
#include "count_fixture.h"
#include "registry_listing.h"
#include "test_support.h"

#define FORWARD ADEPT_PASS_FORWARD
#define BACKWARD ADEPT_PASS_BACKWARD

static size_t row_count;
static const adept_handler *rows;

static int compare(const adept_handler *a, const adept_handler *b) {
    int order = strcmp(a->domain, b->domain);
    order = order ? order : strcmp(a->op_type, b->op_type);
    return order ? order : (a->since > b->since) - (a->since < b->since);
}

static void rows_are_sorted_and_unique(void **state) {
    (void)state;
    assert_true(row_count > 300);
    for (size_t i = 1; i < row_count; i++)
        if (compare(&rows[i - 1], &rows[i]) >= 0)
            fail_msg("%s.%s since %d stands before %s.%s since %d", rows[i - 1].domain, rows[i - 1].op_type,
                     (int)rows[i - 1].since, rows[i].domain, rows[i].op_type, (int)rows[i].since);
}

static void every_row_infers_and_counts(void **state) {
    (void)state;
    for (size_t i = 0; i < row_count; i++)
        if (!rows[i].infer || !rows[i].count)
            fail_msg("%s.%s has no %s function", rows[i].domain, rows[i].op_type,
                     rows[i].infer ? "count" : "infer");
}

static void costly_elements_say_what_they_cost(void **state) {
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        assert_true(rows[i].alu.forward >= 0 && rows[i].alu.backward >= 0);
        if (rows[i].alu.forward > 4 && !rows[i].note && rows[i].count)
            fail_msg("%s.%s: %g FLOP an element without a source", rows[i].domain, rows[i].op_type,
                     rows[i].alu.forward);
    }
}

static void input_numbers_are_consistent(void **state) {
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        assert_true(rows[i].since >= 1 && rows[i].inputs.min >= 0);
        assert_true(rows[i].inputs.max < 0 || rows[i].inputs.max >= rows[i].inputs.min);
        for (int input = 0; rows[i].inputs.max >= 0 && input < 32; input++)
            if (rows[i].shape_inputs >> input & 1)
                assert_true(input < rows[i].inputs.max);
    }
}

static void newest_row_not_after_the_opset_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < row_count; i++)
        assert_ptr_equal(adept_handler_find(rows[i].domain, rows[i].op_type, rows[i].since), &rows[i]);
    assert_int_equal(adept_handler_find("", "Clip", 7)->since, 1);
    assert_int_equal(adept_handler_find("", "Clip", 99)->since, 11);
    assert_null(adept_handler_find("", "Gelu", 19));
    assert_null(adept_handler_find("", "NoSuchOperator", 20));
    assert_null(adept_handler_find("no.such.domain", "Relu", 20));
}

/* --- work on made-up shapes --- */

static void assert_sane(const fixture *f, const adept_handler *row) {
    for (int32_t i = 0; i < f->counted.kernel_count; i++) {
        const adept_kernel *k = &f->counted.kernels[i];
        const double figures[] = {k->gemm_flop, k->conv_flop, k->alu_flop,  k->read_B, k->write_B,
                                  k->launches,  k->elements,  k->element_B, k->steps};
        for (size_t n = 0; n < sizeof figures / sizeof figures[0]; n++)
            if (!isfinite(figures[n]) || figures[n] < 0)
                fail_msg("%s.%s: figure %zu of kernel %d is %g", row->domain, row->op_type, n, (int)i,
                         figures[n]);
        assert_true(k->launches >= 1 && k->steps >= 1);
        assert_true(k->pass == FORWARD || k->pass == BACKWARD);
        assert_true(k->gemm.m >= 0 && k->gemm.n >= 0 && k->gemm.k >= 0 && k->conv.kernel >= 0);
    }
    assert_true(isfinite(f->counted.saved_extra_B) && f->counted.saved_extra_B >= 0);
    assert_true(isfinite(f->counted.workspace_B) && f->counted.workspace_B >= 0);
}

static fixture *made_up(const adept_handler *row, const char *dims, adept_run run, adept_dtype dtype) {
    fixture *f = fixture_new(row->domain, row->op_type, row->since);
    int inputs = row->inputs.max < 0 || row->inputs.max > 12 ? row->inputs.min + 1 : row->inputs.max;
    bool train = run.mode == ADEPT_MODE_TRAIN;
    f->run = run;
    for (int i = 0; i < inputs; i++)
        fixture_in(f, dtype, dims, i % 2 ? (train ? TRAINED : WEIGHT) : (train ? GRAD : PLAIN));
    fixture_out(f, dtype, dims);
    fixture_out(f, dtype, dims);
    fixture_int(f, "num_heads", 2);
    fixture_int(f, "k", 2);
    fixture_string(f, "equation", "abcd,abde");
    return f;
}

/* Shapes that no row was written for: a row may count little, but never crash nor count nonsense. */
static void work_is_finite_and_non_negative_on_any_shapes(void **state) {
    (void)state;
    static const char *const all_dims[] = {"2 4 6 8", "3 4 5", "6 4", "7", "", "2 0 3 3", "2 3 4 5 6", "?"};
    adept_run run = ADEPT_RUN_INIT;
    for (size_t i = 0; i < row_count; i++) {
        for (size_t d = 0; d < sizeof all_dims / sizeof all_dims[0]; d++) {
            for (int variant = 0; variant < 8; variant++) {
                run.mode = variant & 1 ? ADEPT_MODE_INFERENCE : ADEPT_MODE_TRAIN;
                run.precision = variant & 2 ? ADEPT_PRECISION_BF16_AMP : ADEPT_PRECISION_FP32;
                run.attention = variant & 4 ? ADEPT_ATTENTION_FLASH : ADEPT_ATTENTION_EAGER;
                fixture *f = made_up(&rows[i], all_dims[d], run, ADEPT_DTYPE_FLOAT);
                fixture_count(f);
                assert_sane(f, &rows[i]);
                fixture_free(f);
            }
        }
    }
}

static void inference_never_has_a_backward_pass(void **state) {
    (void)state;
    adept_run run = ADEPT_RUN_INIT;
    run.mode = ADEPT_MODE_INFERENCE;
    for (size_t i = 0; i < row_count; i++) {
        fixture *f = made_up(&rows[i], "2 4 6 8", run, ADEPT_DTYPE_FLOAT);
        fixture_count(f);
        if (fixture_work(f, BACKWARD).kernels > 0 || f->counted.saves_inputs || f->counted.saves_outputs ||
            f->counted.saved_extra_B > 0)
            fail_msg("%s.%s has a backward pass in inference", rows[i].domain, rows[i].op_type);
        fixture_free(f);
    }
}

/* Sixteen bits never move more than thirty-two. */
static void narrower_elements_never_move_more_bytes(void **state) {
    (void)state;
    adept_run wide = ADEPT_RUN_INIT, narrow = ADEPT_RUN_INIT;
    narrow.precision = ADEPT_PRECISION_FP16;
    for (size_t i = 0; i < row_count; i++) {
        fixture *f = made_up(&rows[i], "2 4 6 8", wide, ADEPT_DTYPE_FLOAT);
        fixture *h = made_up(&rows[i], "2 4 6 8", narrow, ADEPT_DTYPE_FLOAT);
        fixture_count(f);
        fixture_count(h);
        adept_work a = fixture_work(f, FORWARD), b = fixture_work(h, FORWARD);
        if (b.read_B + b.write_B > a.read_B + a.write_B || b.gemm_flop != a.gemm_flop)
            fail_msg("%s.%s moves %g B in FP32 and %g B in FP16", rows[i].domain, rows[i].op_type,
                     a.read_B + a.write_B, b.read_B + b.write_B);
        fixture_free(f);
        fixture_free(h);
    }
}

/* Matrix operators on shapes of their own, with the batch written as %d. */
typedef struct batched {
    const char *op_type;
    int32_t opset;
    const char *inputs[3], *output;
} batched;

static double matrix_flop(const batched *b, int batch, adept_pass pass) {
    fixture *f = fixture_new("", b->op_type, b->opset);
    char dims[64];
    for (int i = 0; i < 3 && b->inputs[i]; i++) {
        snprintf(dims, sizeof dims, b->inputs[i], batch);
        fixture_in(f, ADEPT_DTYPE_FLOAT, dims, i ? TRAINED : GRAD);
    }
    snprintf(dims, sizeof dims, b->output, batch);
    fixture_out(f, ADEPT_DTYPE_FLOAT, dims);
    fixture_count(f);
    adept_work work = fixture_work(f, pass);
    fixture_free(f);
    return work.gemm_flop + work.conv_flop;
}

static void twice_the_batch_is_twice_the_matrix_flop(void **state) {
    (void)state;
    static const batched cases[] = {
        {"Gemm",          13, {"%d 64", "64 32", NULL},             "%d 32"      },
        {"MatMul",        13, {"%d 10 64", "64 32", NULL},          "%d 10 32"   },
        {"Conv",          11, {"%d 8 9 9", "16 8 3 3", NULL},       "%d 16 7 7"  },
        {"ConvTranspose", 11, {"%d 8 9 9", "8 16 2 2", NULL},       "%d 16 18 18"},
        {"Attention",     23, {"%d 2 5 8", "%d 2 7 8", "%d 2 7 8"}, "%d 2 5 8"   },
        {"LSTM",          14, {"6 %d 8", "1 64 8", "1 64 16"},      "6 1 %d 16"  },
        {"GRU",           14, {"6 %d 8", "1 48 8", "1 48 16"},      "6 1 %d 16"  },
        {"RNN",           14, {"6 %d 8", "1 16 8", "1 16 16"},      "6 1 %d 16"  },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int pass = FORWARD; pass <= BACKWARD; pass++) {
            double one = matrix_flop(&cases[i], 3, (adept_pass)pass);
            assert_true(one > 0);
            assert_close(matrix_flop(&cases[i], 6, (adept_pass)pass), 2 * one, 0);
        }
    }
}

/* --- the document --- */

static char *read_all(FILE *file) {
    size_t length = 0, capacity = 1 << 20;
    char *text = calloc(1, capacity);
    if (file)
        length = fread(text, 1, capacity - 1, file);
    text[length] = '\0';
    return text;
}

static void document_of_operators_is_current(void **state) {
    (void)state;
    static const char path[] = ADEPT_SOURCE_DIR "/docs/operators.md";
    if (getenv("ADEPT_RENEW")) {
        FILE *renewed = fopen(path, "w");
        assert_non_null(renewed);
        adept_operators_markdown(renewed);
        assert_int_equal(fclose(renewed), 0);
    }
    FILE *fresh = tmpfile(), *committed = fopen(path, "r");
    assert_non_null(fresh);
    assert_non_null(committed);
    adept_operators_markdown(fresh);
    rewind(fresh);
    char *expected = read_all(fresh), *found = read_all(committed);
    if (strcmp(expected, found) != 0)
        fail_msg("%s is not what the table says; run this test with ADEPT_RENEW=1", path);
    free(expected);
    free(found);
    fclose(fresh);
    fclose(committed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_unique),
        cmocka_unit_test(every_row_infers_and_counts),
        cmocka_unit_test(costly_elements_say_what_they_cost),
        cmocka_unit_test(input_numbers_are_consistent),
        cmocka_unit_test(newest_row_not_after_the_opset_is_found),
        cmocka_unit_test(work_is_finite_and_non_negative_on_any_shapes),
        cmocka_unit_test(inference_never_has_a_backward_pass),
        cmocka_unit_test(narrower_elements_never_move_more_bytes),
        cmocka_unit_test(twice_the_batch_is_twice_the_matrix_flop),
        cmocka_unit_test(document_of_operators_is_current),
    };
    rows = adept_handler_table(&row_count);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
