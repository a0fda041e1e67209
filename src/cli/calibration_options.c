#include "calibration_options.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- parsing ---- */

static bool number(const calibration_options *o, const char *option, const char *text, double lower,
                   double upper, double *out) {
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value >= lower && value <= upper)) {
        fprintf(stderr, "adept %s: --%s: '%s' is not a number from %g to %g\n", o->command, option, text,
                lower, upper);
        return false;
    }
    *out = value;
    return true;
}

static bool count_of(const calibration_options *o, const char *option, const char *text, double upper,
                     size_t *out) {
    double value;
    if (!number(o, option, text, 0, upper, &value))
        return false;
    if (value != floor(value)) {
        fprintf(stderr, "adept %s: --%s: '%s' is not a whole number\n", o->command, option, text);
        return false;
    }
    *out = (size_t)value;
    return true;
}

/* NAME,NAME,.. ; the text is cut in place. */
static bool add_names(const calibration_options *o, const char *option, const char **names, size_t *count,
                      char *text) {
    char *rest = NULL;
    size_t before = *count;
    for (char *name = strtok_r(text, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        if (*count == CALIBRATION_NAMES_MAX)
            return false;
        names[(*count)++] = name;
    }
    if (*count > before)
        return true;
    fprintf(stderr, "adept %s: --%s: no names; give NAME,NAME,.. of docs/parameters.md\n", o->command,
            option);
    return false;
}

/* NAME=V,NAME,.. ; without a value the parameter keeps the one it has. */
static bool add_fixed(calibration_options *o, char *text) {
    char *rest = NULL;
    for (char *name = strtok_r(text, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(name, '=');
        double value = NAN;
        if (o->fit.fixed_count == CALIBRATION_NAMES_MAX)
            return false;
        if (equals && !number(o, "fix", equals + 1, -1e300, 1e300, &value))
            return false;
        if (equals)
            *equals = '\0';
        o->fixed[o->fit.fixed_count++] = (adept_fixed_parameter){name, value};
    }
    o->fit.fixed = o->fixed;
    return true;
}

static bool set_saturation(calibration_options *o, const char *text) {
    for (int i = 0; i < ADEPT_SATURATION_COUNT; i++) {
        if (strcmp(text, adept_saturation_name((adept_saturation)i)) == 0) {
            o->fit.saturation = i;
            return true;
        }
    }
    fprintf(stderr, "adept %s: --saturation: '%s' is not one of sigmoid, arctan, softsign, algebraic, tanh\n",
            o->command, text);
    return false;
}

static bool set_variant(calibration_options *o, const char *text) {
    adept_run run = ADEPT_RUN_INIT;
    adept_error err = ADEPT_ERROR_INIT;
    if (adept_run_set(&run, "variant", text, &err) != ADEPT_OK) {
        fprintf(stderr, "adept %s: %s\n", o->command, err.message);
        return false;
    }
    o->fit.variant = run.variant;
    o->states_variant = true;
    return true;
}

static bool set_weights(calibration_options *o, char *text) {
    char *comma = strchr(text, ',');
    if (!comma) {
        fprintf(stderr, "adept %s: --weights: give TIME,POWER, for example 0.6,0.4\n", o->command);
        return false;
    }
    *comma = '\0';
    return number(o, "weights", text, 0, 1e6, &o->fit.time_weight) &&
           number(o, "weights", comma + 1, 0, 1e6, &o->fit.power_weight);
}

enum option_kind { FLAG, TEXT, COUNT, NUMBER, FREE, REFINE, FIX, SATURATION, VARIANT, WEIGHTS, SEED };

typedef struct option_row {
    const char *name;
    enum option_kind kind;
    bool fitting; /* of calibrate alone */
    void *target;
    double upper;
    const char *argument, *help;
} option_row;

enum { OPTION_MAX = 40 };

/* The one table of options; help and parser read it. Returns how many. */
static size_t option_rows(calibration_options *o, option_row rows[OPTION_MAX]) {
    const option_row all[] = {
        {"graphs",      TEXT,       false, &o->data.graphs,               0,     "DIR",                                 "folder of the graphs (that of the trace file)"      },
        {"hw",          TEXT,       false, &o->data.hardware,             0,     "ID|FILE.json",                        "GPU of all rows (the rows' column gpu)"             },
        {"hosts",       TEXT,       false, &o->data.hosts,                0,     "FILE.json",                           "what hosts are known for (data/hosts.json)"         },
        {"fit-hosts",   FLAG,       false, &o->fit.hosts,                 0,     NULL,                                  "fit the cost of a launch for each host"             },
        {"variant",     VARIANT,    false, NULL,                          0,     "thesis|operator",                     "the equations (operator)"                           },
        {"cv",          TEXT,       false, &o->cv,                        0,     "K|model|model-family|gpu|gpu-family",
         "held-out errors: K folds at random, or leave each one out"                                                                                                         },
        {"plot",        TEXT,       false, &o->plot,                      0,     "FILE.svg",                            "predicted against measured (held out, with --cv)"   },
        {"output",      TEXT,       true,  &o->output,                    0,     "PATH",                                "-o: hardware file, or folder for several GPUs"      },
        {"free",        FREE,       false, NULL,                          0,     "NAME,..",                             "parameters to fit (those of docs/parameters.md)"    },
        {"fix",         FIX,        false, NULL,                          0,     "NAME[=V],..",                         "parameters not to fit"                              },
        {"shared",      FLAG,       false, &o->fit.shared,                0,     NULL,                                  "one set of parameters for all GPUs"                 },
        {"refine",      REFINE,     false, NULL,                          0,     "NAME,..",
         "with --shared: these once more for each GPU with enough rows"                                                                                                      },
        {"saturation",  SATURATION, false, NULL,                          0,     "F",
         "sigmoid, arctan, softsign, algebraic, tanh (as the hardware file)"                                                                                                 },
        {"seed",        SEED,       false, &o->fit.seed,                  0,     "S",                                   "of the search and the folds (1)"                    },
        {"strategy",    TEXT,       false, &o->fit.strategy,              0,     "NAME",                                "best1bin or rand1bin (best1bin)"                    },
        {"population",  COUNT,      false, &o->fit.members_per_parameter, 10000, "N",                                   "per free parameter (15)"                            },
        {"generations", COUNT,      false, &o->fit.generations,           1e9,   "N",                                   "at most (50000)"                                    },
        {"tol",         NUMBER,     false, &o->fit.tol,                   1,     "T",                                   "converged: spread of the population's losses (0.01)"},
        {"local",       FLAG,       false, &o->fit.local,                 0,     NULL,                                  "no global search: improve the values at hand"       },
        {"global",      FLAG,       false, &o->search,                    0,     NULL,
         "operator variant: differential evolution first (hours)"                                                                                                            },
        {"polish",      COUNT,      false, &o->fit.polish,                1e6,   "N",
         "rounds of local search at the end (thesis 500, operator 6; 0: none)"                                                                                               },
        {"weights",     WEIGHTS,    false, NULL,                          0,     "T,P",                                 "of time and power in the loss (0.6,0.4)"            },
        {"huber",       NUMBER,     false, &o->fit.huber,                 10,    "D",
         "loss on log ratios, linear above D (0: relative errors)"                                                                                                           },
        {"threads",     COUNT,      false, &o->fit.threads,               1024,  "N",                                   "(0: one per processor)"                             },
        {"resume",      TEXT,       true,  &o->fit.checkpoint,            0,     "FILE",                                "go on from FILE; an interrupt saves to it"          },
        {"stages",      FLAG,       true,  &o->stages,                    0,     NULL,                                  "the thesis's staged fit (table 4.2)"                },
        {"ablation",    FLAG,       true,  &o->ablation,                  0,     NULL,
         "all saturation functions, with and without targeted scalars"                                                                                                       },
        {"evidence",    FLAG,       true,  &o->evidence,                  0,     NULL,                                  "which parameters the data determines"               },
        {"bootstrap",   COUNT,      true,  &o->bootstrap,                 10000, "N",
         "refits to resampled rows, with --evidence (0)"                                                                                                                     },
        {"rows",        FLAG,       false, &o->rows,                      0,     NULL,                                  "every row (text)"                                   },
        {"json",        FLAG,       false, &o->json,                      0,     NULL,                                  "for programs"                                       },
        {"quiet",       FLAG,       false, &o->quiet,                     0,     NULL,                                  "no progress on the terminal"                        },
        {"help",        FLAG,       false, &o->help,                      0,     NULL,                                  "this"                                               },
    };
    _Static_assert(sizeof all / sizeof all[0] <= OPTION_MAX, "room for all options");
    memcpy(rows, all, sizeof all);
    return sizeof all / sizeof all[0];
}

static bool apply(calibration_options *o, const option_row *row, char *value) {
    switch (row->kind) {
    case FLAG:
        return *(bool *)row->target = true;
    case TEXT:
        return *(const char **)row->target = value, true;
    case COUNT:
        return count_of(o, row->name, value, row->upper, row->target);
    case NUMBER:
        return number(o, row->name, value, 0, row->upper, row->target);
    case FREE:
        o->fit.free = o->free;
        return add_names(o, row->name, o->free, &o->fit.free_count, value);
    case REFINE:
        o->fit.refine = o->refine;
        return add_names(o, row->name, o->refine, &o->fit.refine_count, value);
    case FIX:
        return add_fixed(o, value);
    case SATURATION:
        return set_saturation(o, value);
    case VARIANT:
        return set_variant(o, value);
    case WEIGHTS:
        return set_weights(o, value);
    case SEED:
        break;
    }
    size_t seed;
    if (!count_of(o, row->name, value, 9007199254740992.0, &seed))
        return false;
    o->fit.seed = seed;
    return true;
}

/* Settings of the global search ask for it too. */
static bool is_search_setting(const char *option) {
    static const char *const settings[] = {"strategy", "population", "generations", "tol", "resume"};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(option, settings[i]) == 0)
            return true;
    }
    return false;
}

