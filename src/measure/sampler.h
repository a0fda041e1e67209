/* The sampling thread: reads every sensor at its pace, looks at the process tree, feeds the meters. */
#ifndef ADEPT_SAMPLER_H
#define ADEPT_SAMPLER_H

#include <pthread.h>

#include "meter.h"
#include "pace.h"
#include "process_tree.h"

typedef struct sampler {
    sensor *sensors;
    size_t count;
    meter *meters;
    process_tree *tree;
    pace power, counter, walk; /* their shares together stay below 1 % of a core */
    double begin_s, last_s;    /* of the first and last sample, monotonic */
    size_t ticks;
    double peak_power_W;
    size_t processes; /* of the tree at the last look */

    pthread_t thread;
    pthread_mutex_t lock; /* guards meters, tree figures and stop */
    pthread_cond_t wake;
    bool running, stop;
} sampler;

double sampler_clock_s(void); /* monotonic */

/* The first sample, before the command starts. */
adept_status sampler_begin(sampler *s, double interval_s, adept_error *err);
adept_status sampler_start(sampler *s, adept_error *err);
void sampler_snapshot(sampler *s, adept_measure_live *out);
/* Ends the thread, if it runs, and takes the last sample. */
void sampler_end(sampler *s);
void sampler_free(sampler *s);

#endif
