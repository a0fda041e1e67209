#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "adept/whatif.h"
#include "adept/whatif_report.h"
#include "cli.h"

enum { MAX_ITEMS = 64 };

typedef struct compare_options {
    cli_run run;
    const char *models[MAX_ITEMS], *hardware[MAX_ITEMS], *region, *prices, *html, *cluster;
    size_t model_count, hardware_count;
    double samples, steps, carbon, pue;
    bool json, csv, strict, help;
} compare_options;

static void print_help(void) {
    puts("adept compare MODEL.onnx .. --hw ID,ID,.. [run options] [--samples N|--steps N]\n"
         "              [--region R|--carbon G_PER_KWH] [--pue X] [--prices FILE] [--cluster FILE]\n"
         "              [--html FILE] [--json|--csv] [--strict]\n"
         "\nRanks GPUs for a job by time, energy and, with prices, cost; totals of a run.\n"
         "\n  --hw ID,ID,..     GPUs of `adept hw list`, or files of your own; `all` is every known one\n"
         "  --samples N       the run: so many samples, or\n"
         "  --steps N         so many steps\n"
         "  --region R        carbon intensity of a country (de, fr, us, world ..; "
         "data/economics/carbon.csv)\n"
         "  --carbon G        or grams of CO2e per kWh\n"
         "  --pue X           energy of the building over that of the machines (1)\n"
         "  --prices FILE     CSV with item,price,unit,currency,source: a GPU's id and its price per hour, "
         "or\n"
         "                    electricity and its price per kWh\n"
         "  --cluster FILE    for --gpus beyond a node: GPUs per node, network (docs/hardware-files.md)\n"
         "  --html FILE       one page: ranking, bars with intervals, totals, what they rest on\n"
         "  --json, --csv     for programs\n"
         "  --strict          refuse (exit 3) unknown operators and predictions out of range");
    cli_run_help(stdout);
}

static int take_number(cli_arguments *args, const char *option, double *out) {
    const char *value = cli_value(args, option);
    char *end = NULL;
    if (!value)
        return EXIT_USAGE;
    *out = strtod(value, &end);
    if (end == value || *end || !(*out >= 0) || isinf(*out))
        return cli_usage("compare", "--%s: '%s' is not a number of at least 0", option, value);
    return 0;
}

static int take_hardware(compare_options *o, cli_arguments *args) {
    char *text = (char *)(size_t)cli_value(args, "hw");
    if (!text)
        return EXIT_USAGE;
    for (char *item = text; item;) {
        char *comma = strchr(item, ',');
        if (comma)
            *comma++ = '\0';
        if (o->hardware_count == MAX_ITEMS)
            return cli_usage("compare", "--hw: more than %d", MAX_ITEMS);
        if (*item)
            o->hardware[o->hardware_count++] = item;
        item = comma;
    }
    return 0;
}

static int take_option(compare_options *o, cli_arguments *args, const char *option) {
    const struct {
        const char *name;
        const char **text;
        double *number;
    } rows[] = {
        {"region",  &o->region,  NULL       },
        {"prices",  &o->prices,  NULL       },
        {"html",    &o->html,    NULL       },
        {"cluster", &o->cluster, NULL       },
        {"samples", NULL,        &o->samples},
        {"steps",   NULL,        &o->steps  },
        {"carbon",  NULL,        &o->carbon },
        {"pue",     NULL,        &o->pue    },
    };
    const cli_flag flags[] = {
        {"json",   &o->json  },
        {"csv",    &o->csv   },
        {"strict", &o->strict},
        {"help",   &o->help  },
        {"h",      &o->help  },
    };
    bool taken;
    if (cli_set_flag(flags, CLI_COUNT(flags), args, option))
        return 0;
    for (size_t i = 0; i < CLI_COUNT(rows); i++) {
        if (strcmp(option, rows[i].name) != 0)
            continue;
        if (rows[i].number)
            return take_number(args, option, rows[i].number);
        *rows[i].text = cli_value(args, option);
        return *rows[i].text ? 0 : EXIT_USAGE;
    }
    if (strcmp(option, "hw") == 0)
        return take_hardware(o, args);
    if (!cli_run_option(&o->run, args, option, &taken))
        return EXIT_USAGE;
    return taken ? 0 : cli_usage("compare", "unknown option --%s", option);
}

