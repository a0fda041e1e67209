#include <math.h>
#include <string.h>

#include "adept/whatif_report.h"
#include "fail.h"
#include "html_charts.h"
#include "html_figure.h"
#include "units.h"

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
    "figure{margin:0}figure:focus-visible,summary:focus-visible,.scroll:focus-visible,a:focus-visible{"
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
    "1.5;fill:none}.s1{fill:var(--c1)}.s2{fill:var(--c2)}.faint{opacity:.55}.total{fill:var(--total)}"
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
    ".wide{width:100%}ul.notes{margin:0;padding-left:20px}ul.notes li{margin:3px 0;overflow-wrap:anywhere}"
    ".skip{position:absolute;left:-9999px}.skip:focus{left:10px;top:10px;background:var(--card);padding:6px}"
    "\n"
    "@media "
    "print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#333;--line:#ccc;--base:#888}"
    "section,.tiles "
    "div{break-inside:avoid;border-color:#bbb}nav,summary,.skip{display:none}details:not([open]){display:"
    "none}.scroll{max-height:none;overflow:visible}svg{min-width:0}body{font-size:11pt}}\n";

/* ---- head ---- */

static void write_tile(FILE *out, const char *name, const char *value, const char *small) {
    fputs("<div><dt>", out);
    html_text(out, name);
    fputs("</dt><dd>", out);
    html_text(out, value);
    fputs("<small>", out);
    html_text(out, small);
    fputs("</small></dd></div>\n", out);
}

static void interval_text(char *text, size_t size, adept_interval interval, double level, double factor,
                          const char *unit, const char *evidence) {
    if (isnan(interval.lower))
        snprintf(text, size, "evidence: %s", evidence);
    else
        snprintf(text, size, "%.3g to %.3g %s (%.0f %%), %s", factor * interval.lower,
                 factor * interval.upper, unit, 100 * level, evidence);
}

