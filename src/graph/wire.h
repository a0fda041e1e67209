/*
 * Reading the protobuf wire format from memory: one field after the other, every length checked.
 * Source    Protocol Buffers documentation, "Encoding"
 */
#ifndef ADEPT_WIRE_H
#define ADEPT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADEPT_WIRE_VARINT = 0, ADEPT_WIRE_FIXED64 = 1, ADEPT_WIRE_BYTES = 2, ADEPT_WIRE_FIXED32 = 5 };

typedef struct adept_wire {
    const unsigned char *at, *end;
} adept_wire;

typedef struct adept_wire_field {
    uint32_t number, type;
    uint64_t varint;            /* VARINT */
    const unsigned char *key;   /* first byte of the field */
    const unsigned char *bytes; /* what follows the key, or the key and the length */
    size_t length_B;
} adept_wire_field;

/* Reads a varint of at most ten bytes; false if it does not end in time. */
static inline bool adept_wire_varint(adept_wire *wire, uint64_t *out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && wire->at < wire->end; shift += 7) {
        unsigned char byte = *wire->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Reads the next field; false if it is malformed or reaches beyond the end. Call while at < end. */
static inline bool adept_wire_next(adept_wire *wire, adept_wire_field *field) {
    uint64_t key, length_B = 0;
    field->key = wire->at;
    if (!adept_wire_varint(wire, &key) || key > UINT32_MAX || key >> 3 == 0)
        return false;
    field->number = (uint32_t)(key >> 3);
    field->type = (uint32_t)(key & 7);
    field->bytes = wire->at;
    if (field->type == ADEPT_WIRE_VARINT) {
        if (!adept_wire_varint(wire, &field->varint))
            return false;
        field->length_B = (size_t)(wire->at - field->bytes);
        return true;
    }
    if (field->type == ADEPT_WIRE_FIXED64)
        length_B = 8;
    else if (field->type == ADEPT_WIRE_FIXED32)
        length_B = 4;
    else if (field->type != ADEPT_WIRE_BYTES || !adept_wire_varint(wire, &length_B))
        return false; /* groups: no ONNX field ever was one */
    if (length_B > (uint64_t)(wire->end - wire->at))
        return false;
    field->bytes = wire->at;
    field->length_B = (size_t)length_B;
    wire->at += length_B;
    return true;
}

#endif
