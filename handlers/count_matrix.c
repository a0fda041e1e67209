/*
 * Matrix products.
 *
 * y = a b, a [.., M, K], b [.., K, N]. A 2-D operand against one with batch dimensions is one product with
 * the batch flattened into the rows (what PyTorch's matmul does with a Linear's input); two batched operands
 * are a batched product.
 * Forward   gemm 2*B*M*N*K FLOP; read a, b; write y
 * Backward  d_a = d_y b^T, d_b = a^T d_y: 2*B*M*N*K FLOP each, where needed; a broadcast operand's gradient
 *           is summed over the batch
 * Errors    RANGE if a product of dimensions overflows
 * Source    design.md section 2; equal to PyTorch's flop counter to the digit
 */
#include <string.h>

#include "checked.h"
#include "count_functions.h"
#include "count_work.h"

/* A product with its operands in place: rows come from input `left`, columns from input `right`. */
typedef struct product {
    adept_gemm dims;
    int32_t left, right;
    bool right_transposed; /* stored [N,K]: its gradient is computed in that layout */
} product;

/* The last two dimensions as a matrix, after an optional transposition; a vector is a row or a column. */
static void matrix_of(const adept_shape *shape, bool transposed, bool is_left, int64_t *rows,
                      int64_t *columns) {
    int32_t rank = shape->rank;
    int64_t last = rank > 0 ? shape->dims[rank - 1] : 1, before = rank > 1 ? shape->dims[rank - 2] : 1;
    if (rank < 2) {
        *rows = is_left ? 1 : last;
        *columns = is_left ? last : 1;
        return;
    }
    *rows = transposed ? last : before;
    *columns = transposed ? before : last;
}

static int64_t batch_dim(const adept_shape *shape, int32_t from_end) {
    int32_t axis = shape->rank - 3 - from_end;
    return axis >= 0 ? shape->dims[axis] : 1;
}

/* Product of the broadcast batch dimensions of both operands. */
static adept_status broadcast_batch(adept_count *ctx, const adept_shape *a, const adept_shape *b,
                                    int64_t *out) {
    int32_t ranks = (a->rank > b->rank ? a->rank : b->rank) - 2;
    int64_t batch = 1;
    for (int32_t i = 0; i < ranks; i++) {
        int64_t of_a = batch_dim(a, i), of_b = batch_dim(b, i), larger = of_a == 1 ? of_b : of_a;
        if (!adept_mul_i64(batch, larger, &batch))
            return adept_count_fail(ctx, ADEPT_RANGE, "the product of the batch dimensions overflows");
    }
    *out = batch;
    return ADEPT_OK;
}

/* Geometry of a (input `left`) times b (input `right`); false with dims zero where a shape is unknown. */
static adept_status product_of(adept_count *ctx, int32_t left, int32_t right, bool trans_a, bool trans_b,
                               product *out) {
    const adept_shape *a = adept_count_in(ctx, left), *b = adept_count_in(ctx, right);
    *out = (product){.left = left, .right = right, .right_transposed = trans_b};
    if (!a || !b || a->rank < 1 || b->rank < 1)
        return ADEPT_OK;
    int64_t m, k, k_of_b, n, batch = 1;
    matrix_of(a, trans_a, true, &m, &k);
    matrix_of(b, trans_b, false, &k_of_b, &n);
    adept_status status = broadcast_batch(ctx, a, b, &batch);
    if (status != ADEPT_OK)
        return status;
    out->dims = (adept_gemm){batch, m, n, k};
    if (a->rank > 2 && b->rank > 2)
        return ADEPT_OK;
    if (a->rank <= 2 && b->rank > 2) { /* computed as y^T = b^T a^T */
        out->left = right;
        out->right = left;
        out->right_transposed = !trans_a;
        out->dims = (adept_gemm){batch, n, m, k};
    }
    if (!adept_mul_i64(out->dims.m, batch, &out->dims.m))
        return adept_count_fail(ctx, ADEPT_RANGE, "%lld rows of %lld batches overflow", (long long)m,
                                (long long)batch);
    out->dims.batch = 1;
    return ADEPT_OK;
}

/* Gradient of one operand, summed over the batch where the operand had none. */
static void operand_gradient(adept_count *ctx, const adept_gemm *dims, int32_t operand, int32_t other) {
    double elements = (double)dims->batch * (double)dims->m * (double)dims->n;
    double element_B = adept_count_in_element_B(ctx, operand);
    adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, dims, adept_count_out_B(ctx, 0) + adept_count_in_B(ctx, other),
                    elements * element_B);
    if (adept_count_in_elements(ctx, operand) < elements)
        adept_work_reduce(ctx, ADEPT_PASS_BACKWARD, elements, elements * element_B,
                          adept_count_in_B(ctx, operand));
}

