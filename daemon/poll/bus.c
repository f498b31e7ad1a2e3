/* One endpoint: the queue, the requests under way, their replies and deadlines, and the
 * connection's comings and goings. */
#include "daemon/poll/bus.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/schedule.h>

#include "daemon/clock.h"
#include "daemon/log.h"

#define NEVER INT64_MAX

enum {
    RETRY_MS = 1000,
    RETRY_MOST_MS = 4 * 60 * 1000, /* with its jitter, within 5 minutes */
};

/* A request under way. */
struct slot {
    struct bus_read *read; /* NULL: free */
    struct lw_mb_request mb;
    uint16_t transaction; /* its low bits are the slot's number */
    bool unsent;          /* the read goes on, and its next request waits */
    int64_t sent_us;
    int64_t deadline_us;
};

struct bus {
    struct bus_pool *pool;
    const struct bus_owner *owner;
    void *arg;
    struct bus_options options;
    struct tcp_link *link;
    enum link_state state;

    struct event *timer;   /* for deadlines and gaps */
    int64_t wake_us;       /* when it fires; NEVER */
    int64_t not_before_us; /* a gap or a pause is to be kept */

    struct bus_read *first, **last;
    uint32_t waiting;

    uint32_t failures; /* of the connection, since a reply came in */
    lw_mono retry_at;
    bool reported;
    int silent_units; /* timeouts in a row, of different units */
    uint8_t silent_unit;
    int64_t latency_us;

    uint16_t stride; /* a power of two, at least nslots */
    int32_t nslots, nbusy;
    struct slot slot[];
};

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
        *timeout = event_base_init_common_timeout(pool->tcp.base, &tv);
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

static void
put_request(struct bus *bus, struct slot *slot, uint8_t frame[LW_MBAP_REQUEST],
            int64_t now_us)
{
    struct bus_request request;
    bus->owner->request(bus->arg, slot->read, (int32_t)(slot - bus->slot), &request);
    int64_t ms = request.timeout_ms < BUS_TIMEOUT_MIN   ? BUS_TIMEOUT_MIN
                 : request.timeout_ms > BUS_TIMEOUT_MAX ? BUS_TIMEOUT_MAX
                                                        : request.timeout_ms;
    slot->mb = request.mb;
    slot->unsent = false;
    slot->transaction = (uint16_t)(slot->transaction + bus->stride);
    slot->sent_us = now_us;
    slot->deadline_us = now_us + ms * 1000;
    int rc = lw_mbap_request(slot->transaction, &slot->mb, frame);
    assert(rc == 0); /* the profile's reads were checked when it was loaded */
    (void)rc;
    wake_at_deadline(bus, slot->deadline_us, now_us);
}

/* Sends as much as may be under way, in one go. */
static void
send_what_fits(struct bus *bus, int64_t now_us)
{
    uint8_t out[BUS_INFLIGHT * LW_MBAP_REQUEST];
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
        n += LW_MBAP_REQUEST;
        if (gap_us > 0)
            bus->not_before_us = now_us + gap_us;
    }
    if (n > 0)
        tcp_link_send(bus->link, out, n);
}

static const char *
error_text(int error)
{
    return error == 0        ? "closed by the other side"
           : error == EPROTO ? "sent what is no Modbus TCP"
                             : strerror(error);
}

static void
fail_slots(struct bus *bus)
{
    for (int32_t i = 0; i < bus->nslots; i++) {
        struct bus_read *read = bus->slot[i].read;
        if (read == NULL)
            continue;
        set_free(bus, &bus->slot[i]);
        bus->owner->failed(bus->arg, read, LW_FAIL_LINK);
    }
}

/* The connection is gone, or never came to be. One that worked is tried for again at
 * once; then, after a time that doubles. There is no timer for it: the next read that is
 * due after that time tries. */
static void
on_down(void *arg, int error)
{
    struct bus *bus = arg;
    bool was_up = bus->state == LINK_UP;

    bus->pool->disconnects += was_up;
    bus->silent_units = 0;
    bus->state = LINK_IDLE;
    if (!was_up || error != 0 || bus->nbusy > 0 || bus->failures > 0) {
        bus->failures++;
        if (!was_up && bus->failures == 1)
            bus->failures++;
        int64_t wait_ms = lw_backoff(bus->failures, RETRY_MS, RETRY_MOST_MS,
                                     bus->options.seed + bus->failures);
        bus->retry_at = lw_mono_add(clock_now(bus->pool->clock).mono, wait_ms);
        if (wait_ms > 0)
            bus->state = LINK_BACKOFF;
    }
    if (bus->state == LINK_BACKOFF && !bus->reported) {
        log_warn("%s: no connection: %s", bus->options.name, error_text(error));
        bus->reported = true;
    }
    fail_slots(bus);
    while (bus->state == LINK_BACKOFF && bus->first != NULL)
        bus->owner->failed(bus->arg, take_first(bus), LW_FAIL_LINK);
    bus_pump(bus);
}

static void
on_up(void *arg)
{
    struct bus *bus = arg;
    bus->state = LINK_UP;
    bus->pool->connects++;
    bus->not_before_us = clock_io_us() + (int64_t)bus->options.connect_pause_ms * 1000;
    bus_pump(bus);
}

