#include "html_charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "html_figure.h"
#include "units.h"

enum { WIDTH = 960, ROW = 26, TEXT_SIZE = 512 };

/* ---- time: from the ideal to the predicted step ---- */

static const char *loss_class(int loss) {
    return loss == ADEPT_LOSS_IDEAL ? "s1" : "s2";
}

void html_chart_waterfall(FILE *out, const adept_prediction *p) {
    static const char *const columns[] = {"part", "ms", "share %", "until here, ms"};
    const double left = 230, right = WIDTH - 150;
    char text[TEXT_SIZE], time[ADEPT_UNITS_SIZE];
    double at = 0, height = (ADEPT_LOSS_COUNT + 1) * ROW + 16;
    snprintf(text, sizeof text,
             "Bars one behind the other from arithmetic at datasheet peak, %s, to the step of %.4g ms.",
             adept_units_time(time, p->losses_s[ADEPT_LOSS_IDEAL]), 1e3 * p->step_time_s);
    html_figure_begin(out, "waterfall", "Where the time of a step goes", text, WIDTH, height);
    for (int i = 0; i <= ADEPT_LOSS_COUNT; i++) {
        bool total = i == ADEPT_LOSS_COUNT;
        double part = total ? p->step_time_s : p->losses_s[i], y = 8 + i * ROW;
        double x0 = left + (right - left) * (total ? 0 : at) / p->step_time_s;
        const char *name = total ? "step" : adept_loss_text((adept_loss)i);
        snprintf(text, sizeof text, "%s, %.1f %%", adept_units_time(time, part), 100 * part / p->step_time_s);
        html_label(out, total ? "name strong" : "name", left - 10, y + 14, "end", name);
        double width = (right - left) * part / p->step_time_s;
        if (part > 0)
            html_bar(out, total ? "total" : loss_class(i), x0, y, width, ROW - 8, text);
        html_label(out, "value", x0 + fmax(width, 0) + 7, y + 14, "start", text);
        at += total ? 0 : part;
        if (!total && i + 1 < ADEPT_LOSS_COUNT)
            fprintf(out, "<path class='link' d='M%.1f %.1fv8'/>\n",
                    left + (right - left) * at / p->step_time_s, y + ROW - 8);
    }
    html_figure_table(out,
                      "Blue: what the arithmetic needs at the peak of its units. Orange: what comes on top.",
                      columns, 4);
    at = 0;
    for (int i = 0; i < ADEPT_LOSS_COUNT; i++) {
        at += p->losses_s[i];
        html_row_begin(out, adept_loss_text((adept_loss)i));
        html_cell_number(out, 1e3 * p->losses_s[i], "%.4g");
        html_cell_number(out, 100 * p->losses_s[i] / p->step_time_s, "%.2f");
        html_cell_number(out, 1e3 * at, "%.4g");
        html_row_end(out);
    }
    html_figure_end(out);
}

/* ---- roofline ---- */

typedef struct spot {
    double intensity, rate, time_s; /* FLOP/B, FLOP/s, s */
    adept_bound bound;
    const char *name, *type;
} spot;

static double flop_of(const adept_work *w) {
    return w->gemm_flop + w->conv_flop + w->alu_flop;
}

static spot spot_of(const adept_predicted *p, size_t row) {
    const adept_operator *op = adept_profile_operator(p->profile, row);
    adept_operator_cost cost = adept_explanation_operator(p->explanation, row);
    double flop = flop_of(&op->forward) + flop_of(&op->backward);
    double bytes = op->forward.read_B + op->forward.write_B + op->backward.read_B + op->backward.write_B;
    return (spot){flop / bytes, flop / cost.time_s, cost.time_s, cost.bound, op->name, op->op_type};
}

static int by_time(const void *a, const void *b) {
    const spot *x = a, *y = b;
    return x->time_s > y->time_s ? -1 : x->time_s < y->time_s;
}

enum { SPOTS_MAX = 600 };

/* The longest operators that compute anything; *left_out counts the others that take time. */
static size_t collect_spots(const adept_predicted *p, spot *spots, size_t *left_out, double *total_s) {
    size_t count = 0, rows = adept_profile_operator_count(p->profile);
    *left_out = 0;
    *total_s = 0;
    spot *all = calloc(rows ? rows : 1, sizeof *all);
    for (size_t i = 0; all && i < rows; i++) {
        spot s = spot_of(p, i);
        if (!(s.time_s > 0))
            continue;
        *total_s += s.time_s;
        if (isfinite(s.intensity) && s.intensity > 0 && isfinite(s.rate) && s.rate > 0)
            all[count++] = s;
        else
            ++*left_out;
    }
    if (all)
        qsort(all, count, sizeof *all, by_time);
    if (count > SPOTS_MAX) {
        *left_out += count - SPOTS_MAX;
        count = SPOTS_MAX;
    }
    if (all)
        memcpy(spots, all, count * sizeof *all);
    free(all);
    return count;
}

