#include "expression.h"

#include <stdlib.h>
#include <string.h>

#include "checked.h"

typedef enum step_kind {
    STEP_NUMBER,
    STEP_SYMBOL,
    STEP_ADD,
    STEP_SUBTRACT,
    STEP_MULTIPLY,
    STEP_DIVIDE,       /* exact */
    STEP_FLOOR_DIVIDE, /* towards minus infinity */
    STEP_CEIL_DIVIDE,
    STEP_MODULO, /* sign of the divisor, as in Python */
    STEP_POWER,
    STEP_MAX,
    STEP_MIN,
    STEP_NEGATE,
    STEP_FLOOR,
    STEP_CEILING,
    STEP_ABSOLUTE,
    STEP_IDENTITY
} step_kind;

typedef struct adept_expression_step {
    step_kind kind;
    int64_t operand; /* the number, or the index of the symbol */
} step;

/* --- parsing --- */

enum { STEP_LIMIT = 512 };

typedef struct parser {
    adept_arena *arena;
    const char *at;
    int depth;
    bool failed, memory_short;
    int32_t step_count, name_count;
    step steps[STEP_LIMIT];
    const char *names[STEP_LIMIT];
} parser;

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/*
 * A hyphen or slash with a letter right behind it belongs to the name: exporters write differences with
 * blanks, and derive names from paths (`Squeeze/decoder/Squeeze_output_0_dim_1`).
 */
static bool is_name_part(const char *at) {
    if (is_name_start(*at) || is_digit(*at) || *at == '.' || *at == ':')
        return true;
    return (*at == '-' || *at == '/') && is_name_start(at[1]);
}

static void skip_blanks(parser *p) {
    while (*p->at == ' ' || *p->at == '\t')
        p->at++;
}

static bool take(parser *p, const char *token) {
    skip_blanks(p);
    size_t length = strlen(token);
    if (strncmp(p->at, token, length) != 0)
        return false;
    p->at += length;
    return true;
}

static void emit(parser *p, step_kind kind, int64_t operand) {
    if (p->step_count == STEP_LIMIT) {
        p->failed = true;
        return;
    }
    p->steps[p->step_count++] = (step){kind, operand};
}

static void emit_symbol(parser *p, const char *name, size_t length) {
    for (int32_t i = 0; i < p->name_count; i++) {
        if (strlen(p->names[i]) == length && memcmp(p->names[i], name, length) == 0) {
            emit(p, STEP_SYMBOL, i);
            return;
        }
    }
    const char *copy = adept_arena_string_n(p->arena, name, length);
    if (!copy || p->name_count == STEP_LIMIT) {
        p->memory_short = !copy;
        p->failed = true;
        return;
    }
    p->names[p->name_count] = copy;
    emit(p, STEP_SYMBOL, p->name_count++);
}

/* Functions of SymPy and of torch.utils._sympy that appear in exported dim_params. */
static const struct {
    const char *name;
    int min_arguments, max_arguments; /* max 0: any number, folded from the left */
    step_kind kind;
} functions[] = {
    {"Abs",        1, 1, STEP_ABSOLUTE    },
    {"CeilDiv",    2, 2, STEP_CEIL_DIVIDE },
    {"CeilToInt",  1, 1, STEP_CEILING     },
    {"CleanDiv",   2, 2, STEP_FLOOR_DIVIDE},
    {"FloorDiv",   2, 2, STEP_FLOOR_DIVIDE},
    {"FloorToInt", 1, 1, STEP_FLOOR       },
    {"Identity",   1, 1, STEP_IDENTITY    },
    {"IntTrueDiv", 2, 2, STEP_DIVIDE      },
    {"Max",        1, 0, STEP_MAX         },
    {"Min",        1, 0, STEP_MIN         },
    {"Mod",        2, 2, STEP_MODULO      },
    {"PythonMod",  2, 2, STEP_MODULO      },
    {"ToFloat",    1, 1, STEP_IDENTITY    },
    {"TruncToInt", 1, 1, STEP_FLOOR       },
    {"ceil",       1, 1, STEP_CEILING     },
    {"ceiling",    1, 1, STEP_CEILING     },
    {"floor",      1, 1, STEP_FLOOR       },
    {"max",        1, 0, STEP_MAX         },
    {"min",        1, 0, STEP_MIN         },
};

