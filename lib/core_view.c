/* What people may know of the core's state: standing alarms, meters, sites. */
#include "lib/state.h"

lw_wall
lw_core_now(const struct lw_core *core)
{
    return (lw_wall){core->now};
}

const struct lw_ledger *
lw_core_ledger(const struct lw_core *core)
{
    return core->ledger;
}

const struct lw_rules *
lw_core_rules(const struct lw_core *core)
{
    return core->book;
}

const struct lw_alarm *
lw_core_next_alarm(const struct lw_core *core, const struct lw_alarm *alarm)
{
    const struct standing *before = (const struct standing *)(const void *)alarm;
    int32_t next = alarm ? before->next : core->first_standing;

    while (next != LW_NONE && core->standing[next].alarm.returned.ms != LW_WALL_MIN.ms)
        next = core->standing[next].next;
    return next == LW_NONE ? NULL : &core->standing[next].alarm;
}

void
lw_core_meter(const struct lw_core *core, int32_t meter, struct lw_meter_view *ret_view)
{
    const struct meter_state *m = &core->meter[meter];

    *ret_view = (struct lw_meter_view){
        .last_good = {m->reg.at},
        .power_w = m->power_w,
        .import_wh = m->reg.at == NEVER ? LW_NOT_GIVEN : m->reg.wh,
        .failures = m->failures,
    };
}

const int32_t *
lw_core_gateway_meters(const struct lw_core *core, int32_t gateway, int32_t *ret_n)
{
    const int32_t *first = &core->gateway_first[gateway];

    *ret_n = first[1] - first[0];
    return &core->gateway_meters[first[0]];
}

void
lw_core_site(const struct lw_core *core, int32_t site, struct lw_site_view *ret_view)
{
    const struct site_state *s = &core->site[site];
    int64_t ms = s->last_from == NEVER ? 0 : s->last_to - s->last_from;

    *ret_view = (struct lw_site_view){
        .from = {s->last_from},
        .to = {s->last_to},
        .mean_w = LW_NOT_GIVEN,
        .expected_w = LW_NOT_GIVEN,
    };
    if (ms <= 0)
        return;
    ret_view->mean_w = lw_muldiv(s->last_wh, LW_HOUR, ms);
    if (s->last_allowed_wh != LW_NOT_GIVEN)
        ret_view->expected_w = lw_muldiv(s->last_allowed_wh, LW_HOUR, ms);
}

size_t
lw_core_size(const struct lw_core *core)
{
    const struct lw_ledger *l = core->ledger;
    size_t timers = (size_t)core_ntimers(core);

    return sizeof *core + (size_t)l->nmeters * (sizeof *core->meter + sizeof(int32_t)) +
           (size_t)l->nsites * (sizeof *core->site + sizeof *core->ears) +
           (size_t)core->nprofiles * sizeof *core->profile +
           (size_t)core->nlogs * sizeof *core->log +
           (size_t)core->nweather * sizeof *core->weather + feeder_size(core) +
           (size_t)l->ngateways * sizeof *core->gateway +
           (size_t)core->nslots * sizeof *core->slot +
           (size_t)core->ntouched * sizeof *core->standing +
           timers * (sizeof(int64_t) + 2 * sizeof(int32_t));
}
