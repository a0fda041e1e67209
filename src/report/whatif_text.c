#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adept/whatif_report.h"
#include "fail.h"
#include "plain_text.h"
#include "units.h"

/* ---- rows kept ---- */

adept_status adept_sweep_sample_init(adept_sweep_sample *sample, const adept_sweep *sweep, size_t limit,
                                     adept_error *err) {
    uint64_t points = adept_sweep_points(sweep);
    *sample = (adept_sweep_sample){.limit = limit, .stride = (points + limit - 1) / limit};
    sample->rows = calloc(points < limit ? (size_t)points : limit, sizeof *sample->rows);
    return sample->rows ? ADEPT_OK : adept_fail_memory(err);
}

void adept_sweep_sample_free(adept_sweep_sample *sample) {
    free(sample->rows);
    *sample = (adept_sweep_sample){0};
}

bool adept_sweep_sample_visit(const adept_sweep_row *row, void *user) {
    adept_sweep_sample *sample = user;
    if (row->point % sample->stride == 0 && sample->count < sample->limit)
        sample->rows[sample->count++] = *row;
    return true;
}

/* ---- text ---- */

static adept_status finish(FILE *out, adept_error *err) {
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the report");
}

/* "+1.25 %", or "-" where one of both is withheld. */
static const char *percent_text(char text[ADEPT_UNITS_SIZE], double ratio, int digits) {
    snprintf(text, ADEPT_UNITS_SIZE, "%+.*f %%", digits, 100 * (ratio - 1));
    return isnan(ratio) ? "-" : text;
}

static void write_change(FILE *out, const char *name, const char *before, const char *after, double ratio) {
    char change[ADEPT_UNITS_SIZE];
    fprintf(out, "  %-20s %14s %14s   %s\n", name, before, after, percent_text(change, ratio, 1));
}

static void write_settings(FILE *out, const adept_whatif_report *r) {
    char a[ADEPT_UNITS_SIZE], b[ADEPT_UNITS_SIZE];
    const adept_prediction *x = r->before, *y = r->after;
    for (size_t i = 0; i < r->setting_count; i++) {
        char key[96];
        double from = NAN, to = NAN;
        snprintf(key, sizeof key, "%.*s", (int)strcspn(r->settings[i], "="), r->settings[i]);
        adept_hardware_get(r->job->original, key, &from, NULL, NULL);
        adept_hardware_get(r->job->hardware, key, &to, NULL, NULL);
        fprintf(out, "  %s: %.6g -> %.6g", key, from, to);
        if (adept_whatif_consequence(key))
            fprintf(out, "; %s", adept_whatif_consequence(key));
        fputs("\n", out);
    }
    if (r->setting_count == 0)
        return;
    fprintf(out, "\n  %-20s %14s %14s   change\n", "", "as it is", "what if");
    write_change(out, "step time", adept_units_time(a, x->step_time_s), adept_units_time(b, y->step_time_s),
                 y->step_time_s / x->step_time_s);
    write_change(out, "average power", adept_units_si(a, x->average_power_W, "W"),
                 adept_units_si(b, y->average_power_W, "W"), y->average_power_W / x->average_power_W);
    write_change(out, "energy per step", adept_units_si(a, x->energy_per_step_J, "J"),
                 adept_units_si(b, y->energy_per_step_J, "J"), y->energy_per_step_J / x->energy_per_step_J);
    fprintf(out, "  %-20s %14s %14s\n", "mostly waits for", adept_bound_name(x->bound),
            adept_bound_name(y->bound));
    fprintf(out, "  %-20s %14s %14s\n", "fits in memory", x->fits_in_memory ? "yes" : "no",
            y->fits_in_memory ? "yes" : "no");
    if (r->extrapolation > 0)
        fprintf(out,
                "  extrapolation: %s lies %.2f octaves (factors of two) outside what the parameters were "
                "fitted on\n",
                r->extrapolation_key, r->extrapolation);
}

/* ": 100", or nothing where the note has no value. */
static const char *note_value(char text[ADEPT_UNITS_SIZE], double value) {
    snprintf(text, ADEPT_UNITS_SIZE, ": %.4g", value);
    return isnan(value) ? "" : text;
}

