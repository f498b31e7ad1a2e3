/* What a meter says of itself: its serial number and its clock; and registers as people
 * see them. */
#include "unit.h"

#include <lodewatch/profile.h>

static void
test_serial(void **state)
{
    static const struct {
        const char *name;
        struct lw_register reg;
        uint8_t data[8];
        const char *want; /* NULL: none */
    } rows[] = {
        {"u16", {.type = LW_TYPE_U16}, {0x12, 0x34}, "4660"},
        {"u32", {.type = LW_TYPE_U32}, {0x12, 0x34, 0x56, 0x78}, "305419896"},
        {"u32, low word first",
         {.type = LW_TYPE_U32, .low_word_first = true},
         {0x56, 0x78, 0x12, 0x34},
         "305419896"},
        {"u64",
         {.type = LW_TYPE_U64},
         {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE},
         "18446744073709551614"},
        {"zeros", {.type = LW_TYPE_U32}, {0}, NULL},
        {"ones", {.type = LW_TYPE_U16}, {0xFF, 0xFF}, NULL},
        {"text", {.type = LW_TYPE_STRING, .length = 4}, "SN 123-7", "SN 123-7"},
        {"text and NULs", {.type = LW_TYPE_STRING, .length = 4}, "AB", "AB"},
        {"text and spaces", {.type = LW_TYPE_STRING, .length = 4}, "  A B   ", "A B"},
        {"bytes exchanged",
         {.type = LW_TYPE_STRING, .length = 4, .low_byte_first = true},
         "BADC6548",
         "ABCD5684"},
        {"spaces alone", {.type = LW_TYPE_STRING, .length = 4}, "        ", NULL},
        {"no text", {.type = LW_TYPE_STRING, .length = 4}, {0}, NULL},
        {"bytes that are no text",
         {.type = LW_TYPE_STRING, .length = 2},
         {'A', 0x80},
         NULL},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_profile p = {.serial = {.present = true, .reg = rows[i].reg}};
        char text[LW_SERIAL];
        uint8_t again[8] = {0};

        row(rows[i].name);
        check_int(lw_profile_serial(&p, rows[i].data, text),
                  rows[i].want ? 0 : LW_ENOTFOUND);
        if (!rows[i].want)
            continue;
        check_text(text, rows[i].want);
        lw_profile_put_serial(&p, text, again);
        check_int(lw_profile_serial(&p, again, text), 0);
        check_text(text, rows[i].want);
    }
}

/* 2025-03-13 02:31:07.250 in Shanghai. */
#define NOW ((lw_wall){INT64_C(1741804267250)})

static void
test_clock(void **state)
{
    static const struct {
        const char *name;
        enum lw_clock_format format;
        bool utc;
        uint8_t data[12];
        int rc;
        int64_t drift;
    } rows[] = {
        {"unix", LW_CLOCK_UNIX, true, {0x67, 0xD1, 0xD2, 0xEC}, 0, 750},
        {"unix that counts local time",
         LW_CLOCK_UNIX,
         false,
         {0x67, 0xD2, 0x43, 0x6B},
         0,
         -250},
        {"unix, not set", LW_CLOCK_UNIX, true, {0}, LW_EINVAL, 0},
        {"words",
         LW_CLOCK_WORDS,
         false,
         {0x07, 0xE9, 0, 3, 0, 13, 0, 2, 0, 31, 0, 9},
         0,
         1750},
        {"words, two digits of the year",
         LW_CLOCK_WORDS,
         false,
         {0, 25, 0, 3, 0, 13, 0, 2, 0, 30, 0, 7},
         0,
         -60250},
        {"words in UTC",
         LW_CLOCK_WORDS,
         true,
         {0, 25, 0, 3, 0, 12, 0, 18, 0, 31, 0, 7},
         0,
         -250},
        {"bytes", LW_CLOCK_BYTES, false, {25, 3, 13, 2, 31, 7}, 0, -250},
        {"a day off",
         LW_CLOCK_BYTES,
         false,
         {25, 3, 14, 2, 31, 7},
         0,
         24 * 3600 * 1000 - 250},
        {"IEC 870-5-4, with its weekday",
         LW_CLOCK_IEC870_5_4,
         false,
         {0, 25, 3, 4 << 5 | 13, 2, 31, 0x1C, 0x52},
         0,
         0},
        {"no such month", LW_CLOCK_BYTES, false, {25, 13, 13, 2, 31, 7}, LW_EINVAL, 0},
        {"no such day", LW_CLOCK_BYTES, false, {25, 2, 29, 2, 31, 7}, LW_EINVAL, 0},
        {"no such hour", LW_CLOCK_BYTES, false, {25, 3, 13, 24, 31, 7}, LW_EINVAL, 0},
        {"not set", LW_CLOCK_IEC870_5_4, false, {0}, LW_EINVAL, 0},
    };
    struct lw_zone *zone;
    (void)state;
    assert_int_equal(lw_zone_new_fixed(8 * 3600, &zone), 0);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_profile p = {.clock = {.present = true,
                                         .reg.type = LW_TYPE_U32,
                                         .format = rows[i].format,
                                         .utc = rows[i].utc}};
        uint8_t data[12];
        int64_t drift = 0;

        row(rows[i].name);
        check_int(lw_profile_drift(&p, rows[i].data, zone, NOW, &drift), rows[i].rc);
        check_int(drift, rows[i].drift);
        lw_profile_put_clock(&p, zone, NOW, data);
        check_int(lw_profile_drift(&p, data, zone, NOW, &drift), 0);
        assert_in_range(-drift, 0, 250);
    }
    lw_zone_free(zone);
}

static void
test_shown(void **state)
{
    static const struct {
        const char *name;
        struct lw_register reg;
        int exponent;
        uint8_t data[8];
        const char *want;
    } rows[] = {
        {"u16 x 0.01", {.type = LW_TYPE_U16, .scale = 0.01}, 0, {0x13, 0x89}, "50.01"},
        {"i16 with a scale factor",
         {.type = LW_TYPE_I16, .scale = 1},
         -2,
         {0xFF, 0x38},
         "-2"},
        {"f32", {.type = LW_TYPE_F32, .scale = 1}, 0, {0x43, 0x66, 0x19, 0x9A}, "230.1"},
        {"NaN", {.type = LW_TYPE_F32, .scale = 1}, 0, {0x7F, 0xC0, 0, 0}, "-"},
        {"not available",
         {.type = LW_TYPE_U16, .scale = 1, .nmissing = 2, .missing = {1, 0xFFFF}},
         0,
         {0xFF, 0xFF},
         "-"},
        {"bits", {.type = LW_TYPE_BITS16}, 0, {0x80, 0x05}, "0x8005 (bits 0, 2, 15)"},
        {"no bits", {.type = LW_TYPE_BITS32}, 0, {0}, "0x00000000"},
        {"text", {.type = LW_TYPE_STRING, .length = 3}, 0, "v1\0022", "v1?2"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char line[64];
        struct lw_text text;

        row(rows[i].name);
        lw_text_init(&text, line, sizeof line);
        lw_register_text(&rows[i].reg, rows[i].exponent, rows[i].data, &text);
        check_text(line, rows[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serial),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
