#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adept/calibration.h"
#include "arena.h"
#include "fail.h"
#include "families.h"
#include "hosts.h"
#include "string_map.h"
#include "thesis.h"
#include "workload_cache.h"

/* Their launch costs stand behind the parameters of a variant: ADEPT_THETA_MAX is the room. */
enum { HOSTS_MAX = 8 };

struct adept_dataset {
    adept_arena *arena;
    adept_workload_cache *cache;
    adept_dataset_row *rows;
    adept_dataset_skip *skips;
    adept_hardware **gpus;
    const char **files, **hosts;
    double *host_launch_s;
    size_t host_count;
    size_t count, skip_count, gpu_count, file_count;
};

/* While loading: what stands behind each trace row. */
typedef struct candidate_row {
    const adept_trace_row *trace;
    const adept_run *run;
    size_t file, gpu;
} candidate_row;

typedef struct loader {
    adept_dataset *dataset;
    adept_hosts *hosts;
    const adept_dataset_options *options;
    adept_string_map gpu_of_name; /* as written in the traces: number of the GPU, or -2 - skip reason */
    const char **reasons;         /* [distinct names] why a GPU's name leads nowhere */
    size_t reason_count;
    candidate_row *candidates;
    adept_workload_request *requests;
    size_t candidate_count;
} loader;

static adept_status skip(adept_dataset *dataset, size_t file, size_t line, bool power_only,
                         const char *reason, adept_error *err) {
    const char *kept = adept_arena_string(dataset->arena, reason);
    if (!kept)
        return adept_fail_memory(err);
    dataset->skips[dataset->skip_count++] = (adept_dataset_skip){file, line, kept, power_only};
    return ADEPT_OK;
}

/* ---- hardware ---- */

/* Number of the GPU with this id, added if it is new; takes the hardware over. */
static size_t keep_gpu(adept_dataset *dataset, adept_hardware *hardware) {
    for (size_t i = 0; i < dataset->gpu_count; i++) {
        if (strcmp(adept_hardware_id(dataset->gpus[i]), adept_hardware_id(hardware)) == 0) {
            adept_hardware_free(hardware);
            return i;
        }
    }
    dataset->gpus[dataset->gpu_count] = hardware;
    return dataset->gpu_count++;
}

/* Whether a name stands for the GPU that the user chose. */
static bool same_gpu(const adept_hardware *chosen, const char *name) {
    adept_hardware *named = NULL;
    bool same = strcmp(name, adept_hardware_id(chosen)) == 0;
    if (!same && adept_hardware_load(&named, name, NULL) == ADEPT_OK)
        same = strcmp(adept_hardware_id(named), adept_hardware_id(chosen)) == 0;
    adept_hardware_free(named);
    return same;
}

/* Number of the GPU that a name stands for; below 0: -2 - index of the reason. */
static int32_t find_gpu(loader *l, const char *name, adept_error *err) {
    adept_hardware *hardware = NULL;
    adept_error why = ADEPT_ERROR_INIT;
    if (l->options->hardware) {
        const adept_hardware *chosen = l->dataset->gpus[0];
        if (!*name || same_gpu(chosen, name))
            return 0;
        adept_fail(&why, ADEPT_ARGUMENT, "measured on '%s', not on the chosen %s", name,
                   adept_hardware_id(chosen));
    } else if (!*name) {
        adept_fail(&why, ADEPT_ARGUMENT, "no gpu: fill the column gpu, or choose one with --hw");
    } else if (adept_hardware_load(&hardware, name, &why) == ADEPT_OK) {
        return (int32_t)keep_gpu(l->dataset, hardware);
    }
    l->reasons[l->reason_count] = adept_arena_string(l->dataset->arena, why.message);
    if (!l->reasons[l->reason_count])
        adept_fail_memory(err);
    return -2 - (int32_t)l->reason_count++;
}

static adept_status gpu_of(loader *l, const char *name, int32_t *gpu, adept_error *err) {
    *gpu = adept_string_map_get(&l->gpu_of_name, name, -1);
    if (*gpu != -1)
        return ADEPT_OK;
    *gpu = find_gpu(l, name, err);
    bool known = *gpu >= 0 || l->reasons[-2 - *gpu];
    if (!known || !adept_string_map_put(&l->gpu_of_name, name, *gpu))
        return adept_fail_memory(err);
    return ADEPT_OK;
}

