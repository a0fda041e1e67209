/* What an adept_hardware holds; only files of this room see it. */
#ifndef ADEPT_HARDWARE_OBJECT_H
#define ADEPT_HARDWARE_OBJECT_H

#include "adept/hardware.h"
#include "arena.h"
#include "hardware_fields.h"

#define ADEPT_HARDWARE_PARAMETERS_MAX 128

typedef struct adept_hardware_citation {
    const char *path; /* of a field, or of a section for all its fields */
    const char *text;
} adept_hardware_citation;

struct adept_hardware {
    adept_arena *arena; /* of all strings and lists */
    const char *id, *name, *vendor, *architecture, *link, *file;
    const char **aliases, **notes;
    size_t alias_count, note_count;
    adept_hardware_citation *citations;
    size_t citation_count;

    adept_hardware_spec given; /* NaN where neither file nor user gave a value */
    adept_hardware_spec spec;  /* the same with documented defaults */
    bool derived[ADEPT_FIELD_MAX], set[ADEPT_FIELD_MAX];

    adept_saturation saturation;
    const char *fits[ADEPT_VARIANT_COUNT];
    adept_hardware_parameter parameters[ADEPT_VARIANT_COUNT][ADEPT_HARDWARE_PARAMETERS_MAX];
    size_t parameter_counts[ADEPT_VARIANT_COUNT];
    adept_hardware_interval intervals[ADEPT_VARIANT_COUNT];
};

/* A hardware without any value, or NULL when memory is short. */
adept_hardware *adept_hardware_new(void);

/* Recomputes spec from given. */
void adept_hardware_complete(adept_hardware *hardware);

/* The first path of a list of fields for "did you mean", or NULL. */
const char *adept_hardware_nearest_path(const char *path);

#endif
