#include "process_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

static double memory_total_B(const char *proc_root) {
    char path[4096], text[4096];
    double total_kiB;
    snprintf(path, sizeof path, "%s/meminfo", proc_root);
    if (sysfs_read(path, text, sizeof text) < 0)
        return 0;
    const char *line = strstr(text, "MemTotal:");
    return line && sscanf(line, "MemTotal: %lf kB", &total_kiB) == 1 ? total_kiB * 1024 : 0;
}

void process_tree_init(process_tree *tree, const char *proc_root, pid_t root) {
    *tree = (process_tree){.proc_root = proc_root, .root = root};
    tree->page_B = (double)sysconf(_SC_PAGESIZE);
    tree->total_B = memory_total_B(proc_root);
}

void process_tree_free(process_tree *tree) {
    free(tree->entries);
    tree->entries = NULL;
    tree->count = tree->capacity = 0;
}

/* The parent stands after the name in parentheses, which may itself hold parentheses and spaces. */
static bool read_parent(const char *proc_root, const char *pid, pid_t *parent) {
    char path[4200], text[512];
    int number;
    snprintf(path, sizeof path, "%s/%s/stat", proc_root, pid);
    if (sysfs_read(path, text, sizeof text) < 0)
        return false;
    const char *end = strrchr(text, ')');
    if (!end || sscanf(end + 1, " %*c %d", &number) != 1)
        return false;
    *parent = (pid_t)number;
    return true;
}

static bool add(process_tree *tree, pid_t pid, pid_t parent) {
    if (tree->count == tree->capacity) {
        size_t more = tree->capacity ? tree->capacity * 2 : 512;
        process_entry *moved = realloc(tree->entries, more * sizeof *moved);
        if (!moved)
            return false;
        tree->entries = moved;
        tree->capacity = more;
    }
    tree->entries[tree->count++] = (process_entry){.pid = pid, .parent = parent};
    return true;
}

static bool list_processes(process_tree *tree) {
    DIR *folder = opendir(tree->proc_root);
    if (!folder)
        return false;
    bool good = true;
    tree->count = 0;
    for (struct dirent *entry; good && (entry = readdir(folder));) {
        pid_t parent;
        if (isdigit((unsigned char)entry->d_name[0]) && read_parent(tree->proc_root, entry->d_name, &parent))
            good = add(tree, (pid_t)atol(entry->d_name), parent);
    }
    closedir(folder);
    return good;
}

static int by_pid(const void *a, const void *b) {
    const process_entry *left = a, *right = b;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

static process_entry *find(const process_tree *tree, pid_t pid) {
    process_entry key = {.pid = pid};
    return tree->count ? bsearch(&key, tree->entries, tree->count, sizeof key, by_pid) : NULL;
}

/* Follows parents upwards; the step limit ends a circle that processes ending meanwhile could make. */
static bool descends(const process_tree *tree, const process_entry *entry) {
    for (size_t step = 0; entry && step <= tree->count; step++) {
        if (entry->parent == tree->root)
            return true;
        entry = find(tree, entry->parent);
    }
    return false;
}

/* Resident bytes that are the process's own, and those of files and shared memory. */
static void resident(const process_tree *tree, pid_t pid, double *own_B, double *shared_B) {
    char path[4200], text[128];
    double size, pages, shared;
    *own_B = *shared_B = 0;
    snprintf(path, sizeof path, "%s/%ld/statm", tree->proc_root, (long)pid);
    if (sysfs_read(path, text, sizeof text) < 0 || sscanf(text, "%lf %lf %lf", &size, &pages, &shared) != 3)
        return;
    *shared_B = shared * tree->page_B;
    *own_B = (pages > shared ? pages - shared : 0) * tree->page_B;
}

/*
 * Memory of the tree: sum of what each process has alone plus the largest shared part. Adding up whole
 * resident sets would count a library or a shared-memory batch once per worker.
 */
bool process_tree_update(process_tree *tree) {
    if (!list_processes(tree))
        return false;
    qsort(tree->entries, tree->count, sizeof *tree->entries, by_pid);
    double own_B = 0, shared_B = 0;
    tree->processes = 0;
    for (size_t i = 0; i < tree->count; i++) {
        process_entry *entry = &tree->entries[i];
        entry->inside = descends(tree, entry);
        if (!entry->inside)
            continue;
        double own, shared;
        resident(tree, entry->pid, &own, &shared);
        own_B += own;
        shared_B = shared > shared_B ? shared : shared_B;
        tree->processes++;
    }
    tree->resident_B = own_B + shared_B;
    if (tree->total_B > 0 && tree->resident_B > tree->total_B)
        tree->resident_B = tree->total_B;
    if (tree->resident_B > tree->peak_resident_B)
        tree->peak_resident_B = tree->resident_B;
    if (tree->processes > tree->peak_processes)
        tree->peak_processes = tree->processes;
    return true;
}

bool process_tree_holds(const process_tree *tree, pid_t pid) {
    const process_entry *entry = find(tree, pid);
    return entry && entry->inside;
}

double process_tree_share(const process_tree *tree) {
    return tree->total_B > 0 ? tree->resident_B / tree->total_B : 0;
}
