/* A batch of the store: from the journal's records to the bytes that PostgreSQL gets. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include <lodewatch/codec.h>
#include <lodewatch/pack.h>

#include "daemon/journal.h"
#include "daemon/store/batch.h"
#include "daemon/store/partitions.h"

/* A reading's record, as the engine appends it. */
struct made {
    uint8_t bytes[512];
    struct journal_record record;
};

static void
make_reading(struct made *made, const char *meter, int64_t time, uint16_t have,
             int64_t value, uint16_t q)
{
    struct lw_packer p;

    lw_pack_init(&p, NULL, NULL);
    lw_pack_u8(&p, (uint8_t)q);
    lw_pack_u8(&p, (uint8_t)(q >> 8));
    lw_pack_u8(&p, 1);
    lw_pack_u8(&p, LW_EVENT_READING);
    lw_pack_int(&p, time + 5);
    lw_pack_u8(&p, (uint8_t)strlen(meter));
    lw_pack_bytes(&p, meter, strlen(meter));
    lw_pack_int(&p, 0);
    lw_pack_int(&p, -5); /* measured so long before it was received */
    lw_pack_int(&p, have);
    lw_pack_int(&p, 0);
    for (int i = 0; i < LW_QUANTITIES; i++) {
        if (have >> i & 1)
            lw_pack_int(&p, value);
    }
    memcpy(made->bytes, p.buf, p.len);
    made->record = (struct journal_record){.position = 100,
                                           .next = 200,
                                           .kind = JOURNAL_READING,
                                           .data = made->bytes,
                                           .n = p.len};
}

struct fixture {
    struct keys *keys;
    struct batch *batch;
};

/* Readings of all meters: the share that a meter belongs to is tried first or second. */
static int
add_any(struct fixture *f, const struct journal_record *record)
{
    uint32_t before = f->batch->nrows;
    int rc = batch_add(f->batch, f->keys, BATCH_READINGS_0, record);

    return rc < 0 || f->batch->nrows > before
               ? rc
               : batch_add(f->batch, f->keys, BATCH_READINGS_1, record);
}

static void
begin(struct fixture *f, uint32_t cap)
{
    assert_int_equal(keys_new(&f->keys), 0);
    assert_int_equal(batch_new(cap, &f->batch), 0);
    batch_begin(f->batch, 100);
}

static void
end(struct fixture *f)
{
    keys_free(f->keys);
    batch_free(f->batch);
}

static int
add(struct fixture *f, const char *meter, int64_t time, uint16_t have, int64_t value,
    uint16_t q)
{
    struct made made;

    make_reading(&made, meter, time, have, value, q);
    return add_any(f, &made.record);
}

/* Gives every id the integer at its end. */
static void
map_all(struct fixture *f)
{
    for (uint32_t i = 0; i < f->batch->nrows; i++) {
        uint32_t slot = f->batch->row[i].slot;

        keys_set(f->keys, slot, keys_id(f->keys, slot)[1] - '0');
    }
}

static uint64_t
get(const char *at, int width)
{
    uint64_t v = 0;

    for (int i = 0; i < width; i++)
        v = v << 8 | (uint8_t)at[i];
    return v;
}

