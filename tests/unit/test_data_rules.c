/* The rules about metering: cases named by what happens in the field. */
#include "plant.h"

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char CONTACTS[] = "contact_id,area_id,role,name\nP1,C,chief,某人\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum,own_generation\n"
    "S,一号,quarry,licensed,2025-01-01,C,35.6,111,CGCS2000,false\n"
    "SUN,二号,quarry,licensed,2025-01-01,C,35.6,111,CGCS2000,true\n"
    "DARK,三号,quarry,closed,2025-01-01,C,35.6,111,CGCS2000,false\n";
static const char LICENCES[] = "site_id,kind,number,valid_from,valid_to\n"
                               "S,mining,M,2024-01-01,2030-01-01\n"
                               "S,safety,N,2024-01-01,2030-01-01\n"
                               "SUN,mining,O,2024-01-01,2030-01-01\n"
                               "SUN,safety,P,2024-01-01,2030-01-01\n";
static const char EXPLANATIONS[] = "explanation_id,site_id,kind,max_kw,valid_from\n"
                                   "E,DARK,dewatering,500,2025-01-01\n";
static const char GATEWAYS[] =
    "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\nH,tcp,127.0.0.1:1503\n";
/* M: 100 kW, 0.1 kWh, rolls at 100,000. BARE: nothing is known of it. */
static const char METERS[] =
    "meter_id,point_id,site_id,role,gateway_id,unit,interval_s,rated_kw,"
    "energy_resolution_kwh,energy_modulus_kwh,installed_at\n"
    "M,M,S,supply,G,1,900,100,0.1,100000,2025-01-01\n"
    "BARE,BARE,S,supply,G,2,900,,,,2025-01-01\n"
    "SUN,SUN,SUN,supply,G,3,900,100,0.1,100000,2025-01-01\n"
    "DARK,DARK,DARK,supply,H,1,900,100,0.1,100000,2025-01-01\n";

static const char *const TABLES[LW_TABLES] = {AREAS,        CONTACTS, SITES, LICENCES,
                                              EXPLANATIONS, GATEWAYS, METERS};

/* --- the register */

static void
slow_register(struct plant *p)
{
    p->wh = 1000000;
    for (int i = 0; i < 400; i++) {
        /* 0.3 kW on a register of 1 kWh. */
        struct lw_reading r = {0};

        p->now += PLANT_QUARTER;
        set(&r, LW_IMPORT, 1000000 + i * 75 / 1000 * 1000);
        set(&r, LW_ACTIVE_POWER, 300);
        put(p, "BARE", LW_GOOD, r);
    }
}

static void
one_garbage_value(struct plant *p)
{
    quarters(p, 40, LOAD(20));
    p->wh += 5000000;
    quarters(p, 1, LOAD(20));
    p->wh -= 5000000;
    quarters(p, 40, LOAD(20));
}

static void
rollover(struct plant *p)
{
    p->wh = 99990000;
    quarters(p, 3, LOAD(8));
    p->wh -= 100000000;
    quarters(p, 40, LOAD(8));
}

static void
reset_to_zero(struct plant *p)
{
    quarters(p, 40, LOAD(20));
    p->wh = 0;
    quarters(p, 8, LOAD(20));
}

static void
leap(struct plant *p)
{
    quarters(p, 40, LOAD(20));
    p->wh += 5000000;
    quarters(p, 8, LOAD(20));
}

static void
overload(struct plant *p)
{
    quarters(p, 40, LOAD(80));
    quarters(p, 8, LOAD(180));
    assert_int_equal(p->stored[LW_SUSPECT], 2);
}

/* Nothing is known of the connection, and the load is more than a meter of its kind has.
 */
static void
large_load_without_rating(struct plant *p)
{
    quarters_of(p, "BARE", 40, LOAD(5));
    quarters_of(p, "BARE", 40, LOAD(900));
    assert_int_equal(p->stored[LW_SUSPECT], 2);
}

