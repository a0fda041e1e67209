#include <stdlib.h>
#include <string.h>

#include "adept/explain.h"
#include "adept/graph.h"
#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/profile.h"
#include "adept/report.h"
#include "adept/whatif_report.h"
#include "cli.h"

enum { MAX_ITEMS = 64 }; /* models, GPUs or batch sizes of one call */

typedef struct predict_options {
    cli_run run;
    const char *models[MAX_ITEMS], *hardware[MAX_ITEMS], *batches[MAX_ITEMS];
    size_t model_count, hardware_count, batch_count;
    const char *html, *cluster;
    bool json, csv, strict, explain, max_batch, help;
} predict_options;

static void print_help(void) {
    puts("adept predict MODEL.onnx .. --hw ID|FILE.json[,..] [run options] [--explain] [--max-batch]\n"
         "              [--cluster FILE] [--html FILE] [--json|--csv] [--strict]\n"
         "\nTime, power, energy and memory of one training step (or inference batch). Several models, GPUs "
         "or\n"
         "batch sizes (--batch 8,16,32) give one table.\n"
         "\n  --hw             a GPU of `adept hw list`, or a file of your own\n"
         "  --cluster FILE   for --gpus beyond a node: GPUs per node, network (docs/hardware-files.md)\n"
         "  --explain        where the time goes, the longest operators, what would help\n"
         "  --max-batch      the largest batch that fits in memory\n"
         "  --html FILE      one page with all figures (one model, GPU and batch size)\n"
         "  --json, --csv    for programs\n"
         "  --strict         refuse (exit 3) unknown operators and predictions out of range");
    cli_run_help(stdout);
}

static bool set_flag(predict_options *o, const cli_arguments *args, const char *option) {
    const cli_flag flags[] = {
        {"json",      &o->json     },
        {"csv",       &o->csv      },
        {"strict",    &o->strict   },
        {"explain",   &o->explain  },
        {"max-batch", &o->max_batch},
        {"help",      &o->help     },
        {"h",         &o->help     },
    };
    return cli_set_flag(flags, CLI_COUNT(flags), args, option);
}

/* Splits a comma list in place. False: too many. */
static bool split(char *text, const char **items, size_t *count) {
    for (char *item = text; item;) {
        char *comma = strchr(item, ',');
        if (comma)
            *comma = '\0';
        if (*count == MAX_ITEMS)
            return false;
        if (*item)
            items[(*count)++] = item;
        item = comma ? comma + 1 : NULL;
    }
    return true;
}

static int take_list(cli_arguments *args, const char *option, const char **items, size_t *count) {
    const char *value = cli_value(args, option);
    if (!value)
        return EXIT_USAGE;
    if (!split((char *)(size_t)value, items, count))
        return cli_usage("predict", "--%s: more than %d items", option, MAX_ITEMS);
    return 0;
}

static int take_option(predict_options *o, cli_arguments *args, const char *option) {
    bool taken = true;
    if (set_flag(o, args, option))
        return 0;
    if (strcmp(option, "hw") == 0)
        return take_list(args, option, o->hardware, &o->hardware_count);
    if (strcmp(option, "html") == 0)
        return (o->html = cli_value(args, option)) ? 0 : EXIT_USAGE;
    if (strcmp(option, "cluster") == 0)
        return (o->cluster = cli_value(args, option)) ? 0 : EXIT_USAGE;
    if (strcmp(option, "batch") == 0)
        return take_list(args, option, o->batches, &o->batch_count);
    if (!cli_run_option(&o->run, args, option, &taken))
        return EXIT_USAGE;
    return taken ? 0 : cli_usage("predict", "unknown option --%s", option);
}

static int check(const predict_options *o) {
    if (o->help)
        return 0;
    if (!o->model_count)
        return cli_usage("predict", "which model? give the path of an ONNX file");
    if (!o->hardware_count)
        return cli_usage("predict", "on which GPU? --hw ID; adept hw list names them");
    if (o->json && o->csv)
        return cli_usage("predict", "--json or --csv, not both");
    if (o->html && (o->model_count > 1 || o->hardware_count > 1 || o->batch_count > 1))
        return cli_usage("predict", "--html: a page is of one model, GPU and batch size");
    return 0;
}

