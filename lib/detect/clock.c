/* clock_drift: a meter's own clock differs from ours. */
#include "lib/state.h"

static void
clock_read(struct lw_core *core, int32_t meter, int64_t drift_ms)
{
    struct meter_state *m = &core->meter[meter];
    int64_t most_ms = meter_rules(core, meter)->clock_drift.most_ms;
    struct lw_evidence e = {
        .from = {core->now},
        .to = {core->now},
        .detail = drift_ms,
        .finding = LW_FOUND_CLOCK_WRONG,
    };

    if (drift_ms <= most_ms && drift_ms >= -most_ms) {
        m->drifts = 0;
        alarm_return(core, LW_RULE_CLOCK_DRIFT, detect_point(core, meter), NULL);
        return;
    }
    if (m->drifts < meter_rules(core, meter)->clock_drift.readings)
        m->drifts++;
    if (m->drifts == meter_rules(core, meter)->clock_drift.readings)
        alarm_set(core, LW_RULE_CLOCK_DRIFT, detect_point(core, meter), LW_PRIORITY_LOW,
                  &e);
}

const struct family detect_clock = {.meter_clock = clock_read};
