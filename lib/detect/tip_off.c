/* tip_off: the load that an alarm is about falls soon after somebody read the alarm for
 * the first time. Never an alert: a record for discipline inspection, with how often such
 * load has fallen so before. */
#include "lib/state.h"

/* It fell, and nobody measured when. */
#define UNKNOWN (-1)

/* Rules whose load is there or not, by the hour. By a declared ceiling, what may remain
 * is what is declared now; else what the evidence expected. */
static const struct {
    enum lw_rule_id rule;
    bool declared;
} LOADS[] = {
    {LW_RULE_CLOSED_LOAD, true},   {LW_RULE_LICENCE_GAP, true},
    {LW_RULE_POST_CUTOFF, true},   {LW_RULE_NIGHT_LOAD, false},
    {LW_RULE_RE_EMERGENCE, false}, {LW_RULE_PRODUCTION_SHAPE, false},
};

/* A window's load, beside what sub-meters measured. */
struct level {
    int64_t mean_w;
    int64_t own_w;  /* that is expected there */
    int64_t over_w; /* by which the alarm found more */
};

/* As it was there last: in the last of its windows it may have ended. */
static int64_t
level_of(const struct lw_course *c)
{
    return c->high_w[0] > c->high_w[1] ? c->high_w[0] : c->high_w[1];
}

static void
tell(struct lw_core *core, const struct lw_alarm *alarm, const struct level *l)
{
    const struct lw_course *c = &alarm->course;
    struct lw_tip_off tip_off = {
        .alarm = *alarm,
        .fell = {c->fell},
        .delay_ms = c->fell - alarm->read.ms,
        .before_w = level_of(c),
        .after_w = l->mean_w,
        .expected_w = l->own_w,
        .gone_ms = c->low_ms,
        .load_ms = c->high_ms,
        .falls = c->falls,
    };
    struct lw_effect effect = {
        .kind = LW_EFFECT_TIP_OFF, .at = {core->now}, .tip_off = &tip_off};

    seal_evidence(core, &tip_off.alarm);
    if (core->emit)
        core->emit(core->emit_arg, &effect);
}

/* It has been gone for long enough. */
static void
fallen(struct lw_core *core, struct lw_alarm *alarm, const struct lw_params *rules,
       const struct level *l)
{
    struct lw_course *c = &alarm->course;
    int64_t within = rules->tip_off.within_ms;
    bool after = alarm->read_by[0] && c->fell >= alarm->read.ms &&
                 c->fell - alarm->read.ms <= within;
    /* Times that it falls so in such a while anyway, against what says nothing. */
    bool usual = 1000.0 * c->falls * (double)within >=
                 (double)rules->tip_off.usual_milli * (double)c->high_ms;

    if (after && !usual && !c->told) {
        c->told = true;
        tell(core, alarm, l);
    }
    c->falls++;
    c->high_w[0] = c->high_w[1] = 0;
}

/* When within the window, if it does: as if it had been there whole until then. */
static int64_t
fell_at(const struct window *w, const struct level *l, int64_t whole_w)
{
    int64_t whole = whole_w - l->own_w, part = l->mean_w - l->own_w;

    if (part >= whole)
        return w->to;
    return part <= 0 ? w->from : w->from + lw_muldiv(w->to - w->from, part, whole);
}

/* Half of what was found is the load; of one that is gone a tenth may remain, and half of
 * what the site drew with it. Between the two it is neither. */
static void
follow(struct lw_core *core, const struct window *w, struct lw_alarm *alarm,
       bool declared)
{
    const struct lw_params *rules = w->rules;
    const struct expectation *x = &w->expected;
    const struct lw_evidence *e = &alarm->evidence;
    struct lw_course *c = &alarm->course;
    int64_t ms = w->to - w->from, for_ms = rules->tip_off.for_ms;
    int64_t net_wh = w->supply_wh - x->measured_wh;
    struct level l = {
        .mean_w = net_wh > 0 ? lw_muldiv(net_wh, LW_HOUR, ms) : 0,
        .own_w = declared ? lw_muldiv(x->allowed_wh - x->measured_wh, LW_HOUR, ms)
                          : e->expected_w,
        .over_w = e->mean_w - e->expected_w,
    };
    bool next = w->from == c->to;

    if (l.over_w <= 0 || w->from < c->to)
        return;
    if (2 * (l.mean_w - l.own_w) >= l.over_w) {
        c->fell = fell_at(w, &l, c->high_w[0]);
        c->high_w[1] = c->high_w[0];
        c->high_w[0] = l.mean_w;
        c->high_ms += ms;
        c->low_ms = 0;
        c->to = w->to;
        return;
    }
    if (w->partial || x->unmeasured || level_of(c) == 0)
        return;
    c->to = w->to;
    if (2 * l.mean_w > level_of(c) ||
        l.mean_w > l.own_w + l.over_w / 10 + lw_muldiv(w->resolution_wh, LW_HOUR, ms)) {
        c->fell = next && ms <= for_ms ? fell_at(w, &l, level_of(c)) : UNKNOWN;
        c->low_ms = 0;
        return;
    }
    if (c->low_ms == 0 && !next)
        c->fell = UNKNOWN;
    c->low_ms += ms;
    if (c->low_ms >= for_ms)
        fallen(core, alarm, rules, &l);
}

/* Before the rules see the window: they may return the alarm. */
static void
tip_off_window(struct lw_core *core, const struct window *w)
{
    struct subject subject = {LW_SUBJECT_SITE, w->site};

    for (size_t i = 0; i < sizeof LOADS / sizeof *LOADS && core->nlisted > 0; i++) {
        int32_t at = core->slot[alarm_slot(core, LOADS[i].rule, subject)];

        if (at != LW_NONE && !alarm_has_returned(&core->standing[at].alarm) &&
            !w->expected.unlimited)
            follow(core, w, &core->standing[at].alarm, LOADS[i].declared);
    }
}

const struct family detect_tip_off = {.window = tip_off_window};
