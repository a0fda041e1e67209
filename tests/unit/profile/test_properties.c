/* What must hold of a profile whatever the network: properties instead of samples. */
#include "test_support.h"

#include <stdbool.h>

#include "adept/graph.h"
#include "adept/profile.h"

static const char *const graphs[] = {"resnet50", "resnet50-train", "bert-base", "gpt2-small",
                                     "tinyllama-1.1b"};
static const char *const transformers[] = {"bert-base", "gpt2-small", "tinyllama-1.1b"};
#define COUNT(items) (sizeof(items) / sizeof(items)[0])

static const adept_run defaults = ADEPT_RUN_INIT;

typedef struct built {
    adept_graph *graph;
    adept_profile *profile;
    const adept_workload *w;
} built;

static built build_file(const char *path, const adept_run *run) {
    built b = {0};
    adept_error err = ADEPT_ERROR_INIT;
    assert_ok(adept_graph_load(&b.graph, path, &err), err);
    assert_ok(adept_profile_build(&b.profile, b.graph, run, &err), err);
    b.w = adept_profile_workload(b.profile);
    return b;
}

static built build(const char *name, const adept_run *run) {
    char path[4600];
    snprintf(path, sizeof path, "%s/data/graphs/%s.onnx", ADEPT_SOURCE_DIR, name);
    return build_file(path, run);
}

static void drop(built *b) {
    adept_profile_free(b->profile);
    adept_graph_free(b->graph);
}

static double matrix_flop(const adept_work *w) {
    return w->gemm_flop + w->conv_flop;
}

static double moved_B(const adept_work *w) {
    return w->read_B + w->write_B;
}

static bool is_nothing(const adept_work *w) {
    return matrix_flop(w) == 0 && w->alu_flop == 0 && moved_B(w) == 0 && w->kernels == 0;
}

/* --- batch --- */

static void twice_the_batch_is_twice_the_matrix_flop(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(graphs); i++) {
        adept_run one = defaults, two = defaults;
        one.batch = 3;
        two.batch = 6;
        built a = build(graphs[i], &one), b = build(graphs[i], &two);
        assert_true(matrix_flop(&a.w->forward) > 1e9);
        assert_close(matrix_flop(&b.w->forward), 2 * matrix_flop(&a.w->forward), 0);
        assert_close(matrix_flop(&b.w->backward), 2 * matrix_flop(&a.w->backward), 0);
        assert_true(b.w->forward.kernels == a.w->forward.kernels && b.w->parameters == a.w->parameters);
        drop(&a);
        drop(&b);
    }
}

static void saved_activations_grow_linearly_with_the_batch(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(graphs); i++) {
        double saved_B[3];
        for (int k = 0; k < 3; k++) {
            adept_run run = defaults;
            run.batch = 4 << k;
            built b = build(graphs[i], &run);
            saved_B[k] = b.w->memory.saved_activations_B;
            drop(&b);
        }
        assert_true(saved_B[1] > 1.5 * saved_B[0]);
        assert_close(saved_B[2] - saved_B[1], 2 * (saved_B[1] - saved_B[0]), 1e-12);
    }
}

/* --- gradients --- */

static void inference_has_no_backward_pass_and_keeps_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(graphs); i++) {
        adept_run run = defaults;
        run.mode = ADEPT_MODE_INFERENCE;
        built b = build(graphs[i], &run);
        assert_true(is_nothing(&b.w->backward) && is_nothing(&b.w->optimizer_work));
        assert_true(b.w->memory.saved_activations_B == 0 && b.w->memory.gradients_B == 0 &&
                    b.w->memory.optimizer_B == 0 && b.w->trainable_parameters == 0);
        drop(&b);
    }
}

static void freezing_everything_removes_the_backward_pass(void **state) {
    (void)state;
    static const char *const all[] = {"*"};
    for (size_t i = 0; i < COUNT(graphs); i++) {
        adept_run run = defaults;
        run.freeze = all;
        run.freeze_count = 1;
        built b = build(graphs[i], &run), full = build(graphs[i], &defaults);
        assert_true(is_nothing(&b.w->backward) && is_nothing(&b.w->optimizer_work));
        assert_true(b.w->trainable_parameters == 0 && b.w->memory.gradients_B == 0);
        assert_true(b.w->parameters == full.w->parameters);
        assert_close(matrix_flop(&b.w->forward), matrix_flop(&full.w->forward), 0);
        drop(&b);
        drop(&full);
    }
}

/* The n-th operator of a type that does matrix work. */
static const adept_operator *nth(const built *b, const char *op_type, int n) {
    for (size_t i = 0; i < adept_profile_operator_count(b->profile); i++) {
        const adept_operator *op = adept_profile_operator(b->profile, i);
        if (strcmp(op->op_type, op_type) == 0 && matrix_flop(&op->forward) > 0 && n-- == 0)
            return op;
    }
    fail_msg("no such %s", op_type);
    return NULL;
}