/* Whose answer is it? What answers nothing that was asked is counted and forgotten: the
 * request that it may have been meant for has its deadline. */
static void
take_frame(struct bus *bus, const struct lw_mbap_frame *frame, int64_t now_us)
{
    int32_t i = frame->transaction & (bus->stride - 1);
    struct slot *slot = &bus->slot[i];
    const uint8_t *data = NULL;
    size_t n = 0;
    int code = LW_EPROTO;

    if (i < bus->nslots && slot->read != NULL && !slot->unsent &&
        slot->transaction == frame->transaction && slot->mb.unit == frame->unit)
        code = lw_mb_reply(&slot->mb, frame->pdu, frame->pdu_len, &data, &n);
    if (code < 0) {
        bus->pool->stray++;
        return;
    }
    bus->failures = 0;
    bus->silent_units = 0;
    bus->latency_us += (now_us - slot->sent_us - bus->latency_us) / 8;
    if (bus->reported) {
        log_note("%s: answers again", bus->options.name);
        bus->reported = false;
    }
    if (bus->owner->reply(bus->arg, slot->read, i, code, data, n))
        slot->unsent = true;
    else
        set_free(bus, slot);
}

static ptrdiff_t
on_bytes(void *arg, const uint8_t *data, size_t n)
{
    struct bus *bus = arg;
    struct lw_mbap_frame frame;
    int64_t now_us = clock_io_us();
    int64_t gap_us = (int64_t)bus->options.min_gap_ms * 1000;
    size_t used = 0;
    int len;

    bus->pool->received = clock_now(bus->pool->clock).wall;
    while ((len = lw_mbap_next(data + used, n - used, &frame)) > 0) {
        take_frame(bus, &frame, now_us);
        used += (size_t)len;
    }
    if (len == LW_EPROTO) {
        bus->pool->stray++;
        return len;
    }
    if (gap_us > 0 && bus->not_before_us < now_us + gap_us)
        bus->not_before_us = now_us + gap_us;
    send_what_fits(bus, now_us);
    return (ptrdiff_t)used;
}

/* A silent unit concerns itself alone, unless others are silent with it. */
static void
expire(struct bus *bus, struct slot *slot)
{
    struct bus_read *read = slot->read;
    if (bus->silent_units == 0 || slot->mb.unit != bus->silent_unit ||
        bus->options.one_unit)
        bus->silent_units++;
    bus->silent_unit = slot->mb.unit;
    set_free(bus, slot);
    bus->owner->failed(bus->arg, read, LW_FAIL_TIMEOUT);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct bus *bus = arg;
    int64_t now_us = clock_io_us();
    (void)fd;
    (void)what;

    bus->wake_us = NEVER;
    if (bus->state != LINK_UP)
        return;
    int64_t first_us = NEVER;
    for (int32_t i = 0; i < bus->nslots; i++) {
        struct slot *slot = &bus->slot[i];
        if (slot->read == NULL || slot->unsent)
            continue;
        if (slot->deadline_us <= now_us)
            expire(bus, slot);
        else if (slot->deadline_us < first_us)
            first_us = slot->deadline_us;
    }
    if (bus->silent_units >= BUS_SILENT_UNITS) {
        tcp_link_close(bus->link);
        on_down(bus, ETIMEDOUT);
        return;
    }
    if (first_us != NEVER)
        wake_at_deadline(bus, first_us, now_us);
    send_what_fits(bus, now_us);
}

void
bus_pump(struct bus *bus)
{
    if (bus->state == LINK_UP) {
        send_what_fits(bus, clock_io_us());
    } else if (bus->state == LINK_IDLE && bus->first != NULL) {
        bus->state = LINK_CONNECTING;
        if (tcp_link_connect(bus->link) != 0)
            on_down(bus, errno);
    }
}

bool
bus_queue(struct bus *bus, struct bus_read *read)
{
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
    bus->state = LINK_IDLE;
    bus->wake_us = NEVER;
    bus->last = &bus->first;
    bus->nslots = nslots;
    for (bus->stride = 1; bus->stride < nslots;)
        bus->stride = (uint16_t)(bus->stride * 2);
    for (int32_t i = 0; i < nslots; i++)
        bus->slot[i].transaction = (uint16_t)i;
    bus->timer = event_new(pool->tcp.base, -1, 0, on_timer, bus);
    static const struct tcp_link_owner link_owner = {
        .up = on_up, .bytes = on_bytes, .down = on_down};
    if (bus->timer == NULL ||
        tcp_link_new(&pool->tcp, (const struct sockaddr *)&options->address,
                     options->address_len, &link_owner, bus, &bus->link) != 0) {
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
    tcp_link_free(bus->link);
    if (bus->timer != NULL)
        event_free(bus->timer);
    bus->pool->inflight -= bus->nbusy;
    free(bus);
}

enum link_state
bus_state(const struct bus *bus)
{
    return bus->state;
}

uint32_t
bus_waiting(const struct bus *bus)
{
    return bus->waiting;
}

int64_t
bus_latency_us(const struct bus *bus)
{
    return bus->latency_us;
}
