/* The poller: what is due, from the heap to its bus; and from the replies to events.
 *
 * A meter is read block by block into one reading. While any read waits or is under way a
 * simulated clock is held, so that the reading's time is exactly the time at which it was
 * due. Nothing is allocated for a poll: a meter that waits is linked into its bus's
 * queue, and the reading grows in the place of its bus that it occupies. */
#include "daemon/poll/poller_private.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* In one turn of the loop, so that it takes a few milliseconds at most: */
    DUE_AT_ONCE = 1024,  /* meters */
    LINES_AT_ONCE = 128, /* that are sent to, or connected */
};

void
poller_lay(struct poller *p, struct meter *m, lw_wall t)
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

void
poller_set_timer(struct poller *p)
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
on_due(void *arg)
{
    struct poller *p = arg;
    lw_wall now = clock_now(p->clock).wall;
    int32_t key, touched[LINES_AT_ONCE], ntouched = 0;
    int64_t at;

    clock_hold(p->clock);
    for (int i = 0; i < DUE_AT_ONCE && ntouched < LINES_AT_ONCE; i++) {
        if (!lw_due_first(p->due, &key, &at) || at > now.ms)
            break;
        struct meter *m = &p->meter[key];
        if (row_of(p, m)->removed.ms <= now.ms) {
            leave(p, m);
            continue;
        }
        poller_lay(p, m, now);
        if (!p->line[m->line].touched)
            touched[ntouched++] = m->line;
        p->line[m->line].touched = true;
        read_begin(p, m);
    }
    if (p->seen.ms < now.ms) /* before a step back is known, the time may be earlier */
        p->seen = now;
    for (int32_t i = 0; i < ntouched; i++) {
        p->line[touched[i]].touched = false;
        bus_pump(p->line[touched[i]].bus);
    }
    poller_set_timer(p);
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
            poller_lay(p, m, back < interval_of(row_of(p, m)) ? p->seen : now);
    }
    p->seen = now;
    poller_set_timer(p);
}

static bool
is_dial_in(enum lw_transport transport)
{
    return transport == LW_DIAL_IN_TCP || transport == LW_DIAL_IN_RTU;
}

static void
on_retry(void *arg, int32_t line)
{
    struct poller *p = arg;
    bus_retry(p->line[line].bus);
}

static void
on_dialled_in(void *arg, int fd)
{
    struct line *line = arg;
    bus_dialled_in(line->bus, fd);
}

/* Gateways with one address share a listener. */
static int
await(struct poller *p, const struct endpoint *endpoint, struct line *line)
{
    const struct bus_options *options = &endpoint->options;
    const struct dial_target *at = &options->target;
    int32_t i = 0;
    while (i < p->nlisteners &&
           !listener_is_at(p->listener[i], &at->address, at->address_len))
        i++;
    if (i == p->nlisteners) {
        int rc = listener_new(
            p->pool.stream.base, (const struct sockaddr *)&at->address, at->address_len,
            p->ledger->gateway[endpoint->gateway].address, &p->listener[i]);
        if (rc != 0)
            return rc;
        p->nlisteners++;
    }
    return listener_await(p->listener[i], &options->registration, on_dialled_in, line);
}

void
poller_ask(struct poller *p, uint32_t meter)
{
    p->meter[meter].flags |= ASK;
}

static int
make_lines(struct poller *p)
{
    for (int32_t i = 0; i < p->nlines; i++) {
        struct bus_options *options = &p->endpoints.endpoint[i].options;
        struct line *line = &p->line[i];
        options->line = i;
        line->poller = p;
        line->event = calloc((size_t)options->max_inflight, sizeof line->event[0]);
        if (line->event == NULL)
            return LW_ENOMEM;
        int rc = bus_new(&p->pool, options, &read_owner, line, &line->bus);
        if (rc == 0 && is_dial_in(options->transport))
            rc = await(p, &p->endpoints.endpoint[i], line);
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
        struct lw_read_limits limits = plan_limits(&p->ledger->gateway[row->gateway]);
        int plan = plans_get(&p->plans, profiles_find(profiles, row->profile), &limits);
        if (plan < 0) {
            rc = plan;
            break;
        }
        m->plan = (uint16_t)plan;
        m->flags = ASK;
        m->result = POLL_RESULTS;
        m->line = p->endpoints.of_gateway[row->gateway];
        m->phase_ms =
            (int32_t)lw_phase(interval_of(row), m->line, p->nlines, place[m->line]++,
                              p->endpoints.endpoint[m->line].nmeters);
        p->gateway[row->gateway].meters++;
        poller_lay(p, m, p->seen);
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
    p->pool.stream.base = p->pool.dial.base = base;
    p->pool.clock = clock;

    int rc = endpoints_make(ledger, profiles, faults, &p->endpoints);
    if (rc != 0)
        goto out;
    p->nlines = p->endpoints.n;
    p->meter = calloc((size_t)ledger->nmeters + 1, sizeof p->meter[0]);
    p->gateway = calloc((size_t)ledger->ngateways + 1, sizeof p->gateway[0]);
    p->line = calloc((size_t)p->nlines + 1, sizeof p->line[0]);
    p->listener = calloc((size_t)p->nlines + 1, sizeof p->listener[0]);
    if (p->meter == NULL || p->gateway == NULL || p->line == NULL ||
        p->listener == NULL) {
        rc = LW_ENOMEM;
        goto out;
    }
    for (int32_t i = 0; i < ledger->ngateways; i++)
        p->gateway[i].good = LW_WALL_MIN;
    if ((rc = lw_due_new(ledger->nmeters, &p->due)) != 0 ||
        (rc = retries_init(&p->pool.retries, clock, p->nlines, on_retry, p)) != 0 ||
        (rc = make_lines(p)) != 0 || (rc = lay_schedule(p, profiles)) != 0)
        goto out;
    clock_timer_init(&p->timer, clock, on_due, p);
    poller_set_timer(p);
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
    for (int32_t i = 0; i < p->nlisteners; i++)
        listener_free(p->listener[i]);
    for (int32_t i = 0; i < p->nlines && p->line != NULL; i++) {
        bus_free(p->line[i].bus);
        free(p->line[i].event);
    }
    retries_clear(&p->pool.retries);
    dial_pool_clear(&p->pool.dial);
    lw_due_free(p->due);
    plans_clear(&p->plans);
    endpoints_clear(&p->endpoints);
    free(p->meter);
    free(p->gateway);
    free(p->listener);
    free(p->line);
    free(p);
}
