/* Gateways that dial in: a socket on which several are awaited, each known by its
 * registration packet. What a stranger sends is refused, counted and, now and then,
 * logged. */
#ifndef DAEMON_POLL_LISTENER_H
#define DAEMON_POLL_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/socket.h>

#include <lodewatch/registration.h>

#include "daemon/poll/poller.h"

struct event_base;
struct listener;

enum {
    LISTENER_WAITING = 256, /* connections that have not said yet who they are */
    LISTENER_REGISTER_S = 15,
    LISTENER_QUIET_MS = 200,  /* nothing may follow a registration packet for so long; */
    LISTENER_DOUBT_MS = 1000, /* or so long, where it may be the beginning of another */
    LISTENER_REBIND_S = 5,
    LISTENER_LOG_S = 60, /* a line about refusals, at most */
};

/* A gateway has dialled in: its socket, the callee's from now on. */
typedef void dialled_in_fn(void *arg, int fd);

/* Listens from the loop's next turn on, and tries again every LISTENER_REBIND_S where the
 * address is taken. `name` is borrowed. LW_ENOMEM. */
int listener_new(struct event_base *base, const struct sockaddr *address,
                 socklen_t address_len, const char *name, struct listener **ret_listener);
void listener_free(struct listener *listener);
bool listener_is_at(const struct listener *listener,
                    const struct sockaddr_storage *address, socklen_t address_len);
/* LW_ENOMEM. */
int listener_await(struct listener *listener, const struct lw_registration *registration,
                   dialled_in_fn *dialled_in, void *arg);
const struct registration_counts *listener_counts(const struct listener *listener);

#endif
