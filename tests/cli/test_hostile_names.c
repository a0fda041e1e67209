/* Names that would steer a terminal, break a line or a format: none of it reaches the output raw. */
#include "onnx_writer.h"
#include "program.h"

#include <cjson/cJSON.h>
#include <sys/stat.h>

#define ESCAPE "\x1b[31m"
#define C1_CSI "\xc2\x9b" /* U+009B, the one-character form of ESC [ */
#define OVERRIDE "\xe2\x80\xae"
#define NAME "bad" ESCAPE C1_CSI OVERRIDE "\xff\nname,\"quoted\""

static char folder[64] = "/tmp/adept-hostile-XXXXXX", path[160];

static void write_model(const char *op_type, const char *shape) {
    onnx_writer w = {0};
    onnx_put_text(&w, 2, NAME); /* producer */
    onnx_model_begin(&w, 8, 17);
    onnx_input(&w, "x" ESCAPE, 1, shape);
    onnx_begin(&w, 1); /* a node by hand: names hold commas */
    onnx_put_text(&w, 1, "x" ESCAPE);
    onnx_put_text(&w, 2, NAME);
    onnx_put_text(&w, 3, NAME);
    onnx_put_text(&w, 4, op_type);
    onnx_attribute_int(&w, "axis" ESCAPE "\n", 1);
    onnx_end(&w);
    onnx_output(&w, NAME, 1, shape);
    onnx_model_end(&w);
    snprintf(path, sizeof path, "%s/m" ESCAPE ".onnx", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(w.bytes, 1, w.size_B, file), w.size_B);
    fclose(file);
    onnx_writer_free(&w);
}

static int set_up(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void assert_harmless(const char *text, const char *what) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool control = (*c < 0x20 && *c != '\n') || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0) || *c == 0xff ||
                       (*c == 0xe2 && c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae);
        if (control)
            fail_msg("%s: byte 0x%02x stands in the output: %.60s", what, *c, (const char *)c);
    }
}

static const char *const forms[][3] = {
    {"--per-op"    },
    {"--by-module" },
    {"--json",       "--per-op"},
    {"--csv"             },
    {"--csv", "--by-module"},
    {"--strict"},
};

static void no_form_of_output_lets_control_characters_through(void **state) {
    (void)state;
    static const char *const op_types[] = {"Relu", "Odd" ESCAPE "\nOperator"};
    for (size_t o = 0; o < 2; o++) {
        write_model(op_types[o], "N" ESCAPE ",8");
        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
            program_result r = program_run((const char *[]){"profile", path, forms[i][0], forms[i][1], NULL});
            assert_int_equal(r.code, strcmp(forms[i][0], "--strict") == 0 ? 3 : 0);
            assert_harmless(r.out, forms[i][0]);
            assert_harmless(r.err, forms[i][0]);
            assert_true(program_lines(r.err) <= 1);
            program_free(&r);
        }
    }
}

static void what_if_and_compare_name_the_model_harmlessly(void **state) {
    (void)state;
    static const char *const commands[][6] = {
        {"whatif", "--hw", "a100-sxm4-80gb", "--sensitivity"},
        {"compare",        "--hw",      "all"        },
    };
    write_model("Relu", "4,8");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *const *c = commands[i];
        program_result r = program_run((const char *[]){c[0], path, c[1], c[2], c[3], NULL});
        assert_int_equal(r.code, 0);
        assert_non_null(strstr(r.out, "m?[31m.onnx"));
        assert_harmless(r.out, c[0]);
        program_free(&r);
    }
}

static void messages_stay_one_harmless_line(void **state) {
    (void)state;
    write_model("Concat", "N,8"); /* has no axis: an error that names the node */
    program_result r = program_run((const char *[]){"profile", path, NULL});
    assert_int_equal(r.code, 1);
    assert_int_equal(program_lines(r.err), 1);
    assert_harmless(r.err, "stderr");
    program_free(&r);
}

static void a_row_of_csv_stays_a_line_with_all_its_fields(void **state) {
    (void)state;
    write_model("Relu", "N,8");
    program_result r = program_run((const char *[]){"profile", path, "--csv", NULL});
    assert_int_equal(program_lines(r.out), 2);
    assert_non_null(strstr(r.out, ",\"bad?[31m"));
    assert_non_null(strstr(r.out, "\"\"quoted\"\"\","));
    program_free(&r);
}

static void json_keeps_the_name_escaped(void **state) {
    (void)state;
    write_model("Relu", "N,8");
    program_result r = program_run((const char *[]){"profile", path, "--json", "--per-op", NULL});
    cJSON *json = cJSON_Parse(r.out);
    assert_non_null(json);
    const cJSON *op = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "operators"), 0);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(op, "name"));
    assert_non_null(name);
    assert_memory_equal(name, "bad" ESCAPE, 8);
    assert_non_null(strstr(name, "\nname,\"quoted\""));
    cJSON_Delete(json);
    program_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_form_of_output_lets_control_characters_through),
        cmocka_unit_test(what_if_and_compare_name_the_model_harmlessly),
        cmocka_unit_test(messages_stay_one_harmless_line),
        cmocka_unit_test(a_row_of_csv_stays_a_line_with_all_its_fields),
        cmocka_unit_test(json_keeps_the_name_escaped),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
