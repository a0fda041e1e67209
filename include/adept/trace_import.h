/*
 * Logs of other measuring tools as trace rows. Such logs know times, powers and energies, but neither the
 * network nor the run: the caller says these.
 */
#ifndef ADEPT_TRACE_IMPORT_H
#define ADEPT_TRACE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "adept/error.h"
#include "adept/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* enum name, option text */
#define ADEPT_TRACE_FORMAT_LIST(X)                                                                           \
    X(ZEUS, "zeus")             /* log_file of ZeusMonitor: a window per line, joules by GPU */              \
    X(NVIDIA_SMI, "nvidia-smi") /* --query-gpu=timestamp,index,power.draw --format=csv: samples */           \
    X(EA2P, "ea2p")             /* energy_report.csv: a measurement per line, watt-hours or joules */
typedef enum adept_trace_format {
#define ADEPT_TRACE_FORMAT_ENUM(code, name) ADEPT_TRACE_FORMAT_##code,
    ADEPT_TRACE_FORMAT_LIST(ADEPT_TRACE_FORMAT_ENUM)
#undef ADEPT_TRACE_FORMAT_ENUM
        ADEPT_TRACE_FORMAT_COUNT
} adept_trace_format;
const char *adept_trace_format_name(adept_trace_format format); /* never NULL */

typedef struct adept_trace_import_options {
    adept_trace_format format;
    const char *graph;    /* for the column; "" leaves it open */
    const char *gpu;      /* hardware id; "" */
    const adept_run *run; /* for the run's columns */
    double steps;         /* steps that each measurement covers; 0: unknown, then no step time */
} adept_trace_import_options;

typedef struct adept_trace_import adept_trace_import; /* opaque */

/* Errors    IO, FORMAT (columns of the format are missing, with their names), NOMEM */
adept_status adept_trace_import_load(adept_trace_import **out, const char *path,
                                     const adept_trace_import_options *options, adept_error *err);
void adept_trace_import_free(adept_trace_import *import); /* NULL is fine */

size_t adept_trace_import_count(const adept_trace_import *import);
size_t adept_trace_import_skip_count(const adept_trace_import *import);
const adept_trace_skip *adept_trace_import_skip_at(const adept_trace_import *import, size_t index);

/* As a trace file. Errors    IO */
adept_status adept_trace_import_write(const adept_trace_import *import, FILE *out, adept_error *err);

#ifdef __cplusplus
}
#endif
#endif
