#include "infer_fixture.h"

#include "handler.h"
#include "test_support.h"

enum { PORTS = 16, ATTRIBUTES = 12, NUMBERS = 64, TEXT = 4096 };

typedef struct one_node {
    adept_arena *arena;
    adept_graph graph;
    adept_body body;
    const adept_body *bodies[1];
    adept_node node;
    adept_tensor tensors[2 * PORTS];
    adept_tensor_id inputs[PORTS], outputs[PORTS], graph_inputs[PORTS];
    adept_attribute attributes[ATTRIBUTES];
    adept_fed_value fed[PORTS];
    size_t fed_count;
} one_node;

static adept_dtype type_named(const char *text, size_t length) {
    for (int i = 1; i < ADEPT_DTYPE_COUNT; i++) {
        const char *name = adept_dtype_name((adept_dtype)i);
        if (strlen(name) == length && strncmp(name, text, length) == 0)
            return (adept_dtype)i;
    }
    fail_msg("no element type '%.*s'", (int)length, text);
    return ADEPT_DTYPE_UNDEFINED;
}

/* Numbers of "[1,2]" or "{1,2.5}"; returns where they end. */
static const char *parse_numbers(const char *text, int64_t *ints, double *reals, int32_t *count,
                                 bool *whole) {
    const char *end = text + 1;
    *count = 0;
    *whole = true;
    while (*end != ']' && *end != '}') {
        char *after, *after_real;
        assert_true(*count < NUMBERS);
        ints[*count] = strtoll(end, &after, 10);
        reals[*count] = strtod(end, &after_real);
        assert_true(after_real > end);
        *whole = *whole && after == after_real;
        (*count)++;
        end = after_real + (*after_real == ',');
    }
    return end + 1;
}

static void parse_value(one_node *n, adept_shape *shape, const char *text) {
    int64_t ints[NUMBERS];
    double reals[NUMBERS];
    int32_t count;
    bool whole;
    parse_numbers(text, ints, reals, &count, &whole);
    adept_value *value = adept_arena_alloc(n->arena, sizeof *value);
    value->count = count;
    if (adept_dtype_is_integer(shape->dtype))
        value->ints = adept_arena_copy(n->arena, ints, sizeof ints);
    else
        value->reals = adept_arena_copy(n->arena, reals, sizeof reals);
    shape->value = value;
}

static void parse_input(one_node *n, const char *text, size_t length) {
    int64_t dims[NUMBERS];
    double ignored[NUMBERS];
    bool whole;
    int32_t port = n->node.input_count++, id = n->graph.tensor_count;
    n->inputs[port] = ADEPT_NO_TENSOR;
    if (length == 1 && *text == '-')
        return;
    size_t name = strcspn(text, "[?");
    adept_shape shape = {
        .kind = ADEPT_TYPE_TENSOR, .dtype = type_named(text, name), .rank = -1, .length = -1};
    adept_type *type = adept_arena_alloc(n->arena, sizeof *type);
    *type = (adept_type){.kind = ADEPT_TYPE_TENSOR, .dtype = shape.dtype, .rank = -1};
    if (text[name] == '[') {
        const char *rest = parse_numbers(text + name, dims, ignored, &shape.rank, &whole);
        shape.dims = adept_arena_copy(n->arena, dims, sizeof dims);
        if (*rest == '=')
            parse_value(n, &shape, rest + 1);
        n->fed[n->fed_count++] = (adept_fed_value){adept_arena_format(n->arena, "i%d", (int)port), shape};
    }
    n->tensors[id] = (adept_tensor){.name = adept_arena_format(n->arena, "i%d", (int)port),
                                    .declared = type,
                                    .producer = -1,
                                    .is_input = true};
    n->inputs[port] = id;
    n->graph_inputs[n->body.input_count++] = id;
    n->graph.tensor_count++;
}

static void parse_attribute(one_node *n, const char *text, size_t length) {
    int64_t ints[NUMBERS];
    double reals[NUMBERS];
    bool whole;
    adept_attribute *a = &n->attributes[n->node.attribute_count++];
    size_t name = strcspn(text, "=");
    a->name = adept_arena_string_n(n->arena, text, name);
    const char *value = adept_arena_string_n(n->arena, text + name + 1, length - name - 1);
    if (*value == '[') {
        parse_numbers(value, ints, reals, &a->count, &whole);
        a->type = whole ? ADEPT_ATTRIBUTE_INTS : ADEPT_ATTRIBUTE_FLOATS;
        a->ints = adept_arena_copy(n->arena, ints, sizeof ints);
        a->floats = adept_arena_copy(n->arena, reals, sizeof reals);
        return;
    }
    char *end, *end_real;
    a->i = strtoll(value, &end, 10);
    a->f = strtod(value, &end_real);
    a->s = value;
    a->s_length = strlen(value);
    a->type = *end == '\0' && end > value             ? ADEPT_ATTRIBUTE_INT
              : *end_real == '\0' && end_real > value ? ADEPT_ATTRIBUTE_FLOAT
                                                      : ADEPT_ATTRIBUTE_STRING;
}

static void each_part(one_node *n, const char *text, const char *separators,
                      void (*parse)(one_node *, const char *, size_t)) {
    for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
        size_t length = strcspn(text, separators);
        parse(n, text, length);
        text += length;
    }
}

