#include "expression.h"
#include "test_support.h"

/* batch = 4, seq = 10, s0 = 7, samples = 16000; anything else is free. */
static adept_evaluation evaluate(const char *text, int64_t *result) {
    static const struct {
        const char *name;
        int64_t value;
    } symbols[] = {
        {"batch",   4    },
        {"seq",     10   },
        {"s0",      7    },
        {"samples", 16000}
    };
    adept_arena *arena = adept_arena_new(0);
    const adept_expression *e = adept_expression_parse(arena, text);
    int64_t values[16] = {0};
    bool known[16] = {false};
    for (int32_t i = 0; i < e->name_count; i++) {
        for (size_t j = 0; j < sizeof symbols / sizeof symbols[0]; j++) {
            if (strcmp(e->names[i], symbols[j].name) == 0) {
                values[i] = symbols[j].value;
                known[i] = true;
            }
        }
    }
    adept_evaluation evaluation = adept_expression_evaluate(e, values, known, result);
    adept_arena_free(arena);
    return evaluation;
}

/* Expected values: Python's, where / is exact division. */
static void expressions_have_the_values_of_python(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"batch*seq",                                     40 },
        {"2*batch*seq",                                   80 },
        {"s0 + 1",                                        8  },
        {"s0-1",                                          6  },
        {"s0 - 1 - 2",                                    4  },
        {"batch*(s0 + seq)",                              68 },
        {"((((samples//80)) - 3)//2) + 1",                99 },
        {"((((((((samples//80)) - 3)//2)) - 1)//2)) + 1", 49 },
        {"((seq**2)//seq)",                               10 },
        {"2**3**2",                                       512},
        {"-s0 + seq",                                     3  },
        {"seq - s0*-1",                                   17 },
        {"-2**2 + seq",                                   6  },
        {"(-s0)//2 + seq",                                6  },
        {"(-s0)%4",                                       1  },
        {"s0%4",                                          3  },
        {"Max(1, s0)",                                    7  },
        {"Min(s0, batch, seq)",                           4  },
        {"Max(s0, Min(batch, 100))",                      7  },
        {"floor(s0/2)",                                   3  },
        {"floor(s0/2 - 1/2) + 1",                         4  },
        {"ceiling(s0/2)",                                 4  },
        {"FloorDiv(s0, 2)",                               3  },
        {"Mod(seq, batch)",                               2  },
        {"2*(seq/4)*2",                                   10 },
        {"1.0*batch",                                     4  },
        {" batch ",                                       4  },
        {"12",                                            12 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = -1;
        if (evaluate(cases[i].text, &value) != ADEPT_EVALUATED || value != cases[i].value)
            fail_msg("%s gives %lld, expected %lld", cases[i].text, (long long)value,
                     (long long)cases[i].value);
    }
}

static void senseless_arithmetic_is_invalid(void **state) {
    (void)state;
    static const char *const texts[] = {"s0/2",
                                        "s0//0",
                                        "s0%0",
                                        "s0/(batch - 4)",
                                        "samples*9223372036854775807",
                                        "3000000000*3000000000*s0",
                                        "2**99",
                                        "2**(-1)"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t value;
        if (evaluate(texts[i], &value) != ADEPT_EVALUATION_INVALID)
            fail_msg("%s should be invalid", texts[i]);
    }
}

static void free_symbols_leave_an_expression_open(void **state) {
    (void)state;
    int64_t value;
    assert_int_equal(evaluate("batch*unheard_of", &value), ADEPT_EVALUATION_FREE);
    assert_int_equal(evaluate("unheard_of", &value), ADEPT_EVALUATION_FREE);
}

static void text_that_is_no_expression_is_one_symbol(void **state) {
    (void)state;
    static const char *const texts[] = {"input.1_dim",
                                        "Größe",
                                        "sequence-length",
                                        "batch size",
                                        "3d",
                                        "a + ",
                                        "(a",
                                        "a))",
                                        "f(x)",
                                        "a,b",
                                        "Max(",
                                        "99999999999999999999",
                                        "*",
                                        "a**",
                                        "[N]",
                                        "Squeeze/out:0_dim_1"};
    adept_arena *arena = adept_arena_new(0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const adept_expression *e = adept_expression_parse(arena, texts[i]);
        assert_true(adept_expression_is_symbol(e));
        assert_string_equal(e->names[0], texts[i]);
    }
    adept_arena_free(arena);
}

static void deep_and_long_text_is_one_symbol(void **state) {
    (void)state;
    adept_arena *arena = adept_arena_new(0);
    static char text[200001];
    memset(text, '(', 100000);
    memset(text + 100000, ')', 100000);
    assert_true(adept_expression_is_symbol(adept_expression_parse(arena, text)));
    text[100] = '\0';
    assert_true(adept_expression_is_symbol(adept_expression_parse(arena, text)));
    memset(text, '-', 4000);
    text[4000] = '\0';
    assert_true(adept_expression_is_symbol(adept_expression_parse(arena, text)));
    for (int i = 0; i < 2000; i++)
        memcpy(text + 2 * i, "1+", 2);
    strcpy(text + 4000, "1");
    assert_true(adept_expression_is_symbol(adept_expression_parse(arena, text)));
    adept_arena_free(arena);
}

static void linear_expressions_are_solved(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t target, solution; /* -1: none */
    } cases[] = {
        {"2*n",      8,  4 },
        {"2*n",      7,  -1},
        {"n + 1",    8,  7 },
        {"n + 9",    8,  -1},
        {"10 - n",   3,  7 },
        {"2*n + n",  9,  3 },
        {"n*n",      9,  -1},
        {"(n//1)*4", 12, 3 },
        {"0*n",      0,  -1},
    };
    adept_arena *arena = adept_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = -1;
        const adept_expression *e = adept_expression_parse(arena, cases[i].text);
        bool solved = adept_expression_solve(e, &value, 0, cases[i].target);
        if (solved != (cases[i].solution >= 0) || value != cases[i].solution)
            fail_msg("%s = %lld gives %lld", cases[i].text, (long long)cases[i].target, (long long)value);
    }
    adept_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_the_values_of_python),
        cmocka_unit_test(senseless_arithmetic_is_invalid),
        cmocka_unit_test(free_symbols_leave_an_expression_open),
        cmocka_unit_test(text_that_is_no_expression_is_one_symbol),
        cmocka_unit_test(deep_and_long_text_is_one_symbol),
        cmocka_unit_test(linear_expressions_are_solved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
