#include "fusion.h"

#include <string.h>

#include "activations.h"
#include "fail.h"

typedef struct fusion {
    const adept_network *network;
    const adept_gradients *gradients;
    const adept_dtype *storage;
    adept_counted *counted;
    int32_t *parent;   /* [ops] union-find: group of an operator */
    int32_t *size;     /* [ops] operators with kernels in the group, at its root */
    int32_t *producer; /* [tensors] operator, -1: none */
    bool *outside; /* [tensors] read outside the producer's group, a graph output, or kept for the backward
                      pass */
} fusion;

/*
 * 16-bit channels-last batch normalisation has kernels with the addition and activation behind it (cuDNN's
 * CUDNN_BATCHNORM_OPS_BN_ADD_ACTIVATION, which MXNet, Paddle and TensorFlow call); other layouts have none.
 */
static bool takes_activation(const adept_kernel *k) {
    return k->kind == ADEPT_KERNEL_BATCH_NORM && k->conv.nhwc && k->element_B < 4;
}

static bool is_fusible_kernel(const adept_kernel *k) {
    return k->kind == ADEPT_KERNEL_ELEMENTWISE || k->kind == ADEPT_KERNEL_NORM ||
           k->kind == ADEPT_KERNEL_SOFTMAX || k->kind == ADEPT_KERNEL_CAST ||
           k->kind == ADEPT_KERNEL_RANDOM || takes_activation(k);
}

/* All forward kernels are of such kinds; a view (no kernel at all) only passes on. */
static bool is_fusible(const fusion *f, int32_t op) {
    const adept_counted *c = &f->counted[op];
    bool batch_norm = strcmp(f->network->ops.items[op].node->op_type, "BatchNormalization") == 0;
    bool any = c->alias_count > 0;
    if (f->network->ops.items[op].part_of >= 0)
        return false;
    for (int32_t i = 0; i < c->kernel_count; i++) {
        if (c->kernels[i].pass != ADEPT_PASS_FORWARD)
            continue;
        if (!is_fusible_kernel(&c->kernels[i]) || (takes_activation(&c->kernels[i]) && !batch_norm))
            return false;
        any = true;
    }
    return any;
}

static int32_t root_of(fusion *f, int32_t op) {
    while (f->parent[op] != op)
        op = f->parent[op] = f->parent[f->parent[op]];
    return op;
}

static int64_t elements_of(const fusion *f, adept_tensor_id tensor) {
    return tensor == ADEPT_NO_TENSOR ? -1 : adept_shape_elements(&f->network->shapes.tensors[tensor]);
}

/* Operators join when one reads what the other makes and both run over the same elements. */
static void join(fusion *f) {
    const adept_ops *ops = &f->network->ops;
    for (int32_t i = 0; i < ops->count; i++) {
        const adept_node *node = ops->items[i].node;
        if (!is_fusible(f, i) || !node->output_count)
            continue;
        for (int32_t k = 0; k < node->input_count; k++) {
            adept_tensor_id t = node->inputs[k];
            int32_t from = t == ADEPT_NO_TENSOR ? -1 : f->producer[t];
            if (from >= 0 && is_fusible(f, from) && ops->items[from].body == ops->items[i].body &&
                elements_of(f, t) == elements_of(f, node->outputs[0]))
                f->parent[root_of(f, i)] = root_of(f, from);
        }
        for (int32_t k = 0; k < node->output_count; k++) {
            if (node->outputs[k] != ADEPT_NO_TENSOR)
                f->producer[node->outputs[k]] = i;
        }
    }
    for (int32_t i = 0; i < ops->count; i++)
        f->size[root_of(f, i)] += f->counted[i].kernel_count > 0;
}

static void find_outside(fusion *f) {
    const adept_ops *ops = &f->network->ops;
    for (int32_t i = 0; i < ops->count; i++) {
        const adept_node *node = ops->items[i].node;
        if (ops->items[i].part_of >= 0)
            continue;
        for (int32_t k = 0; k < node->input_count; k++) {
            adept_tensor_id t = node->inputs[k];
            if (t == ADEPT_NO_TENSOR)
                continue;
            bool kept = k < 64 && (f->counted[i].saves_inputs >> k & 1);
            bool other = f->producer[t] < 0 || root_of(f, f->producer[t]) != root_of(f, i);
            f->outside[t] = f->outside[t] || kept || other;
        }
        for (int32_t k = 0; k < node->output_count && k < 64; k++) {
            if (node->outputs[k] != ADEPT_NO_TENSOR && (f->counted[i].saves_outputs >> k & 1))
                f->outside[node->outputs[k]] = true;
        }
    }
    for (int32_t b = 0; b < f->network->graph.body_count; b++) {
        const adept_body *body = f->network->graph.bodies[b];
        for (int32_t k = 0; k < body->output_count; k++) {
            if (body->outputs[k] != ADEPT_NO_TENSOR)
                f->outside[body->outputs[k]] = true;
        }
    }
}