/* Arithmetic that does most matrix FLOP of the workload. */
static adept_math main_math(const adept_workload *w) {
    double flop[ADEPT_MATH_COUNT] = {0};
    int best = ADEPT_MATH_FP32;
    for (size_t i = 0; i < w->kernel_count; i++)
        flop[w->kernels[i].math] += w->kernels[i].gemm_flop + w->kernels[i].conv_flop;
    for (int i = 0; i < ADEPT_MATH_COUNT; i++)
        best = flop[i] > flop[best] ? i : best;
    return (adept_math)best;
}

static const char *bound_class(adept_bound bound) {
    return bound == ADEPT_BOUND_COMPUTE ? "p1" : bound == ADEPT_BOUND_POWER ? "p3" : "p2";
}

typedef struct roof {
    double flop_per_s;
    char name[64];
} roof;

static void draw_roof(FILE *out, const html_axis *x, const html_axis *y, const roof *r, double bandwidth) {
    double ridge = fmax(r->flop_per_s / bandwidth, x->low);
    if (r->flop_per_s > y->high || ridge > x->high)
        return;
    fprintf(out, "<path class='roof' d='M%.1f %.1fH%.1f'/>\n", html_axis_place(x, ridge),
            html_axis_place(y, r->flop_per_s), x->to);
    html_label(out, "roofname", x->to - 4, html_axis_place(y, r->flop_per_s) - 6, "end", r->name);
}

static void draw_slope(FILE *out, const html_axis *x, const html_axis *y, double bandwidth, double top) {
    char text[64], rate[ADEPT_UNITS_SIZE];
    double from = fmax(x->low, y->low / bandwidth), to = fmin(x->high, top / bandwidth);
    if (!(from < to))
        return;
    double x0 = html_axis_place(x, from), y0 = html_axis_place(y, from * bandwidth);
    double x1 = html_axis_place(x, to), y1 = html_axis_place(y, to * bandwidth);
    fprintf(out, "<path class='roof' d='M%.1f %.1fL%.1f %.1f'/>\n", x0, y0, x1, y1);
    double mx = x0 + 0.30 * (x1 - x0), my = y0 + 0.30 * (y1 - y0);
    snprintf(text, sizeof text, "memory, %s", adept_units_si(rate, bandwidth, "B/s"));
    fprintf(out, "<g transform='translate(%.1f %.1f) rotate(%.1f)'>", mx, my - 7,
            atan2(y1 - y0, x1 - x0) * 180 / 3.14159265358979);
    html_label(out, "roofname", 0, 0, "middle", text);
    fputs("</g>\n", out);
}

static void draw_legend(FILE *out, double x, double y, const char *const *classes, const char *const *names,
                        size_t count) {
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "<circle class='%s' cx='%.1f' cy='%.1f' r='5'/>", classes[i], x, y - 4);
        html_label(out, "legend", x + 10, y, "start", names[i]);
        x += 36 + 7.6 * (double)strlen(names[i]);
    }
}

