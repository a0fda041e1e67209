/* The table of operators as a document. */
#ifndef ADEPT_REGISTRY_LISTING_H
#define ADEPT_REGISTRY_LISTING_H

#include <stdio.h>

/* Writes docs/operators.md, a table per domain. */
void adept_operators_markdown(FILE *out);

#endif
