/* The simulator's loads: what every shape must be like, and that registers are the
 * integral of the power, up the tree and over an exchange. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <lodewatch/ledger.h>

#include "daemon/sim/load.h"
#include "daemon/sim/shapes.h"

static const int64_t t0 = INT64_C(1741795200000); /* 2025-03-12T16:00:00Z */

static void
every_shape(void **state)
{
    (void)state;
    /* Of a year's minutes: the mean share of full power, in percent. */
    static const struct {
        enum shape shape;
        int64_t least, most;
    } rows[] = {
        {SHAPE_GUARD_HOUSE, 20, 60}, {SHAPE_HEATING, 5, 50}, {SHAPE_LIGHTING, 40, 60},
        {SHAPE_CRUSHER, 45, 80},     {SHAPE_HOIST, 25, 65},  {SHAPE_PUMP, 20, 50},
        {SHAPE_WASHERY, 75, 95},     {SHAPE_KILN, 90, 100},  {SHAPE_OFFICE, 15, 40},
        {SHAPE_HOUSE, 8, 50},        {SHAPE_FLAT, 99, 100},  {SHAPE_DARK, 0, 0},
        {SHAPE_VILLAGE, 30, 60},     {SHAPE_WEATHER, 0, 0},
    };
    struct lw_zone *zone;
    assert_int_equal(sizeof rows / sizeof *rows, SHAPES);
    assert_int_equal(lw_zone_new_fixed(8 * 3600, &zone), 0);
    for (size_t i = 0; i < SHAPES; i++) {
        int64_t sum = 0, n = 0;
        for (int64_t minute = t0 / LW_MINUTE; n < 365 * 288; minute += 5, n++) {
            struct shape_minute m = shape_minute(minute, zone, 1);
            int64_t w, var, again, var_again;
            shape_power(rows[i].shape, 42, &m, 100000, &w, &var);
            shape_power(rows[i].shape, 42, &m, 100000, &again, &var_again);
            assert_in_range(w, 0, 120000);
            assert_in_range(var, 0, 100000);
            assert_true(w == again && var == var_again);
            assert_in_range(m.rain_mm_h, 0, 100);
            assert_true(m.temperature_c > -40 && m.temperature_c < 50);
            sum += w;
        }
        print_message("  %s: %d %%\n", shape_name(rows[i].shape), (int)(sum / n / 1000));
        assert_in_range(sum / n, rows[i].least * 1000, rows[i].most * 1000);
    }
    lw_zone_free(zone);
}

static struct lw_ledger *
ledger(void)
{
    static struct lw_faults faults;
    static const char gateways[] = "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\n";
    static const char areas[] = "area_id,parent_id,level,name\nA,,county,x\n";
    static const char sites[] = "site_id,name,kind,status,status_since,area_id\n"
                                "S,x,coal_mine,closed,2020-01-01,A\n";
    static const char meters[] =
        "meter_id,installed_at,removed_at,point_id,site_id,role,parent_id,gateway_id,unit,"
        "profile,energy_resolution_kwh,energy_modulus_kwh\n"
        "B,2020-01-01,,B,S,sub,A,G,2,generic,0.001,\n" /* before its parent */
        "A,2020-01-01,,A,S,supply,Z,G,1,generic,0.001,\n"
        "C,2020-01-01,2025-03-12T17:00:00Z,C,S,supply,Z,G,3,generic,0.001,\n"
        "D,2025-03-12T17:00:00Z,,C,S,supply,Z,G,3,generic,1,100\n"
        "Z,2020-01-01,,Z,,feeder,,G,4,generic,0.001,\n"
        "W,2020-01-01,,W,,context,,G,5,weather,,\n";
    struct lw_ledger_text text = {.deployment = "x", .holidays = ""};
    struct lw_ledger *l = NULL;
    text.table[LW_AREAS].text = areas;
    text.table[LW_SITES].text = sites;
    text.table[LW_GATEWAYS].text = gateways;
    text.table[LW_METERS].text = meters;
    for (enum lw_table t = 0; t < LW_TABLES; t++)
        text.table[t].n = text.table[t].text ? strlen(text.table[t].text) : 0;
    if (lw_ledger_new(&text, &faults, &l) < 0)
        fail_msg("%s:%u:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].column, faults.fault[0].text);
    return l;
}

static struct load *
load(const struct lw_ledger *l, const char *rows)
{
    static struct lw_faults faults;
    char path[] = "/tmp/test_load.XXXXXX";
    struct load *ret = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, rows, strlen(rows)) == (ssize_t)strlen(rows));
    close(fd);
    int rc = load_new(path, l, 1, &faults, &ret);
    unlink(path);
    if (rc < 0)
        fail_msg("%u:%u: %s", faults.fault[0].line, faults.fault[0].column,
                 faults.fault[0].text);
    return ret;
}

