/*
 * An export for inference, restored, is the training step: graphs that were exported both ways agree in
 * parameters, matrix FLOP, saved activations, kernels and bytes. What still differs stands in the table with
 * its reason, and is checked to differ (so that a row goes when its reason does).
 */
#include "test_support.h"

#include <stdbool.h>

#include "adept/graph.h"
#include "adept/profile.h"

/* What a twin may differ in. */
enum { PARAMETERS = 1, SAVED = 2, TRAFFIC = 4 };

typedef struct twins {
    const char *train, *inference;
    double dropout; /* that the training export has; 0: none */
    int differs;
    const char *reason;
} twins;

#define TIED "TorchScript stores a tied weight twice, the second one transposed"
#define DEPTH "stochastic depth leaves no trace in the inference export (and the classifier's dropout none)"

static const twins table[] = {
    {"resnet50-train",                "resnet50",                0,   0,                            NULL                 },
    {"resnet50-train",                "resnet50-ts",             0,   0,                            NULL                 },
    {"resnet50-train-ts",             "resnet50-ts",             0,   0,                            NULL                 },
    {"resnet18-train",                "resnet18",                0,   0,                            NULL                 },
    {"se-resnext101-32x4d-train",     "se-resnext101-32x4d",     0,   0,                            NULL                 },
    {"vgg16-train",                   "vgg16",                   0.5, 0,                            NULL                 },
    {"vit-b-16-train",                "vit-b-16",                0,   0,                            NULL                 },
    {"vit-b-16-train",                "vit-b-16-ts",             0,   0,                            NULL                 },
    {"albert-base-v2-train",          "albert-base-v2",          0,   0,                            NULL                 },
    {"albert-base-v2-train",          "albert-base-v2-ts",       0,   PARAMETERS | TRAFFIC,         TIED                 },
    {"bert-base-qa-train",            "bert-base-qa",            0.1, 0,                            NULL                 },
    {"bert-base-qa-train",            "bert-base-qa-ts",         0.1, 0,                            NULL                 },
    {"bert-base-qa-train",            "bert-base-qa",            0,   SAVED | TRAFFIC,
     "dropout leaves no trace in the inference export"                                                                   },
    {"distilbert-base-train",         "distilbert-base",         0.1, SAVED | TRAFFIC,
     "DistilBERT does not drop behind attention's output layer, --dropout does"                                          },
    {"distilbert-base-train",         "distilbert-base-ts",      0.1, PARAMETERS | SAVED | TRAFFIC, TIED ", and as above"},
    {"efficientnet-b0-train",         "efficientnet-b0",         0,   SAVED | TRAFFIC,              DEPTH                },
    {"efficientnet-b0-train-ts",      "efficientnet-b0",         0,   SAVED | TRAFFIC,              DEPTH                },
    {"efficientnet-v2-s-train",       "efficientnet-v2-s",       0,   SAVED | TRAFFIC,              DEPTH                },
    {"shufflenetv2-1.0x-cifar-train", "shufflenetv2-1.0x-cifar", 0,   TRAFFIC,
     "TorchScript writes chunk() as two Slice, whose gradients are copied into zeros one by one"                         },
};

enum { BATCH = 8 };

/* Bytes of scalars and of a mean written as ReduceMean are all that remains elsewhere. */
#define BYTES_TOLERANCE 1e-4

static adept_workload profile_of(const char *folder, const char *name, double dropout) {
    char path[4600];
    snprintf(path, sizeof path, "%s/graphs/%s.onnx", folder, name);
    adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    run.batch = BATCH;
    if (dropout > 0)
        run.dropout = dropout;
    assert_ok(adept_graph_load(&graph, path, &err), err);
    assert_ok(adept_profile_build(&profile, graph, &run, &err), err);
    adept_workload w = *adept_profile_workload(profile);
    adept_profile_free(profile);
    adept_graph_free(graph);
    return w;
}

static bool close_to(double a, double b, double relative) {
    return fabs(a - b) <= relative * fmax(fabs(a), fabs(b));
}

static bool same_traffic(const adept_work *a, const adept_work *b) {
    return a->kernels == b->kernels && close_to(a->read_B, b->read_B, BYTES_TOLERANCE) &&
           close_to(a->write_B, b->write_B, BYTES_TOLERANCE);
}

static int differences(const adept_workload *a, const adept_workload *b) {
    int found = 0;
    if (a->parameters != b->parameters || a->trainable_parameters != b->trainable_parameters ||
        !close_to(a->memory.parameters_B, b->memory.parameters_B, BYTES_TOLERANCE))
        found |= PARAMETERS;
    if (a->memory.saved_activations_B != b->memory.saved_activations_B)
        found |= SAVED;
    if (!same_traffic(&a->forward, &b->forward) || !same_traffic(&a->backward, &b->backward))
        found |= TRAFFIC;
    return found;
}

static void restored_inference_export_is_the_training_step(void **state) {
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    int equal = 0, excepted = 0, wrong = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const twins *t = &table[i];
        adept_workload train = profile_of(shared, t->train, 0),
                       twin = profile_of(shared, t->inference, t->dropout);
        int found = differences(&train, &twin);
        bool same_flop = train.forward.gemm_flop == twin.forward.gemm_flop &&
                         train.forward.conv_flop == twin.forward.conv_flop &&
                         train.backward.gemm_flop == twin.backward.gemm_flop &&
                         train.backward.conv_flop == twin.backward.conv_flop;
        if (found != t->differs || !same_flop) {
            print_message("  WRONG %s, %s: %s%s%s%sdiffer\n", t->train, t->inference,
                          same_flop ? "" : "FLOP ", found & PARAMETERS ? "parameters " : "",
                          found & SAVED ? "saved " : "", found & TRAFFIC ? "traffic " : "");
            print_message("    parameters %.0f %.0f, saved %.0f %.0f, kernels %.0f+%.0f %.0f+%.0f\n",
                          train.parameters, twin.parameters, train.memory.saved_activations_B,
                          twin.memory.saved_activations_B, train.forward.kernels, train.backward.kernels,
                          twin.forward.kernels, twin.backward.kernels);
            wrong++;
        } else if (found) {
            print_message("  exception %s, %s: %s\n", t->train, t->inference, t->reason);
            excepted++;
        } else {
            equal++;
        }
    }
    print_message("twins: equal %d, exceptions %d, WRONG %d\n", equal, excepted, wrong);
    assert_int_equal(wrong, 0);
}

static void resnet50_has_the_module_s_own_parameters(void **state) {
    (void)state;
    const char *shared = shared_folder();
    if (!shared)
        skip();
    static const char *const forms[] = {"resnet50", "resnet50-ts", "resnet50-train", "resnet50-train-ts"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        assert_true(profile_of(shared, forms[i], 0).parameters == 25557032);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restored_inference_export_is_the_training_step),
        cmocka_unit_test(resnet50_has_the_module_s_own_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
