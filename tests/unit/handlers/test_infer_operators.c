/* Output shapes of operators that no stored case covers: onnxruntime's, and attributes in rare combinations.
 */
#include "infer_fixture.h"
#include "test_support.h"

static void attention_of_onnxruntime(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"com.microsoft:Attention",                1, "float32[2,7,64]; float32[64,192]; float32[192]",                  "num_heads=4",
         "float32[2,7,64]; float32[2,2,4,7,16]"                                                                                                                                                                 },
        {"com.microsoft:Attention",                1,
         "float32[2,1,64]; float32[64,192]; float32[192]; -; float32[2,2,4,9,16]",                                       "num_heads=4",
         "float32[2,1,64]; float32[2,2,4,10,16]"                                                                                                                                                                },
        {"com.microsoft:Attention",                1, "float32[2,7,64]; float32[64,160]",
         "num_heads=4 qkv_hidden_sizes=[64,64,32]",                                                                                                    "float32[2,7,32]"                                        },
        {"com.microsoft:QAttention",               1, "uint8[2,7,64]; int8[64,192]; float32[192]; float32[]; float32[]",
         "num_heads=4",                                                                                                                                "float32[2,7,64]"                                        },
        {"com.microsoft:MultiHeadAttention",       1,
         "float16[2,1,64]; float16[2,1,64]; float16[2,1,96]; -; -; -; float16[2,4,9,16]; float16[2,4,9,24]",             "num_heads=4",                "float16[2,1,96]; float16[2,4,10,16]; float16[2,4,10,24]"},
        {"com.microsoft:MultiHeadAttention",       1, "float16[2,7,4,3,16]",                                             "num_heads=4",                "float16[2,7,64]"                                        },
        {"com.microsoft:MultiHeadAttention",       1, "float16[2,7,64]; float16[2,4,9,16]; float16[2,4,9,16]",
         "num_heads=4",                                                                                                                                "float16[2,7,64]"                                        },
        {"com.microsoft:GroupQueryAttention",      1,
         "float16[2,1,64]; float16[2,1,16]; float16[2,1,16]; float16[2,2,9,8]; float16[2,2,9,8]; int32[2]; "
         "int32[]={10}",                                                                                                 "num_heads=8 kv_num_heads=2", "float16[2,1,64]; float16[2,2,10,8]; float16[2,2,10,8]"  },
        {"com.microsoft:GroupQueryAttention",      1, "float16[2,5,96]; -; -; -; -; int32[2]; int32[]",
         "num_heads=8 kv_num_heads=2",                                                                                                                 "float16[2,5,64]; float16[2,2,5,8]; float16[2,2,5,8]"    },
        {"com.microsoft:PackedAttention",          1,
         "float16[11,64]; float16[64,192]; float16[192]; int32[2,7]; int32[3]",                                          "num_heads=4",
         "float16[11,64]"                                                                                                                                                                                       },
        {"com.microsoft:PackedMultiHeadAttention", 1, "float16[11,4,3,16]; -; -; -; int32[2,7]; int32[3]",
         "num_heads=4",                                                                                                                                "float16[11,64]"                                         },
        {"com.microsoft:RelativePositionBias",     1, "float32[32,8]; int64[1]={5}; int64[1]={6}",
         "max_distance=128",                                                                                                                           "float32[1,8,5,6]"                                       },
    };
    CHECK_OUTPUTS(cases);
}

