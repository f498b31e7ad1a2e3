/* A read's life: from its turn on the bus, block by block, to the event that it becomes.
 */
#include "daemon/poll/poller_private.h"

enum {
    SILENT_MS = 5 * 1000,
    SILENT_MOST_MS = 5 * 60 * 1000,
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

static const struct plan *
plan_of(const struct poller *p, const struct meter *m)
{
    return p->plans.plan[m->plan];
}

/* Days that begin at another moment for each meter, so that not all are asked at once. */
static int32_t
day_of(const struct poller *p, const struct meter *m, lw_wall t)
{
    int64_t shift = (int64_t)key_of(p, m) * LW_MINUTE % LW_DAY;
    return (int32_t)(lw_floor_to(t.ms + shift, LW_DAY) / LW_DAY);
}

/* The first block from there on that this read needs; the plan's end, where none does. */
static void
go_to(const struct poller *p, struct meter *m, int block)
{
    const struct plan *plan = plan_of(p, m);
    for (; block < plan->nblocks; block++) {
        enum plan_kind kind = plan->block[block].kind;
        if (kind == PLAN_FAST || m->flags & (kind == PLAN_SLOW ? SLOW : ASK))
            break;
    }
    m->block = (uint8_t)block;
}

static void
begin_plan(const struct poller *p, struct meter *m)
{
    uint16_t sunspec = plan_of(p, m)->profile->sunspec;

    m->flags = (uint16_t)((m->flags & ~FIND) | FRESH);
    if (sunspec != 0 && m->flags & ASK) {
        m->flags |= FIND;
        lw_sunspec_begin(&m->sunspec, sunspec);
    }
    go_to(p, m, 0);
}

static void
end_read(struct poller *p, struct meter *m)
{
    m->flags &= (uint16_t) ~(BUSY | RETRIED | OVERRAN | SLOW);
    if (--p->nbusy == 0)
        clock_release(p->clock);
}

/* What the profile says of the register that was read. */
static void
say_counter(struct poller *p, const struct meter *m, const struct lw_event *read)
{
    const struct lw_meter *row = row_of(p, m);
    struct lw_event event = {.kind = LW_EVENT_METER_COUNTER,
                             .at = p->pool.received,
                             .counter.meter = (uint32_t)key_of(p, m)};
    if (lw_profile_counter(plan_of(p, m)->profile, &read->reading, row->ct_milli,
                           row->pt_milli, &event))
        p->event(p->arg, &event);
}

static struct gateway *
count(struct poller *p, struct meter *m, enum poller_result result, int exception)
{
    struct gateway *gateway = &p->gateway[row_of(p, m)->gateway];
    gateway->polls[result]++;
    if (result == POLL_EXCEPTION)
        gateway->exceptions[exception < POLL_EXCEPTIONS ? exception : 0]++;
    m->result = (uint8_t)result;
    m->exception = (uint8_t)exception;
    return gateway;
}

static void
end_good(struct poller *p, struct meter *m, struct lw_event *event)
{
    struct gateway *gateway = count(p, m, POLL_GOOD, 0);
    if (m->flags & ASK) {
        say_counter(p, m, event);
        m->asked = day_of(p, m, p->pool.received);
        m->flags &= (uint16_t)~ASK;
    }
    m->turn = (uint16_t)((m->turn + 1) % plan_of(p, m)->profile->slow_every);
    gateway->good = p->pool.received;
    if (m->failures > 0)
        gateway->silent--;
    m->failures = 0;
    m->flags |= GOOD;
    event->at = event->reading.received = p->pool.received;
    p->event(p->arg, event);
    end_read(p, m);
}

/* A unit that fails is asked less often, so that it does not keep the bus from the
 * others; but on schedule where that is seldom enough. Where others are silent, too, it
 * may be the connection, which is found out by asking. That there is no connection is not
 * the unit's failure: it costs the others nothing, and ends for all at once. */
static void
end_failed(struct poller *p, struct meter *m, enum poller_result result, int exception)
{
    const struct lw_meter *row = row_of(p, m);
    struct gateway *gateway = count(p, m, result, exception);
    if (m->failures == 0)
        gateway->silent++;
    if (m->failures == 0 || (result != POLL_LINK && m->failures < UINT16_MAX))
        m->failures++;
    m->flags = (uint16_t)((m->flags & ~GOOD) | ASK); /* it may be another one then */
    say_failed(p, m, result, exception);
    if (result != POLL_LINK && interval_of(row) < SILENT_MOST_MS && m->failures > 1 &&
        lw_due_has(p->due, key_of(p, m))) {
        uint64_t seed = (uint64_t)key_of(p, m);
        int64_t base = interval_of(row);
        if (base < SILENT_MS || bus_is_silent(p->line[m->line].bus))
            base = SILENT_MS;
        int64_t wait = lw_backoff(m->failures, base, SILENT_MOST_MS, seed);
        poller_lay(p, m, lw_wall_add(clock_now(p->clock).wall, wait - 1));
    }
    end_read(p, m);
}

/* A read that fails where the one before was good is tried once more. */
static void
retry_or_fail(struct poller *p, struct meter *m, enum poller_result result, int exception)
{
    if ((m->flags & (GOOD | RETRIED)) == GOOD) {
        m->flags |= RETRIED;
        begin_plan(p, m);
        if (bus_queue(p->line[m->line].bus, &m->read))
            return;
    }
    end_failed(p, m, result, exception);
}

/* What follows the points is asked for, and the reading can do without. */
static bool
is_extra(const struct poller *p, const struct meter *m, const struct lw_event *event)
{
    return !(m->flags & (FRESH | FIND)) && event->reading.have != 0 &&
           plan_of(p, m)->block[m->block].kind >= PLAN_ONCE;
}

static void
on_failed(void *arg, struct bus_read *read, enum lw_read_failure why)
{
    struct line *line = arg;
    struct meter *m = (struct meter *)read;
    if (is_extra(line->poller, m, &line->event[m->slot]))
        end_good(line->poller, m, &line->event[m->slot]);
    else
        retry_or_fail(line->poller, m, why == LW_FAIL_TIMEOUT ? POLL_TIMEOUT : POLL_LINK,
                      0);
}

/* What is read now; SunSpec's addresses are counted from where the device has them. */
static struct lw_read_block
block_of(const struct poller *p, const struct meter *m)
{
    const struct plan *plan = plan_of(p, m);
    struct lw_read_block read;

    if (m->flags & FIND)
        return lw_sunspec_next(&m->sunspec);
    read = plan->block[m->block].read;
    if (plan->profile->sunspec != 0)
        read.address =
            (uint16_t)(read.address + (plan->block[m->block].kind == PLAN_SERIAL
                                           ? lw_sunspec_start(&m->sunspec)
                                           : m->sunspec.at));
    return read;
}

static void
on_request(void *arg, struct bus_read *read, int32_t slot,
           struct bus_request *ret_request)
{
    struct line *line = arg;
    struct poller *p = line->poller;
    struct meter *m = (struct meter *)read;
    const struct lw_meter *row = row_of(p, m);
    const struct plan *plan = plan_of(p, m);
    struct lw_read_block block = block_of(p, m);

