/* The poller: what is due, from the heap to its bus; and from the replies to events.
 *
 * A meter is read block by block into one reading. While any read waits or is under way a
 * simulated clock is held, so that the reading's time is exactly the time at which it was
 * due. Nothing is allocated for a poll: a meter that waits is linked into its bus's
 * queue, and the reading grows in the place of its bus that it occupies. */
#include "daemon/poll/poller.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/schedule.h>

#include "daemon/clock.h"
#include "daemon/poll/bus.h"
#include "daemon/poll/endpoint.h"
#include "daemon/poll/plan.h"

enum {
    DUE_AT_ONCE = 128, /* in one turn of the loop; as many connections may be begun */
    SILENT_MS = 5 * 1000,
    SILENT_MOST_MS = 5 * 60 * 1000,
};

enum {
    BUSY = 1 << 0,     /* waits, or is under way */
    GOOD = 1 << 1,     /* the read before was good */
    RETRIED = 1 << 2,  /* this is the second try of a read */
    OVERRAN = 1 << 3,  /* it was due again meanwhile, and that was said */
    ANSWERED = 1 << 4, /* some block of this read was answered with data */
};

/* One row of meters.csv. There may be a million: keep it small. */
struct meter {
    struct bus_read read; /* first: it is the meter's address */
    int32_t line;
    int32_t phase_ms;
    uint32_t failures; /* in a row */
    uint16_t plan;
    uint8_t block; /* of the plan, under way */
    uint8_t flags;
};

struct gateway {
    int32_t meters, silent; /* in place; of these, whose last read failed */
    uint64_t good, failed;
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
    struct endpoints endpoints;
    uint64_t polls[POLL_RESULTS];
    struct plans plans;
    struct bus_pool pool;
};

static const struct {
    const char *name;
    enum lw_read_failure why;
} results[POLL_RESULTS] = {
    [POLL_GOOD] = {"good", 0},
    [POLL_TIMEOUT] = {"timeout", LW_FAIL_TIMEOUT},
    [POLL_LINK] = {"link", LW_FAIL_LINK},
    [POLL_EXCEPTION] = {"exception", LW_FAIL_EXCEPTION},
    [POLL_VALUE] = {"value", LW_FAIL_VALUE},
    [POLL_OVERRUN] = {"overrun", LW_FAIL_OVERRUN},
};

const char *
poller_result_name(enum poller_result result)
{
    return results[result].name;
}

static int32_t
key_of(const struct poller *p, const struct meter *m)
{
    return (int32_t)(m - p->meter);
}

static const struct lw_meter *
row_of(const struct poller *p, const struct meter *m)
{
    return &p->ledger->meter[key_of(p, m)];
}

static int64_t
interval_of(const struct lw_meter *row)
{
    return row->interval_s * LW_SECOND;
}

/* Puts the meter's next read after `t` into the heap. */
static void
lay(struct poller *p, struct meter *m, lw_wall t)
{
    const struct lw_meter *row = row_of(p, m);
    if (row->installed.ms > t.ms)
        t = lw_wall_add(row->installed, -1);
    lw_due_set(p->due, key_of(p, m), lw_phase_next(t, interval_of(row), m->phase_ms).ms);
}

/* The meter was taken away. */
static void
leave(struct poller *p, struct meter *m)
{
    struct gateway *gateway = &p->gateway[row_of(p, m)->gateway];
    gateway->meters--;
    gateway->silent -= m->failures > 0;
    lw_due_remove(p->due, key_of(p, m));
}

static void
set_timer(struct poller *p)
{
    int32_t key;
    int64_t at;
    if (!lw_due_first(p->due, &key, &at)) {
        clock_timer_stop(&p->timer);
        return;
    }
    struct clock_time now = clock_now(p->clock);
    clock_timer_set(&p->timer,
                    lw_mono_add(now.mono, lw_wall_since((lw_wall){at}, now.wall)));
}

static void
say_failed(struct poller *p, struct meter *m, enum poller_result result, int exception)
{
    struct lw_event event = {
        .kind = LW_EVENT_READ_FAILED,
        .at = clock_now(p->clock).wall,
        .failed = {.meter = (uint32_t)key_of(p, m),
                   .why = results[result].why,
                   .exception = (uint8_t)exception},
    };
    p->event(p->arg, &event);
}

