/* Fuzz target: any bytes either are a trace, each row of which is read or skipped with a reason, or give one
 * line. */
#include "adept/trace.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size_B) {
    const char *path = fuzz_file(".csv", bytes, size_B);
    adept_trace *trace = NULL;
    adept_error error = ADEPT_ERROR_INIT;
    adept_status status = adept_trace_load(&trace, path, &error);
    unlink(path);
    assert((status == ADEPT_OK) == (trace != NULL));
    if (status == ADEPT_OK) {
        for (size_t i = 0; i < adept_trace_count(trace); i++)
            assert(adept_trace_at(trace, i)->graph[0] && adept_trace_at(trace, i)->run.gpus >= 1);
        for (size_t i = 0; i < adept_trace_skip_count(trace); i++)
            assert(adept_trace_skip_at(trace, i)->reason[0]);
    } else {
        assert(error.message[0] && !strchr(error.message, '\n'));
    }
    adept_trace_free(trace);
    return 0;
}