static void first_convolution_has_no_data_gradient(void **state) {
    (void)state;
    built b = build("resnet50-train", &defaults);
    const adept_operator *first = nth(&b, "Conv", 0), *second = nth(&b, "Conv", 1);
    assert_close(first->backward.conv_flop, first->forward.conv_flop, 0);
    assert_close(second->backward.conv_flop, 2 * second->forward.conv_flop, 0);
    drop(&b);
}

static void frozen_layer_has_no_weight_gradient_but_passes_the_data_gradient_on(void **state) {
    (void)state;
    static const char *const one[] = {"layer4.0.branch.conv1.weight"}, *const stem[] = {"conv1.*", "bn1.*",
                                                                                        "layer1.*"};
    adept_run run = defaults;
    run.freeze = one;
    run.freeze_count = 1;
    built full = build("resnet50-train", &defaults), b = build("resnet50-train", &run);
    double weights = 1024 * 512;
    assert_true(full.w->trainable_parameters - b.w->trainable_parameters == weights);
    /* 1x1 convolution on 14 x 14: 2 * pixels * C_in * C_out FLOP less */
    assert_close(full.w->backward.conv_flop - b.w->backward.conv_flop, 2.0 * 14 * 14 * weights, 0);
    drop(&b);
    run.freeze = stem;
    run.freeze_count = 3;
    b = build("resnet50-train", &run);
    for (int n = 0; n < 11;
         n++) /* stem and three blocks of layer1 with its shortcut: nothing upstream trains */
        assert_true(nth(&b, "Conv", n)->backward.conv_flop == 0);
    const adept_operator *next = nth(&b, "Conv", 11);
    assert_close(next->backward.conv_flop, next->forward.conv_flop, 0);
    drop(&b);
    drop(&full);
}

/* --- accumulation, optimizers, precision --- */

static void accumulation_repeats_the_pass_but_not_the_optimizer(void **state) {
    (void)state;
    adept_run run = defaults;
    run.grad_accum = 4;
    built one = build("bert-base", &defaults), four = build("bert-base", &run);
    assert_true(four.w->grad_accum == 4);
    assert_close(matrix_flop(&four.w->backward), matrix_flop(&one.w->backward), 0);
    assert_close(moved_B(&four.w->optimizer_work), moved_B(&one.w->optimizer_work), 0);
    assert_close(four.w->memory.peak_B, one.w->memory.peak_B, 0);
    drop(&one);
    drop(&four);
}

typedef struct optimizer_case {
    adept_optimizer optimizer;
    double state_B, read_B, write_B, flop; /* per parameter, all in FP32; NaN: not stated */
} optimizer_case;

/* theta, m, v and the gradient are read, theta, m, v written; design of each update rule. */
static void optimizers_keep_and_move_what_their_rule_says(void **state) {
    (void)state;
    static const optimizer_case cases[] = {
        {ADEPT_OPTIMIZER_NONE,         0, 0,  0,  0 },
        {ADEPT_OPTIMIZER_SGD,          0, 8,  4,  2 },
        {ADEPT_OPTIMIZER_SGD_MOMENTUM, 4, 12, 8,  4 },
        {ADEPT_OPTIMIZER_ADAM,         8, 16, 12, 18},
        {ADEPT_OPTIMIZER_ADAMW,        8, 16, 12, 18},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        adept_run run = defaults;
        run.optimizer = cases[i].optimizer;
        built b = build("bert-base", &run);
        double n = b.w->trainable_parameters;
        assert_close(b.w->memory.optimizer_B, cases[i].state_B * n, 1e-6);
        assert_close(b.w->optimizer_work.read_B, cases[i].read_B * n, 1e-6);
        assert_close(b.w->optimizer_work.write_B, cases[i].write_B * n, 1e-6);
        assert_close(b.w->optimizer_work.alu_flop, cases[i].flop * n, 1e-6);
        drop(&b);
    }
}

static void fewer_kernels_the_more_the_optimizer_fuses(void **state) {
    (void)state;
    static const adept_optimizer_impl forms[] = {ADEPT_IMPL_FOR_LOOP, ADEPT_IMPL_FOREACH, ADEPT_IMPL_FUSED};
    double kernels[3], moved[3];
    for (int i = 0; i < 3; i++) {
        adept_run run = defaults;
        run.optimizer_impl = forms[i];
        built b = build("bert-base", &run);
        kernels[i] = b.w->optimizer_work.kernels;
        moved[i] = moved_B(&b.w->optimizer_work);
        drop(&b);
    }
    assert_true(kernels[0] > kernels[1] && kernels[1] > kernels[2] && kernels[2] >= 1);
    assert_true(moved[0] >= moved[1] && moved[1] >= moved[2]);
}

