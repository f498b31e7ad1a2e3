/* The core as a whole: cases named by what happens in the field, and three properties:
 * extra ticks change nothing, a core saved and loaded in the middle goes on alike, and so
 * does one that was made anew for the same ledger. */
#include <stdio.h>
#include <stdlib.h>

#include <lodewatch/codec.h>
#include <lodewatch/core.h>

#include "unit.h"

#define T0      INT64_C(1762819200000) /* 2025-11-11T00:00:00Z: 08:00 in Shanghai */
#define QUARTER (15 * LW_MINUTE)

static const char AREAS[] = "area_id,parent_id,level,name,name_en\nC,,county,县,County\n";
static const char CONTACTS[] = "contact_id,area_id,role,name\nP1,C,chief,某人\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum,contract_kw\n"
    "CLOSED,关闭点,non_coal_mine,closed,2025-01-01T00:00:00Z,C,35.6,111,CGCS2000,200\n"
    "PUMPED,抽水点,non_coal_mine,closed,2025-01-01T00:00:00Z,C,35.6,111,CGCS2000,200\n"
    "MINE,持证矿,quarry,licensed,2025-01-01T00:00:00Z,C,35.6,111,CGCS2000,400\n"
    "TWIN,双电源,non_coal_mine,closed,2025-01-01T00:00:00Z,C,35.6,111,CGCS2000,200\n"
    "BARE,无表点,quarry,unknown,,C,,,,\n";
static const char LICENCES[] =
    "site_id,kind,number,valid_from,valid_to\n"
    "MINE,mining,M-1,2024-01-01T00:00:00Z,2030-01-01T00:00:00Z\n"
    "MINE,safety,S-1,2024-01-01T00:00:00Z,2025-11-12T00:00:00Z\n";
static const char EXPLANATIONS[] =
    "explanation_id,site_id,kind,max_kw,hours,valid_from,valid_to,authority,document,"
    "approved_by,approved_by_2,point_id\n"
    "E1,CLOSED,guard_house,5,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"
    "E2,CLOSED,maintenance,80,,2025-11-15T00:00:00Z,2025-11-15T06:00:00Z,office,A,p1,p2,\n"
    "E3,PUMPED,guard_house,2,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"
    "E4,PUMPED,dewatering,60,,2025-01-01T00:00:00Z,,office,A,p1,p2,PUMP\n"
    "E5,TWIN,guard_house,10,,2025-01-01T00:00:00Z,,office,A,p1,p2,\n"
    "E6,CLOSED,dewatering,,,2025-11-20T00:00:00Z,2025-11-21T00:00:00Z,office,A,p1,p2,\n";
static const char GATEWAYS[] = "gateway_id,transport,address\n"
                               "G1,tcp,127.0.0.1:1502\nG2,tcp,127.0.0.1:1503\n";
static const char METERS[] =
    "meter_id,point_id,site_id,role,parent_id,gateway_id,unit,profile,interval_s,rated_kw,"
    "energy_resolution_kwh,energy_modulus_kwh,installed_at,removed_at\n"
    "A,A,CLOSED,supply,,G1,1,generic,900,200,0.1,100000,2025-01-01T00:00:00Z,\n"
    "B,B,PUMPED,supply,,G1,2,generic,900,200,0.1,100000,2025-01-01T00:00:00Z,\n"
    "PUMP,PUMP,PUMPED,sub,B,G1,3,generic,900,100,0.1,100000,2025-01-01T00:00:00Z,\n"
    "C1,C,MINE,supply,,G1,4,generic,900,400,0.1,100000,2025-01-01T00:00:00Z,"
    "2025-11-11T12:00:00Z\n"
    "C2,C,MINE,supply,,G1,4,generic,900,400,0.1,100000,2025-11-11T12:00:00Z,\n"
    "D,D,TWIN,supply,,G2,1,generic,900,100,0.1,100000,2025-01-01T00:00:00Z,\n"
    "E,E,TWIN,supply,,G2,2,generic,900,100,0.1,100000,2025-01-01T00:00:00Z,\n";

static struct lw_ledger *
make_ledger(const char *sites, const char *meters)
{
    struct lw_ledger_text text = {.deployment = "test"};
    const char *const table[LW_TABLES] = {AREAS,        CONTACTS, sites, LICENCES,
                                          EXPLANATIONS, GATEWAYS, meters};
    static struct lw_faults faults;
    struct lw_ledger *ledger = NULL;

    memset(&faults, 0, sizeof faults);
    for (int t = 0; t < LW_TABLES; t++) {
        text.table[t].text = table[t];
        text.table[t].n = strlen(table[t]);
    }
    if (lw_ledger_new(&text, &faults, &ledger) != 0)
        fail_msg("%s:%u: %s", faults.fault[0].file, faults.fault[0].line,
                 faults.fault[0].text);
    return ledger;
}

static struct lw_rules
make_rules(void)
{
    static struct lw_faults faults;
    struct lw_rules rules;

    assert_int_equal(lw_rules_parse("", "", 0, &faults, &rules), 0);
    return rules;
}

/* What was emitted, as one text: a line an alert. */
struct heard {
    const struct lw_ledger *ledger;
    char *text;
    size_t n, cap;
    int stored, exchanged;
    uint16_t marks; /* of the last reading */
};

static void
hear(void *arg, const struct lw_effect *effect)
{
    static const char *const KIND[] = {"raised", "updated", "returned"};
    struct heard *h = arg;
    char subject[LW_ID_MAX + 16], line[512], id[33], hash[65], time[LW_TIME_TEXT];
    const struct lw_alarm *a;
    int n;

    if (effect->kind == LW_EFFECT_STORE) {
        h->stored++;
        h->marks = effect->reading->q;
        return;
    }
    if (effect->kind == LW_EFFECT_EXCHANGE) {
        h->exchanged++;
        return;
    }
    a = effect->alert.alarm;
    lw_alarm_subject(h->ledger, a, subject);
    lw_hex(a->id, sizeof a->id, id);
    lw_hex(a->evidence.sha256, LW_SHA256_SIZE, hash);
    lw_wall_format(a->at, time);
    n = snprintf(
        line, sizeof line, "%s %s %s %s %s.%u mean %lld excess %lld %s samples %u/%u\n",
        time, KIND[effect->alert.kind], lw_rule_info(a->rule)->id, subject, id,
        a->revision, (long long)a->evidence.mean_w, (long long)a->evidence.excess_wh,
        hash, a->evidence.samples_good, a->evidence.samples_expected);
    if (h->n + (size_t)n + 1 > h->cap) {
        h->cap = 2 * h->cap + 4096;
        h->text = realloc(h->text, h->cap);
        assert_non_null(h->text);
    }
    memcpy(h->text + h->n, line, (size_t)n + 1);
    h->n += (size_t)n;
}

