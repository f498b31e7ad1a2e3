/* Two feeders with a handful of customers, and what happens to them: for the tests of
 * feeder_residual and displacement, which learn for a week here. */
#ifndef TESTS_FEEDER_WORLD_H
#define TESTS_FEEDER_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include <lodewatch/core.h>
#include <lodewatch/words.h>

#include "unit.h"

#define T0      INT64_C(1762128000000) /* 2025-11-03T00:00:00Z, a Monday */
#define QUARTER (15 * LW_MINUTE)

enum {
    DAYS = 16,
    STOPPED = 9 * 24,  /* hour in which CUT is cut off */
    CHANGED = 12 * 24, /* hour in which customers come, go and are switched over */
};

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw\n"
    "WORKS,厂,processing_plant,licensed,2025-01-01T00:00:00Z,C,35.60,111.00,CGCS2000,130\n"
    "SHOP,店,other,licensed,2025-01-01T00:00:00Z,C,35.61,111.00,CGCS2000,80\n"
    "HOUSE,户,other,licensed,2025-01-01T00:00:00Z,C,35.60,111.01,CGCS2000,20\n"
    "MINE,矿,coal_mine,closed,2025-01-01T00:00:00Z,C,35.62,111.00,CGCS2000,10\n"
    "CUT,停,coal_mine,cut_off,2025-11-12T00:00:00Z,C,35.60,111.02,CGCS2000,60\n"
    "NEW,新,other,licensed,2025-01-01T00:00:00Z,C,35.60,111.00,CGCS2000,30\n"
    "MOVED,改,other,licensed,2025-01-01T00:00:00Z,C,35.60,111.00,CGCS2000,30\n"
    "LONE,孤,unlicensed_point,unlicensed,2025-01-01T00:00:00Z,C,35.605,111.005,CGCS2000,\n"
    "FAR,远,other,licensed,2025-01-01T00:00:00Z,C,36.60,111.00,CGCS2000,90\n";
static const char METERS[] =
    "meter_id,point_id,site_id,role,parent_id,interval_s,rated_kw,energy_resolution_kwh,"
    "energy_modulus_kwh,installed_at,removed_at\n"
    "F,F,,feeder,,900,500,0.1,1000000,2025-01-01T00:00:00Z,\n"
    "G,G,,feeder,,900,500,0.1,1000000,2025-01-01T00:00:00Z,\n"
    "WORKS,WORKS,WORKS,supply,F,900,200,0.1,1000000,2025-01-01T00:00:00Z,\n"
    "SHOP,SHOP,SHOP,supply,F,900,100,0.01,1000000,2025-01-01T00:00:00Z,"
    "2025-11-15T00:00:00Z\n"
    "SHOP2,SHOP,SHOP,supply,F,900,100,0.01,1000000,2025-11-15T00:00:00Z,\n"
    "HOUSE,HOUSE,HOUSE,supply,F,900,100,0.01,1000000,2025-01-01T00:00:00Z,\n"
    "MINE,MINE,MINE,supply,F,900,20,0.01,1000000,2025-01-01T00:00:00Z,\n"
    "CUT,CUT,CUT,supply,F,900,80,0.01,1000000,2025-01-01T00:00:00Z,\n"
    "NEW,NEW,NEW,supply,F,900,40,0.01,1000000,2025-11-15T00:00:00Z,\n"
    "MOVED,MOVED,MOVED,supply,F,900,40,0.01,1000000,2025-01-01T00:00:00Z,"
    "2025-11-15T00:00:00Z\n"
    "MOVED,MOVED,MOVED,supply,G,900,40,0.01,1000000,2025-11-15T00:00:00Z,\n"
    "FAR,FAR,FAR,supply,G,900,120,0.01,1000000,2025-01-01T00:00:00Z,\n";
/* What a tap turned out to be, once it has been found. */
#define FOUND_SITE                                                                       \
    "FOUND,点,unlicensed_point,unlicensed,2025-11-15T00:00:00Z,C,35.60,111.00,"         \
    "CGCS2000,\n"
#define FOUND_METER "FOUND,FOUND,FOUND,supply,F,900,60,0.01,1000000,2025-11-15,\n"
static const char RULES[] = "[feeder_residual]\nlearn = 7d\n";

