/*
 * Attention.
 *
 * Shapes    Q [B, Hq, Sq, D], K [B, Hk, Sk, D], V [B, Hk, Sk, Dv]; P = softmax(scale Q K^T + mask)
 *           [B, Hq, Sq, Sk]; y = P V. Fewer key heads than query heads are repeated (grouped queries)
 * Eager     scores product, scale, mask, softmax, output product; 2*B*Hq*Sq*Sk*(D + Dv) FLOP. Backward four
 *           products, twice that. Autograd keeps Q, K, V and P
 * Flash     one kernel; bytes of Q, K, V, y only. Backward computes the scores again: five products, which is
 *           what PyTorch's counter says of its fused kernel. Keeps Q, K, V, y and one FP32 a row
 *           A causal mask saves no FLOP in either count, as in PyTorch's counter
 * Errors    RANGE if a product of dimensions overflows
 * Source    PyTorch's flop counter (sdpa_flop, sdpa_backward_flop); Dao et al. 2022 for the bytes
 */
#include <string.h>

#include "checked.h"
#include "count_functions.h"
#include "count_work.h"

enum { ROW_STATISTIC_B = 4 };

typedef struct heads {
    int64_t batch, q_heads, kv_heads, q_len, kv_len, head, v_head;
    int64_t matrices; /* batch * q_heads */
    double element_B;
    double mask_B; /* read for every pass over the scores; 0: no mask */
    bool masked;   /* a mask or causal */
    bool q_grad, k_grad, v_grad;
} heads;

typedef struct sizes {
    double q_B, k_B, v_B, y_B; /* with all query heads */
    double scores;             /* elements of P */
} sizes;

static sizes sizes_of(const heads *h) {
    double rows = (double)h->matrices * (double)h->q_len, columns = (double)h->matrices * (double)h->kv_len;
    return (sizes){rows * (double)h->head * h->element_B, columns * (double)h->head * h->element_B,
                   columns * (double)h->v_head * h->element_B, rows * (double)h->v_head * h->element_B,
                   rows * (double)h->kv_len};
}

static double repeated(const heads *h) {
    return h->kv_heads > 0 ? (double)h->kv_heads / (double)h->q_heads : 1;
}

/* Softmax in FP32 under autocast: the scores are widened before it and narrowed after it. */
static bool widens_softmax(const adept_count *ctx) {
    const adept_run *run = adept_count_run(ctx);
    bool amp = run->precision == ADEPT_PRECISION_FP16_AMP || run->precision == ADEPT_PRECISION_BF16_AMP;
    return amp && run->amp_level == ADEPT_AMP_AUTOCAST;
}

static void over_scores(adept_count *ctx, adept_pass pass, adept_kernel_kind kind, double scores,
                        double read_B, double write_B, double alu) {
    adept_work_pass(ctx, pass, kind, scores, scores * read_B, scores * write_B, scores * alu);
}

static void repeat_heads(adept_count *ctx, adept_pass pass, const heads *h, double full_B) {
    double few_B = full_B * repeated(h);
    bool forward = pass == ADEPT_PASS_FORWARD;
    if (h->kv_heads >= h->q_heads || h->kv_heads < 1)
        return;
    adept_work_pass(ctx, pass, forward ? ADEPT_KERNEL_COPY : ADEPT_KERNEL_REDUCE, full_B / h->element_B,
                    forward ? few_B : full_B, forward ? full_B : few_B, 0);
}

static void eager_forward(adept_count *ctx, const heads *h) {
    sizes s = sizes_of(h);
    double e = h->element_B, wide = widens_softmax(ctx) ? 4 : e;
    repeat_heads(ctx, ADEPT_PASS_FORWARD, h, s.k_B);
    repeat_heads(ctx, ADEPT_PASS_FORWARD, h, s.v_B);
    adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &(adept_gemm){h->matrices, h->q_len, h->kv_len, h->head},
                    s.q_B + s.k_B, s.scores * e);
    over_scores(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, s.scores, e, e, 1);
    if (h->masked)
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, s.scores, s.scores * e + h->mask_B,
                        s.scores * e, s.scores);
    if (wide > e)
        over_scores(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_CAST, s.scores, e, wide, 0);
    over_scores(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SOFTMAX, s.scores, wide, wide,
                adept_work_alu(ctx, ADEPT_PASS_FORWARD));
    if (wide > e)
        over_scores(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_CAST, s.scores, wide, e, 0);
    adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &(adept_gemm){h->matrices, h->q_len, h->v_head, h->kv_len},
                    s.scores * e + s.v_B, s.y_B);
}

