/* The rules for enterprises that may run: cases named by what happens in the field. */
#include "plant.h"

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char CONTACTS[] = "contact_id,area_id,role,name\nP1,C,chief,某人\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw,tags\n"
    "WORKS,石料厂,processing_plant,licensed,2025-01-01,C,35.6,111,CGCS2000,,\n"
    "SHOP,商店,other,licensed,2025-01-01,C,35.6,111,CGCS2000,,\n"
    "RISK,仓库,other,licensed,2025-01-01,C,35.6,111,CGCS2000,,a;高危\n"
    "MINE,矿,coal_mine,licensed,2025-01-01,C,35.6,111,CGCS2000,200,\n"
    "KEPT,停产矿,non_coal_mine,maintenance,2025-01-01,C,35.6,111,CGCS2000,,\n"
    "WASH,洗煤厂,coal_washery,suspended,2025-01-01,C,35.6,111,CGCS2000,100,\n"
    "BARE,采石场,quarry,licensed,2025-01-01,C,35.6,111,CGCS2000,,\n"
    "IDLE,加工厂,processing_plant,suspended,2025-01-01,C,35.6,111,CGCS2000,,\n"
    "MOVES,搬迁矿,quarry,relocating,2025-01-01,C,35.6,111,CGCS2000,100,\n";
/* MINE: 10 kWh a tonne, 30,000 t a year: 300 MWh a year, 30 MWh in one month. */
static const char LICENCES[] =
    "site_id,kind,number,valid_from,valid_to,capacity_t_per_year,kwh_per_tonne\n"
    "MINE,mining,M,2024-01-01,2030-01-01,30000,10\n"
    "MINE,safety,N,2024-01-01,2030-01-01,,\n"
    "BARE,mining,O,2024-01-01,2030-01-01,,\n"
    "BARE,safety,P,2024-01-01,2025-11-11,,\n"
    "KEPT,mining,Q,2024-01-01,2030-01-01,,\n"
    "KEPT,safety,R,2024-01-01,2030-01-01,,\n"
    "MOVES,mining,S,2024-01-01,2030-01-01,,\n"
    "MOVES,safety,T,2024-01-01,2030-01-01,,\n";
/* From the sixth Monday, 2025-12-15, on for two days. */
static const char EXPLANATIONS[] =
    "explanation_id,site_id,kind,max_kw,valid_from,valid_to,point_id\n"
    "E1,RISK,maintenance,,2025-12-15,2025-12-16,\n"
    "E2,SHOP,guard_house,1,2025-01-01,,\n"
    "E3,MINE,temporary_supply,100,2025-11-20,2025-11-21,\n"
    "E4,KEPT,dewatering,60,2025-01-01,,PUMP\n"
    "E5,KEPT,guard_house,3,2025-01-01,,\n"
    "E6,WASH,guard_house,3,2025-01-01,,\n";
static const char GATEWAYS[] = "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\n";
static const char METERS[] = "meter_id,site_id,role,parent_id,gateway_id,unit,interval_s,"
                             "rated_kw,energy_resolution_kwh,installed_at\n"
                             "WORKS,WORKS,supply,,G,1,900,900,0.1,2025-01-01\n"
                             "SHOP,SHOP,supply,,G,2,900,900,0.1,2025-01-01\n"
                             "RISK,RISK,supply,,G,3,900,900,0.1,2025-01-01\n"
                             "MINE,MINE,supply,,G,4,900,900,0.1,2025-01-01\n"
                             "KEPT,KEPT,supply,,G,5,900,900,0.1,2025-01-01\n"
                             "PUMP,KEPT,sub,KEPT,G,6,900,900,0.1,2025-01-01\n"
                             "WASH,WASH,supply,,G,7,900,900,0.1,2025-01-01\n"
                             "BARE,BARE,supply,,G,8,900,900,0.1,2025-01-01\n"
                             "IDLE,IDLE,supply,,G,9,900,900,0.1,2025-01-01\n"
                             "MOVES,MOVES,supply,,G,10,900,900,0.1,2025-01-01\n";

