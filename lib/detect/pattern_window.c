/* A closed site's windows as the intervals of its load: measured, in a gap, or not known.
 * Beneath what is declared they are compared with the reference that was learned while
 * the site was commissioned; pattern.c has what comes of it. */
#include <math.h>

#include "pattern.h"

/* A silence is followed up for so long. */
#define BACK_MOST (5 * LW_DAY)

static bool
concerns(enum lw_site_status status)
{
    return status == LW_CLOSED || status == LW_UNLICENSED;
}

/* The meter of a site that has one supply; NULL: which of several drew it, no power
 * says. */
static const struct meter_state *
only_supply(const struct lw_core *core, const struct window *w)
{
    const struct lw_site *site = &core->ledger->site[w->site];
    int32_t row = LW_NONE;
    int n = 0;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++)
        if (core->ledger->point[p].role == LW_SUPPLY && n++ == 0)
            row = balance_row(core->ledger, p, w->from);
    return n == 1 && row != LW_NONE ? &core->meter[row] : NULL;
}

/* The window's mean beside what sub-meters explain. Within one step of the register, the
 * power reading says what the register cannot; then its resolution is no bar. */
static float
window_kw(const struct lw_core *core, const struct window *w, float *ret_resolution_kwh)
{
    const struct meter_state *m = only_supply(core, w);
    int64_t length = w->to - w->from, interval = core->site[w->site].interval;
    float mean = load_kw(w->supply_wh - w->expected.measured_wh, length);
    float step = load_kw(w->resolution_wh, length), power;

    *ret_resolution_kwh = (float)w->resolution_wh / 1000;
    if (!m || length > interval || m->power_at <= w->from ||
        m->power_at > w->to + interval / 2)
        return mean;
    *ret_resolution_kwh = 0;
    power = (float)m->promised_w / 1000 - load_kw(w->expected.measured_wh, length);
    return power < mean - step ? mean - step : power > mean + step ? mean + step : power;
}

/* What a site has of this window beside its load. */
static struct sample
blank(const struct lw_core *core, const struct window *w)
{
    const struct expectation *x = &w->expected;
    const struct site_state *st = &core->site[w->site];
    bool metered = x->pump_w == 0 && x->metered_pump_w > 0;
    float mean = load_kw(x->metered_pump_wh, w->to - w->from);
    struct sample s = {.from = w->from,
                       .interval = st->interval,
                       .kw = NAN,
                       .share = 1,
                       .declared_kw = INFINITY,
                       .rules = w->rules};

    s.cold = reference_cold(core, w->site, w->from);
    s.heated = x->heated;
    s.told = (st->excess.run.from != NEVER && st->excess.finding != LW_FOUND_PUMPED_ON) ||
             alarm_stands(core, LW_RULE_CLOSED_LOAD,
                          (struct subject){LW_SUBJECT_SITE, w->site});
    if (!x->unlimited)
        s.declared_kw = load_kw(x->allowed_wh, w->to - w->from) - (float)x->pump_w / 1000;
    s.pump_kw = (float)(metered ? x->metered_pump_w : x->pump_w) / 1000;
    s.pump_metered = metered;
    s.pump_runs = metered && !x->unmeasured && mean > 0.05F * s.pump_kw;
    s.pumped_kw = metered && !x->unmeasured ? mean : NAN;
    if (pattern_watches(core, w->site, s.rules, w->from))
        s.share = (float)s.rules->re_emergence.most_milli / 1000;
    return s;
}

static bool
permitted(const struct lw_core *core, int32_t site, const struct sample *s)
{
    return expect_permit(core, site, s->from - s->interval, s->from + 2 * s->interval);
}

/* Nothing is known of the intervals before `to`. */
static void
skip(struct lw_core *core, int32_t site, int64_t to, const struct sample *like)
{
    struct site_state *st = &core->site[site];
    struct sample s;
    struct found f;

    if (st->reference.next == NEVER || st->reference.next >= to)
        return;
    s = *like;
    s.from = st->reference.next;
    if (to - s.from > BACK_MOST)
        s.from = lw_floor_to(to - BACK_MOST, st->interval);
    s.kw = NAN;
    for (; s.from < to; s.from += st->interval) {
        reference_sample(&st->reference, reference_log(core, &st->reference), &s, &f);
        pumping_sample(core, site, &s, &f);
        if (st->reference.frozen != NEVER)
            pattern_live(core, site, &s, s.from + s.interval, true, &f);
    }
}

static void
put_gap(struct lw_core *core, const struct window *w, const struct sample *s)
{
    struct reference *r = &core->site[w->site].reference;
    struct found f;

    skip(core, w->site, w->to, s);
    if (r->frozen == NEVER || w->from < r->frozen || isnan(s->kw) ||
        w->to - w->from <= 2 * s->interval ||
        expect_permit(core, w->site, w->from, w->to))
        return;
    compare_gap(core, w->site, s, w->to, &f);
    pattern_live(core, w->site, s, w->to, w->partial, &f);
}

static void
put_interval(struct lw_core *core, const struct window *w, struct sample *s)
{
    struct reference *r = &core->site[w->site].reference;
    struct found f;

    s->permit = permitted(core, w->site, s);
    reference_sample(r, reference_log(core, r), s, &f);
    pumping_sample(core, w->site, s, &f);
    if (r->frozen != NEVER)
        pattern_live(core, w->site, s, w->to, w->partial, &f);
}

/* Somebody has refused what was learned: what it told has lost its ground. */
static void
forget(struct lw_core *core, int32_t site)
{
    struct reference *r = &core->site[site].reference;

    pattern_lose_ground(core, site);
    if (r->frozen != NEVER)
        peers_drop(core, site);
    r->since = NEVER;
}

static void
pattern_window(struct lw_core *core, const struct window *w)
{
    struct site_state *st = &core->site[w->site];
    struct reference *r = &st->reference;
    struct sample s;

    if (r->next != NEVER && w->from < r->next)
        return;
    if (!concerns(w->status)) {
        r->watched = r->watched || r->since == NEVER;
        pattern_lose_ground(core, w->site);
        return;
    }
    if (reference_is_refused(r, &core->ledger->site[w->site], w->from))
        forget(core, w->site);
    if (r->since == NEVER)
        reference_begin(core, r, w->from);
    s = blank(core, w);
    reference_day(r, &core->ledger->site[w->site], s.rules->reference.edge_ms, w->from);
    skip(core, w->site, w->from, &s);
    s.kw = window_kw(core, w, &s.resolution_kwh);
    while (r->frozen == NEVER && w->from - r->since >= LOG_HOURS * LW_HOUR &&
           !reference_has_heard(reference_log(core, r)))
        reference_go_on(r, reference_log(core, r));
    if (r->frozen == NEVER && w->from - r->since >= LOG_HOURS * LW_HOUR) {
        before_shape(core, w->site, &s, reference_learn(core, w->site, &s));
        peers_add(core, w->site);
    }
    if (w->expected.unmeasured || (r->frozen == NEVER && w->partial))
        s.kw = NAN;
    r->next = w->from;
    if (w->to - w->from > st->interval)
        put_gap(core, w, &s);
    else
        put_interval(core, w, &s);
    r->next = w->to;
    before_peers(core, w);
}

const struct family detect_pattern = {.window = pattern_window};
