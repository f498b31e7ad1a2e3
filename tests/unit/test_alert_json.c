/* Alerts as JSON: what a consumer reads, by pointer; and that every alert fits and is
 * whole or not at all. */
#include "alert_fixture.h"

#include <stdlib.h>

#include <jansson.h>

static struct lw_rules rules;

/* The alert, parsed back. */
static json_t *
encode(const struct lw_ledger *ledger, enum lw_alert_kind kind,
       const struct lw_alarm *alarm)
{
    static char text[LW_ALERT_TEXT];
    json_error_t error;
    size_t n = 0;

    assert_int_equal(lw_alert_json(ledger, &rules, kind, alarm, text, &n), 0);
    assert_null(memchr(text, '\n', n));
    json_t *event = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!event)
        fail_msg("no JSON: %s", error.text);
    return event;
}

/* What is at "/data/info/0/event", as compact JSON. */
static void
at(const json_t *event, const char *pointer, char *text, size_t cap)
{
    char name[64];

    for (const char *s = pointer; *s && event;) {
        size_t n = strcspn(++s, "/");
        memcpy(name, s, n);
        name[n] = '\0';
        event = json_is_array(event) ? json_array_get(event, strtoul(name, NULL, 10))
                                     : json_object_get(event, name);
        s += n;
    }
    size_t n = event
                   ? json_dumpb(event, text, cap - 1,
                                JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15))
                   : 0;
    assert_true(n < cap);
    text[n] = '\0';
}

struct expected {
    const char *pointer, *json;
};

static void
check(const json_t *event, const struct expected *rows, size_t n)
{
    char text[4096];

    for (size_t i = 0; i < n; i++) {
        at(event, rows[i].pointer, text, sizeof(text));
        if (strcmp(text, rows[i].json) != 0)
            fail_msg("%s: got %s, want %s", rows[i].pointer, text, rows[i].json);
    }
}

#define CHECK(event, rows) check(event, rows, sizeof(rows) / sizeof((rows)[0]))