static const char *const TABLES[LW_TABLES] = {AREAS,        CONTACTS, SITES, LICENCES,
                                              EXPLANATIONS, GATEWAYS, METERS};

/* The day on which the cases of WORKS change: the sixth Monday, no holiday; and the
 * Wednesday after it is one. */
static const char HOLIDAYS[] = "2025-12-17\n";

/* --- unusual_load */

/* A works of one shift, so many times its usual load. */
static void
work(struct plant *p, const char *meter, int days, double times)
{
    for (int q = 0; q < days * 96; q++) {
        int64_t day = (p->now - PLANT_T0) / LW_DAY;
        int64_t hour = (p->now - PLANT_T0) % LW_DAY / LW_HOUR;
        bool shift = day % 7 < 5 && hour >= 8 && hour < 18;
        double wobble = 1 + 0.1 * (double)((day * 7 + hour * 3) % 5 - 2) / 2;

        quarters_of(p, meter, 1, LOAD((shift ? 100 : 15) * times * wobble));
    }
}

static void
as_usual(struct plant *p)
{
    work(p, "WORKS", 70, 1);
}

static void
second_shift(struct plant *p)
{
    work(p, "WORKS", 35, 1);
    work(p, "WORKS", 1, 2);
}

static void
second_shift_for_three_weeks(struct plant *p)
{
    work(p, "WORKS", 35, 1);
    work(p, "WORKS", 21, 2);
    work(p, "WORKS", 5, 1);
}

static void
half_a_day(struct plant *p)
{
    work(p, "WORKS", 35, 1);
    work(p, "WORKS", 1, 0.5);
    work(p, "WORKS", 5, 1);
}

/* Fans and pumps stop, and nobody says why: it stands, and is not told by the hour. */
static void
stops_for_good(struct plant *p)
{
    work(p, "WORKS", 35, 1);
    work(p, "WORKS", 28, 0.02);
    check(mode == ACTED || plant_heard(p, "updated unusual_load") <= 7);
}

static void
while_it_is_learned(struct plant *p)
{
    work(p, "WORKS", 20, 1);
    work(p, "WORKS", 1, 3);
    work(p, "WORKS", 5, 1);
}

static void
a_holiday(struct plant *p)
{
    work(p, "WORKS", 37, 1);
    work(p, "WORKS", 1, 0.15);
    work(p, "WORKS", 4, 1);
}

static void
slowly_more(struct plant *p)
{
    for (int week = 0; week < 14; week++)
        work(p, "WORKS", 7, 1 + 0.05 * week);
}

static void
approved_maintenance(struct plant *p)
{
    work(p, "RISK", 35, 1);
    work(p, "RISK", 1, 0.2);
    work(p, "RISK", 5, 1);
}

static void
high_risk(struct plant *p)
{
    work(p, "RISK", 38, 1);
    work(p, "RISK", 1, 2);
}

static void
shop(struct plant *p)
{
    work(p, "SHOP", 35, 1);
    work(p, "SHOP", 7, 3);
}

/* Silent from a Monday's midnight on; the register goes on. */
static void
gap(struct plant *p, double kw)
{
    work(p, "WORKS", 35, 1);
    p->now += LW_DAY;
    p->wh += (int64_t)(kw * 24000);
    work(p, "WORKS", 2, 1);
}

static void
usual_gap(struct plant *p)
{
    gap(p, 50);
}

static void
busy_gap(struct plant *p)
{
    gap(p, 130);
}

/* It stops for lack of orders, as it did while it was learned. */
static void
irregular_works(struct plant *p)
{
    for (int week = 0; week < 10; week++)
        for (int day = 0; day < 7; day++)
            work(p, "WORKS", 1, (week * 7 + day) % 9 == 4 ? 0.2 : 1);
}

/* --- over_contract */

static void
above_contract(struct plant *p)
{
    quarters_of(p, "MINE", 20, LOAD(190));
    quarters_of(p, "MINE", 2, LOAD(240));
}

