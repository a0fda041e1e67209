#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plain_text.h"

const char *adept_status_text(adept_status status) {
    static const char *const texts[] = {
#define ADEPT_STATUS_TEXT(code, text) text,
        ADEPT_STATUS_LIST(ADEPT_STATUS_TEXT)
#undef ADEPT_STATUS_TEXT
    };
    size_t index = (size_t)status;
    return index < sizeof texts / sizeof texts[0] ? texts[index] : "unknown status";
}

adept_status adept_fail(adept_error *err, adept_status status, const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        (void)adept_plain_text(err->message); /* names come from untrusted files */
        err->status = status;
    }
    return status;
}

adept_status adept_fail_at(adept_error *err, adept_status status, const char *format, ...) {
    if (err) {
        char place[sizeof err->message];
        char whole[sizeof err->message];
        va_list args;
        va_start(args, format);
        vsnprintf(place, sizeof place, format, args);
        va_end(args);
        int length = snprintf(whole, sizeof whole, "%.400s: %.600s", place, err->message);
        (void)length;
        memcpy(err->message, whole, sizeof whole);
        (void)adept_plain_text(err->message); /* names come from untrusted files */
        err->status = status;
    }
    return status;
}

adept_status adept_fail_memory(adept_error *err) {
    return adept_fail(err, ADEPT_NOMEM, "out of memory");
}
