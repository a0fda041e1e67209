/* Operators that cannot be run are refused with the numbers that disagree. */
#include "infer_fixture.h"
#include "test_support.h"

static void windows_must_fit(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Conv",          11, "float32[1,3,8,8]; float32[4,4,3,3]",             "",                   "input has 3 channels, weight expects 4"},
        {"Conv",          11, "float32[1,6,8,8]; float32[4,4,3,3]",             "group=2",
         "weight expects 8 (its own times group)"                                                                                             },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,9,9]",             "",
         "covers 9 on spatial axis 0, the padded input has only 8"                                                                            },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,3,3]",             "strides=[0,1]",      "'strides' has 0 for axis 0"            },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,3,3]",             "group=0",            "'group' is 0"                          },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,3]",               "",                   "same number of dimensions"             },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,3,3]",             "kernel_shape=[3]",
         "'kernel_shape' has 1 numbers"                                                                                                       },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,3,3]",             "pads=[1,1]",         "'pads' has 2 numbers, expected 4"      },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,3,3]",             "auto_pad=SAME",      "'auto_pad' is 'SAME'"                  },
        {"Conv",          11, "float32[1,3,8,8]; float32[4,3,3,3]; float32[5]", "",
         "the bias has 5 elements for 4 output channels"                                                                                      },
        {"Conv",          11, "float32[1,3,8,8]; float16[4,3,3,3]",             "",                   "insert a Cast"                         },
        {"ConvTranspose", 11, "float32[1,3,8,8]; float32[4,3,3,3]",             "",
         "input has 3 channels, weight expects 4"                                                                                             },
        {"MaxPool",       12, "float32[1,3,8,8]",                               "",                   "'kernel_shape' is missing"             },
        {"MaxPool",       12, "float32[1,3,2,2]",                               "kernel_shape=[3,3]", "covers 3 on spatial axis 0"            },
        {"DepthToSpace",  13, "float32[1,6,2,2]",                               "blocksize=2",
         "6 channels are not divisible by blocksize^2 = 4"                                                                                    },
    };
    CHECK_ERRORS(cases);
}

static void inner_and_common_dimensions_must_agree(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"MatMul",             13, "float32[2,3]; float32[4,5]",                                     "",                   "disagree: 3 against 4"               },
        {"MatMul",             13, "float32[2,2,3]; float32[3,3,5]",                                 "",                   "axis -1 is 2 against 3"              },
        {"MatMul",             13, "float32[]; float32[3,5]",                                        "",                   "a scalar is no matrix"               },
        {"Gemm",               13, "float32[2,3]; float32[4,3]",                                     "",                   "disagree: 3 against 4"               },
        {"Gemm",               13, "float32[2,3,4]; float32[4,3]",                                   "",                   "expected 2 dimensions"               },
        {"Gemm",               13, "float32[2,3]; float32[3,4]; float32[5]",                         "",                   "axis -1 is 4 against 5"              },
        {"Add",                13, "float32[2,3]; float32[4]",                                       "",                   "axis -1 is 3 against 4"              },
        {"Add",                13, "float32[2]; int64[2]",                                           "",                   "input 0 is float32, input 1 is int64"},
        {"Concat",             13, "float32[2,3]; float32[3,3]",                                     "axis=1",             "differ on axis 0 (2 against 3)"      },
        {"Concat",             13, "float32[2,3]; float32[2]",                                       "axis=0",             "different numbers of dimensions"     },
        {"Concat",             13, "float32[2,3]; float32[2,3]",                                     "",                   "'axis' is missing"                   },
        {"Einsum",             12, "float32[2,3]; float32[4,5]",                                     "equation=ij,jk->ik",
         "index 'j' is 3 in one operand and 4 in another"                                                                                                        },
        {"Einsum",             12, "float32[2,3]",                                                   "equation=ij->ik",    "index 'k' of the result"             },
        {"Einsum",             12, "float32[2,3]",                                                   "equation=ij,jk->ik", "another number of terms"             },
        {"Where",              16, "bool[2]; float32[2]; int64[2]",                                  "",                   "input 1 is float32, input 2 is int64"},
        {"LayerNormalization", 17, "float32[2,8]; float32[6]",                                       "",                   "axis -1 is 8 against 6"              },
        {"BatchNormalization", 15, "float32[2,8,4]; float32[8]; float32[8]; float32[4]; float32[8]", "",
         "input 3 has shape [4], expected one number for each of the 8 channels"                                                                                 },
    };
    CHECK_ERRORS(cases);
}

