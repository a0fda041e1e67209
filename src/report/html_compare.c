/* A comparison as one page: ranking, bars with intervals, totals, what it rests on. */
#include <math.h>
#include <string.h>

#include "adept/whatif_report.h"
#include "compare_rank.h"
#include "fail.h"
#include "html_figure.h"
#include "html_frame.h"
#include "units.h"

/* LEFT: where bars begin, behind names of up to NAME_SIZE - 1 bytes. */
enum { WIDTH = 1000, ROW = 26, LEFT = 300, NAME_SIZE = 41, TEXT_SIZE = 512 };

/* The rows of one model in a comparison: those with the same graph, from `first` on. */
typedef struct group {
    const adept_compared *items;
    size_t count, first, number; /* number: of the model, from 1 */
    const adept_compare_options *options;
} group;

static bool in_group(const group *g, size_t i) {
    return g->items[i].predicted.graph == g->items[g->first].predicted.graph;
}

static size_t group_size(const group *g) {
    size_t size = 0;
    for (size_t i = g->first; i < g->count; i++)
        size += in_group(g, i);
    return size;
}

static const char *name_of(const adept_compared *item) {
    return adept_hardware_name(item->predicted.hardware);
}

static void html_cell_rank(FILE *out, int rank) {
    char text[16];
    html_cell(out, adept_rank_text(text, rank));
}

static void table_begin(FILE *out, const char *name, const char *const *columns, size_t count) {
    fprintf(out, "<div class='plot fit' tabindex='0' role='region' aria-label='%s'><table><thead><tr>", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "<th scope='col'>%s</th>", columns[i]);
    fputs("</tr></thead><tbody>\n", out);
}

static void table_end(FILE *out) {
    fputs("</tbody></table></div>\n", out);
}

static void section_begin(FILE *out, const group *g, const char *id, const char *title) {
    char unique[40];
    snprintf(unique, sizeof unique, "%s-%zu", id, g->number);
    html_section_begin(out, unique, title);
}

/* ---- ranking ---- */

static bool any_money(const group *g) {
    for (size_t i = g->first; i < g->count; i++) {
        if (in_group(g, i) && !isnan(g->items[i].total.money))
            return true;
    }
    return false;
}

static void write_ranking_row(FILE *out, const group *g, size_t i, bool money) {
    const adept_prediction *p = g->items[i].predicted.prediction;
    char text[64];
    html_row_begin(out, name_of(&g->items[i]));
    html_cell_rank(out, adept_rank_of(g->items, g->count, i, ADEPT_RANK_TIME));
    html_cell_rank(out, adept_rank_of(g->items, g->count, i, ADEPT_RANK_ENERGY));
    if (money)
        html_cell_rank(out, adept_rank_of(g->items, g->count, i, ADEPT_RANK_MONEY));
    html_cell_number(out, 1e3 * p->step_time_s, "%.4g");
    html_cell_number(out, p->average_power_W, "%.4g");
    html_cell_number(out, p->throughput_per_s, "%.4g");
    html_cell_number(out, adept_rank_figure(&g->items[i], ADEPT_RANK_ENERGY), "%.4g");
    html_cell(out, p->fits_in_memory ? "yes" : "no");
    bool same = p->time_evidence == p->power_evidence;
    snprintf(text, sizeof text, "%s%s%s", adept_evidence_name(p->time_evidence), same ? "" : ", ",
             same ? "" : adept_evidence_name(p->power_evidence));
    html_cell(out, text);
    html_row_end(out);
}

static void write_ranking(FILE *out, const group *g) {
    static const char *const with_cost[] = {"GPU",      "by time",   "by energy", "by cost", "step, ms",
                                            "power, W", "samples/s", "J/sample",  "fits",    "rests on"};
    static const char *const without[] = {"GPU",       "by time",  "by energy", "step, ms", "power, W",
                                          "samples/s", "J/sample", "fits",      "rests on"};
    bool money = any_money(g);
    section_begin(out, g, "ranking", "Ranking");
    table_begin(out, "Ranking", money ? with_cost : without, money ? 10 : 9);
    for (size_t i = g->first; i < g->count; i++) {
        if (in_group(g, i))
            write_ranking_row(out, g, i, money);
    }
    table_end(out);
    fputs("<p class='sub'>1 is best, among the GPUs into whose memory the job fits. Last column: on what "
          "time and power rest.",
          out);
    if (money)
        fputs(" Cost is ranked where it is known.", out);
    fputs("</p>\n", out);
    html_section_end(out);
}

