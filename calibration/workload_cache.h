/*
 * Workloads of trace rows: each distinct run of a graph is profiled once, graphs side by side on threads.
 *
 * A workload depends on the graph and on the run without its power and clock limit and its variant. The
 * profile itself is dropped; only the numbers that the models read are kept.
 */
#ifndef ADEPT_WORKLOAD_CACHE_H
#define ADEPT_WORKLOAD_CACHE_H

#include "adept/run.h"
#include "adept/workload.h"
#include "worker_pool.h"

typedef struct adept_workload_cache adept_workload_cache;

typedef struct adept_workload_request {
    const char *path; /* of the graph; borrowed until the cache is freed */
    const adept_run *run;
} adept_workload_request;

/* What became of a request: a workload, or the reason why there is none. */
typedef struct adept_workload_entry {
    const adept_workload *workload; /* NULL: see failure */
    const char *failure;            /* NULL with a workload */
    double covered;                 /* share of the nodes that a handler knows */
} adept_workload_entry;

/* Errors    NOMEM, LIMIT (threads). A graph that cannot be used is no error: its requests have a reason. */
adept_status adept_workload_cache_new(adept_workload_cache **out, const adept_workload_request *requests,
                                      size_t count, adept_worker_pool *pool, adept_error *err);
void adept_workload_cache_free(adept_workload_cache *cache); /* NULL is fine */

/* The entry of requests[index]; requests for the same work share the workload. */
adept_workload_entry adept_workload_cache_at(const adept_workload_cache *cache, size_t index);
size_t adept_workload_cache_distinct(const adept_workload_cache *cache);

#endif
