/* Operators of onnxruntime (com.microsoft) that belong to no other family. Source: ContribOperators.md. */
#include "infer_functions.h"

#include <inttypes.h>

#include "checked.h"
#include "infer_dims.h"
#include "infer_fold.h"

/* --- normalisations with something added --- */

/* input, skip, gamma, ..: y; mean and 1 / deviation [.., 1] in FLOAT; the sum before normalisation. */
adept_status infer_skip_layer_normalization(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *gamma = adept_infer_in(ctx, 2);
    INFER_TRY(infer_same(ctx));
    INFER_TRY(adept_infer_out_like(ctx, 3, x));
    if (x->rank < 1)
        return ADEPT_OK;
    if (gamma->rank == 1 && gamma->dims[0] != x->dims[x->rank - 1] && dims_exact(ctx))
        return adept_infer_fail(ctx, "input has %" PRId64 " features, gamma %" PRId64, x->dims[x->rank - 1],
                                gamma->dims[0]);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    dims[x->rank - 1] = 1;
    INFER_TRY(adept_infer_out(ctx, 1, ADEPT_DTYPE_FLOAT, x->rank, dims));
    return adept_infer_out(ctx, 2, ADEPT_DTYPE_FLOAT, x->rank, dims);
}

/* ids [B, S], ids, word table [V, H], .. to [B, S, H], mask index [B], sum [B, S, H]. */
adept_status infer_embed_layer_normalization(adept_infer *ctx) {
    const adept_shape *ids = adept_infer_in(ctx, 0), *words = adept_infer_in(ctx, 2);
    adept_dtype dtype = words ? words->dtype : ADEPT_DTYPE_FLOAT;
    if (!adept_dtype_is_float(dtype)) /* quantized tables */
        dtype = ADEPT_DTYPE_FLOAT;
    INFER_TRY(dims_want_rank(ctx, 0, 2, "[batch, length]"));
    if (ids->rank < 0 || !words || words->rank != 2)
        return adept_infer_out_unknown(ctx, 0, dtype);
    int64_t dims[3] = {ids->dims[0], ids->dims[1], words->dims[1]};
    INFER_TRY(adept_infer_out(ctx, 0, dtype, 3, dims));
    INFER_TRY(adept_infer_out(ctx, 1, ADEPT_DTYPE_INT32, 1, dims));
    return adept_infer_out(ctx, 2, dtype, 3, dims);
}

/* Output, and the sum that was normalised. */
adept_status infer_skip_group_norm(adept_infer *ctx) {
    INFER_TRY(infer_same(ctx));
    return adept_infer_out_like(ctx, 1, adept_infer_in(ctx, 0));
}

/* --- biases --- */

/* x [.., C], bias [C], skip [.., C] */
adept_status infer_bias_add(adept_infer *ctx) {
    return infer_same(ctx);
}

/* [.., 2 D] to [.., D] */
adept_status infer_bias_split_gelu(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank < 1)
        return infer_same(ctx);
    int64_t *dims = dims_copy(ctx, x->rank, x->dims);
    if (!dims)
        return dims_no_memory(ctx);
    dims[x->rank - 1] /= 2;
    return adept_infer_out(ctx, 0, x->dtype, x->rank, dims);
}

adept_status infer_bias_dropout(adept_infer *ctx) {
    INFER_TRY(infer_same(ctx));
    return dims_out_typed(ctx, 1, 0, ADEPT_DTYPE_BOOL);
}

/* The mask has one bit for each element, in words of 32. */
adept_status infer_bitmask_dropout(adept_infer *ctx) {
    int64_t elements = fold_elements(adept_infer_in(ctx, 0));
    INFER_TRY(infer_same(ctx));
    if (elements < 0)
        return adept_infer_out_unknown(ctx, 1, ADEPT_DTYPE_UINT32);
    int64_t words = elements / 32 + (elements % 32 != 0);
    return adept_infer_out(ctx, 1, ADEPT_DTYPE_UINT32, 1, &words);
}

/* --- padding of sequences --- */

/* x [B, S, H], tokens of each [B] to [tokens, H], offsets [B, S], starts [B + 1], longest [1]. */
adept_status infer_remove_padding(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t one = 1, tokens, starts;
    INFER_TRY(dims_want_rank(ctx, 0, 3, "[batch, length, hidden]"));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(dims_product(ctx, x->dims, 0, 2, &tokens));
    if (!adept_add_i64(x->dims[0], 1, &starts))
        return adept_infer_overflow(ctx);
    INFER_TRY(adept_infer_out(ctx, 1, ADEPT_DTYPE_INT32, 2, x->dims));
    INFER_TRY(adept_infer_out(ctx, 2, ADEPT_DTYPE_INT32, 1, &starts));
    INFER_TRY(adept_infer_out(ctx, 3, ADEPT_DTYPE_INT32, 1, &one));
    tokens = dims_assume_bound(ctx, "tokens", tokens, "how many tokens are no padding is computed data");
    int64_t y[2] = {tokens, x->dims[2]};
    return dims_out(ctx, 0, x->dtype, 2, y, ADEPT_BOUND);
}

