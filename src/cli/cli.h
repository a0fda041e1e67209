/* What the commands share: exit codes, run options, messages. */
#ifndef ADEPT_CLI_H
#define ADEPT_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "adept/error.h"
#include "adept/hardware.h"
#include "adept/prediction.h"
#include "adept/profile.h"
#include "adept/run.h"

/* design.md section 10 */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3 };

/* Walks argv: options as --name value or --name=value. */
typedef struct cli_arguments {
    int argc;
    char **argv;
    int next;          /* first argument not looked at yet */
    const char *value; /* of the option just taken with cli_value, else NULL */
    bool only_words;   /* "--" was seen */
} cli_arguments;

/* The next argument: an option's name without dashes in *option, or a plain word in *word. False at the end.
 */
bool cli_next(cli_arguments *args, const char **option, const char **word);

/* The value of the option just returned; NULL (after a message) if there is none. */
const char *cli_value(cli_arguments *args, const char *option);

/* True if the option just returned came as --name=value. */
bool cli_has_inline_value(const cli_arguments *args);

/* An option without a value. */
typedef struct cli_flag {
    const char *name; /* without dashes */
    bool *set;
} cli_flag;

#define CLI_COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Sets the flag of this name. False if none has it, or the option came as --name=value. */
bool cli_set_flag(const cli_flag *flags, size_t count, const cli_arguments *args, const char *option);

/* Run options of design.md section 10 with the lists they own. */
typedef struct cli_run {
    adept_run run;
    adept_dim_binding *dims;
    const char **freeze;
} cli_run;

cli_run cli_run_new(void);
void cli_run_free(cli_run *run);

/*
 * Takes the option if it is a run option. *taken says whether it was; a wrong value is reported on
 * stderr and returns false.
 */
bool cli_run_option(cli_run *run, cli_arguments *args, const char *option, bool *taken);

/* Loads a GPU, and puts it into the nodes of the cluster file if one is named (NULL: none). */
adept_status cli_hardware_load(adept_hardware **out, const char *id_or_path, const char *cluster,
                               adept_error *err);

/* Prints the help text of the run options. */
void cli_run_help(FILE *out);

/* "adept profile: message" on stderr; returns the exit code. */
int cli_failed(const char *command, const adept_error *err);
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --strict: whether the profile is not complete (adept_profile_check_complete), said on stderr. */
bool cli_refuses(const char *command, const adept_profile *profile);

/* The same for a prediction with a note that its figures do not hold (adept_note_refused). */
bool cli_refuses_prediction(const char *command, const adept_graph *graph, const adept_hardware *hardware,
                            const adept_prediction *prediction);

/* One function per command; argv[0] is the command's name. Returns the exit code. */
#define CLI_COMMANDS(X)                                                                                      \
    X(predict, "predict MODEL.onnx --hw ID    time, power, energy and memory of one step")                   \
    X(whatif, "whatif MODEL.onnx --hw ID     hardware that does not exist, sweeps, sensitivities, optima")   \
    X(compare, "compare MODEL.onnx --hw A,B  ranks GPUs for a job by time, energy and cost")                 \
    X(profile, "profile MODEL.onnx        what one step of a network computes, moves and stores")            \
    X(hw, "hw list|show ID            the GPUs that predictions are made for, with their sources")           \
    X(calibrate, "calibrate TRACES.csv      fits the parameters of a GPU to measured runs")                  \
    X(validate, "validate TRACES.csv       how far predictions are from measurements")                       \
    X(trace, "trace check|import        sanity of measurements; logs of other tools as traces")              \
    X(measure, "measure -- COMMAND ...    runs COMMAND and measures its energy")

#define CLI_DECLARE(name, help) int adept_cmd_##name(int argc, char **argv);
CLI_COMMANDS(CLI_DECLARE)
#undef CLI_DECLARE

#endif
