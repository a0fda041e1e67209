/*
 * Eqs 4.7 to 4.15 for many candidates at once, in the same words as thesis_time.c and thesis_power.c: each
 * loop runs over the candidates of a block, which fits in the first-level cache, and is free of branches.
 */
#include <math.h>

#include "saturation.h"
#include "thesis.h"
#include "vector_clones.h"
#include "vector_math.h"

#define BLOCK 64

/* What the rows share: reciprocals of the parameters that are divided by, for one block of candidates. */
typedef struct candidates {
    const double *theta; /* [parameter][stride], shifted to the block's first candidate */
    size_t stride, count;
    double inverse_r[ADEPT_DIMENSION_COUNT][BLOCK]; /* 1 / R_d */
    double inverse_beta[ADEPT_TERM_COUNT][BLOCK];
    double inverse_bandwidth[BLOCK]; /* 1 / BW_eff */
} candidates;

static const double *column(const candidates *c, int parameter) {
    return c->theta + (size_t)parameter * c->stride;
}

ADEPT_VECTOR_CLONES
static void invert(double *restrict inverse, const double *restrict value, size_t count) {
    for (size_t i = 0; i < count; i++)
        inverse[i] = 1 / value[i];
}

static void prepare(candidates *c) {
    for (int term = 0; term < ADEPT_TERM_COUNT; term++)
        invert(c->inverse_beta[term], column(c, adept_term_rows[term].beta), c->count);
    for (int d = 0; d < ADEPT_DIMENSION_COUNT; d++)
        invert(c->inverse_r[d], column(c, ADEPT_THESIS_R_GEMM_M + d), c->count);
    invert(c->inverse_bandwidth, column(c, ADEPT_THESIS_BW_EFF), c->count);
}

ADEPT_VECTOR_CLONES
static void multiply(double *restrict product, const double *restrict factor, size_t count) {
    for (size_t i = 0; i < count; i++)
        product[i] *= factor[i];
}

/* product *= 1 + e^-(D/R): the sigmoid's 1/S_sat, the one that fits spend their time in. */
ADEPT_VECTOR_CLONES
static void multiply_by_sigmoid_inverse(double *restrict product, double dimension,
                                        const double *restrict inverse_r, size_t count) {
    for (size_t i = 0; i < count; i++)
        product[i] *= 1 + adept_vector_exp(-(dimension * inverse_r[i]));
}

