#include <math.h>
#include <string.h>

#include "adept/whatif_report.h"
#include "fail.h"
#include "number.h"
#include "strict_csv.h"
#include "strict_json.h"

static void put_prediction(adept_json_writer *w, const char *key, const adept_prediction *p) {
    adept_json_begin_object(w, key);
    adept_json_put_number(w, "step_time_s", p->step_time_s);
    adept_json_put_number(w, "average_power_W", p->average_power_W);
    adept_json_put_number(w, "energy_per_step_J", p->energy_per_step_J);
    adept_json_put_number(w, "throughput_per_s", p->throughput_per_s);
    adept_json_put_number(w, "clock_Hz", p->clock_Hz);
    adept_json_put_number(w, "peak_memory_B", p->peak_memory_B);
    adept_json_put_bool(w, "fits_in_memory", p->fits_in_memory);
    adept_json_put_string(w, "bound", adept_bound_name(p->bound));
    adept_json_end(w);
}

static void put_elasticity(adept_json_writer *w, const char *key, const adept_elasticity *e) {
    adept_json_begin_object(w, key);
    adept_json_put_number(w, "below", e->below);
    adept_json_put_number(w, "above", e->above);
    adept_json_put_bool(w, "kink", e->kink);
    adept_json_put_bool(w, "jump", e->jump);
    adept_json_end(w);
}

static void put_sensitivity(adept_json_writer *w, const adept_sensitivity *s) {
    adept_json_begin_array(w, "sensitivity");
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "key", row->key);
        adept_json_put_string(w, "unit", row->unit);
        adept_json_put_number(w, "value", row->value);
        put_elasticity(w, "time", &row->time);
        put_elasticity(w, "power", &row->power);
        put_elasticity(w, "energy", &row->energy);
        adept_json_put_number(w, "error", row->error);
        adept_json_put_number(w, "takeover_value", row->takeover_value);
        adept_json_put_string(w, "takeover_bound",
                              isnan(row->takeover_value) ? NULL : adept_bound_name(row->takeover_bound));
        adept_json_put_number(w, "half_value", row->half_value);
        adept_json_put_number(w, "time_ratio_at_end", row->gain_at_end);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_point(adept_json_writer *w, const char *key, const adept_optimum *o,
                      const adept_optimum_point *p) {
    char buffer[40];
    const adept_sweep *s = adept_optimum_sweep(o);
    adept_json_begin_object(w, key);
    for (size_t i = 0; i < adept_sweep_axis_count(s); i++) {
        if (adept_sweep_is_choice(s, i))
            adept_json_put_string(w, adept_sweep_key(s, i), adept_optimum_text(o, p, i, buffer));
        else
            adept_json_put_number(w, adept_sweep_key(s, i), p->values[i]);
    }
    adept_json_put_number(w, "step_time_s", p->step_time_s);
    adept_json_put_number(w, "average_power_W", p->average_power_W);
    adept_json_put_number(w, "energy_per_step_J", p->energy_per_step_J);
    adept_json_put_number(w, "samples_per_step", p->samples);
    adept_json_put_number(w, "time_per_sample_s", p->time_per_sample_s);
    adept_json_put_number(w, "energy_per_sample_J", p->energy_per_sample_J);
    adept_json_put_number(w, "goal_per_sample", p->goal_per_sample);
    adept_json_put_number(w, "extrapolation_octaves", p->extrapolation);
    adept_json_put_bool(w, "fits_in_memory", p->fits_in_memory);
    adept_json_end(w);
}

static void put_optimum(adept_json_writer *w, const adept_optimum *o) {
    adept_optimum_counts c = adept_optimum_counts_of(o);
    adept_json_begin_object(w, "optimum");
    adept_json_put_string(w, "goal", adept_goal_name(adept_optimum_goal(o)));
    adept_json_put_string(w, "unit_per_sample", adept_goal_unit(adept_optimum_goal(o)));
    put_point(w, "present", o, adept_optimum_present(o));
    put_point(w, "best", o, adept_optimum_best(o));
    adept_json_begin_object(w, "points");
    adept_json_put_integer(w, "evaluated", (int64_t)c.evaluated);
    adept_json_put_integer(w, "failed", (int64_t)c.failed);
    adept_json_put_integer(w, "withheld", (int64_t)c.withheld);
    adept_json_put_integer(w, "out_of_memory", (int64_t)c.out_of_memory);
    adept_json_put_integer(w, "too_slow", (int64_t)c.too_slow);
    adept_json_put_integer(w, "too_much_power", (int64_t)c.too_much_power);
    adept_json_end(w);
    adept_json_begin_array(w, "pareto");
    for (size_t i = 0; i < adept_optimum_front_count(o); i++)
        put_point(w, NULL, o, adept_optimum_front(o, i));
    adept_json_end(w);
    adept_json_end(w);
}

