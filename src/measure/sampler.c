#include "sampler.h"

#include <string.h>
#include <time.h>

#include "fail.h"

static double clock_s(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double sampler_clock_s(void) {
    return clock_s(CLOCK_MONOTONIC);
}

/* Which of a GPU's processes are the command's. */
static void look_at_processes(sampler *s, size_t index) {
    uint32_t pids[256];
    sensor *of = &s->sensors[index];
    int count = of->processes && !s->meters[index].lost ? of->processes(of, pids, 256) : -1;
    size_t own = 0;
    for (int i = 0; i < count; i++)
        own += process_tree_holds(s->tree, (pid_t)pids[i]);
    if (count < 0)
        return;
    pthread_mutex_lock(&s->lock);
    meter *m = &s->meters[index];
    m->process_list_known = true;
    m->seen_own = m->seen_own || own;
    size_t others = (size_t)count - own;
    m->most_others = others > m->most_others ? others : m->most_others;
    pthread_mutex_unlock(&s->lock);
}

static void walk(sampler *s) {
    double cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    if (process_tree_update(s->tree)) {
        pthread_mutex_lock(&s->lock);
        s->processes = s->tree->processes;
        pthread_mutex_unlock(&s->lock);
    }
    for (size_t i = 0; i < s->count; i++)
        look_at_processes(s, i);
    pace_done(&s->walk, sampler_clock_s(), clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_s);
}

static void read_sensor(sampler *s, size_t index, bool slow_counters) {
    sensor *of = &s->sensors[index];
    sensor_reading reading = {0};
    if (s->meters[index].lost)
        return;
    /* A call may take milliseconds: half its length is the best guess of when the value was taken. */
    double before_s = sampler_clock_s();
    sensor_result result = of->read(of, slow_counters || of->counter_period_s <= 0, &reading);
    double t_s = 0.5 * (before_s + sampler_clock_s());
    pthread_mutex_lock(&s->lock);
    meter_add(&s->meters[index], of, t_s, result, &reading);
    pthread_mutex_unlock(&s->lock);
}

static void sample(sampler *s, bool slow_counters) {
    double power_W = 0;
    for (size_t i = 0; i < s->count; i++)
        read_sensor(s, i, slow_counters);
    for (size_t i = 0; i < s->count; i++)
        power_W += meter_power_W(&s->meters[i]);
    s->peak_power_W = power_W > s->peak_power_W ? power_W : s->peak_power_W;
    s->last_s = sampler_clock_s();
    s->ticks++;
}

/* cpu_s is this thread's CPU time when the last tick ended: waking up is part of the cost. */
static void tick(sampler *s, double now_s, double cpu_s) {
    bool slow_counters = pace_due(&s->counter, now_s);
    sample(s, slow_counters);
    double cost_s = clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_s;
    if (slow_counters)
        pace_done(&s->counter, now_s, cost_s);
    /* A round with slow counters is charged to them; the others set the pace of sampling. */
    pace_done(&s->power, now_s, slow_counters && s->power.cost_s > 0 ? s->power.cost_s : cost_s);
    if (pace_due(&s->walk, now_s))
        walk(s);
}

static void *run(void *context) {
    sampler *s = context;
    double cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        double due_s = s->power.due_s;
        struct timespec until = {.tv_sec = (time_t)due_s,
                                 .tv_nsec = (long)((due_s - (double)(time_t)due_s) * 1e9)};
        double now_s = sampler_clock_s();
        if (now_s < due_s) {
            pthread_cond_timedwait(&s->wake, &s->lock, &until);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        tick(s, now_s, cpu_s);
        cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

adept_status sampler_begin(sampler *s, double interval_s, adept_error *err) {
    pthread_condattr_t monotonic;
    if (pthread_mutex_init(&s->lock, NULL))
        return adept_fail_memory(err);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->begin_s = sampler_clock_s();
    for (size_t i = 0; i < s->count; i++)
        meter_begin(&s->meters[i], s->begin_s);
    sample(s, true);
    s->power = (pace){.period_s = interval_s, .share = 0.004, .due_s = s->begin_s + interval_s};
    s->counter = (pace){.period_s = 1.0, .share = 0.002, .due_s = s->begin_s + 1.0};
    s->walk = (pace){.period_s = 1.0, .share = 0.002, .due_s = s->begin_s};
    return ADEPT_OK;
}

adept_status sampler_start(sampler *s, adept_error *err) {
    int error = pthread_create(&s->thread, NULL, run, s);
    if (error)
        return adept_fail(err, ADEPT_NOMEM, "cannot start the sampling thread: %s", strerror(error));
    s->running = true;
    return ADEPT_OK;
}

void sampler_snapshot(sampler *s, adept_measure_live *out) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++) {
        double power_W = meter_power_W(&s->meters[i]);
        out->energy_J += meter_energy_J(&s->meters[i], &s->sensors[i]);
        out->power_W += power_W;
        if (s->sensors[i].kind != ADEPT_DEVICE_GPU)
            continue;
        out->gpu_power_W += power_W;
        if (s->meters[i].temperature_now_C > out->temperature_C)
            out->temperature_C = s->meters[i].temperature_now_C;
    }
    out->processes = s->processes;
    pthread_mutex_unlock(&s->lock);
    out->elapsed_s = sampler_clock_s() - s->begin_s;
}

void sampler_end(sampler *s) {
    if (s->running) {
        pthread_mutex_lock(&s->lock);
        s->stop = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
        s->running = false;
    }
    sample(s, true);
}

void sampler_free(sampler *s) {
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
}
