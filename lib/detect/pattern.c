/* night_load, production_shape, slow_creep, and re_emergence for a site that was closed
 * not long ago: how such an alarm begins, goes on and ends. One alarm a site: which of
 * them it is called is decided when it is raised. */
#include <math.h>

#include "pattern.h"

bool
pattern_watches(const struct lw_core *core, int32_t site, const struct lw_params *rules,
                int64_t at)
{
    return core->site[site].reference.watched &&
           at - core->ledger->site[site].status_since.ms < rules->re_emergence.watch_ms;
}

/* --- the alarm's life */

/* What a channel looks back at, how slow it is to see an end, and for how long it has to
 * be quiet before it returns: a pump may pause for long. */
static const struct {
    int64_t back, slow, quiet;
} CHANNEL[CHANNELS] = {
    [OVER_PAIR] = {30 * LW_MINUTE, 2 * LW_HOUR, 2 * LW_HOUR},
    [OVER_1H] = {LW_HOUR, 2 * LW_HOUR, 2 * LW_HOUR},
    [OVER_3H] = {3 * LW_HOUR, 3 * LW_HOUR, 3 * LW_HOUR},
    [OVER_8H] = {8 * LW_HOUR, 8 * LW_HOUR, 8 * LW_HOUR},
    [OVER_24H] = {LW_DAY, LW_DAY, LW_DAY},
    [OVER_4D] = {4 * LW_DAY, 4 * LW_DAY, 4 * LW_DAY},
    [PUMP_PAIR] = {30 * LW_MINUTE, 2 * LW_HOUR, LW_DAY},
    [PUMP_8] = {2 * LW_HOUR, 2 * LW_HOUR, LW_DAY},
    [PUMP_32] = {8 * LW_HOUR, 8 * LW_HOUR, LW_DAY},
    [OVER_GAP] = {LW_HOUR, 2 * LW_HOUR, 2 * LW_HOUR},
    [STARTS] = {3 * LW_HOUR, 6 * LW_HOUR, 6 * LW_HOUR},
    [PUMPED_ON] = {PUMP_DAYS * LW_DAY, PUMP_DAYS *LW_DAY, LW_DAY},
};

/* By how long it took to be seen, and when it was. */
static enum lw_rule_id
rule_of(const struct lw_core *core, int32_t site, const struct lw_params *rules,
        enum channel channel, int64_t from, int64_t to)
{
    int64_t night = 0, last = to - from > 5 * LW_DAY ? from + 5 * LW_DAY : to;

    if (pattern_watches(core, site, rules, from))
        return LW_RULE_RE_EMERGENCE;
    if (channel == OVER_24H || channel == OVER_4D || channel == PUMPED_ON)
        return LW_RULE_SLOW_CREEP;
    for (int64_t at = from; at < last; at += 15 * LW_MINUTE)
        night += is_night(core, rules, at) ? 15 * LW_MINUTE : 0;
    return 3 * night >= 2 * (last - from) ? LW_RULE_NIGHT_LOAD : LW_RULE_PRODUCTION_SHAPE;
}

/* The first channel that is over gives the finding its height, the quickest its end. */
struct over {
    enum channel first, quickest;
    float ratio;
    bool compared; /* any channel was */
};

static bool
is_over(const struct found *f, struct over *ret)
{
    *ret = (struct over){CHANNELS, CHANNELS, 0, false};
    for (int c = 0; c < CHANNELS; c++) {
        ret->compared = ret->compared || !isnan(f->ratio[c]);
        if (isnan(f->ratio[c]) || f->ratio[c] <= 1)
            continue;
        if (ret->first == CHANNELS)
            ret->first = (enum channel)c;
        if (ret->quickest == CHANNELS || CHANNEL[c].slow < CHANNEL[ret->quickest].slow)
            ret->quickest = (enum channel)c;
        ret->ratio = larger(ret->ratio, f->ratio[c]);
    }
    return ret->first != CHANNELS;
}

