#include "worker_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

/* A generation of the optimizer takes some 100 us, waking a sleeping thread some 50 us: so threads first
 * poll for about that long, and sleep only in longer pauses. */
enum { POLLS = 4096 };

typedef struct worker {
    adept_worker_pool *pool;
    pthread_t thread;
    size_t index;
} worker;

struct adept_worker_pool {
    size_t threads; /* the caller's included */
    int polls;      /* 0 where threads outnumber processors: polling would keep the others from working */
    adept_worker_task *task;
    void *user;
    size_t tasks;
    atomic_size_t next; /* first task nobody has taken */
    atomic_size_t busy; /* threads still inside this run, the caller's not counted */
    atomic_uint run;    /* counts runs; a change wakes the threads */
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards both conditions */
    pthread_cond_t started, finished;
    size_t started_threads;
    worker workers[];
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void take_tasks(adept_worker_pool *pool, size_t thread) {
    for (;;) {
        const size_t task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (task >= pool->tasks)
            return;
        pool->task(pool->user, task, thread);
    }
}

/* Waits until the run counter leaves `seen` and returns its new value. */
static unsigned wait_for_run(adept_worker_pool *pool, unsigned seen) {
    for (int poll = 0; poll < pool->polls; poll++) {
        const unsigned run = atomic_load_explicit(&pool->run, memory_order_acquire);
        if (run != seen)
            return run;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->run, memory_order_acquire) == seen)
        pthread_cond_wait(&pool->started, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    return atomic_load_explicit(&pool->run, memory_order_acquire);
}

static void *work(void *argument) {
    const worker *self = argument;
    adept_worker_pool *pool = self->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_run(pool, seen);
        if (atomic_load(&pool->stopping))
            return NULL;
        take_tasks(pool, self->index);
        if (atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_acq_rel) == 1) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
    }
}

static void announce_run(adept_worker_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add_explicit(&pool->run, 1, memory_order_release);
    pthread_cond_broadcast(&pool->started);
    pthread_mutex_unlock(&pool->lock);
}

void adept_worker_pool_run(adept_worker_pool *pool, size_t tasks, adept_worker_task *task, void *user) {
    pool->task = task;
    pool->user = user;
    pool->tasks = tasks;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    if (pool->threads == 1) {
        take_tasks(pool, 0);
        return;
    }
    atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
    announce_run(pool);
    take_tasks(pool, 0);
    for (int poll = 0; poll < pool->polls; poll++) {
        if (atomic_load_explicit(&pool->busy, memory_order_acquire) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load_explicit(&pool->busy, memory_order_acquire) != 0)
        pthread_cond_wait(&pool->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static size_t processors_online(void) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}

static adept_status start_threads(adept_worker_pool *pool, adept_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = 0;
    while (pool->started_threads < pool->threads - 1) {
        worker *w = &pool->workers[pool->started_threads];
        *w = (worker){.pool = pool, .index = pool->started_threads + 1};
        failure = pthread_create(&w->thread, NULL, work, w);
        if (failure)
            break;
        pool->started_threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure)
        return adept_fail(err, ADEPT_LIMIT, "thread %zu of %zu does not start (%s); ask for fewer threads",
                          pool->started_threads + 2, pool->threads, strerror(failure));
    return ADEPT_OK;
}

adept_status adept_worker_pool_new(adept_worker_pool **out, size_t threads, adept_error *err) {
    *out = NULL;
    const size_t online = processors_online();
    if (threads == 0)
        threads = online < ADEPT_WORKER_POOL_MAX ? online : ADEPT_WORKER_POOL_MAX;
    if (threads > ADEPT_WORKER_POOL_MAX)
        return adept_fail(err, ADEPT_LIMIT, "%zu threads asked for, at most %d are possible", threads,
                          ADEPT_WORKER_POOL_MAX);
    adept_worker_pool *pool = calloc(1, sizeof *pool + (threads - 1) * sizeof pool->workers[0]);
    if (!pool)
        return adept_fail_memory(err);
    pool->threads = threads;
    pool->polls = threads <= online ? POLLS : 0;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->started, NULL);
    pthread_cond_init(&pool->finished, NULL);
    const adept_status status = start_threads(pool, err);
    if (status != ADEPT_OK) {
        adept_worker_pool_free(pool);
        return status;
    }
    *out = pool;
    return ADEPT_OK;
}

void adept_worker_pool_free(adept_worker_pool *pool) {
    if (!pool)
        return;
    atomic_store(&pool->stopping, true);
    announce_run(pool);
    for (size_t i = 0; i < pool->started_threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->started);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t adept_worker_pool_threads(const adept_worker_pool *pool) {
    return pool->threads;
}
