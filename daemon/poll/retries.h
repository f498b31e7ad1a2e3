/* When each line that is down is tried for again: on the schedule's time, one timer for
 * all. */
#ifndef DAEMON_POLL_RETRIES_H
#define DAEMON_POLL_RETRIES_H

#include <stdint.h>

#include <lodewatch/schedule.h>

#include "daemon/clock.h"

struct retries {
    struct lw_due *due; /* by line */
    struct clock_timer timer;
    void (*retry)(void *arg, int32_t line);
    void *arg;
};

/* Lines are 0..n-1. LW_ENOMEM. */
int retries_init(struct retries *retries, struct clock *clock, int32_t n,
                 void (*retry)(void *arg, int32_t line), void *arg);
void retries_clear(struct retries *retries);
void retries_set(struct retries *retries, int32_t line, lw_mono at);
void retries_remove(struct retries *retries, int32_t line);

#endif