static void sixteen_bits_move_half_the_bytes(void **state) {
    (void)state;
    static const adept_precision halves[] = {ADEPT_PRECISION_FP16, ADEPT_PRECISION_BF16};
    for (size_t i = 0; i < 2; i++) { /* Llama's own source widens softmax to FP32 */
        built full = build(transformers[i], &defaults);
        for (size_t h = 0; h < 2; h++) {
            adept_run run = defaults;
            run.precision = halves[h];
            built b = build(transformers[i], &run);
            assert_close(matrix_flop(&b.w->forward), matrix_flop(&full.w->forward), 0);
            /* indices and masks keep their type */
            assert_close(moved_B(&b.w->forward), moved_B(&full.w->forward) / 2, 1e-3);
            assert_close(b.w->memory.gradients_B, full.w->memory.gradients_B / 2, 1e-6);
            drop(&b);
        }
        drop(&full);
    }
}

static void autocast_keeps_master_weights_and_pays_for_casts(void **state) {
    (void)state;
    adept_run amp = defaults;
    amp.precision = ADEPT_PRECISION_BF16_AMP;
    for (size_t i = 0; i < COUNT(graphs); i++) {
        built full = build(graphs[i], &defaults), b = build(graphs[i], &amp);
        assert_true(b.w->forward.kernels > full.w->forward.kernels);
        assert_close(matrix_flop(&b.w->forward), matrix_flop(&full.w->forward), 0);
        assert_close(b.w->memory.gradients_B, full.w->memory.gradients_B, 1e-6);
        assert_close(b.w->memory.optimizer_B, full.w->memory.optimizer_B, 1e-6);
        drop(&full);
        drop(&b);
    }
}

/* --- fused attention, compiled networks --- */

static void fused_attention_moves_and_keeps_less_and_computes_the_same(void **state) {
    (void)state;
    adept_run eager = defaults, flash = defaults;
    eager.seq = flash.seq = 512;
    flash.attention = ADEPT_ATTENTION_FLASH;
    for (size_t i = 0; i < COUNT(transformers); i++) {
        built a = build(transformers[i], &eager), b = build(transformers[i], &flash);
        assert_close(b.w->forward.gemm_flop, a.w->forward.gemm_flop, 0);
        assert_true(b.w->backward.gemm_flop > a.w->backward.gemm_flop); /* the scores once more */
        assert_true(moved_B(&b.w->forward) < moved_B(&a.w->forward));
        assert_true(moved_B(&b.w->backward) < moved_B(&a.w->backward));
        assert_true(b.w->forward.kernels < a.w->forward.kernels &&
                    b.w->backward.kernels < a.w->backward.kernels);
        assert_true(b.w->memory.saved_activations_B < a.w->memory.saved_activations_B);
        assert_true(b.w->parameters == a.w->parameters);
        drop(&a);
        drop(&b);
    }
}

/* Its kernels take strides: of a layer's transposes of heads none is left (scaled_dot_product_attention). */
static void fused_attention_takes_heads_as_views(void **state) {
    (void)state;
    adept_run run = defaults;
    for (int flash = 0; flash < 2; flash++) {
        run.attention = flash ? ADEPT_ATTENTION_FLASH : ADEPT_ATTENTION_EAGER;
        built b = build("bert-base", &run);
        double copies = 0;
        for (size_t i = 0; i < b.w->launch_count; i++) {
            const adept_kernel *k = &b.w->kernels[b.w->launches[i].kernel];
            copies +=
                k->kind == ADEPT_KERNEL_COPY && k->pass == ADEPT_PASS_FORWARD ? b.w->launches[i].count : 0;
        }
        assert_close(copies, flash ? 0 : 4 * 12, 0);
        drop(&b);
    }
}

static void compiled_networks_move_less_in_fewer_kernels(void **state) {
    (void)state;
    adept_run compiled = defaults;
    compiled.fusion = ADEPT_FUSION_COMPILED;
    for (size_t i = 0; i < COUNT(graphs); i++) {
        built a = build(graphs[i], &defaults), b = build(graphs[i], &compiled);
        assert_close(matrix_flop(&b.w->forward), matrix_flop(&a.w->forward), 0);
        assert_close(matrix_flop(&b.w->backward), matrix_flop(&a.w->backward), 0);
        assert_true(moved_B(&b.w->forward) < moved_B(&a.w->forward));
        assert_true(b.w->forward.kernels < a.w->forward.kernels);
        assert_true(b.w->backward.kernels <= a.w->backward.kernels);
        drop(&a);
        drop(&b);
    }
}

