#include <string.h>

#include "fail.h"
#include "kernel_set.h"
#include "optimizer.h"
#include "profile.h"

static void add_work(adept_work *sum, const adept_kernel *k, double count) {
    sum->gemm_flop += count * k->gemm_flop;
    sum->conv_flop += count * k->conv_flop;
    sum->alu_flop += count * k->alu_flop;
    sum->read_B += count * k->read_B;
    sum->write_B += count * k->write_B;
    sum->kernels += count * k->launches;
}

/* --- structure, eq 4.6: D_bar = sum(F_i D_i) / sum(F_i) over forward operators --- */

typedef struct structure_sums {
    double gemm_flop, conv_flop;
    adept_structure weighted;
} structure_sums;

static void add_structure(structure_sums *sums, const adept_kernel *k, double count) {
    double gemm = k->gemm_flop * count, conv = k->conv_flop * count;
    if (k->pass != ADEPT_PASS_FORWARD)
        return;
    if (gemm > 0 && k->gemm.m > 0) {
        sums->gemm_flop += gemm;
        sums->weighted.gemm.batch += gemm * (double)k->gemm.batch;
        sums->weighted.gemm.m += gemm * (double)k->gemm.m;
        sums->weighted.gemm.n += gemm * (double)k->gemm.n;
        sums->weighted.gemm.k += gemm * (double)k->gemm.k;
    }
    if (conv > 0) {
        sums->conv_flop += conv;
        sums->weighted.conv.c_in += conv * (double)k->conv.c_in;
        sums->weighted.conv.c_out += conv * (double)k->conv.c_out;
        sums->weighted.conv.pixels += conv * (double)k->conv.images * (double)k->conv.pixels_out;
        sums->weighted.conv.kernel += conv * (double)k->conv.kernel;
    }
    if (!(gemm > 0) && !(conv > 0))
        sums->weighted.elements += count * k->elements;
}

static adept_structure mean_structure(const structure_sums *sums, double working_set_B) {
    adept_structure mean = sums->weighted;
    double gemm = sums->gemm_flop > 0 ? sums->gemm_flop : 1, conv = sums->conv_flop > 0 ? sums->conv_flop : 1;
    mean.gemm.batch /= gemm;
    mean.gemm.m /= gemm;
    mean.gemm.n /= gemm;
    mean.gemm.k /= gemm;
    mean.conv.c_in /= conv;
    mean.conv.c_out /= conv;
    mean.conv.pixels /= conv;
    mean.conv.kernel /= conv;
    mean.working_set_B = working_set_B;
    return mean;
}

/* --- kernels and launches --- */

typedef struct step_builder {
    adept_profile *p;
    adept_kernel_set set;
    adept_launch *launches;
    size_t launch_count;
    structure_sums sums;
    int32_t *readers; /* [tensors] operators through which a gradient has already flowed back into it */
} step_builder;

static bool add_launch(step_builder *b, const adept_kernel *kernel, uint32_t op, double count) {
    uint32_t index = adept_kernel_set_add(&b->set, kernel);
    if (index == UINT32_MAX)
        return false;
    b->launches[b->launch_count++] = (adept_launch){.kernel = index, .op = op, .count = count};
    return true;
}

static double repeats_of(const adept_profile *p, int32_t op) {
    return p->network->shapes.body_repeats[p->network->ops.items[op].body];
}

static bool add_pass(step_builder *b, int32_t op, adept_pass pass) {
    adept_profile *p = b->p;
    const adept_counted *counted = &p->counted[op];
    double repeats = repeats_of(p, op);
    structure_sums own = {0};
    for (int32_t i = 0; i < counted->kernel_count; i++) {
        const adept_kernel *k = &counted->kernels[i];
        if (k->pass != pass)
            continue;
        if (!add_launch(b, k, (uint32_t)op, repeats))
            return false;
        add_work(pass == ADEPT_PASS_FORWARD ? &p->forward[op] : &p->backward[op], k, repeats);
        add_structure(&b->sums, k, repeats);
        add_structure(&own, k, repeats);
    }
    if (pass == ADEPT_PASS_FORWARD)
        p->structure[op] = mean_structure(&own, p->activations.working_set_by_op[op]);
    return true;
}

/* A weight that each reader transposes for itself is read by all of them. */
static bool is_view_of_weight(const adept_profile *p, int32_t op) {
    const adept_op *as_op = &p->network->ops.items[op];
    const adept_node *node = as_op->node;
    return as_op->part_of < 0 && p->counted[op].kernel_count == 0 && node->output_count == 1 &&
           node->outputs[0] != ADEPT_NO_TENSOR && p->gradients.needs_grad[node->outputs[0]];
}

/*
 * A tensor with several differentiable readers gets one gradient from each; every further one is added
 * by an elementwise kernel that reads two and writes one (model-time study; measured as autograd's
 * AccumulateGrad and sum kernels).
 */
