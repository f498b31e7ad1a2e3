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

/* A unit that fails is asked less often, so that it does not keep the bus from the
 * others; but on schedule where that is seldom enough. That there is no connection is not
 * the unit's failure: it costs the others nothing, and ends for all at once. */
static void
end_failed(struct poller *p, struct meter *m, enum poller_result result, int exception)
{
    const struct lw_meter *row = row_of(p, m);
    struct gateway *gateway = &p->gateway[row->gateway];
    p->polls[result]++;
    gateway->failed++;
    if (m->failures == 0)
        gateway->silent++;
    if (m->failures == 0 || (result != POLL_LINK && m->failures < UINT32_MAX))
        m->failures++;
    m->flags &= (uint8_t)~GOOD;
    say_failed(p, m, result, exception);
    if (result != POLL_LINK && interval_of(row) < SILENT_MOST_MS && m->failures > 1 &&
        lw_due_has(p->due, key_of(p, m))) {
        uint64_t seed = (uint64_t)key_of(p, m);
        int64_t wait = lw_backoff(m->failures, SILENT_MS, SILENT_MOST_MS, seed);
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
    m->flags |= BUSY;
    m->block = 0;
    if (!bus_queue(line->bus, &m->read))
        end_failed(p, m, POLL_LINK, 0);
}
