#include <math.h>
#include <string.h>

#include "adept/whatif_report.h"
#include "compare_rank.h"
#include "fail.h"
#include "number.h"
#include "plain_text.h"
#include "strict_csv.h"
#include "strict_json.h"
#include "units.h"

static adept_status finish(FILE *out, adept_error *err) {
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the report");
}

/* ---- ranks ---- */

double adept_rank_figure(const adept_compared *item, adept_rank by) {
    const adept_workload *w = adept_profile_workload(item->predicted.profile);
    const adept_prediction *p = item->predicted.prediction;
    double samples = w->samples * w->grad_accum * w->gpus;
    const double figures[] = {
        [ADEPT_RANK_TIME] = p->step_time_s / samples,
        [ADEPT_RANK_ENERGY] = p->energy_per_step_J / samples,
        [ADEPT_RANK_MONEY] = item->total.money,
    };
    return figures[by];
}

int adept_rank_of(const adept_compared *items, size_t count, size_t index, adept_rank by) {
    int rank = 1;
    const adept_compared *me = &items[index];
    if (!me->predicted.prediction->fits_in_memory || isnan(adept_rank_figure(me, by)))
        return 0;
    for (size_t i = 0; i < count; i++) {
        const adept_compared *other = &items[i];
        if (other->predicted.graph == me->predicted.graph && other->predicted.prediction->fits_in_memory &&
            adept_rank_figure(other, by) < adept_rank_figure(me, by))
            rank++;
    }
    return rank;
}

const char *adept_rank_text(char text[16], int rank) {
    if (rank == 0)
        return "-";
    snprintf(text, 16, "%d", rank);
    return text;
}

/* ---- text ---- */

static void write_row(FILE *out, const adept_compared *items, size_t count, size_t i) {
    char t[ADEPT_UNITS_SIZE], w[ADEPT_UNITS_SIZE], s[ADEPT_UNITS_SIZE], e[ADEPT_UNITS_SIZE];
    char r1[16], r2[16];
    const adept_prediction *p = items[i].predicted.prediction;
    const char *refused = "";
    for (size_t k = 0; k < p->note_count; k++) {
        if (adept_note_refused(p->notes[k].code))
            refused = adept_note_text(p->notes[k].code);
    }
    fprintf(out, "  %-22s %10s %9s %11s %11s %5s %6s   %s%s%s%s\n",
            ADEPT_PLAIN(adept_hardware_id(items[i].predicted.hardware)), adept_units_time(t, p->step_time_s),
            adept_units_si(w, p->average_power_W, "W"), adept_units_si(s, p->throughput_per_s, ""),
            adept_units_si(e, adept_rank_figure(&items[i], ADEPT_RANK_ENERGY), "J"),
            adept_rank_text(r1, adept_rank_of(items, count, i, ADEPT_RANK_TIME)),
            adept_rank_text(r2, adept_rank_of(items, count, i, ADEPT_RANK_ENERGY)),
            adept_evidence_name(p->time_evidence), p->fits_in_memory ? "" : "; does not fit in memory",
            *refused ? "; " : "", refused);
}

static void number_or_dash(FILE *out, double value, const char *format) {
    char text[64];
    snprintf(text, sizeof text, format, value);
    fprintf(out, " %12s", isnan(value) ? "-" : text);
}

static void write_total(FILE *out, const adept_compared *item, int rank) {
    char text[16];
    const adept_total *t = &item->total;
    fprintf(out, "  %-22s %12.0f", ADEPT_PLAIN(adept_hardware_id(item->predicted.hardware)), t->steps);
    number_or_dash(out, t->hours, "%.4g");
    number_or_dash(out, t->energy_kWh, "%.4g");
    number_or_dash(out, t->carbon_g, "%.4g");
    number_or_dash(out, t->money, "%.4g");
    fprintf(out, " %-4s %6s   %s\n", isnan(t->money) ? "" : ADEPT_PLAIN(item->price.currency),
            adept_rank_text(text, rank), t->node_scope ? "node" : "GPU boards");
}

static void write_model(FILE *out, const adept_compared *items, size_t count, size_t first,
                        const adept_compare_options *o) {
    const adept_graph *graph = items[first].predicted.graph;
    const adept_workload *w = adept_profile_workload(items[first].predicted.profile);
    fprintf(out, "%s, %s, batch %.0f per GPU, %d GPU%s\n\n", ADEPT_PLAIN(adept_graph_path(graph)),
            adept_precision_name(w->precision), w->samples, (int)w->gpus, w->gpus > 1 ? "s" : "");
    fprintf(out, "  %-22s %10s %9s %11s %11s %5s %6s   %s\n", "hardware", "step", "power", "samples/s",
            "J/sample", "time", "energy", "evidence of time");
    for (size_t i = first; i < count; i++) {
        if (items[i].predicted.graph == graph)
            write_row(out, items, count, i);
    }
    if (!o->totals)
        return;
    fprintf(out, "\n  %-22s %12s %12s %12s %12s %12s %4s %6s   %s\n", "the run", "steps", "hours", "kWh",
            "gCO2e", "money", "", "cost", "energy of");
    for (size_t i = first; i < count; i++) {
        if (items[i].predicted.graph == graph)
            write_total(out, &items[i], adept_rank_of(items, count, i, ADEPT_RANK_MONEY));
    }
}

