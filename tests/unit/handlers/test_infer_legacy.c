/* Forms of the first opsets: attributes where there are inputs now, explicit broadcasts. */
#include "infer_fixture.h"
#include "test_support.h"

static void sizes_stood_in_attributes(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Reshape",    1,  "float32[2,6]",                             "shape=[3,-1]",                     "float32[3,4]"              },
        {"Reshape",    1,  "float32[2,6]",                             "shape=[0,3,2]",                    "float32[2,3,2]"            },
        {"Slice",      1,  "float32[4,8]",                             "starts=[1,-3] ends=[3,1000]",      "float32[2,3]"              },
        {"Slice",      1,  "float32[4,8]",                             "starts=[2] ends=[-1] axes=[1]",    "float32[4,5]"              },
        {"Pad",        1,  "float32[2,3]",                             "paddings=[0,1,0,2]",               "float32[2,6]"              },
        {"Pad",        2,  "float32[2,3]",                             "pads=[1,0,1,-1]",                  "float32[4,2]"              },
        {"Squeeze",    1,  "float32[1,3,1]",                           "axes=[0]",                         "float32[3,1]"              },
        {"Squeeze",    1,  "float32[1,3,1]",                           "",                                 "float32[3]"                },
        {"Unsqueeze",  1,  "float32[3]",                               "axes=[0,2]",                       "float32[1,3,1]"            },
        {"Unsqueeze",  11, "float32[3]",                               "axes=[-1]",                        "float32[3,1]"              },
        {"Split",      2,  "float32[6,2]",                             "split=[2,4]",                      "float32[2,2]; float32[4,2]"},
        {"Split",      1,  "float32[6,2]",                             "axis=1",                           "float32[6,1]; float32[6,1]"},
        {"TopK",       1,  "float32[3,9]",                             "k=4",                              "float32[3,4]; int64[3,4]"  },
        {"Tile",       1,  "float32[2,3]; int64[1]={4}; int64[1]={1}", "",                                 "float32[2,12]"             },
        {"Tile",       6,  "float32[2,3]; int64[2]={1,2}",             "",                                 "float32[2,6]"              },
        {"Upsample",   1,  "float32[1,2,3,4]",                         "height_scale=2.0 width_scale=3.0", "float32[1,2,6,12]"         },
        {"Upsample",   7,  "float32[1,2,3,4]",                         "scales=[1.0,1.0,1.5,2.0]",         "float32[1,2,4,8]"          },
        {"Upsample",   9,  "float32[1,2,3,4]; float32[4]={1,1,2,2}",   "",                                 "float32[1,2,6,8]"          },
        {"Resize",     10, "float32[1,2,3,4]; float32[4]={1,1,2,0.5}", "",                                 "float32[1,2,6,2]"          },
        {"ReduceSum",  1,  "float32[2,3,4]",                           "axes=[1] keepdims=0",              "float32[2,4]"              },
        {"ReduceMean", 13, "float32[2,3,4]",                           "axes=[-1]",                        "float32[2,3,1]"            },
        {"Clip",       6,  "float32[3]={-1,3,9}",                      "min=0.0 max=6.0",                  "float32[3]={0,3,6}"        },
        {"Cast",       1,  "float32[2]={1.7,-1.7}",                    "to=INT32",                         "int32[2]={1,-1}"           },
        {"Dropout",    1,  "float32[2,3]",                             "is_test=1",                        "float32[2,3]; float32[2,3]"},
        {"Dropout",    10, "float32[2,3]",                             "",                                 "float32[2,3]; bool[2,3]"   },
        {"Concat",     1,  "float32[2,3]; float32[2,1]",               "",                                 "float32[2,4]"              },
        {"DFT",        17, "float32[2,9,1]",                           "onesided=1",                       "float32[2,5,2]"            },
    };
    CHECK_OUTPUTS(cases);
}

static void the_second_input_was_laid_over_the_first(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Add",  6, "float32[2,3,4]; float32[3]",      "broadcast=1 axis=1", "float32[2,3,4]"  },
        {"Mul",  1, "float32[2,3]; float32[3]",        "broadcast=1",        "float32[2,3]"    },
        {"Sub",  6, "float32[2,3]; float32[2,3]",      "axis=1",             "float32[2,3]"    },
        {"Pow",  1, "float32[2]={2,3}; float32[]={2}", "broadcast=1",        "float32[2]={4,9}"},
        {"Less", 1, "float32[2,3]; float32[1]",        "broadcast=1",        "bool[2,3]"       },
    };
    static const infer_case errors[] = {
        {"Add", 6, "float32[2,3,4]; float32[3]", "",                   "'broadcast' is not set"},
        {"Add", 6, "float32[2,3,4]; float32[5]", "broadcast=1 axis=1", "cannot be laid over"   },
    };
    CHECK_OUTPUTS(cases);
    CHECK_ERRORS(errors);
}

static void softmax_was_of_a_matrix(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Softmax", 1,  "float32[2,3,4]", "",       "float32[2,3,4]"},
        {"Softmax", 1,  "float32[5]",     "",       "float32[5]"    },
        {"Softmax", 1,  "float32[2,3]",   "axis=2", "float32[2,3]"  },
        {"Softmax", 13, "float32[5]",     "",       "float32[5]"    },
    };
    CHECK_OUTPUTS(cases);
    assert_non_null(strstr(infer("Softmax", 13, "float32[2,3]", "axis=2"), "axis 2 does not exist"));
}

static void batch_normalization_has_the_outputs_of_its_opset(void **state) {
    (void)state;
    const char *inputs = "float16[2,8,4,4]; float16[8]; float16[8]; float32[8]; float32[8]";
    assert_string_equal(infer_outputs("BatchNormalization", 7, inputs, "", 5),
                        "float16[2,8,4,4]; float32[8]; float32[8]; float32[8]; float32[8]");
    assert_string_equal(infer_outputs("BatchNormalization", 15, inputs, "training_mode=1", 3),
                        "float16[2,8,4,4]; float32[8]; float32[8]");
}

static void recurrent_layers_of_all_layouts(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"LSTM", 1,  "float32[7,2,5]; float32[1,12,5]; float32[1,12,3]", "hidden_size=3",
         "float32[7,1,2,3]; float32[1,2,3]; float32[1,2,3]"                                                                                   },
        {"GRU",  14, "float32[2,7,5]; float32[2,9,5]; float32[2,9,3]",
         "hidden_size=3 layout=1 direction=bidirectional",                                                  "float32[2,7,2,3]; float32[2,2,3]"},
        {"RNN",  7,  "float32[7,2,5]; float32[1,3,5]; float32[1,3,3]",   "hidden_size=3 output_sequence=0",
         "float32[7,1,2,3]; float32[1,2,3]"                                                                                                   },
    };
    CHECK_OUTPUTS(cases);
    assert_non_null(
        strstr(infer("LSTM", 7, "float32[7,2,6]; float32[1,12,5]; float32[1,12,3]", "hidden_size=3"),
               "input has 6 features, weight expects 5"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_stood_in_attributes),
        cmocka_unit_test(the_second_input_was_laid_over_the_first),
        cmocka_unit_test(softmax_was_of_a_matrix),
        cmocka_unit_test(batch_normalization_has_the_outputs_of_its_opset),
        cmocka_unit_test(recurrent_layers_of_all_layouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
