#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adept/report.h"
#include "fail.h"
#include "plain_text.h"
#include "units.h"

enum { HEAVIEST_ROWS = 10, NAME_WIDTH = 44 };

typedef char units_text[ADEPT_UNITS_SIZE];

static void print_heading(FILE *out, const adept_predicted *p) {
    const adept_run *run = p->run;
    bool train = run->mode == ADEPT_MODE_TRAIN;
    const char *id = adept_hardware_id(p->hardware);
    fprintf(out, "%s on %s", ADEPT_PLAIN(adept_graph_path(p->graph)),
            ADEPT_PLAIN(adept_hardware_name(p->hardware)));
    if (p->hardware_asked && strcmp(p->hardware_asked, id) != 0)
        fprintf(out, " (%s is %s)", p->hardware_asked, id);
    fprintf(out, "\n%s of %.0f samples%s, %s", train ? "one training step" : "one inference batch",
            adept_profile_workload(p->profile)->samples, run->gpus > 1 ? " per GPU" : "",
            adept_precision_name(run->precision));
    if (train)
        fprintf(out, ", %s (%s)", adept_optimizer_name(run->optimizer),
                adept_optimizer_impl_name(run->optimizer_impl));
    if (run->grad_accum > 1)
        fprintf(out, ", %d micro-batches", run->grad_accum);
    if (run->gpus > 1)
        fprintf(out, ", %d GPUs data parallel", run->gpus);
    fprintf(out, "; variant %s\n", adept_variant_name(p->prediction->variant));
}

/* "  (80 %: a to b)"; nothing where no interval is known. */
static void print_interval(FILE *out, const adept_prediction *p, const adept_interval *interval, bool time) {
    units_text a, b;
    if (!isfinite(interval->lower) || !isfinite(interval->upper))
        return;
    fprintf(out, "   %.0f %%: %s to %s", 100 * p->interval_level,
            time ? adept_units_time(a, interval->lower) : adept_units_si(a, interval->lower, "W"),
            time ? adept_units_time(b, interval->upper) : adept_units_si(b, interval->upper, "W"));
}

static void print_figures(FILE *out, const adept_predicted *predicted) {
    const adept_prediction *p = predicted->prediction;
    double samples = p->throughput_per_s * p->step_time_s;
    units_text t;
    fprintf(out, "\n  %-20s %12s   evidence: %s", "step time", adept_units_time(t, p->step_time_s),
            adept_evidence_name(p->time_evidence));
    print_interval(out, p, &p->step_time_interval_s, true);
    fprintf(out, "\n  %-20s %12s   samples per second%s\n", "throughput",
            adept_units_si(t, p->throughput_per_s, ""), predicted->run->gpus > 1 ? ", all GPUs" : "");
    if (isfinite(p->average_power_W)) {
        fprintf(out, "  %-20s %12s   evidence: %s", "average power",
                adept_units_si(t, p->average_power_W, "W"), adept_evidence_name(p->power_evidence));
        print_interval(out, p, &p->average_power_interval_W, false);
        fprintf(out, "\n  %-20s %12s   %s", "energy per step", adept_units_si(t, p->energy_per_step_J, "J"),
                predicted->run->gpus > 1 ? "all GPUs" : "one GPU board");
        fprintf(out, ", %s per sample\n", adept_units_si(t, p->energy_per_step_J / samples, "J"));
    } else {
        fprintf(out, "  %-20s %12s   no measurements support a figure\n", "average power", "withheld");
    }
    fprintf(out, "  %-20s %12s   power limit %.0f W\n", "mean SM clock", adept_units_si(t, p->clock_Hz, "Hz"),
            p->power_limit_W);
}

/* Node scope stands apart from GPU scope, and only where the hardware file knows the host. */
static void print_node(FILE *out, const adept_predicted *predicted) {
    const adept_prediction *p = predicted->prediction;
    adept_node_power node;
    units_text total, host, energy;
    if (!adept_node_power_of(&node, adept_hardware_spec_of(predicted->hardware), predicted->run->gpus,
                             p->average_power_W))
        return;
    fprintf(out,
            "  %-20s %12s   at the wall, of %.0f node%s: %s beside the GPUs and in supplies; %s per step\n",
            "node power", adept_units_si(total, node.total_W, "W"), node.nodes, node.nodes > 1 ? "s" : "",
            adept_units_si(host, node.total_W - node.gpus_W, "W"),
            adept_units_si(energy, node.total_W * p->step_time_s, "J"));
}

