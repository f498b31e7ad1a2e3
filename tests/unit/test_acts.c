/* What people do to an alarm: acknowledged, shelved for a time, and what ends that. */
#include "plant.h"

static const char AREAS[] = "area_id,parent_id,level,name\nC,,county,县\n";
static const char CONTACTS[] = "contact_id,area_id,role,name\nP1,C,chief,某人\n";
static const char SITES[] =
    "site_id,name,kind,status,status_since,area_id,lat,lon,datum\n"
    "S,一号,quarry,closed,2025-01-01,C,35.6,111,CGCS2000\n";
static const char GATEWAYS[] = "gateway_id,transport,address\nG,tcp,127.0.0.1:1502\n";
static const char METERS[] =
    "meter_id,point_id,site_id,role,gateway_id,unit,interval_s,rated_kw,"
    "energy_resolution_kwh,installed_at\n"
    "M,M,S,supply,G,1,900,400,0.1,2025-01-01\n";

static const char *const TABLES[LW_TABLES] = {[LW_AREAS] = AREAS,
                                              [LW_CONTACTS] = CONTACTS,
                                              [LW_SITES] = SITES,
                                              [LW_GATEWAYS] = GATEWAYS,
                                              [LW_METERS] = METERS};

#define DAY 96 /* quarters */

static void
act_on(struct plant *p, const uint8_t id[LW_ACT_ALARM], enum lw_act_kind kind,
       const char *by, int64_t for_ms)
{
    struct lw_event e = {.kind = LW_EVENT_ACT, .at = {p->now}, .act.kind = kind};
    struct lw_event back;
    uint8_t bytes[LW_EVENT_BYTES];
    size_t n;

    memcpy(e.act.alarm, id, LW_ACT_ALARM);
    snprintf(e.act.by, sizeof e.act.by, "%s", by);
    if (kind == LW_ACT_SHELVE) {
        e.act.until = (lw_wall){p->now + for_ms};
        snprintf(e.act.reason, sizeof e.act.reason, "检修 repair");
    }
    /* As a journal gives it back. */
    n = lw_event_pack(&e, p->ledger, bytes);
    assert_int_equal(lw_event_unpack(bytes, n, p->ledger, &back), 0);
    lw_core_step(p->core, &back);
    if (mode != STRAIGHT)
        plant_renew(p, mode == SAVED);
}

static void
act(struct plant *p, enum lw_act_kind kind, const char *by, int64_t for_ms)
{
    act_on(p, p->last.id, kind, by, for_ms);
}

static void
raise_alarm(struct plant *p)
{
    quarters(p, 8, LOAD(0));
    quarters(p, 2 * DAY, LOAD(40));
    check_int(plant_heard(p, "raised closed_load"), 1);
    check_int(p->last.state, LW_ALARM_UNACKNOWLEDGED_ACTIVE);
}

/* The alert as it leaves has the piece. */
static void
says(const struct plant *p, const char *piece)
{
    static char text[LW_ALERT_TEXT];
    size_t n;

    assert_int_equal(
        lw_alert_json(p->ledger, &p->rules, LW_ALERT_UPDATED, &p->last, text, &n), 0);
    if (!strstr(text, piece))
        fail_msg("no %s in %s", piece, text);
}

static void
heard_since(const struct plant *p, size_t *n, const char *want)
{
    check_text(p->heard + *n, want);
    *n = p->n;
}

#define UPDATED  "updated closed_load site/S high\n"
#define RETURNED "returned closed_load site/S high\n"

static void
acknowledged(struct plant *p)
{
    raise_alarm(p);
    size_t n = p->n;
    act(p, LW_ACT_ACKNOWLEDGE, "王五", 0);
    heard_since(p, &n, UPDATED);
    check_int(p->last.state, LW_ALARM_ACKNOWLEDGED_ACTIVE);
    says(p, "\"state\":\"acknowledged_active\"");
    says(p, "\"due\":{\"ack\":null,\"check\":\"");
    says(p, "\"acknowledged_by\":\"王五\"");
    act(p, LW_ACT_ACKNOWLEDGE, "another", 0);
    heard_since(p, &n, "");
    quarters(p, DAY, LOAD(0));
    heard_since(p, &n, RETURNED);
    check_int(p->last.state, LW_ALARM_NORMAL);
    says(p, "\"acknowledged_by\":\"王五\"");
}

