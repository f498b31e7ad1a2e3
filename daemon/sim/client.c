/* A connection of the fleet's. Requests are answered as they come, into one buffer; only
 * a faulty answer (slow, late, in pieces), or one on a serial line, waits in a queue for
 * its time. A client that does not read its answers is not read from. */
#include "daemon/sim/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <lodewatch/rtu.h>

#include "daemon/clock.h"
#include "daemon/sim/fleet.h"
#include "daemon/sim/shapes.h"

enum {
    IN_BYTES = 1024,
    OUT_BYTES = 4096,
    WAITING = 256, /* answers of one connection that wait for their time */
    PIECE_US = 5000,
};

/* Bytes that leave at `due_us`, in that order. */
struct chunk {
    struct chunk *next;
    int64_t due_us;
    size_t n;
    uint8_t data[LW_MBAP_MAX];
};

struct client {
    struct client_pool *pool;
    struct client_options of;
    struct event *readable, *writable, *timer;
    struct chunk *waiting;
    int nwaiting;
    int64_t line_free_us; /* the line behind the gateway is busy until then */
    int64_t answers;
    bool closing; /* when all is written */
    size_t in_n, out_n;
    uint8_t in[IN_BYTES], out[OUT_BYTES];
};

void
client_free(struct client *c)
{
    if (!c)
        return;
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
    close(c->of.fd);
    free(c);
}

static void
close_client(struct client *c)
{
    c->of.closed(c->of.arg, c);
    client_free(c);
}

/* ---- out ---- */

