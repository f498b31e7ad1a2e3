/* Whatever a device or the line does, a reading is right or missing, never wrong; the bus
 * recovers, and others do not notice. */
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

enum {
    INTERVAL_S = 60,
    RUN_S = 300 * INTERVAL_S
};

struct row {
    const char *name;
    const char *script; /* of the bad unit's answers, tests/faults/fault_answers.h */
    const char *want;   /* how the bad unit's reads begin; all after that are good */
};

/* The first read is good where the script begins with g: then a failure is retried. */
static const struct row rows[] = {
    {"all is well", "", "GGG"},
    {"a byte at a time", "gdddd", "GGGGG"},
    {"half a frame", "gh", "GG"},
    {"half a frame, at first", "h", "TG"},
    {"half frames twice", "ghh", "GTG"},
    {"another transaction", "gi", "GG"},
    {"another transaction, at first", "i", "TG"},
    {"another unit", "gu", "GG"},
    {"another unit twice", "guu", "GTG"},
    {"another function", "gff", "GTG"},
    {"fewer registers", "gll", "GTG"},
    {"a byte count that is not so", "gbb", "GTG"},
    {"an exception without a code", "gee", "GTG"},
    {"oversize", "go", "GG"},
    {"oversize twice", "goo", "GLG"},
    {"another protocol", "gpp", "GLG"},
    {"garbage before the frame", "gn", "GG"},
    {"garbage before the frame, twice", "gnn", "GLG"},
    {"garbage after the frame", "gmg", "GGG"},
    {"the answer twice", "gtttt", "GGGG"},
    {"an answer after the timeout", "gz", "GG"},
    {"answers after the timeout", "gzzzz", "GTTTG"},
    {"an answer after the timeout, at first", "z", "TG"},
    {"silent once", "gs", "GG"},
    {"silent at first", "s", "TG"},
    {"silent for long", "gsssssssss", "GTTTTTTTTG"},
    {"illegal function", "g11", "GXG"},
    {"no such address", "g2", "GG"}, /* it is read register by register then */
    {"no such address at all", "g222222222", "GXXG"},
    {"device failure", "g44", "GXG"},
    {"busy once", "g6", "GG"},
    {"the line behind the gateway is gone", "gAA", "GXG"},
    {"the unit does not answer the gateway", "gBB", "GXG"},
    {"no value", "gvg", "GVG"},
    {"reset", "gr", "GG"},
    {"reset twice", "grr", "GLG"},
    {"reset at first", "r", "LG"},
    {"closed", "gc", "GG"},
    {"closed time and again", "gcgcgcgc", "GGGGG"},
    {"a connection that goes silent", "gq", "GTTG"},
    {"everything", "gdhiuflbeopnmtzsv12346ABrcq", ""},
};

static struct fixture *f;
static struct fault_server *bad, *fine;

static void
poll_for(const struct row *row, int inflight, const char *profile)
{
    char gateways[512], meters[1024];
    f = fixture_new(true);
    bad = server_start(f->base, f->clock, row->script);
    fine = server_start(f->base, f->clock, "");
    snprintf(gateways, sizeof gateways,
             "bad,tcp,127.0.0.1:%u,%d,0,100\n"
             "fine,tcp,localhost:%u,%d,0,100\n",
             bad->port, inflight, fine->port, inflight);
    snprintf(meters, sizeof meters,
             "bad,2020-01-01,,context,bad,1,%s,%d\n"
             "beside,2020-01-01,,context,bad,2,%s,%d\n"
             "other,2020-01-01,,context,fine,1,%s,%d\n",
             profile, INTERVAL_S, profile, INTERVAL_S, profile, INTERVAL_S);
    fixture_poll(f, gateways, meters);
    fixture_run_until(f, RUN_S - 1);
}

static int
stop(void **state)
{
    (void)state;
    server_stop(bad);
    server_stop(fine);
    fixture_free(f);
    return 0;
}

/* All as it should be, and at the end all is good again. */
static void
expect_recovery(const char *history, const char *meter, const struct row *row)
{
    size_t n = strlen(history);
    if (strchr(history, 'W') != NULL)
        fail_msg("%s: %s: a wrong reading: %s", row->name, meter, history);
    if (n < 10 || strcmp(history + n - 3, "GGG") != 0)
        fail_msg("%s: %s does not recover: %s", row->name, meter, history);
}

static void
check_row(const struct row *row, int inflight, const char *profile)
{
    poll_for(row, inflight, profile);
    expect_recovery(fixture_history(f, "bad", 1), "bad", row);
    if (inflight == 1 && strcmp(profile, "one") == 0 &&
        strncmp(fixture_history(f, "bad", 1), row->want, strlen(row->want)) != 0)
        fail_msg("%s: %s, not %s", row->name, fixture_history(f, "bad", 1), row->want);
    expect_recovery(fixture_history(f, "beside", 2), "beside", row);
    const char *other = fixture_history(f, "other", 1);
    if (strspn(other, "G") != RUN_S / INTERVAL_S || strlen(other) != strspn(other, "G"))
        fail_msg("%s: another gateway noticed: %s", row->name, other);
    assert_true(bad->unanswered_most <= inflight);
    /* the wire: function codes 1 to 4, whole frames, and nothing else */
    assert_int_equal(bad->not_reads, 0);
    assert_int_equal(fine->not_reads, 0);
    assert_true(fine->requests > 0);
}

static void
one_in_flight(void **state)
{
    check_row(*state, 1, "one");
}

static void
four_in_flight(void **state)
{
    check_row(*state, 4, "one");
}

static void
several_reads(void **state)
{
    check_row(*state, 1, "two");
}

int
main(void)
{
    enum {
        ROWS = sizeof rows / sizeof rows[0]
    };
    static const struct {
        const char *name;
        CMUnitTestFunction fn;
    } ways[] = {
        {"one in flight", one_in_flight},
        {"four in flight", four_in_flight},
        {"several reads a meter", several_reads},
    };
    enum {
        WAYS = sizeof ways / sizeof ways[0]
    };
    static struct CMUnitTest tests[ROWS * WAYS];
    static char names[ROWS * WAYS][96];
    for (size_t i = 0; i < ROWS * WAYS; i++) {
        snprintf(names[i], sizeof names[i], "%s: %s", ways[i / ROWS].name,
                 rows[i % ROWS].name);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = ways[i / ROWS].fn,
                                       .teardown_func = stop,
                                       .initial_state = (void *)&rows[i % ROWS]};
    }
    return cmocka_run_group_tests_name("poll_faults", tests, NULL, NULL);
}
