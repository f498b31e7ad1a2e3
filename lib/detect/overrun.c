/* comm_loss: a gateway's meters are due again before their reads are done, again and
 * again: its line has more of them than it can read in their interval. It speaks about
 * the gateway in the place where silence.c does, which goes before it. */
#include "lib/state.h"

static struct subject
subject_of(int32_t gateway)
{
    return (struct subject){LW_SUBJECT_GATEWAY, gateway};
}

static bool
finds(const struct lw_core *core, int32_t gateway, enum lw_finding finding)
{
    const struct lw_alarm *alarm = alarm_of(core, LW_RULE_COMM_LOSS, subject_of(gateway));

    return alarm && alarm->evidence.finding == finding;
}

static void
say(struct lw_core *core, int32_t gateway)
{
    const struct gateway_state *g = &core->gateway[gateway];
    struct lw_evidence e = {
        .from = {g->overran_from},
        .to = {core->now},
        .detail = g->overruns,
        .finding = LW_FOUND_OVERRUN,
    };

    alarm_set(core, LW_RULE_COMM_LOSS, subject_of(gateway), LW_PRIORITY_MEDIUM, &e);
    core_timer_gateway(core, gateway, core->now + core->book->all.comm_loss.clear_ms);
}

/* A gateway that was slow for a minute has overrun, too; that it is so again half an hour
 * later is what its line is like. */
static void
overrun_failed(struct lw_core *core, int32_t meter, enum lw_read_failure why)
{
    int32_t gateway = core->ledger->meter[meter].gateway;
    struct gateway_state *g;

    if (why != LW_FAIL_OVERRUN || gateway == LW_NONE)
        return;
    g = &core->gateway[gateway];
    if (g->overran == NEVER ||
        core->now - g->overran >= core->book->all.comm_loss.clear_ms) {
        g->overran_from = core->now;
        g->overruns = 0;
    }
    g->overran = core->now;
    g->overruns++;
    if (g->overruns >= core->book->all.comm_loss.overruns &&
        core->now - g->overran_from >= core->book->all.comm_loss.overruns_for_ms &&
        !finds(core, gateway, LW_FOUND_SILENT_GATEWAY))
        say(core, gateway);
}

static void
overrun_gateway_timer(struct lw_core *core, int32_t gateway)
{
    int64_t end = core->gateway[gateway].overran + core->book->all.comm_loss.clear_ms;

    if (!finds(core, gateway, LW_FOUND_OVERRUN))
        return;
    if (core->now >= end)
        alarm_return(core, LW_RULE_COMM_LOSS, subject_of(gateway), NULL);
    else
        core_timer_gateway(core, gateway, end);
}

const struct family detect_overrun = {
    .failed = overrun_failed,
    .gateway_timer = overrun_gateway_timer,
};
