/* Alarms: slots by subject and rule, the list of the standing, and what is emitted when
 * one is raised, updated or returns. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lodewatch/text.h>

#include "lib/alarm/act.h"
#include "lib/alarm/alike.h"
#include "lib/state.h"

/* A standing alarm is told again when it has changed, or at the first new evidence after
 * six days; where there is none, as it was, within seven. */
#define UPDATE_LEAST LW_HOUR
#define UPDATE_MOST  (6 * LW_DAY)
#define REMIND_AFTER (7 * LW_DAY - LW_HOUR)
/* One that has returned is kept for so long: nothing is remembered for longer, and nobody
 * acknowledges it any more. */
#define KEPT_FOR (28 * LW_DAY)

void
lw_alarm_subject(const struct lw_ledger *ledger, const struct lw_alarm *alarm,
                 char text[LW_ID_MAX + 16])
{
    int32_t i = alarm->subject;
    struct lw_text t;

    lw_text_init(&t, text, LW_ID_MAX + 16);
    switch ((enum lw_subject_kind)alarm->subject_kind) {
    case LW_SUBJECT_SITE:
        lw_text_addf(&t, "site/%s", ledger->site[i].id);
        break;
    case LW_SUBJECT_POINT:
        lw_text_addf(&t, "point/%s", ledger->point[i].id);
        break;
    case LW_SUBJECT_FEEDER:
        lw_text_addf(&t, "feeder/%s", ledger->point[i].id);
        break;
    case LW_SUBJECT_GATEWAY:
        lw_text_addf(&t, "gateway/%s", ledger->gateway[i].id);
        break;
    }
}

/* How many subjects of the kind the ledger has; a feeder is one of the points. */
static int32_t
subjects(const struct lw_ledger *ledger, enum lw_subject_kind kind)
{
    switch (kind) {
    case LW_SUBJECT_SITE:
        return ledger->nsites;
    case LW_SUBJECT_POINT:
        return ledger->npoints;
    case LW_SUBJECT_GATEWAY:
        return ledger->ngateways;
    case LW_SUBJECT_FEEDER:
        break;
    }
    return 0;
}

void
alarm_layout(struct lw_core *core)
{
    core->nslots = 0;
    for (int i = 0; i < LW_SUBJECT_KINDS; i++) {
        enum lw_subject_kind kind = (enum lw_subject_kind)i;
        struct slots *slots = &core->slots[kind];

        *slots = (struct slots){.first = core->nslots};
        for (int rule = 0; rule < LW_RULES; rule++)
            slots->of[rule] =
                alarm_speaks((enum lw_rule_id)rule, kind) ? (int8_t)slots->each++ : -1;
        core->nslots += slots->each * subjects(core->ledger, kind);
    }
    core->slots[LW_SUBJECT_FEEDER] = core->slots[LW_SUBJECT_POINT];
}

/* Which of the standing it is in the slot; LW_NONE. */
static int32_t *
slot_of(struct lw_core *core, enum lw_rule_id rule, struct subject subject)
{
    return &core->slot[alarm_slot(core, rule, subject)];
}

/* The last of the standing, in the slot. There is room for one in every slot. */
static struct lw_alarm *
stand(struct lw_core *core, int32_t *slot)
{
    int32_t i = core->first_free;
    struct standing *s;

    if (i == LW_NONE)
        i = core->ntouched++;
    s = &core->standing[i];
    if (i == core->first_free)
        core->first_free = s->next;
    s->next = LW_NONE;
    s->prev = core->last_standing;
    if (s->prev == LW_NONE)
        core->first_standing = i;
    else
        core->standing[s->prev].next = i;
    core->last_standing = i;
    core->nlisted++;
    *slot = i;
    return &s->alarm;
}

static void
fall(struct lw_core *core, int32_t *slot)
{
    int32_t i = *slot;
    struct standing *s = &core->standing[i];

    if (s->prev == LW_NONE)
        core->first_standing = s->next;
    else
        core->standing[s->prev].next = s->next;
    if (s->next == LW_NONE)
        core->last_standing = s->prev;
    else
        core->standing[s->next].prev = s->prev;
    core->nlisted--;
    s->next = core->first_free;
    core->first_free = i;
    *slot = LW_NONE;
}