static void
acknowledged_after_its_return(struct plant *p)
{
    raise_alarm(p);
    quarters(p, DAY, LOAD(0));
    check_int(p->last.state, LW_ALARM_RETURNED_UNACKNOWLEDGED);
    size_t n = p->n;
    act(p, LW_ACT_READ, "王五", 0); /* nothing is there to be read any more */
    act(p, LW_ACT_SHELVE, "王五", LW_DAY);
    heard_since(p, &n, "");
    act(p, LW_ACT_ACKNOWLEDGE, "王五", 0);
    heard_since(p, &n, UPDATED);
    check_int(p->last.state, LW_ALARM_NORMAL);
    says(p, "\"due\":{\"ack\":null,\"check\":null}");
    says(p, "\"acknowledged_by\":\"王五\"");
    act(p, LW_ACT_ACKNOWLEDGE, "another", 0);
    heard_since(p, &n, "");
    quarters(p, DAY, LOAD(40)); /* it comes back, and is news again */
    check_int(p->last.state, LW_ALARM_UNACKNOWLEDGED_ACTIVE);
    says(p, "\"acknowledged_by\":null");
}

static void
returned_long_ago(struct plant *p)
{
    raise_alarm(p);
    quarters(p, 30 * DAY, LOAD(0));
    size_t n = p->n;
    act(p, LW_ACT_ACKNOWLEDGE, "王五", 0);
    heard_since(p, &n, "");
}

static void
shelved_until_its_time(struct plant *p)
{
    raise_alarm(p);
    size_t n = p->n;
    act(p, LW_ACT_SHELVE, "王五", 3 * LW_DAY + 1);
    heard_since(p, &n, UPDATED);
    check_int(p->last.state, LW_ALARM_SHELVED);
    says(p, "\"shelved_until\":\"2025-11-14T18:00:00.001Z\",\"shelved_by\":\"王五\","
            "\"shelved_reason\":\"检修 repair\",\"unshelved_by\":null");
    says(p, "\"due\":{\"ack\":null,\"check\":null}");
    act(p, LW_ACT_SHELVE, "another", LW_DAY);
    act(p, LW_ACT_ACKNOWLEDGE, "another", 0);
    heard_since(p, &n, "");
    quarters(p, 3 * DAY, LOAD(40));
    heard_since(p, &n, "");
    p->now += LW_CORE_TICK - 1;
    plant_tick(p);
    heard_since(p, &n, "");
    p->now += 1;
    plant_tick(p);
    heard_since(p, &n, UPDATED);
    check_int(p->last.state, LW_ALARM_UNACKNOWLEDGED_ACTIVE);
    check_int(p->last.at.ms, p->now);
    /* The evidence went on meanwhile. */
    assert_true(p->last.evidence.energy_wh > 4 * 24 * 40000);
    says(p, "\"shelved_until\":null,\"shelved_by\":null,\"shelved_reason\":null");
}

static void
shelved_after_acknowledged(struct plant *p)
{
    raise_alarm(p);
    act(p, LW_ACT_ACKNOWLEDGE, "王五", 0);
    act(p, LW_ACT_SHELVE, "王五", LW_HOUR);
    quarters(p, 5, LOAD(40));
    check_int(p->last.state, LW_ALARM_ACKNOWLEDGED_ACTIVE);
}

static void
shelved_and_worse(struct plant *p)
{
    raise_alarm(p);
    act(p, LW_ACT_SHELVE, "王五", 7 * LW_DAY);
    size_t n = p->n;
    quarters(p, DAY, LOAD(70));
    heard_since(p, &n, "");
    quarters(p, 2, LOAD(100));
    heard_since(p, &n, UPDATED);
    check_int(p->last.state, LW_ALARM_UNACKNOWLEDGED_ACTIVE);
    says(p, "\"unshelved_by\":null");
}

