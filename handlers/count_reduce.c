/*
 * Reductions, scans and sorts: read the input, write the (smaller) output. ALU FLOP per element of the input.
 * Backward by the traffic policy, in elements of the input; what is saved follows derivatives.yaml.
 */
#include "count_functions.h"
#include "count_work.h"

static adept_status reduce(adept_count *ctx, bool keeps_input, bool keeps_output, adept_traffic_code code) {
    double elements = adept_count_in_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_REDUCE, elements, adept_count_in_B(ctx, 0),
                    adept_count_out_B(ctx, 0), adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    if (keeps_input)
        adept_count_save_input(ctx, 0);
    if (keeps_output)
        adept_count_save_output(ctx, 0);
    adept_work_backward(ctx, ADEPT_KERNEL_ELEMENTWISE, code, elements, adept_count_in_element_B(ctx, 0),
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    return ADEPT_OK;
}

/* The gradient is expanded, which is a view. */
adept_status count_reduce_sum(adept_count *ctx) {
    return reduce(ctx, false, false, ADEPT_TRAFFIC_NONE);
}

adept_status count_reduce_mean(adept_count *ctx) {
    return reduce(ctx, false, false, ADEPT_TRAFFIC_MEAN);
}

adept_status count_reduce_extremum(adept_count *ctx) {
    return reduce(ctx, true, true, ADEPT_TRAFFIC_REDUCE_EXTREMUM);
}

adept_status count_reduce_square(adept_count *ctx) {
    return reduce(ctx, true, true, ADEPT_TRAFFIC_REDUCE_SQUARE);
}

adept_status count_reduce_log(adept_count *ctx) {
    return reduce(ctx, true, true, ADEPT_TRAFFIC_LOG_SUM_EXP);
}

adept_status count_arg(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_REDUCE, elements, adept_count_in_B(ctx, 0),
                    adept_work_outputs_B(ctx), adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    return ADEPT_OK;
}

/* CumSum, CumProd. */
adept_status count_scan(adept_count *ctx) {
    return reduce(ctx, false, false, ADEPT_TRAFFIC_SCAN);
}

/* TopK, Unique: a radix sort passes over the keys several times; the gradient is put back by index. */
adept_status count_sort(adept_count *ctx) {
    enum { SORT_PASSES = 4 }; /* 8-bit digits of 32-bit keys */
    double elements = adept_count_in_elements(ctx, 0), bytes = adept_count_in_B(ctx, 0);
    adept_kernel *kernel =
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SORT, elements, SORT_PASSES * bytes,
                        adept_work_outputs_B(ctx), adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    kernel->launches = 2;
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_output(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements, adept_work_outputs_B(ctx),
                    bytes + adept_count_out_B(ctx, 0), 0)
        ->launches = 2;
    return ADEPT_OK;
}
