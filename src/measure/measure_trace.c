/* Appends a measured run to a trace file; columns of design.md section 10. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "fail.h"
#include "strict_csv.h"
#include "trace_row.h"

enum {
    GRAPH,
    BATCH,
    SEQ,
    DIMS,
    PRECISION,
    MODE,
    OPTIMIZER,
    GPUS,
    GRAD_ACCUM,
    POWER_LIMIT,
    STEP_TIME,
    AVERAGE_POWER,
    POWER_SCOPE,
    GPU,
    WEIGHT,
    SOURCE,
    CLOCK_LIMIT,
    ATTENTION,
    LAYOUT,
    FUSION,
    AMP_LEVEL,
    FRAMEWORK,
    HOST,
    COLUMN_COUNT,
    REQUIRED_COUNT = CLOCK_LIMIT /* the columns before are required */
};

static const char *const columns[COLUMN_COUNT] = {
    "graph",       "batch",           "seq",         "dims",       "precision",
    "mode",        "optimizer",       "gpus",        "grad_accum", "power_limit_W",
    "step_time_s", "average_power_W", "power_scope", "gpu",        "weight",
    "source",      "clock_limit_Hz",  "attention",   "layout",     "fusion",
    "amp_level",   "framework",       "host"};

/* design.md section 10: rows of weight 0.5 and more make the headline error. */
static const char *const weight_trusted = "1", *const weight_doubtful = "0.25";

typedef struct trace_row {
    adept_arena *arena;
    const char *fields[COLUMN_COUNT]; /* NULL: memory was short */
} trace_row;

void trace_values_fill(trace_values *values, const adept_measure_summary *s, const adept_measured_run *run) {
    bool any_used = false;
    double power_W = 0;
    *values = (trace_values){.step_time_s = s->command_s / run->steps, .trusted = true};
    for (size_t i = 0; i < s->device_count; i++)
        any_used =
            any_used || (s->devices[i].kind == ADEPT_DEVICE_GPU && s->devices[i].used == ADEPT_USE_YES);
    for (size_t i = 0; i < s->device_count; i++) {
        const adept_measured_device *device = &s->devices[i];
        if (device->kind != ADEPT_DEVICE_GPU || !device->measured ||
            (any_used && device->used != ADEPT_USE_YES))
            continue;
        values->gpu = values->gpu ? values->gpu : device;
        values->gpus++;
        values->gpu_energy_J += device->energy_J;
        power_W += device->average_power_W;
        values->trusted = values->trusted && device->trusted;
    }
    values->gpu_power_W = values->gpus ? power_W / (double)values->gpus : 0;
}

/* "NVIDIA A100-SXM4-80GB" to "a100-sxm4-80gb": lower case, hyphens, no maker's name. */
static const char *gpu_id(adept_arena *arena, const char *name) {
    static const char *const makers[] = {"NVIDIA ", "Tesla ", "GeForce ", "AMD ", "Instinct "};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
        if (strncmp(name, makers[i], strlen(makers[i])) == 0)
            name += strlen(makers[i]);
    char *id = adept_arena_string(arena, name);
    for (char *c = id; c && *c; c++)
        *c = *c == ' ' ? '-' : (char)tolower((unsigned char)*c);
    return id;
}

static const char *count_text(adept_arena *arena, int64_t value) {
    return value ? adept_arena_format(arena, "%lld", (long long)value) : "";
}

static const char *number_text(adept_arena *arena, double value) {
    return value > 0 ? adept_arena_format(arena, "%.8g", value) : "";
}

static const char *dims_text(adept_arena *arena, const adept_run *run) {
    const char *text = "";
    for (size_t i = 0; i < run->dim_count && text; i++)
        text = adept_arena_format(arena, "%s%s%s=%lld", text, i ? " " : "", run->dims[i].name,
                                  (long long)run->dims[i].value);
    return text;
}

/* Where the row comes from: our note first, then the caller's and what makes the run doubtful. */
static const char *source_text(adept_arena *arena, const adept_measure_summary *s,
                               const adept_measured_run *run, const trace_values *values) {
    const char *text = adept_arena_format(arena, "adept measure %s; %.0f steps in %.3f s, start-up included",
                                          s->started, run->steps, s->command_s);
    if (text && values->gpu)
        text = adept_arena_format(arena, "%s; %s", text, values->gpu->method);
    if (text && *s->driver)
        text = adept_arena_format(arena, "%s; driver %s", text, s->driver);
    if (text && s->exit_code)
        text = adept_arena_format(arena, "%s; command failed with %d", text, s->exit_code);
    if (text && !values->trusted)
        for (size_t i = 0; text && i < values->gpu->note_count; i++)
            text = adept_arena_format(arena, "%s; %s", text, values->gpu->notes[i]);
    return text && run->source ? adept_arena_format(arena, "%s; %s", text, run->source) : text;
}

static const char *host_text(adept_arena *arena, const adept_measured_run *run) {
    char name[256] = "";
    if (run->host)
        return run->host;
    if (gethostname(name, sizeof name - 1))
        return "";
    return adept_arena_string(arena, name);
}

