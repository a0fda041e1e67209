/*
 * Parameters, forward and backward FLOP of real graphs, equal to the digit to PyTorch's own counts; saved
 * activations within a few per cent of what autograd keeps.
 *
 * The graphs of the repository (data/graphs, counted by scripts/graphs/count_reference.py) are always
 * tried; a folder with more graphs of the same form (ADEPT_SHARED/graphs) where there is one. Every
 * exception stands in a table below with its reason.
 */
#include "test_support.h"

#include <dirent.h>

#include <cjson/cJSON.h>

#include "adept/graph.h"
#include "adept/profile.h"

enum { MAX_DIMS = 64, MAX_FILES = 512 };

typedef struct reason_row {
    const char *graph, *reason;
} reason_row;

/* design.md section 12: a parameter has more than one element. */
static const reason_row parameter_exceptions[] = {
    {"gnmt-4layer-ts", "one parameter of one element, a constant by the rule for parameters"},
    {"ncf-ml20m",      "one parameter of one element, a constant by the rule for parameters"},
};

/* Graphs whose saved activations should agree, by the end of their name or by their family. */
static const char *const saved_families[] = {
    "-train", "-train-ts", "llama",    "tinyllama", "qwen",
    "phi",    "mistral",   "gpt-neox", "bloom",     "resnet18-unoptimized",
};
static const reason_row saved_exceptions[] = {
    {"bloom-560m",       "its tanh GELU is an autograd function of its own that keeps its input only"},
    {"llama-small-op23", "fused attention keeps no scores; the reference counts plain attention"     },
};
#define SAVED_TOLERANCE 0.05

static const char *exception_of(const reason_row *rows, size_t count, const char *graph) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].graph, graph) == 0)
            return rows[i].reason;
    }
    return NULL;
}
#define EXCEPTION(rows, graph) exception_of(rows, sizeof(rows) / sizeof(rows)[0], graph)

static cJSON *read_json(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc(1, (size_t)size + 1);
    size_t read = text ? fread(text, 1, (size_t)size, file) : 0;
    fclose(file);
    cJSON *json = read == (size_t)size ? cJSON_Parse(text) : NULL;
    free(text);
    return json;
}

static bool is_bound(const adept_dim_binding *dims, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(dims[i].name, name) == 0)
            return true;
    }
    return false;
}

/*
 * Binds every plain symbol of the graph's inputs ("[batch, 3, 224, 224]") to the size that the counts were
 * made at. Names live in text.
 */
static size_t bind_dims(adept_dim_binding *dims, char *text, size_t size, const adept_graph *graph,
                        const cJSON *reference) {
    const cJSON *shapes = cJSON_GetObjectItem(reference, "example_input_shapes");
    size_t count = 0, used = 0;
    for (size_t i = 0; i < adept_graph_input_count(graph); i++) {
        const cJSON *shape = cJSON_GetArrayItem(shapes, (int)i);
        char *names = text + used, *rest = NULL;
        used += (size_t)snprintf(names, size - used, "%s", adept_graph_input_shape(graph, i)) + 1;
        assert_true(used < size);
        int d = 0;
        for (char *name = strtok_r(names, "[], ", &rest); name; name = strtok_r(NULL, "[],", &rest), d++) {
            name += strspn(name, " ");
            bool plain = !strpbrk(name, " */+-()?") && strspn(name, "0123456789") < strlen(name);
            const cJSON *value = cJSON_GetArrayItem(shape, d);
            if (plain && value && count < MAX_DIMS && !is_bound(dims, count, name))
                dims[count++] = (adept_dim_binding){name, value->valueint};
        }
    }
    return count;
}

typedef struct tally {
    int graphs, flop_equal, flop_unknown, parameters_equal, parameters_unknown, exceptions, saved_close,
        wrong;
    double worst_saved;
} tally;

static bool has_number(const cJSON *reference, const char *key, double *value) {
    const cJSON *item = cJSON_GetObjectItem(reference, key);
    if (!cJSON_IsNumber(item))
        return false;
    *value = item->valuedouble;
    return true;
}

static void wrong(tally *t, const char *graph, const char *what, double actual, double expected) {
    print_message("  WRONG %s: %s %.17g, expected %.17g\n", graph, what, actual, expected);
    t->wrong++;
}

