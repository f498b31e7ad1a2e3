/* sum_check: over a day, what the register counted against the integral of the power that
 * the same meter showed. The power is only known at its samples: between two of them it
 * may have been either, so half of each change is slack. */
#include "lib/state.h"

/* Two samples further apart say nothing of the time between. */
enum {
    INTERVALS_MOST = 3
};

static int64_t
size_of(int64_t v)
{
    return v < 0 ? -v : v;
}

static void
check(struct lw_core *core, int32_t meter, const struct lw_reading *r)
{
    struct sum *s = &core->meter[meter].sum;
    int64_t power_wh = s->power_mwh / 1000;
    int64_t larger = s->register_wh > power_wh ? s->register_wh : power_wh;
    int64_t allowed =
        lw_muldiv(larger, meter_rules(core, meter)->sum_check.share_milli, 1000) +
        s->slack_mwh / 1000 + 2 * meter_resolution(core, meter);
    struct lw_evidence e = {
        .from = {r->time.ms - s->ms},
        .to = r->time,
        .energy_wh = s->register_wh,
        .detail = power_wh,
        .finding = LW_FOUND_SUMS_DIFFER,
    };

    if (size_of(s->register_wh - power_wh) > allowed &&
        larger >= meter_rules(core, meter)->sum_check.least_wh)
        alarm_set(core, LW_RULE_SUM_CHECK, detect_point(core, meter),
                  detect_point_priority(core, meter), &e);
    else if (larger >= meter_rules(core, meter)->sum_check.least_wh)
        alarm_return(core, LW_RULE_SUM_CHECK, detect_point(core, meter), NULL);
    *s = (struct sum){0};
}

static void
sum_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_reading *r = judged->reading;
    int64_t ms = m->power_at == NEVER ? 0 : r->time.ms - m->power_at;
    int64_t was_w = m->promised_w, is_w = r->value[LW_ACTIVE_POWER];

    /* A register that stands is told of by itself. */
    if (!judged->good || !judged->has_step || !lw_reading_has(r, LW_ACTIVE_POWER) ||
        was_w < 0 || is_w < 0 || ms <= 0 || judged->step.from != m->power_at ||
        ms > INTERVALS_MOST * core->ledger->meter[meter].interval_s * LW_SECOND ||
        (judged->step.verdict != LW_REGISTER_ADVANCED &&
         judged->step.verdict != LW_REGISTER_ROLLED))
        return;
    m->sum.ms += ms;
    m->sum.register_wh += judged->step.energy_wh;
    m->sum.power_mwh += lw_muldiv(was_w + is_w, ms * 500, LW_HOUR);
    m->sum.slack_mwh += lw_muldiv(size_of(is_w - was_w), ms * 500, LW_HOUR);
    if (m->sum.ms >= meter_rules(core, meter)->sum_check.over_ms)
        check(core, meter, r);
}

const struct family detect_sum = {.reading = sum_reading};
