#include "html_figure.h"

#include <math.h>
#include <string.h>

#include "units.h"

void html_text(FILE *out, const char *text) {
    static const struct {
        char raw;
        const char *escaped;
    } escapes[] = {
        {'<',  "&lt;"  },
        {'>',  "&gt;"  },
        {'&',  "&amp;" },
        {'"',  "&quot;"},
        {'\'', "&#39;" },
    };
    for (; *text; text++) {
        const char *piece = NULL;
        for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
            piece = escapes[i].raw == *text ? escapes[i].escaped : piece;
        if (piece)
            fputs(piece, out);
        else if ((unsigned char)*text >= 0x20)
            fputc(*text, out);
    }
}

void html_figure_begin(FILE *out, const char *id, const char *title, const char *description, double width,
                       double height) {
    fprintf(
        out,
        "<figure tabindex='0' aria-labelledby='%s-t'>\n<div class='plot'><svg role='img' "
        "aria-labelledby='%s-t %s-d' viewBox='0 0 %.0f %.0f' style='max-width:%.0fpx'>\n<title id='%s-t'>",
        id, id, id, width, height, width, id);
    html_text(out, title);
    fprintf(out, "</title><desc id='%s-d'>", id);
    html_text(out, description);
    fputs("</desc>\n", out);
}