static void product_backward(adept_count *ctx, const product *p) {
    adept_gemm d = p->dims;
    if (adept_count_needs_grad(ctx, p->left)) {
        adept_count_save_input(ctx, p->right);
        operand_gradient(ctx, &(adept_gemm){d.batch, d.m, d.k, d.n}, p->left, p->right);
    }
    if (adept_count_needs_grad(ctx, p->right)) {
        adept_count_save_input(ctx, p->left);
        adept_gemm gradient = {d.batch, d.k, d.n, d.m};
        if (p->right_transposed)
            gradient = (adept_gemm){d.batch, d.n, d.k, d.m};
        operand_gradient(ctx, &gradient, p->right, p->left);
    }
}

/* MatMul, FusedMatMul and their kin; inputs after the second (a bias, a residual) are added on the way. */
adept_status count_matmul(adept_count *ctx) {
    product p;
    bool trans_a = adept_count_attr_int(ctx, "transA", 0) != 0;
    bool trans_b = adept_count_attr_int(ctx, "transB", 0) != 0;
    adept_status status = product_of(ctx, 0, 1, trans_a, trans_b, &p);
    if (status != ADEPT_OK)
        return status;
    double elements = adept_count_out_elements(ctx, 0);
    adept_kernel *kernel = adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &p.dims, adept_work_inputs_B(ctx),
                                           adept_count_out_B(ctx, 0));
    kernel->alu_flop = elements * (adept_work_alu(ctx, ADEPT_PASS_FORWARD) + adept_count_inputs(ctx) - 2);
    product_backward(ctx, &p);
    return ADEPT_OK;
}

/*
 * Gemm: y = alpha op(a) op(b) + beta c.
 * Shapes    op(a) [M,K] (more dimensions are flattened into M), op(b) [K,N], c broadcast to [M,N] or absent
 * Forward   as above; alu M*N FLOP if c; c is read on the way (one addmm kernel)
 * Backward  the gradient of a broadcast c is a sum over the rows
 */
adept_status count_gemm(adept_count *ctx) {
    product p;
    bool trans_a = adept_count_attr_int(ctx, "transA", 0) != 0;
    bool trans_b = adept_count_attr_int(ctx, "transB", 0) != 0;
    adept_status status = product_of(ctx, 0, 1, trans_a, trans_b, &p);
    if (status != ADEPT_OK)
        return status;
    double elements = adept_count_out_elements(ctx, 0);
    bool has_c = adept_count_in_elements(ctx, 2) > 0;
    adept_kernel *kernel = adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &p.dims, adept_work_inputs_B(ctx),
                                           adept_count_out_B(ctx, 0));
    kernel->alu_flop = elements * (adept_work_alu(ctx, ADEPT_PASS_FORWARD) + (has_c ? 1 : 0));
    product_backward(ctx, &p);
    if (adept_count_needs_grad(ctx, 2) && adept_count_in_elements(ctx, 2) < elements)
        adept_work_reduce(ctx, ADEPT_PASS_BACKWARD, elements, adept_count_out_B(ctx, 0),
                          adept_count_in_B(ctx, 2));
    return ADEPT_OK;
}

/* Where the second operand stands among scales and zero points. */
static int32_t second_operand(const char *op_type) {
    static const struct {
        const char *op_type;
        int32_t input;
    } places[] = {
        {"QGemm",          3},
        {"QLinearMatMul",  3},
        {"QOrderedMatMul", 2}
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(op_type, places[i].op_type) == 0)
            return places[i].input;
    return 1;
}

/* Products of 8-bit integers: the same FLOP on the int8 rate; no gradient flows through them. */
adept_status count_matmul_quantized(adept_count *ctx) {
    product p;
    bool trans_a = adept_count_attr_int(ctx, "transA", 0) != 0;
    bool trans_b = adept_count_attr_int(ctx, "transB", 0) != 0;
    const adept_node *node = adept_count_node(ctx);
    adept_status status = product_of(ctx, 0, second_operand(node->op_type), trans_a, trans_b, &p);
    if (status != ADEPT_OK)
        return status;
    adept_kernel *kernel = adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &p.dims, adept_work_inputs_B(ctx),
                                           adept_work_outputs_B(ctx));
    kernel->math = strcmp(node->op_type, "GemmFloat8") == 0 ? ADEPT_MATH_FP8 : ADEPT_MATH_INT8;
    kernel->element_B = 1;
    kernel->alu_flop = adept_work_alu(ctx, ADEPT_PASS_FORWARD) * adept_count_out_elements(ctx, 0);
    return ADEPT_OK;
}

