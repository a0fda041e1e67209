#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adept/explain.h"
#include "adept/whatif.h"
#include "adept/whatif_report.h"
#include "cli.h"

enum { MAX_LIST = 64, TABLE_ROWS = 60, FIGURE_ROWS = 4000 };

typedef struct whatif_options {
    cli_run run;
    const char *model, *hardware, *output, *html, *prices, *goal, *cluster;
    const char *settings[MAX_LIST], *sweeps[MAX_LIST], *over[MAX_LIST];
    size_t setting_count, sweep_count, over_count;
    double max_step_time_s, max_power_W, pue, threads;
    bool json, csv, sensitivity, strict, help;
} whatif_options;

static void print_help(void) {
    puts(
        "adept whatif MODEL.onnx --hw ID|FILE.json [run options] --set KEY=VALUE|*F|+P% ..\n"
        "             --sweep KEY=A:B:N[:log]|V1,V2,.. .. [--sensitivity] [--optimize GOAL --over KEY,..]\n"
        "             [-o NEW_HW.json] [--cluster FILE] [--html FILE] [--json|--csv] [--strict]\n"
        "\nHardware that does not exist, grids over figures and run options, what matters, what is best.\n"
        "\n  --set KEY=VALUE        a figure of the hardware file (spec.tdp_W) or a parameter "
        "(theta.operator.g);\n"
        "                         *1.5 times, +20% more than now; repeatable\n"
        "  -o FILE                writes the changed hardware, for predict --hw FILE\n"
        "  --sweep KEY=A:B:N      N values from A to B (:log in equal ratios), or a list V1,V2; several form "
        "a "
        "grid;\n"
        "                         figures, parameters, and batch, seq, gpus, precision, power-limit, "
        "clock-limit, "
        "..\n"
        "  --sensitivity          percent per percent of time, power, energy for every figure and parameter\n"
        "  --optimize GOAL        energy, time, edp, ed2p or cost, per sample\n"
        "  --over KEY,..          over these; ranges by --sweep, else natural ones\n"
        "  --max-step-time S, --max-power W   constraints of the optimum (fitting in memory is one always)\n"
        "  --prices FILE --pue X  for --optimize cost\n"
        "  --cluster FILE         GPUs per node and the network between nodes (docs/hardware-files.md)\n"
        "  --html FILE            one page with all figures\n"
        "  --threads N            (one per processor)\n"
        "  --json, --csv          sweeps stream as JSON lines or CSV rows\n"
        "  --strict               refuse (exit 3) unknown operators and predictions out of range, also of "
        "one "
        "point of a sweep");
    cli_run_help(stdout);
}

static bool set_flag(whatif_options *o, const cli_arguments *args, const char *option) {
    const cli_flag flags[] = {
        {"json",        &o->json       },
        {"csv",         &o->csv        },
        {"sensitivity", &o->sensitivity},
        {"strict",      &o->strict     },
        {"help",        &o->help       },
        {"h",           &o->help       },
    };
    return cli_set_flag(flags, CLI_COUNT(flags), args, option);
}

static int add_item(const char **items, size_t *count, const char *item, const char *option) {
    if (*count == MAX_LIST)
        return cli_usage("whatif", "--%s: more than %d", option, MAX_LIST);
    items[(*count)++] = item;
    return 0;
}

/* --over a,b,c */
static int add_over(whatif_options *o, char *text) {
    int code = 0;
    for (char *item = text; item && code == 0;) {
        char *comma = strchr(item, ',');
        if (comma)
            *comma++ = '\0';
        code = add_item(o->over, &o->over_count, item, "over");
        item = comma;
    }
    return code;
}

static int take_number(cli_arguments *args, const char *option, double *out) {
    const char *value = cli_value(args, option);
    char *end = NULL;
    if (!value)
        return EXIT_USAGE;
    *out = strtod(value, &end);
    if (end == value || *end || !(*out > 0) || isinf(*out))
        return cli_usage("whatif", "--%s: '%s' is not a number above 0", option, value);
    return 0;
}

