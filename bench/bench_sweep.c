/*
 * Time of a million points of a sweep: profile, evaluation, rows as CSV, all threads.
 *
 *   bench_sweep [POINTS [GRAPH.onnx ...]]      (default: 1000000 on a transformer and a ResNet of
 * data/graphs)
 *
 * Three grids: a figure alone, power limits alone, both. Processor time says more than elapsed time on a
 * machine that others use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "adept/whatif.h"

static double clock_s(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One grid of about `points` points; prints its time and what a million would take. */
static int bench_grid(const adept_whatif *job, const char *name, const char *const *specs, size_t count) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_sweep *sweep = NULL;
    FILE *out = fopen("/dev/null", "w");
    double wall_s = clock_s(CLOCK_MONOTONIC), cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    adept_status status = out ? adept_sweep_new(&sweep, job, specs, count, &err) : ADEPT_IO;
    if (status == ADEPT_OK)
        status = adept_sweep_write(sweep, out, ADEPT_SWEEP_CSV, NULL, NULL, &err);
    wall_s = clock_s(CLOCK_MONOTONIC) - wall_s;
    cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_s;
    if (status == ADEPT_OK) {
        double points = (double)adept_sweep_points(sweep);
        printf("  %-27s %8.0f points: %6.2f s elapsed, %6.2f s of processors; %6.2f us a point\n", name,
               points, wall_s, cpu_s, 1e6 * cpu_s / points);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    adept_sweep_free(sweep);
    if (out)
        fclose(out);
    return status != ADEPT_OK;
}

static int bench(const char *path, const adept_hardware *hardware, adept_variant variant, long points) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_run run = ADEPT_RUN_INIT;
    char figure[64], limits[64], few[64];
    run.variant = variant;
    if (adept_graph_load(&graph, path, &err) != ADEPT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    adept_whatif job = {graph, hardware, hardware, &run, 0};
    printf("%s, %s:\n", path, adept_variant_name(variant));
    snprintf(figure, sizeof figure, "spec.memory_bandwidth_B_per_s=*0.5:*2:%ld", points);
    snprintf(limits, sizeof limits, "power-limit=100:400:%ld", points);
    snprintf(few, sizeof few, "spec.memory_bandwidth_B_per_s=*0.5:*2:%ld", points / 50);
    int code = bench_grid(&job, "bandwidth", (const char *const[]){figure}, 1);
    code |= bench_grid(&job, "power limit", (const char *const[]){limits}, 1);
    code |= bench_grid(&job, "bandwidth x 50 power limits",
                       (const char *const[]){few, "power-limit=100:400:50"}, 2);
    adept_graph_free(graph);
    return code;
}

int main(int argc, char **argv) {
    static const char *const defaults[] = {ADEPT_SOURCE_DIR "/data/graphs/gpt2-small.onnx",
                                           ADEPT_SOURCE_DIR "/data/graphs/resnet50.onnx"};
    adept_error err = ADEPT_ERROR_INIT;
    adept_hardware *hardware = NULL;
    long points = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;
    int code = 0;
    if (points < 50 || adept_hardware_load(&hardware, "a100", &err) != ADEPT_OK) {
        fprintf(stderr, "%s\n", points < 50 ? "at least 50 points" : err.message);
        return 1;
    }
    for (int i = 2; i < argc || (argc <= 2 && i < 4); i++) {
        const char *path = argc > 2 ? argv[i] : defaults[i - 2];
        code |= bench(path, hardware, ADEPT_VARIANT_THESIS, points);
        code |= bench(path, hardware, ADEPT_VARIANT_OPERATOR, points);
    }
    adept_hardware_free(hardware);
    return code;
}
