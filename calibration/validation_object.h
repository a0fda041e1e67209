/* The inside of adept_validation, seen by validation.c, cross_validation.c and intervals.c alone. */
#ifndef ADEPT_VALIDATION_OBJECT_H
#define ADEPT_VALIDATION_OBJECT_H

#include "adept/calibration.h"
#include "arena.h"

typedef struct validation_groups {
    adept_score_group *groups;
    size_t count;
} validation_groups;

struct adept_validation {
    adept_arena *arena;
    const adept_dataset *dataset;
    adept_variant variant;
    const char *by;
    const char **folds; /* names */
    size_t fold_count, count;
    bool stopped;
    adept_validation_row *rows; /* [count]; of cross-validation: rows of the folds done */
    adept_score_group total;
    validation_groups groups[ADEPT_GROUPING_COUNT];
};

/* An empty one with room for a row per row of the data; NULL when memory is short. */
adept_validation *validation_new(const adept_dataset *dataset, adept_variant variant);

/* Predicts rows of the data, appends them to the validation as members of a fold. */
adept_status validation_predict(adept_validation *v, const adept_theta *thetas, const bool *which,
                                size_t fold, size_t threads, adept_error *err);

/* Constants of the baselines from the rows `fit`, put into the validation's rows of the fold. */
adept_status validation_baselines(adept_validation *v, const bool *fit, size_t fold, adept_error *err);

/* Computes totals and groups. */
adept_status validation_finish(adept_validation *v, adept_error *err);

/* Name of the group that a row belongs to; text is room for those that are numbers. */
enum { GROUP_NAME_SIZE = 32 };
const char *validation_group_name(const adept_dataset *dataset, const adept_dataset_row *row,
                                  adept_grouping grouping, char text[GROUP_NAME_SIZE]);

#endif
