/* Days as blocks of bits and back: nothing is lost, whatever the readings are; a block
 * that is damaged is refused, or gives readings, and nothing is read beyond it. */
#include "unit.h"

#include <stdlib.h>

#include <lodewatch/day_pack.h>

#include "tests/day_feed.h"

enum {
    MOST = 2000,
    BLOCK = 1 << 19
};
#define START INT64_C(1741737600000) /* 2025-03-12T00:00:00Z */

static struct lw_day_codec *codec;
static struct lw_reading readings[MOST], back[MOST];
static uint8_t block[BLOCK];
static size_t nblock;

static uint64_t
next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *random >> 11;
}

static int
set_up(void **state)
{
    (void)state;
    return lw_day_codec_new(&codec);
}

static int
tear_down(void **state)
{
    (void)state;
    lw_day_codec_free(codec);
    return 0;
}

/* Fills `readings`; returns how many. */
typedef size_t fill(uint64_t *random);

static void
put(struct lw_reading *r, enum lw_quantity q, int64_t v)
{
    r->have = (uint16_t)(r->have | 1u << q);
    r->value[q] = v;
}

static void
at(size_t i, int64_t ms)
{
    readings[i] = (struct lw_reading){.time.ms = ms};
}

static size_t
one(uint64_t *random)
{
    (void)random;
    at(0, START);
    put(&readings[0], LW_ACTIVE_POWER, -7);
    return 1;
}

static size_t
nothing_measured(uint64_t *random)
{
    (void)random;
    at(0, -1);
    at(1, 0);
    readings[1].q = UINT16_MAX;
    return 2;
}

static size_t
constant(uint64_t *random)
{
    (void)random;
    for (size_t i = 0; i < 1440; i++) {
        at(i, START + (int64_t)i * 60000);
        put(&readings[i], LW_ACTIVE_POWER, 0);
        put(&readings[i], LW_IMPORT, 123456789);
        put(&readings[i], LW_VOLTAGE_A, 2300);
    }
    return 1440;
}

/* Every value and time that can be written down, side by side. */
static size_t
extremes(uint64_t *random)
{
    static const int64_t edge[] = {
        0,         1,          -1,       INT64_MAX,     INT64_MIN,     INT64_MAX - 1,
        INT32_MAX, -INT32_MAX, 1L << 31, 1L << 60,      -(1L << 60),   (1L << 60) + 1,
        999,       -1000,      1L << 40, INT64_MIN / 2, INT64_MAX / 3, UINT32_MAX,
    };
    int64_t time = INT64_MIN;

    for (size_t i = 0; i < 400; i++) {
        at(i, i == 399 ? INT64_MAX : time);
        for (int q = 0; q < LW_QUANTITIES; q++) {
            if (next_random(random) % 4 > 0)
                put(&readings[i], (enum lw_quantity)q,
                    edge[next_random(random) % LENGTH(edge)]);
        }
        readings[i].q = (uint16_t)next_random(random);
        time += 1 + (int64_t)(next_random(random) % (1L << 54));
    }
    return 400;
}

/* What a level that wraps takes for one value. */
static size_t
wraps(uint64_t *random)
{
    (void)random;
    for (size_t i = 0; i < 3; i++) {
        at(i, START + (int64_t)i);
        put(&readings[i], LW_EXPORT, i == 0 ? INT64_MIN + 1 : 1);
    }
    return 3;
}

/* Noise of any width, steps, gaps, columns that come and go. */
static size_t
anything(uint64_t *random)
{
    size_t n = 1 + next_random(random) % 300;
    unsigned wide[LW_QUANTITIES];
    int64_t step[LW_QUANTITIES];
    uint64_t often = 1 + next_random(random) % 40;
    int64_t time = (int64_t)(next_random(random) % (1L << 45));

    for (int q = 0; q < LW_QUANTITIES; q++) {
        wide[q] = (unsigned)(next_random(random) % 50);
        step[q] = next_random(random) % 2 ? 1 : 1 + (int64_t)(next_random(random) % 1000);
    }
    for (size_t i = 0; i < n; i++) {
        at(i, time);
        time += next_random(random) % often == 0
                    ? 1 + (int64_t)(next_random(random) % 10000000)
                    : 60000;
        for (int q = 0; q < LW_QUANTITIES; q++) {
            int64_t v = (int64_t)(next_random(random) & ((1UL << wide[q]) - 1));

            if (next_random(random) % often != 1)
                put(&readings[i], (enum lw_quantity)q, (v - 5) * step[q] + 3);
        }
        readings[i].q = next_random(random) % often ? 0 : (uint16_t)next_random(random);
    }
    return n;
}

