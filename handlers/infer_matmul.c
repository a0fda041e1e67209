/* Matrix products. */
#include "infer_functions.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* How the last two (or the first batch) axes of an operand are read. */
typedef struct operand {
    int32_t rank;
    const int64_t *dims;
    bool vector; /* one axis was added; it goes from the output again */
} operand;

static adept_status inner_mismatch(adept_infer *ctx, const operand *a, const operand *b, int64_t k_a,
                                   int64_t k_b) {
    return adept_infer_fail(ctx, "the inner dimensions of %s and %s disagree: %" PRId64 " against %" PRId64,
                            dims_text(ctx, a->rank, a->dims), dims_text(ctx, b->rank, b->dims), k_a, k_b);
}

/* numpy's matmul: [.., M, K] x [.., K, N]; vectors become matrices and lose the axis again. */
static adept_status multiply(adept_infer *ctx, int32_t output, adept_dtype dtype, operand a, operand b) {
    int64_t row[2] = {1, 0}, column[2] = {0, 1}, *batch;
    int32_t batch_rank, rank;
    if (a.rank == 0 || b.rank == 0)
        return adept_infer_fail(ctx, "a scalar is no matrix; use Mul");
    if (a.rank == 1) {
        row[1] = a.dims[0];
        a = (operand){2, row, true};
    }
    if (b.rank == 1) {
        column[0] = b.dims[0];
        b = (operand){2, column, true};
    }
    if (a.dims[a.rank - 1] != b.dims[b.rank - 2] && dims_exact(ctx))
        return inner_mismatch(ctx, &a, &b, a.dims[a.rank - 1], b.dims[b.rank - 2]);
    INFER_TRY(dims_broadcast_pair(ctx, a.rank - 2, a.dims, b.rank - 2, b.dims, &batch_rank, &batch));
    int64_t *dims = dims_new(ctx, batch_rank + 2);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, batch, batch_rank);
    rank = batch_rank;
    if (!a.vector)
        dims[rank++] = a.dims[a.rank - 2];
    if (!b.vector)
        dims[rank++] = b.dims[b.rank - 1];
    return adept_infer_out(ctx, output, dtype, rank, dims);
}

