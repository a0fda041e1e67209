#include "standard_functions.h"

#include <math.h>

#define PI 3.14159265358979323846

static double sphere(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

static double rosenbrock(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        const double valley = x[i + 1] - x[i] * x[i];
        sum += 100 * valley * valley + (1 - x[i]) * (1 - x[i]);
    }
    return sum;
}

static double rastrigin(const double *x, size_t n) {
    double sum = 10 * (double)n;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i] - 10 * cos(2 * PI * x[i]);
    return sum;
}

static double ackley(const double *x, size_t n) {
    double squares = 0, cosines = 0;
    for (size_t i = 0; i < n; i++) {
        squares += x[i] * x[i];
        cosines += cos(2 * PI * x[i]);
    }
    return 20 + exp(1) - 20 * exp(-0.2 * sqrt(squares / (double)n)) - exp(cosines / (double)n);
}

static double griewank(const double *x, size_t n) {
    double sum = 1, product = 1;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * x[i] / 4000;
        product *= cos(x[i] / sqrt((double)(i + 1)));
    }
    return sum - product;
}

static double beale(const double *x, size_t n) {
    (void)n;
    const double a = 1.5 - x[0] + x[0] * x[1];
    const double b = 2.25 - x[0] + x[0] * x[1] * x[1];
    const double c = 2.625 - x[0] + x[0] * x[1] * x[1] * x[1];
    return a * a + b * b + c * c;
}

static double himmelblau(const double *x, size_t n) {
    (void)n;
    const double a = x[0] * x[0] + x[1] - 11;
    const double b = x[0] + x[1] * x[1] - 7;
    return a * a + b * b;
}

/* Schwefel's 2.26, shifted so that its minimum is about 0. */
static double schwefel(const double *x, size_t n) {
    double sum = 418.98288727243378 * (double)n;
    for (size_t i = 0; i < n; i++)
        sum -= x[i] * sin(sqrt(fabs(x[i])));
    return sum;
}

const standard_row standard_functions[] = {
    {"sphere",     sphere,     2,  -5.12,   5.12,   0,                  0, 3 },
    {"sphere",     sphere,     10, -5.12,   5.12,   0,                  0, 3 },
    {"rosenbrock", rosenbrock, 2,  -5,      10,     1,                  0, 3 },
    {"rosenbrock", rosenbrock, 8,  -5,      10,     1,                  0, 3 },
    {"rastrigin",  rastrigin,  2,  -5.12,   5.12,   0,                  0, 3 },
    {"rastrigin",  rastrigin,  6,  -5.12,   5.12,   0,                  0, 3 },
    {"ackley",     ackley,     2,  -32.768, 32.768, 0,                  0, 3 },
    {"ackley",     ackley,     10, -32.768, 32.768, 0,                  0, 3 },
    {"griewank",   griewank,   2,  -600,    600,    0,                  0, 20},
    {"griewank",   griewank,   10, -600,    600,    0,                  0, 20},
    {"beale",      beale,      2,  -4.5,    4.5,    NAN,                0, 3 },
    {"himmelblau", himmelblau, 2,  -5,      5,      NAN,                0, 3 },
    {"schwefel",   schwefel,   2,  -500,    500,    420.96874635998202, 0, 3 },
    {"schwefel",   schwefel,   7,  -500,    500,    420.96874635998202, 0, 3 },
};
const size_t standard_function_count = sizeof standard_functions / sizeof standard_functions[0];

/* Where the coordinates differ from one another. */
static const struct {
    standard_function *value;
    double x[2];
} minimizers[] = {
    {beale,      {3, 0.5}},
    {himmelblau, {3, 2}  }
};

void standard_minimizer(const standard_row *row, double *x) {
    for (size_t i = 0; i < row->n; i++)
        x[i] = row->minimizer;
    for (size_t m = 0; m < sizeof minimizers / sizeof minimizers[0]; m++) {
        for (size_t i = 0; minimizers[m].value == row->value && i < row->n; i++)
            x[i] = minimizers[m].x[i];
    }
}
