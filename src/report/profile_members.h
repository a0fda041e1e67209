/* The members of `profile --json`, which `predict --json` shows under "profile". */
#ifndef ADEPT_PROFILE_MEMBERS_H
#define ADEPT_PROFILE_MEMBERS_H

#include "adept/report.h"
#include "strict_json.h"

void adept_report_profile_members(adept_json_writer *w, const adept_graph *graph, const adept_profile *p,
                                  const adept_profile_report *options);

#endif