static void fused_operators_of_onnxruntime(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"com.microsoft:SkipLayerNormalization",   1, "float16[2,7,64]; float16[2,7,64]; float16[64]",                "",
         "float16[2,7,64]; float32[2,7,1]; float32[2,7,1]; float16[2,7,64]"                                                                                                             },
        {"com.microsoft:EmbedLayerNormalization",  1,
         "int32[2,7]; -; float32[100,64]; float32[16,64]; -; float32[64]; float32[64]",                               "",
         "float32[2,7,64]; int32[2]"                                                                                                                                                    },
        {"SimplifiedLayerNormalization",           1, "float32[2,7,64]; float32[64]",                                 "",
         "float32[2,7,64]; float32[2,7,1]"                                                                                                                                              },
        {"com.microsoft:MatMulNBits",              1, "float16[2,7,64]; uint8[96,2,16]; float16[192]",
         "K=64 N=96 bits=4 block_size=32",                                                                                                                     "float16[2,7,96]"        },
        {"com.microsoft:FusedMatMul",              1, "float32[5,3,2]; float32[5,3,4]",                               "transA=1",                              "float32[5,2,4]"         },
        {"com.microsoft:FusedMatMul",              1, "float32[2,3]; float32[4,3]",                                   "transB=1 alpha=0.5",                    "float32[2,4]"           },
        {"com.microsoft:DynamicQuantizeMatMul",    1, "float32[2,3]; int8[3,4]; float32[]",                           "",                                      "float32[2,4]"           },
        {"com.microsoft:MatMulIntegerToFloat",     1, "uint8[2,3]; int8[3,4]; float16[]; float16[]",                  "",
         "float16[2,4]"                                                                                                                                                                 },
        {"com.microsoft:QGemm",                    1, "uint8[2,3]; float32[]; uint8[]; int8[4,3]; float32[]; int8[]", "transB=1",
         "float32[2,4]"                                                                                                                                                                 },
        {"com.microsoft:QGemm",                    1,
         "uint8[2,3]; float32[]; uint8[]; int8[3,4]; float32[]; int8[]; int32[4]; float32[]; uint8[]",                "",
         "uint8[2,4]"                                                                                                                                                                   },
        {"com.microsoft:QLinearAdd",               1,
         "uint8[2,3]; float32[]; uint8[]; uint8[3]; float32[]; uint8[]; float32[]; uint8[]",                          "",
         "uint8[2,3]"                                                                                                                                                                   },
        {"com.microsoft:QLinearConcat",            1,
         "float32[]; uint8[]; uint8[2,3]; float32[]; uint8[]; uint8[2,5]; float32[]; uint8[]",                        "axis=1",
         "uint8[2,8]"                                                                                                                                                                   },
        {"com.microsoft:QLinearGlobalAveragePool", 1,
         "uint8[2,7,7,3]; float32[]; uint8[]; float32[]; uint8[]",                                                    "channels_last=1",                       "uint8[2,1,1,3]"         },
        {"com.microsoft:NhwcConv",                 1, "float32[1,8,8,3]; float32[4,3,3,3]",                           "pads=[1,1,1,1]",
         "float32[1,8,8,4]"                                                                                                                                                             },
        {"com.microsoft:NhwcMaxPool",              1, "uint8[1,8,8,3]",                                               "kernel_shape=[2,2] strides=[2,2]",
         "uint8[1,4,4,3]"                                                                                                                                                               },
        {"com.microsoft.nchwc:Conv",               1, "float32[1,3,8,8]; float32[16,3,3,3]",                          "strides=[2,2] pads=[1,1,1,1]",
         "float32[1,16,4,4]"                                                                                                                                                            },
        {"com.microsoft.nchwc:ReorderOutput",      1, "float32[1,16,4,4]",                                            "channels=10",                           "float32[1,10,4,4]"      },
        {"com.microsoft:BitmaskDropout",           1, "float32[5,7]",                                                 "",                                      "float32[5,7]; uint32[2]"},
        {"com.microsoft:BiasSplitGelu",            1, "float32[2,3,8]; float32[8]",                                   "",                                      "float32[2,3,4]"         },
        {"com.microsoft:RemovePadding",            1, "float32[2,7,64]; int32[2]",                                    "",
         "*float32[14,64]; int32[2,7]; int32[3]; int32[1]"                                                                                                                              },
        {"com.microsoft:GatherBlockQuantized",     1, "uint8[100,32]; int64[2,7]; float32[100,4]",
         "gather_axis=0 quantize_axis=1 block_size=16",                                                                                                        "float32[2,7,64]"        },
        {"com.microsoft:Rfft",                     1, "float32[2,16]",                                                "normalized=0 onesided=1 signal_ndim=1", "float32[2,9,2]"         },
        {"com.microsoft:Irfft",                    1, "float32[2,9,2]",                                               "normalized=0 onesided=1 signal_ndim=1",
         "float32[2,16]"                                                                                                                                                                },
    };
    CHECK_OUTPUTS(cases);
}

