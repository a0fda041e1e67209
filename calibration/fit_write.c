/* From a fit to hardware files. */
#define _XOPEN_SOURCE 700 /* glibc: realpath is X/Open, not POSIX */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atomic_file.h"
#include "fail.h"
#include "fit_object.h"
#include "strict_json.h"

#define INTERVAL_LEVEL 0.8

enum { TEXT_SIZE = 2048, PATH_SIZE = 4096 };

typedef struct writer {
    const adept_fit *fit;
    const adept_fit_record *record;
    const fit_part *part;
    char text[TEXT_SIZE];   /* on what the parameters rest */
    char detail[TEXT_SIZE]; /* of the parameters that the part fitted */
    char pooled[TEXT_SIZE]; /* of those that it took over from the fit of all GPUs together */
} writer;

/* ---- words ---- */

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char *text, const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, TEXT_SIZE - used, format, args);
    va_end(args);
}

static const adept_scores *scores_of(const adept_validation *v, ptrdiff_t gpu) {
    if (gpu < 0)
        return &adept_validation_total(v)->scores;
    const char *id = adept_hardware_id(adept_dataset_gpu(adept_validation_dataset(v), (size_t)gpu));
    for (size_t i = 0; i < adept_validation_group_count(v, ADEPT_GROUPING_GPU); i++) {
        const adept_score_group *group = adept_validation_group(v, ADEPT_GROUPING_GPU, i);
        if (strcmp(group->name, id) == 0)
            return &group->scores;
    }
    return NULL;
}

static void append_errors(char *text, const char *title, const adept_validation *v, ptrdiff_t gpu) {
    const adept_scores *scores = v ? scores_of(v, gpu) : NULL;
    if (!scores)
        return;
    append(text, "; %s", title);
    if (*adept_validation_by(v))
        append(text, " (left out: %s)", adept_validation_by(v));
    if (scores->time.n)
        append(text, " time %.1f %%", scores->time.mape);
    if (scores->power.n)
        append(text, " power %.1f %%", scores->power.mape);
}

static void append_files(char *text, const adept_dataset *dataset) {
    for (size_t i = 0; i < adept_dataset_file_count(dataset); i++) {
        const char *path = adept_dataset_file(dataset, i);
        const char *slash = strrchr(path, '/');
        append(text, "%s%s", i ? ", " : "", slash ? slash + 1 : path);
    }
}

/* What was fitted to what, when, how and how well. gpu: of the file; -1: the shared one. */
static void describe(writer *w, ptrdiff_t gpu) {
    const adept_fit_part *p = &w->part->report;
    const adept_fit_options *o = &w->fit->options;
    char date[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc))
        strftime(date, sizeof date, "%Y-%m-%d", &utc);
    w->text[0] = '\0';
    append(w->text, "%zu parameters fitted to %zu rows (%zu times, %zu powers) of ", p->free_count, p->rows,
           p->time_rows, p->power_rows);
    append_files(w->text, w->fit->dataset);
    append(w->text, ", %s; %s, seed %llu, %llu evaluations%s; adept %s; %s", date,
           o->local ? "local search" : o->strategy, (unsigned long long)o->seed,
           (unsigned long long)p->evaluations, p->stopped ? ", interrupted" : "",
           w->record->version ? w->record->version : "", w->record->command ? w->record->command : "");
    append_errors(w->text, "in-sample", w->record->in_sample, gpu);
    append_errors(w->text, "held out", w->record->held_out, gpu);
    const adept_fit_part *first = &w->fit->parts[0].report;
    snprintf(w->pooled, sizeof w->pooled, "all GPUs together, %zu rows, %s", first->rows, date);
    snprintf(w->detail, sizeof w->detail, "%s, %zu rows, %s", p->gpu < 0 ? "all GPUs together" : p->name,
             p->rows, date);
}

/* Whether a part fitted a parameter that its rows, by the evidence at hand, do not determine. */
static bool is_undetermined(const writer *w, size_t part, size_t parameter) {
    const adept_identifiability *evidence = w->record->evidence ? &w->record->evidence[part] : NULL;
    for (size_t i = 0; evidence && i < evidence->parameters; i++) {
        if (evidence->evidence[i].parameter == parameter)
            return !evidence->evidence[i].determined;
    }
    return false;
}

