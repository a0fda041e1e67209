/* The command and all its descendants: how many, and how much memory they hold. */
#ifndef ADEPT_PROCESS_TREE_H
#define ADEPT_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct process_entry {
    pid_t pid, parent;
    bool inside;
} process_entry;

typedef struct process_tree {
    const char *proc_root;
    pid_t root;     /* its descendants are the tree, itself is not */
    double total_B; /* memory of the machine; 0: unknown */
    double page_B;
    size_t processes, peak_processes; /* now and at most */
    double resident_B, peak_resident_B;
    process_entry *entries; /* all processes of the machine at the last look */
    size_t count, capacity;
} process_tree;

void process_tree_init(process_tree *tree, const char *proc_root, pid_t root);
/* Looks again. False if /proc cannot be read or memory is short; the old figures stay. */
bool process_tree_update(process_tree *tree);
bool process_tree_holds(const process_tree *tree, pid_t pid);
double process_tree_share(const process_tree *tree); /* resident memory of the machine's, 0 to 1 */
void process_tree_free(process_tree *tree);

#endif