/* The run begins with what the channel looked back at; a gap's is the gap. */
static void
begin(struct lw_core *core, int32_t site, const struct sample *s, int64_t to,
      const struct found *f, const struct over *over)
{
    struct excess *e = &core->site[site].excess;
    int64_t from = over->first == OVER_GAP ? s->from : to - CHANNEL[over->first].back;
    int64_t length = to - from;
    float expected = compare_expected(core, site, s, f, over->first, from, to);

    *e = (struct excess){.channel = (uint8_t)over->quickest,
                         .finding = over->first == OVER_GAP ? LW_FOUND_DURING_SILENCE
                                    : over->first == PUMPED_ON
                                        ? LW_FOUND_PUMPED_ON
                                        : LW_FOUND_UNLIKE_REFERENCE};
    e->run = (struct run){.from = from, .to = to};
    e->run.allowed_wh = watt_hours(expected, length);
    e->run.excess_wh = watt_hours(f->over[over->first], length);
    e->run.energy_wh = e->run.allowed_wh + e->run.excess_wh;
    e->run.peak_w =
        watts(isnan(s->kw) || over->first == PUMPED_ON ? expected + f->over[over->first]
                                                       : s->kw);
    if (over->first == OVER_GAP)
        e->since_wh = e->run.excess_wh;
    e->run.samples_good = over->first == OVER_GAP ? 1 : length / s->interval;
    e->rule = (uint8_t)rule_of(core, site, s->rules, over->first, from, to);
    e->night_ms = e->rule == LW_RULE_NIGHT_LOAD ? length : 0;
}

static bool
ran_before(const struct excess *e)
{
    return e->finding == LW_FOUND_PREEXISTING || e->finding == LW_FOUND_UNLIKE_PEERS;
}

/* A pump's run goes on by days: it cycles. Of what ran before it is told what it was
 * while it was learned. */
static void
go_on(struct lw_core *core, int32_t site, const struct sample *s, const struct found *f)
{
    struct excess *e = &core->site[site].excess;
    struct run *run = &e->run;
    bool pumped = e->finding == LW_FOUND_PUMPED_ON;
    float kw = pumped ? f->day.kw : s->kw;
    float expected = pumped ? f->day.expected : f->expected;
    int64_t length = pumped ? LW_DAY : s->interval;
    int64_t excess_wh = watt_hours(larger(0, kw - expected), length);

    if (isnan(kw) || isnan(expected) || ran_before(e))
        return;
    run->to = s->from + s->interval;
    run->energy_wh += watt_hours(kw, length);
    run->allowed_wh += watt_hours(expected, length);
    run->excess_wh += excess_wh;
    e->since_wh += excess_wh;
    run->peak_w = watts(kw) > run->peak_w ? watts(kw) : run->peak_w;
    e->night_ms += is_night(core, s->rules, s->from) ? s->interval : 0;
    run->samples_good += length / s->interval;
}

struct lw_evidence
pattern_evidence(const struct lw_core *core, int32_t site, float cold)
{
    const struct site_state *st = &core->site[site];
    const struct excess *e = &st->excess;
    int64_t ms = e->run.to - e->run.from;
    struct lw_evidence found = run_evidence(&e->run);

    found.samples_expected = (uint32_t)(ms / st->interval);
    found.detail = watts(st->reference.slope_kw * cold);
    found.since_wh = e->since_wh;
    found.confidence_milli = e->confidence_milli;
    found.finding = e->finding;
    found.night = 2 * e->night_ms > ms;
    if (e->finding == LW_FOUND_PUMPED_ON) {
        float mm = core_site_wet(core, site, e->run.to / LW_DAY - 1, 1, 7);

        found.detail = isnan(mm) ? LW_NOT_GIVEN : watts(mm);
        found.detail2 = watts(st->reference.doubt_kw);
        found.night = false;
    }
    if (e->finding == LW_FOUND_UNLIKE_PEERS)
        peers_told(core, site, &found);
    return found;
}

