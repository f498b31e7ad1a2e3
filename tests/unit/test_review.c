/* Who stands for a closed site's reference: in an alert's JSON. Its words are in
 * test_words.c. */
#include <string.h>

#include <lodewatch/codec.h>

#include "alert_fixture.h"
#include "unit.h"

static const struct {
    const char *name, *review;
    enum lw_rule_id rule;
    const char *says;
} rows[] = {
    {"nobody has reviewed it", ",", LW_RULE_NIGHT_LOAD,
     "\"reviewed_by\":null,\"reviewed_at\":null}"},
    {"somebody has, without a date", "张三,", LW_RULE_NIGHT_LOAD,
     "\"reviewed_by\":\"张三\",\"reviewed_at\":null}"},
    {"with a date", "张三,2025-11-05", LW_RULE_SLOW_CREEP,
     "\"reviewed_by\":\"张三\",\"reviewed_at\":\"2025-11-05T00:00:00Z\"}"},
    {"on the day on which it was frozen", "张三,2025-11-03", LW_RULE_RE_EMERGENCE,
     "\"reviewed_by\":\"张三\",\"reviewed_at\":\"2025-11-03T00:00:00Z\"}"},
    {"it was another one that was reviewed", "张三,2025-10-01", LW_RULE_NIGHT_LOAD,
     "\"reviewed_by\":null,\"reviewed_at\":null}"},
    {"what goes on learning is nobody's", "张三,", LW_RULE_UNUSUAL_LOAD,
     "\"reviewed_by\":null,\"reviewed_at\":null}"},
};

static void
test_json(void **state)
{
    static struct lw_rules rules;
    static struct lw_faults faults;

    (void)state;
    assert_int_equal(lw_rules_parse("", NULL, 0, &faults, &rules), 0);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_ledger_text text = fixture_text();
        struct lw_alarm alarm = fixture_alarm();
        char sites[256], json[LW_ALERT_TEXT];
        struct lw_ledger *ledger;
        size_t n;

        row(rows[i].name);
        snprintf(sites, sizeof sites,
                 "site_id,status,reference_reviewed_by,reference_reviewed_at\n"
                 "S1,closed,%s\nS2,licensed,,\nS3,closed,,\n",
                 rows[i].review);
        text.table[LW_SITES].text = sites;
        text.table[LW_SITES].n = strlen(sites);
        ledger = fixture_ledger_of(&text);
        alarm.rule = (uint8_t)rows[i].rule;
        alarm.evidence.finding = rows[i].rule == LW_RULE_UNUSUAL_LOAD
                                     ? LW_FOUND_UNUSUALLY_HIGH
                                     : LW_FOUND_UNLIKE_REFERENCE;
        alarm.evidence.learned_from = fixture_time("2025-10-06T00:00:00Z");
        alarm.evidence.learned_to = fixture_time("2025-11-03T16:00:00Z");
        check_int(lw_alert_json(ledger, &rules, LW_ALERT_RAISED, &alarm, json, &n), 0);
        check(strstr(json, rows[i].says) != NULL);
        lw_ledger_free(ledger);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
