/* Serial lines, with libmodbus in its thread: what a line may do, a device that goes away
 * and comes back, one that somebody else has, and numbers over FD_SETSIZE. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/select.h>

#include "daemon/poll/stream.h"
#include "tests/faults/fixture.h"
#include "tests/faults/steady.h"

enum {
    INTERVAL_S = 60,
    RUN_S = 120 * INTERVAL_S
};

static const struct row {
    const char *name;
    const char *script;  /* of the bad unit's answers, tests/faults/fault_answers.h */
    const char *want;    /* how the bad unit's reads begin; all after that are good */
    const char *profile; /* "two": two reads a meter, of the same length */
} rows[] = {
    {"all is well", "", "GGG", "one"},
    {"another unit's", "guu", "GTG", "one"},
    {"a wrong CRC", "gx", "GG", "one"},
    {"an exception", "g2", "GG", "one"},
    {"answers after the timeout", "gzzggz", "", "two"},
    {"everything", "gdhxufl2nm.atzs", "", "two"},
};

/* What libmodbus waits with: for so long of the loop's time, in which the device answers.
 */
int
select(int n, fd_set *in, fd_set *out, fd_set *except, struct timeval *left)
{
    const struct timespec step = {.tv_nsec = STEADY_STEP_MS * 1000000};
    int64_t left_us = left->tv_sec * INT64_C(1000000) + left->tv_usec;
    int64_t until_us = steady_loop_us + left_us;
    fd_set want = *in; /* it reads, and no more */
    int rc;
    while ((rc = pselect(n, in, out, except, &step, NULL)) == 0 &&
           steady_loop_us < until_us)
        *in = want;
    left_us = until_us - steady_loop_us;
    left_us = left_us > 0 ? left_us : 0;
    *left = (struct timeval){left_us / 1000000, left_us % 1000000};
    return rc;
}

static struct fixture *f;
static struct fault_server *server;
static char device[72];

static void
start_line(const char *script)
{
    f = fixture_new(true);
    snprintf(device, sizeof device, "%s-tty", f->dir);
    server = server_start_line(f->base, f->clock, script, device);
}

static void
poll_line(const char *profile)
{
    char gateways[128], meters[256];
    snprintf(gateways, sizeof gateways, "g,rtu,%s,1,0,100,,19200,even\n", device);
    snprintf(meters, sizeof meters,
             "bad,2020-01-01,,context,g,1,%s,%d\nbeside,2020-01-01,,context,g,2,%s,%d\n",
             profile, INTERVAL_S, profile, INTERVAL_S);
    fixture_poll(f, gateways, meters);
}

static void
expect_recovery(const char *name, const char *meter, unsigned unit, const char *want)
{
    const char *history = fixture_history(f, meter, unit);
    size_t n = strlen(history);
    if (strchr(history, 'W') != NULL)
        fail_msg("%s: %s: a wrong reading: %s", name, meter, history);
    if (n < 10 || strcmp(history + n - 3, "GGG") != 0)
        fail_msg("%s: %s does not recover: %s", name, meter, history);
    if (strncmp(history, want, strlen(want)) != 0)
        fail_msg("%s: %s: %s, not %s", name, meter, history, want);
}

static void
is_right_or_missing(void **state)
{
    const struct row *row = *state;
    start_line(row->script);
    poll_line(row->profile);
    fixture_run_until(f, RUN_S - 1);
    expect_recovery(row->name, "bad", 1, row->want);
    expect_recovery(row->name, "beside", 2, "");
    assert_int_equal(server->not_reads, 0);
}

static void
goes_away_and_comes_back(void **state)
{
    (void)state;
    struct poller_stats stats;
    start_line("");
    poll_line("one");
    fixture_run_until(f, 10 * INTERVAL_S - 1);
    server_stop(server);
    unlink(device);
    fixture_run_until(f, 20 * INTERVAL_S - 1);
    server = server_start_line(f->base, f->clock, "", device);
    fixture_run_until(f, 60 * INTERVAL_S - 1);
    expect_recovery("unplugged", "bad", 1, "GGGGGGGGGGLLL");
    expect_recovery("unplugged", "beside", 2, "GGGGGGGGGGLLL");
    poller_stats(f->poller, &stats);
    assert_int_equal(stats.link.connects, 2);
    assert_int_equal(stats.link.disconnects, 1);
}

