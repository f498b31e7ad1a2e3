/* The bus's state, which its two halves share: bus.c asks and takes the answers,
 * bus_link.c sees to the connection. */
#ifndef DAEMON_POLL_BUS_PRIVATE_H
#define DAEMON_POLL_BUS_PRIVATE_H

#include "daemon/poll/bus.h"
#include "daemon/poll/framing.h"

struct event;

/* A request under way. */
struct slot {
    struct bus_read *read; /* NULL: free */
    struct lw_mb_request mb;
    uint16_t transaction; /* its low bits are the slot's number */
    bool unsent;          /* the read goes on, and its next request waits */
    int64_t sent_us;
    int64_t deadline_us;
    int32_t timeout_ms;
};

struct bus {
    struct bus_pool *pool;
    const struct bus_owner *owner;
    void *arg;
    struct bus_options options;
    const struct framing *framing;
    struct stream *stream;
    struct dial *dial; /* of those that are dialled */
    enum link_state state;
    struct link_counts counts;
    struct bus_figures figures;

    struct event *timer;   /* for deadlines and gaps */
    int64_t wake_us;       /* when it fires; NEVER */
    int64_t not_before_us; /* a gap or a pause is to be kept */
    int64_t loud_until_us; /* from then on it is asked though it is not quiet; NEVER */

    struct bus_read *first, **last;
    uint32_t waiting;

    uint32_t failures; /* of the connection, since a reply came in */
    lw_mono retry_at;
    bool reported;
    size_t noise;     /* bytes that nobody asked for, since the last request */
    int silent_units; /* timeouts in a row, of different units */
    uint8_t silent_unit;
    uint8_t doubted[256 / 8]; /* units that left a request unanswered */
    int64_t latency_us;

    uint16_t stride; /* a power of two, at least nslots */
    int32_t nslots, nbusy;
    struct slot slot[];
};

/* bus_link.c */
int bus_link_init(struct bus *bus);
void bus_link_clear(struct bus *bus);
/* Begins to connect, where that is ours to do. */
void bus_connect(struct bus *bus);
void bus_on_up(struct bus *bus);
/* The connection is gone, or never came to be. `error` is an errno or a name's; 0: the
 * peer closed. */
void bus_on_down(void *bus, int error);

/* bus.c */
ptrdiff_t bus_on_bytes(void *bus, const uint8_t *data, size_t n);
void bus_send(struct bus *bus, int64_t now_us);
/* The reply to that request may still come, and must spoil nothing. */
void bus_settle(struct bus *bus, const struct slot *slot, int64_t now_us);
void bus_hold_until(struct bus *bus, int64_t at_us);
/* All that is under way, and all that waits where `waiting`, fails as LW_FAIL_LINK. */
void bus_fail(struct bus *bus, bool waiting);

#endif
