/* night_load, production_shape, slow_creep, and re_emergence for a site that was closed
 * not long ago: beneath what is declared, and unlike the reference that was learned while
 * the site was commissioned. One alarm a site: which of them it is called is decided when
 * it is raised. */
#include <math.h>

#include "lib/state.h"

#define LAG (45 * LW_MINUTE) /* for which a site waits for the others */

/* A gap's mean, or a silence, is looked at this far back. */
#define BACK_MOST (5 * LW_DAY)

static bool
concerns(enum lw_site_status status)
{
    return status == LW_CLOSED || status == LW_UNLICENSED;
}

/* It was seen to be closed, not long ago. */
static bool
is_watched(const struct lw_core *core, int32_t site, int64_t at)
{
    return core->site[site].reference.watched &&
           at - core->ledger->site[site].status_since.ms <
               core->rules->re_emergence.watch_ms;
}

static int32_t
watts(int64_t wh, int64_t ms)
{
    int64_t w = lw_muldiv(wh, LW_HOUR, ms);

    return w > INT32_MAX / 4    ? INT32_MAX / 4
           : w < -INT32_MAX / 4 ? -INT32_MAX / 4
                                : (int32_t)w;
}

static int
supplies(const struct lw_core *core, const struct lw_site *site)
{
    int n = 0;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++)
        n += core->ledger->point[p].role == LW_SUPPLY;
    return n;
}

/* The window's mean beside what sub-meters explain. Within one step of the register, the
 * power reading says what the register cannot. */
static int32_t
mean_w(const struct lw_core *core, const struct window *w, const struct expectation *x)
{
    const struct site_state *st = &core->site[w->site];
    const struct residual *d = &st->residual;
    int64_t length = w->to - w->from;
    int32_t mean = watts(w->supply_wh - x->measured_wh, length);
    int32_t step = watts(w->resolution_wh, length), power;

    if (length > st->interval || d->power_at <= w->from ||
        d->power_at > w->to + st->interval / 2 ||
        supplies(core, &core->ledger->site[w->site]) != 1)
        return mean;
    power = (int32_t)d->power_w - watts(x->measured_wh, length);
    return power < mean - step ? mean - step : power > mean + step ? mean + step : power;
}

static void
pattern_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    const struct lw_metering_point *point = meter_point(core, meter);
    struct residual *d;

    if (!judged->good || point->role != LW_SUPPLY || point->site == LW_NONE ||
        !lw_reading_has(judged->reading, LW_ACTIVE_POWER))
        return;
    d = &core->site[point->site].residual;
    d->power_at = judged->reading->time.ms;
    d->power_w = judged->reading->value[LW_ACTIVE_POWER];
}

/* --- the alarm's life */

static bool
is_night(const struct lw_core *core, int64_t at)
{
    struct lw_civil c = lw_zone_civil(core->ledger->zone, (lw_wall){at});
    int64_t from = core->rules->night.night_from_min,
            to = core->rules->night.night_to_min;

    return from <= to ? c.minute >= from && c.minute < to
                      : c.minute >= from || c.minute < to;
}

/* By how long it took to be seen, and when it was. */
static enum lw_rule_id
rule_of(const struct lw_core *core, int32_t site, const struct judgement *v, int64_t from,
        int64_t to)
{
    int64_t night = 0;

    if (is_watched(core, site, from))
        return LW_RULE_RE_EMERGENCE;
    if (v->span == SPAN_24H || v->span == SPAN_4D)
        return LW_RULE_SLOW_CREEP;
    for (int64_t at = from; at < to; at += 15 * LW_MINUTE)
        night += is_night(core, at) ? 15 * LW_MINUTE : 0;
    return 3 * night >= 2 * (to - from) ? LW_RULE_NIGHT_LOAD : LW_RULE_PRODUCTION_SHAPE;
}

/* At the limit one in ten would be wrong; it falls with the square of what is beyond. */
static int32_t
confidence(const struct judgement *v)
{
    double wrong = 100 / (v->ratio * v->ratio);

    return 1000 - (int32_t)lrint(fmax(wrong, 1));
}

