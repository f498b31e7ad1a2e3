/* stuck_register: power flows and the register stands; or nothing that the meter measures
 * moves any more; or the power that it used to give is gone and its register stands far
 * longer than it ever did. A dark site is none of these: its power reads 0. */
#include "lib/state.h"

/* Power between two readings is believed for so long. */
#define POWER_HOLDS LW_HOUR

/* What a meter's habits are learned from, at least. */
enum {
    POWERS_LEAST = 96,
    MOVES_LEAST = 50,
    SAME_LEAST = 8,
    COUNT_MOST = 1000
};

/* Sums up the energy that the power promises, from one power reading to the next: at
 * least the smaller of the two. */
static void
promise(struct meter_state *m, const struct lw_reading *r)
{
    int64_t ms = r->time.ms - m->power_at;
    int64_t power_w = r->value[LW_ACTIVE_POWER];

    if (ms > POWER_HOLDS)
        ms = POWER_HOLDS;
    if (m->promised_w < power_w)
        power_w = m->promised_w;
    m->due_mwh += lw_muldiv(power_w, ms * 1000, LW_HOUR);
}

/* The register moved, or no power says that it should have: what is due begins anew. */
static void
settle(struct meter_state *m, const struct lw_reading *r)
{
    m->due_since = r->time.ms;
    m->due_mwh = 0;
}

/* Power without energy. */
static bool
owes_energy(struct lw_core *core, int32_t meter, const struct judged *judged, bool moved)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_reading *r = judged->reading;
    int64_t least_w = meter_rules(core, meter)->stuck_register.least_w;
    int64_t resolution = meter_resolution(core, meter);

    if (moved)
        settle(m, r);
    if (!lw_reading_has(r, LW_ACTIVE_POWER))
        return false;
    if (moved || m->power_at == NEVER || r->value[LW_ACTIVE_POWER] < least_w ||
        m->promised_w < least_w)
        settle(m, r);
    else
        promise(m, r);
    if (resolution < 1)
        resolution = 1000;
    return r->time.ms - m->due_since >= meter_rules(core, meter)->stuck_register.for_ms &&
           m->due_mwh / 1000 >=
               meter_rules(core, meter)->stuck_register.steps * resolution;
}

/* FNV-1a over the values: two readings that hash alike are taken for the same. */
static uint32_t
hash_values(const struct lw_reading *r)
{
    uint32_t h = 2166136261u ^ r->have;

    for (int q = 0; q < LW_QUANTITIES; q++)
        if (r->have >> q & 1)
            h = (h ^ (uint32_t)r->value[q] ^ (uint32_t)(r->value[q] >> 32)) * 16777619u;
    return h;
}

/* Voltage and current are never still: something is there that moves when it lives. */
static bool
is_live(const struct lw_reading *r)
{
    for (int q = LW_VOLTAGE_A; q <= LW_CURRENT_C; q++)
        if (lw_reading_has(r, (enum lw_quantity)q) && r->value[q] != 0)
            return true;
    return false;
}

/* The same values to the last digit, in reading after reading. */
static bool
is_frozen(struct lw_core *core, int32_t meter, const struct lw_reading *r)
{
    struct meter_state *m = &core->meter[meter];
    uint32_t values = hash_values(r);

    if (m->same == NEVER || values != m->values) {
        m->same = r->time.ms;
        m->same_n = 0;
    } else if (m->same_n < SAME_LEAST) {
        m->same_n++;
    }
    m->values = values;
    return m->same_n >= SAME_LEAST && is_live(r) &&
           r->time.ms - m->same >= meter_rules(core, meter)->stuck_register.frozen_ms;
}

/* Since when the meter gives no power, which it used to give. */
static void
listen(struct meter_state *m, const struct lw_reading *r)
{
    if (lw_reading_has(r, LW_ACTIVE_POWER)) {
        m->mute = NEVER;
        if (m->power_n < COUNT_MOST)
            m->power_n++;
    } else if (m->power_n >= POWERS_LEAST && m->mute == NEVER) {
        m->mute = r->time.ms;
    }
}

