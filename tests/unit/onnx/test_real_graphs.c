/* Real exporters' files and Debian's ONNX test models: all load, and what comes out is consistent. */
#include <dirent.h>
#include <ftw.h>
#include <time.h>

#include "load_support.h"
#include "mapping.h"

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check_tensor(const adept_graph *g, adept_tensor_id id) {
    assert_true(id >= ADEPT_NO_TENSOR && id < g->tensor_count);
}

/* Inputs come from nodes before, from further out, or from no node. */
static void check_body(const adept_graph *g, const adept_body *body) {
    for (int32_t n = 0; n < body->node_count; n++) {
        const adept_node *node = &body->nodes[n];
        assert_true(node->name[0] && node->op_type[0] && node->module && node->opset > 0);
        for (int32_t i = 0; i < node->input_count; i++) {
            check_tensor(g, node->inputs[i]);
            const adept_tensor *t = node->inputs[i] < 0 ? NULL : &g->tensors[node->inputs[i]];
            assert_true(!t || t->body != body->index || t->producer < n);
        }
        for (int32_t i = 0; i < node->output_count; i++) {
            check_tensor(g, node->outputs[i]);
            const adept_tensor *t = node->outputs[i] < 0 ? NULL : &g->tensors[node->outputs[i]];
            assert_true(!t || (t->body == body->index && t->producer == n));
        }
    }
    for (int32_t i = 0; i < body->output_count; i++)
        assert_true(body->outputs[i] >= 0 && body->outputs[i] < g->tensor_count);
}

/* Constants lie inside the file; the small ones can be read. */
static void check_constants(const adept_graph *g, const char *path) {
    adept_arena *arena = adept_arena_new(0);
    for (int32_t i = 0; i < g->tensor_count; i++) {
        const adept_constant *c = g->tensors[i].constant;
        const int64_t *ints;
        const double *reals;
        adept_error error = ADEPT_ERROR_INIT;
        if (!c || c->payload != ADEPT_PAYLOAD_INLINE || c->elements > ADEPT_CONSTANT_LIMIT ||
            !(adept_dtype_is_float(c->dtype) || adept_dtype_is_integer(c->dtype)))
            continue;
        if (adept_constant_read(g, c, arena, &ints, &reals, &error) != ADEPT_OK)
            fail_msg("%s: '%s': %s", path, g->tensors[i].name, error.message);
    }
    adept_arena_free(arena);
}

static adept_graph *load_and_check(const char *path) {
    adept_graph *g;
    adept_error error = ADEPT_ERROR_INIT;
    if (adept_graph_load(&g, path, &error) != ADEPT_OK)
        fail_msg("%s", error.message);
    for (int32_t i = 0; i < g->body_count; i++)
        check_body(g, g->bodies[i]);
    check_constants(g, path);
    return g;
}

/* "nodes" of the reference beside the graph, -1 if there is none. */
static long reference_nodes(const char *onnx_path) {
    char path[4700];
    snprintf(path, sizeof path, "%.*s.json", (int)(strlen(onnx_path) - 5), onnx_path);
    adept_mapping *mapping;
    if (adept_mapping_open(&mapping, path, NULL) != ADEPT_OK)
        return -1;
    char *text = calloc(mapping->size_B + 1, 1);
    memcpy(text, mapping->bytes, mapping->size_B);
    const char *key = strstr(text, "\"nodes\":");
    long nodes = key ? strtol(key + 8, NULL, 10) : -1;
    free(text);
    adept_mapping_close(mapping);
    return nodes;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void shared_graphs_load_with_all_their_nodes(void **state) {
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    char folder[4200], path[4600];
    snprintf(folder, sizeof folder, "%s/graphs", shared);
    DIR *list = opendir(folder);
    assert_non_null(list);
    int count = 0, compared = 0;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        if (!ends_with(entry->d_name, ".onnx"))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        adept_graph *g = load_and_check(path);
        long nodes = reference_nodes(path);
        /* The references count calls of functions, not what they become. */
        if (nodes >= 0 && !strstr(entry->d_name, "function")) {
            if ((size_t)nodes != adept_graph_node_count(g))
                fail_msg("%s: %zu nodes, reference %ld", path, adept_graph_node_count(g), nodes);
            compared++;
        }
        adept_graph_free(g);
        count++;
    }
    closedir(list);
    print_message("%d graphs loaded, %d node counts equal to the reference\n", count, compared);
    assert_true(count >= 100 && compared >= 100);
}

