/* Making a core: empty, or with what an older one knew about what is still in the ledger.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/state.h"

static void
init_meter(struct meter_state *m)
{
    *m = (struct meter_state){.newest = NEVER,
                              .heard = NEVER,
                              .back = NEVER,
                              .power_w = LW_NOT_GIVEN,
                              .moved = NEVER,
                              .power_at = NEVER,
                              .jump_at = NEVER,
                              .stuck_at = NEVER,
                              .mute = NEVER,
                              .same = NEVER,
                              .export_wh = LW_NOT_GIVEN,
                              .reversed = NEVER,
                              .reversed_seen = NEVER,
                              .reversed_at = NEVER,
                              .phase_lost = NEVER,
                              .phase_at = NEVER,
                              .returned = NEVER};
    lw_register_init(&m->reg);
    seal_init(&m->seal);
    for (int i = 0; i < BOUNDARIES; i++)
        m->mark[i].at = NEVER;
}

static void
init_site(struct site_state *s)
{
    *s = (struct site_state){.closed = NEVER, .last_from = NEVER, .profile = LW_NONE};
    s->load.run.from = NEVER;
    s->production.run.from = NEVER;
    s->demand.run.from = NEVER;
    s->dark.run.from = NEVER;
    s->excess.run.from = NEVER;
    reference_init(&s->reference);
}

/* The balance's grid: the quarter hour of the trade, or the interval of the slowest of
 * the site's points, as its newest meter is read. A finer one would take a crusher's
 * pauses for its end. */
static int64_t
site_interval(const struct lw_ledger *ledger, const struct lw_site *site)
{
    int64_t interval = 15 * LW_MINUTE;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        const struct lw_metering_point *point = &ledger->point[p];

        if ((point->role != LW_SUPPLY && point->role != LW_SUB) || point->meter_n == 0)
            continue;
        int32_t m = point->meter_first + point->meter_n - 1;
        if (ledger->meter[m].interval_s * LW_SECOND > interval)
            interval = ledger->meter[m].interval_s * LW_SECOND;
    }
    return interval;
}

/* The unit in which a site's reference is logged in 16 bits: the most that its meters can
 * carry is 30,000 of it. */
static int32_t
site_unit(const struct lw_ledger *ledger, const struct lw_site *site)
{
    int64_t most = 0;

    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        const struct lw_metering_point *point = &ledger->point[p];

        if (point->role == LW_SUPPLY && point->meter_n > 0 &&
            ledger->meter[point->meter_first + point->meter_n - 1].rated_w !=
                LW_NOT_GIVEN)
            most += ledger->meter[point->meter_first + point->meter_n - 1].rated_w;
    }
    if (most == 0)
        most = site->contract_w == LW_NOT_GIVEN ? 1000000 : site->contract_w;
    most = most / 25000 + 1;
    return most > 1000000 ? 1000000 : (int32_t)most;
}

/* The meters in order of their gateway. */
static void
index_gateways(struct lw_core *core)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t *first = core->gateway_first;
    int32_t n = 0;

    for (int32_t m = 0; m < ledger->nmeters; m++)
        if (ledger->meter[m].gateway != LW_NONE)
            first[ledger->meter[m].gateway]++;
    for (int32_t g = 0; g <= ledger->ngateways; g++) {
        n += first[g];
        first[g] = n; /* the end of g; filling brings it down to the beginning */
    }
    for (int32_t m = ledger->nmeters - 1; m >= 0; m--)
        if (ledger->meter[m].gateway != LW_NONE)
            core->gateway_meters[--first[ledger->meter[m].gateway]] = m;
}

static bool
is_context(const struct lw_ledger *ledger, int32_t point)
{
    return ledger->point[point].role == LW_CONTEXT;
}

static int32_t
count_weather(const struct lw_ledger *ledger)
{
    int32_t n = 0;

    for (int32_t p = 0; p < ledger->npoints; p++)
        n += is_context(ledger, p);
    return n;
}

/* A site hears its own context instrument, or else the first one of no site. */
static void
index_weather(struct lw_core *core)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t n = 0;

    for (int32_t p = 0; p < ledger->npoints; p++)
        if (is_context(ledger, p))
            weather_init(&core->weather[n++], p);
    weather_choose(core);
}

static void *
array(int32_t n, size_t size)
{
    return calloc(n > 0 ? (size_t)n : 1, size);
}

