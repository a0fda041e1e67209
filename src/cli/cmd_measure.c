#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adept/measure.h"
#include "cli.h"

/* As env, nice and time have it: the command was not found, or could not be run. */
enum { EXIT_NOT_FOUND = 127, EXIT_NOT_RUN = 126 };

typedef struct measure_cli {
    cli_run run;
    adept_measure_options options;
    adept_measured_run row;
    const char *out_path;
    bool json, csv, quiet, help;
    bool line_shown, said_waiting; /* live line */
} measure_cli;

static void print_help(void) {
    puts(
        "adept measure [options] [run options --steps N] -- COMMAND ...\n"
        "\nRuns COMMAND and measures the energy of the machine's GPUs, CPUs and memory until it and all "
        "processes\n"
        "it started have ended. Exits with COMMAND's code (128 + signal; 127 not found; 126 cannot be run).\n"
        "The report goes to stderr, because stdout is COMMAND's; with --json or --csv it goes to stdout and\n"
        "COMMAND's standard output to stderr.\n"
        "\n  -o FILE          with --steps: append a row to the trace FILE; else write the CSV report to "
        "FILE\n"
        "  --interval S     seconds between samples (0.1); stretched to stay below 1 % of a core\n"
        "  --gpus-used LIST only these GPUs: numbers from 0, or beginnings of UUIDs, with commas\n"
        "  --dimms NxGB     memory modules for the DRAM model, where the firmware's table cannot be read\n"
        "  --no-wait        end with COMMAND, do not wait for processes that it leaves behind\n"
        "  --quiet          no live line\n"
        "  --json, --csv    for programs\n"
        "\nfor a trace row (input of adept calibrate)\n"
        "  --steps N        optimizer steps (inference: batches) that COMMAND makes\n"
        "  --graph FILE     its network as ONNX\n"
        "  --hw ID          hardware id of the GPU (default: from its name)\n"
        "  --source TEXT    remark;  --host NAME  name of the set-up (default: the host's)");
    cli_run_help(stdout);
}

static bool set_flag(measure_cli *m, const cli_arguments *args, const char *option) {
    const cli_flag flags[] = {
        {"json",    &m->json                     },
        {"csv",     &m->csv                      },
        {"quiet",   &m->quiet                    },
        {"no-wait", &m->options.leave_descendants},
        {"help",    &m->help                     },
        {"h",       &m->help                     },
    };
    return cli_set_flag(flags, CLI_COUNT(flags), args, option);
}

static bool positive(const char *option, const char *text, double *out) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value <= 0) {
        cli_usage("measure", "--%s: '%s' is not a number above 0", option, text);
        return false;
    }
    *out = value;
    return true;
}

/* "8x32": eight modules of 32 GB. */
static bool set_dimms(measure_cli *m, const char *text) {
    char *end;
    long count = strtol(text, &end, 10);
    if (end == text || *end != 'x' || count < 1 || count > 4096) {
        cli_usage("measure", "--dimms: '%s' is not NxGB, like 8x32", text);
        return false;
    }
    m->options.dimm_count = (size_t)count;
    if (!positive("dimms", end + 1, &m->options.dimm_B))
        return false;
    m->options.dimm_B *= 1073741824.0;
    return true;
}

/* Options with a value; *taken says whether it was one. False: wrong value, already reported. */
static bool set_value(measure_cli *m, cli_arguments *args, const char *option, bool *taken) {
    const struct {
        const char *name;
        const char **text;
        double *number;
    } rows[] = {
        {"o",         &m->out_path,     NULL                  },
        {"gpus-used", &m->options.gpus, NULL                  },
        {"graph",     &m->row.graph,    NULL                  },
        {"hw",        &m->row.gpu,      NULL                  },
        {"source",    &m->row.source,   NULL                  },
        {"host",      &m->row.host,     NULL                  },
        {"interval",  NULL,             &m->options.interval_s},
        {"steps",     NULL,             &m->row.steps         },
        {"dimms",     NULL,             NULL                  },
    };
    *taken = false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(option, rows[i].name) != 0)
            continue;
        *taken = true;
        const char *value = cli_value(args, option);
        if (!value)
            return false;
        if (rows[i].text)
            *rows[i].text = value;
        else
            return rows[i].number ? positive(option, value, rows[i].number) : set_dimms(m, value);
    }
    return true;
}

