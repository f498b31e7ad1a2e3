/* Polling on the real clock, which this test moves: overruns and steps of the wall clock.
 */
#include <sys/syscall.h>
#include <time.h>

#include "tests/faults/fixture.h"

static int64_t mono_us, wall_us;

int
clock_gettime(clockid_t id, struct timespec *t)
{
    int64_t us;
    if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)
        us = mono_us;
    else if (id == CLOCK_REALTIME)
        us = wall_us;
    else
        return (int)syscall(SYS_clock_gettime, id, t);
    *t = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    return 0;
}

static struct fixture *f;
static struct fault_server *server;

static void
on_step(void *arg, int64_t by_ms)
{
    (void)by_ms;
    poller_clock_step(*(struct poller **)arg);
}

static int
start(void **state)
{
    (void)state;
    mono_us = INT64_C(5000000000);
    wall_us = FIXTURE_START_S * INT64_C(1000000) + 500000;
    f = fixture_new(false);
    server = server_start(f->base, f->clock, "");
    clock_on_step(f->clock, on_step, &f->poller);
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

/* Lets so much time pass, in pieces of 100 ms. */
static void
pass_s(int64_t s)
{
    for (int64_t i = 0; i < s * 10; i++) {
        mono_us += 100000;
        wall_us += 100000;
        for (int j = 0; j < 6; j++)
            event_base_loop(f->base, EVLOOP_NONBLOCK);
    }
}

static void
poll_every(int interval_s, int timeout_ms)
{
    char gateways[128], meters[256];
    snprintf(gateways, sizeof gateways, "g,tcp,127.0.0.1:%u,1,0,%d\n", server->port,
             timeout_ms);
    snprintf(meters, sizeof meters,
             "m,2020-01-01,,context,g,1,one,%d\n"
             "often,2020-01-01,,context,g,2,one,1\n",
             interval_s);
    fixture_poll(f, gateways, meters);
}

/* When the meter was read: the n-th time, in wall time. */
static int64_t
read_at(int n)
{
    for (int i = 0; i < f->nevents; i++)
        if (f->event[i].kind == LW_EVENT_READING && f->event[i].reading.meter == 0 &&
            n-- == 0)
            return f->event[i].at.ms;
    return 0;
}

static int
reads(void)
{
    return (int)strlen(fixture_history(f, "m", 1));
}

static void
reads_in_real_time(void **state)
{
    (void)state;
    poll_every(60, 1000);
    pass_s(600);
    assert_string_equal(fixture_history(f, "m", 1), "GGGGGGGGGG");
    for (int i = 1; i < 10; i++) /* never early, and at once when it is due */
        assert_in_range(read_at(i) - read_at(i - 1), 59800, 60200);
}

static void
counts_overruns_and_says_so_once(void **state)
{
    (void)state;
    struct poller_stats stats;
    server->script = "gs";
    poll_every(1, 4500);
    pass_s(20);
    poller_stats(f->poller, &stats);
    assert_int_equal(stats.polls[POLL_OVERRUN], 2 * 4); /* it held up the other, too */
    assert_int_equal(stats.polls[POLL_TIMEOUT], 0);     /* the second try was good */
    const char *history = fixture_history(f, "m", 1);
    if (strncmp(history, "GOGGG", 5) != 0)
        fail_msg("%s", history);
}

static void
a_step_forward_leaves_nothing_out(void **state)
{
    (void)state;
    poll_every(60, 1000);
    pass_s(150);
    int before = reads();
    wall_us += INT64_C(3600) * 1000000;
    pass_s(2);
    assert_int_equal(reads(), before + 1); /* what was jumped over, once */
    pass_s(600);
    assert_int_equal(reads(), before + 1 + 10);
}

static void
a_step_back_reads_nothing_twice(void **state)
{
    (void)state;
    poll_every(60, 1000);
    pass_s(121);
    int before = reads();
    wall_us -= INT64_C(30) * 1000000;
    pass_s(85);
    assert_int_equal(reads(), before);
    pass_s(600);
    assert_int_equal(reads(), before + 10);
    for (int i = 1; i < reads(); i++)
        assert_true(read_at(i) > read_at(i - 1));
}

static void
a_long_step_back_does_not_stop_the_reads(void **state)
{
    (void)state;
    poll_every(60, 1000);
    pass_s(121);
    int before = reads();
    wall_us -= INT64_C(86400) * 1000000;
    pass_s(600);
    assert_in_range(reads(), before + 10, before + 11);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(reads_in_real_time),
        TEST(counts_overruns_and_says_so_once),
        TEST(a_step_forward_leaves_nothing_out),
        TEST(a_step_back_reads_nothing_twice),
        TEST(a_long_step_back_does_not_stop_the_reads),
    };
    return cmocka_run_group_tests_name("poll_clock", tests, NULL, NULL);
}