static void draw_roofline(FILE *out, const adept_predicted *p, const spot *spots, size_t count) {
    const adept_hardware_spec *spec = adept_hardware_spec_of(p->hardware);
    adept_math math = main_math(adept_profile_workload(p->profile));
    adept_peak_choice matrix = adept_peak_for_matrix(spec, math);
    char rate[ADEPT_UNITS_SIZE], text[TEXT_SIZE];
    html_axis x = {INFINITY, -INFINITY, true, 80, WIDTH - 20, "operations per byte of device memory (FLOP/B)",
                   ""};
    html_axis y = {INFINITY, -INFINITY, true, 430, 40, "operations per second (FLOP/s)", ""};
    for (size_t i = 0; i < count; i++) {
        html_axis_include(&x, spots[i].intensity);
        html_axis_include(&y, spots[i].rate);
    }
    html_axis_include(&x, 2 * matrix.flop_per_s / spec->memory_bandwidth_B_per_s);
    html_axis_include(&y, matrix.flop_per_s);
    html_axis_finish(&x);
    html_axis_finish(&y);
    html_axes(out, &x, &y);
    draw_slope(out, &x, &y, spec->memory_bandwidth_B_per_s, matrix.flop_per_s);
    roof roofs[2] = {{.flop_per_s = matrix.flop_per_s},
                     {.flop_per_s = spec->peak_flop_per_s[ADEPT_PEAK_FP32]}};
    snprintf(roofs[0].name, sizeof roofs[0].name, "%s, %s", adept_peak_name(matrix.unit),
             adept_units_si(rate, matrix.flop_per_s, "FLOP/s"));
    snprintf(roofs[1].name, sizeof roofs[1].name, "fp32 cores, %s",
             adept_units_si(rate, roofs[1].flop_per_s, "FLOP/s"));
    for (int i = 0; i < (matrix.unit == ADEPT_PEAK_FP32 ? 1 : 2); i++)
        draw_roof(out, &x, &y, &roofs[i], spec->memory_bandwidth_B_per_s);
    double longest = count ? spots[0].time_s : 1;
    for (size_t i = 0; i < count; i++) { /* large ones first, so that small ones stay visible */
        snprintf(text, sizeof text, "%s (%s): %s, %.3g FLOP/B", spots[i].name, spots[i].type,
                 adept_units_time(rate, spots[i].time_s), spots[i].intensity);
        html_dot(out, bound_class(spots[i].bound), html_axis_place(&x, spots[i].intensity),
                 html_axis_place(&y, spots[i].rate), 2.5 + 7.5 * sqrt(spots[i].time_s / longest), text);
    }
    static const char *const classes[] = {"p1", "p2", "p3"};
    static const char *const names[] = {"bound by compute", "bound by memory", "slowed by the power limit"};
    draw_legend(out, 330, 18, classes, names, 3);
}

void html_chart_roofline(FILE *out, const adept_predicted *p) {
    static const char *const columns[] = {"operator", "type",    "time, us", "share %",
                                          "FLOP/B",   "GFLOP/s", "bound by"};
    spot *spots = calloc(SPOTS_MAX, sizeof *spots);
    size_t left_out = 0;
    double total_s = 0;
    char text[TEXT_SIZE];
    if (!spots)
        return;
    size_t count = collect_spots(p, spots, &left_out, &total_s);
    snprintf(
        text, sizeof text,
        "Operators by arithmetic intensity and achieved rate, below the roofs of memory bandwidth and peak "
        "arithmetic. The longest is %s.",
        count ? spots[0].name : "none");
    html_figure_begin(out, "roofline", "Roofline with the operators on it", text, WIDTH, 475);
    draw_roofline(out, p, spots, count);
    snprintf(text, sizeof text,
             "A dot is an operator, forward and backward; its area is its time. %zu operators that only move "
             "data, "
             "or are beyond the longest %d, are not drawn.",
             left_out, (int)SPOTS_MAX);
    html_figure_table(out, text, columns, 7);
    for (size_t i = 0; i < count && i < 40; i++) {
        html_row_begin(out, spots[i].name);
        html_cell(out, spots[i].type);
        html_cell_number(out, 1e6 * spots[i].time_s, "%.4g");
        html_cell_number(out, 100 * spots[i].time_s / total_s, "%.2f");
        html_cell_number(out, spots[i].intensity, "%.3g");
        html_cell_number(out, spots[i].rate / 1e9, "%.4g");
        html_cell(out, adept_bound_name(spots[i].bound));
        html_row_end(out);
    }
    html_figure_end(out);
    free(spots);
}

/* ---- energy by module ---- */

enum { MODULES_MAX = 28 };

/* Modules down to a depth with at least 2 % of the energy. */
static size_t pick_down_to(const adept_predicted *p, int32_t depth, double least_J, size_t *picked) {
    size_t count = 0;
    for (size_t i = 0; i < adept_profile_module_count(p->profile); i++) {
        if (adept_profile_module(p->profile, i)->depth > depth ||
            adept_explanation_module(p->explanation, i).energy_J < least_J)
            continue;
        if (count < MODULES_MAX)
            picked[count] = i;
        count++;
    }
    return count;
}

/* In the network's order, down to the depth at which all of them still fit. */
static size_t pick_modules(const adept_predicted *p, size_t *picked, double *whole_J) {
    *whole_J = 0;
    for (size_t i = 0; i < adept_profile_module_count(p->profile); i++) {
        if (*adept_profile_module(p->profile, i)->path == '\0')
            *whole_J = adept_explanation_module(p->explanation, i).energy_J;
    }
    int32_t depth = 1;
    while (depth < 16 && pick_down_to(p, depth + 1, 0.02 * *whole_J, picked) <= MODULES_MAX)
        depth++;
    size_t count = pick_down_to(p, depth, 0.02 * *whole_J, picked);
    return count < MODULES_MAX ? count : MODULES_MAX;
}

