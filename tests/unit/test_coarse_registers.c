/* Registers whose step is more than a quarter hour's energy: what they hide is waited
 * for, and is found as soon as they can show it. */
#include "plant.h"

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char CONTACTS[] = "contact_id,area_id,role,name\nP1,C,chief,某人\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw\n"
    "DARK,一号,quarry,closed,2025-01-01,C,35.6,111,CGCS2000,\n"
    "HOUSE,二号,quarry,closed,2025-01-01,C,35.6,111,CGCS2000,\n"
    "MINE,三号,coal_mine,licensed,2025-01-01,C,35.6,111,CGCS2000,\n"
    "WASH,四号,coal_washery,licensed,2025-01-01,C,35.6,111,CGCS2000,100\n"
    "CUT,五号,quarry,cut_off,2025-01-01,C,35.6,111,CGCS2000,\n"
    "FAN,六号,quarry,cut_off,2025-01-01,C,35.6,111,CGCS2000,\n";
static const char EXPLANATIONS[] = "explanation_id,site_id,kind,max_kw,valid_from\n"
                                   "E,HOUSE,guard_house,3,2025-01-01\n"
                                   "V,FAN,ventilation,1,2025-01-01\n";
static const char GATEWAYS[] = "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\n";
/* A direct meter shows whole kWh; behind a transformer of 40, one step is 40 kWh. */
static const char METERS[] =
    "meter_id,site_id,role,gateway_id,unit,interval_s,ct_ratio,rated_kw,"
    "energy_resolution_kwh,installed_at\n"
    "DARK,DARK,supply,G,1,900,1,100,1,2025-01-01\n"
    "HOUSE,HOUSE,supply,G,2,900,1,100,1,2025-01-01\n"
    "MINE,MINE,supply,G,3,900,40,400,1,2025-01-01\n"
    "WASH,WASH,supply,G,4,900,40,400,1,2025-01-01\n"
    "CUT,CUT,supply,G,5,900,1,100,1,2025-01-01\n"
    "FAN,FAN,supply,G,6,900,1,100,1,2025-01-01\n";

static const char *const TABLES[LW_TABLES] = {AREAS,        CONTACTS, SITES, NULL,
                                              EXPLANATIONS, GATEWAYS, METERS};

/* So many hours at so many kW; the register shows whole steps, and nothing else is read.
 */
static void
hours(struct plant *p, const char *meter, int64_t step_wh, double n, double kw)
{
    for (int q = 0; q < (int)(n * 4); q++) {
        struct lw_reading r = {0};

        p->now += PLANT_QUARTER;
        p->wh += (int64_t)(kw * 250);
        set(&r, LW_IMPORT, p->wh / step_wh * step_wh);
        put(p, meter, LW_GOOD, r);
    }
}

static void
four_kilowatts(struct plant *p)
{
    hours(p, "DARK", 1000, 24, 0.1);
    hours(p, "DARK", 1000, 2, 4);
}

static void
a_little_more_than_the_floor(struct plant *p)
{
    hours(p, "DARK", 1000, 24, 0.1);
    hours(p, "DARK", 1000, 24, 0.7);
    check_int(plant_heard(p, "raised closed_load"), 1);
    /* What is unexplained is what flowed above the floor, and a step of the register. */
    check(p->last.evidence.excess_wh < 24 * 200 + 1000);
    hours(p, "DARK", 1000, 6, 0);
}

static void
the_floor_itself(struct plant *p)
{
    hours(p, "DARK", 1000, 10 * 24, 0.48);
}

static void
below_a_ceiling(struct plant *p)
{
    for (int day = 0; day < 5; day++) {
        hours(p, "HOUSE", 1000, 16, 2.2);
        hours(p, "HOUSE", 1000, 8, 2.9);
    }
}

static void
above_a_ceiling(struct plant *p)
{
    hours(p, "HOUSE", 1000, 16, 2.2);
    hours(p, "HOUSE", 1000, 8, 4);
    hours(p, "HOUSE", 1000, 8, 2.2);
}

