/* The names of hardware.h's lists, for reading them. */
#ifndef ADEPT_HARDWARE_NAMES_H
#define ADEPT_HARDWARE_NAMES_H

#include "adept/hardware.h"

extern const char *const adept_gpu_family_names[];
extern const char *const adept_memory_type_names[];
extern const char *const adept_link_topology_names[];
extern const char *const adept_saturation_names[];
extern const char *const adept_provenance_names[];

#endif
