/* Damaged and contradictory files: one line that names the place, in bounded time and memory. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load_support.h"

static void begin(onnx_writer *w) {
    onnx_model_begin(w, 8, 17);
    onnx_input(w, "x", 1, "N,8");
    onnx_output(w, "y", 1, "N,8");
}

static void good_model(onnx_writer *w) {
    begin(w);
    onnx_initializer_ints(w, "w", "2", (int64_t[]){1, 2}, 2);
    onnx_node(w, "Relu", "relu", "x", "y");
    onnx_model_end(w);
}

static void files_that_are_not_onnx_are_named(void **state) {
    (void)state;
    const struct {
        const char *bytes;
        size_t size_B;
        const char *expected;
    } cases[] = {
        {"",                                             0,  "empty"   },
        {"\x1f\x8b\x08\0",                               4,  "gzip"    },
        {"PK\003\004abc",                                7,  "zip"     },
        {"version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS" },
        {"<!DOCTYPE html>",                              15, "HTML"    },
        {"\0\0\0\0",                                     4,  "byte 0"  },
        {"\x08\x08",                                     2,  "no graph"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        onnx_writer w = {0};
        for (size_t k = 0; k < cases[i].size_B; k++)
            onnx_put_byte(&w, (unsigned char)cases[i].bytes[k]);
        expect_failure(&w, ADEPT_FORMAT, cases[i].expected, "");
    }
}

/* Every prefix of a good file: refused, except those that end exactly before the graph's message. */
static void every_truncation_is_refused(void **state) {
    (void)state;
    onnx_writer w = {0};
    good_model(&w);
    for (size_t length = 0; length < w.size_B; length++) {
        unsigned char *cut = malloc(length ? length : 1); /* exact, so that a reader beyond it is caught */
        memcpy(cut, w.bytes, length);
        adept_graph *graph;
        adept_error error = ADEPT_ERROR_INIT;
        assert_int_equal(adept_graph_load_memory(&graph, cut, length, "cut", NULL, &error), ADEPT_FORMAT);
        free(cut);
    }
    onnx_writer_free(&w);
}

/* Every byte of a good file set to a few other values: any status, but no crash and no leak. */
static void every_changed_byte_is_survived(void **state) {
    (void)state;
    onnx_writer w = {0};
    good_model(&w);
    int refused = 0;
    for (size_t at = 0; at < w.size_B; at++) {
        const unsigned char kept = w.bytes[at], values[] = {0, 0x7f, 0x80, 0xff, (unsigned char)(kept ^ 1)};
        for (size_t i = 0; i < sizeof values; i++) {
            adept_graph *graph;
            w.bytes[at] = values[i];
            if (adept_graph_load_memory(&graph, w.bytes, w.size_B, "changed", NULL, NULL) != ADEPT_OK)
                refused++;
            adept_graph_free(graph);
        }
        w.bytes[at] = kept;
    }
    assert_true(refused > 0);
    onnx_writer_free(&w);
}

static void lying_lengths_are_refused(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_put_key(&w, 7, 2);
    onnx_put_varint(&w, UINT64_MAX);
    expect_failure(&w, ADEPT_FORMAT, "byte 0", "damaged");
    onnx_put_key(&w, 7, 2);
    for (int i = 0; i < 11; i++)
        onnx_put_byte(&w, 0xff);
    expect_failure(&w, ADEPT_FORMAT, "byte 0", "damaged");
    onnx_put_key(&w, 7, 3); /* a group */
    expect_failure(&w, ADEPT_FORMAT, "byte 0", "damaged");
    begin(&w);
    onnx_model_end(&w);
    onnx_begin(&w, 7);
    onnx_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "occurs again", "");
}

