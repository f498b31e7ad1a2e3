/* closed_load and licence_gap: a site draws more than it may, without a break for long
 * enough. Both watch the same windows; they differ in whom they concern and in what is
 * too much. */
#include <math.h>

#include "lib/state.h"

int64_t
energy_wh(int64_t w, int64_t ms)
{
    return lw_muldiv(w, ms, LW_HOUR);
}

/* What heating without a ceiling takes at that cold, as the site's reference learned it.
 */
static int64_t
heating_wh(const struct lw_core *core, const struct window *w, int64_t ms)
{
    const struct reference *r = &core->site[w->site].reference;

    if (ms == 0 || r->frozen == NEVER)
        return 0;
    return lrint((double)r->slope_kw * (double)reference_cold(core, w->site, w->from) *
                 (double)ms / 3600);
}

static struct view
view_closed_load(const struct lw_core *core, const struct window *w)
{
    const struct expectation *x = &w->expected;
    int64_t floor_wh = energy_wh(w->rules->closed_load.floor_w, w->to - w->from);
    struct view v = {.partial = w->partial || x->unmeasured};

    v.moot = w->status != LW_CLOSED && w->status != LW_UNLICENSED;
    v.concerns = !v.moot && !x->unlimited;
    v.allowed_wh = x->allowed_wh + heating_wh(core, w, x->heating_ms);
    v.allowed_wh = v.allowed_wh > floor_wh ? v.allowed_wh : floor_wh;
    v.most_wh = v.allowed_wh;
    v.finding = x->any ? LW_FOUND_OVER_ALLOWANCE : LW_FOUND_NO_EXPLANATION;
    return v;
}

bool
site_is_mine(enum lw_site_kind kind)
{
    return kind == LW_COAL_MINE || kind == LW_NON_COAL_MINE || kind == LW_QUARRY ||
           kind == LW_SAND;
}

/* Which of the two licences is not in force. */
static int64_t
licences_missing(const struct lw_ledger *ledger, const struct lw_site *site, int64_t at)
{
    int64_t missing = 3;

    for (int32_t i = site->licence_first; i < site->licence_first + site->licence_n;
         i++) {
        const struct lw_licence *licence = &ledger->licence[i];

        if (licence->from.ms <= at && at < licence->to.ms)
            missing &= ~(INT64_C(1) << licence->kind);
    }
    return missing;
}

static struct view
view_licence_gap(const struct lw_core *core, const struct window *w)
{
    const struct expectation *x = &w->expected;
    const struct lw_site *site = &core->ledger->site[w->site];
    int64_t production_w = w->rules->licence_gap.production_w;
    struct view v = {.finding = LW_FOUND_NO_LICENCE,
                     .partial = w->partial || x->unmeasured};

    v.moot = !site_is_mine(site->kind) || w->status == LW_CLOSED ||
             w->status == LW_UNLICENSED || w->status == LW_CUT_OFF;
    if (v.moot || x->unlimited)
        return v;
    /* All the window long: what a gap held before or after is not known by hours. */
    v.missing = licences_missing(core->ledger, site, w->from) &
                licences_missing(core->ledger, site, w->to - 1);
    v.concerns = v.missing != 0 || w->status == LW_SUSPENDED;
    if (site->contract_w != LW_NOT_GIVEN) {
        int64_t share_w =
            lw_muldiv(site->contract_w, w->rules->licence_gap.production_milli, 1000);

        production_w = share_w > production_w ? share_w : production_w;
    }
    v.allowed_wh = x->allowed_wh;
    v.most_wh = x->allowed_wh + energy_wh(production_w, w->to - w->from);
    return v;
}

/* --- runs of excess */

bool
is_night(const struct lw_core *core, const struct lw_params *rules, int64_t at)
{
    struct lw_civil c = lw_zone_civil(core->ledger->zone, (lw_wall){at});
    int64_t from = rules->night.night_from_min, to = rules->night.night_to_min;

    return from <= to ? c.minute >= from && c.minute < to
                      : c.minute >= from || c.minute < to;
}

/* Of the window, the time that the run does not have yet: the gap of a point that comes
 * back lies behind windows that the others have filled. */
static int64_t
fresh_ms(const struct run *run, const struct window *w)
{
    int64_t before = run->from - w->from, after = w->to - run->to;

    if (w->from >= run->to)
        return w->to - w->from;
    return (before > 0 ? before : 0) + (after > 0 ? after : 0);
}

/* Between two steps of a coarse register what is allowed is not lost: it is spared for
 * the next. */