/* A day as the benchmark has them. */
static size_t
a_day(uint64_t *random)
{
    struct day_feed feed;

    day_feed_init(&feed, 1, (uint32_t)(next_random(random) % 10));
    for (size_t i = 0; i < 1440; i++) {
        readings[i] = day_feed_next(&feed, START + (int64_t)i * 60000, 60000);
        if (next_random(random) % 50 == 0) /* some do not answer */
            readings[i].have = readings[i].have & 0xFF0F;
    }
    for (size_t i = 0; i < 1440; i++) {
        for (int q = 0; q < LW_QUANTITIES; q++) {
            if (!lw_reading_has(&readings[i], (enum lw_quantity)q))
                readings[i].value[q] = 0;
        }
    }
    return 1440;
}

static const struct {
    const char *name;
    fill *fill;
    int times;
} series[] = {
    {"one reading", one, 1},
    {"nothing measured, about 1970", nothing_measured, 1},
    {"nothing changes", constant, 1},
    {"values and times at the edges of their types", extremes, 40},
    {"values that differ by 2^63", wraps, 1},
    {"anything", anything, 400},
    {"days of all kinds of sites", a_day, 20},
};

static int
pack(size_t n)
{
    return lw_day_pack(codec, readings, n, block, BLOCK, &nblock);
}

static void
comes_back(size_t n)
{
    size_t got = 0;

    check_int(pack(n), 0);
    check(nblock <= lw_day_pack_most(n));
    check_int(lw_day_unpack(codec, block, nblock, back, MOST, &got), 0);
    check_int(got, n);
    for (size_t i = 0; i < n; i++) {
        readings[i].received = readings[i].time;
        check(memcmp(&readings[i], &back[i], sizeof(back[i])) == 0);
    }
}

static void
test_round_trip(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (size_t i = 0; i < LENGTH(series); i++) {
        row(series[i].name);
        for (int k = 0; k < series[i].times; k++)
            comes_back(series[i].fill(&random));
    }
}

static void
test_sizes(void **state)
{
    uint64_t random = 1;
    size_t sum = 0, n = 0;

    (void)state;
    row("a day in which nothing changes");
    check_int(pack(constant(&random)), 0);
    check(nblock <= 64);
    row("days of all kinds of sites");
    for (int i = 0; i < 20; i++) {
        size_t k = a_day(&random);

        check_int(pack(k), 0);
        sum += nblock;
        n += k;
    }
    check(sum <= 8 * n);
}

/* Blocks are read for years: this one was written by the first release. */
static const uint8_t first_release[] = {
    0x01, 0x04, 0x25, 0x38, 0x81, 0xee, 0x36, 0x00, 0x58, 0x01, 0x3d, 0xec, 0x41, 0x15,
    0xfa, 0x0b, 0x06, 0x54, 0xca, 0xf7, 0x7d, 0x00, 0x80, 0x20, 0x08, 0x60, 0x00, 0x00,
    0x80, 0xc7, 0x26, 0x35, 0x5e, 0x62, 0xbc, 0x88, 0xf1, 0xa2, 0xc6, 0x8e, 0x1e, 0x2f,
    0x62, 0x96, 0xd4, 0xef, 0x5b, 0xf1, 0xbf, 0x66, 0x02, 0x83, 0x29, 0x52, 0x54, 0x12,
    0x11, 0x2a, 0x2a, 0x49, 0x24, 0x0a, 0xa2, 0xa0, 0xbe, 0x8a, 0xbc, 0xfb, 0x50, 0x8c,
    0x8c, 0x14, 0xda, 0x3b, 0x1a, 0xf6, 0xe0, 0xaa, 0x18, 0x8c, 0x8c, 0xdc, 0x88, 0x72,
    0x66, 0xc3, 0xe4, 0x3b, 0x0a, 0x03, 0x23, 0x23, 0x1b, 0x65, 0xcd, 0x60, 0x79, 0x0e,
    0x6b, 0xb8, 0x0d, 0x7c, 0x60, 0x23, 0x73, 0x66, 0x66, 0x58, 0x03, 0x6f, 0x90, 0x03,
    0x1b, 0x99, 0x33, 0x33, 0x23, 0x0e, 0x0a, 0x28, 0x48, 0x15, 0x55, 0x21, 0x22, 0x2a,
    0x2a, 0x44, 0x34, 0xcf, 0xa6, 0x9d, 0xdb, 0xb5, 0x20, 0x0c, 0x39, 0x38, 0x92, 0xf3,
    0xe9, 0xdb, 0xb6, 0x6d,
};

