/*
 * First pass over an ONNX file: checks the wire format and makes a slim copy for protobuf-c.
 *
 * protobuf-c copies every bytes field and every unknown field, recurses without limit and prints when
 * it meets damage. So this pass walks the messages of onnx.proto, checks every length against its
 * parent, bounds the nesting, drops what nobody reads and replaces the payload of every tensor by its
 * place in the file. What it lets through, protobuf-c decodes without error.
 */
#ifndef ADEPT_WIRE_SCAN_H
#define ADEPT_WIRE_SCAN_H

#include <stddef.h>

#include "adept/error.h"
#include "mapping.h"

/* If in If in If ...: graphs within graphs. A graph is three messages (graph, node, attribute). */
#define ADEPT_GRAPH_DEPTH_LIMIT 256

typedef struct adept_slim_model {
    unsigned char *bytes; /* malloc'd */
    size_t size_B;
    size_t structure_B; /* what its fields take in the file */
} adept_slim_model;

/*
 * mapping   where the bytes are mapped, NULL if they are in memory; pages that have been scanned are
 *           released, so that the kernel's reading around them does not add up to the whole file
 * Errors    FORMAT (byte offset and what is wrong there), LIMIT (nesting, size of the structure), NOMEM.
 *           Messages do not name the file. On success the caller frees slim->bytes.
 */
adept_status adept_wire_scan(adept_slim_model *slim, const unsigned char *bytes, size_t size_B,
                             const adept_mapping *mapping, adept_error *err);

#endif
