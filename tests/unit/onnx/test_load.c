/* What a valid file becomes. */
#include "load_support.h"

static void begin(onnx_writer *w) {
    onnx_model_begin(w, 8, 17);
    onnx_input(w, "x", 1, "N,8");
    onnx_output(w, "y", 1, "N,8");
}

static void header_inputs_and_shapes_are_told(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_put_text(&w, 2, "pytorch");
    onnx_put_text(&w, 3, "2.9.1");
    onnx_opset(&w, 8, "com.microsoft", 1);
    begin(&w);
    onnx_input(&w, "ids", 7, "");
    onnx_input(&w, "free", 10, "?,2*seq,-1");
    onnx_input(&w, "rankless", 1, NULL);
    onnx_input(&w, "w", 1, "1");
    onnx_initializer(&w, "w", 1, "1", "\0\0\0\0", 4);
    onnx_node(&w, "Relu", "relu", "x", "y");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    assert_string_equal(adept_graph_producer(g), "pytorch 2.9.1");
    assert_string_equal(adept_graph_path(g), "test.onnx");
    assert_int_equal(adept_graph_ir_version(g), 8);
    assert_int_equal(adept_graph_opset(g, ""), 17);
    assert_int_equal(adept_graph_opset(g, "ai.onnx"), 17);
    assert_int_equal(adept_graph_opset(g, "com.microsoft"), 1);
    assert_int_equal(adept_graph_opset(g, "other"), -1);
    assert_int_equal(adept_graph_node_count(g), 1);
    assert_int_equal(adept_graph_input_count(g), 4); /* "w" is an initializer */
    assert_string_equal(adept_graph_input_name(g, 0), "x");
    assert_string_equal(adept_graph_input_shape(g, 0), "[N, 8]");
    assert_string_equal(adept_graph_input_shape(g, 1), "[]");
    assert_int_equal(adept_graph_input_dtype(g, 1), ADEPT_DTYPE_INT64);
    assert_string_equal(adept_graph_input_shape(g, 2), "[?, 2*seq, ?]");
    assert_string_equal(adept_graph_input_shape(g, 3), "?");
    assert_int_equal(adept_graph_warning_count(g), 1); /* the dimension -1 */
    assert_true(tensor_named(g, "w")->is_input && tensor_named(g, "w")->is_initializer);
    release(g, &w);
}

static void optional_inputs_and_outputs_have_no_tensor(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node(&w, "Clip", "clip", "x,,x", "y");
    onnx_node(&w, "Dropout", "", "x", "d,,m");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(node_at(g, 0, 0)->input_count, 3);
    assert_int_equal(node_at(g, 0, 0)->inputs[1], ADEPT_NO_TENSOR);
    assert_int_equal(node_at(g, 0, 1)->outputs[1], ADEPT_NO_TENSOR);
    assert_string_equal(node_at(g, 0, 1)->name, "Dropout_1");
    assert_int_equal(tensor_named(g, "m")->producer, 1);
    assert_int_equal(tensor_named(g, "x")->producer, -1);
    release(g, &w);
}

