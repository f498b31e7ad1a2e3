/* Simulated time: its own (start and rate), or followed from a daemon's clock socket. */
#ifndef DAEMON_SIM_SIM_CLOCK_H
#define DAEMON_SIM_SIM_CLOCK_H

#include <stdbool.h>

#include <lodewatch/time.h>

struct event_base;
struct sim_clock;

struct sim_clock_options {
    lw_wall start;      /* LW_WALL_MIN: now */
    double rate;        /* simulated seconds a second, > 0 */
    const char *follow; /* the daemon's clock.sock; NULL: a clock of its own */
};

struct sim_clock_hooks {
    void (*known)(void *arg); /* the time is known from now on; once */
    void (*lost)(void *arg);  /* nobody serves the socket; once, instead of `known` */
    void *arg;
};

/* LW_EINVAL: the socket's path is too long. A clock of its own is known at once, and
 * calls nothing. */
int sim_clock_new(struct event_base *base, const struct sim_clock_options *options,
                  const struct sim_clock_hooks *hooks, struct sim_clock **ret_clock);
void sim_clock_free(struct sim_clock *clock);
bool sim_clock_known(const struct sim_clock *clock);
/* Only while it is known. */
lw_wall sim_clock_now(const struct sim_clock *clock);

#endif
