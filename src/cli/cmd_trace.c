#include <stdlib.h>
#include <string.h>

#include "adept/calibration_report.h"
#include "adept/trace_import.h"
#include "cli.h"

typedef struct trace_options {
    cli_run run;
    const char *path, *graphs, *hardware, *from, *graph, *gpu, *steps;
    bool check, import; /* which of the two */
    bool json, help;
} trace_options;

static void print_help(void) {
    puts("adept trace check TRACES.csv [--graphs DIR] [--hw ID|FILE.json] [--json]\n"
         "adept trace import --from zeus|nvidia-smi|ea2p FILE [--graph G.onnx] [--gpu ID] [--steps N] [run "
         "options]\n"
         "\ncheck: measurements that cannot be, or look mixed up: rates above the peak, power above the "
         "limit, energy\n"
         "that is not power x time, duplicates that disagree, other units. Exit code 1 if there are any.\n"
         "import: another tool's log as trace rows on stdout. The log knows neither network nor run: say "
         "them. N is\n"
         "the number of steps that each measurement covers; without it only power is known.\n"
         "  zeus        log_file of ZeusMonitor\n"
         "  nvidia-smi  --query-gpu=timestamp,index,power.draw --format=csv -lms 100; one row for the whole "
         "log\n"
         "  ea2p        energy_report.csv; its GPU energies are taken as Wh, or as J or kWh where Wh cannot "
         "be");
    cli_run_help(stdout);
}

static const char **text_target(trace_options *o, const char *option) {
    const struct {
        const char *name, **target;
    } texts[] = {
        {"graphs", &o->graphs  },
        {"hw",     &o->hardware},
        {"from",   &o->from    },
        {"graph",  &o->graph   },
        {"gpu",    &o->gpu     },
        {"steps",  &o->steps   },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(option, texts[i].name) == 0)
            return texts[i].target;
    }
    return NULL;
}

static int take_option(trace_options *o, cli_arguments *args, const char *option) {
    const char **target = text_target(o, option);
    bool taken;
    if (target)
        return (*target = cli_value(args, option)) ? 0 : EXIT_USAGE;
    const cli_flag flags[] = {
        {"json", &o->json},
        {"help", &o->help},
        {"h",    &o->help},
    };
    if (cli_set_flag(flags, CLI_COUNT(flags), args, option))
        return 0;
    if (!cli_run_option(&o->run, args, option, &taken))
        return EXIT_USAGE;
    return taken ? 0 : cli_usage("trace", "unknown option --%s", option);
}

static int take_action(trace_options *o, const char *word) {
    o->check = strcmp(word, "check") == 0;
    o->import = strcmp(word, "import") == 0;
    return o->check || o->import ? 0 : cli_usage("trace", "check or import, not '%s'", word);
}

static int parse(trace_options *o, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    int code = 0;
    while (code == 0 && cli_next(&args, &option, &word)) {
        if (!word)
            code = take_option(o, &args, option);
        else if (!o->check && !o->import)
            code = take_action(o, word);
        else if (!o->path)
            o->path = word;
        else
            code = cli_usage("trace", "one file at a time, not also '%s'", word);
    }
    if (code != 0 || o->help)
        return code;
    if (!o->check && !o->import)
        return cli_usage("trace", "check or import?");
    return o->path ? 0 : cli_usage("trace", "which file?");
}

static int run_check(const trace_options *o) {
    adept_error err = ADEPT_ERROR_INIT, why = ADEPT_ERROR_INIT;
    adept_dataset_options data = {.graphs = o->graphs, .hardware = o->hardware};
    adept_trace *trace = NULL;
    adept_dataset *dataset = NULL;
    adept_diagnosis *diagnosis = NULL;
    adept_status status = adept_trace_load(&trace, o->path, &err);
    if (status == ADEPT_OK) {
        const adept_trace *const traces[] = {trace};
        if (adept_dataset_load(&dataset, traces, 1, &data, &why) != ADEPT_OK)
            fprintf(stderr, "adept trace: rows are checked without their graphs: %s\n", why.message);
        status = adept_diagnosis_new(&diagnosis, trace, dataset, &err);
    }
    if (status == ADEPT_OK)
        status = o->json ? adept_report_diagnosis_json(stdout, diagnosis, &err)
                         : adept_report_diagnosis_text(stdout, diagnosis, o->path, &err);
    int code = status != ADEPT_OK                 ? cli_failed("trace", &err)
               : adept_diagnosis_count(diagnosis) ? EXIT_FAILED
                                                  : EXIT_DONE;
    adept_diagnosis_free(diagnosis);
    adept_dataset_free(dataset);
    adept_trace_free(trace);
    return code;
}

static int find_format(const trace_options *o, adept_trace_format *format) {
    for (int i = 0; o->from && i < ADEPT_TRACE_FORMAT_COUNT; i++) {
        *format = (adept_trace_format)i;
        if (strcmp(o->from, adept_trace_format_name(*format)) == 0)
            return 0;
    }
    return cli_usage("trace", "--from zeus, nvidia-smi or ea2p%s%s", o->from ? ", not " : "",
                     o->from ? o->from : "");
}

static int run_import(const trace_options *o) {
    adept_trace_import_options options = {
        .graph = o->graph ? o->graph : "", .gpu = o->gpu ? o->gpu : "", .run = &o->run.run};
    adept_error err = ADEPT_ERROR_INIT;
    adept_trace_import *import = NULL;
    int code = find_format(o, &options.format);
    char *end = NULL;
    options.steps = o->steps ? strtod(o->steps, &end) : 0;
    if (code == 0 && o->steps && (end == o->steps || *end || !(options.steps >= 1 && options.steps < 1e12)))
        code = cli_usage("trace", "--steps '%s': give a number of steps of at least 1", o->steps);
    if (code != 0)
        return code;
    adept_status status = adept_trace_import_load(&import, o->path, &options, &err);
    if (status == ADEPT_OK)
        status = adept_trace_import_write(import, stdout, &err);
    if (status != ADEPT_OK)
        code = cli_failed("trace", &err);
    for (size_t i = 0; import && i < adept_trace_import_skip_count(import); i++)
        fprintf(stderr, "adept trace: %s line %zu not used: %s\n", o->path,
                adept_trace_import_skip_at(import, i)->line, adept_trace_import_skip_at(import, i)->reason);
    if (code == 0 && adept_trace_import_count(import) == 0) {
        fprintf(stderr, "adept trace: %s: no usable measurement\n", o->path);
        code = EXIT_FAILED;
    }
    adept_trace_import_free(import);
    return code;
}

int adept_cmd_trace(int argc, char **argv) {
    trace_options options = {.run = cli_run_new()};
    int code = parse(&options, argc, argv);
    if (code == 0 && options.help)
        print_help();
    else if (code == 0)
        code = options.check ? run_check(&options) : run_import(&options);
    cli_run_free(&options.run);
    return code;
}
