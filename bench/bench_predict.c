/*
 * Time of one evaluation of a model with a ready profile, by variant: what calibration and sweeps repeat.
 *
 *   bench_predict [GRAPH.onnx ...]        (default: the transformer and the ResNet of data/graphs)
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "adept/graph.h"
#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/profile.h"

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one evaluation: the best of several stretches, so that a busy machine disturbs little. */
static double evaluation_s(const adept_workload *workload, const adept_hardware *hardware, adept_run *run) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_theta theta;
    adept_prediction prediction;
    double best_s = 1e9;
    if (adept_theta_init(&theta, run->variant, hardware, &err) != ADEPT_OK)
        return -1;
    for (int stretch = 0; stretch < 20; stretch++) {
        int count = run->variant == ADEPT_VARIANT_THESIS ? 20000 : 200;
        double start_s = now_s();
        for (int i = 0; i < count; i++) {
            if (adept_predict_with(&prediction, NULL, workload, adept_hardware_spec_of(hardware), &theta, run,
                                   &err) != ADEPT_OK)
                return -1;
        }
        double each_s = (now_s() - start_s) / count;
        best_s = each_s < best_s ? each_s : best_s;
    }
    return best_s;
}

static int bench(const char *path, const adept_hardware *hardware) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    adept_run run = ADEPT_RUN_INIT;
    run.precision = ADEPT_PRECISION_BF16_AMP;
    int code = 0;
    if (adept_graph_load(&graph, path, &err) != ADEPT_OK ||
        adept_profile_build(&profile, graph, &run, &err) != ADEPT_OK) {
        fprintf(stderr, "%s\n", err.message);
        code = 1;
    } else {
        const adept_workload *w = adept_profile_workload(profile);
        run.variant = ADEPT_VARIANT_THESIS;
        double thesis_s = evaluation_s(w, hardware, &run);
        run.variant = ADEPT_VARIANT_OPERATOR;
        double operator_s = evaluation_s(w, hardware, &run);
        run.power_limit_W = 200;
        double limited_s = evaluation_s(w, hardware, &run);
        printf("%s: %zu operators, %zu distinct kernels\n", path, adept_profile_operator_count(profile),
               w->kernel_count);
        printf(
            "  thesis %.3f us; operator %.1f us, %.3f us per distinct kernel; under a 200 W limit %.1f us\n",
            1e6 * thesis_s, 1e6 * operator_s, 1e6 * operator_s / (double)w->kernel_count, 1e6 * limited_s);
    }
    adept_profile_free(profile);
    adept_graph_free(graph);
    return code;
}

int main(int argc, char **argv) {
    static const char *const defaults[] = {ADEPT_SOURCE_DIR "/data/graphs/gpt2-small.onnx",
                                           ADEPT_SOURCE_DIR "/data/graphs/tinyllama-1.1b.onnx",
                                           ADEPT_SOURCE_DIR "/data/graphs/resnet50.onnx"};
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *hardware = NULL;
    if (adept_hardware_load(&hardware, "a100", &err) != ADEPT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int code = 0;
    for (int i = 1; i < argc; i++)
        code |= bench(argv[i], hardware);
    for (size_t i = 0; argc < 2 && i < sizeof defaults / sizeof defaults[0]; i++)
        code |= bench(defaults[i], hardware);
    adept_hardware_free(hardware);
    return code;
}