static void parse_sum(parser *p);

static void parse_call(parser *p, const char *name, size_t length) {
    size_t row = 0, rows = sizeof functions / sizeof functions[0];
    while (row < rows &&
           !(strlen(functions[row].name) == length && strncmp(functions[row].name, name, length) == 0))
        row++;
    if (row == rows) {
        p->failed = true;
        return;
    }
    int arguments = 0;
    do {
        parse_sum(p);
        arguments++;
        if (arguments > 1)
            emit(p, functions[row].kind, 0);
    } while (!p->failed && take(p, ","));
    if (arguments == 1 && functions[row].max_arguments == 1)
        emit(p, functions[row].kind, 0);
    bool fits = arguments >= functions[row].min_arguments &&
                (functions[row].max_arguments == 0 || arguments <= functions[row].max_arguments);
    if (!fits || !take(p, ")"))
        p->failed = true;
}

static void parse_number(parser *p) {
    int64_t number = 0;
    for (; is_digit(*p->at); p->at++) {
        if (!adept_mul_i64(number, 10, &number) || !adept_add_i64(number, *p->at - '0', &number))
            p->failed = true;
    }
    /* "1.0*batch" is harmless, other fractions and names that begin with a digit are not numbers. */
    if (*p->at == '.') {
        do
            p->at++;
        while (*p->at == '0');
    }
    if (is_digit(*p->at) || is_name_start(*p->at))
        p->failed = true;
    emit(p, STEP_NUMBER, number);
}

static void parse_atom(parser *p) {
    skip_blanks(p);
    if (is_digit(*p->at)) {
        parse_number(p);
    } else if (is_name_start(*p->at)) {
        const char *start = p->at;
        while (is_name_part(p->at))
            p->at++;
        size_t length = (size_t)(p->at - start);
        if (take(p, "("))
            parse_call(p, start, length);
        else
            emit_symbol(p, start, length);
    } else if (take(p, "(")) {
        parse_sum(p);
        if (!take(p, ")"))
            p->failed = true;
    } else {
        p->failed = true;
    }
}

/* Unary minus binds weaker than **, as in Python: -a**2 is -(a**2). */
static void parse_factor(parser *p) {
    if (++p->depth > ADEPT_EXPRESSION_DEPTH_LIMIT)
        p->failed = true;
    if (!p->failed && take(p, "-")) {
        parse_factor(p);
        emit(p, STEP_NEGATE, 0);
    } else if (!p->failed) {
        parse_atom(p);
        if (!p->failed && take(p, "**")) {
            parse_factor(p);
            emit(p, STEP_POWER, 0);
        }
    }
    p->depth--;
}

static bool take_product(parser *p, step_kind *kind) {
    /* Longer tokens first; ** has been taken by parse_factor. */
    static const struct {
        const char *token;
        step_kind kind;
    } operators[] = {
        {"//", STEP_FLOOR_DIVIDE},
        {"/",  STEP_DIVIDE      },
        {"*",  STEP_MULTIPLY    },
        {"%",  STEP_MODULO      }
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (take(p, operators[i].token)) {
            *kind = operators[i].kind;
            return true;
        }
    }
    return false;
}

static void parse_product(parser *p) {
    parse_factor(p);
    step_kind kind;
    while (!p->failed && take_product(p, &kind)) {
        parse_factor(p);
        emit(p, kind, 0);
    }
}

static void parse_sum(parser *p) {
    parse_product(p);
    while (!p->failed) {
        step_kind kind = STEP_ADD;
        if (take(p, "-"))
            kind = STEP_SUBTRACT;
        else if (!take(p, "+"))
            return;
        parse_product(p);
        emit(p, kind, 0);
    }
}

