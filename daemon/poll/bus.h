/* One endpoint (`host:port`), however many gateways and meters of the ledger are behind
 * it: one connection, a queue of the reads that wait, and the requests that are under way
 * on it, each with a deadline. Modbus TCP is framed here; the bytes are tcp_link's. */
#ifndef DAEMON_POLL_BUS_H
#define DAEMON_POLL_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodewatch/event.h>
#include <lodewatch/modbus.h>

#include "daemon/poll/poller.h"
#include "daemon/poll/tcp_link.h"

struct bus;
struct timeval;

enum {
    BUS_INFLIGHT = 32,     /* the most requests under way on one connection */
    BUS_TIMEOUT_STEP = 50, /* timeouts are rounded up to it: libevent keeps 256 of them */
    BUS_TIMEOUT_MIN = 100, /* ms */
    BUS_TIMEOUT_MAX = 10000,
    BUS_SILENT_UNITS = 4, /* so many timeouts in a row, and the connection is closed */
};

/* What all buses share. */
struct bus_pool {
    struct tcp_link_pool tcp;
    struct clock *clock;
    const struct timeval *timeout[BUS_TIMEOUT_MAX / BUS_TIMEOUT_STEP + 1];
    lw_wall received; /* when the bytes came in whose replies are handed over */
    uint64_t stray, connects, disconnects;
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
     * is done. */
    void (*request)(void *arg, struct bus_read *read, int32_t slot,
                    struct bus_request *ret_request);
    /* `code` 0: the data; else the Modbus exception. True: it has another request. */
    bool (*reply)(void *arg, struct bus_read *read, int32_t slot, int code,
                  const uint8_t *data, size_t n);
    /* LW_FAIL_TIMEOUT or LW_FAIL_LINK. It may be queued again from here. */
    void (*failed)(void *arg, struct bus_read *read, enum lw_read_failure why);
};

struct bus_options {
    struct sockaddr_storage address;
    socklen_t address_len;
    const char *name; /* for the log; borrowed */
    int32_t max_inflight;
    int32_t min_gap_ms;       /* between a reply or request and the next request */
    int32_t connect_pause_ms; /* between the connect and the first request */
    bool one_unit;            /* its silence is the connection's */
    uint64_t seed;            /* of the backoff's jitter */
};

int bus_new(struct bus_pool *pool, const struct bus_options *options,
            const struct bus_owner *owner, void *arg, struct bus **ret_bus);
/* Without a word to the owners of the reads. */
void bus_free(struct bus *bus);

/* Puts a read last in the queue; bus_pump sends. A read is in it at most once, so that
 * the queue is bounded by the meters. False: there is no connection, and it is too early
 * to try for one. */
bool bus_queue(struct bus *bus, struct bus_read *read);
void bus_pump(struct bus *bus);

enum link_state bus_state(const struct bus *bus);
uint32_t bus_waiting(const struct bus *bus);
int64_t bus_latency_us(const struct bus *bus);

#endif
