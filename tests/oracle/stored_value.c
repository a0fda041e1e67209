#include "stored_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checked.h"
#include "wire.h"

/* --- TensorProto: field numbers of onnx.proto --- */
enum {
    DIMS = 1,
    DATA_TYPE = 2,
    FLOAT_DATA = 4,
    INT32_DATA = 5,
    STRING_DATA = 6,
    INT64_DATA = 7,
    NAME = 8,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    UINT64_DATA = 11
};

enum { RANK_LIMIT = 64 };

static double half(uint16_t bits) {
    int exponent = (bits >> 10) & 31;
    double mantissa = (bits & 1023) / 1024.0;
    double magnitude = exponent == 0    ? ldexp(mantissa, -14)
                       : exponent == 31 ? (mantissa != 0 ? NAN : INFINITY)
                                        : ldexp(1 + mantissa, exponent - 15);
    return bits & 0x8000 ? -magnitude : magnitude;
}

/* The element whose little-endian bytes stand at `at`. False for types that no test case feeds. */
static bool raw_number(adept_dtype dtype, const unsigned char *at, int64_t *integer, double *real) {
    uint64_t bits = 0;
    unsigned width_B = (unsigned)adept_dtype_bits(dtype) / 8;
    for (unsigned i = 0; i < width_B; i++)
        bits |= (uint64_t)at[i] << (8 * i);
    uint32_t bits32 = (uint32_t)bits;
    float single;
    memcpy(&single, &bits32, sizeof single);
    switch (dtype) {
    case ADEPT_DTYPE_FLOAT:
        *real = single;
        return true;
    case ADEPT_DTYPE_DOUBLE:
        memcpy(real, &bits, sizeof *real);
        return true;
    case ADEPT_DTYPE_FLOAT16:
        *real = half((uint16_t)bits);
        return true;
    default:
        *integer = (int64_t)bits;
        if (dtype == ADEPT_DTYPE_INT8)
            *integer = (int8_t)bits;
        else if (dtype == ADEPT_DTYPE_INT16)
            *integer = (int16_t)bits;
        else if (dtype == ADEPT_DTYPE_INT32)
            *integer = (int32_t)bits;
        return adept_dtype_is_integer(dtype) && width_B >= 1;
    }
}

typedef struct tensor_fields {
    int64_t dims[RANK_LIMIT];
    int32_t rank;
    adept_dtype dtype;
    adept_wire raw;
    bool has_raw;
} tensor_fields;

static bool read_dims(tensor_fields *t, const adept_wire_field *field) {
    adept_wire packed = {field->bytes, field->bytes + field->length_B};
    while (packed.at < packed.end && t->rank < RANK_LIMIT) {
        uint64_t dim;
        if (!adept_wire_varint(&packed, &dim))
            return false;
        t->dims[t->rank++] = (int64_t)dim;
    }
    return t->rank < RANK_LIMIT;
}

/* One entry of a typed data field, or a packed run of them. */
static bool read_typed(const adept_wire_field *field, adept_dtype dtype, int64_t *ints, double *reals,
                       int64_t limit, int64_t *count) {
    adept_wire run = {field->bytes, field->bytes + field->length_B};
    while (run.at < run.end) {
        uint64_t entry = 0;
        if (*count >= limit)
            return false;
        if (field->number == FLOAT_DATA || field->number == DOUBLE_DATA) {
            int64_t unused;
            adept_dtype stored = field->number == FLOAT_DATA ? ADEPT_DTYPE_FLOAT : ADEPT_DTYPE_DOUBLE;
            if (!raw_number(stored, run.at, &unused, &reals[*count]))
                return false;
            run.at += field->number == FLOAT_DATA ? 4 : 8;
        } else {
            if (!adept_wire_varint(&run, &entry))
                return false;
            ints[*count] = (int64_t)entry;
            if (dtype == ADEPT_DTYPE_FLOAT16)
                reals[*count] = half((uint16_t)entry);
        }
        (*count)++;
    }
    return true;
}

/* The numbers, if there are few enough and of a plain type; without them the shape stands alone. */
static void read_numbers(stored_value *out, adept_arena *arena, const tensor_fields *t, adept_wire wire) {
    int64_t elements, count = 0;
    if (!adept_elements(t->dims, t->rank, &elements) || elements > ADEPT_VALUE_LIMIT)
        return;
    int64_t *ints = adept_arena_array(arena, (size_t)elements, sizeof *ints);
    double *reals = adept_arena_array(arena, (size_t)elements, sizeof *reals);
    size_t width_B = (size_t)adept_dtype_bits(t->dtype) / 8;
    if (t->has_raw) {
        if (width_B == 0 || (size_t)(t->raw.end - t->raw.at) != width_B * (size_t)elements)
            return;
        for (; count < elements; count++) {
            if (!raw_number(t->dtype, t->raw.at + (size_t)count * width_B, &ints[count], &reals[count]))
                return;
        }
    }
    while (!t->has_raw && wire.at < wire.end) {
        adept_wire_field field = {0};
        if (!adept_wire_next(&wire, &field))
            return;
        bool data = field.number == FLOAT_DATA || field.number == DOUBLE_DATA || field.number == INT32_DATA ||
                    field.number == INT64_DATA || field.number == UINT64_DATA;
        if (data && !read_typed(&field, t->dtype, ints, reals, elements, &count))
            return;
    }
    if (count != elements)
        return;
    adept_value *value = adept_arena_alloc(arena, sizeof *value);
    bool real =
        t->dtype == ADEPT_DTYPE_FLOAT || t->dtype == ADEPT_DTYPE_DOUBLE || t->dtype == ADEPT_DTYPE_FLOAT16;
    if (!real && !adept_dtype_is_integer(t->dtype))
        return;
    *value = (adept_value){.count = elements, .ints = real ? NULL : ints, .reals = real ? reals : NULL};
    out->shape.value = value;
}