static void
a_raised_alert_says_all(void **state)
{
    static const struct expected rows[] = {
        {"/specversion", "\"1.0\""},
        {"/id", "\"5f606162636465666768696a6b6c6d6e.1\""},
        {"/source", "\"urn:lodewatch:example-county\""},
        {"/type", "\"org.lodewatch.alert.raised.v1\""},
        {"/subject", "\"site/S1\""},
        {"/time", "\"2025-03-12T18:31:00Z\""},
        {"/sequence", "\"1\""},
        {"/data/cap/sender", "\"lodewatch@example-county\""},
        {"/data/cap/status", "\"Actual\""},
        {"/data/cap/msgType", "\"Alert\""},
        {"/data/cap/references", "[]"},
        {"/data/cap/incidents", "[\"5f606162636465666768696a6b6c6d6e\"]"},
        {"/data/info/0/language", "\"zh-CN\""},
        {"/data/info/0/event", "\"不明原因用电异常\""},
        {"/data/info/1/language", "\"en\""},
        {"/data/info/1/event", "\"Unexplained consumption\""},
        {"/data/info/1/severity", "\"Severe\""},
        {"/data/info/1/urgency", "\"Expected\""},
        {"/data/info/1/responseType", "[\"Assess\"]"},
        {"/data/site/id", "\"S1\""},
        {"/data/site/status", "\"closed\""},
        {"/data/site/status_since", "\"2024-11-02T00:00:00Z\""},
        {"/data/site/county", "\"C\""},
        {"/data/site/township", "\"T1\""},
        {"/data/site/village", "\"V1\""},
        {"/data/site/gully", "null"},
        {"/data/site/lat", "35.6"},
        {"/data/site/lon", "110.98"},
        {"/data/site/datum", "\"CGCS2000\""},
        {"/data/site/licences", "{\"mining\":null,\"safety\":null}"},
        {"/data/site/residents_downstream", "true"},
        {"/data/site/responsible",
         "{\"county\":\"p-county\",\"township\":null,\"village\":null,\"gully\":null,"
         "\"opening\":null,\"site\":\"p-site\"}"},
        {"/data/site/tags", "[\"举报\",\"夜间\"]"},
        {"/data/rule/id", "\"closed_load\""},
        {"/data/rule/class", "\"consumption\""},
        {"/data/evidence/window",
         "{\"from\":\"2025-03-12T17:30:00Z\",\"to\":\"2025-03-12T18:30:00Z\"}"},
        {"/data/evidence/mean_kw", "86.1"},
        {"/data/evidence/peak_kw", "131.0"},
        {"/data/evidence/energy_kwh", "86.1"},
        {"/data/evidence/expected_kw", "2.0"},
        {"/data/evidence/excess_kwh", "84.1"},
        {"/data/evidence/night", "true"},
        /* The meter that was exchanged before the window is not part of it. */
        {"/data/evidence/meters",
         "[{\"id\":\"m-221\",\"point_id\":\"P1\",\"role\":\"supply\",\"ct_ratio\":40.0,"
         "\"pt_ratio\":1.0}]"},
        {"/data/evidence/meters_left_out", "0"},
        {"/data/evidence/readings/count", "3851"},
        {"/data/evidence/learned", "null"},
        {"/data/evidence/readings_sha256",
         "\"abababababababababababababababababababababababababababababababab\""},
        {"/data/evidence/detail", "{}"},
        {"/data/explanations_checked/0/id", "\"X2\""},
        {"/data/explanations_checked/0/result", "\"exceeded\""},
        {"/data/explanations_checked/0/max_kw", "2.0"},
        {"/data/explanations_checked/0/valid_to", "null"},
        {"/data/explanations_checked/1/id", "\"X1\""},
        {"/data/explanations_checked/1/result", "\"expired\""},
        {"/data/explanations_checked/1/document", "\"示例〔2025〕1号\""},
        {"/data/explanations_checked/2/result", "\"outside_hours\""},
        {"/data/explanations_checked/3/result", "\"not_yet\""},
        {"/data/explanations_checked/3/max_kw", "null"},
        {"/data/alarm/state", "\"unacknowledged_active\""},
        {"/data/alarm/priority", "\"high\""},
        {"/data/alarm/due",
         "{\"ack\":\"2025-03-12T18:46:00Z\",\"check\":\"2025-03-12T20:31:00Z\"}"},
        {"/data/confidentiality",
         "{\"level\":\"restricted\",\"recipients\":[\"power-duty\"],\"no_forward\":true}"},
    };
    struct lw_alarm alarm = fixture_alarm();
    json_t *event = encode(*state, LW_ALERT_RAISED, &alarm);

    CHECK(event, rows);
    json_decref(event);
}

static void
a_return_clears_and_refers(void **state)
{
    static const struct expected rows[] = {
        {"/id", "\"5f606162636465666768696a6b6c6d6e.3\""},
        {"/type", "\"org.lodewatch.alert.returned.v1\""},
        {"/sequence", "\"3\""},
        {"/data/cap/msgType", "\"Update\""},
        {"/data/cap/references", "[\"5f606162636465666768696a6b6c6d6e.2\"]"},
        {"/data/info/0/responseType", "[\"AllClear\"]"},
        {"/data/info/0/urgency", "\"Past\""},
        /* Nothing is exceeded any more. */
        {"/data/explanations_checked/0/result", "\"in_force\""},
        {"/data/alarm/state", "\"normal\""},
        {"/data/alarm/due", "{\"ack\":null,\"check\":null}"},
    };
    struct lw_alarm alarm = fixture_alarm();
    alarm.revision = 3;
    alarm.state = LW_ALARM_NORMAL;
    json_t *event = encode(*state, LW_ALERT_RETURNED, &alarm);

    CHECK(event, rows);
    json_decref(event);
}

static void
nothing_on_file_is_said(void **state)
{
    static const struct expected rows[] = {
        {"/subject", "\"site/S3\""},
        {"/data/explanations_checked",
         "[{\"id\":null,\"kind\":null,\"result\":\"none\",\"max_kw\":null,\"valid_from\":null,"
         "\"valid_to\":null,\"document\":null}]"},
    };
    struct lw_alarm alarm = fixture_alarm();
    alarm.subject = alarm.site = 2;
    json_t *event = encode(*state, LW_ALERT_RAISED, &alarm);

    CHECK(event, rows);
    json_decref(event);
}