/* Gradient of the scores: softmax, mask (nothing), scale. */
static void scores_backward(adept_count *ctx, const heads *h, double scores) {
    double e = h->element_B, wide = widens_softmax(ctx) ? 4 : e;
    if (wide > e)
        over_scores(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_CAST, scores, e, wide, 0);
    adept_work_backward(ctx, ADEPT_KERNEL_SOFTMAX, ADEPT_TRAFFIC_SOFTMAX, scores, wide,
                        scores * adept_work_alu(ctx, ADEPT_PASS_BACKWARD));
    if (wide > e)
        over_scores(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_CAST, scores, wide, e, 0);
    over_scores(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_ELEMENTWISE, scores, e, e, 1);
}

static void eager_backward(adept_count *ctx, const heads *h) {
    sizes s = sizes_of(h);
    double scores_B = s.scores * h->element_B;
    if (h->v_grad) {
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){h->matrices, h->kv_len, h->v_head, h->q_len},
                        scores_B + s.y_B, s.v_B);
        repeat_heads(ctx, ADEPT_PASS_BACKWARD, h, s.v_B);
    }
    if (h->q_grad || h->k_grad) {
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){h->matrices, h->q_len, h->kv_len, h->v_head},
                        s.y_B + s.v_B, scores_B);
        scores_backward(ctx, h, s.scores);
    }
    if (h->q_grad)
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){h->matrices, h->q_len, h->head, h->kv_len},
                        scores_B + s.k_B, s.q_B);
    if (h->k_grad) {
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){h->matrices, h->kv_len, h->head, h->q_len},
                        scores_B + s.q_B, s.k_B);
        repeat_heads(ctx, ADEPT_PASS_BACKWARD, h, s.k_B);
    }
}

static adept_kernel *fused(adept_count *ctx, adept_pass pass, const heads *h, double read_B, double write_B) {
    adept_kernel *kernel = adept_count_emit(ctx, pass, ADEPT_KERNEL_ATTENTION);
    kernel->gemm.batch = h->matrices;
    kernel->gemm.m = h->q_len;
    kernel->gemm.n = h->kv_len;
    kernel->gemm.k = h->head;
    kernel->elements = (double)h->matrices * (double)h->q_len * (double)h->v_head;
    kernel->element_B = h->element_B;
    kernel->read_B = read_B;
    kernel->write_B = write_B;
    return kernel;
}

static void flash(adept_count *ctx, const heads *h) {
    sizes s = sizes_of(h);
    double rows_B = ROW_STATISTIC_B * (double)h->matrices * (double)h->q_len;
    double few = repeated(h), k_B = s.k_B * few, v_B = s.v_B * few;
    double product = 2 * s.scores, head = (double)h->head, v_head = (double)h->v_head;
    adept_kernel *forward = fused(ctx, ADEPT_PASS_FORWARD, h, s.q_B + k_B + v_B + h->mask_B, s.y_B + rows_B);
    forward->gemm_flop = product * (head + v_head);
    forward->alu_flop = s.scores * adept_work_alu(ctx, ADEPT_PASS_FORWARD);
    if (!h->q_grad && !h->k_grad && !h->v_grad)
        return;
    adept_count_save_output(ctx, 0);
    adept_count_save_extra(ctx, rows_B);
    adept_kernel *backward = fused(ctx, ADEPT_PASS_BACKWARD, h,
                                   s.q_B + k_B + v_B + 2 * s.y_B + rows_B + h->mask_B, s.q_B + k_B + v_B);
    backward->gemm_flop = product * (3 * head + 2 * v_head);
    backward->alu_flop = s.scores * adept_work_alu(ctx, ADEPT_PASS_BACKWARD);
    backward->launches = 2; /* row sums of dy * y, then the gradients */
}

