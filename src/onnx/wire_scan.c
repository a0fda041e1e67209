#include "wire_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "payload.h"
#include "wire.h"

enum {
    MESSAGE_DEPTH_LIMIT = 3 * ADEPT_GRAPH_DEPTH_LIMIT + 16,
    RELEASE_STEP_B = 1 << 20,
    SMALLEST_PREFETCH_B = 1 << 14,
    LARGEST_PREFETCH_B = 1 << 19,
    LARGE_PAYLOAD_B = 1 << 14,
    LENGTH_B = 5, /* every length is written as a varint of five bytes, most of them longer than needed */
    FIELD_LIMIT = 26
};
/* protobuf-c measures in int; real files have a few hundred bytes a node. */
static const size_t slim_limit_B = (size_t)1 << 30;

typedef enum message_kind {
    MODEL,
    OPSET_IMPORT,
    STRING_PAIR,
    GRAPH,
    NODE,
    ATTRIBUTE,
    TENSOR,
    SPARSE_TENSOR,
    VALUE_INFO,
    TYPE,
    TENSOR_TYPE,
    ELEMENT_TYPE,
    MAP_TYPE,
    OPAQUE_TYPE,
    SHAPE,
    DIMENSION,
    FUNCTION
} message_kind;

typedef enum action {
    DROP, /* also every field that is not listed */
    VARINT,
    VARINTS, /* repeated: one by one or packed */
    FIXED32,
    FLOATS, /* repeated: one by one or packed */
    TEXT,   /* becomes a C string */
    BYTES,
    ONE, /* a message, at most once */
    MANY /* messages */
} action;

typedef struct field_rule {
    unsigned char action, message;
} field_rule;

/* The messages of onnx.proto by field number; its private fields are written by write_payload. */
/* clang-format 14 crashes on this table. */
/* clang-format off */
static const field_rule rules[][FIELD_LIMIT] = {
    [MODEL] = {[1] = {VARINT, 0},
               [2] = {TEXT, 0},
               [3] = {TEXT, 0},
               [7] = {ONE, GRAPH},
               [8] = {MANY, OPSET_IMPORT},
               [25] = {MANY, FUNCTION}},
    [OPSET_IMPORT] = {[1] = {TEXT, 0}, [2] = {VARINT, 0}},
    [STRING_PAIR] = {[1] = {TEXT, 0}, [2] = {TEXT, 0}},
    [GRAPH] = {[1] = {MANY, NODE},
               [2] = {TEXT, 0},
               [5] = {MANY, TENSOR},
               [11] = {MANY, VALUE_INFO},
               [12] = {MANY, VALUE_INFO},
               [13] = {MANY, VALUE_INFO},
               [15] = {MANY, SPARSE_TENSOR}},
    [NODE] = {[1] = {TEXT, 0},
              [2] = {TEXT, 0},
              [3] = {TEXT, 0},
              [4] = {TEXT, 0},
              [5] = {MANY, ATTRIBUTE},
              [7] = {TEXT, 0},
              [8] = {TEXT, 0},
              [9] = {MANY, STRING_PAIR}},
    [ATTRIBUTE] = {[1] = {TEXT, 0},
                   [2] = {FIXED32, 0},
                   [3] = {VARINT, 0},
                   [4] = {BYTES, 0},
                   [5] = {ONE, TENSOR},
                   [6] = {ONE, GRAPH},
                   [7] = {FLOATS, 0},
                   [8] = {VARINTS, 0},
                   [9] = {BYTES, 0},
                   [10] = {MANY, TENSOR},
                   [11] = {MANY, GRAPH},
                   [14] = {ONE, TYPE},
                   [15] = {MANY, TYPE},
                   [20] = {VARINT, 0},
                   [21] = {TEXT, 0},
                   [22] = {ONE, SPARSE_TENSOR},
                   [23] = {MANY, SPARSE_TENSOR}},
    [TENSOR] = {[1] = {VARINTS, 0},
                [2] = {VARINT, 0},
                [8] = {TEXT, 0},
                [13] = {MANY, STRING_PAIR},
                [14] = {VARINT, 0}},
    [SPARSE_TENSOR] = {[1] = {ONE, TENSOR}, [2] = {ONE, TENSOR}, [3] = {VARINTS, 0}},
    [VALUE_INFO] = {[1] = {TEXT, 0}, [2] = {ONE, TYPE}},
    [TYPE] = {[1] = {ONE, TENSOR_TYPE},
              [4] = {ONE, ELEMENT_TYPE},
              [5] = {ONE, MAP_TYPE},
              [7] = {ONE, OPAQUE_TYPE},
              [8] = {ONE, TENSOR_TYPE},
              [9] = {ONE, ELEMENT_TYPE}},
    [TENSOR_TYPE] = {[1] = {VARINT, 0}, [2] = {ONE, SHAPE}},
    [ELEMENT_TYPE] = {[1] = {ONE, TYPE}},
    [MAP_TYPE] = {[1] = {VARINT, 0}, [2] = {ONE, TYPE}},
    [OPAQUE_TYPE] = {[1] = {TEXT, 0}, [2] = {TEXT, 0}},
    [SHAPE] = {[1] = {MANY, DIMENSION}},
    [DIMENSION] = {[1] = {VARINT, 0}, [2] = {TEXT, 0}},
    [FUNCTION] = {[1] = {TEXT, 0},
                  [4] = {TEXT, 0},
                  [5] = {TEXT, 0},
                  [6] = {TEXT, 0},
                  [7] = {MANY, NODE},
                  [9] = {MANY, OPSET_IMPORT},
                  [10] = {TEXT, 0},
                  [11] = {MANY, ATTRIBUTE},
                  [12] = {MANY, VALUE_INFO},
                  [13] = {TEXT, 0}},
};
/* clang-format on */

