/* The shipped profiles: every value that a device can show comes back as it was, and
 * registers as the vendors' manuals have them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lodewatch/profile.h>

static const struct lw_read_limits whole = {.max_gap = 125};

static struct lw_profile *
shipped(const char *file)
{
    static struct lw_faults faults;
    static char text[LW_PROFILE_BYTES];
    char path[128];
    struct lw_profile *profile = NULL;

    snprintf(path, sizeof path, "etc/profiles/%s", file);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    faults.n = faults.kept = 0;
    if (lw_profile_new(path, text, n, &faults, &profile) < 0)
        fail_msg("%s:%u:%u: %s", path, faults.fault[0].line, faults.fault[0].column,
                 faults.fault[0].text);
    return profile;
}

/* xorshift64*: the same readings in every run. */
static uint64_t
draw(uint64_t *s)
{
    *s ^= *s >> 12;
    *s ^= *s << 25;
    *s ^= *s >> 27;
    return *s * UINT64_C(2685821657736338717);
}

static int64_t
draw_between(uint64_t *s, int64_t min, int64_t max)
{
    return min + (int64_t)(draw(s) % (uint64_t)(max - min + 1));
}

/* The ends of what the register, and the quantity, can hold. */
static void
ends_of(const struct lw_register *reg, int64_t *ret_min, int64_t *ret_max)
{
    const struct lw_quantity_info *info = lw_quantity_info(reg->quantity);
    double per_raw = reg->scale * (double)info->per_unit;
    bool sign = reg->type == LW_TYPE_I16 || reg->type == LW_TYPE_I32 ||
                reg->type == LW_TYPE_I64 || reg->type >= LW_TYPE_F32;
    int bits = 16 * lw_register_words(reg) - sign;

    *ret_min = info->min;
    *ret_max = info->max;
    if (reg->has_range) {
        *ret_min = (int64_t)(reg->min * (double)info->per_unit);
        *ret_max = (int64_t)(reg->max * (double)info->per_unit);
    }
    if (reg->type < LW_TYPE_U64 && ldexp(per_raw, bits) < (double)*ret_max) {
        *ret_max = (int64_t)(per_raw * (ldexp(1, bits) - 2));
        *ret_min = info->min < 0 ? -*ret_max : 0;
    }
    if (!sign)
        *ret_min = 0;
}

/* How far off a value may come back: half a step of a whole number, a float's digits. */
static int64_t
may_differ(const struct lw_register *reg, int64_t value)
{
    double per_raw = reg->scale * (double)lw_quantity_info(reg->quantity)->per_unit;
    if (reg->type == LW_TYPE_F32 || reg->type == LW_TYPE_F32_4Q)
        return 1 + llabs(value) / 10000000;
    return (int64_t)(per_raw / 2);
}

static void
round_trip(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t blocks;
    } files[] = {
        {"generic.json", 1},        {"weather.json", 1},
        {"eastron-sdm630.json", 2}, {"eastron-sdm120.json", 2},
        {"abb-b23.json", 2},        {"schneider-iem3000.json", 2},
        {"chint-dtsu666.json", 2},  {"acrel-dtsd1352.json", 3},
        {"janitza-b23.json", 1},
    };
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        struct lw_profile *profile = shipped(files[f].file);
        struct lw_read_block blocks[LW_READ_BLOCKS];
        uint64_t seed = 7;
        print_message("  %s\n", files[f].file);
        size_t n = lw_profile_blocks(profile, LW_POLL_FAST, &whole, blocks);
        assert_int_equal(n, files[f].blocks);
        for (int i = 0; i < 2000; i++) {
            struct lw_reading r = {0}, back = {0};
            for (size_t k = 0; k < profile->nregs; k++) {
                enum lw_quantity q = profile->reg[k].quantity;
                int64_t min, max;
                ends_of(&profile->reg[k], &min, &max);
                if (profile->reg[k].nmissing > 0 && draw(&seed) % 8 == 0)
                    continue;
                r.have = (uint16_t)(r.have | 1u << q);
                r.value[q] = draw_between(&seed, min, max);
            }
            for (size_t b = 0; b < n; b++) {
                uint8_t data[2 * 125];
                lw_profile_encode(profile, &blocks[b], &r, 1000, 1000, data);
                assert_int_equal(
                    lw_profile_decode(profile, &blocks[b], data, 1000, 1000, &back), 0);
            }
            assert_int_equal(back.have, r.have);
            for (size_t k = 0; k < profile->nregs; k++) {
                enum lw_quantity q = profile->reg[k].quantity;
                int64_t may = may_differ(&profile->reg[k], r.value[q]);
                if (lw_reading_has(&r, q))
                    assert_in_range(back.value[q] - r.value[q] + may, 0, 2 * may);
            }
        }
        lw_profile_free(profile);
    }
}

