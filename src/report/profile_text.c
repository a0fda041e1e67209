#include <stdlib.h>
#include <string.h>

#include "adept/report.h"
#include "fail.h"
#include "plain_text.h"
#include "units.h"

enum { DEFAULT_ROWS = 12, NAME_WIDTH = 46 };

static double flop_of(const adept_work *w) {
    return w->gemm_flop + w->conv_flop + w->alu_flop;
}

static double bytes_of(const adept_work *w) {
    return w->read_B + w->write_B;
}

static void print_header(FILE *out, const adept_graph *graph, const adept_profile *p) {
    const adept_run *run = adept_profile_run(p);
    const char *producer = ADEPT_PLAIN(adept_graph_producer(graph));
    int32_t opset = adept_graph_opset(graph, "");
    fprintf(out, "%s: %zu nodes", ADEPT_PLAIN(adept_graph_path(graph)), adept_profile_node_count(p));
    if (opset >= 0)
        fprintf(out, ", opset %d", opset);
    fprintf(out, "%s%s\n", producer[0] ? ", written by " : "", producer);
    fprintf(out, "one %s, %s", run->mode == ADEPT_MODE_TRAIN ? "training step" : "inference batch",
            adept_precision_name(run->precision));
    if (run->mode == ADEPT_MODE_TRAIN)
        fprintf(out, ", optimizer %s (%s)", adept_optimizer_name(run->optimizer),
                adept_optimizer_impl_name(run->optimizer_impl));
    fprintf(out, ", attention %s, %s, %s\n", adept_attention_name(run->attention),
            adept_fusion_name(run->fusion), adept_layout_name(run->layout));
}

static void print_dims(FILE *out, const adept_profile *p) {
    size_t count = adept_profile_dim_count(p);
    for (size_t i = 0; i < count; i++) {
        const adept_bound_dim *dim = adept_profile_dim(p, i);
        if (dim->reason)
            continue;
        fprintf(out, "  %-24s %lld%s\n", ADEPT_PLAIN(dim->name), (long long)dim->value,
                dim->given ? "" : "   (default: not given)");
    }
}

static void print_row(FILE *out, const char *label, const char *unit, double forward, double backward,
                      double optimizer) {
    char a[ADEPT_UNITS_SIZE], b[ADEPT_UNITS_SIZE], c[ADEPT_UNITS_SIZE], d[ADEPT_UNITS_SIZE];
    fprintf(out, "  %-22s %14s %14s %14s %14s\n", label, adept_units_si(a, forward, unit),
            adept_units_si(b, backward, unit), adept_units_si(c, optimizer, unit),
            adept_units_si(d, forward + backward + optimizer, unit));
}

static void print_totals(FILE *out, const adept_workload *w) {
    const adept_work *f = &w->forward, *b = &w->backward, *o = &w->optimizer_work;
    char n[ADEPT_UNITS_SIZE], t[ADEPT_UNITS_SIZE];
    fprintf(out, "\nparameters %s, trainable %s", adept_units_si(n, w->parameters, ""),
            adept_units_si(t, w->trainable_parameters, ""));
    if (w->weight_sharing > 1.005)
        fprintf(out, ", each tensor used %.2f times", w->weight_sharing);
    fprintf(out, "\n\n  %-22s %14s %14s %14s %14s\n", "work", "forward", "backward", "optimizer", "step");
    print_row(out, "matrix products", "FLOP", f->gemm_flop, b->gemm_flop, o->gemm_flop);
    print_row(out, "convolutions", "FLOP", f->conv_flop, b->conv_flop, o->conv_flop);
    print_row(out, "other (estimate)", "FLOP", f->alu_flop, b->alu_flop, o->alu_flop);
    print_row(out, "read", "B", f->read_B, b->read_B, o->read_B);
    print_row(out, "written", "B", f->write_B, b->write_B, o->write_B);
    print_row(out, "kernels", "", f->kernels, b->kernels, o->kernels);
}

static void print_memory(FILE *out, const adept_memory *m) {
    const struct {
        const char *label;
        double bytes;
    } rows[] = {
        {"parameters",        m->parameters_B       },
        {"gradients",         m->gradients_B        },
        {"optimizer state",   m->optimizer_B        },
        {"saved activations", m->saved_activations_B},
        {"largest workspace", m->workspace_B        },
        {"peak",              m->peak_B             },
    };
    char text[ADEPT_UNITS_SIZE];
    fprintf(out, "\n  memory of one GPU, without the framework's own\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        fprintf(out, "  %-22s %14s\n", rows[i].label, adept_units_memory(text, rows[i].bytes));
}

typedef struct ranked {
    double flop, bytes;
    const adept_operator *op;
} ranked;

static int by_flop(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->flop != y->flop)
        return x->flop < y->flop ? 1 : -1;
    return x->op < y->op ? -1 : x->op > y->op;
}

static void print_operator(FILE *out, const adept_operator *op, double all_flop) {
    char name[NAME_WIDTH + 1], a[ADEPT_UNITS_SIZE], b[ADEPT_UNITS_SIZE], c[ADEPT_UNITS_SIZE];
    double flop = flop_of(&op->forward) + flop_of(&op->backward);
    const char *label = op->part_of >= 0 ? "  part of a composite" : "";
    fprintf(out, "  %-*s %-22.22s %12s %12s %10s %5.1f%%%s\n", NAME_WIDTH,
            adept_units_tail(op->name, name, sizeof name), ADEPT_PLAIN(op->op_type),
            adept_units_si(a, flop, "FLOP"),
            adept_units_si(b, bytes_of(&op->forward) + bytes_of(&op->backward), "B"),
            adept_units_memory(c, op->saved_B), all_flop > 0 ? 100 * flop / all_flop : 0, label);
}

