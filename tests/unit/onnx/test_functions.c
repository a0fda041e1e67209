/* Local functions are inlined. */
#include "load_support.h"

/* A model that calls F of domain f, "x" to "y"; the caller adds the call's attributes and the function. */
static void begin(onnx_writer *w) {
    onnx_model_begin(w, 9, 17);
    onnx_input(w, "x", 1, "N,8");
    onnx_output(w, "y", 1, "N,8");
}

static void call(onnx_writer *w, uint32_t field, const char *function, const char *name, const char *inputs,
                 const char *outputs) {
    onnx_node_begin(w, field, function, "f", name, inputs, outputs);
    onnx_end(w);
}

static void inner_node(onnx_writer *w, const char *op_type, const char *inputs, const char *outputs) {
    onnx_node_begin(w, 7, op_type, "", "", inputs, outputs);
    onnx_end(w);
}

static void finish(onnx_writer *w) {
    onnx_model_end(w);
    onnx_opset(w, 8, "f", 1);
}

static void nodes_of_a_call_carry_its_path(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "F", "one", "x", "m");
    call(&w, 1, "F", "", "m", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a", "b");
    inner_node(&w, "Relu", "a", "t");
    inner_node(&w, "Neg", "t", "b");
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(adept_graph_node_count(g), 4);
    assert_string_equal(node_at(g, 0, 0)->name, "one/Relu_0");
    assert_string_equal(node_at(g, 0, 0)->module, "one");
    assert_string_equal(output_name(g, node_at(g, 0, 0), 0), "one/t");
    assert_string_equal(output_name(g, node_at(g, 0, 1), 0), "m");
    assert_string_equal(node_at(g, 0, 2)->name, "F_1/Relu_0");
    assert_string_equal(input_name(g, node_at(g, 0, 2), 0), "m");
    assert_string_equal(output_name(g, node_at(g, 0, 3), 0), "y");
    release(g, &w);
}

static void calls_within_functions_nest_their_paths(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "Outer", "o", "x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "Outer", "a", "b");
    call(&w, 7, "Inner", "i", "a", "b");
    onnx_end(&w);
    onnx_function_begin(&w, "f", "Inner", "a", "b");
    inner_node(&w, "Relu", "a", "b");
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(adept_graph_node_count(g), 1);
    assert_string_equal(node_at(g, 0, 0)->name, "o/i/Relu_0");
    assert_string_equal(node_at(g, 0, 0)->module, "o.i");
    assert_string_equal(input_name(g, node_at(g, 0, 0), 0), "x");
    assert_string_equal(output_name(g, node_at(g, 0, 0), 0), "y");
    release(g, &w);
}

/* alpha given by the call, beta by default, gamma by neither: the inner node then lacks it. */
static void attributes_come_from_the_call_or_the_default(void **state) {
    (void)state;
    onnx_writer w = {0};
    const char *names[] = {"alpha", "beta", "gamma"};
    begin(&w);
    onnx_node_begin(&w, 1, "F", "f", "c", "x", "y");
    onnx_attribute_int(&w, "alpha", 5);
    onnx_end(&w);
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a", "b");
    onnx_node_begin(&w, 7, "Op", "com.example", "", "a", "b");
    for (size_t i = 0; i < 3; i++) {
        char inner[16];
        snprintf(inner, sizeof inner, "inner_%s", names[i]);
        onnx_attribute_begin(&w, inner, 2);
        onnx_put_text(&w, 21, names[i]);
        onnx_end(&w);
    }
    onnx_end(&w);
    onnx_begin(&w, 11); /* default */
    onnx_put_text(&w, 1, "beta");
    onnx_put_int(&w, 20, 2);
    onnx_put_int(&w, 3, 6);
    onnx_end(&w);
    onnx_put_text(&w, 6, "gamma");
    onnx_opset(&w, 9, "com.example", 1);
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    const adept_node *node = node_at(g, 0, 0);
    assert_int_equal(adept_node_attribute(node, "inner_alpha")->i, 5);
    assert_int_equal(adept_node_attribute(node, "inner_beta")->i, 6);
    assert_null(adept_node_attribute(node, "inner_gamma"));
    release(g, &w);
}

static void inputs_that_the_call_leaves_out_are_absent(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "F", "c", "x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a,bias", "b");
    inner_node(&w, "Clip", "a,bias", "b");
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(node_at(g, 0, 0)->inputs[1], ADEPT_NO_TENSOR);
    release(g, &w);
}

static void an_input_handed_through_becomes_an_identity(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "F", "c", "x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a", "a");
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    assert_string_equal(node_at(g, 0, 0)->op_type, "Identity");
    assert_string_equal(input_name(g, node_at(g, 0, 0), 0), "x");
    assert_string_equal(output_name(g, node_at(g, 0, 0), 0), "y");
    release(g, &w);
}