static int take_option(calibration_options *o, bool fitting, cli_arguments *args, const char *option) {
    option_row rows[OPTION_MAX];
    size_t count = option_rows(o, rows);
    if (strcmp(option, "o") == 0)
        option = "output";
    if (strcmp(option, "h") == 0)
        option = "help";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(option, rows[i].name) != 0 || (rows[i].fitting && !fitting))
            continue;
        if (rows[i].kind == FLAG && cli_has_inline_value(args))
            return cli_usage(o->command, "--%s takes no value", option);
        const char *value = rows[i].kind == FLAG ? "" : cli_value(args, option);
        o->search |= is_search_setting(option);
        o->states_polish |= strcmp(option, "polish") == 0;
        return value && apply(o, &rows[i], (char *)(size_t)value) ? 0 : EXIT_USAGE;
    }
    return cli_usage(o->command, "unknown option --%s", option);
}

/*
 * The variant is that of predict. One evaluation of it takes tens of milliseconds and its shipped values are
 * near: a few rounds of local search are what improves held-out rows (docs/calibration.md, Search).
 */
enum { OPERATOR_POLISH_ROUNDS = 6 };

static void set_defaults(calibration_options *o) {
    const adept_run run = ADEPT_RUN_INIT;
    if (!o->states_variant)
        o->fit.variant = o->stages || o->ablation ? ADEPT_VARIANT_THESIS : run.variant;
    if (o->fit.variant != ADEPT_VARIANT_OPERATOR)
        return;
    o->fit.local |= !o->search;
    if (!o->states_polish)
        o->fit.polish = OPERATOR_POLISH_ROUNDS;
}