static void multiply_by_inverse(double *product, double dimension, const double *inverse_r, size_t count,
                                adept_saturation saturation) {
    double inverse[BLOCK];
    if (saturation == ADEPT_SATURATION_SIGMOID) {
        multiply_by_sigmoid_inverse(product, dimension, inverse_r, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        inverse[i] = dimension * inverse_r[i];
    adept_saturate_inverse_many(saturation, inverse, inverse, count);
    multiply(product, inverse, count);
}

/* factor *= C of a term or of memory and the targeted scalars that hold. */
static void multiply_by_factors(double *factor, const candidates *c, const adept_thesis_row *row, int target,
                                int c_parameter) {
    size_t scalar_count;
    const adept_targeted_scalar *scalars = adept_targeted_scalars(&scalar_count);
    multiply(factor, column(c, c_parameter), c->count);
    for (size_t i = 0; i < scalar_count; i++) {
        if (scalars[i].target == target && (row->conditions & scalars[i].condition))
            multiply(factor, column(c, (int)scalars[i].parameter), c->count);
    }
}

ADEPT_VECTOR_CLONES
static void add_product(double *restrict sum, double constant, const double *restrict factor, size_t count) {
    for (size_t i = 0; i < count; i++)
        sum[i] += constant * factor[i];
}

/* T_comp (eq 4.9) */
static void compute_s(double *sum, const candidates *c, const adept_thesis_row *row,
                      adept_saturation saturation) {
    double product[BLOCK];
    for (size_t i = 0; i < c->count; i++)
        sum[i] = 0;
    for (int term = 0; term < ADEPT_TERM_COUNT; term++) {
        const adept_term_row *r = &adept_term_rows[term];
        if (!(row->peak_s[term] > 0))
            continue;
        for (size_t i = 0; i < c->count; i++)
            product[i] = c->inverse_beta[term][i];
        for (int d = r->first; d < r->end; d++)
            multiply_by_inverse(product, row->dimensions[d], c->inverse_r[d], c->count, saturation);
        multiply_by_factors(product, c, row, term, r->c);
        add_product(sum, row->peak_s[term], product, c->count);
    }
}

/* T_mem (eq 4.13) */
ADEPT_VECTOR_CLONES
static void start_memory(double *restrict memory_s, const double *restrict lambda, double l2_ratio,
                         double base_s, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double missed = lambda[i] > l2_ratio ? lambda[i] : l2_ratio;
        memory_s[i] = base_s * (missed < 1 ? missed : 1);
    }
}

/* Columns of the parameters that eqs 4.7, 4.8, 4.14 and 4.15 read. */
typedef struct step_columns {
    const double *c_opt, *l_hop, *inverse_bandwidth, *t_kern, *t_fixed, *p_static, *c_p, *u_mem, *u_comm;
} step_columns;

static inline double least(double a, double b) {
    return a < b ? a : b;
}

static inline double most(double a, double b) {
    return a > b ? a : b;
}

/* T_step (eqs 4.7, 4.8) and P_avg (eqs 4.14, 4.15) from T_comp and T_mem */
ADEPT_VECTOR_CLONES
static void finish(double *restrict step_s, double *restrict power_W, const double *restrict compute,
                   const double *restrict memory, const step_columns *columns, const adept_thesis_row *row,
                   size_t count) {
    const step_columns p = *columns;
    const adept_thesis_row r = *row;
    for (size_t i = 0; i < count; i++) {
        double passes = most(compute[i], memory[i]) * r.grad_accum;
        double optimizer = r.optimizer_s * p.c_opt[i];
        double communication = r.ring_hops * p.l_hop[i] + r.ring_s * p.inverse_bandwidth[i];
        double idle = r.kernels * p.t_kern[i] + p.t_fixed[i];
        double step = passes + optimizer + communication + idle;

        double both = compute[i] + memory[i];
        double u_passes = (compute[i] + p.u_mem[i] * memory[i]) / (both > 0 ? both : 1);
        double low = p.p_static[i] * r.tdp_W;
        double dynamic = (r.tdp_W - low) * p.c_p[i];
        double limit = most(r.limit_W, low);
        double energy = least(low + u_passes * dynamic, limit) * passes +
                        least(low + p.u_mem[i] * dynamic, limit) * optimizer +
                        least(low + p.u_comm[i] * dynamic, limit) * communication + low * idle;
        step_s[i] = step;
        power_W[i] = step > 0 ? energy / step : low;
    }
}

static void evaluate_row(double *step_s, double *power_W, const candidates *c, const adept_thesis_row *row,
                         adept_saturation saturation) {
    double compute[BLOCK];
    double memory[BLOCK];
    const step_columns columns = {
        column(c, ADEPT_THESIS_C_OPT),  column(c, ADEPT_THESIS_L_HOP),   c->inverse_bandwidth,
        column(c, ADEPT_THESIS_T_KERN), column(c, ADEPT_THESIS_T_FIXED), column(c, ADEPT_THESIS_P_STATIC),
        column(c, ADEPT_THESIS_C_P),    column(c, ADEPT_THESIS_U_MEM),   column(c, ADEPT_THESIS_U_COMM),
    };
    compute_s(compute, c, row, saturation);
    start_memory(memory, column(c, ADEPT_THESIS_LAMBDA_MISS), row->l2_ratio, row->memory_s, c->count);
    multiply_by_factors(memory, c, row, ADEPT_TARGET_MEMORY, ADEPT_THESIS_C_MEM);
    finish(step_s, power_W, compute, memory, &columns, row, c->count);
}

void adept_thesis_evaluate_many(double *step_s, double *power_W, const double *theta, size_t stride,
                                size_t count, const adept_thesis_row *rows, size_t row_count,
                                adept_saturation saturation) {
    candidates c = {.stride = stride};
    for (size_t first = 0; first < count; first += BLOCK) {
        c.theta = theta + first;
        c.count = count - first < BLOCK ? count - first : BLOCK;
        prepare(&c);
        for (size_t row = 0; row < row_count; row++)
            evaluate_row(step_s + row * count + first, power_W + row * count + first, &c, &rows[row],
                         saturation);
    }
}
