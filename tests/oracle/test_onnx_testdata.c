/*
 * Shapes and types against Debian's libonnx-testdata: the stored inputs of every model case are fed as
 * known values, the inferred outputs are compared with the stored ones.
 *
 *   equal      rank, every dimension and the element type agree, and inference calls them exact
 *   bounded    inference marks the shape as a bound or an assumption: it hangs on computed data
 *   unknown    inference does not know the rank
 *   wrong      anything else, also an error or a bound that is exceeded
 */
#include <dirent.h>

#include "adept/graph.h"
#include "handler.h"
#include "shapes.h"
#include "stored_value.h"
#include "test_support.h"

#define DATA_FOLDER "/usr/share/libonnx-testdata/data"

typedef enum verdict { EQUAL, BOUNDED, UNKNOWN, WRONG } verdict;

typedef struct tally {
    int cases, count[4];
    int unexpected; /* of the unknown ones */
} tally;

/* Where not even the rank can be stated. */
static const struct {
    const char *name, *reason;
} expected_unknown[] = {
    {"test_loop16_seq_none", "the elements of the resulting sequence differ in rank"},
};

static bool is_expected_unknown(const char *name) {
    for (size_t i = 0; i < sizeof expected_unknown / sizeof expected_unknown[0]; i++) {
        if (strcmp(expected_unknown[i].name, name) == 0) {
            print_message("unknown  %s is expected: %s\n", name, expected_unknown[i].reason);
            return true;
        }
    }
    return false;
}

typedef struct finding {
    verdict verdict;
    char text[600];
} finding;

static void dims_text(char *text, size_t size, const adept_shape *shape) {
    int length = snprintf(text, size, "%s ", adept_dtype_name(shape->dtype));
    if (shape->rank < 0) {
        snprintf(text + length, size - (size_t)length, "?");
        return;
    }
    for (int32_t i = 0; i < shape->rank && length < (int)size - 24; i++)
        length += snprintf(text + length, size - (size_t)length, "%s%lld", i ? "," : "[",
                           (long long)shape->dims[i]);
    snprintf(text + length, size - (size_t)length, shape->rank ? "]" : "[]");
}

static void say(finding *f, verdict found, const char *output, const char *what, const adept_shape *inferred,
                const adept_shape *stored) {
    char left[200], right[200];
    if (found <= f->verdict)
        return;
    dims_text(left, sizeof left, inferred);
    dims_text(right, sizeof right, stored);
    f->verdict = found;
    snprintf(f->text, sizeof f->text, "%s: %s, inferred %s, stored %s", output, what, left, right);
}

static bool within(const adept_shape *stored, const adept_shape *bound) {
    for (int32_t i = 0; i < stored->rank; i++) {
        if (stored->dims[i] > bound->dims[i])
            return false;
    }
    return true;
}

static bool same_dims(const adept_shape *a, const adept_shape *b) {
    return a->rank == b->rank && (a->rank == 0 || memcmp(a->dims, b->dims, (size_t)a->rank * 8) == 0);
}

static void compare_tensor(finding *f, const char *output, const adept_shape *inferred,
                           adept_certainty certainty, const adept_shape *stored) {
    if (inferred->dtype == ADEPT_DTYPE_UNDEFINED && inferred->certainty == ADEPT_EXACT)
        say(f, UNKNOWN, output, "element type unknown", inferred, stored);
    else if (inferred->dtype != stored->dtype)
        say(f, WRONG, output, "element type", inferred, stored);
    else if (inferred->rank < 0)
        say(f, UNKNOWN, output, "unknown", inferred, stored);
    else if (certainty == ADEPT_EXACT && !same_dims(inferred, stored))
        say(f, WRONG, output, "dimensions", inferred, stored);
    else if (certainty == ADEPT_BOUND && (inferred->rank != stored->rank || !within(stored, inferred)))
        say(f, WRONG, output, "bound exceeded", inferred, stored);
    else if (certainty != ADEPT_EXACT)
        say(f, BOUNDED, output, certainty == ADEPT_BOUND ? "bound" : "assumption", inferred, stored);
}

