/* register_jump: the energy register fell or leapt and a second reading goes on from
 * there; it shows a load above the meter's rating; or nothing that it shows can be. */
#include "lib/state.h"

/* How many times in a row at least, beside the time: a reading an hour is none. */
enum {
    ERRATIC_LEAST = 4
};

static void
jumped(struct lw_core *core, int32_t meter, const struct judged *judged,
       enum lw_finding finding)
{
    const struct lw_register_step *step = &judged->step;
    struct lw_evidence e = {
        .from = {step->from},
        .to = judged->reading->time,
        .detail = step->step_wh,
        .finding = (uint8_t)finding,
    };

    if (finding == LW_FOUND_REGISTER_OVER_RATING)
        e.detail = step->energy_wh;
    core->meter[meter].jump_at = core->now;
    alarm_set(core, LW_RULE_REGISTER_JUMP, detect_point(core, meter),
              detect_point_priority(core, meter), &e);
}

/* What runs backwards is wiring.c's, and so is where it turns again. */
static bool
runs_backwards(const struct lw_core *core, int32_t meter, const struct judged *judged)
{
    return judged->step.verdict == LW_REGISTER_BACKWARDS ||
           core->meter[meter].reversed != NEVER ||
           alarm_stands(core, LW_RULE_CT_REVERSAL, detect_point(core, meter));
}

static void
register_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_reading *r = judged->reading;

    if (!judged->measured || !judged->has_step || runs_backwards(core, meter, judged))
        return;
    switch (judged->step.verdict) {
    case LW_REGISTER_FELL:
        jumped(core, meter, judged, LW_FOUND_REGISTER_FELL);
        return;
    case LW_REGISTER_LEAPT:
        jumped(core, meter, judged, LW_FOUND_REGISTER_LEAPT);
        return;
    case LW_REGISTER_CARRIED:
        if (core->ledger->meter[meter].rated_w != LW_NOT_GIVEN)
            jumped(core, meter, judged, LW_FOUND_REGISTER_OVER_RATING);
        return;
    case LW_REGISTER_ODD_FELL:
    case LW_REGISTER_ODD_LEAPT:
        m->jump_at = core->now;
        if (m->odd < ERRATIC_LEAST)
            m->odd++;
        if (m->odd == ERRATIC_LEAST &&
            r->time.ms - m->reg.at >= meter_rules(core, meter)->register_jump.erratic_ms)
            jumped(core, meter, judged, LW_FOUND_REGISTER_ERRATIC);
        return;
    case LW_REGISTER_FIRST:
    case LW_REGISTER_ADVANCED:
    case LW_REGISTER_ROLLED:
    case LW_REGISTER_BACKWARDS:
        break;
    }
    m->odd = 0;
    if (r->value[LW_IMPORT] < m->reg.wh)
        m->jump_at = core->now; /* it creeps back: that is no good hour */
    else if (detect_point_over(core, meter, LW_RULE_REGISTER_JUMP, &m->jump_at,
                               meter_rules(core, meter)->register_jump.clear_ms))
        alarm_return(core, LW_RULE_REGISTER_JUMP, detect_point(core, meter), NULL);
}

const struct family detect_register = {.reading = register_reading};
