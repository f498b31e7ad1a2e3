/* A window's load at a closed site, by its registers and, within a step of them, by
 * power. */
#include "pattern.h"

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

float
window_kw(const struct lw_core *core, const struct window *w, const struct expectation *x,
          float *ret_resolution_kwh)
{
    const struct meter_state *m = only_supply(core, w);
    int64_t length = w->to - w->from, interval = core->site[w->site].interval;
    float mean = load_kw(w->supply_wh - x->measured_wh, length);
    float step = load_kw(w->resolution_wh, length), power;

    *ret_resolution_kwh = (float)w->resolution_wh / 1000;
    if (!m || length > interval || m->power_at <= w->from ||
        m->power_at > w->to + interval / 2)
        return mean;
    *ret_resolution_kwh = 0;
    power = (float)m->promised_w / 1000 - load_kw(x->measured_wh, length);
    return power < mean - step ? mean - step : power > mean + step ? mean + step : power;
}