/* Mute, and standing for longer than its register ever stood. */
static bool
is_mute(const struct lw_core *core, int32_t meter, const struct lw_reading *r)
{
    const struct meter_state *m = &core->meter[meter];
    int64_t longest = m->stood_most;

    if (m->mute == NEVER || m->moved == NEVER || m->move_n < MOVES_LEAST)
        return false;
    if (m->mute - m->moved > longest)
        longest = m->mute - m->moved;
    return r->time.ms - m->mute >= meter_rules(core, meter)->stuck_register.for_ms &&
           r->time.ms - m->moved >=
               meter_rules(core, meter)->stuck_register.times * longest;
}

static void
stuck_raise(struct lw_core *core, int32_t meter, const struct lw_reading *r,
            enum lw_finding finding)
{
    struct meter_state *m = &core->meter[meter];
    int64_t from = finding == LW_FOUND_VALUES_FROZEN ? m->same
                   : finding == LW_FOUND_POWER_GONE  ? m->moved
                                                     : m->due_since;
    struct lw_evidence e = {
        .from = {from},
        .to = r->time,
        .finding = (uint8_t)finding,
    };

    if (finding == LW_FOUND_REGISTER_STOOD) {
        e.mean_w = lw_muldiv(m->due_mwh / 1000, LW_HOUR, r->time.ms - from);
        e.detail = m->due_mwh / 1000;
    }
    if (!alarm_stands(core, LW_RULE_STUCK_REGISTER, detect_point(core, meter)))
        balance_forget(core, meter);
    m->stuck_at = core->now;
    alarm_set(core, LW_RULE_STUCK_REGISTER, detect_point(core, meter),
              detect_point_priority(core, meter), &e);
}

/* What the alarm was raised for is seen no more. A register that owed energy has to move:
 * it may stand in the night because nothing is drawn. */
static bool
is_over(const struct lw_core *core, int32_t meter, bool moved, bool frozen)
{
    const struct lw_alarm *alarm =
        alarm_of(core, LW_RULE_STUCK_REGISTER, detect_point(core, meter));

    if (moved || !alarm)
        return moved;
    switch ((enum lw_finding)alarm->evidence.finding) {
    case LW_FOUND_VALUES_FROZEN:
        return !frozen;
    case LW_FOUND_POWER_GONE:
        return core->meter[meter].mute == NEVER;
    default:
        return false;
    }
}

static void
stuck_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_reading *r = judged->reading;
    bool moved, owes, frozen;

    if (!judged->measured || !judged->has_step)
        return;
    moved = m->moved == NEVER || judged->step.energy_wh > 0 ||
            judged->step.verdict != LW_REGISTER_ADVANCED;
    listen(m, r);
    owes = owes_energy(core, meter, judged, moved);
    frozen = is_frozen(core, meter, r);
    if (moved) {
        /* As it was seen to stand: in a gap it may have moved and not told. */
        if (m->moved != NEVER && judged->step.from != NEVER &&
            judged->step.from - m->moved > m->stood_most &&
            !alarm_stands(core, LW_RULE_STUCK_REGISTER, detect_point(core, meter)))
            m->stood_most = judged->step.from - m->moved;
        m->moved = r->time.ms;
    }
    if (owes)
        stuck_raise(core, meter, r, LW_FOUND_REGISTER_STOOD);
    else if (frozen)
        stuck_raise(core, meter, r, LW_FOUND_VALUES_FROZEN);
    else if (!moved && is_mute(core, meter, r))
        stuck_raise(core, meter, r, LW_FOUND_POWER_GONE);
    else if (is_over(core, meter, moved, frozen) &&
             detect_point_over(core, meter, LW_RULE_STUCK_REGISTER, &m->stuck_at,
                               meter_rules(core, meter)->stuck_register.clear_ms))
        alarm_return(core, LW_RULE_STUCK_REGISTER, detect_point(core, meter), NULL);
}

const struct family detect_stuck = {.reading = stuck_reading};