static void
end_read(struct poller *p, struct meter *m)
{
    m->flags &= (uint8_t) ~(BUSY | RETRIED | OVERRAN);
    if (--p->nbusy == 0)
        clock_release(p->clock);
}

static void
end_good(struct poller *p, struct meter *m, struct lw_event *event)
{
    struct gateway *gateway = &p->gateway[row_of(p, m)->gateway];
    p->polls[POLL_GOOD]++;
    gateway->good++;
    if (m->failures > 0)
        gateway->silent--;
    m->failures = 0;
    m->flags |= GOOD;
    event->at = event->reading.time = event->reading.received = p->pool.received;
    p->event(p->arg, event);
    end_read(p, m);
}

/* What is silent is asked less often, so that it does not keep the bus from the others;
 * but on schedule where that is seldom enough. */
static void
end_failed(struct poller *p, struct meter *m, enum poller_result result, int exception)
{
    const struct lw_meter *row = row_of(p, m);
    struct gateway *gateway = &p->gateway[row->gateway];
    p->polls[result]++;
    gateway->failed++;
    if (m->failures == 0)
        gateway->silent++;
    if (m->failures < UINT32_MAX)
        m->failures++;
    m->flags &= (uint8_t)~GOOD;
    say_failed(p, m, result, exception);
    if (interval_of(row) < SILENT_MOST_MS && m->failures > 1 &&
        lw_due_has(p->due, key_of(p, m))) {
        uint64_t seed = (uint64_t)key_of(p, m);
        int64_t wait = lw_backoff(m->failures, SILENT_MS, SILENT_MOST_MS, seed);
        lay(p, m, lw_wall_add(clock_now(p->clock).wall, wait - 1));
    }
    end_read(p, m);
}

/* A read that fails where the one before was good is tried once more. */
static void
retry_or_fail(struct poller *p, struct meter *m, enum poller_result result, int exception)
{
    if ((m->flags & (GOOD | RETRIED)) == GOOD) {
        m->flags |= RETRIED;
        m->block = 0;
        if (bus_queue(p->line[m->line].bus, &m->read))
            return;
    }
    end_failed(p, m, result, exception);
}

static void
on_failed(void *arg, struct bus_read *read, enum lw_read_failure why)
{
    struct line *line = arg;
    retry_or_fail(line->poller, (struct meter *)read,
                  why == LW_FAIL_TIMEOUT ? POLL_TIMEOUT : POLL_LINK, 0);
}

static void
on_request(void *arg, struct bus_read *read, int32_t slot,
           struct bus_request *ret_request)
{
    struct line *line = arg;
    struct poller *p = line->poller;
    struct meter *m = (struct meter *)read;
    const struct lw_meter *row = row_of(p, m);
    const struct plan *plan = p->plans.plan[m->plan];
    const struct lw_read_block *block = &plan->block[m->block];

    if (m->block == 0) {
        line->event[slot] = (struct lw_event){.kind = LW_EVENT_READING,
                                              .reading.meter = (uint32_t)key_of(p, m)};
        m->flags &= (uint8_t)~ANSWERED;
    }
    *ret_request = (struct bus_request){
        .mb = {.unit = row->unit,
               .function = block->function,
               .address = block->address,
               .count = block->count},
        .timeout_ms = plan->profile->timeout_ms != 0
                          ? plan->profile->timeout_ms
                          : p->ledger->gateway[row->gateway].timeout_ms,
    };
}

/* The device does not give these registers in one read: from now on they are read one by
 * one. False where they are one by one already. */
static bool
split(struct poller *p, struct meter *m, const struct lw_read_block *block)
{
    const struct plan *plan = p->plans.plan[m->plan];
    if ((block->regs & (block->regs - 1)) == 0)
        return false;
    int better = plans_get(&p->plans, plan->profile, plan->split | block->regs);
    if (better < 0)
        return false;
    m->plan = (uint16_t)better;
    m->block = 0;
    return true;
}

/* The plan's last block has been answered. A device that refuses even single registers
 * may be another one tomorrow: it is not remembered as one to be read apart. */
static void
end_plan(struct poller *p, struct meter *m, struct lw_event *event, int code)
{
    if (event->reading.have != 0) {
        end_good(p, m, event);
    } else if (m->flags & ANSWERED) {
        end_failed(p, m, POLL_VALUE, 0);
    } else {
        int base = plans_get(&p->plans, p->plans.plan[m->plan]->profile, 0);
        m->plan = (uint16_t)base; /* it has been there from the start */
        retry_or_fail(p, m, POLL_EXCEPTION, code);
    }
}