void html_chart_modules(FILE *out, const adept_predicted *p) {
    static const char *const columns[] = {"module", "energy, J", "share %", "time, ms"};
    const double left = 330, right = WIDTH - 150;
    size_t picked[MODULES_MAX];
    double whole_J;
    char text[TEXT_SIZE], energy[ADEPT_UNITS_SIZE];
    size_t count = pick_modules(p, picked, &whole_J);
    if (!(whole_J > 0))
        return;
    snprintf(text, sizeof text,
             "Energy of the modules of a micro-batch on one GPU; the whole network takes %s.",
             adept_units_si(energy, whole_J, "J"));
    html_figure_begin(out, "modules", "Energy by module", text, WIDTH, (double)count * ROW + 16);
    for (size_t i = 0; i < count; i++) {
        const adept_module *m = adept_profile_module(p->profile, picked[i]);
        adept_module_cost cost = adept_explanation_module(p->explanation, picked[i]);
        double y = 8 + (double)i * ROW, width = (right - left) * cost.energy_J / whole_J;
        char tail[48];
        html_label(out, m->depth <= 1 ? "name strong" : "name", 10 + 14 * fmin(m->depth, 6), y + 14, "start",
                   *m->path ? adept_units_tail(m->path, tail, 44) : "(whole network)");
        snprintf(text, sizeof text, "%s, %.1f %%", adept_units_si(energy, cost.energy_J, "J"),
                 100 * cost.energy_J / whole_J);
        html_bar(out, m->depth <= 1 ? "s1" : "s1 faint", left, y, width, ROW - 8, text);
        html_label(out, "value", left + width + 7, y + 14, "start", text);
    }
    html_figure_table(out,
                      "A module includes the modules inside it (indented). Modules below 2 % are not drawn.",
                      columns, 4);
    for (size_t i = 0; i < count; i++) {
        adept_module_cost cost = adept_explanation_module(p->explanation, picked[i]);
        const char *path = adept_profile_module(p->profile, picked[i])->path;
        html_row_begin(out, *path ? path : "(whole network)");
        html_cell_number(out, cost.energy_J, "%.4g");
        html_cell_number(out, 100 * cost.energy_J / whole_J, "%.2f");
        html_cell_number(out, 1e3 * cost.time_s, "%.4g");
        html_row_end(out);
    }
    html_figure_end(out);
}

/* ---- sweep ---- */

enum { SERIES_MAX = 6, PANELS = 3, PITCH = 266 };

static double panel_value(const adept_sweep_row *row, int panel) {
    const adept_prediction *p = &row->prediction;
    if (row->status != ADEPT_OK)
        return NAN;
    return panel == 0   ? p->step_time_s
           : panel == 1 ? p->average_power_W
                        : p->energy_per_step_J / row->samples;
}

static adept_interval panel_interval(const adept_sweep_row *row, int panel) {
    const adept_prediction *p = &row->prediction;
    return panel == 0   ? p->step_time_interval_s
           : panel == 1 ? p->average_power_interval_W
                        : (adept_interval){NAN, NAN};
}

/* The axis along which curves run: the one with the most values among the numeric ones. */
static size_t curve_axis(const adept_sweep *s) {
    size_t best = 0;
    for (size_t i = 1; i < adept_sweep_axis_count(s); i++) {
        bool better = adept_sweep_axis_points(s, i) > adept_sweep_axis_points(s, best);
        if (adept_sweep_is_choice(s, best) || (better && !adept_sweep_is_choice(s, i)))
            best = i;
    }
    return best;
}

/* Rows of one curve agree on all axes but one. */
static bool same_curve(const adept_sweep *s, const adept_sweep_row *a, const adept_sweep_row *b,
                       size_t axis) {
    for (size_t i = 0; i < adept_sweep_axis_count(s); i++) {
        if (i != axis && a->at[i] != b->at[i])
            return false;
    }
    return true;
}

typedef struct curves {
    const adept_sweep *sweep;
    const adept_sweep_sample *sample;
    size_t axis, count, all;
    const adept_sweep_row *first[SERIES_MAX];
} curves;

