#include <math.h>
#include <string.h>

#include "adept/calibration_report.h"
#include "fail.h"
#include "plain_text.h"
#include "units.h"

enum { NAME_WIDTH = 26 };

static void print_percent(FILE *out, double value, int width) {
    if (isnan(value))
        fprintf(out, "%*s", width, "-");
    else
        fprintf(out, "%*.1f", width, value);
}

static void print_summary(FILE *out, const adept_error_summary *s) {
    fprintf(out, " %5zu", s->n);
    print_percent(out, s->mape, 7);
    print_percent(out, s->median, 7);
    if (isnan(s->bias))
        fprintf(out, "%7s", "-");
    else
        fprintf(out, "%+7.1f", s->bias);
    print_percent(out, s->mape_weighted, 7);
}

static void print_group(FILE *out, const adept_score_group *group) {
    const char *name = ADEPT_PLAIN(group->name);
    size_t length = strlen(name);
    fprintf(out, "  %-*s", NAME_WIDTH, length > NAME_WIDTH ? name + length - NAME_WIDTH : name);
    print_summary(out, &group->scores.time);
    print_percent(out, group->baseline[ADEPT_BASELINE_ROOFLINE].mape, 8);
    print_percent(out, group->baseline[ADEPT_BASELINE_ROOFLINE_FITTED].mape, 7);
    fputs("  |", out);
    print_summary(out, &group->scores.power);
    print_percent(out, group->baseline[ADEPT_BASELINE_TDP].mape, 8);
    print_percent(out, group->baseline[ADEPT_BASELINE_LIMIT].mape, 7);
    fputc('\n', out);
}

static void print_table(FILE *out, const adept_validation *v, adept_grouping grouping) {
    fprintf(out, "\n  %-*s %5s%7s%7s%7s%7s%8s%7s  | %5s%7s%7s%7s%7s%8s%7s\n", NAME_WIDTH,
            adept_grouping_heading(grouping), "rows", "time", "median", "bias", "wtd", "roofl.", "fitted",
            "rows", "power", "median", "bias", "wtd", "TDP", "limit");
    for (size_t i = 0; i < adept_validation_group_count(v, grouping); i++)
        print_group(out, adept_validation_group(v, grouping, i));
}

static void print_line(FILE *out, const char *name, const adept_error_summary *s) {
    if (s->n == 0)
        return;
    fprintf(out, "  %-32s %6.2f %%  median %.2f  bias %+.2f  weighted, all rows %.2f  (%zu rows)\n", name,
            s->mape, s->median, s->bias, s->mape_weighted, s->n);
}

static void print_errors(FILE *out, const adept_validation *v) {
    const adept_score_group *total = adept_validation_total(v);
    print_line(out, "step time", &total->scores.time);
    print_line(out, "average power", &total->scores.power);
    print_line(out, "energy", &total->scores.energy);
    if (total->scores.power.n && total->scores.time.n)
        fprintf(out, "  %-32s %6.2f %%  (0.6 time + 0.4 power)\n", "combined", total->scores.combined);
    for (int b = 0; b < ADEPT_BASELINE_COUNT; b++)
        print_line(out, adept_baseline_text((adept_baseline)b), &total->baseline[b]);
    for (int g = 0; g < ADEPT_GROUPING_COUNT; g++) {
        if (adept_validation_group_count(v, (adept_grouping)g) > 1)
            print_table(out, v, (adept_grouping)g);
    }
}

static void print_rows(FILE *out, const adept_validation *v) {
    char time[ADEPT_UNITS_SIZE];
    fprintf(out, "\n  %-28s %6s %-22s %8s %8s %8s %6s\n", "graph", "line", "GPU", "time", "error", "power",
            "error");
    for (size_t i = 0; i < adept_validation_count(v); i++) {
        const adept_validation_row *row = adept_validation_at(v, i);
        const adept_dataset_row *data = row->data;
        double ms = data->step_time_s * 1e3;
        snprintf(time, sizeof time, "%.4g ms", ms);
        fprintf(out, "  %-28.28s %6zu %-22.22s %8s", ADEPT_PLAIN(data->trace->graph), data->trace->line,
                ADEPT_PLAIN(adept_hardware_id(data->hardware)), isnan(ms) ? "-" : time);
        print_percent(out, 100 * (row->step_time_s / data->step_time_s - 1), 9);
        if (isnan(data->average_power_W))
            fprintf(out, " %8s %6s\n", "-", "-");
        else
            fprintf(out, " %6.0f W %+6.1f\n", data->average_power_W,
                    100 * (row->average_power_W / data->average_power_W - 1));
    }
}