static void write_sweep(FILE *out, const adept_whatif_report *r) {
    char t[ADEPT_UNITS_SIZE], p[ADEPT_UNITS_SIZE], e[ADEPT_UNITS_SIZE], w[ADEPT_UNITS_SIZE];
    const adept_sweep *s = r->sweep;
    for (size_t i = 0; i < adept_sweep_axis_count(s); i++)
        fprintf(out, "%-24s ", adept_sweep_key(s, i));
    fprintf(out, "%10s %9s %9s %12s  %s\n", "time", "power", "energy", "per second", "bound by");
    for (size_t n = 0; n < r->sample->count; n++) {
        const adept_sweep_row *row = &r->sample->rows[n];
        const adept_prediction *q = &row->prediction;
        for (size_t i = 0; i < adept_sweep_axis_count(s); i++)
            fprintf(out, "%-24s ", adept_sweep_value_text(s, i, row->at[i]));
        if (row->status != ADEPT_OK) {
            fprintf(out, "%s\n", ADEPT_PLAIN(row->message));
            continue;
        }
        fprintf(out, "%10s %9s %9s %12s  %s%s", adept_units_time(t, q->step_time_s),
                adept_units_si(p, q->average_power_W, "W"), adept_units_si(e, q->energy_per_step_J, "J"),
                adept_units_si(w, q->throughput_per_s, ""), adept_bound_name(q->bound),
                q->fits_in_memory ? "" : "; does not fit");
        if (row->extrapolation > 0)
            fprintf(out, "; %.2f octaves out", row->extrapolation);
        for (size_t i = 0; i < q->note_count; i++) {
            adept_note_code code = q->notes[i].code;
            /* the network's own kernels are the same in every row */
            if (code != ADEPT_NOTE_OUTSIDE_FITTED_RANGE && adept_note_refused(code))
                fprintf(out, "; %s%s", adept_note_text(code), note_value(t, q->notes[i].value));
        }
        fputs("\n", out);
    }
    if (r->sample->stride > 1)
        fprintf(out, "every %" PRIu64 "th of %" PRIu64 " points; --csv or --json gives all\n",
                r->sample->stride, adept_sweep_points(s));
}

/* Parameters range from microseconds to tera. */
static const char *value_text(char text[ADEPT_UNITS_SIZE], double value) {
    if (fabs(value) >= 0.1)
        return adept_units_si(text, value, "");
    snprintf(text, ADEPT_UNITS_SIZE, "%.3g", value);
    return text;
}

static const char *elasticity_text(char text[ADEPT_UNITS_SIZE], const adept_elasticity *e) {
    if (isnan(e->below) && isnan(e->above))
        snprintf(text, ADEPT_UNITS_SIZE, "-");
    else if (isnan(e->below) || isnan(e->above))
        snprintf(text, ADEPT_UNITS_SIZE, "%+.3f", isnan(e->below) ? e->above : e->below);
    else if (e->kink && fabs(e->below - e->above) > 5e-4)
        snprintf(text, ADEPT_UNITS_SIZE, "%+.3f|%+.3f", e->below, e->above);
    else
        snprintf(text, ADEPT_UNITS_SIZE, "%+.3f", e->above);
    return text;
}

static void write_end(FILE *out, const adept_sensitivity_row *row) {
    char value[ADEPT_UNITS_SIZE];
    if (!isnan(row->takeover_value))
        fprintf(out, "%s takes over at %s (x%.3g)", adept_bound_name(row->takeover_bound),
                value_text(value, row->takeover_value), row->takeover_value / row->value);
    else if (!isnan(row->half_value))
        fprintf(out, "half the effect at %s (x%.3g)", value_text(value, row->half_value),
                row->half_value / row->value);
    if (row->time.jump || row->power.jump)
        fputs("; jumps here", out);
}

static void write_sensitivity(FILE *out, const adept_sensitivity *s) {
    char v[ADEPT_UNITS_SIZE], t[ADEPT_UNITS_SIZE], p[ADEPT_UNITS_SIZE], e[ADEPT_UNITS_SIZE];
    size_t count = adept_sensitivity_count(s);
    fprintf(out, "\n  percent per percent (below|above where they differ); the step mostly waits for: %s\n",
            adept_bound_name(adept_sensitivity_bound(s)));
    fprintf(out, "  %-36s %10s %15s %15s %15s  %s\n", "figure", "value", "time", "power", "energy",
            "where it stops to matter");
    for (size_t i = 0; i < count; i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        fprintf(out, "  %-36s %10s %15s %15s %15s  ", row->key, value_text(v, row->value),
                elasticity_text(t, &row->time), elasticity_text(p, &row->power),
                elasticity_text(e, &row->energy));
        write_end(out, row);
        fputs("\n", out);
    }
    fprintf(out, "  %zu further figures change nothing\n", adept_sensitivity_without_effect(s));
}

