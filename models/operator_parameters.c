#include "operator_parameters.h"

/* Bounds a factor of 20 or more apart are searched on a logarithmic scale. */
const adept_parameter adept_operator_parameters[OP_PARAMETER_COUNT] = {
#define OPERATOR_PARAMETER_ROW(id, name, unit, lower, upper, initial, free, time, power, meaning)            \
    {name, unit, lower, upper, initial, free, (lower) > 0 && (upper) >= 20 * (lower), time, power, meaning},
    OPERATOR_PARAMETER_LIST(OPERATOR_PARAMETER_ROW)
#undef OPERATOR_PARAMETER_ROW
};
