/* What stands before the fleet: an address to connect to, a connection that we make, or a
 * pseudo terminal, as the gateway's transport has it. */
#include "daemon/sim/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>

#include <lodewatch/registration.h>
#include <lodewatch/rtu.h>

#include "daemon/sim/client.h"
#include "daemon/sim/fleet.h"
#include "daemon/sim/pty.h"

enum {
    CLIENTS = 64, /* of one endpoint */
    REDIAL_S = 1,
};

struct port {
    struct server *server;
    struct line *line;
    struct sockaddr_in address;
    struct evconnlistener *listener;
    struct event *dial; /* the connect, or the time until the next */
    int dialling;       /* its socket; -1 */
    struct lw_registration registration;
    struct pty pty;
    int nclients;
    struct client *client[CLIENTS];
};

struct server {
    struct client_pool pool;
    struct port *port;
    size_t nports;
};

static void redial_later(struct port *port);

/* ---- clients ---- */

static void
on_closed(void *arg, struct client *client)
{
    struct port *port = arg;
    int i = 0;
    while (port->client[i] != client)
        i++;
    port->client[i] = port->client[--port->nclients];
    if (port->dial)
        redial_later(port);
}

static void
add_client(struct port *port, const struct client_options *more)
{
    enum lw_transport transport = port->line->gateway->transport;
    struct client_options options = *more;
    options.line = port->line;
    options.rtu = transport != LW_TCP && transport != LW_DIAL_IN_TCP;
    options.closed = on_closed;
    options.arg = port;
    if (client_new(&port->server->pool, &options, &port->client[port->nclients]) == 0)
        port->nclients++;
    else if (port->dial)
        redial_later(port);
}

/* ---- those that are connected to ---- */

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
          int address_n, void *arg)
{
    struct port *port = arg;
    struct client_pool *pool = &port->server->pool;
    bool full = port->nclients >= CLIENTS;

    (void)listener;
    (void)address;
    (void)address_n;
    if (pool->begun && port->nclients > 0 &&
        sim_fault_at(port->line->faults, SIM_ONE_CONNECTION, pool->now(pool->arg)))
        full = true;
    if (full) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    add_client(port, &(struct client_options){.fd = fd});
}

static int
listen_on(struct port *port, struct lw_faults *faults)
{
    port->listener = evconnlistener_new_bind(
        port->server->pool.base, on_accept, port,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 128,
        (struct sockaddr *)&port->address, sizeof port->address);
    if (port->listener)
        return 0;
    lw_fault_add(faults, "gateways.csv", 0, 0, "cannot listen on %s: %s",
                 port->line->gateway->address, strerror(errno));
    return LW_EIO;
}

/* ---- those that dial in to the daemon ---- */

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct port *port = arg;
    int error = 0;
    socklen_t n = sizeof error;

    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0) {
        redial_later(port);
        return;
    }
    port->dialling = -1;
    add_client(port, &(struct client_options){.fd = fd,
                                              .greeting = port->registration.bytes,
                                              .greeting_n = port->registration.n});
}

static void
dial(evutil_socket_t none, short what, void *arg)
{
    struct port *port = arg;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)none;
    (void)what;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    port->dialling = fd;
    if (fd < 0 || (connect(fd, (struct sockaddr *)&port->address, sizeof port->address) &&
                   errno != EINPROGRESS)) {
        redial_later(port);
        return;
    }
    event_assign(port->dial, port->server->pool.base, fd, EV_WRITE, on_connected, port);
    event_add(port->dial, NULL);
}

static void
redial_later(struct port *port)
{
    event_del(port->dial);
    if (port->dialling >= 0)
        close(port->dialling);
    port->dialling = -1;
    event_assign(port->dial, port->server->pool.base, -1, 0, dial, port);
    event_add(port->dial, &(struct timeval){.tv_sec = REDIAL_S});
}

