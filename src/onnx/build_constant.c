/* Initializers and values of Constant nodes: where their numbers lie, never the numbers themselves. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "checked.h"
#include "external_data.h"
#include "fail.h"
#include "payload.h"

/* "8 x -8", cut where it gets long. */
static void dims_text(char *text, size_t size, const int64_t *dims, size_t rank) {
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < rank && at < size - 30; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? " x " : "", (long long)dims[i]);
    if (at >= size - 30)
        snprintf(text + at, size - at, " x ...");
}

static adept_status build_dims(builder *b, adept_constant *constant, const int64_t *dims, size_t rank) {
    char text[160];
    dims_text(text, sizeof text, dims, rank);
    if (rank > RANK_LIMIT)
        return adept_fail(b->err, ADEPT_LIMIT, "has %zu dimensions, more than %d", rank, RANK_LIMIT);
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return adept_fail(b->err, ADEPT_FORMAT, "has a negative dimension (%s); re-export the model",
                              text);
    }
    constant->rank = (int32_t)rank;
    constant->dims = adept_arena_copy(b->arena, dims, rank * sizeof *dims);
    if (!constant->dims)
        return adept_fail_memory(b->err);
    if (!adept_elements(constant->dims, constant->rank, &constant->elements))
        return adept_fail(b->err, ADEPT_RANGE, "%s elements are more than a 64-bit number counts", text);
    return ADEPT_OK;
}

static adept_status parse_count(builder *b, const pb_string_pair *pair, uint64_t *out) {
    const char *text = text_or_empty(pair->value);
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return adept_fail(b->err, ADEPT_FORMAT, "external data has %s '%s', not a number", pair->key, text);
    *out = value;
    return ADEPT_OK;
}

static adept_status build_external(builder *b, adept_constant *constant, const pb_tensor *tensor) {
    adept_status status = ADEPT_OK;
    constant->payload = ADEPT_PAYLOAD_EXTERNAL;
    const char *location = NULL;
    for (size_t i = 0; i < tensor->n_external_data && status == ADEPT_OK; i++) {
        const pb_string_pair *pair = tensor->external_data[i];
        const char *key = text_or_empty(pair->key);
        if (strcmp(key, "location") == 0)
            location = text_or_empty(pair->value);
        else if (strcmp(key, "offset") == 0)
            status = parse_count(b, pair, &constant->offset_B);
        else if (strcmp(key, "length") == 0)
            status = parse_count(b, pair, &constant->length_B);
    }
    if (status != ADEPT_OK)
        return status;
    if (!location || !adept_external_location_allowed(location))
        return adept_fail(b->err, ADEPT_FORMAT,
                          "external data at '%s' does not lie in the model's folder; give a relative path "
                          "without '..'",
                          text_or_empty(location));
    constant->location = adept_builder_intern(b, location);
    if (!constant->location)
        return adept_fail_memory(b->err);
    uint64_t needed_B;
    bool fits = adept_payload_entries(constant->dtype, ADEPT_FIELD_RAW_DATA, constant->elements, &needed_B);
    if (constant->length_B && fits && constant->length_B < needed_B)
        return adept_fail(b->err, ADEPT_FORMAT, "external data has %llu B, its %lld elements of %s need %llu",
                          (unsigned long long)constant->length_B, (long long)constant->elements,
                          adept_dtype_name(constant->dtype), (unsigned long long)needed_B);
    return ADEPT_OK;
}

static adept_status build_inline(builder *b, adept_constant *constant, const pb_tensor *tensor) {
    constant->payload = ADEPT_PAYLOAD_INLINE;
    constant->field = tensor->payload_field;
    constant->bytes = b->bytes + tensor->payload_offset_b;
    constant->length_B = tensor->payload_length_b;
    uint64_t needed;
    bool fits = adept_payload_entries(constant->dtype, constant->field, constant->elements, &needed);
    if (!fits || tensor->payload_count < needed)
        return adept_fail(b->err, ADEPT_FORMAT, "has %llu %s, its %lld elements of %s need %llu",
                          (unsigned long long)tensor->payload_count,
                          constant->field == ADEPT_FIELD_RAW_DATA ? "B" : "entries at most",
                          (long long)constant->elements, adept_dtype_name(constant->dtype),
                          fits ? (unsigned long long)needed : UINT64_MAX);
    return ADEPT_OK;
}

adept_status adept_build_constant(builder *b, const pb_tensor *tensor, const adept_constant **out) {
    adept_constant *constant = adept_arena_alloc(b->arena, sizeof *constant);
    if (!constant)
        return adept_fail_memory(b->err);
    *out = constant;
    if (tensor->data_type <= 0)
        return adept_fail(b->err, ADEPT_FORMAT, "has no element type; re-export the model");
    if (tensor->data_type >= ADEPT_DTYPE_COUNT)
        return adept_fail(b->err, ADEPT_UNSUPPORTED, "has element type number %d, newer than ADEPT knows",
                          (int)tensor->data_type);
    constant->dtype = (adept_dtype)tensor->data_type;
    adept_status status = build_dims(b, constant, tensor->dims, tensor->n_dims);
    if (status != ADEPT_OK)
        return status;
    if (tensor->data_location == 1)
        return build_external(b, constant, tensor);
    if (tensor->has_payload_field)
        return build_inline(b, constant, tensor);
    constant->payload = constant->elements == 0 ? ADEPT_PAYLOAD_INLINE : ADEPT_PAYLOAD_MISSING;
    constant->field = ADEPT_FIELD_RAW_DATA;
    return ADEPT_OK;
}

