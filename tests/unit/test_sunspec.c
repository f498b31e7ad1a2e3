/* SunSpec: its own model files as profiles, and the walk to a model on the wire. */
#include "unit.h"

#include <lodewatch/profile.h>
#include <lodewatch/sunspec.h>

#define POINTS(more)                                                                     \
    "{\"id\": 203, \"group\": {\"name\": \"m\", \"type\": \"group\", \"points\": [\n"    \
    "{\"name\": \"ID\", \"type\": \"uint16\", \"size\": 1},\n" more "]}}"
#define W                                                                                \
    "{\"name\": \"W\", \"type\": \"int16\", \"size\": 1, \"sf\": \"W_SF\"},\n"           \
    "{\"name\": \"W_SF\", \"type\": \"sunssf\", \"size\": 1}"

static void
test_model_file(void **state)
{
    static struct lw_faults faults;
    static const char text[] = POINTS(
        "{\"name\": \"L\", \"type\": \"uint16\", \"size\": 1},\n"
        "{\"name\": \"Md\", \"type\": \"string\", \"size\": 16, \"symbols\": [{\"a\": "
        "\"]}\"}]},\n" W ",\n"
        "{\"name\": \"Hz\", \"type\": \"int16\", \"size\": 1, \"units\": \"Hz\"},\n"
        "{\"name\": \"TotWhImp\", \"type\": \"acc32\", \"size\": 2, \"sf\": \"W_SF\"}");
    struct lw_profile *p = NULL;
    (void)state;

    check_int(lw_profile_new("dir/model_203.json", text, strlen(text), &faults, &p), 0);
    check_text(p->id, "model_203");
    check_int(p->sunspec, 203);
    check(p->serial.present);
    check_int(p->nregs, 2);
    check_int(p->reg[0].quantity, LW_ACTIVE_POWER);
    check_int(p->reg[0].address, 18);
    check_int(p->reg[0].scale_register, 19);
    check_int(p->reg[0].missing[0], 0x8000);
    check_int(p->reg[1].quantity, LW_IMPORT);
    check_int(p->reg[1].address, 21);
    check_int(p->reg[1].type, LW_TYPE_U32);
    check_int(p->reg[1].scale_register, 19);
    check_int(p->nshown, 1);
    check_text(p->shown[0].name, "Hz");

    /* -1.23 kW with a scale factor of 1, and 4 560 Wh. */
    struct lw_reading r = {0};
    struct lw_read_block blocks[LW_READ_BLOCKS];
    struct lw_read_limits limits = {.max_gap = 125};
    static const uint8_t data[] = {0xFF, 0x85, 0, 1, 0, 0, 0, 0, 1, 0xC8};
    check_int(lw_profile_blocks(p, LW_POLL_FAST, &limits, blocks), 1);
    check_int(blocks[0].count, 5);
    check_int(lw_profile_decode(p, blocks, data, 1000, 1000, &r), 0);
    check_int(r.value[LW_ACTIVE_POWER], -1230);
    check_int(r.value[LW_IMPORT], 4560);
    lw_profile_free(p);
}