/* The function's name is that of an operator of the standard: the file's own definition wins. */
static void a_function_may_redefine_an_operator(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node(&w, "Gelu", "g", "x", "y");
    onnx_model_end(&w);
    onnx_function_begin(&w, "", "Gelu", "a", "b");
    inner_node(&w, "Erf", "a", "b");
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    assert_string_equal(node_at(g, 0, 0)->op_type, "Erf");
    release(g, &w);
}

static void subgraphs_in_functions_see_the_functions_names(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "F", "c", "x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a", "b");
    inner_node(&w, "Neg", "a", "n");
    onnx_node_begin(&w, 7, "If", "", "if", "a", "b");
    onnx_attribute_graph_begin(&w, "then_branch");
    onnx_node(&w, "Relu", "", "n", "t");
    onnx_output(&w, "t", 1, NULL);
    onnx_attribute_graph_end(&w);
    onnx_end(&w);
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(g->body_count, 2);
    assert_string_equal(node_at(g, 1, 0)->name, "c/Relu_0");
    assert_string_equal(input_name(g, node_at(g, 1, 0), 0), "c/n");
    release(g, &w);
}

static void recursion_is_refused_with_the_circle(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "A", "", "x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "A", "a", "b");
    call(&w, 7, "B", "", "a", "b");
    onnx_end(&w);
    onnx_function_begin(&w, "f", "B", "a", "b");
    call(&w, 7, "A", "", "a", "b");
    onnx_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "circle", "f::A -> f::B -> f::A");
}

/* 60 functions, each calls the one below twice: 2^60 nodes, refused before one is made. */
static void exponential_growth_is_refused_at_once(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "F59", "", "x", "y");
    finish(&w);
    for (int i = 0; i < 60; i++) {
        char name[16], below[16];
        snprintf(name, sizeof name, "F%d", i);
        snprintf(below, sizeof below, "F%d", i - 1);
        onnx_function_begin(&w, "f", name, "a", "b");
        if (i == 0) {
            inner_node(&w, "Relu", "a", "b");
        } else {
            call(&w, 7, below, "", "a", "t");
            call(&w, 7, below, "", "t", "b");
        }
        onnx_end(&w);
    }
    expect_failure(&w, ADEPT_LIMIT, "local function", "500000 nodes");
}

static void a_chain_of_calls_may_be_long_but_not_endless(void **state) {
    (void)state;
    for (int length = 500; length <= 5000; length += 4500) {
        onnx_writer w = {0};
        char name[16], below[16];
        begin(&w);
        snprintf(name, sizeof name, "F%d", length - 1);
        call(&w, 1, name, "", "x", "y");
        finish(&w);
        for (int i = 0; i < length; i++) {
            snprintf(name, sizeof name, "F%d", i);
            snprintf(below, sizeof below, "F%d", i - 1);
            onnx_function_begin(&w, "f", name, "a", "b");
            if (i == 0)
                inner_node(&w, "Relu", "a", "b");
            else
                call(&w, 7, below, "", "a", "b");
            onnx_end(&w);
        }
        if (length == 500)
            release(load_written(&w), &w);
        else
            expect_failure(&w, ADEPT_LIMIT, "nest", "deep");
    }
}

static void wrong_definitions_and_calls_are_refused(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    call(&w, 1, "G", "c", "x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a", "b");
    inner_node(&w, "Relu", "a", "b");
    onnx_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "f::G", "does not define");
    begin(&w);
    call(&w, 1, "F", "c", "x,x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a", "b");
    inner_node(&w, "Relu", "a", "b");
    onnx_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "'c'", "has 2 inputs");
    begin(&w);
    call(&w, 1, "F", "c", "x", "y");
    finish(&w);
    onnx_function_begin(&w, "f", "F", "a", "b");
    inner_node(&w, "Relu", "a", "t");
    onnx_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "never writes", "'b'");
    begin(&w);
    call(&w, 1, "F", "c", "x", "y");
    finish(&w);
    for (int i = 0; i < 2; i++) {
        onnx_function_begin(&w, "f", "F", "a", "b");
        inner_node(&w, "Relu", "a", "b");
        onnx_end(&w);
    }
    expect_failure(&w, ADEPT_FORMAT, "f::F", "twice");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_of_a_call_carry_its_path),
        cmocka_unit_test(calls_within_functions_nest_their_paths),
        cmocka_unit_test(attributes_come_from_the_call_or_the_default),
        cmocka_unit_test(inputs_that_the_call_leaves_out_are_absent),
        cmocka_unit_test(an_input_handed_through_becomes_an_identity),
        cmocka_unit_test(a_function_may_redefine_an_operator),
        cmocka_unit_test(subgraphs_in_functions_see_the_functions_names),
        cmocka_unit_test(recursion_is_refused_with_the_circle),
        cmocka_unit_test(exponential_growth_is_refused_at_once),
        cmocka_unit_test(a_chain_of_calls_may_be_long_but_not_endless),
        cmocka_unit_test(wrong_definitions_and_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