/* ---- bars ---- */

typedef struct bars {
    const char *id, *title, *unit, *caption;
    double (*value)(const adept_compared *item);
    adept_interval (*interval)(const adept_compared *item);
} bars;

static double time_of(const adept_compared *item) {
    return item->predicted.prediction->step_time_s;
}

static adept_interval time_interval_of(const adept_compared *item) {
    return item->predicted.prediction->step_time_interval_s;
}

static double power_of(const adept_compared *item) {
    return item->predicted.prediction->average_power_W;
}

static adept_interval power_interval_of(const adept_compared *item) {
    return item->predicted.prediction->average_power_interval_W;
}

static double energy_of(const adept_compared *item) {
    return adept_rank_figure(item, ADEPT_RANK_ENERGY);
}

static adept_interval no_interval(const adept_compared *item) {
    (void)item;
    return (adept_interval){NAN, NAN};
}

static const bars figures[] = {
    {"time",   "Step time",              "s",
     "Lines: interval of measurements held out, where one is known. Pale: does not fit in memory.",            time_of,
     time_interval_of                                                                                                                      },
    {"power",  "Average power of a GPU", "W", "Lines: interval of measurements held out, where one is known.",
     power_of,                                                                                                            power_interval_of},
    {"energy", "Energy per sample",      "J",
     "All GPUs of the job, without the rest of the machine. The intervals of time and power are not "
     "independent; none is given for their product.",                                                          energy_of, no_interval      },
};

static double largest(const group *g, const bars *b) {
    double most = 0;
    for (size_t i = g->first; i < g->count; i++) {
        if (!in_group(g, i))
            continue;
        most = fmax(most, b->value(&g->items[i]));
        most = fmax(most, b->interval(&g->items[i]).upper);
    }
    return most;
}

static void value_text(char *text, const bars *b, double value) {
    if (*b->unit == 's')
        adept_units_time(text, value);
    else
        adept_units_si(text, value, b->unit);
}

/* From the lower to the upper end, with a stroke at each. */
static void draw_interval(FILE *out, double x1, double x2, double y) {
    fprintf(out, "<path class='whisker' d='M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8'/>\n", x1, y, x2, x1,
            y - 4, x2, y - 4);
}

static void draw_bar(FILE *out, const bars *b, const adept_compared *item, double y, double per_unit) {
    char value[ADEPT_UNITS_SIZE], text[TEXT_SIZE], name[NAME_SIZE];
    adept_interval interval = b->interval(item);
    bool fits = item->predicted.prediction->fits_in_memory;
    double width = b->value(item) * per_unit, end = LEFT + width;
    value_text(value, b, b->value(item));
    snprintf(text, sizeof text, "%.200s: %s%s", name_of(item), value, fits ? "" : ", does not fit in memory");
    snprintf(name, sizeof name, "%s", name_of(item));
    html_label(out, "name", LEFT - 10, y + 14, "end", name);
    html_bar(out, fits ? "s1" : "s1 faint", LEFT, y, width, ROW - 8, text);
    if (!isnan(interval.lower)) {
        draw_interval(out, LEFT + interval.lower * per_unit, LEFT + interval.upper * per_unit,
                      y + (ROW - 8) / 2.0);
        end = fmax(end, LEFT + interval.upper * per_unit);
    }
    html_label(out, "value", end + 7, y + 14, "start", value);
}

