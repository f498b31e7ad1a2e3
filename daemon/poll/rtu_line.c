/* The worker of a serial line, and the only user of libmodbus: one request after the
 * other, each answered with a record. It ends when the loop closes its socket, or when
 * the device is gone.
 *
 * What libmodbus 3.1.6 does that is kept away from here: it waits with select(), so that
 * a device's number must be below FD_SETSIZE (stream_number keeps these free); its byte
 * timeout begins anew with each byte, so that a slave that drips holds it for long (0:
 * the whole reply must come within the response timeout); its recovery modes sleep; an
 * unknown rate is 9600; what came in before a request is taken for its reply (settle). */
#include "daemon/poll/rtu_line.h"

#include <errno.h>
#include <event2/util.h>
#include <fcntl.h>
#include <modbus/modbus-rtu.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <lodewatch/result.h>
#include <lodewatch/rtu.h>

#include "daemon/poll/stream.h"

enum {
    SETTLE_MOST = 250, /* reads of what was not asked for, before a request */
    STACK = 256 * 1024,
    FRAME_MOST = 256,
};

struct worker {
    int loop; /* the socket */
    int lock; /* the device, open for the lock alone; -1 */
    modbus_t *modbus;
    struct rtu_line_options options;
    char device[];
};

bool
rtu_line_knows_baud(int32_t baud)
{
    static const int32_t known[] = {300,     600,     1200,    2400,    4800,    9600,
                                    19200,   38400,   57600,   115200,  230400,  460800,
                                    500000,  576000,  921600,  1000000, 1152000, 1500000,
                                    2500000, 3000000, 3500000, 4000000};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] == baud)
            return true;
    return false;
}

/* The time of n characters on the wire, rounded up. */
static int32_t
wire_ms(const struct rtu_line_options *options, int32_t n)
{
    int32_t bits = lw_rtu_bits(options->parity != LW_PARITY_NONE, options->stop_bits);
    return (int32_t)(((int64_t)n * bits * 1000 + options->baud - 1) / options->baud);
}

/* The silence that ends a frame: 3.5 characters, and above 19,200 baud 1.75 ms. */
static int
silence_ms(const struct rtu_line_options *options)
{
    return options->baud > 19200 ? 2 : wire_ms(options, 4);
}

int32_t
rtu_line_longest_ms(const struct rtu_line_options *options, int32_t timeout_ms)
{
    return timeout_ms + wire_ms(options, 2 * FRAME_MOST) + 1000;
}

/* ---- the device ---- */

/* Two masters on a line spoil each other's frames, and settings: without the lock these
 * are not touched. A worker lets go of it last. 0, or an errno. */
