/* A Modbus TCP server (or RTU over TCP) on the test's own loop that answers wrongly on
 * purpose: each request of its bad unit is answered as the next letter of a script says;
 * after the script, and for other units, rightly.
 *
 * The right answer says when it was asked for: the first two registers are the time (in
 * seconds), the next two the unit. So a reading proves by itself that it is not
 * another's. All bytes that ever came in are kept to two rules: they are read requests,
 * and whole. */
#ifndef TESTS_FAULTS_FAULT_SERVER_H
#define TESTS_FAULTS_FAULT_SERVER_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <lodewatch/modbus.h>
#include <lodewatch/rtu.h>

#include "daemon/clock.h"

enum {
    SERVER_CONNECTIONS = 64,
    SERVER_LATE_MS = 160,  /* over the shortest timeout, under two of them */
    SERVER_LATER_MS = 250, /* over two of them, and the silence after them */
    SERVER_SLOW_MS = 70,   /* within one */
    SERVER_DRIP_MS = 1,
    SERVER_BAD_UNIT = 1,
};

struct server_connection {
    struct fault_server *server;
    struct event *event;
    int fd;    /* -1: free */
    bool dead; /* hears, and says nothing any more */
    uint8_t in[4096];
    size_t n;
};

struct fault_server {
    struct event_base *base;
    struct clock *clock;
    struct evconnlistener *listener;
    uint16_t port;
    const char *script;
    bool rtu;        /* frames are RTU's */
    int slave;       /* of a serial line, held open; -1: it is none */
    bool one_by_one; /* refuses reads of more than two registers with exception 2 */
    bool slams;      /* closes each connection at once */
    int silent_to;   /* units up to there are silent */
    uint64_t requests, connections;
    uint64_t not_reads; /* must stay 0 */
    int unanswered, unanswered_most;
    struct server_later *later;
    uint8_t owed[2 * LW_MBAP_MAX]; /* what goes out on the next connection */
    size_t nowed;
    struct server_connection connection[SERVER_CONNECTIONS];
};

/* Bytes that go out later, if the connection is still there. */
struct server_later {
    struct server_later *next;
    struct event *event; /* NULL: all has gone out */
    struct server_connection *connection;
    int fd;
    size_t at, n, step;
    uint8_t bytes[2 * LW_MBAP_MAX];
};

static void
server_send(struct server_connection *c, const uint8_t *bytes, size_t n)
{
    if (c->server->slave >= 0)
        (void)!write(c->fd, bytes, n);
    else
        (void)!send(c->fd, bytes, n, MSG_NOSIGNAL);
}

static void
server_hang_up(struct server_connection *c, bool reset)
{
    struct linger linger = {.l_onoff = 1};
    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    event_free(c->event);
    close(c->fd);
    c->fd = -1;
}

static void
server_on_later(evutil_socket_t fd, short what, void *arg)
{
    struct server_later *later = arg;
    (void)fd;
    (void)what;
    size_t left = later->n - later->at;
    size_t n = later->step < left ? later->step : left;
    if (later->connection->fd == later->fd)
        server_send(later->connection, later->bytes + later->at, n);
    later->at += n;
    if (later->at < later->n) {
        event_add(later->event, &(struct timeval){.tv_usec = SERVER_DRIP_MS * 1000});
        return;
    }
    event_free(later->event);
    later->event = NULL;
}

static void
server_send_later(struct server_connection *c, const uint8_t *bytes, size_t n,
                  size_t step, int ms)
{
    struct server_later *later = calloc(1, sizeof *later);
    assert(later != NULL && n <= sizeof later->bytes);
    later->next = c->server->later;
    c->server->later = later;
    later->connection = c;
    later->fd = c->fd;
    later->n = n;
    later->step = step;
    memcpy(later->bytes, bytes, n);
    later->event = event_new(c->server->base, -1, 0, server_on_later, later);
    event_add(later->event, &(struct timeval){.tv_usec = ms * 1000});
}

/* The whole right answer. */
static size_t
server_right(struct server_connection *c, uint16_t transaction,
             const struct lw_mb_request *req, uint8_t *frame)
{
    uint8_t map[2 * 256] = {0};
    uint32_t words[] = {(uint32_t)(clock_now(c->server->clock).wall.ms / 1000),
                        req->unit};
    for (size_t i = 0; i < 2; i++) {
        uint32_t be = htonl(words[i]);
        memcpy(map + 4 * i, &be, 4);
    }
    assert(req->address + req->count <= 256);
    return lw_mbap_answer(transaction, req, map + 2 * req->address, 2u * req->count,
                          frame);
}

