/* A closed site, a site that was cut off, the weather, and what is heard of them: the
 * world that test_site_rules.c plays its cases in. */
#ifndef TESTS_SITE_WORLD_H
#define TESTS_SITE_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>
#include <lodewatch/pack.h>

#include "unit.h"

#define T0      INT64_C(1759276800000) /* 2025-10-01T00:00:00Z */
#define QUARTER (15 * LW_MINUTE)
#define HOUR    4 /* quarters */
#define DAY     96

static const char *const TABLE[LW_TABLES] = {
    [LW_AREAS] = "area_id,parent_id,level,name\nC,,county,县\n",
    [LW_CONTACTS] = "contact_id,area_id,role,name\nP1,C,chief,某人\n",
    [LW_SITES] =
        "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw\n"
        "S,关闭点,non_coal_mine,closed,2025-01-01T00:00:00Z,C,35.6,111,CGCS2000,200\n"
        "CUT,停电点,quarry,cut_off,2025-11-05T00:00:00Z,C,35.6,111,CGCS2000,200\n",
    [LW_EXPLANATIONS] =
        "explanation_id,site_id,kind,max_kw,hours,valid_from,valid_to,authority,document,"
        "approved_by,approved_by_2,point_id\n"
        "G,S,guard_house,40,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"
        "H,S,heating,,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"
        "M,S,maintenance,30,,2025-11-06T00:00:00Z,2025-11-06T12:00:00Z,office,A,p1,p2,\n",
    [LW_GATEWAYS] = "gateway_id,transport,address\nG1,tcp,127.0.0.1:1502\n",
    [LW_METERS] =
        "meter_id,site_id,role,parent_id,gateway_id,unit,profile,interval_s,rated_kw,"
        "energy_resolution_kwh,energy_modulus_kwh,installed_at\n"
        "A,S,supply,,G1,1,generic,900,200,0.1,1000000,2025-01-01T00:00:00Z\n"
        "B,CUT,supply,,G1,3,generic,900,200,0.1,1000000,2025-01-01T00:00:00Z\n"
        "WX,,context,,G1,2,weather,3600,,,,2025-01-01T00:00:00Z\n",
};
/* The same with a pump: beside A in the register alone, or with a meter of its own. */
#define PUMP_UNMETERED "P,S,dewatering,15,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"
#define PUMP_METERED   "P,S,dewatering,15,,2025-01-01T00:00:00Z,,office,A,p1,p2,SUB\n"
#define SUB_METER      "SUB,S,sub,A,G1,4,generic,900,20,0.1,1000000,2025-01-01T00:00:00Z\n"

/* What was emitted: a line an alert. */
struct heard {
    char text[65536];
    size_t n;
};

static inline void
hear(void *arg, const struct lw_effect *effect)
{
    static const char *const KIND[] = {"raised", "updated", "returned"};
    struct heard *h = arg;
    const struct lw_alarm *a;

    if (effect->kind != LW_EFFECT_ALERT)
        return;
    a = effect->alert.alarm;
    h->n += (size_t)snprintf(
        h->text + h->n, sizeof h->text - h->n,
        "%s %s.%u at %lld excess %lld expected %lld of %d %s\n", KIND[effect->alert.kind],
        lw_rule_info((enum lw_rule_id)a->rule)->id, a->revision,
        (long long)((a->at.ms - T0) / QUARTER), (long long)a->evidence.excess_wh,
        (long long)a->evidence.expected_w, a->evidence.finding,
        lw_priority_name((enum lw_priority)a->priority));
    assert_true(h->n < sizeof h->text);
}

/* kW of the lawful load, of what is hidden in it, and of the pump, by the quarter hour;
 * below 0: the meter is silent. Degrees. */
struct field {
    double (*load)(int q, double degrees);
    double (*hidden)(int q);
    double (*pump)(int q);
    double (*degrees)(int q);
    double (*cut)(int q);
};

struct world {
    const struct field *field;
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    struct heard heard;
    double (*rain)(int q);  /* mm an hour; below 0: the gauge is silent */
    double (*level)(int q); /* m */
    double kwh[4];
    int q;
    int deaf; /* from then on the thermometer is silent; 0: never */
    bool ticks;
    uint32_t noise;
};

/* `explanation` and `meter` are rows more; an explanation with its header is all of them.
 */