static void attributes_of_every_plain_type_arrive(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node_begin(&w, 1, "Any", "com.example", "any", "x", "y");
    onnx_attribute_int(&w, "i", -3);
    onnx_attribute_float(&w, "f", 0.5F);
    onnx_attribute_text(&w, "s", "SAME_UPPER");
    onnx_attribute_ints(&w, "ints", (int64_t[]){1, -2}, 2);
    onnx_attribute_begin(&w, "floats", 6);
    onnx_begin(&w, 7); /* packed */
    onnx_put_fixed(&w, 0x3f800000, 4);
    onnx_end(&w);
    onnx_end(&w);
    onnx_attribute_begin(&w, "strings", 8);
    onnx_put_bytes(&w, 9, "a\0b", 3);
    onnx_end(&w);
    onnx_begin(&w, 5); /* no type, as in files of IR version 1 */
    onnx_put_text(&w, 1, "untyped");
    onnx_put_int(&w, 3, 7);
    onnx_end(&w);
    onnx_end(&w);
    onnx_model_end(&w);
    onnx_opset(&w, 8, "com.example", 3);
    adept_graph *g = load_written(&w);
    const adept_node *node = node_at(g, 0, 0);
    assert_int_equal(node->opset, 3);
    assert_int_equal(adept_node_attribute(node, "i")->i, -3);
    assert_true(adept_node_attribute(node, "f")->f == 0.5);
    assert_string_equal(adept_node_attribute(node, "s")->s, "SAME_UPPER");
    assert_int_equal(adept_node_attribute(node, "ints")->count, 2);
    assert_int_equal(adept_node_attribute(node, "ints")->ints[1], -2);
    assert_true(adept_node_attribute(node, "floats")->floats[0] == 1.0);
    assert_string_equal(adept_node_attribute(node, "strings")->strings[0], "a");
    assert_int_equal(adept_node_attribute(node, "untyped")->type, ADEPT_ATTRIBUTE_INT);
    assert_null(adept_node_attribute(node, "none"));
    release(g, &w);
}

static void initializers_are_places_in_the_file(void **state) {
    (void)state;
    const int64_t shape[] = {2, 3};
    onnx_writer w = {0};
    begin(&w);
    onnx_initializer_ints(&w, "s", "2", shape, 2);
    onnx_initializer_external(&w, "big", 1, "1024,1024", "sub/w.bin");
    onnx_initializer(&w, "none", 1, "0,4", "", 0);
    onnx_tensor_begin(&w, 5, "typed", 7, "2");
    onnx_put_int(&w, 7, 5);
    onnx_put_int(&w, 7, 6);
    onnx_end(&w);
    onnx_node(&w, "Relu", "", "x", "y");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    const adept_constant *s = tensor_named(g, "s")->constant;
    assert_int_equal(s->payload, ADEPT_PAYLOAD_INLINE);
    assert_true(s->bytes > w.bytes && s->bytes < w.bytes + w.size_B);
    assert_memory_equal(s->bytes, shape, sizeof shape);
    const adept_constant *big = tensor_named(g, "big")->constant;
    assert_int_equal(big->payload, ADEPT_PAYLOAD_EXTERNAL);
    assert_int_equal(big->elements, 1 << 20);
    assert_string_equal(big->location, "sub/w.bin");
    assert_int_equal(tensor_named(g, "none")->constant->elements, 0);
    adept_arena *arena = adept_arena_new(0);
    adept_error error = ADEPT_ERROR_INIT;
    const int64_t *ints;
    const double *reals;
    assert_ok(adept_constant_read(g, tensor_named(g, "typed")->constant, arena, &ints, &reals, &error),
              error);
    assert_int_equal(ints[1], 6);
    adept_arena_free(arena);
    release(g, &w);
}

static void constant_nodes_give_their_tensor_a_value(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node_begin(&w, 1, "Constant", "", "", "", "a");
    onnx_attribute_ints(&w, "value_ints", (int64_t[]){4, -5}, 2);
    onnx_end(&w);
    onnx_node_begin(&w, 1, "Constant", "", "", "", "b");
    onnx_attribute_float(&w, "value_float", 2.5F);
    onnx_end(&w);
    onnx_node_begin(&w, 1, "Constant", "ai.onnx", "", "", "c");
    onnx_attribute_begin(&w, "value", 4);
    onnx_tensor_begin(&w, 5, "", 7, "1");
    onnx_put_int(&w, 7, 9);
    onnx_end(&w);
    onnx_end(&w);
    onnx_end(&w);
    onnx_node(&w, "Relu", "", "x", "y");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    adept_arena *arena = adept_arena_new(0);
    adept_error error = ADEPT_ERROR_INIT;
    const int64_t *ints;
    const double *reals;
    const adept_tensor *a = tensor_named(g, "a"), *b = tensor_named(g, "b"), *c = tensor_named(g, "c");
    assert_ok(adept_constant_read(g, a->constant, arena, &ints, &reals, &error), error);
    assert_int_equal(a->constant->rank, 1);
    assert_int_equal(ints[1], -5);
    assert_ok(adept_constant_read(g, b->constant, arena, &ints, &reals, &error), error);
    assert_int_equal(b->constant->rank, 0);
    assert_true(reals[0] == 2.5);
    assert_ok(adept_constant_read(g, c->constant, arena, &ints, &reals, &error), error);
    assert_int_equal(ints[0], 9);
    assert_false(c->is_initializer);
    adept_arena_free(arena);
    release(g, &w);
}