/* Graphs in graphs, as deep as wanted: the deepest the loader reads, and one that would end the stack. */
static void nest(onnx_writer *w, int depth) {
    begin(w);
    for (int i = 0; i < depth; i++) {
        onnx_node_begin(w, 1, "If", "", "", "x", i == 0 ? "y" : "t");
        onnx_attribute_graph_begin(w, "then_branch");
        onnx_output(w, "t", 1, NULL);
    }
    onnx_node(w, "Relu", "", "x", "t");
    for (int i = 0; i < depth; i++) {
        onnx_attribute_graph_end(w);
        onnx_end(w);
    }
    onnx_model_end(w);
}

static void deep_nesting_is_read_to_a_limit(void **state) {
    (void)state;
    static onnx_writer w;
    nest(&w, 250);
    adept_graph *g = load_written(&w);
    assert_int_equal(g->body_count, 251);
    assert_int_equal(g->bodies[250]->captures[0], adept_graph_main(g)->inputs[0]);
    release(g, &w);
    nest(&w, 1300);
    expect_failure(&w, ADEPT_LIMIT, "nested", "256");
}

static void contradictory_names_are_refused(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node(&w, "Relu", "one", "x", "y");
    onnx_node(&w, "Neg", "two", "x", "y");
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "'one' (Relu)", "'two' (Neg)");
    begin(&w);
    onnx_node(&w, "Relu", "one", "x", "x");
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "'one' (Relu)", "'x'");
    begin(&w);
    onnx_node(&w, "Relu", "", "nowhere", "y");
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "'Relu_0' (Relu)", "'nowhere'");
    begin(&w);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "output 'y'", "no node");
    begin(&w);
    onnx_input(&w, "x", 1, "1");
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "two inputs", "'x'");
    begin(&w);
    onnx_initializer(&w, "w", 1, "1", "1234", 4);
    onnx_initializer(&w, "w", 1, "1", "1234", 4);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "two initializers", "'w'");
}

static void cycles_are_refused_with_their_nodes(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node(&w, "Add", "a", "x,c", "b");
    onnx_node(&w, "Relu", "r", "b", "c");
    onnx_node(&w, "Neg", "n", "c", "y");
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "2 nodes in a cycle", "'a' (Add) -> 'r' (Relu) -> 'a'");
    begin(&w); /* through a subgraph */
    onnx_node_begin(&w, 1, "If", "", "if", "x", "y");
    onnx_attribute_graph_begin(&w, "then_branch");
    onnx_node(&w, "Relu", "", "y", "t");
    onnx_output(&w, "t", 1, NULL);
    onnx_attribute_graph_end(&w);
    onnx_end(&w);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "1 node in a cycle", "'if' (If)");
}

static void impossible_initializers_are_refused(void **state) {
    (void)state;
    onnx_writer w = {0};
    const struct {
        const char *dims;
        int dtype;
        adept_status status;
        const char *expected;
    } cases[] = {
        {"8,-8",                        1,  ADEPT_FORMAT,      "negative dimension (8 x -8)"  },
        {"1099511627776,1099511627776", 1,  ADEPT_RANGE,       "1099511627776 x 1099511627776"},
        {"2",                           1,  ADEPT_FORMAT,      "has 4 B"                      },
        {"2",                           0,  ADEPT_FORMAT,      "no element type"              },
        {"2",                           99, ADEPT_UNSUPPORTED, "99"                           },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(&w);
        onnx_initializer(&w, "w", cases[i].dtype, cases[i].dims, "1234", 4);
        onnx_model_end(&w);
        expect_failure(&w, cases[i].status, "initializer 'w'", cases[i].expected);
    }
    begin(&w);
    onnx_tensor_begin(&w, 5, "w", 7, "3");
    onnx_put_int(&w, 7, 1);
    onnx_end(&w);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "initializer 'w'", "1 entries");
    const char *outside[] = {"/etc/passwd", "../w.bin", "a/../../w.bin", ".."};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        begin(&w);
        onnx_initializer_external(&w, "w", 1, "2", outside[i]);
        onnx_model_end(&w);
        expect_failure(&w, ADEPT_FORMAT, "initializer 'w'", outside[i]);
    }
}

