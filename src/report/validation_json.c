#include <math.h>

#include "adept/calibration_report.h"
#include "strict_json.h"

static void put_summary(adept_json_writer *w, const char *key, const adept_error_summary *s) {
    adept_json_begin_object(w, key);
    adept_json_put_number(w, "mape", s->mape);
    adept_json_put_number(w, "median", s->median);
    adept_json_put_number(w, "bias", s->bias);
    adept_json_put_number(w, "mape_weighted", s->mape_weighted);
    adept_json_put_integer(w, "n", (int64_t)s->n);
    adept_json_end(w);
}

static void put_scores(adept_json_writer *w, const adept_scores *scores) {
    put_summary(w, "time", &scores->time);
    put_summary(w, "power", &scores->power);
    put_summary(w, "energy", &scores->energy);
    adept_json_put_number(w, "combined", scores->combined);
}

static void put_baselines(adept_json_writer *w, const adept_score_group *group) {
    static const char *const quantities[] = {
#define X(code, name, quantity, text) #quantity,
        ADEPT_BASELINE_LIST(X)
#undef X
    };
    adept_json_begin_object(w, "baseline");
    for (int b = 0; b < ADEPT_BASELINE_COUNT; b++) {
        adept_json_begin_object(w, adept_baseline_name((adept_baseline)b));
        put_summary(w, quantities[b], &group->baseline[b]);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_groups(adept_json_writer *w, const adept_validation *v) {
    adept_json_begin_object(w, "by");
    for (int g = 0; g < ADEPT_GROUPING_COUNT; g++) {
        adept_json_begin_object(w, adept_grouping_name((adept_grouping)g));
        for (size_t i = 0; i < adept_validation_group_count(v, (adept_grouping)g); i++) {
            const adept_score_group *group = adept_validation_group(v, (adept_grouping)g, i);
            adept_json_begin_object(w, group->name);
            put_scores(w, &group->scores);
            put_baselines(w, group);
            adept_json_end(w);
        }
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_interval(adept_json_writer *w, const char *key, adept_interval interval) {
    if (isnan(interval.lower))
        return;
    adept_json_begin_array(w, key);
    adept_json_put_number(w, NULL, interval.lower);
    adept_json_put_number(w, NULL, interval.upper);
    adept_json_end(w);
}

static void put_rows(adept_json_writer *w, const adept_validation *v) {
    const adept_dataset *dataset = adept_validation_dataset(v);
    adept_json_begin_array(w, "per_row");
    for (size_t i = 0; i < adept_validation_count(v); i++) {
        const adept_validation_row *row = adept_validation_at(v, i);
        const adept_trace_row *trace = row->data->trace;
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "file", adept_dataset_file(dataset, row->data->file));
        adept_json_put_integer(w, "line", (int64_t)trace->line);
        adept_json_put_string(w, "graph", trace->graph);
        adept_json_put_string(w, "gpu", adept_hardware_id(row->data->hardware));
        adept_json_put_number(w, "step_time_s", row->data->step_time_s);
        adept_json_put_number(w, "predicted_step_time_s", row->step_time_s);
        adept_json_put_number(w, "average_power_W", row->data->average_power_W);
        adept_json_put_number(w, "predicted_average_power_W", row->average_power_W);
        adept_json_put_number(w, "weight", trace->weight);
        if (adept_validation_fold_count(v))
            adept_json_put_string(w, "fold", adept_validation_fold(v, row->fold));
        adept_json_begin_object(w, "interval");
        put_interval(w, "step_time_s", row->step_time_interval_s);
        put_interval(w, "average_power_W", row->average_power_interval_W);
        adept_json_end(w);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_skips(adept_json_writer *w, const adept_dataset *dataset, const char *key, bool power_only) {
    adept_json_begin_array(w, key);
    for (size_t i = 0; i < adept_dataset_skip_count(dataset); i++) {
        const adept_dataset_skip *s = adept_dataset_skip_at(dataset, i);
        if (s->power_only != power_only)
            continue;
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "file", adept_dataset_file(dataset, s->file));
        adept_json_put_integer(w, "line", (int64_t)s->line);
        adept_json_put_string(w, "reason", s->reason);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_validation(adept_json_writer *w, const adept_validation *v) {
    const adept_score_group *total = adept_validation_total(v);
    adept_json_begin_object(w, "error");
    put_scores(w, &total->scores);
    adept_json_end(w);
    put_baselines(w, total);
    put_groups(w, v);
    put_rows(w, v);
}

static void put_held_out(adept_json_writer *w, const adept_validation *v) {
    adept_coverage_rate rate = adept_validation_coverage(v);
    adept_hardware_interval interval = adept_validation_interval(v, -1, rate.level);
    adept_json_begin_object(w, "held_out");
    adept_json_put_string(w, "by_fold", adept_validation_by(v));
    adept_json_put_integer(w, "folds", (int64_t)adept_validation_fold_count(v));
    adept_json_put_bool(w, "complete", !adept_validation_stopped(v));
    adept_json_put_integer(w, "rows", (int64_t)adept_validation_count(v));
    adept_json_begin_object(w, "interval");
    adept_json_put_number(w, "level", rate.level);
    adept_json_put_number(w, "time_lower", interval.time_lower);
    adept_json_put_number(w, "time_upper", interval.time_upper);
    adept_json_put_number(w, "power_lower", interval.power_lower);
    adept_json_put_number(w, "power_upper", interval.power_upper);
    adept_json_put_number(w, "time_coverage", rate.time);
    adept_json_put_number(w, "power_coverage", rate.power);
    adept_json_end(w);
    put_validation(w, v);
    adept_json_end(w);
}

/* ---- fit ---- */

static void put_evidence(adept_json_writer *w, const adept_fit *fit, const adept_identifiability *id) {
    adept_json_put_integer(w, "rank", (int64_t)id->rank);
    adept_json_put_number(w, "condition", id->condition);
    adept_json_begin_array(w, "parameters");
    for (size_t i = 0; i < id->parameters; i++) {
        const adept_parameter_evidence *e = &id->evidence[i];
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", adept_fit_name(fit, e->parameter));
        adept_json_put_number(w, "value", e->value);
        adept_json_put_number(w, "sensitivity", e->sensitivity);
        adept_json_put_number(w, "deviation_of_range", e->deviation);
        adept_json_put_number(w, "refit_lower", e->lower);
        adept_json_put_number(w, "refit_upper", e->upper);
        adept_json_put_string(w, "correlated_with", adept_fit_name(fit, e->partner));
        adept_json_put_number(w, "correlation", e->correlation);
        adept_json_put_bool(w, "at_bound", e->at_bound);
        adept_json_put_bool(w, "determined", e->determined);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_theta(adept_json_writer *w, const adept_theta *theta) {
    adept_json_begin_object(w, "theta");
    for (size_t i = 0; i < theta->count; i++)
        adept_json_put_number(w, adept_parameter_at(theta->variant, i)->name, theta->value[i]);
    adept_json_end(w);
}

static void put_hosts(adept_json_writer *w, const adept_validation_report *report, const adept_theta *theta) {
    const adept_dataset *dataset = adept_validation_dataset(report->in_sample);
    adept_json_begin_object(w, "host_launch_s");
    for (size_t h = 0; h < adept_dataset_host_count(dataset) && theta->count + h < ADEPT_THETA_MAX; h++) {
        double launch_s = theta->value[theta->count + h];
        adept_json_put_number(w, adept_dataset_host(dataset, h), launch_s > 0 ? launch_s : NAN);
    }
    adept_json_end(w);
}

static void put_fit(adept_json_writer *w, const adept_validation_report *report) {
    adept_json_begin_array(w, "fits");
    for (size_t i = 0; i < adept_fit_part_count(report->fit); i++) {
        const adept_fit_part *p = adept_fit_part_at(report->fit, i);
        const adept_theta *theta = adept_fit_theta(report->fit, p->gpu < 0 ? 0 : (size_t)p->gpu);
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", p->name);
        adept_json_put_integer(w, "rows", (int64_t)p->rows);
        adept_json_put_integer(w, "free_parameters", (int64_t)p->free_count);
        adept_json_put_number(w, "loss_before", p->loss_start);
        adept_json_put_number(w, "loss_search", p->loss_search);
        adept_json_put_number(w, "loss", p->loss);
        adept_json_put_integer(w, "generations", (int64_t)p->generations);
        adept_json_put_integer(w, "evaluations", (int64_t)p->evaluations);
        adept_json_put_number(w, "seconds", p->seconds);
        adept_json_put_bool(w, "converged", p->converged);
        adept_json_put_bool(w, "stopped", p->stopped);
        put_theta(w, theta);
        put_hosts(w, report, theta);
        if (report->identifiability)
            put_evidence(w, report->fit, &report->identifiability[i]);
        adept_json_end(w);
    }
    adept_json_end(w);
}

static void put_stages(adept_json_writer *w, const char *key, const adept_stage *stages, size_t count) {
    adept_json_begin_array(w, key);
    for (size_t i = 0; i < count; i++) {
        adept_json_begin_object(w, NULL);
        adept_json_put_string(w, "name", stages[i].name);
        adept_json_put_integer(w, "free_parameters", (int64_t)stages[i].free_count);
        adept_json_begin_object(w, "error");
        put_scores(w, &stages[i].scores);
        adept_json_end(w);
        adept_json_put_number(w, "loss", stages[i].loss);
        adept_json_put_number(w, "seconds", stages[i].seconds);
        adept_json_end(w);
    }
    adept_json_end(w);
}

adept_status adept_report_validation_json(FILE *out, const adept_validation_report *report,
                                          adept_error *err) {
    adept_json_writer w = adept_json_writer_to(out, 2);
    const adept_validation *v = report->in_sample;
    const adept_dataset *dataset = adept_validation_dataset(v);
    adept_json_begin_object(&w, NULL);
    adept_json_put_string(&w, "variant", adept_variant_name(adept_validation_variant(v)));
    adept_json_put_integer(&w, "rows", (int64_t)adept_validation_count(v));
    put_skips(&w, dataset, "skipped", false);
    put_skips(&w, dataset, "power_not_used", true);
    put_validation(&w, v);
    if (report->held_out)
        put_held_out(&w, report->held_out);
    if (report->fit)
        put_fit(&w, report);
    if (report->stages)
        put_stages(&w, "stages", report->stages, ADEPT_STAGE_COUNT);
    if (report->ablation)
        put_stages(&w, "ablation", report->ablation, ADEPT_ABLATION_COUNT);
    adept_json_end(&w);
    return adept_json_finish(&w, err);
}
