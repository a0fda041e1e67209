#include "module_path.h"
#include "test_support.h"

static void expect(const char *scopes, const char *namespace, const char *name, const char *expected) {
    adept_arena *arena = adept_arena_new(0);
    assert_string_equal(adept_module_path(arena, scopes, namespace, name), expected);
    adept_arena_free(arena);
}

static void name_scopes_give_the_scope_above_the_operator(void **state) {
    (void)state;
    expect("['', 'layer2', 'layer2.2', 'layer2.2.bn1', 'batch_norm_18']", NULL, "n", "layer2.2.bn1");
    expect("['', 'relu']", NULL, "n", "");
    expect("['relu']", NULL, "n", "");
    expect("['_empty_nn_module_stack_from_metadata_hook', 'sym_size_int']", NULL, "n", "");
    expect("[\"it's\", 'op']", NULL, "n", "it's");
    expect("['a\\'b', 'op']", NULL, "n", "a'b");
}

static void damaged_name_scopes_do_not_matter(void **state) {
    (void)state;
    expect("", NULL, "n", "");
    expect("['a", NULL, "n", "");
    expect("['a', 'b", NULL, "n", "a");
    expect("['a\\", NULL, "n", "");
}

static void namespace_gives_the_scope_above_the_operator(void **state) {
    (void)state;
    expect(NULL, ": ResNet/layer1: Sequential/layer1.0: Bottleneck/relu: aten.relu.default", "n", "layer1.0");
    expect(NULL, ": ResNet/relu: aten.relu.default", "n", "");
    expect(NULL, "relu", "n", "");
}

static void slashes_in_node_names_are_module_borders(void **state) {
    (void)state;
    expect(NULL, NULL, "/encoder/layer.3/attention/self/MatMul", "encoder.layer.3.attention.self");
    expect(NULL, NULL, "/layer1/layer1.0/conv1/Conv", "layer1.0.conv1");
    expect(NULL, NULL, "model/dense/MatMul", "model.dense");
    expect(NULL, NULL, "StatefulPartitionedCall/model/dense/MatMul", "model.dense");
    expect(NULL, NULL, "/Add", "");
    expect(NULL, NULL, "Conv_12", "");
    expect(NULL, NULL, "", "");
    expect(NULL, NULL, "///", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_scopes_give_the_scope_above_the_operator),
        cmocka_unit_test(damaged_name_scopes_do_not_matter),
        cmocka_unit_test(namespace_gives_the_scope_above_the_operator),
        cmocka_unit_test(slashes_in_node_names_are_module_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