static void
licences_are_those_that_matter(void **state)
{
    static const struct expected rows[] = {
        {"/data/site/licences/mining/result", "\"in_force\""},
        {"/data/site/licences/safety",
         "{\"number\":\"A-2\",\"result\":\"expired\",\"valid_from\":\"2021-01-01T00:00:00Z\","
         "\"valid_to\":\"2025-01-01T00:00:00Z\"}"},
        {"/data/site/name_en", "null"},
        {"/data/site/lat", "null"},
        {"/data/site/datum", "null"},
        {"/data/evidence/detail", "{\"licences_missing\":[\"safety\"]}"},
    };
    struct lw_alarm alarm = fixture_alarm();
    alarm.rule = LW_RULE_LICENCE_GAP;
    alarm.subject = alarm.site = 1;
    alarm.evidence.finding = LW_FOUND_NO_LICENCE;
    alarm.evidence.detail2 = 2;
    json_t *event = encode(*state, LW_ALERT_RAISED, &alarm);

    CHECK(event, rows);
    json_decref(event);
}

static void
a_gateway_has_no_site(void **state)
{
    static const struct expected rows[] = {
        {"/subject", "\"gateway/G1\""},
        {"/data/rule/class", "\"data\""},
        {"/data/site/id", "null"},
        {"/data/site/name", "null"},
        {"/data/site/status", "null"},
        {"/data/site/status_since", "null"},
        {"/data/site/county", "null"},
        {"/data/site/tags", "[]"},
        {"/data/site/licences", "{\"mining\":null,\"safety\":null}"},
        {"/data/evidence/mean_kw", "null"},
        {"/data/evidence/expected_kw", "null"},
        {"/data/evidence/excess_kwh", "null"},
        {"/data/evidence/night", "null"},
        {"/data/evidence/samples_expected", "null"},
        {"/data/evidence/samples_good", "null"},
        {"/data/evidence/meters", "[]"},
        {"/data/evidence/readings", "null"},
        {"/data/evidence/readings_sha256", "null"},
        {"/data/evidence/detail",
         "{\"silent_s\":1800,\"meters_silent\":4,\"sites\":[\"S1\",\"S2\",\"S3\"],"
         "\"sites_left_out\":0}"},
        {"/data/explanations_checked", "[]"},
    };
    struct lw_alarm alarm = fixture_alarm();
    alarm.rule = LW_RULE_COMM_LOSS;
    alarm.subject_kind = LW_SUBJECT_GATEWAY;
    alarm.site = LW_NONE;
    alarm.evidence.finding = LW_FOUND_SILENT_GATEWAY;
    alarm.evidence.detail = 30 * LW_MINUTE;
    alarm.evidence.detail2 = 4;
    alarm.evidence.readings = 0;
    json_t *event = encode(*state, LW_ALERT_RAISED, &alarm);

    CHECK(event, rows);
    json_decref(event);
}

static void
details_are_the_findings(void **state)
{
    static const struct {
        enum lw_rule_id rule;
        enum lw_finding finding;
        int64_t detail;
        const char *json;
    } findings[] = {
        {LW_RULE_COMM_LOSS, LW_FOUND_SILENT_METER, 2700000, "{\"silent_s\":2700}"},
        {LW_RULE_COMM_LOSS, LW_FOUND_OVERRUN, 12, "{\"overruns\":12}"},
        {LW_RULE_REGISTER_JUMP, LW_FOUND_REGISTER_FELL, -1250, "{\"step_kwh\":-1.25}"},
        {LW_RULE_REGISTER_JUMP, LW_FOUND_REGISTER_LEAPT, 900000, "{\"step_kwh\":900.0}"},
        {LW_RULE_STUCK_REGISTER, LW_FOUND_REGISTER_STOOD, 172000,
         "{\"power_kw\":86.1,\"due_kwh\":172.0}"},
        {LW_RULE_COVERAGE, LW_FOUND_NO_METER, LW_GAP_METER | LW_GAP_STATUS,
         "{\"missing\":[\"meter\",\"status\"]}"},
    };
    char text[256];

    for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
        struct lw_alarm alarm = fixture_alarm();
        alarm.rule = (uint8_t)findings[i].rule;
        alarm.evidence.finding = (uint8_t)findings[i].finding;
        alarm.evidence.detail = findings[i].detail;
        json_t *event = encode(*state, LW_ALERT_RAISED, &alarm);
        at(event, "/data/evidence/detail", text, sizeof(text));
        assert_string_equal(text, findings[i].json);
        json_decref(event);
    }
}