/* The run begins with what the span held. */
static void
begin(struct lw_core *core, int32_t site, const struct waiting *q,
      const struct judgement *v)
{
    struct site_state *st = &core->site[site];
    struct excess *e = &st->excess;
    int64_t length = residual_span_ms(v->span, st->interval);
    int64_t expected = 0, n = 0;

    *e = (struct excess){.span = (uint8_t)v->span};
    e->run.to = q->from + st->interval;
    e->run.from = e->run.to - length;
    for (int64_t at = e->run.from; at < e->run.to; at += st->interval, n++)
        expected += reference_expected_w(&st->reference, at, q->cold_ck);
    expected /= n > 0 ? n : 1;
    e->run.allowed_wh = lw_muldiv(expected, length, LW_HOUR);
    e->run.excess_wh = lw_muldiv(v->over_w, length, LW_HOUR);
    e->run.energy_wh = e->run.allowed_wh + e->run.excess_wh;
    e->run.peak_w = q->w > expected + v->over_w ? q->w : expected + v->over_w;
    e->run.samples_good = length / st->interval;
    e->rule = (uint8_t)rule_of(core, site, v, e->run.from, e->run.to);
    e->run.night_ms = e->rule == LW_RULE_NIGHT_LOAD ? length : 0;
}

static void
go_on(struct lw_core *core, int32_t site, const struct waiting *q)
{
    struct site_state *st = &core->site[site];
    struct run *run = &st->excess.run;
    int32_t expected = reference_expected_w(&st->reference, q->from, q->cold_ck);

    run->to = q->from + st->interval;
    run->energy_wh += lw_muldiv(q->w, st->interval, LW_HOUR);
    run->allowed_wh += lw_muldiv(expected, st->interval, LW_HOUR);
    if (q->w > expected)
        run->excess_wh += lw_muldiv(q->w - expected, st->interval, LW_HOUR);
    run->peak_w = q->w > run->peak_w ? q->w : run->peak_w;
    run->night_ms += is_night(core, q->from) ? st->interval : 0;
    run->samples_good++;
}

static struct lw_evidence
evidence(const struct lw_core *core, int32_t site, int32_t cold_ck)
{
    const struct site_state *st = &core->site[site];
    const struct excess *e = &st->excess;
    int64_t ms = e->run.to - e->run.from;

    return (struct lw_evidence){
        .from = {e->run.from},
        .to = {e->run.to},
        .mean_w = lw_muldiv(e->run.energy_wh, LW_HOUR, ms),
        .peak_w = e->run.peak_w,
        .energy_wh = e->run.energy_wh,
        .expected_w = lw_muldiv(e->run.allowed_wh, LW_HOUR, ms),
        .excess_wh = e->run.excess_wh,
        .samples_expected = (uint32_t)(ms / st->interval),
        .samples_good = (uint32_t)e->run.samples_good,
        .detail = reference_heating_w(&st->reference, cold_ck),
        .confidence_milli = e->confidence_milli,
        .finding = e->preexisting ? LW_FOUND_PREEXISTING : LW_FOUND_UNLIKE_REFERENCE,
        .night = 2 * e->run.night_ms > ms,
    };
}

/* Tells it: as a revision of what returned not long ago, whatever that was called; or by
 * its own name. */
static void
tell(struct lw_core *core, int32_t site, const struct lw_evidence *found)
{
    static const enum lw_rule_id RULE[] = {LW_RULE_NIGHT_LOAD, LW_RULE_PRODUCTION_SHAPE,
                                           LW_RULE_SLOW_CREEP, LW_RULE_RE_EMERGENCE};
    enum lw_rule_id own = (enum lw_rule_id)core->site[site].excess.rule;
    enum lw_priority priority = alarm_site_priority(core, site);
    struct subject subject = {LW_SUBJECT_SITE, site};

    if (!alarm_stands(core, own, subject))
        for (size_t i = 0; i < sizeof RULE / sizeof *RULE; i++)
            if (alarm_recall(core, RULE[i], subject, priority, found))
                return;
    alarm_set(core, own, subject, priority, found);
}

/* A load that ran before is over when it has not been there for three days: more than a
 * weekend. */
#define SHIFT_OVER (3 * LW_DAY)

static bool
is_quiet(const struct lw_core *core, int32_t site, const struct waiting *q)
{
    const struct excess *e = &core->site[site].excess;

    if (e->preexisting)
        return q->w != VOID && q->w <= e->low_w;
    return q->over != VOID && residual_quiet(core, site, (enum reach)e->span, q);
}

static int64_t
quiet_for(const struct lw_core *core, int32_t site)
{
    const struct site_state *st = &core->site[site];
    int64_t span = residual_span_ms((enum reach)st->excess.span, st->interval);

    if (st->excess.preexisting)
        return SHIFT_OVER;
    return span > core->rules->reference.clear_ms ? span
                                                  : core->rules->reference.clear_ms;
}