/* The element of an inferred sequence is the largest one: the others are within it. */
static void compare_items(finding *f, const char *output, const adept_shape *inferred,
                          const stored_value *stored) {
    for (int32_t i = 0; i < stored->item_count; i++) {
        const stored_value *item = &stored->items[i];
        if (!inferred->element)
            say(f, UNKNOWN, output, "elements unknown", inferred, &item->shape);
        else if (item->kind != ADEPT_TYPE_TENSOR)
            compare_items(f, output, inferred->element, item);
        else if (inferred->element->rank == item->shape.rank && within(&item->shape, inferred->element) &&
                 !same_dims(&item->shape, inferred->element))
            compare_tensor(f, output, inferred->element, ADEPT_BOUND, &item->shape);
        else
            compare_tensor(f, output, inferred->element,
                           inferred->element->certainty > inferred->certainty ? inferred->element->certainty
                                                                              : inferred->certainty,
                           &item->shape);
    }
}

static void compare_output(finding *f, const char *output, const adept_shape *inferred,
                           const stored_value *stored) {
    if (inferred->kind == ADEPT_TYPE_UNKNOWN)
        say(f, UNKNOWN, output, "nothing known", inferred, &stored->shape);
    else if (inferred->kind != stored->kind)
        say(f, WRONG, output, "kind of type", inferred, &stored->shape);
    else if (stored->kind == ADEPT_TYPE_TENSOR)
        compare_tensor(f, output, inferred, inferred->certainty, &stored->shape);
    else {
        if (stored->kind == ADEPT_TYPE_SEQUENCE && inferred->length < 0)
            say(f, UNKNOWN, output, "length unknown", inferred, &stored->shape);
        else if (stored->kind == ADEPT_TYPE_SEQUENCE && inferred->length != stored->item_count)
            say(f, inferred->certainty == ADEPT_EXACT ? WRONG : BOUNDED, output, "length", inferred,
                &stored->shape);
        compare_items(f, output, inferred, stored);
    }
}

/* These files store bfloat16, which NumPy does not have, as uint16. */
static void restore_bfloat16(stored_value *stored, const adept_type *declared) {
    if (stored->shape.dtype == ADEPT_DTYPE_UINT16 && declared && declared->dtype == ADEPT_DTYPE_BFLOAT16)
        stored->shape.dtype = ADEPT_DTYPE_BFLOAT16;
}

/* Which kind of message a file holds follows from the type that the graph declares. */
static adept_type_kind message_kind(const adept_type *declared) {
    return declared && (declared->kind == ADEPT_TYPE_SEQUENCE || declared->kind == ADEPT_TYPE_OPTIONAL)
               ? declared->kind
               : ADEPT_TYPE_TENSOR;
}

static size_t read_inputs(const adept_graph *graph, adept_arena *arena, const char *folder,
                          adept_fed_value *fed) {
    const adept_body *body = adept_graph_main(graph);
    size_t count = 0;
    for (int32_t i = 0; i < body->input_count; i++) {
        const adept_tensor *input = &graph->tensors[body->inputs[i]];
        char path[700];
        stored_value stored;
        snprintf(path, sizeof path, "%s/test_data_set_0/input_%d.pb", folder, i);
        if (!stored_value_read(&stored, arena, path, message_kind(input->declared)))
            continue;
        restore_bfloat16(&stored, input->declared);
        fed[count++] = (adept_fed_value){input->name, stored.shape};
    }
    return count;
}

static void compare_outputs(finding *f, const adept_shapes *shapes, const adept_type *const *declared,
                            adept_arena *arena, const char *folder) {
    const adept_body *body = adept_graph_main(shapes->graph);
    int compared = 0;
    for (int32_t i = 0; i < body->output_count; i++) {
        const adept_tensor *output = &shapes->graph->tensors[body->outputs[i]];
        char path[700];
        stored_value stored;
        snprintf(path, sizeof path, "%s/test_data_set_0/output_%d.pb", folder, i);
        if (!stored_value_read(&stored, arena, path, message_kind(declared[body->outputs[i]])))
            continue;
        restore_bfloat16(&stored, declared[body->outputs[i]]);
        compared++;
        compare_output(f, output->name, &shapes->tensors[body->outputs[i]], &stored);
    }
    if (compared == 0 && body->output_count > 0) {
        f->verdict = WRONG;
        snprintf(f->text, sizeof f->text, "no stored output could be read");
    }
}

