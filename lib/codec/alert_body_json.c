/* What an alert says from the ledger and the evidence: its site, its measurements, and
 * the explanations that were checked. Lists are bounded, so that an alert always fits. */
#include <string.h>

#include <lodewatch/hash.h>

#include "values_json.h"

enum {
    METERS_LISTED = 8,
    EXPLANATIONS_LISTED = 12,
    SITES_LISTED = 16,
    TAGS_LISTED = 8,
};

static void
put_licence(struct lw_text *t, const char *name, const struct lw_alert *alert,
            enum lw_licence_kind kind)
{
    const struct lw_licence *l;
    enum lw_checked checked = lw_licence_checked(alert, kind, &l);

    if (checked == LW_CHECKED_NONE) {
        put_null(t, name);
        return;
    }
    put_object(t, name);
    put_foreign(t, "number", l->number);
    put_text(t, "result", lw_checked_name(checked));
    put_utc(t, "valid_from", l->from);
    put_utc(t, "valid_to", l->to);
    end_object(t);
}

/* The first chief among the contacts of an area, or else of a site. */
static void
put_chief(struct lw_text *t, const char *name, const struct lw_ledger *ledger,
          int32_t area, int32_t site)
{
    for (int32_t i = 0; i < ledger->ncontacts; i++) {
        const struct lw_contact *c = &ledger->contact[i];
        if (c->rank == LW_CHIEF && c->area == area && c->site == site) {
            put_foreign(t, name, c->id);
            return;
        }
    }
    put_null(t, name);
}

/* The site's area of every level, or those areas' chiefs; null where there is none. */
static void
put_levels(struct lw_text *t, const struct lw_alert *alert, bool chiefs)
{
    const struct lw_ledger *ledger = alert->ledger;
    const struct lw_site *site = lw_alert_site(alert);

    for (int level = LW_COUNTY; level <= LW_OPENING; level++) {
        const char *name = lw_enum_name(LW_ENUM_LEVEL, level);
        int32_t area = site ? site->area : LW_NONE;
        while (area != LW_NONE && (int)ledger->area[area].level != level)
            area = ledger->area[area].parent;
        if (area == LW_NONE)
            put_null(t, name);
        else if (chiefs)
            put_chief(t, name, ledger, area, LW_NONE);
        else
            put_foreign(t, name, ledger->area[area].id);
    }
}

static void
put_responsible(struct lw_text *t, const struct lw_alert *alert)
{
    put_object(t, "responsible");
    put_levels(t, alert, true);
    if (lw_alert_site(alert))
        put_chief(t, "site", alert->ledger, LW_NONE, alert->alarm->site);
    else
        put_null(t, "site");
    end_object(t);
}

static void
put_tags(struct lw_text *t, const char *s)
{
    put_list(t, "tags");
    for (int i = 0; *s && i < TAGS_LISTED; i++) {
        size_t n = strcspn(s, ";");
        if (n > 0)
            put_foreign_n(t, NULL, s, n);
        s += n + (s[n] == ';');
    }
    end_list(t);
}

static void
put_degrees(struct lw_text *t, const char *name, const struct lw_site *s, int32_t udeg)
{
    if (s->has_position)
        put_decimal(t, name, udeg, 1000000, 6);
    else
        put_null(t, name);
}

/* null without a site. */
static void
put_flag(struct lw_text *t, const char *name, const struct lw_site *site, bool value)
{
    if (site)
        put_bool(t, name, value);
    else
        put_null(t, name);
}