static void
run_add(const struct lw_core *core, struct over_run *o, const struct window *w,
        const struct view *v)
{
    struct run *run = &o->run;
    int64_t length = w->to - w->from;
    int64_t mean_w = lw_muldiv(w->supply_wh, LW_HOUR, length);
    int64_t fresh = fresh_ms(run, w);
    int64_t allowed_wh = lw_muldiv(v->allowed_wh, fresh, length);
    int64_t spare_wh = o->spare_wh + allowed_wh - w->supply_wh;

    run->from = w->from < run->from ? w->from : run->from;
    run->to = w->to > run->to ? w->to : run->to;
    run->energy_wh += w->supply_wh;
    run->allowed_wh += allowed_wh;
    if (v->concerns && spare_wh < 0)
        run->excess_wh -= spare_wh;
    o->spare_wh = clamp(spare_wh, 0, w->resolution_wh);
    if (mean_w > run->peak_w)
        run->peak_w = mean_w;
    if (is_night(core, w->rules, w->from + length / 2))
        o->night_ms += fresh;
    run->samples_good += w->samples_good;
}

int64_t
samples_expected(const struct lw_core *core, int32_t site, int64_t ms)
{
    const struct lw_ledger *ledger = core->ledger;
    const struct lw_site *s = &ledger->site[site];
    int64_t n = 0;

    for (int32_t p = s->point_first; p < s->point_first + s->point_n; p++) {
        const struct lw_metering_point *point = &ledger->point[p];

        if (point->role == LW_SUPPLY && point->meter_n > 0) {
            int32_t newest = point->meter_first + point->meter_n - 1;

            n += ms / (ledger->meter[newest].interval_s * LW_SECOND);
        }
    }
    return n;
}

/* Measured energy against a declared ceiling: as sure as what was measured is complete
 * and stands clear of one part in twenty. */
static int32_t
run_confidence(const struct run *run, const struct view *v)
{
    int64_t clear = run->excess_wh * 20 > run->allowed_wh ? 990 : 950;

    return (int32_t)(v->partial ? clear - 40 : clear);
}

struct lw_evidence
run_evidence(const struct run *run)
{
    int64_t ms = run->to - run->from;
    int64_t mean_w = lw_muldiv(run->energy_wh, LW_HOUR, ms);

    /* A stretch that is found late begins before its peak was looked at. */
    return (struct lw_evidence){
        .from = {run->from},
        .to = {run->to},
        .mean_w = mean_w,
        .peak_w = run->peak_w > mean_w ? run->peak_w : mean_w,
        .energy_wh = run->energy_wh,
        .expected_w = lw_muldiv(run->allowed_wh, LW_HOUR, ms),
        .excess_wh = run->excess_wh,
        .samples_good = (uint32_t)run->samples_good,
    };
}

static struct lw_evidence
over_evidence(const struct lw_core *core, int32_t site, const struct over_run *o,
              const struct view *v)
{
    struct lw_evidence e = run_evidence(&o->run);
    int64_t ms = o->run.to - o->run.from;

    e.samples_expected = (uint32_t)samples_expected(core, site, ms);
    e.detail2 = v->missing;
    e.finding = (uint8_t)v->finding;
    e.confidence_milli = run_confidence(&o->run, v);
    e.night = 2 * o->night_ms > ms;
    return e;
}

enum lw_priority
load_priority(const struct lw_core *core, int32_t site,
              const struct lw_evidence *evidence)
{
    enum lw_priority priority = alarm_site_priority(core, site);
    int64_t production_w =
        site_rules(core, site, evidence->to.ms)->licence_gap.production_w;

    if (priority > LW_PRIORITY_MEDIUM &&
        evidence->peak_w - evidence->expected_w < production_w)
        priority = LW_PRIORITY_MEDIUM;
    return priority;
}

/* What lies above the limit, summed up since it was last made up for: a sum beyond one
 * step of the register has flowed, however coarse the register. Of a window, a step or a
 * tenth of the limit is let pass, whichever is less: another voltage is no other load. No
 * more than a step is kept, so that an end shows as soon as the register can show it; and
 * a lower bound takes nothing off. */
static void
sum_over(struct over_run *o, const struct window *w, const struct view *v)
{
    int64_t pass_wh = clamp(v->most_wh / 10, 0, w->resolution_wh);
    int64_t over_wh = w->supply_wh - v->most_wh - pass_wh;

    if (!v->concerns)
        o->over_wh = 0;
    else if (over_wh > 0 || !v->partial)
        o->over_wh = clamp(o->over_wh + over_wh, 0, w->resolution_wh + 1);
}

/* A window that is not over adds nothing to what was found: that a permit has begun
 * since, or a licence ended, is no news of a load. */
