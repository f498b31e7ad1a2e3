/* The connection's comings and goings: who makes it, when it is tried for again, and what
 * its loss means for what was under way. */
#include "daemon/poll/bus_private.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/log.h"

enum {
    RETRY_MS = 1000,
    RETRY_MOST_MS = 4 * 60 * 1000, /* with its jitter, within 5 minutes */
};

static void dial_out(struct bus *bus);
static void open_line(struct bus *bus);

static const struct {
    const struct framing *framing;    /* NULL: not built yet */
    void (*connect)(struct bus *bus); /* NULL: it is the gateway that does */
} transports[] = {
    [LW_TCP] = {&framing_mbap, dial_out},
    [LW_TLS] = {NULL, NULL},
    [LW_RTU] = {&framing_line, open_line},
    [LW_RTU_OVER_TCP] = {&framing_rtu, dial_out},
    [LW_DIAL_IN_TCP] = {&framing_mbap, NULL},
    [LW_DIAL_IN_RTU] = {&framing_rtu, NULL},
};

bool
bus_knows(enum lw_transport transport)
{
    return transports[transport].framing != NULL;
}

static bool
is_awaited(const struct bus *bus)
{
    return transports[bus->options.transport].connect == NULL;
}

static const char *
error_text(const struct bus *bus, int error)
{
    static _Thread_local char text[64];
    if (error == 0)
        return "closed by the other side";
    if (error != EPROTO)
        return dial_error_text(error);
    snprintf(text, sizeof text, "sent what is no %s", bus->framing->what);
    return text;
}

static void
set_backoff(struct bus *bus, bool was_up)
{
    bus->failures++;
    if (!was_up && bus->failures == 1)
        bus->failures++;
    int64_t wait_ms = lw_backoff(bus->failures, RETRY_MS, RETRY_MOST_MS,
                                 bus->options.seed + bus->failures);
    bus->retry_at = lw_mono_add(clock_now(bus->pool->clock).mono, wait_ms);
    if (wait_ms > 0)
        bus->state = LINK_BACKOFF;
    retries_set(&bus->pool->retries, bus->options.line, bus->retry_at);
}

/* A connection that worked is tried for again at once; then, after a time that doubles.
 * No failure is one that ended well while nothing was asked or waited, nor one that was
 * given up for its silence: the units may be dead, and those that wait alive. */
static bool
has_failed(const struct bus *bus, bool was_up, int error)
{
    if (!was_up || error == ETIMEDOUT)
        return !was_up;
    return error != 0 || bus->nbusy > 0 || bus->waiting > 0 || bus->failures > 0;
}

void
bus_on_down(void *arg, int error)
{
    struct bus *bus = arg;
    bool was_up = bus->state == LINK_UP;

    bus->counts.disconnects += was_up;
    bus->counts.refused += !was_up;
    bus->silent_units = 0;
    bus->state = is_awaited(bus) ? LINK_AWAITED : LINK_IDLE;
    if (bus->state == LINK_IDLE && has_failed(bus, was_up, error))
        set_backoff(bus, was_up);
    if (bus->state != LINK_IDLE && !bus->reported) {
        log_warn("%s: no connection: %s", bus->options.name, error_text(bus, error));
        bus->reported = true;
    }
    bus_fail(bus, bus->state != LINK_IDLE);
    bus_pump(bus);
}

void
bus_on_up(struct bus *bus)
{
    bus->state = LINK_UP;
    bus->counts.connects++;
    bus->noise = 0;
    bus_hold_until(bus, clock_io_us() + (int64_t)bus->options.connect_pause_ms * 1000);
    bus_pump(bus);
}

static void
on_connected(void *arg, int fd, int error)
{
    struct bus *bus = arg;
    if (fd >= 0 && stream_open(bus->stream, fd) != 0)
        error = ENOMEM;
    if (error != 0)
        bus_on_down(bus, error);
    else
        bus_on_up(bus);
}

