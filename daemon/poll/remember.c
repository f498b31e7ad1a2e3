/* From one poller to the next. */
#include "daemon/poll/remember.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/hash.h>

#include "daemon/poll/poller_private.h"

/* A connection, by all that makes it another one. */
struct kept_line {
    char *key;
    struct bus *bus;
};

struct kept_gateway {
    char *id;
    struct gateway gateway;
};

struct kept_meter {
    uint64_t key; /* a hash: a collision costs some requests, no value */
    uint64_t split;
    int64_t due;
    struct meter meter;
};

struct remembered {
    struct registration_counts registration;
    struct kept_line *line;
    struct kept_gateway *gateway;
    struct kept_meter *meter;
    size_t nlines, ngateways, nmeters;
};

/* ---- keys ---- */

/* NULL: memory is exhausted. */
static char *
line_key(const struct poller *p, int32_t line)
{
    const struct endpoint *endpoint = &p->endpoints.endpoint[line];
    const struct lw_gateway *row = &p->ledger->gateway[endpoint->gateway];
    char *key;
    int n = asprintf(&key, "%d %d %d %d %d %s %s", (int)row->transport,
                     endpoint->options.max_inflight, row->baud, (int)row->parity,
                     row->stop_bits, row->address, row->registration);
    return n < 0 ? NULL : key;
}

static uint64_t
add_text(uint64_t key, const char *text)
{
    return key * 31 + lw_hash64(text, strlen(text));
}

/* Of its points too, since `split` counts them. */
static uint64_t
add_profile(uint64_t key, const struct lw_profile *profile)
{
    key = add_text(key, profile->id);
    for (size_t i = 0; i < profile->nregs; i++) {
        const struct lw_register *reg = &profile->reg[i];
        uint32_t point[] = {reg->quantity, reg->function, reg->address, reg->type};
        key = key * 31 + lw_hash64(point, sizeof point);
    }
    return key;
}

static uint64_t
meter_key(const struct poller *p, int32_t i)
{
    const struct lw_meter *row = &p->ledger->meter[i];
    const struct lw_gateway *gateway = &p->ledger->gateway[row->gateway];
    const int64_t numbers[] = {row->installed.ms, row->interval_s, row->unit,
                               gateway->transport};
    uint64_t key = lw_hash64(numbers, sizeof numbers);
    key = add_text(add_text(add_text(key, row->id), gateway->id), gateway->address);
    return add_profile(key, p->plans.plan[p->meter[i].plan]->profile);
}

static int
by_line(const void *a, const void *b)
{
    return strcmp(((const struct kept_line *)a)->key, ((const struct kept_line *)b)->key);
}

static int
by_id(const void *a, const void *b)
{
    return strcmp(((const struct kept_gateway *)a)->id,
                  ((const struct kept_gateway *)b)->id);
}

static int
by_meter(const void *a, const void *b)
{
    uint64_t x = ((const struct kept_meter *)a)->key,
             y = ((const struct kept_meter *)b)->key;
    return (x > y) - (x < y);
}

/* ---- out of the old one ---- */

static bool
keep_lines(struct remembered *r, struct poller *p)
{
    r->line = calloc((size_t)p->nlines + 1, sizeof r->line[0]);
    for (int32_t i = 0; r->line != NULL && i < p->nlines; i++) {
        char *key = line_key(p, i);
        if (key == NULL)
            return false;
        bus_leave(p->line[i].bus);
        r->line[r->nlines++] = (struct kept_line){key, p->line[i].bus};
        p->line[i].bus = NULL;
    }
    if (r->line != NULL)
        qsort(r->line, r->nlines, sizeof r->line[0], by_line);
    return r->line != NULL;
}

static bool
keep_gateways(struct remembered *r, const struct poller *p)
{
    size_t n = (size_t)p->ledger->ngateways;
    r->gateway = calloc(n + 1, sizeof r->gateway[0]);
    for (size_t i = 0; r->gateway != NULL && i < n; i++) {
        char *id = strdup(p->ledger->gateway[i].id);
        if (id == NULL)
            return false;
        r->gateway[r->ngateways++] = (struct kept_gateway){id, p->gateway[i]};
    }
    if (r->gateway != NULL)
        qsort(r->gateway, r->ngateways, sizeof r->gateway[0], by_id);
    return r->gateway != NULL;
}