/* What happens; hours since T0. */
struct scene {
    const char *name;
    double tap_kw; /* on F, from hour to hour of the run */
    int tap_from, tap_to;
    int tap_again;      /* and for as long, from then on; 0: never */
    const char *silent; /* this meter, from hour to hour */
    int silent_from, silent_to;
    const char *busy; /* this meter's customer draws so much more, twice */
    double busy_kw;
    int busy_from, busy_to, again_from, again_to;
    double heat; /* all loads are so many times the usual */
    int heat_from, heat_to;
    double no_meter_kw;       /* customers of F that were never metered */
    const char *cut_moves_to; /* what CUT has lost; "": it is nobody's; NULL: gone */
    bool customers_change;
    const char
        *late; /* this meter's clock is a quarter of an hour behind, from then on */
    int late_from;
};

struct told {
    char what[160]; /* "raised feeder_residual feeder/F" */
    double hour;
    struct lw_evidence evidence;
};

struct world {
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    const struct scene *scene;
    double kwh[32];
    bool found; /* the tap is a site with a meter */
    uint64_t seed;
    struct told told[64];
    int ntold;
    char words[LW_WORDS_TEXT]; /* of the last of them, in English */
};

static inline void
hear(void *arg, const struct lw_effect *effect)
{
    static const char *const KIND[] = {"raised", "updated", "returned"};
    struct world *w = arg;
    const struct lw_alarm *a = effect->alert.alarm;
    char subject[LW_ID_MAX + 16];
    struct lw_alert alert = {w->ledger, effect->alert.kind, a};

    if (effect->kind != LW_EFFECT_ALERT)
        return;
    lw_alarm_subject(w->ledger, a, subject);
    if (a->rule != LW_RULE_FEEDER_RESIDUAL && a->rule != LW_RULE_DISPLACEMENT &&
        strcmp(subject, "site/FOUND") != 0)
        return;
    assert_true(w->ntold < (int)LENGTH(w->told));
    snprintf(w->told[w->ntold].what, sizeof w->told[0].what, "%s %s %s",
             KIND[effect->alert.kind], lw_rule_info(a->rule)->id, subject);
    w->told[w->ntold].hour = (double)(a->at.ms - T0) / (double)LW_HOUR;
    w->told[w->ntold++].evidence = a->evidence;
    lw_words(&alert, LW_PART_LINE, false, w->words, sizeof w->words);
}

