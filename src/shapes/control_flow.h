/* Inference of the operators that hold subgraphs: If, Loop, Scan, SequenceMap (rows of handlers/). */
#ifndef ADEPT_CONTROL_FLOW_H
#define ADEPT_CONTROL_FLOW_H

#include "infer.h"

/*
 * If: the branch that the condition names, when it is known. Otherwise both are inferred; the branch to
 * count is an assumption (symbol branch_NODE: 1 then, 0 else), and so are output shapes in which the two
 * differ: the larger one is taken.
 */
adept_status infer_if(adept_infer *ctx);

/*
 * Loop: iterated until the trips are done or until an iteration, run without knowing the iteration
 * number, reproduces its own input shapes; from there on nothing changes. Trips that data decides are an
 * assumption (symbol trips_NODE).
 */
adept_status infer_loop(adept_infer *ctx);

/* Scan, opset 8 (batch and sequence axes in front) and 9 on. */
adept_status infer_scan(adept_infer *ctx);

adept_status infer_sequence_map(adept_infer *ctx);

#endif
