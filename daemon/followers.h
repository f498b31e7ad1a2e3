/* The followers of a simulated clock: processes that move their time with it, and without
 * whom it does not move on (the protocol is in clock.h). */
#ifndef DAEMON_FOLLOWERS_H
#define DAEMON_FOLLOWERS_H

#include <stdbool.h>

#include <lodewatch/time.h>

struct event_base;
struct followers;

/* Time may move on: all have followed, or nobody came in time. */
typedef void followers_ready(void *arg);

/* Listens at `path`, a Unix socket for the same user alone; waits for the first follower.
 * LW_EINVAL (a path too long), LW_EIO, LW_ENOMEM. */
int followers_new(struct event_base *base, const char *path, lw_wall now,
                  followers_ready *ready, void *arg, struct followers **ret_followers);
void followers_free(struct followers *followers);

/* It is `now`. Returns whether there is anybody to wait for. */
bool followers_tell(struct followers *followers, lw_wall now);
bool followers_waiting(const struct followers *followers);

#endif
