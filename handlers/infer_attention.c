/*
 * Attention, of ONNX and of onnxruntime (com.microsoft). B batch, S query positions, L new key positions,
 * P positions in the cache, T = P + L, N heads, h elements of a head.
 */
#include "infer_functions.h"

#include <inttypes.h>
#include <string.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* --- ai.onnx --- */

/* A number of heads. */
static adept_status read_count(adept_infer *ctx, const char *attribute, int64_t *count) {
    INFER_TRY(dims_need_int(ctx, attribute, count));
    if (*count < 1 || *count > INT32_MAX)
        return adept_infer_fail(ctx, "attribute '%s' is %" PRId64 ", expected at least 1", attribute, *count);
    return ADEPT_OK;
}

/* One of Q, K, V: [B, N, S, h], or [B, S, N h] with the number of heads as an attribute. */
typedef struct heads {
    int64_t batch, heads, length, size;
} heads;

static adept_status read_heads(adept_infer *ctx, int32_t input, const char *attribute, heads *out) {
    const adept_shape *x = adept_infer_in(ctx, input);
    if (x->rank == 4) {
        *out = (heads){x->dims[0], x->dims[1], x->dims[2], x->dims[3]};
        return ADEPT_OK;
    }
    if (x->rank != 3)
        return adept_infer_fail(
            ctx, "input %d has shape %s, expected [batch, length, hidden] or [batch, heads, length, size]",
            (int)input, dims_input_text(ctx, input));
    INFER_TRY(read_count(ctx, attribute, &out->heads));
    if (x->dims[2] % out->heads != 0 && dims_exact(ctx))
        return adept_infer_fail(ctx,
                                "a hidden size of %" PRId64 " is not divisible by %" PRId64 " heads (%s)",
                                x->dims[2], out->heads, attribute);
    out->batch = x->dims[0];
    out->length = x->dims[1];
    out->size = x->dims[2] / out->heads;
    return ADEPT_OK;
}

static adept_status check_heads(adept_infer *ctx, const heads *q, const heads *k, const heads *v) {
    if (!dims_exact(ctx))
        return ADEPT_OK;
    if (q->size != k->size)
        return adept_infer_fail(ctx, "heads of the query have %" PRId64 " elements, of the key %" PRId64,
                                q->size, k->size);
    if (k->length != v->length || k->heads != v->heads)
        return adept_infer_fail(
            ctx, "the key has %" PRId64 " positions in %" PRId64 " heads, the value %" PRId64 " in %" PRId64,
            k->length, k->heads, v->length, v->heads);
    if (k->heads < 1 || q->heads % k->heads != 0)
        return adept_infer_fail(ctx, "%" PRId64 " query heads do not share %" PRId64 " key heads evenly",
                                q->heads, k->heads);
    return ADEPT_OK;
}

/* Y [B, S, N h_v] or [B, N, S, h_v], present key and value [B, N_kv, T, h], scores [B, N, S, T]. */
adept_status infer_attention(adept_infer *ctx) {
    const adept_shape *query = adept_infer_in(ctx, 0), *past = adept_infer_in(ctx, 4);
    adept_dtype dtype = query->dtype, value_type = dims_type(ctx, 2);
    heads q = {0}, k = {0}, v = {0};
    if (!dims_known(ctx, 0) || !dims_known(ctx, 1) || !dims_known(ctx, 2))
        return adept_infer_out_unknown(ctx, 0, dtype);
    INFER_TRY(read_heads(ctx, 0, "q_num_heads", &q));
    INFER_TRY(read_heads(ctx, 1, "kv_num_heads", &k));
    INFER_TRY(read_heads(ctx, 2, "kv_num_heads", &v));
    INFER_TRY(check_heads(ctx, &q, &k, &v));
    int64_t cached = past && past->rank == 4 ? past->dims[2] : 0, total, hidden;
    if (!adept_add_i64(cached, k.length, &total) || !adept_mul_i64(q.heads, v.size, &hidden))
        return adept_infer_overflow(ctx);
    int64_t flat[3] = {q.batch, q.length, hidden}, y[4] = {q.batch, q.heads, q.length, v.size};
    int64_t present_key[4] = {k.batch, k.heads, total, k.size},
            present_value[4] = {v.batch, v.heads, total, v.size};
    int64_t scores[4] = {q.batch, q.heads, q.length, total};
    INFER_TRY(adept_infer_out(ctx, 0, dtype, query->rank, query->rank == 3 ? flat : y));
    INFER_TRY(adept_infer_out(ctx, 1, dims_type(ctx, 1), 4, present_key));
    INFER_TRY(adept_infer_out(ctx, 2, value_type, 4, present_value));
    return adept_infer_out(ctx, 3, dtype, 4, scores);
}