/* Numbers print as people would write them: never 86.099999999999994. */
static void
numbers_are_short(void **state)
{
    char text[LW_ALERT_TEXT];
    size_t n;

    for (int64_t w = -12000; w < 200000; w += 37) {
        struct lw_alarm alarm = fixture_alarm();
        alarm.evidence.mean_w = w;
        alarm.evidence.excess_wh = 1000003 * w;
        assert_int_equal(lw_alert_json(*state, &rules, LW_ALERT_RAISED, &alarm, text, &n),
                         0);
        text[n < sizeof(text) ? n : sizeof(text) - 1] = '\0';
        const char *mean = strstr(text, "\"mean_kw\":") + strlen("\"mean_kw\":");
        size_t digits = strspn(mean, "-0123456789");
        assert_true(mean[digits] == '.');
        size_t decimals = strspn(mean + digits + 1, "0123456789");
        assert_in_range(decimals, 1, w > -10000 && w < 10000 ? 2 : 1);
        const char *excess = strstr(text, "\"excess_kwh\":") + strlen("\"excess_kwh\":");
        digits = strspn(excess, "-0123456789");
        assert_int_equal(strspn(excess + digits + 1, "0123456789"), 1);
    }
}

static void
the_same_alarm_gives_the_same_bytes(void **state)
{
    static char a[LW_ALERT_TEXT], b[LW_ALERT_TEXT];
    struct lw_alarm alarm = fixture_alarm();
    size_t an, bn;

    assert_int_equal(lw_alert_json(*state, &rules, LW_ALERT_UPDATED, &alarm, a, &an), 0);
    assert_int_equal(lw_alert_json(*state, &rules, LW_ALERT_UPDATED, &alarm, b, &bn), 0);
    assert_int_equal(an, bn);
    assert_memory_equal(a, b, an);
}

/* A deployment's name is made fit for a URI; a simulated clock is an exercise. */
static void
odd_deployments_are_escaped(void **state)
{
    static const struct expected rows[] = {
        {"/source", "\"urn:lodewatch:%E5%8E%BF%20A%3C\""},
        {"/data/cap/sender", "\"lodewatch@%E5%8E%BF%20A%3C\""},
        {"/data/cap/status", "\"Exercise\""},
    };
    struct lw_ledger_text text = fixture_text();
    struct lw_alarm alarm = fixture_alarm();

    (void)state;
    text.deployment = "县 A<";
    text.exercise = true;
    struct lw_ledger *ledger = fixture_ledger_of(&text);
    json_t *event = encode(ledger, LW_ALERT_RAISED, &alarm);
    CHECK(event, rows);
    json_decref(event);
    lw_ledger_free(ledger);
}

/* Appends n copies of s, quoted as CSV. */
static char *
cell(char *out, const char *s, int n)
{
    *out++ = '"';
    for (; n > 0; n--)
        out = stpcpy(out, s);
    *out++ = '"';
    return out;
}

/* Names, documents and tags of the longest kind, and more of everything than is listed.
 */