/* A little world: a core, and a register a meter. */
struct world {
    struct lw_ledger *ledger;
    struct lw_rules rules;
    struct lw_core *core;
    struct heard heard;
    int64_t wh[16];
    int64_t now;
};

static void
begin_with(struct world *w, const char *sites, const char *meters)
{
    *w = (struct world){
        .ledger = make_ledger(sites, meters), .rules = make_rules(), .now = T0};
    w->heard.ledger = w->ledger;
    w->heard.text = calloc(1, 1);
    for (int i = 0; i < 16; i++)
        w->wh[i] = 1000000;
    assert_int_equal(lw_core_new(w->ledger, &w->rules, NULL, &w->core), 0);
    lw_core_on_effect(w->core, hear, &w->heard);
}

static void
begin(struct world *w)
{
    begin_with(w, SITES, METERS);
}

static void
end(struct world *w)
{
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
    free(w->heard.text);
}

/* Other parameters than the defaults; the core has the same struct. */
static void
set_rules(struct world *w, const char *text)
{
    static struct lw_faults faults;

    assert_int_equal(lw_rules_parse("", text, strlen(text), &faults, &w->rules), 0);
}

static int32_t
meter_of(const struct world *w, const char *id)
{
    int32_t m = lw_ledger_meter(w->ledger, id, strlen(id), (lw_wall){w->now});

    assert_int_not_equal(m, LW_NONE);
    return m;
}

/* The meter draws `kw` for the quarter hour that ends now, and is read. */
static void
read_meter(struct world *w, const char *id, double kw, enum lw_quality quality)
{
    int32_t m = meter_of(w, id);
    struct lw_event e = {.kind = LW_EVENT_READING, .at = {w->now}};

    w->wh[m] += (int64_t)(kw * 250);
    e.reading = (struct lw_reading){.time = {w->now},
                                    .received = {w->now},
                                    .meter = (uint32_t)m,
                                    .have = 1 << LW_IMPORT | 1 << LW_ACTIVE_POWER,
                                    .q = (uint16_t)quality};
    e.reading.value[LW_IMPORT] = w->wh[m];
    e.reading.value[LW_ACTIVE_POWER] = (int64_t)(kw * 1000);
    lw_core_step(w->core, &e);
}

static void
tick(struct world *w, int64_t at)
{
    struct lw_event e = {.kind = LW_EVENT_TICK, .at = {at}};

    lw_core_step(w->core, &e);
}

/* What each meter draws, in kW; below 0: it is silent. The other meters draw 1 kW. */
struct draw {
    const char *id;
    double kw;
};

static void
quarters(struct world *w, int n, const struct draw *draws, int ndraws)
{
    static const char *const ALL[] = {"A", "B", "PUMP", "C", "D", "E"};

    for (int q = 0; q < n; q++) {
        w->now += QUARTER;
        for (size_t i = 0; i < LENGTH(ALL); i++) {
            const char *id = ALL[i];
            double kw = 1;

            for (int d = 0; d < ndraws; d++)
                if (strcmp(draws[d].id, id) == 0)
                    kw = draws[d].kw;
            if (strcmp(id, "C") == 0)
                id = w->now < T0 + 12 * LW_HOUR ? "C1" : "C2";
            if (kw >= 0)
                read_meter(w, id, kw, LW_GOOD);
        }
    }
    tick(w, w->now);
}

#define DRAWS(...)                                                                       \
    (const struct draw[]){__VA_ARGS__},                                                  \
        (int)(sizeof((const struct draw[]){__VA_ARGS__}) / sizeof(struct draw))

/* How often the line of such a kind, rule and subject was heard. */
static int
count(const struct world *w, const char *what)
{
    int n = 0;

    for (const char *at = w->heard.text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static int
standing(const struct world *w)
{
    int n = 0;

    for (const struct lw_alarm *a = NULL; (a = lw_core_next_alarm(w->core, a));)
        n++;
    return n;
}

/* --- cases */

static void
test_crusher_at_a_closed_mine(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 8, DRAWS({"A", 3}));
    row("three quarter hours raise, two do not");
    quarters(&w, 2, DRAWS({"A", 60}));
    check_int(count(&w, "raised closed_load site/CLOSED"), 0);
    quarters(&w, 1, DRAWS({"A", 60}));
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    check(strstr(w.heard.text, "mean 60000") != NULL);
    row("quiet for two hours returns it, not sooner");
    quarters(&w, 7, DRAWS({"A", 3}));
    check_int(count(&w, "returned closed_load site/CLOSED"), 0);
    quarters(&w, 1, DRAWS({"A", 3}));
    check_int(count(&w, "returned closed_load site/CLOSED"), 1);
    check_int(standing(&w), 1); /* coverage's */
    row("the like of it a day later is told as a revision of it");
    quarters(&w, 96, DRAWS({"A", 3}));
    quarters(&w, 3, DRAWS({"A", 60}));
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    check_int(count(&w, "updated closed_load site/CLOSED"), 1);
    row("what goes on for more than three times as long is another alarm");
    quarters(&w, 32, DRAWS({"A", 60}));
    check_int(count(&w, "raised closed_load site/CLOSED"), 2);
    end(&w);
}

static void
test_silence_never_clears(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 60}));
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    quarters(&w, 4 * 48, DRAWS({"A", -1}));
    row("two silent days leave it standing");
    check_int(count(&w, "returned closed_load"), 0);
    row("and are told themselves");
    check_int(count(&w, "raised comm_loss point/A"), 1);
    end(&w);
}

static void
test_energy_of_a_gap_is_judged(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 3}));
    for (int q = 0; q < 20; q++) {
        quarters(&w, 1, DRAWS({"A", -1}));
        w.wh[meter_of(&w, "A")] += 50 * 250;
    }
    quarters(&w, 1, DRAWS({"A", 3}));
    row("the register says that 48 kW were drawn in the dark");
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    end(&w);
}

