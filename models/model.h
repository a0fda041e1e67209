/* A model variant is one row: its parameters and its prediction. model.c holds the only list of variants. */
#ifndef ADEPT_MODEL_H
#define ADEPT_MODEL_H

#include "adept/prediction.h"

typedef struct adept_model {
    const adept_parameter *parameters;
    size_t parameter_count;
    /* Fills everything but memory, variant and interval, see adept_predict_with. NULL: not built in. */
    adept_status (*predict)(adept_prediction *out, adept_kernel_cost *kernels, const adept_workload *workload,
                            const adept_hardware_spec *spec, const adept_theta *theta, const adept_run *run,
                            adept_error *err);
    /*
     * What no power limit changes, kept for many limits in memory of prepared_B bytes; spec and theta stay
     * as they are until it is prepared anew. prepare NULL: there is nothing to gain.
     */
    size_t prepared_B;
    adept_status (*prepare)(void *prepared, const adept_workload *workload, const adept_hardware_spec *spec,
                            const adept_theta *theta, const adept_run *run, adept_error *err);
    void (*predict_prepared)(adept_prediction *out, void *prepared, const adept_theta *theta,
                             const adept_run *run);
    /* Notes what no measurement supports, withholds power; NULL: nothing to say. */
    void (*qualify)(adept_prediction *out, const adept_workload *workload, const adept_hardware_spec *spec,
                    const adept_theta *theta);
} adept_model;

extern const adept_model adept_model_operator, adept_model_thesis;

/* The row of a variant, never NULL. */
const adept_model *adept_model_of(adept_variant variant);

/* Adds a note once; value NAN: none. */
void adept_prediction_note(adept_prediction *out, adept_note_code code, double value);

/* The power limit in force: the run's, else the board's default. Notes a limit that the board refuses. */
double adept_power_limit_W(adept_prediction *out, const adept_hardware_spec *spec, const adept_run *run);

/* Notes which link carries the gradients, where this is not the obvious one. */
void adept_note_link(adept_prediction *out, const adept_hardware_spec *spec, int32_t gpus);

/* Evidence of a figure that rests on parameters of this provenance. */
adept_evidence adept_evidence_of(adept_provenance provenance);

#endif
