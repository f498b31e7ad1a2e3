/* coverage: a site that nothing can be known of, or nobody answers for. */
#include "lib/state.h"

static bool
has_supply_meter(const struct lw_core *core, const struct lw_site *site)
{
    for (int32_t p = site->point_first; p < site->point_first + site->point_n; p++) {
        const struct lw_metering_point *point = &core->ledger->point[p];

        if (point->role != LW_SUPPLY)
            continue;
        for (int32_t m = point->meter_first; m < point->meter_first + point->meter_n; m++)
            if (in_place(&core->ledger->meter[m], core->now))
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

        if (!has_supply_meter(core, site))
            e.detail |= LW_GAP_METER;
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
