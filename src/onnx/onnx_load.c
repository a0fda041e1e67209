/* From a file to an adept_graph: map, scan, decode, build. The only file that calls protobuf-c. */
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "fail.h"
#include "mapping.h"
#include "wire_scan.h"

enum { NEWEST_IR = 14, NEWER_IR_READ = 4 };

/*
 * Bounds on memory, so that a small file cannot ask for much. Measured on real files: decoded, five times
 * their structure (what is left without weights), twenty times if they consist of Constant nodes; built, four
 * and nine times.
 */
enum { DECODED_BASE_B = 64 << 20, DECODED_PER_B = 24 };
enum { GRAPH_BASE_B = 48 << 20, GRAPH_PER_B = 16, GRAPH_PER_INLINED_NODE_B = 512 };

static size_t decoded_limit_B(const adept_slim_model *slim) {
    return DECODED_BASE_B + DECODED_PER_B * slim->structure_B;
}

/* --- decoding into a scratch arena --- */

static void *scratch_alloc(void *arena, size_t size_B) {
    return adept_arena_alloc(arena, size_B);
}

static void scratch_free(void *arena, void *pointer) {
    (void)arena, (void)pointer; /* dropped with the arena */
}

static adept_status decode(const pb_model **out, const adept_slim_model *slim, adept_arena *scratch,
                           adept_error *err) {
    ProtobufCAllocator allocator = {scratch_alloc, scratch_free, scratch};
    *out = adept_onnx__model__unpack(&allocator, slim->size_B, slim->bytes);
    if (*out)
        return ADEPT_OK;
    /* The scan lets nothing through that does not decode, so memory is what was short. */
    return adept_fail(err, ADEPT_LIMIT, "its structure (%zu kB) needs more than %zu MB decoded",
                      slim->structure_B >> 10, decoded_limit_B(slim) >> 20);
}

/* --- building --- */

static adept_status check_version(builder *b, const pb_model *model) {
    int64_t version = b->graph->ir_version;
    if (!model->has_ir_version)
        return adept_builder_warn(b, "the file states no IR version");
    if (version < 0 || version > NEWEST_IR + NEWER_IR_READ)
        return adept_fail(b->err, ADEPT_UNSUPPORTED,
                          "has IR version %lld, ADEPT knows up to %d; export with an older version",
                          (long long)version, NEWEST_IR);
    if (version > NEWEST_IR)
        return adept_builder_warn(b, "IR version %lld is newer than ADEPT knows (%d)", (long long)version,
                                  NEWEST_IR);
    return ADEPT_OK;
}

static adept_status set_producer(builder *b, const pb_model *model) {
    const char *name = text_or_empty(model->producer_name), *version = text_or_empty(model->producer_version);
    b->graph->producer =
        adept_arena_format(b->arena, "%s%s%s", name, name[0] && version[0] ? " " : "", version);
    return b->graph->producer ? ADEPT_OK : adept_fail_memory(b->err);
}

static adept_status set_opsets(builder *b, const pb_model *model) {
    adept_status status = adept_build_opsets(
        b, &b->opsets, (const pb_opset_import *const *)model->opset_import, model->n_opset_import);
    /* Operator sets came with IR version 3; before, there was one. */
    if (b->opsets.default_version == 0 && b->graph->ir_version < 3)
        b->opsets.default_version = 1;
    adept_opset *opsets = adept_arena_array(b->arena, model->n_opset_import + 1, sizeof *opsets);
    if (status != ADEPT_OK || !opsets)
        return status != ADEPT_OK ? status : adept_fail_memory(b->err);
    int32_t count = 0;
    if (b->opsets.default_version)
        opsets[count++] = (adept_opset){"", b->opsets.default_version};
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = adept_build_domain(model->opset_import[i]->domain);
        if (!domain[0])
            continue;
        int32_t version = adept_build_opset_version(&b->opsets, domain);
        opsets[count] = (adept_opset){adept_builder_intern(b, domain), version};
        if (!opsets[count++].domain)
            return adept_fail_memory(b->err);
    }
    b->graph->opsets = opsets;
    b->graph->opset_count = count;
    return ADEPT_OK;
}

static adept_status set_input_shapes(builder *b, const adept_body *main_body) {
    const char **shapes = adept_arena_array(b->arena, (size_t)main_body->input_count, sizeof *shapes);
    if (!shapes)
        return adept_fail_memory(b->err);
    for (int32_t i = 0; i < main_body->input_count; i++) {
        shapes[i] = adept_build_shape_text(b, b->tensors[main_body->inputs[i]].declared);
        if (!shapes[i])
            return adept_fail_memory(b->err);
    }
    b->graph->input_shapes = shapes;
    return ADEPT_OK;
}

/* The lists that grew while building move into the graph's arena. */
static adept_status keep_lists(builder *b) {
    adept_graph *graph = b->graph;
    graph->tensor_count = b->tensor_count;
    graph->body_count = b->body_count;
    graph->warning_count = b->warning_count;
    graph->tensors = adept_arena_copy(b->arena, b->tensors, (size_t)b->tensor_count * sizeof *b->tensors);
    graph->bodies = adept_arena_copy(b->arena, b->bodies, (size_t)b->body_count * sizeof *b->bodies);
    graph->warnings = adept_arena_copy(b->arena, b->warnings, (size_t)b->warning_count * sizeof *b->warnings);
    return graph->tensors && graph->bodies && graph->warnings ? ADEPT_OK : adept_fail_memory(b->err);
}

