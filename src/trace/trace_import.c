#include "adept/trace_import.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "fail.h"
#include "number.h"
#include "strict_csv.h"

/* One measurement of the log. */
typedef struct imported_row {
    double duration_s, power_W; /* of one GPU; NaN: not there */
    int32_t gpus;
    const char *source;
} imported_row;

struct adept_trace_import {
    adept_arena *arena;
    adept_trace_import_options options;
    adept_csv *csv;
    const char *path;
    imported_row *rows;
    adept_trace_skip *skips;
    size_t count, skip_count;
};

static const char *const format_names[] = {
#define NAME(code, name) name,
    ADEPT_TRACE_FORMAT_LIST(NAME)
#undef NAME
};

const char *adept_trace_format_name(adept_trace_format format) {
    return format_names[format];
}

/* ---- fields ---- */

static const char *trimmed(const char *text) {
    while (*text == ' ')
        text++;
    return text;
}

/* Column whose name, without leading blanks, begins with this and not with a longer number; -1: none. */
static ptrdiff_t column_like(const adept_csv *csv, const char *beginning) {
    size_t length = strlen(beginning);
    for (size_t c = 0; c < adept_csv_columns(csv); c++) {
        const char *name = trimmed(adept_csv_column_name(csv, c));
        if (strncmp(name, beginning, length) == 0 && !(name[length] >= '0' && name[length] <= '9'))
            return (ptrdiff_t)c;
    }
    return -1;
}

/* "120.5 W", " 120.5": the number before the unit. */
static bool read_number(const adept_csv *csv, size_t row, ptrdiff_t column, double *out) {
    char text[64];
    snprintf(text, sizeof text, "%s", trimmed(adept_csv_field(csv, row, column)));
    text[strcspn(text, " ")] = '\0';
    return adept_number_parse(text, out);
}

static adept_status skip(adept_trace_import *t, size_t row, const char *reason, adept_error *err) {
    const char *kept = adept_arena_string(t->arena, reason);
    if (!kept)
        return adept_fail_memory(err);
    t->skips[t->skip_count++] = (adept_trace_skip){adept_csv_row_line(t->csv, row), kept};
    return ADEPT_OK;
}

/* Names with commas that the tool has not quoted move all fields behind them. */
static bool is_whole(const adept_trace_import *t, size_t row) {
    return adept_csv_row_fields(t->csv, row) == adept_csv_columns(t->csv);
}

#define NOT_WHOLE "other fields than the header names; a comma in a name?"

static adept_status keep(adept_trace_import *t, double duration_s, double power_W, int32_t gpus,
                         const char *source, adept_error *err) {
    if (!source)
        return adept_fail_memory(err);
    t->rows[t->count++] = (imported_row){duration_s, power_W, gpus, source};
    return ADEPT_OK;
}

static adept_status missing(const adept_trace_import *t, const char *columns, adept_error *err) {
    return adept_fail(err, ADEPT_FORMAT, "%s: not a log of %s: needs the columns %s", t->path,
                      format_names[t->options.format], columns);
}

/* Sum over the columns gpu0.., "GPU 0".. of a line, NaN where one has not counted; returns how many there
 * are. */
static int32_t sum_gpus(const adept_trace_import *t, size_t row, const char *pattern, double *sum) {
    int32_t gpus = 0;
    char name[32];
    *sum = 0;
    for (int i = 0; i < 1024; i++) {
        double value;
        snprintf(name, sizeof name, pattern[0] == 'g' ? "gpu%d_energy" : "GPU %d", i);
        ptrdiff_t column = column_like(t->csv, name);
        if (column >= 0 && read_number(t->csv, row, column, &value)) {
            *sum += value > 0 ? value : NAN; /* 0: shorter than the counter's period */
            gpus++;
        }
    }
    return gpus;
}

/* ---- Zeus: start_time,window_name,elapsed_time,gpu0_energy,.. ; seconds and joules ---- */

