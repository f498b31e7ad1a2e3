/* The profile format: what is accepted, where each fault is put, and how a map is laid
 * into reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <lodewatch/profile.h>

#define HEAD "{\"vendor\":\"v\",\"model\":\"m\",\"source\":\"s\",\n"
#define POINT(q, a)                                                                      \
    "{\"quantity\":\"" q "\",\"function\":3,\"address\":\"" a                            \
    "\",\"type\":\"i32\",\"unit\":\"W\"}"
#define ONE HEAD "\"points\":[\n" POINT("active_power_kw", "0x0010") "]}"

static struct lw_profile *
parse(const char *text)
{
    struct lw_faults *faults = calloc(1, sizeof *faults);
    struct lw_profile *profile = NULL;
    int rc = lw_profile_new("dir/some-model.json", text, strlen(text), faults, &profile);
    if (faults->n > 0)
        print_message("%u:%u: %s\n", faults->fault[0].line, faults->fault[0].column,
                      faults->fault[0].text);
    assert_int_equal(rc, 0);
    free(faults);
    return profile;
}

static void
all_members(void **state)
{
    (void)state;
    struct lw_profile *p = parse(
        "\n{\"points\": [{\"unit\": \"W\", \"type\": \"i16\", \"range\": [-500, 1500],"
        " \"address\": \"0x00fF\", \"function\": 4, \"quantity\": \"active_power_kw\","
        " \"word_order\": \"low_first\", \"byte_order\": \"low_first\", \"scale\": 10,"
        " \"offset\": -2e3, \"scale_register\": \"0x0101\", \"ct\": true, \"pt\": true,"
        " \"missing\": [\"0x8000\", \"0x7fff\"]}], \"unverified\": true, \"source\": \"手册\","
        " \"model\": \"m \\\"x\\\" {[\", \"vendor\": \"v\","
        " \"bus\": {\"max_registers\": 50, \"max_gap\": 4, \"min_gap_ms\": 20,"
        " \"connect_pause_ms\": 300, \"timeout_ms\": 2500,"
        " \"forbidden\": [[\"0x0000\", \"0x000F\"], [\"0x0200\", \"0x0200\"]]},"
        " \"probe\": {\"function\": 3, \"address\": \"0x0046\", \"type\": \"f32\","
        " \"min\": 45, \"max\": 65.5}}");
    assert_string_equal(p->id, "some-model");
    assert_string_equal(p->source, "手册");
    assert_string_equal(p->model, "m \"x\" {[");
    assert_true(p->unverified);
    assert_int_equal(p->max_registers, 50);
    assert_int_equal(p->max_gap, 4);
    assert_int_equal(p->min_gap_ms, 20);
    assert_int_equal(p->connect_pause_ms, 300);
    assert_int_equal(p->timeout_ms, 2500);
    assert_int_equal(p->nforbidden, 2);
    assert_int_equal(p->forbidden[0].last, 15);
    assert_int_equal(p->forbidden[1].first, 0x200);
    assert_true(p->probe.present && p->probe.reg.type == LW_TYPE_F32 &&
                p->probe.reg.address == 0x46);
    assert_int_equal(p->nregs, 1);
    const struct lw_register *r = &p->reg[0];
    assert_int_equal(r->quantity, LW_ACTIVE_POWER);
    assert_int_equal(r->function, 4);
    assert_int_equal(r->address, 0xFF);
    assert_int_equal(r->type, LW_TYPE_I16);
    assert_true(r->low_word_first && r->low_byte_first && r->apply_ct && r->apply_pt);
    assert_true(r->has_scale_register && r->scale_register == 0x101);
    assert_true(r->nmissing == 2 && r->missing[0] == 0x8000 && r->missing[1] == 0x7FFF);
    /* Written in W, kept in kW. */
    assert_float_equal((float)r->scale, 0.01f, 1e-9f);
    assert_float_equal((float)r->offset, -2.0f, 1e-9f);
    assert_true(r->has_range && r->min > -0.5001 && r->max > 1.4999 && r->max < 1.5001);
    lw_profile_free(p);
}