static void write_bars(FILE *out, const group *g, const bars *b) {
    char id[40], text[TEXT_SIZE], column[64];
    const char *const columns[] = {"GPU", column, "lower", "upper"};
    double most = largest(g, b), y = 8;
    if (!(most > 0)) /* power and energy withheld everywhere */
        return;
    section_begin(out, g, b->id, b->title);
    snprintf(id, sizeof id, "bars-%s-%zu", b->id, g->number);
    snprintf(text, sizeof text, "%s of %zu GPUs as bars, the fastest GPU first.", b->title, group_size(g));
    html_figure_begin(out, id, b->title, text, WIDTH, (double)group_size(g) * ROW + 16);
    for (size_t i = g->first; i < g->count; i++) {
        if (!in_group(g, i))
            continue;
        if (!isnan(b->value(&g->items[i])))
            draw_bar(out, b, &g->items[i], y, (WIDTH - LEFT - 90) / most);
        y += ROW;
    }
    snprintf(column, sizeof column, "%s, %s", b->title, b->unit);
    html_figure_table(out, b->caption, columns, 4);
    for (size_t i = g->first; i < g->count; i++) {
        if (!in_group(g, i))
            continue;
        html_row_begin(out, name_of(&g->items[i]));
        html_cell_number(out, b->value(&g->items[i]), "%.4g");
        html_cell_number(out, b->interval(&g->items[i]).lower, "%.4g");
        html_cell_number(out, b->interval(&g->items[i]).upper, "%.4g");
        html_row_end(out);
    }
    html_figure_end(out);
    html_section_end(out);
}

/* ---- totals ---- */

static void write_totals(FILE *out, const group *g) {
    static const char *const columns[] = {"GPU",   "steps", "hours",    "kWh",
                                          "gCO2e", "money", "currency", "energy of"};
    section_begin(out, g, "totals", "Totals of the run");
    table_begin(out, "Totals of the run", columns, sizeof columns / sizeof columns[0]);
    for (size_t i = g->first; i < g->count; i++) {
        const adept_total *t = &g->items[i].total;
        if (!in_group(g, i))
            continue;
        html_row_begin(out, name_of(&g->items[i]));
        html_cell_number(out, t->steps, "%.0f");
        html_cell_number(out, t->hours, "%.4g");
        html_cell_number(out, t->energy_kWh, "%.4g");
        html_cell_number(out, t->carbon_g, "%.4g");
        html_cell_number(out, t->money, "%.4g");
        html_cell(out, isnan(t->money) ? "-" : g->items[i].price.currency);
        html_cell(out, t->node_scope ? "the nodes" : "the GPU boards");
        html_row_end(out);
    }
    table_end(out);
    html_section_end(out);
}

/* ---- what it rests on ---- */

static void note_prediction(FILE *out, const adept_compared *item) {
    char text[TEXT_SIZE], value[48];
    const adept_prediction *p = item->predicted.prediction;
    for (size_t i = 0; i < p->note_count; i++) {
        value[0] = '\0';
        if (!isnan(p->notes[i].value))
            snprintf(value, sizeof value, ": %.4g", p->notes[i].value);
        snprintf(text, sizeof text, "%.200s: %s%s", name_of(item), adept_note_text(p->notes[i].code), value);
        html_note(out, text);
    }
}

static void write_model_notes(FILE *out, const group *g) {
    char text[TEXT_SIZE];
    const adept_predicted *in = &g->items[g->first].predicted;
    adept_coverage coverage = adept_profile_coverage(in->profile);
    section_begin(out, g, "assumptions", "Assumptions and evidence");
    fputs("<ul class='notes'>\n", out);
    snprintf(text, sizeof text, "%zu of %zu nodes of the network have a handler.", coverage.nodes_supported,
             coverage.nodes_total);
    html_note(out, text);
    html_note(out,
              "Fitted: parameters were fitted to measurements of that GPU. Transferred: to those of others. "
              "Datasheet: no measurement took part.");
    html_profile_notes(out, in->profile);
    for (size_t i = g->first; i < g->count; i++) {
        if (in_group(g, i))
            note_prediction(out, &g->items[i]);
    }
    fputs("</ul>\n", out);
    html_section_end(out);
}

static void write_economics(FILE *out, const adept_compare_options *o) {
    char text[TEXT_SIZE];
    if (!o->totals)
        return;
    html_section_begin(out, "economics", "Energy, carbon and money");
    fputs("<ul class='notes'>\n", out);
    snprintf(text, sizeof text, "Energy includes a PUE of %.3g%s.", o->pue,
             o->pue > 1 ? "" : " (none given: the machines alone)");
    html_note(out, text);
    if (o->carbon_from) {
        snprintf(text, sizeof text, "Carbon: %.4g g CO2e per kWh, %.380s. An average of a year.",
                 o->carbon_g_per_kWh, o->carbon_from);
        html_note(out, text);
    }
    snprintf(text, sizeof text, "Money: hours of GPUs and energy, whichever the price file names (%.300s).",
             o->prices_from ? o->prices_from : "the one that comes with ADEPT, without rows");
    html_note(out, text);
    fputs("</ul>\n", out);
    html_section_end(out);
}

