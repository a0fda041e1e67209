/*
 * Times the loss of a calibration, and writes the problem for comparison with SciPy.
 *
 *   bench_calibration speed [generations] [threads]   the thesis's settings: 28 parameters, population 420,
 *                                                     32 rows
 *   bench_calibration fit SEED..                      CSV: one whole search per seed on the same problem;
 *                                                     processor time, one thread
 *   bench_calibration export                          the problem as JSON: rows, measurements, bounds
 *
 * The rows are made up: 16 runs of a transformer, 16 of a convolutional network, alone and on 4 GPUs, in
 * FP32, TF32 and BF16-AMP, measured by the model itself at planted parameters, times noise of 5 %.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "de.h"
#include "loss_kernels.h"
#include "random.h"
#include "search_space.h"
#include "thesis.h"

enum { ROWS = 32, BLOCK = 64, AT_ONCE = 8 };

typedef struct problem {
    adept_search_space space;
    adept_thesis_row rows[ROWS];
    double step_s[ROWS], power_W[ROWS];
    double *scratch; /* [threads][..] */
} problem;

enum { SCRATCH = ADEPT_THETA_MAX * BLOCK + 2 * AT_ONCE * BLOCK };

/* Of the wall, or of the processor on behalf of this program: what is left when other programs disturb. */
static double now_s(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A transformer of 2 x `scale` GFLOP forward, or a convolutional network, on A100-like figures. */
static adept_thesis_row make_row(int i) {
    bool conv = i >= ROWS / 2, wide = i % 2, gpus = (i / 2) % 2;
    int precision = (i / 4) % 3;
    double scale = pow(1.7, i % 8), peak = precision == 0 ? 19.5e12 : precision == 1 ? 156e12 : 312e12;
    adept_thesis_row row = {.grad_accum = 1 + (i % 4 == 3), .tdp_W = 400, .limit_W = 400};
    row.peak_s[ADEPT_TERM_GEMM] = (conv ? 0.02e12 : 1.2e12) * scale / peak;
    row.peak_s[ADEPT_TERM_CONV] = (conv ? 1e12 : 0) * scale / peak;
    row.peak_s[ADEPT_TERM_ALU] = 2e10 * scale / 19.5e12;
    row.memory_s = (conv ? 4e10 : 2e10) * scale / (precision == 2 ? 2 : 1) / 1.555e12;
    const double gemm[] = {(wide ? 4096 : 512) * scale / 16, 96, 96},
                 convs[] = {wide ? 8 : 2, 196 * scale, 9};
    memcpy(&row.dimensions[ADEPT_DIMENSION_M], gemm, sizeof gemm);
    memcpy(&row.dimensions[ADEPT_DIMENSION_CHANNEL], convs, sizeof convs);
    row.dimensions[ADEPT_DIMENSION_ELEMENTS] = 1e8 * scale;
    row.l2_ratio = 0.1 * scale;
    row.optimizer_s = 2e9 / 1.555e12;
    row.ring_hops = gpus ? 6 : 0;
    row.ring_s = gpus ? 1.5 * 4.4e8 / 300e9 : 0;
    row.kernels = 900 + 300 * wide;
    row.conditions = ADEPT_NEEDS_ALU | ADEPT_NEEDS_GEMM | ADEPT_NEEDS_OPTIMIZER |
                     (precision == 2 ? ADEPT_NEEDS_16_BIT : 0) | (i % 5 == 0 ? ADEPT_NEEDS_SHARING : 0);
    return row;
}

static int make_problem(problem *p, size_t threads) {
    adept_theta theta;
    adept_error err = ADEPT_ERROR_INIT;
    /* 28 of the 30 parameters: only C/beta shows in time, so two of the three C stay fixed with the third */
    adept_fixed_parameter fixed[] = {
        {"C_gemm", NAN},
        {"C_conv", NAN}
    };
    adept_fit_options options = ADEPT_FIT_OPTIONS_INIT;
    const char *names[ADEPT_THETA_MAX];
    for (size_t i = 0; i < ADEPT_THESIS_PARAMETER_COUNT; i++) {
        const char *name = adept_thesis_parameters[i].name;
        if (strcmp(name, fixed[0].name) != 0 && strcmp(name, fixed[1].name) != 0)
            names[options.free_count++] = name;
    }
    options.free = names;
    if (adept_theta_init(&theta, ADEPT_VARIANT_THESIS, NULL, &err) != ADEPT_OK ||
        adept_search_space_new(&p->space, &theta, &options, &err) != ADEPT_OK) {
        fprintf(stderr, "bench_calibration: %s\n", err.message);
        return 1;
    }
    adept_random random = adept_random_new(3, 3);
    for (int i = 0; i < ROWS; i++) {
        p->rows[i] = make_row(i);
        adept_thesis_times times = adept_thesis_time(&p->rows[i], theta.value, theta.saturation);
        p->step_s[i] = times.step_s * (1 + 0.1 * (adept_random_uniform(&random) - 0.5));
        p->power_W[i] = adept_thesis_average_power_W(&p->rows[i], &times, theta.value) *
                        (1 + 0.1 * (adept_random_uniform(&random) - 0.5));
    }
    p->scratch = malloc(threads * SCRATCH * sizeof *p->scratch);
    return p->scratch ? 0 : 1;
}

/* The loss as calibration/loss.c has it: 0.6 MAPE of time + 0.4 MAPE of power. */
static adept_status evaluate(void *user, size_t thread, const double *x, size_t count, double *loss,
                             adept_error *err) {
    problem *p = user;
    double *theta = p->scratch + thread * SCRATCH;
    double *step_s = theta + ADEPT_THETA_MAX * BLOCK, *power_W = step_s + AT_ONCE * BLOCK;
    (void)err;
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t some = count - first < BLOCK ? count - first : BLOCK;
        adept_search_space_theta_many(&p->space, x + first, count, some, theta);
        for (size_t i = 0; i < some; i++)
            loss[first + i] = 0;
        for (size_t r = 0; r < ROWS; r += AT_ONCE) {
            adept_thesis_evaluate_many(step_s, power_W, theta, some, some, p->rows + r, AT_ONCE,
                                       ADEPT_SATURATION_SIGMOID);
            for (size_t k = 0; k < AT_ONCE; k++) {
                adept_add_relative_errors(loss + first, step_s + k * some, 1 / p->step_s[r + k], 60.0 / ROWS,
                                          some);
                adept_add_relative_errors(loss + first, power_W + k * some, 1 / p->power_W[r + k],
                                          40.0 / ROWS, some);
            }
        }
    }
    return ADEPT_OK;
}

