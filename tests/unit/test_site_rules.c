/* Closed sites against their reference: each case is what happens in the field, over
 * weeks of a simulated clock. And two properties: extra ticks change nothing, and a core
 * that was saved and loaded in the middle goes on alike. */
#include <math.h>

#include "site_world.h"

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

static double
summer(int q)
{
    return 20 + q / DAY % 5;
}

/* No day below 16 in October; then the frost. */
static double
late_summer(int q)
{
    int day = q / DAY;

    return day < 30 ? 16 + day % 5 : 16 - (day - 30) * 0.7;
}

/* A house of 20 kW whose heating is learned, too. */
static double
large_house(int q, double degrees)
{
    return 17 + guard_house(q, degrees) + (degrees < 15 ? 0.3 * (15 - degrees) : 0);
}

/* Walls that outlast a cold night, and no frost that stays. */
static double
thick_walls(int q, double degrees)
{
    double kw = q < 42 * DAY ? 0.2 : 0.32;

    return guard_house(q, degrees) + (degrees < 15 ? kw * (15 - degrees) : 0);
}

/* Nights of 5 to 12 degrees; a fortnight later it is 9 below zero, night and day. */
static double
fall(int q)
{
    int day = q / DAY, h = q / HOUR % 24;

    if (day >= 42)
        return -9;
    return h >= 4 && h < 12 ? 14 : 5 + day * 5 % 8;
}

#define LEARNED (28 * DAY)
#define FROM    (30 * DAY + 8 * HOUR) /* 2025-10-31T08:00:00Z */
#define LATER   (45 * DAY + 8 * HOUR)

/* --- what is hidden */

/* A guard who cooks for visitors, three evenings. */
static double
visitors(int q)
{
    return q >= FROM && q < FROM + 3 * DAY && q / HOUR % 24 >= 14 && q / HOUR % 24 < 18
               ? 0.9
               : 0;
}

/* A heater that has all of its 40 K to give, for five quarters of an hour. */
static double
heater_at_once(int q)
{
    int since = q - FROM - 8 * HOUR;

    return since >= 0 && since < 5 ? 9.6 : 0;
}

/* A month of rain, in which it hardly ever stands, and then a dry one. */
static double
pump_of_a_wet_month(int q)
{
    return q % 24 < (q < FROM ? 23 : HOUR) ? 15 : 0;
}

/* An hour of six, and a heater in its house that comes on with it once it is cold. */
static double
pump_by_the_hour(int q)
{
    return q % 24 < HOUR ? 15 : 0;
}

static double
heater_by_the_pump(int q)
{
    return q >= FROM + 20 * DAY && q % 24 < HOUR ? 6 : 0;
}

/* Silent for nearly all of the four weeks; the register goes on. */
static double
silent_at_first(int q)
{
    return q >= DAY / 2 && q < 30 * DAY ? -0.001 : 0;
}

/* A gateway that is off at night, until day 30. */
static double
silent_at_night(int q)
{
    int h = q / HOUR % 24;

    return q < 30 * DAY && (h >= 10 || h < 1) ? -0.001 : 0;
}

/* Silent likewise, and a week and a half after it was heard a crusher. */
static double
crusher_after_all(int q)
{
    return q >= LATER && q < LATER + 10 * HOUR && q % 5 != 0 ? 20 : silent_at_first(q);
}

static double
crusher_later(int q)
{
    return q >= LATER && q < LATER + DAY && q % 5 != 0 ? 20 : 0;
}

/* 20 kW, an hour on and a quarter off, for a day: beneath the ceiling of 40 kW. */
static double
crusher(int q)
{
    return q >= FROM && q < FROM + DAY && q % 5 != 0 ? 20 : 0;
}

