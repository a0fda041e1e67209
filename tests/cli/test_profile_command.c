/* adept profile on the graphs of the repository: JSON by its contract, CSV, totals that add up. */
#include "program.h"

#include <dirent.h>

#include <cjson/cJSON.h>

/* Members in order; those behind '+' are there only sometimes. */
typedef struct keys {
    const char *path, *members;
} keys;

static const keys contract[] = {
    {"",                 "model run totals structure memory coverage notes + modules operators"       },
    {"model",            "path nodes parameters trainable_parameters weight_sharing producer"         },
    {"run",              "batch mode precision optimizer optimizer_impl gpus grad_accum attention fusion layout amp_level "
            "batchnorm "
            "dropout framework dims freeze"                                                },
    {"totals",           "forward backward optimizer"                                                 },
    {"totals.forward",   "gemm_flop conv_flop alu_flop read_B write_B kernels"                        },
    {"totals.backward",  "gemm_flop conv_flop alu_flop read_B write_B kernels"                        },
    {"totals.optimizer", "alu_flop read_B write_B kernels"                                            },
    {"structure",        "gemm conv elements working_set_B"                                           },
    {"structure.gemm",   "batch m n k"                                                                },
    {"structure.conv",   "c_in c_out pixels kernel"                                                   },
    {"memory",           "parameters_B gradients_B optimizer_B saved_activations_B workspace_B peak_B"},
    {"coverage",         "nodes_supported nodes_total unsupported"                                    },
};
static const keys operator_contract[] = {
    {"",          "name op_type module known repeats outputs forward backward structure saved_B + domain composite "
         "part_of"                                             },
    {"forward",   "gemm_flop conv_flop alu_flop read_B write_B kernels"},
    {"backward",  "gemm_flop conv_flop alu_flop read_B write_B kernels"},
    {"structure", "gemm conv elements working_set_B"                   },
};

static const cJSON *at_path(const cJSON *json, const char *path) {
    char copy[128], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &rest); key; key = strtok_r(NULL, ".", &rest))
        json = cJSON_GetObjectItemCaseSensitive(json, key);
    return json;
}

static bool listed(const char *members, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(members, name); at; at = strstr(at + 1, name)) {
        if ((at == members || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    }
    return false;
}

static void assert_members(const cJSON *json, const keys *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const cJSON *object = at_path(json, rows[i].path);
        if (!cJSON_IsObject(object))
            fail_msg("'%s' is no object", rows[i].path);
        const cJSON *member;
        cJSON_ArrayForEach(member, object) {
            if (!listed(rows[i].members, member->string))
                fail_msg("'%s.%s' is not in the contract", rows[i].path, member->string);
        }
        char copy[256], *rest = NULL;
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(rows[i].members, "+"), rows[i].members);
        for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
            if (!cJSON_HasObjectItem(object, name))
                fail_msg("'%s.%s' is missing", rows[i].path, name);
    }
}

/* Runs profile with these further arguments; stdout must be one JSON object and nothing else. */
static cJSON *profile_json(const char *path, const char *a, const char *b) {
    program_result r = program_run((const char *[]){"profile", path, "--json", a, a ? b : NULL, NULL});
    if (r.code != 0 || r.err_B)
        fail_msg("%s: exit code %d, stderr '%s'", path, r.code, r.err);
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(r.out, r.out_B + 1, &end, true);
    if (!cJSON_IsObject(json))
        fail_msg("%s: stdout is not one JSON object", path);
    program_free(&r);
    return json;
}

static double number(const cJSON *json, const char *path) {
    const cJSON *item = at_path(json, path);
    if (!cJSON_IsNumber(item))
        fail_msg("'%s' is no number", path);
    return item->valuedouble;
}

static const char *const figures[] = {"gemm_flop", "conv_flop", "alu_flop", "read_B", "write_B", "kernels"};

/* Parts of a composite are shown, but counted by the composite. */
static void assert_totals(const cJSON *json, const char *array, bool only_first) {
    static const char *const passes[] = {"forward", "backward"};
    for (size_t p = 0; p < 2; p++) {
        for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
            char path[64], total[80];
            snprintf(path, sizeof path, "%s.%s", passes[p], figures[f]);
            snprintf(total, sizeof total, "totals.%s", path);
            double sum = 0;
            const cJSON *row;
            cJSON_ArrayForEach(row, cJSON_GetObjectItem(json, array)) {
                sum += number(row, path);
                if (only_first)
                    break;
            }
            assert_close(sum, number(json, total), 1e-12);
        }
    }
}

static void try_graph(const char *path) {
    cJSON *json = profile_json(path, "--per-op", "--by-module");
    assert_members(json, contract, sizeof contract / sizeof contract[0]);
    const cJSON *op;
    int operators = 0, known = 0;
    cJSON_ArrayForEach(op, cJSON_GetObjectItem(json, "operators")) {
        assert_members(op, operator_contract, sizeof operator_contract / sizeof operator_contract[0]);
        const cJSON *output;
        cJSON_ArrayForEach(output, cJSON_GetObjectItem(op, "outputs")) {
            assert_true(cJSON_IsString(cJSON_GetObjectItem(output, "name")));
            assert_true(cJSON_IsString(cJSON_GetObjectItem(output, "dtype")));
            assert_true(cJSON_IsArray(cJSON_GetObjectItem(output, "shape")));
        }
        operators++;
        known += cJSON_IsTrue(cJSON_GetObjectItem(op, "known"));
    }
    assert_true(operators >= (int)number(json, "model.nodes"));
    assert_int_equal(known, operators);
    assert_true(number(json, "coverage.nodes_supported") == number(json, "coverage.nodes_total"));
    assert_true(number(json, "coverage.nodes_total") == number(json, "model.nodes"));
    assert_totals(json, "operators", false);
    assert_totals(json, "modules", true); /* the first module is the whole network */
    cJSON_Delete(json);
}

