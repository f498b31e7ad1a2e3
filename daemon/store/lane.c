/* A lane: journal -> batches -> PostgreSQL, over one connection.
 *
 * Each batch is one transaction that also writes the position behind it to store_cursor.
 * So after a lost connection, a COMMIT without an answer included, the cursor says where
 * to go on, and nothing has to be merged. Whatever goes wrong, the lane goes back to the
 * positions that it knows to be in the database and reads the journal from there.
 *
 * Two streams fill batches, and one batch at a time is sent: what is new goes first; what
 * an outage left behind goes where nothing new is due, the oldest first. */
#include "daemon/store/lane_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <libpq-fe.h>

#include <lodewatch/time.h>

#include "daemon/clock.h"
#include "daemon/journal.h"
#include "daemon/log.h"

enum {
    RETRY_MS = 1000, /* after the journal could not be read */
    IDLE_MS = 60000, /* a stretch of the journal without rows is acknowledged so late */
};

static void
after(struct event *event, int64_t ms)
{
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

    event_add(event, &tv);
}

/* In the loop's next turn. Not event_active: a callback that activates itself runs again
 * before the loop looks at any socket, and the database waits for its rows. */
static void
again(struct event *event)
{
    after(event, 0);
}

void
lane_changed(struct lane *l)
{
    l->options.changed(l->options.arg);
}

static void
on_ready(void *arg)
{
    struct lane *l = arg;

    again(l->work);
}

/* Reads the journal anew from what the database has. */
void
lane_go_back(struct lane *l)
{
    l->due = false;
    l->of = NULL;
    event_del(l->close);
    if (stream_begin(&l->live, on_ready, l) < 0 ||
        (stream_waits(&l->backlog) && stream_begin(&l->backlog, on_ready, l) < 0))
        pg_conn_drop(l->conn, "the journal cannot be read");
    else
        again(l->work);
}

/* What the database refuses -----------------------------------------------------------
 */

/* SQLSTATEs, by their beginnings, that say nothing about the rows: the same batch may go
 * well later, on this connection or on another. */
static const char *const not_the_rows[] = {
    "08", /* connection */
    "25", /* state of the transaction; a read-only standby */
    "28", /* authorisation */
    "40", /* serialisation, deadlock */
    "42", /* privileges, missing tables */
    "53", /* disk, memory, connections */
    "55", /* locks */
    "57", /* shutdown, time limits */
    "58", /* the system */
    "XX", /* damage in the database */
};

static bool
about_rows(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof(not_the_rows) / sizeof(not_the_rows[0]); i++) {
        if (strncmp(sqlstate, not_the_rows[i], 2) == 0)
            return false;
    }
    return true;
}

/* A day's partition is gone, or the role may write to the parent only. */
static bool
partition_failed(const struct lane *l, const char *sqlstate)
{
    return !l->remade && (strcmp(sqlstate, "23514") == 0 ||
                          (!l->send.routed && (strcmp(sqlstate, "42P01") == 0 ||
                                               strcmp(sqlstate, "42501") == 0)));
}

/* What to do otherwise when the batch comes again. */
static void
learn(struct lane *l, const struct pg_answer *failed)
{
    const struct batch *batch = l->sending;
    uint32_t items = batch_items(batch);

    /* Compaction may drop a day again as soon as it is made: each attempt asks for it. */
    partitions_forget(&l->send.partitions);
    if (strcmp(failed->sqlstate, "23505") == 0 && l->merge_before < batch->next) {
        log_note("store: rows are there already, merging: %s", failed->error);
        l->merge_before = journal_durable(l->journal); /* the overlap may be long */
    } else if (partition_failed(l, failed->sqlstate)) {
        log_note("store: %s: %s",
                 strcmp(failed->sqlstate, "42501") == 0
                     ? "a partition is not ours, going through its parent"
                     : "a partition is gone, making it",
                 failed->error);
        l->remade = l->send.routed = true;
    } else if (items > 1) {
        if (l->of->limit == batch->cap)
            log_warn("store: a batch is refused, looking for the row: %s", failed->error);
        l->of->limit = items / 2;
    } else {
        log_error("store: left out what the database refuses, before position %" PRIu64
                  " of the journal: %s",
                  batch->next, failed->error);
        l->of->skip_before = batch->next;
        l->stats.refused += items;
    }
}

/* Batches ------------------------------------------------------------------------------
 */

