/* The core's state in a checkpoint: one table a kind of state. Written in a forked child:
 * nothing is allocated. */
#include <string.h>

#include "core_fields.h"

/* The logs of the sites that learn, in order of their sites. */
static void
save_logs(const struct lw_core *core, struct lw_packer *p)
{
    uint64_t n = 0;

    for (int32_t i = 0; i < core->ledger->nsites; i++)
        n += reference_log(core, &core->site[i].reference) != NULL;
    lw_pack_table_head(p, "logs", log_fields.of, log_fields.n, n);
    for (int32_t i = 0; i < core->ledger->nsites; i++) {
        const struct hour_log *log = reference_log(core, &core->site[i].reference);

        if (log)
            lw_pack_row(p, log_fields.of, log_fields.n, log);
    }
}

int
lw_core_save(const struct lw_core *core, struct lw_packer *p)
{
    const struct lw_ledger *l = core->ledger;
    struct timer timer;

    lw_pack_table(p, "core", core_fields.of, core_fields.n, core, sizeof *core, 1);
    lw_pack_table(p, "meters", meter_fields.of, meter_fields.n, core->meter,
                  sizeof *core->meter, (size_t)l->nmeters);
    lw_pack_table(p, "sites", site_fields.of, site_fields.n, core->site,
                  sizeof *core->site, (size_t)l->nsites);
    save_logs(core, p);
    lw_pack_table(p, "profiles", profile_fields.of, profile_fields.n, core->profile,
                  sizeof *core->profile, (size_t)core->nprofiles);
    lw_pack_table(p, "gateways", gateway_fields.of, gateway_fields.n, core->gateway,
                  sizeof *core->gateway, (size_t)l->ngateways);
    lw_pack_table(p, "weather", weather_fields.of, weather_fields.n, core->weather,
                  sizeof *core->weather, (size_t)core->nweather);
    feeder_save(core, p);
    lw_pack_table_head(p, "alarms", alarm_fields.of, alarm_fields.n,
                       (uint64_t)core->nlisted);
    for (int32_t i = core->first_standing; i != LW_NONE; i = core->standing[i].next)
        lw_pack_row(p, alarm_fields.of, alarm_fields.n, &core->standing[i].alarm);
    lw_pack_table_head(p, "timers", timer_fields.of, timer_fields.n,
                       (uint64_t)lw_due_count(core->timers));
    for (timer.key = 0; timer.key < core_ntimers(core); timer.key++)
        if (lw_due_get(core->timers, timer.key, &timer.at))
            lw_pack_row(p, timer_fields.of, timer_fields.n, &timer);
    return p->rc;
}

/* --- reading it back */

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
load_alarm(struct lw_core *core, const struct lw_alarm *alarm)
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

static int
load_alarms(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    int rc = 0;

    for (uint64_t i = 0; i < head->count && rc == 0 && u->rc == 0; i++) {
        struct lw_alarm alarm = {.returned = LW_WALL_MIN};

        lw_unpack_row(u, head, alarm_fields.of, alarm_fields.n, &alarm);
        rc = load_alarm(core, &alarm);
    }
    return rc;
}

static int
load_timers(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    for (uint64_t i = 0; i < head->count && u->rc == 0; i++) {
        struct timer timer = {0};

        lw_unpack_row(u, head, timer_fields.of, timer_fields.n, &timer);
        if (timer.key < 0 || timer.key >= core_ntimers(core))
            return LW_EPARSE;
        lw_due_set(core->timers, timer.key, timer.at);
    }
    return 0;
}

/* The rows of an array that the ledger has given its length. */
static int
load_array(struct lw_unpacker *u, const struct lw_table_head *head,
           const struct fields *fields, void *rows, size_t stride, int32_t n)
{
    if (head->count != (uint64_t)n)
        return LW_EPARSE;
    for (int32_t i = 0; i < n; i++)
        lw_unpack_row(u, head, fields->of, fields->n, (char *)rows + (size_t)i * stride);
    return 0;
}

