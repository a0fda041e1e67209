/*
 * Indexed reads and writes.
 *
 * Gather reads the rows that are asked for (not the table) and the indices, writes the output; its gradient
 * zeroes the table's gradient and adds the rows into it. Autograd keeps the indices. One constant index is a
 * view (PyTorch's select), whose gradient is a copy into zeros.
 */
#include "count_functions.h"
#include "count_work.h"

static bool is_select(const adept_count *ctx) {
    const adept_shape *indices = adept_count_in(ctx, 1);
    return indices && indices->rank == 0 && adept_count_is_constant(ctx, 1);
}

bool adept_is_sparse_table(const adept_shape *table) {
    return table && table->rank == 2 && table->dims[0] >= ADEPT_SPARSE_TABLE_ROWS;
}

/* Zero-fill of the whole gradient (none where it is sparse), then rows added into it. */
static void scatter_gradient(adept_count *ctx, int32_t table, int32_t indices) {
    double rows_B = adept_count_out_B(ctx, 0), elements = adept_count_out_elements(ctx, 0);
    double filled_B = adept_is_sparse_table(adept_count_in(ctx, table)) ? 0 : adept_count_in_B(ctx, table);
    adept_count_save_input(ctx, indices);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements,
                    2 * rows_B + adept_count_in_B(ctx, indices), filled_B + rows_B, elements)
        ->launches = 2;
}

static adept_status gather(adept_count *ctx) {
    double rows_B = adept_count_out_B(ctx, 0), elements = adept_count_out_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_GATHER, elements, rows_B + adept_count_in_B(ctx, 1),
                    rows_B, adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements);
    if (adept_count_needs_grad(ctx, 0))
        scatter_gradient(ctx, 0, 1);
    return ADEPT_OK;
}

adept_status count_gather(adept_count *ctx) {
    return is_select(ctx) ? count_slice(ctx) : gather(ctx);
}

/* GatherND: PyTorch's index. */
adept_status count_gather_nd(adept_count *ctx) {
    return gather(ctx);
}

/* GatherElements: PyTorch's gather keeps the data too, for its size alone. */
adept_status count_gather_elements(adept_count *ctx) {
    if (adept_count_needs_grad(ctx, 0))
        adept_count_save_input(ctx, 0);
    return gather(ctx);
}

/*
 * ScatterElements, ScatterND: a copy of the data, then the updates written into it.
 * Backward  data: a copy, zeroed where overwritten; updates: a gather
 */
adept_status count_scatter(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 2), updates_B = adept_count_in_B(ctx, 2);
    double data_B = adept_count_in_B(ctx, 0), indices_B = adept_count_in_B(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SCATTER, elements, data_B + indices_B + updates_B,
                    data_B + updates_B, 0)
        ->launches = 2;
    if (adept_count_any_grad(ctx))
        adept_count_save_input(ctx, 1);
    if (adept_count_needs_grad(ctx, 0))
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements, data_B + indices_B,
                        data_B + updates_B, 0)
            ->launches = 2;
    if (adept_count_needs_grad(ctx, 2))
        adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_GATHER, elements, indices_B + updates_B,
                        updates_B, 0);
    return ADEPT_OK;
}

/* Zeros, then ones at the indices. */
adept_status count_one_hot(adept_count *ctx) {
    double picked = adept_count_in_elements(ctx, 0);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_SCATTER, picked, adept_count_in_B(ctx, 0),
                    adept_count_out_B(ctx, 0) + picked * adept_count_out_element_B(ctx, 0), 0)
        ->launches = 2;
    return ADEPT_OK;
}

/* NonZero, Compress, NonMaxSuppression: count what is kept, then write it. */
adept_status count_select(adept_count *ctx) {
    double elements = adept_count_in_elements(ctx, 0), inputs_B = adept_work_inputs_B(ctx);
    adept_work_pass(ctx, ADEPT_PASS_FORWARD, ADEPT_KERNEL_OTHER, elements, 2 * inputs_B,
                    adept_work_outputs_B(ctx), adept_work_alu(ctx, ADEPT_PASS_FORWARD) * elements)
        ->launches = 2;
    if (!adept_count_needs_grad(ctx, 0))
        return ADEPT_OK;
    adept_count_save_input(ctx, 1);
    adept_work_pass(ctx, ADEPT_PASS_BACKWARD, ADEPT_KERNEL_SCATTER, elements, adept_count_out_B(ctx, 0),
                    adept_count_in_B(ctx, 0) + adept_count_out_B(ctx, 0), 0)
        ->launches = 2;
    return ADEPT_OK;
}