/* What is slow can wait a day; who was closed not long ago is looked at in any case. */
static enum lw_priority
priority_of(const struct lw_core *core, int32_t site, const struct lw_evidence *found)
{
    switch ((enum lw_rule_id)core->site[site].excess.rule) {
    case LW_RULE_SLOW_CREEP:
        return LW_PRIORITY_LOW;
    case LW_RULE_RE_EMERGENCE:
        return alarm_site_priority(core, site);
    default:
        return load_priority(core, site, found);
    }
}

/* What starts and stops, or runs at night, above the ceiling as well. What is small and
 * lasts, or is back within its watch, is another matter than that. */
static bool
gives_way(const struct excess *e)
{
    return (e->finding == LW_FOUND_UNLIKE_REFERENCE ||
            e->finding == LW_FOUND_DURING_SILENCE) &&
           (e->rule == LW_RULE_NIGHT_LOAD || e->rule == LW_RULE_PRODUCTION_SHAPE);
}

/* Tells it: as a revision of what returned not long ago, whatever that was called; or by
 * its own name. */
void
pattern_tell(struct lw_core *core, int32_t site, const struct lw_evidence *found)
{
    static const enum lw_rule_id RULE[] = {LW_RULE_NIGHT_LOAD, LW_RULE_PRODUCTION_SHAPE,
                                           LW_RULE_SLOW_CREEP, LW_RULE_RE_EMERGENCE};
    struct excess *e = &core->site[site].excess;
    struct subject subject = {LW_SUBJECT_SITE, site};
    bool stands = alarm_stands(core, (enum lw_rule_id)e->rule, subject);
    bool over_ceiling = alarm_stands(core, LW_RULE_CLOSED_LOAD, subject);

    /* The same excess is told as one over the ceiling; and what was over is not told. */
    if (!stands && ((over_ceiling && !ran_before(e)) || found->level_w == 0))
        return;
    if (!stands && gives_way(e) &&
        site_load_hasten(core, site, priority_of(core, site, found)))
        return;
    /* What a pump does is a matter of its own, and so is what others do not. */
    if (!stands && e->finding != LW_FOUND_PUMPED_ON &&
        e->finding != LW_FOUND_UNLIKE_PEERS)
        for (size_t i = 0; i < sizeof RULE / sizeof *RULE; i++)
            if (alarm_recall(core, RULE[i], subject, priority_of(core, site, found),
                             found)) {
                e->rule = (uint8_t)RULE[i];
                return;
            }
    alarm_set(core, (enum lw_rule_id)e->rule, subject, priority_of(core, site, found),
              found);
}

/* More than a weekend: a load that ran before is over when it has not been there for so
 * long, and any other when nothing has been above a limit, were it just beneath. */
#define OVER_AFTER (3 * LW_DAY)

static int64_t
quiet_for(const struct lw_params *rules, const struct excess *e)
{
    int64_t quiet = CHANNEL[e->channel].quiet;

    if (ran_before(e))
        return OVER_AFTER;
    return quiet > rules->reference.clear_ms ? quiet : rules->reference.clear_ms;
}

static bool
is_over_now(const struct lw_params *rules, const struct excess *e)
{
    return e->quiet_ms >= quiet_for(rules, e) || e->within_ms >= OVER_AFTER;
}

/* Sums up for how long the channel that was quickest has been well within its limit, and
 * for how long no other has been over its own. What was not measured, or could not be
 * compared, clears nothing. */