/* Registers as the vendors' manuals have them, by hand. */
static void
shipped_maps(void **state)
{
    (void)state;
    static const struct {
        const char *name, *file;
        enum lw_quantity quantity;
        uint16_t address;
        uint8_t data[8];
        int64_t ct_milli;
        int64_t want;
    } maps[] = {
        {"SDM630 import",
         "eastron-sdm630.json",
         LW_IMPORT,
         0x48,
         {0x44, 0x9A, 0x52, 0x2B},
         1000,
         1234568},
        {"SDM120 power",
         "eastron-sdm120.json",
         LW_ACTIVE_POWER,
         0x0C,
         {0x44, 0x7A, 0, 0},
         1000,
         1000},
        {"iEM3000 import",
         "schneider-iem3000.json",
         LW_IMPORT,
         0x0C83,
         {0, 0, 0, 0, 0, 0x12, 0xD6, 0x87},
         1000,
         1234567},
        {"iEM3000 inductive",
         "schneider-iem3000.json",
         LW_POWER_FACTOR,
         0x0C0B,
         {0x3F, 0x66, 0x66, 0x66},
         1000,
         900},
        {"iEM3000 capacitive",
         "schneider-iem3000.json",
         LW_POWER_FACTOR,
         0x0C0B,
         {0x3F, 0x8C, 0xCC, 0xCD},
         1000,
         900},
        {"iEM3000 capacitive, export",
         "schneider-iem3000.json",
         LW_POWER_FACTOR,
         0x0C0B,
         {0xBF, 0x8C, 0xCC, 0xCD},
         1000,
         -900},
        {"B23 import",
         "abb-b23.json",
         LW_IMPORT,
         0x5000,
         {0, 0, 0, 0, 0, 1, 0xE2, 0x40},
         1000,
         1234560},
        {"B23 power",
         "abb-b23.json",
         LW_ACTIVE_POWER,
         0x5B14,
         {0xFF, 0xFE, 0x79, 0x60},
         1000,
         -1000},
        {"DTSU666 voltage",
         "chint-dtsu666.json",
         LW_VOLTAGE_A,
         0x2006,
         {0x45, 0x10, 0x10, 0},
         1000,
         2305},
        {"DTSU666 import behind 80:1",
         "chint-dtsu666.json",
         LW_IMPORT,
         0x101E,
         {0x42, 0xF6, 0, 0},
         80000,
         9840000},
        {"DTSD1352 import behind 80:1",
         "acrel-dtsd1352.json",
         LW_IMPORT,
         0x0A,
         {0, 0, 0x30, 0x39},
         80000,
         9876000},
        {"Janitza import",
         "janitza-b23.json",
         LW_IMPORT,
         0x4A7C,
         {0x49, 0x96, 0xB4, 0x38},
         1000,
         1234567},
    };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        struct lw_profile *profile = shipped(maps[i].file);
        struct lw_reading r = {0};
        size_t k = 0;
        print_message("  %s\n", maps[i].name);
        while (k < profile->nregs && profile->reg[k].quantity != maps[i].quantity)
            k++;
        assert_true(k < profile->nregs);
        assert_int_equal(profile->reg[k].address, maps[i].address);
        struct lw_read_block block = {.function = profile->reg[k].function,
                                      .address = maps[i].address,
                                      .count = lw_register_words(&profile->reg[k]),
                                      .regs = UINT64_C(1) << k};
        assert_int_equal(
            lw_profile_decode(profile, &block, maps[i].data, maps[i].ct_milli, 1000, &r),
            0);
        assert_int_equal(r.value[maps[i].quantity], maps[i].want);
        lw_profile_free(profile);
    }
}

/* Eleven kW at 231 V, as a SunSpec 203 shows them. */
static void
sunspec_map(void **state)
{
    (void)state;
    static const struct lw_reading r = {.have = 1u << LW_ACTIVE_POWER | 1u << LW_IMPORT |
                                                1u << LW_VOLTAGE_B | 1u << LW_CURRENT_C |
                                                1u << LW_POWER_FACTOR,
                                        .value = {[LW_ACTIVE_POWER] = -11040,
                                                  [LW_IMPORT] = 123456789,
                                                  [LW_VOLTAGE_B] = 2312,
                                                  [LW_CURRENT_C] = 15930,
                                                  [LW_POWER_FACTOR] = 980}};
    struct lw_profile *profile = shipped("sunspec-203.json");
    struct lw_read_block blocks[LW_READ_BLOCKS];
    struct lw_reading back = {0};
    uint8_t data[2 * 125];

    assert_int_equal(profile->sunspec, 203);
    assert_int_equal(lw_profile_blocks(profile, LW_POLL_FAST, &whole, blocks), 1);
    assert_int_equal(blocks[0].address, 3);
    assert_int_equal(blocks[0].count, 52);
    lw_profile_encode(profile, blocks, &r, 1000, 1000, data);
    assert_int_equal(lw_profile_decode(profile, blocks, data, 1000, 1000, &back), 0);
    assert_int_equal(back.have, r.have);
    for (enum lw_quantity q = 0; q < LW_QUANTITIES; q++)
        if (lw_reading_has(&r, q))
            assert_int_equal(back.value[q], r.value[q]);
    lw_profile_free(profile);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(shipped_maps),
        cmocka_unit_test(sunspec_map),
    };
    return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