/* The table of angles must reach as far as the positions; the output is like x. */
adept_status infer_rotary_embedding(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank >= 0 && x->rank != 3 && x->rank != 4)
        return adept_infer_fail(
            ctx, "input has shape %s, expected [batch, length, hidden] or [batch, heads, length, size]",
            dims_input_text(ctx, 0));
    if (x->rank == 3 && adept_infer_int(ctx, "num_heads", 0) < 1)
        return adept_infer_fail(ctx, "attribute 'num_heads' is needed for an input of 3 dimensions");
    return infer_same(ctx);
}

/*
 * query [B, S, N_q d_k], key [B, S, N d_k], value [B, S, N d_v] to [B, S, N_q d_v] and state [B, N, d_k,
 * d_v]. com.microsoft: N may exceed N_q and then gives the output's heads; a window of W states has a leading
 * axis.
 */
adept_status infer_linear_attention(adept_infer *ctx) {
    const adept_shape *q = adept_infer_in(ctx, 0), *k = adept_infer_in(ctx, 1), *v = adept_infer_in(ctx, 2);
    int64_t q_heads, kv_heads, hidden;
    INFER_TRY(read_count(ctx, "q_num_heads", &q_heads));
    INFER_TRY(read_count(ctx, "kv_num_heads", &kv_heads));
    for (int32_t i = 0; i < 3; i++)
        INFER_TRY(dims_want_rank(ctx, i, 3, "[batch, length, hidden]"));
    if (q->rank < 0 || k->rank < 0 || v->rank < 0)
        return adept_infer_out_unknown(ctx, 0, q->dtype);
    int64_t d_k = k->dims[2] / kv_heads, d_v = v->dims[2] / kv_heads;
    if (dims_exact(ctx) && (k->dims[2] % kv_heads || v->dims[2] % kv_heads || q->dims[2] % q_heads ||
                            q->dims[2] / q_heads != d_k))
        return adept_infer_fail(
            ctx, "query %s, key %s and value %s do not fit %" PRId64 " and %" PRId64 " heads",
            dims_input_text(ctx, 0), dims_input_text(ctx, 1), dims_input_text(ctx, 2), q_heads, kv_heads);
    if (!adept_mul_i64(q_heads > kv_heads ? q_heads : kv_heads, d_v, &hidden))
        return adept_infer_overflow(ctx);
    int64_t window = adept_infer_int(ctx, "state_window", 0);
    int64_t y[3] = {q->dims[0], q->dims[1], hidden}, state[5] = {window, q->dims[0], kv_heads, d_k, d_v};
    bool windowed = window > 0;
    const adept_shape *past = adept_infer_in(ctx, 3);
    INFER_TRY(adept_infer_out(ctx, 0, q->dtype, 3, y));
    return adept_infer_out(ctx, 1, past ? past->dtype : q->dtype, 4 + windowed, windowed ? state : state + 1);
}

/* com.microsoft: decay and update rate of each head. */
adept_status infer_linear_attention_gate(adept_infer *ctx) {
    INFER_TRY(infer_same(ctx));
    return adept_infer_out_like(ctx, 1, adept_infer_in(ctx, 0));
}