static void
faults_have_places(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want;
        uint32_t line, column;
    } rows[] = {
        {"empty", "", "expected", 1, 1},
        {"syntax", "{\"vendor\":\n  oops}", "invalid token", 2, 3},
        {"no object", "[1]", "expected an object", 1, 1},
        {"cut off", "{\"vendor\": ", "end of file", 1, 12},
        {"duplicate", "{\"vendor\":\"a\",\n\"vendor\":\"b\"}", "duplicate", 2, 1},
        {"nothing there", "{}", "\"vendor\" is missing", 1, 1},
        {"unknown member", HEAD "  \"point\": []}", "nearest known one is \"points\"", 2,
         3},
        {"unknown in a point",
         HEAD
         "\"points\":[\n {\"quantity\": \"import_kwh\",\n  \"adress\": \"0x0000\"}]}",
         "nearest known one is \"address\"", 4, 3},
        {"unknown after text with brackets",
         "{\"vendor\":\"a}]\\\"{\", \"model\":\"x\", \"sauce\":1}", "\"source\"", 1, 34},
        {"wrong kind of value", "{\"vendor\": 7}", "expected a string", 1, 12},
        {"too long",
         "{\"vendor\": \"0123456789012345678901234567890123456789012345678901234567890123\"}",
         "at most 63 bytes", 1, 12},
        {"control character", "{\"vendor\": \"a\\u0007\"}", "control characters", 1, 12},
        {"no points", HEAD "\"points\": []}", "1 to 96 points", 2, 11},
        {"unknown quantity", HEAD "\"points\":[{\"quantity\":\"power\"}]}",
         "as in a readings CSV", 2, 23},
        {"unknown type",
         HEAD "\"points\":[{\"quantity\":\"import_kwh\",\"type\":\"uint32\"}]}",
         "bits32 or string", 2, 43},
        {"unit of another quantity",
         HEAD
         "\"points\":[{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"u32\",\"unit\":\"kW\"}]}",
         "one of: Wh, kWh, MWh", 2, 88},
        {"address as a number",
         HEAD "\"points\":[{\"quantity\":\"import_kwh\",\"address\":52}]}", "hexadecimal",
         2, 46},
        {"address too great", HEAD "\"points\":[{\"address\":\"0x10000\"}]}", "0xFFFF", 2,
         22},
        {"function that writes", HEAD "\"points\":[{\"function\":6}]}", "from 3 to 4", 2,
         23},
        {"scale 0", HEAD "\"points\":[{\"scale\":0}]}", "other than 0", 2, 20},
        {"range backwards", HEAD "\"points\":[{\"range\":[5,-5]}]}", "ends before", 2,
         20},
        {"range of three", HEAD "\"points\":[{\"range\":[1,2,3]}]}", "pair", 2, 20},
        {"missing too wide",
         HEAD
         "\"points\":[{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"u16\",\"unit\":\"Wh\",\"missing\":\"0x12345\"}]}",
         "at most 4 digits", 2, 103},
        {"the same quantity twice",
         HEAD "\"points\":[" POINT("active_power_kw", "0x0000") ",\n" POINT(
             "active_power_kw", "0x0002") "]}",
         "already gives", 3, 13},
        {"over the end of the map",
         HEAD "\"points\":[\n" POINT("active_power_kw", "0xFFFF") "]}",
         "over address 0xFFFF", 3, 1},
        {"forbidden backwards",
         "{\"bus\":{\"forbidden\":[[\"0x0001\",\"0x0002\"],\n[\"0x0002\",\"0x0001\"]]}}",
         "ends before", 2, 1},
        {"point in a forbidden range",
         HEAD "\"bus\":{\"forbidden\":[[\"0x0011\",\"0x0020\"]]},\n\"points\":[\n" POINT(
             "active_power_kw", "0x0010") "]}",
         "forbidden range 0x0011 to 0x0020", 4, 1},
        {"scale register too far away",
         HEAD "\"bus\":{\"max_registers\":10},\"points\":[\n"
              "{\"quantity\":\"active_power_kw\",\"function\":3,\"address\":\"0x0000\","
              "\"type\":\"i16\",\"unit\":\"W\",\"scale_register\":\"0x000A\"}]}",
         "takes 11 registers", 3, 1},
        {"scale register at the other end of the map",
         HEAD "\"points\":[\n"
              "{\"quantity\":\"active_power_kw\",\"function\":3,\"address\":\"0x0000\","
              "\"type\":\"i16\",\"unit\":\"W\",\"scale_register\":\"0xFFFF\"}]}",
         "takes 65536 registers", 3, 1},
        {"serial number in a forbidden range",
         HEAD "\"bus\":{\"forbidden\":[[\"0x0011\",\"0x0020\"]]},\n"
              "\"serial\":{\"function\":4,\"address\":\"0x0010\",\"type\":\"u32\"},"
              "\"points\":[" POINT("active_power_kw", "0x0000") "]}",
         "forbidden range 0x0011 to 0x0020", 3, 10},
        {"clock of more registers than are read at once",
         HEAD "\"bus\":{\"max_registers\":5},\n"
              "\"clock\":{\"function\":3,\"address\":\"0x0010\",\"format\":\"words\"},"
              "\"points\":[" POINT("active_power_kw", "0x0000") "]}",
         "takes 6 registers", 3, 9},
        {"scale register of a float",
         HEAD
         "\"points\":[\n{\"quantity\":\"active_power_kw\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"f32\",\"unit\":\"W\",\"scale_register\":\"0x0002\"}]}",
         "whole-number", 3, 1},
        {"probe without a value",
         "{\"probe\":{\"function\":3,\"address\":\"0x0000\",\"type\":\"u16\"}}", "either",
         1, 10},
        {"probe with two ways to say it",
         "{\"probe\":{\"function\":3,\"address\":\"0x0000\",\"type\":\"u16\",\"equals\":1,\"max\":1}}",
         "either", 1, 10},
        {"serial number as a float",
         "{\"serial\":{\"function\":3,\"address\":\"0x0000\",\"type\":\"f32\"}}",
         "u16, u32, u64, string", 1, 11},
        {"string without a length",
         "{\"serial\":{\"function\":3,\"address\":\"0x0000\",\"type\":\"string\"}}",
         "\"length\"", 1, 11},
        {"length of a number",
         "{\"serial\":{\"function\":3,\"address\":\"0x0000\",\"type\":\"u32\",\"length\":2}}",
         "\"length\"", 1, 11},
        {"string over the end",
         "{\"serial\":{\"function\":3,\"address\":\"0xFFFF\",\"type\":\"string\",\"length\":2}}",
         "over address", 1, 11},
        {"two serial numbers",
         "{\"sunspec\":203,\n\"serial\":{\"function\":3,\"address\":\"0x0000\",\"type\":\"u16\"}}",
         "SunSpec's own", 2, 10},
        {"clock of no known format",
         "{\"clock\":{\"function\":3,\"address\":\"0x0000\",\"format\":\"bcd\"}}",
         "iec870_5_4", 1, 52},
        {"clock over the end",
         "{\"clock\":{\"function\":3,\"address\":\"0xFFFD\",\"format\":\"iec870_5_4\"}}",
         "over address", 1, 10},
        {"slow points each time", "{\"slow_every\":1}", "from 2 to 1000", 1, 15},
        {"parity", "{\"bus\":{\"parity\":\"even\"}}", "\"N\", \"E\" or \"O\"", 1, 18},
        {"no such class", HEAD "\"points\":[{\"class\":\"often\"}]}", "\"slow\"", 2, 20},
        {"no point of class fast",
         HEAD
         "\"points\":[{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"u32\",\"unit\":\"Wh\",\"class\":\"slow\"}]}",
         "class fast", 2, 10},
        {"modulus of a power",
         HEAD
         "\"points\":[{\"quantity\":\"active_power_kw\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"u32\",\"unit\":\"W\",\"modulus\":1000}]}",
         "count up", 2, 107},
        {"modulus below 0",
         HEAD
         "\"points\":[{\"quantity\":\"import_kwh\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"u32\",\"unit\":\"Wh\",\"modulus\":-1000}]}",
         "above 0", 2, 103},
        {"four quadrants of a power",
         HEAD
         "\"points\":[{\"quantity\":\"active_power_kw\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"f32_4q\",\"unit\":\"W\"}]}",
         "f32, f64", 2, 11},
        {"bits that are stored",
         HEAD
         "\"points\":[{\"quantity\":\"power_factor\",\"function\":3,\"address\":\"0x0000\","
         "\"type\":\"bits16\",\"unit\":\"1\"}]}",
         "f32_4q", 2, 11},
        {"named, and stored",
         HEAD "\"points\":[{\"name\":\"x\",\"quantity\":\"import_kwh\"}]}",
         "unknown member \"quantity\"", 2, 23},
        {"too many ways to be missing",
         HEAD
         "\"points\":[{\"name\":\"x\",\"function\":3,\"address\":\"0x0000\",\"type\":\"u16\","
         "\"missing\":[\"0x1\",\"0x2\",\"0x3\",\"0x4\",\"0x5\"]}]}",
         "1 to 4", 2, 78},
        {"probe backwards",
         "{\"probe\":{\"function\":3,\"address\":\"0x0000\",\"type\":\"u16\",\"min\":2,\"max\":1}}",
         "greater", 1, 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct lw_faults faults;
        struct lw_profile *profile = NULL;
        bool found = false;
        faults.n = faults.kept = 0;
        print_message("  %s\n", rows[i].name);
        assert_int_equal(lw_profile_new("x.json", rows[i].text, strlen(rows[i].text),
                                        &faults, &profile),
                         LW_EPARSE);
        assert_null(profile);
        for (uint32_t f = 0; f < faults.kept; f++) {
            print_message("    %u:%u: %s\n", faults.fault[f].line, faults.fault[f].column,
                          faults.fault[f].text);
            found |= strstr(faults.fault[f].text, rows[i].want) &&
                     faults.fault[f].line == rows[i].line &&
                     faults.fault[f].column == rows[i].column;
        }
        assert_true(found);
    }
}

