/* A permitted pump at a closed mine, the rain that it drains, and the level of its sump.
 */
#include <lodewatch/words.h>

#include "site_world.h"

#define EVENT (40 * DAY) /* ten days after the last of the learned rain */
#define END   (56 * DAY)

/* What happens, in quarters from EVENT on. */
struct row {
    const char *name;
    double storm_mm;   /* falls within six hours */
    double spring;     /* what seeps in without rain, times so much */
    int stuck;         /* the pump does not stop for so long */
    int silent;        /* the gauge says nothing for so long */
    bool blocked;      /* the gauge tells no rain, from a day before */
    bool gauge, level; /* there are such instruments */
    bool metered;      /* the pump has a meter of its own */
    bool heated;
    bool deaf;  /* at night, so that learning takes some days more */
    int within; /* an alarm is raised so soon; 0: none is */
};

static const struct row rows[] = {
    {"a dry week", 0, 1, 0, 0, false, true, false, true, false, false, 0},
    {"a storm like one that was learned", 30, 1, 0, 0, false, true, false, true, false,
     false, 0},
    {"a storm larger than any", 120, 1, 0, 0, false, true, false, true, false, false, 0},
    {"its switch sticks in a dry week", 0, 1, 10 * DAY, 0, false, true, false, true,
     false, false, 3 * DAY},
    {"it sticks, with no meter of its own", 0, 1, 10 * DAY, 0, false, true, false, false,
     false, false, 3 * DAY},
    {"the same beside a heater that switches too", 0, 1, 10 * DAY, 0, false, true, false,
     false, true, false, 0},
    {"it sticks for a few hours", 0, 1, 6 * HOUR, 0, false, true, false, true, false,
     false, 0},
    {"it sticks while the gauge is silent", 0, 1, 8 * DAY, 12 * DAY, false, true, false,
     true, false, false, 0},
    {"it sticks, and nothing tells of the water", 0, 1, 10 * DAY, 0, false, false, false,
     true, false, false, 0},
    {"a spring: the level is high without rain", 0, 8, 0, 0, false, true, true, true,
     false, false, 0},
    {"it sticks and the level is low, without a gauge", 0, 1, 10 * DAY, 0, false, false,
     true, true, false, false, 3 * DAY},
    {"it sticks, dry by the gauge and by the level", 0, 1, 10 * DAY, 0, false, true, true,
     true, false, false, 3 * DAY},
    {"a storm, and the gauge is blocked, but the level tells", 60, 1, 0, 0, true, true,
     true, true, false, false, 0},
    {"a storm like one that was learned, by a window that took longer", 30, 1, 0, 0,
     false, true, false, true, false, true, 0},
    {"it sticks after a window that took longer", 0, 1, 10 * DAY, 0, false, true, false,
     true, false, true, 2 * DAY},
};

/* The mine's days, by the quarter. */
static double pump_kw[END + DAY], rain_mm_h[END + DAY], level_m[END + DAY];

static double
falls(const struct row *r, int q)
{
    static const struct {
        int day;
        double mm;
    } LEARNT[] = {{4, 20}, {12, 35}, {21, 12}, {30, 20}};
    int quarter = q % DAY;

    for (size_t i = 0; i < LENGTH(LEARNT); i++)
        if (q / DAY == LEARNT[i].day && quarter < 6 * HOUR)
            return LEARNT[i].mm / 6;
    return q >= EVENT && q < EVENT + 6 * HOUR ? r->storm_mm / 6 : 0;
}

/* Rain drains by three tenths a day into a sump, which a 15 kW pump empties from mark to
 * mark; what it cannot take stays. A pump that does not stop draws its sump low. */
static void
make(const struct row *r)
{
    double ground = 0, sump = 1;
    bool runs = false;

    for (int q = 0; q < END + DAY; q++) {
        bool stuck = q >= EVENT && q < EVENT + r->stuck;
        double seeps = q >= EVENT ? 0.07 * r->spring : 0.07;

        rain_mm_h[q] = falls(r, q);
        ground += rain_mm_h[q] / 4;
        sump += seeps + ground * 0.003;
        ground *= 0.997;
        if (sump > 2)
            runs = true;
        if (sump < 1)
            runs = false;
        if (runs || stuck)
            sump -= 0.5;
        if (sump < 0)
            sump = 0.01 * (q % 3);
        pump_kw[q] = runs || stuck ? 15 : 0;
        level_m[q] = sump;
        if (r->silent > 0 && q >= EVENT - DAY && q < EVENT + r->silent)
            rain_mm_h[q] = -1;
        if (r->blocked && q >= EVENT - DAY)
            rain_mm_h[q] = 0;
    }
}

static double
guard_house(int q, double degrees)
{
    (void)q;
    (void)degrees;
    return 3;
}

static double
pump_of(int q)
{
    return pump_kw[q];
}

/* The mean of the hour that a reading ends. */
static double
rain_of(int q)
{
    return rain_mm_h[q > 0 ? q - 1 : 0];
}

static double
level_of(int q)
{
    return level_m[q];
}

