/* Accepting, and finding out who it is. A registration packet has no end of its own: it
 * is whole when exactly a known one has come and nothing follows for a moment, so that
 * DTU-10, which nobody knows, is not taken for DTU-1. */
#include "daemon/poll/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/poll/stream.h"

/* Who is awaited. */
struct awaited {
    struct lw_registration registration;
    dialled_in_fn *dialled_in;
    void *arg;
};

/* A connection that has not said yet who it is. */
struct waiting {
    struct listener *listener;
    struct waiting *next, **prev;
    struct event *readable; /* with a timeout: the deadline, then the moment of quiet */
    int fd;
    int64_t deadline_us;
    struct awaited *whole; /* of whom this is the packet, if nothing follows */
    bool doubt;            /* it may become another's */
    size_t n;
    uint8_t data[LW_REGISTRATION_PACKET_MAX];
    char peer[64];
};

struct listener {
    struct event_base *base;
    struct sockaddr_storage address;
    socklen_t address_len;
    const char *name;
    struct evconnlistener *socket;
    struct event *bind_timer;
    bool bind_failed; /* and that was said */
    struct awaited *awaited;
    size_t nawaited;
    struct waiting *waiting;
    struct registration_counts counts;
    int64_t quiet_until_us; /* no line about refusals before */
    uint64_t unsaid;
};

static void
remove_waiting(struct waiting *w)
{
    struct listener *l = w->listener;
    if (w->readable != NULL)
        event_free(w->readable);
    if (w->fd >= 0)
        close(w->fd);
    *w->prev = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    free(w);
    l->counts.waiting--;
    if (l->socket != NULL)
        evconnlistener_enable(l->socket);
}

/* What came in, in the form that the ledger has for it. */
static const char *
text_of(const struct waiting *w, char *text, size_t cap)
{
    size_t n = w->n < LW_REGISTRATION_MAX ? w->n : LW_REGISTRATION_MAX, at = 0;
    bool plain = true;
    while (n > 0 && (w->data[n - 1] == '\r' || w->data[n - 1] == '\n'))
        n--;
    for (size_t i = 0; i < n; i++)
        plain &= w->data[i] >= ' ' && w->data[i] < 0x7f;
    if (plain) {
        snprintf(text, cap, "%.*s", (int)n, (const char *)w->data);
        return text;
    }
    at += (size_t)snprintf(text, cap, "hex:");
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, cap - at, "%02x", w->data[i]);
    return text;
}

static void
say_refused(struct waiting *w, const char *why)
{
    struct listener *l = w->listener;
    int64_t now_us = clock_io_us();
    if (now_us < l->quiet_until_us) {
        l->unsaid++;
        return;
    }
    char text[2 * LW_REGISTRATION_MAX + 8];
    log_warn("%s: refused %s: %s \"%s\" (%llu more since the last such line)", l->name,
             w->peer, why, text_of(w, text, sizeof text), (unsigned long long)l->unsaid);
    l->unsaid = 0;
    l->quiet_until_us = now_us + (int64_t)LISTENER_LOG_S * 1000000;
}

static void
refuse(struct waiting *w, uint64_t *count, const char *why)
{
    (*count)++;
    say_refused(w, why);
    remove_waiting(w);
}

/* Whose packet it is, or may become. */
static enum lw_registration_match
find(struct waiting *w)
{
    struct listener *l = w->listener;
    enum lw_registration_match best = LW_REGISTRATION_NO;
    w->whole = NULL;
    w->doubt = false;
    for (size_t i = 0; i < l->nawaited; i++) {
        enum lw_registration_match m =
            lw_registration_match(&l->awaited[i].registration, w->data, w->n);
        if (m == LW_REGISTRATION_WHOLE)
            w->whole = &l->awaited[i];
        w->doubt |= m == LW_REGISTRATION_PART;
        if (m > best)
            best = m;
    }
    return best;
}

static void
wait_more(struct waiting *w)
{
    int64_t us = w->deadline_us - clock_io_us();
    if (w->whole != NULL)
        us = (w->doubt ? LISTENER_DOUBT_MS : LISTENER_QUIET_MS) * 1000;
    us = us < 1 ? 1 : us;
    event_add(w->readable,
              &(struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000});
}

static void
hand_over(struct waiting *w)
{
    struct awaited *awaited = w->whole;
    int fd = w->fd;
    w->listener->counts.registered++;
    w->fd = -1;
    remove_waiting(w);
    awaited->dialled_in(awaited->arg, fd);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct waiting *w = arg;
    struct registration_counts *counts = &w->listener->counts;
    if (what & EV_TIMEOUT) {
        if (w->whole != NULL)
            hand_over(w);
        else
            refuse(w, &counts->mute, "no registration packet in time, but");
        return;
    }
    ssize_t got = recv(fd, w->data + w->n, sizeof w->data - w->n, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        wait_more(w);
        return;
    }
    if (got <= 0) {
        refuse(w, &counts->mute, "it hung up after");
        return;
    }
    w->n += (size_t)got;
    if (w->n == sizeof w->data || find(w) == LW_REGISTRATION_NO)
        refuse(w, &counts->unknown, "no gateway registers as");
    else
        wait_more(w);
}

