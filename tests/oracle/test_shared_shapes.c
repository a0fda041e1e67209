/*
 * Shapes, element types and folded numbers against the reference JSON beside each real graph: shapes of
 * tensors from running the file in onnxruntime (ort_shapes, example_tensors), by hand (hand_shapes), by
 * ONNX's or the exporter's own shape inference (tensors, may be symbolic), and the numbers of small integer
 * tensors of that run (ort_values). Symbols are bound with --dim, as a user would.
 */
#include <cjson/cJSON.h>
#include <dirent.h>

#include "adept/graph.h"
#include "expression.h"
#include "handler.h"
#include "shapes.h"
#include "string_map.h"
#include "test_support.h"

enum { SYMBOLS = 32 };

typedef struct tally {
    int equal;
    int open;    /* the reference has a symbol of its own there, or is null; the rest agrees */
    int bounded; /* marked as bound or assumption */
    int unknown;
    int wrong;
    int absent; /* the file's value_info still names tensors that the quantizer replaced */
    int values_equal, values_unknown, values_wrong;
} tally;

typedef struct model {
    char name[200];
    adept_graph *graph;
    adept_shapes *shapes;
    adept_string_map tensors; /* name -> id, main graph first */
    adept_dim_binding symbols[SYMBOLS];
    size_t symbol_count;
    adept_arena *arena;
    tally tally;
} model;

/* --- binding --- */

static void add_symbol(model *m, const char *name, double value) {
    for (size_t i = 0; i < m->symbol_count; i++) {
        if (strcmp(m->symbols[i].name, name) == 0)
            return;
    }
    assert_true(m->symbol_count < SYMBOLS);
    m->symbols[m->symbol_count++] = (adept_dim_binding){name, (int64_t)value};
}

/* The run's shape of input number i: example_input_shapes in the order of inputs, or ort_feeds by name. */
static const cJSON *run_shape(const cJSON *root, int i, const char *name) {
    const cJSON *feeds = cJSON_GetObjectItemCaseSensitive(root, "ort_feeds");
    const cJSON *fed = feeds ? cJSON_GetObjectItemCaseSensitive(feeds, name) : NULL;
    return fed ? fed : cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, "example_input_shapes"), i);
}

static void collect_symbols(model *m, const cJSON *root) {
    const cJSON *inputs = cJSON_GetObjectItemCaseSensitive(root, "inputs");
    for (int i = 0; i < cJSON_GetArraySize(inputs); i++) {
        const cJSON *input = cJSON_GetArrayItem(inputs, i);
        const cJSON *dims = cJSON_GetArrayItem(input, 2);
        const cJSON *shape = run_shape(root, i, cJSON_GetArrayItem(input, 0)->valuestring);
        for (int axis = 0; shape && axis < cJSON_GetArraySize(dims); axis++) {
            const cJSON *dim = cJSON_GetArrayItem(dims, axis);
            if (cJSON_IsString(dim))
                add_symbol(m, dim->valuestring, cJSON_GetArrayItem(shape, axis)->valuedouble);
        }
    }
}

/* --- comparing --- */

static void complain(model *m, const char *key, const char *tensor, const char *what,
                     const adept_shape *shape, const cJSON *reference) {
    enum { SHOWN = 20 };
    char *text = cJSON_PrintUnformatted(reference);
    if (m->tally.wrong + m->tally.values_wrong <= SHOWN) {
        print_message("wrong %s %s '%s': %s, inferred %s [", m->name, key, tensor, what,
                      adept_dtype_name(shape->dtype));
        for (int32_t i = 0; i < shape->rank; i++)
            print_message("%s%lld", i ? ", " : "", (long long)shape->dims[i]);
        print_message("]");
        for (int64_t i = 0; shape->value && i < shape->value->count && i < SHOWN; i++)
            print_message(" %.17g",
                          shape->value->ints ? (double)shape->value->ints[i] : shape->value->reals[i]);
        print_message(", reference %.300s\n", text);
    }
    cJSON_free(text);
}

/* A dimension of the reference: -1 where it is null or has a symbol that the inputs do not bind. */
static int64_t reference_dim(const model *m, const cJSON *dim) {
    if (!cJSON_IsString(dim))
        return cJSON_IsNumber(dim) ? (int64_t)dim->valuedouble : -1;
    const adept_expression *e = adept_expression_parse(m->arena, dim->valuestring);
    int64_t values[SYMBOLS] = {0}, result;
    bool known[SYMBOLS] = {false};
    assert_true(e->name_count <= SYMBOLS);
    for (int32_t i = 0; i < e->name_count; i++) {
        for (size_t j = 0; j < m->symbol_count; j++) {
            if (strcmp(m->symbols[j].name, e->names[i]) == 0) {
                values[i] = m->symbols[j].value;
                known[i] = true;
            }
        }
    }
    return adept_expression_evaluate(e, values, known, &result) == ADEPT_EVALUATED ? result : -1;
}

