/* The clock: the only file that reads the system's clocks.
 *
 * Schedules, rules and the calendar run on `clock_now`, which may be simulated: started
 * at any time, run at any rate, and held while a polling round is under way, so that a
 * reading's time is exactly the time at which it was due. Input/output deadlines run in
 * real time: libevent's relative timeouts, and `clock_io` for measuring.
 *
 * A simulated clock serves a socket (state_dir/clock.sock). A follower (lodewatch-sim)
 * reads lines "T\n" (milliseconds UTC) and answers each with "ok T\n"; the clock does not
 * move on before every follower has. It starts when the first follower is there, or after
 * 5 s without one. */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <stdbool.h>

#include <lodewatch/time.h>

struct event_base;
struct clock;

struct clock_time {
    lw_wall wall;
    lw_mono mono; /* of the schedule: simulated where the clock is */
};

struct clock_options {
    bool simulated;
    lw_wall start;      /* simulated only */
    double rate;        /* seconds a second, > 0 */
    const char *socket; /* where followers connect; NULL: none */
};

/* The clock stepped: wall time moved by `by_ms` against monotonic time. */
typedef void clock_step_fn(void *arg, int64_t by_ms);

int clock_new(struct event_base *base, const struct clock_options *options,
              struct clock **ret_clock);
void clock_free(struct clock *clock);
void clock_on_step(struct clock *clock, clock_step_fn *fn, void *arg);

struct clock_time clock_now(const struct clock *clock);
/* The system's wall clock, never simulated: for log lines and to start a simulated one.
 */
lw_wall clock_system(void);
/* Real monotonic time, for measuring input/output. */
lw_mono clock_io(void);
int64_t clock_io_us(void);
/* Processor time of the calling thread, in microseconds. */
int64_t clock_thread_us(void);

/* Simulated time stands still while anything holds it; no effect on a real clock. */
void clock_hold(struct clock *clock);
void clock_release(struct clock *clock);

/* A timer on the schedule's time. */
typedef void clock_timer_fn(void *arg);
struct clock_timer {
    struct clock *clock;
    clock_timer_fn *fn;
    void *arg;
    lw_mono due;
    bool set;
    struct clock_timer *next, **prev; /* the clock's list */
};
void clock_timer_init(struct clock_timer *timer, struct clock *clock, clock_timer_fn *fn,
                      void *arg);
/* Fires once, at `due` or as soon after as the loop can; sets it anew where it was set.
 */
void clock_timer_set(struct clock_timer *timer, lw_mono due);
void clock_timer_stop(struct clock_timer *timer);

#endif