static curves find_curves(const adept_whatif_report *r) {
    curves c = {.sweep = r->sweep, .sample = r->sample, .axis = curve_axis(r->sweep)};
    size_t points = adept_sweep_axis_points(c.sweep, c.axis);
    c.all = (size_t)(adept_sweep_points(c.sweep) / points);
    for (size_t i = 0; i < c.sample->count; i++) {
        bool known = false;
        for (size_t k = 0; k < c.count; k++)
            known = known || same_curve(c.sweep, &c.sample->rows[i], c.first[k], c.axis);
        if (!known && c.count < SERIES_MAX)
            c.first[c.count++] = &c.sample->rows[i];
    }
    return c;
}

static void curve_name(char *text, size_t size, const curves *c, size_t k) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < adept_sweep_axis_count(c->sweep); i++) {
        if (i != c->axis && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s %.9s", used ? ", " : "",
                                     adept_sweep_key(c->sweep, i),
                                     adept_sweep_value_text(c->sweep, i, c->first[k]->at[i]));
    }
}

static double x_of(const curves *c, const adept_sweep_row *row) {
    return adept_sweep_value(c->sweep, c->axis, row->at[c->axis]);
}

static void draw_curve(FILE *out, const curves *c, size_t k, int panel, const html_axis *x,
                       const html_axis *y) {
    bool drawn = false;
    char text[TEXT_SIZE];
    fprintf(out, "<path class='line l%zu' d='", k + 1);
    for (size_t i = 0; i < c->sample->count; i++) {
        const adept_sweep_row *row = &c->sample->rows[i];
        double value = panel_value(row, panel);
        if (!same_curve(c->sweep, row, c->first[k], c->axis) || isnan(value))
            continue;
        fprintf(out, "%s%.1f %.1f", drawn ? "L" : "M", html_axis_place(x, x_of(c, row)),
                html_axis_place(y, value));
        drawn = true;
    }
    fputs("'/>\n", out);
    if (adept_sweep_axis_points(c->sweep, c->axis) > 40)
        return;
    for (size_t i = 0; i < c->sample->count; i++) {
        const adept_sweep_row *row = &c->sample->rows[i];
        double value = panel_value(row, panel);
        if (!same_curve(c->sweep, row, c->first[k], c->axis) || isnan(value))
            continue;
        snprintf(text, sizeof text, "%s %s: %.4g", adept_sweep_key(c->sweep, c->axis),
                 adept_sweep_value_text(c->sweep, c->axis, row->at[c->axis]), value);
        fprintf(out, "<circle class='mark m%zu' cx='%.1f' cy='%.1f' r='3'><title>", k + 1,
                html_axis_place(x, x_of(c, row)), html_axis_place(y, value));
        html_text(out, text);
        fputs("</title></circle>\n", out);
    }
}

/* The interval of held-out errors around a curve. */
static void draw_band(FILE *out, const curves *c, size_t k, int panel, const html_axis *x,
                      const html_axis *y) {
    bool drawn = false;
    for (int side = 0; side < 2; side++) {
        for (size_t n = 0; n < c->sample->count; n++) {
            const adept_sweep_row *row = &c->sample->rows[side ? c->sample->count - 1 - n : n];
            adept_interval band = panel_interval(row, panel);
            if (!same_curve(c->sweep, row, c->first[k], c->axis) || row->status != ADEPT_OK ||
                isnan(band.lower))
                continue;
            if (!drawn)
                fprintf(out, "<path class='band b%zu' d='", k + 1);
            fprintf(out, "%s%.1f %.1f", drawn ? "L" : "M", html_axis_place(x, x_of(c, row)),
                    html_axis_place(y, side ? band.lower : band.upper));
            drawn = true;
        }
    }
    if (drawn)
        fputs("z'/>\n", out);
}