static void
leap_without_rating(struct plant *p)
{
    quarters_of(p, "BARE", 40, LOAD(5));
    p->wh += 5000000;
    quarters_of(p, "BARE", 8, LOAD(5));
}

static void
nonsense(struct plant *p)
{
    quarters(p, 40, LOAD(20));
    for (int i = 0; i < 40; i++) {
        int64_t wh = p->wh;

        p->wh = i % 2 ? 77000000 - i : 0;
        quarters(p, 1, LOAD(20));
        p->wh = wh + (int64_t)(20 * 250);
    }
}

/* --- stuck */

static void
stuck_with_power(struct plant *p)
{
    quarters(p, 100, LOAD(20));
    quarters(p, 12, (struct shown){.register_kw = 0, .kw = 20});
}

static void
stuck_and_moves_again(struct plant *p)
{
    stuck_with_power(p);
    quarters(p, 8, LOAD(20));
}

static void
stuck_without_power(struct plant *p)
{
    quarters(p, 200, LOAD(6));
    quarters(p, 12, (struct shown){.register_kw = 0, .kw = NONE});
}

static void
profile_without_power(struct plant *p)
{
    quarters(p, 200, LOAD(6));
    quarters(p, 200, (struct shown){.register_kw = 6, .kw = NONE});
}

static void
dark(struct plant *p)
{
    quarters(p, 200, LOAD(6));
    quarters(p, 400, LOAD(0));
}

static void
dark_at_night(struct plant *p)
{
    for (int day = 0; day < 10; day++) {
        quarters(p, 48, LOAD(6));
        quarters(p, 48, LOAD(0));
    }
    /* Power goes, and the register stands as it does in every night. */
    quarters(p, 48, (struct shown){.register_kw = 6, .kw = NONE});
    quarters(p, 48, (struct shown){.register_kw = 0, .kw = NONE});
}

static void
frozen(struct plant *p)
{
    struct lw_reading r;

    quarters(p, 20, PHASES(20, 30, 30, 30));
    r = reading_of(p, &PHASES(0, 0.1, 0.1, 0.1));
    for (int i = 0; i < 30; i++) {
        p->now += PLANT_QUARTER;
        put(p, "M", LW_GOOD, r);
    }
}

static void
idle_but_alive(struct plant *p)
{
    quarters(p, 20, PHASES(20, 30, 30, 30));
    quarters(p, 400, PHASES(0, 0, 0, 0));
}

static void
estimated(struct plant *p)
{
    quarters(p, 100, LOAD(20));
    for (int i = 0; i < 40; i++) {
        p->now += PLANT_QUARTER;
        put(p, "M", LW_ESTIMATED,
            reading_of(p, &(struct shown){.register_kw = 0, .kw = 20}));
    }
}

/* --- ct_reversal */

static void
reversed(struct plant *p)
{
    quarters(p, 40, LOAD(20));
    quarters(p, 12, LOAD(-20));
}

static void
turned_back(struct plant *p)
{
    reversed(p);
    quarters(p, 8, LOAD(20));
}

static void
reversed_without_power(struct plant *p)
{
    quarters(p, 40, (struct shown){.register_kw = 20, .kw = NONE});
    quarters(p, 14, (struct shown){.register_kw = -20, .kw = NONE});
}

static void
solar(struct plant *p)
{
    quarters_of(p, "SUN", 40, LOAD(20));
    quarters_of(p, "SUN", 24,
                (struct shown){.register_kw = 0, .kw = -20, .export_wh = 1000});
}

static void
exports(struct plant *p)
{
    quarters(p, 40, (struct shown){.register_kw = 20, .kw = NONE, .export_wh = 1});
    quarters(p, 24, (struct shown){.register_kw = 0, .kw = NONE, .export_wh = 100000});
}

static void
braking_hoist(struct plant *p)
{
    for (int i = 0; i < 60; i++) {
        quarters(p, 2, LOAD(20));
        quarters(p, 1, (struct shown){.register_kw = 18, .kw = -15});
    }
}

