/* Which networks are one network, and which are one family, for leaving them out together. */
#ifndef ADEPT_FAMILIES_H
#define ADEPT_FAMILIES_H

#include <stddef.h>

#include "adept/workload.h"

enum { ADEPT_MODEL_NAME_SIZE = 128 };

/*
 * Name of the network in a graph file: without folder and ".onnx", and without the endings that tell how it
 * was exported or which head it has ("bert-base-qa-train.onnx" and "bert-base.onnx" are both "bert-base").
 */
char *adept_model_name(char name[ADEPT_MODEL_NAME_SIZE], const char *graph);

/*
 * Family of a network (design section 12) by the beginning of its name; a name that the table does not know
 * is placed by its work: convolutional if most matrix FLOP are, depthwise if it has such convolutions, else
 * "other". Never NULL.
 */
const char *adept_model_family(const char *model, const adept_workload *workload);

#endif