static struct lw_core *
empty_core(const struct lw_ledger *ledger, const struct lw_rules *rules)
{
    struct lw_core *core = calloc(1, sizeof *core);

    if (!core)
        return NULL;
    core->ledger = ledger;
    core->book = rules;
    core->now = NEVER;
    core->starting = true;
    core->first_standing = core->last_standing = core->first_free = LW_NONE;
    alarm_layout(core);
    core->meter = array(ledger->nmeters, sizeof *core->meter);
    core->site = array(ledger->nsites, sizeof *core->site);
    for (int32_t i = 0; i < ledger->nsites; i++)
        core->nprofiles += unusual_concerns(&ledger->site[i]);
    core->profile = array(core->nprofiles, sizeof *core->profile);
    core->log = array(ledger->nsites, sizeof *core->log);
    core->gateway = array(ledger->ngateways, sizeof *core->gateway);
    core->gateway_meters = array(ledger->nmeters, sizeof *core->gateway_meters);
    core->gateway_first = array(ledger->ngateways + 1, sizeof *core->gateway_first);
    core->nweather = count_weather(ledger);
    core->weather = array(core->nweather, sizeof *core->weather);
    core->ears = array(ledger->nsites, sizeof *core->ears);
    core->answered = array(ledger->nareas + ledger->nsites, sizeof *core->answered);
    core->slot = array(core->nslots, sizeof *core->slot);
    core->standing = array(core->nslots, sizeof *core->standing);
    if (!core->meter || !core->site || !core->profile || !core->log || !core->gateway ||
        !core->gateway_meters || !core->gateway_first || !core->weather || !core->ears ||
        !core->answered || !core->slot || !core->standing || feeder_layout(core) < 0 ||
        lw_due_new(core_ntimers(core), &core->timers) < 0) {
        lw_core_free(core);
        return NULL;
    }
    for (int i = 0; i < LW_FLOOD_ALARMS; i++)
        core->flood.raised[i] = NEVER;
    for (int32_t i = 0; i < core->nslots; i++)
        core->slot[i] = LW_NONE;
    for (int32_t i = 0; i < ledger->nmeters; i++)
        init_meter(&core->meter[i]);
    for (int32_t i = 0, n = 0; i < ledger->nsites; i++) {
        init_site(&core->site[i]);
        core->site[i].interval = site_interval(ledger, &ledger->site[i]);
        if (unusual_concerns(&ledger->site[i])) {
            unusual_init(&core->profile[n]);
            core->site[i].profile = n++;
        }
        core->site[i].reference.unit_w = site_unit(ledger, &ledger->site[i]);
    }
    for (int32_t i = 0; i < ledger->ngateways; i++)
        core->gateway[i] = (struct gateway_state){.heard = NEVER,
                                                  .back = NEVER,
                                                  .returned = NEVER,
                                                  .overran = NEVER,
                                                  .overran_from = NEVER};
    index_gateways(core);
    index_weather(core);
    for (int32_t i = 0; i < ledger->ncontacts; i++) {
        if (ledger->contact[i].site != LW_NONE)
            core->answered[ledger->nareas + ledger->contact[i].site] = true;
        else if (ledger->contact[i].area != LW_NONE)
            core->answered[ledger->contact[i].area] = true;
    }
    return core;
}

/* The row of the new ledger that is this row of the old one. */
static int32_t
same_meter(const struct lw_ledger *ledger, const struct lw_meter *was,
           const struct lw_metering_point *point)
{
    int32_t m = lw_ledger_meter(ledger, was->id, strlen(was->id), was->installed);

    if (m == LW_NONE || ledger->meter[m].installed.ms != was->installed.ms ||
        strcmp(ledger->point[ledger->meter[m].point].id, point->id) != 0)
        return LW_NONE;
    return m;
}

int32_t
core_same_meter(const struct lw_core *core, const struct lw_core *old, int32_t meter)
{
    const struct lw_meter *was = &old->ledger->meter[meter];

    return same_meter(core->ledger, was, &old->ledger->point[was->point]);
}

static int32_t
same_subject(const struct lw_core *core, const struct lw_ledger *was,
             const struct lw_alarm *alarm)
{
    switch ((enum lw_subject_kind)alarm->subject_kind) {
    case LW_SUBJECT_SITE:
        return lw_ledger_site(core->ledger, was->site[alarm->subject].id);
    case LW_SUBJECT_GATEWAY:
        return lw_ledger_gateway(core->ledger, was->gateway[alarm->subject].id);
    case LW_SUBJECT_POINT:
    case LW_SUBJECT_FEEDER:
        break;
    }
    return lw_ledger_point(core->ledger, was->point[alarm->subject].id);
}