/* 0, or the exit code of wrong usage. The first plain word starts COMMAND, whose options are its own. */
static int parse(measure_cli *m, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    while (cli_next(&args, &option, &word)) {
        bool taken = true;
        if (word) {
            m->options.command = (const char *const *)(argv + args.next - 1);
            break;
        }
        if (set_flag(m, &args, option))
            continue;
        if (!set_value(m, &args, option, &taken))
            return EXIT_USAGE;
        if (!taken && !cli_run_option(&m->run, &args, option, &taken))
            return EXIT_USAGE;
        if (!taken)
            return cli_usage("measure", "unknown option --%s", option);
    }
    if (m->help)
        return 0;
    if (!m->options.command)
        return cli_usage("measure", "which command? adept measure -- COMMAND ...");
    if (m->json && m->csv)
        return cli_usage("measure", "--json or --csv, not both");
    if (m->row.graph[0] && m->row.steps <= 0)
        return cli_usage("measure",
                         "--graph: a trace row needs --steps N too, the steps that the command makes");
    return 0;
}

static void show_live(void *context, const adept_measure_live *now) {
    measure_cli *m = context;
    if (now->command_ended && !m->said_waiting) {
        fprintf(stderr,
                "%sadept measure: the command has ended; waiting for processes it left (Ctrl-C: do not)\n",
                m->line_shown ? "\r\033[K" : "");
        m->said_waiting = true;
    }
    if (m->quiet || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[Kadept measure: %.1f s  %.1f J  %.1f W", now->elapsed_s, now->energy_J,
            now->power_W);
    if (now->gpu_power_W > 0)
        fprintf(stderr, "  GPUs %.1f W %.0f C", now->gpu_power_W, now->temperature_C);
    fprintf(stderr, "  %zu processes ", now->processes);
    m->line_shown = true;
}

static adept_status write_csv_file(const adept_measure_summary *summary, const char *path, adept_error *err) {
    FILE *file = fopen(path, "w");
    if (!file) {
        *err = (adept_error){.status = ADEPT_IO};
        snprintf(err->message, sizeof err->message, "%s: %s", path, strerror(errno));
        return ADEPT_IO;
    }
    adept_status status = adept_measure_write_csv(file, summary, err);
    fclose(file);
    return status;
}

static adept_status print(const measure_cli *m, const adept_measure_summary *summary, adept_error *err) {
    const adept_measured_run *row = m->row.steps > 0 ? &m->row : NULL;
    adept_status status = m->json  ? adept_measure_write_json(stdout, summary, row, err)
                          : m->csv ? adept_measure_write_csv(stdout, summary, err)
                                   : adept_measure_write_text(stderr, summary, row, err);
    if (status || !m->out_path)
        return status;
    return row ? adept_measure_append_trace(summary, row, m->out_path, err)
               : write_csv_file(summary, m->out_path, err);
}

static int run_measure(measure_cli *m) {
    adept_error err = ADEPT_ERROR_INIT;
    adept_measurement *measurement = NULL;
    adept_status status = adept_run_check(&m->run.run, &err);
    if (status)
        return cli_failed("measure", &err);
    m->row.run = &m->run.run;
    m->options.output_to_stderr = m->json || m->csv;
    m->options.live = show_live;
    m->options.live_context = m;
    status = adept_measure_run(&measurement, &m->options, &err);
    if (m->line_shown)
        fputs("\r\033[K", stderr);
    if (status) {
        cli_failed("measure", &err);
        return status == ADEPT_ARGUMENT ? EXIT_NOT_FOUND : status == ADEPT_IO ? EXIT_NOT_RUN : EXIT_FAILED;
    }
    const adept_measure_summary *summary = adept_measurement_summary(measurement);
    int code = summary->exit_code;
    if (print(m, summary, &err)) {
        int failed = cli_failed("measure", &err);
        code = code ? code : failed;
    }
    adept_measurement_free(measurement);
    return code;
}

int adept_cmd_measure(int argc, char **argv) {
    measure_cli m = {.run = cli_run_new(), .row = {.graph = ""}};
    int code = parse(&m, argc, argv);
    if (code == 0 && m.help)
        print_help();
    else if (code == 0)
        code = run_measure(&m);
    cli_run_free(&m.run);
    return code;
}