/* Everything behind Q, K and V, whose saving is the caller's. */
static adept_status attend(adept_count *ctx, heads *h) {
    if (!adept_mul_i64(h->batch, h->q_heads, &h->matrices))
        return adept_count_fail(ctx, ADEPT_RANGE, "%lld heads of %lld samples overflow",
                                (long long)h->q_heads, (long long)h->batch);
    if (adept_count_run(ctx)->attention == ADEPT_ATTENTION_FLASH) {
        flash(ctx, h);
        return ADEPT_OK;
    }
    double scores = sizes_of(h).scores;
    eager_forward(ctx, h);
    adept_count_workspace(ctx, scores * h->element_B);
    if (h->q_grad || h->k_grad || h->v_grad) {
        adept_count_save_extra(ctx, scores * (widens_softmax(ctx) ? 4 + h->element_B : h->element_B));
        eager_backward(ctx, h);
    }
    return ADEPT_OK;
}

/* A cache of keys and values that is written anew: past and present joined. */
static void append_cache(adept_count *ctx, int32_t first_output) {
    for (int32_t i = first_output; i < first_output + 2; i++) {
        double bytes = adept_count_out_B(ctx, i);
        if (bytes > 0)
            adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_COPY, adept_count_out_elements(ctx, i),
                            bytes, bytes, 0);
    }
}

/* --- ai.onnx Attention --- */

static bool is_causal(const adept_count *ctx) {
    return adept_count_attr_int(ctx, "is_causal", adept_count_attr_int(ctx, "unidirectional", 0)) != 0;
}

/* Heads, length and head size of a tensor [B, H, S, D] or [B, S, H*D]. False: neither. */
static bool read_tensor(const adept_shape *x, int64_t given_heads, int64_t *count, int64_t *length,
                        int64_t *head) {
    if (!x || (x->rank != 4 && x->rank != 3))
        return false;
    *count = x->rank == 4 ? x->dims[1] : given_heads;
    *length = x->dims[x->rank - 2];
    *head = x->dims[x->rank - 1];
    if (x->rank == 3 && given_heads > 0) {
        *length = x->dims[1];
        *head = x->dims[2] / given_heads;
    }
    return *count > 0;
}

adept_status count_attention(adept_count *ctx) {
    int64_t q_heads = adept_count_attr_int(ctx, "q_num_heads", 1), ignored;
    int64_t kv_heads = adept_count_attr_int(ctx, "kv_num_heads", q_heads);
    const adept_shape *q = adept_count_in(ctx, 0), *past = adept_count_in(ctx, 4);
    heads h = {.element_B = adept_count_in_element_B(ctx, 0)};
    if (!read_tensor(q, q_heads, &h.q_heads, &h.q_len, &h.head) ||
        !read_tensor(adept_count_in(ctx, 1), kv_heads, &h.kv_heads, &h.kv_len, &ignored) ||
        !read_tensor(adept_count_in(ctx, 2), kv_heads, &h.kv_heads, &ignored, &h.v_head))
        return ADEPT_OK;
    h.batch = q->dims[0];
    if (past && past->rank == 4)
        h.kv_len += past->dims[2];
    h.mask_B = adept_count_in_B(ctx, 3);
    h.masked = h.mask_B > 0 || is_causal(ctx);
    h.q_grad = adept_count_needs_grad(ctx, 0);
    h.k_grad = adept_count_needs_grad(ctx, 1);
    h.v_grad = adept_count_needs_grad(ctx, 2);
    append_cache(ctx, 1);
    if (adept_count_any_grad(ctx))
        for (int32_t i = 0; i < 3; i++)
            adept_count_save_input(ctx, i);
    return attend(ctx, &h);
}

/* --- com.microsoft: heads given by attribute, tensors [B, S, H*D] --- */

