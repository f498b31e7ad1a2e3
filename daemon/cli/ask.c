/* Requests over a socket that is waited upon, in the framings of the daemon; a serial
 * line is a socket, too: its worker's. */
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
#include "daemon/poll/framing.h"
#include "daemon/poll/rtu_line.h"

enum {
    HOST = 256,
    BUFFER = 2048
};

struct ask {
    int fd;
    const struct framing *framing;
    int32_t timeout_ms; /* of the device, */
    int32_t wait_ms;    /* and of its answer's way to us */
    uint16_t transaction;
    bool late; /* an answer that did not come may still come */
    size_t n;  /* bytes that are not taken yet */
    uint8_t buf[BUFFER];
};

bool
ask_line_option(int option, const char *text, struct ask_options *options)
{
    const char *expected = "--parity: expected none, even or odd";
    char *end;
    long n = strtol(text, &end, 10);
    bool whole = *text >= '0' && *text <= '9' && *end == 0 && n <= INT32_MAX;

    if (option == ASK_BAUD) {
        expected = "--baud: expected a usual rate, such as 9600";
        if (whole && rtu_line_knows_baud((int32_t)n)) {
            options->baud = (int32_t)n;
            return true;
        }
    } else if (option == ASK_STOP_BITS) {
        expected = "--stop-bits: expected 1 or 2";
        if (whole && (n == 1 || n == 2)) {
            options->stop_bits = (int32_t)n;
            return true;
        }
    }
    for (int p = 0; option == ASK_PARITY && p <= LW_PARITY_ODD; p++) {
        if (strcmp(text, lw_enum_name(LW_ENUM_PARITY, p)) == 0) {
            options->parity = (enum lw_parity)p;
            return true;
        }
    }
    fprintf(stderr, "%s, not \"%s\"\n", expected, text);
    return false;
}

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
    return clock_io_us() + (int64_t)ask->wait_ms * 1000;
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

static int
open_tcp(struct ask *ask, const struct ask_options *options)
{
    struct addrinfo *info = NULL;
    int rc = resolve(options->address, &info);

    if (rc != 0)
        return rc;
    ask->framing = options->rtu ? &framing_rtu : &framing_mbap;
    ask->wait_ms = options->timeout_ms;
    rc = LW_EIO;
    for (struct addrinfo *one = info; one && rc != 0; one = one->ai_next) {
        if (ask->fd >= 0)
            close(ask->fd);
        rc = connect_to(ask, one);
    }
    freeaddrinfo(info);
    return rc;
}

/* What has come, up to the deadline. LW_EAGAIN: nothing. */
static int
receive(struct ask *ask, int64_t until_us)
{
    int rc = wait_ready(ask->fd, POLLIN, until_us);

    if (rc != 0)
        return rc;
    ssize_t n = recv(ask->fd, ask->buf + ask->n, sizeof ask->buf - ask->n, 0);
    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0 && !(n < 0 && errno == EAGAIN))
        return LW_EIO;
    ask->n += n > 0 ? (size_t)n : 0;
    return 0;
}

static void
drop(struct ask *ask, size_t n)
{
    ask->n -= n;
    memmove(ask->buf, ask->buf + n, ask->n);
}

/* The worker's first word is whether it could open the device. */
static int
open_line(struct ask *ask, const struct ask_options *options)
{
    struct rtu_line_options line = {.device = options->address,
                                    .baud = options->baud,
                                    .parity = options->parity,
                                    .stop_bits = options->stop_bits};
    struct frame frame;
    int rc = rtu_line_open(&line, &ask->fd);

    ask->framing = &framing_line;
    ask->wait_ms = rtu_line_longest_ms(&line, options->timeout_ms);
    int64_t until_us = deadline(ask);
    int len = LW_EAGAIN;
    while (rc == 0 && len == LW_EAGAIN) {
        rc = receive(ask, until_us);
        len = ask->framing->next(NULL, ask->buf, ask->n, &frame);
    }
    if (rc == LW_EAGAIN)
        errno = ETIMEDOUT;
    if (rc == 0 && frame.kind != FRAME_UP)
        errno = frame.error;
    if (rc != 0 || frame.kind != FRAME_UP)
        return LW_EIO;
    drop(ask, (size_t)len);
    return 0;
}

int
ask_open(const struct ask_options *options, struct ask **ret_ask)
{
    struct ask *ask = calloc(1, sizeof *ask);

    if (!ask)
        return LW_ENOMEM;
    ask->fd = -1;
    ask->timeout_ms = options->timeout_ms;
    int rc =
        options->address[0] == '/' ? open_line(ask, options) : open_tcp(ask, options);
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

const char *
ask_protocol(const struct ask *ask)
{
    return ask->framing->what;
}

/* What one frame means for the request; LW_EAGAIN: nothing. */
static int
judge(const struct ask *ask, const struct lw_mb_request *request,
      const struct frame *frame, uint8_t data[ASK_DATA])
{
    const uint8_t *at;
    size_t n;

    if (frame->kind == FRAME_GONE) {
        errno = frame->error > 0 ? frame->error : EIO;
        return LW_EIO;
    }
    if (frame->kind != FRAME_REPLY || frame->unit != request->unit ||
        (ask->framing->numbered && frame->transaction != ask->transaction))
        return LW_EAGAIN;
    int rc = lw_mb_reply(request, frame->pdu, frame->pdu_len, &at, &n);
    if (rc == 0)
        memcpy(data, at, n);
    return rc;
}

/* What answers an earlier request is passed over. LW_EAGAIN: the answer is not there; it
 * will not come where *ret_ends. */
static int
take_answer(struct ask *ask, const struct lw_mb_request *request, bool *ret_ends,
            uint8_t data[ASK_DATA])
{
    struct frame frame;
    int rc = LW_EAGAIN;

    *ret_ends = false;
    while (rc == LW_EAGAIN && !*ret_ends) {
        int len = ask->framing->next(request, ask->buf, ask->n, &frame);
        if (len < 0)
            return len;
        rc = judge(ask, request, &frame, data);
        *ret_ends = frame.ends && frame.transaction == ask->transaction;
        drop(ask, (size_t)len);
    }
    return rc;
}

/* Where answers have no number, one that comes late could be taken for the next one's. */
static int
let_pass(struct ask *ask)
{
    int64_t until_us = deadline(ask);
    int rc = 0;

    ask->n = 0;
    while (rc == 0) {
        rc = receive(ask, until_us);
        ask->n = 0;
    }
    ask->late = false;
    return rc == LW_EAGAIN ? 0 : rc;
}

int
ask_read(struct ask *ask, const struct lw_mb_request *request, uint8_t data[ASK_DATA])
{
    uint8_t frame[FRAMING_REQUEST_MAX];
    bool ends;
    int rc = ask->late ? let_pass(ask) : 0;

    if (rc != 0)
        return rc;
    int64_t until_us = deadline(ask);
    ask->framing->request(++ask->transaction, request, ask->timeout_ms, frame);
    if (send(ask->fd, frame, ask->framing->request_n, MSG_NOSIGNAL) !=
        (ssize_t)ask->framing->request_n)
        return LW_EIO;
    while ((rc = take_answer(ask, request, &ends, data)) == LW_EAGAIN && !ends) {
        if (ask->n == sizeof ask->buf)
            return LW_EPROTO;
        rc = receive(ask, until_us);
        if (rc != 0)
            break;
    }
    ask->late = rc == LW_EAGAIN && !ask->framing->numbered;
    return rc;
}
