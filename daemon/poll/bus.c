/* One endpoint: the queue, the requests under way, their replies and deadlines. */
#include "daemon/poll/bus_private.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/log.h"

#define NEVER INT64_MAX

/* libevent finds the events of one common timeout without a search. */
static const struct timeval *
common_timeout(struct bus_pool *pool, int64_t us)
{
    int64_t steps = (us + BUS_TIMEOUT_STEP * 1000 - 1) / (BUS_TIMEOUT_STEP * 1000);
    const int64_t most = BUS_TIMEOUT_MAX / BUS_TIMEOUT_STEP;
    steps = steps < 1 ? 1 : steps > most ? most : steps;
    const struct timeval **timeout = &pool->timeout[steps];
    if (*timeout == NULL) {
        int64_t ms = steps * BUS_TIMEOUT_STEP;
        struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
        *timeout = event_base_init_common_timeout(pool->stream.base, &tv);
    }
    return *timeout;
}

/* The timer is not moved for each request: it fires at the deadline that was first when
 * it was set, and looks what is the first one then. */
static void
wake_at_deadline(struct bus *bus, int64_t at_us, int64_t now_us)
{
    if (bus->wake_us <= at_us)
        return;
    bus->wake_us = at_us;
    event_add(bus->timer, common_timeout(bus->pool, at_us - now_us));
}

static void
wake_after_gap(struct bus *bus, int64_t now_us)
{
    if (bus->wake_us <= bus->not_before_us)
        return;
    bus->wake_us = bus->not_before_us;
    int64_t us = bus->not_before_us - now_us;
    event_add(bus->timer,
              &(struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000});
}

static struct bus_read *
take_first(struct bus *bus)
{
    struct bus_read *read = bus->first;
    if (read == NULL)
        return NULL;
    bus->first = read->next;
    if (bus->first == NULL)
        bus->last = &bus->first;
    bus->waiting--;
    return read;
}

static void
set_free(struct bus *bus, struct slot *slot)
{
    slot->read = NULL;
    slot->unsent = false;
    bus->nbusy--;
    bus->pool->inflight--;
}

/* A quiet time in which nothing is sent. */
void
bus_hold_until(struct bus *bus, int64_t at_us)
{
    if (bus->not_before_us < at_us)
        bus->not_before_us = at_us;
}

/* Its answer may still come, where replies have no number. */
static void
doubt(struct bus *bus, uint8_t unit)
{
    if (bus->framing->settles)
        bus->doubted[unit / 8] |= (uint8_t)(1 << unit % 8);
}

void
bus_settle(struct bus *bus, const struct slot *slot, int64_t now_us)
{
    if (!bus->framing->settles)
        return;
    doubt(bus, slot->mb.unit);
    bus_hold_until(bus, now_us + (int64_t)slot->timeout_ms * 1000);
}

/* On a serial line the request's own time is its worker's to see to: the deadline is for
 * a worker that does not answer at all. */
static int32_t
deadline_ms(const struct bus *bus, int32_t timeout_ms)
{
    return bus->options.transport == LW_RTU
               ? rtu_line_longest_ms(&bus->options.serial, timeout_ms)
               : timeout_ms;
}

static void
put_request(struct bus *bus, struct slot *slot, uint8_t *frame, int64_t now_us)
{
    struct bus_request request;
    bus->owner->request(bus->arg, slot->read, (int32_t)(slot - bus->slot), &request);
    slot->mb = request.mb;
    slot->timeout_ms = request.timeout_ms < BUS_TIMEOUT_MIN   ? BUS_TIMEOUT_MIN
                       : request.timeout_ms > BUS_TIMEOUT_MAX ? BUS_TIMEOUT_MAX
                                                              : request.timeout_ms;
    slot->unsent = false;
    slot->transaction = (uint16_t)(slot->transaction + bus->stride);
    slot->sent_us = now_us;
    slot->deadline_us = now_us + (int64_t)deadline_ms(bus, slot->timeout_ms) * 1000;
    bus->framing->request(slot->transaction, &slot->mb, slot->timeout_ms, frame);
    wake_at_deadline(bus, slot->deadline_us, now_us);
}

/* What has no connection does no work. */
static void
note_work(struct bus *bus, int64_t now_us)
{
    bool works = bus->nbusy > 0 || (bus->state == LINK_UP && bus->first != NULL);
    bus_figures_work(&bus->figures, works, now_us);
}

