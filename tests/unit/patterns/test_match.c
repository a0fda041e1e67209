/* The language of match.h, term by term. */
#include "text_graph.h"

#include "match.h"

typedef struct setup {
    text_graph text;
    adept_graph *graph;
    adept_shapes *shapes;
    adept_network *network;
    adept_arena *arena;
} setup;

static void set_up(setup *s, const char *text) {
    static const adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    s->graph = text_graph_load(&s->text, text, 17);
    s->arena = adept_arena_new(0);
    assert_ok(adept_shapes_infer(&s->shapes, s->graph, &run, adept_handler_infer_lookup, NULL, 0, &err), err);
    assert_ok(adept_network_build(&s->network, s->graph, s->shapes, &run, s->arena, &err), err);
}

static void tear_down(setup *s) {
    adept_arena_free(s->arena);
    adept_shapes_free(s->shapes);
    adept_graph_free(s->graph);
    onnx_writer_free(&s->text.w);
}

/* Nodes of the match rooted at the last operator; 0: no match. */
static int matches(const char *text, const char *expression) {
    setup s;
    set_up(&s, text);
    const adept_term *term = adept_term_compile(expression, s.arena);
    if (!term)
        fail_msg("'%s' does not compile", expression);
    adept_readers readers;
    adept_match match;
    assert_int_equal(adept_readers_find(&readers, s.network, NULL), ADEPT_OK);
    bool found = adept_match_at(&match, s.network, &readers, term, s.network->ops.count - 1);
    int nodes = found ? match.node_count : 0;
    tear_down(&s);
    return nodes;
}

static void an_operator_matches_its_own_type_only(void **state) {
    (void)state;
    assert_int_equal(matches("Sub *o x y0", "Sub($a, $b)"), 1);
    assert_int_equal(matches("Sub *o x y0", "Div($a, $b)"), 0);
    assert_int_equal(matches("Abs a x; Sub *o a y0", "Sub(Abs($a), $b)"), 2);
    assert_int_equal(matches("Abs a x; Sub *o a y0", "Sub(Neg($a), $b)"), 0);
}

static void the_same_name_is_the_same_tensor(void **state) {
    (void)state;
    assert_int_equal(matches("Sub *o x x", "Sub($a, $a)"), 1);
    assert_int_equal(matches("Sub *o x y0", "Sub($a, $a)"), 0);
    assert_int_equal(matches("Abs a x; Sub *o a x", "Sub(Abs($a), $a)"), 2);
    assert_int_equal(matches("Abs a x; Sub *o a y0", "Sub(Abs($a), $a)"), 0);
}

static void sums_and_products_match_in_any_order(void **state) {
    (void)state;
    static const char *const types[] = {"Add", "Mul", "Max", "Min"};
    for (size_t i = 0; i < 4; i++) {
        char text[64], expression[64];
        snprintf(expression, sizeof expression, "%s(Abs($a), $b)", types[i]);
        snprintf(text, sizeof text, "Abs a x; %s *o y0 a", types[i]);
        assert_int_equal(matches(text, expression), 2);
    }
    assert_int_equal(matches("Abs a x; Sub *o y0 a", "Sub(Abs($a), $b)"), 0);
}

static void constants_match_by_value(void **state) {
    (void)state;
    assert_int_equal(matches("Sub *o x =0.5", "Sub($a, 0.5)"), 1);
    assert_int_equal(matches("Sub *o x =0.5", "Sub($a, 0.25)"), 0);
    assert_int_equal(matches("Sub *o x =-3", "Sub($a, -3)"), 1);
    assert_int_equal(matches("Sub *o x =1.4142135", "Sub($a, 1.414214)"), 1);
    assert_int_equal(matches("Sub *o x =0.5", "Sub($a, #)"), 1);
    assert_int_equal(matches("Sub *o x y0", "Sub($a, #)"), 0);
    assert_int_equal(matches("Sub *o x w", "Sub($a, 0.5)"), 0);
}