adept_status adept_build_sparse_constant(builder *b, const pb_sparse_tensor *tensor,
                                         const adept_constant **out) {
    adept_constant *constant = adept_arena_alloc(b->arena, sizeof *constant);
    if (!constant)
        return adept_fail_memory(b->err);
    *out = constant;
    constant->payload = ADEPT_PAYLOAD_SPARSE;
    int32_t dtype = tensor->values ? tensor->values->data_type : 0;
    constant->dtype = dtype > 0 && dtype < ADEPT_DTYPE_COUNT ? (adept_dtype)dtype : ADEPT_DTYPE_UNDEFINED;
    return build_dims(b, constant, tensor->dims, tensor->n_dims);
}

/* --- Constant nodes whose value is a plain attribute: a small tensor made here --- */

static adept_status make_constant(builder *b, adept_dtype dtype, int32_t field, int64_t elements,
                                  bool is_list, unsigned char *bytes, size_t length_B,
                                  const adept_constant **out) {
    adept_constant *constant = adept_arena_alloc(b->arena, sizeof *constant);
    if (!constant || !bytes)
        return adept_fail_memory(b->err);
    *constant = (adept_constant){.dtype = dtype, .payload = ADEPT_PAYLOAD_INLINE, .field = field};
    constant->elements = elements;
    constant->bytes = bytes;
    constant->length_B = length_B;
    constant->rank = is_list ? 1 : 0;
    constant->dims = adept_arena_copy(b->arena, &elements, sizeof elements);
    *out = constant;
    return constant->dims ? ADEPT_OK : adept_fail_memory(b->err);
}

static void put_little_endian(unsigned char *at, uint64_t bits, int width_B) {
    for (int i = 0; i < width_B; i++)
        at[i] = (unsigned char)(bits >> (8 * i));
}

static adept_status constant_of_ints(builder *b, const int64_t *ints, int32_t count, bool is_list,
                                     const adept_constant **out) {
    unsigned char *bytes = adept_arena_array(b->arena, (size_t)count, 8);
    for (int32_t i = 0; bytes && i < count; i++)
        put_little_endian(bytes + 8 * (size_t)i, (uint64_t)ints[i], 8);
    return make_constant(b, ADEPT_DTYPE_INT64, ADEPT_FIELD_RAW_DATA, count, is_list, bytes, 8 * (size_t)count,
                         out);
}

static adept_status constant_of_floats(builder *b, const double *floats, int32_t count, bool is_list,
                                       const adept_constant **out) {
    unsigned char *bytes = adept_arena_array(b->arena, (size_t)count, 4);
    for (int32_t i = 0; bytes && i < count; i++) {
        float value = (float)floats[i]; /* exact: the attribute was a float */
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        put_little_endian(bytes + 4 * (size_t)i, bits, 4);
    }
    return make_constant(b, ADEPT_DTYPE_FLOAT, ADEPT_FIELD_RAW_DATA, count, is_list, bytes, 4 * (size_t)count,
                         out);
}

/* In the form of string_data: key, length, text. */
static adept_status constant_of_strings(builder *b, const char *const *strings, int32_t count, bool is_list,
                                        const adept_constant **out) {
    size_t size_B = 0, at = 0;
    for (int32_t i = 0; i < count; i++)
        size_B += strlen(strings[i]) + 11;
    unsigned char *bytes = adept_arena_alloc(b->arena, size_B);
    for (int32_t i = 0; bytes && i < count; i++) {
        size_t length = strlen(strings[i]), rest = length;
        bytes[at++] = ADEPT_FIELD_STRING_DATA << 3 | 2;
        for (; rest >= 0x80; rest >>= 7)
            bytes[at++] = (unsigned char)(rest | 0x80);
        bytes[at++] = (unsigned char)rest;
        memcpy(bytes + at, strings[i], length);
        at += length;
    }
    return make_constant(b, ADEPT_DTYPE_STRING, ADEPT_FIELD_STRING_DATA, count, is_list, bytes, at, out);
}

adept_status adept_build_node_constant(builder *b, const adept_node *node, const adept_constant **out) {
    *out = NULL;
    for (int32_t i = 0; i < node->attribute_count; i++) {
        const adept_attribute *a = &node->attributes[i];
        if (a->tensor && (strcmp(a->name, "value") == 0 || strcmp(a->name, "sparse_value") == 0)) {
            *out = a->tensor;
            return ADEPT_OK;
        }
        if (a->type == ADEPT_ATTRIBUTE_INT && strcmp(a->name, "value_int") == 0)
            return constant_of_ints(b, &a->i, 1, false, out);
        if (a->type == ADEPT_ATTRIBUTE_INTS && strcmp(a->name, "value_ints") == 0)
            return constant_of_ints(b, a->ints, a->count, true, out);
        if (a->type == ADEPT_ATTRIBUTE_FLOAT && strcmp(a->name, "value_float") == 0)
            return constant_of_floats(b, &a->f, 1, false, out);
        if (a->type == ADEPT_ATTRIBUTE_FLOATS && strcmp(a->name, "value_floats") == 0)
            return constant_of_floats(b, a->floats, a->count, true, out);
        if (a->type == ADEPT_ATTRIBUTE_STRING && strcmp(a->name, "value_string") == 0)
            return constant_of_strings(b, &a->s, 1, false, out);
        if (a->type == ADEPT_ATTRIBUTE_STRINGS && strcmp(a->name, "value_strings") == 0)
            return constant_of_strings(b, a->strings, a->count, true, out);
    }
    return ADEPT_OK;
}