static void print_table_head(FILE *out, const char *first) {
    fprintf(out, "\n  %-*s %-22s %12s %12s %10s %6s\n", NAME_WIDTH, first, "type", "forward+backw.", "moved",
            "saved", "FLOP");
}

static adept_status print_operators(FILE *out, const adept_profile *p, const adept_profile_report *options,
                                    adept_error *err) {
    size_t count = adept_profile_operator_count(p);
    const adept_workload *w = adept_profile_workload(p);
    double all = flop_of(&w->forward) + flop_of(&w->backward);
    if (options->per_op) {
        print_table_head(out, "operator");
        for (size_t i = 0; i < count; i++)
            print_operator(out, adept_profile_operator(p, i), all);
        return ADEPT_OK;
    }
    ranked *ranks = malloc((count ? count : 1) * sizeof *ranks);
    if (!ranks)
        return adept_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const adept_operator *op = adept_profile_operator(p, i);
        ranks[i] = (ranked){.flop = flop_of(&op->forward) + flop_of(&op->backward), .op = op};
    }
    qsort(ranks, count, sizeof *ranks, by_flop);
    size_t rows = options->rows ? options->rows : DEFAULT_ROWS;
    print_table_head(out, "heaviest operators");
    for (size_t i = 0; i < count && i < rows && ranks[i].flop > 0; i++)
        print_operator(out, ranks[i].op, all);
    if (count > rows)
        fprintf(out, "  ... %zu operators in all: --per-op lists them, --by-module rolls them up\n", count);
    free(ranks);
    return ADEPT_OK;
}

static void print_modules(FILE *out, const adept_profile *p) {
    const adept_workload *w = adept_profile_workload(p);
    double all = flop_of(&w->forward) + flop_of(&w->backward);
    fprintf(out, "\n  %-*s %12s %14s %12s %9s %6s\n", NAME_WIDTH, "module", "parameters", "forward+backw.",
            "moved", "kernels", "FLOP");
    for (size_t i = 0; i < adept_profile_module_count(p); i++) {
        const adept_module *m = adept_profile_module(p, i);
        char a[ADEPT_UNITS_SIZE], b[ADEPT_UNITS_SIZE], c[ADEPT_UNITS_SIZE], name[NAME_WIDTH + 1];
        double flop = flop_of(&m->forward) + flop_of(&m->backward);
        fprintf(out, "  %-*s %12s %14s %12s %9.0f %5.1f%%\n", NAME_WIDTH,
                m->path[0] ? adept_units_tail(m->path, name, sizeof name) : "(network)",
                adept_units_si(a, m->parameters, ""), adept_units_si(b, flop, "FLOP"),
                adept_units_si(c, bytes_of(&m->forward) + bytes_of(&m->backward), "B"),
                m->forward.kernels + m->backward.kernels, all > 0 ? 100 * flop / all : 0);
    }
}

static void print_assumptions(FILE *out, const adept_profile *p) {
    bool any = false;
    for (size_t i = 0; i < adept_profile_dim_count(p); i++) {
        const adept_bound_dim *dim = adept_profile_dim(p, i);
        if (!dim->reason)
            continue;
        fprintf(out, "%s  %s = %lld, %s: %s\n",
                any ? "" : "\nsizes that data decides (--dim NAME=N changes them)\n", ADEPT_PLAIN(dim->name),
                (long long)dim->value,
                dim->given         ? "as given"
                : dim->upper_bound ? "an upper bound"
                                   : "assumed",
                ADEPT_PLAIN(dim->reason));
        any = true;
    }
    for (size_t i = 0; i < adept_profile_note_count(p); i++)
        fprintf(out, "%s  %s\n", i ? "" : "\nnotes\n", ADEPT_PLAIN(adept_profile_note(p, i)));
}

static void print_coverage(FILE *out, const adept_profile *p) {
    adept_coverage c = adept_profile_coverage(p);
    if (c.nodes_supported == c.nodes_total) {
        fprintf(out, "\ncoverage: all %zu nodes have a handler\n", c.nodes_total);
        return;
    }
    fprintf(out, "\ncoverage: %zu of %zu nodes; NOT counted, so the figures above are too low:\n",
            c.nodes_supported, c.nodes_total);
    for (size_t i = 0; i < c.unsupported_count; i++) {
        size_t count = 0;
        const char *type = adept_profile_unsupported(p, i, &count);
        fprintf(out, "  %s (%zu)\n", ADEPT_PLAIN(type), count);
    }
}

adept_status adept_report_profile_text(FILE *out, const adept_graph *graph, const adept_profile *profile,
                                       const adept_profile_report *options, adept_error *err) {
    print_header(out, graph, profile);
    print_dims(out, profile);
    print_totals(out, adept_profile_workload(profile));
    print_memory(out, &adept_profile_workload(profile)->memory);
    adept_status status = ADEPT_OK;
    if (options->by_module)
        print_modules(out, profile);
    if (options->per_op || !options->by_module)
        status = print_operators(out, profile, options, err);
    print_assumptions(out, profile);
    print_coverage(out, profile);
    if (status == ADEPT_OK && (fflush(out) != 0 || ferror(out)))
        return adept_fail(err, ADEPT_IO, "the output could not be written completely");
    return status;
}
