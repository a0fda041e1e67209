/* Work and memory of one optimizer step (design.md section 2; thesis eqs 4.4, 4.5). */
#ifndef ADEPT_OPTIMIZER_H
#define ADEPT_OPTIMIZER_H

#include "adept/workload.h"

/* parameters: trainable elements; tensors: trainable tensors; gradient_B: bytes of one gradient element. */
adept_kernel adept_optimizer_kernel(const adept_run *run, double parameters, double tensors,
                                    double gradient_B);

/*
 * The gradient scaler of FP16 mixed precision: unscales every gradient in place and looks for infinities
 * (torch.amp.GradScaler: _amp_foreach_non_finite_check_and_unscale_). False: the run has none.
 */
bool adept_scaler_kernel(adept_kernel *out, const adept_run *run, double parameters, double tensors,
                         double gradient_B);

/* Bytes of optimizer state per trainable parameter; master: an FP32 copy of 16-bit weights is kept too. */
double adept_optimizer_state_B(const adept_run *run, bool master);

#endif