static void unsorted_nodes_are_sorted_and_said(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node(&w, "Relu", "last", "b", "y");
    onnx_node(&w, "Relu", "first", "x", "a");
    onnx_node(&w, "Relu", "middle", "a", "b");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    assert_string_equal(node_at(g, 0, 0)->name, "first");
    assert_string_equal(node_at(g, 0, 1)->name, "middle");
    assert_string_equal(node_at(g, 0, 2)->name, "last");
    assert_int_equal(tensor_named(g, "y")->producer, 2);
    assert_int_equal(adept_graph_warning_count(g), 1);
    release(g, &w);
}

/* A branch of If that reads an outer tensor: the same number, noted as captured, and it orders the nodes. */
static void subgraphs_share_outer_tensors(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_input(&w, "c", 9, "");
    onnx_node_begin(&w, 1, "If", "", "if", "c", "y");
    onnx_attribute_graph_begin(&w, "then_branch");
    onnx_node(&w, "Relu", "", "late", "t");
    onnx_output(&w, "t", 1, NULL);
    onnx_attribute_graph_end(&w);
    onnx_attribute_graph_begin(&w, "else_branch");
    onnx_output(&w, "x", 1, NULL);
    onnx_attribute_graph_end(&w);
    onnx_end(&w);
    onnx_node(&w, "Neg", "neg", "x", "late");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(g->body_count, 3);
    assert_string_equal(node_at(g, 0, 0)->name, "neg");
    const adept_node *branch = node_at(g, 0, 1);
    const adept_body *then_body = adept_node_attribute(branch, "then_branch")->body;
    assert_int_equal(then_body->nodes[0].inputs[0], node_at(g, 0, 0)->outputs[0]);
    assert_int_equal(then_body->capture_count, 1);
    assert_int_equal(then_body->captures[0], node_at(g, 0, 0)->outputs[0]);
    const adept_body *else_body = adept_node_attribute(branch, "else_branch")->body;
    assert_int_equal(else_body->outputs[0], adept_graph_main(g)->inputs[0]);
    release(g, &w);
}

static void a_name_inside_a_subgraph_hides_the_outer_one(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_node_begin(&w, 1, "Loop", "", "loop", ",,x", "y");
    onnx_attribute_graph_begin(&w, "body");
    onnx_input(&w, "x", 1, "N,8");
    onnx_node(&w, "Relu", "", "x", "t");
    onnx_output(&w, "t", 1, NULL);
    onnx_attribute_graph_end(&w);
    onnx_end(&w);
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(node_at(g, 1, 0)->inputs[0], g->bodies[1]->inputs[0]);
    assert_int_equal(g->bodies[1]->capture_count, 0);
    release(g, &w);
}

static void models_before_operator_sets_have_opset_one(void **state) {
    (void)state;
    onnx_writer w = {0};
    onnx_put_int(&w, 1, 1);
    onnx_begin(&w, 7);
    onnx_input(&w, "x", 1, "1");
    onnx_node(&w, "Relu", "", "x", "y");
    onnx_output(&w, "y", 1, "1");
    onnx_end(&w);
    adept_graph *g = load_written(&w);
    assert_int_equal(node_at(g, 0, 0)->opset, 1);
    assert_int_equal(adept_graph_opset(g, ""), 1);
    release(g, &w);
}

