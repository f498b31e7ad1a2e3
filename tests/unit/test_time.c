/* Civil dates, times as text, and zones held against the system's own. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <lodewatch/time.h>

static struct lw_zone *
load_zone(const char *name)
{
    char path[256];
    uint8_t tzif[65536];
    struct lw_zone *zone = NULL;

    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("no %s", path);
    size_t n = fread(tzif, 1, sizeof(tzif), file);
    fclose(file);
    row(name);
    check_int(lw_zone_new(tzif, n, &zone), 0);
    return zone;
}

static void
test_floor(void **state)
{
    (void)state;
    check_int(lw_floor_to(17, 10), 10);
    check_int(lw_floor_to(20, 10), 20);
    check_int(lw_floor_to(-1, 10), -10);
    check_int(lw_floor_to(-20, 10), -20);
}

static void
test_every_day_there_is(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t day = -719162; /* 0001-01-01, a Monday */
    (void)state;
    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap);
            for (int mday = 1; mday <= length; mday++, day++) {
                struct lw_civil c = lw_civil_at((lw_wall){day * LW_DAY + 61001}, 0);
                if (lw_civil_day(year, month, mday) != day || c.day != day ||
                    c.year != year || c.month != month || c.mday != mday ||
                    c.weekday != (day + 719162) % 7 || c.minute != 1 || c.second != 1 ||
                    c.ms != 1)
                    fail_msg("%04d-%02d-%02d", year, month, mday);
            }
            assert_true(lw_civil_valid(year, month, length));
            assert_false(lw_civil_valid(year, month, length + 1));
        }
    }
    check_int((day - 1) * LW_DAY + LW_DAY - 1, LW_WALL_LAST);
    assert_false(lw_civil_valid(0, 1, 1));
    assert_false(lw_civil_valid(10000, 1, 1));
    assert_false(lw_civil_valid(2025, 0, 1));
    assert_false(lw_civil_valid(2025, 13, 1));
    assert_false(lw_civil_valid(2025, 1, 0));
}

