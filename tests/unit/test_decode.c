/* Registers to stored units and back, and what is said of a counter. */
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

/* What is said of the import register: a float's steps grow. */
static void
counters(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct lw_register reg;
        int64_t ct_milli, wh, step, modulus, most;
    } counted[] = {
        {"f32 kWh, new", {WH(1), .type = LW_TYPE_F32}, 1000, 100000, 0, 0, 0},
        {"f32 kWh, 100 000 kWh", {WH(1), .type = LW_TYPE_F32}, 1000, 100000000, 8, 0, 0},
        {"f32 kWh under 2^20", {WH(1), .type = LW_TYPE_F32}, 1000, 1048575000, 63, 0, 0},
        {"f32 kWh over 2^20", {WH(1), .type = LW_TYPE_F32}, 1000, 1048577000, 125, 0, 0},
        {"f32 kWh behind 40:1",
         {WH(1), .type = LW_TYPE_F32, .apply_ct = true},
         40000,
         40 * INT64_C(1048577000),
         5000,
         0,
         0},
        {"f64 kWh", {WH(1), .type = LW_TYPE_F64}, 1000, 1048577000, 0, 0, 0},
        {"u32 x 0.01 kWh", {WH(0.01), .type = LW_TYPE_U32}, 1000, 1048577000, 10, 0, 0},
        {"with a modulus and a most",
         {WH(0.001), .type = LW_TYPE_U32, .modulus = 1e6, .max_per_hour = 69,
          .apply_ct = true},
         2000,
         1000,
         2,
         2000000000,
         138000},
        {"a scale register",
         {WH(0.001), .type = LW_TYPE_U32, .has_scale_register = true},
         1000,
         1000,
         0,
         0,
         0},
    };
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        struct lw_profile profile = {.nregs = 1, .reg = {counted[i].reg}};
        struct lw_reading r = {.have = 1u << LW_IMPORT};
        struct lw_event e = {0};
        print_message("  %s\n", counted[i].name);
        r.value[LW_IMPORT] = counted[i].wh;
        bool any = counted[i].step > 1 || counted[i].modulus > 0 || counted[i].most > 0;
        assert_int_equal(lw_profile_counter(&profile, &r, counted[i].ct_milli, 1000, &e),
                         any);
        if (any) {
            assert_int_equal(e.counter.step_wh, counted[i].step);
            assert_int_equal(e.counter.modulus_wh, counted[i].modulus);
            assert_int_equal(e.counter.most_w, counted[i].most);
        }
        r.have = 0;
        assert_false(lw_profile_counter(&profile, &r, counted[i].ct_milli, 1000, &e));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(scale_register),
        cmocka_unit_test(encodes_limits),
        cmocka_unit_test(counters),
    };
    return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
