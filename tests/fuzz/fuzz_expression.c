/* Fuzz target: any text is an expression of dimensions or one symbol; a solution solves it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "expression.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

static void evaluate_and_solve(const adept_expression *expression) {
    int64_t *values = calloc((size_t)expression->name_count + 1, sizeof *values), result = 0, again = 0;
    assert(values);
    for (int32_t i = 0; i < expression->name_count; i++)
        values[i] = 2 + 3 * i;
    if (adept_expression_evaluate(expression, values, NULL, &result) == ADEPT_EVALUATED) {
        for (int32_t i = 0; i < expression->name_count; i++) {
            int64_t kept = values[i];
            if (adept_expression_solve(expression, values, i, result)) {
                assert(adept_expression_evaluate(expression, values, NULL, &again) == ADEPT_EVALUATED);
                assert(again == result);
            }
            values[i] = kept;
        }
    }
    free(values);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B) {
    char *text = strndup((const char *)bytes, size_B);
    adept_arena *arena = adept_arena_new(0);
    const adept_expression *expression = adept_expression_parse(arena, text);
    assert(expression && strcmp(expression->text, text) == 0);
    evaluate_and_solve(expression);
    adept_arena_free(arena);
    free(text);
    return 0;
}
