/* Writes the seeds of the loader's fuzz corpus into a folder: small models that touch every message. */
#include "onnx_writer.h"

typedef void seed(onnx_writer *w);

static void begin(onnx_writer *w) {
    onnx_model_begin(w, 8, 17);
    onnx_input(w, "x", 1, "N,8");
    onnx_output(w, "y", 1, "N,8");
}

static void plain(onnx_writer *w) {
    begin(w);
    onnx_initializer_ints(w, "s", "2", (int64_t[]){1, -1}, 2);
    onnx_node(w, "Reshape", "/encoder/layer.0/Reshape", "x,s", "h");
    onnx_node(w, "Relu", "", "h", "y");
    onnx_value(w, 13, "h", 1, "N,?");
    onnx_model_end(w);
}

static void unsorted_and_optional(onnx_writer *w) {
    begin(w);
    onnx_node(w, "Clip", "b", "h,,h", "y");
    onnx_node(w, "Neg", "a", "x", "h");
    onnx_model_end(w);
}

static void attributes(onnx_writer *w) {
    begin(w);
    onnx_node_begin(w, 1, "Op", "com.example", "n", "x", "y");
    onnx_attribute_int(w, "i", -1);
    onnx_attribute_float(w, "f", 1.0F);
    onnx_attribute_text(w, "s", "text");
    onnx_attribute_ints(w, "l", (int64_t[]){1, 2, 3}, 3);
    onnx_attribute_begin(w, "t", 4);
    onnx_tensor_begin(w, 5, "v", 10, "2");
    onnx_put_int(w, 5, 0x3c00);
    onnx_put_int(w, 5, 0x4000);
    onnx_end(w);
    onnx_end(w);
    onnx_attribute_begin(w, "sparse", 11);
    onnx_begin(w, 22);
    onnx_tensor_begin(w, 1, "values", 1, "1");
    onnx_end(w);
    onnx_put_int(w, 3, 9);
    onnx_end(w);
    onnx_end(w);
    onnx_attribute_begin(w, "type", 13);
    onnx_tensor_type(w, 14, 1, "2,N");
    onnx_end(w);
    onnx_begin(w, 9);
    onnx_put_text(w, 1, "pkg.torch.onnx.name_scopes");
    onnx_put_text(w, 2, "['', 'layer', 'op']");
    onnx_end(w);
    onnx_end(w);
    onnx_model_end(w);
    onnx_opset(w, 8, "com.example", 1);
}

static void subgraphs(onnx_writer *w) {
    begin(w);
    onnx_node_begin(w, 1, "If", "", "if", "x", "y");
    onnx_attribute_graph_begin(w, "then_branch");
    onnx_node(w, "Relu", "", "x", "t");
    onnx_output(w, "t", 1, NULL);
    onnx_attribute_graph_end(w);
    onnx_attribute_graph_begin(w, "else_branch");
    onnx_output(w, "x", 1, NULL);
    onnx_attribute_graph_end(w);
    onnx_end(w);
    onnx_model_end(w);
}

static void functions(onnx_writer *w) {
    begin(w);
    onnx_node_begin(w, 1, "F", "f", "call", "x", "y");
    onnx_attribute_int(w, "alpha", 1);
    onnx_end(w);
    onnx_model_end(w);
    onnx_opset(w, 8, "f", 1);
    onnx_function_begin(w, "f", "F", "a,b", "c");
    onnx_node_begin(w, 7, "Clip", "", "", "a,b", "t");
    onnx_attribute_begin(w, "inner", 2);
    onnx_put_text(w, 21, "alpha");
    onnx_end(w);
    onnx_end(w);
    onnx_node_begin(w, 7, "G", "f", "g", "t", "c");
    onnx_end(w);
    onnx_end(w);
    onnx_function_begin(w, "f", "G", "a", "a");
    onnx_end(w);
}

static void types_and_constants(onnx_writer *w) {
    begin(w);
    onnx_begin(w, 11);
    onnx_put_text(w, 1, "s");
    onnx_begin(w, 2);
    onnx_begin(w, 4);
    onnx_tensor_type(w, 1, 8, "3");
    onnx_end(w);
    onnx_end(w);
    onnx_end(w);
    onnx_initializer_external(w, "e", 1, "2,2", "sub/w.bin");
    onnx_tensor_begin(w, 5, "texts", 8, "2");
    onnx_put_text(w, 6, "a");
    onnx_put_text(w, 6, "bc");
    onnx_end(w);
    onnx_initializer(w, "int4", 22, "3", "\x21\x03", 2);
    onnx_begin(w, 15);
    onnx_tensor_begin(w, 1, "sp", 1, "1");
    onnx_end(w);
    onnx_put_int(w, 3, 100);
    onnx_end(w);
    onnx_node_begin(w, 1, "Constant", "", "", "", "c");
    onnx_attribute_ints(w, "value_ints", (int64_t[]){7}, 1);
    onnx_end(w);
    onnx_node(w, "Relu", "", "x", "y");
    onnx_model_end(w);
}

static void cycle(onnx_writer *w) {
    begin(w);
    onnx_node(w, "Add", "", "x,b", "a");
    onnx_node(w, "Relu", "", "a", "b");
    onnx_node(w, "Neg", "", "b", "y");
    onnx_model_end(w);
}

static void recursion(onnx_writer *w) {
    begin(w);
    onnx_node_begin(w, 1, "F", "f", "", "x", "y");
    onnx_end(w);
    onnx_model_end(w);
    onnx_function_begin(w, "f", "F", "a", "b");
    onnx_node_begin(w, 7, "F", "f", "", "a", "b");
    onnx_end(w);
    onnx_end(w);
}

static int write_seed(const char *folder, const char *name, seed *fill) {
    char path[4096];
    onnx_writer w = {0};
    fill(&w);
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    FILE *file = fopen(path, "wb");
    int failed = !file || fwrite(w.bytes, 1, w.size_B, file) != w.size_B;
    if (file && fclose(file) != 0)
        failed = 1;
    if (failed)
        perror(path);
    onnx_writer_free(&w);
    return failed;
}

int main(int count, char **arguments) {
    const struct {
        const char *name;
        seed *fill;
    } seeds[] = {
        {"plain",                 plain                },
        {"unsorted-and-optional", unsorted_and_optional},
        {"attributes",            attributes           },
        {"subgraphs",             subgraphs            },
        {"functions",             functions            },
        {"types-and-constants",   types_and_constants  },
        {"cycle",                 cycle                },
        {"recursion",             recursion            },
    };
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    int failed = 0;
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++)
        failed += write_seed(arguments[1], seeds[i].name, seeds[i].fill);
    return failed != 0;
}
