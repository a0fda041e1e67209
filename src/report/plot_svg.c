#include <math.h>
#include <string.h>

#include "adept/calibration_report.h"
#include "atomic_file.h"
#include "fail.h"

enum { SIDE = 420, MARGIN = 64, COLOURS = 10 };

/* One panel: measured to the right, predicted upwards, both logarithmic over the same decades. */
typedef struct panel {
    double left, low, high; /* x of the panel; log10 of the axis' ends */
    const char *title, *unit;
    bool power;
} panel;

static double measured_of(const panel *p, const adept_validation_row *row) {
    return p->power ? row->data->average_power_W : row->data->step_time_s;
}

static double predicted_of(const panel *p, const adept_validation_row *row) {
    return p->power ? row->average_power_W : row->step_time_s;
}

static bool is_shown(const panel *p, const adept_validation_row *row) {
    return measured_of(p, row) > 0 && predicted_of(p, row) > 0;
}

static double place(const panel *p, double value) {
    double share = (log10(value) - p->low) / (p->high - p->low);
    return SIDE * fmin(fmax(share, 0), 1);
}

static double x_of(const panel *p, double value) {
    return p->left + MARGIN + place(p, value);
}

static double y_of(const panel *p, double value) {
    return MARGIN + SIDE - place(p, value);
}

/* Ends of the axes, a little beyond the data; false without data. */
static bool set_range(panel *p, const adept_validation *v) {
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < adept_validation_count(v); i++) {
        const adept_validation_row *row = adept_validation_at(v, i);
        if (!is_shown(p, row))
            continue;
        low = fmin(low, fmin(log10(measured_of(p, row)), log10(predicted_of(p, row))));
        high = fmax(high, fmax(log10(measured_of(p, row)), log10(predicted_of(p, row))));
    }
    p->low = low - 0.08;
    p->high = high + 0.08;
    return low <= high;
}

/* Names come from the user's files. */
static void put_text(FILE *out, const char *text) {
    for (; *text; text++) {
        if ((unsigned char)*text < ' ')
            fputc('?', out); /* control characters are no XML */
        else if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else
            fputc(*text, out);
    }
}

static void draw_ticks(FILE *out, const panel *p) {
    static const double steps[] = {1, 2, 5};
    bool wide = p->high - p->low > 2.5; /* decades only */
    for (int decade = (int)floor(p->low); decade <= (int)ceil(p->high); decade++) {
        for (int i = 0; i < (wide ? 1 : 3); i++) {
            double value = steps[i] * pow(10, decade);
            if (log10(value) < p->low || log10(value) > p->high)
                continue;
            double x = x_of(p, value), y = y_of(p, value);
            fprintf(out, "<path class='grid' d='M%.1f %dV%dM%.1f %.1fh%d'/>", x, MARGIN, MARGIN + SIDE,
                    p->left + MARGIN, y, SIDE);
            fprintf(out, "<text x='%.1f' y='%d' text-anchor='middle'>%g</text>", x, MARGIN + SIDE + 16,
                    value);
            fprintf(out, "<text x='%.1f' y='%.1f' text-anchor='end'>%g</text>\n", p->left + MARGIN - 6, y + 4,
                    value);
        }
    }
}

static void draw_diagonal(FILE *out, const panel *p, double factor, const char *class_name) {
    double low = pow(10, p->low), high = pow(10, p->high);
    double from = factor < 1 ? low / factor : low, to = factor < 1 ? high : high / factor;
    fprintf(out, "<path class='%s' d='M%.1f %.1fL%.1f %.1f'/>\n", class_name, x_of(p, from),
            y_of(p, from * factor), x_of(p, to), y_of(p, to * factor));
}

/* The first COLOURS GPUs are discs, the next ones squares of the same colours, then diamonds. */
static void begin_mark(FILE *out, size_t gpu, double x, double y, double size) {
    size_t shape = gpu / COLOURS % 3;
    fprintf(out, "<path class='c%zu' d='", gpu % COLOURS);
    if (shape == 0)
        fprintf(out, "M%.1f %.1fa%g %g 0 1 0 %g 0a%g %g 0 1 0 %g 0z'", x - size, y, size, size, 2 * size,
                size, size, -2 * size);
    else if (shape == 1)
        fprintf(out, "M%.1f %.1fh%gv%gh%gz'", x - size, y - size, 2 * size, 2 * size, -2 * size);
    else
        fprintf(out, "M%.1f %.1fl%g %g %g %g %g %gz'", x, y - 1.3 * size, 1.3 * size, 1.3 * size, -1.3 * size,
                1.3 * size, -1.3 * size, -1.3 * size);
    fputs(">", out);
}

