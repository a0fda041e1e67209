/*
 * Normalisations.
 *
 * N elements of S bytes. LayerNorm reads x and writes y in one kernel (mean and variance in registers);
 * BatchNorm in training reads x twice (statistics, then normalisation). Backward bytes by the traffic policy.
 * Saved: the input and two statistics in FP32 per normalised group.
 * Source    model-time: BatchNorm forward 3N, backward 5N; LayerNorm backward 5N; derivatives.yaml
 */
#include "count_functions.h"
#include "count_work.h"

#include <string.h>

enum { STATISTIC_B = 4 };

static double affine_B(const adept_count *ctx) {
    return adept_work_inputs_B(ctx) - adept_count_in_B(ctx, 0);
}

typedef struct norm_kernels {
    adept_kernel_kind kind;
    double reads, launches; /* forward: how often x is read, in how many kernels */
    adept_traffic_code backward;
} norm_kernels;

static const norm_kernels per_row = {ADEPT_KERNEL_NORM, 1, 1, ADEPT_TRAFFIC_LAYER_NORM};
static const norm_kernels per_channel = {ADEPT_KERNEL_BATCH_NORM, 2, 1, ADEPT_TRAFFIC_BATCH_NORM};
static const norm_kernels per_image = {ADEPT_KERNEL_BATCH_NORM, 2, 1, ADEPT_TRAFFIC_LAYER_NORM};
/* Moments, a scale and shift for each channel of each image, y (PyTorch's group_norm_kernel.cu). */
static const norm_kernels per_group = {ADEPT_KERNEL_BATCH_NORM, 2, 3, ADEPT_TRAFFIC_GROUP_NORM};
static const norm_kernels division = {ADEPT_KERNEL_NORM, 2, 1, ADEPT_TRAFFIC_LAYER_NORM};

/* groups: how many means and variances there are. */
static void normalise(adept_count *ctx, const norm_kernels *kernels, double groups) {
    double elements = adept_count_in_elements(ctx, 0), bytes = adept_count_in_B(ctx, 0);
    double element_B = adept_count_in_element_B(ctx, 0);
    bool trained = adept_count_any_grad(ctx);
    double statistics_B = trained ? 2 * STATISTIC_B * groups : 0;
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, kernels->kind, elements, kernels->reads * bytes + affine_B(ctx),
                    adept_count_out_B(ctx, 0) + statistics_B,
                    adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements)
        ->launches = kernels->launches;
    if (!trained)
        return;
    adept_count_save_input(ctx, 0);
    adept_count_save_extra(ctx, statistics_B);
    adept_work_backward(ctx, kernels->kind, kernels->backward, elements, element_B,
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
}

/*
 * BatchNormalization. In training the statistics are those of the batch whatever the file says; in inference
 * it is one scale-and-shift pass with the running statistics.
 */
adept_status count_batch_norm(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 0);
    if (!adept_count_trains(ctx)) {
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, elements, adept_work_inputs_B(ctx),
                        adept_count_out_B(ctx, 0), 2 * elements);
        return ADEPT_OK;
    }
    const adept_shape *x = adept_count_in(ctx, 0);
    double channels = x && x->rank > 1 ? (double)x->dims[1] : 1;
    normalise(ctx, &per_channel, channels);
    /* PyTorch counts batches in a 64-bit scalar of its own. */
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_ELEMENTWISE, 1, 8, 8, 1);
    return ADEPT_OK;
}

/* Rows of a normalisation over dims [axis, rank). */
static double rows_before(const adept_count *ctx, int64_t axis) {
    const adept_shape *x = adept_count_in(ctx, 0);
    double rows = 1;
    if (!x)
        return 0;
    int64_t last = axis < 0 ? axis + x->rank : axis;
    for (int32_t i = 0; i < x->rank && i < last; i++)
        rows *= (double)x->dims[i];
    return rows;
}

adept_status count_layer_norm(adept_count *ctx) {
    normalise(ctx, &per_row, rows_before(ctx, adept_count_attr_int(ctx, "axis", -1)));
    return ADEPT_OK;
}

