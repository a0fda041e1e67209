/*
 * Writes small ONNX files for tests, byte by byte: protobuf fields and messages, and on top of them the
 * parts of a model. Everything lives in one growing buffer; a message is opened and closed around its
 * fields.
 *
 *   onnx_writer w = {0};
 *   onnx_model_begin(&w, 8, 17);
 *   onnx_input(&w, "x", 1, "N,8");
 *   onnx_node(&w, "Relu", "relu", "x", "y");
 *   onnx_output(&w, "y", 1, "N,8");
 *   onnx_model_end(&w);
 *   adept_graph_load_memory(&graph, w.bytes, w.size_B, "test", NULL, &error);
 *   onnx_writer_free(&w);
 */
#ifndef ADEPT_TEST_ONNX_WRITER_H
#define ADEPT_TEST_ONNX_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct onnx_writer {
    unsigned char *bytes;
    size_t size_B, capacity_B;
    size_t open[4096]; /* where the lengths of the open messages stand */
    int depth;
    size_t hole_at, hole_B; /* bytes that are counted but not written, see onnx_put_hole */
} onnx_writer;

/* --- wire format --- */

static inline void onnx_put_byte(onnx_writer *w, unsigned char byte) {
    if (w->size_B == w->capacity_B) {
        w->capacity_B = w->capacity_B ? 2 * w->capacity_B : 1024;
        w->bytes = realloc(w->bytes, w->capacity_B);
        if (!w->bytes)
            abort();
    }
    w->bytes[w->size_B++] = byte;
}

static inline void onnx_put_varint(onnx_writer *w, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        onnx_put_byte(w, (unsigned char)(value | 0x80));
    onnx_put_byte(w, (unsigned char)value);
}

static inline void onnx_put_key(onnx_writer *w, uint32_t field, uint32_t wire_type) {
    onnx_put_varint(w, (uint64_t)field << 3 | wire_type);
}

static inline void onnx_put_int(onnx_writer *w, uint32_t field, int64_t value) {
    onnx_put_key(w, field, 0);
    onnx_put_varint(w, (uint64_t)value);
}

static inline void onnx_put_fixed(onnx_writer *w, uint64_t bits, int width_B) {
    for (int i = 0; i < width_B; i++)
        onnx_put_byte(w, (unsigned char)(bits >> (8 * i)));
}

static inline void onnx_put_float(onnx_writer *w, uint32_t field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    onnx_put_key(w, field, 5);
    onnx_put_fixed(w, bits, 4);
}

static inline void onnx_put_bytes(onnx_writer *w, uint32_t field, const void *bytes, size_t size_B) {
    onnx_put_key(w, field, 2);
    onnx_put_varint(w, size_B);
    for (size_t i = 0; i < size_B; i++)
        onnx_put_byte(w, ((const unsigned char *)bytes)[i]);
}

static inline void onnx_put_text(onnx_writer *w, uint32_t field, const char *text) {
    onnx_put_bytes(w, field, text, strlen(text));
}

/* Five bytes are kept for the length, which protobuf allows to be longer than needed. */
static inline void onnx_begin(onnx_writer *w, uint32_t field) {
    onnx_put_key(w, field, 2);
    w->open[w->depth++] = w->size_B;
    onnx_put_fixed(w, 0, 5);
}

static inline void onnx_end(onnx_writer *w) {
    size_t at = w->open[--w->depth], length_B = w->size_B - at - 5;
    if (w->hole_at > at)
        length_B += w->hole_B;
    for (size_t i = 0; i < 5; i++, length_B >>= 7)
        w->bytes[at + i] = (unsigned char)((length_B & 0x7f) | (i < 4 ? 0x80 : 0));
}

/*
 * A bytes field whose size_B bytes are left out: bytes[0 .. hole_at) go to the front of a file, the rest
 * behind hole_B bytes that a sparse file need not store. One for a writer.
 */