static void
one_phase_turned(struct plant *p)
{
    quarters(p, 200, PHASES(20, 30, 30, 30));
    quarters(p, 12,
             (struct shown){.register_kw = 6.7,
                            .kw = 6.7,
                            .volts = {230, 231, 229},
                            .amps = {30, 30, 30}});
}

static void
one_phase_negative(struct plant *p)
{
    quarters(p, 40, PHASES(20, 30, 30, 30));
    quarters(p, 12, PHASES(6.7, 30, -30, 30));
}

static void
idling_motors(struct plant *p)
{
    quarters(p, 200, PHASES(20, 30, 30, 30));
    /* Without load they draw a third of the current, and hardly any power. */
    quarters(p, 40, PHASES(1.5, 10, 10, 10));
}

/* --- phase_loss */

static void
fuse_of_a_voltage(struct plant *p)
{
    quarters(p, 200, PHASES(20, 30, 30, 30));
    quarters(
        p, 12,
        (struct shown){
            .register_kw = 13, .kw = 13, .volts = {230, 12, 229}, .amps = {30, 30, 30}});
}

static void
bridged_current(struct plant *p)
{
    quarters(p, 200, PHASES(20, 30, 30, 30));
    quarters(p, 12, PHASES(13, 30, 30, 0.1));
}

static void
phase_comes_back(struct plant *p)
{
    bridged_current(p);
    quarters(p, 8, PHASES(20, 30, 30, 30));
}

static void
lamp_at_night(struct plant *p)
{
    for (int day = 0; day < 6; day++) {
        quarters(p, 48, PHASES(20, 30, 30, 30));
        quarters(p, 48, PHASES(1, 3, 1, 0));
    }
}

static void
single_phase_site(struct plant *p)
{
    quarters(p, 400, PHASES(5, 22, 0, 0));
}

static void
outage(struct plant *p)
{
    quarters(p, 200, PHASES(20, 30, 30, 30));
    quarters(p, 40, (struct shown){.volts = {0, 0, 0.1}});
    quarters(p, 40, PHASES(20, 30, 30, 30));
}

/* --- sum_check */

static void
wrong_scale(struct plant *p)
{
    quarters(p, 100, (struct shown){.register_kw = 12, .kw = 20});
}

static void
scale_put_right(struct plant *p)
{
    wrong_scale(p);
    quarters(p, 200, LOAD(20));
}

/* Its power is read now and then: in between, its motors may have run or not. */
static void
crusher_by_the_minute(struct plant *p)
{
    for (int i = 0; i < 400; i++)
        quarters(p, 1, (struct shown){.register_kw = 40, .kw = i % 3 ? 20 : 90});
}

static void
small_load(struct plant *p)
{
    quarters(p, 200, (struct shown){.register_kw = 0, .kw = 0.05});
}

/* --- clock_drift */

static void
clock_says(struct plant *p, int64_t drift_ms)
{
    struct lw_event e = {.kind = LW_EVENT_METER_CLOCK, .at = {p->now}};

    e.clock.meter = plant_meter(p, "M");
    e.clock.drift_ms = drift_ms;
    lw_core_step(p->core, &e);
    if (mode != STRAIGHT)
        plant_renew(p, mode == SAVED);
    quarters(p, 8, LOAD(1));
}

static void
clock_wrong(struct plant *p)
{
    clock_says(p, -7 * LW_MINUTE);
    clock_says(p, -7 * LW_MINUTE);
    clock_says(p, -8 * LW_MINUTE);
}

static void
clock_set(struct plant *p)
{
    clock_wrong(p);
    clock_says(p, LW_SECOND);
}

static void
clock_read_late_once(struct plant *p)
{
    clock_says(p, 0);
    clock_says(p, -20 * LW_MINUTE);
    clock_says(p, 0);
}