static void print_memory(FILE *out, const adept_predicted *predicted) {
    const adept_prediction *p = predicted->prediction;
    units_text a, b, c;
    fprintf(out, "  %-20s %12s   of %s, %s of it context and allocator (assumed): %s\n", "peak memory",
            adept_units_memory(a, p->peak_memory_B), adept_units_memory(b, p->memory_B),
            adept_units_memory(c, p->memory_overhead_B), p->fits_in_memory ? "fits" : "DOES NOT FIT");
    if (predicted->max_batch > 0)
        fprintf(out, "  %-20s %12lld   largest that fits\n", "batch", (long long)predicted->max_batch);
    else if (predicted->max_batch < 0)
        fprintf(out, "  %-20s %12s   not even one sample fits\n", "batch", "-");
}

static void print_phases(FILE *out, const adept_prediction *p) {
    fprintf(out, "\n  %-20s %12s %7s %10s %12s\n", "phase", "time", "share", "power", "energy");
    for (int i = 0; i < ADEPT_PHASE_COUNT; i++) {
        const adept_phase_cost *phase = &p->phases[i];
        units_text a, b, c;
        if (!(phase->time_s > 0))
            continue;
        fprintf(out, "  %-20s %12s %6.1f%% %10s %12s\n", adept_phase_name((adept_phase)i),
                adept_units_time(a, phase->time_s), 100 * phase->time_s / p->step_time_s,
                adept_units_si(b, phase->power_W, "W"), adept_units_si(c, phase->energy_J, "J"));
    }
}

static void print_losses(FILE *out, const adept_prediction *p) {
    double so_far = 0;
    fprintf(out, "\n  from the ideal to the predicted time\n");
    for (int i = 0; i < ADEPT_LOSS_COUNT; i++) {
        units_text a, b;
        if (!(p->losses_s[i] > 0))
            continue;
        so_far += p->losses_s[i];
        fprintf(out, "  %-32s %12s %6.1f%%   %s\n", adept_loss_text((adept_loss)i),
                adept_units_time(a, p->losses_s[i]), 100 * p->losses_s[i] / p->step_time_s,
                adept_units_time(b, so_far));
    }
    fprintf(out, "  the step mostly waits for: %s\n", adept_bound_name(p->bound));
}

typedef struct ranked {
    double time_s;
    size_t row;
} ranked;

static int by_time(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->time_s != y->time_s)
        return x->time_s < y->time_s ? 1 : -1;
    return x->row < y->row ? -1 : 1;
}

static adept_status print_operators(FILE *out, const adept_predicted *p, adept_error *err) {
    size_t count = adept_profile_operator_count(p->profile);
    ranked *ranks = malloc((count ? count : 1) * sizeof *ranks);
    double all_s = 0;
    if (!ranks)
        return adept_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        ranks[i] = (ranked){adept_explanation_operator(p->explanation, i).time_s, i};
        all_s += ranks[i].time_s;
    }
    qsort(ranks, count, sizeof *ranks, by_time);
    fprintf(out, "\n  %-*s %-20s %10s %6s %10s  %s\n", NAME_WIDTH, "longest operators (micro-batch)", "type",
            "time", "share", "energy", "bound by");
    for (size_t i = 0; i < count && i < HEAVIEST_ROWS && ranks[i].time_s > 0; i++) {
        const adept_operator *op = adept_profile_operator(p->profile, ranks[i].row);
        adept_operator_cost cost = adept_explanation_operator(p->explanation, ranks[i].row);
        char name[NAME_WIDTH + 1];
        units_text a, b;
        fprintf(out, "  %-*s %-20.20s %10s %5.1f%% %10s  %s\n", NAME_WIDTH,
                adept_units_tail(op->name, name, sizeof name), ADEPT_PLAIN(op->op_type),
                adept_units_time(a, cost.time_s), all_s > 0 ? 100 * cost.time_s / all_s : 0,
                adept_units_si(b, cost.energy_J, "J"), adept_bound_name(cost.bound));
    }
    free(ranks);
    return ADEPT_OK;
}

