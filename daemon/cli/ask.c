/* Modbus TCP over a socket that is waited upon. */
#include "daemon/cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/clock.h"

enum {
    HOST = 256
};

struct ask {
    int fd;
    int timeout_ms;
    uint16_t transaction;
    size_t n; /* bytes of an answer that is not whole yet */
    uint8_t buf[LW_MBAP_MAX];
};

/* "host:port" or "[v6]:port". */
static int
resolve(const char *address, struct addrinfo **ret_info)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                          .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
    char host[HOST];
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;

    if (n == 0 || n >= sizeof host || colon[1] == 0)
        return LW_EINVAL;
    if (address[0] == '[' && address[n - 1] == ']') {
        address++;
        n -= 2;
    }
    memcpy(host, address, n);
    host[n] = 0;
    return getaddrinfo(host, colon + 1, &hints, ret_info) == 0 ? 0 : LW_EINVAL;
}

/* Waits until the socket is ready. LW_EAGAIN: not before the deadline. */
static int
wait_ready(int fd, short what, int64_t deadline_us)
{
    for (;;) {
        int64_t left_us = deadline_us - clock_io_us();
        struct pollfd p = {.fd = fd, .events = what};
        int n = left_us <= 0 ? 0 : poll(&p, 1, (int)((left_us + 999) / 1000));
        if (n > 0)
            return 0;
        if (n == 0)
            return LW_EAGAIN;
        if (errno != EINTR)
            return LW_EIO;
    }
}

static int64_t
deadline(const struct ask *ask)
{
    return clock_io_us() + (int64_t)ask->timeout_ms * 1000;
}

static int
connect_to(struct ask *ask, const struct addrinfo *info)
{
    int error = 0;
    socklen_t n = sizeof error;

    ask->fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ask->fd < 0)
        return LW_EIO;
    if (connect(ask->fd, info->ai_addr, info->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return LW_EIO;
    int rc = wait_ready(ask->fd, POLLOUT, deadline(ask));
    if (rc == LW_EAGAIN)
        errno = ETIMEDOUT;
    if (rc != 0 || getsockopt(ask->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        return LW_EIO;
    errno = error;
    return error == 0 ? 0 : LW_EIO;
}

int
ask_open(const char *address, int timeout_ms, struct ask **ret_ask)
{
    struct addrinfo *info = NULL;
    int rc = resolve(address, &info);
    struct ask *ask;

    if (rc != 0)
        return rc;
    ask = calloc(1, sizeof *ask);
    if (!ask) {
        freeaddrinfo(info);
        return LW_ENOMEM;
    }
    ask->fd = -1;
    ask->timeout_ms = timeout_ms;
    rc = LW_EIO;
    for (struct addrinfo *one = info; one && rc != 0; one = one->ai_next) {
        if (ask->fd >= 0)
            close(ask->fd);
        rc = connect_to(ask, one);
    }
    freeaddrinfo(info);
    if (rc != 0) {
        int error = errno;
        ask_close(ask);
        errno = error;
        return rc;
    }
    *ret_ask = ask;
    return 0;
}

void
ask_close(struct ask *ask)
{
    if (!ask)
        return;
    if (ask->fd >= 0)
        close(ask->fd);
    free(ask);
}

/* What answers an earlier request is passed over. LW_EAGAIN: the answer is not there. */
static int
take_answer(struct ask *ask, const struct lw_mb_request *request, uint8_t data[ASK_DATA])
{
    struct lw_mbap_frame frame;
    const uint8_t *at;
    size_t n;

    for (;;) {
        int len = lw_mbap_next(ask->buf, ask->n, &frame);
        if (len < 0)
            return len;
        int rc = LW_EAGAIN;
        if (frame.transaction == ask->transaction && frame.unit == request->unit)
            rc = lw_mb_reply(request, frame.pdu, frame.pdu_len, &at, &n);
        if (rc == 0)
            memcpy(data, at, n);
        ask->n -= (size_t)len;
        memmove(ask->buf, ask->buf + len, ask->n);
        if (rc != LW_EAGAIN)
            return rc;
    }
}

int
ask_read(struct ask *ask, const struct lw_mb_request *request, uint8_t data[ASK_DATA])
{
    uint8_t frame[LW_MBAP_REQUEST];
    int64_t until = deadline(ask);
    int rc = lw_mbap_request(++ask->transaction, request, frame);

    if (rc != 0)
        return rc;
    if (send(ask->fd, frame, sizeof frame, MSG_NOSIGNAL) != (ssize_t)sizeof frame)
        return LW_EIO;
    while ((rc = take_answer(ask, request, data)) == LW_EAGAIN) {
        rc = wait_ready(ask->fd, POLLIN, until);
        if (rc != 0)
            return rc;
        ssize_t n = recv(ask->fd, ask->buf + ask->n, sizeof ask->buf - ask->n, 0);
        if (n == 0)
            errno = ECONNRESET;
        if (n <= 0 && !(n < 0 && errno == EAGAIN))
            return LW_EIO;
        ask->n += n > 0 ? (size_t)n : 0;
    }
    return rc;
}
