/* What stands before the fleet: a listener, a dialler or a serial line an endpoint. */
#ifndef DAEMON_SIM_SERVER_H
#define DAEMON_SIM_SERVER_H

#include <lodewatch/fault.h>
#include <lodewatch/time.h>

struct event_base;
struct fleet;
struct server;

struct server_options {
    struct event_base *base;
    struct fleet *fleet;
    lw_wall (*now)(void *arg); /* simulated time, the fleet brought to it */
    void *arg;
};

/* Opens every endpoint, on 127.0.0.1 or as a pseudo terminal. Requests wait until
 * server_begin. LW_EPARSE and LW_EIO with a fault, LW_ENOMEM. */
int server_new(const struct server_options *options, struct lw_faults *faults,
               struct server **ret_server);
void server_free(struct server *server);
void server_begin(struct server *server);

#endif
