/* What all pages share: style, head, sections. One file, no script, no reference to anything outside. */
#ifndef ADEPT_HTML_FRAME_H
#define ADEPT_HTML_FRAME_H

#include <stdio.h>

#include "adept/profile.h"

/* Begins the page and its header with the title as heading; the header's rest follows. */
void html_page_begin(FILE *out, const char *title);
/* Ends the header, begins the sections. */
void html_page_main(FILE *out);
void html_page_end(FILE *out, const char *closing);

/* A figure with its name and a remark, inside <dl class='tiles'>. */
void html_tile(FILE *out, const char *name, const char *value, const char *small);

/* id: unique word; title: plain text of ours. */
void html_section_begin(FILE *out, const char *id, const char *title);
void html_section_end(FILE *out);

/* An item of <ul class='notes'>. */
void html_note(FILE *out, const char *text);

/* Items for a profile: sizes given and assumed, and what was decided about the graph. */
void html_profile_notes(FILE *out, const adept_profile *profile);

/* The last part of a path. */
const char *html_file_name(const char *path);

#endif
