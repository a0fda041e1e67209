/*
 * Profile: the work, traffic and memory of a network under one run configuration; still no hardware.
 *
 * adept_profile owns everything it hands out.
 */
#ifndef ADEPT_PROFILE_H
#define ADEPT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adept/dtype.h"
#include "adept/graph.h"
#include "adept/run.h"
#include "adept/workload.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adept_profile adept_profile;

/*
 * Characterises graph under run.
 * Errors    ARGUMENT (bindings), SHAPE, RANGE (sizes beyond int64), LIMIT, NOMEM
 */
adept_status adept_profile_build(adept_profile **out, const adept_graph *graph, const adept_run *run,
                                 adept_error *err);
void adept_profile_free(adept_profile *profile); /* NULL is fine */

const adept_workload *adept_profile_workload(const adept_profile *profile);
const adept_run *adept_profile_run(const adept_profile *profile); /* with defaults resolved, strings owned */

/* An output tensor of an operator. */
typedef struct adept_tensor_view {
    const char *name;
    adept_dtype dtype; /* as in the file */
    int32_t rank;      /* -1: unknown */
    const int64_t *dims;
    bool exact; /* false: rests on a bound or an assumption */
} adept_tensor_view;

/* One row of the per-operator table. Work is that of one micro-batch, repetitions included. */
typedef struct adept_operator {
    const char *name, *op_type, *domain, *module;
    bool known;      /* a handler counts it, by itself or as a part of a composite */
    bool composite;  /* stands for several nodes (its parts follow with part_of = this row) */
    int32_t part_of; /* row of the composite that counts this node; -1: none */
    double repeats;  /* runs per micro-batch (loops); 0: never */
    adept_work forward, backward;
    adept_structure structure; /* of this operator alone */
    double saved_B; /* activations it keeps for the backward pass, shared ones counted at the first user */
    double working_set_B;
    int32_t output_count;
    const adept_tensor_view *outputs;
} adept_operator;

size_t adept_profile_operator_count(const adept_profile *profile);
const adept_operator *adept_profile_operator(const adept_profile *profile, size_t row);

/* Work rolled up by module path, in order of first appearance; a parent includes its children. */
typedef struct adept_module {
    const char *path; /* "" is the whole network */
    int32_t depth;
    double parameters; /* elements, each tensor at its first user */
    adept_work forward, backward;
} adept_module;

size_t adept_profile_module_count(const adept_profile *profile);
const adept_module *adept_profile_module(const adept_profile *profile, size_t index);

typedef struct adept_coverage {
    size_t nodes_total, nodes_supported;
    size_t unsupported_count; /* distinct operator types without a row */
} adept_coverage;

adept_coverage adept_profile_coverage(const adept_profile *profile);
const char *adept_profile_unsupported(const adept_profile *profile, size_t index,
                                      size_t *count); /* op type */

/* An attribute that no version of its operator has; the figures are those without it. Also among the notes.
 */
typedef struct adept_unknown_attribute {
    const char *op_type, *attribute; /* "domain::Op" outside ai.onnx */
    size_t count;                    /* nodes that have it */
    const char *node;                /* the first of them */
} adept_unknown_attribute;

size_t adept_profile_unknown_attribute_count(const adept_profile *profile);
const adept_unknown_attribute *adept_profile_unknown_attribute(const adept_profile *profile, size_t index);

/*
 * Whether everything that the file asks for is in the figures: what --strict demands. Operators without a
 * handler and attributes that their operator does not have are left out; everything else that was found odd
 * was read in the one way it can be meant (nodes not in order, types left out, value_info that inference
 * contradicts) and is a note.
 * Errors    UNSUPPORTED, with the first thing left out
 */
adept_status adept_profile_check_complete(const adept_profile *profile, adept_error *err);

/* A dimension that was bound, by the user or by a default. */
typedef struct adept_bound_dim {
    const char *name;
    int64_t value;
    bool given;         /* by the user */
    const char *reason; /* NULL for an input's symbol; else why data decides it, and at which node */
    bool upper_bound;   /* value is a bound, not an assumption */
} adept_bound_dim;

size_t adept_profile_dim_count(const adept_profile *profile);
const adept_bound_dim *adept_profile_dim(const adept_profile *profile, size_t index);

/* What was assumed or found odd, one line each: for people. */
size_t adept_profile_note_count(const adept_profile *profile);
const char *adept_profile_note(const adept_profile *profile, size_t index);

size_t adept_profile_node_count(const adept_profile *profile); /* of the file's main graph, inlined */

#ifdef __cplusplus
}
#endif
#endif