static inline void onnx_put_hole(onnx_writer *w, uint32_t field, size_t size_B) {
    onnx_put_key(w, field, 2);
    onnx_put_varint(w, size_B);
    w->hole_at = w->size_B;
    w->hole_B = size_B;
}

static inline void onnx_writer_free(onnx_writer *w) {
    free(w->bytes);
    *w = (onnx_writer){0};
}

/* --- lists in text: "a,b,,c" --- */

/* Copies the next item of a comma-separated list; false at its end. An empty text is an empty list. */
static inline bool onnx_next_item(const char **list, char *item, size_t size) {
    if (!*list || (*list)[0] == '\0')
        return false;
    size_t length = strcspn(*list, ",");
    snprintf(item, size, "%.*s", (int)length, *list);
    *list += length;
    if (**list == ',')
        *list = (*list)[1] ? *list + 1 : NULL;
    return true;
}

static inline void onnx_put_texts(onnx_writer *w, uint32_t field, const char *list) {
    char item[256];
    while (onnx_next_item(&list, item, sizeof item))
        onnx_put_text(w, field, item);
}

/* --- parts of a model --- */

static inline void onnx_opset(onnx_writer *w, uint32_t field, const char *domain, int64_t version) {
    onnx_begin(w, field);
    onnx_put_text(w, 1, domain);
    onnx_put_int(w, 2, version);
    onnx_end(w);
}

/* Opens a model and its main graph. */
static inline void onnx_model_begin(onnx_writer *w, int64_t ir_version, int64_t opset) {
    onnx_put_int(w, 1, ir_version);
    onnx_opset(w, 8, "", opset);
    onnx_begin(w, 7);
    onnx_put_text(w, 2, "main");
}

static inline void onnx_model_end(onnx_writer *w) {
    onnx_end(w);
}

/* dims: "N,8", numbers or symbols, "?" for neither, "" for a scalar; NULL: no shape. dtype: ONNX's number. */
static inline void onnx_tensor_type(onnx_writer *w, uint32_t field, int dtype, const char *dims) {
    char item[256];
    onnx_begin(w, field);
    onnx_begin(w, 1);
    onnx_put_int(w, 1, dtype);
    if (dims) {
        onnx_begin(w, 2);
        while (onnx_next_item(&dims, item, sizeof item)) {
            onnx_begin(w, 1);
            char *end;
            int64_t number = strtoll(item, &end, 10);
            if (end != item && *end == '\0')
                onnx_put_int(w, 1, number);
            else if (strcmp(item, "?") != 0)
                onnx_put_text(w, 2, item);
            onnx_end(w);
        }
        onnx_end(w);
    }
    onnx_end(w);
    onnx_end(w);
}

/* ValueInfoProto in field 11 (input), 12 (output) or 13 (value_info) of a graph. */
static inline void onnx_value(onnx_writer *w, uint32_t field, const char *name, int dtype, const char *dims) {
    onnx_begin(w, field);
    onnx_put_text(w, 1, name);
    if (dtype)
        onnx_tensor_type(w, 2, dtype, dims);
    onnx_end(w);
}

static inline void onnx_input(onnx_writer *w, const char *name, int dtype, const char *dims) {
    onnx_value(w, 11, name, dtype, dims);
}

static inline void onnx_output(onnx_writer *w, const char *name, int dtype, const char *dims) {
    onnx_value(w, 12, name, dtype, dims);
}

/* Opens a node (field 1 of a graph, 7 of a function) for attributes; close with onnx_end. */
static inline void onnx_node_begin(onnx_writer *w, uint32_t field, const char *op_type, const char *domain,
                                   const char *name, const char *inputs, const char *outputs) {
    onnx_begin(w, field);
    onnx_put_texts(w, 1, inputs);
    onnx_put_texts(w, 2, outputs);
    if (name[0])
        onnx_put_text(w, 3, name);
    onnx_put_text(w, 4, op_type);
    if (domain[0])
        onnx_put_text(w, 7, domain);
}

