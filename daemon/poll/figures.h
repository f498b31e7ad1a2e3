/* What a bus shows of itself: how long its replies take, how long its rounds, and how
 * much of the time it is busy. */
#ifndef DAEMON_POLL_FIGURES_H
#define DAEMON_POLL_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REPLY_BUCKETS = 12,
    LOAD_WINDOW_S = 60
};

/* Bucket i has the replies that took at most so long, and longer than the one before. */
extern const int32_t reply_bucket_ms[REPLY_BUCKETS];

struct reply_times {
    uint64_t n[REPLY_BUCKETS + 1]; /* the last one: longer than all */
    uint64_t sum_us;
};

/* A round: from the first read that a bus without work gets until it has none again. */
struct bus_figures {
    struct reply_times replies;
    int64_t began_us;  /* the round under way; 0: there is none */
    int64_t round_us;  /* how long the last one took */
    uint64_t busy_us;  /* all that have ended */
    int64_t window_us; /* when the window began over which the load is reckoned, */
    uint64_t window_busy_us;
    int32_t load_permille; /* and what the one before it gave */
};

void reply_times_add(struct reply_times *times, int64_t us);
void reply_times_sum(struct reply_times *sum, const struct reply_times *one);
uint64_t reply_times_count(const struct reply_times *times);

/* Has the bus work? To be told at each change. */
void bus_figures_work(struct bus_figures *figures, bool works, int64_t now_us);
uint64_t bus_figures_busy_us(const struct bus_figures *figures, int64_t now_us);
/* Of the round under way, where it takes longer already than the last one did. */
int64_t bus_figures_round_us(const struct bus_figures *figures, int64_t now_us);
/* The share of the last minute in which it had work. */
int32_t bus_figures_load(const struct bus_figures *figures, int64_t now_us);

#endif