static void
name_peer(struct waiting *w, const struct sockaddr *address)
{
    char host[48] = "";
    const void *bytes =
        address->sa_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
            : &((const struct sockaddr_in *)address)->sin_addr;
    evutil_inet_ntop(address->sa_family, bytes, host, sizeof host);
    snprintf(w->peer, sizeof w->peer, "%s", host);
}

static void
on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *address,
          int address_len, void *arg)
{
    struct listener *l = arg;
    struct waiting *w = calloc(1, sizeof *w);
    (void)address_len;
    l->counts.accepted++;
    if (w == NULL) {
        close(fd);
        return;
    }
    fd = stream_number(fd);
    stream_watch_cable(fd);
    w->listener = l;
    w->fd = fd;
    w->next = l->waiting;
    w->prev = &l->waiting;
    if (w->next != NULL)
        w->next->prev = &w->next;
    l->waiting = w;
    l->counts.waiting++;
    name_peer(w, address);
    w->deadline_us = clock_io_us() + (int64_t)LISTENER_REGISTER_S * 1000000;
    w->readable = event_new(l->base, fd, EV_READ, on_readable, w);
    if (l->counts.waiting == LISTENER_WAITING)
        evconnlistener_disable(socket); /* further ones wait in the kernel's queue */
    if (w->readable == NULL)
        remove_waiting(w);
    else
        wait_more(w);
}

/* ---- making and ending ---- */

/* No more file descriptors, most likely: it is tried again after a while. */
static void
on_accept_error(struct evconnlistener *socket, void *arg)
{
    struct listener *l = arg;
    log_error("%s: cannot accept: %s", l->name, strerror(errno));
    evconnlistener_disable(socket);
    event_add(l->bind_timer, &(struct timeval){.tv_sec = LISTENER_REBIND_S});
}

static void
on_bind(evutil_socket_t fd, short what, void *arg)
{
    struct listener *l = arg;
    (void)fd;
    (void)what;
    if (l->socket != NULL) {
        evconnlistener_enable(l->socket);
        return;
    }
    l->socket = evconnlistener_new_bind(
        l->base, on_accept, l,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 1024,
        (struct sockaddr *)&l->address, (int)l->address_len);
    if (l->socket != NULL) {
        evconnlistener_set_error_cb(l->socket, on_accept_error);
        log_note("%s: awaits %zu gateways", l->name, l->nawaited);
        return;
    }
    if (!l->bind_failed)
        log_error("%s: cannot listen: %s", l->name, strerror(errno));
    l->bind_failed = true;
    event_add(l->bind_timer, &(struct timeval){.tv_sec = LISTENER_REBIND_S});
}

int
listener_new(struct event_base *base, const struct sockaddr *address,
             socklen_t address_len, const char *name, struct listener **ret_listener)
{
    struct listener *l = calloc(1, sizeof *l);
    if (l == NULL)
        return LW_ENOMEM;
    l->base = base;
    l->name = name;
    l->address_len = address_len;
    memcpy(&l->address, address, address_len);
    l->bind_timer = evtimer_new(base, on_bind, l);
    if (l->bind_timer == NULL ||
        event_add(l->bind_timer, &(struct timeval){.tv_usec = 0}) != 0) {
        listener_free(l);
        return LW_ENOMEM;
    }
    *ret_listener = l;
    return 0;
}

void
listener_free(struct listener *l)
{
    if (l == NULL)
        return;
    while (l->waiting != NULL)
        remove_waiting(l->waiting);
    if (l->socket != NULL)
        evconnlistener_free(l->socket);
    if (l->bind_timer != NULL)
        event_free(l->bind_timer);
    free(l->awaited);
    free(l);
}

bool
listener_is_at(const struct listener *l, const struct sockaddr_storage *address,
               socklen_t address_len)
{
    return l->address_len == address_len &&
           memcmp(&l->address, address, address_len) == 0;
}

int
listener_await(struct listener *l, const struct lw_registration *registration,
               dialled_in_fn *dialled_in, void *arg)
{
    if ((l->nawaited & (l->nawaited - 1)) == 0) { /* a power of two: it is full */
        size_t cap = l->nawaited == 0 ? 1 : 2 * l->nawaited;
        void *more = realloc(l->awaited, cap * sizeof l->awaited[0]);
        if (more == NULL)
            return LW_ENOMEM;
        l->awaited = more;
    }
    l->awaited[l->nawaited++] = (struct awaited){
        .registration = *registration, .dialled_in = dialled_in, .arg = arg};
    return 0;
}

const struct registration_counts *
listener_counts(const struct listener *l)
{
    return &l->counts;
}
