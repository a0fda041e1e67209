#include <stdlib.h>
#include <string.h>

#include "calibration_options.h"

static void print_help(void) {
    puts("adept calibrate TRACES.csv .. [--hw ID|FILE.json] [--graphs DIR] [-o OUT.json] [--cv BY] [--json]\n"
         "\nFits the parameters theta_H of the model to measured runs: local search from the values at hand; "
         "the thesis\n"
         "variant (and --global) begins with differential evolution.\n"
         "Each GPU of the traces gets parameters of its own, or all share one set (--shared). Errors on the "
         "rows of\n"
         "the fit and, with --cv, on rows that a fit has not seen are printed apart. -o writes hardware "
         "files that\n"
         "inherit the GPUs and carry the parameters; --hw reads them. An interrupt (Ctrl-C) keeps the best "
         "so far.\n");
    calibration_help();
}

/* The command as typed, for the record. */
static char *command_line(int argc, char **argv) {
    size_t length = sizeof "adept";
    for (int i = 0; i < argc; i++)
        length += strlen(argv[i]) + 1;
    char *text = malloc(length);
    if (!text)
        return NULL;
    size_t at = sizeof "adept" - 1;
    memcpy(text, "adept", sizeof "adept");
    for (int i = 0; i < argc; i++)
        at += (size_t)snprintf(text + at, length - at, " %s", argv[i]);
    return text;
}

typedef struct calibration {
    calibration_data data;
    adept_fit *fit;
    adept_validation *in_sample, *held_out;
    adept_identifiability *evidence; /* [parts] */
    adept_theta *thetas;             /* [GPUs] */
    adept_stage stages[ADEPT_STAGE_COUNT], ablation[ADEPT_ABLATION_COUNT];
} calibration;

/* What would fail after the fit, before it. */
static adept_status check(const calibration *c, const calibration_options *o, adept_error *err) {
    adept_status status = ADEPT_OK;
    if (o->cv)
        status = adept_validation_check_cross(c->data.dataset, o->cv, err);
    if (status == ADEPT_OK && o->output)
        status = adept_fit_check_output(c->data.dataset, &o->fit, o->output, err);
    return status;
}

static adept_status fit_all(calibration *c, const calibration_options *o, adept_error *err) {
    adept_status status = ADEPT_OK;
    if (o->ablation)
        status = adept_fit_ablation(c->ablation, c->data.dataset, &o->fit, err);
    if (status == ADEPT_OK && o->stages)
        status = adept_fit_stages(c->stages, &c->fit, c->data.dataset, &o->fit, err);
    else if (status == ADEPT_OK)
        status = adept_fit_run(&c->fit, c->data.dataset, NULL, &o->fit, err);
    if (status == ADEPT_OK && o->cv && !adept_fit_stopped(c->fit))
        status = adept_validation_cross(&c->held_out, c->data.dataset, o->cv, &o->fit, err);
    return status;
}

static adept_status judge(calibration *c, const calibration_options *o, adept_error *err) {
    size_t gpus = adept_dataset_gpu_count(c->data.dataset);
    c->thetas = malloc(gpus * sizeof *c->thetas);
    if (!c->thetas)
        return ADEPT_NOMEM;
    for (size_t g = 0; g < gpus; g++)
        c->thetas[g] = *adept_fit_theta(c->fit, g);
    return adept_validation_of(&c->in_sample, c->data.dataset, c->thetas, o->fit.threads, err);
}

static adept_status identify(calibration *c, const calibration_options *o, adept_error *err) {
    adept_status status = ADEPT_OK;
    size_t parts = adept_fit_part_count(c->fit);
    c->evidence = malloc(parts * sizeof *c->evidence);
    if (!c->evidence)
        return ADEPT_NOMEM;
    for (size_t i = 0; status == ADEPT_OK && i < parts; i++)
        status = adept_identify(&c->evidence[i], c->fit, i, o->bootstrap, err);
    return status;
}

static adept_status report(const calibration *c, const calibration_options *o, const char *command,
                           adept_error *err) {
    adept_validation_report r = {
        .in_sample = c->in_sample,
        .held_out = c->held_out,
        .in_sample_title = "IN-SAMPLE: on the rows of the fit",
        .fit = c->fit,
        .identifiability = c->evidence, /* NULL if not asked for */
        .stages = o->stages ? c->stages : NULL,
        .ablation = o->ablation ? c->ablation : NULL,
        .every_row = o->rows,
    };
    adept_fit_record record = {command, ADEPT_VERSION, c->in_sample, c->held_out, c->evidence};
    adept_status status = o->output ? adept_fit_write(c->fit, o->output, &record, err) : ADEPT_OK;
    if (status == ADEPT_OK)
        status = calibration_print(o, &r, err);
    if (status == ADEPT_OK)
        status = calibration_plot(o, c->held_out ? c->held_out : c->in_sample, err);
    return status;
}

/* What a user must not overlook. */
static void warn(const calibration *c, const calibration_options *o) {
    for (size_t i = 0; i < adept_fit_part_count(c->fit); i++) {
        const adept_fit_part *p = adept_fit_part_at(c->fit, i);
        if (!p->converged && !p->stopped && !o->fit.local && p->free_count > 0)
            fprintf(stderr, "adept calibrate: %s: not converged after %llu generations\n", p->name,
                    (unsigned long long)p->generations);
    }
    if (adept_fit_stopped(c->fit) && o->fit.checkpoint && !o->fit.local)
        fprintf(stderr, "adept calibrate: state saved to %s; the same command goes on from there\n",
                o->fit.checkpoint);
}

static void free_all(calibration *c) {
    adept_validation_free(c->in_sample);
    adept_validation_free(c->held_out);
    adept_fit_free(c->fit);
    free(c->evidence);
    free(c->thetas);
    calibration_close(&c->data);
}

static int run_calibrate(calibration_options *o, const char *command) {
    adept_error err = ADEPT_ERROR_INIT;
    calibration c = {.fit = NULL};
    adept_status status = calibration_open(&c.data, o, &err);
    if (status == ADEPT_OK)
        status = check(&c, o, &err);
    if (status == ADEPT_OK) {
        calibration_watch_begin(o);
        status = fit_all(&c, o, &err);
        calibration_watch_end();
    }
    if (status == ADEPT_OK)
        status = judge(&c, o, &err);
    if (status == ADEPT_OK && o->evidence)
        status = identify(&c, o, &err);
    if (status == ADEPT_OK)
        status = report(&c, o, command, &err);
    err.status = status;
    int code = status == ADEPT_OK ? EXIT_DONE : cli_failed("calibrate", &err);
    if (status == ADEPT_OK) {
        warn(&c, o);
        code = calibration_interrupted() ? EXIT_FAILED : EXIT_DONE;
    }
    free_all(&c);
    return code;
}

int adept_cmd_calibrate(int argc, char **argv) {
    calibration_options options = {.command = "calibrate", .fit = ADEPT_FIT_OPTIONS_INIT};
    char *command = command_line(argc, argv); /* before parsing, which cuts the texts */
    int code = calibration_parse(&options, true, argc, argv);
    if (code == 0 && options.help)
        print_help();
    else if (code == 0)
        code = run_calibrate(&options, command);
    free(command);
    return code;
}
