/*
 * A fixed set of threads that share out numbered tasks.
 *
 * Which thread runs which task depends on timing; a result that must not depend on it is written to a
 * place of the task's own. The calling thread works too, as thread 0.
 */
#ifndef ADEPT_WORKER_POOL_H
#define ADEPT_WORKER_POOL_H

#include <stddef.h>

#include "adept/error.h"

typedef struct adept_worker_pool adept_worker_pool;

/* One task; thread, in [0, threads), is nobody else's at the same time: it selects the scratch memory. */
typedef void adept_worker_task(void *user, size_t task, size_t thread);

/*
 * Starts threads - 1 threads (0: as many as there are processors online). They block all signals, so that
 * an interrupt reaches the caller's thread.
 * Errors    NOMEM; LIMIT if the system starts no further thread, or for more than ADEPT_WORKER_POOL_MAX
 */
adept_status adept_worker_pool_new(adept_worker_pool **out, size_t threads, adept_error *err);
void adept_worker_pool_free(adept_worker_pool *pool); /* NULL is fine; not while a run is going on */

enum { ADEPT_WORKER_POOL_MAX = 1024 };

size_t adept_worker_pool_threads(const adept_worker_pool *pool);

/* Runs tasks 0 .. tasks-1 (fewer than 2^32), each once, and returns when all are done. One run at a time; not
 * from a task. */
void adept_worker_pool_run(adept_worker_pool *pool, size_t tasks, adept_worker_task *task, void *user);

#endif