static void draw_panel(FILE *out, const curves *c, int panel) {
    static const char *const labels[PANELS] = {"step time (s)", "average power of a GPU (W)",
                                               "energy per sample (J)"};
    static const char *const units[PANELS] = {"s", "W", "J"};
    double top = 40 + panel * PITCH;
    size_t points = adept_sweep_axis_points(c->sweep, c->axis);
    double first = adept_sweep_value(c->sweep, c->axis, 0),
           last = adept_sweep_value(c->sweep, c->axis, points - 1);
    double middle = adept_sweep_value(c->sweep, c->axis, points / 2);
    bool geometric = points > 2 && fmin(first, last) > 0 && fmax(first, last) >= 8 * fmin(first, last) &&
                     fabs(middle) < fabs(first + last) / 2 * 0.8;
    char label[TEXT_SIZE];
    const char *unit = adept_sweep_unit(c->sweep, c->axis);
    snprintf(label, sizeof label, "%s%s%.*s%s", adept_sweep_key(c->sweep, c->axis), *unit ? " (" : "",
             (int)strcspn(unit, ","), unit, *unit ? ")" : "");
    html_axis x = {INFINITY, -INFINITY, geometric, 90, WIDTH - 20, label, ""};
    html_axis y = {INFINITY, -INFINITY, false, top + 180, top, labels[panel], units[panel]};
    html_axis_include(&x, first);
    html_axis_include(&x, last);
    html_axis_include(&y, 0);
    for (size_t i = 0; i < c->sample->count; i++) {
        adept_interval band = panel_interval(&c->sample->rows[i], panel);
        for (size_t k = 0; k < c->count; k++) {
            if (!same_curve(c->sweep, &c->sample->rows[i], c->first[k], c->axis))
                continue;
            html_axis_include(&y, panel_value(&c->sample->rows[i], panel));
            if (c->sample->rows[i].status == ADEPT_OK)
                html_axis_include(&y, band.upper);
        }
    }
    if (geometric)
        html_axis_finish(&x);
    html_axis_finish(&y);
    if (x.low == x.high)
        html_axis_finish(&x);
    html_axes(out, &x, &y);
    for (size_t k = 0; k < c->count; k++)
        draw_band(out, c, k, panel, &x, &y);
    for (size_t k = 0; k < c->count; k++)
        draw_curve(out, c, k, panel, &x, &y);
}

static void sweep_table(FILE *out, const curves *c, const char *caption) {
    const char *columns[ADEPT_AXES_MAX + 6];
    size_t axes = adept_sweep_axis_count(c->sweep), count = 0;
    static const char *const figures[] = {"step, ms", "power, W", "energy per sample, J", "fits",
                                          "octaves outside"};
    for (size_t i = 0; i < axes; i++)
        columns[count++] = adept_sweep_key(c->sweep, i);
    for (size_t i = 0; i < 5; i++)
        columns[count++] = figures[i];
    html_figure_table(out, caption, columns, count);
    size_t every = (c->sample->count + 199) / 200;
    for (size_t n = 0; n < c->sample->count; n += every) {
        const adept_sweep_row *row = &c->sample->rows[n];
        html_row_begin(out, adept_sweep_value_text(c->sweep, 0, row->at[0]));
        for (size_t i = 1; i < axes; i++)
            html_cell(out, adept_sweep_value_text(c->sweep, i, row->at[i]));
        if (row->status != ADEPT_OK) {
            html_cell(out, row->message);
        } else {
            html_cell_number(out, 1e3 * row->prediction.step_time_s, "%.5g");
            html_cell_number(out, row->prediction.average_power_W, "%.4g");
            html_cell_number(out, panel_value(row, 2), "%.4g");
            html_cell(out, row->prediction.fits_in_memory ? "yes" : "no");
            html_cell_number(out, row->extrapolation, "%.2f");
        }
        html_row_end(out);
    }
}

static void sweep_of_choices(FILE *out, const curves *c) {
    const double left = 230, right = WIDTH - 150;
    double longest = 0;
    char text[TEXT_SIZE], time[ADEPT_UNITS_SIZE];
    size_t count = c->sample->count < 24 ? c->sample->count : 24;
    for (size_t i = 0; i < count; i++)
        longest = fmax(longest, panel_value(&c->sample->rows[i], 0));
    html_figure_begin(out, "sweep", "Step time over the sweep", "One bar for each choice.", WIDTH,
                      (double)count * ROW + 16);
    for (size_t i = 0; i < count; i++) {
        const adept_sweep_row *row = &c->sample->rows[i];
        double y = 8 + (double)i * ROW, value = panel_value(row, 0);
        size_t used = 0;
        for (size_t a = 0; a < adept_sweep_axis_count(c->sweep) && used < sizeof text; a++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%.24s", used ? ", " : "",
                                     adept_sweep_value_text(c->sweep, a, row->at[a]));
        html_label(out, "name", left - 10, y + 14, "end", text);
        if (isnan(value))
            continue;
        snprintf(text, sizeof text, "%s, %.0f W", adept_units_time(time, value), panel_value(row, 1));
        html_bar(out, "s1", left, y, (right - left) * value / longest, ROW - 8, text);
        html_label(out, "value", left + (right - left) * value / longest + 7, y + 14, "start", text);
    }
}

