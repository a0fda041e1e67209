/* Numbers known without running the network: what shape arithmetic needs. */
#include "infer_fixture.h"
#include "test_support.h"

static void shapes_become_numbers(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Shape",     13, "float32[2,3,4]",                                                                  "",               "int64[3]={2,3,4}"                },
        {"Shape",     15, "float32[2,3,4]",                                                                  "start=-2",       "int64[2]={3,4}"                  },
        {"Shape",     15, "float32[2,3,4]",                                                                  "start=1 end=-1", "int64[1]={3}"                    },
        {"Shape",     15, "float32[2,3,4]",                                                                  "start=9",        "int64[0]={}"                     },
        {"Size",      13, "float32[2,3,4]",                                                                  "",               "int64[]={24}"                    },
        {"Gather",    13, "int64[3]={2,3,4}; int64[]={-1}",                                                  "",               "int64[]={4}"                     },
        {"Gather",    13, "int64[2,2]={1,2,3,4}; int64[1]={1}",                                              "axis=1",         "int64[2,1]={2,4}"                },
        {"Slice",     13, "int64[4]={1,2,3,4}; int64[1]={-1}; int64[1]={-100}; int64[1]={0}; int64[1]={-2}", "",
         "int64[2]={4,2}"                                                                                                                                        },
        {"Concat",    13, "int64[1]={8}; int64[2]={-1,64}",                                                  "axis=0",         "int64[3]={8,-1,64}"              },
        {"Split",     18, "int64[5]={1,2,3,4,5}",                                                            "num_outputs=2",  "int64[3]={1,2,3}; int64[2]={4,5}"},
        {"Reshape",   14, "int64[4]={1,2,3,4}; int64[2]={2,-1}",                                             "",               "int64[2,2]={1,2,3,4}"            },
        {"Transpose", 13, "int64[2,2]={1,2,3,4}",                                                            "",               "int64[2,2]={1,3,2,4}"            },
        {"Expand",    13, "int64[2]={1,2}; int64[2]={2,1}",                                                  "",               "int64[2,2]={1,2,1,2}"            },
        {"Tile",      13, "int64[2]={1,2}; int64[1]={2}",                                                    "",               "int64[4]={1,2,1,2}"              },
        {"Range",     11, "int64[]={3}; int64[]={10}; int64[]={3}",                                          "",               "int64[3]={3,6,9}"                },
        {"Range",     11, "float32[]={1}; float32[]={0}; float32[]={-0.5}",                                  "",               "float32[2]={1,0.5}"              },
        {"Trilu",     14, "int64[2,2]={1,2,3,4}; int64[]={1}",                                               "",               "int64[2,2]={0,2,0,0}"            },
        {"Pad",       13, "int64[2]={1,2}; int64[2]={1,1}; int64[]={9}",                                     "",               "int64[4]={9,1,2,9}"              },
        {"Pad",       13, "int64[3]={1,2,3}; int64[2]={2,1}",                                                "mode=reflect",   "int64[6]={3,2,1,2,3,2}"          },
        {"OneHot",    11, "int64[2]={0,-1}; int64[]={3}; int64[2]={0,1}",                                    "",               "int64[2,3]={1,0,0,0,0,1}"        },
        {"EyeLike",   9,  "int64[2,3]",                                                                      "k=1",            "int64[2,3]={0,1,0,0,0,1}"        },
    };
    CHECK_OUTPUTS(cases);
}

