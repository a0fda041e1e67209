/* If, Loop, Scan, SequenceMap, driven with the small operators of graph_builder.c. */
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

/* If(c): then x appended to x, else x. */
static void add_if(setting *s, adept_tensor_id c, adept_tensor_id x) {
    int32_t then_body = add_body(s->b, "then"), else_body = add_body(s->b, "else");
    add_output(s->b, then_body, add_node(s->b, then_body, "Append", "t", IN(x, x)));
    add_output(s->b, else_body, add_node(s->b, else_body, "Same", "e", IN(x)));
    add_node(s->b, 0, "If", "y", IN(c));
    set_body(s->b, 0, "then_branch", then_body);
    set_body(s->b, 0, "else_branch", else_body);
}

static void a_known_condition_takes_its_branch(void **state) {
    (void)state;
    for (int64_t truth = 0; truth < 2; truth++) {
        setting s = new_setting();
        adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "4, 8");
        adept_tensor_id c = add_node(s.b, 0, "Truth", "c", (adept_tensor_id[]){-2});
        set_int(s.b, 0, "value", truth);
        add_if(&s, c, x);
        assert_ok(infer(&s), s.error);
        assert_shape(&s, "y", ADEPT_EXACT, DIMS(truth ? 8 : 4, 8));
        assert_close(s.shapes->body_repeats[1], (double)truth, 0);
        assert_close(s.shapes->body_repeats[2], (double)!truth, 0);
        assert_int_equal(s.shapes->assumption_count, 0);
        done(&s);
    }
}

static void an_unknown_condition_takes_the_larger_branch_and_says_so(void **state) {
    (void)state;
    for (int64_t given = -1; given < 2; given++) {
        setting s = new_setting();
        adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "4, 8");
        add_if(&s, add_input(s.b, 0, "c", ADEPT_DTYPE_BOOL, ""), x);
        if (given >= 0)
            bind(&s, "branch_y", given);
        assert_ok(infer(&s), s.error);
        assert_shape(&s, "y", given < 0 ? ADEPT_BOUND : ADEPT_EXACT, DIMS(given == 0 ? 4 : 8, 8));
        assert_close(s.shapes->body_repeats[1], given == 0 ? 0 : 1, 0);
        assert_close(s.shapes->body_repeats[2], given == 0 ? 1 : 0, 0);
        assert_string_equal(s.shapes->assumptions[0].symbol, "branch_y");
        done(&s);
    }
}

static void a_branch_that_does_not_fit_the_shapes_is_not_taken(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "4, 8, 2");
    adept_tensor_id c = add_input(s.b, 0, "c", ADEPT_DTYPE_BOOL, "");
    int32_t then_body = add_body(s.b, "then"), else_body = add_body(s.b, "else");
    add_output(s.b, then_body, add_node(s.b, then_body, "Strict", "t", IN(x)));
    add_output(s.b, else_body, add_node(s.b, else_body, "Same", "e", IN(x)));
    add_node(s.b, 0, "If", "y", IN(c));
    set_body(s.b, 0, "then_branch", then_body);
    set_body(s.b, 0, "else_branch", else_body);
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(4, 8, 2));
    assert_string_equal(s.error.message, "");
    done(&s);
}

/* 60 Ifs in one another, both branches unknown: 2^60 paths. */
static void nested_ifs_cost_one_visit_each(void **state) {
    (void)state;
    enum { DEPTH = 60 };
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "4");
    adept_tensor_id c = add_input(s.b, 0, "c", ADEPT_DTYPE_BOOL, "");
    int32_t body = 0;
    for (int i = 0; i < DEPTH; i++) {
        int32_t then_body = add_body(s.b, "then"), else_body = add_body(s.b, "else");
        adept_tensor_id y = add_node(s.b, body, "If", i ? "inner" : "y", IN(c));
        set_body(s.b, body, "then_branch", then_body);
        set_body(s.b, body, "else_branch", else_body);
        if (body)
            add_output(s.b, body, y);
        add_output(s.b, else_body, add_node(s.b, else_body, "Same", "e", IN(x)));
        body = then_body;
    }
    add_output(s.b, body, add_node(s.b, body, "Same", "t", IN(x)));
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(4));
    done(&s);
}

typedef struct loop_parts {
    int32_t body;
    adept_tensor_id number, condition, carried;
} loop_parts;

static loop_parts add_loop_body(setting *s) {
    loop_parts l = {.body = add_body(s->b, "body")};
    l.number = add_input(s->b, l.body, "i", ADEPT_DTYPE_INT64, "");
    l.condition = add_input(s->b, l.body, "go", ADEPT_DTYPE_BOOL, "");
    l.carried = add_input(s->b, l.body, "state", ADEPT_DTYPE_FLOAT, NULL);
    return l;
}

