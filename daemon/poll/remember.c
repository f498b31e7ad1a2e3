/* From one poller to the next. */
#include "daemon/poll/remember.h"

#include <stdlib.h>
#include <string.h>

#include <lodewatch/hash.h>

#include "daemon/poll/poller_private.h"

struct entry {
    uint64_t meter; /* hashes: a collision costs some requests, no value */
    uint64_t profile;
    uint64_t split;
};

struct remembered {
    size_t n;
    struct entry entry[];
};

static uint64_t
meter_key(const struct lw_meter *row)
{
    return lw_hash64(row->id, strlen(row->id)) ^ (uint64_t)row->installed.ms;
}

/* Of its points too, since `split` counts them. */
static uint64_t
profile_key(const struct lw_profile *profile)
{
    uint64_t key = lw_hash64(profile->id, strlen(profile->id));
    for (size_t i = 0; i < profile->nregs; i++) {
        const struct lw_register *reg = &profile->reg[i];
        uint32_t point[] = {reg->quantity, reg->function, reg->address, reg->type};
        key = key * 31 + lw_hash64(point, sizeof point);
    }
    return key;
}

static int
by_meter(const void *a, const void *b)
{
    uint64_t x = ((const struct entry *)a)->meter, y = ((const struct entry *)b)->meter;
    return x < y ? -1 : x > y;
}

/* False where it is not polled. */
static bool
polled(const struct poller *p, int32_t i)
{
    return lw_due_has(p->due, i);
}

struct remembered *
poller_remember(const struct poller *p)
{
    size_t n = 0;
    for (int32_t i = 0; p && i < p->ledger->nmeters; i++)
        n += polled(p, i) && p->plans.plan[p->meter[i].plan]->limits.split != 0;
    if (n == 0)
        return NULL;
    struct remembered *r = malloc(sizeof *r + n * sizeof r->entry[0]);
    if (!r)
        return NULL;
    r->n = 0;
    for (int32_t i = 0; i < p->ledger->nmeters; i++) {
        const struct plan *plan = p->plans.plan[p->meter[i].plan];
        if (polled(p, i) && plan->limits.split != 0)
            r->entry[r->n++] = (struct entry){.meter = meter_key(&p->ledger->meter[i]),
                                              .profile = profile_key(plan->profile),
                                              .split = plan->limits.split};
    }
    qsort(r->entry, r->n, sizeof r->entry[0], by_meter);
    return r;
}

void
poller_recall(struct poller *p, const struct remembered *remembered)
{
    for (int32_t i = 0; remembered && i < p->ledger->nmeters; i++) {
        struct entry key = {.meter = meter_key(&p->ledger->meter[i])};
        const struct entry *e = bsearch(&key, remembered->entry, remembered->n,
                                        sizeof remembered->entry[0], by_meter);
        struct meter *m = &p->meter[i];
        if (!e || !polled(p, i))
            continue;
        const struct plan *plan = p->plans.plan[m->plan];
        struct lw_read_limits limits = plan->limits;
        limits.split = e->split;
        if (e->profile != profile_key(plan->profile))
            continue;
        int better = plans_get(&p->plans, plan->profile, &limits);
        if (better >= 0)
            m->plan = (uint16_t)better;
    }
}

void
remembered_free(struct remembered *remembered)
{
    free(remembered);
}
