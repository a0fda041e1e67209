/*
 * Recurrent layers: LSTM, GRU, RNN.
 *
 * Shapes    X [T,B,I] (layout 1: [B,T,I]); W [D, G*H, I]; R [D, G*H, H]; initial state [D,B,H] or absent;
 *           G gates (LSTM 4, GRU 3, RNN 1), D directions
 * Forward   per direction one product for all inputs, 2*T*B*I*G*H, and one for every time step, 2*B*H*G*H
 * Backward  each of the four gradients (inputs, W, states, R) costs its product, except the first state's
 *           where the initial state needs none
 * Kernels   a fused library layer: one projection, one recurrent kernel with T dependent steps per direction
 * Source    equal to PyTorch's flop counter on the decomposed layer
 */
#include "checked.h"
#include "count_functions.h"
#include "count_work.h"

typedef struct layer {
    int64_t directions, gates, steps, batch, input, hidden;
    int64_t rows; /* steps * batch */
    double element_B;
    bool initial_grad, input_grad;
} layer;

static adept_status read_layer(adept_count *ctx, int64_t gates, layer *l) {
    const adept_shape *x = adept_count_in(ctx, 0), *r = adept_count_in(ctx, 2);
    *l = (layer){0};
    if (!x || !r || x->rank != 3 || r->rank != 3)
        return ADEPT_OK;
    bool batch_first = adept_count_attr_int(ctx, "layout", 0) != 0;
    *l = (layer){.directions = r->dims[0],
                 .gates = gates,
                 .steps = x->dims[batch_first ? 1 : 0],
                 .batch = x->dims[batch_first ? 0 : 1],
                 .input = x->dims[2],
                 .hidden = adept_count_attr_int(ctx, "hidden_size", r->dims[2]),
                 .element_B = adept_count_in_element_B(ctx, 0),
                 .initial_grad = adept_count_needs_grad(ctx, 5),
                 .input_grad = adept_count_needs_grad(ctx, 0)};
    int64_t gate_rows;
    if (!adept_mul_i64(l->steps, l->batch, &l->rows) || !adept_mul_i64(gates, l->hidden, &gate_rows))
        return adept_count_fail(ctx, ADEPT_RANGE, "%lld steps of %lld samples overflow", (long long)l->steps,
                                (long long)l->batch);
    return ADEPT_OK;
}

typedef enum target { PROJECTED, INPUTS, WEIGHTS } target; /* what a product writes */

/* The projection of all inputs at once, or one of its two gradients. */
static void project(adept_count *ctx, adept_pass pass, const layer *l, target wanted, adept_gemm dims) {
    double x_B = (double)l->rows * (double)l->input * l->element_B;
    double w_B = adept_count_in_B(ctx, 1);
    double y_B = (double)l->directions * (double)l->rows * (double)(l->gates * l->hidden) * l->element_B;
    double write_B = wanted == PROJECTED ? y_B : wanted == WEIGHTS ? w_B : x_B;
    adept_kernel *kernel = adept_work_gemm(ctx, pass, &dims, x_B + w_B + y_B - write_B, write_B);
    kernel->launches = (double)l->directions;
}

/* The dependent part: `steps` products of all directions, gates and states around them. */
static void recur(adept_count *ctx, adept_pass pass, const layer *l, double steps, double alu_flop) {
    int64_t gate_rows = l->gates * l->hidden;
    adept_kernel *kernel = adept_count_emit(ctx, pass, ADEPT_KERNEL_RECURRENT);
    kernel->gemm.batch = l->directions;
    kernel->gemm.m = l->batch;
    kernel->gemm.n = gate_rows;
    kernel->gemm.k = l->hidden;
    kernel->gemm_flop =
        2.0 * (double)l->directions * steps * (double)l->batch * (double)gate_rows * (double)l->hidden;
    kernel->alu_flop = alu_flop;
    kernel->steps = (double)(l->steps > 0 ? l->steps : 1);
    double states_B = (double)l->directions * (double)l->rows * (double)l->hidden * l->element_B;
    double gates_B = states_B * (double)l->gates;
    kernel->elements = (double)l->directions * (double)l->rows * (double)l->hidden;
    kernel->read_B = gates_B + adept_count_in_B(ctx, 2) + (pass == ADEPT_PASS_BACKWARD ? 2 * states_B : 0);
    kernel->write_B = pass == ADEPT_PASS_BACKWARD ? gates_B : states_B * 2;
    kernel->launches = (double)l->directions;
}

static void emit_backward(adept_count *ctx, const layer *l, double alu_flop) {
    int64_t gate_rows = l->gates * l->hidden;
    double skipped = l->initial_grad || l->steps < 1 ? 0 : 1;
    recur(ctx, ADEPT_PASS_BACKWARD, l, (double)l->steps - skipped, alu_flop);
    if (adept_count_needs_grad(ctx, 2))
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){l->directions, gate_rows, l->hidden, l->rows},
                        (double)l->directions * (double)l->rows * (double)(gate_rows + l->hidden) *
                            l->element_B,
                        adept_count_in_B(ctx, 2));
    if (l->input_grad)
        project(ctx, ADEPT_PASS_BACKWARD, l, INPUTS,
                (adept_gemm){l->directions, l->rows, l->input, gate_rows});
    if (adept_count_needs_grad(ctx, 1))
        project(ctx, ADEPT_PASS_BACKWARD, l, WEIGHTS,
                (adept_gemm){l->directions, gate_rows, l->input, l->rows});
    if (adept_count_needs_grad(ctx, 3)) {
        double elements = (double)l->directions * (double)l->rows * (double)gate_rows;
        adept_work_reduce(ctx, ADEPT_PASS_BACKWARD, elements, elements * l->element_B,
                          adept_count_in_B(ctx, 3));
    }
}

/* kept: tensors of one state a step that autograd holds on to; the initial state counts as one of them. */
static adept_status count_layer(adept_count *ctx, int64_t gates, double kept, double initial) {
    layer l;
    adept_status status = read_layer(ctx, gates, &l);
    if (status != ADEPT_OK || l.directions < 1)
        return status;
    double states = (double)l.directions * (double)l.rows * (double)l.hidden;
    double first = initial * (double)l.directions * (double)l.batch * (double)l.hidden;
    double alu = adept_work_alu(ctx, ADEPT_PASS_FORWARD) * states;
    project(ctx, ADEPT_PASS_FORWARD, &l, PROJECTED,
            (adept_gemm){l.directions, l.rows, l.gates * l.hidden, l.input});
    recur(ctx, ADEPT_PASS_FORWARD, &l, (double)l.steps, alu);
    adept_count_workspace(ctx, states * (double)l.gates * l.element_B);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    adept_count_save_extra(ctx, (kept * states + first) * l.element_B);
    emit_backward(ctx, &l, adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * states);
    return ADEPT_OK;
}

/* Four gates, the cell state before and after its tanh, the state before the step. */
adept_status count_lstm(adept_count *ctx) {
    return count_layer(ctx, 4, 7, 0);
}

/* Two gates, the candidate, its difference to the state, and the recurrent products it comes from. */
adept_status count_gru(adept_count *ctx) {
    return count_layer(ctx, 3, 7, 0);
}

/* The state after the step, which the next one reads; the initial state besides. */
adept_status count_rnn(adept_count *ctx) {
    return count_layer(ctx, 1, 1, 1);
}