static bool
on_reply(void *arg, struct bus_read *read, int32_t slot, int code, const uint8_t *data,
         size_t n)
{
    struct line *line = arg;
    struct poller *p = line->poller;
    struct meter *m = (struct meter *)read;
    const struct lw_meter *row = row_of(p, m);
    const struct plan *plan = p->plans.plan[m->plan];
    const struct lw_read_block *block = &plan->block[m->block];
    struct lw_event *event = &line->event[slot];
    (void)n;

    switch (code) {
    case 0:
        lw_profile_decode(plan->profile, block, data, row->ct_milli, row->pt_milli,
                          &event->reading);
        m->flags |= ANSWERED;
        break;
    case LW_MB_ILLEGAL_ADDRESS:
    case LW_MB_ILLEGAL_VALUE:
        if (split(p, m, block))
            return true;
        break; /* a register that this device does not have is left out */
    default:
        retry_or_fail(p, m, POLL_EXCEPTION, code);
        return false;
    }
    m->block++;
    if (m->block < plan->nblocks)
        return true;
    end_plan(p, m, event, code);
    return false;
}

static void
begin_read(struct poller *p, struct meter *m)
{
    struct line *line = &p->line[m->line];
    if (p->nbusy++ == 0)
        clock_hold(p->clock);
    m->flags |= BUSY;
    m->block = 0;
    line->touched = true;
    if (!bus_queue(line->bus, &m->read))
        end_failed(p, m, POLL_LINK, 0);
}

/* Due again, and the read before is not done. */
static void
overrun(struct poller *p, struct meter *m)
{
    p->polls[POLL_OVERRUN]++;
    p->gateway[row_of(p, m)->gateway].failed++;
    if (!(m->flags & OVERRAN))
        say_failed(p, m, POLL_OVERRUN, 0);
    m->flags |= OVERRAN;
}

static void
on_due(void *arg)
{
    struct poller *p = arg;
    lw_wall now = clock_now(p->clock).wall;
    int32_t key, touched[DUE_AT_ONCE], ntouched = 0;
    int64_t at;

    clock_hold(p->clock);
    for (int i = 0; i < DUE_AT_ONCE; i++) {
        if (!lw_due_first(p->due, &key, &at) || at > now.ms)
            break;
        struct meter *m = &p->meter[key];
        if (row_of(p, m)->removed.ms <= now.ms) {
            leave(p, m);
            continue;
        }
        lay(p, m, now);
        if (!p->line[m->line].touched)
            touched[ntouched++] = m->line;
        if (m->flags & BUSY)
            overrun(p, m);
        else
            begin_read(p, m);
    }
    if (p->seen.ms < now.ms) /* before a step back is known, the time may be earlier */
        p->seen = now;
    for (int32_t i = 0; i < ntouched; i++) {
        p->line[touched[i]].touched = false;
        bus_pump(p->line[touched[i]].bus);
    }
    set_timer(p);
    clock_release(p->clock);
}

/* What a step forward jumped over is due now, once. After a step back, what has been read
 * is not read again at the same time, unless the step is longer than the interval. */
void
poller_clock_step(struct poller *p)
{
    lw_wall now = clock_now(p->clock).wall;
    int64_t back = lw_wall_since(p->seen, now);
    for (int32_t i = 0; i < p->ledger->nmeters && back > 0; i++) {
        struct meter *m = &p->meter[i];
        if (lw_due_has(p->due, i))
            lay(p, m, back < interval_of(row_of(p, m)) ? p->seen : now);
    }
    p->seen = now;
    set_timer(p);
}

