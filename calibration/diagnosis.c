/* Trace doctor: measurements that cannot be, or look as if something was mixed up. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adept/calibration.h"
#include "arena.h"
#include "fail.h"
#include "strict_csv.h"

/* Tolerances: of sensors and rounding, not of physics. */
#define ABOVE_PEAK 1.02
#define ABOVE_LIMIT 1.03
#define ENERGY_TOLERANCE 0.05
#define DUPLICATE_TOLERANCE 0.05
#define PASSES_TOLERANCE 1.02
/* Backward over forward time, as a share of the same ratio of FLOP. Recomputed activations add half. */
#define BACKWARD_LEAST 0.75
#define BACKWARD_MOST 2.0
/* A step so short that its power can only come from a loop of a thousand steps or more. */
#define SHORT_STEP_S 1e-3
/* So far from the roofline only another unit takes a measurement. */
#define UNIT_SLOW 500.0
#define UNIT_FAST 0.02
/* FLOP of FP32 convolutions after Winograd's reduction F(2x2,3x3) at best (design section 12). */
#define WINOGRAD 2.25

static const struct {
    const char *name, *text;
} findings[] = {
#define ROW(code, name, text) {name, text},
    ADEPT_FINDING_LIST(ROW)
#undef ROW
};

const char *adept_finding_name(adept_finding_kind kind) {
    return findings[kind].name;
}

const char *adept_finding_text(adept_finding_kind kind) {
    return findings[kind].text;
}

struct adept_diagnosis {
    adept_arena *arena;
    adept_finding *list;
    size_t count, capacity;
    bool short_of_memory;
};

static void add(adept_diagnosis *d, adept_finding_kind kind, size_t file, size_t line, const char *format,
                ...) __attribute__((format(printf, 5, 6)));
static void add(adept_diagnosis *d, adept_finding_kind kind, size_t file, size_t line, const char *format,
                ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 64;
        adept_finding *grown = adept_arena_array(d->arena, capacity, sizeof *grown);
        if (!grown) {
            d->short_of_memory = true;
            return;
        }
        if (d->count)
            memcpy(grown, d->list, d->count * sizeof *grown);
        d->list = grown;
        d->capacity = capacity;
    }
    const char *message = adept_arena_string(d->arena, text);
    d->short_of_memory |= !message;
    d->list[d->count++] = (adept_finding){kind, file, line, message ? message : ""};
}

/* ---- rows by themselves ---- */

static void check_passes(adept_diagnosis *d, const adept_trace_row *row) {
    double sum = (isnan(row->forward_time_s) ? 0 : row->forward_time_s) +
                 (isnan(row->backward_time_s) ? 0 : row->backward_time_s);
    if (row->run.grad_accum == 1 && sum > PASSES_TOLERANCE * row->step_time_s)
        add(d, ADEPT_FINDING_PASSES, 0, row->line, "forward and backward take %.4g s, the step %.4g s", sum,
            row->step_time_s);
}

static void check_short(adept_diagnosis *d, const adept_trace_row *row) {
    if (row->step_time_s < SHORT_STEP_S && !isnan(row->average_power_W))
        add(d, ADEPT_FINDING_SHORT, 0, row->line,
            "a step of %.3g ms has a power: sensors need tens of milliseconds, so it must come from a loop "
            "of many "
            "steps; check that it ran for seconds",
            1e3 * row->step_time_s);
}

static void check_settings(adept_diagnosis *d, const adept_trace_row *row) {
    if (row->run.clock_limit_Hz > 0 && row->run.clock_limit_Hz < 1e7)
        add(d, ADEPT_FINDING_UNIT, 0, row->line, "clock_limit_Hz = %g: looks like %s",
            row->run.clock_limit_Hz, row->run.clock_limit_Hz < 1e2 ? "GHz" : "MHz");
    if (row->run.power_limit_W > 3000)
        add(d, ADEPT_FINDING_UNIT, 0, row->line, "power_limit_W = %g: looks like milliwatts, or the node's",
            row->run.power_limit_W);
    if (row->average_power_W > 3000 && row->power_scope == ADEPT_POWER_SCOPE_GPU)
        add(d, ADEPT_FINDING_UNIT, 0, row->line,
            "average_power_W = %g of one GPU: looks like milliwatts, or the node's (power_scope node)",
            row->average_power_W);
    if (row->average_power_W < 3)
        add(d, ADEPT_FINDING_UNIT, 0, row->line, "average_power_W = %g: looks like kilowatts",
            row->average_power_W);
}

