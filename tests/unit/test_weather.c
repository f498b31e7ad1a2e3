/* Which instruments a site hears, and what of them is kept. */
#include <math.h>
#include <string.h>

#include <lodewatch/core.h>

#include "lib/state.h"
#include "unit.h"

#define T0 INT64_C(1762819200000) /* 2025-11-11T00:00:00Z */

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,C\n";
static const char SITES[] = "site_id,name,kind,status,area_id\n"
                            "NEAR,n,quarry,closed,C\nFAR,f,quarry,closed,C\n";
static const char GATEWAYS[] = "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\n";
/* The rain gauges come first. */
static const char METERS[] =
    "meter_id,point_id,site_id,role,gateway_id,unit,profile,interval_s,installed_at\n"
    "A-RAIN,A-RAIN,,context,G,1,weather,3600,1950-01-01T00:00:00Z\n"
    "B-RAIN,B-RAIN,NEAR,context,G,2,weather,3600,1950-01-01T00:00:00Z\n"
    "C-ALL,C-ALL,,context,G,3,weather,3600,1950-01-01T00:00:00Z\n"
    "D-NEAR,D-NEAR,NEAR,context,G,4,weather,3600,1950-01-01T00:00:00Z\n";

static struct lw_ledger *ledger;
static struct lw_rules rules;
static struct lw_core *core;