/* Sends as much as may be under way, in one go. */
void
bus_send(struct bus *bus, int64_t now_us)
{
    uint8_t out[BUS_INFLIGHT * FRAMING_REQUEST_MAX];
    size_t n = 0;
    int64_t gap_us = (int64_t)bus->options.min_gap_ms * 1000;

    for (int32_t i = 0; i < bus->nslots; i++) {
        struct slot *slot = &bus->slot[i];
        if (slot->read != NULL ? !slot->unsent : bus->first == NULL)
            continue;
        if (now_us < bus->not_before_us) {
            wake_after_gap(bus, now_us);
            break;
        }
        if (slot->read == NULL) {
            slot->read = take_first(bus);
            bus->nbusy++;
            bus->pool->inflight++;
        }
        put_request(bus, slot, out + n, now_us);
        n += bus->framing->request_n;
        if (gap_us > 0)
            bus->not_before_us = now_us + gap_us;
    }
    note_work(bus, now_us);
    if (n > 0) {
        bus->noise = 0;
        bus->loud_until_us = NEVER;
        stream_send(bus->stream, out, n);
    }
}

void
bus_fail(struct bus *bus, bool waiting)
{
    for (int32_t i = 0; i < bus->nslots; i++) {
        struct bus_read *read = bus->slot[i].read;
        if (read == NULL)
            continue;
        doubt(bus, bus->slot[i].mb.unit);
        set_free(bus, &bus->slot[i]);
        bus->owner->failed(bus->arg, read, LW_FAIL_LINK);
    }
    while (waiting && bus->first != NULL)
        bus->owner->failed(bus->arg, take_first(bus), LW_FAIL_LINK);
    note_work(bus, clock_io_us());
}

/* After a timeout nothing that came before may spoil what comes next.
 *
 * Where replies have no number, a late one could be taken for the next one's: what has
 * come of it is dropped, and nothing is asked for as long again. To connect anew instead
 * would not help where a converter hands a meter's late answer to whoever is connected
 * then; but what the network holds back goes with the connection.
 *
 * Half a numbered frame swallows the next one's beginning: the connection is closed,
 * unless noise on it is passed over anyway. */
static void
clean_up(struct bus *bus, const struct slot *slot, int64_t now_us)
{
    bool half = stream_forget(bus->stream), close = false;
    bus_settle(bus, slot, now_us);
    if (bus->framing->settles)
        close = !bus->framing->numbered && stream_stalls(bus->stream);
    else
        close = half && bus->options.transport != LW_DIAL_IN_TCP;
    if (close)
        bus->silent_units = INT_MAX;
}

/* A silent unit concerns itself alone, unless others are silent with it. */
static void
expire(struct bus *bus, struct slot *slot, int64_t now_us)
{
    struct bus_read *read = slot->read;
    if ((bus->silent_units == 0 || slot->mb.unit != bus->silent_unit ||
         bus->options.one_unit) &&
        bus->silent_units < INT_MAX)
        bus->silent_units++;
    bus->silent_unit = slot->mb.unit;
    clean_up(bus, slot, now_us);
    set_free(bus, slot);
    bus->owner->failed(bus->arg, read, LW_FAIL_TIMEOUT);
}

/* The request under way that a frame is about; NULL: none. */
static struct slot *
find_slot(struct bus *bus, const struct frame *frame)
{
    int32_t i = bus->framing->numbered ? frame->transaction & (bus->stride - 1) : 0;
    struct slot *slot = &bus->slot[i];
    if (i >= bus->nslots || slot->read == NULL || slot->unsent)
        return NULL;
    return bus->framing->numbered && slot->transaction != frame->transaction ? NULL
                                                                             : slot;
}

/* A unit's first reply after one that never came may be that one: it is dropped, and the
 * same is asked again when nothing more has come for a while. */
static bool
still_doubted(struct bus *bus, struct slot *slot, int64_t now_us)
{
    uint8_t *byte = &bus->doubted[slot->mb.unit / 8];
    uint8_t bit = (uint8_t)(1 << slot->mb.unit % 8);
    if (!(*byte & bit))
        return false;
    *byte = (uint8_t)(*byte & ~bit);
    slot->unsent = true;
    bus_hold_until(bus, now_us + (int64_t)slot->timeout_ms * 1000);
    return true;
}