/* What the loader itself says to each damaged file; the rest is left to shape inference. */
static void shared_bad_files_get_their_status(void **state) {
    (void)state;
    static const struct {
        const char *name;
        adept_status status;
    } cases[] = {
        {"deep-protobuf",                ADEPT_LIMIT      },
        {"duplicate-tensor",             ADEPT_FORMAT     },
        {"empty-everything",             ADEPT_OK         },
        {"empty-file",                   ADEPT_FORMAT     },
        {"empty-graph-with-outputs",     ADEPT_OK         },
        {"external-absolute-path",       ADEPT_FORMAT     },
        {"external-shape-tensor",        ADEPT_OK         },
        {"function-missing",             ADEPT_FORMAT     },
        {"function-recursive",           ADEPT_FORMAT     },
        {"functions-mutually-recursive", ADEPT_FORMAT     },
        {"future-opset",                 ADEPT_UNSUPPORTED},
        {"gzip",                         ADEPT_FORMAT     },
        {"length-bomb",                  ADEPT_FORMAT     },
        {"missing-opset-import",         ADEPT_FORMAT     },
        {"negative-dim",                 ADEPT_OK         },
        {"negative-initializer-dim",     ADEPT_FORMAT     },
        {"no-graph",                     ADEPT_FORMAT     },
        {"node-writes-input",            ADEPT_FORMAT     },
        {"nul-bytes",                    ADEPT_FORMAT     },
        {"output-without-type",          ADEPT_OK         },
        {"overflow-weight",              ADEPT_RANGE      },
        {"random-bytes",                 ADEPT_FORMAT     },
        {"raw-data-too-short",           ADEPT_FORMAT     },
        {"self-cycle",                   ADEPT_FORMAT     },
        {"truncated-first",              ADEPT_FORMAT     },
        {"truncated-last",               ADEPT_FORMAT     },
        {"wrong-value-info",             ADEPT_OK         },
    };
    const char *shared = shared_folder();
    if (!shared)
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[4700];
        snprintf(path, sizeof path, "%s/graphs/bad/%s.onnx", shared, cases[i].name);
        adept_graph *g;
        adept_error error = ADEPT_ERROR_INIT;
        adept_status status = adept_graph_load(&g, path, &error);
        if (status != cases[i].status)
            fail_msg("%s: status %d, expected %d: %s", path, (int)status, (int)cases[i].status,
                     error.message);
        if (status != ADEPT_OK)
            assert_non_null(strstr(error.message, cases[i].name)); /* names the file */
        adept_graph_free(g);
    }
}

static void shared_stress_files_load_quickly(void **state) {
    (void)state;
    static const char *const names[] = {"diamond-1000", "functions-depth-200", "many-constants",
                                        "nested-if-20", "nested-if-30",        "rank-64"};
    const char *shared = shared_folder();
    if (!shared)
        skip();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[4700];
        snprintf(path, sizeof path, "%s/graphs/stress/%s.onnx", shared, names[i]);
        double start_s = now_s();
        adept_graph_free(load_and_check(path));
        assert_true(now_s() - start_s < 5.0); /* a second is promised; sanitizers and load take their part */
    }
}

static int debian_count;

static int load_found(const char *path, const struct stat *about, int flag, struct FTW *at) {
    (void)about, (void)at;
    if (flag == FTW_F && ends_with(path, ".onnx")) {
        adept_graph_free(load_and_check(path));
        debian_count++;
    }
    return 0;
}

static void models_of_libonnx_testdata_load(void **state) {
    (void)state;
    debian_count = 0;
    if (nftw("/usr/share/libonnx-testdata", load_found, 16, FTW_PHYS) != 0) {
        print_message("skipped: no /usr/share/libonnx-testdata (Debian package libonnx-testdata)\n");
        skip();
    }
    print_message("%d models of libonnx-testdata loaded\n", debian_count);
    assert_true(debian_count > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_graphs_load_with_all_their_nodes),
        cmocka_unit_test(shared_bad_files_get_their_status),
        cmocka_unit_test(shared_stress_files_load_quickly),
        cmocka_unit_test(models_of_libonnx_testdata_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