/* The words on a fitted parameter: where from, and whether its value means anything by itself. */
static void provenance_of(const writer *w, size_t part, size_t parameter, const char *detail,
                          char text[TEXT_SIZE]) {
    text[0] = '\0';
    append(text, "%s%s", detail,
           is_undetermined(w, part, parameter) ? "; these rows do not determine it" : "");
}

/* ---- one GPU ---- */

static void describe_parameter(const writer *w, size_t parameter, char text[TEXT_SIZE]) {
    size_t part = (size_t)(w->part - w->fit->parts);
    bool own = w->fit->parts[0].report.gpu >= 0 || part == 0 || adept_fit_is_free(w->fit, part, parameter);
    if (w->part->theta.provenance[parameter] == ADEPT_PROVENANCE_GIVEN)
        snprintf(text, TEXT_SIZE, "fixed by the user");
    else
        provenance_of(w, own ? part : 0, parameter, own ? w->detail : w->pooled, text);
}

static adept_status set_parameters(writer *w, adept_hardware *hardware, adept_error *err) {
    const adept_theta *theta = &w->part->theta;
    adept_status status = ADEPT_OK;
    char detail[TEXT_SIZE];
    for (size_t i = 0; status == ADEPT_OK && i < theta->count; i++) {
        if (theta->provenance[i] != ADEPT_PROVENANCE_FITTED && theta->provenance[i] != ADEPT_PROVENANCE_GIVEN)
            continue;
        describe_parameter(w, i, detail);
        status = adept_hardware_set_parameter(hardware, theta->variant,
                                              adept_parameter_at(theta->variant, i)->name, theta->value[i],
                                              theta->provenance[i], detail, err);
    }
    return status == ADEPT_OK ? adept_hardware_set_fit(hardware, theta->variant, w->text, err) : status;
}

/* The interval of the GPU's own held-out rows, or of all where it has too few. */
static void set_interval(const writer *w, adept_hardware *hardware, ptrdiff_t gpu) {
    const adept_validation *v = w->record->held_out;
    if (!v)
        return;
    adept_hardware_interval all = adept_validation_interval(v, -1, INTERVAL_LEVEL);
    adept_hardware_interval own = adept_validation_interval(v, gpu, INTERVAL_LEVEL);
    if (isnan(own.time_lower)) {
        own.time_lower = all.time_lower;
        own.time_upper = all.time_upper;
    }
    if (isnan(own.power_lower)) {
        own.power_lower = all.power_lower;
        own.power_upper = all.power_upper;
    }
    adept_hardware_set_interval(hardware, w->part->theta.variant, &own);
}

static adept_status write_hardware(void *user, FILE *out, adept_error *err) {
    return adept_hardware_write(user, out, err);
}

adept_status adept_dataset_check_output(const adept_dataset *dataset, const char *path, adept_error *err) {
    char *full = realpath(path, NULL);
    adept_status status = ADEPT_OK;
    for (size_t g = 0; full && status == ADEPT_OK && g < adept_dataset_gpu_count(dataset); g++) {
        char *input = realpath(adept_hardware_file(adept_dataset_gpu(dataset, g)), NULL);
        if (input && strcmp(full, input) == 0)
            status = adept_fail(err, ADEPT_ARGUMENT,
                                "%s is the hardware file that was read; choose another name", path);
        free(input);
    }
    for (size_t f = 0; full && status == ADEPT_OK && f < adept_dataset_file_count(dataset); f++) {
        char *input = realpath(adept_dataset_file(dataset, f), NULL);
        if (input && strcmp(full, input) == 0)
            status = adept_fail(err, ADEPT_ARGUMENT, "%s holds the measurements; choose another name", path);
        free(input);
    }
    free(full);
    return status;
}

/* Every message names the file. */
static adept_status write_file(const char *path, adept_file_writer *write, void *user, adept_error *err) {
    adept_status status = adept_atomic_write(path, write, user, err);
    if (status == ADEPT_OK || !err || strstr(err->message, path))
        return status;
    return adept_fail_at(err, status, "%s", path);
}