typedef struct scanner {
    const unsigned char *start; /* of the file */
    unsigned char *out;
    size_t out_B, capacity_B;
    size_t padding_B;                /* of out_B: what lengths take beyond the one byte they need at least */
    const adept_mapping *mapping;    /* NULL: bytes in memory */
    size_t released_B, prefetched_B; /* up to where */
    size_t run_start_B;              /* from where on there has been structure only */
    adept_error *err;
} scanner;

/* All fields of one number that hold elements of a tensor. */
typedef struct payload {
    const unsigned char *first, *end;
    uint64_t count; /* raw_data: bytes; fixed width: entries; varints: at most so many entries */
} payload;

static adept_status damaged(const scanner *scan, const unsigned char *at, const char *what) {
    return adept_fail(scan->err, ADEPT_FORMAT,
                      "%s at byte %zu: damaged, truncated or not an ONNX file; get it again or re-export",
                      what, (size_t)(at - scan->start));
}

/* --- writing --- */

static adept_status make_room(scanner *scan, size_t wanted_B) {
    if (scan->out && wanted_B <= scan->capacity_B - scan->out_B)
        return ADEPT_OK;
    if (wanted_B > slim_limit_B - scan->out_B)
        return adept_fail(scan->err, ADEPT_LIMIT, "more than %zu MB of structure beside the weights",
                          slim_limit_B >> 20);
    size_t capacity_B = scan->capacity_B ? scan->capacity_B : 4096;
    while (capacity_B - scan->out_B < wanted_B)
        capacity_B *= 2;
    unsigned char *out = realloc(scan->out, capacity_B);
    if (!out)
        return adept_fail_memory(scan->err);
    scan->out = out;
    scan->capacity_B = capacity_B;
    return ADEPT_OK;
}

