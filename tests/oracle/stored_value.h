/* Stored inputs and outputs of ONNX model cases: TensorProto, SequenceProto, OptionalProto files. */
#ifndef ADEPT_STORED_VALUE_H
#define ADEPT_STORED_VALUE_H

#include "arena.h"
#include "infer.h"

typedef struct stored_value {
    const char *name; /* of the TensorProto, "" if not stated */
    adept_type_kind kind;
    adept_shape shape;  /* tensor: with its value where it is small enough; optional: element NULL if empty */
    int32_t item_count; /* sequence: elements; optional: 0 or 1 */
    const struct stored_value *items;
} stored_value;

/* Reads a file whose message is of this kind (tensor, sequence, optional). False: missing or malformed. */
bool stored_value_read(stored_value *out, adept_arena *arena, const char *path, adept_type_kind kind);

#endif
