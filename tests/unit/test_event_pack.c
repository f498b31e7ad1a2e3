/* Events through the journal's form and back, over changes of the ledger. */
#include "unit.h"

#include <lodewatch/codec.h>

#include "tests/unit/small_ledger.h"

static struct lw_ledger *ledger;

static int
set_up(void **state)
{
    (void)state;
    ledger = small_ledger(SMALL_METERS);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    lw_ledger_free(ledger);
    return 0;
}

static uint64_t
next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *random >> 11;
}

static struct lw_event
random_event(uint64_t *random)
{
    struct lw_event e = {.kind = LW_EVENT_READING};
    uint32_t meter = (uint32_t)(next_random(random) % (uint64_t)ledger->nmeters);

    e.at.ms = LW_WALL_FIRST +
              (int64_t)(next_random(random) % (LW_WALL_LAST - LW_WALL_FIRST + 1));
    switch (next_random(random) % 8) {
    case 0:
        e.kind = LW_EVENT_TICK;
        break;
    case 1:
        e.kind = LW_EVENT_CLOCK_STEP;
        e.step.by_ms = (int64_t)next_random(random) - INT64_C(1) * (1 << 30);
        break;
    case 2:
        e.kind = LW_EVENT_READ_FAILED;
        e.failed.meter = meter;
        e.failed.why = (enum lw_read_failure)(1 + next_random(random) % LW_FAIL_MISSING);
        e.failed.exception = (uint8_t)next_random(random);
        break;
    case 3:
        e.kind = LW_EVENT_METER_CLOCK;
        e.clock.meter = meter;
        e.clock.drift_ms = (int64_t)next_random(random) - INT64_C(1) * (1 << 30);
        break;
    case 4:
        e.kind = LW_EVENT_METER_SERIAL;
        e.serial.meter = meter;
        for (size_t i = 0, n = 1 + next_random(random) % (LW_SERIAL - 1); i < n; i++)
            e.serial.text[i] = (char)(' ' + next_random(random) % ('~' - ' ' + 1));
        break;
    case 5:
        e.kind = LW_EVENT_METER_COUNTER;
        e.counter.meter = meter;
        e.counter.step_wh = (int64_t)next_random(random);
        e.counter.modulus_wh = (int64_t)next_random(random);
        e.counter.most_w = (int64_t)next_random(random);
        break;
    case 6:
        e.kind = LW_EVENT_ACT;
        e.act.kind = (enum lw_act_kind)(1 + next_random(random) % LW_ACT_LAST);
        for (size_t i = 0; i < LW_ACT_ALARM; i++)
            e.act.alarm[i] = (uint8_t)next_random(random);
        for (size_t i = 0, n = 1 + next_random(random) % LW_ACT_BY; i < n; i++)
            e.act.by[i] = (char)('!' + next_random(random) % ('~' - '!' + 1));
        if (e.act.kind != LW_ACT_SHELVE)
            break;
        e.act.until.ms = e.at.ms / 2;
        for (size_t i = 0, n = 1 + next_random(random) % LW_ACT_REASON; i < n; i++)
            e.act.reason[i] = (char)('!' + next_random(random) % ('~' - '!' + 1));
        break;
    default:
        e.reading.meter = meter;
        e.reading.received = e.at;
        e.reading.time.ms = e.at.ms / 2;
        e.reading.q = (uint16_t)next_random(random);
        e.reading.have = (uint16_t)(next_random(random) % (1 << LW_QUANTITIES));
        for (int q = 0; q < LW_QUANTITIES; q++) {
            const struct lw_quantity_info *info = lw_quantity_info((enum lw_quantity)q);
            uint64_t range = (uint64_t)(info->max - info->min) + 1;
            if (lw_reading_has(&e.reading, (enum lw_quantity)q))
                e.reading.value[q] = info->min + (int64_t)(next_random(random) % range);
        }
    }
    return e;
}

static void
test_round_trip(void **state)
{
    uint64_t random = 3;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct lw_event e = random_event(&random), back;
        uint8_t bytes[LW_EVENT_BYTES];
        size_t n = lw_event_pack(&e, ledger, bytes);
        assert_in_range(n, 1, LW_EVENT_BYTES);
        check_int(lw_event_unpack(bytes, n, ledger, &back), 0);
        check_int(back.kind, e.kind);
        check_int(back.at.ms, e.at.ms);
        if (e.kind == LW_EVENT_READING) {
            check_int(back.reading.meter, e.reading.meter);
            check_int(back.reading.time.ms, e.reading.time.ms);
            check_int(back.reading.received.ms, e.at.ms);
            check_int(back.reading.have, e.reading.have);
            check_int(back.reading.q, e.reading.q);
            assert_memory_equal(back.reading.value, e.reading.value,
                                sizeof(e.reading.value));
            struct lw_reading peeked;
            const char *id;
            size_t id_n;
            check_int(lw_reading_peek(bytes, n, &peeked, &id, &id_n), 0);
            check_int(id_n, strlen(ledger->meter[e.reading.meter].id));
            assert_memory_equal(id, ledger->meter[e.reading.meter].id, id_n);
            peeked.meter = e.reading.meter;
            assert_memory_equal(&peeked, &back.reading, sizeof(peeked));
        } else if (e.kind == LW_EVENT_READ_FAILED) {
            check_int(back.failed.meter, e.failed.meter);
            check_int(back.failed.why, e.failed.why);
            check_int(back.failed.exception, e.failed.exception);
        } else if (e.kind == LW_EVENT_CLOCK_STEP) {
            check_int(back.step.by_ms, e.step.by_ms);
        } else if (e.kind == LW_EVENT_METER_CLOCK) {
            check_int(back.clock.meter, e.clock.meter);
            check_int(back.clock.drift_ms, e.clock.drift_ms);
        } else if (e.kind == LW_EVENT_METER_SERIAL) {
            check_int(back.serial.meter, e.serial.meter);
            check_text(back.serial.text, e.serial.text);
        } else if (e.kind == LW_EVENT_METER_COUNTER) {
            check_int(back.counter.meter, e.counter.meter);
            check_int(back.counter.step_wh, e.counter.step_wh);
            check_int(back.counter.modulus_wh, e.counter.modulus_wh);
            check_int(back.counter.most_w, e.counter.most_w);
        } else if (e.kind == LW_EVENT_ACT) {
            check_int(back.act.kind, e.act.kind);
            assert_memory_equal(back.act.alarm, e.act.alarm, LW_ACT_ALARM);
            check_int(back.act.until.ms, e.act.until.ms);
            check_text(back.act.by, e.act.by);
            check_text(back.act.reason, e.act.reason);
        }
    }
}

