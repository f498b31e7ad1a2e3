/* Alarms in a checkpoint, in order of their raising: a field of the table each. */
#include "lib/state.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define EVIDENCE(member) LW_FIELD(struct lw_alarm, evidence.member)

static const struct lw_field ALARM[] = {
    LW_FIELD_RAW(struct lw_alarm, id),
    LW_FIELD(struct lw_alarm, rule),
    LW_FIELD(struct lw_alarm, subject_kind),
    LW_FIELD(struct lw_alarm, state),
    LW_FIELD(struct lw_alarm, priority),
    LW_FIELD(struct lw_alarm, subject),
    LW_FIELD(struct lw_alarm, site),
    LW_FIELD(struct lw_alarm, revision),
    LW_FIELD(struct lw_alarm, flood),
    LW_FIELD(struct lw_alarm, onset),
    LW_FIELD(struct lw_alarm, at),
    LW_FIELD(struct lw_alarm, occurrences),
    LW_FIELD(struct lw_alarm, returned),
    LW_FIELD(struct lw_alarm, least_over_w),
    LW_FIELD(struct lw_alarm, most_over_w),
    LW_FIELD(struct lw_alarm, most_wh),
    LW_FIELD(struct lw_alarm, acknowledged),
    LW_FIELD(struct lw_alarm, shelved_until),
    LW_FIELD(struct lw_alarm, shelved_over_w),
    LW_FIELD_RAW(struct lw_alarm, acknowledged_by),
    LW_FIELD_RAW(struct lw_alarm, shelf_by),
    LW_FIELD_RAW(struct lw_alarm, shelf_reason),
    LW_FIELD(struct lw_alarm, read),
    LW_FIELD_RAW(struct lw_alarm, read_by),
    EVIDENCE(from),
    EVIDENCE(to),
    EVIDENCE(mean_w),
    EVIDENCE(peak_w),
    EVIDENCE(energy_wh),
    EVIDENCE(expected_w),
    EVIDENCE(excess_wh),
    EVIDENCE(level_w),
    EVIDENCE(since_wh),
    EVIDENCE(samples_expected),
    EVIDENCE(samples_good),
    EVIDENCE(detail),
    EVIDENCE(detail2),
    EVIDENCE(confidence_milli),
    EVIDENCE(finding),
    EVIDENCE(night),
    EVIDENCE(silent[0]),
    EVIDENCE(silent[1]),
    EVIDENCE(silent[2]),
    EVIDENCE(nsilent),
    EVIDENCE(other),
    EVIDENCE(readings_from),
    EVIDENCE(readings_to),
    EVIDENCE(readings),
    EVIDENCE(readings_meters),
    LW_FIELD_RAW(struct lw_alarm, evidence.sha256),
    EVIDENCE(learned_from),
    EVIDENCE(learned_to),
    LW_FIELD_RAW(struct lw_alarm, evidence.learned_sha256),
};

void
alarm_save(const struct lw_core *core, struct lw_packer *p)
{
    lw_pack_table_head(p, "alarms", ALARM, N(ALARM), (uint64_t)core->nlisted);
    for (int32_t i = core->first_standing; i != LW_NONE; i = core->standing[i].next)
        lw_pack_row(p, ALARM, N(ALARM), &core->standing[i].alarm);
}

static bool
evidence_sound(const struct lw_ledger *l, const struct lw_evidence *e)
{
    for (int i = 0; i < LW_SILENT_NAMED; i++)
        if (e->silent[i] < 0 || e->silent[i] > l->npoints)
            return false;
    return e->other >= 0 && e->other <= l->nsites;
}

static bool
subject_exists(const struct lw_ledger *l, const struct lw_alarm *alarm)
{
    int32_t n = l->npoints;

    if (alarm->subject_kind == LW_SUBJECT_SITE)
        n = l->nsites;
    else if (alarm->subject_kind == LW_SUBJECT_GATEWAY)
        n = l->ngateways;
    return alarm->rule < LW_RULES && alarm->subject_kind < LW_SUBJECT_KINDS &&
           alarm->priority <= LW_PRIORITY_URGENT &&
           alarm->state <= LW_ALARM_OUT_OF_SERVICE && alarm->subject >= 0 &&
           alarm->subject < n && alarm->site >= LW_NONE && alarm->site < l->nsites &&
           alarm->evidence.finding < LW_FINDINGS && evidence_sound(l, &alarm->evidence) &&
           alarm->acknowledged_by[LW_ACT_BY] == 0 && alarm->shelf_by[LW_ACT_BY] == 0 &&
           alarm->shelf_reason[LW_ACT_REASON] == 0 && alarm->read_by[LW_ACT_BY] == 0;
}

static int
take_alarm(struct lw_core *core, const struct lw_alarm *alarm)
{
    struct subject subject = {(enum lw_subject_kind)alarm->subject_kind, alarm->subject};

    if (!subject_exists(core->ledger, alarm) ||
        !alarm_speaks((enum lw_rule_id)alarm->rule, subject.kind))
        return LW_EPARSE;
    if (alarm_stands(core, (enum lw_rule_id)alarm->rule, subject) ||
        (alarm->state == LW_ALARM_NORMAL && alarm->returned.ms == LW_WALL_MIN.ms))
        return LW_EPARSE;
    alarm_take(core, alarm);
    return 0;
}

int
alarm_load(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    int rc = 0;

    for (uint64_t i = 0; i < head->count && rc == 0 && u->rc == 0; i++) {
        struct lw_alarm alarm = {.returned = LW_WALL_MIN};

        lw_unpack_row(u, head, ALARM, N(ALARM), &alarm);
        rc = take_alarm(core, &alarm);
    }
    return rc;
}
