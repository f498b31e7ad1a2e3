/* feeder_residual and displacement: two feeders with a handful of customers, two weeks of
 * quarter hours, and what happens in the field. The rules learn for a week here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <lodewatch/core.h>
#include <lodewatch/words.h>

#include "unit.h"

#define T0      INT64_C(1762128000000) /* 2025-11-03T00:00:00Z, a Monday */
#define QUARTER (15 * LW_MINUTE)

enum {
    DAYS = 16,
    STOPPED = 9 * 24,  /* hour in which CUT is cut off */
    CHANGED = 12 * 24, /* hour in which customers come, go and are switched over */
};

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw\n"
    "WORKS,厂,processing_plant,licensed,2025-01-01T00:00:00Z,C,35.60,111.00,CGCS2000,130\n"
    "SHOP,店,other,licensed,2025-01-01T00:00:00Z,C,35.61,111.00,CGCS2000,40\n"
    "HOUSE,户,other,licensed,2025-01-01T00:00:00Z,C,35.60,111.01,CGCS2000,20\n"
    "MINE,矿,coal_mine,closed,2025-01-01T00:00:00Z,C,35.62,111.00,CGCS2000,10\n"
    "CUT,停,coal_mine,cut_off,2025-11-12T00:00:00Z,C,35.60,111.02,CGCS2000,60\n"
    "NEW,新,other,licensed,2025-01-01T00:00:00Z,C,35.60,111.00,CGCS2000,30\n"
    "MOVED,改,other,licensed,2025-01-01T00:00:00Z,C,35.60,111.00,CGCS2000,30\n"
    "LONE,孤,unlicensed_point,unlicensed,2025-01-01T00:00:00Z,C,35.605,111.005,CGCS2000,\n"
    "FAR,远,other,licensed,2025-01-01T00:00:00Z,C,36.60,111.00,CGCS2000,90\n";
static const char METERS[] =
    "meter_id,point_id,site_id,role,parent_id,interval_s,rated_kw,energy_resolution_kwh,"
    "energy_modulus_kwh,installed_at,removed_at\n"
    "F,F,,feeder,,900,500,0.1,1000000,2025-01-01T00:00:00Z,\n"
    "G,G,,feeder,,900,500,0.1,1000000,2025-01-01T00:00:00Z,\n"
    "WORKS,WORKS,WORKS,supply,F,900,200,0.1,1000000,2025-01-01T00:00:00Z,\n"
    "SHOP,SHOP,SHOP,supply,F,900,100,0.01,1000000,2025-01-01T00:00:00Z,"
    "2025-11-15T00:00:00Z\n"
    "SHOP2,SHOP,SHOP,supply,F,900,100,0.01,1000000,2025-11-15T00:00:00Z,\n"
    "HOUSE,HOUSE,HOUSE,supply,F,900,100,0.01,1000000,2025-01-01T00:00:00Z,\n"
    "MINE,MINE,MINE,supply,F,900,20,0.01,1000000,2025-01-01T00:00:00Z,\n"
    "CUT,CUT,CUT,supply,F,900,80,0.01,1000000,2025-01-01T00:00:00Z,\n"
    "NEW,NEW,NEW,supply,F,900,40,0.01,1000000,2025-11-15T00:00:00Z,\n"
    "MOVED,MOVED,MOVED,supply,F,900,40,0.01,1000000,2025-01-01T00:00:00Z,"
    "2025-11-15T00:00:00Z\n"
    "MOVED,MOVED,MOVED,supply,G,900,40,0.01,1000000,2025-11-15T00:00:00Z,\n"
    "FAR,FAR,FAR,supply,G,900,120,0.01,1000000,2025-01-01T00:00:00Z,\n";
static const char RULES[] = "[feeder_residual]\nlearn = 7d\n";

/* What happens; hours since T0. */
struct scene {
    const char *name;
    double tap_kw; /* on F, from hour to hour of the run */
    int tap_from, tap_to;
    const char *silent; /* this meter, from hour to hour */
    int silent_from, silent_to;
    double heat; /* all loads are so many times the usual */
    int heat_from, heat_to;
    double no_meter_kw;       /* customers of F that were never metered */
    const char *cut_moves_to; /* what CUT has lost; "": it is nobody's; NULL: gone */
    bool customers_change;
};

struct told {
    char what[160]; /* "raised feeder_residual feeder/F" */
    double hour;
    struct lw_evidence evidence;
};

