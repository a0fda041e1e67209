#include "match.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

adept_status adept_readers_find(adept_readers *out, const adept_network *network, adept_error *err) {
    size_t tensors = (size_t)network->graph.tensor_count;
    out->producer = adept_arena_array(network->arena, tensors, sizeof *out->producer);
    out->uses = adept_arena_array(network->arena, tensors, sizeof *out->uses);
    if (!out->producer || !out->uses)
        return adept_fail_memory(err);
    for (size_t t = 0; t < tensors; t++)
        out->producer[t] = -1;
    for (int32_t i = 0; i < network->ops.count; i++) {
        const adept_op *op = &network->ops.items[i];
        if (op->part_of != -1)
            continue;
        for (int32_t k = 0; k < op->node->output_count; k++) {
            if (op->node->outputs[k] != ADEPT_NO_TENSOR)
                out->producer[op->node->outputs[k]] = i;
        }
        for (int32_t k = 0; k < op->node->input_count; k++) {
            if (op->node->inputs[k] != ADEPT_NO_TENSOR)
                out->uses[op->node->inputs[k]]++;
        }
    }
    for (int32_t b = 0; b < network->graph.body_count; b++) {
        const adept_body *body = network->graph.bodies[b];
        for (int32_t k = 0; k < body->output_count; k++) {
            if (body->outputs[k] != ADEPT_NO_TENSOR)
                out->uses[body->outputs[k]]++;
        }
    }
    return ADEPT_OK;
}

bool adept_scalar_constant(const adept_network *network, adept_tensor_id tensor, double *value) {
    const adept_shape *shape = &network->shapes.tensors[tensor];
    if (shape->value && shape->value->count == 1 && !shape->value->known) {
        *value = shape->value->reals ? shape->value->reals[0] : (double)shape->value->ints[0];
        return true;
    }
    const adept_constant *constant = network->graph.tensors[tensor].constant;
    if (!constant || constant->elements != 1 || constant->payload != ADEPT_PAYLOAD_INLINE)
        return false;
    const int64_t *ints = NULL;
    const double *reals = NULL;
    if (adept_constant_read(&network->graph, constant, network->arena, &ints, &reals, NULL) != ADEPT_OK)
        return false;
    *value = reals ? reals[0] : (double)ints[0];
    return true;
}

/* --- compiling an expression into terms --- */

typedef enum term_kind { OPERATOR, VARIABLE, NUMBER, SCALAR, ANYTHING, REST, CHOICE } term_kind;

enum { MAX_CHILDREN = 8 };

struct adept_term {
    term_kind kind;
    bool optional;    /* OPERATOR: may be absent, its first child then stands in its place */
    const char *text; /* OPERATOR: its type; VARIABLE: its name */
    double value;     /* NUMBER */
    int32_t child_count;
    const adept_term *children[MAX_CHILDREN]; /* OPERATOR: inputs; CHOICE: alternatives */
};

static adept_term *compile_term(const char **at, adept_arena *arena);

static void skip_blanks(const char **at) {
    while (**at == ' ')
        (*at)++;
}

/* Terms between '(' and ')', divided by separator; *at stands on '(' and ends behind ')'. */
static bool compile_children(adept_term *term, const char **at, char separator, adept_arena *arena) {
    do {
        (*at)++;
        if (term->child_count == MAX_CHILDREN)
            return false;
        const adept_term *child = compile_term(at, arena);
        if (!child)
            return false;
        term->children[term->child_count++] = child;
        skip_blanks(at);
    } while (**at == separator);
    if (**at != ')')
        return false;
    (*at)++;
    return true;
}

static bool compile_word(adept_term *term, const char **at, adept_arena *arena) {
    size_t length = 0;
    while (isalnum((unsigned char)(*at)[length]))
        length++;
    term->text = adept_arena_string_n(arena, *at, length);
    *at += length;
    return term->text && length;
}