static inline void onnx_node(onnx_writer *w, const char *op_type, const char *name, const char *inputs,
                             const char *outputs) {
    onnx_node_begin(w, 1, op_type, "", name, inputs, outputs);
    onnx_end(w);
}

/* Attributes, inside of a node. */
static inline void onnx_attribute_begin(onnx_writer *w, const char *name, int type) {
    onnx_begin(w, 5);
    onnx_put_text(w, 1, name);
    onnx_put_int(w, 20, type);
}

static inline void onnx_attribute_int(onnx_writer *w, const char *name, int64_t value) {
    onnx_attribute_begin(w, name, 2);
    onnx_put_int(w, 3, value);
    onnx_end(w);
}

static inline void onnx_attribute_float(onnx_writer *w, const char *name, float value) {
    onnx_attribute_begin(w, name, 1);
    onnx_put_float(w, 2, value);
    onnx_end(w);
}

static inline void onnx_attribute_text(onnx_writer *w, const char *name, const char *value) {
    onnx_attribute_begin(w, name, 3);
    onnx_put_text(w, 4, value);
    onnx_end(w);
}

static inline void onnx_attribute_ints(onnx_writer *w, const char *name, const int64_t *values,
                                       size_t count) {
    onnx_attribute_begin(w, name, 7);
    for (size_t i = 0; i < count; i++)
        onnx_put_int(w, 8, values[i]);
    onnx_end(w);
}

/* Opens a graph attribute; the calls until the two onnx_end fill the subgraph. */
static inline void onnx_attribute_graph_begin(onnx_writer *w, const char *name) {
    onnx_attribute_begin(w, name, 5);
    onnx_begin(w, 6);
    onnx_put_text(w, 2, name);
}

static inline void onnx_attribute_graph_end(onnx_writer *w) {
    onnx_end(w);
    onnx_end(w);
}

/* Opens a tensor (field 5 of a graph: initializer, of an attribute: t); dims "2,3". */
static inline void onnx_tensor_begin(onnx_writer *w, uint32_t field, const char *name, int dtype,
                                     const char *dims) {
    char item[256];
    onnx_begin(w, field);
    while (onnx_next_item(&dims, item, sizeof item))
        onnx_put_int(w, 1, strtoll(item, NULL, 10));
    onnx_put_int(w, 2, dtype);
    onnx_put_text(w, 8, name);
}

/* Initializer with raw_data. */
static inline void onnx_initializer(onnx_writer *w, const char *name, int dtype, const char *dims,
                                    const void *raw, size_t raw_B) {
    onnx_tensor_begin(w, 5, name, dtype, dims);
    onnx_put_bytes(w, 9, raw, raw_B);
    onnx_end(w);
}

/* Initializer of int64 in raw_data (tests run on little-endian machines). */
static inline void onnx_initializer_ints(onnx_writer *w, const char *name, const char *dims,
                                         const int64_t *values, size_t count) {
    onnx_initializer(w, name, 7, dims, values, count * sizeof *values);
}

/* Initializer whose data lies in another file. */
static inline void onnx_initializer_external(onnx_writer *w, const char *name, int dtype, const char *dims,
                                             const char *location) {
    onnx_tensor_begin(w, 5, name, dtype, dims);
    onnx_begin(w, 13);
    onnx_put_text(w, 1, "location");
    onnx_put_text(w, 2, location);
    onnx_end(w);
    onnx_put_int(w, 14, 1);
    onnx_end(w);
}

/* Opens a local function; call after onnx_model_end. Nodes inside: onnx_node_begin with field 7. */
static inline void onnx_function_begin(onnx_writer *w, const char *domain, const char *name,
                                       const char *inputs, const char *outputs) {
    onnx_begin(w, 25);
    onnx_put_text(w, 1, name);
    onnx_put_texts(w, 4, inputs);
    onnx_put_texts(w, 5, outputs);
    onnx_put_text(w, 10, domain);
    onnx_opset(w, 9, "", 17);
    onnx_opset(w, 9, domain, 1);
}

#endif
