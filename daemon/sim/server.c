/* Modbus TCP gateways. Requests are answered as they come, into one buffer a connection;
 * only a faulty answer (slow, late, in pieces) waits in a queue for its time. A client
 * that does not read its answers is not read from. */
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

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/sim/fleet.h"
#include "daemon/sim/shapes.h"

enum {
    IN_BYTES = 1024,
    OUT_BYTES = 4096,
    CLIENTS = 64,  /* of one endpoint */
    WAITING = 256, /* answers of one connection that wait for their time */
    PIECE_US = 5000,
};

struct port;

/* Bytes that leave at `due_us`, in that order. */
struct chunk {
    struct chunk *next;
    int64_t due_us;
    size_t n;
    uint8_t data[LW_MBAP_MAX];
};

struct client {
    struct port *port;
    struct client *next, **prev;
    evutil_socket_t fd;
    struct event *readable, *writable, *timer;
    struct chunk *waiting;
    int nwaiting;
    int64_t line_free_us; /* the line behind the gateway is busy until then */
    int64_t answers;
    bool closing; /* when all is written */
    size_t in_n, out_n;
    uint8_t in[IN_BYTES], out[OUT_BYTES];
};

struct port {
    struct server *server;
    struct line *line;
    struct evconnlistener *listener;
    struct client *clients;
    int nclients;
};

struct server {
    struct server_options of;
    struct port *port;
    size_t nports;
    bool begun;
};

static void
close_client(struct client *c)
{
    while (c->waiting) {
        struct chunk *next = c->waiting->next;
        free(c->waiting);
        c->waiting = next;
    }
    if (c->readable)
        event_free(c->readable);
    if (c->writable)
        event_free(c->writable);
    if (c->timer)
        event_free(c->timer);
    close(c->fd);
    *c->prev = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->port->nclients--;
    free(c);
}

/* ---- out ---- */

