/* What the count functions share: emitting passes over elements, reductions and matrix products. */
#ifndef ADEPT_COUNT_WORK_H
#define ADEPT_COUNT_WORK_H

#include "count.h"
#include "count_traffic.h"

/* One kernel over elements: bytes read and written, FLOP on general cores. */
adept_kernel *adept_work_pass(adept_count *ctx, adept_pass pass, adept_kernel_kind kind, double elements,
                              double read_B, double write_B, double alu_flop);

/* Backward pass by policy: elements * element_B * traffic, of which one write. Nothing for NONE. */
void adept_work_backward(adept_count *ctx, adept_kernel_kind kind, adept_traffic_code code, double elements,
                         double element_B, double alu_flop);

/* Sums a gradient of large_B bytes (elements) down to small_B bytes: broadcast operands, biases. */
void adept_work_reduce(adept_count *ctx, adept_pass pass, double elements, double large_B, double small_B);

typedef struct adept_gemm {
    int64_t batch, m, n, k;
} adept_gemm;

double adept_gemm_flop(const adept_gemm *dims); /* 2 * batch * m * n * k */

/* One matrix product. */
adept_kernel *adept_work_gemm(adept_count *ctx, adept_pass pass, const adept_gemm *dims, double read_B,
                              double write_B);

/* Product of dims [first, last) of a shape. Errors    RANGE */
adept_status adept_work_product(adept_count *ctx, const adept_shape *shape, int32_t first, int32_t last,
                                int64_t *out);

/* Sums over all inputs and outputs; inputs of at most one element count nothing. */
double adept_work_inputs_B(const adept_count *ctx);
double adept_work_outputs_B(const adept_count *ctx);

/* ALU FLOP per element of the operator's row. */
double adept_work_alu(const adept_count *ctx, adept_pass pass);

/* An operator with one value that never changes: exporters write scalars as such. */
bool adept_work_is_scalar_constant(const adept_count *ctx, int32_t input);

#endif