static bool same_text(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_dims(const adept_run *a, const adept_run *b) {
    bool same = a->dim_count == b->dim_count;
    for (size_t i = 0; same && i < a->dim_count; i++)
        same = a->dims[i].value == b->dims[i].value && strcmp(a->dims[i].name, b->dims[i].name) == 0;
    return same;
}

static bool same_run(const adept_trace_row *x, const adept_trace_row *y) {
    const adept_run *a = &x->run, *b = &y->run;
    return a->batch == b->batch && a->seq == b->seq && a->mode == b->mode && a->precision == b->precision &&
           a->optimizer == b->optimizer && a->gpus == b->gpus && a->grad_accum == b->grad_accum &&
           a->attention == b->attention && a->fusion == b->fusion && a->layout == b->layout &&
           a->amp_level == b->amp_level && a->power_limit_W == b->power_limit_W &&
           a->clock_limit_Hz == b->clock_limit_Hz && same_text(a->framework, b->framework) &&
           same_text(x->graph, y->graph) && same_text(x->gpu, y->gpu) && same_text(x->host, y->host) &&
           same_dims(a, b);
}

static bool disagree(double a, double b) {
    return fabs(a - b) > DUPLICATE_TOLERANCE * fmin(a, b); /* false with NaN */
}

static void check_duplicates(adept_diagnosis *d, const adept_trace *trace) {
    for (size_t i = 0; i < adept_trace_count(trace); i++) {
        const adept_trace_row *row = adept_trace_at(trace, i);
        for (size_t j = 0; j < i; j++) {
            const adept_trace_row *earlier = adept_trace_at(trace, j);
            if (!same_run(row, earlier))
                continue;
            if (disagree(row->step_time_s, earlier->step_time_s))
                add(d, ADEPT_FINDING_DUPLICATE, 0, row->line,
                    "%.4g s, but line %zu has %.4g s for the same run", row->step_time_s, earlier->line,
                    earlier->step_time_s);
            if (disagree(row->average_power_W, earlier->average_power_W))
                add(d, ADEPT_FINDING_DUPLICATE, 0, row->line,
                    "%.4g W, but line %zu has %.4g W for the same run", row->average_power_W, earlier->line,
                    earlier->average_power_W);
            break;
        }
    }
}

/* An energy column is not part of the format, but files may have one. */
static adept_status check_energy(adept_diagnosis *d, const adept_trace *trace, adept_error *err) {
    adept_csv *csv;
    adept_status status = adept_csv_load(&csv, adept_trace_path(trace), err);
    if (status != ADEPT_OK)
        return status;
    ptrdiff_t column = adept_csv_column(csv, "energy_per_step_J");
    if (column < 0)
        column = adept_csv_column(csv, "energy_J");
    size_t next = 0;
    for (size_t i = 0; column >= 0 && i < adept_csv_rows(csv); i++) {
        double energy_J;
        const adept_trace_row *row = adept_trace_at(trace, next);
        if (!row || row->line != adept_csv_row_line(csv, i))
            continue; /* unusable: reported as such */
        next++;
        double product_J = row->run.gpus * row->step_time_s * row->average_power_W;
        if (adept_csv_double(csv, i, column, "joules", &energy_J, NULL) == ADEPT_OK &&
            fabs(energy_J / product_J - 1) > ENERGY_TOLERANCE)
            add(d, ADEPT_FINDING_ENERGY, 0, row->line, "%.4g J, but GPUs x power x time is %.4g J", energy_J,
                product_J);
    }
    adept_csv_free(csv);
    return ADEPT_OK;
}

/* ---- rows against their GPU and workload ---- */

static void check_power(adept_diagnosis *d, const adept_dataset_row *row) {
    const adept_hardware_spec *spec = adept_hardware_spec_of(row->hardware);
    double power_W = row->average_power_W;
    if (power_W > ABOVE_LIMIT * row->power_limit_W)
        add(d, ADEPT_FINDING_ABOVE_LIMIT, row->file, row->trace->line, "%.4g W, the limit is %.4g W%s",
            power_W, row->power_limit_W,
            row->trace->run.power_limit_W > 0 ? "" : " (TDP: the row states none)");
    if (power_W <= spec->idle_power_W)
        add(d, ADEPT_FINDING_BELOW_IDLE, row->file, row->trace->line, "%.4g W, idle is %.4g W", power_W,
            spec->idle_power_W);
}

static adept_math math_of(adept_precision precision) {
    static const adept_math math[ADEPT_PRECISION_COUNT] = {
        [ADEPT_PRECISION_FP32] = ADEPT_MATH_FP32,     [ADEPT_PRECISION_TF32] = ADEPT_MATH_TF32,
        [ADEPT_PRECISION_FP16] = ADEPT_MATH_FP16,     [ADEPT_PRECISION_BF16] = ADEPT_MATH_BF16,
        [ADEPT_PRECISION_FP16_AMP] = ADEPT_MATH_FP16, [ADEPT_PRECISION_BF16_AMP] = ADEPT_MATH_BF16,
        [ADEPT_PRECISION_INT8] = ADEPT_MATH_INT8,
    };
    return math[precision];
}

static void check_rate(adept_diagnosis *d, const adept_dataset_row *row) {
    const adept_workload *w = row->workload;
    adept_math math = math_of(w->precision);
    double peak = adept_peak_for_matrix(adept_hardware_spec_of(row->hardware), math).flop_per_s;
    double reduction = math == ADEPT_MATH_FP32 ? WINOGRAD : 1;
    double gemm_flop = w->grad_accum * (w->forward.gemm_flop + w->backward.gemm_flop);
    double conv_flop = w->grad_accum * (w->forward.conv_flop + w->backward.conv_flop);
    double rate = (gemm_flop + conv_flop) / row->step_time_s;
    double possible = (gemm_flop + conv_flop) / (gemm_flop + conv_flop / reduction) * peak;
    if (rate > ABOVE_PEAK * possible)
        add(d, ADEPT_FINDING_ABOVE_PEAK, row->file, row->trace->line,
            "%.4g TFLOP/s, %.2f times what the datasheet peak allows%s", rate / 1e12, rate / possible,
            conv_flop > 0 && reduction > 1 ? " (with Winograd's reduction of all convolutions)" : "");
    else if (rate > ABOVE_PEAK * peak)
        add(d, ADEPT_FINDING_FAST_CONVOLUTION, row->file, row->trace->line,
            "%.4g TFLOP/s, %.2f times the datasheet peak, if convolutions are counted as direct ones: "
            "possible with Winograd or FFT kernels alone",
            rate / 1e12, rate / peak);
}

/* Losses and small passes aside, a backward pass has twice the arithmetic; an allocator at work has none. */
static void check_ratio(adept_diagnosis *d, const adept_dataset_row *row) {
    const adept_workload *w = row->workload;
    double forward_flop = w->forward.gemm_flop + w->forward.conv_flop;
    double counted = (w->backward.gemm_flop + w->backward.conv_flop) / forward_flop;
    double measured = row->trace->backward_time_s / row->trace->forward_time_s;
    if (!(counted > 0) || !(measured < BACKWARD_LEAST * counted || measured > BACKWARD_MOST * counted))
        return; /* so too with NaN */
    add(d, ADEPT_FINDING_PASSES, row->file, row->trace->line,
        "the backward pass takes %.2f times as long as the forward pass and has %.2f times its FLOP: the %s "
        "pass holds something else (allocations, warm-up), or they are mixed up",
        measured, counted, measured < counted ? "forward" : "backward");
}

static void check_bandwidth(adept_diagnosis *d, const adept_dataset_row *row) {
    const adept_workload *w = row->workload;
    double bandwidth = adept_hardware_spec_of(row->hardware)->memory_bandwidth_B_per_s;
    double least_B = w->grad_accum * w->memory.parameters_B;
    bool all_read = w->forward.read_B > 0.9 * w->memory.parameters_B; /* not tables of which few rows are */
    double l2_B = adept_hardware_spec_of(row->hardware)->l2_B;
    if (all_read && w->memory.parameters_B > 2 * l2_B && least_B / row->step_time_s > ABOVE_PEAK * bandwidth)
        add(d, ADEPT_FINDING_ABOVE_BANDWIDTH, row->file, row->trace->line,
            "reading the parameters once takes %.4g GB/s, the memory gives %.4g",
            least_B / row->step_time_s / 1e9, bandwidth / 1e9);
}

static void check_unit(adept_diagnosis *d, const adept_dataset_row *row) {
    double ratio = row->step_time_s / row->roofline_s;
    if (ratio > UNIT_SLOW)
        add(d, ADEPT_FINDING_UNIT, row->file, row->trace->line,
            "step_time_s = %g is %.0f times the datasheet's roofline: looks like milliseconds",
            row->step_time_s, ratio);
    if (ratio < UNIT_FAST)
        add(d, ADEPT_FINDING_UNIT, row->file, row->trace->line,
            "step_time_s = %g is %.4f of the datasheet's roofline: of another batch, or per sample?",
            row->step_time_s, ratio);
}

static void check_row(adept_diagnosis *d, const adept_dataset_row *row) {
    if (!isnan(row->average_power_W))
        check_power(d, row);
    check_ratio(d, row);
    if (isnan(row->step_time_s))
        return;
    check_rate(d, row);
    check_bandwidth(d, row);
    check_unit(d, row);
}

static void check_dataset(adept_diagnosis *d, const adept_dataset *dataset) {
    for (size_t i = 0; i < adept_dataset_skip_count(dataset); i++) {
        const adept_dataset_skip *s = adept_dataset_skip_at(dataset, i);
        add(d, ADEPT_FINDING_UNUSABLE, s->file, s->line, "%s", s->reason);
    }
    for (size_t i = 0; i < adept_dataset_count(dataset); i++)
        check_row(d, adept_dataset_at(dataset, i));
}

static void check_skips(adept_diagnosis *d, const adept_trace *trace) {
    for (size_t i = 0; i < adept_trace_skip_count(trace); i++) {
        const adept_trace_skip *s = adept_trace_skip_at(trace, i);
        add(d, ADEPT_FINDING_UNUSABLE, 0, s->line, "%s", s->reason);
    }
}

adept_status adept_diagnosis_new(adept_diagnosis **out, const adept_trace *trace,
                                 const adept_dataset *dataset, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_diagnosis *d = arena ? adept_arena_alloc(arena, sizeof *d) : NULL;
    if (!d) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    d->arena = arena;
    if (dataset)
        check_dataset(d, dataset);
    else
        check_skips(d, trace);
    for (size_t i = 0; i < adept_trace_count(trace); i++) {
        check_passes(d, adept_trace_at(trace, i));
        check_short(d, adept_trace_at(trace, i));
        check_settings(d, adept_trace_at(trace, i));
    }
    check_duplicates(d, trace);
    adept_status status = check_energy(d, trace, err);
    if (status == ADEPT_OK && d->short_of_memory)
        status = adept_fail_memory(err);
    if (status == ADEPT_OK)
        *out = d;
    else
        adept_diagnosis_free(d);
    return status;
}

void adept_diagnosis_free(adept_diagnosis *diagnosis) {
    if (diagnosis)
        adept_arena_free(diagnosis->arena);
}

size_t adept_diagnosis_count(const adept_diagnosis *diagnosis) {
    return diagnosis->count;
}

const adept_finding *adept_diagnosis_at(const adept_diagnosis *diagnosis, size_t index) {
    return &diagnosis->list[index];
}
