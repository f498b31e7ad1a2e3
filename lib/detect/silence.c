/* comm_loss: no good sample for so many intervals. A gateway whose meters are all silent
 * is one alarm, not one a meter; it stands higher where closed sites are behind it. */
#include "lib/state.h"

static int64_t
allowed_silence(const struct lw_core *core, int32_t meter)
{
    int64_t ms = core->ledger->meter[meter].interval_s * LW_SECOND *
                 meter_rules(core, meter)->comm_loss.intervals;

    return ms > meter_rules(core, meter)->comm_loss.least_ms
               ? ms
               : meter_rules(core, meter)->comm_loss.least_ms;
}

/* How long a point may be silent before anybody is told: at a closed site nobody may be
 * at ease; elsewhere the register tells what passed, and a silent hour is no work order.
 */
static int64_t
patience(const struct lw_core *core, int32_t meter)
{
    const struct lw_metering_point *point = meter_point(core, meter);
    enum lw_priority p = alarm_site_priority(core, point->site);
    int64_t silence = allowed_silence(core, meter);
    int64_t ms = meter_rules(core, meter)->comm_loss.point_ms;

    if (p >= LW_PRIORITY_HIGH)
        return silence;
    if (p == LW_PRIORITY_MEDIUM || point->role == LW_FEEDER)
        ms = meter_rules(core, meter)->comm_loss.feeder_ms;
    return ms > silence ? ms : silence;
}

/* For a point or a gateway that loses its link again within a day of its return, a good
 * hour is not enough: it takes four times as long each time, up to a day. So a link that
 * flaps is soon one alarm. */
enum {
    FLAPS_MOST = 3
};

static void
flapped(int64_t now, int64_t returned, uint8_t *flaps)
{
    if (returned == NEVER || now - returned > LW_DAY)
        *flaps = 0;
    else if (*flaps < FLAPS_MOST)
        ++*flaps;
}

static int64_t
clear_ms(const struct lw_params *rules, uint8_t flaps)
{
    int64_t ms = rules->comm_loss.clear_ms
                 << 2 * (flaps < FLAPS_MOST ? flaps : FLAPS_MOST);

    return flaps == 0 || ms < LW_DAY ? ms : LW_DAY;
}

static struct lw_evidence
silence_evidence(const struct lw_core *core, int64_t heard, enum lw_finding finding,
                 int64_t silent_meters)
{
    return (struct lw_evidence){
        .from = {heard},
        .to = {core->now},
        .detail = core->now - heard,
        .detail2 = silent_meters,
        .finding = (uint8_t)finding,
    };
}

/* For how long it was, now that it is over. */
static struct lw_evidence
silence_over(const struct lw_alarm *alarm, int64_t back)
{
    struct lw_evidence e = alarm->evidence;

    e.to.ms = back;
    e.detail = back - e.from.ms;
    return e;
}

/* How many meters are in place behind the gateway, how many of them are silent, and the
 * highest of their sites' priorities. */
struct behind {
    int32_t meters, silent;
    enum lw_priority priority;
    int64_t patience; /* the least of theirs, and of several together */
};

static struct behind
look_behind(const struct lw_core *core, int32_t gateway)
{
    struct behind b = {.priority = LW_PRIORITY_MEDIUM, .patience = INT64_MAX};

    for (int32_t i = core->gateway_first[gateway]; i < core->gateway_first[gateway + 1];
         i++) {
        int32_t m = core->gateway_meters[i];
        enum lw_priority p;

        if (!in_place(&core->ledger->meter[m], core->now))
            continue;
        b.meters++;
        b.silent += core->meter[m].silent;
        p = alarm_site_priority(core, meter_point(core, m)->site);
        if (p > b.priority)
            b.priority = p;
        if (patience(core, m) < b.patience)
            b.patience = patience(core, m);
    }
    /* A modem with a single meter behind it is that meter. */
    if (b.meters > 1 && core->book->all.comm_loss.gateway_ms < b.patience)
        b.patience = core->book->all.comm_loss.gateway_ms;
    return b;
}