/* Lines that share a reason, as ranges. */
static void print_lines(FILE *out, const adept_dataset *dataset, size_t first) {
    const adept_dataset_skip *of = adept_dataset_skip_at(dataset, first);
    size_t from = of->line, to = of->line;
    const char *separator = "";
    for (size_t i = first + 1; i <= adept_dataset_skip_count(dataset); i++) {
        const adept_dataset_skip *s =
            i < adept_dataset_skip_count(dataset) ? adept_dataset_skip_at(dataset, i) : NULL;
        if (s && (s->file != of->file || strcmp(s->reason, of->reason) != 0))
            continue;
        if (s && s->line == to + 1) {
            to = s->line;
            continue;
        }
        fprintf(out, "%s%zu", separator, from);
        if (to > from)
            fprintf(out, "-%zu", to);
        separator = ", ";
        if (s)
            from = to = s->line;
    }
}

static bool is_first_of_reason(const adept_dataset *dataset, size_t index) {
    const adept_dataset_skip *s = adept_dataset_skip_at(dataset, index);
    for (size_t i = 0; i < index; i++) {
        const adept_dataset_skip *earlier = adept_dataset_skip_at(dataset, i);
        if (earlier->file == s->file && strcmp(earlier->reason, s->reason) == 0)
            return false;
    }
    return true;
}

static void print_skips(FILE *out, const adept_dataset *dataset) {
    size_t count = adept_dataset_skip_count(dataset);
    if (count == 0)
        return;
    fprintf(out, "\n%zu rows not used, or not wholly:\n", count);
    for (size_t i = 0; i < count; i++) {
        const adept_dataset_skip *s = adept_dataset_skip_at(dataset, i);
        if (!is_first_of_reason(dataset, i))
            continue;
        fprintf(out, "  %s line ", ADEPT_PLAIN(adept_dataset_file(dataset, s->file)));
        print_lines(out, dataset, i);
        fprintf(out, ": %s\n", ADEPT_PLAIN(s->reason));
    }
}

static void print_coverage(FILE *out, const adept_validation *v) {
    adept_coverage_rate rate = adept_validation_coverage(v);
    adept_hardware_interval i = adept_validation_interval(v, -1, rate.level);
    if (isnan(rate.time) && isnan(rate.power))
        return;
    fprintf(out,
            "\n  intervals for %.0f %% of new rows, from these residuals; measured coverage, each fold "
            "against the\n"
            "  intervals of the other folds\n",
            100 * rate.level);
    if (!isnan(rate.time))
        fprintf(out, "  time   x%.3f .. x%.3f   covers %.0f %% of %zu rows\n", i.time_lower, i.time_upper,
                100 * rate.time, rate.time_rows);
    if (!isnan(rate.power))
        fprintf(out, "  power  x%.3f .. x%.3f   covers %.0f %% of %zu rows\n", i.power_lower, i.power_upper,
                100 * rate.power, rate.power_rows);
}

/* ---- fit ---- */

static void print_value(FILE *out, const adept_fit *fit, const adept_theta *theta, size_t p, double value) {
    const char *unit = p < theta->count ? adept_parameter_at(theta->variant, p)->unit : "s per launch";
    fprintf(out, "  %-18s %12.5g %-12s", adept_fit_name(fit, p), value, strcmp(unit, "1") == 0 ? "" : unit);
}

