/* Registers to stored units and back: cases by hand, then every shipped profile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lodewatch/profile.h>

#define NOTHING INT64_MIN /* the value is left out */
#define WH(s)   .quantity = LW_IMPORT, .function = 3, .scale = (s)
#define W(s)    .quantity = LW_ACTIVE_POWER, .function = 3, .scale = (s)
#define V(s)    .quantity = LW_VOLTAGE_A, .function = 3, .scale = (s)

static const struct lw_read_limits whole = {.max_gap = 125};

struct row {
    const char *name;
    struct lw_register reg;
    int64_t ct_milli, pt_milli;
    uint8_t data[8];
    int64_t want;
    int impossible;
};

static const struct row rows[] = {
    {"u16", {V(1), .type = LW_TYPE_U16}, 1000, 1000, {0, 231}, 2310, 0},
    {"i16 negative", {W(0.001), .type = LW_TYPE_I16}, 1000, 1000, {0xFF, 0xFE}, -2, 0},
    {"u32 over 2^31",
     {WH(0.001), .type = LW_TYPE_U32},
     1000,
     1000,
     {0xFF, 0xFF, 0xFF, 0xFE},
     4294967294,
     0},
    {"i32 negative",
     {W(0.001), .type = LW_TYPE_I32},
     1000,
     1000,
     {0xFF, 0xFF, 0xFC, 0x18},
     -1000,
     0},
    {"low word first",
     {WH(0.001), .type = LW_TYPE_U32, .low_word_first = true},
     1000,
     1000,
     {0x56, 0x78, 0x12, 0x34},
     0x12345678,
     0},
    {"low byte first",
     {WH(0.001), .type = LW_TYPE_U32, .low_byte_first = true},
     1000,
     1000,
     {0x34, 0x12, 0x78, 0x56},
     0x12345678,
     0},
    {"both low first",
     {WH(0.001), .type = LW_TYPE_U32, .low_word_first = true, .low_byte_first = true},
     1000,
     1000,
     {0x78, 0x56, 0x34, 0x12},
     0x12345678,
     0},
    {"f32 230.5",
     {V(1), .type = LW_TYPE_F32},
     1000,
     1000,
     {0x43, 0x66, 0x80, 0},
     2305,
     0},
    {"f64 -1.5 kW", {W(1), .type = LW_TYPE_F64}, 1000, 1000, {0xBF, 0xF8}, -1500, 0},
    {"half a stored unit rounds away from zero",
     {V(0.05), .type = LW_TYPE_I16},
     1000,
     1000,
     {0, 1},
     1,
     0},
    {"negative half too",
     {W(0.0005), .type = LW_TYPE_I16},
     1000,
     1000,
     {0xFF, 0xFF},
     -1,
     0},
    {"0.01 kWh steps",
     {WH(0.01), .type = LW_TYPE_U64},
     1000,
     1000,
     {0, 0, 0, 0, 0, 0, 0x30, 0x39},
     123450,
     0},
    {"a counter that a double cannot hold",
     {WH(0.0001), .type = LW_TYPE_I64},
     1000,
     1000,
     {0, 0x20, 0, 0, 0, 0, 0, 5},
     900719925474100,
     0},
    {"CT 40",
     {WH(0.001), .type = LW_TYPE_U32, .apply_ct = true},
     40000,
     10000,
     {0, 0, 0, 3},
     120,
     0},
    {"CT 7.5 x PT 100",
     {W(0.001), .type = LW_TYPE_I16, .apply_ct = true, .apply_pt = true},
     7500,
     100000,
     {0, 3},
     2250,
     0},
    {"PT on a float",
     {V(1), .type = LW_TYPE_F32, .apply_pt = true},
     1000,
     100000,
     {0x42, 0x66, 0x80, 0},
     57625,
     0},
    {"negative scale", {W(-0.001), .type = LW_TYPE_I16}, 1000, 1000, {0, 9}, -9, 0},
    {"offset",
     {.quantity = LW_TEMPERATURE,
      .function = 3,
      .scale = 0.1,
      .offset = -40,
      .type = LW_TYPE_U16},
     1000,
     1000,
     {0x01, 0xF4},
     10000,
     0},
    {"scale by a third", {W(1.0 / 3), .type = LW_TYPE_U16}, 1000, 1000, {0, 3}, 1000, 0},

    {"not available",
     {WH(0.001), .type = LW_TYPE_U32, .nmissing = 1, .missing = {0xFFFFFFFF}},
     1000,
     1000,
     {0xFF, 0xFF, 0xFF, 0xFF},
     NOTHING,
     0},
    {"not available as NaN",
     {V(1), .type = LW_TYPE_F32, .nmissing = 1, .missing = {0xFFC00000}},
     1000,
     1000,
     {0xFF, 0xC0, 0, 0},
     NOTHING,
     0},
    {"NaN", {V(1), .type = LW_TYPE_F32}, 1000, 1000, {0x7F, 0xC0, 0, 0}, NOTHING, 1},
    {"infinity", {V(1), .type = LW_TYPE_F32}, 1000, 1000, {0x7F, 0x80, 0, 0}, NOTHING, 1},
    {"f32 over the unit",
     {WH(1), .type = LW_TYPE_F32},
     1000,
     1000,
     {0x7F, 0x7F, 0xFF, 0xFF},
     NOTHING,
     1},
    {"f64 over int64",
     {WH(1), .type = LW_TYPE_F64},
     1000,
     1000,
     {0x7F, 0xEF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
     NOTHING,
     1},
    {"u64 over int64",
     {WH(1e6), .type = LW_TYPE_U64},
     1000,
     1000,
     {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
     NOTHING,
     1},
    {"u64 over int64 times CT",
     {WH(1e9), .type = LW_TYPE_U64, .apply_ct = true, .apply_pt = true},
     10000000000,
     10000000000,
     {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
     NOTHING,
     1},
    {"energy below zero",
     {WH(0.001), .type = LW_TYPE_I32},
     1000,
     1000,
     {0xFF, 0xFF, 0xFF, 0xFF},
     NOTHING,
     1},
    {"power factor over 1",
     {.quantity = LW_POWER_FACTOR, .function = 3, .scale = 0.01, .type = LW_TYPE_I16},
     1000,
     1000,
     {0, 101},
     NOTHING,
     1},
    {"under the model's range",
     {V(1), .type = LW_TYPE_U16, .has_range = true, .min = 80, .max = 280},
     1000,
     1000,
     {0, 79},
     NOTHING,
     1},
    {"in the model's range before PT",
     {V(1), .type = LW_TYPE_U16, .has_range = true, .min = 80, .max = 280,
      .apply_pt = true},
     1000,
     100000,
     {0, 80},
     80000,
     0},
};

static void
decodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lw_profile profile = {
            .max_registers = 125, .nregs = 1, .reg = {rows[i].reg}};
        struct lw_read_block blocks[LW_READ_BLOCKS];
        struct lw_reading r = {0};
        enum lw_quantity q = rows[i].reg.quantity;
        print_message("  %s\n", rows[i].name);
        assert_int_equal(lw_profile_blocks(&profile, LW_POLL_FAST, &whole, blocks), 1);
        assert_int_equal(lw_profile_decode(&profile, blocks, rows[i].data,
                                           rows[i].ct_milli, rows[i].pt_milli, &r),
                         rows[i].impossible);
        assert_int_equal(r.have, rows[i].want == NOTHING ? 0 : 1u << q);
        if (rows[i].want != NOTHING) {
            /* And the device with that value has those registers again. */
            uint8_t data[8] = {0}, again[8] = {0};
            assert_int_equal(r.value[q], rows[i].want);
            lw_profile_encode(&profile, blocks, &r, rows[i].ct_milli, rows[i].pt_milli,
                              data);
            struct lw_reading back = {0};
            assert_int_equal(lw_profile_decode(&profile, blocks, data, rows[i].ct_milli,
                                               rows[i].pt_milli, &back),
                             0);
            lw_profile_encode(&profile, blocks, &back, rows[i].ct_milli, rows[i].pt_milli,
                              again);
            assert_memory_equal(data, again, sizeof data);
        }
    }
}

/* SunSpec's way: 16-bit values and a power of ten beside them. */
static void
scale_register(void **state)
{
    (void)state;
    static const struct lw_profile profile = {
        .max_registers = 125,
        .nregs = 3,
        .reg = {{V(1), .type = LW_TYPE_U16, .address = 1, .has_scale_register = true},
                {.quantity = LW_VOLTAGE_B,
                 .function = 3,
                 .scale = 1,
                 .type = LW_TYPE_U16,
                 .address = 2,
                 .has_scale_register = true},
                {W(0.001), .type = LW_TYPE_I16, .address = 3, .has_scale_register = true,
                 .scale_register = 4}}};
    struct lw_read_block blocks[LW_READ_BLOCKS];
    struct lw_reading r = {0}, back = {0};
    uint8_t data[10] = {0xFF, 0xFF, 0x09, 0x06, 0x09, 0x07, 0xFF, 0xFB, 0, 2};

    assert_int_equal(lw_profile_blocks(&profile, LW_POLL_FAST, &whole, blocks), 1);
    assert_int_equal(blocks[0].count, 5);
    assert_int_equal(lw_profile_decode(&profile, blocks, data, 1000, 1000, &r), 0);
    assert_int_equal(r.value[LW_VOLTAGE_A], 2310);
    assert_int_equal(r.value[LW_VOLTAGE_B], 2311);
    assert_int_equal(r.value[LW_ACTIVE_POWER], -500);

    /* 65.4 kW needs a coarser exponent than 1 W steps; the voltages keep theirs. */
    r.value[LW_ACTIVE_POWER] = 65430;
    lw_profile_encode(&profile, blocks, &r, 1000, 1000, data);
    assert_int_equal(lw_profile_decode(&profile, blocks, data, 1000, 1000, &back), 0);
    assert_int_equal(back.value[LW_VOLTAGE_B], 2311);
    assert_int_equal(back.value[LW_ACTIVE_POWER], 65430);

    data[8] = 0x80; /* SunSpec's "no scale factor" */
    data[9] = 0;
    back.have = 0;
    assert_int_equal(lw_profile_decode(&profile, blocks, data, 1000, 1000, &back), 0);
    assert_false(lw_reading_has(&back, LW_ACTIVE_POWER));
    assert_true(lw_reading_has(&back, LW_VOLTAGE_A));
}

static void
encodes_limits(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct lw_register reg;
        bool have;
        int64_t value;
        uint8_t want[2];
    } limits[] = {
        {"over the type", {W(0.001), .type = LW_TYPE_I16}, true, 40000, {0x7F, 0xFF}},
        {"under the type", {W(0.001), .type = LW_TYPE_U16}, true, -1, {0, 0}},
        {"not measured",
         {W(0.001), .type = LW_TYPE_I16, .nmissing = 1, .missing = {0x8000}},
         false,
         5,
         {0x80, 0}},
        {"not measured, no sentinel", {W(0.001), .type = LW_TYPE_I16}, false, 5, {0, 0}},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct lw_profile profile = {
            .max_registers = 125, .nregs = 1, .reg = {limits[i].reg}};
        struct lw_read_block blocks[LW_READ_BLOCKS];
        struct lw_reading r = {.have = limits[i].have ? 1u << LW_ACTIVE_POWER : 0};
        uint8_t data[2];
        r.value[LW_ACTIVE_POWER] = limits[i].value;
        print_message("  %s\n", limits[i].name);
        assert_int_equal(lw_profile_blocks(&profile, LW_POLL_FAST, &whole, blocks), 1);
        lw_profile_encode(&profile, blocks, &r, 1000, 1000, data);
        assert_memory_equal(data, limits[i].want, 2);
    }
}

/* ---- the shipped profiles ---- */

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

static void
round_trip(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bool exact; /* else within float32's seven digits */
        size_t blocks;
    } files[] = {
        {"generic.json", true, 1},
        {"weather.json", true, 1},
        {"eastron-sdm630.json", false, 2},
        {"schneider-iem3000.json", false, 2},
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
                const struct lw_quantity_info *info = lw_quantity_info(q);
                int64_t min = info->min, max = info->max;
                if (profile->reg[k].has_range) {
                    min = (int64_t)(profile->reg[k].min * (double)info->per_unit);
                    max = (int64_t)(profile->reg[k].max * (double)info->per_unit);
                }
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
            for (enum lw_quantity q = 0; q < LW_QUANTITIES; q++) {
                int64_t off = back.value[q] - r.value[q];
                int64_t may = files[f].exact ? 0 : 1 + llabs(r.value[q]) / 10000000;
                if (lw_reading_has(&r, q))
                    assert_in_range(off + may, 0, 2 * may);
            }
        }
        lw_profile_free(profile);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(scale_register),
        cmocka_unit_test(encodes_limits),
        cmocka_unit_test(round_trip),
    };
    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