static const adept_expression *finish(const parser *p, const char *text) {
    adept_expression *expression = adept_arena_alloc(p->arena, sizeof *expression);
    if (!expression)
        return NULL;
    expression->text = adept_arena_string(p->arena, text);
    expression->names = adept_arena_copy(p->arena, p->names, sizeof *p->names * (size_t)p->name_count);
    expression->steps = adept_arena_copy(p->arena, p->steps, sizeof *p->steps * (size_t)p->step_count);
    expression->name_count = p->name_count;
    expression->step_count = p->step_count;
    return expression->text && expression->names && expression->steps ? expression : NULL;
}

/* Leaves the tables of names and steps alone: they are large and their counts say what is valid. */
static void start(parser *p, adept_arena *arena, const char *text) {
    p->arena = arena;
    p->at = text;
    p->depth = 0;
    p->failed = p->memory_short = false;
    p->step_count = p->name_count = 0;
}

const adept_expression *adept_expression_symbol(adept_arena *arena, const char *name) {
    parser p;
    start(&p, arena, name);
    emit_symbol(&p, name, strlen(name));
    return p.failed ? NULL : finish(&p, name);
}

const adept_expression *adept_expression_parse(adept_arena *arena, const char *text) {
    if (strlen(text) > ADEPT_EXPRESSION_LENGTH_LIMIT)
        return adept_expression_symbol(arena, text);
    parser p;
    start(&p, arena, text);
    parse_sum(&p);
    skip_blanks(&p);
    if (p.memory_short)
        return NULL;
    return p.failed || *p.at != '\0' ? adept_expression_symbol(arena, text) : finish(&p, text);
}

bool adept_expression_is_symbol(const adept_expression *expression) {
    return expression->step_count == 1 && expression->steps[0].kind == STEP_SYMBOL;
}

/* --- evaluation in exact fractions --- */

typedef struct fraction {
    int64_t n, d; /* d > 0, reduced */
} fraction;

static int64_t greatest_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static int64_t floor_divide(int64_t a, int64_t b) { /* b > 0 */
    int64_t quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
}

static bool make_fraction(int64_t n, int64_t d, fraction *out) {
    if (d == 0 || n == INT64_MIN || d == INT64_MIN)
        return false;
    if (d < 0) {
        n = -n;
        d = -d;
    }
    int64_t divisor = greatest_divisor(n, d);
    *out = (fraction){n / divisor, d / divisor};
    return true;
}

static bool add(fraction a, fraction b, fraction *out) {
    int64_t left, right, n, d;
    return adept_mul_i64(a.n, b.d, &left) && adept_mul_i64(b.n, a.d, &right) &&
           adept_add_i64(left, right, &n) && adept_mul_i64(a.d, b.d, &d) && make_fraction(n, d, out);
}

static bool negate(fraction a, fraction *out) {
    return make_fraction(a.n, -a.d, out);
}

static bool multiply(fraction a, fraction b, fraction *out) {
    int64_t n, d;
    return adept_mul_i64(a.n, b.n, &n) && adept_mul_i64(a.d, b.d, &d) && make_fraction(n, d, out);
}

static bool divide(fraction a, fraction b, fraction *out) {
    return b.n != 0 && b.n != INT64_MIN &&
           multiply(a, b.n < 0 ? (fraction){-b.d, -b.n} : (fraction){b.d, b.n}, out);
}

static bool floor_of(fraction a, fraction *out) {
    *out = (fraction){floor_divide(a.n, a.d), 1};
    return true;
}

static bool ceiling_of(fraction a, fraction *out) {
    fraction minus;
    return negate(a, &minus) && floor_of(minus, &minus) && negate(minus, out);
}

static bool modulo(fraction a, fraction b, fraction *out) {
    fraction quotient, product;
    return divide(a, b, &quotient) && floor_of(quotient, &quotient) && multiply(quotient, b, &product) &&
           negate(product, &product) && add(a, product, out);
}