/* cuDNN has batch normalisation with addition and activation for 16-bit channels-last storage only. */
static void compiled_batch_normalisation_takes_its_activation_along_in_16_bits_channels_last(void **state) {
    (void)state;
    adept_run run = defaults;
    run.fusion = ADEPT_FUSION_COMPILED;
    for (int amp = 0; amp < 2; amp++) {
        run.precision = amp ? ADEPT_PRECISION_FP16_AMP : ADEPT_PRECISION_TF32;
        run.layout = ADEPT_LAYOUT_NCHW;
        built first = build("resnet50-train", &run);
        run.layout = ADEPT_LAYOUT_NHWC;
        built last = build("resnet50-train", &run);
        double saved_B = moved_B(&first.w->forward) - moved_B(&last.w->forward);
        /* 49 activations of 9.4 million elements a sample stand behind a normalisation: one read, one write.
         */
        double activations_B = 2 * 2 * 9.4e6 * first.w->samples;
        if (amp)
            assert_true(saved_B > activations_B && saved_B < 2 * activations_B);
        else
            assert_close(saved_B, 0, 0);
        drop(&first);
        drop(&last);
    }
}

/* A graph rewritten for mixed precision converts FP32 weights at each use, in a few kernels. */
static void rewritten_graphs_convert_their_weights_without_launches_of_their_own(void **state) {
    (void)state;
    adept_run run = defaults;
    run.mode = ADEPT_MODE_INFERENCE;
    run.fusion = ADEPT_FUSION_COMPILED;
    run.framework = "tensorflow";
    run.precision = ADEPT_PRECISION_FP16;
    built pure = build("bert-base", &run);
    run.precision = ADEPT_PRECISION_FP16_AMP;
    built mixed = build("bert-base", &run);
    /* 85 million weights of 12 layers in products, 4 bytes read and 2 written; and the embeddings' rows. */
    double converted_B = 6 * 85e6;
    double more_B = moved_B(&mixed.w->forward) - moved_B(&pure.w->forward);
    assert_true(more_B > converted_B && more_B < 1.1 * converted_B);
    assert_close(mixed.w->forward.kernels, pure.w->forward.kernels, 0);
    drop(&pure);
    drop(&mixed);
}

/* --- sharing --- */

static void passes_of_albert_share_their_weights(void **state) {
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    char path[4600];
    snprintf(path, sizeof path, "%s/graphs/albert-base-v2-train.onnx", shared);
    built b = build_file(path, &defaults);
    /* 16 tensors of the one layer, used by 12 passes; 12 others, the word embedding tied to the head. */
    assert_close(b.w->weight_sharing, (16.0 * 12 + 12 + 1) / (16 + 12), 1e-12);
    drop(&b);
    b = build("resnet50-train", &defaults);
    assert_close(b.w->weight_sharing, 1, 0);
    drop(&b);
}

static void wrong_bindings_are_refused_with_the_symbols_there_are(void **state) {
    (void)state;
    const adept_dim_binding wings = {"wings", 2};
    adept_run run = defaults;
    run.dims = &wings;
    run.dim_count = 1;
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    assert_ok(adept_graph_load(&graph, ADEPT_SOURCE_DIR "/data/graphs/bert-base.onnx", &err), err);
    assert_int_equal(adept_profile_build(&profile, graph, &run, &err), ADEPT_ARGUMENT);
    assert_null(profile);
    assert_non_null(strstr(err.message, "wings"));
    assert_non_null(strstr(err.message, "batch"));
    adept_graph_free(graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_the_batch_is_twice_the_matrix_flop),
        cmocka_unit_test(saved_activations_grow_linearly_with_the_batch),
        cmocka_unit_test(inference_has_no_backward_pass_and_keeps_nothing),
        cmocka_unit_test(freezing_everything_removes_the_backward_pass),
        cmocka_unit_test(first_convolution_has_no_data_gradient),
        cmocka_unit_test(frozen_layer_has_no_weight_gradient_but_passes_the_data_gradient_on),
        cmocka_unit_test(accumulation_repeats_the_pass_but_not_the_optimizer),
        cmocka_unit_test(optimizers_keep_and_move_what_their_rule_says),
        cmocka_unit_test(fewer_kernels_the_more_the_optimizer_fuses),
        cmocka_unit_test(sixteen_bits_move_half_the_bytes),
        cmocka_unit_test(autocast_keeps_master_weights_and_pays_for_casts),
        cmocka_unit_test(fused_attention_moves_and_keeps_less_and_computes_the_same),
        cmocka_unit_test(fused_attention_takes_heads_as_views),
        cmocka_unit_test(compiled_networks_move_less_in_fewer_kernels),
        cmocka_unit_test(compiled_batch_normalisation_takes_its_activation_along_in_16_bits_channels_last),
        cmocka_unit_test(rewritten_graphs_convert_their_weights_without_launches_of_their_own),
        cmocka_unit_test(passes_of_albert_share_their_weights),
        cmocka_unit_test(wrong_bindings_are_refused_with_the_symbols_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
