#include "module_path.h"

#include <stdbool.h>
#include <string.h>

/* What torch.export calls the scope of nodes that belong to no module. */
static const char no_module[] = "_empty_nn_module_stack_from_metadata_hook";

/*
 * Element number wanted of a printed Python list of strings, "['', 'bn1', 'relu']", or with wanted -1 only
 * their number. text [strlen(list) + 1] receives the element.
 */
static int python_list_element(const char *list, int wanted, char *text) {
    int count = 0;
    for (const char *c = list; *c; c++) {
        if (*c != '\'' && *c != '"')
            continue;
        char quote = *c++, *to = text;
        for (; *c && *c != quote; c++) {
            if (*c == '\\' && c[1])
                c++;
            if (count == wanted)
                *to++ = *c;
        }
        if (count == wanted)
            *to = '\0';
        count++;
        if (!*c)
            break;
    }
    return count;
}

/* The last scope is the operator itself; the one before is its module. */
static char *from_name_scopes(adept_arena *arena, const char *list) {
    char *text = adept_arena_alloc(arena, strlen(list) + 1);
    if (!text)
        return NULL;
    int count = python_list_element(list, -1, text);
    if (count >= 2)
        python_list_element(list, count - 2, text);
    if (strcmp(text, no_module) == 0)
        text[0] = '\0';
    return text;
}

/* ": ResNet/layer1: Sequential/layer1.0: Bottleneck/relu: aten.relu.default" */
static char *from_namespace(adept_arena *arena, const char *text) {
    const char *last = strrchr(text, '/');
    if (!last)
        return adept_arena_string(arena, "");
    const char *start = last;
    while (start > text && start[-1] != '/')
        start--;
    size_t length = 0;
    while (start + length < last && start[length] != ':')
        length++;
    if (length == strlen(no_module) && strncmp(start, no_module, length) == 0)
        length = 0;
    return adept_arena_string_n(arena, start, length);
}

/*
 * Joins all parts but the last with dots. A part that repeats its parent ("layer1/layer1.0", as the
 * TorchScript exporter names members of a container that is called itself) replaces it.
 */
static char *from_slashes(adept_arena *arena, const char *name) {
    char *path = adept_arena_alloc(arena, strlen(name) + 1);
    size_t length = 0, parent_at = 0;
    const char *part = name + strspn(name, "/");
    for (const char *slash; path && (slash = strchr(part, '/')) != NULL; part = slash + strspn(slash, "/")) {
        size_t part_length = (size_t)(slash - part), parent_length = length - parent_at;
        bool repeats = parent_length > 0 && part_length > parent_length && part[parent_length] == '.' &&
                       strncmp(part, path + parent_at, parent_length) == 0;
        if (repeats)
            length = parent_at;
        else if (length > 0)
            path[length++] = '.';
        parent_at = length;
        memcpy(path + length, part, part_length);
        length += part_length;
    }
    if (path)
        path[length] = '\0';
    return path;
}

char *adept_module_path(adept_arena *arena, const char *name_scopes, const char *namespace,
                        const char *node_name) {
    static const char wrapper[] = "StatefulPartitionedCall/"; /* TensorFlow's saved function */
    if (name_scopes)
        return from_name_scopes(arena, name_scopes);
    if (namespace)
        return from_namespace(arena, namespace);
    if (strncmp(node_name, wrapper, sizeof wrapper - 1) == 0)
        node_name += sizeof wrapper - 1;
    return from_slashes(arena, node_name);
}
