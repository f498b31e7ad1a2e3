/* A Modbus TCP server (or RTU over TCP) on the test's own loop that answers wrongly on
 * purpose: each request of its bad unit is answered as the next letter of a script says
 * (fault_answers.h); after the script, and for other units, rightly. All bytes that ever
 * came in are kept to two rules: they are read requests, and whole. */
#ifndef TESTS_FAULTS_FAULT_SERVER_H
#define TESTS_FAULTS_FAULT_SERVER_H

#include <event2/listener.h>
#include <fcntl.h>
#include <termios.h>

#include "tests/faults/fault_answers.h"

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
    return c->dead || server_answer_rtu(c, &req, how);
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
server_connected(struct fault_server *s, int fd)
{
    for (int i = 0; i < SERVER_CONNECTIONS && s->kicks == 0; i++) {
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
    s->kicks -= s->kicks > 0;
    close(fd);
}

static void
server_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                 struct sockaddr *address, int len, void *arg)
{
    (void)listener;
    (void)address;
    (void)len;
    server_connected(arg, fd);
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

static void
server_on_dial(evutil_socket_t none, short what, void *arg)
{
    struct fault_server *s = arg;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(s->dials),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)none;
    (void)what;
    assert(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        event_add(s->dial, &(struct timeval){.tv_usec = SERVER_DIAL_MS * 1000});
        return;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    s->kicks = 0;
    (void)!send(fd, s->packet, strlen(s->packet), MSG_NOSIGNAL);
    server_connected(s, fd);
}

/* A gateway that dials in, and again whenever it was cut off. */
static inline struct fault_server *
server_start_dialling(struct event_base *base, struct clock *clock, const char *script,
                      uint16_t port, const char *packet)
{
    struct fault_server *s = server_new(base, clock, script);
    s->dials = port;
    s->packet = packet;
    s->dial = event_new(base, -1, 0, server_on_dial, s);
    event_add(s->dial, &(struct timeval){.tv_usec = SERVER_DIAL_MS * 1000});
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
    if (s->dial != NULL)
        event_free(s->dial);
    s->dial = NULL;
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
