/* What an alert says from the ledger and the evidence: its site, its measurements, and
 * the explanations that were checked. Lists are bounded, so that an alert always fits. */
#include <string.h>

#include <lodewatch/hash.h>

#include "values_json.h"

#define put    lw_json_put
#define append lw_json_append

enum {
    METERS_LISTED = 8,
    EXPLANATIONS_LISTED = 12,
    SITES_LISTED = 16,
    TAGS_LISTED = 8,
};

static json_t *
licence(const struct lw_alert *alert, enum lw_licence_kind kind)
{
    const struct lw_licence *l;
    enum lw_checked checked = lw_licence_checked(alert, kind, &l);

    if (checked == LW_CHECKED_NONE)
        return json_null();
    json_t *o = json_object();
    put(&o, "number", lw_json_foreign(l->number));
    put(&o, "result", json_string(lw_checked_name(checked)));
    put(&o, "valid_from", lw_json_utc(l->from));
    put(&o, "valid_to", lw_json_utc(l->to));
    return o;
}

/* The first chief among the contacts of an area, or else of a site. */
static json_t *
chief(const struct lw_ledger *ledger, int32_t area, int32_t site)
{
    for (int32_t i = 0; i < ledger->ncontacts; i++) {
        const struct lw_contact *c = &ledger->contact[i];
        if (c->rank == LW_CHIEF && c->area == area && c->site == site)
            return lw_json_foreign(c->id);
    }
    return json_null();
}

/* Puts the site's area of every level, or those areas' chiefs; null where there is none.
 */
static void
put_levels(json_t **o, const struct lw_alert *alert, bool chiefs)
{
    const struct lw_ledger *ledger = alert->ledger;
    const struct lw_site *site = lw_alert_site(alert);

    for (int level = LW_COUNTY; level <= LW_OPENING; level++) {
        const char *name = lw_enum_name(LW_ENUM_LEVEL, level);
        int32_t area = site ? site->area : LW_NONE;
        while (area != LW_NONE && (int)ledger->area[area].level != level)
            area = ledger->area[area].parent;
        if (area == LW_NONE)
            put(o, name, json_null());
        else if (chiefs)
            put(o, name, chief(ledger, area, LW_NONE));
        else
            put(o, name, lw_json_foreign(ledger->area[area].id));
    }
}

static json_t *
responsible(const struct lw_alert *alert)
{
    json_t *o = json_object();

    put_levels(&o, alert, true);
    put(&o, "site",
        lw_alert_site(alert) ? chief(alert->ledger, LW_NONE, alert->alarm->site)
                             : json_null());
    return o;
}

static json_t *
tags(const char *s)
{
    json_t *list = json_array();

    for (int i = 0; *s && i < TAGS_LISTED; i++) {
        size_t n = strcspn(s, ";");
        if (n > 0)
            append(&list, lw_json_foreign_n(s, n));
        s += n + (s[n] == ';');
    }
    return list;
}

json_t *
lw_json_site(const struct lw_alert *alert)
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
    json_t *licences = json_object();
    json_t *o = json_object();

    put(&licences, "mining", licence(alert, LW_LICENCE_MINING));
    put(&licences, "safety", licence(alert, LW_LICENCE_SAFETY));

    put(&o, "id", lw_json_foreign_or_null(s->id));
    put(&o, "name", lw_json_foreign_or_null(s->name));
    put(&o, "name_en", lw_json_foreign_or_null(s->name_en));
    put(&o, "kind",
        site ? json_string(lw_enum_name(LW_ENUM_SITE_KIND, (int)s->kind)) : json_null());
    put(&o, "status",
        site ? json_string(lw_enum_name(LW_ENUM_STATUS, status)) : json_null());
    put(&o, "status_since", lw_json_utc(s->status_since));
    put(&o, "status_document", lw_json_foreign_or_null(s->status_document));
    put_levels(&o, alert, false);
    put(&o, "lat",
        s->has_position ? lw_json_decimal(s->lat_udeg, 1000000, 6) : json_null());
    put(&o, "lon",
        s->has_position ? lw_json_decimal(s->lon_udeg, 1000000, 6) : json_null());
    put(&o, "datum",
        s->datum == LW_DATUM_NONE
            ? json_null()
            : json_string(lw_enum_name(LW_ENUM_DATUM, (int)s->datum)));
    put(&o, "licences", licences);
    put(&o, "important_user", site ? json_boolean(s->important_user) : json_null());
    put(&o, "own_generation", site ? json_boolean(s->own_generation) : json_null());
    put(&o, "residents_downstream",
        site ? json_boolean(s->residents_downstream) : json_null());
    put(&o, "responsible", responsible(alert));
    put(&o, "tags", tags(s->tags));
    return o;
}

