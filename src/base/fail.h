/* Filling an adept_error where the fault is found, and adding the place further up. */
#ifndef ADEPT_FAIL_H
#define ADEPT_FAIL_H

#include "adept/error.h"

/*
 * Writes the formatted message to err (NULL is fine), control characters replaced so that it stays one
 * line, and returns status: `return adept_fail(err, ADEPT_SHAPE, "...", ...)`.
 */
adept_status adept_fail(adept_error *err, adept_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message already in err and returns status unchanged. */
adept_status adept_fail_at(adept_error *err, adept_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The message of running out of memory. */
adept_status adept_fail_memory(adept_error *err);

#endif
