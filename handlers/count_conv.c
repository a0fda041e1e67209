/*
 * Convolutions.
 *
 * Shapes    x [N, C_in, spatial], w [C_out, C_in/groups, kernel], b [C_out] or absent, y [N, C_out, spatial]
 * Forward   conv 2 * N * C_out * pixels_out * C_in/groups * kernel FLOP; read x, w; write y. A bias is one
 *           more pass over y (an eager framework adds it after the library's convolution)
 * Backward  data gradient (kind CONV_DATA) and weight gradient (CONV_WEIGHT): each costs as much as forward,
 *           also with groups; the bias gradient is a reduction
 * Errors    RANGE if a product of dimensions overflows
 * Source    design.md section 2; PyTorch's flop counter, its weight gradient corrected for groups
 */
#include <string.h>

#include "count_functions.h"
#include "count_work.h"

typedef struct geometry {
    int64_t images, c_in, c_out, groups, pixels_in, pixels_out, kernel, stride;
    int32_t spatial_rank;
    bool winograd;
    double flop;
} geometry;

/* Channels that one output channel (transposed: input channel) is connected to; whole, as checked by
 * inference. */
static double per_group(const geometry *g, int64_t channels) {
    int64_t connected = channels / g->groups;
    return (double)connected;
}

static bool all_are(const int64_t *values, int32_t count, int64_t expected) {
    for (int32_t i = 0; i < count; i++)
        if (values[i] != expected)
            return false;
    return true;
}

static int64_t product_of(const int64_t *values, int32_t count) {
    int64_t product = 1;
    for (int32_t i = 0; i < count && product < INT32_MAX; i++)
        product *= values[i] > 0 && values[i] < INT32_MAX ? values[i] : 1;
    return product;
}

static bool is_winograd(const geometry *g, const adept_shape *w, const int64_t *dilations, int32_t dilated) {
    return g->spatial_rank == 2 && g->groups == 1 && g->stride == 1 && w->dims[2] == 3 && w->dims[3] == 3 &&
           all_are(dilations, dilated, 1);
}

/*
 * Reads a convolution from its data side x [N, C_in, ..], weight w [.., .., kernel] and result y [N, C_out,
 * ..]. multiplied: channels that one output element is summed over, C_in/groups.
 */
static adept_status read_geometry(adept_count *ctx, const adept_shape *x, const adept_shape *w,
                                  const adept_shape *y, geometry *g) {
    int32_t strides = 0, dilated = 0;
    const int64_t *stride = adept_count_attr_ints(ctx, "strides", &strides);
    const int64_t *dilations = adept_count_attr_ints(ctx, "dilations", &dilated);
    *g = (geometry){.images = x->dims[0],
                    .c_in = x->dims[1],
                    .c_out = y->dims[1],
                    .groups = adept_count_attr_int(ctx, "group", 1),
                    .stride = product_of(stride, strides),
                    .spatial_rank = x->rank - 2};
    if (g->groups < 1)
        g->groups = 1;
    adept_status status = adept_work_product(ctx, x, 2, x->rank, &g->pixels_in);
    if (status == ADEPT_OK)
        status = adept_work_product(ctx, y, 2, y->rank, &g->pixels_out);
    if (status == ADEPT_OK)
        status = adept_work_product(ctx, w, 2, w->rank, &g->kernel);
    g->winograd = is_winograd(g, w, dilations, dilated);
    return status;
}

static bool are_images(const adept_shape *x, const adept_shape *w, const adept_shape *y) {
    return x && w && y && x->rank >= 3 && w->rank == x->rank && y->rank == x->rank;
}

static adept_kernel *emit(adept_count *ctx, adept_pass pass, adept_kernel_kind kind, const geometry *g,
                          double read_B, double write_B) {
    adept_kernel *kernel = adept_count_emit(ctx, pass, kind);
    kernel->conv.images = g->images;
    kernel->conv.c_in = g->c_in;
    kernel->conv.c_out = g->c_out;
    kernel->conv.groups = g->groups;
    kernel->conv.pixels_in = g->pixels_in;
    kernel->conv.pixels_out = g->pixels_out;
    kernel->conv.kernel = g->kernel;
    kernel->conv.stride = g->stride;
    kernel->conv.spatial_rank = g->spatial_rank;
    kernel->conv.winograd = g->winograd;
    kernel->conv.nhwc = adept_count_run(ctx)->layout == ADEPT_LAYOUT_NHWC;
    kernel->conv_flop = g->flop;
    kernel->read_B = read_B;
    kernel->write_B = write_B;
    return kernel;
}

