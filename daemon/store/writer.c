/* The writer: journal -> batches -> PostgreSQL.
 *
 * Two batches take turns: one is sent while the other is filled. Each is one transaction
 * that also writes the position behind it to store_cursor. So after a lost connection, a
 * COMMIT without an answer included, the cursor says where to go on, and nothing has to
 * be merged. Whatever goes wrong, the writer goes back to the last position that it knows
 * to be in the database and reads the journal from there. */
#include "daemon/store/writer.h"

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
#include "daemon/store/migrate.h"
#include "daemon/store/pg_conn.h"
#include "daemon/store/send.h"

enum {
    FILL_RECORDS = 100, /* in one callback, so that others get their turn */
    RETRY_MS = 1000,    /* after the journal could not be read */
    IDLE_MS = 60000, /* a stretch of the journal without rows is acknowledged so late */
};

static const char consumer[] = STORE_CONSUMER;

struct writer {
    struct clock *clock;
    struct journal *journal;
    int64_t batch_ms;
    uint32_t batch_rows;
    int32_t days_ahead;

    struct pg_conn *conn;
    struct migrate migrate;
    struct send send;

    struct journal_reader *reader;
    struct journal_record held; /* read, but not in a batch yet */
    bool holding;
    struct batch *filling, *sending;
    struct event *fill;  /* read on */
    struct event *close; /* send what there is */
    bool dry;            /* the journal had nothing more */
    uint64_t dry_at;     /* when this much of it was durable */
    bool full, due;      /* `filling` is to be sent */
    bool slow;           /* `close` waits for IDLE_MS */
    bool busy;           /* `sending` is under way */
    int64_t started_us;

    uint64_t committed;    /* the database has everything before it */
    uint64_t merge_before; /* rows before it may be there already */
    uint64_t skip_before;  /* the database refuses the rows before it */
    uint32_t limit; /* of items in a batch; small while looking for a refused one */
    bool remade;    /* partitions, for the batch that is under way */

    struct event *flush;
    store_done *flush_done;
    void *flush_arg;

