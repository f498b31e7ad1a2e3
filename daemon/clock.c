/* The clock, real or simulated, and the timers that run on it. The only file that reads
 * the system's clocks.
 *
 * A simulated clock moves in jumps, each to exactly the time of the earliest timer: it
 * jumps, tells its followers, waits until each has followed, and only then fires. How
 * soon it jumps is the rate's: simulated time may be as far on as the real time that
 * passed while nothing held the clock, times the rate. */
#include "daemon/clock.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include <lodewatch/result.h>

#include "daemon/followers.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US   (3600 * SECOND_US)

enum {
    STEP_MS = 500
}; /* a smaller change of the wall clock is no step */

struct clock {
    struct event_base *base;
    struct event *turn; /* when the first timer is due, or the next jump */
    struct clock_timer *first;
    struct clock_timer *firing; /* in this turn */

    /* real */
    struct event *watch;
    int64_t ahead_ms; /* wall before monotonic time, when last looked at */
    clock_step_fn *step;
    void *step_arg;

    /* simulated */
    bool simulated;
    int holds;
    double rate;
    lw_wall start, now;
    int64_t ran_us;   /* real time that counts, until `since_us` */
    int64_t since_us; /* it has been counting since then; -1: it stands */
    struct followers *followers;
};

static int64_t
read_us(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        abort(); /* the clocks that we ask for are always there */
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

lw_mono
clock_io(void)
{
    return (lw_mono){read_us(CLOCK_MONOTONIC) / 1000};
}

int64_t
clock_io_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_thread_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}

lw_wall
clock_system(void)
{
    return (lw_wall){read_us(CLOCK_REALTIME) / 1000};
}

struct clock_time
clock_now(const struct clock *clock)
{
    if (clock->simulated)
        return (struct clock_time){.wall = clock->now,
                                   .mono = {lw_wall_since(clock->now, clock->start)}};
    return (struct clock_time){.wall = clock_system(), .mono = clock_io()};
}

void
clock_on_step(struct clock *clock, clock_step_fn *fn, void *arg)
{
    clock->step = fn;
    clock->step_arg = arg;
}

static bool
awaits_followers(const struct clock *clock)
{
    return clock->followers != NULL && followers_waiting(clock->followers);
}

/* Real time until simulated time may reach `due`; at most an hour, so that it fits. */
static int64_t
us_until(const struct clock *clock, lw_mono due)
{
    double ran = (double)(clock->ran_us + clock_io_us() - clock->since_us);
    double left = (double)due.ms * 1000 / clock->rate - ran;
    return left < 1 ? 0 : left > (double)HOUR_US ? HOUR_US : (int64_t)left;
}

/* Does simulated time run? The real time that counts is kept here. */
static bool
run_or_stand(struct clock *clock)
{
    bool run = clock->simulated && clock->holds == 0 && !awaits_followers(clock);
    if (run == (clock->since_us >= 0))
        return run;
    int64_t now_us = clock_io_us();
    if (!run)
        clock->ran_us += now_us - clock->since_us;
    clock->since_us = run ? now_us : -1;
    return run;
}

/* Arms the next turn; called whenever the first timer, or whether time runs, changed. */
static void
plan(struct clock *clock)
{
    bool run = run_or_stand(clock);
    int64_t us = -1;
    if (clock->first != NULL && !awaits_followers(clock)) {
        int64_t left_ms = lw_mono_since(clock->first->due, clock_now(clock).mono);
        if (left_ms <= 0)
            us = 0;
        else if (!clock->simulated)
            us = left_ms < HOUR_US / 1000 ? left_ms * 1000 : HOUR_US;
        else if (run)
            us = us_until(clock, clock->first->due);
    }
    if (us < 0)
        event_del(clock->turn);
    else
        event_add(clock->turn,
                  &(struct timeval){.tv_sec = us / SECOND_US, .tv_usec = us % SECOND_US});
}

static void
on_followed(void *arg)
{
    plan(arg);
}

/* Moves simulated time on to the first timer, where it may be there already. */
static void
jump(struct clock *clock)
{
    if (clock->first == NULL || !run_or_stand(clock))
        return;
    lw_wall due = lw_wall_add(clock->start, clock->first->due.ms);
    if (due.ms <= clock->now.ms || us_until(clock, clock->first->due) > 0)
        return;
    clock->now = due;
    if (clock->followers != NULL)
        followers_tell(clock->followers, clock->now);
}