static adept_term *compile_term(const char **at, adept_arena *arena) {
    adept_term *term = adept_arena_alloc(arena, sizeof *term);
    bool ok = term != NULL;
    skip_blanks(at);
    if (!ok) {
        return NULL;
    } else if (strncmp(*at, "...", 3) == 0) {
        term->kind = REST;
        *at += 3;
    } else if (**at == '_' || **at == '#') {
        term->kind = **at == '_' ? ANYTHING : SCALAR;
        (*at)++;
    } else if (**at == '$') {
        term->kind = VARIABLE;
        (*at)++;
        ok = compile_word(term, at, arena);
    } else if (**at == '(') {
        term->kind = CHOICE;
        ok = compile_children(term, at, '|', arena);
    } else if (isalpha((unsigned char)**at)) {
        term->kind = OPERATOR;
        ok = compile_word(term, at, arena);
        term->optional = **at == '?';
        *at += term->optional;
        ok = ok && **at == '(' && compile_children(term, at, ',', arena);
    } else {
        char *end;
        term->kind = NUMBER;
        term->value = strtod(*at, &end);
        ok = end != *at;
        *at = end;
    }
    return ok ? term : NULL;
}

const adept_term *adept_term_compile(const char *expression, adept_arena *arena) {
    const adept_term *term = compile_term(&expression, arena);
    return term && term->kind == OPERATOR && !*expression ? term : NULL;
}

/* --- matching --- */

typedef struct matcher {
    const adept_network *network;
    const adept_readers *readers;
    adept_match *match;
    int32_t body; /* all nodes of a match stand in one body */
} matcher;

static bool match_tensor(matcher *m, const adept_term *term, adept_tensor_id tensor);

static bool bind(adept_match *match, const char *name, adept_tensor_id tensor) {
    for (int32_t i = 0; i < match->variable_count; i++) {
        if (strcmp(match->variables[i].name, name) == 0)
            return match->variables[i].tensor == tensor;
    }
    if (match->variable_count == ADEPT_MATCH_VARIABLES)
        return false;
    match->variables[match->variable_count].name = name;
    match->variables[match->variable_count++].tensor = tensor;
    return true;
}

static bool about(double value, double wanted) {
    return fabs(value - wanted) <= 2e-3 * fabs(wanted);
}

static bool match_leaf(matcher *m, const adept_term *term, adept_tensor_id tensor) {
    double value;
    if (term->kind == ANYTHING)
        return true;
    if (tensor == ADEPT_NO_TENSOR)
        return false;
    if (term->kind == VARIABLE)
        return bind(m->match, term->text, tensor);
    return adept_scalar_constant(m->network, tensor, &value) &&
           (term->kind == SCALAR || about(value, term->value));
}

static bool is_commutative(const adept_node *node) {
    static const char *const types[] = {"Add", "Mul", "Max", "Min"};
    for (size_t i = 0; node->input_count == 2 && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(node->op_type, types[i]) == 0)
            return true;
    }
    return false;
}

static bool add_node(adept_match *match, int32_t op) {
    for (int32_t i = 0; i < match->node_count; i++) {
        if (match->nodes[i] == op)
            return true;
    }
    if (match->node_count == ADEPT_MATCH_NODES)
        return false;
    match->nodes[match->node_count++] = op;
    return true;
}

static bool match_inputs(matcher *m, const adept_term *term, const adept_node *node, bool swapped) {
    for (int32_t i = 0; i < term->child_count; i++) {
        if (term->children[i]->kind == REST)
            return true;
        int32_t index = swapped ? 1 - i : i;
        adept_tensor_id tensor =
            index >= 0 && index < node->input_count ? node->inputs[index] : ADEPT_NO_TENSOR;
        if (!match_tensor(m, term->children[i], tensor))
            return false;
    }
    return term->child_count >= node->input_count;
}

/* What a failed attempt added is taken back: both lists only grow. */
typedef struct mark {
    int32_t variables, nodes;
} mark;

