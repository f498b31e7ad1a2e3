/* What is packed comes back, in this release and in the next. */
#include "unit.h"

#include <lodewatch/pack.h>

struct sink {
    uint8_t bytes[400000];
    size_t n;
    size_t largest; /* piece */
    size_t limit;   /* refuse when there would be more */
};

static int
sink_write(void *arg, const void *data, size_t n)
{
    struct sink *sink = arg;
    if (n > sink->largest)
        sink->largest = n;
    if (sink->n + n > sink->limit)
        return LW_EIO;
    memcpy(sink->bytes + sink->n, data, n);
    sink->n += n;
    return 0;
}

static struct sink sink;
static struct lw_packer packer;

static void
start(void)
{
    sink.n = 0;
    sink.largest = 0;
    sink.limit = sizeof(sink.bytes);
    lw_pack_init(&packer, sink_write, &sink);
}

static void
test_numbers_are_little_endian(void **state)
{
    static const uint8_t want[] = {
        0xFE, 4,    3,    2,    1,    8, 7, 6, 5, 4,   3,   2, 1, 0xFE, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 'h', 'i', 0, 0, 0,    0};
    struct lw_unpacker u;
    char text[3];
    (void)state;

    start();
    lw_pack_u8(&packer, 0xFE);
    lw_pack_u32(&packer, 0x01020304);
    lw_pack_u64(&packer, UINT64_C(0x0102030405060708));
    lw_pack_i64(&packer, -2);
    lw_pack_string(&packer, "hi");
    lw_pack_string(&packer, NULL);
    check_int(lw_pack_flush(&packer), 0);
    check_int(sink.n, sizeof(want));
    assert_memory_equal(sink.bytes, want, sizeof(want));

    lw_unpack_init(&u, want, sizeof(want));
    check_int(lw_unpack_u8(&u), 0xFE);
    check_int(lw_unpack_u32(&u), 0x01020304);
    check_int(lw_unpack_u64(&u), INT64_C(0x0102030405060708));
    check_int(lw_unpack_i64(&u), -2);
    lw_unpack_string(&u, text, sizeof(text));
    check_text(text, "hi");
    lw_unpack_string(&u, text, sizeof(text));
    check_text(text, "");
    check_int(u.rc, 0);
    check_int(u.at, u.n);
}

static void
test_nothing_is_read_over_the_end(void **state)
{
    static const uint8_t bytes[] = {3, 0, 0, 0, 'a', 'b', 'c', 9};
    char text[4];
    size_t n = 1;
    struct lw_unpacker u;
    (void)state;

    lw_unpack_init(&u, bytes, 7);
    check_int(lw_unpack_u64(&u), 0);
    check_int(u.rc, LW_EPARSE);
    check_int(lw_unpack_u8(&u), 0); /* and nothing after it */

    for (size_t cut = 0; cut < 7; cut++) {
        lw_unpack_init(&u, bytes, cut);
        assert_null(lw_unpack_blob(&u, &n));
        check_int(n, 0);
        check_int(u.rc, LW_EPARSE);
    }
    lw_unpack_init(&u, bytes, sizeof(bytes));
    lw_unpack_string(&u, text, 3); /* no room for the NUL */
    check_int(u.rc, LW_EPARSE);
    check_text(text, "");
    lw_unpack_init(&u, "\1\0\0\0\0", 5); /* a NUL in a string */
    lw_unpack_string(&u, text, sizeof(text));
    check_int(u.rc, LW_EPARSE);
    lw_unpack_init(&u, NULL, 0);
    check_int(lw_unpack_u32(&u), 0);
    check_int(u.rc, LW_EPARSE);
}