/* ---- rows ---- */

/* Path of a graph: in the folder of graphs, or beside the trace file. */
static const char *graph_path(const loader *l, const adept_trace *trace, const char *graph) {
    adept_arena *arena = l->dataset->arena;
    if (graph[0] == '/')
        return graph;
    if (l->options->graphs)
        return adept_arena_format(arena, "%s/%s", l->options->graphs, graph);
    const char *path = adept_trace_path(trace);
    const char *slash = strrchr(path, '/');
    return adept_arena_format(arena, "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, graph);
}

static adept_status add_candidate(loader *l, const adept_trace *trace, size_t file, size_t row,
                                  adept_error *err) {
    const adept_trace_row *r = adept_trace_at(trace, row);
    int32_t gpu;
    adept_status status = gpu_of(l, r->gpu, &gpu, err);
    if (status != ADEPT_OK)
        return status;
    if (gpu < 0)
        return skip(l->dataset, file, r->line, false, l->reasons[-2 - gpu], err);
    if (isnan(r->step_time_s) && r->power_scope == ADEPT_POWER_SCOPE_NODE)
        return skip(l->dataset, file, r->line, false,
                    "power of the whole node and no time: only power of a GPU's board is predicted", err);
    const char *path = graph_path(l, trace, r->graph);
    adept_run *run = adept_arena_alloc(l->dataset->arena, sizeof *run);
    if (!path || !run)
        return adept_fail_memory(err);
    status = adept_hosts_resolve(l->hosts, r, run, err);
    l->candidates[l->candidate_count] = (candidate_row){r, run, file, (size_t)gpu};
    l->requests[l->candidate_count++] = (adept_workload_request){path, run};
    return status;
}

static adept_status read_traces(loader *l, const adept_trace *const *traces, adept_error *err) {
    adept_status status = ADEPT_OK;
    for (size_t f = 0; status == ADEPT_OK && f < l->dataset->file_count; f++) {
        for (size_t i = 0; status == ADEPT_OK && i < adept_trace_skip_count(traces[f]); i++) {
            const adept_trace_skip *s = adept_trace_skip_at(traces[f], i);
            status = skip(l->dataset, f, s->line, false, s->reason, err);
        }
        for (size_t i = 0; status == ADEPT_OK && i < adept_trace_count(traces[f]); i++)
            status = add_candidate(l, traces[f], f, i, err);
    }
    return status;
}

/* Datasheet roofline of a step: max of arithmetic and traffic, optimizer, all-reduce at link rate. */
static double roofline_s(const adept_thesis_row *row) {
    double compute_s = 0;
    for (int term = 0; term < ADEPT_TERM_COUNT; term++)
        compute_s += row->peak_s[term];
    return fmax(compute_s, row->memory_s) * row->grad_accum + row->optimizer_s + row->ring_s;
}

/* Number of a row's host, added if it is new; -1: none, or the row states the cost itself. */
static adept_status host_of(loader *l, const adept_trace_row *row, ptrdiff_t *number, adept_error *err) {
    adept_dataset *dataset = l->dataset;
    const char *name = adept_hosts_name(l->hosts, row);
    size_t h = 0;
    double launch_s;
    *number = -1;
    if (!*row->host || row->run.launch_s > 0)
        return ADEPT_OK;
    while (h < dataset->host_count && strcmp(dataset->hosts[h], name) != 0)
        h++;
    if (h == HOSTS_MAX)
        return ADEPT_OK;
    *number = (ptrdiff_t)h;
    if (h < dataset->host_count)
        return ADEPT_OK;
    dataset->hosts[h] = adept_arena_string(dataset->arena, name);
    if (!dataset->hosts[h])
        return adept_fail_memory(err);
    dataset->host_count++;
    adept_status status = adept_hosts_launch_s(l->hosts, name, &launch_s, err);
    dataset->host_launch_s[h] = isnan(launch_s) ? 0 : launch_s;
    return status;
}

static adept_status complete_row(loader *l, const candidate_row *candidate, adept_workload_entry entry,
                                 adept_error *err) {
    adept_dataset *dataset = l->dataset;
    const adept_trace_row *r = candidate->trace;
    char model[ADEPT_MODEL_NAME_SIZE];
    adept_error why = ADEPT_ERROR_INIT;
    adept_thesis_row numbers;
    if (!entry.workload)
        return skip(dataset, candidate->file, r->line, false, entry.failure, err);
    const adept_hardware *hardware = dataset->gpus[candidate->gpu];
    const adept_hardware_spec *spec = adept_hardware_spec_of(hardware);
    ptrdiff_t host;
    adept_status status = host_of(l, r, &host, err);
    if (status != ADEPT_OK)
        return status;
    double limit_W = r->run.power_limit_W > 0 ? r->run.power_limit_W : spec->tdp_W;
    if (adept_thesis_row_init(&numbers, entry.workload, spec, limit_W, &why) != ADEPT_OK)
        return skip(dataset, candidate->file, r->line, false, why.message, err);
    if (!(roofline_s(&numbers) > 0))
        return skip(dataset, candidate->file, r->line, false,
                    "the graph has no work that a handler counts: nothing to predict", err);
    adept_dataset_row *row = &dataset->rows[dataset->count++];
    *row = (adept_dataset_row){
        .trace = r,
        .run = *candidate->run,
        .file = candidate->file,
        .workload = entry.workload,
        .hardware = hardware,
        .gpu = candidate->gpu,
        .host = host,
        .model = adept_arena_string(dataset->arena, adept_model_name(model, r->graph)),
        .family = adept_model_family(model, entry.workload),
        .gpu_family = adept_gpu_family_name(spec->family),
        .step_time_s = r->step_time_s,
        .average_power_W = r->average_power_W,
        .power_limit_W = limit_W,
        .roofline_s = roofline_s(&numbers),
    };
    if (!row->model)
        return adept_fail_memory(err);
    if (isnan(row->average_power_W) || r->power_scope != ADEPT_POWER_SCOPE_NODE)
        return ADEPT_OK;
    row->average_power_W = NAN;
    return skip(dataset, candidate->file, r->line, true,
                "power of the whole node: only power of a GPU's board is predicted; the time is used", err);
}

static adept_status complete_rows(loader *l, adept_error *err) {
    adept_worker_pool *pool;
    adept_status status = adept_worker_pool_new(&pool, l->options->threads, err);
    if (status != ADEPT_OK)
        return status;
    status = adept_workload_cache_new(&l->dataset->cache, l->requests, l->candidate_count, pool, err);
    adept_worker_pool_free(pool);
    for (size_t i = 0; status == ADEPT_OK && i < l->candidate_count; i++)
        status = complete_row(l, &l->candidates[i], adept_workload_cache_at(l->dataset->cache, i), err);
    return status;
}

static int by_position(const void *a, const void *b) {
    const adept_dataset_skip *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static adept_status check_any(const adept_dataset *dataset, adept_error *err) {
    if (dataset->count)
        return ADEPT_OK;
    if (!dataset->skip_count)
        return adept_fail(err, ADEPT_FORMAT, "%s: no rows", dataset->file_count ? dataset->files[0] : "");
    const adept_dataset_skip *first = &dataset->skips[0];
    return adept_fail(err, ADEPT_FORMAT, "no usable row among %zu; the first is %s line %zu: %s",
                      dataset->skip_count, dataset->files[first->file], first->line, first->reason);
}

static adept_status allocate(loader *l, const adept_trace *const *traces, size_t trace_count,
                             adept_error *err) {
    adept_dataset *d = l->dataset;
    size_t most = 0;
    for (size_t f = 0; f < trace_count; f++)
        most += adept_trace_count(traces[f]) + adept_trace_skip_count(traces[f]);
    d->file_count = trace_count;
    d->files = adept_arena_array(d->arena, trace_count, sizeof *d->files);
    d->rows = adept_arena_array(d->arena, most, sizeof *d->rows);
    d->skips = adept_arena_array(d->arena, most, sizeof *d->skips);
    d->gpus = adept_arena_array(d->arena, most + 1, sizeof *d->gpus);
    d->hosts = adept_arena_array(d->arena, HOSTS_MAX, sizeof *d->hosts);
    d->host_launch_s = adept_arena_array(d->arena, HOSTS_MAX, sizeof *d->host_launch_s);
    l->reasons = adept_arena_array(d->arena, most, sizeof *l->reasons);
    l->candidates = adept_arena_array(d->arena, most, sizeof *l->candidates);
    l->requests = adept_arena_array(d->arena, most, sizeof *l->requests);
    if (!d->hosts || !d->host_launch_s || !d->files || !d->rows || !d->skips || !d->gpus || !l->reasons ||
        !l->candidates || !l->requests)
        return adept_fail_memory(err);
    for (size_t f = 0; f < trace_count; f++)
        d->files[f] = adept_trace_path(traces[f]);
    return ADEPT_OK;
}

adept_status adept_dataset_load(adept_dataset **out, const adept_trace *const *traces, size_t trace_count,
                                const adept_dataset_options *options, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    loader l = {.options = options, .gpu_of_name = ADEPT_STRING_MAP_INIT};
    l.dataset = arena ? adept_arena_alloc(arena, sizeof *l.dataset) : NULL;
    if (!l.dataset) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    l.dataset->arena = arena;
    adept_status status = allocate(&l, traces, trace_count, err);
    if (status == ADEPT_OK && options->hardware) {
        status = adept_hardware_load(&l.dataset->gpus[0], options->hardware, err);
        l.dataset->gpu_count = status == ADEPT_OK;
    }
    if (status == ADEPT_OK)
        status = adept_hosts_load(&l.hosts, options->hosts, err);
    if (status == ADEPT_OK)
        status = read_traces(&l, traces, err);
    if (status == ADEPT_OK)
        status = complete_rows(&l, err);
    if (status == ADEPT_OK && l.dataset->skip_count)
        qsort(l.dataset->skips, l.dataset->skip_count, sizeof *l.dataset->skips, by_position);
    if (status == ADEPT_OK)
        status = check_any(l.dataset, err);
    adept_hosts_free(l.hosts);
    adept_string_map_clear(&l.gpu_of_name);
    if (status != ADEPT_OK)
        adept_dataset_free(l.dataset);
    else
        *out = l.dataset;
    return status;
}

void adept_dataset_free(adept_dataset *dataset) {
    if (!dataset)
        return;
    for (size_t i = 0; i < dataset->gpu_count; i++)
        adept_hardware_free(dataset->gpus[i]);
    adept_workload_cache_free(dataset->cache);
    adept_arena_free(dataset->arena);
}

size_t adept_dataset_count(const adept_dataset *dataset) {
    return dataset->count;
}

const adept_dataset_row *adept_dataset_at(const adept_dataset *dataset, size_t row) {
    return &dataset->rows[row];
}

size_t adept_dataset_skip_count(const adept_dataset *dataset) {
    return dataset->skip_count;
}

const adept_dataset_skip *adept_dataset_skip_at(const adept_dataset *dataset, size_t index) {
    return &dataset->skips[index];
}

size_t adept_dataset_gpu_count(const adept_dataset *dataset) {
    return dataset->gpu_count;
}

const adept_hardware *adept_dataset_gpu(const adept_dataset *dataset, size_t gpu) {
    return dataset->gpus[gpu];
}

size_t adept_dataset_file_count(const adept_dataset *dataset) {
    return dataset->file_count;
}

const char *adept_dataset_file(const adept_dataset *dataset, size_t file) {
    return dataset->files[file];
}

size_t adept_dataset_host_count(const adept_dataset *dataset) {
    return dataset->host_count;
}

const char *adept_dataset_host(const adept_dataset *dataset, size_t host) {
    return dataset->hosts[host];
}

double adept_dataset_host_launch_s(const adept_dataset *dataset, size_t host) {
    return dataset->host_launch_s[host];
}

size_t adept_dataset_workload_count(const adept_dataset *dataset) {
    return adept_workload_cache_distinct(dataset->cache);
}