struct world {
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    const struct scene *scene;
    double kwh[32];
    uint64_t seed;
    struct told told[64];
    int ntold;
    char words[LW_WORDS_TEXT]; /* of the last of them, in English */
};

static void
hear(void *arg, const struct lw_effect *effect)
{
    static const char *const KIND[] = {"raised", "updated", "returned"};
    struct world *w = arg;
    const struct lw_alarm *a = effect->alert.alarm;
    char subject[LW_ID_MAX + 16];
    struct lw_alert alert = {w->ledger, effect->alert.kind, a};

    if (effect->kind != LW_EFFECT_ALERT ||
        (a->rule != LW_RULE_FEEDER_RESIDUAL && a->rule != LW_RULE_DISPLACEMENT))
        return;
    assert_true(w->ntold < (int)LENGTH(w->told));
    lw_alarm_subject(w->ledger, a, subject);
    snprintf(w->told[w->ntold].what, sizeof w->told[0].what, "%s %s %s",
             KIND[effect->alert.kind], lw_rule_info(a->rule)->id, subject);
    w->told[w->ntold].hour = (double)(a->at.ms - T0) / (double)LW_HOUR;
    w->told[w->ntold++].evidence = a->evidence;
    lw_words(&alert, LW_PART_LINE, false, w->words, sizeof w->words);
}

