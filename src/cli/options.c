#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

bool cli_next(cli_arguments *args, const char **option, const char **word) {
    static const char no_name[] = "";
    *option = *word = NULL;
    args->value = NULL;
    if (args->next >= args->argc)
        return false;
    char *text = args->argv[args->next++];
    if (args->only_words || text[0] != '-' || text[1] == '\0') {
        *word = text;
        return true;
    }
    if (strcmp(text, "--") == 0) {
        args->only_words = true;
        return cli_next(args, option, word);
    }
    char *name = text + (text[1] == '-' ? 2 : 1);
    char *equals = text[1] == '-' ? strchr(name, '=') : NULL;
    if (equals) {
        *equals = '\0';
        args->value = equals + 1;
    }
    *option = *name ? name : no_name;
    return true;
}

bool cli_has_inline_value(const cli_arguments *args) {
    return args->value != NULL;
}

bool cli_set_flag(const cli_flag *flags, size_t count, const cli_arguments *args, const char *option) {
    if (cli_has_inline_value(args))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(option, flags[i].name) == 0)
            return *flags[i].set = true;
    }
    return false;
}

const char *cli_value(cli_arguments *args, const char *option) {
    if (args->value)
        return args->value;
    if (args->next < args->argc)
        return args->argv[args->next++];
    fprintf(stderr, "adept: --%s needs a value\n", option);
    return NULL;
}

cli_run cli_run_new(void) {
    return (cli_run){.run = ADEPT_RUN_INIT};
}

void cli_run_free(cli_run *run) {
    free(run->dims);
    free(run->freeze);
}

static bool add_freeze(cli_run *r, const char *pattern) {
    const char **grown = realloc(r->freeze, (r->run.freeze_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    grown[r->run.freeze_count++] = pattern;
    r->freeze = grown;
    r->run.freeze = grown;
    return true;
}

/* NAME=N; the name may itself hold '=' in odd files, so the last one counts. */
static bool add_dim(cli_run *r, char *text) {
    char *equals = strrchr(text, '='), *end = NULL;
    errno = 0;
    long long value = equals ? strtoll(equals + 1, &end, 10) : 0;
    if (!equals || equals == text || end == equals + 1 || *end || errno || value < 0) {
        fprintf(stderr, "adept: --dim: '%s' is not NAME=N with N a whole number of at least 0\n", text);
        return false;
    }
    adept_dim_binding *grown = realloc(r->dims, (r->run.dim_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    *equals = '\0';
    grown[r->run.dim_count++] = (adept_dim_binding){text, value};
    r->dims = grown;
    r->run.dims = grown;
    return true;
}

bool cli_run_option(cli_run *run, cli_arguments *args, const char *option, bool *taken) {
    adept_run_option_info info;
    *taken = false;
    for (size_t i = 0; !*taken && adept_run_option(i, &info); i++)
        *taken = strcmp(option, info.name) == 0;
    if (!*taken)
        return true;
    const char *value = cli_value(args, option);
    if (!value)
        return false;
    if (strcmp(option, "freeze") == 0)
        return add_freeze(run, value);
    if (strcmp(option, "dim") == 0)
        return add_dim(run, (char *)(size_t)value);
    adept_error err = ADEPT_ERROR_INIT;
    if (adept_run_set(&run->run, option, value, &err) == ADEPT_OK)
        return true;
    fprintf(stderr, "adept: %s\n", err.message);
    return false;
}

adept_status cli_hardware_load(adept_hardware **out, const char *id_or_path, const char *cluster,
                               adept_error *err) {
    adept_cluster nodes;
    *out = NULL;
    adept_status status = cluster ? adept_cluster_load(&nodes, cluster, err) : ADEPT_OK;
    if (status == ADEPT_OK)
        status = adept_hardware_load(out, id_or_path, err);
    if (status == ADEPT_OK && cluster)
        status = adept_hardware_join(*out, &nodes, err);
    if (status != ADEPT_OK) {
        adept_hardware_free(*out);
        *out = NULL;
    }
    return status;
}

void cli_run_help(FILE *out) {
    adept_run_option_info info;
    fputs("\nrun options (default)\n", out);
    for (size_t i = 0; adept_run_option(i, &info); i++)
        fprintf(out, "  --%s %s  %s\n", info.name, info.argument, info.help);
}

int cli_failed(const char *command, const adept_error *err) {
    fprintf(stderr, "adept %s: %s\n", command,
            err->message[0] ? err->message : adept_status_text(err->status));
    return err->status == ADEPT_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
}

int cli_usage(const char *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "adept %s: ", command);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; adept %s --help explains\n", command);
    va_end(args);
    return EXIT_USAGE;
}

bool cli_refuses(const char *command, const adept_profile *profile) {
    adept_error err = ADEPT_ERROR_INIT;
    if (adept_profile_check_complete(profile, &err) == ADEPT_OK)
        return false;
    fprintf(stderr, "adept %s: refused: %s\n", command, err.message);
    return true;
}

bool cli_refuses_prediction(const char *command, const adept_graph *graph, const adept_hardware *hardware,
                            const adept_prediction *prediction) {
    for (size_t i = 0; i < prediction->note_count; i++) {
        if (!adept_note_refused(prediction->notes[i].code))
            continue;
        fprintf(stderr, "adept %s: %s on %s: refused: %s\n", command, adept_graph_path(graph),
                adept_hardware_id(hardware), adept_note_text(prediction->notes[i].code));
        return true;
    }
    return false;
}
