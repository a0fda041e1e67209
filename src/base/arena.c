#define _DEFAULT_SOURCE /* madvise */
#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FIRST_PAGE_B = 4096, HUGE_PAGE_B = 1 << 21, LARGEST_PAGE_B = 1 << 24 };

typedef struct page {
    struct page *next;
    size_t used_B, size_B;
    max_align_t bytes[];
} page;

struct adept_arena {
    page *pages;
    size_t next_page_B, used_B, limit_B;
};

adept_arena *adept_arena_new(size_t limit_B) {
    adept_arena *arena = calloc(1, sizeof *arena);
    if (arena) {
        arena->next_page_B = FIRST_PAGE_B;
        arena->limit_B = limit_B ? limit_B : SIZE_MAX;
    }
    return arena;
}

void adept_arena_free(adept_arena *arena) {
    if (!arena)
        return;
    for (page *p = arena->pages; p;) {
        page *next = p->next;
        free(p);
        p = next;
    }
    free(arena);
}

/* Large pages are asked for as huge ones: a graph of a million nodes else spends its time in page faults. */
static void *page_memory(size_t size_B) {
    if (size_B < 4 * (size_t)HUGE_PAGE_B || size_B > SIZE_MAX - HUGE_PAGE_B)
        return malloc(size_B);
    size_t rounded_B = (size_B + HUGE_PAGE_B - 1) / HUGE_PAGE_B * HUGE_PAGE_B;
    void *memory = aligned_alloc(HUGE_PAGE_B, rounded_B);
#ifdef MADV_HUGEPAGE
    if (memory)
        (void)madvise(memory, rounded_B, MADV_HUGEPAGE);
#endif
    return memory;
}

static page *add_page(adept_arena *arena, size_t wanted_B) {
#ifdef ADEPT_ARENA_MALLOC
    size_t size_B = wanted_B;
#else
    size_t size_B = wanted_B > arena->next_page_B ? wanted_B : arena->next_page_B;
#endif
    if (size_B > SIZE_MAX - sizeof(page))
        return NULL;
    page *p = page_memory(sizeof *p + size_B);
    if (!p)
        return NULL;
    p->used_B = 0;
    p->size_B = size_B;
    p->next = arena->pages;
    arena->pages = p;
    if (arena->next_page_B < LARGEST_PAGE_B)
        arena->next_page_B *= 2;
    return p;
}

void *adept_arena_alloc(adept_arena *arena, size_t size_B) {
    const size_t align = _Alignof(max_align_t);
    if (size_B > SIZE_MAX - align)
        return NULL;
    size_t rounded_B = size_B ? (size_B + align - 1) / align * align : align;
    if (arena->used_B > arena->limit_B || rounded_B > arena->limit_B - arena->used_B)
        return NULL;
    page *p = arena->pages;
    if (!p || p->size_B - p->used_B < rounded_B)
        p = add_page(arena, rounded_B);
    if (!p)
        return NULL;
    unsigned char *at = (unsigned char *)p->bytes + p->used_B;
    p->used_B += rounded_B;
    arena->used_B += rounded_B;
    memset(at, 0, rounded_B);
    return at;
}

void *adept_arena_array(adept_arena *arena, size_t count, size_t size_B) {
    if (size_B && count > SIZE_MAX / size_B)
        return NULL;
    return adept_arena_alloc(arena, count * size_B);
}

void *adept_arena_copy(adept_arena *arena, const void *bytes, size_t size_B) {
    void *copy = adept_arena_alloc(arena, size_B);
    if (copy && size_B)
        memcpy(copy, bytes, size_B);
    return copy;
}

char *adept_arena_string_n(adept_arena *arena, const char *text, size_t length) {
    if (length == SIZE_MAX)
        return NULL;
    char *copy = adept_arena_alloc(arena, length + 1);
    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

char *adept_arena_string(adept_arena *arena, const char *text) {
    return adept_arena_string_n(arena, text, strlen(text));
}

char *adept_arena_format(adept_arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : adept_arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void adept_arena_set_limit(adept_arena *arena, size_t limit_B) {
    arena->limit_B = limit_B ? limit_B : SIZE_MAX;
}

size_t adept_arena_used_B(const adept_arena *arena) {
    return arena->used_B;
}