static void
begin(void)
{
    struct lw_ledger_text text = {.deployment = "test"};
    static struct lw_faults faults;

    text.table[LW_AREAS].text = AREAS;
    text.table[LW_SITES].text = SITES;
    text.table[LW_GATEWAYS].text = GATEWAYS;
    text.table[LW_METERS].text = METERS;
    for (int t = 0; t < LW_TABLES; t++)
        text.table[t].n = text.table[t].text ? strlen(text.table[t].text) : 0;
    if (lw_ledger_new(&text, &faults, &ledger) != 0)
        fail_msg("%s:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].text);
    assert_int_equal(lw_rules_parse("", "", 0, &faults, &rules), 0);
    assert_int_equal(lw_core_new(ledger, &rules, NULL, &core), 0);
}

static void
end(void)
{
    lw_core_free(core);
    lw_ledger_free(ledger);
}

static void
measure(const char *id, enum lw_quantity quantity, int64_t value, int64_t at)
{
    int32_t m = lw_ledger_meter(ledger, id, strlen(id), (lw_wall){at});
    struct lw_event e = {.kind = LW_EVENT_READING, .at = {at}};

    assert_int_not_equal(m, LW_NONE);
    e.reading = (struct lw_reading){.time = {at},
                                    .received = {at},
                                    .meter = (uint32_t)m,
                                    .have = (uint16_t)(1 << quantity)};
    e.reading.value[quantity] = value;
    lw_core_step(core, &e);
}

static int
cold(const char *site)
{
    float k = core_site_cold(core, lw_ledger_site(ledger, site), core->now);

    return isnan(k) ? -1 : (int)lrintf(k);
}

static void
test_which_is_heard(void **state)
{
    (void)state;
    begin();
    row("rain says nothing of the temperature");
    measure("A-RAIN", LW_RAIN, 2000, T0);
    measure("B-RAIN", LW_RAIN, 2000, T0 + 1);
    check_int(cold("NEAR"), -1);
    row("the one that serves all");
    measure("C-ALL", LW_TEMPERATURE, 5000, T0 + 2);
    check_int(cold("NEAR"), 10);
    check_int(cold("FAR"), 10);
    row("its own, once it speaks");
    measure("D-NEAR", LW_TEMPERATURE, -5000, T0 + 3);
    check_int(cold("NEAR"), 20);
    check_int(cold("FAR"), 10);
    row("made anew for the same ledger");
    struct lw_core *next;
    assert_int_equal(lw_core_new(ledger, &rules, core, &next), 0);
    lw_core_free(core);
    core = next;
    check_int(cold("NEAR"), 20);
    check_int(cold("FAR"), 10);
    end();
}

static void
test_what_cannot_be(void **state)
{
    static const struct {
        const char *name;
        int64_t mc, at;
    } rows[] = {
        {"no place is so cold", -400000, T0},
        {"nor so cold that it does not fit", INT64_MIN / 2, T0},
        {"before 1970", 5000, -T0 / 4},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        begin();
        row(rows[i].name);
        measure("C-ALL", LW_TEMPERATURE, rows[i].mc, rows[i].at);
        check_int(cold("FAR"), -1);
        end();
    }
}

/* So many hours at a temperature that it keeps, after a day that changes. */
static void
test_a_thermometer_that_stands(void **state)
{
    static const struct {
        const char *name;
        int hours, k;
        int64_t mc, then_mc;
    } rows[] = {
        {"half a day of fog", 12, 15, 0, 0},
        {"a day and an hour: it stands, and nobody knows", 25, -1, 0, 0},
        {"and goes on", 26, 12, 0, 3000},
        {"in summer it is the same", 25, -1, 21000, 21000},
        {"a week", 7 * 24, -1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int64_t at = T0;

        begin();
        row(rows[i].name);
        for (int h = 0; h < 24; h++, at += LW_HOUR)
            measure("C-ALL", LW_TEMPERATURE, 1000 + h * 100, at);
        for (int h = 1; h < rows[i].hours; h++, at += LW_HOUR)
            measure("C-ALL", LW_TEMPERATURE, rows[i].mc, at);
        measure("C-ALL", LW_TEMPERATURE, rows[i].then_mc, at);
        check_int(cold("FAR"), rows[i].k);
        end();
    }
}

/* A machine whose clock has lost its battery begins in 1970. */
static void
test_in_1970(void **state)
{
    (void)state;
    begin();
    row("its first hours");
    measure("C-ALL", LW_TEMPERATURE, 5000, 2 * LW_HOUR);
    check_int(cold("FAR"), 10);
    row("and when it is set right");
    measure("C-ALL", LW_TEMPERATURE, 0, T0);
    check_int(cold("FAR"), 15);
    end();
}

/* 1 mm an hour from T0 on, but for hours in which the gauge is silent. */
static void
rain_for(int hours, int silent_from, int silent_for)
{
    for (int h = 0; h <= hours; h++)
        if (h < silent_from || h >= silent_from + silent_for)
            measure("A-RAIN", LW_RAIN, 1000, T0 + h * LW_HOUR);
}

static void
test_rain(void **state)
{
    static const struct {
        const char *name;
        int hours, silent_from, silent_for;
        int day, days;
        float fade;
        float mm; /* below 0: it is not known */
    } rows[] = {
        {"a day of rain", 48, 0, 0, 0, 1, 1, 23},
        {"the next", 48, 0, 0, 1, 1, 1, 24},
        {"half of the day before still drains", 49, 0, 0, 1, 2, 0.5F, 24 + 11.5F},
        {"it was dry before the gauge was heard", 48, 0, 0, 0, 5, 1, 23},
        {"a lost reading: what fell is in the next", 48, 5, 1, 0, 1, 1, 23},
        {"silent for eight hours: who knows", 48, 5, 8, 0, 1, 1, -1},
        {"nor of the two days together", 48, 5, 8, 1, 2, 1, -1},
        {"the next is known again", 48, 5, 8, 1, 1, 1, 24},
        {"a day that is not over", 30, 0, 0, 1, 1, 1, -1},
        {"a day in the future", 48, 0, 0, 9, 1, 1, -1},
        {"a day that is forgotten", 48, 0, 0, -70, 1, 1, -1},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        float mm;

        begin();
        row(rows[i].name);
        rain_for(rows[i].hours, rows[i].silent_from, rows[i].silent_for);
        mm = core_site_wet(core, lw_ledger_site(ledger, "FAR"), T0 / LW_DAY + rows[i].day,
                           rows[i].fade, rows[i].days);
        check_int(isnan(mm) ? -1000 : lrintf(1000 * mm),
                  rows[i].mm < 0 ? -1000 : lrintf(1000 * rows[i].mm));
        end();
    }
}

static void
test_level(void **state)
{
    struct lw_event back = {.kind = LW_EVENT_CLOCK_STEP, .at = {T0 - 10 * LW_DAY}};
    int32_t near, far;

    (void)state;
    begin();
    near = lw_ledger_site(ledger, "NEAR");
    far = lw_ledger_site(ledger, "FAR");
    for (int h = 0; h <= 48; h++)
        measure("D-NEAR", LW_WATER_LEVEL, h == 30 ? 2500 : 1000 + h, T0 + h * LW_HOUR);
    row("the highest of the day");
    check_int(lrintf(1000 * core_site_level(core, near, T0 / LW_DAY + 1)), 2500);
    row("another site's well says nothing");
    assert_true(isnan(core_site_level(core, far, T0 / LW_DAY + 1)));
    row("our clock was set back: it begins anew");
    back.step.by_ms = -12 * LW_DAY;
    lw_core_step(core, &back);
    measure("D-NEAR", LW_WATER_LEVEL, 900, T0 - 10 * LW_DAY + LW_HOUR);
    assert_true(isnan(core_site_level(core, near, T0 / LW_DAY + 1)));
    end();
}

static void
test_votes(void **state)
{
    static const struct {
        const char *name;
        int pumps, over;
        int64_t later; /* days */
        bool wrong;
    } rows[] = {
        {"one pump of five runs more than its rain", 5, 1, 1, false},
        {"three of five: the gauge is blocked", 5, 3, 1, true},
        {"two pumps are no majority of anything", 2, 2, 1, false},
        {"that was the week before", 5, 5, 7, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int32_t site;

        begin();
        site = lw_ledger_site(ledger, "FAR");
        row(rows[i].name);
        rain_for(24, 0, 0);
        for (int n = 0; n < rows[i].pumps; n++)
            assert_false(water_is_wrong(core, site, HEARD_RAIN, 100, n < rows[i].over));
        check_int(water_is_wrong(core, site, HEARD_RAIN, 100 + rows[i].later, true),
                  rows[i].wrong);
        end();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_is_heard),
        cmocka_unit_test(test_what_cannot_be),
        cmocka_unit_test(test_a_thermometer_that_stands),
        cmocka_unit_test(test_in_1970),
        cmocka_unit_test(test_rain),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_votes),
    };

    return cmocka_run_group_tests_name("weather", tests, NULL, NULL);
}
