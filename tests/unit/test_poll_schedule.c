/* Who is read when, over which connection, in how many requests. */
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

enum {
    QUARTER_S = 900
};

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
    assert_int_equal(server->not_reads, 0);
    server_stop(server);
    fixture_free(f);
    return 0;
}

/* Rows of gateways.csv at the server; `more` is "max_inflight,min_gap_ms,timeout_ms". */
static const char *
gateway(const char *id, const char *more)
{
    static char text[2][128];
    static int i;
    i = !i;
    snprintf(text[i], sizeof text[i], "%s,tcp,127.0.0.1:%u,%s\n", id, server->port, more);
    return text[i];
}

static void
reads_at_exactly_the_due_times(void **state)
{
    (void)state;
    fixture_poll(f, gateway("g", "1,0,1000"),
                 "a,2020-01-01,,context,g,1,one,900\n"
                 "b,2020-01-01,,context,g,2,one,900\n"
                 "c,2020-01-01,,context,g,3,one,10\n");
    fixture_run_until(f, 4 * QUARTER_S - 1);
    assert_string_equal(fixture_history(f, "a", 1),
                        "GGGG"); /* also the one at the start */
    assert_string_equal(fixture_history(f, "b", 2), "GGGG");
    assert_int_equal(strlen(fixture_history(f, "c", 3)), 360);
    assert_int_equal(strspn(fixture_history(f, "c", 3), "G"), 360);
    for (int i = 0; i < f->nevents; i++) {
        const struct lw_event *e = &f->event[i];
        if (strcmp(f->ledger->meter[e->reading.meter].id, "c") != 0)
            assert_int_equal(e->at.ms % (QUARTER_S * 1000), 0);
        assert_int_equal(e->reading.received.ms, e->at.ms);
        assert_int_equal(e->reading.have, 1 << LW_IMPORT | 1 << LW_EXPORT);
        assert_int_equal(e->reading.q, LW_GOOD);
    }
    struct poller_stats stats;
    poller_stats(f->poller, &stats);
    assert_int_equal(stats.polls[POLL_GOOD], 368);
    assert_int_equal(stats.link.connects, 1);
    assert_int_equal(stats.gateways_up, 1);
    assert_int_equal(stats.inflight, 0);
    struct poller_gateway g;
    poller_gateway(f->poller, 0, &g);
    assert_int_equal(g.state, LINK_UP);
    assert_int_equal(g.polls[POLL_GOOD], 368);
    assert_int_equal(g.meters, 3);
    assert_int_equal(g.meters_silent, 0);
}

static void
follows_an_exchange(void **state)
{
    (void)state;
    struct poller_gateway g;
    /* 2023-11-14T22:00:00Z is the start; the exchange is at 22:20 */
    fixture_poll(f, gateway("g", "1,0,1000"),
                 "old,2020-01-01,2023-11-14T22:20:00Z,context,g,1,one,900\n"
                 "gone,2020-01-01,2021-01-01,context,g,2,one,900\n"
                 "new,2023-11-14T22:20:00Z,,context,g,1,one,900\n");
    poller_gateway(f->poller, 0, &g);
    assert_int_equal(g.meters, 2);
    fixture_run_until(f, 4 * QUARTER_S - 1);
    assert_string_equal(fixture_history(f, "old", 1), "GG");
    assert_string_equal(fixture_history(f, "gone", 2), "");
    assert_string_equal(fixture_history(f, "new", 1), "GG");
    poller_gateway(f->poller, 0, &g);
    assert_int_equal(g.meters, 1);
}

static void
shares_one_connection(void **state)
{
    (void)state;
    char gateways[300];
    snprintf(gateways, sizeof gateways, "%s%s", gateway("g1", "4,0,1000"),
             gateway("g2", "2,0,1000"));
    fixture_poll(f, gateways,
                 "a,2020-01-01,,context,g1,1,one,900\n"
                 "b,2020-01-01,,context,g1,2,one,900\n"
                 "c,2020-01-01,,context,g2,3,one,900\n");
    fixture_run_until(f, QUARTER_S - 1);
    assert_int_equal(f->nevents, 3);
    assert_int_equal(server->connections, 1);
    assert_int_equal(server->unanswered_most, 2); /* the smaller max_inflight */
}

static void
sends_what_fits_at_once(void **state)
{
    (void)state;
    char meters[2000] = "";
    for (int i = 1; i <= 20; i++)
        snprintf(meters + strlen(meters), 80, "m%d,2020-01-01,,context,g,%d,one,900\n", i,
                 i);
    fixture_poll(f, gateway("g", "8,0,1000"), meters);
    fixture_run_until(f, QUARTER_S - 1);
    assert_int_equal(f->nevents, 20);
    for (int i = 0; i < f->nevents; i++)
        assert_true(fixture_is_right(
            &f->event[i],
            (unsigned)atoi(f->ledger->meter[f->event[i].reading.meter].id + 1)));
    assert_int_equal(server->unanswered_most, 8);
}