static void fill_run(trace_row *row, const adept_run *run) {
    const char **f = row->fields;
    f[BATCH] = count_text(row->arena, run->batch);
    f[SEQ] = count_text(row->arena, run->seq);
    f[DIMS] = dims_text(row->arena, run);
    f[PRECISION] = adept_precision_name(run->precision);
    f[MODE] = adept_mode_name(run->mode);
    f[OPTIMIZER] = run->mode == ADEPT_MODE_TRAIN ? adept_optimizer_name(run->optimizer)
                                                 : adept_optimizer_name(ADEPT_OPTIMIZER_NONE);
    f[GPUS] = count_text(row->arena, run->gpus);
    f[GRAD_ACCUM] = count_text(row->arena, run->grad_accum);
    f[CLOCK_LIMIT] = number_text(row->arena, run->clock_limit_Hz);
    f[ATTENTION] = adept_attention_name(run->attention);
    f[LAYOUT] = adept_layout_name(run->layout);
    f[FUSION] = adept_fusion_name(run->fusion);
    f[AMP_LEVEL] = adept_amp_level_name(run->amp_level);
    f[FRAMEWORK] = run->framework ? run->framework : "pytorch";
}

static adept_status fill_row(trace_row *row, const adept_measure_summary *s, const adept_measured_run *run,
                             adept_error *err) {
    if (!(run->steps > 0))
        return adept_fail(err, ADEPT_ARGUMENT, "steps %g: a trace row needs the steps the command makes",
                          run->steps);
    trace_values values;
    trace_values_fill(&values, s, run);
    if (values.gpus && (size_t)run->run->gpus > values.gpus)
        return adept_fail(err, ADEPT_ARGUMENT, "--gpus %d, but only %zu GPU(s) measured for this command",
                          run->run->gpus, values.gpus);
    const char **f = row->fields;
    double limit_W = run->run->power_limit_W > 0 ? run->run->power_limit_W
                     : values.gpu                ? values.gpu->power_limit_W
                                                 : 0;
    fill_run(row, run->run);
    f[GRAPH] = run->graph;
    f[POWER_LIMIT] = number_text(row->arena, limit_W);
    f[STEP_TIME] = number_text(row->arena, values.step_time_s);
    f[AVERAGE_POWER] = number_text(row->arena, values.gpu_power_W);
    f[POWER_SCOPE] = values.gpus ? "gpu" : "";
    f[GPU] = run->gpu ? run->gpu : values.gpu ? gpu_id(row->arena, values.gpu->name) : "";
    f[WEIGHT] = values.trusted && s->exit_code == 0 ? weight_trusted : weight_doubtful;
    f[SOURCE] = source_text(row->arena, s, run, &values);
    f[HOST] = host_text(row->arena, run);
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (!f[i])
            return adept_fail_memory(err);
    return ADEPT_OK;
}

/* The graph's path as seen from the trace's folder if it lies below it, else absolute. */
static const char *relative_graph(adept_arena *arena, const char *graph, const char *trace) {
    char graph_path[PATH_MAX], folder_path[PATH_MAX];
    char *copy = adept_arena_string(arena, trace);
    if (!*graph || !copy || !realpath(graph, graph_path) || !realpath(dirname(copy), folder_path))
        return graph;
    size_t length = strlen(folder_path);
    bool below = strncmp(graph_path, folder_path, length) == 0 && graph_path[length] == '/';
    return adept_arena_string(arena, below ? graph_path + length + 1 : graph_path);
}

static adept_status write_row(const trace_row *row, const char *path, const adept_csv *existing,
                              bool open_line, adept_error *err) {
    FILE *file = fopen(path, "a");
    if (!file)
        return adept_fail(err, ADEPT_IO, "%s: %s", path, strerror(errno));
    if (!existing)
        for (int i = 0; i < COLUMN_COUNT; i++)
            fprintf(file, "%s%s", columns[i], i + 1 < COLUMN_COUNT ? "," : "\n");
    if (open_line)
        fputc('\n', file);
    size_t count = existing ? adept_csv_columns(existing) : COLUMN_COUNT;
    for (size_t i = 0; i < count; i++) {
        const char *text = existing ? "" : row->fields[i];
        for (int c = 0; existing && c < COLUMN_COUNT; c++)
            if (strcmp(columns[c], adept_csv_column_name(existing, i)) == 0)
                text = row->fields[c];
        adept_csv_write_field(file, text);
        fputc(i + 1 < count ? ',' : '\n', file);
    }
    bool good = !ferror(file);
    if (fclose(file) || !good)
        return adept_fail(err, ADEPT_IO, "%s: cannot write the row: %s", path, strerror(errno));
    return ADEPT_OK;
}

/* A file whose last line lacks its end needs one before the new row. */
static bool line_open(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool open_line = fseek(file, -1, SEEK_END) == 0 && fgetc(file) != '\n';
    fclose(file);
    return open_line;
}

static adept_status check_header(const adept_csv *csv, const char *path, adept_error *err) {
    for (int i = 0; i < REQUIRED_COUNT; i++)
        if (adept_csv_column(csv, columns[i]) < 0)
            return adept_fail(err, ADEPT_FORMAT, "%s: no column '%s': not a trace, write to another file",
                              path, columns[i]);
    return ADEPT_OK;
}

adept_status adept_measure_append_trace(const adept_measure_summary *summary, const adept_measured_run *run,
                                        const char *path, adept_error *err) {
    struct stat info;
    adept_csv *existing = NULL;
    trace_row row = {.arena = adept_arena_new(0)};
    adept_status status = row.arena ? fill_row(&row, summary, run, err) : adept_fail_memory(err);
    bool exists = status == ADEPT_OK && stat(path, &info) == 0 && info.st_size > 0;
    if (exists)
        status = adept_csv_load(&existing, path, err);
    if (existing)
        status = check_header(existing, path, err);
    if (status == ADEPT_OK) {
        row.fields[GRAPH] = relative_graph(row.arena, run->graph, path);
        status = row.fields[GRAPH] ? write_row(&row, path, existing, exists && line_open(path), err)
                                   : adept_fail_memory(err);
    }
    adept_csv_free(existing);
    adept_arena_free(row.arena);
    return status;
}
