/* Attributes that the standard does not know of an operator. */
#include "attribute_names.h"
#include "handler.h"
#include "test_support.h"

static const char *unknown(const char *domain, const char *op_type, const char *attribute) {
    adept_attribute attributes[1] = {
        {.name = attribute, .type = ADEPT_ATTRIBUTE_INT}
    };
    adept_node node = {.domain = domain, .op_type = op_type, .attribute_count = 1, .attributes = attributes};
    return adept_node_unknown_attribute(&node);
}

static void names_of_any_version_are_known(void **state) {
    (void)state;
    assert_null(unknown("", "Conv", "auto_pad"));
    assert_null(unknown("", "Conv", "strides"));
    assert_null(unknown("", "Add", "consumed_inputs"));
    assert_null(unknown("", "LSTM", "output_sequence"));
    assert_null(unknown("ai.onnx.ml", "TreeEnsembleRegressor", "nodes_featureids"));
}

static void other_names_are_not(void **state) {
    (void)state;
    assert_string_equal(unknown("", "Relu", "sideways"), "sideways");
    assert_string_equal(unknown("", "Conv", "stride"), "stride");
    assert_string_equal(unknown("", "Conv", "strides pads"), "strides pads");
    assert_string_equal(unknown("", "Conv", ""), "");
    assert_string_equal(unknown("", "NonZero", "axis"), "axis");
}

static void operators_beyond_the_standard_are_not_judged(void **state) {
    (void)state;
    assert_null(unknown("com.microsoft", "Attention", "sideways"));
    assert_null(unknown("", "Clippy", "sideways"));
}

/* The search in the list finds every operator of the standard: none but those misses the odd name. */
static void every_operator_of_the_standard_is_listed(void **state) {
    (void)state;
    static const char *const beyond[] = {
        "Affine", "Crop", "ImageScaler", "ParametricSoftplus", "ScaledTanh", "SimplifiedLayerNormalization"};
    size_t count;
    const adept_handler *rows = adept_handler_table(&count);
    for (size_t i = 0; i < count; i++) {
        bool standard = strncmp(rows[i].domain, "com.microsoft", 13) != 0;
        for (size_t b = 0; b < sizeof beyond / sizeof beyond[0]; b++)
            standard = standard && strcmp(rows[i].op_type, beyond[b]) != 0;
        if (standard && !unknown(rows[i].domain, rows[i].op_type, "sideways"))
            fail_msg("the attributes of %s are not listed", rows[i].op_type);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_any_version_are_known),
        cmocka_unit_test(other_names_are_not),
        cmocka_unit_test(operators_beyond_the_standard_are_not_judged),
        cmocka_unit_test(every_operator_of_the_standard_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
