/*
 * The engine behind infer.h: state of one inference, shared by the pass over the nodes, the context that
 * operators see and the control flow. Private to this room.
 */
#ifndef ADEPT_INFER_ENGINE_H
#define ADEPT_INFER_ENGINE_H

#include "fail.h"
#include "infer.h"
#include "shapes.h"
#include "string_map.h"
#include "symbols.h"

#define ADEPT_NESTING_LIMIT 256      /* bodies in bodies; protobuf itself ends near 30 */
#define ADEPT_NOTE_LIMIT 100         /* notes of one kind; the rest is counted */
#define ADEPT_VALUE_BUDGET_B 100e6   /* memory of known values; beyond, only small ones are kept */
#define ADEPT_LOOP_BUDGET_B 64000000 /* memory that the iterations of one loop may take */

/* What is known of a body's repetitions. */
typedef struct adept_body_visits {
    double visits;  /* how often the body has been inferred */
    double repeats; /* sum over its node's inferences of the runs stated */
    int32_t parent; /* body that holds its node; -1: never reached */
} adept_body_visits;

/* One change of adept_body_visits that may be taken back. */
typedef struct adept_visit_undo {
    int32_t body;
    double visits, repeats; /* before */
} adept_visit_undo;

typedef struct adept_engine {
    const adept_graph *graph;
    const adept_run *run;
    adept_infer_lookup *lookup;
    adept_shapes *shapes;
    adept_arena *arena;
    adept_error *err;
    adept_symbols symbols;

    unsigned char *tensor_flags; /* [tensor_count] */
    double value_B;              /* memory of known values so far */
    const char *unreadable;      /* why a constant that the node at hand asked for could not be read */

    adept_assumption *assumptions;
    const void **assumption_owners; /* [assumption_count] node that it was recorded for; NULL: by a name */
    int32_t assumption_count, assumption_capacity, owner_capacity;
    adept_string_map assumption_by_symbol; /* may point past the end after a rollback */

    const char **notes;
    int32_t note_count, note_capacity, notes_left_out;
    adept_string_map unknown_ops; /* "domain.op" -> index into unknown_op_counts */
    struct adept_unknown_op {
        const char *name;
        int64_t nodes;
    } * unknown_op_list;
    int32_t unknown_op_count, unknown_op_capacity;

    adept_body_visits *bodies; /* [body_count] */
    int32_t *body_order;       /* [body_count] bodies by first visit: parents before children */
    int32_t body_order_count;
    adept_visit_undo *undo;
    int32_t undo_count, undo_capacity;
    int32_t trials; /* inferences under way that may be rolled back */

    int32_t depth;        /* of nested bodies */
    int64_t inexact;      /* outputs inferred so far that are not exact */
    int64_t nodes_done;   /* node inferences so far */
    int64_t nodes_budget; /* beyond, loops are inferred once only */
} adept_engine;

/* tensor_flags */
enum { ADEPT_TENSOR_VALUE_TRIED = 1, ADEPT_TENSOR_NOTED = 2 };

struct adept_infer {
    adept_engine *engine;
    const adept_node *node;
    const adept_body *body;
    adept_certainty asked;         /* worst of the values and assumptions that were used */
    adept_status attribute_status; /* first wrong attribute */
};

/* Grows an array inside the arena; false when memory is short. */
#define ADEPT_GROW(engine, items, count, capacity)                                                           \
    ((count) < (capacity) ||                                                                                 \
     adept_grow((engine)->arena, (void **)&(items), (count), &(capacity), sizeof *(items)))
bool adept_grow(adept_arena *arena, void **items, int32_t count, int32_t *capacity, size_t size_B);

/* Infers the nodes of a body whose inputs have been set, once. */
adept_status adept_engine_body(adept_engine *engine, const adept_body *body);

/* Completes a tensor's inferred shape by what the file declares, and notes disagreement. */
adept_status adept_engine_merge_declared(adept_engine *engine, adept_tensor_id id, const char *node);

/* A shape made of a declared type; free symbols become assumptions of node. */
adept_status adept_engine_resolve(adept_engine *engine, const adept_type *type, const char *tensor,
                                  const char *node, adept_shape *out);

/*
 * Records an assumption, once per symbol, and tells the number to use: assumption->value and certainty are
 * changed if the user bound the symbol. owner: the node; another node's symbol of the same name gets a
 * number behind it (nodes of different subgraphs may have one name). NULL: symbols are told by name only.
 */
adept_status adept_engine_assume(adept_engine *engine, adept_assumption *assumption, const void *owner);

/* Adds a note unless there are too many. */
void adept_engine_note(adept_engine *engine, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The value of a tensor, read from the file if it is a constant that may be read; NULL: none. */
adept_status adept_engine_value(adept_engine *engine, adept_tensor_id id, const adept_value **value);

/* Trials: what happens to notes, assumptions and visits between begin and rollback is taken back. */
typedef struct adept_trial {
    int32_t assumption_count, note_count, notes_left_out, undo_count;
    int64_t inexact;
} adept_trial;
adept_trial adept_engine_trial(adept_engine *engine);
void adept_engine_keep(adept_engine *engine, const adept_trial *trial);
void adept_engine_rollback(adept_engine *engine, const adept_trial *trial);

/* Sets a node's output to a shape as it is, value included, its certainty worsened to `at_best`. */
void adept_engine_set(adept_infer *ctx, int32_t output, const adept_shape *shape, adept_certainty at_best);

/* Same kind, type, dimensions, length and elements. */
bool adept_engine_same_shape(const adept_shape *a, const adept_shape *b);

static inline adept_certainty adept_worst(adept_certainty a, adept_certainty b) {
    return a > b ? a : b;
}

#endif
