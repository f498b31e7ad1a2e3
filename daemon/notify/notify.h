/* Sinks of alerts, and of what discipline inspection alone is told. Each is a consumer of
 * the journal with a cursor of its own, so that it gets every alert at least once, in
 * order. One file a sink. */
#ifndef DAEMON_NOTIFY_NOTIFY_H
#define DAEMON_NOTIFY_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct journal;
struct notify;

struct notify_options {
    const char *ndjson;     /* a path, "-" for standard output, "" for none */
    bool journald;          /* structured messages to journald where it is there */
    const char *inspection; /* a path for inspection's records, "" for none */
};

/* Nothing of what inspection is told: a figure would tell of it. */
struct notify_stats {
    uint64_t ndjson, journald; /* alerts delivered */
    uint64_t failed;
};

int notify_new(struct event_base *base, struct journal *journal,
               const struct notify_options *options, struct notify **ret_notify);
void notify_free(struct notify *notify); /* delivers what is durable, then closes */
/* SIGHUP: opens the NDJSON file anew, for log rotation. */
void notify_reopen(struct notify *notify);
void notify_stats(const struct notify *notify, struct notify_stats *ret_stats);

#endif