static struct lw_ledger *
make_ledger(void)
{
    struct lw_ledger_text text = {.deployment = "test"};
    static struct lw_faults faults;
    struct lw_ledger *ledger = NULL;

    text.table[LW_AREAS].text = AREAS;
    text.table[LW_SITES].text = SITES;
    text.table[LW_METERS].text = METERS;
    for (int t = 0; t < LW_TABLES; t++)
        text.table[t].n = text.table[t].text ? strlen(text.table[t].text) : 0;
    memset(&faults, 0, sizeof faults);
    if (lw_ledger_new(&text, &faults, &ledger) != 0)
        fail_msg("%s:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].text);
    return ledger;
}

static void
begin(struct world *w, const struct scene *scene)
{
    static struct lw_faults faults;

    *w = (struct world){.scene = scene, .seed = 7, .ledger = make_ledger()};
    assert_int_equal(lw_rules_parse("", RULES, strlen(RULES), &faults, &w->rules), 0);
    assert_int_equal(lw_core_new(w->ledger, &w->rules, NULL, &w->core), 0);
    lw_core_on_effect(w->core, hear, w);
}

static void
end(struct world *w)
{
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
}

/* Between 0.9 and 1.1. */
static double
noise(struct world *w)
{
    w->seed = w->seed * 6364136223846793005U + 1442695040888963407U;
    return 0.9 + 0.2 * (double)(w->seed >> 40) / (double)(1 << 24);
}

static bool
within(int hour, int from, int to)
{
    return hour >= from && hour < to;
}

static double
usual_kw(const char *id, int hour)
{
    int day = hour % 24;

    if (strcmp(id, "WORKS") == 0)
        return within(day, 8, 18) ? 90 : 20;
    if (strncmp(id, "SHOP", 4) == 0)
        return within(day, 9, 21) ? 15 : 3;
    if (strcmp(id, "HOUSE") == 0)
        return within(day, 17, 23) ? 6 : 2;
    if (strcmp(id, "MINE") == 0)
        return 1;
    if (strcmp(id, "CUT") == 0)
        return hour < STOPPED ? 40 : 0;
    if (strcmp(id, "FAR") == 0)
        return within(day, 6, 20) ? 60 : 30;
    return 12; /* NEW, MOVED */
}

static double
load_kw(struct world *w, const char *id, int hour)
{
    const struct scene *s = w->scene;
    double kw;

    if (!s->customers_change && (strcmp(id, "NEW") == 0 || strcmp(id, "MOVED") == 0))
        return 0;
    kw = usual_kw(id, hour) * noise(w);
    if (s->heat > 0 && within(hour, s->heat_from, s->heat_to))
        kw *= s->heat;
    if (s->cut_moves_to && *s->cut_moves_to && hour >= STOPPED + 2 &&
        strncmp(id, s->cut_moves_to, strlen(s->cut_moves_to)) == 0)
        kw += 40 * noise(w);
    return kw;
}

static void
read_meter(struct world *w, int32_t row, int64_t at, bool good)
{
    const struct lw_meter *m = &w->ledger->meter[row];
    struct lw_event event = {.kind = LW_EVENT_READING, .at = {at}};
    int64_t step = m->resolution_wh;

    event.reading.meter = (uint32_t)row;
    event.reading.time.ms = event.reading.received.ms = at;
    event.reading.q = good ? LW_GOOD : LW_MISSING;
    if (good) {
        event.reading.have = 1U << LW_IMPORT;
        event.reading.value[LW_IMPORT] = (int64_t)(w->kwh[row] * 1000) / step * step;
    }
    lw_core_step(w->core, &event);
}

/* Reads all meters, then lets a quarter of an hour pass. */
static void
quarter(struct world *w, int64_t at)
{
    const struct lw_ledger *l = w->ledger;
    const struct scene *s = w->scene;
    int hour = (int)((at - T0) / LW_HOUR);
    double sum[2] = {0, 0}; /* F, G */

    for (int32_t row = 0; row < l->nmeters; row++) {
        const struct lw_meter *m = &l->meter[row];
        bool silent = s->silent && strcmp(s->silent, m->id) == 0 &&
                      within(hour, s->silent_from, s->silent_to);

        if (m->installed.ms <= at && at < m->removed.ms)
            read_meter(w, row, at, !silent);
    }
    for (int32_t row = 0; row < l->nmeters; row++) {
        const struct lw_meter *m = &l->meter[row];
        double kw;

        if (m->installed.ms > at || at >= m->removed.ms || m->parent == LW_NONE)
            continue;
        kw = load_kw(w, m->id, hour);
        w->kwh[row] += kw / 4;
        sum[l->point[m->parent].id[0] == 'G'] += kw;
    }
    if (within(hour, s->tap_from, s->tap_to))
        sum[0] += s->tap_kw;
    sum[0] += s->no_meter_kw;
    if (s->cut_moves_to && !*s->cut_moves_to && hour >= STOPPED + 2)
        sum[0] += 40 * noise(w);
    for (int32_t row = 0; row < l->nmeters; row++)
        if (l->point[l->meter[row].point].role == LW_FEEDER) {
            double kw = sum[l->meter[row].id[0] == 'G'];

            w->kwh[row] += (kw + 1 + 0.0002 * kw * kw) / 4;
        }
}

static void
run(struct world *w, const struct scene *scene)
{
    begin(w, scene);
    for (int64_t at = T0; at < T0 + DAYS * LW_DAY; at += QUARTER)
        quarter(w, at);
}

static const struct told *
find(const struct world *w, const char *what)
{
    for (int i = 0; i < w->ntold; i++)
        if (strcmp(w->told[i].what, what) == 0)
            return &w->told[i];
    return NULL;
}

/* Tuesday 22:00 of the second week. */
#define TUESDAY (8 * 24 + 22)
#define RAISED  "raised feeder_residual feeder/F"

static const struct {
    struct scene scene;
    struct {
        const char *what;
        int from, to; /* hours; 0: nothing such */
    } due[3];         /* and no other alarm is raised */
} CASES[] = {
    {{.name = "nobody draws what no meter sees"}, {{0}}},
    {{.name = "a tap of a tenth of the load from Tuesday 22:00",
      .tap_kw = 12,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72},
     {{RAISED, TUESDAY, TUESDAY + 2},
      {"returned feeder_residual feeder/F", TUESDAY + 95, TUESDAY + 120}}},
    {{.name = "a tap of 1.5 % shows within two days",
      .tap_kw = 1.5,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72},
     {{RAISED, TUESDAY, TUESDAY + 48}}},
    {{.name = "a works out of communication may draw what a tap draws",
      .tap_kw = 30,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72,
      .silent = "WORKS",
      .silent_from = TUESDAY - 4,
      .silent_to = TUESDAY + 24},
     {{RAISED, TUESDAY + 24, TUESDAY + 26}}},
    {{.name = "a house out of communication does not hide it",
      .tap_kw = 60,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72,
      .silent = "HOUSE",
      .silent_from = TUESDAY - 1,
      .silent_to = TUESDAY + 24},
     {{RAISED, TUESDAY, TUESDAY + 2}}},
    {{.name = "a works that was silent for two days and comes back is no tap",
      .silent = "WORKS",
      .silent_from = TUESDAY,
      .silent_to = TUESDAY + 47},
     {{0}}},
    {{.name = "the feeder's own meter was silent while a tap ran",
      .tap_kw = 12,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 20,
      .silent = "F",
      .silent_from = TUESDAY - 2,
      .silent_to = TUESDAY + 22},
     {{RAISED, TUESDAY + 22, TUESDAY + 24}}},
    {{.name = "loss that grows with the load is no tap",
      .heat = 1.4,
      .heat_from = TUESDAY,
      .heat_to = TUESDAY + 72},
     {{0}}},
    {{.name = "half of the customers have no meter, and draw more than they did",
      .no_meter_kw = 80,
      .tap_kw = 40,
      .tap_from = TUESDAY,
      .tap_to = TUESDAY + 72},
     {{0}}},
    {{.name = "a meter is exchanged, a customer comes, one is switched over",
      .customers_change = true},
     {{0}}},
    {{.name = "a site was cut off, and a neighbour draws as much more",
      .cut_moves_to = "SHOP"},
     {{"raised displacement point/SHOP", STOPPED + 24, STOPPED + 60}}},
    {{.name = "a site was cut off, and draws on past its meter", .cut_moves_to = ""},
     {{RAISED, STOPPED + 2, STOPPED + 4},
      {"raised displacement feeder/F", STOPPED + 24, STOPPED + 60}}},
};

static bool
is_due(size_t i, const char *what)
{
    for (size_t k = 0; k < LENGTH(CASES[i].due); k++)
        if (CASES[i].due[k].what && strcmp(CASES[i].due[k].what, what) == 0)
            return true;
    return false;
}

static void
test_cases(void **state)
{
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(CASES); i++) {
        row(CASES[i].scene.name);
        run(&w, &CASES[i].scene);
        for (size_t k = 0; k < LENGTH(CASES[i].due); k++) {
            const struct told *told;

            if (!CASES[i].due[k].what)
                continue;
            told = find(&w, CASES[i].due[k].what);
            if (!told)
                fail_msg("row \"%s\": no \"%s\"", unit_row, CASES[i].due[k].what);
            if (told->hour < CASES[i].due[k].from || told->hour > CASES[i].due[k].to)
                fail_msg("row \"%s\": \"%s\" at hour %.2f", unit_row, told->what,
                         told->hour);
        }
        for (int k = 0; k < w.ntold; k++)
            if (strncmp(w.told[k].what, "raised", 6) == 0 && !is_due(i, w.told[k].what))
                fail_msg("row \"%s\": \"%s\" at hour %.2f", unit_row, w.told[k].what,
                         w.told[k].hour);
        end(&w);
    }
}

