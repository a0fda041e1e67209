#include "attribute_names.h"
#include "fail.h"
#include "profile.h"
#include "string_map.h"

bool adept_profile_has_row(const adept_op *op) {
    return op->handler && op->handler->count;
}

static const char *qualified(adept_arena *arena, const adept_node *node) {
    return node->domain[0] ? adept_arena_format(arena, "%s::%s", node->domain, node->op_type) : node->op_type;
}

/* A node that nothing counts; what stands for other nodes is none of the file's. */
static bool is_unsupported(const adept_op *op) {
    return !op->composite && op->part_of < 0 && !adept_profile_has_row(op);
}

static bool add_unsupported(adept_profile *p, adept_string_map *rows, const adept_node *node) {
    const char *name = qualified(p->arena, node);
    if (!name)
        return false;
    int32_t index = adept_string_map_get(rows, name, -1);
    if (index < 0) {
        index = (int32_t)p->coverage.unsupported_count++;
        p->unsupported[index] = (adept_unsupported){.op_type = name};
        if (!adept_string_map_put(rows, name, index))
            return false;
    }
    p->unsupported[index].count++;
    return true;
}

static bool list_unsupported(adept_profile *p) {
    adept_string_map rows = ADEPT_STRING_MAP_INIT;
    size_t unknown = 0;
    for (int32_t i = 0; i < p->network->ops.count; i++) {
        const adept_op *op = &p->network->ops.items[i];
        p->coverage.nodes_total += !op->composite && !op->restored;
        unknown += is_unsupported(op);
    }
    p->coverage.nodes_supported = p->coverage.nodes_total - unknown;
    p->unsupported = adept_arena_array(p->arena, unknown, sizeof *p->unsupported);
    bool ok = p->unsupported != NULL;
    for (int32_t i = 0; ok && unknown && i < p->network->ops.count; i++) {
        const adept_op *op = &p->network->ops.items[i];
        ok = !is_unsupported(op) || add_unsupported(p, &rows, op->node);
    }
    adept_string_map_clear(&rows);
    return ok;
}

static bool add_unknown_attribute(adept_profile *p, adept_string_map *rows, const adept_node *node,
                                  const char *attribute) {
    const char *op_type = qualified(p->arena, node);
    const char *key = op_type ? adept_arena_format(p->arena, "%s %s", op_type, attribute) : NULL;
    if (!key)
        return false;
    int32_t index = adept_string_map_get(rows, key, -1);
    if (index < 0) {
        index = (int32_t)p->unknown_attribute_count++;
        p->unknown_attributes[index] =
            (adept_unknown_attribute){.op_type = op_type, .attribute = attribute, .node = node->name};
        if (!adept_string_map_put(rows, key, index))
            return false;
    }
    p->unknown_attributes[index].count++;
    return true;
}

/* Made-up nodes are written by this program, so only those of the file are looked at. */
static const char *unknown_attribute(const adept_op *op) {
    return op->composite ? NULL : adept_node_unknown_attribute(op->node);
}

static bool list_unknown_attributes(adept_profile *p) {
    adept_string_map rows = ADEPT_STRING_MAP_INIT;
    size_t most = 0;
    for (int32_t i = 0; i < p->network->ops.count; i++)
        most += unknown_attribute(&p->network->ops.items[i]) != NULL;
    if (most == 0)
        return true;
    p->unknown_attributes = adept_arena_array(p->arena, most, sizeof *p->unknown_attributes);
    bool ok = p->unknown_attributes != NULL;
    for (int32_t i = 0; ok && i < p->network->ops.count; i++) {
        const adept_op *op = &p->network->ops.items[i];
        const char *attribute = unknown_attribute(op);
        ok = !attribute || add_unknown_attribute(p, &rows, op->node, attribute);
    }
    adept_string_map_clear(&rows);
    return ok;
}

bool adept_profile_cover(adept_profile *p) {
    return list_unsupported(p) && list_unknown_attributes(p);
}

adept_status adept_profile_check_complete(const adept_profile *profile, adept_error *err) {
    const adept_coverage *c = &profile->coverage;
    const char *path = profile->source->path ? profile->source->path : "";
    if (c->nodes_supported < c->nodes_total)
        return adept_fail(
            err, ADEPT_UNSUPPORTED, "%s: %zu of %zu nodes have no handler, the first is of type %s", path,
            c->nodes_total - c->nodes_supported, c->nodes_total, profile->unsupported[0].op_type);
    if (profile->unknown_attribute_count) {
        const adept_unknown_attribute *a = &profile->unknown_attributes[0];
        return adept_fail(err, ADEPT_UNSUPPORTED,
                          "%s: node '%s' (%s) has attribute '%s', which the operator does not have", path,
                          a->node, a->op_type, a->attribute);
    }
    return ADEPT_OK;
}
