#include "objective.h"

#include <math.h>

#include "fail.h"

adept_status adept_scalar_evaluate(void *scalar, size_t thread, const double *candidates, size_t count,
                                   double *loss, adept_error *err) {
    const adept_scalar *s = scalar;
    double x[ADEPT_PARAMETERS_MAX];
    (void)thread;
    if (s->parameters > ADEPT_PARAMETERS_MAX)
        return adept_fail(err, ADEPT_LIMIT, "%zu parameters, at most %d are possible", s->parameters,
                          ADEPT_PARAMETERS_MAX);
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < s->parameters; p++)
            x[p] = candidates[p * count + i];
        loss[i] = s->loss(s->user, x);
    }
    return ADEPT_OK;
}

adept_status adept_bounds_check(const adept_bounds *bounds, size_t parameters, adept_error *err) {
    if (parameters == 0 || parameters > ADEPT_PARAMETERS_MAX)
        return adept_fail(err, ADEPT_ARGUMENT, "%zu parameters to optimise; 1 to %d are possible", parameters,
                          ADEPT_PARAMETERS_MAX);
    for (size_t p = 0; p < parameters; p++) {
        const double lower = bounds[p].lower, upper = bounds[p].upper;
        if (!isfinite(lower) || !isfinite(upper) || !isfinite(upper - lower))
            return adept_fail(err, ADEPT_ARGUMENT, "parameter %zu: bounds [%g, %g] are not finite", p, lower,
                              upper);
        if (lower > upper)
            return adept_fail(err, ADEPT_ARGUMENT,
                              "parameter %zu: lower bound %.17g is above upper bound %.17g", p, lower, upper);
    }
    return ADEPT_OK;
}
