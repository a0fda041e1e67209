/* What the parts of this room share: the profile under construction. */
#ifndef ADEPT_PROFILE_ROOM_H
#define ADEPT_PROFILE_ROOM_H

#include "activations.h"
#include "adept/profile.h"
#include "gradients.h"
#include "network.h"

typedef struct adept_unsupported {
    const char *op_type; /* "domain::Op" outside ai.onnx */
    size_t count;
} adept_unsupported;

struct adept_profile {
    adept_arena *arena;
    const adept_graph *source; /* the caller's; outlives the profile */
    adept_run run;
    adept_shapes *shapes; /* owned */
    adept_network *network;
    adept_gradients gradients;
    adept_dtype *storage;   /* [tensors] */
    bool *is_constant;      /* [tensors] weights and what is folded from them */
    adept_counted *counted; /* [ops] */
    adept_activations activations;
    adept_work *forward,
        *backward;              /* [ops] repeats included; gradient accumulation of a fan-out at its reader */
    adept_structure *structure; /* [ops] */
    adept_workload workload;
    size_t operator_count;
    adept_operator *operators;
    size_t module_count;
    adept_module *modules;
    adept_coverage coverage;
    adept_unsupported *unsupported;
    size_t unknown_attribute_count;
    adept_unknown_attribute *unknown_attributes;
    size_t dim_count;
    adept_bound_dim *dims;
    size_t note_count;
    const char **notes;
};

/* Kernels, launches and totals of the step: fills workload, forward, backward, structure. */
adept_status adept_profile_aggregate(adept_profile *p, adept_error *err);

/* A handler counts it. */
bool adept_profile_has_row(const adept_op *op);

/* Operators without a row and attributes that no operator has; false: out of memory. */
bool adept_profile_cover(adept_profile *p);

/* What people read: operators, modules, coverage, dims, notes. */
adept_status adept_profile_tabulate(adept_profile *p, adept_error *err);

#endif
