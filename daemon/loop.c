/* The event loop: libevent's base with priorities, the signals, and the measuring of how
 * long one turn keeps the processor, which is how late a due read can be. */
#include "daemon/loop.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

#include <lodewatch/result.h>

#include "daemon/clock.h"
#include "daemon/log.h"

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
enum {
    SIGNALS = sizeof signals / sizeof signals[0]
};

struct loop {
    struct event_base *base;
    struct event *signal[SIGNALS];
    struct loop_hooks hooks;
    struct loop_stats stats;
    bool stopping;
    bool quit;
};

const int64_t loop_bucket_us[LOOP_BUCKETS] = {100,   1000,   5000,   10000,
                                              50000, 200000, 1000000};

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
    struct loop *loop = arg;

    (void)what;
    if (number == SIGHUP) {
        if (!loop->stopping)
            loop->hooks.reload(loop->hooks.arg);
    } else if (loop->stopping) {
        log_note("the second signal to stop: leaving at once");
        loop_quit(loop);
    } else {
        loop->stopping = true;
        loop->hooks.stop(loop->hooks.arg);
    }
}

int
loop_new(const struct loop_hooks *hooks, struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (loop == NULL)
        return LW_ENOMEM;
    loop->hooks = *hooks;
    loop->base = event_base_new();
    if (loop->base == NULL || event_base_priority_init(loop->base, LOOP_PRIORITIES) != 0)
        goto out;
    for (size_t i = 0; i < SIGNALS; i++) {
        loop->signal[i] = evsignal_new(loop->base, signals[i], on_signal, loop);
        if (loop->signal[i] == NULL ||
            event_priority_set(loop->signal[i], LOOP_SIGNALS) != 0 ||
            event_add(loop->signal[i], NULL) != 0)
            goto out;
    }
    signal(SIGPIPE, SIG_IGN);
    *ret_loop = loop;
    return 0;
out:
    loop_free(loop);
    return LW_ENOMEM;
}

void
loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    for (size_t i = 0; i < SIGNALS; i++)
        if (loop->signal[i] != NULL)
            event_free(loop->signal[i]);
    if (loop->base != NULL)
        event_base_free(loop->base);
    free(loop);
}

struct event_base *
loop_base(const struct loop *loop)
{
    return loop->base;
}

static void
count_turn(struct loop_stats *stats, int64_t us)
{
    size_t i = 0;

    while (i < LOOP_BUCKETS && us > loop_bucket_us[i])
        i++;
    stats->turns[i]++;
    stats->total_us += us;
    if (us > stats->longest_us)
        stats->longest_us = us;
}

int
loop_run(struct loop *loop)
{
    while (!loop->quit) {
        int64_t began = clock_thread_us();
        if (event_base_loop(loop->base, EVLOOP_ONCE) != 0)
            return LW_EIO;
        count_turn(&loop->stats, clock_thread_us() - began);
    }
    return 0;
}

void
loop_quit(struct loop *loop)
{
    loop->quit = true;
    event_base_loopbreak(loop->base);
}

void
loop_stats(const struct loop *loop, struct loop_stats *ret_stats)
{
    *ret_stats = loop->stats;
}
