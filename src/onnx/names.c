/* Names in scopes: one table for all, with a stack of declarations. */
#include <string.h>

#include "builder.h"
#include "fail.h"

void adept_scope_open(builder *b, scope *inside, const scope *parent, bool is_function) {
    inside->serial = ++b->next_serial;
    inside->region = is_function || !parent ? inside->serial : parent->region;
    inside->first_binding = b->binding_count;
}

/* What the scope hid is visible again. (Should memory be short, find() sees that the entry is stale.) */
void adept_scope_close(builder *b, scope *inside) {
    while (b->binding_count > inside->first_binding) {
        const binding *last = &b->bindings[--b->binding_count];
        (void)adept_string_map_put(&b->names, last->name, last->hidden);
    }
}

/* Innermost binding of a name, NULL: none. */
static const binding *find(const builder *b, const char *name) {
    int32_t index = adept_string_map_get(&b->names, name, -1);
    bool valid = index >= 0 && index < b->binding_count && strcmp(b->bindings[index].name, name) == 0;
    return valid ? &b->bindings[index] : NULL;
}

adept_status adept_scope_declare(builder *b, const scope *where, const char *name, adept_tensor_id tensor) {
    int32_t hidden = adept_string_map_get(&b->names, name, -1);
    if (!adept_builder_grow((void **)&b->bindings, b->binding_count, &b->binding_capacity,
                            sizeof *b->bindings) ||
        !adept_string_map_put(&b->names, name, b->binding_count))
        return adept_fail_memory(b->err);
    b->bindings[b->binding_count++] = (binding){name, tensor, where->serial, where->region, hidden};
    return ADEPT_OK;
}

adept_tensor_id adept_scope_own(const builder *b, const scope *where, const char *name) {
    const binding *found = find(b, name);
    return found && found->scope == where->serial ? found->tensor : UNDECLARED;
}

adept_status adept_scope_lookup(builder *b, const scope *where, const char *name, adept_tensor_id *out) {
    const binding *found = find(b, name);
    *out = found && found->region == where->region ? found->tensor : UNDECLARED;
    if (*out >= 0 && b->tensors[*out].body != where->frame->index)
        return adept_builder_capture(b, where->frame, *out);
    return ADEPT_OK;
}
