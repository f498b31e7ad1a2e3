/* The names of an alarm's states and priorities. */
#include <lodewatch/alarm.h>

static const char *const STATE[] = {
    [LW_ALARM_NORMAL] = "normal",
    [LW_ALARM_UNACKNOWLEDGED_ACTIVE] = "unacknowledged_active",
    [LW_ALARM_ACKNOWLEDGED_ACTIVE] = "acknowledged_active",
    [LW_ALARM_RETURNED_UNACKNOWLEDGED] = "returned_unacknowledged",
    [LW_ALARM_SHELVED] = "shelved",
    [LW_ALARM_OUT_OF_SERVICE] = "out_of_service",
};

static const char *const PRIORITY[] = {
    [LW_PRIORITY_LOW] = "low",
    [LW_PRIORITY_MEDIUM] = "medium",
    [LW_PRIORITY_HIGH] = "high",
    [LW_PRIORITY_URGENT] = "urgent",
};

const char *
lw_alarm_state_name(enum lw_alarm_state state)
{
    return STATE[state];
}

const char *
lw_priority_name(enum lw_priority priority)
{
    return PRIORITY[priority];
}