static adept_status read_zeus(adept_trace_import *t, adept_error *err) {
    ptrdiff_t elapsed = column_like(t->csv, "elapsed_time"), window = column_like(t->csv, "window_name");
    adept_status status = ADEPT_OK;
    if (elapsed < 0)
        return missing(t, "window_name, elapsed_time, gpu0_energy", err);
    for (size_t i = 0; status == ADEPT_OK && i < adept_csv_rows(t->csv); i++) {
        double seconds, joules;
        int32_t gpus = sum_gpus(t, i, "gpu", &joules);
        if (!is_whole(t, i)) {
            status = skip(t, i, NOT_WHOLE, err);
            continue;
        }
        if (!read_number(t->csv, i, elapsed, &seconds) || !(seconds > 0)) {
            status = skip(t, i, "elapsed_time is not a number above 0", err);
            continue;
        }
        double power_W = gpus ? joules / seconds / gpus : NAN;
        status = keep(t, seconds, power_W, gpus ? gpus : 1,
                      adept_arena_format(t->arena, "zeus %s line %zu; window %s", t->path,
                                         adept_csv_row_line(t->csv, i), adept_csv_field(t->csv, i, window)),
                      err);
    }
    return status;
}

/* ---- nvidia-smi: one sample per line and GPU ---- */

/* "2026/06/18 00:00:00.000" as seconds since some day; days after H. Hinnant's civil calendar algorithm. */
static bool read_timestamp(const char *text, double *seconds) {
    int year, month, day, hour, minute;
    double second;
    if (sscanf(trimmed(text), "%d/%d/%d %d:%d:%lf", &year, &month, &day, &hour, &minute, &second) != 6)
        return false;
    if (year < 1970 || year > 9999 || month < 1 || month > 12)
        return false;
    year -= month <= 2;
    int era = year / 400, of_era = year - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    *seconds = (double)days * 86400 + hour * 3600.0 + minute * 60.0 + second;
    return true;
}

enum { SMI_GPUS_MAX = 64 };

/* Of one GPU: energy by the trapezoid rule over its samples. */
typedef struct smi_gpu {
    char index[32];
    double first_s, last_s, last_W, energy_J;
    size_t samples;
} smi_gpu;

static smi_gpu *gpu_of(smi_gpu *gpus, size_t *count, const char *index) {
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(gpus[i].index, index) == 0)
            return &gpus[i];
    }
    if (*count == SMI_GPUS_MAX)
        return NULL;
    snprintf(gpus[*count].index, sizeof gpus[*count].index, "%s", index);
    return &gpus[(*count)++];
}

static const char *add_sample(smi_gpu *gpu, double time_s, double power_W) {
    if (!gpu)
        return "more GPUs than can be followed";
    if (gpu->samples && !(time_s > gpu->last_s))
        return "time does not go on";
    if (gpu->samples)
        gpu->energy_J += 0.5 * (power_W + gpu->last_W) * (time_s - gpu->last_s);
    else
        gpu->first_s = time_s;
    gpu->last_s = time_s;
    gpu->last_W = power_W;
    gpu->samples++;
    return NULL;
}

