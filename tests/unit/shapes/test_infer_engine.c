#include <time.h>

#include "graph_builder.h"
#include "test_support.h"

typedef struct setting {
    builder *b;
    adept_run run;
    adept_dim_binding dims[4];
    adept_error error;
    adept_shapes *shapes;
} setting;

static setting new_setting(void) {
    setting s = {.b = builder_new(), .run = ADEPT_RUN_INIT, .error = ADEPT_ERROR_INIT};
    return s;
}

static void bind(setting *s, const char *name, int64_t value) {
    s->dims[s->run.dim_count++] = (adept_dim_binding){name, value};
}

static adept_status infer(setting *s) {
    s->run.dims = s->dims;
    return adept_shapes_infer(&s->shapes, built(s->b), &s->run, test_lookup, NULL, 0, &s->error);
}

static void done(setting *s) {
    adept_shapes_free(s->shapes);
    builder_free(s->b);
}

static const adept_shape *shape_of(const setting *s, const char *name) {
    return &s->shapes->tensors[find_tensor(built(s->b), name)];
}

static void assert_shape(const setting *s, const char *name, adept_certainty certainty, int32_t rank,
                         const int64_t *dims) {
    const adept_shape *shape = shape_of(s, name);
    assert_int_equal(shape->certainty, certainty);
    assert_int_equal(shape->rank, rank);
    for (int32_t i = 0; i < rank; i++)
        assert_int_equal(shape->dims[i], dims[i]);
}
#define DIMS(...)                                                                                            \
    (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                             \
        __VA_ARGS__                                                                                          \
    }
#define IN(...) ((adept_tensor_id[]){__VA_ARGS__, -2})

static void shapes_flow_through_nodes(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 8");
    adept_tensor_id a = add_node(s.b, 0, "Same", "a", IN(x));
    add_node(s.b, 0, "Append", "b", IN(a, x));
    s.run.batch = 3;
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "b", ADEPT_EXACT, DIMS(6, 8));
    assert_int_equal(shape_of(&s, "b")->dtype, ADEPT_DTYPE_FLOAT);
    assert_int_equal(s.shapes->note_count, 0);
    done(&s);
}

static void integers_of_constants_decide_shapes(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id c = add_ints(s.b, 0, "c", 2, (int64_t[]){4, 6});
    adept_tensor_id d = add_node(s.b, 0, "Increment", "d", IN(c));
    add_node(s.b, 0, "Fill", "y", IN(d));
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(5, 7));
    done(&s);
}

static void data_dependent_sizes_are_marked_recorded_and_bindable(void **state) {
    (void)state;
    for (int bound = 0; bound < 2; bound++) {
        setting s = new_setting();
        adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "4");
        adept_tensor_id n = add_node(s.b, 0, "Count", "n", IN(x));
        adept_tensor_id g = add_node(s.b, 0, "Guess", "g", IN(x));
        add_node(s.b, 0, "Append", "m", IN(n, g));
        if (bound)
            bind(&s, "count_n", 6);
        assert_ok(infer(&s), s.error);
        assert_shape(&s, "n", bound ? ADEPT_EXACT : ADEPT_BOUND, DIMS(bound ? 6 : 10));
        assert_shape(&s, "m", ADEPT_ASSUMED, DIMS(bound ? 9 : 13));
        assert_int_equal(s.shapes->assumption_count, 2);
        assert_string_equal(s.shapes->assumptions[0].symbol, "count_n");
        assert_string_equal(s.shapes->assumptions[0].node, "n");
        assert_int_equal(s.shapes->assumptions[0].value, bound ? 6 : 10);
        assert_int_equal(s.shapes->assumptions[1].certainty, ADEPT_ASSUMED);
        done(&s);
    }
}

static void the_files_shape_replaces_what_inference_cannot_know(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "batch, 8");
    adept_tensor_id u = add_node(s.b, 0, "Mystery", "u", IN(x));
    declare(s.b, u, ADEPT_DTYPE_FLOAT16, "2*batch, K");
    adept_tensor_id n = add_node(s.b, 0, "Count", "n", IN(x));
    declare(s.b, n, ADEPT_DTYPE_FLOAT, "batch");
    add_node(s.b, 0, "Mystery", "v", IN(x));
    s.run.batch = 7;
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "u", ADEPT_ASSUMED, DIMS(14, 1));
    assert_int_equal(shape_of(&s, "u")->dtype, ADEPT_DTYPE_FLOAT16);
    assert_shape(&s, "n", ADEPT_EXACT, DIMS(7));
    assert_int_equal(shape_of(&s, "v")->certainty, ADEPT_UNKNOWN);
    assert_int_equal(s.shapes->assumption_count, 1);
    assert_string_equal(s.shapes->assumptions[0].symbol, "K");
    assert_int_equal(s.shapes->note_count, 1);
    assert_non_null(strstr(s.shapes->notes[0], "operator Mystery (2 nodes)"));
    done(&s);
}

