/* Loading reads the structure of a file, not its weights. */
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load_support.h"
#include "mapping.h"

enum { WEIGHT_B = 256 << 20 };

typedef struct sparse_file {
    char path[64];
    size_t size_B;
} sparse_file;

/* A model with one weight of 256 MB inside the file, which is a hole: no page of it is in memory. */
static void write_model(sparse_file *file) {
    onnx_writer w = {0};
    onnx_model_begin(&w, 8, 17);
    onnx_input(&w, "x", 1, "N,8192");
    onnx_tensor_begin(&w, 5, "w", 1, "8192,8192");
    onnx_put_hole(&w, 9, WEIGHT_B);
    onnx_end(&w);
    onnx_initializer_ints(&w, "s", "2", (int64_t[]){-1, 64}, 2);
    onnx_node(&w, "MatMul", "m", "x,w", "h");
    onnx_node(&w, "Reshape", "r", "h,s", "y");
    onnx_output(&w, "y", 1, "M,64");
    onnx_model_end(&w);
    snprintf(file->path, sizeof file->path, "/tmp/adept_weights_XXXXXX");
    int descriptor = mkstemp(file->path);
    assert_true(descriptor >= 0);
    size_t tail_B = w.size_B - w.hole_at;
    assert_int_equal(pwrite(descriptor, w.bytes, w.hole_at, 0), w.hole_at);
    assert_int_equal(pwrite(descriptor, w.bytes + w.hole_at, tail_B, (off_t)(w.hole_at + WEIGHT_B)), tail_B);
    close(descriptor);
    file->size_B = w.size_B + WEIGHT_B;
    onnx_writer_free(&w);
}

/* Pages of the file that are in memory, whoever asked for them. */
static size_t resident_pages(const adept_graph *graph) {
    size_t page_B = (size_t)sysconf(_SC_PAGESIZE), pages = (graph->mapping->size_B + page_B - 1) / page_B;
    unsigned char *in_memory = calloc(pages, 1);
    assert_non_null(in_memory);
    assert_int_equal(mincore((void *)(uintptr_t)graph->mapping->bytes, graph->mapping->size_B, in_memory), 0);
    size_t count = 0;
    for (size_t i = 0; i < pages; i++)
        count += in_memory[i] & 1;
    free(in_memory);
    return count;
}

static void pages_of_a_weight_are_not_read(void **state) {
    (void)state;
    sparse_file file;
    write_model(&file);
    adept_graph *graph;
    adept_error error = ADEPT_ERROR_INIT;
    assert_ok(adept_graph_load(&graph, file.path, &error), error);
    size_t pages = resident_pages(graph);
    print_message("%zu of %zu pages in memory\n", pages, file.size_B / (size_t)sysconf(_SC_PAGESIZE));
    assert_true(pages < 300); /* 65,537 in all; read-ahead of the kernel may add some around the headers */
    assert_int_equal(tensor_named(graph, "w")->constant->elements, 8192 * 8192);
    adept_arena *arena = adept_arena_new(0);
    const int64_t *ints;
    const double *reals;
    const adept_constant *shape = tensor_named(graph, "s")->constant;
    assert_ok(adept_constant_read(graph, shape, arena, &ints, &reals, &error), error);
    assert_int_equal(ints[1], 64);
    adept_arena_free(arena);
    adept_graph_free(graph);
    unlink(file.path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pages_of_a_weight_are_not_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