/* Times that no meter can have been read at: they are stored, and step nothing. */
static void
test_readings_out_of_order(void **state)
{
    static const struct {
        const char *name;
        int64_t time;
        uint16_t marks;
    } rows[] = {
        {"before 1970, the first that is heard", -10 * LW_HOUR, LW_MARK_LATE},
        {"and the next", -10 * LW_HOUR + QUARTER, LW_MARK_LATE},
        {"a millisecond before 1970", -1, LW_MARK_LATE},
        {"now", T0, 0},
        {"the same once more", T0, LW_MARK_REPEATED},
        {"a quarter hour before", T0 - QUARTER, LW_MARK_LATE},
        {"before 1970 again", -QUARTER, LW_MARK_LATE},
        {"a quarter hour later", T0 + QUARTER, 0},
        {"a year ahead", T0 + 365 * LW_DAY, LW_MARK_LATE},
        {"half an hour later, after that", T0 + 2 * QUARTER, 0},
        {"a clock that is eight hours ahead", T0 + 8 * LW_HOUR, 0},
    };
    struct world w;

    (void)state;
    begin(&w);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_event e = {.kind = LW_EVENT_READING, .at = {T0}};

        row(rows[i].name);
        e.reading = (struct lw_reading){.time = {rows[i].time},
                                        .received = {T0},
                                        .meter = (uint32_t)meter_of(&w, "A"),
                                        .have = 1 << LW_IMPORT};
        e.reading.value[LW_IMPORT] = 1000000;
        lw_core_step(w.core, &e);
        check_int(w.heard.stored, i + 1);
        check_int(w.heard.marks, rows[i].marks);
    }
    end(&w);
}

static void
test_maintenance_and_its_end(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4 * 96, DRAWS({"A", 3}));
    row("within the permit");
    quarters(&w, 24, DRAWS({"A", 70}));
    check_int(count(&w, "closed_load"), 0);
    row("beyond it");
    quarters(&w, 3, DRAWS({"A", 70}));
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    end(&w);
}

static void
test_pump_that_is_measured(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 8, DRAWS({"B", 1.5}, {"PUMP", 0}));
    row("the pump explains itself");
    quarters(&w, 16, DRAWS({"B", 51}, {"PUMP", 50}));
    check_int(count(&w, "closed_load"), 0);
    row("the same load without the pump does not");
    quarters(&w, 4, DRAWS({"B", 51}, {"PUMP", 0}));
    check_int(count(&w, "raised closed_load site/PUMPED"), 1);
    end(&w);
}

static void
test_two_supplies_are_one_site(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    row("each is below the ceiling, together they are above");
    quarters(&w, 5, DRAWS({"D", 8}, {"E", 8}));
    check_int(count(&w, "raised closed_load site/TWIN"), 1);
    end(&w);
    begin(&w);
    row("one is silent: the other is a lower bound, and enough");
    quarters(&w, 3, DRAWS({"D", 1}, {"E", 1}));
    quarters(&w, 8, DRAWS({"D", 40}, {"E", -1}));
    check_int(count(&w, "raised closed_load site/TWIN"), 1);
    row("but it never clears");
    quarters(&w, 200, DRAWS({"D", 1}, {"E", -1}));
    check_int(count(&w, "returned closed_load"), 0);
    end(&w);
}

static void
test_licence_runs_out(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 90, DRAWS({"C", 150}));
    row("both licences in force");
    check_int(count(&w, "licence_gap"), 0);
    quarters(&w, 12, DRAWS({"C", 150}));
    row("the safety licence has expired");
    check_int(count(&w, "raised licence_gap site/MINE"), 1);
    row("an exchange in the ledger is no jump");
    check_int(count(&w, "register_jump"), 0);
    end(&w);
}

static void
test_registers(void **state)
{
    struct world w;
    int32_t a;

    (void)state;
    begin(&w);
    a = meter_of(&w, "A");
    quarters(&w, 4, DRAWS({"A", 3}));
    row("one garbage value is no energy and no alarm");
    w.wh[a] += 5000000;
    quarters(&w, 1, DRAWS({"A", 3}));
    w.wh[a] -= 5000000;
    quarters(&w, 4, DRAWS({"A", 3}));
    check_int(count(&w, "register_jump"), 0);
    check_int(count(&w, "closed_load"), 0);
    row("a rollover is neither");
    w.wh[a] = 99999500;
    quarters(&w, 2, DRAWS({"A", 3}));
    w.heard.n = 0;
    w.heard.text[0] = 0;
    quarters(&w, 4, DRAWS({"A", 3})); /* settles whatever the set-up did */
    w.wh[a] = 99999900;
    quarters(&w, 2, DRAWS({"A", 3}));
    w.wh[a] %= 100000000;
    quarters(&w, 4, DRAWS({"A", 3}));
    check_int(count(&w, "closed_load"), 0);
    row("a fall that lasts is told once");
    w.heard.n = 0;
    w.heard.text[0] = 0;
    w.wh[a] = 50000;
    quarters(&w, 4 * 26, DRAWS({"A", 3}));
    w.heard.n = 0;
    w.heard.text[0] = 0;
    w.wh[a] = 100;
    quarters(&w, 3, DRAWS({"A", 3}));
    check_int(count(&w, "raised register_jump point/A"), 1);
    row("and is over after a good hour");
    quarters(&w, 6, DRAWS({"A", 3}));
    check_int(count(&w, "returned register_jump point/A"), 1);
    end(&w);
}

static void
test_register_that_stands(void **state)
{
    struct world w;
    int32_t a;

    (void)state;
    begin(&w);
    a = meter_of(&w, "A");
    quarters(&w, 4, DRAWS({"A", 3}));
    for (int q = 0; q < 12; q++) {
        int64_t before = w.wh[a];

        quarters(&w, 1, DRAWS({"A", 3}));
        w.wh[a] = before; /* the next read finds it where it was */
    }
    row("power without energy for hours");
    check_int(count(&w, "raised stuck_register point/A"), 1);
    end(&w);
    begin(&w);
    row("no power, no energy: a dark site is not a stuck meter");
    quarters(&w, 96, DRAWS({"A", 0}));
    check_int(count(&w, "stuck_register"), 0);
    end(&w);
}

/* A float behind transformers: 125 Wh x 40 a step, while the ledger says 0.01 kWh. */
static void
test_float_register_steps(void **state)
{
    static const struct {
        const char *name;
        bool told;
        int raised;
    } rows[] = {
        {"its steps are known: it does not stand", true, 0},
        {"they are not: it seems to", false, 1},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_event told = {.kind = LW_EVENT_METER_COUNTER, .counter.step_wh = 5000};
        struct world w;
        int32_t a;

        begin_with(&w, SITES,
                   "meter_id,site_id,role,gateway_id,unit,profile,interval_s,"
                   "installed_at,energy_resolution_kwh\n"
                   "A,CLOSED,supply,G1,1,generic,900,2025-01-01T00:00:00Z,0.01\n"
                   "PUMP,PUMPED,sub,G2,1,generic,900,2025-01-01T00:00:00Z,\n");
        row(rows[i].name);
        a = meter_of(&w, "A");
        told.at.ms = w.now;
        told.counter.meter = (uint32_t)a;
        if (rows[i].told)
            lw_core_step(w.core, &told);
        for (int q = 0; q < 4 * 24; q++) {
            int64_t flowed = w.wh[a] + 500;

            w.now += QUARTER;
            w.wh[a] = lw_floor_to(flowed, 5000) - 500;
            read_meter(&w, "A", 2, LW_GOOD);
            w.wh[a] = flowed;
        }
        check_int(count(&w, "raised stuck_register point/A") > 0, rows[i].raised);
        end(&w);
    }
}

