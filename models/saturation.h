/* S_sat of eq 4.11: how far a dimension of D units of work fills hardware that is full at R of them. */
#ifndef ADEPT_SATURATION_H
#define ADEPT_SATURATION_H

#include "adept/hardware.h"

/*
 * S_sat(x), x = D/R >= 0; between 0 and 1, rising. The sigmoid (eq 4.12) starts at 0.5, the others at 0:
 * sigmoid 1/(1+e^-x), arctan (2/pi) atan(pi x/2), softsign x/(1+x), algebraic x/sqrt(1+x^2), tanh(x).
 */
double adept_saturate(adept_saturation function, double x);

/* 1/S_sat(x[i]) of many x at once, in vector registers; relative error below 1e-14. inverse may be x. */
void adept_saturate_inverse_many(adept_saturation function, double *inverse, const double *x, size_t count);

#endif