/* Points and sites that the evidence names, as 1 + index; 0: it is gone. */
static void
take_evidence(const struct lw_core *core, const struct lw_core *old,
              struct lw_evidence *e)
{
    for (int i = 0; i < LW_SILENT_NAMED; i++)
        if (e->silent[i] > 0)
            e->silent[i] = 1 + lw_ledger_point(core->ledger,
                                               old->ledger->point[e->silent[i] - 1].id);
    if (e->other > 0)
        e->other = 1 + lw_ledger_site(core->ledger, old->ledger->site[e->other - 1].id);
}

static void
take_alarms(struct lw_core *core, const struct lw_core *old)
{
    for (int32_t i = old->first_standing; i != LW_NONE; i = old->standing[i].next) {
        struct lw_alarm alarm = old->standing[i].alarm;
        int32_t subject = same_subject(core, old->ledger, &alarm);

        if (subject == LW_NONE)
            continue;
        alarm.subject = subject;
        alarm.site = alarm.site == LW_NONE
                         ? LW_NONE
                         : lw_ledger_site(core->ledger, old->ledger->site[alarm.site].id);
        take_evidence(core, old, &alarm.evidence);
        alarm_take(core, &alarm);
    }
}

/* What the old core knew about what is still in the ledger. */
static void
take_over(struct lw_core *core, const struct lw_core *old)
{
    const struct lw_ledger *ledger = core->ledger, *was = old->ledger;

    core->now = old->now;
    core->flood = old->flood;
    for (int32_t i = 0; i < was->nmeters; i++) {
        int32_t m = core_same_meter(core, old, i);

        if (m != LW_NONE)
            core->meter[m] = old->meter[i];
    }
    for (int32_t i = 0; i < was->nsites; i++) {
        int32_t s = lw_ledger_site(ledger, was->site[i].id);

        /* Another grid: the balance begins anew. What stands is looked after until it has
         * ended. */
        if (s != LW_NONE)
            core->site[s].excess = old->site[i].excess;
        if (s != LW_NONE && core->site[s].interval == old->site[i].interval) {
            const struct hour_log *log = reference_log(old, &old->site[i].reference);
            int32_t profile = core->site[s].profile;

            core->site[s] = old->site[i];
            core->site[s].profile = profile;
            core->site[s].reference.log = LW_NONE;
            if (log) {
                reference_open(core, &core->site[s].reference);
                *reference_log(core, &core->site[s].reference) = *log;
            }
            if (profile != LW_NONE && old->site[i].profile != LW_NONE)
                core->profile[profile] = old->profile[old->site[i].profile];
        }
    }
    for (int32_t i = 0; i < was->ngateways; i++) {
        int32_t g = lw_ledger_gateway(ledger, was->gateway[i].id);

        if (g != LW_NONE)
            core->gateway[g] = old->gateway[i];
    }
    for (int32_t i = 0; i < old->nweather; i++) {
        int32_t p = lw_ledger_point(ledger, was->point[old->weather[i].point].id);
        struct weather *next = p == LW_NONE ? NULL : core_weather_of(core, p);

        if (next) {
            *next = old->weather[i];
            next->point = p;
        }
    }
    weather_choose(core);
    peers_count(core);
    feeder_take_over(core, old);
    take_alarms(core, old);
}

int
lw_core_new(const struct lw_ledger *ledger, const struct lw_rules *rules,
            const struct lw_core *old, struct lw_core **ret_core)
{
    struct lw_core *core = empty_core(ledger, rules);

    if (!core)
        return LW_ENOMEM;
    if (old) {
        take_over(core, old);
        core->emit = old->emit;
        core->emit_arg = old->emit_arg;
    }
    *ret_core = core;
    return 0;
}

void
lw_core_retire(struct lw_core *old, const struct lw_core *next)
{
    int32_t after;

    for (int32_t i = old->first_standing; i != LW_NONE; i = after) {
        const struct lw_alarm *alarm = &old->standing[i].alarm;

        after = old->standing[i].next;
        if (same_subject(next, old->ledger, alarm) != LW_NONE)
            continue;
        alarm_gone(
            old, (enum lw_rule_id)alarm->rule,
            (struct subject){(enum lw_subject_kind)alarm->subject_kind, alarm->subject});
    }
}

void
lw_core_free(struct lw_core *core)
{
    if (!core)
        return;
    lw_due_free(core->timers);
    free(core->meter);
    free(core->site);
    free(core->profile);
    free(core->log);
    free(core->gateway);
    feeder_free(core);
    free(core->gateway_meters);
    free(core->gateway_first);
    free(core->weather);
    free(core->ears);
    free(core->answered);
    free(core->slot);
    free(core->standing);
    free(core);
}

void
lw_core_on_effect(struct lw_core *core, lw_emit *emit, void *arg)
{
    core->emit = emit;
    core->emit_arg = arg;
}