static void
remembers_a_refused_join(void **state)
{
    (void)state;
    server->one_by_one = true;
    fixture_poll(f, gateway("g", "1,0,1000"),
                 "a,2020-01-01,,context,g,1,one,900\n"
                 "b,2020-01-01,,context,g,2,one,900\n");
    fixture_run_until(f, QUARTER_S - 1);
    assert_int_equal(server->requests, 2 * (1 + 2));
    fixture_run_until(f, 2 * QUARTER_S - 1);
    assert_int_equal(server->requests, 2 * (1 + 2 + 2));
    assert_string_equal(fixture_history(f, "a", 1), "GG");
    assert_string_equal(fixture_history(f, "b", 2), "GG");
}

static void
keeps_gap_and_pause(void **state)
{
    (void)state;
    fixture_poll(f, gateway("g", "4,0,1000"),
                 "a,2020-01-01,,context,g,1,slow,900\n"
                 "b,2020-01-01,,context,g,2,one,900\n"
                 "c,2020-01-01,,context,g,3,one,900\n");
    int64_t start_us = clock_io_us();
    fixture_run_until(f, QUARTER_S - 1);
    assert_int_equal(f->nevents, 3);
    assert_true(clock_io_us() - start_us >= 1000 * (120 + 2 * 40));
    assert_int_equal(server->unanswered_most, 1);
}

static void
asks_silent_units_less_often(void **state)
{
    (void)state;
    static char silent[1000];
    memset(silent, 's', sizeof silent - 1);
    server->script = silent;
    fixture_poll(f, gateway("g", "1,0,100"),
                 "silent,2020-01-01,,context,g,1,one,10\n"
                 "fine,2020-01-01,,context,g,2,one,10\n");
    fixture_run_until(f, 3600);
    const char *history = fixture_history(f, "silent", 1);
    size_t n = strlen(history);
    assert_int_equal(strspn(history, "T"), n);
    if (n < 12 || n > 24) /* 5 s, 10 s, … 5 min, with jitter */
        fail_msg("asked %zu times", n);
    assert_int_equal(strspn(fixture_history(f, "fine", 2), "G"), 360);
    struct poller_gateway g;
    poller_gateway(f->poller, 0, &g);
    assert_int_equal(g.meters_silent, 1);
    assert_int_equal(g.state, LINK_UP);
    /* and once it answers, on schedule again */
    server->script = "";
    f->nevents = 0;
    fixture_run_until(f, 3600 + 400 + 100);
    assert_true(strlen(fixture_history(f, "silent", 1)) >= 10);
    poller_gateway(f->poller, 0, &g);
    assert_int_equal(g.meters_silent, 0);
}

static void
asks_slow_ones_on_schedule(void **state)
{
    (void)state;
    static char silent[1000];
    memset(silent, 's', sizeof silent - 1);
    server->script = silent;
    fixture_poll(f, gateway("g", "1,0,100"), "silent,2020-01-01,,context,g,1,one,300\n");
    fixture_run_until(f, 3599);
    const char *history = fixture_history(f, "silent", 1);
    assert_int_equal(strspn(history, "T"), 12);
    assert_int_equal(strlen(history), 12);
}

static void
no_gateway_is_no_loss_to_others(void **state)
{
    (void)state;
    char gateways[300];
    /* A port where nothing listens: bound, not listening. */
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(gateways, sizeof gateways, "%saway,tcp,127.0.0.1:%u,1,0,1000\n",
             gateway("here", "1,0,1000"), ntohs(address.sin_port));
    fixture_poll(f, gateways,
                 "here,2020-01-01,,context,here,1,one,60\n"
                 "often,2020-01-01,,context,away,3,one,60\n"
                 "a,2020-01-01,,context,away,1,one,900\n"
                 "b,2020-01-01,,context,away,2,one,900\n");
    fixture_run_until(f, 8 * QUARTER_S - 1);
    assert_string_equal(fixture_history(f, "a", 1), "LLLLLLLL");
    assert_string_equal(fixture_history(f, "b", 1), "LLLLLLLL");
    assert_int_equal(strspn(fixture_history(f, "here", 1), "G"), 120);
    assert_int_equal(strspn(fixture_history(f, "often", 1), "L"), 120);
    struct poller_gateway g;
    poller_gateway(f->poller, 0, &g); /* by id: away, here */
    assert_int_equal(g.state, LINK_BACKOFF);
    assert_int_equal(g.polls[POLL_LINK], 16 + 120);
    close(fd);
}

