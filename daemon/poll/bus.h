/* One endpoint (`host:port`, a serial line, a gateway that dials in), however many
 * gateways and meters of the ledger are behind it: one connection, a queue of the reads
 * that wait, and the requests that are under way on it, each with a deadline. */
#ifndef DAEMON_POLL_BUS_H
#define DAEMON_POLL_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/event.h>
#include <lodewatch/ledger.h>
#include <lodewatch/modbus.h>
#include <lodewatch/registration.h>

#include "daemon/poll/dial.h"
#include "daemon/poll/figures.h"
#include "daemon/poll/poller.h"
#include "daemon/poll/retries.h"
#include "daemon/poll/rtu_line.h"
#include "daemon/poll/stream.h"

struct bus;
struct timeval;

enum {
    BUS_INFLIGHT = 32,     /* the most requests under way on one connection */
    BUS_TIMEOUT_STEP = 50, /* timeouts are rounded up to it: libevent keeps 256 of them */
    BUS_TIMEOUT_MIN = 100, /* ms */
    BUS_TIMEOUT_MAX = 10000,
    BUS_SILENT_UNITS = 4, /* so many timeouts in a row, and the connection is closed */
    BUS_QUIET_MS = 20,    /* of silence after what nobody asked for, before a request */
    BUS_LOUD_MS = 500,    /* and where it is never silent, so long is waited for it */
    BUS_NOISE = 4096,     /* so many bytes of it between two requests: it is closed */
};

/* What all buses share. */
struct bus_pool {
    struct stream_pool stream;
    struct dial_pool dial;
    struct retries retries;
    struct clock *clock;
    const struct timeval *timeout[BUS_TIMEOUT_MAX / BUS_TIMEOUT_STEP + 1];
    lw_wall received;   /* when the bytes came in whose replies are handed over, */
    int64_t latency_us; /* and how long after the request */
    int32_t inflight;
};

/* A read that waits or is under way. Its owner embeds it; it takes as many requests as
 * the owner wants, one after the other. */
struct bus_read {
    struct bus_read *next;
};

struct bus_request {
    struct lw_mb_request mb;
    int32_t timeout_ms;
};

struct bus_owner {
    /* What to ask next for the read, which has place `slot` (below max_inflight) until it
     * is done. It may be called again for the same, where a reply is not believed. */
    void (*request)(void *arg, struct bus_read *read, int32_t slot,
                    struct bus_request *ret_request);
    /* `code` 0: the data; else the Modbus exception. True: it has another request. */
    bool (*reply)(void *arg, struct bus_read *read, int32_t slot, int code,
                  const uint8_t *data, size_t n);
    /* LW_FAIL_TIMEOUT or LW_FAIL_LINK. It may be queued again from here. */
    void (*failed)(void *arg, struct bus_read *read, enum lw_read_failure why);
};

struct bus_options {
    enum lw_transport transport;
    int32_t line;              /* its number among the buses: the key of its retries */
    const char *name;          /* for the log; borrowed */
    struct dial_target target; /* of those that are dialled, or listened on */
    struct lw_registration registration; /* of those that dial in */
    struct rtu_line_options serial;
    int32_t max_inflight;     /* with numbered frames; else it is 1 */
    int32_t min_gap_ms;       /* between a reply or request and the next request */
    int32_t connect_pause_ms; /* between the connect and the first request */
    int32_t silent_units;     /* BUS_SILENT_UNITS, or more where that costs more */
    bool one_unit;            /* its silence is the connection's */
    uint64_t seed;            /* of the backoff's jitter */
};

/* Is the transport built? */
bool bus_knows(enum lw_transport transport);

int bus_new(struct bus_pool *pool, const struct bus_options *options,
            const struct bus_owner *owner, void *arg, struct bus **ret_bus);
/* Without a word to the owners of the reads. */
void bus_free(struct bus *bus);

/* From one pool to the next, with its connection and all that it counts. What waits and
 * what is under way is dropped without a word; in between it may be freed, nothing else.
 * The address and max_inflight must stay what they were. */
void bus_leave(struct bus *bus);
void bus_join(struct bus *bus, struct bus_pool *pool, const struct bus_options *options,
              void *arg);

/* Puts a read last in the queue; bus_pump sends. A read is in it at most once, so that
 * the queue is bounded by the meters. False: there is no connection, and it is too early
 * to try for one. */
bool bus_queue(struct bus *bus, struct bus_read *read);
void bus_pump(struct bus *bus);
/* It is time to try for a connection again, whether anything waits or not. */
void bus_retry(struct bus *bus);
/* Its gateway has dialled in: this socket takes the place of the one before. */
void bus_dialled_in(struct bus *bus, int fd);

enum link_state bus_state(const struct bus *bus);
/* Are several units silent, and none answers in between? */
bool bus_is_silent(const struct bus *bus);
uint32_t bus_waiting(const struct bus *bus);
int64_t bus_latency_us(const struct bus *bus);
/* How long until a connection is tried for again; 0: that is not what it waits for. */
int64_t bus_retry_ms(const struct bus *bus);
const struct bus_figures *bus_figures(const struct bus *bus);
const struct link_counts *bus_counts(const struct bus *bus);

#endif