/* x [tokens, H], offsets [B, S] to [B, S, H] */
adept_status infer_restore_padding(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0), *offset = adept_infer_in(ctx, 1);
    if (x->rank != 2 || offset->rank != 2)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    int64_t dims[3] = {offset->dims[0], offset->dims[1], x->dims[1]};
    return adept_infer_out(ctx, 0, x->dtype, 3, dims);
}

/* --- others --- */

adept_status infer_inverse(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    if (x->rank >= 0 && (x->rank < 2 || (x->dims[x->rank - 1] != x->dims[x->rank - 2] && dims_exact(ctx))))
        return adept_infer_fail(ctx, "input has shape %s, expected square matrices", dims_input_text(ctx, 0));
    return infer_same(ctx);
}

adept_status infer_is_all_finite(adept_infer *ctx) {
    return adept_infer_out(ctx, 0, ADEPT_DTYPE_BOOL, 0, NULL);
}

/* Distances of all rows [m, k], [n, k] to [m, n] */
adept_status infer_cdist(adept_infer *ctx) {
    const adept_shape *a = adept_infer_in(ctx, 0), *b = adept_infer_in(ctx, 1);
    INFER_TRY(dims_want_rank(ctx, 0, 2, "a matrix"));
    INFER_TRY(dims_want_rank(ctx, 1, 2, "a matrix"));
    if (a->rank < 0 || b->rank < 0)
        return adept_infer_out_unknown(ctx, 0, a->dtype);
    if (a->dims[1] != b->dims[1] && dims_exact(ctx))
        return adept_infer_fail(ctx, "rows of %" PRId64 " and %" PRId64 " elements", a->dims[1], b->dims[1]);
    int64_t dims[2] = {a->dims[0], b->dims[0]};
    return adept_infer_out(ctx, 0, a->dtype, 2, dims);
}

adept_status infer_murmur_hash3(adept_infer *ctx) {
    return dims_out_typed(ctx, 0, 0,
                          adept_infer_int(ctx, "positive", 1) ? ADEPT_DTYPE_UINT32 : ADEPT_DTYPE_INT32);
}

/* key, query [B, S, M, H], value [B, S, H], ..: the gated value [B, S, M, H], and normalised. */
adept_status infer_engram_gate(adept_infer *ctx) {
    INFER_TRY(infer_same(ctx));
    return adept_infer_out_like(ctx, 1, adept_infer_in(ctx, 0));
}

/*
 * ids [B, S] (packed: [tokens]) to hashes [.., (n - 1) heads] of all n-grams up to n, and the last n - 1 ids
 * of each sequence. Input 3 of the packed form holds the starts of the sequences [B + 1].
 */
adept_status infer_ngram_hash_mapping(adept_infer *ctx) {
    const adept_shape *ids = adept_infer_in(ctx, 0), *starts = adept_infer_in(ctx, 3);
    int64_t longest, heads_n, hashes;
    INFER_TRY(dims_need_int(ctx, "max_ngram_size", &longest));
    INFER_TRY(dims_need_int(ctx, "n_head_per_ngram", &heads_n));
    if (ids->rank < 1)
        return adept_infer_out_unknown(ctx, 0, ids->dtype);
    if (longest < 2 || heads_n < 1 || !adept_mul_i64(longest - 1, heads_n, &hashes))
        return adept_infer_fail(ctx, "%" PRId64 "-grams with %" PRId64 " heads", longest, heads_n);
    int64_t *dims = dims_new(ctx, ids->rank + 1), batch = ids->dims[0];
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, ids->dims, ids->rank);
    dims[ids->rank] = hashes;
    INFER_TRY(adept_infer_out(ctx, 0, ids->dtype, ids->rank + 1, dims));
    if (ids->rank == 1)
        batch = starts && starts->rank == 1 && starts->dims[0] > 0 ? starts->dims[0] - 1 : 1;
    int64_t last[2] = {batch, longest - 1};
    INFER_TRY(adept_infer_out(ctx, 1, ids->dtype, 2, last));
    return adept_infer_out(ctx, 2, ADEPT_DTYPE_INT32, 2, last);
}

/* ids, scores to scores */
adept_status infer_ngram_repeat_block(adept_infer *ctx) {
    return adept_infer_out_like(ctx, 0, adept_infer_in(ctx, 1));
}

/* table [V, E], indices [..] to [.., E] */
adept_status infer_torch_embedding(adept_infer *ctx) {
    const adept_shape *table = adept_infer_in(ctx, 0), *indices = adept_infer_in(ctx, 1);
    if (table->rank != 2 || indices->rank < 0)
        return adept_infer_out_unknown(ctx, 0, table->dtype);
    int64_t *dims = dims_new(ctx, indices->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, indices->dims, indices->rank);
    dims[indices->rank] = table->dims[1];
    return adept_infer_out(ctx, 0, table->dtype, indices->rank + 1, dims);
}