void
put_site(struct lw_text *t, const struct lw_alert *alert)
{
    /* The same members without a site, all null. */
    static const struct lw_site none = {
        .id = "",
        .name = "",
        .name_en = "",
        .status_document = "",
        .tags = "",
        .status_since = {INT64_MIN},
        .datum = LW_DATUM_NONE,
    };
    const struct lw_site *site = lw_alert_site(alert);
    const struct lw_site *s = site ? site : &none;
    int status = (int)lw_site_status_at(s, lw_alert_moment(alert));

    put_object(t, "site");
    put_foreign_or_null(t, "id", s->id);
    put_foreign_or_null(t, "name", s->name);
    put_foreign_or_null(t, "name_en", s->name_en);
    put_text(t, "kind", site ? lw_enum_name(LW_ENUM_SITE_KIND, (int)s->kind) : NULL);
    put_text(t, "status", site ? lw_enum_name(LW_ENUM_STATUS, status) : NULL);
    put_utc(t, "status_since", s->status_since);
    put_foreign_or_null(t, "status_document", s->status_document);
    put_levels(t, alert, false);
    put_degrees(t, "lat", s, s->lat_udeg);
    put_degrees(t, "lon", s, s->lon_udeg);
    put_text(t, "datum",
             s->datum == LW_DATUM_NONE ? NULL
                                       : lw_enum_name(LW_ENUM_DATUM, (int)s->datum));
    put_object(t, "licences");
    put_licence(t, "mining", alert, LW_LICENCE_MINING);
    put_licence(t, "safety", alert, LW_LICENCE_SAFETY);
    end_object(t);
    put_flag(t, "important_user", site, s->important_user);
    put_flag(t, "own_generation", site, s->own_generation);
    put_flag(t, "residents_downstream", site, s->residents_downstream);
    put_responsible(t, alert);
    put_tags(t, s->tags);
    end_object(t);
}

static void
put_meter(struct lw_text *t, const struct lw_metering_point *point,
          const struct lw_meter *m)
{
    put_object(t, NULL);
    put_foreign(t, "id", m->id);
    put_foreign(t, "point_id", point->id);
    put_text(t, "role", lw_enum_name(LW_ENUM_ROLE, (int)point->role));
    put_decimal(t, "ct_ratio", m->ct_milli, 1000, 3);
    put_decimal(t, "pt_ratio", m->pt_milli, 1000, 3);
    end_object(t);
}

/* Of a bounded list. */
static void
put_left_out(struct lw_text *t, const char *name, int32_t found, int32_t listed)
{
    put_integer(t, name, found > listed ? found - listed : 0);
}

/* The meters that were in place in the window at the alert's point, or else at its site.
 */
static void
put_meters(struct lw_text *t, const struct lw_alert *alert)
{
    const struct lw_ledger *ledger = alert->ledger;
    const struct lw_metering_point *point = lw_alert_point(alert);
    const struct lw_site *site = lw_alert_site(alert);
    int32_t npoints = point ? 1 : site ? site->point_n : 0;
    const struct lw_evidence *e = &alert->alarm->evidence;
    lw_wall to = lw_alert_moment(alert);
    lw_wall from = e->to.ms > e->from.ms ? e->from : to;
    int32_t found = 0;

    if (!point && site)
        point = &ledger->point[site->point_first];
    put_list(t, "meters");
    for (; npoints > 0; point++, npoints--)
        for (int32_t i = 0; i < point->meter_n; i++) {
            const struct lw_meter *m = &ledger->meter[point->meter_first + i];
            if (m->installed.ms <= to.ms && m->removed.ms > from.ms &&
                found++ < METERS_LISTED)
                put_meter(t, point, m);
        }
    end_list(t);
    put_left_out(t, "meters_left_out", found, METERS_LISTED);
}

/* The sites with a meter behind the alert's gateway; points come in the order of sites.
 */
static void
put_dark_sites(struct lw_text *t, const struct lw_alert *alert)
{
    const struct lw_ledger *ledger = alert->ledger;
    lw_wall at = lw_alert_moment(alert);
    int32_t last = LW_NONE, found = 0;

    put_list(t, "sites");
    for (int32_t i = 0; i < ledger->nmeters; i++) {
        const struct lw_meter *m = &ledger->meter[i];
        int32_t site = ledger->point[m->point].site;
        if (m->gateway != alert->alarm->subject || site == LW_NONE || site == last ||
            at.ms < m->installed.ms || at.ms >= m->removed.ms)
            continue;
        last = site;
        if (found++ < SITES_LISTED)
            put_foreign(t, NULL, ledger->site[site].id);
    }
    end_list(t);
    put_left_out(t, "sites_left_out", found, SITES_LISTED);
}