static void
one_start(struct plant *p)
{
    for (int i = 0; i < 10; i++) {
        quarters_of(p, "MINE", 8, LOAD(150));
        quarters_of(p, "MINE", 1, LOAD(260));
    }
}

static void
temporary_supply(struct plant *p)
{
    quarters_of(p, "MINE", 10 * 96, LOAD(1));
    quarters_of(p, "MINE", 90, LOAD(280));
}

static void
back_within(struct plant *p)
{
    above_contract(p);
    quarters_of(p, "MINE", 100, LOAD(50));
}

static void
suspended_washery(struct plant *p)
{
    quarters_of(p, "WASH", 20, LOAD(8));
    quarters_of(p, "WASH", 4, LOAD(60));
}

static void
suspended_office(struct plant *p)
{
    quarters_of(p, "WASH", 200, LOAD(9));
}

static void
suspended_without_a_contract(struct plant *p)
{
    quarters_of(p, "IDLE", 200, LOAD(12));
    check_int(plant_heard(p, "raised"), 0);
    quarters_of(p, "IDLE", 4, LOAD(60));
}

static void
above_the_contract_of_a_mine_that_moves(struct plant *p)
{
    quarters_of(p, "MOVES", 200, LOAD(90));
    check_int(plant_heard(p, "raised"), 0);
    quarters_of(p, "MOVES", 4, LOAD(150));
}

/* --- over_licence */

static void
more_than_a_tenth(struct plant *p)
{
    /* 20 days of November at 100 kW are 48 MWh. */
    quarters_of(p, "MINE", 20 * 96, LOAD(100));
    check(p->last.evidence.samples_good > 12 * 96);
    check(p->last.evidence.peak_w >= 100000);
    /* A third more by now, and kWh a tonne are off by a fifth. */
    check(p->last.evidence.confidence_milli > 700);
    check(p->last.evidence.confidence_milli < 950);
    /* A hint is not told by the hour. */
    check(mode == ACTED || plant_heard(p, "updated over_licence") <= 4);
}

static void
another_month(struct plant *p)
{
    more_than_a_tenth(p);
    quarters_of(p, "MINE", 3 * 96, LOAD(100));
}

static void
a_hair_more(struct plant *p)
{
    quarters_of(p, "MINE", 12 * 96 + 60, LOAD(100));
    check_int(p->last.evidence.confidence_milli, 500);
}

static void
within_the_licence(struct plant *p)
{
    quarters_of(p, "MINE", 25 * 96, LOAD(50));
}

/* --- licence_gap */

static void
licence_ran_out(struct plant *p)
{
    quarters_of(p, "BARE", 190, LOAD(120));
    check_text(p->heard, "");
    quarters_of(p, "BARE", 10, LOAD(120));
    check_int(plant_heard(p, "raised licence_gap site/BARE medium"), 1);
}

static void
pumping_without_licence(struct plant *p)
{
    quarters_of(p, "BARE", 300, LOAD(12));
}

/* --- process_share */

/* The pump draws so much, and the whole site so much. */
static void
kept(struct plant *p, int quarters_n, double pump, double all)
{
    static int64_t pump_wh, all_wh;

    if (p->now == PLANT_T0)
        pump_wh = all_wh = 1000000;
    while (quarters_n-- > 0) {
        p->wh = pump_wh;
        quarters_of(p, "PUMP", 1, LOAD(pump));
        pump_wh = p->wh;
        p->now -= PLANT_QUARTER;
        p->wh = all_wh;
        quarters_of(p, "KEPT", 1, LOAD(all));
        all_wh = p->wh;
    }
}

static void
pumps_and_a_guard(struct plant *p)
{
    kept(p, 4 * 96, 20, 22);
}

static void
a_hoist_beside_the_pumps(struct plant *p)
{
    kept(p, 2 * 96, 20, 22);
    kept(p, 2 * 96, 5, 19);
    check_int(p->last.evidence.samples_good, 96);
    check(p->last.evidence.peak_w >= p->last.evidence.mean_w);
}

