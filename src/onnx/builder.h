/*
 * Building an adept_graph from a decoded file: what the build_*.c files share.
 *
 * A body is the main graph or a subgraph; its nodes are collected in a frame and sorted at the end. A
 * scope is where names are declared: each body has one, and so has each inlined call of a local function,
 * whose nodes go to the frame of the caller. Scopes open and close like brackets, so one table of names
 * serves all: a declaration hides that of the same name further out until its scope closes, and a lookup
 * costs the same at any depth. A function's scope starts a region of its own and sees nothing outside.
 */
#ifndef ADEPT_BUILDER_H
#define ADEPT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "model_graph.h"
#include "onnx.pb-c.h"
#include "string_map.h"

typedef AdeptOnnx__Attribute pb_attribute;
typedef AdeptOnnx__Function pb_function;
typedef AdeptOnnx__Graph pb_graph;
typedef AdeptOnnx__Model pb_model;
typedef AdeptOnnx__Node pb_node;
typedef AdeptOnnx__OpsetImport pb_opset_import;
typedef AdeptOnnx__SparseTensor pb_sparse_tensor;
typedef AdeptOnnx__StringPair pb_string_pair;
typedef AdeptOnnx__Tensor pb_tensor;
typedef AdeptOnnx__Type pb_type;
typedef AdeptOnnx__ValueInfo pb_value_info;

enum {
    RANK_LIMIT = 1024,      /* dimensions of a tensor */
    CALL_DEPTH_LIMIT = 512, /* calls of local functions and subgraphs within one another */
    INLINED_LIMIT = 500000, /* nodes that come from local functions */
    ATTRIBUTE_LIMIT = 1024, /* attributes of a node */
    EDGE_LIMIT = 1 << 22,   /* uses of a body's tensors by subgraphs */
    WARNING_LIMIT = 100,
    NAME_LIMIT = 1024, /* characters of a name with its call path; longer ones lose their start */
    ABSENT = -1,       /* in a scope: an optional input of a function that the call leaves out */
    UNDECLARED = -2    /* in a scope: no such name */
};

/* adept_tensor.producer while building: node `ordinal` of its list will write it. */
#define PENDING(ordinal) (-2 - (ordinal))
#define IS_PENDING(producer) ((producer) <= -2)
#define PENDING_ORDINAL(producer) (-2 - (producer))

/* Imported operator sets of the model or of a function. */
typedef struct opset_table {
    adept_string_map versions;        /* by domain, "" for ai.onnx */
    int32_t default_version;          /* of "", 0: not imported */
    const struct opset_table *parent; /* of a function: the model's */
} opset_table;

typedef struct function_entry {
    const pb_function *function;
    const char *domain; /* "" for ai.onnx */
    int32_t next;       /* another function of the same name, -1: none */
    int32_t caller;     /* while being counted: the function that led here, -1: the main graph */
    enum { NOT_COUNTED, BEING_COUNTED, COUNTED } state;
    int64_t nodes;  /* after inlining */
    int32_t height; /* levels of calls and subgraphs below */
    opset_table opsets;
} function_entry;

typedef struct captured_edge {
    int32_t node;           /* of the frame; has a subgraph */
    adept_tensor_id tensor; /* of the same body, used inside the subgraph */
} captured_edge;

typedef struct body_frame {
    int32_t index; /* of the body */
    bool unsorted;
    adept_node *nodes;
    int32_t node_count, node_capacity;
    captured_edge *edges; /* in the order of nodes */
    int32_t edge_count, edge_capacity;
    adept_tensor_id *captures; /* outer tensors that this body uses */
    int32_t capture_count, capture_capacity;
    int32_t serial; /* for builder.marks */
} body_frame;

typedef struct binding {
    const char *name; /* borrowed from the decoded file */
    adept_tensor_id tensor;
    int32_t scope, region; /* serial numbers */
    int32_t hidden;        /* binding of the same name further out, -1: none */
} binding;

typedef struct scope {
    int32_t serial, region;
    int32_t first_binding; /* its own and those of scopes within */
    bool is_main;
    body_frame *frame;
    const opset_table *opsets;
    const pb_function *function;      /* NULL: not the body of a local function */
    const adept_attribute *arguments; /* of the call */
    int32_t argument_count;
    adept_string_map outputs; /* of a function: number of each output that nodes have to write */
    bool *output_written;     /* [function->n_output] */
    const char *path;         /* of the call, "" outside of functions */
    const char *module;       /* of the call */
} scope;

