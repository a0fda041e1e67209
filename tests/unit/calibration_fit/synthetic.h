/* Synthetic traces: runs of the repository's own graphs, "measured" by the model at planted parameters. */
#ifndef ADEPT_TEST_SYNTHETIC_H
#define ADEPT_TEST_SYNTHETIC_H

#include "test_support.h"

#include "adept/calibration.h"

#define GRAPHS ADEPT_SOURCE_DIR "/data/graphs"

typedef struct synthetic {
    char path[256];
    adept_trace *trace;
    adept_dataset *dataset;
} synthetic;

/* Loads CSV text (without header: it is added) as a data set. */
static inline adept_status synthetic_load_text(synthetic *s, const char *rows, const char *hardware,
                                               adept_error *err) {
    adept_dataset_options options = {.graphs = GRAPHS, .hardware = hardware, .threads = 2};
    *s = (synthetic){.trace = NULL};
    snprintf(s->path, sizeof s->path, "/tmp/adept-synthetic-XXXXXX");
    int fd = mkstemp(s->path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fputs("graph,batch,seq,precision,mode,optimizer,gpus,power_limit_W,step_time_s,average_power_W,power_"
          "scope,gpu,"
          "weight,host\n",
          file);
    fputs(rows, file);
    fclose(file);
    assert_int_equal(adept_trace_load(&s->trace, s->path, err), ADEPT_OK);
    return adept_dataset_load(&s->dataset, (const adept_trace *const *)&s->trace, 1, &options, err);
}

static inline void synthetic_free(synthetic *s) {
    adept_dataset_free(s->dataset);
    adept_trace_free(s->trace);
    remove(s->path);
}

/* Text of all runs of the grid; times and powers as given, or placeholders where NULL. */
static inline char *synthetic_rows(const char *gpu, const double *step_s, const double *power_W) {
    static const char *const graphs[] = {"bert-base.onnx,%d,128", "gpt2-small.onnx,%d,256",
                                         "resnet50.onnx,%d,"};
    static const char *const ways[] = {"fp32,inference,none,1", "tf32,train,adamw,1",
                                       "bf16-amp,train,adamw,1", "bf16-amp,inference,none,1",
                                       "fp32,train,sgd-momentum,4"};
    char *text = calloc(1, 65536), graph[64];
    size_t used = 0, row = 0;
    for (size_t g = 0; g < 3; g++) {
        for (int batch = 2; batch <= 128; batch *= 4) {
            for (size_t w = 0; w < 5; w++, row++) {
                snprintf(graph, sizeof graph, graphs[g], batch);
                used +=
                    (size_t)snprintf(text + used, 65536 - used, "%s,%s,,%.17g,%.17g,gpu,%s,1\n", graph,
                                     ways[w], step_s ? step_s[row] : 1, power_W ? power_W[row] : 100, gpu);
            }
        }
    }
    return text;
}

enum { SYNTHETIC_ROWS = 60 };

/* The grid measured by the model at theta, each figure times 1 + noise (2 u - 1). */
static inline void synthetic_load(synthetic *s, const char *gpu, const adept_theta *theta, double noise) {
    double step_s[SYNTHETIC_ROWS], power_W[SYNTHETIC_ROWS];
    adept_error err = ADEPT_ERROR_INIT;
    char *rows = synthetic_rows(gpu, NULL, NULL);
    assert_ok(synthetic_load_text(s, rows, NULL, &err), err);
    assert_int_equal(adept_dataset_count(s->dataset), SYNTHETIC_ROWS);
    srand(5);
    for (size_t i = 0; i < SYNTHETIC_ROWS; i++) {
        const adept_dataset_row *row = adept_dataset_at(s->dataset, i);
        adept_prediction p;
        assert_ok(adept_predict_with(&p, NULL, row->workload, adept_hardware_spec_of(row->hardware), theta,
                                     &row->trace->run, &err),
                  err);
        step_s[i] = p.step_time_s * (1 + noise * (2.0 * rand() / RAND_MAX - 1));
        power_W[i] = p.average_power_W * (1 + noise * (2.0 * rand() / RAND_MAX - 1));
    }
    synthetic_free(s);
    free(rows);
    rows = synthetic_rows(gpu, step_s, power_W);
    assert_ok(synthetic_load_text(s, rows, NULL, &err), err);
    free(rows);
}

static inline void plant(adept_theta *theta, const char *name, double value) {
    ptrdiff_t index = adept_parameter_index(theta->variant, name);
    assert_true(index >= 0);
    theta->value[index] = value;
}

static inline double value_of(const adept_theta *theta, const char *name) {
    return theta->value[adept_parameter_index(theta->variant, name)];
}

#endif