static void
hoist_that_stops(struct plant *p)
{
    a_hoist_beside_the_pumps(p);
    kept(p, 2 * 96, 20, 22);
}

static const struct plant_case cases[] = {
    {"ten weeks as usual", as_usual, NULL, 0, 0, 0},
    {"a second shift", second_shift, "unusual_load", LW_FOUND_UNUSUALLY_HIGH, 1, 0},
    {"a second shift for three weeks is not learned", second_shift_for_three_weeks,
     "unusual_load", LW_FOUND_UNUSUALLY_HIGH, 1, 1},
    {"half a day's work", half_a_day, "unusual_load", LW_FOUND_UNUSUALLY_LOW, 1, 1},
    {"a works that stops for good", stops_for_good, "unusual_load",
     LW_FOUND_UNUSUALLY_LOW, 1, 0},
    {"three times the load while it is learned", while_it_is_learned, NULL, 0, 0, 0},
    {"a holiday of the calendar", a_holiday, NULL, 0, 0, 0},
    {"five percent more every week", slowly_more, NULL, 0, 0, 0},
    {"a stop for approved maintenance", approved_maintenance, NULL, 0, 0, 0},
    {"a high-risk enterprise of another kind", high_risk, "unusual_load",
     LW_FOUND_UNUSUALLY_HIGH, 1, 0},
    {"a shop at Christmas", shop, NULL, 0, 0, 0},
    {"a silent day with a usual register", usual_gap, NULL, 0, 0, 0},
    {"a silent day with a busy register", busy_gap, "unusual_load",
     LW_FOUND_UNUSUALLY_HIGH, 1, 1},
    {"a works that stops now and then", irregular_works, NULL, 0, 0, 0},

    {"half an hour above the contract", above_contract, "over_contract",
     LW_FOUND_OVER_CONTRACT, 1, 0},
    {"a day within it again", back_within, "over_contract", LW_FOUND_OVER_CONTRACT, 1, 1},
    {"a motor's start above the contract", one_start, NULL, 0, 0, 0},
    {"a temporary supply beside the contract", temporary_supply, NULL, 0, 0, 0},
    {"suspended capacity of a washery", suspended_washery, "over_contract",
     LW_FOUND_SUSPENDED_CAPACITY, 1, 0},
    {"a suspended works without a contract on file works", suspended_without_a_contract,
     "over_contract", LW_FOUND_SUSPENDED_CAPACITY, 1, 0},
    {"a mine that moves, above its contract", above_the_contract_of_a_mine_that_moves,
     "over_contract", LW_FOUND_OVER_CONTRACT, 1, 0},
    {"the office of a suspended washery", suspended_office, NULL, 0, 0, 0},

    {"more than a tenth of the licence in a month", more_than_a_tenth, "over_licence",
     LW_FOUND_OVER_MONTH, 1, 0},
    {"the next month", another_month, "over_licence", LW_FOUND_OVER_MONTH, 1, 1},
    {"a hair more than a tenth, which is as likely none", a_hair_more, "over_licence",
     LW_FOUND_OVER_MONTH, 1, 0},
    {"within the licence", within_the_licence, NULL, 0, 0, 0},

    {"production after the safety licence ran out", licence_ran_out, "licence_gap",
     LW_FOUND_NO_LICENCE, 1, 0},
    {"pumping without a safety licence", pumping_without_licence, NULL, 0, 0, 0},

    {"a kept mine with its pumps and a guard", pumps_and_a_guard, NULL, 0, 0, 0},
    {"a hoist beside the pumps", a_hoist_beside_the_pumps, "process_share",
     LW_FOUND_PROCESS_SHARE, 1, 0},
    {"a hoist that stops again", hoist_that_stops, "process_share",
     LW_FOUND_PROCESS_SHARE, 1, 1},
};

static void
test_cases(void **state)
{
    (void)state;
    plant_cases(cases, LENGTH(cases), TABLES, HOLIDAYS, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
