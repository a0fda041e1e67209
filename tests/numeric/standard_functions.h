/*
 * Test functions of global optimisation, in any dimension n unless said otherwise, one row each.
 * Source    M. Jamil, X.-S. Yang, Int. J. Mathematical Modelling and Numerical Optimisation 4 (2013) 150-194
 */
#ifndef STANDARD_FUNCTIONS_H
#define STANDARD_FUNCTIONS_H

#include <stddef.h>

typedef double standard_function(const double *x, size_t n);

typedef struct standard_row {
    const char *name;
    standard_function *value;
    size_t n;
    double lower, upper; /* of every coordinate */
    double minimizer;    /* every coordinate of one global minimizer; NAN: see `minimizers` in the source */
    double minimum;
    int attempts; /* seeds within which an optimizer must find it; docs/optimizer.md has the rates */
} standard_row;

extern const standard_row standard_functions[];
extern const size_t standard_function_count;

/* The minimizer, or one of several: x [n]. */
void standard_minimizer(const standard_row *row, double *x);

#endif