/* Stands the gateway's alarm, and is it its silence that it tells? */
static bool
is_dark(const struct lw_core *core, int32_t gateway)
{
    const struct lw_alarm *alarm =
        alarm_of(core, LW_RULE_COMM_LOSS, (struct subject){LW_SUBJECT_GATEWAY, gateway});

    return alarm && alarm->evidence.finding == LW_FOUND_SILENT_GATEWAY;
}

/* Raises or updates the gateway's alarm; false where somebody behind it is not silent, or
 * all have not been for long. */
static bool
gateway_silent(struct lw_core *core, int32_t gateway, const struct behind *b)
{
    struct gateway_state *g = &core->gateway[gateway];
    struct subject subject = {LW_SUBJECT_GATEWAY, gateway};
    struct lw_evidence e =
        silence_evidence(core, g->heard, LW_FOUND_SILENT_GATEWAY, b->silent);

    if (b->silent < b->meters || core->now - g->heard < b->patience)
        return false;
    if (!is_dark(core, gateway)) {
        /* What it told before is not the matter any more. */
        alarm_return(core, LW_RULE_COMM_LOSS, subject, NULL);
        flapped(core->now, g->returned, &g->flaps);
    }
    g->back = NEVER;
    alarm_set(core, LW_RULE_COMM_LOSS, subject, b->priority, &e);
    core_timer_gateway(core, gateway, core->now + LW_DAY);
    return true;
}

/* A silent meter's own alarm, once its patience is over, unless its gateway's says it
 * already. Whoever was heard last behind a gateway looks for all: when a county goes
 * silent, each looking at each would hold everything up. */
static void
meter_silent(struct lw_core *core, int32_t meter)
{
    struct meter_state *m = &core->meter[meter];
    int32_t gateway = core->ledger->meter[meter].gateway;
    int64_t silent = core->now - m->heard, mine = patience(core, meter);
    struct lw_evidence e;

    if (gateway != LW_NONE) {
        int64_t unheard = core->now - core->gateway[gateway].heard;

        if (core->gateway[gateway].back == NEVER && is_dark(core, gateway))
            return;
        /* Nobody has been heard for a while, but not everybody is overdue: wait and see,
         * but not for a neighbour that is read once a day. */
        if (unheard >= allowed_silence(core, meter) / 2) {
            struct behind b = look_behind(core, gateway);

            if (gateway_silent(core, gateway, &b))
                return;
            if (silent < mine + b.patience) {
                int64_t wait = b.patience - unheard;

                core_timer_meter(core, meter,
                                 core->now + (wait > LW_MINUTE ? wait : LW_MINUTE));
                return;
            }
        }
    }
    if (silent < mine) {
        core_timer_meter(core, meter, m->heard + mine);
        return;
    }
    e = silence_evidence(core, m->heard, LW_FOUND_SILENT_METER, 1);
    if (!alarm_stands(core, LW_RULE_COMM_LOSS, detect_point(core, meter)))
        flapped(core->now, m->returned, &m->flaps);
    alarm_set(core, LW_RULE_COMM_LOSS, detect_point(core, meter),
              alarm_site_priority(core, meter_point(core, meter)->site), &e);
}

/* The meter was taken away. What stands about its point ends where no other meter is or
 * will be there; the gateway's ends where it was the last one. */
static void
meter_removed(struct lw_core *core, int32_t meter)
{
    const struct lw_meter *row = &core->ledger->meter[meter];
    const struct lw_metering_point *point = &core->ledger->point[row->point];
    const struct lw_meter *newest =
        &core->ledger->meter[point->meter_first + point->meter_n - 1];

    core->meter[meter].silent = 0;
    for (int rule = 0; rule < LW_RULES && core->now >= newest->removed.ms; rule++)
        if (alarm_speaks((enum lw_rule_id)rule, LW_SUBJECT_POINT))
            alarm_gone(core, (enum lw_rule_id)rule, detect_point(core, meter));
    if (row->gateway != LW_NONE && look_behind(core, row->gateway).meters == 0)
        alarm_gone(core, LW_RULE_COMM_LOSS,
                   (struct subject){LW_SUBJECT_GATEWAY, row->gateway});
}

