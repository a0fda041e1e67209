#include "test_support.h"

#include "strict_json.h"

static adept_json *read_ok(const char *text) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_json *json = NULL;
    assert_ok(adept_json_parse(&json, "t.json", text, strlen(text), &err), err);
    return json;
}

static void refuses(const char *text, adept_status status, const char *says) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_json *json = NULL;
    adept_status got = adept_json_parse(&json, "t.json", text, strlen(text), &err);
    if (got != status || json || !strstr(err.message, says))
        fail_msg("%.40s gives %d '%s', expected %d '%s'", text, (int)got, err.message, (int)status, says);
}

static void values_are_read_with_their_kinds(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_json *json =
        read_ok("{\"n\": -1.5e3, \"s\": \"\\u00e9\\n\", \"b\": true, \"z\": null, \"a\": [1, {}]}");
    const adept_json_value *root = adept_json_root(json);
    const adept_json_bounds pure = {"", -1e4, 1e4, false};
    double n = 0;
    const char *s = NULL;
    bool b = false;
    const adept_json_value *a = NULL;
    assert_ok(adept_json_read_double(json, root, "n", &pure, &n, &err), err);
    assert_true(n == -1500);
    assert_ok(adept_json_read_double(json, root, "z", &pure, &n, &err), err);
    assert_true(isnan(n));
    assert_ok(adept_json_read_double(json, root, "absent", &pure, &n, &err), err);
    assert_true(isnan(n));
    assert_ok(adept_json_read_string(json, root, "s", true, &s, &err), err);
    assert_string_equal(s, "\xc3\xa9\n");
    assert_ok(adept_json_read_bool(json, root, "b", &b, &err), err);
    assert_true(b);
    assert_ok(adept_json_read_value(json, root, "a", ADEPT_JSON_ARRAY, true, &a, &err), err);
    assert_int_equal(adept_json_kind_of(adept_json_next(adept_json_first(a))), ADEPT_JSON_OBJECT);
    adept_json_free(json);
}

static void text_that_is_not_json_is_refused_with_line_and_column(void **state) {
    (void)state;
    refuses("", ADEPT_FORMAT, "line 1, column 1");
    refuses("{\"a\": 1,\n \"b\": }", ADEPT_FORMAT, "line 2, column 7");
    refuses("{} {}", ADEPT_FORMAT, "not JSON");
    refuses("[1,]", ADEPT_FORMAT, "not JSON");
    refuses("[01]", ADEPT_FORMAT, "not a JSON number");
    refuses("[1.]", ADEPT_FORMAT, "not a JSON number");
    refuses("[-]", ADEPT_FORMAT, "not a JSON number");
    refuses("[+1]", ADEPT_FORMAT, "not JSON");
    refuses("[NaN]", ADEPT_FORMAT, "not JSON");
    refuses("[\"a\nb\"]", ADEPT_FORMAT, "control character");
    refuses("[\"a", ADEPT_FORMAT, "ends inside a string");
    refuses("[\"\\u0000\"]", ADEPT_FORMAT, "NUL");
    refuses("[\"\xff\"]", ADEPT_FORMAT, "UTF-8");
    refuses("[\"\xed\xa0\x80\"]", ADEPT_FORMAT, "UTF-8");
    refuses("// c\n{}", ADEPT_FORMAT, "not JSON");
}

static void numbers_beyond_a_double_repeated_keys_and_deep_nesting_are_refused(void **state) {
    (void)state;
    refuses("{\"a\": {\"b\": [0, 1e999]}}", ADEPT_RANGE, "t.json: a.b[1]: the number is too large");
    refuses("{\"a\": {\"x\": 1, \"x\": 2}}", ADEPT_FORMAT, "t.json: a.x: the key appears twice");
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 199);
    deep[399] = '\0';
    refuses(deep, ADEPT_LIMIT, "64 levels");
}