static const struct plant_case cases[] = {
    {"a slow register that steps by 1 kWh", slow_register, NULL, 0, 0, 0},
    {"one garbage value", one_garbage_value, NULL, 0, 0, 0},
    {"a rollover", rollover, NULL, 0, 0, 0},
    {"a register reset to zero", reset_to_zero, "register_jump", LW_FOUND_REGISTER_FELL,
     1, 1},
    {"a register that leaps", leap, "register_jump", LW_FOUND_REGISTER_LEAPT, 1, 1},
    {"a load far above the rating", overload, "register_jump",
     LW_FOUND_REGISTER_OVER_RATING, 1, 0},
    {"a large load where no rating is on file", large_load_without_rating, NULL, 0, 0, 0},
    {"a leap where no rating is on file", leap_without_rating, "register_jump",
     LW_FOUND_REGISTER_LEAPT, 1, 1},
    {"a register that makes no sense for hours", nonsense, "register_jump",
     LW_FOUND_REGISTER_ERRATIC, 1, 0},

    {"power without energy", stuck_with_power, "stuck_register", LW_FOUND_REGISTER_STOOD,
     1, 0},
    {"power without energy, then energy", stuck_and_moves_again, "stuck_register",
     LW_FOUND_REGISTER_STOOD, 1, 1},
    {"the register stands and the power is gone", stuck_without_power, "stuck_register",
     LW_FOUND_POWER_GONE, 1, 0},
    {"a profile that reads no power any more", profile_without_power, NULL, 0, 0, 0},
    {"a site that went dark", dark, NULL, 0, 0, 0},
    {"dark at night, with and without power", dark_at_night, NULL, 0, 0, 0},
    {"the same values for a night", frozen, "stuck_register", LW_FOUND_VALUES_FROZEN, 1,
     0},
    {"idle, with a living voltage", idle_but_alive, NULL, 0, 0, 0},
    {"estimated values that stand still", estimated, NULL, 0, 0, 0},

    {"all transformers turned", reversed, "ct_reversal", LW_FOUND_REVERSED, 1, 0},
    {"turned and turned back", turned_back, "ct_reversal", LW_FOUND_REVERSED, 1, 1},
    {"a register that counts down, no power read", reversed_without_power, "ct_reversal",
     LW_FOUND_REVERSED, 1, 0},
    {"an export register that moves", exports, "ct_reversal", LW_FOUND_REVERSED, 1, 0},
    {"own generation that is in the ledger", solar, NULL, 0, 0, 0},
    {"a hoist that brakes", braking_hoist, NULL, 0, 0, 0},
    {"one transformer turned", one_phase_turned, "ct_reversal", LW_FOUND_REVERSED, 1, 0},
    {"one current shown as negative", one_phase_negative, "ct_reversal",
     LW_FOUND_REVERSED, 1, 0},
    {"motors that idle", idling_motors, NULL, 0, 0, 0},

    {"a voltage's fuse", fuse_of_a_voltage, "phase_loss", LW_FOUND_VOLTAGE_GONE, 1, 0},
    {"a bridged current transformer", bridged_current, "phase_loss",
     LW_FOUND_CURRENT_GONE, 1, 0},
    {"the phase comes back", phase_comes_back, "phase_loss", LW_FOUND_CURRENT_GONE, 1, 1},
    {"a lamp on one phase at night", lamp_at_night, NULL, 0, 0, 0},
    {"a site on one phase", single_phase_site, NULL, 0, 0, 0},
    {"an outage", outage, NULL, 0, 0, 0},

    {"a register that counts too little", wrong_scale, "sum_check", LW_FOUND_SUMS_DIFFER,
     1, 0},
    {"put right", scale_put_right, "sum_check", LW_FOUND_SUMS_DIFFER, 1, 1},
    {"a crusher between two samples", crusher_by_the_minute, NULL, 0, 0, 0},
    {"a load too small to compare", small_load, NULL, 0, 0, 0},

    {"a clock that is wrong", clock_wrong, "clock_drift", LW_FOUND_CLOCK_WRONG, 1, 0},
    {"a clock that is set", clock_set, "clock_drift", LW_FOUND_CLOCK_WRONG, 1, 1},
    {"one clock reading that came late", clock_read_late_once, NULL, 0, 0, 0},
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