static void
dial_out(struct bus *bus)
{
    dial_begin(bus->dial);
}

/* It is up when its worker says so. */
static void
open_line(struct bus *bus)
{
    int fd;
    if (rtu_line_open(&bus->options.serial, &fd) != 0)
        bus_on_down(bus, errno);
    else if (stream_open(bus->stream, fd) != 0)
        bus_on_down(bus, ENOMEM);
}

void
bus_connect(struct bus *bus)
{
    retries_remove(&bus->pool->retries, bus->options.line);
    bus->state = LINK_CONNECTING;
    transports[bus->options.transport].connect(bus);
}

void
bus_retry(struct bus *bus)
{
    if (bus->state == LINK_BACKOFF || bus->state == LINK_IDLE)
        bus_connect(bus);
}

/* The connection before this one may be dead without our knowing; a gateway that dials in
 * anew has given it up. */
void
bus_dialled_in(struct bus *bus, int fd)
{
    bool was_up = bus->state == LINK_UP;
    bus->state = LINK_CONNECTING; /* what was under way may be asked again */
    if (was_up) {
        stream_close(bus->stream);
        bus->counts.disconnects++;
        bus->silent_units = 0;
        bus_fail(bus, false);
    }
    on_connected(bus, fd, 0);
}

int
bus_link_init(struct bus *bus)
{
    static const struct stream_owner owner = {.bytes = bus_on_bytes, .down = bus_on_down};
    bus->framing = transports[bus->options.transport].framing;
    bus->state = is_awaited(bus) ? LINK_AWAITED : LINK_IDLE;
    int rc =
        stream_new(&bus->pool->stream, bus->framing->at_once, &owner, bus, &bus->stream);
    if (rc == 0 && transports[bus->options.transport].connect == dial_out)
        rc = dial_new(&bus->pool->dial, &bus->options.target, on_connected, bus,
                      &bus->dial);
    return rc;
}

/* A late reply to what was under way is treated as one after a timeout. */
void
bus_leave(struct bus *bus)
{
    int64_t now_us = clock_io_us();
    for (int32_t i = 0; i < bus->nslots; i++) {
        struct slot *slot = &bus->slot[i];
        if (slot->read != NULL && !slot->unsent)
            bus_settle(bus, slot, now_us);
        slot->read = NULL;
        slot->unsent = false;
    }
    bus->pool->inflight -= bus->nbusy;
    bus->nbusy = 0;
    bus->first = NULL;
    bus->last = &bus->first;
    bus->waiting = 0;
    bus_figures_work(&bus->figures, false, now_us);
    event_del(bus->timer);
    bus->wake_us = INT64_MAX;
    if (bus->dial != NULL && bus->state == LINK_CONNECTING) {
        dial_cancel(bus->dial);
        bus->state = LINK_IDLE;
    }
}

void
bus_join(struct bus *bus, struct bus_pool *pool, const struct bus_options *options,
         void *arg)
{
    bus->pool = pool;
    bus->options = *options;
    bus->arg = arg;
    stream_move(bus->stream, &pool->stream);
    if (bus->dial != NULL)
        dial_move(bus->dial, &pool->dial);
    if (bus->state == LINK_BACKOFF)
        retries_set(&pool->retries, options->line, bus->retry_at);
}

bool
bus_is_silent(const struct bus *bus)
{
    return bus->silent_units > 1;
}

void
bus_link_clear(struct bus *bus)
{
    dial_free(bus->dial);
    stream_free(bus->stream);
}

/* ---- what it shows of itself ---- */

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

int64_t
bus_retry_ms(const struct bus *bus)
{
    int64_t ms = lw_mono_since(bus->retry_at, clock_now(bus->pool->clock).mono);
    return bus->state == LINK_BACKOFF && ms > 0 ? ms : 0;
}

const struct bus_figures *
bus_figures(const struct bus *bus)
{
    return &bus->figures;
}

const struct link_counts *
bus_counts(const struct bus *bus)
{
    return &bus->counts;
}