static void write_point(FILE *out, const adept_optimum *o, const adept_optimum_point *p, const char *name) {
    char buffer[40], t[ADEPT_UNITS_SIZE], w[ADEPT_UNITS_SIZE], e[ADEPT_UNITS_SIZE], g[ADEPT_UNITS_SIZE];
    const adept_sweep *s = adept_optimum_sweep(o);
    fprintf(out, "  %-8s ", name);
    for (size_t i = 0; i < adept_sweep_axis_count(s); i++) {
        const char *text = adept_optimum_text(o, p, i, buffer);
        if (!adept_sweep_is_choice(s, i) && strlen(text) > 9)
            snprintf(buffer, sizeof buffer, "%.6g", p->values[i]), text = buffer;
        fprintf(out, "%-14s ", text);
    }
    fprintf(out, "%10s %9s %12s %12s %12s\n", adept_units_time(t, p->step_time_s),
            adept_units_si(w, p->average_power_W, "W"), adept_units_time(g, p->time_per_sample_s),
            adept_units_si(e, p->energy_per_sample_J, "J"), p->fits_in_memory ? "" : "does not fit");
}

static void write_optimum(FILE *out, const adept_optimum *o) {
    char t[ADEPT_UNITS_SIZE], e[ADEPT_UNITS_SIZE], g[ADEPT_UNITS_SIZE];
    const adept_sweep *s = adept_optimum_sweep(o);
    const adept_optimum_point *best = adept_optimum_best(o), *now = adept_optimum_present(o);
    adept_optimum_counts c = adept_optimum_counts_of(o);
    size_t count = adept_optimum_front_count(o), shown = count < 16 ? count : 16;
    fprintf(out, "\n  least %s per sample\n  %-8s ", adept_goal_name(adept_optimum_goal(o)), "");
    for (size_t i = 0; i < adept_sweep_axis_count(s); i++)
        fprintf(out, "%-14s ", adept_sweep_key(s, i));
    fprintf(out, "%10s %9s %12s %12s\n", "step", "power", "time/sample", "J/sample");
    write_point(out, o, now, "now");
    write_point(out, o, best, "best");
    fprintf(out, "  best against now: %s %s, time per sample %s, energy per sample %s\n",
            adept_goal_name(adept_optimum_goal(o)),
            percent_text(g, best->goal_per_sample / now->goal_per_sample, 2),
            percent_text(t, best->time_per_sample_s / now->time_per_sample_s, 2),
            percent_text(e, best->energy_per_sample_J / now->energy_per_sample_J, 2));
    fprintf(out,
            "  %" PRIu64 " points; left out: %" PRIu64 " do not fit, %" PRIu64 " too slow, %" PRIu64
            " too much power, %" PRIu64 " refused, %" PRIu64 " without power\n",
            c.evaluated, c.out_of_memory, c.too_slow, c.too_much_power, c.failed, c.withheld);
    if (count == 0) {
        fputs("  energy is withheld: there is nothing to weigh time against\n", out);
        return;
    }
    fprintf(out, "\n  %zu points that no other beats in both time and energy%s\n", count,
            shown < count ? " (16 of them; --csv gives all)" : "");
    for (size_t i = 0; i < shown; i++)
        write_point(out, o, adept_optimum_front(o, shown > 1 ? i * (count - 1) / (shown - 1) : 0), "");
}

adept_status adept_report_whatif_text(FILE *out, const adept_whatif_report *r, adept_error *err) {
    fprintf(out, "%s on %s (%s); variant %s\n", ADEPT_PLAIN(adept_graph_path(r->job->graph)),
            ADEPT_PLAIN(adept_hardware_name(r->job->hardware)), ADEPT_PLAIN(r->hardware_asked),
            adept_variant_name(r->job->run->variant));
    write_settings(out, r);
    if (r->sample)
        write_sweep(out, r);
    if (r->sensitivity)
        write_sensitivity(out, r->sensitivity);
    if (r->optimum)
        write_optimum(out, r->optimum);
    return finish(out, err);
}