static adept_status read_smi(adept_trace_import *t, adept_error *err) {
    static const char *const gpu_columns[] = {"index", "uuid", "gpu_uuid", "pci.bus_id", "name"};
    ptrdiff_t time = column_like(t->csv, "timestamp"), power = column_like(t->csv, "power.draw"), gpu = -1;
    smi_gpu gpus[SMI_GPUS_MAX] = {{.samples = 0}};
    size_t gpu_count = 0, used = 0;
    double longest_s = 0, power_W = 0;
    adept_status status = ADEPT_OK;
    if (time < 0 || power < 0)
        return missing(t, "timestamp and power.draw", err);
    for (size_t i = 0; gpu < 0 && i < sizeof gpu_columns / sizeof gpu_columns[0]; i++)
        gpu = column_like(t->csv, gpu_columns[i]);
    for (size_t i = 0; status == ADEPT_OK && i < adept_csv_rows(t->csv); i++) {
        double seconds, watts;
        const char *wrong = NULL;
        if (!is_whole(t, i))
            wrong = NOT_WHOLE;
        else if (!read_timestamp(adept_csv_field(t->csv, i, time), &seconds))
            wrong = "timestamp is not YYYY/MM/DD HH:MM:SS.mmm";
        else if (!read_number(t->csv, i, power, &watts))
            wrong = "power.draw is not a number of watts";
        else
            wrong = add_sample(gpu_of(gpus, &gpu_count, trimmed(adept_csv_field(t->csv, i, gpu))), seconds,
                               watts);
        if (wrong)
            status = skip(t, i, wrong, err);
    }
    for (size_t i = 0; i < gpu_count; i++) {
        double seconds = gpus[i].last_s - gpus[i].first_s;
        if (gpus[i].samples < 2)
            continue;
        power_W += gpus[i].energy_J / seconds;
        longest_s = fmax(longest_s, seconds);
        used++;
    }
    if (status != ADEPT_OK || used == 0)
        return status;
    return keep(t, longest_s, power_W / (double)used, (int32_t)used,
                adept_arena_format(t->arena, "nvidia-smi %s; %zu GPUs, %.1f s", t->path, used, longest_s),
                err);
}

/* ---- EA2P: GPU 0, .., Total Elapsed CPU Time (sec) ---- */

/*
 * The file names no unit for GPUs, and versions wrote watt-hours, joules and kilowatt-hours (all three stand
 * in the example of its repository, examples/energy_report.csv). Watt-hours are taken unless no GPU could
 * draw as much, or as little.
 */
#define EA2P_MAX_W 3000.0
#define EA2P_MIN_W 1.0

typedef struct ea2p_unit {
    const char *name;
    double joules;
} ea2p_unit;

static ea2p_unit ea2p_unit_of(double power_if_Wh_W) {
    if (power_if_Wh_W > EA2P_MAX_W)
        return (ea2p_unit){"J", 1};
    if (power_if_Wh_W < EA2P_MIN_W && power_if_Wh_W * 1000 >= EA2P_MIN_W)
        return (ea2p_unit){"kWh", 3.6e6};
    return (ea2p_unit){"Wh", 3600};
}

static adept_status read_ea2p(adept_trace_import *t, adept_error *err) {
    ptrdiff_t elapsed = column_like(t->csv, "Total Elapsed");
    adept_status status = ADEPT_OK;
    if (elapsed < 0 || column_like(t->csv, "GPU 0") < 0)
        return missing(t, "'GPU 0' and 'Total Elapsed CPU Time (sec)'", err);
    for (size_t i = 0; status == ADEPT_OK && i < adept_csv_rows(t->csv); i++) {
        double seconds, energy;
        int32_t gpus = sum_gpus(t, i, "GPU", &energy);
        if (!is_whole(t, i) || !read_number(t->csv, i, elapsed, &seconds) || !(seconds > 0) || gpus == 0) {
            status = skip(t, i, is_whole(t, i) ? "no elapsed time above 0, or no energy of a GPU" : NOT_WHOLE,
                          err);
            continue;
        }
        ea2p_unit unit = ea2p_unit_of(energy * 3600 / seconds / gpus);
        status = keep(t, seconds, energy * unit.joules / seconds / gpus, gpus,
                      adept_arena_format(t->arena, "ea2p %s line %zu; energy taken as %s", t->path,
                                         adept_csv_row_line(t->csv, i), unit.name),
                      err);
    }
    return status;
}

static adept_status (*const readers[])(adept_trace_import *t, adept_error *err) = {
    [ADEPT_TRACE_FORMAT_ZEUS] = read_zeus,
    [ADEPT_TRACE_FORMAT_NVIDIA_SMI] = read_smi,
    [ADEPT_TRACE_FORMAT_EA2P] = read_ea2p,
};