static void
keep_finding(const struct lw_core *core, enum lw_rule_id rule, struct subject subject,
             struct lw_evidence *evidence, enum lw_priority *priority)
{
    const struct lw_alarm *alarm = alarm_of(core, rule, subject);

    evidence->finding = alarm->evidence.finding;
    evidence->detail2 = alarm->evidence.detail2;
    *priority = (enum lw_priority)alarm->priority;
}

void
site_run(struct lw_core *core, const struct window *w, struct over_run *o,
         const struct view *v, const struct patience *p)
{
    struct run *run = &o->run;
    struct subject subject = {LW_SUBJECT_SITE, w->site};
    bool stands = alarm_stands(core, p->rule, subject);
    enum lw_priority priority;
    int64_t length = w->to - w->from;
    struct lw_evidence evidence;
    bool over;

    if (v->moot && w->older)
        return;
    if (v->moot) {
        alarm_moot(core, p->rule, subject);
        run->from = NEVER;
        return;
    }
    if (run->from == NEVER && !stands && (!v->concerns || w->supply_wh <= v->most_wh))
        return;
    if (run->from == NEVER)
        *o = (struct over_run){.run = {.from = w->from, .to = w->from}};
    sum_over(o, w, v);
    if (o->over_wh == 0 && !stands) {
        run->from = NEVER;
        return;
    }
    run_add(core, o, w, v);
    over = o->over_wh > w->resolution_wh;
    if (over) {
        o->clear_ms = 0;
    } else if (!v->partial && (o->over_wh == 0 || o->clear_ms > 0)) {
        /* From when all of it is made up for. A gap whose mean is lawful says little
         * about its hours: it counts as one. */
        int64_t interval = core->site[w->site].interval;

        o->clear_ms += length < interval ? length : interval;
    }
    evidence = over_evidence(core, w->site, o, v);
    priority = load_priority(core, w->site, &evidence);
    if (stands && !over)
        keep_finding(core, p->rule, subject, &evidence, &priority);
    if (stands && o->clear_ms >= p->clear_ms && !over) {
        alarm_return(core, p->rule, subject, &evidence);
        run->from = NEVER;
    } else if (stands || (over && run->to - run->from >= p->for_ms &&
                          run->excess_wh >= p->least_wh)) {
        alarm_set(core, p->rule, subject, priority > p->least ? priority : p->least,
                  &evidence);
    }
}

/* Of all supplies together, were they heard or not. */
static int64_t
supply_resolution(const struct lw_core *core, const struct window *w)
{
    const struct lw_site *site = &core->ledger->site[w->site];
    int64_t sum = 0;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        int32_t row = balance_row(core->ledger, p, w->from);

        if (core->ledger->point[p].role == LW_SUPPLY && row != LW_NONE)
            sum += meter_resolution(core, row);
    }
    return sum;
}

bool
site_load_hasten(struct lw_core *core, int32_t site, enum lw_priority least)
{
    const struct site_state *s = &core->site[site];
    struct window w = {
        .site = site, .from = s->load.run.to - s->interval, .to = s->load.run.to};
    struct view v;
    struct lw_evidence evidence;
    enum lw_priority priority;

    if (s->load.run.from == NEVER || s->load.over_wh <= supply_resolution(core, &w))
        return false;
    expect(core, &w);
    v = view_closed_load(core, &w);
    evidence = over_evidence(core, site, &s->load, &v);
    priority = load_priority(core, site, &evidence);
    alarm_set(core, LW_RULE_CLOSED_LOAD, (struct subject){LW_SUBJECT_SITE, site},
              priority > least ? priority : least, &evidence);
    return true;
}

static void
site_load_window(struct lw_core *core, const struct window *w)
{
    const struct lw_params *rules = w->rules;
    struct site_state *s = &core->site[w->site];
    struct view closed = view_closed_load(core, w);
    struct view licence = view_licence_gap(core, w);

    s->last_allowed_wh = w->expected.unlimited ? LW_NOT_GIVEN : closed.allowed_wh;
    site_run(core, w, &s->load, &closed,
             &(struct patience){LW_RULE_CLOSED_LOAD, rules->closed_load.for_ms,
                                rules->closed_load.clear_ms, rules->closed_load.least_wh,
                                LW_PRIORITY_LOW});
    site_run(core, w, &s->production, &licence,
             &(struct patience){LW_RULE_LICENCE_GAP, rules->licence_gap.for_ms,
                                rules->licence_gap.clear_ms, 0, LW_PRIORITY_MEDIUM});
}

const struct family detect_site_load = {.window = site_load_window};