/* Kinds of the three passes: a transposed convolution runs another one's data gradient. */
typedef struct passes {
    adept_kernel_kind forward, data;
} passes;

static void emit_passes(adept_count *ctx, const geometry *g, passes kinds) {
    double x_B = adept_count_in_B(ctx, 0), w_B = adept_count_in_B(ctx, 1), y_B = adept_count_out_B(ctx, 0);
    emit(ctx, ADEPT_PASS_FORWARD, kinds.forward, g, x_B + w_B, y_B)->elements =
        adept_count_out_elements(ctx, 0);
    if (adept_count_needs_grad(ctx, 0))
        emit(ctx, ADEPT_PASS_BACKWARD, kinds.data, g, y_B + w_B, x_B)->elements =
            adept_count_in_elements(ctx, 0);
    if (adept_count_needs_grad(ctx, 1))
        emit(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_CONV_WEIGHT, g, y_B + x_B, w_B)->elements =
            adept_count_in_elements(ctx, 1);
    if (adept_count_any_grad(ctx)) {
        adept_count_save_input(ctx, 0);
        if (adept_count_needs_grad(ctx, 0))
            adept_count_save_input(ctx, 1);
    }
}

static void emit_bias(adept_count *ctx, int32_t input) {
    double elements = adept_count_out_elements(ctx, 0), bytes = adept_count_out_B(ctx, 0);
    if (adept_count_in_elements(ctx, input) <= 0)
        return;
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements,
                    bytes + adept_count_in_B(ctx, input), bytes, elements);
    if (adept_count_needs_grad(ctx, input))
        adept_work_reduce(ctx, ADEPT_PASS_BACKWARD, elements, bytes, adept_count_in_B(ctx, input));
}

adept_status count_conv(adept_count *ctx) {
    const adept_shape *x = adept_count_in(ctx, 0), *w = adept_count_in(ctx, 1), *y = adept_count_out(ctx, 0);
    geometry g = {0};
    if (are_images(x, w, y)) {
        adept_status status = read_geometry(ctx, x, w, y, &g);
        if (status != ADEPT_OK)
            return status;
        g.flop = 2.0 * (double)g.images * (double)g.c_out * (double)g.pixels_out * per_group(&g, g.c_in) *
                 (double)g.kernel;
    }
    emit_passes(ctx, &g, (passes){ADEPT_KERNEL_CONV, ADEPT_KERNEL_CONV_DATA});
    emit_bias(ctx, 2);
    return ADEPT_OK;
}

/* The convolution whose data gradient this is: from y [N, C_out, ..] to x [N, C_in, ..]. */
static geometry reversed(const geometry *g) {
    geometry r = *g;
    r.c_in = g->c_out;
    r.c_out = g->c_in;
    r.pixels_in = g->pixels_out;
    r.pixels_out = g->pixels_in;
    return r;
}

/*
 * ConvTranspose.
 * Shapes    x [N, C_in, spatial], w [C_in, C_out/groups, kernel], y [N, C_out, spatial]
 * Forward   2 * N * C_in * pixels_in * C_out/groups * kernel FLOP
 */
adept_status count_conv_transpose(adept_count *ctx) {
    const adept_shape *x = adept_count_in(ctx, 0), *w = adept_count_in(ctx, 1), *y = adept_count_out(ctx, 0);
    geometry g = {0};
    if (are_images(x, w, y)) {
        adept_status status = read_geometry(ctx, x, w, y, &g);
        if (status != ADEPT_OK)
            return status;
        g.flop = 2.0 * (double)g.images * (double)g.c_in * (double)g.pixels_in * per_group(&g, g.c_out) *
                 (double)g.kernel;
        g = reversed(&g);
    }
    emit_passes(ctx, &g, (passes){ADEPT_KERNEL_CONV_DATA, ADEPT_KERNEL_CONV});
    emit_bias(ctx, strcmp(adept_count_node(ctx)->op_type, "ConvTranspose") == 0 ? 2 : 3);
    return ADEPT_OK;
}