typedef struct type_cost {
    const char *op_type;
    size_t operators;
    double time_s, energy_J;
} type_cost;

static int by_type_time(const void *a, const void *b) {
    const type_cost *x = a, *y = b;
    return x->time_s < y->time_s ? 1 : -(x->time_s > y->time_s);
}

/* Costs summed by operator type, in order of first appearance; returns the number of types. */
static size_t sum_types(const adept_predicted *p, type_cost *types) {
    size_t count = 0;
    for (size_t i = 0; i < adept_profile_operator_count(p->profile); i++) {
        const char *op_type = adept_profile_operator(p->profile, i)->op_type;
        adept_operator_cost cost = adept_explanation_operator(p->explanation, i);
        size_t t = 0;
        if (!(cost.time_s > 0))
            continue;
        while (t < count && strcmp(types[t].op_type, op_type) != 0)
            t++;
        if (t == count)
            types[count++] = (type_cost){.op_type = op_type};
        types[t].operators++;
        types[t].time_s += cost.time_s;
        types[t].energy_J += cost.energy_J;
    }
    return count;
}

static adept_status print_types(FILE *out, const adept_predicted *p, adept_error *err) {
    size_t operators = adept_profile_operator_count(p->profile);
    type_cost *types = malloc((operators ? operators : 1) * sizeof *types);
    double all_s = 0;
    if (!types)
        return adept_fail_memory(err);
    size_t count = sum_types(p, types);
    for (size_t i = 0; i < count; i++)
        all_s += types[i].time_s;
    qsort(types, count, sizeof *types, by_type_time);
    fprintf(out, "\n  %-*s %-20s %10s %6s %10s\n", NAME_WIDTH, "heaviest operator types", "operators", "time",
            "share", "energy");
    for (size_t i = 0; i < count && i < HEAVIEST_ROWS; i++) {
        units_text a, b;
        fprintf(out, "  %-*.*s %-20zu %10s %5.1f%% %10s\n", NAME_WIDTH, NAME_WIDTH,
                ADEPT_PLAIN(types[i].op_type), types[i].operators, adept_units_time(a, types[i].time_s),
                100 * types[i].time_s / all_s, adept_units_si(b, types[i].energy_J, "J"));
    }
    free(types);
    return ADEPT_OK;
}

enum { MODULE_DEPTH = 3, MODULE_ROWS = 24 };

static bool is_listed(const adept_predicted *p, size_t module) {
    const adept_module *m = adept_profile_module(p->profile, module);
    return m->depth > 0 && m->depth <= MODULE_DEPTH;
}

/* Time of a module from which on it is printed: 1 % of the network, more if too many have that. */
static double least_module_s(const adept_predicted *p, double all_s, ranked *ranks) {
    size_t count = 0;
    for (size_t i = 0; i < adept_profile_module_count(p->profile); i++) {
        if (is_listed(p, i))
            ranks[count++] = (ranked){adept_explanation_module(p->explanation, i).time_s, i};
    }
    if (count <= MODULE_ROWS)
        return 0.01 * all_s;
    qsort(ranks, count, sizeof *ranks, by_time);
    return fmax(0.01 * all_s, ranks[MODULE_ROWS - 1].time_s);
}

