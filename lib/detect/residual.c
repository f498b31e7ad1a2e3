/* What lies over the reference, over lengths from half an hour to four days: learned with
 * the reference, then compared with what was seen. O(1) an interval. */
#include <math.h>

#include "lib/state.h"

/* A mean is one where so much of its length is known. */
enum {
    KNOWN_TENTHS = 6
};

static void
forget(int32_t *ring, int n)
{
    for (int i = 0; i < n; i++)
        ring[i] = VOID;
}

void
residual_wipe(struct residual *d)
{
    forget(d->slot, SLOTS);
    forget(d->hour, HOURS);
    forget(d->day, DAYS);
    d->sum = d->sum_n = 0;
    d->pumps = 0;
}

void
residual_init(struct residual *d)
{
    *d = (struct residual){.filled = NEVER, .power_at = NEVER};
    residual_wipe(d);
    for (int s = 0; s < SPANS; s++)
        d->seen[s].most_w = d->seen[s].limit_w = VOID;
}

/* The mean of the n entries before `end`; VOID where too few are known. */
static int32_t
mean_of(const int32_t *ring, int size, int64_t end, int n)
{
    int64_t sum = 0;
    int known = 0;

    for (int64_t i = end - n; i < end; i++) {
        int32_t v = ring[(i + 1000 * size) % size];

        if (v != VOID) {
            sum += v;
            known++;
        }
    }
    return 10 * known >= KNOWN_TENTHS * n ? (int32_t)(sum / known) : VOID;
}

static int
slots_of_hour(int64_t interval)
{
    return interval < LW_HOUR ? (int)(LW_HOUR / interval) : 1;
}

int64_t
residual_span_ms(enum reach span, int64_t interval)
{
    static const int64_t LENGTH[SPANS] = {
        [SPAN_1H] = LW_HOUR,     [SPAN_3H] = 3 * LW_HOUR, [SPAN_8H] = 8 * LW_HOUR,
        [SPAN_24H] = LW_DAY,     [SPAN_4D] = 4 * LW_DAY,  [SPAN_PUMP_8] = 8 * LW_HOUR,
        [SPAN_PUMP_32] = LW_DAY,
    };

    return LENGTH[span] > 0 ? LENGTH[span] : 2 * interval;
}

static void
put_day(struct residual *d, int64_t day, int32_t value[SPANS])
{
    d->day[day % DAYS] = value[SPAN_24H];
    value[SPAN_4D] = mean_of(d->day, DAYS, day + 1, DAYS);
}

/* The interval ends an hour. */
static void
put_hour(struct residual *d, int64_t hour, int per_hour, int32_t value[SPANS])
{
    d->hour[hour % HOURS] = 2 * d->sum_n >= per_hour ? d->sum / d->sum_n : VOID;
    d->sum = d->sum_n = 0;
    value[SPAN_24H] = mean_of(d->hour, HOURS, hour + 1, HOURS);
    if ((hour + 1) % HOURS == 0)
        put_day(d, hour / HOURS, value);
}

static void
put_slot(struct residual *d, int64_t interval, int64_t from, int32_t over, int32_t cap,
         int32_t value[SPANS])
{
    int64_t s = from / interval;
    int per_hour = slots_of_hour(interval);
    int32_t before = d->slot[(s - 1) % SLOTS];

    d->slot[s % SLOTS] = over;
    if (over != VOID && before != VOID)
        value[SPAN_PAIR] = over < before ? over : before;
    if (8 * per_hour <= SLOTS) {
        value[SPAN_1H] = mean_of(d->slot, SLOTS, s + 1, per_hour);
        value[SPAN_3H] = mean_of(d->slot, SLOTS, s + 1, 3 * per_hour);
        value[SPAN_8H] = mean_of(d->slot, SLOTS, s + 1, 8 * per_hour);
    }
    /* A day's mean is of what lasts: one hour of a large motor is not spread over it. */
    for (int64_t at = from; at < from + interval; at += LW_HOUR) {
        int64_t end = at + LW_HOUR < from + interval ? at + LW_HOUR : from + interval;

        if (over != VOID) {
            d->sum += over < cap ? over : cap;
            d->sum_n++;
        }
        if (end / LW_HOUR > at / LW_HOUR)
            put_hour(d, at / LW_HOUR, per_hour, value);
    }
}

/* An unmetered pump runs: what it draws is compared with what it drew. */
static void
put_pump(struct residual *d, int32_t over, int32_t value[SPANS])
{
    d->pump[d->pumps++ % PUMPS] = over;
    if (d->pumps >= 2) {
        int32_t before = d->pump[(d->pumps - 2) % PUMPS];

        value[SPAN_PUMP_2] = over < before ? over : before;
    }
    if (d->pumps >= 8)
        value[SPAN_PUMP_8] = mean_of(d->pump, PUMPS, d->pumps, 8);
    if (d->pumps >= PUMPS)
        value[SPAN_PUMP_32] = mean_of(d->pump, PUMPS, d->pumps, PUMPS);
}

