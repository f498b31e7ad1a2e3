/* Text that never overruns, decimals without floating point, faults, result codes. */
#include "unit.h"

#include <string.h>

#include <lodewatch/fault.h>
#include <lodewatch/result.h>
#include <lodewatch/text.h>

static void
test_add_cuts_whole_characters(void **state)
{
    static const struct {
        const char *name;
        size_t cap;
        const char *first, *second, *want;
        bool cut;
    } rows[] = {
        {"fits", 8, "abc", "defg", "abcdefg", false},
        {"fits with nothing to spare", 4, "abc", "", "abc", false},
        {"one byte too many", 7, "abc", "defg", "abcdef", true},
        {"room for nothing", 1, "abc", "", "", true},
        {"nothing follows a cut", 3, "abc", "d", "ab", true},
        {"half a character", 6, "ab", "煤矿", "ab煤", true},
        {"a third of a character", 4, "ab", "矿", "ab", true},
        {"whole character at the end", 6, "ab", "矿", "ab矿", false},
        {"four-byte character", 6, "ab", "𠮷", "ab", true},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        for (int formatted = 0; formatted <= 1; formatted++) {
            char buf[16];
            struct lw_text t;
            memset(buf, '#', sizeof(buf));
            lw_text_init(&t, buf, rows[i].cap);
            if (formatted) {
                lw_text_addf(&t, "%s", rows[i].first);
                lw_text_addf(&t, "%s", rows[i].second);
            } else {
                lw_text_add(&t, rows[i].first);
                lw_text_add(&t, rows[i].second);
            }
            row(rows[i].name);
            check_text(buf, rows[i].want);
            check_int(t.len, strlen(rows[i].want));
            check_int(t.cut, rows[i].cut);
            check_int(buf[rows[i].cap], '#');
        }
    }
}

static void
test_decimal_is_written(void **state)
{
    static const struct {
        const char *name;
        int64_t value, per_unit;
        int decimals;
        const char *want;
    } rows[] = {
        {"rounds down", 86149, 1000, 1, "86.1"},
        {"half goes up", 86150, 1000, 1, "86.2"},
        {"half goes away from zero", -86150, 1000, 1, "-86.2"},
        {"carries over", 999950, 1000, 1, "1000.0"},
        {"no decimals", 1500, 1000, 0, "2"},
        {"all decimals", 5, 1000, 3, "0.005"},
        {"more decimals than there are", 25, 10, 3, "2.500"},
        {"whole unit with decimals", 7, 1, 2, "7.00"},
        {"no negative zero", -4, 1000, 1, "0.0"},
        {"largest", INT64_MAX, 1000, 3, "9223372036854775.807"},
        {"smallest", INT64_MIN, 1, 0, "-9223372036854775808"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char buf[64];
        struct lw_text t;
        lw_text_init(&t, buf, sizeof(buf));
        lw_text_add_decimal(&t, rows[i].value, rows[i].per_unit, rows[i].decimals);
        row(rows[i].name);
        check_text(buf, rows[i].want);
    }
}

static void
test_decimal_is_read(void **state)
{
    static const struct {
        const char *text;
        int64_t per_unit;
        int rc;
        int64_t want;
    } rows[] = {
        {"0", 1000, 0, 0},
        {"12.34", 1000, 0, 12340},
        {"-12.34", 1000, 0, -12340},
        {"+5", 10, 0, 50},
        {".5", 10, 0, 5},
        {"5.", 10, 0, 50},
        {"007.10", 10, 0, 71},
        {"0.0005", 1000, 0, 1},
        {"0.00049999", 1000, 0, 0},
        {"-0.0005", 1000, 0, -1},
        {"1.99951", 1000, 0, 2000},
        {"2.5", 1, 0, 3},
        {"275615.900000000000000000000000000000", 1000, 0, 275615900},
        {"9223372036854775.807", 1000, 0, INT64_MAX},
        {"9223372036854775.8075", 1000, LW_ERANGE, 0},
        {"9223372036854775808", 1, LW_ERANGE, 0},
        {"99999999999999999999999", 1, LW_ERANGE, 0},
        {"99999999999999999999999x", 1, LW_EINVAL, 0},
        {"", 1, LW_EINVAL, 0},
        {"-", 1, LW_EINVAL, 0},
        {".", 1, LW_EINVAL, 0},
        {"1e3", 1, LW_EINVAL, 0},
        {"nan", 1, LW_EINVAL, 0},
        {"inf", 1, LW_EINVAL, 0},
        {"0x10", 1, LW_EINVAL, 0},
        {"1,5", 10, LW_EINVAL, 0},
        {"1.2.3", 10, LW_EINVAL, 0},
        {" 1", 1, LW_EINVAL, 0},
        {"1 ", 1, LW_EINVAL, 0},
        {"--1", 1, LW_EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int64_t value = 0;
        int rc = lw_decimal_parse(rows[i].text, strlen(rows[i].text), rows[i].per_unit,
                                  &value);
        row(rows[i].text);
        check_int(rc, rows[i].rc);
        check_int(value, rows[i].want);
    }
}

static void
test_decimal_round_trip(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        int64_t value = (int64_t)random >> (random % 50), back;
        char buf[64];
        struct lw_text t;
        lw_text_init(&t, buf, sizeof(buf));
        lw_text_add_decimal(&t, value, 1000, 3);
        check_int(lw_decimal_parse(buf, t.len, 1000, &back), 0);
        check_int(back, value);
    }
}

static void
test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        size_t want;
    } rows[] = {
        {"", "", 0},
        {"meter_id", "meter_id", 0},
        {"meterid", "meter_id", 1},
        {"import_kw", "import_kwh", 1},
        {"improt", "import", 2},
        {"", "abc", 3},
        {"kitten", "sitting", 3},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *a = rows[i].a, *b = rows[i].b;
        row(a);
        check_int(lw_text_distance(a, strlen(a), b, strlen(b)), rows[i].want);
        check_int(lw_text_distance(b, strlen(b), a, strlen(a)), rows[i].want);
    }
}

static void
test_faults_are_bounded(void **state)
{
    static struct lw_faults faults;
    (void)state;
    for (uint32_t i = 1; i <= LW_FAULTS_KEPT + 5; i++)
        lw_fault_add(&faults, "sites.csv", i, 2, "no area \"%s\"", "A9");
    check_int(faults.n, LW_FAULTS_KEPT + 5);
    check_int(faults.kept, LW_FAULTS_KEPT);
    check_text(faults.fault[99].file, "sites.csv");
    check_int(faults.fault[99].line, 100);
    check_int(faults.fault[99].column, 2);
    check_text(faults.fault[99].text, "no area \"A9\"");
}

static void
test_every_result_has_words(void **state)
{
    (void)state;
    for (int rc = LW_EDENIED; rc <= 0; rc++) {
        assert_non_null(lw_result_text(rc));
        assert_string_not_equal(lw_result_text(rc), lw_result_text(1));
    }
    check_text(lw_result_text(LW_EDENIED - 1), lw_result_text(1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_cuts_whole_characters),
        cmocka_unit_test(test_decimal_is_written),
        cmocka_unit_test(test_decimal_is_read),
        cmocka_unit_test(test_decimal_round_trip),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_faults_are_bounded),
        cmocka_unit_test(test_every_result_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