static int check(const compare_options *o) {
    if (o->help)
        return 0;
    if (!o->model_count)
        return cli_usage("compare", "which model? give the path of an ONNX file");
    if (!o->hardware_count)
        return cli_usage("compare", "on which GPUs? --hw a100,h100,l4; adept hw list names them");
    if (o->json && o->csv)
        return cli_usage("compare", "--json or --csv, not both");
    if (o->samples > 0 && o->steps > 0)
        return cli_usage("compare", "--samples or --steps, not both");
    if (o->region && !isnan(o->carbon))
        return cli_usage("compare", "--region or --carbon, not both");
    if (o->pue < 1)
        return cli_usage("compare", "--pue %g: a building needs at least the energy of its machines", o->pue);
    return 0;
}

static int parse(compare_options *o, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    while (cli_next(&args, &option, &word)) {
        int code = 0;
        if (option)
            code = take_option(o, &args, option);
        else if (o->model_count == MAX_ITEMS)
            code = cli_usage("compare", "more than %d models", MAX_ITEMS);
        else
            o->models[o->model_count++] = word;
        if (code)
            return code;
    }
    return check(o);
}

typedef struct comparison {
    bool hours_priced; /* of some GPU: then those without compare with none */
    adept_economics *economics;
    adept_graph *graphs[MAX_ITEMS];
    adept_profile *profiles[MAX_ITEMS];
    adept_hardware *hardware[MAX_ITEMS];
    size_t hardware_count;
    adept_prediction *predictions;
    adept_compared *items;
    size_t count;
} comparison;

static void free_comparison(comparison *c) {
    for (size_t i = 0; i < MAX_ITEMS; i++) {
        adept_profile_free(c->profiles[i]);
        adept_graph_free(c->graphs[i]);
        adept_hardware_free(c->hardware[i]);
    }
    adept_economics_free(c->economics);
    free(c->predictions);
    free(c->items);
}

static adept_status load_all_hardware(comparison *c, adept_error *err) {
    adept_hardware_list *list = NULL;
    adept_status status = adept_hardware_list_load(&list, err);
    for (size_t i = 0; status == ADEPT_OK && i < adept_hardware_list_count(list); i++) {
        if (c->hardware_count < MAX_ITEMS)
            status =
                adept_hardware_copy(&c->hardware[c->hardware_count++], adept_hardware_list_at(list, i), err);
    }
    adept_hardware_list_free(list);
    return status;
}

static adept_status join(comparison *c, const char *path, adept_error *err) {
    adept_cluster cluster;
    adept_status status = adept_cluster_load(&cluster, path, err);
    for (size_t i = 0; status == ADEPT_OK && i < c->hardware_count; i++)
        status = adept_hardware_join(c->hardware[i], &cluster, err);
    return status;
}

static adept_status load(comparison *c, const compare_options *o, adept_error *err) {
    adept_status status = adept_economics_load(&c->economics, o->prices, err);
    if (status == ADEPT_OK && o->hardware_count == 1 && strcmp(o->hardware[0], "all") == 0) {
        status = load_all_hardware(c, err);
    } else {
        for (size_t i = 0; status == ADEPT_OK && i < o->hardware_count; i++)
            status = adept_hardware_load(&c->hardware[c->hardware_count++], o->hardware[i], err);
    }
    if (status == ADEPT_OK && o->cluster)
        status = join(c, o->cluster, err);
    for (size_t i = 0; status == ADEPT_OK && i < o->model_count; i++) {
        status = adept_graph_load(&c->graphs[i], o->models[i], err);
        if (status == ADEPT_OK)
            status = adept_profile_build(&c->profiles[i], c->graphs[i], &o->run.run, err);
    }
    if (status != ADEPT_OK)
        return status;
    if (o->model_count == 0 || c->hardware_count == 0) {
        err->status = ADEPT_IO;
        snprintf(err->message, sizeof err->message,
                 "no GPU to compare: the folder of hardware files is empty");
        return err->status;
    }
    c->predictions = calloc(o->model_count * c->hardware_count, sizeof *c->predictions);
    c->items = calloc(o->model_count * c->hardware_count, sizeof *c->items);
    return c->predictions && c->items ? ADEPT_OK : ADEPT_NOMEM;
}

static adept_status compare_one(comparison *c, const compare_options *o, size_t model, size_t gpu,
                                double carbon_g_per_kWh, adept_error *err) {
    adept_compared *item = &c->items[c->count];
    adept_prediction *prediction = &c->predictions[c->count++];
    const adept_workload *w = adept_profile_workload(c->profiles[model]);
    const adept_hardware *hardware = c->hardware[gpu];
    item->predicted = (adept_predicted){.graph = c->graphs[model],
                                        .profile = c->profiles[model],
                                        .hardware = hardware,
                                        .hardware_asked = adept_hardware_id(hardware),
                                        .run = &o->run.run,
                                        .prediction = prediction};
    item->price = adept_economics_price(c->economics, hardware);
    if (c->hours_priced && isnan(item->price.gpu_hour))
        item->price.kWh = NAN;
    item->price.pue = o->pue;
    adept_total_options total = {o->samples, o->steps, carbon_g_per_kWh, item->price};
    adept_status status = adept_predict(prediction, w, hardware, &o->run.run, err);
    if (status == ADEPT_OK)
        item->total = adept_total_of(prediction, w, adept_hardware_spec_of(hardware), &total);
    return status;
}

