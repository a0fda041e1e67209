/*
 * Status codes and error messages of every library call.
 *
 * A function that can fail returns adept_status and fills the caller's adept_error (last parameter,
 * NULL is fine). The library prints nothing, exits never and keeps no global state. A message is one
 * line: the file, the node or key, the numbers that disagree, and what to do.
 */
#ifndef ADEPT_ERROR_H
#define ADEPT_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/* code, text: one list, so that names and texts cannot drift apart. */
#define ADEPT_STATUS_LIST(X)                                                                                 \
    X(OK, "ok")                                                                                              \
    X(ARGUMENT, "wrong argument")                                                                            \
    X(IO, "cannot read or write")                                                                            \
    X(FORMAT, "malformed input")                                                                             \
    X(SHAPE, "shapes disagree")                                                                              \
    X(UNSUPPORTED, "not supported")                                                                          \
    X(RANGE, "value out of range")                                                                           \
    X(LIMIT, "limit exceeded")                                                                               \
    X(NOMEM, "out of memory")

typedef enum adept_status {
#define ADEPT_STATUS_ENUM(code, text) ADEPT_##code,
    ADEPT_STATUS_LIST(ADEPT_STATUS_ENUM)
#undef ADEPT_STATUS_ENUM
} adept_status;

typedef struct adept_error {
    adept_status status;
    char message[1024]; /* one line, NUL-terminated, no newline */
} adept_error;

#define ADEPT_ERROR_INIT                                                                                     \
    {                                                                                                        \
        ADEPT_OK, {                                                                                          \
            0                                                                                                \
        }                                                                                                    \
    }

/* Short English text of a status, never NULL. */
const char *adept_status_text(adept_status status);

#ifdef __cplusplus
}
#endif
#endif