/* Options with a text or a number of their own; *taken says whether it was one. */
static int take_own(whatif_options *o, cli_arguments *args, const char *option, bool *taken) {
    const struct {
        const char *name;
        const char **text;
        double *number;
    } rows[] = {
        {"hw",            &o->hardware, NULL               },
        {"o",             &o->output,   NULL               },
        {"html",          &o->html,     NULL               },
        {"cluster",       &o->cluster,  NULL               },
        {"prices",        &o->prices,   NULL               },
        {"optimize",      &o->goal,     NULL               },
        {"max-step-time", NULL,         &o->max_step_time_s},
        {"max-power",     NULL,         &o->max_power_W    },
        {"pue",           NULL,         &o->pue            },
        {"threads",       NULL,         &o->threads        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(option, rows[i].name) != 0)
            continue;
        *taken = true;
        if (rows[i].number)
            return take_number(args, option, rows[i].number);
        *rows[i].text = cli_value(args, option);
        return *rows[i].text ? 0 : EXIT_USAGE;
    }
    return 0;
}

static int take_option(whatif_options *o, cli_arguments *args, const char *option) {
    bool taken = false;
    if (set_flag(o, args, option))
        return 0;
    int code = take_own(o, args, option, &taken);
    if (taken || code)
        return code;
    if (strcmp(option, "set") == 0 || strcmp(option, "sweep") == 0 || strcmp(option, "over") == 0) {
        const char *value = cli_value(args, option);
        if (!value)
            return EXIT_USAGE;
        if (*option == 'o')
            return add_over(o, (char *)(size_t)value);
        return option[1] == 'e' ? add_item(o->settings, &o->setting_count, value, option)
                                : add_item(o->sweeps, &o->sweep_count, value, option);
    }
    if (!cli_run_option(&o->run, args, option, &taken))
        return EXIT_USAGE;
    return taken ? 0 : cli_usage("whatif", "unknown option --%s", option);
}

static int check(const whatif_options *o) {
    adept_goal ignored;
    if (o->help)
        return 0;
    if (!o->model)
        return cli_usage("whatif", "which model? give the path of an ONNX file");
    if (!o->hardware)
        return cli_usage("whatif", "on which GPU? --hw ID; adept hw list names them");
    if (o->json && o->csv)
        return cli_usage("whatif", "--json or --csv, not both");
    if (o->goal && !adept_goal_find(&ignored, o->goal))
        return cli_usage("whatif", "--optimize %s: energy, time, edp, ed2p or cost", o->goal);
    if (o->goal && !o->over_count)
        return cli_usage("whatif", "--optimize: over what? --over power-limit,batch");
    if (!o->goal && o->over_count)
        return cli_usage("whatif", "--over: for what? --optimize energy");
    if (!o->goal && !o->sensitivity && !o->sweep_count && !o->setting_count && !o->html)
        return cli_usage("whatif", "nothing to do: give --set, --sweep, --sensitivity or --optimize");
    return 0;
}

static int parse(whatif_options *o, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    while (cli_next(&args, &option, &word)) {
        int code = 0;
        if (option)
            code = take_option(o, &args, option);
        else if (o->model)
            code = cli_usage("whatif", "one model at a time; what is '%s'?", word);
        else
            o->model = word;
        if (code)
            return code;
    }
    return check(o);
}

/* ---- what is made on the way ---- */

typedef struct whatif_work {
    adept_graph *graph;
    adept_hardware *original, *hardware;
    adept_whatif job;
    adept_profile *profile;
    adept_prediction before, after;
    adept_explanation *explanation;
    adept_sweep *sweep;
    adept_sweep_sample sample;
    uint64_t refused_rows;    /* of the sweep, by --strict */
    adept_prediction refused; /* the first of them */
    adept_sensitivity *sensitivity;
    adept_optimum *optimum;
    adept_whatif_report report;
} whatif_work;