static void
test_form(void **state)
{
    uint64_t hash = 0;
    size_t got = 0;

    (void)state;
    row("a block that the first release wrote");
    check_int(
        lw_day_unpack(codec, first_release, sizeof(first_release), back, MOST, &got), 0);
    check_int(got, 20);
    check_int(back[19].time.ms, INT64_C(1741754700000));
    for (size_t i = 0; i < got; i++) {
        hash = hash * 31 + back[i].have;
        for (int q = 0; q < LW_QUANTITIES; q++)
            hash = hash * 31 + (uint64_t)back[i].value[q];
    }
    check_int(hash, INT64_C(-2866437647394684798));
}

static void
test_refused(void **state)
{
    uint64_t random = 1;
    size_t n = constant(&random), got = 77;

    (void)state;
    row("no readings");
    check_int(pack(0), LW_EINVAL);
    row("more than a day can have");
    check_int(lw_day_pack(codec, readings, LW_DAY_READINGS + 1, block, BLOCK, &nblock),
              LW_EINVAL);
    row("no room for the block");
    check_int(lw_day_pack(codec, readings, n, block, 20, &nblock), LW_EFULL);
    row("two readings at one time");
    readings[7].time = readings[6].time;
    check_int(pack(n), LW_EINVAL);
    row("a quantity that is none");
    constant(&random);
    readings[3].have |= 1u << LW_QUANTITIES;
    check_int(pack(n), LW_EINVAL);
    row("no room for the readings");
    comes_back(constant(&random));
    check_int(lw_day_unpack(codec, block, nblock, back, n - 1, &got), LW_EFULL);
    row("a newer format");
    block[0] = LW_DAY_FORMAT + 1;
    check_int(lw_day_unpack(codec, block, nblock, back, MOST, &got), LW_EVERSION);
    row("no format");
    block[0] = 0;
    check_int(lw_day_unpack(codec, block, nblock, back, MOST, &got), LW_EPARSE);
    row("no bytes");
    check_int(lw_day_unpack(codec, block, 0, back, MOST, &got), LW_EPARSE);
    check_int(got, 77);
}

/* The block lies at the end of its memory, so that ASan sees a read beyond it. */
static int
unpack_exact(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n + 1);
    size_t got;

    memcpy(copy + 1, bytes, n);

    int rc = lw_day_unpack(codec, copy + 1, n, back, MOST, &got);

    free(copy);
    return rc;
}

static void
test_damaged(void **state)
{
    uint64_t random = 3;

    (void)state;
    row("cut short, or longer");
    check_int(pack(anything(&random)), 0);
    for (size_t n = 0; n < nblock; n++)
        check_int(unpack_exact(block, n), LW_EPARSE);
    block[nblock] = 0;
    check_int(unpack_exact(block, nblock + 1), LW_EPARSE);

    row("one bit is another");
    for (size_t i = 0; i < 8 * nblock; i += 7) {
        block[i / 8] ^= (uint8_t)(1 << i % 8);

        int rc = unpack_exact(block, nblock);

        check(rc == 0 || rc == LW_EPARSE || rc == LW_EFULL || rc == LW_EVERSION);
        block[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    check_int(unpack_exact(block, nblock), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_form),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