static void put_varint(scanner *scan, uint64_t value) { /* room has been made */
    while (value >= 0x80) {
        scan->out[scan->out_B++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    scan->out[scan->out_B++] = (unsigned char)value;
}

static void put_length(scanner *scan, size_t at, size_t length_B) {
    for (size_t i = 0; i < LENGTH_B; i++, length_B >>= 7)
        scan->out[at + i] = (unsigned char)((length_B & 0x7f) | (i + 1 < LENGTH_B ? 0x80 : 0));
}

/* The field as it is; in text a NUL, which C strings cannot hold, becomes \x01. */
static adept_status copy_field(scanner *scan, const adept_wire_field *field, bool is_text) {
    adept_status status = make_room(scan, field->length_B + 20);
    if (status != ADEPT_OK)
        return status;
    put_varint(scan, (uint64_t)field->number << 3 | field->type);
    if (field->type == ADEPT_WIRE_BYTES)
        put_varint(scan, field->length_B);
    unsigned char *copy = scan->out + scan->out_B;
    memcpy(copy, field->bytes, field->length_B);
    scan->out_B += field->length_B;
    if (is_text) {
        for (size_t left = field->length_B; (copy = memchr(copy, 0, left)) != NULL;) {
            *copy = 1;
            left = (size_t)(scan->out + scan->out_B - copy);
        }
    }
    return ADEPT_OK;
}

/* --- reading --- */

static bool are_varints(const adept_wire_field *field) {
    adept_wire wire = {field->bytes, field->bytes + field->length_B};
    uint64_t value;
    while (wire.at != wire.end) {
        if (!adept_wire_varint(&wire, &value))
            return false;
    }
    return true;
}

/* A known field whose wire type is not the expected one is an unknown field to protobuf: dropped. */
static adept_status scan_value(scanner *scan, const adept_wire_field *field, action kind) {
    bool is_bytes = field->type == ADEPT_WIRE_BYTES;
    switch (kind) {
    case VARINT:
        return field->type == ADEPT_WIRE_VARINT ? copy_field(scan, field, false) : ADEPT_OK;
    case FIXED32:
        return field->type == ADEPT_WIRE_FIXED32 ? copy_field(scan, field, false) : ADEPT_OK;
    case TEXT:
        return is_bytes ? copy_field(scan, field, true) : ADEPT_OK;
    case BYTES:
        return is_bytes ? copy_field(scan, field, false) : ADEPT_OK;
    case VARINTS:
        if (is_bytes && !are_varints(field))
            return damaged(scan, field->bytes, "list of integers that does not end");
        return is_bytes || field->type == ADEPT_WIRE_VARINT ? copy_field(scan, field, false) : ADEPT_OK;
    case FLOATS:
        if (is_bytes && field->length_B % 4 != 0)
            return damaged(scan, field->bytes, "list of floats that does not end");
        return is_bytes || field->type == ADEPT_WIRE_FIXED32 ? copy_field(scan, field, false) : ADEPT_OK;
    case DROP:
    case ONE:
    case MANY:
        break;
    }
    return ADEPT_OK;
}

/*
 * Pages behind are let go. Pages ahead are asked for in growing steps while the scan meets nothing but
 * structure; a large payload starts the run anew, so that at most one step reaches into weights.
 */
static void advise_pages(scanner *scan, const unsigned char *at) {
    size_t at_B = (size_t)(at - scan->start);
    if (!scan->mapping)
        return;
    if (at_B - scan->released_B >= RELEASE_STEP_B) {
        adept_mapping_release(scan->mapping, scan->released_B, at_B);
        scan->released_B = at_B;
    }
    size_t run_B = at_B - scan->run_start_B;
    size_t step_B = run_B < LARGEST_PREFETCH_B ? run_B : LARGEST_PREFETCH_B;
    if (step_B < SMALLEST_PREFETCH_B || at_B + step_B / 2 < scan->prefetched_B)
        return;
    size_t from_B = at_B > scan->prefetched_B ? at_B : scan->prefetched_B;
    size_t left_B = scan->mapping->size_B - at_B;
    scan->prefetched_B = at_B + (step_B < left_B ? step_B : left_B);
    adept_mapping_prefetch(scan->mapping, from_B, scan->prefetched_B);
}

static adept_status scan_message(scanner *scan, message_kind kind, adept_wire wire, int depth);
static adept_status scan_tensor(scanner *scan, adept_wire wire, int depth);

static adept_status scan_submessage(scanner *scan, const adept_wire_field *field, message_kind kind,
                                    int depth) {
    if (depth >= MESSAGE_DEPTH_LIMIT)
        return adept_fail(scan->err, ADEPT_LIMIT,
                          "graphs nested more than %d deep at byte %zu; ADEPT does not read that",
                          ADEPT_GRAPH_DEPTH_LIMIT, (size_t)(field->key - scan->start));
    adept_status status = make_room(scan, 16);
    if (status != ADEPT_OK)
        return status;
    put_varint(scan, (uint64_t)field->number << 3 | ADEPT_WIRE_BYTES);
    size_t length_at = scan->out_B;
    scan->out_B += LENGTH_B;
    scan->padding_B += LENGTH_B - 1;
    adept_wire inner = {field->bytes, field->bytes + field->length_B};
    status =
        kind == TENSOR ? scan_tensor(scan, inner, depth + 1) : scan_message(scan, kind, inner, depth + 1);
    if (status == ADEPT_OK)
        put_length(scan, length_at, scan->out_B - length_at - LENGTH_B);
    advise_pages(scan, inner.end);
    return status;
}

/* seen: fields met so far. Twice the same single message would have to be merged; no writer does that. */
static adept_status scan_field(scanner *scan, message_kind kind, const adept_wire_field *field,
                               uint32_t *seen, int depth) {
    if (field->number >= FIELD_LIMIT)
        return ADEPT_OK;
    field_rule rule = rules[kind][field->number];
    if (rule.action != ONE && rule.action != MANY)
        return scan_value(scan, field, (action)rule.action);
    if (field->type != ADEPT_WIRE_BYTES)
        return ADEPT_OK;
    if (rule.action == ONE && (*seen >> field->number & 1))
        return damaged(scan, field->key, "field that may occur once occurs again");
    *seen |= UINT32_C(1) << field->number;
    return scan_submessage(scan, field, (message_kind)rule.message, depth);
}

static adept_status scan_message(scanner *scan, message_kind kind, adept_wire wire, int depth) {
    uint32_t seen = 0;
    while (wire.at != wire.end) {
        adept_wire_field field;
        const unsigned char *at = wire.at;
        if (!adept_wire_next(&wire, &field))
            return damaged(scan, at, "broken field");
        adept_status status = scan_field(scan, kind, &field, &seen, depth);
        if (status != ADEPT_OK)
            return status;
    }
    return ADEPT_OK;
}

/* --- tensors --- */

static void add_payload(payload *found, const adept_wire_field *field) {
    if (!found->first)
        found->first = field->key;
    found->end = field->bytes + field->length_B;
    bool packed = field->type == ADEPT_WIRE_BYTES;
    switch (field->number) {
    case ADEPT_FIELD_RAW_DATA: /* single: the last one counts */
        found->first = field->bytes;
        found->count = field->length_B;
        break;
    case ADEPT_FIELD_FLOAT_DATA:
        found->count += packed ? field->length_B / 4 : 1;
        break;
    case ADEPT_FIELD_DOUBLE_DATA:
        found->count += packed ? field->length_B / 8 : 1;
        break;
    case ADEPT_FIELD_STRING_DATA:
        found->count++;
        break;
    default: /* varints: each has at least one byte, and the bytes themselves are not looked at */
        found->count += packed ? field->length_B : 1;
        break;
    }
}

/* Wire types that a payload field may have: packed or one by one. */
static bool is_payload(const adept_wire_field *field) {
    switch (field->number) {
    case ADEPT_FIELD_RAW_DATA:
    case ADEPT_FIELD_STRING_DATA:
        return field->type == ADEPT_WIRE_BYTES;
    case ADEPT_FIELD_FLOAT_DATA:
        return field->type == ADEPT_WIRE_BYTES || field->type == ADEPT_WIRE_FIXED32;
    case ADEPT_FIELD_DOUBLE_DATA:
        return field->type == ADEPT_WIRE_BYTES || field->type == ADEPT_WIRE_FIXED64;
    case ADEPT_FIELD_INT32_DATA:
    case ADEPT_FIELD_INT64_DATA:
    case ADEPT_FIELD_UINT64_DATA:
        return field->type == ADEPT_WIRE_BYTES || field->type == ADEPT_WIRE_VARINT;
    default:
        return false;
    }
}

/* The private fields 100 to 103 of onnx.proto. */
static adept_status write_payload(scanner *scan, int32_t number, const payload *found) {
    adept_status status = make_room(scan, 64);
    if (status != ADEPT_OK)
        return status;
    const uint64_t values[] = {(uint64_t)number, (uint64_t)(found->first - scan->start),
                               (uint64_t)(found->end - found->first), found->count};
    for (uint32_t i = 0; i < 4; i++) {
        put_varint(scan, (uint64_t)(100 + i) << 3 | ADEPT_WIRE_VARINT);
        put_varint(scan, values[i]);
    }
    return ADEPT_OK;
}

static adept_status scan_tensor(scanner *scan, adept_wire wire, int depth) {
    payload found[ADEPT_FIELD_UINT64_DATA + 1] = {
        {NULL, NULL, 0}
    };
    uint32_t seen = 0;
    uint64_t dtype = 0;
    while (wire.at != wire.end) {
        adept_wire_field field;
        const unsigned char *at = wire.at;
        if (!adept_wire_next(&wire, &field))
            return damaged(scan, at, "broken tensor");
        if (is_payload(&field)) {
            add_payload(&found[field.number], &field);
            if (field.length_B >= LARGE_PAYLOAD_B)
                scan->run_start_B = (size_t)(field.bytes + field.length_B - scan->start);
            continue;
        }
        if (field.number == 2 && field.type == ADEPT_WIRE_VARINT)
            dtype = field.varint;
        adept_status status = scan_field(scan, TENSOR, &field, &seen, depth);
        if (status != ADEPT_OK)
            return status;
    }
    int32_t typed = dtype < ADEPT_DTYPE_COUNT ? adept_payload_field((adept_dtype)dtype) : 0;
    if (found[ADEPT_FIELD_RAW_DATA].count > 0)
        return write_payload(scan, ADEPT_FIELD_RAW_DATA, &found[ADEPT_FIELD_RAW_DATA]);
    return found[typed].first ? write_payload(scan, typed, &found[typed]) : ADEPT_OK;
}

adept_status adept_wire_scan(adept_slim_model *slim, const unsigned char *bytes, size_t size_B,
                             const adept_mapping *mapping, adept_error *err) {
    scanner scan = {.start = bytes, .mapping = mapping, .err = err};
    adept_wire wire = {bytes, bytes ? bytes + size_B : NULL};
    adept_status status = make_room(&scan, 1);
    if (status == ADEPT_OK)
        status = scan_message(&scan, MODEL, wire, 0);
    if (status != ADEPT_OK) {
        free(scan.out);
        return status;
    }
    *slim = (adept_slim_model){scan.out, scan.out_B, scan.out_B - scan.padding_B};
    return ADEPT_OK;
}
