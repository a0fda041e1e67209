/* Composites: what exporters take apart and hardware runs as one (design.md section 2). */
#ifndef ADEPT_COMPOSITES_H
#define ADEPT_COMPOSITES_H

#include "network.h"

/* Finds composites, marks their parts and adds an operator for each behind its last part. */
adept_status adept_composites_find(adept_network *network, const adept_run *run, adept_error *err);

#endif