static adept_status build_graph(builder *b, const pb_model *model) {
    const adept_body *main_body;
    adept_status status = adept_build_body(b, NULL, model->graph, &main_body);
    if (status == ADEPT_OK)
        status = set_input_shapes(b, main_body);
    return status == ADEPT_OK ? keep_lists(b) : status;
}

/* The header and the functions need little; how much the nodes may need is known only after them. */
static adept_status build(builder *b, const pb_model *model, size_t structure_B) {
    if (!model->graph)
        return adept_fail(b->err, ADEPT_FORMAT, "no graph in it; is this an ONNX model?");
    b->graph->ir_version = model->ir_version;
    adept_status status = check_version(b, model);
    if (status == ADEPT_OK)
        status = set_producer(b, model);
    if (status == ADEPT_OK)
        status = set_opsets(b, model);
    int64_t inlined = 0;
    if (status == ADEPT_OK)
        status = adept_build_functions(b, model, &inlined);
    size_t limit_B = GRAPH_BASE_B + GRAPH_PER_B * structure_B + GRAPH_PER_INLINED_NODE_B * (size_t)inlined;
    adept_arena_set_limit(b->arena, limit_B);
    if (status == ADEPT_OK)
        status = build_graph(b, model);
    if (status == ADEPT_NOMEM && adept_arena_used_B(b->arena) > limit_B / 2)
        return adept_fail(b->err, ADEPT_LIMIT, "its graph needs more than %zu MB", limit_B >> 20);
    return status;
}

/* --- files that are something else --- */

static adept_status name_other_formats(adept_status status, const unsigned char *bytes, size_t size_B,
                                       adept_error *err) {
    static const struct {
        const char *start, *what;
    } formats[] = {
        {"version https://git-lfs", "a Git LFS pointer instead of the model; fetch it with 'git lfs pull'"},
        {"PK\003\004",              "a zip archive (a PyTorch file?); export the model to ONNX"           },
        {"\037\213",                "compressed with gzip; unpack it first"                               },
        {"\211HDF",                 "an HDF5 file (Keras?); convert the model to ONNX"                    },
        {"<",                       "looks like HTML or XML; download the model again"                    },
        {"{",                       "looks like JSON; give an ONNX model"                                 },
    };
    for (size_t i = 0; status == ADEPT_FORMAT && i < sizeof formats / sizeof formats[0]; i++) {
        size_t length = strlen(formats[i].start);
        if (size_B >= length && memcmp(bytes, formats[i].start, length) == 0)
            return adept_fail(err, status, "%s", formats[i].what);
    }
    return status;
}

static adept_status load(adept_graph *graph, const unsigned char *bytes, size_t size_B, adept_error *err) {
    if (size_B == 0)
        return adept_fail(err, ADEPT_FORMAT, "the file is empty");
    adept_slim_model slim = {NULL, 0, 0};
    adept_status status = adept_wire_scan(&slim, bytes, size_B, graph->mapping, err);
    if (status != ADEPT_OK)
        return name_other_formats(status, bytes, size_B, err);
    builder b = {.graph = graph, .arena = graph->arena, .bytes = bytes, .err = err};
    adept_arena *scratch = adept_arena_new(decoded_limit_B(&slim));
    const pb_model *model = NULL;
    status = scratch ? decode(&model, &slim, scratch, err) : adept_fail_memory(err);
    free(slim.bytes);
    if (status == ADEPT_OK)
        status = build(&b, model, slim.structure_B);
    adept_builder_clear(&b);
    adept_arena_free(scratch);
    return status;
}

/* --- entry points --- */

static adept_graph *new_graph(const char *path) {
    adept_arena *arena = adept_arena_new(0);
    adept_graph *graph = arena ? adept_arena_alloc(arena, sizeof *graph) : NULL;
    if (!graph) {
        adept_arena_free(arena);
        return NULL;
    }
    graph->arena = arena;
    graph->path = adept_arena_string(arena, path);
    if (!graph->path) {
        adept_arena_free(arena);
        return NULL;
    }
    return graph;
}

static adept_status finish(adept_graph **out, adept_graph *graph, adept_status status, adept_error *err) {
    *out = status == ADEPT_OK ? graph : NULL;
    if (status != ADEPT_OK) {
        status = adept_fail_at(err, status, "%s", graph->path);
        adept_graph_free(graph);
    }
    return status;
}

adept_status adept_graph_load_memory(adept_graph **out, const void *bytes, size_t size_B, const char *name,
                                     const char *folder, adept_error *err) {
    *out = NULL;
    adept_graph *graph = new_graph(name ? name : "(memory)");
    if (!graph)
        return adept_fail_memory(err);
    adept_status status = ADEPT_OK;
    if (folder && !(graph->folder = adept_arena_string(graph->arena, folder)))
        status = adept_fail_memory(err);
    if (status == ADEPT_OK)
        status = load(graph, bytes, size_B, err);
    return finish(out, graph, status, err);
}

/* "." if the path has no folder, "/" if the file lies in the root. */
static const char *folder_of(adept_arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return adept_arena_string(arena, ".");
    return adept_arena_string_n(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

adept_status adept_graph_load(adept_graph **out, const char *path, adept_error *err) {
    *out = NULL;
    adept_mapping *mapping;
    adept_status status = adept_mapping_open(&mapping, path, err);
    if (status != ADEPT_OK)
        return status;
    adept_graph *graph = new_graph(path);
    if (!graph || !(graph->folder = folder_of(graph->arena, path))) {
        adept_graph_free(graph);
        adept_mapping_close(mapping);
        return adept_fail_memory(err);
    }
    graph->mapping = mapping;
    return finish(out, graph, load(graph, mapping->bytes, mapping->size_B, err), err);
}
