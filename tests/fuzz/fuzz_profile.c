/*
 * Fuzz target: a file that loads has a profile whose figures are finite, or gives one line. The last byte
 * chooses the run, so that every mode, precision, attention and fusion is reached.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "adept/graph.h"
#include "adept/profile.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

static adept_run run_of(unsigned char choice) {
    adept_run run = ADEPT_RUN_INIT;
    static const adept_precision precisions[] = {ADEPT_PRECISION_FP32, ADEPT_PRECISION_BF16_AMP,
                                                 ADEPT_PRECISION_FP16, ADEPT_PRECISION_INT8};
    run.mode = choice & 1 ? ADEPT_MODE_INFERENCE : ADEPT_MODE_TRAIN;
    run.precision = precisions[choice >> 1 & 3];
    run.attention = choice & 8 ? ADEPT_ATTENTION_FLASH : ADEPT_ATTENTION_EAGER;
    run.fusion = choice & 16 ? ADEPT_FUSION_COMPILED : ADEPT_FUSION_EAGER;
    run.batchnorm = choice & 32 ? ADEPT_BATCHNORM_RESTORE : ADEPT_BATCHNORM_AUTO;
    run.dropout = choice & 64 ? 0.1 : ADEPT_DROPOUT_AUTO;
    return run;
}

static void assert_work(const adept_work *w) {
    const double figures[] = {w->gemm_flop, w->conv_flop, w->alu_flop, w->read_B, w->write_B, w->kernels};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        assert(isfinite(figures[i]) && figures[i] >= 0);
}

static void assert_sane(const adept_profile *profile) {
    const adept_workload *w = adept_profile_workload(profile);
    assert_work(&w->forward);
    assert_work(&w->backward);
    assert_work(&w->optimizer_work);
    assert(isfinite(w->memory.peak_B) && w->memory.peak_B >= 0);
    for (size_t i = 0; i < adept_profile_operator_count(profile); i++) {
        assert_work(&adept_profile_operator(profile, i)->forward);
        assert_work(&adept_profile_operator(profile, i)->backward);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B) {
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    adept_error error = ADEPT_ERROR_INIT;
    if (adept_graph_load_memory(&graph, bytes, size_B, "fuzz", NULL, &error) != ADEPT_OK)
        return 0;
    adept_run run = run_of(size_B ? bytes[size_B - 1] : 0);
    adept_status status = adept_profile_build(&profile, graph, &run, &error);
    assert((status == ADEPT_OK) == (profile != NULL));
    if (status == ADEPT_OK)
        assert_sane(profile);
    else
        assert(error.message[0] && !strchr(error.message, '\n'));
    adept_profile_free(profile);
    adept_graph_free(graph);
    return 0;
}