static void
test_one_dead_gateway_is_one_alert(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 1}));
    quarters(&w, 16, DRAWS({"D", -1}, {"E", -1}));
    check_int(count(&w, "raised comm_loss gateway/G2"), 1);
    check_int(count(&w, "comm_loss point/"), 0);
    row("one meter comes back: the gateway lives, the other is told");
    quarters(&w, 10, DRAWS({"E", -1}));
    check_int(count(&w, "returned comm_loss gateway/G2"), 1);
    check_int(count(&w, "raised comm_loss point/E"), 1);
    row("all are back for an hour");
    quarters(&w, 6, DRAWS({"E", 1}));
    check_int(count(&w, "returned comm_loss point/E"), 1);
    end(&w);
}

/* One read of E's gateway that was due again before it was done. */
static void
overrun(struct world *w, int64_t at)
{
    struct lw_event e = {
        .kind = LW_EVENT_READ_FAILED,
        .at = {at},
        .failed = {.meter = (uint32_t)meter_of(w, "E"), .why = LW_FAIL_OVERRUN}};

    lw_core_step(w->core, &e);
}

static void
test_overruns_are_one_alert(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 1}));
    row("one slow minute");
    for (int i = 0; i < 30; i++)
        overrun(&w, w.now + i * LW_SECOND);
    quarters(&w, 5, DRAWS({"A", 1}));
    check_int(count(&w, "comm_loss gateway/G2"), 0);
    row("a slow line: one alert, whatever goes on");
    for (int q = 0; q < 8; q++) {
        for (int i = 0; i < 4; i++)
            overrun(&w, w.now + i * LW_MINUTE);
        quarters(&w, 1, DRAWS({"A", 1}));
    }
    check_int(count(&w, "raised comm_loss gateway/G2"), 1);
    check_int(count(&w, "comm_loss gateway/G2"), 1);
    row("an hour without: it returns");
    quarters(&w, 5, DRAWS({"A", 1}));
    check_int(count(&w, "returned comm_loss gateway/G2"), 1);
    row("a slow line that dies: its silence is told instead, and its return");
    for (int q = 0; q < 4; q++) {
        for (int i = 0; i < 4; i++)
            overrun(&w, w.now + i * LW_MINUTE);
        quarters(&w, 1, DRAWS({"A", 1}));
    }
    check_int(count(&w, "raised comm_loss gateway/G2"), 2);
    quarters(&w, 16, DRAWS({"D", -1}, {"E", -1}));
    check_int(count(&w, "returned comm_loss gateway/G2"), 2);
    check_int(count(&w, "raised comm_loss gateway/G2"), 3);
    check_int(count(&w, "comm_loss point/"), 0);
    overrun(&w, w.now + LW_SECOND);
    quarters(&w, 8, DRAWS({"A", 1}));
    check_int(count(&w, "returned comm_loss gateway/G2"), 3);
    end(&w);
}

static void
test_coverage(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 1, DRAWS({"A", 1}));
    check_int(count(&w, "raised coverage site/BARE"), 1);
    check_int(count(&w, "raised coverage"), 1);
    end(&w);
}

static void
test_estimated_values_raise_nothing(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 3}));
    for (int q = 0; q < 20; q++) {
        quarters(&w, 1, DRAWS({"A", -1}));
        read_meter(&w, "A", 60, LW_ESTIMATED);
    }
    check_int(count(&w, "closed_load"), 0);
    end(&w);
}

static void
test_late_and_repeated(void **state)
{
    struct world w;
    int32_t a;

    (void)state;
    begin(&w);
    a = meter_of(&w, "A");
    quarters(&w, 8, DRAWS({"A", 3}));
    for (int i = 0; i < 20; i++) {
        struct lw_event e = {.kind = LW_EVENT_READING, .at = {w.now}};

        e.reading = (struct lw_reading){.time = {w.now - i * QUARTER},
                                        .received = {w.now},
                                        .meter = (uint32_t)a,
                                        .have = 1 << LW_IMPORT};
        e.reading.value[LW_IMPORT] = 90000000;
        lw_core_step(w.core, &e);
    }
    quarters(&w, 8, DRAWS({"A", 3}));
    row("old readings are stored and step nothing");
    check_int(count(&w, "register_jump"), 0);
    check_int(count(&w, "closed_load"), 0);
    check_int(w.heard.stored, 16 * 6 + 20);
    end(&w);
}

static void
test_gap_of_one_of_several_meters(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"D", 1}));
    for (int q = 0; q < 20; q++) {
        quarters(&w, 1, DRAWS({"D", 1}, {"E", -1}));
        w.wh[meter_of(&w, "E")] += 50 * 250;
    }
    row("the other supply was judged alone meanwhile");
    check_int(count(&w, "closed_load"), 0);
    quarters(&w, 3, DRAWS({"D", 1}));
    row("the supply that comes back says what it carried");
    check_int(count(&w, "raised closed_load site/TWIN"), 1);
    end(&w);
    begin(&w);
    quarters(&w, 4, DRAWS({"B", 1}, {"PUMP", 0}));
    for (int q = 0; q < 20; q++) {
        quarters(&w, 1, DRAWS({"B", -1}, {"PUMP", 0}));
        w.wh[meter_of(&w, "B")] += 100 * 250;
    }
    quarters(&w, 3, DRAWS({"B", 1}, {"PUMP", 0}));
    row("so does one whose sub-meter was heard all the time");
    check_int(count(&w, "raised closed_load site/PUMPED"), 1);
    end(&w);
    begin(&w);
    quarters(&w, 4, DRAWS({"D", 1}));
    for (int q = 0; q < 200; q++) {
        quarters(&w, 1, DRAWS({"D", 4}, {"E", -1}));
        w.wh[meter_of(&w, "E")] += 4 * 250;
    }
    quarters(&w, 8, DRAWS({"D", 4}, {"E", 4}));
    row("nothing is counted twice");
    check_int(count(&w, "closed_load"), 0);
    end(&w);
}

static void
test_silent_sub_meter_never_clears(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 8, DRAWS({"B", 51}, {"PUMP", 0}));
    check_int(count(&w, "raised closed_load site/PUMPED"), 1);
    quarters(&w, 4 * 48, DRAWS({"B", 51}, {"PUMP", -1}));
    row("what the pump might have drawn explains nothing");
    check_int(count(&w, "returned closed_load"), 0);
    end(&w);
}