void html_chart_sweep(FILE *out, const adept_whatif_report *report) {
    curves c = find_curves(report);
    char text[TEXT_SIZE], name[160];
    if (c.sample->count == 0)
        return;
    if (adept_sweep_is_choice(c.sweep, c.axis)) {
        sweep_of_choices(out, &c);
        sweep_table(out, &c, NULL);
        html_figure_end(out);
        return;
    }
    snprintf(text, sizeof text, "Step time, power and energy per sample over %s, %zu curves.",
             adept_sweep_key(c.sweep, c.axis), c.count);
    html_figure_begin(out, "sweep", "Step time, power and energy over the sweep", text, WIDTH,
                      40 + PANELS * PITCH + 30);
    for (int panel = 0; panel < PANELS; panel++)
        draw_panel(out, &c, panel);
    for (size_t k = 0; c.count > 1 && k < c.count; k++) {
        size_t row = k / 3;
        double x = 90 + (double)(k % 3) * 290, y = 40 + PANELS * PITCH + (double)row * 20;
        curve_name(name, sizeof name, &c, k);
        fprintf(out, "<path class='line l%zu' d='M%.1f %.1fh18'/>", k + 1, x, y - 4);
        html_label(out, "legend", x + 24, y, "start", name);
    }
    snprintf(text, sizeof text, "%zu of %zu curves are drawn%s.%s", c.count, c.all,
             c.sample->stride > 1 ? ", thinned" : "",
             isnan(panel_interval(&c.sample->rows[0], 0).lower)
                 ? " No intervals: the parameters carry none for this GPU."
                 : " Bands: intervals of held-out errors, wider outside the fitted range.");
    sweep_table(out, &c, text);
    html_figure_end(out);
}

/* ---- Pareto front ---- */

static void point_title(char *text, size_t size, const adept_optimum *o, const adept_optimum_point *p) {
    size_t used = 0;
    char buffer[40];
    for (size_t i = 0; i < adept_sweep_axis_count(adept_optimum_sweep(o)) && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s %.12s; ",
                             adept_sweep_key(adept_optimum_sweep(o), i), adept_optimum_text(o, p, i, buffer));
    if (used < size)
        snprintf(text + used, size - used, "%.4g ms, %.4g J per sample", 1e3 * p->time_per_sample_s,
                 p->energy_per_sample_J);
}

static void front_dot(FILE *out, const adept_optimum *o, const adept_optimum_point *p, const html_axis *x,
                      const html_axis *y, const char *class_name, double radius, const char *label) {
    char text[TEXT_SIZE];
    double at_x = html_axis_place(x, p->time_per_sample_s), at_y = html_axis_place(y, p->energy_per_sample_J);
    point_title(text, sizeof text, o, p);
    html_dot(out, class_name, at_x, at_y, radius, text);
    if (label) {
        bool left = at_x > (x->from + x->to) / 2;
        html_label(out, "value strong", at_x + (left ? -12 : 12), at_y - 8, left ? "end" : "start", label);
    }
}

