/* Singular values of a small matrix, for judging how well a fit is determined. */
#ifndef ADEPT_SINGULAR_VALUES_H
#define ADEPT_SINGULAR_VALUES_H

#include <stddef.h>

/*
 * A = U diag(sigma) V^T by one-sided Jacobi rotations: the columns of A are made orthogonal.
 * Shapes    a [columns][rows] (column by column; overwritten with U diag(sigma)); v [columns][columns],
 * column k of V at v + k * columns; sigma [columns], falling Source    J. Demmel, K. Veselic, SIAM J. Matrix
 * Anal. Appl. 13 (1992) 1204-1245
 */
void adept_singular_values(double *a, size_t rows, size_t columns, double *v, double *sigma);

#endif