static void versions_and_domains_are_checked(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_model_begin(&w, 8, 999);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_UNSUPPORTED, "opset 999", "older");
    onnx_model_begin(&w, 99, 17);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_UNSUPPORTED, "IR version 99", "older");
    begin(&w);
    onnx_node_begin(&w, 1, "Gelu", "com.microsoft", "g", "x", "y");
    onnx_end(&w);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "'g' (Gelu)", "com.microsoft");
    begin(&w);
    onnx_begin(&w, 1);
    onnx_put_text(&w, 2, "y");
    onnx_end(&w);
    onnx_model_end(&w);
    expect_failure(&w, ADEPT_FORMAT, "no operator type", "");
}

static void hostile_names_stay_on_one_line(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node(&w, "Relu", "a\n\033[31mb", "nowhere\r\n", "y");
    onnx_model_end(&w);
    adept_graph *graph;
    adept_error error = ADEPT_ERROR_INIT;
    assert_int_equal(adept_graph_load_memory(&graph, w.bytes, w.size_B, "t", NULL, &error), ADEPT_FORMAT);
    for (const char *c = error.message; *c; c++)
        assert_true((unsigned char)*c >= 0x20);
    onnx_writer_free(&w);
}

/* Two million empty attributes in 4 MB: the decoded structure must not grow a hundredfold. */
static void small_files_cannot_ask_for_much_memory(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node_begin(&w, 1, "Relu", "", "r", "x", "y");
    for (int i = 0; i < 2000000; i++) {
        onnx_put_byte(&w, 0x2a);
        onnx_put_byte(&w, 0);
    }
    onnx_end(&w);
    onnx_model_end(&w);
    adept_graph *graph;
    adept_error error = ADEPT_ERROR_INIT;
    adept_status status = adept_graph_load_memory(&graph, w.bytes, w.size_B, "t", NULL, &error);
    assert_true(status == ADEPT_LIMIT || status == ADEPT_FORMAT);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
#ifndef ADEPT_ARENA_MALLOC
    assert_true(usage.ru_maxrss < 256 * 1024); /* kB */
#endif
    onnx_writer_free(&w);
}

static void paths_that_are_no_readable_file_are_named(void **state) {
    (void)state;
    adept_graph *graph;
    adept_error error = ADEPT_ERROR_INIT;
    assert_int_equal(adept_graph_load(&graph, "/no/such/model.onnx", &error), ADEPT_IO);
    assert_non_null(strstr(error.message, "/no/such/model.onnx: "));
    assert_int_equal(adept_graph_load(&graph, "/", &error), ADEPT_IO);
    assert_non_null(strstr(error.message, "is a directory"));
    assert_int_equal(adept_graph_load(&graph, "/dev/zero", &error), ADEPT_IO);
    char pipe_path[] = "/tmp/adept_pipe_XXXXXX";
    assert_non_null(mkdtemp(pipe_path));
    char name[64];
    snprintf(name, sizeof name, "%s/pipe", pipe_path);
    assert_int_equal(mkfifo(name, 0600), 0);
    assert_int_equal(adept_graph_load(&graph, name, &error), ADEPT_IO); /* and does not wait for a writer */
    assert_null(graph);
    unlink(name);
    rmdir(pipe_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_files_cannot_ask_for_much_memory), /* first: it looks at the peak */
        cmocka_unit_test(files_that_are_not_onnx_are_named),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(lying_lengths_are_refused),
        cmocka_unit_test(deep_nesting_is_read_to_a_limit),
        cmocka_unit_test(contradictory_names_are_refused),
        cmocka_unit_test(cycles_are_refused_with_their_nodes),
        cmocka_unit_test(impossible_initializers_are_refused),
        cmocka_unit_test(versions_and_domains_are_checked),
        cmocka_unit_test(hostile_names_stay_on_one_line),
        cmocka_unit_test(paths_that_are_no_readable_file_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