static void
test_format(void **state)
{
    static const struct {
        const char *name;
        int64_t ms;
        int offset_s;
        const char *utc, *local;
    } rows[] = {
        {"epoch", 0, 28800, "1970-01-01T00:00:00Z", "1970-01-01T08:00:00+08:00"},
        {"before it", -1, 28800, "1969-12-31T23:59:59.999Z",
         "1970-01-01T07:59:59.999+08:00"},
        {"west", 1741804267000, -12600, "2025-03-12T18:31:07Z",
         "2025-03-12T15:01:07-03:30"},
        {"offset 0", 1741804267050, 0, "2025-03-12T18:31:07.050Z",
         "2025-03-12T18:31:07.050Z"},
        {"odd offset to the minute", 0, 29143, "1970-01-01T00:00:00Z",
         "1970-01-01T08:05:00+08:05"},
        {"odd offset, west", 0, -29143, "1970-01-01T00:00:00Z",
         "1969-12-31T15:55:00-08:05"},
        {"no time", INT64_MIN, 28800, "0001-01-01T00:00:00Z",
         "0001-01-01T08:00:00+08:00"},
        {"for ever", INT64_MAX, -3600, "9999-12-31T23:59:59.999Z",
         "9999-12-31T22:59:59.999-01:00"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[LW_TIME_TEXT];
        struct lw_zone *zone;
        row(rows[i].name);
        check_int(lw_zone_new_fixed(rows[i].offset_s, &zone), 0);
        lw_wall_format((lw_wall){rows[i].ms}, text);
        check_text(text, rows[i].utc);
        lw_wall_format_zone((lw_wall){rows[i].ms}, zone, text);
        check_text(text, rows[i].local);
        lw_zone_free(zone);
    }
}

static void
test_parse(void **state)
{
    static const struct {
        const char *text, *start,
            *end; /* NULL: not a time; end NULL: the same as start */
    } rows[] = {
        {"2025-03-12T18:31:07Z", "2025-03-12T18:31:07Z", NULL},
        {"2025-03-12t18:31:07z", "2025-03-12T18:31:07Z", NULL},
        {"2025-03-12T18:31:07.5+08:00", "2025-03-12T10:31:07.500Z", NULL},
        {"2025-03-12T18:31:07.05-00:30", "2025-03-12T19:01:07.050Z", NULL},
        {"2025-03-12T18:31:07.0019999999999Z", "2025-03-12T18:31:07.001Z", NULL},
        {"2025-03-12 18:31:07+08:00", "2025-03-12T10:31:07Z", NULL},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", NULL},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z", NULL},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", NULL},
        {"2025/3/12 8:00", "2025-03-12T00:00:00Z", NULL},
        {"2025/3/12 8:00:09", "2025-03-12T00:00:09Z", NULL},
        {"2025/03/12 08:00", "2025-03-12T00:00:00Z", NULL},
        {"2025-03-12 08:00", "2025-03-12T00:00:00Z", NULL},
        {"2025-03-12 08:00:09.25", "2025-03-12T00:00:09.250Z", NULL},
        {"2025-03-12T08:00:09", "2025-03-12T00:00:09Z", NULL},
        {"2024-02-29", "2024-02-28T16:00:00Z", "2024-02-29T16:00:00Z"},
        {"2025/3/12", "2025-03-11T16:00:00Z", "2025-03-12T16:00:00Z"},
        {"1986-05-04", "1986-05-03T16:00:00Z",
         "1986-05-04T15:00:00Z"}, /* summer time began */
        {"9999-12-31", "9999-12-30T16:00:00Z", "9999-12-31T16:00:00Z"},
        {"", NULL, NULL},
        {"2025", NULL, NULL},
        {"2025-03", NULL, NULL},
        {"2025-02-29", NULL, NULL},
        {"2025-13-01", NULL, NULL},
        {"2025-00-01", NULL, NULL},
        {"2025-03-00", NULL, NULL},
        {"0000-01-01", NULL, NULL},
        {"25-03-12", NULL, NULL},
        {"20250312", NULL, NULL},
        {"2025.3.12", NULL, NULL},
        {"2025-03/12", NULL, NULL},
        {"2025-03-12T", NULL, NULL},
        {"2025-03-12 ", NULL, NULL},
        {"2025-03-12  08:00", NULL, NULL},
        {" 2025-03-12", NULL, NULL},
        {"2025-03-12T24:00:00Z", NULL, NULL},
        {"2025-03-12T23:60:00Z", NULL, NULL},
        {"2025-03-12T23:59:61Z", NULL, NULL},
        {"2025-03-12T23:59:9Z", NULL, NULL},
        {"2025-03-12T23:59:59.Z", NULL, NULL},
        {"2025-03-12T18:31:07+0800", NULL, NULL},
        {"2025-03-12T18:31:07+8:00", NULL, NULL},
        {"2025-03-12T18:31:07+24:00", NULL, NULL},
        {"2025-03-12T18:31:07+08:60", NULL, NULL},
        {"2025-03-12T18:31:07ZZ", NULL, NULL},
        {"2025-03-12T18:31:07 Z", NULL, NULL},
        {"2025-03-12T18", NULL, NULL},
        {"2025-03-12Z", NULL, NULL},
        {"0001-01-01T00:00:00+08:00", NULL, NULL}, /* before the first there is */
        {"9999-12-31T23:59:59-01:00", NULL, NULL},
        {"1.4E+12", NULL, NULL},
        {"45728.33", NULL, NULL}, /* a spreadsheet's day number */
    };
    struct lw_zone *zone = load_zone("Asia/Shanghai");
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        size_t n = strlen(rows[i].text);
        char text[LW_TIME_TEXT];
        row(rows[i].text);
        for (int end = 0; end <= 1; end++) {
            const char *want = end && rows[i].end != NULL ? rows[i].end : rows[i].start;
            lw_wall t = {-7};
            int rc = lw_wall_parse(rows[i].text, n, zone,
                                   end ? LW_DATE_END : LW_DATE_START, &t);
            check_int(rc, want == NULL ? LW_EINVAL : 0);
            lw_wall_format(t, text);
            if (want != NULL)
                check_text(text, want);
            else
                check_int(t.ms, -7);
        }
    }
    lw_zone_free(zone);

    static const char *const local[] = {"2025-03-12", "2025-03-12T18:31:07"};
    for (size_t i = 0; i < LENGTH(local); i++) {
        lw_wall t;
        row("local time without a zone");
        check_int(lw_wall_parse(local[i], strlen(local[i]), NULL, LW_DATE_START, &t),
                  LW_EINVAL);
    }
}