adept_status adept_report_whatif_json(FILE *out, const adept_whatif_report *r, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, r->sweep ? 0 : 2); /* behind a sweep's lines: one line */
    adept_json_begin_object(&w, NULL);
    adept_json_begin_object(&w, "whatif");
    adept_json_put_string(&w, "model", adept_graph_path(r->job->graph));
    adept_json_put_string(&w, "hardware", adept_hardware_id(r->job->hardware));
    adept_json_put_string(&w, "variant", adept_variant_name(r->job->run->variant));
    adept_json_begin_array(&w, "set");
    for (size_t i = 0; i < r->setting_count; i++)
        adept_json_put_string(&w, NULL, r->settings[i]);
    adept_json_end(&w);
    adept_json_put_number(&w, "extrapolation_octaves", r->extrapolation);
    adept_json_put_string(&w, "extrapolation_key", r->extrapolation_key);
    put_prediction(&w, "before", r->before);
    put_prediction(&w, "after", r->after);
    if (r->sensitivity)
        put_sensitivity(&w, r->sensitivity);
    if (r->optimum)
        put_optimum(&w, r->optimum);
    adept_json_end(&w);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}

/* ---- CSV ---- */

static void csv_number(FILE *out, double value) {
    char text[ADEPT_NUMBER_SIZE];
    fprintf(out, ",%s", isfinite(value) ? adept_number_format(text, value) : "");
}

static void csv_sensitivity(FILE *out, const adept_sensitivity *s) {
    fputs("key,value,time_below,time_above,power_below,power_above,energy_below,energy_above,error,"
          "takeover_value,takeover_bound,half_value\n",
          out);
    for (size_t i = 0; i < adept_sensitivity_count(s); i++) {
        const adept_sensitivity_row *row = adept_sensitivity_at(s, i);
        const double numbers[] = {row->value,        row->time.below,  row->time.above,
                                  row->power.below,  row->power.above, row->energy.below,
                                  row->energy.above, row->error,       row->takeover_value};
        adept_csv_write_field(out, row->key);
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            csv_number(out, numbers[k]);
        fprintf(out, ",%s", isnan(row->takeover_value) ? "" : adept_bound_name(row->takeover_bound));
        csv_number(out, row->half_value);
        fputs("\n", out);
    }
}

static void csv_point(FILE *out, const adept_optimum *o, const adept_optimum_point *p, const char *role) {
    char buffer[40];
    fputs(role, out);
    for (size_t i = 0; i < adept_sweep_axis_count(adept_optimum_sweep(o)); i++) {
        fputs(",", out);
        adept_csv_write_field(out, adept_optimum_text(o, p, i, buffer));
    }
    const double numbers[] = {p->step_time_s,     p->average_power_W,   p->energy_per_step_J,
                              p->samples,         p->time_per_sample_s, p->energy_per_sample_J,
                              p->goal_per_sample, p->extrapolation};
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
        csv_number(out, numbers[k]);
    fputs("\n", out);
}

static void csv_optimum(FILE *out, const adept_optimum *o) {
    const adept_sweep *s = adept_optimum_sweep(o);
    fputs("role", out);
    for (size_t i = 0; i < adept_sweep_axis_count(s); i++)
        fprintf(out, ",%s", adept_sweep_key(s, i));
    fputs(",step_time_s,average_power_W,energy_per_step_J,samples_per_step,time_per_sample_s,"
          "energy_per_sample_J,goal_per_sample,extrapolation_octaves\n",
          out);
    csv_point(out, o, adept_optimum_present(o), "present");
    csv_point(out, o, adept_optimum_best(o), "best");
    for (size_t i = 0; i < adept_optimum_front_count(o); i++)
        csv_point(out, o, adept_optimum_front(o, i), "pareto");
}

adept_status adept_report_whatif_csv(FILE *out, const adept_whatif_report *r, adept_error *err) {
    if (r->sensitivity)
        csv_sensitivity(out, r->sensitivity);
    if (r->optimum)
        csv_optimum(out, r->optimum);
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the report");
}
