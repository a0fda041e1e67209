#include "test_support.h"

#include <signal.h>
#include <time.h>

#include "worker_pool.h"

enum { TASKS = 500, MAX_THREADS = 7 };

typedef struct job {
    int done[TASKS];         /* times each task ran: only its own task writes it */
    int inside[MAX_THREADS]; /* tasks at work under a thread's number */
    int shared[MAX_THREADS]; /* two tasks had the same number at once */
    long work[MAX_THREADS];
} job;

static void mark(void *user, size_t task, size_t thread) {
    job *j = user;
    j->shared[thread] |= j->inside[thread]++ != 0;
    j->done[task]++;
    j->work[thread]++;
    j->inside[thread]--;
}

static void every_task_runs_once_on_any_number_of_threads(void **state) {
    (void)state;
    const size_t threads[] = {1, 2, 3, MAX_THREADS};
    for (size_t t = 0; t < 4; t++) {
        adept_error err = ADEPT_ERROR_INIT;
        adept_worker_pool *pool;
        assert_ok(adept_worker_pool_new(&pool, threads[t], &err), err);
        assert_int_equal(adept_worker_pool_threads(pool), threads[t]);
        for (int run = 0; run < 200; run++) {
            job j = {0};
            const size_t tasks = (size_t)run % 3 == 0 ? TASKS : (size_t)run % 5;
            adept_worker_pool_run(pool, tasks, mark, &j);
            for (size_t i = 0; i < TASKS; i++)
                assert_int_equal(j.done[i], i < tasks);
            for (size_t n = 0; n < MAX_THREADS; n++)
                assert_int_equal(j.shared[n], 0);
        }
        adept_worker_pool_free(pool);
    }
}

static void rest(void) {
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* Long enough that polling ends and the threads sleep. */
static void sleeping_threads_wake_for_the_next_run(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_worker_pool *pool;
    assert_ok(adept_worker_pool_new(&pool, 2, &err), err);
    for (int run = 0; run < 3; run++) {
        job j = {0};
        rest();
        adept_worker_pool_run(pool, TASKS, mark, &j);
        assert_int_equal(j.work[0] + j.work[1], TASKS);
    }
    adept_worker_pool_free(pool);
}

static void slow_task(void *user, size_t task, size_t thread) {
    (void)task;
    rest();
    ((int *)user)[thread]++;
}

/* Each task takes 20 ms, so the second thread wakes long before the caller can have taken all of them. */
static void caller_waits_for_the_slowest_thread(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_worker_pool *pool;
    assert_ok(adept_worker_pool_new(&pool, 2, &err), err);
    int ran[2] = {0};
    adept_worker_pool_run(pool, 11, slow_task, ran);
    assert_int_equal(ran[0] + ran[1], 11);
    assert_true(ran[1] > 0);
    adept_worker_pool_free(pool);
}

static void blocked(void *user, size_t task, size_t thread) {
    sigset_t mask;
    (void)task;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ((int *)user)[thread] = sigismember(&mask, SIGINT);
    rest();
}

static void interrupts_reach_the_callers_thread_only(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_worker_pool *pool;
    assert_ok(adept_worker_pool_new(&pool, 2, &err), err);
    int blocks[2] = {-1, -1};
    adept_worker_pool_run(pool, 8, blocked, blocks);
    assert_int_equal(blocks[0], 0);
    assert_int_equal(blocks[1], 1);
    adept_worker_pool_free(pool);
}

static void too_many_threads_are_refused_and_zero_means_all_processors(void **state) {
    (void)state;
    adept_error err = ADEPT_ERROR_INIT;
    adept_worker_pool *pool;
    assert_int_equal(adept_worker_pool_new(&pool, 100000, &err), ADEPT_LIMIT);
    assert_null(pool);
    assert_non_null(strstr(err.message, "100000 threads"));
    assert_ok(adept_worker_pool_new(&pool, 0, &err), err);
    assert_true(adept_worker_pool_threads(pool) >= 1);
    adept_worker_pool_free(pool);
    adept_worker_pool_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once_on_any_number_of_threads),
        cmocka_unit_test(sleeping_threads_wake_for_the_next_run),
        cmocka_unit_test(caller_waits_for_the_slowest_thread),
        cmocka_unit_test(interrupts_reach_the_callers_thread_only),
        cmocka_unit_test(too_many_threads_are_refused_and_zero_means_all_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
