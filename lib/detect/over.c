/* over_contract: a site draws more than its contract allows, or capacity that is
 * suspended. over_licence: by its energy, it has produced more than its licence allows.
 */
#include "lib/state.h"

/* --- over_contract */

/* What a temporary supply in force adds to the contract; LW_NOT_GIVEN: any load. */
static int64_t
temporary_w(const struct lw_core *core, const struct lw_site *site, int64_t at)
{
    int64_t sum = 0;

    for (int32_t i = site->explanation_first;
         i < site->explanation_first + site->explanation_n; i++) {
        const struct lw_explanation *e = &core->ledger->explanation[i];

        if (e->kind != LW_TEMPORARY_SUPPLY || at < e->from.ms || at >= e->to.ms)
            continue;
        if (e->max_w == LW_NOT_GIVEN)
            return LW_NOT_GIVEN;
        sum += e->max_w;
    }
    return sum;
}

/* What a works may draw that is to stand still: what is explained, an office and its
 * lights. Where no contract is on file it is what production begins with. */
static struct view
view_suspended(const struct lw_core *core, const struct window *w)
{
    const struct lw_site *site = &core->ledger->site[w->site];
    const struct expectation *x = &w->expected;
    int64_t most_w = w->rules->licence_gap.production_w;
    struct view v = {.partial = w->partial || x->unmeasured,
                     .finding = LW_FOUND_SUSPENDED_CAPACITY};

    if (site->contract_w != LW_NOT_GIVEN)
        most_w =
            lw_muldiv(site->contract_w, w->rules->over_contract.suspended_milli, 1000);
    v.concerns = !x->unlimited;
    v.allowed_wh = x->allowed_wh;
    v.most_wh = x->allowed_wh + energy_wh(most_w, w->to - w->from);
    return v;
}

static struct view
view_contract(const struct lw_core *core, const struct window *w)
{
    const struct lw_site *site = &core->ledger->site[w->site];
    enum lw_site_status status = w->status;
    bool still = status == LW_SUSPENDED || status == LW_RELOCATING;
    bool mine = site_is_mine(site->kind);
    int64_t more;
    struct view v = {.partial = w->partial, .finding = LW_FOUND_OVER_CONTRACT};

    if (still && !mine)
        return view_suspended(core, w);
    /* Nothing of it is lawful: closed_load. A suspended mine is licence_gap's. */
    v.moot = site->contract_w == LW_NOT_GIVEN || status == LW_CLOSED ||
             status == LW_UNLICENSED || status == LW_CUT_OFF || status == LW_SUSPENDED;
    if (v.moot)
        return v;
    more = temporary_w(core, site, w->from);
    if (more == LW_NOT_GIVEN)
        return v;
    v.concerns = true;
    v.allowed_wh = energy_wh(site->contract_w + more, w->to - w->from);
    v.most_wh = lw_muldiv(v.allowed_wh, w->rules->over_contract.ratio_milli, 1000);
    return v;
}

/* --- over_licence */

/* The mining licence in force that says how much may be dug, and what a tonne takes. */
static const struct lw_licence *
licence_of(const struct lw_ledger *ledger, const struct lw_site *site, int64_t at)
{
    for (int32_t i = site->licence_first; i < site->licence_first + site->licence_n;
         i++) {
        const struct lw_licence *l = &ledger->licence[i];

        if (l->capacity_t > 0 && l->wh_per_tonne > 0 && l->from.ms <= at && at < l->to.ms)
            return l;
    }
    return NULL;
}

static struct lw_evidence
output_evidence(const struct lw_core *core, int32_t site, const struct lw_licence *l,
                const struct drawn *d, int64_t to, int64_t most_wh,
                enum lw_finding finding)
{
    const struct lw_params *rules = site_rules(core, site, to);
    double beyond = most_wh > 0 ? (double)d->wh / (double)most_wh - 1 : 1;