static void
test_what_an_alert_tells(void **state)
{
    static struct world w;
    const struct scene *house = &CASES[4].scene, *moved = &CASES[10].scene;
    const struct told *told;
    struct lw_candidate candidate[LW_CANDIDATES];
    struct lw_alarm alarm = {.rule = LW_RULE_FEEDER_RESIDUAL};
    struct lw_alert alert = {.alarm = &alarm};

    (void)state;
    row("the step's time and size, who is silent, where to look");
    run(&w, house);
    told = find(&w, RAISED);
    check(told != NULL);
    check_int(told->evidence.from.ms, T0 + TUESDAY * LW_HOUR);
    check(llabs(told->evidence.detail - 60000) < 6000);
    check_int(told->evidence.nsilent, 1);
    check_text(w.ledger->point[told->evidence.silent[0] - 1].id, "HOUSE");
    alarm.evidence = told->evidence;
    alarm.subject = lw_ledger_point(w.ledger, "F");
    alert.ledger = w.ledger;
    check_int(lw_feeder_candidates(&alert, candidate), 4);
    /* The unlicensed one without a meter is in the middle, the closed one farther; CUT
     * has no status before it is cut off. */
    check_text(w.ledger->site[candidate[0].site].id, "LONE");
    check_text(w.ledger->site[candidate[1].site].id, "MINE");
    check_text(w.ledger->site[candidate[2].site].id, "CUT");
    check_text(w.ledger->site[candidate[3].site].id, "WORKS");
    end(&w);

    row("where the load came from");
    run(&w, moved);
    told = find(&w, "raised displacement point/SHOP");
    check(told != NULL);
    check_text(w.ledger->site[told->evidence.other - 1].id, "CUT");
    check(llabs(told->evidence.detail - 40000) < 6000);
    check(llabs(told->evidence.detail2 - 40000) < 6000);
    check(strstr(w.words, "停 (cut off) lost 40") != NULL);
    end(&w);
}

