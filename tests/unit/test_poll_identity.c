/* What is not read each time: slow points, serial number and clock; and what is learnt of
 * a device once. */
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

#include "daemon/poll/remember.h"

static struct fixture *f;
static struct fault_server *server;

static int
start(void **state)
{
    (void)state;
    f = fixture_new(true);
    server = server_start(f->base, f->clock, "");
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    server_stop(server);
    fixture_free(f);
    return 0;
}

static void
poll_every(int interval_s, const char *profile)
{
    char gateways[128], meters[256];
    snprintf(gateways, sizeof gateways, "g,tcp,127.0.0.1:%u,1,0,100\n", server->port);
    snprintf(meters, sizeof meters, "m,2020-01-01,,context,g,1,%s,%d\n", profile,
             interval_s);
    fixture_poll(f, gateways, meters);
}

static int
count(enum lw_event_kind kind)
{
    int n = 0;
    for (int i = 0; i < f->nevents; i++)
        n += f->event[i].kind == kind;
    return n;
}

static void
asks_once_and_slow_points_seldom(void **state)
{
    (void)state;
    poll_every(60, "telling");
    fixture_run_until(f, 9 * 60 + 30);
    /* Whole with the first, and with every third. */
    assert_string_equal(fixture_history(f, "m", 1), "GPPGPPGPPG");
    assert_int_equal(count(LW_EVENT_METER_SERIAL), 1);
    assert_int_equal(count(LW_EVENT_METER_CLOCK), 1);
    assert_int_equal(count(LW_EVENT_METER_COUNTER), 1);
    assert_int_equal(server->requests, 10 + 4 + 2);
    for (int i = 0; i < 4; i++) {
        const struct lw_event *e = &f->event[i];
        if (e->kind == LW_EVENT_METER_SERIAL)
            assert_string_equal(e->serial.text, "1");
        if (e->kind == LW_EVENT_METER_CLOCK)
            assert_int_equal(e->clock.drift_ms, 0);
        if (e->kind == LW_EVENT_METER_COUNTER) {
            assert_int_equal(e->counter.modulus_wh, 5000000000);
            assert_int_equal(e->counter.most_w, 69000);
        }
    }
    /* Before the reading: what it says of the register is judged by it. */
    assert_int_equal(f->event[3].kind, LW_EVENT_READING);
}

static void
asks_daily(void **state)
{
    (void)state;
    poll_every(3600, "telling");
    fixture_run_until(f, 50 * 3600 + 60);
    assert_int_equal(count(LW_EVENT_READING), 51);
    assert_in_range(count(LW_EVENT_METER_SERIAL), 3, 4); /* at once, and each new day */
}

static void
asks_when_it_may_be_another(void **state)
{
    static const struct {
        const char *name, *script, *history;
        int serials, clocks;
    } rows[] = {
        {"after it was silent", "ggggss", "GTPP", 2, 2},
        {"after an exception", "gggg44", "GXPP", 2, 2},
        {"after the connection was lost twice", "ggggcc", "GLPP", 2, 2},
        {"not after a second try that was good", "ggggs", "GPPG", 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("  %s\n", rows[i].name);
        if (i > 0) {
            stop(NULL);
            start(NULL);
        }
        server->script = rows[i].script;
        poll_every(600, "telling");
        fixture_run_until(f, 3 * 600 + 300);
        assert_string_equal(fixture_history(f, "m", 1), rows[i].history);
        assert_int_equal(count(LW_EVENT_METER_SERIAL), rows[i].serials);
        assert_int_equal(count(LW_EVENT_METER_CLOCK), rows[i].clocks);
    }
}

static void
asks_when_told_to(void **state)
{
    (void)state;
    poll_every(60, "telling");
    fixture_run_until(f, 90);
    poller_ask(f->poller, 0);
    fixture_run_until(f, 210);
    assert_int_equal(count(LW_EVENT_METER_SERIAL), 2);
}

/* A serial number or clock that cannot be read costs no reading. */
static void
what_is_extra_costs_nothing(void **state)
{
    static const struct {
        const char *name, *script;
        int serials, clocks;
    } rows[] = {
        {"no serial number: exception 2", "gg2", 0, 1},
        {"no serial number: exception 4", "gg4", 0, 1},
        {"no serial number: silence", "ggs", 0, 0},
        {"no serial number: the connection is lost", "ggc", 0, 0},
        {"no clock: exception 2", "ggg2", 1, 0},
        {"no clock: silence", "gggs", 1, 0},
        {"a serial number of ones", "ggv", 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("  %s\n", rows[i].name);
        if (i > 0) {
            stop(NULL);
            start(NULL);
        }
        server->script = rows[i].script;
        poll_every(60, "telling");
        fixture_run_until(f, 150);
        assert_string_equal(fixture_history(f, "m", 1), "GPP");
        assert_int_equal(count(LW_EVENT_METER_SERIAL), rows[i].serials);
        assert_int_equal(count(LW_EVENT_METER_CLOCK), rows[i].clocks);
    }
}

static void
remembers_over_a_reload(void **state)
{
    (void)state;
    server->one_by_one = true;
    poll_every(60, "one");
    fixture_run_until(f, 90);
    assert_string_equal(fixture_history(f, "m", 1), "GG");
    assert_int_equal(server->requests, 1 + 2 + 2); /* refused once */

    struct remembered *remembered = poller_remember(f->poller);
    assert_non_null(remembered);
    poller_free(f->poller);
    assert_int_equal(poller_new(f->base, f->clock, f->ledger, f->profiles,
                                fixture_on_event, f, &f->faults, &f->poller),
                     0);
    poller_recall(f->poller, remembered);
    remembered_free(remembered);
    fixture_run_until(f, 150);
    assert_string_equal(fixture_history(f, "m", 1), "GGG");
    assert_int_equal(server->requests, 5 + 2);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(asks_once_and_slow_points_seldom), TEST(asks_daily),
        TEST(asks_when_it_may_be_another),      TEST(asks_when_told_to),
        TEST(what_is_extra_costs_nothing),      TEST(remembers_over_a_reload),
    };
    return cmocka_run_group_tests_name("poll_identity", tests, NULL, NULL);
}