static struct lw_reading
at(struct load *load, const struct lw_ledger *l, const char *id, int64_t minutes)
{
    struct lw_reading r;
    lw_wall t = {t0 + minutes * LW_MINUTE};
    int32_t m = lw_ledger_meter(l, id, strlen(id), t);
    assert_int_not_equal(m, LW_NONE);
    load_read(load, m, t, &r);
    return r;
}

static void
registers(void **state)
{
    (void)state;
    struct lw_ledger *l = ledger();
    struct load *ld = load(l, "meter_id,shape,kw,from,to\nA,crusher,100,,\nB,flat,10,,\n"
                              "C,pump,30,,\n");
    int64_t a0 = at(ld, l, "A", 0).value[LW_IMPORT],
            z0 = at(ld, l, "Z", 0).value[LW_IMPORT];
    int64_t b0 = at(ld, l, "B", 0).value[LW_IMPORT],
            c0 = at(ld, l, "C", 0).value[LW_IMPORT];
    int64_t sum = 0;
    for (int64_t i = 0; i < 59; i++) {
        struct lw_reading a = at(ld, l, "A", i), b = at(ld, l, "B", i),
                          c = at(ld, l, "C", i);
        /* What flows through a point flows through what is above it. */
        assert_int_equal(at(ld, l, "Z", i).value[LW_ACTIVE_POWER],
                         a.value[LW_ACTIVE_POWER] + c.value[LW_ACTIVE_POWER]);
        assert_true(a.value[LW_ACTIVE_POWER] > b.value[LW_ACTIVE_POWER]);
        sum += a.value[LW_ACTIVE_POWER] * 60;
    }
    struct lw_reading a = at(ld, l, "A", 59);
    assert_in_range(a.value[LW_IMPORT] - a0, sum / 3600 - 1, sum / 3600 + 1);
    int64_t c = at(ld, l, "C", 59).value[LW_IMPORT] - c0;
    int64_t z = at(ld, l, "Z", 59).value[LW_IMPORT] - z0;
    assert_in_range(z - c - sum / 3600, 0, 2);
    assert_in_range(at(ld, l, "B", 59).value[LW_IMPORT] - b0, 9700, 9840);

    /* S = UI: the currents belong to the power. */
    double va = 0;
    for (int i = 0; i < 3; i++)
        va += (double)a.value[LW_VOLTAGE_A + i] / 10 * (double)a.value[LW_CURRENT_A + i] /
              1000;
    double w = va * (double)a.value[LW_POWER_FACTOR] / 1000;
    assert_true(w > 0.995 * (double)a.value[LW_ACTIVE_POWER] &&
                w < 1.005 * (double)a.value[LW_ACTIVE_POWER]);

    /* The new meter is nearly new whenever it is asked first, in whole kWh, under 100. */
    int64_t d = at(ld, l, "D", 90).value[LW_IMPORT];
    assert_true(d < 30000 && d % 1000 == 0);
    assert_true(lw_reading_has(&(struct lw_reading){.have = at(ld, l, "W", 90).have},
                               LW_TEMPERATURE));
    load_free(ld);
    lw_ledger_free(l);
}

static void
does_not_depend_on_who_asks(void **state)
{
    (void)state;
    struct lw_ledger *l = ledger();
    const char *rows =
        "meter_id,shape,kw,from,to\nA,house,10,,\nC,hoist,300,22:00,06:00\n";
    struct load *often = load(l, rows), *once = load(l, rows);
    (void)at(once, l, "A", 0);
    for (int64_t i = 0; i <= 600; i += 7)
        (void)at(often, l, i % 2 ? "A" : "Z", i);
    static const char *const ids[] = {"A", "B", "D", "Z", "W"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct lw_reading one = at(often, l, ids[i], 610), two = at(once, l, ids[i], 610);
        assert_memory_equal(one.value, two.value, sizeof one.value);
    }
    load_free(often);
    load_free(once);
    lw_ledger_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(registers),
        cmocka_unit_test(does_not_depend_on_who_asks),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