/*
 * Weights of few bits in a packed tensor (MatMulNBits, MatMulBnb4, MatMulFpQ4): unpacked in the kernel, the
 * product runs in 16 bits, the bytes read are the packed ones.
 * Shapes    a [.., K], y [.., N]; the packed tensor's own shape says neither
 */
adept_status count_matmul_packed(adept_count *ctx) {
    const adept_shape *a = adept_count_in(ctx, 0), *y = adept_count_out(ctx, 0);
    adept_gemm dims = {0, 0, 0, 0};
    if (a && y && a->rank > 0 && y->rank > 0) {
        dims = (adept_gemm){1, 0, y->dims[y->rank - 1], a->dims[a->rank - 1]};
        adept_status status = adept_work_product(ctx, y, 0, y->rank - 1, &dims.m);
        if (status != ADEPT_OK)
            return status;
    }
    adept_kernel *kernel =
        adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &dims, adept_work_inputs_B(ctx), adept_count_out_B(ctx, 0));
    if (kernel->math == ADEPT_MATH_FP32 || kernel->math == ADEPT_MATH_TF32)
        kernel->math = ADEPT_MATH_FP16;
    kernel->alu_flop = adept_work_alu(ctx, ADEPT_PASS_FORWARD) * (double)dims.n * (double)dims.k;
    if (adept_count_needs_grad(ctx, 0))
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &(adept_gemm){1, dims.m, dims.k, dims.n},
                        adept_count_out_B(ctx, 0) + adept_work_inputs_B(ctx) - adept_count_in_B(ctx, 0),
                        adept_count_in_B(ctx, 0));
    return ADEPT_OK;
}

/*
 * One layer of a mixture of experts: every token goes through k experts.
 * Shapes    x [.., H]; weights [E, rows, columns] (packed: several numbers in a byte)
 * Forward   2 * tokens * k * (weights of one expert) FLOP, as one product per expert
 */
static adept_status expert_layer(adept_count *ctx, int32_t weights, double packing, int64_t tokens,
                                 int64_t k) {
    const adept_shape *w = adept_count_in(ctx, weights);
    if (!w || w->rank != 3 || w->dims[0] < 1)
        return ADEPT_OK;
    int64_t experts = w->dims[0], rows = (int64_t)((double)w->dims[1] * packing), used;
    if (!adept_mul_i64(tokens, k, &used))
        return adept_count_fail(ctx, ADEPT_RANGE, "%lld tokens times %lld experts overflow",
                                (long long)tokens, (long long)k);
    adept_gemm dims = {experts, (used + experts - 1) / experts, rows, w->dims[2]};
    double flop = 2.0 * (double)used * (double)rows * (double)w->dims[2];
    double rows_B = (double)used * adept_count_in_element_B(ctx, 0);
    double in_B = rows_B * (double)dims.k, out_B = rows_B * (double)dims.n;
    adept_kernel *kernel =
        adept_work_gemm(ctx, ADEPT_PASS_FORWARD, &dims, in_B + adept_count_in_B(ctx, weights), out_B);
    kernel->gemm_flop = flop;
    kernel->launches = (double)experts;
    if (!adept_count_needs_grad(ctx, 0) && !adept_count_needs_grad(ctx, weights))
        return ADEPT_OK;
    adept_count_save_extra(ctx, in_B);
    adept_kernel *gradient =
        adept_work_gemm(ctx, ADEPT_PASS_BACKWARD, &dims, 2 * out_B + in_B + adept_count_in_B(ctx, weights),
                        in_B + adept_count_in_B(ctx, weights));
    gradient->gemm_flop = 2 * flop;
    gradient->launches = 2 * (double)experts;
    return ADEPT_OK;
}

adept_status count_experts(adept_count *ctx) {
    const adept_shape *x = adept_count_in(ctx, 0);
    if (!x || x->rank < 1)
        return ADEPT_OK;
    bool quantized = strcmp(adept_count_node(ctx)->op_type, "QMoE") == 0;
    int32_t step = quantized ? 3 : 2; /* weights, (scales,) bias */
    double bits = quantized ? (double)adept_count_attr_int(ctx, "expert_weight_bits", 4) : 8;
    int64_t tokens;
    adept_status status = adept_work_product(ctx, x, 0, x->rank - 1, &tokens);
    for (int32_t layer = 0; layer < 3 && status == ADEPT_OK; layer++)
        status = expert_layer(ctx, 2 + step * layer, 8 / (bits > 0 ? bits : 8), tokens,
                              adept_count_attr_int(ctx, "k", 1));
    return status;
}