static void build(one_node *n, const char *op, int32_t opset, int32_t outputs) {
    const char *colon = strchr(op, ':');
    n->graph.arena = n->arena;
    n->graph.tensors = n->tensors;
    n->graph.bodies = n->bodies;
    n->graph.body_count = 1;
    n->bodies[0] = &n->body;
    n->body = (adept_body){.name = "main", .node_count = 1, .nodes = &n->node, .inputs = n->graph_inputs};
    n->node = (adept_node){.name = "n",
                           .op_type = colon ? colon + 1 : op,
                           .domain = colon ? adept_arena_string_n(n->arena, op, (size_t)(colon - op)) : "",
                           .module = "",
                           .opset = opset,
                           .output_count = outputs,
                           .inputs = n->inputs,
                           .outputs = n->outputs,
                           .attributes = n->attributes};
}

static size_t print_value(char *text, size_t size, const adept_value *value) {
    size_t used = (size_t)snprintf(text, size, "={");
    for (int64_t i = 0; i < value->count && used < size - 40; i++) {
        const char *comma = i ? "," : "";
        if (value->known && !value->known[i])
            used += (size_t)snprintf(text + used, size - used, "%s?", comma);
        else if (value->ints)
            used += (size_t)snprintf(text + used, size - used, "%s%lld", comma, (long long)value->ints[i]);
        else
            used += (size_t)snprintf(text + used, size - used, "%s%g", comma, value->reals[i]);
    }
    return used + (size_t)snprintf(text + used, size - used, "}");
}

static size_t print_shape(char *text, size_t size, const adept_shape *shape) {
    static const char *const marks[] = {"", "*", "!", ""};
    size_t used = (size_t)snprintf(text, size, "%s%s%s", marks[shape->certainty],
                                   adept_dtype_name(shape->dtype), shape->rank < 0 ? "?" : "[");
    for (int32_t i = 0; i < shape->rank; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "," : "", (long long)shape->dims[i]);
    if (shape->rank >= 0)
        used += (size_t)snprintf(text + used, size - used, "]");
    return shape->value ? used + print_value(text + used, size - used, shape->value) : used;
}

static void add_outputs(one_node *n) {
    for (int32_t i = 0; i < n->node.output_count; i++) {
        n->outputs[i] = n->graph.tensor_count;
        n->tensors[n->graph.tensor_count++] =
            (adept_tensor){.name = adept_arena_format(n->arena, "o%d", (int)i)};
    }
    n->body.outputs = n->outputs;
    n->body.output_count = n->node.output_count;
}

const char *infer_outputs(const char *op, int32_t opset, const char *inputs, const char *attributes,
                          int32_t outputs) {
    static char text[TEXT];
    adept_error error = ADEPT_ERROR_INIT;
    const adept_run run = ADEPT_RUN_INIT;
    adept_shapes *shapes = NULL;
    size_t used = 0;
    one_node *n = calloc(1, sizeof *n);
    assert_non_null(n);
    n->arena = adept_arena_new(0);
    build(n, op, opset, outputs);
    each_part(n, inputs, "; ", parse_input);
    each_part(n, attributes, " ", parse_attribute);
    add_outputs(n);
    text[0] = '\0';
    if (adept_shapes_infer(&shapes, &n->graph, &run, adept_handler_infer_lookup, n->fed, n->fed_count,
                           &error) != ADEPT_OK) {
        const char *message = strstr(error.message, "): ");
        snprintf(text, sizeof text, "%s", message ? message + 3 : error.message);
    } else {
        for (int32_t i = 0; i < outputs; i++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", i ? "; " : "");
            used += print_shape(text + used, sizeof text - used, &shapes->tensors[n->outputs[i]]);
        }
    }
    adept_shapes_free(shapes);
    adept_arena_free(n->arena);
    free(n);
    return text;
}

const char *infer(const char *op, int32_t opset, const char *inputs, const char *attributes) {
    return infer_outputs(op, opset, inputs, attributes, 1);
}

/* Outputs asked for: as many as the expectation lists. */
static int32_t count_parts(const char *text) {
    int32_t count = 1;
    for (const char *at = strstr(text, "; "); at; at = strstr(at + 2, "; "))
        count++;
    return count;
}

void check_outputs(const infer_case *cases, int count) {
    for (int i = 0; i < count; i++) {
        const infer_case *c = &cases[i];
        const char *found =
            infer_outputs(c->op, c->opset, c->inputs, c->attributes, count_parts(c->expected));
        if (strcmp(found, c->expected) != 0)
            fail_msg("%s-%d (%s) {%s}: %s, expected %s", c->op, (int)c->opset, c->inputs, c->attributes,
                     found, c->expected);
    }
}

void check_errors(const infer_case *cases, int count) {
    for (int i = 0; i < count; i++) {
        const infer_case *c = &cases[i];
        const char *found = infer(c->op, c->opset, c->inputs, c->attributes);
        if (!strstr(found, c->expected))
            fail_msg("%s-%d (%s) {%s}: %s, expected an error with '%s'", c->op, (int)c->opset, c->inputs,
                     c->attributes, found, c->expected);
    }
}