/* Convolution of 8-bit integers: QLinearConv has its weight among scales, ConvInteger beside the data. */
adept_status count_conv_quantized(adept_count *ctx) {
    int32_t weight = strcmp(adept_count_node(ctx)->op_type, "QLinearConv") == 0 ? 3 : 1;
    const adept_shape *x = adept_count_in(ctx, 0), *w = adept_count_in(ctx, weight),
                      *y = adept_count_out(ctx, 0);
    geometry g = {0};
    if (are_images(x, w, y)) {
        adept_status status = read_geometry(ctx, x, w, y, &g);
        if (status != ADEPT_OK)
            return status;
        g.flop = 2.0 * (double)g.images * (double)g.c_out * (double)g.pixels_out * per_group(&g, g.c_in) *
                 (double)g.kernel;
    }
    adept_kernel *kernel = emit(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_CONV, &g, adept_work_inputs_B(ctx),
                                adept_count_out_B(ctx, 0));
    kernel->math = ADEPT_MATH_INT8;
    kernel->element_B = 1;
    kernel->alu_flop = adept_work_alu(ctx, ADEPT_PASS_FORWARD) * adept_count_out_elements(ctx, 0);
    return ADEPT_OK;
}

/*
 * DeformConv: sampled columns (C_in * kernel for every output pixel) are written, then multiplied.
 * Source    Dai et al. 2017; torchvision's deform_conv2d: im2col, then one product per group
 */
adept_status count_deform_conv(adept_count *ctx) {
    const adept_shape *x = adept_count_in(ctx, 0), *w = adept_count_in(ctx, 1), *y = adept_count_out(ctx, 0);
    if (!are_images(x, w, y))
        return ADEPT_OK;
    geometry g;
    adept_status status = read_geometry(ctx, x, w, y, &g);
    if (status != ADEPT_OK)
        return status;
    g.flop = 2.0 * (double)g.images * (double)g.c_out * (double)g.pixels_out * per_group(&g, g.c_in) *
             (double)g.kernel;
    g.winograd = false;
    double columns = (double)g.images * (double)g.c_in * (double)g.kernel * (double)g.pixels_out;
    double columns_B = columns * adept_count_in_element_B(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_GATHER, columns,
                    adept_work_inputs_B(ctx) - adept_count_in_B(ctx, 1), columns_B, 8 * columns);
    adept_count_workspace(ctx, columns_B);
    emit_passes(ctx, &g, (passes){ADEPT_KERNEL_CONV, ADEPT_KERNEL_CONV_DATA});
    emit_bias(ctx, 3);
    if (adept_count_any_grad(ctx)) {
        adept_count_save_input(ctx, 2);
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, columns, 2 * columns_B,
                        adept_work_inputs_B(ctx), 16 * columns);
    }
    return ADEPT_OK;
}

/* CausalConvWithState: a depthwise 1-D convolution over x [N, C, L] with a carried state. */
adept_status count_conv_causal(adept_count *ctx) {
    const adept_shape *x = adept_count_in(ctx, 0), *w = adept_count_in(ctx, 1);
    geometry g = {0};
    if (x && w && x->rank == 3 && w->rank >= 2) {
        g = (geometry){.images = x->dims[0],
                       .c_in = x->dims[1],
                       .c_out = x->dims[1],
                       .groups = x->dims[1],
                       .pixels_in = x->dims[2],
                       .pixels_out = x->dims[2],
                       .kernel = w->dims[w->rank - 1],
                       .stride = 1,
                       .spatial_rank = 1};
        g.flop = 2.0 * adept_count_in_elements(ctx, 0) * (double)g.kernel;
    }
    emit_passes(ctx, &g, (passes){ADEPT_KERNEL_CONV, ADEPT_KERNEL_CONV_DATA});
    emit_bias(ctx, 2);
    return ADEPT_OK;
}

/*
 * WordConvEmbedding: characters [words, length] -> embedded -> 1-D convolution over each word -> maximum.
 * Shapes    w [filters, 1, window, embedding], table [characters, embedding], y [words, filters]
 */
adept_status count_word_conv_embedding(adept_count *ctx) {
    const adept_shape *ids = adept_count_in(ctx, 0), *w = adept_count_in(ctx, 1);
    geometry g = {0};
    if (ids && w && ids->rank > 0 && w->rank == 4) {
        int64_t length = ids->dims[ids->rank - 1], window = w->dims[2];
        g = (geometry){.images = 1,
                       .c_in = w->dims[3],
                       .c_out = w->dims[0],
                       .groups = 1,
                       .pixels_in = length,
                       .pixels_out = length >= window ? length - window + 1 : 0,
                       .kernel = window,
                       .stride = 1,
                       .spatial_rank = 1};
        adept_status status = adept_work_product(ctx, ids, 0, ids->rank - 1, &g.images);
        if (status != ADEPT_OK)
            return status;
        g.flop =
            2.0 * (double)g.images * (double)g.c_out * (double)g.pixels_out * (double)g.c_in * (double)window;
    }
    emit(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_CONV, &g, adept_work_inputs_B(ctx), adept_count_out_B(ctx, 0));
    return ADEPT_OK;
}