static void
test_ints_take_few_bytes(void **state)
{
    static const struct {
        const char *name;
        int64_t value;
        size_t bytes;
    } rows[] = {
        {"0", 0, 1},
        {"-1", -1, 1},
        {"63", 63, 1},
        {"-64", -64, 1},
        {"64", 64, 2},
        {"8191", 8191, 2},
        {"8192", 8192, 3},
        {"-8193", -8193, 3},
        {"a time", INT64_C(1746057600000), 6},
        {"largest", INT64_MAX, 10},
        {"smallest", INT64_MIN, 10},
    };
    struct lw_unpacker u;
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        start();
        lw_pack_int(&packer, rows[i].value);
        check_int(lw_pack_flush(&packer), 0);
        check_int(sink.n, rows[i].bytes);
        lw_unpack_init(&u, sink.bytes, sink.n);
        check_int(lw_unpack_int(&u), rows[i].value);
        check_int(u.rc, 0);
        check_int(u.at, sink.n);
        lw_unpack_init(&u, sink.bytes, sink.n - 1);
        check_int(lw_unpack_int(&u), 0);
        check_int(u.rc, LW_EPARSE);
    }
    lw_unpack_init(&u, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10); /* 65 bits */
    check_int(lw_unpack_int(&u), 0);
    check_int(u.rc, LW_EPARSE);
}

static void
test_pieces_are_bounded_and_in_order(void **state)
{
    static uint8_t big[300001];
    (void)state;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 7 + i / 256);
    start();
    lw_pack_u8(&packer, 1);
    lw_pack_bytes(&packer, big, sizeof(big));
    lw_pack_u8(&packer, 2);
    check_int(lw_pack_flush(&packer), 0);
    check_int(sink.n, sizeof(big) + 2);
    check_int(sink.bytes[0], 1);
    assert_memory_equal(sink.bytes + 1, big, sizeof(big));
    check_int(sink.bytes[sink.n - 1], 2);
    assert_true(sink.largest <= 65536);
}

static void
test_a_refusal_sticks(void **state)
{
    (void)state;
    start();
    sink.limit = 100;
    for (int i = 0; i < 10000; i++)
        lw_pack_u64(&packer, 1);
    check_int(packer.rc, LW_EIO);
    sink.limit = sizeof(sink.bytes);
    check_int(lw_pack_flush(&packer), LW_EIO);
    check_int(sink.n, 0);
}

/* A struct, and the one that a later release made of it. */
struct old {
    int64_t energy;
    int32_t power;
    uint16_t marks;
    int8_t delta;
    bool on;
    uint8_t id[5];
    int32_t dropped;
};

struct new
{
    uint8_t id[5];
    bool on;
    int32_t added;
    int64_t energy;
    int8_t delta;
    int32_t power;
    uint16_t marks;
};

static const struct lw_field old_fields[] = {
    LW_FIELD(struct old, energy),  LW_FIELD(struct old, power),
    LW_FIELD(struct old, dropped), LW_FIELD(struct old, marks),
    LW_FIELD(struct old, delta),   LW_FIELD(struct old, on),
    LW_FIELD_RAW(struct old, id),
};
static const struct lw_field new_fields[] = {
    LW_FIELD(struct new, added), LW_FIELD_RAW(struct new, id),
    LW_FIELD(struct new, on),    LW_FIELD(struct new, energy),
    LW_FIELD(struct new, delta), LW_FIELD(struct new, power),
    LW_FIELD(struct new, marks),
};
static const struct old olds[] = {
    {-5, 1, 0xFFFE, -3, true, {1, 2, 3, 4, 5}, 99},
    {INT64_MAX, INT32_MIN, 0, 127, false, "abcd", -1},
};

static void
pack_olds(void)
{
    start();
    lw_pack_table(&packer, "empty", old_fields, LENGTH(old_fields), NULL,
                  sizeof(struct old), 0);
    lw_pack_table(&packer, "olds", old_fields, LENGTH(old_fields), olds,
                  sizeof(struct old), LENGTH(olds));
    lw_pack_u32(&packer, 4711);
    check_int(lw_pack_flush(&packer), 0);
}

static void
test_the_same_table(void **state)
{
    struct lw_unpacker u;
    struct lw_table_head head;
    (void)state;
    pack_olds();
    lw_unpack_init(&u, sink.bytes, sink.n);
    check_int(lw_unpack_table(&u, &head), 0);
    check_text(head.name, "empty");
    check_int(head.count, 0);
    check_int(lw_unpack_table(&u, &head), 0);
    check_text(head.name, "olds");
    check_int(head.count, LENGTH(olds));
    for (size_t i = 0; i < LENGTH(olds); i++) {
        struct old back;
        memset(&back, 0, sizeof(back));
        lw_unpack_row(&u, &head, old_fields, LENGTH(old_fields), &back);
        assert_memory_equal(&back, &olds[i], sizeof(back));
    }
    check_int(lw_unpack_u32(&u), 4711);
    check_int(u.rc, 0);
}

