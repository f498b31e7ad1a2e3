/* Connections that are of no use: they must cost neither our time nor the readings of
 * units that would answer. */
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

enum {
    UNITS = 10
};

static struct fixture *f;
static struct fault_server *server;

static const char *
gateway(const char *rest)
{
    static char text[128];
    snprintf(text, sizeof text, "g,%s,127.0.0.1:%u,%s\n",
             server->rtu ? "rtu_over_tcp" : "tcp", server->port, rest);
    return text;
}

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

/* It has enough clients already, say; and nothing is asked in the pause. */
static void
slammed_in_the_pause(void **state)
{
    (void)state;
    server->slams = true;
    fixture_poll(f, gateway("1,0,100"), "a,2020-01-01,,context,g,1,slow,60\n");
    fixture_run_until(f, 10 * 60 - 1);
    assert_int_equal(strspn(fixture_history(f, "a", 1), "L"), 10);
    if (server->connections > 20)
        fail_msg("%d connections", (int)server->connections);
    server->slams = false;
    fixture_run_until(f, 20 * 60 - 1);
    assert_non_null(strstr(fixture_history(f, "a", 1), "GGG"));
}

/* Behind more silent units than close a connection, twice over, one answers. */
static void
last_of_many(void **state)
{
    const int *inflight = *state;
    char rest[16], meters[UNITS * 48], *at = meters;
    start(NULL);
    for (int unit = 1; unit <= UNITS; unit++)
        at += sprintf(at, "m%02d,2020-01-01,,context,g,%d,one,300\n", unit, unit);
    snprintf(rest, sizeof rest, "%d,0,100", *inflight);
    server->silent_to = UNITS - 1;
    fixture_poll(f, gateway(rest), meters);
    fixture_run_until(f, 3 * 300 - 1);
    assert_string_equal(fixture_history(f, "m10", UNITS), "GGG");
    assert_string_equal(fixture_history(f, "m01", 1), "TTT");
}

/* A byte to whoever is connected. */
static void
babble(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    for (int i = 0; i < SERVER_CONNECTIONS; i++)
        if (server->connection[i].fd >= 0)
            server_send(&server->connection[i], (const uint8_t *)"\xff", 1);
}

/* Something on the line never stops; it is asked all the same. */
static void
never_quiet(void **state)
{
    (void)state;
    struct event *timer = event_new(f->base, -1, EV_PERSIST, babble, NULL);
    event_add(timer, &(struct timeval){.tv_usec = 5000});
    server->rtu = true;
    fixture_poll(f, gateway("1,0,100"),
                 "a,2020-01-01,,context,g,1,slow,900\n"
                 "b,2020-01-01,,context,g,2,slow,900\n");
    fixture_run_until(f, 2 * 900 - 1);
    assert_string_equal(fixture_history(f, "a", 1), "GG");
    assert_string_equal(fixture_history(f, "b", 2), "GG");
    event_free(timer);
}

/* The device needs its time, whoever hung up. */
static void
keeps_the_gap(void **state)
{
    (void)state;
    server->script = "c";
    fixture_poll(f, gateway("1,200,1000"),
                 "a,2020-01-01,,context,g,1,one,900\n"
                 "b,2020-01-01,,context,g,2,one,900\n");
    int64_t start_us = clock_io_us();
    fixture_run_until(f, 899);
    assert_string_equal(fixture_history(f, "a", 1), "L");
    assert_string_equal(fixture_history(f, "b", 2), "G");
    if (clock_io_us() - start_us < 200 * 1000)
        fail_msg("asked after %d us", (int)(clock_io_us() - start_us));
}

/* The loop is held up until the deadline is over, by a slow disk say; the answer comes in
 * before it can look. */
static void
is_held_up(void **state)
{
    (void)state;
    struct poller_stats stats = {0};
    fixture_poll(f, gateway("1,0,100"), "a,2020-01-01,,context,g,1,one,900\n");
    while (stats.inflight == 0) {
        event_base_loop(f->base, EVLOOP_ONCE);
        poller_stats(f->poller, &stats);
    }
    assert_int_equal(server->requests, 0);
    steady_skip(150);
    fixture_run_until(f, 899);
    assert_string_equal(fixture_history(f, "a", 1), "G");
}

int
main(void)
{
    static int one = 1, four = 4;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slammed_in_the_pause, start, stop),
        cmocka_unit_test_setup_teardown(keeps_the_gap, start, stop),
        cmocka_unit_test_setup_teardown(never_quiet, start, stop),
        cmocka_unit_test_setup_teardown(is_held_up, start, stop),
        {"last of many, one in flight", last_of_many, NULL, stop, &one},
        {"last of many, four in flight", last_of_many, NULL, stop, &four},
    };
    return cmocka_run_group_tests_name("poll_links", tests, NULL, NULL);
}