static bool read_tensor(stored_value *out, adept_arena *arena, adept_wire wire) {
    tensor_fields t = {.rank = 0};
    out->name = "";
    for (adept_wire w = wire; w.at < w.end;) {
        adept_wire_field field = {0};
        if (!adept_wire_next(&w, &field))
            return false;
        if (field.number == DIMS && !read_dims(&t, &field))
            return false;
        if (field.number == DATA_TYPE)
            t.dtype = (adept_dtype)field.varint;
        if (field.number == NAME)
            out->name = adept_arena_string_n(arena, (const char *)field.bytes, field.length_B);
        if (field.number == RAW_DATA) {
            t.raw = (adept_wire){field.bytes, field.bytes + field.length_B};
            t.has_raw = true;
        }
    }
    out->kind = ADEPT_TYPE_TENSOR;
    out->shape = (adept_shape){.kind = ADEPT_TYPE_TENSOR, .dtype = t.dtype, .rank = t.rank, .length = -1};
    out->shape.dims = adept_arena_copy(arena, t.dims, (size_t)t.rank * sizeof *t.dims);
    read_numbers(out, arena, &t, wire);
    return true;
}

/* --- SequenceProto and OptionalProto --- */

static bool read_message(stored_value *out, adept_arena *arena, adept_wire wire, adept_type_kind kind);

/* The largest of the elements stands for all of them, as in inference. */
static const adept_shape *largest(const stored_value *items, int32_t count) {
    const adept_shape *best = NULL;
    int64_t most = -1;
    for (int32_t i = 0; i < count; i++) {
        int64_t elements = 0;
        if (items[i].kind == ADEPT_TYPE_TENSOR)
            (void)adept_elements(items[i].shape.dims, items[i].shape.rank, &elements);
        if (elements > most) {
            most = elements;
            best = &items[i].shape;
        }
    }
    return best;
}

static bool read_container(stored_value *out, adept_arena *arena, adept_wire wire, adept_type_kind kind) {
    enum { ITEMS = 256 };
    stored_value *items = adept_arena_array(arena, ITEMS, sizeof *items);
    out->name = "";
    out->kind = kind;
    while (wire.at < wire.end) {
        adept_wire_field field = {0};
        if (!adept_wire_next(&wire, &field) || out->item_count == ITEMS)
            return false;
        /* sequence: 3 tensors, 5 sequences; optional: 3 tensor, 5 sequence */
        if (field.number == 1 && field.type == ADEPT_WIRE_BYTES)
            out->name = adept_arena_string_n(arena, (const char *)field.bytes, field.length_B);
        if (field.number != 3 && field.number != 5)
            continue;
        adept_wire inner = {field.bytes, field.bytes + field.length_B};
        if (!read_message(&items[out->item_count++], arena, inner,
                          field.number == 3 ? ADEPT_TYPE_TENSOR : ADEPT_TYPE_SEQUENCE))
            return false;
    }
    out->items = items;
    out->shape = (adept_shape){.kind = kind,
                               .rank = -1,
                               .element = largest(items, out->item_count),
                               .length = kind == ADEPT_TYPE_SEQUENCE ? out->item_count : -1};
    if (kind == ADEPT_TYPE_SEQUENCE && out->shape.element)
        out->shape.dtype = out->shape.element->dtype;
    return true;
}

static bool read_message(stored_value *out, adept_arena *arena, adept_wire wire, adept_type_kind kind) {
    *out = (stored_value){.name = ""};
    return kind == ADEPT_TYPE_SEQUENCE || kind == ADEPT_TYPE_OPTIONAL ? read_container(out, arena, wire, kind)
                                                                      : read_tensor(out, arena, wire);
}

bool stored_value_read(stored_value *out, adept_arena *arena, const char *path, adept_type_kind kind) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    fseek(file, 0, SEEK_END);
    long size_B = ftell(file);
    rewind(file);
    unsigned char *bytes = adept_arena_alloc(arena, (size_t)size_B);
    bool complete = bytes && fread(bytes, 1, (size_t)size_B, file) == (size_t)size_B;
    fclose(file);
    return complete && read_message(out, arena, (adept_wire){bytes, bytes + size_B}, kind);
}