/* What indexes an array is within it. Whoever learns has a log: load_table fills it. */
static int
load_sites(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    int32_t n = core->ledger->nsites;
    int rc = load_array(u, head, &site_fields, core->site, sizeof *core->site, n);

    core->nlogs = 0;
    for (int32_t i = 0; i < n && rc == 0; i++) {
        struct site_state *s = &core->site[i];

        s->reference.log = LW_NONE;
        if (s->reference.since != NEVER && s->reference.frozen == NEVER)
            reference_open(core, &s->reference);
        if (!reference_sound(&s->reference) || s->excess.channel >= CHANNELS ||
            s->excess.rule >= LW_RULES || s->excess.finding >= LW_FINDINGS ||
            (s->excess.run.from != NEVER &&
             !alarm_speaks((enum lw_rule_id)s->excess.rule, LW_SUBJECT_SITE)))
            rc = LW_EPARSE;
    }
    if (rc == 0)
        peers_count(core);
    return rc;
}

static int
load_weather(struct lw_core *core, struct lw_unpacker *u,
             const struct lw_table_head *head)
{
    int rc = load_array(u, head, &weather_fields, core->weather, sizeof *core->weather,
                        core->nweather);

    for (int32_t i = 0; i < core->nweather && rc == 0; i++)
        if (!weather_sound(&core->weather[i]))
            rc = LW_EPARSE;
    if (rc == 0)
        weather_choose(core);
    return rc;
}

static int
load_table(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    const struct lw_ledger *l = core->ledger;
    int rc;

    if (strcmp(head->name, "core") == 0) {
        rc = load_array(u, head, &core_fields, core, sizeof *core, 1);

        return rc == 0 && (core->covered < 0 || core->covered > l->nsites ||
                           core->flood.next >= LW_FLOOD_ALARMS)
                   ? LW_EPARSE
                   : rc;
    }
    if (strcmp(head->name, "meters") == 0)
        return load_array(u, head, &meter_fields, core->meter, sizeof *core->meter,
                          l->nmeters);
    if (strcmp(head->name, "sites") == 0)
        return load_sites(core, u, head);
    if (strcmp(head->name, "logs") == 0)
        return load_array(u, head, &log_fields, core->log, sizeof *core->log,
                          core->nlogs);
    /* A release that watches other sites learns anew. */
    if (strcmp(head->name, "profiles") == 0 && head->count == (uint64_t)core->nprofiles)
        return load_array(u, head, &profile_fields, core->profile, sizeof *core->profile,
                          core->nprofiles);
    if (strcmp(head->name, "weather") == 0)
        return load_weather(core, u, head);
    if (strcmp(head->name, "gateways") == 0)
        return load_array(u, head, &gateway_fields, core->gateway, sizeof *core->gateway,
                          l->ngateways);
    if (strcmp(head->name, "alarms") == 0)
        return load_alarms(core, u, head);
    if (strcmp(head->name, "timers") == 0)
        return load_timers(core, u, head);
    rc = feeder_load(core, u, head);
    if (rc != LW_ENOTFOUND)
        return rc;
    lw_unpack_skip_rows(u, head);
    return 0;
}

int
lw_core_load(const struct lw_ledger *ledger, const struct lw_rules *rules,
             const void *data, size_t n, struct lw_core **ret_core)
{
    struct lw_core *core = NULL;
    struct lw_unpacker u;
    struct lw_table_head head;
    int rc = lw_core_new(ledger, rules, NULL, &core);

    lw_unpack_init(&u, data, n);
    while (rc == 0 && u.at < u.n) {
        rc = lw_unpack_table(&u, &head);
        if (rc == 0)
            rc = load_table(core, &u, &head);
        if (rc == 0)
            rc = u.rc;
    }
    if (rc == 0)
        *ret_core = core;
    else
        lw_core_free(core);
    return rc;
}