/* The fastest first, in each model. */
static int by_time(const void *a, const void *b) {
    const adept_prediction *x = ((const adept_compared *)a)->predicted.prediction;
    const adept_prediction *y = ((const adept_compared *)b)->predicted.prediction;
    if (x->fits_in_memory != y->fits_in_memory)
        return x->fits_in_memory ? -1 : 1;
    return x->step_time_s < y->step_time_s ? -1 : x->step_time_s > y->step_time_s;
}

static adept_status print(const comparison *c, const compare_options *o, const adept_compare_options *how,
                          adept_error *err) {
    if (o->csv)
        return adept_report_compare_csv(stdout, c->items, c->count, how, err);
    if (o->json)
        return adept_report_compare_json(stdout, c->items, c->count, how, err);
    return adept_report_compare_text(stdout, c->items, c->count, how, err);
}

static adept_status write_page(const comparison *c, const char *path, const adept_compare_options *how,
                               adept_error *err) {
    FILE *file = fopen(path, "w");
    if (!file) {
        err->status = ADEPT_IO;
        snprintf(err->message, sizeof err->message, "%.900s: cannot be written", path);
        return ADEPT_IO;
    }
    adept_status status = adept_report_compare_html(file, c->items, c->count, how, err);
    fclose(file);
    return status;
}

/* --strict: as predict, for every model on every GPU. */
static bool is_refused(const comparison *c) {
    for (size_t i = 0; i < c->count; i++) {
        const adept_predicted *p = &c->items[i].predicted;
        if (cli_refuses("compare", p->profile) ||
            cli_refuses_prediction("compare", p->graph, p->hardware, p->prediction))
            return true;
    }
    return false;
}

static adept_status run(comparison *c, const compare_options *o, adept_error *err) {
    char from[512] = "as given";
    adept_compare_options how = {.totals = o->samples > 0 || o->steps > 0,
                                 .carbon_from = isnan(o->carbon) ? NULL : from,
                                 .carbon_g_per_kWh = o->carbon,
                                 .prices_from = o->prices,
                                 .pue = o->pue};
    adept_status status = load(c, o, err);
    if (status == ADEPT_OK && o->region) {
        adept_carbon_region region;
        status = adept_economics_carbon(c->economics, o->region, &region, err);
        if (status == ADEPT_OK) {
            snprintf(from, sizeof from, "%s %d, %s", region.name, region.year, region.source);
            how.carbon_from = from;
            how.carbon_g_per_kWh = region.g_per_kWh;
        }
    }
    for (size_t g = 0; status == ADEPT_OK && g < c->hardware_count; g++)
        c->hours_priced =
            c->hours_priced || !isnan(adept_economics_price(c->economics, c->hardware[g]).gpu_hour);
    for (size_t m = 0; status == ADEPT_OK && m < o->model_count; m++) {
        size_t first = c->count;
        for (size_t g = 0; status == ADEPT_OK && g < c->hardware_count; g++)
            status = compare_one(c, o, m, g, how.carbon_g_per_kWh, err);
        if (status == ADEPT_OK)
            qsort(&c->items[first], c->count - first, sizeof *c->items, by_time);
    }
    if (status == ADEPT_OK)
        status = print(c, o, &how, err);
    return status == ADEPT_OK && o->html ? write_page(c, o->html, &how, err) : status;
}

int adept_cmd_compare(int argc, char **argv) {
    compare_options options = {.run = cli_run_new(), .carbon = NAN, .pue = 1};
    comparison c = {0};
    adept_error err = ADEPT_ERROR_INIT;
    int code = parse(&options, argc, argv);
    if (code == 0 && options.help) {
        print_help();
    } else if (code == 0) {
        adept_status status = run(&c, &options, &err);
        if (status != ADEPT_OK) {
            err.status = status;
            code = cli_failed("compare", &err);
        } else if (options.strict && is_refused(&c)) {
            code = EXIT_REFUSED;
        }
    }
    free_comparison(&c);
    cli_run_free(&options.run);
    return code;
}