static double
deviation(const struct seen *z)
{
    double mean = z->sum / z->n, var = z->sq / z->n - mean * mean;

    return var > 0 ? sqrt(var) : 0;
}

static bool
is_pump(enum reach s)
{
    return s >= SPAN_PUMP_2;
}

static int32_t
limit_of(const struct lw_core *core, const struct reference *r, const struct seen *z,
         enum reach s, int64_t resolution_wh, int64_t pump_w)
{
    double most = (double)core->rules->reference.most_milli / 1000;
    double spread = (double)core->rules->reference.spread_milli / 1000;
    double base =
        (double)(s == SPAN_24H || s == SPAN_4D ? core->rules->reference.base_long_milli
                                               : core->rules->reference.base_milli) /
        1000 * r->base_w;
    double hours = (double)residual_span_ms(s, 15 * LW_MINUTE) / (double)LW_HOUR;
    double usual = 0, limit;

    if (z->n < 8)
        return VOID;
    /* Of a pump: what it draws, and the same margin around that. */
    if (is_pump(s))
        usual = z->sum / z->n;
    else
        pump_w = 0;
    limit = usual + fmax(z->most_w - usual, 0) * most + deviation(z) * spread + base +
            (double)pump_w / 20 + (double)resolution_wh / hours / 10;
    return limit < INT32_MAX ? (int32_t)lrint(limit) : INT32_MAX;
}

void
residual_freeze(const struct lw_core *core, int32_t site, int64_t resolution_wh,
                int64_t pump_w)
{
    struct residual *d = &core->site[site].residual;
    const struct reference *r = &core->site[site].reference;

    for (int s = 0; s < SPANS; s++)
        d->seen[s].limit_w =
            limit_of(core, r, &d->seen[s], (enum reach)s, resolution_wh, pump_w);
}

static void
learn(struct seen *z, int32_t value)
{
    z->n++;
    z->sum += value;
    z->sq += (double)value * value;
    z->most_w = value > z->most_w ? value : z->most_w;
}

/* Lower while a site is watched after it was closed. */
static int32_t
limit_now(const struct lw_core *core, int32_t site, const struct seen *z,
          const struct waiting *q)
{
    const struct reference *r = &core->site[site].reference;
    int64_t limit = z->limit_w + core->rules->reference.heating_milli *
                                     reference_heating_w(r, q->cold_ck) / 1000;

    if (r->watched && q->from - core->ledger->site[site].status_since.ms <
                          core->rules->re_emergence.watch_ms)
        limit = limit * core->rules->re_emergence.most_milli / 1000;
    return (int32_t)limit;
}

/* The site was busy while it learned: up to such a level, what is short is known, and a
 * day's mean says nothing. */
static int32_t
known_up_to(const struct lw_core *core, const struct reference *r)
{
    if (r->frozen == NEVER || r->known_w <= reference_core_w(r) * 13 / 10)
        return 0;
    return (int32_t)(r->known_w * core->rules->reference.known_milli / 1000);
}

struct judgement
residual_put(struct lw_core *core, int32_t site, const struct waiting *q)
{
    struct site_state *st = &core->site[site];
    struct residual *d = &st->residual;
    const struct reference *r = &st->reference;
    int32_t known = known_up_to(core, r), edge = reference_core_w(r), over = q->over;
    int32_t value[SPANS];
    struct judgement v = {.span = SPANS};

    forget(value, SPANS);
    if (over != VOID && over > edge && over <= known)
        over = VOID;
    if (q->pump && over != VOID)
        put_pump(d, over, value);
    put_slot(d, st->interval, q->from, q->pump ? VOID : over, edge, value);
    for (int s = 0; s < SPANS; s++) {
        struct seen *z = &d->seen[s];
        int32_t limit;

        if (value[s] == VOID)
            continue;
        if (r->frozen == NEVER) {
            learn(z, value[s]);
            continue;
        }
        if (z->limit_w == VOID || (known > 0 && (s == SPAN_24H || s == SPAN_4D)))
            continue;
        limit = limit_now(core, site, z, q);
        if (value[s] > limit && (is_pump(s) || value[s] > known) &&
            (double)value[s] / limit > v.ratio)
            v = (struct judgement){(enum reach)s, (double)value[s] / limit, value[s],
                                   limit};
    }
    return v;
}

bool
residual_quiet(const struct lw_core *core, int32_t site, enum reach span,
               const struct waiting *q)
{
    const struct site_state *st = &core->site[site];
    const struct residual *d = &st->residual;
    int64_t end = q->from / st->interval + 1;
    int per_hour = slots_of_hour(st->interval);
    int hours = span == SPAN_PAIR || span == SPAN_1H ? 1 : span == SPAN_3H ? 3 : 8;
    enum reach judged = hours == 1 ? SPAN_1H : hours == 3 ? SPAN_3H : SPAN_8H;
    int n = hours * per_hour < SLOTS ? hours * per_hour : SLOTS;
    int32_t mean = mean_of(d->slot, SLOTS, end, n);

    return mean != VOID &&
           10 * (int64_t)mean < 6 * (int64_t)limit_now(core, site, &d->seen[judged], q);
}