void
alarm_take(struct lw_core *core, const struct lw_alarm *alarm)
{
    struct subject subject = {(enum lw_subject_kind)alarm->subject_kind, alarm->subject};

    *stand(core, slot_of(core, (enum lw_rule_id)alarm->rule, subject)) = *alarm;
}

static void
emit(struct lw_core *core, enum lw_alert_kind kind, const struct lw_alarm *alarm)
{
    struct lw_effect effect = {.kind = LW_EFFECT_ALERT, .at = {core->now}};

    effect.alert.kind = kind;
    effect.alert.alarm = alarm;
    if (core->emit)
        core->emit(core->emit_arg, &effect);
}

/* The id survives a crash, a takeover and a restored database: a hash of what it is
 * about. */
static void
identify(const struct lw_core *core, struct lw_alarm *alarm)
{
    struct lw_sha256 h;
    uint8_t digest[LW_SHA256_SIZE];
    char subject[LW_ID_MAX + 16];
    char onset[24];
    const char *const part[] = {core->ledger->deployment, subject,
                                lw_rule_info(alarm->rule)->id, onset};

    lw_alarm_subject(core->ledger, alarm, subject);
    snprintf(onset, sizeof onset, "%lld", (long long)alarm->onset.ms);
    lw_sha256_init(&h);
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        lw_sha256_add(&h, part[i], strlen(part[i]) + 1);
    lw_sha256_get(&h, digest);
    memcpy(alarm->id, digest, sizeof alarm->id);
}

/* How many were raised in the flood's time before now. */
static uint32_t
raised_lately(const struct lw_core *core)
{
    uint32_t n = 0;

    for (int i = 0; i < LW_FLOOD_ALARMS; i++)
        n += core->flood.raised[i] != NEVER &&
             core->flood.raised[i] > core->now - LW_FLOOD_TIME;
    return n;
}

/* Counts a raising: which one of a flood it is, or 0. */
static uint32_t
count_flood(struct lw_core *core)
{
    struct flood *f = &core->flood;
    uint32_t before = raised_lately(core);

    f->raised[f->next] = core->now;
    f->next = (f->next + 1) % LW_FLOOD_ALARMS;
    if (f->alarms > 0 && before >= LW_FLOOD_ALARMS / 2)
        f->alarms++;
    else
        f->alarms = before == LW_FLOOD_ALARMS ? LW_FLOOD_ALARMS + 1 : 0;
    return f->alarms;
}

static int32_t
subject_site(const struct lw_core *core, struct subject subject)
{
    switch (subject.kind) {
    case LW_SUBJECT_SITE:
        return subject.index;
    case LW_SUBJECT_GATEWAY:
        return LW_NONE;
    case LW_SUBJECT_POINT:
    case LW_SUBJECT_FEEDER:
        break;
    }
    return core->ledger->point[subject.index].site;
}

/* Of what is less than usual as well. */
static bool
doubled(int64_t now, int64_t before)
{
    return llabs(now) >= 2 * llabs(before) && llabs(now) > llabs(before);
}

static bool
material(const struct lw_alarm *alarm, enum lw_priority priority,
         const struct lw_evidence *evidence)
{
    const struct lw_evidence *before = &alarm->evidence;

    return priority > alarm->priority || evidence->finding != before->finding ||
           (doubled(evidence->excess_wh, before->excess_wh) &&
            (alarm->occurrences == 1 || alarm_is_largest(alarm, evidence))) ||
           (alarm->rule == LW_RULE_COVERAGE && evidence->detail != before->detail) ||
           evidence->detail2 != before->detail2;
}

static void
raise(struct lw_core *core, int32_t *slot, enum lw_rule_id rule, struct subject subject,
      enum lw_priority priority, const struct lw_evidence *evidence)
{
    bool feeder = subject.kind == LW_SUBJECT_POINT &&
                  core->ledger->point[subject.index].role == LW_FEEDER;
    struct lw_alarm *alarm = stand(core, slot);

    *alarm = (struct lw_alarm){
        .rule = (uint8_t)rule,
        .subject_kind = (uint8_t)(feeder ? LW_SUBJECT_FEEDER : subject.kind),
        .state = LW_ALARM_UNACKNOWLEDGED_ACTIVE,
        .priority = (uint8_t)priority,
        .subject = subject.index,
        .site = subject_site(core, subject),
        .revision = 1,
        .flood = count_flood(core),
        .onset = {core->now},
        .at = {core->now},
        .occurrences = 1,
        .returned = LW_WALL_MIN,
        .least_over_w = INT64_MAX,
        .evidence = *evidence,
    };
    seal_evidence(core, alarm);
    alarm_measure(alarm, evidence);
    identify(core, alarm);
    emit(core, LW_ALERT_RAISED, alarm);
}