/* The heaviest modules, in the network's order. */
static adept_status print_modules(FILE *out, const adept_predicted *p, adept_error *err) {
    double all_s = 0;
    size_t count = adept_profile_module_count(p->profile), rows = 0;
    ranked *ranks = malloc((count ? count : 1) * sizeof *ranks);
    if (!ranks)
        return adept_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (!adept_profile_module(p->profile, i)->path[0])
            all_s = adept_explanation_module(p->explanation, i).time_s;
    }
    double least_s = least_module_s(p, all_s, ranks);
    free(ranks);
    fprintf(out, "\n  %-*s %10s %6s %10s\n", NAME_WIDTH, "heaviest modules", "time", "share", "energy");
    for (size_t i = 0; i < count && rows < MODULE_ROWS; i++) {
        const adept_module *m = adept_profile_module(p->profile, i);
        adept_module_cost cost = adept_explanation_module(p->explanation, i);
        char name[NAME_WIDTH + 1];
        units_text a, b;
        if (!is_listed(p, i) || !(cost.time_s > 0) || !(cost.time_s >= least_s))
            continue;
        rows++;
        fprintf(out, "  %-*s %10s %5.1f%% %10s\n", NAME_WIDTH, adept_units_tail(m->path, name, sizeof name),
                adept_units_time(a, cost.time_s), 100 * cost.time_s / all_s,
                adept_units_si(b, cost.energy_J, "J"));
    }
    return ADEPT_OK;
}

/* "+3.2%", "-" where a figure is withheld */
static const char *change_text(units_text text, double after, double before) {
    if (isfinite(after) && isfinite(before))
        snprintf(text, sizeof(units_text), "%+.1f%%", 100 * (after / before - 1));
    else
        snprintf(text, sizeof(units_text), "-");
    return text;
}

static void print_remedies(FILE *out, const adept_predicted *p) {
    const adept_prediction *now = p->prediction;
    fprintf(out, "\n  what would help%33s %8s %8s\n", "step", "time", "energy");
    for (size_t i = 0; i < adept_explanation_remedy_count(p->explanation); i++) {
        const adept_remedy *r = adept_explanation_remedy(p->explanation, i);
        units_text a, b, c;
        fprintf(out, "  %-36s %11s %8s %8s\n", r->what, adept_units_time(a, r->step_time_s),
                change_text(b, r->step_time_s, now->step_time_s),
                change_text(c, r->energy_per_step_J, now->energy_per_step_J));
    }
}

static adept_status print_explanation(FILE *out, const adept_predicted *p, adept_error *err) {
    adept_status status = ADEPT_OK;
    print_losses(out, p->prediction);
    if (adept_explanation_has_costs(p->explanation)) {
        status = print_operators(out, p, err);
        if (status == ADEPT_OK)
            status = print_types(out, p, err);
        if (status == ADEPT_OK)
            status = print_modules(out, p, err);
    }
    print_remedies(out, p);
    return status;
}

enum { OUTSIDE_ROWS = 5 };

/* "Attention (attention, bf16) 4.7 %, ..." */
static void print_outside(FILE *out, const adept_outside *outside) {
    size_t count = adept_outside_count(outside);
    for (size_t i = 0; i < count && i < OUTSIDE_ROWS; i++) {
        const adept_outside_row *row = adept_outside_at(outside, i);
        fprintf(out, "%s%s (%s, %s) %.1f %%", i ? ", " : "\n    ", ADEPT_PLAIN(row->op_type),
                adept_kernel_kind_name(row->kind), adept_math_name(row->math), 100 * row->share);
    }
    if (count > OUTSIDE_ROWS)
        fprintf(out, ", %zu more", count - OUTSIDE_ROWS);
}

/* "of 3 Einsum, 1 NonZero" */
static void print_unsupported(FILE *out, const adept_predicted *p, const adept_coverage *coverage) {
    for (size_t i = 0; i < coverage->unsupported_count && i < OUTSIDE_ROWS; i++) {
        size_t count;
        const char *type = adept_profile_unsupported(p->profile, i, &count);
        fprintf(out, "%s%zu %s", i ? ", " : ": ", count, ADEPT_PLAIN(type));
    }
    if (coverage->unsupported_count > OUTSIDE_ROWS)
        fprintf(out, ", %zu more types", coverage->unsupported_count - OUTSIDE_ROWS);
    fputc('\n', out);
}

