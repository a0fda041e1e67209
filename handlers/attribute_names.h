/* Attributes that an operator does not have: reported, because nothing says what they mean. */
#ifndef ADEPT_ATTRIBUTE_NAMES_H
#define ADEPT_ATTRIBUTE_NAMES_H

#include "model_graph.h"

/*
 * Name of the first attribute of a node that no version of its operator has. NULL: there is none, or the
 * operator is not of the ONNX standard (com.microsoft, ...), of which no list is kept.
 */
const char *adept_node_unknown_attribute(const adept_node *node);

#endif