static void
names_and_sizes(void **state)
{
    (void)state;
    static struct lw_faults faults;
    static char big[LW_PROFILE_BYTES + 2];
    struct lw_profile *profile = NULL;

    assert_int_equal(lw_profile_new("Bad Name.json", ONE, strlen(ONE), &faults, &profile),
                     LW_EPARSE);
    assert_int_equal(faults.n, 1);
    memset(big, ' ', sizeof big);
    memcpy(big, ONE, strlen(ONE));
    assert_int_equal(lw_profile_new("x.json", big, sizeof big - 1, &faults, &profile),
                     LW_EPARSE);
    assert_int_equal(faults.n, 2);
    assert_int_equal(lw_profile_new("x.json", big, sizeof big - 2, &faults, &profile), 0);
    lw_profile_free(profile);
    memset(big, '[', 100000); /* depth */
    assert_int_equal(lw_profile_new("x.json", big, 100000, &faults, &profile), LW_EPARSE);
    assert_int_equal(faults.n, 3);
    lw_profile_free(NULL);
}

/* Every allocation of the JSON library fails once: an error each time, and nothing leaks.
 */
static int until_failure;

static void *
failing_malloc(size_t n)
{
    return until_failure-- == 0 ? NULL : malloc(n);
}

static void
out_of_memory(void **state)
{
    (void)state;
    static struct lw_faults faults;
    struct lw_profile *profile = NULL;
    int rc = LW_ENOMEM, n = 0;

    json_set_alloc_funcs(failing_malloc, free);
    for (; rc != 0 && n < 1000; n++) {
        until_failure = n;
        faults.n = faults.kept = 0;
        rc = lw_profile_new("x.json", ONE, strlen(ONE), &faults, &profile);
        assert_true((rc == 0) == (profile != NULL));
    }
    json_set_alloc_funcs(malloc, free);
    print_message("  %d allocations\n", n - 1);
    assert_int_equal(rc, 0);
    assert_true(n > 10);
    lw_profile_free(profile);
}

