#include "test_support.h"

#include <float.h>
#include <locale.h>

#include "number.h"

static void decimal_numbers_are_read_and_everything_else_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0",    0   },
        {"-1.5", -1.5},
        {"+2e3", 2000},
        {".5",   0.5 },
        {"7.",   7   },
        {"1E-3", 1e-3}
    };
    static const char *const bad[] = {"",    " 1", "1 ",  "nan", "inf", "0x10",  "1e",   "1e+",
                                      "--1", ".",  "1,5", "1_0", "e5",  "1e999", "12abc"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double value = NAN;
        assert_true(adept_number_parse(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value = 42;
        if (adept_number_parse(bad[i], &value) || value != 42)
            fail_msg("'%s' was read as %g", bad[i], value);
    }
}

static void whole_numbers_are_read_within_64_bits(void **state) {
    (void)state;
    int64_t value = 1;
    assert_true(adept_number_parse_i64("-9223372036854775808", &value));
    assert_true(value == INT64_MIN);
    assert_false(adept_number_parse_i64("9223372036854775808", &value));
    assert_false(adept_number_parse_i64("1.0", &value));
    assert_false(adept_number_parse_i64(" 1", &value));
    assert_false(adept_number_parse_i64("-", &value));
}

static void numbers_are_written_in_the_shortest_form_that_reads_back(void **state) {
    (void)state;
    char text[ADEPT_NUMBER_SIZE];
    assert_string_equal(adept_number_format(text, 0.1), "0.1");
    assert_string_equal(adept_number_format(text, 312e12), "312000000000000");
    assert_string_equal(adept_number_format(text, -0.0), "-0");
    const double hard[] = {1.0 / 3,      0.1 + 0.2, DBL_MAX, DBL_MIN,
                           DBL_TRUE_MIN, 1e23,      5e-324,  9007199254740993.0};
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) {
        double back = 0;
        assert_true(adept_number_parse(adept_number_format(text, hard[i]), &back));
        assert_true(back == hard[i]);
    }
}

static void numbers_do_not_depend_on_the_locale(void **state) {
    (void)state;
    char text[ADEPT_NUMBER_SIZE];
    double value = 0;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8")) {
        print_message("skipped: neither de_DE.UTF-8 nor fr_FR.UTF-8 is installed\n");
        skip();
    }
    assert_string_equal(adept_number_format(text, 1.5), "1.5");
    assert_true(adept_number_parse("1.5", &value));
    setlocale(LC_NUMERIC, "C");
    assert_true(value == 1.5);
}

static void a_misspelt_name_finds_its_neighbour(void **state) {
    (void)state;
    static const char *const names[] = {"tdp_W", "memory_bandwidth_B_per_s", "l2_B"};
    assert_string_equal(adept_nearest_name("tdp_w", names, 3), "tdp_W");
    assert_string_equal(adept_nearest_name("memory_bandwith", names, 2), "memory_bandwidth_B_per_s");
    assert_null(adept_nearest_name("colour", names, 3));
    assert_null(adept_nearest_name("", names, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_numbers_are_read_and_everything_else_is_refused),
        cmocka_unit_test(whole_numbers_are_read_within_64_bits),
        cmocka_unit_test(numbers_are_written_in_the_shortest_form_that_reads_back),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(a_misspelt_name_finds_its_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