static void
silence_meter_timer(struct lw_core *core, int32_t meter)
{
    struct meter_state *m = &core->meter[meter];
    const struct lw_meter *row = &core->ledger->meter[meter];
    int64_t due = m->heard + allowed_silence(core, meter);
    const struct lw_alarm *alarm =
        alarm_of(core, LW_RULE_COMM_LOSS, detect_point(core, meter));

    if (core->now >= row->removed.ms) {
        meter_removed(core, meter);
        return;
    }
    if (core->now < due) {
        core_timer_meter(core, meter, due);
        if (alarm && m->back != NEVER) {
            int64_t clear = m->back + clear_ms(meter_rules(core, meter), m->flaps);

            if (core->now >= clear) {
                struct lw_evidence e = silence_over(alarm, m->back);

                m->returned = core->now;
                alarm_return(core, LW_RULE_COMM_LOSS, detect_point(core, meter), &e);
            } else if (clear < due) {
                core_timer_meter(core, meter, clear);
            }
        }
        return;
    }
    m->silent = 1;
    m->back = NEVER;
    /* First, so that a shorter wait that meter_silent asks for stands. */
    core_timer_meter(core, meter, core->now + LW_DAY);
    meter_silent(core, meter);
}

static void
silence_gateway_timer(struct lw_core *core, int32_t gateway)
{
    struct gateway_state *g = &core->gateway[gateway];
    struct subject subject = {LW_SUBJECT_GATEWAY, gateway};

    if (!is_dark(core, gateway))
        return;
    if (g->back == NEVER) {
        struct behind b = look_behind(core, gateway);

        if (b.meters == 0)
            alarm_gone(core, LW_RULE_COMM_LOSS, subject);
        else
            gateway_silent(core, gateway, &b);
    } else if (core->now - g->back >= clear_ms(&core->book->all, g->flaps)) {
        struct lw_evidence e =
            silence_over(alarm_of(core, LW_RULE_COMM_LOSS, subject), g->back);

        g->returned = core->now;
        alarm_return(core, LW_RULE_COMM_LOSS, subject, &e);
    } else {
        core_timer_gateway(core, gateway, g->back + clear_ms(&core->book->all, g->flaps));
    }
}

/* The gateway answers again: whoever stays silent behind it is now told by itself. */
static void
gateway_back(struct lw_core *core, int32_t gateway)
{
    core->gateway[gateway].back = core->now;
    core_timer_gateway(core, gateway,
                       core->now +
                           clear_ms(&core->book->all, core->gateway[gateway].flaps));
    for (int32_t i = core->gateway_first[gateway]; i < core->gateway_first[gateway + 1];
         i++) {
        int32_t m = core->gateway_meters[i];

        if (core->meter[m].silent)
            core_timer_meter(core, m, core->now + allowed_silence(core, m));
    }
}

static void
silence_reading(struct lw_core *core, int32_t meter, const struct judged *judged)
{
    struct meter_state *m = &core->meter[meter];
    int32_t gateway = core->ledger->meter[meter].gateway;
    int64_t clear, silence;

    if (!judged->measured)
        return;
    m->heard = core->now;
    /* The alarm may be from the meter before an exchange. */
    if (m->silent || (m->back == NEVER &&
                      alarm_stands(core, LW_RULE_COMM_LOSS, detect_point(core, meter)))) {
        m->silent = 0;
        m->back = core->now;
        clear = clear_ms(meter_rules(core, meter), m->flaps);
        silence = allowed_silence(core, meter);
        core_timer_meter(core, meter, core->now + (clear < silence ? clear : silence));
    }
    if (gateway == LW_NONE)
        return;
    core->gateway[gateway].heard = core->now;
    if (core->gateway[gateway].back == NEVER && is_dark(core, gateway))
        gateway_back(core, gateway);
}

const struct family detect_silence = {
    .reading = silence_reading,
    .meter_timer = silence_meter_timer,
    .gateway_timer = silence_gateway_timer,
};
