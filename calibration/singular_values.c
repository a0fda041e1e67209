#include "singular_values.h"

#include <math.h>
#include <stdbool.h>

enum { SWEEPS_MAX = 60 };

/* Columns whose cosine is below this count as orthogonal. */
#define ORTHOGONAL 1e-15

static double dot(const double *a, const double *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static void rotate(double *a, double *b, size_t count, double cosine, double sine) {
    for (size_t i = 0; i < count; i++) {
        double x = a[i], y = b[i];
        a[i] = cosine * x - sine * y;
        b[i] = sine * x + cosine * y;
    }
}

/* Makes columns p and q orthogonal; false if they were. */
static bool orthogonalise(double *a, size_t rows, double *v, size_t columns, size_t p, size_t q) {
    double *x = a + p * rows, *y = a + q * rows;
    double xx = dot(x, x, rows), yy = dot(y, y, rows), xy = dot(x, y, rows);
    if (fabs(xy) <= ORTHOGONAL * sqrt(xx * yy) || xy == 0)
        return false;
    double zeta = (yy - xx) / (2 * xy);
    double tangent = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
    double cosine = 1 / sqrt(1 + tangent * tangent);
    rotate(x, y, rows, cosine, cosine * tangent);
    rotate(v + p * columns, v + q * columns, columns, cosine, cosine * tangent);
    return true;
}

static void swap_columns(double *a, size_t rows, size_t p, size_t q) {
    for (size_t i = 0; i < rows; i++) {
        double x = a[p * rows + i];
        a[p * rows + i] = a[q * rows + i];
        a[q * rows + i] = x;
    }
}

static void sort_falling(double *a, size_t rows, size_t columns, double *v, double *sigma) {
    for (size_t p = 0; p < columns; p++) {
        size_t largest = p;
        for (size_t q = p + 1; q < columns; q++)
            largest = sigma[q] > sigma[largest] ? q : largest;
        double s = sigma[p];
        sigma[p] = sigma[largest];
        sigma[largest] = s;
        swap_columns(a, rows, p, largest);
        swap_columns(v, columns, p, largest);
    }
}

void adept_singular_values(double *a, size_t rows, size_t columns, double *v, double *sigma) {
    for (size_t p = 0; p < columns; p++) {
        for (size_t q = 0; q < columns; q++)
            v[p * columns + q] = p == q;
    }
    bool turned = true;
    for (int sweep = 0; turned && sweep < SWEEPS_MAX; sweep++) {
        turned = false;
        for (size_t p = 0; p + 1 < columns; p++) {
            for (size_t q = p + 1; q < columns; q++)
                turned |= orthogonalise(a, rows, v, columns, p, q);
        }
    }
    for (size_t p = 0; p < columns; p++)
        sigma[p] = sqrt(dot(a + p * rows, a + p * rows, rows));
    sort_falling(a, rows, columns, v, sigma);
}