/* Six hours of each night are not heard until day 26: it takes five days more. */
static double
deaf_at_night(int q)
{
    return q < 26 * DAY && q % DAY < 6 * HOUR ? -0.001 : 0;
}

static const struct field FIELD = {guard_house, NULL, pump_of, NULL, NULL};
static const struct field DEAF = {guard_house, deaf_at_night, pump_of, NULL, NULL};

#define EXPLANATIONS                                                                     \
    "explanation_id,site_id,kind,max_kw,valid_from,point_id\n"                           \
    "G,S,guard_house,40,2025-01-01T00:00:00Z,\n"
#define HEATING "H,S,heating,,2025-01-01T00:00:00Z,\n"

static void
play(struct world *w, const struct row *r, int to)
{
    char explanations[512];

    make(r);
    snprintf(explanations, sizeof explanations, "%s%sP,S,dewatering,16,2025-01-01,%s\n",
             EXPLANATIONS, r->heated ? HEATING : "", r->metered ? "SUB" : "");
    begin(w, r->deaf ? &DEAF : &FIELD, explanations, r->metered ? SUB_METER : "");
    w->rain = r->gauge ? rain_of : NULL;
    w->level = r->level ? level_of : NULL;
    run_to(w, to);
}

/* When the first alarm about consumption was raised; -1: never. */
static int
raised(const struct world *w)
{
    static const char *const RULE[] = {"raised closed_load", "raised night_load",
                                       "raised production_shape", "raised slow_creep"};
    int first = -1;

    for (size_t i = 0; i < LENGTH(RULE); i++) {
        int at = when(w, RULE[i]);

        first = at >= 0 && (first < 0 || at < first) ? at : first;
    }
    return first;
}

static void
test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct row *r = &rows[i];
        static struct world w;
        int at;

        row(r->name);
        play(&w, r, END);
        at = raised(&w);
        if (r->within == 0 ? at >= 0 : at < EVENT || at > EVENT + r->within)
            fail_msg("row \"%s\": raised at %d, not within %d of %d:\n%s", r->name, at,
                     r->within, EVENT, w.heard.text);
        if (r->within > 0) {
            check_int(count(&w, "raised slow_creep"), 1);
            check_int(count(&w, "returned slow_creep"), 1);
        }
        end(&w);
    }
}

/* What the alert says of the explanation: it is in force, and does not suffice. */
static void
test_words(void **state)
{
    static struct world w;
    const struct lw_alarm *a;
    struct lw_alert alert = {.kind = LW_ALERT_RAISED};
    char text[LW_WORDS_TEXT];

    (void)state;
    play(&w, &rows[3], EVENT + 3 * DAY);
    a = lw_core_next_alarm(w.core, NULL);
    while (a && a->rule != LW_RULE_SLOW_CREEP)
        a = lw_core_next_alarm(w.core, a);
    assert_non_null(a);
    alert.ledger = w.ledger;
    alert.alarm = a;
    row("in Chinese");
    lw_words(&alert, LW_PART_LINE, true, text, sizeof text);
    assert_non_null(strstr(text, "水泵用电多于降雨和水位所能说明"));
    assert_non_null(strstr(text, "近7天降雨0毫米；"));
    assert_non_null(strstr(text, "P（排水，上限16千瓦）有效，但降雨和水位只说明平均"));
    row("in English");
    lw_words(&alert, LW_PART_LINE, false, text, sizeof text);
    assert_non_null(strstr(text, "A pump takes more than rain and water level explain"));
    assert_non_null(strstr(text, "0 mm of rain in the last 7 days"));
    assert_non_null(
        strstr(text, "is in force, but rain and water level explain no more than"));
    row("as a result");
    check_int(lw_explanation_checked(&alert,
                                     &w.ledger->explanation[w.ledger->nexplanations - 1]),
              LW_CHECKED_BEYOND_WATER);
    end(&w);
}

struct blob {
    uint8_t data[1 << 20];
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

/* It is the same whether it was stopped: while it learned, shortly before that was over,
 * on the first day that is over, while the alarm stands. */
static void
test_saved_and_loaded(void **state)
{
    static const int stop[] = {13 * DAY + 7, 25 * DAY + 7, EVENT + DAY + 7,
                               EVENT + 5 * DAY};
    static struct world whole, other;
    static struct blob blob;

    (void)state;
    for (size_t i = 0; i < LENGTH(stop); i++) {
        struct lw_packer p;
        struct lw_core *loaded = NULL;

        play(&other, &rows[3], stop[i]);
        blob.n = 0;
        lw_pack_init(&p, keep, &blob);
        assert_int_equal(lw_core_save(other.core, &p), 0);
        assert_int_equal(lw_pack_flush(&p), 0);
        assert_int_equal(
            lw_core_load(other.ledger, &other.rules, blob.data, blob.n, &loaded), 0);
        lw_core_free(other.core);
        other.core = loaded;
        lw_core_on_effect(other.core, hear, &other.heard);
        run_to(&other, END);
        play(&whole, &rows[3], END);
        assert_string_equal(whole.heard.text, other.heard.text);
        end(&whole);
        end(&other);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_saved_and_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