static void
the_greatest_alert_fits(void **state)
{
    enum {
        MANY = 40,
        BYTES = 2 << 20
    };
    char *buffer = calloc(3, BYTES), *sites = buffer, *explanations = buffer + BYTES,
         *meters = buffer + 2 * BYTES, *s;
    struct lw_ledger_text text = fixture_text();
    struct lw_alarm alarm = fixture_alarm();
    static char json[LW_ALERT_TEXT];
    size_t n;

    (void)state;
    assert_non_null(buffer);
    s = stpcpy(sites,
               "site_id,name,name_en,kind,status,status_since,status_document,area_id,"
               "lat,lon,datum,reference_reviewed_by,reference_reviewed_at,tags\nS1,");
    s = cell(s, "\"\"", 2000);
    s = stpcpy(s, ",");
    s = cell(s, "\\", 4000);
    s = stpcpy(s, ",non_coal_mine,closed,2024-11-02T00:00:00Z,");
    s = cell(s, "\"\"", 2000);
    s = stpcpy(s, ",V1,35.6,110.98,CGCS2000,");
    s = cell(s, "\\", 64);
    s = stpcpy(s, ",2024-12-01T00:00:00Z,");
    s = cell(s, "标签标签标签标签标签标签标签标签;", 80);
    stpcpy(s, "\n");
    s = stpcpy(explanations, "explanation_id,site_id,kind,max_kw,valid_from,document\n");
    for (int i = 0; i < MANY; i++) {
        s += sprintf(s, "%064d,S1,temporary_supply,1234.56,2024-11-02T00:00:00Z,", i);
        s = cell(s, "\\", 4000);
        s = stpcpy(s, "\n");
    }
    s = stpcpy(meters,
               "meter_id,installed_at,point_id,site_id,role,gateway_id,unit,profile,"
               "interval_s,ct_ratio\n");
    for (int i = 0; i < MANY; i++)
        s += sprintf(
            s, "%064d,2024-01-01T00:00:00Z,P%063d,S1,supply,G1,%d,generic,900,123.456\n",
            i, i, i + 1);
    text.table[LW_SITES].text = sites;
    text.table[LW_SITES].n = strlen(sites);
    text.table[LW_EXPLANATIONS].text = explanations;
    text.table[LW_EXPLANATIONS].n = strlen(explanations);
    text.table[LW_METERS].text = meters;
    text.table[LW_METERS].n = strlen(meters);
    text.table[LW_LICENCES].n = 0;
    struct lw_ledger *ledger = fixture_ledger_of(&text);

    /* The rules with most to say, of a time in which little was heard. */
    alarm.rule = LW_RULE_RE_EMERGENCE;
    alarm.evidence.finding = LW_FOUND_DURING_SILENCE;
    alarm.evidence.samples_good = 0;
    alarm.evidence.samples_expected = 96;
    alarm.evidence.confidence_milli = 999;
    alarm.evidence.learned_from = fixture_time("2024-11-02T00:00:00Z");
    alarm.evidence.learned_to = fixture_time("2024-11-30T00:00:00Z");
    assert_int_equal(lw_alert_json(ledger, &rules, LW_ALERT_UPDATED, &alarm, json, &n),
                     0);
    json_t *event = json_loadb(json, n, 0, NULL);
    assert_non_null(event);
    static const struct expected rows[] = {
        {"/data/explanations_left_out", "28"},
        {"/data/evidence/meters_left_out", "32"},
    };
    CHECK(event, rows);
    print_message("the greatest alert has %zu of %d bytes\n", n, LW_ALERT_TEXT);
    json_decref(event);
    lw_ledger_free(ledger);
    free(buffer);
}

/* --- memory: an alert is whole or not at all */

static int
setup(void **state)
{
    static struct lw_faults faults;
    struct lw_ledger_text text = fixture_text();

    if (lw_rules_parse("", NULL, 0, &faults, &rules) != 0)
        return -1;
    *state = fixture_ledger_of(&text);
    return 0;
}

static int
teardown(void **state)
{
    lw_ledger_free(*state);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_raised_alert_says_all),
        cmocka_unit_test(a_return_clears_and_refers),
        cmocka_unit_test(nothing_on_file_is_said),
        cmocka_unit_test(licences_are_those_that_matter),
        cmocka_unit_test(a_gateway_has_no_site),
        cmocka_unit_test(details_are_the_findings),
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(the_same_alarm_gives_the_same_bytes),
        cmocka_unit_test(odd_deployments_are_escaped),
        cmocka_unit_test(the_greatest_alert_fits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