static adept_status write_gpu(writer *w, size_t gpu, const char *path, adept_error *err) {
    adept_hardware *copy = NULL;
    adept_status status = adept_dataset_check_output(w->fit->dataset, path, err);
    if (status == ADEPT_OK)
        status = adept_hardware_copy(&copy, adept_dataset_gpu(w->fit->dataset, gpu), err);
    describe(w, (ptrdiff_t)gpu);
    if (status == ADEPT_OK)
        status = set_parameters(w, copy, err);
    if (status == ADEPT_OK) {
        set_interval(w, copy, (ptrdiff_t)gpu);
        if (w->part->theta.variant == ADEPT_VARIANT_THESIS)
            adept_hardware_set_saturation(copy, w->part->theta.saturation);
        status = write_file(path, write_hardware, copy, err);
    }
    adept_hardware_free(copy);
    return status;
}

/* ---- shared parameters ---- */

static void put_shared_theta(adept_json_writer *json, const writer *w) {
    const adept_theta *theta = &w->part->theta;
    char provenance[TEXT_SIZE + 32], detail[TEXT_SIZE];
    adept_json_begin_object(json, adept_variant_name(theta->variant));
    for (size_t i = 0; i < theta->count; i++) {
        if (theta->provenance[i] != ADEPT_PROVENANCE_FITTED)
            continue;
        provenance_of(w, 0, i, w->detail, detail);
        snprintf(provenance, sizeof provenance, "%s: %s", adept_provenance_name(ADEPT_PROVENANCE_TRANSFERRED),
                 detail);
        adept_json_begin_object(json, adept_parameter_at(theta->variant, i)->name);
        adept_json_put_number(json, "value", theta->value[i]);
        adept_json_put_string(json, "provenance", provenance);
        adept_json_end(json);
    }
    adept_json_end(json);
}

static void put_shared_interval(adept_json_writer *json, const writer *w) {
    adept_hardware_interval i = adept_validation_interval(w->record->held_out, -1, INTERVAL_LEVEL);
    adept_json_begin_object(json, "intervals");
    adept_json_begin_object(json, adept_variant_name(w->part->theta.variant));
    adept_json_put_number(json, "level", i.level);
    adept_json_put_number(json, "time_lower", i.time_lower);
    adept_json_put_number(json, "time_upper", i.time_upper);
    adept_json_put_number(json, "power_lower", i.power_lower);
    adept_json_put_number(json, "power_upper", i.power_upper);
    adept_json_end(json);
    adept_json_end(json);
}

/* A file that GPUs inherit from: parameters and nothing else. */
static adept_status write_shared(void *user, FILE *out, adept_error *err) {
    const writer *w = user;
    adept_json_writer json = adept_json_writer_to(out, 2);
    adept_json_begin_object(&json, NULL);
    adept_json_put_string(&json, "id", "shared");
    adept_json_put_string(&json, "name", "Parameters shared by all GPUs");
    adept_json_begin_object(&json, "theta");
    if (w->part->theta.variant == ADEPT_VARIANT_THESIS)
        adept_json_put_string(&json, "saturation", adept_saturation_name(w->part->theta.saturation));
    put_shared_theta(&json, w);
    if (w->record->held_out)
        put_shared_interval(&json, w);
    adept_json_begin_object(&json, "fits");
    adept_json_put_string(&json, adept_variant_name(w->part->theta.variant), w->text);
    adept_json_end(&json);
    adept_json_end(&json);
    adept_json_end(&json);
    return adept_json_finish(&json, err);
}

/* ---- hosts ---- */

static adept_status write_hosts(void *user, FILE *out, adept_error *err) {
    const writer *w = user;
    const adept_dataset *dataset = w->fit->dataset;
    const adept_theta *theta = &w->part->theta;
    adept_json_writer json = adept_json_writer_to(out, 2);
    adept_json_begin_object(&json, NULL);
    adept_json_begin_object(&json, "hosts");
    for (size_t h = 0; h < adept_dataset_host_count(dataset) && theta->count + h < ADEPT_THETA_MAX; h++) {
        if (!(theta->value[theta->count + h] > 0))
            continue;
        adept_json_begin_object(&json, adept_dataset_host(dataset, h));
        adept_json_put_number(&json, "launch_s", theta->value[theta->count + h]);
        adept_json_put_string(&json, "source", w->text);
        adept_json_end(&json);
    }
    adept_json_end(&json);
    adept_json_end(&json);
    return adept_json_finish(&json, err);
}

/* ---- all files ---- */