/*
 * com.microsoft: packed tokens. query [tokens.., N, d_k], value [tokens.., N_v, d_v] to [tokens.., N_v, d_v]
 * and the state [B, N_v, d_v, d_k] (input 6; B also from the starts of the sequences [B + 1], input 3).
 */
adept_status infer_gated_delta_net(adept_infer *ctx) {
    const adept_shape *q = adept_infer_in(ctx, 0), *v = adept_infer_in(ctx, 2),
                      *starts = adept_infer_in(ctx, 3);
    const adept_shape *state = adept_infer_in(ctx, 6);
    int64_t batch = 1;
    if (q->rank < 3 || v->rank != q->rank)
        return adept_infer_out_unknown(ctx, 0, q->dtype);
    int64_t *dims = dims_copy(ctx, v->rank, v->dims);
    if (!dims)
        return dims_no_memory(ctx);
    if (q->dims[q->rank - 2] > dims[v->rank - 2])
        dims[v->rank - 2] = q->dims[q->rank - 2];
    INFER_TRY(adept_infer_out(ctx, 0, q->dtype, v->rank, dims));
    if (state)
        return adept_infer_out_like(ctx, 1, state);
    if (q->rank == 4)
        batch = q->dims[0];
    else if (starts && starts->rank == 1 && starts->dims[0] > 0)
        batch = starts->dims[0] - 1;
    int64_t last[4] = {batch, v->dims[v->rank - 2], v->dims[v->rank - 1], q->dims[q->rank - 1]};
    return adept_infer_out(ctx, 1, ADEPT_DTYPE_FLOAT, 4, last);
}

static adept_status flex_modifier(adept_infer *ctx, const char *name, adept_dtype dtype,
                                  const int64_t *dims) {
    const adept_body *body = adept_infer_body(ctx, name);
    if (!body)
        return ADEPT_OK;
    adept_shape scores = {.kind = ADEPT_TYPE_TENSOR, .dtype = dtype, .rank = 4, .dims = dims, .length = -1};
    const adept_shape *in[1] = {&scores};
    const adept_shape **out =
        adept_arena_array(adept_infer_arena(ctx), (size_t)body->output_count, sizeof *out);
    if (!out)
        return dims_no_memory(ctx);
    adept_infer_body_repeats(ctx, body, 1);
    return adept_infer_run_body(ctx, body, in, 1, out);
}

/* ai.onnx.preview: subgraphs change the scores [B, N, S, L] before and after the softmax. */
adept_status infer_flex_attention(adept_infer *ctx) {
    const adept_shape *query = adept_infer_in(ctx, 0);
    adept_dtype type = query->dtype == ADEPT_DTYPE_DOUBLE ? ADEPT_DTYPE_DOUBLE : ADEPT_DTYPE_FLOAT;
    heads q = {0}, k = {0}, v = {0};
    for (int32_t i = 0; i < 3; i++)
        INFER_TRY(dims_want_rank(ctx, i, 4, "[batch, heads, length, size]"));
    if (!dims_known(ctx, 0) || !dims_known(ctx, 1) || !dims_known(ctx, 2))
        return adept_infer_out_unknown(ctx, 0, query->dtype);
    INFER_TRY(read_heads(ctx, 0, "", &q));
    INFER_TRY(read_heads(ctx, 1, "", &k));
    INFER_TRY(read_heads(ctx, 2, "", &v));
    INFER_TRY(check_heads(ctx, &q, &k, &v));
    int64_t y[4] = {q.batch, q.heads, q.length, v.size}, scores[4] = {q.batch, q.heads, q.length, k.length};
    INFER_TRY(dims_type_attribute(ctx, "softmax_precision", type, &type));
    INFER_TRY(flex_modifier(ctx, "score_mod", type, scores));
    INFER_TRY(flex_modifier(ctx, "prob_mod", type, scores));
    return adept_infer_out(ctx, 0, query->dtype, 4, y);
}

/* --- com.microsoft: attention that holds its projection --- */

