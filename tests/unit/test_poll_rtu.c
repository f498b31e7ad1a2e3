/* RTU over TCP, whose replies have no number: whatever comes, a reading is right or
 * missing, and the bus recovers. */
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

enum {
    INTERVAL_S = 60,
    RUN_S = 60 * INTERVAL_S
};

static const struct row {
    const char *name;
    const char *script;      /* of the bad unit's answers, tests/faults/fault_answers.h */
    const char *want;        /* how the bad unit's reads begin; all after that are good */
    const char *profile;     /* NULL: one read a meter; two reads: "two", "same" */
    int corrupt, wrong_unit; /* -1: that depends */
} rows[] = {
    {"all is well", "", "GGG", NULL, 0, 0},
    {"two reads a meter", "", "GGG", "two", 0, 0},
    {"a byte at a time", "gdd", "GGG", NULL, 0, 0},
    {"half a frame", "gh", "GG", NULL, 0, 0},
    {"half frames twice", "ghh", "GTG", NULL, 0, 0},
    {"a wrong CRC", "gx", "GG", NULL, 1, 0},
    {"another unit's", "gu", "GG", NULL, 0, 1},
    {"another function's, twice", "gff", "GTG", NULL, 0, 2},
    {"fewer registers", "gll", "GTG", NULL, 0, 2},
    {"an exception", "g2", "GG", NULL, 0, 0}, /* it is read register by register then */
    {"garbage before the frame", "gnn", "GGG", NULL, 0, 0},
    {"garbage after the frame", "gmm", "GGG", NULL, 0, 0},
    {"a heartbeat before the frame", "g..", "GGG", NULL, 0, 0},
    {"the frame's beginning before it", "gaa", "GGG", NULL, 2, 0},
    {"the answer twice", "gttt", "GGGG", NULL, 0, 3},
    {"an answer after the timeout", "gz", "GG", NULL, 0, 1},
    {"answers after the timeout", "gzzz", "GTTG", NULL, 0, 3},
    {"late answers to either of two reads", "gzggzgzgzz", "", "two", 0, 5},
    {"the next reply's shape, after the silence", "gggZwwww", "", "same", 0, -1},
    {"time and again", "gggZwwwwZwZwwwZsZwww", "", "same", 0, -1},
    {"silent for a while", "gssss", "GTTTG", NULL, 0, 0},
    {"reset", "gr", "GG", NULL, 0, 0},
    {"closed", "gc", "GG", NULL, 0, 0},
    {"closed, and the answer comes with the next one", "gggk", "GG", "same", 0, -1},
    {"everything", "gdhxufl2nm.atzsrcwZ", "", "same", 2, -1},
};

static struct fixture *f;
static struct fault_server *server;

static void
is_right_or_missing(void **state)
{
    const struct row *row = *state;
    char gateways[128], meters[256];
    struct poller_stats stats;
    f = fixture_new(true);
    server = server_start(f->base, f->clock, row->script);
    server->rtu = true;
    snprintf(gateways, sizeof gateways, "g,rtu_over_tcp,127.0.0.1:%u,4,0,100\n",
             server->port);
    const char *profile = row->profile != NULL ? row->profile : "one";
    snprintf(meters, sizeof meters,
             "bad,2020-01-01,,context,g,1,%s,%d\nbeside,2020-01-01,,context,g,2,%s,%d\n",
             profile, INTERVAL_S, profile, INTERVAL_S);
    fixture_poll(f, gateways, meters);
    fixture_run_until(f, RUN_S - 1);
    for (unsigned unit = 1; unit <= 2; unit++) {
        const char *history = fixture_history(f, unit == 1 ? "bad" : "beside", unit);
        size_t n = strlen(history);
        if (strchr(history, 'W') != NULL)
            fail_msg("%s: unit %u: a wrong reading: %s", row->name, unit, history);
        if (n < 10 || strcmp(history + n - 3, "GGG") != 0)
            fail_msg("%s: unit %u does not recover: %s", row->name, unit, history);
        if (unit == 1 && strncmp(history, row->want, strlen(row->want)) != 0)
            fail_msg("%s: %s, not %s", row->name, history, row->want);
    }
    poller_stats(f->poller, &stats);
    assert_int_equal(stats.link.corrupt, row->corrupt);
    if (row->wrong_unit >= 0)
        assert_int_equal(stats.link.wrong_unit, row->wrong_unit);
    assert_int_equal(server->unanswered_most, 1); /* whatever max_inflight says */
    assert_int_equal(server->not_reads, 0);
}

static int
stop(void **state)
{
    (void)state;
    server_stop(server);
    fixture_free(f);
    return 0;
}

int
main(void)
{
    enum {
        ROWS = sizeof rows / sizeof rows[0]
    };
    static struct CMUnitTest tests[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = is_right_or_missing,
                                       .teardown_func = stop,
                                       .initial_state = (void *)&rows[i]};
    return cmocka_run_group_tests_name("poll_rtu", tests, NULL, NULL);
}