static int search(problem *p, uint64_t seed, size_t threads, uint64_t generations, double tol, bool csv) {
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    adept_objective objective = {evaluate, p};
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    settings.threads = threads;
    settings.block = BLOCK;
    settings.tol = tol;
    adept_status status = adept_de_new(&de, p->space.bounds, p->space.count, &settings, seed, &err);
    double start_s = now_s(CLOCK_MONOTONIC), start_cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID);
    while (status == ADEPT_OK && adept_de_generation(de) < generations && !adept_de_converged(de))
        status = adept_de_step(de, &objective, &err);
    if (status != ADEPT_OK) {
        fprintf(stderr, "bench_calibration: %s\n", err.message);
        return 1;
    }
    double s = now_s(CLOCK_MONOTONIC) - start_s, cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID) - start_cpu_s;
    double evaluations = (double)adept_de_evaluations(de);
    if (csv)
        printf("%llu,%.17g,%llu,%.0f,%.6f\n", (unsigned long long)seed, adept_de_best(de, NULL),
               (unsigned long long)adept_de_generation(de), evaluations, cpu_s);
    else
        printf(
            "%zu parameters, population %zu, %d rows, %zu threads: %.4g evaluations in %.2f s, %.1f ns each; "
            "2e7 in %.1f s (%.1f s of processor time); loss %.4f %%\n",
            adept_de_parameters(de), adept_de_population(de), ROWS, threads, evaluations, s,
            1e9 * s / evaluations, 2e7 * s / evaluations, 2e7 * cpu_s / evaluations, adept_de_best(de, NULL));
    adept_de_free(de);
    return 0;
}

