/*
 * Growing arena: memory of objects that live and die together.
 *
 * Inside an arena nothing is freed alone; adept_arena_free releases all of it. Every allocation is
 * aligned for any type. Built with ADEPT_ARENA_MALLOC (the asan preset) each allocation is a malloc of
 * its own, so that memory checkers see every object.
 */
#ifndef ADEPT_ARENA_H
#define ADEPT_ARENA_H

#include <stddef.h>

typedef struct adept_arena adept_arena;

/* A new arena that hands out at most limit_B bytes (0: no limit). NULL when memory is short. */
adept_arena *adept_arena_new(size_t limit_B);
void adept_arena_free(adept_arena *arena); /* NULL is fine */

/* size_B bytes, zeroed; NULL when memory is short or the limit is reached. size_B 0 gives a valid pointer. */
void *adept_arena_alloc(adept_arena *arena, size_t size_B);

/* count items of size_B bytes, zeroed; NULL also when the product overflows. */
void *adept_arena_array(adept_arena *arena, size_t count, size_t size_B);

/* Copies of bytes and strings; the copy of a string is NUL-terminated. */
void *adept_arena_copy(adept_arena *arena, const void *bytes, size_t size_B);
char *adept_arena_string(adept_arena *arena, const char *text);
char *adept_arena_string_n(adept_arena *arena, const char *text, size_t length);
char *adept_arena_format(adept_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the limit anew (0: none), for when only the first objects tell how much the rest may need. */
void adept_arena_set_limit(adept_arena *arena, size_t limit_B);

/* Bytes handed out so far. */
size_t adept_arena_used_B(const adept_arena *arena);

#endif
