/*
 * Expressions of symbolic dimensions (dim_param), as exporters write them: `2*batch*seq`, `past + 1`,
 * `((((samples//80)) - 3)//2) + 1`, `Max(1, s0)`.
 *
 * Text that does not parse is one symbol of that name: dim_param is free text by the standard, and names
 * such as `input.1_dim`, `sequence-length` or `batch size` are in use.
 */
#ifndef ADEPT_EXPRESSION_H
#define ADEPT_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

#define ADEPT_EXPRESSION_LENGTH_LIMIT 4096 /* longer text is a symbol name */
#define ADEPT_EXPRESSION_DEPTH_LIMIT 64    /* deeper nesting likewise */

typedef struct adept_expression {
    const char *text;         /* as in the file */
    int32_t name_count;       /* distinct symbols */
    const char *const *names; /* [name_count] in order of appearance */
    int32_t step_count;
    const struct adept_expression_step *steps; /* reverse Polish */
} adept_expression;

/* What came of evaluating. */
typedef enum adept_evaluation {
    ADEPT_EVALUATED,
    ADEPT_EVALUATION_FREE,   /* a symbol has no value */
    ADEPT_EVALUATION_INVALID /* division by zero, overflow, or the result is no integer */
} adept_evaluation;

/* Parses text; NULL only when memory is short. Everything is allocated from arena; text is copied. */
const adept_expression *adept_expression_parse(adept_arena *arena, const char *text);

/* One symbol of that name, whatever characters it has. NULL only when memory is short. */
const adept_expression *adept_expression_symbol(adept_arena *arena, const char *name);

/* The whole text is one symbol. */
bool adept_expression_is_symbol(const adept_expression *expression);

/* values[i] and known[i] belong to names[i]. known NULL: all are. Exact rational arithmetic. */
adept_evaluation adept_expression_evaluate(const adept_expression *expression, const int64_t *values,
                                           const bool *known, int64_t *result);

/*
 * Finds the value of the one unknown symbol `unknown` (index into names) that makes the expression equal
 * target, the others being known. True if the expression is linear in it and the solution is a
 * non-negative integer; values[unknown] is then set.
 */
bool adept_expression_solve(const adept_expression *expression, int64_t *values, int32_t unknown,
                            int64_t target);

#endif