static void free_work(whatif_work *w) {
    adept_optimum_free(w->optimum);
    adept_sensitivity_free(w->sensitivity);
    adept_sweep_sample_free(&w->sample);
    adept_sweep_free(w->sweep);
    adept_explanation_free(w->explanation);
    adept_profile_free(w->profile);
    adept_hardware_free(w->hardware);
    adept_hardware_free(w->original);
    adept_graph_free(w->graph);
}

static adept_status write_hardware(const whatif_work *w, const char *path, adept_error *err) {
    FILE *file = fopen(path, "w");
    if (!file) {
        err->status = ADEPT_IO;
        snprintf(err->message, sizeof err->message, "%.900s: cannot be written", path);
        return ADEPT_IO;
    }
    adept_status status = adept_hardware_write(w->hardware, file, err);
    fclose(file);
    return status;
}

static adept_status prepare(whatif_work *w, const whatif_options *o, adept_error *err) {
    adept_status status = cli_hardware_load(&w->original, o->hardware, o->cluster, err);
    if (status == ADEPT_OK)
        status = adept_hardware_copy(&w->hardware, w->original, err);
    if (status == ADEPT_OK)
        status = adept_whatif_set(w->hardware, o->settings, o->setting_count, err);
    if (status == ADEPT_OK && o->output)
        status = write_hardware(w, o->output, err);
    if (status == ADEPT_OK)
        status = adept_graph_load(&w->graph, o->model, err);
    w->job = (adept_whatif){w->graph, w->original, w->hardware, &o->run.run, (size_t)o->threads};
    if (status == ADEPT_OK)
        status = adept_profile_build(&w->profile, w->graph, &o->run.run, err);
    if (status != ADEPT_OK)
        return status;
    const adept_workload *workload = adept_profile_workload(w->profile);
    status = adept_predict(&w->before, workload, w->original, &o->run.run, err);
    if (status == ADEPT_OK)
        status = adept_predict(&w->after, workload, w->hardware, &o->run.run, err);
    w->report = (adept_whatif_report){.job = &w->job,
                                      .hardware_asked = o->hardware,
                                      .settings = o->settings,
                                      .setting_count = o->setting_count,
                                      .profile = w->profile,
                                      .before = &w->before,
                                      .after = &w->after};
    if (status == ADEPT_OK)
        status =
            adept_whatif_extrapolation(&w->report.extrapolation, &w->report.extrapolation_key, &w->job, err);
    if (status == ADEPT_OK)
        adept_whatif_widen(&w->after, w->report.extrapolation);
    return status;
}

/* Counts what --strict does not accept; the first such prediction is kept. */
static bool visit_row(const adept_sweep_row *row, void *user) {
    whatif_work *w = user;
    if (row->status == ADEPT_OK && row->refused && w->refused_rows++ == 0)
        w->refused = row->prediction;
    return adept_sweep_sample_visit(row, &w->sample);
}

/* Sweeps stream; with --optimize, --sweep gives only ranges. */
static adept_status sweep(whatif_work *w, const whatif_options *o, adept_error *err) {
    adept_status status = adept_sweep_new(&w->sweep, &w->job, o->sweeps, o->sweep_count, err);
    if (status == ADEPT_OK)
        status = adept_sweep_sample_init(&w->sample, w->sweep, o->html ? FIGURE_ROWS : TABLE_ROWS, err);
    if (status != ADEPT_OK)
        return status;
    w->report.sweep = w->sweep;
    w->report.sample = &w->sample;
    if (o->json || o->csv)
        return adept_sweep_write(w->sweep, stdout, o->csv ? ADEPT_SWEEP_CSV : ADEPT_SWEEP_JSON_LINES,
                                 visit_row, w, err);
    return adept_sweep_run(w->sweep, visit_row, w, err);
}