static adept_status path_in(char *path, const char *folder, const char *id, adept_error *err) {
    int length = snprintf(path, PATH_SIZE, "%s/%s.json", folder, id);
    if (length < 0 || length >= PATH_SIZE)
        return adept_fail(err, ADEPT_ARGUMENT, "%s: path too long", folder);
    return ADEPT_OK;
}

static adept_status write_folder(writer *w, const char *folder, adept_error *err) {
    char path[PATH_SIZE];
    adept_status status = ADEPT_OK;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return adept_fail(err, ADEPT_IO, "%s: cannot make the folder: %s", folder, strerror(errno));
    for (size_t g = 0; status == ADEPT_OK && g < adept_dataset_gpu_count(w->fit->dataset); g++) {
        const char *id = adept_hardware_id(adept_dataset_gpu(w->fit->dataset, g));
        w->part = NULL;
        for (size_t i = 0; i < w->fit->part_count; i++) {
            ptrdiff_t of = w->fit->parts[i].report.gpu;
            w->part = of < 0 || of == (ptrdiff_t)g ? &w->fit->parts[i] : w->part;
        }
        if (!w->part)
            continue; /* all of its rows were unusable */
        status = path_in(path, folder, id, err);
        if (status == ADEPT_OK)
            status = write_gpu(w, g, path, err);
    }
    if (status != ADEPT_OK || !w->fit->options.shared)
        return status;
    w->part = &w->fit->parts[0];
    describe(w, -1);
    status = path_in(path, folder, "shared", err);
    if (status == ADEPT_OK)
        status = write_file(path, write_shared, w, err);
    if (status != ADEPT_OK || !w->fit->options.hosts)
        return status;
    status = path_in(path, folder, "hosts", err);
    return status == ADEPT_OK ? write_file(path, write_hosts, w, err) : status;
}

/* Several files go into a folder, one is a file. */
static bool wants_folder(const adept_dataset *dataset, const adept_fit_options *options) {
    return adept_dataset_gpu_count(dataset) > 1 || options->shared;
}

/* Whether a file can be made in the folder of path. */
static adept_status check_parent(const char *path, adept_error *err) {
    const char *slash = strrchr(path, '/');
    char folder[PATH_SIZE] = ".";
    if (slash && (size_t)(slash - path) + 2 > sizeof folder)
        return adept_fail(err, ADEPT_ARGUMENT, "%s: path too long", path);
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    if (access(folder, W_OK | X_OK) == 0)
        return ADEPT_OK;
    return adept_fail(err, ADEPT_IO, "%s: cannot write into %s: %s", path, folder, strerror(errno));
}

adept_status adept_fit_check_output(const adept_dataset *dataset, const adept_fit_options *options,
                                    const char *path, adept_error *err) {
    char file[PATH_SIZE];
    struct stat old;
    bool exists = stat(path, &old) == 0, several = wants_folder(dataset, options);
    adept_status status = ADEPT_OK;
    if (exists && several && !S_ISDIR(old.st_mode))
        return adept_fail(err, ADEPT_ARGUMENT,
                          "%s is a file, and several are to be written: give the name of a folder", path);
    if (exists && !several && S_ISDIR(old.st_mode))
        return adept_fail(err, ADEPT_ARGUMENT, "%s is a folder: give the name of a file in it", path);
    if (!several)
        status = adept_dataset_check_output(dataset, path, err);
    for (size_t g = 0; several && exists && status == ADEPT_OK && g < adept_dataset_gpu_count(dataset); g++) {
        status = path_in(file, path, adept_hardware_id(adept_dataset_gpu(dataset, g)), err);
        if (status == ADEPT_OK)
            status = adept_dataset_check_output(dataset, file, err);
    }
    if (status != ADEPT_OK || (exists && !several && !S_ISREG(old.st_mode)))
        return status; /* a device is written to directly */
    if (!exists || !several)
        return check_parent(path, err);
    status = path_in(file, path, "shared", err);
    return status == ADEPT_OK ? check_parent(file, err) : status;
}

adept_status adept_fit_write(const adept_fit *fit, const char *path, const adept_fit_record *record,
                             adept_error *err) {
    writer w = {.fit = fit, .record = record, .part = &fit->parts[0]};
    if (wants_folder(fit->dataset, &fit->options))
        return write_folder(&w, path, err);
    return write_gpu(&w, 0, path, err);
}
