#include "profile.h"

#include <string.h>

#include "adept/profile.h"
#include "fail.h"
#include "fusion.h"
#include "optimizer.h"

/* --- build, step by step; each step reads the ones before it --- */

static adept_status copy_run(adept_profile *p, const adept_run *run, adept_error *err) {
    p->run = *run;
    adept_dim_binding *dims = adept_arena_array(p->arena, run->dim_count, sizeof *dims);
    const char **freeze = adept_arena_array(p->arena, run->freeze_count, sizeof *freeze);
    if (!dims || !freeze)
        return adept_fail_memory(err);
    for (size_t i = 0; i < run->dim_count; i++) {
        dims[i] = (adept_dim_binding){adept_arena_string(p->arena, run->dims[i].name), run->dims[i].value};
        if (!dims[i].name)
            return adept_fail_memory(err);
    }
    for (size_t i = 0; i < run->freeze_count; i++) {
        freeze[i] = adept_arena_string(p->arena, run->freeze[i]);
        if (!freeze[i])
            return adept_fail_memory(err);
    }
    p->run.dims = dims;
    p->run.freeze = freeze;
    p->run.framework = adept_arena_string(p->arena, run->framework ? run->framework : "pytorch");
    if (p->run.mode == ADEPT_MODE_INFERENCE)
        p->run.optimizer = ADEPT_OPTIMIZER_NONE;
    return p->run.framework ? ADEPT_OK : adept_fail_memory(err);
}

static adept_status count_operators(adept_profile *p, adept_error *err) {
    const adept_ops *ops = &p->network->ops;
    p->counted = adept_arena_array(p->arena, (size_t)ops->count, sizeof *p->counted);
    p->is_constant =
        adept_arena_array(p->arena, (size_t)p->network->graph.tensor_count, sizeof *p->is_constant);
    bool *is_operand =
        adept_arena_array(p->arena, (size_t)p->network->graph.tensor_count, sizeof *is_operand);
    bool *is_attended =
        adept_arena_array(p->arena, (size_t)p->network->graph.tensor_count, sizeof *is_attended);
    if (!p->counted || !p->is_constant || !is_operand || !is_attended)
        return adept_fail_memory(err);
    adept_count_mark_constants(p->is_constant, ops, &p->network->graph, &p->network->shapes,
                               p->gradients.is_parameter);
    adept_count_mark_operands(is_operand, ops, &p->network->graph, &p->network->shapes);
    adept_count_mark_attended(is_attended, ops, &p->network->graph, &p->network->shapes, &p->run);
    adept_facts facts = {.graph = &p->network->graph,
                         .shapes = &p->network->shapes,
                         .run = &p->run,
                         .storage = p->storage,
                         .needs_grad = p->gradients.needs_grad,
                         .is_parameter = p->gradients.is_parameter,
                         .is_constant = p->is_constant,
                         .is_attended = is_attended,
                         .is_operand = is_operand};
    for (int32_t i = 0; i < ops->count; i++) {
        const adept_op *op = &ops->items[i];
        if (op->part_of >= 0 || !op->handler || !op->handler->count)
            continue;
        adept_status status = adept_count_operator(&p->counted[i], op, &facts, p->arena, err);
        if (status != ADEPT_OK)
            return adept_fail_at(err, status, "%s", p->source->path);
    }
    return ADEPT_OK;
}

static adept_status assign_storage(adept_profile *p, adept_error *err) {
    p->storage = adept_arena_array(p->arena, (size_t)p->network->graph.tensor_count, sizeof *p->storage);
    if (!p->storage)
        return adept_fail_memory(err);
    return adept_precision_assign(p->storage, &p->network->ops, &p->network->graph, &p->network->shapes,
                                  &p->run, err);
}

static adept_status fuse(adept_profile *p, adept_error *err) {
    int32_t groups = 0;
    if (p->run.fusion != ADEPT_FUSION_COMPILED)
        return ADEPT_OK;
    adept_status status =
        adept_fuse(p->counted, &groups, p->network, &p->gradients, p->storage, p->arena, err);
    if (status == ADEPT_OK &&
        !adept_network_note(p->network, "%d groups of operators run as one kernel each (--fusion compiled)",
                            groups))
        return adept_fail_memory(err);
    return status;
}