static void compare_counts(tally *t, const char *graph, const adept_workload *w, const cJSON *reference) {
    double forward = w->forward.gemm_flop + w->forward.conv_flop;
    double backward = w->backward.gemm_flop + w->backward.conv_flop, expected;
    bool known = false;
    if (has_number(reference, "onnx_forward_flop", &expected) && (known = true) && forward != expected)
        wrong(t, graph, "forward FLOP", forward, expected);
    if (has_number(reference, "onnx_backward_flop", &expected) && (known = true) && backward != expected)
        wrong(t, graph, "backward FLOP", backward, expected);
    t->flop_equal += known;
    t->flop_unknown += !known;
    if (!has_number(reference, "onnx_parameters", &expected)) {
        t->parameters_unknown++;
    } else if (w->parameters == expected) {
        t->parameters_equal++;
    } else if (EXCEPTION(parameter_exceptions, graph)) {
        print_message("  exception %s: parameters: %s\n", graph, EXCEPTION(parameter_exceptions, graph));
        t->exceptions++;
    } else {
        wrong(t, graph, "parameters", w->parameters, expected);
    }
}

static bool saved_should_agree(const char *graph) {
    for (size_t i = 0; i < sizeof saved_families / sizeof saved_families[0]; i++) {
        const char *family = saved_families[i];
        size_t length = strlen(graph), wanted = strlen(family);
        if (family[0] == '-' ? length > wanted && strcmp(graph + length - wanted, family) == 0
                             : strncmp(graph, family, wanted) == 0)
            return true;
    }
    return false;
}

static void compare_saved(tally *t, const char *graph, const adept_workload *w, const cJSON *reference) {
    double expected;
    if (!saved_should_agree(graph) || !has_number(reference, "saved_activation_bytes_train_mode", &expected))
        return;
    double ratio = w->memory.saved_activations_B / expected;
    if (fabs(ratio - 1) <= SAVED_TOLERANCE) {
        t->saved_close++;
        if (fabs(ratio - 1) > fabs(t->worst_saved))
            t->worst_saved = ratio - 1;
    } else if (EXCEPTION(saved_exceptions, graph)) {
        print_message("  exception %s: saved activations %.2f times: %s\n", graph, ratio,
                      EXCEPTION(saved_exceptions, graph));
        t->exceptions++;
    } else {
        wrong(t, graph, "saved activations", w->memory.saved_activations_B, expected);
    }
}

static void try_graph(tally *t, const char *folder, const char *name) {
    char path[4600];
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    cJSON *reference = read_json(path);
    if (!reference || !cJSON_HasObjectItem(reference, "onnx_forward_flop")) {
        cJSON_Delete(reference);
        return;
    }
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    adept_dim_binding dims[MAX_DIMS];
    char text[8192];
    adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    adept_status status = adept_graph_load(&graph, path, &err);
    if (status == ADEPT_OK) {
        run.dims = dims;
        run.dim_count = bind_dims(dims, text, sizeof text, graph, reference);
    }
    if (status != ADEPT_OK || adept_profile_build(&profile, graph, &run, &err) != ADEPT_OK) {
        print_message("  WRONG %s: %s\n", name, err.message);
        t->wrong++;
    } else {
        t->graphs++;
        compare_counts(t, name, adept_profile_workload(profile), reference);
        compare_saved(t, name, adept_profile_workload(profile), reference);
    }
    adept_profile_free(profile);
    adept_graph_free(graph);
    cJSON_Delete(reference);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void try_folder(const char *folder, int least) {
    tally t = {0};
    char *names[MAX_FILES];
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) && count < MAX_FILES;) {
        char *end = strstr(entry->d_name, ".json");
        if (end && !end[5])
            names[count++] = strndup(entry->d_name, (size_t)(end - entry->d_name));
    }
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        try_graph(&t, folder, names[i]);
        free(names[i]);
    }
    print_message("%s: %d graphs: FLOP equal %d (no reference %d), parameters equal %d (no reference %d), "
                  "saved activations within 5 %% %d (worst %+.1f %%), exceptions %d, WRONG %d\n",
                  folder, t.graphs, t.flop_equal, t.flop_unknown, t.parameters_equal, t.parameters_unknown,
                  t.saved_close, 100 * t.worst_saved, t.exceptions, t.wrong);
    assert_int_equal(t.wrong, 0);
    assert_true(t.graphs >= least);
}

static void repository_graphs_agree_with_pytorch(void **state) {
    (void)state;
    try_folder(ADEPT_SOURCE_DIR "/data/graphs", 4);
}

static void shared_graphs_agree_with_pytorch(void **state) {
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/graphs", shared);
    try_folder(folder, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repository_graphs_agree_with_pytorch),
        cmocka_unit_test(shared_graphs_agree_with_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