static bool power(fraction a, fraction b, fraction *out) {
    if (b.d != 1 || b.n < 0 || b.n > 64)
        return false;
    fraction product = {1, 1};
    for (int64_t i = 0; i < b.n; i++) {
        if (!multiply(product, a, &product))
            return false;
    }
    *out = product;
    return true;
}

static bool is_less(fraction a, fraction b, bool *less) {
    fraction minus, difference;
    if (!negate(b, &minus) || !add(a, minus, &difference))
        return false;
    *less = difference.n < 0;
    return true;
}

static bool apply_unary(step_kind kind, fraction a, fraction *out) {
    switch (kind) {
    case STEP_NEGATE:
        return negate(a, out);
    case STEP_FLOOR:
        return floor_of(a, out);
    case STEP_CEILING:
        return ceiling_of(a, out);
    case STEP_ABSOLUTE:
        return a.n < 0 ? negate(a, out) : (*out = a, true);
    default:
        *out = a;
        return true;
    }
}

static bool apply_binary(step_kind kind, fraction a, fraction b, fraction *out) {
    bool less = false;
    switch (kind) {
    case STEP_ADD:
        return add(a, b, out);
    case STEP_SUBTRACT:
        return negate(b, &b) && add(a, b, out);
    case STEP_MULTIPLY:
        return multiply(a, b, out);
    case STEP_DIVIDE:
        return divide(a, b, out);
    case STEP_FLOOR_DIVIDE:
        return divide(a, b, out) && floor_of(*out, out);
    case STEP_CEIL_DIVIDE:
        return divide(a, b, out) && ceiling_of(*out, out);
    case STEP_MODULO:
        return modulo(a, b, out);
    case STEP_POWER:
        return power(a, b, out);
    default: /* STEP_MAX, STEP_MIN */
        if (!is_less(a, b, &less))
            return false;
        *out = less == (kind == STEP_MAX) ? b : a;
        return true;
    }
}

adept_evaluation adept_expression_evaluate(const adept_expression *expression, const int64_t *values,
                                           const bool *known, int64_t *result) {
    fraction stack[STEP_LIMIT];
    int32_t top = 0;
    for (int32_t i = 0; known && i < expression->name_count; i++) {
        if (!known[i])
            return ADEPT_EVALUATION_FREE;
    }
    for (int32_t i = 0; i < expression->step_count; i++) {
        const step *s = &expression->steps[i];
        bool fits = true;
        if (s->kind == STEP_NUMBER) {
            stack[top++] = (fraction){s->operand, 1};
        } else if (s->kind == STEP_SYMBOL) {
            stack[top++] = (fraction){values[s->operand], 1};
        } else if (s->kind >= STEP_NEGATE) {
            fits = apply_unary(s->kind, stack[top - 1], &stack[top - 1]);
        } else {
            top--;
            fits = apply_binary(s->kind, stack[top - 1], stack[top], &stack[top - 1]);
        }
        if (!fits)
            return ADEPT_EVALUATION_INVALID;
    }
    if (stack[0].d != 1)
        return ADEPT_EVALUATION_INVALID;
    *result = stack[0].n;
    return ADEPT_EVALUATED;
}

bool adept_expression_solve(const adept_expression *expression, int64_t *values, int32_t unknown,
                            int64_t target) {
    int64_t at_0, at_1, slope, rest, check;
    int64_t old = values[unknown];
    values[unknown] = 0;
    bool fits = adept_expression_evaluate(expression, values, NULL, &at_0) == ADEPT_EVALUATED;
    values[unknown] = 1;
    fits = fits && adept_expression_evaluate(expression, values, NULL, &at_1) == ADEPT_EVALUATED &&
           adept_sub_i64(at_1, at_0, &slope) && slope != 0 && adept_sub_i64(target, at_0, &rest) &&
           !(rest == INT64_MIN && slope == -1) && rest % slope == 0 && rest / slope >= 0;
    if (fits) {
        values[unknown] = rest / slope;
        fits =
            adept_expression_evaluate(expression, values, NULL, &check) == ADEPT_EVALUATED && check == target;
    }
    if (!fits)
        values[unknown] = old;
    return fits;
}
