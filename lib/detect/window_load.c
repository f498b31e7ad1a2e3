/* A window's load at a closed site, by its registers and, within a step of them, by
 * power. */
#include "pattern.h"

static int
supplies(const struct lw_core *core, const struct lw_site *site)
{
    int n = 0;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++)
        n += core->ledger->point[p].role == LW_SUPPLY;
    return n;
}

float
window_kw(const struct lw_core *core, const struct window *w, const struct expectation *x,
          float *ret_resolution_kwh)
{
    const struct site_state *st = &core->site[w->site];
    const struct reference *r = &st->reference;
    int64_t length = w->to - w->from;
    float mean = load_kw(w->supply_wh - x->measured_wh, length);
    float step = load_kw(w->resolution_wh, length), power;

    *ret_resolution_kwh = (float)w->resolution_wh / 1000;
    if (length > st->interval || r->power_at <= w->from ||
        r->power_at > w->to + st->interval / 2 ||
        supplies(core, &core->ledger->site[w->site]) != 1)
        return mean;
    *ret_resolution_kwh = 0;
    power = (float)r->power_w / 1000 - load_kw(x->measured_wh, length);
    return power < mean - step ? mean - step : power > mean + step ? mean + step : power;
}

void
window_power(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    const struct lw_metering_point *point = meter_point(core, meter);
    struct reference *r;

    if (!judged->good || point->role != LW_SUPPLY || point->site == LW_NONE ||
        !lw_reading_has(judged->reading, LW_ACTIVE_POWER))
        return;
    r = &core->site[point->site].reference;
    r->power_at = judged->reading->time.ms;
    r->power_w = judged->reading->value[LW_ACTIVE_POWER];
}
