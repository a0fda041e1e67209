/*
 * Traces: measured runs, one CSV row each (design.md section 10): what was run, and how long it took and
 * what it drew. Empty fields are "not measured", never zero. Rows that cannot be used are kept aside with
 * line and reason; nothing is dropped silently.
 */
#ifndef ADEPT_TRACE_H
#define ADEPT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "adept/error.h"
#include "adept/run.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum adept_power_scope { ADEPT_POWER_SCOPE_GPU, ADEPT_POWER_SCOPE_NODE } adept_power_scope;

typedef struct adept_trace_row {
    size_t line;                /* of the file, the header is line 1 */
    const char *graph;          /* ONNX file, relative to the folder of graphs */
    adept_run run;              /* strings and dims belong to the trace */
    const char *gpu;            /* hardware id; "" if the file has no such column */
    bool states_optimizer_impl; /* else the run has the default, and the host may be known for another */
    const char *host;           /* measuring set-up: launch cost belongs to it; "" if not stated */
    const char *source;         /* where the row comes from; "" if not stated */
    double step_time_s;         /* NaN: not measured */
    double average_power_W;     /* NaN: not measured; of one GPU or one node */
    adept_power_scope power_scope;
    double forward_time_s, backward_time_s; /* NaN: not measured apart */
    double weight;                          /* 1 where the file has none */
} adept_trace_row;

typedef struct adept_trace_skip {
    size_t line;
    const char *reason;
} adept_trace_skip;

typedef struct adept_trace adept_trace;

/*
 * Reads a trace file. Needs the columns graph and step_time_s or average_power_W; others have defaults.
 * Errors    IO, FORMAT (no usable header, not CSV), LIMIT, NOMEM; rows that cannot be used are no error
 */
adept_status adept_trace_load(adept_trace **out, const char *path, adept_error *err);
void adept_trace_free(adept_trace *trace); /* NULL is fine */

const char *adept_trace_path(const adept_trace *trace);
size_t adept_trace_count(const adept_trace *trace);
const adept_trace_row *adept_trace_at(const adept_trace *trace, size_t index);
size_t adept_trace_skip_count(const adept_trace *trace);
const adept_trace_skip *adept_trace_skip_at(const adept_trace *trace, size_t index);

/* The columns of a trace file, in the order in which tools write them; NULL behind the last one. */
const char *adept_trace_column(size_t index);

#ifdef __cplusplus
}
#endif
#endif