/* Takes bytes off an operator's fusible kernels of a pass, never below nothing. */
static void take_off(adept_counted *c, adept_pass pass, bool read, double bytes) {
    for (int32_t i = 0; i < c->kernel_count && bytes > 0; i++) {
        adept_kernel *k = &c->kernels[i];
        if (k->pass != pass || !is_fusible_kernel(k))
            continue;
        double *field = read ? &k->read_B : &k->write_B;
        double taken = bytes < *field ? bytes : *field;
        *field -= taken;
        bytes -= taken;
    }
}

/* A tensor inside a group: not read from memory, not written unless needed outside; its gradient neither. */
static void take_off_inner(fusion *f, int32_t op) {
    const adept_node *node = f->network->ops.items[op].node;
    for (int32_t k = 0; k < node->input_count; k++) {
        adept_tensor_id t = node->inputs[k];
        int32_t from = t == ADEPT_NO_TENSOR ? -1 : f->producer[t];
        if (from < 0 || root_of(f, from) != root_of(f, op))
            continue;
        double bytes = adept_tensor_B(&f->network->shapes.tensors[t], f->storage[t]);
        take_off(&f->counted[op], ADEPT_PASS_FORWARD, true, bytes);
        if (f->gradients->needs_grad[t]) {
            take_off(&f->counted[op], ADEPT_PASS_BACKWARD, false, bytes);
            take_off(&f->counted[from], ADEPT_PASS_BACKWARD, true, bytes);
        }
    }
    for (int32_t k = 0; k < node->output_count; k++) {
        adept_tensor_id t = node->outputs[k];
        if (t != ADEPT_NO_TENSOR && !f->outside[t])
            take_off(&f->counted[op], ADEPT_PASS_FORWARD, false,
                     adept_tensor_B(&f->network->shapes.tensors[t], f->storage[t]));
    }
}

/* One launch per pass for the whole group: it stays with the first kernel that is met. */
static void launch_once(fusion *f, bool *launched, int32_t op) {
    adept_counted *c = &f->counted[op];
    int32_t root = root_of(f, op);
    for (int32_t i = 0; i < c->kernel_count; i++) {
        adept_kernel *k = &c->kernels[i];
        if (!is_fusible_kernel(k) || k->pass > ADEPT_PASS_BACKWARD)
            continue;
        bool *seen = &launched[2 * root + (k->pass == ADEPT_PASS_BACKWARD)];
        k->launches = *seen ? 0 : 1;
        *seen = true;
    }
}

adept_status adept_fuse(adept_counted *counted, int32_t *groups, const adept_network *network,
                        const adept_gradients *gradients, const adept_dtype *storage, adept_arena *arena,
                        adept_error *err) {
    size_t ops = (size_t)network->ops.count, tensors = (size_t)network->graph.tensor_count;
    fusion f = {.network = network,
                .gradients = gradients,
                .storage = storage,
                .counted = counted,
                .parent = adept_arena_array(arena, ops, sizeof(int32_t)),
                .size = adept_arena_array(arena, ops, sizeof(int32_t)),
                .producer = adept_arena_array(arena, tensors, sizeof(int32_t)),
                .outside = adept_arena_array(arena, tensors, sizeof(bool))};
    bool *launched = adept_arena_array(arena, 2 * ops, sizeof *launched);
    if (!f.parent || !f.size || !f.producer || !f.outside || !launched)
        return adept_fail_memory(err);
    for (int32_t i = 0; i < network->ops.count; i++)
        f.parent[i] = i;
    for (size_t t = 0; t < tensors; t++)
        f.producer[t] = -1;
    join(&f);
    find_outside(&f);
    *groups = 0;
    for (int32_t i = 0; i < network->ops.count; i++) {
        *groups += root_of(&f, i) == i && f.size[i] > 1;
        if (f.size[root_of(&f, i)] < 2 || !is_fusible(&f, i))
            continue;
        take_off_inner(&f, i);
        launch_once(&f, launched, i);
    }
    return ADEPT_OK;
}
