/* Closed sites that are commissioned together: one of them runs already. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lodewatch/core.h>
#include <lodewatch/pack.h>
#include <lodewatch/words.h>

#include "unit.h"

#define T0      INT64_C(1759276800000) /* 2025-10-01T00:00:00Z */
#define QUARTER (15 * LW_MINUTE)
#define DAY     96

enum {
    SITES_MOST = 24
};

/* The last site is the one that is looked at. */
struct row {
    const char *name;
    int sites;
    double least, most; /* kW of the others, which are spread evenly by factors */
    double kw;          /* its own */
    const char *kind, *declared;
    bool told;
};

#define LIKE_THEM "quarry"

static const struct row rows[] = {
    {"a machine by day and night", 16, 1, 4, 45, LIKE_THEM, "", true},
    {"it is declared for it alone", 16, 1, 4, 45, LIKE_THEM, "resident,45", false},
    {"so much is declared, without a limit", 16, 1, 4, 45, LIKE_THEM, "ventilation,",
     false},
    {"less is declared than it draws", 16, 1, 4, 45, LIKE_THEM, "resident,10", true},
    {"as large as the largest", 16, 1, 4, 4, LIKE_THEM, "", false},
    {"three times the largest", 16, 1, 4, 12, LIKE_THEM, "", false},
    {"houses of all sizes", 20, 0.5, 40, 45, LIKE_THEM, "", false},
    {"too few to compare with", 8, 1, 4, 45, LIKE_THEM, "", false},
    {"a plant among quarries", 16, 1, 4, 45, "processing_plant", "", false},
    {"houses that are all the same", 16, 2, 2, 9, LIKE_THEM, "", false},
};

struct world {
    const struct row *row;
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    double kwh[SITES_MOST];
    int q, stops;
    int raised, returned, others; /* of the last site, in quarters; of the rest */
    uint8_t finding;
    char words[2][LW_WORDS_TEXT];
};

static void
hear(void *arg, const struct lw_effect *effect)
{
    struct world *w = arg;
    const struct lw_alarm *a = effect->alert.alarm;
    struct lw_alert alert = {w->ledger, effect->alert.kind, a};

    if (effect->kind != LW_EFFECT_ALERT ||
        lw_rule_info((enum lw_rule_id)a->rule)->class != LW_CLASS_CONSUMPTION)
        return;
    if (a->site != w->row->sites - 1) {
        w->others++;
    } else if (effect->alert.kind == LW_ALERT_RAISED) {
        w->raised = w->q;
        w->finding = a->evidence.finding;
        check_int(a->rule, LW_RULE_NIGHT_LOAD);
        for (int zh = 0; zh < 2; zh++)
            lw_words(&alert, LW_PART_LINE, zh, w->words[zh], sizeof w->words[zh]);
    } else if (effect->alert.kind == LW_ALERT_RETURNED) {
        w->returned = w->q;
    }
}