/* ---- the page ---- */

static bool is_first(const adept_compared *items, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (items[i].predicted.graph == items[index].predicted.graph)
            return false;
    }
    return true;
}

static void write_header(FILE *out, const adept_compared *items, size_t count) {
    char title[TEXT_SIZE];
    size_t models = 0;
    const adept_run *run = items[0].predicted.run;
    for (size_t i = 0; i < count; i++)
        models += is_first(items, i);
    if (models == 1)
        snprintf(title, sizeof title, "%.300s on %zu GPUs",
                 html_file_name(adept_graph_path(items[0].predicted.graph)), count);
    else
        snprintf(title, sizeof title, "%zu networks on %zu GPUs", models, count / models);
    html_page_begin(out, title);
    fprintf(out, "<p class='sub'>%s, %s, %s, %d GPU%s each; model variant %s.</p>\n",
            run->mode == ADEPT_MODE_TRAIN ? "Training steps" : "Inference batches",
            adept_precision_name(run->precision),
            run->mode == ADEPT_MODE_TRAIN ? adept_optimizer_name(run->optimizer) : "no optimizer",
            (int)run->gpus, run->gpus > 1 ? "s" : "", adept_variant_name(run->variant));
}

/* The best in each figure that has a winner. */
static void write_tiles(FILE *out, const group *g) {
    static const struct {
        adept_rank by;
        const char *name;
    } rows[] = {
        {ADEPT_RANK_TIME,   "fastest"     },
        {ADEPT_RANK_ENERGY, "least energy"},
        {ADEPT_RANK_MONEY,  "cheapest"    }
    };
    char text[ADEPT_UNITS_SIZE], more[64];
    fputs("<dl class='tiles'>\n", out);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        for (size_t i = g->first; i < g->count; i++) {
            const adept_compared *item = &g->items[i];
            if (!in_group(g, i) || adept_rank_of(g->items, g->count, i, rows[k].by) != 1)
                continue;
            double figure = adept_rank_figure(item, rows[k].by);
            if (rows[k].by == ADEPT_RANK_MONEY)
                snprintf(more, sizeof more, "%.4g %s", figure, item->price.currency);
            else
                snprintf(more, sizeof more, "%s per sample",
                         rows[k].by == ADEPT_RANK_TIME ? adept_units_time(text, figure)
                                                       : adept_units_si(text, figure, "J"));
            html_tile(out, rows[k].name, name_of(item), more);
            break;
        }
    }
    fputs("</dl>\n", out);
}

static void write_model(FILE *out, const group *g, bool several) {
    const adept_predicted *in = &g->items[g->first].predicted;
    const adept_workload *w = adept_profile_workload(in->profile);
    if (several) {
        fputs("<h2>", out);
        html_text(out, html_file_name(adept_graph_path(in->graph)));
        fputs("</h2>\n", out);
    }
    fprintf(out, "<p class='sub'>Batch %.0f per GPU, %d micro-batch%s a step.</p>\n", w->samples,
            (int)w->grad_accum, w->grad_accum > 1 ? "es" : "");
    write_tiles(out, g);
    write_ranking(out, g);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        write_bars(out, g, &figures[i]);
    if (g->options->totals)
        write_totals(out, g);
    write_model_notes(out, g);
}

adept_status adept_report_compare_html(FILE *out, const adept_compared *items, size_t count,
                                       const adept_compare_options *o, adept_error *err) {
    group g = {items, count, 0, 0, o};
    if (count == 0)
        return adept_fail(err, ADEPT_ARGUMENT, "nothing to compare");
    write_header(out, items, count);
    html_page_main(out);
    for (size_t i = 0; i < count; i++) {
        if (!is_first(items, i))
            continue;
        g.first = i;
        g.number++;
        write_model(out, &g, items[count - 1].predicted.graph != items[0].predicted.graph);
    }
    write_economics(out, o);
    html_page_end(
        out, "Predicted by ADEPT from the networks' graphs and the GPUs' figures; nothing was measured.");
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the page");
}
