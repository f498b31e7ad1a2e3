/* What the rules about one metering point share. */
#include "lib/state.h"

enum lw_priority
detect_point_priority(const struct lw_core *core, int32_t meter)
{
    enum lw_priority p = alarm_site_priority(core, meter_point(core, meter)->site);

    return p > LW_PRIORITY_MEDIUM ? p : LW_PRIORITY_MEDIUM;
}

/* What the meter before an exchange began ends with a good hour of the one after. */
bool
detect_point_over(const struct lw_core *core, int32_t meter, enum lw_rule_id rule,
                  int64_t *seen_at, int64_t clear_ms)
{
    if (!alarm_stands(core, rule, detect_point(core, meter)))
        return false;
    if (*seen_at == NEVER)
        *seen_at = core->now;
    return core->now - *seen_at >= clear_ms;
}