static void arithmetic_follows_the_types(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"Div",        13, "int64[2]={-7,7}; int64[]={2}",                  "",                      "int64[2]={-3,3}"   },
        {"Div",        13, "int64[2]={7,8}; int64[2]={0,2}",                "",                      "int64[2]={?,4}"    },
        {"Mod",        13, "int64[2]={-7,7}; int64[]={3}",                  "",                      "int64[2]={2,1}"    },
        {"Mod",        13, "int64[2]={-7,7}; int64[]={3}",                  "fmod=1",                "int64[2]={-1,1}"   },
        {"Mul",        13, "int64[2]={4611686018427387904,2}; int64[]={2}", "",                      "int64[2]={?,4}"    },
        {"Add",        13, "int32[1]={2147483647}; int32[1]={1}",           "",                      "int32[1]"          },
        {"Pow",        13, "int64[2]={2,-3}; int64[]={3}",                  "",                      "int64[2]={8,-27}"  },
        {"Cast",       13, "float32[3]={2.9,-2.9,1e30}",                    "to=7",                  "int64[3]={2,-2,?}" },
        {"Cast",       13, "float32[2]={0.5,0}",                            "to=9",                  "bool[2]={1,0}"     },
        {"Floor",      13, "float32[2]={2.5,-2.5}",                         "",                      "float32[2]={2,-3}" },
        {"Round",      11, "float32[3]={0.5,1.5,2.5}",                      "",                      "float32[3]={0,2,2}"},
        {"Where",      16, "bool[2]={1,0}; int64[2]={1,2}; int64[]={9}",    "",                      "int64[2]={1,9}"    },
        {"Max",        13, "int64[2]={1,5}; int64[]={3}",                   "",                      "int64[2]={3,5}"    },
        {"Equal",      13, "int64[2]={1,5}; int64[]={5}",                   "",                      "bool[2]={0,1}"     },
        {"Not",        1,  "bool[2]={0,1}",                                 "",                      "bool[2]={1,0}"     },
        {"BitShift",   11, "uint8[2]={1,255}; uint8[]={1}",                 "direction=LEFT",        "uint8[2]={2,?}"    },
        {"ReduceProd", 18, "int64[3]={2,3,4}; int64[1]={0}",                "keepdims=0",            "int64[]={24}"      },
        {"ReduceMax",  18, "int64[2,2]={1,7,3,4}; int64[1]={1}",            "",                      "int64[2,1]={7,4}"  },
        {"ReduceMean", 18, "float32[4]={1,2,3,4}",                          "",                      "float32[1]={2.5}"  },
        {"CumSum",     14, "int64[3]={1,2,3}; int64[]={0}",                 "exclusive=1 reverse=1", "int64[3]={5,3,0}"  },
        {"ArgMax",     13, "int64[4]={1,9,9,2}",                            "keepdims=0",            "int64[]={1}"       },
    };
    CHECK_OUTPUTS(cases);
}

static void known_data_gives_exact_sizes(void **state) {
    (void)state;
    static const infer_case cases[] = {
        {"NonZero",           13, "int64[4]={1,0,5,0}",                             "",         "int64[1,2]={0,2}"                              },
        {"Compress",          11, "int64[4]={5,6,7,8}; bool[3]={1,0,1}",            "",         "int64[2]={5,7}"                                },
        {"Unique",            11, "int64[5]={3,1,3,2,1}",                           "",         "int64[3]={1,2,3}; int64[3]; int64[5]; int64[3]"},
        {"Unique",            11, "int64[5]={3,1,3,2,1}",                           "sorted=0", "int64[3]={3,1,2}; int64[3]; int64[5]; int64[3]"},
        {"TopK",              11, "int64[4]={1,9,4,9}; int64[1]={3}",               "",         "int64[3]={9,9,4}; int64[3]={1,3,2}"            },
        {"GatherND",          13, "int64[2,2]={1,2,3,4}; int64[2,2]={1,0,0,1}",     "",         "int64[2]={3,2}"                                },
        {"GatherElements",    13, "int64[2,2]={1,2,3,4}; int64[2,1]={1,0}",         "axis=1",   "int64[2,1]={2,3}"                              },
        {"ScatterND",         16, "int64[3]={1,2,3}; int64[1,1]={1}; int64[1]={9}", "",         "int64[3]={1,9,3}"                              },
        {"ScatterElements",   16, "int64[3]={1,2,3}; int64[1]={-1}; int64[1]={9}",  "",         "int64[3]={1,2,9}"                              },
        {"ConstantOfShape",   9,  "int64[1]={2}",                                   "",         "float32[2]={0,0}"                              },
        {"NonMaxSuppression", 11, "float32[1,6,4]; float32[1,2,6]; int64[1]={4}",   "",         "*int64[8,3]"                                   },
    };
    CHECK_OUTPUTS(cases);
}

static void sizes_beyond_any_memory_are_sizes(void **state) {
    (void)state;
    assert_string_equal(infer("Range", 11, "int64[]={0}; int64[]={4611686018427387904}; int64[]={1}", ""),
                        "int64[4611686018427387904]");
    assert_string_equal(infer("ConstantOfShape", 9, "int64[2]={1048576,1073741824}", ""),
                        "float32[1048576,1073741824]");
    assert_non_null(strstr(infer("Tile", 13, "float32[8,8]; int64[2]={1099511627776,1099511627776}", ""),
                           "more elements than a 64-bit number holds"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_become_numbers),
        cmocka_unit_test(arithmetic_follows_the_types),
        cmocka_unit_test(known_data_gives_exact_sizes),
        cmocka_unit_test(sizes_beyond_any_memory_are_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