static void
is_left_to_who_has_it(void **state)
{
    (void)state;
    start_line("");
    struct termios its = {0}, now = {0};
    int other = open(device, O_RDWR | O_NOCTTY);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    tcgetattr(other, &its);
    poll_line("one");
    fixture_run_until(f, 5 * INTERVAL_S - 1);
    assert_int_equal(strspn(fixture_history(f, "bad", 1), "L"), 5);
    assert_int_equal(server->requests, 0);
    tcgetattr(other, &now);
    assert_memory_equal(&now, &its, sizeof now);
    close(other);
    /* It is tried for again within 5 minutes. */
    fixture_run_until(f, 30 * INTERVAL_S - 1);
    expect_recovery("locked", "bad", 1, "LLLLL");
    assert_true(strcspn(fixture_history(f, "bad", 1), "G") <= 11);
}

/* With the settings that it is to have; and this one cannot do the parity. */
static void
was_left_by_a_killed_daemon(void **state)
{
    (void)state;
    struct termios left = {0}, now = {0};
    start_line("");
    poll_line("one");
    fixture_run_until(f, 2 * INTERVAL_S - 1);
    assert_string_equal(fixture_history(f, "bad", 1), "GG");
    tcgetattr(server->slave, &left);
    poller_free(f->poller);
    lw_ledger_free(f->ledger);
    do {
        fixture_wait_ms(f, 10); /* the worker puts back what it found */
        tcgetattr(server->slave, &now);
    } while (memcmp(&now, &left, sizeof now) == 0);
    tcsetattr(server->slave, TCSANOW, &left);
    f->nevents = 0;
    poll_line("one");
    fixture_run_until(f, 4 * INTERVAL_S - 1);
    assert_string_equal(fixture_history(f, "bad", 1), "GG");
}

/* Streams have the high numbers, whatever comes first, so that select() is never handed a
 * device above its limit. */
static void
opens_below_fd_setsize(void **state)
{
    (void)state;
    struct rlimit limit;
    char gateways[256];
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2048)
        skip();
    start_line("");
    struct fault_server *tcp = server_start(f->base, f->clock, "");
    snprintf(gateways, sizeof gateways, "g,rtu,%s,1,0,100\nt,tcp,127.0.0.1:%u,1,0,100\n",
             device, tcp->port);
    fixture_poll(f, gateways,
                 "bad,2020-01-01,,context,g,1,one,60\n"
                 "t,2020-01-01,,context,t,1,one,60\n");
    fixture_run_until(f, 5 * INTERVAL_S - 1);
    assert_string_equal(fixture_history(f, "bad", 1), "GGGGG");
    assert_string_equal(fixture_history(f, "t", 1), "GGGGG");
    int above = 0;
    for (int fd = STREAM_FD_MIN; fd < STREAM_FD_MIN + 64; fd++)
        above += fcntl(fd, F_GETFD) >= 0;
    assert_int_equal(above, 4); /* the connection, the line's pair and its lock */
    server_stop(tcp);
}

static int
stop(void **state)
{
    (void)state;
    server_stop(server);
    unlink(device);
    fixture_free(f);
    return 0;
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
    } others[] = {
        {"goes away and comes back", goes_away_and_comes_back},
        {"is left to who has it", is_left_to_who_has_it},
        {"was left by a killed daemon", was_left_by_a_killed_daemon},
        {"opens below FD_SETSIZE", opens_below_fd_setsize},
    };
    enum {
        OTHERS = sizeof others / sizeof others[0]
    };
    static struct CMUnitTest tests[ROWS + OTHERS];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = is_right_or_missing,
                                       .teardown_func = stop,
                                       .initial_state = (void *)&rows[i]};
    for (size_t i = 0; i < OTHERS; i++)
        tests[ROWS + i] = (struct CMUnitTest){
            .name = others[i].name, .test_func = others[i].fn, .teardown_func = stop};
    return cmocka_run_group_tests_name("poll_line", tests, NULL, NULL);
}
