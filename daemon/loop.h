/* The event loop: priorities, signals, and how long one turn of it keeps the processor.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdint.h>

struct event_base;
struct loop;

/* Lower goes first; libevent's default is the middle one. */
enum loop_priority {
    LOOP_SIGNALS,
    LOOP_WORK,
    LOOP_HTTP,
    LOOP_PRIORITIES
};

struct loop_hooks {
    void (*stop)(void *arg); /* SIGTERM or SIGINT, the first time; the second one quits */
    void (*reload)(void *arg); /* SIGHUP */
    void *arg;
};

/* Ignores SIGPIPE from here on. LW_ENOMEM. */
int loop_new(const struct loop_hooks *hooks, struct loop **ret_loop);
void loop_free(struct loop *loop);
struct event_base *loop_base(const struct loop *loop);

/* Until loop_quit. LW_EIO: libevent cannot go on. */
int loop_run(struct loop *loop);
void loop_quit(struct loop *loop);

/* Upper bounds of the histogram's buckets, in microseconds; one more has the rest. */
enum {
    LOOP_BUCKETS = 7
};
extern const int64_t loop_bucket_us[LOOP_BUCKETS];

/* Processor time of turns: one turn is all callbacks that were ready together. */
struct loop_stats {
    uint64_t turns[LOOP_BUCKETS + 1];
    int64_t total_us;
    int64_t longest_us;
};
void loop_stats(const struct loop *loop, struct loop_stats *ret_stats);

#endif
