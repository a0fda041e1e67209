#include "worker_pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
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

/*
 * A run is published in one number, `ticket`: which run it is, and how many of its tasks nobody has taken.
 * Taking a task is lowering that number by one, which can only succeed in the run going on; from then until
 * the task is counted in `done`, the caller stays in that run, so the task's owner may read it. Thus the
 * caller waits for tasks, never for a thread that sleeps or has lost its processor to another program.
 */
struct adept_worker_pool {
    size_t threads; /* the caller's included */
    int polls;      /* 0 where threads outnumber processors: polling would keep the others from working */
    adept_worker_task *task;
    void *user;
    size_t tasks;
    atomic_uint_least64_t ticket; /* run << 32 | tasks not yet taken */
    atomic_size_t done;           /* tasks of this run that are finished */
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

static uint32_t tasks_left(uint_least64_t ticket) {
    return (uint32_t)ticket;
}

/* Takes and runs tasks until none is left. */
static void work_off(adept_worker_pool *pool, size_t thread) {
    uint_least64_t ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    while (tasks_left(ticket) > 0) {
        if (!atomic_compare_exchange_weak_explicit(&pool->ticket, &ticket, ticket - 1, memory_order_acquire,
                                                   memory_order_acquire))
            continue;
        const size_t tasks = pool->tasks;
        pool->task(pool->user, tasks - tasks_left(ticket), thread);
        const size_t done = 1 + atomic_fetch_add_explicit(&pool->done, 1, memory_order_acq_rel);
        if (done == tasks && thread != 0) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
        ticket = atomic_load_explicit(&pool->ticket, memory_order_acquire);
    }
}

static bool nothing_to_do(adept_worker_pool *pool) {
    return tasks_left(atomic_load_explicit(&pool->ticket, memory_order_acquire)) == 0 &&
           !atomic_load_explicit(&pool->stopping, memory_order_acquire);
}

static void wait_for_tasks(adept_worker_pool *pool) {
    for (int poll = 0; poll < pool->polls; poll++) {
        if (!nothing_to_do(pool))
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    while (nothing_to_do(pool))
        pthread_cond_wait(&pool->started, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *argument) {
    const worker *self = argument;
    for (;;) {
        wait_for_tasks(self->pool);
        if (atomic_load_explicit(&self->pool->stopping, memory_order_acquire))
            return NULL;
        work_off(self->pool, self->index);
    }
}

static void publish(adept_worker_pool *pool, size_t tasks) {
    const uint_least64_t run = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> 32) + 1;
    pthread_mutex_lock(&pool->lock);
    atomic_store_explicit(&pool->ticket, run << 32 | tasks, memory_order_release);
    pthread_cond_broadcast(&pool->started);
    pthread_mutex_unlock(&pool->lock);
}

static bool all_done(adept_worker_pool *pool) {
    return atomic_load_explicit(&pool->done, memory_order_acquire) == pool->tasks;
}

void adept_worker_pool_run(adept_worker_pool *pool, size_t tasks, adept_worker_task *task, void *user) {
    assert(tasks <= UINT32_MAX);
    pool->task = task;
    pool->user = user;
    pool->tasks = tasks;
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    publish(pool, tasks);
    work_off(pool, 0);
    for (int poll = 0; poll < pool->polls; poll++) {
        if (all_done(pool))
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    while (!all_done(pool))
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
    pthread_mutex_lock(&pool->lock);
    atomic_store_explicit(&pool->stopping, true, memory_order_release);
    pthread_cond_broadcast(&pool->started);
    pthread_mutex_unlock(&pool->lock);
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