static void newest_operators_of_onnxruntime(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"com.microsoft:GatedDeltaNet",                 1, "float16[11,4,16]; float16[11,4,16]; float16[11,8,24]; int32[3]",
         "",                                                                                                                                               "float16[11,8,24]; float32[2,8,24,16]"               },
        {"com.microsoft:LinearAttention",               1, "float32[2,5,32]; float32[2,5,16]; float32[2,5,24]",
         "q_num_heads=4 kv_num_heads=2 state_window=3",                                                                                                    "float32[2,5,48]; float32[3,2,2,8,12]"               },
        {"com.microsoft:CausalConvWithState",           1, "float32[2,9,6]; float32[6,1,4]",
         "channels_last=1 dilation=2",                                                                                                                     "float32[2,9,6]; float32[2,6,6]"                     },
        {"com.microsoft:CausalConvWithState",           1, "float32[2,6,9]; float32[6,1,4]",                                 "state_window=5",
         "float32[2,6,9]; float32[5,2,6,3]"                                                                                                                                                                     },
        {"com.microsoft:MatMulBlockQuantizedFp4Weight", 1,
         "float16[2,7,64]; uint8[96,32]; uint8[96,4]; float32[]",                                                            "",                           "float16[2,7,96]"                                    },
        {"com.microsoft:MatMulInteger16",               1, "uint16[2,3]; uint16[3,4]",                                       "",                           "uint32[2,4]"                                        },
        {"com.microsoft:NGramHashMapping",              1, "int64[2,7]; int64[3]; int64[8]",
         "max_ngram_size=3 n_head_per_ngram=4 pad_id=0",                                                                                                   "int64[2,7,8]; int64[2,2]"                           },
        {"com.microsoft:PagedAttention",                1,
         "float16[9,64]; float16[9,16]; float16[9,16]; float16[5,16,2,8]; float16[5,16,2,8]; int32[3]; "
         "int32[2]; int32[2,4]",                                                                                             "num_heads=8 kv_num_heads=2", "float16[9,64]; float16[5,16,2,8]; float16[5,16,2,8]"},
    };
    CHECK_OUTPUTS(cases);
}

static void windows_round_by_their_attributes(void **state) {
    (void)state;
    static const infer_case cases[] = {
  /* (7 + 1 - 2) / 3 + 1 = 3 windows rounded down and up; the fourth would start in the right padding */
        {"MaxPool",       12, "float32[1,1,7]",                                                                   "kernel_shape=[2] strides=[3] pads=[0,1] ceil_mode=1",
         "float32[1,1,3]; int64[1,1,3]"                                                                                                                                                      },
        {"AveragePool",   19, "float32[1,1,8]",                                                                   "kernel_shape=[3] strides=[2] ceil_mode=1",            "float32[1,1,4]"    },
        {"AveragePool",   19, "float32[1,1,8]",                                                                   "kernel_shape=[3] strides=[2]",                        "float32[1,1,3]"    },
        {"AveragePool",   19, "float32[1,1,5]",                                                                   "kernel_shape=[1] strides=[4] pads=[0,3] ceil_mode=1",
         "float32[1,1,2]"                                                                                                                                                                    },
        {"Conv",          11, "float32[1,1,7,7]; float32[1,1,3,3]",                                               "auto_pad=SAME_UPPER strides=[2,2]",
         "float32[1,1,4,4]"                                                                                                                                                                  },
        {"Conv",          11, "float32[1,1,7,7]; float32[1,1,3,3]",                                               "auto_pad=VALID dilations=[2,2]",
         "float32[1,1,3,3]"                                                                                                                                                                  },
        {"ConvTranspose", 11, "float32[1,4,5,5]; float32[4,3,3,3]",
         "strides=[2,2] pads=[1,1,1,1] output_padding=[1,1] group=2",                                                                                                    "float32[1,6,10,10]"},
        {"ConvTranspose", 11, "float32[1,4,5,5]; float32[4,3,3,3]",                                               "strides=[2,2] output_shape=[12,11]",
         "float32[1,3,12,11]"                                                                                                                                                                },
        {"MaxUnpool",     11, "float32[1,1,2,2]; int64[1,1,2,2]",                                                 "kernel_shape=[2,2] strides=[2,2]",
         "float32[1,1,4,4]"                                                                                                                                                                  },
        {"Resize",        18, "float32[1,1,20,30]; -; -; int64[2]={10,10}",
         "axes=[2,3] keep_aspect_ratio_policy=not_larger",                                                                                                               "float32[1,1,7,10]" },
        {"Resize",        18, "float32[1,1,20,30]; -; -; int64[2]={10,10}",
         "axes=[2,3] keep_aspect_ratio_policy=not_smaller",                                                                                                              "float32[1,1,10,15]"},
        {"Resize",        13, "float32[1,1,4,4]; float32[8]={0,0,0.25,0.25,1,1,0.75,0.75}; float32[4]={1,1,2,2}",
         "coordinate_transformation_mode=tf_crop_and_resize",                                                                                                            "float32[1,1,4,4]"  },
        {"Col2Im",        18, "float32[1,15,8]; int64[2]={5,5}; int64[2]={1,5}",                                  "",                                                    "float32[1,3,5,5]"  },
    };
    CHECK_OUTPUTS(cases);
}

