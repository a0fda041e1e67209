#include "adept/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "number.h"
#include "strict_csv.h"

struct adept_trace {
    adept_arena *arena;
    adept_csv *csv;
    const char *path;
    size_t count, skip_count;
    adept_trace_row *rows;
    adept_trace_skip *skips;
};

static const char *const columns[] = {
    "graph",
    "batch",
    "seq",
    "dims",
    "precision",
    "mode",
    "optimizer",
    "gpus",
    "grad_accum",
    "power_limit_W",
    "step_time_s",
    "average_power_W",
    "power_scope",
    "gpu",
    "weight",
    "source",
    "clock_limit_Hz",
    "forward_time_s",
    "backward_time_s",
    "attention",
    "layout",
    "fusion",
    "amp_level",
    "framework",
    "host",
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

const char *adept_trace_column(size_t index) {
    return index < COLUMN_COUNT ? columns[index] : NULL;
}

/* Columns that are run options: the column's name, the option's. */
static const struct {
    const char *column, *option;
} run_columns[] = {
    {"batch",                        "batch"               },
    {"seq",                          "seq"                 },
    {"precision",                    "precision"           },
    {"mode",                         "mode"                },
    {"optimizer",                    "optimizer"           },
    {"optimizer_impl",               "optimizer-impl"      },
    {"gpus",                         "gpus"                },
    {"grad_accum",                   "grad-accum"          },
    {"power_limit_W",                "power-limit"         },
    {"clock_limit_Hz",               "clock-limit"         },
    {"attention",                    "attention"           },
    {"layout",                       "layout"              },
    {"fusion",                       "fusion"              },
    {"amp_level",                    "amp-level"           },
    {"framework",                    "framework"           },
    {"launch_us",                    "launch-us"           },
    {"idle_gap",                     "idle-gap"            },
    {"collective_bandwidth_B_per_s", "collective-bandwidth"},
    {"overlap",                      "overlap"             },
    {"loader_us",                    "loader-us"           },
    {"epoch_samples",                "epoch-samples"       },
};

static const char *field(const adept_trace *trace, size_t row, const char *name) {
    return adept_csv_field(trace->csv, row, adept_csv_column(trace->csv, name));
}

static adept_status read_run(const adept_trace *trace, size_t row, adept_run *run, adept_error *err) {
    *run = (adept_run)ADEPT_RUN_INIT;
    for (size_t i = 0; i < sizeof run_columns / sizeof run_columns[0]; i++) {
        const char *text = field(trace, row, run_columns[i].column);
        if (!text[0])
            continue;
        adept_status status = adept_run_set(run, run_columns[i].option, text, err);
        if (status != ADEPT_OK)
            return status;
    }
    if (run->mode == ADEPT_MODE_INFERENCE)
        run->optimizer = ADEPT_OPTIMIZER_NONE;
    return adept_run_check(run, err);
}

/* "NAME=N NAME=N": blanks between, the last '=' of a word counts. */
static adept_status read_dims(adept_trace *trace, size_t row, adept_run *run, adept_error *err) {
    char *text = adept_arena_string(trace->arena, field(trace, row, "dims"));
    if (!text)
        return adept_fail_memory(err);
    size_t most = 1;
    for (const char *c = text; *c; c++)
        most += *c == ' ';
    adept_dim_binding *dims = adept_arena_array(trace->arena, most, sizeof *dims);
    if (!dims)
        return adept_fail_memory(err);
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strrchr(word, '=');
        int64_t value = 0;
        if (!equals || equals == word || !adept_number_parse_i64(equals + 1, &value) || value < 0)
            return adept_fail(err, ADEPT_FORMAT, "dims: '%s' is not NAME=N", word);
        *equals = '\0';
        dims[run->dim_count++] = (adept_dim_binding){word, value};
    }
    run->dims = dims;
    return ADEPT_OK;
}

static adept_status read_measured(const adept_trace *trace, size_t row, adept_trace_row *out,
                                  adept_error *err) {
    const struct {
        const char *column, *unit;
        double *value;
    } numbers[] = {
        {"step_time_s",     "seconds", &out->step_time_s    },
        {"average_power_W", "watts",   &out->average_power_W},
        {"forward_time_s",  "seconds", &out->forward_time_s },
        {"backward_time_s", "seconds", &out->backward_time_s},
        {"weight",          "",        &out->weight         },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        ptrdiff_t column = adept_csv_column(trace->csv, numbers[i].column);
        adept_status status =
            adept_csv_double(trace->csv, row, column, numbers[i].unit, numbers[i].value, err);
        if (status != ADEPT_OK)
            return status;
        if (*numbers[i].value < 0 || (i < 4 && *numbers[i].value == 0))
            return adept_fail(err, ADEPT_RANGE, "%s = %g must be above 0", numbers[i].column,
                              *numbers[i].value);
    }
    if (isnan(out->weight))
        out->weight = 1;
    if (isnan(out->step_time_s) && isnan(out->average_power_W))
        return adept_fail(err, ADEPT_FORMAT, "neither step_time_s nor average_power_W is measured");
    const char *scope = field(trace, row, "power_scope");
    if (strcmp(scope, "node") == 0)
        out->power_scope = ADEPT_POWER_SCOPE_NODE;
    else if (scope[0] && strcmp(scope, "gpu") != 0)
        return adept_fail(err, ADEPT_FORMAT, "power_scope: '%s' is not gpu or node", scope);
    return ADEPT_OK;
}

