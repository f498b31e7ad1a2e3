/* What a fault server answers: the right thing, or wrong as a letter of its script says.
 *
 * The right answer says when it was asked for: the first two registers are the time (in
 * seconds), the next two the unit. So a reading proves by itself that it is not
 * another's. */
#ifndef TESTS_FAULTS_FAULT_ANSWERS_H
#define TESTS_FAULTS_FAULT_ANSWERS_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
    SERVER_KICKS = 3, /* connections that are closed while another client has the place */
    SERVER_DIAL_MS = 20,
};

struct server_connection {
    struct fault_server *server;
    struct event *event;
    int fd;    /* -1: free */
    bool dead; /* hears, and says nothing any more */
    uint8_t in[4096];
    size_t n;
};

struct evconnlistener;

struct fault_server {
    struct event_base *base;
    struct clock *clock;
    struct evconnlistener *listener;
    uint16_t port;
    const char *script;
    bool rtu;       /* frames are RTU's */
    int slave;      /* of a serial line, held open; -1: it is none */
    int kicks;      /* so many connections are closed at once */
    uint16_t dials; /* it dials in at this port, and says who it is; 0: it listens */
    const char *packet;
    struct event *dial;
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
    if (c->server->dial != NULL)
        event_add(c->server->dial, &(struct timeval){.tv_usec = SERVER_DIAL_MS * 1000});
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

/* The whole right answer; that of another unit or request, where it will say that it is
 * one: whoever believes it shall be caught. */
static size_t
server_right(struct server_connection *c, uint16_t transaction,
             const struct lw_mb_request *req, char how, uint8_t *frame)
{
    uint8_t map[2 * 256] = {0};
    uint32_t words[] = {(uint32_t)(clock_now(c->server->clock).wall.ms / 1000),
                        req->unit};
    if (strchr("uif", how) != NULL)
        words[0] = words[1] = 0xdead;
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
    size_t n = server_right(c, transaction, req, how, f);

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
    case 'K': /* another client has taken the only connection, and holds it for a while */
        c->server->kicks = SERVER_KICKS;
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

/* The letters in RTU: those that mean the same there, exceptions too, and
 *   x a wrong CRC     . a heartbeat before the frame   Z later than z
 *   w slow, but in time                            k closed, and on the next connection
 *   a alike: the frame's first three bytes, and then the frame */
static bool
server_answer_rtu(struct server_connection *c, const struct lw_mb_request *req, char how)
{
    static const uint8_t garbage[] = "\xff\xfe garbage \x00\x01",
                         heartbeat[] = "DTU-0001";
    uint8_t mbap[2 * LW_MBAP_MAX], f[2 * LW_MBAP_MAX];
    size_t n = server_right(c, 0, req, how, mbap) - (LW_MBAP_HEADER - 1);
    memcpy(f, mbap + LW_MBAP_HEADER - 1, n);
    switch (how) {
    case 's': /* silent */
        return true;
    case 'q': /* this connection is silent from now on */
        c->dead = true;
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
    case 'b': /* a byte count that the frame does not have */
        f[2] = (uint8_t)(f[2] + 2);
        break;
    case 'e': /* exception without a code */
        f[1] |= 0x80;
        n = 2;
        break;
    case 'o': /* oversize */
        f[2] = 0xfe;
        n = 3 + 0xfe;
        break;
    case 'v': /* no value */
        memset(f + 3, 0xff, n - 3);
        break;
    default: /* an exception: its code */
        if ((how >= '1' && how <= '9') || how == 'A' || how == 'B') {
            f[1] |= 0x80;
            f[2] = (uint8_t)(how <= '9' ? how - '0' : how - 'A' + 10);
            n = 3;
        }
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
    case 'K': /* taken by another client */
        c->server->kicks = how == 'K' ? SERVER_KICKS : 0;
        server_hang_up(c, how == 'r');
        return false;
    default:
        assert(strchr("guflbeov123456789AB", how) != NULL);
    }
    server_send(c, f, n);
    return true;
}

#endif