static void put_array(const char *key, const double *values, size_t count, const char *end) {
    printf("\"%s\": [", key);
    for (size_t i = 0; i < count; i++)
        printf("%s%.17g", i ? ", " : "", values[i]);
    printf("]%s", end);
}

static int export(const problem *p) {
    printf("{\"rows\": [\n");
    for (int i = 0; i < ROWS; i++) {
        const adept_thesis_row *r = &p->rows[i];
        printf("{");
        put_array("peak_s", r->peak_s, ADEPT_TERM_COUNT, ", ");
        put_array("dimensions", r->dimensions, ADEPT_DIMENSION_COUNT, ", ");
        printf("\"memory_s\": %.17g, \"l2_ratio\": %.17g, \"optimizer_s\": %.17g, \"ring_hops\": %.17g, "
               "\"ring_s\": %.17g, \"kernels\": %.17g, \"grad_accum\": %.17g, \"tdp_W\": %.17g, "
               "\"limit_W\": %.17g, \"sixteen_bit\": %d, \"shared\": %d, \"step_time_s\": %.17g, "
               "\"average_power_W\": %.17g}%s\n",
               r->memory_s, r->l2_ratio, r->optimizer_s, r->ring_hops, r->ring_s, r->kernels, r->grad_accum,
               r->tdp_W, r->limit_W, (r->conditions & ADEPT_NEEDS_16_BIT) != 0,
               (r->conditions & ADEPT_NEEDS_SHARING) != 0, p->step_s[i], p->power_W[i],
               i + 1 < ROWS ? "," : "");
    }
    printf("],\n\"parameters\": [\n");
    for (size_t i = 0; i < ADEPT_THESIS_PARAMETER_COUNT; i++) {
        const adept_parameter *row = &adept_thesis_parameters[i];
        ptrdiff_t c = -1;
        for (size_t k = 0; k < p->space.count; k++)
            c = p->space.parameter[k] == i ? (ptrdiff_t)k : c;
        printf(
            "{\"name\": \"%s\", \"value\": %.17g, \"lower\": %.17g, \"upper\": %.17g, \"free\": %s, \"log\": "
            "%s}%s\n",
            row->name, p->space.base.value[i], row->lower, row->upper, c >= 0 ? "true" : "false",
            c >= 0 && p->space.logarithmic[c] ? "true" : "false",
            i + 1 < ADEPT_THESIS_PARAMETER_COUNT ? "," : "");
    }
    printf("]}\n");
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    static problem p;
    int failed = 0;
    size_t threads = argc > 3 ? (size_t)atoi(argv[3]) : 2;
    if (threads < 1 || threads > 64 || make_problem(&p, 64))
        return 2;
    if (strcmp(what, "speed") == 0) {
        failed = search(&p, 1, threads, argc > 2 ? (uint64_t)atoll(argv[2]) : 5000, 0, false);
    } else if (strcmp(what, "fit") == 0) {
        puts("seed,loss,generations,evaluations,seconds");
        for (int i = 2; !failed && i < argc; i++)
            failed = search(&p, (uint64_t)atoll(argv[i]), 1, ADEPT_DE_GENERATIONS, 0.01, true);
    } else if (strcmp(what, "export") == 0) {
        failed = export(&p);
    } else {
        fputs("usage: bench_calibration speed [GENERATIONS] [THREADS] | fit SEED .. | export\n", stderr);
        failed = 2;
    }
    free(p.scratch);
    return failed;
}
