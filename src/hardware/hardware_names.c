#include <string.h>

#include "hardware_names.h"

#define ADEPT_NAME(code, name) name,
#define ADEPT_NAME3(code, name, meaning) name,
const char *const adept_gpu_family_names[] = {ADEPT_GPU_FAMILY_LIST(ADEPT_NAME)};
const char *const adept_memory_type_names[] = {ADEPT_MEMORY_TYPE_LIST(ADEPT_NAME)};
const char *const adept_link_topology_names[] = {ADEPT_LINK_TOPOLOGY_LIST(ADEPT_NAME)};
const char *const adept_saturation_names[] = {ADEPT_SATURATION_LIST(ADEPT_NAME)};
const char *const adept_provenance_names[] = {ADEPT_PROVENANCE_LIST(ADEPT_NAME)};
static const char *const peak_names[] = {ADEPT_PEAK_LIST(ADEPT_NAME3)};

static const char *name_of(const char *const *names, size_t count, size_t index) {
    return index < count ? names[index] : "unknown";
}

const char *adept_gpu_family_name(adept_gpu_family family) {
    return name_of(adept_gpu_family_names, ADEPT_GPU_FAMILY_COUNT, (size_t)family);
}

const char *adept_memory_type_name(adept_memory_type type) {
    return name_of(adept_memory_type_names, ADEPT_MEMORY_TYPE_COUNT, (size_t)type);
}

const char *adept_link_topology_name(adept_link_topology topology) {
    return name_of(adept_link_topology_names, ADEPT_LINK_TOPOLOGY_COUNT, (size_t)topology);
}

const char *adept_saturation_name(adept_saturation saturation) {
    return name_of(adept_saturation_names, ADEPT_SATURATION_COUNT, (size_t)saturation);
}

const char *adept_provenance_name(adept_provenance provenance) {
    return name_of(adept_provenance_names, ADEPT_PROVENANCE_COUNT, (size_t)provenance);
}

const char *adept_peak_name(adept_peak peak) {
    return name_of(peak_names, ADEPT_PEAK_COUNT, (size_t)peak);
}

bool adept_memory_type_is_hbm(adept_memory_type type) {
    return strncmp(adept_memory_type_name(type), "HBM", 3) == 0;
}