static void
test_a_later_release_reads_it(void **state)
{
    struct lw_unpacker u;
    struct lw_table_head head;
    (void)state;
    pack_olds();
    lw_unpack_init(&u, sink.bytes, sink.n);
    check_int(lw_unpack_table(&u, &head), 0);
    lw_unpack_skip_rows(&u, &head);
    check_int(lw_unpack_table(&u, &head), 0);
    for (size_t i = 0; i < LENGTH(olds); i++) {
        struct new back = {.added = 42};
        lw_unpack_row(&u, &head, new_fields, LENGTH(new_fields), &back);
        check_int(back.added, 42);
        check_int(back.energy, olds[i].energy);
        check_int(back.power, olds[i].power);
        check_int(back.marks, olds[i].marks);
        check_int(back.delta, olds[i].delta);
        check_int(back.on, olds[i].on);
        assert_memory_equal(back.id, olds[i].id, sizeof(back.id));
    }
    check_int(lw_unpack_u32(&u), 4711);

    lw_unpack_init(&u, sink.bytes, sink.n);
    for (int table = 0; table < 2; table++) { /* or leaves it alone */
        check_int(lw_unpack_table(&u, &head), 0);
        lw_unpack_skip_rows(&u, &head);
    }
    check_int(lw_unpack_u32(&u), 4711);
    check_int(u.rc, 0);
}

static void
test_a_field_of_another_size_is_refused(void **state)
{
    struct wide {
        int64_t power;
    };
    static const struct lw_field fields[] = {LW_FIELD(struct wide, power)};
    struct wide back = {-1};
    struct lw_unpacker u;
    struct lw_table_head head;
    (void)state;
    pack_olds();
    lw_unpack_init(&u, sink.bytes, sink.n);
    check_int(lw_unpack_table(&u, &head), 0);
    check_int(lw_unpack_table(&u, &head), 0);
    lw_unpack_row(&u, &head, fields, LENGTH(fields), &back);
    check_int(u.rc, LW_EPARSE);
    check_int(back.power, -1);
}

static void
test_broken_tables(void **state)
{
    struct lw_unpacker u;
    struct lw_table_head head;
    (void)state;
    pack_olds();
    size_t tables = sink.n - 4;
    for (size_t cut = 0; cut < tables; cut++) {
        int rc = 0;
        lw_unpack_init(&u, sink.bytes, cut);
        while (rc == 0 && u.at < u.n) {
            rc = lw_unpack_table(&u, &head);
            if (rc == 0)
                lw_unpack_skip_rows(&u, &head);
        }
        if (rc == 0 && cut > 0 && u.at != cut)
            fail_msg("cut at %zu", cut);
    }
    start(); /* more rows than there are bytes, and rows of nothing */
    lw_pack_string(&packer, "none");
    lw_pack_u32(&packer, 0);
    lw_pack_u64(&packer, UINT64_MAX);
    (void)lw_pack_flush(&packer);
    lw_unpack_init(&u, sink.bytes, sink.n);
    check_int(lw_unpack_table(&u, &head), LW_EPARSE);
    pack_olds();
    lw_unpack_init(&u, sink.bytes, sink.n);
    check_int(lw_unpack_table(&u, &head), 0);
    sink.bytes[u.at - 1] = 0xFF; /* the highest byte of its count */
    lw_unpack_init(&u, sink.bytes, sink.n);
    check_int(lw_unpack_table(&u, &head), LW_EPARSE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_little_endian),
        cmocka_unit_test(test_nothing_is_read_over_the_end),
        cmocka_unit_test(test_ints_take_few_bytes),
        cmocka_unit_test(test_pieces_are_bounded_and_in_order),
        cmocka_unit_test(test_a_refusal_sticks),
        cmocka_unit_test(test_the_same_table),
        cmocka_unit_test(test_a_later_release_reads_it),
        cmocka_unit_test(test_a_field_of_another_size_is_refused),
        cmocka_unit_test(test_broken_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
