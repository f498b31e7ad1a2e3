/* Time that goes on only while this program runs: what a busy machine takes from it, up
 * to a step, is not counted. For tests whose device and daemon share a loop and have
 * deadlines of a tenth of a second. Included once in a program: libevent and the daemon
 * then ask this clock, each thread one of its own. */
#ifndef TESTS_FAULTS_STEADY_H
#define TESTS_FAULTS_STEADY_H

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    STEADY_STEP_MS = 5
};

static _Thread_local int64_t steady_skips_us;

/* So long the loop is held up: this time counts. */
static inline void
steady_skip(int64_t ms)
{
    steady_skips_us += ms * 1000;
}

int
clock_gettime(clockid_t id, struct timespec *t)
{
    static _Thread_local int64_t seen_us, now_us;
    if (id == CLOCK_MONOTONIC_COARSE)
        id = CLOCK_MONOTONIC;
    int rc = (int)syscall(SYS_clock_gettime, id, t);
    if (rc != 0 || id != CLOCK_MONOTONIC)
        return rc;
    int64_t us = t->tv_sec * INT64_C(1000000) + t->tv_nsec / 1000, by_us = us - seen_us;
    if (seen_us == 0)
        now_us = us;
    else
        now_us += by_us < STEADY_STEP_MS * 1000 ? by_us : STEADY_STEP_MS * 1000;
    now_us += steady_skips_us;
    steady_skips_us = 0;
    seen_us = us;
    *t =
        (struct timespec){.tv_sec = now_us / 1000000, .tv_nsec = now_us % 1000000 * 1000};
    return 0;
}

static _Atomic int64_t steady_loop_us; /* the loop's time, for other threads */

/* In steps: a longer wait would not be counted, either. */
int
epoll_wait(int fd, struct epoll_event *events, int n, int ms)
{
    int step_ms = ms < 0 || ms > STEADY_STEP_MS ? STEADY_STEP_MS : ms;
    int rc = (int)syscall(SYS_epoll_pwait, fd, events, n, step_ms, NULL, 8);
    int error = errno;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    steady_loop_us = t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
    errno = error;
    return rc;
}

#endif