static bool add_accumulation(step_builder *b, int32_t op) {
    adept_profile *p = b->p;
    const adept_node *node = p->network->ops.items[op].node;
    bool has_backward =
        p->backward[op].kernels > 0 || p->counted[op].alias_count > 0 || is_view_of_weight(p, op);
    for (int32_t k = 0; has_backward && k < node->input_count; k++) {
        adept_tensor_id t = node->inputs[k];
        if (t == ADEPT_NO_TENSOR || !p->gradients.needs_grad[t] || b->readers[t]++ == 0)
            continue;
        double bytes = adept_tensor_B(&p->network->shapes.tensors[t], p->storage[t]);
        double elements = (double)adept_shape_elements(&p->network->shapes.tensors[t]);
        if (!(elements > 0))
            continue;
        adept_kernel add = {.pass = ADEPT_PASS_BACKWARD,
                            .kind = ADEPT_KERNEL_ELEMENTWISE,
                            .alu_flop = elements,
                            .read_B = 2 * bytes,
                            .write_B = bytes,
                            .launches = 1,
                            .elements = elements,
                            .element_B = bytes / elements,
                            .steps = 1};
        if (!add_launch(b, &add, (uint32_t)op, repeats_of(p, op)))
            return false;
        add_work(&p->backward[op], &add, repeats_of(p, op));
    }
    return true;
}

static size_t most_launches(const adept_profile *p) {
    size_t most = 2; /* optimizer and gradient scaler */
    for (int32_t i = 0; i < p->network->ops.count; i++)
        most += (size_t)p->counted[i].kernel_count + (size_t)p->network->ops.items[i].node->input_count;
    return most;
}

static bool add_operators(step_builder *b) {
    adept_profile *p = b->p;
    int32_t count = p->network->ops.count;
    for (int32_t i = 0; i < count; i++) {
        if (!add_pass(b, i, ADEPT_PASS_FORWARD))
            return false;
    }
    for (int32_t i = count - 1; i >= 0; i--) {
        if (!add_pass(b, i, ADEPT_PASS_BACKWARD) || !add_accumulation(b, i))
            return false;
    }
    return true;
}

/* --- parameters, optimizer, memory --- */

/* What an optimizer step touches: sparse tables only where rows were looked up. */
typedef struct updated {
    double elements, bytes;
    int32_t sparse_tables;
} updated;

static bool is_trained(const adept_profile *p, adept_tensor_id t) {
    return p->gradients.trainable[t] && p->gradients.needs_grad[t];
}

static double element_B(const adept_profile *p, adept_tensor_id t) {
    return adept_dtype_bits(p->storage[t]) / 8.0;
}

/* Rows looked up in sparse tables, at most the whole table. */
static void add_looked_up(const adept_profile *p, updated *sum) {
    const adept_shape *shapes = p->network->shapes.tensors;
    for (int32_t i = 0; i < p->network->ops.count; i++) {
        const adept_node *node = p->network->ops.items[i].node;
        adept_tensor_id table = node->input_count > 1 ? node->inputs[0] : ADEPT_NO_TENSOR;
        if (table == ADEPT_NO_TENSOR || !is_trained(p, table) || !adept_is_sparse_table(&shapes[table]) ||
            node->outputs[0] == ADEPT_NO_TENSOR)
            continue;
        double rows = (double)adept_shape_elements(&shapes[node->outputs[0]]);
        double all = (double)adept_shape_elements(&shapes[table]);
        sum->elements += rows < all ? rows : all;
        sum->bytes += (rows < all ? rows : all) * element_B(p, table);
    }
}

static void add_parameters(adept_profile *p, double *parameter_B, updated *step) {
    adept_workload *w = &p->workload;
    double tensors = 0, uses = 0;
    for (int32_t t = 0; t < p->network->graph.tensor_count; t++) {
        if (!p->gradients.is_parameter[t])
            continue;
        const adept_constant *constant = p->network->graph.tensors[t].constant;
        double elements = (double)constant->elements;
        double bytes = elements * element_B(p, t);
        w->parameters += elements;
        *parameter_B += bytes;
        tensors++;
        uses += p->gradients.uses[t];
        if (!is_trained(p, t))
            continue;
        w->trainable_parameters += elements;
        w->parameter_tensors++;
        if (adept_is_sparse_table(&p->network->shapes.tensors[t])) {
            step->sparse_tables++;
        } else {
            step->elements += elements;
            step->bytes += bytes;
        }
    }
    add_looked_up(p, step);
    w->weight_sharing = tensors > 0 ? uses / tensors : 1;
}

/* Initializers that are no parameters (running statistics, masks, tables) occupy memory too. */
static double buffer_B(const adept_profile *p) {
    double total_B = 0;
    for (int32_t t = 0; t < p->network->graph.tensor_count; t++) {
        const adept_tensor *tensor = &p->network->graph.tensors[t];
        if (tensor->is_initializer && tensor->constant && !p->gradients.is_parameter[t])
            total_B += (double)tensor->constant->elements * adept_dtype_bits(tensor->constant->dtype) / 8;
    }
    return total_B;
}

