#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "sampler.h"

/* What a user or a batch system sends to end or poke a program. */
static const int handed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* Linux: a signal of the kernel itself, as a terminal's are; the name needs more than POSIX. */
enum { FROM_KERNEL = 0x80 };

void child_prepare(child *c) {
    struct sigaction action, normal = {.sa_handler = SIG_DFL};
    *c = (child){.pid = -1};
    sigemptyset(&normal.sa_mask);
    sigemptyset(&c->waited);
    sigaddset(&c->waited, SIGCHLD);
    /* What the caller ignores stays ignored (nohup), here and in the command. */
    for (size_t i = 0; i < sizeof handed_on / sizeof handed_on[0]; i++)
        if (sigaction(handed_on[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&c->waited, handed_on[i]);
    pthread_sigmask(SIG_BLOCK, &c->waited, &c->old_mask);
    sigaction(SIGCHLD, &normal, &c->old_child_action); /* ignored, it would reap by itself */
    prctl(PR_GET_CHILD_SUBREAPER, &c->old_subreaper, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

void child_release(child *c) {
    prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)c->old_subreaper, 0, 0, 0);
    sigaction(SIGCHLD, &c->old_child_action, NULL);
    pthread_sigmask(SIG_SETMASK, &c->old_mask, NULL);
}

/* Between fork and exec: only calls that are safe there. Tells errno through the pipe if exec fails. */
static void become(const child *c, const char *const *command, bool output_to_stderr, int report) {
    sigaction(SIGCHLD, &c->old_child_action, NULL);
    sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
    if (output_to_stderr)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(command[0], (char *const *)command);
    int error = errno;
    ssize_t ignored = write(report, &error, sizeof error);
    (void)ignored;
    _exit(127);
}

adept_status child_start(child *c, const char *const *command, bool output_to_stderr, adept_error *err) {
    int report[2], error = 0;
    if (pipe(report))
        return adept_fail(err, ADEPT_IO, "cannot start '%s': %s", command[0], strerror(errno));
    fcntl(report[0], F_SETFD, FD_CLOEXEC);
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    c->pid = fork();
    if (c->pid == 0)
        become(c, command, output_to_stderr, report[1]);
    error = c->pid < 0 ? errno : 0;
    close(report[1]);
    if (c->pid > 0) {
        ssize_t got;
        do
            got = read(report[0], &error, sizeof error);
        while (got < 0 && errno == EINTR);
        error = got == (ssize_t)sizeof error ? error : 0;
        if (error)
            waitpid(c->pid, NULL, 0);
    }
    close(report[0]);
    if (error)
        return adept_fail(err, error == ENOENT ? ADEPT_ARGUMENT : ADEPT_IO, "cannot run '%s': %s", command[0],
                          strerror(error));
    return ADEPT_OK;
}

/* Reaps whatever has ended; false when no child is left. */
static bool reap(child *c) {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0)
            return true;
        if (pid < 0)
            return errno != ECHILD;
        if (pid != c->pid)
            continue;
        c->ended = true;
        c->status = status;
        c->ended_s = sampler_clock_s();
    }
}

/* A key typed at the terminal has already reached everybody in its foreground group. */
static bool already_there(const child *c, const siginfo_t *info) {
    return info->si_code == FROM_KERNEL && getpgid(c->pid) == getpgrp();
}

child_event child_wait(child *c, double timeout_s) {
    double end_s = sampler_clock_s() + timeout_s;
    for (;;) {
        bool was_over = c->ended;
        if (!reap(c))
            return CHILD_ALL_GONE;
        if (c->ended && !was_over)
            return CHILD_TICK; /* the caller may not want to wait for descendants */
        double left_s = end_s - sampler_clock_s();
        if (left_s <= 0)
            return CHILD_TICK;
        struct timespec wait = {.tv_sec = (time_t)left_s,
                                .tv_nsec = (long)((left_s - (double)(time_t)left_s) * 1e9)};
        siginfo_t info;
        int number = sigtimedwait(&c->waited, &info, &wait);
        if (number <= 0 || number == SIGCHLD)
            continue;
        if (c->ended)
            return CHILD_STOP;
        if (!already_there(c, &info))
            kill(c->pid, number);
    }
}

int child_exit_code(const child *c, int *signal) {
    *signal = WIFSIGNALED(c->status) ? WTERMSIG(c->status) : 0;
    return *signal ? 128 + *signal : WEXITSTATUS(c->status);
}
