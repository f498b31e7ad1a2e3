/* Sites with two supplies, one of which was silent when the site's status changed: its
 * gap reaches behind that, and ends nothing of what stands since. */
#include "plant.h"

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char CONTACTS[] = "contact_id,area_id,role,name\nP1,C,chief,某人\n";
/* At noon of the first day. */
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum\n"
    "CUT,一号,quarry,cut_off,2025-11-10T12:00:00+08:00,C,35.6,111,CGCS2000\n"
    "SHUT,二号,quarry,closed,2025-11-10T12:00:00+08:00,C,35.6,111,CGCS2000\n"
    "STOP,三号,processing_plant,suspended,2025-11-10T12:00:00+08:00,C,35.6,111,"
    "CGCS2000\n";
static const char GATEWAYS[] = "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\n";
static const char METERS[] =
    "meter_id,site_id,role,gateway_id,unit,interval_s,rated_kw,energy_resolution_kwh,"
    "installed_at\n"
    "CUT-1,CUT,supply,G,1,900,400,0.1,2025-01-01\n"
    "CUT-2,CUT,supply,G,2,900,400,0.1,2025-01-01\n"
    "SHUT-1,SHUT,supply,G,3,900,400,0.1,2025-01-01\n"
    "SHUT-2,SHUT,supply,G,4,900,400,0.1,2025-01-01\n"
    "STOP-1,STOP,supply,G,5,900,400,0.1,2025-01-01\n"
    "STOP-2,STOP,supply,G,6,900,400,0.1,2025-01-01\n";

static const char *const TABLES[LW_TABLES] = {AREAS, CONTACTS, SITES, NULL,
                                              NULL,  GATEWAYS, METERS};

/* So many hours of the site: the first supply at so many kW, the second at none. */
static void
hours(struct plant *p, const char *site, int n, double kw, bool both)
{
    char first[16], second[16];

    snprintf(first, sizeof first, "%s-1", site);
    snprintf(second, sizeof second, "%s-2", site);
    for (int q = 0; q < 4 * n; q++) {
        struct lw_reading r = {0};

        p->now += PLANT_QUARTER;
        p->wh += (int64_t)(kw * 250);
        set(&r, LW_IMPORT, p->wh);
        put(p, first, LW_GOOD, r);
        set(&r, LW_IMPORT, 1000000);
        if (both)
            put(p, second, LW_GOOD, r);
    }
}

/* The second is silent from six in the morning until eight in the evening; from two on
 * the first draws 40 kW. */
static void
happens(struct plant *p, const char *site)
{
    plant_rules(p, "[comm_loss]\nintervals = 10000\n[coverage]\ngrace = 7d\n");
    hours(p, site, 6, 0, true);
    hours(p, site, 8, 0, false);
    hours(p, site, 6, 40, false);
    hours(p, site, 4, 40, true);
}

static void
cut_off(struct plant *p)
{
    happens(p, "CUT");
}

static void
closed(struct plant *p)
{
    happens(p, "SHUT");
}

static void
suspended(struct plant *p)
{
    happens(p, "STOP");
}

static const struct plant_case cases[] = {
    {"a supply that was silent at the cutoff", cut_off, "post_cutoff",
     LW_FOUND_AFTER_CUTOFF, 1, 0},
    {"a supply that was silent at the closing", closed, "closed_load",
     LW_FOUND_NO_EXPLANATION, 1, 0},
    {"a supply that was silent at the suspension", suspended, "over_contract",
     LW_FOUND_SUSPENDED_CAPACITY, 1, 0},
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
