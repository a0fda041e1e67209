#include "optimizer.h"

#include <math.h>

/*
 * Update rules, per parameter. flop: arithmetic of the rule (Adam, AdamW: 18, thesis eq 4.4). Reads and
 * writes count FP32 words of theta and the states; the gradient is read in its own type besides.
 * loop_kernels: elementwise kernels per parameter tensor that PyTorch's for-loop implementation launches
 * (torch.optim: SGD one add_, momentum mul_+add_ and add_, Adam lerp, mul_+addcmul_, sqrt/div, add, addcdiv,
 * AdamW one more for the decay). foreach launches the same kernels over chunks of tensors.
 */
typedef struct optimizer_row {
    double flop, reads, writes, state_words, loop_kernels;
} optimizer_row;

static const optimizer_row rows[ADEPT_OPTIMIZER_COUNT] = {
    [ADEPT_OPTIMIZER_NONE] = {0,  0, 0, 0, 0},
      [ADEPT_OPTIMIZER_SGD] = {2,  1, 1, 0, 1},
    [ADEPT_OPTIMIZER_SGD_MOMENTUM] = {4,  2, 2, 1, 2},
      [ADEPT_OPTIMIZER_ADAM] = {18, 3, 3, 2, 5},
    [ADEPT_OPTIMIZER_ADAMW] = {18, 3, 3, 2, 6},
};

/* torch's multi-tensor apply passes at most 110 tensors (depth 1) to 36 (depth 4) to one launch. */
enum { FOREACH_TENSORS_PER_LAUNCH = 36 };

static double launches_of(const adept_run *run, const optimizer_row *row, double tensors) {
    switch (run->optimizer_impl) {
    case ADEPT_IMPL_FOR_LOOP:
        return row->loop_kernels * tensors;
    case ADEPT_IMPL_FUSED:
        return ceil(tensors / FOREACH_TENSORS_PER_LAUNCH);
    default:
        return row->loop_kernels * ceil(tensors / FOREACH_TENSORS_PER_LAUNCH);
    }
}

adept_kernel adept_optimizer_kernel(const adept_run *run, double parameters, double tensors,
                                    double gradient_B) {
    const optimizer_row *row = &rows[run->optimizer];
    const double word_B = 4;
    return (adept_kernel){
        .pass = ADEPT_PASS_OPTIMIZER,
        .kind = ADEPT_KERNEL_OPTIMIZER,
        .math = ADEPT_MATH_FP32,
        .alu_flop = row->flop * parameters,
        .read_B = (row->reads * word_B + (row->reads > 0 ? gradient_B : 0)) * parameters,
        .write_B = row->writes * word_B * parameters,
        .launches = launches_of(run, row, tensors),
        .elements = parameters,
        .element_B = word_B,
        .steps = 1,
    };
}

bool adept_scaler_kernel(adept_kernel *out, const adept_run *run, double parameters, double tensors,
                         double gradient_B) {
    if (run->precision != ADEPT_PRECISION_FP16_AMP)
        return false;
    *out = (adept_kernel){
        .pass = ADEPT_PASS_OPTIMIZER,
        .kind = ADEPT_KERNEL_ELEMENTWISE,
        .math = ADEPT_MATH_FP32,
        .alu_flop = 2 * parameters,
        .read_B = gradient_B * parameters,
        .write_B = gradient_B * parameters,
        .launches = ceil(tensors / FOREACH_TENSORS_PER_LAUNCH),
        .elements = parameters,
        .element_B = gradient_B,
        .steps = 1,
    };
    return true;
}

double adept_optimizer_state_B(const adept_run *run, bool master) {
    return 4 * (rows[run->optimizer].state_words + (master ? 1 : 0));
}
