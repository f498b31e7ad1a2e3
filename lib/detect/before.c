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

void
before_shape(struct lw_core *core, int32_t site, const struct sample *s, float differs)
{
    struct site_state *st = &core->site[site];
    const struct reference *r = &st->reference;
    struct excess *e = &st->excess;
    int64_t length = r->frozen - r->since;
    float mean = reference_mean(r), low = reference_low(r), swing = reference_swing(r);
    struct lw_evidence found;
    /* What stands since it was last learned is that. */
    uint8_t rule = e->run.from == NEVER ? LW_RULE_PRODUCTION_SHAPE : e->rule;

    if (!is_like_machines(r, s, differs))
        return;
    *e = (struct excess){.rule = rule,
                         .confidence_milli = 900,
                         .finding = LW_FOUND_PREEXISTING,
                         .low_w = (int32_t)watts(low + swing / 2)};
    e->run =
        (struct run){.from = r->since, .to = r->frozen, .peak_w = watts(low + swing)};
    e->run.energy_wh = watt_hours(mean, length);
    e->run.allowed_wh = watt_hours(low, length);
    e->run.excess_wh = e->run.energy_wh - e->run.allowed_wh;
    e->run.samples_good = length / st->interval;
    found = pattern_evidence(core, site, 0);
    found.level_w = watts(swing);
    pattern_tell(core, site, &found);
}

/* The day after the window closed, so that sites that were commissioned together are all
 * there; later, where they are too few. What is declared for this site above a guard's
 * household is not compared. */
void
before_peers(struct lw_core *core, const struct window *w, const struct lw_params *rules)
{
    struct site_state *st = &core->site[w->site];
    struct reference *r = &st->reference;
    struct excess *e = &st->excess;
    float mean, fence;
    int64_t length;
    struct lw_evidence found;

    if (r->frozen == NEVER || r->compared || w->from / LW_DAY == w->to / LW_DAY ||
        w->to - r->frozen < LW_DAY || e->run.from != NEVER ||
        !peers_fence(core, w->site, rules, &fence))
        return;
    r->compared = true;
    length = r->frozen - r->since;
    mean = reference_mean(r);
    fence += expect_declared_kw(core, w->site, w->from, w->to);
    if (!(mean > fence))
        return;
    *e = (struct excess){.rule = LW_RULE_NIGHT_LOAD,
                         .confidence_milli = 900,
                         .finding = LW_FOUND_UNLIKE_PEERS,
                         .low_w = (int32_t)watts(fence)};
    e->run = (struct run){.from = r->since,
                          .to = r->frozen,
                          .peak_w = watts(reference_low(r) + reference_swing(r))};
    e->run.energy_wh = watt_hours(mean, length);
    e->run.allowed_wh = watt_hours(fence, length);
    e->run.excess_wh = e->run.energy_wh - e->run.allowed_wh;
    e->run.samples_good = length / st->interval;
    found = pattern_evidence(core, w->site, 0);
    found.level_w = watts(mean - fence);
    pattern_tell(core, w->site, &found);
}