void html_figure_table(FILE *out, const char *caption, const char *const *columns, size_t count) {
    fputs("</svg></div>\n", out);
    if (caption) {
        fputs("<figcaption>", out);
        html_text(out, caption);
        fputs("</figcaption>\n", out);
    }
    fputs(
        "<details><summary>The same as a table</summary><div class='scroll' tabindex='0'><table><thead><tr>",
        out);
    for (size_t i = 0; i < count; i++) {
        fputs("<th scope='col'>", out);
        html_text(out, columns[i]);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
}

void html_figure_end(FILE *out) {
    fputs("</tbody></table></div></details></figure>\n", out);
}

void html_row_begin(FILE *out, const char *name) {
    fputs("<tr><th scope='row'>", out);
    html_text(out, name);
    fputs("</th>", out);
}

void html_cell(FILE *out, const char *text) {
    fputs("<td>", out);
    html_text(out, text);
    fputs("</td>", out);
}

void html_cell_number(FILE *out, double value, const char *format) {
    char text[64];
    snprintf(text, sizeof text, format, value);
    html_cell(out, isnan(value) ? "-" : text);
}

void html_row_end(FILE *out) {
    fputs("</tr>\n", out);
}

/* ---- axes ---- */

void html_axis_include(html_axis *axis, double value) {
    if (!isfinite(value) || (axis->logarithmic && value <= 0))
        return;
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

/* 1, 2 or 5 times a power of ten, for about `count` steps. */
static double nice_step(double span, int count) {
    double raw = span / count, decade = pow(10, floor(log10(raw))), part = raw / decade;
    return decade * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

void html_axis_finish(html_axis *axis) {
    if (!(axis->low <= axis->high))
        axis->low = axis->high = 1;
    if (axis->logarithmic) {
        axis->low /= 1.25;
        axis->high *= 1.25;
        return;
    }
    if (axis->low == axis->high) {
        double half = axis->low != 0 ? fabs(axis->low) / 10 : 1;
        axis->low -= half;
        axis->high += half;
    }
    double step = nice_step(axis->high - axis->low, 5);
    axis->low = floor(axis->low / step + 1e-9) * step;
    axis->high = ceil(axis->high / step - 1e-9) * step;
}

double html_axis_place(const html_axis *axis, double value) {
    double share = axis->logarithmic ? log(value / axis->low) / log(axis->high / axis->low)
                                     : (value - axis->low) / (axis->high - axis->low);
    return axis->from + (axis->to - axis->from) * share;
}

/* SI prefix without needless digits: "250 W", "1.5 T". */
static void tick_text(char text[ADEPT_UNITS_SIZE], double value, const char *unit) {
    static const struct {
        double factor;
        const char *prefix;
    } prefixes[] = {
        {1e15, "P" },
        {1e12, "T" },
        {1e9,  "G" },
        {1e6,  "M" },
        {1e3,  "k" },
        {1,    ""  },
        {1e-3, "m" },
        {1e-6, "µ"},
        {1e-9, "n" },
    };
    size_t i = 0, count = sizeof prefixes / sizeof prefixes[0];
    while (i + 1 < count && fabs(value) < prefixes[i].factor * 0.9999)
        i++;
    if (value == 0)
        snprintf(text, ADEPT_UNITS_SIZE, "0%s%.16s", *unit ? " " : "", unit);
    else
        snprintf(text, ADEPT_UNITS_SIZE, "%.4g%s%s%.16s", value / prefixes[i].factor,
                 *unit || *prefixes[i].prefix ? " " : "", prefixes[i].prefix, unit);
}

enum { TICKS_MAX = 40 };

static size_t ticks_of(const html_axis *axis, double ticks[TICKS_MAX]) {
    static const double steps[] = {1, 2, 5};
    size_t count = 0;
    if (!axis->logarithmic) {
        double step = nice_step(axis->high - axis->low, 5);
        double first = ceil(axis->low / step - 1e-9), last = floor(axis->high / step + 1e-9);
        while (first + (double)count <= last && count < TICKS_MAX) {
            ticks[count] = (first + (double)count) * step;
            count++;
        }
        return count;
    }
    double decades = log10(axis->high / axis->low);
    int every = decades > 8 ? 2 : 1, fine = decades < 2.5 ? 3 : 1;
    for (int decade = (int)floor(log10(axis->low)); decade <= (int)ceil(log10(axis->high)); decade += every) {
        for (int i = 0; i < fine && count < TICKS_MAX; i++) {
            double value = steps[i] * pow(10, decade);
            if (value >= axis->low && value <= axis->high)
                ticks[count++] = value;
        }
    }
    return count;
}

void html_axes(FILE *out, const html_axis *x, const html_axis *y) {
    double ticks[TICKS_MAX];
    char text[ADEPT_UNITS_SIZE];
    size_t count = ticks_of(x, ticks);
    for (size_t i = 0; i < count; i++) {
        double at = html_axis_place(x, ticks[i]);
        fprintf(out, "<path class='grid' d='M%.1f %.1fV%.1f'/>", at, y->from, y->to);
        tick_text(text, ticks[i], x->unit);
        html_label(out, "tick", at, y->from + 17, "middle", text);
    }
    count = ticks_of(y, ticks);
    for (size_t i = 0; i < count; i++) {
        double at = html_axis_place(y, ticks[i]);
        fprintf(out, "<path class='grid' d='M%.1f %.1fH%.1f'/>", x->from, at, x->to);
        tick_text(text, ticks[i], y->unit);
        html_label(out, "tick", x->from - 7, at + 4, "end", text);
    }
    fprintf(out, "<path class='base' d='M%.1f %.1fH%.1f'/>\n", x->from, y->from, x->to);
    html_label(out, "axis", (x->from + x->to) / 2, y->from + 38, "middle", x->label);
    html_label(out, "axis", x->from - 60, y->to - 12, "start", y->label);
}

/* ---- marks ---- */

void html_bar(FILE *out, const char *class_name, double x, double y, double width, double height,
              const char *title) {
    double w = fmax(width, 1), r = fmin(3, w / 2);
    fprintf(
        out,
        "<path class='%s' d='M%.2f %.2fh%.2fa%.2f %.2f 0 0 1 %.2f %.2fv%.2fa%.2f %.2f 0 0 1 %.2f %.2fh%.2fz'>"
        "<title>",
        class_name, x, y, w - r, r, r, r, r, height - 2 * r, r, r, -r, r, r - w);
    html_text(out, title);
    fputs("</title></path>\n", out);
}

void html_label(FILE *out, const char *class_name, double x, double y, const char *anchor, const char *text) {
    fprintf(out, "<text class='%s' x='%.1f' y='%.1f' text-anchor='%s'>", class_name, x, y, anchor);
    html_text(out, text);
    fputs("</text>\n", out);
}

void html_dot(FILE *out, const char *class_name, double x, double y, double radius, const char *title) {
    fprintf(out, "<circle class='%s' cx='%.1f' cy='%.1f' r='%.1f'><title>", class_name, x, y, radius);
    html_text(out, title);
    fputs("</title></circle>\n", out);
}
