/* coverage: a site that nothing can be known of, or nobody answers for. */
#include "lib/state.h"

/* A supply's meter is in place, or only will be. */
static bool
has_supply_meter(const struct lw_core *core, const struct lw_site *site, bool only_later)
{
    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        const struct lw_metering_point *point = &core->ledger->point[p];

        if (point->role != LW_SUPPLY)
            continue;
        for (int32_t m = point->meter_first; m < point->meter_first + point->meter_n; m++)
            if (only_later ? core->now < core->ledger->meter[m].installed.ms
                           : in_place(&core->ledger->meter[m], core->now))
                return true;
    }
    return false;
}

/* Somebody answers for the site, its area, or an area above that. */
static bool
has_responsible(const struct lw_core *core, int32_t site)
{
    const struct lw_ledger *ledger = core->ledger;

    if (core->answered[ledger->nareas + site])
        return true;
    for (int32_t a = ledger->site[site].area; a != LW_NONE; a = ledger->area[a].parent)
        if (core->answered[a])
            return true;
    return false;
}

/* No meter measures the site any more: what stands about what it drew has lost its
 * ground, and none of it would ever end. */
static void
end_unmeasured(struct lw_core *core, int32_t site)
{
    struct site_state *s = &core->site[site];
    struct run *const run[] = {&s->load.run, &s->production.run, &s->demand.run,
                               &s->dark.run, &s->excess.run};

    for (int rule = 0; rule < LW_RULES; rule++)
        if (rule != LW_RULE_COVERAGE &&
            alarm_speaks((enum lw_rule_id)rule, LW_SUBJECT_SITE))
            alarm_moot(core, (enum lw_rule_id)rule,
                       (struct subject){LW_SUBJECT_SITE, site});
    for (size_t i = 0; i < sizeof run / sizeof *run; i++)
        run[i]->from = NEVER;
}

/* A large ledger is looked at by parts, a part a tick: its alerts must not hold up a
 * loop. */
enum {
    PART = 100
};

static void
coverage_ledger(struct lw_core *core)
{
    const struct lw_ledger *ledger = core->ledger;
    int32_t end =
        core->covered + PART < ledger->nsites ? core->covered + PART : ledger->nsites;

    for (int32_t i = core->covered; i < end; i++) {
        const struct lw_site *site = &ledger->site[i];
        struct subject subject = {LW_SUBJECT_SITE, i};
        struct lw_evidence e = {
            .from = {core->now}, .to = {core->now}, .finding = LW_FOUND_NO_METER};

        if (!has_supply_meter(core, site, false)) {
            e.detail |= LW_GAP_METER;
            if (!has_supply_meter(core, site, true))
                end_unmeasured(core, i);
        }
        if (!site->has_position)
            e.detail |= LW_GAP_POSITION;
        if (!has_responsible(core, i))
            e.detail |= LW_GAP_RESPONSIBLE;
        if (lw_site_status_at(site, (lw_wall){core->now}) == LW_STATUS_UNKNOWN)
            e.detail |= LW_GAP_STATUS;
        if (e.detail != 0)
            alarm_set(core, LW_RULE_COVERAGE, subject, LW_PRIORITY_LOW, &e);
        else
            alarm_return(core, LW_RULE_COVERAGE, subject, NULL);
    }
    core->covered = end == ledger->nsites ? 0 : end;
}

const struct family detect_coverage = {.ledger = coverage_ledger};
