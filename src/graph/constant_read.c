/* The numbers of small constants: raw_data, the typed fields, and external files. */
#include <math.h>
#include <string.h>

#include "external_data.h"
#include "fail.h"
#include "model_graph.h"
#include "number_format.h"
#include "payload.h"
#include "wire.h"

/* A constant's bit patterns one after the other. */
typedef struct pattern_reader {
    const adept_constant *constant;
    const unsigned char *raw; /* raw_data or external bytes; NULL: a typed field */
    adept_wire fields;        /* typed field: what is left of the message */
    adept_wire packed;        /* typed field: what is left of a packed run */
    uint64_t byte;            /* elements below a byte: the entry they come from */
} pattern_reader;

static bool next_typed_entry(pattern_reader *reader, uint64_t *entry) {
    const int32_t field_number = reader->constant->field;
    unsigned width_B = field_number == ADEPT_FIELD_FLOAT_DATA    ? 4
                       : field_number == ADEPT_FIELD_DOUBLE_DATA ? 8
                                                                 : 0;
    while (reader->packed.at == reader->packed.end) {
        adept_wire_field field;
        if (reader->fields.at == reader->fields.end || !adept_wire_next(&reader->fields, &field))
            return false;
        if (field.number == (uint32_t)field_number)
            reader->packed = (adept_wire){field.bytes, field.bytes + field.length_B};
    }
    if (!width_B)
        return adept_wire_varint(&reader->packed, entry);
    if ((size_t)(reader->packed.end - reader->packed.at) < width_B)
        return false;
    *entry = 0;
    for (unsigned i = 0; i < width_B; i++)
        *entry |= (uint64_t)reader->packed.at[i] << (8 * i);
    reader->packed.at += width_B;
    return true;
}

/* raw_data is little-endian whatever the machine; below a byte the low bits come first. */
static bool next_pattern(pattern_reader *reader, int64_t index, unsigned bits, uint64_t *pattern) {
    unsigned shift = 0, per_byte = bits < 8 ? 8 / bits : 1;
    if (bits < 8)
        shift = (unsigned)(index % per_byte) * bits;
    if (shift == 0) {
        reader->byte = 0;
        if (reader->raw) {
            unsigned width_B = bits < 8 ? 1 : bits / 8;
            const unsigned char *at = reader->raw + (bits < 8 ? index / per_byte : index * width_B);
            for (unsigned i = 0; i < width_B; i++)
                reader->byte |= (uint64_t)at[i] << (8 * i);
        } else if (!next_typed_entry(reader, &reader->byte)) {
            return false;
        }
    }
    *pattern = reader->byte >> shift;
    if (bits < 64)
        *pattern &= (UINT64_C(1) << bits) - 1;
    return true;
}

static bool is_signed_integer(adept_dtype dtype) {
    return dtype == ADEPT_DTYPE_INT8 || dtype == ADEPT_DTYPE_INT16 || dtype == ADEPT_DTYPE_INT32 ||
           dtype == ADEPT_DTYPE_INT64 || dtype == ADEPT_DTYPE_INT4 || dtype == ADEPT_DTYPE_INT2;
}

/* uint64 above the range of int64 becomes the largest int64: as an index or a size both mean "the end". */
static int64_t integer_from_bits(adept_dtype dtype, uint64_t pattern, unsigned bits) {
    if (dtype == ADEPT_DTYPE_BOOL)
        return pattern != 0;
    if (is_signed_integer(dtype) && bits < 64 && pattern >> (bits - 1))
        return (int64_t)pattern - (INT64_C(1) << bits);
    if (dtype == ADEPT_DTYPE_UINT64 && pattern > INT64_MAX)
        return INT64_MAX;
    return (int64_t)pattern;
}

/* The numbers must be there, be countable and be few. */
static adept_status check_readable(const adept_constant *constant, adept_error *err) {
    if (constant->elements > ADEPT_CONSTANT_LIMIT)
        return adept_fail(err, ADEPT_LIMIT, "a constant of %lld elements is not read (at most %d)",
                          (long long)constant->elements, ADEPT_CONSTANT_LIMIT);
    if (constant->payload == ADEPT_PAYLOAD_SPARSE)
        return adept_fail(err, ADEPT_UNSUPPORTED, "values of sparse constants are not read");
    if (constant->elements > 0 && constant->payload == ADEPT_PAYLOAD_MISSING)
        return adept_fail(err, ADEPT_FORMAT, "a constant of %lld elements has no data in the file",
                          (long long)constant->elements);
    return ADEPT_OK;
}

