/* Shared by all test programs: cmocka's headers in their required order, and comparisons of doubles. */
#ifndef ADEPT_TEST_SUPPORT_H
#define ADEPT_TEST_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adept/error.h"

/* cmocka's own float assertion is single precision. */
#define assert_close(actual, expected, relative)                                                             \
    do {                                                                                                     \
        double actual_ = (actual), expected_ = (expected);                                                   \
        double scale_ = fabs(expected_) > fabs(actual_) ? fabs(expected_) : fabs(actual_);                   \
        if (!(fabs(actual_ - expected_) <= (relative)*scale_))                                               \
            fail_msg("%s is %.17g, expected %.17g", #actual, actual_, expected_);                            \
    } while (0)

#define assert_ok(call, error)                                                                               \
    do {                                                                                                     \
        if ((call) != ADEPT_OK)                                                                              \
            fail_msg("%s: %s", #call, (error).message);                                                      \
    } while (0)

/* The folder with real graphs and traces, or NULL (then skip and print why). */
static inline const char *shared_folder(void) {
    static char path[4096];
    const char *given = getenv("ADEPT_SHARED");
    snprintf(path, sizeof path, "%s", given ? given : ADEPT_SOURCE_DIR "/../shared");
    char probe[4200];
    snprintf(probe, sizeof probe, "%s/graphs/README.md", path);
    FILE *file = fopen(probe, "r");
    if (!file) {
        print_message("skipped: no shared graphs at %s (set ADEPT_SHARED)\n", path);
        return NULL;
    }
    fclose(file);
    return path;
}

#endif