static int
make_lines(struct poller *p)
{
    static const struct bus_owner owner = {
        .request = on_request, .reply = on_reply, .failed = on_failed};
    for (int32_t i = 0; i < p->nlines; i++) {
        const struct bus_options *options = &p->endpoints.endpoint[i].options;
        struct line *line = &p->line[i];
        line->poller = p;
        line->event = calloc((size_t)options->max_inflight, sizeof line->event[0]);
        if (line->event == NULL)
            return LW_ENOMEM;
        int rc = bus_new(&p->pool, options, &owner, line, &line->bus);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Gives each meter its plan, its phase and its first read: what is due at this very
 * moment is read, too. */
static int
lay_schedule(struct poller *p, const struct profiles *profiles)
{
    int32_t *place = calloc((size_t)p->nlines + 1, sizeof *place);
    if (place == NULL)
        return LW_ENOMEM;
    int rc = 0;
    p->seen = lw_wall_add(clock_now(p->clock).wall, -1);
    for (int32_t i = 0; i < p->ledger->nmeters; i++) {
        const struct lw_meter *row = &p->ledger->meter[i];
        struct meter *m = &p->meter[i];
        if (row->gateway == LW_NONE || row->removed.ms <= p->seen.ms)
            continue;
        int plan = plans_get(&p->plans, profiles_find(profiles, row->profile), 0);
        if (plan < 0) {
            rc = plan;
            break;
        }
        m->plan = (uint16_t)plan;
        m->line = p->endpoints.of_gateway[row->gateway];
        m->phase_ms =
            (int32_t)lw_phase(interval_of(row), m->line, p->nlines, place[m->line]++,
                              p->endpoints.endpoint[m->line].nmeters);
        p->gateway[row->gateway].meters++;
        lay(p, m, p->seen);
    }
    free(place);
    return rc;
}

int
poller_new(struct event_base *base, struct clock *clock, const struct lw_ledger *ledger,
           const struct profiles *profiles, poller_event *event, void *arg,
           struct lw_faults *faults, struct poller **ret_poller)
{
    struct poller *p = calloc(1, sizeof *p);
    if (p == NULL)
        return LW_ENOMEM;
    p->ledger = ledger;
    p->clock = clock;
    p->event = event;
    p->arg = arg;
    p->pool.tcp.base = base;
    p->pool.clock = clock;

    int rc = endpoints_make(ledger, profiles, faults, &p->endpoints);
    if (rc != 0)
        goto out;
    p->nlines = p->endpoints.n;
    p->meter = calloc((size_t)ledger->nmeters + 1, sizeof p->meter[0]);
    p->gateway = calloc((size_t)ledger->ngateways + 1, sizeof p->gateway[0]);
    p->line = calloc((size_t)p->nlines + 1, sizeof p->line[0]);
    if (p->meter == NULL || p->gateway == NULL || p->line == NULL) {
        rc = LW_ENOMEM;
        goto out;
    }
    if ((rc = lw_due_new(ledger->nmeters, &p->due)) != 0 || (rc = make_lines(p)) != 0 ||
        (rc = lay_schedule(p, profiles)) != 0)
        goto out;
    clock_timer_init(&p->timer, clock, on_due, p);
    set_timer(p);
    *ret_poller = p;
    p = NULL;
out:
    poller_free(p);
    return rc;
}

void
poller_free(struct poller *p)
{
    if (p == NULL)
        return;
    if (p->timer.clock != NULL)
        clock_timer_stop(&p->timer);
    if (p->nbusy > 0)
        clock_release(p->clock);
    for (int32_t i = 0; i < p->nlines && p->line != NULL; i++) {
        bus_free(p->line[i].bus);
        free(p->line[i].event);
    }
    lw_due_free(p->due);
    plans_clear(&p->plans);
    endpoints_clear(&p->endpoints);
    free(p->meter);
    free(p->gateway);
    free(p->line);
    free(p);
}

void
poller_stats(const struct poller *p, struct poller_stats *ret_stats)
{
    *ret_stats = (struct poller_stats){
        .stray = p->pool.stray,
        .connects = p->pool.connects,
        .disconnects = p->pool.disconnects,
        .gateways = p->ledger->ngateways,
        .inflight = p->pool.inflight,
    };
    memcpy(ret_stats->polls, p->polls, sizeof p->polls);
    for (int32_t i = 0; i < p->ledger->ngateways; i++)
        ret_stats->gateways_up +=
            bus_state(p->line[p->endpoints.of_gateway[i]].bus) == LINK_UP;
}

void
poller_gateway(const struct poller *p, int32_t gateway,
               struct poller_gateway *ret_gateway)
{
    const struct gateway *g = &p->gateway[gateway];
    const struct bus *bus = p->line[p->endpoints.of_gateway[gateway]].bus;
    *ret_gateway = (struct poller_gateway){
        .state = bus_state(bus),
        .good = g->good,
        .failed = g->failed,
        .queue = bus_waiting(bus),
        .latency_us = bus_latency_us(bus),
        .meters = g->meters,
        .meters_silent = g->silent,
    };
}