static adept_status multiply_inputs(adept_infer *ctx, int32_t a, int32_t b, adept_dtype dtype) {
    const adept_shape *x = adept_infer_in(ctx, a), *y = adept_infer_in(ctx, b);
    if (!x || !y || x->rank < 0 || y->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    return multiply(ctx, 0, dtype, (operand){x->rank, x->dims, false}, (operand){y->rank, y->dims, false});
}

adept_status infer_matmul(adept_infer *ctx) {
    INFER_TRY(dims_same_type(ctx, 0, 1));
    return multiply_inputs(ctx, 0, 1, dims_type(ctx, 0));
}

/* int32; of two 16-bit unsigned operands (com.microsoft) uint32. */
adept_status infer_matmul_integer(adept_infer *ctx) {
    bool wide = dims_type(ctx, 0) == ADEPT_DTYPE_UINT16 && dims_type(ctx, 1) == ADEPT_DTYPE_UINT16;
    return multiply_inputs(ctx, 0, 1, wide ? ADEPT_DTYPE_UINT32 : ADEPT_DTYPE_INT32);
}

/* a, scale, zero point, b, scale, zero point, y scale, y zero point */
adept_status infer_qlinear_matmul(adept_infer *ctx) {
    return multiply_inputs(ctx, 0, 3, dims_type(ctx, 7));
}

/* com.microsoft: float output, of the type of a scale. */
adept_status infer_matmul_integer_to_float(adept_infer *ctx) {
    return multiply_inputs(ctx, 0, 1, dims_type(ctx, 2));
}

adept_status infer_dynamic_quantize_matmul(adept_infer *ctx) {
    return multiply_inputs(ctx, 0, 1, dims_type(ctx, 0));
}

/* com.microsoft: a, scale, b, scale, y scale, ..; int8 */
adept_status infer_qordered_matmul(adept_infer *ctx) {
    return multiply_inputs(ctx, 0, 2, dims_type(ctx, 0));
}

/* --- com.microsoft FusedMatMul: transposes inside --- */

static adept_status transposed(adept_infer *ctx, const adept_shape *x, bool matrix, bool batch,
                               operand *out) {
    *out = (operand){x->rank, x->dims, false};
    if (x->rank < 2 || (!matrix && !batch))
        return ADEPT_OK;
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    if (batch) { /* the first axis stands next to the last one: [b1, .., M, b0, K] is read [b0.., M, K] */
        dims_put(dims, x->dims + 1, x->rank - 2);
        dims[x->rank - 2] = x->dims[0];
    }
    if (matrix) {
        int64_t last = dims[x->rank - 1];
        dims[x->rank - 1] = dims[x->rank - 2];
        dims[x->rank - 2] = last;
    }
    out->dims = dims;
    return ADEPT_OK;
}

adept_status infer_fused_matmul(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    operand left, right;
    if (a->rank < 0 || b->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dims_type(ctx, 1));
    INFER_TRY(transposed(ctx, a, adept_infer_int(ctx, "transA", 0) != 0,
                         adept_infer_int(ctx, "transBatchA", 0) != 0, &left));
    INFER_TRY(transposed(ctx, b, adept_infer_int(ctx, "transB", 0) != 0,
                         adept_infer_int(ctx, "transBatchB", 0) != 0, &right));
    return multiply(ctx, 0, dims_type(ctx, 1), left, right);
}

/* com.microsoft: [.., K] by a packed weight of N x K. */
adept_status infer_matmul_blocked(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0);
    int64_t k, n;
    INFER_TRY(dims_need_int(ctx, "K", &k));
    INFER_TRY(dims_need_int(ctx, "N", &n));
    if (a->rank < 0)
        return adept_infer_out_unknown(ctx, 0, a->dtype);
    if (a->rank == 0)
        return adept_infer_fail(ctx, "a scalar is no matrix");
    bool stored_k_n = adept_infer_has(ctx, "transB") && adept_infer_int(ctx, "transB", 1) == 0;
    int64_t inner = stored_k_n ? n : k, *dims = dims_copy(ctx, a->rank, a->dims);
    if (!dims)
        return dims_no_memory(ctx);
    if (dims[a->rank - 1] != inner && dims_exact(ctx))
        return adept_infer_fail(ctx, "input %s has %" PRId64 " columns, the weight K = %" PRId64,
                                dims_input_text(ctx, 0), dims[a->rank - 1], inner);
    dims[a->rank - 1] = stored_k_n ? k : n;
    return adept_infer_out(ctx, 0, a->dtype, a->rank, dims);
}

/* com.microsoft: [.., K] by a weight stored [N, K] (FP8) or [N, K / 2] (two FP4 in a byte). */
adept_status infer_matmul_stored(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    INFER_TRY(dims_want_rank(ctx, 1, 2, "[N, K]"));
    if (a->rank < 1 || b->rank < 0)
        return adept_infer_out_unknown(ctx, 0, a->dtype);
    int64_t *dims = dims_copy(ctx, a->rank, a->dims);
    if (!dims)
        return dims_no_memory(ctx);
    int64_t packed = b->dtype == ADEPT_DTYPE_UINT8 ? 2 : 1;
    if (dims[a->rank - 1] / packed != b->dims[1] && dims_exact(ctx))
        return adept_infer_fail(ctx, "input %s does not fit the weight %s", dims_input_text(ctx, 0),
                                dims_input_text(ctx, 1));
    dims[a->rank - 1] = b->dims[0];
    return adept_infer_out(ctx, 0, a->dtype, a->rank, dims);
}

/* The weight's shape is the third input. */
adept_status infer_matmul_fpq4(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0);
    int64_t count;
    const int64_t *shape = adept_infer_in_ints(ctx, 2, &count);
    if (a->rank < 0 || !shape || count < 1 || count > 64)
        return adept_infer_out_unknown(ctx, 0, a->dtype);
    return multiply(ctx, 0, a->dtype, (operand){a->rank, a->dims, false},
                    (operand){(int32_t)count, shape, false});
}

/* --- Gemm --- */

