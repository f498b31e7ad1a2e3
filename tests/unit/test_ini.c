/* INI text: every way to be wrong says where and what; nothing is cut in silence. */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

#include <lodewatch/ini.h>
#include <lodewatch/text.h>

struct conf {
    char name[10 + 1];
    int64_t count;
    int64_t power_w;
    int64_t every_ms;
    bool on;
};

static const struct lw_ini_key keys[] = {
    {"daemon", "name", LW_INI_STRING, offsetof(struct conf, name), 0, 10, 0, "shaft", ""},
    {"daemon", "count", LW_INI_INT, offsetof(struct conf, count), -1, 100, 0, "5", ""},
    {"rules", "power_kw", LW_INI_DECIMAL, offsetof(struct conf, power_w), 0, 5500000,
     1000, "1.5", ""},
    {"rules", "every", LW_INI_DURATION, offsetof(struct conf, every_ms), 1000, 86400000,
     0, "15m", ""},
    {"rules", "on", LW_INI_BOOL, offsetof(struct conf, on), 0, 1, 0, "yes", ""},
};

static void
test_values(void **state)
{
    static const struct {
        const char *text;
        struct conf want;
    } rows[] = {
        {"", {"shaft", 5, 1500, 900000, true}},
        {"[daemon]\nname = adit\ncount=7\n", {"adit", 7, 1500, 900000, true}},
        {"[daemon]\r\nname = adit\r\ncount: -1", {"adit", -1, 1500, 900000, true}},
        {"\xEF\xBB\xBF[daemon]\nname = 煤矿\n", {"煤矿", 5, 1500, 900000, true}},
        {"[daemon]\n  name = a=b:c;d#\n", {"a=b:c;d#", 5, 1500, 900000, true}},
        {"[daemon]\nname =\n", {"", 5, 1500, 900000, true}},
        {"# a\n; b\n\n  # c\n[rules]\n\tpower_kw = 0.0005\n",
         {"shaft", 5, 1, 900000, true}},
        {"[rules]\nevery=1d\non=off\n", {"shaft", 5, 1500, 86400000, false}},
        {"[rules]\nevery = 1500ms\non = 1\n", {"shaft", 5, 1500, 1500, true}},
        {"[rules]\non=no\n[daemon]\ncount=1\n[rules]\nevery=1h",
         {"shaft", 1, 1500, 3600000, false}},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        static struct lw_faults faults;
        struct conf conf;
        const struct conf *want = &rows[i].want;
        row(rows[i].text);
        lw_ini_defaults(keys, LENGTH(keys), &conf);
        check_int(lw_ini_parse("x.conf", rows[i].text, strlen(rows[i].text), keys,
                               LENGTH(keys), &conf, &faults),
                  0);
        check_text(conf.name, want->name);
        check_int(conf.count, want->count);
        check_int(conf.power_w, want->power_w);
        check_int(conf.every_ms, want->every_ms);
        check_int(conf.on, want->on);
        check_int(faults.n, 0);
    }
}

static void
test_faults(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *want;
    } rows[] = {
        {"[daemon]\n nam = x\n", 2, 2,
         "unknown key \"nam\" in [daemon]; is \"name\" meant?"},
        {"[daemon]\nsomething_else = x\n", 2, 1,
         "unknown key \"something_else\" in [daemon]"},
        {"[daemon]\nevery = 1s\n", 2, 1,
         "\"every\" does not belong in [daemon] but in [rules]"},
        {"[deamon]\nname = x\n", 1, 1, "unknown section [deamon]; is [daemon] meant?"},
        {"[http]\nname = x\n", 1, 1, "unknown section [http]"},
        {"name = x\n", 1, 1, "\"name\" stands before any [section]"},
        {"\xEF\xBB\xBFname = x\n", 1, 1, "\"name\" stands before any [section]"},
        {"[daemon]\nname = x\n\nname = y\n", 4, 1,
         "\"name\" is given twice; first on line 2"},
        {"[daemon]\nname = x\n  y\n", 3, 3, "neither [section] nor key = value"},
        {"[daemon]\nname\n", 2, 1, "neither [section] nor key = value"},
        {"[daemon\nname = x\n", 1, 1,
         "a [section] has 1 to 48 bytes and a closing bracket"},
        {"[]\n", 1, 1, "a [section] has 1 to 48 bytes and a closing bracket"},
        {"[daemon]\nname = x ; y\n", 2, 10,
         "a comment needs a line of its own: what follows \" ;\" is lost"},
        {"[daemon]\nname = 12345678901\n", 2, 8, "\"name\" has 11 bytes; 10 is the most"},
        {"[daemon]\ncount = 1.0\n", 2, 9,
         "\"count\" must be a whole number, not \"1.0\""},
        {"[daemon]\ncount =\n", 2, 8, "\"count\" must be a whole number, not \"\""},
        {"[daemon]\ncount :  101\n", 2, 10,
         "\"count\" must be from -1 to 100, not \"101\""},
        {"[daemon]\ncount = 99999999999999999999\n", 2, 9,
         "\"count\" must be from -1 to 100, not \"99999999999999999999\""},
        {"[rules]\npower_kw = 5500.001\n", 2, 12,
         "\"power_kw\" must be from 0 to 5500, not \"5500.001\""},
        {"[rules]\npower_kw = 1e3\n", 2, 12,
         "\"power_kw\" must be a number, not \"1e3\""},
        {"[rules]\nevery = 15\n", 2, 9,
         "\"every\" must be a duration such as 250ms, 30s, 15m, 2h or 7d, not \"15\""},
        {"[rules]\nevery = -1s\n", 2, 9,
         "\"every\" must be a duration such as 250ms, 30s, 15m, 2h or 7d, not \"-1s\""},
        {"[rules]\nevery = 999ms\n", 2, 9,
         "\"every\" must be from 1s to 1d, not \"999ms\""},
        {"[rules]\nevery = 9223372036854775807d\n", 2, 9,
         "\"every\" must be a duration such as 250ms, 30s, 15m, 2h or 7d, not "
         "\"9223372036854775807d\""},
        {"[rules]\non = maybe\n", 2, 6, "\"on\" must be yes or no, not \"maybe\""},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_faults faults;
        struct conf conf;
        row(rows[i].text);
        memset(&faults, 0, sizeof(faults));
        lw_ini_defaults(keys, LENGTH(keys), &conf);
        check_int(lw_ini_parse("x.conf", rows[i].text, strlen(rows[i].text), keys,
                               LENGTH(keys), &conf, &faults),
                  LW_EPARSE);
        check_int(faults.n, 1);
        check_text(faults.fault[0].text, rows[i].want);
        check_text(faults.fault[0].file, "x.conf");
        check_int(faults.fault[0].line, rows[i].line);
        check_int(faults.fault[0].column, rows[i].column);
    }
}

