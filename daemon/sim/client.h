/* One connection of the fleet's: a client that connected, a master that we dialled, or
 * the master of a serial line. Its requests are answered, rightly or as a fault says. */
#ifndef DAEMON_SIM_CLIENT_H
#define DAEMON_SIM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/time.h>

struct client;
struct event_base;
struct fleet;
struct line;

/* What all connections share. */
struct client_pool {
    struct event_base *base;
    struct fleet *fleet;
    lw_wall (*now)(void *arg); /* simulated time, the fleet brought to it */
    void *arg;
    bool begun; /* before it, requests wait */
};

struct client_options {
    struct line *line;
    int fd; /* the client's from here on */
    bool rtu;
    int64_t char_us; /* a character's time on a serial line; 0: no line is paced */
    int64_t silence_us;
    const void *greeting; /* what it sends first, of greeting_n bytes */
    size_t greeting_n;
    void (*closed)(void *arg, struct client *client); /* it is freed after that */
    void *arg;
};

/* LW_ENOMEM; the fd is closed then, and `closed` not called. */
int client_new(struct client_pool *pool, const struct client_options *options,
               struct client **ret_client);
/* Without a call of `closed`. */
void client_free(struct client *client);
/* The pool has begun. */
void client_begin(struct client *client);

#endif