static void axes_and_sizes_must_exist(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Softmax",         13, "float32[2,3]",                                                       "axis=5",     "axis 5 does not exist"                     },
        {"Reshape",         14, "float32[2,6]; int64[2]={-1,-1}",                                     "",           "only one can be computed"                  },
        {"Reshape",         14, "float32[2,6]; int64[2]={5,-1}",                                      "",
         "[2, 6] (12 elements) into [5, -1]: not divisible by 5"                                                                                                },
        {"Reshape",         14, "float32[2,6]; int64[2]={2,5}",                                       "",           "(12 elements) into [2, 5] (10 elements)"   },
        {"Split",           13, "float32[8]; int64[1]={7}",                                           "",           "the parts add up to 7, the axis has 8"     },
        {"Squeeze",         13, "float32[2,1]; int64[1]={0}",                                         "",           "its size is 2, not 1"                      },
        {"Unsqueeze",       13, "float32[2]; int64[2]={0,0}",                                         "",           "listed twice"                              },
        {"Transpose",       13, "float32[2,3]",                                                       "perm=[0,0]", "listed twice"                              },
        {"Gather",          13, "float32[8,4]; int64[1]={100}",                                       "",           "index 100 is out of range for an axis of 8"},
        {"TopK",            11, "float32[8]; int64[1]={9}",                                           "",           "k is 9, axis 0 has only 8"                 },
        {"Range",           11, "int64[]={0}; int64[]={5}; int64[]={0}",                              "",           "the step is 0"                             },
        {"Slice",           13, "float32[4]; int64[1]={0}; int64[1]={2}; int64[1]={0}; int64[1]={0}", "",
         "step of a slice is 0"                                                                                                                                 },
        {"Expand",          13, "float32[3]; int64[1]={4}",                                           "",           "do not broadcast"                          },
        {"Tile",            13, "float32[3]; int64[2]={4,4}",                                         "",           "2 repeats for an input of 1"               },
        {"Pad",             13, "float32[3]; int64[2]={-2,-2}",                                       "",           "cuts more than axis 0 has (3)"             },
        {"Resize",          13, "float32[1,1,4,4]; -; float32[3]={1,2,2}",                            "",           "3 scales for 4 axes"                       },
        {"Resize",          13, "float32[1,1,4,4]",                                                   "",           "exactly one of scales and sizes"           },
        {"Cast",            13, "float32[3]",                                                         "",           "'to' is missing"                           },
        {"Cast",            13, "float32[3]",                                                         "to=99",      "99, which is no element type"              },
        {"ConstantOfShape", 9,  "int64[1]={-3}",                                                      "",           "size 0 of the shape is -3"                 },
    };
    CHECK_ERRORS(cases);
}

static void attention_heads_must_divide(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Attention",                            23, "float32[1,5,30]; float32[1,5,30]; float32[1,5,30]",    "q_num_heads=4 kv_num_heads=4",
         "a hidden size of 30 is not divisible by 4 heads" },
        {"Attention",                            23, "float32[1,6,5,8]; float32[1,4,5,8]; float32[1,4,5,8]", "",
         "6 query heads do not share 4 key heads evenly"   },
        {"Attention",                            23, "float32[1,4,5,8]; float32[1,4,5,6]; float32[1,4,5,8]", "",
         "heads of the query have 8 elements, of the key 6"},
        {"com.microsoft:MatMulNBits",            1,  "float32[2,60]; uint8[8,2,16]; float32[16]",            "K=64 N=8",
         "has 60 columns, the weight K = 64"               },
        {"com.microsoft:SkipLayerNormalization", 1,  "float32[1,2,8]; float32[1,2,8]; float32[6]",           "",
         "input has 8 features, gamma 6"                   },
    };
    CHECK_ERRORS(cases);
}

/* A disagreement with an assumed size is the assumption's fault: no error. */
static void assumed_sizes_never_refuse_a_file(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"NonZero", 13, "float32[2,3]",                  "", "*int64[2,6]"    },
        {"Range",   11, "int64[]; int64[]; int64[]={1}", "", "!int64[128]"    },
        {"Reshape", 14, "float32[2,6]; int64[2]",        "", "float32?"       },
        {"Expand",  13, "float32[3,1]; int64[2]",        "", "!float32[3,128]"},
    };
    CHECK_OUTPUTS(cases);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_must_fit),
        cmocka_unit_test(inner_and_common_dimensions_must_agree),
        cmocka_unit_test(axes_and_sizes_must_exist),
        cmocka_unit_test(attention_heads_must_divide),
        cmocka_unit_test(assumed_sizes_never_refuse_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
