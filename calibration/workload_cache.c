#include "workload_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adept/graph.h"
#include "adept/profile.h"
#include "arena.h"
#include "fail.h"
#include "string_map.h"

/* One distinct run of a graph. */
typedef struct distinct_run {
    const adept_run *run;
    size_t next; /* of the same graph, plus 1; 0: none */
    adept_workload_entry entry;
    adept_arena *arena; /* of the workload's arrays */
} distinct_run;

typedef struct distinct_graph {
    const char *path;
    size_t first, count; /* first distinct run plus 1 */
} distinct_graph;

struct adept_workload_cache {
    adept_arena *arena;
    size_t *of_request; /* [requests] distinct run */
    distinct_run *runs;
    distinct_graph *graphs;
    size_t run_count, graph_count;
};

/* All that a workload depends on, as text. Returns NULL when memory is short. */
static const char *key_of(adept_arena *arena, const adept_workload_request *request) {
    const adept_run *r = request->run;
    const char *key = adept_arena_format(
        arena, "%s|%lld|%lld|%d %d %d %d|%d %d|%d %d %d %d %d|%.17g|%.17g|%s", request->path,
        (long long)r->batch, (long long)r->seq, (int)r->mode, (int)r->precision, (int)r->optimizer,
        (int)r->optimizer_impl, (int)r->gpus, (int)r->grad_accum, (int)r->attention, (int)r->fusion,
        (int)r->layout, (int)r->amp_level, (int)r->batchnorm, r->dropout, r->launch_s,
        r->framework ? r->framework : "");
    for (size_t i = 0; key && i < r->dim_count; i++)
        key = adept_arena_format(arena, "%s|%s=%lld", key, r->dims[i].name, (long long)r->dims[i].value);
    for (size_t i = 0; key && i < r->freeze_count; i++)
        key = adept_arena_format(arena, "%s|-%s", key, r->freeze[i]);
    return key;
}

static bool add_graph(adept_workload_cache *cache, adept_string_map *graphs, const char *path, size_t run) {
    int32_t index = adept_string_map_get(graphs, path, -1);
    if (index < 0) {
        index = (int32_t)cache->graph_count++;
        cache->graphs[index].path = path;
        if (!adept_string_map_put(graphs, path, index))
            return false;
    }
    distinct_graph *graph = &cache->graphs[index];
    cache->runs[run].next = graph->first;
    graph->first = run + 1;
    graph->count++;
    return true;
}

static bool find_distinct(adept_workload_cache *cache, const adept_workload_request *requests, size_t count) {
    adept_string_map runs = ADEPT_STRING_MAP_INIT, graphs = ADEPT_STRING_MAP_INIT;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const char *key = key_of(cache->arena, &requests[i]);
        int32_t run = key ? adept_string_map_get(&runs, key, -1) : -1;
        if (key && run < 0) {
            run = (int32_t)cache->run_count++;
            cache->runs[run].run = requests[i].run;
            ok = adept_string_map_put(&runs, key, run) &&
                 add_graph(cache, &graphs, requests[i].path, (size_t)run);
        }
        ok = ok && key;
        cache->of_request[i] = run < 0 ? 0 : (size_t)run;
    }
    adept_string_map_clear(&runs);
    adept_string_map_clear(&graphs);
    return ok;
}

/* The workload with arrays of its own, so that the profile can go. */
static void keep(distinct_run *run, const adept_profile *profile) {
    const adept_workload *from = adept_profile_workload(profile);
    adept_coverage coverage = adept_profile_coverage(profile);
    run->arena = adept_arena_new(0);
    adept_workload *to = run->arena ? adept_arena_copy(run->arena, from, sizeof *from) : NULL;
    if (!to)
        return;
    to->kernels = adept_arena_copy(run->arena, from->kernels, from->kernel_count * sizeof *from->kernels);
    to->launches = adept_arena_copy(run->arena, from->launches, from->launch_count * sizeof *from->launches);
    run->entry.covered =
        coverage.nodes_total ? (double)coverage.nodes_supported / (double)coverage.nodes_total : 1;
    if (to->kernels && to->launches)
        run->entry.workload = to;
}

static void fail_run(distinct_run *run, const char *reason) {
    if (!run->arena)
        run->arena = adept_arena_new(0);
    run->entry.failure = run->arena ? adept_arena_string(run->arena, reason) : NULL;
}

/* Task: one graph, all its runs. */
static void profile_graph(void *user, size_t task, size_t thread) {
    adept_workload_cache *cache = user;
    distinct_graph *graph = &cache->graphs[task];
    adept_graph *loaded = NULL;
    adept_error err = ADEPT_ERROR_INIT;
    adept_status status = adept_graph_load(&loaded, graph->path, &err);
    (void)thread;
    for (size_t next = graph->first; next; next = cache->runs[next - 1].next) {
        distinct_run *run = &cache->runs[next - 1];
        adept_profile *profile = NULL;
        adept_error run_err = err;
        adept_status built = status;
        if (built == ADEPT_OK)
            built = adept_profile_build(&profile, loaded, run->run, &run_err);
        if (built == ADEPT_OK)
            keep(run, profile);
        else
            fail_run(run, run_err.message);
        adept_profile_free(profile);
    }
    adept_graph_free(loaded);
}

/* Graphs with most runs first, so that no long task is left for the end. */
static int by_count(const void *a, const void *b) {
    const distinct_graph *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

adept_status adept_workload_cache_new(adept_workload_cache **out, const adept_workload_request *requests,
                                      size_t count, adept_worker_pool *pool, adept_error *err) {
    *out = NULL;
    adept_arena *arena = adept_arena_new(0);
    adept_workload_cache *cache = arena ? adept_arena_alloc(arena, sizeof *cache) : NULL;
    if (!cache) {
        adept_arena_free(arena);
        return adept_fail_memory(err);
    }
    cache->arena = arena;
    cache->of_request = adept_arena_array(arena, count, sizeof *cache->of_request);
    cache->runs = adept_arena_array(arena, count, sizeof *cache->runs);
    cache->graphs = adept_arena_array(arena, count, sizeof *cache->graphs);
    if (!cache->of_request || !cache->runs || !cache->graphs || !find_distinct(cache, requests, count)) {
        adept_workload_cache_free(cache);
        return adept_fail_memory(err);
    }
    if (cache->graph_count)
        qsort(cache->graphs, cache->graph_count, sizeof *cache->graphs, by_count);
    adept_worker_pool_run(pool, cache->graph_count, profile_graph, cache);
    for (size_t i = 0; i < cache->run_count; i++) {
        if (!cache->runs[i].entry.workload && !cache->runs[i].entry.failure) {
            adept_workload_cache_free(cache);
            return adept_fail_memory(err);
        }
    }
    *out = cache;
    return ADEPT_OK;
}

void adept_workload_cache_free(adept_workload_cache *cache) {
    if (!cache)
        return;
    for (size_t i = 0; i < cache->run_count; i++)
        adept_arena_free(cache->runs[i].arena);
    adept_arena_free(cache->arena);
}

adept_workload_entry adept_workload_cache_at(const adept_workload_cache *cache, size_t index) {
    return cache->runs[cache->of_request[index]].entry;
}

size_t adept_workload_cache_distinct(const adept_workload_cache *cache) {
    return cache->run_count;
}
