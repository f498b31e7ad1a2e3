/* comm_loss: no good sample for so many intervals. A gateway whose meters are all silent
 * is one alarm, not one a meter; it stands higher where closed sites are behind it. */
#include "lib/state.h"

static int64_t
allowed_silence(const struct lw_core *core, int32_t meter)
{
    int64_t ms = core->ledger->meter[meter].interval_s * LW_SECOND *
                 core->rules->comm_loss.intervals;

    return ms > core->rules->comm_loss.least_ms ? ms : core->rules->comm_loss.least_ms;
}

static struct subject
point_of(const struct lw_core *core, int32_t meter)
{
    return (struct subject){LW_SUBJECT_POINT, core->ledger->meter[meter].point};
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

/* How many meters are in place behind the gateway, how many of them are silent, and the
 * highest of their sites' priorities. */
struct behind {
    int32_t meters, silent;
    enum lw_priority priority;
};

static struct behind
look_behind(const struct lw_core *core, int32_t gateway)
{
    struct behind b = {.priority = LW_PRIORITY_MEDIUM};

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
    }
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

/* Raises or updates the gateway's alarm; false where somebody behind it is not silent. */
static bool
gateway_silent(struct lw_core *core, int32_t gateway)
{
    struct gateway_state *g = &core->gateway[gateway];
    struct behind b = look_behind(core, gateway);
    struct lw_evidence e =
        silence_evidence(core, g->heard, LW_FOUND_SILENT_GATEWAY, b.silent);

    if (b.silent < b.meters)
        return false;
    g->back = NEVER;
    if (!is_dark(core, gateway)) /* what it told before is not the matter any more */
        alarm_return(core, LW_RULE_COMM_LOSS,
                     (struct subject){LW_SUBJECT_GATEWAY, gateway}, NULL);
    alarm_set(core, LW_RULE_COMM_LOSS, (struct subject){LW_SUBJECT_GATEWAY, gateway},
              b.priority, &e);
    core_timer_gateway(core, gateway, core->now + LW_DAY);
    return true;
}

/* A meter's own alarm, unless its gateway's says it already. Whoever was heard last
 * behind a gateway looks for all: when a county goes silent, each looking at each would
 * hold everything up. */
static void
meter_silent(struct lw_core *core, int32_t meter)
{
    struct meter_state *m = &core->meter[meter];
    int32_t gateway = core->ledger->meter[meter].gateway;
    struct lw_evidence e;
    enum lw_priority priority = alarm_site_priority(core, meter_point(core, meter)->site);

    if (gateway != LW_NONE) {
        int64_t unheard = core->now - core->gateway[gateway].heard;

        if (core->gateway[gateway].back == NEVER && is_dark(core, gateway))
            return;
        if (unheard >= allowed_silence(core, meter) && gateway_silent(core, gateway))
            return;
        /* Nobody has been heard for a while, but not everybody is overdue: wait and see,
         * but not for a neighbour that is read once a day. */
        if (unheard >= allowed_silence(core, meter) / 2 &&
            core->now - m->heard < 2 * allowed_silence(core, meter)) {
            core_timer_meter(core, meter, core->now + LW_MINUTE);
            return;
        }
    }
    e = silence_evidence(core, m->heard, LW_FOUND_SILENT_METER, 1);
    alarm_set(core, LW_RULE_COMM_LOSS, point_of(core, meter), priority, &e);
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
            alarm_gone(core, (enum lw_rule_id)rule, point_of(core, meter));
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
        alarm_of(core, LW_RULE_COMM_LOSS, point_of(core, meter));

    if (core->now >= row->removed.ms) {
        meter_removed(core, meter);
        return;
    }
    if (core->now < due) {
        core_timer_meter(core, meter, due);
        if (alarm && m->back != NEVER) {
            if (core->now - m->back >= core->rules->comm_loss.clear_ms)
                alarm_return(core, LW_RULE_COMM_LOSS, point_of(core, meter), NULL);
            else
                core_timer_meter(core, meter, m->back + core->rules->comm_loss.clear_ms);
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
    if (g->back == NEVER)
        gateway_silent(core, gateway);
    else if (core->now - g->back >= core->rules->comm_loss.clear_ms)
        alarm_return(core, LW_RULE_COMM_LOSS, subject, NULL);
    else
        core_timer_gateway(core, gateway, g->back + core->rules->comm_loss.clear_ms);
}

/* The gateway answers again: whoever stays silent behind it is now told by itself. */
static void
gateway_back(struct lw_core *core, int32_t gateway)
{
    core->gateway[gateway].back = core->now;
    core_timer_gateway(core, gateway, core->now + core->rules->comm_loss.clear_ms);
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

    if (!judged->good)
        return;
    m->heard = core->now;
    /* The alarm may be from the meter before an exchange. */
    if (m->silent || (m->back == NEVER &&
                      alarm_stands(core, LW_RULE_COMM_LOSS, point_of(core, meter)))) {
        m->silent = 0;
        m->back = core->now;
        core_timer_meter(core, meter, core->now + core->rules->comm_loss.clear_ms);
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