static void
take_reply(struct bus *bus, struct slot *slot, int code, const uint8_t *data, size_t n,
           int64_t now_us)
{
    bus->failures = 0;
    bus->silent_units = 0;
    bus->pool->latency_us = now_us - slot->sent_us;
    bus->latency_us =
        bus->latency_us == 0
            ? bus->pool->latency_us
            : bus->latency_us + (bus->pool->latency_us - bus->latency_us) / 8;
    reply_times_add(&bus->figures.replies, bus->pool->latency_us);
    if (bus->reported) {
        log_note("%s: answers again", bus->options.name);
        bus->reported = false;
    }
    if (bus->owner->reply(bus->arg, slot->read, (int32_t)(slot - bus->slot), code, data,
                          n))
        slot->unsent = true;
    else
        set_free(bus, slot);
}

/* What answers nothing that was asked is counted and forgotten: the request that it may
 * have been meant for has its deadline. */
static void
take_frame(struct bus *bus, const struct frame *frame, int64_t now_us)
{
    struct slot *slot = find_slot(bus, frame);
    const uint8_t *data = NULL;
    size_t n = 0;
    int code = LW_EPROTO;

    if (frame->kind == FRAME_REPLY) /* and be it a late one */
        bus_hold_until(bus, now_us + (int64_t)bus->options.min_gap_ms * 1000);
    if (frame->kind == FRAME_REPLY && slot != NULL && slot->mb.unit == frame->unit)
        code = lw_mb_reply(&slot->mb, frame->pdu, frame->pdu_len, &data, &n);
    if (code >= 0 && still_doubted(bus, slot, now_us))
        return;
    if (code >= 0) {
        take_reply(bus, slot, code, data, n, now_us);
        return;
    }
    bus->counts.stray += frame->kind != FRAME_TIMEOUT;
    bus->counts.corrupt += frame->kind == FRAME_CORRUPT;
    bus->counts.wrong_unit += frame->kind == FRAME_OTHER;
    if (frame->ends && slot != NULL)
        expire(bus, slot, now_us);
}

/* Bytes at which no frame can begin. A gateway that dials in may send heartbeats between
 * its frames; any other one is not what the ledger says. */
static int
skip(const struct bus *bus, struct frame *ret_frame)
{
    if (bus->options.transport != LW_DIAL_IN_TCP)
        return LW_EPROTO;
    *ret_frame = (struct frame){.kind = FRAME_NOISE};
    return 1;
}

/* What waits does so until it is quiet, but not for ever. */
static void
on_unasked(struct bus *bus, int64_t now_us)
{
    int64_t until_us = now_us + BUS_QUIET_MS * 1000;
    if (!bus->framing->settles)
        return;
    if (bus->first == NULL && bus->nbusy == 0)
        bus->loud_until_us = NEVER;
    else if (bus->loud_until_us == NEVER)
        bus->loud_until_us = now_us + BUS_LOUD_MS * 1000;
    bus_hold_until(bus, until_us < bus->loud_until_us ? until_us : bus->loud_until_us);
}

/* The worker of a serial line says that it is open, or that it is no more. */
static int
take_line(struct bus *bus, const struct frame *frame)
{
    if (frame->kind == FRAME_GONE)
        return frame->error > 0 ? -frame->error : -EIO;
    bus_on_up(bus);
    return 0;
}

ptrdiff_t
bus_on_bytes(void *arg, const uint8_t *data, size_t n)
{
    struct bus *bus = arg;
    struct frame frame;
    int64_t now_us = clock_io_us();
    size_t used = 0;
    bool noise = false;

    bus->pool->received = clock_now(bus->pool->clock).wall;
    for (;;) {
        const struct slot *slot = &bus->slot[0];
        bool asked = slot->read != NULL && !slot->unsent;
        int len =
            bus->framing->next(asked ? &slot->mb : NULL, data + used, n - used, &frame);
        if (len == LW_EAGAIN)
            break;
        if (len == LW_EPROTO && (len = skip(bus, &frame)) < 0) {
            bus->counts.stray++;
            return -EPROTO;
        }
        used += (size_t)len;
        if (frame.kind == FRAME_UP || frame.kind == FRAME_GONE) {
            int rc = take_line(bus, &frame);
            if (rc < 0)
                return rc;
            continue;
        }
        if (!asked || frame.kind != FRAME_REPLY)
            on_unasked(bus, now_us);
        if (frame.kind == FRAME_NOISE) {
            bus->counts.stray += !noise; /* a run of it is one */
            bus->noise += bus->first != NULL || bus->nbusy > 0 ? (size_t)len : 0;
            noise = true;
            continue;
        }
        noise = false;
        take_frame(bus, &frame, now_us);
    }
    if (bus->noise > BUS_NOISE)
        return -EPROTO;
    bus_send(bus, now_us);
    return (ptrdiff_t)used;
}