/* What a rule asks may differ by a site's status and kind. */
static void
test_rules_for_some(void **state)
{
    static const struct {
        const char *name, *text;
        int raised;
    } rows[] = {
        {"as built in", "", 1},
        {"for all", "[closed_load]\nfor = 7d\n", 0},
        {"for its status", "[closed_load closed]\nfor = 7d\n", 0},
        {"for its status, in Chinese", "[closed_load 关闭]\nfor = 7d\n", 0},
        {"for its kind", "[closed_load non_coal_mine]\nfor = 7d\n", 0},
        {"for both", "[closed_load closed non_coal_mine]\nfor = 7d\n", 0},
        {"for another status", "[closed_load unlicensed]\nfor = 7d\n", 1},
        {"for another kind", "[closed_load closed quarry]\nfor = 7d\n", 1},
        {"the narrower one goes",
         "[closed_load]\nfor = 7d\n[closed_load closed]\nfor = 45m\n", 1},
        {"of two that overlap the later one goes",
         "[closed_load closed]\nfor = 7d\n[closed_load non_coal_mine]\nfor = 45m\n", 1},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct world w;

        begin(&w);
        set_rules(&w, rows[i].text);
        row(rows[i].name);
        quarters(&w, 12, DRAWS({"A", 60}));
        check_int(count(&w, "raised closed_load site/CLOSED"), rows[i].raised);
        end(&w);
    }
}

/* C1 is exchanged for C2 at noon. */
static void
test_exchange_ends_what_the_old_meter_began(void **state)
{
    struct world w;
    int32_t c;

    (void)state;
    begin(&w);
    set_rules(&w, "[comm_loss licensed quarry]\npoint = 6h\n");
    quarters(&w, 4, DRAWS({"C", 1}));
    quarters(&w, 43, DRAWS({"C", -1}));
    row("silent");
    check_int(count(&w, "raised comm_loss point/C"), 1);
    quarters(&w, 8, DRAWS({"C", 1}));
    check_int(count(&w, "returned comm_loss point/C"), 1);
    end(&w);
    begin(&w);
    c = meter_of(&w, "C1");
    quarters(&w, 4, DRAWS({"C", 3}));
    for (int q = 0; q < 43; q++) {
        int64_t before = w.wh[c];

        quarters(&w, 1, DRAWS({"C", 3}));
        w.wh[c] = before;
    }
    row("stuck");
    check_int(count(&w, "raised stuck_register point/C"), 1);
    quarters(&w, 8, DRAWS({"C", 3}));
    check_int(count(&w, "returned stuck_register point/C"), 1);
    end(&w);
    begin(&w);
    quarters(&w, 44, DRAWS({"C", 3}));
    w.wh[meter_of(&w, "C1")] = 100;
    quarters(&w, 3, DRAWS({"C", 3}));
    row("fallen");
    check_int(count(&w, "raised register_jump point/C"), 1);
    quarters(&w, 8, DRAWS({"C", 3}));
    check_int(count(&w, "returned register_jump point/C"), 1);
    end(&w);
}

static void
say_serial(struct world *w, const char *id, const char *serial)
{
    struct lw_event e = {.kind = LW_EVENT_METER_SERIAL, .at = {w->now}};

    e.serial.meter = (uint32_t)meter_of(w, id);
    snprintf(e.serial.text, sizeof e.serial.text, "%s", serial);
    lw_core_step(w->core, &e);
}

/* Nobody has written the exchange of A into the ledger; its serial number tells. */
static void
test_exchange_by_serial_number(void **state)
{
    static const struct {
        const char *name, *before, *after;
        int exchanged, fallen;
    } rows[] = {
        {"the same meter, its register reset", "4711", "4711", 0, 1},
        {"another meter", "4711", "4712", 1, 0},
        {"no number was known before", NULL, "4712", 0, 1},
        {"a meter that does not tell", NULL, NULL, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct world w;

        begin(&w);
        row(rows[i].name);
        if (rows[i].before)
            say_serial(&w, "A", rows[i].before);
        quarters(&w, 8, DRAWS({"A", 3}));
        w.wh[meter_of(&w, "A")] = 100;
        if (rows[i].after)
            say_serial(&w, "A", rows[i].after);
        w.now += QUARTER;
        read_meter(&w, "A", 3, LW_GOOD);
        check_int(w.heard.exchanged, rows[i].exchanged);
        check((w.heard.marks & LW_MARK_EXCHANGE) ? rows[i].exchanged : rows[i].fallen);
        check_int((w.heard.marks & LW_MARK_RESET) != 0, rows[i].fallen);
        quarters(&w, 3, DRAWS({"A", 3}));
        check_int(count(&w, "raised register_jump point/A"), rows[i].fallen);
        check_int(w.heard.marks & LW_MARK_EXCHANGE, 0);
        quarters(&w, 3, DRAWS({"A", 60}));
        check_int(count(&w, "raised closed_load site/CLOSED"), 1);
        end(&w);
    }
}

static void
test_told_every_week(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 60}));
    quarters(&w, 96 * 15, DRAWS({"A", -1}));
    row("a standing alarm whose meter is silent");
    check_int(count(&w, "updated closed_load site/CLOSED"), 2);
    end(&w);
    begin(&w);
    quarters(&w, 4, DRAWS({"D", 1}));
    quarters(&w, 96 * 8, DRAWS({"D", -1}, {"E", -1}));
    row("a dead gateway");
    check_int(count(&w, "updated comm_loss gateway/G2"), 1);
    end(&w);
    begin(&w);
    w.now = T0 + 11 * LW_DAY;
    quarters(&w, 9, DRAWS({"A", 60}));
    quarters(&w, 96 * 13, DRAWS({"A", 6}));
    row("and one that is measured: after hours, twice as much, and after a week");
    check_int(count(&w, "updated closed_load site/CLOSED"), 3);
    row("with what was measured since");
    check_int(count(&w, "mean 64"), 1);
    end(&w);
}

static void
test_slow_neighbour_behind_the_gateway(void **state)
{
    struct world w;

    (void)state;
    begin_with(&w, SITES,
               "meter_id,site_id,role,gateway_id,unit,profile,interval_s,installed_at\n"
               "F,CLOSED,supply,G1,1,generic,60,2025-01-01T00:00:00Z\n"
               "PUMP,PUMPED,sub,G2,1,generic,900,2025-01-01T00:00:00Z\n"
               "S,MINE,supply,G1,2,generic,86400,2025-01-01T00:00:00Z\n");
    read_meter(&w, "S", 1, LW_GOOD);
    for (int i = 0; i < 10; i++) {
        w.now += LW_MINUTE;
        read_meter(&w, "F", 1, LW_GOOD);
    }
    tick(&w, w.now + LW_HOUR);
    row("a meter read daily does not keep a silent one waiting");
    check_int(count(&w, "raised comm_loss point/F"), 1);
    end(&w);
}