static void
test_faults(void **state)
{
    static const struct {
        const char *name, *text, *want;
        uint32_t line;
    } rows[] = {
        {"another model", "{\"id\": 1, \"group\": {\"points\": []}}", "201 to 204", 1},
        {"no id", "{\"group\": {\"points\": []}}", "201 to 204", 1},
        {"no points", "{\"id\": 203, \"group\": {}}", "with its \"points\"", 1},
        {"group is no object", "{\"id\": 203, \"group\": 7}", "with its \"points\"", 1},
        {"nothing of ours",
         POINTS("{\"name\": \"L\", \"type\": \"uint16\", \"size\": 1}"),
         "none of its points", 1},
        {"a point without a size", POINTS("{\"name\": \"W\", \"type\": \"int16\"}"),
         "\"size\" from 1", 3},
        {"a point that is too long",
         POINTS("{\"name\": \"W\", \"type\": \"int16\", \"size\": 65}"),
         "\"size\" from 1", 3},
        {"a type that no meter has",
         POINTS("{\"name\": \"W\", \"type\": \"float32\", \"size\": 2}"), "float32", 3},
        {"a scale factor of its own",
         POINTS("{\"name\": \"W\", \"type\": \"int16\", \"size\": 1, \"sf\": -2}"),
         "\"sf\"", 3},
        {"a size that no map has, before the scale factor",
         POINTS("{\"name\": \"W\", \"type\": \"int16\", \"size\": 1, \"sf\": \"X\"},\n"
                "{\"name\": \"a\", \"type\": \"pad\", \"size\": -9223372036854775807},\n"
                "{\"name\": \"b\", \"type\": \"pad\", \"size\": -9223372036854775807}"),
         "is no point", 3},
        {"a scale factor that is not there",
         POINTS("{\"name\": \"W\", \"type\": \"int16\", \"size\": 1, \"sf\": \"X\"}"),
         "is no point", 3},
        {"a point twice", POINTS(W ",\n" W), "before this one", 5},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        static struct lw_faults faults;
        struct lw_profile *p = NULL;

        row(rows[i].name);
        faults.n = faults.kept = 0;
        check_int(
            lw_profile_new("x.json", rows[i].text, strlen(rows[i].text), &faults, &p),
            LW_EPARSE);
        check(strstr(faults.fault[0].text, rows[i].want) != NULL);
        check_int(faults.fault[0].line, rows[i].line);
    }
}

/* A device's registers: an address, then words; what is not there is refused. */
struct place {
    uint16_t at;
    uint16_t word[2];
};

#define SUNS 0x5375, 0x6E53

static void
test_walk(void **state)
{
    static const struct {
        const char *name;
        struct place place[6];
        int rc;
        uint16_t at, start;
        int reads;
    } rows[] = {
        {"behind the common model",
         {{40000, {SUNS}}, {40002, {1, 66}}, {40070, {203, 105}}},
         1,
         40070,
         40000,
         3},
        {"an inverter before it",
         {{40000, {SUNS}}, {40002, {1, 65}}, {40069, {103, 50}}, {40121, {203, 105}}},
         1,
         40121,
         40000,
         4},
        {"at 50000", {{50000, {SUNS}}, {50002, {203, 105}}}, 1, 50002, 50000, 3},
        {"at 0, other registers at 40000",
         {{40000, {7, 7}}, {50000, {7, 7}}, {0, {SUNS}}, {2, {203, 105}}},
         1,
         2,
         0,
         4},
        {"another meter",
         {{40000, {SUNS}}, {40002, {1, 66}}, {40070, {201, 105}}, {40177, {0xFFFF, 0}}},
         LW_ENOTFOUND,
         0,
         0,
         4},
        {"no SunSpec", {{1, {1, 1}}}, LW_ENOTFOUND, 0, 0, 3},
        {"it refuses to go on", {{40000, {SUNS}}}, LW_ENOTFOUND, 0, 0, 2},
        {"over the end", {{40000, {SUNS}}, {40002, {1, 0xFFF0}}}, LW_ENOTFOUND, 0, 0, 2},
        {"models without end",
         {{40000, {SUNS}}, {40002, {0, 0}}, {40004, {0, 0xFFFE}}},
         LW_ENOTFOUND,
         0,
         0,
         3},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_sunspec_walk walk;
        int rc = 0, reads = 0;

        row(rows[i].name);
        lw_sunspec_begin(&walk, 203);
        while (rc == 0) {
            struct lw_read_block next = lw_sunspec_next(&walk);
            uint8_t data[4], *got = NULL;

            for (size_t k = 0; k < LENGTH(rows[i].place); k++) {
                const struct place *p = &rows[i].place[k];
                if (p->at != next.address ||
                    (p->word[0] == 0 && p->word[1] == 0 && k > 1))
                    continue;
                for (int w = 0; w < 2; w++) {
                    data[2 * w] = (uint8_t)(p->word[w] >> 8);
                    data[2 * w + 1] = (uint8_t)p->word[w];
                }
                got = data;
            }
            reads++;
            rc = lw_sunspec_take(&walk, got);
        }
        check_int(rc, rows[i].rc);
        check_int(reads, rows[i].reads);
        if (rc == 1) {
            check_int(walk.at, rows[i].at);
            check_int(lw_sunspec_start(&walk), rows[i].start);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_file),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