static int
dial_in(struct port *port, struct lw_faults *faults)
{
    const char *text = port->line->gateway->registration;
    if (lw_registration_parse(text, &port->registration) != 0) {
        lw_fault_add(faults, "gateways.csv", 0, 0, "the registration \"%.80s\" of %s",
                     text, port->line->gateway->id);
        return LW_EPARSE;
    }
    port->dial = event_new(port->server->pool.base, -1, 0, dial, port);
    if (!port->dial)
        return LW_ENOMEM;
    event_add(port->dial, &(struct timeval){.tv_usec = 0});
    return 0;
}

/* ---- serial lines ---- */

static int
open_line(struct port *port, struct lw_faults *faults)
{
    const struct lw_gateway *g = port->line->gateway;
    int rc = pty_open(g->address, faults, &port->pty);
    if (rc < 0)
        return rc;
    int64_t bits = lw_rtu_bits(g->parity != LW_PARITY_NONE, g->stop_bits);
    int64_t char_us = (bits * 1000000 + g->baud - 1) / g->baud;
    add_client(port, &(struct client_options){
                         .fd = port->pty.master,
                         .char_us = char_us,
                         .silence_us = g->baud > 19200 ? 1750 : char_us * 7 / 2,
                     });
    return port->nclients == 1 ? 0 : LW_ENOMEM;
}

/* ---- all of them ---- */

/* 127.0.0.1 alone; a daemon that listens on all its addresses does so there, too. */
static int
parse_address(struct port *port, struct lw_faults *faults)
{
    const struct lw_gateway *g = port->line->gateway;
    struct sockaddr_storage address;
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    int n = sizeof address;
    bool dials = g->transport == LW_DIAL_IN_TCP || g->transport == LW_DIAL_IN_RTU;

    if (evutil_parse_sockaddr_port(g->address, (struct sockaddr *)&address, &n) == 0 &&
        address.ss_family == AF_INET && in->sin_port != 0 &&
        (in->sin_addr.s_addr == htonl(INADDR_LOOPBACK) ||
         (dials && in->sin_addr.s_addr == htonl(INADDR_ANY)))) {
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        port->address = *in;
        return 0;
    }
    lw_fault_add(faults, "gateways.csv", 0, 0,
                 "the address %s: the simulator serves 127.0.0.1:port alone", g->address);
    return LW_EPARSE;
}

static int
open_port(struct port *port, struct lw_faults *faults)
{
    enum lw_transport transport = port->line->gateway->transport;
    if (transport == LW_RTU)
        return open_line(port, faults);
    int rc = parse_address(port, faults);
    if (rc < 0)
        return rc;
    return transport == LW_DIAL_IN_TCP || transport == LW_DIAL_IN_RTU
               ? dial_in(port, faults)
               : listen_on(port, faults);
}

int
server_new(const struct server_options *options, struct lw_faults *faults,
           struct server **ret_server)
{
    struct server *server = calloc(1, sizeof *server);
    struct line *lines;
    int rc = LW_ENOMEM;

    if (!server)
        return rc;
    server->pool = (struct client_pool){.base = options->base,
                                        .fleet = options->fleet,
                                        .now = options->now,
                                        .arg = options->arg};
    size_t n = fleet_lines(options->fleet, &lines);
    server->port = calloc(n + 1, sizeof *server->port);
    if (!server->port)
        goto out;
    rc = 0;
    for (; server->nports < n && rc == 0; server->nports++) {
        struct port *port = &server->port[server->nports];
        port->server = server;
        port->line = &lines[server->nports];
        port->dialling = -1;
        port->pty = PTY_NONE;
        rc = open_port(port, faults);
    }
    if (rc == 0) {
        *ret_server = server;
        server = NULL;
    }
out:
    server_free(server);
    return rc;
}

void
server_free(struct server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->nports; i++) {
        struct port *port = &server->port[i];
        while (port->nclients > 0)
            client_free(port->client[--port->nclients]);
        if (port->listener)
            evconnlistener_free(port->listener);
        if (port->dial)
            event_free(port->dial);
        if (port->dialling >= 0)
            close(port->dialling);
        pty_close(&port->pty);
    }
    free(server->port);
    free(server);
}

void
server_begin(struct server *server)
{
    server->pool.begun = true;
    for (size_t i = 0; i < server->nports; i++)
        for (int c = 0; c < server->port[i].nclients; c++)
            client_begin(server->port[i].client[c]);
}
