#include "adept/report.h"
#include "fail.h"
#include "number.h"
#include "profile_members.h"
#include "strict_csv.h"
#include "strict_json.h"

#include <math.h>

static void put_interval(adept_json_writer *w, const char *key, const adept_interval *interval) {
    adept_json_begin_array(w, key);
    adept_json_put_number(w, NULL, interval->lower);
    adept_json_put_number(w, NULL, interval->upper);
    adept_json_end(w);
}

static void put_phases(adept_json_writer *w, const adept_prediction *p) {
    adept_json_begin_array(w, "phases");
    for (int i = 0; i < ADEPT_PHASE_COUNT; i++) {
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", adept_phase_name((adept_phase)i));
        adept_json_put_number(w, "time_s", p->phases[i].time_s);
        adept_json_put_number(w, "power_W", p->phases[i].power_W);
        adept_json_put_number(w, "energy_J", p->phases[i].energy_J);
        adept_json_end(w);
    }
    adept_json_end(w);
}

/* What was in no measurement, with its share of the busy time; empty where all was. */
static void put_outside(adept_json_writer *w, const adept_outside *outside) {
    adept_json_begin_array(w, "outside_fitted_range");
    for (size_t i = 0; i < adept_outside_count(outside); i++) {
        const adept_outside_row *row = adept_outside_at(outside, i);
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "op_type", row->op_type);
        adept_json_put_string(w, "kernel", adept_kernel_kind_name(row->kind));
        adept_json_put_string(w, "math", adept_math_name(row->math));
        adept_json_put_number(w, "share", row->share);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_evidence(adept_json_writer *w, const adept_predicted *predicted) {
    const adept_prediction *p = predicted->prediction;
    adept_json_begin_object(w, "evidence");
    adept_json_put_string(w, "time", adept_evidence_name(p->time_evidence));
    adept_json_put_string(w, "power", adept_evidence_name(p->power_evidence));
    adept_json_begin_array(w, "notes");
    for (size_t i = 0; i < p->note_count; i++) {
        char text[256], number[ADEPT_NUMBER_SIZE];
        bool valued = isfinite(p->notes[i].value);
        snprintf(text, sizeof text, "%s%s%s", adept_note_text(p->notes[i].code), valued ? ": " : "",
                 valued ? adept_number_format(number, p->notes[i].value) : "");
        adept_json_put_string(w, NULL, text);
    }
    adept_json_end(w);
    put_outside(w, predicted->outside);
    adept_json_end(w);
}

static void put_losses(adept_json_writer *w, const adept_prediction *p) {
    adept_json_begin_array(w, "waterfall");
    for (int i = 0; i < ADEPT_LOSS_COUNT; i++) {
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", adept_loss_text((adept_loss)i));
        adept_json_put_number(w, "time_s", p->losses_s[i]);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_explanation(adept_json_writer *w, const adept_predicted *predicted) {
    const adept_explanation *e = predicted->explanation;
    adept_json_begin_object(w, "explanation");
    put_losses(w, predicted->prediction);
    adept_json_begin_array(w, "operators");
    for (size_t i = 0; adept_explanation_has_costs(e) && i < adept_profile_operator_count(predicted->profile);
         i++) {
        const adept_operator *op = adept_profile_operator(predicted->profile, i);
        adept_operator_cost cost = adept_explanation_operator(e, i);
        if (!(cost.time_s > 0))
            continue;
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", op->name);
        adept_json_put_string(w, "op_type", op->op_type);
        adept_json_put_string(w, "module", op->module);
        adept_json_put_number(w, "time_s", cost.time_s);
        adept_json_put_number(w, "energy_J", cost.energy_J);
        adept_json_put_string(w, "bound", adept_bound_name(cost.bound));
        adept_json_end(w);
    }
    adept_json_end(w);
    adept_json_begin_array(w, "remedies");
    for (size_t i = 0; i < adept_explanation_remedy_count(e); i++) {
        const adept_remedy *r = adept_explanation_remedy(e, i);
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "what", r->what);
        adept_json_put_number(w, "step_time_s", r->step_time_s);
        adept_json_put_number(w, "energy_per_step_J", r->energy_per_step_J);
        adept_json_end(w);
    }
    adept_json_end(w);
    adept_json_end(w);
}

/* Scope node: null members never stand for a missing host, the object itself is left out. */
static void put_node(adept_json_writer *w, const adept_predicted *predicted) {
    const adept_prediction *p = predicted->prediction;
    adept_node_power node;
    if (!adept_node_power_of(&node, adept_hardware_spec_of(predicted->hardware), predicted->run->gpus,
                             p->average_power_W))
        return;
    adept_json_begin_object(w, "node");
    adept_json_put_number(w, "nodes", node.nodes);
    adept_json_put_number(w, "gpus_W", node.gpus_W);
    adept_json_put_number(w, "cpu_W", node.cpu_W);
    adept_json_put_number(w, "dram_W", node.dram_W);
    adept_json_put_number(w, "fan_W", node.fan_W);
    adept_json_put_number(w, "supply_W", node.supply_W);
    adept_json_put_number(w, "total_W", node.total_W);
    adept_json_put_number(w, "energy_per_step_J", node.total_W * p->step_time_s);
    adept_json_end(w);
}

static void put_prediction(adept_json_writer *w, const adept_predicted *predicted) {
    const adept_prediction *p = predicted->prediction;
    adept_json_begin_object(w, "prediction");
    adept_json_put_string(w, "variant", adept_variant_name(p->variant));
    adept_json_put_number(w, "step_time_s", p->step_time_s);
    adept_json_put_number(w, "average_power_W", p->average_power_W);
    adept_json_put_number(w, "energy_per_step_J", p->energy_per_step_J);
    adept_json_put_string(w, "energy_scope", "gpu");
    adept_json_put_number(w, "throughput_per_s", p->throughput_per_s);
    adept_json_put_number(w, "clock_Hz", p->clock_Hz);
    adept_json_put_number(w, "power_limit_W", p->power_limit_W);
    adept_json_begin_object(w, "interval");
    put_interval(w, "step_time_s", &p->step_time_interval_s);
    put_interval(w, "average_power_W", &p->average_power_interval_W);
    adept_json_put_number(w, "level", p->interval_level);
    adept_json_end(w);
    put_phases(w, p);
    adept_json_put_string(w, "bound", adept_bound_name(p->bound));
    adept_json_put_bool(w, "fits_in_memory", p->fits_in_memory);
    adept_json_put_number(w, "peak_memory_B", p->peak_memory_B);
    adept_json_put_number(w, "memory_B", p->memory_B);
    if (predicted->max_batch)
        adept_json_put_integer(w, "max_batch", predicted->max_batch > 0 ? predicted->max_batch : 0);
    put_node(w, predicted);
    put_evidence(w, predicted);
    if (predicted->explanation)
        put_explanation(w, predicted);
    adept_json_end(w);
}

static void put_members(adept_json_writer *w, const adept_predicted *p) {
    adept_profile_report options = {0};
    adept_json_begin_object(w, "profile");
    adept_report_profile_members(w, p->graph, p->profile, &options);
    adept_json_end(w);
    adept_json_begin_object(w, "hardware");
    adept_json_put_string(w, "id", adept_hardware_id(p->hardware));
    adept_json_put_string(w, "name", adept_hardware_name(p->hardware));
    adept_json_end(w);
    put_prediction(w, p);
}

adept_status adept_report_prediction_json(FILE *out, const adept_predicted *predicted, adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    put_members(&w, predicted);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}

adept_status adept_report_predictions_json(FILE *out, const adept_predicted *predicted, size_t count,
                                           adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    adept_json_begin_object(&w, NULL);
    adept_json_begin_array(&w, "predictions");
    for (size_t i = 0; i < count; i++) {
        adept_json_begin_object(&w, NULL);
        put_members(&w, &predicted[i]);
        adept_json_end(&w);
    }
    adept_json_end(&w);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}

adept_status adept_report_predictions_csv(FILE *out, const adept_predicted *predicted, size_t count,
                                          adept_error *err) {
    fputs("model,hardware,batch,gpus,precision,mode,variant,step_time_s,average_power_W,energy_per_step_J,"
          "throughput_per_s,clock_Hz,peak_memory_B,fits_in_memory,time_evidence,power_evidence\n",
          out);
    for (size_t i = 0; i < count; i++) {
        const adept_predicted *p = &predicted[i];
        const adept_prediction *r = p->prediction;
        const double numbers[] = {r->step_time_s,      r->average_power_W, r->energy_per_step_J,
                                  r->throughput_per_s, r->clock_Hz,        r->peak_memory_B};
        adept_csv_write_field(out, adept_graph_path(p->graph));
        fputc(',', out);
        adept_csv_write_field(out, adept_hardware_id(p->hardware));
        fprintf(out, ",%.0f,%d,%s,%s,%s", adept_profile_workload(p->profile)->samples, p->run->gpus,
                adept_precision_name(p->run->precision), adept_mode_name(p->run->mode),
                adept_variant_name(r->variant));
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            char text[ADEPT_NUMBER_SIZE];
            fprintf(out, ",%s", isfinite(numbers[k]) ? adept_number_format(text, numbers[k]) : "");
        }
        fprintf(out, ",%d,%s,%s\n", r->fits_in_memory, adept_evidence_name(r->time_evidence),
                adept_evidence_name(r->power_evidence));
    }
    if (fflush(out) != 0 || ferror(out))
        return adept_fail(err, ADEPT_IO, "the output could not be written completely");
    return ADEPT_OK;
}