static void
test_records(void **state)
{
    static const struct {
        const char *name;
        const char *meter;
        int64_t time;
        uint16_t have;
        int64_t value;
        uint16_t q;
        int rc;
        uint32_t rows;
    } rows[] = {
        {"a reading", "m1", 0, 1 << LW_ACTIVE_POWER, 5, 0, 0, 1},
        {"a late one", "m1", 0, 1 << LW_ACTIVE_POWER, 5, LW_MARK_LATE, 0, 1},
        {"a repeated one", "m1", 0, 1 << LW_ACTIVE_POWER, 5, LW_MARK_REPEATED, 0, 0},
        {"nothing measured", "m1", 0, 0, 0, 0, 0, 1},
        {"more power than may be stored", "m1", 0, 1 << LW_ACTIVE_POWER, 2000000001, 0,
         LW_EPARSE, 0},
        {"as much as may be", "m1", 0, 1 << LW_ACTIVE_POWER, 2000000000, 0, 0, 1},
        {"the least", "m1", 0, 1 << LW_ACTIVE_POWER, -2000000000, 0, 0, 1},
        {"more than int2", "m1", 0, 1 << LW_POWER_FACTOR, 32768, 0, LW_EPARSE, 0},
        {"a register", "m1", 0, 1 << LW_IMPORT, INT64_C(1000000000000000), 0, 0, 1},
        {"no id", "", 0, 0, 0, 0, LW_EPARSE, 0},
        {"before the year 1", "m1", LW_WALL_FIRST - 1, 0, 0, 0, LW_EPARSE, 0},
        {"after the year 9999", "m1", LW_WALL_LAST + 1, 0, 0, 0, LW_EPARSE, 0},
        {"an unknown quantity", "m1", 0, 1 << LW_QUANTITIES, 0, 0, LW_EPARSE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;

        begin(&f, 4);
        if (add(&f, rows[i].meter, rows[i].time, rows[i].have, rows[i].value,
                rows[i].q) != rows[i].rc ||
            f.batch->nrows != rows[i].rows || (rows[i].rc == 0 && f.batch->next != 200))
            fail_msg("%s", rows[i].name);
        end(&f);
    }
}

static void
test_cut_record(void **state)
{
    struct made made;

    (void)state;
    make_reading(&made, "m1", 0, 1 << LW_IMPORT, 5, 0);
    for (size_t n = 0; n < made.record.n; n++) {
        struct fixture f;

        begin(&f, 4);
        made.record.n = n;
        assert_int_equal(add_any(&f, &made.record), LW_EPARSE);
        end(&f);
        make_reading(&made, "m1", 0, 1 << LW_IMPORT, 5, 0);
    }
}

static void
test_limits(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 2);
    assert_int_equal(add(&f, "m1", 0, 0, 0, 0), 0);
    assert_int_equal(add(&f, "m2", 0, 0, 0, 0), 0);
    assert_int_equal(add(&f, "m3", 0, 0, 0, 0), LW_EFULL);
    assert_int_equal(f.batch->nrows, 2);
    end(&f);

    begin(&f, 100);
    for (int day = 0; day < BATCH_DAYS; day++)
        assert_int_equal(add(&f, "m1", day * LW_DAY, 0, 0, 0), 0);
    assert_int_equal(add(&f, "m1", 5 * LW_DAY + 1, 0, 0, 0), 0);
    assert_int_equal(add(&f, "m1", -1, 0, 0, 0), LW_EFULL);
    assert_int_equal(f.batch->ndays, BATCH_DAYS);
    end(&f);
}

static void
test_copy(void **state)
{
    struct fixture f;
    char buf[65536];
    size_t n;
    const char *p = buf + 19;

    (void)state;
    begin(&f, 8);
    assert_int_equal(add(&f, "m2", PG_EPOCH_MS + 1000, 1 << LW_ACTIVE_POWER, -7, 0), 0);
    assert_int_equal(add(&f, "m1", PG_EPOCH_MS + 2000, 1 << LW_IMPORT, 9, LW_MARK_GAP),
                     0);
    assert_int_equal(add(&f, "m2", PG_EPOCH_MS, 0, 0, 0), 0);
    map_all(&f);
    assert_int_equal(batch_sort(f.batch, f.keys), 0);
    n = batch_feed(f.batch, buf, sizeof(buf));
    assert_memory_equal(buf, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);

    /* by meter, and as they came within one: ts, meter_id, q, imp_wh, exp_wh, p_w … */
    assert_int_equal(get(p, 2), 17);
    assert_int_equal(get(p + 6, 8), 2000000);
    assert_int_equal(get(p + 18, 4), 1);
    assert_int_equal(get(p + 26, 2), LW_MARK_GAP);
    assert_int_equal(get(p + 28, 4), 8);
    assert_int_equal(get(p + 32, 8), 9);
    assert_int_equal(get(p + 40, 4), UINT32_MAX); /* exp_wh is NULL */
    p += 2 + 12 + 8 + 6 + 12 + 13 * 4;
    assert_int_equal(get(p + 6, 8), 1000000);
    assert_int_equal(get(p + 18, 4), 2);
    assert_int_equal((int32_t)get(p + 40, 4), -7); /* p_w, behind two NULLs */
    p += 2 + 12 + 8 + 6 + 8 + 13 * 4;
    assert_int_equal(get(p + 6, 8), 0);
    p += 2 + 12 + 8 + 6 + 14 * 4;
    assert_int_equal(get(p, 2), UINT16_MAX);
    assert_ptr_equal(p + 2, buf + n);
    assert_int_equal(batch_feed(f.batch, buf, sizeof(buf)), 0);

    /* meter_last has the newest of each, whatever the order */
    assert_int_equal(f.batch->last[0].count, 2);
    assert_int_equal(get((char *)f.batch->last[1].data + 24, 8), 2000000);
    assert_int_equal(get((char *)f.batch->last[1].data + 36, 8), 1000000);
    end(&f);
}

/* Each reading is in one share of readings, about as many in either; an alert in the
 * third. */