static void inputs_may_be_left_out_or_ignored(void **state) {
    (void)state;
    assert_int_equal(matches("Clip *o x - =6", "Clip($a, _, 6)"), 1);
    assert_int_equal(matches("Clip *o x =0 =6", "Clip($a, _, 6)"), 1);
    assert_int_equal(matches("Clip *o x =0 =6", "Clip($a)"), 0);
    assert_int_equal(matches("Clip *o x =0 =6", "Clip($a, ...)"), 1);
    assert_int_equal(matches("Clip *o x", "Clip($a, ...)"), 1);
    assert_int_equal(matches("Clip *o x - =6", "Clip($a, $b, 6)"), 0);
}

static void the_first_alternative_that_matches_is_taken(void **state) {
    (void)state;
    assert_int_equal(matches("Abs a x; Sub *o a y0", "Sub((Neg($a)|Abs($a)), $b)"), 2);
    assert_int_equal(matches("Neg a x; Sub *o a y0", "Sub((Neg($a)|Abs($a)), $b)"), 2);
    assert_int_equal(matches("Sin a x; Sub *o a y0", "Sub((Neg($a)|Abs($a)), $b)"), 0);
    /* A failed alternative binds nothing. */
    assert_int_equal(matches("Sub a x y0; Sub *o a y0", "Sub((Sub($a, Neg($b))|Sub($c, $b)), $b)"), 2);
}

static void an_optional_operator_may_be_absent(void **state) {
    (void)state;
    assert_int_equal(matches("Abs a x; Sub *o a y0", "Sub(Abs?($a), $b)"), 2);
    assert_int_equal(matches("Sub *o x y0", "Sub(Abs?($a), $b)"), 1);
    assert_int_equal(matches("Mul a x =2; Sub *o a y0", "Sub(Mul?($a, #), $b)"), 2);
    assert_int_equal(matches("Mul a x z; Sub *o a y0", "Sub(Mul?($a, #), $b)"), 1); /* $a is the product */
}

static void identity_is_looked_through_and_part_of_the_match(void **state) {
    (void)state;
    assert_int_equal(matches("Abs a x; Identity i a; Sub *o i y0", "Sub(Abs($a), $b)"), 3);
    assert_int_equal(matches("Abs a x; Identity i a; Identity j i; Sub *o j y0", "Sub(Abs($a), $b)"), 4);
    assert_int_equal(matches("Identity i x; Sub *o i y0", "Sub(Abs($a), $b)"), 0);
}

static void inner_results_that_are_read_elsewhere_are_no_match(void **state) {
    (void)state;
    assert_int_equal(matches("Abs a x; Neg *n a; Sub *o a y0", "Sub(Abs($a), $b)"), 0);
    assert_int_equal(matches("Abs *a x; Sub *o a y0", "Sub(Abs($a), $b)"), 0);
    assert_int_equal(matches("Abs a x; Sub *o a a", "Sub(Abs($a), Abs($a))"),
                     2); /* both readers are inside */
}

static void malformed_expressions_do_not_compile(void **state) {
    (void)state;
    static const char *const malformed[] = {"",
                                            "$x",
                                            "Add",
                                            "Add(",
                                            "Add($x",
                                            "Add($x,)",
                                            "Add($x))",
                                            "Add($x) Mul",
                                            "(Add($x)|)",
                                            "Add($, $y)",
                                            "Add(1, 2, 3, 4, 5, 6, 7, 8, 9)",
                                            "0.5",
                                            "Add?"};
    adept_arena *arena = adept_arena_new(0);
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        if (adept_term_compile(malformed[i], arena))
            fail_msg("'%s' compiles", malformed[i]);
    assert_non_null(adept_term_compile("Add( $x , (1|#|_) )", arena));
    adept_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operator_matches_its_own_type_only),
        cmocka_unit_test(the_same_name_is_the_same_tensor),
        cmocka_unit_test(sums_and_products_match_in_any_order),
        cmocka_unit_test(constants_match_by_value),
        cmocka_unit_test(inputs_may_be_left_out_or_ignored),
        cmocka_unit_test(the_first_alternative_that_matches_is_taken),
        cmocka_unit_test(an_optional_operator_may_be_absent),
        cmocka_unit_test(identity_is_looked_through_and_part_of_the_match),
        cmocka_unit_test(inner_results_that_are_read_elsewhere_are_no_match),
        cmocka_unit_test(malformed_expressions_do_not_compile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