/* GroupNormalization and InstanceNormalization: statistics per image and group of channels. */
adept_status count_group_norm(adept_count *ctx) {
    const adept_shape *x = adept_count_in(ctx, 0);
    double images = x && x->rank > 0 ? (double)x->dims[0] : 0;
    double channels = x && x->rank > 1 ? (double)x->dims[1] : 1;
    int64_t groups = adept_count_attr_int(ctx, "num_groups", adept_count_attr_int(ctx, "groups", 0));
    bool apart = groups > 0 && adept_count_in_parts(ctx);
    normalise(ctx, apart ? &per_group : &per_image, images * (groups > 0 ? (double)groups : channels));
    return ADEPT_OK;
}

/*
 * RMS normalisation. PyTorch models write it as pow, mean, add, rsqrt, mul, mul; an eager framework runs
 * those six (6.x N bytes read, 4N written) and keeps x, the normalised x and the reciprocal root.
 */
adept_status count_rms_norm(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 0), bytes = adept_count_in_B(ctx, 0);
    double rows = rows_before(ctx, adept_count_attr_int(ctx, "axis", -1));
    if (!adept_count_in_parts(ctx)) {
        normalise(ctx, &per_row, rows / 2);
        return ADEPT_OK;
    }
    adept_kernel *kernel =
        adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_NORM, elements, 4 * bytes + affine_B(ctx),
                        3 * bytes, adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    kernel->launches = 6;
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    adept_count_save_extra(ctx, bytes + STATISTIC_B * rows);
    adept_work_backward(ctx, ADEPT_KERNEL_NORM, ADEPT_TRAFFIC_RMS_NORM, elements,
                        adept_count_in_element_B(ctx, 0),
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    return ADEPT_OK;
}

/* LpNormalization, MeanVarianceNormalization: a reduction, then a division. */
adept_status count_lp_norm(adept_count *ctx) {
    normalise(ctx, &division, 0);
    return ADEPT_OK;
}

/* LRN: squares, an average pool over channels, a power, a division: PyTorch's composite of six kernels. */
adept_status count_local_response_norm(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 0), bytes = adept_count_in_B(ctx, 0);
    adept_kernel *kernel = adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_NORM, elements, 7 * bytes,
                                           6 * bytes, adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    kernel->launches = 6;
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_input(ctx, 0);
    adept_count_save_extra(ctx, 4 * bytes);
    adept_kernel *backward =
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_NORM, elements, 14 * bytes, 9 * bytes,
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    backward->launches = 9;
    return ADEPT_OK;
}

/* Skip (Simplified) LayerNormalization: y = norm(x + skip + bias); the sum is an optional output. */
adept_status count_skip_norm(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 0), bytes = adept_count_in_B(ctx, 0);
    double alu = adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements;
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_NORM, elements, adept_work_inputs_B(ctx),
                    adept_work_outputs_B(ctx), alu);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_extra(ctx, bytes + 2 * STATISTIC_B * rows_before(ctx, -1)); /* the sum */
    adept_work_backward(ctx, ADEPT_KERNEL_NORM, ADEPT_TRAFFIC_LAYER_NORM, elements,
                        adept_count_in_element_B(ctx, 0),
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    return ADEPT_OK;
}

/*
 * EmbedLayerNormalization: word, position and segment rows are read, summed and normalised.
 * Shapes    ids [B, S]; tables [rows, H]; y [B, S, H]
 */
adept_status count_embed_norm(adept_count *ctx) {
    double elements = adept_count_out_elements(ctx, 0), bytes = adept_count_out_B(ctx, 0);
    bool segments = adept_count_in_elements(ctx, 1) > 0;
    double ids_B = adept_count_in_B(ctx, 0) + adept_count_in_B(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_GATHER, elements,
                    (segments ? 3 : 2) * bytes + ids_B, adept_work_outputs_B(ctx),
                    adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    if (!adept_count_any_grad(ctx))
        return ADEPT_OK;
    adept_count_save_extra(ctx, bytes + 2 * STATISTIC_B * rows_before(ctx, 2));
    adept_count_save_input(ctx, 0);
    adept_work_backward(ctx, ADEPT_KERNEL_NORM, ADEPT_TRAFFIC_LAYER_NORM, elements,
                        adept_count_out_element_B(ctx, 0),
                        adept_work_alu(ctx, ADEPT_PASS_BACKWARD) * elements);
    for (int32_t table = 2; table <= 4; table++) /* zero the table's gradient, then add the rows */
        if (adept_count_needs_grad(ctx, table))
            adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements, 2 * bytes,
                            adept_count_in_B(ctx, table) + bytes, elements)
                ->launches = 2;
    return ADEPT_OK;
}