int calibration_parse(calibration_options *o, bool fitting, int argc, char **argv) {
    cli_arguments args = {.argc = argc, .argv = argv, .next = 1};
    const char *option, *word;
    int code = 0;
    while (code == 0 && cli_next(&args, &option, &word)) {
        if (!word)
            code = take_option(o, fitting, &args, option);
        else if (o->file_count == CALIBRATION_FILES_MAX)
            code = cli_usage(o->command, "more than %d files", CALIBRATION_FILES_MAX);
        else
            o->files[o->file_count++] = word;
    }
    if (code == 0 && !o->help && o->file_count == 0)
        code = cli_usage(o->command, "which measurements? give a trace file");
    o->data.threads = o->fit.threads;
    set_defaults(o);
    return code;
}

void calibration_help(void) {
    calibration_options o = {.command = ""};
    option_row rows[OPTION_MAX];
    size_t count = option_rows(&o, rows);
    for (int fitting = 0; fitting < 2; fitting++) {
        if (fitting)
            puts("\ncalibrate alone:");
        for (size_t i = 0; i < count; i++) {
            char left[64];
            snprintf(left, sizeof left, "--%s %s", rows[i].name, rows[i].argument ? rows[i].argument : "");
            if (rows[i].fitting == (fitting == 1))
                printf("  %-38s %s\n", left, rows[i].help);
        }
    }
}

