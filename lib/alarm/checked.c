/* The checks that an alert's reasons rest on: its site, its explanations and licences. */
#include <lodewatch/words.h>

const struct lw_site *
lw_alert_site(const struct lw_alert *alert)
{
    int32_t site = alert->alarm->site;
    return site >= 0 && site < alert->ledger->nsites ? &alert->ledger->site[site] : NULL;
}

const struct lw_metering_point *
lw_alert_point(const struct lw_alert *alert)
{
    uint8_t kind = alert->alarm->subject_kind;
    int32_t point = alert->alarm->subject;
    bool has = kind == LW_SUBJECT_POINT || kind == LW_SUBJECT_FEEDER;
    return has && point >= 0 && point < alert->ledger->npoints
               ? &alert->ledger->point[point]
               : NULL;
}

lw_wall
lw_alert_moment(const struct lw_alert *alert)
{
    const struct lw_evidence *e = &alert->alarm->evidence;
    return e->to.ms > e->from.ms ? lw_wall_add(e->to, -1) : alert->alarm->at;
}

bool
lw_alert_is_over(const struct lw_alert *alert)
{
    return alert->kind == LW_ALERT_RETURNED ||
           alert->alarm->state == LW_ALARM_RETURNED_UNACKNOWLEDGED ||
           alert->alarm->state == LW_ALARM_NORMAL;
}

const char *
lw_checked_name(enum lw_checked checked)
{
    static const char *const names[] = {
        [LW_CHECKED_NONE] = "none",
        [LW_CHECKED_IN_FORCE] = "in_force",
        [LW_CHECKED_NOT_YET] = "not_yet",
        [LW_CHECKED_EXPIRED] = "expired",
        [LW_CHECKED_OUTSIDE_HOURS] = "outside_hours",
        [LW_CHECKED_EXCEEDED] = "exceeded",
        [LW_CHECKED_BEYOND_WATER] = "beyond_water",
    };
    return names[checked];
}

bool
lw_checked_holds(enum lw_checked checked)
{
    return checked == LW_CHECKED_IN_FORCE || checked == LW_CHECKED_EXCEEDED ||
           checked == LW_CHECKED_BEYOND_WATER;
}

static enum lw_checked
validity(lw_wall from, lw_wall to, lw_wall t)
{
    if (t.ms < from.ms)
        return LW_CHECKED_NOT_YET;
    return t.ms < to.ms ? LW_CHECKED_IN_FORCE : LW_CHECKED_EXPIRED;
}

/* What is found above all ceilings together, so that each of them is exceeded. */
static bool
above_ceilings(enum lw_finding finding)
{
    return finding == LW_FOUND_OVER_ALLOWANCE || finding == LW_FOUND_NO_LICENCE ||
           finding == LW_FOUND_SUSPENDED_CAPACITY || finding == LW_FOUND_PROCESS_SHARE ||
           finding == LW_FOUND_AFTER_CUTOFF;
}

static bool
compares_with_reference(enum lw_rule_id rule)
{
    return rule == LW_RULE_NIGHT_LOAD || rule == LW_RULE_PRODUCTION_SHAPE ||
           rule == LW_RULE_SLOW_CREEP || rule == LW_RULE_RE_EMERGENCE;
}

/* A date may be a day, so one of the day on which it was frozen is of it. */
bool
lw_alert_review(const struct lw_alert *alert, const char **ret_by, lw_wall *ret_at)
{
    const struct lw_alarm *alarm = alert->alarm;
    const struct lw_site *site = lw_alert_site(alert);

    if (!site || !compares_with_reference((enum lw_rule_id)alarm->rule) ||
        *site->reference_reviewed_by == '\0')
        return false;
    if (site->reference_reviewed_at.ms != LW_WALL_MIN.ms &&
        alarm->evidence.learned_to.ms - LW_DAY > site->reference_reviewed_at.ms)
        return false;
    *ret_by = site->reference_reviewed_by;
    *ret_at = site->reference_reviewed_at;
    return true;
}

enum lw_checked
lw_explanation_checked(const struct lw_alert *alert,
                       const struct lw_explanation *explanation)
{
    lw_wall t = lw_alert_moment(alert);
    enum lw_checked checked = validity(explanation->from, explanation->to, t);

    if (checked != LW_CHECKED_IN_FORCE)
        return checked;
    if (!lw_hours_at(alert->ledger, &explanation->hours, t))
        return LW_CHECKED_OUTSIDE_HOURS;
    bool over = lw_alert_is_over(alert);
    enum lw_finding finding = (enum lw_finding)alert->alarm->evidence.finding;
    if (!over && explanation->kind == LW_DEWATERING && finding == LW_FOUND_PUMPED_ON)
        return LW_CHECKED_BEYOND_WATER;
    bool exceeded = !over && above_ceilings(finding) &&
                    explanation->max_w != LW_NOT_GIVEN && explanation->point == LW_NONE;
    return exceeded ? LW_CHECKED_EXCEEDED : LW_CHECKED_IN_FORCE;
}

enum lw_checked
lw_licence_checked(const struct lw_alert *alert, enum lw_licence_kind kind,
                   const struct lw_licence **ret_licence)
{
    static const int rank[] = {
        [LW_CHECKED_NONE] = 0,
        [LW_CHECKED_NOT_YET] = 1,
        [LW_CHECKED_EXPIRED] = 2,
        [LW_CHECKED_IN_FORCE] = 3,
    };
    const struct lw_site *site = lw_alert_site(alert);
    lw_wall t = lw_alert_moment(alert);
    enum lw_checked best = LW_CHECKED_NONE;
    const struct lw_licence *licence = NULL;

    for (int32_t i = 0; site && i < site->licence_n; i++) {
        const struct lw_licence *l = &alert->ledger->licence[site->licence_first + i];
        enum lw_checked checked = validity(l->from, l->to, t);
        bool later = rank[checked] == rank[best] && checked == LW_CHECKED_EXPIRED &&
                     l->to.ms > licence->to.ms;
        if (l->kind == kind && (rank[checked] > rank[best] || later)) {
            best = checked;
            licence = l;
        }
    }
    *ret_licence = licence;
    return best;
}

struct lw_deadlines
lw_alert_deadlines(enum lw_priority priority)
{
    static const struct lw_deadlines deadlines[] = {
        [LW_PRIORITY_LOW] = {LW_DAY, 3 * LW_DAY},
        [LW_PRIORITY_MEDIUM] = {LW_HOUR, 8 * LW_HOUR},
        [LW_PRIORITY_HIGH] = {15 * LW_MINUTE, 2 * LW_HOUR},
        [LW_PRIORITY_URGENT] = {5 * LW_MINUTE, LW_HOUR},
    };
    return deadlines[priority];
}