static void print_notes(FILE *out, const adept_predicted *p) {
    adept_coverage coverage = adept_profile_coverage(p->profile);
    bool any = p->prediction->note_count || adept_profile_note_count(p->profile) ||
               coverage.nodes_supported < coverage.nodes_total;
    if (any)
        fputs("\n  notes\n", out);
    if (coverage.nodes_supported < coverage.nodes_total) {
        fprintf(out, "  - %zu of %zu nodes have no handler and are NOT counted, time and energy are too low",
                coverage.nodes_total - coverage.nodes_supported, coverage.nodes_total);
        print_unsupported(out, p, &coverage);
    }
    for (size_t i = 0; i < p->prediction->note_count; i++) {
        const adept_note *note = &p->prediction->notes[i];
        fprintf(out, "  - %s", adept_note_text(note->code));
        if (isfinite(note->value))
            fprintf(out, ": %.4g", note->value);
        if (note->code == ADEPT_NOTE_OUTSIDE_FITTED_RANGE)
            print_outside(out, p->outside);
        fputc('\n', out);
    }
    for (size_t i = 0; i < adept_profile_dim_count(p->profile); i++) {
        const adept_bound_dim *dim = adept_profile_dim(p->profile, i);
        if (!dim->given)
            fprintf(out, "  - %s = %lld %s%s%s\n", ADEPT_PLAIN(dim->name), (long long)dim->value,
                    dim->reason ? (dim->upper_bound ? "as an upper bound" : "assumed")
                                : "by default (not given)",
                    dim->reason ? ": " : "", dim->reason ? ADEPT_PLAIN(dim->reason) : "");
    }
    for (size_t i = 0; i < adept_profile_note_count(p->profile); i++)
        fprintf(out, "  - %s\n", ADEPT_PLAIN(adept_profile_note(p->profile, i)));
}

adept_status adept_report_prediction_text(FILE *out, const adept_predicted *predicted, adept_error *err) {
    print_heading(out, predicted);
    print_figures(out, predicted);
    print_node(out, predicted);
    print_memory(out, predicted);
    print_phases(out, predicted->prediction);
    adept_status status = predicted->explanation ? print_explanation(out, predicted, err) : ADEPT_OK;
    print_notes(out, predicted);
    if (status == ADEPT_OK && (fflush(out) != 0 || ferror(out)))
        return adept_fail(err, ADEPT_IO, "the output could not be written completely");
    return status;
}

/* What single predictions would note, once for all rows of the table that have it. */
static void print_table_notes(FILE *out, const adept_predicted *predicted, size_t count) {
    for (int code = 0; code < ADEPT_NOTE_COUNT; code++) {
        size_t rows = 0;
        const adept_predicted *first = NULL;
        for (size_t i = 0; i < count; i++) {
            for (size_t n = 0; n < predicted[i].prediction->note_count; n++) {
                if (predicted[i].prediction->notes[n].code != (adept_note_code)code)
                    continue;
                first = first ? first : &predicted[i];
                rows++;
            }
        }
        if (rows)
            fprintf(out, "  - %zu of %zu rows (first: %s): %s\n", rows, count,
                    ADEPT_PLAIN(adept_hardware_id(first->hardware)), adept_note_text((adept_note_code)code));
    }
}

adept_status adept_report_predictions_text(FILE *out, const adept_predicted *predicted, size_t count,
                                           adept_error *err) {
    fprintf(out, "  %-28s %-20s %7s %11s %11s %10s %11s %10s\n", "model", "hardware", "batch", "step",
            "samples/s", "power", "energy", "memory");
    for (size_t i = 0; i < count; i++) {
        const adept_predicted *p = &predicted[i];
        char name[29];
        units_text a, b, c, d, e;
        fprintf(out, "  %-28s %-20.20s %7.0f %11s %11s %10s %11s %10s%s\n",
                adept_units_tail(adept_graph_path(p->graph), name, sizeof name),
                ADEPT_PLAIN(adept_hardware_id(p->hardware)), adept_profile_workload(p->profile)->samples,
                adept_units_time(a, p->prediction->step_time_s),
                adept_units_si(b, p->prediction->throughput_per_s, ""),
                adept_units_si(c, p->prediction->average_power_W, "W"),
                adept_units_si(d, p->prediction->energy_per_step_J, "J"),
                adept_units_memory(e, p->prediction->peak_memory_B),
                p->prediction->fits_in_memory ? "" : "  does not fit");
    }
    print_table_notes(out, predicted, count);
    if (fflush(out) != 0 || ferror(out))
        return adept_fail(err, ADEPT_IO, "the output could not be written completely");
    return ADEPT_OK;
}