static void
take_evidence(const struct lw_core *core, struct lw_alarm *alarm,
              const struct lw_evidence *evidence)
{
    alarm->evidence = *evidence;
    seal_evidence(core, alarm);
}

static void
revise(struct lw_core *core, enum lw_alert_kind kind, struct lw_alarm *alarm,
       const struct lw_evidence *evidence)
{
    if (evidence)
        take_evidence(core, alarm, evidence);
    alarm->at = (lw_wall){core->now};
    alarm->revision++;
    emit(core, kind, alarm);
}

void
alarm_tell(struct lw_core *core, struct lw_alarm *alarm)
{
    revise(core, LW_ALERT_UPDATED, alarm, NULL);
}

/* A shift comes every night, a truck every week; a wrong ratio shows whenever there is
 * load, and panels that are not in the ledger feed back each noon: the like of what has
 * been told is that alarm. Elsewhere each time is a matter of its own. */
static bool
is_remembered(const struct lw_alarm *alarm)
{
    if (alarm->evidence.finding == LW_FOUND_GONE ||
        alarm->evidence.finding == LW_FOUND_MOOT)
        return false;
    switch ((enum lw_rule_id)alarm->rule) {
    case LW_RULE_REGISTER_JUMP:
        return alarm->evidence.finding == LW_FOUND_REGISTER_OVER_RATING;
    case LW_RULE_STUCK_REGISTER:
    case LW_RULE_CT_REVERSAL:
    case LW_RULE_PHASE_LOSS:
    case LW_RULE_FEEDER_RESIDUAL:
    case LW_RULE_LICENCE_GAP:
    case LW_RULE_CLOSED_LOAD:
    case LW_RULE_NIGHT_LOAD:
    case LW_RULE_PRODUCTION_SHAPE:
    case LW_RULE_SLOW_CREEP:
    case LW_RULE_RE_EMERGENCE:
        return true;
    default:
        return false;
    }
}

bool
alarm_recall(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
             enum lw_priority priority, const struct lw_evidence *evidence)
{
    int32_t i = *slot_of(core, rule, subject);
    struct lw_alarm *alarm = i == LW_NONE ? NULL : &core->standing[i].alarm;

    if (!alarm || !alarm_has_returned(alarm) || !is_remembered(alarm) ||
        !alarm_is_alike(alarm, evidence, core->now))
        return false;
    alarm->returned = LW_WALL_MIN;
    act_forget(alarm);
    alarm->occurrences++;
    if (priority > alarm->priority)
        alarm->priority = (uint8_t)priority;
    revise(core, LW_ALERT_UPDATED, alarm, evidence);
    return true;
}

/* The first return is one; that of what came back is a revision. */
static void
come_to_rest(struct lw_core *core, struct lw_alarm *alarm,
             const struct lw_evidence *evidence)
{
    shelf_end(alarm);
    /* What people still have to acknowledge is theirs to keep. */
    alarm->state = alarm->state == LW_ALARM_UNACKNOWLEDGED_ACTIVE
                       ? LW_ALARM_RETURNED_UNACKNOWLEDGED
                       : LW_ALARM_NORMAL;
    revise(core, alarm->occurrences > 1 ? LW_ALERT_UPDATED : LW_ALERT_RETURNED, alarm,
           evidence);
    alarm->returned = (lw_wall){core->now};
    alarm_measure_energy(alarm);
}

void
alarm_set(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
          enum lw_priority priority, const struct lw_evidence *evidence)
{
    int32_t *slot = slot_of(core, rule, subject);
    struct lw_alarm *alarm;
    bool broken, told;
    int64_t age;

