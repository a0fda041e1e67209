/*
 * Einsum as matrix products.
 *
 * Two operands at a time, from left to right (PyTorch's einsum): labels in both and still wanted are batch,
 * labels in both and no longer wanted are K, the others are M (left) and N (right). Without a K it is a
 * broadcast product, which has no matrix work. A label of one operand that nobody wants is summed first.
 * Source    PyTorch's einsum and sumproduct_pair; the FLOP must equal its counter
 */
#include <ctype.h>
#include <string.h>

#include "checked.h"
#include "count_functions.h"
#include "count_work.h"

/* Labels are letters; the dimensions of an ellipsis get labels of their own from ELLIPSIS on. */
enum { ELLIPSIS = 52, LABELS = 52 + 12, OPERANDS = 16 };
typedef uint64_t labels;

typedef struct einsum {
    int32_t operands;
    labels terms[OPERANDS];
    labels output;
    int64_t sizes[LABELS];
} einsum;

static labels bit(int32_t label) {
    return UINT64_C(1) << label;
}

static int32_t label_of(char letter) {
    return letter >= 'a' ? letter - 'a' : letter - 'A' + 26;
}

/* Length of a term in letters, its ellipsis not counted. */
static int32_t letters_in(const char *term, const char *end) {
    int32_t count = 0;
    for (; term < end; term++)
        count += isalpha((unsigned char)*term) ? 1 : 0;
    return count;
}

static void set_size(einsum *e, int32_t label, int64_t size) {
    if (e->sizes[label] <= 1)
        e->sizes[label] = size;
}

/* Reads one operand's term against its shape. False: it does not fit (inference has said so already). */
static bool read_term(einsum *e, const char *term, const char *end, const adept_shape *shape, labels *out) {
    int32_t axis = 0, dotted = shape->rank - letters_in(term, end);
    if (dotted < 0 || dotted > LABELS - ELLIPSIS)
        return false;
    *out = 0;
    for (; term < end; term++) {
        if (isalpha((unsigned char)*term)) {
            if (axis >= shape->rank)
                return false;
            set_size(e, label_of(*term), shape->dims[axis++]);
            *out |= bit(label_of(*term));
        } else if (strncmp(term, "...", 3) == 0) {
            for (int32_t i = dotted - 1; i >= 0; i--) {
                set_size(e, ELLIPSIS + i, shape->dims[axis++]);
                *out |= bit(ELLIPSIS + i);
            }
            term += 2;
        }
    }
    return axis == shape->rank;
}

/* The output's labels: written after the arrow, or those that occur once, and the ellipsis. */
static labels output_labels(const einsum *e, const char *arrow) {
    labels once = 0, twice = 0, dots = 0, written = 0;
    for (int32_t i = 0; i < e->operands; i++) {
        twice |= once & e->terms[i];
        once |= e->terms[i];
    }
    dots = once & ~(bit(ELLIPSIS) - 1);
    if (!arrow)
        return (once & ~twice) | dots;
    for (const char *at = arrow + 2; *at; at++) {
        if (isalpha((unsigned char)*at))
            written |= bit(label_of(*at));
        if (*at == '.')
            written |= dots;
    }
    return written;
}

static bool read_equation(adept_count *ctx, einsum *e) {
    const char *equation = adept_count_attr_string(ctx, "equation", "");
    const char *arrow = strstr(equation, "->");
    const char *end = arrow ? arrow : equation + strlen(equation);
    *e = (einsum){.operands = 0};
    for (const char *term = equation; term <= end;) {
        const char *comma = memchr(term, ',', (size_t)(end - term));
        const char *stop = comma ? comma : end;
        const adept_shape *shape = adept_count_in(ctx, e->operands);
        if (e->operands == OPERANDS || !shape || !read_term(e, term, stop, shape, &e->terms[e->operands]))
            return false;
        e->operands++;
        term = stop + 1;
        if (!comma)
            break;
    }
    e->output = output_labels(e, arrow);
    return e->operands == adept_count_inputs(ctx);
}

static adept_status size_of(adept_count *ctx, const einsum *e, labels set, int64_t *out) {
    int64_t product = 1;
    for (int32_t i = 0; i < LABELS; i++)
        if ((set & bit(i)) && !adept_mul_i64(product, e->sizes[i], &product))
            return adept_count_fail(ctx, ADEPT_RANGE, "a product of the equation's sizes overflows");
    *out = product;
    return ADEPT_OK;
}

