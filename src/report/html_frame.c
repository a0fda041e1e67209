#include "html_frame.h"

#include <string.h>

#include "html_figure.h"

/* Colours that keep apart for colour-blind readers too; dark ones are chosen anew, not inverted. */
static const char style[] =
    ":root{color-scheme:light dark;--bg:#fcfcfb;--card:#fff;--ink:#0b0b0b;--soft:#52514e;--line:#e3e2dd;"
    "--base:#b9b8b2;--c1:#2a78d6;--c2:#eb6834;--c3:#8a6fd1;--c4:#1b8f65;--c5:#b07d00;--c6:#c2477f;--total:#"
    "6b6a66}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#161615;--card:#1e1e1c;--ink:#f4f3ef;--soft:#bdbcb4;"
    "--line:#35342f;--base:#5d5c56;--c1:#4b95ea;--c2:#e8703f;--c3:#a78fe6;--c4:#2fb485;--c5:#d3a02a;--c6:#"
    "e0709f;"
    "--total:#9b9a93}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 "
    "system-ui,sans-serif}"
    "main,header,footer{max-width:1040px;margin:0 auto;padding:0 20px}header{padding-top:28px}"
    "h1{font-size:1.55rem;line-height:1.25;margin:0 0 "
    "4px;overflow-wrap:anywhere}h2{font-size:1.15rem;margin:0 0 10px}"
    ".sub,figcaption,footer{color:var(--soft)}figcaption{font-size:.9rem;margin-top:6px}"
    "section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px "
    "20px;margin:18px 0}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:18px 0 "
    "0;padding:0}"
    ".tiles div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 14px}"
    ".tiles dt{color:var(--soft);font-size:.85rem}.tiles dd{margin:0;font-size:1.35rem;font-weight:600}"
    ".tiles small{display:block;font-weight:400;font-size:.8rem;color:var(--soft)}"
    "figure{margin:0}figure:focus-visible,summary:focus-visible,.scroll:focus-visible,.plot:focus-visible,a:"
    "focus-visible{"
    "outline:3px solid "
    "var(--c1);outline-offset:4px;border-radius:4px}.plot{overflow-x:auto}svg{width:100%;min-width:640px;"
    "height:auto;"
    "display:block}nav ul{display:flex;flex-wrap:wrap;gap:4px 16px;padding:0;list-style:none;margin:14px 0 0}"
    "a{color:var(--c1)}text{font:13px "
    "system-ui,sans-serif;fill:var(--ink)}.tick,.axis,.legend,.roofname,.value{fill:"
    "var(--soft)}.tick,.roofname{font-size:12px}.small{font-size:11px}.strong{font-weight:600;fill:var(--ink)"
    "}"
    ".grid{stroke:var(--line);fill:none}.base,.link{stroke:var(--base);fill:none}.roof{stroke:var(--ink);"
    "stroke-width:"
    "1.5;fill:none}.whisker{stroke:var(--ink);stroke-width:1.5;fill:none}.s1{fill:var(--c1)}.s2{fill:var(--"
    "c2)}.faint{opacity:.55}.total{fill:var(--total)}"
    ".p1{fill:var(--c1)}.p2{fill:var(--c2)}.p3{fill:var(--c3)}circle{stroke:var(--card);stroke-width:1;fill-"
    "opacity:.8}"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.band{opacity:.15;stroke:none}"
    ".l1{stroke:var(--c1)}.l2{stroke:var(--c2)}.l3{stroke:var(--c3)}.l4{stroke:var(--c4)}.l5{stroke:var(--c5)"
    "}"
    ".l6{stroke:var(--c6)}.m1,.b1{fill:var(--c1)}.m2,.b2{fill:var(--c2)}.m3,.b3{fill:var(--c3)}.m4,.b4{fill:"
    "var(--c4)}"
    ".m5,.b5{fill:var(--c5)}.m6,.b6{fill:var(--c6)}.l2{stroke-dasharray:7 3}.l3{stroke-dasharray:2 3}.l4{"
    "stroke-dasharray:9 3 2 3}.l5{stroke-dasharray:4 2}.l6{stroke-dasharray:1 2}"
    "details{margin-top:10px}summary{cursor:pointer;color:var(--soft)}.scroll{overflow:auto;max-height:420px}"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;margin-top:8px}"
    "th,td{padding:3px 12px 3px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}thead th{color:var(--soft);font-weight:600}tbody "
    "th{font-weight:400}"
    ".fit table{width:100%}.fit tbody "
    "th{white-space:normal}.wide{width:100%}ul.notes{margin:0;padding-left:20px}ul.notes li{margin:3px "
    "0;overflow-wrap:anywhere}"
    ".skip{position:absolute;left:-9999px}.skip:focus{left:10px;top:10px;background:var(--card);padding:6px}"
    "\n"
    "@media "
    "print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#333;--line:#ccc;--base:#888}"
    "section,.tiles "
    "div{break-inside:avoid;border-color:#bbb}nav,summary,.skip{display:none}details:not([open]){display:"
    "none}.scroll{max-height:none;overflow:visible}svg{min-width:0}body{font-size:11pt}}\n";

void html_page_begin(FILE *out, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>\n<meta name='viewport' "
          "content='width=device-width,initial-scale=1'>\n<title>",
          out);
    html_text(out, title);
    fprintf(out,
            "</title>\n<style>%s</style></head>\n<body><a class='skip' href='#main'>to the "
            "figures</a>\n<header><h1>",
            style);
    html_text(out, title);
    fputs("</h1>\n", out);
}

void html_page_main(FILE *out) {
    fputs("</header>\n<main id='main'>\n", out);
}

void html_page_end(FILE *out, const char *closing) {
    fputs("</main>\n<footer><p>", out);
    html_text(out, closing);
    fputs("</p></footer>\n</body></html>\n", out);
}

void html_tile(FILE *out, const char *name, const char *value, const char *small) {
    fputs("<div><dt>", out);
    html_text(out, name);
    fputs("</dt><dd>", out);
    html_text(out, value);
    fputs("<small>", out);
    html_text(out, small);
    fputs("</small></dd></div>\n", out);
}

void html_section_begin(FILE *out, const char *id, const char *title) {
    fprintf(out, "<section aria-labelledby='%s-h'><h2 id='%s-h'>%s</h2>\n", id, id, title);
}

void html_section_end(FILE *out) {
    fputs("</section>\n", out);
}

void html_note(FILE *out, const char *text) {
    fputs("<li>", out);
    html_text(out, text);
    fputs("</li>\n", out);
}

void html_profile_notes(FILE *out, const adept_profile *profile) {
    for (size_t i = 0; i < adept_profile_dim_count(profile); i++) {
        const adept_bound_dim *dim = adept_profile_dim(profile, i);
        char text[320];
        snprintf(text, sizeof text, "%.200s = %lld, %s", dim->name, (long long)dim->value,
                 dim->given ? "given" : "assumed");
        html_note(out, text);
    }
    for (size_t i = 0; i < adept_profile_note_count(profile); i++)
        html_note(out, adept_profile_note(profile, i));
}

const char *html_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
