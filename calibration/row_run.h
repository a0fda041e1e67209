/* The run of a row as the models see it under given parameters. */
#ifndef ADEPT_ROW_RUN_H
#define ADEPT_ROW_RUN_H

#include "adept/calibration.h"

/* Launch costs of hosts stand behind the parameters, see adept_fit_name. */
static inline adept_run adept_row_run(const adept_dataset_row *row, const adept_theta *theta) {
    adept_run run = row->run;
    run.variant = theta->variant;
    if (row->host >= 0 && theta->count + (size_t)row->host < ADEPT_THETA_MAX &&
        theta->value[theta->count + (size_t)row->host] > 0)
        run.launch_s = theta->value[theta->count + (size_t)row->host];
    return run;
}

/* Puts what the data set knows of its hosts behind the parameters. */
static inline void adept_theta_add_hosts(adept_theta *theta, const adept_dataset *dataset) {
    for (size_t h = 0; h < adept_dataset_host_count(dataset) && theta->count + h < ADEPT_THETA_MAX; h++)
        theta->value[theta->count + h] = adept_dataset_host_launch_s(dataset, h);
}

#endif
