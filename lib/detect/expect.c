/* What a site may draw: the explanations in force, each for the hours it names and up to
 * its ceiling; one with a sub-meter of its own, for what the sub-meter measured. */
#include <math.h>

#include "lib/state.h"

/* Explanations are looked at this often within a window, and at most so many times. */
enum {
    STEPS_MOST = 2000
};
#define STEP (15 * LW_MINUTE)

/* Kinds whose load is lawful and large: without a ceiling they explain anything. The
 * others without one (a guard house, its heating) explain a household's load, which the
 * site's other ceilings have to hold. */
static bool
explains_anything(enum lw_explanation_kind kind)
{
    switch (kind) {
    case LW_DEWATERING:
    case LW_VENTILATION:
    case LW_UNDER_MAINTENANCE:
    case LW_RESCUE:
    case LW_RESTART:
    case LW_TEMPORARY_SUPPLY:
    case LW_METERING_TEST:
        return true;
    case LW_GUARD_HOUSE:
    case LW_RESIDENT:
    case LW_GENERATION:
    case LW_HEATING:
    case LW_LIGHTING:
    case LW_EXPLANATION_OTHER:
        break;
    }
    return false;
}

/* What is permitted for a while, and no part of the site's lasting load. */
static bool
is_permit(enum lw_explanation_kind kind)
{
    return kind == LW_UNDER_MAINTENANCE || kind == LW_RESCUE || kind == LW_RESTART ||
           kind == LW_TEMPORARY_SUPPLY || kind == LW_METERING_TEST;
}

/* For how long of the window it is in force; a step that it touches counts whole. */
static int64_t
in_force(const struct lw_ledger *ledger, const struct lw_explanation *e, int64_t from,
         int64_t to)
{
    int64_t step = STEP, total = 0;

    if (e->from.ms >= to || e->to.ms <= from)
        return 0;
    if (to - from <= step)
        step = to - from;
    if ((to - from) / step > STEPS_MOST)
        step = (to - from) / STEPS_MOST;
    if (e->hours.n == 0 && e->from.ms <= from && e->to.ms >= to)
        return to - from;
    for (int64_t a = from; a < to; a += step) {
        int64_t b = a + step < to ? a + step : to;

        if (e->from.ms < b && e->to.ms > a &&
            (lw_hours_at(ledger, &e->hours, (lw_wall){a}) ||
             lw_hours_at(ledger, &e->hours, (lw_wall){b - 1})))
            total += b - a;
    }
    return total;
}

/* The energy that one explanation allows in the window. */
static void
allow(const struct lw_core *core, const struct window *w, const struct lw_explanation *e,
      struct expectation *x)
{
    int64_t ms = in_force(core->ledger, e, w->from, w->to);
    int64_t ceiling_wh = INT64_MAX;
    int64_t wh, resolution;

    if (ms == 0)
        return;
    x->any = true;
    x->heated = x->heated || e->kind == LW_HEATING;
    if (e->kind == LW_HEATING && e->max_w == LW_NOT_GIVEN && e->point == LW_NONE &&
        ms > x->heating_ms)
        x->heating_ms = ms;
    if (e->kind == LW_DEWATERING && e->max_w != LW_NOT_GIVEN)
        *(e->point == LW_NONE ? &x->pump_w : &x->metered_pump_w) += e->max_w;
    if (e->max_w != LW_NOT_GIVEN)
        ceiling_wh = lw_muldiv(e->max_w, ms, LW_HOUR);
    if (e->point != LW_NONE &&
        balance_energy(core, e->point, w->from, w->to, &wh, &resolution)) {
        x->measured_wh += wh < ceiling_wh ? wh : ceiling_wh;
        x->metered_pump_wh += e->kind == LW_DEWATERING ? wh : 0;
        wh += resolution;
        x->allowed_wh += wh < ceiling_wh ? wh : ceiling_wh;
        return;
    }
    x->unmeasured = x->unmeasured || e->point != LW_NONE;
    if (ceiling_wh != INT64_MAX)
        x->allowed_wh += ceiling_wh;
    else if (explains_anything(e->kind) || e->point != LW_NONE)
        x->unlimited = true;
}

void
expect(const struct lw_core *core, struct window *window)
{
    const struct lw_site *site = &core->ledger->site[window->site];

    window->status = lw_site_status_at(site, (lw_wall){window->from});
    window->older = window->status != lw_site_status_at(site, (lw_wall){window->to});
    window->rules = site_rules(core, window->site, window->from);
    window->expected = (struct expectation){0};
    for (int32_t i = site->explanation_first;
         i < site->explanation_first + site->explanation_n; i++)
        allow(core, window, &core->ledger->explanation[i], &window->expected);
}

bool
expect_permit(const struct lw_core *core, int32_t site, int64_t from, int64_t to)
{
    const struct lw_site *s = &core->ledger->site[site];

    for (int32_t i = s->explanation_first; i < s->explanation_first + s->explanation_n;
         i++) {
        const struct lw_explanation *e = &core->ledger->explanation[i];

        if (is_permit(e->kind) && in_force(core->ledger, e, from, to) > 0)
            return true;
    }
    return false;
}

/* Part of a guard's household, which sites like it have too. */
static bool
is_household(enum lw_explanation_kind kind)
{
    return kind == LW_GUARD_HOUSE || kind == LW_HEATING || kind == LW_LIGHTING;
}

float
expect_declared_kw(const struct lw_core *core, int32_t site, int64_t from, int64_t to)
{
    const struct lw_site *s = &core->ledger->site[site];
    float kw = 0;

    for (int32_t i = s->explanation_first; i < s->explanation_first + s->explanation_n;
         i++) {
        const struct lw_explanation *e = &core->ledger->explanation[i];

        if (is_household(e->kind) || e->kind == LW_DEWATERING || e->point != LW_NONE ||
            in_force(core->ledger, e, from, to) == 0)
            continue;
        kw += e->max_w == LW_NOT_GIVEN ? INFINITY : (float)e->max_w / 1000;
    }
    return kw;
}
