#include "hosts.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "strict_json.h"

struct adept_hosts {
    adept_json *file;              /* NULL: there is none */
    const adept_json_value *names; /* the object "hosts" */
};

static const char *const host_keys[] = {
    "launch_s", "idle_gap", "optimizer_impl", "collective_bandwidth_B_per_s", "overlap", "graphs", "source"};
static const char *const graph_keys[] = {
    "loader_s", "epoch_samples", "longest_of_one", "longest_per_ln_batch", "amp_level", "source"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- file ---- */

static adept_status check_graphs(const adept_hosts *hosts, const adept_json_value *host, adept_error *err) {
    const adept_json_value *graphs = NULL;
    adept_status status =
        adept_json_read_value(hosts->file, host, "graphs", ADEPT_JSON_OBJECT, false, &graphs, err);
    const adept_json_value *graph = graphs ? adept_json_first(graphs) : NULL;
    for (; status == ADEPT_OK && graph; graph = adept_json_next(graph))
        status = adept_json_check_keys(hosts->file, graph, graph_keys, COUNT(graph_keys), err);
    return status;
}

static adept_status check(const adept_hosts *hosts, adept_error *err) {
    adept_status status = ADEPT_OK;
    const adept_json_value *host = adept_json_first(hosts->names);
    for (; status == ADEPT_OK && host; host = adept_json_next(host)) {
        status = adept_json_check_keys(hosts->file, host, host_keys, COUNT(host_keys), err);
        if (status == ADEPT_OK)
            status = check_graphs(hosts, host, err);
    }
    return status;
}

static adept_status open_file(adept_hosts *hosts, const char *path, adept_error *err) {
    adept_status status = adept_json_load(&hosts->file, path, err);
    if (status == ADEPT_OK)
        status = adept_json_read_value(hosts->file, adept_json_root(hosts->file), "hosts", ADEPT_JSON_OBJECT,
                                       true, &hosts->names, err);
    return status == ADEPT_OK ? check(hosts, err) : status;
}

/* hosts.json beside the folder of hardware files, if there is one. */
static adept_status find_file(adept_hosts *hosts, adept_error *err) {
    const char *folders[] = {getenv("ADEPT_DATA"), ADEPT_INSTALLED_DATA, ADEPT_SOURCE_DATA};
    for (size_t i = 0; i < COUNT(folders); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/hosts.json", folders[i] ? folders[i] : "");
        FILE *file = folders[i] ? fopen(path, "r") : NULL;
        if (!file)
            continue;
        fclose(file);
        return open_file(hosts, path, err);
    }
    return ADEPT_OK;
}

adept_status adept_hosts_load(adept_hosts **out, const char *path, adept_error *err) {
    *out = NULL;
    adept_hosts *hosts = calloc(1, sizeof *hosts);
    if (!hosts)
        return adept_fail_memory(err);
    adept_status status = path ? open_file(hosts, path, err) : find_file(hosts, err);
    if (status == ADEPT_OK)
        *out = hosts;
    else
        adept_hosts_free(hosts);
    return status;
}

void adept_hosts_free(adept_hosts *hosts) {
    if (hosts)
        adept_json_free(hosts->file);
    free(hosts);
}

/* ---- entries ---- */

static const adept_json_value *entry(const adept_hosts *hosts, const char *name) {
    return hosts->names && *name ? adept_json_member(hosts->names, name) : NULL;
}

const char *adept_hosts_name(const adept_hosts *hosts, const adept_trace_row *row) {
    char name[256];
    snprintf(name, sizeof name, "%s/%s", row->host, row->gpu);
    const adept_json_value *machine = entry(hosts, name);
    return machine ? adept_json_key(machine) : row->host;
}

/* The first pattern that a graph's name matches, NULL: none. */
static const adept_json_value *graph_entry(const adept_json_value *host, const char *graph) {
    const adept_json_value *graphs = adept_json_member(host, "graphs");
    const adept_json_value *each = graphs ? adept_json_first(graphs) : NULL;
    while (each && fnmatch(adept_json_key(each), graph, 0) != 0)
        each = adept_json_next(each);
    return each;
}

adept_status adept_hosts_launch_s(const adept_hosts *hosts, const char *name, double *out, adept_error *err) {
    const adept_json_bounds seconds = {"seconds", 1e-9, 1, false};
    const adept_json_value *host = entry(hosts, name);
    *out = NAN;
    return host ? adept_json_read_double(hosts->file, host, "launch_s", &seconds, out, err) : ADEPT_OK;
}

/* ---- what a run does not say ---- */

/* Sets *field to the entry's number where it has one and the run does not say (its value is below 0, or 0).
 */
static adept_status complete(const adept_hosts *hosts, const adept_json_value *host, const char *key,
                             const adept_json_bounds *bounds, bool stated, double *field, adept_error *err) {
    double value;
    adept_status status = adept_json_read_double(hosts->file, host, key, bounds, &value, err);
    if (status == ADEPT_OK && !stated && !isnan(value))
        *field = value;
    return status;
}

static adept_status complete_machine(const adept_hosts *hosts, const adept_json_value *host,
                                     const adept_trace_row *row, adept_run *run, adept_error *err) {
    const adept_json_bounds gap = {"share of the step", 0, 0.9, false}, share = {"share", 0, 1, false},
                            rate = {"bytes per second", 1e6, 1e14, false};
    const char *impl = NULL;
    bool gap_stated = run->idle_gap >= 0 || run->mode != ADEPT_MODE_TRAIN;
    adept_status status = complete(hosts, host, "idle_gap", &gap, gap_stated, &run->idle_gap, err);
    if (status == ADEPT_OK)
        status = complete(hosts, host, "collective_bandwidth_B_per_s", &rate, run->collective_B_per_s > 0,
                          &run->collective_B_per_s, err);
    if (status == ADEPT_OK)
        status = complete(hosts, host, "overlap", &share, run->overlap >= 0, &run->overlap, err);
    if (status == ADEPT_OK)
        status = adept_json_read_string(hosts->file, host, "optimizer_impl", false, &impl, err);
    if (status == ADEPT_OK && impl && !row->states_optimizer_impl)
        status = adept_run_set(run, "optimizer-impl", impl, err);
    return status;
}

static adept_status shorten(const adept_hosts *hosts, const adept_json_value *graph, adept_run *run,
                            adept_error *err) {
    const adept_json_bounds share = {"share of the stated length", 0.01, 1, false},
                            slope = {"share per ln(batch)", 0, 1, false};
    double of_one, per_ln;
    adept_status status = adept_json_read_double(hosts->file, graph, "longest_of_one", &share, &of_one, err);
    if (status == ADEPT_OK)
        status = adept_json_read_double(hosts->file, graph, "longest_per_ln_batch", &slope, &per_ln, err);
    if (status != ADEPT_OK || isnan(of_one) || isnan(per_ln) || run->seq <= 0 || run->batch <= 0)
        return status;
    double longest = of_one + per_ln * log((double)run->batch);
    run->seq = (int64_t)fmax(1, round((double)run->seq * fmin(longest, 1)));
    return ADEPT_OK;
}

/* Training code says by which level it mixes precisions, tables of its results only that it does. */
static adept_status complete_mixed_precision(const adept_hosts *hosts, const adept_json_value *graph,
                                             adept_run *run, adept_error *err) {
    const char *level = NULL;
    bool pytorch = !run->framework || strcmp(run->framework, "pytorch") == 0;
    adept_status status = adept_json_read_string(hosts->file, graph, "amp_level", false, &level, err);
    if (status != ADEPT_OK || !level || !pytorch || run->mode != ADEPT_MODE_TRAIN)
        return status;
    return adept_run_set(run, "amp-level", level, err);
}

static adept_status complete_loop(const adept_hosts *hosts, const adept_json_value *graph, adept_run *run,
                                  adept_error *err) {
    const adept_json_bounds seconds = {"seconds per sample", 1e-9, 10, false},
                            samples = {"samples", 1, 1e12, false};
    double epoch = (double)run->epoch_samples;
    adept_status status =
        complete(hosts, graph, "loader_s", &seconds, run->loader_s > 0, &run->loader_s, err);
    if (status == ADEPT_OK)
        status = complete(hosts, graph, "epoch_samples", &samples, epoch > 0, &epoch, err);
    run->epoch_samples = (int64_t)epoch;
    if (status == ADEPT_OK)
        status = complete_mixed_precision(hosts, graph, run, err);
    return status == ADEPT_OK ? shorten(hosts, graph, run, err) : status;
}

adept_status adept_hosts_resolve(const adept_hosts *hosts, const adept_trace_row *row, adept_run *run,
                                 adept_error *err) {
    *run = row->run;
    const adept_json_value *machine = entry(hosts, adept_hosts_name(hosts, row));
    const adept_json_value *host = entry(hosts, row->host);
    adept_status status = machine ? complete_machine(hosts, machine, row, run, err) : ADEPT_OK;
    /* Loops belong to the set-up, whichever of its machines they run on. */
    const adept_json_value *graph = host ? graph_entry(host, row->graph) : NULL;
    return status == ADEPT_OK && graph ? complete_loop(hosts, graph, run, err) : status;
}
