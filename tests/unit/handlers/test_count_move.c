/* Views, copies and indexed reads. */
#include "count_fixture.h"
#include "test_support.h"

#define F ADEPT_DTYPE_FLOAT
#define FORWARD ADEPT_PASS_FORWARD
#define BACKWARD ADEPT_PASS_BACKWARD

static fixture *unary(const char *op_type, const char *x, const char *y, int facts) {
    fixture *f = fixture_new("", op_type, 13);
    fixture_in(f, F, x, facts);
    fixture_out(f, F, y);
    fixture_count(f);
    return f;
}

static void views_launch_nothing_and_share_storage(void **state) {
    (void)state;
    static const char *const views[] = {"Reshape", "Squeeze", "Unsqueeze", "Identity", "Flatten"};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        fixture *f = unary(views[i], "4 6", "24", GRAD);
        assert_int_equal(f->counted.kernel_count, 0);
        assert_int_equal(f->counted.alias_count, 1);
        fixture_free(f);
    }
}

static void slice_is_free_but_its_gradient_fills_and_copies(void **state) {
    (void)state;
    fixture *f = unary("Slice", "4 6", "4 2", GRAD);
    assert_close(fixture_work(f, FORWARD).kernels, 0, 0);
    adept_work backward = fixture_work(f, BACKWARD);
    assert_close(backward.kernels, 2, 0);
    assert_close(backward.read_B, 8 * 4.0, 0);
    assert_close(backward.write_B, (24 + 8) * 4.0, 0);
    fixture_free(f);
}

static void split_is_free_but_its_gradient_concatenates(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Split", 13);
    fixture_in(f, F, "4 6", GRAD);
    fixture_out(f, F, "4 3");
    fixture_out(f, F, "4 3");
    fixture_count(f);
    assert_close(fixture_work(f, FORWARD).kernels, 0, 0);
    assert_close(fixture_work(f, BACKWARD).kernels, 1, 0);
    assert_close(fixture_work(f, BACKWARD).read_B, 24 * 4.0, 0);
    assert_close(fixture_work(f, BACKWARD).write_B, 24 * 4.0, 0);
    assert_int_equal(f->counted.alias_count, 2);
    fixture_free(f);
}

static void transpose_of_an_activation_is_a_copy(void **state) {
    (void)state;
    fixture *f = unary("Transpose", "4 6", "6 4", GRAD);
    assert_close(fixture_work(f, FORWARD).read_B, 24 * 4.0, 0);
    assert_close(fixture_work(f, FORWARD).write_B, 24 * 4.0, 0);
    assert_close(fixture_work(f, BACKWARD).kernels, 1, 0);
    assert_int_equal(f->counted.alias_count, 0);
    fixture_free(f);
}

static fixture *transpose(const char *x, const char *y, const int64_t *perm, int32_t rank) {
    fixture *f = fixture_new("", "Transpose", 13);
    fixture_in(f, F, x, GRAD);
    fixture_out(f, F, y);
    fixture_ints(f, "perm", perm, rank);
    fixture_count(f);
    return f;
}

static void transposed_matrices_are_kept_as_what_they_are_views_of(void **state) {
    (void)state;
    fixture *f = transpose("2 3 4 5", "2 3 5 4", (const int64_t[]){0, 1, 3, 2}, 4);
    assert_int_equal(f->counted.alias_count, 1);
    assert_false(f->counted.aliases[0].as_matrices);
    assert_close(fixture_work(f, FORWARD).kernels, 1, 0);
    fixture_free(f);
    f = transpose("7 6 5", "6 7 5", (const int64_t[]){1, 0, 2}, 3); /* time-major */
    assert_int_equal(f->counted.alias_count, 1);
    assert_true(f->counted.aliases[0].as_matrices);
    fixture_free(f);
    f = transpose("2 3 4 5", "2 4 3 5", (const int64_t[]){0, 2, 1, 3}, 4); /* heads to the front */
    assert_int_equal(f->counted.alias_count, 0);
    fixture_free(f);
}

static void transposed_matrices_cost_nothing_where_only_batched_products_read_them(void **state) {
    (void)state;
    static const struct {
        const char *x, *y;
        int64_t perm[4];
        int32_t rank;
        double kernels;
    } cases[] = {
        {"2 3 4 5", "2 3 5 4", {0, 1, 3, 2}, 4, 0},
        {"3 4 5",   "3 5 4",   {0, 2, 1},    3, 0},
        {"7 6 5",   "6 7 5",   {1, 0, 2},    3, 0}, /* time-major */
        {"2 3 4 5",
         "2 4 3 5",            {0, 2, 1, 3},
         4,                                     1}, /* heads to the front: the batch is no longer one stride */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture *f = fixture_new("", "Transpose", 13);
        fixture_in(f, F, cases[i].x, GRAD);
        f->is_operand[fixture_out(f, F, cases[i].y)] = true;
        fixture_ints(f, "perm", cases[i].perm, cases[i].rank);
        fixture_count(f);
        assert_close(fixture_work(f, FORWARD).kernels, cases[i].kernels, 0);
        assert_close(fixture_work(f, BACKWARD).kernels, cases[i].kernels, 0);
        fixture_free(f);
    }
}