/* [M, K] and [K, N], each perhaps stored transposed; c is laid over [M, N]. */
static adept_status gemm(adept_infer *ctx, int32_t a_input, int32_t b_input, int32_t c_input,
                         adept_dtype dtype) {
    const adept_shape *a = adept_infer_in(ctx, a_input), *b = adept_infer_in(ctx, b_input);
    int32_t left = adept_infer_int(ctx, "transA", 0) != 0, right = adept_infer_int(ctx, "transB", 0) != 0;
    INFER_TRY(dims_want_rank(ctx, a_input, 2, "a matrix; use MatMul for more"));
    INFER_TRY(dims_want_rank(ctx, b_input, 2, "a matrix; use MatMul for more"));
    if (a->rank < 0 || b->rank < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    if (a->dims[1 - left] != b->dims[right] && dims_exact(ctx))
        return adept_infer_fail(
            ctx, "the inner dimensions of %s and %s disagree: %" PRId64 " against %" PRId64 "%s",
            dims_input_text(ctx, a_input), dims_input_text(ctx, b_input), a->dims[1 - left], b->dims[right],
            left || right ? " (after transA, transB)" : "");
    int64_t dims[2] = {a->dims[left], b->dims[1 - right]}, *over;
    const adept_shape *c = adept_infer_in(ctx, c_input);
    int32_t rank;
    if (c && c->rank >= 0) {
        INFER_TRY(dims_broadcast_pair(ctx, 2, dims, c->rank, c->dims, &rank, &over));
        if (dims_exact(ctx) && (rank != 2 || over[0] != dims[0] || over[1] != dims[1]))
            return adept_infer_fail(ctx, "C of shape %s does not fit over %s", dims_input_text(ctx, c_input),
                                    dims_text(ctx, 2, dims));
    }
    return adept_infer_out(ctx, 0, dtype, 2, dims);
}

adept_status infer_gemm(adept_infer *ctx) {
    INFER_TRY(dims_same_type(ctx, 0, 1));
    return gemm(ctx, 0, 1, 2, dims_type(ctx, 0));
}

/* com.microsoft: a, scale, zero point, b, scale, zero point, c, y scale, y zero point; without: float. */
adept_status infer_q_gemm(adept_infer *ctx) {
    adept_dtype quantized = dims_type(ctx, 8);
    return gemm(ctx, 0, 3, 6, quantized == ADEPT_DTYPE_UNDEFINED ? ADEPT_DTYPE_FLOAT : quantized);
}

adept_status infer_gemm_float8(adept_infer *ctx) {
    adept_dtype dtype;
    INFER_TRY(dims_type_attribute(ctx, "dtype", ADEPT_DTYPE_FLOAT, &dtype));
    return gemm(ctx, 0, 1, 2, dtype);
}

/* --- Einsum --- */

enum { LETTERS = 52 };

typedef struct einsum {
    int64_t size[LETTERS];
    bool bound[LETTERS];
    int32_t uses[LETTERS];
    int32_t ellipsis_rank;
    int64_t *ellipsis; /* broadcast dims of all "..." */
} einsum;

static int letter_index(char c) {
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    return c >= 'A' && c <= 'Z' ? 26 + c - 'A' : -1;
}

/* Equation without blanks, in the arena. */
static char *squeeze_blanks(adept_infer *ctx, const char *equation) {
    char *text = adept_arena_string(adept_infer_arena(ctx), equation), *to = text;
    for (const char *from = equation; text && *from; from++)
        if (!isspace((unsigned char)*from))
            *to++ = *from;
    if (text)
        *to = '\0';
    return text;
}

static adept_status bind_letter(adept_infer *ctx, einsum *e, char c, int64_t size) {
    int letter = letter_index(c);
    if (letter < 0)
        return adept_infer_fail(ctx, "the equation has the character '%c'", c);
    e->uses[letter]++;
    if (e->bound[letter] && e->size[letter] != size && size != 1 && e->size[letter] != 1 && dims_exact(ctx))
        return adept_infer_fail(ctx, "index '%c' is %" PRId64 " in one operand and %" PRId64 " in another", c,
                                e->size[letter], size);
    if (!e->bound[letter] || e->size[letter] == 1)
        e->size[letter] = size;
    e->bound[letter] = true;
    return ADEPT_OK;
}

/* One term of the left side, up to ',' or '-'. */
static adept_status read_term(adept_infer *ctx, einsum *e, const char *term, size_t length, int32_t input) {
    const adept_shape *x = adept_infer_in(ctx, input);
    int32_t letters = 0, axis = 0;
    bool ellipsis = false;
    for (size_t i = 0; i < length; i++)
        letters += term[i] != '.';
    ellipsis = memchr(term, '.', length) != NULL;
    int32_t hidden = x->rank - letters;
    if (hidden < 0 || (hidden > 0 && !ellipsis))
        return adept_infer_fail(ctx, "operand %s does not fit the term '%.*s' of the equation",
                                dims_input_text(ctx, input), (int)length, term);
    for (size_t i = 0; i < length; i++) {
        if (term[i] != '.') {
            INFER_TRY(bind_letter(ctx, e, term[i], x->dims[axis++]));
            continue;
        }
        if (i + 2 >= length || term[i + 1] != '.' || term[i + 2] != '.')
            return adept_infer_fail(ctx, "the equation has a dot that is no ellipsis");
        INFER_TRY(dims_broadcast_pair(ctx, e->ellipsis_rank, e->ellipsis, hidden, x->dims + axis,
                                      &e->ellipsis_rank, &e->ellipsis));
        axis += hidden;
        i += 2;
    }
    return ADEPT_OK;
}

/* Without "->": the ellipsis, then letters used once, in the order of their codes (capitals first). */
static adept_status implicit_output(adept_infer *ctx, const einsum *e) {
    int64_t *dims = dims_new(ctx, e->ellipsis_rank + LETTERS);
    int32_t rank = e->ellipsis_rank;
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, e->ellipsis, e->ellipsis_rank);
    for (int32_t i = 0; i < LETTERS; i++) {
        int32_t letter = (i + 26) % LETTERS;
        if (e->uses[letter] == 1)
            dims[rank++] = e->size[letter];
    }
    return adept_infer_out(ctx, 0, dims_type(ctx, 0), rank, dims);
}