static inline struct lw_ledger *
make_ledger(bool found)
{
    struct lw_ledger_text text = {.deployment = "test"};
    static struct lw_faults faults;
    static char sites[sizeof SITES + sizeof FOUND_SITE];
    static char meters[sizeof METERS + sizeof FOUND_METER];
    struct lw_ledger *ledger = NULL;

    snprintf(sites, sizeof sites, "%s%s", SITES, found ? FOUND_SITE : "");
    snprintf(meters, sizeof meters, "%s%s", METERS, found ? FOUND_METER : "");
    text.table[LW_AREAS].text = AREAS;
    text.table[LW_SITES].text = sites;
    text.table[LW_METERS].text = meters;
    for (int t = 0; t < LW_TABLES; t++)
        text.table[t].n = text.table[t].text ? strlen(text.table[t].text) : 0;
    memset(&faults, 0, sizeof faults);
    if (lw_ledger_new(&text, &faults, &ledger) != 0)
        fail_msg("%s:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].text);
    return ledger;
}

static inline void
begin(struct world *w, const struct scene *scene)
{
    static struct lw_faults faults;

    *w = (struct world){.scene = scene, .seed = 7, .ledger = make_ledger(false)};
    assert_int_equal(lw_rules_parse("", RULES, strlen(RULES), &faults, &w->rules), 0);
    assert_int_equal(lw_core_new(w->ledger, &w->rules, NULL, &w->core), 0);
    lw_core_on_effect(w->core, hear, w);
}

static inline void
end(struct world *w)
{
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
}

/* Between 0.9 and 1.1. */
static inline double
noise(struct world *w)
{
    w->seed = w->seed * 6364136223846793005U + 1442695040888963407U;
    return 0.9 + 0.2 * (double)(w->seed >> 40) / (double)(1 << 24);
}

static inline bool
within(int hour, int from, int to)
{
    return hour >= from && hour < to;
}

static inline double
usual_kw(const char *id, int hour)
{
    int day = hour % 24;

    if (strcmp(id, "WORKS") == 0)
        return within(day, 8, 18) ? 90 : 20;
    if (strncmp(id, "SHOP", 4) == 0)
        return within(day, 9, 21) ? 15 : 3;
    if (strcmp(id, "HOUSE") == 0)
        return within(day, 17, 23) ? 6 : 2;
    if (strcmp(id, "MINE") == 0)
        return 1;
    if (strcmp(id, "CUT") == 0)
        return hour < STOPPED ? 40 : 0;
    if (strcmp(id, "FAR") == 0)
        return within(day, 6, 20) ? 60 : 30;
    return 12; /* NEW, MOVED */
}

static inline double
load_kw(struct world *w, const char *id, int hour)
{
    const struct scene *s = w->scene;
    double kw;

    if (strcmp(id, "FOUND") == 0)
        return within(hour, s->tap_from, s->tap_to) ? s->tap_kw : 0;
    if (!s->customers_change && (strcmp(id, "NEW") == 0 || strcmp(id, "MOVED") == 0))
        return 0;
    kw = usual_kw(id, hour) * noise(w);
    if (s->busy && strcmp(id, s->busy) == 0 &&
        (within(hour, s->busy_from, s->busy_to) ||
         within(hour, s->again_from, s->again_to)))
        kw += s->busy_kw;
    if (s->heat > 0 && within(hour, s->heat_from, s->heat_to))
        kw *= s->heat;
    if (s->cut_moves_to && *s->cut_moves_to && hour >= STOPPED + 2 &&
        strncmp(id, s->cut_moves_to, strlen(s->cut_moves_to)) == 0)
        kw += 40 * noise(w);
    return kw;
}

static inline void
read_meter(struct world *w, int32_t row, int64_t at, bool good, bool late)
{
    const struct lw_meter *m = &w->ledger->meter[row];
    struct lw_event event = {.kind = LW_EVENT_READING, .at = {at}};
    int64_t step = m->resolution_wh;

    event.reading.meter = (uint32_t)row;
    event.reading.received.ms = at;
    event.reading.time.ms = late ? at - QUARTER : at;
    event.reading.q = good ? LW_GOOD : LW_MISSING;
    if (good) {
        event.reading.have = 1U << LW_IMPORT;
        event.reading.value[LW_IMPORT] = (int64_t)(w->kwh[row] * 1000) / step * step;
    }
    lw_core_step(w->core, &event);
}

/* Reads all meters, then lets a quarter of an hour pass. */
static inline void
quarter(struct world *w, int64_t at)
{
    const struct lw_ledger *l = w->ledger;
    const struct scene *s = w->scene;
    int hour = (int)((at - T0) / LW_HOUR);
    double sum[2] = {0, 0}; /* F, G */

    for (int32_t row = 0; row < l->nmeters; row++) {
        const struct lw_meter *m = &l->meter[row];
        bool silent = s->silent && strcmp(s->silent, m->id) == 0 &&
                      within(hour, s->silent_from, s->silent_to);
        bool late = s->late && strcmp(s->late, m->id) == 0 && hour >= s->late_from;

        if (m->installed.ms <= at && at < m->removed.ms)
            read_meter(w, row, at, !silent, late);
    }
    for (int32_t row = 0; row < l->nmeters; row++) {
        const struct lw_meter *m = &l->meter[row];
        double kw;

        if (m->installed.ms > at || at >= m->removed.ms || m->parent == LW_NONE)
            continue;
        kw = load_kw(w, m->id, hour);
        w->kwh[row] += kw / 4;
        sum[l->point[m->parent].id[0] == 'G'] += kw;
    }
    if (!w->found &&
        (within(hour, s->tap_from, s->tap_to) ||
         (s->tap_again > 0 &&
          within(hour, s->tap_again, s->tap_again + s->tap_to - s->tap_from))))
        sum[0] += s->tap_kw;
    sum[0] += s->no_meter_kw;
    if (s->cut_moves_to && !*s->cut_moves_to && hour >= STOPPED + 2)
        sum[0] += 40 * noise(w);
    for (int32_t row = 0; row < l->nmeters; row++)
        if (l->point[l->meter[row].point].role == LW_FEEDER) {
            double kw = sum[l->meter[row].id[0] == 'G'];

            w->kwh[row] += (kw + 1 + 0.0002 * kw * kw) / 4;
        }
}

static inline const struct told *
find(const struct world *w, const char *what)
{
    for (int i = 0; i < w->ntold; i++)
        if (strcmp(w->told[i].what, what) == 0)
            return &w->told[i];
    return NULL;
}

/* Tuesday 22:00 of the second week. */
#define TUESDAY (8 * 24 + 22)
#define RAISED  "raised feeder_residual feeder/F"

#endif