static void messages_name_file_key_value_and_unit(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_json *json = read_ok("{\"spec\": {\"bw\": 2039, \"tdp_W\": \"400\", \"tdp_w\": 1}}");
    const adept_json_value *spec = adept_json_member(adept_json_root(json), "spec");
    const adept_json_bounds rate = {"bytes per second, not GB/s", 1e9, 1e14, true};
    const adept_json_bounds watts = {"watts", 1, 1e4, true};
    static const char *const keys[] = {"bw", "tdp_W"};
    double value = 0;
    assert_int_equal(adept_json_read_double(json, spec, "bw", &rate, &value, &err), ADEPT_RANGE);
    assert_string_equal(err.message,
                        "t.json: spec.bw: 2039 is below 1000000000; give bytes per second, not GB/s");
    assert_true(isnan(value));
    assert_int_equal(adept_json_read_double(json, spec, "tdp_W", &watts, &value, &err), ADEPT_FORMAT);
    assert_string_equal(err.message, "t.json: spec.tdp_W: is a string, expected a number in watts");
    assert_int_equal(adept_json_read_double(json, spec, "idle_W", &watts, &value, &err), ADEPT_FORMAT);
    assert_string_equal(err.message, "t.json: spec.idle_W: missing; give a number in watts");
    assert_int_equal(adept_json_check_keys(json, spec, keys, 2, &err), ADEPT_FORMAT);
    assert_string_equal(err.message, "t.json: spec.tdp_w: this key is not known; did you mean 'tdp_W'?");
    adept_json_free(json);
}

static void what_is_written_reads_back_the_same(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    adept_json_writer w = adept_json_writer_to(out, 0);
    adept_json_begin_object(&w, NULL);
    adept_json_put_number(&w, "third", 1.0 / 3);
    adept_json_put_number(&w, "unknown", NAN);
    adept_json_put_number(&w, "endless", INFINITY);
    adept_json_put_integer(&w, "n", INT64_C(-9007199254740993));
    adept_json_put_string(&w, "s", "a\"\\\n\t\x01/\xc3\xa9");
    adept_json_begin_array(&w, "list");
    adept_json_put_bool(&w, NULL, true);
    adept_json_begin_object(&w, NULL);
    adept_json_end(&w);
    adept_json_put_null(&w, NULL);
    adept_json_end(&w);
    adept_json_end(&w);
    assert_ok(adept_json_finish(&w, &err), err);
    fclose(out);
    assert_string_equal(text, "{\"third\":0.3333333333333333,\"unknown\":null,\"endless\":null,"
                              "\"n\":-9007199254740993,\"s\":\"a\\\"\\\\\\n\\t\\u0001/\xc3\xa9\","
                              "\"list\":[true,{},null]}\n");
    adept_json *json = read_ok(text);
    assert_true(adept_json_number(adept_json_member(adept_json_root(json), "third")) == 1.0 / 3);
    assert_string_equal(adept_json_text(adept_json_member(adept_json_root(json), "s")),
                        "a\"\\\n\t\x01/\xc3\xa9");
    adept_json_free(json);
    free(text);
}

static void bytes_that_are_not_utf8_are_written_as_the_replacement_character(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_put_string(&w, NULL,
                          "a\xff"
                          "b\xc3");
    assert_ok(adept_json_finish(&w, &err), err);
    fclose(out);
    assert_string_equal(text, "\"a\\ufffdb\\ufffd\"\n");
    free(text);
}

static void indented_output_has_one_member_per_line(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_json *json = read_ok("{\"a\":[1,2],\"b\":{},\"c\":\"x\"}");
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_put_value(&w, NULL, adept_json_root(json));
    assert_ok(adept_json_finish(&w, &err), err);
    fclose(out);
    assert_string_equal(text, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": \"x\"\n}\n");
    adept_json_free(json);
    free(text);
}

static void a_full_disk_is_reported(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    FILE *out = fopen("/dev/full", "w");
    if (!out)
        skip();
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_put_number(&w, NULL, 1);
    assert_int_equal(adept_json_finish(&w, &err), ADEPT_IO);
    fclose(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_with_their_kinds),
        cmocka_unit_test(text_that_is_not_json_is_refused_with_line_and_column),
        cmocka_unit_test(numbers_beyond_a_double_repeated_keys_and_deep_nesting_are_refused),
        cmocka_unit_test(messages_name_file_key_value_and_unit),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(bytes_that_are_not_utf8_are_written_as_the_replacement_character),
        cmocka_unit_test(indented_output_has_one_member_per_line),
        cmocka_unit_test(a_full_disk_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
