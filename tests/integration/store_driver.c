/* Runs the store as the daemon does, on a journal of its own that it fills with made-up
 * readings; ends when the database has everything, or on SIGTERM.
 *
 * store_driver DIR CONNINFO-FILE METERS ROUNDS BATCH-ROWS [PAUSE-MS [START-MS
 *     [SEGMENT-BYTES MAX-BYTES BACKLOG-RATE [ALERT-EVERY]]]]
 * Appends ROUNDS readings a meter where the journal is new, some repeated ones and an
 * alert each ALERT-EVERY (100) readings; waits PAUSE-MS after each 1,000. Prints "up"
 * when PostgreSQL is there, "all" when it has appended all, and the figures at the end.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/event.h>

#include <lodewatch/reading.h>

#include "daemon/clock.h"
#include "daemon/files.h"
#include "daemon/journal.h"
#include "daemon/log.h"
#include "daemon/store/store.h"
#include "tests/store_feed.h"

struct driver {
    struct event_base *base;
    struct event *tick;
    struct journal *journal;
    struct store *store;
    struct store_feed feed;
    uint64_t all;
    int64_t pause_ms;
    uint64_t every; /* so many readings an alert */
    bool said_up, said_all;
    int read_back;      /* alerts */
    int64_t longest_us; /* processor time of one turn of the loop */
    bool over;
};

static void
again(struct driver *d, int64_t ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    event_add(d->tick, &tv);
}

/* The journal's checkpoints: there is nothing to remember, but old segments may go. */
static int
save(void *arg, struct lw_packer *p)
{
    (void)arg, (void)p;
    return 0;
}

static void
append_some(struct driver *d)
{
    for (int i = 0; i < 1000 && d->feed.next < d->all; i++) {
        uint64_t n = d->feed.next;

        store_feed_reading(&d->feed, d->journal, 0);
        if (n % 500 == 0) { /* the same again, as the core marks it */
            d->feed.next = n;
            store_feed_reading(&d->feed, d->journal, LW_MARK_REPEATED);
        }
        if (n % d->every == 0)
            store_feed_alert(d->journal, (uint32_t)(n / d->every / 4),
                             (uint32_t)(n / d->every % 4 + 1),
                             d->feed.start_ms + (int64_t)n * 1000);
    }
}

static void
print_stats(const struct driver *d)
{
    struct store_stats s;
    struct journal_stats j;

    store_stats(d->store, &s);
    journal_stats(d->journal, &j);
    printf("{\"state\":%d,\"readings\":%" PRIu64 ",\"alerts\":%" PRIu64
           ",\"batches\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"behind\":%" PRIu64 ",\"read_back\":%d,\"dropped\":%" PRIu64
           ",\"removed\":%" PRIu64 ",\"longest_us\":%" PRId64 "}\n",
           (int)s.state, s.readings_stored, s.alerts_stored, s.batches, s.failed,
           s.refused, s.behind, d->read_back, j.dropped, j.removed, d->longest_us);
    fflush(stdout);
}

static void
on_alerts(void *arg, const char *rows, const char *next, const char *error)
{
    struct driver *d = arg;

    (void)next, (void)error;
    if (!rows) { /* its connection may come back later than the writer's */
        again(d, 200);
        return;
    }
    d->read_back = 0;
    while ((rows = strstr(rows, "\"specversion\""))) {
        d->read_back++;
        rows++;
    }
    d->over = true;
}

/* At the end, as the API would. */
static void
read_back(struct driver *d)
{
    struct store_alerts_query query = {LW_WALL_MIN, LW_WALL_MAX, 1000};

    store_alerts(d->store, &query, on_alerts, d);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct driver *d = arg;
    struct store_stats s;

    (void)fd, (void)what;
    append_some(d);
    if (d->feed.next == d->all && !d->said_all) {
        d->said_all = true;
        puts("all");
        fflush(stdout);
    }
    store_stats(d->store, &s);
    if (s.state == STORE_UP && !d->said_up) {
        d->said_up = true;
        puts("up");
        fflush(stdout);
    }
    if (d->feed.next == d->all && s.state == STORE_UP && s.behind == 0 &&
        journal_durable(d->journal) == journal_end(d->journal))
        read_back(d);
    else
        again(d, d->feed.next < d->all ? d->pause_ms : 20);
}

static void
on_flushed(void *arg)
{
    struct driver *d = arg;

    d->over = true;
}

static void
on_term(evutil_socket_t fd, short what, void *arg)
{
    struct driver *d = arg;

    (void)fd, (void)what;
    event_del(d->tick);
    store_flush(d->store, 3000, on_flushed, d);
}

int
main(int argc, char **argv)
{
    struct driver d = {.pause_ms = argc > 6 ? atoi(argv[6]) : 0,
                       .every = argc > 11 ? (uint64_t)atoi(argv[11]) : 100};
    int64_t start = argc > 7 ? strtoll(argv[7], NULL, 10) : INT64_C(1741737600000);
    struct clock *clock = NULL;
    struct stat st;
    char *conninfo;
    size_t n;

    if (argc < 6)
        return 2;
    log_open("store_driver", LOG_INFO);
    bool fresh = stat(argv[1], &st) != 0;
    if (fresh && mkdir(argv[1], 0700) != 0)
        return 1;
    if (files_read(argv[2], 4096, &conninfo, &n) < 0)
        return 1;
    conninfo[strcspn(conninfo, "\n")] = '\0';

    struct journal_options journal = {
        .dir = argv[1],
        .sync_ms = 20,
        .segment_bytes = argc > 8 ? atoll(argv[8]) : 64 << 20,
        .segment_ms = LW_HOUR,
        .keep_ms = LW_DAY,
        .max_bytes = argc > 9 ? atoll(argv[9]) : INT64_C(1) << 32};
    struct store_options store = {.conninfo = conninfo,
                                  .journal_dir = argv[1],
                                  .batch_rows = atoi(argv[5]),
                                  .batch_ms = 100,
                                  .days_ahead = 1,
                                  .backlog_rate = argc > 10 ? atoi(argv[10]) : 0};

    d.base = event_base_new();
    if (clock_new(d.base, &(struct clock_options){0}, &clock) < 0 ||
        journal_open(d.base, &journal, &d.journal) < 0)
        return 1;
    journal_on_checkpoint(d.journal, save, NULL);
    store_feed_init(&d.feed, atoi(argv[3]), start, 60000);
    if (fresh)
        d.all = (uint64_t)atoll(argv[3]) * (uint64_t)atoll(argv[4]);
    if (store_new(d.base, clock, d.journal, &store, &d.store) < 0)
        return 1;

    struct event *term = evsignal_new(d.base, SIGTERM, on_term, &d);

    d.tick = event_new(d.base, -1, 0, on_tick, &d);
    event_add(term, NULL);
    again(&d, 0);
    while (!d.over) {
        int64_t began = clock_thread_us();

        event_base_loop(d.base, EVLOOP_ONCE);
        if (clock_thread_us() - began > d.longest_us)
            d.longest_us = clock_thread_us() - began;
    }
    print_stats(&d);

    store_free(d.store);
    journal_close(d.journal);
    store_feed_clear(&d.feed);
    clock_free(clock);
    event_free(term);
    event_free(d.tick);
    event_base_free(d.base);
    free(conninfo);
    return 0;
}
