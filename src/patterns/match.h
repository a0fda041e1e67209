/*
 * Matching a small expression against the graph, from an output back to its inputs.
 *
 *   Mul(Mul($x, Add(Erf(Div($x, 1.41421)), 1)), 0.5)
 *
 * Op(...)   the tensor is computed by that operator from these inputs; Add, Mul, Max, Min in any order
 * Op?(...)  the same, or the first input's expression alone where the operator is absent
 * $name     any tensor; the same name is the same tensor
 * 1.41421   a constant of one element with about that value
 * #         any constant of one element
 * _         anything, also an input that is left out
 * ...       any further inputs
 * A|B       the first alternative that matches, inside parentheses: (A|B)
 *
 * Identity nodes are looked through. Every inner result may be read by nodes of the match only, so that
 * the whole can be one kernel.
 */
#ifndef ADEPT_MATCH_H
#define ADEPT_MATCH_H

#include "network.h"

enum { ADEPT_MATCH_VARIABLES = 12, ADEPT_MATCH_NODES = 48 };

/* Who computes and who reads each tensor, for the operators not yet part of a composite. */
typedef struct adept_readers {
    int32_t *producer; /* [tensors] operator, -1: none */
    int32_t *uses;     /* [tensors] operators that read it, graph outputs included */
} adept_readers;

typedef struct adept_match {
    int32_t variable_count;
    struct {
        const char *name;
        adept_tensor_id tensor;
    } variables[ADEPT_MATCH_VARIABLES];
    int32_t node_count;
    int32_t nodes[ADEPT_MATCH_NODES]; /* operators of the match, the root first; no repeats */
} adept_match;

/* A compiled expression; lives in its arena. NULL: the expression is not of the form above, or out of memory.
 */
typedef struct adept_term adept_term;
const adept_term *adept_term_compile(const char *expression, adept_arena *arena);

adept_status adept_readers_find(adept_readers *out, const adept_network *network, adept_error *err);

/* Whether the operator root computes the expression. */
bool adept_match_at(adept_match *match, const adept_network *network, const adept_readers *readers,
                    const adept_term *term, int32_t root);

/* Tensor bound to $name, ADEPT_NO_TENSOR if the expression has no such variable. */
adept_tensor_id adept_match_variable(const adept_match *match, const char *name);

/* Value of a constant of one element; false if it is none or is not known. */
bool adept_scalar_constant(const adept_network *network, adept_tensor_id tensor, double *value);

#endif
