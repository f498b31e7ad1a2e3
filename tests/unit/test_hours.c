/* Hours of the week: what people write, and when it is on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <lodewatch/ledger.h>

static struct lw_ledger *
make(const char *holidays)
{
    static struct lw_faults faults;
    struct lw_ledger_text text = {.holidays = holidays, .holidays_n = strlen(holidays)};
    struct lw_ledger *ledger = NULL;
    faults = (struct lw_faults){0};
    assert_int_equal(lw_ledger_new(&text, &faults, &ledger), 0);
    return ledger;
}

/* 2026-01-01 is a Thursday and the holiday; 2026-01-05 a Monday. */
static const struct {
    const char *hours;
    const char *at;
    bool on;
} rows[] = {
    {"", "2026-01-01T03:00:00Z", true},
    {"Mon-Fri 08:00-18:00", "2026-01-05T07:59:59Z", false},
    {"Mon-Fri 08:00-18:00", "2026-01-05T08:00:00Z", true},
    {"Mon-Fri 08:00-18:00", "2026-01-05T17:59:59Z", true},
    {"Mon-Fri 08:00-18:00", "2026-01-05T18:00:00Z", false},
    {"Mon-Fri 08:00-18:00", "2026-01-03T12:00:00Z", false},
    {"Mon-Fri 08:00-18:00", "2026-01-01T12:00:00Z", false}, /* Holiday rows only */
    {"Mon-Fri 08:00-18:00; Holiday 10:00-12:00", "2026-01-01T11:00:00Z", true},
    {"Holiday 22:00-06:00", "2026-01-01T23:00:00Z", true},
    {"Holiday 22:00-06:00", "2026-01-02T05:59:00Z", true}, /* begun on the holiday */
    {"Holiday 22:00-06:00", "2026-01-01T05:00:00Z", false},
    {"Wed 22:00-06:00", "2026-01-01T05:00:00Z", true}, /* begun the day before it */
    {"22:00-06:00", "2026-01-01T23:00:00Z", true},     /* no day: every day */
    {"22:00-06:00", "2026-01-04T12:00:00Z", false},
    {"Sat-Mon 00:00-24:00", "2026-01-04T12:00:00Z", true},
    {"Sat-Mon 00:00-24:00", "2026-01-05T12:00:00Z", true},
    {"Sat-Mon 00:00-24:00", "2026-01-06T12:00:00Z", false},
    {"Sat-Mon 00:00-24:00", "2026-01-02T12:00:00Z", false},
    {"Mon,Wed 08:00-09:00,10:00-11:00", "2026-01-07T10:30:00Z", true},
    {"Mon,Wed 08:00-09:00,10:00-11:00", "2026-01-06T10:30:00Z", false},
    {"Fri 8:00-0:00", "2026-01-02T23:59:00Z", true},
    {"Fri 8:00-0:00", "2026-01-03T00:00:00Z", false},
    {"Fri 08:00-08:00", "2026-01-03T07:00:00Z", true}, /* a whole day from 8 */
    {"周一至周五 08:00～18:00；节假日 09：00-10：00", "2026-01-01T09:30:00Z", true},
    {"周一至周五 08:00～18:00；节假日 09：00-10：00", "2026-01-05T09:30:00Z", true},
    {"周六、周日 08:00-18:00", "2026-01-04T09:30:00Z", true},
};

static void
test_on(void **state)
{
    (void)state;
    struct lw_ledger *ledger = make("2026-01-01 元旦\r\n\n# none\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lw_hours hours;
        size_t column = 0;
        lw_wall t;
        if (lw_hours_parse(rows[i].hours, strlen(rows[i].hours), &hours, &column) != 0)
            fail_msg("%s: not understood at %zu", rows[i].hours, column);
        assert_int_equal(lw_wall_parse(rows[i].at, strlen(rows[i].at), ledger->zone,
                                       LW_DATE_START, &t),
                         0);
        if (lw_hours_at(ledger, &hours, t) != rows[i].on)
            fail_msg("%s at %s: expected %s", rows[i].hours, rows[i].at,
                     rows[i].on ? "on" : "off");
    }
    lw_ledger_free(ledger);
}

static const struct {
    const char *hours;
    size_t column;
} refused[] = {
    {"Mon", 4},
    {"Mon-", 5},
    {"08:00", 6},
    {"25:00-26:00", 1},
    {"08:60-09:00", 1},
    {"08:00-09:00 x", 13},
    {"Foo 08:00-09:00", 1},
    {"24:00-01:00", 6},
    {"Mon-Holiday 1:00-2:00", 12},
    {"8-18", 1},
    {"Mon-Fri 08:00-09:00,", 21},
    {"1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;"
     "1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;1:00-2:00;"
     "1:00-2:00",
     170},
};

static void
test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct lw_hours hours;
        size_t column = 0;
        int rc =
            lw_hours_parse(refused[i].hours, strlen(refused[i].hours), &hours, &column);
        if (rc != LW_EPARSE || column != refused[i].column)
            fail_msg("%s: rc %d at %zu", refused[i].hours, rc, column);
    }
}

static void
test_holidays(void **state)
{
    (void)state;
    static struct lw_faults faults;
    static const char text[] = "2026-10-01,国庆\n2026-02-31\n2026/1/1\nsoon\n";
    struct lw_ledger_text source = {.holidays = text, .holidays_n = sizeof(text) - 1};
    struct lw_ledger *ledger = NULL;
    assert_int_equal(lw_ledger_new(&source, &faults, &ledger), LW_EPARSE);
    assert_int_equal(faults.n, 2);
    assert_int_equal(faults.fault[0].line, 2);
    assert_int_equal(faults.fault[1].line, 4);

    ledger = make("2026-10-01\n2026/1/1"); /* any order */
    assert_true(lw_ledger_is_holiday(ledger, lw_civil_day(2026, 1, 1)));
    assert_true(lw_ledger_is_holiday(ledger, lw_civil_day(2026, 10, 1)));
    assert_false(lw_ledger_is_holiday(ledger, lw_civil_day(2026, 10, 2)));
    lw_ledger_free(ledger);
}

static void
test_status(void **state)
{
    (void)state;
    struct lw_site site = {.status = LW_CLOSED, .status_since = {1000}};
    assert_int_equal(lw_site_status_at(&site, (lw_wall){999}), LW_STATUS_UNKNOWN);
    assert_int_equal(lw_site_status_at(&site, (lw_wall){1000}), LW_CLOSED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_holidays),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
