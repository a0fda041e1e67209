/*
 * The in-memory network: what src/onnx builds and every later room reads.
 *
 * All names are resolved at load: nodes refer to tensors by number, also across subgraph borders
 * (a body of If, Loop or Scan that uses an outer tensor holds the outer tensor's number). Local
 * functions are inlined, nodes are in topological order, inlined nodes carry their call path in
 * their name. One arena owns everything; the struct is read-only once built.
 */
#ifndef ADEPT_MODEL_GRAPH_H
#define ADEPT_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adept/dtype.h"
#include "adept/graph.h"
#include "arena.h"

typedef int32_t adept_tensor_id; /* index into adept_graph.tensors */
#define ADEPT_NO_TENSOR (-1)     /* optional input or output left out (empty name) */

typedef enum adept_type_kind {
    ADEPT_TYPE_UNKNOWN,
    ADEPT_TYPE_TENSOR,
    ADEPT_TYPE_SPARSE_TENSOR,
    ADEPT_TYPE_SEQUENCE,
    ADEPT_TYPE_OPTIONAL,
    ADEPT_TYPE_MAP,
    ADEPT_TYPE_OPAQUE
} adept_type_kind;

typedef struct adept_dim {
    int64_t value;      /* at least 0, or -1: not a number */
    const char *symbol; /* dim_param: a name or an expression such as "2*batch*seq"; NULL: none */
} adept_dim;

typedef struct adept_type {
    adept_type_kind kind;
    adept_dtype dtype;                /* of a tensor, or the keys of a map */
    int32_t rank;                     /* -1: not stated */
    const adept_dim *dims;            /* [rank] */
    const struct adept_type *element; /* of a sequence, optional, or map (values); NULL: not stated */
} adept_type;

typedef enum adept_payload {
    ADEPT_PAYLOAD_MISSING,  /* no data in the file at all */
    ADEPT_PAYLOAD_INLINE,   /* bytes/length: raw_data or a typed field inside the mapped file */
    ADEPT_PAYLOAD_EXTERNAL, /* location/offset/length in another file, not opened yet */
    ADEPT_PAYLOAD_SPARSE    /* a sparse tensor: never read, shape known */
} adept_payload;

/* A constant tensor: an initializer or the value of a Constant node. Its numbers stay in the file. */
typedef struct adept_constant {
    adept_dtype dtype;
    int32_t rank;
    const int64_t *dims; /* [rank], each at least 0 */
    int64_t elements;    /* product of dims */
    adept_payload payload;
    int32_t field; /* INLINE: TensorProto field number (9 raw_data, 4 float_data, 5, 6, 7, 10, 11) */
    /*
     * INLINE: the bytes of raw_data, or the stretch of the message that holds all fields of that number
     * with their keys (packed or one by one, other fields may lie between); NULL: no elements.
     */
    const unsigned char *bytes;
    uint64_t length_B;    /* INLINE, EXTERNAL; 0 external: to the end of the file */
    const char *location; /* EXTERNAL: path relative to the model's folder */
    uint64_t offset_B;    /* EXTERNAL */
} adept_constant;

typedef enum adept_attribute_type { /* numbers of AttributeProto.AttributeType */
                                    ADEPT_ATTRIBUTE_UNDEFINED = 0,
                                    ADEPT_ATTRIBUTE_FLOAT = 1,
                                    ADEPT_ATTRIBUTE_INT = 2,
                                    ADEPT_ATTRIBUTE_STRING = 3,
                                    ADEPT_ATTRIBUTE_TENSOR = 4,
                                    ADEPT_ATTRIBUTE_GRAPH = 5,
                                    ADEPT_ATTRIBUTE_FLOATS = 6,
                                    ADEPT_ATTRIBUTE_INTS = 7,
                                    ADEPT_ATTRIBUTE_STRINGS = 8,
                                    ADEPT_ATTRIBUTE_TENSORS = 9,
                                    ADEPT_ATTRIBUTE_GRAPHS = 10,
                                    ADEPT_ATTRIBUTE_SPARSE_TENSOR = 11,
                                    ADEPT_ATTRIBUTE_SPARSE_TENSORS = 12,
                                    ADEPT_ATTRIBUTE_TYPE_PROTO = 13,
                                    ADEPT_ATTRIBUTE_TYPE_PROTOS = 14
} adept_attribute_type;