static adept_status explicit_output(adept_infer *ctx, const einsum *e, const char *term) {
    int64_t *dims = dims_new(ctx, e->ellipsis_rank + (int32_t)strlen(term));
    int32_t rank = 0;
    if (!dims)
        return dims_no_memory(ctx);
    for (const char *c = term; *c; c++) {
        int letter = letter_index(*c);
        if (*c == '.') {
            if (c[1] != '.' || c[2] != '.')
                return adept_infer_fail(ctx, "the equation has a dot that is no ellipsis");
            dims_put(dims + rank, e->ellipsis, e->ellipsis_rank);
            rank += e->ellipsis_rank;
            c += 2;
        } else if (letter < 0 || !e->bound[letter]) {
            return adept_infer_fail(ctx, "index '%c' of the result stands in no operand", *c);
        } else {
            dims[rank++] = e->size[letter];
        }
    }
    return adept_infer_out(ctx, 0, dims_type(ctx, 0), rank, dims);
}

adept_status infer_einsum(adept_infer *ctx) {
    const char *given = adept_infer_string(ctx, "equation", NULL);
    einsum e = {.ellipsis_rank = 0};
    if (!given)
        return adept_infer_fail(ctx, "required attribute 'equation' is missing; re-export the model");
    for (int32_t i = 0; i < adept_infer_inputs(ctx); i++) {
        INFER_TRY(dims_same_type(ctx, 0, i));
        if (!dims_known(ctx, i))
            return adept_infer_out_unknown(ctx, 0, dims_type(ctx, 0));
    }
    const char *term = squeeze_blanks(ctx, given);
    if (!term)
        return dims_no_memory(ctx);
    for (int32_t i = 0; i < adept_infer_inputs(ctx); i++) {
        size_t length = strcspn(term, ",-");
        INFER_TRY(read_term(ctx, &e, term, length, i));
        term += length;
        bool last = i + 1 == adept_infer_inputs(ctx);
        if (last ? *term == ',' : *term != ',')
            return adept_infer_fail(ctx, "the equation '%s' has another number of terms than the %d inputs",
                                    given, (int)adept_infer_inputs(ctx));
        if (!last)
            term++;
    }
    if (*term == '\0')
        return implicit_output(ctx, &e);
    if (strncmp(term, "->", 2) != 0)
        return adept_infer_fail(ctx, "the equation '%s' cannot be read", given);
    return explicit_output(ctx, &e, term + 2);
}