enum { X, OTHER, Y, Z, OPERANDS };

/* Whether X is marked: Y = op(OTHER, X), and Z = Neg(X) if read_elsewhere. */
static bool is_operand_of(const char *op_type, int32_t other_rank, bool read_elsewhere, bool is_output) {
    int64_t dims[] = {2, 3, 3, 3};
    adept_tensor_id in[] = {OTHER, X}, out = Y, other_in = X, other_out = Z, output = X;
    adept_node nodes[] = {
        {.op_type = op_type, .input_count = 2, .inputs = in, .output_count = 1, .outputs = &out},
        {.op_type = "Neg",
         .input_count = read_elsewhere,
         .inputs = &other_in,
         .output_count = 1,
         .outputs = &other_out                                                                 },
    };
    adept_op ops[] = {
        {.node = &nodes[0], .part_of = -1},
        {.node = &nodes[1], .part_of = -1}
    };
    adept_shape shapes[OPERANDS];
    for (int i = 0; i < OPERANDS; i++)
        shapes[i] = (adept_shape){.dtype = F, .rank = 4, .dims = dims};
    shapes[OTHER].rank = other_rank;
    adept_body body = {.output_count = is_output, .outputs = &output};
    const adept_body *bodies[] = {&body};
    adept_graph graph = {.tensor_count = OPERANDS, .body_count = 1, .bodies = bodies};
    adept_shapes all = {.tensors = shapes};
    bool marked[OPERANDS];
    adept_count_mark_operands(marked, &(adept_ops){2, ops}, &graph, &all);
    return marked[X];
}

static void operands_of_batched_products_are_marked_unless_something_else_reads_them(void **state) {
    (void)state;
    assert_true(is_operand_of("MatMul", 4, false, false));
    assert_false(is_operand_of("Add", 4, false, false));
    assert_false(is_operand_of("MatMul", 2, false, false)); /* rows of all images gathered into one product */
    assert_false(is_operand_of("MatMul", 4, true, false));
    assert_false(is_operand_of("MatMul", 4, false, true));
}

/* Marks constants of `tensor 0 -> op -> tensor 1` where tensor 0 is a weight. */
static bool is_constant_after(const char *op_type, bool parameter) {
    adept_tensor_id in = 0, out = 1;
    adept_constant constant = {.dtype = F};
    adept_node node = {.op_type = op_type,
                       .domain = "",
                       .input_count = 1,
                       .output_count = 1,
                       .inputs = &in,
                       .outputs = &out};
    adept_tensor tensors[2] = {
        {.producer = -1, .constant = &constant},
        {.producer = 0             }
    };
    adept_body body = {.node_count = 1, .nodes = &node};
    const adept_body *bodies[] = {&body};
    adept_graph graph = {.tensor_count = 2, .tensors = tensors, .body_count = 1, .bodies = bodies};
    int64_t dims[] = {4, 6};
    adept_shape shapes[2] = {
        {.dtype = F, .rank = 2, .dims = dims},
        {.dtype = F, .rank = 2, .dims = dims}
    };
    adept_shapes all = {.tensors = shapes};
    adept_op op = {.node = &node, .part_of = -1};
    adept_ops ops = {1, &op};
    bool is_parameter[] = {parameter, false}, is_constant[2];
    adept_count_mark_constants(is_constant, &ops, &graph, &all, is_parameter);
    return is_constant[1];
}

static void layout_of_a_weight_is_folded_but_arithmetic_on_it_is_not(void **state) {
    (void)state;
    assert_true(is_constant_after("Transpose", true));
    assert_true(is_constant_after("Cast", true));
    assert_false(is_constant_after("Sigmoid", true)); /* runs in every step */
    assert_true(is_constant_after("Sigmoid", false));
    assert_false(is_constant_after("RandomNormalLike", false));
}

static void expand_is_free_but_its_gradient_is_a_sum(void **state) {
    (void)state;
    fixture *f = unary("Expand", "4 1 6", "4 5 6", GRAD);
    assert_close(fixture_work(f, FORWARD).kernels, 0, 0);
    const adept_kernel *sum = fixture_kernel(f, BACKWARD, ADEPT_KERNEL_REDUCE, 0);
    assert_close(sum->read_B, 120 * 4.0, 0);
    assert_close(sum->write_B, 24 * 4.0, 0);
    fixture_free(f);
}