/* Length of the keys: of the cache that is written, else of the key tensor, else of the query. */
static int64_t key_length(const adept_count *ctx, int32_t key, int64_t query_length) {
    const adept_shape *present = adept_count_out(ctx, 1), *k = adept_count_in(ctx, key);
    if (present && present->rank >= 4)
        return present->dims[present->rank - 2];
    if (!k || k->rank < 3)
        return query_length;
    return k->dims[k->rank == 4 ? 2 : 1];
}

/* From output [B, S, H*Dv] (packed: [tokens, H*Dv]) and the attribute num_heads. */
static bool read_output(const adept_count *ctx, heads *h) {
    const adept_shape *y = adept_count_out(ctx, 0);
    int64_t count = adept_count_attr_int(ctx, "num_heads", 0);
    if (!y || y->rank < 2 || y->rank > 3 || count < 1)
        return false;
    bool packed = y->rank == 2;
    *h = (heads){.batch = packed ? 1 : y->dims[0],
                 .q_heads = count,
                 .kv_heads = adept_count_attr_int(ctx, "kv_num_heads", count),
                 .q_len = y->dims[packed ? 0 : 1],
                 .v_head = y->dims[y->rank - 1] / count,
                 .element_B = adept_count_out_element_B(ctx, 0)};
    h->head = h->v_head;
    h->kv_len = h->q_len;
    h->masked = is_causal(ctx);
    return true;
}

/* MultiHeadAttention, GroupQueryAttention, PagedAttention, SparseAttention, their packed and decoder forms.
 */
adept_status count_attention_heads(adept_count *ctx) {
    heads h;
    if (!read_output(ctx, &h))
        return ADEPT_OK;
    h.kv_len = key_length(ctx, 1, h.q_len);
    bool separate = adept_count_in_elements(ctx, 1) > 0;
    h.q_grad = adept_count_needs_grad(ctx, 0);
    h.k_grad = separate ? adept_count_needs_grad(ctx, 1) : h.q_grad;
    h.v_grad = separate ? adept_count_needs_grad(ctx, 2) : h.q_grad;
    h.masked = h.masked || adept_count_inputs(ctx) > 4;
    append_cache(ctx, 1);
    if (adept_count_any_grad(ctx))
        for (int32_t i = 0; i < 3; i++)
            adept_count_save_input(ctx, i);
    return attend(ctx, &h);
}

/* The product that makes Q, K and V of x [tokens, I] by w [I, columns]. */
static adept_status project(adept_count *ctx, int32_t x_input, int32_t w_input, bool integer) {
    const adept_shape *x = adept_count_in(ctx, x_input), *w = adept_count_in(ctx, w_input);
    if (!x || !w || x->rank < 2 || w->rank != 2)
        return ADEPT_OK;
    adept_gemm d = {1, 0, w->dims[1], x->dims[x->rank - 1]};
    adept_status status = adept_work_product(ctx, x, 0, x->rank - 1, &d.m);
    if (status != ADEPT_OK)
        return status;
    double out_B = (double)d.m * (double)d.n * adept_count_out_element_B(ctx, 0);
    double x_B = adept_count_in_B(ctx, x_input), w_B = adept_count_in_B(ctx, w_input);
    adept_kernel *kernel = adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &d, x_B + w_B, out_B);
    kernel->alu_flop = (double)d.m * (double)d.n; /* bias */
    if (integer)
        kernel->math = ADEPT_MATH_INT8;
    if (adept_count_needs_grad(ctx, x_input))
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){1, d.m, d.k, d.n}, out_B + w_B, x_B);
    if (adept_count_needs_grad(ctx, w_input)) {
        adept_count_save_input(ctx, x_input);
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){1, d.k, d.n, d.m}, out_B + x_B, w_B);
    }
    if (adept_count_any_grad(ctx))
        adept_count_save_extra(ctx, out_B);
    return ADEPT_OK;
}

