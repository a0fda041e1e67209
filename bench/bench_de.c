/*
 * Times the optimizer, and runs it on standard functions.
 *
 *   bench_de engine [parameters] [generations]     cost of a candidate with a loss that costs nothing, in the
 *                                                  fastest of 50 stretches of the generations
 *   bench_de functions STRATEGY SEEDS [ATOL]       CSV: one line per standard function and seed
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "de.h"
#include "standard_functions.h"

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int complain(const adept_error *err) {
    fprintf(stderr, "bench_de: %s\n", err->message);
    return 1;
}

/* Distance along the first parameter: as good as free, and yet it keeps selection going. */
static adept_status first_parameter(void *user, size_t thread, const double *candidates, size_t count,
                                    double *loss, adept_error *err) {
    (void)user, (void)thread, (void)err;
    for (size_t i = 0; i < count; i++)
        loss[i] = fabs(candidates[i] - 0.5);
    return ADEPT_OK;
}

enum { STRETCHES = 50 };

static int time_engine(const char *strategy, size_t threads, size_t parameters, int generations) {
    adept_bounds *bounds = calloc(parameters, sizeof *bounds);
    for (size_t p = 0; bounds && p < parameters; p++)
        bounds[p].upper = 1;
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    settings.strategy = strategy;
    settings.threads = threads;
    const adept_objective objective = {first_parameter, NULL};
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de = NULL;
    adept_status status = bounds ? adept_de_new(&de, bounds, parameters, &settings, 1, &err) : ADEPT_NOMEM;
    free(bounds);
    double fastest_s = HUGE_VAL; /* of a stretch: other programs may disturb some of them */
    for (int stretch = 0; stretch < STRETCHES; stretch++) {
        const double start_s = now_s();
        for (int g = 0; status == ADEPT_OK && g < generations / STRETCHES; g++)
            status = adept_de_step(de, &objective, &err);
        fastest_s = fmin(fastest_s, (now_s() - start_s) / (generations / STRETCHES));
    }
    if (status == ADEPT_OK)
        printf("%-8s %2zu thread(s)  %zu parameters, population %zu: %6.1f ns per candidate, %6.1f us per "
               "generation\n",
               strategy, threads, parameters, adept_de_population(de),
               1e9 * fastest_s / (double)adept_de_population(de), 1e6 * fastest_s);
    adept_de_free(de);
    return status == ADEPT_OK ? 0 : complain(&err);
}

static int bench_engine(int argc, char **argv) {
    const int parameters = argc > 0 ? atoi(argv[0]) : 28, generations = argc > 1 ? atoi(argv[1]) : 5000;
    if (parameters < 1 || generations < STRETCHES)
        return 2;
    int failed = 0;
    const char *strategy;
    for (size_t row = 0; (strategy = adept_de_strategy_name(row)); row++) {
        for (size_t threads = 1; threads <= 2; threads++)
            failed |= time_engine(strategy, threads, (size_t)parameters, generations);
    }
    return failed;
}

static double standard_loss(void *user, const double *x) {
    const standard_row *row = user;
    return row->value(x, row->n);
}

static int run_function(const standard_row *row, const char *strategy, uint64_t seed, double atol) {
    adept_bounds bounds[16];
    for (size_t p = 0; p < row->n; p++)
        bounds[p] = (adept_bounds){row->lower, row->upper};
    adept_de_settings settings = ADEPT_DE_SETTINGS_INIT;
    settings.strategy = strategy;
    settings.atol = atol;
    adept_scalar scalar = {standard_loss, (void *)row, row->n};
    const adept_objective objective = {adept_scalar_evaluate, &scalar};
    adept_error err = ADEPT_ERROR_INIT;
    adept_de *de;
    if (adept_de_new(&de, bounds, row->n, &settings, seed, &err) != ADEPT_OK)
        return complain(&err);
    adept_status status = ADEPT_OK;
    const double start_s = now_s();
    while (status == ADEPT_OK && !adept_de_converged(de) && adept_de_generation(de) < ADEPT_DE_GENERATIONS)
        status = adept_de_step(de, &objective, &err);
    printf("%s,%zu,%s,%llu,%.17g,%llu,%llu,%.9f\n", row->name, row->n, strategy, (unsigned long long)seed,
           adept_de_best(de, NULL), (unsigned long long)adept_de_generation(de),
           (unsigned long long)adept_de_evaluations(de), now_s() - start_s);
    adept_de_free(de);
    return status == ADEPT_OK ? 0 : complain(&err);
}

static int bench_functions(int argc, char **argv) {
    if (argc < 2)
        return 2;
    const double atol = argc > 2 ? strtod(argv[2], NULL) : 0;
    int failed = 0;
    puts("function,n,strategy,seed,minimum,generations,evaluations,seconds");
    for (size_t f = 0; !failed && f < standard_function_count; f++) {
        for (int seed = 0; !failed && seed < atoi(argv[1]); seed++)
            failed = run_function(&standard_functions[f], argv[0], (uint64_t)seed, atol);
    }
    return failed;
}

int main(int argc, char **argv) {
    int result = 2;
    if (argc > 1 && strcmp(argv[1], "engine") == 0)
        result = bench_engine(argc - 2, argv + 2);
    else if (argc > 1 && strcmp(argv[1], "functions") == 0)
        result = bench_functions(argc - 2, argv + 2);
    if (result == 2)
        fputs("usage: bench_de engine [parameters] [generations] | functions STRATEGY SEEDS [ATOL]\n",
              stderr);
    return result;
}