    struct store_stats stats;
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

/* Nothing is under way, and nothing durable waits. */
static bool
settled(const struct writer *w)
{
    return w->dry && w->dry_at == journal_durable(w->journal) && !w->busy &&
           batch_items(w->filling) == 0;
}

static void
flush_check(struct writer *w)
{
    if (w->flush_done && (w->stats.state != STORE_UP || settled(w)))
        again(w->flush);
}

static void
on_ready(void *arg)
{
    struct writer *w = arg;

    again(w->fill);
}

/* Reads the journal anew from what the database has. */
static void
go_back(struct writer *w)
{
    journal_reader_free(w->reader);
    w->reader = NULL;
    w->holding = w->dry = w->full = w->due = w->busy = false;
    batch_begin(w->filling, w->committed);
    event_del(w->close);
    if (journal_reader_new(w->journal, w->committed, on_ready, w, &w->reader) < 0)
        pg_conn_drop(w->conn, "the journal cannot be read");
    else
        again(w->fill);
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
partition_failed(const struct writer *w, const char *sqlstate)
{
    return !w->remade && (strcmp(sqlstate, "23514") == 0 ||
                          (!w->send.routed && (strcmp(sqlstate, "42P01") == 0 ||
                                               strcmp(sqlstate, "42501") == 0)));
}

/* What to do otherwise when the batch comes again. */
static void
learn(struct writer *w, const struct pg_answer *failed)
{
    const struct batch *batch = w->sending;
    uint32_t items = batch_items(batch);

    if (strcmp(failed->sqlstate, "23505") == 0 && w->merge_before < batch->next) {
        log_note("store: rows are there already, merging: %s", failed->error);
        w->merge_before = journal_durable(w->journal); /* the overlap may be long */
    } else if (partition_failed(w, failed->sqlstate)) {
        log_note("store: %s: %s",
                 strcmp(failed->sqlstate, "42501") == 0
                     ? "a partition is not ours, going through its parent"
                     : "a partition is gone, making it",
                 failed->error);
        partitions_forget(&w->send.partitions);
        w->remade = w->send.routed = true;
    } else if (items > 1) {
        if (w->limit == w->batch_rows)
            log_warn("store: a batch is refused, looking for the row: %s", failed->error);
        w->limit = items / 2;
    } else {
        log_error("store: left out what the database refuses, before position %" PRIu64
                  " of the journal: %s",
                  batch->next, failed->error);
        w->skip_before = batch->next;
        w->stats.refused += items;
    }
}

/* Batches ------------------------------------------------------------------------------
 */

static void
on_sent(void *arg, const struct pg_answer *failed)
{
    struct writer *w = arg;

    if (failed) {
        w->stats.failed++;
        if ((!about_rows(failed->sqlstate) && !partition_failed(w, failed->sqlstate)) ||
            batch_items(w->sending) == 0) {
            pg_conn_drop(w->conn, failed->error);
        } else {
            learn(w, failed);
            go_back(w);
        }
        return;
    }
    w->committed = w->sending->next;
    journal_ack(w->journal, consumer, w->committed);
    pg_conn_good(w->conn);
    w->stats.batches++;
    w->stats.readings_stored += w->send.rows;
    w->stats.alerts_stored += w->sending->nalerts;
    w->stats.batch_us = clock_io_us() - w->started_us;
    w->limit = w->limit < w->batch_rows / 2 ? 2 * w->limit : w->batch_rows;
    w->remade = false;
    w->busy = false;
    again(w->fill);
}

static void
send_batch(struct writer *w)
{
    struct batch *batch = w->filling;
    int64_t today = lw_floor_to(clock_now(w->clock).wall.ms, LW_DAY) / LW_DAY;

    w->filling = w->sending;
    w->sending = batch;
    batch_begin(w->filling, batch->next);
    event_del(w->close);
    w->full = w->due = false;
    w->busy = true;
    w->started_us = clock_io_us();
    send_start(&w->send, batch, batch->first < w->merge_before, (int32_t)today,
               w->days_ahead);
}

/* Puts the record that is held into the batch. LW_EFULL: it is the next one's. */
static int
place(struct writer *w)
{
    int rc;

    if (batch_items(w->filling) >= w->limit)
        return LW_EFULL;
    if (w->held.position < w->skip_before)
        batch_pass(w->filling, &w->held);
    else if ((rc = batch_add(w->filling, w->send.keys, &w->held)) == LW_EFULL ||
             rc == LW_ENOMEM)
        return rc;
    else if (rc < 0) {
        log_error("store: the record at position %" PRIu64
                  " of the journal cannot be stored: %s",
                  w->held.position, lw_result_text(rc));
        w->stats.refused++;
        batch_pass(w->filling, &w->held);
    }
    w->holding = false;
    return 0;
}

/* Reads some records; 0, or why it ends for now. */
static int
fill_some(struct writer *w)
{
    for (int i = 0; i < FILL_RECORDS; i++) {
        uint64_t durable = journal_durable(w->journal);
        int rc = 1;

        if (!w->holding && (rc = journal_next(w->reader, &w->held)) == 1)
            w->holding = true;
        w->dry = rc == 0;
        w->dry_at = durable;
        if (rc == LW_EPARSE) /* the journal has logged it */
            continue;
        if (rc != 1)
            return rc == 0 ? LW_EAGAIN : rc;
        if ((rc = place(w)) < 0)
            return rc;
    }
    return 0;
}

static void
on_fill(evutil_socket_t fd, short what, void *arg)
{
    struct writer *w = arg;
    int rc = 0;

    (void)fd, (void)what;
    if (w->stats.state != STORE_UP || !w->reader)
        return;
    if (!w->full)
        rc = fill_some(w);
    w->full = w->full || rc == LW_EFULL;
    if (w->flush_done && batch_items(w->filling) > 0)
        w->due = true;

    if ((w->full || w->due) && !w->busy && pg_conn_idle(w->conn)) {
        send_batch(w);
        again(w->fill);
    } else if (w->full) {
        send_prepare(&w->send, w->filling);
    } else if (rc == 0) {
        again(w->fill);
    } else if (w->filling->next != w->filling->first || rc != LW_EAGAIN) {
        int64_t ms = batch_items(w->filling) > 0 ? w->batch_ms : IDLE_MS;

        if (rc == LW_EIO || rc == LW_ENOMEM)
            ms = RETRY_MS;
        /* the first row after a stretch without any has the shorter wait */
        if (!event_pending(w->close, EV_TIMEOUT, NULL) || (ms != IDLE_MS && w->slow))
            after(w->close, ms);
        w->slow = ms == IDLE_MS;
    }
    flush_check(w);
}

static void
on_close(evutil_socket_t fd, short what, void *arg)
{
    struct writer *w = arg;

    (void)fd, (void)what;
    w->due = w->filling->next != w->filling->first;
    again(w->fill);
}

/* The connection -----------------------------------------------------------------------
 */

/* Where the database stands. Locked, should the last connection's COMMIT still be at
 * work. */
static void
on_cursor(void *arg, const struct pg_answer *answer)
{
    struct writer *w = arg;
    uint64_t start = journal_start(w->journal);
    uint64_t position = start;

    if (!answer->rows) {
        pg_conn_drop(w->conn, answer->error);
        return;
    }
    if (PQntuples(answer->rows) == 1)
        position = strtoull(PQgetvalue(answer->rows, 0, 0), NULL, 10);
    if (position < start) {
        log_error("store: the journal no longer has its positions %" PRIu64 " to %" PRIu64
                  ", which the database lacks",
                  position, start);
        position = start;
    } else if (position > journal_durable(w->journal)) {
        log_warn(
            "store: the database has more of this journal than there is (an old state_dir?):"
            " merging all of it");
        position = start;
        w->merge_before = journal_durable(w->journal);
    }
    w->committed = position;
    w->skip_before = 0;
    w->limit = w->batch_rows;
    w->stats.state = STORE_UP;
    w->stats.error[0] = '\0';
    log_note("store: PostgreSQL is there, %" PRIu64
             " bytes of the journal are to be stored",
             journal_durable(w->journal) - position);
    go_back(w);
}

static void
on_migrated(void *arg, int rc, const char *error)
{
    struct writer *w = arg;
    char sql[160];

    if (rc < 0) {
        pg_conn_drop(w->conn, error);
        return;
    }
    snprintf(sql, sizeof(sql),
             "SELECT position FROM store_cursor WHERE journal_id = '%s' FOR UPDATE",
             w->send.journal_id);
    pg_conn_send(w->conn, &(struct pg_query){.sql = sql, .done = on_cursor, .arg = w});
}

static void
on_up(void *arg)
{
    struct writer *w = arg;

    w->stats.state = STORE_MIGRATING;
    send_forget(&w->send);
    migrate_start(&w->migrate, w->conn, on_migrated, w);
}

static void
on_down(void *arg, const char *why)
{
    struct writer *w = arg;

    if (strcmp(w->stats.error, why) != 0) /* once, not at each attempt */
        log_warn("store: PostgreSQL is away, the journal keeps what it lacks: %s", why);
    snprintf(w->stats.error, sizeof(w->stats.error), "%s", why);
    w->stats.state = STORE_AWAY;
    w->busy = false;
    event_del(w->close);
    flush_check(w);
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
    struct writer *w = arg;
    store_done *done = w->flush_done;

    (void)fd, (void)what;
    event_del(w->flush);
    w->flush_done = NULL;
    if (done)
        done(w->flush_arg);
}

/* The room's functions
 * ------------------------------------------------------------------- */

int
writer_new(struct event_base *base, struct clock *clock, struct journal *journal,
           const struct store_options *options, const char *journal_id,
           struct writer **ret_writer)
{
    static const struct pg_events events = {on_up, on_down};
    struct writer *w = calloc(1, sizeof(*w));
    uint64_t acked;
    int rc = LW_ENOMEM;

    if (!w)
        return LW_ENOMEM;
    w->clock = clock;
    w->journal = journal;
    w->batch_ms = options->batch_ms;
    w->batch_rows = w->limit = (uint32_t)options->batch_rows;
    w->days_ahead = (int32_t)options->days_ahead;
    w->fill = event_new(base, -1, 0, on_fill, w);
    w->close = event_new(base, -1, 0, on_close, w);
    w->flush = event_new(base, -1, 0, on_flush, w);
    if (!w->fill || !w->close || !w->flush || batch_new(w->batch_rows, &w->filling) < 0 ||
        batch_new(w->batch_rows, &w->sending) < 0)
        goto out;
    if ((rc = pg_conn_new(base, options->conninfo, "lodewatchd", &events, w, &w->conn)) <
            0 ||
        (rc = send_init(&w->send, w->conn, journal_id, on_sent, w)) < 0)
        goto out;

    /* From now on the journal keeps what the database lacks. */
    if (journal_acked(journal, consumer, &acked) == LW_ENOTFOUND)
        journal_ack(journal, consumer, journal_start(journal));
    pg_conn_open(w->conn);
    *ret_writer = w;
    w = NULL;
    rc = 0;
out:
    writer_free(w);
    return rc;
}

void
writer_free(struct writer *writer)
{
    if (!writer)
        return;
    pg_conn_free(writer->conn);
    send_clear(&writer->send);
    journal_reader_free(writer->reader);
    batch_free(writer->filling);
    batch_free(writer->sending);
    if (writer->fill)
        event_free(writer->fill);
    if (writer->close)
        event_free(writer->close);
    if (writer->flush)
        event_free(writer->flush);
    free(writer);
}

void
writer_stats(const struct writer *writer, struct store_stats *ret_stats)
{
    uint64_t durable = journal_durable(writer->journal);

    *ret_stats = writer->stats;
    if (writer->stats.state != STORE_UP) {
        uint64_t from = writer->committed;

        if (from == 0 && journal_acked(writer->journal, consumer, &from) < 0)
            from = durable;
        ret_stats->behind = durable - from;
    } else if (!settled(writer)) {
        ret_stats->behind = durable - writer->committed;
    }
}

void
writer_flush(struct writer *writer, int64_t most_ms, store_done *done, void *arg)
{
    writer->flush_done = done;
    writer->flush_arg = arg;
    after(writer->flush, most_ms);
    again(writer->fill);
    flush_check(writer);
}