static adept_status read_row(adept_trace *trace, size_t row, adept_trace_row *out, adept_error *err) {
    out->line = adept_csv_row_line(trace->csv, row);
    if (adept_csv_row_fields(trace->csv, row) > adept_csv_columns(trace->csv))
        return adept_fail(err, ADEPT_FORMAT, "%zu fields, the header has %zu",
                          adept_csv_row_fields(trace->csv, row), adept_csv_columns(trace->csv));
    out->graph = field(trace, row, "graph");
    out->gpu = field(trace, row, "gpu");
    out->host = field(trace, row, "host");
    out->states_optimizer_impl = *field(trace, row, "optimizer_impl") != '\0';
    out->source = field(trace, row, "source");
    if (!out->graph[0])
        return adept_fail(err, ADEPT_FORMAT, "no graph");
    adept_status status = read_run(trace, row, &out->run, err);
    if (status == ADEPT_OK)
        status = read_dims(trace, row, &out->run, err);
    return status == ADEPT_OK ? read_measured(trace, row, out, err) : status;
}

/* Messages of the CSV reader begin with file and line, which stand beside the reason already. */
static const char *without_position(const char *reason, const char *file, size_t line) {
    char number[32];
    size_t length = strlen(file);
    snprintf(number, sizeof number, ": line %zu: ", line);
    bool doubled =
        strncmp(reason, file, length) == 0 && strncmp(reason + length, number, strlen(number)) == 0;
    return doubled ? reason + length + strlen(number) : reason;
}

static adept_status read_rows(adept_trace *trace, adept_error *err) {
    size_t rows = adept_csv_rows(trace->csv);
    trace->rows = adept_arena_array(trace->arena, rows, sizeof *trace->rows);
    trace->skips = adept_arena_array(trace->arena, rows, sizeof *trace->skips);
    if (!trace->rows || !trace->skips)
        return adept_fail_memory(err);
    for (size_t i = 0; i < rows; i++) {
        adept_error why = ADEPT_ERROR_INIT;
        adept_trace_row *row = &trace->rows[trace->count];
        memset(row, 0, sizeof *row);
        adept_status status = read_row(trace, i, row, &why);
        if (status == ADEPT_NOMEM)
            return adept_fail_memory(err);
        if (status == ADEPT_OK) {
            trace->count++;
            continue;
        }
        size_t line = adept_csv_row_line(trace->csv, i);
        const char *reason =
            adept_arena_string(trace->arena, without_position(why.message, trace->path, line));
        if (!reason)
            return adept_fail_memory(err);
        trace->skips[trace->skip_count++] = (adept_trace_skip){line, reason};
    }
    return ADEPT_OK;
}

static adept_status check_header(const adept_trace *trace, adept_error *err) {
    if (adept_csv_column(trace->csv, "graph") < 0)
        return adept_fail(err, ADEPT_FORMAT, "%s: no column 'graph'; the first line must name the columns",
                          trace->path);
    if (adept_csv_column(trace->csv, "step_time_s") < 0 &&
        adept_csv_column(trace->csv, "average_power_W") < 0)
        return adept_fail(err, ADEPT_FORMAT, "%s: neither a column 'step_time_s' nor 'average_power_W'",
                          trace->path);
    return ADEPT_OK;
}

adept_status adept_trace_load(adept_trace **out, const char *path, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_trace *trace = arena ? adept_arena_alloc(arena, sizeof *trace) : NULL;
    if (!trace) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    trace->arena = arena;
    trace->path = adept_arena_string(arena, path);
    adept_status status = trace->path ? adept_csv_load(&trace->csv, path, err) : adept_fail_memory(err);
    if (status == ADEPT_OK)
        status = check_header(trace, err);
    if (status == ADEPT_OK)
        status = read_rows(trace, err);
    if (status != ADEPT_OK) {
        adept_trace_free(trace);
        return status;
    }
    *out = trace;
    return ADEPT_OK;
}

void adept_trace_free(adept_trace *trace) {
    if (!trace)
        return;
    adept_csv_free(trace->csv);
    adept_arena_free(trace->arena);
}

const char *adept_trace_path(const adept_trace *trace) {
    return trace->path;
}

size_t adept_trace_count(const adept_trace *trace) {
    return trace->count;
}

const adept_trace_row *adept_trace_at(const adept_trace *trace, size_t index) {
    return index < trace->count ? &trace->rows[index] : NULL;
}

size_t adept_trace_skip_count(const adept_trace *trace) {
    return trace->skip_count;
}

const adept_trace_skip *adept_trace_skip_at(const adept_trace *trace, size_t index) {
    return index < trace->skip_count ? &trace->skips[index] : NULL;
}