static bool dims_agree(const model *m, const adept_shape *shape, const cJSON *dims, bool *open) {
    *open = false;
    if (cJSON_GetArraySize(dims) != shape->rank)
        return false;
    int32_t axis = 0;
    const cJSON *dim;
    cJSON_ArrayForEach(dim, dims) {
        int64_t reference = reference_dim(m, dim);
        if (reference < 0)
            *open = true;
        else if (reference != shape->dims[axis])
            return false;
        axis++;
    }
    return true;
}

/* dtype 0: not stated. */
static void compare_shape(model *m, const char *key, const char *name, const adept_shape *shape, int dtype,
                          const cJSON *dims) {
    bool open;
    if (shape->rank < 0 || (dtype && shape->dtype == ADEPT_DTYPE_UNDEFINED)) {
        m->tally.unknown++;
        return;
    }
    bool agree = dims_agree(m, shape, dims, &open);
    if (dtype && (int)shape->dtype != dtype) {
        m->tally.wrong++;
        complain(m, key, name, "element type", shape, dims);
    } else if (shape->certainty != ADEPT_EXACT) {
        m->tally.bounded++;
        char *text = cJSON_PrintUnformatted(dims);
        print_message("bounded %s %s '%s'%s, reference %.200s\n", m->name, key, name,
                      agree ? " (agrees)" : "", text);
        cJSON_free(text);
    } else if (!agree) {
        m->tally.wrong++;
        complain(m, key, name, "dimensions", shape, dims);
    } else if (open)
        m->tally.open++;
    else
        m->tally.equal++;
}

static const adept_shape *shape_named(model *m, const char *name) {
    int32_t id = adept_string_map_get(&m->tensors, name, -1);
    if (id >= 0)
        return &m->shapes->tensors[id];
    m->tally.absent++;
    return NULL;
}

/* {name: [element type, dims]} */
static void compare_typed(model *m, const cJSON *root, const char *key) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(root, key)) {
        const adept_shape *shape = shape_named(m, entry->string);
        const cJSON *dims = cJSON_GetArrayItem(entry, 1);
        if (shape && cJSON_IsArray(dims))
            compare_shape(m, key, entry->string, shape, cJSON_GetArrayItem(entry, 0)->valueint, dims);
    }
}

/* A sequence: the reference lists the dims of every element. */
static void compare_sequence(model *m, const char *key, const char *name, const adept_shape *shape,
                             const cJSON *elements) {
    if (shape->kind != ADEPT_TYPE_SEQUENCE || !shape->element || shape->length < 0) {
        m->tally.unknown++;
        return;
    }
    bool within = shape->length == cJSON_GetArraySize(elements);
    const cJSON *dims;
    cJSON_ArrayForEach(dims, elements) {
        within = within && cJSON_GetArraySize(dims) == shape->element->rank;
        for (int32_t i = 0; within && i < shape->element->rank; i++)
            within = cJSON_GetArrayItem(dims, i)->valuedouble <= (double)shape->element->dims[i];
    }
    if (within)
        m->tally.equal++;
    else {
        m->tally.wrong++;
        complain(m, key, name, "sequence", shape->element, elements);
    }
}

/* {name: dims} or {name: {"sequence": [dims, ..]}} */
static void compare_dims(model *m, const cJSON *root, const char *key) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(root, key)) {
        const adept_shape *shape = shape_named(m, entry->string);
        if (shape && cJSON_IsArray(entry))
            compare_shape(m, key, entry->string, shape, 0, entry);
        else if (shape)
            compare_sequence(m, key, entry->string, shape,
                             cJSON_GetObjectItemCaseSensitive(entry, "sequence"));
    }
}

/* Numbers of a nested list, row by row; a value of 2^53 and more is compared as a double. */
static bool numbers_agree(const cJSON *reference, const adept_value *value, int64_t *index, bool *known) {
    if (cJSON_IsArray(reference)) {
        const cJSON *item;
        cJSON_ArrayForEach(item, reference) {
            if (!numbers_agree(item, value, index, known))
                return false;
        }
        return true;
    }
    if (*index >= value->count)
        return false;
    int64_t i = (*index)++;
    if (value->known && !value->known[i]) {
        *known = false;
        return true;
    }
    double expected = cJSON_IsBool(reference) ? cJSON_IsTrue(reference) : reference->valuedouble;
    return (value->ints ? (double)value->ints[i] : value->reals[i]) == expected;
}