/* Hidden sizes of query and value: of qkv_hidden_sizes, or a third of the weight's columns. */
static void projected_sizes(adept_infer *ctx, const adept_shape *w, int64_t *query, int64_t *value) {
    int32_t count;
    const int64_t *sizes = adept_infer_ints(ctx, "qkv_hidden_sizes", &count);
    *query = *value = w->rank == 2 ? w->dims[1] / 3 : -1;
    if (sizes && count == 3) {
        *query = sizes[0];
        *value = sizes[2];
    }
}

static adept_status read_num_heads(adept_infer *ctx, int64_t *count) {
    return read_count(ctx, "num_heads", count);
}

/* output [B, S, h_v]; present [2, B, N, T, h] from a past of P positions (input `past`). */
static adept_status projected_attention(adept_infer *ctx, int32_t past_input, adept_dtype dtype) {
    const adept_shape *x = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 1),
                      *past = adept_infer_in(ctx, past_input);
    int64_t query, value, heads_n, total;
    INFER_TRY(dims_want_rank(ctx, 0, 3, "[batch, length, hidden]"));
    INFER_TRY(read_num_heads(ctx, &heads_n));
    projected_sizes(ctx, w, &query, &value);
    if (x->rank < 0 || value < 0)
        return adept_infer_out_unknown(ctx, 0, dtype);
    if (w->rank == 2 && w->dims[0] != x->dims[2] && dims_exact(ctx))
        return adept_infer_fail(ctx, "input has %" PRId64 " features, weight expects %" PRId64, x->dims[2],
                                w->dims[0]);
    int64_t y[3] = {x->dims[0], x->dims[1], value};
    INFER_TRY(adept_infer_out(ctx, 0, dtype, 3, y));
    bool shared = adept_infer_int(ctx, "past_present_share_buffer", 0) != 0;
    if (past && past->rank == 5 && shared)
        return adept_infer_out(ctx, 1, past->dtype, 5, past->dims);
    if (!adept_add_i64(past && past->rank == 5 ? past->dims[3] : 0, x->dims[1], &total))
        return adept_infer_overflow(ctx);
    int64_t present[5] = {2, x->dims[0], heads_n, total, query / heads_n};
    return adept_infer_out(ctx, 1, dtype, 5, present);
}

adept_status infer_ms_attention(adept_infer *ctx) {
    return projected_attention(ctx, 4, dims_type(ctx, 0));
}

/* input and weight are integers: the output has the type of the input's scale. */
adept_status infer_q_attention(adept_infer *ctx) {
    return projected_attention(ctx, 8, dims_type(ctx, 3));
}

/* One new position; the cache is written in place. */
adept_status infer_decoder_masked_self_attention(adept_infer *ctx) {
    const adept_shape *past = adept_infer_in(ctx, 4);
    INFER_TRY(projected_attention(ctx, 4, dims_type(ctx, 0)));
    return past ? adept_infer_out_like(ctx, 1, past) : ADEPT_OK;
}

/* Sequences without padding: [tokens, hidden]. */
adept_status infer_packed_attention(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 1);
    int64_t query, value;
    INFER_TRY(dims_want_rank(ctx, 0, 2, "[tokens, hidden]"));
    projected_sizes(ctx, w, &query, &value);
    if (x->rank < 0 || value < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    int64_t y[2] = {x->dims[0], value};
    return adept_infer_out(ctx, 0, x->dtype, 2, y);
}

/* int8; input, three scales, then weights of query, key, value [in, out] at 5, 6, 7. */
adept_status infer_qordered_attention(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 7);
    INFER_TRY(dims_want_rank(ctx, 0, 3, "[batch, length, hidden]"));
    if (x->rank < 0 || !w || w->rank != 2)
        return infer_same(ctx);
    int64_t y[3] = {x->dims[0], x->dims[1], w->dims[1]};
    return adept_infer_out(ctx, 0, x->dtype, 3, y);
}

/* --- com.microsoft: attention on projected inputs --- */

