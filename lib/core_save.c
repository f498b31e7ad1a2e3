/* The core's state in a checkpoint: one table a kind of state, each field by name, so
 * that the next release can read it. Written in a forked child: nothing is allocated. */
#include <string.h>

#include "lib/state.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define RAISED(i) LW_FIELD(struct lw_core, flood.raised[i])

static const struct lw_field CORE[] = {
    LW_FIELD(struct lw_core, now),
    LW_FIELD(struct lw_core, starting),
    LW_FIELD(struct lw_core, covered),
    RAISED(0),
    RAISED(1),
    RAISED(2),
    RAISED(3),
    RAISED(4),
    RAISED(5),
    RAISED(6),
    RAISED(7),
    RAISED(8),
    RAISED(9),
    LW_FIELD(struct lw_core, flood.next),
    LW_FIELD(struct lw_core, flood.alarms),
};
_Static_assert(LW_FLOOD_ALARMS == 10, "each time is a field of the checkpoint");

#define MARK(i)                                                                          \
    LW_FIELD(struct meter_state, mark[i].at), LW_FIELD(struct meter_state, mark[i].wh)

#define PHASE(i)                                                                         \
    LW_FIELD(struct meter_state, wiring.voltage[i]),                                     \
        LW_FIELD(struct meter_state, wiring.share[i])

static const struct lw_field METER[] = {
    LW_FIELD(struct meter_state, newest),
    LW_FIELD(struct meter_state, heard),
    LW_FIELD(struct meter_state, back),
    LW_FIELD(struct meter_state, reg.at),
    LW_FIELD(struct meter_state, reg.wh),
    LW_FIELD(struct meter_state, reg.odd_at),
    LW_FIELD(struct meter_state, reg.odd_wh),
    LW_FIELD(struct meter_state, total_wh),
    LW_FIELD(struct meter_state, power_w),
    LW_FIELD(struct meter_state, moved),
    LW_FIELD(struct meter_state, due_mwh),
    LW_FIELD(struct meter_state, power_at),
    LW_FIELD(struct meter_state, promised_w),
    LW_FIELD(struct meter_state, jump_at),
    LW_FIELD(struct meter_state, stuck_at),
    LW_FIELD(struct meter_state, step_wh),
    LW_FIELD(struct meter_state, modulus_wh),
    LW_FIELD(struct meter_state, most_w),
    LW_FIELD(struct meter_state, serial),
    LW_FIELD(struct meter_state, reg.odd_w),
    LW_FIELD(struct meter_state, reg.carries_w),
    LW_FIELD(struct meter_state, reg.odd_n),
    LW_FIELD(struct meter_state, reg.odd_broken),
    LW_FIELD(struct meter_state, due_since),
    LW_FIELD(struct meter_state, stood_most),
    LW_FIELD(struct meter_state, mute),
    LW_FIELD(struct meter_state, same),
    LW_FIELD(struct meter_state, export_wh),
    LW_FIELD(struct meter_state, reversed),
    LW_FIELD(struct meter_state, reversed_seen),
    LW_FIELD(struct meter_state, reversed_at),
    LW_FIELD(struct meter_state, phase_lost),
    LW_FIELD(struct meter_state, phase_at),
    LW_FIELD(struct meter_state, returned),
    PHASE(0),
    PHASE(1),
    PHASE(2),
    LW_FIELD(struct meter_state, wiring.current),
    LW_FIELD(struct meter_state, wiring.power),
    LW_FIELD(struct meter_state, wiring.n),
    LW_FIELD(struct meter_state, sum.ms),
    LW_FIELD(struct meter_state, sum.register_wh),
    LW_FIELD(struct meter_state, sum.power_mwh),
    LW_FIELD(struct meter_state, sum.slack_mwh),
    LW_FIELD(struct meter_state, values),
    LW_FIELD(struct meter_state, powers),
    LW_FIELD(struct meter_state, moves),
    LW_FIELD(struct meter_state, grain_wh),
    LW_FIELD(struct meter_state, flaps),
    LW_FIELD(struct meter_state, same_n),
    LW_FIELD(struct meter_state, odd),
    LW_FIELD(struct meter_state, drifts),
    LW_FIELD(struct meter_state, failures),
    LW_FIELD(struct meter_state, silent),
    LW_FIELD(struct meter_state, exchanged),
    LW_FIELD_RAW(struct meter_state, seal), /* as this machine has it: it is read here */
    MARK(0),
    MARK(1),
    MARK(2),
    MARK(3),
};
_Static_assert(BOUNDARIES == 4, "each boundary is a field of the checkpoint");