static int parse(predict_options *o, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    while (cli_next(&args, &option, &word)) {
        int code = 0;
        if (option)
            code = take_option(o, &args, option);
        else if (o->model_count == MAX_ITEMS)
            code = cli_usage("predict", "more than %d models", MAX_ITEMS);
        else
            o->models[o->model_count++] = word;
        if (code)
            return code;
    }
    return check(o);
}

/* --- the cases: every model with every batch on every GPU; a profile is made once per model and batch --- */

typedef struct predictions {
    size_t graph_count, profile_count, hardware_count, count;
    adept_graph *graphs[MAX_ITEMS];
    adept_hardware *hardware[MAX_ITEMS];
    adept_profile **profiles;
    adept_run *runs; /* one per profile */
    adept_prediction *results;
    adept_explanation **explanations;
    adept_outside **outsides;
    adept_predicted *predicted;
} predictions;

static void free_predictions(predictions *p) {
    for (size_t i = 0; i < p->count && p->explanations; i++)
        adept_explanation_free(p->explanations[i]);
    for (size_t i = 0; i < p->count && p->outsides; i++)
        adept_outside_free(p->outsides[i]);
    for (size_t i = 0; i < p->profile_count && p->profiles; i++)
        adept_profile_free(p->profiles[i]);
    for (size_t i = 0; i < p->graph_count; i++)
        adept_graph_free(p->graphs[i]);
    for (size_t i = 0; i < p->hardware_count; i++)
        adept_hardware_free(p->hardware[i]);
    free(p->profiles);
    free(p->runs);
    free(p->results);
    free(p->explanations);
    free(p->outsides);
    free(p->predicted);
}

static bool allocate(predictions *p, const predict_options *o) {
    size_t batches = o->batch_count ? o->batch_count : 1;
    size_t profiles = o->model_count * batches, cases = profiles * o->hardware_count;
    if (cases == 0)
        return false; /* parse() demands a model and a GPU */
    p->profiles = calloc(profiles, sizeof *p->profiles);
    p->runs = calloc(profiles, sizeof *p->runs);
    p->results = calloc(cases, sizeof *p->results);
    p->explanations = calloc(cases, sizeof *p->explanations);
    p->outsides = calloc(cases, sizeof *p->outsides);
    p->predicted = calloc(cases, sizeof *p->predicted);
    return p->profiles && p->runs && p->results && p->explanations && p->outsides && p->predicted;
}

static adept_status load(predictions *p, const predict_options *o, adept_error *err) {
    adept_status status = ADEPT_OK;
    for (size_t i = 0; status == ADEPT_OK && i < o->hardware_count; i++) {
        status = cli_hardware_load(&p->hardware[i], o->hardware[i], o->cluster, err);
        p->hardware_count += status == ADEPT_OK;
    }
    for (size_t i = 0; status == ADEPT_OK && i < o->model_count; i++) {
        status = adept_graph_load(&p->graphs[i], o->models[i], err);
        p->graph_count += status == ADEPT_OK;
    }
    return status;
}

static adept_status profile(predictions *p, const predict_options *o, size_t model, size_t batch,
                            adept_error *err) {
    adept_run *run = &p->runs[p->profile_count];
    *run = o->run.run;
    adept_status status = o->batch_count ? adept_run_set(run, "batch", o->batches[batch], err) : ADEPT_OK;
    if (status == ADEPT_OK)
        status = adept_profile_build(&p->profiles[p->profile_count], p->graphs[model], run, err);
    p->profile_count += status == ADEPT_OK;
    return status;
}

static bool is_outside_range(const adept_prediction *p) {
    for (size_t i = 0; i < p->note_count; i++) {
        if (p->notes[i].code == ADEPT_NOTE_OUTSIDE_FITTED_RANGE)
            return true;
    }
    return false;
}