/* What the letters mean; false: the connection is gone. */
static bool
server_answer(struct server_connection *c, uint16_t transaction,
              const struct lw_mb_request *req, char how)
{
    static const uint8_t garbage[] = "\xff\xfe garbage \x00\x01";
    uint8_t f[2 * LW_MBAP_MAX];
    size_t n = server_right(c, transaction, req, f);

    switch (how) {
    case 'g': /* good */
        break;
    case 's': /* silent */
        return true;
    case 'q': /* this connection is silent from now on */
        c->dead = true;
        return true;
    case 'd': /* dripping, a byte at a time */
        server_send_later(c, f, n, 1, 1);
        return true;
    case 'h': /* half, and never the rest */
        n /= 2;
        break;
    case 'z': /* late */
        server_send_later(c, f, n, n, SERVER_LATE_MS);
        return true;
    case 'i': /* another transaction's */
        f[1] ^= 0x55;
        break;
    case 'u': /* another unit's */
        f[6] ^= 0x10;
        break;
    case 'f': /* another function's */
        f[7] = f[7] == 3 ? 4 : 3;
        break;
    case 'l': /* fewer registers than asked for */
        f[5] = (uint8_t)(f[5] - 2);
        f[8] = (uint8_t)(f[8] - 2);
        n -= 2;
        break;
    case 'b': /* a byte count that the frame does not have */
        f[8] = (uint8_t)(f[8] + 2);
        break;
    case 'e': /* exception without a code */
        f[7] |= 0x80;
        f[5] = 2;
        n = 8;
        break;
    case 'o': /* oversize */
        f[4] = 0x12;
        break;
    case 'p': /* another protocol */
        f[2] = 0x47;
        break;
    case 'n': /* garbage before the frame */
        server_send(c, garbage, sizeof garbage);
        break;
    case 'm': /* garbage after the frame */
        server_send(c, f, n);
        server_send(c, garbage, sizeof garbage);
        return true;
    case 't': /* twice */
        server_send(c, f, n);
        break;
    case 'v': /* no value */
        memset(f + 9, 0xff, n - 9);
        break;
    case 'r': /* reset */
        server_hang_up(c, true);
        return false;
    case 'c': /* closed */
        server_hang_up(c, false);
        return false;
    default: /* an exception: its code */
        assert((how >= '1' && how <= '9') || how == 'A' || how == 'B');
        n = lw_mbap_exception(transaction, req->unit, req->function,
                              (uint8_t)(how <= '9' ? how - '0' : how - 'A' + 10), f);
    }
    server_send(c, f, n);
    return true;
}

/* The letters in RTU: those that mean the same there, and
 *   x a wrong CRC     . a heartbeat before the frame   Z later than z
 *   w slow, but in time                            k closed, and on the next connection
 *   a alike: the frame's first three bytes, and then the frame */
static bool
server_answer_rtu(struct server_connection *c, const struct lw_mb_request *req, char how)
{
    static const uint8_t garbage[] = "\xff\xfe garbage \x00\x01",
                         heartbeat[] = "DTU-0001";
    uint8_t mbap[2 * LW_MBAP_MAX], f[2 * LW_MBAP_MAX];
    size_t n = server_right(c, 0, req, mbap) - (LW_MBAP_HEADER - 1);
    memcpy(f, mbap + LW_MBAP_HEADER - 1, n);
    switch (how) {
    case 's': /* silent */
        return true;
    case 'u': /* another unit's */
        f[0] ^= 0x10;
        break;
    case 'f': /* another function's */
        f[1] = f[1] == 3 ? 4 : 3;
        break;
    case 'l': /* fewer registers than asked for */
        f[2] = (uint8_t)(f[2] - 2);
        n -= 2;
        break;
    case '2': /* exception 2 */
        f[1] |= 0x80;
        f[2] = 2;
        n = 3;
        break;
    default:
        break;
    }
    n = lw_rtu_seal(f, n);
    switch (how) {
    case 'd': /* dripping, a byte at a time */
        server_send_later(c, f, n, 1, 1);
        return true;
    case 'z': /* late */
        server_send_later(c, f, n, n, SERVER_LATE_MS);
        return true;
    case 'w': /* slow */
        server_send_later(c, f, n, n, SERVER_SLOW_MS);
        return true;
    case 'Z': /* later still */
        server_send_later(c, f, n, n, SERVER_LATER_MS);
        return true;
    case 'k': /* closed; a serial server has the answer for whoever comes next */
        memcpy(c->server->owed, f, n);
        c->server->nowed = n;
        server_hang_up(c, false);
        return false;
    case 'h': /* half, and never the rest */
        n /= 2;
        break;
    case 'x':
        f[n - 1] ^= 1;
        break;
    case 'n': /* garbage before the frame */
        server_send(c, garbage, sizeof garbage);
        break;
    case 'm': /* garbage after the frame */
        server_send(c, f, n);
        server_send(c, garbage, sizeof garbage);
        return true;
    case '.':
        server_send(c, heartbeat, sizeof heartbeat - 1);
        break;
    case 'a':
        server_send(c, f, 3);
        break;
    case 't': /* twice */
        server_send(c, f, n);
        break;
    case 'r': /* reset */
    case 'c': /* closed */
        server_hang_up(c, how == 'r');
        return false;
    default:
        assert(strchr("gufl2", how) != NULL);
    }
    server_send(c, f, n);
    return true;
}