/* Moves what is due to the list of what fires. What is set meanwhile waits for the next
 * turn, so that the loop gets to its input and output between. */
static void
take_due(struct clock *clock)
{
    lw_mono now = clock_now(clock).mono;
    struct clock_timer **end = &clock->first;
    while (*end != NULL && (*end)->due.ms <= now.ms)
        end = &(*end)->next;
    if (end == &clock->first)
        return;
    clock->firing = clock->first;
    clock->firing->prev = &clock->firing;
    clock->first = *end;
    if (clock->first != NULL)
        clock->first->prev = &clock->first;
    *end = NULL;
}

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct clock *clock = arg;
    (void)fd;
    (void)what;

    jump(clock);
    if (!awaits_followers(clock))
        take_due(clock);
    while (clock->firing != NULL) {
        struct clock_timer *timer = clock->firing;
        clock_timer_stop(timer);
        timer->fn(timer->arg);
    }
    plan(clock);
}

/* Looks once a second whether wall time moved against monotonic time. */
static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
    struct clock *clock = arg;
    (void)fd;
    (void)what;

    struct clock_time now = clock_now(clock);
    int64_t by_ms = now.wall.ms - now.mono.ms - clock->ahead_ms;
    clock->ahead_ms += by_ms;
    if ((by_ms > STEP_MS || by_ms < -STEP_MS) && clock->step != NULL)
        clock->step(clock->step_arg, by_ms);
}

int
clock_new(struct event_base *base, const struct clock_options *options,
          struct clock **ret_clock)
{
    if (options->simulated && !(options->rate > 0 && options->rate <= 1e9))
        return LW_EINVAL;
    struct clock *clock = calloc(1, sizeof *clock);
    if (clock == NULL)
        return LW_ENOMEM;
    int rc = LW_ENOMEM;
    clock->base = base;
    clock->simulated = options->simulated;
    clock->rate = options->rate;
    clock->start = clock->now = options->start;
    clock->since_us = -1;
    clock->turn = event_new(base, -1, 0, on_turn, clock);
    if (clock->turn == NULL)
        goto out;
    if (!options->simulated) {
        struct clock_time now = clock_now(clock);
        clock->ahead_ms = now.wall.ms - now.mono.ms;
        clock->watch = event_new(base, -1, EV_PERSIST, on_watch, clock);
        if (clock->watch == NULL)
            goto out;
        event_add(clock->watch, &(struct timeval){.tv_sec = 1});
    } else if (options->socket != NULL) {
        rc = followers_new(base, options->socket, clock->now, on_followed, clock,
                           &clock->followers);
        if (rc != 0)
            goto out;
    }
    run_or_stand(clock);
    rc = 0;
    *ret_clock = clock;
    clock = NULL;
out:
    clock_free(clock);
    return rc;
}

void
clock_free(struct clock *clock)
{
    if (clock == NULL)
        return;
    for (struct clock_timer *timer = clock->first; timer != NULL; timer = timer->next)
        timer->set = false;
    followers_free(clock->followers);
    if (clock->turn != NULL)
        event_free(clock->turn);
    if (clock->watch != NULL)
        event_free(clock->watch);
    free(clock);
}

void
clock_hold(struct clock *clock)
{
    if (clock->holds++ == 0 && clock->simulated)
        plan(clock);
}

void
clock_release(struct clock *clock)
{
    assert(clock->holds > 0);
    if (--clock->holds == 0 && clock->simulated)
        plan(clock);
}

void
clock_timer_init(struct clock_timer *timer, struct clock *clock, clock_timer_fn *fn,
                 void *arg)
{
    *timer = (struct clock_timer){.clock = clock, .fn = fn, .arg = arg};
}

void
clock_timer_set(struct clock_timer *timer, lw_mono due)
{
    struct clock *clock = timer->clock;
    clock_timer_stop(timer);
    struct clock_timer **at = &clock->first;
    while (*at != NULL && (*at)->due.ms <= due.ms)
        at = &(*at)->next;
    timer->due = due;
    timer->set = true;
    timer->prev = at;
    timer->next = *at;
    if (timer->next != NULL)
        timer->next->prev = &timer->next;
    *at = timer;
    if (clock->first == timer)
        plan(clock);
}

/* The turn stays armed: where it comes too soon, it finds nothing to do. */
void
clock_timer_stop(struct clock_timer *timer)
{
    if (!timer->set)
        return;
    *timer->prev = timer->next;
    if (timer->next != NULL)
        timer->next->prev = timer->prev;
    timer->set = false;
}