static void
shelved_and_returned(struct plant *p)
{
    raise_alarm(p);
    act(p, LW_ACT_SHELVE, "王五", 7 * LW_DAY);
    size_t n = p->n;
    quarters(p, DAY, LOAD(0));
    heard_since(p, &n, RETURNED);
    check_int(p->last.state, LW_ALARM_RETURNED_UNACKNOWLEDGED);
    act(p, LW_ACT_UNSHELVE, "王五", 0); /* it does not stand any more */
    heard_since(p, &n, "");
}

static void
unshelved_by_hand(struct plant *p)
{
    raise_alarm(p);
    size_t n = p->n;
    act(p, LW_ACT_UNSHELVE, "李四", 0); /* it is not shelved */
    heard_since(p, &n, "");
    act(p, LW_ACT_SHELVE, "王五", 2 * LW_HOUR);
    act(p, LW_ACT_UNSHELVE, "李四", 0);
    heard_since(p, &n, UPDATED UPDATED);
    check_int(p->last.state, LW_ALARM_UNACKNOWLEDGED_ACTIVE);
    says(p, "\"shelved_by\":null,\"shelved_reason\":null,\"unshelved_by\":\"李四\"");
    /* A longer one after it does not end with the first. */
    act(p, LW_ACT_SHELVE, "王五", 4 * LW_HOUR);
    quarters(p, 15, LOAD(40));
    heard_since(p, &n, UPDATED);
    quarters(p, 1, LOAD(40));
    heard_since(p, &n, UPDATED);
}

/* The first name stays, and no alert has it. */
static void
read_by_two(struct plant *p)
{
    const struct lw_alarm *alarm;
    static char text[LW_ALERT_TEXT];
    size_t json;

    raise_alarm(p);
    size_t n = p->n;
    int64_t at = p->now;
    act(p, LW_ACT_READ, "王五", 0);
    quarters(p, 2, LOAD(40));
    act(p, LW_ACT_READ, "李四", 0);
    heard_since(p, &n, "");
    act(p, LW_ACT_ACKNOWLEDGE, "李四", 0);
    heard_since(p, &n, UPDATED);
    alarm = lw_core_alarm(p->core, p->last.id);
    check_text(alarm->read_by, "王五");
    check_int(alarm->read.ms, at);
    assert_int_equal(
        lw_alert_json(p->ledger, &p->rules, LW_ALERT_UPDATED, alarm, text, &json), 0);
    check(strstr(text, "王五") == NULL);
    check(strstr(text, "李四") != NULL);
}

/* Whoever acknowledges has read it; and what comes back, nobody has. */
static void
acknowledged_is_read(struct plant *p)
{
    raise_alarm(p);
    act(p, LW_ACT_ACKNOWLEDGE, "王五", 0);
    check_text(lw_core_alarm(p->core, p->last.id)->read_by, "王五");
    quarters(p, DAY / 2, LOAD(0));
    check_int(plant_heard(p, RETURNED), 1);
    quarters(p, DAY / 4, LOAD(40));
    check_int(p->last.occurrences, 2);
    check_text(lw_core_alarm(p->core, p->last.id)->read_by, "");
}

static void
refused(struct plant *p)
{
    static const uint8_t nobody[LW_ACT_ALARM] = {7};

    raise_alarm(p);
    size_t n = p->n;
    act(p, LW_ACT_SHELVE, "too long", 7 * LW_DAY + 1);
    act(p, LW_ACT_SHELVE, "over", 0);
    act(p, LW_ACT_SHELVE, "past", -LW_HOUR);
    act_on(p, nobody, LW_ACT_SHELVE, "unknown", LW_HOUR);
    act_on(p, nobody, LW_ACT_ACKNOWLEDGE, "unknown", 0);
    heard_since(p, &n, "");
    act(p, LW_ACT_SHELVE, "the longest", 7 * LW_DAY);
    heard_since(p, &n, UPDATED);
}