/* False: the client is gone and must be closed. */
static bool
flush(struct client *c)
{
    size_t sent = 0;
    while (sent < c->out_n) {
        ssize_t n = write(c->of.fd, c->out + sent, c->out_n - sent);
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

    if (!faults && c->line_free_us == 0 && c->of.char_us == 0) {
        put(c, a); /* the common case reads no clock */
        return;
    }
    int64_t now = clock_io_us();
    if (late) {
        /* The gateway goes on with other requests meanwhile. */
        hold(c, now + late->arg * 1000, a->frame, a->n);
        return;
    }
    int64_t start = c->line_free_us > now ? c->line_free_us : now;
    /* The request's time on the wire, the silence behind it, and the answer's. */
    start += (LW_RTU_REQUEST + (int64_t)a->n) * c->of.char_us + c->of.silence_us;
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

/* Frames the PDU that stands in the frame where either framing has it. */
static void
seal(const struct client *c, const struct lw_mbap_frame *asked, uint8_t unit,
     size_t pdu_len, struct answer *a)
{
    if (c->of.rtu) {
        a->frame[0] = unit;
        a->n = lw_rtu_seal(a->frame, 1 + pdu_len);
        return;
    }
    const uint16_t header[] = {asked->transaction, 0, (uint16_t)(pdu_len + 1)};
    for (size_t i = 0; i < 3; i++) {
        a->frame[2 * i] = (uint8_t)(header[i] >> 8);
        a->frame[2 * i + 1] = (uint8_t)header[i];
    }
    a->frame[6] = unit;
    a->n = LW_MBAP_HEADER + pdu_len;
}

/* What is wrong with the bytes of an answer. An RTU frame has no transaction: its CRC is
 * wrong then. */
static void
spoil(struct client *c, const struct sim_fault *faults, lw_wall t, struct answer *a)
{
    if (sim_fault_at(faults, SIM_WRONG_ID, t)) {
        uint8_t *at = c->of.rtu ? a->frame + a->n - 2 : a->frame;
        at[0] ^= 0x55;
        at[1] ^= 0x55;
    }
    if (sim_fault_at(faults, SIM_HALF, t))
        a->n /= 2;
    if (sim_fault_at(faults, SIM_GARBAGE, t))
        garbage(c, a);
}

static void
answer(struct client *c, const struct lw_mbap_frame *frame, lw_wall t)
{
    struct unit *unit = c->of.line->unit[frame->unit];
    struct lw_mb_request req = {.unit = frame->unit};
    const struct sim_fault *faults = unit ? unit->faults : NULL, *f;
    uint8_t data[2 * LW_MB_REGISTERS_MAX], answering = frame->unit;
    struct answer a;
    uint8_t *pdu = a.frame + (c->of.rtu ? 1 : LW_MBAP_HEADER);

    if (faults && sim_fault_at(faults, SIM_SILENT, t))
        return;
    int code = lw_mb_parse_request(frame->pdu, frame->pdu_len, &req);
    if (code == 0 || !unit)
        code = fleet_answer(c->pool->fleet, unit, t, &req, data);
    if (code == FLEET_SILENT)
        return;
    if (faults) {
        if (sim_fault_at(faults, SIM_WRONG_UNIT, t))
            answering++;
        if ((f = sim_fault_at(faults, SIM_EXCEPTION, t)))
            code = (int)f->arg;
    }
    size_t n = code > 0 ? lw_mb_exception(frame->pdu[0], (uint8_t)code, pdu)
                        : lw_mb_answer(&req, data, 2u * req.count, pdu);
    seal(c, frame, answering, n, &a);
    c->answers++;
    if (faults && sim_fault_at(faults, SIM_NOISE, t)) {
        struct answer noise;
        garbage(c, &noise);
        send_answer(c, faults, t, &noise);
    }
    if (faults)
        spoil(c, faults, t, &a);
    send_answer(c, faults, t, &a);

    f = sim_fault_at(c->of.line->faults, SIM_RECONNECT, t);
    if (f && c->answers >= f->arg)
        c->closing = true;
}

/* The request at the head of the buffer, in either framing: its length, LW_EAGAIN, or
 * LW_EPROTO. What is no RTU is passed over, since a serial line has noise. */
static int
next_request(const struct client *c, size_t used, struct lw_mbap_frame *ret_frame)
{
    size_t at = used;
    int n;
    if (!c->of.rtu)
        return lw_mbap_next(c->in + used, c->in_n - used, ret_frame);
    do {
        n = lw_rtu_take_request(c->in + at, c->in_n - at, &ret_frame->unit,
                                &ret_frame->pdu, &ret_frame->pdu_len);
    } while (n == LW_EPROTO && ++at);
    return n < 0 ? n : (int)(at - used) + n;
}

/* Answers what is whole in the buffer. False: close. */
static bool
serve(struct client *c)
{
    size_t used = 0;
    bool good = true;
    lw_wall t = c->pool->now(c->pool->arg);

    while (good && !c->closing) {
        struct lw_mbap_frame frame;
        int n = next_request(c, used, &frame);
        if (n == LW_EAGAIN)
            break;
        if (n < 0)
            return false; /* no Modbus TCP: a gateway hangs up */
        if (c->out_n + 2 * LW_MBAP_MAX > OUT_BYTES)
            good = flush(c);
        if (c->out_n + 2 * LW_MBAP_MAX > OUT_BYTES)
            break; /* on_writable comes back here */
        answer(c, &frame, t);
        used += (size_t)n;
    }
    if (used == 0 && c->of.rtu && c->in_n == IN_BYTES)
        used = IN_BYTES - LW_RTU_REQUEST; /* noise alone */
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
    ssize_t n = read(fd, c->in + c->in_n, IN_BYTES - c->in_n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->in_n += (size_t)n;
    if (n <= 0 || !serve(c))
        close_client(c);
}

/* ---- connections ---- */

int
client_new(struct client_pool *pool, const struct client_options *options,
           struct client **ret_client)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        close(options->fd);
        return LW_ENOMEM;
    }
    c->pool = pool;
    c->of = *options;
    c->readable = event_new(pool->base, c->of.fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(pool->base, c->of.fd, EV_WRITE, on_writable, c);
    c->timer = evtimer_new(pool->base, on_timer, c);
    memcpy(c->out, options->greeting_n ? options->greeting : "", options->greeting_n);
    c->out_n = options->greeting_n;
    if (!c->readable || !c->writable || !c->timer ||
        (pool->begun && event_add(c->readable, NULL) < 0) || !flush(c)) {
        client_free(c);
        return LW_ENOMEM;
    }
    *ret_client = c;
    return 0;
}

void
client_begin(struct client *c)
{
    event_add(c->readable, NULL);
}
