#include "thesis_parameters.h"

const adept_parameter adept_thesis_parameters[] = {
#define ROW(code, name, unit, lower, upper, initial, is_free, logarithmic, time, power, needs, meaning)      \
    {name, unit, lower, upper, initial, is_free, logarithmic, time, power, meaning},
    ADEPT_THESIS_PARAMETER_LIST(ROW)
#undef ROW
};
_Static_assert(ADEPT_THESIS_PARAMETER_COUNT <= ADEPT_THETA_MAX, "room for every parameter");

const unsigned adept_thesis_needs[] = {
#define ROW(code, name, unit, lower, upper, initial, is_free, logarithmic, time, power, needs, meaning)      \
    ADEPT_NEEDS_##needs,
    ADEPT_THESIS_PARAMETER_LIST(ROW)
#undef ROW
};