/* The names of the bits that are set. */
static void
put_bits(struct lw_text *t, const char *name, int64_t set, const char *const names[],
         size_t n)
{
    put_list(t, name);
    for (size_t i = 0; i < n; i++)
        if (set >> i & 1)
            put_text(t, NULL, names[i]);
    end_list(t);
}

/* Meters of the feeder that are silent, the first few by their points. */
static void
put_silent_points(struct lw_text *t, const struct lw_alert *alert)
{
    const struct lw_evidence *e = &alert->alarm->evidence;

    put_list(t, "silent_points");
    for (int i = 0; i < LW_SILENT_NAMED; i++)
        if (e->silent[i] > 0)
            put_foreign(t, NULL, alert->ledger->point[e->silent[i] - 1].id);
    end_list(t);
}

static void
put_candidates(struct lw_text *t, const struct lw_alert *alert)
{
    struct lw_candidate candidate[LW_CANDIDATES];
    int n = lw_feeder_candidates(alert, candidate);

    put_list(t, "candidates");
    for (int i = 0; i < n; i++) {
        const struct lw_site *site = &alert->ledger->site[candidate[i].site];
        int status = (int)lw_site_status_at(site, lw_alert_moment(alert));

        put_object(t, NULL);
        put_foreign(t, "site_id", site->id);
        put_text(t, "status", lw_enum_name(LW_ENUM_STATUS, status));
        if (candidate[i].metres == LW_NOT_GIVEN)
            put_null(t, "distance_m");
        else
            put_integer(t, "distance_m", candidate[i].metres);
        end_object(t);
    }
    end_list(t);
}

