/* The poller: reads every meter of the ledger when it is due and turns replies into
 * events. One link (bus object) an endpoint, however many gateways and meters use it. */
#ifndef DAEMON_POLL_POLLER_H
#define DAEMON_POLL_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/event.h>
#include <lodewatch/fault.h>
#include <lodewatch/ledger.h>
#include <lodewatch/profile.h>

#include "daemon/poll/figures.h"

struct clock;
struct event_base;
struct poller;

/* The profiles by id, from a folder of ID.json; "" is the installed one, or etc/profiles
 * of the tree that the program runs from. daemon/poll/profiles.c */
struct profiles;
int profiles_load(const char *dir, struct lw_faults *faults,
                  struct profiles **ret_profiles);
void profiles_free(struct profiles *profiles);
int profiles_n(const struct profiles *profiles);
const struct lw_profile *profiles_at(const struct profiles *profiles, int i);
const struct lw_profile *profiles_find(const struct profiles *profiles, const char *id);

typedef void poller_event(void *arg, const struct lw_event *event);

/* Meters whose profile or transport is not there are faults (file meters.csv or
 * gateways.csv, LW_EPARSE). The ledger and profiles must outlive the poller. Feeds
 * `event` from the loop. */
int poller_new(struct event_base *base, struct clock *clock,
               const struct lw_ledger *ledger, const struct profiles *profiles,
               poller_event *event, void *arg, struct lw_faults *faults,
               struct poller **ret_poller);
void poller_free(struct poller *poller);
/* The wall clock stepped: the schedule is laid anew; nothing is read twice or left out.
 */
void poller_clock_step(struct poller *poller);
/* With its next read the meter is asked for its serial number, too. */
void poller_ask(struct poller *poller, uint32_t meter);

enum poller_result {
    POLL_GOOD,
    POLL_TIMEOUT,
    POLL_LINK, /* no connection */
    POLL_EXCEPTION,
    POLL_VALUE,   /* nothing in the reply can be */
    POLL_OVERRUN, /* due again before it could be started */
    POLL_RESULTS
};
const char *poller_result_name(enum poller_result result);

/* Exceptions are counted by code; 0 has those that Modbus does not know. */
enum {
    POLL_EXCEPTIONS = 12
};

/* What connections went through. */
struct link_counts {
    uint64_t connects, disconnects;
    uint64_t refused;    /* attempts to connect that failed, names that were not found */
    uint64_t stray;      /* frames that answered nothing under way, and runs of noise */
    uint64_t corrupt;    /* of these: replies with a wrong CRC, */
    uint64_t wrong_unit; /* and whole frames of another unit or request */
};

/* Gateways that dial in, all listeners together. */
struct registration_counts {
    uint64_t accepted, registered;
    uint64_t unknown; /* said to be nobody that we know */
    uint64_t mute;    /* did not say in time, or went before */
    uint32_t waiting; /* connections that have not said yet who they are */
};

struct poller_stats {
    uint64_t polls[POLL_RESULTS];
    uint64_t exceptions[POLL_EXCEPTIONS];
    struct reply_times replies;
    struct link_counts link;
    struct registration_counts registration;
    int32_t gateways;
    int32_t gateways_up;
    int32_t meters_silent; /* whose last read failed */
    int32_t inflight;
    int32_t load_permille; /* of the busiest connection, */
    int64_t round_us;      /* and the longest of all last rounds */
};
void poller_stats(const struct poller *poller, struct poller_stats *ret_stats);

enum link_state {
    LINK_IDLE,
    LINK_CONNECTING,
    LINK_UP,
    LINK_BACKOFF,
    LINK_AWAITED, /* the gateway is to dial in */
    LINK_STATES
};
const char *link_state_name(enum link_state state);

/* One gateway, for /metrics, status and the API. What is the connection's is the same for
 * all gateways that share it. */
struct poller_gateway {
    enum link_state state;
    int64_t retry_ms; /* until a connection is tried for again; 0: not waited for */
    struct link_counts link;
    struct reply_times replies;
    int64_t latency_us; /* mean of the last replies, exponentially weighted */
    int64_t round_us;
    uint64_t busy_us;
    int32_t load_permille;
    uint32_t queue; /* reads that wait */
    uint64_t polls[POLL_RESULTS];
    const uint32_t *exceptions; /* POLL_EXCEPTIONS; the poller's */
    lw_wall good;               /* when the last good reading came in; LW_WALL_MIN */
    int32_t meters;
    int32_t meters_silent;
};
void poller_gateway(const struct poller *poller, int32_t gateway,
                    struct poller_gateway *ret_gateway);

/* One row of meters.csv. */
struct poller_meter {
    enum poller_result last; /* POLL_RESULTS: it was not read yet */
    int exception;           /* where it was one */
    uint32_t failures;       /* in a row; a lost connection counts once */
    int32_t latency_ms;      /* of the last reply, rounded up; 0: there was none yet */
    bool silent;             /* it is asked less often than its interval */
    lw_wall next;            /* when it is read next; LW_WALL_MAX: it is not */
};
void poller_meter(const struct poller *poller, int32_t meter,
                  struct poller_meter *ret_meter);

#endif