static void add_loop(setting *s, const loop_parts *l, adept_tensor_id trips, adept_tensor_id initial,
                     const char *scan_output) {
    add_node(s->b, 0, "Loop", "y", IN(trips, ADEPT_NO_TENSOR, initial));
    set_body(s->b, 0, "body", l->body);
    if (scan_output)
        add_more_output(s->b, 0, scan_output);
}

/* state = state; scan item: state. */
static void a_loop_of_2_to_the_62_trips_ends_at_its_fixpoint(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "1");
    adept_tensor_id m = add_ints(s.b, 0, "m", 1, (int64_t[]){(int64_t)1 << 62});
    loop_parts l = add_loop_body(&s);
    add_output(s.b, l.body, add_node(s.b, l.body, "Fold", "c", IN(l.condition)));
    add_output(s.b, l.body, add_node(s.b, l.body, "Same", "next", IN(l.carried)));
    add_output(s.b, l.body, l.carried);
    add_loop(&s, &l, m, x, "all");
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(1));
    assert_shape(&s, "all", ADEPT_EXACT, DIMS((int64_t)1 << 62, 1));
    assert_close(s.shapes->body_repeats[1], 4611686018427387904.0, 0);
    done(&s);
}

/* state = state appended to x: grows with each trip. */
static void a_growing_state_is_followed_to_its_end(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "3, 8");
    adept_tensor_id m = add_ints(s.b, 0, "m", 1, (int64_t[]){25});
    loop_parts l = add_loop_body(&s);
    add_output(s.b, l.body, add_node(s.b, l.body, "Fold", "c", IN(l.condition)));
    add_output(s.b, l.body, add_node(s.b, l.body, "Append", "next", IN(l.carried, x)));
    add_loop(&s, &l, m, x, NULL);
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(78, 8));
    assert_close(s.shapes->body_repeats[1], 25, 0);
    done(&s);
}

static void a_state_that_never_stops_growing_is_marked(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "1");
    adept_tensor_id m = add_ints(s.b, 0, "m", 1, (int64_t[]){1000000000});
    loop_parts l = add_loop_body(&s);
    add_output(s.b, l.body, add_node(s.b, l.body, "Fold", "c", IN(l.condition)));
    add_output(s.b, l.body, add_node(s.b, l.body, "Append", "next", IN(l.carried, x)));
    add_loop(&s, &l, m, x, NULL);
    assert_ok(infer(&s), s.error);
    assert_int_equal(shape_of(&s, "y")->certainty, ADEPT_ASSUMED);
    assert_close(s.shapes->body_repeats[1], 1e9, 0);
    assert_int_equal(s.shapes->note_count, 1);
    done(&s);
}

/* The condition is computed from the iteration number: i + 1 < 7. */
static void a_condition_on_the_iteration_number_ends_the_loop(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2");
    loop_parts l = add_loop_body(&s);
    adept_tensor_id next = add_node(s.b, l.body, "Increment", "i1", IN(l.number));
    add_output(s.b, l.body, add_node(s.b, l.body, "Below", "c", IN(next)));
    set_int(s.b, l.body, "limit", 7);
    add_output(s.b, l.body, add_node(s.b, l.body, "Same", "next", IN(l.carried)));
    add_output(s.b, l.body, l.carried);
    add_loop(&s, &l, ADEPT_NO_TENSOR, x, "all");
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "all", ADEPT_EXACT, DIMS(7, 2));
    assert_close(s.shapes->body_repeats[1], 7, 0);
    done(&s);
}

static void trips_that_data_decides_are_an_assumption(void **state) {
    (void)state;
    for (int bound = 0; bound < 2; bound++) {
        setting s = new_setting();
        adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2");
        adept_tensor_id m = add_input(s.b, 0, "m", ADEPT_DTYPE_INT64, "");
        loop_parts l = add_loop_body(&s);
        add_output(s.b, l.body, add_node(s.b, l.body, "Fold", "c", IN(l.condition)));
        add_output(s.b, l.body, add_node(s.b, l.body, "Same", "next", IN(l.carried)));
        add_output(s.b, l.body, l.carried);
        add_loop(&s, &l, m, x, "all");
        if (bound)
            bind(&s, "trips_y", 12);
        assert_ok(infer(&s), s.error);
        assert_shape(&s, "y", ADEPT_EXACT, DIMS(2));
        assert_shape(&s, "all", bound ? ADEPT_EXACT : ADEPT_ASSUMED, DIMS(bound ? 12 : 1, 2));
        assert_close(s.shapes->body_repeats[1], bound ? 12 : 1, 0);
        done(&s);
    }
}

