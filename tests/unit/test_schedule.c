/* What is read when: phases, backoff, and the heap held against a plain search. */
#include "unit.h"

#include <lodewatch/schedule.h>

static void
test_long_intervals_are_read_on_the_clock(void **state)
{
    (void)state;
    check_int(lw_phase(900000, 0, 3000, 0, 40), 0);
    check_int(lw_phase(900000, 0, 3000, 39, 40), 0);
    check_int(lw_phase(900000, 299, 3000, 7, 40), 2990);
    check_int(lw_phase(300000, 30001, 40000, 0, 1), 10); /* more gateways than steps */
}

static void
test_short_intervals_are_spread(void **state)
{
    enum {
        GATEWAYS = 7,
        PLACES = 11,
        INTERVAL = 60000
    };
    int in_slot[GATEWAYS * PLACES] = {0};
    (void)state;
    for (int32_t gateway = 0; gateway < GATEWAYS; gateway++) {
        int64_t last = -1;
        for (int32_t place = 0; place < PLACES; place++) {
            int64_t phase = lw_phase(INTERVAL, gateway, GATEWAYS, place, PLACES);
            assert_true(phase >= 0 && phase < INTERVAL);
            if (last >= 0) /* a gateway's meters are as far apart as can be */
                assert_in_range(phase - last, INTERVAL / PLACES - 1,
                                INTERVAL / PLACES + 1);
            last = phase;
            in_slot[phase * GATEWAYS * PLACES / INTERVAL]++;
        }
    }
    int most = 0;
    for (size_t i = 0; i < LENGTH(in_slot); i++)
        most = in_slot[i] > most ? in_slot[i] : most;
    assert_true(most <= 2); /* of all, in one 77th of the interval */
    check_int(lw_phase(299999, INT32_MAX - 1, INT32_MAX, INT32_MAX - 1, INT32_MAX),
              299998);
    check_int(lw_phase(1000, 0, 1, 0, 1), 0);
}

static void
test_next(void **state)
{
    static const struct {
        const char *name;
        int64_t t, interval, phase, want;
    } rows[] = {
        {"before the phase", 0, 1000, 300, 300},
        {"after the phase", 301, 1000, 300, 1300},
        {"at it is the one after", 300, 1000, 300, 1300},
        {"no phase", 1000, 1000, 0, 2000},
        {"before 1970", -1001, 1000, 0, -1000},
        {"before 1970 with a phase", -900, 1000, 300, -700},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        row(rows[i].name);
        check_int(lw_phase_next((lw_wall){rows[i].t}, rows[i].interval, rows[i].phase).ms,
                  rows[i].want);
    }
}

static void
test_backoff(void **state)
{
    int differ = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        check_int(lw_backoff(0, 1000, 60000, seed), 0);
        check_int(lw_backoff(1, 1000, 60000, seed), 0);
        for (uint32_t n = 2; n < 80; n++) {
            int64_t plain = n < 8 ? 1000 << (n - 2) : 60000;
            int64_t delay = lw_backoff(n, 1000, 60000, seed);
            assert_in_range(delay, plain, plain + plain / 4);
            check_int(delay, lw_backoff(n, 1000, 60000, seed));
            differ += delay != lw_backoff(n, 1000, 60000, seed + 1);
        }
        assert_in_range(lw_backoff(UINT32_MAX, 1000, 60000, seed), 60000, 75000);
    }
    assert_true(differ > 7000); /* of 7800: neighbours do not come back together */
}

static void
test_heap_against_search(void **state)
{
    enum {
        KEYS = 60
    };
    struct lw_due *due;
    bool in[KEYS] = {false};
    int64_t at[KEYS];
    uint64_t random = 1;
    (void)state;
    check_int(lw_due_new(KEYS, &due), 0);
    for (int i = 0; i < 200000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        int32_t key = (int32_t)((random >> 20) % KEYS);
        if ((random >> 60) < 6) {
            lw_due_remove(due, key);
            in[key] = false;
        } else {
            at[key] = (int64_t)((random >> 40) % 50) - 25;
            in[key] = true;
            lw_due_set(due, key, at[key]);
        }
        int32_t best = -1, count = 0, first;
        int64_t first_at;
        for (int32_t k = 0; k < KEYS; k++) {
            count += in[k];
            if (in[k] && (best < 0 || at[k] < at[best]))
                best = k;
            if (lw_due_has(due, k) != in[k])
                fail_msg("key %d after %d steps", k, i);
        }
        check_int(lw_due_count(due), count);
        check_int(lw_due_first(due, &first, &first_at), best >= 0);
        if (best >= 0) {
            check_int(first, best);
            check_int(first_at, at[best]);
        }
    }
    lw_due_free(due);
}

static void
test_heap_of_nothing(void **state)
{
    struct lw_due *due;
    int32_t key = -7;
    int64_t at = -7;
    (void)state;
    check_int(lw_due_new(0, &due), 0);
    assert_false(lw_due_first(due, &key, &at));
    check_int(key, -7);
    lw_due_free(due);
    lw_due_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_intervals_are_read_on_the_clock),
        cmocka_unit_test(test_short_intervals_are_spread),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_heap_against_search),
        cmocka_unit_test(test_heap_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
