#include "test_support.h"

#include "strict_csv.h"

static adept_csv *read_ok(const char *text) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_csv *csv = NULL;
    assert_ok(adept_csv_parse(&csv, "t.csv", text, strlen(text), &err), err);
    return csv;
}

static void quotes_commas_and_line_ends_follow_rfc_4180(void **state) {
    (void)state;
    adept_csv *csv = read_ok("a,b,c\r\n1,\"x, \"\"y\"\"\nz\", w \r\n\n,,\n9,8,7");
    assert_int_equal(adept_csv_columns(csv), 3);
    assert_int_equal(adept_csv_rows(csv), 3);
    assert_string_equal(adept_csv_field(csv, 0, 1), "x, \"y\"\nz");
    assert_string_equal(adept_csv_field(csv, 0, 2), " w ");
    assert_string_equal(adept_csv_field(csv, 1, 0), "");
    assert_string_equal(adept_csv_field(csv, 2, adept_csv_column(csv, "c")), "7");
    adept_csv_free(csv);
}

static void every_row_knows_the_line_it_starts_on(void **state) {
    (void)state;
    adept_csv *csv = read_ok("a,b\n1,2\n\"two\nlines\",3\n\n4,5\n");
    assert_int_equal(adept_csv_row_line(csv, 0), 2);
    assert_int_equal(adept_csv_row_line(csv, 1), 3);
    assert_int_equal(adept_csv_row_line(csv, 2), 6);
    adept_csv_free(csv);
}

static void short_and_long_rows_are_kept_and_can_be_told(void **state) {
    (void)state;
    adept_csv *csv = read_ok("a,b\n1\n1,2,3\n");
    assert_int_equal(adept_csv_row_fields(csv, 0), 1);
    assert_int_equal(adept_csv_row_fields(csv, 1), 3);
    assert_string_equal(adept_csv_field(csv, 0, 1), "");
    assert_int_equal(adept_csv_column(csv, "absent"), -1);
    assert_string_equal(adept_csv_field(csv, 0, -1), "");
    adept_csv_free(csv);
}

static void an_empty_number_is_not_measured_rather_than_zero(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_csv *csv = read_ok("t_s,n\n,\n0.25,3\n4 ms,3.5\n");
    double value = 0;
    int64_t count = 0;
    assert_ok(adept_csv_double(csv, 0, 0, "seconds", &value, &err), err);
    assert_true(isnan(value));
    assert_ok(adept_csv_i64(csv, 0, 1, -7, &count, &err), err);
    assert_int_equal(count, -7);
    assert_ok(adept_csv_double(csv, 1, 0, "seconds", &value, &err), err);
    assert_true(value == 0.25);
    assert_int_equal(adept_csv_double(csv, 2, 0, "seconds", &value, &err), ADEPT_FORMAT);
    assert_string_equal(err.message, "t.csv: line 4: t_s = '4 ms' is not a number; give seconds");
    assert_int_equal(adept_csv_i64(csv, 2, 1, 0, &count, &err), ADEPT_FORMAT);
    adept_csv_free(csv);
}

static void broken_files_are_refused_with_their_line(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *says;
    } bad[] = {
        {"",                0,  "empty"                     },
        {"a,a\n1,2\n",      8,  "both named 'a'"            },
        {"a,\n1,2\n",       7,  "column 2 has no name"      },
        {"a,b\n1,\"x\n",    9,  "ends inside a quoted field"},
        {"a,b\n1,x\"y\n",   10, "line 2: quoting"           },
        {"a,b\n1,\"x\"y\n", 11, "line 2: quoting"           },
        {"a\r1\r2\n",       6,  "line 1: carriage return"   },
        {"a\n\0\n",         4,  "NUL"                       },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_csv *csv = NULL;
        assert_int_equal(adept_csv_parse(&csv, "t.csv", bad[i].text, bad[i].length, &err), ADEPT_FORMAT);
        assert_null(csv);
        if (!strstr(err.message, bad[i].says))
            fail_msg("'%s' does not say '%s'", err.message, bad[i].says);
    }
}

static void a_missing_file_and_a_folder_are_input_errors(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_csv *csv = NULL;
    assert_int_equal(adept_csv_load(&csv, "/nonexistent/t.csv", &err), ADEPT_IO);
    assert_int_equal(adept_csv_load(&csv, ADEPT_SOURCE_DIR, &err), ADEPT_IO);
    assert_null(csv);
}

static void written_fields_read_back(void **state) {
    (void)state;
    static const char *const fields[] = {"plain", "", "a,b", "say \"x\"", "two\nlines", " blank ", "cr\r"};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    fputs("1,2,3,4,5,6,7\n", out);
    for (size_t i = 0; i < 7; i++) {
        if (i)
            fputc(',', out);
        adept_csv_write_field(out, fields[i]);
    }
    fclose(out);
    adept_csv *csv = read_ok(text);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(adept_csv_field(csv, 0, (ptrdiff_t)i), fields[i]);
    adept_csv_free(csv);
    free(text);
}

static void published_traces_have_as_many_fields_as_columns(void **state) {
    (void)state;
    static const char *const files[] = {"zeus", "energaizer", "neusight", "nvidia_dle", "lambda"};
    static const size_t rows[] = {539, 426, 70, 637, 95}; /* traces/README.md */
    const char *shared = shared_folder();
    if (!shared)
        skip();
    for (size_t i = 0; i < 5; i++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_csv *csv = NULL;
        char path[4200];
        snprintf(path, sizeof path, "%s/traces/%s.csv", shared, files[i]);
        assert_ok(adept_csv_load(&csv, path, &err), err);
        assert_int_equal(adept_csv_rows(csv), rows[i]);
        for (size_t row = 0; row < rows[i]; row++)
            assert_int_equal(adept_csv_row_fields(csv, row), adept_csv_columns(csv));
        adept_csv_free(csv);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_commas_and_line_ends_follow_rfc_4180),
        cmocka_unit_test(every_row_knows_the_line_it_starts_on),
        cmocka_unit_test(short_and_long_rows_are_kept_and_can_be_told),
        cmocka_unit_test(an_empty_number_is_not_measured_rather_than_zero),
        cmocka_unit_test(broken_files_are_refused_with_their_line),
        cmocka_unit_test(a_missing_file_and_a_folder_are_input_errors),
        cmocka_unit_test(written_fields_read_back),
        cmocka_unit_test(published_traces_have_as_many_fields_as_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
