/* A reload: what did not change goes on as if there had been none. */
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

static struct fixture *f;
static struct fault_server *server, *other;

static int
start(void **state)
{
    (void)state;
    f = fixture_new(true);
    server = server_start(f->base, f->clock, "");
    other = server_start(f->base, f->clock, "");
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    server_stop(server);
    server_stop(other);
    fixture_free(f);
    return 0;
}

static const char *
rows_of(const char *transport, const struct fault_server *first)
{
    static char text[512];
    snprintf(text, sizeof text,
             "a,%s,127.0.0.1:%u,1,0,100\n"
             "b,%s,127.0.0.1:%u,1,0,100\n",
             transport, first->port, transport, other->port);
    return text;
}

static struct poller_meter
meter(const char *id)
{
    struct poller_meter m;
    int32_t i = lw_ledger_meter(f->ledger, id, strlen(id), clock_now(f->clock).wall);
    assert_true(i >= 0);
    poller_meter(f->poller, i, &m);
    return m;
}

static struct poller_gateway
gateway(int32_t i)
{
    struct poller_gateway g;
    poller_gateway(f->poller, i, &g);
    return g;
}

static const char METERS[] = "dead,2020-01-01,,context,a,1,one,10\n"
                             "fine,2020-01-01,,context,a,2,one,10\n"
                             "more,2020-01-01,,context,b,3,one,10\n";

/* The dead one is the fault server's bad unit: it never answers. */
static void
goes_on(void **state)
{
    static char silent[1000];
    (void)state;
    memset(silent, 's', sizeof silent - 1);
    server->script = silent;
    fixture_poll(f, rows_of("tcp", server), METERS);
    fixture_run_until(f, 600);
    struct poller_meter dead = meter("dead"), fine = meter("fine");
    uint64_t good = gateway(0).polls[POLL_GOOD];
    assert_true(dead.silent && dead.failures > 4);
    assert_false(fine.silent);
    f->nevents = 0;
    fixture_reload(f, rows_of("tcp", server),
                   "new,2020-01-01,,context,a,7,one,10\n"
                   "dead,2020-01-01,,context,a,1,one,10\n"
                   "fine,2020-01-01,,context,a,2,one,10\n"
                   "more,2020-01-01,,context,b,3,one,10\n");
    struct poller_meter after = meter("dead");
    assert_int_equal(after.failures, dead.failures);
    assert_int_equal(after.next.ms, dead.next.ms);
    assert_true(after.silent);
    assert_int_equal(meter("fine").next.ms, fine.next.ms);
    assert_int_equal(gateway(0).polls[POLL_GOOD], good);
    assert_int_equal(gateway(0).meters, 3);
    assert_int_equal(gateway(0).meters_silent, 1);
    assert_int_equal(gateway(0).state, LINK_UP);
    fixture_run_until(f, 620);
    assert_string_equal(fixture_history(f, "dead", 1), "");
    assert_string_equal(fixture_history(f, "fine", 2), "GG");
    assert_string_equal(fixture_history(f, "new", 7), "GG");
    assert_string_equal(fixture_history(f, "more", 3), "GG");
    assert_int_equal(server->connections, 1);
    assert_int_equal(other->connections, 1);
}

/* What did change begins anew: another address, another unit. */
static void
what_changed_begins_anew(void **state)
{
    (void)state;
    server->script = "ssssssss";
    fixture_poll(f, rows_of("tcp", server), METERS);
    fixture_run_until(f, 100);
    assert_true(meter("dead").failures > 0);
    f->nevents = 0;
    struct fault_server *moved = server_start(f->base, f->clock, "");
    fixture_reload(f, rows_of("tcp", moved),
                   "dead,2020-01-01,,context,a,1,one,10\n"
                   "fine,2020-01-01,,context,a,2,one,10\n"
                   "more,2020-01-01,,context,b,5,one,10\n");
    assert_int_equal(meter("dead").failures, 0);
    assert_int_equal(meter("dead").last, POLL_RESULTS);
    fixture_run_until(f, 120);
    assert_string_equal(fixture_history(f, "dead", 1), "GG");
    assert_string_equal(fixture_history(f, "more", 5), "GG");
    assert_int_equal(moved->connections, 1);
    assert_int_equal(other->connections, 1);
    server_stop(moved);
}

/* A gateway that is away is not tried for earlier than it would have been. */
static void
keeps_a_gateways_backoff(void **state)
{
    (void)state;
    char gateways[200];
    const char *row = "away,2020-01-01,,context,a,1,one,10\n";
    struct fault_server *gone = server_start(f->base, f->clock, "");
    snprintf(gateways, sizeof gateways, "a,tcp,127.0.0.1:%u,1,0,100\n", gone->port);
    server_stop(gone);
    fixture_poll(f, gateways, row);
    fixture_run_until(f, 300);
    struct poller_gateway before = gateway(0);
    assert_int_equal(before.state, LINK_BACKOFF);
    assert_true(before.retry_ms > 0);
    fixture_reload(f, gateways, row);
    assert_int_equal(gateway(0).state, LINK_BACKOFF);
    assert_int_equal(gateway(0).retry_ms, before.retry_ms);
    assert_int_equal(gateway(0).link.refused, before.link.refused);
    fixture_run_until(f, 300 + before.retry_ms / 1000 + 60);
    assert_true(gateway(0).link.refused > before.link.refused);
}

/* The reload comes while a read is under way, whose late answer must not be taken for
 * another's; with RTU frames nothing but time tells. */
static void
reads_again_what_was_under_way(void **state)
{
    static const char *const transports[] = {"tcp", "rtu_over_tcp"};
    (void)state;
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        print_message("  %s\n", transports[i]);
        if (i > 0) {
            stop(NULL);
            start(NULL);
        }
        server->rtu = other->rtu = i == 1;
        server->script = "gw";
        if (i == 0)
            server->script = "gz";
        fixture_poll(f, rows_of(transports[i], server), METERS);
        fixture_run_until(f, 9);
        f->nevents = 0;
        while (server->script[0] != '\0')
            event_base_loop(f->base, EVLOOP_ONCE);
        fixture_reload(f, rows_of(transports[i], server), METERS);
        fixture_run_until(f, 60);
        const char *dead = fixture_history(f, "dead", 1);
        if (strspn(dead, "G") != strlen(dead) || strlen(dead) < 5)
            fail_msg("%s: %s", transports[i], dead);
        const char *fine = fixture_history(f, "fine", 2);
        if (strspn(fine, "G") != strlen(fine) || strlen(fine) < 5)
            fail_msg("%s: %s", transports[i], fine);
        assert_int_equal(server->connections, 1);
    }
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(goes_on),
        TEST(what_changed_begins_anew),
        TEST(keeps_a_gateways_backoff),
        TEST(reads_again_what_was_under_way),
    };
    return cmocka_run_group_tests_name("poll_reload", tests, NULL, NULL);
}