static void
live(struct lw_core *core, int32_t site, const struct waiting *q,
     const struct judgement *v)
{
    struct site_state *st = &core->site[site];
    struct excess *e = &st->excess;
    bool over = v->span != SPANS, stands = e->run.from != NEVER;
    struct lw_evidence found;

    if (!over && !stands)
        return;
    if (!stands)
        begin(core, site, q, v);
    else if (q->w != VOID)
        go_on(core, site, q);
    if (over) {
        if (v->span < e->span)
            e->span = (uint8_t)v->span;
        if (confidence(v) > e->confidence_milli)
            e->confidence_milli = confidence(v);
    }
    if (is_quiet(core, site, q)) {
        if (!q->partial && !(over && v->span <= SPAN_8H))
            e->run.clear_ms += st->interval;
    } else if (q->over != VOID && (e->preexisting || (over && v->span <= SPAN_8H))) {
        e->run.clear_ms = 0;
    }
    found = evidence(core, site, q->cold_ck);
    if (e->run.clear_ms >= quiet_for(core, site)) {
        alarm_return(core, (enum lw_rule_id)e->rule,
                     (struct subject){LW_SUBJECT_SITE, site}, &found);
        e->run.from = NEVER;
        residual_wipe(&st->residual);
        return;
    }
    tell(core, site, &found);
}

/* The commissioned load has a shift's shape itself: it ran before anybody looked. */
static void
look_at_shape(struct lw_core *core, int32_t site)
{
    struct site_state *st = &core->site[site];
    const struct reference *r = &st->reference;
    struct excess *e = &st->excess;
    int32_t swing = reference_swing_w(r), low = reference_low_w(r);
    int64_t length = r->frozen - r->since;
    struct lw_evidence found;

    if (swing < core->rules->reference.shift_w ||
        1000 * (int64_t)swing < core->rules->reference.shift_milli * r->base_w)
        return;
    *e = (struct excess){.rule = LW_RULE_PRODUCTION_SHAPE,
                         .span = SPAN_4D,
                         .confidence_milli = 900,
                         .preexisting = true,
                         .low_w = low + swing / 2};
    e->run = (struct run){.from = r->since, .to = r->frozen, .peak_w = low + swing};
    e->run.energy_wh = lw_muldiv(r->base_w, length, LW_HOUR);
    e->run.allowed_wh = lw_muldiv(low, length, LW_HOUR);
    e->run.excess_wh = e->run.energy_wh - e->run.allowed_wh;
    e->run.samples_good = r->learned;
    found = evidence(core, site, 0);
    tell(core, site, &found);
}

/* --- from windows to intervals */

static void
judge(struct lw_core *core, int32_t site, struct waiting *q)
{
    struct site_state *st = &core->site[site];
    struct judgement v;

    if (st->reference.frozen != NEVER && q->over != VOID && peers_common(core, site, q))
        q->over = VOID;
    v = residual_put(core, site, q);
    if (st->reference.frozen != NEVER)
        live(core, site, q, &v);
}

/* Judges what has waited for long enough for `at`. */
static void
release(struct lw_core *core, int32_t site, int64_t at)
{
    struct residual *d = &core->site[site].residual;

    while (d->queued > 0 && (d->queued == QUEUE || d->queue[0].from + LAG <= at)) {
        struct waiting q = d->queue[0];

        d->queued--;
        for (int i = 0; i < d->queued; i++)
            d->queue[i] = d->queue[i + 1];
        judge(core, site, &q);
    }
}

static void
wait_for_others(struct lw_core *core, int32_t site, const struct waiting *q)
{
    struct site_state *st = &core->site[site];

    if (q->over != VOID && !q->pump && st->reference.frozen != NEVER)
        for (int64_t at = q->from; at < q->from + st->interval; at += 15 * LW_MINUTE)
            peers_count(core, at, q->up);
    release(core, site, q->from);
    st->residual.queue[st->residual.queued++] = *q;
}

/* Nothing is known of the intervals before `to`. */
static void
skip(struct lw_core *core, int32_t site, int64_t to)
{
    struct site_state *st = &core->site[site];
    int64_t from = st->residual.filled;

    if (from == NEVER || from >= to)
        return;
    if (to - from > BACK_MOST)
        from = lw_floor_to(to - BACK_MOST, st->interval);
    for (; from < to; from += st->interval)
        wait_for_others(core, site,
                        &(struct waiting){.from = from, .w = VOID, .over = VOID});
}

/* Whether an unmetered pump runs: the load has stepped up by a good part of its ceiling,
 * for no longer than its longest run while the site was commissioned. */
static bool
pumping(const struct lw_core *core, struct site_state *st, const struct expectation *x,
        int32_t w)
{
    struct residual *d = &st->residual;
    const struct reference *r = &st->reference;
    int64_t step = lw_muldiv(x->pump_w, core->rules->reference.pump_milli, 1000);

    if (x->pump_w == 0 || r->learned == 0 || w <= r->level_w + step) {
        d->pump_run = 0;
        return false;
    }
    d->pump_run++;
    if (r->frozen == NEVER && d->pump_run > d->pump_run_most)
        d->pump_run_most = d->pump_run;
    return r->frozen == NEVER || d->pump_run <= d->pump_run_most * 3 / 2 + 1;
}

