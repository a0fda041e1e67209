#include <math.h>
#include <string.h>

#include "adept/whatif_report.h"
#include "fail.h"
#include "html_charts.h"
#include "html_figure.h"
#include "html_frame.h"
#include "units.h"

/* ---- head ---- */

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
    html_tile(out, "step time", adept_units_time(value, p->step_time_s), text);
    interval_text(text, sizeof text, p->average_power_interval_W, p->interval_level, 1, "W",
                  adept_evidence_name(p->power_evidence));
    html_tile(out, "average power", adept_units_si(value, p->average_power_W, "W"), text);
    if (isnan(p->energy_per_step_J))
        snprintf(text, sizeof text, "withheld with the power");
    else
        snprintf(text, sizeof text, "%.3g J per sample", p->energy_per_step_J / samples);
    html_tile(out, "energy per step", adept_units_si(value, p->energy_per_step_J, "J"), text);
    snprintf(text, sizeof text, "%.0f a step", samples);
    html_tile(out, "samples per second", adept_units_si(value, p->throughput_per_s, ""), text);
    snprintf(text, sizeof text, "of %s: %s", adept_units_memory(more, p->memory_B),
             p->fits_in_memory ? "fits" : "does not fit");
    html_tile(out, "peak memory", adept_units_memory(value, p->peak_memory_B), text);
    snprintf(text, sizeof text, "power limit %.0f W", p->power_limit_W);
    html_tile(out, "mean SM clock", adept_units_si(value, p->clock_Hz, "Hz"), text);
    fputs("</dl>\n", out);
}

static void write_head(FILE *out, const adept_predicted *in) {
    const adept_run *run = in->run;
    const adept_workload *w = adept_profile_workload(in->profile);
    char title[512];
    snprintf(title, sizeof title, "%.250s on %.250s", html_file_name(adept_graph_path(in->graph)),
             adept_hardware_name(in->hardware));
    html_page_begin(out, title);
    fprintf(out,
            "<p class='sub'>One %s of %.0f sample%s per GPU, %s, %s, %d GPU%s, %d micro-batch%s; model "
            "variant "
            "%s. The step mostly waits for %s.</p>\n",
            run->mode == ADEPT_MODE_TRAIN ? "training step" : "inference batch", w->samples,
            w->samples == 1 ? "" : "s", adept_precision_name(run->precision),
            run->mode == ADEPT_MODE_TRAIN ? adept_optimizer_name(run->optimizer) : "no optimizer",
            (int)w->gpus, w->gpus > 1 ? "s" : "", (int)w->grad_accum, w->grad_accum > 1 ? "es" : "",
            adept_variant_name(in->prediction->variant), adept_bound_name(in->prediction->bound));
    write_tiles(out, in);
}

/* ---- sections ---- */

static void write_settings(FILE *out, const adept_whatif_report *r) {
    const struct {
        const char *name, *format;
        double before, after;
    } rows[] = {
        {"step time, ms",      "%.4g", 1e3 * r->before->step_time_s, 1e3 * r->after->step_time_s},
        {"average power, W",   "%.4g", r->before->average_power_W,   r->after->average_power_W  },
        {"energy per step, J", "%.4g", r->before->energy_per_step_J, r->after->energy_per_step_J},
    };
    html_section_begin(out, "settings", "What is changed, and what it does");
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
    html_section_end(out);
}

static void write_phases(FILE *out, const adept_prediction *p) {
    html_section_begin(out, "phases", "Phases");
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
    html_section_end(out);
}

/* Which operators were in no measurement, one line each. */
static void write_outside(FILE *out, const adept_outside *outside) {
    for (size_t i = 0; i < adept_outside_count(outside); i++) {
        const adept_outside_row *row = adept_outside_at(outside, i);
        char text[256];
        snprintf(text, sizeof text, "Not measured: %.100s (%s kernels, %s), %.1f %% of the busy time.",
                 row->op_type, adept_kernel_kind_name(row->kind), adept_math_name(row->math),
                 100 * row->share);
        html_note(out, text);
    }
}

static void write_assumptions(FILE *out, const adept_predicted *in) {
    char text[512];
    const adept_prediction *p = in->prediction;
    adept_coverage coverage = adept_profile_coverage(in->profile);
    html_section_begin(out, "assumptions", "Assumptions and evidence");
    fputs("<ul class='notes'>\n", out);
    snprintf(text, sizeof text, "Time rests on: %s. Power rests on: %s.",
             adept_evidence_name(p->time_evidence), adept_evidence_name(p->power_evidence));
    html_note(out, text);
    if (*adept_hardware_fit(in->hardware, p->variant)) {
        snprintf(text, sizeof text, "Parameters: %.480s", adept_hardware_fit(in->hardware, p->variant));
        html_note(out, text);
    }
    snprintf(text, sizeof text, "%zu of %zu nodes of the network have a handler.", coverage.nodes_supported,
             coverage.nodes_total);
    html_note(out, text);
    snprintf(text, sizeof text, "Memory includes %.0f MB of context and allocator losses, which are assumed.",
             p->memory_overhead_B / 1e6);
    html_note(out, text);
    for (size_t i = 0; i < p->note_count; i++) {
        char value[48] = "";
        if (!isnan(p->notes[i].value))
            snprintf(value, sizeof value, ": %.4g", p->notes[i].value);
        snprintf(text, sizeof text, "%s%s", adept_note_text(p->notes[i].code), value);
        html_note(out, text);
    }
    write_outside(out, in->outside);
    html_profile_notes(out, in->profile);
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
    html_section_begin(out, "waterfall", "Where the time goes");
    html_chart_waterfall(out, in->prediction);
    html_section_end(out);
    write_phases(out, in->prediction);
    if (in->explanation && adept_explanation_has_costs(in->explanation)) {
        html_section_begin(out, "roofline", "Roofline");
        html_chart_roofline(out, in);
        html_section_end(out);
        html_section_begin(out, "modules", "Energy by module");
        html_chart_modules(out, in);
        html_section_end(out);
    }
}

adept_status adept_report_html(FILE *out, const adept_predicted *predicted, const adept_whatif_report *whatif,
                               adept_error *err) {
    write_head(out, predicted);
    html_page_main(out);
    if (whatif && whatif->setting_count)
        write_settings(out, whatif);
    if (whatif && whatif->optimum) {
        html_section_begin(out, "front", "Time against energy");
        html_chart_front(out, whatif->optimum);
        html_section_end(out);
    }
    if (whatif && whatif->sample) {
        html_section_begin(out, "sweep", "Sweep");
        html_chart_sweep(out, whatif);
        html_section_end(out);
    }
    if (whatif && whatif->sensitivity) {
        html_section_begin(out, "sensitivity", "What matters");
        html_chart_sensitivity(out, whatif->sensitivity);
        html_section_end(out);
    }
    write_figures(out, predicted);
    write_assumptions(out, predicted);
    write_sources(out, predicted->hardware);
    html_section_end(out);
    html_page_end(out,
                  "Predicted by ADEPT from the network's graph and the GPU's figures; nothing was measured.");
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the page");
}