/* Key or value: [B, L, N h] or [B, N, L, h]; packed key and value [B, L, N, 2, h]. */
static bool read_kv(const adept_shape *x, int64_t heads_n, heads *out) {
    if (!x || x->rank < 3)
        return false;
    if (x->rank == 3)
        *out = (heads){x->dims[0], heads_n, x->dims[1], x->dims[2] / heads_n};
    else if (x->rank == 4)
        *out = (heads){x->dims[0], x->dims[1], x->dims[2], x->dims[3]};
    else
        *out = (heads){x->dims[0], x->dims[2], x->dims[1], x->dims[4]};
    return true;
}

static adept_status present(adept_infer *ctx, int32_t output, const adept_shape *past, const heads *kv,
                            bool shared) {
    int64_t total = kv->length;
    if (past && past->rank == 4 && shared)
        return adept_infer_out_like(ctx, output, past);
    if (past && past->rank == 4 && !adept_add_i64(past->dims[2], kv->length, &total))
        return adept_infer_overflow(ctx);
    int64_t dims[4] = {kv->batch, kv->heads, total, kv->size};
    return adept_infer_out(ctx, output, dims_type(ctx, 0), 4, dims);
}

/*
 * query [B, S, N h] or packed [B, S, N, 3, h]; output [B, S, N h_v], present key and value, scores.
 * The caches are inputs past and past + 1.
 */
static adept_status multi_head(adept_infer *ctx, int32_t past_input, bool shared) {
    const adept_shape *q = adept_infer_in(ctx, 0), *value = adept_infer_in(ctx, 2);
    int64_t heads_n, hidden;
    heads k, v;
    INFER_TRY(read_num_heads(ctx, &heads_n));
    if (q->rank < 0)
        return adept_infer_out_unknown(ctx, 0, q->dtype);
    if (q->rank != 3 && q->rank != 5)
        return adept_infer_fail(
            ctx, "query has shape %s, expected [batch, length, hidden] or packed with 5 dimensions",
            dims_input_text(ctx, 0));
    bool packed = q->rank == 5 || !read_kv(adept_infer_in(ctx, 1), heads_n, &k);
    if (packed && q->rank == 5)
        k = (heads){q->dims[0], q->dims[2], q->dims[1], q->dims[4]};
    else if (packed)
        k = (heads){q->dims[0], heads_n, q->dims[1], q->dims[2] / heads_n};
    if (!read_kv(value, heads_n, &v))
        v = k;
    if (!adept_mul_i64(heads_n, v.size, &hidden))
        return adept_infer_overflow(ctx);
    int64_t y[3] = {q->dims[0], q->dims[1], hidden};
    INFER_TRY(adept_infer_out(ctx, 0, q->dtype, 3, y));
    INFER_TRY(present(ctx, 1, adept_infer_in(ctx, past_input), &k, shared));
    INFER_TRY(present(ctx, 2, adept_infer_in(ctx, past_input + 1), &v, shared));
    const adept_shape *past = adept_infer_in(ctx, past_input);
    int64_t scores[4] = {q->dims[0], heads_n, q->dims[1], k.length};
    if (past && past->rank == 4)
        scores[3] = past->dims[2];
    if (past && past->rank == 4 && !shared && !adept_add_i64(scores[3], k.length, &scores[3]))
        return adept_infer_overflow(ctx);
    return adept_infer_out(ctx, 3, q->dtype, 4, scores);
}

adept_status infer_multi_head_attention(adept_infer *ctx) {
    bool shared = adept_infer_in(ctx, 8) != NULL; /* past_sequence_length: caches have their largest size */
    return multi_head(ctx, 6, shared);
}

adept_status infer_multi_head_attention_masked(adept_infer *ctx) {
    return multi_head(ctx, 5, adept_infer_int(ctx, "past_present_share_buffer", 0) != 0);
}