static void
test_shares(void **state)
{
    struct made made;
    uint32_t first = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char meter[16];
        uint32_t rows[BATCH_SHARES];

        snprintf(meter, sizeof(meter), "m%06d", i);
        for (int share = 0; share < BATCH_SHARES; share++) {
            struct fixture f;

            begin(&f, 1);
            make_reading(&made, meter, 0, 0, 0, 0);
            assert_int_equal(
                batch_add(f.batch, f.keys, (enum batch_share)share, &made.record), 0);
            assert_int_equal(f.batch->next, 200); /* taken, or passed over */
            rows[share] = f.batch->nrows;
            end(&f);
        }
        assert_int_equal(rows[BATCH_READINGS_0] + rows[BATCH_READINGS_1], 1);
        assert_int_equal(rows[BATCH_ALERTS], 0);
        first += rows[BATCH_READINGS_0];
    }
    assert_in_range(first, 450, 550);

    made.record.kind = JOURNAL_ALERT;
    made.record.n = 100;
    for (int share = 0; share < BATCH_SHARES; share++) {
        struct fixture f;

        begin(&f, 1);
        assert_int_equal(
            batch_add(f.batch, f.keys, (enum batch_share)share, &made.record), 0);
        assert_int_equal(f.batch->nalerts, share == BATCH_ALERTS);
        end(&f);
    }
}

/* Slices of any size give the same bytes. */
static void
test_slices(void **state)
{
    struct fixture f;
    static char whole[300000], pieces[300000];
    size_t n, m = 0, got;

    (void)state;
    begin(&f, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(add(&f, "m1", i, 0x3fff, i, 0), 0);
    map_all(&f);
    assert_int_equal(batch_sort(f.batch, f.keys), 0);
    n = batch_feed(f.batch, whole, sizeof(whole));
    assert_int_equal(batch_sort(f.batch, f.keys), 0);
    while ((got = batch_feed(f.batch, pieces + m, 700)) > 0) {
        assert_true(got <= 700);
        m += got;
    }
    assert_int_equal(n, m);
    assert_memory_equal(whole, pieces, n);
    end(&f);
}

static void
test_unknown(void **state)
{
    struct fixture f;
    struct pg_array ids = {0};

    (void)state;
    begin(&f, 8);
    assert_int_equal(add(&f, "m1", 0, 0, 0, 0), 0);
    assert_int_equal(add(&f, "m2", 0, 0, 0, 0), 0);
    assert_int_equal(add(&f, "m1", 1, 0, 0, 0), 0);
    assert_int_equal(batch_unknown(f.batch, f.keys, &ids), 2);
    assert_memory_equal(ids.data + 24, "m1\0\0\0\2m2", 8);
    keys_set(f.keys, f.batch->row[0].slot, 11);
    assert_int_equal(batch_unknown(f.batch, f.keys, &ids), 1);
    keys_set(f.keys, f.batch->row[1].slot, 12);
    assert_int_equal(batch_unknown(f.batch, f.keys, &ids), 0);
    keys_forget(f.keys);
    assert_int_equal(batch_unknown(f.batch, f.keys, &ids), 2);
    free(ids.data);
    end(&f);
}

static void
test_keys(void **state)
{
    struct keys *keys;
    uint32_t slot;
    char id[80];

    (void)state;
    assert_int_equal(keys_new(&keys), 0);
    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof(id), "meter %d", i);
        assert_int_equal(keys_slot(keys, id, strlen(id), &slot), 0);
        assert_int_equal(slot, i);
        keys_set(keys, slot, i + 1);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof(id), "meter %d", i);
        assert_int_equal(keys_slot(keys, id, strlen(id), &slot), 0);
        assert_int_equal(keys_meter(keys, slot), i + 1);
        assert_string_equal(keys_id(keys, slot), id);
    }
    memset(id, 'x', sizeof(id));
    assert_int_equal(keys_slot(keys, id, LW_ID_MAX, &slot), 0);
    assert_int_equal(keys_slot(keys, id, LW_ID_MAX + 1, &slot), LW_EINVAL);
    assert_int_equal(keys_slot(keys, "a\0b", 3, &slot), LW_EINVAL);
    keys_free(keys);
}

static void
test_partitions(void **state)
{
    struct fixture f;
    struct partitions p = {0};

    (void)state;
    begin(&f, 8);
    assert_int_equal(add(&f, "m1", 10 * LW_DAY, 0, 0, 0), 0);
    assert_int_equal(add(&f, "m1", 10 * LW_DAY - 1, 0, 0, 0), 0);
    assert_int_equal(partitions_missing(&p, f.batch, 10, 2), 5); /* 10, 9; 10, 11, 12 */
    partitions_made(&p);
    assert_int_equal(partitions_missing(&p, f.batch, 10, 2), 0);
    assert_int_equal(partitions_missing(&p, f.batch, 11, 2), 1);
    partitions_forget(&p);
    assert_int_equal(partitions_missing(&p, f.batch, -1, 0), 3);
    free(p.missing.data);
    end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),    cmocka_unit_test(test_cut_record),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_copy),
        cmocka_unit_test(test_shares),     cmocka_unit_test(test_slices),
        cmocka_unit_test(test_unknown),    cmocka_unit_test(test_keys),
        cmocka_unit_test(test_partitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
