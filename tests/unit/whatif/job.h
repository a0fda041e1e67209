/* A network on a GPU that the tests of this folder ask about. */
#ifndef ADEPT_TEST_WHATIF_JOB_H
#define ADEPT_TEST_WHATIF_JOB_H

#include "adept/whatif.h"
#include "test_support.h"

typedef struct test_job {
    adept_graph *graph;
    adept_hardware *hardware;
    adept_run run;
    adept_whatif job;
} test_job;

static inline void job_open(test_job *t, const char *graph, const char *hardware, adept_variant variant) {
    adept_error err = ADEPT_ERROR_INIT;
    char path[4096];
    snprintf(path, sizeof path, "%s/data/graphs/%s.onnx", ADEPT_SOURCE_DIR, graph);
    *t = (test_job){.run = ADEPT_RUN_INIT};
    assert_ok(adept_graph_load(&t->graph, path, &err), err);
    assert_ok(adept_hardware_load(&t->hardware, hardware, &err), err);
    t->run.variant = variant;
    t->run.precision = ADEPT_PRECISION_BF16_AMP;
    t->run.batch = 16;
    t->job = (adept_whatif){t->graph, t->hardware, t->hardware, &t->run, 2};
}

static inline void job_close(test_job *t) {
    adept_graph_free(t->graph);
    adept_hardware_free(t->hardware);
}

#endif
