/* The clock: both kinds of it, on a time that this test moves. */
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/clock.h"

/* The system's clocks, for the clock and for libevent. */
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

static struct event_base *base;
static char log_text[512];

/* Lets real time pass, and the loop do what is to be done. */
static void
pass_ms(int64_t ms)
{
    mono_us += ms * 1000;
    wall_us += ms * 1000;
    for (int i = 0; i < 50; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

struct named {
    struct clock_timer timer;
    const char *name;
    int64_t again_ms; /* sets itself anew; 0: no */
};

static void
on_named(void *arg)
{
    struct named *named = arg;
    struct clock_time now = clock_now(named->timer.clock);
    size_t n = strlen(log_text);
    snprintf(log_text + n, sizeof log_text - n, "%s%s@%lld", n ? " " : "", named->name,
             (long long)now.mono.ms);
    if (named->again_ms != 0)
        clock_timer_set(&named->timer, lw_mono_add(now.mono, named->again_ms));
}

static void
set(struct named *named, struct clock *clock, const char *name, int64_t due_ms)
{
    clock_timer_init(&named->timer, clock, on_named, named);
    named->name = name;
    named->again_ms = 0;
    clock_timer_set(&named->timer, (lw_mono){due_ms});
}

static struct clock *
simulated(double rate, const char *socket)
{
    struct clock *clock = NULL;
    struct clock_options options = {
        .simulated = true, .start = {1000000}, .rate = rate, .socket = socket};
    assert_int_equal(clock_new(base, &options, &clock), 0);
    return clock;
}

static int
setup(void **state)
{
    (void)state;
    mono_us = INT64_C(5000000000);
    wall_us = INT64_C(1700000000000000);
    base = event_base_new();
    log_text[0] = '\0';
    return base == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    event_base_free(base);
    return 0;
}

static void
fires_in_order_at_exactly_the_due_time(void **state)
{
    (void)state;
    struct clock *clock = simulated(1e6, NULL);
    struct named a, b, c, d;
    set(&a, clock, "later", 7000);
    set(&b, clock, "first", 3001);
    set(&c, clock, "second", 3001);
    set(&d, clock, "never", 5000);
    clock_timer_stop(&d.timer);
    pass_ms(100);
    assert_string_equal(log_text, "first@3001 second@3001 later@7000");
    assert_int_equal(clock_now(clock).wall.ms, 1007000);
    assert_false(a.timer.set);
    clock_free(clock);
}

static void
on_again(void *arg)
{
    struct named *named = arg;
    named->again_ms++;
    clock_timer_set(&named->timer, named->timer.due);
}

static void
a_timer_does_not_keep_the_loop(void **state)
{
    (void)state;
    struct clock *clock = simulated(1e6, NULL);
    struct named again = {0}, later;
    clock_timer_init(&again.timer, clock, on_again, &again);
    clock_timer_set(&again.timer, (lw_mono){0});
    set(&later, clock, "later", 1);
    for (int i = 1; i <= 3; i++) {
        event_base_loop(base, EVLOOP_ONCE);
        assert_int_equal(again.again_ms, i);
    }
    assert_string_equal(log_text, ""); /* nor does time go on before it is done */
    clock_timer_stop(&again.timer);
    pass_ms(10);
    assert_string_equal(log_text, "later@1");
    clock_free(clock);
}

static void
keeps_the_rate_over_many_jumps(void **state)
{
    (void)state;
    struct clock *clock = simulated(100, NULL);
    struct named a;
    set(&a, clock, "x", 700);
    a.again_ms = 700; /* 7 ms real: the loop wakes late for each, and makes up for it */
    pass_ms(6);
    assert_string_equal(log_text, "");
    pass_ms(25);
    assert_string_equal(log_text, "x@700 x@1400 x@2100 x@2800");
    clock_free(clock);
}

static void
stands_still_while_held(void **state)
{
    (void)state;
    struct clock *clock = simulated(100, NULL);
    struct named now, later;
    set(&later, clock, "later", 1000);
    clock_hold(clock);
    clock_hold(clock);
    set(&now, clock, "now", 0);
    pass_ms(60000);
    assert_string_equal(log_text, "now@0");
    clock_release(clock);
    pass_ms(60000);
    assert_string_equal(log_text, "now@0");
    clock_release(clock);
    pass_ms(9); /* the time that it was held does not count */
    assert_string_equal(log_text, "now@0");
    pass_ms(2);
    assert_string_equal(log_text, "now@0 later@1000");
    clock_free(clock);
}

static int
follow(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void
expect_line(int fd, const char *want)
{
    char got[64] = "";
    ssize_t n = recv(fd, got, sizeof got - 1, 0);
    assert_int_equal(n, strlen(want));
    assert_string_equal(got, want);
}

static void
waits_for_each_follower(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/lw-test-clock-%d.sock", (int)getpid());
    struct clock *clock = simulated(1e6, path);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    struct named a, b;
    set(&a, clock, "a", 10);
    pass_ms(4000); /* it does not start without the first */
    assert_string_equal(log_text, "");
    int one = follow(path), two = follow(path);
    pass_ms(1);
    expect_line(one, "1000000\n");
    expect_line(two, "1000000\n");
    assert_int_equal(send(one, "ok 1000000\n", 11, 0), 11);
    assert_int_equal(send(two, "ok 100", 6, 0), 6);
    pass_ms(1);
    assert_string_equal(log_text, "");
    assert_int_equal(send(two, "0000\n", 5, 0), 5);
    pass_ms(1);
    expect_line(one, "1000010\n");
    expect_line(two, "1000010\n");
    assert_int_equal(clock_now(clock).wall.ms, 1000010);
    assert_string_equal(log_text, ""); /* fires when all have followed */
    assert_int_equal(send(one, "ok 1000010\n", 11, 0), 11);
    pass_ms(1);
    assert_string_equal(log_text, "");
    close(two); /* one that dies is waited for no more */
    pass_ms(1);
    assert_string_equal(log_text, "a@10");

    /* one that does not answer within 5 s is dropped */
    set(&b, clock, "b", 20);
    pass_ms(1);
    expect_line(one, "1000020\n");
    pass_ms(4900);
    assert_string_equal(log_text, "a@10");
    pass_ms(200);
    assert_string_equal(log_text, "a@10 b@20");
    char byte;
    assert_int_equal(recv(one, &byte, 1, 0), 0);
    close(one);

    /* so is one that answers something else */
    int liar = follow(path);
    pass_ms(1);
    expect_line(liar, "1000020\n");
    assert_int_equal(send(liar, "ok 1000021\n", 11, 0), 11);
    set(&b, clock, "b", 30);
    pass_ms(1);
    assert_string_equal(log_text, "a@10 b@20 b@30");
    close(liar);
    clock_free(clock);
    assert_int_equal(stat(path, &st), -1);
}

static void
starts_after_5_s_without_a_follower(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/lw-test-clock-%d.sock", (int)getpid());
    struct clock *clock = simulated(1e6, path);
    struct named a;
    set(&a, clock, "a", 10);
    pass_ms(4990);
    assert_string_equal(log_text, "");
    pass_ms(20);
    assert_string_equal(log_text, "a@10");
    clock_free(clock);
}

static void
on_step(void *arg, int64_t by_ms)
{
    *(int64_t *)arg += by_ms;
}

static void
notices_steps_of_the_wall_clock(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t by_ms;
        int64_t want_ms;
    } rows[] = {
        {"none", 0, 0},           {"a slew", 400, 0},
        {"a slew back", -400, 0}, {"forward", 3600000, 3600000},
        {"back", -501, -501},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct clock *clock = NULL;
        int64_t stepped = 0;
        assert_int_equal(clock_new(base, &(struct clock_options){0}, &clock), 0);
        clock_on_step(clock, on_step, &stepped);
        struct named a;
        int64_t start = clock_now(clock).mono.ms;
        set(&a, clock, "a", start + 1500);
        log_text[0] = '\0';
        pass_ms(600);
        wall_us += rows[i].by_ms * 1000;
        pass_ms(600);
        if (stepped != rows[i].want_ms)
            fail_msg("%s: %lld", rows[i].name, (long long)stepped);
        pass_ms(200);
        assert_string_equal(log_text, "");
        pass_ms(200); /* timers do not mind */
        assert_string_not_equal(log_text, "");
        pass_ms(5000);
        assert_int_equal(stepped, rows[i].want_ms); /* told once */
        clock_free(clock);
    }
}

static void
refuses_what_cannot_be(void **state)
{
    (void)state;
    struct clock *clock = NULL;
    char path[200];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    struct clock_options options = {.simulated = true, .rate = 0};
    assert_int_equal(clock_new(base, &options, &clock), LW_EINVAL);
    options.rate = 1;
    options.socket = path;
    assert_int_equal(clock_new(base, &options, &clock), LW_EINVAL);
    options.socket = "/nonexistent/dir/clock.sock";
    assert_int_equal(clock_new(base, &options, &clock), LW_EIO);
    assert_null(clock);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fires_in_order_at_exactly_the_due_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_timer_does_not_keep_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_the_rate_over_many_jumps, setup, teardown),
        cmocka_unit_test_setup_teardown(stands_still_while_held, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_each_follower, setup, teardown),
        cmocka_unit_test_setup_teardown(starts_after_5_s_without_a_follower, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(notices_steps_of_the_wall_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_cannot_be, setup, teardown),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