    if (alarm_recall(core, rule, subject, priority, evidence))
        return;
    alarm = *slot == LW_NONE ? NULL : &core->standing[*slot].alarm;
    if (alarm && alarm->occurrences > 1 && !alarm_has_returned(alarm) &&
        alarm_has_outgrown(alarm, evidence)) {
        struct lw_evidence last = alarm->evidence;

        last.finding = LW_FOUND_OUTGROWN;
        come_to_rest(core, alarm, &last);
    }
    if (alarm && alarm_has_returned(alarm)) {
        fall(core, slot);
        alarm = NULL;
    }
    if (!alarm) {
        raise(core, slot, rule, subject, priority, evidence);
        return;
    }
    if (alarm->occurrences == 1)
        alarm_measure(alarm, evidence);
    age = core->now - alarm->at.ms;
    broken = alarm->state == LW_ALARM_SHELVED && shelf_broken(alarm, priority, evidence);
    told = alarm->state != LW_ALARM_SHELVED && age >= UPDATE_LEAST &&
           material(alarm, priority, evidence);
    if (broken)
        shelf_end(alarm);
    if (broken || told || age >= UPDATE_MOST) {
        alarm->priority =
            (uint8_t)(priority > alarm->priority ? priority : alarm->priority);
        revise(core, LW_ALERT_UPDATED, alarm, evidence);
    } else if (alarm->state == LW_ALARM_SHELVED) {
        take_evidence(core, alarm, evidence); /* told when the shelf ends */
    }
}

void
alarm_return(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
             const struct lw_evidence *evidence)
{
    int32_t *slot = slot_of(core, rule, subject);
    struct lw_alarm *alarm = *slot == LW_NONE ? NULL : &core->standing[*slot].alarm;

    if (!alarm || alarm_has_returned(alarm))
        return;
    come_to_rest(core, alarm, evidence);
    if (!is_remembered(alarm) && alarm->state != LW_ALARM_RETURNED_UNACKNOWLEDGED)
        fall(core, slot);
}

/* It ends, and is not remembered either. */
static void
end_as(struct lw_core *core, enum lw_rule_id rule, struct subject subject,
       enum lw_finding finding)
{
    const struct lw_alarm *alarm = alarm_of(core, rule, subject);
    int32_t *slot = slot_of(core, rule, subject);
    struct lw_evidence evidence;

    if (!alarm && *slot != LW_NONE) /* whoever has to acknowledge it still may */
        core->standing[*slot].alarm.evidence.finding = (uint8_t)finding;
    if (!alarm)
        return;
    evidence = alarm->evidence;
    evidence.finding = (uint8_t)finding;
    alarm_return(core, rule, subject, &evidence);
}

void
alarm_gone(struct lw_core *core, enum lw_rule_id rule, struct subject subject)
{
    end_as(core, rule, subject, LW_FOUND_GONE);
}

void
alarm_moot(struct lw_core *core, enum lw_rule_id rule, struct subject subject)
{
    end_as(core, rule, subject, LW_FOUND_MOOT);
}

int64_t
alarm_remind(struct lw_core *core)
{
    int64_t next = INT64_MAX;
    int64_t hour = core->now + LW_HOUR;

    int32_t after;

    for (int32_t i = core->first_standing; i != LW_NONE; i = after) {
        struct lw_alarm *alarm = &core->standing[i].alarm;
        struct subject subject = {(enum lw_subject_kind)alarm->subject_kind,
                                  alarm->subject};

        after = core->standing[i].next;
        if (alarm_has_returned(alarm)) {
            if (core->now - alarm->returned.ms > KEPT_FOR)
                fall(core, slot_of(core, (enum lw_rule_id)alarm->rule, subject));
            continue;
        }
        if (core->now - alarm->at.ms >= REMIND_AFTER)
            alarm_tell(core, alarm);
        if (alarm->at.ms + REMIND_AFTER < next)
            next = alarm->at.ms + REMIND_AFTER;
    }
    return next > hour ? next : hour;
}

/* By what the site is: where nothing may run, where people could be underground. */
enum lw_priority
alarm_site_priority(const struct lw_core *core, int32_t site)
{
    if (site == LW_NONE)
        return LW_PRIORITY_LOW;
    switch (lw_site_status_at(&core->ledger->site[site], (lw_wall){core->now})) {
    case LW_CLOSED:
    case LW_UNLICENSED:
    case LW_CUT_OFF:
        return LW_PRIORITY_HIGH;
    case LW_SUSPENDED:
    case LW_MAINTENANCE:
    case LW_RELOCATING:
    case LW_STATUS_UNKNOWN:
        return LW_PRIORITY_MEDIUM;
    case LW_LICENSED:
        break;
    }
    return LW_PRIORITY_LOW;
}
