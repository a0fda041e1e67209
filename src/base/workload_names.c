#include "adept/workload.h"

const char *adept_kernel_kind_name(adept_kernel_kind kind) {
    static const char *const names[] = {
#define KIND_NAME(code, name) name,
        ADEPT_KERNEL_KIND_LIST(KIND_NAME)
#undef KIND_NAME
    };
    return (size_t)kind < ADEPT_KERNEL_KIND_COUNT ? names[kind] : "other";
}

const char *adept_math_name(adept_math math) {
    static const char *const names[] = {
#define MATH_NAME(code, name) name,
        ADEPT_MATH_LIST(MATH_NAME)
#undef MATH_NAME
    };
    return (size_t)math < ADEPT_MATH_COUNT ? names[math] : "fp32";
}