/* `refused` is the first one's reference_from. */
static void
begin(struct world *w, const struct row *r, const char *refused)
{
    static struct lw_faults faults;
    static char sites[8192], explanations[8192], meters[8192];
    struct lw_ledger_text t = {.deployment = "test"};
    size_t s, e, m;

    memset(w, 0, sizeof *w);
    w->row = r;
    s = (size_t)sprintf(sites,
                        "site_id,name,kind,status,status_since,area_id,reference_from\n");
    e = (size_t)sprintf(explanations, "explanation_id,site_id,kind,max_kw,valid_from\n");
    m = (size_t)sprintf(meters, "meter_id,site_id,role,rated_kw,installed_at\n");
    for (int i = 0; i < r->sites; i++) {
        bool last = i == r->sites - 1;

        s += (size_t)sprintf(sites + s, "S%02d,n,%s,closed,2025-01-01,C,%s\n", i,
                             last ? r->kind : LIKE_THEM, i == 0 ? refused : "");
        e += (size_t)sprintf(explanations + e, "G%02d,S%02d,guard_house,60,2025-01-01\n",
                             i, i);
        if (last && *r->declared)
            e += (size_t)sprintf(explanations + e, "X,S%02d,%s,2025-01-01\n", i,
                                 r->declared);
        m += (size_t)sprintf(meters + m, "M%02d,S%02d,supply,200,2025-01-01\n", i, i);
    }
    t.table[LW_AREAS].text = "area_id,parent_id,level,name\nC,,county,C\n";
    t.table[LW_SITES].text = sites;
    t.table[LW_EXPLANATIONS].text = explanations;
    t.table[LW_METERS].text = meters;
    for (int i = 0; i < LW_TABLES; i++)
        t.table[i].n = t.table[i].text ? strlen(t.table[i].text) : 0;
    if (lw_ledger_new(&t, &faults, &w->ledger) != 0)
        fail_msg("%s:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].text);
    assert_int_equal(lw_rules_parse("", "", 0, &faults, &w->rules), 0);
    assert_int_equal(lw_core_new(w->ledger, &w->rules, NULL, &w->core), 0);
    lw_core_on_effect(w->core, hear, w);
}

static void
end(struct world *w)
{
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
}

/* kW, with the odd appliance. */
static double
draws(const struct world *w, int site)
{
    const struct row *r = w->row;
    double step = (double)site / (r->sites - 2);
    double kw = r->least * pow(r->most / r->least, step);

    if (site == r->sites - 1)
        kw = w->stops > 0 && w->q >= w->stops ? r->least : r->kw;
    return kw * (1 + 0.05 * ((w->q * 7 + site) % 5));
}

static void
run_to(struct world *w, int q)
{
    for (; w->q < q; w->q++)
        for (int i = 0; i < w->row->sites; i++) {
            lw_wall at = {T0 + (int64_t)w->q * QUARTER};
            struct lw_event event = {.kind = LW_EVENT_READING, .at = at};
            char id[8];

            w->kwh[i] += draws(w, i) / 4;
            snprintf(id, sizeof id, "M%02d", i);
            event.reading = (struct lw_reading){.time = at, .received = at};
            event.reading.meter = (uint32_t)lw_ledger_meter(w->ledger, id, 3, at);
            event.reading.have = 1 << LW_IMPORT;
            event.reading.value[LW_IMPORT] = (int64_t)(w->kwh[i] * 1000);
            lw_core_step(w->core, &event);
        }
}

static void
test_cases(void **state)
{
    static struct world w;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        begin(&w, &rows[i], "");
        run_to(&w, 40 * DAY);
        check_int(w.raised > 28 * DAY && w.raised < 31 * DAY, rows[i].told);
        check_int(w.finding, rows[i].told ? LW_FOUND_UNLIKE_PEERS : LW_FOUND_NOTHING);
        check_int(w.others, 0);
        end(&w);
    }
}

static void
test_life(void **state)
{
    static struct world w;

    (void)state;
    begin(&w, &rows[0], "");
    w.stops = 50 * DAY;
    run_to(&w, 60 * DAY);
    row("in Chinese");
    assert_non_null(strstr(w.words[1], "远高于同状态、同类型的点位（16处，中位数"));
    row("in English");
    assert_non_null(strstr(w.words[0], "far above the sites of the same status and kind "
                                       "(16, with a median of "));
    row("it stops");
    check_int(w.returned > 52 * DAY && w.returned < 54 * DAY, true);
    end(&w);
}

/* What somebody has refused is compared with no more, until it is learned anew. */
static void
test_refused(void **state)
{
    static struct world w;

    (void)state;
    begin(&w, &rows[0], "2025-10-29T06:00:00Z");
    run_to(&w, 40 * DAY);
    check_int(w.raised > 28 * DAY, true);
    assert_non_null(strstr(w.words[0], "(15, with a median of "));
    end(&w);
}

struct blob {
    uint8_t data[1 << 18];
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

/* What was learned before a restart, or under the ledger before, still counts. */
static void
test_made_anew(void **state)
{
    static struct world whole, w;
    static struct blob blob;
    struct lw_packer p;
    struct lw_core *next;

    (void)state;
    begin(&whole, &rows[0], "");
    run_to(&whole, 40 * DAY);
    for (int way = 0; way < 2; way++) {
        row(way == 0 ? "loaded" : "with another ledger");
        begin(&w, &rows[0], "");
        run_to(&w, 28 * DAY + DAY / 2);
        blob.n = 0;
        lw_pack_init(&p, keep, &blob);
        assert_int_equal(lw_core_save(w.core, &p), 0);
        assert_int_equal(lw_pack_flush(&p), 0);
        assert_int_equal(way == 0
                             ? lw_core_load(w.ledger, &w.rules, blob.data, blob.n, &next)
                             : lw_core_new(w.ledger, &w.rules, w.core, &next),
                         0);
        lw_core_free(w.core);
        w.core = next;
        lw_core_on_effect(w.core, hear, &w);
        run_to(&w, 40 * DAY);
        check_int(w.raised, whole.raised);
        check_text(w.words[0], whole.words[0]);
        end(&w);
    }
    end(&whole);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_made_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