    if (m->flags & FRESH) {
        line->event[slot] = (struct lw_event){.kind = LW_EVENT_READING,
                                              .reading.meter = (uint32_t)key_of(p, m)};
        m->flags &= (uint16_t) ~(ANSWERED | FRESH);
    }
    m->slot = (uint8_t)slot;
    *ret_request = (struct bus_request){
        .mb = {.unit = row->unit,
               .function = block.function,
               .address = block.address,
               .count = block.count},
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
    const struct plan *plan = plan_of(p, m);
    struct lw_read_limits limits = plan->limits;

    if ((block->regs & (block->regs - 1)) == 0)
        return false;
    limits.split |= block->regs;
    int better = plans_get(&p->plans, plan->profile, &limits);
    if (better < 0)
        return false;
    m->plan = (uint16_t)better;
    m->flags |= FRESH;
    go_to(p, m, 0);
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
        struct lw_read_limits limits = plan_of(p, m)->limits;
        limits.split = 0;
        int base = plans_get(&p->plans, plan_of(p, m)->profile, &limits);
        m->plan = (uint16_t)base; /* it has been there from the start */
        retry_or_fail(p, m, POLL_EXCEPTION, code);
    }
}

/* A step of the walk to SunSpec's model. True: there is more to read. */
static bool
on_found(struct poller *p, struct meter *m, const uint8_t *data)
{
    int rc = lw_sunspec_take(&m->sunspec, data);

    if (rc == 0)
        return true;
    if (rc < 0 || m->sunspec.at + plan_of(p, m)->end > 0x10000) {
        end_failed(p, m, POLL_VALUE, 0);
        return false;
    }
    m->flags &= (uint16_t)~FIND;
    return true;
}

static void
say_serial(struct poller *p, const struct meter *m, const uint8_t *data)
{
    struct lw_event event = {.kind = LW_EVENT_METER_SERIAL,
                             .at = p->pool.received,
                             .serial.meter = (uint32_t)key_of(p, m)};
    if (lw_profile_serial(plan_of(p, m)->profile, data, event.serial.text) == 0)
        p->event(p->arg, &event);
}

static void
say_clock(struct poller *p, const struct meter *m, const uint8_t *data)
{
    struct lw_event event = {.kind = LW_EVENT_METER_CLOCK,
                             .at = p->pool.received,
                             .clock.meter = (uint32_t)key_of(p, m)};
    if (lw_profile_drift(plan_of(p, m)->profile, data, p->ledger->zone, p->pool.received,
                         &event.clock.drift_ms) == 0)
        p->event(p->arg, &event);
}

static void
take_block(struct poller *p, struct meter *m, struct lw_event *event, const uint8_t *data)
{
    const struct plan *plan = plan_of(p, m);
    const struct plan_block *block = &plan->block[m->block];
    const struct lw_meter *row = row_of(p, m);

    switch (block->kind) {
    case PLAN_SLOW:
    case PLAN_FAST:
        event->reading.time = p->pool.received;
        m->flags |= ANSWERED;
        /* fall through */
    case PLAN_ONCE:
        lw_profile_decode(plan->profile, &block->read, data, row->ct_milli, row->pt_milli,
                          &event->reading);
        break;
    case PLAN_SERIAL:
        say_serial(p, m, data);
        break;
    case PLAN_CLOCK:
        say_clock(p, m, data);
        break;
    }
}

static bool
on_reply(void *arg, struct bus_read *read, int32_t slot, int code, const uint8_t *data,
         size_t n)
{
    struct line *line = arg;
    struct poller *p = line->poller;
    struct meter *m = (struct meter *)read;
    struct lw_event *event = &line->event[slot];
    bool refused = code == LW_MB_ILLEGAL_ADDRESS || code == LW_MB_ILLEGAL_VALUE;
    (void)n;

    int64_t ms = (p->pool.latency_us + 999) / 1000;
    m->latency_ms = (uint16_t)(ms < 1 ? 1 : ms < UINT16_MAX ? ms : UINT16_MAX);
    if (code != 0 && !refused && !is_extra(p, m, event)) {
        retry_or_fail(p, m, POLL_EXCEPTION, code);
        return false;
    }
    if (m->flags & FIND)
        return on_found(p, m, refused ? NULL : data);
    if (code == 0)
        take_block(p, m, event, data);
    else if (refused && split(p, m, &plan_of(p, m)->block[m->block].read))
        return true; /* else the device does not have it, and it is left out */
    go_to(p, m, m->block + 1);
    if (m->block < plan_of(p, m)->nblocks)
        return true;
    end_plan(p, m, event, code);
    return false;
}

/* Due again, and the read before is not done. */
static void
overrun(struct poller *p, struct meter *m)
{
    p->gateway[row_of(p, m)->gateway].polls[POLL_OVERRUN]++;
    if (!(m->flags & OVERRAN))
        say_failed(p, m, POLL_OVERRUN, 0);
    m->flags |= OVERRAN;
}

const struct bus_owner read_owner = {
    .request = on_request, .reply = on_reply, .failed = on_failed};

void
read_begin(struct poller *p, struct meter *m)
{
    struct line *line = &p->line[m->line];
    if (m->flags & BUSY) {
        overrun(p, m);
        return;
    }
    if (p->nbusy++ == 0)
        clock_hold(p->clock);
    if (m->asked != day_of(p, m, clock_now(p->clock).wall))
        m->flags |= ASK;
    m->flags |= (uint16_t)(m->turn == 0 ? BUSY | SLOW : BUSY);
    begin_plan(p, m);
    if (!bus_queue(line->bus, &m->read))
        end_failed(p, m, POLL_LINK, 0);
}
