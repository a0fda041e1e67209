#include "test_support.h"

#include "adept/dtype.h"
#include "adept/run.h"
#include "arena.h"
#include "checked.h"
#include "fail.h"
#include "plain_text.h"
#include "string_map.h"

static void arena_returns_zeroed_aligned_memory_until_its_limit(void **state) {
    (void)state;
    adept_arena *arena = adept_arena_new(1 << 16);
    unsigned char *first = adept_arena_alloc(arena, 3);
    unsigned char *second = adept_arena_alloc(arena, 3);
    assert_non_null(first);
    assert_int_equal((uintptr_t)second % _Alignof(max_align_t), 0);
    assert_int_equal(second[0] + second[1] + second[2], 0);
    assert_null(adept_arena_alloc(arena, 1 << 16));
    assert_null(adept_arena_array(arena, SIZE_MAX / 2, 3));
    adept_arena_free(arena);
}

static void error_message_stays_one_line_and_keeps_the_place(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    assert_int_equal(adept_fail(&err, ADEPT_SHAPE, "node '%s'", "a\nb\x1b[31m"), ADEPT_SHAPE);
    assert_string_equal(err.message, "node 'a?b?[31m'");
    adept_fail_at(&err, ADEPT_SHAPE, "%s", "m.onnx");
    assert_string_equal(err.message, "m.onnx: node 'a?b?[31m'");
    assert_int_equal(adept_fail(NULL, ADEPT_IO, "x"), ADEPT_IO);
}

static void products_of_dimensions_are_checked(void **state) {
    (void)state;
    int64_t n = -1;
    assert_true(adept_elements((int64_t[]){2, 3, 4}, 3, &n));
    assert_int_equal(n, 24);
    assert_true(adept_elements(NULL, 0, &n));
    assert_int_equal(n, 1);
    assert_false(adept_elements((int64_t[]){INT64_C(1) << 40, INT64_C(1) << 40}, 2, &n));
    assert_true(adept_elements((int64_t[]){INT64_C(1) << 40, INT64_C(1) << 40, 0}, 3, &n));
    assert_int_equal(n, 0);
}

static void string_map_holds_ten_thousand_keys(void **state) {
    (void)state;
    adept_string_map map = ADEPT_STRING_MAP_INIT;
    adept_arena *arena = adept_arena_new(0);
    for (int32_t i = 0; i < 10000; i++)
        assert_true(adept_string_map_put(&map, adept_arena_format(arena, "key%d", i), i));
    for (int32_t i = 0; i < 10000; i++)
        assert_int_equal(adept_string_map_get(&map, adept_arena_format(arena, "key%d", i), -1), i);
    assert_int_equal(adept_string_map_get(&map, "absent", -7), -7);
    adept_string_map_clear(&map);
    adept_arena_free(arena);
}

static void run_options_reject_unknown_values_and_name_the_allowed_ones(void **state) {
    (void)state;
    adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_run_set(&run, "precision", "bf16-amp", &err), err);
    assert_int_equal(run.precision, ADEPT_PRECISION_BF16_AMP);
    assert_ok(adept_run_set(&run, "launch-us", "5", &err), err);
    assert_close(run.launch_s, 5e-6, 1e-15);
    assert_int_equal(adept_run_set(&run, "precision", "fp31", &err), ADEPT_ARGUMENT);
    assert_non_null(strstr(err.message, "tf32"));
    assert_int_equal(adept_run_set(&run, "batch", "0", &err), ADEPT_ARGUMENT);
    assert_int_equal(adept_run_set(&run, "batch", "99999999999999999999", &err), ADEPT_ARGUMENT);
    assert_int_equal(adept_run_set(&run, "colour", "red", &err), ADEPT_ARGUMENT);
}

static void options_of_two_runs_compare_by_value(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"batch",                "8"         },
        {"gpus",                 "4"         },
        {"fusion",               "compiled"  },
        {"dropout",              "0.1"       },
        {"idle-gap",             "0.2"       },
        {"power-limit",          "200"       },
        {"framework",            "tensorflow"},
        {"overlap",              "0.5"       },
        {"collective-bandwidth", "8e9"       },
        {"loader-us",            "300"       },
        {"epoch-samples",        "50000"     },
    };
    char name[] = "pytorch";
    adept_error err = ADEPT_ERROR_INIT;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        adept_run a = ADEPT_RUN_INIT, b = ADEPT_RUN_INIT;
        b.framework = name;
        assert_ok(adept_run_set(&b, "seq", "77", &err), err);
        assert_true(adept_run_same(&a, &b, pairs[i][0]));
        assert_ok(adept_run_set(&b, pairs[i][0], pairs[i][1], &err), err);
        assert_false(adept_run_same(&a, &b, pairs[i][0]));
    }
    adept_run a = ADEPT_RUN_INIT;
    assert_false(adept_run_same(&a, &a, "colour"));
}

static void element_types_have_the_widths_of_the_onnx_specification(void **state) {
    (void)state;
    assert_int_equal(adept_dtype_bits(ADEPT_DTYPE_BFLOAT16), 16);
    assert_int_equal(adept_dtype_bits(ADEPT_DTYPE_INT4), 4);
    assert_true(adept_dtype_is_float(ADEPT_DTYPE_FLOAT8E5M2));
    assert_false(adept_dtype_is_float(ADEPT_DTYPE_BOOL));
    assert_string_equal(adept_dtype_name((adept_dtype)99), "undefined");
}

static void plain_text_keeps_letters_and_drops_what_a_terminal_obeys(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"node_1/Conv",                  "node_1/Conv"                 },
        {"größe 层 \xf0\x9f\x98\x80", "größe 层 \xf0\x9f\x98\x80"},
        {"a\x1b[31mb\nc\td\x7f",         "a?[31mb?c?d?"                },
        {"\xc2\x9bx\xc2\xa0y",           "??x\xc2\xa0y"                },
        {"\xe2\x80\xae rtl",             "??? rtl"                     },
        {"cut \xe5\xb1",                 "cut ??"                      },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        assert_string_equal(adept_plain_copy(text, sizeof text, cases[i][0]), cases[i][1]);
    }
    char small[6];
    assert_string_equal(adept_plain_copy(small, sizeof small, "größe"), "grö");
    assert_string_equal(adept_plain_copy(small, 4, "größe"), "gr");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_returns_zeroed_aligned_memory_until_its_limit),
        cmocka_unit_test(error_message_stays_one_line_and_keeps_the_place),
        cmocka_unit_test(products_of_dimensions_are_checked),
        cmocka_unit_test(plain_text_keeps_letters_and_drops_what_a_terminal_obeys),
        cmocka_unit_test(string_map_holds_ten_thousand_keys),
        cmocka_unit_test(run_options_reject_unknown_values_and_name_the_allowed_ones),
        cmocka_unit_test(options_of_two_runs_compare_by_value),
        cmocka_unit_test(element_types_have_the_widths_of_the_onnx_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
