/* Ranks of a comparison, for all of its forms. */
#ifndef ADEPT_COMPARE_RANK_H
#define ADEPT_COMPARE_RANK_H

#include "adept/whatif_report.h"

typedef enum adept_rank { ADEPT_RANK_TIME, ADEPT_RANK_ENERGY, ADEPT_RANK_MONEY } adept_rank;

/* Time and energy per sample; money of the run. NaN: not known. */
double adept_rank_figure(const adept_compared *item, adept_rank by);

/* 1 is best; among the rows of the same model that fit in memory. 0: has no rank. */
int adept_rank_of(const adept_compared *items, size_t count, size_t index, adept_rank by);

/* The rank, or "-". Returns text. */
const char *adept_rank_text(char text[16], int rank);

#endif
