/*
 * Measuring set-ups ("hosts"): what a published trace leaves unsaid and its machines and loops are known for,
 * data/hosts.json (docs/calibration.md).
 *
 *   {"notes": [..], "hosts": {NAME: {"launch_s": S, "idle_gap": SHARE, "optimizer_impl": IMPL,
 *     "collective_bandwidth_B_per_s": B, "overlap": SHARE, "source": TEXT, "graphs": {PATTERN: {
 *       "loader_s": S, "epoch_samples": N, "longest_of_one": SHARE, "longest_per_ln_batch": SHARE,
 *       "amp_level": LEVEL, "source": TEXT}}}}}
 *
 * NAME is the trace's column host, or HOST/GPU for a machine that differs. A PATTERN (shell pattern of the
 * graph's name) says what the loop over one network does.
 */
#ifndef ADEPT_HOSTS_H
#define ADEPT_HOSTS_H

#include "adept/trace.h"

typedef struct adept_hosts adept_hosts; /* owns memory; immutable */

/*
 * path NULL: hosts.json beside the folder of hardware files, and no hosts at all where there is none.
 * Errors    as adept_json_load; FORMAT for a key that no host has
 */
adept_status adept_hosts_load(adept_hosts **out, const char *path, adept_error *err);
void adept_hosts_free(adept_hosts *hosts); /* NULL is fine */

/* Name of the entry for a row: "HOST/GPU" where there is one, else the row's host. Lives as long as both. */
const char *adept_hosts_name(const adept_hosts *hosts, const adept_trace_row *row);

/* CPU time of a launch there, NaN where it is not known. Errors: RANGE, FORMAT */
adept_status adept_hosts_launch_s(const adept_hosts *hosts, const char *name, double *out, adept_error *err);

/*
 * The row's run with what it does not state and its host is known for, but the cost of launches.
 * longest_*: sequences are padded to the longest of their batch of b, which has the share longest_of_one +
 * longest_per_ln_batch ln b of the length stated, at most all of it. amp_level: that of PyTorch training, in
 * place of the row's, which tables of results do not tell.
 * Errors    RANGE, FORMAT, ARGUMENT: a value of the file
 */
adept_status adept_hosts_resolve(const adept_hosts *hosts, const adept_trace_row *row, adept_run *run,
                                 adept_error *err);

#endif
