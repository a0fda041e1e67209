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

/* --- the expression, read character by character: at points into it --- */

typedef struct matcher {
    const adept_network *network;
    const adept_readers *readers;
    adept_match match;
    int32_t body; /* all nodes of a match stand in one body */
} matcher;

static bool match_tensor(matcher *m, const char **at, adept_tensor_id tensor);

static void skip_blanks(const char **at) {
    while (**at == ' ')
        (*at)++;
}

/* The end of one term: past its parentheses, at the next ',', '|' or ')' of this level. */
static const char *term_end(const char *at) {
    int depth = 0;
    for (; *at; at++) {
        if (depth == 0 && (*at == ',' || *at == ')' || *at == '|'))
            return at;
        depth += *at == '(';
        depth -= *at == ')';
    }
    return at;
}

static bool bind(matcher *m, const char *name, int32_t length, adept_tensor_id tensor) {
    adept_match *match = &m->match;
    for (int32_t i = 0; i < match->variable_count; i++) {
        if (match->variables[i].length == length &&
            memcmp(match->variables[i].name, name, (size_t)length) == 0)
            return match->variables[i].tensor == tensor;
    }
    if (match->variable_count == ADEPT_MATCH_VARIABLES)
        return false;
    match->variables[match->variable_count].name = name;
    match->variables[match->variable_count].length = length;
    match->variables[match->variable_count++].tensor = tensor;
    return true;
}

static bool about(double value, double wanted) {
    return fabs(value - wanted) <= 2e-3 * fabs(wanted);
}

static bool match_leaf(matcher *m, const char *at, adept_tensor_id tensor) {
    double value;
    if (*at == '_')
        return true;
    if (tensor == ADEPT_NO_TENSOR)
        return false;
    if (*at == '$') {
        int32_t length = 1;
        while (isalnum((unsigned char)at[length]))
            length++;
        return bind(m, at + 1, length - 1, tensor);
    }
    if (!adept_scalar_constant(m->network, tensor, &value))
        return false;
    return *at == '#' || about(value, strtod(at, NULL));
}

static bool is_commutative(const adept_node *node) {
    return node->input_count == 2 &&
           (strcmp(node->op_type, "Add") == 0 || strcmp(node->op_type, "Mul") == 0 ||
            strcmp(node->op_type, "Max") == 0 || strcmp(node->op_type, "Min") == 0);
}

static bool add_node(matcher *m, int32_t op) {
    adept_match *match = &m->match;
    for (int32_t i = 0; i < match->node_count; i++) {
        if (match->nodes[i] == op)
            return true;
    }
    if (match->node_count == ADEPT_MATCH_NODES)
        return false;
    match->nodes[match->node_count++] = op;
    return true;
}

/* The inputs between '(' and ')'; swapped: the two in reverse. *at ends behind ')'. */
static bool match_inputs(matcher *m, const char *at, const adept_node *node, bool swapped) {
    int32_t input = 0;
    for (at++;; at++) {
        skip_blanks(&at);
        if (strncmp(at, "...", 3) == 0)
            return true;
        int32_t index = swapped ? 1 - input : input;
        adept_tensor_id tensor =
            index >= 0 && index < node->input_count ? node->inputs[index] : ADEPT_NO_TENSOR;
        if (!match_tensor(m, &at, tensor))
            return false;
        input++;
        skip_blanks(&at);
        if (*at != ',')
            break;
    }
    return input >= node->input_count;
}

static bool match_node(matcher *m, const char *at, int32_t op) {
    const adept_node *node = m->network->ops.items[op].node;
    const char *open = strchr(at, '(');
    if (!open || strlen(node->op_type) != (size_t)(open - at) ||
        strncmp(node->op_type, at, (size_t)(open - at)) != 0 || node->domain[0] ||
        m->network->ops.items[op].body != m->body)
        return false;
    matcher before = *m;
    if (add_node(m, op) && match_inputs(m, open, node, false))
        return true;
    *m = before;
    return is_commutative(node) && add_node(m, op) && match_inputs(m, open, node, true);
}

static int32_t producer_of(const matcher *m, adept_tensor_id tensor) {
    if (tensor == ADEPT_NO_TENSOR)
        return -1;
    int32_t op = m->readers->producer[tensor];
    return op >= 0 && m->network->ops.items[op].part_of == -1 ? op : -1;
}

/* One term against one tensor; *at moves behind the term. */
static bool match_tensor(matcher *m, const char **at, adept_tensor_id tensor) {
    skip_blanks(at);
    const char *term = *at;
    *at = term_end(term);
    if (*term == '(') {
        const char *alternative = term;
        do {
            matcher before = *m;
            alternative++;
            if (match_tensor(m, &alternative, tensor))
                return true;
            *m = before;
        } while (*alternative == '|');
        return false;
    }
    if (!isalpha((unsigned char)*term))
        return match_leaf(m, term, tensor);
    int32_t op = producer_of(m, tensor);
    for (int hops = 0; op >= 0 && hops < 8; hops++) {
        const adept_node *node = m->network->ops.items[op].node;
        if (strcmp(node->op_type, "Identity") != 0 || !node->input_count)
            break;
        op = producer_of(m, node->inputs[0]);
    }
    return op >= 0 && match_node(m, term, op);
}

static bool is_inside(const adept_match *match, int32_t op) {
    for (int32_t i = 0; i < match->node_count; i++) {
        if (match->nodes[i] == op)
            return true;
    }
    return false;
}

/* Results of inner nodes must not be read from outside. */
static bool is_closed(const matcher *m) {
    const adept_match *match = &m->match;
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
                    const char *expression, int32_t root) {
    matcher m = {.network = network, .readers = readers, .body = network->ops.items[root].body};
    if (!match_node(&m, expression, root) || !is_closed(&m) || !is_inside(&m.match, root))
        return false;
    *match = m.match;
    return true;
}

adept_tensor_id adept_match_variable(const adept_match *match, const char *name) {
    for (int32_t i = 0; i < match->variable_count; i++) {
        if ((int32_t)strlen(name) == match->variables[i].length &&
            memcmp(match->variables[i].name, name, strlen(name)) == 0)
            return match->variables[i].tensor;
    }
    return ADEPT_NO_TENSOR;
}