/* A maximum with a condition that data decides is a bound. */
static void an_early_exit_makes_the_maximum_a_bound(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2");
    adept_tensor_id m = add_ints(s.b, 0, "m", 1, (int64_t[]){50});
    loop_parts l = add_loop_body(&s);
    add_output(s.b, l.body, add_node(s.b, l.body, "Below", "c", IN(l.carried)));
    add_output(s.b, l.body, add_node(s.b, l.body, "Same", "next", IN(l.carried)));
    add_output(s.b, l.body, l.carried);
    add_loop(&s, &l, m, x, "all");
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(2));
    assert_shape(&s, "all", ADEPT_BOUND, DIMS(50, 2));
    done(&s);
}

static void a_loop_of_no_trips_hands_its_state_through(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2, 3");
    adept_tensor_id m = add_ints(s.b, 0, "m", 1, (int64_t[]){0});
    loop_parts l = add_loop_body(&s);
    add_output(s.b, l.body, add_node(s.b, l.body, "Fold", "c", IN(l.condition)));
    add_output(s.b, l.body, add_node(s.b, l.body, "Append", "next", IN(l.carried, x)));
    add_output(s.b, l.body, l.carried);
    add_loop(&s, &l, m, x, "all");
    assert_ok(infer(&s), s.error);
    assert_shape(&s, "y", ADEPT_EXACT, DIMS(2, 3));
    assert_shape(&s, "all", ADEPT_EXACT, DIMS(0, 2, 3));
    assert_close(s.shapes->body_repeats[1], 0, 0);
    done(&s);
}

/* If inside a loop, its condition i < 3, ten trips: then 3 times, else 7 times. */
static void repeats_multiply_along_nesting(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2");
    adept_tensor_id m = add_ints(s.b, 0, "m", 1, (int64_t[]){10});
    loop_parts l = add_loop_body(&s);
    int32_t then_body = add_body(s.b, "then"), else_body = add_body(s.b, "else");
    add_output(s.b, then_body, add_node(s.b, then_body, "Same", "t", IN(l.carried)));
    add_output(s.b, else_body, add_node(s.b, else_body, "Same", "e", IN(l.carried)));
    adept_tensor_id below = add_node(s.b, l.body, "Below", "below", IN(l.number));
    set_int(s.b, l.body, "limit", 3);
    add_output(s.b, l.body, add_node(s.b, l.body, "Fold", "c", IN(l.condition)));
    add_output(s.b, l.body, add_node(s.b, l.body, "If", "next", IN(below)));
    set_body(s.b, l.body, "then_branch", then_body);
    set_body(s.b, l.body, "else_branch", else_body);
    add_loop(&s, &l, m, x, NULL);
    assert_ok(infer(&s), s.error);
    assert_close(s.shapes->body_repeats[then_body], 3, 1e-12);
    assert_close(s.shapes->body_repeats[else_body], 7, 1e-12);
    assert_int_equal(s.shapes->assumption_count, 0);
    done(&s);
}

static void scan_slices_its_inputs_and_stacks_its_outputs(void **state) {
    (void)state;
    for (int old = 0; old < 2; old++) {
        setting s = new_setting();
        adept_tensor_id h = add_input(s.b, 0, "h", ADEPT_DTYPE_FLOAT, old ? "6, 4" : "4");
        adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, old ? "6, 20, 3, 5" : "20, 3, 5");
        int32_t body = add_body(s.b, "body");
        adept_tensor_id state_in = add_input(s.b, body, "state", ADEPT_DTYPE_FLOAT, NULL);
        adept_tensor_id item = add_input(s.b, body, "item", ADEPT_DTYPE_FLOAT, NULL);
        add_output(s.b, body, add_node(s.b, body, "Same", "next", IN(state_in)));
        add_output(s.b, body, add_node(s.b, body, "Append", "two", IN(item, item)));
        add_node(s.b, 0, "Scan", "y", old ? IN(ADEPT_NO_TENSOR, h, x) : IN(h, x));
        ((adept_node *)(uintptr_t)&built(s.b)->bodies[0]->nodes[0])->opset = old ? 8 : 11;
        set_int(s.b, 0, "num_scan_inputs", 1);
        set_body(s.b, 0, "body", body);
        add_more_output(s.b, 0, "all");
        assert_ok(infer(&s), s.error);
        if (old) {
            assert_shape(&s, "y", ADEPT_EXACT, DIMS(6, 4));
            assert_shape(&s, "all", ADEPT_EXACT, DIMS(6, 20, 6, 5));
        } else {
            assert_shape(&s, "y", ADEPT_EXACT, DIMS(4));
            assert_shape(&s, "all", ADEPT_EXACT, DIMS(20, 6, 5));
        }
        assert_shape(&s, "item", ADEPT_EXACT, DIMS(3, 5));
        assert_close(s.shapes->body_repeats[1], old ? 120 : 20, 0);
        done(&s);
    }
}