static void a_symbol_seen_in_an_inferred_tensor_is_known_afterwards(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "batch, 8");
    adept_tensor_id a = add_node(s.b, 0, "Append", "a", IN(x, x));
    declare(s.b, a, ADEPT_DTYPE_FLOAT, "unk__0, 8");
    adept_tensor_id u = add_node(s.b, 0, "Mystery", "u", IN(a));
    declare(s.b, u, ADEPT_DTYPE_FLOAT, "unk__0, 3");
    s.run.batch = 5;
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "u", ADEPT_EXACT, DIMS(10, 3));
    done(&s);
}

static void a_wrong_declared_shape_is_overruled_and_reported(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 8");
    adept_tensor_id y = add_node(s.b, 0, "Same", "y", IN(x));
    declare(s.b, y, ADEPT_DTYPE_FLOAT, "N, 9");
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(1, 8));
    assert_int_equal(s.shapes->note_count, 1);
    assert_string_equal(s.shapes->notes[0],
                        "tensor 'y': the file declares float32 [N = 1, 9], inference finds "
                        "float32 [1, 8], which is used");
    done(&s);
}

static void errors_name_the_node(void **state) {
    (void)state;
    setting s = new_setting();
    add_node(s.b, 0, "Strict", "y", IN(add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 8, 8")));
    assert_int_equal(infer(&s), ADEPT_SHAPE);
    assert_string_equal(s.error.message,
                        "node 'y' (Strict): input has rank 3, needs 2; reshape it (with N = 1 by default; "
                        "--batch, --seq and --dim NAME=N change that)");
    done(&s);

    s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 8");
    add_node(s.b, 0, "Same", "y", IN(x, x, x));
    assert_int_equal(infer(&s), ADEPT_SHAPE);
    assert_non_null(strstr(s.error.message, "node 'y' (Same): has 3 inputs, the operator takes at most 1"));
    done(&s);

    s = new_setting();
    x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 8");
    add_node(s.b, 0, "Append", "y", IN(x, ADEPT_NO_TENSOR));
    assert_int_equal(infer(&s), ADEPT_SHAPE);
    assert_non_null(strstr(s.error.message, "node 'y' (Append): input 1 is missing"));
    done(&s);
}

static void sizes_beyond_64_bits_are_refused_with_the_product(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id c = add_ints(s.b, 0, "c", 2, (int64_t[]){(int64_t)1 << 40, (int64_t)1 << 40});
    add_node(s.b, 0, "Fill", "y", IN(c));
    assert_int_equal(infer(&s), ADEPT_RANGE);
    assert_non_null(strstr(s.error.message, "node 'y' (Fill)"));
    assert_non_null(strstr(s.error.message, "[1099511627776, 1099511627776]"));
    done(&s);

    s = new_setting();
    add_node(s.b, 0, "Fill", "y", IN(add_ints(s.b, 0, "c", 2, (int64_t[]){3, -4})));
    assert_int_equal(infer(&s), ADEPT_SHAPE);
    assert_non_null(strstr(s.error.message, "dimension 1 of output 0 would be -4"));
    done(&s);
}

/* Nodes of different bodies may have one name. */
static void assumptions_of_namesakes_have_symbols_of_their_own(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "4");
    add_node(s.b, 0, "Count", "n", IN(x));
    add_node(s.b, 0, "Count", "n", IN(x));
    adept_tensor_id second = built(s.b)->tensor_count - 1;
    bind(&s, "count_n_2", 6);
    assert_ok(infer(&s), s.error);
    assert_int_equal(s.shapes->assumption_count, 2);
    assert_shape(&s, "n", ADEPT_BOUND, DIMS(10));
    assert_int_equal(s.shapes->tensors[second].dims[0], 6);
    done(&s);
}

static void a_misspelt_assumption_is_refused_with_the_right_names(void **state) {
    (void)state;
    setting s = new_setting();
    add_node(s.b, 0, "Count", "n", IN(add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N")));
    bind(&s, "count_m", 4);
    assert_int_equal(infer(&s), ADEPT_ARGUMENT);
    assert_non_null(strstr(s.error.message, "it has: N, count_n"));
    done(&s);
}

static void wrong_attribute_types_are_errors(void **state) {
    (void)state;
    setting s = new_setting();
    add_node(s.b, 0, "Below", "y", IN(add_input(s.b, 0, "x", ADEPT_DTYPE_INT64, "1")));
    set_body(s.b, 0, "limit", 0);
    assert_int_equal(infer(&s), ADEPT_SHAPE);
    assert_string_equal(s.error.message,
                        "node 'y' (Below): attribute 'limit' is GRAPH, the operator wants INT");
    done(&s);
}

static void fed_shapes_replace_declared_ones(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_INT64, "N, 2");
    add_node(s.b, 0, "Same", "a", IN(x));
    add_node(s.b, 0, "Fill", "y", IN(x));
    int64_t numbers[] = {5, 6};
    adept_value value = {.count = 2, .ints = numbers};
    adept_fed_value fed = {
        "x",
        {.kind = ADEPT_TYPE_TENSOR,
          .dtype = ADEPT_DTYPE_INT64,
          .rank = 2,
          .dims = (int64_t[]){1, 2},
          .value = &value}
    };
    assert_ok(adept_shapes_infer(&s.shapes, built(s.b), &s.run, test_lookup, &fed, 1, &s.error), s.error);
    assert_shape(&s, "a", ADEPT_EXACT, DIMS(1, 2));
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(5, 6));
    assert_int_equal(s.shapes->symbols[0].value, 1);
    done(&s);
}

/* A chain far longer than any stack is deep. */
static void long_graphs_take_linear_time(void **state) {
    (void)state;
    enum { NODES = 200000 };
    static adept_node nodes[NODES];
    static adept_tensor tensors[NODES + 1];
    static adept_tensor_id ids[NODES + 1];
    const adept_dim dims[] = {
        {-1, "N" },
        {64, NULL}
    };
    const adept_type type = {.kind = ADEPT_TYPE_TENSOR, .dtype = ADEPT_DTYPE_FLOAT, .rank = 2, .dims = dims};
    for (int32_t i = 0; i <= NODES; i++) {
        ids[i] = i;
        tensors[i] = (adept_tensor){.name = "t", .declared = &type};
    }
    tensors[0].name = "x";
    for (int32_t i = 0; i < NODES; i++)
        nodes[i] = (adept_node){.name = "node",
                                .op_type = "Same",
                                .domain = "",
                                .opset = 17,
                                .input_count = 1,
                                .output_count = 1,
                                .inputs = &ids[i],
                                .outputs = &ids[i + 1]};
    const adept_body body = {.name = "main",
                             .node_count = NODES,
                             .nodes = nodes,
                             .input_count = 1,
                             .output_count = 1,
                             .inputs = &ids[0],
                             .outputs = &ids[NODES]};
    const adept_body *bodies[] = {&body};
    adept_graph graph = {.tensor_count = NODES + 1, .tensors = tensors, .body_count = 1, .bodies = bodies};
    adept_run run = ADEPT_RUN_INIT;
    adept_shapes *shapes;
    adept_error error = ADEPT_ERROR_INIT;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_ok(adept_shapes_infer(&shapes, &graph, &run, test_lookup, NULL, 0, &error), error);
    clock_gettime(CLOCK_MONOTONIC, &end);
    print_message("%d nodes in %.1f ms\n", NODES,
                  (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6);
    assert_int_equal(shapes->tensors[NODES].dims[1], 64);
    adept_shapes_free(shapes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_flow_through_nodes),
        cmocka_unit_test(integers_of_constants_decide_shapes),
        cmocka_unit_test(data_dependent_sizes_are_marked_recorded_and_bindable),
        cmocka_unit_test(the_files_shape_replaces_what_inference_cannot_know),
        cmocka_unit_test(a_symbol_seen_in_an_inferred_tensor_is_known_afterwards),
        cmocka_unit_test(a_wrong_declared_shape_is_overruled_and_reported),
        cmocka_unit_test(errors_name_the_node),
        cmocka_unit_test(sizes_beyond_64_bits_are_refused_with_the_product),
        cmocka_unit_test(assumptions_of_namesakes_have_symbols_of_their_own),
        cmocka_unit_test(a_misspelt_assumption_is_refused_with_the_right_names),
        cmocka_unit_test(wrong_attribute_types_are_errors),
        cmocka_unit_test(fed_shapes_replace_declared_ones),
        cmocka_unit_test(long_graphs_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