/* What an unpacked reading says after the ledger changed to `meters`. */
static void
test_ledgers_change(void **state)
{
#define HEADER "meter_id,installed_at,removed_at,point_id,site_id,role,gateway_id,unit\n"
    static const struct {
        const char *name, *meters;
        int rc;
        const char *point; /* that M2's reading of May is of */
    } rows[] = {
        {"the same", SMALL_METERS, 0, "P3"},
        {"other indices",
         HEADER "A,2025-01-01,,A,S1,supply,G1,7\nM2,2025-04-01,,P3,S2,supply,G1,3\n", 0,
         "P3"},
        {"another installation date", HEADER "M2,2025-04-02,,P3,S2,supply,G1,3\n", 0,
         "P3"},
        {"moved again in April",
         HEADER "M2,2025-04-01,2025-04-20,P3,S2,supply,G1,3\n"
                "M2,2025-04-20,,P4,S2,supply,G1,3\n",
         0, "P3"},
        {"gone", HEADER "M1,2025-04-02,,P3,S2,supply,G1,3\n", LW_ENOTFOUND, NULL},
        {"not there yet", HEADER "M2,2026-01-01,,P3,S2,supply,G1,3\n", LW_ENOTFOUND,
         NULL},
    };
    struct lw_event e = {.kind = LW_EVENT_READING, .at = {INT64_C(1746057600000)}}, back;
    uint8_t bytes[LW_EVENT_BYTES];
    (void)state;
    int32_t meter = lw_ledger_meter(ledger, "M2", 2, e.at);
    assert_int_not_equal(meter, LW_NONE);
    e.reading.meter = (uint32_t)meter;
    e.reading.time = e.reading.received = e.at;
    size_t n = lw_event_pack(&e, ledger, bytes);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct lw_ledger *later = small_ledger(rows[i].meters);
        row(rows[i].name);
        check_int(lw_event_unpack(bytes, n, later, &back), rows[i].rc);
        if (rows[i].rc == 0)
            check_text(later->point[later->meter[back.reading.meter].point].id,
                       rows[i].point);
        lw_ledger_free(later);
    }
}

static void
test_broken_bytes(void **state)
{
    uint64_t random = 5;
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct lw_event e = random_event(&random), back;
        uint8_t bytes[LW_EVENT_BYTES + 1] = {0};
        size_t n = lw_event_pack(&e, ledger, bytes);
        for (size_t cut = 0; cut < n; cut++)
            check_int(lw_event_unpack(bytes, cut, ledger, &back), LW_EPARSE);
        check_int(lw_event_unpack(bytes, n + 1, ledger, &back), LW_EPARSE);
        bytes[0] = 3;
        check_int(lw_event_unpack(bytes, n, ledger, &back), LW_EVERSION);
        bytes[0] = 1;
        bytes[1] = 77;
        check_int(lw_event_unpack(bytes, n, ledger, &back), LW_EPARSE);
    }
}

/* Bytes as releases wrote them: the first form stays as it is and can be read. */
static void
test_forms(void **state)
{
    static const struct {
        const char *name;
        uint8_t bytes[8];
        size_t n;
        int rc;
    } rows[] = {
        {"a tick of the first release", {1, LW_EVENT_TICK, 0}, 3, 0},
        {"a clock step of the first release", {1, LW_EVENT_CLOCK_STEP, 0, 8}, 4, 0},
        {"an old kind in the new form", {2, LW_EVENT_TICK, 0}, 3, LW_EPARSE},
        {"a new kind in the old form",
         {1, LW_EVENT_METER_SERIAL, 0, 1, 'A', 0, 1, '7'},
         8,
         LW_EPARSE},
        {"an act of no kind", {2, LW_EVENT_ACT, 0, 4}, 4, LW_EPARSE},
        {"a form yet to come", {3, LW_EVENT_TICK, 0}, 3, LW_EVERSION},
    };
    struct lw_event back;
    uint8_t bytes[LW_EVENT_BYTES];
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        check_int(lw_event_unpack(rows[i].bytes, rows[i].n, ledger, &back), rows[i].rc);
        if (rows[i].rc == 0) {
            check_int(lw_event_pack(&back, ledger, bytes), rows[i].n);
            assert_memory_equal(bytes, rows[i].bytes, rows[i].n);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_ledgers_change),
        cmocka_unit_test(test_broken_bytes),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