static void
learn(struct lw_core *core, int32_t site, int64_t from, int32_t w, int32_t cold_ck,
      bool pump)
{
    struct site_state *st = &core->site[site];
    struct reference *r = &st->reference;
    struct residual *d = &st->residual;
    int64_t day_slots = LW_DAY / st->interval;
    bool settled = reference_settled(r, core, from);

    if (!pump && !d->after_pump) {
        int64_t n = r->learned < 7 * day_slots ? r->learned + 1 : 7 * day_slots;

        reference_learn(r, from, w, cold_ck, settled);
        r->level_w += (int32_t)((w - r->level_w) / n);
    }
    /* The first week's hours, by their least interval. */
    if (!settled && !pump) {
        int32_t least = w;

        d->first[from / st->interval % 4] = w;
        for (int i = 0; i < 4; i++)
            least = d->first[i] < least ? d->first[i] : least;
        r->early_w = least > r->early_w ? least : r->early_w;
    }
    r->day_pump += pump;
    if (++r->day_slots == day_slots) {
        int32_t share = (int32_t)(1000 * (int64_t)r->day_pump / day_slots);

        r->pump_share_milli = share > r->pump_share_milli ? share : r->pump_share_milli;
        r->day_slots = r->day_pump = 0;
    }
}

/* What the window says about each of its intervals. */
static void
put_window(struct lw_core *core, const struct window *w, const struct expectation *x)
{
    struct site_state *st = &core->site[w->site];
    struct reference *r = &st->reference;
    struct residual *d = &st->residual;
    const struct weather *weather = core_site_weather(core, w->site);
    bool warm = weather && weather->temperature_mc != LW_NOT_GIVEN;
    bool learning = r->frozen == NEVER, gap = w->to - w->from > 2 * st->interval;
    struct waiting q = {.w = mean_w(core, w, x), .over = VOID, .partial = w->partial};
    bool usable = !x->permit && !x->unmeasured && (warm || !x->heated);
    int64_t from = w->from;

    q.cold_ck = warm ? reference_cold_ck(weather->temperature_mc) : 0;
    /* What is above the ceilings is closed_load's, and no part of what is usual. */
    if (learning && (gap || w->partial ||
                     (!x->unlimited && w->supply_wh > x->allowed_wh + w->resolution_wh)))
        usable = false;
    q.pump = usable && !gap && pumping(core, st, x, q.w);
    if (learning && usable)
        learn(core, w->site, w->from, q.w, q.cold_ck, q.pump);
    if (q.pump && d->queued > 0)
        d->queue[d->queued - 1].over = VOID; /* it began in there */
    if (gap && x->pump_w > 0)
        q.w -= (int32_t)lw_muldiv(x->pump_w, 13 * r->pump_share_milli / 10, 1000);
    usable = usable && reference_settled(r, core, w->from) && (q.pump || !d->after_pump);
    d->after_pump = q.pump;
    if (w->to - from > BACK_MOST)
        from = lw_floor_to(w->to - BACK_MOST, st->interval);
    for (; from < w->to; from += st->interval) {
        q.from = from;
        if (usable) {
            q.over = q.w - reference_expected_w(r, from, q.cold_ck);
            q.up = q.pump || q.over > r->usual_w + 2 * r->spread_w + r->base_w / 10;
        }
        wait_for_others(core, w->site, &q);
    }
}

static void
pattern_window(struct lw_core *core, const struct window *w)
{
    struct site_state *st = &core->site[w->site];
    struct reference *r = &st->reference;
    struct expectation x;

    if (st->residual.filled != NEVER && w->from < st->residual.filled)
        return;
    if (!concerns(lw_site_status_at(&core->ledger->site[w->site], (lw_wall){w->from}))) {
        r->watched = r->since == NEVER;
        return;
    }
    x = expect(core, w);
    reference_day(r, core, w->site, w->from, x.heated);
    skip(core, w->site, w->from);
    put_window(core, w, &x);
    st->residual.filled = w->to;
    if (r->frozen == NEVER && w->to - r->since >= core->rules->reference.learn_ms) {
        reference_freeze(r, w->to, st->residual.seen[SPAN_1H].most_w);
        residual_freeze(core, w->site, w->resolution_wh, x.pump_w);
        look_at_shape(core, w->site);
    }
}

const struct family detect_pattern = {
    .window = pattern_window,
    .reading = pattern_reading,
};