    return (struct lw_evidence){
        .from = {d->from},
        .to = {to},
        .mean_w = lw_muldiv(d->wh, LW_HOUR, to - d->from),
        .peak_w = d->peak_w,
        .energy_wh = d->wh,
        .expected_w = lw_muldiv(most_wh, LW_HOUR, to - d->from),
        .excess_wh = d->wh - most_wh,
        .samples_expected = (uint32_t)samples_expected(core, site, to - d->from),
        .samples_good = (uint32_t)d->samples_good,
        .detail = d->wh / l->wh_per_tonne,
        .detail2 = l->capacity_t,
        .finding = (uint8_t)finding,
        .confidence_milli =
            sure_spread(beyond * 1000 / (double)rules->over_licence.spread_milli),
    };
}

static void
draw(struct drawn *d, const struct window *w, bool begins)
{
    int64_t mean_w = lw_muldiv(w->supply_wh, LW_HOUR, w->to - w->from);

    if (begins)
        *d = (struct drawn){.from = w->from};
    d->wh += w->supply_wh;
    d->samples_good += w->samples_good;
    d->peak_w = mean_w > d->peak_w ? mean_w : d->peak_w;
}

/* A share of the year's licensed output, in Wh. */
static int64_t
output_wh(const struct lw_licence *l, int64_t milli)
{
    __int128 wh = (__int128)l->capacity_t * l->wh_per_tonne * milli / 1000;

    return wh > INT64_MAX ? INT64_MAX : (int64_t)wh;
}

static void
over_licence(struct lw_core *core, const struct window *w)
{
    struct output *o = &core->site[w->site].output;
    const struct lw_params *rules = w->rules;
    const struct lw_site *site = &core->ledger->site[w->site];
    const struct lw_licence *l = licence_of(core->ledger, site, w->from);
    struct subject subject = {LW_SUBJECT_SITE, w->site};
    struct lw_civil c;
    int32_t number;
    int64_t month_most, year_most;
    struct lw_evidence e;

    if (!l) {
        if (!licence_of(core->ledger, site, w->to))
            alarm_moot(core, LW_RULE_OVER_LICENCE, subject);
        return;
    }
    c = lw_zone_civil(core->ledger->zone, (lw_wall){w->from});
    number = c.year * 12 + c.month - 1;
    draw(&o->year, w, o->number / 12 != number / 12);
    draw(&o->month, w, o->number != number);
    o->number = number;
    month_most = output_wh(l, rules->over_licence.month_milli);
    year_most = output_wh(l, rules->over_licence.year_milli);
    if (o->year.wh > year_most) {
        e = output_evidence(core, w->site, l, &o->year, w->to, year_most,
                            LW_FOUND_OVER_YEAR);
    } else if (o->month.wh > month_most) {
        e = output_evidence(core, w->site, l, &o->month, w->to, month_most,
                            LW_FOUND_OVER_MONTH);
    } else {
        /* Another month, and the year within its limit. */
        if (!w->partial)
            alarm_return(core, LW_RULE_OVER_LICENCE, subject, NULL);
        return;
    }
    /* It began with a few kWh, which double by the hour: once a day is told enough. */
    if (alarm_stands(core, LW_RULE_OVER_LICENCE, subject) &&
        lw_zone_civil(core->ledger->zone, (lw_wall){w->to}).day == c.day)
        return;
    alarm_set(core, LW_RULE_OVER_LICENCE, subject, LW_PRIORITY_LOW, &e);
}

static void
over_window(struct lw_core *core, const struct window *w)
{
    const struct lw_params *rules = w->rules;
    struct view v = view_contract(core, w);

    site_run(core, w, &core->site[w->site].demand, &v,
             &(struct patience){LW_RULE_OVER_CONTRACT, rules->over_contract.for_ms,
                                rules->over_contract.clear_ms, 0, LW_PRIORITY_LOW});
    over_licence(core, w);
}

const struct family detect_over = {.window = over_window};
