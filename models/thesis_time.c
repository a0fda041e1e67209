#include <math.h>

#include "saturation.h"
#include "thesis.h"

const adept_term_row adept_term_rows[ADEPT_TERM_COUNT] = {
    [ADEPT_TERM_GEMM] = {ADEPT_THESIS_BETA_GEMM, ADEPT_THESIS_C_GEMM, ADEPT_DIMENSION_M,
                         ADEPT_DIMENSION_CHANNEL,  ADEPT_THESIS_R_GEMM_M      },
    [ADEPT_TERM_CONV] = {ADEPT_THESIS_BETA_CONV, ADEPT_THESIS_C_CONV, ADEPT_DIMENSION_CHANNEL,
                         ADEPT_DIMENSION_ELEMENTS, ADEPT_THESIS_R_CONV_CHANNEL},
    [ADEPT_TERM_ALU] = {ADEPT_THESIS_BETA_ALU,  ADEPT_THESIS_C_ALU,  ADEPT_DIMENSION_ELEMENTS,
                         ADEPT_DIMENSION_COUNT,    ADEPT_THESIS_R_ELEM        },
};
/* R parameters stand in the order of the dimensions */
_Static_assert(ADEPT_THESIS_R_GEMM_M + ADEPT_DIMENSION_COUNT == ADEPT_THESIS_R_ELEM + 1,
               "one R per dimension");

/* Written in eq 4.10 as efficiencies; the fitted values that the thesis quotes are time factors. */
static const adept_targeted_scalar targeted_scalars[] = {
    {ADEPT_THESIS_S_GEMM_BF16,   ADEPT_NEEDS_16_BIT,  ADEPT_TERM_GEMM    },
    {ADEPT_THESIS_S_CONV_BF16,   ADEPT_NEEDS_16_BIT,  ADEPT_TERM_CONV    },
    {ADEPT_THESIS_S_ALU_BF16,    ADEPT_NEEDS_16_BIT,  ADEPT_TERM_ALU     },
    {ADEPT_THESIS_S_GEMM_SHARED, ADEPT_NEEDS_SHARING, ADEPT_TERM_GEMM    },
    {ADEPT_THESIS_S_ALU_SHARED,  ADEPT_NEEDS_SHARING, ADEPT_TERM_ALU     },
    {ADEPT_THESIS_S_MEM_SHARED,  ADEPT_NEEDS_SHARING, ADEPT_TARGET_MEMORY},
};

const adept_targeted_scalar *adept_targeted_scalars(size_t *count) {
    *count = sizeof targeted_scalars / sizeof targeted_scalars[0];
    return targeted_scalars;
}

/* E_op = beta_op prod_d S_sat(D_d / R_d)   (eqs 4.10, 4.11), a pure number in (0, 1]. */
double adept_thesis_efficiency(const adept_thesis_row *row, adept_term term, const double *theta,
                               adept_saturation saturation) {
    const adept_term_row *r = &adept_term_rows[term];
    double efficiency = theta[r->beta];
    for (int d = r->first; d < r->end; d++)
        efficiency *= adept_saturate(saturation, row->dimensions[d] / theta[r->first_r + d - r->first]);
    return efficiency;
}

/* C of a term or of memory, times the targeted scalars whose condition holds (eq 4.10, design section 3). */
double adept_thesis_factor(const adept_thesis_row *row, int target, double c, const double *theta) {
    double factor = c;
    for (size_t i = 0; i < sizeof targeted_scalars / sizeof targeted_scalars[0]; i++) {
        const adept_targeted_scalar *scalar = &targeted_scalars[i];
        if (scalar->target == target && (row->conditions & scalar->condition))
            factor *= theta[scalar->parameter];
    }
    return factor;
}

/* T_comp = T_gemm + T_conv + T_alu, T_op = F_op / (P_op E_op) C_op   (eq 4.9), seconds of a micro-batch. */
double adept_thesis_compute_s(const double peak_s[ADEPT_TERM_COUNT], const adept_thesis_slowdown *slowdown) {
    double compute_s = 0;
    for (int term = 0; term < ADEPT_TERM_COUNT; term++)
        compute_s += peak_s[term] * slowdown->terms[term];
    return compute_s;
}

/* f_L2 = min(1, max(lambda_miss, W_set / L2_size))   (eq 4.13): the share of traffic that reaches memory. */
double adept_thesis_l2_factor(double lambda_miss, double l2_ratio) {
    return fmin(1, fmax(lambda_miss, l2_ratio));
}

/*
 * C_op / E_op of the classes (eq 4.9), and T_mem = V_mem / BW_hbm f_L2 C_mem (eq 4.13) over V_mem / BW_hbm.
 */
adept_thesis_slowdown adept_thesis_slow(const adept_thesis_row *row, const double *theta,
                                        adept_saturation saturation) {
    adept_thesis_slowdown slowdown = {{0}, 0};
    for (int term = 0; term < ADEPT_TERM_COUNT; term++) {
        if (row->peak_s[term] > 0)
            slowdown.terms[term] = adept_thesis_factor(row, term, theta[adept_term_rows[term].c], theta) /
                                   adept_thesis_efficiency(row, (adept_term)term, theta, saturation);
    }
    slowdown.memory = adept_thesis_l2_factor(theta[ADEPT_THESIS_LAMBDA_MISS], row->l2_ratio) *
                      adept_thesis_factor(row, ADEPT_TARGET_MEMORY, theta[ADEPT_THESIS_C_MEM], theta);
    return slowdown;
}

/*
 * T_step = max(T_comp, T_mem) G_acc + T_opt + T_comm + T_kern + T_fixed   (eq 4.7)
 * T_opt  = max(F_opt / P_alu, V_opt / BW_hbm) C_opt
 * T_comm = 2 (N_g - 1) L_hop + 2 (N_g - 1)/N_g size / BW_eff              (eq 4.8)
 * T_kern = N_k t_kern
 */
adept_thesis_times adept_thesis_time_of(const adept_thesis_row *row, const double *theta,
                                        const adept_thesis_slowdown *slowdown) {
    adept_thesis_times t;
    t.compute_s = adept_thesis_compute_s(row->peak_s, slowdown);
    t.memory_s = row->memory_s * slowdown->memory;
    t.passes_s = fmax(t.compute_s, t.memory_s) * row->grad_accum;
    t.optimizer_s = row->optimizer_s * theta[ADEPT_THESIS_C_OPT];
    t.communication_s = row->ring_hops * theta[ADEPT_THESIS_L_HOP] + row->ring_s / theta[ADEPT_THESIS_BW_EFF];
    t.launch_s = row->kernels * theta[ADEPT_THESIS_T_KERN];
    t.fixed_s = theta[ADEPT_THESIS_T_FIXED];
    t.step_s = t.passes_s + t.optimizer_s + t.communication_s + t.launch_s + t.fixed_s;
    return t;
}

adept_thesis_times adept_thesis_time(const adept_thesis_row *row, const double *theta,
                                     adept_saturation saturation) {
    adept_thesis_slowdown slowdown = adept_thesis_slow(row, theta, saturation);
    return adept_thesis_time_of(row, theta, &slowdown);
}