void html_chart_front(FILE *out, const adept_optimum *o) {
    const char *columns[ADEPT_AXES_MAX + 6];
    char text[TEXT_SIZE], buffer[40];
    size_t axes = adept_sweep_axis_count(adept_optimum_sweep(o)), count = adept_optimum_front_count(o), n = 0;
    html_axis x = {INFINITY, -INFINITY, false, 90, WIDTH - 30, "time per sample (s)", "s"};
    html_axis y = {INFINITY, -INFINITY, false, 350, 40, "energy per sample (J)", "J"};
    const adept_optimum_point *best = adept_optimum_best(o), *now = adept_optimum_present(o);
    if (count == 0) {
        fputs("<p>Energy is withheld: there is nothing to weigh time against.</p>\n", out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        html_axis_include(&x, adept_optimum_front(o, i)->time_per_sample_s);
        html_axis_include(&y, adept_optimum_front(o, i)->energy_per_sample_J);
    }
    const adept_optimum_point *marked[] = {best, now};
    for (int i = 0; i < 2; i++) {
        html_axis_include(&x, marked[i]->time_per_sample_s);
        html_axis_include(&y, marked[i]->energy_per_sample_J);
    }
    html_axis_finish(&x);
    html_axis_finish(&y);
    snprintf(text, sizeof text,
             "%zu points that no other beats in both time and energy; the best for %s is marked.", count,
             adept_goal_name(adept_optimum_goal(o)));
    html_figure_begin(out, "front", "Time against energy", text, WIDTH, 400);
    html_axes(out, &x, &y);
    fputs("<path class='line l1' d='", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%.1f %.1f", i ? "L" : "M",
                html_axis_place(&x, adept_optimum_front(o, i)->time_per_sample_s),
                html_axis_place(&y, adept_optimum_front(o, i)->energy_per_sample_J));
    fputs("'/>\n", out);
    for (size_t i = 0; i < count; i++)
        front_dot(out, o, adept_optimum_front(o, i), &x, &y, "mark m1", 3, NULL);
    front_dot(out, o, now, &x, &y, "p3", 6, "now");
    snprintf(text, sizeof text, "least %s", adept_goal_name(adept_optimum_goal(o)));
    front_dot(out, o, best, &x, &y, "p2", 6, text);
    for (size_t i = 0; i < axes; i++)
        columns[n++] = adept_sweep_key(adept_optimum_sweep(o), i);
    columns[n++] = "step, ms";
    columns[n++] = "power, W";
    columns[n++] = "ms per sample";
    columns[n++] = "J per sample";
    html_figure_table(out, text[0] ? "Every point fits in memory and holds the constraints." : NULL, columns,
                      n);
    for (size_t i = 0; i < count; i++) {
        const adept_optimum_point *p = adept_optimum_front(o, i);
        html_row_begin(out, adept_optimum_text(o, p, 0, buffer));
        for (size_t a = 1; a < axes; a++)
            html_cell(out, adept_optimum_text(o, p, a, buffer));
        html_cell_number(out, 1e3 * p->step_time_s, "%.5g");
        html_cell_number(out, p->average_power_W, "%.4g");
        html_cell_number(out, 1e3 * p->time_per_sample_s, "%.5g");
        html_cell_number(out, p->energy_per_sample_J, "%.5g");
        html_row_end(out);
    }
    html_figure_end(out);
}

/* ---- sensitivities ---- */

static double mean_of(const adept_elasticity *e) {
    return isnan(e->below) ? e->above : isnan(e->above) ? e->below : (e->below + e->above) / 2;
}

void html_chart_sensitivity(FILE *out, const adept_sensitivity *s) {
    static const char *const columns[] = {"figure", "value", "time", "power", "energy", "another bound from"};
    const double left = 330, right = WIDTH - 90;
    char text[TEXT_SIZE];
    size_t count = adept_sensitivity_count(s) < 16 ? adept_sensitivity_count(s) : 16;
    double largest = 1e-9;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fmax(fabs(mean_of(&adept_sensitivity_at(s, i)->time)),
                                     fabs(mean_of(&adept_sensitivity_at(s, i)->energy))));
    double middle = (left + right) / 2, scale = (right - left) / 2 / largest;
    html_figure_begin(out, "sensitivity", "What a percent of a figure changes",
                      "Percent of step time and of energy per percent of each figure.", WIDTH,
                      (double)count * 34 + 60);
    static const char *const classes[] = {"p1", "p2"};
    static const char *const names[] = {"step time", "energy"};
    draw_legend(out, left, 18, classes, names, 2);
    for (size_t i = 0; i < count; i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        const double values[] = {mean_of(&row->time), mean_of(&row->energy)};
        double y = 34 + (double)i * 34;
        html_label(out, "name", left - 50, y + 18, "end", row->key);
        for (int k = 0; k < 2 && !isnan(values[k]); k++) { /* energy may be withheld */
            double width = fabs(values[k]) * scale, x = values[k] < 0 ? middle - width : middle;
            snprintf(text, sizeof text, "%+.3f", values[k]);
            fprintf(out, "<rect class='%s' x='%.1f' y='%.1f' width='%.1f' height='10' rx='2'><title>",
                    k ? "s2" : "s1", x, y + 3 + 12 * k, fmax(width, 1));
            html_text(out, text);
            fputs("</title></rect>", out);
            html_label(out, "value small", values[k] < 0 ? x - 5 : x + width + 5, y + 12 + 12 * k,
                       values[k] < 0 ? "end" : "start", text);
        }
    }
    fprintf(out, "<path class='base' d='M%.1f 30V%.1f'/>\n", middle, 34.0 + (double)count * 34);
    html_label(out, "axis", middle, 50 + (double)count * 34, "middle", "percent per percent");
    html_figure_table(
        out,
        "To the right: more of the figure makes more time or energy. Figures without effect are left out.",
        columns, 6);
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        html_row_begin(out, row->key);
        html_cell_number(out, row->value, "%.4g");
        html_cell_number(out, mean_of(&row->time), "%+.4f");
        html_cell_number(out, mean_of(&row->power), "%+.4f");
        html_cell_number(out, mean_of(&row->energy), "%+.4f");
        html_cell_number(out, row->takeover_value, "%.4g");
        html_row_end(out);
    }
    html_figure_end(out);
}