adept_status adept_trace_import_load(adept_trace_import **out, const char *path,
                                     const adept_trace_import_options *options, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_trace_import *t = arena ? adept_arena_alloc(arena, sizeof *t) : NULL;
    if (!t) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    t->arena = arena;
    t->options = *options;
    t->path = adept_arena_string(arena, path);
    adept_status status = t->path ? adept_csv_load(&t->csv, path, err) : adept_fail_memory(err);
    if (status == ADEPT_OK) {
        size_t rows = adept_csv_rows(t->csv) + 1;
        t->rows = adept_arena_array(arena, rows, sizeof *t->rows);
        t->skips = adept_arena_array(arena, rows, sizeof *t->skips);
        status = t->rows && t->skips ? readers[options->format](t, err) : adept_fail_memory(err);
    }
    if (status == ADEPT_OK)
        *out = t;
    else
        adept_trace_import_free(t);
    return status;
}

void adept_trace_import_free(adept_trace_import *import) {
    if (!import)
        return;
    adept_csv_free(import->csv);
    adept_arena_free(import->arena);
}

size_t adept_trace_import_count(const adept_trace_import *import) {
    return import->count;
}

size_t adept_trace_import_skip_count(const adept_trace_import *import) {
    return import->skip_count;
}

const adept_trace_skip *adept_trace_import_skip_at(const adept_trace_import *import, size_t index) {
    return &import->skips[index];
}

/* ---- writing ---- */

typedef struct field_text {
    char text[64];
} field_text;

static const char *number_text(field_text *f, double value) {
    f->text[0] = '\0';
    if (value > 0 && isfinite(value))
        snprintf(f->text, sizeof f->text, "%.8g", value);
    return f->text;
}

/* The text of one column of a row; "" where nothing is known. */
static const char *column_text(const adept_trace_import *t, const imported_row *row, const char *column,
                               field_text *f) {
    const adept_run *run = t->options.run;
    const struct {
        const char *column, *text;
    } texts[] = {
        {"graph",       t->options.graph                    },
        {"gpu",         t->options.gpu                      },
        {"source",      row->source                         },
        {"power_scope", isnan(row->power_W) ? "" : "gpu"    },
        {"weight",      "1"                                 },
        {"precision",   adept_precision_name(run->precision)},
        {"mode",        adept_mode_name(run->mode)          },
        {"optimizer",   adept_optimizer_name(run->optimizer)},
        {"attention",   adept_attention_name(run->attention)},
        {"layout",      adept_layout_name(run->layout)      },
        {"fusion",      adept_fusion_name(run->fusion)      },
        {"framework",   run->framework ? run->framework : ""},
    };
    const struct {
        const char *column;
        double value;
    } numbers[] = {
        {"batch",           (double)run->batch                                             },
        {"seq",             (double)run->seq                                               },
        {"gpus",            row->gpus                                                      },
        {"grad_accum",      run->grad_accum                                                },
        {"power_limit_W",   run->power_limit_W                                             },
        {"clock_limit_Hz",  run->clock_limit_Hz                                            },
        {"step_time_s",     t->options.steps > 0 ? row->duration_s / t->options.steps : NAN},
        {"average_power_W", row->power_W                                                   },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(column, texts[i].column) == 0)
            return texts[i].text;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(column, numbers[i].column) == 0)
            return number_text(f, numbers[i].value);
    }
    return "";
}

adept_status adept_trace_import_write(const adept_trace_import *t, FILE *out, adept_error *err) {
    const char *column;
    field_text f;
    for (size_t c = 0; (column = adept_trace_column(c)); c++)
        fprintf(out, "%s%s", c ? "," : "", column);
    fputc('\n', out);
    for (size_t i = 0; i < t->count; i++) {
        for (size_t c = 0; (column = adept_trace_column(c)); c++) {
            if (c)
                fputc(',', out);
            adept_csv_write_field(out, column_text(t, &t->rows[i], column, &f));
        }
        fputc('\n', out);
    }
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the trace");
}
