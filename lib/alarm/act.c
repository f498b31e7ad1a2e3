/* What people do to a standing alarm: reading it, acknowledging it, shelving it. A
 * shelf ends by itself, by hand, when the alarm returns, and when it gets worse. */
#include <lodewatch/act.h>

#include <stdlib.h>
#include <string.h>

#include <lodewatch/utf8.h>

#include "lib/alarm/act.h"
#include "lib/alarm/alike.h"
#include "lib/state.h"

static const char *const NAME[] = {
    [LW_ACT_ACKNOWLEDGE] = "acknowledge",
    [LW_ACT_SHELVE] = "shelve",
    [LW_ACT_UNSHELVE] = "unshelve",
    [LW_ACT_READ] = "read",
};

const char *
lw_act_name(enum lw_act_kind kind)
{
    return NAME[kind];
}

bool
lw_act_text(const char *s, size_t n, size_t most)
{
    bool blank = true;

    if (n > most || lw_utf8_valid(s, n) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
            return false;
        blank = blank && s[i] == ' ';
    }
    return !blank;
}

static struct lw_alarm *
find(const struct lw_core *core, const uint8_t id[LW_ACT_ALARM])
{
    for (int32_t i = core->first_standing; i != LW_NONE; i = core->standing[i].next) {
        struct lw_alarm *alarm = &core->standing[i].alarm;

        if (memcmp(alarm->id, id, LW_ACT_ALARM) == 0)
            return alarm;
    }
    return NULL;
}

const struct lw_alarm *
lw_core_alarm(const struct lw_core *core, const uint8_t id[LW_ACT_ALARM])
{
    return find(core, id);
}

int
lw_core_may(const struct lw_core *core, const struct lw_act *act)
{
    const struct lw_alarm *alarm = find(core, act->alarm);
    bool shelved = alarm && alarm->state == LW_ALARM_SHELVED;

    /* What has returned can be acknowledged, and that is all. */
    if (!alarm || (alarm_has_returned(alarm) && act->kind != LW_ACT_ACKNOWLEDGE))
        return LW_ENOTFOUND;
    switch (act->kind) {
    case LW_ACT_ACKNOWLEDGE:
        return alarm->state == LW_ALARM_UNACKNOWLEDGED_ACTIVE ||
                       alarm->state == LW_ALARM_RETURNED_UNACKNOWLEDGED
                   ? 0
                   : LW_EDENIED;
    case LW_ACT_SHELVE:
        if (act->until.ms <= core->now || act->until.ms - core->now > LW_SHELVED_MOST)
            return LW_ERANGE;
        return shelved ? LW_EDENIED : 0;
    case LW_ACT_READ:
        return 0;
    case LW_ACT_UNSHELVE:
        break;
    }
    return shelved ? 0 : LW_EDENIED;
}

static int64_t
greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool
shelf_broken(const struct lw_alarm *alarm, enum lw_priority priority,
             const struct lw_evidence *evidence)
{
    int64_t over_w = llabs(alarm_height(evidence));

    return priority > alarm->priority || evidence->finding != alarm->evidence.finding ||
           (over_w > 0 && over_w >= 2 * alarm->shelved_over_w);
}

void
shelf_end(struct lw_alarm *alarm)
{
    if (alarm->state != LW_ALARM_SHELVED)
        return;
    alarm->state = alarm->acknowledged_by[0] ? LW_ALARM_ACKNOWLEDGED_ACTIVE
                                             : LW_ALARM_UNACKNOWLEDGED_ACTIVE;
    alarm->shelf_by[0] = 0;
}

void
act_forget(struct lw_alarm *alarm)
{
    alarm->state = LW_ALARM_UNACKNOWLEDGED_ACTIVE;
    alarm->acknowledged_by[0] = 0;
    alarm->shelf_by[0] = 0;
    alarm->read_by[0] = 0;
    alarm->course.told = false;
    alarm->course.to = 0;
}

/* Whoever does anything to it has read it. */
static void
note_read(const struct lw_core *core, struct lw_alarm *alarm, const struct lw_act *act)
{
    if (alarm->read_by[0])
        return;
    alarm->read = (lw_wall){core->now};
    memcpy(alarm->read_by, act->by, sizeof act->by);
}

void
act_step(struct lw_core *core, const struct lw_act *act)
{
    struct lw_alarm *alarm;

    if (lw_core_may(core, act) != 0)
        return;
    alarm = find(core, act->alarm);
    note_read(core, alarm, act);
    switch (act->kind) {
    case LW_ACT_READ:
        return;
    case LW_ACT_ACKNOWLEDGE:
        alarm->state =
            alarm_has_returned(alarm) ? LW_ALARM_NORMAL : LW_ALARM_ACKNOWLEDGED_ACTIVE;
        alarm->acknowledged = (lw_wall){core->now};
        memcpy(alarm->acknowledged_by, act->by, sizeof act->by);
        break;
    case LW_ACT_SHELVE:
        alarm->state = LW_ALARM_SHELVED;
        alarm->shelved_until = act->until;
        alarm->shelved_over_w =
            greater(llabs(alarm_height(&alarm->evidence)), llabs(alarm->most_over_w));
        memcpy(alarm->shelf_by, act->by, sizeof act->by);
        memcpy(alarm->shelf_reason, act->reason, sizeof act->reason);
        core_timer_shelf(core, act->until.ms);
        break;
    case LW_ACT_UNSHELVE:
        shelf_end(alarm);
        memcpy(alarm->shelf_by, act->by, sizeof act->by);
        break;
    }
    alarm_tell(core, alarm);
}

void
shelf_timer(struct lw_core *core)
{
    int64_t next = INT64_MAX;

    for (int32_t i = core->first_standing; i != LW_NONE; i = core->standing[i].next) {
        struct lw_alarm *alarm = &core->standing[i].alarm;

        if (alarm->state != LW_ALARM_SHELVED)
            continue;
        if (alarm->shelved_until.ms <= core->now) {
            shelf_end(alarm);
            alarm_tell(core, alarm);
        } else if (alarm->shelved_until.ms < next) {
            next = alarm->shelved_until.ms;
        }
    }
    if (next != INT64_MAX)
        core_timer_shelf(core, next);
}
