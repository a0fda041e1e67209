#include <string.h>

#include "fail.h"
#include "profile.h"
#include "string_map.h"

/* --- operators --- */

static bool fill_outputs(adept_profile *p, adept_operator *row, const adept_node *node) {
    adept_tensor_view *views = adept_arena_array(p->arena, (size_t)node->output_count, sizeof *views);
    if (!views)
        return false;
    for (int32_t k = 0; k < node->output_count; k++) {
        adept_tensor_id t = node->outputs[k];
        if (t == ADEPT_NO_TENSOR)
            continue;
        const adept_shape *shape = &p->network->shapes.tensors[t];
        views[row->output_count++] = (adept_tensor_view){.name = p->network->graph.tensors[t].name,
                                                         .dtype = shape->dtype,
                                                         .rank = shape->rank,
                                                         .dims = shape->dims,
                                                         .exact = shape->certainty == ADEPT_EXACT};
    }
    row->outputs = views;
    return true;
}

static bool fill_operator(adept_profile *p, int32_t i) {
    const adept_op *op = &p->network->ops.items[i];
    adept_operator *row = &p->operators[i];
    *row = (adept_operator){.name = op->node->name,
                            .op_type = op->node->op_type,
                            .domain = op->node->domain,
                            .module = op->node->module,
                            .known = op->part_of >= 0 || adept_profile_has_row(op),
                            .composite = op->composite,
                            .part_of = op->part_of,
                            .repeats = p->network->shapes.body_repeats[op->body],
                            .forward = p->forward[i],
                            .backward = p->backward[i],
                            .structure = p->structure[i],
                            .saved_B = p->activations.saved_by_op[i],
                            .working_set_B = p->activations.working_set_by_op[i]};
    return fill_outputs(p, row, op->node);
}

static bool fill_operators(adept_profile *p) {
    p->operator_count = (size_t)p->network->ops.count;
    p->operators = adept_arena_array(p->arena, p->operator_count, sizeof *p->operators);
    if (!p->operators)
        return false;
    for (int32_t i = 0; i < p->network->ops.count; i++) {
        if (!fill_operator(p, i))
            return false;
    }
    return true;
}

/* --- modules --- */

typedef struct module_table {
    adept_profile *p;
    adept_string_map rows;
    size_t capacity;
} module_table;

static void add_work(adept_work *sum, const adept_work *part) {
    sum->gemm_flop += part->gemm_flop;
    sum->conv_flop += part->conv_flop;
    sum->alu_flop += part->alu_flop;
    sum->read_B += part->read_B;
    sum->write_B += part->write_B;
    sum->kernels += part->kernels;
}

static adept_module *module_of(module_table *table, const char *path, size_t length, int32_t depth) {
    adept_profile *p = table->p;
    char *key = adept_arena_string_n(p->arena, path, length);
    if (!key)
        return NULL;
    int32_t index = adept_string_map_get(&table->rows, key, -1);
    if (index >= 0)
        return &p->modules[index];
    if (p->module_count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        adept_module *modules = adept_arena_array(p->arena, capacity, sizeof *modules);
        if (!modules)
            return NULL;
        if (p->module_count)
            memcpy(modules, p->modules, p->module_count * sizeof *modules);
        p->modules = modules;
        table->capacity = capacity;
    }
    if (!adept_string_map_put(&table->rows, key, (int32_t)p->module_count))
        return NULL;
    p->modules[p->module_count] = (adept_module){.path = key, .depth = depth};
    return &p->modules[p->module_count++];
}

enum { MAX_MODULE_DEPTH = 64 };

/* Adds to the module and to all that contain it; "" is the whole network. */
static bool add_to_modules(module_table *table, const char *path, const adept_work *forward,
                           const adept_work *backward, double parameters) {
    size_t length = 0;
    for (int32_t depth = 0; depth < MAX_MODULE_DEPTH; depth++) {
        adept_module *m = module_of(table, path, length, depth);
        if (!m)
            return false;
        add_work(&m->forward, forward);
        add_work(&m->backward, backward);
        m->parameters += parameters;
        if (!path[length])
            return true;
        length += depth > 0;
        length += strcspn(path + length, ".");
    }
    return true;
}

