/*
 * What an export for inference removed and a training step runs (design.md section 2): BatchNormalization
 * folded into the convolution before it, and Dropout.
 */
#ifndef ADEPT_RESTORE_H
#define ADEPT_RESTORE_H

#include "network.h"

/* Changes nothing in inference. Every restored operator is named in a note. */
adept_status adept_restore(adept_network *network, const adept_run *run, adept_error *err);

/* The part of it that --dropout P asks for; nothing where the file has Dropout of its own. */
adept_status adept_restore_dropouts(adept_network *network, const adept_run *run, adept_error *err);

#endif
