/* The daemon as a whole: what main.c starts, reloads and stops. Private to main.c,
 * start.c and reload.c. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>

#include <lodewatch/fault.h>
#include <lodewatch/time.h>

#include "daemon/clock.h"
#include "daemon/rooms.h"
#include "daemon/setup.h"

struct event;

struct arguments {
    const char *config;
    const char *record; /* NULL: no recording */
    bool check;
    bool simulated;
    lw_wall start;
    double rate;
};

struct daemon {
    struct arguments arguments;
    struct setup setup;
    struct rooms rooms;
    struct service *service;
    struct clock_timer tick;
    struct event *settle; /* while stopping */
    lw_mono settle_end;
};

/* Starts every room but the loop, which is there. Logs what is no fault of an input. */
int daemon_start(struct daemon *d, struct lw_faults *faults);
/* Stops taking anything in; quits the loop once what is in has left, or after 4 s. */
void daemon_stop(struct daemon *d);
void daemon_finish(struct daemon *d);

/* Single rooms, for a reload; what they need is in `config`. On failure the old one
 * stays, but for the poller and the store, which are not there then. */
int daemon_start_notify(struct daemon *d, const struct config *config);
int daemon_start_poller(struct daemon *d, struct lw_faults *faults);
int daemon_start_store(struct daemon *d, const struct config *config);
int daemon_start_http(struct daemon *d, const struct config *config,
                      struct lw_faults *faults);

/* SIGHUP: everything anew, or nothing and the reasons logged. */
void daemon_reload(struct daemon *d);

#endif
