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

static int
raised(const struct world *w)
{
    static const char *const RULE[] = {"raised night_load", "raised production_shape",
                                       "raised slow_creep", "raised closed_load"};
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_bears),
                                              cmocka_unit_test(test_learned)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
