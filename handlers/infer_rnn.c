/* Recurrent layers. x [T, B, I] (layout 1: [B, T, I]), w [D, gates H, I], r [D, gates H, H]. */
#include "infer_functions.h"

#include <inttypes.h>
#include <string.h>

#include "infer_dims.h"

typedef struct recurrent {
    int64_t steps, batch, hidden, directions;
    bool batch_first;
} recurrent;

static adept_status check_weights(adept_infer *ctx, const recurrent *r, const adept_shape *x, int64_t gates) {
    const adept_shape *w = adept_infer_in(ctx, 1), *recurrence = adept_infer_in(ctx, 2);
    if (!dims_exact(ctx) || w->rank != 3 || recurrence->rank != 3)
        return ADEPT_OK;
    if (w->dims[0] != r->directions)
        return adept_infer_fail(
            ctx, "the weights are for %" PRId64 " directions, attribute 'direction' says %" PRId64,
            w->dims[0], r->directions);
    if (w->dims[2] != x->dims[2])
        return adept_infer_fail(ctx, "input has %" PRId64 " features, weight expects %" PRId64, x->dims[2],
                                w->dims[2]);
    bool whole = w->dims[1] % gates == 0 && recurrence->dims[1] % gates == 0;
    if (!whole || w->dims[1] / gates != r->hidden || recurrence->dims[1] / gates != r->hidden ||
        recurrence->dims[2] != r->hidden)
        return adept_infer_fail(ctx, "weights %s and %s do not fit a hidden size of %" PRId64,
                                dims_input_text(ctx, 1), dims_input_text(ctx, 2), r->hidden);
    return ADEPT_OK;
}

/* hidden_size, or what the recurrence weight says. */
static adept_status read_recurrent(adept_infer *ctx, int64_t gates, bool check, recurrent *r) {
    const adept_shape *x = adept_infer_in(ctx, 0), *recurrence = adept_infer_in(ctx, 2);
    const char *direction = adept_infer_string(ctx, "direction", "forward");
    r->batch_first = adept_infer_int(ctx, "layout", 0) != 0;
    r->steps = x->dims[r->batch_first];
    r->batch = x->dims[!r->batch_first];
    r->directions = strcmp(direction, "bidirectional") == 0 ? 2 : 1;
    r->hidden = adept_infer_int(ctx, "hidden_size", -1);
    if (r->hidden < 0 && recurrence && recurrence->rank == 3)
        r->hidden = check ? recurrence->dims[2] : recurrence->dims[1];
    if (r->hidden < 0)
        return adept_infer_fail(ctx, "required attribute 'hidden_size' is missing; re-export the model");
    return check ? check_weights(ctx, r, x, gates) : ADEPT_OK;
}

static adept_status recurrent_outputs(adept_infer *ctx, const recurrent *r) {
    adept_dtype dtype = dims_type(ctx, 0);
    int64_t all[4] = {r->steps, r->directions, r->batch, r->hidden};
    int64_t last[3] = {r->directions, r->batch, r->hidden};
    if (r->batch_first) {
        int64_t moved[4] = {r->batch, r->steps, r->directions, r->hidden};
        memcpy(all, moved, sizeof all);
        last[0] = r->batch;
        last[1] = r->directions;
    }
    INFER_TRY(adept_infer_out(ctx, 0, dtype, 4, all));
    INFER_TRY(adept_infer_out(ctx, 1, dtype, 3, last));
    return adept_infer_out(ctx, 2, dtype, 3, last);
}

static adept_status recur(adept_infer *ctx, int64_t gates, bool check) {
    const adept_shape *x = adept_infer_in(ctx, 0);
    recurrent r;
    INFER_TRY(dims_want_rank(ctx, 0, 3, "[steps, batch, features]"));
    if (x->rank < 0) {
        for (int32_t i = 0; i < adept_infer_outputs(ctx); i++)
            INFER_TRY(adept_infer_out_unknown(ctx, i, x->dtype));
        return ADEPT_OK;
    }
    INFER_TRY(read_recurrent(ctx, gates, check, &r));
    return recurrent_outputs(ctx, &r);
}

adept_status infer_rnn(adept_infer *ctx) {
    return recur(ctx, 1, true);
}

adept_status infer_gru(adept_infer *ctx) {
    return recur(ctx, 3, true);
}

adept_status infer_lstm(adept_infer *ctx) {
    return recur(ctx, 4, true);
}

/* com.microsoft: weights stored transposed, quantized. */
adept_status infer_dynamic_quantize_lstm(adept_infer *ctx) {
    return recur(ctx, 4, false);
}

/* com.microsoft, LSTM with attention over a memory: outputs as an LSTM's. */
adept_status infer_attn_lstm(adept_infer *ctx) {
    return recur(ctx, 4, false);
}