static void sequence_map_runs_its_body_per_element(void **state) {
    (void)state;
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "4");
    int32_t body = add_body(s.b, "body");
    adept_tensor_id item = add_input(s.b, body, "item", ADEPT_DTYPE_FLOAT, NULL);
    add_output(s.b, body, add_node(s.b, body, "Append", "two", IN(item, item)));
    add_node(s.b, 0, "SequenceMap", "y", IN(x));
    set_body(s.b, 0, "body", body);
    const adept_shape element = {
        .kind = ADEPT_TYPE_TENSOR, .dtype = ADEPT_DTYPE_FLOAT, .rank = 2, .dims = (int64_t[]){3, 5}
    };
    adept_fed_value fed = {
        "x", {.kind = ADEPT_TYPE_SEQUENCE, .rank = -1, .element = &element, .length = 9}
    };
    assert_ok(adept_shapes_infer(&s.shapes, built(s.b), &s.run, test_lookup, &fed, 1, &s.error), s.error);
    const adept_shape *y = shape_of(&s, "y");
    assert_int_equal(y->kind, ADEPT_TYPE_SEQUENCE);
    assert_int_equal(y->length, 9);
    assert_int_equal(y->element->dims[0], 6);
    assert_close(s.shapes->body_repeats[1], 9, 0);
    done(&s);
}

/* 20 loops in one another, each with a body that needs the number: bounded work all the same. */
static void nested_loops_end_in_bounded_time(void **state) {
    (void)state;
    enum { DEPTH = 20 };
    setting s = new_setting();
    adept_tensor_id x = add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2");
    adept_tensor_id m = add_ints(s.b, 0, "m", 1, (int64_t[]){1000000});
    adept_tensor_id carried = x;
    int32_t outer = 0;
    for (int i = 0; i < DEPTH; i++) {
        loop_parts l = add_loop_body(&s);
        adept_tensor_id y = add_node(s.b, outer, "Loop", i ? "inner" : "y", IN(m, ADEPT_NO_TENSOR, carried));
        set_body(s.b, outer, "body", l.body);
        add_node(s.b, l.body, "Increment", "i1", IN(l.number));
        add_output(s.b, l.body, add_node(s.b, l.body, "Fold", "c", IN(l.condition)));
        if (outer)
            add_output(s.b, outer, y);
        outer = l.body;
        carried = l.carried;
    }
    add_output(s.b, outer, add_node(s.b, outer, "Append", "next", IN(carried, x)));
    assert_ok(infer(&s), s.error);
    assert_int_equal(shape_of(&s, "y")->certainty, ADEPT_ASSUMED);
    assert_close(s.shapes->body_repeats[1], 1e6, 0);
    assert_close(s.shapes->body_repeats[2], 1e12, 1e-12);
    done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_condition_takes_its_branch),
        cmocka_unit_test(an_unknown_condition_takes_the_larger_branch_and_says_so),
        cmocka_unit_test(a_branch_that_does_not_fit_the_shapes_is_not_taken),
        cmocka_unit_test(nested_ifs_cost_one_visit_each),
        cmocka_unit_test(a_loop_of_2_to_the_62_trips_ends_at_its_fixpoint),
        cmocka_unit_test(a_growing_state_is_followed_to_its_end),
        cmocka_unit_test(a_state_that_never_stops_growing_is_marked),
        cmocka_unit_test(a_condition_on_the_iteration_number_ends_the_loop),
        cmocka_unit_test(trips_that_data_decides_are_an_assumption),
        cmocka_unit_test(an_early_exit_makes_the_maximum_a_bound),
        cmocka_unit_test(a_loop_of_no_trips_hands_its_state_through),
        cmocka_unit_test(repeats_multiply_along_nesting),
        cmocka_unit_test(scan_slices_its_inputs_and_stacks_its_outputs),
        cmocka_unit_test(sequence_map_runs_its_body_per_element),
        cmocka_unit_test(nested_loops_end_in_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