static void
half_an_hour(struct plant *p)
{
    hours(p, "DARK", 1000, 24, 0.1);
    hours(p, "DARK", 1000, 0.5, 60);
    hours(p, "DARK", 1000, 24, 0.1);
}

static void
shift_without_a_licence(struct plant *p)
{
    hours(p, "MINE", 40000, 8, 2);
    hours(p, "MINE", 40000, 8, 60);
}

static void
kept_without_a_licence(struct plant *p)
{
    hours(p, "MINE", 40000, 10 * 24, 14);
}

static void
above_the_contract(struct plant *p)
{
    hours(p, "WASH", 40000, 24, 90);
    hours(p, "WASH", 40000, 8, 125);
    hours(p, "WASH", 40000, 48, 90);
}

static void
within_the_contract(struct plant *p)
{
    hours(p, "WASH", 40000, 10 * 24, 100);
}

static void
after_the_cutoff(struct plant *p)
{
    hours(p, "CUT", 1000, 48, 0);
    hours(p, "CUT", 1000, 8, 0.3);
}

/* A step in forty hours. */
static void
a_lamp_after_the_cutoff(struct plant *p)
{
    hours(p, "CUT", 1000, 48, 0);
    hours(p, "CUT", 1000, 60, 0.025);
    check_int(plant_heard(p, "raised post_cutoff"), 0);
    hours(p, "CUT", 1000, 30, 0.025);
    check_int(plant_heard(p, "raised post_cutoff"), 1);
    hours(p, "CUT", 1000, 30, 0);
}

static void
a_fan_after_the_cutoff(struct plant *p)
{
    for (int day = 0; day < 10; day++) {
        hours(p, "FAN", 1000, 10, 0.95);
        hours(p, "FAN", 1000, 14, 0.3);
    }
}

static void
more_than_the_fan(struct plant *p)
{
    hours(p, "FAN", 1000, 48, 0.8);
    hours(p, "FAN", 1000, 8, 1.5);
}

static const struct plant_case cases[] = {
    {"4 kW at a dark site", four_kilowatts, "closed_load", LW_FOUND_NO_EXPLANATION, 1, 0},
    {"0.7 kW where 0.5 is let pass, and its end", a_little_more_than_the_floor,
     "closed_load", LW_FOUND_NO_EXPLANATION, 1, 1},
    {"0.48 kW where 0.5 is let pass", the_floor_itself, NULL, 0, 0, 0},
    {"a guard house below its ceiling", below_a_ceiling, NULL, 0, 0, 0},
    {"a guard house above its ceiling, and its end", above_a_ceiling, "closed_load",
     LW_FOUND_OVER_ALLOWANCE, 1, 1},
    {"half an hour of a motor", half_an_hour, NULL, 0, 0, 0},
    {"a shift without a licence, by steps of 40 kWh", shift_without_a_licence,
     "licence_gap", LW_FOUND_NO_LICENCE, 1, 0},
    {"a mine that is kept, by steps of 40 kWh", kept_without_a_licence, NULL, 0, 0, 0},
    {"a shift above the contract, by steps of 40 kWh", above_the_contract,
     "over_contract", LW_FOUND_OVER_CONTRACT, 1, 1},
    {"all of the contract, by steps of 40 kWh", within_the_contract, NULL, 0, 0, 0},
    {"0.3 kW after the cutoff", after_the_cutoff, "post_cutoff", LW_FOUND_AFTER_CUTOFF, 1,
     0},
    {"a step each forty hours after the cutoff, and its end", a_lamp_after_the_cutoff,
     "post_cutoff", LW_FOUND_AFTER_CUTOFF, 1, 1},
    {"a fan within its safety supply after the cutoff", a_fan_after_the_cutoff, NULL, 0,
     0, 0},
    {"half as much again as the fan may draw", more_than_the_fan, "post_cutoff",
     LW_FOUND_AFTER_CUTOFF, 1, 0},
};

static void
test_cases(void **state)
{
    (void)state;
    plant_cases(cases, LENGTH(cases), TABLES, NULL, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