static adept_status open_reader(pattern_reader *reader, const adept_graph *graph, adept_arena *arena,
                                adept_error *err) {
    const adept_constant *constant = reader->constant;
    uint64_t needed_B;
    if (!adept_payload_entries(constant->dtype, ADEPT_FIELD_RAW_DATA, constant->elements, &needed_B))
        return adept_fail(err, ADEPT_LIMIT, "a constant is too large to be read");
    if (constant->payload == ADEPT_PAYLOAD_EXTERNAL) {
        if (constant->length_B && constant->length_B < needed_B)
            return adept_fail(err, ADEPT_FORMAT, "external data '%s' claims %llu B, %lld elements need %llu",
                              constant->location, (unsigned long long)constant->length_B,
                              (long long)constant->elements, (unsigned long long)needed_B);
        return adept_external_read(graph->folder, constant->location, constant->offset_B, needed_B, arena,
                                   &reader->raw, err);
    }
    if (constant->field == ADEPT_FIELD_RAW_DATA) {
        if (constant->length_B < needed_B)
            return adept_fail(err, ADEPT_FORMAT, "raw_data has %llu B, %lld elements of %s need %llu",
                              (unsigned long long)constant->length_B, (long long)constant->elements,
                              adept_dtype_name(constant->dtype), (unsigned long long)needed_B);
        reader->raw = constant->bytes;
        return ADEPT_OK;
    }
    if (constant->bytes)
        reader->fields = (adept_wire){constant->bytes, constant->bytes + constant->length_B};
    return ADEPT_OK;
}

adept_status adept_constant_read(const adept_graph *graph, const adept_constant *constant, adept_arena *arena,
                                 const int64_t **ints, const double **reals, adept_error *err) {
    *ints = NULL;
    *reals = NULL;
    adept_dtype dtype = constant->dtype;
    bool is_float = adept_dtype_is_float(dtype);
    if (!is_float && !adept_dtype_is_integer(dtype))
        return adept_fail(err, ADEPT_UNSUPPORTED, "a constant of type %s has no numbers to read",
                          adept_dtype_name(dtype));
    adept_status status = check_readable(constant, err);
    if (status != ADEPT_OK)
        return status;
    size_t count = (size_t)constant->elements;
    int64_t *whole = is_float ? NULL : adept_arena_array(arena, count, sizeof *whole);
    double *real = is_float ? adept_arena_array(arena, count, sizeof *real) : NULL;
    if (!whole && !real)
        return adept_fail_memory(err);
    pattern_reader reader = {.constant = constant};
    if (count > 0 && (status = open_reader(&reader, graph, arena, err)) != ADEPT_OK)
        return status;
    unsigned bits = (unsigned)adept_dtype_bits(dtype);
    for (size_t i = 0; i < count; i++) {
        uint64_t pattern;
        if (!next_pattern(&reader, (int64_t)i, bits, &pattern))
            return adept_fail(err, ADEPT_FORMAT, "a constant has %zu of %zu elements", i, count);
        if (is_float)
            real[i] = adept_float_from_bits(dtype, pattern);
        else
            whole[i] = integer_from_bits(dtype, pattern, bits);
    }
    *ints = whole;
    *reals = real;
    return ADEPT_OK;
}

adept_status adept_constant_read_strings(const adept_graph *graph, const adept_constant *constant,
                                         adept_arena *arena, const char *const **strings, adept_error *err) {
    (void)graph; /* the standard keeps strings inside the model file */
    *strings = NULL;
    if (constant->dtype != ADEPT_DTYPE_STRING || constant->payload == ADEPT_PAYLOAD_EXTERNAL)
        return adept_fail(err, ADEPT_UNSUPPORTED, "a constant of type %s has no strings to read",
                          adept_dtype_name(constant->dtype));
    adept_status status = check_readable(constant, err);
    if (status != ADEPT_OK)
        return status;
    size_t count = (size_t)constant->elements, found = 0;
    const char **texts = adept_arena_array(arena, count, sizeof *texts);
    if (!texts)
        return adept_fail_memory(err);
    adept_wire wire = {constant->bytes, constant->bytes ? constant->bytes + constant->length_B : NULL};
    adept_wire_field field;
    while (found < count && wire.at != wire.end && adept_wire_next(&wire, &field)) {
        if (field.number != ADEPT_FIELD_STRING_DATA || field.type != ADEPT_WIRE_BYTES)
            continue;
        texts[found] = adept_arena_string_n(arena, (const char *)field.bytes, field.length_B);
        if (!texts[found++])
            return adept_fail_memory(err);
    }
    if (found < count)
        return adept_fail(err, ADEPT_FORMAT, "a constant has %zu of %zu strings", found, count);
    *strings = texts;
    return ADEPT_OK;
}