/* What only this finding has to say. */
static void
put_detail(struct lw_text *t, const struct lw_alert *alert)
{
    static const char *const gaps[] = {"meter", "position", "responsible", "status"};
    static const char *const licences[] = {"mining", "safety"};
    static const char *const phases[] = {"a", "b", "c"};
    const struct lw_evidence *e = &alert->alarm->evidence;

    put_object(t, "detail");
    switch ((enum lw_finding)e->finding) {
    case LW_FOUND_NO_LICENCE:
        put_bits(t, "licences_missing", e->detail2, licences, 2);
        break;
    case LW_FOUND_UNLIKE_REFERENCE:
    case LW_FOUND_DURING_SILENCE:
        put_kw(t, "heating_kw", e->detail);
        break;
    case LW_FOUND_UNLIKE_PEERS:
        put_integer(t, "peers", e->detail2);
        put_kw(t, "peers_median_kw", e->detail);
        break;
    case LW_FOUND_PUMPED_ON:
        put_kw(t, "rain_7d_mm", e->detail); /* um to mm, as W to kW */
        put_kw(t, "uncertainty_kw", e->detail2);
        break;
    case LW_FOUND_SILENT_METER:
        put_integer(t, "silent_s", e->detail / LW_SECOND);
        break;
    case LW_FOUND_SILENT_GATEWAY:
        put_integer(t, "silent_s", e->detail / LW_SECOND);
        put_integer(t, "meters_silent", e->detail2);
        put_dark_sites(t, alert);
        break;
    case LW_FOUND_OVERRUN:
        put_integer(t, "overruns", e->detail);
        break;
    case LW_FOUND_REGISTER_FELL:
    case LW_FOUND_REGISTER_LEAPT:
    case LW_FOUND_REGISTER_OVER_RATING:
        put_kwh(t, "step_kwh", e->detail);
        break;
    case LW_FOUND_REGISTER_STOOD:
        put_kw(t, "power_kw", e->mean_w);
        put_kwh(t, "due_kwh", e->detail);
        break;
    case LW_FOUND_REVERSED:
        put_kw(t, "power_kw", e->detail);
        break;
    case LW_FOUND_VOLTAGE_GONE:
    case LW_FOUND_CURRENT_GONE:
        put_bits(t, "voltage_lost", e->detail, phases, 3);
        put_bits(t, "current_lost", e->detail >> 3, phases, 3);
        break;
    case LW_FOUND_SUMS_DIFFER:
        put_kwh(t, "register_kwh", e->energy_wh);
        put_kwh(t, "power_kwh", e->detail);
        break;
    case LW_FOUND_OVER_MONTH:
    case LW_FOUND_OVER_YEAR:
        put_integer(t, "tonnes", e->detail);
        put_integer(t, "licensed_t_per_year", e->detail2);
        break;
    case LW_FOUND_CLOCK_WRONG:
        put_decimal(t, "drift_s", e->detail, LW_SECOND, 3);
        break;
    case LW_FOUND_NO_METER:
        put_bits(t, "missing", e->detail, gaps, 4);
        break;
    case LW_FOUND_RESIDUAL:
        put_utc(t, "step_at", e->from);
        put_kw(t, "step_kw", e->detail);
        put_silent_points(t, alert);
        put_integer(t, "silent", e->nsilent);
        put_candidates(t, alert);
        break;
    case LW_FOUND_DISPLACED:
        put_foreign_or_null(t, "from_site_id",
                            e->other > 0 ? alert->ledger->site[e->other - 1].id : "");
        put_kw(t, "lost_kw", e->detail2);
        put_kw(t, "step_kw", e->detail);
        break;
    case LW_FOUND_NOTHING:
    case LW_FOUND_NO_EXPLANATION:
    case LW_FOUND_OVER_ALLOWANCE:
    case LW_FOUND_PREEXISTING:
    case LW_FOUND_AFTER_CUTOFF:
    case LW_FOUND_GONE:
    case LW_FOUND_MOOT:
    case LW_FOUND_OUTGROWN:
    case LW_FOUND_REGISTER_ERRATIC:
    case LW_FOUND_VALUES_FROZEN:
    case LW_FOUND_POWER_GONE:
    case LW_FOUND_UNUSUALLY_HIGH:
    case LW_FOUND_UNUSUALLY_LOW:
    case LW_FOUND_OVER_CONTRACT:
    case LW_FOUND_SUSPENDED_CAPACITY:
    case LW_FOUND_PROCESS_SHARE:
    case LW_FINDINGS:
        break;
    }
    end_object(t);
}

/* The hash of what the alert rests on; null: on none. */
static void
put_digest(struct lw_text *t, const char *name, const uint8_t *sha256)
{
    char hex[2 * LW_SHA256_SIZE + 1];

    if (sha256)
        lw_hex(sha256, LW_SHA256_SIZE, hex);
    put_text(t, name, sha256 ? hex : NULL);
}

/* Which readings the hash is of; null where the alert rests on none. */
void
put_readings(struct lw_text *t, const struct lw_evidence *e)
{
    if (e->readings == 0) {
        put_null(t, "readings");
    } else {
        put_object(t, "readings");
        put_utc(t, "from", e->readings_from);
        put_utc(t, "to", e->readings_to);
        put_integer(t, "meters", e->readings_meters);
        put_integer(t, "count", e->readings);
        end_object(t);
    }
    put_digest(t, "readings_sha256", e->readings > 0 ? e->sha256 : NULL);
}

/* What was learned that they were compared with; null where nothing was. */
static void
put_learned(struct lw_text *t, const struct lw_alert *alert)
{
    const struct lw_evidence *e = &alert->alarm->evidence;
    lw_wall at = LW_WALL_MIN;
    const char *by = "";

    if (e->learned_to.ms <= e->learned_from.ms) {
        put_null(t, "learned");
        return;
    }
    put_object(t, "learned");
    put_utc(t, "from", e->learned_from);
    put_utc(t, "to", e->learned_to);
    put_digest(t, "sha256", e->learned_sha256);
    lw_alert_review(alert, &by, &at);
    put_foreign_or_null(t, "reviewed_by", by);
    put_utc(t, "reviewed_at", at);
    end_object(t);
}