static bool
server_take_rtu(struct server_connection *c, const uint8_t *frame)
{
    struct fault_server *s = c->server;
    struct lw_mb_request req = {0};
    const uint8_t *pdu;
    size_t n;
    s->requests++;
    if (lw_rtu_take_request(frame, LW_RTU_REQUEST, &req.unit, &pdu, &n) < 0 ||
        lw_mb_parse_request(pdu, n, &req) != 0) {
        s->not_reads++;
        return true;
    }
    char how = 'g';
    if (req.unit == SERVER_BAD_UNIT && *s->script != '\0')
        how = *s->script++;
    return server_answer_rtu(c, &req, how);
}

static bool
server_take(struct server_connection *c, const uint8_t *frame)
{
    struct fault_server *s = c->server;
    struct lw_mb_request req = {.unit = frame[6]};
    uint16_t transaction = (uint16_t)(frame[0] << 8 | frame[1]);
    bool whole = frame[2] == 0 && frame[3] == 0 && frame[4] == 0 && frame[5] == 6;

    s->requests++;
    if (!whole || frame[7] < 1 || frame[7] > 4 || lw_mb_parse_request(frame + 7, 5, &req))
        s->not_reads++;
    char how = 'g';
    if (req.unit == SERVER_BAD_UNIT && *s->script != '\0')
        how = *s->script++;
    if (s->one_by_one && req.count > 2)
        how = '2';
    return c->dead || req.unit <= s->silent_to ||
           server_answer(c, transaction, &req, how);
}

static void
server_on_bytes(evutil_socket_t fd, short what, void *arg)
{
    struct server_connection *c = arg;
    (void)what;
    ssize_t got = read(fd, c->in + c->n, sizeof c->in - c->n);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            server_hang_up(c, false);
        return;
    }
    c->n += (size_t)got;
    size_t at = 0, size = c->server->rtu ? LW_RTU_REQUEST : LW_MBAP_REQUEST;
    c->server->unanswered = (int)(c->n / size);
    if (c->server->unanswered > c->server->unanswered_most)
        c->server->unanswered_most = c->server->unanswered;
    for (; c->n - at >= size; at += size)
        if (!(c->server->rtu ? server_take_rtu : server_take)(c, c->in + at))
            return;
    c->n -= at;
    memmove(c->in, c->in + at, c->n);
}

static void
server_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                 struct sockaddr *address, int len, void *arg)
{
    struct fault_server *s = arg;
    (void)listener;
    (void)address;
    (void)len;
    for (int i = 0; i < SERVER_CONNECTIONS; i++) {
        struct server_connection *c = &s->connection[i];
        if (c->fd >= 0)
            continue;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        *c = (struct server_connection){.server = s, .fd = fd};
        c->event = event_new(s->base, fd, EV_READ | EV_PERSIST, server_on_bytes, c);
        event_add(c->event, NULL);
        s->connections++;
        if (s->slams)
            server_hang_up(c, false);
        else if (s->nowed > 0)
            server_send(c, s->owed, s->nowed);
        s->nowed = 0;
        return;
    }
    close(fd);
}

static struct fault_server *
server_new(struct event_base *base, struct clock *clock, const char *script)
{
    struct fault_server *s = calloc(1, sizeof *s);
    assert(s != NULL);
    s->base = base;
    s->clock = clock;
    s->script = script;
    s->slave = -1;
    for (int i = 0; i < SERVER_CONNECTIONS; i++)
        s->connection[i].fd = -1;
    return s;
}

static struct fault_server *
server_start(struct event_base *base, struct clock *clock, const char *script)
{
    struct fault_server *s = server_new(base, clock, script);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    s->listener = evconnlistener_new_bind(base, server_on_accept, s,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 16,
                                          (struct sockaddr *)&address, sizeof address);
    assert(s->listener != NULL);
    getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&address, &len);
    s->port = ntohs(address.sin_port);
    return s;
}

/* A serial line instead: `link` is made a link to a terminal at whose other end the
 * server is. */
static inline struct fault_server *
server_start_line(struct event_base *base, struct clock *clock, const char *script,
                  const char *link)
{
    struct fault_server *s = server_new(base, clock, script);
    struct server_connection *c = &s->connection[0];
    struct termios raw;
    char name[64];
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    s->rtu = true;
    assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    assert(ptsname_r(master, name, sizeof name) == 0);
    s->slave = open(name, O_RDWR | O_NOCTTY);
    assert(s->slave >= 0 && tcgetattr(s->slave, &raw) == 0);
    cfmakeraw(&raw);
    tcsetattr(s->slave, TCSANOW, &raw);
    unlink(link);
    assert(symlink(name, link) == 0);
    *c = (struct server_connection){.server = s, .fd = master};
    c->event = event_new(base, master, EV_READ | EV_PERSIST, server_on_bytes, c);
    event_add(c->event, NULL);
    return s;
}

static void
server_stop(struct fault_server *s)
{
    if (s == NULL)
        return;
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    if (s->slave >= 0)
        close(s->slave);
    for (int i = 0; i < SERVER_CONNECTIONS; i++)
        if (s->connection[i].fd >= 0)
            server_hang_up(&s->connection[i], false);
    for (struct server_later *later = s->later, *next; later != NULL; later = next) {
        next = later->next;
        if (later->event != NULL)
            event_free(later->event);
        free(later);
    }
    free(s);
}

#endif