static double
small_for_weeks(int q)
{
    return q >= FROM && q < FROM + 21 * DAY ? 0.5 : 0;
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

/* A month of 11 to 15 degrees, and then 6. */
static double
turns_cold(int q)
{
    return q >= FROM ? 6 : 11 + q / DAY % 5;
}

static double
two_hours(int q)
{
    return q >= FROM + 10 * DAY && q < FROM + 10 * DAY + 2 * HOUR ? 4 : 0;
}

/* Instead of the 40 kW of the world's. */
#define GUARD_OF_5_KW                                                                    \
    "explanation_id,site_id,kind,max_kw,hours,valid_from,valid_to,authority,document,"   \
    "approved_by,approved_by_2,point_id\n"                                               \
    "G,S,guard_house,5,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"                         \
    "H,S,heating,,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"

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

/* Two shifts a day from the first day on: above what is declared. */
static double
shifts(int q)
{
    int h = q / HOUR % 24;

    return (h < 4 || (h >= 5 && h < 9)) && q / DAY % 7 < 6 ? 48 : 0;
}

/* A heater that is set back at night: as regular, each day, and beneath that. */
static double
set_back(int q)
{
    return q / HOUR % 24 < 9 ? 12 : 0;
}

/* Machines at no two days' same hours: for two hours out of five, or three, or four. */
static double
odd_hours(int q)
{
    return q / HOUR % (5 + q / DAY % 3) < 2 ? 20 : 0;
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
/* A pump that was put in after it had learned: 12 kW, two hours of six. */
static double
pump_put_in(int q)
{
    return q >= FROM && q / HOUR % 6 < 2 ? 12 : 0;
}

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
    {"visitors, for whom a guard cooks",
     {guard_house, visitors, NULL, NULL, NULL},
     "",
     "",
     FROM,
     FROM + 8 * DAY,
     NULL,
     0},
    {"a heater comes on at once beside a load of 20 kW",
     {large_house, heater_at_once, NULL, autumn, NULL},
     "",
     "",
     FROM,
     FROM + 3 * DAY,
     NULL,
     0},
    {"thick walls, in frost that stays after a mild month",
     {thick_walls, NULL, NULL, fall, NULL},
     "",
     "",
     FROM,
     52 * DAY,
     NULL,
     0},
    {"a guard house that was never seen without its pump",
     {guard_house, NULL, pump_of_a_wet_month, summer, NULL},
     PUMP_UNMETERED,
     "",
     FROM,
     60 * DAY,
     NULL,
     0},
    {"a heater by the pump, in the first frost after a warm month",
     {heated_house, heater_by_the_pump, pump_by_the_hour, late_summer, NULL},
     PUMP_UNMETERED,
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
    {"0.5 kW for three weeks",
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
    {"a guard house that was silent while it should have been learned",
     {guard_house, silent_at_first, NULL, NULL, NULL},
     "",
     "",
     FROM,
     70 * DAY,
     NULL,
     0},
    {"and one that was only heard by day",
     {guard_house, silent_at_night, NULL, NULL, NULL},
     "",
     "",
     FROM,
     70 * DAY,
     NULL,
     0},
    {"a gap hides a night's run, while the pump's own meter goes on",
     {guard_house, in_a_gap, pump_cycles, NULL, NULL},
     PUMP_METERED,
     SUB_METER,
     FROM,
     FROM + 2 * DAY,
     "raised production_shape",
     12 * HOUR},
    {"a heater in the frost, above what is declared for the guard house",
     {heated_house, NULL, NULL, turns_cold, NULL},
     GUARD_OF_5_KW,
     "",
     0,
     FROM + 20 * DAY,
     NULL,
     0},
    {"a kettle too many in that frost: two hours above what heating takes",
     {heated_house, two_hours, NULL, turns_cold, NULL},
     GUARD_OF_5_KW,
     "",
     FROM + 10 * DAY,
     FROM + 20 * DAY,
     "raised closed_load",
     2 * HOUR},
    {"a crusher at a site that was learned late",
     {guard_house, crusher_after_all, NULL, NULL, NULL},
     "",
     "",
     LATER,
     46 * DAY,
     "raised production_shape",
     2 * HOUR},
    {"shifts that ran before anybody looked",
     {guard_house, shifts, NULL, NULL, NULL},
     "",
     "",
     0,
     32 * DAY,
     "raised production_shape",
     LEARNED + HOUR},
    {"a heater that was set back at night before anybody looked",
     {guard_house, set_back, NULL, NULL, NULL},
     "",
     "",
     0,
     32 * DAY,
     NULL,
     0},
    {"machines that ran at odd hours before anybody looked",
     {guard_house, odd_hours, NULL, NULL, NULL},
     "",
     "",
     0,
     32 * DAY,
     "raised production_shape",
     LEARNED + HOUR},
    {"a pump that is put in and declared later",
     {guard_house, NULL, pump_put_in, NULL, NULL},
     "P,S,dewatering,15,,2025-10-31T00:00:00Z,,office,A,p1,p2,\n",
     "",
     FROM,
     50 * DAY,
     NULL,
     0},
    {"the same with a meter of its own",
     {guard_house, NULL, pump_put_in, NULL, NULL},
     "P,S,dewatering,15,,2025-10-31T00:00:00Z,,office,A,p1,p2,SUB\n",
     SUB_METER,
     FROM,
     50 * DAY,
     NULL,
     0},
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

/* A month of 11 to 15 degrees, and then 0.3 less each day. */
static double
ever_colder(int q)
{
    return q >= FROM ? 11 - 0.3 * (q - FROM) / DAY : 11 + q / DAY % 5;
}

/* The thermometer falls silent when the site has learned, and the winter comes. */
static void
test_a_silent_thermometer(void **state)
{
    static const struct {
        const char *name;
        struct field field;
        const char *explanation;
        int until;
        bool raised;
    } deaf[] = {
        {"a heater in a frost that nothing measures",
         {heated_house, NULL, NULL, autumn, NULL},
         "",
         75 * DAY,
         false},
        {"a heater after a warm month: it was never seen on",
         {heated_house, NULL, NULL, late_summer, NULL},
         "",
         75 * DAY,
         false},
        {"a heater in ever more cold, above what is declared for the guard house",
         {heated_house, NULL, NULL, ever_colder, NULL},
         GUARD_OF_5_KW,
         75 * DAY,
         false},
        {"a crusher, weeks later",
         {heated_house, crusher_later, NULL, autumn, NULL},
         "",
         46 * DAY,
         true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(deaf); i++) {
        struct world w;
        int at;

        row(deaf[i].name);
        begin(&w, &deaf[i].field, deaf[i].explanation, "");
        w.deaf = FROM;
        run_to(&w, deaf[i].until);
        at = when(&w, "raised production_shape");
        if (!deaf[i].raised)
            check_int(count(&w, "raised closed_load") + count(&w, "raised night") +
                          count(&w, "raised production") + count(&w, "raised slow"),
                      0);
        else if (at < LATER || at > LATER + 2 * HOUR)
            fail_msg("row \"%s\": at %d, not within two hours:\n%s", deaf[i].name, at,
                     w.heard.text);
        end(&w);
    }
}

/* 60 kW for weeks, above the ceiling of 40. */
static double
far_above(int q)
{
    return q >= 37 * DAY ? 60 : 0;
}

static double
far_above_for_half_an_hour(int q)
{
    return q >= 37 * DAY && q < 37 * DAY + 2 ? 60 : 0;
}

/* What is above the ceiling is told as that, at once and once. */
static void
test_one_alarm_above_the_ceiling(void **state)
{
    static const struct {
        const char *name;
        double (*hidden)(int q);
        int within; /* quarters */
    } above[] = {
        {"60 kW from then on", far_above, 2},
        {"60 kW for half an hour", far_above_for_half_an_hour, 2},
    };
    struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(above); i++) {
        const struct field field = {guard_house, above[i].hidden, NULL, NULL, NULL};

        row(above[i].name);
        begin(&w, &field, "", "");
        run_to(&w, 37 * DAY + 5 * DAY);
        check_int(count(&w, "raised closed_load"), 1);
        check_int(count(&w, "raised night") + count(&w, "raised production") +
                      count(&w, "raised slow"),
                  0);
        check(when(&w, "raised closed_load") <= 37 * DAY + above[i].within);

        end(&w);
    }
}

/* Three hours of some 48 kW where 40 are declared; a day later as long of some 62. */
static double
more_the_next_day(int q)
{
    return q >= 5 * DAY && q < 5 * DAY + 3 * HOUR   ? 45
           : q >= 6 * DAY && q < 6 * DAY + 3 * HOUR ? 59
                                                    : 0;
}

/* Who must look at once is told so with the first word of it. */
static void
test_more_of_it_comes_back(void **state)
{
    static const struct field field = {guard_house, more_the_next_day, NULL, NULL, NULL};
    const char *again;
    struct world w;

    (void)state;
    begin(&w, &field, "", "");
    run_to(&w, 7 * DAY);
    row("a little above the ceiling can wait a shift");
    check_int(count(&w, "raised closed_load"), 1);
    check(strstr(strstr(w.heard.text, "raised closed_load"), " medium\n") != NULL);
    row("what is half as much again is that alarm, and cannot wait");
    again = strstr(strstr(w.heard.text, "returned closed_load"), "updated closed_load");
    assert_non_null(again);
    check(strncmp(strchr(again, '\n') - 5, " high", 5) == 0);
    end(&w);
}

/* What is said of the weeks of learning goes on being said of them. */
static void
test_what_ran_before_is_told_as_it_was(void **state)
{
    static const struct field field = {guard_house, shifts, NULL, NULL, NULL};
    const char *first;
    char was[128];
    struct world w;

    (void)state;
    begin(&w, &field, "", "");
    run_to(&w, FROM + 21 * DAY);
    first = strstr(w.heard.text, "raised production_shape");
    assert_non_null(first);
    first = strstr(first, " excess");
    snprintf(was, sizeof was, "%.*s", (int)strcspn(first, "\n"), first);
    check(count(&w, "updated production_shape") > 1);
    check_int(count(&w, was), 1 + count(&w, "updated production_shape"));
    end(&w);
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

/* Eight hours, and three weeks later again. */
static bool
twice(int q)
{
    int since = q - FROM - 3 * DAY;

    return since >= 0 && since % (21 * DAY) < 8 * HOUR && since < 22 * DAY;
}

static double
twice_a_little(int q)
{
    return twice(q) ? 1.15 : 0;
}

static double
twice_a_machine(int q)
{
    return twice(q) ? 8 : 0;
}

static void
test_what_is_slight_is_no_news(void **state)
{
    static const struct {
        const char *name;
        struct field field;
        int raised;
    } slight[] = {
        {"a little over a limit, for the second time within a month",
         {guard_house, twice_a_little, NULL, NULL, NULL},
         1},
        {"a machine, for the second time within a month",
         {guard_house, twice_a_machine, NULL, NULL, NULL},
         2},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(slight); i++) {
        struct world w;

        begin(&w, &slight[i].field, "", "");
        run_to(&w, FROM + 27 * DAY);
        row(slight[i].name);
        check_int(count(&w, "raised production_shape") + count(&w, "raised night_load"),
                  slight[i].raised);
        end(&w);
    }
}

/* Six silent hours hold what the ceiling allows and no more than its register can tell:
 * that is unlike the reference, and not above the ceiling. */
static void
test_a_gap_within_a_step(void **state)
{
    static const struct field field = {.load = guard_house};
    struct world w;

    (void)state;
    row("a gap within a step of the ceiling");
    begin(&w, &field,
          "explanation_id,site_id,kind,max_kw,valid_from\n"
          "G,S,guard_house,40,2025-01-01T00:00:00Z\n",
          "");
    run_to(&w, LATER);
    w.q += 6 * HOUR;
    w.kwh[0] = floor(w.kwh[0] * 10) / 10 + 6 * 40 + 0.201;
    read_meter(&w, "A", 0, 0);
    check_int(count(&w, "raised closed_load"), 0);
    check_int(count(&w, "raised production_shape") + count(&w, "raised night_load"), 1);
    end(&w);
}

/* A day of 20 kW, and two hours of it while the meter is silent. */
static double
breaks_off(int q)
{
    if (q < FROM || q >= FROM + DAY)
        return 0;
    return q >= FROM + 8 * HOUR && q < FROM + 10 * HOUR ? -20 : 20;
}

static void
test_a_gap_while_it_stands(void **state)
{
    static const struct field field = {guard_house, breaks_off, NULL, NULL, NULL};
    struct world w;

    (void)state;
    begin(&w, &field, "", "");
    run_to(&w, FROM + 3 * DAY);
    row("what is above the reference grows");
    check_int(count(&w, "raised production_shape"), 1);
    check_int(count(&w, "returned production_shape"), 1);
    assert_null(strstr(w.heard.text, "excess -"));
    end(&w);
}

/* 15 kW are what production draws: nobody is woken for a lamp. */
static void
test_how_soon_somebody_must_look(void **state)
{
    static const struct {
        const char *name;
        struct field field;
        const char *raised, *priority;
    } told[] = {
        {"a crusher of 20 kW",
         {guard_house, crusher, NULL, NULL, NULL},
         "raised production_shape",
         " high\n"},
        {"8 kW at night",
         {guard_house, at_night, NULL, NULL, NULL},
         "raised night_load",
         " medium\n"},
        {"0.5 kW for weeks",
         {guard_house, small_for_weeks, NULL, NULL, NULL},
         "raised slow_creep",
         " low\n"},
        {"0.2 kW after the cutoff",
         {guard_house, NULL, NULL, NULL, back_for_an_hour},
         "raised post_cutoff",
         " urgent\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(told); i++) {
        struct world w;
        const char *line, *end_of_line;

        begin(&w, &told[i].field, "", "");
        row(told[i].name);
        run_to(&w, FROM + 10 * DAY);
        line = strstr(w.heard.text, told[i].raised);
        assert_non_null(line);
        end_of_line = strchr(line, '\n') + 1 - strlen(told[i].priority);
        check(strncmp(end_of_line, told[i].priority, strlen(told[i].priority)) == 0);
        end(&w);
    }
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

/* 8 kW from then on. */
static double
all_day(int q)
{
    return q >= FROM ? 8 : 0;
}

/* Colder than anything that was learned, two days later and for a week. */
static double
frost(int q)
{
    return q >= FROM + 2 * DAY && q < FROM + 9 * DAY ? -30 : autumn(q);
}

/* 6 kW behind the pump, from then on. */
static double
tapped(int q)
{
    return pump_by_the_hour(q) > 0 && q >= FROM ? 6 : 0;
}

/* What cannot be compared is not over: the load is there after the frost as before. */
static void
test_frost_clears_nothing(void **state)
{
    static const struct {
        const char *name;
        struct field field;
        const char *explanation;
    } load[] = {
        {"a load", {heated_house, all_day, NULL, frost, NULL}, ""},
        {"a load behind a pump",
         {heated_house, tapped, pump_by_the_hour, frost, NULL},
         PUMP_UNMETERED},
    };
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(load); i++) {
        begin(&w, &load[i].field, load[i].explanation, "");
        row(load[i].name);
        run_to(&w, FROM + 12 * DAY);
        check_int(count(&w, "raised production_shape"), 1);
        check_int(count(&w, "returned production_shape"), 0);
        end(&w);
    }
}

/* A clock that ran ahead by so much while a load began, and was set right. */
static void
test_clock_set_back(void **state)
{
    static const struct {
        const char *name;
        int days;
    } ahead[] = {{"a day", 1}, {"four days", 4}};
    static const struct field field = {heated_house, all_day, NULL, autumn, NULL};
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(ahead); i++) {
        struct lw_event back = {.kind = LW_EVENT_CLOCK_STEP};

        begin(&w, &field, "", "");
        row(ahead[i].name);
        run_to(&w, FROM);
        w.q += ahead[i].days * DAY;
        run_to(&w, w.q + 5 * HOUR);
        check_int(count(&w, "raised production_shape"), 1);
        w.q -= ahead[i].days * DAY;
        back.at.ms = T0 + w.q * QUARTER + 1;
        back.step.by_ms = -ahead[i].days * LW_DAY;
        lw_core_step(w.core, &back);
        run_to(&w, w.q + (ahead[i].days + 2) * DAY);
        check_int(count(&w, "raised production_shape"), 1);
        check_int(count(&w, "returned production_shape"), 0);
        assert_null(strstr(w.heard.text, "expected -"));
        assert_null(strstr(w.heard.text, "excess -"));
        end(&w);
    }
}

/* The ledger is read again, with the first `was` of a table changed. */
static void
read_ledger_again(struct world *w, enum lw_table table, const char *was, const char *is)
{
    static struct lw_faults faults;
    static char text[4096];
    struct lw_ledger_text t = {.deployment = "test"};
    const char *at = strstr(TABLE[table], was);
    struct lw_ledger *ledger;
    struct lw_core *core;

    for (int i = 0; i < LW_TABLES; i++)
        t.table[i].text = TABLE[i] ? TABLE[i] : "";
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - TABLE[table]), TABLE[table], is,
             at + strlen(was));
    t.table[table].text = text;
    for (int i = 0; i < LW_TABLES; i++)
        t.table[i].n = strlen(t.table[i].text);
    if (lw_ledger_new(&t, &faults, &ledger) != 0)
        fail_msg("%s", faults.fault[0].text);
    assert_int_equal(lw_core_new(ledger, &w->rules, w->core, &core), 0);
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
    w->core = core;
    w->ledger = ledger;
}

/* What stands ends, whatever the ledger says meanwhile. */
static void
test_ledger_read_again(void **state)
{
    static const struct {
        const char *name;
        enum lw_table table;
        const char *was, *is;
        double (*hidden)(int q);
        int returns; /* so long after it began, at most */
    } again[] = {
        {"licensed: nobody compares it with its four weeks any more", LW_SITES, "closed,",
         "licensed,", all_day, DAY},
        {"read by the half hour: it learns again, and the load has ended", LW_METERS,
         ",900,", ",1800,", crusher, 32 * DAY},
    };
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(again); i++) {
        const struct field field = {heated_house, again[i].hidden, NULL, autumn, NULL};

        begin(&w, &field, "", "");
        row(again[i].name);
        run_to(&w, FROM + DAY / 2);
        check_int(count(&w, "raised production_shape"), 1);
        check_int(count(&w, "returned production_shape"), 0);
        read_ledger_again(&w, again[i].table, again[i].was, again[i].is);
        run_to(&w, FROM + again[i].returns);
        check_int(count(&w, "returned production_shape"), 1);
        end(&w);
    }
}

/* From the cutoff on, all the time. */
static double
after_the_cutoff(int q)
{
    return q >= 37 * DAY ? 0.5 : 0;
}

/* What stands about a status ends with it, and says why. */
static void
test_status_changed(void **state)
{
    static const struct {
        const char *name;
        const char *was, *is, *rule;
        struct field field;
    } changed[] = {
        {"a cutoff that is lifted",
         "cut_off,",
         "licensed,",
         "post_cutoff",
         {guard_house, NULL, NULL, NULL, after_the_cutoff}},
        {"a closed site above its ceiling is cut off",
         "closed,",
         "cut_off,",
         "closed_load",
         {guard_house, far_above, NULL, NULL, NULL}},
    };
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(changed); i++) {
        char raised[32], returned[32];

        begin(&w, &changed[i].field, "", "");
        row(changed[i].name);
        snprintf(raised, sizeof raised, "raised %s", changed[i].rule);
        snprintf(returned, sizeof returned, "returned %s", changed[i].rule);
        run_to(&w, 37 * DAY + DAY / 2);
        check_int(count(&w, raised), 1);
        check_int(count(&w, returned), 0);
        read_ledger_again(&w, LW_SITES, changed[i].was, changed[i].is);
        w.heard.n = 0;
        w.heard.text[0] = 0;
        run_to(&w, 37 * DAY + DAY / 2 + HOUR);
        check_int(count(&w, returned), 1);
        snprintf(returned, sizeof returned, " of %d ", LW_FOUND_MOOT);
        check(count(&w, returned) >= 1);
        end(&w);
    }
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
        cmocka_unit_test(test_a_silent_thermometer),
        cmocka_unit_test(test_one_alarm_above_the_ceiling),
        cmocka_unit_test(test_more_of_it_comes_back),
        cmocka_unit_test(test_what_ran_before_is_told_as_it_was),
        cmocka_unit_test(test_one_alarm_for_the_same_thing),
        cmocka_unit_test(test_what_is_slight_is_no_news),
        cmocka_unit_test(test_a_gap_while_it_stands),
        cmocka_unit_test(test_a_gap_within_a_step),
        cmocka_unit_test(test_how_soon_somebody_must_look),
        cmocka_unit_test(test_frost_clears_nothing),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_ledger_read_again),
        cmocka_unit_test(test_status_changed),
        cmocka_unit_test(test_ticks_change_nothing),
        cmocka_unit_test(test_saved_and_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