/* What was measured of a load. */
static void
put_load(struct lw_text *t, const struct lw_evidence *e)
{
    put_kw(t, "mean_kw", e->mean_w);
    put_kw(t, "peak_kw", e->peak_w);
    put_kwh(t, "energy_kwh", e->energy_wh);
    put_kw(t, "expected_kw", e->expected_w);
    put_kwh(t, "excess_kwh", e->excess_wh);
    if (e->confidence_milli > 0)
        put_decimal(t, "confidence", e->confidence_milli, 1000, 3);
    else
        put_null(t, "confidence");
    put_bool(t, "night", e->night);
    put_integer(t, "samples_expected", e->samples_expected);
    put_integer(t, "samples_good", e->samples_good);
}

/* The same members, where a rule is about no load. */
static void
put_no_load(struct lw_text *t)
{
    static const char *const members[] = {
        "mean_kw",    "peak_kw", "energy_kwh",       "expected_kw",  "excess_kwh",
        "confidence", "night",   "samples_expected", "samples_good",
    };

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        put_null(t, members[i]);
}

void
put_evidence(struct lw_text *t, const struct lw_alert *alert, bool load)
{
    const struct lw_evidence *e = &alert->alarm->evidence;
    bool has_window = e->to.ms > e->from.ms;

    put_object(t, "evidence");
    put_object(t, "window");
    put_utc(t, "from", has_window ? e->from : alert->alarm->at);
    put_utc(t, "to", has_window ? e->to : alert->alarm->at);
    end_object(t);
    if (load)
        put_load(t, e);
    else
        put_no_load(t);
    put_meters(t, alert);
    put_readings(t, e);
    put_learned(t, alert);
    put_detail(t, alert);
    end_object(t);
}

static void
put_explanation(struct lw_text *t, const struct lw_explanation *x,
                enum lw_checked checked)
{
    put_object(t, NULL);
    put_foreign(t, "id", x->id);
    put_text(t, "kind", lw_enum_name(LW_ENUM_EXPLANATION, (int)x->kind));
    put_text(t, "result", lw_checked_name(checked));
    put_kw(t, "max_kw", x->max_w);
    put_utc(t, "valid_from", x->from);
    put_utc(t, "valid_to", x->to);
    put_foreign_or_null(t, "document", x->document);
    end_object(t);
}

/* That nothing is on file is said, not left to be inferred. */
static void
put_no_explanation(struct lw_text *t)
{
    put_object(t, NULL);
    put_null(t, "id");
    put_null(t, "kind");
    put_text(t, "result", lw_checked_name(LW_CHECKED_NONE));
    put_null(t, "max_kw");
    put_null(t, "valid_from");
    put_null(t, "valid_to");
    put_null(t, "document");
    end_object(t);
}

/* Those in force (or exceeded) first. */
void
put_explanations(struct lw_text *t, const struct lw_alert *alert, bool load)
{
    const struct lw_site *site = load ? lw_alert_site(alert) : NULL;
    int32_t found = 0;

    put_list(t, "explanations_checked");
    if (site && site->explanation_n == 0)
        put_no_explanation(t);
    for (int others = 0; site && others < 2; others++)
        for (int32_t i = 0; i < site->explanation_n; i++) {
            const struct lw_explanation *x =
                &alert->ledger->explanation[site->explanation_first + i];
            enum lw_checked checked = lw_explanation_checked(alert, x);
            bool holds = lw_checked_holds(checked);
            if (holds == (others == 0) && found++ < EXPLANATIONS_LISTED)
                put_explanation(t, x, checked);
        }
    end_list(t);
    put_left_out(t, "explanations_left_out", found, EXPLANATIONS_LISTED);
}