static void
test_zone_moments(void **state)
{
    static const struct {
        const char *zone, *utc, *local;
    } rows[] = {
        {"UTC", "2025-03-12T18:31:07Z", "2025-03-12T18:31:07Z"},
        {"Asia/Shanghai", "1890-01-01T00:00:00Z", "1890-01-01T08:05:00+08:05"},
        {"Asia/Shanghai", "1986-05-03T17:59:59Z", "1986-05-04T01:59:59+08:00"},
        {"Asia/Shanghai", "1986-05-03T18:00:00Z", "1986-05-04T03:00:00+09:00"},
        {"Asia/Shanghai", "1991-09-14T16:59:59Z", "1991-09-15T01:59:59+09:00"},
        {"Asia/Shanghai", "1991-09-14T17:00:00Z", "1991-09-15T01:00:00+08:00"},
        {"Asia/Shanghai", "2025-03-12T18:31:07Z", "2025-03-13T02:31:07+08:00"},
        {"Asia/Shanghai", "2125-07-01T00:00:00Z", "2125-07-01T08:00:00+08:00"},
        {"Europe/Berlin", "2050-03-27T00:59:59Z", "2050-03-27T01:59:59+01:00"},
        {"Europe/Berlin", "2050-03-27T01:00:00Z", "2050-03-27T03:00:00+02:00"},
        {"Europe/Berlin", "2050-10-30T00:59:59Z", "2050-10-30T02:59:59+02:00"},
        {"Europe/Berlin", "2050-10-30T01:00:00Z", "2050-10-30T02:00:00+01:00"},
        {"Australia/Sydney", "2050-01-01T00:00:00Z", "2050-01-01T11:00:00+11:00"},
        {"Asia/Kathmandu", "2050-01-01T00:00:00Z", "2050-01-01T05:45:00+05:45"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_zone *zone = load_zone(rows[i].zone);
        char text[LW_TIME_TEXT];
        lw_wall t;
        row(rows[i].local);
        check_int(
            lw_wall_parse(rows[i].utc, strlen(rows[i].utc), zone, LW_DATE_START, &t), 0);
        lw_wall_format_zone(t, zone, text);
        check_text(text, rows[i].local);
        lw_zone_free(zone);
    }
}

static void
test_zone_walls(void **state)
{
    static const struct {
        const char *zone, *local, *utc;
    } rows[] = {
        {"Asia/Shanghai", "2025-03-13 02:31:07", "2025-03-12T18:31:07Z"},
        {"Asia/Shanghai", "1986-05-04 02:30", "1986-05-03T18:00:00Z"}, /* skipped */
        {"Asia/Shanghai", "1991-09-15 01:30", "1991-09-14T16:30:00Z"}, /* twice */
        {"Europe/Berlin", "2050-03-27 02:00", "2050-03-27T01:00:00Z"},
        {"Europe/Berlin", "2050-03-27 02:59:59", "2050-03-27T01:00:00Z"},
        {"Europe/Berlin", "2050-03-27 03:00", "2050-03-27T01:00:00Z"},
        {"Europe/Berlin", "2050-10-30 02:30", "2050-10-30T00:30:00Z"},
        {"Europe/Berlin", "2050-10-30 03:00", "2050-10-30T02:00:00Z"},
        {"Pacific/Apia", "2011-12-30 12:00", "2011-12-30T10:00:00Z"}, /* a day left out */
        {"Africa/Cairo", "2050-04-29", "2050-04-28T22:00:00Z"},       /* no midnight */
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_zone *zone = load_zone(rows[i].zone);
        char text[LW_TIME_TEXT];
        lw_wall t;
        row(rows[i].local);
        check_int(
            lw_wall_parse(rows[i].local, strlen(rows[i].local), zone, LW_DATE_START, &t),
            0);
        lw_wall_format(t, text);
        check_text(text, rows[i].utc);
        lw_zone_free(zone);
    }
}

/* Every few hours of two centuries, as the C library has them. */
static void
test_zones_agree_with_the_system(void **state)
{
    static const char *const zones[] = {
        "Asia/Shanghai",     "Europe/Berlin", "UTC",          "Australia/Sydney",
        "Africa/Casablanca", "Europe/Dublin", "America/Nuuk", "Antarctica/Troll"};
    (void)state;
    for (size_t i = 0; i < LENGTH(zones); i++) {
        struct lw_zone *zone = load_zone(zones[i]);
        setenv("TZ", zones[i], 1);
        tzset();
        for (time_t t = -2500000000; t < 4500000000; t += 40009) {
            struct tm tm;
            struct lw_civil c = lw_zone_civil(zone, (lw_wall){t * LW_SECOND});
            assert_non_null(localtime_r(&t, &tm));
            if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 ||
                c.mday != tm.tm_mday || c.minute != tm.tm_hour * 60 + tm.tm_min ||
                c.second != tm.tm_sec || c.offset_s != tm.tm_gmtoff)
                fail_msg("%s at %lld", zones[i], (long long)t);
            /* and back: the same moment, or an earlier one that clocks show the same */
            lw_wall back =
                lw_zone_wall(zone, c.day, c.minute * LW_MINUTE + c.second * LW_SECOND);
            struct lw_civil again = lw_zone_civil(zone, back);
            if (back.ms > t * LW_SECOND || again.day != c.day || again.minute != c.minute)
                fail_msg("%s back to %lld", zones[i], (long long)t);
        }
        lw_zone_free(zone);
    }
    unsetenv("TZ");
    tzset();
}