static json_t *
meter(const struct lw_metering_point *point, const struct lw_meter *m)
{
    json_t *o = json_object();

    put(&o, "id", lw_json_foreign(m->id));
    put(&o, "point_id", lw_json_foreign(point->id));
    put(&o, "role", json_string(lw_enum_name(LW_ENUM_ROLE, (int)point->role)));
    put(&o, "ct_ratio", lw_json_decimal(m->ct_milli, 1000, 3));
    put(&o, "pt_ratio", lw_json_decimal(m->pt_milli, 1000, 3));
    return o;
}

/* The meters that were in place in the window at the alert's point, or else at its site.
 */
static json_t *
meters(const struct lw_alert *alert, json_int_t *ret_left_out)
{
    const struct lw_ledger *ledger = alert->ledger;
    const struct lw_metering_point *point = lw_alert_point(alert);
    const struct lw_site *site = lw_alert_site(alert);
    int32_t npoints = point ? 1 : site ? site->point_n : 0;
    const struct lw_evidence *e = &alert->alarm->evidence;
    lw_wall to = lw_alert_moment(alert);
    lw_wall from = e->to.ms > e->from.ms ? e->from : to;
    json_t *list = json_array();
    json_int_t found = 0;

    if (!point && site)
        point = &ledger->point[site->point_first];
    for (; npoints > 0; point++, npoints--)
        for (int32_t i = 0; i < point->meter_n; i++) {
            const struct lw_meter *m = &ledger->meter[point->meter_first + i];
            if (m->installed.ms <= to.ms && m->removed.ms > from.ms &&
                found++ < METERS_LISTED)
                append(&list, meter(point, m));
        }
    *ret_left_out = found > METERS_LISTED ? found - METERS_LISTED : 0;
    return list;
}

/* The sites with a meter behind the alert's gateway; points come in the order of sites.
 */
static json_t *
dark_sites(const struct lw_alert *alert, json_int_t *ret_left_out)
{
    const struct lw_ledger *ledger = alert->ledger;
    lw_wall t = lw_alert_moment(alert);
    int32_t last = LW_NONE;
    json_t *list = json_array();
    json_int_t found = 0;

    for (int32_t i = 0; i < ledger->nmeters; i++) {
        const struct lw_meter *m = &ledger->meter[i];
        int32_t site = ledger->point[m->point].site;
        if (m->gateway != alert->alarm->subject || site == LW_NONE || site == last ||
            t.ms < m->installed.ms || t.ms >= m->removed.ms)
            continue;
        last = site;
        if (found++ < SITES_LISTED)
            append(&list, lw_json_foreign(ledger->site[site].id));
    }
    *ret_left_out = found > SITES_LISTED ? found - SITES_LISTED : 0;
    return list;
}

/* The names of the bits that are set. */
static json_t *
bits(int64_t set, const char *const names[], size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        if (set >> i & 1)
            append(&list, json_string(names[i]));
    return list;
}

/* Meters of the feeder that are silent, the first few by their points. */
static json_t *
silent_points(const struct lw_alert *alert)
{
    const struct lw_evidence *e = &alert->alarm->evidence;
    json_t *list = json_array();

    for (int i = 0; i < LW_SILENT_NAMED; i++)
        if (e->silent[i] > 0)
            append(&list, lw_json_foreign(alert->ledger->point[e->silent[i] - 1].id));
    return list;
}

static json_t *
candidates(const struct lw_alert *alert)
{
    struct lw_candidate candidate[LW_CANDIDATES];
    int n = lw_feeder_candidates(alert, candidate);
    json_t *list = json_array();

    for (int i = 0; i < n; i++) {
        const struct lw_site *site = &alert->ledger->site[candidate[i].site];
        int status = (int)lw_site_status_at(site, lw_alert_moment(alert));
        json_t *o = json_object();

        put(&o, "site_id", lw_json_foreign(site->id));
        put(&o, "status", json_string(lw_enum_name(LW_ENUM_STATUS, status)));
        put(&o, "distance_m",
            candidate[i].metres == LW_NOT_GIVEN ? json_null()
                                                : json_integer(candidate[i].metres));
        append(&list, o);
    }
    return list;
}