static void equations_and_spectra(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Einsum",          12, "float32[2,3,4]; float32[2,4,5]",                                  "equation=bij,bjk->bik",    "float32[2,3,5]"   },
        {"Einsum",          12, "float32[7,2,3]; float32[3,5]",                                    "equation=...ij,jk->...ik", "float32[7,2,5]"   },
        {"Einsum",          12, "float32[2,3]; float32[3,4]",                                      "equation=ij,jk",           "float32[2,4]"     },
        {"Einsum",          12, "float32[3,3]",                                                    "equation=ii->i",           "float32[3]"       },
        {"Einsum",          12, "float32[2,3]",                                                    "equation=ij->",            "float32[]"        },
        {"DFT",             20, "float32[2,5,2]; -; int64[]={1}",                                  "onesided=1 inverse=1",     "float32[2,8,1]"   },
        {"DFT",             20, "float32[2,9,1]; int64[]={16}",                                    "",                         "float32[2,16,2]"  },
        {"STFT",            17, "float32[1,128,1]; int64[]={8}; float32[16]",                      "",                         "float32[1,15,9,2]"},
        {"HannWindow",      17, "int64[]={10}",                                                    "output_datatype=11",       "float64[10]"      },
        {"MelWeightMatrix", 17, "int64[]={8}; int64[]={16}; int64[]={8192}; float32[]; float32[]", "",
         "float32[9,8]"                                                                                                                           },
    };
    CHECK_OUTPUTS(cases);
}

static void newest_operators(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Attention",                        23,
         "float16[2,5,32]; float16[2,5,16]; float16[2,5,24]; -; float16[2,2,3,8]; float16[2,2,3,12]", "q_num_heads=4 kv_num_heads=2",
         "float16[2,5,48]; float16[2,2,8,8]; float16[2,2,8,12]; float16[2,4,5,8]"                                                                                         },
        {"RMSNormalization",                 23, "float16[2,8]; float16[8]",                          "",                             "float16[2,8]"                      },
        {"TensorScatter",                    24, "float16[2,4,9,8]; float16[2,4,1,8]; int64[2]",      "",                             "float16[2,4,9,8]"                  },
        {"BitCast",                          26, "float32[3]",                                        "to=6",                         "int32[3]"                          },
        {"LinearAttention",                  27, "float32[2,5,32]; float32[2,5,16]; float32[2,5,24]",
         "q_num_heads=4 kv_num_heads=2",                                                                                              "float32[2,5,48]; float32[2,2,8,12]"},
        {"CausalConvWithState",              27, "float32[2,6,9]; float32[6,1,4]",                    "",                             "float32[2,6,9]; float32[2,6,3]"    },
        {"ai.onnx.ml:TreeEnsembleRegressor", 3,  "float32[5,4]",                                      "n_targets=2",                  "float32[5,2]"                      },
    };
    CHECK_OUTPUTS(cases);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_of_onnxruntime),
        cmocka_unit_test(fused_operators_of_onnxruntime),
        cmocka_unit_test(newest_operators_of_onnxruntime),
        cmocka_unit_test(windows_round_by_their_attributes),
        cmocka_unit_test(equations_and_spectra),
        cmocka_unit_test(newest_operators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