static bool keeps_master(const adept_run *run) {
    return run->amp_level == ADEPT_AMP_O2 &&
           (run->precision == ADEPT_PRECISION_FP16_AMP || run->precision == ADEPT_PRECISION_BF16_AMP);
}

static bool add_optimizer(step_builder *b, const updated *step) {
    adept_profile *p = b->p;
    adept_workload *w = &p->workload;
    if (p->run.mode != ADEPT_MODE_TRAIN || p->run.optimizer == ADEPT_OPTIMIZER_NONE || !(step->elements > 0))
        return true;
    double gradient_B = step->bytes / step->elements;
    adept_kernel k;
    if (adept_scaler_kernel(&k, &p->run, step->elements, w->parameter_tensors, gradient_B)) {
        add_work(&w->optimizer_work, &k, 1);
        if (!add_launch(b, &k, UINT32_MAX, 1))
            return false;
    }
    k = adept_optimizer_kernel(&p->run, step->elements, w->parameter_tensors, gradient_B);
    add_work(&w->optimizer_work, &k, 1);
    return add_launch(b, &k, UINT32_MAX, 1);
}

static void fill_memory(adept_profile *p, double parameter_B, double trainable_B) {
    adept_memory *m = &p->workload.memory;
    const adept_activations *a = &p->activations;
    bool train = p->run.mode == ADEPT_MODE_TRAIN;
    m->parameters_B = parameter_B + buffer_B(p);
    m->gradients_B = train ? trainable_B : 0;
    m->optimizer_B =
        train ? p->workload.trainable_parameters * adept_optimizer_state_B(&p->run, keeps_master(&p->run))
              : 0;
    m->saved_activations_B = train ? a->saved_B : 0;
    m->workspace_B = a->workspace_B;
    double backward_B = train ? a->backward_peak_B + m->gradients_B : 0;
    double peak_B = a->forward_peak_B > backward_B ? a->forward_peak_B : backward_B;
    m->peak_B = m->parameters_B + m->optimizer_B + peak_B;
}

static double largest_working_set(const adept_profile *p) {
    double largest_B = 0;
    for (int32_t i = 0; i < p->network->ops.count; i++) {
        double set_B = p->activations.working_set_by_op[i];
        if (p->counted[i].kernel_count && set_B > largest_B)
            largest_B = set_B;
    }
    return largest_B;
}

static void add_totals(adept_profile *p) {
    adept_work *sums[] = {&p->workload.forward, &p->workload.backward};
    const adept_work *parts[] = {p->forward, p->backward};
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t i = 0; i < p->network->ops.count; i++) {
            const adept_work *w = &parts[pass][i];
            sums[pass]->gemm_flop += w->gemm_flop;
            sums[pass]->conv_flop += w->conv_flop;
            sums[pass]->alu_flop += w->alu_flop;
            sums[pass]->read_B += w->read_B;
            sums[pass]->write_B += w->write_B;
            sums[pass]->kernels += w->kernels;
        }
    }
}

adept_status adept_profile_aggregate(adept_profile *p, adept_error *err) {
    size_t ops = (size_t)p->network->ops.count, tensors = (size_t)p->network->graph.tensor_count;
    step_builder b = {.p = p,
                      .launches = adept_arena_array(p->arena, most_launches(p), sizeof(adept_launch)),
                      .readers = adept_arena_array(p->arena, tensors, sizeof(int32_t))};
    p->forward = adept_arena_array(p->arena, ops, sizeof(adept_work));
    p->backward = adept_arena_array(p->arena, ops, sizeof(adept_work));
    p->structure = adept_arena_array(p->arena, ops, sizeof(adept_structure));
    if (!b.launches || !b.readers || !p->forward || !p->backward || !p->structure ||
        !adept_kernel_set_init(&b.set, p->arena) || !add_operators(&b))
        return adept_fail_memory(err);
    double parameter_B = 0;
    updated step = {0};
    add_parameters(p, &parameter_B, &step);
    if (!add_optimizer(&b, &step) ||
        (step.sparse_tables &&
         !adept_network_note(
             p->network,
             "%d embedding tables of %d rows and more: sparse gradients assumed, only rows looked up "
             "are updated",
             step.sparse_tables, ADEPT_SPARSE_TABLE_ROWS)))
        return adept_fail_memory(err);
    add_totals(p);
    fill_memory(p, parameter_B, step.bytes);
    adept_workload *w = &p->workload;
    w->mode = p->run.mode;
    w->precision = p->run.precision;
    w->optimizer = p->run.optimizer;
    w->optimizer_impl = p->run.optimizer_impl;
    w->gpus = p->run.gpus;
    w->grad_accum = p->run.grad_accum;
    w->samples = p->shapes->batch;
    w->structure = mean_structure(&b.sums, largest_working_set(p));
    w->reduced_gradients_B = p->workload.memory.gradients_B;
    w->host_launch_s = p->run.launch_s;
    w->fused_elementwise = 1;
    w->kernels = b.set.kernels;
    w->kernel_count = b.set.count;
    w->launches = b.launches;
    w->launch_count = b.launch_count;
    return ADEPT_OK;
}