static adept_status predict(predictions *p, const predict_options *o, size_t model, size_t gpu,
                            adept_error *err) {
    size_t index = p->count, made = p->profile_count - 1;
    const adept_run *run = &p->runs[made];
    adept_predicted *out = &p->predicted[index];
    *out = (adept_predicted){.graph = p->graphs[model],
                             .profile = p->profiles[made],
                             .hardware = p->hardware[gpu],
                             .hardware_asked = o->hardware[gpu],
                             .run = run,
                             .prediction = &p->results[index]};
    p->count++;
    adept_status status =
        adept_predict(&p->results[index], adept_profile_workload(out->profile), out->hardware, run, err);
    if (status == ADEPT_OK && (o->explain || o->html)) {
        status = adept_explain(&p->explanations[index], out->profile, out->hardware, run, err);
        out->explanation = o->explain ? p->explanations[index] : NULL;
    }
    if (status == ADEPT_OK && is_outside_range(&p->results[index])) {
        status = adept_outside_range(&p->outsides[index], out->profile, out->hardware, run, err);
        out->outside = p->outsides[index];
    }
    if (status == ADEPT_OK && o->max_batch)
        status = adept_max_batch(&out->max_batch, out->graph, out->hardware, run, err);
    return status;
}

static adept_status predict_all(predictions *p, const predict_options *o, adept_error *err) {
    size_t batches = o->batch_count ? o->batch_count : 1;
    adept_status status = load(p, o, err);
    for (size_t m = 0; status == ADEPT_OK && m < o->model_count; m++) {
        for (size_t b = 0; status == ADEPT_OK && b < batches; b++) {
            status = profile(p, o, m, b, err);
            for (size_t g = 0; status == ADEPT_OK && g < o->hardware_count; g++)
                status = predict(p, o, m, g, err);
        }
    }
    return status;
}

static adept_status print(const predictions *p, const predict_options *o, adept_error *err) {
    if (o->csv)
        return adept_report_predictions_csv(stdout, p->predicted, p->count, err);
    if (o->json)
        return p->count == 1 ? adept_report_prediction_json(stdout, p->predicted, err)
                             : adept_report_predictions_json(stdout, p->predicted, p->count, err);
    return p->count == 1 ? adept_report_prediction_text(stdout, p->predicted, err)
                         : adept_report_predictions_text(stdout, p->predicted, p->count, err);
}

static adept_status write_page(const predictions *p, const char *path, adept_error *err) {
    adept_predicted page = p->predicted[0];
    FILE *file = fopen(path, "w");
    if (!file) {
        err->status = ADEPT_IO;
        snprintf(err->message, sizeof err->message, "%.900s: cannot be written", path);
        return ADEPT_IO;
    }
    page.explanation = p->explanations[0];
    adept_status status = adept_report_html(file, &page, NULL, err);
    fclose(file);
    return status;
}

/* --strict: what no handler knows, and notes that say the figures do not hold. */
static bool is_refused(const predictions *p) {
    for (size_t i = 0; i < p->count; i++) {
        if (cli_refuses("predict", p->predicted[i].profile))
            return true;
        if (cli_refuses_prediction("predict", p->predicted[i].graph, p->predicted[i].hardware,
                                   &p->results[i]))
            return true;
    }
    return false;
}

int adept_cmd_predict(int argc, char **argv) {
    predict_options options = {.run = cli_run_new()};
    predictions all = {0};
    adept_error err = ADEPT_ERROR_INIT;
    int code = parse(&options, argc, argv);
    if (code == 0 && options.help) {
        print_help();
    } else if (code == 0) {
        adept_status status = ADEPT_NOMEM;
        if (allocate(&all, &options))
            status = predict_all(&all, &options, &err);
        if (status == ADEPT_OK)
            status = print(&all, &options, &err);
        if (status == ADEPT_OK && options.html)
            status = write_page(&all, options.html, &err);
        if (status != ADEPT_OK) {
            err.status = status;
            code = cli_failed("predict", &err);
        } else if (options.strict && is_refused(&all)) {
            code = EXIT_REFUSED;
        }
    }
    free_predictions(&all);
    cli_run_free(&options.run);
    return code;
}