/* ---- data ---- */

adept_status calibration_open(calibration_data *data, const calibration_options *o, adept_error *err) {
    adept_status status = ADEPT_OK;
    *data = (calibration_data){.dataset = NULL};
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is then an error of writing, as a full disk is */
    for (size_t i = 0; status == ADEPT_OK && i < o->file_count; i++)
        status = adept_trace_load(&data->traces[i], o->files[i], err);
    if (status == ADEPT_OK)
        status = adept_dataset_load(&data->dataset, (const adept_trace *const *)data->traces, o->file_count,
                                    &o->data, err);
    if (status == ADEPT_OK && o->plot)
        status = adept_dataset_check_output(data->dataset, o->plot, err);
    return status;
}

void calibration_close(calibration_data *data) {
    adept_dataset_free(data->dataset);
    for (size_t i = 0; i < CALIBRATION_FILES_MAX; i++)
        adept_trace_free(data->traces[i]);
}

/* ---- progress and interrupts ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

static void print_progress(const adept_fit_progress *p) {
    fprintf(stderr, "\r\033[K%s", p->what);
    if (p->parts > 1)
        fprintf(stderr, " (%zu of %zu)", p->part + 1, p->parts);
    fprintf(stderr, ": generation %llu, loss %.4f %%, spread %.3g, %.0f s", (unsigned long long)p->generation,
            p->best, p->spread, p->elapsed_s);
    if (!isnan(p->left_s))
        fprintf(stderr, ", about %.0f s left", p->left_s);
    fflush(stderr);
}

static bool watch(void *user, const adept_fit_progress *progress) {
    if (user)
        print_progress(progress);
    return !interrupted;
}

void calibration_watch_begin(calibration_options *o) {
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND; /* a second interrupt ends the program */
    sigaction(SIGINT, &action, NULL);
    o->fit.watch = watch;
    o->fit.watch_user = !o->quiet && isatty(STDERR_FILENO) ? o : NULL;
}

void calibration_watch_end(void) {
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (interrupted)
        fputs("adept: interrupted; what follows is the best so far\n", stderr);
}

bool calibration_interrupted(void) {
    return interrupted;
}

/* ---- output ---- */

adept_status calibration_plot(const calibration_options *o, const adept_validation *v, adept_error *err) {
    return o->plot ? adept_plot_write(o->plot, v, err) : ADEPT_OK;
}

adept_status calibration_print(const calibration_options *o, const adept_validation_report *report,
                               adept_error *err) {
    return o->json ? adept_report_validation_json(stdout, report, err)
                   : adept_report_validation_text(stdout, report, err);
}