/* --- the state in a checkpoint, and in a core made anew */

struct bytes {
    uint8_t *data;
    size_t n;
};

static int
keep(void *arg, const void *data, size_t n)
{
    struct bytes *b = arg;

    b->data = realloc(b->data, b->n + n);
    assert_non_null(b->data);
    memcpy(b->data + b->n, data, n);
    b->n += n;
    return 0;
}

static struct lw_core *
loaded(const struct world *w)
{
    static struct lw_packer p;
    struct bytes bytes = {0};
    struct lw_core *core = NULL;

    lw_pack_init(&p, keep, &bytes);
    assert_int_equal(lw_core_save(w->core, &p), 0);
    assert_int_equal(lw_pack_flush(&p), 0);
    assert_int_equal(lw_core_load(w->ledger, &w->rules, bytes.data, bytes.n, &core), 0);
    free(bytes.data);
    return core;
}

/* Every 37 quarters of an hour the core is replaced, if at all, by one made anew for a
 * ledger of the same text. */
enum way {
    PLAIN,
    SAVED_AND_LOADED,
    MADE_ANEW
};

static void
run_replaced(struct world *w, const struct scene *scene, enum way way)
{
    begin(w, scene);
    for (int q = 0; q < DAYS * 96; q++) {
        struct lw_core *core = NULL;

        quarter(w, T0 + q * QUARTER);
        if (q % 37 != 0 || way == PLAIN)
            continue;
        if (way == SAVED_AND_LOADED) {
            core = loaded(w);
            lw_core_on_effect(core, hear, w);
            lw_core_free(w->core);
        } else {
            struct lw_ledger *ledger = make_ledger();

            assert_int_equal(lw_core_new(ledger, &w->rules, w->core, &core), 0);
            lw_core_free(w->core);
            lw_ledger_free(w->ledger);
            w->ledger = ledger;
        }
        w->core = core;
    }
}

static void
test_state_goes_on(void **state)
{
    static const struct {
        const char *name;
        enum way way;
    } rows[] = {{"saved and loaded", SAVED_AND_LOADED}, {"made anew", MADE_ANEW}};
    static struct world plain, other;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (size_t c = 3; c < LENGTH(CASES); c += 6) {
            row(rows[i].name);
            run_replaced(&plain, &CASES[c].scene, PLAIN);
            run_replaced(&other, &CASES[c].scene, rows[i].way);
            check_int(other.ntold, plain.ntold);
            for (int k = 0; k < plain.ntold; k++) {
                check_text(other.told[k].what, plain.told[k].what);
                check(other.told[k].hour == plain.told[k].hour);
                check_int(other.told[k].evidence.excess_wh,
                          plain.told[k].evidence.excess_wh);
                check_int(other.told[k].evidence.other, plain.told[k].evidence.other);
            }
            end(&plain);
            end(&other);
        }
}

/* The wall clock was two hours fast for a day: what it said is forgotten, and the feeder
 * is judged on. */
static void
test_clock_set_back(void **state)
{
    static const struct scene scene = {.name = "a clock set back",
                                       .tap_kw = 12,
                                       .tap_from = TUESDAY,
                                       .tap_to = TUESDAY + 72};
    static struct world w;
    struct lw_event event = {.kind = LW_EVENT_CLOCK_STEP};
    const struct told *told;

    (void)state;
    row(scene.name);
    begin(&w, &scene);
    for (int64_t at = T0; at < T0 + 8 * LW_DAY; at += QUARTER)
        quarter(&w, at);
    for (int64_t at = T0 + 8 * LW_DAY; at < T0 + 8 * LW_DAY + 12 * LW_HOUR; at += QUARTER)
        quarter(&w, at + 2 * LW_HOUR);
    event.at.ms = T0 + 8 * LW_DAY + 12 * LW_HOUR;
    event.step.by_ms = -2 * LW_HOUR;
    lw_core_step(w.core, &event);
    for (int64_t at = event.at.ms; at < T0 + DAYS * LW_DAY; at += QUARTER)
        quarter(&w, at);
    told = find(&w, RAISED);
    check(told != NULL);
    check(told->hour >= TUESDAY && told->hour <= TUESDAY + 2);
    end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_what_an_alert_tells),
        cmocka_unit_test(test_state_goes_on),
        cmocka_unit_test(test_clock_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