/* What only this finding has to say. */
static json_t *
detail(const struct lw_alert *alert)
{
    static const char *const gaps[] = {"meter", "position", "responsible", "status"};
    static const char *const licences[] = {"mining", "safety"};
    static const char *const phases[] = {"a", "b", "c"};
    const struct lw_evidence *e = &alert->alarm->evidence;
    json_int_t left_out;
    json_t *o = json_object();

    switch ((enum lw_finding)e->finding) {
    case LW_FOUND_NO_LICENCE:
        put(&o, "licences_missing", bits(e->detail2, licences, 2));
        break;
    case LW_FOUND_UNLIKE_REFERENCE:
    case LW_FOUND_DURING_SILENCE:
        put(&o, "heating_kw", lw_json_kw(e->detail));
        break;
    case LW_FOUND_SILENT_METER:
        put(&o, "silent_s", json_integer(e->detail / LW_SECOND));
        break;
    case LW_FOUND_SILENT_GATEWAY:
        put(&o, "silent_s", json_integer(e->detail / LW_SECOND));
        put(&o, "meters_silent", json_integer(e->detail2));
        put(&o, "sites", dark_sites(alert, &left_out));
        put(&o, "sites_left_out", json_integer(left_out));
        break;
    case LW_FOUND_OVERRUN:
        put(&o, "overruns", json_integer(e->detail));
        break;
    case LW_FOUND_REGISTER_FELL:
    case LW_FOUND_REGISTER_LEAPT:
    case LW_FOUND_REGISTER_OVER_RATING:
        put(&o, "step_kwh", lw_json_kwh(e->detail));
        break;
    case LW_FOUND_REGISTER_STOOD:
        put(&o, "power_kw", lw_json_kw(e->mean_w));
        put(&o, "due_kwh", lw_json_kwh(e->detail));
        break;
    case LW_FOUND_REVERSED:
        put(&o, "power_kw", lw_json_kw(e->detail));
        break;
    case LW_FOUND_VOLTAGE_GONE:
    case LW_FOUND_CURRENT_GONE:
        put(&o, "voltage_lost", bits(e->detail, phases, 3));
        put(&o, "current_lost", bits(e->detail >> 3, phases, 3));
        break;
    case LW_FOUND_SUMS_DIFFER:
        put(&o, "register_kwh", lw_json_kwh(e->energy_wh));
        put(&o, "power_kwh", lw_json_kwh(e->detail));
        break;
    case LW_FOUND_OVER_MONTH:
    case LW_FOUND_OVER_YEAR:
        put(&o, "tonnes", json_integer(e->detail));
        put(&o, "licensed_t_per_year", json_integer(e->detail2));
        break;
    case LW_FOUND_CLOCK_WRONG:
        put(&o, "drift_s", lw_json_decimal(e->detail, LW_SECOND, 3));
        break;
    case LW_FOUND_NO_METER:
        put(&o, "missing", bits(e->detail, gaps, 4));
        break;
    case LW_FOUND_RESIDUAL:
        put(&o, "step_at", lw_json_utc(e->from));
        put(&o, "step_kw", lw_json_kw(e->detail));
        put(&o, "silent_points", silent_points(alert));
        put(&o, "silent", json_integer(e->nsilent));
        put(&o, "candidates", candidates(alert));
        break;
    case LW_FOUND_DISPLACED:
        put(&o, "from_site_id",
            e->other > 0 ? lw_json_foreign(alert->ledger->site[e->other - 1].id)
                         : json_null());
        put(&o, "lost_kw", lw_json_kw(e->detail2));
        put(&o, "step_kw", lw_json_kw(e->detail));
        break;
    case LW_FOUND_NOTHING:
    case LW_FOUND_NO_EXPLANATION:
    case LW_FOUND_OVER_ALLOWANCE:
    case LW_FOUND_PREEXISTING:
    case LW_FOUND_AFTER_CUTOFF:
    case LW_FOUND_GONE:
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
    return o;
}

static json_t *
digest(const uint8_t sha256[LW_SHA256_SIZE])
{
    char hex[2 * LW_SHA256_SIZE + 1];

    lw_hex(sha256, LW_SHA256_SIZE, hex);
    return json_string(hex);
}

/* Which readings the hash is of; null where the alert rests on none. */
static json_t *
readings(const struct lw_evidence *e)
{
    json_t *o;

    if (e->readings == 0)
        return json_null();
    o = json_object();
    put(&o, "from", lw_json_utc(e->readings_from));
    put(&o, "to", lw_json_utc(e->readings_to));
    put(&o, "meters", json_integer(e->readings_meters));
    put(&o, "count", json_integer(e->readings));
    return o;
}

/* What was learned that they were compared with; null where nothing was. */
static json_t *
learned(const struct lw_evidence *e)
{
    json_t *o;

    if (e->learned_to.ms <= e->learned_from.ms)
        return json_null();
    o = json_object();
    put(&o, "from", lw_json_utc(e->learned_from));
    put(&o, "to", lw_json_utc(e->learned_to));
    put(&o, "sha256", digest(e->learned_sha256));
    return o;
}

json_t *
lw_json_evidence(const struct lw_alert *alert, bool load)
{
    const struct lw_evidence *e = &alert->alarm->evidence;
    bool has_window = e->to.ms > e->from.ms;
    json_int_t left_out;
    json_t *window = json_object();
    json_t *o = json_object();

    put(&window, "from", lw_json_utc(has_window ? e->from : alert->alarm->at));
    put(&window, "to", lw_json_utc(has_window ? e->to : alert->alarm->at));

    put(&o, "window", window);
    put(&o, "mean_kw", load ? lw_json_kw(e->mean_w) : json_null());
    put(&o, "peak_kw", load ? lw_json_kw(e->peak_w) : json_null());
    put(&o, "energy_kwh", load ? lw_json_kwh(e->energy_wh) : json_null());
    put(&o, "expected_kw", load ? lw_json_kw(e->expected_w) : json_null());
    put(&o, "excess_kwh", load ? lw_json_kwh(e->excess_wh) : json_null());
    put(&o, "confidence",
        load && e->confidence_milli > 0 ? lw_json_decimal(e->confidence_milli, 1000, 3)
                                        : json_null());
    put(&o, "night", load ? json_boolean(e->night) : json_null());
    put(&o, "samples_expected", load ? json_integer(e->samples_expected) : json_null());
    put(&o, "samples_good", load ? json_integer(e->samples_good) : json_null());
    put(&o, "meters", meters(alert, &left_out));
    put(&o, "meters_left_out", json_integer(left_out));
    put(&o, "readings", readings(e));
    put(&o, "readings_sha256", e->readings > 0 ? digest(e->sha256) : json_null());
    put(&o, "learned", learned(e));
    put(&o, "detail", detail(alert));
    return o;
}

static json_t *
explanation(const struct lw_explanation *x, enum lw_checked checked)
{
    json_t *o = json_object();

    put(&o, "id", lw_json_foreign(x->id));
    put(&o, "kind", json_string(lw_enum_name(LW_ENUM_EXPLANATION, (int)x->kind)));
    put(&o, "result", json_string(lw_checked_name(checked)));
    put(&o, "max_kw", lw_json_kw(x->max_w));
    put(&o, "valid_from", lw_json_utc(x->from));
    put(&o, "valid_to", lw_json_utc(x->to));
    put(&o, "document", lw_json_foreign_or_null(x->document));
    return o;
}

/* Those in force (or exceeded) first. That nothing is on file is said, not left to be
 * inferred. */
json_t *
lw_json_explanations(const struct lw_alert *alert, json_int_t *ret_left_out)
{
    const struct lw_site *site = lw_alert_site(alert);
    json_t *list = json_array();
    json_int_t found = 0;

    if (site && site->explanation_n == 0)
        append(&list, json_pack("{s:n, s:n, s:s, s:n, s:n, s:n, s:n}", "id", "kind",
                                "result", lw_checked_name(LW_CHECKED_NONE), "max_kw",
                                "valid_from", "valid_to", "document"));
    for (int others = 0; site && others < 2; others++)
        for (int32_t i = 0; i < site->explanation_n; i++) {
            const struct lw_explanation *x =
                &alert->ledger->explanation[site->explanation_first + i];
            enum lw_checked checked = lw_explanation_checked(alert, x);
            bool holds = checked == LW_CHECKED_IN_FORCE || checked == LW_CHECKED_EXCEEDED;
            if (holds == (others == 0) && found++ < EXPLANATIONS_LISTED)
                append(&list, explanation(x, checked));
        }
    *ret_left_out = found > EXPLANATIONS_LISTED ? found - EXPLANATIONS_LISTED : 0;
    return list;
}