/* Windows of an axis: its size becomes their number, their size is a new last axis. */
adept_status infer_unfold_tensor(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t size, step = adept_infer_int(ctx, "step", 1);
    int32_t axis;
    INFER_TRY(dims_need_int(ctx, "size", &size));
    if (x->rank < 0)
        return adept_infer_out_unknown(ctx, 0, x->dtype);
    INFER_TRY(adept_infer_axis(ctx, adept_infer_int(ctx, "dim", -1), x->rank, &axis));
    if (step < 1 || size < 0 || (size > x->dims[axis] && dims_exact(ctx)))
        return adept_infer_fail(ctx,
                                "windows of %" PRId64 " every %" PRId64 " do not fit an axis of %" PRId64,
                                size, step, x->dims[axis]);
    int64_t *dims = dims_new(ctx, x->rank + 1);
    if (!dims)
        return dims_no_memory(ctx);
    dims_put(dims, x->dims, x->rank);
    dims[axis] = size > x->dims[axis] ? 0 : (x->dims[axis] - size) / step + 1;
    dims[x->rank] = size;
    return adept_infer_out(ctx, 0, x->dtype, x->rank + 1, dims);
}

/* words [S, characters], convolution weight [filters, ..] to [S, filters] */
adept_status infer_word_conv_embedding(adept_infer *ctx) {
    const adept_shape *words = adept_infer_in(ctx, 0), *w = adept_infer_in(ctx, 1);
    if (words->rank < 1 || w->rank < 1)
        return adept_infer_out_unknown(ctx, 0, dims_type(ctx, 1));
    int64_t dims[2] = {words->dims[0], w->dims[0]};
    return adept_infer_out(ctx, 0, w->dtype, 2, dims);
}

/* A path through [1, M, N]: [2, at most M + N - 1] */
adept_status infer_dynamic_time_warping(adept_infer *ctx) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    int64_t dims[2] = {2, 0};
    if (x->rank < 2)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT32);
    if (!adept_add_i64(x->dims[x->rank - 2], x->dims[x->rank - 1], &dims[1]))
        return adept_infer_overflow(ctx);
    dims[1] = dims_assume_bound(ctx, "path", dims[1] > 0 ? dims[1] - 1 : 0,
                                "the length of the path is computed data");
    return dims_out(ctx, 0, ADEPT_DTYPE_INT32, 2, dims, ADEPT_BOUND);
}

/* source tokens, current tokens, .. to tokens so far, position in the source. */
adept_status infer_bifurcation_detector(adept_infer *ctx) {
    int64_t source = fold_elements(adept_infer_in(ctx, 0)), current = fold_elements(adept_infer_in(ctx, 1)),
            tokens;
    if (source < 0 || current < 0 || !adept_add_i64(source, current, &tokens) || tokens == INT64_MAX)
        return adept_infer_out_unknown(ctx, 0, ADEPT_DTYPE_INT64);
    tokens = dims_assume_bound(ctx, "tokens", tokens + 1, "how many tokens agree is computed data");
    INFER_TRY(dims_out(ctx, 0, ADEPT_DTYPE_INT64, 1, &tokens, ADEPT_BOUND));
    return adept_infer_out(ctx, 1, ADEPT_DTYPE_INT64, 0, NULL);
}

/*
 * BeamSearch, GreedySearch, Sampling: generation loops with the decoder as a subgraph. Sequences
 * [B, returned, longest] or [B, longest]; the loop itself is not costed.
 */
adept_status infer_beam_search(adept_infer *ctx) {
    const adept_shape *ids = adept_infer_in(ctx, 0);
    int64_t longest, returned = 1, batch = ids->rank > 0 ? ids->dims[0] : 1;
    bool beams = adept_infer_node(ctx)->op_type[0] == 'B' || adept_infer_node(ctx)->op_type[0] == 'W';
    adept_certainty certainty = ADEPT_BOUND;
    if (!fold_scalar(ctx, 1, &longest) || longest < 0) {
        longest = dims_assume(ctx, "longest", ASSUMED_LENGTH, "the length of the answer is computed data");
        certainty = ADEPT_ASSUMED;
    }
    if (beams && !fold_scalar(ctx, 4, &returned))
        returned = 1;
    int64_t answer[3] = {batch, returned, longest}, flat[2] = {batch, longest};
    INFER_TRY(dims_out(ctx, 0, ADEPT_DTYPE_INT32, beams ? 3 : 2, beams ? answer : flat, certainty));
    return dims_out(ctx, 1, ADEPT_DTYPE_FLOAT, 2, answer, certainty);
}

/* An operator whose outputs only its runtime knows. */
adept_status infer_unknown_outputs(adept_infer *ctx) {
    for (int32_t i = 0; i < adept_infer_outputs(ctx); i++)
        INFER_TRY(adept_infer_out_unknown(ctx, i, ADEPT_DTYPE_UNDEFINED));
    return ADEPT_OK;
}