static void draw_panel(FILE *out, const panel *p, const adept_validation *v) {
    double middle = p->left + MARGIN + SIDE / 2.0;
    draw_ticks(out, p);
    fprintf(out, "<rect class='frame' x='%.1f' y='%d' width='%d' height='%d'/>\n", p->left + MARGIN, MARGIN,
            SIDE, SIDE);
    draw_diagonal(out, p, 1, "equal");
    draw_diagonal(out, p, 1.2, "band");
    draw_diagonal(out, p, 1 / 1.2, "band");
    for (size_t i = 0; i < adept_validation_count(v); i++) {
        const adept_validation_row *row = adept_validation_at(v, i);
        if (!is_shown(p, row))
            continue;
        begin_mark(out, row->data->gpu, x_of(p, measured_of(p, row)), y_of(p, predicted_of(p, row)),
                   row->data->trace->weight >= 0.5 ? 2.6 : 1.3);
        fputs("<title>", out);
        put_text(out, row->data->model);
        fputs(", ", out);
        put_text(out, adept_dataset_file(adept_validation_dataset(v), row->data->file));
        fprintf(out, " line %zu</title></path>\n", row->data->trace->line);
    }
    fprintf(out, "<text class='title' x='%.1f' y='%d' text-anchor='middle'>%s</text>\n", middle, MARGIN - 14,
            p->title);
    fprintf(out, "<text x='%.1f' y='%d' text-anchor='middle'>measured, %s</text>\n", middle,
            MARGIN + SIDE + 36, p->unit);
    fprintf(out,
            "<text transform='translate(%.1f %d) rotate(-90)' text-anchor='middle'>predicted, %s</text>\n",
            p->left + 14, MARGIN + SIDE / 2, p->unit);
}

static void draw_legend(FILE *out, const adept_validation *v) {
    const adept_dataset *dataset = adept_validation_dataset(v);
    for (size_t i = 0; i < adept_dataset_gpu_count(dataset); i++) {
        size_t column = i % 4, line = i / 4;
        double x = MARGIN + (double)column * 210, y = MARGIN + SIDE + 62 + (double)line * 18;
        begin_mark(out, i, x, y - 4, 4);
        fprintf(out, "</path><text x='%.1f' y='%.1f'>", x + 10, y);
        put_text(out, adept_hardware_id(adept_dataset_gpu(dataset, i)));
        fputs("</text>\n", out);
    }
}

/* Colours that keep apart on white and on black, after the palette of Okabe and Ito (2008). */
static const char style[] =
    "<style>text{font:12px sans-serif;fill:#444}.title{font-weight:bold}.frame{fill:none;stroke:#888}"
    ".grid{stroke:#8884;fill:none}.equal{stroke:#888;fill:none}.band{stroke:#888;stroke-dasharray:4 4;"
    "fill:none}path{fill-opacity:.65}.c0{fill:#0072b2}.c1{fill:#d55e00}.c2{fill:#009e73}.c3{fill:#cc79a7}"
    ".c4{fill:#e69f00}.c5{fill:#56b4e9}.c6{fill:#a0522d}.c7{fill:#8a6fd1}.c8{fill:#7a9a01}.c9{fill:#888}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}}</style>\n";

static void draw_heading(FILE *out, const adept_validation *v, size_t panels) {
    const char *by = adept_validation_by(v);
    fprintf(out, "<text x='%d' y='20'>", MARGIN);
    if (panels == 0)
        fputs("no row has both a measurement and a prediction; ", out);
    fprintf(out, "variant %s, %zu rows, %s%s; small marks: rows of weight below 0.5</text>\n",
            adept_variant_name(adept_validation_variant(v)), adept_validation_count(v),
            *by ? "each predicted by a fit that has not seen it; left out by "
                : "with the parameters at hand",
            by);
}

adept_status adept_plot_validation(FILE *out, const adept_validation *v, adept_error *err) {
    panel panels[] = {
        {.title = "step time",     .unit = "s (dashed: 20 %)", .power = false},
        {.title = "average power", .unit = "W (dashed: 20 %)", .power = true },
    };
    size_t count = 0, legend_lines = (adept_dataset_gpu_count(adept_validation_dataset(v)) + 3) / 4;
    for (size_t i = 0; i < 2; i++) {
        panels[count] = panels[i];
        panels[count].left = (double)count * (SIDE + MARGIN + 24);
        count += set_range(&panels[count], v);
    }
    fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d'>\n%s",
            (int)(2 * (SIDE + MARGIN + 24)), (int)(MARGIN + SIDE + 60 + 18 * (int)legend_lines),
            (int)(2 * (SIDE + MARGIN + 24)), style);
    draw_heading(out, v, count);
    for (size_t i = 0; i < count; i++)
        draw_panel(out, &panels[i], v);
    draw_legend(out, v);
    fputs("</svg>\n", out);
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the plot");
}

static adept_status write_plot(void *user, FILE *out, adept_error *err) {
    adept_status status = adept_plot_validation(out, user, err);
    return status == ADEPT_IO ? ADEPT_OK : status; /* the stream is checked afterwards, with the reason */
}

adept_status adept_plot_write(const char *path, const adept_validation *v, adept_error *err) {
    adept_status status = adept_dataset_check_output(adept_validation_dataset(v), path, err);
    if (status != ADEPT_OK)
        return status;
    status = adept_atomic_write(path, write_plot, (void *)(size_t)v, err);
    if (status == ADEPT_OK || !err || strstr(err->message, path))
        return status;
    return adept_fail_at(err, status, "%s", path);
}
