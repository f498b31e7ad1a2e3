/* A TCP connection on plain events: connect with a deadline, read what there is, send. */
#include "tcp_link.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lodewatch/result.h>

struct tcp_link {
    struct tcp_link_pool *pool;
    const struct tcp_link_owner *owner;
    void *arg;
    struct event *event; /* first for the connect, then for reading */
    int fd;              /* -1: closed */
    int error;           /* why sending failed */
    uint16_t nrest;
    uint8_t rest[TCP_LINK_REST];
    socklen_t address_len;
    struct sockaddr_storage address;
};

/* A cable that was pulled is noticed within half a minute of sending, and within two
 * minutes where nothing is sent. */
static const struct {
    int level, name, value;
} options[] = {
    {IPPROTO_TCP, TCP_NODELAY, 1},    {IPPROTO_TCP, TCP_USER_TIMEOUT, 30000},
    {SOL_SOCKET, SO_KEEPALIVE, 1},    {IPPROTO_TCP, TCP_KEEPIDLE, 60},
    {IPPROTO_TCP, TCP_KEEPINTVL, 15}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
};

int
tcp_link_new(struct tcp_link_pool *pool, const struct sockaddr *address,
             socklen_t address_len, const struct tcp_link_owner *owner, void *arg,
             struct tcp_link **ret_link)
{
    struct tcp_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return LW_ENOMEM;
    link->pool = pool;
    link->owner = owner;
    link->arg = arg;
    link->fd = -1;
    link->address_len = address_len;
    memcpy(&link->address, address, address_len);
    *ret_link = link;
    return 0;
}

void
tcp_link_free(struct tcp_link *link)
{
    if (link == NULL)
        return;
    tcp_link_close(link);
    free(link);
}

void
tcp_link_close(struct tcp_link *link)
{
    if (link->event != NULL)
        event_free(link->event);
    link->event = NULL;
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->error = 0;
    link->nrest = 0;
}

static void
lose(struct tcp_link *link, int error)
{
    tcp_link_close(link);
    link->owner->down(link->arg, error);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct tcp_link *link = arg;
    uint8_t *buffer = link->pool->buffer;
    (void)what;

    memcpy(buffer, link->rest, link->nrest);
    ssize_t got = recv(fd, buffer + link->nrest, TCP_LINK_BUFFER - link->nrest, 0);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            lose(link, got < 0 ? errno : link->error);
        return;
    }
    size_t n = link->nrest + (size_t)got;
    link->nrest = 0;
    ptrdiff_t used = link->owner->bytes(link->arg, buffer, n);
    if (used < 0 || n - (size_t)used > TCP_LINK_REST) {
        lose(link, EPROTO);
        return;
    }
    link->nrest = (uint16_t)(n - (size_t)used);
    memcpy(link->rest, buffer + used, link->nrest);
}

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct tcp_link *link = arg;
    int error = 0;
    socklen_t len = sizeof error;

    if (what & EV_TIMEOUT)
        error = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error == 0) {
        event_free(link->event);
        link->event =
            event_new(link->pool->base, fd, EV_READ | EV_PERSIST, on_readable, link);
        if (link->event == NULL || event_add(link->event, NULL) != 0)
            error = ENOMEM;
    }
    if (error != 0)
        lose(link, error);
    else
        link->owner->up(link->arg);
}

int
tcp_link_connect(struct tcp_link *link)
{
    int fd =
        socket(link->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return LW_EIO;
    link->fd = fd;
    /* What a system does not know of these is no reason not to connect. */
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
    if (connect(fd, (struct sockaddr *)&link->address, link->address_len) != 0 &&
        errno != EINPROGRESS) {
        int error = errno;
        tcp_link_close(link);
        errno = error;
        return LW_EIO;
    }
    struct timeval deadline = {.tv_sec = TCP_LINK_CONNECT_S};
    link->event = event_new(link->pool->base, fd, EV_WRITE, on_connected, link);
    if (link->event == NULL || event_add(link->event, &deadline) != 0) {
        tcp_link_close(link);
        return LW_ENOMEM;
    }
    return 0;
}

void
tcp_link_send(struct tcp_link *link, const void *data, size_t n)
{
    ssize_t sent = send(link->fd, data, n, MSG_NOSIGNAL);
    if (sent == (ssize_t)n)
        return;
    link->error = sent < 0 ? errno : ENOBUFS;
    shutdown(link->fd, SHUT_RDWR); /* and reading says that it is over */
}