static void
count_quiet(const struct reference *r, struct excess *e, const struct sample *s,
            const struct found *f, bool within)
{
    enum channel c = e->channel == OVER_GAP ? OVER_PAIR : (enum channel)e->channel;
    float ratio = f->ratio[c];
    int64_t step = s->interval;

    if (isnan(s->kw))
        return;
    if (within && !ran_before(e))
        e->within_ms += (int32_t)s->interval;
    if (ran_before(e))
        ratio = watts(s->kw) <= e->low_w ? 0 : 1;
    else if (c >= PUMP_PAIR && c <= PUMP_32 && isnan(ratio) && !s->permit &&
             s->cold <= r->coldest)
        ratio = 0; /* no pump runs */
    else if (c == PUMPED_ON && s->pump_kw <= 0)
        ratio = 0; /* no pump is declared: what is left of it is a load like others */
    else if (c == PUMPED_ON)
        step = LW_DAY;
    else if (c >= OVER_3H && c <= OVER_4D && step < LW_HOUR)
        step = LW_HOUR; /* they are looked at by the hour */
    if (isnan(ratio))
        return;
    e->quiet_ms = ratio < 0.6F ? e->quiet_ms + step : 0;
}

/* A limit is an estimate from four weeks. What is a little over it is told when it is
 * there again: within a week, and after a quarter of what is looked back at, so that it
 * is not the same stretch. A silence is judged once. */
static bool
keep_in_doubt(struct excess *e, const struct sample *s, int64_t to,
              const struct over *over)
{
    if (1000 * over->ratio >= (float)s->rules->reference.sure_milli ||
        over->first == OVER_GAP)
        return false;
    if (to - e->doubt > 7 * LW_DAY)
        e->doubt = to;
    return to - e->doubt < CHANNEL[over->first].back / 4;
}

/* It was told as one over the ceiling, and that has ended: what is there beneath the
 * ceiling from now on is found by itself. */
static bool
has_given_way(const struct lw_core *core, int32_t site)
{
    const struct excess *e = &core->site[site].excess;
    struct subject subject = {LW_SUBJECT_SITE, site};

    return e->run.from != NEVER && gives_way(e) &&
           !alarm_stands(core, (enum lw_rule_id)e->rule, subject) &&
           !alarm_stands(core, LW_RULE_CLOSED_LOAD, subject);
}

void
pattern_live(struct lw_core *core, int32_t site, const struct sample *s, int64_t to,
             bool partial, const struct found *f)
{
    struct site_state *st = &core->site[site];
    struct excess *e = &st->excess;
    struct lw_evidence found;
    struct over over;
    bool is = is_over(f, &over);

    if (has_given_way(core, site)) {
        e->run.from = NEVER;
        compare_wipe(&st->reference);
        return;
    }
    if (e->run.from == NEVER && (!is || keep_in_doubt(e, s, to, &over)))
        return;
    if (e->run.from == NEVER) {
        begin(core, site, s, to, f, &over);
    } else if (is && e->finding == LW_FOUND_PUMPED_ON && over.first != PUMPED_ON) {
        uint8_t rule = e->rule;

        begin(core, site, s, to, f, &over);
        e->rule = rule; /* the same alarm has more to say than its pump */
    } else {
        go_on(core, site, s, f);
    }
    if (is) {
        e->within_ms = 0;
        if (CHANNEL[over.quickest].slow < CHANNEL[e->channel].slow) {
            e->channel = (uint8_t)over.quickest;
            e->quiet_ms = 0;
        }
        if (sure_beyond((double)over.ratio) > e->confidence_milli)
            e->confidence_milli = sure_beyond((double)over.ratio);
    }
    if (!partial)
        count_quiet(&st->reference, e, s, f, over.compared && !is);
    found = pattern_evidence(core, site, s->cold);
    found.level_w = is ? watts(f->over[over.first]) : 0;
    if (is_over_now(s->rules, e)) {
        alarm_return(core, (enum lw_rule_id)e->rule,
                     (struct subject){LW_SUBJECT_SITE, site}, &found);
        e->run.from = NEVER;
        compare_wipe(&st->reference);
        return;
    }
    pattern_tell(core, site, &found);
}

void
pattern_lose_ground(struct lw_core *core, int32_t site)
{
    struct site_state *st = &core->site[site];

    if (st->excess.run.from == NEVER)
        return;
    alarm_moot(core, (enum lw_rule_id)st->excess.rule,
               (struct subject){LW_SUBJECT_SITE, site});
    st->excess.run.from = NEVER;
    compare_wipe(&st->reference);
}