static void
test_register_that_bounces(void **state)
{
    struct world w;
    int32_t a;

    (void)state;
    begin(&w);
    a = meter_of(&w, "A");
    for (int i = 0; i < 4 * 120; i++) {
        w.now += 30 * LW_SECOND;
        w.wh[a] += i % 2 == 0 ? 100 : -100;
        read_meter(&w, "A", 0, LW_GOOD);
    }
    row("a step back and forth is no energy");
    check_int(count(&w, "closed_load"), 0);
    end(&w);
}

static void
test_gap_across_the_closure(void **state)
{
    struct world w;

    (void)state;
    begin_with(&w,
               "site_id,name,kind,status,status_since,area_id,contract_kw\n"
               "CLOSED,关闭点,non_coal_mine,closed,2025-11-11T06:00:00Z,C,200\n"
               "PUMPED,抽水点,non_coal_mine,closed,2025-01-01T00:00:00Z,C,200\n"
               "TWIN,双电源,non_coal_mine,closed,2025-01-01T00:00:00Z,C,200\n"
               "MINE,持证矿,quarry,licensed,2025-01-01T00:00:00Z,C,200\n",
               METERS);
    quarters(&w, 4, DRAWS({"A", 80}));
    for (int q = 0; q < 24; q++) {
        quarters(&w, 1, DRAWS({"A", -1}));
        w.wh[meter_of(&w, "A")] += q < 20 ? 80 * 250 : 0;
    }
    quarters(&w, 4, DRAWS({"A", 1}));
    row("what was drawn before the closure is not held against it");
    check_int(count(&w, "closed_load"), 0);
    quarters(&w, 4, DRAWS({"A", 80}));
    row("what is drawn after it is");
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    end(&w);
}

static void
test_gap_across_the_licence(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 90, DRAWS({"C", 150}));
    for (int q = 0; q < 10; q++) {
        quarters(&w, 1, DRAWS({"C", -1}));
        w.wh[meter_of(&w, "C2")] += q < 6 ? 150 * 250 : 0;
    }
    quarters(&w, 8, DRAWS({"C", 1}));
    row("production ended with the licence, in the dark");
    check_int(count(&w, "licence_gap"), 0);
    end(&w);
}

/* A's meter and the sub-meter that the explanations need, with what is removed and when.
 */
#define METERS_HEAD                                                                      \
    "meter_id,point_id,site_id,role,gateway_id,unit,profile,interval_s,installed_at,"    \
    "removed_at\n"                                                                       \
    "PUMP,PUMP,PUMPED,sub,G1,9,generic,900,2025-01-01T00:00:00Z,\n"

static void
test_point_that_is_given_up(void **state)
{
    struct world w;

    (void)state;
    begin_with(&w, SITES,
               METERS_HEAD "A,A,CLOSED,supply,G2,1,generic,900,2025-01-01T00:00:00Z,"
                           "2025-11-11T12:00:00Z\n"
                           "D,D,TWIN,supply,G1,1,generic,900,2025-01-01T00:00:00Z,"
                           "2025-11-11T12:00:00Z\n");
    for (int q = 0; q < 4; q++) {
        w.now += QUARTER;
        read_meter(&w, "A", 1, LW_GOOD);
        read_meter(&w, "D", 1, LW_GOOD);
    }
    for (int q = 0; q < 8; q++) {
        w.now += QUARTER;
        read_meter(&w, "PUMP", 0, LW_GOOD);
    }
    check_int(count(&w, "raised comm_loss gateway/G2"), 1);
    check_int(count(&w, "raised comm_loss point/D"), 1);
    tick(&w, T0 + 3 * LW_DAY);
    row("nobody is told for ever of a meter that was taken away");
    check_int(count(&w, "returned comm_loss point/D"), 1);
    check_int(count(&w, "returned comm_loss gateway/G2"), 1);
    end(&w);
}

#define A_UNTIL(until)                                                                   \
    "A,A,CLOSED,supply,G2,1,generic,900,2025-01-01T00:00:00Z," until "\n"
#define A_AT_TWIN "A,A,TWIN,supply,G2,1,generic,900,2025-01-01T00:00:00Z,\n"

static void
change_meters(struct world *w, const char *meters)
{
    struct lw_ledger *next = make_ledger(SITES, meters);
    struct lw_core *core;

    assert_int_equal(lw_core_new(next, &w->rules, w->core, &core), 0);
    lw_core_retire(w->core, core);
    lw_core_free(w->core);
    lw_ledger_free(w->ledger);
    w->core = core;
    w->ledger = next;
    w->heard.ledger = next;
}

