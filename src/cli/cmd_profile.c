#include <string.h>

#include "adept/graph.h"
#include "adept/profile.h"
#include "adept/report.h"
#include "cli.h"

typedef struct profile_options {
    cli_run run;
    const char *path;
    bool json, csv, strict, help;
    adept_profile_report report;
} profile_options;

static void print_help(void) {
    puts(
        "adept profile MODEL.onnx [run options] [--per-op] [--by-module] [--json|--csv] [--strict]\n"
        "\nWhat one training step (or inference batch) of the network computes, moves and stores, forward "
        "and\n"
        "backward, without any hardware. Weights are not read.\n"
        "\n  --per-op         every operator\n"
        "  --by-module      rolled up by module of the network\n"
        "  --json, --csv    for programs\n"
        "  --strict         refuse (exit 3) operators without a handler and attributes that no operator has");
    cli_run_help(stdout);
}

static bool set_flag(profile_options *o, const cli_arguments *args, const char *option) {
    const cli_flag flags[] = {
        {"json",      &o->json            },
        {"csv",       &o->csv             },
        {"strict",    &o->strict          },
        {"help",      &o->help            },
        {"h",         &o->help            },
        {"per-op",    &o->report.per_op   },
        {"by-module", &o->report.by_module},
    };
    return cli_set_flag(flags, CLI_COUNT(flags), args, option);
}

/* 0, or the exit code of wrong usage. */
static int parse(profile_options *o, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    while (cli_next(&args, &option, &word)) {
        bool taken = true;
        if (word) {
            if (o->path)
                return cli_usage("profile", "one model at a time, not also '%s'", word);
            o->path = word;
        } else if (set_flag(o, &args, option)) {
            continue;
        } else if (!cli_run_option(&o->run, &args, option, &taken)) {
            return EXIT_USAGE;
        } else if (!taken) {
            return cli_usage("profile", "unknown option --%s", option);
        }
    }
    if (!o->help && !o->path)
        return cli_usage("profile", "which model? give the path of an ONNX file");
    if (o->json && o->csv)
        return cli_usage("profile", "--json or --csv, not both");
    return 0;
}

static adept_status print(const profile_options *o, const adept_graph *graph, const adept_profile *profile,
                          adept_error *err) {
    if (o->json)
        return adept_report_profile_json(stdout, graph, profile, &o->report, err);
    if (o->csv)
        return adept_report_profile_csv(stdout, profile, &o->report, err);
    return adept_report_profile_text(stdout, graph, profile, &o->report, err);
}

static int run_profile(const profile_options *o) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_graph *graph = NULL;
    adept_profile *profile = NULL;
    int code = EXIT_DONE;
    adept_status status = adept_graph_load(&graph, o->path, &err);
    if (status == ADEPT_OK)
        status = adept_profile_build(&profile, graph, &o->run.run, &err);
    if (status == ADEPT_OK) {
        status = print(o, graph, profile, &err);
        if (o->strict && cli_refuses("profile", profile))
            code = EXIT_REFUSED;
    }
    if (status != ADEPT_OK)
        code = cli_failed("profile", &err);
    adept_profile_free(profile);
    adept_graph_free(graph);
    return code;
}

int adept_cmd_profile(int argc, char **argv) {
    profile_options options = {.run = cli_run_new()};
    int code = parse(&options, argc, argv);
    if (code == 0 && options.help)
        print_help();
    else if (code == 0)
        code = run_profile(&options);
    cli_run_free(&options.run);
    return code;
}
