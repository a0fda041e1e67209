#include <string.h>

#include "adept/hardware.h"
#include "adept/report.h"
#include "cli.h"

typedef struct hw_options {
    const char *words[2]; /* list, or show and an id */
    size_t word_count;
    bool json, help;
    adept_hardware_report report;
} hw_options;

static void print_help(void) {
    puts(
        "adept hw list [--json]\n"
        "adept hw show ID|FILE.json [--sources] [--json]\n"
        "\nThe GPUs that predictions are made for: datasheet figures with their sources, and the parameters\n"
        "known for each with what they were fitted on. A file of your own may inherit from an id and "
        "override\n"
        "single keys; docs/hardware-files.md has all keys. Files are looked for in $ADEPT_DATA/hardware "
        "first.\n"
        "\n  --sources        the citation of every figure\n"
        "  --json           for programs: the keys of a hardware file, null where a figure is not known");
}

static bool set_flag(hw_options *o, const cli_arguments *args, const char *option) {
    const cli_flag flags[] = {
        {"json",    &o->json          },
        {"sources", &o->report.sources},
        {"help",    &o->help          },
        {"h",       &o->help          },
    };
    return cli_set_flag(flags, CLI_COUNT(flags), args, option);
}

/* 0, or the exit code of wrong usage. */
static int parse(hw_options *o, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    while (cli_next(&args, &option, &word)) {
        if (word && o->word_count == 2)
            return cli_usage("hw", "one GPU at a time, not also '%s'", word);
        if (word)
            o->words[o->word_count++] = word;
        else if (!set_flag(o, &args, option))
            return cli_usage("hw", "unknown option --%s", option);
    }
    if (o->help)
        return 0;
    bool list = o->word_count == 1 && strcmp(o->words[0], "list") == 0;
    bool show = o->word_count == 2 && strcmp(o->words[0], "show") == 0;
    if (!list && !show)
        return cli_usage("hw", "'adept hw list', or 'adept hw show ID'");
    return 0;
}

static adept_status run_list(const hw_options *o, adept_error *err) {
    adept_hardware_list *list = NULL;
    adept_status status = adept_hardware_list_load(&list, err);
    if (status == ADEPT_OK)
        status = o->json ? adept_report_hardware_list_json(stdout, list, err)
                         : adept_report_hardware_list_text(stdout, list, err);
    adept_hardware_list_free(list);
    return status;
}

static adept_status run_show(const hw_options *o, adept_error *err) {
    adept_hardware *hardware = NULL;
    adept_status status = adept_hardware_load(&hardware, o->words[1], err);
    if (status == ADEPT_OK)
        status = o->json ? adept_report_hardware_json(stdout, hardware, err)
                         : adept_report_hardware_text(stdout, hardware, &o->report, err);
    adept_hardware_free(hardware);
    return status;
}

int adept_cmd_hw(int argc, char **argv) {
    adept_error err = ADEPT_ERROR_INIT;
    hw_options options = {.word_count = 0};
    int code = parse(&options, argc, argv);
    if (code != 0)
        return code;
    if (options.help) {
        print_help();
        return EXIT_DONE;
    }
    adept_status status = options.word_count == 1 ? run_list(&options, &err) : run_show(&options, &err);
    return status == ADEPT_OK ? EXIT_DONE : cli_failed("hw", &err);
}
