/* register_jump: the energy register fell or leapt, and a second reading goes on from
 * there. stuck_register: power flows and the register stands. */
#include "lib/state.h"

/* Power between two readings is believed for so long. */
#define POWER_HOLDS LW_HOUR

static struct subject
point_of(const struct lw_core *core, int32_t meter)
{
    return (struct subject){LW_SUBJECT_POINT, core->ledger->meter[meter].point};
}

static enum lw_priority
data_priority(const struct lw_core *core, int32_t meter)
{
    enum lw_priority p = alarm_site_priority(core, meter_point(core, meter)->site);

    return p > LW_PRIORITY_MEDIUM ? p : LW_PRIORITY_MEDIUM;
}

/* The point's alarm stands, and its reason was last seen long enough ago. What the meter
 * before an exchange began ends with a good hour of the one after. */
static bool
over(struct lw_core *core, int32_t meter, enum lw_rule_id rule, int64_t *seen_at,
     int64_t clear_ms)
{
    if (!alarm_stands(core, rule, point_of(core, meter)))
        return false;
    if (*seen_at == NEVER)
        *seen_at = core->now;
    return core->now - *seen_at >= clear_ms;
}

static void
jump(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_register_step *step = &judged->step;
    struct lw_evidence e = {
        .from = {step->from},
        .to = judged->reading->time,
        .detail = step->step_wh,
    };

    if (step->verdict == LW_REGISTER_FELL || step->verdict == LW_REGISTER_LEAPT) {
        e.finding = step->verdict == LW_REGISTER_FELL ? LW_FOUND_REGISTER_FELL
                                                      : LW_FOUND_REGISTER_LEAPT;
        m->jump_at = core->now;
        alarm_set(core, LW_RULE_REGISTER_JUMP, point_of(core, meter),
                  data_priority(core, meter), &e);
    } else if (judged->reading->value[LW_IMPORT] < m->reg.wh) {
        m->jump_at = core->now; /* it creeps back: that is no good hour */
    } else if (over(core, meter, LW_RULE_REGISTER_JUMP, &m->jump_at,
                    core->rules->register_jump.clear_ms)) {
        alarm_return(core, LW_RULE_REGISTER_JUMP, point_of(core, meter), NULL);
    }
}

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
    m->due_mwh += (int64_t)((__int128)power_w * ms * 1000 / LW_HOUR);
}

/* The register moved, or no power says that it should have: begin anew from here. */
static void
settle(struct meter_state *m, const struct lw_reading *r)
{
    m->moved = r->time.ms;
    m->due_mwh = 0;
}

static void
stuck(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_reading *r = judged->reading;
    int64_t resolution = core->ledger->meter[meter].resolution_wh;
    int64_t step = core->meter[meter].step_wh;
    bool moved = m->moved == NEVER || judged->step.energy_wh > 0 ||
                 judged->step.verdict != LW_REGISTER_ADVANCED;
    int64_t stood_ms;
    struct lw_evidence e;

    if (moved && over(core, meter, LW_RULE_STUCK_REGISTER, &m->stuck_at,
                      core->rules->stuck_register.clear_ms))
        alarm_return(core, LW_RULE_STUCK_REGISTER, point_of(core, meter), NULL);
    if (moved)
        settle(m, r);
    if (!lw_reading_has(r, LW_ACTIVE_POWER))
        return;
    if (moved || m->power_at == NEVER ||
        r->value[LW_ACTIVE_POWER] < core->rules->stuck_register.least_w ||
        m->promised_w < core->rules->stuck_register.least_w)
        settle(m, r);
    else
        promise(m, r);
    m->power_at = r->time.ms;
    m->promised_w = r->value[LW_ACTIVE_POWER];
    stood_ms = r->time.ms - m->moved;
    if (resolution == LW_NOT_GIVEN || resolution < 1)
        resolution = 1000;
    if (resolution < step)
        resolution = step;
    if (stood_ms < core->rules->stuck_register.for_ms ||
        m->due_mwh / 1000 < core->rules->stuck_register.steps * resolution)
        return;
    m->stuck_at = core->now;
    e = (struct lw_evidence){
        .from = {m->moved},
        .to = r->time,
        .mean_w = lw_muldiv(m->due_mwh / 1000, LW_HOUR, stood_ms),
        .detail = m->due_mwh / 1000,
        .finding = LW_FOUND_REGISTER_STOOD,
    };
    alarm_set(core, LW_RULE_STUCK_REGISTER, point_of(core, meter),
              data_priority(core, meter), &e);
}

static void
register_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    if (!judged->good || !judged->has_step)
        return;
    jump(core, meter, judged);
    stuck(core, meter, judged);
}

const struct family detect_register = {.reading = register_reading};