static adept_status optimize(whatif_work *w, const whatif_options *o, adept_error *err) {
    adept_economics *economics = NULL;
    adept_optimize_options options = {
        .over = o->over,
        .over_count = o->over_count,
        .sweeps = o->sweeps,
        .sweep_count = o->sweep_count,
        .max_step_time_s = o->max_step_time_s,
        .max_power_W = o->max_power_W,
        .price = {NAN, NAN, 1, ""}
    };
    adept_status status = ADEPT_OK;
    adept_goal_find(&options.goal, o->goal);
    if (options.goal == ADEPT_GOAL_COST) {
        status = adept_economics_load(&economics, o->prices, err);
        if (status == ADEPT_OK)
            options.price = adept_economics_price(economics, w->hardware);
    }
    options.price.pue = o->pue >= 1 ? o->pue : 1;
    if (status == ADEPT_OK)
        status = adept_optimize(&w->optimum, &w->job, &options, err);
    w->report.optimum = w->optimum;
    adept_economics_free(economics);
    return status;
}

static adept_status write_html(whatif_work *w, const whatif_options *o, adept_error *err) {
    FILE *file = fopen(o->html, "w");
    if (!file) {
        err->status = ADEPT_IO;
        snprintf(err->message, sizeof err->message, "%.900s: cannot be written", o->html);
        return ADEPT_IO;
    }
    adept_status status = adept_explain(&w->explanation, w->profile, w->hardware, &o->run.run, err);
    adept_predicted predicted = {.graph = w->graph,
                                 .profile = w->profile,
                                 .hardware = w->hardware,
                                 .hardware_asked = o->hardware,
                                 .run = &o->run.run,
                                 .prediction = &w->after,
                                 .explanation = w->explanation};
    if (status == ADEPT_OK)
        status = adept_report_html(file, &predicted, &w->report, err);
    fclose(file);
    return status;
}

static adept_status print(whatif_work *w, const whatif_options *o, adept_error *err) {
    bool more = w->sensitivity || w->optimum;
    if (o->csv)
        return more ? adept_report_whatif_csv(stdout, &w->report, err) : ADEPT_OK;
    if (o->json)
        return more || !w->sweep ? adept_report_whatif_json(stdout, &w->report, err) : ADEPT_OK;
    return adept_report_whatif_text(stdout, &w->report, err);
}

static adept_status run(whatif_work *w, const whatif_options *o, adept_error *err) {
    adept_status status = prepare(w, o, err);
    if (status == ADEPT_OK && o->sweep_count && !o->goal)
        status = sweep(w, o, err);
    if (status == ADEPT_OK && o->sensitivity) {
        status = adept_sensitivity_new(&w->sensitivity, &w->job, err);
        w->report.sensitivity = w->sensitivity;
    }
    if (status == ADEPT_OK && o->goal)
        status = optimize(w, o, err);
    if (status == ADEPT_OK)
        status = print(w, o, err);
    if (status == ADEPT_OK && o->html)
        status = write_html(w, o, err);
    return status;
}

/* --strict: as predict, of the job as set or, in a sweep, of its points. */
static bool is_refused(const whatif_work *w) {
    if (cli_refuses("whatif", w->profile))
        return true;
    if (!w->sweep)
        return cli_refuses_prediction("whatif", w->graph, w->hardware, &w->after);
    if (w->refused_rows == 0)
        return false;
    cli_refuses_prediction("whatif", w->graph, w->hardware, &w->refused);
    fprintf(stderr, "adept whatif: %llu of %llu points are refused\n", (unsigned long long)w->refused_rows,
            (unsigned long long)adept_sweep_points(w->sweep));
    return true;
}

int adept_cmd_whatif(int argc, char **argv) {
    whatif_options options = {.run = cli_run_new()};
    whatif_work work = {0};
    adept_error err = ADEPT_ERROR_INIT;
    int code = parse(&options, argc, argv);
    if (code == 0 && options.help) {
        print_help();
    } else if (code == 0) {
        adept_status status = run(&work, &options, &err);
        if (status != ADEPT_OK) {
            err.status = status;
            code = cli_failed("whatif", &err);
        } else if (options.strict && is_refused(&work)) {
            code = EXIT_REFUSED;
        }
    }
    free_work(&work);
    cli_run_free(&options.run);
    return code;
}
