/* Closed sites against their reference: each case is what happens in the field, over
 * weeks of a simulated clock. And two properties: extra ticks change nothing, and a core
 * that was saved and loaded in the middle goes on alike. */
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

static void
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
        "%s %s.%u at %lld excess %lld expected %lld of %d\n", KIND[effect->alert.kind],
        lw_rule_info((enum lw_rule_id)a->rule)->id, a->revision,
        (long long)((a->at.ms - T0) / QUARTER), (long long)a->evidence.excess_wh,
        (long long)a->evidence.expected_w, a->evidence.finding);
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
    double kwh[4];
    int q;
    bool ticks;
    uint32_t noise;
};

static void
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
        snprintf(text[i], sizeof text[i], "%s%s", TABLE[i] ? TABLE[i] : "",
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

static void
end(struct world *w)
{
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
}

static void
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

static void
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
    e.reading.value[LW_TEMPERATURE] = (int64_t)(degrees * 1000);
    lw_core_step(w->core, &e);
}

/* Two per cent of noise, from a seed. */
static double
noisy(struct world *w, double kw)
{
    w->noise = w->noise * 1664525 + 1013904223;
    return kw * (0.98 + 0.04 * (w->noise >> 8) / (1 << 24));
}

static void
run_to(struct world *w, int q)
{
    while (w->q < q) {
        const struct field *f = w->field;
        double degrees = f->degrees ? f->degrees(w->q) : 10;
        double hidden = f->hidden ? f->hidden(w->q) : 0;
        double pump = f->pump ? f->pump(w->q) : 0;
        double kw = noisy(w, f->load(w->q, degrees)) + pump;

        w->q++;
        if (w->q % HOUR == 1)
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
static int
count(const struct world *w, const char *what)
{
    int n = 0;

    for (const char *at = w->heard.text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

/* When (in quarters) the first such line came; -1: never. */
static int
when(const struct world *w, const char *what)
{
    const char *line = strstr(w->heard.text, what);
    const char *at = line ? strstr(line, " at ") : NULL;

    return at ? atoi(at + 4) : -1;
}

/* --- loads */

/* A guard house: 3 kW, a lamp of 1 kW from dusk to dawn as the sets' clocks have it. */
static double
guard_house(int q, double degrees)
{
    int h = q / HOUR % 24;

    (void)degrees;
    return h >= 11 && h < 22 ? 4 : 3;
}

/* The same, and a heater: 0.2 kW for each kelvin below 15. */
static double
heated_house(int q, double degrees)
{
    return guard_house(q, degrees) + (degrees < 15 ? 0.2 * (15 - degrees) : 0);
}

/* Lamps that follow the season: they burn ever longer. */
static double
dusk_lamps(int q, double degrees)
{
    int day = q / DAY, quarter = q % DAY;
    int later = day > 80 ? 80 : day; /* minutes of each edge by the solstice */

    (void)degrees;
    return quarter >= 44 - later / 15 && quarter < 88 + later / 15 ? 5 : 3;
}

/* 18 degrees by day and 6 by night in October, some days colder than others; December is
 * 15 degrees colder. */
static double
autumn(int q)
{
    int day = q / DAY, h = q / HOUR % 24;
    double cold = day < 28 ? 0 : day > 60 ? 15 : (day - 28) * 15.0 / 32;

    return (h >= 4 && h < 12 ? 18 : 6) - day * 5 % 7 - cold;
}

/* No day below 16 in October; then the frost. */
static double
late_summer(int q)
{
    int day = q / DAY;

    return day < 30 ? 16 + day % 5 : 16 - (day - 30) * 0.7;
}

#define LEARNED (28 * DAY)
#define FROM    (30 * DAY + 8 * HOUR) /* 2025-10-31T08:00:00Z */

/* --- what is hidden */

/* 20 kW, an hour on and a quarter off, for a day: beneath the ceiling of 40 kW. */
static double
crusher(int q)
{
    return q >= FROM && q < FROM + DAY && q % 5 != 0 ? 20 : 0;
}

static double
small_for_weeks(int q)
{
    return q >= FROM && q < FROM + 21 * DAY ? 0.6 : 0;
}

static double
at_night(int q)
{
    int h = q / HOUR % 24;

    return q >= FROM && q < FROM + 9 * DAY && h < 5 ? 8 : 0;
}

static double
one_hour(int q)
{
    return q >= FROM && q < FROM + HOUR ? 30 : 0;
}

/* A night's run while the meter is silent. */
static double
in_a_gap(int q)
{
    return q >= FROM && q < FROM + 9 * HOUR ? -12 : 0;
}

/* Under the permit of 6 November, and half a day longer. */
static double
overstay(int q)
{
    return q >= 36 * DAY && q < 37 * DAY ? 20 : 0;
}

/* Two shifts a day from the first day on. */
static double
shifts(int q)
{
    int h = q / HOUR % 24;

    return (h < 4 || (h >= 5 && h < 9)) && q / DAY % 7 < 6 ? 12 : 0;
}

static double
pump_cycles(int q)
{
    /* Every four hours one interval of 15 kW; after the rain of November every two. */
    return q % (q < FROM ? 16 : 8) == 0 ? 15 : 0;
}

static double
stays_dark(int q)
{
    (void)q;
    return 0;
}

/* After the cutoff of 5 November: 0.2 kW for an hour. */
static double
back_for_an_hour(int q)
{
    return q >= 36 * DAY && q < 36 * DAY + HOUR ? 0.2 : 0;
}

/* A row: what happens, what must be raised within how many quarters, or nothing. */
static const struct row {
    const char *name;
    struct field field;
    const char *explanation, *meter;
    int from, until;
    const char *raised; /* NULL: nothing is */
    int within;
} rows[] = {
    {"a guard house and its lamp, for two months",
     {guard_house, NULL, NULL, NULL, NULL},
     "",
     "",
     FROM,
     60 * DAY,
     NULL,
     0},
    {"a heater in the frost after a mild month",
     {heated_house, NULL, NULL, autumn, NULL},
     "",
     "",
     FROM,
     75 * DAY,
     NULL,
     0},
    {"a heater in the first frost after a warm month",
     {heated_house, NULL, NULL, late_summer, NULL},
     "",
     "",
     FROM,
     75 * DAY,
     NULL,
     0},
    {"dusk lamps, up to the solstice",
     {dusk_lamps, NULL, NULL, NULL, NULL},
     "",
     "",
     FROM,
     82 * DAY,
     NULL,
     0},
    {"a pump after rain, with no sub-meter",
     {guard_house, NULL, pump_cycles, NULL, NULL},
     PUMP_UNMETERED,
     "",
     FROM,
     60 * DAY,
     NULL,
     0},
    {"a pump after rain, with a sub-meter",
     {guard_house, NULL, pump_cycles, NULL, NULL},
     PUMP_METERED,
     SUB_METER,
     FROM,
     60 * DAY,
     NULL,
     0},
    {"a crusher beneath the guard house's ceiling",
     {guard_house, crusher, NULL, NULL, NULL},
     "",
     "",
     FROM,
     FROM + 3 * DAY,
     "raised production_shape",
     2 * HOUR},
    {"and beside a heater in the frost",
     {heated_house, crusher, NULL, autumn, NULL},
     "",
     "",
     FROM,
     FROM + 3 * DAY,
     "raised production_shape",
     2 * HOUR},
    {"and beside a pump",
     {guard_house, crusher, pump_cycles, NULL, NULL},
     PUMP_METERED,
     SUB_METER,
     FROM,
     FROM + 3 * DAY,
     "raised production_shape",
     2 * HOUR},
    {"8 kW, night for night",
     {guard_house, at_night, NULL, NULL, NULL},
     "",
     "",
     FROM,
     FROM + 12 * DAY,
     "raised night_load",
     18 * HOUR},
    {"30 kW for an hour",
     {guard_house, one_hour, NULL, NULL, NULL},
     "",
     "",
     FROM,
     FROM + DAY,
     "raised production_shape",
     2 * HOUR},
    {"0.6 kW for three weeks",
     {guard_house, small_for_weeks, NULL, NULL, NULL},
     "",
     "",
     FROM,
     FROM + 25 * DAY,
     "raised slow_creep",
     4 * DAY},
    {"a gap hides a night's run",
     {guard_house, in_a_gap, NULL, NULL, NULL},
     "",
     "",
     FROM,
     FROM + 2 * DAY,
     "raised production_shape",
     12 * HOUR},
    {"a permit that expired",
     {guard_house, overstay, NULL, NULL, NULL},
     "",
     "",
     FROM,
     38 * DAY,
     "raised production_shape",
     6 * DAY + 15 * HOUR},
    {"shifts that ran before anybody looked",
     {guard_house, shifts, NULL, NULL, NULL},
     "",
     "",
     0,
     32 * DAY,
     "raised production_shape",
     LEARNED + HOUR},
    {"dark after the cutoff",
     {guard_house, NULL, NULL, NULL, stays_dark},
     "",
     "",
     FROM,
     40 * DAY,
     NULL,
     0},
    {"0.2 kW for an hour after the cutoff",
     {guard_house, NULL, NULL, NULL, back_for_an_hour},
     "",
     "",
     FROM,
     40 * DAY,
     "raised post_cutoff",
     6 * DAY + HOUR + 3},
};

static void
test_in_the_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct row *r = &rows[i];
        struct world w;
        int at;

        begin(&w, &r->field, r->explanation, r->meter);
        row(r->name);
        run_to(&w, r->from);
        check_int(count(&w, "raised closed_load") + count(&w, "raised night") +
                      count(&w, "raised slow") +
                      (r->from > 0 ? count(&w, "raised production") : 0),
                  0);
        run_to(&w, r->until);
        if (!r->raised) {
            check_int(count(&w, "raised closed_load") + count(&w, "raised night") +
                          count(&w, "raised production") + count(&w, "raised slow") +
                          count(&w, "raised post"),
                      0);
        } else {
            at = when(&w, r->raised);
            if (at < r->from || at > r->from + r->within)
                fail_msg("row \"%s\": %s at %d, not within %d..%d:\n%s", r->name,
                         r->raised, at, r->from, r->from + r->within, w.heard.text);
        }
        end(&w);
    }
}

/* Night for night the same: one alarm, told again each time. */
static void
test_one_alarm_for_the_same_thing(void **state)
{
    static const struct field field = {guard_house, at_night, NULL, NULL, NULL};
    struct world w;

    (void)state;
    begin(&w, &field, "", "");
    run_to(&w, FROM + 12 * DAY);
    row("one is raised, and one returns");
    check_int(count(&w, "raised night_load"), 1);
    check_int(count(&w, "returned night_load"), 1);
    row("each other night is an update at its beginning and one at its end");
    check(count(&w, "updated night_load") >= 2 * 8);
    end(&w);
}

/* --- properties */

static void
test_ticks_change_nothing(void **state)
{
    static const struct field field = {heated_house, at_night, pump_cycles, autumn, NULL};
    static struct world w, other;

    (void)state;
    begin(&w, &field, PUMP_UNMETERED, "");
    begin(&other, &field, PUMP_UNMETERED, "");
    other.ticks = true;
    run_to(&w, FROM + 4 * DAY);
    run_to(&other, FROM + 4 * DAY);
    assert_string_equal(w.heard.text, other.heard.text);
    assert_true(w.heard.n > 0);
    end(&w);
    end(&other);
}

struct blob {
    uint8_t data[262144];
    size_t n;
};

static int
keep(void *arg, const void *data, size_t n)
{
    struct blob *b = arg;

    assert_true(b->n + n <= sizeof b->data);
    memcpy(b->data + b->n, data, n);
    b->n += n;
    return 0;
}

/* While it learns, and while an alarm stands. */
static void
test_saved_and_loaded(void **state)
{
    static const struct field field = {heated_house, at_night, NULL, autumn, NULL};
    static const int stop[] = {10 * DAY + 3, FROM + DAY + 17 * HOUR};
    static struct world w, other;
    static struct blob blob;

    (void)state;
    for (size_t i = 0; i < LENGTH(stop); i++) {
        struct lw_packer p;
        struct lw_core *loaded = NULL;

        begin(&w, &field, "", "");
        begin(&other, &field, "", "");
        run_to(&w, FROM + 4 * DAY);
        run_to(&other, stop[i]);
        blob.n = 0;
        lw_pack_init(&p, keep, &blob);
        assert_int_equal(lw_core_save(other.core, &p), 0);
        assert_int_equal(lw_pack_flush(&p), 0);
        assert_int_equal(
            lw_core_load(other.ledger, &other.rules, blob.data, blob.n, &loaded), 0);
        lw_core_free(other.core);
        other.core = loaded;
        lw_core_on_effect(other.core, hear, &other.heard);
        run_to(&other, FROM + 4 * DAY);
        assert_string_equal(w.heard.text, other.heard.text);
        end(&w);
        end(&other);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_field),
        cmocka_unit_test(test_one_alarm_for_the_same_thing),
        cmocka_unit_test(test_ticks_change_nothing),
        cmocka_unit_test(test_saved_and_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