adept_status adept_report_compare_text(FILE *out, const adept_compared *items, size_t count,
                                       const adept_compare_options *o, adept_error *err) {
    for (size_t i = 0; i < count; i++) {
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && items[j].predicted.graph != items[i].predicted.graph;
        if (first)
            write_model(out, items, count, i, o);
    }
    if (o->totals) {
        fprintf(out, "\n  energy includes a PUE of %.3g%s\n", o->pue,
                o->pue == 1 ? " (none given: the machines alone)" : "");
        if (o->carbon_from)
            fprintf(out, "  carbon: %.4g g/kWh, %s\n", o->carbon_g_per_kWh, ADEPT_PLAIN(o->carbon_from));
        fputs("  money: hours of GPUs and energy, whichever the price file names; - where the hour of that "
              "GPU is not in it\n",
              out);
    }
    fputs("  ranks are per sample, among the GPUs on which it fits\n", out);
    return finish(out, err);
}

/* ---- JSON and CSV ---- */

static void put_item(adept_json_writer *w, const adept_compared *items, size_t count, size_t i,
                     const adept_compare_options *o) {
    const adept_compared *item = &items[i];
    const adept_prediction *p = item->predicted.prediction;
    adept_json_begin_object(w, NULL);
    adept_json_put_string(w, "model", adept_graph_path(item->predicted.graph));
    adept_json_put_string(w, "hardware", adept_hardware_id(item->predicted.hardware));
    adept_json_put_number(w, "step_time_s", p->step_time_s);
    adept_json_put_number(w, "average_power_W", p->average_power_W);
    adept_json_put_number(w, "energy_per_step_J", p->energy_per_step_J);
    adept_json_put_number(w, "throughput_per_s", p->throughput_per_s);
    adept_json_put_number(w, "energy_per_sample_J", adept_rank_figure(item, ADEPT_RANK_ENERGY));
    adept_json_put_bool(w, "fits_in_memory", p->fits_in_memory);
    adept_json_put_string(w, "time_evidence", adept_evidence_name(p->time_evidence));
    adept_json_put_string(w, "power_evidence", adept_evidence_name(p->power_evidence));
    adept_json_put_integer(w, "rank_time", adept_rank_of(items, count, i, ADEPT_RANK_TIME));
    adept_json_put_integer(w, "rank_energy", adept_rank_of(items, count, i, ADEPT_RANK_ENERGY));
    if (o->totals) {
        adept_json_put_integer(w, "rank_cost", adept_rank_of(items, count, i, ADEPT_RANK_MONEY));
        adept_json_begin_object(w, "total");
        adept_json_put_number(w, "steps", item->total.steps);
        adept_json_put_number(w, "hours", item->total.hours);
        adept_json_put_number(w, "energy_kWh", item->total.energy_kWh);
        adept_json_put_string(w, "energy_of", item->total.node_scope ? "node" : "gpus");
        adept_json_put_number(w, "carbon_gCO2e", item->total.carbon_g);
        adept_json_put_number(w, "money", item->total.money);
        adept_json_put_string(w, "currency", item->price.currency);
        adept_json_end(w);
    }
    adept_json_end(w);
}

adept_status adept_report_compare_json(FILE *out, const adept_compared *items, size_t count,
                                       const adept_compare_options *o, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    adept_json_put_number(&w, "pue", o->pue);
    adept_json_put_number(&w, "carbon_g_per_kWh", o->carbon_g_per_kWh);
    adept_json_put_string(&w, "carbon_source", o->carbon_from);
    adept_json_begin_array(&w, "comparison");
    for (size_t i = 0; i < count; i++)
        put_item(&w, items, count, i, o);
    adept_json_end(&w);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}

adept_status adept_report_compare_csv(FILE *out, const adept_compared *items, size_t count,
                                      const adept_compare_options *o, adept_error *err) {
    char text[ADEPT_NUMBER_SIZE];
    (void)o;
    fputs("model,hardware,fits_in_memory,rank_time,rank_energy,rank_cost,step_time_s,average_power_W,"
          "energy_per_step_J,throughput_per_s,energy_per_sample_J,steps,hours,energy_kWh,carbon_gCO2e,money,"
          "currency\n",
          out);
    for (size_t i = 0; i < count; i++) {
        const adept_compared *item = &items[i];
        const adept_prediction *p = item->predicted.prediction;
        const double numbers[] = {p->step_time_s,
                                  p->average_power_W,
                                  p->energy_per_step_J,
                                  p->throughput_per_s,
                                  adept_rank_figure(item, ADEPT_RANK_ENERGY),
                                  item->total.steps,
                                  item->total.hours,
                                  item->total.energy_kWh,
                                  item->total.carbon_g,
                                  item->total.money};
        adept_csv_write_field(out, adept_graph_path(item->predicted.graph));
        fprintf(out, ",%s,%s,%d,%d,%d", adept_hardware_id(item->predicted.hardware),
                p->fits_in_memory ? "true" : "false", adept_rank_of(items, count, i, ADEPT_RANK_TIME),
                adept_rank_of(items, count, i, ADEPT_RANK_ENERGY),
                adept_rank_of(items, count, i, ADEPT_RANK_MONEY));
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            fprintf(out, ",%s", isfinite(numbers[k]) ? adept_number_format(text, numbers[k]) : "");
        fprintf(out, ",%s\n", item->price.currency);
    }
    return finish(out, err);
}