static void module_and_exporter_metadata_arrive(void **state) {
    (void)state;
    const char *pairs[][2] = {
        {"pkg.torch.onnx.name_scopes",        "['', 'layer1', 'conv']"          },
        {"pkg.torch.onnx.class_hierarchy",    "['Net', 'Conv2d', 'aten.conv2d']"},
        {"pkg.onnxscript.rewriter.rule_name", "FuseBatchNormIntoConv"           },
    };
    onnx_writer w = {0};
    begin(&w);
    onnx_node_begin(&w, 1, "Relu", "", "n", "x", "y");
    for (size_t i = 0; i < 3; i++) {
        onnx_begin(&w, 9);
        onnx_put_text(&w, 1, pairs[i][0]);
        onnx_put_text(&w, 2, pairs[i][1]);
        onnx_end(&w);
    }
    onnx_end(&w);
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    assert_string_equal(node_at(g, 0, 0)->module, "layer1");
    assert_string_equal(node_at(g, 0, 0)->class_hierarchy, pairs[1][1]);
    assert_string_equal(node_at(g, 0, 0)->rule_names, pairs[2][1]);
    release(g, &w);
}

static void nested_types_keep_their_elements(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_begin(&w, 11);
    onnx_put_text(&w, 1, "s");
    onnx_begin(&w, 2);
    onnx_begin(&w, 9); /* optional of sequence of tensor */
    onnx_begin(&w, 1);
    onnx_begin(&w, 4);
    onnx_tensor_type(&w, 1, 7, "3");
    onnx_end(&w);
    onnx_end(&w);
    onnx_end(&w);
    onnx_end(&w);
    onnx_end(&w);
    onnx_node(&w, "Relu", "", "x", "y");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    const adept_type *type = tensor_named(g, "s")->declared;
    assert_int_equal(type->kind, ADEPT_TYPE_OPTIONAL);
    assert_int_equal(type->element->kind, ADEPT_TYPE_SEQUENCE);
    assert_int_equal(type->element->element->dtype, ADEPT_DTYPE_INT64);
    assert_int_equal(type->element->element->dims[0].value, 3);
    assert_string_equal(adept_graph_input_shape(g, 1), "optional");
    release(g, &w);
}

/* NUL in a name would end a C string early and make two names one. */
static void names_with_nul_bytes_stay_apart(void **state) {
    (void)state;
    onnx_writer w = {0};
    begin(&w);
    onnx_begin(&w, 1);
    onnx_put_text(&w, 1, "x");
    onnx_put_bytes(&w, 2, "a\0b", 3);
    onnx_put_bytes(&w, 2, "a\0c", 3);
    onnx_put_text(&w, 4, "Split");
    onnx_end(&w);
    onnx_node(&w, "Relu", "", "x", "y");
    onnx_model_end(&w);
    adept_graph *g = load_written(&w);
    assert_string_equal(output_name(g, node_at(g, 0, 0), 0), "a\x01"
                                                             "b");
    release(g, &w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_inputs_and_shapes_are_told),
        cmocka_unit_test(optional_inputs_and_outputs_have_no_tensor),
        cmocka_unit_test(attributes_of_every_plain_type_arrive),
        cmocka_unit_test(initializers_are_places_in_the_file),
        cmocka_unit_test(constant_nodes_give_their_tensor_a_value),
        cmocka_unit_test(unsorted_nodes_are_sorted_and_said),
        cmocka_unit_test(subgraphs_share_outer_tensors),
        cmocka_unit_test(a_name_inside_a_subgraph_hides_the_outer_one),
        cmocka_unit_test(models_before_operator_sets_have_opset_one),
        cmocka_unit_test(module_and_exporter_metadata_arrive),
        cmocka_unit_test(nested_types_keep_their_elements),
        cmocka_unit_test(names_with_nul_bytes_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
