/* Whole text files, bounded in size. */
#ifndef ADEPT_TEXT_FILE_H
#define ADEPT_TEXT_FILE_H

#include <stddef.h>

#include "adept/error.h"

/* No text file that this program reads is anywhere near as large. */
#define ADEPT_TEXT_LIMIT_B ((size_t)16 << 20)

/*
 * Reads path into *text (malloc'd, caller frees; NUL-terminated, a UTF-8 byte order mark removed) and its
 * length without the NUL. A NUL byte inside means that the file is not text.
 * Errors    IO with the system's reason; LIMIT above limit_B; FORMAT for a NUL byte
 */
adept_status adept_text_file_read(char **text, size_t *length, const char *path, size_t limit_B,
                                  adept_error *err);

#endif