/* com.microsoft Attention and QAttention: projection and attention in one operator. */
adept_status count_attention_projected(adept_count *ctx) {
    heads h;
    bool integer =
        adept_dtype_is_integer(adept_count_in(ctx, 0) ? adept_count_in(ctx, 0)->dtype : ADEPT_DTYPE_FLOAT);
    adept_status status = project(ctx, 0, 1, integer);
    if (status != ADEPT_OK || !read_output(ctx, &h))
        return status;
    h.kv_len = key_length(ctx, 0, h.q_len);
    h.q_grad = h.k_grad = h.v_grad = adept_count_needs_grad(ctx, 0) || adept_count_needs_grad(ctx, 1);
    h.masked = h.masked || adept_count_in_elements(ctx, 3) > 0;
    append_cache(ctx, 1);
    return attend(ctx, &h);
}

/* DecoderAttention: query [S,B,H] by q_weight [H,H], key by kv_weight [H,2H]. */
adept_status count_attention_decoder(adept_count *ctx) {
    const adept_shape *q = adept_count_in(ctx, 0), *k = adept_count_in(ctx, 1);
    int64_t count = adept_count_attr_int(ctx, "num_heads", 0);
    adept_status status = project(ctx, 0, 2, false);
    if (status == ADEPT_OK)
        status = project(ctx, 1, 3, false);
    if (status != ADEPT_OK || !q || !k || q->rank != 3 || k->rank != 3 || count < 1)
        return status;
    heads h = {.batch = q->dims[1],
               .q_heads = count,
               .kv_heads = count,
               .q_len = q->dims[0],
               .kv_len = k->dims[0],
               .head = q->dims[2] / count,
               .v_head = q->dims[2] / count,
               .element_B = adept_count_out_element_B(ctx, 0),
               .masked = true};
    h.q_grad = adept_count_needs_grad(ctx, 0) || adept_count_needs_grad(ctx, 2);
    h.k_grad = h.v_grad = adept_count_needs_grad(ctx, 1) || adept_count_needs_grad(ctx, 3);
    return attend(ctx, &h);
}

/*
 * LongformerAttention: every token sees `window` neighbours on each side: keys of length 2 window + 1.
 * The few global tokens are not counted.
 */
adept_status count_attention_window(adept_count *ctx) {
    heads h;
    adept_status status = project(ctx, 0, 1, false);
    if (status != ADEPT_OK || !read_output(ctx, &h))
        return status;
    int64_t window = adept_count_attr_int(ctx, "window", h.kv_len / 2);
    if (window >= 0 && window < h.kv_len / 2)
        h.kv_len = 2 * window + 1;
    h.masked = true;
    h.q_grad = h.k_grad = h.v_grad = adept_count_needs_grad(ctx, 0) || adept_count_needs_grad(ctx, 1);
    return attend(ctx, &h);
}

/*
 * LinearAttention: a state [B, H, D, Dv] is updated by k^T v and read by q at every step: two products of
 * 2*D*Dv FLOP per token and head.
 */
adept_status count_attention_linear(adept_count *ctx) {
    const adept_shape *y = adept_count_out(ctx, 0);
    int64_t q_heads = adept_count_attr_int(ctx, "q_num_heads", adept_count_attr_int(ctx, "num_heads", 1));
    if (!y || y->rank < 2 || q_heads < 1)
        return ADEPT_OK;
    int64_t rows, head = y->rank == 4 ? y->dims[3] : y->dims[y->rank - 1] / q_heads;
    adept_status status = adept_work_product(ctx, y, 0, y->rank - 1, &rows);
    if (status != ADEPT_OK)
        return status;
    if (y->rank != 4 && !adept_mul_i64(rows, q_heads, &rows))
        return adept_count_fail(ctx, ADEPT_RANGE, "%lld heads overflow", (long long)q_heads);
    adept_gemm d = {rows, 1, head, head};
    adept_kernel *kernel =
        adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &d, adept_work_inputs_B(ctx), adept_work_outputs_B(ctx));
    kernel->gemm_flop *= 2;
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    for (int32_t i = 0; i < adept_count_inputs(ctx); i++)
        adept_count_save_input(ctx, i);
    adept_kernel *backward =
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &d, adept_work_inputs_B(ctx) + adept_work_outputs_B(ctx),
                        adept_work_inputs_B(ctx));
    backward->gemm_flop *= 4;
    return ADEPT_OK;
}
