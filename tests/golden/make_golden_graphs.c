/* The graphs of the golden tests: make_golden_graphs FOLDER. */
#include "onnx_writer.h"

static const char *folder;

static void save(onnx_writer *w, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(w->bytes, 1, w->size_B, file) != w->size_B || fclose(file) != 0) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
    onnx_writer_free(w);
}

static onnx_writer begin(void) {
    onnx_writer w = {0};
    onnx_put_text(&w, 2, "by hand");
    onnx_model_begin(&w, 8, 17);
    return w;
}

/* A weight whose numbers nobody needs. */
static void weight(onnx_writer *w, const char *name, const char *dims) {
    onnx_initializer_external(w, name, 1, dims, "weights.bin");
}

static void scalar(onnx_writer *w, const char *name, float value) {
    onnx_initializer(w, name, 1, "", &value, sizeof value);
}

/* Two linear layers: 2*N*8*16 + 2*N*16*4 FLOP forward. */
static void make_mlp(void) {
    onnx_writer w = begin();
    onnx_input(&w, "x", 1, "N,8");
    weight(&w, "hidden.weight", "8,16");
    weight(&w, "hidden.bias", "16");
    weight(&w, "out.weight", "16,4");
    weight(&w, "out.bias", "4");
    onnx_node(&w, "Gemm", "/hidden/Gemm", "x,hidden.weight,hidden.bias", "h");
    onnx_node(&w, "Relu", "/act/Relu", "h", "r");
    onnx_node(&w, "Gemm", "/out/Gemm", "r,out.weight,out.bias", "y");
    onnx_output(&w, "y", 1, "N,4");
    onnx_model_end(&w);
    save(&w, "mlp");
}

/* LayerNorm and tanh GELU in parts, as exporters of old opsets write them. */
static void make_parts(void) {
    onnx_writer w = begin();
    onnx_input(&w, "x", 1, "N,32");
    weight(&w, "norm.weight", "32");
    weight(&w, "norm.bias", "32");
    scalar(&w, "two", 2);
    scalar(&w, "eps", 1e-5f);
    scalar(&w, "half_root", 1.4142135f);
    scalar(&w, "one", 1);
    scalar(&w, "half", 0.5f);
    static const int64_t last[] = {-1};
    for (int i = 0; i < 2; i++) {
        onnx_node_begin(&w, 1, "ReduceMean", "", i ? "/norm/Mean_1" : "/norm/Mean", i ? "square" : "x",
                        i ? "variance" : "mean");
        onnx_attribute_ints(&w, "axes", last, 1);
        onnx_end(&w);
        if (i == 0) {
            onnx_node(&w, "Sub", "/norm/Sub", "x,mean", "centred");
            onnx_node(&w, "Pow", "/norm/Pow", "centred,two", "square");
        }
    }
    onnx_node(&w, "Add", "/norm/Add", "variance,eps", "safe");
    onnx_node(&w, "Sqrt", "/norm/Sqrt", "safe", "deviation");
    onnx_node(&w, "Div", "/norm/Div", "centred,deviation", "normal");
    onnx_node(&w, "Mul", "/norm/Mul", "normal,norm.weight", "scaled");
    onnx_node(&w, "Add", "/norm/Add_1", "scaled,norm.bias", "normed");
    onnx_node(&w, "Div", "/act/Div", "normed,half_root", "d");
    onnx_node(&w, "Erf", "/act/Erf", "d", "e");
    onnx_node(&w, "Add", "/act/Add", "e,one", "a");
    onnx_node(&w, "Mul", "/act/Mul", "normed,a", "m");
    onnx_node(&w, "Mul", "/act/Mul_1", "m,half", "y");
    onnx_output(&w, "y", 1, "N,32");
    onnx_model_end(&w);
    save(&w, "parts");
}

static void make_odd(const char *name, const char *domain, const char *op_type, const char *attribute,
                     const char *inputs) {
    onnx_writer w = begin();
    onnx_input(&w, "x", 1, "N,8");
    onnx_node_begin(&w, 1, op_type, domain, "first", inputs, "y");
    if (attribute)
        onnx_attribute_int(&w, attribute, 1);
    onnx_end(&w);
    onnx_output(&w, "y", 1, "N,8");
    onnx_end(&w);
    if (domain[0])
        onnx_opset(&w, 8, domain, 1);
    save(&w, name);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    folder = argv[1];
    make_mlp();
    make_parts();
    make_odd("unknown-operator", "my.domain", "Fly", NULL, "x");
    make_odd("unknown-attribute", "", "Relu", "sideways", "x");
    make_odd("cycle", "", "Add", NULL, "x,y");
    make_odd("undefined-input", "", "Add", NULL, "x,z");
    return 0;
}