/* ---- reads ---- */

static void
reads(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct lw_profile p;
        uint64_t split;
        struct {
            uint16_t address, count;
            uint64_t regs;
        } want[4];
        size_t n;
    } rows[] = {
        {"neighbours",
         {.max_registers = 125,
          .nregs = 2,
          .reg = {{.function = 3, .address = 2, .type = LW_TYPE_U32},
                  {.function = 3, .address = 0, .type = LW_TYPE_U32}}},
         0,
         {{0, 4, 3}},
         1},
        {"a gap that may be read",
         {.max_registers = 125,
          .max_gap = 4,
          .nregs = 2,
          .reg = {{.function = 3, .address = 0}, {.function = 3, .address = 5}}},
         0,
         {{0, 6, 3}},
         1},
        {"a gap one too wide",
         {.max_registers = 125,
          .max_gap = 4,
          .nregs = 2,
          .reg = {{.function = 3, .address = 0}, {.function = 3, .address = 6}}},
         0,
         {{0, 1, 1}, {6, 1, 2}},
         2},
        {"the maximum reached",
         {.max_registers = 4,
          .max_gap = 9,
          .nregs = 3,
          .reg = {{.function = 3, .address = 0, .type = LW_TYPE_U32},
                  {.function = 3, .address = 2, .type = LW_TYPE_U32},
                  {.function = 3, .address = 4, .type = LW_TYPE_U32}}},
         0,
         {{0, 4, 3}, {4, 2, 4}},
         2},
        {"functions apart",
         {.max_registers = 125,
          .max_gap = 9,
          .nregs = 2,
          .reg = {{.function = 4, .address = 0}, {.function = 3, .address = 1}}},
         0,
         {{1, 1, 2}, {0, 1, 1}},
         2},
        {"a forbidden register between",
         {.max_registers = 125,
          .max_gap = 9,
          .nregs = 2,
          .nforbidden = 1,
          .forbidden = {{2, 2}},
          .reg = {{.function = 3, .address = 0}, {.function = 3, .address = 4}}},
         0,
         {{0, 1, 1}, {4, 1, 2}},
         2},
        {"scale register in the same read",
         {.max_registers = 125,
          .nregs = 1,
          .reg = {{.function = 3,
                   .address = 18,
                   .has_scale_register = true,
                   .scale_register = 22}}},
         0,
         {{18, 5, 1}},
         1},
        {"scale register before it, shared",
         {.max_registers = 125,
          .nregs = 2,
          .reg = {{.function = 3,
                   .address = 9,
                   .has_scale_register = true,
                   .scale_register = 6},
                  {.function = 3,
                   .address = 7,
                   .has_scale_register = true,
                   .scale_register = 6}}},
         0,
         {{6, 4, 3}},
         1},
        {"one refused, apart from the rest",
         {.max_registers = 125,
          .nregs = 3,
          .reg = {{.function = 3, .address = 0},
                  {.function = 3, .address = 1},
                  {.function = 3, .address = 2}}},
         2,
         {{0, 1, 1}, {2, 1, 4}, {1, 1, 2}},
         3},
        {"the last registers there are",
         {.max_registers = 125,
          .max_gap = 124,
          .nregs = 2,
          .reg = {{.function = 3, .address = 0xFFFE, .type = LW_TYPE_U32},
                  {.function = 3, .address = 0xFFF0}}},
         0,
         {{0xFFF0, 16, 3}},
         1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lw_read_block blocks[LW_READ_BLOCKS];
        print_message("  %s\n", rows[i].name);
        struct lw_read_limits limits = {.split = rows[i].split, .max_gap = 125};
        assert_int_equal(lw_profile_blocks(&rows[i].p, LW_POLL_FAST, &limits, blocks),
                         rows[i].n);
        for (size_t b = 0; b < rows[i].n; b++) {
            assert_int_equal(blocks[b].address, rows[i].want[b].address);
            assert_int_equal(blocks[b].count, rows[i].want[b].count);
            assert_int_equal(blocks[b].regs, rows[i].want[b].regs);
        }
    }
}

