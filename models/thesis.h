/*
 * Variant `thesis`: R. Nana Tchakoute, PhD thesis, PSL, 2025, chapter 4, on the aggregates of a workload
 * (docs/equations.md). A row holds what a workload, a GPU and a run leave to the equations once everything
 * that does not depend on theta_H is done; evaluating it is cheap and allocates nothing.
 */
#ifndef ADEPT_THESIS_H
#define ADEPT_THESIS_H

#include "adept/prediction.h"
#include "thesis_parameters.h"

/* Classes of arithmetic, each with its own peak, efficiency and dimensions. */
typedef enum adept_term { ADEPT_TERM_GEMM, ADEPT_TERM_CONV, ADEPT_TERM_ALU, ADEPT_TERM_COUNT } adept_term;

/* Dimensions of eq 4.11, in ideal blocks where the class has them. */
typedef enum adept_dimension {
    ADEPT_DIMENSION_M,
    ADEPT_DIMENSION_N,
    ADEPT_DIMENSION_K,
    ADEPT_DIMENSION_CHANNEL,
    ADEPT_DIMENSION_SPATIAL,
    ADEPT_DIMENSION_FILTER,
    ADEPT_DIMENSION_ELEMENTS,
    ADEPT_DIMENSION_COUNT
} adept_dimension;

typedef struct adept_thesis_row {
    double peak_s[ADEPT_TERM_COUNT]; /* F_op / P_op of a micro-batch, forward and backward */
    double memory_s;                 /* V_mem / BW_hbm of a micro-batch */
    double dimensions[ADEPT_DIMENSION_COUNT];
    double l2_ratio;    /* W_set / L2_size */
    double optimizer_s; /* max(F_opt / P_alu, V_opt / BW_hbm) */
    double ring_hops;   /* 2 (N_g - 1) */
    double ring_s;      /* 2 (N_g - 1)/N_g size / link bandwidth */
    double kernels;     /* N_k of the whole step */
    double grad_accum;  /* G_acc */
    double tdp_W, limit_W;
    unsigned conditions; /* ADEPT_NEEDS_* that hold */

    double pass_peak_s[2][ADEPT_TERM_COUNT]; /* forward, backward: parts of peak_s */
    double pass_memory_s[2];
    bool fallback; /* the precision has no unit on this GPU */
} adept_thesis_row;

/* Errors    RANGE: a figure of the workload is negative or not finite */
adept_status adept_thesis_row_init(adept_thesis_row *row, const adept_workload *workload,
                                   const adept_hardware_spec *spec, double power_limit_W, adept_error *err);

/* Where each targeted scalar acts: when a condition holds, a time is multiplied. */
typedef struct adept_targeted_scalar {
    adept_thesis_parameter parameter;
    unsigned condition; /* one of ADEPT_NEEDS_16_BIT, ADEPT_NEEDS_SHARING */
    int target;         /* an adept_term, or ADEPT_TARGET_MEMORY */
} adept_targeted_scalar;
#define ADEPT_TARGET_MEMORY ADEPT_TERM_COUNT
const adept_targeted_scalar *adept_targeted_scalars(size_t *count);

/* The parameters of a term, and its dimensions: [first, end); the R of the first one, the others follow. */
typedef struct adept_term_row {
    int beta, c;
    int first, end;
    int first_r;
} adept_term_row;
extern const adept_term_row adept_term_rows[ADEPT_TERM_COUNT];

/* ---- time: eqs 4.7 to 4.13, seconds ---- */

double adept_thesis_efficiency(const adept_thesis_row *row, adept_term term, const double *theta,
                               adept_saturation saturation);
double adept_thesis_factor(const adept_thesis_row *row, int target, double c, const double *theta);
/* Time over time at peak, C_op / E_op with the targeted scalars, for each term that has work; 0 elsewhere. */
typedef struct adept_thesis_slowdown {
    double terms[ADEPT_TERM_COUNT];
    double memory; /* T_mem over V_mem / BW_hbm */
} adept_thesis_slowdown;
adept_thesis_slowdown adept_thesis_slow(const adept_thesis_row *row, const double *theta,
                                        adept_saturation saturation);
double adept_thesis_compute_s(const double peak_s[ADEPT_TERM_COUNT], const adept_thesis_slowdown *slowdown);
double adept_thesis_l2_factor(double lambda_miss, double l2_ratio);

typedef struct adept_thesis_times {
    double compute_s, memory_s; /* T_comp and T_mem of a micro-batch */
    double passes_s;            /* max(T_comp, T_mem) G_acc */
    double optimizer_s, communication_s, launch_s, fixed_s;
    double step_s; /* sum of the last five */
} adept_thesis_times;
adept_thesis_times adept_thesis_time(const adept_thesis_row *row, const double *theta,
                                     adept_saturation saturation);
adept_thesis_times adept_thesis_time_of(const adept_thesis_row *row, const double *theta,
                                        const adept_thesis_slowdown *slowdown);

/* ---- power: eqs 4.14 and 4.15, watts of one GPU ---- */

/* U of the forward and backward phase; 0 where nothing is computed or moved. */
double adept_thesis_utilisation(double compute_s, double memory_s, double u_mem);
double adept_thesis_phase_power_W(const adept_thesis_row *row, double utilisation, const double *theta);
double adept_thesis_average_power_W(const adept_thesis_row *row, const adept_thesis_times *times,
                                    const double *theta);

/* ---- many candidates at once: the loss of a calibration ---- */

/*
 * Step time and average power of `count` candidates on `row_count` rows.
 * Shapes    theta [parameter][stride]: parameter p of candidate i at p * stride + i; stride >= count
 *           step_s, power_W [row][count]
 * Agrees with adept_thesis_time and _average_power_W to 1e-12; the same bits for any count, on any thread.
 */
void adept_thesis_evaluate_many(double *step_s, double *power_W, const double *theta, size_t stride,
                                size_t count, const adept_thesis_row *rows, size_t row_count,
                                adept_saturation saturation);

#endif
