/* What a message to people takes from an alert, and strings in JSON. */
#include "unit.h"

#include <lodewatch/codec.h>

static void
briefs(void **state)
{
#define INFO(language, headline)                                                         \
    "{\"language\":\"" language "\",\"headline\":\"" headline "\",\"description\":\"d\"}"
#define ALERT(infos)                                                                     \
    "{\"id\":\"a.1\",\"type\":\"t\",\"subject\":\"site/s\",\"data\":{\"info\":[" infos   \
    "],\"rule\":{\"id\":\"closed_load\"},\"alarm\":{\"priority\":\"high\"}}}"
    static const struct {
        const char *name;
        const char *json;
        int rc;
        const char *zh;
        const char *en;
    } rows[] = {
        {"both languages", ALERT(INFO("zh-CN", "用电") "," INFO("en", "load")), 0,
         "用电。d", "load. d"},
        {"one of them", ALERT(INFO("en-GB", "load")), 0, "", "load. d"},
        {"none", ALERT(""), 0, "", ""},
        /* A name from the ledger must not become a field of its own. */
        {"a line feed", ALERT(INFO("en", "load\\nPRIORITY=0")), 0, "",
         "load PRIORITY=0. d"},
        {"no data", "{\"id\":\"a.1\"}", LW_EPARSE, NULL, NULL},
        {"no object", "[]", LW_EPARSE, NULL, NULL},
        {"no JSON", "{\"data\":{", LW_EPARSE, NULL, NULL},
        {"nothing", "", LW_EPARSE, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_alert_brief brief;
        row(rows[i].name);
        check_int(lw_alert_brief(rows[i].json, strlen(rows[i].json), &brief), rows[i].rc);
        if (rows[i].rc == 0) {
            check_text(brief.id, "a.1");
            check_text(brief.subject, "site/s");
            check_text(brief.rule, "closed_load");
            check_text(brief.priority, "high");
            check_text(brief.zh, rows[i].zh);
            check_text(brief.en, rows[i].en);
        }
    }
}

static void
cuts_at_characters(void **state)
{
    char json[2048] = "{\"id\":\"";
    struct lw_alert_brief brief;

    (void)state;
    row("an id that is too long");
    for (int i = 0; i < 20; i++)
        strcat(json, "矿点");
    strcat(json, "\",\"data\":{}}");
    check_int(lw_alert_brief(json, strlen(json), &brief), 0);
    check_int(strlen(brief.id), 45); /* 15 whole characters of 3 bytes, in 47 */
    check_text(brief.rule, "");
}

static void
writes_strings(void **state)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"一号矿", "\"一号矿\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"a\nb\x01", "\"a\\nb\\u0001\""},
        {"\b\f\r\t\x1f\x7f/", "\"\\b\\f\\r\\t\\u001F\x7f/\""},
        {"\xff", "\"\""},
    };
    char data[256];
    struct lw_text text;

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].text);
        lw_text_init(&text, data, sizeof data);
        lw_text_add_json(&text, rows[i].text);
        check_text(data, rows[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(briefs),
        cmocka_unit_test(cuts_at_characters),
        cmocka_unit_test(writes_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