/* query [tokens, N h] or packed [tokens, N, 3, h] */
adept_status infer_packed_multi_head_attention(adept_infer *ctx) {
    const adept_shape *q = adept_infer_in(ctx, 0), *value = adept_infer_in(ctx, 2);
    if (q->rank < 0)
        return adept_infer_out_unknown(ctx, 0, q->dtype);
    int64_t y[2] = {q->rank ? q->dims[0] : 0, 0};
    if (q->rank == 4)
        y[1] = q->dims[1] * q->dims[3];
    else if (q->rank == 2)
        y[1] = value && value->rank == 2 ? value->dims[1] : q->dims[1];
    else
        return adept_infer_fail(ctx,
                                "query has shape %s, expected [tokens, hidden] or [tokens, heads, 3, size]",
                                dims_input_text(ctx, 0));
    return adept_infer_out(ctx, 0, q->dtype, 2, y);
}

/*
 * Grouped heads. query [B, S, N h], or query, key and value side by side [B, S, (N + 2 N_kv) h] when key is
 * left out. Caches [B, N_kv, P, h] grow by S, or are as long as total_sequence_length (input 6) when that
 * is known.
 */
adept_status infer_group_query_attention(adept_infer *ctx) {
    const adept_shape *q = adept_infer_in(ctx, 0), *key = adept_infer_in(ctx, 1);
    const adept_shape *past = adept_infer_in(ctx, 3);
    int64_t heads_n, kv_heads, size, total;
    INFER_TRY(read_num_heads(ctx, &heads_n));
    INFER_TRY(read_count(ctx, "kv_num_heads", &kv_heads));
    INFER_TRY(dims_want_rank(ctx, 0, 3, "[batch, length, hidden]"));
    if (q->rank < 0)
        return adept_infer_out_unknown(ctx, 0, q->dtype);
    if (heads_n % kv_heads != 0)
        return adept_infer_fail(ctx, "%" PRId64 " query heads do not share %" PRId64 " key heads evenly",
                                heads_n, kv_heads);
    size = key ? q->dims[2] / heads_n : q->dims[2] / (heads_n + 2 * kv_heads);
    int64_t y[3] = {q->dims[0], q->dims[1], size * heads_n};
    INFER_TRY(adept_infer_out(ctx, 0, q->dtype, 3, y));
    int64_t cached = past && past->rank == 4 ? past->dims[2] : 0, length = q->dims[1];
    adept_certainty certainty = ADEPT_EXACT;
    if (fold_scalar(ctx, 6, &total)) {
        length = total > cached ? total : cached;
    } else if (!adept_add_i64(length, cached, &length)) {
        return adept_infer_overflow(ctx);
    } else if (cached > 0) {
        certainty = ADEPT_BOUND; /* a cache of the largest size does not grow */
    }
    int64_t dims[4] = {q->dims[0], kv_heads, length, size};
    adept_dtype type = past ? past->dtype : q->dtype;
    INFER_TRY(dims_out(ctx, 1, type, 4, dims, certainty));
    return dims_out(ctx, 2, type, 4, dims, certainty);
}

/* Output like the query's positions; the caches are written in place. */
static adept_status cached_attention(adept_infer *ctx, int32_t caches) {
    const adept_shape *q = adept_infer_in(ctx, 0), *key = adept_infer_in(ctx, 1);
    int64_t heads_n, kv_heads;
    INFER_TRY(read_num_heads(ctx, &heads_n));
    INFER_TRY(read_count(ctx, "kv_num_heads", &kv_heads));
    if (q->rank < 1)
        return adept_infer_out_unknown(ctx, 0, q->dtype);
    int64_t *dims = dims_copy(ctx, q->rank, q->dims);
    if (!dims)
        return dims_no_memory(ctx);
    if (!key && adept_infer_int(ctx, "v_head_size", 0) <= 0) /* query, key and value side by side */
        dims[q->rank - 1] = dims[q->rank - 1] / (heads_n + 2 * kv_heads) * heads_n;
    INFER_TRY(adept_infer_out(ctx, 0, q->dtype, q->rank, dims));
    for (int32_t i = 0; i < 2; i++)
        if (adept_infer_in(ctx, caches + i))
            INFER_TRY(adept_infer_out_like(ctx, 1 + i, adept_infer_in(ctx, caches + i)));
    return ADEPT_OK;
}