static adept_status build(adept_profile *p, const adept_graph *graph, const adept_run *run,
                          adept_error *err) {
    adept_status status = copy_run(p, run, err);
    if (status == ADEPT_OK)
        status = adept_shapes_infer(&p->shapes, graph, &p->run, adept_handler_infer_lookup, NULL, 0, err);
    if (status == ADEPT_OK)
        status = adept_network_build(&p->network, graph, p->shapes, &p->run, p->arena, err);
    if (status == ADEPT_OK)
        status = adept_gradients_find(&p->gradients, p->network, &p->run, p->arena, err);
    if (status == ADEPT_OK)
        status = assign_storage(p, err);
    if (status == ADEPT_OK)
        status = count_operators(p, err);
    if (status == ADEPT_OK)
        status = fuse(p, err);
    if (status == ADEPT_OK)
        status = adept_activations_find(&p->activations, p->network, p->counted, &p->gradients, p->storage,
                                        p->is_constant, p->arena, err);
    if (status == ADEPT_OK)
        status = adept_profile_aggregate(p, err);
    if (status == ADEPT_OK)
        status = adept_profile_tabulate(p, err);
    return status;
}

adept_status adept_profile_build(adept_profile **out, const adept_graph *graph, const adept_run *run,
                                 adept_error *err) {
    *out = NULL;
    adept_status status = adept_run_check(run, err);
    if (status != ADEPT_OK)
        return status;
    adept_arena *arena = adept_arena_new(0);
    adept_profile *p = arena ? adept_arena_alloc(arena, sizeof *p) : NULL;
    if (!p) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    p->arena = arena;
    p->source = graph;
    status = build(p, graph, run, err);
    if (status != ADEPT_OK) {
        adept_profile_free(p);
        return status;
    }
    *out = p;
    return ADEPT_OK;
}

void adept_profile_free(adept_profile *profile) {
    if (!profile)
        return;
    adept_shapes_free(profile->shapes);
    adept_arena_free(profile->arena);
}

/* --- getters --- */

const adept_workload *adept_profile_workload(const adept_profile *profile) {
    return &profile->workload;
}

const adept_run *adept_profile_run(const adept_profile *profile) {
    return &profile->run;
}

size_t adept_profile_operator_count(const adept_profile *profile) {
    return profile->operator_count;
}

const adept_operator *adept_profile_operator(const adept_profile *profile, size_t row) {
    return row < profile->operator_count ? &profile->operators[row] : NULL;
}

size_t adept_profile_module_count(const adept_profile *profile) {
    return profile->module_count;
}

const adept_module *adept_profile_module(const adept_profile *profile, size_t index) {
    return index < profile->module_count ? &profile->modules[index] : NULL;
}

adept_coverage adept_profile_coverage(const adept_profile *profile) {
    return profile->coverage;
}

const char *adept_profile_unsupported(const adept_profile *profile, size_t index, size_t *count) {
    if (index >= profile->coverage.unsupported_count)
        return NULL;
    *count = profile->unsupported[index].count;
    return profile->unsupported[index].op_type;
}

size_t adept_profile_unknown_attribute_count(const adept_profile *profile) {
    return profile->unknown_attribute_count;
}

const adept_unknown_attribute *adept_profile_unknown_attribute(const adept_profile *profile, size_t index) {
    return index < profile->unknown_attribute_count ? &profile->unknown_attributes[index] : NULL;
}

size_t adept_profile_dim_count(const adept_profile *profile) {
    return profile->dim_count;
}

const adept_bound_dim *adept_profile_dim(const adept_profile *profile, size_t index) {
    return index < profile->dim_count ? &profile->dims[index] : NULL;
}

size_t adept_profile_note_count(const adept_profile *profile) {
    return profile->note_count;
}

const char *adept_profile_note(const adept_profile *profile, size_t index) {
    return index < profile->note_count ? profile->notes[index] : NULL;
}

size_t adept_profile_node_count(const adept_profile *profile) {
    return adept_graph_node_count(profile->source);
}
