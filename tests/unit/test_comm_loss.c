/* comm_loss: who is silent where, for how long, and who is told. */
#include "plant.h"

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char CONTACTS[] = "contact_id,area_id,role,name\nP1,C,chief,某人\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum\n"
    "S,一号,quarry,licensed,2025-01-01,C,35.6,111,CGCS2000\n"
    "T,二号,quarry,licensed,2025-01-01,C,35.6,111,CGCS2000\n"
    "DARK,三号,quarry,closed,2025-01-01,C,35.6,111,CGCS2000\n";
static const char GATEWAYS[] =
    "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\nH,tcp,127.0.0.1:1503\n";
static const char METERS[] =
    "meter_id,point_id,site_id,role,gateway_id,unit,interval_s,rated_kw,"
    "energy_resolution_kwh,installed_at\n"
    "M,M,S,supply,G,1,900,100,0.1,2025-01-01\n"
    "N,N,S,supply,G,2,900,100,0.1,2025-01-01\n"
    "O,O,T,supply,G,3,900,100,0.1,2025-01-01\n"
    "DARK,DARK,DARK,supply,H,1,900,100,0.1,2025-01-01\n";

static const char *const TABLES[LW_TABLES] = {[LW_AREAS] = AREAS,
                                              [LW_CONTACTS] = CONTACTS,
                                              [LW_SITES] = SITES,
                                              [LW_GATEWAYS] = GATEWAYS,
                                              [LW_METERS] = METERS};

/* The other meters behind M's gateway go on. */
static void
others(struct plant *p, int n, const char *silent)
{
    static const char *const all[] = {"M", "N", "O", "DARK"};

    while (n-- > 0) {
        p->now += PLANT_QUARTER;
        for (size_t i = 0; i < LENGTH(all); i++)
            if (!strstr(silent, all[i]))
                put(p, all[i], LW_GOOD, reading_of(p, &LOAD(0)));
    }
    plant_tick(p);
}

static void
lawful_site_for_an_afternoon(struct plant *p)
{
    others(p, 8, "");
    others(p, 24, "M");
    others(p, 8, "");
}

static void
lawful_site_for_a_day(struct plant *p)
{
    others(p, 8, "");
    others(p, 100, "M");
    others(p, 8, "");
    /* The return tells of all of it, not of what it was when it was raised. */
    check_int(p->last.evidence.detail, 101 * PLANT_QUARTER);
}

static void
closed_site_for_an_hour(struct plant *p)
{
    others(p, 8, "");
    others(p, 4, "DARK");
    others(p, 8, "");
}

static void
two_lost_polls(struct plant *p)
{
    others(p, 8, "");
    others(p, 2, "DARK");
    others(p, 8, "");
}

static void
gateway_of_lawful_sites(struct plant *p)
{
    others(p, 8, "");
    others(p, 12, "M N O");
    others(p, 8, "");
    check_int(p->last.evidence.detail, 13 * PLANT_QUARTER);
}

static void
gateway_restarts(struct plant *p)
{
    others(p, 8, "");
    others(p, 6, "M N O");
    others(p, 8, "");
}

/* Two bad hours and two good ones, for a week. */
static void
flapping(struct plant *p)
{
    for (int i = 0; i < 42; i++) {
        others(p, 8, "");
        others(p, 8, "DARK");
    }
}

/* Its register cannot be believed; that is another matter than silence. */
static void
answers_nonsense(struct plant *p)
{
    others(p, 8, "");
    for (int i = 0; i < 20; i++) {
        struct lw_reading r = {0};

        others(p, 1, "DARK");
        set(&r, LW_IMPORT, i % 2 ? 99000000 : 0);
        put(p, "DARK", LW_GOOD, r);
    }
}

static const struct plant_case cases[] = {
    {"a lawful site silent for an afternoon", lawful_site_for_an_afternoon, NULL, 0, 0,
     0},
    {"a lawful site silent for a day", lawful_site_for_a_day, "comm_loss",
     LW_FOUND_SILENT_METER, 1, 1},
    {"a closed site silent for an hour", closed_site_for_an_hour, "comm_loss",
     LW_FOUND_SILENT_GATEWAY, 1, 1},
    {"two lost polls at a closed site", two_lost_polls, NULL, 0, 0, 0},
    {"a gateway of lawful sites dead for hours", gateway_of_lawful_sites, "comm_loss",
     LW_FOUND_SILENT_GATEWAY, 1, 1},
    {"a gateway that restarts", gateway_restarts, NULL, 0, 0, 0},
    {"a link that flaps for a week", flapping, "comm_loss", LW_FOUND_SILENT_GATEWAY, 2,
     1},
    {"a meter that answers nonsense is not silent", answers_nonsense, NULL, 0, 0, 0},
};

static void
test_cases(void **state)
{
    (void)state;
    plant_cases(cases, LENGTH(cases), TABLES, NULL, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
