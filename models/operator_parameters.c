#include "operator_parameters.h"

const adept_parameter adept_operator_parameters[OP_PARAMETER_COUNT] = {
#define OPERATOR_PARAMETER_ROW(id, name, unit, lower, upper, initial, free, time, power, meaning)            \
    {name, unit, lower, upper, initial, free, false, time, power, meaning},
    OPERATOR_PARAMETER_LIST(OPERATOR_PARAMETER_ROW)
#undef OPERATOR_PARAMETER_ROW
};