static double elements_of(const einsum *e, labels set) {
    double product = 1;
    for (int32_t i = 0; i < LABELS; i++)
        if (set & bit(i))
            product *= (double)e->sizes[i];
    return product;
}

/* Dims of the product of two terms of which `wanted` labels are needed later. */
static adept_status pair_dims(adept_count *ctx, const einsum *e, labels left, labels right, labels wanted,
                              adept_gemm *dims) {
    labels both = left & right;
    adept_status status = size_of(ctx, e, both & wanted, &dims->batch);
    if (status == ADEPT_OK)
        status = size_of(ctx, e, both & ~wanted, &dims->k);
    if (status == ADEPT_OK)
        status = size_of(ctx, e, left & ~right & wanted, &dims->m);
    if (status == ADEPT_OK)
        status = size_of(ctx, e, right & ~left & wanted, &dims->n);
    return status;
}

typedef struct pair {
    labels left, right, result;
    bool left_grad, right_grad;
    double element_B;
} pair;

static void emit_broadcast(adept_count *ctx, const einsum *e, const pair *p) {
    double elements = elements_of(e, p->result), bytes = elements * p->element_B;
    double in_B = (elements_of(e, p->left) + elements_of(e, p->right)) * p->element_B;
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements, in_B, bytes, elements);
    double gradients = (p->left_grad ? 1 : 0) + (p->right_grad ? 1 : 0);
    for (int32_t i = 0; i < (int32_t)gradients; i++)
        adept_work_backward(ctx, ADEPT_KERNEL_ELEMENTWISE, ADEPT_TRAFFIC_ACTIVATION, elements, p->element_B,
                            elements);
}

static adept_status emit_pair(adept_count *ctx, const einsum *e, const pair *p) {
    if (!(p->left & p->right & ~p->result)) {
        emit_broadcast(ctx, e, p);
        return ADEPT_OK;
    }
    adept_gemm d;
    adept_status status = pair_dims(ctx, e, p->left, p->right, p->result, &d);
    if (status != ADEPT_OK)
        return status;
    double left_B = elements_of(e, p->left) * p->element_B, right_B = elements_of(e, p->right) * p->element_B;
    double out_B = elements_of(e, p->result) * p->element_B;
    adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &d, left_B + right_B, out_B);
    if (p->left_grad)
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){d.batch, d.m, d.k, d.n}, out_B + right_B,
                        left_B);
    if (p->right_grad)
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){d.batch, d.k, d.n, d.m}, out_B + left_B,
                        right_B);
    return ADEPT_OK;
}

static labels wanted_later(const einsum *e, int32_t next) {
    labels wanted = e->output;
    for (int32_t i = next; i < e->operands; i++)
        wanted |= e->terms[i];
    return wanted;
}

/* One operand: a transpose, a diagonal or a sum. */
static adept_status single_operand(adept_count *ctx, const einsum *e) {
    bool sums = (e->terms[0] & ~e->output) != 0;
    double in = adept_count_in_elements(ctx, 0), out_B = adept_count_out_B(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, sums ? ADEPT_KERNEL_REDUCE : ADEPT_KERNEL_COPY, in,
                    adept_count_in_B(ctx, 0), out_B, sums ? in : 0);
    if (adept_count_needs_grad(ctx, 0))
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_COPY, in, out_B, adept_count_in_B(ctx, 0), 0);
    return ADEPT_OK;
}

adept_status count_einsum(adept_count *ctx) {
    einsum e;
    if (!read_equation(ctx, &e) || e.operands < 1)
        return ADEPT_OK;
    if (e.operands == 1)
        return single_operand(ctx, &e);
    labels left = e.terms[0];
    bool left_grad = adept_count_needs_grad(ctx, 0);
    for (int32_t i = 1; i < e.operands; i++) {
        labels result = (left | e.terms[i]) & wanted_later(&e, i + 1);
        bool right_grad = adept_count_needs_grad(ctx, i);
        pair p = {left, e.terms[i], result, left_grad, right_grad, adept_count_out_element_B(ctx, 0)};
        adept_status status = emit_pair(ctx, &e, &p);
        if (status != ADEPT_OK)
            return status;
        if (left_grad)
            adept_count_save_input(ctx, i);
        if (right_grad && i == 1)
            adept_count_save_input(ctx, 0);
        if (right_grad && i > 1)
            adept_count_save_extra(ctx, elements_of(&e, left) * p.element_B);
        left = result;
        left_grad = left_grad || right_grad;
    }
    return ADEPT_OK;
}