static bool
is_late(const struct bus *bus, int64_t now_us)
{
    for (int32_t i = 0; i < bus->nslots; i++) {
        const struct slot *slot = &bus->slot[i];
        if (slot->read != NULL && !slot->unsent && slot->deadline_us <= now_us)
            return true;
    }
    return false;
}

/* It may be the loop that was held up, by a slow disk say: an answer that is there
 * counts, though it was not taken in time. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct bus *bus = arg;
    int64_t now_us = clock_io_us();
    (void)fd;
    (void)what;

    bus->wake_us = NEVER;
    if (bus->state == LINK_UP && is_late(bus, now_us))
        stream_take(bus->stream);
    if (bus->state != LINK_UP)
        return;
    int64_t first_us = NEVER;
    for (int32_t i = 0; i < bus->nslots; i++) {
        struct slot *slot = &bus->slot[i];
        if (slot->read == NULL || slot->unsent)
            continue;
        if (slot->deadline_us <= now_us)
            expire(bus, slot, now_us);
        else if (slot->deadline_us < first_us)
            first_us = slot->deadline_us;
    }
    if (bus->silent_units >= bus->options.silent_units) {
        stream_close(bus->stream);
        bus_on_down(bus, ETIMEDOUT);
        return;
    }
    if (first_us != NEVER)
        wake_at_deadline(bus, first_us, now_us);
    bus_send(bus, now_us);
}

void
bus_pump(struct bus *bus)
{
    if (bus->state == LINK_UP)
        bus_send(bus, clock_io_us());
    else if (bus->state == LINK_IDLE && bus->first != NULL)
        bus_connect(bus);
}

bool
bus_queue(struct bus *bus, struct bus_read *read)
{
    if (bus->state == LINK_AWAITED)
        return false;
    if (bus->state == LINK_BACKOFF) {
        if (clock_now(bus->pool->clock).mono.ms < bus->retry_at.ms)
            return false;
        bus->state = LINK_IDLE;
    }
    read->next = NULL;
    *bus->last = read;
    bus->last = &read->next;
    bus->waiting++;
    return true;
}

int
bus_new(struct bus_pool *pool, const struct bus_options *options,
        const struct bus_owner *owner, void *arg, struct bus **ret_bus)
{
    int32_t nslots = options->max_inflight < 1              ? 1
                     : options->max_inflight > BUS_INFLIGHT ? BUS_INFLIGHT
                                                            : options->max_inflight;
    struct bus *bus = calloc(1, sizeof *bus + (size_t)nslots * sizeof bus->slot[0]);
    if (bus == NULL)
        return LW_ENOMEM;
    bus->pool = pool;
    bus->owner = owner;
    bus->arg = arg;
    bus->options = *options;
    bus->wake_us = bus->loud_until_us = NEVER;
    bus->last = &bus->first;
    int rc = bus_link_init(bus);
    bus->nslots = bus->framing->settles ? 1 : nslots;
    for (bus->stride = 1; bus->stride < bus->nslots;)
        bus->stride = (uint16_t)(bus->stride * 2);
    for (int32_t i = 0; i < bus->nslots; i++)
        bus->slot[i].transaction = (uint16_t)i;
    bus->timer = event_new(pool->stream.base, -1, 0, on_timer, bus);
    if (rc != 0 || bus->timer == NULL) {
        bus_free(bus);
        return LW_ENOMEM;
    }
    *ret_bus = bus;
    return 0;
}

void
bus_free(struct bus *bus)
{
    if (bus == NULL)
        return;
    bus_link_clear(bus);
    if (bus->timer != NULL)
        event_free(bus->timer);
    if (bus->nbusy > 0)
        bus->pool->inflight -= bus->nbusy;
    free(bus);
}
