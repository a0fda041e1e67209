/* Binding of symbols by --batch, --seq, --dim, seen through the inference of a graph of one node. */
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

static void assert_dims(const setting *s, const char *name, int32_t rank, const int64_t *dims) {
    const adept_shape *shape = &s->shapes->tensors[find_tensor(built(s->b), name)];
    assert_int_equal(shape->rank, rank);
    for (int32_t i = 0; i < rank; i++)
        assert_int_equal(shape->dims[i], dims[i]);
}
#define DIMS(...)                                                                                            \
    (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                             \
        __VA_ARGS__                                                                                          \
    }

static const adept_symbol *symbol(const setting *s, const char *name) {
    for (int32_t i = 0; i < s->shapes->symbol_count; i++) {
        if (strcmp(s->shapes->symbols[i].name, name) == 0)
            return &s->shapes->symbols[i];
    }
    fail_msg("no symbol %s", name);
    return NULL;
}

static void batch_binds_the_first_dimension_of_the_first_input(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 8");
    add_input(s.b, 0, "y", ADEPT_DTYPE_FLOAT, "M, 8");
    s.run.batch = 5;
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "x", DIMS(5, 8));
    assert_dims(&s, "y", DIMS(1, 8));
    assert_close(s.shapes->batch, 5, 0);
    assert_true(symbol(&s, "N")->given && symbol(&s, "N")->is_batch);
    assert_false(symbol(&s, "M")->given);
    done(&s);
}

static void a_symbol_named_batch_goes_first(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "src", ADEPT_DTYPE_INT64, "src_len, batch");
    s.run.batch = 5;
    s.run.seq = 12;
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "src", DIMS(12, 5));
    assert_close(s.shapes->batch, 5, 0);
    done(&s);
}

static void unbound_symbols_get_1_for_a_batch_and_128_for_a_sequence(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "ids", ADEPT_DTYPE_INT64, "batch, seq");
    add_input(s.b, 0, "decoder_ids", ADEPT_DTYPE_INT64, "batch, dec_seq");
    add_input(s.b, 0, "images", ADEPT_DTYPE_FLOAT, "batch, 3, height, w");
    add_input(s.b, 0, "audio", ADEPT_DTYPE_FLOAT, "batch, samples");
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "ids", DIMS(1, 128));
    assert_dims(&s, "decoder_ids", DIMS(1, 128));
    assert_dims(&s, "images", DIMS(1, 3, 224, 224));
    assert_dims(&s, "audio", DIMS(1, 16000));
    assert_int_equal(s.shapes->symbol_count, 6);
    assert_false(symbol(&s, "seq")->given);
    assert_true(symbol(&s, "seq")->is_seq);
    done(&s);
}

static void seq_binds_the_second_dimension_of_integer_inputs(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "ids", ADEPT_DTYPE_INT64, "N, L");
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, K");
    s.run.seq = 40;
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "ids", DIMS(1, 40));
    assert_dims(&s, "x", DIMS(1, 128));
    done(&s);
}

static void dimensions_without_a_name_are_bound_by_place(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "ids", ADEPT_DTYPE_INT64, "?, ?");
    add_input(s.b, 0, "mask", ADEPT_DTYPE_INT64, "?, ?");
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "?, 3, ?");
    s.run.batch = 6;
    s.run.seq = 20;
    bind(&s, "x_dim2", 9);
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "ids", DIMS(6, 20));
    assert_dims(&s, "mask", DIMS(6, 20));
    assert_dims(&s, "x", DIMS(6, 3, 9));
    done(&s);
}

static void expressions_follow_their_symbols_and_the_other_way_round(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2*N, past + 1");
    bind(&s, "2*N", 14);
    bind(&s, "past", 30);
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "x", DIMS(14, 31));
    assert_int_equal(symbol(&s, "N")->value, 7);
    done(&s);

    s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "2*N, 3");
    s.run.batch = 8;
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "x", DIMS(8, 3));
    assert_int_equal(symbol(&s, "N")->value, 4);
    assert_close(s.shapes->batch, 8, 0);
    done(&s);
}

static void an_unsolvable_expression_is_bound_as_a_whole(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "a*b");
    bind(&s, "a*b", 77);
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "x", DIMS(77));
    done(&s);
}

static void assert_refused(setting *s, const char *part) {
    assert_int_equal(infer(s), ADEPT_ARGUMENT);
    if (!strstr(s->error.message, part))
        fail_msg("\"%s\" does not say \"%s\"", s->error.message, part);
    assert_null(s->shapes);
    done(s);
}

static void a_static_batch_is_not_overruled(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "images", ADEPT_DTYPE_FLOAT, "32, 3");
    s.run.batch = 8;
    assert_refused(&s, "fixed batch of 32 (input 'images')");

    s = new_setting();
    add_input(s.b, 0, "images", ADEPT_DTYPE_FLOAT, "32, 3");
    s.run.batch = 32;
    assert_ok(infer(&s), s.error);
    assert_close(s.shapes->batch, 32, 0);
    done(&s);
}

static void bindings_that_nothing_takes_are_refused_with_what_there_is(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, width");
    bind(&s, "height", 3);
    assert_refused(&s, "it has: N, width");

    s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 4");
    s.run.seq = 3;
    assert_refused(&s, "no sequence dimension; free symbols, for --dim NAME=N: N");
}

static void contradicting_bindings_are_refused(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 4");
    s.run.batch = 3;
    bind(&s, "N", 4);
    assert_refused(&s, "'N' is already bound to 4");
}

static void bindings_that_give_no_size_are_refused(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "n - 5");
    bind(&s, "n", 4);
    assert_refused(&s, "'n - 5'");
}

static void a_size_of_zero_can_be_bound(void **state) {
    (void)state;
    setting s = new_setting();
    add_input(s.b, 0, "x", ADEPT_DTYPE_FLOAT, "N, 8");
    bind(&s, "N", 0);
    assert_ok(infer(&s), s.error);
    assert_dims(&s, "x", DIMS(0, 8));
    done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_binds_the_first_dimension_of_the_first_input),
        cmocka_unit_test(a_symbol_named_batch_goes_first),
        cmocka_unit_test(unbound_symbols_get_1_for_a_batch_and_128_for_a_sequence),
        cmocka_unit_test(seq_binds_the_second_dimension_of_integer_inputs),
        cmocka_unit_test(dimensions_without_a_name_are_bound_by_place),
        cmocka_unit_test(expressions_follow_their_symbols_and_the_other_way_round),
        cmocka_unit_test(an_unsolvable_expression_is_bound_as_a_whole),
        cmocka_unit_test(a_static_batch_is_not_overruled),
        cmocka_unit_test(bindings_that_nothing_takes_are_refused_with_what_there_is),
        cmocka_unit_test(contradicting_bindings_are_refused),
        cmocka_unit_test(bindings_that_give_no_size_are_refused),
        cmocka_unit_test(a_size_of_zero_can_be_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