static void
refuses_what_it_cannot_poll(void **state)
{
    (void)state;
    static const struct {
        const char *name, *gateways, *profile, *want;
    } rows[] = {
        {"a transport", "g,tls,127.0.0.1:802,1,0,1000\n", "one",
         "not built yet: transport tls"},
        {"an address with a slip", "g,tcp,127.0.0.1.1:502,1,0,1000\n", "one",
         "expected host:port"},
        {"a host that is none", "g,tcp,gw_1..example:502,1,0,1000\n", "one",
         "expected host:port"},
        {"a name without a port", "g,tcp,gw.example.com,1,0,1000\n", "one",
         "expected host:port"},
        {"a port too high", "g,tcp,gw.example.com:65536,1,0,1000\n", "one",
         "expected host:port"},
        {"a device that is none", "g,rtu,COM1,1,0,1000\n", "one",
         "expected the path of a device"},
        {"a rate that is none", "g,rtu,/dev/ttyS0,1,0,1000,,9601\n", "one", "baud 9601"},
        {"seven bits", "g,rtu,/dev/ttyS0,1,0,1000,,9600,,7\n", "one", "RTU needs 8"},
        {"a listener by name", "g,dial_in_rtu,gw.example.com:9502,1,0,1000,A\n", "one",
         "address:port to listen on"},
        {"nobody registers", "g,dial_in_tcp,127.0.0.1:9502,1,0,1000,\n", "one",
         "registration \"\""},
        {"half a byte registers", "g,dial_in_tcp,127.0.0.1:9502,1,0,1000,hex:1\n", "one",
         "registration \"hex:1\""},
        {"two kinds at one address",
         "g,tcp,127.0.0.1:502,1,0,1000\nh,rtu_over_tcp,127.0.0.1:502,1,0,1000\n", "one",
         "and another transport"},
        {"two names of one address",
         "g,tcp,GW.example:502,1,0,1000\nh,rtu_over_tcp,gw.example:502,1,0,1000\n", "one",
         "and another transport"},
        {"a line of two rates",
         "g,rtu,/dev/ttyS0,1,0,1000,,9600\nh,rtu,/dev/ttyS0,1,0,1000,,19200\n", "one",
         "and another baud"},
        {"one registers twice, otherwise",
         "g,dial_in_tcp,127.0.0.1:9502,1,0,1000,A\n"
         "h,dial_in_rtu,127.0.0.1:9502,1,0,1000,A\n",
         "one", "and another transport"},
        {"no port", "g,tcp,127.0.0.1,1,0,1000\n", "one", "expected host:port"},
        {"port 0", "g,tcp,127.0.0.1:0,1,0,1000\n", "one", "expected host:port"},
        {"a letter in a port", "g,tcp,127.0.0.1:5O2,1,0,1000\n", "one",
         "expected host:port"},
        {"a port beyond 32 bits", "g,tcp,[::1]:4294967798,1,0,1000\n", "one",
         "expected host:port"},
        {"a letter after localhost's port", "g,tcp,localhost:502x,1,0,1000\n", "one",
         "expected host:port"},
        {"everybody's unit", "g,rtu_over_tcp,127.0.0.1:502,1,0,1000\n", "zero",
         "expected 1 to 255"},
        {"a profile", "g,tcp,[::1]:502,1,0,1000\n", "nome", "no profile \"nome\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char meters[200];
        bool zero = strcmp(rows[i].profile, "zero") == 0;
        snprintf(meters, sizeof meters, "m,2020-01-01,,context,g,%d,%s,900\n", !zero,
                 zero ? "one" : rows[i].profile);
        memset(&f->faults, 0, sizeof f->faults);
        int rc = fixture_try(f, rows[i].gateways, meters);
        if (rc != LW_EPARSE || f->faults.n != 1 || f->poller != NULL ||
            strstr(f->faults.fault[0].text, rows[i].want) == NULL)
            fail_msg("%s: %d: %s", rows[i].name, rc, f->faults.fault[0].text);
        lw_ledger_free(f->ledger);
        f->ledger = NULL;
    }
}

static void
an_empty_ledger_is_fine(void **state)
{
    (void)state;
    struct poller_stats stats;
    fixture_poll(f, "", "");
    fixture_run_until(f, 10);
    poller_stats(f->poller, &stats);
    assert_int_equal(stats.gateways, 0);
    assert_int_equal(f->nevents, 0);
}

static void
goes_away_in_the_middle(void **state)
{
    (void)state;
    server->script = "s";
    fixture_poll(f, gateway("g", "1,0,1000"),
                 "a,2020-01-01,,context,g,1,one,900\n"
                 "b,2020-01-01,,context,g,2,one,900\n");
    for (int i = 0; i < 20; i++)
        event_base_loop(f->base, EVLOOP_NONBLOCK);
    assert_int_equal(server->requests, 1); /* under way, and another waits */
    poller_free(f->poller);
    f->poller = NULL;
    fixture_run_until(f, 10); /* nothing holds the clock any more */
    assert_int_equal(f->nevents, 0);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(reads_at_exactly_the_due_times),  TEST(follows_an_exchange),
        TEST(shares_one_connection),           TEST(sends_what_fits_at_once),
        TEST(remembers_a_refused_join),        TEST(keeps_gap_and_pause),
        TEST(asks_silent_units_less_often),    TEST(asks_slow_ones_on_schedule),
        TEST(no_gateway_is_no_loss_to_others), TEST(refuses_what_it_cannot_poll),
        TEST(an_empty_ledger_is_fine),         TEST(goes_away_in_the_middle),
    };
    return cmocka_run_group_tests_name("poll_schedule", tests, NULL, NULL);
}
