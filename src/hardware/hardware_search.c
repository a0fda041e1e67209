#include "hardware_search.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "number.h"
#include "strict_json.h"
#include "text_file.h"

/* $ADEPT_DATA, then what was installed, then the tree this was built from. */
#define FOLDER_COUNT 3
static const char *data_folder(int index) {
    const char *const folders[FOLDER_COUNT] = {getenv("ADEPT_DATA"), ADEPT_INSTALLED_DATA, ADEPT_SOURCE_DATA};
    return folders[index] && *folders[index] ? folders[index] : NULL;
}

static bool ends_in_json(const char *name) {
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

bool adept_hardware_is_path(const char *id_or_path) {
    return strchr(id_or_path, '/') || ends_in_json(id_or_path);
}

void adept_hardware_each_file(bool (*each)(const char *path, void *context), void *context) {
    bool more = true;
    for (int i = 0; i < FOLDER_COUNT && more; i++) {
        char path[ADEPT_PATH_SIZE];
        if (!data_folder(i) || snprintf(path, sizeof path, "%s/hardware", data_folder(i)) >= ADEPT_PATH_SIZE)
            continue;
        DIR *folder = opendir(path);
        size_t used = strlen(path);
        for (struct dirent *entry; more && folder && (entry = readdir(folder));) {
            if (!ends_in_json(entry->d_name) || entry->d_name[0] == '.')
                continue;
            if (used + 1 + strlen(entry->d_name) < sizeof path) {
                snprintf(path + used, sizeof path - used, "/%s", entry->d_name);
                more = each(path, context);
            }
        }
        if (folder)
            closedir(folder);
    }
}

/* Calls each(alias, context) for the aliases of a file; one that cannot be read has none here: it is reported
 * when it is what is asked for. */
static void each_alias(const char *text, size_t length, void (*each)(const char *alias, void *context),
                       void *context) {
    adept_json *json;
    const adept_json_value *aliases = NULL;
    if (adept_json_parse(&json, "", text, length, NULL) != ADEPT_OK)
        return;
    if (adept_json_kind_of(adept_json_root(json)) == ADEPT_JSON_OBJECT)
        adept_json_read_value(json, adept_json_root(json), "aliases", ADEPT_JSON_ARRAY, false, &aliases,
                              NULL);
    const adept_json_value *alias = aliases ? adept_json_first(aliases) : NULL;
    for (; alias; alias = adept_json_next(alias)) {
        if (adept_json_kind_of(alias) == ADEPT_JSON_STRING)
            each(adept_json_text(alias), context);
    }
    adept_json_free(json);
}

typedef struct alias_search {
    const char *wanted;
    char *found; /* ADEPT_PATH_SIZE; empty until found */
    const char *path;
} alias_search;

static void compare_alias(const char *alias, void *context) {
    alias_search *search = context;
    if (strcmp(alias, search->wanted) == 0)
        snprintf(search->found, ADEPT_PATH_SIZE, "%s", search->path);
}

static bool look_for_alias(const char *path, void *context) {
    alias_search *search = context;
    char *text;
    size_t length;
    if (adept_text_file_read(&text, &length, path, ADEPT_TEXT_LIMIT_B, NULL) != ADEPT_OK)
        return true;
    search->path = path;
    if (strstr(text, search->wanted)) /* rules out nearly all files without parsing them */
        each_alias(text, length, compare_alias, search);
    free(text);
    return !*search->found;
}

/* The name closest to the one wanted, among ids and aliases seen so far. */
typedef struct name_search {
    const char *wanted;
    char nearest[256]; /* empty: none is near */
} name_search;

static void compare_name(const char *name, void *context) {
    name_search *search = context;
    const char *const both[] = {search->nearest, name};
    const char *near = adept_nearest_name(search->wanted, both, 2);
    if (near == name)
        snprintf(search->nearest, sizeof search->nearest, "%s", name);
}

static bool collect_names(const char *path, void *context) {
    char *text;
    size_t length;
    char id[256];
    const char *file = strrchr(path, '/') + 1;
    snprintf(id, sizeof id, "%.*s", (int)(strlen(file) - strlen(".json")), file);
    compare_name(id, context);
    if (adept_text_file_read(&text, &length, path, ADEPT_TEXT_LIMIT_B, NULL) == ADEPT_OK) {
        each_alias(text, length, compare_name, context);
        free(text);
    }
    return true;
}

static adept_status unknown_hardware(const char *name, adept_error *err) {
    name_search search = {.wanted = name};
    adept_hardware_each_file(collect_names, &search);
    if (*search.nearest)
        return adept_fail(err, ADEPT_ARGUMENT, "hardware '%s' is not known; did you mean '%s'?", name,
                          search.nearest);
    return adept_fail(
        err, ADEPT_ARGUMENT,
        "hardware '%s' is not known; 'adept hw list' names all, or give a file.json (data folder: "
        "ADEPT_DATA)",
        name);
}

adept_status adept_hardware_find(char path[ADEPT_PATH_SIZE], const char *id_or_alias, adept_error *err) {
    for (int i = 0; i < FOLDER_COUNT; i++) {
        if (!data_folder(i))
            continue;
        int length = snprintf(path, ADEPT_PATH_SIZE, "%s/hardware/%s.json", data_folder(i), id_or_alias);
        if (length < ADEPT_PATH_SIZE && access(path, R_OK) == 0)
            return ADEPT_OK;
    }
    *path = '\0';
    adept_hardware_each_file(look_for_alias, &(alias_search){id_or_alias, path, NULL});
    return *path ? ADEPT_OK : unknown_hardware(id_or_alias, err);
}