/* Each class has reads of its own; a gap has to be worth it to the line, too. */
static void
classes_and_lines(void **state)
{
    (void)state;
    static const struct lw_profile p = {
        .max_registers = 125,
        .max_gap = 40,
        .nregs = 4,
        .reg = {{.function = 3, .address = 0},
                {.function = 3, .address = 1, .class = LW_POLL_SLOW},
                {.function = 3, .address = 25},
                {.function = 3, .address = 2, .class = LW_POLL_ONCE}}};
    static const struct {
        enum lw_poll_class class;
        uint16_t max_gap;
        size_t n;
        uint64_t regs; /* of the first */
    } rows[] = {
        {LW_POLL_FAST, 125, 1, 5}, {LW_POLL_FAST, 24, 1, 5},  {LW_POLL_FAST, 23, 2, 1},
        {LW_POLL_SLOW, 125, 1, 2}, {LW_POLL_ONCE, 125, 1, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct lw_read_block blocks[LW_READ_BLOCKS];
        struct lw_read_limits limits = {.max_gap = rows[i].max_gap};
        assert_int_equal(lw_profile_blocks(&p, rows[i].class, &limits, blocks),
                         rows[i].n);
        assert_int_equal(blocks[0].regs, rows[i].regs);
    }
}

/* As measured on lines: 20, 30 and 142 registers, of which a read holds 124. */
static void
gaps_by_speed(void **state)
{
    (void)state;
    static const struct {
        int32_t baud;
        int bits;
        uint16_t worth;
    } rows[] = {{1200, 10, 12},
                {9600, 10, 20},
                {9600, 11, 19},
                {19200, 10, 30},
                {115200, 10, 124}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(lw_gap_worth(rows[i].baud, rows[i].bits), rows[i].worth);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_members),     cmocka_unit_test(faults_have_places),
        cmocka_unit_test(names_and_sizes), cmocka_unit_test(out_of_memory),
        cmocka_unit_test(reads),           cmocka_unit_test(classes_and_lines),
        cmocka_unit_test(gaps_by_speed),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