typedef struct adept_attribute {
    const char *name;
    adept_attribute_type type;
    int64_t i;
    double f;
    const char *s; /* NUL-terminated copy; s_length counts embedded NULs */
    size_t s_length;
    int32_t count; /* of the list that type names */
    const int64_t *ints;
    const double *floats;
    const char *const *strings;
    const adept_constant *tensor;
    const struct adept_body *body; /* GRAPH */
    const adept_type *type_proto;
} adept_attribute;

typedef struct adept_node {
    const char *name; /* never empty: unnamed nodes get OpType_index */
    const char *op_type;
    const char *domain; /* "" for ai.onnx */
    const char *module; /* module path "encoder.layer.3.attention", "" where the file does not tell */
    const char *class_hierarchy; /* exporter metadata pkg.torch.onnx.class_hierarchy, NULL: none */
    const char *rule_names;      /* exporter metadata pkg.onnxscript.rewriter.rule_name, NULL: none */
    int32_t opset; /* version of the node's domain where it is used; 0: the domain is not imported */
    int32_t input_count, output_count;
    const adept_tensor_id *inputs, *outputs; /* ADEPT_NO_TENSOR where left out */
    int32_t attribute_count;
    const adept_attribute *attributes;
} adept_node;

typedef struct adept_tensor {
    const char *name;               /* unique within its body; "" never */
    const adept_type *declared;     /* graph input, output or value_info; NULL: the file says nothing */
    const adept_constant *constant; /* initializer or value of a Constant node; NULL: computed */
    int32_t body;                   /* index of the body it belongs to */
    int32_t producer;               /* node in that body; -1: input or initializer */
    bool is_initializer;            /* constant comes from the initializer list, not a Constant node */
    bool is_input;                  /* listed among the inputs of its body (may also be an initializer) */
} adept_tensor;

/* The main graph (bodies[0]) or a subgraph of If, Loop, Scan, SequenceMap. */
typedef struct adept_body {
    const char *name;
    int32_t index;
    int32_t node_count;
    const adept_node *nodes; /* topological order */
    int32_t input_count, output_count;
    const adept_tensor_id *inputs; /* main graph: without those that are initializers */
    const adept_tensor_id *outputs;
    int32_t capture_count;
    const adept_tensor_id *captures; /* outer tensors used in here or further in, each at least once */
} adept_body;

typedef struct adept_opset {
    const char *domain; /* "" for ai.onnx */
    int32_t version;
} adept_opset;

struct adept_graph {
    adept_arena *arena;
    const char *path, *folder, *producer;
    int64_t ir_version;
    int32_t opset_count;
    const adept_opset *opsets;
    int32_t tensor_count;
    adept_tensor *tensors;
    int32_t body_count;
    const adept_body *const *bodies; /* bodies[0] is the main graph */
    int32_t warning_count;
    const char *const *warnings;
    const char *const *input_shapes; /* as text, of the main graph's inputs */
    struct adept_mapping *mapping;   /* of the model file; NULL when loaded from memory */
};

/* The main graph. */
static inline const adept_body *adept_graph_main(const adept_graph *graph) {
    return graph->bodies[0];
}

/* Attribute by name, NULL if absent. */
const adept_attribute *adept_node_attribute(const adept_node *node, const char *name);

/*
 * Reads a constant's numbers, integers of any width (bool 0/1) into *ints or floating point of any
 * width into *reals; the other is set to NULL. Memory comes from arena. At most ADEPT_CONSTANT_LIMIT
 * elements: larger ones are weights, and nothing asks for those.
 * Errors    IO (external file missing or unreadable), FORMAT (too short for its dims),
 *           LIMIT (too many elements), UNSUPPORTED (strings, complex, sparse)
 */
#define ADEPT_CONSTANT_LIMIT 65536
adept_status adept_constant_read(const adept_graph *graph, const adept_constant *constant, adept_arena *arena,
                                 const int64_t **ints, const double **reals, adept_error *err);

/* The same for strings; each NUL-terminated. */
adept_status adept_constant_read_strings(const adept_graph *graph, const adept_constant *constant,
                                         adept_arena *arena, const char *const **strings, adept_error *err);

#endif