#define RUN(run)                                                                         \
    LW_FIELD(struct site_state, run.from), LW_FIELD(struct site_state, run.to),          \
        LW_FIELD(struct site_state, run.energy_wh),                                      \
        LW_FIELD(struct site_state, run.allowed_wh),                                     \
        LW_FIELD(struct site_state, run.excess_wh),                                      \
        LW_FIELD(struct site_state, run.peak_w),                                         \
        LW_FIELD(struct site_state, run.over_wh),                                        \
        LW_FIELD(struct site_state, run.spare_wh),                                       \
        LW_FIELD(struct site_state, run.clear_ms),                                       \
        LW_FIELD(struct site_state, run.night_ms),                                       \
        LW_FIELD(struct site_state, run.samples_good)

#define DRAWN(drawn)                                                                     \
    LW_FIELD(struct site_state, drawn.from), LW_FIELD(struct site_state, drawn.wh),      \
        LW_FIELD(struct site_state, drawn.peak_w),                                       \
        LW_FIELD(struct site_state, drawn.samples_good)

static const struct lw_field SITE[] = {
    LW_FIELD(struct site_state, closed),
    LW_FIELD(struct site_state, last_from),
    LW_FIELD(struct site_state, last_to),
    LW_FIELD(struct site_state, last_wh),
    LW_FIELD(struct site_state, last_allowed_wh),
    LW_FIELD(struct site_state, ngood),
    RUN(load),
    RUN(production),
    RUN(demand),
    LW_FIELD(struct site_state, output.number),
    DRAWN(output.month),
    DRAWN(output.year),
    LW_FIELD(struct site_state, share.ms),
    LW_FIELD(struct site_state, share.wh),
    LW_FIELD(struct site_state, share.allowed_wh),
    LW_FIELD(struct site_state, share.peak_w),
    LW_FIELD(struct site_state, share.windows),
    RUN(dark),
    /* "reference" had its log within it, which is a row of "logs" now. */
    {"learned", offsetof(struct site_state, reference), sizeof(struct reference), true},
    RUN(excess.run),
    LW_FIELD(struct site_state, excess.doubt),
    LW_FIELD(struct site_state, excess.quiet_ms),
    LW_FIELD(struct site_state, excess.within_ms),
    LW_FIELD(struct site_state, excess.confidence_milli),
    LW_FIELD(struct site_state, excess.since_wh),
    LW_FIELD(struct site_state, excess.low_w),
    LW_FIELD(struct site_state, excess.rule),
    LW_FIELD(struct site_state, excess.channel),
    LW_FIELD(struct site_state, excess.finding),
};

/* Whole weeks and days as this machine has them, like the hash. */
static const struct lw_field USUAL[] = {
    LW_FIELD_RAW(struct profile, cell),      LW_FIELD_RAW(struct profile, weeks),
    LW_FIELD(struct profile, week_wh),       LW_FIELD(struct profile, from),
    LW_FIELD(struct profile, hour),          LW_FIELD(struct profile, part),
    LW_FIELD(struct profile, part_ms),       LW_FIELD(struct profile, part_wh),
    LW_FIELD_RAW(struct profile, day),       LW_FIELD_RAW(struct profile, level),
    LW_FIELD_RAW(struct profile, spread),    LW_FIELD_RAW(struct profile, extreme),
    LW_FIELD_RAW(struct profile, yesterday), LW_FIELD_RAW(struct profile, today),
    LW_FIELD(struct profile, judged),        LW_FIELD(struct profile, clear),
};

static const struct lw_field LOG[] = {
    LW_FIELD_RAW(struct hour_log, hour),      LW_FIELD_RAW(struct hour_log, pump_n),
    LW_FIELD_RAW(struct hour_log, pump_mean), LW_FIELD_RAW(struct hour_log, pump_sq),
    LW_FIELD_RAW(struct hour_log, pump_day),  LW_FIELD_RAW(struct hour_log, heard),
    LW_FIELD_RAW(struct hour_log, jumps),     LW_FIELD_RAW(struct hour_log, jump_sum),
    LW_FIELD_RAW(struct hour_log, before_kw),
};

static const struct lw_field GATEWAY[] = {
    LW_FIELD(struct gateway_state, heard),
    LW_FIELD(struct gateway_state, back),
    LW_FIELD(struct gateway_state, overran),
    LW_FIELD(struct gateway_state, overran_from),
    LW_FIELD(struct gateway_state, overruns),
    LW_FIELD(struct gateway_state, returned),
    LW_FIELD(struct gateway_state, flaps),
};

#define VOTE(i)                                                                          \
    LW_FIELD(struct weather, vote[i].day), LW_FIELD(struct weather, vote[i].judged),     \
        LW_FIELD(struct weather, vote[i].over)

static const struct lw_field WEATHER[] = {
    LW_FIELD(struct weather, hour),
    LW_FIELD_RAW(struct weather, cold),
    LW_FIELD(struct weather, coldest),
    LW_FIELD(struct weather, rain.at),
    LW_FIELD_RAW(struct weather, rain.day),
    LW_FIELD(struct weather, level.at),
    LW_FIELD_RAW(struct weather, level.day),
    VOTE(0),
    VOTE(1),
};

struct timer {
    int32_t key;
    int64_t at;
};