/* For the longest time: told in between, with the evidence of then. */
static void
told_weekly(struct plant *p)
{
    raise_alarm(p);
    act(p, LW_ACT_SHELVE, "王五", 7 * LW_DAY);
    size_t n = p->n;
    quarters(p, 6 * DAY + 1, LOAD(40));
    heard_since(p, &n, UPDATED);
    check_int(p->last.state, LW_ALARM_SHELVED);
    says(p, "\"shelved_reason\":\"检修 repair\"");
    quarters(p, DAY, LOAD(40));
    heard_since(p, &n, UPDATED);
    check_int(p->last.state, LW_ALARM_UNACKNOWLEDGED_ACTIVE);
}

/* Straight on, saved and read back after each act, and with a core made anew. */
static void
test_acts(void **state)
{
    static const struct {
        const char *name;
        void (*happens)(struct plant *p);
    } cases[] = {
        {"acknowledged", acknowledged},
        {"acknowledged after its return", acknowledged_after_its_return},
        {"returned more than four weeks ago", returned_long_ago},
        {"shelved, and it ends by itself", shelved_until_its_time},
        {"shelved after it was acknowledged", shelved_after_acknowledged},
        {"shelved, and it gets worse", shelved_and_worse},
        {"shelved, and it returns", shelved_and_returned},
        {"unshelved by hand", unshelved_by_hand},
        {"read by two", read_by_two},
        {"acknowledged is read", acknowledged_is_read},
        {"what may not be", refused},
        {"the longest is told weekly", told_weekly},
    };
    static struct plant p;

    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (mode = STRAIGHT; mode < ACTED; mode++) {
            row(cases[i].name);
            plant_begin(&p, TABLES, NULL);
            readings = 0;
            cases[i].happens(&p);
            plant_end(&p);
        }
}

/* Two shelves, the longer one first: each ends in its own time. */
static void
test_two(void **state)
{
    static const char sites[] =
        "site_id,name,kind,status,status_since,area_id\n"
        "S,一号,quarry,closed,2025-01-01,C\nT,二号,quarry,closed,2025-01-01,C\n";
    const char *const tables[LW_TABLES] = {
        [LW_AREAS] = AREAS, [LW_CONTACTS] = CONTACTS, [LW_SITES] = sites};
    static struct plant p;
    const struct lw_alarm *s, *t;

    (void)state;
    for (mode = STRAIGHT; mode < ACTED; mode++) {
        plant_begin(&p, tables, NULL);
        plant_tick(&p);
        check_int(plant_heard(&p, "raised coverage"), 2);
        s = lw_core_next_alarm(p.core, NULL);
        act_on(&p, s->id, LW_ACT_SHELVE, "a", LW_HOUR + 1);
        t = lw_core_next_alarm(p.core, lw_core_next_alarm(p.core, NULL));
        act_on(&p, t->id, LW_ACT_SHELVE, "b", LW_HOUR);
        size_t n = p.n;
        p.now += LW_HOUR;
        plant_tick(&p);
        heard_since(&p, &n, "updated coverage site/T low\n");
        p.now += LW_CORE_TICK;
        plant_tick(&p);
        heard_since(&p, &n, "updated coverage site/S low\n");
        plant_end(&p);
    }
}

/* More ticks, or less, in between: the same is heard. */
static void
test_ticks(void **state)
{
    static struct plant p;
    static struct lw_alarm last;

    (void)state;
    mode = STRAIGHT;
    for (int often = 0; often < 2; often++) {
        plant_begin(&p, TABLES, NULL);
        raise_alarm(&p);
        act(&p, LW_ACT_SHELVE, "王五", 95 * LW_MINUTE + 7);
        for (int64_t end = p.now + 2 * LW_HOUR; often && p.now < end;) {
            p.now += 3 * LW_SECOND;
            plant_tick(&p);
        }
        if (!often) {
            p.now += 2 * LW_HOUR;
            plant_tick(&p);
            last = p.last;
        }
        check_int(p.last.state, LW_ALARM_UNACKNOWLEDGED_ACTIVE);
        check_int(p.last.at.ms, last.at.ms);
        check_int(p.last.revision, last.revision);
        plant_end(&p);
    }
}