static void write_tiles(FILE *out, const adept_predicted *in) {
    const adept_prediction *p = in->prediction;
    const adept_workload *w = adept_profile_workload(in->profile);
    char value[ADEPT_UNITS_SIZE], more[ADEPT_UNITS_SIZE], text[160];
    double samples = w->samples * w->grad_accum * w->gpus;
    fputs("<dl class='tiles'>\n", out);
    interval_text(text, sizeof text, p->step_time_interval_s, p->interval_level, 1e3, "ms",
                  adept_evidence_name(p->time_evidence));
    write_tile(out, "step time", adept_units_time(value, p->step_time_s), text);
    interval_text(text, sizeof text, p->average_power_interval_W, p->interval_level, 1, "W",
                  adept_evidence_name(p->power_evidence));
    write_tile(out, "average power", adept_units_si(value, p->average_power_W, "W"), text);
    snprintf(text, sizeof text, "%.3g J per sample", p->energy_per_step_J / samples);
    write_tile(out, "energy per step", adept_units_si(value, p->energy_per_step_J, "J"), text);
    snprintf(text, sizeof text, "%.0f a step", samples);
    write_tile(out, "samples per second", adept_units_si(value, p->throughput_per_s, ""), text);
    snprintf(text, sizeof text, "of %s: %s", adept_units_memory(more, p->memory_B),
             p->fits_in_memory ? "fits" : "does not fit");
    write_tile(out, "peak memory", adept_units_memory(value, p->peak_memory_B), text);
    snprintf(text, sizeof text, "power limit %.0f W", p->power_limit_W);
    write_tile(out, "mean SM clock", adept_units_si(value, p->clock_Hz, "Hz"), text);
    fputs("</dl>\n", out);
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void write_head(FILE *out, const adept_predicted *in) {
    const adept_run *run = in->run;
    const adept_workload *w = adept_profile_workload(in->profile);
    const char *model = file_name(adept_graph_path(in->graph)), *gpu = adept_hardware_name(in->hardware);
    fputs("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>\n<meta name='viewport' "
          "content='width=device-width,initial-scale=1'>\n<title>",
          out);
    html_text(out, model);
    fputs(" on ", out);
    html_text(out, gpu);
    fprintf(out,
            "</title>\n<style>%s</style></head>\n<body><a class='skip' href='#main'>to the "
            "figures</a>\n<header><h1>",
            style);
    html_text(out, model);
    fputs(" on ", out);
    html_text(out, gpu);
    fprintf(out,
            "</h1>\n<p class='sub'>One %s of %.0f samples per GPU, %s, %s, %d GPU%s, %d micro-batch%s; model "
            "variant "
            "%s. The step mostly waits for %s.</p>\n",
            run->mode == ADEPT_MODE_TRAIN ? "training step" : "inference batch", w->samples,
            adept_precision_name(run->precision),
            run->mode == ADEPT_MODE_TRAIN ? adept_optimizer_name(run->optimizer) : "no optimizer",
            (int)w->gpus, w->gpus > 1 ? "s" : "", (int)w->grad_accum, w->grad_accum > 1 ? "es" : "",
            adept_variant_name(in->prediction->variant), adept_bound_name(in->prediction->bound));
    write_tiles(out, in);
}

/* ---- sections ---- */

static void section_begin(FILE *out, const char *id, const char *title) {
    fprintf(out, "<section aria-labelledby='%s-h'><h2 id='%s-h'>%s</h2>\n", id, id, title);
}

static void section_end(FILE *out) {
    fputs("</section>\n", out);
}

static void write_settings(FILE *out, const adept_whatif_report *r) {
    const struct {
        const char *name, *format;
        double before, after;
    } rows[] = {
        {"step time, ms",      "%.4g", 1e3 * r->before->step_time_s, 1e3 * r->after->step_time_s},
        {"average power, W",   "%.4g", r->before->average_power_W,   r->after->average_power_W  },
        {"energy per step, J", "%.4g", r->before->energy_per_step_J, r->after->energy_per_step_J},
    };
    section_begin(out, "settings", "What is changed, and what it does");
    fputs("<ul class='notes'>\n", out);
    for (size_t i = 0; i < r->setting_count; i++) {
        char key[96];
        snprintf(key, sizeof key, "%.*s", (int)strcspn(r->settings[i], "="), r->settings[i]);
        fputs("<li><code>", out);
        html_text(out, r->settings[i]);
        fputs("</code>", out);
        if (adept_whatif_consequence(key))
            fprintf(out, ": %s", adept_whatif_consequence(key));
        fputs("</li>\n", out);
    }
    if (r->extrapolation > 0)
        fprintf(out,
                "<li>Extrapolation: %s lies %.2f octaves outside what the parameters were fitted on.</li>\n",
                r->extrapolation_key, r->extrapolation);
    fputs("</ul><table><thead><tr><th scope='col'></th><th scope='col'>as it is</th><th scope='col'>what "
          "if</th>"
          "<th scope='col'>change</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        html_row_begin(out, rows[i].name);
        html_cell_number(out, rows[i].before, rows[i].format);
        html_cell_number(out, rows[i].after, rows[i].format);
        html_cell_number(out, 100 * (rows[i].after / rows[i].before - 1), "%+.1f %%");
        html_row_end(out);
    }
    fputs("</tbody></table>\n", out);
    section_end(out);
}

static void write_phases(FILE *out, const adept_prediction *p) {
    section_begin(out, "phases", "Phases");
    fputs("<table><thead><tr><th scope='col'>phase</th><th scope='col'>time, ms</th><th scope='col'>share "
          "%</th>"
          "<th scope='col'>power, W</th><th scope='col'>energy, J</th></tr></thead><tbody>\n",
          out);
    for (int i = 0; i < ADEPT_PHASE_COUNT; i++) {
        html_row_begin(out, adept_phase_name((adept_phase)i));
        html_cell_number(out, 1e3 * p->phases[i].time_s, "%.4g");
        html_cell_number(out, 100 * p->phases[i].time_s / p->step_time_s, "%.1f");
        html_cell_number(out, p->phases[i].power_W, "%.4g");
        html_cell_number(out, p->phases[i].energy_J, "%.4g");
        html_row_end(out);
    }
    fputs("</tbody></table>\n", out);
    section_end(out);
}

static void note(FILE *out, const char *text) {
    fputs("<li>", out);
    html_text(out, text);
    fputs("</li>\n", out);
}

static void write_assumptions(FILE *out, const adept_predicted *in) {
    char text[512];
    const adept_prediction *p = in->prediction;
    adept_coverage coverage = adept_profile_coverage(in->profile);
    section_begin(out, "assumptions", "Assumptions and evidence");
    fputs("<ul class='notes'>\n", out);
    snprintf(text, sizeof text, "Time rests on: %s. Power rests on: %s.",
             adept_evidence_name(p->time_evidence), adept_evidence_name(p->power_evidence));
    note(out, text);
    if (*adept_hardware_fit(in->hardware, p->variant)) {
        snprintf(text, sizeof text, "Parameters: %.480s", adept_hardware_fit(in->hardware, p->variant));
        note(out, text);
    }
    snprintf(text, sizeof text, "%zu of %zu nodes of the network have a handler.", coverage.nodes_supported,
             coverage.nodes_total);
    note(out, text);
    snprintf(text, sizeof text, "Memory includes %.0f MB of context and allocator losses, which are assumed.",
             p->memory_overhead_B / 1e6);
    note(out, text);
    for (size_t i = 0; i < p->note_count; i++) {
        char value[48] = "";
        if (!isnan(p->notes[i].value))
            snprintf(value, sizeof value, ": %.4g", p->notes[i].value);
        snprintf(text, sizeof text, "%s%s", adept_note_text(p->notes[i].code), value);
        note(out, text);
    }
    for (size_t i = 0; i < adept_profile_dim_count(in->profile); i++) {
        const adept_bound_dim *dim = adept_profile_dim(in->profile, i);
        snprintf(text, sizeof text, "%.200s = %lld, %s", dim->name, (long long)dim->value,
                 dim->given ? "given" : "assumed");
        note(out, text);
    }
    for (size_t i = 0; i < adept_profile_note_count(in->profile); i++)
        note(out, adept_profile_note(in->profile, i));
    fputs("</ul>\n", out);
}

static void write_sources(FILE *out, const adept_hardware *hardware) {
    fputs("<details><summary>Figures of the GPU and their sources</summary><div class='scroll' "
          "tabindex='0'><table>"
          "<thead><tr><th scope='col'>figure</th><th scope='col'>value</th><th "
          "scope='col'>from</th></tr></thead>"
          "<tbody>\n",
          out);
    for (size_t i = 0; i < adept_hardware_field_count(); i++) {
        const char *path = adept_hardware_field_at(i)->path, *source = adept_hardware_source(hardware, path);
        double value;
        adept_hardware_origin origin;
        adept_hardware_get(hardware, path, &value, &origin, NULL);
        if (origin == ADEPT_ORIGIN_UNKNOWN)
            continue;
        html_row_begin(out, path);
        html_cell_number(out, value, "%.6g");
        html_cell(out, origin == ADEPT_ORIGIN_SET       ? "set here"
                       : origin == ADEPT_ORIGIN_DERIVED ? "derived by default"
                       : source                         ? source
                                                        : "the hardware file");
        html_row_end(out);
    }
    fputs("</tbody></table></div></details>\n", out);
}

static void write_figures(FILE *out, const adept_predicted *in) {
    section_begin(out, "waterfall", "Where the time goes");
    html_chart_waterfall(out, in->prediction);
    section_end(out);
    write_phases(out, in->prediction);
    if (in->explanation && adept_explanation_has_costs(in->explanation)) {
        section_begin(out, "roofline", "Roofline");
        html_chart_roofline(out, in);
        section_end(out);
        section_begin(out, "modules", "Energy by module");
        html_chart_modules(out, in);
        section_end(out);
    }
}

adept_status adept_report_html(FILE *out, const adept_predicted *in, const adept_whatif_report *whatif,
                               adept_error *err) {
    write_head(out, in);
    fputs("</header>\n<main id='main'>\n", out);
    if (whatif && whatif->setting_count)
        write_settings(out, whatif);
    if (whatif && whatif->optimum) {
        section_begin(out, "front", "Time against energy");
        html_chart_front(out, whatif->optimum);
        section_end(out);
    }
    if (whatif && whatif->sample) {
        section_begin(out, "sweep", "Sweep");
        html_chart_sweep(out, whatif);
        section_end(out);
    }
    if (whatif && whatif->sensitivity) {
        section_begin(out, "sensitivity", "What matters");
        html_chart_sensitivity(out, whatif->sensitivity);
        section_end(out);
    }
    write_figures(out, in);
    write_assumptions(out, in);
    write_sources(out, in->hardware);
    section_end(out);
    fputs(
        "</main>\n<footer><p>Predicted by ADEPT from the network's graph and the GPU's figures; nothing was "
        "measured.</p></footer>\n</body></html>\n",
        out);
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the page");
}