static const struct lw_field TIMER[] = {
    LW_FIELD(struct timer, key),
    LW_FIELD(struct timer, at),
};

/* The logs of the sites that learn, in order of their sites. */
static void
save_logs(const struct lw_core *core, struct lw_packer *p)
{
    uint64_t n = 0;

    for (int32_t i = 0; i < core->ledger->nsites; i++)
        n += reference_log(core, &core->site[i].reference) != NULL;
    lw_pack_table_head(p, "logs", LOG, N(LOG), n);
    for (int32_t i = 0; i < core->ledger->nsites; i++) {
        const struct hour_log *log = reference_log(core, &core->site[i].reference);

        if (log)
            lw_pack_row(p, LOG, N(LOG), log);
    }
}

int
lw_core_save(const struct lw_core *core, struct lw_packer *p)
{
    const struct lw_ledger *l = core->ledger;
    struct timer timer;

    lw_pack_table(p, "core", CORE, N(CORE), core, sizeof *core, 1);
    lw_pack_table(p, "meters", METER, N(METER), core->meter, sizeof *core->meter,
                  (size_t)l->nmeters);
    lw_pack_table(p, "sites", SITE, N(SITE), core->site, sizeof *core->site,
                  (size_t)l->nsites);
    save_logs(core, p);
    lw_pack_table(p, "profiles", USUAL, N(USUAL), core->profile, sizeof *core->profile,
                  (size_t)core->nprofiles);
    lw_pack_table(p, "gateways", GATEWAY, N(GATEWAY), core->gateway,
                  sizeof *core->gateway, (size_t)l->ngateways);
    lw_pack_table(p, "weather", WEATHER, N(WEATHER), core->weather, sizeof *core->weather,
                  (size_t)core->nweather);
    feeder_save(core, p);
    alarm_save(core, p);
    lw_pack_table_head(p, "timers", TIMER, N(TIMER),
                       (uint64_t)lw_due_count(core->timers));
    for (timer.key = 0; timer.key < core_ntimers(core); timer.key++)
        if (lw_due_get(core->timers, timer.key, &timer.at))
            lw_pack_row(p, TIMER, N(TIMER), &timer);
    return p->rc;
}

/* --- reading it back */

static int
load_timers(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    for (uint64_t i = 0; i < head->count && u->rc == 0; i++) {
        struct timer timer = {0};

        lw_unpack_row(u, head, TIMER, N(TIMER), &timer);
        if (timer.key < 0 || timer.key >= core_ntimers(core))
            return LW_EPARSE;
        lw_due_set(core->timers, timer.key, timer.at);
    }
    return 0;
}

/* The rows of an array that the ledger has given its length. */
static int
load_array(struct lw_unpacker *u, const struct lw_table_head *head,
           const struct lw_field *fields, size_t nfields, void *rows, size_t stride,
           int32_t n)
{
    if (head->count != (uint64_t)n)
        return LW_EPARSE;
    for (int32_t i = 0; i < n; i++)
        lw_unpack_row(u, head, fields, nfields, (char *)rows + (size_t)i * stride);
    return 0;
}

/* What indexes an array is within it. Whoever learns has a log: load_table fills it. */
static int
load_sites(struct lw_core *core, struct lw_unpacker *u, const struct lw_table_head *head)
{
    int32_t n = core->ledger->nsites;
    int rc = load_array(u, head, SITE, N(SITE), core->site, sizeof *core->site, n);

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
    int rc = load_array(u, head, WEATHER, N(WEATHER), core->weather,
                        sizeof *core->weather, core->nweather);

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
        rc = load_array(u, head, CORE, N(CORE), core, sizeof *core, 1);

        return rc == 0 && (core->covered < 0 || core->covered > l->nsites ||
                           core->flood.next >= LW_FLOOD_ALARMS)
                   ? LW_EPARSE
                   : rc;
    }
    if (strcmp(head->name, "meters") == 0)
        return load_array(u, head, METER, N(METER), core->meter, sizeof *core->meter,
                          l->nmeters);
    if (strcmp(head->name, "sites") == 0)
        return load_sites(core, u, head);
    if (strcmp(head->name, "logs") == 0)
        return load_array(u, head, LOG, N(LOG), core->log, sizeof *core->log,
                          core->nlogs);
    /* A release that watches other sites learns anew. */
    if (strcmp(head->name, "profiles") == 0 && head->count == (uint64_t)core->nprofiles)
        return load_array(u, head, USUAL, N(USUAL), core->profile, sizeof *core->profile,
                          core->nprofiles);
    if (strcmp(head->name, "weather") == 0)
        return load_weather(core, u, head);
    if (strcmp(head->name, "gateways") == 0)
        return load_array(u, head, GATEWAY, N(GATEWAY), core->gateway,
                          sizeof *core->gateway, l->ngateways);
    if (strcmp(head->name, "alarms") == 0)
        return alarm_load(core, u, head);
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