/*
 * The declared types of all but the inputs are taken away: what is compared is inference, not the file's
 * own statement of the answer. Returns what was declared.
 */
static const adept_type **forget_declared(adept_graph *graph, adept_arena *arena) {
    const adept_type **declared = adept_arena_array(arena, (size_t)graph->tensor_count, sizeof(adept_type *));
    for (int32_t i = 0; i < graph->tensor_count; i++) {
        declared[i] = graph->tensors[i].declared;
        if (!graph->tensors[i].is_input)
            graph->tensors[i].declared = NULL;
    }
    return declared;
}

static void run_case(finding *f, const char *folder) {
    char path[600];
    adept_error error = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_shapes *shapes = NULL;
    const adept_type **declared = NULL;
    adept_fed_value fed[64];
    const adept_run run = ADEPT_RUN_INIT;
    adept_arena *arena = adept_arena_new(0);
    *f = (finding){.verdict = EQUAL};
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (adept_graph_load(&graph, path, &error) == ADEPT_OK) {
        size_t count = read_inputs(graph, arena, folder, fed);
        declared = forget_declared(graph, arena);
        (void)adept_shapes_infer(&shapes, graph, &run, adept_handler_infer_lookup, fed, count, &error);
    }
    if (shapes)
        compare_outputs(f, shapes, declared, arena, folder);
    else {
        f->verdict = WRONG;
        snprintf(f->text, sizeof f->text, "%.500s", error.message);
    }
    adept_shapes_free(shapes);
    adept_graph_free(graph);
    adept_arena_free(arena);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static tally run_folder(const char *name) {
    enum { CASES = 2000 };
    static const char *const verdicts[] = {"equal", "bounded", "unknown", "wrong"};
    static char *names[CASES];
    size_t count = 0;
    tally t = {0};
    char folder[300];
    snprintf(folder, sizeof folder, DATA_FOLDER "/%s", name);
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) && count < CASES;) {
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    }
    if (directory)
        closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        char path[580];
        finding f;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        run_case(&f, path);
        t.cases++;
        t.count[f.verdict]++;
        if (f.verdict == UNKNOWN)
            t.unexpected += !is_expected_unknown(names[i]);
        if (f.verdict != EQUAL)
            print_message("%-8s %s/%s: %s\n", verdicts[f.verdict], name, names[i], f.text);
        free(names[i]);
    }
    print_message("%s: %d cases: %d equal, %d bounded, %d unknown, %d wrong\n", name, t.cases, t.count[EQUAL],
                  t.count[BOUNDED], t.count[UNKNOWN], t.count[WRONG]);
    return t;
}

static void skip_without_data(void) {
    DIR *directory = opendir(DATA_FOLDER);
    if (!directory) {
        print_message("skipped: no " DATA_FOLDER " (Debian package libonnx-testdata)\n");
        skip();
    }
    closedir(directory);
}

static void no_operator_case_is_wrong(void **state) {
    (void)state;
    skip_without_data();
    tally t = run_folder("node");
    assert_true(t.cases >= 932);
    assert_int_equal(t.unexpected, 0);
    assert_int_equal(t.count[WRONG], 0);
}

static void no_model_case_is_wrong(void **state) {
    (void)state;
    skip_without_data();
    static const char *const folders[] = {"simple", "pytorch-converted", "pytorch-operator"};
    int wrong = 0, unexpected = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        tally t = run_folder(folders[i]);
        assert_true(t.cases > 0);
        wrong += t.count[WRONG];
        unexpected += t.unexpected;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(unexpected, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_operator_case_is_wrong),
        cmocka_unit_test(no_model_case_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