/* 60 kW at a closed site for an hour, and then another ledger. */
static void
test_site_that_loses_its_meter(void **state)
{
    static const struct {
        const char *name;
        const char *before, *after;
        int loads; /* that have returned a day later */
    } moves[] = {
        {"nothing was moved: a silent meter ends nothing", METERS_HEAD A_UNTIL(""),
         METERS_HEAD A_UNTIL(""), 0},
        {"it was taken away on a date", METERS_HEAD A_UNTIL("2025-11-11T02:00:00Z"),
         METERS_HEAD A_UNTIL("2025-11-11T02:00:00Z"), 1},
        {"the ledger says that it was always elsewhere", METERS_HEAD A_UNTIL(""),
         METERS_HEAD A_AT_TWIN, 1},
        {"the next one is to be put in in a month",
         METERS_HEAD A_UNTIL("2025-11-11T02:00:00Z"),
         METERS_HEAD A_UNTIL(
             "2025-11-11T02:00:00Z") "A2,A,CLOSED,supply,G2,1,generic,900,2025-12-11T00:00:00Z,\n",
         0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(moves); i++) {
        struct world w;

        begin_with(&w, SITES, moves[i].before);
        for (int q = 0; q < 4; q++) {
            w.now += QUARTER;
            read_meter(&w, "A", 60, LW_GOOD);
        }
        row(moves[i].name);
        check_int(count(&w, "raised closed_load site/CLOSED"), 1);
        change_meters(&w, moves[i].after);
        tick(&w, T0 + LW_DAY + 2 * LW_HOUR);
        check_int(count(&w, "returned closed_load site/CLOSED"), moves[i].loads);
        end(&w);
    }
}

static void
test_gateway_that_loses_its_meters(void **state)
{
    struct world w;

    (void)state;
    begin_with(&w, SITES, METERS_HEAD A_UNTIL(""));
    read_meter(&w, "A", 1, LW_GOOD);
    tick(&w, T0 + LW_DAY);
    row("the ledger says that they are behind another");
    check_int(count(&w, "raised comm_loss gateway/G2"), 1);
    change_meters(&w, METERS_HEAD
                  "A,A,CLOSED,supply,G1,1,generic,900,2025-01-01T00:00:00Z,\n");
    tick(&w, T0 + 2 * LW_DAY);
    check_int(count(&w, "returned comm_loss gateway/G2"), 1);
    end(&w);
}

static void
test_slow_meter_that_was_exchanged(void **state)
{
    struct world w;

    (void)state;
    begin_with(&w, SITES,
               METERS_HEAD "A0,A,CLOSED,supply,G2,1,generic,86400,2025-01-01T00:00:00Z,"
                           "2025-11-11T00:00:00Z\n"
                           "A,A,CLOSED,supply,G2,1,generic,900,2025-11-11T00:00:00Z,\n");
    for (int q = 0; q < 4; q++) {
        read_meter(&w, "A", 60, LW_GOOD);
        w.now += QUARTER;
    }
    row("its interval is history too");
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    check(strstr(w.heard.text, "samples 3/3") != NULL);
    end(&w);
}

static void
test_excess_that_is_explained_meanwhile(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.now = T0 + 8 * LW_DAY + 22 * LW_HOUR;
    quarters(&w, 9, DRAWS({"A", 60}));
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    check_int(count(&w, "updated closed_load site/CLOSED"), 1);
    quarters(&w, 40, DRAWS({"A", 60}));
    row("what an explanation without a ceiling covers is no excess");
    check_int(count(&w, "updated closed_load site/CLOSED"), 1);
    end(&w);
}

static void
test_another_gap_in_the_ledger(void **state)
{
    struct world w;

    (void)state;
    begin_with(&w,
               "site_id,name,kind,status,status_since,area_id\n"
               "CLOSED,关闭点,non_coal_mine,closed,2025-01-01T00:00:00Z,C\n"
               "PUMPED,抽水点,non_coal_mine,closed,2025-01-01T00:00:00Z,C\n"
               "TWIN,双电源,non_coal_mine,closed,2025-01-01T00:00:00Z,C\n"
               "MINE,持证矿,quarry,licensed,2025-01-01T00:00:00Z,C\n",
               METERS_HEAD "A,A,CLOSED,supply,G2,1,generic,900,2025-01-01T00:00:00Z,"
                           "2025-11-11T12:00:00Z\n");
    tick(&w, T0);
    check_int(count(&w, "raised coverage site/CLOSED"), 1);
    tick(&w, T0 + 2 * LW_DAY);
    row("a gap more is told");
    check_int(count(&w, "updated coverage site/CLOSED"), 1);
    end(&w);
}

/* More alarms at once than a person can answer: each comes, and says which it is. */
static void
test_a_flood(void **state)
{
    char sites[4096] = "site_id,name,kind,status,status_since,area_id\n";
    struct world w;

    (void)state;
    for (int i = 0; i < 24; i++)
        snprintf(sites + strlen(sites), sizeof sites - strlen(sites),
                 "S%02d,点,quarry,closed,%s,C\n", i, "2025-01-01T00:00:00Z");
    snprintf(sites + strlen(sites), sizeof sites - strlen(sites),
             "CLOSED,点,quarry,closed,,C\nPUMPED,点,quarry,closed,,C\n"
             "MINE,点,quarry,closed,,C\nTWIN,点,quarry,closed,,C\n");
    begin_with(&w, sites, METERS_HEAD);
    tick(&w, T0);
    tick(&w, T0 + LW_MINUTE);
    for (const struct lw_alarm *a = NULL; (a = lw_core_next_alarm(w.core, a));) {
        int n = 1;

        for (const struct lw_alarm *b = NULL;
             (b = lw_core_next_alarm(w.core, b)) && b != a;)
            n++;
        row(w.ledger->site[a->subject].id);
        check_int(a->flood, n > LW_FLOOD_ALARMS ? n : 0);
    }
    check_int(standing(&w), 28);
    end(&w);
}

/* The wall clock is set by so much. */
static void
set_clock(struct world *w, int64_t by_ms)
{
    struct lw_event e = {.kind = LW_EVENT_CLOCK_STEP, .step.by_ms = by_ms};

    w->now += by_ms;
    e.at = (lw_wall){w->now};
    lw_core_step(w->core, &e);
}

static void
test_clock_that_is_set(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 3}));
    set_clock(&w, 10 * LW_DAY);
    tick(&w, w.now + LW_MINUTE);
    row("forward: nobody was silent");
    check_int(count(&w, "comm_loss"), 0);
    quarters(&w, 4, DRAWS({"A", 3}));
    set_clock(&w, -10 * LW_DAY);
    quarters(&w, 8, DRAWS({"A", 60}));
    row("back: a crusher does not wait until the wrong time has come");
    check_int(count(&w, "raised closed_load site/CLOSED"), 1);
    check(strstr(w.heard.text, "mean 60000") != NULL);
    end(&w);
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 3}));
    for (int i = 0; i < 8; i++) {
        quarters(&w, 1, DRAWS({"A", i == 0 ? 60 : 3}));
        set_clock(&w, -2 * LW_SECOND);
    }
    row("back by seconds: a quarter hour is judged once");
    check_int(count(&w, "closed_load"), 0);
    end(&w);
    begin(&w);
    quarters(&w, 4, DRAWS({"A", 3}));
    quarters(&w, 8, DRAWS({"A", -1}));
    quarters(&w, 1, DRAWS({"A", 3}));
    check_int(count(&w, "raised comm_loss point/A"), 1);
    set_clock(&w, 2 * LW_HOUR);
    quarters(&w, 1, DRAWS({"A", 3}));
    row("forward: a good hour has not passed either");
    check_int(count(&w, "returned comm_loss"), 0);
    quarters(&w, 4, DRAWS({"A", 3}));
    check_int(count(&w, "returned comm_loss"), 1);
    end(&w);
}

/* --- properties: a seeded week with everything in it, run in different ways */

static uint64_t
next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

enum way {
    PLAIN,
    WITH_TICKS,
    SAVED_AND_LOADED,
    MADE_ANEW
};

static int
keep(void *arg, const void *data, size_t n)
{
    struct heard *h = arg; /* borrowed as a growing buffer */

    if (h->n + n > h->cap) {
        h->cap = 2 * (h->cap + n);
        h->text = realloc(h->text, h->cap);
        assert_non_null(h->text);
    }
    memcpy(h->text + h->n, data, n);
    h->n += n;
    return 0;
}

