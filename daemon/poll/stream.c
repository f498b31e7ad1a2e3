/* A stream on plain events: read what there is, send, end. */
#include "daemon/poll/stream.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lodewatch/result.h>

struct stream {
    struct stream_pool *pool;
    const struct stream_owner *owner;
    void *arg;
    size_t at_once;
    struct event *readable;
    int fd;    /* -1: closed */
    int error; /* why sending failed */
    uint16_t nrest;
    uint8_t rest[STREAM_REST];
};

int
stream_new(struct stream_pool *pool, size_t at_once, const struct stream_owner *owner,
           void *arg, struct stream **ret_stream)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return LW_ENOMEM;
    stream->pool = pool;
    stream->owner = owner;
    stream->arg = arg;
    stream->at_once = at_once;
    stream->fd = -1;
    *ret_stream = stream;
    return 0;
}

void
stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream_close(stream);
    free(stream);
}

void
stream_move(struct stream *stream, struct stream_pool *pool)
{
    stream->pool = pool;
}

void
stream_close(struct stream *stream)
{
    if (stream->readable != NULL)
        event_free(stream->readable);
    stream->readable = NULL;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    stream->error = 0;
    stream->nrest = 0;
}

static void
end(struct stream *stream, int error)
{
    stream_close(stream);
    stream->owner->down(stream->arg, error);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct stream *stream = arg;
    uint8_t *buffer = stream->pool->buffer;
    (void)what;

    memcpy(buffer, stream->rest, stream->nrest);
    ssize_t got = recv(fd, buffer + stream->nrest, stream->at_once - stream->nrest, 0);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            end(stream, got < 0 ? errno : stream->error);
        return;
    }
    size_t n = stream->nrest + (size_t)got;
    stream->nrest = 0;
    ptrdiff_t used = stream->owner->bytes(stream->arg, buffer, n);
    if (used < 0 || n - (size_t)used > STREAM_REST) {
        end(stream, used < 0 ? (int)-used : EPROTO);
        return;
    }
    stream->nrest = (uint16_t)(n - (size_t)used);
    memcpy(stream->rest, buffer + used, stream->nrest);
}

void
stream_take(struct stream *stream)
{
    if (stream->fd >= 0)
        on_readable(stream->fd, 0, stream);
}

int
stream_open(struct stream *stream, int fd)
{
    stream->fd = fd;
    stream->readable =
        event_new(stream->pool->base, fd, EV_READ | EV_PERSIST, on_readable, stream);
    if (stream->readable == NULL || event_add(stream->readable, NULL) != 0) {
        stream_close(stream);
        return LW_ENOMEM;
    }
    return 0;
}

void
stream_send(struct stream *stream, const void *data, size_t n)
{
    ssize_t sent = send(stream->fd, data, n, MSG_NOSIGNAL);
    if (sent == (ssize_t)n)
        return;
    stream->error = sent < 0 ? errno : ENOBUFS;
    shutdown(stream->fd, SHUT_RDWR); /* and reading says that it is over */
}

bool
stream_forget(struct stream *stream)
{
    bool had = stream->nrest > 0;
    stream->nrest = 0;
    return had;
}

bool
stream_stalls(const struct stream *stream)
{
    int unsent = 0;
    return ioctl(stream->fd, SIOCOUTQ, &unsent) == 0 && unsent > 0;
}

int
stream_number(int fd)
{
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, STREAM_FD_MIN);
    if (higher < 0)
        return fd;
    close(fd);
    return higher;
}

/* Within half a minute of sending, and within two minutes where nothing is sent. */
void
stream_watch_cable(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},    {IPPROTO_TCP, TCP_USER_TIMEOUT, 30000},
        {SOL_SOCKET, SO_KEEPALIVE, 1},    {IPPROTO_TCP, TCP_KEEPIDLE, 60},
        {IPPROTO_TCP, TCP_KEEPINTVL, 15}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
    };
    /* What a system does not know of these is no reason not to connect. */
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
}
