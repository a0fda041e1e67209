#include "composites.h"
#include "fail.h"
#include "network.h"
#include "restore.h"

enum { MAX_BODY_DEPTH = 256 };

/* A body's nodes in order; the bodies of a control-flow node stand right before the node itself. */
static bool add_body(adept_network *network, const adept_body *body, int depth) {
    if (depth > MAX_BODY_DEPTH)
        return false;
    for (int32_t n = 0; n < body->node_count; n++) {
        const adept_node *node = &body->nodes[n];
        for (int32_t a = 0; a < node->attribute_count; a++) {
            const adept_body *inner = node->attributes[a].body;
            if (inner && network->shapes.body_repeats[inner->index] > 0 &&
                !add_body(network, inner, depth + 1))
                return false;
        }
        adept_op op = {.node = node,
                       .handler = adept_handler_find(node->domain, node->op_type, node->opset),
                       .body = body->index,
                       .node_index = n,
                       .part_of = -1};
        if (!adept_network_append(network, &op))
            return false;
    }
    return true;
}

adept_status adept_network_build(adept_network **out, const adept_graph *graph, const adept_shapes *shapes,
                                 const adept_run *run, adept_arena *arena, adept_error *err) {
    adept_network *network = adept_arena_alloc(arena, sizeof *network);
    if (!network)
        return adept_fail_memory(err);
    network->arena = arena;
    network->graph = *graph;
    network->shapes = *shapes;
    network->tensor_capacity = graph->tensor_count;
    if (!add_body(network, adept_graph_main(graph), 0))
        return adept_fail_memory(err);
    adept_status status = adept_restore(network, run, err);
    if (status == ADEPT_OK)
        status = adept_composites_find(network, run, err);
    *out = network;
    return status;
}
