/* The poller's state, which its two halves share: poller.c says what is due, read.c knows
 * what becomes of a read. */
#ifndef DAEMON_POLL_POLLER_PRIVATE_H
#define DAEMON_POLL_POLLER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include <lodewatch/schedule.h>
#include <lodewatch/sunspec.h>

#include "daemon/clock.h"
#include "daemon/poll/bus.h"
#include "daemon/poll/endpoint.h"
#include "daemon/poll/listener.h"
#include "daemon/poll/plan.h"
#include "daemon/poll/poller.h"

enum {
    BUSY = 1 << 0,     /* waits, or is under way */
    GOOD = 1 << 1,     /* the read before was good */
    RETRIED = 1 << 2,  /* this is the second try of a read */
    OVERRAN = 1 << 3,  /* it was due again meanwhile, and that was said */
    ANSWERED = 1 << 4, /* some block of this read was answered with data */
    FRESH = 1 << 5,    /* the reading is still to be begun */
    SLOW = 1 << 6,     /* the slow points are read, too */
    ASK = 1 << 7,      /* and what is read once: who it is, and its clock */
    FIND = 1 << 8,     /* where SunSpec's model stands is being looked for */
};

/* One row of meters.csv. There may be a million: keep it small. */
struct meter {
    struct bus_read read; /* first: it is the meter's address */
    int32_t line;
    int32_t phase_ms;
    uint16_t failures;   /* in a row */
    uint16_t latency_ms; /* of the last reply, rounded up; 0: there was none yet */
    uint16_t plan;
    uint16_t flags;
    uint16_t turn;     /* of the slow points: 0 reads them */
    uint8_t result;    /* of the last read; POLL_RESULTS: there was none yet */
    uint8_t exception; /* which one */
    uint8_t block;     /* of the plan, under way */
    uint8_t slot;      /* of the bus, under way */
    int32_t asked;     /* the day on which it was last asked who it is */
    struct lw_sunspec_walk sunspec;
};

struct gateway {
    int32_t meters, silent; /* in place; of these, whose last read failed */
    uint64_t polls[POLL_RESULTS];
    uint32_t exceptions[POLL_EXCEPTIONS];
    lw_wall good; /* when the last good reading came in */
};

/* A bus and what the poller keeps with it. */
struct line {
    struct poller *poller;
    struct bus *bus;
    struct lw_event *event; /* what is under way: one a place of the bus */
    bool touched;           /* something was queued in this turn */
};

struct poller {
    const struct lw_ledger *ledger;
    struct clock *clock;
    poller_event *event;
    void *arg;
    struct clock_timer timer;
    struct lw_due *due; /* meter, wall time */
    lw_wall seen;       /* what was due until then has been begun */
    int32_t nbusy;
    struct meter *meter;
    struct gateway *gateway;
    struct line *line;
    int32_t nlines;
    struct listener **listener;
    int32_t nlisteners;
    struct registration_counts
        before; /* of the listeners of the poller before this one */
    struct endpoints endpoints;
    struct plans plans;
    struct bus_pool pool;
};

static inline int32_t
key_of(const struct poller *p, const struct meter *m)
{
    return (int32_t)(m - p->meter);
}

static inline const struct lw_meter *
row_of(const struct poller *p, const struct meter *m)
{
    return &p->ledger->meter[key_of(p, m)];
}

static inline int64_t
interval_of(const struct lw_meter *row)
{
    return row->interval_s * LW_SECOND;
}

/* Lets the timer fire when the first one is due. */
void poller_set_timer(struct poller *p);
/* Puts the meter's next read after `t` into the heap. */
void poller_lay(struct poller *p, struct meter *m, lw_wall t);

/* What buses ask, and tell. */
extern const struct bus_owner read_owner;
/* The meter is due: queues its read, or counts an overrun where it is busy. */
void read_begin(struct poller *p, struct meter *m);

#endif
