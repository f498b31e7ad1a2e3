/* What a closed site's reference has to bear: meters that are read by the quarter, by the
 * half and by the hour; steps of the register as large as the load; a pump that ran when
 * it began. */
#include "site_world.h"

#define FROM (30 * DAY + 8 * HOUR)

static double
guard_house(int q, double degrees)
{
    int h = q / HOUR % 24;

    (void)degrees;
    return h >= 11 && h < 22 ? 4 : 3;
}

static double
stove(int q, double degrees)
{
    return guard_house(q, degrees) + 1;
}

/* 6 kW for half a day, every other day. */
static double
works(int q)
{
    int since = q - FROM;

    return since >= 0 && since / DAY % 2 == 0 && since % DAY < 12 * HOUR ? 6 : 0;
}

static double
pumps_at_first(int q)
{
    return q < 8 || q % 24 == 0 ? 15 : 0;
}

/* 6 kW behind the pump, only while it runs. */
static double
tapped_pump(int q)
{
    return (q >= FROM ? 6 : 0) + 15;
}

static double
pump_of_the_rain(int q)
{
    int phase = q % 24;

    return phase < 4 ? (q >= FROM && q < FROM + 8 * DAY ? tapped_pump(q) : 15) : 0;
}

/* A sub-meter of nothing, by which the site's balance has its interval. */
#define BY(interval)                                                                     \
    "SUB,S,sub,A,G1,4,generic," interval ",20,0.1,1000000,2025-01-01T00:00:00Z\n"

static const struct row {
    const char *name;
    struct field field;
    const char *explanation, *meter;
    int from, within; /* quarters; within 0: nothing is raised */
} rows[] = {
    {"by the quarter", {guard_house, works, NULL, NULL, NULL}, "", "", FROM, HOUR},
    {"by the half", {guard_house, works, NULL, NULL, NULL}, "", BY("1800"), FROM, 6},
    {"by the hour", {guard_house, works, NULL, NULL, NULL}, "", BY("3600"), FROM, 12},
    {"by the hour, nothing",
     {guard_house, NULL, NULL, NULL, NULL},
     "",
     BY("3600"),
     FROM,
     0},
    {"the pump ran when it began",
     {guard_house, works, pumps_at_first, NULL, NULL},
     PUMP_UNMETERED,
     "",
     FROM,
     2 * HOUR},
    {"a load behind an unmetered pump",
     {guard_house, NULL, pump_of_the_rain, NULL, NULL},
     PUMP_UNMETERED,
     "",
     FROM,
     DAY},
};

static const char *const RULE[] = {"raised night_load", "raised production_shape",
                                   "raised slow_creep", "raised closed_load"};

static int
raised(const struct world *w)
{
    int first = -1;

    for (size_t i = 0; i < LENGTH(RULE); i++) {
        int at = when(w, RULE[i]);

        if (at >= 0 && (first < 0 || at < first))
            first = at;
    }
    return first;
}

static void
test_bears(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct row *r = &rows[i];
        static struct world w;
        int at;

        begin(&w, &r->field, r->explanation, r->meter);
        row(r->name);
        run_to(&w, FROM + 10 * DAY);
        at = raised(&w);
        if (r->within == 0 ? at >= 0 : at < r->from || at > r->from + r->within)
            fail_msg("row \"%s\": raised at %d, not within %d of %d:\n%s", r->name, at,
                     r->within, r->from, w.heard.text);
        end(&w);
    }
}

/* The first alarm of the world that compares with a reference. */
static const struct lw_evidence *
compared(const struct world *w)
{
    const struct lw_alarm *a = NULL;

    while ((a = lw_core_next_alarm(w->core, a)))
        if (a->evidence.learned_to.ms > 0)
            return &a->evidence;
    return NULL;
}

/* An alarm names what it was compared with, which stays as it is once it is frozen. */
static void
test_learned(void **state)
{
    static const uint8_t none[LW_SHA256_SIZE];
    static struct world w;
    uint8_t first[LW_SHA256_SIZE], digest[2][LW_SHA256_SIZE];

    (void)state;
    for (int other = 0; other < 2; other++) {
        begin(&w, &(struct field){.load = other ? stove : guard_house, .hidden = works},
              "", "");
        run_to(&w, FROM + 2 * HOUR);
        assert_non_null(compared(&w));
        memcpy(first, compared(&w)->learned_sha256, sizeof first);
        assert_memory_not_equal(first, none, sizeof first);
        run_to(&w, FROM + 8 * DAY + 6 * HOUR); /* they work again */
        assert_non_null(compared(&w));
        assert_memory_equal(compared(&w)->learned_sha256, first, sizeof first);
        memcpy(digest[other], first, sizeof first);
        end(&w);
    }
    assert_memory_not_equal(digest[0], digest[1], sizeof first);
}

static int
alarms(const struct world *w)
{
    int n = 0;

    for (size_t i = 0; i < LENGTH(RULE); i++)
        n += count(w, RULE[i]);
    return n;
}