static void
replace_core(struct world *w, enum way way)
{
    struct lw_core *core = NULL;

    if (way == MADE_ANEW) {
        assert_int_equal(lw_core_new(w->ledger, &w->rules, w->core, &core), 0);
    } else {
        struct heard bytes = {0};
        static struct lw_packer p;

        lw_pack_init(&p, keep, &bytes);
        assert_int_equal(lw_core_save(w->core, &p), 0);
        assert_int_equal(lw_pack_flush(&p), 0);
        assert_int_equal(lw_core_load(w->ledger, &w->rules, bytes.text, bytes.n, &core),
                         0);
        lw_core_on_effect(core, hear, &w->heard);
        free(bytes.text);
    }
    lw_core_free(w->core);
    w->core = core;
}

static char *
run_week(uint64_t seed, enum way way)
{
    struct world w;
    char *text;

    begin(&w);
    tick(&w, w.now); /* the same first event in every way */
    for (int q = 0; q < 7 * 96; q++) {
        double a = next_random(&seed) % 100 < 10 ? 60 : 3;
        double b = next_random(&seed) % 100 < 20 ? -1 : 1;
        double d = q % 200 > 150 ? -1 : 4;
        double e = q % 300 > 150 ? -1 : 5;

        if (next_random(&seed) % 100 == 0)
            w.wh[meter_of(&w, "B")] = (int64_t)(next_random(&seed) % 90000000);
        if (way == WITH_TICKS)
            for (int i = 0; i < 5; i++)
                tick(&w, w.now + i * 170 * LW_SECOND);
        quarters(&w, 1, DRAWS({"A", a}, {"B", b}, {"D", d}, {"E", e}));
        if (way == SAVED_AND_LOADED && q % 7 == 0)
            replace_core(&w, way);
        if (way == MADE_ANEW && q == 300)
            replace_core(&w, way);
    }
    tick(&w, w.now + 8 * LW_DAY);
    text = w.heard.text;
    w.heard.text = NULL;
    end(&w);
    return text;
}

/* A new ledger is looked over anew, so its gaps are told at other times. */
static void
leave_out_coverage(char *text)
{
    char *out = text;

    for (char *line = text; *line != 0;) {
        char *end_of = strchr(line, '\n') + 1;
        char *found = strstr(line, " coverage ");
        size_t n = (size_t)(end_of - line);

        if (!found || found > end_of) {
            memmove(out, line, n);
            out += n;
        }
        line = end_of;
    }
    *out = 0;
}

static void
same_as_plain(enum way way, const char *name)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        char *plain = run_week(seed, PLAIN);
        char *other = run_week(seed, way);
        char label[64];

        snprintf(label, sizeof label, "%s, seed %d", name, (int)seed);
        row(label);
        check(strlen(plain) > 1000);
        if (way == MADE_ANEW) {
            leave_out_coverage(plain);
            leave_out_coverage(other);
        }
        check(strcmp(plain, other) == 0);
        free(plain);
        free(other);
    }
}

static void
test_ticks_change_nothing(void **state)
{
    (void)state;
    same_as_plain(WITH_TICKS, "ticks in between");
}

static void
test_saved_and_loaded(void **state)
{
    (void)state;
    same_as_plain(SAVED_AND_LOADED, "saved and loaded");
}

static void
test_made_anew(void **state)
{
    (void)state;
    same_as_plain(MADE_ANEW, "made anew for the same ledger");
}

static void
test_damaged_checkpoints(void **state)
{
    struct world w;
    struct heard bytes = {0};
    static struct lw_packer p;

    (void)state;
    begin(&w);
    quarters(&w, 20, DRAWS({"A", 60}, {"D", -1}, {"E", -1}));
    lw_pack_init(&p, keep, &bytes);
    assert_int_equal(lw_core_save(w.core, &p), 0);
    assert_int_equal(lw_pack_flush(&p), 0);
    row("cut short anywhere, or with a byte changed: refused or harmless");
    for (size_t n = 0; n < bytes.n; n += 3) {
        struct lw_core *core = NULL;

        if (lw_core_load(w.ledger, &w.rules, bytes.text, n, &core) == 0)
            lw_core_free(core);
        bytes.text[n] = (char)(bytes.text[n] ^ 0x55);
        if (lw_core_load(w.ledger, &w.rules, bytes.text, bytes.n, &core) == 0)
            lw_core_free(core);
        bytes.text[n] = (char)(bytes.text[n] ^ 0x55);
    }
    free(bytes.text);
    end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crusher_at_a_closed_mine),
        cmocka_unit_test(test_silence_never_clears),
        cmocka_unit_test(test_energy_of_a_gap_is_judged),
        cmocka_unit_test(test_readings_out_of_order),
        cmocka_unit_test(test_maintenance_and_its_end),
        cmocka_unit_test(test_pump_that_is_measured),
        cmocka_unit_test(test_two_supplies_are_one_site),
        cmocka_unit_test(test_licence_runs_out),
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_register_that_stands),
        cmocka_unit_test(test_float_register_steps),
        cmocka_unit_test(test_one_dead_gateway_is_one_alert),
        cmocka_unit_test(test_overruns_are_one_alert),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_a_flood),
        cmocka_unit_test(test_estimated_values_raise_nothing),
        cmocka_unit_test(test_late_and_repeated),
        cmocka_unit_test(test_gap_of_one_of_several_meters),
        cmocka_unit_test(test_silent_sub_meter_never_clears),
        cmocka_unit_test(test_rules_for_some),
        cmocka_unit_test(test_exchange_ends_what_the_old_meter_began),
        cmocka_unit_test(test_exchange_by_serial_number),
        cmocka_unit_test(test_told_every_week),
        cmocka_unit_test(test_slow_neighbour_behind_the_gateway),
        cmocka_unit_test(test_register_that_bounces),
        cmocka_unit_test(test_gap_across_the_closure),
        cmocka_unit_test(test_gap_across_the_licence),
        cmocka_unit_test(test_point_that_is_given_up),
        cmocka_unit_test(test_site_that_loses_its_meter),
        cmocka_unit_test(test_gateway_that_loses_its_meters),
        cmocka_unit_test(test_slow_meter_that_was_exchanged),
        cmocka_unit_test(test_excess_that_is_explained_meanwhile),
        cmocka_unit_test(test_another_gap_in_the_ledger),
        cmocka_unit_test(test_clock_that_is_set),
        cmocka_unit_test(test_ticks_change_nothing),
        cmocka_unit_test(test_saved_and_loaded),
        cmocka_unit_test(test_made_anew),
        cmocka_unit_test(test_damaged_checkpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
