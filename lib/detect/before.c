/* What ran already while a site was commissioned: the reference has learned it and finds
 * nothing over it. It is found by its shape, and by sites of the same status and kind.
 * Told once, and until it has stopped. */
#include "pattern.h"

/* The same hour differs from day to day as much as machines do, and no lamp or heater; or
 * the profile rises and falls as a shift does. A heater that is set back at night does so
 * too: where one is declared, a shift is what is above all that is declared. */
static bool
is_like_machines(const struct reference *r, const struct sample *s, float differs)
{
    float mean = reference_mean(r), swing = reference_swing(r);

    if (watts(differs) > s->rules->reference.differs_w &&
        1000 * differs > (float)s->rules->reference.differs_milli * mean)
        return true;
    return 1000 * swing > (float)s->rules->reference.shift_milli * mean &&
           (reference_low(r) + swing > s->declared_kw ||
            (watts(swing) > s->rules->reference.shift_w && !s->heated));
}

/* Tells all that it learned from as one run. `usual_kw` of it was to be expected, and at
 * `low_kw` it has stopped. */
static void
tell(struct lw_core *core, int32_t site, enum lw_rule_id rule, enum lw_finding finding,
     float usual_kw, float low_kw, float level_kw)
{
    struct site_state *st = &core->site[site];
    const struct reference *r = &st->reference;
    struct excess *e = &st->excess;
    int64_t length = r->frozen - r->since;
    struct lw_evidence found;

    *e = (struct excess){.rule = (uint8_t)rule,
                         .confidence_milli = 900,
                         .finding = (uint8_t)finding,
                         .low_w = (int32_t)watts(low_kw)};
    e->run = (struct run){.from = r->since,
                          .to = r->frozen,
                          .peak_w = watts(reference_low(r) + reference_swing(r))};
    e->run.energy_wh = watt_hours(reference_mean(r), length);
    e->run.allowed_wh = watt_hours(usual_kw, length);
    e->run.excess_wh = e->run.energy_wh - e->run.allowed_wh;
    e->run.samples_good = length / st->interval;
    found = pattern_evidence(core, site, 0);
    found.level_w = watts(level_kw);
    pattern_tell(core, site, &found);
}

void
before_shape(struct lw_core *core, int32_t site, const struct sample *s, float differs)
{
    const struct reference *r = &core->site[site].reference;
    const struct excess *e = &core->site[site].excess;
    float low = reference_low(r), swing = reference_swing(r);
    /* What stands since it was last learned is that. */
    enum lw_rule_id rule =
        e->run.from == NEVER ? LW_RULE_PRODUCTION_SHAPE : (enum lw_rule_id)e->rule;

    if (is_like_machines(r, s, differs))
        tell(core, site, rule, LW_FOUND_PREEXISTING, low, low + swing / 2, swing);
}

/* The day after the window closed, so that sites that were commissioned together are all
 * there; later, where they are too few. What is declared for this site above a guard's
 * household is not compared. */
void
before_peers(struct lw_core *core, const struct window *w)
{
    struct site_state *st = &core->site[w->site];
    struct reference *r = &st->reference;
    float mean, fence;

    if (r->frozen == NEVER || r->compared || w->from / LW_DAY == w->to / LW_DAY ||
        w->to - r->frozen < LW_DAY || st->excess.run.from != NEVER ||
        !peers_fence(core, w->site, w->rules, &fence))
        return;
    r->compared = true;
    mean = reference_mean(r);
    fence += expect_declared_kw(core, w->site, w->from, w->to);
    if (mean > fence)
        tell(core, w->site, LW_RULE_NIGHT_LOAD, LW_FOUND_UNLIKE_PEERS, fence, fence,
             mean - fence);
}
