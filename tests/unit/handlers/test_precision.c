/* Storage types of a small chain x -> MatMul -> Softmax -> Relu -> MatMul under every policy. */
#include "count.h"
#include "handler.h"
#include "test_support.h"

enum { X, W1, SCORES, P, R, W2, Y, TENSORS };

typedef struct chain {
    adept_tensor tensors[TENSORS];
    adept_constant weights;
    adept_shape shapes[TENSORS];
    adept_node nodes[4];
    adept_op ops[4];
    adept_dtype storage[TENSORS];
} chain;

static const adept_tensor_id inputs[4][2] = {
    {X,      W1},
    {SCORES},
    {P     },
    {R,      W2  }
};
static const adept_tensor_id outputs[4] = {SCORES, P, R, Y};
static const int64_t dims[] = {4, 4};

static void assign_by(chain *c, const char *framework, adept_dtype file_type, adept_precision precision,
                      adept_amp_level level) {
    static const char *const op_types[] = {"MatMul", "Softmax", "Relu", "MatMul"};
    adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    run.precision = precision;
    run.amp_level = level;
    run.framework = framework;
    *c = (chain){
        .weights = {.dtype = file_type, .rank = 2, .dims = dims, .elements = 16}
    };
    for (int i = 0; i < TENSORS; i++) {
        c->tensors[i] = (adept_tensor){.producer = -1, .constant = i == W1 || i == W2 ? &c->weights : NULL};
        c->shapes[i] = (adept_shape){.kind = ADEPT_TYPE_TENSOR, .dtype = file_type, .rank = 2, .dims = dims};
    }
    for (int i = 0; i < 4; i++) {
        c->nodes[i] = (adept_node){.op_type = op_types[i],
                                   .domain = "",
                                   .opset = 13,
                                   .input_count = i == 0 || i == 3 ? 2 : 1,
                                   .inputs = inputs[i],
                                   .output_count = 1,
                                   .outputs = &outputs[i]};
        c->ops[i] = (adept_op){
            .node = &c->nodes[i], .handler = adept_handler_find("", op_types[i], 13), .part_of = -1};
    }
    adept_graph graph = {.tensor_count = TENSORS, .tensors = c->tensors};
    adept_shapes shapes = {.tensors = c->shapes};
    adept_ops ops = {4, c->ops};
    assert_ok(adept_precision_assign(c->storage, &ops, &graph, &shapes, &run, &err), err);
}

static void assign(chain *c, adept_dtype file_type, adept_precision precision, adept_amp_level level) {
    assign_by(c, NULL, file_type, precision, level);
}

static void assert_types(const chain *c, const adept_dtype expected[TENSORS]) {
    static const char *const names[TENSORS] = {"x", "w1", "scores", "p", "r", "w2", "y"};
    for (int i = 0; i < TENSORS; i++)
        if (c->storage[i] != expected[i])
            fail_msg("%s is stored in %s, expected %s", names[i], adept_dtype_name(c->storage[i]),
                     adept_dtype_name(expected[i]));
}

#define S ADEPT_DTYPE_FLOAT
#define H ADEPT_DTYPE_FLOAT16
#define B ADEPT_DTYPE_BFLOAT16
#define I ADEPT_DTYPE_INT8

static void fp32_keeps_the_types_of_the_file(void **state) {
    (void)state;
    chain c;
    assign(&c, S, ADEPT_PRECISION_FP32, ADEPT_AMP_AUTOCAST);
    assert_types(&c, (adept_dtype[]){S, S, S, S, S, S, S});
    assign(&c, B, ADEPT_PRECISION_FP32, ADEPT_AMP_AUTOCAST);
    assert_types(&c, (adept_dtype[]){B, B, B, B, B, B, B});
}

static void fp16_and_bf16_store_everything_in_their_type(void **state) {
    (void)state;
    chain c;
    assign(&c, S, ADEPT_PRECISION_FP16, ADEPT_AMP_AUTOCAST);
    assert_types(&c, (adept_dtype[]){H, H, H, H, H, H, H});
    assign(&c, H, ADEPT_PRECISION_BF16, ADEPT_AMP_AUTOCAST);
    assert_types(&c, (adept_dtype[]){B, B, B, B, B, B, B});
}

static void autocast_follows_the_class_of_each_operator(void **state) {
    (void)state;
    chain c;
    assign(&c, S, ADEPT_PRECISION_BF16_AMP, ADEPT_AMP_AUTOCAST);
    /* softmax gives FP32, Relu keeps what comes in, the product narrows again */
    assert_types(&c, (adept_dtype[]){S, S, B, S, S, S, B});
}

static void level_o2_keeps_sixteen_bits_throughout(void **state) {
    (void)state;
    chain c;
    assign(&c, S, ADEPT_PRECISION_FP16_AMP, ADEPT_AMP_O2);
    assert_types(&c, (adept_dtype[]){H, H, H, H, H, H, H});
}

static void frameworks_that_rewrite_the_graph_convert_only_weights(void **state) {
    (void)state;
    chain c;
    assign_by(&c, "tensorflow", S, ADEPT_PRECISION_FP16_AMP, ADEPT_AMP_AUTOCAST);
    assert_types(&c, (adept_dtype[]){H, S, H, H, H, S, H});
    assign_by(&c, "tensorflow", S, ADEPT_PRECISION_FP16, ADEPT_AMP_AUTOCAST);
    assert_types(&c, (adept_dtype[]){H, H, H, H, H, H, H});
}

static void int8_stores_weights_and_products_in_one_byte(void **state) {
    (void)state;
    chain c;
    assign(&c, S, ADEPT_PRECISION_INT8, ADEPT_AMP_AUTOCAST);
    assert_types(&c, (adept_dtype[]){S, I, I, H, H, I, I});
}

static void integers_keep_their_width(void **state) {
    (void)state;
    chain c;
    assign(&c, ADEPT_DTYPE_INT64, ADEPT_PRECISION_FP16, ADEPT_AMP_AUTOCAST);
    assert_int_equal(c.storage[Y], ADEPT_DTYPE_INT64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fp32_keeps_the_types_of_the_file),
        cmocka_unit_test(fp16_and_bf16_store_everything_in_their_type),
        cmocka_unit_test(autocast_follows_the_class_of_each_operator),
        cmocka_unit_test(level_o2_keeps_sixteen_bits_throughout),
        cmocka_unit_test(frameworks_that_rewrite_the_graph_convert_only_weights),
        cmocka_unit_test(int8_stores_weights_and_products_in_one_byte),
        cmocka_unit_test(integers_keep_their_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
