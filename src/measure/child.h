/* The measured command: started, waited for with all its descendants, signals handed on. */
#ifndef ADEPT_CHILD_H
#define ADEPT_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "adept/error.h"

typedef struct child {
    pid_t pid;
    bool ended; /* the command's own process; descendants may go on */
    int status; /* of waitpid */
    double ended_s;

    sigset_t waited; /* signals taken by child_wait: SIGCHLD and those handed on */
    sigset_t old_mask;
    struct sigaction old_child_action;
    int old_subreaper;
} child;

typedef enum child_event {
    CHILD_TICK,     /* time is up */
    CHILD_ALL_GONE, /* the command and all its descendants have ended */
    CHILD_STOP      /* a signal came after the command ended: descendants are left alone */
} child_event;

/* Takes over signals and orphans; child_release undoes it. */
void child_prepare(child *c);
/* Errors    ARGUMENT: command not found; IO: it cannot be started */
adept_status child_start(child *c, const char *const *command, bool output_to_stderr, adept_error *err);
/* Waits for at most timeout_s. */
child_event child_wait(child *c, double timeout_s);
void child_release(child *c);
int child_exit_code(const child *c, int *signal); /* 128 + signal if one ended it */

#endif