static void every_graph_keeps_the_contract_and_adds_up(void **state) {
    (void)state;
    int graphs = 0;
    DIR *dir = opendir(ADEPT_SOURCE_DIR "/data/graphs");
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".onnx"))
            continue;
        char path[4600];
        snprintf(path, sizeof path, "%s/%s", ADEPT_SOURCE_DIR "/data/graphs", entry->d_name);
        try_graph(path);
        graphs++;
    }
    closedir(dir);
    assert_true(graphs >= 5);
}

#define BERT ADEPT_SOURCE_DIR "/data/graphs/bert-base.onnx"
#define RESNET ADEPT_SOURCE_DIR "/data/graphs/resnet50.onnx"

static void operators_and_modules_come_on_demand_only(void **state) {
    (void)state;
    cJSON *json = profile_json(BERT, NULL, NULL);
    assert_false(cJSON_HasObjectItem(json, "operators"));
    assert_false(cJSON_HasObjectItem(json, "modules"));
    cJSON_Delete(json);
    json = profile_json(BERT, "--by-module", NULL);
    assert_false(cJSON_HasObjectItem(json, "operators"));
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(json, "modules")) > 100);
    cJSON_Delete(json);
}

static void run_options_come_back_resolved(void **state) {
    (void)state;
    program_result r = program_run((const char *[]){
        "profile", RESNET, "--json", "--batch", "7", "--mode=inference", "--precision", "bf16-amp",
        "--gpus=4", "--fusion", "compiled", "--layout=nhwc", "--framework", "pytorch", NULL});
    assert_int_equal(r.code, 0);
    cJSON *json = cJSON_Parse(r.out);
    assert_non_null(json);
    assert_true(number(json, "run.batch") == 7 && number(json, "run.gpus") == 4);
    assert_true(number(json, "run.grad_accum") == 1);
    static const char *const texts[][2] = {
        {"run.mode",      "inference"},
        {"run.precision", "bf16-amp" },
        {"run.optimizer", "none"     },
        {"run.fusion",    "compiled" },
        {"run.layout",    "nhwc"     },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_string_equal(cJSON_GetStringValue(at_path(json, texts[i][0])), texts[i][1]);
    const cJSON *dim = cJSON_GetArrayItem(at_path(json, "run.dims"), 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(dim, "origin")), "given");
    for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
        char path[64];
        snprintf(path, sizeof path, "totals.backward.%s", figures[f]);
        assert_true(number(json, path) == 0);
    }
    cJSON_Delete(json);
    program_free(&r);
}

/* Fields of a row; quoted fields hold no line breaks here. */
static size_t fields_of(const char *line) {
    size_t fields = 1;
    bool quoted = false;
    for (; *line && *line != '\n'; line++) {
        quoted ^= *line == '"';
        fields += *line == ',' && !quoted;
    }
    return fields;
}

static void assert_table(const char *flag, const char *head, size_t least) {
    program_result r = program_run((const char *[]){"profile", BERT, "--csv", flag, NULL});
    assert_int_equal(r.code, 0);
    assert_int_equal(r.err_B, 0);
    assert_memory_equal(r.out, head, strlen(head));
    size_t columns = fields_of(r.out);
    for (const char *line = r.out; *line; line = strchr(line, '\n') + 1)
        assert_int_equal(fields_of(line), columns);
    assert_true(program_lines(r.out) > least);
    program_free(&r);
}

static void csv_has_a_row_for_each_operator_or_module(void **state) {
    (void)state;
    assert_table(NULL, "row,name,op_type,domain,module,known,part_of,repeats,forward_gemm_flop,", 400);
    assert_table("--by-module", "module,depth,parameters,forward_gemm_flop,", 100);
}

static void text_says_what_was_assumed(void **state) {
    (void)state;
    program_result r = program_run((const char *[]){"profile", RESNET, NULL});
    assert_int_equal(r.code, 0);
    static const char *const said[] = {
        "122 nodes",
        "(default: not given)",
        "parameters 25.6 M",
        "BatchNormalization restored",
        "coverage: all 122 nodes have a handler",
        "memory of one GPU",
        "heaviest operators",
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (!strstr(r.out, said[i]))
            fail_msg("the report does not say '%s'", said[i]);
    program_free(&r);
    r = program_run((const char *[]){"profile", RESNET, "--batch", "8", NULL});
    assert_null(strstr(r.out, "(default: not given)"));
    program_free(&r);
}

static void static_graph_refuses_another_batch_with_its_own(void **state) {
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    char path[4600];
    snprintf(path, sizeof path, "%s/graphs/resnet50-static.onnx", shared);
    program_result r = program_run((const char *[]){"profile", path, "--batch", "3", NULL});
    assert_int_equal(r.code, 2);
    assert_int_equal(program_lines(r.err), 1);
    assert_non_null(strstr(r.err, "fixed batch of 32"));
    program_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_graph_keeps_the_contract_and_adds_up),
        cmocka_unit_test(operators_and_modules_come_on_demand_only),
        cmocka_unit_test(run_options_come_back_resolved),
        cmocka_unit_test(csv_has_a_row_for_each_operator_or_module),
        cmocka_unit_test(text_says_what_was_assumed),
        cmocka_unit_test(static_graph_refuses_another_batch_with_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