/* A TZif file of version 2 without transitions, with the footer in hand. */
static size_t
make_tzif(uint8_t file[256], const char *footer)
{
    static const uint8_t head[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 4};
    static const uint8_t type[10] = {0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0};
    size_t n = 0;

    for (int block = 0; block < 2; block++) {
        memcpy(file + n, head, sizeof(head));
        memcpy(file + n + sizeof(head), type, sizeof(type));
        n += sizeof(head) + sizeof(type);
    }
    memcpy(file + n, footer, strlen(footer));
    return n + strlen(footer);
}

static void
test_footers(void **state)
{
    static const struct {
        const char *footer;
        const char *utc;
        const char *local; /* NULL: not a footer */
    } rows[] = {
        {"\n\n", "2025-07-01T00:00:00Z", "2025-07-01T00:00:00Z"},
        {"\nCST-8\n", "2025-07-01T00:00:00Z", "2025-07-01T08:00:00+08:00"},
        {"\n<+0330>-3:30\n", "2025-07-01T00:00:00Z", "2025-07-01T03:30:00+03:30"},
        {"\nXXX3EDT4,0/0,J365/23\n", "2025-07-01T00:00:00Z", "2025-06-30T20:00:00-04:00"},
        {"\nXXX3EDT4,0/0,J365/23\n", "2024-12-31T23:59:59Z", "2024-12-31T19:59:59-04:00"},
        {"\nAAA0BBB,J60/0,J61/0\n", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"},
        {"\nAAA0BBB,J60/0,J61/0\n", "2024-03-01T00:00:00Z", "2024-03-01T01:00:00+01:00"},
        {"\nAAA0BBB,59/0,60/0\n", "2024-02-29T00:00:00Z", "2024-02-29T01:00:00+01:00"},
        {"\nAAA0BBB,M2.5.4/0,M3.1.5/0\n", "2024-02-29T00:00:00Z",
         "2024-02-29T01:00:00+01:00"},
        {"\nAAA0BBB,M2.5.5/0,M3.1.5/0\n", "2024-02-22T23:59:59Z", "2024-02-22T23:59:59Z"},
        {"\nAAA0BBB,M2.5.5/0,M3.1.5/0\n", "2024-02-23T00:00:00Z",
         "2024-02-23T01:00:00+01:00"},
        {"", NULL, NULL},
        {"\nCST-8", NULL, NULL},
        {"CST-8\n", NULL, NULL},
        {"\nCST\n", NULL, NULL},
        {"\n-8\n", NULL, NULL},
        {"\nCST-25\n", NULL, NULL},
        {"\nCST-8x\n", NULL, NULL},
        {"\n<+08-8\n", NULL, NULL},
        {"\nAAA0BBB\n", NULL, NULL},
        {"\nAAA-23BBB,J1,J2\n", NULL, NULL}, /* an hour later than that is a day */
        {"\nAAA0BBB,M3.2.0\n", NULL, NULL},
        {"\nAAA0BBB,M13.2.0,M11.1.0\n", NULL, NULL},
        {"\nAAA0BBB,M3.6.0,M11.1.0\n", NULL, NULL},
        {"\nAAA0BBB,M3.2.7,M11.1.0\n", NULL, NULL},
        {"\nAAA0BBB,J0,J365\n", NULL, NULL},
        {"\nAAA0BBB,366,0\n", NULL, NULL},
        {"\nAAA0BBB,0/168,1\n", NULL, NULL},
        {"\nAAA99999999999999999999\n", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        uint8_t file[256];
        struct lw_zone *zone = NULL;
        char text[LW_TIME_TEXT];
        lw_wall t;
        row(rows[i].footer);
        int rc = lw_zone_new(file, make_tzif(file, rows[i].footer), &zone);
        check_int(rc, rows[i].local == NULL ? LW_EPARSE : 0);
        if (rc != 0)
            continue;
        check_int(
            lw_wall_parse(rows[i].utc, strlen(rows[i].utc), zone, LW_DATE_START, &t), 0);
        lw_wall_format_zone(t, zone, text);
        check_text(text, rows[i].local);
        lw_zone_free(zone);
    }
}

static void
test_broken_files_are_refused(void **state)
{
    uint8_t file[256];
    size_t n = make_tzif(file, "\nCST-8\n");
    struct lw_zone *zone = NULL;
    static const struct {
        const char *name;
        size_t at;
        uint8_t byte;
    } rows[] = {
        {"magic", 0, 'X'},         {"no types", 39, 0},
        {"many types", 37, 1},     {"leap seconds", 31, 1},
        {"transitions", 33, 0xFF}, {"second header", 54, 'X'},
        {"offset", 54 + 44, 8},    {"second block's size", 54 + 35, 9},
    };
    (void)state;
    for (size_t cut = 0; cut < n; cut++)
        check_int(lw_zone_new(file, cut, &zone), LW_EPARSE);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        uint8_t broken[256];
        memcpy(broken, file, n);
        broken[rows[i].at] = rows[i].byte;
        row(rows[i].name);
        check_int(lw_zone_new(broken, n, &zone), LW_EPARSE);
    }
    assert_null(zone);
    check_int(lw_zone_new_fixed(86400, &zone), LW_EINVAL);
    lw_zone_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_every_day_there_is),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_zone_moments),
        cmocka_unit_test(test_zone_walls),
        cmocka_unit_test(test_zones_agree_with_the_system),
        cmocka_unit_test(test_footers),
        cmocka_unit_test(test_broken_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