static void compare_values(model *m, const cJSON *root) {
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(root, "ort_values")) {
        const adept_shape *shape = shape_named(m, entry->string);
        if (!shape)
            continue;
        int64_t index = 0;
        bool known = shape->value != NULL;
        if (known && (!numbers_agree(entry, shape->value, &index, &known) || index != shape->value->count)) {
            m->tally.values_wrong++;
            complain(m, "ort_values", entry->string, "numbers", shape, entry);
        } else if (known)
            m->tally.values_equal++;
        else {
            m->tally.values_unknown++;
            if (getenv("ADEPT_VERBOSE"))
                print_message("not folded %s '%s'\n", m->name, entry->string);
        }
    }
}

/* --- a graph --- */

static void index_tensors(model *m) {
    for (int32_t i = m->graph->tensor_count - 1; i >= 0; i--) {
        if (m->graph->tensors[i].body > 0)
            assert_true(adept_string_map_put(&m->tensors, m->graph->tensors[i].name, i));
    }
    for (int32_t i = m->graph->tensor_count - 1; i >= 0; i--) {
        if (m->graph->tensors[i].body == 0)
            assert_true(adept_string_map_put(&m->tensors, m->graph->tensors[i].name, i));
    }
}

static void add_tally(tally *sum, const tally *t) {
    sum->equal += t->equal;
    sum->open += t->open;
    sum->bounded += t->bounded;
    sum->unknown += t->unknown;
    sum->wrong += t->wrong;
    sum->absent += t->absent;
    sum->values_equal += t->values_equal;
    sum->values_unknown += t->values_unknown;
    sum->values_wrong += t->values_wrong;
}

static void print_tally(const char *name, const tally *t) {
    print_message(
        "%s: shapes %d equal, %d open in the reference, %d bounded, %d unknown, %d wrong, %d absent; "
        "values %d equal, %d not folded, %d wrong\n",
        name, t->equal, t->open, t->bounded, t->unknown, t->wrong, t->absent, t->values_equal,
        t->values_unknown, t->values_wrong);
}

static cJSON *read_json(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t size_B = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(1, size_B + 1);
    assert_int_equal(fread(text, 1, size_B, file), size_B);
    fclose(file);
    cJSON *root = cJSON_Parse(text);
    free(text);
    assert_non_null(root);
    return root;
}

static void compare_all(model *m, const cJSON *root) {
    index_tensors(m);
    compare_typed(m, root, "tensors");
    compare_typed(m, root, "example_tensors");
    compare_dims(m, root, "ort_shapes");
    compare_dims(m, root, "hand_shapes");
    compare_values(m, root);
}

static void run_graph(const char *folder, const char *name, tally *sum) {
    model m = {.arena = adept_arena_new(0)};
    char path[5000];
    adept_error error = ADEPT_ERROR_INIT;
    snprintf(m.name, sizeof m.name, "%s", name);
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    cJSON *root = read_json(path);
    collect_symbols(&m, root);
    adept_run run = ADEPT_RUN_INIT;
    run.dims = m.symbols;
    run.dim_count = m.symbol_count;
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    if (adept_graph_load(&m.graph, path, &error) == ADEPT_OK &&
        adept_shapes_infer(&m.shapes, m.graph, &run, adept_handler_infer_lookup, NULL, 0, &error) ==
            ADEPT_OK) {
        compare_all(&m, root);
    } else {
        m.tally.wrong++;
        print_message("wrong %s: %s\n", name, error.message);
    }
    const tally *t = &m.tally;
    if (t->bounded || t->unknown || t->wrong || t->absent || t->values_unknown || t->values_wrong)
        print_tally(name, t);
    for (int32_t i = 0; m.shapes && i < m.shapes->note_count && i < 3; i++)
        print_message("  note: %s\n", m.shapes->notes[i]);
    add_tally(sum, t);
    cJSON_Delete(root);
    adept_string_map_clear(&m.tensors);
    adept_shapes_free(m.shapes);
    adept_graph_free(m.graph);
    adept_arena_free(m.arena);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void shapes_and_values_equal_the_references(void **state) {
    (void)state;
    enum { GRAPHS = 1000 };
    static char *names[GRAPHS];
    const char *shared = shared_folder();
    if (!shared)
        skip();
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/graphs", shared);
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory)) && count < GRAPHS;) {
        size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0)
            names[count++] = strndup(entry->d_name, length - 5);
    }
    closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    tally sum = {0};
    for (size_t i = 0; i < count; i++) {
        run_graph(folder, names[i], &sum);
        free(names[i]);
    }
    char title[40];
    snprintf(title, sizeof title, "all %zu graphs", count);
    print_tally(title, &sum);
    assert_int_equal(sum.wrong, 0);
    assert_int_equal(sum.unknown, 0);
    assert_int_equal(sum.values_wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_and_values_equal_the_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