/* Parameters that this operator is the first to read. */
static double first_parameters(const adept_profile *p, const adept_node *node, bool *seen) {
    double elements = 0;
    for (int32_t k = 0; k < node->input_count; k++) {
        adept_tensor_id t = node->inputs[k];
        if (t == ADEPT_NO_TENSOR || !p->gradients.is_parameter[t] || seen[t])
            continue;
        seen[t] = true;
        elements += (double)p->network->graph.tensors[t].constant->elements;
    }
    return elements;
}

static bool fill_modules(adept_profile *p) {
    module_table table = {.p = p, .rows = ADEPT_STRING_MAP_INIT};
    bool *seen = adept_arena_array(p->arena, (size_t)p->network->graph.tensor_count, sizeof *seen);
    bool ok = seen != NULL;
    for (int32_t i = 0; ok && i < p->network->ops.count; i++) {
        const adept_op *op = &p->network->ops.items[i];
        if (op->part_of < 0)
            ok = add_to_modules(&table, op->node->module, &p->forward[i], &p->backward[i],
                                first_parameters(p, op->node, seen));
    }
    adept_string_map_clear(&table.rows);
    return ok;
}

/* --- dims and notes --- */

static bool fill_dims(adept_profile *p) {
    const adept_shapes *s = p->shapes;
    p->dims =
        adept_arena_array(p->arena, (size_t)s->symbol_count + (size_t)s->assumption_count, sizeof *p->dims);
    if (!p->dims)
        return false;
    for (int32_t i = 0; i < s->symbol_count; i++)
        p->dims[p->dim_count++] = (adept_bound_dim){
            .name = s->symbols[i].name, .value = s->symbols[i].value, .given = s->symbols[i].given};
    for (int32_t i = 0; i < s->assumption_count; i++) {
        const adept_assumption *a = &s->assumptions[i];
        const char *reason =
            a->node ? adept_arena_format(p->arena, "node '%s': %s", a->node, a->reason) : a->reason;
        if (!reason)
            return false;
        p->dims[p->dim_count++] = (adept_bound_dim){.name = a->symbol,
                                                    .value = a->value,
                                                    .given = a->certainty == ADEPT_EXACT,
                                                    .reason = reason,
                                                    .upper_bound = a->certainty == ADEPT_BOUND};
    }
    return true;
}

static const char *unknown_attribute_note(const adept_profile *p, const adept_unknown_attribute *a) {
    return adept_arena_format(p->arena,
                              "attribute '%s' is none that operator %s has, it is ignored (%zu node%s, the "
                              "first is '%s')",
                              a->attribute, a->op_type, a->count, a->count == 1 ? "" : "s", a->node);
}

static bool fill_notes(adept_profile *p) {
    size_t most = adept_graph_warning_count(p->source) + p->unknown_attribute_count +
                  (size_t)p->shapes->note_count + (size_t)p->network->note_count;
    p->notes = adept_arena_array(p->arena, most, sizeof *p->notes);
    if (!p->notes)
        return false;
    for (size_t i = 0; i < adept_graph_warning_count(p->source); i++)
        p->notes[p->note_count++] = adept_graph_warning(p->source, i);
    for (size_t i = 0; i < p->unknown_attribute_count; i++) {
        if (!(p->notes[p->note_count++] = unknown_attribute_note(p, &p->unknown_attributes[i])))
            return false;
    }
    for (int32_t i = 0; i < p->shapes->note_count; i++)
        p->notes[p->note_count++] = p->shapes->notes[i];
    for (int32_t i = 0; i < p->network->note_count; i++)
        p->notes[p->note_count++] = p->network->notes[i];
    return true;
}

adept_status adept_profile_tabulate(adept_profile *p, adept_error *err) {
    bool ok = fill_operators(p) && adept_profile_cover(p) && fill_modules(p) && fill_dims(p) && fill_notes(p);
    return ok ? ADEPT_OK : adept_fail_memory(err);
}
