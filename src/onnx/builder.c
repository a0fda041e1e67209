#include "builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

bool adept_builder_grow(void **items, int32_t count, int32_t *capacity, size_t size_B) {
    if (count < *capacity)
        return true;
    if (count > INT32_MAX / 2)
        return false;
    int32_t wanted = count < 16 ? 16 : count * 2;
    void *grown = realloc(*items, (size_t)wanted * size_B);
    if (!grown)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

const char *adept_builder_intern(builder *b, const char *text) {
    int32_t index = adept_string_map_get(&b->interned_index, text, -1);
    if (index >= 0)
        return b->interned[index];
    const char *copy = adept_arena_string(b->arena, text);
    if (!copy ||
        !adept_builder_grow((void **)&b->interned, b->interned_count, &b->interned_capacity,
                            sizeof *b->interned) ||
        !adept_string_map_put(&b->interned_index, copy, b->interned_count))
        return NULL;
    b->interned[b->interned_count++] = copy;
    return copy;
}

char *adept_builder_join(builder *b, const char *path, char separator, const char *name) {
    size_t path_length = strlen(path), name_length = strlen(name);
    if (path_length == 0)
        return adept_arena_string_n(b->arena, name, name_length);
    if (name_length == 0)
        return adept_arena_string_n(b->arena, path, path_length);
    if (name_length > NAME_LIMIT)
        return adept_arena_string_n(b->arena, name + name_length - NAME_LIMIT, NAME_LIMIT);
    size_t room = NAME_LIMIT - name_length;
    if (path_length > room) {
        path += path_length - room;
        path_length = room;
    }
    char *joined = adept_arena_alloc(b->arena, path_length + name_length + 2);
    if (joined) {
        memcpy(joined, path, path_length);
        joined[path_length] = separator;
        memcpy(joined + path_length + 1, name, name_length);
    }
    return joined;
}

adept_status adept_builder_warn(builder *b, const char *format, ...) {
    if (b->warning_count >= WARNING_LIMIT)
        return ADEPT_OK;
    char text[sizeof(adept_error)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    adept_error clean; /* adept_fail replaces control characters */
    adept_fail(&clean, ADEPT_OK, "%s", text);
    const char *copy = adept_arena_string(b->arena, clean.message);
    if (!copy || !adept_builder_grow((void **)&b->warnings, b->warning_count, &b->warning_capacity,
                                     sizeof *b->warnings))
        return adept_fail_memory(b->err);
    b->warnings[b->warning_count++] = copy;
    return ADEPT_OK;
}

static bool grow_tensors(builder *b) {
    int32_t capacity = b->tensor_capacity;
    return adept_builder_grow((void **)&b->tensors, b->tensor_count, &capacity, sizeof *b->tensors) &&
           adept_builder_grow((void **)&b->marks, b->tensor_count, &b->tensor_capacity, sizeof *b->marks);
}

adept_status adept_builder_tensor(builder *b, const scope *where, const char *name, adept_tensor_id *out) {
    char *copy = adept_builder_join(b, where->path, '/', name);
    if (!copy || !grow_tensors(b))
        return adept_fail_memory(b->err);
    b->tensors[b->tensor_count] = (adept_tensor){.name = copy, .body = where->frame->index, .producer = -1};
    b->marks[b->tensor_count] = 0;
    *out = b->tensor_count++;
    return ADEPT_OK;
}

adept_status adept_builder_capture(builder *b, body_frame *frame, adept_tensor_id tensor) {
    if (b->marks[tensor] == frame->serial)
        return ADEPT_OK;
    if (!adept_builder_grow((void **)&frame->captures, frame->capture_count, &frame->capture_capacity,
                            sizeof *frame->captures))
        return adept_fail_memory(b->err);
    frame->captures[frame->capture_count++] = tensor;
    b->marks[tensor] = frame->serial;
    return ADEPT_OK;
}

void adept_builder_clear(builder *b) {
    for (int32_t i = 0; i < b->function_count; i++)
        adept_string_map_clear(&b->functions[i].opsets.versions);
    free(b->functions);
    free(b->tensors);
    free(b->marks);
    free(b->bodies);
    free(b->warnings);
    free(b->interned);
    free(b->key);
    free(b->bindings);
    adept_string_map_clear(&b->names);
    adept_string_map_clear(&b->interned_index);
    adept_string_map_clear(&b->function_index);
    adept_string_map_clear(&b->function_domains);
    adept_string_map_clear(&b->opsets.versions);
}
