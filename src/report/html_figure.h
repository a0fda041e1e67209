/*
 * Figures of the HTML report: inline SVG with axes, marks and labels, and the frame that makes each one
 * readable without eyes: title, description, and the same numbers as a table.
 */
#ifndef ADEPT_HTML_FIGURE_H
#define ADEPT_HTML_FIGURE_H

#include <stdbool.h>
#include <stdio.h>

/* Text with <, >, &, quotes escaped: names come from files. */
void html_text(FILE *out, const char *text);

/* Opens <figure> and its <svg viewBox='0 0 width height'>. id: unique word. */
void html_figure_begin(FILE *out, const char *id, const char *title, const char *description, double width,
                       double height);
/* Closes the SVG, writes the caption (NULL: none), opens the table; rows follow; then html_figure_end. */
void html_figure_table(FILE *out, const char *caption, const char *const *columns, size_t count);
void html_figure_end(FILE *out);

/* Cells of that table. */
void html_row_begin(FILE *out, const char *name);
void html_cell(FILE *out, const char *text);
void html_cell_number(FILE *out, double value, const char *format); /* "-" for NaN */
void html_row_end(FILE *out);

typedef struct html_axis {
    double low, high;
    bool logarithmic;
    double from, to; /* pixels of low and high */
    const char *label, *unit;
} html_axis;

/* Extends an axis that begins as {INFINITY, -INFINITY}. */
void html_axis_include(html_axis *axis, double value);
/* Rounds the ends outwards; call after all values are in. */
void html_axis_finish(html_axis *axis);
double html_axis_place(const html_axis *axis, double value);

/* Grid lines, tick labels and axis titles of a plot. */
void html_axes(FILE *out, const html_axis *x, const html_axis *y);

/* A horizontal bar with rounded far end; title: tooltip. */
void html_bar(FILE *out, const char *class_name, double x, double y, double width, double height,
              const char *title);
void html_label(FILE *out, const char *class_name, double x, double y, const char *anchor, const char *text);
void html_dot(FILE *out, const char *class_name, double x, double y, double radius, const char *title);

#endif