/* False: the client is gone and must be closed. */
static bool
flush(struct client *c)
{
    size_t sent = 0;
    while (sent < c->out_n) {
        ssize_t n = send(c->fd, c->out + sent, c->out_n - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    c->out_n -= sent;
    memmove(c->out, c->out + sent, c->out_n);
    if (c->out_n > 0)
        event_add(c->writable, NULL);
    return !(c->closing && c->out_n == 0 && !c->waiting);
}

static void
set_timer(struct client *c)
{
    if (!c->waiting)
        return;
    int64_t us = c->waiting->due_us - clock_io_us();
    if (us < 0)
        us = c->out_n > 0 ? PIECE_US : 0; /* the client does not read */
    event_add(c->timer,
              &(struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000});
}

/* Lets bytes wait for their time; too many are dropped, as a gateway would. */
static void
hold(struct client *c, int64_t due_us, const uint8_t *data, size_t n)
{
    struct chunk **at = &c->waiting;
    struct chunk *chunk = c->nwaiting < WAITING ? malloc(sizeof *chunk) : NULL;
    if (!chunk)
        return;
    chunk->due_us = due_us;
    chunk->n = n;
    memcpy(chunk->data, data, n);
    while (*at && (*at)->due_us <= due_us)
        at = &(*at)->next;
    chunk->next = *at;
    *at = chunk;
    c->nwaiting++;
    set_timer(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    int64_t now = clock_io_us();

    (void)fd;
    (void)what;
    while (c->waiting && c->waiting->due_us <= now &&
           c->out_n + c->waiting->n <= OUT_BYTES) {
        struct chunk *chunk = c->waiting;
        memcpy(c->out + c->out_n, chunk->data, chunk->n);
        c->out_n += chunk->n;
        c->waiting = chunk->next;
        c->nwaiting--;
        free(chunk);
    }
    set_timer(c);
    if (!flush(c))
        close_client(c);
}

/* ---- answering ---- */

struct answer {
    size_t n;
    uint8_t frame[LW_MBAP_MAX];
};

/* A frame's worth of bytes that are no Modbus at all, other ones each time. */
static void
garbage(struct client *c, struct answer *a)
{
    a->n = 12 + (size_t)(shape_noise((uint64_t)c->answers, 1) * 30);
    for (size_t i = 0; i < a->n; i++)
        a->frame[i] = (uint8_t)(shape_noise((uint64_t)c->answers, 2 + (int64_t)i) * 256);
}

/* serve() has made room. */
static void
put(struct client *c, const struct answer *a)
{
    memcpy(c->out + c->out_n, a->frame, a->n);
    c->out_n += a->n;
}

/* Hands the answer on as the unit's faults say. */
static void
send_answer(struct client *c, const struct sim_fault *faults, lw_wall t, struct answer *a)
{
    const struct sim_fault *slow = sim_fault_at(faults, SIM_SLOW, t);
    const struct sim_fault *late = sim_fault_at(faults, SIM_LATE, t);
    const struct sim_fault *split = sim_fault_at(faults, SIM_SPLIT, t);

    if (!faults && c->line_free_us == 0) { /* the common case reads no clock */
        put(c, a);
        return;
    }
    int64_t now = clock_io_us();
    if (late) {
        /* The gateway goes on with other requests meanwhile. */
        hold(c, now + late->arg * 1000, a->frame, a->n);
        return;
    }
    int64_t start = c->line_free_us > now ? c->line_free_us : now;
    if (slow)
        start += slow->arg * 1000;
    else if (!split && start == now) {
        put(c, a);
        return;
    }
    size_t piece = split ? (size_t)split->arg : a->n;
    for (size_t at = 0; at < a->n; at += piece, start += PIECE_US)
        hold(c, start, a->frame + at, a->n - at < piece ? a->n - at : piece);
    c->line_free_us = split ? start - PIECE_US : start;
}

static void
answer(struct client *c, const struct lw_mbap_frame *frame, lw_wall t)
{
    struct unit *unit = c->port->line->unit[frame->unit];
    struct lw_mb_request req = {.unit = frame->unit};
    const struct sim_fault *faults = unit ? unit->faults : NULL, *f;
    uint8_t data[2 * LW_MB_REGISTERS_MAX];
    uint16_t transaction = frame->transaction;
    struct answer a;

    if (faults && sim_fault_at(faults, SIM_SILENT, t))
        return;
    int code = lw_mb_parse_request(frame->pdu, frame->pdu_len, &req);
    if (code == 0 || !unit)
        code = fleet_answer(c->port->server->of.fleet, unit, t, &req, data);
    if (code == FLEET_SILENT)
        return;
    if (faults) {
        if (sim_fault_at(faults, SIM_WRONG_ID, t))
            transaction ^= 0x5555;
        if (sim_fault_at(faults, SIM_WRONG_UNIT, t))
            req.unit++;
        if ((f = sim_fault_at(faults, SIM_EXCEPTION, t)))
            code = (int)f->arg;
    }
    if (code > 0)
        a.n = lw_mbap_exception(transaction, req.unit, frame->pdu[0], (uint8_t)code,
                                a.frame);
    else
        a.n = lw_mbap_answer(transaction, &req, data, 2u * req.count, a.frame);
    c->answers++;
    if (faults && sim_fault_at(faults, SIM_GARBAGE, t))
        garbage(c, &a);
    send_answer(c, faults, t, &a);

    f = sim_fault_at(c->port->line->faults, SIM_RECONNECT, t);
    if (f && c->answers >= f->arg)
        c->closing = true;
}

/* Answers what is whole in the buffer. False: close. */
static bool
serve(struct client *c)
{
    size_t used = 0;
    bool good = true;
    lw_wall t = c->port->server->of.now(c->port->server->of.arg);

    while (good && !c->closing) {
        struct lw_mbap_frame frame;
        int n = lw_mbap_next(c->in + used, c->in_n - used, &frame);
        if (n == LW_EAGAIN)
            break;
        if (n < 0)
            return false; /* no Modbus TCP: a gateway hangs up */
        if (c->out_n + LW_MBAP_MAX > OUT_BYTES)
            good = flush(c);
        if (c->out_n + LW_MBAP_MAX > OUT_BYTES)
            break; /* on_writable comes back here */
        answer(c, &frame, t);
        used += (size_t)n;
    }
    c->in_n -= used;
    memmove(c->in, c->in + used, c->in_n);
    return good && flush(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;

    (void)fd;
    (void)what;
    event_add(c->readable, NULL);
    if (!flush(c) || !serve(c))
        close_client(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;

    (void)what;
    if (c->in_n == IN_BYTES) {
        event_del(c->readable); /* it does not read our answers; on_writable goes on */
        return;
    }
    ssize_t n = recv(fd, c->in + c->in_n, IN_BYTES - c->in_n, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->in_n += (size_t)n;
    if (n <= 0 || !serve(c))
        close_client(c);
}

/* ---- connections ---- */

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
          int address_n, void *arg)
{
    struct port *port = arg;
    struct server *server = port->server;
    struct client *c = NULL;
    bool full = port->nclients >= CLIENTS;

    (void)listener;
    (void)address;
    (void)address_n;
    if (server->begun && port->nclients > 0 &&
        sim_fault_at(port->line->faults, SIM_ONE_CONNECTION,
                     server->of.now(server->of.arg)))
        full = true;
    if (!full)
        c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    c->port = port;
    c->fd = fd;
    c->next = port->clients;
    c->prev = &port->clients;
    if (c->next)
        c->next->prev = &c->next;
    port->clients = c;
    port->nclients++;
    c->readable = event_new(server->of.base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(server->of.base, fd, EV_WRITE, on_writable, c);
    c->timer = evtimer_new(server->of.base, on_timer, c);
    if (!c->readable || !c->writable || !c->timer ||
        (server->begun && event_add(c->readable, NULL) < 0))
        close_client(c);
}

static int
listen_on(struct port *port, struct lw_faults *faults)
{
    struct sockaddr_storage address;
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    int n = sizeof address;

    if (evutil_parse_sockaddr_port(port->line->address, (struct sockaddr *)&address, &n) <
            0 ||
        address.ss_family != AF_INET || in->sin_addr.s_addr != htonl(INADDR_LOOPBACK) ||
        in->sin_port == 0) {
        lw_fault_add(faults, "gateways.csv", 0, 0,
                     "the address %s: the simulator serves 127.0.0.1:port alone",
                     port->line->address);
        return LW_EPARSE;
    }
    port->listener = evconnlistener_new_bind(
        port->server->of.base, on_accept, port,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 128,
        (struct sockaddr *)&address, n);
    if (!port->listener) {
        lw_fault_add(faults, "gateways.csv", 0, 0, "cannot listen on %s: %s",
                     port->line->address, strerror(errno));
        return LW_EIO;
    }
    return 0;
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
    server->of = *options;
    server->nports = fleet_lines(options->fleet, &lines);
    server->port = calloc(server->nports + 1, sizeof *server->port);
    if (!server->port)
        goto out;
    rc = 0;
    for (size_t i = 0; i < server->nports && rc == 0; i++) {
        server->port[i].server = server;
        server->port[i].line = &lines[i];
        rc = listen_on(&server->port[i], faults);
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
    for (size_t i = 0; server->port && i < server->nports; i++) {
        while (server->port[i].clients)
            close_client(server->port[i].clients);
        if (server->port[i].listener)
            evconnlistener_free(server->port[i].listener);
    }
    free(server->port);
    free(server);
}

void
server_begin(struct server *server)
{
    server->begun = true;
    for (size_t i = 0; i < server->nports; i++)
        for (struct client *c = server->port[i].clients; c; c = c->next)
            event_add(c->readable, NULL);
}