static void
test_long_lines(void **state)
{
    (void)state;
    for (size_t n = LW_INI_LINE - 1; n <= LW_INI_LINE + 2; n++) {
        static struct lw_faults faults;
        struct conf conf;
        char text[300];
        /* "count=000…7", n bytes long */
        int head = snprintf(text, sizeof(text), "[daemon]\ncount=%0*d", (int)n - 6, 7);
        memcpy(text + head, "\n[rules]\non=no\n", 16);
        memset(&faults, 0, sizeof(faults));
        lw_ini_defaults(keys, LENGTH(keys), &conf);
        int rc = lw_ini_parse("x.conf", text, strlen(text), keys, LENGTH(keys), &conf,
                              &faults);
        check_int(rc, n <= LW_INI_LINE ? 0 : LW_EPARSE);
        check_int(conf.count, n <= LW_INI_LINE ? 7 : 5);
        check_int(conf.on, false);
        if (rc != 0)
            check_int(faults.fault[0].line, 2);
    }
}

static void
test_every_fault_is_found(void **state)
{
    static struct lw_faults faults;
    static const char text[] =
        "junk\n[daemon]\ncount = x\nnam\0e = 3\nname = a\n[no]\nx = 1\n"
        "[rules]\non = 2\n";
    struct conf conf;
    (void)state;
    lw_ini_defaults(keys, LENGTH(keys), &conf);
    check_int(
        lw_ini_parse("x", text, sizeof(text) - 1, keys, LENGTH(keys), &conf, &faults),
        LW_EPARSE);
    check_int(faults.n, 5);
    static const uint32_t lines[] = {1, 3, 4, 6, 9};
    for (size_t i = 0; i < LENGTH(lines); i++)
        check_int(faults.fault[i].line, lines[i]);
}

/* Words are kinds of mine here; we are a quarry. */
static int
is_quarry(void *arg, const char *section, const char *words, struct lw_text *why,
          bool *ret_concerns)
{
    (void)arg;
    *ret_concerns = words[0] == '\0' || strcmp(words, "quarry") == 0;
    if (*ret_concerns || strcmp(words, "sand") == 0)
        return 0;
    lw_text_addf(why, "no %s for it", section);
    return LW_EINVAL;
}

static int
is_common(void *arg, const struct lw_ini_key *key, struct lw_text *why)
{
    (void)arg;
    if (strcmp(key->name, "on") != 0)
        return 0;
    lw_text_add(why, "is for all");
    return LW_EINVAL;
}

static void
test_sections_for_some(void **state)
{
    static const struct {
        const char *name, *text;
        int rc;
        int64_t power_w;
        const char *fault;
    } rows[] = {
        {"for us", "[rules]\npower_kw = 2\n[rules quarry]\npower_kw = 3\n", 0, 3000, ""},
        {"for others", "[rules]\npower_kw = 2\n[rules sand]\npower_kw = 3\n", 0, 2000,
         ""},
        {"the later one goes", "[rules quarry]\npower_kw = 3\n[rules]\non = no\n", 0,
         3000, ""},
        {"more blanks", "[rules   quarry]\npower_kw = 3\n", 0, 3000, ""},
        {"for nobody", "[rules adit]\npower_kw = 3\n", LW_EPARSE, 0,
         "[rules adit]: no rules for it"},
        {"a key that is for all", "[rules sand]\non = no\n", LW_EPARSE, 0,
         "\"on\" is for all"},
        {"no such section", "[rulez quarry]\npower_kw = 3\n", LW_EPARSE, 0, "[rules]"},
        {"a key of another section", "[rules sand]\ncount = 3\n", LW_EPARSE, 0,
         "[daemon]"},
        {"twice in one", "[rules sand]\npower_kw = 3\npower_kw = 3\n", LW_EPARSE, 0,
         "twice"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        static const struct lw_ini_scope scope = {is_quarry, is_common};
        static struct lw_faults faults;
        struct conf conf;

        row(rows[i].name);
        memset(&faults, 0, sizeof faults);
        lw_ini_defaults(keys, LENGTH(keys), &conf);
        check_int(lw_ini_parse_scoped("x.conf", rows[i].text, strlen(rows[i].text), keys,
                                      LENGTH(keys), &scope, NULL, &conf, &faults),
                  rows[i].rc);
        if (rows[i].rc == 0)
            check_int(conf.power_w, rows[i].power_w);
        else
            check(strstr(faults.fault[0].text, rows[i].fault) != NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sections_for_some),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_every_fault_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