static int
lock_device(struct worker *w)
{
    int fd = open(w->device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno;
    w->lock = stream_number(fd);
    if (flock(w->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? EBUSY : errno;
    return 0;
}

/* A device that cannot do a parity is opened all the same, but not where it has all the
 * other settings already, as a daemon that was killed leaves them: to glibc nothing could
 * be changed then. So that one can, libmodbus finds a harmless flag that it wants off. */
static void
unsettle(struct worker *w)
{
    struct termios t;
    if (tcgetattr(w->lock, &t) != 0)
        return;
    t.c_lflag |= NOFLSH;
    (void)tcsetattr(w->lock, TCSANOW, &t);
}

/* 0, or an errno. */
static int
open_device(struct worker *w)
{
    static const char parity[] = {
        [LW_PARITY_NONE] = 'N', [LW_PARITY_EVEN] = 'E', [LW_PARITY_ODD] = 'O'};
    const struct rtu_line_options *o = &w->options;
    int error = lock_device(w);
    if (error != 0)
        return error;
    unsettle(w);
    w->modbus =
        modbus_new_rtu(w->device, o->baud, parity[o->parity], 8, (int)o->stop_bits);
    if (w->modbus == NULL || modbus_set_byte_timeout(w->modbus, 0, 0) != 0 ||
        modbus_connect(w->modbus) != 0)
        return errno;
    return modbus_get_socket(w->modbus) < FD_SETSIZE ? 0 : EMFILE;
}

/* Drops what came unasked and waits until the line is silent. 0, or an errno: the device
 * is gone. A line that is never silent is asked all the same. */
static int
settle(struct worker *w)
{
    struct pollfd tty = {.fd = modbus_get_socket(w->modbus), .events = POLLIN};
    uint8_t dropped[FRAME_MOST];
    for (int i = 0; i < SETTLE_MOST; i++) {
        int n = poll(&tty, 1, silence_ms(&w->options));
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return errno;
        ssize_t got = n < 0 ? 1 : read(tty.fd, dropped, sizeof dropped);
        if (got == 0)
            return EIO; /* it hung up */
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return errno;
    }
    return 0;
}

/* ---- requests ---- */

static int
read_registers(modbus_t *modbus, const struct lw_mb_request *mb, uint8_t *data)
{
    uint16_t reg[LW_MB_REGISTERS_MAX];
    int n = mb->function == LW_MB_READ_HOLDING_REGISTERS
                ? modbus_read_registers(modbus, mb->address, mb->count, reg)
                : modbus_read_input_registers(modbus, mb->address, mb->count, reg);
    for (int i = 0; i < n; i++) {
        data[2 * i] = (uint8_t)(reg[i] >> 8);
        data[2 * i + 1] = (uint8_t)reg[i];
    }
    return n;
}

static int
read_bits(modbus_t *modbus, const struct lw_mb_request *mb, uint8_t *data)
{
    uint8_t bit[LW_MB_BITS_MAX];
    int n = mb->function == LW_MB_READ_COILS
                ? modbus_read_bits(modbus, mb->address, mb->count, bit)
                : modbus_read_input_bits(modbus, mb->address, mb->count, bit);
    memset(data, 0, lw_mb_data_bytes(mb));
    for (int i = 0; i < n; i++)
        data[i / 8] = (uint8_t)(data[i / 8] | bit[i] << i % 8);
    return n;
}

/* What libmodbus says with errno. An exception is its code above MODBUS_ENOBASE. */
static void
put_failure(const struct lw_mb_request *mb, int error, struct rtu_line_reply *reply)
{
    int code = error - MODBUS_ENOBASE;
    if (error == ETIMEDOUT) {
        reply->kind = FRAME_TIMEOUT;
    } else if (code > 0 && code < MODBUS_EXCEPTION_MAX) {
        reply->pdu_len =
            (uint16_t)lw_mb_exception(mb->function, (uint8_t)code, reply->pdu);
    } else if (error == EMBBADCRC) {
        reply->kind = FRAME_CORRUPT;
    } else if (code >= 0 && code < MODBUS_EXCEPTION_MAX + 16) {
        reply->kind = FRAME_OTHER;
    } else {
        reply->kind = FRAME_GONE;
        reply->error = error;
    }
}

static void
ask(struct worker *w, const struct rtu_line_request *request,
    struct rtu_line_reply *reply)
{
    const struct lw_mb_request *mb = &request->mb;
    uint8_t data[2 * LW_MB_REGISTERS_MAX];
    size_t n = lw_mb_data_bytes(mb);
    int32_t ms = request->timeout_ms + wire_ms(&w->options, 8 + 5 + (int32_t)n);
    bool bits = mb->function <= LW_MB_READ_DISCRETE_INPUTS;

    *reply = (struct rtu_line_reply){
        .kind = FRAME_REPLY, .transaction = request->transaction, .unit = mb->unit};
    reply->error = settle(w);
    if (reply->error != 0) {
        reply->kind = FRAME_GONE;
        return;
    }
    errno = 0;
    int rc = -1;
    if (modbus_set_slave(w->modbus, mb->unit) == 0 &&
        modbus_set_response_timeout(w->modbus, (uint32_t)ms / 1000,
                                    (uint32_t)ms % 1000 * 1000) == 0)
        rc = bits ? read_bits(w->modbus, mb, data) : read_registers(w->modbus, mb, data);
    if (rc == mb->count)
        reply->pdu_len = (uint16_t)lw_mb_answer(mb, data, n, reply->pdu);
    else if (rc >= 0) /* 0: another slave answered */
        reply->kind = FRAME_OTHER;
    else
        put_failure(mb, errno, reply);
}

/* ---- the thread ---- */

/* False: the loop has closed its end. */
static bool
take(struct worker *w, struct rtu_line_request *ret_request)
{
    size_t at = 0;
    while (at < sizeof *ret_request) {
        ssize_t n =
            recv(w->loop, (uint8_t *)ret_request + at, sizeof *ret_request - at, 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* A record is small beside what a socket holds, and one is under way: it fits whole. */
static bool
give(struct worker *w, const struct rtu_line_reply *reply)
{
    return send(w->loop, reply, sizeof *reply, MSG_NOSIGNAL) == (ssize_t)sizeof *reply;
}

/* Waits for a request. What comes in on the line meanwhile is nobody's. False: the loop
 * has closed its end, or the device is gone, and *ret_error says why. */
static bool
await(struct worker *w, int *ret_error)
{
    struct pollfd fds[] = {
        {.fd = w->loop, .events = POLLIN},
        {.fd = modbus_get_socket(w->modbus), .events = POLLIN},
    };
    while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
        if (fds[0].revents != 0)
            return true;
        if (fds[1].revents != 0 && (*ret_error = settle(w)) != 0)
            return false;
    }
    *ret_error = errno;
    return false;
}

static void *
work(void *arg)
{
    struct worker *w = arg;
    struct rtu_line_request request;
    struct rtu_line_reply reply = {.kind = FRAME_UP};

    reply.error = open_device(w);
    if (reply.error != 0)
        reply.kind = FRAME_GONE;
    while (give(w, &reply) && reply.kind != FRAME_GONE) {
        int error = 0;
        if (!await(w, &error))
            reply = (struct rtu_line_reply){.kind = FRAME_GONE, .error = error};
        else if (take(w, &request))
            ask(w, &request, &reply);
        else
            break;
    }
    if (w->modbus != NULL)
        modbus_close(w->modbus);
    modbus_free(w->modbus);
    if (w->lock >= 0)
        close(w->lock);
    close(w->loop);
    free(w);
    return NULL;
}

static int
start(struct worker *w)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attr, work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error;
}

int
rtu_line_open(const struct rtu_line_options *options, int *ret_fd)
{
    size_t n = strlen(options->device) + 1;
    struct worker *w = calloc(1, sizeof *w + n);
    int pair[2] = {-1, -1};
    int error = ENOMEM;
    if (w == NULL)
        goto out;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        error = errno;
        goto out;
    }
    memcpy(w->device, options->device, n);
    w->options = *options;
    w->options.device = w->device;
    w->lock = -1;
    pair[0] = stream_number(pair[0]);
    pair[1] = w->loop = stream_number(pair[1]);
    evutil_make_socket_nonblocking(pair[0]);
    error = start(w);
    if (error != 0)
        goto out;
    *ret_fd = pair[0];
    return 0;
out:
    if (pair[0] >= 0) {
        close(pair[0]);
        close(pair[1]);
    }
    free(w);
    errno = error;
    return LW_EIO;
}