typedef struct builder {
    adept_graph *graph;
    adept_arena *arena;         /* of the graph */
    const unsigned char *bytes; /* of the file */
    adept_error *err;
    adept_tensor *tensors;
    int32_t *marks; /* [tensor_capacity] serial of the frame that captured the tensor last */
    int32_t tensor_count, tensor_capacity;
    const adept_body **bodies;
    int32_t body_count, body_capacity;
    const char **warnings;
    int32_t warning_count, warning_capacity;
    const char **interned;
    int32_t interned_count, interned_capacity;
    adept_string_map interned_index;
    function_entry *functions;
    int32_t function_count;
    adept_string_map function_index, function_domains;
    char *key; /* of the function looked for, in the form of function_index */
    size_t key_capacity;
    adept_string_map names; /* number of the innermost binding, -1: none */
    binding *bindings;      /* a stack */
    int32_t binding_count, binding_capacity;
    opset_table opsets;
    int32_t next_serial;
} builder;

/* --- builder.c --- */
/* Makes room for one more item of size_B in a malloc'd list; false when memory is short. */
bool adept_builder_grow(void **items, int32_t count, int32_t *capacity, size_t size_B);
/* One copy of a string that occurs often (operator types, domains, attribute names). NULL: memory. */
const char *adept_builder_intern(builder *b, const char *text);
/* path/name or path.name, at most NAME_LIMIT characters; name alone if path is empty. NULL: memory. */
char *adept_builder_join(builder *b, const char *path, char separator, const char *name);
adept_status adept_builder_warn(builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* New tensor of a scope's body. */
adept_status adept_builder_tensor(builder *b, const scope *where, const char *name, adept_tensor_id *out);
/* Notes that a body uses a tensor of a body further out. */
adept_status adept_builder_capture(builder *b, body_frame *frame, adept_tensor_id tensor);
void adept_builder_clear(builder *b);

/* --- names.c --- */
/* Opens a scope within another (NULL: the main graph); a function's opens a region of its own. */
void adept_scope_open(builder *b, scope *inside, const scope *parent, bool is_function);
void adept_scope_close(builder *b, scope *inside);
adept_status adept_scope_declare(builder *b, const scope *where, const char *name, adept_tensor_id tensor);
/* Number of a name declared in this very scope, ABSENT or UNDECLARED. */
adept_tensor_id adept_scope_own(const builder *b, const scope *where, const char *name);
/* Number of a name as seen from the scope, ABSENT or UNDECLARED; uses of outer tensors are noted. */
adept_status adept_scope_lookup(builder *b, const scope *where, const char *name, adept_tensor_id *out);

/* --- build_type.c --- */
adept_status adept_build_type(builder *b, const pb_type *type, const adept_type **out);
/* Text of a declared shape, "[batch, 3]"; NULL when memory is short. */
const char *adept_build_shape_text(builder *b, const adept_type *type);

/* --- build_constant.c --- */
adept_status adept_build_constant(builder *b, const pb_tensor *tensor, const adept_constant **out);
adept_status adept_build_sparse_constant(builder *b, const pb_sparse_tensor *tensor,
                                         const adept_constant **out);
/* What a Constant node yields; NULL if its attributes say nothing. */
adept_status adept_build_node_constant(builder *b, const adept_node *node, const adept_constant **out);

/* --- build_attribute.c --- */
adept_status adept_build_attributes(builder *b, const scope *where, const pb_attribute *const *attributes,
                                    size_t count, const adept_attribute **out, int32_t *out_count);

/* --- build_function.c --- */
/* Lists the functions, refuses recursion and growth without bound. */
adept_status adept_build_functions(builder *b, const pb_model *model, int64_t *inlined_nodes);
/* *out: the local function that a node calls, NULL if it is an operator. */
adept_status adept_build_find_function(builder *b, const pb_node *node, function_entry **out);
/* Adds the function's nodes in place of the call; label: the call's name within its list of nodes. */
adept_status adept_build_call(builder *b, const scope *where, function_entry *entry, const adept_node *call,
                              const char *label);

/* --- build_opset.c --- */
adept_status adept_build_opsets(builder *b, opset_table *table, const pb_opset_import *const *imports,
                                size_t count);
/* Version of the node's domain in a scope; 0: not imported. */
int32_t adept_build_opset_version(const opset_table *table, const char *domain);
/* The standard spells its own domain "" or "ai.onnx". */
const char *adept_build_domain(const char *domain);

/* --- build_body.c --- */
adept_status adept_build_body(builder *b, const scope *parent, const pb_graph *graph, const adept_body **out);

/* --- build_node.c --- */
/* Declares all outputs, then adds the nodes to the scope's frame. */
adept_status adept_build_nodes(builder *b, scope *where, const pb_node *const *nodes, size_t count);
/* Adds a finished node to the scope's frame. */
adept_status adept_build_append(builder *b, const scope *where, const adept_node *node);

/* protobuf-c leaves absent strings NULL. */
static inline const char *text_or_empty(const char *text) {
    return text ? text : "";
}

#endif