/* A grinder of 6 kW, and much later a mill. */
static double
grows(int q)
{
    return q < FROM ? 0 : q < 65 * DAY ? 6 : 16;
}

static int
keep(void *arg, const void *data, size_t n)
{
    struct heard *h = arg;

    assert_true(h->n + n <= sizeof h->text);
    memcpy(h->text + h->n, data, n);
    h->n += n;
    return 0;
}

static void
restart(struct world *w)
{
    static struct heard bytes;
    static struct lw_packer p;
    struct lw_core *core;

    bytes.n = 0;
    lw_pack_init(&p, keep, &bytes);
    assert_int_equal(lw_core_save(w->core, &p), 0);
    assert_int_equal(lw_pack_flush(&p), 0);
    assert_int_equal(lw_core_load(w->ledger, &w->rules, bytes.text, bytes.n, &core), 0);
    lw_core_on_effect(core, hear, &w->heard);
    lw_core_free(w->core);
    w->core = core;
}

/* The ledger is reloaded, and its only site has a reference_from. */
static void
enter(struct world *w, const char *reference_from)
{
    static struct lw_faults faults;
    struct lw_ledger_text t = {.deployment = "test"};
    struct lw_ledger *ledger;
    struct lw_core *core;
    char sites[512];

    for (int i = 0; i < LW_TABLES; i++) {
        t.table[i].text = TABLE[i];
        t.table[i].n = TABLE[i] ? strlen(TABLE[i]) : 0;
    }
    snprintf(sites, sizeof sites,
             "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw,"
             "reference_from\n"
             "S,关闭点,non_coal_mine,closed,2025-01-01T00:00:00Z,C,35.6,111,CGCS2000,200,"
             "%s\n"
             "CUT,停电点,quarry,cut_off,2025-11-05T00:00:00Z,C,35.6,111,CGCS2000,200,\n",
             reference_from);
    t.table[LW_SITES].text = sites;
    t.table[LW_SITES].n = strlen(sites);
    assert_int_equal(lw_ledger_new(&t, &faults, &ledger), 0);
    assert_int_equal(lw_core_new(ledger, &w->rules, w->core, &core), 0);
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
    w->ledger = ledger;
    w->core = core;
}

/* On the 34th day, 4 November, somebody enters from when on it is to be learned. */
static void
test_refused(void **state)
{
    static const struct {
        const char *name, *from;
        int restart, since; /* days; restart 0: none */
    } refused[] = {
        {"never", "", 0, 0},
        {"from that day", "2025-11-04T00:00:00Z", 0, 34},
        {"restarted while it learns anew", "2025-11-04T00:00:00Z", 50, 34},
        {"restarted once it has", "2025-11-04T00:00:00Z", 63, 34},
        {"from within it: what was before is not kept", "2025-10-20T00:00:00Z", 0, 34},
        {"from a day that comes", "2025-11-06T00:00:00Z", 35, 36},
        {"from a day that does not come", "2026-03-01T00:00:00Z", 40, 0},
        {"from the day it began on", "2025-10-01T12:00:00Z", 0, 0},
        {"from before it began", "2025-01-01", 0, 0},
    };
    static uint8_t digest[LENGTH(refused)][LW_SHA256_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH(refused); i++) {
        static const struct field field = {.load = guard_house, .hidden = grows};
        static struct world w;
        int since = refused[i].since * DAY, returned = -1;
        const struct lw_evidence *found;

        row(refused[i].name);
        begin(&w, &field, "", "");
        run_to(&w, 34 * DAY);
        assert_int_equal(alarms(&w), 1);
        enter(&w, refused[i].from);
        if (refused[i].restart > 0) {
            run_to(&w, refused[i].restart * DAY);
            restart(&w);
        }
        run_to(&w, 65 * DAY);
        returned = when(&w, "returned production_shape");
        if (since == 0 ? returned >= 0 : returned <= since || returned > since + 2)
            fail_msg("row \"%s\": returned at %d\n%s", refused[i].name, returned,
                     w.heard.text);
        assert_int_equal(alarms(&w), 1); /* and while it learns, nothing is */
        run_to(&w, 67 * DAY);
        found = compared(&w);
        assert_non_null(found);
        assert_int_equal(found->learned_from.ms, T0 + since * QUARTER);
        assert_in_range(found->learned_to.ms - found->learned_from.ms, 28 * LW_DAY,
                        28 * LW_DAY + LW_HOUR);
        assert_int_equal(alarms(&w), since == 0 ? 1 : 2);
        memcpy(digest[i], found->learned_sha256, sizeof digest[i]);
        end(&w);
    }
    assert_memory_equal(digest[1], digest[2], sizeof *digest);
    assert_memory_equal(digest[1], digest[3], sizeof *digest);
    assert_memory_not_equal(digest[0], digest[1], sizeof *digest);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_bears),
                                              cmocka_unit_test(test_learned),
                                              cmocka_unit_test(test_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