static void reshape_of_an_expanded_tensor_is_a_copy(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Reshape", 13);
    adept_tensor_id x = fixture_in(f, F, "2 4 8 10 64", GRAD);
    fixture_out(f, F, "2 32 10 64");
    adept_tensor_id before = f->graph.tensor_count++; /* [2, 4, 1, 10, 64], expanded to x */
    int64_t dims[] = {2, 4, 1, 10, 64};
    f->tensors[before] = (adept_tensor){.name = "before", .producer = -1};
    f->all_shapes[before] = (adept_shape){.dtype = F, .rank = 5, .dims = dims};
    adept_node expand = {.op_type = "Expand", .domain = "", .input_count = 1, .inputs = &before};
    adept_body body = {.node_count = 1, .nodes = &expand};
    const adept_body *bodies[] = {&body};
    f->graph.bodies = bodies;
    f->tensors[x].producer = 0;
    fixture_count(f);
    double bytes = 2.0 * 32 * 10 * 64 * 4;
    const adept_kernel *copy = fixture_kernel(f, FORWARD, ADEPT_KERNEL_COPY, 0);
    assert_close(copy->write_B, bytes, 0);
    assert_int_equal(f->counted.alias_count, 0);
    fixture_free(f);
}

static fixture *gather(const char *table, const char *indices, const char *y, int table_facts,
                       int index_facts) {
    fixture *f = fixture_new("", "Gather", 13);
    fixture_in(f, F, table, table_facts);
    fixture_in(f, ADEPT_DTYPE_INT64, indices, index_facts);
    fixture_out(f, F, y);
    fixture_count(f);
    return f;
}

static void embedding_reads_rows_not_the_table(void **state) {
    (void)state;
    fixture *f = gather("30000 64", "8 16", "8 16 64", TRAINED, PLAIN);
    assert_close(fixture_work(f, FORWARD).read_B, 128 * (64 * 4.0 + 8), 0);
    assert_close(fixture_work(f, FORWARD).write_B, 128 * 64 * 4.0, 0);
    /* the gradient of the table is dense: zeros, then rows added */
    const adept_kernel *scatter = fixture_kernel(f, BACKWARD, ADEPT_KERNEL_SCATTER, 0);
    assert_close(scatter->write_B, (30000 * 64 + 128 * 64) * 4.0, 0);
    assert_close(scatter->launches, 2, 0);
    assert_true(f->counted.saves_inputs == 2); /* the indices */
    fixture_free(f);
}

static void gather_of_one_constant_index_is_a_view(void **state) {
    (void)state;
    fixture *f = gather("8 16 64", "", "8 64", GRAD, CONSTANT);
    assert_close(fixture_work(f, FORWARD).kernels, 0, 0);
    assert_close(fixture_work(f, BACKWARD).kernels, 2, 0);
    assert_int_equal(f->counted.alias_count, 1);
    fixture_free(f);
}

static void concat_is_a_copy_whose_gradients_are_views(void **state) {
    (void)state;
    fixture *f = fixture_new("", "Concat", 13);
    fixture_in(f, F, "4 6", GRAD);
    fixture_in(f, F, "4 2", GRAD);
    fixture_out(f, F, "4 8");
    fixture_count(f);
    assert_close(fixture_work(f, FORWARD).read_B, 32 * 4.0, 0);
    assert_close(fixture_work(f, FORWARD).write_B, 32 * 4.0, 0);
    assert_close(fixture_work(f, BACKWARD).kernels, 0, 0);
    fixture_free(f);
}

static void shape_and_control_flow_cost_nothing_themselves(void **state) {
    (void)state;
    static const char *const free_ops[] = {"Shape", "Size", "If", "Loop", "Scan"};
    for (size_t i = 0; i < sizeof free_ops / sizeof free_ops[0]; i++) {
        fixture *f = unary(free_ops[i], "4 6", "2", PLAIN);
        assert_int_equal(f->counted.kernel_count, 0);
        fixture_free(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_launch_nothing_and_share_storage),
        cmocka_unit_test(slice_is_free_but_its_gradient_fills_and_copies),
        cmocka_unit_test(split_is_free_but_its_gradient_concatenates),
        cmocka_unit_test(transpose_of_an_activation_is_a_copy),
        cmocka_unit_test(transposed_matrices_are_kept_as_what_they_are_views_of),
        cmocka_unit_test(transposed_matrices_cost_nothing_where_only_batched_products_read_them),
        cmocka_unit_test(operands_of_batched_products_are_marked_unless_something_else_reads_them),
        cmocka_unit_test(layout_of_a_weight_is_folded_but_arithmetic_on_it_is_not),
        cmocka_unit_test(expand_is_free_but_its_gradient_is_a_sum),
        cmocka_unit_test(reshape_of_an_expanded_tensor_is_a_copy),
        cmocka_unit_test(embedding_reads_rows_not_the_table),
        cmocka_unit_test(gather_of_one_constant_index_is_a_view),
        cmocka_unit_test(concat_is_a_copy_whose_gradients_are_views),
        cmocka_unit_test(shape_and_control_flow_cost_nothing_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