static inline void
begin(struct world *w, const struct field *field, const char *explanation,
      const char *meter)
{
    static struct lw_faults faults;
    static char text[LW_TABLES][4096];
    struct lw_ledger_text t = {.deployment = "test"};

    memset(w, 0, sizeof *w);
    memset(&faults, 0, sizeof faults);
    w->field = field;
    w->noise = 1;
    for (int i = 0; i < LW_TABLES; i++) {
        bool all =
            i == LW_EXPLANATIONS && strncmp(explanation, "explanation_id", 14) == 0;

        snprintf(text[i], sizeof text[i], "%s%s", TABLE[i] && !all ? TABLE[i] : "",
                 i == LW_EXPLANATIONS ? explanation
                 : i == LW_METERS     ? meter
                                      : "");
        t.table[i].text = text[i];
        t.table[i].n = strlen(text[i]);
    }
    if (lw_ledger_new(&t, &faults, &w->ledger) != 0)
        fail_msg("%s:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].text);
    assert_int_equal(lw_rules_parse("", "", 0, &faults, &w->rules), 0);
    assert_int_equal(lw_core_new(w->ledger, &w->rules, NULL, &w->core), 0);
    lw_core_on_effect(w->core, hear, &w->heard);
}

static inline void
end(struct world *w)
{
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
}

static inline void
read_meter(struct world *w, const char *id, int slot, double kw)
{
    lw_wall at = {T0 + (int64_t)w->q * QUARTER};
    int32_t m = lw_ledger_meter(w->ledger, id, strlen(id), at);
    struct lw_event e = {.kind = LW_EVENT_READING, .at = at};

    w->kwh[slot] += (kw < 0 ? -kw : kw) / 4;
    if (kw < 0)
        return; /* silent; the register goes on */
    e.reading = (struct lw_reading){
        .time = at, .received = at, .meter = (uint32_t)m, .have = 1 << LW_IMPORT};
    e.reading.value[LW_IMPORT] = (int64_t)(w->kwh[slot] * 10) * 100 + 1000000;
    lw_core_step(w->core, &e);
}

static inline void
read_weather(struct world *w, double degrees)
{
    lw_wall at = {T0 + (int64_t)w->q * QUARTER};
    struct lw_event e = {.kind = LW_EVENT_READING, .at = at};

    e.reading = (struct lw_reading){
        .time = at,
        .received = at,
        .meter = (uint32_t)lw_ledger_meter(w->ledger, "WX", 2, at),
        .have = 1 << LW_TEMPERATURE,
    };
    /* A thermometer is never still. */
    e.reading.value[LW_TEMPERATURE] = (int64_t)(degrees * 1000) + w->q / HOUR % 7;
    if (w->rain && w->rain(w->q) >= 0) {
        e.reading.have |= 1 << LW_RAIN;
        e.reading.value[LW_RAIN] = (int64_t)(w->rain(w->q) * 1000);
    }
    if (w->level) {
        e.reading.have |= 1 << LW_WATER_LEVEL;
        e.reading.value[LW_WATER_LEVEL] = (int64_t)(w->level(w->q) * 1000);
    }
    lw_core_step(w->core, &e);
}

/* Two per cent of noise, from a seed. */
static double
noisy(struct world *w, double kw)
{
    w->noise = w->noise * 1664525 + 1013904223;
    return kw * (0.98 + 0.04 * (w->noise >> 8) / (1 << 24));
}

static inline void
run_to(struct world *w, int q)
{
    while (w->q < q) {
        const struct field *f = w->field;
        double degrees = f->degrees ? f->degrees(w->q) : 10;
        double hidden = f->hidden ? f->hidden(w->q) : 0;
        double pump = f->pump ? f->pump(w->q) : 0;
        double kw = noisy(w, f->load(w->q, degrees)) + pump;

        w->q++;
        if (w->q % HOUR == 1 && (w->deaf == 0 || w->q < w->deaf))
            read_weather(w, degrees);
        if (lw_ledger_point(w->ledger, "SUB") != LW_NONE)
            read_meter(w, "SUB", 1, pump);
        read_meter(w, "A", 0, hidden < 0 ? -(kw - hidden) : kw + hidden);
        if (f->cut)
            read_meter(w, "B", 2, f->cut(w->q));
        for (int i = 1; w->ticks && i < 15; i += 5) {
            struct lw_event e = {.kind = LW_EVENT_TICK};

            e.at.ms = T0 + (int64_t)w->q * QUARTER + i * LW_MINUTE;
            lw_core_step(w->core, &e);
        }
    }
}

/* How often the text was heard. */
static inline int
count(const struct world *w, const char *what)
{
    int n = 0;

    for (const char *at = w->heard.text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* When (in quarters) the first such line came; -1: never. */
static inline int
when(const struct world *w, const char *what)
{
    const char *line = strstr(w->heard.text, what);
    const char *at = line ? strstr(line, " at ") : NULL;

    return at ? atoi(at + 4) : -1;
}

#endif