/* What is under way is due again at once. */
static bool
keep_meters(struct remembered *r, const struct poller *p)
{
    int32_t n = p->ledger->nmeters;
    int64_t now = clock_now(p->clock).wall.ms, due;
    r->meter = calloc((size_t)n + 1, sizeof r->meter[0]);
    for (int32_t i = 0; r->meter != NULL && i < n; i++) {
        const struct meter *m = &p->meter[i];
        if (!lw_due_get(p->due, i, &due))
            continue;
        r->meter[r->nmeters++] =
            (struct kept_meter){.key = meter_key(p, i),
                                .split = p->plans.plan[m->plan]->limits.split,
                                .due = m->flags & BUSY ? now : due,
                                .meter = *m};
    }
    if (r->meter != NULL)
        qsort(r->meter, r->nmeters, sizeof r->meter[0], by_meter);
    return r->meter != NULL;
}

struct remembered *
poller_remember(struct poller *p)
{
    struct remembered *r = p == NULL ? NULL : calloc(1, sizeof *r);
    struct poller_stats stats;
    if (r == NULL)
        return NULL;
    poller_stats(p, &stats);
    r->registration = stats.registration;
    r->registration.waiting = 0;
    if (keep_meters(r, p) && keep_gateways(r, p) && keep_lines(r, p))
        return r;
    remembered_free(r);
    return NULL;
}

/* ---- into the new one ---- */

static void
recall_lines(struct poller *p, struct remembered *r)
{
    for (int32_t i = 0; i < p->nlines; i++) {
        struct line *line = &p->line[i];
        struct kept_line wanted = {.key = line_key(p, i)}, *kept = NULL;
        if (wanted.key != NULL)
            kept = bsearch(&wanted, r->line, r->nlines, sizeof wanted, by_line);
        free(wanted.key);
        if (kept == NULL)
            continue;
        bus_free(line->bus);
        line->bus = kept->bus;
        kept->bus = NULL;
        bus_join(line->bus, &p->pool, &p->endpoints.endpoint[i].options, line);
    }
}

/* How many of its meters are there, and silent, is counted anew. */
static void
recall_gateways(struct poller *p, const struct remembered *r)
{
    for (int32_t i = 0; i < p->ledger->ngateways; i++) {
        struct kept_gateway wanted = {.id = (char *)p->ledger->gateway[i].id};
        const struct kept_gateway *kept =
            bsearch(&wanted, r->gateway, r->ngateways, sizeof wanted, by_id);
        struct gateway *g = &p->gateway[i];
        int32_t meters = g->meters;
        if (kept == NULL)
            continue;
        *g = kept->gateway;
        g->meters = meters;
        g->silent = 0;
    }
}

static void
recall_meter(struct poller *p, int32_t i, const struct kept_meter *kept)
{
    struct meter *m = &p->meter[i];
    const struct plan *plan = p->plans.plan[m->plan];
    struct lw_read_limits limits = plan->limits;
    int32_t line = m->line;
    uint16_t as_it_is = m->plan;

    *m = kept->meter;
    m->line = line;
    m->flags &= GOOD | ASK;
    limits.split = kept->split;
    int better = plans_get(&p->plans, plan->profile, &limits);
    m->plan = better < 0 ? as_it_is : (uint16_t)better;
    p->gateway[row_of(p, m)->gateway].silent += m->failures > 0;
    lw_due_set(p->due, i, kept->due);
}

void
poller_recall(struct poller *p, struct remembered *r)
{
    if (r == NULL)
        return;
    p->before = r->registration;
    recall_lines(p, r);
    recall_gateways(p, r);
    for (int32_t i = 0; i < p->ledger->nmeters; i++) {
        if (!lw_due_has(p->due, i))
            continue;
        const struct kept_meter wanted = {.key = meter_key(p, i)};
        const struct kept_meter *kept =
            bsearch(&wanted, r->meter, r->nmeters, sizeof wanted, by_meter);
        if (kept != NULL)
            recall_meter(p, i, kept);
    }
    poller_set_timer(p);
}

void
remembered_free(struct remembered *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->nlines; i++) {
        bus_free(r->line[i].bus);
        free(r->line[i].key);
    }
    for (size_t i = 0; i < r->ngateways; i++)
        free(r->gateway[i].id);
    free(r->line);
    free(r->gateway);
    free(r->meter);
    free(r);
}