static void
on_failed(struct lane *l, const struct pg_answer *failed)
{
    l->stats.failed++;
    if ((!about_rows(failed->sqlstate) && !partition_failed(l, failed->sqlstate)) ||
        batch_items(l->sending) == 0) {
        pg_conn_drop(l->conn, failed->error);
    } else {
        learn(l, failed);
        lane_go_back(l);
    }
}

static void
on_committed(struct lane *l)
{
    struct stream *s = l->of;
    int64_t took = clock_io_us() - l->started_us;

    s->committed = s->recorded = l->sending->next;
    s->limit = s->limit < l->sending->cap / 2 ? 2 * s->limit : l->sending->cap;
    pg_conn_good(l->conn);
    l->stats.batches++;
    l->stats.readings_stored += l->send.rows;
    l->stats.alerts_stored += l->sending->nalerts;
    l->stats.batch_us = took;
    if (s == &l->backlog && l->backlog_rate > 0)
        l->backlog_at_us =
            l->started_us + l->sending->nrows * INT64_C(1000000) / l->backlog_rate;
    l->remade = false;
}

static void
on_sent(void *arg, const struct pg_answer *failed)
{
    struct lane *l = arg;

    if (failed) {
        on_failed(l, failed);
        return;
    }
    if (l->send.ranges > 0)
        on_committed(l);
    /* The end of a range, or somebody asked for another one (respool). */
    if (l->send.ranges != l->ranges) {
        l->of = NULL;
        lane_read_cursor(l);
        return;
    }
    l->of = NULL;
    lane_changed(l);
    again(l->work);
}

static void
send_batch(struct lane *l, struct stream *s)
{
    struct batch *batch = s->batch;
    int64_t today = lw_floor_to(clock_now(l->clock).wall.ms, LW_DAY) / LW_DAY;

    s->batch = l->sending;
    s->full = false;
    batch_begin(s->batch, batch->next);
    l->sending = batch;
    l->of = s;
    if (s == &l->live) {
        event_del(l->close);
        l->due = false;
    }
    l->started_us = clock_io_us();
    send_start(&l->send, batch, s->recorded, s->until, batch->first < l->merge_before,
               (int32_t)today, l->days_ahead);
}

/* When the live batch is to be sent, should no more come. */
static void
plan_close(struct lane *l)
{
    int64_t ms = batch_items(l->live.batch) > 0 ? l->batch_ms : IDLE_MS;

    if (l->live.batch->next == l->live.batch->first)
        return;
    /* the first row after a stretch without any has the shorter wait */
    if (!event_pending(l->close, EV_TIMEOUT, NULL) || (ms != IDLE_MS && l->slow))
        after(l->close, ms);
    l->slow = ms == IDLE_MS;
}

/* Fills what is new; 0: there may be more at once. */
static int
fill_live(struct lane *l)
{
    int rc = stream_fill(&l->live, l->send.keys, l->options.share);

    if (l->flushing && batch_items(l->live.batch) > 0)
        l->due = true;
    if (rc == LW_EAGAIN)
        plan_close(l);
    return rc;
}

/* The backlog's batch may go now; else the loop comes again when it may. */
static bool
backlog_due(struct lane *l)
{
    int64_t wait_us = l->backlog_at_us - clock_io_us();

    if (!stream_waits(&l->backlog) || !l->backlog.full)
        return false;
    if (wait_us > 0)
        after(l->work, wait_us / 1000 + 1);
    return wait_us <= 0;
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
    struct lane *l = arg;
    int live, backlog = LW_EAGAIN;

    (void)fd, (void)what;
    if (l->stats.state != STORE_UP || !l->live.reader)
        return;
    live = fill_live(l);
    if (stream_waits(&l->backlog))
        backlog = stream_fill(&l->backlog, l->send.keys, l->options.share);

    if (l->of || !pg_conn_idle(l->conn)) {
        if (l->live.full)
            send_prepare(&l->send, l->live.batch);
        else if (l->backlog.full)
            send_prepare(&l->send, l->backlog.batch);
    } else if (l->live.full || l->due) {
        send_batch(l, &l->live);
        live = 0;
    } else if (live != 0 && backlog_due(l)) {
        send_batch(l, &l->backlog);
        backlog = 0;
    }
    if (live == 0 || backlog == 0)
        again(l->work);
    else if (live == LW_EIO || live == LW_ENOMEM || backlog == LW_EIO ||
             backlog == LW_ENOMEM)
        after(l->work, RETRY_MS);
    lane_changed(l);
}

