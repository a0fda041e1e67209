/* Stable topological order of numbered nodes. */
#ifndef ADEPT_TOPOLOGICAL_ORDER_H
#define ADEPT_TOPOLOGICAL_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "adept/error.h"

/*
 * order[0 .. count) becomes the order in which every node follows its predecessors; among nodes that
 * are ready the one with the smallest number comes first, so a sorted graph stays as it is.
 * offsets      [count + 1] node i has the predecessors[offsets[i] .. offsets[i + 1])
 * cycle        [count] on a cycle: its nodes, the smallest number first, each a predecessor of the next
 * Errors       FORMAT on a cycle (err untouched, cycle and *cycle_length filled), NOMEM
 * Source       A. B. Kahn, "Topological sorting of large networks", CACM 5 (1962) 558
 */
adept_status adept_topological_order(int32_t count, const size_t *offsets, const int32_t *predecessors,
                                     int32_t *order, int32_t *cycle, int32_t *cycle_length);

#endif