static void print_parameters(FILE *out, const adept_fit *fit, size_t part, const adept_identifiability *id) {
    const adept_fit_part *p = adept_fit_part_at(fit, part);
    const adept_theta *theta = adept_fit_theta(fit, p->gpu < 0 ? 0 : (size_t)p->gpu);
    for (size_t i = 0; id && i < id->parameters; i++) {
        const adept_parameter_evidence *e = &id->evidence[i];
        print_value(out, fit, theta, e->parameter, e->value);
        fprintf(out, " +- %5.1f %% of its range", 100 * e->deviation);
        if (!isnan(e->lower))
            fprintf(out, ", refits %.4g .. %.4g", e->lower, e->upper);
        if (fabs(e->correlation) > 0.95)
            fprintf(out, ", moves with %s (%+.2f)", adept_fit_name(fit, e->partner), e->correlation);
        fputs(e->at_bound ? ", at its bound" : "", out);
        fputs(e->determined ? "\n" : "   NOT DETERMINED by these rows\n", out);
    }
    for (size_t i = 0; !id && i < ADEPT_THETA_MAX; i++) {
        if (!adept_fit_is_free(fit, part, i))
            continue;
        print_value(out, fit, theta, i, theta->value[i]);
        fputc('\n', out);
    }
    for (size_t i = 0; i < ADEPT_THETA_MAX; i++) {
        if (adept_fit_is_dropped(fit, part, i))
            fprintf(out, "  %-18s kept: no row depends on it\n", adept_fit_name(fit, i));
    }
}

static void print_fit(FILE *out, const adept_validation_report *report) {
    for (size_t i = 0; i < adept_fit_part_count(report->fit); i++) {
        const adept_fit_part *p = adept_fit_part_at(report->fit, i);
        const adept_identifiability *id = report->identifiability ? &report->identifiability[i] : NULL;
        fprintf(
            out,
            "\n%s: %zu parameters to %zu rows (%zu times, %zu powers): loss %.3f %%, from %.3f before, %.3f "
            "before the polish\n  %llu generations, %llu evaluations, %.1f s; %s\n",
            ADEPT_PLAIN(p->name), p->free_count, p->rows, p->time_rows, p->power_rows, p->loss, p->loss_start,
            p->loss_search, (unsigned long long)p->generations, (unsigned long long)p->evaluations,
            p->seconds, p->stopped_by);
        if (id)
            fprintf(out, "  Jacobian: rank %zu of %zu, condition %.3g, %zu residuals\n", id->rank,
                    id->parameters, id->condition, id->residuals);
        if (p->free_count > p->time_rows + p->power_rows)
            fputs("  more parameters than measurements: the values are one choice among many\n", out);
        print_parameters(out, report->fit, i, id);
    }
}

static void print_stages(FILE *out, const char *title, const adept_stage *stages, size_t count) {
    fprintf(out, "\n%s\n  %-34s %5s %8s %8s %8s %8s %9s\n", title, "", "free", "time", "power", "combined",
            "loss", "seconds");
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "  %-34s %5zu", stages[i].name, stages[i].free_count);
        print_percent(out, stages[i].scores.time.mape, 9);
        print_percent(out, stages[i].scores.power.mape, 9);
        print_percent(out, stages[i].scores.combined, 9);
        fprintf(out, "%9.2f %9.1f\n", stages[i].loss, stages[i].seconds);
    }
}

adept_status adept_report_validation_text(FILE *out, const adept_validation_report *report,
                                          adept_error *err) {
    const adept_validation *v = report->in_sample;
    const adept_dataset *dataset = adept_validation_dataset(v);
    fprintf(out, "variant %s, %zu rows, %zu distinct workloads, %zu GPUs\n",
            adept_variant_name(adept_validation_variant(v)), adept_validation_count(v),
            adept_dataset_workload_count(dataset), adept_dataset_gpu_count(dataset));
    if (report->fit)
        print_fit(out, report);
    if (report->stages)
        print_stages(out, "staged fit, in-sample error in percent", report->stages, ADEPT_STAGE_COUNT);
    if (report->ablation)
        print_stages(out, "saturation functions, in-sample error in percent", report->ablation,
                     ADEPT_ABLATION_COUNT);
    fprintf(out,
            "\nerror in percent (mean of |predicted/measured - 1| over rows of weight 0.5 and more), %s\n",
            report->in_sample_title);
    print_errors(out, v);
    if (report->every_row)
        print_rows(out, v);
    if (report->held_out) {
        const adept_validation *h = report->held_out;
        fprintf(out, "\nHELD OUT: %zu folds by %s, error on rows that the fit has not seen%s\n",
                adept_validation_fold_count(h), adept_validation_by(h),
                adept_validation_stopped(h) ? " (stopped: folds are missing)" : "");
        print_errors(out, h);
        if (report->every_row)
            print_rows(out, h);
        print_coverage(out, h);
    }
    print_skips(out, dataset);
    return fflush(out) == 0 && !ferror(out) ? ADEPT_OK : adept_fail(err, ADEPT_IO, "cannot write the report");
}