static mark mark_of(const matcher *m) {
    return (mark){m->match->variable_count, m->match->node_count};
}

static void back_to(matcher *m, mark before) {
    m->match->variable_count = before.variables;
    m->match->node_count = before.nodes;
}

static bool match_node(matcher *m, const adept_term *term, int32_t op) {
    const adept_node *node = m->network->ops.items[op].node;
    if (strcmp(node->op_type, term->text) != 0 || node->domain[0] ||
        m->network->ops.items[op].body != m->body)
        return false;
    mark before = mark_of(m);
    if (add_node(m->match, op) && match_inputs(m, term, node, false))
        return true;
    back_to(m, before);
    if (is_commutative(node) && add_node(m->match, op) && match_inputs(m, term, node, true))
        return true;
    back_to(m, before);
    return false;
}

static int32_t producer_of(const matcher *m, adept_tensor_id tensor) {
    if (tensor == ADEPT_NO_TENSOR)
        return -1;
    int32_t op = m->readers->producer[tensor];
    return op >= 0 && m->network->ops.items[op].part_of == -1 ? op : -1;
}

enum { MAX_IDENTITIES = 8 };

/* The operator that computes a tensor, Identity before it taken into the match. */
static bool match_operator(matcher *m, const adept_term *term, adept_tensor_id tensor) {
    mark before = mark_of(m);
    int32_t op = producer_of(m, tensor);
    for (int hops = 0; op >= 0 && hops < MAX_IDENTITIES; hops++) {
        const adept_node *node = m->network->ops.items[op].node;
        if (strcmp(node->op_type, "Identity") != 0 || !node->input_count || !add_node(m->match, op))
            break;
        op = producer_of(m, node->inputs[0]);
    }
    if (op >= 0 && match_node(m, term, op))
        return true;
    back_to(m, before);
    return false;
}

static bool match_tensor(matcher *m, const adept_term *term, adept_tensor_id tensor) {
    if (term->kind == CHOICE) {
        for (int32_t i = 0; i < term->child_count; i++) {
            mark before = mark_of(m);
            if (match_tensor(m, term->children[i], tensor))
                return true;
            back_to(m, before);
        }
        return false;
    }
    if (term->kind != OPERATOR)
        return match_leaf(m, term, tensor);
    return match_operator(m, term, tensor) || (term->optional && match_tensor(m, term->children[0], tensor));
}

/* Results of inner nodes must not be read from outside. */
static bool is_closed(const matcher *m) {
    const adept_match *match = m->match;
    for (int32_t i = 1; i < match->node_count; i++) {
        const adept_node *node = m->network->ops.items[match->nodes[i]].node;
        for (int32_t k = 0; k < node->output_count; k++) {
            adept_tensor_id t = node->outputs[k];
            if (t == ADEPT_NO_TENSOR)
                continue;
            int32_t inside = 0;
            for (int32_t j = 0; j < match->node_count; j++) {
                const adept_node *reader = m->network->ops.items[match->nodes[j]].node;
                for (int32_t n = 0; n < reader->input_count; n++)
                    inside += reader->inputs[n] == t;
            }
            if (m->readers->uses[t] > inside)
                return false;
        }
    }
    return true;
}

bool adept_match_at(adept_match *match, const adept_network *network, const adept_readers *readers,
                    const adept_term *term, int32_t root) {
    matcher m = {
        .network = network, .readers = readers, .match = match, .body = network->ops.items[root].body};
    match->variable_count = match->node_count = 0;
    return match_node(&m, term, root) && is_closed(&m);
}

adept_tensor_id adept_match_variable(const adept_match *match, const char *name) {
    for (int32_t i = 0; i < match->variable_count; i++) {
        if (strcmp(match->variables[i].name, name) == 0)
            return match->variables[i].tensor;
    }
    return ADEPT_NO_TENSOR;
}