adept_status infer_sparse_attention(adept_infer *ctx) {
    return cached_attention(ctx, 3);
}

/* In the layout LATENT the heads of the output may be narrower: v_head_size. */
adept_status infer_paged_attention(adept_infer *ctx) {
    const adept_shape *q = adept_infer_in(ctx, 0);
    int64_t heads_n, size = adept_infer_int(ctx, "v_head_size", 0), hidden;
    INFER_TRY(cached_attention(ctx, 3));
    if (size <= 0 || q->rank != 2)
        return ADEPT_OK;
    INFER_TRY(read_num_heads(ctx, &heads_n));
    if (!adept_mul_i64(heads_n, size, &hidden))
        return adept_infer_overflow(ctx);
    int64_t dims[2] = {q->dims[0], hidden};
    return adept_infer_out(ctx, 0, q->dtype, 2, dims);
}

/* query [S, B, H], key [L, B, H]; caches [B, N, L, h] */
adept_status infer_decoder_attention(adept_infer *ctx) {
    const adept_shape *q = adept_infer_in(ctx, 0), *k = adept_infer_in(ctx, 1);
    int64_t heads_n;
    INFER_TRY(read_num_heads(ctx, &heads_n));
    INFER_TRY(infer_same(ctx));
    if (q->rank != 3 || k->rank != 3)
        return ADEPT_OK;
    const adept_shape *cache = adept_infer_in(ctx, 6);
    int64_t length;
    if (!adept_add_i64(k->dims[0], cache && cache->rank == 4 ? cache->dims[2] : 0, &length))
        return adept_infer_overflow(ctx);
    int64_t dims[4] = {q->dims[1], heads_n, length, q->dims[2] / heads_n};
    INFER_TRY(dims_out(ctx, 1, q->dtype, 4, dims, ADEPT_BOUND));
    return dims_out(ctx, 2, q->dtype, 4, dims, ADEPT_BOUND);
}

adept_status infer_ms_rotary_embedding(adept_infer *ctx) {
    return infer_same(ctx);
}

/* emb, q, q rotated, k, k rotated to the two sums. */
adept_status infer_gemma_rotary_embedding(adept_infer *ctx) {
    INFER_TRY(adept_infer_out_like(ctx, 0, adept_infer_in(ctx, 1)));
    return adept_infer_out_like(ctx, 1, adept_infer_in(ctx, 3));
}

/* --- position biases --- */

/* table [buckets, N], S, L to [1, N, S, L] */
adept_status infer_relative_position_bias(adept_infer *ctx) {
    const adept_shape *table = adept_infer_in(ctx, 0);
    int64_t query, key;
    bool known = fold_scalar(ctx, 1, &query) && fold_scalar(ctx, 2, &key);
    if (table->rank != 2)
        return adept_infer_out_unknown(ctx, 0, table->dtype);
    if (!known)
        query = key = dims_assume(ctx, "length", ASSUMED_LENGTH, "the lengths are computed data");
    int64_t dims[4] = {1, table->dims[1], query, key};
    return dims_out(ctx, 0, table->dtype, 4, dims, known ? ADEPT_EXACT : ADEPT_ASSUMED);
}

/* query [B, S, N h] and positions [1, N, S, S] to [B, N, S, S]; packed queries name B by token_offset [B, S].
 */
adept_status infer_gated_relative_position_bias(adept_infer *ctx) {
    const adept_shape *q = adept_infer_in(ctx, 0), *positions = adept_infer_in(ctx, 2),
                      *offset = adept_infer_in(ctx, 6);
    if (q->rank < 1 || positions->rank != 4)
        return adept_infer_out_unknown(ctx, 0, q->dtype);
    int64_t batch = q->rank == 3 ? q->dims[0] : offset && offset->rank == 2 ? offset->dims[0] : 1;
    int64_t dims[4] = {batch, positions->dims[1], positions->dims[2], positions->dims[3]};
    return adept_infer_out(ctx, 0, q->dtype, 4, dims);
}
