/*
 * The network as the framework runs it: the exported graph's operators in order of execution, with
 * composites recognised and with what the export removed (BatchNormalization, Dropout) restored.
 *
 * graph + shapes + run -> adept_network. Made-up tensors (parameters of a restored normalisation, ...)
 * are numbered after the file's: network.graph and network.shapes are extended copies.
 */
#ifndef ADEPT_NETWORK_H
#define ADEPT_NETWORK_H

#include "arena.h"
#include "count.h"
#include "handler.h"
#include "model_graph.h"
#include "shapes.h"

typedef struct adept_network {
    adept_arena *arena;  /* the caller's */
    adept_graph graph;   /* tensors: the file's, then made-up ones */
    adept_shapes shapes; /* tensors likewise */
    adept_ops ops;
    int32_t tensor_capacity, op_capacity;
    int32_t pending_count, pending_capacity;
    struct adept_pending *pending;
    int32_t note_count, note_capacity;
    const char **notes; /* what was restored or assumed, for people */
} adept_network;

/*
 * Builds the network in arena. graph and shapes must outlive it.
 * Errors    NOMEM, LIMIT
 */
adept_status adept_network_build(adept_network **out, const adept_graph *graph, const adept_shapes *shapes,
                                 const adept_run *run, adept_arena *arena, adept_error *err);

/* --- for the passes in this room --- */

/* One more operator at the end of the list. False: out of memory. */
bool adept_network_append(adept_network *network, const adept_op *op);
/* A new made-up tensor of this shape; its name is copied. ADEPT_NO_TENSOR: out of memory. */
adept_tensor_id adept_network_add_tensor(adept_network *network, const char *name, const adept_shape *shape,
                                         int32_t body);
/* The same for a trainable parameter: as if it were an initializer of the file (constant with missing
 * payload). */
adept_tensor_id adept_network_add_parameter(adept_network *network, const char *name, adept_dtype dtype,
                                            int32_t rank, const int64_t *dims);
/*
 * A new operator to stand right behind operator `after` once the pass is done (adept_network_merge).
 * Returns its number among the pending ones, -1: out of memory. Its parts are marked with
 * part_of = ADEPT_PENDING(number) meanwhile.
 */
int32_t adept_network_pend(adept_network *network, int32_t after, const adept_op *op);
#define ADEPT_PENDING(number) (-2 - (number))
/* Rebuilds the list with all pending operators in place; linear. */
adept_status adept_network_merge(adept_network *network, adept_error *err);
/* A made-up node in the vocabulary of the registry; arrays are copied. NULL: out of memory. */
adept_node *adept_network_make_node(adept_network *network, const char *op_type, const char *name,
                                    const char *module, int32_t opset, int32_t input_count,
                                    const adept_tensor_id *inputs, int32_t output_count,
                                    const adept_tensor_id *outputs);
bool adept_network_note(adept_network *network, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