static void
on_close(evutil_socket_t fd, short what, void *arg)
{
    struct lane *l = arg;

    (void)fd, (void)what;
    l->due = l->live.batch->next != l->live.batch->first;
    again(l->work);
}

/* The connection -----------------------------------------------------------------------
 */

static void
on_migrated(void *arg, int rc, const char *error)
{
    struct lane *l = arg;

    if (rc < 0)
        pg_conn_drop(l->conn, error);
    else
        lane_read_cursor(l);
}

static void
on_up(void *arg)
{
    struct lane *l = arg;

    l->stats.state = STORE_MIGRATING;
    l->fresh = true;
    l->options.up(l->options.arg);
    send_forget(&l->send);
    migrate_start(&l->migrate, l->conn, on_migrated, l);
}

static void
on_down(void *arg, const char *why)
{
    struct lane *l = arg;

    if (strcmp(l->stats.error, why) != 0) /* once, not at each attempt */
        l->options.away(l->options.arg, why);
    snprintf(l->stats.error, sizeof(l->stats.error), "%s", why);
    l->stats.state = STORE_AWAY;
    l->of = NULL;
    event_del(l->close);
    lane_changed(l);
}

/* The room's functions -----------------------------------------------------------------
 */

int
lane_new(struct event_base *base, struct clock *clock, struct journal *journal,
         const struct lane_options *options, struct lane **ret_lane)
{
    static const struct pg_events events = {on_up, on_down};
    const struct store_options *store = options->store;
    struct lane *l = calloc(1, sizeof(*l));
    uint32_t rows = (uint32_t)store->batch_rows;
    char cursor[sizeof(l->send.cursor)];
    int rc = LW_ENOMEM;

    if (!l)
        return LW_ENOMEM;
    l->clock = clock;
    l->journal = journal;
    l->options = *options;
    l->options.store = NULL;
    l->options.journal_id = NULL;
    snprintf(l->journal_id, sizeof(l->journal_id), "%s", options->journal_id);
    l->batch_ms = store->batch_ms;
    l->days_ahead = (int32_t)store->days_ahead;
    l->backlog_rate = store->backlog_rate / 2; /* two lanes have readings */
    l->work = event_new(base, -1, 0, on_work, l);
    l->close = event_new(base, -1, 0, on_close, l);
    if (!l->work || !l->close || stream_init(&l->live, journal, rows) < 0 ||
        stream_init(&l->backlog, journal, rows) < 0 || batch_new(rows, &l->sending) < 0)
        goto out;
    snprintf(cursor, sizeof(cursor), "journal_id = '%s' AND lane = %d", l->journal_id,
             (int)options->share);
    if ((rc = pg_conn_new(base, store->conninfo, "lodewatchd", &events, l, &l->conn)) <
            0 ||
        (rc = send_init(&l->send, l->conn, cursor, on_sent, l)) < 0)
        goto out;
    pg_conn_open(l->conn);
    *ret_lane = l;
    l = NULL;
out:
    lane_free(l);
    return rc;
}

void
lane_free(struct lane *lane)
{
    if (!lane)
        return;
    pg_conn_free(lane->conn);
    send_clear(&lane->send);
    stream_clear(&lane->live);
    stream_clear(&lane->backlog);
    batch_free(lane->sending);
    if (lane->work)
        event_free(lane->work);
    if (lane->close)
        event_free(lane->close);
    free(lane);
}

bool
lane_settled(const struct lane *l)
{
    return l->stats.state != STORE_UP || (stream_settled(&l->live) && l->of != &l->live);
}

void
lane_stats(const struct lane *l, struct store_stats *ret_stats)
{
    *ret_stats = l->stats;
    ret_stats->refused += l->live.refused + l->backlog.refused;
    if (!l->known)
        return;
    if (stream_waits(&l->backlog))
        ret_stats->backlog = l->backlog.until - l->backlog.committed + l->later;
    ret_stats->behind = ret_stats->backlog;
    if (l->stats.state != STORE_UP || !lane_settled(l))
        ret_stats->behind += journal_durable(l->journal) - l->live.committed;
}

int
lane_needs(const struct lane *l, uint64_t *ret_position)
{
    if (!l->known)
        return LW_EAGAIN;
    *ret_position = stream_waits(&l->backlog) ? l->backlog.committed : l->live.committed;
    return 0;
}

void
lane_retry(struct lane *lane)
{
    pg_conn_open(lane->conn);
}

void
lane_flush(struct lane *lane)
{
    lane->flushing = true;
    again(lane->work);
}