#define ID   "00112233445566778899aabbccddeeff"
#define TEXT "0123456789012345678901234567890123456789012345678901234567890123"

static void
test_json(void **state)
{
    static const struct {
        const char *name, *json;
        const char *where, *what; /* NULL: it is an act */
    } rows[] = {
        {"acknowledge", "{\"act\":\"acknowledge\",\"alarm\":\"" ID "\",\"by\":\"王五\"}",
         NULL, NULL},
        {"shelve",
         "{\"act\":\"shelve\",\"alarm\":\"" ID "\",\"by\":\"" TEXT
         "\",\"until\":\"2025-11-15T10:00:00+08:00\",\"reason\":\"r\"}",
         NULL, NULL},
        {"nothing", "", "", "malformed"},
        {"a list", "[]", "", "malformed"},
        {"twice the same", "{\"by\":\"a\",\"by\":\"b\"}", "", "malformed"},
        {"nothing in it", "{}", "act", "missing"},
        {"another act", "{\"act\":\"delete\"}", "act", "malformed"},
        {"no id", "{\"act\":\"unshelve\",\"by\":\"a\"}", "alarm", "missing"},
        {"a short id", "{\"act\":\"unshelve\",\"alarm\":\"00\",\"by\":\"a\"}", "alarm",
         "malformed"},
        {"a number for an id", "{\"act\":\"unshelve\",\"alarm\":7,\"by\":\"a\"}", "alarm",
         "malformed"},
        {"nobody", "{\"act\":\"unshelve\",\"alarm\":\"" ID "\",\"by\":\" \"}", "by",
         "malformed"},
        {"too much of a name",
         "{\"act\":\"unshelve\",\"alarm\":\"" ID "\",\"by\":\"" TEXT "5\"}", "by",
         "malformed"},
        {"two lines", "{\"act\":\"unshelve\",\"alarm\":\"" ID "\",\"by\":\"a\\nb\"}",
         "by", "malformed"},
        {"without end",
         "{\"act\":\"shelve\",\"alarm\":\"" ID "\",\"by\":\"a\",\"reason\":\"r\"}",
         "until", "missing"},
        {"for ever",
         "{\"act\":\"shelve\",\"alarm\":\"" ID
         "\",\"by\":\"a\",\"until\":\"for ever\",\"reason\":\"r\"}",
         "until", "malformed"},
        {"without a reason",
         "{\"act\":\"shelve\",\"alarm\":\"" ID
         "\",\"by\":\"a\",\"until\":\"2025-11-15T10:00:00Z\"}",
         "reason", "missing"},
        {"a reason to acknowledge",
         "{\"act\":\"acknowledge\",\"alarm\":\"" ID "\",\"by\":\"a\",\"reason\":\"r\"}",
         "reason", "not taken by this act"},
        {"a whole rule",
         "{\"act\":\"unshelve\",\"alarm\":\"" ID
         "\",\"by\":\"a\",\"rule\":\"closed_load\"}",
         "", "has an unknown member"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_act_fault fault = {NULL, NULL, NULL, NULL};
        struct lw_act got = {0};

        row(rows[i].name);
        check_int(lw_act_parse(rows[i].json, strlen(rows[i].json), NULL, &got, &fault),
                  rows[i].where ? LW_EPARSE : 0);
        if (rows[i].where) {
            check_text(fault.where, rows[i].where);
            check_text(fault.what, rows[i].what);
        } else {
            check_int(got.alarm[0], 0);
            check_int(got.alarm[15], 0xff);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acts),
        cmocka_unit_test(test_two),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
